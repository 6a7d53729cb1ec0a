"""Functions under the names of `torch.nn.functional`: activations, softmax, dropout, losses, and a few more.

Each checks its arguments and calls one or two operations of `minigrad.ops`, which have the values and the derivatives.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import autograd, random
from minigrad.arrays.memory import allocating as _allocating
from minigrad.autograd.views import empty_in_order_of as _empty_in_order_of
from minigrad.ops import activation, elementwise, indexing, reduction, shape
from minigrad.ops.dims import numpy_names as _numpy_names
from minigrad.ops.interpolation import interpolate
from minigrad.ops.linalg import bilinear, linear
from minigrad.ops.matrix import pdist
from minigrad.ops.normalization import batch_norm, group_norm, instance_norm, layer_norm, rms_norm

# isort: off
from minigrad.nn.noise import alpha_dropout, feature_alpha_dropout, rrelu
from minigrad.nn.pooling_functions import lp_pool1d, lp_pool2d, max_unpool1d, max_unpool2d
from minigrad.nn.loss_functions import (
    binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, gaussian_nll_loss, huber_loss, kl_div,
    l1_loss, mse_loss, nll_loss, poisson_nll_loss, smooth_l1_loss,
)
from minigrad.nn.margin_losses import (
    cosine_embedding_loss, hinge_embedding_loss, margin_ranking_loss, multi_margin_loss, multilabel_margin_loss,
    multilabel_soft_margin_loss, pairwise_distance, soft_margin_loss, triplet_margin_loss, triplet_margin_with_distance_loss,
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
channel_shuffle = shape.channel_shuffle
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


relu_, elu_, selu_, celu_ = (functools.partial(each, inplace=True) for each in (relu, elu, selu, celu))
leaky_relu_, hardtanh_, threshold_ = (functools.partial(each, inplace=True) for each in (leaky_relu, hardtanh, threshold))
rrelu_ = functools.partial(rrelu, inplace=True)


def softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """exp(x) / Σ exp(x) along `dim`, computed in `dtype` if given."""
    return reduction.softmax(input, _dim("softmax", input, dim), dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """log(softmax(x)) along `dim`, computed in `dtype` if given."""
    return reduction.log_softmax(input, _dim("log_softmax", input, dim), dtype=dtype)


def softmin(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """softmax(-x) along `dim`, computed in `dtype` if given."""
    return reduction.softmax(-input, _dim("softmin", input, dim), dtype=dtype)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """softmax((logits + noise) / tau): random weights, the nearer to a single 1 the smaller tau is (Jang et al., 2017).

    Parameters
    ----------
    logits : Tensor
        Logarithms of probabilities, up to a constant.
    tau : float
        The temperature.
    hard : bool
        Give a 1 at the largest weight and zeros elsewhere, with the derivative of the weights.
    eps
        Not used, as in torch.
    dim : int
        Along which the weights add up to 1.
    """
    noise = -autograd.wrap(np.empty(logits.shape, logits.array.dtype)).exponential_().log()
    weights = reduction.softmax((logits + noise) / tau, dim)
    if not hard:
        return weights
    largest = autograd.wrap(np.zeros(logits.shape, logits.array.dtype)).scatter_(dim, weights.max(dim, keepdim=True)[1], 1.0)
    return largest - weights.detach() + weights


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
    return _drop(input, _empty_in_order_of(input), p, training, inplace)


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


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of volumes, of shape (n, channels, depth, height, width), or without n."""
    if input.ndim not in (4, 5):
        warnings.warn(f"dropout3d: Received a {input.ndim}-D input to dropout3d, which is deprecated and will result in an error "
                      "in a future release.", stacklevel=2)
    x = input if input.ndim != 4 else input.unsqueeze(0)
    result = _drop(x, np.empty((*x.shape[:2], *[1] * (x.ndim - 2)), input.array.dtype), p, training, inplace)
    return result if input.ndim != 4 else result.squeeze(0)


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

allowed_kernels = [{"MATH", "FLASH_ATTENTION"}]  # of torch's on a CPU; `nn.attention.sdpa_kernel` appends to it


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
    if not allowed_kernels[-1]:
        raise RuntimeError("No viable backend for scaled_dot_product_attention was found. On a CPU, sdpa_kernel() must allow "
                           "SDPBackend.MATH or SDPBackend.FLASH_ATTENTION.")
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
    result = dropout(weights, dropout_p) @ value
    fused = "FLASH_ATTENTION" in allowed_kernels[-1] and query.ndim == 4 and result.shape == query.shape and not dropout_p
    if not fused or (attn_mask is not None and attn_mask.requires_grad):
        return result
    return _stored_as(query, result) if all(x.array.strides[-1] == x.array.itemsize for x in (query, key, value)) else result


def _stored_as(query: Tensor, result: Tensor) -> Tensor:
    """The result of attention, in memory in the order of the query: torch's faster kernel stores it so, and view() relies on it."""
    order = sorted(range(4), key=lambda d: -query.array.strides[d] or -np.inf)  # what is repeated, at a stride of 0, comes first
    return result if order == [0, 1, 2, 3] else result.permute(order).contiguous().permute([order.index(d) for d in range(4)])


# ---- the rest --------------------------------------------------------------------------------------------------------


@_allocating
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
    return autograd.wrap((classes[..., None] == np.arange(width)).astype(np.int64, "C"))


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Divide by (k + alpha · mean of squares)^beta, the mean being over `size` neighbouring channels (Krizhevsky et al., 2012).

    Raises
    ------
    ValueError
        If the input is not of shape (n, channels, ...), with at least 3 dimensions.
    """
    if input.ndim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {input.ndim} dimensions)")
    if input.numel() == 0:
        return input
    squares = (input * input).flatten(2).unsqueeze(1)
    means = avg_pool2d(pad(squares, (0, 0, size // 2, (size - 1) // 2)), (size, 1), 1)
    return input / (means.reshape(input.shape) * alpha + k) ** beta


def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Tensor:
    """Divide by the p-norm along `dim`, or by `eps` where the norm is less."""
    return input / input.norm(p, dim, keepdim=True).clamp(min=eps).expand_as(input)


@_numpy_names
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between two tensors along `dim`; norms are taken to be at least `eps`."""
    x1, x2 = shape.broadcast_tensors(x1, x2)
    return (x1 / _norm_at_least(eps, x1, dim) * (x2 / _norm_at_least(eps, x2, dim))).sum(dim)


def _norm_at_least(eps: float, x: Tensor, dim: int) -> Tensor:
    """The norm, or `eps` where that is more; the derivative is that of the norm everywhere, as in torch."""
    norm = x.norm(2, dim, keepdim=True)
    return norm + (norm.clamp(min=eps) - norm).detach()
