"""`Adam`, `AdamW`, `RMSprop` and `Adagrad` beside torch's: numbers for every argument, state in both directions, errors.

What all optimisers share is tested in `test_optim.py`, on `SGD`.
"""

from __future__ import annotations

import copy
import itertools
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg
from tests.test_optim import EXACT, gradients, parameters, train, translated, values
from tests.twins import LIBRARIES, assert_same, raised, same_as_torch

ARGUMENTS: dict[str, tuple[list[dict[str, Any]], dict[str, list[Any]]]] = {  # numbers, and what is combined with each
    "Adam": (
        [{"lr": 0.05, "betas": (0.9, 0.999)}, {"lr": 0.1, "betas": (0.0, 0.5), "eps": 0.1}],
        {"weight_decay": [0, 0.1], "amsgrad": [False, True], "maximize": [False, True]},
    ),
    "AdamW": (
        [{"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-3}],
        {"weight_decay": [0, 0.1], "amsgrad": [False, True], "maximize": [False, True]},
    ),
    "RMSprop": (
        [{"lr": 0.05}, {"lr": 0.01, "alpha": 0.4, "eps": 0.1}],
        {"weight_decay": [0, 0.1], "momentum": [0, 0.9], "centered": [False, True], "maximize": [False, True]},
    ),
    "Adagrad": (
        [{"lr": 0.05}, {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 0.1}],
        {"lr_decay": [0, 0.1], "weight_decay": [0, 0.1], "maximize": [False, True]},
    ),
    "Adadelta": (
        [{"lr": 0.5}, {"lr": 0.1, "rho": 0.4, "eps": 0.1}],
        {"weight_decay": [0, 0.1], "maximize": [False, True]},
    ),
    "Adamax": (
        [{"lr": 0.05}, {"lr": 0.1, "betas": (0.0, 0.5), "eps": 0.1}],
        {"weight_decay": [0, 0.1], "maximize": [False, True]},
    ),
    "NAdam": (
        [{"lr": 0.05}, {"lr": 0.1, "betas": (0.3, 0.5), "eps": 0.1, "momentum_decay": 0.1}],
        {"weight_decay": [0, 0.1], "decoupled_weight_decay": [False, True], "maximize": [False, True]},
    ),
    "RAdam": (
        [{"lr": 0.05}, {"lr": 0.1, "betas": (0.3, 0.8), "eps": 0.1}],
        {"weight_decay": [0, 0.1], "decoupled_weight_decay": [False, True], "maximize": [False, True]},
    ),
    "ASGD": (
        [{"lr": 0.05}, {"lr": 0.1, "lambd": 0.1, "alpha": 0.5, "t0": 3}],
        {"weight_decay": [0, 0.1], "maximize": [False, True]},
    ),
    "Rprop": ([{"lr": 0.05}, {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (0.01, 0.2)}], {"maximize": [False, True]}),
}
NAMES = list(ARGUMENTS)
RICH: dict[str, dict[str, Any]] = {  # a configuration with all buffers
    "SGD": EXACT,
    "Adam": {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1},
    "AdamW": {"lr": 0.1, "amsgrad": True},
    "RMSprop": {"lr": 0.1, "momentum": 0.5, "centered": True},
    "Adagrad": {"lr": 0.1, "initial_accumulator_value": 0.5},
    "Adadelta": {"lr": 0.5},
    "Adamax": {"lr": 0.1, "weight_decay": 0.1},
    "NAdam": {"lr": 0.1, "weight_decay": 0.1},
    "RAdam": {"lr": 0.1, "betas": (0.5, 0.9)},
    "ASGD": {"lr": 0.1, "t0": 2, "lambd": 0.1},
    "Rprop": {"lr": 0.1},
}


def combinations() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, (numbers, choices) in ARGUMENTS.items():
        yield name, {}
        for some, *chosen in itertools.product(numbers, *choices.values()):
            yield name, some | dict(zip(choices, chosen, strict=True))


def name_of(x: Any) -> str:
    return x if isinstance(x, str) else "-".join(map(str, x.values())) or "defaults"


def make(lib: Any, name: str, params: Any, **options: Any) -> Any:
    return getattr(lib.optim, name)(params, **options)


def assert_close(ours: list[Any], theirs: list[Any], dtype: str = "float32") -> None:
    ulp = np.finfo(dtype).eps
    for a, b in zip(values(ours), values(theirs), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=100 * ulp, atol=100 * ulp)  # 20 steps of about five roundings each


def assert_same_state(opt: Any, ours: list[Any], reference: Any, theirs: list[Any], dtype: str = "float32") -> None:
    assert len(opt.state) == len(reference.state)
    for p, q in zip(ours, theirs, strict=True):
        assert list(opt.state.get(p, {})) == list(reference.state.get(q, {}))
        assert_close(list(opt.state.get(p, {}).values()), list(reference.state.get(q, {}).values()), dtype)
    buffers, expected = opt.state[ours[-1]].values(), reference.state[theirs[-1]].values()
    assert [buffer.stride() for buffer in buffers] == [buffer.stride() for buffer in expected]  # they lie as the parameter does


# ---- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), [*combinations()], ids=name_of)
def test_every_combination(name: str, options: dict[str, Any], dtype: str) -> None:
    ours, theirs = parameters(mg, dtype), parameters(torch, dtype)
    opt, reference = make(mg, name, ours, **options), make(torch, name, theirs, **options)
    train(mg, ours, opt, dtype=dtype)
    train(torch, theirs, reference, dtype=dtype)
    assert_close(ours, theirs, dtype)
    assert_same_state(opt, ours, reference, theirs, dtype)
    assert repr(opt) == repr(reference)
    assert opt.defaults == reference.defaults


def grouped(lib: Any, name: str) -> tuple[list[Any], Any]:
    """Groups with options of their own, one added later; the last parameter but one never has a gradient."""
    params = parameters(lib)
    opt = make(lib, name, [{"params": params[:2]}, {"params": params[2], "lr": 0.5, "eps": 0.01}], **RICH[name])
    opt.add_param_group({"params": params[3:], "weight_decay": 0.5, "maximize": True})
    for arrays in gradients(5):
        for i, (p, array) in enumerate(zip(params, arrays, strict=True)):
            p.grad = None if i == 3 else lib.tensor(array)
        opt.step()
        opt.param_groups[1]["lr"] *= 0.5
    return params, opt


@pytest.mark.parametrize("name", NAMES)
def test_groups_and_parameters_without_gradient(name: str) -> None:
    (ours, opt), (theirs, reference) = grouped(mg, name), grouped(torch, name)
    assert_close(ours, theirs)
    assert_same_state(opt, ours, reference, theirs)
    assert repr(opt) == repr(reference)
    assert opt.state_dict()["param_groups"] == reference.state_dict()["param_groups"]
    assert [p._version for p in ours] == [5, 5, 5, 0, 5]


@pytest.mark.parametrize("shape", [(), (1,)])
@pytest.mark.parametrize("name", NAMES)
def test_lr_may_be_a_tensor_that_changes(name: str, shape: tuple[int, ...]) -> None:
    results = []
    for lib in (mg, torch):
        params, lr = parameters(lib), lib.full(shape, 0.25)
        opt = make(lib, name, params, lr=lr, **({} if name == "Rprop" else {"weight_decay": 0.1}))
        train(lib, params, opt, 3)
        lr.fill_(0.5)
        train(lib, params, opt, 3)
        results.append(params)
    assert_close(*results)


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_betas_may_be_tensors(name: str) -> None:
    results = []
    for lib in (mg, torch):
        params = parameters(lib)
        opt = make(lib, name, params, betas=(lib.tensor(0.5), lib.tensor([0.75])))
        train(lib, params, opt, 3)
        results.append((params, repr(opt)))
    assert_close(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]


def test_adam_may_decouple_too() -> None:
    ours, theirs = parameters(mg), parameters(torch)
    train(mg, ours, mg.optim.Adam(ours, weight_decay=0.1, decoupled_weight_decay=True))
    train(torch, theirs, torch.optim.AdamW(theirs, weight_decay=0.1))
    assert_close(ours, theirs)


@pytest.mark.parametrize("name", NAMES)
def test_a_gradient_far_smaller_than_the_one_before(name: str) -> None:
    options = {"betas": (0.0, 0.99)} if "Adam" in name else {"alpha": 0.4, "centered": True} if name == "RMSprop" else {}
    results = []
    for lib in (mg, torch):
        p = lib.zeros(2, requires_grad=True)
        opt = make(lib, name, [p], lr=1, **options)
        for size in (1e8, 1.0):
            p.grad = lib.tensor([size, -size])
            opt.step()
        results.append([p, opt.state[p].get("exp_avg", p)])
    assert_close(*results)


# ---- state -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "target"), [(mg, torch), (torch, mg), (mg, mg)], ids=["to", "from", "within"])
@pytest.mark.parametrize("name", NAMES)
def test_training_goes_on_elsewhere(name: str, source: Any, target: Any) -> None:
    params, opt = grouped(source, name)
    others = [target.tensor(p.detach().numpy().copy()).requires_grad_() for p in params]
    other = make(target, name, [{"params": others[:2]}, {"params": others[2]}, {"params": others[3:]}], lr=1)
    other.load_state_dict(translated(opt.state_dict(), source, target))
    train(source, params, opt, 5)
    train(target, others, other, 5)
    assert_close(params, others)
    assert repr(other) == repr(opt)


@LIBRARIES
@pytest.mark.parametrize("name", NAMES)
def test_a_state_dict_of_an_older_torch(lib: Any, name: str) -> None:
    """Its steps were numbers, and some options did not exist."""
    params = [lib.ones(2, requires_grad=True)]
    p = params[0]
    opt = make(lib, name, params, lr=0.1)
    p.grad = lib.ones(2)
    opt.step()
    state = copy.deepcopy(opt.state_dict())
    known = {"lr", "betas", "eps", "weight_decay", "alpha", "lr_decay", "initial_accumulator_value", "params", "rho",
             "momentum_decay", "lambd", "t0", "etas", "step_sizes"}  # fmt: skip
    state["param_groups"] = [{key: value for key, value in group.items() if key in known} for group in state["param_groups"]]
    state["state"][0]["step"] = 1
    opt.load_state_dict(state)
    assert opt.state[p]["step"].tolist() == 1.0
    assert opt.param_groups[0]["maximize"] is False
    assert opt.param_groups[0].get("decoupled_weight_decay", name == "AdamW") is (name == "AdamW")
    before = p.tolist()
    opt.step()
    assert all(now < then for now, then in zip(p.tolist(), before, strict=True))
    assert opt.state[p]["step"].tolist() == 2.0


@pytest.mark.parametrize("name", NAMES)
def test_a_copied_optimiser_goes_on_alone(name: str) -> None:
    params, opt = grouped(mg, name)
    others, other = copy.deepcopy((params, opt))
    train(mg, others, other, 2)
    unchanged = [p.detach().numpy().copy() for p in params]
    train(mg, params, opt, 2)
    for p, q, before in zip(params, others, unchanged, strict=True):
        assert np.array_equal(p.detach().numpy(), q.detach().numpy())
        assert p.shape == (0, 2) or not np.array_equal(p.detach().numpy(), before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_steps_are_counted_in_the_default_dtype(name: str, dtype: str) -> None:
    results = []
    for lib in (mg, torch):
        before = lib.get_default_dtype()
        lib.set_default_dtype(getattr(lib, dtype))
        try:
            params = parameters(lib)
            opt = make(lib, name, params)
            train(lib, params, opt, 2)
        finally:
            lib.set_default_dtype(before)
        results.append([opt.state[p]["step"] for p in params])
    assert_close(*results)


@pytest.mark.parametrize("name", NAMES)
def test_the_state_before_the_first_step(name: str) -> None:
    (ours, theirs) = (make(lib, name, parameters(lib), **RICH[name]).state_dict() for lib in (mg, torch))
    assert len(ours["state"]) == len(theirs["state"]) == (5 if name == "Adagrad" else 0)
    assert_same(ours, theirs)


# ---- errors ----------------------------------------------------------------------------------------------------------

WRONG = {
    "Adam": [
        {"lr": -1}, {"eps": -1}, {"weight_decay": -1}, {"betas": (1.0, 0.9)}, {"betas": (0.9, -0.1)}, {"betas": (0, 0.9)},
        {"lr": float("nan")}, {"betas": (0.5, "tensor")},
    ],
    "AdamW": [{"lr": -1}, {"weight_decay": -1}],
    "RMSprop": [{"lr": -1}, {"eps": -1}, {"weight_decay": -1}, {"alpha": -1}, {"momentum": -1}, {"lr": float("nan")}],
    "Adagrad": [{"lr": -1}, {"eps": -1}, {"weight_decay": -1}, {"lr_decay": -1}, {"initial_accumulator_value": -1}],
    "Adadelta": [{"lr": -1}, {"eps": -1}, {"weight_decay": -1}, {"rho": -0.1}, {"rho": 1.1}],
    "Adamax": [{"lr": -1}, {"eps": -1}, {"weight_decay": -1}, {"betas": (1.0, 0.9)}],
    "NAdam": [{"lr": -1}, {"eps": -1}, {"weight_decay": -1}, {"betas": (0.9, -0.1)}, {"momentum_decay": -1}],
    "RAdam": [{"lr": -1}, {"eps": -1}, {"weight_decay": -1}, {"betas": (0.9, 1.0)}],
}  # fmt: skip


@LIBRARIES
@pytest.mark.parametrize(("name", "wrong"), [(name, each) for name, all_ in WRONG.items() for each in all_], ids=str)
def test_numbers_out_of_range(lib: Any, name: str, wrong: dict[str, Any]) -> None:
    if wrong.get("betas", ("",))[-1] == "tensor":
        wrong = {"betas": (0.5, lib.tensor(0.5))}
    with pytest.raises(ValueError, match=r"Invalid|betas must be either both"):
        make(lib, name, parameters(lib), **wrong)


@LIBRARIES
@pytest.mark.parametrize("name", ["SGD", *NAMES])
def test_a_tensor_of_several_numbers_is_no_rate(lib: Any, name: str) -> None:
    with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
        make(lib, name, parameters(lib), lr=lib.ones(2))
    if name in ("Adam", "AdamW"):
        with pytest.raises((ValueError, RuntimeError)):
            make(lib, name, parameters(lib), betas=(lib.zeros(2), lib.zeros(2)))


@pytest.mark.parametrize("name", NAMES)
def test_other_ways_are_named(name: str) -> None:
    defaults = make(mg, name, parameters(mg)).defaults
    ways = [way for way in ("foreach", "fused", "capturable", "differentiable") if way in defaults]
    assert ways == [way for way in ("foreach", "fused", "capturable", "differentiable")
                    if way in make(torch, name, parameters(torch)).defaults]  # fmt: skip
    for way in ways:
        if way in ("capturable", "differentiable"):
            with pytest.raises(NotImplementedError, match=f"{name}: {way}=True"):
                make(mg, name, parameters(mg), **{way: True})
        else:  # only how torch groups the same arithmetic
            assert (steps(mg, name, **{way: True}) == steps(mg, name)).all()
            torch.testing.assert_close(steps(torch, name, **{way: True}), torch.tensor(steps(mg, name).numpy()))
    if "fused" in ways:
        for lib in (mg, torch):
            with pytest.raises(RuntimeError, match="`fused` and `foreach` cannot be `True` together"):
                make(lib, name, parameters(lib), fused=True, foreach=True)


def steps(lib: Any, name: str, **options: Any) -> Any:
    """A parameter after three steps."""
    p = lib.tensor([0.5, -1.5, 2.0], requires_grad=True)
    opt = make(lib, name, [p], lr=0.1, **options)
    for _ in range(3):
        opt.zero_grad()
        (p**3).sum().backward()
        opt.step()
    return p.detach()


@pytest.mark.parametrize("name", NAMES)
def test_arguments_come_in_torchs_order(name: str) -> None:
    positional = {"Adam": [0.5, (0.5, 0.5), 0.1, 0.1, True], "RMSprop": [0.5, 0.5, 0.1, 0.1, 0.1, True, False, False, True],
                  "Adadelta": [0.5, 0.5, 0.1, 0.1, False], "Adamax": [0.5, (0.5, 0.5), 0.1, 0.1, False],
                  "NAdam": [0.5, (0.5, 0.5), 0.1, 0.1, 0.1, True], "RAdam": [0.5, (0.5, 0.5), 0.1, 0.1, True],
                  "Rprop": [0.5, (0.5, 1.5), (0.1, 10)]}  # fmt: skip
    given = positional.get(name, positional["Adam"] if name == "AdamW" else [0.5, 0.1, 0.1, 0.1, 0.1, False])
    ours, theirs = make(mg, name, parameters(mg)).__class__, getattr(torch.optim, name)
    assert ours(parameters(mg), *given).defaults == theirs(parameters(torch), *given).defaults
    many = [*given, *[False] * 4]
    assert raised(lambda: ours(parameters(mg), *many)) == raised(lambda: theirs(parameters(torch), *many)) == "TypeError"


@pytest.mark.parametrize("name", RICH)
def test_gradients_are_left_as_they_are(name: str) -> None:
    for options in ({}, {"maximize": True, **({} if name == "Rprop" else {"weight_decay": 0.5})}, RICH[name]):
        p = mg.ones(3, requires_grad=True)
        p.grad = mg.tensor([1.0, -2.0, 3.0])
        opt = make(mg, name, [p], **options)
        for _ in range(2):
            opt.step()
        assert p.grad.tolist() == [1.0, -2.0, 3.0]


@pytest.mark.parametrize("name", RICH)
def test_a_step_makes_no_large_temporaries(name: str) -> None:
    p = mg.zeros(1000, 1000, requires_grad=True)
    p.grad = mg.ones(1000, 1000)
    opt = make(mg, name, [p], **RICH[name], maximize=True)
    opt.step()
    tracemalloc.start()
    opt.step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.01 * p.nbytes


@pytest.mark.parametrize("lib", [torch, mg])
def test_state_of_a_parameter_nobody_has_is_kept(lib: Any) -> None:
    optimizer = lib.optim.SGD([lib.zeros(2, requires_grad=True)], lr=0.1)
    saved = optimizer.state_dict()
    saved["state"][7] = {"momentum_buffer": None}
    optimizer.load_state_dict(saved)
    assert optimizer.state_dict()["state"] == {7: {"momentum_buffer": None}}


# ---- hooks -----------------------------------------------------------------------------------------------------------


@same_as_torch
def test_hooks_of_a_step(m: Any) -> Any:
    p, log = m.ones(2, requires_grad=True), []
    opt = m.optim.SGD([p], lr=0.5)

    def note(opt: Any, args: Any, kwargs: Any) -> None:
        log.append([p.tolist(), args[0] is opt, len(args), list(kwargs)])

    before = opt.register_step_pre_hook(note)
    opt.register_step_post_hook(note)
    p.grad = m.ones(2)
    opt.step()
    before.remove()
    opt.register_step_pre_hook(lambda opt, args, kwargs: ((opt, lambda: 7), {}))
    found = [opt.step(), opt.step(closure=lambda: 5)]
    opt.register_step_pre_hook(lambda opt, args, kwargs: 3)
    return [*found, raised(opt.step), log]


@same_as_torch
def test_hooks_of_the_step_of_a_class(m: Any) -> Any:
    class Sign(m.optim.Optimizer):
        def __init__(self, params: Any) -> None:
            super().__init__(params, {"lr": 1.0})

        def step(self, closure: Any = None) -> Any:
            log.append("step")
            return 9

    log: list[Any] = []
    opt = Sign([m.ones(1, requires_grad=True)])
    opt.register_step_pre_hook(lambda *_: log.append("before"))
    opt.register_step_post_hook(lambda *_: log.append("after"))
    return [opt.step(), log]


@same_as_torch
def test_hooks_of_the_state(m: Any) -> Any:
    opt, log = m.optim.SGD([m.ones(1, requires_grad=True)], lr=0.5), []
    opt.register_state_dict_pre_hook(lambda opt: log.append("saving"))
    opt.register_state_dict_pre_hook(lambda opt: log.append("first"), prepend=True)
    opt.register_state_dict_post_hook(lambda opt, state: state["param_groups"][0].update(more=1))
    opt.register_state_dict_post_hook(lambda opt, state: {**state, "extra": 2})
    opt.register_load_state_dict_pre_hook(lambda opt, state: state["param_groups"][0].update(lr=0.25))
    opt.register_load_state_dict_pre_hook(lambda opt, state: {name: state[name] for name in ("state", "param_groups")})
    opt.register_load_state_dict_post_hook(lambda opt: log.append(opt.param_groups[0]["lr"]))
    state = opt.state_dict()
    opt.load_state_dict(state)
    return [sorted(state), state["param_groups"][0]["more"], opt.param_groups[0]["lr"], log, len(opt.state_dict())]


# ---- L-BFGS ----------------------------------------------------------------------------------------------------------


def rosenbrock(x: Any, y: Any) -> Any:
    return (1 - x[0]) ** 2 + 100 * ((x[1] - x[0] ** 2) ** 2).sum() + (y**4).sum()


LINES: list[dict[str, Any]] = [
    {"lr": 0.1}, {"lr": 0.01, "max_iter": 5, "history_size": 2}, {"line_search_fn": "strong_wolfe"}, {"lr": 0.5, "max_iter": 7,
    "line_search_fn": "strong_wolfe", "history_size": 3, "max_eval": 12}, {"line_search_fn": "strong_wolfe", "max_eval": 3},
    {"line_search_fn": "strong_wolfe", "tolerance_grad": 1.0}, {"lr": 0.01, "tolerance_change": 0.1},
]  # fmt: skip


@pytest.mark.parametrize("options", LINES, ids=str)
def test_lbfgs(options: dict[str, Any]) -> None:
    """The same path, with the same calls of the closure."""

    def path(lib: Any) -> tuple[list[Any], Any]:
        x, y = (lib.tensor(v, dtype=lib.float64, requires_grad=True) for v in ([-1.2, 1.0], [[0.5], [-0.7]]))
        unused = lib.ones(2, dtype=lib.float64, requires_grad=True)
        opt = lib.optim.LBFGS([x, unused, y], **options)
        seen: list[Any] = []

        def closure() -> Any:
            opt.zero_grad()
            loss = rosenbrock(x, y)
            loss.backward()
            seen.append([x.tolist(), y.tolist(), loss.item()])
            return loss

        returned = [opt.step(closure).item() for _ in range(5)]
        state = opt.state[x]
        counts = [state["func_evals"], state["n_iter"], len(state.get("ro", []))]
        return [seen, returned, x.tolist(), counts], (opt, closure, x)

    (ours, (opt, closure, x)), (theirs, other) = path(mg), path(torch)
    assert len(ours[0]) == len(theirs[0])
    np.testing.assert_allclose([each[2] for each in ours[0]], [each[2] for each in theirs[0]], rtol=1e-4, atol=1e-12)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-4, atol=1e-12)  # 70 evaluations along a curved valley add up roundings
    np.testing.assert_allclose(ours[2], theirs[2], rtol=1e-6, atol=1e-6)
    assert ours[3:] == theirs[3:]
    assert repr(opt) == repr(other[0])
    again = mg.optim.LBFGS([x, *opt.param_groups[0]["params"][1:]], **options)
    again.load_state_dict(opt.state_dict())
    assert again.state[x].keys() == opt.state[x].keys()
    again.step(closure)


@LIBRARIES
def test_lbfgs_refuses(lib: Any) -> None:
    p = lib.ones(1, requires_grad=True)
    with pytest.raises(ValueError, match="per-parameter options"):
        lib.optim.LBFGS([{"params": [p]}, {"params": [lib.ones(1, requires_grad=True)]}])
    with pytest.raises(ValueError, match="Invalid learning rate"):
        lib.optim.LBFGS([p], lr=-1)
    with pytest.raises(TypeError):
        lib.optim.LBFGS([p]).step()

    def closure() -> Any:
        p.grad = lib.ones(1)
        return lib.ones(())

    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        lib.optim.LBFGS([p], line_search_fn="armijo").step(closure)


@LIBRARIES
def test_lbfgs_without_a_gradient_does_nothing(lib: Any) -> None:
    p = lib.ones(2, requires_grad=True)
    opt = lib.optim.LBFGS([p])
    assert opt.step(lambda: 3) == 3
    assert p.tolist() == [1.0, 1.0]
    assert dict(opt.state[p]) == {"func_evals": 1, "n_iter": 0}
