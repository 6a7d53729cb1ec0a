"""The optimisers: torch's numbers, torch's checkpoints, torch's errors."""

import copy
import pickle
from importlib import import_module
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg

from .twins import LIBRARIES, leaf

SHAPES = [(3, 4), (5,), (), (0, 2), (2, 3, 4)]

# Every combination torch accepts. Products with powers of two are exact, so that rounding them once more, or once less,
# makes no difference: what is left is the order of operations, and it must give the same bits.
OPTIONS = [
    {
        "lr": lr,
        "momentum": momentum,
        "dampening": dampening,
        "weight_decay": decay,
        "nesterov": nesterov,
        "maximize": maximize,
    }
    for lr, momentum, dampening, decay, nesterov, maximize in product(
        (0.125,), (0, 0.5), (0, 0.75), (0, 0.0625), (False, True), (False, True)
    )
    if not nesterov or (momentum and not dampening)
]
EXACT = {"lr": 0.125, "momentum": 0.5, "weight_decay": 0.0625, "nesterov": True}


def name_of(options: dict[str, Any]) -> str:
    return "-".join(f"{key}={value}" for key, value in options.items() if value) or "plain"


def parameters(lib: Any, dtype: str = "float32") -> list[Any]:
    """The same parameters in either library; the last one's axes are exchanged in memory."""
    random = np.random.RandomState(0)
    arrays = [random.standard_normal(shape).astype(dtype) for shape in SHAPES]
    made = [lib.tensor(array) for array in arrays]
    made[-1] = lib.tensor(arrays[-1].T.copy()).permute(2, 1, 0).detach()
    return [p.requires_grad_() for p in made]


def gradients(steps: int, dtype: str = "float32") -> list[list[np.ndarray]]:
    random = np.random.RandomState(1)
    return [[random.standard_normal(shape).astype(dtype) for shape in SHAPES] for _ in range(steps)]


def train(lib: Any, params: list[Any], opt: Any, steps: int = 20, dtype: str = "float32") -> None:
    for arrays in gradients(steps, dtype):
        for p, array in zip(params, arrays, strict=True):
            p.grad = lib.tensor(array)
        opt.step()


def values(tensors: list[Any]) -> list[np.ndarray]:
    return [t.detach().numpy() for t in tensors]


