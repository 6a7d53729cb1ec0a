"""Adagrad."""

from __future__ import annotations

import numpy as np

# isort: off
from minigrad.optim.optimizer import (
    Array, Group, Optimizer, Params, check_numbers, count_step, descent, first_entry, number, scalar,
)
# isort: on
from minigrad.tensors.tensor import Tensor


class Adagrad(Optimizer):
    """Adagrad [1]_: the gradient divided by the root of the sum of all its squares so far.

    With g the gradient (its negative, to `maximize`) in step t = 1, 2, ...::

        g = g + weight_decay * p
        s = s + g²
        p = p - lr / (1 + (t - 1) * lr_decay) * g / (√s + eps)

    in this order of operations, which is torch's [2]_ (it multiplies by the rate before it divides).

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor) pairs, or of dict
        What to optimise, see `Optimizer`.
    lr : float or Tensor of one element
        Learning rate.
    lr_decay, weight_decay, eps : float
        The numbers in the formulas.
    initial_accumulator_value : float
        What s starts from.
    maximize : bool
        Climb instead of descend.
    foreach, fused
        How torch groups the same arithmetic; makes no difference here.
    differentiable
        Only False is supported.

    Raises
    ------
    ValueError
        If a number is negative.
    NotImplementedError
        If `differentiable` is true.

    References
    ----------
    .. [1] J. Duchi, E. Hazan and Y. Singer, Adaptive subgradient methods, JMLR 2011.
    .. [2] https://docs.pytorch.org/docs/stable/generated/torch.optim.Adagrad.html

    Examples
    --------
    >>> import minigrad as torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> opt = Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *, maximize: bool = False,
        differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        check_numbers(lr, lr_decay=lr_decay, weight_decay=weight_decay, epsilon=eps,
                      initial_accumulator_value=initial_accumulator_value)  # fmt: skip
        super().__init__(params, {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused,
        })  # fmt: skip
        for p in self._params(self.param_groups):
            self._start(p)

    def _start(self, p: Tensor) -> None:
        self.state[p].update(first_entry(p, "sum", value=self.defaults["initial_accumulator_value"]))

    def update(self, p: Tensor, g: Array, group: Group, held: Array, spare: Array) -> None:
        """Take one step with one parameter."""
        if p not in self.state:  # of a group added later
            self._start(p)
        array, state = p.array, self.state[p]
        rate = scalar(group["lr"]) / (1 + (count_step(state) - 1) * group["lr_decay"])
        g = descent(array, g, group["maximize"], group["weight_decay"], held, spare)
        total = state["sum"].array
        np.add(total, np.square(g, spare), total)
        divisor = np.add(np.sqrt(total, spare), number(group["eps"], array.dtype), spare)
        np.subtract(array, np.divide(np.multiply(g, number(rate, array.dtype), held), divisor, spare), array)
