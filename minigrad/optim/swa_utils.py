"""Averages of a model's weights along its training: stochastic weight averaging [1]_ and exponential moving averages.

    averaged = AveragedModel(model)                                      # the plain mean
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.999))
    for x, y in loader:
        ...
        averaged.update_parameters(model)
    update_bn(loader, averaged)      # the averaged weights give other activations: BatchNorm has to measure them anew

References
----------
.. [1] P. Izmailov, D. Podoprikhin, T. Garipov, D. Vetrov and A. G. Wilson, Averaging weights leads to wider optima and better
   generalization, UAI 2018.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from itertools import chain
from typing import Any

from minigrad.autograd import no_grad
from minigrad.nn.module import Module
from minigrad.nn.normalization import _BatchNorm
from minigrad.optim.lr_scheduler.base import LRScheduler, per_group
from minigrad.optim.optimizer import Optimizer
from minigrad.tensors.creation import tensor
from minigrad.tensors.tensor import Tensor

__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn", "update_bn",
]  # fmt: skip

Average = Callable[[Tensor, Tensor, Any], Tensor]  # of an averaged tensor, the model's, and how many went into the average
Averages = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]  # the same for lists, in place


def _check_decay(decay: float) -> None:
    if not 0 <= decay <= 1:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The function ``decay * averaged + (1 - decay) * current``."""
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Average:
    """The function ``averaged + (current - averaged) / (num_averaged + 1)``: the mean of all so far."""

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Averages:
    """`get_ema_avg_fn` for lists of tensors, in place."""
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param_list: Sequence[Tensor], current_param_list: Sequence[Tensor], _: Any) -> None:
        for averaged, current in zip(ema_param_list, current_param_list, strict=True):
            if averaged.is_floating_point():
                averaged.lerp_(current, 1 - decay)
            else:
                averaged.copy_(averaged * decay + current * (1 - decay))

    return ema_update


def get_swa_multi_avg_fn() -> Averages:
    """`get_swa_avg_fn` for lists of tensors, in place."""

    @no_grad()
    def swa_update(averaged_param_list: Sequence[Tensor], current_param_list: Sequence[Tensor], num_averaged: Any) -> None:
        for averaged, current in zip(averaged_param_list, current_param_list, strict=True):
            if averaged.is_floating_point():
                averaged.lerp_(current, float(1 / (num_averaged + 1)))
            else:
                averaged.addcdiv_(current - averaged, num_averaged + 1)

    return swa_update


class AveragedModel(Module):
    """A copy of a model, whose parameters are averages of those that the model had.

    Parameters
    ----------
    model : Module
        It is copied.
    device : device, optional
        Where the averages are kept: on the CPU.
    avg_fn : callable, optional
        Takes an averaged parameter, the model's, and how many were averaged so far; returns the new average.
    multi_avg_fn : callable, optional
        The same for lists of parameters of one dtype, in place. Default: `get_swa_avg_fn`, the plain mean.
    use_buffers : bool
        Average buffers, too; otherwise they are copied from the model.

    Attributes
    ----------
    module : Module
        The copy.
    n_averaged : int64 Tensor
        How often `update_parameters` was called.

    Raises
    ------
    AssertionError
        If there are both `avg_fn` and `multi_avg_fn`.

    Examples
    --------
    >>> from minigrad import nn
    >>> model = nn.Linear(1, 1, bias=False)
    >>> averaged = AveragedModel(model)
    >>> for weight in (1.0, 2.0, 6.0):
    ...     _ = nn.init.constant_(model.weight, weight)
    ...     averaged.update_parameters(model)
    >>> averaged.module.weight.item()
    3.0
    """

    n_averaged: Tensor

    def __init__(
        self, model: Module, device: Any = None, avg_fn: Average | None = None, multi_avg_fn: Averages | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the copy computes."""
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Let the model's present parameters into the average. The first time, they are copied."""
        averaged, current = ([p.detach() for p in (chain(m.parameters(), m.buffers()) if self.use_buffers else m.parameters())]
                             for m in (self.module, model))  # fmt: skip
        if self.n_averaged == 0:
            for ours, theirs in zip(averaged, current, strict=False):
                ours.copy_(theirs)
        elif self.multi_avg_fn is not None:
            groups: dict[Any, tuple[list[Tensor], list[Tensor]]] = {}
            for ours, theirs in zip(averaged, current, strict=False):
                for members, each in zip(groups.setdefault(ours.dtype, ([], [])), (ours, theirs), strict=True):
                    members.append(each)
            for all_of_ours, all_of_theirs in groups.values():
                self.multi_avg_fn(all_of_ours, all_of_theirs, self.n_averaged)
        else:
            average = self.avg_fn or get_swa_avg_fn()
            for ours, theirs in zip(averaged, current, strict=True):
                ours.copy_(average(ours, theirs, self.n_averaged))
        if not self.use_buffers:
            for ours, theirs in zip(self.module.buffers(), model.buffers(), strict=True):
                ours.detach().copy_(theirs.detach())
        self.n_averaged += 1


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Measure the running means and variances of a model's BatchNorm layers anew, in one pass over some batches.

    Parameters
    ----------
    loader : iterable
        Of batches: tensors, or lists and tuples whose first element is passed to the model.
    model : Module
        Is called in training mode, and left in the mode in which it was.
    device : device, optional
        Where batches are moved first: the CPU.
    """
    momenta = {module: module.momentum for module in model.modules() if isinstance(module, _BatchNorm)}
    for layer in momenta:
        layer.reset_running_stats()
    if not momenta:
        return
    was_training = model.training
    model.train()
    for layer in momenta:
        layer.momentum = None  # all batches count the same
    for batch in loader:
        x = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(x if device is None else x.to(device))
    for layer, momentum in momenta.items():
        layer.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the rate that there is to `swa_lr`, in `anneal_epochs` steps; and there the rate stays.

    Parameters
    ----------
    optimizer : Optimizer
        See `LRScheduler`.
    swa_lr : float or list of float
        The rate in the end, of each group.
    anneal_epochs : int
        How many steps it takes.
    anneal_strategy : str
        ``"cos"`` (half a wave) or ``"linear"``.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If the strategy is another, `anneal_epochs` is negative, or there are more or fewer rates than groups.
    """

    def __init__(
        self, optimizer: Optimizer, swa_lr: float, anneal_epochs: int = 10, anneal_strategy: str = "cos", last_epoch: int = -1
    ) -> None:
        for rate, group in zip(per_group("swa_lr", optimizer, swa_lr), optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _progress(self, step: int) -> float:
        """How much of the way to `swa_lr` is behind us after `step` steps."""
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def _next(self, i: int, lr: Any) -> Any:
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        target = self.optimizer.param_groups[i]["swa_lr"]
        before, now = self._progress(step - 1), self._progress(step)
        start = target if before == 1 else (lr - before * target) / (1 - before)
        return target * now + start * (1 - now)
