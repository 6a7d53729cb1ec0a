"""Convolutions and pooling: against the same mathematics from plainer operations, as modules, and how images lie in memory.

Values and derivatives of each function are compared with torch by the table of operations (`operations_window.py`).
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg
from minigrad.ops import products
from minigrad.ops.windows import Windows, fold, place, unfold

from .twins import data, exact, outcome, raised, same_as_torch, with_gradient

# The composed twins ---------------------------------------------------------------------------------------------------


def by_columns(x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    """conv2d from `unfold`, a matrix product and shapes: what torch's documentation says of it."""
    F = mg.nn.functional
    parts = []
    for image, kernel in zip(x.chunk(groups, 1), weight.chunk(groups, 0), strict=True):
        columns = F.unfold(image, tuple(weight.shape[2:]), dilation, padding, stride)
        parts.append(kernel.reshape(kernel.shape[0], -1) @ columns)
    size = F.conv2d(x, weight, None, stride, padding, dilation, groups).shape[2:]
    return mg.cat(parts, 1).reshape(x.shape[0], weight.shape[0], *size) + bias.reshape(-1, 1, 1)


@pytest.mark.parametrize("options", [(1, 0, 1, 1), (2, 1, 1, 1), ((2, 1), (0, 2), (1, 2), 2), (1, 1, 2, 4), (3, 2, 1, 1)], ids=str)
@pytest.mark.parametrize("channels", [4, 16])
def test_conv2d_is_unfold_and_a_product(channels: int, options: tuple[Any, ...]) -> None:
    x, bias = data(mg, 3, channels, 7, 6).requires_grad_(), data(mg, 8).requires_grad_()
    weight = data(mg, 8, channels // options[3], 3, 2, seed=1).requires_grad_()
    results = [f(x, weight, bias, *options) for f in (mg.nn.functional.conv2d, by_columns)]
    np.testing.assert_allclose(results[0].array, results[1].array, 1e-12, 1e-12)
    direction = data(mg, *results[0].shape, seed=2)
    first = [mg.autograd.grad(y, [x, weight, bias], direction, create_graph=True) for y in results]
    for a, b in zip(*first, strict=True):
        np.testing.assert_allclose(a.array, b.array, 1e-12, 1e-12)
    second = [mg.autograd.grad(sum((g * g).sum() for g in gradients), [x, weight]) for gradients in first]
    for a, b in zip(*second, strict=True):
        np.testing.assert_allclose(a.array, b.array, 1e-11, 1e-11)


def test_conv_transpose2d_is_the_derivative_of_conv2d() -> None:
    """By its definition: the transposed convolution of g is the gradient of the convolution with respect to its input."""
    F = mg.nn.functional
    for stride, padding, dilation, groups in ((1, 0, 1, 1), (2, 1, 1, 2), (3, 2, 2, 1)):
        x, weight = data(mg, 2, 4, 11, 9).requires_grad_(), data(mg, 6, 4 // groups, 3, 2, seed=1)
        y = F.conv2d(x, weight, None, stride, padding, dilation, groups)
        g = data(mg, *y.shape, seed=2)
        (expected,) = mg.autograd.grad(y, x, g)
        smallest = F.conv_transpose2d(g, weight, None, stride, padding, 0, groups, dilation).shape
        extra = tuple(n - m for n, m in zip(x.shape[2:], smallest[2:], strict=True))
        actual = F.conv_transpose2d(g, weight, None, stride, padding, extra, groups, dilation)
        np.testing.assert_allclose(actual.array, expected.array, 1e-12, 1e-12)


def taps_of(x: Any, kernel: int, stride: int, padding: int, fill: float) -> Any:
    """The windows of an image in one last dimension, by slices."""
    x = mg.nn.functional.pad(x, (padding,) * 4, value=fill)
    height, width = ((n - kernel) // stride + 1 for n in x.shape[2:])
    parts = [x[:, :, i : i + height * stride : stride, j : j + width * stride : stride][:, :, :height, :width]
             for i in range(kernel) for j in range(kernel)]  # fmt: skip
    return mg.stack(parts, -1)


@pytest.mark.parametrize("options", [(2, 2, 0), (3, 2, 1), (2, 1, 1), (2, 3, 0)], ids=str)
def test_pooling_is_a_reduction_of_windows(options: tuple[int, int, int]) -> None:
    kernel, stride, padding = options
    x = data(mg, 2, 3, 7, 8).requires_grad_()
    pairs = [
        (mg.nn.functional.avg_pool2d(x, kernel, stride, padding), taps_of(x, *options, 0.0).mean(-1)),
        (mg.nn.functional.max_pool2d(x, kernel, stride, padding), taps_of(x, *options, -np.inf).max(-1).values),
    ]
    for fast, plain in pairs:
        np.testing.assert_allclose(fast.array, plain.array, 1e-12)
        g = data(mg, *fast.shape, seed=2)
        (a,), (b,) = (mg.autograd.grad(y, x, g) for y in (fast, plain))
        np.testing.assert_allclose(a.array, b.array, 1e-12, 1e-15)


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("placing", [
    ((6, 7), (3, 3), (1, 1), (1, 1), (0, 0), (4, 5)), ((6, 7), (3, 2), (2, 3), (1, 1), (1, 0), (3, 2)),
    ((6, 7), (2, 3), (2, 1), (3, 2), (1, 1), (2, 5)), ((1, 5), (1, 2), (1, 3), (1, 1), (0, 0), (1, 2)),
    ((4, 4), (1, 1), (1, 1), (1, 1), (0, 0), (4, 4)),
], ids=str)  # fmt: skip
def test_unfold_and_fold_are_each_others_transpose(placing: tuple[Any, ...], last: bool) -> None:
    """⟨unfold x, y⟩ = ⟨x, fold y⟩; neither changes its input."""
    windows = Windows(*placing)
    x, y = data(mg, 2, 3, *windows.size).array, data(mg, 2, 3, *windows.kernel, *windows.out, seed=1).array
    copies = x.copy(), y.copy()
    left, right = (unfold(x, windows, last) * y).sum(), (x * fold(y, windows, last)).sum()
    assert left == pytest.approx(right, rel=1e-12)
    np.testing.assert_array_equal(x, copies[0])
    np.testing.assert_array_equal(y, copies[1])


# Memory ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize(("stride", "dilation", "padding"), [(1, 1, 0), (1, 1, 1), (1, 2, 2), (2, 1, 1), (3, 2, 0), (1, 1, 3)])
def test_each_faster_form_of_a_product_is_the_plain_one(
    stride: int, dilation: int, padding: int, last: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The products of `ops/products.py`, on many channels, few, and one of each group."""
    monkeypatch.setattr(products, "CACHED", 2**10)  # so that there are lots
    random = np.random.RandomState(0)
    windows = place("conv2d", (9, 8), (3, 2), stride, padding, dilation)
    windows.last = last
    x, weight, y = (random.standard_normal(shape) for shape in ((5, 4, 9, 8), (6, 4, 3, 2), (5, 6, *windows.out)))
    image, weights, source = (getattr(products, name) for name in ("convolve", "weigh", "spread"))

    def same(a: Any, b: Any) -> None:
        np.testing.assert_allclose(a, b, 1e-12, 1e-12)

    same(products.in_lots(x, weight, windows), image(x, weight, windows))
    same(products.weigh_in_lots(x, y, windows), weights(x, y, windows))
    same(products.interleave(y, weight, windows), source(y, weight, windows))
    same(products.source(y, weight, windows), source(y, weight, windows))
    if stride == 1 and padding < 3:
        same(products.spread_turned(y, weight, windows), source(y, weight, windows))
    assert len(products._lots(x, windows)) == (5 if last else 1)

    each, one = weight[:4, :1], y[:, :4]
    alone = [slice(c, c + 1) for c in range(4)]
    same(products.convolve_each(x, each, windows), np.concatenate([image(x[:, c], each[c], windows) for c in alone], 1))
    same(products.weigh_each(x, one, windows), np.concatenate([weights(x[:, c], one[:, c], windows) for c in alone]))
    same(products.spread_each(one, each, windows), np.concatenate([source(one[:, c], each[c], windows) for c in alone], 1))


@same_as_torch
def test_more_zeros_around_an_image_than_windows_reach(m: Any) -> Any:
    x, weight = data(m, 2, 20, 3, 3).requires_grad_(), data(m, 4, 20, 1, 1, seed=1).requires_grad_()
    y = m.nn.functional.conv2d(x, weight, padding=2)
    (y * y).sum().backward()
    return y, x.grad, weight.grad


@same_as_torch
def test_the_result_of_a_convolution_can_be_viewed(m: Any) -> Any:
    """Its channels lie last in memory here; where torch gives a view, there is one."""
    F = m.nn.functional
    x, w = data(m, 2, 3, 6, 6).requires_grad_(), data(m, 8, 3, 3, 3, seed=1).requires_grad_()
    y = F.relu(F.conv2d(x, w, stride=2, padding=1))
    z = y.view(2, -1)
    direction = data(m, 2, 72, seed=2)
    flat = F.max_pool2d(F.conv2d(x, w), 2).flatten(1)
    parts = F.conv2d(x, w).view(2, 2, 4, 16), F.conv1d(x.flatten(2), w.flatten(2)).view(2, -1)
    grads = m.autograd.grad([z, flat, *parts], [x, w], [direction, flat.detach(), *(m.ones_like(p) for p in parts)])
    return [y, z, flat, *parts, *grads]


@same_as_torch
def test_a_view_of_the_result_of_a_convolution_shares_its_memory(m: Any) -> Any:
    F = m.nn.functional
    x, w = data(m, 2, 3, 6, 6), data(m, 8, 3, 3, 3, seed=1).requires_grad_()
    y = F.conv2d(x, w)
    z = y.view(2, -1)
    z.mul_(2)
    f = F.conv2d(x, w)
    f.flatten(1).add_(1)
    return [y, z, f, *m.autograd.grad((y * y).sum() + (f * f).sum(), w)]


@same_as_torch
def test_what_lies_in_another_order_for_other_reasons_is_not_viewed(m: Any) -> Any:
    image = data(m, 2, 6, 6, 3).permute(0, 3, 1, 2)
    return [raised(image.view, 2, -1), raised(image.view, -1), image.view(2, 3, 6, 6), m.nn.functional.max_pool2d(image, 2)]


@same_as_torch
def test_inputs_may_lie_in_memory_as_they_like(m: Any) -> Any:
    F = m.nn.functional
    x, w = data(m, 4, 6, 5, 3), data(m, 6, 3, 5, 4, seed=1).permute(3, 1, 0, 2)
    images = [x.permute(0, 3, 1, 2)[:, :, ::2, 1:], x.transpose(1, 3)[1:], x[:1].permute(0, 3, 1, 2).expand(2, 3, 6, 5),
              m.ones(1, 1, 1, 1, dtype=m.float64).expand(2, 3, 6, 5)]  # fmt: skip
    pooled = [f(image, 2) for image in images for f in (F.max_pool2d, F.avg_pool2d, F.adaptive_avg_pool2d, F.unfold)]
    return [*(F.conv2d(image, w[:, :, :2, :2]) for image in images), *pooled]


def test_what_is_read_only_is_read() -> None:
    a = np.ones((1, 2, 4, 4), np.float32)
    a.flags.writeable = False
    x, w = mg.from_numpy(a.copy()), mg.ones(2, 2, 1, 1)
    x.array = a
    assert mg.nn.functional.conv2d(x, w).sum().item() == 64
    assert mg.nn.functional.max_pool2d(x, 1).add_(1).sum().item() == 64


@same_as_torch
def test_a_result_is_no_view_of_its_input(m: Any) -> Any:
    F = m.nn.functional
    x = data(m, 2, 3, 4, 4)
    w = m.ones(3, 3, 1, 1, dtype=m.float64)
    for y in (F.max_pool2d(x, 1), F.avg_pool2d(x, 1), F.unfold(x, 1), F.fold(F.unfold(x, 1), 4, 1), F.conv2d(x, w)):
        y.zero_()
    return x


@same_as_torch
def test_results_may_be_changed_in_place(m: Any) -> Any:
    F = m.nn.functional
    x, w = data(m, 2, 3, 6, 6).requires_grad_(), data(m, 8, 3, 3, 3, seed=1).requires_grad_()
    y = F.conv2d(x, w, data(m, 8))
    y = F.relu(F.max_pool2d(F.relu(y, inplace=True), 2), inplace=True)
    return [y, *m.autograd.grad((y * y).sum(), [x, w])]


@same_as_torch
def test_what_backward_reads_may_not_be_changed(m: Any) -> Any:
    """The weights for the gradient of the image, and the other way; what is not read may be."""
    F = m.nn.functional
    outcomes = []
    for convolve, size in ((F.conv2d, 3), (F.conv_transpose2d, 4)):
        for wanted, changed in ((0, 1), (1, 0), (0, 2), (1, 2), (2, 2)):
            tensors = [data(m, 1, 3, 5, 5), data(m, 4 if size == 3 else 3, size, 3, 3, seed=1), data(m, 4, seed=2)]
            tensors[wanted].requires_grad_()
            y = convolve(*tensors)
            with m.no_grad():
                tensors[changed].mul_(2)
            outcomes.append((size, wanted, changed, raised(y.sum().backward)))
    return outcomes


# Modules --------------------------------------------------------------------------------------------------------------

IMAGE, SIGNAL = (2, 4, 9, 8), (2, 4, 11)
MODULES: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = [
    ("Conv2d", (4, 6, 3), {}, IMAGE),
    ("Conv2d", (4, 6, (3, 2)), {"stride": (2, 1), "padding": (1, 0), "dilation": 2, "groups": 2, "bias": False}, IMAGE),
    ("Conv2d", (4, 6, 3), {"padding": "same"}, IMAGE),
    ("Conv2d", (4, 6, 3), {"padding": 1, "groups": 2}, IMAGE[1:]),
    ("Conv1d", (4, 6, 3), {"stride": 2, "padding": 1}, SIGNAL),
    ("Conv1d", (4, 8, 3), {"padding": "valid", "groups": 4}, SIGNAL),
    ("ConvTranspose2d", (4, 6, 3), {}, IMAGE),
    ("ConvTranspose2d", (4, 6, 3), {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2, "bias": False}, IMAGE),
    ("ConvTranspose2d", (4, 6, (2, 3), 2, 0, (1, 0), 1, True, (1, 2)), {}, IMAGE[1:]),
    ("MaxPool2d", (2,), {}, IMAGE),
    ("MaxPool2d", ((2, 3),), {"stride": 1, "padding": 1, "dilation": 2, "ceil_mode": True, "return_indices": True}, IMAGE),
    ("MaxPool1d", (3, 2, 1), {}, SIGNAL),
    ("AvgPool2d", (2,), {}, IMAGE),
    ("AvgPool2d", (3,), {"stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False}, IMAGE),
    ("AvgPool2d", ((2, 3), (1, 2)), {"divisor_override": 3}, IMAGE),
    ("AvgPool1d", (3,), {"stride": 2, "padding": 1, "count_include_pad": False}, SIGNAL),
    ("AdaptiveAvgPool1d", (3,), {}, SIGNAL),
    ("AdaptiveAvgPool2d", (1,), {}, IMAGE),
    ("AdaptiveAvgPool2d", ((None, 3),), {}, IMAGE),
    ("AdaptiveMaxPool1d", (3,), {}, SIGNAL),
    ("AdaptiveMaxPool2d", ((2, 3),), {"return_indices": True}, IMAGE),
    ("Unfold", (3,), {"padding": 1}, IMAGE),
    ("Unfold", ((2, 3),), {"dilation": (1, 2), "stride": 2}, IMAGE),
    ("Fold", ((5, 6), 2), {}, (2, 8, 20)),
]
ATTRIBUTES = [
    "in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "transposed", "output_padding", "groups",
    "padding_mode", "ceil_mode", "return_indices", "count_include_pad", "divisor_override", "output_size", "training",
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "options", "shape"), MODULES, ids=str)
@same_as_torch
def test_module(m: Any, name: str, arguments: tuple[Any, ...], options: dict[str, Any], shape: tuple[int, ...]) -> Any:
    """Printed text, attributes, first weights, results and gradients, in training and evaluation."""
    m.manual_seed(5)
    module = getattr(m.nn, name)(*arguments, **options).double()
    x = data(m, *shape).requires_grad_()
    found = []
    for mode in (True, False):
        results = module.train(mode)(x)
        results = results if isinstance(results, tuple) else (results,)
        wanted = [x, *module.parameters()]
        found += [*results, *m.autograd.grad(results[0], wanted, m.ones_like(results[0]))]
    attributes = [getattr(module, each, "has none") for each in ATTRIBUTES]
    return [repr(module), attributes, dict(module.state_dict()), found]


@pytest.mark.parametrize("direction", ["to torch", "from torch"])
@pytest.mark.parametrize(("name", "arguments"), [("Conv1d", (4, 6, 3)), ("Conv2d", (4, 6, 3)), ("ConvTranspose2d", (4, 6, 3))])
def test_state_crosses(name: str, arguments: tuple[int, ...], direction: str) -> None:
    ours, theirs = (getattr(m.nn, name)(*arguments) for m in (mg, torch))
    x = np.random.RandomState(0).standard_normal((2, 4, 8) + (8,) * (name != "Conv1d")).astype(np.float32)
    if direction == "to torch":
        theirs.load_state_dict({key: torch.from_numpy(value.numpy().copy()) for key, value in ours.state_dict().items()})
    else:
        ours.load_state_dict({key: mg.from_numpy(value.numpy()) for key, value in theirs.state_dict().items()})
    np.testing.assert_allclose(ours(mg.from_numpy(x)).array, theirs(torch.from_numpy(x)).detach().numpy(), 1e-5, 1e-6)


@same_as_torch
def test_options_can_be_changed_later(m: Any) -> Any:
    m.manual_seed(1)
    conv, pool = m.nn.Conv2d(4, 2, 3), m.nn.AvgPool2d(2)
    conv.stride, conv.padding, pool.stride = (2, 2), (1, 1), 1
    return [pool(conv(data(m, *IMAGE, dtype="float32"))), repr(m.nn.Sequential(conv, pool))]


@same_as_torch
def test_output_size_of_a_transposed_convolution(m: Any) -> Any:
    m.manual_seed(1)
    conv, x = m.nn.ConvTranspose2d(4, 2, 3, stride=2), data(m, 1, 4, 5, 5, dtype="float32")
    return [conv(x), conv(x, output_size=(12, 11)), conv(x, (1, 2, 12, 12)), raised(conv, x, (13, 12)), raised(conv, x, (12, 10))]


# Errors ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "arguments", "options"), [
    ("Conv2d", (4, 6, 3), {"groups": 3}), ("Conv2d", (4, 6, 3), {"groups": 0}), ("Conv2d", (4, 6, 3), {"groups": 4}),
    ("Conv2d", (4, 6, 3), {"padding": "some"}), ("Conv2d", (4, 6, 3), {"padding": "same", "stride": 2}),
    ("Conv2d", (4, 6, 3), {"padding_mode": "mirror"}), ("ConvTranspose2d", (4, 6, 3), {"padding_mode": "reflect"}),
    ("Conv2d", (4, -6, 3), {}), ("Conv2d", (4, 6, 3.0), {}), ("Conv2d", (4, 6, "3"), {}), ("Conv2d", (4, 6), {}),
], ids=str)  # fmt: skip
@same_as_torch
def test_what_no_layer_can_be(m: Any, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return raised(getattr(m.nn, name), *arguments, **options)


CALLS: list[tuple[Callable[..., Any], str]] = [
    (lambda F, x: F.conv2d(x, x[:, :3]), "expected input [2, 4, 6, 6] to have 3 channels, but got 4"),
    (lambda F, x: F.conv2d(x, x, x[0, 0, 0, :1]), "expected bias to be 1-dimensional with 2 elements, but got bias of size [1]"),
    (lambda F, x: F.conv2d(x, x.double()), "should be the same"),
    (lambda F, x: F.conv2d(x[:, :, :5], x), "do not fit into an input of size [5, 6]"),
    (lambda F, x: F.conv2d(x, x, stride=(1, 2, 3)), "a list of 2 values"),
    (lambda F, x: F.conv2d(x, x, padding="some"), "Invalid padding string: 'some'"),
    (lambda F, x: F.max_pool2d(x, 7), "Output size is too small"),
    (lambda F, x: F.max_pool2d(x, 2, padding=2), "at most half of effective kernel size"),
    (lambda F, x: F.fold(x[0], (6, 6), 2), "number of sliding blocks, 25, but got [4, 6, 6]"),
]


@pytest.mark.parametrize(("call", "words"), CALLS, ids=[words for _, words in CALLS])
def test_errors_say_what_came_and_what_would_fit(call: Callable[..., Any], words: str) -> None:
    with pytest.raises(RuntimeError) as caught:
        call(mg.nn.functional, data(mg, 2, 4, 6, 6, dtype="float32"))
    assert words in str(caught.value)


# Freed memory ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other systems' mallocs keep what they like")
@pytest.mark.parametrize(("kept", "faults"), [("1", range(3000)), ("0", range(30_000, 50_000))])
def test_freed_arrays_are_kept_for_the_next_unless_told_otherwise(kept: str, faults: range) -> None:
    """The pages that a process takes from the system: 16 arrays of 128 pages, all freed, and that twenty times."""
    script = """
import resource, numpy as np, minigrad
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    arrays = [np.ones(2**19, np.uint8) for _ in range(16)]
    del arrays
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    environment["MINIGRAD_KEEP_MEMORY"] = kept
    done = subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True)
    assert int(done.stdout) in faults


@same_as_torch
def test_which_pooling_modules_derive_from_which(m: Any) -> Any:
    kinds = [getattr(m.nn, f"{kind}Pool{n}d") for kind in ("Max", "Avg", "AdaptiveMax", "AdaptiveAvg") for n in (1, 2)]
    return [[issubclass(a, b) for a in kinds] for b in kinds]


# ---- padding ---------------------------------------------------------------------------------------------------------

PADS = [(a, b) for a in range(-6, 6) for b in range(-6, 6) if a or b]


def padded(m: Any, mode: str, pad: tuple[int, ...], *shape: int) -> Any:
    x = m.arange(float(np.prod(shape))).reshape(shape)
    return outcome(lambda m: exact(with_gradient(lambda x: m.nn.functional.pad(x, pad, mode=mode) ** 2, x)), m)


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
def test_every_negative_or_mixed_pad(mode: str) -> None:
    def reads_only_what_is_there(pad: tuple[int, int]) -> bool:
        """Circular padding by more than what is left of 5 elements: torch reads memory that nobody wrote."""
        return mode != "circular" or max(pad) <= max(5 + sum(min(p, 0) for p in pad), 0)

    same_as_torch(lambda m: [padded(m, mode, pad, 1, 2, 5) for pad in PADS if reads_only_what_is_there(pad)])()


@same_as_torch
@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
def test_negative_and_mixed_pads_of_images(m: Any, mode: str) -> Any:
    return [padded(m, mode, pad, 1, 2, 4, 5) for pad in [(2, -1, -1, 2), (-1, 2, 1, -2), (-1, -1, -1, -1), (2, 2, -2, -1)]]
