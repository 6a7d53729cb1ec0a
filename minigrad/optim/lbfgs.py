"""L-BFGS, which learns the curvature from how the gradient changes, and its search along a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from minigrad.autograd import enable_grad, no_grad
from minigrad.ops.shape import cat
from minigrad.optim.optimizer import Optimizer, Params, check_numbers
from minigrad.tensors.creation import zeros
from minigrad.tensors.tensor import Tensor


class Point(NamedTuple):
    """A place on the line that is searched."""

    t: Any  # how far out it is
    loss: Any
    gradient: Tensor
    slope: Any  # of the loss along the line


class LBFGS(Optimizer):
    """L-BFGS [1]_: steps along H g, where H, the inverse of the second derivatives, is estimated from the last steps.

    Each step calls a closure several times. As in torch [2]_, the parameters are one vector, of one group.

    Parameters
    ----------
    params : iterable of Tensor, or of (name, Tensor) pairs
        What to optimise.
    lr : float or Tensor of one element
        Where a search begins; without one, what steps are multiplied by.
    max_iter, max_eval : int
        How many iterations and calls of the closure a step makes at most. Default: 20, and 1.25 times as many calls.
    tolerance_grad, tolerance_change : float
        A step ends early once no element of the gradient is larger, or parameters and loss change less.
    history_size : int
        How many changes H is estimated from.
    line_search_fn : str, optional
        "strong_wolfe": search along the line for a place where the loss and its slope have fallen enough.

    Raises
    ------
    ValueError
        If `lr` is negative, or there are several groups.
    RuntimeError
        In `step`, for another `line_search_fn`.

    References
    ----------
    .. [1] J. Nocedal and S. Wright, Numerical optimization, 2006, algorithms 7.5, 3.5 and 3.6.
    .. [2] https://docs.pytorch.org/docs/stable/generated/torch.optim.LBFGS.html

    Examples
    --------
    >>> import minigrad as torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> opt = LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     opt.zero_grad()
    ...     loss = (w * w).sum()
    ...     loss.backward()
    ...     return loss
    >>> opt.step(closure)
    tensor(5., grad_fn=<SumBackward0>)
    >>> bool((w.abs() < 1e-6).all())
    True
    """

    def __init__(
        self, params: Params, lr: float | Tensor = 1, max_iter: int = 20, max_eval: int | None = None, tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9, history_size: int = 100, line_search_fn: str | None = None,
    ) -> None:  # fmt: skip
        check_numbers(lr)
        super().__init__(params, {
            "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change, "history_size": history_size,
            "line_search_fn": line_search_fn,
        })  # fmt: skip
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    @no_grad()
    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Change all parameters.

        Parameters
        ----------
        closure : callable
            Computes the loss anew, with its gradients, and returns it.

        Returns
        -------
        What `closure` returned first.
        """
        self._opt_called = True
        (group,) = self.param_groups
        rate, search = group["lr"], group["line_search_fn"]
        rate = rate.item() if isinstance(rate, Tensor) else rate
        if search not in (None, "strong_wolfe"):
            raise RuntimeError(f"only 'strong_wolfe' is supported as line_search_fn, not {search!r}")
        state = self.state[group["params"][0]]
        first = self._evaluate(closure)
        loss, gradient = float(first), self._gradient()
        calls = 1
        for name, value in (("func_evals", 0), ("n_iter", 0)):
            state.setdefault(name, value)
        state["func_evals"] += 1
        if gradient.abs().max() <= group["tolerance_grad"]:
            return first
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            d = self._direction(state, gradient, group["history_size"])
            t: Any = rate if state["n_iter"] > 1 else min(1.0, 1.0 / gradient.abs().sum()) * rate
            before, slope = loss, gradient.dot(d)
            state.update(d=d, t=t, prev_flat_grad=gradient.clone(), prev_loss=before)
            if slope > -group["tolerance_change"]:
                break
            if search is not None:
                start = Point(0, loss, gradient, slope)
                found, made = self._search(closure, d, start, t, group["max_eval"] - calls)
                loss, gradient, t = found.loss, found.gradient, found.t
                self._move(d, t)
            else:
                self._move(d, t)
                made = 0
                if iteration < group["max_iter"]:
                    loss, made = float(self._evaluate(closure)), 1
                    gradient = self._gradient()
            state["t"] = t
            calls += made
            state["func_evals"] += made
            if (
                calls >= group["max_eval"] or gradient.abs().max() <= group["tolerance_grad"]
                or (d * t).abs().max() <= group["tolerance_change"] or abs(loss - before) < group["tolerance_change"]
            ):  # fmt: skip
                break
        return first

    @staticmethod
    def _direction(state: dict[str, Any], gradient: Tensor, history: int) -> Tensor:
        """-H g by two loops over the changes of gradient (y) and parameters (s) in the last steps."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return -gradient
        ys, steps, factors = state["old_dirs"], state["old_stps"], state["ro"]
        y, s = gradient - state["prev_flat_grad"], state["d"] * state["t"]
        curvature = y.dot(s)
        if curvature > 1e-10:
            if len(ys) == history:
                for kept in (ys, steps, factors):
                    kept.pop(0)
            ys.append(y), steps.append(s), factors.append(1.0 / curvature)
            state["H_diag"] = curvature / y.dot(y)
        shares = state.setdefault("al", [None] * history)
        q = -gradient
        for i in reversed(range(len(ys))):
            shares[i] = steps[i].dot(q) * factors[i]
            q = q - ys[i] * shares[i]
        r = q * state["H_diag"]
        for i in range(len(ys)):
            r = r + steps[i] * (shares[i] - ys[i].dot(r) * factors[i])
        return r

    # ---- the parameters as one vector --------------------------------------------------------------------------------

    def _gradient(self) -> Tensor:
        parts = [zeros(p.numel(), dtype=p.dtype) if p.grad is None else p.grad.reshape(-1) for p in self.param_groups[0]["params"]]
        return cat(parts)

    def _move(self, d: Tensor, t: Any) -> None:
        start = 0
        for p in self.param_groups[0]["params"]:
            p.add_(d[start : start + p.numel()].view_as(p) * t)
            start += p.numel()

    @staticmethod
    def _evaluate(closure: Callable[[], Any]) -> Any:
        with enable_grad():
            return closure()

    # ---- the search --------------------------------------------------------------------------------------------------

    def _search(self, closure: Callable[[], Any], d: Tensor, start: Point, t: Any, most: int) -> tuple[Point, int]:
        """A place along d where the strong Wolfe conditions hold, and how often the closure was called for it."""
        parameters = self.param_groups[0]["params"]
        origin = [p.clone() for p in parameters]

        def look(t: Any) -> Point:
            self._move(d, t)
            loss = float(self._evaluate(closure))
            gradient = self._gradient()
            for p, value in zip(parameters, origin, strict=True):
                p.copy_(value)
            return Point(t, loss, gradient, gradient.dot(d))

        return strong_wolfe(look, start, t, d.abs().max(), most)


def strong_wolfe(
    look: Callable[[Any], Point], start: Point, t: Any, largest: Any, most: int, c1: float = 1e-4, c2: float = 0.9,
    tolerance: float = 1e-9,
) -> tuple[Point, int]:
    """Search for a place where the loss has fallen by `c1` of what the slope promised, and the slope to `c2` of what it was.

    First outwards, until such a place must lie in between; then between the two ends, by the minimum of a cubic.

    Parameters
    ----------
    look : callable
        Gives the point at a distance.
    start : Point
    t : float or Tensor
        The first distance to look at.
    largest : Tensor
        The largest element of the direction: the search ends once the parameters are known up to `tolerance`.
    most : int
        How many more distances to look at.

    Returns
    -------
    Point, int
        Where to go, and how many places were looked at.
    """

    def too_high(point: Point, best: Any) -> bool:
        return bool(point.loss > start.loss + c1 * point.t * start.slope or point.loss >= best)

    def flat(point: Point) -> bool:
        return bool(abs(point.slope) <= -c2 * start.slope)

    last, now, tries = start, look(t), 0
    while tries < most:
        if too_high(now, last.loss if tries > 1 else float("inf")) or now.slope >= 0 or flat(now):
            break
        farther = cubic_minimum(last, now, (now.t + 0.01 * (now.t - last.t), now.t * 10))
        last, now, tries = now, look(farther), tries + 1
    else:
        last = start
    if tries < most and not too_high(now, last.loss if tries > 1 else float("inf")) and flat(now):
        return now, tries + 1

    low, high = (last, now) if last.loss <= now.loss else (now, last)
    stuck = False
    while tries < most and abs(high.t - low.t) * largest >= tolerance:
        left, right = sorted((low.t, high.t))
        t = cubic_minimum(low, high, (left, right))
        edge = 0.1 * (right - left)
        if min(right - t, t - left) < edge:  # too near to an end
            if stuck or t >= right or t <= left:
                t = right - edge if abs(t - right) < abs(t - left) else left + edge
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        point, tries = look(t), tries + 1
        if too_high(point, low.loss):
            high = point
            low, high = (low, high) if low.loss <= high.loss else (high, low)
            continue
        if flat(point):
            return point, tries + 1
        if point.slope * (high.t - low.t) >= 0:
            high = low
        low = point
    return low, tries + 1


def cubic_minimum(a: Point, b: Point, bounds: tuple[Any, Any]) -> Any:
    """Where the cubic through two points, with their slopes, has its minimum, within bounds."""
    low, high = bounds
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if square < 0:
        return (low + high) / 2.0
    d2 = square.sqrt()
    if a.t > b.t:
        a, b = b, a
    return min(max(b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2)), low), high)
