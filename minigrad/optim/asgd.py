"""Averaged stochastic gradient descent."""

from __future__ import annotations

import numpy as np

from minigrad.autograd import wrap

# isort: off
from minigrad.optim.optimizer import (
    Array, Group, Optimizer, Params, check_numbers, count_step, descent, first_entry, number, scalar,
)
# isort: on
from minigrad.tensors.tensor import Tensor


class ASGD(Optimizer):
    """Gradient descent with a rate that falls, and the mean of all parameters from step t0 on beside it [1]_.

    With g the gradient (its negative, to `maximize`) in step t = 1, 2, ...::

        g = g + weight_decay * p
        p = (1 - lambd * eta) * p - eta * g
        ax = ax + mu * (p - ax)
        eta = lr / (1 + lambd * lr * t)^alpha
        mu = 1 / max(1, t - t0)

    eta begins with lr, mu with 1. The mean is ``state[p]["ax"]``.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor) pairs, or of dict
        What to optimise, see `Optimizer`.
    lr : float or Tensor of one element
        The rate in the beginning.
    lambd, alpha, t0, weight_decay : float
        The numbers in the formulas.
    maximize : bool
        Climb instead of descend.
    foreach
        How torch groups the same arithmetic; makes no difference here.
    differentiable, capturable
        Only False is supported.

    Raises
    ------
    ValueError
        If `lr` or `weight_decay` is negative.
    NotImplementedError
        If `differentiable` is true.

    References
    ----------
    .. [1] B. Polyak and A. Juditsky, Acceleration of stochastic approximation by averaging, SIAM J. Control Optim. 1992.

    Examples
    --------
    >>> import minigrad as torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> opt = ASGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([0.8000, 1.6000], requires_grad=True)
    """

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
        weight_decay: float = 0, foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:  # fmt: skip
        check_numbers(lr, weight_decay=weight_decay)
        super().__init__(params, {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def update(self, p: Tensor, g: Array, group: Group, held: Array, spare: Array) -> None:
        """Take one step with one parameter."""
        array, dtype, state, lr = p.array, p.array.dtype, self.state[p], scalar(group["lr"])
        if not state:
            entry = first_entry(p, "ax")
            kind = entry["step"].array.dtype
            state.update(step=entry["step"], eta=wrap(np.array(lr, kind)), mu=wrap(np.array(1, kind)), ax=entry["ax"])
        t, eta, mu, mean = count_step(state), state["eta"].array, state["mu"].array, state["ax"].array
        g = descent(array, g, group["maximize"], group["weight_decay"], held, spare)
        np.multiply(array, number(1 - group["lambd"] * eta.item(), dtype), array)
        np.subtract(array, np.multiply(g, number(eta.item(), dtype), spare), array)
        if mu == 1:
            mean[...] = array
        else:
            np.add(mean, np.multiply(np.subtract(array, mean, spare), number(mu.item(), dtype), spare), mean)
        eta.fill(lr / (1 + group["lambd"] * lr * t) ** group["alpha"])
        mu.fill(1 / max(1, t - group["t0"]))
