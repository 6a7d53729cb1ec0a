"""The order of elements in memory: as in torch, since strides show it, `view` depends on it, and random numbers are drawn in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg


def sequences(t: Any) -> Any:
    return t.randn(3, 5, 4)


def turned(t: Any) -> Any:
    """Shape (3, 4, 5)."""
    return sequences(t).transpose(1, 2)


def convolved(t: Any) -> Any:
    return t.nn.Conv2d(3, 8, 3)(t.randn(2, 3, 8, 8))


def patches(t: Any) -> Any:
    """As a vision transformer begins: one row for each place."""
    return t.nn.Conv2d(3, 8, 2, 2)(t.randn(2, 3, 8, 8)).flatten(2).transpose(1, 2)


def heads(t: Any) -> Any:
    return sequences(t).view(3, 5, 2, 2).transpose(1, 2)


def gated(t: Any, x: Any) -> Any:
    a, b = x.chunk(2, 1)
    return a * t.sigmoid(b)


CHAINS: dict[str, Callable[[Any], Any]] = {
    # what is computed element by element lies as the first operand that tells
    "relu": lambda t: t.relu(turned(t)),
    "gelu": lambda t: t.nn.functional.gelu(turned(t)),
    "prelu": lambda t: t.nn.PReLU()(turned(t)),
    "clamp": lambda t: turned(t).clamp(-1, 1),
    "clamp by tensors": lambda t: t.clamp(turned(t), t.zeros(3, 4, 5), t.ones(3, 4, 5)),
    "float of a comparison": lambda t: (turned(t) > 0).float(),
    "in another dtype": lambda t: turned(t).double(),
    "turned + in order": lambda t: sequences(t).transpose(0, 1) + t.randn(5, 3, 4),
    "in order + turned": lambda t: t.randn(5, 3, 4) + sequences(t).transpose(0, 1),
    "turned + smaller": lambda t: turned(t) + t.randn(4, 5),
    "three dimensions, no two told by one": lambda t: t.randn(5, 1, 10).permute(2, 1, 0) * t.randn(10, 5),
    "transposed + column": lambda t: t.randn(5, 4).t()[None] + t.randn(3, 1, 1),
    "lerp": lambda t: t.lerp(turned(t), t.randn(3, 4, 5), 0.3),
    "addcmul": lambda t: t.addcmul(turned(t), t.randn(3, 4, 5), t.randn(3, 4, 5)),
    "where": lambda t: t.where(t.rand(3, 4, 5) > 0.5, turned(t), t.zeros(())),
    "gate": lambda t: gated(t, turned(t)),
    "flip": lambda t: turned(t).flip(1),
    "patches + positions": lambda t: patches(t) + t.randn(1, 16, 8),
    # copies and what is made like another tensor
    "clone": lambda t: sequences(t).permute(2, 0, 1).clone(),
    "contiguous": lambda t: sequences(t).permute(2, 0, 1).contiguous(),
    "zeros_like": lambda t: t.zeros_like(turned(t)),
    "ones_like": lambda t: t.ones_like(sequences(t).permute(2, 0, 1)),
    "full_like": lambda t: t.full_like(sequences(t).permute(2, 1, 0), 2.0),
    "zeros_like of a convolution": lambda t: t.zeros_like(convolved(t)),
    # and of tensors that were expanded
    "expanded, exp": lambda t: sequences(t).expand(2, 3, 5, 4).exp(),
    "expanded, float64": lambda t: sequences(t).expand(2, 3, 5, 4).double(),
    "expanded, clone": lambda t: t.randn(1, 5, 4).expand(3, -1, -1).clone(),
    "expanded, turned": lambda t: t.randn(1, 5, 4).expand(3, -1, -1).transpose(0, 1),
    "turned, expanded, relu": lambda t: t.relu(turned(t).expand(2, 3, 4, 5)),
    "turned, expanded, clone": lambda t: turned(t).expand(2, 3, 4, 5).clone(),
    "turned, expanded, like": lambda t: t.zeros_like(turned(t).expand(2, 3, 4, 5)),
    "turned, expanded": lambda t: turned(t).expand(2, 3, 4, 5),
    # all else lies in order
    "softmax": lambda t: t.softmax(turned(t), 1),
    "log_softmax": lambda t: t.log_softmax(sequences(t).permute(1, 2, 0), 1),
    "cat": lambda t: t.cat([sequences(t).transpose(0, 1), sequences(t).transpose(0, 1)], -1),
    "stack": lambda t: t.stack([sequences(t).transpose(0, 1), sequences(t).transpose(0, 1)], 0),
    "masked_fill": lambda t: turned(t).masked_fill(t.rand(3, 4, 5) > 0.5, 0),
    "cumsum": lambda t: turned(t).cumsum(-1),
    "cumprod": lambda t: turned(t).cumprod(-1),
    "tril": lambda t: t.tril(turned(t)),
    "roll": lambda t: turned(t).roll(1, 1),
    "gather": lambda t: turned(t).gather(1, t.zeros(3, 4, 5, dtype=t.long)),
    "index_select": lambda t: turned(t).index_select(1, t.tensor([0, 2, 1])),
    "repeat": lambda t: turned(t).repeat(1, 2, 1),
    "pad": lambda t: t.nn.functional.pad(turned(t), (2, 0)),
    "one_hot": lambda t: t.nn.functional.one_hot(t.arange(6).view(2, 3).t(), 6).float(),
    "sum": lambda t: sequences(t).permute(2, 1, 0).sum(1),
    "mean": lambda t: sequences(t).permute(2, 1, 0).mean(1, keepdim=True),
    "amax": lambda t: sequences(t).permute(2, 1, 0).amax(1),
    "var": lambda t: sequences(t).permute(2, 1, 0).var(1),
    "norm": lambda t: sequences(t).permute(2, 1, 0).norm(dim=1),
    "prod": lambda t: sequences(t).permute(2, 1, 0).prod(1),
    "batch_norm": lambda t: t.nn.BatchNorm1d(4)(turned(t)).transpose(1, 2),
    "group_norm": lambda t: t.nn.GroupNorm(2, 4)(turned(t)),
    "instance_norm": lambda t: t.nn.InstanceNorm1d(4)(turned(t)),
    "layer_norm": lambda t: t.nn.LayerNorm(4)(sequences(t).transpose(0, 1)),
    "matmul": lambda t: t.randn(2, 3, 4, 5).transpose(0, 1) @ t.randn(2, 3, 5, 4).transpose(0, 1),
    "max_pool1d": lambda t: t.nn.functional.max_pool1d(turned(t), 2),
    "max_pool1d with a gradient": lambda t: t.nn.functional.max_pool1d(turned(t).requires_grad_(), 2),
    "max_pool1d with indices": lambda t: t.nn.functional.max_pool1d(turned(t), 2, return_indices=True)[0],
    "avg_pool1d": lambda t: t.nn.functional.avg_pool1d(turned(t), 2),
    "adaptive_avg_pool1d": lambda t: t.nn.functional.adaptive_avg_pool1d(turned(t) / 2, 2),
    "conv1d": lambda t: t.nn.Conv1d(4, 6, 3)(turned(t)),
    "conv1d, turned back": lambda t: t.nn.Conv1d(4, 6, 3)(turned(t)).transpose(1, 2),
    "conv_transpose1d": lambda t: t.nn.ConvTranspose1d(4, 6, 3)(turned(t)),
    "class token": lambda t: t.cat([t.zeros(1, 1, 8).expand(2, -1, -1), patches(t)], 1),
    # a convolution's result lies in order, and views of it show that
    "conv2d": convolved,
    "relu of conv2d": lambda t: t.relu(convolved(t)),
    "conv2d + positions": lambda t: convolved(t) + t.randn(1, 8, 6, 6),
    "conv2d * channels": lambda t: convolved(t) * t.randn(2, 8)[:, :, None, None],
    "conv2d, detached": lambda t: convolved(t).detach(),
    "conv2d as a sequence": lambda t: convolved(t).flatten(2).permute(2, 0, 1),
    "conv2d, channels moved last": lambda t: convolved(t).permute(0, 2, 3, 1),
    "one image of conv2d": lambda t: convolved(t)[0],
    "conv2d of one image": lambda t: t.nn.Conv2d(3, 8, 3)(t.randn(3, 8, 8)),
    "some channels of conv2d": lambda t: convolved(t)[:, :4],
    "gate of conv2d": lambda t: gated(t, convolved(t)),
    "conv2d cut in groups": lambda t: convolved(t).reshape(2, 2, 4, 36),
    "layer_norm of conv2d": lambda t: t.nn.LayerNorm(8)(convolved(t).permute(0, 2, 3, 1)),
    "pool of conv2d": lambda t: t.nn.MaxPool2d(2)(convolved(t)),
    "conv2d of one row": lambda t: t.relu(t.nn.Conv2d(3, 8, (8, 3))(t.randn(1, 3, 8, 8))),
    "text, convolved": lambda t: t.nn.Conv2d(1, 6, (3, 4))(sequences(t).unsqueeze(1)).squeeze(3),
    "text, convolved, dropped out": lambda t: t.relu(t.nn.Conv2d(1, 6, (3, 4))(sequences(t).unsqueeze(1))),
    # attention
    "attention": lambda t: t.nn.functional.scaled_dot_product_attention(heads(t), heads(t), heads(t)),
    "attention, heads joined": lambda t: t.nn.functional.scaled_dot_product_attention(*[heads(t)] * 3).transpose(1, 2),
    "attention with dropout": lambda t: t.nn.functional.scaled_dot_product_attention(*[heads(t)] * 3, dropout_p=0.1),
    "attention, in order": lambda t: t.nn.functional.scaled_dot_product_attention(*[heads(t).contiguous()] * 3),
    # images whose channels the user moved last, and what is computed from them
    "photos": lambda t: photos(t),
    "photos / 255": lambda t: photos(t) / 255,
    "photos, clone": lambda t: photos(t).clone(),
    "photos, contiguous": lambda t: photos(t).contiguous(),
    "photos, float64, twice": lambda t: photos(t).double() * 2 - 1,
    "photos + noise": lambda t: photos(t) / 2 + t.randn_like(photos(t) / 2),
    "photos + in order": lambda t: photos(t) / 2 + t.randn(2, 3, 6, 4),
    "in order + photos": lambda t: t.randn(2, 3, 6, 4) + photos(t) / 2,
    "photos + channels": lambda t: photos(t) + t.randn(1, 3, 1, 1),
    "photos, gelu": lambda t: t.nn.functional.gelu(photos(t) / 2),
    "photos, power": lambda t: (photos(t) / 2) ** 2,
    "photos, comparison": lambda t: (photos(t) > 0).float(),
    "photos, where": lambda t: t.where(photos(t) > 0, photos(t) / 2, photos(t)),
    "photos, masked_fill": lambda t: (photos(t) / 2).masked_fill(photos(t) > 0, 0.0),
    "photos, flip": lambda t: (photos(t) / 2).flip(2),
    "photos, roll": lambda t: (photos(t) / 2).roll(1, 2),
    "photos, cut": lambda t: t.relu((photos(t) / 2)[:, :, 1:]),
    "photos, channels moved back": lambda t: (photos(t) / 2).permute(0, 2, 3, 1) + 1,
    "photos, flatten": lambda t: (photos(t) / 2).flatten(1),
    "photos, conv2d": lambda t: t.nn.Conv2d(3, 5, 2)(photos(t) / 2),
    "photos, conv2d of one pixel": lambda t: t.nn.Conv2d(3, 5, 1)(photos(t)),
    "photos, conv2d in groups": lambda t: t.nn.Conv2d(3, 3, 2, groups=3)(photos(t)),
    "photos, conv_transpose2d": lambda t: t.nn.ConvTranspose2d(3, 5, 2)(photos(t)),
    "photos, a block": lambda t: t.relu(t.nn.BatchNorm2d(5)(t.nn.Conv2d(3, 5, 2)(photos(t) / 2))),
    "photos, batch_norm": lambda t: t.nn.BatchNorm2d(3)(photos(t)),
    "photos, batch_norm in evaluation": lambda t: t.nn.BatchNorm2d(3).eval()(photos(t)),
    "photos, group_norm": lambda t: t.nn.GroupNorm(3, 3)(photos(t)),
    "photos, instance_norm": lambda t: t.nn.InstanceNorm2d(3)(photos(t)),
    "photos, layer_norm": lambda t: t.nn.LayerNorm(4)(photos(t)),
    "photos, max_pool2d": lambda t: t.nn.MaxPool2d(2)(photos(t)),
    "photos, avg_pool2d": lambda t: t.nn.AvgPool2d(2)(photos(t)),
    "photos, adaptive pools": lambda t: t.nn.AdaptiveAvgPool2d(2)(photos(t)) + t.nn.AdaptiveMaxPool2d(2)(photos(t)),
    "photos, interpolate": lambda t: t.nn.functional.interpolate(photos(t), scale_factor=2),
    "photos, bilinear": lambda t: t.nn.functional.interpolate(photos(t), scale_factor=2, mode="bilinear"),
    "photos, pad": lambda t: t.nn.functional.pad(photos(t), (1, 1, 1, 1)),
    "photos, reflect": lambda t: t.nn.functional.pad(photos(t), (1, 1, 1, 1), mode="reflect"),
    "photos, cat": lambda t: t.cat([photos(t), photos(t)], 1),
    "photos, cat with others": lambda t: t.cat([photos(t), t.randn(2, 3, 6, 4)], 1),
    "photos, softmax": lambda t: t.softmax(photos(t), 1),
    "photos, dropout": lambda t: t.nn.functional.dropout(photos(t) / 2, 0.5),
    "every other channel of a pixel": lambda t: t.relu(t.randn(1, 6, 1, 1)[:, ::2] + 1),
    "a photo": lambda t: photos(t)[:1] / 2,
    "a photo with a dimension before": lambda t: t.relu(photo(t).unsqueeze(0)) / 2,
    "a photo with a dimension before, conv2d": lambda t: t.nn.Conv2d(3, 5, 2)(photo(t).unsqueeze(0).double().float() / 255),
    "a photo of a batch of one, conv2d": lambda t: t.nn.Conv2d(3, 5, 2)(photos(t)[:1] / 255),
}


def photos(t: Any) -> Any:
    return t.randn(2, 6, 4, 3).permute(0, 3, 1, 2)


def photo(t: Any) -> Any:
    return t.randn(6, 4, 3).permute(2, 0, 1)


def can_be_seen_as_one_row(x: Any) -> bool:
    try:
        x.view(-1)
    except RuntimeError:
        return False
    return True


def drawn(t: Any, x: Any) -> dict[str, Any]:
    """What shows the order in memory of `x`, apart from the strides of dimensions of size 1, which mean nothing."""
    found = {"view": can_be_seen_as_one_row(x), "contiguous": x.is_contiguous(),
             "strides": [step for n, step in zip(x.shape, x.stride(), strict=True) if n > 1]}  # fmt: skip
    for name, draw in (
        ("dropout", lambda: t.nn.functional.dropout(x, 0.5)),
        ("rand_like", lambda: t.rand_like(x)),
        ("normal_", lambda: x.detach().clone().normal_()),
    ):
        t.manual_seed(1)
        found[name] = np.around(draw().detach().numpy(), 3).tolist() if name != "dropout" else (draw() == 0).tolist()
    return found


@pytest.mark.parametrize("name", CHAINS)
def test_elements_lie_as_in_torch(name: str) -> None:
    results = []
    for t in (torch, mg):
        t.manual_seed(0)
        results.append(drawn(t, CHAINS[name](t)))
    theirs, ours = results
    assert ours == theirs


def test_memory_is_put_in_order_once() -> None:
    """A view of a convolution's result, and the result itself, go on sharing memory."""
    x = convolved(mg).detach()
    y = x.view(2, -1)
    x[0, 0, 0, 0] = 7
    assert y[0, 0] == 7
    x = mg.relu(convolved(mg))
    first, second = x[0], x.permute(0, 2, 3, 1)
    with mg.no_grad():
        x[0, 0, 0, 0] = 7
    assert first[0, 0, 0] == 7
    assert second[0, 0, 0, 0] == 7


