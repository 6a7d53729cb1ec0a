"""Anomaly mode: which line made the operation whose derivative fails, beside torch's."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import minigrad as mg
from tests.twins import LIBRARIES, same_as_torch

HERE = Path(__file__)


@pytest.fixture(autouse=True)
def off_afterwards() -> Iterator[None]:
    yield
    for m in (torch, mg):
        m.autograd.set_detect_anomaly(False)
        assert not m.is_anomaly_enabled()


def seen(function: Callable[[], Any]) -> list[Any]:
    """What a pass raises and warns of: the words that do not depend on the library, and the last line of a traceback."""
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        try:
            result = str(function())
        except (RuntimeError, ValueError) as error:
            result = f"{type(error).__name__}: {error}".split(":")[0 if "modified by an inplace" in str(error) else -1]
    report: list[Any] = [result]
    for warning in given:
        text = str(warning.message).partition(" (Triggered")[0]
        lines = [line for line in text.splitlines() if f'File "{HERE}"' in line]
        report += [warning.category.__name__, text.splitlines()[0], *[re.sub(r'File ".*?"', "", line) for line in lines[-1:]]]
    return report


def root(x: Any) -> Any:
    return (x - 1).sqrt()  # the derivative at 1 is infinite


@same_as_torch
def test_a_derivative_that_is_nan(m: Any) -> Any:
    x = m.tensor([1.0, 0.5], requires_grad=True)
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled") as first, m.autograd.detect_anomaly():  # noqa: PT031  (all of it may warn)
        y = root(x).sum()
        inside = seen(y.backward), m.is_anomaly_enabled()
        quiet = seen(lambda: (x * 2).sum().backward())
    where = [Path(warning.filename).name for warning in first]
    return inside, quiet, where, m.is_anomaly_enabled(), seen(root(x).sum().backward), len(y.grad_fn.metadata["traceback_"]) > 1


@same_as_torch
def test_no_line_is_known_where_the_mode_came_later(m: Any) -> Any:
    y = root(m.tensor([0.5], requires_grad=True))
    m.autograd.set_detect_anomaly(True)
    return seen(y.sum().backward), y.grad_fn.metadata


@same_as_torch
def test_an_error_on_the_way(m: Any) -> Any:
    class Fails(m.autograd.Function):  # type: ignore[name-defined, misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise ValueError("not today")

    x = m.tensor([1.0, 2.0], requires_grad=True)
    with m.autograd.set_detect_anomaly(True, check_nan=False):
        y = x.exp()
        y += 1
        z = Fails.apply(x)
        return seen(y.sum().backward), seen(z.sum().backward), seen(root(x / 2).sum().backward), m.is_anomaly_check_nan_enabled()


@same_as_torch
def test_nan_of_a_function_of_ones_own_and_of_its_second_operand(m: Any) -> Any:
    class Two(m.autograd.Function):  # type: ignore[name-defined, misc]
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x * 1, y * 1

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            return g, h * float("nan")

    x = m.tensor([1.0, 2.0], requires_grad=True)
    with m.autograd.set_detect_anomaly(True):
        first, second = Two.apply(x, x)
        product = m.ones(2) * m.tensor([float("nan"), 1.0]) * x
        return seen((first + second).sum().backward), seen(product.sum().backward)


@same_as_torch
def test_second_derivatives(m: Any) -> Any:
    x = m.tensor([0.0], requires_grad=True)
    with m.autograd.set_detect_anomaly(True):
        (slope,) = m.autograd.grad((x**1.5).sum(), x, create_graph=True)
        result = seen((slope * 0).sum().backward)
    return result[0], result[1:3]


@same_as_torch
def test_the_mode_is_switched_and_put_back(m: Any) -> Any:
    states = [m.is_anomaly_enabled(), m.is_anomaly_check_nan_enabled()]
    with m.autograd.set_detect_anomaly(True, check_nan=False):
        states += [m.is_anomaly_enabled(), m.is_anomaly_check_nan_enabled()]
        with m.autograd.set_detect_anomaly(False):
            states += [m.is_anomaly_enabled()]
        states += [m.is_anomaly_enabled(), m.is_anomaly_check_nan_enabled()]
    m.autograd.set_detect_anomaly(True)
    m.autograd.set_detect_anomaly(True)
    states += [m.is_anomaly_enabled(), m.is_anomaly_check_nan_enabled()]
    m.autograd.set_detect_anomaly(False)
    return [*states, m.is_anomaly_enabled()]


@LIBRARIES
def test_nothing_is_noted_without_the_mode(lib: Any) -> None:
    assert (lib.ones(1, requires_grad=True) * 2).grad_fn.metadata == {}


def test_the_warning_points_at_the_line_that_called_backward() -> None:
    x = mg.tensor([0.5], requires_grad=True)
    with mg.autograd.set_detect_anomaly(True):
        for run in (lambda y: y.backward(), mg.autograd.backward, lambda y: mg.autograd.grad(y, x)):
            with pytest.raises(RuntimeError), pytest.warns(UserWarning, match="SqrtBackward0") as given:
                run(root(x).sum())
            assert {warning.filename for warning in given} == {__file__}
