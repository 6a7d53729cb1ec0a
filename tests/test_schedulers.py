"""The schedulers beside torch's: the same rates to the last bit, the same state, warnings and errors."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import weakref
from typing import Any

import pytest
import torch

import minigrad as mg
from tests.twins import LIBRARIES, assert_same, raised


class Halving:
    """A function of the epoch that has a state."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, epoch: int) -> float:
        return self.factor**epoch


def rising(epoch: int) -> float:
    return 0.9 + 0.01 * epoch


CASES: list[tuple[str, dict[str, Any]]] = [
    ("LambdaLR", {"lr_lambda": rising}),
    ("LambdaLR", {"lr_lambda": [Halving(0.9), rising]}),
    ("MultiplicativeLR", {"lr_lambda": rising}),
    ("MultiplicativeLR", {"lr_lambda": (rising, Halving(0.95))}),
    ("StepLR", {"step_size": 3}),
    ("StepLR", {"step_size": 7, "gamma": 0.7}),
    ("MultiStepLR", {"milestones": [2, 5, 5, 11]}),
    ("MultiStepLR", {"milestones": (0, 3), "gamma": 0.3}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.7, "total_iters": 9}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.9, "end_factor": 0.1, "total_iters": 13}),
    ("ExponentialLR", {"gamma": 0.87}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 17, "power": 1.7}),
    ("CosineAnnealingLR", {"T_max": 7}),
    ("CosineAnnealingLR", {"T_max": 30, "eta_min": 0.03}),
    ("CosineAnnealingLR", {"T_max": 5, "eta_min": 0.3}),
    ("OneCycleLR", {"max_lr": 0.7, "total_steps": 25}),
    ("OneCycleLR", {"max_lr": [0.7, 0.3], "epochs": 6, "steps_per_epoch": 5, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.7, "total_steps": 25, "three_phase": True, "pct_start": 0.4, "div_factor": 7.0}),
    ("OneCycleLR", {"max_lr": 0.7, "total_steps": 25, "base_momentum": [0.3, 0.5], "max_momentum": 0.6, "final_div_factor": 9.0}),
    ("OneCycleLR", {"max_lr": (0.7, 0.3), "total_steps": 25, "cycle_momentum": False, "three_phase": True}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.7, "step_size_up": 4}),
    ("CyclicLR", {"base_lr": [0.1, 0.2], "max_lr": (0.7, 0.3), "step_size_up": 3, "step_size_down": 5, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1, "step_size_up": 4, "mode": "exp_range", "gamma": 0.9, "base_momentum": [0.5, 0.6]}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.7, "step_size_up": 4, "scale_fn": rising, "scale_mode": "iterations"}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.7, "step_size_up": 4, "scale_fn": Halving(0.9), "cycle_momentum": False}),
    ("CosineAnnealingWarmRestarts", {"T_0": 5}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.03}),
]
IDS = [f"{name}-{i}" for i, (name, _) in enumerate(CASES)]
EVERY = pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)


def optimizer(lib: Any, kind: str = "SGD", lr: Any = 0.5) -> Any:
    """Two groups with different rates, and gradients."""
    p, q = (lib.ones(2, requires_grad=True) for _ in range(2))
    opt = getattr(lib.optim, kind)([{"params": [p]}, {"params": [q], "lr": 0.1}], lr=lr)
    p.grad, q.grad = lib.ones(2), lib.ones(2)
    return opt


def make(lib: Any, name: str, opt: Any, **options: Any) -> Any:
    return getattr(lib.optim.lr_scheduler, name)(opt, **copy.deepcopy(options))


def settings(opt: Any) -> list[dict[str, Any]]:
    """The options of all groups, with what schedulers added."""
    return [{key: value for key, value in group.items() if key != "params"} for group in opt.param_groups]


def history(opt: Any, scheduler: Any, steps: int) -> list[Any]:
    """What is to be seen after each step; not a digit may differ."""
    seen = []
    for _ in range(steps):
        opt.step()
        scheduler.step()
        seen.append((list(scheduler.get_last_lr()), settings(opt), scheduler.last_epoch))
    return seen


