"""Normalisation and the small layers: against the same mathematics from plainer operations, and as modules in training.

Values and derivatives of each function are compared with torch by the table of operations (`operations_norms.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg
from minigrad.autograd import gradgradcheck
from minigrad.ops.add_at import _add_rows

from .twins import raised, same_as_torch, same_outcomes


def data(m: Any, *shape: int, dtype: str = "float64", seed: int = 0, high: int | None = None) -> Any:
    random = np.random.RandomState(seed)
    return m.from_numpy(random.standard_normal(shape).astype(dtype) if high is None else random.randint(0, high, shape))


# The composed twins ---------------------------------------------------------------------------------------------------


def composed(x: Any, dims: tuple[int, ...], weight: Any, bias: Any, eps: float = 1e-5) -> Any:
    """What the documentation says of a normalisation."""
    mean, variance = x.mean(dims, keepdim=True), x.var(dims, unbiased=False, keepdim=True)
    return (x - mean) / (variance + eps).sqrt() * weight + bias


def in_groups(x: Any, weight: Any, bias: Any) -> Any:
    parts = composed(x.reshape(4, 2, -1), (2,), mg.ones(1, dtype=mg.float64), 0.0).reshape(*x.shape)
    return parts * weight.reshape(-1, 1, 1) + bias.reshape(-1, 1, 1)


def with_known(x: Any, weight: Any, bias: Any) -> Any:
    last = (x.transpose(1, -1) - data(mg, 6)) / (data(mg, 6).square() + 1e-5).sqrt() * weight + bias
    return last.transpose(1, -1)


F = mg.nn.functional
TWINS: dict[str, tuple[Callable[..., Any], Callable[..., Any], tuple[int, ...]]] = {
    "batch": (lambda x, w, b: F.batch_norm(x, None, None, w, b, True),
              lambda x, w, b: composed(x, (0, 2, 3), w.reshape(-1, 1, 1), b.reshape(-1, 1, 1)), (6,)),
    "batch, known": (lambda x, w, b: F.batch_norm(x, data(mg, 6), data(mg, 6).square(), w, b), with_known, (6,)),
    "layer": (lambda x, w, b: F.layer_norm(x, (3, 5), w, b), lambda x, w, b: composed(x, (2, 3), w, b), (3, 5)),
    "group": (lambda x, w, b: F.group_norm(x, 2, w, b), in_groups, (6,)),
}  # fmt: skip


@pytest.mark.parametrize("layout", ["", "channels last"])
@pytest.mark.parametrize("name", TWINS)
def test_the_fused_operation_is_the_composed_one(name: str, layout: str) -> None:
    """Values, first and second derivatives."""
    fused, plain, shape = TWINS[name]
    x = data(mg, 4, 6, 3, 5)
    if layout:
        x = x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    leaves = [x.requires_grad_(), data(mg, *shape, seed=1).requires_grad_(), data(mg, *shape, seed=2).requires_grad_()]
    results = [f(*leaves) for f in (fused, plain)]
    np.testing.assert_allclose(results[0].array, results[1].array, 1e-11, 1e-11)
    direction = data(mg, *x.shape, seed=3)
    first = [mg.autograd.grad(y, leaves, direction, create_graph=True) for y in results]
    second = [mg.autograd.grad(sum((g * g * g).sum() for g in gradients), leaves[:2]) for gradients in first]
    for ours, theirs in (*zip(*first, strict=True), *zip(*second, strict=True)):
        np.testing.assert_allclose(ours.array, theirs.array, 1e-9, 1e-9)


def test_far_from_zero_nothing_is_lost() -> None:
    """A mean of 1000 standard deviations leaves float32 as many digits as its numbers have."""
    x = (np.random.RandomState(0).standard_normal((256, 4, 64)) + 1000).astype(np.float32)
    rows = x.transpose(1, 0, 2).reshape(4, -1)
    for found, array, axes in ((F.batch_norm(mg.from_numpy(x), None, None, training=True), x, (0, 2)),
                               (F.layer_norm(mg.from_numpy(rows), rows.shape[1:]), rows, (1,))):  # fmt: skip
        exact = array - array.mean(axes, dtype=np.float64, keepdims=True)
        exact /= np.sqrt(array.var(axes, dtype=np.float64, keepdims=True) + 1e-5)
        np.testing.assert_allclose(found.array, exact, 1e-3, 2e-4)


# float16 --------------------------------------------------------------------------------------------------------------

HALVES: dict[str, Callable[..., Any]] = {
    "batch": lambda m, x, w, b: m.nn.functional.batch_norm(x, m.zeros(6, dtype=w.dtype), m.ones(6, dtype=w.dtype), w, b, True),
    "batch, known": lambda m, x, w, b: m.nn.functional.batch_norm(x, m.zeros(6, dtype=w.dtype), m.ones(6, dtype=w.dtype), w, b),
    "group": lambda m, x, w, b: m.nn.functional.group_norm(x, 3, w, b),
    "layer": lambda m, x, w, b: m.nn.functional.layer_norm(x, (6,), w, b),
    "rms": lambda m, x, w, b: m.nn.functional.rms_norm(x, (6,), w),
}


# torch's rms_norm warns of parameters of another type
@pytest.mark.parametrize(("name", "parameters"), [(n, "float16") for n in HALVES] + [(n, "float32") for n in HALVES if n != "rms"])
def test_float16(name: str, parameters: str) -> None:
    """What comes out, of which dtype, is torch's, and it is what float32 gives, rounded: sums of large squares do not overflow."""

    def outcome(m: Any, half: bool = True) -> list[Any]:
        tensors = [(data(m, 8, 6) * 300).half(), *(data(m, 6, seed=seed).to(getattr(m, parameters)) for seed in (1, 2))]
        tensors = [(t if half else t.float()).requires_grad_() for t in tensors]
        y = HALVES[name](m, *tensors)
        y.backward(data(m, 8, 6, seed=3).half().to(y.dtype))
        return [y, *(t.grad for t in tensors if t.grad is not None)]

    ours, theirs, exact = outcome(mg), outcome(torch), outcome(mg, half=False)
    assert [str(t.dtype) for t in ours] == [str(t.dtype) for t in theirs]
    assert ours[0].grad_fn.name() == theirs[0].grad_fn.name()
    for found, single in zip(ours, exact, strict=True):
        np.testing.assert_allclose(found.array, single.array, 2**-11 if found.dtype == mg.float16 else 1e-5, 2**-24)


