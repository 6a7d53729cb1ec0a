"""Checkpoints: they cross to torch and back with all that they share, and a hostile or damaged file does nothing."""

from __future__ import annotations

import copy
import io
import itertools
import math
import os
import pickle
import random
import re
import signal
import struct
import subprocess
import sys
import time
import tracemalloc
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg
from minigrad.serialization import archive, checkpoint
from tests.twins import assert_same, raised

REFUSALS = (pickle.UnpicklingError, RuntimeError)  # all that `load` raises for what is in a file


def net_of(m: Any, seed: int = 0) -> Any:
    m.manual_seed(seed)
    return m.nn.Sequential(m.nn.Linear(4, 8), m.nn.ReLU(), m.nn.Dropout(0.3), m.nn.Linear(8, 3)).double()


def states_of(m: Any) -> dict[str, Any]:
    """What people save, made with `m`, minigrad or torch."""
    x, shape = m.arange(6.0), m.ones(2, 3).shape
    net = net_of(m)
    return {
        "a tensor": x,
        "views": [x, x.view(2, 3).t(), x[1:4], x[::2], x[6:], m.ones(3, 1).expand(3, 4)],
        "0-d and empty": (m.tensor(3), m.tensor(2.5), m.empty(0), m.empty(0, 3), m.zeros(3, 0).t()),
        "special numbers": m.tensor([math.nan, math.inf, -math.inf, -0.0, 1e-45]),
        "leaf and result": (m.ones(2, requires_grad=True), m.ones(2, requires_grad=True) * 2),
        "parameters": (m.nn.Parameter(x), m.nn.Parameter(x, requires_grad=False)),
        "parameter twice": [net[0].weight, net[0].weight],
        "plain": [None, True, False, 0, -1, 255, 256, 2**31, -(2**31) - 1, 2**70, -(2**2000), 1.5, -0.0, math.inf],
        "text": ["", "ä\n€\U0001f600", "\ud800", "x" * 300, "again", "again"],
        "bytes": [b"", b"abc", bytes(range(256)), b"abc"],
        "containers": {"list": [[], [[1]]], "tuple": ((), (1,), (1, 2, 3, 4, (5,))), "dict": {"": {}}},
        "keys": {1: 2, -1: 3, 2**40: 4, "1": 5, 1.5: 6, None: 7, b"1": 8, False: 9},
        "ordered": OrderedDict(b=1, a=OrderedDict()),
        "counter": Counter({3: 2, "a": 1}),
        "sets": [set(), {3, "a", None, 1.5, "b" * 9}, OrderedDict(s={b"x"})],
        "names": [shape, shape[:0], m.float32, m.bool, m.uint8, m.device("cpu"), m.device("cuda", 1), shape],
        "state_dict": net.state_dict(),
        "many": list(range(1000)) + [str(i) for i in range(500)],
    }


STATES = list(states_of(torch))
DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]


def same(ours: Any, theirs: Any) -> None:
    """Equal, with equal types all the way down, and strides."""
    assert type(ours).__name__ == type(theirs).__name__
    if isinstance(theirs, torch.Tensor):
        ours, theirs = (x if x.is_leaf else x.detach().requires_grad_() for x in (ours, theirs))  # a result comes back as a leaf
        assert_same(ours, theirs)
        assert theirs.numel() == 0 or ours.stride() == theirs.stride()
    elif isinstance(theirs, dict):
        assert [(type(k), k) for k in ours] == [(type(k), k) for k in theirs]
        for key in theirs:
            same(ours[key], theirs[key])
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            same(a, b)
    else:
        assert_same(ours, theirs)


def saved(m: Any, obj: Any) -> bytes:
    file = io.BytesIO()
    m.save(obj, file)
    return file.getvalue()


def loaded(m: Any, data: bytes) -> Any:
    return m.load(io.BytesIO(data), weights_only=True)


@pytest.fixture(params=["file-like", "path", "mmap"])
def through(request: Any, tmp_path: Path) -> Callable[[Any, Any, Any], Any]:
    """``through(writer, obj, reader)``: save with one library, load with another."""

    def cross(writer: Any, obj: Any, reader: Any) -> Any:
        if request.param == "file-like":
            return loaded(reader, saved(writer, obj))
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.pt"  # torch dies if it overwrites what it has mapped
        writer.save(obj, path)
        return reader.load(str(path), weights_only=True, mmap=request.param == "mmap")

    return cross


# ---- across ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STATES)
def test_from_torch(name: str, through: Any) -> None:
    state = states_of(torch)[name]
    same(through(torch, state, mg), state)


@pytest.mark.parametrize("name", STATES)
def test_to_torch(name: str, through: Any) -> None:
    same(states_of(mg)[name], through(mg, states_of(mg)[name], torch))
    same(states_of(mg)[name], states_of(torch)[name])


@pytest.mark.parametrize("name", STATES)
def test_there_and_back(name: str, through: Any) -> None:
    same(through(mg, states_of(mg)[name], mg), states_of(torch)[name])


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(dtype: str, through: Any) -> None:
    values = [[0, 1, 1], [1, 0, 1]] if dtype == "bool" else [[0, 1, 100], [7, 3, 127]]
    ours, theirs = (m.tensor(values, dtype=getattr(m, dtype)) for m in (mg, torch))
    same(through(torch, theirs, mg), theirs)
    same(ours, through(mg, ours, torch))
    same(through(mg, ours.t(), mg), theirs.t())


def test_bfloat16_comes_as_float32(through: Any) -> None:
    x = torch.tensor([[1.0, -2.5, 3e38], [1e-40, math.inf, math.nan]], dtype=torch.bfloat16)
    ours, view = through(torch, [x, x.t()], mg)
    same(ours, x.float())
    same(view, x.float().t())
    view[0, 0] = 7
    assert ours[0, 0].item() == 7


@pytest.mark.parametrize(("writer", "reader"), [(torch, mg), (mg, torch), (mg, mg)], ids=["from torch", "to torch", "own"])
def test_shared_memory_stays_shared(writer: Any, reader: Any, through: Any) -> None:
    x = writer.arange(12.0)
    y = writer.arange(3.0)
    a, b, c, other = through(writer, {"deep": [x, x.view(3, 4).t(), x[4:8], y]}, reader)["deep"]
    a[5] = 50
    b[0, 0] = 40
    assert (b[1, 1].item(), c[1].item(), a[0].item(), other.tolist()) == (50, 50, 40, [0, 1, 2])
    once = [1]
    first, second, equal = through(writer, [once, once, [1]], reader)
    assert first is second
    assert first is not equal