# ---- rates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@EVERY
def test_rates_are_torchs_to_the_last_bit(name: str, options: dict[str, Any], kind: str) -> None:
    seen = []
    for lib in (mg, torch):
        opt = optimizer(lib, kind)
        scheduler = make(lib, name, opt, **options)
        seen.append([settings(opt), *history(opt, scheduler, 25), scheduler.state_dict(), repr(opt)])
    assert seen[0] == seen[1]


@EVERY
def test_a_rate_that_is_a_tensor_stays_the_same_tensor(name: str, options: dict[str, Any]) -> None:
    seen = []
    for lib in (mg, torch):
        lr = lib.tensor(0.5)
        opt = optimizer(lib, lr=lr)
        scheduler = make(lib, name, opt, **options)
        seen.append([])
        for _ in range(8):
            opt.step()
            scheduler.step()
            last = scheduler.get_last_lr()
            seen[-1].append((*last, lr.clone(), *scheduler.base_lrs))
        assert opt.param_groups[0]["lr"] is lr
        assert last[0] is not lr
    assert_same(*seen)


def test_a_group_added_later() -> None:
    seen = []
    for lib in (mg, torch):
        opt = optimizer(lib)
        scheduler = lib.optim.lr_scheduler.StepLR(opt, 2)
        opt.add_param_group({"params": lib.ones(1), "lr": 3.0})
        seen.append(history(opt, scheduler, 5))
    assert seen[0] == seen[1]


def test_schedulers_may_act_on_the_same_optimizer() -> None:
    seen = []
    for lib in (mg, torch):
        opt = optimizer(lib)
        warm_up = lib.optim.lr_scheduler.LinearLR(opt, total_iters=4)
        decay = lib.optim.lr_scheduler.ExponentialLR(opt, 0.9)
        seen.append([])
        for _ in range(10):
            opt.step()
            warm_up.step()
            decay.step()
            seen[-1].append((settings(opt), warm_up.state_dict(), decay.state_dict()))
    assert seen[0] == seen[1]


def test_a_subclass_defines_get_lr() -> None:
    seen = []
    for lib in (mg, torch):

        class Alternating(lib.optim.lr_scheduler.LRScheduler):  # type: ignore[name-defined, misc]
            def get_lr(self) -> list[float]:
                return [base * (1 + self.last_epoch % 2) for base in self.base_lrs]

        opt = optimizer(lib)
        seen.append(history(opt, Alternating(opt), 4))
    assert seen[0] == seen[1]


# ---- the plateau -----------------------------------------------------------------------------------------------------

METRICS = [3.0, 2.0, 2.1, 2.2, 1.9999, 1.99, 2.5, 2.5, 2.5, 1.5, 1.5, 1.5, 1.5, float("nan"), 1.4, 1.6, 1.6, 1.6, 1.6, 1.6]
PLATEAUS: list[dict[str, Any]] = [
    {},
    {"patience": 1},
    {"patience": 2, "mode": "max", "factor": 0.3},
    {"patience": 1, "threshold": 0.2},
    {"patience": 1, "threshold": 0.2, "threshold_mode": "abs"},
    {"patience": 1, "threshold": 0.2, "mode": "max"},
    {"patience": 1, "threshold": 0.2, "threshold_mode": "abs", "mode": "max"},
    {"patience": 0, "cooldown": 3},
    {"patience": 0, "min_lr": 0.02},
    {"patience": 0, "min_lr": [0.3, 0.001]},
    {"patience": 0, "eps": 0.05},
]


@pytest.mark.parametrize("options", PLATEAUS, ids=lambda o: "-".join(f"{key}={value}" for key, value in o.items()) or "defaults")
@pytest.mark.parametrize("lr", [0.5, "tensor"])
def test_plateau(options: dict[str, Any], lr: Any) -> None:
    seen = []
    for lib in (mg, torch):
        opt = optimizer(lib, lr=lib.tensor(0.5) if lr == "tensor" else lr)
        scheduler = make(lib, "ReduceLROnPlateau", opt, **options)
        seen.append([scheduler.get_last_lr()])
        for i, metric in enumerate(METRICS):
            metric = 1 / metric if options.get("mode") == "max" else metric
            scheduler.step(lib.tensor(metric) if i % 2 else metric)
            seen[-1].append([list(scheduler.state_dict().items()), scheduler.in_cooldown])
        seen[-1][1:] = [[sorted(items, key=lambda item: item[0]), flag] for items, flag in seen[-1][1:]]
        if options.get("patience", 10) < 2:
            assert float(opt.param_groups[1]["lr"]) < 0.1
    assert_same(*seen)


