"""What modules are asked through their children, what they save beside tensors, and their hooks, beside torch's."""

from __future__ import annotations

import copy
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg
from tests.twins import assert_same, data, raised, same_as_torch, variable


def norm_in(m: Any, block: Any) -> Any:
    """A network with a block inside, all its numbers fixed."""
    net = m.nn.Sequential(m.nn.Linear(3, 3), block)
    with m.no_grad():
        net[0].weight.copy_(data(m, 3, 3, dtype="float32"))
        net[0].bias.zero_()
    return net


# What a class overrides, its parents ask ------------------------------------------------------------------------------


@same_as_torch
def test_train_is_asked_of_each_child(m: Any) -> Any:
    class Frozen(m.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = m.nn.BatchNorm1d(3)

        def train(self, mode: bool = True) -> Any:
            super().train(mode)
            self.norm.eval()
            return self

        def forward(self, x: Any) -> Any:
            return self.norm(x)

    net = norm_in(m, Frozen())
    net.train()
    out = net(data(m, 4, 3, dtype="float32"))
    modes = [each.training for each in net.modules()]
    net.eval()
    return [out, net[1].norm.running_mean, modes, [each.training for each in net.modules()]]


@same_as_torch
def test_conversion_is_asked_of_each_child(m: Any) -> Any:
    class Single(m.nn.Linear):  # type: ignore[misc, name-defined]
        def _apply(self, fn: Any, recurse: bool = True) -> Any:
            seen.append(self.weight.dtype)
            return self

    seen: list[Any] = []
    net = m.nn.Sequential(Single(2, 2), m.nn.Linear(2, 2))
    net.double()
    return [[p.dtype for p in net.parameters()], seen]


@same_as_torch
def test_conversion_in_place_counts_as_a_change(m: Any) -> Any:
    net = m.nn.BatchNorm1d(2)
    net.weight.grad = m.ones(2)
    changed = [net.weight, net.weight.grad, net.running_mean]
    before = [t._version for t in changed]
    net._apply(lambda t: t.add_(1))
    versions = [t._version - version for t, version in zip(changed, before, strict=True)]
    tied = m.nn.Sequential(m.nn.Linear(1, 1, bias=False), m.nn.Linear(1, 1, bias=False))
    tied[1].weight = tied[0].weight
    with m.no_grad():
        tied[0].weight.fill_(1.0)
    tied._apply(lambda t: t.mul_(3))  # once for each module that has it
    shallow = m.nn.Sequential(m.nn.Linear(1, 1))
    shallow._apply(lambda t: t.double(), recurse=False)
    return [versions, net.weight, net.weight.grad, dict(net.named_buffers()), tied[0].weight, shallow[0].weight.dtype]


@same_as_torch
def test_names_are_asked_of_each_module(m: Any) -> Any:
    class Partly(m.nn.Sequential):  # type: ignore[misc, name-defined]
        def named_parameters(self, *args: Any, **kwargs: Any) -> Any:
            return [pair for pair in super().named_parameters(*args, **kwargs) if "bias" not in pair[0]]

        def named_children(self) -> Any:
            return list(super().named_children())[1:]

    net = Partly(m.nn.Linear(1, 2), m.nn.Linear(2, 1))
    net.requires_grad_(False), net.eval()
    return [
        [tuple(p.shape) for p in net.parameters()],
        [p.requires_grad for module in net for p in module.parameters()],
        [module.training for module in net],
    ]


# State ----------------------------------------------------------------------------------------------------------------


def counting(m: Any) -> Any:
    class Counting(m.nn.Linear):  # type: ignore[misc, name-defined]
        calls = 0

        def get_extra_state(self) -> Any:
            return {"calls": self.calls}

        def set_extra_state(self, state: Any) -> None:
            self.calls = state["calls"]

    return Counting


@same_as_torch
def test_extra_state(m: Any) -> Any:
    net, other = (m.nn.Sequential(m.nn.ReLU(), counting(m)(2, 1)) for _ in range(2))
    net[1].calls = 5
    state = net.state_dict()
    loaded = other.load_state_dict(state)
    del state["1._extra_state"]
    missing = other.load_state_dict(state, strict=False)
    state["0._extra_state"] = 1
    unexpected = other.load_state_dict(state, strict=False)
    words = [list(each) for each in (loaded, missing, unexpected)]
    half = m.nn.Linear(1, 1)
    type(half).get_extra_state = lambda self: 3
    try:
        halves = [list(half.state_dict()), raised(half.load_state_dict, half.state_dict())]
    finally:
        del type(half).get_extra_state
    return [list(net.state_dict()), other[1].calls, words, halves, raised(m.nn.ReLU().get_extra_state)]


def test_extra_state_and_versions_go_through_files_both_ways(tmp_path: Path) -> None:
    for ours, theirs in ((mg, torch), (torch, mg)):
        nets = [m.nn.Sequential(m.nn.BatchNorm1d(2), counting(m)(2, 1)) for m in (ours, theirs)]
        nets[0][1].calls = 7
        ours.save(nets[0].state_dict(), tmp_path / "net.pt")
        state: Any = theirs.load(tmp_path / "net.pt")
        assert str(nets[1].load_state_dict(state)) == "<All keys matched successfully>"
        assert nets[1][1].calls == 7
        assert state._metadata == nets[1].state_dict()._metadata == {"": {"version": 1}, "0": {"version": 2}, "1": {"version": 1}}


@same_as_torch
def test_classes_save_and_load_in_their_own_way(m: Any) -> Any:
    class Renamed(m.nn.Linear):  # type: ignore[misc, name-defined]
        _version = 3

        def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
            super()._save_to_state_dict(destination, prefix, keep_vars)
            destination[prefix + "w"] = destination.pop(prefix + "weight")

        def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *lists: Any) -> None:
            seen.append([sorted(state_dict), prefix, dict(local_metadata), lists[0]])
            if prefix + "w" in state_dict:
                state_dict[prefix + "weight"] = state_dict.pop(prefix + "w")
            super()._load_from_state_dict(state_dict, prefix, local_metadata, *lists)
            seen.append(self.weight.detach().clone())  # it is there already

    seen: list[Any] = []
    net, other = (m.nn.Sequential(Renamed(2, 1), m.nn.Tanh()) for _ in range(2))
    m.nn.init.constant_(net[0].weight, 0.5)
    state = net.state_dict()
    results = [list(state), copy.deepcopy(dict(state._metadata))]
    results += [list(other.load_state_dict(state, assign=assign)) for assign in (False, True)]
    loaded = other.load_state_dict({"0.bias": m.zeros(1)}, strict=False)
    return [*results, list(loaded), seen, other[0].weight]


