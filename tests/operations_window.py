"""Rows of the table of operations: convolutions and pooling."""

from __future__ import annotations

from math import inf, nan
from typing import Any

from .cases import Case, Input, Row, case, fixed, kink, last, real, refused, whole

# fmt: off  (a row reads better as a paragraph than with one argument a line)


IMAGES, SIGNALS, FEW, MANY = real(2, 4, 6, 7), real(2, 4, 9), real(2, 2, 5, 5), last(2, 12, 4, 5)
WEIGHT, BIAS = real(6, 4, 3, 3), real(6)
MNIST = real(64, 1, 28, 28)


def convolutions(image: Input, weight: Input, bias: Input, *options: dict[str, Any]) -> list[Case]:
    return [case(image, weight, bias, **each) for each in options]


CONVOLUTIONS = [
    Row("nn.functional.conv2d", case(FEW, real(3, 2, 3, 3)), case(IMAGES, WEIGHT, BIAS), case(IMAGES, WEIGHT, BIAS, 2, 1),
        *convolutions(IMAGES, WEIGHT, BIAS, {"stride": (1, 2), "padding": (2, 0)}, {"padding": "same"}, {"padding": "valid"},
            {"padding": "same", "dilation": (1, 2)}, {"dilation": 2, "padding": 2, "stride": 3}, {"stride": [2, 1]},
            {"stride": (2,)}),
        case(MANY, real(3, 12, 3, 3), real(3), 2, 1), case(MANY, real(3, 12, 2, 3), dilation=2, padding=1),
        case(MANY, real(3, 12, 1, 1), real(3)), case(FEW, real(3, 2, 1, 1), stride=2), case(real(1, 1, 3, 3), real(1, 1, 3, 3)),
        case(IMAGES, real(6, 2, 3, 2), BIAS, 2, 1, 1, 2), case(IMAGES, real(4, 1, 3, 3), real(4), groups=4),
        *(case(IMAGES, real(4, 1, 3, 2), None, *each, groups=4) for each in ((2, 1), ((1, 2), (4, 3)), ((2, 1), 1, 2))),
        case(MANY, real(8, 3, 3, 3), padding=1, groups=4), case(real(0, 4, 6, 7), WEIGHT, BIAS), refused(IMAGES, real(0, 4, 3, 3)),
        case(whole(1, 2, 4, 4), whole(3, 2, 2, 2)),
        refused(IMAGES, real(6, 3, 3, 3)), refused(IMAGES, real(6, 4, 7, 3)), refused(IMAGES, WEIGHT, real(5)),
        refused(IMAGES, WEIGHT, stride=0), refused(IMAGES, WEIGHT, padding=-1), refused(IMAGES, WEIGHT, dilation=0),
        refused(IMAGES, WEIGHT, groups=3), refused(IMAGES, WEIGHT, groups=0), refused(IMAGES, WEIGHT, stride=(1, 1, 1)),
        refused(IMAGES, WEIGHT, padding="some"), refused(IMAGES, WEIGHT, stride=2, padding="same"), refused(real(6, 7), WEIGHT),
        refused(IMAGES, WEIGHT, stride=1.5), refused(IMAGES, real(6, 4, 3, 3, dtype="float64")),
        bench=case(real(64, 16, 14, 14), real(16, 16, 3, 3), real(16), 2, 1)),
    Row("nn.functional.conv2d", case(real(4, 6, 7), WEIGHT, BIAS, padding=1), case(real(4, 6, 7), WEIGHT),
        bench=case(MNIST, real(32, 1, 5, 5), real(32), 1, 2)),
    Row("nn.functional.conv2d", case(real(4, 6, 7), real(4, 1, 3, 3), padding="same", groups=4),
        bench=case(real(32, 32, 16, 16), real(32, 1, 3, 3), real(32), 1, 1, 1, 32)),
    Row("nn.functional.conv1d", case(SIGNALS, real(6, 4, 3), BIAS), case(SIGNALS, real(6, 4, 3), None, 2, 1),
        case(SIGNALS, real(6, 2, 4), BIAS, padding=3, dilation=2, groups=2), case(real(4, 9), real(6, 4, 3)),
        case(SIGNALS, real(4, 1, 3), real(4), 2, 3, 2, 4),
        case(SIGNALS, real(6, 4, 3), BIAS, padding="same"), refused(SIGNALS, WEIGHT), refused(IMAGES, real(6, 4, 3)),
        bench=case(real(64, 16, 128), real(32, 16, 5), real(32), 1, 2)),
    Row("nn.functional.conv_transpose2d", case(FEW, real(2, 3, 3, 3)), case(IMAGES, real(4, 3, 3, 3), real(3), 2, 1, 1),
        case(IMAGES, real(4, 3, 2, 3), real(3), stride=(3, 2), padding=(0, 1), output_padding=(2, 0)),
        case(real(4, 3, 2), real(4, 3, 3, 3)),
        case(MANY, real(12, 3, 3, 3), stride=2), case(IMAGES, real(4, 2, 3, 3), real(4), 1, 2, 0, 2, 2),
        case(FEW, real(2, 3, 2, 2), dilation=2, output_padding=1), case(MANY, real(12, 1, 2, 2), groups=12),
        case(IMAGES, real(4, 1, 2, 3), real(4), stride=(1, 3), padding=2, output_padding=(0, 2), groups=4),
        refused(IMAGES, real(3, 6, 3, 3)), refused(IMAGES, real(4, 3, 3, 3), output_padding=1),
        refused(IMAGES, real(4, 3, 3, 3), real(4)),
        refused(IMAGES, real(4, 3, 3, 3), padding="same"), refused(IMAGES, real(4, 3, 1, 1), padding=9),
        bench=case(real(64, 16, 7, 7), real(16, 16, 3, 3), real(16), 2, 1, 1)),
    Row("nn.functional.conv_transpose1d", case(SIGNALS, real(4, 3, 3), real(3), 2, 1, 1), case(real(4, 9), real(4, 3, 3)),
        case(SIGNALS, real(4, 3, 3), groups=2, dilation=3)),
    Row("nn.functional.unfold", case(IMAGES, 3), case(IMAGES, (2, 3), 2, 1, (1, 2)), case(MANY, 1), case(real(4, 6, 7), 2),
        refused(IMAGES, 9), refused(IMAGES, (2, 2, 2)), refused(IMAGES, 2, stride=0), refused(whole(1, 1, 4, 4), 2),
        refused(IMAGES, 2.0),
        bench=case(MNIST, 3)),
    Row("nn.functional.fold", case(real(2, 8, 20), (5, 6), 2), case(real(2, 12, 15), (6, 7), (2, 3), 2, 1, (2, 1)),
        case(real(8, 12), (5, 4), 2), case(real(2, 9, 9), 5, 3), refused(real(2, 8, 21), (5, 6), 2),
        refused(real(2, 7, 20), (5, 6), 2),
        refused(IMAGES, 5, 3), refused(whole(1, 4, 9), 4, 2), bench=case(real(64, 9, 676), 28, 3)),
    *(Row(name, case(SIGNALS, real(*shape))) for name, shape in (("conv1d", (6, 4, 3)), ("conv_transpose1d", (4, 6, 3)))),
    *(Row(name, case(FEW, real(*shape))) for name, shape in (("conv2d", (3, 2, 3, 3)), ("conv_transpose2d", (2, 3, 3, 3)))),
]

