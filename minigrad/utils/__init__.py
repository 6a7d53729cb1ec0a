"""Helpers around training: `utils.data` brings samples to the model in batches."""

from minigrad.utils import data

__all__ = ["data"]