@pytest.mark.parametrize(("writer", "reader"), [(torch, mg), (mg, torch)], ids=["from torch", "to torch"])
def test_tied_weights(writer: Any, reader: Any, through: Any) -> None:
    def tied(m: Any) -> Any:
        net = m.nn.Sequential(m.nn.Linear(3, 3), m.nn.Linear(3, 3))
        net[1].weight = net[0].weight
        return net

    source, target = tied(writer), tied(reader)
    state = through(writer, source.state_dict(), reader)
    assert state["0.weight"].data_ptr() == state["1.weight"].data_ptr()
    target.load_state_dict(state)
    np.testing.assert_array_equal(target[1].weight.detach().numpy(), source[0].weight.detach().numpy())


def test_metadata_of_a_state_dict_goes_both_ways() -> None:
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    state = loaded(mg, saved(torch, net.state_dict()))
    assert type(state) is OrderedDict
    assert vars(state) == {"_metadata": net.state_dict()._metadata}
    again = loaded(torch, saved(mg, state))
    assert again._metadata == net.state_dict()._metadata
    net.load_state_dict(again)


def test_containers_that_contain_themselves() -> None:
    state: dict[str, Any] = {"list": []}
    state["list"] += [state, state["list"], (state,)]
    for writer, reader in ((mg, mg), (mg, torch), (torch, mg)):
        back = loaded(reader, saved(writer, state))
        assert back["list"][0] is back
        assert back["list"][1] is back["list"]
        assert back["list"][2][0] is back


def test_what_is_loaded_can_be_changed_and_the_file_does_not_notice(tmp_path: Path) -> None:
    mg.save([mg.ones(3), mg.tensor([True]), mg.ones(1).expand(3), mg.empty(3, 0)], tmp_path / "x.pt")
    before = (tmp_path / "x.pt").read_bytes()
    for mapped in (False, True):
        x, flag, expanded, empty = mg.load(tmp_path / "x.pt", mmap=mapped)
        empty.add_(1)
        x.add_(1)
        flag[0] = False
        assert (x.tolist(), flag.tolist()) == ([2, 2, 2], [False])
        with pytest.raises(RuntimeError, match="single memory location"):
            expanded.add_(1)
    assert (tmp_path / "x.pt").read_bytes() == before


@pytest.mark.parametrize("mapped", [False, True])
def test_a_mapped_file_may_be_overwritten_with_what_was_loaded_from_it(mapped: bool, tmp_path: Path) -> None:
    mg.save({"x": mg.arange(1000.0)}, tmp_path / "x.pt")
    for _ in range(3):
        state = mg.load(tmp_path / "x.pt", mmap=mapped)
        state["x"] += 1
        mg.save(state, tmp_path / "x.pt")
    assert torch.load(tmp_path / "x.pt")["x"].tolist() == list(range(3, 1003))


def test_arrays_that_torch_has_no_strides_for(through: Any) -> None:
    a = np.arange(6.0).reshape(2, 3)
    record = np.zeros(3, [("x", "f4"), ("y", "i2")])
    record["x"] = [1, 2, 3]
    odd = np.frombuffer(bytearray(b"x" + np.arange(3.0).tobytes()), np.uint8)[1:].view(np.float64)
    arrays = [a[::-1], a[:, ::-1], a, record["x"], odd]
    back = through(mg, [mg.from_numpy(x) for x in arrays], torch)
    assert [t.tolist() for t in back] == [x.tolist() for x in arrays]


def test_memory_that_is_not_numpys() -> None:
    """A tensor on torch's memory with gaps, and one on a buffer of bytes that begins in the middle of a number."""
    ours = mg.from_numpy(torch.arange(12.0).view(3, 4)[1:, ::2].numpy())
    odd = mg.from_numpy(np.frombuffer(bytearray(b"x" + np.arange(3.0).tobytes()), np.float64, 3, 1))
    back = loaded(torch, saved(mg, [ours, ours.t(), odd, odd[1:]]))
    assert [t.tolist() for t in back] == [[[4, 6], [8, 10]], [[4, 8], [6, 10]], [0, 1, 2], [1, 2]]


def test_files_of_other_byte_order_and_without_checksums() -> None:
    records = records_of(saved(mg, [mg.arange(3), mg.arange(3.0).half(), mg.tensor([True])]))
    records |= {"byteorder": b"big", "data/0": np.arange(3, dtype=">i8").tobytes(), "data/1": np.arange(3, dtype=">f2").tobytes()}
    assert [x.tolist() for x in loaded(mg, packed(records))] == [x.tolist() for x in loaded(torch, packed(records))]
    assert [x.tolist() for x in loaded(mg, packed(records))] == [[0, 1, 2], [0, 1, 2], [True]]
    torch.serialization.set_crc32_options(False)
    try:
        data = saved(torch, torch.arange(3))
    finally:
        torch.serialization.set_crc32_options(True)
    assert loaded(mg, data).tolist() == [0, 1, 2]


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_other_protocols_that_torch_can_write(protocol: int) -> None:
    state = {"x": torch.ones(2), "b": b"\xff", "t": (1, "a" * 300), "l": [1.5] * 3}
    file = io.BytesIO()
    torch.save(state, file, pickle_protocol=protocol)
    same(loaded(mg, file.getvalue()), state)