@LIBRARIES
def test_plateau_with_a_group_added_later(lib: Any) -> None:
    opt = optimizer(lib)
    plain, listed = (make(lib, "ReduceLROnPlateau", opt, patience=0, min_lr=bound) for bound in (0, [0, 0]))
    opt.add_param_group({"params": lib.ones(1), "lr": 1.0})
    for _ in range(2):
        plain.step(1.0)
    assert [group["lr"] for group in opt.param_groups] == [0.05, 0.010000000000000002, 0.1]
    listed.step(1.0)
    with pytest.raises(RuntimeError, match="min_lrs"):
        listed.step(1.0)


# ---- state -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "target"), [(mg, torch), (torch, mg), (mg, mg)], ids=["to", "from", "within"])
@EVERY
def test_a_schedule_goes_on_elsewhere(name: str, options: dict[str, Any], source: Any, target: Any) -> None:
    opt = optimizer(source)
    scheduler = make(source, name, opt, **options)
    history(opt, scheduler, 4)
    other = optimizer(target)
    fresh = make(target, name, other, **options)
    for group, values in zip(other.param_groups, settings(opt), strict=True):
        group.update(values)
    fresh.load_state_dict(pickle.loads(pickle.dumps(scheduler.state_dict())))
    assert fresh.state_dict() == scheduler.state_dict()
    assert history(other, fresh, 10) == history(opt, scheduler, 10)


@pytest.mark.parametrize(("source", "target"), [(mg, torch), (torch, mg)], ids=["to", "from"])
def test_a_plateau_goes_on_elsewhere(source: Any, target: Any) -> None:
    schedulers = [make(lib, "ReduceLROnPlateau", optimizer(lib), patience=1, cooldown=2) for lib in (source, target)]
    for metric in METRICS[:8]:
        schedulers[0].step(metric)
    schedulers[1].load_state_dict(schedulers[0].state_dict())
    for metric in METRICS[8:]:
        for scheduler in schedulers:
            scheduler.step(metric)
        assert schedulers[0].state_dict().keys() == schedulers[1].state_dict().keys()
        assert schedulers[0].num_bad_epochs == schedulers[1].num_bad_epochs


def test_what_functions_remember_is_saved() -> None:
    for lib in (mg, torch):
        scheduler = lib.optim.lr_scheduler.LambdaLR(optimizer(lib), [function := Halving(0.5), rising])
        saved = scheduler.state_dict()
        assert saved["lr_lambdas"] == [{"factor": 0.5}, None]
        assert saved["lr_lambdas"][0] is not function.__dict__
        loaded = make(lib, "LambdaLR", optimizer(lib), lr_lambda=[Halving(0.7), rising])
        before = dict(saved)
        loaded.load_state_dict(saved)
        assert loaded.lr_lambdas[0].factor == 0.5
        assert saved == before


@EVERY
def test_resuming_from_an_epoch(name: str, options: dict[str, Any]) -> None:
    seen = []
    for lib in (mg, torch):
        opt = optimizer(lib)
        history(opt, make(lib, name, opt, **options), 4)
        other = optimizer(lib)
        other.load_state_dict(opt.state_dict())
        scheduler = make(lib, name, other, **options, last_epoch=3)
        seen.append([settings(other), *history(other, scheduler, 8), scheduler.state_dict()])
    assert seen[0] == seen[1]


def test_a_cycle_that_is_resumed_keeps_its_bounds() -> None:
    seen = []
    for lib in (mg, torch):
        opt = optimizer(lib)
        history(opt, make(lib, "OneCycleLR", opt, max_lr=0.7, total_steps=20), 4)
        scheduler = make(lib, "OneCycleLR", opt, max_lr=0.9, total_steps=30, max_momentum=0.99, last_epoch=3)
        seen.append([settings(opt), *history(opt, scheduler, 8)])
    assert seen[0] == seen[1]


@LIBRARIES
def test_resuming_needs_initial_rates(lib: Any) -> None:
    with pytest.raises(KeyError, match="initial_lr"):
        make(lib, "StepLR", optimizer(lib), step_size=3, last_epoch=3)


