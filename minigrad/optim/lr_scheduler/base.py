"""`LRScheduler`: what all schedulers share."""

from __future__ import annotations

import warnings
from typing import Any

from minigrad.optim.optimizer import Group, Optimizer
from minigrad.tensors.tensor import Tensor

WRONG_ORDER = ("Detected call of `lr_scheduler.step()` before `optimizer.step()`: the first value of the learning rate schedule is "
               "skipped; call them in the opposite order")  # fmt: skip
EPOCH_GIVEN = ("The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
               "`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed form "
               "is used instead of the new chainable form, where available.")  # fmt: skip
STEP_OVERRIDDEN = "Seems like `optimizer.step()` has been overridden; call it before `lr_scheduler.step()`"


def copied(x: Any) -> Any:
    """A tensor's values may be changed by others; a number is safe."""
    return x.clone() if isinstance(x, Tensor) else x


def rates(optimizer: Optimizer, key: str = "lr") -> list[Any]:
    """The rates of all groups."""
    return [copied(group[key]) for group in optimizer.param_groups]


def set_rate(group: Group, rate: Any) -> None:
    """A rate that is a tensor stays the same tensor."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(float(rate))
    else:
        group["lr"] = rate


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """One value for each group, from a list of them or from one for all."""
    count = len(checked(optimizer).param_groups)
    if isinstance(value, (list, tuple)) and len(value) != count:
        raise ValueError(f"expected {count} values of {name}, one for each of the optimizer's param_groups, got {len(value)}")
    return [copied(each) for each in (value if isinstance(value, (list, tuple)) else [value] * count)]


def checked(optimizer: Optimizer) -> Optimizer:
    """The optimiser, if it is one."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


class LRScheduler:
    """Base class of the schedulers. A subclass defines `get_lr`, as in torch.

    Parameters
    ----------
    optimizer : Optimizer
        Its groups get "initial_lr", the rate the schedule is relative to, and their first rate.
    last_epoch : int
        The last epoch that was finished, when training is resumed; -1 to begin.

    Attributes
    ----------
    base_lrs : list
        "initial_lr" of each group.

    Raises
    ------
    TypeError
        If `optimizer` is none.
    KeyError
        If training is resumed, but a group has no "initial_lr".
    """

    optimizer: Optimizer
    base_lrs: list[Any]
    last_epoch: int
    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = checked(optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(f"param 'initial_lr' is not specified in param_groups[{i}]: load the optimizer's state first")
        self.base_lrs = rates(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count, self._is_initial = 0, True
        self.step()
        self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser, in torch's form."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Any]:
        """The rates set last, one per group."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """The rates for `last_epoch`, one per group, from those the groups have; to ask for these, use `get_last_lr`."""
        if not self._get_lr_called_within_step:
            warnings.warn("To get the last learning rate computed by the scheduler, please use `get_last_lr()`.", stacklevel=2)
        return [self._next(i, group["lr"]) for i, group in enumerate(self.optimizer.param_groups)]

    def _next(self, i: int, lr: Any) -> Any:
        """The rate of group `i`, which has `lr` so far."""
        raise NotImplementedError(f"{type(self).__name__} defines no get_lr()")

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next epoch, or, as older scripts do, to a given one: to be called after the optimiser's steps."""
        own_step = type(self.optimizer).step is not Optimizer.step  # of which nobody knows whether it was called
        if self._step_count == 1 and not getattr(self.optimizer, "_opt_called", own_step):
            warnings.warn(STEP_OVERRIDDEN if "step" in vars(self.optimizer) else WRONG_ORDER, stacklevel=2)
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_GIVEN, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        """Set the rates for an epoch; without one, for the next."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._get_lr_called_within_step = True
        found = self.get_lr() if epoch is None else getattr(self, "_get_closed_form_lr", self.get_lr)()
        self._get_lr_called_within_step = False
        for group, rate in zip(self.optimizer.param_groups, found, strict=True):
            set_rate(group, rate)
        self._last_lr = rates(self.optimizer)


class _LRScheduler(LRScheduler):
    """The old name of the base class, for schedulers that derive from it."""
