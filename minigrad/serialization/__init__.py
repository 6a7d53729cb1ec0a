"""`save` writes files that torch can read; `load` reads torch's files without running what is in them."""

from minigrad.serialization.checkpoint import load, save
from minigrad.serialization.safe_globals import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals
