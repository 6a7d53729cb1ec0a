"""SVHN: house numbers in street views, as in `torchvision.datasets`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from minigrad.vision.datasets.vision import VisionDataset, check_md5, download_once, read_or_explain


class SVHN(VisionDataset):
    """Digits of house numbers in colour, 32 × 32 pixels (Netzer et al., 2011). Reading them needs SciPy, as in torchvision.

    An item is a pair of an image and a target, the digit as an int. Where torchvision gives an image of Pillow, this gives what
    NumPy would make of it: a uint8 array of shape (32, 32, 3).

    Parameters
    ----------
    root : str or path
        The folder of the files.
    split : "train", "test" or "extra"
        73,257 digits, 26,032, or 531,131 more that are easier.
    transform, target_transform : callable, optional
        What to make of the image, see `minigrad.vision.transforms`, and of the target.
    download : bool
        Fetch the file (180, 64 or 1,300 MB) if it is not there, with a progress bar on stderr.

    Attributes
    ----------
    data : numpy.ndarray of (n, 3, 32, 32), uint8
    labels : numpy.ndarray of (n,), int64

    Raises
    ------
    ValueError
        If `split` is not one of those.
    ModuleNotFoundError
        If SciPy is not installed.
    DataError
        A RuntimeError: if a file cannot be had or read, or is not the genuine one; the message says what to do.
    """

    mirrors: Sequence[str] = ("http://ufldl.stanford.edu/housenumbers/",)
    digests: ClassVar[dict[str, str]] = {
        "train": "e26dedcc434d2e4c54c9b2d4a06d8373", "test": "eb5a983be6a315427106f1b164d9cef3",
        "extra": "a93ce644f1a588dc4d68dda5feec44a7",
    }  # fmt: skip

    def __init__(
        self, root: str | os.PathLike[str], split: str = "train", transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None, download: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(root, transform=transform, target_transform=target_transform)
        if split not in self.digests:
            raise ValueError(f"Unknown value {split!r} for argument split. Valid values are {', '.join(self.digests)}.")
        self.split = split
        name = f"{split}_32x32.mat"
        path = Path(self.root, name)
        verify = partial(check_md5, md5=self.digests[split])
        if download:
            download_once(path, [f"{mirror}{name}" for mirror in self.mirrors], verify, progress=True)
        self.data, self.labels = read_or_explain(path, partial(_read, verify=verify))

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._transformed(self.data[index].transpose(1, 2, 0).copy(), int(self.labels[index]))

    def extra_repr(self) -> str:
        """Which of the sets it is."""
        return f"Split: {self.split}"


def _read(path: Path, verify: Callable[[Path], None]) -> tuple[Any, Any]:
    """The images and the digits; in the file, 10 stands for 0."""
    verify(path)
    try:
        loadmat = import_module("scipy.io").loadmat
    except ImportError:
        raise ModuleNotFoundError("SVHN comes in files of Matlab, which SciPy reads: pip install scipy") from None
    content = loadmat(path)
    return content["X"].transpose(3, 2, 0, 1), content["y"].astype(np.int64).reshape(-1) % 10
