"""`save` and `load`: files that torch reads, and reading torch's without running what is in them."""

from minigrad.serialization.checkpoint import load, save
