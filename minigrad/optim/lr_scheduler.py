"""Schedulers change the learning rates of an optimiser from epoch to epoch.

`_next` computes a group's new rate from its present one. Most are one formula. The formulas are torch's [1]_,
rounding by rounding, and so is what `state_dict` gives.

References
----------
.. [1] https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
"""

from __future__ import annotations

import math
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import cos, pi
from typing import Any

from minigrad.optim.optimizer import Group, Optimizer
from minigrad.tensors.tensor import Tensor

Factor = Callable[[int], float]

WRONG_ORDER = ("Detected call of `lr_scheduler.step()` before `optimizer.step()`: the first value of the learning rate schedule is "
               "skipped; call them in the opposite order")  # fmt: skip
STEP_OVERRIDDEN = "Seems like `optimizer.step()` has been overridden; call it before `lr_scheduler.step()`"


def _copy(x: Any) -> Any:
    """A tensor's values may be changed by others; a number is safe."""
    return x.clone() if isinstance(x, Tensor) else x


def _rates(optimizer: Optimizer, key: str = "lr") -> list[Any]:
    return [_copy(group[key]) for group in optimizer.param_groups]


def _set_rate(group: Group, rate: Any) -> None:
    """A rate that is a tensor stays the same tensor."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(float(rate))
    else:
        group["lr"] = rate


def _per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """One value for each group, from a list of them or from one for all."""
    count = len(_checked(optimizer).param_groups)
    if isinstance(value, (list, tuple)) and len(value) != count:
        raise ValueError(f"expected {count} values of {name}, one for each of the optimizer's param_groups, got {len(value)}")
    return [_copy(each) for each in (value if isinstance(value, (list, tuple)) else [value] * count)]


def _checked(optimizer: Optimizer) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def _check_no(epoch: Any) -> None:
    if epoch is not None:
        raise NotImplementedError(f"step(): epoch={epoch} is not supported (deprecated in torch); call it once for each epoch")


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
        self.optimizer = _checked(optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _copy(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(f"param 'initial_lr' is not specified in param_groups[{i}]: load the optimizer's state first")
        self.base_lrs = _rates(optimizer, "initial_lr")
        self.last_epoch = last_epoch
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

    def step(self, epoch: None = None) -> None:
        """Go on to the next epoch: to be called after the optimiser's steps. (torch's `epoch` is not supported.)"""
        _check_no(epoch)
        own_step = type(self.optimizer).step is not Optimizer.step  # of which nobody knows whether it was called
        if self._step_count == 1 and not getattr(self.optimizer, "_opt_called", own_step):
            warnings.warn(STEP_OVERRIDDEN if "step" in vars(self.optimizer) else WRONG_ORDER, stacklevel=2)
        self._step_count += 1
        self.last_epoch += 1
        self._get_lr_called_within_step = True
        rates = self.get_lr()
        self._get_lr_called_within_step = False
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            _set_rate(group, rate)
        self._last_lr = _rates(self.optimizer)


# ---- one formula each ------------------------------------------------------------------------------------------------


class _Lambdas(LRScheduler):
    """What `LambdaLR` and `MultiplicativeLR` share: a function of the epoch for each group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1) -> None:
        self.lr_lambdas = _per_group("lr_lambda", optimizer, lr_lambda)
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
        for function in _per_group("lr_lambda", optimizer, lr_lambda):
            if not callable(function):
                raise TypeError(f"lr_lambda should be a function, but got {type(function).__name__}")
        super().__init__(optimizer, lr_lambda, last_epoch)

    def _next(self, i: int, lr: Any) -> Any:
        return lr if self._is_initial else lr * self.lr_lambdas[i](self.last_epoch)


