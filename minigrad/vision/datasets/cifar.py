"""CIFAR-10 and CIFAR-100: small coloured pictures of ten, or a hundred, kinds of things, as in `torchvision.datasets`."""

from __future__ import annotations

import os
import pickle
import tarfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from minigrad.serialization.unpickler import load_arrays
from minigrad.vision.datasets.vision import DataError, VisionDataset, check_md5, download_once, md5_of, read_or_explain


class CIFAR10(VisionDataset):
    """Pictures of 32 × 32 pixels in ten classes, 50,000 to train on and 10,000 to test on (Krizhevsky, 2009).

    An item is a pair of an image and a target, the class as an int. Where torchvision gives an image of Pillow, this gives what
    NumPy would make of it: a uint8 array of shape (32, 32, 3).

    Parameters
    ----------
    root : str or path
        The folder of the archive ``cifar-10-python.tar.gz``, or of what was in it, as torchvision unpacks it.
    train : bool
        The training set; else the test set.
    transform, target_transform : callable, optional
        What to make of the image, see `minigrad.vision.transforms`, and of the target.
    download : bool
        Fetch the archive (170 MB) if it is not there, with a progress bar on stderr.

    Attributes
    ----------
    data : numpy.ndarray of (n, 32, 32, 3), uint8
    targets : list of int
    classes : list of str

    Raises
    ------
    DataError
        A RuntimeError: if a file cannot be had or read, or is not the genuine one; the message says what to do.
    """

    urls: Sequence[str] = ("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",)
    base_folder = "cifar-10-batches-py"
    archive_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list: ClassVar[dict[str, str]] = {
        "data_batch_1": "c99cafc152244af753f735de768cd75f", "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751", "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    }  # fmt: skip
    test_list: ClassVar[dict[str, str]] = {"test_batch": "40351d587109b95175f43aff81a1287e"}
    names: ClassVar[tuple[str, str, str]] = ("batches.meta", "5ff9c542aee3614f3951f8cda6e48888", "label_names")
    labels = "labels"

    def __init__(
        self, root: str | os.PathLike[str], train: bool = True, transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None, download: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        self._archive = Path(self.root, self.urls[0].rpartition("/")[2])
        if download:
            self.download()
        files = self.train_list if train else self.test_list
        wanted = {**files, self.names[0]: self.names[1]}
        content = self._unpacked(wanted)
        parts = [content[name] for name in files]
        self.data = np.concatenate([part["data"] for part in parts]).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        self.targets: list[int] = [label for part in parts for label in part[self.labels]]
        self.classes: list[str] = content[self.names[0]][self.names[2]]
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    def download(self) -> None:
        """Fetch the archive, unless it or what was in it is there."""
        if not Path(self.root, self.base_folder).is_dir():
            download_once(self._archive, self.urls, partial(check_md5, md5=self.archive_md5), progress=True)

    def _unpacked(self, wanted: dict[str, str]) -> dict[str, Any]:
        """The content of the files, by their names, whose MD5s are given."""
        folder = Path(self.root, self.base_folder)
        if folder.is_dir():
            return {name: read_or_explain(folder / name, partial(_read, md5=md5)) for name, md5 in wanted.items()}
        return read_or_explain(self._archive, lambda path: dict(self._members(path, wanted)))

    def _members(self, path: Path, wanted: dict[str, str]) -> Iterator[tuple[str, Any]]:
        left = dict(wanted)
        try:
            with tarfile.open(path) as archive:
                for member in archive:
                    name = member.name.removeprefix(f"{self.base_folder}/")
                    if name in left and member.isfile() and member.size < 2**28:
                        yield name, _content(archive.extractfile(member).read(), left.pop(name))  # type: ignore[union-attr]
        except (tarfile.TarError, EOFError) as error:
            raise ValueError(f"it is no whole archive ({error})") from error
        if left:
            raise ValueError(f"it does not hold {', '.join(left)}")

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._transformed(self.data[index].copy(), self.targets[index])

    def extra_repr(self) -> str:
        """Which of the two sets it is."""
        return f"Split: {'Train' if self.train else 'Test'}"


class CIFAR100(CIFAR10):
    """Pictures like `CIFAR10`'s, as many, in a hundred classes."""

    urls = ("https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",)
    base_folder = "cifar-100-python"
    archive_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list: ClassVar[dict[str, str]] = {"train": "16019d7e3df5f24257cddd939b257f8d"}
    test_list: ClassVar[dict[str, str]] = {"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"}
    names: ClassVar[tuple[str, str, str]] = ("meta", "7973b15100ade9c7d40fb424638fde48", "fine_label_names")
    labels = "fine_labels"


def _read(path: Path, md5: str) -> dict[str, Any]:
    return _content(path.read_bytes(), md5)


def _content(data: bytes, md5: str) -> dict[str, Any]:
    """The dictionary that a pickle of these data sets holds."""
    found = md5_of(data).hexdigest()
    if found != md5:
        raise ValueError(f"its content has the MD5 {found} instead of {md5}")
    try:
        content = load_arrays(data, max_operations=200_000)  # 10,000 labels and names of files in each
    except pickle.UnpicklingError as error:
        raise ValueError(str(error)) from error
    return {_text(key): [_text(each) for each in value] if isinstance(value, list) else value for key, value in content.items()}


def _text(x: Any) -> Any:
    return x.decode("latin-1") if isinstance(x, bytes) else x


__all__ = ["CIFAR10", "CIFAR100", "DataError"]
