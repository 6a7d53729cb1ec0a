"""`compile`: networks, optimisers and everything around a step, captured; each number as in eager mode, in every bit."""

from __future__ import annotations

import copy
import gc
import pickle
import runpy
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as torch
import minigrad.nn.functional as F
from minigrad import nn, optim
from minigrad.compiler.step import Step

Batch = tuple[torch.Tensor, ...]

# The same training, eager and compiled --------------------------------------------------------------------------------------


def batches(*shape: int, n: int = 16, count: int = 7, classes: int = 10, seed: int = 0) -> list[Batch]:
    """Some batches of normal numbers, and of classes."""
    rng = np.random.default_rng(seed)
    draw = rng.standard_normal
    return [(torch.tensor(draw((n, *shape)).astype(np.float32)), torch.tensor(rng.integers(0, classes, n))) for _ in range(count)]


def numbers(*shape: int, n: int = 16, count: int = 7, out: int = 1) -> list[Batch]:
    rng = np.random.default_rng(1)
    draw = rng.standard_normal
    return [tuple(torch.tensor(draw(s).astype(np.float32)) for s in ((n, *shape), (n, out))) for _ in range(count)]


def words(n: int = 16, count: int = 7) -> list[Batch]:
    rng = np.random.default_rng(2)
    return [(torch.tensor(rng.integers(0, 30, (n, 6))), torch.tensor(rng.integers(0, 10, n))) for _ in range(count)]


class Trained:
    """A model and an optimiser, a step that trains them, and all that must come out the same."""

    def __init__(self, model: nn.Module, opt: Any = None, loss: Any = F.cross_entropy, between: Any = None) -> None:
        self.model, self.loss, self.between = model, loss, between
        self.opt = optim.SGD(model.parameters(), lr=0.1) if opt is None else opt(model.parameters())

    def step(self, x: torch.Tensor, y: torch.Tensor) -> Any:
        loss = self.loss(self.model(x), y)
        loss.backward()
        if self.between is not None:
            self.between(self)
        self.opt.step()
        self.opt.zero_grad()
        return loss.item()

    def bits(self) -> list[bytes]:
        tensors = [*self.model.parameters(), *self.model.buffers()]
        tensors += [value for entry in self.opt.state.values() for value in entry.values() if isinstance(value, torch.Tensor)]
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        return [t.array.tobytes() for t in (*tensors, *gradients, torch.get_rng_state())]


def run(make: Callable[[], Trained], data: list[Batch], compiled: bool, after: Any = None) -> tuple[list[Any], list[bytes], Any]:
    """Train on all batches; the results, everything's bits, and the step."""
    torch.manual_seed(0)
    trained = make()
    step: Any = Step(trained.step) if compiled else trained.step
    results = []
    for batch in data:
        result = step(*batch)
        results.append(result.array.tobytes() if isinstance(result, torch.Tensor) else result)
        if after is not None:
            after(trained)
    return results, trained.bits(), step


def assert_same(make: Callable[[], Trained], data: list[Batch], programs: int | None = 1, after: Any = None) -> Step:
    """Compiled, it gives what it gives eagerly; `programs` were captured, verified and run."""
    expected, bits, _ = run(make, data, False, after)
    actual, bits_2, step = run(make, data, True, after)
    assert actual == expected
    assert bits_2 == bits
    if programs is not None:
        assert step.reason is None
        assert step._count == programs
        assert step._latest.verified
    return step


# Networks -------------------------------------------------------------------------------------------------------------------


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(20, 20), nn.Linear(20, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(x + F.gelu(self.a(x)) * torch.sigmoid(self.a(x)))


class Recurrent(nn.Module):
    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.layer, self.out = kind(5, 8, batch_first=True), nn.Linear(8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.layer(x)[0][:, -1])


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.out = nn.Embedding(30, 8), nn.Linear(8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.table(x).mean(1))


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.heads, self.out = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.heads(x, x, x, need_weights=False)[0].mean(1))


