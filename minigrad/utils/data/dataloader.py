"""`DataLoader`: iterate over a dataset in batches."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from types import GenericAlias
from typing import TYPE_CHECKING, Any

from minigrad import random
from minigrad.utils.data.collate import default_collate, default_convert
from minigrad.utils.data.dataset import Dataset, IterableDataset
from minigrad.utils.data.fetch import LocalEpoch
from minigrad.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler

if TYPE_CHECKING:
    from minigrad.utils.data.worker import WorkerEpoch

_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class DataLoader:
    """Gives the batches of a dataset, all of them in every ``for`` loop.

    Parameters
    ----------
    dataset : Dataset
        Where the samples come from: something with ``__getitem__`` and ``__len__``, or an `IterableDataset`.
    batch_size : int or None
        The number of samples in a batch. With None, samples come one by one.
    shuffle : bool
        Take the samples in a new random order in each epoch.
    sampler : iterable, optional
        Gives the samples' indices in the order to be used.
    batch_sampler : iterable, optional
        Gives lists of indices, one list per batch.
    num_workers : int
        The number of processes that make batches; 0 makes them in this process. Workers help if a sample takes Python long to
        make. They do not change the order, but they change the random numbers drawn for samples: each worker has its own
        generator, whose seed is a number drawn at the start plus the worker's number.
    collate_fn : callable, optional
        Makes a batch of a list of samples. Default: `default_collate`.
    pin_memory, pin_memory_device : bool, str
        Have no effect without an accelerator, and warn, as in torch.
    drop_last : bool
        Leave out the last batch if it is smaller than the others.
    timeout : float
        How many seconds to wait for a worker at most; 0 means no limit.
    worker_init_fn : callable, optional
        Called first in each worker, with the worker's number; see `get_worker_info`.
    multiprocessing_context : str or context, optional
        How workers start. With "fork", the default on Linux before Python 3.14, they are copies of this process. With "spawn" or
        "forkserver" they unpickle the dataset, which is slower, but safe if this process has threads. (Forking is also safe while
        another thread draws random numbers. While one multiplies matrices, OpenBLAS may hang, unless it runs on one thread.)
    generator : Generator, optional
        The source of random numbers. Default: the default generator, from which an epoch draws one number, or two with `shuffle`.
    prefetch_factor : int, optional
        The number of batches each worker makes in advance. Default: 2.
    persistent_workers : bool
        Keep the workers, and their copies of the dataset, after an epoch.
    in_order : bool
        False: give batches in the order in which workers finish them, so that a slow one delays no other.

    Raises
    ------
    TypeError, ValueError
        If options are out of range, contradict each other, or are meant for workers and there are none.
    NotImplementedError
        For workers on Windows.
    AssertionError
        During iteration, as in torch: for a `timeout` without workers, and for ``prefetch_factor=0``.
    RuntimeError
        During iteration, if a worker died or timed out. An error in a worker is raised here, with its traceback.

    Examples
    --------
    >>> import minigrad as torch
    >>> from minigrad.utils.data import TensorDataset
    >>> for x, y in DataLoader(TensorDataset(torch.arange(5), torch.arange(5) ** 2), batch_size=3):
    ...     print(x, y)
    tensor([0, 1, 2]) tensor([0, 1, 4])
    tensor([3, 4]) tensor([ 9, 16])
    """

    __class_getitem__: Any = classmethod(GenericAlias)

    def __init__(
        self, dataset: Dataset[Any], batch_size: int | None = 1, shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None, batch_sampler: Iterable[Any] | None = None, num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None, pin_memory: bool = False, drop_last: bool = False, timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None, multiprocessing_context: Any = None,
        generator: random.Generator | None = None, *, prefetch_factor: int | None = None, persistent_workers: bool = False,
        pin_memory_device: str = "", in_order: bool = True,
    ) -> None:  # fmt: skip
        stream = isinstance(dataset, IterableDataset)
        if stream:
            for name, value in {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}.items():
                if value is not None:
                    raise ValueError(f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}")
        for message, wrong in {
            "num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.": num_workers < 0,
            "timeout option should be non-negative": timeout < 0,
            "prefetch_factor option needs num_workers > 0": prefetch_factor is not None and num_workers == 0,
            "prefetch_factor option should be non-negative": prefetch_factor is not None and prefetch_factor < 0,
            "persistent_workers option needs num_workers > 0": persistent_workers and num_workers == 0,
            "sampler option is mutually exclusive with shuffle": sampler is not None and shuffle,
            "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last": (
                batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last)
            ),
            "batch_size=None option disables auto-batching and is mutually exclusive with drop_last": (
                batch_size is None and drop_last
            ),
        }.items():
            if wrong:
                raise ValueError(message)
        if num_workers > 0 and not hasattr(os, "pwrite"):
            raise NotImplementedError(f"DataLoader: num_workers={num_workers} is not supported on {sys.platform}, use 0")

        if sampler is None and stream:
            sampler = repeat(None)
        elif sampler is None:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)  # type: ignore[arg-type]
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.sampler, self.batch_sampler, self.generator = sampler, batch_sampler, generator
        self.collate_fn = collate_fn or (default_convert if batch_sampler is None else default_collate)
        self.num_workers, self.worker_init_fn, self.timeout = num_workers, worker_init_fn, timeout
        self.prefetch_factor = 2 if prefetch_factor is None and num_workers > 0 else prefetch_factor
        self.persistent_workers, self.in_order = persistent_workers, in_order
        self.multiprocessing_context = multiprocessing_context
        self.pin_memory, self.pin_memory_device = pin_memory, pin_memory_device
        self.stated_length: int | None = None  # the length that a stream gave when it was asked
        self._epoch: WorkerEpoch | None = None  # the epoch whose workers are kept
        _warn_of_many(num_workers)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED and name in self.__dict__:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        if name == "multiprocessing_context":
            value = _context(value, self.num_workers)
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        if self.pin_memory:
            if self.pin_memory_device:
                warnings.warn(f"pin_memory_device is deprecated, ignore {self.pin_memory_device!r}", stacklevel=2)
            text = "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't be used."
            warnings.warn(text, stacklevel=2)
        if self.num_workers == 0:
            return LocalEpoch(self)
        if self._epoch is not None and self._epoch.stop.alive:
            self._epoch.begin(self)
            return self._epoch
        _warn_of_many(self.num_workers)
        from minigrad.utils.data.worker import WorkerEpoch  # loads multiprocessing, which few programs need

        epoch = WorkerEpoch(self)
        self._epoch = epoch if self.persistent_workers else None
        return epoch

    @property
    def _index_sampler(self) -> Iterable[Any]:
        """Gives the indices: of single samples, or of whole batches."""
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            return len(self._index_sampler)  # type: ignore[arg-type]
        self.stated_length = n = len(self.dataset)  # type: ignore[arg-type]
        return n if self.batch_size is None else n // self.batch_size if self.drop_last else -(-n // self.batch_size)


def _context(method: Any, num_workers: int) -> Any:
    """The context that `multiprocessing_context` stands for."""
    if method is None:
        return None
    if num_workers == 0:
        raise ValueError(f"multiprocessing_context option needs num_workers > 0, but got {method!r} with num_workers=0")
    import multiprocessing
    from multiprocessing.context import BaseContext

    methods = multiprocessing.get_all_start_methods()
    if method in methods:
        return multiprocessing.get_context(method)
    if isinstance(method, BaseContext):
        return method
    error = ValueError if isinstance(method, str) else TypeError
    raise error(f"multiprocessing_context option should specify a valid start method in {methods} or be a context, got {method!r}")


def _warn_of_many(workers: int) -> None:
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if workers > count:
        text = f"This DataLoader will create {workers} worker processes in total. Our suggested max number of worker in current "
        warnings.warn(f"{text}system is {count}; more of them are hardly faster, and may be slower.", stacklevel=3)