@same_as_torch
def test_hooks_of_state_dict(m: Any) -> Any:
    net, log = m.nn.Sequential(m.nn.Linear(1, 1, bias=False)), []
    net[0].register_state_dict_pre_hook(lambda module, prefix, keep_vars: log.append([module is net[0], prefix, keep_vars]))
    net[0].register_state_dict_post_hook(lambda module, state, prefix, metadata: state.update({prefix + "more": dict(metadata)}))
    net[0]._register_state_dict_hook(lambda module, state, prefix, metadata: {"heard": 1})  # of the first module alone
    found = [list(net.state_dict()), list(net[0].state_dict())]
    with net.register_state_dict_post_hook(lambda *_: {}):
        found.append(raised(net.state_dict))
    net._register_state_dict_hook(lambda module, state, prefix, metadata: {"first": 1})
    return [*found, net.state_dict(prefix="x.", keep_vars=True), log]


@same_as_torch
def test_hooks_of_load_state_dict(m: Any) -> Any:
    def rename(state: Any, prefix: str, metadata: Any, strict: bool, missing: Any, unexpected: Any, errors: Any) -> None:
        log.append([prefix, dict(metadata), strict, list(missing), list(unexpected), list(errors)])
        if prefix + "old" in state:
            state[prefix + "weight"] = state.pop(prefix + "old")

    net, log = m.nn.Sequential(m.nn.Linear(1, 1, bias=False)), []
    first = net[0]._register_load_state_dict_pre_hook(rename)
    net[0].register_load_state_dict_pre_hook(lambda module, *rest: log.append([module is net[0], len(rest)]))
    net[0].register_load_state_dict_post_hook(lambda module, keys: log.append([module is net[0], *map(list, keys)]))
    found = [list(net.load_state_dict({"0.old": m.full((1, 1), 7.0)})), net[0].weight]
    first.remove()
    found.append(raised(net.load_state_dict, {"0.old": m.zeros(1, 1)}))
    net.register_load_state_dict_post_hook(lambda module, keys: (keys.missing_keys.clear(), keys.unexpected_keys.clear())[2:])
    found.append(raised(net.load_state_dict, {"0.old": m.zeros(1, 1)}))
    net[0].register_load_state_dict_post_hook(lambda module, keys: 1)
    return [*found, raised(net.load_state_dict, {"0.old": m.zeros(1, 1)}), log]


