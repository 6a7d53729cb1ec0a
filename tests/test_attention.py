"""Attention next to torch's: from the same seed the same weights, outputs, gradients and masks of dropout."""

from __future__ import annotations

import copy
import importlib
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg

from .twins import data, numpy, raised, same_as_torch, variable

pytestmark = pytest.mark.usefixtures("one_thread")

QUERIES, KEYS, BATCH, FEATURES, HEADS = 5, 7, 3, 8, 2
TOLERANCE = {"float32": (1e-5, 1e-6), "float64": (1e-10, 1e-11)}
OPTIONS: list[dict[str, Any]] = [
    {},
    {"bias": False},
    {"dropout": 0.4},
    {"kdim": 3, "vdim": 6},
    {"vdim": 3, "bias": False, "batch_first": True},
    {"add_bias_kv": True},
    {"add_zero_attn": True, "batch_first": True},
    {"add_bias_kv": True, "add_zero_attn": True, "kdim": 4, "dropout": 0.2},
]
MASKS = [(), ("attn_mask",), ("key_padding_mask",), ("attn_mask", "key_padding_mask"), ("heads", "key_padding_mask"), ("float",)]


def truth(m: Any, *shape: int) -> Any:
    """A mask that bars a third of the keys, but never the first."""
    array = np.random.RandomState(3).uniform(size=shape) < 0.33
    array[..., 0] = False
    return m.from_numpy(array)


def assert_close(ours: list[Any], theirs: list[Any], dtype: str) -> None:
    assert len(ours) == len(theirs)
    for a, e in zip(ours, theirs, strict=True):
        assert (a is None) == (e is None)
        if e is not None:
            assert (str(a.dtype), tuple(a.shape), a.requires_grad) == (str(e.dtype), tuple(e.shape), e.requires_grad)
            np.testing.assert_allclose(numpy(a), numpy(e), *TOLERANCE[dtype])


def module(m: Any, dtype: str = "float32", **options: Any) -> Any:
    m.manual_seed(5)
    return m.nn.MultiheadAttention(FEATURES, HEADS, **options, dtype=getattr(m, dtype))


def inputs(m: Any, net: Any, dtype: str, batched: bool = True) -> list[Any]:
    """Queries, keys and values, in the layout that the module takes."""
    sizes = [(QUERIES, FEATURES), (KEYS, net.kdim), (KEYS, net.vdim)]
    if not batched:
        return [variable(m, n, size, dtype=dtype, seed=i) for i, (n, size) in enumerate(sizes)]
    layouts = [(BATCH, n, size) if net.batch_first else (n, BATCH, size) for n, size in sizes]
    return [variable(m, *layout, dtype=dtype, seed=i) for i, layout in enumerate(layouts)]


def masks(m: Any, names: tuple[str, ...], dtype: str, batched: bool = True) -> dict[str, Any]:
    padding = truth(m, *([BATCH] * batched), KEYS)
    found = {
        "attn_mask": ("attn_mask", truth(m, QUERIES, KEYS)), "key_padding_mask": ("key_padding_mask", padding),
        "heads": ("attn_mask", truth(m, HEADS * (BATCH if batched else 1), QUERIES, KEYS)),
        "float": ("attn_mask", variable(m, QUERIES, KEYS, dtype=dtype, seed=9)),
    }  # fmt: skip
    return dict(found[name] for name in names)


def results_and_gradients(m: Any, net: Any, arguments: list[Any], options: dict[str, Any]) -> list[Any]:
    """Output and weights, and the gradients of a mixture of them by inputs, a mask of numbers, and every parameter."""
    m.manual_seed(7)  # of the masks of dropout
    output, weights = net(*arguments, **options)
    results = [output] if weights is None else [output, weights]
    directions = [data(m, *r.shape, dtype=str(r.dtype).removeprefix("torch."), seed=k) for k, r in enumerate(results)]
    wanted = [*arguments, *(x for x in options.values() if getattr(x, "requires_grad", False)), *net.parameters()]
    return [output, weights, *m.autograd.grad(results, wanted, directions)]


# The module -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_same_as_torch(options: dict[str, Any], dtype: str) -> None:
    """From one seed: parameters, repr, and in train and eval outputs, weights and gradients under every kind of mask."""
    theirs, ours = (module(m, dtype, **options) for m in (torch, mg))
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for a, e in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_array_equal(numpy(a), numpy(e))
    for number, names in enumerate(MASKS):
        for need_weights in (True, False):
            found = []
            training = bool(number % 2) == need_weights
            for m, net in ((mg, ours.train(training)), (torch, theirs.train(training))):
                called = {"need_weights": need_weights, "average_attn_weights": bool(number % 3), **masks(m, names, dtype)}
                found.append(results_and_gradients(m, net, inputs(m, net, dtype), called))
            assert_close(*found, dtype)


