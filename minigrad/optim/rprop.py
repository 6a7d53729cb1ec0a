"""Resilient backpropagation."""

from __future__ import annotations

import numpy as np

from minigrad.autograd import wrap
from minigrad.optim.optimizer import Array, Group, Optimizer, Params, check_numbers, count_step, first_entry, number, scalar
from minigrad.tensors.tensor import Tensor


class Rprop(Optimizer):
    """A step size for each element, which follows the signs of its gradients alone [1]_; for whole sets of data, not for batches.

    With g the gradient (its negative, to `maximize`)::

        size = size * etas[1]   where the sign of g is as in the step before
        size = size * etas[0]   where it has changed; there g counts as 0
        p = p - size * sign(g)

    and each size is kept within `step_sizes`.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor) pairs, or of dict
        What to optimise, see `Optimizer`.
    lr : float or Tensor of one element
        The size of all steps in the beginning.
    etas : pair of float
        How sizes shrink and grow.
    step_sizes : pair of float
        The smallest and the largest size.
    maximize : bool
        Climb instead of descend.
    foreach
        How torch groups the same arithmetic; makes no difference here.
    capturable, differentiable
        Only False is supported.

    Raises
    ------
    ValueError
        If `lr` is negative, or the `etas` are not below and above 1.
    NotImplementedError
        If `capturable` or `differentiable` is true.

    References
    ----------
    .. [1] M. Riedmiller and H. Braun, A direct adaptive method for faster backpropagation learning: the RPROP algorithm, ICNN 1993.

    Examples
    --------
    >>> import minigrad as torch
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> opt = Rprop([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    def __init__(
        self, params: Params, lr: float | Tensor = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_numbers(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}; the first is between 0 and 1, the second above 1")
        super().__init__(params, {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def update(self, p: Tensor, g: Array, group: Group, held: Array, spare: Array) -> None:
        """Take one step with one parameter."""
        array, dtype, state = p.array, p.array.dtype, self.state[p]
        if not state:
            state.update(first_entry(p, "prev"), step_size=wrap(np.full_like(g, scalar(group["lr"]))))
        count_step(state)
        before, size = state["prev"].array, state["step_size"].array
        shrink, grow = group["etas"]
        np.copyto(held, g)
        if group["maximize"]:
            np.negative(held, held)
        agreement = np.multiply(held, before, before)
        mask = self._pool[1, : array.size].view(bool).reshape(array.shape)  # in the memory of `spare`
        np.multiply(size, number(grow, dtype), size, where=np.greater(agreement, 0, mask))
        np.multiply(size, number(shrink, dtype), size, where=np.less(agreement, 0, mask))
        np.copyto(held, 0, where=mask)
        np.clip(size, *group["step_sizes"], out=size)
        np.copyto(before, held)
        np.subtract(array, np.multiply(np.sign(held, spare), size, spare), array)
