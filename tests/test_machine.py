"""The machine while it runs: operations inside operations, overwritten results, gradients that two leaves must not share."""

from __future__ import annotations

import functools
import gc
import io
import pdb
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.arrays.quiet import quietly
from minigrad.autograd import op
from minigrad.autograd.versions import _arrays_within
from tests.operations import TABLE
from tests.test_operations import flat
from tests.twins import same_as_torch

# ---- operations while a body or a rule runs --------------------------------------------------------------------------------


def compute() -> float:
    """Some operations, NumPy's warnings among them, and a backward pass."""
    x = mg.zeros(2, requires_grad=True)
    with mg.enable_grad():  # as in torch, nothing is recorded while a rule runs
        (x.detach().log().exp().sum() + (x * 3).sum()).backward()
    return x.grad.sum().item()  # type: ignore[union-attr]


def with_interruption(in_body: Callable[[], Any], in_rule: Callable[[], Any]) -> Any:
    """An operation that calls one function while its body runs, and the other one while its rule does."""

    @op
    def interrupted(x: Any, /) -> Any:
        in_body()

        def rule(g: Any) -> Any:
            in_rule()
            return g * 2

        return x * 2, rule

    return interrupted


def test_operations_inside_a_body_and_a_rule() -> None:
    results: list[float] = []

    def inside() -> None:
        results.append(compute())

    x = mg.ones(2, requires_grad=True)
    with_interruption(inside, inside)(x).sum().backward()
    assert results == [6, 6]
    assert x.grad.tolist() == [2, 2]


def test_operations_at_any_depth() -> None:
    depth = 0

    def deeper() -> None:
        nonlocal depth
        depth += 1
        if depth < 50:
            with_interruption(deeper, deeper)(mg.ones(1, requires_grad=True)).sum().backward()

    deeper()
    assert depth > 50
    assert compute() == 6


def test_the_debuggers_prompt_inside_a_body_and_a_rule() -> None:
    said = io.StringIO()
    commands = "p print(x)\np x.sum()\np compute()\nc\n"

    def stop() -> None:
        x = mg.ones(2)  # noqa: F841  (for the debugger)
        pdb.Pdb(stdin=io.StringIO(commands), stdout=said, nosigint=True, readrc=False).set_trace()

    tracer = sys.gettrace()
    try:
        y = mg.ones(2, requires_grad=True)
        with_interruption(stop, stop)(y).sum().backward()
    finally:
        sys.settrace(tracer)
    assert "Error" not in said.getvalue()
    assert said.getvalue().count("tensor(2.)") == 2
    assert said.getvalue().count("6.0") == 2
    assert y.grad.tolist() == [2, 2]


def test_every_line_of_a_step_can_be_stepped_through() -> None:
    """A tracer that computes at each line, as a debugger with a watch expression does."""
    lines = 0

    def watch(frame: Any, event: str, arg: Any) -> Any:
        nonlocal lines
        if "minigrad" not in frame.f_code.co_filename:
            return None
        lines += 1
        sys.settrace(None)
        assert (mg.ones(2) * 2).sum().item() == 4
        sys.settrace(watch)
        return watch

    net = mg.nn.Linear(2, 1)
    x, tracer = mg.ones(1, 2), sys.gettrace()
    sys.settrace(watch)
    try:
        mg.nn.functional.mse_loss(net(x), mg.zeros(1, 1)).backward()
    finally:
        sys.settrace(tracer)
    assert lines > 200
    assert net.weight.grad.shape == (1, 2)


def test_operations_in_a_signal_handler() -> None:
    results = []
    before = signal.signal(signal.SIGALRM, lambda *_: results.append(compute()))
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    x, end = mg.ones(50), time.monotonic() + 0.2
    try:
        while time.monotonic() < end:
            x = (x * 1.0).exp().log()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(results) > 10
    assert set(results) == {6}


def test_operations_in_a_finalizer_that_the_collector_runs() -> None:
    results = []

    class Leaves:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            results.append(compute())

    def collect() -> None:
        Leaves()
        gc.collect()

    with_interruption(collect, collect)(mg.ones(1, requires_grad=True)).sum().backward()
    assert results == [6, 6]


def test_operations_in_numpys_error_callback() -> None:
    results = []
    with np.errstate(divide="call", call=lambda *_: results.append(compute())):
        np.log(np.zeros(1))
        assert mg.zeros(1).log().item() == -np.inf  # our own code is silent: the callback is not called
    assert results == [6]


