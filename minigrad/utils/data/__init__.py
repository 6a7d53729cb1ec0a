"""From samples to batches: a *dataset* has the samples, a *sampler* says in which order, the *loader* makes batches.

The random numbers are torch's: the same `manual_seed` gives the same batches, epoch after epoch.
"""

# Names in paragraphs, not one a line:
# isort: off
# fmt: off
from typing import TYPE_CHECKING

from minigrad.lazy import on_first_use as _on_first_use
from minigrad.utils.data.collate import default_collate, default_convert
from minigrad.utils.data.dataloader import DataLoader
from minigrad.utils.data.dataset import (
    ChainDataset, ConcatDataset, Dataset, IterableDataset, StackDataset, Subset, TensorDataset, random_split,
)
from minigrad.utils.data.sampler import (
    BatchSampler, RandomSampler, Sampler, SequentialSampler, SubsetRandomSampler, WeightedRandomSampler,
)

if TYPE_CHECKING:
    from minigrad.utils.data import distributed
    from minigrad.utils.data.distributed import DistributedSampler
    from minigrad.utils.data.worker import get_worker_info
else:
    __getattr__, __dir__ = _on_first_use(
        __name__, DistributedSampler="minigrad.utils.data.distributed", distributed="minigrad.utils.data.distributed",
        get_worker_info="minigrad.utils.data.worker",
    )
