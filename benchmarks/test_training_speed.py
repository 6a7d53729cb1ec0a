"""Training steps of the tutorial's models, and an epoch from the loader to the validation.

Both frameworks run the same text, `minigrad/training.py` and `reference/training.py`, from the same start on the same
digits. Beside them runs the same mathematics in bare NumPy, which shows what recording and derivatives cost, and other
frameworks where they are installed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import minigrad.training
import reference.training
from benchmarks.conftest import Race
from benchmarks.rounds import Contender

TWINS = {"minigrad": (minigrad, minigrad.training), "torch": (torch, reference.training)}
NAMES = {"manual": "logistic by hand", "logistic": "logistic", "mlp": "784-512-512-10"}
BATCHES = (1, 64, 256)
LR = 0.01

Digits = Callable[[int], tuple[np.ndarray, np.ndarray]]

# Minigrad and torch --------------------------------------------------------------------------------------------------


def training_step(twin: str, model: str, images: np.ndarray, labels: np.ndarray, momentum: float = 0) -> Contender:
    """Loss, gradients and a change of the weights, on the same digits at every call; returns the loss before it."""
    m, training = TWINS[twin]
    m.manual_seed(0)
    net, loss_func, opt = training.get_model(model, LR, momentum)
    net.train()
    xb, yb, loss_batch = m.from_numpy(images), m.from_numpy(labels), training.loss_batch
    return lambda: loss_batch(net, loss_func, xb, yb, opt)


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("model", NAMES)
def test_training_step(race: Race, digits: Digits, model: str, batch: int) -> None:
    data = digits(batch)
    contenders = {twin: training_step(twin, model, *data) for twin in TWINS}
    contenders["bare NumPy"] = BARE[model](initial_weights(model), *data)
    race("training", f"training step, {NAMES[model]}, batch {batch}", contenders, budget=4)


@pytest.mark.parametrize("batch", BATCHES)
def test_training_step_of_the_convolutional_network(race: Race, digits: Digits, batch: int) -> None:
    data = digits(batch)
    contenders = {twin: training_step(twin, "cnn", *data, momentum=0.9) for twin in TWINS}
    race("training", f"training step, convolutional network with momentum, batch {batch}", contenders, budget=4)


def inference(twin: str, images: np.ndarray) -> Contender:
    """The scores of one digit after the other; returns their sum."""
    m, training = TWINS[twin]
    m.manual_seed(0)
    net, *_ = training.get_model("cnn", LR)
    net.eval()
    digits = m.from_numpy(images).split(1)

    def run() -> float:
        with m.no_grad():
            scores = [net(digit) for digit in digits]
            return m.cat(scores).abs().sum().item()  # once for all: it is the network that is to be measured

    return run


def test_inference(race: Race, digits: Digits) -> None:
    images, _ = digits(10)
    race("training", "10 digits one at a time, convolutional network, no_grad", {twin: inference(twin, images) for twin in TWINS})


def step_with_dropout(twin: str, images: np.ndarray, labels: np.ndarray) -> Contender:
    """A training step of a network with Dropout, by Adam; from one seed come the same weights and masks for both."""
    m, training = TWINS[twin]
    m.manual_seed(0)
    layers = m.nn.Linear(784, 128), m.nn.ReLU(), m.nn.Dropout(0.2), m.nn.Linear(128, 10)
    net = m.nn.Sequential(m.nn.Flatten(), *layers)
    opt = m.optim.Adam(net.parameters())
    xb, yb, loss_batch = m.from_numpy(images.reshape(-1, 1, 28, 28)), m.from_numpy(labels), training.loss_batch
    return lambda: loss_batch(net, m.nn.functional.cross_entropy, xb, yb, opt)


def test_training_step_with_dropout_and_adam(race: Race, digits: Digits) -> None:
    data = digits(64)
    job = "training step, Flatten-128-ReLU-Dropout-10, Adam, batch 64"
    race("training", job, {twin: step_with_dropout(twin, *data) for twin in TWINS}, budget=4)


def epoch(twin: str, train: tuple[np.ndarray, np.ndarray], valid: tuple[np.ndarray, np.ndarray]) -> Contender:
    """Load, train and validate once, and return the loss on the validation data."""
    m, training = TWINS[twin]
    train_ds, valid_ds = (m.utils.data.TensorDataset(*map(m.from_numpy, part)) for part in (train, valid))
    train_dl, valid_dl = training.get_data(train_ds, valid_ds, 64)
    m.manual_seed(0)
    model, loss_func, opt = training.get_model("logistic", LR)
    loss_batch = training.loss_batch

    def run() -> float:
        model.train()
        for xb, yb in train_dl:
            loss_batch(model, loss_func, xb, yb, opt)
        return training.evaluate(model, loss_func, valid_dl)[0]

    return run


def test_epoch(race: Race, digits: Digits) -> None:
    train, valid = digits(50_000 if race.timed else 500), digits(10_000 if race.timed else 100)
    job = "epoch of 50,000 digits (load, train, validate), logistic, batch 64"
    race("training", job, {twin: epoch(twin, train, valid) for twin in TWINS}, budget=10)


# The same by hand ----------------------------------------------------------------------------------------------------


def initial_weights(model: str) -> list[np.ndarray]:
    """The weights and biases that the contenders start from, as arrays of one's own."""
    torch.manual_seed(0)
    net, *_ = reference.training.get_model(model, LR)
    return [p.detach().numpy().copy() for p in net.parameters()]