class StepLR(LRScheduler):
    """The rate times `gamma`, every `step_size` epochs."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, i: int, lr: Any) -> Any:
        return lr if self.last_epoch == 0 or self.last_epoch % self.step_size != 0 else lr * self.gamma


class MultiStepLR(LRScheduler):
    """The rate times `gamma` at each of the epochs `milestones`; once more for each time one is listed."""

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, i: int, lr: Any) -> Any:
        return lr * self.gamma ** self.milestones[self.last_epoch] if self.last_epoch in self.milestones else lr


class ConstantLR(LRScheduler):
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


class LinearLR(LRScheduler):
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


class ExponentialLR(LRScheduler):
    """The rate times `gamma`, every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, i: int, lr: Any) -> Any:
        return lr if self._is_initial else lr * self.gamma


class PolynomialLR(LRScheduler):
    """The rate times ``(1 - epoch / total_iters) ** power``, and 0 from `total_iters` on."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def _next(self, i: int, lr: Any) -> Any:
        if self._is_initial or self.last_epoch > self.total_iters:
            return lr
        now, before = (1.0 - epoch / self.total_iters for epoch in (self.last_epoch, self.last_epoch - 1))
        return lr * (now / before) ** self.power


class CosineAnnealingLR(LRScheduler):
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


# ---- schedules with a state of their own -----------------------------------------------------------------------------


class OneCycleLR(LRScheduler):
    """Up from ``max_lr / div_factor`` to `max_lr`, and down to ``1 / final_div_factor`` of where it began [1]_.

    To be stepped after every batch. Momentum (or the first of Adam's betas) goes the other way.

    Parameters
    ----------
    optimizer : Optimizer
        See `LRScheduler`.
    max_lr : float or list of float
        The highest rate, of each group.
    total_steps, epochs, steps_per_epoch : int
        How many steps there are: either the first or both of the others.
    pct_start : float
        Which part of them goes up.
    anneal_strategy : str
        "cos" or "linear": the form of ascent and descent.
    cycle_momentum : bool
        Change momentum too, from `max_momentum` to `base_momentum` and back (each a float or a list of float).
    base_momentum, max_momentum, div_factor, final_div_factor : float
        As described.
    three_phase : bool
        Go down to the initial rate in as many steps as up, and from there to the last one.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If a number is out of range, the number of steps is unknown, or momentum is to be changed where there is none; in
        `step`, if there are no steps left.

    References
    ----------
    .. [1] L. Smith and N. Topin, Super-convergence: very fast training of neural networks using large learning rates, 2018.
    """

    def __init__(
        self, optimizer: Optimizer, max_lr: float | Sequence[float], total_steps: int | None = None, epochs: int | None = None,
        steps_per_epoch: int | None = None, pct_start: float = 0.3, anneal_strategy: str = "cos", cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85, max_momentum: float | Sequence[float] = 0.95, div_factor: float = 25.0,
        final_div_factor: float = 1e4, three_phase: bool = False, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        given = {"total_steps": total_steps} if total_steps is not None else {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
        if None in given.values():
            raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
        for name, value in given.items():
            if not isinstance(value, int) or value <= 0:
                raise ValueError(f"Expected positive integer {name}, but got {value}")
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self.total_steps = total = math.prod(given.values())  # type: ignore[arg-type]
        phases: list[Any] = [(float(pct_start * total) - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")]
        if three_phase:
            phases += [(float(2 * pct_start * total) - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
                       (total - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum")]  # fmt: skip
        else:
            phases += [(total - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")]
        names = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
        self._schedule_phases = [dict(zip(names, phase, strict=True)) for phase in phases]
        self._anneal_func_type, self.cycle_momentum = anneal_strategy, cycle_momentum
        columns: dict[str, Any] = {"max_lr": max_lr}
        if cycle_momentum:
            if not {"momentum", "betas"} & _checked(optimizer).defaults.keys():
                raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
            self.use_beta1 = "betas" in optimizer.defaults
            columns |= {"max_momentum": max_momentum, "base_momentum": base_momentum}
        columns = {name: _per_group(name, optimizer, value) for name, value in columns.items()}
        for i, group in enumerate(optimizer.param_groups if last_epoch == -1 else []):
            group.update({name: column[i] for name, column in columns.items()})
            group["initial_lr"] = group["max_lr"] / div_factor
            group["min_lr"] = group["initial_lr"] / final_div_factor
        super().__init__(optimizer, last_epoch)

    def _next(self, i: int, lr: Any) -> Any:
        t, group, phases = self.last_epoch, self.optimizer.param_groups[i], self._schedule_phases
        if t > self.total_steps:
            raise ValueError(f"Tried to step {t} times. The specified number of total steps is {self.total_steps}")
        k = next((k for k, phase in enumerate(phases) if t <= phase["end_step"]), len(phases) - 1)
        begin, end = phases[k - 1]["end_step"] if k else 0.0, phases[k]["end_step"]
        done = (t - begin) / (end - begin)

        def between(what: str) -> Any:
            start, stop = group[phases[k][f"start_{what}"]], group[phases[k][f"end_{what}"]]
            if self._anneal_func_type == "linear":
                return (stop - start) * done + start
            return stop + (start - stop) / 2.0 * (cos(pi * done) + 1)

        if self.cycle_momentum and self.use_beta1:
            group["betas"] = (between("momentum"), *group["betas"][1:])
        elif self.cycle_momentum:
            group["momentum"] = between("momentum")
        return between("lr")


class ReduceLROnPlateau(LRScheduler):
    """The rate times `factor`, whenever a metric has not improved for more than `patience` epochs.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates to change.
    mode : str
        "min" if smaller is better, "max" if larger.
    factor : float
        Below 1.
    patience : int
        Number of epochs without improvement that are put up with.
    threshold, threshold_mode : float, str
        By how much the best value so far must be surpassed: by that part of it ("rel"), or by that much ("abs").
    cooldown : int
        Epochs after a reduction during which none is counted.
    min_lr : float or list of float
        Bounds from below.
    eps : float
        Smaller changes of a rate are not made.

    Raises
    ------
    ValueError
        If `factor` is not below 1, a mode is unknown, or the number of bounds is not that of the groups.

    Examples
    --------
    >>> import minigrad as torch
    >>> opt = torch.optim.SGD([torch.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = ReduceLROnPlateau(opt, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     scheduler.step(loss)
    >>> scheduler.get_last_lr()
    [0.1]
    """

    def __init__(
        self, optimizer: Optimizer, mode: str = "min", factor: float = 0.1, patience: int = 10, threshold: float = 1e-4,
        threshold_mode: str = "rel", cooldown: int = 0, min_lr: list[float] | float = 0, eps: float = 1e-8,
    ) -> None:  # fmt: skip
        if factor >= 1.0:
            raise ValueError(f"Factor should be < 1.0, got {factor}")
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode} is unknown!")
        self.min_lrs = _per_group("min_lr", optimizer, min_lr)
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else min_lr
        self.optimizer, self.factor, self.patience, self.cooldown, self.eps = optimizer, factor, patience, cooldown, eps
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.best = self.mode_worse = math.inf if mode == "min" else -math.inf
        self.last_epoch = self.cooldown_counter = self.num_bad_epochs = 0
        self._last_lr = _rates(optimizer)

    def step(self, metrics: Any, epoch: None = None) -> None:  # type: ignore[override]
        """Take note of the metric, a number or tensor of one element, after an epoch."""
        _check_no(epoch)
        self.last_epoch += 1
        current = float(metrics)
        if self._is_better(current, self.best):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce_lr()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = _rates(self.optimizer)

    def _reduce_lr(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(f"the optimizer has {len(groups)} param_groups now, but ReduceLROnPlateau has "
                                   f"{len(self.min_lrs)} min_lrs: give its field `min_lrs` one for each")
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, lowest in zip(groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, lowest)
            if old - new > self.eps:
                _set_rate(group, new)

    @property
    def in_cooldown(self) -> bool:
        """True for `cooldown` epochs after a reduction."""
        return self.cooldown_counter > 0

    def _is_better(self, a: float, best: float) -> bool:
        relative = self.threshold_mode == "rel"
        if self.mode == "min":
            return a < (best * (1.0 - self.threshold) if relative else best - self.threshold)
        return a > (best * (self.threshold + 1.0) if relative else best + self.threshold)