POOL = real(2, 3, 7, 8)
PEAKS = fixed([[[1.0, 3.0, 3.0, 2.0], [3.0, 2.0, 2.0, 3.0], [2.0, nan, 0.0, -inf], [nan, 2.0, -inf, 0.0], [5.0, 5.0, 1.0, 1.0]]])
TIES = fixed([[[1.0, 3.0, 3.0, 2.0], [3.0, 2.0, 2.0, 3.0], [2.0, 2.0, 0.0, -inf], [5.0, 5.0, 1.0, 1.0]]])
BOTH = [case(POOL, 2), case(POOL, 3, 2, 1), case(POOL, (2, 3), (3, 1), (0, 1)), case(POOL, 3, 2, ceil_mode=True),
    case(real(3, 7, 8), 2),
    case(POOL, 2, 3, 1, ceil_mode=True), case(POOL, 3, stride=4, ceil_mode=True), case(last(2, 5, 6, 6), 2),
    case(last(2, 5, 6, 6), 3, 2, 1), case(POOL, 1), case(real(0, 3, 4, 4), 2), case(POOL, [2, 2]), case(whole(1, 2, 4, 4), 2),
    refused(POOL, 9), refused(POOL, 2, 0), refused(POOL, 2, padding=2), refused(POOL, 2, padding=-1),
    refused(real(1, *POOL.shape), 2), refused(POOL, (2, 2, 2)), refused(POOL, 2.0), refused(real(2, 0, 4, 4), 2),
    refused(Input((1, 1, 4, 4), 0, 2, "bool"), 2)]
