"""Handwritten digits as NumPy arrays: a sample that comes with minigrad, and the full MNIST.

Both give ((x_train, y_train), (x_valid, y_valid), (x_test, y_test)), in the data set's own order, which is a shuffled
one. Each x holds flat images, float32 of shape (n, 784), pixels divided by 256 as in the tutorial's file, so in [0, 1);
each y the digits shown, int64 of shape (n,). The arrays are the caller's own, to be turned into tensors:

    x_train, y_train = map(torch.tensor, load_digits()[0])
"""

import gzip
import hashlib
import os
import pickle
import zlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.unpickler import PickledArray, load_arrays
from minigrad.vision.download import DataError, fetch

__all__ = ["DataError", "load_digits", "load_mnist"]

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
    root: str | os.PathLike[str] | None = None,
    download: bool = True,
    progress: bool = True,
    *,
    urls: Sequence[str] = MNIST_URLS,
    digest: str = MNIST_DIGEST,
) -> Splits:
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
    folder = Path(root or os.environ.get("MINIGRAD_DATA") or "~/.cache/minigrad").expanduser()
    path = folder / "mnist.pkl.gz"
    try:
        if not path.exists():
            if not download:
                raise DataError(f"there is no {path}: put it there, or let load_mnist(download=True) fetch it")
            fetch(urls, path, lambda file: read_mnist(file, digest), progress=progress)
        return read_mnist(path, digest)
    except ValueError as error:
        raise DataError(f"{path} is damaged, {error}: delete it, and it will be downloaded again") from error
    except OSError as error:
        raise DataError(
            f"cannot read {path} ({error.strerror or error}): make it readable, "
            "or give another folder, as root= or in MINIGRAD_DATA"
        ) from error


def read_mnist(path: Path, digest: str) -> Splits:
    """What the `mnist.pkl.gz` at `path` holds.

    Raises
    ------
    ValueError : if its content is not that with this `content_digest`.
    OSError : if it cannot be read.
    """
    try:
        train, valid, test = _splits(load_arrays(_unpack(path)))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"it is not a whole gzip file ({error})") from error
    except pickle.UnpicklingError as error:
        raise ValueError(str(error)) from error
    found = content_digest((train, valid, test))
    if found != digest:
        raise ValueError(f"its content has the digest {found} instead of {digest}")
    return train, valid, test


def _unpack(path: Path) -> bytes:
    with gzip.open(path) as file:
        unpacked = file.read(MAX_UNPACKED + 1)
    if len(unpacked) > MAX_UNPACKED:
        raise ValueError(f"it unpacks to more than {MAX_UNPACKED} bytes")
    return unpacked


def _splits(content: Any) -> Splits:
    """Three pairs of arrays, out of the same tuples of `PickledArray`s; ValueError for anything else."""
    if not (_is_tuple(content, 3) and all(_is_tuple(pair, 2) for pair in content)):
        raise ValueError("it does not hold three pairs of arrays")
    if not all(isinstance(item, PickledArray) and hasattr(item, "array") for pair in content for item in pair):
        raise ValueError("it does not hold three pairs of arrays")
    train, valid, test = ((x.array.astype(np.float32), y.array.astype(np.int64)) for x, y in content)
    return train, valid, test


def _is_tuple(value: Any, length: int) -> bool:
    return isinstance(value, tuple) and len(value) == length


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
