"""Random numbers: torch's CPU streams, bit for bit, at the level of NumPy arrays.

From the same seed torch and this file draw the same numbers. Three ideas explain how.

**One engine.** A `Generator` is the Mersenne Twister mt19937: a row of 624 words that gives one 32-bit *word* after the
other. NumPy has the same engine and seeds it in the same way (Knuth's formula of 2002, on the low 32 bits of the seed),
so NumPy makes the words here. A 64-bit word is two of them; the first is its high half.

**All numbers are made of words, in order.** What differs between functions is how many words they take for a number,
and what they make of them:

=========================  ===========================================================================================
float32 uniform u          1 word: its low 24 bits / 2**24
float64 uniform u          2 words: the low 53 bits / 2**53
``uniform_(low, high)``    u * (high - low) + low, rounded once
``bernoulli_(p)``          u < p; u is float64 for a number p, of the array's dtype for an array p
``exponential_(lambd)``    -log(1 - u) / lambd, u float64
``randint(low, high)``     word % (high - low) + low: 1 word if high - low < 2**28, otherwise 2
``random_()``              word % (greatest + 1), greatest of the dtype: 2 words for int64 and float64, otherwise 1
``randperm(n)``            the shuffle of Fisher and Yates from the front: 1 word for each of its n - 1 swaps
``multinomial``            the greatest p / exponential; with replacement, a float64 u looked up in the running sum of p
``normal_(mean, std)``     see below
=========================  ===========================================================================================

An array is filled in *memory order*: a transposed one column by column.

**Normals come in pairs.** Two uniforms give two normals by the transform of Box and Muller, whose arithmetic is in
`minigrad.boxmuller`. Fewer than 16 numbers, or an array that is not contiguous, are drawn pair by pair in float64; the
second of a pair, a sine, may be left over and waits in the generator for the next such call. From 16 on, a contiguous
array is filled with uniforms, which are then turned into normals 16 at a time, the first eight paired with the last
eight. If the size is no multiple of 16, the last 16 numbers are drawn anew.

Float16 numbers are drawn as float32 and rounded; of their normals the rows of 16 are drawn first, then the last 16 numbers.

Functions with a trailing underscore fill an array in place, the others return a new one; `minigrad.sampling` makes
tensors of them. All take ``generator=None``, meaning `default_generator`, and check their arguments before they draw: an
error leaves the stream where it was.
"""

from __future__ import annotations

import contextlib
import math
import operator
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy import float32, float64

from minigrad.autograd import unwrapped, wrap
from minigrad.boxmuller import box_muller, fma, libm, pairs, scale
from minigrad.types import CPU
from minigrad.types import device as device_of

if TYPE_CHECKING:
    from minigrad.tensor import Tensor

Array: TypeAlias = npt.NDArray[Any]
Shape: TypeAlias = int | Sequence[int]
DType: TypeAlias = npt.DTypeLike
Stream: TypeAlias = "Generator | None"

_CHUNK = 1 << 17  # numbers drawn at a time, a multiple of 16: few enough for a cache, enough for calls to cost little

# The state of torch's CPU generator, byte for byte: 5056. `key` is the engine's row of words, and `next` the place of
# the next one; `left` counts down to the row's renewal; `normal` is the sine that waits, if `normal_is_valid`.
_STATE_NAMES = "seed left seeded next key normal_x normal normal_rho normal_is_valid unused"
_STATE_TYPES = "<u8 <i4 <i4 <u8 (624,)<u8 <f8 <f8 <f8 <i4 V12"
_STATE = np.dtype(list(zip(_STATE_NAMES.split(), _STATE_TYPES.split(), strict=True)))


