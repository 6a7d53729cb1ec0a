"""Modules: what they hold, how they are called, converted, saved, copied and printed; scenarios run on both sides."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg

from .twins import raised, same_as_torch


def data(m: Any, *shape: int, seed: int = 0) -> Any:
    return m.from_numpy(np.random.RandomState(seed).standard_normal(shape).astype(np.float32))


def message(function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[str, str]:
    """Type and text of the error that a call raises."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is, it is compared
        function(*args, **kwargs)
    return type(caught.value).__name__, str(caught.value)


def network(m: Any) -> Any:
    """A tree of modules with a buffer of either kind, a missing bias and a shared layer; named by what is in it."""

    class Block(m.nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.lin = m.nn.Linear(width, width, bias=False)
            self.register_buffer("scale", m.full((width,), 2.0))
            self.register_buffer("hidden", m.zeros(1), persistent=False)
            self.register_buffer("none", None)

        def forward(self, x: Any) -> Any:
            return self.lin(x) * self.scale

    class Net(m.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = m.nn.Linear(4, 3)
            self.blocks = m.nn.ModuleList([Block(3), Block(3)])
            self.act = m.nn.Tanh()
            self.again = self.first
            self.gain = m.nn.Parameter(m.ones(3))
            self.register_parameter("absent", None)
            self.note = "a plain attribute"

        def forward(self, x: Any) -> Any:
            x = self.act(self.first(x))
            for block in self.blocks:
                x = block(x)
            return x * self.gain

    m.manual_seed(3)
    return Net()


# Parameters -----------------------------------------------------------------------------------------------------------


@same_as_torch
def test_parameter(m: Any) -> Any:
    x = data(m, 2, 3)
    p = m.nn.Parameter(x)
    x[0, 0] = 5.0
    frozen, empty = m.nn.Parameter(x, requires_grad=False), m.nn.Parameter()
    whole = m.nn.Parameter(m.tensor([1, 2]), requires_grad=False)
    with m.no_grad():
        made_without = m.nn.Parameter(m.ones(1))
    return [
        p,
        frozen,
        empty,
        whole,
        made_without,
        repr(p),
        repr(frozen),
        repr(empty),
        isinstance(p, m.Tensor),
        type(p * 1) is m.Tensor,
        p.grad_fn,
        (p * 2).sum(),
        type(p.detach()) is m.Tensor,
    ]


def test_parameter_refuses() -> None:
    with pytest.raises(TypeError, match="data must be a Tensor, not list"):
        mg.nn.Parameter([1.0])
    for m in (mg, torch):
        with pytest.raises(RuntimeError, match=r"(?i)only tensors of floating point"):
            m.nn.Parameter(m.tensor([1, 2]))


@same_as_torch
def test_parameter_copies(m: Any) -> Any:
    p = m.nn.Parameter(data(m, 3))
    (p * p).sum().backward()
    twin, loaded = copy.deepcopy(p), pickle.loads(pickle.dumps(p))
    twin.detach()[0] = 9.0
    return [p, p.grad, twin, twin.grad, type(twin) is m.nn.Parameter, type(loaded) is m.nn.Parameter, loaded]


# Registration ---------------------------------------------------------------------------------------------------------


@same_as_torch
def test_the_parts_of_a_module(m: Any) -> Any:
    net = network(m)
    return [
        dict(net.named_parameters()), dict(net.named_parameters(prefix="net", recurse=False)),
        [name for name, _ in net.named_parameters(remove_duplicate=False)], len(list(net.parameters())),
        dict(net.named_buffers()), len(list(net.buffers())), [name for name, _ in net.named_children()],
        [name for name, _ in net.named_modules()], [name for name, _ in net.named_modules(remove_duplicate=False)],
        [type(each).__name__ for each in net.modules()], [type(each).__name__ for each in net.children()],
        net.get_submodule("blocks.1.lin") is net.blocks[1].lin, net.get_submodule("") is net,
        net.get_parameter("blocks.0.lin.weight"), net.get_buffer("blocks.0.scale"), net.absent, net.again is net.first,
    ]  # fmt: skip


@same_as_torch
def test_members_of_a_kind_of_ones_own(m: Any) -> Any:
    net = network(m)
    weights = net._named_members(lambda each: ((name, p) for name, p in each._parameters.items() if name != "bias"), "net")
    return dict(weights), list(net._named_members(lambda each: [("kind", type(each).__name__)], remove_duplicate=False))


@same_as_torch
def test_tied_parameters_count_once(m: Any) -> Any:
    net = m.nn.Sequential(m.nn.Linear(2, 2), m.nn.Linear(2, 2))
    net[1].weight = net[0].weight
    net[0].register_buffer("seen", m.ones(1))
    net[1].register_buffer("seen", net[0].seen)
    names = [[name for name, _ in net.named_parameters(remove_duplicate=each)] for each in (True, False)]
    names += [[name for name, _ in net.named_buffers(remove_duplicate=each)] for each in (True, False)]
    return [names, list(net.state_dict())]


@same_as_torch
def test_attributes(m: Any) -> Any:
    module = m.nn.Linear(2, 3)
    module.extra = m.nn.ReLU()
    module.register_buffer("seen", m.zeros(1))
    kept = []

    def keep() -> None:
        kept.append([[*module._parameters], [*module._modules], [*module._buffers], "extra" in module.__dict__])

    keep()
    module.extra = m.nn.Parameter(m.ones(1))  # a parameter takes the name from a module ...
    keep()
    module.seen = m.nn.Tanh()  # ... a module from a buffer ...
    keep()
    module.bias = None  # ... and None keeps the name
    keep()
    module.seen = None
    keep()
    module.late = 3
    module.late = m.nn.Parameter(m.ones(2))
    keep()
    del module.late, module.seen, module.weight
    keep()
    module.register_module("added", m.nn.ReLU())
    return [
        kept,
        hasattr(module, "late"),
        hasattr(module, "added"),
        "added" in dir(module),
        "bias" in dir(module),
        "forward" in dir(module),
        "0" in dir(m.nn.Sequential(m.nn.ReLU())),
        repr(module),
    ]


@same_as_torch
def test_buffers(m: Any) -> Any:
    module = m.nn.Module()
    module.register_buffer("a", m.zeros(2), persistent=False)
    module.register_buffer("b", None)
    module.a = m.ones(2)
    before = dict(module.state_dict())
    module.register_buffer("a", m.ones(1))
    module.b = m.ones(3)
    after = dict(module.state_dict())
    del module.a
    return [before, after, dict(module.state_dict())]


def refusals(m: Any) -> list[Callable[[], Any]]:
    """Calls that a module answers with an error."""
    module = m.nn.Linear(2, 3)
    module.sub = m.nn.ReLU()
    module.register_buffer("b", m.ones(1))

    class Early(m.nn.Module):
        def __init__(self, part: Any) -> None:
            self.part = part

    return [
        lambda: setattr(module, "weight", m.ones(2)),
        lambda: setattr(module, "weight", m.ones(2).double()),
        lambda: setattr(module, "weight", [1]),
        lambda: setattr(module, "sub", 3),
        lambda: setattr(module, "sub", m.ones(1)),
        lambda: setattr(module, "b", 3),
        lambda: module.register_parameter("", None),
        lambda: module.register_parameter("b", None),
        lambda: module.register_parameter(3, None),
        lambda: module.register_parameter("p", m.ones(1)),
        lambda: module.register_buffer("weight", None),
        lambda: module.register_buffer("c", 3),
        lambda: module.add_module("a.b", None),
        lambda: module.add_module("x", 3),
        lambda: module.add_module("forward", None),
        lambda: module.nope,
        lambda: delattr(module, "nope"),
        lambda: Early(m.nn.ReLU()),
        lambda: Early(m.nn.Parameter(m.ones(1))),
        lambda: m.nn.Module()(1),
        lambda: m.nn.ModuleList()(1),
        lambda: module.get_submodule("q"),
        lambda: module.get_submodule("weight"),
        lambda: module.get_parameter("q"),
        lambda: module.get_parameter("sub"),
        lambda: module.get_buffer("sub"),
        lambda: module.to(m.int64),
        lambda: module.train(3),
        lambda: module.load_state_dict(3),
        lambda: m.nn.Sequential(3),
        lambda: m.nn.Sequential(m.nn.ReLU())[3],
        lambda: m.nn.ModuleList([m.nn.ReLU()])[-2],
        lambda: m.nn.Sequential(m.nn.ReLU()) + 3,
        lambda: m.nn.Sequential().insert(2, m.nn.ReLU()),
        lambda: m.nn.ModuleDict()["x"],
        lambda: m.nn.Dropout(2),
        lambda: m.nn.Hardtanh(1, -1),
        lambda: m.nn.Unflatten(0, 3),
        lambda: m.nn.Unflatten(0, (2.5,)),
    ]


@pytest.mark.parametrize("number", range(len(refusals(mg))))
def test_refusals_in_torchs_words(number: int) -> None:
    assert message(refusals(mg)[number]) == message(refusals(torch)[number])


@same_as_torch
def test_refusals(m: Any) -> Any:
    """Where the words differ, the type of the error does not."""
    module = m.nn.Linear(2, 3)

    class Late(m.nn.Module):
        def __init__(self) -> None:
            pass

        def forward(self, x: Any) -> Any:
            return x

    return [
        raised(Late(), 1), raised(module.register_parameter, "a.b", None), raised(module.register_buffer, "a.b", None),
        raised(module.register_buffer, "", None), raised(module, m.ones(2, 3)), raised(module, m.ones(2, 2).double()),
        raised(m.nn.Linear, 2.5, 3), raised(m.nn.Linear, -1, 3), raised(m.nn.Unflatten(1, (2, 3)), m.ones(2, 7)),
        raised(m.nn.Flatten(), m.ones(2)), raised(m.nn.ModuleList, 3), raised(m.nn.ModuleDict, 3),
        raised(m.nn.GELU("x"), m.ones(1)), raised(m.nn.Sequential, m.nn.ReLU, m.nn.Tanh()),
        raised(m.nn.Sequential().insert, 0, 3), raised(lambda: m.nn.Sequential() * 2.5),
        raised(lambda: m.nn.Sequential() * 0), raised(setattr, module, "weight", m.nn.ReLU()),
        raised(list, Late().parameters()), raised(module.requires_grad_, 1), raised(m.nn.Parameter, m.ones(1), "x"),
        raised(m.ones, 1, requires_grad=2), raised(setattr, m.ones(1), "requires_grad", None),
    ]  # fmt: skip


def test_own_refusals() -> None:
    with pytest.raises(AttributeError, match=r"call super\(\).__init__\(\) first"):
        type("Late", (mg.nn.Module,), {"__init__": lambda self: None})()(1)
    with pytest.raises(NotImplementedError, match="always_call=True"):
        mg.nn.ReLU().register_forward_hook(print, always_call=True)
    with pytest.raises(NotImplementedError, match="named dimensions"):
        mg.nn.Unflatten("channel", (2, 3))
    with pytest.raises(TypeError, match="must be a Module, not int"):
        mg.nn.ModuleList().insert(0, 3)
    with pytest.raises(AssertionError, match="CPU only"):
        mg.nn.Linear(1, 1).cuda()
    with pytest.raises(AssertionError, match="CPU only"):
        mg.nn.Linear(1, 1).to("cuda")


@same_as_torch
def test_a_module_without_parameters_can_be_anywhere(m: Any) -> Any:
    """As torch, on a machine without a GPU."""
    x = m.tensor([1.0, 2.0])
    loss, activation = m.nn.MSELoss().cuda(), m.nn.Sequential(m.nn.ReLU(), m.nn.Dropout()).to(m.device("cuda"))
    with_some = m.nn.BatchNorm1d(2, affine=False), m.nn.Linear(1, 1), m.nn.PReLU()
    return [loss(x, x * 2), str(activation), str(m.nn.CrossEntropyLoss().to("cuda:0")),
            [raised(module.to, "cuda") for module in with_some], raised(m.nn.ReLU().to, "gpu")]


# Changes to all of them -----------------------------------------------------------------------------------------------


@same_as_torch
def test_modes_and_gradients(m: Any) -> Any:
    net = network(m)
    net(data(m, 2, 4)).sum().backward()
    grads = {name: p.grad for name, p in net.named_parameters()}
    assert net.eval() is net
    modes = [each.training for each in net.modules()]
    net.blocks.train()
    modes += [each.training for each in net.modules()]
    net.zero_grad(set_to_none=False)
    zeros = {name: p.grad for name, p in net.named_parameters()}
    assert all(p.grad is grads[name] for name, p in net.named_parameters())
    flat = m.ones(net.gain.numel() + 1)
    net.gain.grad = flat[1:]
    net.zero_grad(set_to_none=False)
    zeros["as a view"] = flat
    net.zero_grad()
    none = [p.grad for p in net.parameters()]
    assert net.requires_grad_(False) is net
    order: list[str] = []
    assert net.apply(lambda each: order.append(type(each).__name__)) is net
    return [grads, modes, zeros, none, [p.requires_grad for p in net.parameters()], net(data(m, 2, 4)), order]


@same_as_torch
def test_conversion(m: Any) -> Any:
    net = network(m)
    net.blocks[0].register_buffer("count", m.tensor([3]))
    weight = net.first.weight
    net(data(m, 2, 4)).sum().backward()
    assert net.double() is net
    assert net.first.weight is weight
    double = [dict(net.named_parameters()), dict(net.named_buffers()), {n: p.grad for n, p in net.named_parameters()}]
    result = net(data(m, 2, 4).double())
    net.to(m.float32)
    single = dict(net.state_dict())
    net.to(data(m, 1).double()).to("cpu").to(m.device("cpu")).to(dtype=m.float32, device="cpu").cpu().half().float()
    return [double, result, single, dict(net.state_dict()), weight.dtype]


# Calls and hooks ------------------------------------------------------------------------------------------------------


@same_as_torch
def test_hooks(m: Any) -> Any:
    net, x, log = m.nn.Linear(3, 2), data(m, 1, 3), []
    with m.no_grad():
        net.weight.copy_(data(m, 2, 3)), net.bias.copy_(data(m, 2))
    plain = net(x)
    first = net.register_forward_pre_hook(lambda module, args: log.append("pre") or (args[0] * 2,))
    second = net.register_forward_pre_hook(lambda module, args: log.append("bare") or args[0] + 1)
    third = net.register_forward_hook(lambda module, args, out: log.append(["post", module is net, args]) or out * 3)
    net.register_forward_hook(lambda module, args, out: log.append("silent"))
    net.register_forward_hook(lambda module, args, out: log.append("before all"), prepend=True)
    hooked = net(x)
    first.remove(), second.remove(), third.remove()
    return [plain, hooked, net(x), log]


@same_as_torch
def test_hooks_with_keywords(m: Any) -> Any:
    class Scaled(m.nn.Module):
        def forward(self, x: Any, by: float = 1.0) -> Any:
            return x * by

    module, log = Scaled(), []
    with module.register_forward_pre_hook(lambda _, args, kwargs: (args, {"by": kwargs["by"] + 1}), with_kwargs=True):
        module.register_forward_hook(lambda _, args, kwargs, out: log.append(kwargs), with_kwargs=True)
        inside = module(data(m, 2), by=2.0)
    outside = module(data(m, 2), by=2.0)
    module.register_forward_pre_hook(lambda _, args, kwargs: 3, with_kwargs=True)
    return [inside, outside, log, raised(module, data(m, 2))]


def test_a_call_without_hooks_is_forward_alone() -> None:
    """No hook dictionaries are walked, no argument is touched: `forward` gets what the call got."""
    seen: list[Any] = []

    class Probe(mg.nn.Module):
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            seen.append((args, kwargs))
            return 7

    assert Probe()(1, [2], key="word") == 7
    assert seen == [((1, [2]), {"key": "word"})]


# State ----------------------------------------------------------------------------------------------------------------


@same_as_torch
def test_state_dict(m: Any) -> Any:
    net, given = network(m), OrderedDict(there=1)
    state = net.state_dict()
    state["gain"][0] = 7.0  # it shares memory
    return [
        dict(state),
        type(state) is OrderedDict,
        net.gain,
        net.state_dict(keep_vars=True)["gain"] is net.gain,
        dict(net.state_dict(prefix="net.")),
        net.state_dict(destination=given) is given,
        list(given),
    ]


def test_state_goes_from_torch_to_minigrad_and_back() -> None:
    theirs, ours = network(torch), network(mg)
    torch.manual_seed(9)
    for p in theirs.parameters():
        torch.nn.init.normal_(p)
    ours.load_state_dict({name: mg.tensor(value.numpy()) for name, value in theirs.state_dict().items()})
    x = np.random.RandomState(1).standard_normal((5, 4)).astype(np.float32)
    ins, outs = [m.tensor(x, requires_grad=True) for m in (mg, torch)], []
    for m, net, inputs in zip((mg, torch), (ours, theirs), ins, strict=True):
        outs.append(net(inputs))
        (outs[-1] * m.from_numpy(x[:, :3].copy())).sum().backward()
    pairs = [(outs[0], outs[1].detach()), (ins[0].grad, ins[1].grad)]
    pairs += [(a.grad, b.grad) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True)]
    for a, b in pairs:
        np.testing.assert_allclose(a.array if isinstance(a, mg.Tensor) else a, b.numpy(), rtol=1e-5, atol=1e-6)
    back = {name: torch.from_numpy(value.array.copy()) for name, value in ours.state_dict().items()}
    assert str(theirs.load_state_dict(back)) == "<All keys matched successfully>"


@same_as_torch
def test_load_state_dict(m: Any) -> Any:
    net, other = network(m), network(m)
    m.nn.init.constant_(other.gain, 5.0)
    weight = net.first.weight
    loaded = net.load_state_dict(other.state_dict())
    partly = net.load_state_dict({"gain": m.zeros(3), "more": m.zeros(1)}, strict=False)
    exact = net.load_state_dict({name: value.double() for name, value in net.state_dict().items()})
    result = [repr(loaded), str(loaded), repr(partly)[:40], partly.missing_keys, partly.unexpected_keys, tuple(exact)]
    assert net.first.weight is weight
    given = OrderedDict((name, value.double()) for name, value in other.state_dict().items())
    net.requires_grad_(False)
    net.load_state_dict(given, assign=True)
    number = m.nn.Module()
    number.register_buffer("n", m.tensor(1.0))
    number.load_state_dict({"n": m.tensor([3.0])})  # one element for none, as old checkpoints have it
    norm = m.nn.BatchNorm1d(1)  # whose batches are not counted in old checkpoints
    result.append(repr(norm.load_state_dict({name: value for name, value in norm.state_dict().items() if "num" not in name})))
    return [*result, dict(net.state_dict()), type(net.gain) is m.nn.Parameter, net.gain.requires_grad, number.n]


def test_load_state_dict_says_all_that_is_wrong_at_once() -> None:
    def wrong(m: Any) -> Any:
        net = m.nn.Sequential(OrderedDict(a=m.nn.Linear(2, 3), b=m.nn.Linear(3, 1)))
        state = dict(net.state_dict(), extra=m.ones(1))
        state["a.weight"], state["b.weight"] = m.ones(2, 3), 3
        del state["b.bias"]
        before = copy.deepcopy(net.state_dict())
        errors = [message(net.load_state_dict, state), message(net.load_state_dict, state, strict=False)]
        return errors, before, net.state_dict()

    (ours, before, after), (theirs, _, _) = wrong(mg), wrong(torch)
    assert ours == theirs
    assert all(word in ours[0][1] for word in ("Missing", "Unexpected", "size mismatch", "received <class 'int'>"))
    for name in before:
        np.testing.assert_array_equal(before[name].array, after[name].array)  # nothing was loaded


# Copies ---------------------------------------------------------------------------------------------------------------


class Net(mg.nn.Module):
    """At the top of a file, so that it can be pickled."""

    def __init__(self) -> None:
        super().__init__()
        self.lin = mg.nn.Linear(3, 2)
        self.tied = self.lin
        self.register_buffer("count", mg.zeros(1), persistent=False)

    def forward(self, x: Any) -> Any:
        return self.tied(x)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_are_whole_and_apart(copied: Callable[[Net], Net]) -> None:
    net = Net().eval()
    twin, x = copied(net), data(mg, 4, 3)
    np.testing.assert_array_equal(twin(x).array, net(x).array)
    assert twin.tied is twin.lin
    assert type(twin.lin.weight) is mg.nn.Parameter
    assert twin.lin.weight.requires_grad
    assert not twin.training
    assert list(twin.state_dict()) == list(net.state_dict())
    twin.lin.weight.detach().fill_(0.0)
    assert net.lin.weight.array.any()


@same_as_torch
def test_shallow_copy_shares(m: Any) -> Any:
    net = m.nn.Linear(2, 2)
    twin = copy.copy(net)
    return [twin.weight is net.weight, twin.bias is net.bias]


# Containers -----------------------------------------------------------------------------------------------------------


@same_as_torch
def test_sequential(m: Any) -> Any:
    nn, seen = m.nn, []
    m.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    seen.append(net(data(m, 5, 4)))
    assert net.append(nn.Tanh()) is net
    assert net.insert(1, nn.Identity()) is net
    assert net.extend([nn.Sigmoid(), nn.ReLU6()]) is net
    seen += [repr(net), len(net), repr(net[1:4]), repr(net[-1]), type(net[:2]) is nn.Sequential, net[0] is net[:1][0]]
    net.insert(-1, nn.Softplus())
    net[1] = nn.ELU()
    del net[-1]
    del net[1:3]
    popped = net.pop(0)
    seen += [repr(net), repr(popped), repr(net + nn.Sequential(nn.Mish())), repr(net * 2), repr(2 * net)]
    net += nn.Sequential(nn.GELU())
    net *= 2
    seen += [repr(net), [type(each).__name__ for each in net], [name for name, _ in net.named_children()]]
    named = nn.Sequential(OrderedDict(lin=nn.Linear(2, 2), act=nn.ReLU()))
    seen += [repr(named), list(named.state_dict()), repr(named[:1]), named.lin is named[0], nn.Sequential()(3)]
    return seen


@same_as_torch
def test_module_list(m: Any) -> Any:
    nn, seen = m.nn, []
    layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()])
    seen += [repr(layers), len(layers), repr(layers[0]), repr(layers[1:]), repr(layers[-1]), list(layers.state_dict())]
    layers.append(nn.Tanh()).extend([nn.ReLU(), nn.Sequential(nn.ReLU())])
    layers.insert(1, nn.Sigmoid())
    layers[0] = nn.ELU()
    seen += [
        repr(layers),
        [type(each).__name__ for each in layers],
        repr(layers.pop(-1)),
        repr(layers + nn.ModuleList([nn.ReLU()])),
    ]
    del layers[0]
    del layers[1:3]
    layers += [nn.SiLU()]
    return [*seen, repr(layers), repr(nn.ModuleList()), nn.ReLU() in layers, layers[0] in layers, "0" in dir(layers)]


@same_as_torch
def test_module_list_grows_by_its_own_extend(m: Any) -> Any:
    class Counted(m.nn.ModuleList):  # type: ignore[misc]
        def extend(self, modules: Any) -> Any:
            self.calls = 1
            return super().extend(modules)

    layers = Counted()
    layers += [m.nn.Linear(1, 2)]
    return layers.calls, len(layers)


def test_a_module_of_a_function_is_named_where_its_arguments_do_not_fit() -> None:
    for cls in (mg.nn.AvgPool2d, mg.nn.AvgPool1d):
        with pytest.raises(TypeError, match=rf"^{cls.__name__}\(\): missing a required argument: 'kernel_size'"):
            cls()


@same_as_torch
def test_module_dict(m: Any) -> Any:
    nn = m.nn
    layers = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.ReLU()})
    layers["c"] = nn.Tanh()
    layers.update([("d", nn.ELU()), ["a", nn.Identity()]])
    layers.update(nn.ModuleDict({"e": nn.ReLU()}))
    seen = [
        repr(layers),
        len(layers),
        list(layers),
        list(layers.keys()),
        "a" in layers,
        "z" in layers,
        repr(layers["d"]),
    ]
    del layers["b"]
    seen += [repr(layers.pop("c")), [k for k, _ in layers.items()], [type(v).__name__ for v in layers.values()]]
    layers.clear()
    return [*seen, repr(layers), repr(nn.ModuleDict())]


