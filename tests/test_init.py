"""First values: from the same seed, the numbers are torch's, bit for bit but for `orthogonal_`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg

from .twins import same_as_torch

CALLS: dict[str, tuple[Callable[[Any, Any], Any], tuple[int, ...]]] = {
    "uniform": (lambda init, w: init.uniform_(w), (7, 5)),
    "uniform of a range": (lambda init, w: init.uniform_(w, -0.3, b=2.0), (7, 5)),
    "uniform of a vector": (lambda init, w: init.uniform_(w, -1, 1), (9,)),
    "normal": (lambda init, w: init.normal_(w), (7, 5)),
    "normal of few": (lambda init, w: init.normal_(w, 1.0, std=3.0), (3,)),
    "constant": (lambda init, w: init.constant_(w, 0.3), (2, 3)),
    "zeros": (lambda init, w: init.zeros_(w), (2, 3)),
    "ones": (lambda init, w: init.ones_(w), (2, 3)),
    "eye": (lambda init, w: init.eye_(w), (3, 5)),
    "dirac": (lambda init, w: init.dirac_(w), (3, 5, 3)),
    "dirac of images": (lambda init, w: init.dirac_(w), (4, 2, 3, 4)),
    "dirac of groups": (lambda init, w: init.dirac_(w, 2), (4, 2, 3, 2, 1)),
    "xavier uniform": (lambda init, w: init.xavier_uniform_(w), (7, 5)),
    "xavier uniform of a gain": (lambda init, w: init.xavier_uniform_(w, gain=5 / 3), (6, 4, 3)),
    "xavier normal": (lambda init, w: init.xavier_normal_(w, 1.5), (7, 5)),
    "kaiming uniform": (lambda init, w: init.kaiming_uniform_(w), (7, 5)),
    "kaiming uniform as in Linear": (lambda init, w: init.kaiming_uniform_(w, a=5**0.5), (7, 5)),
    "kaiming uniform of a convolution": (lambda init, w: init.kaiming_uniform_(w, mode="fan_out"), (6, 3, 3, 3)),
    "kaiming normal": (lambda init, w: init.kaiming_normal_(w, nonlinearity="relu"), (7, 5)),
    "kaiming normal of a mode": (lambda init, w: init.kaiming_normal_(w, 0.2, "FAN_OUT", "tanh"), (7, 5)),
    "truncated normal": (lambda init, w: init.trunc_normal_(w), (40, 50)),
    "truncated normal of a range": (lambda init, w: init.trunc_normal_(w, 1.0, 2.0, a=0.0, b=1.75), (40, 50)),
    "truncated normal of a tail": (lambda init, w: init.trunc_normal_(w, 0.0, 1.0, 1.5, 3.0), (40, 50)),
    "sparse": (lambda init, w: init.sparse_(w, 0.3, std=0.5), (10, 6)),
}


def draw(m: Any, name: str, dtype: str) -> np.ndarray:
    call, shape = CALLS[name]
    m.manual_seed(5)
    w = m.full(shape, 9.0, dtype=getattr(m, dtype), requires_grad=True)
    version = w._version
    assert call(m.nn.init, w) is w
    assert w._version > version
    assert w.grad_fn is None
    assert w.requires_grad
    return np.append(w.detach().numpy().ravel(), m.rand(1).numpy())  # the number behind: as many were drawn


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CALLS)
def test_same_numbers(name: str, dtype: str) -> None:
    np.testing.assert_array_equal(draw(mg, name, dtype), draw(torch, name, dtype))


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7), (4, 2, 3)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    """QR is another library's: the same to rounding, and orthogonal."""
    values = []
    for m in (mg, torch):
        m.manual_seed(2)
        values.append(m.nn.init.orthogonal_(m.empty(*shape), gain=2.0).numpy())
    np.testing.assert_allclose(values[0], values[1], rtol=0, atol=2e-6)
    flat = values[0].reshape(shape[0], -1) / 2
    product = flat @ flat.T if len(flat) <= flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(product, np.eye(len(product)), rtol=0, atol=1e-6)
    assert mg.nn.init.orthogonal_(mg.ones(0, 3)).shape == (0, 3)


