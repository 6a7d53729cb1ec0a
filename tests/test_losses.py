"""Losses: what the table of operations does not say of them. Twins composed of small operations, modules, errors."""

from __future__ import annotations

from collections.abc import Callable
from math import nan
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg
import minigrad.nn.functional as F
from minigrad import nn

from .twins import data, exact, raised, same_as_torch, same_elements

REDUCTIONS = ("mean", "sum", "none")


def unit(m: Any, *shape: int, seed: int = 0) -> Any:
    return m.from_numpy(np.random.RandomState(seed).uniform(0.05, 0.95, shape))


def classes(m: Any, *shape: int, seed: int = 0) -> Any:
    return m.from_numpy(np.random.RandomState(seed).randint(0, 4, shape))


# Fused, and composed of small operations: the same --------------------------------------------------------------------


def reduced(values: Any, reduction: str) -> Any:
    return values if reduction == "none" else getattr(values, reduction)()


def composed_nll(log_probs: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
    counts = (target != ignore_index).to(log_probs.dtype)
    target = target * (target != ignore_index)
    counts = counts if weight is None else counts * weight[target]
    values = -log_probs.gather(1, target.unsqueeze(1)).squeeze(1) * counts
    return values.sum() / counts.sum() if reduction == "mean" else reduced(values, reduction)


def composed_cross_entropy(x: Any, *rest: Any) -> Any:
    return composed_nll(x - x.exp().sum(1, keepdim=True).log(), *rest)


def composed_smooth_l1(x: Any, y: Any, reduction: str, beta: float) -> Any:
    d = (x - y).abs()
    return reduced(mg.where(d < beta, d * d / (2 * beta), d - beta / 2), reduction)


def composed_huber(x: Any, y: Any, reduction: str, delta: float) -> Any:
    d = (x - y).abs()
    return reduced(mg.where(d <= delta, d * d / 2, delta * (d - delta / 2)), reduction)


def composed_bce(p: Any, t: Any, weight: Any, reduction: str) -> Any:
    return reduced(-(t * p.log() + (1 - t) * (1 - p).log()) * (1 if weight is None else weight), reduction)


def composed_bce_with_logits(x: Any, t: Any, weight: Any, pos_weight: Any, reduction: str) -> Any:
    p, positive = x.sigmoid(), 1 if pos_weight is None else pos_weight
    return reduced(-(positive * t * p.log() + (1 - t) * (1 - p).log()) * (1 if weight is None else weight), reduction)


def assert_twins(fast: Callable[..., Any], slow: Callable[..., Any], *inputs: Any) -> None:
    """Value, gradient, and gradient of the gradient."""
    found = []
    for function in (fast, slow):
        leaves = [each.clone().requires_grad_() for each in inputs]
        out = function(*leaves)
        first = mg.autograd.grad((out * data(mg, *out.shape, seed=3)).sum(), leaves, create_graph=True)
        mixed = sum((g * data(mg, *g.shape, seed=4)).sum() for g in first)
        second = (
            mg.autograd.grad(mixed, leaves, allow_unused=True, materialize_grads=True) if mixed.requires_grad else ()
        )
        found.append([out, *first, *second])
    for a, b in zip(*found, strict=False):  # the composed twin may be linear, with no second gradient
        np.testing.assert_allclose(a.array, b.array, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("ignore_index", [-100, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_nll_and_cross_entropy_equal_their_composed_twins(reduction: str, ignore_index: int, weighted: bool) -> None:
    target, weight = classes(mg, 6), unit(mg, 4) if weighted else None
    for fused, composed in ((F.nll_loss, composed_nll), (F.cross_entropy, composed_cross_entropy)):
        assert_twins(
            lambda x, fused=fused: fused(x, target, weight, ignore_index=ignore_index, reduction=reduction),
            lambda x, composed=composed: composed(x, target, weight, ignore_index, reduction),
            data(mg, 6, 4),
        )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_losses_of_pairs_equal_their_composed_twins(reduction: str) -> None:
    x, y, p, t, weight = (
        data(mg, 5, 3),
        data(mg, 5, 3, seed=1),
        unit(mg, 5, 3),
        unit(mg, 5, 3, seed=1),
        unit(mg, 3, seed=2),
    )
    logits = F.binary_cross_entropy_with_logits
    assert_twins(
        lambda x, y: F.mse_loss(x, y, reduction=reduction), lambda x, y: reduced((x - y) ** 2, reduction), x, y
    )
    for size in (0.3, 1.0):
        assert_twins(
            lambda x, y, size=size: F.smooth_l1_loss(x, y, reduction=reduction, beta=size),
            lambda x, y, size=size: composed_smooth_l1(x, y, reduction, size),
            x,
            y,
        )
        assert_twins(
            lambda x, y, size=size: F.huber_loss(x, y, reduction, size),
            lambda x, y, size=size: composed_huber(x, y, reduction, size),
            x,
            y,
        )
    for w in (None, weight):
        assert_twins(
            lambda p, t, w=w: F.binary_cross_entropy(p, t, w, reduction=reduction),
            lambda p, t, w=w: composed_bce(p, t, w, reduction),
            p,
            t,
        )
        for positive in (None, weight + 1):
            assert_twins(
                lambda x, t, w=w, q=positive: logits(x, t, w, reduction=reduction, pos_weight=q),
                lambda x, t, w=w, q=positive: composed_bce_with_logits(x, t, w, q, reduction),
                x,
                t,
            )


# Cross entropy in all its forms ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(5, 4), (4,), (2, 4, 3), (2, 4, 3, 2), (0, 4), (2, 4, 0)])
@pytest.mark.parametrize("weighted", [False, True])
@same_as_torch
def test_cross_entropy(m: Any, reduction: str, shape: tuple[int, ...], weighted: bool) -> Any:
    """Classes, ignored ones, probabilities, each smoothed or not; the names of nodes differ where torch composes."""
    x = data(m, *shape).requires_grad_()
    places = shape[:1] + shape[2:] if len(shape) > 1 else ()
    target, weight = classes(m, *places), unit(m, 4, seed=5) if weighted else None
    probabilities = unit(m, *shape, seed=6)
    results = []
    for smoothing in (0.0, 0.2):
        options = {"weight": weight, "reduction": reduction, "label_smoothing": smoothing}
        call = m.nn.CrossEntropyLoss
        results += [
            call(**options)(x, target),
            call(**options, ignore_index=1)(x, target),
            call(**options)(x, probabilities),
        ]
    results.append(m.nn.NLLLoss(weight, ignore_index=3, reduction=reduction)(x, target))
    total = sum(
        (each * data(m, *each.shape, seed=9)).nan_to_num().sum() if m is torch else _finite_sum(each)
        for each in results
    )
    total.backward()
    return [*(each.detach() for each in results), x.grad]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 2), (3, 4, 2, 1)])
@pytest.mark.parametrize("weighted", [False, True])
@same_as_torch
def test_nothing_goes_back_to_ignored_rows(m: Any, reduction: str, shape: tuple[int, ...], weighted: bool) -> Any:
    """Not even a nan, which a weight of 0 lets through."""
    found = []
    for ignored in ([0, 1, 2], [1], []):
        x, target = data(m, *shape).requires_grad_(), m.ones(shape[:1] + shape[2:], dtype=m.int64)
        target[ignored] = -100
        weight = m.tensor([1.0, 0.0, 2.0, 1.0], dtype=m.float64) if weighted else None
        loss = m.nn.functional.cross_entropy(x, target, weight, reduction=reduction)
        loss.backward(m.full_like(loss, nan))
        found += [x.grad, loss.grad_fn.name() if reduction != "none" else loss.detach()]
    return found


def _finite_sum(values: Any) -> Any:
    """What `nan_to_num` does in torch: the gradient of nan is 0."""
    weights = data(mg, *values.shape, seed=9)
    products = values * weights
    return mg.where(products.isnan(), mg.zeros((), dtype=mg.float64), products).sum()


@same_as_torch
def test_names_of_nodes(m: Any) -> Any:
    x, p, y, t = data(m, 5, 4).requires_grad_(), unit(m, 5, 4).requires_grad_(), data(m, 5, 4, seed=1), classes(m, 5)
    nn, names = m.nn, []
    for reduction in REDUCTIONS:
        losses = [
            nn.CrossEntropyLoss(reduction=reduction)(x, t),
            nn.NLLLoss(reduction=reduction)(x, t),
            nn.CrossEntropyLoss(reduction=reduction, label_smoothing=0.1)(x, t),
            nn.HuberLoss(reduction=reduction)(x, y),
        ]
        losses += [each(reduction=reduction)(x, y) for each in (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss)]
        losses += [
            nn.BCELoss(reduction=reduction)(p, p.detach()),
            nn.BCEWithLogitsLoss(reduction=reduction)(x, p.detach()),
        ]
        names.append([each.grad_fn.name() for each in losses])
    kl = [nn.KLDivLoss(reduction=each)(x, p).grad_fn.name() for each in ("batchmean", "sum", "none")]
    return [*names, kl, repr(nn.CrossEntropyLoss()(x, t))]


@same_as_torch
def test_large_scores_do_not_overflow(m: Any) -> Any:
    results = []
    for scale in (1e4, 1e30, -1e30):
        x = (data(m, 6, 4) * scale).float().requires_grad_()
        loss = m.nn.functional.cross_entropy(x, classes(m, 6))
        loss.backward()
        results += [loss, x.grad]
    return results


def test_many_classes() -> None:
    """Long rows take another way to their maxima, without which these scores would overflow, than short ones."""
    x, target, grads = 1e3 * np.random.RandomState(0).standard_normal((3, 100)).astype(np.float32), [7, 0, 99], []
    for m in (mg, torch):
        leaf = m.tensor(x, requires_grad=True)
        loss = m.nn.functional.cross_entropy(leaf, m.tensor(target))
        loss.backward()
        grads.append([loss.detach().numpy(), leaf.grad.numpy()])
    for ours, theirs in zip(*grads, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-8)


def test_a_target_changed_before_backward_is_noticed() -> None:
    for loss in (F.cross_entropy, F.nll_loss):
        x, target = data(mg, 3, 4).requires_grad_(), mg.tensor([1, 0, 3])
        value = loss(x, target)
        target[0] = 2
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            value.backward()


# Modules --------------------------------------------------------------------------------------------------------------


@same_as_torch
def test_modules(m: Any) -> Any:
    nn, w = m.nn, unit(m, 4)
    x, p, y, t = data(m, 5, 4).requires_grad_(), unit(m, 5, 4).requires_grad_(), data(m, 5, 4, seed=1), classes(m, 5)
    modules = [
        (nn.MSELoss(), x, y), (nn.L1Loss(reduction="sum"), x, y), (nn.SmoothL1Loss(beta=0.5), x, y),
        (nn.HuberLoss("none", 0.4), x, y), (nn.BCELoss(w), p, unit(m, 5, 4, seed=1)),
        (nn.BCEWithLogitsLoss(w, pos_weight=w * 3), x, unit(m, 5, 4, seed=1)),
        (nn.KLDivLoss(reduction="batchmean"), x, unit(m, 5, 4)),
        (nn.KLDivLoss(reduction="sum", log_target=True), x, y), (nn.NLLLoss(w, ignore_index=2), x, t),
        (nn.CrossEntropyLoss(w, reduction="sum", label_smoothing=0.1), x, t),
    ]  # fmt: skip
    results = [module(*inputs) for module, *inputs in modules]
    sum(each.sum() for each in results).backward()
    return [
        [each.detach() for each in results],
        x.grad,
        p.grad,
        [repr(module) for module, *_ in modules],
        [dict(module.state_dict()) for module, *_ in modules],
    ]


@same_as_torch
def test_modules_of_margins_and_likelihoods(m: Any) -> Any:
    nn, t = m.nn, classes(m, 5)
    a, b, c = (data(m, 5, 4, seed=seed).requires_grad_() for seed in range(3))
    signs, rows = (unit(m, *shape).round() * 2 - 1 for shape in ((5, 4), (5,)))
    modules = [
        (nn.HingeEmbeddingLoss(0.5), a, signs), (nn.MarginRankingLoss(0.3, reduction="sum"), a, b, signs),
        (nn.SoftMarginLoss(), a, signs), (nn.CosineEmbeddingLoss(0.1), a, b, rows),
        (nn.TripletMarginLoss(2.0, 1, swap=True), a, b, c),
        (nn.TripletMarginWithDistanceLoss(distance_function=nn.PairwiseDistance(3.0), margin=0.5), a, b, c),
        (nn.MultiMarginLoss(2, weight=unit(m, 4)), a, t), (nn.MultiLabelSoftMarginLoss(unit(m, 4)), a, unit(m, 5, 4)),
        (nn.PoissonNLLLoss(full=True), a, unit(m, 5, 4) * 3), (nn.GaussianNLLLoss(full=True), a, b, unit(m, 5, 4)),
    ]  # fmt: skip
    results = [module(*inputs) for module, *inputs in modules]
    sum(results).backward()
    return [
        [each.detach() for each in results],
        [a.grad, b.grad, c.grad],
        [repr(module) for module, *_ in modules],
        [dict(module.state_dict()) for module, *_ in modules],
    ]


# torch's older arguments ----------------------------------------------------------------------------------------------

OLDER = [(None, False), (False, None), (False, True), (True, True), (True, False)]


@pytest.mark.parametrize(("size_average", "reduce"), OLDER)
@same_as_torch
def test_older_arguments(m: Any, size_average: Any, reduce: Any) -> Any:
    F, nn = m.nn.functional, m.nn
    x, y, t, p = data(m, 5, 4), data(m, 5, 4, seed=1), classes(m, 5), unit(m, 5, 4)
    kwargs = {"size_average": size_average, "reduce": reduce}
    calls = [
        lambda: F.mse_loss(x, y, size_average, reduce), lambda: F.nll_loss(x, t, None, size_average, 2, reduce),
        lambda: F.cross_entropy(x, t, **kwargs), lambda: F.binary_cross_entropy(p, p, None, size_average, reduce),
        lambda: F.binary_cross_entropy_with_logits(x, p, reduction="max", **kwargs), lambda: F.l1_loss(x, y, **kwargs),
        lambda: F.smooth_l1_loss(x, y, **kwargs),
        lambda: F.poisson_nll_loss(x, p, True, False, **kwargs), lambda: F.soft_margin_loss(x, y, **kwargs),
        lambda: F.triplet_margin_loss(x, y, p, **kwargs), lambda: F.hinge_embedding_loss(x, y, 1.0, size_average, reduce),
        lambda: nn.MSELoss(**kwargs)(x, y), lambda: nn.CrossEntropyLoss(**kwargs)(x, t),
        lambda: nn.BCELoss(None, size_average, reduce)(p, p), lambda: nn.MarginRankingLoss(**kwargs)(x, y, p),
    ]  # fmt: skip
    if False in (size_average, reduce):  # a mean warns once more
        calls += [lambda: F.kl_div(x, p, reduction="batchmean", **kwargs), lambda: nn.KLDivLoss(**kwargs)(x, p)]
    found = []
    for call in calls:
        with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated") as caught:
            found.append([call(), str(caught[0].message), len(caught)])
    return found


@same_as_torch
def test_reduction_in_its_place(m: Any) -> Any:
    """Behind the older arguments, as scripts write it."""
    F, nn, x, y, t = m.nn.functional, m.nn, data(m, 5, 4), data(m, 5, 4, seed=1), classes(m, 5)
    return [
        nn.MSELoss(None, None, "sum")(x, y), F.mse_loss(x, y, None, None, "none"),
        nn.CrossEntropyLoss(None, None, 3, None, "sum")(x, t),
        F.cross_entropy(x, t, None, None, -100, None, "sum", 0.1), nn.SmoothL1Loss(None, None, "sum", 0.5)(x, y),
        nn.MSELoss(None, None, "sum").reduction, raised(nn.HuberLoss, "mean", "1"), raised(nn.MSELoss, weight=y),
        raised(F.mse_loss, x, y, reduction="average"), raised(nn.GaussianNLLLoss, True),
    ]  # fmt: skip


def test_the_warning_of_older_arguments_points_to_the_caller() -> None:
    x = mg.ones(1)
    for call in (lambda: F.mse_loss(x, x, reduce=False), lambda: nn.MSELoss(reduce=False), lambda: nn.NLLLoss(reduce=False)):
        with pytest.warns(UserWarning, match="reduction='none'") as caught:
            call()
        assert caught[0].filename == __file__


# Errors and warnings --------------------------------------------------------------------------------------------------


@same_as_torch
def test_refusals(m: Any) -> Any:
    """The type of the error is torch's."""
    F, t = m.nn.functional, m.tensor
    x, p, y = m.ones(2, 3, requires_grad=True), m.full((2, 3), 0.5), m.ones(2, 3)
    w = m.ones(3, requires_grad=True)
    long = t([0, 1])
    calls: list[tuple[Any, ...]] = [
        (F.cross_entropy, x, t([0, 3])), (F.cross_entropy, x, t([0, -1])), (F.cross_entropy, x, long.int()),
        (F.cross_entropy, x, t([0, 1, 1])), (F.cross_entropy, x, t([[0, 1]])), (F.cross_entropy, x, t([0.0, 1.0])),
        (F.cross_entropy, x, m.ones(2, 4)), (F.cross_entropy, x, long, m.ones(2)),
        (F.cross_entropy, x, long, m.ones(3).double()),
        (F.cross_entropy, x, long, w), (F.cross_entropy, y.long(), long), (F.cross_entropy, t(1.0), t(0)),
        (F.cross_entropy, x, y, m.ones(2)), (F.cross_entropy, x, y.long()), (F.cross_entropy, x, [0, 1]),
        (F.cross_entropy, m.ones(2, 3, 4), m.zeros(2, 5).long()),
        (F.cross_entropy, m.ones(2, 3, 4), m.zeros(2).long()),
        (F.nll_loss, x, t([0, 3])), (F.nll_loss, x, t([0, -1]), y[0]), (F.nll_loss, x, t([0, 1, 2])),
        (F.nll_loss, x, y),
        (F.nll_loss, t(1.0), t(0)), (F.nll_loss, 3, long), (F.l1_loss, y.long(), y.long()),
        (F.mse_loss, y.long(), y.long()), (F.huber_loss, x, y, "mean", 0.0), (F.binary_cross_entropy, x * 2, p),
        (F.binary_cross_entropy, p, p * 0 + 3), (F.binary_cross_entropy, p, p[0]), (F.binary_cross_entropy, p, y.long()),
        (F.binary_cross_entropy, p, p.double()),
        (F.binary_cross_entropy, p, p, w), (F.binary_cross_entropy_with_logits, x, p[0]),
        (F.binary_cross_entropy_with_logits, x, y.long()), (F.binary_cross_entropy_with_logits, x, y, w),
    ]  # fmt: skip
    found = [raised(*call) for call in calls]
    found.append(raised(F.binary_cross_entropy_with_logits, x, y, pos_weight=w))
    found.append(raised(F.smooth_l1_loss, x, y, beta=-1.0))
    found.append(raised(F.cross_entropy, x, long, label_smoothing=1.5))
    found.append(raised(F.cross_entropy, x, y, ignore_index=0))
    for loss in (F.cross_entropy, F.nll_loss):
        found.append(raised(loss, x, long, reduction="max"))
    for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss, F.kl_div, F.binary_cross_entropy_with_logits):
        found.append(raised(loss, x, y, reduction="max"))
    assert "nothing" not in found, list(zip(calls, found, strict=False))
    return found


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: F.cross_entropy(mg.ones(2, 3), mg.tensor([0, 3])),
            "Target 3 is out of bounds: there are 3 classes, 0 to 2",
        ),
        (lambda: F.cross_entropy(mg.ones(2, 3), mg.tensor([0, -1])), "Target -1 is out of bounds"),
        (
            lambda: F.cross_entropy(mg.ones(2, 3), mg.tensor([0, 1, 2])),
            r"batch_size \(2\) to match target batch_size \(3\)",
        ),
        (lambda: F.cross_entropy(mg.ones(2, 3), mg.tensor([0.0, 1.0])), "Long or Byte, but got torch.float32"),
        (lambda: F.cross_entropy(mg.ones(2, 3), [0, 1]), r"argument 2 must be Tensor, not list; make one with"),
        (lambda: F.cross_entropy(mg.ones(2, 3).long(), mg.tensor([0, 1])), r"convert them, as in x.float\(\)"),
        (
            lambda: F.nll_loss(mg.ones(2, 3), mg.tensor([0, 1]), reduction="avg"),
            "avg is not a valid value for reduction",
        ),
        (lambda: F.binary_cross_entropy(mg.ones(2) * 2, mg.ones(2)), "apply a sigmoid first"),
        (lambda: F.mse_loss(mg.ones(2), 3.0), "argument 2 must be Tensor, not float"),
    ],
)
def test_first_mistakes_are_answered_with_a_sentence(call: Callable[[], Any], sentence: str) -> None:
    with pytest.raises((IndexError, ValueError, RuntimeError, TypeError), match=sentence):
        call()