def assert_same_bits(ours: list[Any], theirs: list[Any]) -> None:
    for a, b in zip(values(ours), values(theirs), strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert a.tobytes() == b.tobytes()


def buffers(opt: Any, params: list[Any]) -> list[Any]:
    return [opt.state[p]["momentum_buffer"] for p in params if "momentum_buffer" in opt.state.get(p, {})]


# ---- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", OPTIONS, ids=name_of)
def test_every_combination_has_torchs_bits(options: dict[str, Any], dtype: str) -> None:
    ours, theirs = parameters(mg, dtype), parameters(torch, dtype)
    opt, reference = mg.optim.SGD(ours, **options), torch.optim.SGD(theirs, **options)
    train(mg, ours, opt, dtype=dtype)
    train(torch, theirs, reference, dtype=dtype)
    assert_same_bits(ours, theirs)
    assert len(buffers(opt, ours)) == (len(SHAPES) if options["momentum"] else 0)
    assert_same_bits(buffers(opt, ours), buffers(reference, theirs))


@pytest.mark.parametrize(("dtype", "ulp"), [("float32", 2**-23), ("float64", 2**-52)])
@pytest.mark.parametrize("options", OPTIONS, ids=name_of)
def test_other_numbers_differ_by_roundings_only(options: dict[str, Any], dtype: str, ulp: float) -> None:
    usual = {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}
    options = {key: value and usual.get(key, value) for key, value in options.items()}
    ours, theirs = parameters(mg, dtype), parameters(torch, dtype)
    train(mg, ours, mg.optim.SGD(ours, **options), dtype=dtype)
    train(torch, theirs, torch.optim.SGD(theirs, **options), dtype=dtype)
    for a, b in zip(values(ours), values(theirs), strict=True):
        # Half a unit for each of 20 steps, times the 10 steps that momentum remembers one.
        np.testing.assert_allclose(a, b, rtol=0, atol=100 * ulp)


def test_gradients_and_parameters_may_lie_differently_in_memory() -> None:
    array = np.random.RandomState(0).standard_normal((3, 4)).astype(np.float32)
    straight, turned = mg.tensor(array).requires_grad_(), mg.tensor(array.T.copy()).T.detach().requires_grad_()
    gaps = mg.tensor(np.repeat(array, 2, 1))[:, ::2].detach().requires_grad_()
    opt = mg.optim.SGD([straight, turned, gaps], **EXACT)
    for _ in range(3):
        straight.grad, turned.grad, gaps.grad = mg.tensor(array.T.copy()).T, mg.tensor(array), mg.tensor(array)
        opt.step()
    assert not turned.is_contiguous()
    assert np.array_equal(straight.detach().numpy(), turned.detach().numpy())
    assert np.array_equal(straight.detach().numpy(), gaps.detach().numpy())
    assert not np.array_equal(straight.detach().numpy(), array)


def test_parameters_share_the_memory_for_intermediate_results_whatever_their_dtype() -> None:
    random = np.random.RandomState(0)
    arrays = [random.standard_normal(n).astype(dtype) for n, dtype in [(3, "f4"), (5, "f8"), (7, "f4"), (1, "f2")]]
    ours, theirs = [[lib.tensor(a).requires_grad_() for a in arrays] for lib in (mg, torch)]
    opts = [mg.optim.SGD(ours, **EXACT), torch.optim.SGD(theirs, **EXACT)]
    for lib, params, opt in zip((mg, torch), (ours, theirs), opts, strict=True):
        for p, a in zip(params, arrays, strict=True):
            p.grad = lib.tensor(np.sign(a))
        opt.step()
    assert_same_bits(ours, theirs)


def test_a_parameter_may_get_another_array_between_steps() -> None:
    ours, theirs = mg.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    opts = [mg.optim.SGD([ours], lr=0.5), torch.optim.SGD([theirs], lr=0.5)]
    for lib, p, opt in zip((mg, torch), (ours, theirs), opts, strict=True):
        for size in (3, 1000, 2):
            p.data, p.grad = lib.ones(size), None
            p.grad = lib.full((size,), 3.0)
            opt.step()
    assert_same_bits([ours], [theirs])


def test_who_diverges_sees_inf_and_no_warning() -> None:
    p = mg.ones(2, requires_grad=True)
    opt = mg.optim.SGD([p], lr=1e30)
    for _ in range(2):
        p.grad = mg.full((2,), -1e30)
        opt.step()
    assert p.tolist() == [float("inf")] * 2


# ---- groups, gradients, closures -------------------------------------------------------------------------------------


def grouped(lib: Any) -> tuple[list[Any], Any]:
    params = parameters(lib)
    opt = lib.optim.SGD([{"params": params[:1]}, {"params": iter(params[1:3]), "lr": 0.5}], lr=0.25, momentum=0.5)
    opt.add_param_group({"params": params[3], "weight_decay": 0.5})
    opt.add_param_group({"params": params[4:], "nesterov": True})
    return params, opt


def test_groups_have_options_of_their_own_which_may_change() -> None:
    (ours, opt), (theirs, reference) = grouped(mg), grouped(torch)
    for lib, params, o in ((mg, ours, opt), (torch, theirs, reference)):
        train(lib, params, o, 3)
        o.param_groups[1]["lr"], o.param_groups[0]["momentum"] = 0.125, 0.25
        train(lib, params, o, 3)
    assert_same_bits(ours, theirs)
    assert repr(opt) == repr(reference)
    assert opt.defaults == reference.defaults


@pytest.mark.parametrize("shape", [(), (1,)])
def test_lr_may_be_a_tensor(shape: tuple[int, ...]) -> None:
    ours, theirs = parameters(mg), parameters(torch)
    train(mg, ours, mg.optim.SGD(ours, lr=mg.full(shape, 0.5), weight_decay=mg.tensor(0.25)), 3)
    train(torch, theirs, torch.optim.SGD(theirs, lr=torch.full(shape, 0.5), weight_decay=torch.tensor(0.25)), 3)
    assert_same_bits(ours, theirs)


@LIBRARIES
def test_a_parameter_without_gradient_is_left_alone(lib: Any) -> None:
    used, unused = lib.ones(2, requires_grad=True), lib.ones(2, requires_grad=True)
    opt = lib.optim.SGD([used, unused], lr=0.5, momentum=0.5, weight_decay=0.5)
    used.sum().backward()
    assert opt.step() is None
    assert used.tolist() == [0.25, 0.25]
    assert unused.tolist() == [1.0, 1.0]
    assert set(opt.state) == {used}
    assert (used._version, unused._version) == (1, 0)


@LIBRARIES
def test_zero_grad_forgets_gradients_or_fills_them_with_zeros(lib: Any) -> None:
    p, q = lib.ones(2, requires_grad=True), lib.ones(2, requires_grad=True)
    opt = lib.optim.SGD([p, q], lr=0.5)
    p.grad = (p * 2).detach() * q  # as after backward(create_graph=True)
    opt.zero_grad(set_to_none=False)
    p.grad = lib.ones(3)[1:]  # a part of a buffer for all gradients
    opt.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0, 0.0]
    assert not p.grad.requires_grad
    assert q.grad is None
    opt.zero_grad()
    assert p.grad is None


