"""NumPy's arrays and numbers in checkpoints: written as torch writes them, and read only if one asks for it."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg
from minigrad.serialization import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals

from .test_serialization import saved

RECONSTRUCT = np._core.multiarray._reconstruct  # type: ignore[attr-defined]
ARRAYS = [
    np.arange(6.0).reshape(2, 3), np.arange(6).reshape(2, 3).T, np.arange(8, dtype=np.int16)[::2], np.array(2.5), np.zeros((0, 3)),
    np.array([True, False]), np.arange(3, dtype=">i4"), np.arange(300, dtype=np.uint8), np.array([0.5, np.nan], np.float16),
]  # fmt: skip
NUMBERS = [np.float64(2.5), np.float32(-0.0), np.int64(3), np.uint8(255), np.bool_(True), np.float16(1)]


def state_of(m: Any) -> Any:
    again = np.ones(1000)
    return {"arrays": ARRAYS, "numbers": NUMBERS, "twice": [again, again], "equal": [np.zeros(500) for _ in range(20)],
            "weight": m.ones(2), "loss": {"best": np.float64(0.25)}}  # fmt: skip


@pytest.fixture(autouse=True)
def no_safe_globals() -> Iterator[None]:
    yield
    clear_safe_globals()


def parts(state: Any) -> list[Any]:
    return [*state["arrays"], *state["numbers"], *state["twice"], *state["equal"], state["loss"]["best"]]


@pytest.mark.parametrize("reader", [torch, mg], ids=["torch reads", "minigrad reads"])
@pytest.mark.parametrize("writer", [torch, mg], ids=["torch writes", "minigrad writes"])
def test_both_libraries_read_what_both_write(writer: Any, reader: Any) -> None:
    original = state_of(writer)
    back = reader.load(io.BytesIO(saved(writer, original)), weights_only=False)
    for x, y in zip(parts(back), parts(original), strict=True):
        assert type(x) is type(y)
        assert (x.dtype, x.shape) == (y.dtype.newbyteorder("="), y.shape)
        np.testing.assert_array_equal(x, y)
    assert back["twice"][0] is back["twice"][1]
    back["twice"][0][0] = 7
    assert back["twice"][1][0] == 7
    assert back["arrays"][1].flags.f_contiguous


def test_arrays_of_older_numpys() -> None:
    data = saved(mg, [ARRAYS[0], NUMBERS[0]])
    old = changed(data, lambda pickled: pickled.replace(b"numpy._core", b"numpy.core"))
    (array, number) = mg.load(io.BytesIO(old), weights_only=False)
    np.testing.assert_array_equal(array, ARRAYS[0])
    assert number == NUMBERS[0]


@pytest.mark.parametrize("x", [ARRAYS[0], NUMBERS[0]], ids=["array", "number"])
@pytest.mark.parametrize("m", [torch, mg], ids=["torch", "minigrad"])
def test_they_must_be_asked_for(m: Any, x: Any) -> None:
    with pytest.raises(pickle.UnpicklingError, match=r"lease use.*torch.serialization.add_safe_globals\(\[numpy\."):
        m.load(io.BytesIO(saved(m, {"x": x})))


@pytest.mark.parametrize("m", [torch, mg], ids=["torch", "minigrad"])
def test_safe_globals(m: Any) -> None:
    names, data, places = [RECONSTRUCT, np.ndarray, np.dtype, np.dtypes.Float64DType], saved(m, ARRAYS[0]), m.serialization
    before = list(places.get_safe_globals())
    with places.safe_globals(names):
        np.testing.assert_array_equal(m.load(io.BytesIO(data)), ARRAYS[0])
    assert set(places.get_safe_globals()) == set(before)
    with pytest.raises(pickle.UnpicklingError):
        m.load(io.BytesIO(data))
    places.add_safe_globals(names)
    assert set(places.get_safe_globals()) == {*before, *names}
    np.testing.assert_array_equal(m.load(io.BytesIO(data)), ARRAYS[0])
    places.clear_safe_globals()
    assert places.get_safe_globals() == []
    places.add_safe_globals(before)


def test_what_load_cannot_read_is_not_added() -> None:
    for known in (print, pickle.loads, int, (print, "builtins.print"), "numpy.ndarray"):
        with pytest.raises(NotImplementedError, match="none of these"):
            add_safe_globals([known])  # type: ignore[list-item]
    with pytest.raises(NotImplementedError), safe_globals([print]):
        pass
    assert get_safe_globals() == []
    add_safe_globals([(np.ndarray, "numpy.ndarray")])
    assert get_safe_globals() == [(np.ndarray, "numpy.ndarray")]


def changed(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The file with another pickle in it."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(result, "w") as new:
        for name in old.namelist():
            record = old.read(name)
            new.writestr(name, change(record) if name.endswith("data.pkl") else record)
    return result.getvalue()


class Calls:
    def __init__(self, function: Any, *arguments: Any):
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


ARRAY = pickle.dumps(np.arange(3.0), 2)[2:-1]
HOSTILE = {
    "a call": (pickle.dumps(Calls(print, 1), 2), "names '__builtin__.print'"),
    "a state again": (b"\x80\x02" + ARRAY + b"(K\x01tb.", "the state of an object of type ndarray"),
    "bools of 2": (pickle.dumps(np.array([True, False]), 2).replace(b"\x01\x00q", b"\x02\x00q"), "neither 0 nor 1"),
    "a tensor in an array": (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + ARRAY + b"K\x00K\x01\x85K\x01\x85\x89NtR.", "memory of an array"),
    "few bytes, copied often": (
        b"\x80\x02]c_codecs\nencode\n(X" + (4096).to_bytes(4, "little") + bytes(4096) + b"X\x06\0\0\0latin1tRq\x20a"
        + (b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85h\x20tR(K\1M\0\x10\x85cnumpy\ndtype\n"
           b"(X\2\0\0\0u1\x89\x88tR\x89h\x20tba") * 100 + b".", "more bytes than it contains"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name: str) -> None:
    pickled, sentence = HOSTILE[name]
    data = changed(saved(mg, 1), lambda _: pickled)
    with pytest.raises(pickle.UnpicklingError, match=sentence):
        mg.load(io.BytesIO(data), weights_only=False)
