"""Stochastic gradient descent."""

from __future__ import annotations

import numpy as np

from minigrad.autograd import wrap
from minigrad.optim.optimizer import Array, Group, Optimizer, Params, check_numbers, descent, number, scalar
from minigrad.tensors.tensor import Tensor


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum on request.

    With g the gradient (its negative, to `maximize`), one step is::

        g = g + weight_decay * p
        b = momentum * b + (1 - dampening) * g       (b = g in the first step)
        p = p - lr * b                               (lr * (g + momentum * b) with `nesterov`)

    in this order of operations, which is torch's [1]_. torch's kernels round ``p - lr * g`` once (fused multiply-add),
    NumPy rounds the product, too: the last bit may differ. To avoid that, in float64, would take five times as long.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor) pairs, or of dict
        What to optimise, see `Optimizer`.
    lr : float or Tensor of one element
        Learning rate.
    momentum, dampening, weight_decay : float
        The numbers in the formulas.
    nesterov : bool
        Nesterov's momentum [2]_: step along the direction that the next step will see.
    maximize : bool
        Climb instead of descend.
    foreach, fused
        How torch groups the same arithmetic; makes no difference here.
    differentiable
        Only False is supported.

    Raises
    ------
    ValueError
        If `lr`, `momentum` or `weight_decay` is negative, or `nesterov` is given without momentum or with dampening.
    NotImplementedError
        If `differentiable` is true.

    References
    ----------
    .. [1] https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html
    .. [2] I. Sutskever et al., On the importance of initialization and momentum in deep learning, ICML 2013.

    Examples
    --------
    >>> import minigrad as torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> opt = SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([0.8000, 1.6000], requires_grad=True)
    """

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-3, momentum: float = 0, dampening: float = 0,
        weight_decay: float | Tensor = 0, nesterov: bool = False, *, maximize: bool = False, foreach: bool | None = None,
        differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        check_numbers(lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening, got "
                             f"momentum={momentum} and dampening={dampening}")
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov,
            "maximize": maximize, "foreach": foreach, "differentiable": differentiable, "fused": fused,
        })  # fmt: skip

    def update(self, p: Tensor, g: Array, group: Group, held: Array, spare: Array) -> None:
        """Take one step with one parameter."""
        array, momentum, maximize, decay = p.array, group["momentum"], group["maximize"], group["weight_decay"]
        if maximize or decay != 0:  # asked here, too, to spare the most frequent case a call
            g = descent(array, g, maximize, decay, held, spare)
        if momentum != 0:
            average = self._average(p, g, scalar(momentum), scalar(group["dampening"]), spare)
            seen_next = group["nesterov"]
            g = np.add(g, np.multiply(average, number(scalar(momentum), array.dtype), spare), held) if seen_next else average
        np.subtract(array, np.multiply(g, number(scalar(group["lr"]), array.dtype), spare), array)

    def _average(self, p: Tensor, g: Array, momentum: float, dampening: float, spare: Array) -> Array:
        """The momentum buffer, with `g` taken into account."""
        state = self.state[p]
        if state.get("momentum_buffer") is None:
            state["momentum_buffer"] = wrap(np.empty_like(p.array))
            average = state["momentum_buffer"].array
            average[...] = g
        else:
            average = state["momentum_buffer"].array
            np.multiply(average, number(momentum, spare.dtype), average)
            np.add(average, g if dampening == 0 else np.multiply(g, 1 - dampening, spare), average)
        return average
