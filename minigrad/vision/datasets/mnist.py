"""Images to train on: a sample of digits that comes with minigrad, MNIST in two forms, and sets in its form.

`MNIST` and the sets like it are torchvision's: datasets of single images. `load_digits` and `load_mnist` are the tutorial's,
whole NumPy arrays: both give ((x_train, y_train), (x_valid, y_valid), (x_test, y_test)), in the data set's own order, which
is a shuffled one. Each x holds flat images, float32 of shape (n, 784), pixels divided by 256 as in the tutorial's file, so
in [0, 1); each y the digits shown, int64 of shape (n,). The arrays are the caller's own, to be turned into tensors:

    x_train, y_train = map(torch.tensor, load_digits()[0])
"""

import gzip
import hashlib
import math
import os
import pickle
import string
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from minigrad.serialization.unpickler import load_arrays
from minigrad.tensors.creation import from_numpy
from minigrad.vision.datasets.legacy import OlderNames
from minigrad.vision.datasets.vision import VisionDataset, check_md5, data_folder, download_once, read_or_explain

Split = tuple[NDArray[np.float32], NDArray[np.int64]]
Splits = tuple[Split, Split, Split]

MNIST_URLS = (
    "https://github.com/pytorch/tutorials/raw/main/_static/mnist.pkl.gz",
    "https://github.com/mnielsen/neural-networks-and-deep-learning/raw/master/data/mnist.pkl.gz",
)
MNIST_DIGEST = "d70fcb5813e7caf5aa503988c81d6ed50dd999f58bed10b6cc81437bcbc1eaa4"
"""The `content_digest` of the genuine set: the same for every compression and pickle protocol it may come in."""

MAX_UNPACKED = 256 * 2**20
"""Bytes: the genuine file unpacks to 220 MB, and 200 KB of gzip can unpack to as many."""


def load_digits() -> Splits:
    """The sample inside the package: the first 10,000 training, 2,000 validation and 2,000 test digits of MNIST.

    Needs no network. `digits_NOTICE.txt` beside this file says whose work it is; `make_digits.py` made it.

    Examples
    --------
    >>> (x_train, y_train), (x_valid, y_valid), (x_test, y_test) = load_digits()
    >>> x_train.shape, x_valid.shape, y_test.shape
    ((10000, 784), (2000, 784), (2000,))
    >>> y_train[:10]
    array([5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
    """
    with resources.files("minigrad.vision").joinpath("digits.npz").open("rb") as file, np.load(file) as stored:
        train, valid, test = (
            (stored[f"x_{name}"].astype(np.float32) / 256, stored[f"y_{name}"].astype(np.int64))
            for name in ("train", "valid", "test")
        )
    return train, valid, test


def load_mnist(
    root: str | os.PathLike[str] | None = None, download: bool = True, progress: bool = True, *,
    urls: Sequence[str] = MNIST_URLS, digest: str = MNIST_DIGEST,
) -> Splits:  # fmt: skip
    """The full MNIST, 50,000 training, 10,000 validation and 10,000 test digits, from the tutorial's `mnist.pkl.gz`.

    Parameters
    ----------
    root : the folder that holds the file; by default what the environment variable MINIGRAD_DATA names, else
        ~/.cache/minigrad.
    download : fetch the file (16 MB) if it is not there.
    progress : show a bar on stderr meanwhile.
    urls : where to look for it, in this order.
    digest : the `content_digest` that its content must have.

    Raises
    ------
    DataError : if the file cannot be had or read, or is not the genuine one; the message says what to do.
    """
    path = data_folder(root) / "mnist.pkl.gz"
    read = partial(read_mnist, digest=digest)
    if download:
        download_once(path, urls, read, progress)
    return read_or_explain(path, read)


def read_mnist(path: Path, digest: str) -> Splits:
    """What the `mnist.pkl.gz` at `path` holds.

    Raises
    ------
    ValueError : if its content is not that with this `content_digest`.
    OSError : if it cannot be read.
    """
    try:
        content = load_arrays(_unpack(path))
    except pickle.UnpicklingError as error:
        raise ValueError(str(error)) from error
    try:
        train, valid, test = ((x.astype(np.float32), y.astype(np.int64)) for x, y in content)
    except (AttributeError, TypeError, ValueError):
        raise ValueError("it does not hold three pairs of arrays") from None
    found = content_digest((train, valid, test))
    if found != digest:
        raise ValueError(f"its content has the digest {found} instead of {digest}")
    return train, valid, test


