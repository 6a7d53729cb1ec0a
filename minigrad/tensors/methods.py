"""The operations as operators and methods of `Tensor`, one line each."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias

import numpy as np

from minigrad.arrays import dtypes
from minigrad.autograd import TensorBase, wrap
from minigrad.ops import activation, comparison, elementwise, indexing, linalg, reduction, shape, strided
from minigrad.tensors import creation, sampling
from minigrad.tensors.inplace import InPlace, in_place

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


def operator(operation: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """The operation as what Python calls for a sign: beside something that is no operand, the other side has its say.

    As in torch, every TypeError of the operation counts as that, so ``x + obj`` calls ``obj.__radd__``.
    """

    @functools.wraps(operation)
    def method(self: Tensor, other: Any) -> Any:
        try:
            return operation(self, other)
        except TypeError:
            return NotImplemented

    return method


def cast_to(d: dtypes.dtype) -> Callable[[Tensor], Tensor]:
    """The method that gives the tensor as `d`."""

    def method(self: Tensor) -> Tensor:
        return self.to(d)

    method.__doc__ = f"The tensor as {d.name}."
    return method


def is_operand(x: object) -> bool:
    """Whether an operator takes `x` beside a tensor."""
    return isinstance(x, (TensorBase, np.ndarray, np.generic, bool, int, float))


class Methods(InPlace):
    """The part of `Tensor` that is operations."""

    __slots__ = ()

    # ---- operators ---------------------------------------------------------------------------------------------------

    __add__ = __radd__ = operator(elementwise._add)
    __sub__ = operator(elementwise._sub)
    __rsub__ = operator(elementwise.rsub)
    __mul__ = __rmul__ = operator(elementwise.mul)
    __truediv__ = operator(elementwise._div)
    __rtruediv__ = operator(lambda self, other: elementwise.mul(elementwise.reciprocal(self), other))
    __floordiv__ = operator(elementwise.floor_divide)
    __rfloordiv__ = operator(lambda self, other: elementwise.floor_divide(other, self))
    __mod__ = operator(elementwise.remainder)
    __rmod__ = operator(lambda self, other: elementwise.remainder(other, self))
    __pow__ = operator(elementwise.pow)
    __rpow__ = operator(lambda self, other: elementwise.pow(other, self))
    __matmul__ = operator(linalg.matmul)
    __rmatmul__ = operator(lambda self, other: linalg.matmul(wrap(other) if isinstance(other, np.ndarray) else other, self))
    __and__ = __rand__ = operator(comparison.bitwise_and)
    __or__ = __ror__ = operator(comparison.bitwise_or)
    __xor__ = __rxor__ = operator(comparison.bitwise_xor)
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
    absolute = method(elementwise.absolute)
    acos, acos_ = both(elementwise.acos)
    add, add_ = both(elementwise.add)
    addcdiv, addcdiv_ = both(elementwise.addcdiv)
    addcmul, addcmul_ = both(elementwise.addcmul)
    arccos = method(elementwise.arccos)
    arcsin = method(elementwise.arcsin)
    arctan = method(elementwise.arctan)
    arctan2 = method(elementwise.arctan2)
    asin, asin_ = both(elementwise.asin)
    atan, atan_ = both(elementwise.atan)
    atan2 = method(elementwise.atan2)
    ceil, ceil_ = both(elementwise.ceil)
    clamp, clamp_ = both(elementwise.clamp)
    clamp_max, clamp_max_ = both(elementwise.clamp_max)
    clamp_min, clamp_min_ = both(elementwise.clamp_min)
    clip, clip_ = both(elementwise.clip)
    cos, cos_ = both(elementwise.cos)
    cosh, cosh_ = both(elementwise.cosh)
    div, div_ = both(elementwise.div)
    divide, divide_ = both(elementwise.divide)
    erf, erf_ = both(elementwise.erf)
    exp, exp_ = both(elementwise.exp)
    expm1, expm1_ = both(elementwise.expm1)
    floor, floor_ = both(elementwise.floor)
    floor_divide, floor_divide_ = both(elementwise.floor_divide)
    lerp, lerp_ = both(elementwise.lerp)
    log, log_ = both(elementwise.log)
    log10 = method(elementwise.log10)
    log1p, log1p_ = both(elementwise.log1p)
    log2 = method(elementwise.log2)
    maximum = method(elementwise.maximum)
    minimum = method(elementwise.minimum)
    mul, mul_ = both(elementwise.mul)
    multiply, multiply_ = both(elementwise.multiply)
    neg, neg_ = both(elementwise.neg)
    negative = method(elementwise.negative)
    positive = method(elementwise.positive)
    pow, pow_ = both(elementwise.pow)
    reciprocal, reciprocal_ = both(elementwise.reciprocal)
    relu, relu_ = both(elementwise.relu)
    remainder, remainder_ = both(elementwise.remainder)
    round, round_ = both(elementwise.round)
    rsqrt, rsqrt_ = both(elementwise.rsqrt)
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

    bitwise_and, bitwise_and_ = both(comparison.bitwise_and)
    bitwise_not = method(comparison.bitwise_not)
    bitwise_or, bitwise_or_ = both(comparison.bitwise_or)
    bitwise_xor, bitwise_xor_ = both(comparison.bitwise_xor)
    eq = method(comparison.eq)
    ge = method(comparison.ge)
    greater = method(comparison.greater)
    greater_equal = method(comparison.greater_equal)
    gt = method(comparison.gt)
    isclose = method(comparison.isclose)
    isfinite = method(comparison.isfinite)
    isinf = method(comparison.isinf)
    isnan = method(comparison.isnan)
    le = method(comparison.le)
    less = method(comparison.less)
    less_equal = method(comparison.less_equal)
    logical_and = method(comparison.logical_and)
    logical_not, logical_not_ = both(comparison.logical_not)
    logical_or = method(comparison.logical_or)
    logical_xor = method(comparison.logical_xor)
    lt = method(comparison.lt)
    ne = method(comparison.ne)
    not_equal = method(comparison.not_equal)

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
    cumsum = method(reduction.cumsum)
    log_softmax = method(reduction.log_softmax)
    logsumexp = method(reduction.logsumexp)
    max = method(reduction.max)
    mean = method(reduction.mean)
    median = method(reduction.median)
    min = method(reduction.min)
    norm = method(reduction.norm)
    prod = method(reduction.prod)
    softmax = method(reduction.softmax)
    sort = method(reduction.sort)
    std = method(reduction.std)
    sum = method(reduction.sum)
    topk = method(reduction.topk)
    unique = method(reduction.unique)
    var = method(reduction.var)

    broadcast_to = method(shape.broadcast_to)
    chunk = method(shape.chunk)
    clone = method(shape.clone)
    diag = method(shape.diag)
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
    swapaxes = method(shape.swapaxes)
    swapdims = method(shape.swapdims)
    t = method(shape.t)
    tile = method(shape.tile)
    trace = method(shape.trace)
    transpose = method(shape.transpose)
    tril, tril_ = both(shape.tril)
    triu, triu_ = both(shape.triu)
    unbind = method(shape.unbind)
    unflatten = method(shape.unflatten)
    unsqueeze = method(shape.unsqueeze)
    view = method(shape.view)
    as_strided = method(strided.as_strided)
    unfold = method(strided.unfold)

    gather = method(indexing.gather)
    index_fill, index_fill_ = both(indexing.index_fill)
    index_select = method(indexing.index_select)
    masked_fill, masked_fill_ = both(indexing.masked_fill)
    masked_select = method(indexing.masked_select)
    nonzero = method(indexing.nonzero)
    repeat_interleave = method(indexing.repeat_interleave)
    scatter, scatter_ = both(indexing.scatter)
    scatter_add, scatter_add_ = both(indexing.scatter_add)
    take_along_dim = method(indexing.take_along_dim)

    addmm = method(linalg.addmm)
    bmm = method(linalg.bmm)
    dot = method(linalg.dot)
    matmul = method(linalg.matmul)
    mm = method(linalg.mm)
    mv = method(linalg.mv)
    outer = method(linalg.outer)

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

    half = cast_to(dtypes.float16)
    float = cast_to(dtypes.float32)
    double = cast_to(dtypes.float64)
    byte = cast_to(dtypes.uint8)
    char = cast_to(dtypes.int8)
    short = cast_to(dtypes.int16)
    int = cast_to(dtypes.int32)
    long = cast_to(dtypes.int64)
    bool = cast_to(dtypes.bool)