@LIBRARIES
def test_step_calls_a_closure_with_recording_on(lib: Any) -> None:
    p = lib.ones(2, requires_grad=True)
    opt = lib.optim.SGD([p], lr=0.5)

    def closure() -> Any:
        opt.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with lib.no_grad():
        assert opt.step(closure).item() == 2.0
    assert p.tolist() == [0.0, 0.0]


@LIBRARIES
def test_a_backward_that_needs_the_old_values_is_an_error(lib: Any) -> None:
    p = lib.ones(2, requires_grad=True)
    loss = (p * p).sum()
    p.grad = lib.ones(2)
    lib.optim.SGD([p], lr=0.5).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


# ---- checkpoints -----------------------------------------------------------------------------------------------------


def translated(state: Any, source: Any, target: Any) -> Any:
    """A state dict with the tensors of one library turned into those of the other."""
    if isinstance(state, source.Tensor):
        return target.tensor(state.detach().numpy().copy())
    if isinstance(state, dict):
        return {key: translated(value, source, target) for key, value in state.items()}
    return [translated(value, source, target) for value in state] if isinstance(state, list) else state


@pytest.mark.parametrize(("source", "target"), [(torch, mg), (mg, torch), (mg, mg)], ids=["from", "to", "within"])
def test_state_goes_to_torch_and_back(source: Any, target: Any) -> None:
    params, opt = grouped(source)
    train(source, params, opt, 3)
    others = [target.tensor(p.detach().numpy().copy()).requires_grad_() for p in params]
    groups = [{"params": others[:1]}, {"params": others[1:3]}, {"params": others[3:4]}, {"params": others[4:]}]
    other = target.optim.SGD(groups, lr=1)
    other.load_state_dict(translated(opt.state_dict(), source, target))
    train(source, params, opt, 3)
    train(target, others, other, 3)
    assert_same_bits(params, others)
    assert other.state_dict()["param_groups"] == opt.state_dict()["param_groups"]


def test_state_dict_is_torchs() -> None:
    (ours, opt), (theirs, reference) = grouped(mg), grouped(torch)
    assert opt.state_dict() == reference.state_dict()
    train(mg, ours, opt, 1)
    train(torch, theirs, reference, 1)
    state, expected = opt.state_dict(), reference.state_dict()
    assert state["param_groups"] == expected["param_groups"]
    assert [group["params"] for group in state["param_groups"]] == [[0], [1, 2], [3], [4]]
    assert state["state"].keys() == expected["state"].keys()
    assert [list(entry) for entry in state["state"].values()] == [["momentum_buffer"]] * 5


def test_a_loaded_state_is_a_copy_in_the_dtype_of_the_parameters() -> None:
    p, q = mg.ones(2, requires_grad=True), mg.ones(2, dtype=mg.float64, requires_grad=True)
    first, second = mg.optim.SGD([p], momentum=0.5), mg.optim.SGD([q], momentum=0.5)
    p.grad = mg.ones(2)
    first.step()
    state = first.state_dict()
    second.load_state_dict(state)
    third = mg.optim.SGD([mg.ones(2, requires_grad=True)])
    third.load_state_dict(state)
    first.step()
    assert second.state[q]["momentum_buffer"].dtype is mg.float64
    for opt in (second, third):
        opt.param_groups[0]["lr"] = 2.0
        assert [entry["momentum_buffer"].tolist() for entry in opt.state.values()] == [[1.0, 1.0]]
    assert state["param_groups"][0]["lr"] == first.param_groups[0]["lr"] == 1e-3


