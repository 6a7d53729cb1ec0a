"""Makes batches from the indices of samples, in this process. Workers do the same in theirs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from minigrad import random
from minigrad.utils.data.collate import default_collate
from minigrad.utils.data.dataset import IterableDataset, gatherer, samples

if TYPE_CHECKING:
    from minigrad.utils.data.dataloader import DataLoader


class Fetch:
    """Makes a batch from the index of a sample, or from a list of indices."""

    def __init__(self, dataset: Any, collate: Callable[[Any], Any], batched: bool, drop_last: bool) -> None:
        self.dataset, self.collate, self.batched, self.drop_last = dataset, collate, batched, drop_last
        self.gather = gatherer(dataset) if collate is default_collate else None
        self.stream: Any = iter(dataset) if isinstance(dataset, IterableDataset) else None

    def __call__(self, index: Any) -> Any:
        """Make the batch."""
        if self.gather is not None and type(index) is list and set(map(type, index)) == {int}:
            return self.gather(index)
        if self.stream is not None:
            return self.collate(self._following(len(index)) if self.batched else next(self.stream))
        return self.collate(samples(self.dataset, index) if self.batched else self.dataset[index])

    def _following(self, count: int) -> list[Any]:
        """The next samples of the stream; fewer if it ends."""
        following = list(islice(self.stream, count))
        if not following or (self.drop_last and len(following) < count):
            raise StopIteration
        return following


class Epoch(Iterator[Any]):
    """The batches of one ``for`` loop. A subclass defines `next_batch`."""

    def __init__(self, loader: DataLoader) -> None:
        self.sampler, self.dataset = loader._index_sampler, loader.dataset
        self.make_fetch = partial(Fetch, loader.dataset, loader.collate_fn, loader.batch_sampler is not None, loader.drop_last)
        self.reset(loader)
        self.seed = int(random.random_full((), generator=loader.generator))  # the workers', drawn even if there are none

    def reset(self, loader: DataLoader) -> None:
        """Start again, in a new order."""
        self.indices = iter(self.sampler)
        self.given, self.stated = 0, loader.stated_length

    def next_batch(self) -> Any:
        """Give the next batch, or raise StopIteration."""
        raise NotImplementedError

    def __next__(self) -> Any:
        batch = self.next_batch()
        self.given += 1
        if self.stated is not None and self.given > self.stated:
            warnings.warn(f"Length of IterableDataset {self.dataset} was reported to be {self.stated} (when accessing "
                          f"len(dataloader)), but {self.given} samples have been fetched; with num_workers > 0 each worker gives "
                          "all of them, unless the dataset looks at get_worker_info()", stacklevel=2)
        return batch

    def __len__(self) -> int:
        return len(self.sampler)  # type: ignore[arg-type]


class LocalEpoch(Epoch):
    """Batches made in this process."""

    def __init__(self, loader: DataLoader) -> None:
        super().__init__(loader)
        if loader.timeout:
            raise AssertionError(f"timeout option needs num_workers > 0, but got timeout={loader.timeout} with 0")
        self.fetch = self.make_fetch()

    def next_batch(self) -> Any:
        """Make the next batch."""
        return self.fetch(next(self.indices))
