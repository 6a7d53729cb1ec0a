"""Adadelta."""

from __future__ import annotations

import numpy as np

# isort: off
from minigrad.optim.optimizer import (
    Array, Group, Optimizer, Params, check_numbers, count_step, decay_squares, descent, first_entry, number, scalar,
)
# isort: on
from minigrad.tensors.tensor import Tensor


class Adadelta(Optimizer):
    """Adadelta [1]_: steps as large as those of late, in the units of the parameter.

    With g the gradient (its negative, to `maximize`)::

        g = g + weight_decay * p
        v = rho * v + (1 - rho) * g²
        d = √(u + eps) / √(v + eps) * g
        u = rho * u + (1 - rho) * d²
        p = p - lr * d

    in this order of operations, which is torch's [2]_; only d is g / √(v + eps) times the other root.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor) pairs, or of dict
        What to optimise, see `Optimizer`.
    lr : float or Tensor of one element
        What steps are multiplied by.
    rho : float
        How slowly the means of squares forget, from 0 to 1.
    eps, weight_decay : float
        The numbers in the formulas.
    maximize : bool
        Climb instead of descend.
    foreach
        How torch groups the same arithmetic; makes no difference here.
    capturable, differentiable
        Only False is supported.

    Raises
    ------
    ValueError
        If a number is out of range.
    NotImplementedError
        If `capturable` or `differentiable` is true.

    References
    ----------
    .. [1] M. Zeiler, ADADELTA: an adaptive learning rate method, 2012.
    .. [2] https://docs.pytorch.org/docs/stable/generated/torch.optim.Adadelta.html

    Examples
    --------
    >>> import minigrad as torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> opt = Adadelta([w], lr=1.0)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([0.9968, 1.9968], requires_grad=True)
    """

    def __init__(
        self, params: Params, lr: float | Tensor = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0,
        foreach: bool | None = None, *, capturable: bool = False, maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_numbers(lr, epsilon=eps, weight_decay=weight_decay)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}; it must be at least 0 and at most 1")
        super().__init__(params, {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize, "capturable": capturable,
            "foreach": foreach, "differentiable": differentiable,
        })  # fmt: skip

    def update(self, p: Tensor, g: Array, group: Group, held: Array, spare: Array) -> None:
        """Take one step with one parameter."""
        array, dtype, state, rho = p.array, p.array.dtype, self.state[p], group["rho"]
        if not state:
            state.update(first_entry(p, "square_avg", "acc_delta"))
        count_step(state)
        v, u, eps = state["square_avg"].array, state["acc_delta"].array, number(group["eps"], dtype)
        g = descent(array, g, group["maximize"], group["weight_decay"], held, spare)
        decay_squares(v, g, rho, spare)
        np.divide(g, np.sqrt(np.add(v, eps, spare), spare), held)
        delta = np.multiply(held, np.sqrt(np.add(u, eps, spare), spare), held)
        decay_squares(u, delta, rho, spare)
        np.subtract(array, np.multiply(delta, number(scalar(group["lr"]), dtype), spare), array)
