"""RMSprop."""

from __future__ import annotations

import numpy as np

# isort: off
from minigrad.optim.optimizer import (
    Array, Group, Optimizer, Params, check_numbers, count_step, decay_squares, descent, first_entry, move_towards,
    number, scalar,
)
# isort: on
from minigrad.tensors.tensor import Tensor


class RMSprop(Optimizer):
    """RMSprop [1]_: the gradient divided by the root of the running mean of its square.

    With g the gradient (its negative, to `maximize`)::

        g = g + weight_decay * p
        v = alpha * v + (1 - alpha) * g²
        d = √v + eps                                 (√(v - m²) + eps with `centered`,
                                                      where m = m + (1 - alpha) * (g - m))
        p = p - lr * g / d                           (p - lr * b with `momentum`, where b = momentum * b + g / d)

    in this order of operations, which is torch's [2]_ (it multiplies by lr before it divides).

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor) pairs, or of dict
        What to optimise, see `Optimizer`.
    lr : float or Tensor of one element
        Learning rate.
    alpha : float
        How slowly the means forget.
    eps, weight_decay, momentum : float
        The numbers in the formulas.
    centered, maximize : bool
        As described above.
    foreach
        How torch groups the same arithmetic; makes no difference here.
    capturable, differentiable
        Only False is supported.

    Raises
    ------
    ValueError
        If a number is negative.
    NotImplementedError
        If `capturable` or `differentiable` is true.

    References
    ----------
    .. [1] G. Hinton, Neural networks for machine learning, lecture 6, 2012; `centered`: A. Graves, Generating sequences
       with recurrent neural networks, 2013.
    .. [2] https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html

    Examples
    --------
    >>> import minigrad as torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> opt = RMSprop([w], lr=0.01)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0,
        momentum: float = 0, centered: bool = False, capturable: bool = False, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_numbers(lr, epsilon=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered, "weight_decay": weight_decay,
            "capturable": capturable, "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
        })  # fmt: skip

    def update(self, p: Tensor, g: Array, group: Group, held: Array, spare: Array) -> None:
        """Take one step with one parameter."""
        array, dtype, lr, state = p.array, p.array.dtype, scalar(group["lr"]), self.state[p]
        alpha, momentum, centered = group["alpha"], group["momentum"], group["centered"]
        if not state:
            buffers = {"square_avg": True, "momentum_buffer": momentum > 0, "grad_avg": centered}
            state.update(first_entry(p, *[name for name, used in buffers.items() if used]))
        count_step(state)
        v = state["square_avg"].array
        g = descent(array, g, group["maximize"], group["weight_decay"], held, spare)
        decay_squares(v, g, alpha, spare)
        if centered:
            m = state["grad_avg"].array
            move_towards(m, g, 1 - alpha, spare)
            v = np.subtract(v, np.square(m, spare), spare)
        divisor = np.add(np.sqrt(v, spare), number(group["eps"], dtype), spare)
        if momentum > 0:
            buffer = state["momentum_buffer"].array
            np.add(np.multiply(buffer, number(momentum, dtype), buffer), np.divide(g, divisor, spare), buffer)
            np.subtract(array, np.multiply(buffer, number(lr, dtype), spare), array)
        else:
            np.subtract(array, np.divide(np.multiply(g, number(lr, dtype), held), divisor, spare), array)
