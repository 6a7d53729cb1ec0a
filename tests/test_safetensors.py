"""safetensors files cross to `safetensors.torch` and back, and hold what the tensors hold, whatever their strides."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import safetensors
import safetensors.torch as theirs
import torch

import minigrad as mg
from minigrad.serialization import safetensors as ours
from tests.test_serialization import DTYPES
from tests.twins import assert_same, raised


def tensors_of(m: Any) -> dict[str, Any]:
    x = m.arange(24.0)
    numbers = {dtype: m.tensor([[0, 1, 1], [1, 0, 1]], dtype=getattr(m, dtype)) for dtype in DTYPES}
    return {**numbers, "0-d": m.tensor(2.5), "empty": m.empty(0, 3), "": m.ones(1), "ä.1": x, "grad": m.ones(2, requires_grad=True)}


def views_of(m: Any) -> dict[str, Any]:
    """No two of the same memory."""
    def x() -> Any:
        return m.arange(24.0).view(4, 6)

    return {"t": x().t(), "column": x()[:, 1], "steps": x()[::2, ::3], "expanded": m.arange(3.0).expand(4, 3), "tail": x()[2:],
            "moved": x().view(2, 3, 4).permute(2, 0, 1)}  # fmt: skip


def same(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert sorted(a) == sorted(b)
    for name in b:
        assert_same(a[name].detach(), b[name].detach(), name)


def test_across(tmp_path: Path) -> None:
    ours.save_file(tensors_of(mg), tmp_path / "ours", {"format": "pt", "note": "ä"})
    theirs.save_file(tensors_of(torch), str(tmp_path / "theirs"))
    same(tensors_of(mg), theirs.load_file(str(tmp_path / "ours")))
    same(ours.load_file(tmp_path / "theirs"), tensors_of(torch))
    same(ours.load_file(str(tmp_path / "ours")), tensors_of(torch))
    with safetensors.safe_open(str(tmp_path / "ours"), "pt") as file:
        assert file.metadata() == {"format": "pt", "note": "ä"}
    same(ours.load(theirs.save(tensors_of(torch))), tensors_of(torch))
    same(tensors_of(mg), theirs.load(ours.save(tensors_of(mg))))
    assert ours.save(tensors_of(mg)) == theirs.save(tensors_of(torch))
    same(mg.load(_as_safetensors(tmp_path / "ours")), tensors_of(torch))


def _as_safetensors(path: Path) -> Path:
    return path.rename(path.with_suffix(".safetensors"))


def test_names_come_in_one_order(tmp_path: Path) -> None:
    names = [f"layer.{i}.weight" for i in range(50)]
    ours.save_file({name: mg.full((3,), float(i)) for i, name in enumerate(names)}, tmp_path / "x")
    for _ in range(3):
        assert list(ours.load_file(tmp_path / "x")) == sorted(names)
        assert list(ours.load((tmp_path / "x").read_bytes())) == sorted(names)


PEAK = """
import re, sys, minigrad.serialization.safetensors as s
def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1])
s._library()
before = peak()
back = s.load_file(sys.argv[1])
print((peak() - before) / 1024, len(back))
"""


def test_a_file_is_mapped(tmp_path: Path) -> None:
    size = 40 * 10**6
    ours.save_file({"a": mg.zeros(size // 8), "b": mg.ones(size // 8, dtype=mg.float32)}, tmp_path / "x")
    command = [sys.executable, "-c", PEAK, tmp_path / "x"]
    peak, count = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert count == "2"
    assert float(peak) < 10  # of 40 MB; three times as much before


def test_what_is_changed_in_a_mapped_file_does_not_reach_it(tmp_path: Path) -> None:
    ours.save_file({"a": mg.zeros(3), "b": mg.ones(2, dtype=mg.bool), "c": mg.arange(3)}, tmp_path / "x")
    back = ours.load_file(tmp_path / "x")
    back["a"].add_(1)
    assert [x.tolist() for x in back.values()] == [[1, 1, 1], [True, True], [0, 1, 2]]
    assert ours.load_file(tmp_path / "x")["a"].tolist() == [0, 0, 0]


def test_views_are_packed() -> None:
    """The library's own writer for NumPy writes other numbers for each of them, without a word."""
    same(views_of(mg), theirs.load(ours.save(views_of(mg))))
    same(ours.load(ours.save(views_of(mg))), {name: x.contiguous() for name, x in views_of(torch).items()})


def test_bfloat16_comes_as_float32() -> None:
    x = torch.tensor([[1.0, -2.5], [3e38, 1e-40]], dtype=torch.bfloat16)
    same(ours.load(theirs.save({"x": x})), {"x": x.float()})


def test_what_is_loaded_can_be_changed(tmp_path: Path) -> None:
    ours.save_file({"x": mg.ones(3)}, tmp_path / "x")
    x = ours.load_file(tmp_path / "x")["x"]
    x.add_(1)
    assert x.tolist() == [2, 2, 2]


@pytest.mark.parametrize("m", [mg, torch], ids=["minigrad", "torch"])
def test_refusals(m: Any, tmp_path: Path) -> None:
    library, path = (ours, tmp_path / "x") if m is mg else (theirs, str(tmp_path / "x"))
    x = m.arange(6.0)
    for shared in ({"a": x, "b": x}, {"a": x, "b": x[2:]}, {"a": x[:4], "b": x[2:]}, {"a": x[::2], "b": x[1::2], "c": m.ones(1)}):
        with pytest.raises(RuntimeError, match=r"share memory"):
            library.save_file(shared, path)
    library.save_file({"a": x[:3], "b": x[3:]}, path)  # the same storage, but not the same memory
    assert library.load_file(path)["b"].tolist() == [3, 4, 5]
    for wrong in ([x], {"a": 1}, {"a": [x]}):
        with pytest.raises(ValueError, match=r"expected|Expected"):
            library.save_file(wrong, path)
    assert raised(library.save_file, {"a": x}, path, {"n": 1}) == "TypeError"
    assert library.load_file(path)["b"].tolist() == [3, 4, 5]
    assert raised(library.load_file, str(tmp_path / "none")) == "FileNotFoundError"


