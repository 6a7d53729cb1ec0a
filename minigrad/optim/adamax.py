"""Adamax."""

from __future__ import annotations

import numpy as np

# isort: off
from minigrad.optim.optimizer import (
    Array, Group, Optimizer, Params, check_betas, check_numbers, count_step, descent, first_entry, move_towards, number, scalar,
)
# isort: on
from minigrad.tensors.tensor import Tensor


class Adamax(Optimizer):
    """Adamax [1]_: `Adam` with the largest gradient of late in place of the root of the mean square.

    With g the gradient (its negative, to `maximize`) in step t = 1, 2, ...::

        g = g + weight_decay * p
        m = m + (1 - beta1) * (g - m)
        u = max(beta2 * u, |g| + eps)
        p = p - lr / (1 - beta1^t) * m / u

    in this order of operations, which is torch's [2]_.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor) pairs, or of dict
        What to optimise, see `Optimizer`.
    lr : float or Tensor of one element
        Size of a step, about.
    betas : pair of float
        How slowly mean and maximum forget, each at least 0 and below 1.
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
    .. [1] D. Kingma and J. Ba, Adam: a method for stochastic optimization, ICLR 2015.
    .. [2] https://docs.pytorch.org/docs/stable/generated/torch.optim.Adamax.html

    Examples
    --------
    >>> import minigrad as torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> opt = Adamax([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    def __init__(
        self, params: Params, lr: float | Tensor = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, foreach: bool | None = None, *, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:  # fmt: skip
        check_numbers(lr, epsilon=eps, weight_decay=weight_decay)
        check_betas(betas)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def update(self, p: Tensor, g: Array, group: Group, held: Array, spare: Array) -> None:
        """Take one step with one parameter."""
        array, dtype, state = p.array, p.array.dtype, self.state[p]
        if not state:
            state.update(first_entry(p, "exp_avg", "exp_inf"))
        t, m, u = count_step(state), state["exp_avg"].array, state["exp_inf"].array
        beta1, beta2 = group["betas"]
        g = descent(array, g, group["maximize"], group["weight_decay"], held, spare)
        move_towards(m, g, 1 - beta1, spare)
        np.add(np.abs(g, spare), number(group["eps"], dtype), spare)
        np.maximum(np.multiply(u, number(beta2, dtype), u), spare, out=u)
        rate = scalar(group["lr"]) / (1 - beta1**t)
        np.subtract(array, np.divide(np.multiply(m, number(rate, dtype), spare), u, spare), array)