@LIBRARIES
def test_an_optimizer_with_a_scheduler_can_be_copied_and_is_freed(lib: Any) -> None:
    opt = optimizer(lib)
    scheduler = make(lib, "StepLR", opt, step_size=1)
    opt.step()
    scheduler.step()
    other = pickle.loads(pickle.dumps(copy.deepcopy(opt)))
    assert settings(other) == settings(opt)
    other.step()
    gone = weakref.ref(opt)
    gc.collect()
    gc.disable()
    try:
        del opt, scheduler
        assert gone() is None
    finally:
        gc.enable()


# ---- warnings and errors ---------------------------------------------------------------------------------------------


@LIBRARIES
def test_the_wrong_order_is_a_warning(lib: Any) -> None:
    opt = optimizer(lib)
    scheduler = make(lib, "StepLR", opt, step_size=1)
    with pytest.warns(UserWarning, match=r"Detected call of `lr_scheduler.step\(\)` before `optimizer.step\(\)`") as caught:
        scheduler.step()
    assert caught[0].filename == __file__
    scheduler.step()  # once is enough
    other = make(lib, "StepLR", optimizer(lib), step_size=1)
    assert other.optimizer.step(lambda: 3) == 3
    other.step()


@LIBRARIES
def test_a_step_that_was_overridden_is_a_warning(lib: Any) -> None:
    opt = optimizer(lib)
    scheduler = make(lib, "StepLR", opt, step_size=1)
    opt.step = lambda: None
    with pytest.warns(UserWarning, match=r"Seems like `optimizer.step\(\)` has been overridden"):
        scheduler.step()


@LIBRARIES
def test_to_ask_for_the_next_rates_is_a_warning(lib: Any) -> None:
    scheduler = make(lib, "ExponentialLR", optimizer(lib), gamma=0.5)
    with pytest.warns(UserWarning, match="please use `get_last_lr"):
        assert scheduler.get_lr() == [0.25, 0.05]


ERRORS: list[tuple[str, dict[str, Any]]] = [
    ("LambdaLR", {"lr_lambda": [rising]}),
    ("MultiplicativeLR", {"lr_lambda": [rising] * 3}),
    ("MultiplicativeLR", {"lr_lambda": 0.5}),
    ("ConstantLR", {"factor": 1.5}),
    ("ConstantLR", {"factor": -0.5}),
    ("LinearLR", {"start_factor": 0.0}),
    ("LinearLR", {"start_factor": 1.5}),
    ("LinearLR", {"end_factor": -0.5}),
    ("LinearLR", {"end_factor": 1.5}),
    ("OneCycleLR", {"max_lr": 1.0}),
    ("OneCycleLR", {"max_lr": 1.0, "epochs": 3}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 0}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 2.5}),
    ("OneCycleLR", {"max_lr": 1.0, "epochs": 0, "steps_per_epoch": 3}),
    ("OneCycleLR", {"max_lr": 1.0, "epochs": 3, "steps_per_epoch": 1.5}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "pct_start": 1.5}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "pct_start": 1}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "anneal_strategy": "square"}),
    ("OneCycleLR", {"max_lr": [1.0], "total_steps": 9}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "base_momentum": [0.5]}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.7, "mode": "square"}),
    ("CyclicLR", {"base_lr": [0.1], "max_lr": 0.7}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.7, "max_momentum": [0.1]}),
    ("CosineAnnealingWarmRestarts", {"T_0": 0}),
    ("CosineAnnealingWarmRestarts", {"T_0": 2.5}),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 0}),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "eta_min": "0"}),
    ("ReduceLROnPlateau", {"factor": 1.0}),
    ("ReduceLROnPlateau", {"mode": "middle"}),
    ("ReduceLROnPlateau", {"threshold_mode": "middle"}),
    ("ReduceLROnPlateau", {"min_lr": [0.1]}),
]


@pytest.mark.parametrize(("name", "options"), ERRORS)
def test_errors_are_torchs(name: str, options: dict[str, Any]) -> None:
    ours, theirs = (raised(make, lib, name, optimizer(lib), **options) for lib in (mg, torch))
    assert ours == theirs
    assert ours in ("ValueError", "TypeError")


@LIBRARIES
def test_only_optimizers_have_schedules(lib: Any) -> None:
    examples = {"StepLR": {"step_size": 1}, "ReduceLROnPlateau": {}, "OneCycleLR": {"max_lr": 1.0, "total_steps": 3}}
    for name, options in examples.items():
        with pytest.raises(TypeError, match="list is not an Optimizer"):
            make(lib, name, [], **options)