# Modules --------------------------------------------------------------------------------------------------------------

MODULES: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = [
    ("BatchNorm1d", (6,), {}, (5, 6)), ("BatchNorm1d", (6,), {"momentum": None}, (5, 6, 4)),
    ("BatchNorm1d", (6,), {"affine": False}, (5, 6)), ("BatchNorm1d", (6, 0.1, 0.5), {"track_running_stats": False}, (5, 6)),
    ("BatchNorm2d", (6,), {"bias": False}, (2, 6, 3, 4)),
    ("BatchNorm2d", (6,), {"momentum": 1.0, "dtype": "float64"}, (2, 6, 3, 4)), ("LayerNorm", (6,), {}, (5, 6)),
    ("LayerNorm", ([5, 6],), {"eps": 0.1}, (2, 5, 6)), ("LayerNorm", (6,), {"bias": False}, (5, 6)),
    ("LayerNorm", (6,), {"elementwise_affine": False}, (5, 6)), ("GroupNorm", (2, 6), {}, (3, 6, 4)),
    ("GroupNorm", (3, 6, 0.1), {"affine": False}, (3, 6)), ("GroupNorm", (3, 6), {"bias": False}, (3, 6, 2, 2)),
    ("RMSNorm", (6,), {}, (5, 6)), ("RMSNorm", ((5, 6), 0.1), {"elementwise_affine": False}, (2, 5, 6)),
    ("PReLU", (), {}, (5, 6)), ("PReLU", (6, 0.1), {}, (5, 6, 2)), ("GLU", (1,), {}, (5, 6)), ("Hardsigmoid", (), {}, (5, 6)),
    ("Hardswish", (), {"inplace": True}, (5, 6)), ("Softmin", (1,), {}, (5, 6)), ("Softmax2d", (), {}, (5, 6, 2, 2)),
    ("Softmax2d", (), {}, (6, 2, 2)), ("Dropout1d", (0.3,), {}, (5, 6, 3)), ("Dropout1d", (), {"inplace": True}, (6, 3)),
    ("Dropout2d", (0.3,), {}, (5, 6, 3, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "options", "shape"), MODULES, ids=str)
@same_as_torch
def test_module(m: Any, name: str, arguments: tuple[Any, ...], options: dict[str, Any], shape: tuple[int, ...]) -> Any:
    """Three batches in training, from given parameters, then evaluation: results, gradients, buffers, and how it prints."""
    m.manual_seed(3)
    module = getattr(m.nn, name)(*arguments, **{k: getattr(m, v) if k == "dtype" else v for k, v in options.items()})
    found: list[Any] = [repr(module), dict(module.state_dict())]
    module.double()
    for parameter in module.parameters():
        parameter.data += data(m, *parameter.shape, seed=4)
    for step in range(4):
        if step == 3:
            module.eval()
        x = (data(m, *shape, seed=step) * 2 + 1).requires_grad_()
        y = module(x * 1)
        y.backward(data(m, *y.shape, seed=9))
        found += [y.detach(), x.grad, {k: p.grad for k, p in module.named_parameters()}, copies(module)]
    if hasattr(module, "reset_parameters"):
        module.reset_parameters()
    return [*found, copies(module)]


def copies(module: Any) -> dict[str, Any]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def test_state_goes_from_torch_to_minigrad() -> None:
    """A small network with each kind, its parameters and counts given by a torch state_dict, in training and evaluation."""

    def network(m: Any) -> Any:
        nn = m.nn
        return nn.Sequential(
            nn.Embedding(9, 6, padding_idx=0), nn.LayerNorm(6), nn.Flatten(), nn.Linear(18, 8), nn.BatchNorm1d(8), nn.PReLU(8),
            nn.Unflatten(1, (4, 2)), nn.GroupNorm(2, 4), nn.Identity(), nn.Flatten(), nn.GLU())  # fmt: skip

    torch.manual_seed(1)
    ours, theirs = network(mg), network(torch)
    words = np.random.RandomState(0).randint(0, 9, (7, 3))
    theirs(torch.from_numpy(words))  # counts a batch
    state = {k: mg.from_numpy(v.numpy().copy()) for k, v in theirs.state_dict().items()}
    assert repr(ours.load_state_dict(state)) == "<All keys matched successfully>"
    for training in (True, False):
        outs = []
        for m, net in ((mg, ours), (torch, theirs)):
            net.train(training).zero_grad()
            outs.append(net(m.from_numpy(words)))
            outs[-1].square().sum().backward()
        np.testing.assert_allclose(outs[0].array, outs[1].detach().numpy(), 1e-5, 1e-6)
        for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            np.testing.assert_allclose(a.grad.array, b.grad.numpy(), 1e-5, 1e-5, err_msg=name)
        for (name, c), d in zip(ours.named_buffers(), theirs.buffers(), strict=True):
            np.testing.assert_allclose(c.array, d.numpy(), 1e-5, 1e-6, err_msg=name)


@same_as_torch
def test_batch_norm_of_no_samples(m: Any) -> Any:
    module, x = m.nn.BatchNorm2d(3), m.zeros(0, 3, 2, 2, requires_grad=True)
    module(x).sum().backward()
    return x.grad, module.weight.grad, module.bias.grad, dict(module.state_dict())


@same_as_torch
def test_what_batch_norm_refuses(m: Any) -> Any:
    nn, ones = m.nn, m.ones
    return [
        raised(nn.BatchNorm1d(3), ones(3)), raised(nn.BatchNorm1d(3), ones(2, 3, 4, 5)), raised(nn.BatchNorm2d(3), ones(2, 3, 4)),
        raised(nn.BatchNorm1d(3), ones(1, 3)), raised(nn.BatchNorm1d(3).eval(), ones(1, 3)), raised(nn.BatchNorm1d(3), ones(2, 4)),
        raised(nn.BatchNorm1d(3).double(), ones(2, 3)), raised(nn.GroupNorm, 2, 3), raised(nn.GroupNorm(2, 4), ones(2, 3)),
        raised(nn.LayerNorm(3), ones(2, 4)), raised(nn.RMSNorm(3), ones(2, 4)), raised(nn.RMSNorm((2, 3)), ones(3)),
        raised(nn.BatchNorm1d, -3), raised(nn.BatchNorm1d, 2.5), raised(nn.Dropout2d, 2),
        raised(nn.Softmax2d(), ones(2, 3)), raised(nn.Embedding, 3, 4, 3), raised(nn.Embedding, 3, 4, -4),
        raised(nn.Embedding, 3, 4, _weight=ones(2, 2)), raised(nn.Embedding.from_pretrained, ones(3)), raised(nn.Embedding, -3, 4),
    ]  # fmt: skip


@same_as_torch
def test_batch_norm_whose_buffers_or_flags_were_changed(m: Any) -> Any:
    """What is tracked, and what is used, follows the flags and buffers as they are."""
    x, found = data(m, 5, 3, dtype="float32"), []
    for training in (True, False):
        for track in (True, False):
            for without in ([], ["running_mean", "running_var"], ["num_batches_tracked"]):
                module = m.nn.BatchNorm1d(3)
                module.train(training).track_running_stats = track
                for name in without:
                    setattr(module, name, None)
                found += [module(x), dict(module.state_dict())]
    module = m.nn.BatchNorm1d(3)
    module(x)
    module.reset_running_stats()
    return [*found, dict(module.state_dict())]


@same_as_torch
def test_instance_norm_moves_running_values(m: Any) -> Any:
    mean, variance = data(m, 3), data(m, 3, seed=1).abs()
    result = m.nn.functional.instance_norm(data(m, 2, 3, 4, 5), mean, variance, momentum=0.3)
    return result, mean, variance, mean._version > 0


def test_running_values_count_as_changed() -> None:
    """What evaluation has used cannot be changed before backward, unseen."""
    module = mg.nn.BatchNorm1d(3).eval()
    y = module(data(mg, 5, 3, dtype="float32"))
    module.train()(data(mg, 5, 3, dtype="float32"))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


# Embedding ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"padding_idx": 2}, {"padding_idx": -1, "scale_grad_by_freq": True}, {"max_norm": 2.0},
    {"max_norm": 1.5, "norm_type": 1.0, "padding_idx": 0}], ids=str)  # fmt: skip
