"""`optim.swa_utils`: averages of weights, the statistics of BatchNorm for them, and the schedule of rates."""

from __future__ import annotations

from typing import Any

import pytest

from .twins import data, raised, same_as_torch

AVERAGES = {
    "mean": lambda s: {}, "ema": lambda s: {"multi_avg_fn": s.get_ema_multi_avg_fn(0.7)},
    "ema, one by one": lambda s: {"avg_fn": s.get_ema_avg_fn(0.7)}, "mean, one by one": lambda s: {"avg_fn": s.get_swa_avg_fn()},
    "mean of lists": lambda s: {"multi_avg_fn": s.get_swa_multi_avg_fn()},
    "own": lambda s: {"avg_fn": lambda averaged, current, count: averaged * 0.5 + current / (count + 1)},
}  # fmt: skip


def network(m: Any) -> Any:
    m.manual_seed(0)
    return m.nn.Sequential(m.nn.Linear(3, 4), m.nn.BatchNorm1d(4), m.nn.ReLU(), m.nn.Linear(4, 2)).double()


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize("name", AVERAGES)
@same_as_torch
def test_averaged_model(m: Any, name: str, use_buffers: bool) -> Any:
    s, net = m.optim.swa_utils, network(m)
    if name == "mean of lists" and use_buffers:
        del net[1]  # its int64 count of batches cannot be divided so, in torch either
    averaged = s.AveragedModel(net, use_buffers=use_buffers, **AVERAGES[name](s))
    opt, x = m.optim.SGD(net.parameters(), lr=0.1), data(m, 8, 3)
    found = []
    for _ in range(4):
        opt.zero_grad()
        net(x).square().sum().backward()
        opt.step()
        averaged.update_parameters(net)
        found += [value.clone() for value in averaged.state_dict().values()]
    return [list(averaged.state_dict()), *found, averaged(x).detach(), [p.requires_grad for p in averaged.parameters()]]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("form", [lambda x: x, lambda x: [x, 1], lambda x: (x,)], ids=["tensors", "lists", "tuples"])
@same_as_torch
def test_update_bn(m: Any, form: Any, training: bool) -> Any:
    net = network(m).train(training)
    net[1].momentum = 0.3
    net(data(m, 5, 3, seed=1))
    m.optim.swa_utils.update_bn([form(data(m, 6, 3, seed=seed)) for seed in (2, 3, 4)], net, device="cpu")
    m.optim.swa_utils.update_bn([form(data(m, 6, 3))], net[0])  # no BatchNorm in it: nothing happens
    return [list(net.buffers()), net.training, net[1].momentum]


@pytest.mark.parametrize("options", [
    {}, {"anneal_epochs": 3}, {"anneal_epochs": 4, "anneal_strategy": "linear"}, {"anneal_epochs": 0}, {"swa_lr": [0.3, 0.05]},
], ids=str)  # fmt: skip
@same_as_torch
def test_swalr(m: Any, options: dict[str, Any]) -> Any:
    """Behind another scheduler, and handed over in the middle."""
    params = [m.ones(2, requires_grad=True) for _ in range(2)]
    opt = m.optim.SGD([{"params": params[:1]}, {"params": params[1:], "lr": 0.5}], lr=0.2)
    before = m.optim.lr_scheduler.ExponentialLR(opt, 0.9)
    scheduler = m.optim.swa_utils.SWALR(opt, **{"swa_lr": 0.05, **options})
    seen = []
    for epoch in range(12):
        opt.step()
        (before if epoch < 3 else scheduler).step()
        if epoch == 6:
            state, scheduler = scheduler.state_dict(), m.optim.swa_utils.SWALR(opt, 0.1, 7, "linear")
            scheduler.load_state_dict(state)
        seen.append([[group["lr"], group["swa_lr"]] for group in opt.param_groups])
    return [seen, sorted(scheduler.state_dict()), scheduler.get_last_lr()]


@same_as_torch
def test_what_is_refused(m: Any) -> Any:
    s, net = m.optim.swa_utils, network(m)
    opt = m.optim.SGD(net.parameters(), lr=0.1)
    return [
        raised(s.AveragedModel, net, avg_fn=s.get_ema_avg_fn(), multi_avg_fn=s.get_ema_multi_avg_fn()),
        *(raised(function, decay) for function in (s.get_ema_avg_fn, s.get_ema_multi_avg_fn) for decay in (-0.1, 1.1)),
        raised(s.SWALR, opt, 0.1, anneal_strategy="square"), raised(s.SWALR, opt, 0.1, anneal_epochs=-1),
        raised(s.SWALR, opt, 0.1, anneal_epochs=1.5), raised(s.SWALR, opt, [0.1, 0.2]),
    ]  # fmt: skip