@pytest.mark.parametrize("options", [OPTIONS[3], OPTIONS[4], OPTIONS[7]], ids=str)
def test_without_a_batch(options: dict[str, Any]) -> None:
    for names in MASKS:
        for need_weights in (True, False):
            found = []
            for m in (mg, torch):
                net = module(m, "float64", **options)
                called = {"need_weights": need_weights, **masks(m, names, "float64", batched=False)}
                found.append(results_and_gradients(m, net, inputs(m, net, "float64", batched=False), called))
            assert_close(*found, "float64")


@pytest.mark.parametrize("batch_first", [True, False])
def test_self_attention_with_a_causal_hint(batch_first: bool) -> None:
    """One tensor in all three places; with the hint the mask need not be read. And the quick way of torch's without gradients."""
    for need_weights in (True, False):
        found = []
        for m in (mg, torch):
            net = module(m, dropout=0.3, batch_first=batch_first)
            x = variable(m, BATCH, QUERIES, FEATURES, dtype="float32")
            seen = m.ones(*[QUERIES if batch_first else BATCH] * 2, dtype=m.bool).triu(1)
            called = {"attn_mask": seen, "is_causal": True, "need_weights": need_weights}
            gradients = results_and_gradients(m, net, [x], {"key": x, "value": x, **called})
            with m.no_grad():
                found.append(gradients + list(net.eval()(x, x, x, **called)))
        assert_close(*found, "float32")


@pytest.mark.parametrize("need_weights", [True, False])
def test_second_derivatives(need_weights: bool) -> None:
    found = []
    for m in (mg, torch):
        net = module(m, "float64", add_bias_kv=True)
        arguments = inputs(m, net, "float64")
        wanted = [*arguments, *net.parameters()]
        kernels = [torch.nn.attention.SDPBackend.MATH]  # torch's other kernel has no second derivative
        with torch.nn.attention.sdpa_kernel(kernels):
            output, _ = net(*arguments, need_weights=need_weights)
            first = m.autograd.grad((output * output).sum(), wanted, create_graph=True)
            second = m.autograd.grad(sum((g * g).sum() for g in first), wanted)
        found.append([g.detach() for g in (*first, *second)])
    assert_close(*found, "float64")


def test_a_query_that_may_look_at_nothing() -> None:
    """nan where the weights are asked for, zeros (and the bias of the projection) otherwise, as in torch."""
    for need_weights in (True, False):
        found = []
        for m in (mg, torch):
            net = module(m)
            called = {"attn_mask": m.ones(QUERIES, KEYS, dtype=m.bool), "need_weights": need_weights}
            found.append(results_and_gradients(m, net, inputs(m, net, "float32"), called))
        assert_close(*found, "float32")
        assert bool(found[0][0].isnan().any()) == need_weights


def test_state_dict_both_ways() -> None:
    for options in OPTIONS:
        theirs, ours = (m.nn.MultiheadAttention(FEATURES, HEADS, **options) for m in (torch, mg))
        before = {k: v.clone() for k, v in theirs.state_dict().items()}
        ours.load_state_dict({k: mg.from_numpy(v.numpy().copy()) for k, v in before.items()})
        for parameter in theirs.parameters():
            torch.nn.init.zeros_(parameter)
        theirs.load_state_dict({k: torch.from_numpy(v.numpy()) for k, v in copy.deepcopy(ours).state_dict().items()})
        for key, value in theirs.state_dict().items():
            np.testing.assert_array_equal(value.numpy(), before[key].numpy())


# The function, by the kernel that torch chooses ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_function_as_torch_computes_it_fastest(dtype: str) -> None:
    """The table of operations has all arguments next to torch's plain kernel; here the one for four dimensions."""
    for names, causal in ((("attn_mask",), False), ((), True), (("attn_mask",), True), (("float",), False)):
        found = []
        for m in (mg, torch):
            tensors = [variable(m, BATCH, HEADS, n, 4, dtype=dtype, seed=n) for n in (QUERIES, KEYS, KEYS)]
            mask = {k: v.detach() for k, v in masks(m, names, dtype).items()}
            out = m.nn.functional.scaled_dot_product_attention(*tensors, **mask, is_causal=causal)
            found.append([out, *m.autograd.grad((out * out).sum(), tensors)])
        assert_close(*found, dtype)


# What is refused -------------------------------------------------------------------------------------------------------


def test_refused_arguments() -> None:
    for arguments in ((0, 2), (8, 0), (8, 3)):
        errors = [raised(m.nn.MultiheadAttention, *arguments) for m in (mg, torch)]
        assert errors[0] == errors[1] != "nothing", arguments


