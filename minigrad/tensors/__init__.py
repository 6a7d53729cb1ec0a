"""Tensors: the class, what changes one in place, what makes new ones, and how NumPy's functions find our operations."""