@same_as_torch
def test_embedding(m: Any, options: dict[str, Any]) -> Any:
    m.manual_seed(5)
    module, words = m.nn.Embedding(11, 10, **options), data(m, 4, 7, high=11)
    first = module.weight.detach().clone()
    y = module.double()(words)
    y.backward(data(m, 4, 7, 10))
    frozen = m.nn.Embedding.from_pretrained(first, **options)
    return [repr(module), first, y, module.weight, module.weight.grad, frozen(words), frozen.weight, repr(frozen)]


def test_embedding_of_what_is_not_built() -> None:
    with pytest.raises(NotImplementedError, match="sparse=True"):
        mg.nn.Embedding(3, 4, sparse=True)
    with pytest.raises(NotImplementedError, match="sparse=True"):
        F.embedding(mg.tensor([1]), mg.ones(3, 4), sparse=True)


def test_second_derivative_of_a_scaled_lookup() -> None:
    """torch forgets the scale here."""
    table = data(mg, 5, 9).requires_grad_()
    words = mg.tensor([1, 1, 3, 1])
    direction = data(mg, 4, 9, seed=1).requires_grad_()
    (g,) = mg.autograd.grad(F.embedding(words, table, scale_grad_by_freq=True), table, direction, create_graph=True)
    (back,) = mg.autograd.grad(g.sum(), direction)
    np.testing.assert_allclose(back.array[:, 0], [1 / 3, 1 / 3, 1, 1 / 3])
    assert gradgradcheck(lambda x: F.embedding(words, x).square(), [table])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [0, 1, 7, 64, 1000])