def images(*layers: nn.Module, features: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), *layers, nn.Flatten(), nn.Linear(features, 10))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], list[Batch]]] = {
    "linear": (lambda: nn.Linear(20, 10), batches(20)),
    "one row": (lambda: nn.Linear(20, 10), batches(20, n=1)),
    "dense": (lambda: nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 10)), batches(20)),
    "tanh, sigmoid, softplus": (lambda: nn.Sequential(nn.Linear(20, 10), nn.Tanh(), nn.Sigmoid(), nn.Softplus()), batches(20)),
    "elu, leaky relu, silu": (lambda: nn.Sequential(nn.Linear(20, 10), nn.ELU(), nn.LeakyReLU(), nn.SiLU()), batches(20)),
    "dropout": (lambda: nn.Sequential(nn.Linear(20, 32), nn.Dropout(0.3), nn.Linear(32, 10)), batches(20)),
    "average pooling": (lambda: images(nn.ReLU(), nn.AvgPool2d(2), features=128), batches(3, 8, 8)),
    "max pooling": (lambda: images(nn.ReLU(), nn.MaxPool2d(2), features=128), batches(3, 8, 8)),
    "adaptive pooling": (lambda: images(nn.AdaptiveAvgPool2d(2), features=32), batches(3, 8, 8)),
    "strides": (lambda: images(nn.Conv2d(8, 6, 3, stride=2), features=54), batches(3, 8, 8)),
    "groups": (lambda: images(nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 8, 3, groups=2), features=128), batches(3, 8, 8)),
    "transposed convolution": (lambda: images(nn.ConvTranspose2d(8, 4, 3, stride=2), features=1156), batches(3, 8, 8)),
    "signals": (lambda: nn.Sequential(nn.Conv1d(4, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(36, 10)), batches(4, 8)),
    "batch norm": (lambda: images(nn.BatchNorm2d(8), nn.ReLU(), features=512), batches(3, 8, 8)),
    "layer norm": (lambda: nn.Sequential(nn.Linear(20, 32), nn.LayerNorm(32), nn.Linear(32, 10)), batches(20)),
    "group norm": (lambda: images(nn.GroupNorm(2, 8), features=512), batches(3, 8, 8)),
    "residual": (Residual, batches(20)),
    "attention": (Attention, batches(6, 8)),
    "LSTM": (lambda: Recurrent(nn.LSTM), batches(7, 5)),
    "GRU": (lambda: Recurrent(nn.GRU), batches(7, 5)),
    "embedding": (Words, words()),
    "float64": (lambda: nn.Sequential(nn.Linear(20, 10).double()), [(x.double(), y) for x, y in batches(20)]),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name: str) -> None:
    model, data = NETWORKS[name]
    assert_same(lambda: Trained(model(), lambda p: optim.SGD(p, lr=0.1, momentum=0.9)), data)


LOSSES = {
    "mse_loss": F.mse_loss, "l1_loss": F.l1_loss, "smooth_l1_loss": F.smooth_l1_loss, "huber_loss": F.huber_loss,
    "binary_cross_entropy_with_logits": F.binary_cross_entropy_with_logits,
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name: str) -> None:
    assert_same(lambda: Trained(nn.Linear(20, 1), loss=LOSSES[name]), numbers(20))


def test_nll_loss() -> None:
    assert_same(lambda: Trained(nn.Sequential(nn.Linear(20, 10), nn.LogSoftmax(dim=1)), loss=F.nll_loss), batches(20))


# Optimisers -----------------------------------------------------------------------------------------------------------------

OPTIMISERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.1),
    "nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "maximize": lambda p: optim.SGD(p, lr=0.1, maximize=True),
    "Adam": lambda p: optim.Adam(p, lr=0.01),
    "Adam with decay": lambda p: optim.Adam(p, lr=0.01, weight_decay=0.01, betas=(0.4, 0.99)),
    "AdamW, amsgrad": lambda p: optim.AdamW(p, lr=0.01, amsgrad=True),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01),
    "RMSprop, centered": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.01, lr_decay=0.1),
    "NAdam": lambda p: optim.NAdam(p, lr=0.01),
    "Adamax": lambda p: optim.Adamax(p, lr=0.01),
    "Adadelta": lambda p: optim.Adadelta(p, lr=0.5),
    "lr as a tensor": lambda p: optim.Adam(p, lr=torch.tensor(0.01)),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimisers(name: str) -> None:
    """Steps are counted, averages kept, corrections computed from the count."""
    assert_same(lambda: Trained(nn.Sequential(nn.Linear(20, 8), nn.Tanh(), nn.Linear(8, 10)), OPTIMISERS[name]), batches(20))


def test_radam() -> None:
    """Its first five steps are of another kind: two programs."""
    assert_same(lambda: Trained(nn.Linear(20, 10), lambda p: optim.RAdam(p, lr=0.01)), batches(20, count=12), programs=2)


