"""Losses of classes, of numbers and of likelihoods; `functional` has them under torch's names.

Each checks its arguments and calls an operation of `minigrad.ops.loss`, where value and derivative stand.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import autograd
from minigrad.nn.reduction import checked, reduced
from minigrad.ops import dims, shape, special
from minigrad.ops import loss as losses
from minigrad.ops.reduction import log_softmax

if TYPE_CHECKING:
    from minigrad.tensors.tensor import Tensor


def _constant(name: str, weight: Tensor | None) -> Any:
    """A weight as the operations take it: 1.0 if there is none; torch has no derivative for it either."""
    if weight is not None:
        autograd.raw(weight)  # or an error
    if autograd.needs_grad(weight) and autograd.is_grad_enabled():
        raise RuntimeError(f"The function '{name}' is not differentiable with respect to its weights; use weight.detach()")
    return 1.0 if weight is None else weight


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None, ignore_index: int = -100,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:
    """Negative log likelihood: minus what each row of log-probabilities says of its class.

    Parameters
    ----------
    input : Tensor of shape (n, classes), (classes) or (n, classes, d1, ...)
        Log-probabilities.
    target : int64 Tensor of shape (n), () or (n, d1, ...)
        The classes, counted from 0.
    weight : Tensor of shape (classes), optional
        What each class counts for; a mean is divided by the sum of what counted.
    ignore_index : int
        A target that is left out, of the mean, too.
    reduction : str
        "mean", "sum", or "none" for one loss per target.
    size_average, reduce : bool, optional
        torch's older arguments, in place of `reduction`.

    Raises
    ------
    ValueError
        If `input` and `target` have different numbers of rows, or `reduction` another value.
    IndexError
        If a target is not a class.
    RuntimeError
        If shapes or dtypes do not fit otherwise.
    """
    reduction = checked("nll_loss", reduction, size_average, reduce, input, target)
    return _of_indices(losses.nll_loss, input, target, weight, ignore_index, reduction)


def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None, ignore_index: int = -100,
    reduce: bool | None = None, reduction: str = "mean", label_smoothing: float = 0.0,
) -> Tensor:
    """Cross entropy of scores before the softmax: `nll_loss` of their `log_softmax`.

    Parameters
    ----------
    input : Tensor of shape (n, classes), (classes) or (n, classes, d1, ...)
        Scores, of any size: nothing overflows.
    target : Tensor
        Classes, int64 of shape (n), () or (n, d1, ...); or the probability of each class, in the shape of `input`.
    weight, ignore_index, reduction, size_average, reduce
        As in `nll_loss`; `ignore_index` is for classes only.
    label_smoothing : float
        The share of the target that is spread evenly over all classes.

    Raises
    ------
    ValueError, IndexError, RuntimeError
        As in `nll_loss`.

    Examples
    --------
    >>> import minigrad as torch
    >>> cross_entropy(torch.zeros(2, 4), torch.tensor([3, 0]))
    tensor(1.3863)
    """
    reduction = checked("cross_entropy", reduction, size_average, reduce, input, target)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if input.array.shape == target.array.shape:
        return _of_probabilities(input, target, weight, ignore_index, reduction, label_smoothing)
    if not label_smoothing:
        return _of_indices(losses.cross_entropy, input, target, weight, ignore_index, reduction)

    dim = min(input.ndim - 1, 1)
    if dim == 0 and target.ndim:
        raise RuntimeError(f"cross_entropy(): with label_smoothing, scores without a batch, of shape {list(input.shape)}, go with "
                           f"a target without dimensions, got shape {list(target.shape)}")
    classes = input.array.shape[dim]
    log_probs = log_softmax(input, dim)
    exact = nll_loss(log_probs, target, weight, ignore_index=ignore_index, reduction=reduction)
    even = -(log_probs if weight is None else log_probs * _along(weight, dim, input.ndim)).sum(dim)
    ignored = target == ignore_index
    even = even.masked_fill(ignored, 0.0)
    if reduction != "none":
        even = even.sum()
    if reduction == "mean":
        counting = target.array[~ignored.array]
        even = even / (counting.size if weight is None else weight.array[counting].sum())
    return exact * (1 - label_smoothing) + even * (label_smoothing / classes)


def _along(weight: Tensor, dim: int, ndim: int) -> Tensor:
    """A vector as a tensor of `ndim` dimensions that lies along `dim`."""
    return weight.reshape([-1 if i == dim else 1 for i in range(ndim)])


def _check_weight(weight: Tensor | None, input: Tensor, classes: int) -> None:
    if weight is not None and (autograd.raw(weight).shape != (classes,) or weight.dtype != input.dtype):
        raise RuntimeError(f"weight tensor should be defined either for all {classes} classes or no classes, in the dtype of the "
                           f"input, {input.dtype}, but got weight tensor of shape: {list(weight.shape)} and {weight.dtype}")


def _of_indices(
    loss: Callable[..., Any], input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> Any:
    """Apply a loss of (n, classes) and (n); tensors of fewer or more dimensions are brought to those."""
    shape, places = input.array.shape, target.array.shape
    if len(shape) != 2 or len(places) != 1 or shape[0] != places[0]:
        _check_places(shape, places)
        if len(shape) == 1 and reduction == "none":
            reduction = "sum"  # of one
        classes = shape[min(len(shape) - 1, 1)]
        rows = input.movedim(1, -1) if len(shape) > 2 else input
        rows = rows.reshape(target.numel(), classes)
        result = _of_indices(loss, rows, target.reshape(-1), weight, ignore_index, reduction)
        result = result.reshape(places) if reduction == "none" else result
        if result._node is not None and (len(shape) == 4 or (len(shape) > 2 and reduction != "none")):
            result._node.title = "NllLoss2DBackward0"
        return result
    if target.array.dtype != np.int64:
        if target.array.dtype != np.uint8:
            raise RuntimeError(f"expected target dtype to be Long or Byte, but got {target.dtype}: classes are int64 numbers")
        target = target.long()
    if input.array.dtype.kind != "f":
        raise NotImplementedError(f"{loss.__name__}(): not implemented for scores of {input.dtype}; convert them, as in x.float()")
    if weight is None:
        return loss(input, target, 1.0, ignore_index, reduction)
    _check_weight(weight, input, shape[1])
    return loss(input, target, _constant("nll_loss_forward", weight), ignore_index, reduction)


def _check_places(shape: tuple[int, ...], places: tuple[int, ...]) -> None:
    """Refuse a target whose shape does not go with that of the input."""
    if not shape:
        raise ValueError(f"Expected 1 or more dimensions (got {len(shape)}): the input must have one score per class")
    if len(shape) > 1 and shape[:1] != places[:1]:
        raise ValueError(f"Expected input batch_size ({shape[0]}) to match target batch_size ({places[0] if places else 'none'}).")
    expected = (*shape[:-1][:1], *shape[2:])
    if len(shape) == len(places) == 1:
        if places != (1,):
            raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {places[0]}")
    elif places != expected:
        raise RuntimeError(f"Expected target size {list(expected)} (0D or 1D, or as the input without its second dimension; "
                           f"multi-target not supported), got {list(places)}")


def _of_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str, label_smoothing: float
) -> Any:
    if not target.is_floating_point():
        raise RuntimeError(f"Expected floating point type for target with class probabilities, got {target.dtype}; "
                           f"classes are one dimension less than the input, of shape {list(input.shape)}")
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    if input.ndim == 0:
        raise RuntimeError("cross_entropy(): the input must have one score per class, but it has no dimension")
    dim = min(input.ndim - 1, 1)
    classes = input.shape[dim]
    _check_weight(weight, input, classes)
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / max(classes, 1)
    log_probs = log_softmax(input, dim)
    if weight is not None:
        log_probs = log_probs * _along(weight, dim, input.ndim)
    if reduction == "none":
        return -(log_probs * target).sum(dim)
    total = (log_probs * target).sum()
    if not input.numel():
        return -(total * np.nan if reduction == "mean" else total)
    return -total / (input.numel() / classes) if reduction == "mean" else -total


def _of_one_size(input: Tensor, target: Tensor, stacklevel: int = 4) -> tuple[Tensor, Tensor]:
    if input.array.shape == target.array.shape:
        return input, target
    warnings.warn(f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will likely "
                  "lead to incorrect results due to broadcasting. Please ensure they have the same size.", stacklevel=stacklevel)
    return shape.broadcast_tensors(input, target)


def _as_dtype_of(x: Tensor, result: Tensor) -> Tensor:
    """`result` in the dtype of `x`, in which torch computes it."""
    ours, wanted = result.array.dtype, x.array.dtype
    if ours == wanted:
        return result
    if wanted.kind != "f":
        raise RuntimeError(f"result type {ours} can't be cast to the desired output type {wanted}; convert the tensor first, as in "
                           "x.float()")
    return autograd.cast(result, wanted)


def _distance(operation: Callable[..., Any], input: Tensor, target: Tensor, reduction: str, *options: float) -> Any:
    """Apply a loss of pairs of elements, after what they all check."""
    name = operation.__name__
    input, target = _of_one_size(input, target)
    if not input.is_floating_point() and not target.is_floating_point():
        raise NotImplementedError(f"{name}(): not implemented for {input.dtype}; convert the tensors first, as in x.float()")
    return operation(input, target, reduction, *options)


def mse_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The squared difference of each pair of elements, and of them the mean, the sum, or all (`reduction`).

    With a `weight` for each element, the mean is the weighted one.
    """
    reduction = checked("mse_loss", reduction, size_average, reduce, input, target)
    if weight is not None:
        return _weighted(_distance(losses.mse_loss, input, target, "none"), input, weight, reduction, weight.sum())
    return _distance(losses.mse_loss, input, target, reduction)


