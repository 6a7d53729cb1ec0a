"""The restricted reader of pickles: it loads arrays of every protocol, and nothing hostile moves it."""

import contextlib
import os
import pickle
import pickletools
import struct
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad.serialization.unpickler import Buildable, load_arrays, loads, refuse

X = (np.arange(24, dtype=np.float32).reshape(4, 6) * 11) / 256
Y = np.array([5, 0, -4, 2**40], np.int64)


def python2_array(array: np.ndarray, memo: int) -> bytes:
    """`array` as cPickle of Python 2 wrote it (as in the MNIST file of 2010): byte strings, memos counted from 1."""

    def text(value: bytes) -> bytes:
        return (b"U" + bytes([len(value)]) if len(value) < 256 else b"T" + struct.pack("<i", len(value))) + value

    numbers = b"".join(b"M" + struct.pack("<H", size) for size in array.shape)
    code, order = array.dtype.str[1:].encode(), array.dtype.str[:1].encode()
    return (
        b"cnumpy.core.multiarray\n_reconstruct\nq" + bytes([memo]) + b"(cnumpy\nndarray\n(K\x00t" + text(b"b") + b"tR"
        b"(K\x01(" + numbers + b"tcnumpy\ndtype\n(" + text(code) + b"K\x00K\x01tR"
        b"(K\x03" + text(order) + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"I00\n" + text(array.tobytes()) + b"tb"
    )


@pytest.mark.parametrize("protocol", [1, 2, 3, 4])
@pytest.mark.parametrize("module", [b"numpy.core", b"numpy._core"])
def test_arrays_of_every_protocol_and_both_spellings_of_numpy(protocol: int, module: bytes) -> None:
    data = pickle.dumps(((X, Y), X[:, ::2], X.T), protocol)
    if protocol < 4:  # protocol 4 counts the letters of a name and the bytes of its frame
        data = data.replace(b"cnumpy._core.", b"c" + module + b".").replace(b"cnumpy.core.", b"c" + module + b".")
    else:
        data = _without_frames(data).replace(b"\x8c\x16numpy._core.multiarray", _short(module + b".multiarray"))
    assert module + b".multiarray" in data
    (x, y), strided, transposed = load_arrays(data)
    for loaded, original in [(x, X), (y, Y), (strided, X[:, ::2]), (transposed, X.T)]:
        assert loaded.dtype == original.dtype
        np.testing.assert_array_equal(loaded, original)


def _without_frames(data: bytes) -> bytes:
    frames = [position for opcode, _, position in pickletools.genops(data) if opcode.name == "FRAME"]
    for position in reversed(frames):
        data = data[:position] + data[position + 9 :]
    return data


def _short(text: bytes) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text


def test_arrays_that_python_2_wrote() -> None:
    data = b"(" + python2_array(X, 1) + python2_array(Y, 2) + python2_array(np.zeros((300, 2)), 3) + b"t."
    assert pickle.loads(data, encoding="latin1")[0].shape == (4, 6)  # the hand-made bytes are a true pickle
    x, y, long = load_arrays(data)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)
    np.testing.assert_array_equal(long, np.zeros((300, 2)))


@pytest.mark.parametrize("dtype", [">f4", "<f8", "u1", ">i2", "?", "f2"])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 0), (3,), (2, 1, 3)])
@pytest.mark.parametrize("protocol", [3, 4])
def test_other_numbers_and_shapes(dtype: str, shape: tuple[int, ...], protocol: int) -> None:
    original = np.ones(shape, dtype)
    loaded = load_arrays(pickle.dumps(original, protocol))
    assert (loaded.shape, loaded.dtype) == (shape, original.dtype)
    np.testing.assert_array_equal(loaded, original)


def test_plain_data_and_memos() -> None:
    shared = ("a", b"b")
    data = (True, None, -1, 300, 70_000, 2**40, "ä", b"\xff" * 300, "long" * 100, (), shared, shared, (1, 2, 3, 4))
    for protocol in (3, 4):
        loaded = loads(pickle.dumps(data, protocol), {})
        assert loaded == data
        assert loaded[-3] is loaded[-2]


def test_persistent_ids_and_a_callers_own_names() -> None:
    """What a reader of checkpoints builds on: a hook for BINPERSID, constructors, and objects that take a state."""

    class Settings(Buildable):
        def __init__(self, size: int):
            self.size = size

        def build(self, state: Any) -> Any:
            self.state = state
            return self

    data = b"\x80\x02(X\x01\x00\x00\x00sK\x07tQclab\nSettings\nK\x05\x85RX\x02\x00\x00\x00okb\x86."
    stored, settings = loads(data, {"lab.Settings": Settings}, persistent_load=lambda pid: f"object {pid}")
    assert stored == "object ('s', 7)"
    assert (settings.size, settings.state) == (5, "ok")
    with pytest.raises(pickle.UnpicklingError, match="opcode BINPERSID at byte 12 is not one that plain data needs"):
        loads(data, {"lab.Settings": Settings})