def test_large_records_and_their_alignment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond 2 GB a record gets the longer header; here from 100 bytes on."""
    monkeypatch.setattr(archive, "LARGE", 100)
    state = [mg.arange(float(n)) for n in (1, 5, 50, 3, 70)]
    mg.save(state, tmp_path / "x.pt")
    for mapped in (False, True):
        for m in (mg, torch):
            back = m.load(tmp_path / "x.pt", mmap=mapped)
            assert [x.tolist() for x in back] == [x.tolist() for x in state]
            assert not mapped or all(x.data_ptr() % 64 == 0 for x in back)


# ---- devices, arguments ------------------------------------------------------------------------------------------------


def test_tensors_from_other_devices() -> None:
    records = records_of(saved(torch, torch.arange(3.0)))
    records["data.pkl"] = records["data.pkl"].replace(b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:0")
    data = packed(records)
    for options in ({"map_location": "cpu"}, {"map_location": mg.device("cpu")}, {"map_location": {"cuda:0": "cpu"}}):
        assert mg.load(io.BytesIO(data), **options).tolist() == [0, 1, 2]
    for options in ({}, {"map_location": {"cuda:1": "cpu"}}):
        assert raised(torch.load, io.BytesIO(data), **options) == "RuntimeError"
        with pytest.raises(RuntimeError, match="holds tensors of device 'cuda:0', and minigrad computes on the CPU only"):
            mg.load(io.BytesIO(data), **options)
    with pytest.raises(RuntimeError, match="CPU only"):
        mg.load(io.BytesIO(data), map_location="cuda:0")


def test_arguments(tmp_path: Path) -> None:
    data, path = saved(mg, 1), tmp_path / "x.pt"
    file = lambda: io.BytesIO(data)  # noqa: E731
    assert mg.load(file(), None, None, weights_only=None) == 1
    for words, options in {
        "map_location=<function>": {"map_location": lambda storage, place: storage}, "encoding": {"encoding": "ascii"},
    }.items():
        with pytest.raises(NotImplementedError, match=words):
            mg.load(file(), **options)
    with pytest.raises(RuntimeError, match="explicit pickle_module"):
        mg.load(file(), pickle_module=pickle)
    for name, value in {
        "pickle_module": copy, "pickle_protocol": 4, "_use_new_zipfile_serialization": False, "_disable_byteorder_record": True,
    }.items():
        with pytest.raises(NotImplementedError, match=name):
            mg.save(1, path, **{name: value})
    mg.save(1, path, pickle, 2)
    for m in (mg, torch):
        assert raised(m.load, file(), mmap=True) == "ValueError"
        assert raised(m.load, 3) == raised(m.save, 1, 3) == "AttributeError"
        assert raised(m.load, tmp_path / "none.pt") == "FileNotFoundError"
        assert raised(m.load, tmp_path) == "IsADirectoryError"
        assert raised(m.save, 1, tmp_path / "none" / "x.pt") == "RuntimeError"


def test_file_objects_of_other_kinds(tmp_path: Path) -> None:
    class OnlyWrites:
        data = b""

        def write(self, data: bytes) -> None:
            self.data += data

    class OnlyReads:
        def __init__(self, data: bytes):
            file = io.BytesIO(data)
            self.read, self.seek, self.tell, self.readline = file.read, file.seek, file.tell, file.readline

    file = OnlyWrites()
    mg.save(mg.ones(3), file)
    assert mg.load(OnlyReads(file.data)).tolist() == [1, 1, 1]
    with open(tmp_path / "x.pt", "wb") as opened:
        mg.save(mg.ones(3), opened)
    with open(tmp_path / "x.pt", "rb") as opened:
        assert mg.load(opened).tolist() == [1, 1, 1]
    with open("/dev/null", "wb") as opened:
        mg.save(mg.ones(3), opened)
    with pytest.raises(AttributeError, match=r"no attribute 'read'.*seekable"):
        mg.load(file)


# ---- what is not saved -------------------------------------------------------------------------------------------------


class Net(mg.nn.Module):
    pass


class Tuple(tuple[int, ...]):
    pass


def deep(levels: int) -> Any:
    state: Any = 1
    for _ in range(levels):
        state = [state]
    return state


with_metadata: Any = OrderedDict()
with_metadata._metadata = {"v": lambda: 1}

UNSAVED = {
    # name: (the state, the error, what the sentence says)
    "an object without attributes": ({"a": {"b": [1, iter(())]}}, TypeError, r"state['a']['b'][1] is of type tuple_iterator"),
    "a function": ([(1, print)], TypeError, "state[0][1] is of type builtin_function_or_method"),
    "a lambda in an ordered dict": (OrderedDict(f=lambda: 1), TypeError, "state['f'] is of type function"),
    "a frozen set": ({0: frozenset([1, 2])}, TypeError, "state[0] is of type frozenset"),
    "a NumPy number": ({"loss": np.complex64(1.5)}, TypeError, "state['loss'] is of type complex64 of complex64"),
    "an array of text": ([np.array(["a"])], TypeError, "state[0] is of type ndarray of <U1; a checkpoint holds"),
    "an array of objects": ([np.array([None])], TypeError, "state[0] is of type ndarray of object"),
    "a tensor of torch's": (torch.ones(1), TypeError, "state is of type Tensor"),
    "a subclass": (Tuple((1, 2)), TypeError, "state is of type Tuple"),
    "a complex number": ([1j], TypeError, "state[0] is of type complex"),
    "a tuple as a key": ({"x": {(1, 2): 3}}, TypeError, "state['x'] has a key of type tuple which is neither text nor a number"),
    "a tuple in a set": ([{1, (2, 3)}], TypeError, "state[0] has a member that is neither text nor a number"),
    "a huge key": ({2**62: 3}, TypeError, "state has a key of type int"),
    "a huge number": ([2**2040], ValueError, "state[0] is an integer of more than 255 bytes"),
    "in a counter": ({"c": Counter({"a": []}), "d": Counter({"a": print})}, TypeError, "state['d'][0]['a'] is of type builtin"),
    "in the metadata": (with_metadata, TypeError, "state['_metadata']['v'] is of type function"),
    "deep lists": (deep(100_000), ValueError, "nested too deeply"),
}


@pytest.mark.parametrize("name", UNSAVED)
def test_what_cannot_be_saved_is_named_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    state, error, sentence = UNSAVED[name]
    path, file = tmp_path / "x.pt", io.BytesIO()
    path.write_bytes(b"old")
    for target in (path, file):
        with pytest.raises(error, match="^save.*" + re.escape(sentence)) as caught:
            mg.save(state, target)
        assert len(str(caught.value)) < 400
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.pt"]
    assert file.getvalue() == b""


def test_what_load_would_refuse_as_too_much_is_not_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "MAX_OPCODES", 6000)
    x: Any = ()
    for _ in range(60):  # 2**60 parts
        x = (x, x)
    for state in (x, list(range(2000))):
        with pytest.raises(ValueError, match=r"more than the 6000 opcodes that load\(\) reads: put long lists"):
            mg.save(state, io.BytesIO())
    mg.save(list(range(900)), io.BytesIO())


# ---- files that are whole ----------------------------------------------------------------------------------------------

DETERMINED = """
import io, sys, minigrad as mg
from collections import OrderedDict
mg.manual_seed(0)
net = mg.nn.Sequential(mg.nn.Linear(4, 8), mg.nn.ReLU(), mg.nn.Linear(8, 2))
opt = mg.optim.Adam(net.parameters())
net(mg.randn(3, 4)).sum().backward()
opt.step()
state = {"net": net.state_dict(), "opt": opt.state_dict(), "text": ["a" + "b", "ab", "".join("ab"), b"ab", "ab"],
         "shape": [net[0].weight.shape] * SHARED + [mg.ones(8, 4).shape] * (2 - SHARED)}
file = io.BytesIO()
mg.save(state, file)
if len(sys.argv) > 1:
    file.seek(0)
    state, file = mg.load(file), io.BytesIO()
    mg.save(state, file)
