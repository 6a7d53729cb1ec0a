"""`compile`: what is asked before a program runs, and what cannot be a program; each with its reason, and never a wrong number."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as torch
from minigrad import nn, optim
from minigrad.compiler import program
from minigrad.compiler.step import LIMIT, Step

X = [torch.tensor(np.random.RandomState(i).uniform(-2, 2, (4, 3)).astype(np.float32)) for i in range(12)]


def warm(function: Callable[..., Any], *more: Any, calls: int = 4) -> Step:
    """A step that runs as a program."""
    step = Step(function)
    for x in X[:calls]:
        step(x, *more)
    assert step.reason is None
    assert step._latest.verified
    return step


def programs(step: Step) -> int:
    return step._count


# What is watched ------------------------------------------------------------------------------------------------------------


def test_shapes_dtypes_layouts() -> None:
    """Each form of the arguments has its program."""
    step = Step(lambda x: (x * 2).sum(0))
    forms = [lambda x: x, lambda x: x[:2], lambda x: x.double(), lambda x: x.t(), lambda x: x.clone().requires_grad_()]
    with torch.no_grad():
        for form in forms:
            for x in X[:5]:
                assert torch.equal(step(form(x)), (form(x) * 2).sum(0))
    assert step.reason is None
    assert programs(step) == len(forms)


def test_numbers_and_names_among_the_arguments() -> None:
    step = Step(lambda x, factor, how="sum": getattr(x * factor, how)())
    for i, x in enumerate(X):
        factor, how = (2.0, 3.0)[i % 2], ("sum", "mean")[i // 2 % 2]
        assert step(x, factor, how=how).item() == getattr(x * factor, how)().item()
    assert step.reason is None
    assert programs(step) == 4


def test_numbers_that_are_equal_and_not_the_same() -> None:
    """0.0 and -0.0; 1, 1.0 and True. A NaN is the same as another one."""
    step = Step(lambda x, number: x * number)
    for x in X[:4]:
        for number in (0.0, -0.0, 1, 1.0, True, float("nan")):
            assert step(x, number).array.tobytes() == (x * number).array.tobytes()
    assert programs(step) == 6


def test_tensors_in_lists_and_dictionaries() -> None:
    step = Step(lambda pair, options: pair[0] @ pair[1].t() + options["bias"])
    for x, y in itertools.pairwise(X):
        assert torch.equal(step((x, y), {"bias": x[0, 0]}), x @ y.t() + x[0, 0])
    assert programs(step) == 1
    assert step.reason is None


def test_the_same_tensor_twice() -> None:
    step = Step(lambda x, y: x.add_(y))
    for i, x in enumerate(X):
        a, b = x.clone(), x.clone()
        assert torch.equal(step(a, a if i % 2 else b), x + x)
    assert programs(step) == 2


def test_training_and_other_attributes_of_modules() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.LeakyReLU(0.1))
    with torch.no_grad():
        step = warm(lambda x: model(x))
        model.eval()
        for x in X:
            assert torch.equal(step(x), model(x))
        model[2].negative_slope = 0.5
        for x in X:
            assert torch.equal(step(x), model(x))
        model[0] = nn.Linear(3, 4)
        for x in X:
            assert torch.equal(step(x), model(x))
        model[0].weight = nn.Parameter(torch.ones(4, 3))
        for x in X:
            assert torch.equal(step(x), model(x))
        model[0].weight.data = torch.full((4, 3), 2.0)
        for x in X:
            assert torch.equal(step(x), model(x))
        model.load_state_dict({name: value * 2 for name, value in model.state_dict().items()})  # into the same memory
        before = programs(step)
        for x in X:
            assert torch.equal(step(x), model(x))
    assert step.reason is None
    assert programs(step) == before == 6


def training(model: nn.Module, opt: Any) -> Callable[[torch.Tensor], Any]:
    def step(x: torch.Tensor) -> float:
        loss = model(x).square().sum()
        loss.backward()
        opt.step()
        opt.zero_grad()
        return loss.item()

    return step


def twins(change: Callable[[nn.Module, Any], Any], calls: int = 6) -> Step:
    """Train, change something, train on; eager and compiled end with the same parameters."""
    ends, step = [], None
    for compiled in (False, True):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
        opt = optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
        function: Any = training(model, opt)
        function = step = Step(function) if compiled else function
        losses = [function(x) for x in X[:calls]]
        change(model, opt)
        losses += [function(x) for x in X[:calls]]
        ends.append((losses, [p.tolist() for p in model.parameters()]))
    assert ends[0] == ends[1]
    assert isinstance(step, Step)
    return step


def test_requires_grad_of_parameters() -> None:
    step = twins(lambda model, opt: model[0].requires_grad_(False))
    assert (step.reason, programs(step)) == (None, 2)


def test_the_learning_rate() -> None:
    step = twins(lambda model, opt: opt.param_groups[0].update(lr=0.01))
    assert (step.reason, programs(step)) == (None, 1)


def test_a_number_that_decides_what_is_done() -> None:
    """Without momentum the optimiser takes another branch."""
    step = twins(lambda model, opt: opt.param_groups[0].update(momentum=0.0))
    assert (step.reason, programs(step)) == (None, 2)


def test_a_setting_of_the_optimiser() -> None:
    step = twins(lambda model, opt: opt.param_groups[0].update(nesterov=True))
    assert (step.reason, programs(step)) == (None, 2)


def test_gradients_that_are_there() -> None:
    step = twins(lambda model, opt: setattr(model[0].weight, "grad", torch.ones(4, 3)))
    assert step.reason is None


def test_gradients_that_a_step_is_given_and_takes_away() -> None:
    ends = []
    for compiled in (False, True):
        w = torch.ones(3, requires_grad=True)
        opt = optim.SGD([w], lr=0.01)

        def second_half(x: torch.Tensor, w: torch.Tensor = w, opt: Any = opt) -> None:
            (w * x).square().sum().backward()
            opt.step()
            opt.zero_grad()

        step: Any = Step(second_half) if compiled else second_half
        for x in X:
            (w * x).exp().sum().backward()
            step(x)
        ends.append(w.tolist())
    assert ends[0] == ends[1]
    assert (step.reason, programs(step)) == (None, 1)


def test_a_gradient_that_is_an_argument_too() -> None:
    ends = []
    for compiled in (False, True):
        w = torch.ones(3, requires_grad=True)
        w.grad = torch.ones(3)

        def function(x: torch.Tensor, gradient: torch.Tensor, w: torch.Tensor = w) -> float:
            (w * x).sum().backward()
            return (gradient * 2).sum().item()

        step: Any = Step(function) if compiled else function
        ends.append([step(x, w.grad) for x in X])
        other = torch.zeros(3)
        ends[-1] += [step(x, other) for x in X]
    assert ends[0] == ends[1]
    assert (step.reason, programs(step)) == (None, 2)


def test_a_parameter_that_is_an_argument_too() -> None:
    net = nn.Linear(3, 4, bias=False)
    step = Step(lambda x, weight: net(x).sum() + (weight * 2).sum())
    with torch.no_grad():
        for x in X:
            net.weight += x
            assert step(x, net.weight).item() == (net(x).sum() + (net.weight * 2).sum()).item()
        for x in X:
            other = nn.Parameter(x * 3)
            assert step(x, other).item() == (net(x).sum() + (other * 2).sum()).item()
    assert (step.reason, programs(step)) == (None, 2)


def test_a_gradient_under_another_name() -> None:
    """It may be a parameter's gradient no longer."""
    ends = []
    for compiled in (False, True):
        w = torch.ones(3, requires_grad=True)
        gradient = w.grad = torch.ones(3)

        def function(x: torch.Tensor, w: torch.Tensor = w) -> float:
            (w * x).sum().backward()
            return (gradient * 2).sum().item()  # noqa: B023

        step: Any = Step(function) if compiled else function
        ends.append([step(x) for x in X])
        w.grad = torch.zeros(3)
        ends[-1] += [step(x) for x in X]
    assert ends[0] == ends[1]
    assert (step.reason, programs(step)) == (None, 2)


