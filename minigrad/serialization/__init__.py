"""`save` writes files that torch can read; `load` reads torch's files without running what is in them."""

from minigrad.serialization.checkpoint import load, save