def test_copied_modules_have_hooks_of_their_own() -> None:
    net = mg.nn.Linear(1, 1)
    seen: list[Any] = []
    net.register_load_state_dict_pre_hook(lambda module, *_: seen.append(module))
    twin = copy.deepcopy(net)
    twin.load_state_dict(net.state_dict())
    assert seen == [twin]


def test_positional_arguments_of_state_dict_warn() -> None:
    for m in (torch, mg):
        with pytest.warns(FutureWarning, match="Positional args are being deprecated"):
            assert list(m.nn.Linear(1, 1).state_dict({}, "a.")) == ["a.weight", "a.bias"]


@pytest.mark.parametrize("assign", [False, True])
def test_what_classes_copied_is_brought_back_where_loading_fails(assign: bool) -> None:
    class Own(mg.nn.Linear):
        def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
            with mg.no_grad():
                self.weight.fill_(9.0)
            self.bias = mg.nn.Parameter(mg.ones(1))

    class Failing(mg.nn.ReLU):
        def _load_from_state_dict(self, *_: Any) -> None:
            raise ZeroDivisionError

    net = mg.nn.Sequential(mg.nn.Linear(2, 2), Own(2, 1), mg.nn.ReLU())
    before, objects = copy.deepcopy(net.state_dict()), list(net.parameters())
    state = {"0.weight": mg.zeros(2, 2), "0.bias": mg.zeros(3)}
    with pytest.raises(RuntimeError, match="size mismatch"):
        net.load_state_dict(state, assign=assign)
    net[2] = Failing()
    state["0.bias"] = mg.zeros(2)
    with pytest.raises(ZeroDivisionError):
        net.load_state_dict(state, assign=assign)
    assert all(a is b for a, b in zip(net.parameters(), objects, strict=True))
    assert {name: value.tolist() for name, value in net.state_dict().items()} == {k: v.tolist() for k, v in before.items()}
    assert [p._version for p in objects] == [p._version for p in mg.nn.Sequential(mg.nn.Linear(2, 2), Own(2, 1)).parameters()]
    del net[2]
    net.load_state_dict(state, assign=assign)
    assert [p.sum().item() for p in net.parameters()] == [0.0, 0.0, 18.0, 1.0]


# Hooks on the way back ------------------------------------------------------------------------------------------------


class Pair:
    """Sums and products of two inputs, with a number between them."""

    @staticmethod
    def make(m: Any) -> Any:
        class Both(m.nn.Module):
            def forward(self, x: Any, number: float, y: Any, *, scale: Any = 1.0) -> Any:
                return x * y * number * scale, "text", x + y

        return Both()


@same_as_torch
def test_backward_hooks(m: Any) -> Any:
    module, log = Pair.make(m), []
    x, y = variable(m, 2, dtype="float32"), variable(m, 2, dtype="float32", seed=1)
    module.register_full_backward_hook(lambda each, ins, outs: log.append([each is module, ins, outs]))
    module.register_full_backward_pre_hook(lambda each, outs: log.append(["pre", outs]))
    product, text, total = module(x, 2.0, y)
    (product * 3).sum().backward(retain_graph=True)
    first = [x.grad.clone(), y.grad.clone(), product.grad_fn.name(), text]
    total.sum().backward()
    constant = module(x.detach(), 1.0, y)
    (constant[0] + constant[2]).sum().backward()
    return [*first, x.grad, y.grad, log]


@same_as_torch
def test_backward_hooks_change_gradients(m: Any) -> Any:
    net, x = m.nn.Sequential(m.nn.Tanh(), m.nn.ELU()), variable(m, 3, dtype="float32")
    net[0].register_full_backward_pre_hook(lambda module, outs: (outs[0] * 2,))
    net[0].register_full_backward_pre_hook(lambda module, outs: (outs[0] + 1,), prepend=True)
    net[0].register_full_backward_hook(lambda module, ins, outs: (ins[0] * outs[0],))
    handle = net[1].register_full_backward_hook(lambda module, ins, outs: (-ins[0],))
    net.register_full_backward_hook(lambda module, ins, outs: (ins[0] + 5,))
    net(x).sum().backward()
    handle.remove()
    first, x.grad = x.grad, None
    net(x).sum().backward()
    with m.no_grad():
        plain = net(x)
    return [first, x.grad, plain]


