"""torch's own databases of modules and optimisers: every example in them that is for something that is here."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import compress, islice, zip_longest
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg

from .databases import module_db, optim_db

# What torch's databases have and minigrad has not.
NO_MODULES = {
    "AdaptiveAvgPool3d", "AdaptiveMaxPool3d", "AvgPool3d", "CTCLoss", "Conv3d", "ConvTranspose3d", "FractionalMaxPool2d",
    "FractionalMaxPool3d", "LPPool3d", "LazyConv3d", "LazyConvTranspose3d", "LinearCrossEntropyLoss", "MaxPool3d",
}  # fmt: skip
NO_OPTIMISERS = {"Adafactor", "Muon", "SparseAdam"}


def ours(x: Any, known: dict[Any, Any] | None = None) -> Any:
    """The same argument for minigrad; a tensor that occurs twice does so here, too."""
    known = {} if known is None else known
    if isinstance(x, torch.Tensor):
        if id(x) not in known:
            tensor = mg.tensor(x.detach().numpy()).requires_grad_(x.requires_grad)
            known[id(x)] = mg.nn.Parameter(tensor, x.requires_grad) if isinstance(x, torch.nn.Parameter) else tensor
        return known[id(x)]
    if type(x) in (list, tuple):
        return type(x)(ours(each, known) for each in x)
    if x in (torch.nn.functional.relu, torch.nn.functional.gelu):
        return getattr(mg.nn.functional, x.__name__)
    if isinstance(x, torch.nn.Module) or (isinstance(x, torch.dtype) and x.is_complex):
        raise NotImplementedError
    if isinstance(x, torch.dtype):
        return getattr(mg, str(x).removeprefix("torch."))
    return {key: ours(value, known) for key, value in x.items()} if isinstance(x, dict) else x


def flat(x: Any) -> list[Any]:
    """All tensors inside."""
    if isinstance(x, (torch.Tensor, mg.Tensor)):
        return [x]
    items = list(x.values()) if isinstance(x, dict) else x if isinstance(x, (list, tuple)) else []
    return [each for item in items for each in flat(item)]


def compare(mine: list[Any], theirs: list[Any]) -> None:
    for a, b in zip_longest(mine, theirs):
        assert (a is None) == (b is None)
        if b is not None:
            assert (tuple(a.shape), str(a.dtype), a.requires_grad) == (tuple(b.shape), str(b.dtype), b.requires_grad)
            np.testing.assert_allclose(a.array, b.detach().numpy(), rtol=1e-9, atol=1e-9)


def examples(info: Any, training: bool) -> Iterator[tuple[Any, Any]]:
    """Arguments to make the module, and to call it."""
    torch.manual_seed(0)
    all_of_them = info.module_inputs_func(info, device="cpu", dtype=torch.float64, requires_grad=True, training=training)
    few = info.module_cls.__name__ in ("Transformer", "TransformerDecoderLayer", "MultiheadAttention")  # they have hundreds
    for example in islice(all_of_them, 0, None, 5 if few else 1):
        call = example.forward_input
        yield (example.constructor_input.args, example.constructor_input.kwargs), call and (call.args, call.kwargs)


def made(m: Any, cls: Any, args: Any, kwargs: Any, training: bool) -> Any:
    m.manual_seed(1)
    net = cls(*args, **kwargs).double().train(training)
    m.manual_seed(2)
    return net


OPTIMISERS = {info.optim_cls.__name__: info for info in optim_db}
MODULES = {info.module_cls.__name__: info for info in module_db if "quant" not in info.module_cls.__module__}


def test_what_there_is() -> None:
    assert {name for name in MODULES if not hasattr(mg.nn, name)} == NO_MODULES
    assert {name for name in OPTIMISERS if not hasattr(mg.optim, name)} == NO_OPTIMISERS


@pytest.mark.filterwarnings("ignore")  # of either library
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("name", sorted(MODULES.keys() - NO_MODULES))
def test_modules(name: str, training: bool) -> None:
    """First values, text, results and gradients."""
    tried = 0
    for (args, kwargs), call in examples(MODULES[name], training):
        if kwargs.get("proj_size"):
            continue  # not here, and refused by name
        try:
            mine, given = ours([args, kwargs]), ours(call)
        except NotImplementedError:  # complex numbers, or a module as an argument
            continue
        theirs = made(torch, MODULES[name].module_cls, args, kwargs, training)
        lazy = name.startswith("Lazy")  # its parameters are drawn by the first call
        text = repr(theirs)
        start = {key: value if lazy else value.clone() for key, value in theirs.state_dict().items()}
        expected = theirs(*call[0], **call[1]) if call else None
        net = made(mg, getattr(mg.nn, name), *mine, training)
        assert repr(net) == text
        state = net.state_dict()
        assert list(state) == list(start)
        if not lazy:
            compare(list(state.values()), list(start.values()))
        if not call:
            continue
        tried += 1
        found = net(*given[0], **given[1])
        compare(flat(found), flat(expected))
        for each in (found, expected):
            roots = [x for x in flat(each) if x.requires_grad and x.numel() and bool(x.isfinite().all())]
            if roots:
                sum((x * x).sum() for x in roots).backward()
        leaves = [b.is_leaf for b in (*flat(call), *theirs.parameters())]
        compare([x.grad for x in compress((*flat(given), *net.parameters()), leaves)],
                [x.grad for x in compress((*flat(call), *theirs.parameters()), leaves)])  # fmt: skip
        compare(list(net.buffers()), list(theirs.buffers()))
    assert tried or name == "TransformerEncoder"  # all of whose examples need a module


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(OPTIMISERS.keys() - NO_OPTIMISERS))
def test_optimisers(name: str) -> None:
    """Several steps with each of the configurations."""
    info = OPTIMISERS[name]
    for example in info.optim_inputs_func(device="cpu", dtype=torch.float64):
        results, texts = [], []
        for m, kwargs in ((mg, ours(example.kwargs)), (torch, example.kwargs)):
            random = np.random.RandomState(0)
            params = [m.tensor(random.standard_normal(shape), dtype=m.float64).requires_grad_() for shape in ((3, 4), (5,), ())]
            opt = getattr(m.optim, name)(params, **kwargs)

            def closure(opt: Any = opt, params: Any = params) -> Any:
                opt.zero_grad()
                loss = sum((p**4).sum() + (p * p).sum() for p in params)
                loss.backward()
                return loss

            losses = [opt.step(closure).detach() for _ in range(2 if name == "LBFGS" else 8)]
            results.append([*params, *losses])
            texts.append(repr(opt))
        compare(*results)
        assert texts[0] == texts[1]


def refusal(cls: Any, made: Any, call: Any = None) -> type:
    """The type of the error that making an object raises, or calling it; `int` if none does."""
    try:
        result = cls(*made[0], **made[1])
        if call:
            result(*call[0], **call[1])
    except Exception as error:
        return type(error)
    return int


@pytest.mark.filterwarnings("ignore")
def test_wrong_modules() -> None:
    """What torch's modules refuse is refused, with the same type of error."""
    tried = 0
    for name in sorted(MODULES.keys() - NO_MODULES):
        info = MODULES[name]
        examples = info.module_error_inputs_func or (lambda *args, **kwargs: [])
        for example in examples(info, device="cpu", dtype=torch.float64, requires_grad=False, training=True):
            made, call = example.module_error_input.constructor_input, example.module_error_input.forward_input
            made, call = (made.args, made.kwargs), call and (call.args, call.kwargs)
            expected, given = refusal(info.module_cls, made, call), ours([made, call])
            assert issubclass(refusal(getattr(mg.nn, name), *given), expected), (name, made)
            tried += expected is not int
    assert tried > 50


@pytest.mark.filterwarnings("ignore")
def test_wrong_optimisers() -> None:
    """So is what torch's optimisers refuse."""
    tried = 0
    for name in sorted(OPTIMISERS.keys() - NO_OPTIMISERS):
        for example in OPTIMISERS[name].optim_error_inputs_func(device="cpu", dtype=torch.float64):
            wrong = example.optimizer_error_input
            params = [torch.zeros(1, requires_grad=True)] if wrong.params is None else wrong.params
            made = (params,), wrong.kwargs
            expected, given = refusal(OPTIMISERS[name].optim_cls, made), ours(made)
            if expected is int:
                continue  # refused by step()
            assert issubclass(refusal(getattr(mg.optim, name), given), expected), (name, wrong)
            tried += 1
    assert tried > 50