@LIBRARIES
def test_a_state_dict_of_an_older_torch_lacks_options(lib: Any) -> None:
    p = lib.ones(2, requires_grad=True)
    opt = lib.optim.SGD([p])
    group = {"lr": 0.5, "momentum": 0, "dampening": 0, "weight_decay": 0, "params": [0]}
    opt.load_state_dict({"state": {0: {"momentum_buffer": None}}, "param_groups": [group]})
    p.grad = lib.ones(2)
    opt.step()
    assert p.tolist() == [0.5, 0.5]
    opt.param_groups[0]["momentum"] = 0.5
    opt.step()
    assert p.tolist() == [0.0, 0.0]


@LIBRARIES
@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))], ids=["copy", "pickle"]
)
def test_an_optimiser_can_be_copied_with_its_parameters(lib: Any, clone: Any) -> None:
    params, opt = grouped(lib)
    train(lib, params, opt, 3)
    others, other = clone((params, opt))
    train(lib, params, opt, 3)
    train(lib, others, other, 3)
    assert_same_bits(params, others)
    assert all(p is not q for p, q in zip(params, others, strict=True))


def named(lib: Any) -> Any:
    weight, bias, scale = (lib.ones(2, requires_grad=True) for _ in range(3))
    opt = lib.optim.SGD([("weight", weight), ("bias", bias)], lr=0.5)
    opt.add_param_group({"params": [("scale", scale)]})
    return opt


def test_parameters_may_have_names() -> None:
    opt, reference = named(mg), named(torch)
    assert opt.state_dict() == reference.state_dict()
    assert [group["param_names"] for group in opt.param_groups] == [["weight", "bias"], ["scale"]]
    nameless = opt.state_dict()
    for group in nameless["param_groups"]:
        del group["param_names"]
    for o in (opt, reference):
        o.load_state_dict(nameless)
    assert opt.state_dict() == reference.state_dict()


# ---- errors ----------------------------------------------------------------------------------------------------------


def with_group(lib: Any, group: Any, **options: Any) -> Any:
    opt = lib.optim.SGD([leaf(lib, 2)], **options)
    opt.add_param_group(group)
    return opt


def shared(lib: Any) -> Any:
    p = leaf(lib, 2)
    return lib.optim.SGD([{"params": p}, {"params": [leaf(lib, 2), p]}])


def loaded(lib: Any, *sizes: int) -> None:
    opt = lib.optim.SGD([leaf(lib, 2), leaf(lib, 2)])
    groups = [{"lr": 0.1, "params": list(range(n))} for n in sizes]
    opt.load_state_dict({"state": {}, "param_groups": groups})


