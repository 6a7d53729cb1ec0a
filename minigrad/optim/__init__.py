"""Optimisers move parameters along their gradients. `Optimizer` has what they share, and `SGD` is the simplest.

The schedulers in `lr_scheduler` change their learning rates during training.
"""

from typing import TYPE_CHECKING

from minigrad.lazy import on_first_use as _on_first_use
from minigrad.optim import lr_scheduler
from minigrad.optim.adadelta import Adadelta
from minigrad.optim.adagrad import Adagrad
from minigrad.optim.adam import Adam, AdamW
from minigrad.optim.adamax import Adamax
from minigrad.optim.asgd import ASGD
from minigrad.optim.lbfgs import LBFGS
from minigrad.optim.nadam import NAdam
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.radam import RAdam
from minigrad.optim.rmsprop import RMSprop
from minigrad.optim.rprop import Rprop
from minigrad.optim.sgd import SGD

if TYPE_CHECKING:
    from minigrad.optim import swa_utils
else:
    __getattr__, __dir__ = _on_first_use(__name__, swa_utils="minigrad.optim.swa_utils")

__all__ = [
    "ASGD", "LBFGS", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "Optimizer", "RAdam", "RMSprop",
    "Rprop", "lr_scheduler", "swa_utils",
]  # fmt: skip
