"""Uniform, normal and other numbers, made from a generator's words, as NumPy arrays."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy import float32, float64

from minigrad.random.boxmuller import box_muller, fma, libm, scale
from minigrad.random.generator import Array, DType, Generator, Stream, default_generator

Shape: TypeAlias = int | Sequence[int]

_CHUNK = 1 << 17  # numbers drawn at a time, a multiple of 16: few enough for a cache, enough for calls to cost little


def _empty(shape: Shape, dtype: DType) -> Array:
    """Like ``np.empty``, with torch's error for a negative size."""
    sizes = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if any(size < 0 for size in sizes):
        raise RuntimeError(f"Trying to create a tensor with a negative size: {list(sizes)}")
    return np.empty(sizes, dtype)


def _drawn_as(name: str, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype in which to draw floating-point numbers for an array of `dtype`; refuse other arrays."""
    if dtype.kind != "f":
        raise NotImplementedError(f"{name} is not implemented for {dtype}, use float16, float32 or float64")
    return np.dtype(float32) if dtype == np.float16 else dtype


def _require_writeable(out: Array) -> None:
    """Refuse an array whose elements share their memory, as those of an expanded one do."""
    if not out.flags.writeable:
        raise RuntimeError(f"more than one element of this tensor of shape {out.shape} refers to a single memory location, "
                           "or it is read-only: clone() it first")


def _fill(out: Array, generator: Stream, draw: Callable[[Generator, int], Any]) -> Array:
    """Fill `out` in memory order with what ``draw(generator, n)`` gives, a chunk that fits the cache at a time."""
    generator = default_generator if generator is None else generator
    if not isinstance(generator, Generator):
        raise TypeError(f"generator must be a Generator, but got {type(generator).__name__}")
    _require_writeable(out)
    target = out
    if not out.flags.c_contiguous:
        target = out.transpose(sorted(range(out.ndim), key=lambda axis: -abs(out.strides[axis])))  # slowest axis first
    flat = target.reshape(-1)  # a view, unless there are gaps in the memory
    for start in range(0, out.size, _CHUNK):
        chunk = flat[start : start + _CHUNK]
        chunk[...] = draw(generator, len(chunk))
    if not target.flags.c_contiguous:
        target[...] = flat.reshape(target.shape)
    return out


def uniform_(out: Array, low: float = 0.0, high: float = 1.0, generator: Stream = None) -> Array:
    """Fill `out`, of a floating-point dtype, with uniform numbers of [low, high); return it.

    Raises
    ------
    RuntimeError
        If low > high, or low, high or their difference does not fit the dtype.
    NotImplementedError
        For another dtype.
    """
    dtype = _drawn_as("uniform_", out.dtype)
    if low == 0 and high == 1 and dtype == out.dtype:  # what follows would give the same
        return _fill(out, generator, lambda g, n: g._unit(n, dtype))
    if not (low <= high and max(-low, high, high - low) <= float(np.finfo(out.dtype).max)):
        raise RuntimeError(f"uniform_ expects low <= high within the range of {out.dtype}, but got {low} and {high}")
    lo, hi = dtype.type(low), dtype.type(high)
    span = hi - lo

    def draw(g: Generator, n: int) -> Array:
        if dtype == float32:  # a float64 holds the product exactly
            x = (g._bits24(n) * (float(span) * 2.0**-24) + float(lo)).astype(float32).astype(out.dtype, copy=False)
        else:
            x = fma(g._unit(n, float64), span, lo)
        np.copyto(x, lo, where=x == out.dtype.type(hi), casting="same_kind")  # where the sum was rounded up to `high`
        return x

    return _fill(out, generator, draw)


def uniform(shape: Shape, dtype: DType = float32, low: float = 0, high: float = 1, generator: Stream = None) -> Array:
    """Return an array of uniform numbers of [low, high); see `uniform_`."""
    return uniform_(_empty(shape, dtype), low, high, generator)


def normal_(out: Array, mean: float = 0.0, std: float = 1.0, generator: Stream = None) -> Array:
    """Fill `out`, of a floating-point dtype, with normal numbers; return it.

    Raises
    ------
    RuntimeError
        If `std` is negative.
    NotImplementedError
        For another dtype.
    """
    dtype = _drawn_as("normal_", out.dtype)
    if not std >= 0:
        raise RuntimeError(f"normal_ expects std >= 0, but got {std}")
    if out.size < 16 or not out.flags.c_contiguous:
        return _fill(out, generator, lambda g, n: scale(np.array(g._normal_pairs(n)), std, mean).astype(dtype))

    def draw(g: Generator, n: int) -> Array:
        u = g._unit(n, dtype)
        whole = n - n % 16
        u[:whole] = box_muller(u[:whole], dtype.type(mean), dtype.type(std))
        return u

    flat = out.reshape(-1)
    _fill(flat if dtype == out.dtype else flat[: out.size - out.size % 16], generator, draw)
    if out.size % 16:
        _fill(flat[-16:], generator, draw)
    return out


def normal(shape: Shape, dtype: DType = float32, mean: float = 0, std: float = 1, generator: Stream = None) -> Array:
    """Return an array of normal numbers; see `normal_`."""
    return normal_(_empty(shape, dtype), mean, std, generator)


def exponential_(out: Array, lambd: float = 1.0, generator: Stream = None) -> Array:
    """Fill `out`, of a floating-point dtype, with exponential numbers of rate `lambd`; return it.

    Raises
    ------
    RuntimeError
        If `lambd` is not positive.
    NotImplementedError
        For another dtype.
    """
    dtype = _drawn_as("exponential_", out.dtype)
    if not lambd > 0:
        raise RuntimeError(f"exponential_ expects lambd > 0, but got {lambd}")
    return _fill(out, generator, lambda g, n: (-1.0 / lambd * libm(math.log1p, -g._unit(n, float64))).astype(dtype))


def bernoulli_(out: Array, p: float | Array = 0.5, generator: Stream = None) -> Array:
    """Fill `out`, of any dtype, with ones (probability `p`) and zeros; return it.

    Parameters
    ----------
    p : float, or array that broadcasts to the shape of `out`
        An array, of a floating-point dtype, draws other words than a number does.

    Raises
    ------
    RuntimeError
        If a probability is outside [0, 1], or `p` does not broadcast to the shape of `out`.
    TypeError
        If `p` is neither a number nor an array.
    NotImplementedError
        For an array `p` of another dtype.
    """
    if not isinstance(p, np.ndarray):
        if not isinstance(p, (int, float, np.number)):
            raise TypeError(f"bernoulli_ expects p to be a number or a tensor, but got {type(p).__name__}")
        if not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
        limit = math.ceil(p * 2.0**53)  # u < p, asked of the integers that u is made of
        return _fill(out, generator, lambda g, n: g._bits53(n) < limit)
    dtype = _drawn_as("bernoulli_ with a tensor p", p.dtype)
    if not np.all((p >= 0) & (p <= 1)):
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got {p.min()} to {p.max()}")
    try:
        p = np.broadcast_to(p, out.shape)
    except ValueError:
        raise RuntimeError(f"bernoulli_: p of shape {p.shape} does not broadcast to the shape {out.shape}") from None
    _require_writeable(out)
    out[...] = uniform_(np.empty_like(out, dtype), generator=generator) < p
    return out


def bernoulli(p: float | Array, shape: Shape = (), dtype: DType | None = None, generator: Stream = None) -> Array:
    """Return ones and zeros: for an array `p` of its shape and dtype, else of `shape` and bool; see `bernoulli_`."""
    if isinstance(p, np.ndarray):
        return bernoulli_(np.empty(p.shape, dtype or p.dtype), p, generator)
    return bernoulli_(_empty(shape, dtype or bool), p, generator)


def randint_(out: Array, low: int, high: int, generator: Stream = None) -> Array:
    """Fill `out`, of any dtype, with integers from `low` to `high` - 1; return it.

    Raises
    ------
    TypeError, ValueError
        If `low` or `high` is no integer, or does not fit int64.
    RuntimeError
        If low >= high, or one of the integers does not fit the dtype.
    """
    if operator.index(low) < -(2**63) or operator.index(high) >= 2**63:
        raise ValueError(f"randint_ expects low and high to fit int64, but got low={low} and high={high}")
    if low >= high:
        raise RuntimeError(f"randint_ expects low < high, but got low={low} and high={high}")
    least, greatest = integers_of(out.dtype)
    if low < least or high - 1 > greatest:
        raise RuntimeError(f"randint_: the integers from {low} to {high - 1} do not all fit {out.dtype}")
    words, span = Generator._words if high - low < 2**28 else Generator._words64, np.uint64(high - low)
    return _fill(out, generator, lambda g, n: (words(g, n) % span).view(np.int64) + np.int64(low))


def randint(low: int, high: int, shape: Shape, dtype: DType = np.int64, generator: Stream = None) -> Array:
    """Return an array of integers from `low` to `high` - 1; see `randint_`."""
    return randint_(_empty(shape, dtype), low, high, generator)


def integers_of(dtype: np.dtype[Any]) -> tuple[int, int]:
    """Return the least and the greatest integer of a dtype; of a float, those up to which it holds all integers."""
    if dtype.kind == "f":
        greatest = 2 ** (np.finfo(dtype).nmant + 1)
        return -greatest, greatest
    return (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)


def random_(out: Array, generator: Stream = None) -> Array:
    """Fill `out`, of any dtype, with integers from 0 to its greatest (float32: 2**24, float64: 2**53); return it."""
    words = Generator._words64 if out.dtype in (np.int64, float64) else Generator._words
    limit = np.uint64(integers_of(out.dtype)[1] + 1)
    return _fill(out, generator, lambda g, n: words(g, n) % limit)


def random_full(shape: Shape, dtype: DType = np.int64, generator: Stream = None) -> Array:
    """Return an array of `random_` integers. The one of shape () is how samplers and loaders draw their seeds."""
    return random_(_empty(shape, dtype), generator)


def randperm(n: int, generator: Stream = None) -> npt.NDArray[np.int64]:
    """Return the integers from 0 to `n` - 1, shuffled.

    The shuffle is that of Fisher and Yates, ``for i in range(n - 1): a[i], a[j[i]] = a[j[i]], a[i]``, each j[i] drawn
    from i to n - 1. What stands here is several times as fast as that loop. It asks where the number comes from that
    step i puts in place i. It lay in place j[i]. If no earlier step has aimed there, it is j[i] itself. Otherwise the
    last one that did, step s, has left there what lay in place s. That again is s itself, unless an earlier step has
    aimed at s: then it is what lay in the place of the last such step; and so on.

    Raises
    ------
    RuntimeError
        If `n` is negative.
    NotImplementedError
        If `n` is so large (214,748,364) that torch takes another way.
    """
    permutation = _empty(n, np.int64)
    if n >= 0xFFFFFFFF // 20:
        raise NotImplementedError(f"randperm: n = {n} is not supported, the most is {0xFFFFFFFF // 20 - 1}")
    step = np.arange(max(n - 1, 0))
    words = _fill(np.empty(step.shape, np.uint32), generator, Generator._words)
    target = step + words % (n - step).astype(np.uint32)  # j

    found = np.arange(n)  # what lies in place i at step i: i itself, or ...
    found[target] = step  # ... what lay in place s, if s was the last step to aim at i
    while not np.array_equal(further := found[found], found):  # and so on, each round reaching twice as far back
        found = further

    ordered = np.sort(target << 32 | step)  # steps that aim at the same place stand side by side, the earlier one first
    target, step = ordered >> 32, ordered & 0xFFFFFFFF
    again = np.flatnonzero(target[1:] == target[:-1])
    target[again + 1] = found[step[again]]
    permutation[step] = target
    permutation[n - 1 :] = found[n - 1 :]
    return permutation


def multinomial(p: Array, num_samples: int, replacement: bool = False, generator: Stream = None) -> npt.NDArray[np.int64]:
    """Draw `num_samples` places of each row of `p`, each with a probability proportional to its number.

    Parameters
    ----------
    p : array of shape (n,) or (rows, n), float32 or float64
        Numbers from 0 on, not all 0 in any row.

    Returns
    -------
    array of shape (num_samples,) or (rows, num_samples)
        Without replacement, places of probability 0 come last, if at all (here in their order, in torch in any).

    Raises
    ------
    RuntimeError
        If `p` has another form, a negative or infinite number, or a row without a positive one; if `num_samples` is not
        positive, or without replacement larger than n.
    """
    if p.dtype not in (float32, float64):
        raise NotImplementedError(f"multinomial is not implemented for {p.dtype}, use float32 or float64")
    if p.ndim not in (1, 2):
        raise RuntimeError(f"multinomial expects p to have 1 or 2 dimensions, but got {p.ndim}")
    if num_samples <= 0 or (not replacement and num_samples > p.shape[-1]):
        raise RuntimeError(f"multinomial can not draw {num_samples} of {p.shape[-1]} with replacement={replacement}")
    if not (np.all((p >= 0) & (p < np.inf)) and np.all(p.max(-1, initial=0) > 0)):
        raise RuntimeError("multinomial expects p to be finite and >= 0, and not all 0 in any row")
    if replacement and num_samples > 1:
        sums = p.cumsum(-1, p.dtype)
        sums /= sums[..., -1:].copy()
        u = uniform((*p.shape[:-1], num_samples), float64, generator=generator)
        rows = zip(np.atleast_2d(sums).astype(float64), np.atleast_2d(u), strict=True)
        return np.array([np.searchsorted(*row) for row in rows], np.int64).reshape(u.shape)
    with np.errstate(divide="ignore", over="ignore"):
        race = p / exponential_(np.empty_like(p), generator=generator)
    return np.argsort(-race, -1, kind="stable")[..., :num_samples]