def softmax_and_loss(z: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Cross entropy of scores, (n, 10), and its gradient with respect to them."""
    rows = np.arange(len(y))
    z = z - z.max(axis=1, keepdims=True)
    p = np.exp(z)
    total = p.sum(axis=1, keepdims=True)
    loss = float((np.log(total[:, 0]) - z[rows, y]).mean())
    p /= total
    p[rows, y] -= 1
    p /= len(y)
    return loss, p


def descend(p: np.ndarray, g: np.ndarray) -> None:
    """One step of gradient descent, for which `g` is used up."""
    g *= LR
    p -= g


def bare_manual(parameters: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> Contender:
    w, b = parameters  # (784, 10) and (10,)

    def run() -> float:
        loss, g = softmax_and_loss(x @ w + b, y)
        descend(w, x.T @ g)
        descend(b, g.sum(axis=0))
        return loss

    return run


def bare_network(parameters: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> Contender:
    """Linear layers with weights of shape (outputs, inputs), and the relu between them."""
    layers = list(zip(parameters[::2], parameters[1::2], strict=True))

    def run() -> float:
        inputs = [x]
        for w, b in layers[:-1]:
            inputs.append(np.maximum(inputs[-1] @ w.T + b, 0))
        w, b = layers[-1]
        loss, g = softmax_and_loss(inputs[-1] @ w.T + b, y)
        for i in reversed(range(len(layers))):
            w, b = layers[i]
            gw, gb = np.dot(g.T, inputs[i]), g.sum(axis=0)  # `@` takes five times as long for a single digit
            if i:
                g = g @ w
                g *= inputs[i] > 0
            descend(w, gw)
            descend(b, gb)
        return loss

    return run


BARE = {"manual": bare_manual, "logistic": bare_network, "mlp": bare_network}

# Other frameworks, where they are installed --------------------------------------------------------------------------


def forward(m: Any, parameters: Any, x: Any) -> Any:
    """Scores of the linear layers with the relu between them, in the functions of `m`, be it NumPy's double or not."""
    for i in range(0, len(parameters), 2):
        x = m.matmul(m.maximum(x, 0) if i else x, parameters[i].T) + parameters[i + 1]
    return x


def cross_entropy(m: Any, z: Any, y: np.ndarray) -> Any:
    z = z - m.max(z, axis=1, keepdims=True)
    return m.mean(m.log(m.sum(m.exp(z), axis=1)) - z[np.arange(len(y)), y])


def in_mygrad(parameters: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> Contender:
    mygrad = pytest.importorskip("mygrad", reason="MyGrad is not installed")
    from mygrad.nnet.losses import softmax_crossentropy

    tensors = [mygrad.tensor(p) for p in parameters]

    def run() -> float:
        loss = softmax_crossentropy(forward(mygrad, tensors, x), y)
        loss.backward()
        for tensor in tensors:
            tensor.data -= LR * tensor.grad
        return loss.item()

    return run


def in_hips_autograd(parameters: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> Contender:
    autograd = pytest.importorskip("autograd", reason="HIPS autograd is not installed")
    from autograd import numpy as anp

    step = autograd.value_and_grad(lambda p: cross_entropy(anp, forward(anp, p, x), y))

    def run() -> float:
        loss, gradients = step(parameters)
        for p, g in zip(parameters, gradients, strict=True):
            descend(p, g)
        return float(loss)

    return run


def in_jax(parameters: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> Contender:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"  # read on import
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    value_and_grad = jax.value_and_grad(lambda p: cross_entropy(jax.numpy, forward(jax.numpy, p, x), y))

    @jax.jit
    def step(p: Any) -> Any:
        loss, gradients = value_and_grad(p)
        return loss, [each - LR * g for each, g in zip(p, gradients, strict=True)]

    state = [jax.numpy.asarray(p) for p in parameters]

    def run() -> float:
        nonlocal state
        loss, state = step(state)
        return float(loss)

    return run


OTHERS = {"MyGrad": in_mygrad, "HIPS autograd": in_hips_autograd, "JAX (jit)": in_jax}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("model", ["logistic", "mlp"])
def test_training_step_of_others(race: Race, digits: Digits, model: str, other: str) -> None:
    data = digits(64)
    contenders = {other: OTHERS[other](initial_weights(model), *data)}  # first, for it may skip
    contenders["minigrad"] = training_step("minigrad", model, *data)
    race("training", f"training step, {NAMES[model]}, batch 64, beside {other}", contenders, budget=3)