def test_state_of_the_optimiser() -> None:
    step = twins(lambda model, opt: opt.load_state_dict(opt.state_dict()))  # other memory for the averages
    assert (step.reason, programs(step)) == (None, 2)


def test_a_hook_of_a_parameter() -> None:
    seen: list[float] = []
    step = twins(lambda model, opt: model[0].weight.register_hook(lambda g: seen.append(g.sum().item())))
    assert "hooks run eagerly" in step.reason
    assert len(seen) == 12  # six calls, twice


def test_a_hook_for_complete_gradients() -> None:
    seen: list[float] = []
    handles: list[Any] = []

    def change(model: nn.Module, opt: Any) -> None:
        handles.append(model[0].weight.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.sum().item())))

    step = twins(change)
    assert "somebody watches the graph" in step.reason
    assert len(seen) == 12


def test_anomaly_mode() -> None:
    w = torch.ones(3, requires_grad=True)

    def function(x: torch.Tensor) -> torch.Tensor:
        (gradient,) = torch.autograd.grad((w * x).sqrt().sum(), w)
        return gradient

    step = Step(function)
    for x in X[:4]:
        step(x.abs())
    with (
        torch.autograd.set_detect_anomaly(True),
        pytest.warns(UserWarning, match="Error detected"),
        pytest.raises(RuntimeError, match="nan"),
    ):
        step(-X[0].abs())