def _weighted(values: Tensor, input: Tensor, weight: Tensor, reduction: str, total: Any = None) -> Any:
    """The losses times their weights, reduced; the mean is their sum divided by `total`, if given."""
    if weight.shape != input.shape:
        raise ValueError(f"Weights and input must have the same size, got {list(weight.shape)} and {list(input.shape)}.")
    values = values * weight
    return values.sum() / total if reduction == "mean" and total is not None else reduced(values, reduction)


def smooth_l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """The difference of each pair of elements, squared and halved and divided by `beta` where it is less than that."""
    reduction = checked("smooth_l1_loss", reduction, size_average, reduce, input, target)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    return _distance(losses.smooth_l1_loss, input, target, reduction, beta)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """With d the difference of each pair of elements: d²/2 where |d| is at most `delta`, else delta · (|d| - delta/2).

    With a `weight` for each element, the mean is still divided by the number of elements, as in torch.
    """
    checked("huber_loss", reduction, None, None, input, target)
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, got {delta}")
    values = _as_dtype_of(input, _distance(losses.huber_loss, input, target, reduction if weight is None else "none", delta))
    return values if weight is None else _weighted(values, input, weight, reduction)


def l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The absolute difference of each pair of elements, and of them the mean, the sum, or all (`reduction`).

    With a `weight` for each element, the mean is the weighted one.
    """
    reduction = checked("l1_loss", reduction, size_average, reduce, input, target)
    left, right = _of_one_size(input, target, stacklevel=3)
    values = (left - right).abs()
    return reduced(values, reduction) if weight is None else _weighted(values, input, weight, reduction, weight.sum())


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(t · log p + (1 - t) · log(1 - p)) for probabilities p in `input`, t in `target`; logarithms are at least -100.

    Raises
    ------
    ValueError
        If the shapes differ.
    RuntimeError
        If an element is not between 0 and 1, or the dtypes differ.
    """
    reduction = checked("binary_cross_entropy", reduction, size_average, reduce, input, target)
    if input.shape != target.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    if target.dtype != input.dtype:
        raise RuntimeError(f"Found dtype {target.dtype} but expected {input.dtype}: target and input must have the same dtype")
    dims.floating("binary_cross_entropy", input)
    for name, x in {"input": input, "target": target}.items():
        if not ((x.array >= 0) & (x.array <= 1)).all():
            raise RuntimeError(f"all elements of {name} should be between 0 and 1" + (
                ": apply a sigmoid first, or use binary_cross_entropy_with_logits" if name == "input" else ""))
    return _as_dtype_of(input, losses.binary_cross_entropy(input, target, _constant("binary_cross_entropy", weight), reduction))


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", pos_weight: Tensor | None = None,
) -> Tensor:
    """`binary_cross_entropy` of sigmoid(input), exact for any input; targets of 1 count `pos_weight` times.

    Raises
    ------
    ValueError
        If the shapes differ.
    RuntimeError
        If the target is no floating-point tensor.
    """
    name = "binary_cross_entropy_with_logits"
    reduction = checked(name, reduction, size_average, reduce, input, target)
    if input.shape != target.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    dims.floating(name, input)
    weights = _constant(name, weight), _constant(name, pos_weight)
    return _as_dtype_of(target, losses.binary_cross_entropy_with_logits(input, target, *weights, reduction))