ERRORS = [
    (
        lambda lib: lib.optim.SGD(leaf(lib, 2)),
        TypeError,
        "params argument given to the optimizer should be an iterable of Tensors",
    ),
    (lambda lib: lib.optim.SGD([]), ValueError, "optimizer got an empty parameter list"),
    (
        lambda lib: lib.optim.SGD([3.0]),
        TypeError,
        "optimizer can only optimize Tensors, but one of the params is float",
    ),
    (lambda lib: lib.optim.SGD([leaf(lib, 2) * 2]), ValueError, "can't optimize a non-leaf Tensor"),
    (lambda lib: lib.optim.SGD([leaf(lib, 2)], lr=-0.1), ValueError, "Invalid learning rate: -0.1"),
    (lambda lib: lib.optim.SGD([leaf(lib, 2)], lr=leaf(lib, 2)), ValueError, "Tensor lr must be 1-element"),
    (lambda lib: lib.optim.SGD([leaf(lib, 2)], momentum=-0.1), ValueError, "Invalid momentum value: -0.1"),
    (lambda lib: lib.optim.SGD([leaf(lib, 2)], weight_decay=-0.1), ValueError, "Invalid weight_decay value: -0.1"),
    (
        lambda lib: lib.optim.SGD([leaf(lib, 2)], nesterov=True),
        ValueError,
        "Nesterov momentum requires a momentum and zero damp",
    ),
    (
        lambda lib: lib.optim.SGD([leaf(lib, 2)], momentum=1, dampening=1, nesterov=True),
        ValueError,
        "Nesterov momentum requires",
    ),
    (shared, ValueError, "some parameters appear in more than one parameter group"),
    (lambda lib: with_group(lib, [leaf(lib, 2)]), TypeError, "param_group must be a dict, but got"),
    (lambda lib: with_group(lib, {"params": {leaf(lib, 2)}}), TypeError, "need to be organized in ordered collections"),
    (
        lambda lib: with_group(lib, {"params": [("name", leaf(lib, 2))]}),
        ValueError,
        "param groups should be with/without names",
    ),
    (lambda lib: lib.optim.SGD([("a", leaf(lib, 2)), leaf(lib, 2)]), ValueError, "Some param names are missing"),
    (lambda lib: loaded(lib, 1, 1), ValueError, "loaded state dict has a different number of parameter groups"),
    (
        lambda lib: loaded(lib, 3),
        ValueError,
        "loaded state dict contains a parameter group that doesn't match the size of",
    ),
]


@LIBRARIES
@pytest.mark.parametrize(("make", "error", "message"), ERRORS)
def test_errors_are_torchs(lib: Any, make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make(lib)


@LIBRARIES
def test_a_parameter_twice_in_a_group_is_a_warning(lib: Any) -> None:
    p = leaf(lib, 2)
    with pytest.warns(UserWarning, match="parameter group with duplicate parameters") as caught:
        opt = lib.optim.SGD([p, p], lr=0.5)
    assert lib is torch or caught[0].filename == __file__
    p.grad = lib.ones(2)
    opt.step()
    assert p.tolist() == [0.0, 0.0]
    assert opt.state_dict()["param_groups"][0]["params"] == [1, 1]


def test_differentiable_is_refused_by_name() -> None:
    mg.optim.SGD([leaf(mg, 2)], differentiable=False)
    with pytest.raises(NotImplementedError, match="SGD: differentiable=True is not supported"):
        mg.optim.SGD([leaf(mg, 2)], differentiable=True)
    with pytest.raises(NotImplementedError, match="SGD: differentiable=True is not supported"):
        with_group(mg, {"params": leaf(mg, 2), "differentiable": True})


def test_a_gradient_of_another_shape_is_not_broadcast() -> None:
    p = leaf(mg, 2)
    p.grad = mg.ones(2)
    p.data = mg.ones(3)
    with pytest.raises(RuntimeError, match=r"SGD: a parameter of shape \[3\] has a gradient of shape \[2\]"):
        mg.optim.SGD([p]).step()


def test_a_subclass_defines_the_update() -> None:
    class Sign(mg.optim.Optimizer):
        def update(self, p: Any, g: Any, group: dict[str, Any], held: Any, spare: Any) -> None:
            p.array -= group["lr"] * np.sign(g)

    p = leaf(mg, 2)
    p.grad = mg.tensor([3.0, -0.1])
    Sign([p], {"lr": 0.5}).step()
    assert p.tolist() == [0.5, 1.5]
    with pytest.raises(NotImplementedError, match="Optimizer defines no update"):
        mg.optim.Optimizer([p], {}).step()


@LIBRARIES
def test_a_required_option(lib: Any) -> None:
    """The default of older optimisers for what has to be given."""
    required = import_module(f"{lib.__name__}.optim.optimizer").required

    class Plain(lib.optim.Optimizer):  # type: ignore[name-defined, misc]
        def __init__(self, params: Any, lr: Any = required) -> None:
            super().__init__(params, {"lr": lr})

    p = lib.ones(1, requires_grad=True)
    assert Plain([{"params": [p], "lr": 0.5}]).param_groups[0]["lr"] == 0.5
    assert repr(required) == "<required parameter>"
    with pytest.raises(ValueError, match="parameter group didn't specify a value of required optimization parameter lr"):
        Plain([p])
