"""What is dropped is freed at once, by reference counts alone; long chains of operations work, and cost what they should."""

from __future__ import annotations

import copy
import gc
import itertools
import time
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import minigrad as mg


@contextmanager
def no_collector() -> Iterator[None]:
    """The cycle collector switched off; what it then finds was left to it."""
    gc.collect()
    gc.disable()
    try:
        yield
        found = gc.collect()
    finally:
        gc.enable()
    assert found == 0, f"{found} objects were left to the cycle collector"


class Square(mg.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * 2 * x


def plain(x: Any) -> Any:
    return ((x * x).exp() + x.tanh() @ x.T.sigmoid()).log_softmax(-1).sum()


def indexed(x: Any) -> Any:
    y = x[1:, [0, 2]] * x[x > 0].sum()
    return mg.cat([y, x[:, :2]]).gather(0, mg.tensor([[0, 1]])).sum()


def viewed(x: Any) -> Any:
    y = x * 2
    row, column = y[0], y.T[1]
    row.mul_(3)
    column += row.detach()
    y[1] = x[0]
    return (y.view(9)[2:] ** 2).sum() + row.sum()


def viewed_again(x: Any) -> Any:
    """A view that is changed after its base was, and one changed twice: its history contains its base's, and the other way."""
    y = x * 2
    row, column = y[0], y.T[1]
    y.mul_(3)
    row.exp_()
    column.mul_(2)
    row.mul_(x[1])
    return (y * y).sum() + row.sum()


def hooked(x: Any) -> Any:
    y = x * 2
    y.register_hook(lambda g: g * 2)
    y.retain_grad()
    return y.exp().sum()


def custom(x: Any) -> Any:
    return Square.apply(x).sum()


def unpicked(x: Any) -> Any:
    a, b, c = x
    parts = x.split(1)
    return a @ b + x.max(0).values @ c + parts[0].squeeze() @ c


COMPUTATIONS = [plain, indexed, viewed, viewed_again, hooked, custom, unpicked]


def dropped(x: Any, loss: Any) -> None:
    pass


def backward(x: Any, loss: Any) -> None:
    loss.backward()


def kept(x: Any, loss: Any) -> None:
    loss.backward(retain_graph=True)
    loss.backward()


def twice(x: Any, loss: Any) -> None:
    (g,) = mg.autograd.grad(loss, x, create_graph=True)
    (g * g).sum().backward()


def half_way(x: Any, loss: Any) -> None:
    mg.autograd.grad(loss, x, retain_graph=True)


@pytest.mark.parametrize("ending", [dropped, backward, kept, twice, half_way], ids=lambda f: f.__name__)
@pytest.mark.parametrize("compute", COMPUTATIONS, ids=lambda f: f.__name__)
def test_nothing_is_left_to_the_cycle_collector(compute: Callable[..., Any], ending: Callable[..., Any]) -> None:
    x = mg.tensor(np.random.RandomState(0).uniform(-1, 1, (3, 3)), requires_grad=True)
    ending(x, compute(x))  # once before, so that what is cached for good is there
    with no_collector():
        ending(x, compute(x))
        x.grad = None


def test_errors_leave_nothing_behind() -> None:
    x = mg.ones(2, 3, requires_grad=True)
    with no_collector():
        for wrong in (lambda: x @ x, lambda: x + mg.ones(2), lambda: (x * x).backward(), lambda: x.view(5)):
            with pytest.raises(RuntimeError):
                wrong()
        del wrong


def alive_after(make: Callable[[], tuple[Any, list[Any]]]) -> list[bool]:
    """Of the inner tensors of a computation, which are still alive when only its result is held."""
    _result, inner = make()
    references = [weakref.ref(t.array) for t in inner]
    del inner
    return [r() is not None for r in references]


def test_a_graph_keeps_only_what_its_rules_read() -> None:
    x = mg.ones(3, requires_grad=True)

    def sums() -> tuple[Any, list[Any]]:
        a = x + 1
        b = a - 2
        return -b, [a, b]

    def products() -> tuple[Any, list[Any]]:
        a = x + 1
        b = a * a
        return b.sum(), [a, b]

    assert alive_after(sums) == [False, False]
    assert alive_after(products) == [True, False]


@pytest.mark.parametrize("scaled", [lambda y: y * 2, lambda y: 2.0 * y, lambda y: y / 2], ids=["y * 2", "2.0 * y", "y / 2"])
def test_a_product_with_a_number_keeps_the_number_only(scaled: Callable[[Any], Any]) -> None:
    x = mg.tensor([1.0, -2.0], requires_grad=True)
    y = x + 1
    dropped = weakref.ref(y)
    z = scaled(y)
    del y
    assert dropped() is None
    (g,) = mg.autograd.grad((z**2).sum(), x, create_graph=True)
    (h,) = mg.autograd.grad(g.sum(), x)
    assert h.tolist() == [2 * scaled(1) ** 2] * 2
    z = scaled(x + 1)
    z.sum().backward(retain_graph=True)
    z.sum().backward()
    with pytest.raises(RuntimeError, match="a second time"):
        z.sum().backward()


def test_no_graph_is_kept_without_recording() -> None:
    x = mg.ones(3, requires_grad=True)
    with mg.no_grad():
        a = x * x
        b = a.exp()
    reference = weakref.ref(a.array)
    del a
    assert reference() is None
    assert b.grad_fn is None


def test_backward_frees_each_node_as_it_passes() -> None:
    """When the gradient reaches the first operation, what the later ones have saved is gone; the result itself is still held."""
    alive: list[int] = []
    x = mg.ones(4, requires_grad=True)
    y = x * 1
    y.register_hook(lambda g: alive.append(sum(r() is not None for r in references)))
    references = []
    z = y
    for _ in range(10):
        z = z * z
        references.append(weakref.ref(z.array))
    total = z.sum()
    del z
    assert sum(r() is not None for r in references) == 9  # each input is saved; the last product is only summed
    total.backward()
    assert alive == [0]


def test_what_backward_freed_does_not_wait_for_the_loss() -> None:
    x = mg.ones(1000, requires_grad=True)
    a = x.exp()
    loss = (a * a).sum()
    reference = weakref.ref(a.array)
    del a
    assert reference() is not None
    loss.backward()
    assert reference() is None
    assert loss.item() > 0


def test_retained_graphs_are_freed_with_their_result() -> None:
    x = mg.ones(1000, requires_grad=True)
    a = x.exp()
    loss = (a * a).sum()
    reference = weakref.ref(a.array)
    del a
    loss.backward(retain_graph=True)
    assert reference() is not None
    del loss
    assert reference() is None


def grown(step: Callable[[], object], steps: int = 50) -> tuple[int, int]:
    """By how many objects, and by how many bytes of arrays, memory grows over many steps, without the cycle collector.

    Not by how many bytes in all: Python keeps thousands of freed tuples for reuse.
    """
    arrays = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)

    def now() -> tuple[int, int]:
        snapshot = tracemalloc.take_snapshot().filter_traces([arrays])
        return len(gc.get_objects()), sum(trace.size for trace in snapshot.traces)

    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(10):
            step()
        now()
        objects, sizes = [0] * 4, [0] * 4
        objects[0], sizes[0] = now()
        for i in (1, 2, 3):
            for _ in range(steps):
                step()
            objects[i], sizes[i] = now()
    finally:
        tracemalloc.stop()
        gc.enable()
    # What a step leaves behind, every round has 50 times. One object more in one round is somebody else's, in a process in which
    # thousands of tests ran before.
    return min(after - before for before, after in itertools.pairwise(objects)), min(
        after - before for before, after in itertools.pairwise(sizes))


