"""Rows of the table of operations: what the layers of `nn` beyond the usual ones compute."""

from __future__ import annotations

from typing import Any

from .cases import Case, Row, case, real, refused, whole

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
    Row("nn.functional.interpolate", *resized(IMAGES, "bilinear", {"size": (5, 9)}, {"scale_factor": (1.0, 0.4)}, {"size": (5, 8)}),
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

LAYERS = [*INTERPOLATION]
