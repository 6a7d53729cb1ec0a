"""The operations as operators and methods of `Tensor`, one line each."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias

import numpy as np

from minigrad.arrays import dtypes
from minigrad.autograd import TensorBase, wrap
from minigrad.ops import (
    activation,
    arithmetic,
    chains,
    comparison,
    cumulative,
    elementwise,
    indexing,
    linalg,
    matrix,
    order,
    pieces,
    reduction,
    scattering,
    shape,
    special,
    statistics,
    strided,
)
from minigrad.tensors import creation, sampling
from minigrad.tensors.inplace import InPlace, in_place, reshaped

if TYPE_CHECKING:
    from minigrad.tensors.tensor import Tensor

P = ParamSpec("P")
Method: TypeAlias = "Callable[Concatenate[Tensor, P], Tensor]"


def method(operation: Callable[Concatenate[Any, P], Any]) -> Method[P]:
    """The operation as a method: the tensor is its first operand."""
    return operation


def both(operation: Callable[Concatenate[Any, P], Any]) -> tuple[Method[P], Method[P]]:
    """The method, and its twin that writes the result into the tensor: ``x.exp()`` and ``x.exp_()``."""
    return operation, in_place(operation)


def compared(operation: Callable[Concatenate[Any, P], Any], name: str) -> tuple[Method[P], Method[P]]:
    """`both` for a comparison, which has no derivative: written into a tensor, it cuts the tensor's history off."""
    return operation, in_place(operation, name)


