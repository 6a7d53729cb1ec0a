"""Adam: steps scaled, for each element, by how large its gradients have been."""

from __future__ import annotations

import numpy as np

from minigrad.autograd import wrap
from minigrad.optim.optimizer import Group, Optimizer, Params
from minigrad.tensor import Tensor


class Adam(Optimizer):
    """Adam [1]_: running means of the gradient and of its square decide direction and size of a step.

    With g the gradient (its negative, to `maximize`) in step t = 1, 2, ...::

        g = g + weight_decay * p
        m = m + (1 - beta1) * (g - m)
        v = beta2 * v + (1 - beta2) * g²
        p = p - lr / (1 - beta1^t) * m / (√v / √(1 - beta2^t) + eps)

    in this order of operations, which is torch's [2]_; with `amsgrad` the largest v so far takes the place of v.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor) pairs, or of dict
        What to optimise, see `Optimizer`.
    lr : float
        Size of a step, about.
    betas : pair of float
        How slowly the two means forget, each at least 0 and below 1.
    eps : float
        Keeps the divisor from 0.
    weight_decay : float
        Pulls parameters towards 0.
    amsgrad, maximize : bool
        As described above.
    foreach, capturable, differentiable, fused, decoupled_weight_decay
        torch's other ways; only None and False are supported.

    Raises
    ------
    ValueError
        If a number is out of range.
    NotImplementedError
        If one of torch's other ways is asked for.

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
        self, params: Params, lr: float | Tensor = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, amsgrad: bool = False, *, foreach: bool | None = None, maximize: bool = False,
        capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:  # fmt: skip
        if capturable or decoupled_weight_decay:
            name = "capturable" if capturable else "decoupled_weight_decay"
            raise NotImplementedError(f"Adam: {name}=True is not supported; omit it")
        for name, value in (("learning rate", lr), ("epsilon value", eps), ("weight_decay value", weight_decay)):
            if value < 0.0:
                raise ValueError(f"Invalid {name}: {value}; it must not be negative")
        for i, beta in enumerate(betas):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}; it must be at least 0 and below 1")
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad, "maximize": maximize,
            "foreach": foreach, "capturable": capturable, "differentiable": differentiable, "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        })  # fmt: skip

    def update(self, p: Tensor, group: Group) -> None:
        """Take one step with one parameter."""
        array, g = p.array, p.grad.array  # type: ignore[union-attr]
        a, b = self.scratch(p)
        beta1, beta2 = group["betas"]
        state = self.state[p]
        if not state:
            state["step"] = wrap(np.zeros((), np.float32))
            for name in ("exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if group["amsgrad"] else [])):
                state[name] = wrap(np.zeros_like(array))
        state["step"].array += 1
        t, m, v = int(state["step"].array), state["exp_avg"].array, state["exp_avg_sq"].array
        if group["maximize"]:
            g = np.negative(g, out=a)
        if group["weight_decay"] != 0:
            g = np.add(g, np.multiply(array, float(group["weight_decay"]), out=b), out=a)
        np.add(m, np.multiply(np.subtract(g, m, out=b), 1 - beta1, out=b), out=m)
        np.multiply(np.multiply(g, g, out=b), 1 - beta2, out=b)
        np.add(np.multiply(v, beta2, out=v), b, out=v)
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"].array
            v = np.maximum(largest, v, out=largest)
        divisor = np.sqrt(v, out=b)
        np.add(np.divide(divisor, (1 - beta2**t) ** 0.5, out=b), float(group["eps"]), out=b)
        step = np.multiply(np.divide(m, b, out=b), float(group["lr"]) / (1 - beta1**t), out=b)
        np.subtract(array, step, out=array)
