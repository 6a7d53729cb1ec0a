"""`DataLoader`: iterate over a dataset in batches."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, repeat
from typing import Any

import numpy as np

from minigrad import random
from minigrad.utils.data.collate import default_collate, default_convert
from minigrad.utils.data.dataset import Dataset, IterableDataset, gatherer
from minigrad.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler

_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class DataLoader:
    """Batches of a dataset, anew in each ``for`` loop.

    Parameters
    ----------
    dataset : Dataset
        Where the samples come from: something with ``__getitem__`` and ``__len__``, or an `IterableDataset`.
    batch_size : int or None
        How many samples make a batch; with None they come one by one.
    shuffle : bool
        Another random order in each epoch.
    sampler : iterable, optional
        Gives the numbers of the samples in the order wanted.
    batch_sampler : iterable, optional
        Gives lists of them, one per batch.
    num_workers : int
        0: everything happens in this process.
    collate_fn : callable, optional
        From a list of samples to a batch. Default: `default_collate`.
    pin_memory : bool
        Without an accelerator there is nothing to pin for: a warning, as in torch.
    drop_last : bool
        Leave out the last batch if it is smaller.
    timeout, prefetch_factor, persistent_workers, multiprocessing_context
        For workers only. `worker_init_fn` and `in_order` make no difference without them.
    generator : Generator, optional
        Where to draw from. Default: the default generator; an epoch draws one number from it, two with `shuffle`.

    Raises
    ------
    ValueError
        If options are out of range or contradict each other.
    NotImplementedError
        For workers.

    Examples
    --------
    >>> import minigrad as torch
    >>> from minigrad.utils.data import TensorDataset
    >>> for x, y in DataLoader(TensorDataset(torch.arange(5), torch.arange(5) ** 2), batch_size=3):
    ...     print(x, y)
    tensor([0, 1, 2]) tensor([0, 1, 4])
    tensor([3, 4]) tensor([ 9, 16])
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: random.Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(
            num_workers, timeout, prefetch_factor, persistent_workers, multiprocessing_context, pin_memory_device
        )
        iterable = isinstance(dataset, IterableDataset)
        if iterable:
            for name, value in {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}.items():
                if value is not None:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                    )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")

        if sampler is None:
            sampler = repeat(None) if iterable else _sampler(dataset, bool(shuffle), generator)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.sampler, self.batch_sampler, self.persistent_workers = sampler, batch_sampler, persistent_workers
        self.num_workers, self.prefetch_factor, self.timeout = num_workers, prefetch_factor, timeout
        self.pin_memory, self.pin_memory_device, self.in_order = pin_memory, pin_memory_device, in_order
        self.collate_fn, self.worker_init_fn, self.generator = collate_fn, worker_init_fn, generator
        self.multiprocessing_context = multiprocessing_context

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED and name in self.__dict__:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        if self.pin_memory:
            warnings.warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory "
                "won't be used.",
                stacklevel=2,
            )
        return _Batches(self)

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]
        n = len(self.dataset)  # type: ignore[arg-type]
        return n if self.batch_size is None else n // self.batch_size if self.drop_last else -(-n // self.batch_size)


class _Batches:
    """One epoch, in this process."""

    def __init__(self, loader: DataLoader) -> None:
        self.dataset: Any = loader.dataset
        self.collate = loader.collate_fn
        self.batched, self.drop_last = loader.batch_sampler is not None, loader.drop_last
        self.gather = gatherer(self.dataset) if self.collate is default_collate else None
        sampler: Any = loader.batch_sampler if self.batched else loader.sampler
        if self.gather is not None and type(sampler).__iter__ is BatchSampler.__iter__:
            self.indices = sampler.arrays()
        else:
            self.indices = iter(sampler)
        random.random_full((), generator=loader.generator)  # torch's seed for the workers, drawn even if there are none
        self.stream: Any = iter(self.dataset) if isinstance(self.dataset, IterableDataset) else None

    def __iter__(self) -> _Batches:
        return self

    def __next__(self) -> Any:
        index = next(self.indices)
        if self.gather is not None and _are_numbers(index):
            return self.gather(index)
        return self.collate(self._samples(index))

    def _samples(self, index: Any) -> Any:
        """One sample, or the samples of one batch."""
        if self.stream is not None:
            return next(self.stream) if not self.batched else self._following(len(index))
        if not self.batched:
            return self.dataset[index]
        if getattr(self.dataset, "__getitems__", None):
            return self.dataset.__getitems__(index)
        return [self.dataset[i] for i in index]

    def _following(self, count: int) -> list[Any]:
        """The next samples of the stream; fewer if it ends."""
        samples = list(islice(self.stream, count))
        if not samples or (self.drop_last and len(samples) < count):
            raise StopIteration
        return samples


def _sampler(dataset: Any, shuffle: bool, generator: random.Generator | None) -> Iterable[int]:
    return RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)


def _are_numbers(index: Any) -> bool:
    if isinstance(index, np.ndarray):
        return bool(index.dtype.kind == "i")
    return isinstance(index, list) and len(index) > 0 and all(type(i) is int for i in index)


def _check_workers(
    num_workers: int,
    timeout: float,
    prefetch_factor: int | None,
    persistent_workers: bool,
    context: Any,
    pin_memory_device: str,
) -> None:
    if num_workers < 0:
        raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
    if num_workers > 0:
        raise NotImplementedError(f"DataLoader: num_workers={num_workers} is not supported, use num_workers=0")
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    for name, value, default in [
        ("timeout", timeout, 0),
        ("prefetch_factor", prefetch_factor, None),
        ("multiprocessing_context", context, None),
        ("persistent_workers", persistent_workers, False),
    ]:
        if value != default:
            raise ValueError(f"{name} option needs workers (num_workers > 0), but got {name}={value} without")
    if pin_memory_device:
        raise NotImplementedError(f"DataLoader: pin_memory_device={pin_memory_device!r} is not supported, use the CPU")