def test_groups() -> None:
    def two_groups(parameters: Any) -> Any:
        weight, bias = parameters
        return optim.SGD([{"params": [weight], "lr": 0.5}, {"params": [bias], "momentum": 0.9}], lr=0.1)

    assert_same(lambda: Trained(nn.Linear(20, 10), two_groups), batches(20))


@pytest.mark.parametrize("name", ["StepLR", "OneCycleLR", "CosineAnnealingLR"])
def test_schedulers_between_steps(name: str) -> None:
    """What a scheduler changes, momentum too, counts from the next step on, without a new capture."""
    schedulers = {
        "StepLR": lambda opt: optim.lr_scheduler.StepLR(opt, 2, 0.5),
        "OneCycleLR": lambda opt: optim.lr_scheduler.OneCycleLR(opt, 0.5, total_steps=10),
        "CosineAnnealingLR": lambda opt: optim.lr_scheduler.CosineAnnealingLR(opt, 5),
    }

    def make() -> Trained:
        trained = Trained(nn.Linear(20, 10), lambda p: optim.SGD(p, lr=0.1, momentum=0.9))
        trained.scheduler = schedulers[name](trained.opt)  # type: ignore[attr-defined]
        return trained

    assert_same(make, batches(20), after=lambda trained: trained.scheduler.step())


# Around the step ------------------------------------------------------------------------------------------------------------


def test_clipping() -> None:
    clip = nn.utils.clip_grad_norm_
    assert_same(lambda: Trained(nn.Linear(20, 10), between=lambda t: clip(t.model.parameters(), 0.1)), batches(20))
    clip_value = nn.utils.clip_grad_value_
    assert_same(lambda: Trained(nn.Linear(20, 10), between=lambda t: clip_value(t.model.parameters(), 0.01)), batches(20))


class TwoHalves(Trained):
    def step(self, x: torch.Tensor, y: torch.Tensor) -> Any:
        for half in (slice(0, 8), slice(8, 16)):
            (self.loss(self.model(x[half]), y[half]) / 2).backward()
        self.opt.step()
        self.opt.zero_grad()


class Kept(Trained):
    """Gradients are forgotten first, and kept behind the step; the loss is a tensor."""

    def step(self, x: torch.Tensor, y: torch.Tensor) -> Any:
        self.opt.zero_grad()
        loss = self.loss(self.model(x), y)
        loss.backward()
        self.opt.step()
        return loss


class Zeroed(Trained):
    def step(self, x: torch.Tensor, y: torch.Tensor) -> Any:
        self.opt.zero_grad(set_to_none=False)
        loss = self.loss(self.model(x), y)
        loss.backward()
        self.opt.step()
        return loss


class Accumulated(Trained):
    """Only gradients: who calls steps every other time."""

    def step(self, x: torch.Tensor, y: torch.Tensor) -> Any:
        loss = self.loss(self.model(x), y)
        loss.backward()
        return loss


class Penalty(Trained):
    """Second derivatives."""

    def step(self, x: torch.Tensor, y: torch.Tensor) -> Any:
        loss = self.loss(self.model(x), y)
        gradients = torch.autograd.grad(loss, list(self.model.parameters()), create_graph=True)
        (loss + 0.1 * sum((g * g).sum() for g in gradients)).backward()
        self.opt.step()
        self.opt.zero_grad()
        return loss.item()


class ByHand(Trained):
    """Without an optimiser."""

    def step(self, x: torch.Tensor, y: torch.Tensor) -> Any:
        loss = self.loss(self.model(x), y)
        loss.backward()
        with torch.no_grad():
            for p in self.model.parameters():
                p -= p.grad * 0.1
                p.grad.zero_()
        return loss.item()


class Mixed(Trained):
    """Results of several kinds, some of which are views."""

    def step(self, x: torch.Tensor, y: torch.Tensor) -> Any:
        with torch.no_grad():
            z = self.model(x)
            parts = [z[0], x.view(-1), self.model.weight, x]
            return {"scores": z, "columns": z.t(), "parts": parts, "count": len(z), "max": z.max().item()}


@pytest.mark.parametrize("kind", [TwoHalves, Kept, Zeroed, Penalty, ByHand])
def test_forms_of_a_step(kind: type[Trained]) -> None:
    make = lambda: kind(nn.Sequential(nn.Linear(20, 8), nn.Tanh(), nn.Linear(8, 10)))  # noqa: E731
    assert_same(make, batches(20, count=9), programs=None if kind is ByHand else 1)