@same_as_torch
def test_backward_hooks_and_second_derivatives(m: Any) -> Any:
    net, x, log = m.nn.Tanh(), variable(m, 3, dtype="float64"), []
    net.register_full_backward_hook(lambda module, ins, outs: log.append([ins[0].requires_grad, outs[0].detach()]))
    (g,) = m.autograd.grad((net(x) ** 2).sum(), x, create_graph=True)
    g.sum().backward()
    return [g.detach(), x.grad, log]


@same_as_torch
def test_backward_hooks_without_gradients_of_inputs_warn(m: Any) -> Any:
    net, log = m.nn.Linear(2, 1), []
    with m.no_grad():
        net.weight.fill_(1.0), net.bias.fill_(0.0)
    net.register_full_backward_hook(lambda module, ins, outs: log.append([ins, outs]))
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        net(m.ones(3, 2)).sum().backward()
    return [log, net.weight.grad]


@same_as_torch
def test_backward_hooks_refuse(m: Any) -> Any:
    def outcome(register: str, hook: Any, x: Any) -> str:
        net = m.nn.Tanh() if x.requires_grad else m.nn.PReLU()
        getattr(net, register)(hook)
        return raised(net(x).sum().backward)

    x, constant = variable(m, 3, dtype="float32"), m.ones(3)
    found = [outcome("register_full_backward_hook", lambda *_: (None, None), x)]
    found.append(outcome("register_full_backward_pre_hook", lambda *_: (), x))
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        found.append(outcome("register_full_backward_hook", lambda *_: (m.ones(3),), constant))
    named = m.nn.Identity()
    named.register_full_backward_hook(lambda *_: None)
    with pytest.warns(UserWarning, match="should be a Tensor or a tuple of Tensors"):
        named([x])
    return found


@pytest.mark.usefixtures("no_collector")
def test_backward_hooks_leave_no_cycle() -> None:
    import weakref

    net = mg.nn.Tanh()
    net.register_full_backward_hook(lambda *_: None)
    x = mg.ones(2, requires_grad=True)
    for backward in (False, True):
        out = net(x)
        if backward:
            out.sum().backward()
        gone = weakref.ref(out)
        del out
        assert gone() is None


def test_older_backward_hooks_are_refused() -> None:
    with pytest.raises(NotImplementedError, match="register_full_backward_hook"):
        mg.nn.Tanh().register_backward_hook(lambda *_: None)


# Making modules -------------------------------------------------------------------------------------------------------


@same_as_torch
def test_init_goes_on_to_other_bases_where_asked(m: Any) -> Any:
    class Other:
        def __init__(self, size: int = 0) -> None:
            self.size = size

    class Both(m.nn.Module, Other):  # type: ignore[misc, name-defined]
        call_super_init = True

        def __init__(self, size: int) -> None:
            super().__init__(size=size)

    return [Both(3).size, raised(m.nn.Module, 1), raised(m.nn.Module, size=1)]


@same_as_torch
def test_parameters_have_attributes_and_arrays(m: Any) -> Any:
    net = m.nn.Linear(2, 1)
    m.nn.init.constant_(net.weight, 2.0)
    net.weight.no_decay = True
    twin = copy.deepcopy(net)
    with m.no_grad():
        array, same = net.weight.numpy(), np.asarray(net.weight)
    return [net.weight.no_decay, hasattr(twin.weight, "no_decay"), hasattr(net.bias, "no_decay"), array, same,
            raised(net.weight.numpy)]  # fmt: skip


def test_assert_same_sees_a_difference() -> None:
    with pytest.raises(AssertionError):
        assert_same([mg.ones(1)], [torch.zeros(1)])


# Weights computed anew -----------------------------------------------------------------------------------------------


def trained(m: Any, net: Any, x: Any, steps: int = 3) -> list[Any]:
    """Results and gradients of some calls, with a step of descent after each."""
    found = []
    for _ in range(steps):
        net.zero_grad()
        out = net(x)
        (out * data(m, *out.shape, seed=5)).sum().backward()
        found.append([out.detach(), {name: p.grad for name, p in net.named_parameters()}])
        with m.no_grad():
            for p in net.parameters():
                p.sub_(p.grad * 0.1)
    return found


