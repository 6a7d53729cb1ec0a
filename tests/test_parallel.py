"""One device: what `DataParallel` and `torch.accelerator` are without an accelerator, next to torch's."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import minigrad as mg

from .twins import same_as_torch

pytestmark = pytest.mark.skipif(torch.accelerator.is_available(), reason="torch finds an accelerator here")


@same_as_torch
def test_no_accelerator(m: Any) -> Any:
    return m.accelerator.is_available(), m.accelerator.device_count(), m.accelerator.current_accelerator()


@same_as_torch
def test_data_parallel_is_the_module_under_another_name(m: Any) -> Any:
    m.manual_seed(0)
    inner = m.nn.Sequential(m.nn.Linear(4, 3), m.nn.Dropout(), m.nn.Linear(3, 2))
    model = m.nn.DataParallel(inner, device_ids=[0])
    assert m.nn.parallel.DataParallel is m.nn.DataParallel
    assert model.module is inner
    x = m.randn(5, 4, requires_grad=True)
    trained = model(input=x)
    trained.sum().backward()
    evaluated = model.eval()(x)
    other = m.nn.DataParallel(m.nn.Linear(4, 3))
    other.load_state_dict({f"module.{name}": value for name, value in inner[0].state_dict().items()})
    gradients = [p.grad for p in model.parameters()]
    return trained, evaluated, inner.training, x.grad, gradients, repr(model), model.state_dict(), model.device_ids, other(x)


def test_several_devices_are_refused() -> None:
    with pytest.raises(NotImplementedError, match="device_ids"):
        mg.nn.DataParallel(mg.nn.Linear(1, 1), device_ids=[0, 1])