def test_rows_that_come_again_add_up(count: int, dtype: str) -> None:
    """However often: the sums are those of `np.add.at`, to the rounding of one sum."""
    random = np.random.RandomState(count)
    places = np.minimum(random.geometric(0.2, count) - 1, 19) - 20 * (random.uniform(size=count) < 0.3)  # some from the end
    rows = random.standard_normal((count, 9)).astype(dtype)
    expected = np.zeros((20, 9))
    np.add.at(expected, places, rows.astype(np.float64))
    found = _add_rows(rows, places, 20)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, 1e-5 if dtype == "float32" else 1e-12, 1e-5 if dtype == "float32" else 1e-12)


SEVERAL = np.random.RandomState(0).randint(-50, 50, 1000)
IN_RUNS = [*range(3, 0, -1), *range(50), *range(48, 50)], [*range(-3, 0), *range(50), 0]  # as circular padding might say


@pytest.mark.parametrize(("shape", "places"), [
    ((50, 80), SEVERAL), ((2, 50, 40), SEVERAL), ((50, 4, 20), SEVERAL),
    *((shape, np.array(places)) for shape in ((50, 1600), (4, 50, 400), (2, 4, 50, 200)) for places in IN_RUNS),
])
def test_large_slices_that_come_again_add_up(shape: tuple[int, ...], places: Any) -> None:
    """Indexed along the dimension of size 50, wherever it is; some counted from the end."""
    axis = shape.index(50)
    x = mg.zeros(*shape, dtype=mg.float64, requires_grad=True)
    y = x[(slice(None),) * axis + (mg.from_numpy(places),)]
    direction = data(mg, *y.shape)
    y.backward(direction)
    expected = np.zeros(shape)
    np.add.at(expected, (slice(None),) * axis + (places,), direction.array)
    np.testing.assert_allclose(x.grad.array, expected, 1e-12, 1e-12)


