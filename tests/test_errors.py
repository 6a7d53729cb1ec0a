"""The mistakes everybody makes first: minigrad raises what torch raises, and says what was wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest
import torch

import minigrad as mg

from .twins import grid, leaf, outcome, raised, same_as_torch, same_outcomes


def ones(m: Any, *shape: int, **options: Any) -> Any:
    return m.ones(*shape, **options)


def twice(m: Any) -> Any:
    x = leaf(m, 2)
    loss = (x * x).sum()
    loss.backward()
    loss.backward()


def changed(m: Any) -> Any:
    x = leaf(m, 2)
    y = x.exp()
    y += 1
    y.sum().backward()


def copied(m: Any) -> Any:
    import copy

    copy.deepcopy(leaf(m, 2) * 2)


def assigned(m: Any) -> Any:
    a = leaf(m, 2, 3)
    a[0] = m.zeros(3)


def augmented(m: Any) -> Any:
    a = leaf(m, 2)
    a += 1


def integers(m: Any) -> Any:
    return m.arange(3)


# What somebody writes, the error torch raises for it, and the words minigrad's message must have.
MISTAKES: list[tuple[str, Any, type[Exception], list[str]]] = [
    # shapes
    ("a + b of other shapes", lambda m: ones(m, 2, 3) + ones(m, 4), RuntimeError, ["add", "[2, 3]", "[4]", "do not match"]),
    ("a * b of other shapes", lambda m: ones(m, 2, 3) * ones(m, 3, 2), RuntimeError, ["mul", "[2, 3]", "[3, 2]", "equal or 1"]),
    ("a == b of other shapes", lambda m: ones(m, 2) == ones(m, 3), RuntimeError, ["eq", "[2]", "[3]"]),
    ("a @ b of other shapes", lambda m: ones(m, 2, 3) @ ones(m, 2, 3), RuntimeError, ["shapes cannot be multiplied",
        "2x3 and 2x3"]),
    ("matrix @ vector", lambda m: ones(m, 2, 3) @ ones(m, 2), RuntimeError, ["2x3 and 2", "size"]),
    ("vector @ matrix", lambda m: ones(m, 3) @ ones(m, 2, 3), RuntimeError, ["3", "2x3"]),
    ("vector @ vector", lambda m: ones(m, 3) @ ones(m, 2), RuntimeError, ["dot", "3 and 2"]),
    ("batches @", lambda m: ones(m, 2, 3, 4) @ ones(m, 3, 4, 5), RuntimeError, ["matmul", "[2, 3, 4]", "[3, 4, 5]"]),
    ("@ with 0-d", lambda m: ones(m, 2) @ m.tensor(1.0), RuntimeError, ["at least 1D", "1D and 0D"]),
    ("mm of a vector", lambda m: m.mm(ones(m, 2, 2), ones(m, 2)), RuntimeError, ["mm", "[2, 2]", "[2]"]),
    ("view of a wrong size", lambda m: ones(m, 2, 3).view(4), RuntimeError, ["'[4]' is invalid for input of size 6"]),
    ("reshape to a wrong size", lambda m: ones(m, 2, 3).reshape(-1, 4), RuntimeError, ["'[-1, 4]' is invalid for input of size 6"]),
    ("two -1 in reshape", lambda m: ones(m, 4).reshape(-1, -1), RuntimeError, ["only one dimension can be inferred"]),
    ("view of a transpose", lambda m: ones(m, 2, 3).T.view(6), RuntimeError, ["view size is not compatible", "Use .reshape(...)"]),
    ("expand of a long dimension", lambda m: ones(m, 2, 3).expand(4, 3), RuntimeError, ["expand", "[2, 3]", "[4, 3]"]),
    ("cat of other shapes", lambda m: m.cat([ones(m, 2, 3), ones(m, 2, 4)]), RuntimeError, ["cat", "[2, 3]", "[2, 4]",
        "dimension 0"]),
    ("cat of 0-d", lambda m: m.cat([m.tensor(1.0), m.tensor(2.0)]), RuntimeError, ["zero-dimensional", "use stack"]),
    ("cat of nothing", lambda m: m.cat([]), ValueError, ["cat", "non-empty list"]),
    ("cat of one tensor", lambda m: m.cat(ones(m, 2)), TypeError, ["cat", "tuple or list of tensors"]),
    ("stack of other shapes", lambda m: m.stack([ones(m, 2), ones(m, 3)]), RuntimeError, ["equal size", "[2] at entry 0",
        "[3] at entry 1"]),
    ("permute too few", lambda m: ones(m, 2, 3).permute(0), RuntimeError, ["permute", "2 dimensions"]),
    ("mT of a vector", lambda m: ones(m, 2).mT, RuntimeError, ["mT", "1-D"]),
    ("t() of a batch", lambda m: ones(m, 2, 2, 2).t(), RuntimeError, ["<= 2 dimensions", "3D"]),
    # dimensions
    ("sum over a missing dim", lambda m: ones(m, 2, 3).sum(2), IndexError, ["Dimension out of range", "[-2, 1]", "got 2"]),
    ("softmax over a missing dim", lambda m: ones(m, 2).softmax(1), IndexError, ["Dimension out of range", "[-1, 0]", "got 1"]),
    ("the same dim twice", lambda m: ones(m, 2, 3).sum((0, -2)), RuntimeError, ["dim 0", "multiple times"]),
    ("unsqueeze too far", lambda m: ones(m, 2).unsqueeze(3), IndexError, ["got 3"]),
    ("size of a missing dim", lambda m: ones(m, 2).size(1), IndexError, ["got 1"]),
    ("max of nothing", lambda m: m.zeros(0).max(), RuntimeError, ["max", "numel() == 0"]),
    ("amax over a dim of size 0", lambda m: m.zeros(0, 2).amax(0), IndexError, ["amax", "size 0"]),
    ("argmax of nothing", lambda m: m.zeros(0).argmax(), IndexError, ["argmax", "numel() == 0"]),
    # dtypes
    ("float @ int", lambda m: ones(m, 2, 2) @ ones(m, 2, 2).long(), RuntimeError, ["same dtype", "float32 != int64", "x.float()"]),
    ("float32 @ float64", lambda m: ones(m, 2, 2) @ ones(m, 2).double(), RuntimeError, ["same dtype", "float32 != float64"]),
    ("mean of ints", lambda m: integers(m).mean(), RuntimeError, ["mean", "floating-point", "int64", "x.float()"]),
    ("std of ints", lambda m: integers(m).std(), RuntimeError, ["std", "floating-point", "int64"]),
    ("bool - bool", lambda m: m.tensor([True]) - m.tensor([False]), RuntimeError, ["bool", "logical_not"]),
    ("- bool", lambda m: -m.tensor([True]), RuntimeError, ["bool", "logical_not"]),
    ("~ float", lambda m: ~ones(m, 2), TypeError, ["~", "integer and Boolean"]),
    ("float & bool", lambda m: ones(m, 2) & m.tensor(True), NotImplementedError, ["bitwise_and", "(x > 0) & (x < 1)"]),
    ("int // 0", lambda m: integers(m) // 0, RuntimeError, ["ZeroDivisionError", "divided by zero"]),
    ("int % 0", lambda m: integers(m) % 0, RuntimeError, ["ZeroDivisionError"]),
    ("where of a float condition", lambda m: m.where(ones(m, 2), 1.0, 2.0), RuntimeError, ["where", "boolean", "float32"]),
    ("masked_fill with a float mask", lambda m: ones(m, 2).masked_fill(ones(m, 2), 0), RuntimeError, ["boolean mask", "float32"]),
    ("tensor + text", lambda m: ones(m, 2) + "1", TypeError, ["+", "str"]),
    ("tensor + None", lambda m: ones(m, 2) + None, TypeError, ["+", "NoneType"]),
    ("mul by a list", lambda m: m.mul(ones(m, 2), [1, 2]), TypeError, ["mul", "list", "torch.tensor(...)"]),
    ("exp of a number", lambda m: m.exp(1.0), TypeError, ["exp", "must be a tensor", "float"]),
    ("clamp without limits", lambda m: ones(m, 2).clamp(), RuntimeError, ["At least one of 'min' or 'max'"]),
    ("unknown rounding mode", lambda m: m.div(ones(m, 2), 2, rounding_mode="up"), RuntimeError, ["rounding_mode", "'up'"]),
    # one number out of many
    ("if tensor:", lambda m: bool(ones(m, 2)), RuntimeError, ["Boolean value of Tensor with more than one value is ambiguous"]),
    ("if an empty tensor:", lambda m: bool(m.zeros(0)), RuntimeError, ["no values", "ambiguous"]),
    ("tensor in a condition", lambda m: 0 < ones(m, 3) < 2, RuntimeError, ["ambiguous", ".any() or .all()"]),
    ("item of many", lambda m: ones(m, 3).item(), RuntimeError, ["Tensor with 3 elements cannot be converted to Scalar"]),
    ("float of many", lambda m: float(ones(m, 2)), ValueError, ["only one element", "2 elements"]),
    ("int of many", lambda m: int(ones(m, 2)), ValueError, ["only one element", "2 elements"]),
    ("len of 0-d", lambda m: len(m.tensor(1.0)), TypeError, ["len() of a 0-d tensor"]),
    ("loop over 0-d", lambda m: list(m.tensor(1.0)), TypeError, ["iteration over a 0-d tensor"]),
    ("float as an index", lambda m: [1, 2][m.tensor(1.0)], TypeError, ["only integer tensors of a single element"]),
    # indices
    ("index too large", lambda m: ones(m, 2, 3)[2], IndexError, ["index 2 is out of bounds", "size 2", "[2, 3]"]),
    ("index too small", lambda m: ones(m, 2, 3)[0, -4], IndexError, ["index -4 is out of bounds", "size 3"]),
    ("too many indices", lambda m: ones(m, 2)[0, 0], IndexError, ["too many indices", "[2]"]),
    ("index of 0-d", lambda m: m.tensor(1.0)[0], IndexError, ["dimension 0", "x.item()"]),
    ("float index", lambda m: ones(m, 2)[0.5], IndexError, ["valid indices", "float"]),
    ("text index", lambda m: ones(m, 2)["a"], TypeError, ["valid indices", "str"]),
    ("float tensor index", lambda m: ones(m, 2)[ones(m, 2)], IndexError, ["must be long", "bool"]),
    ("index list too large", lambda m: ones(m, 2)[[0, 5]], IndexError, ["index 5 is out of bounds", "size 2"]),
    ("mask of another shape", lambda m: ones(m, 2)[m.tensor([True, False, True])], IndexError, ["3", "2", "[2]"]),
    ("index arrays of other shapes", lambda m: ones(m, 3, 3)[[0, 1], [0, 1, 2]], IndexError, ["broadcast"]),
    ("negative step", lambda m: ones(m, 3)[::-1], ValueError, ["step must be greater than zero", "flip()"]),
    ("gather out of bounds", lambda m: ones(m, 2).gather(0, m.tensor([2])), RuntimeError, ["gather", "index 2", "size 2"]),
    ("gather with floats", lambda m: ones(m, 2).gather(0, ones(m, 1)), RuntimeError, ["gather", "int64", "float32"]),
    ("gather of other dimensions", lambda m: ones(m, 2, 2).gather(0, m.tensor([0])), RuntimeError, ["same number of dimensions"]),
    ("index_select out of bounds", lambda m: ones(m, 2).index_select(0, m.tensor([2])), IndexError, ["index_select",
        "out of bounds"]),
    ("assignment out of range", lambda m: ones(m, 2).__setitem__(2, 1.0), IndexError, ["index 2 is out of bounds"]),
    ("assignment of another shape", lambda m: ones(m, 2, 3).__setitem__(0, ones(m, 4)), RuntimeError, ["[2, 3]", "4"]),
    ("assignment of a list", lambda m: ones(m, 2).__setitem__(0, [1.0, 2.0]), TypeError, ["can't assign a list",
        "torch.tensor(...)"]),
    # gradients
    ("ints that require a gradient", lambda m: m.tensor([1, 2], requires_grad=True), RuntimeError, ["floating point", "int64",
        "x.float()"]),
    ("requires_grad_ of ints", lambda m: integers(m).requires_grad_(), RuntimeError, ["floating point", "int64"]),
    ("requires_grad = False inside", lambda m: (leaf(m, 2) * 2).requires_grad_(False), RuntimeError, ["leaf", "detach()"]),
    ("numpy() of a parameter", lambda m: leaf(m, 2).numpy(), RuntimeError, ["Can't call numpy() on Tensor that requires grad",
        "tensor.detach().numpy()"]),
    ("numpy() of a result", lambda m: (leaf(m, 2) * 2).numpy(), RuntimeError, ["tensor.detach().numpy()"]),
    ("backward of many", lambda m: (leaf(m, 2, 3) * 2).backward(), RuntimeError, ["implicitly created only for scalar outputs",
        "[2, 3]", "loss.sum().backward()"]),
    ("backward of constants", lambda m: ones(m, 2).sum().backward(), RuntimeError,
        ["element 0 of tensors does not require grad", "requires_grad=True"]),
    ("backward after no_grad", lambda m: m.no_grad()(lambda: leaf(m, 2).sum())().backward(), RuntimeError,
        ["does not require grad", "no_grad()"]),
    ("backward twice", twice, RuntimeError, ["a second time", "MulBackward0", "retain_graph=True"]),
    ("gradient of another shape", lambda m: (leaf(m, 2) * 2).backward(ones(m, 3)), RuntimeError, ["Mismatch in shape", "[3]",
        "[2]"]),
    ("gradient that is a number", lambda m: (leaf(m, 2) * 2).backward(1.0), TypeError, ["Tensors or None", "float"]),
    ("in-place on a parameter", augmented, RuntimeError, ["a leaf Variable that requires grad", "in-place", "torch.no_grad()"]),
    ("A[i] = x on a parameter", assigned, RuntimeError, ["leaf Variable that requires grad", "torch.no_grad()"]),
    ("in-place before backward", changed, RuntimeError, ["modified by an inplace operation", "ExpBackward0",
        "version 1; expected version 0"]),
    ("grad of what is not used", lambda m: m.autograd.grad(leaf(m, 1), leaf(m, 1)), RuntimeError, ["not have been used",
        "allow_unused=True"]),
    ("grad of a constant", lambda m: m.autograd.grad(leaf(m, 1), ones(m, 1)), RuntimeError, ["does not require grad",
        "requires_grad=True"]),
    ("deepcopy of a result", copied, RuntimeError, ["graph leaves", "deepcopy", "detach().clone()"]),
    ("hook on a constant", lambda m: ones(m, 2).register_hook(print), RuntimeError, ["hook", "doesn't require gradient"]),
    ("a list for a tensor", lambda m: m.nn.functional.linear([[1.0]], ones(m, 1, 1)), TypeError, ["tensor", "list",
        "torch.tensor(...)"]),
    ("a list for a module", lambda m: m.nn.Linear(4, 2)([1, 2, 3, 4]), TypeError, ["tensor", "list", "torch.tensor(...)"]),
    ("a list to a power", lambda m: m.pow([1], 2), TypeError, ["tensor", "list", "torch.tensor(...)"]),
    ("a dtype by its name", lambda m: m.ones(2, dtype="float32"), TypeError, ["'float32'", "torch.float32"]),
    ("a class among modules", lambda m: m.nn.Sequential(m.nn.Linear(1, 1), m.nn.ReLU), TypeError, ["ReLU", "Module subclass"]),
    ("an operation of nothing", lambda m: m.exp(), TypeError, ["exp()", "at least one argument must be a tensor"]),
    # creation
    ("ragged lists", lambda m: m.tensor([[1, 2], [3]]), ValueError, ["different lengths"]),
    ("text", lambda m: m.tensor("abc"), TypeError, ["tensor()", "numbers", "str"]),
    ("list of text", lambda m: m.tensor(["a"]), ValueError, ["tensor()", "numbers"]),
    ("text among numbers", lambda m: m.tensor([1, "a"]), TypeError, ["tensor()", "numbers", "str"]),
    ("a number beside lists", lambda m: m.tensor([[1], 2]), TypeError, ["tensor()", "list, int side by side"]),
    ("an integer of 65 bits", lambda m: m.tensor([2**64]), ValueError, ["tensor()", "Overflow", "int64"]),
    ("None", lambda m: m.tensor(None), RuntimeError, ["tensor()", "NoneType"]),
    ("a dictionary", lambda m: m.tensor({"a": 1}), RuntimeError, ["tensor()", "dict"]),
    ("a negative size", lambda m: m.zeros(-1), RuntimeError, ["zeros", "negative dimension", "-1"]),
    ("a size that is no integer", lambda m: m.zeros(2.5), TypeError, ["zeros", "integers", "2.5"]),
    ("arange without end", lambda m: m.arange(0, 5, -1), RuntimeError, ["arange", "step sign", "0", "5", "-1"]),
    ("arange with step 0", lambda m: m.arange(0, 5, 0), RuntimeError, ["arange", "nonzero"]),
    ("linspace of -1 steps", lambda m: m.linspace(0, 1, -1), RuntimeError, ["linspace", "non-negative", "-1"]),
    ("like of a list", lambda m: m.zeros_like([1, 2]), TypeError, ["zeros_like", "must be Tensor, not list"]),
    ("from_numpy of a list", lambda m: m.from_numpy([1, 2]), TypeError, ["expected np.ndarray (got list)"]),
    ("an unknown device", lambda m: m.device("gpu"), RuntimeError, ["'gpu'", "cpu", "cuda"]),
    ("integers as default dtype", lambda m: m.set_default_dtype(m.int64), TypeError, ["floating-point", "int64"]),
]  # fmt: skip


@pytest.mark.parametrize(("mistake", "kind", "words"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_named(mistake: Any, kind: type[Exception], words: list[str]) -> None:
    with pytest.raises(Exception) as theirs:  # noqa: PT011 - which one is asked for below
        mistake(torch)
    assert type(theirs.value) is kind
    with pytest.raises(Exception) as ours:  # noqa: PT011
        mistake(mg)
    assert type(ours.value) is kind, ours.value
    message = str(ours.value)
    for word in words:
        assert word in message, message
    assert "\n" not in message


def test_no_other_device() -> None:
    """torch without CUDA says so in words of its own; ours names the way out."""
    for attempt in (lambda: mg.ones(2, device="cuda"), lambda: mg.tensor(1.0).to("cuda"), lambda: mg.tensor(1.0).cuda(),
                    lambda: mg.zeros(2).to(mg.device("cuda", 0)), lambda: mg.tensor([1], device="cuda:1")):  # fmt: skip
        with pytest.raises(AssertionError, match=r"computes on the CPU only and cannot place a tensor on 'cuda(:\d)?'"):
            attempt()


@pytest.mark.parametrize(("call", "words"), [
    (lambda: mg.ones(2).set_(mg.ones(3)), r"set_\(\)"),
])  # fmt: skip
def test_what_is_not_supported_says_so(call: Any, words: str) -> None:
    with pytest.raises(NotImplementedError, match=words):
        call()


def test_unknown_options_are_refused() -> None:
    """No argument is ignored in silence."""
    x = mg.ones(2, 2)
    for call in (lambda: x.sum(dimension=0), lambda: mg.exp(x, base=2), lambda: mg.ones(2, layout="strided"), lambda: x.relu(0.1),
                 lambda: mg.tensor([1], pin=True), lambda: x.softmax(), lambda: mg.mul(x)):  # fmt: skip
        with pytest.raises(TypeError):
            call()


# Odd calls: answered where torch answers, refused with its type of error where it refuses -----------------------------------

test_arguments_of_the_wrong_kind = same_outcomes(
    {"one_hot of a list": lambda m: m.nn.functional.one_hot([0, 1]),
     "einsum by numbers": lambda m: m.einsum(m.ones(2, 3), [0, 1], m.ones(3, 4), [1, 2], [2, 0]),
     "einsum by numbers only": lambda m: m.einsum(grid(m), [1, 0], m.ones(3, 4), [1, 2]),
     "einsum by numbers and dots": lambda m: m.einsum(grid(m), [..., 0], [0, ...]),
     "einsum of nothing": lambda m: m.einsum(grid(m)),
     "view by a tensor": lambda m: grid(m).view(m.tensor(12)), "view by a fraction": lambda m: grid(m).view(2.0),
     "view by text": lambda m: grid(m).view("a"), "dropout of a list": lambda m: m.nn.functional.dropout([1.0, 2.0]),
     "power by a list": lambda m: m.ones(2) ** [1, 2], "power by an array": lambda m: m.ones(2) ** (m.ones(2) * 2).numpy()[0]}
    | {f"{name} of {what}": lambda m, name=name, make=make: getattr(m, name)(make(m)) for name in ("cat", "stack")
       for what, make in {
           "a number": lambda m: [m.ones(2), 1], "None": lambda m: [m.ones(2), None], "a tensor": lambda m: m.ones(2, 2),
           "nothing": lambda m: [], "text": lambda m: "ab", "a generator": lambda m: (m.ones(2) for _ in range(2))}.items()}
    | {f"{name}()": lambda m, name=name: getattr(m.tensor(1.0), name)() for name in
       ("reshape", "view", "permute", "expand", "repeat", "flip", "new_zeros")}
    | {f"{name}('a')": lambda m, name=name: getattr(grid(m), name)("a") for name in
       ("sum", "reshape", "permute", "expand", "squeeze", "unsqueeze", "softmax")}
)  # fmt: skip

test_shapes_and_sizes_that_do_not_fit = same_outcomes({
    "addmm of 3 dimensions": lambda m: m.addmm(m.ones(1, 2, 2), m.ones(2, 3), m.ones(3, 2)),
    "addmm of more rows": lambda m: m.addmm(m.ones(5, 2), m.ones(1, 3), m.ones(3, 2)),
    "allclose of shapes": lambda m: m.allclose(m.ones(2), m.ones(3)),
    "flip of a number": lambda m: (m.tensor(1.0).flip(0), m.tensor(1).flip([-1])),
    "diag of a cube": lambda m: m.ones(2, 2, 2).diag(),
    "diag of a number": lambda m: m.tensor(1.0).diag(), "meshgrid of a matrix": lambda m: m.meshgrid(m.ones(2, 2), indexing="ij"),
    "split of a number": lambda m: m.tensor(1.0).split(1), "chunk of a number": lambda m: m.tensor(1.0).chunk(1),
    "narrow of a number": lambda m: m.tensor(1.0).narrow(0, 0, 1), "bincount with few weights": lambda m: m.bincount(
        m.tensor([0, 1]), m.ones(3)), "bincount of less than nothing": lambda m: m.bincount(m.tensor([1]), minlength=-1),
    "negative groups": lambda m: m.nn.functional.group_norm(m.ones(2, 4), -2),
    "unique along no dimension": lambda m: [outcome(lambda m: m.ones(2).unique(dim=1), m), m.ones(2, 2).unique(dim=-1)],
    "topk of bools": lambda m: m.tensor([True, False]).topk(1), "topk of too many": lambda m: m.ones(2).topk(3),
    "topk of nothing": lambda m: [*m.ones(2, 3).topk(0), *m.zeros(0).topk(0), *m.tensor([1, nan, inf, 2.0]).topk(3)],
    "topk of a number": lambda m: list(m.tensor(3.0).topk(0)),
})  # fmt: skip


@pytest.mark.parametrize("function", ["argmax", "argmin", "prod"])
def test_one_dimension_where_several_mean_nothing(function: str) -> None:
    @same_as_torch
    def scenario(m: Any) -> Any:
        return raised(lambda: getattr(m.ones(2, 3), function)((0, 1)))

    scenario()


@pytest.mark.parametrize("m", [torch, mg], ids=["torch", "minigrad"])
def test_singular_matrices(m: Any) -> None:
    for call in (m.linalg.inv, lambda x: m.linalg.solve(x, m.ones(2)), lambda x: m.linalg.solve(x, x)):
        with pytest.raises(m.linalg.LinAlgError, match="singular"):
            call(m.ones(2, 2))
    with pytest.raises(m.linalg.LinAlgError, match="not positive-definite"):
        m.linalg.cholesky(-m.eye(2))
    assert issubclass(m.linalg.LinAlgError, RuntimeError)


# ---- more than there is ------------------------------------------------------------------------------------------------


TOO_LARGE: dict[str, Callable[[Any], Any]] = {
    "zeros": lambda m: m.zeros(10**13),
    "zeros, more than can be counted": lambda m: m.zeros(2**62),
    "zeros, of two sizes": lambda m: m.zeros(2**40, 2**40),
    "full": lambda m: m.full((10**13,), 1.0),
    "ones_like": lambda m: m.ones_like(m.ones(1).expand(10**13)),
    "empty": lambda m: m.empty(10**14),
    "arange": lambda m: m.arange(10**13),
    "linspace": lambda m: m.linspace(0, 1, 10**13),
    "eye": lambda m: m.eye(10**7),
    "rand": lambda m: m.rand(10**13),
    "randn": lambda m: m.randn(10**13),
    "randint": lambda m: m.randint(3, (10**13,)),
    "randperm": lambda m: m.randperm(10**13),
    "arange of too many bytes": lambda m: m.arange(2**62),
    "linspace of too many bytes": lambda m: m.linspace(0, 1, 2**62),
    "randperm of too many bytes": lambda m: m.randperm(2**60),
    "zeros, none of them, in too many places": lambda m: m.zeros(0, 2**62, 2**62),
    "new_zeros": lambda m: m.ones(1).new_zeros(10**13),
    "clone": lambda m: m.ones(1).expand(10**13).clone(),
    "add": lambda m: m.ones(1).expand(10**13) + 1,
    "double": lambda m: m.ones(1).expand(10**13).double(),
    "repeat": lambda m: m.ones(1).repeat(10**13),
    "repeat_interleave": lambda m: m.ones(1).repeat_interleave(10**13),
    "matmul": lambda m: m.ones(10**7, 1) @ m.ones(1, 10**7),
    "cat": lambda m: m.cat([m.ones(1).expand(10**13)] * 2),
    "index": lambda m: m.ones(1)[m.zeros(1, dtype=m.int64).expand(10**12)],
    "pad": lambda m: m.nn.functional.pad(m.ones(1), (0, 10**13)),
    "one_hot": lambda m: m.nn.functional.one_hot(m.tensor([10**13])),
    "bincount": lambda m: m.bincount(m.tensor([10**14])),
    "Linear": lambda m: m.nn.Linear(10**7, 10**7),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_too_large_a_tensor_is_a_runtime_error(name: str) -> None:
    with pytest.raises(RuntimeError, match=r"[Ss]torage size|allocate|overflow"):
        TOO_LARGE[name](torch)
    with pytest.raises(mg.OutOfMemoryError, match=r"^\w+\(\): not enough memory: .*\d{13}") as caught:
        TOO_LARGE[name](mg)
    assert isinstance(caught.value, RuntimeError)
    assert isinstance(caught.value, MemoryError)