def test_gradients_added_up_over_several_steps() -> None:
    """With and without a gradient that is there already: two programs."""

    def every_other(trained: Trained) -> None:
        trained.count = getattr(trained, "count", 0) + 1  # type: ignore[attr-defined]
        if trained.count % 2 == 0:  # type: ignore[attr-defined]
            trained.opt.step()
            trained.opt.zero_grad()

    assert_same(lambda: Accumulated(nn.Linear(20, 10)), batches(20, count=10), programs=2, after=every_other)


def test_results_of_all_kinds() -> None:
    torch.manual_seed(0)
    trained = Mixed(nn.Linear(20, 10))
    step = Step(trained.step)
    for x, y in batches(20):
        expected, actual = trained.step(x, y), step(x, y)
        assert step.reason is None
        for name in ("scores", "columns"):
            assert torch.equal(actual[name], expected[name])
            assert actual[name].stride() == expected[name].stride()
        assert all(torch.equal(a, b) for a, b in zip(actual["parts"], expected["parts"], strict=True))
        assert actual["parts"][1]._base is x
        assert actual["parts"][2] is trained.model.weight
        assert actual["parts"][3] is x
        assert (actual["count"], actual["max"]) == (expected["count"], expected["max"])


def test_results_are_not_overwritten_by_the_next_call() -> None:
    step = torch.compile(lambda x: (x * 2, torch.ones(3)))
    x = torch.tensor([1.0, 2.0, 3.0])
    results = [step(x + i) for i in range(6)]
    for i, (double, ones) in enumerate(results):
        assert double.tolist() == [2.0 + 2 * i, 4.0 + 2 * i, 6.0 + 2 * i]
        ones += 1
        assert ones.tolist() == [2.0, 2.0, 2.0]


def test_a_gradient_that_depends_on_nothing() -> None:
    """Who changes it changes nothing else."""
    w = torch.ones(3, requires_grad=True)

    def function(x: torch.Tensor) -> None:
        w.grad = None
        (w + w + x).sum().backward()

    step = Step(function)
    for x, _ in batches(3, n=1):
        step(x[0])
        assert w.grad.tolist() == [2.0, 2.0, 2.0]
        w.grad *= 5
    assert step.reason == "the step leaves a gradient that depends on nothing"


def test_the_last_batch_is_smaller() -> None:
    """One more program."""
    data = (batches(20, count=5) + batches(20, n=7, count=1, seed=5)) * 4
    assert_same(lambda: Trained(nn.Linear(20, 10)), data, programs=2)


def test_inference_and_training_alternate() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 16), nn.Dropout(0.5), nn.BatchNorm1d(16))
    call = torch.compile(lambda x: model(x).detach())
    with torch.no_grad():
        for i, (x, _) in enumerate(batches(20, count=12)):
            model.train(i % 2 == 0)
            torch.manual_seed(i)
            expected = copy.deepcopy(model)(x)
            torch.manual_seed(i)
            assert torch.equal(call(x), expected)
    assert call.reason is None
    assert call._count == 2


# Files ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["linear", "average pooling", "batch norm", "attention", "LSTM", "strides"])
def test_the_exported_program_gives_the_same_bits(name: str, tmp_path: Path) -> None:
    """One step of the file changes its arrays as one step of the program changes the tensors."""
    model, data = NETWORKS[name]
    *before, last = data
    trained = Trained(model(), lambda p: optim.Adam(p, lr=0.01))
    step = Step(trained.step)
    for batch in before:
        step(*batch)
    step.export(tmp_path / "step.py")
    alone = runpy.run_path(str(tmp_path / "step.py"))
    inputs = [value if isinstance(value, float) else value.copy() for value in step._latest.inputs(*last)]
    assert alone["step"](*inputs) == step(*last)
    for key, array in step._latest.program.arrays.items():
        assert np.array_equal(alone["arrays"][key], array), key


def test_what_cannot_be_exported(tmp_path: Path) -> None:
    step = torch.compile(lambda x: x + torch.rand(3))
    with pytest.raises(RuntimeError, match="no program yet"):
        step.export(tmp_path / "step.py")
    for i in range(4):
        step(torch.full((3,), float(i)))
    with pytest.raises(NotImplementedError, match="which NumPy does not have"):
        step.export(tmp_path / "step.py")


# Modules --------------------------------------------------------------------------------------------------------------------