# The rest -------------------------------------------------------------------------------------------------------------


def test_dropout2d_of_what_is_no_image_warns() -> None:
    masks = []
    for m in (mg, torch):
        m.manual_seed(2)
        with pytest.warns(UserWarning, match="dropout2d"):
            masks.append(m.nn.functional.dropout2d(m.ones(4, 6, 3)).numpy())
    np.testing.assert_array_equal(*masks)


@same_as_torch
def test_cosine_similarity(m: Any) -> Any:
    x, y = data(m, 3, 4), data(m, 3, 4, seed=1)
    return [m.nn.CosineSimilarity()(x, y), m.nn.CosineSimilarity(dim=0, eps=0.1)(x, y), repr(m.nn.CosineSimilarity())]


test_eps_and_shapes = same_outcomes({
    "eps 0": lambda m: m.nn.functional.batch_norm(m.ones(4, 3), None, None, training=True, eps=0),
    "eps below 0": lambda m: m.nn.functional.batch_norm(m.ones(4, 3), m.zeros(3), m.ones(3), eps=-0.5),
    "eps 0, not in training": lambda m: m.nn.functional.batch_norm(m.ones(4, 3), m.zeros(3), m.ones(3), eps=0),
    "a layer": lambda m: m.nn.BatchNorm1d(3, eps=0)(m.rand(4, 3)),
    "in evaluation": lambda m: m.nn.BatchNorm1d(3, eps=0).eval()(m.ones(4, 3)),
    "a vector": lambda m: m.nn.functional.batch_norm(m.ones(4), m.zeros(4), m.ones(4)),
    "a vector in training": lambda m: m.nn.functional.batch_norm(m.ones(4), None, None, training=True),
    "a number": lambda m: m.nn.functional.batch_norm(m.tensor(4.0), m.zeros(1), m.ones(1)),
})  # fmt: skip