class Runs:
    """Pickles to a call of `function`."""

    def __init__(self, function: Any, *arguments: Any):
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_no_code_is_run(protocol: int, tmp_path: Path) -> None:
    data = pickle.dumps((X, Runs(os.mkdir, str(tmp_path / "made"))), protocol)
    with pytest.raises(pickle.UnpicklingError, match=r"^refused pickle: "):
        load_arrays(data)
    assert not (tmp_path / "made").exists()
    pickle.loads(data)
    assert (tmp_path / "made").exists()  # the pickle was armed


def memo_text(size: int) -> bytes:
    return b"X" + struct.pack("<I", size) + b"x" * size + b"q\x00"


RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
DTYPE = b"cnumpy\ndtype\nX\x02\x00\x00\x00f4\x89\x88\x87R"
HOSTILE = {
    # name: (the pickle, what the sentence says)
    "a global": (b"cos\nsystem\nX\x02\x00\x00\x00ls\x85R.", "it names 'os.system', which is not among"),
    "a global by attribute path": (b"\x80\x04\x8c\x05numpy\x8c\x0bf2py.os.nop\x93.", "it names 'numpy.f2py.os.nop'"),
    "numpy's own loader": (b"cnumpy\nload\nX\x01\x00\x00\x00a\x85R.", "it names 'numpy.load'"),
    "a name of 1 MB": (b"c" + b"n" * 2**20 + b"\nx\n.", "it names 'n{80}', which is not among"),
    "a name that is not text": (b"\x80\x04))\x93.", "it has a value of type tuple where one of type str is needed"),
    "BUILD on a constructor, to change its defaults": (
        b"cnumpy.core.multiarray\n_reconstruct\nN(X\x0c\x00\x00\x00__defaults__)t\x86b.",
        "it sets the state of an object of type Name",
    ),
    "BUILD on a tuple": (b")Nb.", "it sets the state of an object of type tuple"),
    "NEWOBJ": (b"\x80\x02cnumpy\nndarray\nJ\x00\x00\x00\x7f\x85\x85\x81.", "it makes an object of numpy.ndarray"),
    "NEWOBJ_EX": (b"\x80\x04cnumpy\nndarray\n))\x92.", "its opcode NEWOBJ_EX"),
    "calling ndarray": (b"cnumpy\nndarray\nJ\x00\x00\x00\x7f\x85\x85R.", "it calls numpy.ndarray"),
    "calling data": (b"NK\x01\x85R.", "it calls NoneType"),
    "calling with no tuple": (
        b"cnumpy\ndtype\nNR.",
        "it has a value of type NoneType where one of type tuple is needed",
    ),
    "a call with too many arguments": (b"cnumpy\ndtype\n(NNNNtR.", "not well-formed .TypeError"),
    "INST": (b"(ios\nsystem\n.", "its opcode INST"),
    "OBJ": (b"(cnumpy\ndtype\no.", "its opcode OBJ"),
    "an extension code": (b"\x82\x01.", "its opcode EXT1"),
    "a memo index of gigabytes": (b"Nr\xff\xff\xff\x7f.", "it stores memo 2147483647 after only 1 bytes"),
    "a huge memo index fetched": (b"j\xff\xff\xff\x7f.", "not well-formed"),
    "BYTEARRAY8 of 2**40": (b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"x.", "expected 1099511627776 bytes"),
    "BYTEARRAY8": (b"\x80\x05\x96" + struct.pack("<Q", 1) + b"x.", "its opcode BYTEARRAY8"),
    "BINBYTES8 of 2**62": (b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"x.", "not well-formed"),
    "LONG4 of 2**31 - 1": (b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"x.", "not well-formed"),
    "LONG of 100,000 digits": (b"L" + b"9" * 100_000 + b"L\n.", "not well-formed"),
    "a tuple as a key, 2**60 parts deep": (b"})" + b"q\x00h\x00\x86" * 60 + b"Ns.", "it has a key of type tuple"),
    "a name of 2**60 parts": (
        b"\x80\x04)" + b"q\x00h\x00\x86" * 60 + b"q\x00h\x00\x93.",
        "it has a value of type tuple where one of type str is needed",
    ),
    "a shape of 2**60 parts": (
        RECONSTRUCT + b"(K\x01)" + b"q\x00h\x00\x86" * 60 + DTYPE + b"\x89C\x04abcdtb.",
        "it has a value of type tuple where one of type int is needed",
    ),
    "100 million marks": (b"(" * 10**8 + b".", "it has more than 10000 opcodes"),
    "one long text encoded over and over": (
        memo_text(10**6) + b"c_codecs\nencode\nq\x01" + b"h\x01h\x00X\x06\x00\x00\x00latin1\x86R" * 200 + b".",
        "it asks for more bytes than it contains",
    ),
    "another encoding": (
        b"c_codecs\nencode\nX\x01\x00\x00\x00aX\x04\x00\x00\x00zlib\x86R.",
        "in another way than latin1",
    ),
    "text that latin1 lacks": (
        b"c_codecs\nencode\nX\x03\x00\x00\x00\xe2\x82\xacX\x06\x00\x00\x00latin1\x86R.",
        "not well-formed .UnicodeEncodeError",
    ),
    "an array of objects": (b"cnumpy\ndtype\nX\x02\x00\x00\x00O8\x89\x88\x87R.", "an array of dtype 'O8'"),
    "a dtype in numpy's own language": (b"cnumpy\ndtype\nX\x06\x00\x00\x00f4, f4\x89\x88\x87R.", "dtype 'f4, f4'"),
    "a dtype with fields": (
        DTYPE + b"(K\x03X\x01\x00\x00\x00<NX\x01\x00\x00\x00a\x85)K\x01K\x01K\x00tb.",
        "whose dtype is not one of plain numbers",
    ),
    "a byte order that is none": (DTYPE + b"(K\x03X\x01\x00\x00\x00?NNNNNNtb.", "whose dtype is not one"),
    "an array longer than its bytes": (
        RECONSTRUCT + b"(K\x01J\x00\x00\x00\x7f\x85" + DTYPE + b"\x89C\x04abcdtb.",
        "whose shape does not fit its 4 bytes",
    ),
    "a negative shape": (
        RECONSTRUCT + b"(K\x01J\xff\xff\xff\xffJ\xff\xff\xff\xff\x86" + DTYPE + b"\x89C\x04abcdtb.",
        "whose shape does not fit",
    ),
    "an empty array, 2**2000 wide": (
        RECONSTRUCT + b"(K\x01(K\x00\x8a\xfb" + b"\x7f" * 251 + b"t" + DTYPE + b"\x89C\x00tb.",
        "not well-formed",
    ),
    "an array of 9,000 dimensions": (
        RECONSTRUCT + b"(K\x01(" + b"K\x01" * 9_000 + b"t" + DTYPE + b"\x89C\x04abcdtb.",
        "not well-formed",
    ),
    "an array of another class": (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\ndtype\nK\x00\x85C\x01b\x87R.",
        "something else than a numpy.ndarray",
    ),
    "a persistent id": (b"NQ.", "its opcode BINPERSID"),
    "an empty stack": (b"R.", "it takes more from the stack than is there"),
    "reaching below a mark": (b"N(\x85.", "it takes more from the stack than is there"),
    "a memo of nothing": (b"\x94.", "not well-formed .IndexError"),
    "no result": (b".", "not well-formed"),
    "two results": (b"NN.", "not well-formed"),
    "an unknown opcode": (b"\xff.", "not well-formed"),
    "nothing": (b"", "not well-formed .ValueError: pickle exhausted before seeing STOP"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_refused_cheaply(name: str) -> None:
    data, sentence = HOSTILE[name]
    tracemalloc.start()
    try:
        begin = time.perf_counter()
        with pytest.raises(pickle.UnpicklingError, match=sentence) as caught:
            load_arrays(data)
        seconds = time.perf_counter() - begin
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    assert message.startswith("refused pickle: it")
    assert len(message) < 300
    assert peak < 10 * 2**20
    assert seconds < 10  # one that hangs does not end at all


def test_a_tuple_nested_half_a_million_deep_is_no_recursion() -> None:
    loaded = loads(b")" + b"\x85" * 500_000 + b".", {})
    depth = 0
    while loaded:
        (loaded,) = loaded
        depth += 1
    assert depth == 500_000


def test_a_constructor_may_refuse() -> None:
    def picky(value: object) -> None:
        refuse("it asks for nothing good")

    with pytest.raises(pickle.UnpicklingError, match=r"^refused pickle: it asks for nothing good$"):
        loads(b"cmy\nname\nN\x85R.", {"my.name": picky})


def test_every_truncated_pickle_is_refused() -> None:
    for protocol in (1, 2, 3, 4):
        data = pickle.dumps((X, Y), protocol)
        for end in range(len(data)):
            with pytest.raises(pickle.UnpicklingError):
                load_arrays(data[:end])


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([pickle.dumps((X, Y), protocol) for protocol in (1, 2, 4)]),
    st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 2), st.binary(min_size=1, max_size=3)), max_size=4),
)
def test_a_damaged_pickle_gives_data_or_a_refusal(data: bytes, changes: list[tuple[int, int, bytes]]) -> None:
    for place, removed, inserted in changes:
        place %= len(data)
        data = data[:place] + inserted + data[place + removed :]
    with contextlib.suppress(pickle.UnpicklingError):
        load_arrays(data)
