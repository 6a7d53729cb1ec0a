"""The printed text of tensors, compared character by character with torch's."""

import contextlib
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch._tensor_str import printoptions as torch_printoptions

from minigrad.arrays.printing import format_tensor, get_printoptions, printoptions, set_printoptions

from .twins import same_as_torch

FLOATS = [np.float16, np.float32, np.float64]
INTEGERS = [np.uint8, np.int8, np.int16, np.int32, np.int64]
SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan]
# Up to 2 * edgeitems, just above it, and long enough for several lines; some of these products exceed the threshold.
SHAPES = [(), (1,), (6,), (7,), (40,), (1001,), (3, 4), (7, 2), (1, 30), (30, 40), (2, 3, 2), (3, 1, 9), (11, 10, 10)]
SHAPES += [(1000,), (6, 200), (2, 2, 2, 2), (7, 2, 9, 8), (0,), (0, 3), (3, 0, 2)]

quick = settings(max_examples=300, deadline=None)


def magnitudes(exponents):
    """Numbers of both signs whose decimal exponents lie in a range."""
    return st.builds(
        lambda sign, mantissa, e: sign * mantissa * 10.0**e, st.sampled_from([1, -1]), st.floats(1, 10), exponents
    )


@st.composite
def float_arrays(draw):
    """Float arrays of one kind: similar sizes, wide spreads, whole numbers, only specials; specials mixed into each."""
    low, high = draw(st.sampled_from([(-30, 30), (-1, 1), (-5, -3), (0, 3), (6, 9)]))
    number = magnitudes(st.integers(low, high))
    number = draw(st.sampled_from([number, number.map(lambda x: float(round(x))), st.sampled_from(SPECIAL)]))
    pool = draw(st.lists(number, min_size=1, max_size=12)) + draw(st.lists(st.sampled_from(SPECIAL), max_size=3))
    return spread(draw, pool).astype(draw(st.sampled_from(FLOATS)))


@st.composite
def integer_arrays(draw):
    dtype = np.dtype(draw(st.sampled_from(INTEGERS)))
    return spread(draw, draw(hnp.arrays(dtype, st.integers(1, 12))))


@st.composite
def bool_arrays(draw):
    return spread(draw, draw(st.lists(st.booleans(), min_size=1, max_size=12)))


def spread(draw, pool):
    """An array of some shape with elements from a short pool: large arrays cost hypothesis no more than small ones."""
    shape = draw(st.sampled_from(SHAPES))
    picks = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).integers(len(pool), size=shape)
    return np.array(np.asarray(pool)[picks])


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@quick
@given(float_arrays())
def test_floats(array):
    assert format_tensor(array) == repr(torch.from_numpy(array))


@quick
@given(st.one_of(integer_arrays(), bool_arrays()))
def test_integers_and_bools(array):
    assert format_tensor(array) == repr(torch.from_numpy(array))


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.0],
        [1.0, 2.5],
        [0.0, -0.0],
        [math.nan, 1.0],
        [-math.inf] * 30,
        [math.nan] * 30,
        [0.0] * 100,
        [1.0, 1000.0],
        [1.0, 1001.0],
        [1.5, 1001.5],
        [1e8],
        [1.1e8],
        [-3e8, 1e7],
        [1e-4],
        [9.9e-5],
        [1e-30, 1e30],
        [5e-324, 1e308],
        [math.inf, 1e9],
        [-1.0, 10.0, math.nan, math.inf],
        [0.99999],
    ],
    ids=lambda values: f"{values[:3]}"[1:-1],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_edges_of_the_rules(values, dtype):
    array = np.array(values).astype(dtype)
    assert format_tensor(array) == repr(torch.from_numpy(array))
    assert format_tensor(array[0]) == repr(torch.from_numpy(array)[0])


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, np.bool_])
@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (2, 0, 1), (2,), (1000,), (1001,)])
def test_when_the_dtype_and_size_are_named(dtype, shape):
    array = np.ones(shape, dtype)
    assert format_tensor(array) == repr(torch.from_numpy(array))


def test_arrays_that_are_not_contiguous():
    array = np.arange(2400, dtype=np.float32).reshape(40, 60)[::-1, ::2].T
    assert format_tensor(array) == repr(torch.from_numpy(array.copy()))


GRAPHS = {
    "add": lambda x: x + 1,
    "mul": lambda x: x * 2,
    "pow": lambda x: x**2,
    "sum": lambda x: x.sum(),
    "log_softmax": lambda x: x.log_softmax(0),
    "max_pool": lambda x: torch.nn.functional.max_pool2d(x.reshape(1, 1, 1, -1), (1, 1)),
    "a long name": lambda x: torch.nn.functional.scaled_dot_product_attention(*3 * [x.reshape(1, 1, -1, 1)]),
}


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
# One length after the other moves the end of the last line past the point where a suffix gets a new line.
@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 6, 7, 8, 20, 1000, 1001])
def test_grad_fn(graph, dtype, length):
    tensor = graph(torch.linspace(1, 2, length, dtype=dtype, requires_grad=True))
    name = type(tensor.grad_fn).__name__
    assert format_tensor(tensor.detach().numpy(), requires_grad=True, grad_fn_name=name) == repr(tensor)