def test_module() -> None:
    """A compiled module is a module, with the same parameters and switches."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Dropout(0.5))
    compiled = torch.compile(model)
    assert list(map(id, compiled.parameters())) == list(map(id, model.parameters()))
    compiled.eval()
    assert not model.training
    with torch.no_grad():
        for x, _ in batches(20):
            assert torch.equal(compiled(x), model(x))
    assert compiled.compiled.reason is None
    assert "relu" in compiled.compiled.source
    loss = compiled(batches(20)[0][0]).sum()
    loss.backward()
    assert model[0].weight.grad is not None
    again = copy.deepcopy(compiled)
    assert torch.equal(again._orig_mod[0].weight, model[0].weight)
    assert again._orig_mod[0].weight is not model[0].weight
    assert torch.equal(pickle.loads(pickle.dumps(compiled))._orig_mod[0].weight, model[0].weight)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # in what torch imports for it
def test_a_compiled_module_shows_itself_as_torchs() -> None:
    def seen(m: Any) -> list[Any]:
        net = m.nn.Sequential(m.nn.Linear(2, 3), m.nn.Dropout())
        net.note = "mine"
        compiled = m.compile(net, backend="eager")
        compiled.extra = 5
        compiled.train(False)
        facts = [repr(compiled), type(compiled).__name__, isinstance(compiled, m.nn.Sequential), list(compiled.state_dict()),
                 [name for name, _ in compiled.named_modules()], compiled.note, net.extra, net.training, compiled.training,
                 len(compiled), compiled._orig_mod is net]  # fmt: skip
        compiled.load_state_dict({f"_orig_mod.{name}": x for name, x in net.state_dict().items()})
        del compiled.note
        relu = m.compile(m.nn.ReLU(), backend="eager")
        for wrong in (lambda: compiled.note, lambda: compiled.nothing, lambda: len(relu), lambda: compiled[0]):
            try:
                wrong()
            except (AttributeError, TypeError) as error:
                facts.append(type(error).__name__)
        return facts

    import torch as pytorch

    assert seen(torch) == seen(pytorch)


def test_module_compile() -> None:
    """`Module.compile` compiles the module in its place."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(20, 16), nn.ReLU())
    text, names, x = repr(net), list(net.state_dict()), batches(20)[0][0]
    expected = net(x)
    assert net.compile() is None
    with torch.no_grad():
        for _ in range(4):
            assert torch.equal(net(x), expected)
    assert "relu" in net.forward.source
    assert (repr(net), list(net.state_dict())) == (text, names)
    again = copy.deepcopy(net)
    again[0].weight.data.zero_()
    assert torch.equal(net(x), expected)
    assert not torch.equal(again(x), expected)


# Memory, threads, exceptions ------------------------------------------------------------------------------------------------


def test_memory_stays() -> None:
    """10,000 steps leave nothing behind, and the program's memory is less than what eager mode keeps."""
    trained = Trained(nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 10)))
    step = Step(trained.step)
    (x, y), (x2, y2) = batches(20, count=2)
    for _ in range(5):
        step(x, y)
        step(x2, y2)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    for _ in range(10_000):
        step(x, y)
    grown = sum(entry.size_diff for entry in tracemalloc.take_snapshot().compare_to(before, "filename"))
    tracemalloc.stop()
    assert grown < 20_000
    program = step._latest.program
    assert program.size < sum(line.result.memory.nbytes for line in program.lines if line.kind == "call")


@pytest.mark.parametrize("read_later", [False, True])
def test_a_gradient_is_scaled_where_it_lies(read_later: bool) -> None:
    """The product of gradient and learning rate takes over the gradient's memory, but not if the gradient is read later."""
    w = torch.ones(4, 3, requires_grad=True)
    opt = optim.SGD([w], lr=0.1)

    @torch.compile
    def step(x: torch.Tensor) -> Any:
        (w * x).square().sum().backward()
        opt.step()
        norm = w.grad.sum().item() if read_later else 0.0
        opt.zero_grad()
        return norm

    for _ in range(5):
        step(torch.randn(4, 3))
    assert step.reason is None
    (scaling,) = (line for line in step._latest.program.lines if line.result is not None and line.label.name == "SGD"
                  and line.function == "np.multiply")  # fmt: skip
    offsets = step._latest.program.offsets
    assert (offsets[scaling.args[0].memory] == offsets[scaling.result.memory]) is not read_later