def test_training_does_not_grow() -> None:
    w, b = (mg.zeros(*shape, requires_grad=True) for shape in ((200, 50), (50,)))
    x, labels = mg.ones(16, 200), mg.arange(16) % 50
    history = [0.0]

    def step() -> None:
        loss = -(x @ w + b).log_softmax(-1)[mg.arange(16), labels].mean()
        loss.backward()
        with mg.no_grad():
            for p in (w, b):
                p -= 0.1 * p.grad
                p.grad.zero_()
        history[0] = loss.item()

    assert grown(step) == (0, 0)


@pytest.mark.parametrize("compute", COMPUTATIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("ending", [backward, twice], ids=lambda f: f.__name__)
def test_memory_does_not_grow(compute: Callable[..., Any], ending: Callable[..., Any]) -> None:
    x = mg.tensor(np.random.RandomState(0).uniform(-1, 1, (3, 3)), requires_grad=True)

    def step() -> None:
        ending(x, compute(x))
        x.grad = None

    objects, size = grown(step)
    assert objects == 0
    assert size < 1000


def test_changes_in_place_do_not_grow_without_recording() -> None:
    x = mg.ones(10, requires_grad=True)

    def step() -> None:
        with mg.no_grad():
            x.mul_(1)
            x[0] = 1
            x.view(2, 5)[1].add_(0)
        x.data.add_(0)
        x.detach().add_(0)

    assert grown(step) == (0, 0)


# ---- long chains -----------------------------------------------------------------------------------------------------------

LONG = 100_000


def chain(x: Any, operation: Callable[[Any], Any], length: int = LONG) -> Any:
    for _ in range(length):
        x = operation(x)
    return x


@pytest.mark.parametrize(("operation", "length", "gradient"), [
    (lambda y: -(y + 1) * 1.0, 33_335, -1.0), (lambda y: y.view(1), LONG, 1.0), (lambda y: y[:], LONG, 1.0),
], ids=["arithmetic", "view", "slice"])  # fmt: skip
def test_a_hundred_thousand_operations(operation: Callable[[Any], Any], length: int, gradient: float) -> None:
    """Forward, backward and drop, without a recursion error, and in time: a walk that were quadratic would take minutes."""
    x = mg.ones(1, requires_grad=True)
    start = time.process_time()
    with no_collector():
        y = chain(x, operation, length)
        y.backward()
        del y
    assert x.grad.item() == gradient
    assert time.process_time() - start < 20


def test_a_long_chain_dropped_without_backward() -> None:
    x = mg.ones(1, requires_grad=True)
    with no_collector():
        y = chain(x, lambda y: y * 1.0)
        del y
        y = chain(x, lambda y: y[:])
        del y


def test_a_long_chain_of_changes_in_place() -> None:
    x = mg.ones(1, requires_grad=True)
    with no_collector():
        y = x * 1
        for _ in range(5_000):
            y += x
        y.sum().backward()
        del y
    assert x.grad.item() == 5_001


def test_a_long_chain_through_views_changed_in_place() -> None:
    x = mg.ones(3, requires_grad=True)
    with no_collector():
        y = x * 1
        row = y[1]
        for _ in range(2_000):
            row.mul_(1.0)
        y.sum().backward()
        del y, row
    assert x.grad.tolist() == [1, 1, 1]


def test_a_long_chain_of_functions() -> None:
    class Same(mg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    x = mg.ones(1, requires_grad=True)
    with no_collector():
        y = chain(x, Same.apply, 5_000)
        y.backward()
        del y
        y = chain(x, Same.apply, 5_000)
        del y
    assert x.grad.item() == 1


def test_a_long_chain_differentiated_twice() -> None:
    x = mg.tensor(1.0, dtype=mg.float64, requires_grad=True)
    with no_collector():
        y = chain(x, lambda y: y * x, 5_000)
        (g,) = mg.autograd.grad(y, x, create_graph=True)
        (h,) = mg.autograd.grad(g, x)
        del y, g
    assert h.item() == 5_001 * 5_000


def test_a_wide_graph() -> None:
    """Many uses of one tensor: their gradients are added one by one."""
    x = mg.ones(10, requires_grad=True)
    total = mg.zeros(())
    for _ in range(5_000):
        total = total + x.sum()
    total.backward()
    assert x.grad.tolist() == [5_000] * 10


def test_a_diamond_chain_is_linear() -> None:
    """Each step is used twice: 2¹⁰⁰⁰ paths, a thousand nodes."""
    x = mg.tensor(1.0, dtype=mg.float64, requires_grad=True)
    y = chain(x, lambda y: (y + y) / 2, 1000)
    mg.autograd.grad(y, x, retain_graph=True)
    y.backward()
    assert x.grad.item() == 1


def test_a_gradient_that_is_too_large() -> None:
    y = mg.ones(1, requires_grad=True).expand(10**13)
    with pytest.raises(mg.OutOfMemoryError, match=r"^backward\(\): not enough memory: you tried to allocate 40000000000000 bytes"):
        y[0].backward()


def test_modules_inside_modules_inside_modules() -> None:
    x: Any = mg.nn.Linear(1, 1)
    for _ in range(200):
        x = mg.nn.Sequential(x)
    assert repr(x).count("Sequential") == 200
    with pytest.raises(RecursionError, match=r"^Sequential is nested too deeply to be copied"):
        copy.deepcopy(x)
