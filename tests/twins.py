"""One scenario, run on minigrad and on torch: a function of the module, whose results must be the same.

    @same_as_torch
    def test_sum(m):
        x = m.ones(3, requires_grad=True)
        return x.sum()

Where a scenario raises, it fails on either side; what is meant to raise goes through `raised`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg

try:
    import torch
except ImportError:  # minigrad stands for it then: what does not compare the two is tested nonetheless
    torch = mg

LIBRARIES = pytest.mark.parametrize("lib", [torch, mg], ids=["torch", "minigrad"])
RTOL = {"float16": 1e-3, "float32": 1e-6, "float64": 1e-12}


def assert_same(ours: Any, theirs: Any, place: str = "result") -> None:
    """Equal structure, types and values; of tensors also dtype, shape, `requires_grad` and the name of `grad_fn`."""
    if isinstance(theirs, torch.Tensor):
        assert isinstance(ours, mg.Tensor), f"{place}: {ours!r} is no tensor, but {theirs!r}"
        for what in (facts_of, node_name):
            assert what(ours) == what(theirs), place
        rtol = RTOL.get(str(theirs.dtype).removeprefix("torch."), 0)
        np.testing.assert_allclose(ours.array, theirs.detach().numpy(), rtol, rtol / 10, err_msg=place)
    elif isinstance(theirs, list | tuple) and not isinstance(theirs, torch.Size):
        assert isinstance(ours, list | tuple), place
        assert len(ours) == len(theirs), f"{place}: {ours} instead of {theirs}"
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(a, b, f"{place}[{i}]")
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs), place
        for key in theirs:
            assert_same(ours[key], theirs[key], f"{place}[{key!r}]")
    elif isinstance(theirs, np.ndarray):
        assert type(ours) is np.ndarray, place
        assert ours.dtype == theirs.dtype, place
        np.testing.assert_allclose(ours, theirs, RTOL.get(str(theirs.dtype), 0), 0, err_msg=place)
    elif isinstance(theirs, torch.Size | torch.dtype | torch.device):
        assert type(ours).__name__ == type(theirs).__name__, place
        assert repr(ours) == repr(theirs), place
    else:
        assert type(ours) is type(theirs), f"{place}: {ours!r} instead of {theirs!r}"
        assert ours == theirs or (ours != ours and theirs != theirs), f"{place}: {ours!r} instead of {theirs!r}"


def facts_of(x: Any) -> tuple[str, tuple[int, ...], bool, bool]:
    return str(x.dtype), tuple(x.shape), x.requires_grad, x.is_leaf


def node_name(x: Any) -> str | None:
    return None if x.grad_fn is None else x.grad_fn.name()


def leaf(m: Any, *shape: int) -> Any:
    """A tensor of ones that requires a gradient."""
    return m.ones(shape, requires_grad=True)


def leaf_of(m: Any, *values: float, dtype: str = "float32") -> Any:
    """A vector of these values, or one number, that requires a gradient."""
    return m.tensor(values if len(values) > 1 else values[0], dtype=getattr(m, dtype), requires_grad=True)


def data(m: Any, *shape: int, dtype: str = "float64", seed: int = 0) -> Any:
    """Normal numbers, the same for both libraries."""
    return m.from_numpy(np.random.RandomState(seed).standard_normal(shape).astype(dtype))


def variable(m: Any, *shape: int, dtype: str = "float64", seed: int = 0) -> Any:
    """Normal numbers, in a tensor that requires a gradient."""
    return data(m, *shape, dtype=dtype, seed=seed).requires_grad_()


def numpy(x: Any) -> np.ndarray[Any, Any]:
    """The values of a tensor of either."""
    array: np.ndarray[Any, Any] = x.numpy(force=True) if isinstance(x, torch.Tensor) else x.array
    return array


def raised(function: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    """The name of the type of the error that a call raises; ``"nothing"`` if it raises none."""
    try:
        function(*args, **kwargs)
    except Exception as error:
        return type(error).__name__
    return "nothing"


def outcome(call: Callable[[Any], Any], m: Any) -> Any:
    """What a call gives, or the name of the type of the error that it raises."""
    try:
        return call(m)
    except Exception as error:
        return type(error).__name__


def grid(m: Any, **options: Any) -> Any:
    """The numbers 0 to 11 in a matrix of three rows."""
    return m.arange(12.0, **options).reshape(3, 4)


def changed(x: Any, change: Callable[[Any], Any]) -> Any:
    """The values of x after a change in place."""
    change(x)
    return x.detach()


def same_as_torch(scenario: Callable[..., Any]) -> Callable[..., None]:
    """Make a test of a scenario: ``scenario(minigrad)`` must equal ``scenario(torch)``."""

    @functools.wraps(scenario)
    def test(*args: Any, **kwargs: Any) -> None:
        expected = scenario(torch, *args, **kwargs)
        assert expected is not None, "a scenario returns what is to be compared"
        assert_same(scenario(mg, *args, **kwargs), expected)

    del test.__wrapped__  # or pytest would take m for a fixture
    signature = inspect.signature(scenario)
    test.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined]
    return test


def same_outcomes(calls: dict[str, Callable[[Any], Any]]) -> Callable[[str], None]:
    """Make a test of many small calls: what torch answers, minigrad answers; where torch raises, it raises the same type."""

    @pytest.mark.parametrize("name", calls)
    def test(name: str) -> None:
        assert_same([outcome(calls[name], mg)], [outcome(calls[name], torch)])

    return test


def exact(x: Any) -> Any:
    """The elements of a tensor, or of several, as text: nan is nan, 0 is not -0, and float16 is the same to the last bit."""
    if isinstance(x, list | tuple):
        return [exact(each) for each in x]
    if not hasattr(x, "requires_grad"):
        return x
    digits = {"torch.float32": ".5g", "torch.float64": ".11g"}.get(str(x.dtype), "")
    return facts_of(x), [format(number, digits) for number in x.detach().reshape(-1).tolist()]


def same_elements(calls: dict[str, Callable[[Any], Any]]) -> Callable[[str], None]:
    """`same_outcomes`, compared by `exact`."""
    return same_outcomes({name: lambda m, call=call: exact(call(m)) for name, call in calls.items()})


def with_gradient(function: Callable[..., Any], *tensors: Any) -> Any:
    """The result of a function, and the gradients of its tensors that can have one."""
    wanted = [t.requires_grad_() for t in tensors if t.is_floating_point()]
    result = function(*tensors)
    result.sum().backward()
    return [result, *[t.grad for t in wanted]]
