"""`DistributedSampler`: for each rank its part of the samples."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import Any

from minigrad import distributed, random
from minigrad.utils.data.sampler import Sampler, T_co


class DistributedSampler(Sampler[T_co]):
    """Every `num_replicas`-th sample, beginning with number `rank`; the ranks together see each sample once an epoch.

    Parameters
    ----------
    dataset : Sized
        The same on all ranks.
    num_replicas, rank : int, optional
        How many ranks there are, and which this is. Default: those of `minigrad.distributed`.
    shuffle : bool
        Shuffle first, with a seed that is `seed` plus the number of the epoch; see `set_epoch`.
    seed : int
        The same on all ranks.
    drop_last : bool
        Where the samples do not divide among the ranks, leave out the last ones; otherwise the first ones come once more.

    Raises
    ------
    ValueError
        If the rank is not one of 0 to ``num_replicas - 1``, or must be asked for and no process group is initialized.

    Examples
    --------
    >>> list(DistributedSampler(range(7), num_replicas=2, rank=1, shuffle=False))
    [1, 3, 5, 0]
    """

    def __init__(
        self, dataset: Sized, num_replicas: int | None = None, rank: int | None = None, shuffle: bool = True, seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        self.dataset, self.shuffle, self.seed, self.drop_last, self.epoch = dataset, shuffle, seed, drop_last, 0
        self.num_replicas = distributed.get_world_size() if num_replicas is None else num_replicas
        self.rank = distributed.get_rank() if rank is None else rank
        if not 0 <= self.rank < self.num_replicas:
            raise ValueError(f"Invalid rank {self.rank}, rank should be in the interval [0, {self.num_replicas - 1}]")
        n: Any = len(dataset)
        self.num_samples = n // self.num_replicas if drop_last else -(-n // self.num_replicas)
        self.total_size = self.num_samples * self.num_replicas

    def __iter__(self) -> Iterator[T_co]:
        n = len(self.dataset)
        order: list[Any] = list(range(n))
        if self.shuffle:
            order = random.randperm(n, random.Generator().manual_seed(self.seed + self.epoch)).tolist()
        if not self.drop_last and order:  # from the beginning again, as often as needed
            order *= -(-self.total_size // n)
        return iter(order[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Name the epoch that begins, so that each has an order of its own."""
        self.epoch = epoch