def kl_div(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Kullback-Leibler divergence t · (log t - x) of log-probabilities x in `input` from probabilities t in `target`.

    Parameters
    ----------
    reduction : str
        "batchmean", the sum divided by the number of rows, is the divergence; "mean" divides by the number of elements.
    log_target : bool
        The target holds log-probabilities, too.
    """
    rows = reduction == "batchmean"
    reduction = checked("kl_div", "sum" if rows else reduction, size_average, reduce, input, target)
    if input.array.dtype.kind != "f" or target.array.dtype.kind != "f":
        raise RuntimeError(f"kl_div: Integral inputs not supported, got {input.dtype} and {target.dtype}; use x.float()")
    if reduction == "mean":
        warnings.warn("reduction: 'mean' divides the total loss by both the batch size and the support size. 'batchmean' divides "
                      "only by the batch size, and aligns with the KL div math definition.", stacklevel=2)
    values = target.exp() * (target - input) if log_target else special.xlogy(target, target) - target * input
    result = reduced(values, reduction)
    return result / input.shape[0] if rows and input.ndim else result


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, size_average: bool | None = None, eps: float = 1e-8,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:
    """Negative log likelihood of counts in `target`, whose expectations, or their logarithms if `log_input`, are in `input`.

    exp(x) - t · x for a logarithm x, x - t · log(x + eps) for an expectation. With `full`, log(t!) is added in Stirling's
    approximation, where t > 1.
    """
    reduction = checked("poisson_nll_loss", reduction, size_average, reduce, input, target)
    values = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * np.pi * target).log()
        values = values + stirling.masked_fill(target <= 1, 0)
    return reduced(values, reduction)


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """Negative log likelihood of a normal distribution: (log var + (input - target)² / var) / 2.

    Parameters
    ----------
    input, target : Tensor
        Means, and what was observed.
    var : Tensor, or float
        Variances: of the input's shape, or without its last dimension, or with a last dimension of 1.
    full : bool
        Add the constant, log(2π) / 2.
    eps : float
        Variances are taken to be at least that; their derivative is not changed by it.
    reduction : str
        "mean", "sum" or "none".

    Raises
    ------
    ValueError
        If a variance is negative, or `var` has another shape.
    """
    checked("gaussian_nll_loss", reduction, None, None, input, target)
    v: Tensor = input.detach() * 0 + var if isinstance(var, float) else var
    if (v < 0).any():
        raise ValueError("var has negative entry/entries")
    if v.shape != input.shape:
        if v.shape == input.shape[:-1]:
            v = v.unsqueeze(-1)
        elif v.ndim != input.ndim or sum(a for a, b in zip(v.shape, input.shape, strict=True) if a != b) != 1:
            raise ValueError(f"var is of incorrect size: {list(v.shape)} for an input of {list(input.shape)}")
    v = v + (v.clamp(min=eps) - v).detach()
    values = 0.5 * (v.log() + (input - target) ** 2 / v)
    return reduced(values + 0.5 * math.log(2 * math.pi) if full else values, reduction)
