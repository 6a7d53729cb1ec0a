"""Helpers for training: `utils.data` makes batches of samples."""

from minigrad.utils import data

__all__ = ["data"]