sys.stdout.buffer.write(file.getvalue())
"""


def test_equal_states_give_equal_bytes() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", DETERMINED.replace("SHARED", shared), *arguments],
            capture_output=True, check=True, env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed, shared, arguments in [("1", "2", []), ("2", "1", []), ("3", "2", ["again"])]
    }  # fmt: skip
    assert len(outputs) == 1
    state = loaded(torch, outputs.pop())
    assert state["text"] == ["ab", "ab", "ab", b"ab", "ab"]


def test_the_name_of_the_file_and_the_time_leave_no_trace(tmp_path: Path) -> None:
    mg.save([mg.ones(2)], tmp_path / "a.pt")
    mg.save([mg.ones(2)], tmp_path / "b.pt")
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes() == saved(mg, [mg.ones(2)])


def test_an_error_in_the_middle_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.pt"
    mg.save([mg.zeros(3)], path)
    old = path.read_bytes()

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    for module, name in ((os, "fsync"), (os, "replace"), (zipfile._ZipWriteFile, "write")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, full)
            with pytest.raises(OSError, match="No space left"):
                mg.save([mg.ones(3)], path)
        assert [p.name for p in tmp_path.iterdir()] == ["x.pt"]
        assert path.read_bytes() == old


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """A limit of the process on the size of files stands for the end of the disk."""
    script = """
