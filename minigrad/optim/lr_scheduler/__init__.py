"""Schedulers change the learning rates of an optimiser from epoch to epoch.

`_next` computes a group's new rate from its present one. Most are one formula. The formulas are torch's [1]_,
rounding by rounding, and so is what `state_dict` gives.

References
----------
.. [1] https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
"""

# isort: off
from minigrad.optim.lr_scheduler.base import LRScheduler, _LRScheduler
from minigrad.optim.lr_scheduler.composed import ChainedScheduler, SequentialLR
from minigrad.optim.lr_scheduler.cycles import CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR
from minigrad.optim.lr_scheduler.formulas import (
    ConstantLR, CosineAnnealingLR, ExponentialLR, LambdaLR, LinearLR, MultiplicativeLR, MultiStepLR, PolynomialLR, StepLR,
)
from minigrad.optim.lr_scheduler.plateau import ReduceLROnPlateau
# isort: on

for _scheduler in (
    LRScheduler, _LRScheduler, ChainedScheduler, SequentialLR, CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR, ConstantLR,
    CosineAnnealingLR, ExponentialLR, LambdaLR, LinearLR, MultiplicativeLR, MultiStepLR, PolynomialLR, StepLR, ReduceLROnPlateau,
):
    _scheduler.__module__ = __name__  # as in torch: programs tell torch's schedulers from functions of their own by it
