"""NumPy and minigrad side by side: NumPy's functions on tensors, arrays beside tensors, memory shared between them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg
from tests.twins import raised, same_as_torch


def sample(shape: tuple[int, ...] = (2, 3)) -> np.ndarray[Any, Any]:
    return np.random.RandomState(0).uniform(0.2, 0.9, shape)


# What somebody writes in NumPy, and its torch twin.
FUNCTIONS: dict[str, tuple[Any, Any]] = {
    "exp": (np.exp, torch.exp), "expm1": (np.expm1, torch.expm1), "log": (np.log, torch.log), "log1p": (np.log1p, torch.log1p),
    "log2": (np.log2, torch.log2), "log10": (np.log10, torch.log10), "sqrt": (np.sqrt, torch.sqrt), "sin": (np.sin, torch.sin),
    "cos": (np.cos, torch.cos), "tanh": (np.tanh, torch.tanh), "abs": (np.abs, torch.abs), "negative": (np.negative, torch.neg),
    "square": (np.square, torch.square), "reciprocal": (np.reciprocal, torch.reciprocal), "sign": (np.sign, torch.sign),
    "floor": (np.floor, torch.floor), "ceil": (np.ceil, torch.ceil), "trunc": (np.trunc, torch.trunc), "rint": (np.rint,
        torch.round),
    "add": (lambda x: np.add(x, 2), lambda x: x + 2), "subtract": (lambda x: np.subtract(1, x), lambda x: 1 - x),
    "multiply": (lambda x: np.multiply(x, x), lambda x: x * x), "divide": (lambda x: np.divide(1, x), lambda x: 1 / x),
    "power": (lambda x: np.power(x, 3), lambda x: x**3), "maximum": (lambda x: np.maximum(x, 0.5), lambda x: x.clamp(min=0.5)),
    "minimum": (lambda x: np.minimum(x, 0.5), lambda x: x.clamp(max=0.5)), "remainder": (lambda x: np.remainder(x, 0.3),
        lambda x: x % 0.3),
    "matmul": (lambda x: np.matmul(x, x.T), lambda x: x @ x.T), "dot": (lambda x: np.dot(x, x.T), lambda x: x @ x.T),
    "sum": (np.sum, torch.sum), "sum of an axis": (lambda x: np.sum(x, axis=0), lambda x: x.sum(0)),
    "sum kept": (lambda x: np.sum(x, axis=1, keepdims=True), lambda x: x.sum(1, True)), "mean": (np.mean, torch.mean),
    "mean of an axis": (lambda x: np.mean(x, axis=-1), lambda x: x.mean(-1)), "prod": (np.prod, torch.prod),
    "max": (np.max, torch.max), "max of an axis": (lambda x: np.max(x, axis=1), lambda x: x.amax(1)), "min": (np.min, torch.min),
    "add.reduce": (lambda x: np.add.reduce(x, 1), lambda x: x.sum(1)), "cumsum": (lambda x: np.cumsum(x, axis=1),
        lambda x: x.cumsum(1)),
    "clip": (lambda x: np.clip(x, 0.3, 0.6), lambda x: x.clamp(0.3, 0.6)), "where": (lambda x: np.where(x > 0.5, x, 0),
        lambda x: torch.where(x > 0.5, x, 0)),
    "reshape": (lambda x: np.reshape(x, (3, 2)), lambda x: x.reshape(3, 2)), "transpose": (np.transpose, lambda x: x.T),
    "transpose of axes": (lambda x: np.transpose(x, (1, 0)), lambda x: x.permute(1, 0)), "swapaxes": (lambda x: np.swapaxes(x,
        0, 1), lambda x: x.mT),
    "expand_dims": (lambda x: np.expand_dims(x, 1), lambda x: x.unsqueeze(1)), "squeeze": (lambda x: np.squeeze(x[:1], 0),
        lambda x: x[:1].squeeze(0)),
    "broadcast_to": (lambda x: np.broadcast_to(x, (2, 2, 3)), lambda x: x.expand(2, 2, 3)), "stack": (lambda x: np.stack([x,
        x * 2], 1), lambda x: torch.stack([x, x * 2], 1)),
    "concatenate": (lambda x: np.concatenate([x, x * 2], 1), lambda x: torch.cat([x, x * 2], 1)), "flip": (lambda x: np.flip(x,
        0), lambda x: x.flip(0)),
    "add.reduce of the first axis": (np.add.reduce, lambda x: x.sum(0)), "multiply.reduce": (np.multiply.reduce,
        lambda x: x.prod(0)),
    "maximum.reduce": (np.maximum.reduce, lambda x: x.amax(0)), "minimum.reduce of all": (lambda x: np.minimum.reduce(x,
        axis=None), torch.min),
    "add.accumulate": (np.add.accumulate, lambda x: x.cumsum(0)), "flip of all": (np.flip, lambda x: x.flip(0, 1)),
    "concatenate flat": (lambda x: np.concatenate([x, x[0]], axis=None), lambda x: torch.cat([x.flatten(), x[0]])),
    "dot of 3-d and 2-d": (lambda x: np.dot(np.stack([x, x]), x.T), lambda x: torch.stack([x, x]) @ x.T),
    "tril": (np.tril, torch.tril), "triu": (np.triu, torch.triu), "einsum": (lambda x: np.einsum("ij,kj->ik", x, x),
        lambda x: x @ x.T),
    "outer": (lambda x: np.outer(x[0], x[1]), lambda x: torch.outer(x[0], x[1])), "argmax": (np.argmax, torch.argmax),
    "argmin of an axis": (lambda x: np.argmin(x, axis=1), lambda x: x.argmin(1)), "isnan": (np.isnan, torch.isnan),
        "isfinite": (np.isfinite, torch.isfinite),
    "less": (lambda x: np.less(x, 0.5), lambda x: x < 0.5), "equal": (lambda x: np.equal(x, x), lambda x: x == x),
    "logical_and": (lambda x: np.logical_and(x > 0.3, x < 0.6), lambda x: (x > 0.3) & (x < 0.6)),
        "invert": (lambda x: np.invert(x > 0.5), lambda x: ~(x > 0.5)),
    "zeros_like": (np.zeros_like, torch.zeros_like), "ones_like": (np.ones_like, torch.ones_like),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_numpy_functions_on_tensors(name: str) -> None:
    """NumPy's function gives a tensor, with torch's value and gradient, and leaves its input alone."""
    of_numpy, of_torch = FUNCTIONS[name]
    x, y = mg.tensor(sample(), requires_grad=True), torch.tensor(sample(), requires_grad=True)
    ours, theirs = of_numpy(x), of_torch(y)
    assert type(ours) is mg.Tensor
    assert ours.requires_grad == theirs.requires_grad
    np.testing.assert_allclose(ours.array, theirs.detach().numpy(), 1e-12)
    assert np.array_equal(ours.array, of_numpy(sample())) or np.allclose(ours.array, of_numpy(sample()), 1e-12)
    if theirs.requires_grad:
        weights = np.arange(1.0, theirs.numel() + 1).reshape(theirs.shape)
        (ours * mg.from_numpy(weights)).sum().backward()
        (theirs * torch.from_numpy(weights)).sum().backward()
        np.testing.assert_allclose(x.grad.array, y.grad.numpy(), 1e-12)
    assert np.array_equal(x.array, sample())


def test_attributes_through_numpy() -> None:
    x = mg.ones(2, 3)
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((2, 3), 2, 6)


def test_what_numpy_cannot_do_on_tensors() -> None:
    """No silent detour over an array that would lose the gradient."""
    x, out = mg.tensor(sample(), requires_grad=True), np.zeros((2, 3))
    for call in (lambda: np.cbrt(x), lambda: np.exp(x, out=out), lambda: np.add.at(x, 0, 1),
                 lambda: np.dot(x, np.stack([x.T, x.T])), lambda: np.reshape(x, (3, 2), order="F"),
                 lambda: np.multiply.outer(x, x)):  # fmt: skip
        with pytest.raises(TypeError):
            call()
    for call in (lambda: np.linalg.inv(x), lambda: np.median(x), lambda: np.fft.fft(x), lambda: np.vstack([sample(), x])):
        with pytest.raises(RuntimeError, match="on Tensor that requires grad"):
            call()


@pytest.mark.parametrize(
    "function",
    [np.median, np.sort, np.linalg.norm, lambda x: np.allclose(x, x), lambda x: np.vstack([x, [x[0], x[1]]]),
     lambda x: np.histogram(x, bins=3), lambda x: np.vstack(x.sort()),
     lambda x: np.isclose(x, sample(), rtol=x[0, 0]), lambda x: np.pad(array=x, pad_width=1)],
)  # fmt: skip
def test_what_numpy_does_itself(function: Callable[[Any], Any]) -> None:
    """Functions that are no operations here compute with the arrays in tensors, and give arrays, as on torch's tensors."""
    ours, theirs = function(mg.tensor(sample())), function(torch.tensor(sample()))
    assert type(ours) is type(theirs)
    for a, b in zip(*((r if isinstance(r, tuple) else (r,)) for r in (ours, theirs)), strict=True):
        assert type(a) is type(b)
        np.testing.assert_array_equal(a, b)


