"""minigrad: PyTorch's core in NumPy, small enough to read in an evening.

The names are torch's: what a tutorial writes for torch runs here after ``import minigrad as torch``. Start reading at
`minigrad.autograd`.
"""

# Names in paragraphs, not one a line:
# isort: off
# fmt: off
from minigrad import accelerator, autograd, creation, cuda, nn, optim, random, types, utils
from minigrad.autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from minigrad.creation import (
    allclose, arange, as_tensor, empty, empty_like, equal, eye, from_numpy, full, full_like, is_tensor, linspace, ones,
    ones_like, zeros, zeros_like,
)
from minigrad.ops.elementwise import (
    abs, absolute, add, bitwise_and, bitwise_not, bitwise_or, bitwise_xor, ceil, clamp, clip, cos, div, divide, eq, erf,
    exp, expm1, floor, floor_divide, ge, gt, isfinite, isinf, isnan, le, log, log10, log1p, log2, logical_and,
    logical_not, logical_or, logical_xor, lt, maximum, minimum, mul, multiply, ne, neg, negative, positive, pow,
    reciprocal, relu, remainder, round, rsqrt, rsub, sigmoid, sign, sin, sqrt, square, sub, subtract, tanh, true_divide,
    trunc, where,
)
from minigrad.ops.indexing import (
    gather, index_select, masked_fill, masked_select, nonzero, repeat_interleave, scatter, scatter_add, take_along_dim,
)
from minigrad.ops.linalg import addmm, bmm, dot, einsum, matmul, mm, mv, outer
from minigrad.ops.reduction import (
    all, amax, amin, any, argmax, argmin, cumsum, log_softmax, logsumexp, max, mean, min, norm, prod, softmax, std, sum,
    var,
)
from minigrad.ops.shape import (
    broadcast_tensors, broadcast_to, cat, chunk, clone, concat, concatenate, diagonal, flatten, flip, moveaxis, movedim,
    narrow, permute, reshape, roll, split, squeeze, stack, swapaxes, swapdims, t, tile, transpose, tril, triu, unbind,
    unflatten, unsqueeze,
)
from minigrad.ops.window import conv1d, conv2d, conv_transpose1d, conv_transpose2d
from minigrad.printing import get_printoptions, set_printoptions
from minigrad.random import (
    Generator, default_generator, fork_rng, get_rng_state, initial_seed, manual_seed, seed, set_rng_state,
)
from minigrad.sampling import (
    bernoulli, multinomial, normal, rand, rand_like, randint, randint_like, randn, randn_like, randperm,
)
from minigrad.serialization import load, save
from minigrad.tensor import Tensor
from minigrad.types import (
    Size, bool, device, double, dtype, float, float16, float32, float64, get_default_dtype, half, int, int16, int32,
    int64, int8, long, promote_types, set_default_dtype, short, uint8,
)

__version__ = "0.1.0"

tensor = creation.tensor  # the function, not the module `minigrad.tensor` that imports above have left under this name