@same_as_torch
def test_broadcasting_losses_warn(m: Any) -> Any:
    F, x, results = m.nn.functional, data(m, 3, 4).requires_grad_(), []
    for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss):
        y = data(m, 4, seed=1).requires_grad_()
        with pytest.warns(UserWarning, match=r"Using a target size \(torch.Size\(\[4\]\)\) that is different"):
            value = loss(x, y)
        value.backward()
        results += [value, y.grad]
    with pytest.warns(UserWarning, match="'batchmean' divides"):
        results.append(F.kl_div(x, unit(m, 3, 4)))
    return [*results, x.grad]


def test_warnings_point_to_the_caller() -> None:
    x, y = mg.ones(2), mg.ones(1)
    for call in (lambda: F.mse_loss(x, y), lambda: F.l1_loss(x, y), lambda: F.kl_div(x, x)):
        with pytest.warns(UserWarning) as caught:  # noqa: PT030 - only the place counts here
            call()
        assert caught[0].filename == __file__


# In training ----------------------------------------------------------------------------------------------------------


def test_nothing_is_recorded_or_kept_under_no_grad() -> None:
    x, target = data(mg, 3, 4).requires_grad_(), classes(mg, 3)
    with mg.no_grad():
        assert nn.CrossEntropyLoss()(x, target).grad_fn is None
    assert nn.CrossEntropyLoss()(x, target).grad_fn is not None


