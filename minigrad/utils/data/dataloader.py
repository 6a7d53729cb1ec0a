"""`DataLoader`: iterate over a dataset in batches."""

from __future__ import annotations

import multiprocessing
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice, repeat
from multiprocessing.context import BaseContext
from typing import Any

import numpy as np

from minigrad import random
from minigrad.utils.data.collate import default_collate, default_convert
from minigrad.utils.data.dataset import Dataset, IterableDataset, gatherer
from minigrad.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler
from minigrad.utils.data.worker import WorkerBatches

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
        How many other processes make the batches; with 0 it happens in this one. Workers pay for samples that take
        Python long to make. The order is the same; random numbers drawn for samples are not, since each worker has
        its own: seeded with one that is drawn at the beginning, plus its number.
    collate_fn : callable, optional
        From a list of samples to a batch. Default: `default_collate`.
    pin_memory : bool
        Without an accelerator there is nothing to pin for: a warning, as in torch.
    drop_last : bool
        Leave out the last batch if it is smaller.
    timeout : float
        The most seconds to wait for a worker; 0 for no limit.
    worker_init_fn : callable, optional
        Called in each worker at first, with its number; see `get_worker_info`.
    multiprocessing_context : str or context, optional
        How workers start: with "fork", the default on Linux before Python 3.14, as copies of this process; with "spawn"
        or "forkserver" from a pickle of the dataset, slower, but safe if this process has threads.
    generator : Generator, optional
        Where to draw from. Default: the default generator; an epoch draws one number from it, two with `shuffle`.

    prefetch_factor : int, optional
        How many batches each worker makes in advance. Default: 2.
    persistent_workers : bool
        Keep the workers, and their copies of the dataset, after an epoch.
    in_order : bool
        Without workers it makes no difference.

    Raises
    ------
    TypeError, ValueError
        If options are out of range or contradict each other, or if they are for workers and there are none.
    NotImplementedError
        For workers with ``in_order=False``, or on Windows; for `pin_memory_device`.
    RuntimeError
        While iterating: if a worker died, or timed out. What a worker raises is raised here, with its traceback.

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
            num_workers,
            in_order,
            timeout=timeout,
            prefetch_factor=prefetch_factor,
            persistent_workers=persistent_workers,
            multiprocessing_context=multiprocessing_context,
        )
        if pin_memory_device:
            raise NotImplementedError(f"DataLoader: pin_memory_device={pin_memory_device!r} is not supported, use the CPU")
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
        self.num_workers, self.timeout = num_workers, timeout
        self.prefetch_factor = 2 if prefetch_factor is None and num_workers > 0 else prefetch_factor
        self.pin_memory, self.pin_memory_device, self.in_order = pin_memory, pin_memory_device, in_order
        self.collate_fn, self.worker_init_fn, self.generator = collate_fn, worker_init_fn, generator
        self.multiprocessing_context = _context(multiprocessing_context)
        self._workers: WorkerBatches | None = None  # those that stay

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
        if self.num_workers == 0:
            return _Batches(self)
        if self._workers is not None and self._workers.stop.alive:
            self._workers.new_epoch()
            return self._workers
        batches = WorkerBatches(self, self._index_sampler, self._fetch)
        self._workers = batches if self.persistent_workers else None
        return batches

    @property
    def _index_sampler(self) -> Iterable[Any]:
        """What gives the numbers, of single samples or of whole batches."""
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    @property
    def _fetch(self) -> Callable[[], Fetch]:
        return partial(Fetch, self.dataset, self.collate_fn, self.batch_sampler is not None, self.drop_last)

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            return len(self._index_sampler)  # type: ignore[arg-type]
        n = len(self.dataset)  # type: ignore[arg-type]
        return n if self.batch_size is None else n // self.batch_size if self.drop_last else -(-n // self.batch_size)


class _Batches:
    """One epoch, in this process."""

    def __init__(self, loader: DataLoader) -> None:
        sampler: Any = loader._index_sampler
        self.indices = iter(sampler)
        random.random_full((), generator=loader.generator)  # torch's seed for the workers, drawn even if there are none
        self.fetch = loader._fetch()
        if self.fetch.gather is not None and type(sampler).__iter__ is BatchSampler.__iter__:
            self.indices = sampler.arrays()

    def __iter__(self) -> _Batches:
        return self

    def __next__(self) -> Any:
        return self.fetch(next(self.indices))


class Fetch:
    """From the number of a sample, or a list of them, to a batch: what workers do, if there are any."""

    def __init__(self, dataset: Any, collate: Callable[[Any], Any], batched: bool, drop_last: bool) -> None:
        self.dataset, self.collate, self.batched, self.drop_last = dataset, collate, batched, drop_last
        self.gather = gatherer(dataset) if collate is default_collate else None
        self.stream: Any = iter(dataset) if isinstance(dataset, IterableDataset) else None

    def __call__(self, index: Any) -> Any:
        """Make the batch."""
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


def _check_workers(num_workers: int, in_order: bool, **options: Any) -> None:
    if num_workers < 0:
        raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
    if options["timeout"] < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers > 0:
        if not hasattr(os, "pwrite"):
            raise NotImplementedError(f"DataLoader: num_workers={num_workers} is not supported on {sys.platform}, use 0")
        if not in_order:
            raise NotImplementedError(f"DataLoader: in_order={in_order} is not supported, batches come in order")
        if (factor := options["prefetch_factor"]) is not None and factor <= 0:
            raise ValueError(f"prefetch_factor option should be non-negative, and not 0, but got {factor}")
        return
    for name, value in options.items():
        if value:
            raise ValueError(f"{name} option needs workers (num_workers > 0), but got {name}={value} without")


def _context(method: Any) -> Any:
    methods = multiprocessing.get_all_start_methods()
    if isinstance(method, str):
        if method not in methods:
            raise ValueError(
                f"multiprocessing_context option should specify a valid start method in {methods}, but got {method!r}"
            )
        return multiprocessing.get_context(method)
    if not isinstance(method, BaseContext | None):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string specifying the start method, "
            f"but got {method!r}"
        )
    return method