@LIBRARIES
def test_a_cycle_ends_and_needs_momentum(lib: Any) -> None:
    opt = optimizer(lib)
    scheduler = make(lib, "OneCycleLR", opt, max_lr=1.0, total_steps=3)
    history(opt, scheduler, 3)
    with pytest.raises(ValueError, match="Tried to step 4 times"):
        scheduler.step()
    with pytest.raises(ValueError, match="must support momentum or beta1"):
        make(lib, "OneCycleLR", optimizer(lib, "Adagrad"), max_lr=1.0, total_steps=3)


def test_the_base_class_has_no_schedule() -> None:
    with pytest.raises(NotImplementedError, match="LRScheduler defines no get_lr"):
        mg.optim.lr_scheduler.LRScheduler(optimizer(mg))


@EVERY
def test_an_epoch_may_be_given(name: str, options: dict[str, Any]) -> None:
    """As older scripts do; a formula for any epoch is taken where there is one."""
    seen = []
    for lib in (mg, torch):
        opt = optimizer(lib)
        scheduler = make(lib, name, opt, **options)
        opt.step()
        seen.append([])
        for epoch in (7, 2, 2, 11, 0):
            if name == "CosineAnnealingWarmRestarts":
                scheduler.step(epoch)
            else:
                with pytest.warns(UserWarning, match="The epoch parameter in") as caught:
                    scheduler.step(epoch)
                assert caught[0].filename == __file__
            seen[-1].append([settings(opt), scheduler.last_epoch])
        scheduler.step()
        seen[-1].append(settings(opt))
    assert seen[0] == seen[1]


@LIBRARIES
def test_a_plateau_takes_an_epoch(lib: Any) -> None:
    scheduler = make(lib, "ReduceLROnPlateau", optimizer(lib))
    with pytest.warns(UserWarning, match="The epoch parameter in"):
        scheduler.step(1.0, epoch=3)
    assert scheduler.last_epoch == 3


@pytest.mark.parametrize("options", [{"T_0": 4}, {"T_0": 3, "T_mult": 2, "eta_min": 0.01}], ids=str)
def test_restarts_between_epochs(options: dict[str, Any]) -> None:
    seen = []
    for lib in (mg, torch):
        opt = optimizer(lib)
        scheduler = make(lib, "CosineAnnealingWarmRestarts", opt, **options)
        seen.append([])
        for epoch in (0.25, 1.5, 3.75, 4.0, 9.5, 21.25):
            scheduler.step(epoch)
            seen[-1].append([settings(opt), scheduler.state_dict()])
        seen[-1].append(raised(scheduler.step, -1))
    assert seen[0] == seen[1]


# ---- schedules made of schedules -------------------------------------------------------------------------------------


def composed(lib: Any, which: str) -> tuple[Any, Any]:
    opt, s = optimizer(lib), lib.optim.lr_scheduler
    if which == "warm-up":
        return opt, s.SequentialLR(opt, [s.LinearLR(opt, 0.1, total_iters=4), s.CosineAnnealingLR(opt, 10)], [4])
    if which == "each formula":
        parts = [s.ConstantLR(opt, 0.5, 2), s.StepLR(opt, 2), s.MultiStepLR(opt, [1, 2]), s.ExponentialLR(opt, 0.9),
                 s.PolynomialLR(opt, 4), s.LambdaLR(opt, rising), s.MultiplicativeLR(opt, rising),
                 s.CosineAnnealingWarmRestarts(opt, 3), s.LinearLR(opt)]  # fmt: skip
        return opt, s.SequentialLR(opt, parts, [2 * i + 2 for i in range(8)])
    if which == "at once":
        return opt, s.SequentialLR(opt, [s.ConstantLR(opt, 0.5, 2), s.ExponentialLR(opt, 0.9)], [0])
    if which == "chained":
        return opt, s.ChainedScheduler([s.ConstantLR(opt, 0.1, 3), s.ExponentialLR(opt, 0.9), s.StepLR(opt, 4)], opt)
    inner = s.SequentialLR(opt, [s.LinearLR(opt, 0.5, total_iters=2), s.ExponentialLR(opt, 0.9)], [2])
    if which == "nested":
        return opt, s.SequentialLR(opt, [inner, s.StepLR(opt, 2)], [5])
    return opt, s.ChainedScheduler([inner, s.ExponentialLR(opt, 0.8)])


