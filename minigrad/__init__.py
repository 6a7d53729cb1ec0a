"""minigrad: PyTorch's core in NumPy, written to be read.

The names are torch's: what a tutorial writes for torch runs here after ``import minigrad as torch``. Start reading at
`minigrad.autograd`.
"""

# Names in paragraphs, not one a line:
# isort: off
# fmt: off
from math import e, inf, nan, pi
from typing import TYPE_CHECKING

from minigrad import accelerator, amp, autograd, backends, cuda, linalg, nn, optim, paths, random, utils, version
from minigrad.amp import GradScaler, autocast, is_autocast_enabled
from minigrad.arrays.memory import OutOfMemoryError
from minigrad.arrays.dtypes import (
    Size, bool, device, double, dtype, finfo, float, float16, float32, float64, get_default_device, get_default_dtype,
    half, iinfo, int, int16, int32, int64, int8, long, promote_types, set_default_device, set_default_dtype, short, uint8,
    bfloat16, complex64, complex128, complex32, float8_e4m3fn, float8_e4m3fnuz, float8_e5m2, float8_e5m2fnuz,
    float8_e8m0fnu, uint16, uint32, uint64,
)
from minigrad.arrays.layout import channels_last, contiguous_format, layout, memory_format, preserve_format, strided
from minigrad.arrays.printing import get_printoptions, set_printoptions
from minigrad.arrays.threads import get_num_interop_threads, get_num_threads, set_num_interop_threads, set_num_threads
from minigrad.backends import (
    are_deterministic_algorithms_enabled, get_float32_matmul_precision, set_float32_matmul_precision,
    use_deterministic_algorithms,
)
from minigrad.autograd import (
    enable_grad, inference_mode, is_anomaly_check_nan_enabled, is_anomaly_enabled, is_grad_enabled,
    is_inference_mode_enabled, no_grad, set_grad_enabled,
)
from minigrad.nn.functional import (
    adaptive_avg_pool1d, avg_pool1d, cosine_similarity, group_norm, layer_norm, max_pool1d, max_pool2d, pairwise_distance, rms_norm,
)
from minigrad.ops.activation import celu, hardshrink, prelu, selu, threshold
from minigrad.ops.arithmetic import addcdiv, addcmul, copysign, deg2rad, fmax, fmin, gcd, heaviside, lcm, lerp, rad2deg, sinc
from minigrad.ops.comparison import (
    bitwise_and, bitwise_left_shift, bitwise_not, bitwise_or, bitwise_right_shift, bitwise_xor, eq, ge, greater,
    greater_equal, gt, isclose, isfinite, isinf, isnan, isneginf, isposinf, le, less, less_equal, logical_and, logical_not,
    logical_or, logical_xor, lt, ne, not_equal, signbit,
)
from minigrad.ops.chains import addbmm, addr, matrix_power, vander
from minigrad.ops.cumulative import cummax, cummin, cumprod, diff, logcumsumexp
from minigrad.ops.elementwise import (
    abs, absolute, acos, acosh, add, arccos, arccosh, arcsin, arcsinh, arctan, arctan2,
    arctanh, asin, asinh, atan, atan2, atanh, ceil, clamp, clamp_max, clamp_min, clip, cos, cosh, div, divide,
    exp, exp2, expm1, fix, float_power, floor, floor_divide, fmod, frac, hypot, log, log10, log1p, log2,
    maximum, minimum, mul, multiply, neg, negative, positive, pow, reciprocal, relu, remainder, round, rsqrt,
    rsub, sgn, sigmoid, sign, sin, sinh, sqrt, square, sub, subtract, tan, tanh, true_divide, trunc, where,
)
from minigrad.ops.indexing import (
    argwhere, fill, gather, index_fill, index_select, masked_fill, masked_select, nonzero, repeat_interleave,
    take_along_dim, unravel_index,
)
from minigrad.ops.linalg import (
    addmm, addmv, baddbmm, bilinear, bmm, cross, dot, einsum, inner, kron, matmul, mm, mv, outer, tensordot, vdot,
)
from minigrad.ops.matrix import cdist, det, inverse, logdet, norm, pdist, renorm, slogdet
from minigrad.ops.order import bucketize, histc, histogram, isin, kthvalue, mode, msort, nanquantile, quantile, searchsorted
from minigrad.ops.out import with_out as _with_out
from minigrad.ops.pieces import (
    atleast_1d, atleast_2d, atleast_3d, block_diag, cartesian_prod, column_stack, combinations, diagflat,
    dsplit, dstack, fliplr, flipud, hsplit, rot90,
    split_with_sizes, tensor_split, vsplit,
)
from minigrad.ops.reduction import (
    all, amax, amin, any, argmax, argmin, argsort, bincount, count_nonzero, cumsum, log_softmax, logsumexp, max,
    mean, median, min, nanmean, nansum, prod, softmax, sort, std, std_mean, sum, topk, unique, var, var_mean,
)
from minigrad.ops.scattering import (
    diagonal_scatter, index_add, index_copy, index_put, masked_scatter, put, scatter, scatter_add, scatter_reduce, select_scatter,
    slice_scatter, take,
)
from minigrad.ops.shape import (
    broadcast_tensors, broadcast_to, cat, channel_shuffle, chunk, clone, concat, concatenate, diag, diag_embed, diagonal,
    flatten, flip, hstack, meshgrid, moveaxis, movedim, narrow, permute, pixel_shuffle, pixel_unshuffle, ravel,
    reshape, roll, row_stack, select, split, squeeze, stack, swapaxes, swapdims, t, tile, trace, transpose,
    tril, triu, unbind, unflatten, unsqueeze, vstack,
)
from minigrad.ops.special import digamma, erf, erfc, erfinv, lgamma, logaddexp, logit, nan_to_num, polygamma, xlogy
from minigrad.ops.statistics import aminmax, corrcoef, cov, cumulative_trapezoid, dist, gradient, nanmedian, trapezoid, trapz
from minigrad.ops.statistics import unique_consecutive
from minigrad.ops.strided import as_strided
from minigrad.ops.convolution import conv1d, conv2d, conv_transpose1d, conv_transpose2d
from minigrad.random import (
    Generator, default_generator, fork_rng, get_rng_state, initial_seed, manual_seed, seed, set_rng_state,
)
from minigrad.tensors.creation import (
    allclose, arange, as_tensor, asarray, broadcast_shapes, can_cast, empty,
    empty_like, empty_strided, equal, eye, from_numpy, frombuffer, full, full_like,
    is_tensor, linspace, logspace, ones, ones_like, result_type, scalar_tensor,
    tensor, tril_indices, triu_indices, typename, zeros, zeros_like,
)
from minigrad.tensors.legacy import (
    BoolTensor, ByteTensor, CharTensor, DoubleTensor, FloatTensor, HalfTensor, IntTensor, LongTensor, ShortTensor, Variable,
    ger, range, set_default_tensor_type,
)
from minigrad.tensors.sampling import (
    bernoulli, multinomial, normal, poisson, rand, rand_like, randint, randint_like, randn, randn_like, randperm,
)
from minigrad.tensors.storage import TypedStorage, UntypedStorage
from minigrad.tensors.tensor import Tensor
from minigrad.tensors.window_functions import bartlett_window, blackman_window, hamming_window, hann_window, kaiser_window
from minigrad.lazy import on_first_use as _on_first_use

