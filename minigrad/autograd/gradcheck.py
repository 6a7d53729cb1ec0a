"""`gradcheck` and `gradgradcheck`: derivatives held against finite differences."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.autograd.engine import grad, sequence
from minigrad.autograd.tensor_base import TensorBase, wrap


class GradcheckError(RuntimeError):
    """What `gradcheck` raises where a derivative is wrong."""


def gradcheck(
    func: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
    raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True, check_grad_dtypes: bool = False,
    check_batched_grad: bool = False, check_batched_forward_grad: bool = False, check_forward_ad: bool = False,
    check_backward_ad: bool = True, fast_mode: bool = False, masked: bool | None = None,
) -> bool:
    """Compare derivatives with central differences, along one random direction per input.

    For an output f and random directions u, v: v·(f(x + εu) - f(x - εu)) / 2ε must equal (vᵀ∂f/∂x)·u. One direction finds an
    error in any element, with probability 1, at the price of two evaluations. (torch calls that `fast_mode`.)

    Parameters
    ----------
    func : callable
        Tensors to a tensor or a tuple of tensors.
    inputs : Tensor or sequence of Tensor
        Arguments; those that require a gradient are checked, and should be float64.
    eps, atol, rtol : float
        Step of the difference; tolerances as in `numpy.allclose`.
    raise_exception : bool
        Raise where the two differ; otherwise return False.
    nondet_tol : float
        By how much the gradients of a second pass may differ.
    check_undefined_grad : bool
        Also check that backward passes zeros on, and can do without the gradients of all outputs but one.
    check_grad_dtypes : bool
        Also check that gradients have the dtypes of the inputs.
    check_batched_grad, check_batched_forward_grad, check_forward_ad, check_backward_ad : bool
        Only the default is supported: there is neither `vmap` nor a forward mode.
    fast_mode, masked : bool
        Without effect: there is only the fast mode, and no tensor is sparse.

    Returns
    -------
    bool
        True if all agree.

    Raises
    ------
    GradcheckError
        If they do not, and `raise_exception`.
    ValueError
        If no input requires a gradient.

    Examples
    --------
    >>> import minigrad as torch
    >>> gradcheck(torch.sin, torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True))
    True
    """
    _refuse("gradcheck", check_batched_grad=check_batched_grad, check_batched_forward_grad=check_batched_forward_grad,
            check_forward_ad=check_forward_ad)
    if not check_backward_ad:
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    inputs = sequence(inputs)
    checked = _checked(inputs)
    try:
        outputs = _compare_with_differences(func, inputs, checked, eps, atol, rtol, nondet_tol, check_grad_dtypes)
        if check_undefined_grad:
            _check_undefined_grad(outputs, checked)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _refuse(name: str, **flags: bool) -> None:
    for flag, value in flags.items():
        if value:
            raise NotImplementedError(f"{name}(): {flag}=True is not supported, since there is neither vmap nor a forward mode")


def _checked(inputs: Sequence[Any]) -> list[Any]:
    """The inputs that require a gradient."""
    checked = [t for t in inputs if isinstance(t, TensorBase) and t._requires_grad]
    if not checked:
        raise ValueError("gradcheck expects at least one input tensor to require gradient, but none of them have "
                         "requires_grad=True.")
    for number, t in enumerate(inputs):
        if any(t is each for each in checked) and t.array.dtype != np.float64:
            warnings.warn(f"Input #{number} requires gradient and is not a double precision floating point or complex. This check "
                          "will likely fail if all the inputs are not of double precision floating point or complex.", stacklevel=3)
    return checked


def _compare_with_differences(
    func: Callable[..., Any], inputs: Sequence[Any], checked: Sequence[Any], eps: float, atol: float, rtol: float,
    nondet_tol: float, check_grad_dtypes: bool,
) -> list[Any]:
    """Make the comparison; return the outputs that require a gradient."""
    rng = np.random.default_rng(0)
    outputs = sequence(func(*inputs))
    differentiable = [o for o in outputs if o._requires_grad]
    places = [i for i, o in enumerate(outputs) if o._requires_grad or not differentiable]  # of a constant, differences must be 0
    v = [rng.standard_normal(outputs[i].array.shape) for i in places]
    analytic: Sequence[Any] = [None] * len(checked)
    if differentiable:
        vectors = [wrap(w.astype(o.array.dtype)) for o, w in zip(differentiable, v, strict=True)]
        analytic, again = (grad(differentiable, checked, vectors, True, allow_unused=True) for _ in range(2))
        _check_repeatable(analytic, again, nondet_tol)
    for number, (t, g) in enumerate(zip(checked, analytic, strict=True)):
        if check_grad_dtypes and g is not None and g.array.dtype != t.array.dtype:
            raise GradcheckError(f"gradcheck: Gradient has dtype mismatch: {g.array.dtype} for an input of {t.array.dtype}")
        if t.array.size == 0:
            continue  # no element to move
        u = rng.standard_normal(t.array.shape)
        centre, values = t.array.copy(), []
        for sign in (1.0, -1.0):
            t.array[...] = centre + sign * eps * u
            shifted = sequence(func(*inputs))
            values.append(sum((shifted[i].array * w).sum() for i, w in zip(places, v, strict=True)))
            t.array[...] = centre
        numeric = (values[0] - values[1]) / (2 * eps)
        computed = 0.0 if g is None else (g.array * u).sum()
        if not np.allclose(computed, numeric, rtol, atol):
            raise GradcheckError(f"gradcheck: along a random direction of input {number}, of shape {list(t.array.shape)}, the "
                                 f"derivative is {computed}, but differences give {numeric}")
    return differentiable


def _check_repeatable(first: Sequence[Any], second: Sequence[Any], tolerance: float) -> None:
    for a, b in zip(first, second, strict=True):
        if a is not None and b is not None and np.abs(a.array - b.array).max(initial=0.0) > tolerance:
            raise GradcheckError("gradcheck: Backward is not reentrant, i.e., running backward with same input and grad_output "
                                 f"multiple times gives different values. The tolerance for nondeterminism was {tolerance}.")


def _check_undefined_grad(outputs: Sequence[Any], checked: Sequence[Any]) -> None:
    for output in outputs:  # the others then have no gradient
        try:
            found = grad(output, checked, wrap(np.zeros_like(output.array)), True, allow_unused=True)
        except RuntimeError as error:
            raise GradcheckError("gradcheck: Expected backward function to handle undefined output grads; one of the outputs alone "
                                 f"was differentiated, and it said: {error}") from error
        if any(g is not None and g.array.any() for g in found):
            raise GradcheckError("gradcheck: Expected all input grads to be undefined or zero when all output grads are undefined "
                                 "or zero.")


def gradgradcheck(
    func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, gen_non_contig_grad_outputs: bool = False,
    check_fwd_over_rev: bool = False, check_rev_over_rev: bool = True, **options: Any,
) -> bool:
    """`gradcheck` of the gradients that `func` gives: checks second derivatives.

    Parameters
    ----------
    func, inputs, options
        As in `gradcheck`.
    grad_outputs : Tensor or sequence of Tensor, optional
        The vectors in the first vector-Jacobian product. Default: random ones.
    gen_non_contig_grad_outputs : bool
        Let the random vectors have gaps in memory.
    check_fwd_over_rev, check_rev_over_rev : bool
        Only the default is supported: there is no forward mode.
    """
    _refuse("gradgradcheck", check_fwd_over_rev=check_fwd_over_rev)
    if not check_rev_over_rev:
        raise AssertionError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    inputs = sequence(inputs)
    outputs = sequence(func(*inputs))
    keep = [i for i, o in enumerate(outputs) if o._requires_grad]
    rng, gaps = np.random.default_rng(1), 2 if gen_non_contig_grad_outputs else 1
    vectors = sequence(grad_outputs) or [
        wrap(rng.standard_normal((*outputs[i].array.shape, gaps))[..., 0], requires_grad=True) for i in keep]

    def first(*args: Any) -> Any:
        xs, vs = args[: len(inputs)], args[len(inputs) :]
        results = sequence(func(*xs))
        checked = [t for t in xs if isinstance(t, TensorBase) and t._requires_grad]
        found = grad([results[i] for i in keep], checked, list(vs), create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(first, [*inputs, *vectors], **options)