@pytest.mark.parametrize("call", ["uniform_", "normal_", "trunc_normal_", "kaiming_normal_", "xavier_uniform_"])
def test_own_generator(call: str) -> None:
    """A generator that is handed over is used, and the default one left alone."""
    values = []
    for m in (mg, torch):
        m.manual_seed(0)
        w = getattr(m.nn.init, call)(m.empty(6, 7), generator=m.Generator().manual_seed(4))
        values.append(np.append(w.numpy().ravel(), m.rand(1).numpy()))
    np.testing.assert_array_equal(*values)


def test_transposed_weights_are_filled_in_the_order_of_memory() -> None:
    values = []
    for m in (mg, torch):
        m.manual_seed(0)
        values.append(m.nn.init.xavier_uniform_(m.zeros(4, 3).t()).numpy())
    np.testing.assert_array_equal(*values)


@same_as_torch
def test_gains(m: Any) -> Any:
    gain = m.nn.init.calculate_gain
    names = [
        "linear",
        "conv1d",
        "conv2d",
        "conv3d",
        "conv_transpose2d",
        "sigmoid",
        "tanh",
        "relu",
        "leaky_relu",
        "selu",
    ]
    fans = m.nn.init._calculate_fan_in_and_fan_out(m.zeros(6, 3, 2, 5))  # private, but what layers of one's own copy from torch
    return [[float(gain(name)) for name in names], gain("leaky_relu", 0.3), gain("leaky_relu", 2), fans]


WRONG: list[Callable[[Any], Any]] = [
    lambda m: m.nn.init.calculate_gain("swish"),
    lambda m: m.nn.init.calculate_gain("leaky_relu", "x"),
    lambda m: m.nn.init.calculate_gain("leaky_relu", True),
    lambda m: m.nn.init.xavier_uniform_(m.ones(3)),
    lambda m: m.nn.init.kaiming_uniform_(m.ones(3)),
    lambda m: m.nn.init.kaiming_normal_(m.ones(3, 2), mode="fan"),
    lambda m: m.nn.init.orthogonal_(m.ones(3)),
    lambda m: m.nn.init.eye_(m.ones(3)),
    lambda m: m.nn.init.dirac_(m.ones(3, 3)),
    lambda m: m.nn.init.dirac_(m.ones(3, 3, 3), 2),
    lambda m: m.nn.init.sparse_(m.ones(3), 0.5),
]


@pytest.mark.parametrize("call", WRONG)
def test_refusals(call: Callable[[Any], Any]) -> None:
    with pytest.raises(ValueError, match=r"\w") as theirs:
        call(torch)
    with pytest.raises(ValueError, match=r"\w") as ours:
        call(mg)
    assert str(ours.value).startswith(str(theirs.value).rstrip("."))


@same_as_torch
def test_warnings(m: Any) -> Any:
    m.manual_seed(0)
    with pytest.warns(UserWarning, match="zero-element tensors is a no-op"):
        empty = m.nn.init.kaiming_uniform_(m.ones(0, 3))
    with pytest.warns(UserWarning, match="zero-element tensors is a no-op"):
        m.nn.init.kaiming_normal_(m.ones(0, 3))
    with pytest.warns(UserWarning, match="more than 2 std"):
        far = m.nn.init.trunc_normal_(m.ones(300), mean=5.0, a=-1.0, b=2.5)
    return [empty, bool(far.max() <= 2.5), m.rand(1)]


@same_as_torch
def test_bounds_and_moments_may_be_tensors(m: Any) -> Any:
    m.manual_seed(6)
    x, few = m.arange(40.0).reshape(4, 10), m.zeros(3)
    mean, std = m.tensor(19.5), m.tensor(11.25)
    return [
        m.nn.init.normal_(x[:, 2:7], mean, std).clone(), m.nn.init.normal_(few, mean=mean, std=std).clone(),
        m.nn.init.uniform_(few, mean - std, b=mean).clone(), m.nn.init.trunc_normal_(few, mean, std, 8.0, 31.0).clone(),
        m.nn.init.constant_(few, mean), x,
    ]  # fmt: skip