def test_memory_of_a_step_that_is_dropped() -> None:
    trained = Trained(nn.Linear(20, 10))
    step = Step(trained.step)
    for batch in batches(20):
        step(*batch)
    tracemalloc.start()
    for _ in range(3):
        other = Step(trained.step)
        for batch in batches(20):
            other(*batch)
        del other
        gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 200_000


def test_threads() -> None:
    """While a program runs in one thread, others take the step eagerly; nobody gets a wrong number."""
    weight = torch.randn(64, 64)
    step = torch.compile(lambda x: (x @ weight).relu().sum(1))
    inputs = [torch.randn(256, 64) for _ in range(8)]
    with torch.no_grad():
        expected = [(x @ weight).relu().sum(1) for x in inputs]
    wrong = []

    def work(start: int) -> None:
        for i in range(start, start + 200):
            if not torch.equal(step(inputs[i % 8]), expected[i % 8]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert step.reason is None


def test_capture_in_one_thread_and_eager_work_in_another() -> None:
    """What another thread computes meanwhile is not written down."""
    weight, stop, wrong = torch.randn(8, 8), threading.Event(), []

    def eager() -> None:
        x = torch.randn(4, 8)
        expected = (x @ weight).tolist()
        while not stop.is_set():
            if (x @ weight).tolist() != expected:
                wrong.append(x)

    thread = threading.Thread(target=eager)
    thread.start()
    try:
        for _ in range(10):
            step = torch.compile(lambda x: torch.tanh(x @ weight))
            for x, _ in batches(8, n=4, count=4):
                assert torch.equal(step(x), torch.tanh(x @ weight))
            assert step.reason is None
            assert step.source.count("np.tanh") == 1
    finally:
        stop.set()
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("call", [1, 2, 3])
def test_an_exception_in_the_middle(call: int) -> None:
    """It comes out as it is, and the next call works: whether the step was captured, verified or eager."""

    class Trouble(Exception):
        pass

    trained, calls = Trained(nn.Linear(20, 10)), []

    def step(x: torch.Tensor, y: torch.Tensor) -> Any:
        calls.append(None)
        loss = F.cross_entropy(trained.model(x), y)
        if len(calls) == call:
            raise Trouble
        loss.backward()
        trained.opt.step()
        trained.opt.zero_grad()
        return loss.item()

    compiled = Step(step)
    for i, batch in enumerate(batches(20, count=8), 1):
        before = trained.bits()
        if i == call:
            with pytest.raises(Trouble):
                compiled(*batch)
            assert trained.bits() == before
        else:
            assert isinstance(compiled(*batch), float)
    assert compiled.reason is None
    assert type(trained.model.weight.array) is np.ndarray
    assert len(calls) < 8


def test_an_interrupted_program_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = Trained(nn.Linear(20, 10))
    step = Step(trained.step)
    *data, last = batches(20)
    for batch in data:
        step(*batch)
    version = trained.model.weight._version

    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(step._latest.program, "function", interrupted)
    with pytest.raises(KeyboardInterrupt) as error:
        step(*last)
    assert "inside of a compiled step" in error.value.__notes__[0]
    assert trained.model.weight._version > version  # whoever needs the old values will notice


def test_a_wrong_label_is_an_error_still() -> None:
    trained = Trained(nn.Linear(20, 10))
    step = Step(trained.step)
    for batch in batches(20):
        step(*batch)
    x, y = batches(20, count=1)[0]
    before = trained.bits()
    y[3] = 10
    with pytest.raises(IndexError, match="Target 10 is out of bounds"):
        step(x, y)
    assert trained.bits() == before


# Random streams -------------------------------------------------------------------------------------------------------------


def test_random_numbers_are_drawn_in_each_run() -> None:
    torch.manual_seed(1)
    step = torch.compile(lambda x: x + torch.randn(3, 4) * torch.rand(4) + torch.randint(0, 9, (4,)))
    results = [step(torch.ones(3, 4)) for _ in range(6)]
    torch.manual_seed(1)
    for result in results:
        assert torch.equal(result, torch.ones(3, 4) + torch.randn(3, 4) * torch.rand(4) + torch.randint(0, 9, (4,)))
    assert step.reason is None


def test_a_generator_of_ones_own() -> None:
    generator, twin = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)
    step = torch.compile(lambda x: x + torch.rand(4, generator=generator))
    for i in range(6):
        assert torch.equal(step(torch.full((4,), float(i))), i + torch.rand(4, generator=twin))
    assert step.reason is None
