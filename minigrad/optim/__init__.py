"""Optimisers, which change parameters along their gradients: `Optimizer` is what all share, `SGD` the simplest."""

from minigrad.optim.adam import Adam
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer"]