ROW = [case(SIGNALS, 2), case(SIGNALS, 3, 2, 1), case(SIGNALS, 2, ceil_mode=True), case(real(4, 9), (3,)), refused(IMAGES, 2),
    refused(real(9), 2), refused(SIGNALS, 10)]
SIZES = [case(POOL, 3), case(POOL, (2, 5)), case(POOL, (None, 4)), case(POOL, [4, None]), case(real(3, 7, 8), (1, 2)),
    case(POOL, 11),
    case(last(2, 5, 6, 6), 2), case(real(0, 3, 4, 4), 2), refused(real(7, 8), 2), refused(whole(1, 1, 4, 4), 2),
    refused(POOL, (1, 2, 3)),
    refused(POOL, -1)]

POOLING = [
    Row("nn.functional.avg_pool2d", *BOTH, case(POOL, 3, 2, 1, count_include_pad=False), case(POOL, 3, 2, 1, True, False),
        case(POOL, 2, divisor_override=3), case(POOL, 3, 3, 1, divisor_override=-1), refused(POOL, 2, divisor_override=0),
        bench=case(real(64, 16, 28, 28), 2)),
    Row("nn.functional.max_pool2d", *BOTH, case(POOL, 2, 1, 1, 2), case(POOL, 3, 2, 1, (1, 2), True), case(POOL, (7, 8)),
        case(POOL, 2, return_indices=True), case(POOL, 3, 2, 1, 2, True, True), case(real(3, 7, 8), 2, return_indices=True),
        refused(real(7, 8), 2),
        kink(PEAKS, 2), kink(PEAKS, 2, 1, return_indices=True), kink(PEAKS, 3, 1, 1, return_indices=True),
        refused(POOL, 2, dilation=0),
        bench=case(real(64, 16, 28, 28), 2)),
    Row("nn.functional.avg_pool1d", *ROW, case(SIGNALS, 3, 2, 1, True, False)),
    Row("nn.functional.max_pool1d", *ROW, case(SIGNALS, 2, dilation=3), case(SIGNALS, 2, 3, return_indices=True),
        refused(whole(1, 1, 4), 2)),
    Row("nn.functional.adaptive_avg_pool2d", *SIZES, refused(real(2, 2), (1, 1)), bench=case(real(64, 16, 7, 7), 3)),
    Row("nn.functional.adaptive_avg_pool2d", case(POOL, 1), case(real(3, 7, 8), (1, 1)), bench=case(real(64, 16, 7, 7), 1)),
    Row("nn.functional.adaptive_max_pool2d", *SIZES, case(POOL, 1), case(POOL, (3, 5), True), kink(TIES, (2, 3), True),
        bench=case(real(64, 16, 7, 7), 3)),
    Row("nn.functional.adaptive_avg_pool1d", case(SIGNALS, 4), case(SIGNALS, 1), case(real(4, 9), 2),
        refused(SIGNALS, None), refused(IMAGES, 2)),
    Row("nn.functional.adaptive_max_pool1d", case(SIGNALS, 4), case(SIGNALS, 1), case(real(4, 9), 2, True), refused(IMAGES, 2)),
]

WINDOWS = [*CONVOLUTIONS, *POOLING]