# Layers ---------------------------------------------------------------------------------------------------------------

LAYERS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "Linear": (lambda nn: nn.Linear(4, 3), (5, 4)),
    "Linear without bias": (lambda nn: nn.Linear(4, 3, bias=False), (5, 4)),
    "Linear of images": (lambda nn: nn.Linear(4, 3), (2, 3, 4)),
    "Identity": (lambda nn: nn.Identity(3, unused=4), (2, 3)),
    "Flatten": (lambda nn: nn.Flatten(), (2, 3, 4)),
    "Flatten some": (lambda nn: nn.Flatten(0, -2), (2, 3, 4)),
    "Unflatten": (lambda nn: nn.Unflatten(1, (2, -1)), (3, 6)),
    "Unflatten by a list": (lambda nn: nn.Unflatten(-1, [2, 3]), (3, 6)),
    **{
        name: (lambda nn, name=name: getattr(nn, name)(), (3, 4))
        for name in (
            "ReLU",
            "ReLU6",
            "SELU",
            "SiLU",
            "Mish",
            "Sigmoid",
            "Tanh",
            "LogSigmoid",
            "Softsign",
            "LeakyReLU",
            "ELU",
            "Hardtanh",
            "GELU",
            "Softplus",
            "CELU",
            "Hardshrink",
            "Softshrink",
            "Tanhshrink",
            "Dropout",
        )
    },
    "LeakyReLU of a slope": (lambda nn: nn.LeakyReLU(0.2), (3, 4)),
    "ELU of a factor": (lambda nn: nn.ELU(2), (3, 4)),
    "Hardtanh of a range": (lambda nn: nn.Hardtanh(-0.5, 1), (3, 4)),
    "GELU by tanh": (lambda nn: nn.GELU("tanh"), (3, 4)),
    "Softplus of options": (lambda nn: nn.Softplus(2, 1.5), (3, 4)),
    "CELU of a factor": (lambda nn: nn.CELU(2.0), (3, 4)),
    "Threshold": (lambda nn: nn.Threshold(0.1, 20), (3, 4)),
    "Hardshrink of a width": (lambda nn: nn.Hardshrink(0.3), (3, 4)),
    "Softshrink of a width": (lambda nn: nn.Softshrink(0.3), (3, 4)),
    "PixelShuffle": (lambda nn: nn.PixelShuffle(2), (1, 8, 2, 3)),
    "PixelUnshuffle": (lambda nn: nn.PixelUnshuffle(2), (1, 2, 4, 6)),
    "Upsample to a size": (lambda nn: nn.Upsample((4, 5)), (1, 2, 3, 4)),
    "Upsample by a scale": (lambda nn: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), (1, 2, 3, 4)),
    "Upsample by scales": (lambda nn: nn.Upsample(None, (2, 1.5), "bilinear"), (1, 2, 3, 4)),
    "UpsamplingNearest2d": (lambda nn: nn.UpsamplingNearest2d(scale_factor=2), (1, 2, 3, 4)),
    "UpsamplingBilinear2d": (lambda nn: nn.UpsamplingBilinear2d(5), (1, 2, 3, 4)),
    "Dropout3d": (lambda nn: nn.Dropout3d(0.4), (2, 3, 2, 2, 2)),
    "AlphaDropout": (lambda nn: nn.AlphaDropout(0.3), (3, 4)),
    "AlphaDropout after training": (lambda nn: nn.AlphaDropout().eval(), (3, 4)),
    "FeatureAlphaDropout": (lambda nn: nn.FeatureAlphaDropout(0.4), (4, 5, 2)),
    "RReLU": (lambda nn: nn.RReLU(), (3, 4)), "RReLU of a range": (lambda nn: nn.RReLU(0.5, 0.7).eval(), (3, 4)),
    "ChannelShuffle": (lambda nn: nn.ChannelShuffle(2), (1, 4, 3)),
    "Softmax": (lambda nn: nn.Softmax(1), (3, 4)),
    "LogSoftmax": (lambda nn: nn.LogSoftmax(-1), (3, 4)),
    "Dropout of a probability": (lambda nn: nn.Dropout(0.2), (3, 4)),
    "Dropout of none": (lambda nn: nn.Dropout(0), (3, 4)),
    "Dropout of all": (lambda nn: nn.Dropout(1), (3, 4)),
    "Dropout after training": (lambda nn: nn.Dropout().eval(), (3, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
@same_as_torch
def test_layer(m: Any, name: str) -> Any:
    """The same first values, result, gradients, state and text, from the same seed."""
    make, shape = LAYERS[name]
    m.manual_seed(7)
    layer, x = make(m.nn), data(m, *shape).requires_grad_()
    out = layer(x)
    out.backward(data(m, *out.shape, seed=1))
    return [
        out,
        x.grad,
        dict(layer.state_dict()),
        [p.grad for p in layer.parameters()],
        repr(layer),
        out is x,
        m.rand(1),
    ]  # as many numbers were drawn


COMPOSED: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    **{
        f"{name}{ndim}d": (lambda nn, name=f"{name}{ndim}d", given=given: getattr(nn, name)(*given), (1, 2, 4, 5, 6)[: 2 + ndim])
        for name, *more in (("ZeroPad",), ("ConstantPad", 2.5), ("ReflectionPad",), ("ReplicationPad",), ("CircularPad",))
        for ndim, given in ((1, (2, *more)), (2, ((1, 0, 2, 1), *more)), (3, (1, *more)))
    },
    **{
        f"Conv{ndim}d, {mode}, {padding}": (
            lambda nn, ndim=ndim, mode=mode, padding=padding: getattr(nn, f"Conv{ndim}d")(2, 3, 3, 1, padding, 2, 1, True, mode),
            (2, 2, 5, 6)[: 2 + ndim],
        )
        for ndim, mode, padding in ((1, "reflect", 2), (2, "circular", "same"), (2, "replicate", (1, 2)), (2, "reflect", "valid"))
    },
    "LPPool1d": (lambda nn: nn.LPPool1d(2, 3), (2, 2, 7)), "LPPool2d": (lambda nn: nn.LPPool2d(2.0, (2, 3), 2, True), (2, 2, 6, 7)),
    "Conv1d of an even kernel": (lambda nn: nn.Conv1d(2, 3, 4, padding="same", padding_mode="reflect"), (2, 2, 6)),
    "LocalResponseNorm": (lambda nn: nn.LocalResponseNorm(3, 0.5), (2, 5, 3)),
    "ConvTranspose1d": (lambda nn: nn.ConvTranspose1d(2, 4, 3, 2, 1, 1, 2), (2, 2, 5)),
    "BatchNorm3d": (lambda nn: nn.BatchNorm3d(2), (2, 2, 3, 2, 3)),
    "InstanceNorm1d": (lambda nn: nn.InstanceNorm1d(2, affine=True, track_running_stats=True), (2, 2, 5)),
    "InstanceNorm1d of one sample": (lambda nn: nn.InstanceNorm1d(2, affine=True), (2, 5)),
    "InstanceNorm2d": (lambda nn: nn.InstanceNorm2d(2), (3, 2, 5, 4)),
    "InstanceNorm2d in evaluation": (lambda nn: nn.InstanceNorm2d(2, track_running_stats=True, momentum=0.3).eval(), (3, 2, 5, 4)),
    "InstanceNorm3d": (lambda nn: nn.InstanceNorm3d(2, 0.1), (2, 2, 3, 2, 3)),
}


@pytest.mark.parametrize("name", COMPOSED)
@same_as_torch
def test_composed_layer(m: Any, name: str) -> Any:
    """As `test_layer`, in float64, for layers whose results come from other nodes than torch's."""
    make, shape = COMPOSED[name]
    m.manual_seed(7)
    layer, x = make(m.nn).double(), data(m, *shape).double().requires_grad_()
    out = layer(x)
    out.backward(data(m, *out.shape, seed=1).double())
    return [out.detach(), x.grad, dict(layer.state_dict()), [p.grad for p in layer.parameters()], repr(layer), m.rand(1)]


IN_PLACE = {"ReLU": (), "ReLU6": (), "SELU": (), "SiLU": (), "Mish": (), "LeakyReLU": (0.1,), "ELU": (2.0,),
            "Hardtanh": (-1, 1), "Dropout": (0.3,), "CELU": (2.0,), "Threshold": (0.2, 1.5),
            "RReLU": (0.1, 0.3)}  # fmt: skip


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place(name: str) -> None:
    """It writes over its input, and gradients are those of the other form."""

    def outcome(m: Any) -> list[Any]:
        m.manual_seed(1)
        layer, leaf = getattr(m.nn, name)(*IN_PLACE[name], inplace=True), data(m, 3, 4).requires_grad_()
        x = leaf * 1
        y = layer(x)
        assert y is x
        y.backward(data(m, 3, 4, seed=1))
        with pytest.raises(RuntimeError, match="leaf"):
            layer(data(m, 2).requires_grad_())
        return [y.detach().numpy(), leaf.grad.numpy(), repr(layer)]

    ours, theirs = outcome(mg), outcome(torch)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5, atol=1e-6)
    assert ours[2] == theirs[2]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sizes", [(784, 10), (3, 2), (1, 1), (512, 512)])