def test_refusals_of_our_own(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="tensor 'x' is of dtype U16, which minigrad does not have"):
        ours.load(theirs.save({"x": torch.ones(2, dtype=torch.uint16)}))
    with pytest.raises(AssertionError, match="CPU only"):
        ours.load_file(tmp_path / "x", device="cuda")
    with pytest.raises(RuntimeError, match=r"Parent directory .* does not exist"):
        ours.save_file({}, tmp_path / "none" / "x")


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    data = ours.save({"x": mg.ones(3), "y": mg.arange(3)})
    for end in range(len(data)):
        with pytest.raises(safetensors.SafetensorError):
            ours.load(data[:end])
    header = data.index(b'"shape":[3]') + 9
    with pytest.raises(safetensors.SafetensorError):
        ours.load(data[:header] + b"9" + data[header + 1 :])


def test_an_error_in_the_middle_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours.save_file({"x": mg.zeros(3)}, tmp_path / "x")

    def half(arrays: Any, path: str, metadata: Any) -> None:
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.numpy.save_file", half)
    with pytest.raises(OSError, match="No space left"):
        ours.save_file({"x": mg.ones(3)}, tmp_path / "x")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert ours.load_file(tmp_path / "x")["x"].tolist() == [0, 0, 0]


def test_a_model_to_torch_and_back(tmp_path: Path) -> None:
    def net_of(m: Any, seed: int) -> Any:
        m.manual_seed(seed)
        return m.nn.Sequential(m.nn.Linear(3, 3), m.nn.ReLU(), m.nn.Linear(3, 3))

    net, path = net_of(mg, 0), str(tmp_path / "x")
    ours.save_file(net.state_dict(), path)
    for library, m in ((theirs, torch), (ours, mg)):
        other = net_of(m, 1)
        other.load_state_dict(library.load_file(path))
        library.save_file(other.state_dict(), path)
    for name, value in net.state_dict().items():
        assert other.state_dict()[name].tolist() == value.tolist()


def tied_net(m: Any, seed: int) -> Any:
    m.manual_seed(seed)
    net = m.nn.Sequential(m.nn.Linear(3, 3), m.nn.BatchNorm1d(3), m.nn.Linear(3, 3), m.nn.Linear(3, 3))
    net[2].weight = net[3].weight = net[0].weight
    net[3].register_buffer("row", net[2].bias.detach()[1:])
    return net


def test_models_with_tied_weights(tmp_path: Path) -> None:
    path = str(tmp_path / "x")
    for (writer, m), (reader, n) in itertools.product([(ours, mg), (theirs, torch)], repeat=2):
        net, other = tied_net(m, 0), tied_net(n, 1)
        writer.save_model(net, path, {"note": "x", "2.weight": "my own"})
        with safetensors.safe_open(path, "pt") as file:
            assert file.metadata() == {"note": "x", "2.weight": "my own", "3.weight": "0.weight", "3.row": "2.bias"}
        assert reader.load_model(other, path) == (set(), [])
        assert [x.tolist() for x in other.state_dict().values()] == [x.tolist() for x in net.state_dict().values()]


@pytest.mark.parametrize(("library", "m"), [(ours, mg), (theirs, torch)], ids=["minigrad", "torch"])
def test_models_that_do_not_fit(library: Any, m: Any, tmp_path: Path) -> None:
    path, net = str(tmp_path / "x"), tied_net(m, 0)
    free = m.nn.Sequential(m.nn.Linear(3, 3), m.nn.ReLU(), m.nn.Linear(3, 3))
    library.save_model(net, path)
    missing, unexpected = library.load_model(free, path, strict=False)
    assert missing == {"2.weight"}
    assert sorted(unexpected) == ["1.bias", "1.num_batches_tracked", "1.running_mean", "1.running_var", "1.weight", "3.bias"]
    with pytest.raises(RuntimeError) as caught:
        library.load_model(free, path)
    assert str(caught.value).split("\n    ") == [
        "Error(s) in loading state_dict for Sequential:", 'Missing key(s) in state_dict: "2.weight"',
        'Unexpected key(s) in state_dict: "1.bias", "1.num_batches_tracked", "1.running_mean", "1.running_var", "1.weight", '
        '"3.bias"',
    ]  # fmt: skip
    library.save_model(free, path)  # holds names that the tied one does not ask for
    assert sorted(library.load_model(net, path, strict=False)[1]) == ["2.weight"]
    parts = m.nn.Module()
    x = m.arange(6.0)
    parts.register_buffer("a", x[:4])
    parts.register_buffer("b", x[2:])
    with pytest.raises(RuntimeError, match=r"covering the entire storage|none of them covers all of it"):
        library.save_model(parts, path)


ABSENT = """
import sys
import minigrad as mg, minigrad.serialization.safetensors as st
assert "safetensors" not in sys.modules
sys.modules["safetensors"] = None
for call in (lambda: st.save_file({}, "x"), lambda: st.load(b""), lambda: mg.load("x.safetensors")):
    try:
        call()
    except ImportError as error:
        print(error)
"""


def test_without_the_package(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").touch()
    said = subprocess.run([sys.executable, "-c", ABSENT], capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert said == "safetensors files need the package safetensors: pip install safetensors\n" * 3