KINDS = [("Linear", (4, 3), (2, 4)), ("Conv2d", (2, 3, 2), (1, 2, 4, 4)), ("ConvTranspose1d", (2, 3, 2), (1, 2, 4))]


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")
@pytest.mark.parametrize(("kind", "sizes", "shape"), KINDS)
@pytest.mark.parametrize("dim", [0, 1, None])
@same_as_torch
def test_weight_norm(m: Any, kind: str, sizes: Any, shape: Any, dim: Any) -> Any:
    m.manual_seed(0)
    net, utils = getattr(m.nn, kind)(*sizes).double(), m.nn.utils
    x, before = data(m, *shape), net.weight.detach().clone()
    assert utils.weight_norm(net, dim=dim) is net
    found = [dict(net.state_dict()), net.weight.detach() - before, raised(utils.weight_norm, net), trained(m, net, x)]
    weight = net.weight.detach()
    utils.remove_weight_norm(net)
    assert type(net.weight) is m.nn.Parameter
    return [*found, weight, dict(net.state_dict()), net(x).detach(), raised(utils.remove_weight_norm, net)]


@pytest.mark.parametrize(("kind", "sizes", "shape"), KINDS)
@pytest.mark.parametrize("options", [{}, {"n_power_iterations": 3, "dim": 1, "eps": 1e-6}], ids=str)
@same_as_torch
def test_spectral_norm(m: Any, kind: str, sizes: Any, shape: Any, options: Any) -> Any:
    m.manual_seed(0)
    net, utils = getattr(m.nn, kind)(*sizes).double(), m.nn.utils
    x = data(m, *shape)
    assert utils.spectral_norm(net, **options) is net
    state = net.state_dict()
    found = [copy.deepcopy(dict(state)), dict(state._metadata[""]), raised(utils.spectral_norm, net), trained(m, net, x)]
    net.eval()
    vectors = [net.weight_u.clone(), net.weight_v.clone()]
    found += [net(x).detach(), net.weight_u - vectors[0], net.weight_v - vectors[1], repr(net.load_state_dict(state))]
    utils.remove_spectral_norm(net)
    assert type(net.weight) is m.nn.Parameter
    return [*found, dict(net.state_dict()), dict(net.state_dict()._metadata[""]), raised(utils.remove_spectral_norm, net)]


@same_as_torch
def test_two_calls_before_backward(m: Any) -> Any:
    """The second call improves the vectors that the first one has used."""
    m.manual_seed(0)
    net, x = m.nn.utils.spectral_norm(m.nn.Linear(3, 4).double()), data(m, 2, 3)
    (net(x) + net(x) * 2).sum().backward()
    return [net.weight_orig.grad, net.weight_u]


@same_as_torch
def test_weights_that_cannot_be_computed(m: Any) -> Any:
    utils, net = m.nn.utils, m.nn.Linear(1, 1, bias=False)
    return [raised(utils.spectral_norm, net, "bias"), raised(utils.spectral_norm, net, n_power_iterations=0),
            raised(utils.spectral_norm, net, "other")]  # fmt: skip


# Where torch has them ------------------------------------------------------------------------------------------------