def test_a_hook_of_a_module() -> None:
    seen: list[int] = []
    step = twins(lambda model, opt: model[1].register_forward_hook(lambda *_: seen.append(1)))
    assert "hooks" in step.reason
    assert len(seen) == 12


def test_a_hook_of_the_optimiser() -> None:
    seen: list[int] = []
    step = twins(lambda model, opt: opt.register_step_post_hook(lambda *_: seen.append(1)))
    assert "an optimiser has, or had, hooks" in step.reason
    assert len(seen) == 12


def test_another_state_of_the_optimiser() -> None:
    """What load_state_dict brings is used, and what was there is not."""
    saved: list[Any] = []

    def change(model: nn.Module, opt: Any) -> None:
        saved.append(copy.deepcopy(opt.state_dict()))
        for value in saved[-1]["state"].values():
            value["momentum_buffer"] *= 3
        opt.load_state_dict(saved[-1])

    assert twins(change).reason is None


def test_another_list_of_parameters() -> None:
    tensors = [torch.ones(3), torch.full((3,), 2.0)]
    step = warm(lambda x: sum(x * t for t in tensors))
    tensors[1] = torch.full((3,), 5.0)
    assert torch.equal(step(X[0]), X[0] + X[0] * 5)
    tensors.append(torch.ones(3))
    assert torch.equal(step(X[0]), X[0] + X[0] * 5 + X[0])
    assert step.reason is None


def test_no_grad_around() -> None:
    w = torch.ones(3, requires_grad=True)
    step = Step(lambda x: (x * w).sum())
    for i in range(8):
        with torch.set_grad_enabled(i % 2 == 0):
            assert step(X[i]).requires_grad == (i % 2 == 0)


def test_the_default_dtype() -> None:
    step = warm(lambda x: x.sum() + torch.ones(3))
    torch.set_default_dtype(torch.float64)
    try:
        for x in X[:4]:
            assert step(x).dtype is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


SCALE = 2.0


