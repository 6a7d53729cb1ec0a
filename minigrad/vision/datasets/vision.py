"""What the datasets share: where files lie, how they are fetched and read, and the transforms of an item."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from minigrad.utils.data import Dataset
from minigrad.vision.download import DataError, fetch

T = TypeVar("T")


def data_folder(root: str | os.PathLike[str] | None = None) -> Path:
    """`root`; by default what the environment variable MINIGRAD_DATA names, else ~/.cache/minigrad."""
    folder = Path(root or os.environ.get("MINIGRAD_DATA") or "~/.cache/minigrad")
    try:
        return folder.expanduser()
    except RuntimeError:
        raise DataError(f"cannot tell whose home is meant by {folder}: name a folder without ~ in MINIGRAD_DATA") from None


def download_once(path: Path, urls: Sequence[str], verify: Callable[[Path], object], progress: bool) -> None:
    """Fetch the file, unless it is there."""
    if not path.exists():
        fetch(urls, path, verify, progress=progress)


def read_or_explain(path: Path, read: Callable[[Path], T]) -> T:
    """What `read` gives for the file; what it raises as a DataError that says what to do."""
    if not path.exists():
        raise DataError(f"there is no {path}: put it there, or let download=True fetch it")
    try:
        return read(path)
    except ValueError as error:
        raise DataError(f"{path} is damaged, {error}: delete it, and it will be downloaded again") from error
    except OSError as error:
        raise DataError(
            f"cannot read {path} ({error.strerror or error}): make it readable, "
            "or name another folder in MINIGRAD_DATA, or as root="
        ) from error


def md5_of(data: bytes = b"") -> Any:
    """The sums that the authors of data sets publish. (What they are for here needs no better one: the readers run nothing.)"""
    return hashlib.md5(data, usedforsecurity=False)


def check_md5(path: Path, md5: str) -> None:
    """Refuse a file that has another MD5.

    Raises
    ------
    ValueError : if it has.
    """
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, md5_of).hexdigest()
    if found != md5:
        raise ValueError(f"its MD5 is {found} instead of {md5}")


class VisionDataset(Dataset[Any]):
    """The part that image datasets have in common, as `torchvision.datasets.VisionDataset`.

    Parameters
    ----------
    root : str or path, optional
        Where the files are.
    transforms : callable, optional
        What to make of an image and its target together; or else:
    transform, target_transform : callable, optional
        What to make of the image, and of the target.
    """

    def __init__(
        self, root: Any = None, transforms: Callable[..., Any] | None = None, transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ) -> None:
        if transforms is not None and (transform is not None or target_transform is not None):
            raise ValueError("Only transforms or transform/target_transform can be passed as argument")
        self.root = os.path.expanduser(root) if isinstance(root, (str, os.PathLike)) else root
        self.transforms, self.transform, self.target_transform = transforms, transform, target_transform

    def _transformed(self, image: Any, target: Any) -> tuple[Any, Any]:
        if self.transforms is not None:
            image, target = self.transforms(image, target)
        return (
            image if self.transform is None else self.transform(image),
            target if self.target_transform is None else self.target_transform(target),
        )

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must say in __len__ how many items it has")

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must give item {index} in __getitem__")

    def extra_repr(self) -> str:
        """More lines for the text that shows the dataset; to be defined by the subclass."""
        return ""

    def __repr__(self) -> str:
        root = [] if self.root is None else [f"Root location: {self.root}"]
        lines = [f"Number of datapoints: {len(self)}", *root, *self.extra_repr().splitlines()]
        transforms = {"Transform: ": self.transform, "Target transform: ": self.target_transform}
        shown = [head + repr(transform).replace("\n", "\n" + " " * len(head))
                 for head, transform in transforms.items() if transform is not None]  # fmt: skip
        lines += ["StandardTransform"] if shown else []
        return "\n".join([f"Dataset {type(self).__name__}", *("    " + line for line in lines), *shown])