OPERATORS = ["a + t", "t + a", "a - t", "t - a", "a * t", "t * a", "a / t", "t / a", "t @ a.T", "a @ t.T", "a == t", "t != a",
"a < t", "a >= t", "a ** t", "t ** a"]


@pytest.mark.parametrize("expression", OPERATORS)
def test_arrays_beside_tensors(expression: str) -> None:
    """Either way round the result is a tensor, and the gradient reaches it."""
    a, t = sample() + 0.1, mg.tensor(sample(), requires_grad=True)
    result = eval(expression)
    assert type(result) is mg.Tensor
    expected = eval(expression, {"a": a, "t": sample()})
    np.testing.assert_allclose(result.array, expected, 1e-12)
    if result.dtype is mg.float64:
        result.sum().backward()
        twin = torch.tensor(sample(), requires_grad=True)
        eval(expression, {"a": torch.from_numpy(a), "t": twin}).sum().backward()
        np.testing.assert_allclose(t.grad.array, twin.grad.numpy(), 1e-12)


@pytest.mark.filterwarnings("ignore:__array_wrap__ must accept")  # torch's
@pytest.mark.parametrize("number", [np.float64(1.5), np.float32(1.5), np.int64(2)], ids=repr)
def test_numpy_numbers_beside_tensors(number: Any) -> None:
    """They are as weak as Python's numbers."""

    @same_as_torch
    def scenario(m: Any) -> Any:
        x = m.tensor([1.0, 2.0], requires_grad=True)
        y = x * number + number
        y.sum().backward()
        return y, x.grad, m.arange(3) * number

    scenario()
    x = mg.ones(2)
    for result in (number * x, number + x, number / x, number - x):
        assert type(result) is mg.Tensor
        assert result.dtype is mg.float32


