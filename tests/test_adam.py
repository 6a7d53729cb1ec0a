"""`Adam` beside torch's: numbers for every combination of arguments, state in both directions, errors."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg
from tests.test_optim import parameters, train, values
from tests.twins import raised

OPTIONS = [
    {"lr": 0.05, "betas": betas, "weight_decay": decay, "amsgrad": amsgrad, "maximize": maximize, "eps": eps}
    for betas, decay, amsgrad, maximize, eps in itertools.product(
        [(0.9, 0.999), (0.0, 0.5)], [0, 0.1], [False, True], [False, True], [1e-8, 0.1]
    )
]


def assert_close(ours: list[Any], theirs: list[Any], dtype: str) -> None:
    ulp = np.finfo(dtype).eps
    for a, b in zip(values(ours), values(theirs), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=100 * ulp, atol=100 * ulp)  # 20 steps of about five roundings each


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(map(str, options.values())))
def test_every_combination(options: dict[str, Any], dtype: str) -> None:
    ours, theirs = parameters(mg, dtype), parameters(torch, dtype)
    opt, reference = mg.optim.Adam(ours, **options), torch.optim.Adam(theirs, **options)
    train(mg, ours, opt, dtype=dtype)
    train(torch, theirs, reference, dtype=dtype)
    assert_close(ours, theirs, dtype)
    for p, q in zip(ours, theirs, strict=True):
        assert list(opt.state[p]) == list(reference.state[q])
        assert_close(list(opt.state[p].values()), list(reference.state[q].values()), dtype)


def as_tensors(lib: Any, x: Any) -> Any:
    """A state with its tensors made the other library's."""
    if isinstance(x, dict):
        return {key: as_tensors(lib, value) for key, value in x.items()}
    if isinstance(x, list):
        return [as_tensors(lib, value) for value in x]
    return lib.tensor(x.detach().numpy()) if hasattr(x, "detach") else x


@pytest.mark.parametrize("amsgrad", [False, True])
def test_training_goes_on_in_the_other_library(amsgrad: bool) -> None:
    ours, theirs = parameters(mg), parameters(torch)
    opt = mg.optim.Adam(ours, lr=0.1, amsgrad=amsgrad)
    train(mg, ours, opt, 5)
    reference = torch.optim.Adam(theirs, lr=0.1, amsgrad=amsgrad)
    train(torch, theirs, reference, 5)
    other = torch.optim.Adam(theirs, lr=1)
    other.load_state_dict(as_tensors(torch, opt.state_dict()))
    train(torch, theirs, other, 5)
    back = mg.optim.Adam(ours, lr=1)
    back.load_state_dict(as_tensors(mg, reference.state_dict()))
    train(mg, ours, back, 5)
    assert_close(ours, theirs, "float32")
    assert repr(back) == repr(other)


@pytest.mark.parametrize(
    "wrong", [{"lr": -1}, {"eps": -1}, {"weight_decay": -1}, {"betas": (1.0, 0.9)}, {"betas": (0.9, -0.1)}], ids=str
)
def test_numbers_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Invalid"):
        mg.optim.Adam(parameters(mg), **wrong)
    assert raised(lambda: torch.optim.Adam(parameters(torch), **wrong)) == "ValueError"


@pytest.mark.parametrize("name", ["foreach", "fused", "capturable", "differentiable", "decoupled_weight_decay"])
def test_other_ways_are_named(name: str) -> None:
    with pytest.raises(NotImplementedError, match=f"{name}=True"):
        mg.optim.Adam(parameters(mg), **{name: True})