if TYPE_CHECKING:
    from minigrad import (
        compiler, distributed, distributions, func, functional, jit, mps, multiprocessing, onnx, serialization, special, testing,
        xpu,
    )  # fmt: skip
    from minigrad.compiler import compile
    from minigrad.func import vmap
    from minigrad.serialization import load, safetensors, save
else:
    __getattr__, __dir__ = _on_first_use(
        __name__, compiler="minigrad.compiler", compile="minigrad.compiler", distributed="minigrad.distributed",
        distributions="minigrad.distributions", func="minigrad.func", vmap="minigrad.func", functional="minigrad.functional",
        jit="minigrad.jit", mps="minigrad.mps", multiprocessing="minigrad.multiprocessing", onnx="minigrad.onnx",
        serialization="minigrad.serialization", load="minigrad.serialization", safetensors="minigrad.serialization",
        save="minigrad.serialization", special="minigrad.special", testing="minigrad.testing", xpu="minigrad.xpu",
    )

__version__ = version.__version__

numel, is_floating_point, is_complex, is_nonzero = Tensor.numel, Tensor.is_floating_point, Tensor.is_complex, Tensor.is_nonzero
is_signed, is_same_size, get_device, detach, detach_ = (
    Tensor.is_signed, Tensor.is_same_size, Tensor.get_device, Tensor.detach, Tensor.detach_,
)
# Methods that write into their tensor are functions as well: torch.relu_(x) is x.relu_().
globals().update({name: getattr(Tensor, name) for name in (
    "abs_", "acos_", "acosh_", "addmv_", "arccos_", "arccosh_", "arcsin_", "arcsinh_", "arctan_", "arctanh_",
    "as_strided_", "asin_", "asinh_", "atan_", "atanh_", "ceil_", "clamp_", "clamp_max_", "clamp_min_", "clip_", "cos_",
    "cosh_", "deg2rad_", "erf_", "erfc_", "exp2_", "exp_", "expm1_", "fill_", "fix_", "floor_", "frac_", "gcd_",
    "index_put_", "lcm_", "log10_", "log1p_", "log2_", "log_", "logit_", "nan_to_num_", "neg_", "negative_", "rad2deg_",
    "reciprocal_", "relu_", "resize_as_", "round_", "rsqrt_", "sigmoid_", "sin_", "sinc_", "sinh_", "sqrt_", "square_", "tan_",
    "tanh_", "trunc_", "xlogy_", "zero_",
)})
newaxis = None
autograd.Variable = Variable  # type: ignore[attr-defined]  # where torch has it
del Variable

_with_out(globals())

paths.install()
