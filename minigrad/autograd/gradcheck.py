"""`gradcheck` and `gradgradcheck`: derivatives held against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.autograd.engine import grad, sequence
from minigrad.autograd.tensor_base import TensorBase, wrap


def gradcheck(
    func: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Compare derivatives with central differences, along one random direction per input (in float64).

    For an output f and random directions u, v: v·(f(x + εu) - f(x - εu)) / 2ε must equal (vᵀ∂f/∂x)·u. One direction finds an
    error in any element, with probability 1, at the price of two evaluations.

    Parameters
    ----------
    func : callable
        Tensors to a tensor or a tuple of tensors.
    inputs : Tensor or sequence of Tensor
        Arguments; those that require a gradient are checked and must be float64.
    eps, atol, rtol : float
        Step of the difference; tolerances as in `numpy.allclose`.
    raise_exception : bool
        Raise where the two differ; otherwise return False.

    Returns
    -------
    bool
        True if all agree.
    """
    inputs = sequence(inputs)
    checked = [t for t in inputs if isinstance(t, TensorBase) and t._requires_grad]
    if not checked or any(t.array.dtype != np.float64 for t in checked):
        raise ValueError("gradcheck: at least one input must require a gradient, and those that do must be float64")
    rng = np.random.default_rng(0)
    outputs = [o for o in sequence(func(*inputs)) if o._requires_grad]
    if not outputs:
        raise ValueError("gradcheck: the function has no output that requires a gradient")
    keep = [i for i, o in enumerate(sequence(func(*inputs))) if o._requires_grad]
    v = [rng.standard_normal(o.array.shape) for o in outputs]
    analytic = grad(outputs, checked, [wrap(w) for w in v], allow_unused=True)
    for number, (t, g) in enumerate(zip(checked, analytic, strict=True)):
        if t.array.size == 0:
            continue  # no element to move
        u = rng.standard_normal(t.array.shape)
        centre, values = t.array.copy(), []
        for sign in (1.0, -1.0):
            t.array[...] = centre + sign * eps * u
            shifted = sequence(func(*inputs))
            values.append(sum((shifted[i].array * w).sum() for i, w in zip(keep, v, strict=True)))
            t.array[...] = centre
        numeric = (values[0] - values[1]) / (2 * eps)
        computed = 0.0 if g is None else (g.array * u).sum()
        if not np.allclose(computed, numeric, rtol, atol):
            if raise_exception:
                raise RuntimeError(f"gradcheck: along a random direction of input {number}, of shape "
                                   f"{list(t.array.shape)}, the derivative is {computed}, but differences give {numeric}")
            return False
    return True


def gradgradcheck(func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, **tolerances: Any) -> bool:
    """`gradcheck` of the gradients that `func` gives: checks second derivatives.

    Parameters
    ----------
    func, inputs, tolerances
        As in `gradcheck`.
    grad_outputs : Tensor or sequence of Tensor, optional
        The vectors in the first vector-Jacobian product. Default: random ones.
    """
    inputs = sequence(inputs)
    outputs = [o for o in sequence(func(*inputs)) if o._requires_grad]
    keep = [i for i, o in enumerate(sequence(func(*inputs))) if o._requires_grad]
    rng = np.random.default_rng(1)
    vectors = sequence(grad_outputs) or [wrap(rng.standard_normal(o.array.shape), requires_grad=True) for o in outputs]

    def first(*args: Any) -> Any:
        xs, vs = args[: len(inputs)], args[len(inputs) :]
        results = sequence(func(*xs))
        checked = [t for t in xs if isinstance(t, TensorBase) and t._requires_grad]
        found = grad([results[i] for i in keep], checked, list(vs), create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(first, [*inputs, *vectors], **tolerances)