PUBLIC = [
    "nn.modules", "nn.modules.activation", "nn.modules.batchnorm", "nn.modules.channelshuffle",
    "nn.modules.container", "nn.modules.conv", "nn.modules.distance",
    "nn.modules.dropout", "nn.modules.flatten", "nn.modules.fold", "nn.modules.instancenorm", "nn.modules.linear",
    "nn.modules.loss", "nn.modules.module", "nn.modules.normalization", "nn.modules.padding", "nn.modules.pixelshuffle",
    "nn.modules.pooling", "nn.modules.rnn", "nn.modules.sparse", "nn.modules.transformer", "nn.modules.upsampling",
    "nn.parameter", "nn.parallel", "nn.utils.clip_grad", "nn.utils.convert_parameters", "nn.utils.rnn", "optim.adadelta",
    "optim.adagrad", "optim.adam", "optim.adamax", "optim.adamw", "optim.lbfgs", "optim.lr_scheduler", "optim.nadam",
    "optim.optimizer", "optim.radam", "optim.rmsprop", "optim.sgd",
]  # fmt: skip
PRIVATE = {
    "nn.modules.batchnorm": ("_BatchNorm", "_NormBase"), "nn.modules.conv": ("_ConvNd", "_ConvTransposeNd"),
    "nn.modules.dropout": ("_DropoutNd",), "nn.modules.instancenorm": ("_InstanceNorm",),
    "nn.modules.loss": ("_Loss", "_WeightedLoss"),
    "nn.modules.transformer": ("_get_clones",), "optim.lr_scheduler": ("_LRScheduler",), "optim.optimizer": ("required",),
    "autograd.variable": ("Variable",), "utils.data._utils.collate": ("default_collate",), "utils.hooks": ("RemovableHandle",),
    "types": ("Number", "Device", "_size", "_int", "_dtype", "Tensor", "Size"),
    "nn.common_types": ("_size_1_t", "_size_2_t", "_size_any_t", "_size_2_opt_t", "_ratio_2_t"),
    "nn.modules.utils": ("_single", "_pair", "_triple", "_quadruple", "_ntuple"),
}  # fmt: skip


@pytest.mark.parametrize("path", sorted({*PUBLIC, *PRIVATE}))
def test_paths(path: str) -> None:
    """A class is found where torch has it, and is the same one as under its short path."""
    ours, theirs = import_module(f"minigrad.{path}"), import_module(f"torch.{path}")
    short = mg.optim if path.startswith("optim") else mg.nn
    for name in getattr(theirs, "__all__", ()):
        if isinstance(getattr(short, name, None), type):
            assert getattr(ours, name) is getattr(short, name)
    assert all(hasattr(ours, name) and hasattr(theirs, name) for name in PRIVATE.get(path, ()))


@same_as_torch
def test_losses_of_ones_own(m: Any) -> Any:
    """Derived from torch's private bases, as public implementations of label smoothing are."""
    found = []

    class Smoothed(m.nn.modules.loss._WeightedLoss):  # type: ignore[name-defined, misc]
        def __init__(self, weight: Any = None, reduction: str = "mean", smoothing: float = 0.1) -> None:
            super().__init__(weight=weight, reduction=reduction)
            self.smoothing = smoothing

        def forward(self, input: Any, target: Any) -> Any:
            log_probs = m.nn.functional.log_softmax(input, -1)
            log_probs = log_probs if self.weight is None else log_probs * self.weight.unsqueeze(0)
            return -log_probs.gather(1, target[:, None]).mean() * (1 - self.smoothing) - log_probs.mean() * self.smoothing

    class Squares(m.nn.modules.loss._Loss):  # type: ignore[name-defined, misc]
        def forward(self, input: Any, target: Any) -> Any:
            return m.nn.functional.mse_loss(input, target, reduction=self.reduction)

    x, target = data(m, 3, 4), m.tensor([0, 3, 1])
    for loss in (Smoothed(), Smoothed(m.ones(4).double() * 2, smoothing=0.3), Squares(None, None, "sum"), Squares()):
        found += [loss(x, target if isinstance(loss, Smoothed) else x + 1), repr(loss), list(loss.state_dict()), loss.reduction]
    weighted = [isinstance(getattr(m.nn, name)(), m.nn.modules.loss._WeightedLoss) for name in
                ("NLLLoss", "BCELoss", "CrossEntropyLoss", "MSELoss", "MultiMarginLoss", "BCEWithLogitsLoss")]  # fmt: skip
    return found, weighted


@same_as_torch
def test_private_bases(m: Any) -> Any:
    """What scripts ask with isinstance."""
    modules, nn = m.nn.modules, m.nn
    layers = [nn.BatchNorm1d(1), nn.InstanceNorm2d(1), nn.Conv1d(1, 1, 1), nn.ConvTranspose2d(1, 1, 1), nn.Linear(1, 1),
              nn.Dropout()]  # fmt: skip
    bases = [modules.batchnorm._BatchNorm, modules.instancenorm._InstanceNorm, modules.batchnorm._NormBase, modules.conv._ConvNd,
             modules.conv._ConvTransposeNd, modules.dropout._DropoutNd, modules.Module]  # fmt: skip
    pairs = [modules.utils._pair(3), modules.utils._pair((3, 4)), modules.utils._triple(1), modules.utils._ntuple(4)(0)]
    return [[isinstance(layer, base) for base in bases] for layer in layers], pairs