def test_refused_inputs() -> None:
    def errors(m: Any) -> dict[str, str]:
        net, other = m.nn.MultiheadAttention(8, 2), m.nn.MultiheadAttention(8, 2, kdim=3)
        q, k = m.zeros(5, 3, 8), m.zeros(7, 3, 8)
        wrong: dict[str, tuple[Any, ...]] = {
            "1D": (net, q[0, 0], k, k), "4D": (net, q[None], k, k), "key 2D": (net, q, k[0], k), "value 2D": (net, q, k, k[0]),
            "features": (net, q[..., :4], k, k), "values": (net, q, k, k[:5]), "features of keys": (net, q, k[..., :4], k),
            "batch of values": (other, q, k[..., :3], k[:, :2]), "kdim": (other, q, k, k), "float64": (net, q.double(), k, k),
            "padding 1D": (net, q, k, k, m.zeros(7)), "padding size": (net, q, k, k, m.zeros(3, 6)),
            "padding int": (net, q, k, k, m.zeros(3, 7).long()), "padding 2D": (net, q[0], k[0], k[0], m.zeros(1, 3)),
            "mask 1D": (net, q, k, k, None, True, m.zeros(7)), "mask size": (net, q, k, k, None, True, m.zeros(5, 6)),
            "mask 3D": (net, q, k, k, None, True, m.zeros(3, 5, 7)), "mask int": (net, q, k, k, None, True, m.zeros(5, 7).long()),
            "hint": (net, q, k, k, None, True, None, True, True),
        }  # fmt: skip
        return {name: raised(*call) for name, call in wrong.items()}

    expected = errors(torch)
    assert "nothing" not in expected.values()
    assert errors(mg) == expected


# ---- how the result lies in memory -------------------------------------------------------------------------------------------


@same_as_torch
def test_result_lies_in_memory_as_the_query(m: Any) -> Any:
    attention, kernels = m.nn.functional.scaled_dot_product_attention, importlib.import_module(f"{m.__name__}.nn.attention")

    def heads(*shape: int) -> Any:
        return m.arange(float(np.prod(shape))).remainder(7).div(8).reshape(shape).transpose(1, 2)

    x, plain, square = heads(2, 5, 3, 4), heads(2, 5, 3, 4).contiguous(), m.zeros(5, 5)
    chunks = [each.view(2, 5, 3, 4).transpose(1, 2) for each in heads(2, 36, 5).chunk(3, -1)]
    learned = m.zeros(5, 5, requires_grad=True)
    results = [
        attention(x, x, x), attention(x, plain, plain), attention(plain, x, x), attention(*chunks), attention(x, x, x, square),
        attention(x, x, x, square > 1), attention(x, x, x, is_causal=True), attention(x.double(), x.double(), x.double()),
        attention(x, x, x, learned), attention(x, x, x, dropout_p=0.5), attention(x, x, heads(2, 5, 3, 6)),
        attention(x, heads(2, 7, 3, 4), heads(2, 7, 3, 4)), attention(heads(2, 5, 6, 4), x, x, enable_gqa=True),
        attention(heads(1, 5, 3, 4).expand(2, 3, 5, 4), x, x), attention(*[heads(5, 2, 3, 4).permute(2, 0, 1, 3)] * 3),
        attention(*[heads(2, 3, 4, 5).contiguous().transpose(2, 3).transpose(1, 2)] * 3), attention(x[0], x[0], x[0]),
    ]
    with kernels.sdpa_kernel(kernels.SDPBackend.MATH):
        results.append(attention(x, x, x))
    m.manual_seed(0)
    dropped = m.nn.functional.dropout(attention(x, x, x), 0.5)  # draws in the order of memory
    x = x.double()
    leaf = x.detach().requires_grad_()
    attention(leaf, x, x).transpose(1, 2).view(2, 5, 12).cos().sum().backward()
    return [each.stride() for each in results], dropped, leaf.grad


# ---- which kernel ----------------------------------------------------------------------------------------------------------


@same_as_torch
def test_only_kernels_that_a_cpu_has(m: Any) -> Any:
    kernels = importlib.import_module(f"{m.__name__}.nn.attention")
    x, backend = variable(m, 1, 2, 3, 4), kernels.SDPBackend

    def under(backends: Any) -> Any:
        with kernels.sdpa_kernel(backends) as given:
            return m.nn.functional.scaled_dot_product_attention(x, x, x).detach(), bool(given)

    def refused() -> Any:
        with kernels.sdpa_kernel(backend.EFFICIENT_ATTENTION):
            first = raised(m.nn.functional.scaled_dot_product_attention, x, x, x)
            return first, under(backend.MATH), raised(m.nn.functional.scaled_dot_product_attention, x, x, x)

    return ([(name, each.value, str(each)) for name, each in backend.__members__.items()],
            under(backend.MATH), under([backend.FLASH_ATTENTION, backend.EFFICIENT_ATTENTION]), refused(), under(backend.MATH),
            *(raised(under, wrong) for wrong in ([], backend.EFFICIENT_ATTENTION, [backend.CUDNN_ATTENTION], "MATH", ["MATH"])))