def test_threads_inside_a_body() -> None:
    results = []

    def in_threads() -> None:
        threads = [threading.Thread(target=lambda: results.append(compute())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    with_interruption(in_threads, in_threads)(mg.ones(1, requires_grad=True)).sum().backward()
    assert results == [6] * 8


def test_warnings_of_the_users_own_code_stay() -> None:
    compute()
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        np.log(np.zeros(1))


# ---- rules that read what was overwritten ----------------------------------------------------------------------------------


class _Slope:
    def __init__(self, slope: Any) -> None:
        self.slope = slope

    def rule(self, g: Any) -> Any:
        return g * self.slope


def _through_a_function(slope: Any) -> Any:
    def product(g: Any) -> Any:
        return g * slope

    return lambda g: product(g)


WAYS: dict[str, Callable[[Any], Any]] = {
    "closure": lambda slope: lambda g: g * slope, "list": lambda slope: (lambda kept: lambda g: g * kept[0])([slope]),
    "dictionary": lambda slope: (lambda kept: lambda g: g * kept["it"])({"it": slope}),
    "function": _through_a_function, "partial": lambda slope: functools.partial(np.multiply, slope),
    "method": lambda slope: _Slope(slope).rule, "method of the array": lambda slope: slope.__mul__,
    "default": lambda slope: lambda g, slope=slope: g * slope,
    "view": lambda slope: (lambda kept: lambda g: g * kept[::-1])(slope[::-1]),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_rule_that_reads_its_result_notices_a_change(way: str) -> None:
    @op
    def exponential(x: Any, /) -> Any:
        value = np.exp(x)
        return value, WAYS[way](value)

    x = mg.ones(3, requires_grad=True)
    y = exponential(x)
    y.detach().mul_(2)
    with pytest.raises(RuntimeError, match="its result, read by ExponentialBackward0, is at version 1; expected version 0"):
        y.sum().backward()


def test_a_rule_that_reads_a_copy_does_not_care() -> None:
    @op
    def exponential(x: Any, /) -> Any:
        value = np.exp(x)
        return value.copy(), lambda g: g * value

    x = mg.zeros(3, requires_grad=True)
    y = exponential(x)
    y.detach().mul_(2)
    y.sum().backward()
    assert x.grad.tolist() == [1, 1, 1]


def calls() -> Iterator[Any]:
    for row in TABLE:
        for i, case in enumerate(row.cases):
            if case.kind == "smooth":
                yield pytest.param(row, case, id=f"{row.name}-{i}")


def gradients(row: Any, case: Any, overwrite: Callable[[Any, list[Any]], Any]) -> Any:
    """The gradients of a call whose result or inputs were overwritten in between; None where that is refused."""
    leaves = case.tensors(mg, "float64")
    inputs = [leaf * 1 if leaf.requires_grad else leaf for leaf in leaves]  # leaves themselves must not be overwritten
    outputs = [out for out in flat(row.run(mg, case, inputs)) if isinstance(out, mg.Tensor) and out.requires_grad]
    overwrite(outputs, inputs)
    roots = [out.sum() for out in outputs]
    try:
        result = mg.autograd.grad(roots, [leaf for leaf in leaves if leaf.requires_grad], allow_unused=True)
    except RuntimeError as error:
        if "modified by an inplace operation" not in str(error):
            raise
        return None
    return [None if g is None else g.numpy() for g in result]


def _scramble(x: Any) -> None:
    if x.array.flags.writeable and x.array.dtype.kind == "f":
        x.detach().mul_(-3).add_(0.7)


@pytest.mark.parametrize("what", ["result", "inputs"])
def test_what_is_overwritten_raises_or_does_no_harm(what: str) -> None:
    """Over the whole table: overwrite the result, or the inputs, then backward raises or gives the right gradient."""
    refused = harmless = 0
    for call in calls():
        row, case = call.values
        try:
            expected = gradients(row, case, lambda outputs, inputs: None)
        except (RuntimeError, TypeError, NotImplementedError, StopIteration):
            continue
        mg.manual_seed(0)
        got = gradients(row, case, lambda outputs, inputs: [*map(_scramble, outputs if what == "result" else inputs)])
        if got is None:
            refused += 1
            continue
        harmless += 1
        for g, e in zip(got, expected, strict=True):
            assert (g is None) == (e is None), call.id
            if g is not None:
                np.testing.assert_allclose(g, e, 1e-12, 1e-12, err_msg=str(call.id))
    assert refused > 50
    assert harmless > 200


# ---- whose array a gradient is ---------------------------------------------------------------------------------------------


def test_what_a_rule_gives_is_its_own() -> None:
    """A rule gives its g, a view of it, a new array, or a read-only one: a leaf may keep what is new."""
    checked = 0
    for call in calls():
        row, case = call.values
        for out in flat(row.run(mg, case, case.tensors(mg, "float64"))):
            node = out.grad_fn if isinstance(out, mg.Tensor) else None
            if node is None:
                continue
            g = np.ones(out.shape)
            for rule in node.rules:
                passed = None if rule is None else quietly(rule, g)
                if isinstance(passed, np.ndarray) and passed.flags.writeable and not np.may_share_memory(passed, g):
                    kept = [array for other in node.rules for array in _arrays_within(other, set())]
                    assert not any(np.may_share_memory(passed, array) for array in kept), call.id
                    checked += 1
    assert checked > 500


def test_a_gradient_is_kept_whatever_counts_references(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.14 counts 1 for a lone local where others count 2: nothing may depend on it."""
    monkeypatch.setattr(sys, "getrefcount", lambda x: 1)
    a, b, g = mg.ones(3, requires_grad=True), mg.ones(3, requires_grad=True), mg.ones(3)
    c = a + b
    c.backward(g, retain_graph=True)
    c.backward(g)
    assert (a.grad.tolist(), b.grad.tolist(), g.tolist()) == ([2, 2, 2], [2, 2, 2], [1, 1, 1])


@pytest.mark.parametrize("loss", [
    lambda a, b: (a + b).sum(), lambda a, b: (a.view(-1) + b.view(-1)).sum(), lambda a, b: (a.t() - b).sum(),
    lambda a, b: (a + b).view(-1).sum(), lambda a, b: (a * 1 + b * 1).sum(), lambda a, b: (a + b + a).sum(),
    lambda a, b: mg.stack([a, b]).sum(), lambda a, b: mg.cat([a, b]).sum(), lambda a, b: (a[:] + b[:]).sum(),
])  # fmt: skip
def test_leaves_do_not_share_their_gradients(loss: Callable[..., Any]) -> None:
    a, b = mg.ones(3, 3, requires_grad=True), mg.ones(3, 3, requires_grad=True)
    hooked: list[Any] = []
    y = loss(a, b)
    y.register_hook(hooked.append)
    y.backward()
    grads = [a.grad, b.grad, *hooked]
    for i, one in enumerate(grads):
        for other in grads[:i]:
            assert not np.may_share_memory(one.array, other.array)


@same_as_torch
def test_a_gradient_is_laid_out_like_its_leaf(m: Any) -> Any:
    layouts = []
    for made in (m.ones(3, 4).t(), m.ones(4, 3), m.ones(3, 8)[:, ::2], m.ones(3, 4, 5).permute(2, 0, 1), m.ones(3, 1).expand(3, 4)):
        leaf = made.detach().requires_grad_()
        for loss in (lambda x: x.sum(), lambda x: (x * x).sum(), lambda x: (x.flatten() * 2).sum()):
            leaf.grad = None
            loss(leaf).backward()
            layouts.append(leaf.grad.stride())
            (g,) = m.autograd.grad(loss(leaf), leaf)
            layouts.append(g.shape)
    return layouts


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph=True")
@same_as_torch
def test_so_is_one_that_can_be_differentiated(m: Any) -> Any:
    leaf = m.ones(3, 4).t().detach().requires_grad_()
    ((leaf @ m.ones(3, 2)) ** 2).sum().backward(create_graph=True)
    grad = leaf.grad
    result = [grad.stride(), grad, m.autograd.grad(grad.sum(), leaf)]
    leaf.grad = None
    return result


@same_as_torch
def test_the_gradient_of_a_weight_that_was_transposed_can_be_viewed(m: Any) -> Any:
    w, x = m.ones(4, 3, requires_grad=True), m.ones(2, 3)
    (x @ w.t()).sum().backward()
    gru = m.nn.GRU(2, 3, batch_first=True)
    inputs = m.ones(4, 5, 2, requires_grad=True)
    gru(inputs)[0].sum().backward()
    return w.grad.view(-1), w.grad.stride(), inputs.grad.stride(), inputs.grad.view(-1).shape


@same_as_torch
def test_a_gradient_that_cannot_be_written_to(m: Any) -> Any:
    x = m.ones(3, requires_grad=True)
    x.grad = m.ones(1).expand(3)
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor refers to a single memory location"):
        (x * 2).sum().backward()
    return x.grad


# ---- operands of other kinds -----------------------------------------------------------------------------------------------


class _Other:
    """Something that is no tensor, with every reflected operator."""


for _name in ["add", "sub", "mul", "truediv", "matmul", "pow", "mod", "floordiv", "and", "or", "xor"]:
    setattr(_Other, f"__r{_name}__", lambda self, other, name=_name: f"asked for {name}")
for _name, _reflected in {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}.items():
    setattr(_Other, f"__{_reflected}__", lambda self, other, name=_name: f"asked for {name}")


@same_as_torch
def test_the_other_side_is_asked(m: Any) -> Any:
    x, other = m.ones(2), _Other()
    return [
        x + other, x - other, x * other, x / other, x @ other, x**other, x % other, x // other, x & other, x | other, x ^ other,
        x < other, x <= other, x > other, x >= other,
    ]  # fmt: skip


@same_as_torch
def test_who_has_no_answer_either_is_told_so(m: Any) -> Any:
    texts = []
    for operate in (
        lambda x: x + None, lambda x: x * "a", lambda x: [1] - x, lambda x: x < None, lambda x: x @ 1.5, lambda x: {} & x,
    ):  # fmt: skip
        with pytest.raises(TypeError) as caught:
            operate(m.ones(2))
        texts.append(str(caught.value))
    return texts