def _unpack(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            unpacked = file.read(MAX_UNPACKED + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"it is not a whole gzip file ({error})") from error
    if len(unpacked) > MAX_UNPACKED:
        raise ValueError(f"it unpacks to more than {MAX_UNPACKED} bytes")
    return unpacked


def content_digest(splits: Splits) -> str:
    """SHA-256 of each array's shape and little-endian bytes, in order: what the data are, however they were stored.

    Examples
    --------
    >>> content_digest(load_digits())[:16]
    'a0b59876e72f151c'
    """
    sha256 = hashlib.sha256()
    for x, y in splits:
        for array in (x.astype("<f4", copy=False), y.astype("<i8", copy=False)):
            sha256.update(str(array.shape).encode())
            sha256.update(np.ascontiguousarray(array).data)
    return sha256.hexdigest()


class MNIST(OlderNames, VisionDataset):
    """Handwritten digits, 60,000 to train on and 10,000 to test on, as `torchvision.datasets.MNIST`.

    An item is a pair of an image and a target, the class as an int. Where torchvision gives an image of PIL, this gives
    what NumPy would make of it: a uint8 array of shape (28, 28), 0 for background and 255 for ink.

    Parameters
    ----------
    root : str or path
        The files are in its folder ``MNIST/raw``, which torchvision's copy of them may share.
    train : bool
        The training set; else the test set.
    transform, target_transform : callable, optional
        What to make of the image, see `minigrad.vision.transforms`, and of the target.
    download : bool
        Fetch the files that are not there, with a progress bar on stderr.

    Attributes
    ----------
    data : Tensor of (n, 28, 28), uint8
    targets : Tensor of (n,), int64
    classes : list of str

    Raises
    ------
    DataError
        A RuntimeError: if a file cannot be had or read, or is not the genuine one; the message says what to do.
    """

    mirrors: Sequence[str] = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/")
    digests: ClassVar[dict[str, str]] = {  # SHA-256 of what is in each .gz file, since mirrors compress in their own ways
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    }
    classes: ClassVar[list[str]] = [
        "0 - zero", "1 - one", "2 - two", "3 - three", "4 - four",
        "5 - five", "6 - six", "7 - seven", "8 - eight", "9 - nine",
    ]  # fmt: skip

    def __init__(
        self, root: str | os.PathLike[str], train: bool = True, transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None, download: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        prefix = "train" if train else "t10k"
        images, labels = (read_or_explain(path, read) for name, path, read in self._files() if name.startswith(prefix))
        self.data, self.targets = from_numpy(images), from_numpy(labels).long()

    @property
    def raw_folder(self) -> str:
        """Where the files are."""
        return os.path.join(self.root, type(self).__name__, "raw")

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The number of each class by its name."""
        return {name: i for i, name in enumerate(self.classes)}

    def download(self) -> None:
        """Fetch the files that are not there."""
        for name, path, read in self._files():
            download_once(path, [f"{mirror}{name}.gz" for mirror in self.mirrors], read, progress=True)

    def _files(self) -> Iterator[tuple[str, Path, Callable[[Path], NDArray[np.uint8]]]]:
        """Name, place and reader of each of them; torchvision leaves them unpacked, too."""
        for name, digest in self.digests.items():
            packed, unpacked = Path(self.raw_folder, f"{name}.gz"), Path(self.raw_folder, name)
            path = unpacked if unpacked.exists() and not packed.exists() else packed
            yield name, path, partial(read_idx, digest=digest, packed=path is packed)

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._transformed(self.data[index].numpy().copy(), int(self.targets[index]))

    def extra_repr(self) -> str:
        """Which of the two sets it is."""
        return f"Split: {'Train' if self.train else 'Test'}"


class FashionMNIST(MNIST):
    """Pictures of clothes, as many and as large as MNIST's, as `torchvision.datasets.FashionMNIST`; else as `MNIST`."""

    mirrors = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)
    digests: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    }
    classes: ClassVar[list[str]] = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ]  # fmt: skip


class KMNIST(MNIST):
    """Handwritten hiragana, as many and as large as MNIST's digits, as `torchvision.datasets.KMNIST`; else as `MNIST`."""

    mirrors = ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",)
    digests: ClassVar[dict[str, str]] = {  # MD5 of each .gz file, which is what torchvision knows
        "train-images-idx3-ubyte": "bdb82020997e1d708af4cf47b453dcf7",
        "train-labels-idx1-ubyte": "e144d726b3acfaa3e44228e80efcd344",
        "t10k-images-idx3-ubyte": "5c965bf0a639b31b8f53240b1b52f4d7",
        "t10k-labels-idx1-ubyte": "7320c461ea6c1c855c0b718fb2a4b134",
    }
    classes: ClassVar[list[str]] = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]

    def _files(self) -> Iterator[tuple[str, Path, Callable[[Path], NDArray[np.uint8]]]]:
        for name, md5 in self.digests.items():
            path = Path(self.raw_folder, f"{name}.gz")
            yield name, path, partial(_read_packed_idx, md5=md5)


