"""Compiled training steps, beside eager ones, torch, torch.compile, jax.jit and the same mathematics by hand in NumPy.

"minigrad" is `minigrad.compile` here. Every contender runs on one thread, in turns with the others. torch.compile takes part where
there is a C++ compiler and time is measured: it needs between some seconds and two minutes for each step.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
import torch

import minigrad
from benchmarks.conftest import Race
from benchmarks.rounds import Contender
from benchmarks.test_training_speed import (
    BARE,
    BATCHES,
    LR,
    TWINS,
    Digits,
    epoch,
    in_jax,
    inference,
    initial_weights,
    step_with_dropout,
    training_step,
)

NAMES = {
    "manual": "logistic by hand", "logistic": "logistic", "mlp": "784-512-512-10", "cnn": "convolutional network with momentum",
}  # fmt: skip

pytestmark = [  # of torch's compiler, when it is loaded and when it looks at tensors
    pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.filterwarnings("ignore:The .grad attribute"),
]  # fmt: skip


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Contender]]:
    """Make a contender whose training step is compiled, by the compiler of its framework."""

    def make(twin: str, contender: Callable[..., Contender], *args: object, **options: object) -> Contender:
        m, training = TWINS[twin]
        with monkeypatch.context() as patch:
            patch.setattr(training, "loss_batch", m.compile(training.loss_batch))
            return contender(twin, *args, **options)

    yield make
    torch.compiler.reset()  # its limit of recompilations holds for all jobs of a process


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("model", NAMES)
def test_training_step(race: Race, digits: Digits, compiled: Callable[..., Contender], model: str, batch: int) -> None:
    data = digits(batch)
    momentum = 0.9 if model == "cnn" else 0
    contenders = {"minigrad": compiled("minigrad", training_step, model, *data, momentum=momentum)}
    contenders["minigrad, eager"] = training_step("minigrad", model, *data, momentum=momentum)
    contenders["torch"] = training_step("torch", model, *data, momentum=momentum)
    if race.timed and shutil.which("g++"):
        contenders["torch.compile"] = compiled("torch", training_step, model, *data, momentum=momentum)
    if model in BARE:
        contenders["bare NumPy"] = BARE[model](initial_weights(model), *data)
    race("compiled", f"compiled training step, {NAMES[model]}, batch {batch}", contenders, budget=6)


@pytest.mark.parametrize("model", ["logistic", "mlp"])
def test_beside_jax(race: Race, digits: Digits, compiled: Callable[..., Contender], model: str) -> None:
    data = digits(64)
    contenders = {"JAX (jit)": in_jax(initial_weights(model), *data)}  # first, for it may skip
    contenders["minigrad"] = compiled("minigrad", training_step, model, *data)
    race("compiled", f"compiled training step, {NAMES[model]}, batch 64, beside JAX (jit)", contenders, budget=3)


def test_training_step_with_dropout_and_adam(race: Race, digits: Digits, compiled: Callable[..., Contender]) -> None:
    job = "compiled training step, Flatten-128-ReLU-Dropout-10, Adam, batch 64"
    data = digits(64)
    contenders = {"minigrad": compiled("minigrad", step_with_dropout, *data), "torch": step_with_dropout("torch", *data)}
    race("compiled", job, contenders, budget=4)  # two of one framework would draw from the same stream


def test_epoch(race: Race, digits: Digits, compiled: Callable[..., Contender]) -> None:
    train, valid = digits(50_000 if race.timed else 500), digits(10_000 if race.timed else 100)
    job = "epoch of 50,000 digits with a compiled step, logistic, batch 64"
    contenders = {"minigrad": compiled("minigrad", epoch, train, valid), "torch": epoch("torch", train, valid)}
    race("compiled", job, contenders, budget=10)


def test_inference(race: Race, digits: Digits) -> None:
    """The network as a compiled module."""
    images, _ = digits(10)
    m, training = TWINS["minigrad"]

    def compiled_inference() -> Contender:
        m.manual_seed(0)
        net, *_ = training.get_model("cnn", LR)
        net.eval()
        compiled, parts = minigrad.compile(net), m.from_numpy(images).split(1)

        def run() -> float:
            with m.no_grad():
                return m.cat([compiled(part) for part in parts]).abs().sum().item()

        return run

    contenders = {"minigrad": compiled_inference(), "minigrad, eager": inference("minigrad", images)}
    contenders["torch"] = inference("torch", images)
    race("compiled", "10 digits one at a time, convolutional network, compiled", contenders)


@pytest.mark.parametrize("model", NAMES)
def test_capture(race: Race, digits: Digits, model: str) -> None:
    """How long it takes until the program runs: an eager call, the capture, and the verification."""
    m, training = TWINS["minigrad"]
    m.manual_seed(0)
    net, loss_func, opt = training.get_model(model, LR)
    arguments = net, loss_func, *map(m.from_numpy, digits(64)), opt

    def run() -> None:
        step = minigrad.compile(training.loss_batch)
        for _ in range(3):
            step(*arguments)
        assert step.reason is None

    race("compiled", f"capture and verification of a step, {NAMES[model]}, batch 64", {"minigrad": run})