COMPOSED = pytest.mark.parametrize("which", ["warm-up", "each formula", "at once", "chained", "nested", "nested in a chain"])


@pytest.mark.filterwarnings("ignore:Detected call of")  # nested ones make their first step twice, in torch too
@COMPOSED
def test_composed_schedules(which: str) -> None:
    seen = []
    for lib in (mg, torch):
        opt, scheduler = composed(lib, which)
        seen.append([settings(opt), scheduler.get_last_lr(), scheduler.state_dict()])
        for _ in range(22):
            opt.step()
            scheduler.step()
            seen[-1].append([settings(opt), scheduler.get_last_lr()])
        seen[-1].append(scheduler.state_dict())
    assert seen[0] == seen[1]


@pytest.mark.filterwarnings("ignore:Detected call of")
@COMPOSED
@pytest.mark.parametrize(("source", "target"), [(mg, torch), (torch, mg)], ids=["to", "from"])
def test_a_composed_schedule_goes_on_elsewhere(which: str, source: Any, target: Any) -> None:
    (opt, scheduler), (other, fresh) = composed(source, which), composed(target, which)
    for _ in range(3):
        opt.step()
        scheduler.step()
    for group, values in zip(other.param_groups, settings(opt), strict=True):
        group.update(values)
    fresh.load_state_dict(pickle.loads(pickle.dumps(scheduler.state_dict())))
    for one, its in ((opt, scheduler), (other, fresh)):
        for _ in range(8):
            one.step()
            its.step()
    assert settings(opt) == settings(other)
    assert scheduler.state_dict() == fresh.state_dict()


@LIBRARIES
def test_what_cannot_be_composed(lib: Any) -> None:
    s, opt, other = lib.optim.lr_scheduler, optimizer(lib), optimizer(lib)
    one, foreign, plateau = s.StepLR(opt, 1), s.StepLR(other, 1), s.ReduceLROnPlateau(opt)
    for schedulers, milestones in (([], []), ([one, foreign], [1]), ([one, plateau], [1]), ([one, one], []), ([one], [1])):
        with pytest.raises(ValueError, match=r"SequentialLR|Sequential Schedulers"):
            s.SequentialLR(opt, schedulers, milestones)
    for schedulers in ([], [one, foreign], [plateau]):
        with pytest.raises(ValueError, match="ChainedScheduler"):
            s.ChainedScheduler(schedulers)
    with pytest.raises(TypeError, match="should have `optimizer` as its attribute"):
        s.SequentialLR(opt, [one, 3], [1])


@pytest.mark.parametrize("name", sorted({name for name, _ in [*CASES, *ERRORS]}))
def test_arguments_are_torchs(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(lib.optim.lr_scheduler, name)).parameters for lib in (mg, torch))
    assert [(p.name, p.default, p.kind) for p in ours.values()] == [(p.name, p.default, p.kind) for p in theirs.values()]


def test_a_scheduler_from_the_old_base_class() -> None:
    seen = []
    for lib in (mg, torch):

        class Root(lib.optim.lr_scheduler._LRScheduler):  # type: ignore[name-defined, misc]
            def get_lr(self) -> list[float]:
                return [base / (1 + self.last_epoch) ** 0.5 for base in self.base_lrs]

        opt = optimizer(lib)
        seen.append(history(opt, Root(opt), 4))
        assert not isinstance(lib.optim.lr_scheduler.StepLR(opt, 1), lib.optim.lr_scheduler._LRScheduler)
    assert seen[0] == seen[1]


@pytest.mark.parametrize("lib", [torch, mg], ids=["torch", "minigrad"])
def test_all_schedulers_are_of_one_module(lib: Any) -> None:
    schedules = lib.optim.lr_scheduler
    classes = {each for each in vars(schedules).values() if isinstance(each, type) and issubclass(each, schedules.LRScheduler)}
    assert len(classes) >= 16
    assert {each.__module__ for each in classes} == {schedules.__name__}
    pickled = pickle.dumps(schedules.StepLR(lib.optim.SGD([lib.ones(1)], lr=1.0), 3))
    assert pickle.loads(pickled).step_size == 3
