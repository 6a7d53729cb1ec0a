"""Schedules that go up and down: one cycle, or many."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Sequence
from math import cos, pi
from typing import Any

from minigrad.optim.lr_scheduler.base import LRScheduler, checked, per_group, set_rate
from minigrad.optim.optimizer import Group, Optimizer


def _uses_beta1(optimizer: Optimizer) -> bool:
    """Whether the first of an optimiser's betas stands for momentum; an error if it has neither."""
    if not {"momentum", "betas"} & checked(optimizer).defaults.keys():
        raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
    return "betas" in optimizer.defaults


def _set_momentum(group: Group, use_beta1: bool, momentum: Any) -> None:
    if use_beta1:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


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
            self.use_beta1 = _uses_beta1(optimizer)
            columns |= {"max_momentum": max_momentum, "base_momentum": base_momentum}
        columns = {name: per_group(name, optimizer, value) for name, value in columns.items()}
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

        if self.cycle_momentum:
            _set_momentum(group, self.use_beta1, between("momentum"))
        return between("lr")


class CyclicLR(LRScheduler):
    """From `base_lr` up to `max_lr` and down again, over and over [1]_; to be stepped after every batch.

    Momentum (or the first of Adam's betas) goes the other way.

    Parameters
    ----------
    optimizer : Optimizer
        See `LRScheduler`.
    base_lr, max_lr : float or list of float
        The lowest and the highest rate, of each group.
    step_size_up, step_size_down : int
        Steps on the way up, and on the way down. Default: 2000, and as many.
    mode : str
        "triangular"; "triangular2", where each cycle is half as high as the one before; "exp_range", where the height is
        multiplied by `gamma` in each step.
    gamma : float
        For ``"exp_range"``.
    scale_fn : callable, optional
        By what to multiply the height, in place of `mode`; a function of the number of the cycle (from 1), or of the steps
        made if `scale_mode` is "iterations".
    scale_mode : str
        "cycle" or "iterations", for `scale_fn`.
    cycle_momentum : bool
        Change momentum too, from `max_momentum` to `base_momentum` and back (each a float or a list of float).
    base_momentum, max_momentum : float or list of float
        As described.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If `mode` is unknown, or momentum is to be changed where there is none.

    References
    ----------
    .. [1] L. Smith, Cyclical learning rates for training neural networks, WACV 2017.
    """

    def __init__(
        self, optimizer: Optimizer, base_lr: float | Sequence[float], max_lr: float | Sequence[float], step_size_up: int = 2000,
        step_size_down: int | None = None, mode: str = "triangular", gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None, scale_mode: str = "cycle", cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8, max_momentum: float | Sequence[float] = 0.9, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        lowest = per_group("base_lr", optimizer, base_lr)
        for group, rate in zip(optimizer.param_groups if last_epoch == -1 else [], lowest, strict=last_epoch == -1):
            set_rate(group, rate)
        self.max_lrs = per_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(f"mode {mode!r} is invalid and scale_fn is None")
        self.mode, self.gamma, self._scale_fn_custom, self.cycle_momentum = mode, gamma, scale_fn, cycle_momentum
        self.scale_mode = scale_mode if scale_fn is not None else "iterations" if mode == "exp_range" else "cycle"
        if cycle_momentum:
            self.use_beta1 = _uses_beta1(optimizer)
            self.base_momentums = per_group("base_momentum", optimizer, base_momentum)
            self.max_momentums = per_group("max_momentum", optimizer, max_momentum)
            if last_epoch == -1:
                for i, group in enumerate(optimizer.param_groups):
                    _set_momentum(group, self.use_beta1, self.max_momentums[i])
                    group.update(max_momentum=self.max_momentums[i], base_momentum=self.base_momentums[i])
        super().__init__(optimizer, last_epoch)
        self.base_lrs = lowest

    def scale_fn(self, x: float) -> float:
        """By what the height is multiplied in a cycle, or after so many steps."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        return 1.0 if self.mode == "triangular" else 1 / 2.0 ** (x - 1) if self.mode == "triangular2" else self.gamma**x

    def _next(self, i: int, lr: Any) -> Any:
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            low, high = self.base_momentums[i], self.max_momentums[i]
            _set_momentum(self.optimizer.param_groups[i], self.use_beta1, high - (high - low) * height * scale)
        return self.base_lrs[i] + (self.max_lrs[i] - self.base_lrs[i]) * height * scale

    def state_dict(self) -> dict[str, Any]:
        """As `LRScheduler.state_dict`; of `scale_fn`, only what an object that can be called has for attributes."""
        state, function = super().state_dict(), self._scale_fn_custom
        plain = function is None or isinstance(function, types.FunctionType)
        state.pop("_scale_fn_custom")
        return {**state, "_scale_fn_custom": None if plain else function.__dict__.copy()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        saved = state_dict["_scale_fn_custom"]
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "_scale_fn_custom"})
        if saved is not None:
            self._scale_fn_custom.__dict__.update(saved)


class CosineAnnealingWarmRestarts(LRScheduler):
    """Along half a cosine from the initial rate down to `eta_min` in `T_0` epochs, then from the top again [1]_.

    Parameters
    ----------
    optimizer : Optimizer
        See `LRScheduler`.
    T_0 : int
        Epochs until the first restart.
    T_mult : int
        How many times as long each way down is as the one before.
    eta_min : float
        The lowest rate.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If a number is out of range.

    References
    ----------
    .. [1] I. Loshchilov and F. Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017.
    """

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        if not isinstance(T_0, int) or T_0 <= 0:
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if not isinstance(T_mult, int) or T_mult < 1:
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}")
        self.T_0 = self.T_i = T_0
        self.T_mult, self.eta_min = T_mult, eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next epoch, or to a given one, also between two: ``step(epoch + batch / batches)``."""
        if epoch is None and self.last_epoch >= 0:
            self._go_on()
            epoch = self.last_epoch + 1
        else:
            self._go_to(epoch or 0)
            epoch = math.floor(epoch or 0)
        self._update_lr(int(epoch))

    def _go_on(self) -> None:
        self.T_cur += 1
        if self.T_cur >= self.T_i:
            self.T_cur, self.T_i = self.T_cur % self.T_i, self.T_i * self.T_mult

    def _go_to(self, epoch: float) -> None:
        if epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        self.T_cur, self.T_i = epoch, self.T_0
        if epoch >= self.T_0 and self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        elif epoch >= self.T_0:
            restarts = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**restarts - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**restarts

    def _next(self, i: int, lr: Any) -> Any:
        return self.eta_min + (self.base_lrs[i] - self.eta_min) * (1 + cos(pi * self.T_cur / self.T_i)) / 2
