"""Adam and AdamW scale the step of each element by the size of its past gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

# isort: off
from minigrad.optim.optimizer import (
    Array, Group, Optimizer, Params, check_betas, check_numbers, count_step, decay_squares, decayed_descent, first_entry,
    move_towards, number, scalar,
)
# isort: on
from minigrad.tensors.tensor import Tensor


class Adam(Optimizer):
    """Adam [1]_: running means of the gradient and of its square decide direction and size of a step.

    With g the gradient (its negative, to `maximize`) in step t = 1, 2, ...::

        g = g + weight_decay * p                     (p = p - lr * weight_decay * p, if decoupled)
        m = m + (1 - beta1) * (g - m)
        v = beta2 * v + (1 - beta2) * g²
        p = p - lr / (1 - beta1^t) * m / (√v / √(1 - beta2^t) + eps)

    as in torch [2]_; with `amsgrad` the largest v so far takes the place of v. Only the last line is computed a little
    differently: numerator and denominator times √(1 - beta2^t), which makes it one pass through the memory less.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor) pairs, or of dict
        What to optimise, see `Optimizer`.
    lr : float or Tensor of one element
        Size of a step, about.
    betas : pair of float, or of Tensor
        How slowly the two means forget, each at least 0 and below 1.
    eps : float
        Keeps the divisor from 0.
    weight_decay : float
        Pulls parameters towards 0.
    amsgrad, maximize, decoupled_weight_decay : bool
        As described above.
    foreach, fused
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
    .. [2] https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html

    Examples
    --------
    >>> import minigrad as torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> opt = Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([0.9000, 1.9000], requires_grad=True)
    """

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-3, betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, amsgrad: bool = False, *, foreach: bool | None = None,
        maximize: bool = False, capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:  # fmt: skip
        check_numbers(lr, epsilon=eps, weight_decay=weight_decay)
        for i, beta in enumerate(betas):
            if isinstance(beta, Tensor) and beta.array.size != 1:
                raise ValueError(f"Tensor betas[{i}] must be 1-element, got shape {list(beta.array.shape)}")
        check_betas(betas)
        if foreach and not capturable and any(isinstance(each, Tensor) for each in (lr, *betas)):
            raise ValueError("lr or betas as a Tensor is not supported for capturable=False and foreach=True")
        if not any(all(isinstance(beta, kind) for beta in betas) for kind in (float, Tensor)):
            raise ValueError(f"betas must be either both floats or both Tensors, got {betas}")
        super().__init__(params, {
            "lr": lr, "betas": tuple(beta.squeeze() if isinstance(beta, Tensor) else beta for beta in betas),
            "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable, "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        })  # fmt: skip

    def update(self, p: Tensor, g: Array, group: Group, held: Array, spare: Array) -> None:
        """Take one step with one parameter."""
        array, dtype, lr, state = p.array, p.array.dtype, scalar(group["lr"]), self.state[p]
        if not state:
            state.update(first_entry(p, "exp_avg", "exp_avg_sq", *["max_exp_avg_sq"] * group["amsgrad"]))
        t, m, v = count_step(state), state["exp_avg"].array, state["exp_avg_sq"].array
        beta1, beta2 = map(scalar, group["betas"])
        root = (1 - beta2**t) ** 0.5
        g = decayed_descent(array, g, group, held, spare)
        move_towards(m, g, 1 - beta1, spare)
        decay_squares(v, g, beta2, spare)
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"].array
            v = np.maximum(largest, v, out=largest)
        divisor = np.add(np.sqrt(v, spare), number(group["eps"] * root, dtype), spare)
        step = np.multiply(np.divide(m, divisor, spare), number(lr * root / (1 - beta1**t), dtype), spare)
        np.subtract(array, step, array)


class AdamW(Adam):
    """Adam with weight decay that goes past the means: ``p = p - lr * weight_decay * p`` [1]_, 0.01 unless given.

    Everything else is as in `Adam`.

    References
    ----------
    .. [1] I. Loshchilov and F. Hutter, Decoupled weight decay regularization, ICLR 2019.

    Examples
    --------
    >>> import minigrad as torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> opt = AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([0.8500, 1.8000], requires_grad=True)
    """

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-3, betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False,
        foreach: bool | None = None, capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # whatever the checkpoint was made with
            group["decoupled_weight_decay"] = True