def loss_of(name: str, scores: Any, target: Any, weight: Any = None, **options: Any) -> Callable[[Any], Any]:
    """The loss and the gradient of the scores."""

    def call(m: Any) -> Any:
        x = m.tensor(scores, requires_grad=True) if isinstance(scores, list) else m.zeros(scores, requires_grad=True)
        given = m.tensor(target) if isinstance(target, list | int) else m.zeros(target)
        weights = {} if weight is None else {"weight": m.tensor(weight)}
        loss = getattr(m.nn.functional, name)(x, given, **weights, **options)
        loss.sum().backward()
        return [loss, x.grad]

    return call


TWO = [[1.0, 2.0], [3.0, 5.0]]
test_corners = same_elements({
    **{f"{name}, {what}": loss_of(name, *given, **options) for name in ("cross_entropy", "nll_loss") for what, (given, options) in {
        "weights of 0": ((TWO, [0, 0], [0.0, 1.0]), {}), "weights that cancel": ((TWO, [1, 0], [-1.0, 1.0]), {}),
        "all ignored": ((TWO, [-100, -100]), {}), "one ignored": ((TWO, [-100, 1]), {}),
        "all ignored, summed": ((TWO, [-100, -100]), {"reduction": "sum"}),
        "one ignored, each": ((TWO, [-100, 1]), {"reduction": "none"}),
        "a weight of 0, each": ((TWO, [0, 1], [0.0, 1.0]), {"reduction": "none"}),
        "a weight of 0, summed": ((TWO, [0, 1], [0.0, 1.0]), {"reduction": "sum"}),
        "images, all ignored": (((1, 2, 2), [[-100, -100]]), {}), "images of weight 0": (((1, 2, 2), [[0, 1]], [0.0, 0.0]), {}),
        "no scores, each": (([1.0, 2.0], 1), {"reduction": "none"}),
        "one ignored score, each": (([1.0, 2.0], -100), {"reduction": "none"}),
        "two targets": (([1.0, 2.0], [0, 1]), {}), "a sure class": (([[1000.0, 0.0]], [0]), {"reduction": "none"}),
    }.items()},
    "smoothed, weights that cancel": loss_of("cross_entropy", TWO, [1, 0], [-1.0, 1.0], label_smoothing=0.1),
    "smoothed, all ignored": loss_of("cross_entropy", TWO, [-100, -100], label_smoothing=0.1),
    "smoothed, a target of shape [1]": loss_of("cross_entropy", [1.0, 2.0], [1], label_smoothing=0.1),
    **{f"nothing of {shape}, {options}": loss_of("cross_entropy", shape, shape,
    **options) for shape in [(5, 0), (0, 5), (0,), (2, 5, 0)]
       for options in ({}, {"reduction": "sum"}, {"reduction": "none"}, {"label_smoothing": 0.1})},
})  # fmt: skip


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_a_target_of_shape_1_for_scores_without_a_batch(name: str, reduction: str) -> None:
    """torch gives the loss and refuses its gradient, by an oversight; here it is that of the target without dimensions."""
    same_as_torch(lambda m: getattr(m.nn.functional, name)(m.tensor([1.0, 2.0, 3.0]), m.tensor([1]), reduction=reduction))()
    one, none = (loss_of(name, [1.0, 2.0, 3.0], target, reduction=reduction)(mg) for target in ([1], 1))
    assert exact(one) == exact(none)
