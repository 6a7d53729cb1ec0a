"""What several distributions share: parameters of one shape, probabilities and their logits."""

from __future__ import annotations

import functools
from typing import Any

from minigrad.arrays.dtypes import finfo, get_default_dtype
from minigrad.autograd import enable_grad
from minigrad.ops.elementwise import log, log1p, sigmoid
from minigrad.ops.reduction import softmax
from minigrad.ops.shape import broadcast_tensors
from minigrad.tensors.creation import tensor
from minigrad.tensors.tensor import Tensor


class lazy_property(functools.cached_property[Any]):
    """An attribute that is computed when it is first read.

    It is recorded even under `no_grad`: a later reader may want its gradient.
    """

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        with enable_grad():
            return super().__get__(instance, owner)


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Bring tensors and numbers to one shape; numbers get the dtype of the first tensor.

    Raises
    ------
    ValueError
        If a value is neither.

    Examples
    --------
    >>> broadcast_all(0, tensor([1.0, 2.0]))
    (tensor([0., 0.]), tensor([1., 2.]))
    """
    for value in values:
        if not isinstance(value, (Tensor, bool, int, float)):
            raise ValueError("Input arguments must all be instances of Number, torch.Tensor or objects implementing "
                             f"__torch_function__; got {type(value).__name__}.")
    dtype = next((value.dtype for value in values if isinstance(value, Tensor)), get_default_dtype())
    return tuple(broadcast_tensors(*(v if isinstance(v, Tensor) else tensor(v, dtype=dtype) for v in values)))


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities moved away from 0 and 1, by the smallest step that the dtype has at 1."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Log odds, if each probability is one of yes and no; else the logarithms of rows of probabilities."""
    clamped = clamp_probs(probs)
    return log(clamped) - log1p(-clamped) if is_binary else log(clamped)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """The inverse of `probs_to_logits`; rows need not be normalised."""
    return sigmoid(logits) if is_binary else softmax(logits, -1)


def sum_rightmost(value: Tensor, dim: int) -> Tensor:
    """The sum over the last `dim` dimensions."""
    return value.reshape(*value.shape[:-dim], -1).sum(-1) if dim else value