SAME_MEMORY: dict[str, Callable[[Any, Any], Any]] = {
    "detach": lambda t, x: x.detach(),
    "detach twice": lambda t, x: x.detach().detach(),
    "data": lambda t, x: x.data,
    "set data": lambda t, x: changed_data(t, x),
    "numpy": lambda t, x: t.from_numpy(x.numpy()),
    "as_tensor": lambda t, x: t.as_tensor(x.numpy()),
    "asarray": lambda t, x: t.asarray(x.numpy()),
    "parameter": lambda t, x: t.nn.Parameter(x),
    "requires_grad_": lambda t, x: x.detach().requires_grad_(),
    "a function's own": lambda t, x: own(t).apply(x),
    "torch.Tensor": lambda t, x: t.Tensor(x),
    "other bits": lambda t, x: x.view(t.int32).view(t.float32),
}


def changed_data(t: Any, x: Any) -> Any:
    y = t.zeros(x.shape)
    y.data = x
    return y


def own(t: Any) -> Any:
    class Own(t.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.detach()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    return Own


@pytest.mark.parametrize("name", SAME_MEMORY)
def test_whoever_looks_at_images_with_channels_last_keeps_sharing_their_memory(name: str) -> None:
    """A look at a convolution's result may move it to other memory; that must not happen to what others see."""
    found = []
    for t in (torch, mg):
        images = t.zeros(2, 4, 4, 3)
        shown = SAME_MEMORY[name](t, images.permute(0, 3, 1, 2))
        facts = [shown.is_contiguous(), tuple(shown.stride()), shown.data_ptr() == images.data_ptr()]
        with t.no_grad():
            shown.add_(1)
            t.relu(shown).view(2, 4, 12) if facts[0] else shown.flatten()
            shown.mul_(2)
        found.append([*facts, images.sum().item()])
    assert found[0] == found[1] == [False, (48, 1, 12, 3), True, 192.0]


def test_files_keep_the_order_of_elements(tmp_path: Path) -> None:
    """And tensors that share memory there share it afterwards."""
    found = []
    for t in (torch, mg):
        images = t.zeros(2, 4, 4, 3)
        t.save([images, images.permute(0, 3, 1, 2)], tmp_path / "images.pt")
        for u in (torch, mg):
            first, second = u.load(tmp_path / "images.pt")
            facts = [second.is_contiguous(), tuple(second.stride())]
            second.add_(1)
            found.append([*facts, first.sum().item()])
    assert found == [[False, (48, 1, 12, 3), 96.0]] * 4