# ---- memory ------------------------------------------------------------------------------------------------------------------


@same_as_torch
def test_from_numpy_shares_memory(m: Any) -> Any:
    array = sample()
    x = m.from_numpy(array)
    array[0, 0] = 5
    seen = x.clone()
    x[1] = 7
    x.mul_(2)
    back = x.numpy()
    back[0, 1] = -1
    return seen, array, x, back is array or np.shares_memory(back, array), np.shares_memory(x.detach().numpy(), array), x._version


@same_as_torch
def test_from_numpy_keeps_dtype_and_strides(m: Any) -> Any:
    arrays = [np.arange(6).reshape(2, 3).T, np.arange(10)[::2], np.zeros((2, 0)), np.array(3.0), np.ones(2, np.float16),
    np.ones(2, bool),
              np.ones(2, np.uint8), np.ones(2, np.int8), np.ones(2, np.int16), np.ones(2, np.int32)]
    return [(m.from_numpy(a), m.from_numpy(a).stride(), m.from_numpy(a).numpy()) for a in arrays]


@same_as_torch
def test_from_numpy_refuses(m: Any) -> Any:
    return [raised(m.from_numpy, x) for x in (np.array(["a"]), np.array([None]), [1.0], np.float64(1.0))]


@same_as_torch
def test_numpy_of_tensors(m: Any) -> Any:
    x = m.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    return [x.detach().numpy(), x.numpy(force=True), raised(x.numpy), raised((x * 2).numpy), m.arange(3).numpy(),
        m.tensor(2.5).numpy(),
            x.detach().T.numpy(), (x > 2).numpy(), x.detach()[1].numpy(), x.data.numpy()]


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")  # torch's
@same_as_torch
def test_asarray(m: Any) -> Any:
    x = m.arange(4.0)
    shared = np.asarray(x)
    copied = np.array(x)
    x.mul_(2)
    typed = np.asarray(x, dtype=np.int64)
    needs = m.ones(2, requires_grad=True)
    indexed = np.array([1.0, 2.0])[m.tensor([1, 0])]
    return shared, copied, typed, indexed, np.asarray(x.view(2, 2).T), raised(np.asarray, needs), raised(np.array, needs * 2)


