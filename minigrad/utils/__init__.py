"""Helpers for training: `utils.data` makes batches of samples, `utils.checkpoint` saves memory."""

from minigrad.utils import checkpoint, data

__all__ = ["checkpoint", "data"]
