"""Datasets. Some have a length, and samples that you can ask for by index; others you can only iterate over."""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import Any, Generic, TypeVar

import numpy as np

from minigrad import random
from minigrad.autograd import TensorBase, wrap
from minigrad.random import Stream
from minigrad.tensors.tensor import Tensor

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """A dataset whose samples have indices. Subclasses define ``__getitem__`` and ``__len__``.

    If several samples at once are faster to get, a subclass may also define ``__getitems__(indices)``, which returns a list.
    ``a + b`` puts one dataset after the other.
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} does not define __getitem__, as a subclass of Dataset should")

    def __add__(self, other: Dataset[Any]) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """A dataset whose samples come one after the other, from a stream for example. Subclasses define ``__iter__``."""

    def __add__(self, other: Dataset[Any]) -> ChainDataset:  # type: ignore[override]
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors side by side: sample i is the tuple of their i-th elements, ``ds[2:5]`` the tuple of their slices.

    Parameters
    ----------
    *tensors : Tensor
        At least one, all of the same length.

    Raises
    ------
    AssertionError
        If their lengths differ.

    Examples
    --------
    >>> import minigrad as torch
    >>> ds = TensorDataset(torch.tensor([0.5, 1.5, 2.5]), torch.tensor([0, 1, 2]))
    >>> ds[1]
    (tensor(1.5000), tensor(1))
    >>> ds[1:]
    (tensor([1.5000, 2.5000]), tensor([1, 2]))
    """

    def __init__(self, *tensors: Tensor) -> None:
        if not all(isinstance(t, TensorBase) for t in tensors):
            given = ", ".join(type(t).__name__ for t in tensors)
            raise TypeError(f"TensorDataset expects tensors, got {given}; make them with torch.tensor(...)")
        lengths = [t.size(0) for t in tensors]
        if len(set(lengths)) > 1:
            raise AssertionError(f"Size mismatch between tensors: their lengths are {lengths}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class ConcatDataset(Dataset[Any]):
    """One dataset after the other.

    Parameters
    ----------
    datasets : iterable of Dataset
        At least one; each with a length.

    Raises
    ------
    AssertionError
        If there is none, or one is an `IterableDataset`.
    """

    def __init__(self, datasets: Iterable[Dataset[Any]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(accumulate(len(d) for d in self.datasets))  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> Any:
        if index < 0:
            if -index > len(self):
                raise ValueError(f"absolute value of index should not exceed dataset length {len(self)}, got {index}")
            index += len(self)
        which = bisect_right(self.cumulative_sizes, index)
        if which == len(self.datasets):
            raise IndexError(f"index {index} is out of range for a ConcatDataset of length {len(self)}")
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


class ChainDataset(IterableDataset[Any]):
    """One stream after the other.

    Parameters
    ----------
    datasets : iterable of IterableDataset
        If it can be iterated over only once, so can the chain.

    Raises
    ------
    AssertionError
        While iterating: if one is no `IterableDataset`.
    """

    def __init__(self, datasets: Iterable[Dataset[Any]]) -> None:
        self.datasets = datasets

    def _streams(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError(f"ChainDataset only supports IterableDataset, got {type(dataset).__name__}")
            yield dataset

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self._streams())

    def __len__(self) -> int:
        return sum(map(len, self._streams()))


class StackDataset(Dataset[Any]):
    """Datasets side by side: a sample is the tuple of their samples, or the dict, if the datasets have names.

    Parameters
    ----------
    *args, **kwargs : Dataset
        At least one, all of the same length; either all with names or all without.

    Raises
    ------
    ValueError
        If there is none, or some have names and others have not, or their lengths differ.

    Examples
    --------
    >>> StackDataset(letter="abc", number=range(3))[1]
    {'letter': 'b', 'number': 1}
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError("Supported either tuple- (via args) or dict- (via kwargs) like input/output, but both are given")
        if not args and not kwargs:
            raise ValueError("At least one dataset should be passed")
        self.datasets: Any = args or kwargs
        lengths = [len(dataset) for dataset in self._columns()]
        if len(set(lengths)) > 1:
            raise ValueError(f"Size mismatch between datasets: their lengths are {lengths}")

    def _columns(self) -> Sequence[Any]:
        return self.datasets if isinstance(self.datasets, tuple) else list(self.datasets.values())

    def _sample(self, parts: Iterable[Any]) -> Any:
        return tuple(parts) if isinstance(self.datasets, tuple) else dict(zip(self.datasets, parts, strict=True))

    def __getitem__(self, index: Any) -> Any:
        return self._sample(dataset[index] for dataset in self._columns())

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """Several samples, fetched together if the datasets allow it."""
        columns = [samples(dataset, indices) for dataset in self._columns()]
        for column in columns:
            if len(column) != len(indices):
                raise ValueError(f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(column)}")
        return [self._sample(parts) for parts in zip(*columns, strict=True)]

    def __len__(self) -> int:
        return len(self._columns()[0])


class Subset(Dataset[T_co]):
    """Some samples of a dataset.

    Parameters
    ----------
    dataset : Dataset
        The whole dataset.
    indices : sequence of int
        The numbers of the samples, in the order wanted.

    Raises
    ------
    NotImplementedError
        If a subclass says what a sample is, but not what several are.
    """

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        kind = type(self)
        if kind.__getitem__ is not Subset.__getitem__ and kind.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(f"{kind.__name__} overrides __getitem__ but not __getitems__, from which batches are made")
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> T_co:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: Sequence[int]) -> list[T_co]:
        """Several samples, fetched together if the dataset allows it."""
        return samples(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Dataset[T_co], lengths: Sequence[float], generator: Stream = None) -> list[Subset[T_co]]:
    """Split a dataset into random parts.

    Parameters
    ----------
    dataset : Dataset
        The whole.
    lengths : sequence of int, or of float
        How many samples each part gets; or the share of each, from 0 to 1, adding up to 1. What rounding down leaves
        over goes, one sample each, to the first parts.
    generator : Generator, optional
        Where to draw from; the default generator otherwise.

    Raises
    ------
    ValueError
        If the lengths do not add up to the length of the dataset, or a share is not between 0 and 1.

    Examples
    --------
    >>> [len(part) for part in random_split(range(10), [0.75, 0.25])]
    [8, 2]
    """
    size = len(dataset)  # type: ignore[arg-type]
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        for i, share in enumerate(lengths):
            if not 0 <= share <= 1:
                raise ValueError(f"Fraction at index {i} is not between 0 and 1, but {share}")
        counts = [math.floor(size * share) for share in lengths]
        left_over = size - sum(counts)
        counts = [n + (i < left_over) for i, n in enumerate(counts)]
        for i, n in enumerate(counts):
            if n == 0:
                warnings.warn(f"Length of split at index {i} is 0. This might result in an empty dataset.", stacklevel=2)
    else:
        counts = list(lengths)  # type: ignore[arg-type]
    if sum(counts) != size:
        raise ValueError("Sum of input lengths does not equal the length of the input dataset! "
                         f"{counts} add up to {sum(counts)}, not to {size}")
    places = random.randperm(size, generator).tolist()
    return [Subset(dataset, places[end - n : end]) for end, n in zip(accumulate(counts), counts, strict=True)]


def samples(dataset: Any, indices: Sequence[Any]) -> list[Any]:
    """Several samples, by ``__getitems__`` if the dataset has it."""
    at_once = getattr(dataset, "__getitems__", None)
    return at_once(indices) if at_once else [dataset[i] for i in indices]


def _rows(arrays: list[Any], places: np.ndarray[Any, Any]) -> list[Tensor]:
    return [wrap(array.take(places, 0)) for array in arrays]


def gatherer(dataset: Any) -> Callable[[Sequence[int]], list[Tensor]] | None:
    """A function from a list of sample numbers to the whole batch, if `dataset` consists of tensors; otherwise None.

    It gives what collating the samples one by one would give, by one gather per tensor: an epoch of 50,000 digits in
    batches of 64 takes 0.02 s instead of 0.5 s. A subclass with samples of its own goes the slow way, and so do tensors
    whose use is recorded.
    """
    if isinstance(dataset, TensorDataset):
        own = type(dataset).__getitem__ is not TensorDataset.__getitem__ or hasattr(dataset, "__getitems__")
        if own or any(t.requires_grad for t in dataset.tensors):
            return None
        arrays = [t.array for t in dataset.tensors]
        return lambda places: _rows(arrays, np.asarray(places))
    if isinstance(dataset, Subset) and type(dataset).__getitems__ is Subset.__getitems__:
        inner, indices = gatherer(dataset.dataset), np.asarray(dataset.indices)
        if inner is not None and indices.dtype.kind == "i" and indices.ndim == 1:
            return lambda places: inner(indices[places])  # type: ignore[arg-type]
    return None