def operator(operation: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """The operation as Python's method for an operator: where it cannot take the other operand, that one's method is tried.

    As in torch, every TypeError of the operation means so: then ``x + obj`` calls ``obj.__radd__``.
    """

    @functools.wraps(operation)
    def method(self: Tensor, other: Any) -> Any:
        try:
            return operation(self, other)
        except TypeError:
            if not isinstance(self, TensorBase):
                raise
            return NotImplemented

    return method


def reflected(operation: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """`operator` for a tensor on the right, ``2 + x``, of an operation whose operands can be exchanged."""
    def on_the_right(self: Any, other: Any) -> Any:
        if not isinstance(self, TensorBase):
            raise TypeError(f"the method of a tensor was called with {type(self).__name__} for the tensor")
        return operation(self, other)

    return operator(on_the_right)


def cast_to(d: dtypes.dtype) -> Callable[[Tensor], Tensor]:
    """The method that gives the tensor as `d`."""

    def method(self: Tensor, memory_format: Any = None) -> Tensor:
        return self.to(d, memory_format=memory_format)

    method.__doc__ = f"The tensor as {d.name}."
    return method


def is_operand(x: object) -> bool:
    """Whether an operator takes `x` beside a tensor."""
    return isinstance(x, (TensorBase, np.ndarray, np.generic, bool, int, float))


class Methods(InPlace):
    """The part of `Tensor` that is operations."""

    __slots__ = ()

    # ---- operators ---------------------------------------------------------------------------------------------------

    __add__, __radd__ = operator(elementwise._add), reflected(elementwise._add)
    __sub__ = operator(elementwise._sub)
    __rsub__ = operator(elementwise.rsub)
    __mul__, __rmul__ = operator(elementwise.mul), reflected(elementwise.mul)
    __truediv__ = operator(elementwise._div)
    __rtruediv__ = __rdiv__ = operator(lambda self, other: elementwise.mul(self.reciprocal(), other))
    __floordiv__ = operator(elementwise.floor_divide)
    __rfloordiv__ = operator(lambda self, other: elementwise.floor_divide(other, self))
    __mod__ = operator(elementwise.remainder)
    __rmod__ = operator(lambda self, other: elementwise.remainder(other, self))
    __pow__ = operator(elementwise.pow)
    __rpow__ = operator(lambda self, other: elementwise.pow(other, self))
    __matmul__ = operator(linalg.matmul)
    __rmatmul__ = operator(lambda self, other: linalg.matmul(wrap(other) if isinstance(other, np.ndarray) else other, self))
    __and__, __rand__ = operator(comparison.bitwise_and), reflected(comparison.bitwise_and)
    __or__, __ror__ = operator(comparison.bitwise_or), reflected(comparison.bitwise_or)
    __xor__, __rxor__ = operator(comparison.bitwise_xor), reflected(comparison.bitwise_xor)
    __lshift__ = operator(comparison.bitwise_left_shift)
    __rlshift__ = operator(lambda self, other: comparison.bitwise_left_shift(other, self))
    __rshift__ = operator(comparison.bitwise_right_shift)
    __rrshift__ = operator(lambda self, other: comparison.bitwise_right_shift(other, self))
    __lt__ = operator(comparison.lt)
    __le__ = operator(comparison.le)
    __gt__ = operator(comparison.gt)
    __ge__ = operator(comparison.ge)
    __neg__ = elementwise.neg
    __pos__ = elementwise.positive
    __abs__ = elementwise.abs
    __getitem__ = indexing.getitem

    # ---- the operations as methods; `both` adds the twin that writes into the tensor ----------------------------------------

    abs, abs_ = both(elementwise.abs)
    absolute, absolute_ = both(elementwise.absolute)
    acos, acos_ = both(elementwise.acos)
    acosh, acosh_ = both(elementwise.acosh)
    add, add_ = both(elementwise.add)
    addbmm, addbmm_ = both(chains.addbmm)
    addcdiv, addcdiv_ = both(arithmetic.addcdiv)
    addcmul, addcmul_ = both(arithmetic.addcmul)
    arccos, arccos_ = both(elementwise.arccos)
    arccosh, arccosh_ = both(elementwise.arccosh)
    arcsin, arcsin_ = both(elementwise.arcsin)
    arcsinh, arcsinh_ = both(elementwise.arcsinh)
    arctan, arctan_ = both(elementwise.arctan)
    arctan2, arctan2_ = both(elementwise.arctan2)
    arctanh, arctanh_ = both(elementwise.arctanh)
    asin, asin_ = both(elementwise.asin)
    asinh, asinh_ = both(elementwise.asinh)
    atan, atan_ = both(elementwise.atan)
    atan2, atan2_ = both(elementwise.atan2)
    atanh, atanh_ = both(elementwise.atanh)
    ceil, ceil_ = both(elementwise.ceil)
    clamp, clamp_ = both(elementwise.clamp)
    clamp_max, clamp_max_ = both(elementwise.clamp_max)
    clamp_min, clamp_min_ = both(elementwise.clamp_min)
    clip, clip_ = both(elementwise.clip)
    cos, cos_ = both(elementwise.cos)
    cosh, cosh_ = both(elementwise.cosh)
    div, div_ = both(elementwise.div)
    divide, divide_ = both(elementwise.divide)
    exp, exp_ = both(elementwise.exp)
    exp2, exp2_ = both(elementwise.exp2)
    expm1, expm1_ = both(elementwise.expm1)
    float_power, float_power_ = both(elementwise.float_power)
    floor, floor_ = both(elementwise.floor)
    floor_divide, floor_divide_ = both(elementwise.floor_divide)
    fmod, fmod_ = both(elementwise.fmod)
    frac, frac_ = both(elementwise.frac)
    hypot, hypot_ = both(elementwise.hypot)
    lerp, lerp_ = both(arithmetic.lerp)
    log, log_ = both(elementwise.log)
    log10, log10_ = both(elementwise.log10)
    log1p, log1p_ = both(elementwise.log1p)
    log2, log2_ = both(elementwise.log2)
    maximum = method(elementwise.maximum)
    minimum = method(elementwise.minimum)
    mul, mul_ = both(elementwise.mul)
    multiply, multiply_ = both(elementwise.multiply)
    neg, neg_ = both(elementwise.neg)
    negative, negative_ = both(elementwise.negative)
    positive = method(elementwise.positive)
    pow, pow_ = both(elementwise.pow)
    reciprocal, reciprocal_ = both(elementwise.reciprocal)
    relu, relu_ = both(elementwise.relu)
    remainder, remainder_ = both(elementwise.remainder)
    round, round_ = both(elementwise.round)
    rsqrt, rsqrt_ = both(elementwise.rsqrt)
    sgn, sgn_ = both(elementwise.sgn)
    sigmoid, sigmoid_ = both(elementwise.sigmoid)
    sign, sign_ = both(elementwise.sign)
    sin, sin_ = both(elementwise.sin)
    sinh, sinh_ = both(elementwise.sinh)
    sqrt, sqrt_ = both(elementwise.sqrt)
    square, square_ = both(elementwise.square)
    sub, sub_ = both(elementwise.sub)
    subtract, subtract_ = both(elementwise.subtract)
    tan, tan_ = both(elementwise.tan)
    tanh, tanh_ = both(elementwise.tanh)
    true_divide, true_divide_ = both(elementwise.true_divide)
    trunc, trunc_ = both(elementwise.trunc)

    fix, fix_ = both(elementwise.fix)
    copysign, copysign_ = both(arithmetic.copysign)
    deg2rad, deg2rad_ = both(arithmetic.deg2rad)
    fmax = method(arithmetic.fmax)
    fmin = method(arithmetic.fmin)
    gcd, gcd_ = both(arithmetic.gcd)
    heaviside, heaviside_ = both(arithmetic.heaviside)
    matrix_power = method(chains.matrix_power)
    msort = method(order.msort)
    renorm, renorm_ = both(matrix.renorm)
    select_scatter = method(scattering.select_scatter)
    slice_scatter = method(scattering.slice_scatter)
    diagonal_scatter = method(scattering.diagonal_scatter)
    lcm, lcm_ = both(arithmetic.lcm)
    rad2deg, rad2deg_ = both(arithmetic.rad2deg)
    sinc, sinc_ = both(arithmetic.sinc)

    digamma, digamma_ = both(special.digamma)
    erf, erf_ = both(special.erf)
    erfc, erfc_ = both(special.erfc)
    erfinv, erfinv_ = both(special.erfinv)
    lgamma, lgamma_ = both(special.lgamma)
    logaddexp = method(special.logaddexp)
    logit, logit_ = both(special.logit)
    nan_to_num, nan_to_num_ = both(special.nan_to_num)
    xlogy, xlogy_ = both(special.xlogy)

    bitwise_and, bitwise_and_ = both(comparison.bitwise_and)
    bitwise_left_shift, bitwise_left_shift_ = both(comparison.bitwise_left_shift)
    bitwise_not, bitwise_not_ = both(comparison.bitwise_not)
    bitwise_or, bitwise_or_ = both(comparison.bitwise_or)
    bitwise_right_shift, bitwise_right_shift_ = both(comparison.bitwise_right_shift)
    bitwise_xor, bitwise_xor_ = both(comparison.bitwise_xor)
    eq, eq_ = compared(comparison.eq, "Eq")
    ge, ge_ = compared(comparison.ge, "Ge")
    greater, greater_ = compared(comparison.greater, "Gt")
    greater_equal, greater_equal_ = compared(comparison.greater_equal, "Ge")
    gt, gt_ = compared(comparison.gt, "Gt")
    isclose = method(comparison.isclose)
    isfinite = method(comparison.isfinite)
    isinf = method(comparison.isinf)
    isnan = method(comparison.isnan)
    isneginf = method(comparison.isneginf)
    isposinf = method(comparison.isposinf)
    le, le_ = compared(comparison.le, "Le")
    less, less_ = compared(comparison.less, "Lt")
    less_equal, less_equal_ = compared(comparison.less_equal, "Le")
    logical_and, logical_and_ = both(comparison.logical_and)
    logical_not, logical_not_ = both(comparison.logical_not)
    logical_or, logical_or_ = both(comparison.logical_or)
    logical_xor, logical_xor_ = both(comparison.logical_xor)
    lt, lt_ = compared(comparison.lt, "Lt")
    ne, ne_ = compared(comparison.ne, "Ne")
    not_equal, not_equal_ = compared(comparison.not_equal, "Ne")

    signbit = method(comparison.signbit)

    hardshrink = method(activation.hardshrink)
    prelu = method(activation.prelu)

    all = method(reduction.all)
    amax = method(reduction.amax)
    amin = method(reduction.amin)
    any = method(reduction.any)
    argmax = method(reduction.argmax)
    argmin = method(reduction.argmin)
    argsort = method(reduction.argsort)
    bincount = method(reduction.bincount)
    count_nonzero = method(reduction.count_nonzero)
    cumsum, cumsum_ = both(reduction.cumsum)
    log_softmax = method(reduction.log_softmax)
    logsumexp = method(reduction.logsumexp)
    max = method(reduction.max)
    mean = method(reduction.mean)
    median = method(reduction.median)
    min = method(reduction.min)
    nanmean = method(reduction.nanmean)
    nansum = method(reduction.nansum)
    prod = method(reduction.prod)
    softmax = method(reduction.softmax)
    sort = method(reduction.sort)
    std = method(reduction.std)
    sum = method(reduction.sum)
    topk = method(reduction.topk)
    unique = method(reduction.unique)
    var = method(reduction.var)

    cummax = method(cumulative.cummax)
    cummin = method(cumulative.cummin)
    cumprod, cumprod_ = both(cumulative.cumprod)
    diff = method(cumulative.diff)
    logcumsumexp = method(cumulative.logcumsumexp)

    histc = method(order.histc)
    histogram = method(order.histogram)
    kthvalue = method(order.kthvalue)
    mode = method(order.mode)
    nanquantile = method(order.nanquantile)
    quantile = method(order.quantile)

    aminmax = method(statistics.aminmax)
    corrcoef = method(statistics.corrcoef)
    cov = method(statistics.cov)
    dist = method(statistics.dist)
    nanmedian = method(statistics.nanmedian)
    unique_consecutive = method(statistics.unique_consecutive)

    broadcast_to = method(shape.broadcast_to)
    chunk = method(shape.chunk)
    clone = method(shape.clone)
    diag = method(shape.diag)
    diag_embed = method(shape.diag_embed)
    diagonal = method(shape.diagonal)
    expand = method(shape.expand)
    flatten = method(shape.flatten)
    flip = method(shape.flip)
    moveaxis = method(shape.moveaxis)
    movedim = method(shape.movedim)
    narrow = method(shape.narrow)
    permute = method(shape.permute)
    ravel = method(shape.ravel)
    repeat = method(shape.repeat)
    reshape = method(shape.reshape)
    roll = method(shape.roll)
    select = method(shape.select)
    squeeze = method(shape.squeeze)
    squeeze_ = reshaped(shape.squeeze, "SqueezeBackward3")
    swapaxes = method(shape.swapaxes)
    swapaxes_ = reshaped(shape.swapaxes, "TransposeBackward1")
    swapdims = method(shape.swapdims)
    swapdims_ = reshaped(shape.swapdims, "TransposeBackward1")
    t = method(shape.t)
    t_ = reshaped(shape.t, "TBackward1")
    tile = method(shape.tile)
    trace = method(shape.trace)
    transpose = method(shape.transpose)
    transpose_ = reshaped(shape.transpose, "TransposeBackward1")
    tril, tril_ = both(shape.tril)
    triu, triu_ = both(shape.triu)
    unbind = method(shape.unbind)
    unflatten = method(shape.unflatten)
    unsqueeze = method(shape.unsqueeze)
    unsqueeze_ = reshaped(shape.unsqueeze, "UnsqueezeBackward1")
    view = method(shape.view)
    as_strided = method(strided.as_strided)
    as_strided_ = reshaped(strided.as_strided, "AsStridedBackward1")
    unfold = method(strided.unfold)

    diagflat = method(pieces.diagflat)
    dsplit = method(pieces.dsplit)
    fliplr = method(pieces.fliplr)
    flipud = method(pieces.flipud)
    hsplit = method(pieces.hsplit)
    rot90 = method(pieces.rot90)
    split_with_sizes = method(pieces.split_with_sizes)
    tensor_split = method(pieces.tensor_split)
    vsplit = method(pieces.vsplit)

    argwhere = method(indexing.argwhere)
    gather = method(indexing.gather)
    index_fill = method(indexing.index_fill)
    index_select = method(indexing.index_select)
    masked_fill = method(indexing.masked_fill)
    masked_select = method(indexing.masked_select)
    fill = method(indexing.fill)
    nonzero = method(indexing.nonzero)
    repeat_interleave = method(indexing.repeat_interleave)
    scatter, scatter_ = both(scattering.scatter)
    scatter_add, scatter_add_ = both(scattering.scatter_add)
    take_along_dim = method(indexing.take_along_dim)

    index_add, index_add_ = both(scattering.index_add)
    index_copy, index_copy_ = both(scattering.index_copy)
    index_put, index_put_ = both(scattering.index_put)
    masked_scatter, masked_scatter_ = both(scattering.masked_scatter)
    put, put_ = both(scattering.put)
    scatter_reduce, scatter_reduce_ = both(scattering.scatter_reduce)
    take = method(scattering.take)

    addr, addr_ = both(chains.addr)
    addmm, addmm_ = both(linalg.addmm)
    addmv, addmv_ = both(linalg.addmv)
    baddbmm, baddbmm_ = both(linalg.baddbmm)
    bmm = method(linalg.bmm)
    cross = method(linalg.cross)
    dot = method(linalg.dot)
    inner = method(linalg.inner)
    kron = method(linalg.kron)
    matmul = method(linalg.matmul)
    mm = method(linalg.mm)
    mv = method(linalg.mv)
    outer = method(linalg.outer)
    vdot = method(linalg.vdot)
    det = method(matrix.det)
    inverse = method(matrix.inverse)
    norm = method(matrix.norm)
    slogdet = method(matrix.slogdet)
    logdet = method(matrix.logdet)

    bernoulli = method(sampling.bernoulli)
    multinomial = method(sampling.multinomial)

    allclose = creation.allclose
    equal = creation.equal

    __iadd__ = operator(add_)
    __isub__ = operator(sub_)
    __imul__ = operator(mul_)
    __itruediv__ = operator(div_)
    __ifloordiv__ = operator(floor_divide_)
    __imod__ = operator(remainder_)
    __ipow__ = operator(pow_)
    __iand__ = operator(bitwise_and_)
    __ior__ = operator(bitwise_or_)
    __ixor__ = operator(bitwise_xor_)
    __ilshift__ = operator(bitwise_left_shift_)
    __irshift__ = operator(bitwise_right_shift_)

    half = cast_to(dtypes.float16)
    float = cast_to(dtypes.float32)
    double = cast_to(dtypes.float64)
    byte = cast_to(dtypes.uint8)
    char = cast_to(dtypes.int8)
    short = cast_to(dtypes.int16)
    int = cast_to(dtypes.int32)
    long = cast_to(dtypes.int64)
    bool = cast_to(dtypes.bool)
