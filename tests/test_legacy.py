"""Old scripts: `Tensor(2, 3)`, `FloatTensor` and its like, `Variable`, `x.new`, default tensor types."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg

from .twins import raised, same_as_torch, same_outcomes

TYPES = ["HalfTensor", "FloatTensor", "DoubleTensor", "ByteTensor", "CharTensor", "ShortTensor", "IntTensor", "LongTensor",
"BoolTensor"]

test_sizes = same_outcomes({
    "no size": lambda m: m.Tensor().shape, "one": lambda m: m.Tensor(3).shape, "two": lambda m: m.Tensor(2, 3).shape,
    "a shape": lambda m: m.Tensor(m.ones(2, 3).size()).shape, "NumPy's": lambda m: m.Tensor(np.int64(2), 3).shape,
    "one of NumPy's": lambda m: m.Tensor(np.int64(2)).shape, "an array without dimensions": lambda m: m.Tensor(np.array(3)).shape,
    "tensors": lambda m: m.Tensor(m.tensor(3), 2).shape, "dtype": lambda m: m.LongTensor(2).dtype,
    "negative": lambda m: m.Tensor(-1),
    "of a type": lambda m: [getattr(m, name)(2, 3).shape for name in TYPES], "a fraction": lambda m: m.Tensor(2, 2.5),
    "0 in front": lambda m: m.FloatTensor(0, 3), "no size of a type": lambda m: m.LongTensor(),
    "new": lambda m: m.ones(1).new(2, 3).shape,
    "new, a shape": lambda m: m.ones(1).long().new(m.Size([2])).shape, "filled": lambda m: m.FloatTensor(2, 3).fill_(1),
    "on the CPU": lambda m: m.Tensor(2, device="cpu").shape, "elsewhere": lambda m: m.Tensor([1], device="cuda"),
})  # fmt: skip

test_data = same_outcomes({
    "a list": lambda m: m.Tensor([2, 3]), "a tuple": lambda m: m.Tensor((2, 3)), "a range": lambda m: m.LongTensor(range(3)),
    "nested": lambda m: m.Tensor([[1, 2], [3, 4]]), "bools": lambda m: m.Tensor([True, False]), "nothing": lambda m: m.Tensor([]),
    "uneven": lambda m: m.Tensor([[1, 2], [3]]), "tensors": lambda m: m.Tensor([m.tensor(1), m.tensor(2)]),
    "longer tensors": lambda m: m.Tensor([m.ones(2), m.ones(2)]), "None": lambda m: m.Tensor(None),
    "a number": lambda m: m.Tensor(2.5),
    "NumPy's number": lambda m: m.FloatTensor(np.float32(3)), "a bool": lambda m: m.Tensor(True), "a word": lambda m: m.Tensor("a"),
    "a dict": lambda m: m.Tensor({1: 2}), "an object": lambda m: m.Tensor(object()),
    "no such dtype": lambda m: m.Tensor([1], dtype=m.int8),
    "fractions as integers": lambda m: m.LongTensor([1.7, 2]), "as bools": lambda m: m.BoolTensor([0.5, 0]),
    "a large byte": lambda m: m.ByteTensor([256]), "a negative byte": lambda m: m.ByteTensor([-1]),
    "a char": lambda m: m.CharTensor([200]),
    "an array": lambda m: [getattr(m, name)(np.array([1.0, 2.0])) for name in TYPES], "a half": lambda m: m.HalfTensor([1e6]),
    "a tensor": lambda m: m.Tensor(m.tensor([3])), "of its type": lambda m: m.LongTensor(m.tensor([3])),
    "of another type": lambda m: m.LongTensor(m.ones(2)), "new": lambda m: m.ones(1).long().new([1, 2]),
    "new of none": lambda m: m.ones(1).new(None),
})  # fmt: skip


@same_as_torch
def test_memory_is_shared(m: Any) -> Any:
    x, array, numbers = m.ones(2), np.zeros(2, np.float32), np.zeros(2, np.int64)
    for made in m.Tensor(x), m.Tensor(array), m.FloatTensor(x), m.LongTensor(numbers), m.LongTensor(np.zeros(2)):
        made[0] = 5
    return x, x._version, array, numbers


@same_as_torch
def test_history_is_kept(m: Any) -> Any:
    x = m.ones(2, requires_grad=True)
    y = m.Tensor(x * 2)
    (y * y).sum().backward()
    return y.requires_grad, y.is_leaf, x.grad


test_types = same_outcomes({
    **{name: lambda m, name=name: [m.tensor([1, 0]).type(getattr(m, name)), repr(getattr(m, name).dtype), getattr(m, name).__name__,
                                   isinstance(m.ones(1), getattr(m, name)), isinstance(getattr(m, name)(2), getattr(m, name))]
       for name in TYPES},
    "a pair": lambda m: isinstance(m.tensor(1), (m.FloatTensor, m.LongTensor)), "no tensor": lambda m: isinstance(3, m.LongTensor),
    "a parameter": lambda m: isinstance(m.nn.Parameter(m.ones(2)), m.FloatTensor), "Tensor": lambda m: m.tensor([1]).type(m.Tensor),
    "int": lambda m: m.ones(2).type(int), "a word": lambda m: m.ones(2).type("LongTensor"),
    "name": lambda m: m.ones(2).type("torch.LongTensor"),
    "a dtype": lambda m: m.ones(2).type(m.int64), "without blocking": lambda m: m.ones(2).type(m.LongTensor, True),
})  # fmt: skip


@pytest.fixture
def default() -> Iterator[None]:
    yield
    for m in torch, mg:
        m.set_default_dtype(m.float32)


@pytest.mark.usefixtures("default")
@pytest.mark.filterwarnings("ignore:torch.set_default_tensor_type")
def test_default_types() -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        m.set_default_tensor_type(m.DoubleTensor)
        made = [m.ones(1), m.Tensor([1]), m.Tensor(2).dtype, m.ones(1).int().type(m.Tensor)]
        m.set_default_tensor_type("torch.FloatTensor")
        return [*made, m.ones(1)]

    scenario()


def test_a_default_type_warns_and_must_be_of_floating_point() -> None:
    with pytest.warns(UserWarning, match="set_default_dtype"), pytest.raises(TypeError, match="floating-point"):
        mg.set_default_tensor_type(mg.LongTensor)


@same_as_torch
def test_variable(m: Any) -> Any:
    from_module = m.autograd.Variable
    x = m.tensor([1.0, 2.0], requires_grad=True)
    leaf, shared = from_module(x * 2), from_module(x.detach(), requires_grad=True)
    (shared * shared).sum().backward()
    shared.data[0] = 7
    return leaf, shared, shared.grad, x.detach(), isinstance(x, from_module), isinstance(3, from_module)


test_what_is_no_variable = same_outcomes({
    "a list": lambda m: m.autograd.Variable([1.0]), "an array": lambda m: m.autograd.Variable(np.ones(2)),
    "of integers": lambda m: m.autograd.Variable(m.ones(2).long(), requires_grad=True),
})  # fmt: skip


def test_volatile_warns() -> None:
    with pytest.warns(UserWarning, match="no_grad"):
        mg.autograd.Variable(mg.ones(2), volatile=True)


@same_as_torch
def test_a_class_that_makes_its_tensors_itself(m: Any) -> Any:
    class Labelled(m.Tensor):  # type: ignore[misc]
        @staticmethod
        def __new__(cls: Any, x: Any, label: str) -> Any:
            return super().__new__(cls, x)

        def __init__(self, x: Any, label: str) -> None:
            self.label = label

    x = m.tensor([1.0, 2.0])
    made = Labelled(x, "weights")
    made[0] = 5
    return type(made).__name__, made.label, x, isinstance(made, m.Tensor), (made * 2).tolist()


@same_as_torch
def test_range(m: Any) -> Any:
    with pytest.warns(UserWarning, match="torch.range is deprecated"):
        return m.range(0, 3), m.range(1, 2.2, 0.5), m.range(3, 1, -1, dtype=m.int64), raised(lambda: m.range(0, 3, -1))


@pytest.mark.filterwarnings("ignore:torch.ger:UserWarning")  # torch warns at its first call only
@same_as_torch
def test_ger(m: Any) -> Any:
    x, y = m.tensor([1.0, 2.0], requires_grad=True), m.tensor([3.0, 4.0, 5.0])
    m.ger(x, y).sum().backward()
    return m.ger(x, y).detach(), x.detach().ger(y), x.grad


def test_ger_warns() -> None:
    with pytest.warns(UserWarning, match=r"torch\.outer"):
        mg.ger(mg.ones(2), mg.ones(2))


def in_old_order(m: Any) -> dict[str, Any]:
    a, b, c, eye = m.tensor([1.0, 2.0]), m.tensor([3.0, 4.0]), m.tensor([5.0, 6.0]), m.eye(2)
    return {
        "add": a.add(2, b), "add_": a.clone().add_(-0.5, b), "function add": m.add(a, 2, b), "sub": m.sub(a, 0.5, b),
        "sub_": a.clone().sub_(0.5, b), "addcmul": m.addcmul(a, 0.5, b, c), "addcmul_": a.clone().addcmul_(0.5, b, c),
        "addcdiv": a.addcdiv(0.5, b, c), "addcdiv_": a.clone().addcdiv_(-0.5, b, c), "addmm": m.addmm(0.5, eye, 2, eye, eye),
        "addmm, one number": m.addmm(0.5, eye, eye, eye), "method addmm": eye.addmm(0.5, eye, eye),
        "addmm_": eye.clone().addmm_(0.5, 2, eye, eye), "addmv": a.addmv(0.5, eye, b),
        "baddbmm": m.baddbmm(0.5, eye[None], 2, eye[None], eye[None]), "addbmm": m.addbmm(0.5, eye, 2, eye[None], eye[None]),
        "addr_": eye.clone().addr_(0.5, a, b), "too many": raised(lambda: m.add(a, 2, 3, b))[0],
        "by name, too": raised(lambda: m.add(a, 2, b, alpha=3))[0], "behind the tensors": raised(lambda: a.addcmul(b, c, 2))[0],
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore:This overload of:UserWarning")  # torch warns at its first call only
@same_as_torch
def test_numbers_before_the_tensors(m: Any) -> Any:
    return in_old_order(m)


def test_numbers_before_the_tensors_warn() -> None:
    with pytest.warns(UserWarning, match=r"This overload of add is deprecated.*as in add\(\.\.\., alpha=-0\.5\)"):
        mg.ones(2).add_(-0.5, mg.ones(2))


@same_as_torch
def test_fractions_without_dimensions_are_values(m: Any) -> Any:
    return m.Tensor(np.array(2.0)), m.FloatTensor(np.array(3.5, np.float32)), m.DoubleTensor(np.array(2.0)).dtype


@same_as_torch
def test_elementwise_mean(m: Any) -> Any:
    x, y = m.tensor([1.0, 2.0]), m.tensor([3.0, 5.0])
    with pytest.warns(UserWarning, match="reduction='elementwise_mean' is deprecated"):
        return m.nn.functional.mse_loss(x, y, reduction="elementwise_mean"), m.nn.L1Loss(reduction="elementwise_mean")(x, y)


@same_as_torch
def test_types_of_tensors_on_a_gpu(m: Any) -> Any:
    kinds = [getattr(m.cuda, name) for name in TYPES]
    return [repr(kind) for kind in kinds], [isinstance(m.ones(1), kind) for kind in kinds], [raised(kind, 3)[0] for kind in kinds]


@same_as_torch
def test_attributes_of_ones_own(m: Any) -> Any:
    x = m.ones(2)
    x.require_grad, x.tags = False, ["a"]
    twin = copy.deepcopy(x)
    twin.tags.append("b")
    return (x.require_grad, x.tags, twin.tags, copy.copy(x).tags is x.tags, pickle.loads(pickle.dumps(x)).tags, vars(m.ones(1)),
            hasattr(x * 1, "tags"), hasattr(x.detach(), "tags"), repr(m.nn.Linear(1, 1).parameters())[:35])  # fmt: skip