def test_variables_that_the_function_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Globals, closure variables, and attributes of the object whose method it is."""
    offset = 1.0
    step = warm(lambda x: x * SCALE + offset)
    monkeypatch.setitem(globals(), "SCALE", 3.0)
    offset = 5.0
    assert torch.equal(step(X[0]), X[0] * 3 + 5)

    class Scaled:
        factor = 1.0

        def __init__(self) -> None:
            self.factor = 2.0

        def step(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.factor

    scaled = Scaled()
    step = warm(scaled.step)
    scaled.factor = 4.0
    assert torch.equal(step(X[0]), X[0] * 4)
    assert step.reason is None

    def named(x: torch.Tensor, scaled: Scaled) -> torch.Tensor:
        return x * scaled.factor

    step = warm(named, scaled)
    scaled.factor = 8.0
    assert torch.equal(step(X[0], scaled), X[0] * 8)
    assert step.reason is None


def test_what_changes_from_call_to_call() -> None:
    """After eight programs it is enough."""
    count = 0.0
    step = Step(lambda x: x + count)
    for i in range(LIMIT + 3):
        count = float(i)
        assert torch.equal(step(X[0]), X[0] + i)
    assert "something changes from call to call" in step.reason
    assert programs(step) == LIMIT


# Values that the capture had in common with its verification ----------------------------------------------------------------


def test_arguments_that_do_not_vary() -> None:
    """The same batch all the time proves nothing about another one: that is verified again."""
    calls = []
    table = torch.arange(12.0)

    def function(x: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        return x * table[index]

    step = Step(function)
    same, index = X[0], torch.tensor([1, 2, 3])
    for _ in range(6):
        step(same, index)
    assert len(calls) == 3
    step(X[1], index)  # another x: once more
    assert len(calls) == 4
    for x in X:
        assert torch.equal(step(x, index), x * table[index])
    assert len(calls) == 4
    assert torch.equal(step(X[2], torch.tensor([5, 5, 4])), X[2] * table[torch.tensor([5, 5, 4])])
    assert len(calls) == 5
    index.fill_(7)  # in place
    assert torch.equal(step(X[3], index), X[3] * 7)
    assert step.reason is None


def test_an_array_that_changes() -> None:
    """A tensor that the step makes around an array shows what the array holds now."""
    array = np.ones(3, np.float32)
    step = Step(lambda x: x * (torch.from_numpy(array) * 2))
    for i, x in enumerate(X):
        array[:] = i // 5
        assert torch.equal(step(x), x * (2 * (i // 5)))
    assert step.reason is None
    step = Step(lambda x: (x + 1, torch.from_numpy(array)))
    for i, x in enumerate(X[:5]):
        step(x)[1][0] = float(i)
        assert array[0] == i
    assert "shows a NumPy array from outside" in step.reason


def test_a_constant_that_slipped_in_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An array read behind NumPy's back stands in the program as it was; verification sees it."""

    def function(x: torch.Tensor) -> torch.Tensor:
        hidden = np.frombuffer(memoryview(np.asarray(x.array.plain if hasattr(x.array, "plain") else x.array)), np.float32)
        return x + torch.tensor(float(hidden[0]))

    step = Step(function)
    for x in X:
        assert torch.equal(step(x), x + x[0, 0])
    assert "does not give what the step gives" in step.reason


