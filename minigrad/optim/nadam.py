"""NAdam."""

from __future__ import annotations

import numpy as np

# isort: off
from minigrad.optim.optimizer import (
    Array, Group, Optimizer, Params, check_betas, check_numbers, count_step, decay_squares, decayed_descent, first_entry,
    move_towards, number, scalar,
)
# isort: on
from minigrad.tensors.tensor import Tensor


class NAdam(Optimizer):
    """NAdam [1]_: `Adam` with Nesterov's momentum, which is warmed up.

    With g the gradient (its negative, to `maximize`) in step t = 1, 2, ...::

        g = g + weight_decay * p                     (p = p - lr * weight_decay * p, if decoupled)
        m = m + (1 - beta1) * (g - m)
        v = beta2 * v + (1 - beta2) * g²
        μ = beta1 * (1 - 0.96^(t * momentum_decay) / 2)            (μ' likewise, for t + 1)
        d = √(v / (1 - beta2^t)) + eps
        p = p - lr * (1 - μ) / (1 - Πμ) * g / d                    (Πμ: the product of μ in all steps so far)
        p = p - lr * μ' / (1 - Πμ * μ') * m / d

    in this order of operations, which is torch's [2]_.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor) pairs, or of dict
        What to optimise, see `Optimizer`.
    lr : float or Tensor of one element
        Size of a step, about.
    betas : pair of float
        How slowly the two means forget, each at least 0 and below 1.
    eps, weight_decay, momentum_decay : float
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
    .. [1] T. Dozat, Incorporating Nesterov momentum into Adam, ICLR 2016.
    .. [2] https://docs.pytorch.org/docs/stable/generated/torch.optim.NAdam.html

    Examples
    --------
    >>> import minigrad as torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> opt = NAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([0.8944, 1.8944], requires_grad=True)
    """

    def __init__(
        self, params: Params, lr: float | Tensor = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, *,
        foreach: bool | None = None, maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_numbers(lr, epsilon=eps, weight_decay=weight_decay, momentum_decay=momentum_decay)
        check_betas(betas)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        })  # fmt: skip

    def update(self, p: Tensor, g: Array, group: Group, held: Array, spare: Array) -> None:
        """Take one step with one parameter."""
        array, dtype, lr, state = p.array, p.array.dtype, scalar(group["lr"]), self.state[p]
        if not state:
            averages = first_entry(p, "exp_avg", "exp_avg_sq")
            step = averages.pop("step")
            state.update(step=step, mu_product=step + 1, **averages)
        t, m, v = count_step(state), state["exp_avg"].array, state["exp_avg_sq"].array
        beta1, beta2 = group["betas"]
        g = decayed_descent(array, g, group, held, spare)
        move_towards(m, g, 1 - beta1, spare)
        decay_squares(v, g, beta2, spare)
        mu, following = (beta1 * (1 - 0.5 * 0.96 ** (i * group["momentum_decay"])) for i in (t, t + 1))
        product = state["mu_product"].array
        product.fill(product * number(mu, product.dtype))
        divisor = np.add(np.sqrt(np.divide(v, number(1 - beta2**t, dtype), spare), spare), number(group["eps"], dtype), spare)
        shares = (g, lr * (1 - mu) / (1 - product.item())), (m, lr * following / (1 - product.item() * following))
        for direction, rate in shares:
            np.subtract(array, np.divide(np.multiply(direction, number(rate, dtype), held), divisor, held), array)
