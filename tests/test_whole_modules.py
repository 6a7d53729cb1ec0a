"""Whole modules in files, as in ``torch.save(model, path)``: the names of their classes, and their attributes."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import minigrad as mg
from minigrad import nn
from minigrad.serialization import add_safe_globals, clear_safe_globals, safe_globals

from .test_serialization import holding, put


class Config:
    def __init__(self) -> None:
        self.width = 4


class Net(nn.Module):
    made = 0

    def __init__(self) -> None:
        super().__init__()
        Net.made += 1
        self.body = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.BatchNorm1d(4))
        self.activation, self.kinds = nn.functional.gelu, [nn.ReLU, Net]
        self.encoder = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0)
        self.rnn = nn.LSTM(4, 2, batch_first=True)
        self.tied = self.body[0].weight
        self.itself = [self]
        self.register_buffer("seen", mg.arange(3))

    def forward(self, x: Any) -> Any:
        return self.rnn(self.encoder(self.activation(self.body(x)))[:, None])[0]


class WithState(nn.Module):
    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "note": "written"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, note=f"{state['note']}, read")


@pytest.fixture(autouse=True)
def nothing_added() -> Iterator[None]:
    yield
    clear_safe_globals()


def written(x: Any) -> io.BytesIO:
    file = io.BytesIO()
    mg.save(x, file)
    file.seek(0)
    return file


def test_a_module_comes_back_whole() -> None:
    net, x = Net().eval(), mg.randn(5, 3)
    made = Net.made
    read = mg.load(written({"net": net, "epoch": 3}), weights_only=False)["net"]
    assert Net.made == made  # no __init__ was called
    assert type(read) is Net
    assert not read.training
    assert mg.equal(read(x), net(x))
    assert [name for name, _ in read.named_parameters()] == [name for name, _ in net.named_parameters()]
    assert read.itself[0] is read
    assert read.tied is read.body[0].weight
    assert read.activation is nn.functional.gelu
    assert read.kinds == [nn.ReLU, Net]
    read.train()(x).sum().backward()
    mg.optim.SGD(read.parameters(), 0.1).step()
    assert not mg.equal(read.tied, net.tied)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_what_hangs_on_a_module_comes_with_it() -> None:
    net, x = nn.utils.weight_norm(nn.Linear(3, 2)), mg.randn(4, 3)
    read = mg.load(written(net), weights_only=False)
    assert mg.equal(read(x), net(x))
    with mg.no_grad():
        read.weight_g.mul_(2)
    assert mg.allclose(read(x) - read.bias, 2 * (net(x) - net.bias))


def test_equal_modules_give_equal_files() -> None:
    mg.manual_seed(0)
    first = Net()
    mg.manual_seed(0)
    assert written(first).getvalue() == written(Net()).getvalue()


def test_what_a_class_says_of_its_state() -> None:
    assert mg.load(written(WithState()), weights_only=False).note == "written, read"


def test_by_default_one_is_asked_for_the_classes() -> None:
    file = written(nn.Sequential(nn.Linear(2, 1)))
    with pytest.raises(pickle.UnpicklingError, match=r"it names 'minigrad\.nn\.container\.Sequential'.*globals\(\[Seq"):
        mg.load(file)
    file.seek(0)
    with safe_globals([nn.Sequential, nn.Linear]):
        assert isinstance(mg.load(file)[0], nn.Linear)


def test_other_classes_and_functions_are_read_if_they_were_added() -> None:
    net = Net()
    net.config, net.function = Config(), written
    file = written(net)
    with pytest.raises(pickle.UnpicklingError, match=r"it names 'tests\.test_whole_modules\.Config'.*globals\(\[Config\]\)$"):
        mg.load(file, weights_only=False)
    add_safe_globals([Config, written])
    file.seek(0)
    read = mg.load(file, weights_only=False)
    assert read.config.width == 4
    assert read.function is written


@pytest.mark.parametrize("attribute", [lambda x: x, (i for i in ()), sys], ids=["lambda", "generator", "a module of Python"])
def test_what_cannot_be_found_again_is_not_written(attribute: Any, tmp_path: Path) -> None:
    net = nn.Linear(2, 1)
    net.attribute = attribute
    with pytest.raises(TypeError, match=r"^save\(\): state\['attribute'\] is of type"):
        mg.save(net, tmp_path / "net.pt")
    assert not list(tmp_path.iterdir())


def test_classes_made_in_functions_are_not_written() -> None:
    class Local(nn.Module):
        pass

    with pytest.raises(TypeError, match="state is of type Local"):
        written(Local())


LINEAR = b"cminigrad.nn.layers\nLinear\n"
HOSTILE = {
    "a class is called": (LINEAR + b"(K\x02K\x01tR.", "it calls type"),
    "an object of something": (LINEAR + b"(K\x02t\x81.", "it makes an object of minigrad.nn.layers.Linear"),
    "an object of a function": (b"cminigrad.nn.functional\ndropout\n)\x81.", "it makes an object of function"),
    "a function is called": (b"cminigrad.nn.functional\ndropout\n)R.", "it calls function"),
    "a function of the system": (b"cposix\nsystem\n.", "it names 'posix.system'"),
    "a function that writes": (b"cminigrad.serialization.checkpoint\nsave\n.", "it names 'minigrad.serialization.checkpoint.save'"),
    "what a library imported": (b"cminigrad.nn.functional\nwarnings\n.", "it names 'minigrad.nn.functional.warnings'"),
    "what it imported by name": (b"cminigrad.nn.module\nimport_module\n.", "it names 'minigrad.nn.module.import_module'"),
    "a private helper": (b"cminigrad.nn.layers\nLinear.forward\n.", "it names 'minigrad.nn.layers.Linear.forward'"),
    "a second state": (LINEAR + b")\x81}b}b.", "it sets the state of an object of type Linear"),
    "a state that is no dictionary": (LINEAR + b")\x81Nb.", "a value of type NoneType where one of type dict is needed"),
    "an attribute without a name": (LINEAR + b")\x81}K\x01K\x02sb.", "a value of type int where one of type str is needed"),
    "attributes of a class": (LINEAR + put({"forward": 1}) + b"b.", "it sets the state of an object of type type"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_in_a_file_is_run(name: str) -> None:
    data, message = HOSTILE[name]
    with pytest.raises(pickle.UnpicklingError, match=message):
        mg.load(io.BytesIO(holding(data)), weights_only=False)


def test_a_program_that_lacks_the_class_says_so(tmp_path: Path) -> None:
    mg.save(Net(), tmp_path / "net.pt")
    program = "import minigrad, sys; minigrad.load(sys.argv[1], weights_only=False)"
    run = subprocess.run([sys.executable, "-c", program, tmp_path / "net.pt"], capture_output=True, text=True, check=False)
    assert "it names 'tests.test_whole_modules.Net', which is not among the names that may be loaded" in run.stderr