def test_linear_starts_with_torchs_numbers(seed: int, sizes: tuple[int, int]) -> None:
    layers = []
    for m in (mg, torch):
        m.manual_seed(seed)
        layers.append([p.detach().numpy() for p in m.nn.Linear(*sizes).parameters()])
    for ours, theirs in zip(*layers, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert np.abs(ours).max() <= 1 / np.sqrt(np.float32(sizes[0]))


@same_as_torch
def test_linear_of_another_dtype(m: Any) -> Any:
    m.manual_seed(0)
    layer = m.nn.Linear(3, 2, dtype=m.float64, device="cpu")
    layer.reset_parameters()
    with pytest.warns(UserWarning, match="no-op"):
        nothing = m.nn.Linear(2, 0)
    vector = layer(data(m, 3).double()).detach()
    return [dict(layer.state_dict()), layer(data(m, 2, 3).double()), vector, nothing(m.ones(1, 2)), repr(nothing)]


@pytest.mark.parametrize("name", ["elu", "selu", "softplus", "logsigmoid", "silu", "gelu"])
@same_as_torch
def test_second_derivatives_far_out(m: Any, name: str) -> Any:
    """No exponential of a large number spoils them."""
    x = m.tensor([-1e3, -30.0, 0.5, 30.0, 1e3], dtype=m.float64, requires_grad=True)
    (first,) = m.autograd.grad(getattr(m.nn.functional, name)(x).sum(), x, create_graph=True)
    (second,) = m.autograd.grad((first * first).sum(), x)
    return [first.detach(), second]


@same_as_torch
def test_softmax_without_dim_warns(m: Any) -> Any:
    results = []
    for shape in ((3,), (2, 3), (2, 3, 2), (1, 2, 2, 2)):
        with pytest.warns(UserWarning, match="Implicit dimension choice for softmax"):
            results.append(m.nn.Softmax()(data(m, *shape)))
        with pytest.warns(UserWarning, match="Implicit dimension choice for log_softmax"):
            results.append(m.nn.functional.log_softmax(data(m, *shape)))
    return [*results, repr(m.nn.Softmax())]


@same_as_torch
def test_softmax_in_another_dtype(m: Any) -> Any:
    F, x = m.nn.functional, data(m, 2, 3).requires_grad_()
    return [
        F.softmax(x, 1, dtype=m.float64),
        F.log_softmax(x, dim=-1, dtype=m.float64),
        raised(F.softmax, m.ones(2).long(), 0),
        F.softmax(m.tensor([1, 2]), 0, dtype=m.float32),
        raised(F.log_softmax, m.ones(2).long(), 0),
    ]


# Dropout --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@same_as_torch
def test_dropout(m: Any, dtype: str) -> Any:
    """The same elements are dropped from the same seed, also of tensors that are not contiguous."""
    F, results = m.nn.functional, []
    m.manual_seed(11)
    for p in (0.1, 0.5, 0.9):
        x = data(m, 17, 30).to(getattr(m, dtype)).requires_grad_()
        out = F.dropout(x, p)
        out.sum().backward()
        results += [out, x.grad, F.dropout(x.detach().t(), p), F.dropout(x, p, training=False) is x]
    return [
        *results,
        F.dropout(m.ones(0, 3)),
        m.rand(2),
        raised(F.dropout, m.ones(2), 1.5),
        raised(F.dropout, m.ones(2).long()),
    ]


# The rest of functional -----------------------------------------------------------------------------------------------


@same_as_torch
def test_one_hot(m: Any) -> Any:
    F, t = m.nn.functional, m.tensor
    return [
        F.one_hot(t([1, 0, 3])),
        F.one_hot(t([[0], [2]]), 5),
        F.one_hot(t(2)),
        F.one_hot(t([]).long(), 3),
        raised(F.one_hot, t([-1, 2])),
        raised(F.one_hot, t([1, 2]), 2),
        raised(F.one_hot, t([1.0])),
        raised(F.one_hot, t([]).long()),
        raised(F.one_hot, t([1]), 0),
        raised(F.one_hot, t([1]).int()),
    ]


@same_as_torch
def test_normalize(m: Any) -> Any:
    F, x = m.nn.functional, data(m, 3, 4).requires_grad_()
    zero = m.zeros(2, 3).requires_grad_()
    results = [
        F.normalize(x),
        F.normalize(x, 1.0, 0),
        F.normalize(x, p=3.0, dim=-1),
        F.normalize(zero),
        F.normalize(x, dim=(0, 1)),
    ]
    sum((each * data(m, *each.shape, seed=2)).sum() for each in results).backward()
    return [*results, x.grad, zero.grad]


@same_as_torch
def test_cosine_similarity(m: Any) -> Any:
    F, x, y = m.nn.functional, data(m, 3, 4).requires_grad_(), data(m, 3, 4, seed=1).requires_grad_()
    results = [F.cosine_similarity(x, y), F.cosine_similarity(x, y[0], dim=-1), F.cosine_similarity(x, y, 0, eps=10.0)]
    sum((each * data(m, *each.shape, seed=2)).sum() for each in results).backward()
    return [results[0].detach(), results[1].detach(), results[2].detach(), x.grad, y.grad]


@same_as_torch
def test_a_bias_of_many_rows_or_of_another_dtype(m: Any) -> Any:
    x, w, b = m.ones(2, 3), m.ones(4, 3), m.zeros(2, 4, requires_grad=True)
    m.nn.functional.linear(x, w, b).sum().backward()
    return b.grad, raised(lambda: m.nn.functional.linear(x, w, m.zeros(4, dtype=m.float64)))


@pytest.mark.parametrize("module", ["Linear", "LSTM"])
def test_an_input_that_does_not_fit_is_what_the_message_names(module: str) -> None:
    for m in (mg, torch):
        net, x = getattr(m.nn, module)(3, 2), m.ones(1, 4, 3, dtype=m.float64)
        with pytest.raises((RuntimeError, ValueError), match=r"(?i)(have the same dtype.*(double|float64)|RNN input dtype)"):
            net(x[0] if module == "Linear" else x)
        with pytest.raises(RuntimeError, match="1x4 and 3x2" if module == "Linear" else "Expected 3, got 4"):
            net(x[..., :1].flatten(1).float() if module == "Linear" else m.ones(1, 2, 4))


def test_modules_that_are_functions_can_be_subclassed_and_say_what_they_take() -> None:
    def inherited(m: Any) -> Any:
        class Marked:
            def __init_subclass__(cls, mark: int = 0) -> None:
                cls.mark = mark

        class Mine(m.nn.ReLU, Marked, mark=3):
            pass

        return Mine.mark, repr(Mine(True))

    assert inherited(mg) == inherited(torch)
    for name in ("AvgPool1d", "AvgPool2d", "MaxPool2d", "ReLU", "Softplus", "Softmax", "Unfold"):
        ours, theirs = (inspect.signature(getattr(m.nn, name)).parameters.values() for m in (mg, torch))
        assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


@same_as_torch
def test_layers_of_two_inputs(m: Any) -> Any:
    m.manual_seed(3)
    x, y = (data(m, 4, n, seed=n).double().requires_grad_() for n in (3, 5))
    net = m.nn.Bilinear(3, 5, 2).double()
    found = [net(x, y), repr(net), m.nn.PairwiseDistance(1.0, keepdim=True)(x, x.flip(0)), repr(m.nn.PairwiseDistance())]
    sum(each.sum() for each in (found[0], found[2])).backward()
    return [x.grad, y.grad, dict(net.state_dict()), found[0].detach(), found[1], found[2].detach(), found[3]]


@same_as_torch
def test_layers_refuse(m: Any) -> Any:
    nn = m.nn
    return [
        raised(nn.Bilinear, 0, 1, 1), raised(nn.CircularPad1d(1), m.ones(2, 2, 3, 3)), raised(nn.ReflectionPad1d(3), m.ones(2, 3)),
        raised(nn.InstanceNorm1d(2), m.ones(2, 2, 2, 2)), raised(nn.InstanceNorm2d(3, affine=True), m.ones(1, 2, 2, 2)),
        raised(nn.InstanceNorm1d(2), m.ones(2, 2, 1)), raised(nn.BatchNorm3d(2), m.ones(2, 2, 2, 2)),
        raised(nn.ConvTranspose1d, 2, 2, 3, padding_mode="reflect"), raised(nn.ConvTranspose1d(1, 1, 2, 2), m.ones(1, 1, 3), [9]),
        raised(nn.Conv2d, 2, 2, 3, padding_mode="mirror"),
        raised(nn.Conv2d(1, 1, 3, padding=3, padding_mode="circular"), m.ones(1, 1, 2, 2)),
        raised(nn.ParameterList, 3), raised(nn.ParameterList, m.ones(2)), raised(nn.ParameterList(), 1),
        raised(nn.ParameterDict, 3),
        raised(nn.ParameterDict, [3]), raised(nn.ParameterDict, [(1, 2, 3)]), raised(nn.ParameterDict, {3: m.ones(1)}),
        raised(nn.ParameterDict(), 1), raised(lambda: nn.ParameterList([1])[1]), raised(nn.ParameterDict().popitem),
    ]  # fmt: skip


def test_instance_norm_of_other_channels_warns() -> None:
    for m in (torch, mg):
        with pytest.warns(UserWarning, match="does not match num_features"):
            m.nn.InstanceNorm1d(3)(data(m, 2, 2, 4))


@same_as_torch
def test_convolutions_transposed_to_a_size(m: Any) -> Any:
    m.manual_seed(0)
    net = m.nn.ConvTranspose1d(2, 1, 3, 3)
    return [net(data(m, 1, 2, 4), [n]) for n in (12, 13, 14)]


@same_as_torch
def test_parameter_list(m: Any) -> Any:
    nn = m.nn
    listed = nn.ParameterList([m.zeros(2, 3), nn.Parameter(m.ones(1))])
    listed.append(m.ones(2)).extend([3, "text"])
    listed += [m.zeros(())]
    listed[0] = m.full((2,), 5.0)
    listed[-1] = None
    return [
        repr(listed), len(listed), [type(each).__name__ for each in listed], list(listed.state_dict()), listed[-2], listed[0],
        repr(listed[1:3]), type(listed[::2]).__name__, [name for name, _ in listed.named_parameters()], repr(nn.ParameterList()),
        repr(nn.ParameterList([m.ones(1)])), "0" in dir(listed),
    ]  # fmt: skip


@same_as_torch
def test_parameter_dict(m: Any) -> Any:
    nn = m.nn
    named = nn.ParameterDict({"b": m.zeros(2, 3), "a": nn.Parameter(m.ones(1)), "c": 3})
    found = [list(named), repr(named), named["b"], [name for name, _ in named.named_parameters()], "a" in named, "z" in named]
    merged = named | nn.ParameterDict([("z", m.ones(1))])
    found += [list(merged), list(named), list(reversed(merged)), merged.popitem()[0], list(merged), merged.pop("c"), len(merged)]
    named |= {"d": m.ones(2)}
    del named["a"]
    found += [list(named.keys()), [type(v).__name__ for v in named.values()], [key for key, _ in named.items()]]
    found += [named.setdefault("b"), named.setdefault("e", m.zeros(1)), named.get("q"), named.get("q", 4), named.get("c")]
    found += [list(named.fromkeys(["x", "y"], 3)), list(named.copy()), list(named.state_dict()), repr(nn.ParameterDict())]
    named.clear()
    return [*found, len(named), list(named.parameters())]


OLDER = {
    "uniform": (), "normal": (0, 2), "constant": (3.0,), "xavier_uniform": (), "xavier_normal": (2.0,), "kaiming_uniform": (1.0,),
    "kaiming_normal": (), "eye": (),
}  # fmt: skip


@same_as_torch
def test_older_names(m: Any) -> Any:
    m.manual_seed(0)
    found = []
    for name, args in OLDER.items():
        with pytest.warns(FutureWarning, match=f"`nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`") as caught:
            found.append(getattr(m.nn.init, name)(m.empty(3, 4), *args))
        assert caught[0].filename == __file__
    p = m.ones(3, requires_grad=True)
    p.grad = m.ones(3)
    with pytest.warns(FutureWarning, match="clip_grad_norm` is now deprecated"):
        found.append(m.nn.utils.clip_grad_norm([p], 1.0))
    for name in ("upsample", "upsample_nearest", "upsample_bilinear"):
        with pytest.warns(UserWarning, match=f"`nn.functional.{name}` is deprecated"):
            found.append(getattr(m.nn.functional, name)(data(m, 1, 2, 3, 4), 5))
    return [*found, p.grad]


@same_as_torch
def test_functions_in_place(m: Any) -> Any:
    """Under names that end as those of methods do."""
    F, found = m.nn.functional, []
    for name, args in (("relu", ()), ("elu", (2.0,)), ("selu", ()), ("celu", (2.0,)), ("leaky_relu", (0.2,)),
                       ("hardtanh", (-0.5, 0.5)), ("threshold", (0.1, 3.0))):  # fmt: skip
        x = data(m, 3, 4)
        y = getattr(F, f"{name}_")(x, *args)
        found.append([y is x, y])
    return found


@same_as_torch
def test_hardtanh_by_its_older_names(m: Any) -> Any:
    with pytest.warns(FutureWarning, match="`min_value` is deprecated and renamed to `min_val`"):
        lower = m.nn.Hardtanh(min_value=-2)
    with pytest.warns(FutureWarning, match="`max_value` is deprecated and renamed to `max_val`"):
        upper = m.nn.Hardtanh(-3.0, max_value=0.5)
    return [repr(lower), repr(upper), upper(data(m, 5))]


@same_as_torch
def test_modules_under_dotted_names_and_other_types(m: Any) -> Any:
    net = m.nn.Sequential(m.nn.Sequential(m.nn.Linear(1, 1)), m.nn.BatchNorm1d(1))
    net.set_submodule("0.0", m.nn.ReLU(), strict=True)
    net.set_submodule("0.more", m.nn.Tanh())
    refused = [
        raised(net.set_submodule, "", m.nn.ReLU()), raised(net.set_submodule, "0", 3), raised(net.set_submodule, "0.x.y", net[1]),
        raised(net.set_submodule, "0.none", m.nn.ReLU(), True), raised(net.set_submodule, "1.weight", m.nn.ReLU()),
    ]  # fmt: skip
    assert net.type(m.float64) is net
    assert net.to(memory_format=m.contiguous_format) is net
    return [repr(net), refused, [t.dtype for t in net.state_dict().values()]]


@same_as_torch
def test_all_weights(m: Any) -> Any:
    nets = [m.nn.LSTM(2, 3, 2, bidirectional=True), m.nn.GRU(2, 3, bias=False)]
    names = [[net._all_weights, net._flat_weights_names] for net in nets]
    return [names, [[[tuple(w.shape) for w in layer] for layer in net.all_weights] for net in nets]]
