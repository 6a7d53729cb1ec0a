"""Samplers choose the order of a dataset's samples, and how they form batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import chain, islice, repeat
from typing import Any, Generic, TypeVar

from minigrad import random
from minigrad.arrays.dtypes import float64
from minigrad.random import Stream
from minigrad.tensors.creation import as_tensor

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """The base class. A subclass defines ``__iter__``, which gives the indices of samples, and usually ``__len__``."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__, as a subclass of Sampler should")


class SequentialSampler(Sampler[int]):
    """All samples, in order.

    Parameters
    ----------
    data_source : Sized
        The dataset.
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Samples in random order.

    Without a generator, each epoch makes its own, with a seed from the default generator. So the order does not depend on what is
    drawn between batches.

    Parameters
    ----------
    data_source : Sized
        The dataset.
    replacement : bool
        Draw every sample from the whole dataset, instead of shuffling it.
    num_samples : int, optional
        How many to draw. Default: the length of the dataset.
    generator : Generator, optional
        The source of random numbers.

    Raises
    ------
    TypeError, ValueError
        If `replacement` is no bool, or the number of samples not positive (or the dataset empty).
    """

    def __init__(
        self, data_source: Sized, replacement: bool = False, num_samples: int | None = None, generator: Stream = None
    ) -> None:
        self.data_source, self.replacement = data_source, replacement
        self._num_samples, self.generator = num_samples, generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={self.num_samples}")

    @property
    def num_samples(self) -> int:
        """How many samples an epoch has."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(self._blocks())

    def _blocks(self) -> Iterator[list[int]]:
        """The numbers of one epoch, in lists, each drawn when it is asked for.

        The last one may be empty: torch, too, draws a permutation of which it then takes nothing.
        """
        n, generator = len(self.data_source), self.generator
        if generator is None:
            generator = random.Generator().manual_seed(int(random.random_full(())))
        size = 32 if self.replacement else n
        for length in chain(repeat(size, self.num_samples // size), [self.num_samples % size]):
            if self.replacement:
                yield random.randint(0, n, (length,), generator=generator).tolist()
            else:
                yield random.randperm(n, generator)[:length].tolist()

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[Any]):
    """The given samples, in random order.

    Parameters
    ----------
    indices : sequence
        Their numbers.
    generator : Generator, optional
        Where to draw from; the default generator otherwise.
    """

    def __init__(self, indices: Sequence[Any], generator: Stream = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[Any]:
        for i in random.randperm(len(self.indices), self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Samples drawn with given probabilities.

    Parameters
    ----------
    weights : sequence of float
        One number per sample, proportional to its probability.
    num_samples : int
        How many to draw.
    replacement : bool
        Whether a sample can be drawn again.
    generator : Generator, optional
        Where to draw from; the default generator otherwise.

    Raises
    ------
    ValueError
        If `num_samples` is no positive integer, `replacement` no bool, or `weights` not one-dimensional.
    """

    def __init__(
        self, weights: Sequence[float], num_samples: int, replacement: bool = True, generator: Stream = None
    ) -> None:
        _check("num_samples", num_samples, "replacement", replacement)
        self.weights = as_tensor(weights, dtype=float64)
        if self.weights.ndim != 1:
            raise ValueError(f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}")
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        yield from random.multinomial(self.weights.array, self.num_samples, self.replacement, self.generator).tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """What another sampler gives, in lists of `batch_size`.

    Parameters
    ----------
    sampler : iterable
        Gives the numbers of samples.
    batch_size : int
        How many make a batch.
    drop_last : bool
        Leave out the last batch if it is smaller.

    Raises
    ------
    ValueError
        If `batch_size` is no positive integer, or `drop_last` no bool.

    Examples
    --------
    >>> list(BatchSampler(SequentialSampler(range(5)), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool) -> None:
        _check("batch_size", batch_size, "drop_last", drop_last)
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        numbers = iter(self.sampler)
        while batch := list(islice(numbers, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


def _check(count: str, number: object, choice: str, flag: object) -> None:
    """Refuse a number of samples that is none, and a flag that is none."""
    if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
        raise ValueError(f"{count} should be a positive integer value, but got {count}={number}")
    if not isinstance(flag, bool):
        raise ValueError(f"{choice} should be a boolean value, but got {choice}={flag}")
