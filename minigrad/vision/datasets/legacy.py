"""Older names of MNIST's data, which warn and lead to those of today."""

import warnings
from typing import Any


def renamed(new: str, *, old: str) -> Any:
    """The attribute `new` under its older name."""

    def read(dataset: Any) -> Any:
        warnings.warn(f"{old} has been renamed {new}", stacklevel=2)
        return getattr(dataset, new)

    return property(read, doc=f"`{new}` under its older name.")


class OlderNames:
    """`data` and `targets`, whichever of the two sets they belong to, under the names of torchvision 0.2."""

    train_data, test_data = renamed("data", old="train_data"), renamed("data", old="test_data")
    train_labels, test_labels = renamed("targets", old="train_labels"), renamed("targets", old="test_labels")