def test_asarray_never_copies_when_forbidden() -> None:
    x = mg.arange(4.0)
    assert np.shares_memory(np.asarray(x, copy=False), x.array)
    assert not np.shares_memory(np.array(x, copy=True), x.array)
    with pytest.raises(ValueError, match="copy"):
        np.asarray(x, dtype=np.float64, copy=False)


def test_read_only_arrays_are_not_written() -> None:
    array = np.arange(3.0)
    array.flags.writeable = False
    x = mg.from_numpy(array)
    with pytest.raises(RuntimeError, match="clone"):
        x.add_(1)
    assert (x + 1).tolist() == [1, 2, 3]


@same_as_torch
def test_python_lists_of_arrays_and_iteration(m: Any) -> Any:
    x = m.arange(6.0).reshape(3, 2)
    a, _, c = x
    rows = [row.sum().item() for row in x]
    return a, rows, [float(v) for v in x[0]], max(m.tensor([3, 1, 2])).item(), sum(m.tensor([1, 2, 3])), list(zip(x[0].tolist(),
        x[1].tolist(), strict=True)), c._base is x


def test_numpys_settings_are_left_alone() -> None:
    """No warning from inside minigrad, and NumPy's own still come."""
    before = np.geterr()
    x = mg.tensor([0.0, -1.0], requires_grad=True)
    (x.log() + x.sqrt() + 1 / x).sum().backward()
    assert np.geterr() == before
    with pytest.warns(RuntimeWarning):
        np.log(np.zeros(1))
    assert np.isnan(copy.deepcopy(x.grad).array[1])


@pytest.mark.parametrize("exponent", [np.float64(3), np.float64(2.5), np.float32(-0.5), np.int64(3)], ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
def test_a_number_of_numpys_in_a_power_is_a_number(dtype: str, exponent: Any) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        x = m.tensor([1.0, 2.0]).to(getattr(m, dtype))
        if dtype != "float32":
            return x**exponent
        y, z = x.requires_grad_() ** exponent, m.pow(exponent, x)
        return y.detach(), *m.autograd.grad(y.sum(), x), z.detach(), *m.autograd.grad(z.sum(), x)

    scenario()


def test_a_number_of_numpys_is_compared_from_the_left() -> None:
    x = mg.tensor([1.0, 2.0, 3.0])
    assert (np.float64(2) < x).tolist() == np.less(2, x).tolist() == [False, False, True]
    assert np.equal(np.float32(2), x).tolist() == [False, True, False]
