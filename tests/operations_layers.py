"""Rows of the table of operations: what the layers of `nn` beyond the usual ones compute."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from .cases import Case, Row, case, fixed, index, kink, natural, positive, real, refused, unit, whole

# fmt: off  (a row reads better as a paragraph than with one argument a line)

SIGNALS, IMAGES, VOLUMES = real(2, 3, 7), real(2, 3, 5, 8), real(1, 2, 3, 4, 5)
SCALES: list[dict[str, Any]] = [
    {"size": 11}, {"size": 3}, {"size": 1}, {"scale_factor": 2}, {"scale_factor": 2.6}, {"scale_factor": 0.7},
    {"scale_factor": 1.3, "recompute_scale_factor": True},
]  # fmt: skip


def resized(x: Any, mode: str, *more: dict[str, Any]) -> list[Case]:
    corners = [{}] if mode[:4] in ("near", "area") else [{}, {"align_corners": True}]
    return [case(x, mode=mode, **scale, **corner) for scale in (*SCALES, *more) for corner in corners]


INTERPOLATION = [
    Row("nn.functional.interpolate", *resized(IMAGES, "bilinear", {"size": (5, 9)}, {"scale_factor": (1.0, 0.4)}, {"size": (5,
        8)}),
        *resized(SIGNALS, "linear"), *resized(real(2, 8, 5, 3).transposed(), "bilinear")[:2], *resized(VOLUMES, "trilinear")[:3],
        *resized(IMAGES, "bicubic", {"size": (5, 9)}),
        bench=case(real(32, 16, 14, 14), scale_factor=2, mode="bilinear"), rtol={"float32": 3e-5}),
    Row("nn.functional.interpolate", *resized(IMAGES, "nearest"), *resized(IMAGES, "nearest-exact"),
        *(each for x in (SIGNALS, VOLUMES) for mode in ("nearest", "nearest-exact") for each in resized(x, mode)[3:6]),
        *resized(SIGNALS, "area"), *resized(IMAGES, "area", {"size": (5, 9)}), case(real(0, 3, 4), 2),
        case(whole(1, 2, 5, dtype="uint8"), 3),
        refused(SIGNALS, 3, mode="bilinear"), refused(IMAGES, 3, mode="linear"), refused(IMAGES, 3, mode="some"),
        refused(real(3, 4), 3), refused(IMAGES), refused(IMAGES, 3, 2), refused(IMAGES, (3,)), refused(IMAGES, 0),
        refused(IMAGES, scale_factor=(1, 2, 3)), refused(IMAGES, 3, align_corners=True), refused(IMAGES, (3, 2.5)),
        refused(IMAGES, 3, recompute_scale_factor=True), refused(real(1, 0, 3), 2),
        refused(IMAGES, 3, mode="nearest", antialias=True),
        refused(whole(1, 2, 5), 3, mode="linear"), bench=case(real(32, 16, 14, 14), scale_factor=2)),
]

A, B = real(3, 4), real(3, 4).strided()
SIGNS = fixed([[1.0, -1.0, 1.0, 1.0], [-1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, 1.0]]).constant()
LABELS = fixed([[3, 0, -1, 1], [-1, 0, 1, 2], [1, 2, 3, 0]], "int64")
PLACES, PLACES_3D = fixed([[[[0, 3], [9, 14]]]], "int64"), fixed([[[1, 2], [8, 15]]], "int64")
ROWS, KIND = fixed([1.0, -1.0, -1.0]).constant(), index(1, 3, 0)


def reduced(*arguments: Any, make: Callable[..., Case] = case, **options: Any) -> list[Case]:
    """A loss in all reductions."""
    return [make(*arguments, reduction=reduction, **options) for reduction in ("mean", "sum", "none")]


LOSSES = [
    Row("nn.functional.hinge_embedding_loss", *reduced(A, SIGNS), case(A, SIGNS, 0.3), case(A, index(1, -1, 1, 0)),
        kink(real(0, 2), real(2)), refused(A, SIGNS, reduction="max"), refused(3, SIGNS),
        bench=case(real(256, 256), real(256, 256).constant())),
    Row("nn.functional.margin_ranking_loss", *reduced(A, B, SIGNS), case(A, B, SIGNS, 0.5), case(A, real(3, 1), real(1, 4)),
        refused(A, B, ROWS), refused(A, B, SIGNS, reduction="max"),
        bench=case(real(256, 256), real(256, 256), real(256, 256)), same_node=False),
    Row("nn.functional.soft_margin_loss", *reduced(A, SIGNS), case(real(2, 3), ROWS), kink(fixed([300.0, -300.0, 80.0]), ROWS),
        refused(A, SIGNS, reduction="max"), bench=case(real(256, 256), real(256, 256).constant())),
    Row("nn.functional.cosine_embedding_loss", *reduced(A, B, ROWS), case(A, B, ROWS, 0.2),
        case(real(4), real(4), fixed(1.0).constant()), refused(A, B, SIGNS), refused(A, real(4), ROWS),
        refused(real(4), real(4), ROWS), bench=case(real(256, 64), real(256, 64), real(256).constant())),
    Row("nn.functional.triplet_margin_loss", *reduced(A, B, real(3, 4)), case(A, B, real(3, 4), 3.0, 1, swap=True),
        case(A, B, real(3, 4).transposed(), p=3.0, eps=1e-3), case(real(4), real(4), real(4)), refused(A, B, real(4)),
        refused(A, B, A, 0.0), refused(A, B, A, reduction="max"), bench=case(real(256, 64), real(256, 64), real(256, 64)),
        same_node=False),
    Row("nn.functional.triplet_margin_with_distance_loss", *reduced(A, B, real(3, 4)), refused(A, B, real(4)),
        case(A, B, real(3, 4), margin=3.0, swap=True), refused(A, B, A, margin=-1.0), refused(A, B, A, reduction="max"),
        same_node=False),
    # torch has no second derivative for this one, so that no case is called smooth.
    Row("nn.functional.multi_margin_loss", *reduced(A, KIND, make=kink), kink(A, KIND, 2, 0.7, positive(4).constant()),
        kink(real(4), fixed(2, "int64")), kink(A, KIND, margin=2.5), refused(A, KIND, 3), refused(A, index(1, 4, 0)),
        refused(A, index(1, 0)), refused(A, KIND, weight=A), refused(A, KIND, weight=real(3)),
        bench=case(real(256, 10), whole(256, low=0, high=10)), same_node=False),
    Row("nn.functional.multilabel_soft_margin_loss", *reduced(A, fixed([1.0, 0.0, 0.0, 1.0]).constant()),
        case(A, unit(3, 4), positive(4)), case(real(4), unit(4)), refused(A, unit(3, 4), reduction="max"),
        bench=case(real(256, 10), unit(256, 10))),
    Row("nn.functional.poisson_nll_loss", *reduced(A, natural(3, 4)), case(positive(3, 4), positive(4), False),
        case(A, positive(3, 4), full=True), case(A, natural(3, 4), full=True), case(unit(3, 4), real(4), False, eps=0.1),
        refused(A, A, reduction="max"), bench=case(real(256, 256), positive(256, 256))),
    Row("nn.functional.gaussian_nll_loss", *reduced(A, B, positive(3, 4)), case(A, B, positive(3)), case(A, B, 0.7),
        case(A, B, positive(3, 1), full=True), kink(A, B, fixed([[1e-9], [0.0], [2.0]])), kink(A, B, positive(3, 4), eps=1.5),
        refused(A, B, real(3, 4)), refused(A, B, -1.0), refused(A, B, positive(4, 3)), refused(A, B, positive(2)),
        refused(A, B, positive(3, 4), reduction="max"), bench=case(real(256, 256), real(256, 256), positive(256, 256))),
    Row("nn.functional.pairwise_distance", case(A, B, 1.0), case(A, real(4), eps=0.1, keepdim=True), same_node=False),
    *(Row(f"nn.functional.{name}", *reduced(A, B, weight=positive(3, 4)), refused(A, B, weight=positive(4)))
      for name in ("mse_loss", "l1_loss", "huber_loss")),
]


def seeded(name: str) -> Callable[..., Any]:
    """From one seed, both draw the same."""

    def call(m: Any, *arguments: Any, **options: Any) -> Any:
        m.manual_seed(0)
        return getattr(m.nn.functional, name)(*arguments, **options)

    return call


def quiet(name: str) -> Callable[..., Any]:
    """Without the warning that there is a new name."""

    def call(m: Any, *arguments: Any, **options: Any) -> Any:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="`nn.functional.upsample")
            return getattr(m.nn.functional, name)(*arguments, **options)

    return call


OTHERS = [
    Row("nn.functional.gumbel_softmax", case(A), case(A, 0.5, dim=0), case(real(2, 3, 4), tau=2.0, dim=1),
        case(real(4, 3).transposed()), case(A.constant(), hard=True), kink(A, 0.3, True), refused(A, dim=2),
        call=seeded("gumbel_softmax"), bench=case(real(256, 256)), same_node=False),
    Row("nn.functional.local_response_norm", case(real(2, 7, 3, 3), 5), case(real(2, 6, 4), 4, 0.5, 0.3, 2.0),
        case(real(2, 3, 2, 2, 2), 2), case(real(0, 3, 2), 2), refused(A, 2), bench=case(real(16, 16, 14, 14), 5),
        rtol={"float32": 2e-5}),
    Row("nn.functional.dropout3d", case(real(4, 3, 2, 2, 3)), case(real(3, 2, 2, 3), 0.3),
        case(real(4, 3, 2, 2, 2), training=False), refused(real(4, 3, 2, 2, 2), 1.5), call=seeded("dropout3d"), same_node=False),
    *(Row(f"nn.functional.{name}", case(shape, training=True), case(shape, 0.2, True), case(shape), case(shape, 0.0, True),
          case(shape, 1.0, True), case(real(3)), refused(shape, 1.5, True), call=seeded(name), same_node=False)
      for name, shape in (("alpha_dropout", A), ("alpha_dropout", real(4, 3).transposed()),
                          ("feature_alpha_dropout", real(4, 6, 3)))),
    Row("nn.functional.rrelu", case(A), case(A, training=True), case(A, 0.5, 0.6, True),
        case(real(4, 3).transposed(), training=True),
        case(real(0, 3), training=True), kink(fixed([0.0, -0.0, -1.0, 1.0]), training=True), refused(A, 0.5, 0.1, True),
        call=seeded("rrelu"), bench=case(real(256, 256), training=True)),
    *(Row(name, case(real(2, 6, 3), 2), case(real(2, 6, 2, 3), 3), case(whole(1, 4, 2), 4), case(real(1, 4, 2), 1),
          refused(real(2, 4), 2), refused(real(2, 4, 2), 3), refused(real(2, 4, 2), 0))
      for name in ("channel_shuffle", "nn.functional.channel_shuffle")),
    Row("nn.functional.multilabel_margin_loss", *reduced(A, LABELS, make=kink), kink(real(4), fixed([2, 0, -1, 1], "int64")),
        kink(real(3), fixed([-1, 0, 1], "int64")), refused(A, KIND), refused(A, fixed([[4, -1, 0, 0]] * 3, "int64")),
        refused(A, fixed([[-2, -1, 0, 0]] * 3, "int64")), same_node=False),  # torch has no second derivative
    Row("nn.functional.lp_pool2d", case(positive(2, 4, 6, 7), 2, 2), case(positive(2, 4, 6, 7), 1.5, (2, 3), 2),
        case(positive(4, 6, 7), 3, 3, stride=1, ceil_mode=True), case(IMAGES, 2.0, 2), kink(IMAGES, float("inf"), 2),
        kink(IMAGES, -float("inf"), 2), refused(IMAGES, 2, 9), same_node=False, rtol={"float32": 2e-5}),
    Row("nn.functional.lp_pool1d", case(positive(2, 3, 7), 2, 2), case(positive(3, 7), 3.0, 3, 1), kink(SIGNALS, float("inf"), 2),
        refused(SIGNALS, 2, 9), same_node=False, rtol={"float32": 2e-5}),
    Row("nn.functional.max_unpool2d", case(real(1, 1, 2, 2), PLACES, 2), case(real(1, 2, 2), PLACES_3D, (2, 2), (2, 2), 0),
        case(real(1, 1, 2, 2), PLACES, 2, output_size=(5, 4)), case(real(1, 1, 2, 2), PLACES, 2, output_size=(1, 1, 5, 5)),
        kink(real(1, 1, 2, 2), fixed([[[[1, 4], [9, 15]]]], "int64"), 3, 2, 1, (4, 4)), refused(real(1, 1, 2, 2), PLACES, 2,
        output_size=(7, 4)), refused(real(1, 1, 2, 2), PLACES, 1), refused(real(1, 1, 2, 3), PLACES, 2),
        refused(real(1, 1, 2, 2), PLACES, 2, output_size=(4,)), same_node=False),
    Row("nn.functional.max_unpool1d", case(real(1, 1, 3), fixed([[[1, 2, 5]]], "int64"), 2), case(real(1, 3), fixed([[0, 3, 4]],
        "int64"), 2, output_size=(7,)), refused(real(1, 1, 3), fixed([[[1, 2, 6]]], "int64"), 2), same_node=False),
    Row("nn.functional.upsample", case(SIGNALS, 4), case(IMAGES, None, 2, "bilinear"), call=quiet("upsample")),
    Row("nn.functional.upsample_nearest", case(IMAGES, 4), case(IMAGES, scale_factor=2), call=quiet("upsample_nearest")),
    Row("nn.functional.upsample_bilinear", case(IMAGES, 4), case(IMAGES, scale_factor=2), call=quiet("upsample_bilinear")),
]

LAYERS = [*INTERPOLATION, *LOSSES, *OTHERS]