@pytest.mark.parametrize("length", range(12))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_requires_grad(length, dtype):
    tensor = torch.linspace(1, 2, length, dtype=dtype, requires_grad=True)
    assert format_tensor(tensor.detach().numpy(), requires_grad=True) == repr(tensor)


@pytest.mark.parametrize("linewidth", range(10, 90, 7))
@pytest.mark.parametrize("shape", [(), (0, 3), (3, 4)])
def test_several_suffixes_in_short_lines(linewidth, shape):
    tensor = torch.ones(shape, dtype=torch.float64, requires_grad=True)
    with printoptions(linewidth=linewidth), torch_printoptions(linewidth=linewidth):
        assert format_tensor(tensor.detach().numpy(), requires_grad=True) == repr(tensor)


@pytest.mark.parametrize("shape", [(), (0, 2), (3,), (3, 4), (40, 40)])
def test_parameter(shape):
    parameter = torch.nn.Parameter(torch.full(shape, 0.5))
    ours = format_tensor(parameter.detach().numpy(), requires_grad=True)
    assert f"Parameter containing:\n{ours}" == repr(parameter)


def test_subclass_name_sets_the_indent():
    class Temperature(torch.Tensor):
        pass

    values = np.linspace(0, 1, 40, dtype=np.float32).reshape(2, 20)
    tensor = torch.from_numpy(values).as_subclass(Temperature)
    assert format_tensor(values, class_name="Temperature") == repr(tensor)


def test_dtype_names_come_from_the_caller():
    values = np.ones(2, np.float32)
    assert format_tensor(values, dtype_name="torch.bfloat16") == repr(torch.ones(2, dtype=torch.bfloat16))
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        for array in (np.ones(2, np.float32), np.ones(2), np.ones(0, np.float32), np.ones(0), np.ones(0, np.int64)):
            assert format_tensor(array, default_dtype_name="torch.float64") == repr(torch.from_numpy(array))
    finally:
        torch.set_default_dtype(before)


OPTIONS = [
    {"precision": 0},
    {"precision": 8},
    {"threshold": 3},
    {"threshold": 0, "edgeitems": 1},
    {"threshold": 5, "edgeitems": 0},
    {"edgeitems": 0},
    {"threshold": 5, "edgeitems": 2, "linewidth": 20},
    {"linewidth": 1},
    {"linewidth": 200},
    {"sci_mode": True},
    {"sci_mode": False},
    {"sci_mode": True, "precision": 1},
    {"profile": "short"},
    {"profile": "full"},
    {"profile": "default", "precision": 6},
    {"profile": "short", "edgeitems": 5, "threshold": 20},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(
    "array",
    [
        np.array(1.25),
        np.linspace(0, 1, 13),
        np.array([1e-6, 1.5, math.nan, 0.0]),
        np.arange(30, dtype=np.float32).reshape(2, 3, 5),
        np.zeros(4, np.float32),
        np.arange(1100).reshape(11, 100),
        np.zeros((0, 2)),
        np.array([True, False]),
    ],
    ids=["0-d", "fractions", "mixed", "3-d", "zeros", "large", "empty", "bool"],
)
def test_options(options, array):
    with printoptions(**options), torch_printoptions(**options):
        assert format_tensor(array) == repr(torch.from_numpy(array))


def test_options_add_up_and_scientific_mode_falls_back():
    array = np.array([1.5, 2.0])
    others = {"precision": 2, "threshold": 7, "edgeitems": 1, "linewidth": 40}
    steps = [{"precision": 2}, {"sci_mode": True}, {"linewidth": 40}, {"profile": "full"}, {"sci_mode": False}, {}]
    steps += [others, {"profile": "short"}, others, {"profile": "full"}, others, {"profile": "default"}]
    with printoptions(), torch_printoptions():
        for step in steps:
            set_printoptions(**step)
            torch.set_printoptions(**step)
            assert format_tensor(array) == repr(torch.from_numpy(array)), step
            assert get_printoptions() == torch._tensor_str.get_printoptions(), step


def test_printoptions_puts_everything_back_after_an_error():
    before = get_printoptions()
    with contextlib.suppress(KeyError), printoptions(profile="short", sci_mode=True):
        assert get_printoptions() != before
        raise KeyError
    assert get_printoptions() == before


def test_unknown_profile_is_refused_and_changes_nothing():
    before = get_printoptions()
    with pytest.raises(ValueError, match="one of default, short, full, got 'tiny'"):
        set_printoptions(precision=1, profile="tiny")
    assert get_printoptions() == before


@pytest.mark.parametrize(
    "array", [np.ones(2, complex), np.array(["a"]), np.array([None])], ids=["complex", "str", "object"]
)
def test_other_dtypes_are_refused(array):
    with pytest.raises(NotImplementedError, match="bools, integers and floats"):
        format_tensor(array)


@same_as_torch
def test_subclasses_are_printed_under_their_names(m: Any) -> Any:
    class Temperature(m.Tensor):  # type: ignore[misc]
        pass

    return [repr(Temperature([1.0, 2.0])), repr(m.nn.Parameter(m.ones(2)))]
