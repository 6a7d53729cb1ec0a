"""Schedules of one formula each, which gives the next rate from the one so far."""

from __future__ import annotations

import types
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import cos, pi
from typing import Any

from minigrad.optim.lr_scheduler.base import LRScheduler, per_group
from minigrad.optim.optimizer import Optimizer

Factor = Callable[[int], float]


class _Lambdas(LRScheduler):
    """What `LambdaLR` and `MultiplicativeLR` share: a function of the epoch for each group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1) -> None:
        self.lr_lambdas = per_group("lr_lambda", optimizer, lr_lambda)
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """As `LRScheduler.state_dict`; of the functions, only what objects that can be called have for attributes."""
        saved = [None if isinstance(f, types.FunctionType) else f.__dict__.copy() for f in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": saved}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "lr_lambdas"})
        for function, saved in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            function.__dict__.update(saved or {})


class LambdaLR(_Lambdas):
    """The initial rate times ``lr_lambda(epoch)``; `lr_lambda` is a function, or a list of one for each group.

    Examples
    --------
    >>> import minigrad as torch
    >>> opt = torch.optim.SGD([torch.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = LambdaLR(opt, lambda epoch: 0.5**epoch)
    >>> for _ in range(3):
    ...     opt.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.125]
    """

    def _next(self, i: int, lr: Any) -> Any:
        return self.base_lrs[i] * self.lr_lambdas[i](self.last_epoch)


class MultiplicativeLR(_Lambdas):
    """The rate so far times ``lr_lambda(epoch)``; `lr_lambda` is a function, or a list of one for each group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1) -> None:
        for function in per_group("lr_lambda", optimizer, lr_lambda):
            if not callable(function):
                raise TypeError(f"lr_lambda should be a function, but got {type(function).__name__}")
        super().__init__(optimizer, lr_lambda, last_epoch)

    def _next(self, i: int, lr: Any) -> Any:
        return lr if self._is_initial else lr * self.lr_lambdas[i](self.last_epoch)


class _Formula(LRScheduler):
    """A schedule that has a formula for any epoch, too; `step` takes it where it is given an epoch."""

    def _get_closed_form_lr(self) -> list[Any]:
        return [self._at(self.last_epoch, base) for base in self.base_lrs]

    def _at(self, epoch: int, base: Any) -> Any:
        """The rate in an epoch of a group whose initial rate is `base`."""
        raise NotImplementedError


class StepLR(_Formula):
    """The rate times `gamma`, every `step_size` epochs."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, i: int, lr: Any) -> Any:
        return lr if self.last_epoch == 0 or self.last_epoch % self.step_size != 0 else lr * self.gamma

    def _at(self, epoch: int, base: Any) -> Any:
        return base * self.gamma ** (epoch // self.step_size)


class MultiStepLR(_Formula):
    """The rate times `gamma` at each of the epochs `milestones`; once more for each time one is listed."""

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, i: int, lr: Any) -> Any:
        return lr * self.gamma ** self.milestones[self.last_epoch] if self.last_epoch in self.milestones else lr

    def _at(self, epoch: int, base: Any) -> Any:
        return base * self.gamma ** bisect_right(sorted(self.milestones.elements()), epoch)


class ConstantLR(_Formula):
    """The rate times `factor`, for the first `total_iters` epochs."""

    def __init__(self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        if not 0 <= factor <= 1.0:
            raise ValueError(f"Constant multiplicative factor expected to be between 0 and 1, got {factor}")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _next(self, i: int, lr: Any) -> Any:
        if self.last_epoch == 0:
            return lr * self.factor
        return lr * (1.0 / self.factor) if self.last_epoch == self.total_iters else lr

    def _at(self, epoch: int, base: Any) -> Any:
        return base * (self.factor + (epoch >= self.total_iters) * (1 - self.factor))


class LinearLR(_Formula):
    """The rate times a factor that goes from `start_factor` to `end_factor` in `total_iters` equal steps."""

    def __init__(self, optimizer: Optimizer, start_factor: float = 1.0 / 3, end_factor: float = 1.0, total_iters: int = 5,
                 last_epoch: int = -1) -> None:  # fmt: skip
        if not 0 < start_factor <= 1.0 or not 0 <= end_factor <= 1.0:
            raise ValueError(f"multiplicative factors expected to be between 0 and 1, got {start_factor} and {end_factor}; "
                             "the starting one may not be 0")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _next(self, i: int, lr: Any) -> Any:
        if self.last_epoch == 0:
            return lr * self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return lr
        rise = self.end_factor - self.start_factor
        return lr * (1.0 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise))

    def _at(self, epoch: int, base: Any) -> Any:
        return base * (self.start_factor + (self.end_factor - self.start_factor) * min(self.total_iters, epoch) / self.total_iters)


class ExponentialLR(_Formula):
    """The rate times `gamma`, every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, i: int, lr: Any) -> Any:
        return lr if self._is_initial else lr * self.gamma

    def _at(self, epoch: int, base: Any) -> Any:
        return base * self.gamma**epoch


class PolynomialLR(_Formula):
    """The rate times ``(1 - epoch / total_iters) ** power``, and 0 from `total_iters` on."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def _next(self, i: int, lr: Any) -> Any:
        if self._is_initial or self.last_epoch > self.total_iters:
            return lr
        now, before = (1.0 - epoch / self.total_iters for epoch in (self.last_epoch, self.last_epoch - 1))
        return lr * (now / before) ** self.power

    def _at(self, epoch: int, base: Any) -> Any:
        return base * (1.0 - min(self.total_iters, epoch) / self.total_iters) ** self.power


class CosineAnnealingLR(_Formula):
    """Down to `eta_min` within `T_max` epochs, along half a cosine, and up again in the next [1]_.

    References
    ----------
    .. [1] I. Loshchilov and F. Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def _next(self, i: int, lr: Any) -> Any:
        if self._is_initial:
            return lr
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # at the bottom, where the quotient is 0 / 0
            return lr + (self.base_lrs[i] - self.eta_min) * (1 - cos(pi / self.T_max)) / 2
        now, before = (1 + cos(pi * epoch / self.T_max) for epoch in (self.last_epoch, self.last_epoch - 1))
        return now / before * (lr - self.eta_min) + self.eta_min

    def _at(self, epoch: int, base: Any) -> Any:
        return self.eta_min + (base - self.eta_min) * (1 + cos(pi * epoch / self.T_max)) / 2