def test_a_program_that_is_wrong_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the fault is, parameters and gradients end as in eager mode."""
    original = program.Program.__init__

    def faulty(self: Any, *args: Any) -> None:
        original(self, *args)
        right = self.function
        self.function = lambda *inputs: (self.arrays["weight"].fill(0), right(*inputs))[1]

    monkeypatch.setattr(program.Program, "__init__", faulty)
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    opt = optim.SGD(model.parameters(), lr=0.1)
    step, twin = Step(training(model, opt)), nn.Linear(3, 2)
    twin.load_state_dict(model.state_dict())
    eager = training(twin, optim.SGD(twin.parameters(), lr=0.1))
    for x in X:
        assert step(x) == eager(x)
    assert "differs" in step.reason
    assert torch.equal(model.weight, twin.weight)


# Branches -------------------------------------------------------------------------------------------------------------------


def test_a_branch_on_a_value() -> None:
    """Each way has its program; the values decide anew in each call."""
    ways = []

    def function(x: torch.Tensor) -> torch.Tensor:
        ways.append(1)
        if x.sum() > 0:
            return x.exp()
        return -x

    step = Step(function)
    for x in X * 4:
        assert torch.equal(step(x), x.exp() if x.sum() > 0 else -x)
    assert step.reason is None
    assert programs(step) == 2
    assert len(ways) <= 7


def test_a_branch_before_the_update() -> None:
    w = torch.zeros(3, requires_grad=True)
    opt = optim.SGD([w], lr=0.1)

    def function(x: torch.Tensor) -> float:
        loss = ((w - x) ** 2).mean()
        if loss.item() > 1.2:
            return 0.0
        loss.backward()
        opt.step()
        opt.zero_grad()
        return loss.item()

    step = Step(function)
    results = [step(x) for x in X * 3]
    ends = w.tolist()
    with torch.no_grad():
        w.zero_()
    assert [function(x) for x in X * 3] == results
    assert w.tolist() == ends
    assert 0.0 in results
    assert programs(step) == 2
    assert step.reason is None


def test_a_branch_on_what_was_changed_before() -> None:
    """A program would find out too late that it was the wrong one."""
    w = torch.zeros(4, 3)

    def function(x: torch.Tensor) -> torch.Tensor:
        w.add_(x)
        return w * 2 if w.sum() > 0 else w.clone()

    step, expected = Step(function), torch.zeros(4, 3)
    for x in X:
        result = step(x)
        expected += x
        assert torch.equal(result, expected * 2 if expected.sum() > 0 else expected)
    assert step.reason == "a branch depends on what the step has changed before"


def test_a_branch_behind_a_change_on_something_else() -> None:
    """It is asked in front of the change."""
    w = torch.zeros(4, 3)

    def function(x: torch.Tensor) -> torch.Tensor:
        w.add_(x)
        return w * 2 if (x * x).sum() > 17 else w.clone()

    step, expected = Step(function), torch.zeros(4, 3)
    for x in X * 2:
        result = step(x)
        expected += x
        assert torch.equal(result, expected * 2 if (x * x).sum() > 17 else expected)
    assert step.reason is None
    assert programs(step) == 2


# What cannot be a program ---------------------------------------------------------------------------------------------------

KEPT: list[Any] = []


class Holder:
    value: Any = None


HOLDER = Holder()


def keeps_in_a_list(x: torch.Tensor) -> torch.Tensor:
    KEPT.append(x * 2)
    return x + 1


def keeps_in_an_attribute(x: torch.Tensor) -> torch.Tensor:
    HOLDER.value = x * 2 if HOLDER.value is None else HOLDER.value + x
    return x + 1


def keeps_a_number(x: torch.Tensor) -> torch.Tensor:
    KEPT.append(x.sum().item())
    return x + 1


def prints(x: torch.Tensor) -> torch.Tensor:
    print(f"{x.sum().item():.3f}")
    return x + 1


GIVEN_UP: dict[str, tuple[Callable[[torch.Tensor], Any], str]] = {
    "mask": (lambda x: x[x > 0].sum(), "an index is a mask"),
    "nonzero": (lambda x: torch.nonzero(x > 0).sum(), "np.argwhere() is not captured"),
    "tolist": (lambda x: torch.tensor(x.sum(0).tolist()), "tolist() takes values out"),
    "float": (lambda x: x * float(x.sum()), "float() is taken of a number that the step computes"),
    "int": (lambda x: x * int(x.abs().sum()), "int() is taken of a number that the step computes"),
    "size from a value": (lambda x: torch.ones(int(x.abs().sum().item())).sum(), "int() is taken"),
    "numpy": (lambda x: torch.from_numpy(np.unique(x.numpy())).sum(), "numpy() takes values out of the step"),
    "print": (prints, "text is made of a number"),
    "keeps a tensor": (keeps_in_a_list, "keeps something that it computes"),
    "keeps it in an attribute": (keeps_in_an_attribute, "keeps something that it computes"),
    "keeps a number": (keeps_a_number, "keeps something that it computes"),
    "seeds": (lambda x: (torch.manual_seed(1), x + torch.rand(3))[1], "seeds a random stream"),
    "differentiable": (lambda x: (x * torch.ones(3, requires_grad=True)).sum(), "can still be differentiated"),
}


@pytest.mark.parametrize("name", GIVEN_UP)
def test_given_up(name: str) -> None:
    """The step runs eagerly, exactly once in each call, and says why."""
    function, reason = GIVEN_UP[name]
    calls = []

    def counted(x: torch.Tensor) -> Any:
        calls.append(1)
        return function(x)

    KEPT.clear()
    HOLDER.value = None
    step = Step(counted)
    for x in X[:6]:
        kept = len(KEPT)
        actual = step(x)
        assert (len(KEPT) > kept) == (name in ("keeps a tensor", "keeps a number"))
        assert actual.detach().tolist() == function(x).detach().tolist()
    assert reason in step.reason
    assert len(calls) == 6


def test_what_is_kept_has_its_value() -> None:
    KEPT.clear()
    step = Step(keeps_in_a_list)
    for x in X[:4]:
        step(x)
    assert [torch.equal(kept, x * 2) for kept, x in zip(KEPT, X, strict=False)] == [True] * 4
    assert all(type(kept.array) is np.ndarray for kept in KEPT)


def test_arguments_that_cannot_be() -> None:
    step = Step(lambda x: torch.as_tensor(x) * 2)
    for x in X[:4]:
        assert torch.equal(step(x.numpy()), x * 2)
    assert "an argument is a NumPy array" in step.reason
    w = torch.ones(3, requires_grad=True)
    step = Step(lambda y: (y * 2).detach())
    for x in X[:4]:
        assert torch.equal(step(x * w), x * 2)
    assert "has a history" in step.reason


def test_an_argument_with_a_hook() -> None:
    seen: list[Any] = []
    w = torch.ones(3, requires_grad=True)
    w.register_hook(seen.append)
    step = Step(lambda x, w: (w * x).sum().backward())
    for x in X[:6]:
        step(x, w)
    assert "hooks run eagerly" in step.reason
    assert len(seen) == 6


def test_too_many_kinds_of_arguments() -> None:
    step = Step(lambda x, number: x * number)
    for number in range(8 * LIMIT + 2):
        assert torch.equal(step(X[0], number), X[0] * number)
    assert "kinds of arguments" in step.reason


def test_a_counter_of_the_step() -> None:
    count = 0

    def function(x: torch.Tensor) -> torch.Tensor:
        nonlocal count
        count += 1
        return x + count

    step = Step(function)
    assert [step(X[0])[0, 0].item() for _ in range(6)] == [(X[0] + i)[0, 0].item() for i in range(1, 7)]
    assert "the step changes the variable 'count'" in step.reason


def test_a_scheduler_within_the_step() -> None:
    w = torch.ones(3, requires_grad=True)
    opt = optim.SGD([w], lr=1.0)
    scheduler = optim.lr_scheduler.ExponentialLR(opt, 0.5)

    def function(x: torch.Tensor) -> None:
        (w * x).sum().backward()
        opt.step()
        opt.zero_grad()
        scheduler.step()

    step = Step(function)
    for x in X[:5]:
        step(x)
    assert "call the scheduler between steps" in step.reason
    assert opt.param_groups[0]["lr"] == 0.5**5
    assert type(opt.param_groups[0]) is dict


def test_fullgraph() -> None:
    """A promise to complain."""
    step = torch.compile(lambda x: x[x > 0].sum(), fullgraph=True)
    step(X[0])
    with pytest.raises(RuntimeError, match=r"compile\(fullgraph=True\).*an index is a mask"):
        step(X[1])
    step = torch.compile(lambda x: x.sum(), fullgraph=True)
    for x in X:
        assert step(x).item() == x.sum().item()


def test_reset_and_texts() -> None:
    step = torch.compile(lambda x: x * 2)
    with pytest.raises(RuntimeError, match="no program yet"):
        step.source  # noqa: B018
    for x in X:
        step(x)
    assert "1 program" in repr(step)
    assert "def step(x):" in step.source
    step.reset()
    assert "0 programs" in repr(step)
    assert torch.equal(step(X[0]), X[0] * 2)


def test_arguments_of_compile() -> None:
    """torch's are taken; what is no function is refused."""
    for options in ({"mode": "max-autotune"}, {"backend": "inductor"}, {"dynamic": True}, {"options": {}}):
        assert torch.compile(lambda x: x + 1, **options)(X[0])[0, 0] == X[0][0, 0] + 1

    @torch.compile(fullgraph=True)
    def decorated(x: torch.Tensor) -> torch.Tensor:
        """Its text."""
        return x + 1

    assert decorated.__doc__ == "Its text."
    function = decorated.function
    assert torch.compile(function, disable=True) is function
    with pytest.raises(TypeError, match="expected a function or a module, got int"):
        torch.compile(3)


def test_a_compiled_function_within_another_one() -> None:
    inner = torch.compile(lambda x: x * 2)
    outer = torch.compile(lambda x: inner(x) + 1)
    for x in X:
        assert torch.equal(outer(x), x * 2 + 1)
    assert outer.reason is None
    assert "np.multiply" in outer.source


def test_methods() -> None:
    class Model:
        def __init__(self, factor: float) -> None:
            self.weight = torch.full((3,), factor)

        @torch.compile
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.weight

    models = Model(2.0), Model(3.0)
    for x in X:
        for model in models:
            assert torch.equal(model.forward(x), x * model.weight)