import resource, signal, sys, minigrad as mg
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
mg.save([mg.ones(10)], sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    mg.save([mg.zeros(100_000)], sys.argv[1])
except OSError as error:
    print(error.strerror)
"""
    said = subprocess.run([sys.executable, "-c", script, tmp_path / "x.pt"], capture_output=True, text=True, check=True).stdout
    assert said == "File too large\n"
    assert [p.name for p in tmp_path.iterdir()] == ["x.pt"]
    assert mg.load(tmp_path / "x.pt")[0].tolist() == [1] * 10


def test_links_permissions_devices_and_long_names(tmp_path: Path) -> None:
    real, link = tmp_path / "real.pt", tmp_path / "link.pt"
    mg.save(1, real)
    usual = tmp_path / "usual"
    usual.touch()
    assert real.stat().st_mode == usual.stat().st_mode
    real.chmod(0o640)
    link.symlink_to(real)
    mg.save(2, link)
    assert link.is_symlink()
    assert (mg.load(real), real.stat().st_mode & 0o777) == (2, 0o640)
    mg.save(mg.ones(3), "/dev/null")
    assert Path("/dev/null").is_char_device()
    long = tmp_path / ("ä" * 120 + ".pt")
    mg.save(3, long)
    assert mg.load(long) == 3
    with pytest.raises(RuntimeError, match="Is a directory"):
        mg.save(1, tmp_path)


KILLED = """
import sys, minigrad as mg
big = [mg.full((500_000,), float(i)) for i in range(2)]
while True:
    for i in range(2):
        mg.save({"i": i, "x": big[i], "y": big[i][::7]}, sys.argv[1])
        print(flush=True)
"""


def test_a_process_killed_while_it_saves_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    pauses = random.Random(0)
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", KILLED, path], stdout=subprocess.PIPE)
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(pauses.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
        state = mg.load(path)
        assert state["x"].shape == (500_000,)
        assert set(state["x"].tolist()) == {state["i"]}
        assert set(state["y"].tolist()) == {state["i"]}


# ---- hostile and damaged files -----------------------------------------------------------------------------------------


def records_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name.partition("/")[2]: file.read(name) for name in file.namelist()}


def packed(records: dict[str, bytes], **options: Any) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as target:
        for name, data in records.items():
            target.writestr(f"archive/{name}", data)
    return file.getvalue()


NUMBERS = {"data/0": np.arange(6, dtype="f4").tobytes(), "data/1": np.arange(4, dtype="i8").tobytes()}


def holding(pickled: bytes, **records: bytes) -> bytes:
    """An archive with this pickle and two storages."""
    return packed({"data.pkl": pickled, "byteorder": b"little", **NUMBERS, **records, "version": b"3\n"})


def put(x: Any) -> bytes:
    """The opcodes that make plain data."""
    return pickle.dumps(x, 2)[2:-1]


EMPTY = b"ccollections\nOrderedDict\n)R"


def storage(key: Any = "0", kind: str = "FloatStorage", count: Any = 6, location: Any = "cpu") -> bytes:
    return b"(" + put("storage") + f"ctorch\n{kind}\n".encode() + put(key) + put(location) + put(count) + b"tQ"


def tensor(
    offset: Any = 0, shape: Any = (6,), strides: Any = (1,), of: bytes | None = None, grad: bytes = b"\x89", extra: bytes = b""
) -> bytes:
    of = storage() if of is None else of
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + of + put(offset) + put(shape) + put(strides) + grad + EMPTY + extra + b"tR"


DOUBLED = b")" + b"q\x00h\x00\x86" * 60  # a tuple of 2**60 parts
LINKED = b"r\x00\x00\x00\x00"

HOSTILE_PICKLES = {
    # name: (the pickle, what the sentence says)
    "a call": (b"cos\nsystem\n" + put(("ls",)) + b"R.", "it names 'os.system', which is not among the names"),
    "a call by protocol 4": (b"\x80\x04" + put("os") + put("system") + b"\x93" + put(("ls",)) + b"R.", "it names 'os.system'"),
    "getattr": (b"cbuiltins\ngetattr\n.", "it names 'builtins.getattr'"),
    "a function of torch's": (b"ctorch\nload\n" + put(("x",)) + b"R.", "it names 'torch.load'"),
    "calling a dtype": (b"ctorch\nfloat32\n)R.", "it calls dtype"),
    "calling a storage": (b"ctorch\nFloatStorage\n)R.", "it calls Float32DType"),
    "BUILD on a constructor": (
        b"ctorch._utils\n_rebuild_tensor_v2\n" + put({"__defaults__": ()}) + b"b.",
        "it sets the state of an object of type Name",
    ),
    "BUILD on a tensor": (tensor() + put({"a": 1}) + b"b.", "it sets the state of an object of type Tensor"),
    "BUILD on a dict": (b"}" + put({"_metadata": 1}) + b"b.", "it sets the state of an object of type dict"),
    "methods of an OrderedDict": (EMPTY + put({"items": 1}) + b"b.", "it sets the state of an object of type OrderedDict"),
    "a state of an OrderedDict": (EMPTY + b"Nb.", "a value of type NoneType where one of type dict is needed"),
    "NEWOBJ": (b"ccollections\nOrderedDict\n)\x81.", "it makes an object of collections.OrderedDict"),
    "a memo index of gigabytes": (b"Nr\xff\xff\xff\x7f.", "it stores memo 2147483647 after only 1 bytes"),
    "BYTEARRAY8 of 2**40": (b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"x.", "not well-formed"),
    "a tuple of 2**60 parts as a key": (b"}" + DOUBLED + b"Ns.", "it has a key of type tuple"),
    "... in a counter": (b"ccollections\nCounter\n}" + DOUBLED + b"Ns\x85R.", "it has a key of type tuple"),
    "... as a shape": (b"ctorch\nSize\n" + DOUBLED + b"\x85R.", "a value of type tuple where one of type int"),
    "... as a reference": (DOUBLED + b"Q.", "not well-formed"),
    "... as a device": (b"ctorch\ndevice\n" + DOUBLED + b"\x85R.", "a value of type tuple where one of type str"),
    "keys of equal hash": (
        b"}(" + b"".join(put(i * (2**61 - 1)) + b"N" for i in range(1, 1000)) + b"u.",
        "it has a key of type int which is neither text nor a number below 2**61",
    ),
    "a list as a key": (b"}]Ns.", "it has a key of type list"),
    "a key without a value": (b"}(Nu.", "not well-formed"),
    "items for a list": (b"](NNu.", "it gives keys and values to an object of type list"),
    "items for a tensor": (tensor() + b"(K\x00Nu.", "it gives keys and values to an object of type Tensor"),
    "appending to a tuple": (b")Na.", "a value of type tuple where one of type list"),
    "filling the names": (b"ctorch\nSize\nK\x00Ns.", "an object of type Name"),
    "a dict with arguments": (b"ccollections\nOrderedDict\n" + put(([(1, 2)],)) + b"R.", "not well-formed"),
    "a counter of a list": (b"ccollections\nCounter\n" + put(([1],)) + b"R.", "a value of type list where one of type dict"),
    "a set of a dict": (b"c__builtin__\nset\n" + put(({1: 2},)) + b"R.", "a value of type dict where one of type list"),
    "members of equal hash": (
        b"c__builtin__\nset\n" + put(([i * (2**61 - 1) for i in range(1, 1000)],)) + b"R.",
        "it has a set or Counter with a member that is neither text nor a number below 2**61",
    ),
    "a shape of 1,000": (b"ctorch\nSize\n" + put((tuple([1] * 1000),)) + b"R.", "or too many of them"),
    "offset outside": (tensor(1) + b".", "reaches outside its storage of 6 numbers"),
    "negative offset": (tensor(-1) + b".", "reaches outside its storage of 6 numbers"),
    "offset of 2**62": (tensor(2**62, (), ()) + b".", "reaches outside"),
    "strides outside": (tensor(0, (3,), (3,)) + b".", "reaches outside"),
    "strides that wrap round": (tensor(0, (3,), (2**62,)) + b".", "reaches outside"),
    "two strides that wrap round": (tensor(0, (2**33, 2**33), (2**31, 2**31)) + b".", "reaches outside"),
    "negative strides": (tensor(5, (6,), (-1,)) + b".", "negative sizes or steps"),
    "negative shape": (tensor(0, (-6,), (1,)) + b".", "negative sizes or steps"),
    "a shape of 2**70": (tensor(0, (2**70,), (0,)) + b".", "reaches outside"),
    "more than memory can be": (tensor(0, (2**40, 2**40), (0, 0)) + b".", "more than fit into memory"),
    "65 dimensions": (tensor(0, (1,) * 65, (1,) * 65) + b".", "or too many of them"),
    "another number of strides": (tensor(0, (2, 3), (1,)) + b".", "reaches outside"),
    "a shape of floats": (tensor(0, (6.0,), (1,)) + b".", "a value of type float where one of type int"),
    "a shape of bools": (tensor(0, (True,), (1,)) + b".", "a value of type bool where one of type int"),
    "a shape that is a list": (tensor(0, [6], (1,)) + b".", "a value of type list where one of type tuple"),
    "a tensor as a storage": (tensor(of=tensor()) + b".", "a value of type Tensor where one of type ndarray"),
    "text as a storage": (tensor(of=put("x")) + b".", "a value of type str where one of type ndarray"),
    "more numbers than there are": (tensor(of=storage(count=7)) + b".", "has 24 bytes, and the 7 numbers in it take 28"),
    "fewer numbers than there are": (tensor(of=storage(count=5)) + b".", "has 24 bytes, and the 5 numbers in it take 20"),
    "2**61 numbers": (tensor(of=storage(count=2**61)) + b".", f"has 24 bytes, and the {2**61} numbers in it take {2**63}"),
    "fewer than no numbers": (tensor(of=storage(count=-1)) + b".", "something else than numbers"),
    "a number of numbers that is none": (tensor(of=storage(count=None)) + b".", "a value of type NoneType where one of type int"),
    "one storage as two types": (b"]" + tensor() + b"a" + tensor(of=storage(kind="IntStorage")) + b"a.", "of two types or sizes"),
    "one storage of two sizes": (b"]" + tensor() + b"a" + tensor(of=storage(count=5)) + b"a.", "of two types or sizes"),
    "a record that is not there": (tensor(of=storage("7")) + b".", "it has no record 'data/7'"),
    "a record elsewhere": (tensor(of=storage("../../../etc/passwd")) + b".", "it has no record 'data/../../../etc/passwd'"),
    "a key that is a number": (tensor(of=storage(0)) + b".", "a value of type int where one of type str"),
    "a storage of an unknown type": (tensor(of=storage(kind="ComplexFloatStorage")) + b".", "it names 'torch.ComplexFloatStorage'"),
    "a dtype as a storage type": (tensor(of=storage(kind="float32")) + b".", "something else than numbers"),
    "another device": (tensor(of=storage(location="cuda:" + "0" * 1000)) + b".", "of device 'cuda:000000000000000', and minigrad"),
    "a reference that is text": (put("x") + b"Q.", "a value of type str where one of type tuple"),
    "a reference of other length": (put(("storage",)) + b"Q.", "not well-formed"),
    "a persistent id as a line": (b"Pstorage\n.", "its opcode PERSID"),
    "integers with a gradient": (
        tensor(0, (4,), of=storage("1", "LongStorage", 4), grad=b"\x88") + b".",
        "only Tensors of floating point dtype",
    ),
    "a gradient that is no bool": (tensor(grad=b"K\x01") + b".", "a value of type int where one of type bool"),
    "conjugate bits": (tensor(extra=put({"conj": True})) + b".", "conjugate or negative bits"),
    "a parameter of text": (
        b"ctorch._utils\n_rebuild_parameter\n" + put(("x", True, None)) + b"R.",
        "a value of type str where one of type Tensor",
    ),
    "a parameter of integers": (
        b"ctorch._utils\n_rebuild_parameter\n" + tensor(0, (4,), of=storage("1", "LongStorage", 4)) + b"\x88N\x87R.",
        "only Tensors of floating point dtype",
    ),
    "a device that does not exist": (b"ctorch\ndevice\n" + put(("x" * 10**6,)) + b"R.", "Invalid device string"),
    "bytes in another code": (b"c_codecs\nencode\n" + put(("x", "zlib")) + b"R.", "in another way than latin1"),
    "an int of 2**31 bytes": (b"\x8b" + struct.pack("<i", 2**31 - 1) + b"x.", "not well-formed"),
    "a line without quotes": (b"S" + b"x" * 10**5 + b"\n.", "not well-formed (ValueError: no string quotes around b'xxx"),
    "nothing": (b"", "not well-formed"),
    "no result": (b".", "not well-formed"),
    "below a mark": (b"N(a.", "takes more from the stack than is there"),
}


def refused(data: bytes, sentence: str, factor: float = 100) -> None:
    """`data` is refused in one short sentence that fits, soon, and with no more memory than `factor` times its size."""
    tracemalloc.start()
    try:
        begin = time.process_time()
        with pytest.raises(REFUSALS, match=sentence) as caught:
            mg.load(io.BytesIO(data))
        seconds, peak = time.process_time() - begin, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
    assert peak < 2**20 + factor * len(data)
    assert seconds < 10


@pytest.mark.parametrize("name", HOSTILE_PICKLES)
def test_hostile_pickles(name: str) -> None:
    pickled, sentence = HOSTILE_PICKLES[name]
    refused(holding(pickled), re.escape(sentence))


def test_what_the_hostile_ones_are_made_of_is_true() -> None:
    """Without what is hostile about them they load, here and in torch."""
    integers = tensor(0, (4,), of=storage("1", "LongStorage", 4))
    parts = [tensor(), tensor(2, (2, 2), (2, 1)), integers, tensor(0, (2**40,), (0,)), EMPTY + put({"_metadata": 1}) + b"b"]
    data = holding(b"\x80\x02](" + b"".join(parts) + b"e.")
    for m in (mg, torch):
        x, y, z, endless, ordered = loaded(m, data)
        assert (x.tolist(), y.tolist(), z.tolist()) == ([0, 1, 2, 3, 4, 5], [[2, 3], [4, 5]], [0, 1, 2, 3])
        assert (endless.shape, ordered._metadata) == ((2**40,), 1)


LARGE_DICT = b"}(" + b"".join(put(i) + b"N" for i in range(5_000)) + b"uq\x00"
BOMBS = {
    "empty lists": b"]" * 3 * 10**4,
    "marks": b"(" * 3 * 10**4,
    "tuples in tuples": b")" + b"\x85" * 3 * 10**4,
    "lists in lists": b"(" + b"](" * 10**4,
    "one large counter over and over": b"]" + LARGE_DICT + b"ccollections\nCounter\nh\x00\x85R" * 2000,
    "one large list as a set over and over": b"]" + put(list(range(5_000))) + b"q\x00" + b"c__builtin__\nset\nh\x00\x85R" * 2000,
    "one text encoded over and over": put("x" * 10**6) + b"q\x00" + b"c_codecs\nencode\nh\x00" + put("latin1") + b"\x86R" * 3,
    "tensors from one tuple": tensor()[:-1].replace(b"_v2\n(", b"_v2\nq\x01(") + b"q\x02R" + b"h\x01h\x02R" * 5000,
    "a state set over and over": LARGE_DICT + EMPTY + b"h\x00b" * 10**4,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str) -> None:
    """Files that want much memory or time for their size; they end without a STOP, or are refused before."""
    refused(holding(BOMBS[name]), "refused pickle: it", factor=150)


def test_a_pickle_of_too_many_opcodes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "MAX_OPCODES", 1000)
    refused(holding(b"(" + b"N" * 2000 + b"t."), "it has more than 1000 opcodes")


def patched(data: bytes, record: str, field: int, value: bytes) -> bytes:
    """The archive, with some bytes of the entry of `record` in its central directory changed."""
    place = data.rindex(b"archive/" + record.encode()) - 46 + field
    assert data[place - field : place - field + 4] == b"PK\1\2"
    return data[:place] + value + data[place + len(value) :]


WHOLE = holding(b"](" + tensor() + tensor(0, (4,), of=storage("1", "LongStorage", 4)) + b"e.")
ZEROS = {"data.pkl": tensor(0, (2**26,), of=storage("0", count=2**26)) + b".", "data/0": bytes(2**28)}
HOSTILE_ARCHIVES = {
    # name: (the file, what the sentence says)
    "compressed": (packed(ZEROS, compression=zipfile.ZIP_DEFLATED, compresslevel=1), "compressed or encrypted"),
    "compressed by bzip2": (packed({"data.pkl": b"N."}, compression=zipfile.ZIP_BZIP2), "compressed or encrypted"),
    "said to be compressed": (patched(WHOLE, "data/1", 10, b"\x08"), "compressed or encrypted"),
    "encrypted": (patched(WHOLE, "data/1", 8, b"\x01"), "compressed or encrypted"),
    "of two sizes": (patched(WHOLE, "data/1", 24, b"\xff"), "compressed or encrypted"),
    "on top of another": (patched(WHOLE, "data/1", 42, struct.pack("<I", WHOLE.index(b"PK\3\4", 1))), "overlaps another or"),
    "longer than the file": (patched(WHOLE, "data/1", 20, struct.pack("<II", 10**9, 10**9)), "overlaps another or reaches outside"),
    "into its neighbour": (patched(WHOLE, "data/0", 20, struct.pack("<II", 40, 40)), "overlaps another or reaches outside"),
    "where no header is": (patched(WHOLE, "data/1", 42, struct.pack("<I", 3)), "overlaps another or reaches outside"),
    "outside": (patched(WHOLE, "data/1", 42, struct.pack("<I", 10**9)), "no whole zip archive|overlaps another or reaches outside"),
    "upwards": (packed({"data.pkl": b"N.", "../../tmp/x": b""}), r"'../../tmp/x' that occurs twice or goes up in the folders"),
    "another checksum": (patched(WHOLE, "data/1", 16, b"abcd"), "it is damaged: the record 'data/1' is not what was written"),
    "without a pickle": (packed({"data/0": b"1234"}), "it has no record 'data.pkl'"),
    "empty archive": (packed({}), "it has no record 'data.pkl'"),
    "empty": (b"", "it is no whole zip archive"),
    "text": (b"hello " * 100, "it is no whole zip archive"),
    "a bare pickle": (pickle.dumps({"a": 1}, 2), "it is a bare pickle, as torch wrote it before version 1.6: load it in torch"),
    "zeros": (bytes(10**6), "it is no whole zip archive"),
    "the end alone": (WHOLE[-22:], "it is no whole zip archive"),
}


@pytest.mark.parametrize("name", HOSTILE_ARCHIVES)
def test_hostile_archives(name: str, tmp_path: Path) -> None:
    data, sentence = HOSTILE_ARCHIVES[name]
    refused(data, sentence, factor=10)
    (tmp_path / "x.pt").write_bytes(data)
    if name != "another checksum":
        with pytest.raises(RuntimeError, match=r"^cannot load .*x\.pt: it "):
            mg.load(tmp_path / "x.pt", mmap=True)


def test_a_name_that_occurs_twice() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = twice()
    refused(data, "'data.pkl' that occurs twice")


def twice() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("archive/data.pkl", b"N.")
        target.writestr("archive/data.pkl", b"K\x01.")
    return file.getvalue()


def test_files_in_the_format_before_version_1_6() -> None:
    file = io.BytesIO()
    torch.save({"a": torch.ones(2)}, file, _use_new_zipfile_serialization=False)
    refused(file.getvalue(), "it is a bare pickle, as torch wrote it before version 1.6")


def test_an_archive_behind_other_bytes_still_loads() -> None:
    assert loaded(mg, b"#!/bin/sh\n" + WHOLE)[1].tolist() == [0, 1, 2, 3]


def test_bools_are_0_or_1() -> None:
    """NumPy counts on it; torch has them as they are."""
    (x,) = loaded(mg, holding(b"]" + tensor(of=storage("0", "BoolStorage", 24), shape=(24,)) + b"a."))
    assert set(x.array.view(np.uint8).tolist()) == {0, 1}


def test_every_truncated_file_is_refused() -> None:
    data = saved(mg, {"x": mg.arange(5.0), "y": [1, "a"]})
    for end in range(len(data)):
        with pytest.raises(RuntimeError, match="cannot load the file: it is no whole zip archive"):
            loaded(mg, data[:end])


@pytest.mark.parametrize("library", [mg, torch], ids=["minigrad", "torch"])
def test_damaged_files_give_an_object_or_a_refusal(library: Any, tmp_path: Path) -> None:
    """Bytes flipped, removed and inserted; two times of three in the pickle alone, under a checksum that fits."""
    net = net_of(library)
    state = {"net": net.state_dict(), "opt": library.optim.Adam(net.parameters()).state_dict(), "b": b"12", "c": Counter("ab")}
    data = saved(library, state | {"x": library.ones(3, 1).expand(3, 4)})
    records = records_of(data)
    chance = random.Random(0)
    outcomes: Counter[str] = Counter()
    for number in range(300):
        damaged = bytearray(records["data.pkl"] if number % 3 else data)
        for _ in range(chance.choice([1, 1, 2, 8])):
            place, bytes_ = chance.randrange(len(damaged)), [b"", chance.randbytes(1), chance.randbytes(4), b"\xff\xff\xff\x7f"]
            damaged[place : place + chance.choice([0, 1, 1, 1, 4])] = chance.choice(bytes_)
        content = packed(records | {"data.pkl": bytes(damaged)}) if number % 3 else bytes(damaged)
        path = tmp_path / "x.pt"
        path.write_bytes(content)
        outcomes[outcome(path, mapped=number % 2 == 0)] += 1
    assert set(outcomes) == {"loaded", "UnpicklingError", "RuntimeError"}
    assert outcomes["loaded"] > 10
    assert outcomes["UnpicklingError"] > 100
    assert outcomes["RuntimeError"] > 30


def outcome(path: Path, mapped: bool) -> str:
    try:
        mg.load(path, mmap=mapped)
    except REFUSALS as error:
        return type(error).__name__ if str(error).startswith(f"cannot load {path}: ") else str(error)
    return "loaded"


@pytest.mark.parametrize("order", [b"Little", b"", b"little\n"])
def test_a_byte_order_that_nobody_knows(order: bytes) -> None:
    for m in (torch, mg):
        data = packed(records_of(saved(m, m.ones(2))) | {"byteorder": order})
        with pytest.raises(ValueError, match=r"endianness|byteorder"):
            loaded(m, data)


@pytest.mark.parametrize("record", ["data.pkl", "byteorder", "data/0"])
def test_a_flipped_bit_in_a_mapped_file_is_seen(record: str, tmp_path: Path) -> None:
    data = bytearray(saved(mg, {"epoch": 7, "x": mg.ones(2)}))
    content = records_of(bytes(data))[record]
    place = data.index(content) + (content.index(b"K\x07") + 1 if record == "data.pkl" else 0)
    data[place] ^= 8  # of the epoch, for example: 7 to 15
    (tmp_path / "x.pt").write_bytes(data)
    for mapped in (False, True):
        with pytest.raises(RuntimeError, match=f"damaged: the record '{record}' is not what was written"):
            mg.load(tmp_path / "x.pt", mmap=mapped)


def test_an_empty_tensor_may_lie_behind_its_storage() -> None:
    for m in (torch, mg):
        back = loaded(m, holding(tensor(offset=99, shape=(0, 3), strides=(3, 1)) + b"."))
        assert back.shape == (0, 3)


def test_devices_of_impossible_numbers() -> None:
    for index in (-5, 10**30):
        for m in (torch, mg):
            with pytest.raises((RuntimeError, ValueError)):
                m.device("cpu", index)
        refused(holding(b"ctorch\ndevice\n" + put(("cpu", index)) + b"R."), "Device index must not be negative")


SPARSE = """
import os, resource, struct, sys, tracemalloc, zipfile, minigrad as mg
path, size = sys.argv[1], 900 * 10**6
with zipfile.ZipFile(path, "w") as file:
    file.writestr("archive/data.pkl", b"")
data = bytearray(open(path, "rb").read())
start, end = data.index(b"PK\\1\\2"), data.index(b"PK\\5\\6")
for place in (18, 22, start + 20, start + 24):
    struct.pack_into("<I", data, place, size)
struct.pack_into("<I", data, end + 16, start + size)
with open(path, "wb") as file:  # a hole in the middle: 900 MB that take none on the disk
    file.write(data[:start])
    file.seek(start + size)
    file.write(data[start:])
assert os.stat(path).st_blocks < 100
tracemalloc.start()
for mapped in (False, True):
    try:
        mg.load(path, mmap=mapped)
        raise SystemExit("loaded")
    except (RuntimeError, mg.serialization.checkpoint.UnpicklingError) as error:
        print(error)
print(tracemalloc.get_traced_memory()[1] / size)
"""


def test_a_large_hole_for_a_pickle_is_refused_without_taking_it_twice(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SPARSE, tmp_path / "x.pt"]
    *errors, factor = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[:3]
    assert all(error.startswith(f"cannot load {tmp_path}") for error in errors)
    assert float(factor) < 1.2


def test_nothing_is_executed(tmp_path: Path) -> None:
    class Armed:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "made"),)

    file = io.BytesIO()
    torch.save({"x": torch.ones(1), "y": Armed()}, file)
    refused(file.getvalue(), r"it names '\w+.mkdir'")
    assert not (tmp_path / "made").exists()
    torch.load(io.BytesIO(file.getvalue()), weights_only=False)
    assert (tmp_path / "made").exists()  # it was armed


def test_a_huge_expanded_tensor_does_not_get_into_a_module() -> None:
    (x,) = loaded(mg, holding(b"]" + tensor(0, (2**40,), (0,)) + b"a."))
    with pytest.raises(RuntimeError, match="size mismatch"):
        mg.nn.Linear(2, 2).load_state_dict({"weight": x, "bias": x})


# ---- training ----------------------------------------------------------------------------------------------------------

PLANS = {
    "sgd": lambda o, params: (o.SGD(params, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01), o.lr_scheduler.StepLR, (2,)),
    "adam": lambda o, params: (o.Adam(params, lr=0.01, amsgrad=True), o.lr_scheduler.MultiStepLR, ([3, 3, 8],)),
    "adamw": lambda o, params: (o.AdamW(params, lr=0.01), o.lr_scheduler.OneCycleLR, (0.1, 20)),
    "rmsprop": lambda o, params: (o.RMSprop(params, momentum=0.5), o.lr_scheduler.ReduceLROnPlateau, ("min", 0.5, 0)),
    "adagrad": lambda o, params: (o.Adagrad(params, lr=0.1), o.lr_scheduler.CosineAnnealingLR, (7,)),
}


class Run:
    """A network, its optimiser and its schedule, which are saved and loaded together with the state of the random numbers."""

    def __init__(self, m: Any, plan: str, seed: int = 0):
        self.m, self.net = m, net_of(m, seed)
        self.opt, schedule, arguments = PLANS[plan](m.optim, self.net.parameters())
        self.schedule = schedule(self.opt, *arguments)

    def train(self, steps: int) -> list[float]:
        """Steps on random data, with dropout."""
        m, losses = self.m, []
        for _ in range(steps):
            x, y = m.randn(16, 4, dtype=m.float64), m.randint(0, 3, (16,))
            loss = m.nn.functional.cross_entropy(self.net(x), y)
            self.opt.zero_grad()
            loss.backward()
            self.opt.step()
            self.schedule.step(*[loss.item()] * isinstance(self.schedule, m.optim.lr_scheduler.ReduceLROnPlateau))
            losses.append(loss.item())
        return losses

    def state(self) -> dict[str, Any]:
        parts = {name: getattr(self, name).state_dict() for name in ("net", "opt", "schedule")}
        return {**parts, "rng": self.m.get_rng_state(), "epoch": 5}

    def resume(self, state: dict[str, Any]) -> None:
        for name in ("net", "opt", "schedule"):
            getattr(self, name).load_state_dict(state[name])
        self.m.set_rng_state(state["rng"])


@pytest.mark.parametrize("plan", PLANS)
def test_training_resumed_gives_the_numbers_of_training_uninterrupted(plan: str, through: Any) -> None:
    run, again = Run(mg, plan), Run(mg, plan, seed=1)
    mg.manual_seed(7)
    run.train(5)
    state = through(mg, run.state(), mg)
    expected = run.train(5)
    again.resume(state)
    assert again.train(5) == expected
    assert [p.tolist() for p in again.net.parameters()] == [p.tolist() for p in run.net.parameters()]


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize(("first", "second"), [(torch, mg), (mg, torch)], ids=["to minigrad and back", "to torch and back"])
def test_training_handed_over_twice(plan: str, first: Any, second: Any) -> None:
    """Five steps here, five there, five here again: the random numbers go along, so the losses are those of one run."""
    runs = [Run(first, plan), Run(second, plan, seed=1), Run(first, plan, seed=2)]
    whole = Run(torch, plan)
    first.manual_seed(7)
    losses = runs[0].train(5)
    for here, there in itertools.pairwise(runs):
        there.resume(loaded(there.m, saved(here.m, here.state())))
        losses += there.train(5)
    torch.manual_seed(7)
    np.testing.assert_allclose(losses, whole.train(15), rtol=1e-10)
    for a, b in zip(runs[2].net.parameters(), whole.net.parameters(), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), 1e-10, 1e-12)


def test_states_of_torchs_optimizers_and_schedulers() -> None:
    net = net_of(torch)
    for make in (torch.optim.SGD, torch.optim.NAdam, torch.optim.RAdam):
        opt = make(net.parameters(), lr=0.1)
        net(torch.ones(1, 4).double()).sum().backward()
        opt.step()
        schedulers = torch.optim.lr_scheduler
        plan = [
            schedulers.StepLR(opt, 2), schedulers.MultiStepLR(opt, [2, 2, 5]), schedulers.ReduceLROnPlateau(opt),
            schedulers.CosineAnnealingWarmRestarts(opt, 3), schedulers.LambdaLR(opt, lambda epoch: 0.9**epoch),
        ]  # fmt: skip
        state = {"opt": opt.state_dict(), "schedulers": [s.state_dict() for s in plan]}
        back = loaded(mg, saved(torch, state))
        same(back, state)
        same(back, loaded(torch, saved(mg, back)))


# ---- copies and Python's pickles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [mg, torch], ids=["minigrad", "torch"])
def test_deep_copies_share_what_the_originals_share(m: Any) -> None:
    x = m.arange(6.0)
    a, b, c, p = copy.deepcopy([x, x.view(2, 3).t(), x[2:4], m.nn.Parameter(x.view(2, 3).t())])
    a[2] = 20
    assert (b[2, 0].item(), c[0].item(), x[2].item(), p[2, 0].item()) == (20, 20, 2, 2)  # a parameter's copy is its own
    assert (b.stride(), p.stride(), type(p), p.is_leaf, p.requires_grad) == ((1, 3), (1, 3), m.nn.Parameter, True, True)
    alone = copy.deepcopy(m.ones(3, 1).expand(3, 4))
    assert (alone.tolist(), alone.stride()) == ([[1.0] * 4] * 3, (1, 0))


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
def test_copies_of_a_network_in_training(twin: Any) -> None:
    run = Run(mg, "adam")
    run.train(2)
    net, opt, schedule = twin((run.net, run.opt, run.schedule))
    assert opt.param_groups[0]["params"][0] is net[0].weight
    rng = mg.get_rng_state()
    expected = run.train(3)
    mg.set_rng_state(rng)
    run.net, run.opt, run.schedule = net, opt, schedule
    assert run.train(3) == expected
