"""Clipping: limits on the gradients of many parameters at once."""

from __future__ import annotations

import types
import warnings
from collections.abc import Iterable

import numpy as np

from minigrad.arrays.dtypes import get_default_dtype
from minigrad.autograd import no_grad, wrap
from minigrad.ops.matrix import norm
from minigrad.ops.shape import cat
from minigrad.tensors.tensor import Tensor

Tensors = Tensor | Iterable[Tensor]


def _listed(tensors: Tensors) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _gradients(parameters: Tensors) -> list[Tensor]:
    return [p.grad for p in _listed(parameters) if p.grad is not None]


@no_grad()
def get_total_norm(
    tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The norm of several tensors, as of one vector, as torch.nn.utils.get_total_norm.

    Parameters
    ----------
    tensors : Tensor or iterable of Tensor
        Of any shapes; of a floating-point dtype.
    norm_type : float
        The p of the p-norm; may be ``inf``.
    error_if_nonfinite : bool
        Raise a RuntimeError if the norm is infinite or nan.
    foreach
        How torch groups the same arithmetic; makes no difference here.

    Returns
    -------
    Tensor
        Of shape (); 0 for no tensors.
    """
    tensors, p = _listed(tensors), float(norm_type)
    if not tensors:
        return wrap(np.zeros((), get_default_dtype().numpy))
    total = norm(cat([norm(t, p).reshape(1) for t in tensors]), p)
    if error_if_nonfinite and not total.isfinite():
        raise RuntimeError(f"The total norm of order {p} for gradients from `parameters` is non-finite, so it cannot be clipped. "
                           "To disable this error and scale the gradients by it anyway, set `error_if_nonfinite=False`")
    return total


@no_grad()
def clip_grads_with_norm_(parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None) -> None:
    """Multiply all gradients by ``max_norm / total_norm``, if that is below 1, as torch.nn.utils.clip_grads_with_norm_."""
    factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
    for grad in _gradients(parameters):
        grad.mul_(factor)


def clip_grad_norm_(
    parameters: Tensors, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """Scale the gradients of all parameters, if their norm is larger than `max_norm`, as torch.nn.utils.clip_grad_norm_.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Whose gradients to change, in place; those without one are skipped.
    max_norm : float
        What the norm of all gradients together may be at most.
    norm_type, error_if_nonfinite, foreach
        As in `get_total_norm`.

    Returns
    -------
    Tensor
        The norm before, of shape ().

    Examples
    --------
    >>> import minigrad as torch
    >>> w = torch.zeros(2, requires_grad=True)
    >>> (w * torch.tensor([3.0, 4.0])).sum().backward()
    >>> clip_grad_norm_(w, max_norm=1.0)
    tensor(5.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    listed = _listed(parameters)
    if isinstance(parameters, types.GeneratorType) and not listed:
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2)
    total = get_total_norm(_gradients(listed), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(listed, max_norm, total)
    return total


@no_grad()
def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Bring each element of the gradients between ``-clip_value`` and `clip_value`, as torch.nn.utils.clip_grad_value_."""
    for grad in _gradients(parameters):
        grad.clamp_(-float(clip_value), float(clip_value))
