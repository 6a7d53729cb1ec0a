"""STL-10: coloured pictures for learning from few labels, as in `torchvision.datasets`."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from minigrad.vision.datasets.vision import VisionDataset, check_md5, download_once, md5_of, read_or_explain


class STL10(VisionDataset):
    """Pictures of 96 × 96 pixels in ten classes (Coates et al., 2011): 5,000 to train on, 8,000 to test on, 100,000 unlabelled.

    An item is a pair of an image and a target, the class as an int, -1 for unlabelled ones. Where torchvision gives an image of
    Pillow, this gives what NumPy would make of it: a uint8 array of shape (96, 96, 3).

    Parameters
    ----------
    root : str or path
        The folder of the archive ``stl10_binary.tar.gz``, or of what was in it, as torchvision unpacks it.
    split : "train", "train+unlabeled", "unlabeled" or "test"
        Which pictures.
    folds : int, optional
        From 0 to 9: only that thousand of the training set.
    transform, target_transform : callable, optional
        What to make of the image, see `minigrad.vision.transforms`, and of the target.
    download : bool
        Fetch the archive (2.6 GB) if it is not there, with a progress bar on stderr.

    Attributes
    ----------
    data : numpy.ndarray of (n, 3, 96, 96), uint8
    labels : numpy.ndarray of (n,)
    classes : list of str

    Raises
    ------
    ValueError
        If `split` or `folds` is not one of those.
    DataError
        A RuntimeError: if a file cannot be had or read, or is not the genuine one; the message says what to do.
    """

    urls: Sequence[str] = ("http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",)
    base_folder = "stl10_binary"
    archive_md5 = "91f7769df0f17e558f3565bffb0c7dfb"
    digests: ClassVar[dict[str, str]] = {
        "train_X.bin": "918c2871b30a85fa023e0c44e0bee87f", "train_y.bin": "5a34089d4802c674881badbb80307741",
        "unlabeled_X.bin": "5242ba1fed5e4be9e1e742405eb56ca4",
        "test_X.bin": "7f263ba9f9e0b06b93213547f721ac82", "test_y.bin": "36f9794fa4beb8a2c72628de14fa638e",
    }  # fmt: skip
    splits = ("train", "train+unlabeled", "unlabeled", "test")

    def __init__(
        self, root: str | os.PathLike[str], split: str = "train", folds: int | None = None,
        transform: Callable[[Any], Any] | None = None, target_transform: Callable[[Any], Any] | None = None, download: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(root, transform=transform, target_transform=target_transform)
        if split not in self.splits:
            raise ValueError(f"Unknown value {split!r} for argument split. Valid values are {', '.join(self.splits)}.")
        if folds is not None and folds not in range(10):
            raise ValueError(f"Value for argument folds should be in the range [0, 10), but got {folds}.")
        self.split, self.folds = split, folds
        self._archive = Path(self.root, self.urls[0].rpartition("/")[2])
        if download and not Path(self.root, self.base_folder).is_dir():
            download_once(self._archive, self.urls, partial(check_md5, md5=self.archive_md5), progress=True)
        parts = [self._part(part) for part in split.split("+")]
        self.data = np.concatenate([images for images, _ in parts])
        self.labels = np.concatenate([labels for _, labels in parts])
        self.classes = self._file("class_names.txt").decode().splitlines()

    def _part(self, name: str) -> tuple[Any, Any]:
        images = np.frombuffer(self._file(f"{name}_X.bin"), np.uint8).reshape(-1, 3, 96, 96).swapaxes(2, 3)
        if name == "unlabeled":
            return images, np.full(len(images), -1)
        labels = np.frombuffer(self._file(f"{name}_y.bin"), np.uint8) - 1
        if name == "train" and self.folds is not None:
            fold = [int(number) for number in self._file("fold_indices.txt").splitlines()[self.folds].split()]
            images, labels = images[fold], labels[fold]
        return images, labels

    def _file(self, name: str) -> bytes:
        """The content of one file."""
        path = Path(self.root, self.base_folder, name)
        return read_or_explain(path if path.parent.is_dir() else self._archive, partial(self._content, name=name))

    def _content(self, path: Path, name: str) -> bytes:
        if path != self._archive:
            data = path.read_bytes()
        else:
            try:
                with tarfile.open(path) as archive:
                    data = archive.extractfile(f"{self.base_folder}/{name}").read()  # type: ignore[union-attr]
            except (tarfile.TarError, EOFError, KeyError) as error:
                raise ValueError(f"it is no whole archive with {name} ({error})") from error
        found = md5_of(data).hexdigest()
        if found != self.digests.get(name, found):
            raise ValueError(f"its {name} has the MD5 {found} instead of {self.digests[name]}")
        return data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._transformed(self.data[index].transpose(1, 2, 0).copy(), int(self.labels[index]))

    def extra_repr(self) -> str:
        """Which of the sets it is."""
        return f"Split: {self.split}"
