"""RAdam."""

from __future__ import annotations

import numpy as np

# isort: off
from minigrad.optim.optimizer import (
    Array, Group, Optimizer, Params, check_betas, check_numbers, count_step, decay_squares, decayed_descent, first_entry,
    move_towards, number, scalar,
)
# isort: on
from minigrad.tensors.tensor import Tensor


class RAdam(Optimizer):
    """RAdam [1]_: `Adam` that waits with the mean square until that is known well enough.

    With g the gradient (its negative, to `maximize`) in step t = 1, 2, ...::

        g = g + weight_decay * p                     (p = p - lr * weight_decay * p, if decoupled)
        m = m + (1 - beta1) * (g - m)
        v = beta2 * v + (1 - beta2) * g²
        ρ∞ = 2 / (1 - beta2) - 1
        ρ = ρ∞ - 2 * t * beta2^t / (1 - beta2^t)
        r = √((ρ - 4) * (ρ - 2) * ρ∞ / ((ρ∞ - 4) * (ρ∞ - 2) * ρ))
        p = p - m / (1 - beta1^t) * lr * √(1 - beta2^t) / (√v + eps) * r      (without the fraction and r, unless ρ > 5)

    in this order of operations, which is torch's [2]_.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor) pairs, or of dict
        What to optimise, see `Optimizer`.
    lr : float or Tensor of one element
        Size of a step, about.
    betas : pair of float
        How slowly the two means forget, each at least 0 and below 1.
    eps, weight_decay : float
        The numbers in the formulas.
    decoupled_weight_decay : bool
        As described above.
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
    .. [1] L. Liu et al., On the variance of the adaptive learning rate and beyond, ICLR 2020.
    .. [2] https://docs.pytorch.org/docs/stable/generated/torch.optim.RAdam.html

    Examples
    --------
    >>> import minigrad as torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> opt = RAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([0.8000, 1.6000], requires_grad=True)
    """

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
        maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_numbers(lr, epsilon=eps, weight_decay=weight_decay)
        check_betas(betas)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay, "differentiable": differentiable,
        })  # fmt: skip

    def update(self, p: Tensor, g: Array, group: Group, held: Array, spare: Array) -> None:
        """Take one step with one parameter."""
        array, dtype, lr, state = p.array, p.array.dtype, scalar(group["lr"]), self.state[p]
        if not state:
            state.update(first_entry(p, "exp_avg", "exp_avg_sq"))
        t, m, v = count_step(state), state["exp_avg"].array, state["exp_avg_sq"].array
        beta1, beta2 = group["betas"]
        g = decayed_descent(array, g, group, held, spare)
        move_towards(m, g, 1 - beta1, spare)
        decay_squares(v, g, beta2, spare)
        most = 2 / (1 - beta2) - 1  # ρ∞
        rho = most - 2 * t * beta2**t / (1 - beta2**t)
        step = np.multiply(np.divide(m, number(1 - beta1**t, dtype), held), number(lr, dtype), held)
        if rho > 5:
            divisor = np.add(np.sqrt(v, spare), number(group["eps"], dtype), spare)
            np.multiply(step, np.divide(number((1 - beta2**t) ** 0.5, dtype), divisor, spare), step)
            rectified = ((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho)) ** 0.5
            np.multiply(step, number(rectified, dtype), step)
        np.subtract(array, step, array)