class Generator:
    """A stream of random numbers: mt19937, and the normal left over from the last pair.

    Parameters
    ----------
    device : str or device
        ``"cpu"``, the only one there is.

    Raises
    ------
    RuntimeError
        For another device.

    Examples
    --------
    >>> g = Generator().manual_seed(1)
    >>> uniform(3, generator=g).round(4)
    array([0.7576, 0.2793, 0.4031], dtype=float32)
    >>> g.initial_seed(), g.get_state().shape
    (1, torch.Size([5056]))
    """

    device = CPU
    _sine: float | None

    def __init__(self, device: Any = "cpu") -> None:
        if device_of(device).type != "cpu":
            raise RuntimeError(f"Generator(): there are random numbers on the CPU only, not on {device!r}")
        self._engine = np.random.MT19937(0)
        self.manual_seed(67280421310721)  # torch's default

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of `seed`, from -2**63 to 2**64 - 1 (negative ones count from 2**64 down); return self.

        Raises
        ------
        RuntimeError
            If `seed` is not an integer.
        ValueError
            If it does not fit.
        """
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
            raise RuntimeError(f"manual_seed expected an int, but got {type(seed).__name__}")
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"manual_seed expected a seed from -2**63 to 2**64 - 1, but got {seed}")
        self._seed = int(seed) % 2**64
        np.random.RandomState(self._engine).seed(self._seed & 0xFFFFFFFF)
        self._fresh = True  # nothing drawn yet: torch writes this state in its own way
        self._sine = None
        return self

    def seed(self) -> int:
        """Start the stream of a seed taken from the operating system, and return that seed."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self) -> int:
        """Return the seed of this stream, from 0 to 2**64 - 1."""
        return self._seed

    def get_state(self) -> Tensor:
        """Return the state as the 5056 bytes, uint8, that torch uses for it."""
        engine: Any = self._engine.state["state"]
        state = np.zeros(1, _STATE)
        state["seed"], state["seeded"], state["key"] = self._seed, 1, engine["key"]
        state["left"], state["next"] = 625 - engine["pos"], 0 if self._fresh else engine["pos"]
        if self._sine is not None:
            state["normal"], state["normal_is_valid"] = self._sine, 1
        return wrap(state.view(np.uint8))

    def set_state(self, state: Any) -> Generator:
        """Continue where `get_state`, or torch's, was called; return self.

        Parameters
        ----------
        state : uint8 tensor of either framework, array, or bytes
            The 5056 bytes.

        Raises
        ------
        TypeError
            If `state` is not made of bytes.
        RuntimeError
            If it has another size, or is not the state of such a generator.
        """
        array = np.asarray(bytearray(state) if isinstance(state, bytes) else unwrapped(state))
        if array.dtype != np.uint8:
            raise TypeError(f"set_state expected a state of dtype uint8, but got {array.dtype}")
        if array.size != _STATE.itemsize:
            raise RuntimeError(f"set_state expected a state of {_STATE.itemsize} bytes, but got {array.size}")
        new = array.ravel().view(_STATE)[0]
        left, place = int(new["left"]), int(new["next"])
        fresh = (left, place) == (1, 0)
        if new["seeded"] != 1 or not 1 <= left <= 624 or not (fresh or left + place == 625):
            raise RuntimeError(f"set_state: invalid mt19937 state (seeded {new['seeded']}, left {left}, next {place})")
        self._engine.state = {"bit_generator": "MT19937",
                              "state": {"key": new["key"].astype(np.uint32), "pos": 625 - left}}  # fmt: skip
        self._seed, self._fresh = int(new["seed"]), fresh
        self._sine = float(new["normal"]) if new["normal_is_valid"] else None
        return self

    def _words(self, n: int) -> npt.NDArray[np.uint64]:
        """Draw `n` words of 32 bits."""
        self._fresh = False
        return self._engine.random_raw(n)

    def _words64(self, n: int) -> npt.NDArray[np.uint64]:
        """Draw `n` words of 64 bits."""
        high, low = self._words(2 * n).reshape(n, 2).T
        return high << np.uint64(32) | low

    def _bits24(self, n: int) -> npt.NDArray[np.int32]:
        """Draw `n` integers from 0 to 2**24 - 1."""
        return self._words(n).astype(np.int32) & 0xFFFFFF

    def _bits53(self, n: int) -> npt.NDArray[np.int64]:
        """Draw `n` integers from 0 to 2**53 - 1."""
        return (self._words64(n) & np.uint64(2**53 - 1)).view(np.int64)

    def _unit(self, n: int, dtype: DType) -> Array:
        """Draw `n` uniform numbers of [0, 1), float32 or float64."""
        if dtype == float32:
            return self._bits24(n).astype(float32) * float32(2.0**-24)
        return self._bits53(n) * 2.0**-53

    def _normal_pairs(self, n: int) -> list[float]:
        """Draw `n` standard normals pair by pair, and keep the last sine for the next call if `n` does not need it."""
        normals = [] if self._sine is None else [self._sine]
        normals += pairs(self._unit(2 * ((n - len(normals) + 1) // 2), float64).tolist())
        self._sine = normals.pop() if len(normals) > n else None
        return normals


default_generator = Generator()
default_generator.seed()


def manual_seed(seed: int) -> Generator:
    """Seed the default generator and return it; like torch's function it takes whatever ``int`` can convert.

    Examples
    --------
    >>> _ = manual_seed(1)
    >>> normal(3).round(4)
    array([0.6614, 0.2669, 0.0617], dtype=float32)
    """
    return default_generator.manual_seed(int(seed))


seed = default_generator.seed
initial_seed = default_generator.initial_seed
get_rng_state = default_generator.get_state


def set_rng_state(new_state: Any) -> None:
    """Set the state of the default generator; see `Generator.set_state`."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices: Sequence[Any] | None = None, enabled: bool = True) -> Iterator[None]:
    """Let the block draw what it likes: afterwards the default generator is where it was before (if `enabled`).

    Raises
    ------
    NotImplementedError
        If `devices` names any: there is only the CPU, and that is always included.
    """
    if devices:
        raise NotImplementedError(f"fork_rng: devices={devices!r} is not supported, there is only the CPU")
    state = get_rng_state()
    try:
        yield
    finally:
        if enabled:
            set_rng_state(state)


# ---- filling arrays ----------------------------------------------------------------------------------


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