class EMNIST(MNIST):
    """Handwritten letters and digits, images like MNIST's but turned on their side, as `torchvision.datasets.EMNIST`.

    Parameters
    ----------
    root : str or path
        Its folder ``EMNIST/raw`` holds ``gzip.zip`` (560 MB, of all splits), or what torchvision unpacks from it.
    split : "byclass", "bymerge", "balanced", "letters", "digits" or "mnist"
        Which characters, and how many of each.
    train, transform, target_transform, download
        As in `MNIST`.
    """

    mirrors = ("https://biometrics.nist.gov/cs_links/EMNIST/",)
    md5 = "58c8d27c78d21e728a6bc7b3cc06412e"
    splits = ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")
    _all = sorted(string.digits + string.ascii_letters)
    _merged = sorted(set(_all) - set("cijklmopsuvwxyz"))  # of these letters, the two cases look alike
    classes_split_dict: ClassVar[dict[str, list[str]]] = {
        "byclass": _all, "bymerge": _merged, "balanced": _merged,
        "letters": ["N/A", *string.ascii_lowercase], "digits": list(string.digits), "mnist": list(string.digits),
    }  # fmt: skip

    def __init__(self, root: str | os.PathLike[str], split: str, **kwargs: Any) -> None:
        if split not in self.splits:
            raise ValueError(f"Unknown value {split!r} for argument split. Valid values are {', '.join(self.splits)}.")
        self.split = split
        super().__init__(root, **kwargs)
        self.classes = self.classes_split_dict[split]  # type: ignore[misc]

    def download(self) -> None:
        """Fetch the archive, unless it or what was in it is there."""
        verify = partial(check_md5, md5=self.md5)
        for _, path, _ in self._files():
            download_once(path, [f"{mirror}gzip.zip" for mirror in self.mirrors], verify, progress=True)

    def _files(self) -> Iterator[tuple[str, Path, Callable[[Path], NDArray[np.uint8]]]]:
        for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"):
            name = f"emnist-{self.split}-{'train' if self.train else 'test'}-{kind}"
            path = Path(self.raw_folder, name)
            prefix = "train-" if self.train else "t10k-"
            if path.exists():
                yield prefix + kind, path, lambda path: idx(path.read_bytes())
            else:
                yield prefix + kind, Path(self.raw_folder, "gzip.zip"), partial(_read_member, name=f"gzip/{name}.gz", md5=self.md5)


def _read_member(path: Path, name: str, md5: str) -> NDArray[np.uint8]:
    """The array in one file of an archive with this MD5."""
    check_md5(path, md5)
    try:
        with zipfile.ZipFile(path) as archive, archive.open(name) as packed, gzip.open(packed) as file:
            return idx(file.read())
    except (zipfile.BadZipFile, KeyError, EOFError, zlib.error) as error:
        raise ValueError(f"it holds no whole {name} ({error})") from error


def _read_packed_idx(path: Path, md5: str) -> NDArray[np.uint8]:
    """The array in a compressed idx file with this MD5."""
    check_md5(path, md5)
    return idx(_unpack(path))


def read_idx(path: Path, digest: str, packed: bool = True) -> NDArray[np.uint8]:
    """The array of bytes in the idx file at `path`, compressed by gzip or not.

    Raises
    ------
    ValueError : if its content is not that with this SHA-256.
    OSError : if it cannot be read.
    """
    content = _unpack(path) if packed else path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise ValueError(f"its content has the digest {found} instead of {digest}")
    return idx(content)


def idx(content: bytes) -> NDArray[np.uint8]:
    """The array in an idx file.

    The format, from MNIST's own page: two zero bytes, the code of the dtype (8 for uint8), the number of dimensions, their
    sizes as big-endian int32, the elements.
    """
    if content[:3] != b"\0\0\x08" or len(content) < 4 + 4 * content[3]:
        raise ValueError("it is no idx file of bytes")
    sizes = np.frombuffer(content, ">i4", count=content[3], offset=4)
    if len(content) != 4 + sizes.nbytes + math.prod(map(int, sizes)):
        raise ValueError("it is no whole idx file")
    return np.frombuffer(bytearray(content), np.uint8, offset=4 + sizes.nbytes).reshape(sizes)
