"""Functions under the names of `torch.nn.functional`: activations, softmax, dropout, losses, and a few more.

Each checks its arguments and calls one or two operations of `minigrad.ops`, which have the values and the derivatives.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import autograd, random
from minigrad.arrays.memory import allocating
from minigrad.nn.reduction import checked as _checked
from minigrad.nn.reduction import reduced as _reduced
from minigrad.ops import activation, dims, elementwise, indexing, reduction, shape, special
from minigrad.ops import loss as losses
from minigrad.ops.interpolation import interpolate
from minigrad.ops.linalg import bilinear, linear
from minigrad.ops.normalization import batch_norm, group_norm, instance_norm, layer_norm, rms_norm
from minigrad.tensors import sampling

# isort: off
from minigrad.nn.margin_losses import (
    cosine_embedding_loss, hinge_embedding_loss, margin_ranking_loss, multi_margin_loss, multilabel_soft_margin_loss,
    pairwise_distance, soft_margin_loss, triplet_margin_loss, triplet_margin_with_distance_loss,
)
from minigrad.ops.pooling import (
    adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_max_pool1d, adaptive_max_pool2d, avg_pool1d, avg_pool2d, max_pool1d,
    max_pool2d,
)
from minigrad.ops.windows import col2im as fold
from minigrad.ops.convolution import conv1d, conv2d, conv_transpose1d, conv_transpose2d
from minigrad.ops.windows import im2col as unfold
# isort: on

if TYPE_CHECKING:
    from minigrad.tensors.tensor import Tensor

# ---- activations -----------------------------------------------------------------------------------------------------

sigmoid = elementwise.sigmoid
tanh = elementwise.tanh
gelu = activation.gelu
softplus = activation.softplus
logsigmoid = activation.logsigmoid
glu = activation.glu
prelu = activation.prelu
hardshrink = activation.hardshrink
softshrink = activation.softshrink
pixel_shuffle = shape.pixel_shuffle
pixel_unshuffle = shape.pixel_unshuffle
pad = indexing.pad
embedding = indexing.embedding


def _apply(operation: Callable[..., Any], inplace: bool, input: Tensor, *options: Any) -> Tensor:
    """The operation; if in place, on a copy, which its derivative may read, and then written over the input."""
    if not inplace:
        return operation(input, *options)
    return input.copy_(operation(input.clone(), *options))


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0); its derivative at 0 is 0."""
    return input.relu_() if inplace else elementwise.relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6)."""
    return hardtanh(input, 0, 6, inplace)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x limited to the range from `min_val` to `max_val`; the derivative at a limit is 0."""
    if min_val > max_val:
        raise ValueError(f"hardtanh(): min_val cannot be greater than max_val, got {min_val} and {max_val}")
    return _apply(activation.hardtanh, inplace, input, min_val, max_val)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, negative_slope · x elsewhere."""
    return _apply(activation.leaky_relu, inplace, input, negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, alpha · (exp(x) - 1) elsewhere."""
    return _apply(activation.elu, inplace, input, alpha)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, alpha · (exp(x / alpha) - 1) elsewhere."""
    return _apply(activation.celu, inplace, input, alpha)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, `value` elsewhere."""
    return _apply(activation.threshold, inplace, input, threshold, value)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - input.tanh()


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Self-normalising `elu`: 1.0507 · elu(x, 1.6733)."""
    return _apply(activation.selu, inplace, input)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x + 3, 0), 6) / 6."""
    return _apply(activation.hardsigmoid, inplace, input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x · hardsigmoid(x)."""
    return _apply(activation.hardswish, inplace, input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x · sigmoid(x)."""
    return _apply(activation.silu, inplace, input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x · tanh(softplus(x))."""
    return _apply(activation.mish, inplace, input)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (input.abs() + 1)


def softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """exp(x) / Σ exp(x) along `dim`, computed in `dtype` if given."""
    return reduction.softmax(input, _dim("softmax", input, dim), dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """log(softmax(x)) along `dim`, computed in `dtype` if given."""
    return reduction.log_softmax(input, _dim("log_softmax", input, dim), dtype=dtype)


def softmin(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """softmax(-x) along `dim`, computed in `dtype` if given."""
    return reduction.softmax(-input, _dim("softmin", input, dim), dtype=dtype)


def _dim(name: str, input: Tensor, dim: int | None) -> int:
    if dim is not None:
        return dim
    warnings.warn(f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
                  stacklevel=3)
    return 0 if input.ndim in (0, 1, 3) else 1


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, each element is 0 with probability `p`, and divided by 1 - p otherwise.

    Raises
    ------
    ValueError
        If `p` is not between 0 and 1.
    """
    return _drop(input, np.empty_like(autograd.raw(input), order=sampling.order_to_draw_in(input)), p, training, inplace)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of an input of shape (n, channels, length), or (channels, length)."""
    if input.ndim not in (2, 3):
        raise RuntimeError(f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input")
    return _drop(input, np.empty((*input.shape[:-1], 1), input.array.dtype), p, training, inplace)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of images, of shape (n, channels, height, width)."""
    if input.ndim != 4:
        warnings.warn(f"dropout2d: Received a {input.ndim}D input and not (n, channels, height, width): its second dimension "
                      "is taken for the channels. Use dropout1d or dropout.", stacklevel=2)
    noise = np.empty((*input.shape[:2], *[1] * (input.ndim - 2)), input.array.dtype)
    return _drop(input, noise, p, training, inplace)


def _drop(input: Tensor, noise: Any, p: float, training: bool, inplace: bool) -> Tensor:
    """Dropout of what one element of `noise`, an array to be filled, is multiplied by."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0 or input.numel() == 0:
        return input
    if not input.is_floating_point():
        raise RuntimeError(f"dropout(): result type Float can't be cast to the desired output type of {input.dtype}; "
                           "convert the tensor first, as in x.float()")
    if p == 1:
        noise[...] = 0
    else:
        random.bernoulli_(noise, 1 - p)
        noise /= noise.dtype.type(1 - p)
    return input.mul_(autograd.wrap(noise)) if inplace else input * autograd.wrap(noise)


# ---- attention -------------------------------------------------------------------------------------------------------


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
    is_causal: bool = False, *, scale: float | None = None, enable_gqa: bool = False,
) -> Tensor:
    """softmax(query @ keyᵀ · scale + mask) @ value: for each query a mean of the values, weighted by how its key fits.

    Parameters
    ----------
    query : Tensor of shape (..., heads, queries, features)
    key : Tensor of shape (..., heads, keys, features)
    value : Tensor of shape (..., heads, keys, features of a value)
    attn_mask : Tensor, broadcast to (..., queries, keys), optional
        Of bools: False where a query must not look; of numbers: what is added before the softmax. A query that may look
        at nothing gets zeros.
    dropout_p : float
        Probability for `dropout` of the weights, whether in training or not.
    is_causal : bool
        Query i looks at keys 0 to i only.
    scale : float, optional
        Default: 1 / √features (Vaswani et al., 2017).
    enable_gqa : bool
        Keys and values may have fewer heads, each then serving several heads of the queries, next to each other.

    Raises
    ------
    TypeError, RuntimeError
        If dtypes or sizes do not fit.
    """
    for name, x in (("query", query), ("key", key), ("value", value)):
        if not isinstance(x, autograd.TensorBase):
            raise TypeError(f"scaled_dot_product_attention(): argument '{name}' must be Tensor, not {type(x).__name__}")
        if x.ndim < 2 or not x.is_floating_point() or x.dtype != query.dtype:
            raise RuntimeError("scaled_dot_product_attention(): expected query, key and value to have at least 2 dimensions "
                               f"and one floating-point dtype, that of query, {query.dtype}, but {name} has shape "
                               f"{list(x.shape)} and dtype {x.dtype}")
    if is_causal and attn_mask is not None and query.ndim != 4:
        raise RuntimeError("scaled_dot_product_attention(): explicit attn_mask should not be set when is_causal=True, except for "
                           "tensors of four dimensions, where both hold")
    if not 0 <= dropout_p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {dropout_p}")
    if enable_gqa:
        if query.shape[-3] % key.shape[-3] or query.shape[-3] % value.shape[-3]:
            raise RuntimeError("Number of heads in key and value must divide the number of heads in query, got "
                               f"{key.shape[-3]}, {value.shape[-3]} and {query.shape[-3]}")
        key, value = (x.repeat_interleave(query.shape[-3] // x.shape[-3], -3) for x in (key, value))
    scores = query * (max(query.shape[-1], 1) ** -0.5 if scale is None else scale) @ key.transpose(-2, -1)
    if is_causal:
        scores = scores.masked_fill(autograd.wrap(np.tri(*scores.shape[-2:]) == 0), -np.inf)
    if attn_mask is None:
        weights = reduction.softmax(scores, -1)
    else:
        if str(attn_mask.dtype) not in ("torch.bool", "torch.float32", str(query.dtype)):
            raise RuntimeError("Expected attn_mask dtype to be bool or float or to match query dtype, but got "
                               f"{attn_mask.dtype} and {query.dtype}")
        chosen = attn_mask.array.dtype == np.bool_
        scores = scores.masked_fill(~attn_mask, -np.inf) if chosen else scores + attn_mask
        blind = autograd.wrap((scores.array == -np.inf).all(-1, keepdims=True))  # their softmax would be nan
        weights = reduction.softmax(scores.masked_fill(blind, 0), -1).masked_fill(blind, 0)
    return dropout(weights, dropout_p) @ value


# ---- losses ----------------------------------------------------------------------------------------------------------


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
        A target that counts for nothing.
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
    reduction = _checked("nll_loss", reduction, size_average, reduce, input, target)
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
    reduction = _checked("cross_entropy", reduction, size_average, reduce, input, target)
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
        return result.reshape(places) if reduction == "none" else result
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
    reduction = _checked("mse_loss", reduction, size_average, reduce, input, target)
    if weight is not None:
        return _weighted(_distance(losses.mse_loss, input, target, "none"), input, weight, reduction, weight.sum())
    return _distance(losses.mse_loss, input, target, reduction)


def _weighted(values: Tensor, input: Tensor, weight: Tensor, reduction: str, total: Any = None) -> Any:
    """The losses times their weights, reduced; the mean is their sum divided by `total`, if given."""
    if weight.shape != input.shape:
        raise ValueError(f"Weights and input must have the same size, got {list(weight.shape)} and {list(input.shape)}.")
    values = values * weight
    return values.sum() / total if reduction == "mean" and total is not None else _reduced(values, reduction)


def smooth_l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """The difference of each pair of elements, squared and halved and divided by `beta` where it is less than that."""
    reduction = _checked("smooth_l1_loss", reduction, size_average, reduce, input, target)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    return _distance(losses.smooth_l1_loss, input, target, reduction, beta)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """The difference of each pair of elements times `delta`, squared and halved where it is at most that.

    With a `weight` for each element, the mean is divided by the number of elements nevertheless, as in torch.
    """
    _checked("huber_loss", reduction, None, None, input, target)
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
    reduction = _checked("l1_loss", reduction, size_average, reduce, input, target)
    left, right = _of_one_size(input, target, stacklevel=3)
    values = (left - right).abs()
    return _reduced(values, reduction) if weight is None else _weighted(values, input, weight, reduction, weight.sum())


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
    reduction = _checked("binary_cross_entropy", reduction, size_average, reduce, input, target)
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
    reduction = _checked(name, reduction, size_average, reduce, input, target)
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
    reduction = _checked("kl_div", "sum" if rows else reduction, size_average, reduce, input, target)
    if input.array.dtype.kind != "f" or target.array.dtype.kind != "f":
        raise RuntimeError(f"kl_div: Integral inputs not supported, got {input.dtype} and {target.dtype}; use x.float()")
    if reduction == "mean":
        warnings.warn("reduction: 'mean' divides the total loss by both the batch size and the support size. 'batchmean' divides "
                      "only by the batch size, and aligns with the KL div math definition.", stacklevel=2)
    values = target.exp() * (target - input) if log_target else special.xlogy(target, target) - target * input
    result = _reduced(values, reduction)
    return result / input.shape[0] if rows and input.ndim else result


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, size_average: bool | None = None, eps: float = 1e-8,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:
    """Negative log likelihood of counts in `target`, whose expectations, or their logarithms if `log_input`, are in `input`.

    exp(x) - t · x for a logarithm x, x - t · log(x + eps) for an expectation. With `full`, log(t!) is added in Stirling's
    approximation, where t > 1.
    """
    reduction = _checked("poisson_nll_loss", reduction, size_average, reduce, input, target)
    values = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * np.pi * target).log()
        values = values + stirling.masked_fill(target <= 1, 0)
    return _reduced(values, reduction)


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
    _checked("gaussian_nll_loss", reduction, None, None, input, target)
    v: Tensor = input.detach() * 0 + var if isinstance(var, float) else var
    if (v < 0).any():
        raise ValueError("var has negative entry/entries")
    if v.shape != input.shape:
        if v.shape == input.shape[:-1]:
            v = v.unsqueeze(-1)
        elif v.ndim != input.ndim or sum(a != b for a, b in zip(v.shape, input.shape, strict=True)) != 1:
            raise ValueError(f"var is of incorrect size: {list(v.shape)} for an input of {list(input.shape)}")
    v = v + (v.clamp(min=eps) - v).detach()
    values = 0.5 * (v.log() + (input - target) ** 2 / v)
    return _reduced(values + 0.5 * math.log(2 * math.pi) if full else values, reduction)


# ---- the rest --------------------------------------------------------------------------------------------------------


@allocating
def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """Int64 rows of zeros with a 1 at the place that each element of `input` names.

    Parameters
    ----------
    input : int64 Tensor
        Classes, counted from 0.
    num_classes : int
        Length of a row. Default: the largest class and one more.

    Raises
    ------
    RuntimeError
        If an element is no class, or there is none to count the classes by.

    Examples
    --------
    >>> import minigrad as torch
    >>> one_hot(torch.tensor([2, 0]))
    tensor([[0, 0, 1],
            [1, 0, 0]])
    """
    if not isinstance(input, autograd.TensorBase):
        raise TypeError(f"one_hot(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    classes = input.array
    if classes.dtype != np.int64:
        raise RuntimeError(f"one_hot is only applicable to index tensor of type LongTensor, got {input.dtype}.")
    if num_classes < -1 or (classes.size == 0 and num_classes <= 0):
        raise RuntimeError(f"Can not infer total number of classes from empty tensor: num_classes is {num_classes}.")
    width = int(classes.max()) + 1 if num_classes == -1 else num_classes
    if classes.size and not 0 <= classes.min() <= classes.max() < width:
        raise RuntimeError(f"Class values must be non-negative and below num_classes, got {classes.min()} to {classes.max()}.")
    return autograd.wrap((classes[..., None] == np.arange(width)).astype(np.int64))


def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Tensor:
    """Divide by the p-norm along `dim`, or by `eps` where the norm is less."""
    return input / input.norm(p, dim, keepdim=True).clamp(min=eps).expand_as(input)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between two tensors along `dim`; norms are taken to be at least `eps`."""
    x1, x2 = shape.broadcast_tensors(x1, x2)
    return (x1 / _norm_at_least(eps, x1, dim) * (x2 / _norm_at_least(eps, x2, dim))).sum(dim)


def _norm_at_least(eps: float, x: Tensor, dim: int) -> Tensor:
    """The norm, or `eps` where that is more; the derivative is that of the norm everywhere, as in torch."""
    norm = x.norm(2, dim, keepdim=True)
    return norm + (norm.clamp(min=eps) - norm).detach()
