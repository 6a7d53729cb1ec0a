"""`Generator`: a stream of random words, its state, and the stream that everybody draws from by default."""

from __future__ import annotations

import contextlib
import os
import weakref
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy import float32, float64

from minigrad.arrays.dtypes import CPU
from minigrad.arrays.dtypes import device as device_of
from minigrad.autograd import unwrapped, wrap
from minigrad.random.boxmuller import pairs

Array: TypeAlias = npt.NDArray[Any]
DType: TypeAlias = npt.DTypeLike
Stream: TypeAlias = "Generator | None"

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
    >>> from minigrad.random import uniform
    >>> g = Generator().manual_seed(1)
    >>> uniform(3, generator=g).round(4)
    array([0.7576, 0.2793, 0.4031], dtype=float32)
    >>> g.initial_seed(), g.get_state().shape
    (1, torch.Size([5056]))
    """

    device = CPU
    _sine: float | None

    def __new__(cls, *args: Any, **kwargs: Any) -> Generator:
        """Remember each one, copies too, for `_unlock`."""
        generator = super().__new__(cls)
        _generators.add(generator)
        return generator

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

    def get_state(self) -> Any:
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


_generators: weakref.WeakSet[Generator] = weakref.WeakSet()


def _unlock() -> None:
    """Unlock the engines, NumPy's global one too, in a process that was just forked.

    NumPy locks an engine while it draws. A process that is forked while another thread draws has a copy of the lock that stays
    locked for ever, since the thread that would unlock it is not copied.
    """
    engines: list[Any] = [generator._engine for generator in _generators if hasattr(generator, "_engine")]  # or it is being made
    for engine in (*engines, np.random.get_bit_generator()):  # type: ignore[attr-defined]
        engine.lock._at_fork_reinit()  # as Python itself does it, in `logging` and `concurrent.futures`


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)

default_generator = Generator()
default_generator.seed()


def manual_seed(seed: int) -> Generator:
    """Seed the default generator and return it; like torch's function it takes whatever ``int`` can convert.

    Examples
    --------
    >>> from minigrad.random import normal
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
