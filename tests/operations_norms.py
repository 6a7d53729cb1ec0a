"""Rows of the table of operations: normalisation, rows of a table, padding, and the activations that are rarer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .cases import Case, Row, case, fixed, index, kink, last, positive, real, refused, whole

# fmt: off  (a row reads better as a paragraph than with one argument a line)


ROWS, SIGNALS, PICTURES = real(5, 6), real(4, 6, 5), real(3, 6, 2, 4)
WEIGHT, BIAS = positive(6), real(6)
MEAN, VARIANCE = real(6).constant(), positive(6).constant()

# Normalisation --------------------------------------------------------------------------------------------------------


def in_training(m: Any, x: Any, mean: Any, variance: Any, *rest: Any, **options: Any) -> Any:
    """Batch normalisation with copies of the running values, which it changes: the result, and what they are then."""
    running = None if mean is None else mean.clone(), None if variance is None else variance.clone()
    result = m.nn.functional.batch_norm(x, *running, *rest, training=True, **options)
    return [result, *(each for each in running if each is not None)]


LEARNED: list[dict[str, Any]] = [{}, {"weight": WEIGHT}, {"weight": WEIGHT, "bias": BIAS}]
SHAPES = [ROWS, SIGNALS, PICTURES, last(3, 6, 2, 4), ROWS.strided(), real(5, 6).transposed()]
LARGE = case(real(64, 16, 14, 14), real(16).constant(), positive(16).constant(), positive(16), real(16))
NORMALIZATION = [
    Row("nn.functional.batch_norm", *(case(x, None, None, WEIGHT, BIAS) for x in SHAPES), case(real(4, 1), None, None),
        *(case(PICTURES, MEAN, VARIANCE, **each) for each in LEARNED), kink(PICTURES, MEAN, VARIANCE, bias=BIAS),
        case(ROWS, MEAN, VARIANCE, momentum=0.3, eps=0.1), case(real(1, 6, 4), MEAN, VARIANCE, momentum=1.0),
        case(real(2, 6, 1, 1), None, None, WEIGHT), case(ROWS, MEAN, VARIANCE, momentum=0.0),
        kink(fixed([[1.0], [1.0], [1.0]]), None, None), refused(real(1, 6), None, None), refused(real(1, 6, 1), None, None),
        refused(real(6), None, None), refused(ROWS, MEAN, None), refused(ROWS, None, VARIANCE), refused(ROWS, None, None, real(5)),
        refused(ROWS, MEAN, real(5).constant()), refused(whole(5, 6), None, None),
        refused(ROWS, MEAN, VARIANCE, WEIGHT, real(6, dtype="float64")), call=in_training, bench=LARGE),
    Row("nn.functional.batch_norm", *(case(x, MEAN, VARIANCE, WEIGHT, BIAS) for x in SHAPES), kink(ROWS, MEAN, VARIANCE, bias=BIAS),
        *(case(PICTURES, MEAN, VARIANCE, **each) for each in LEARNED), refused(ROWS, None, None),
        case(real(1, 6), MEAN, VARIANCE, WEIGHT, BIAS, False, 0.5, 0.1),
        refused(ROWS, MEAN, None), refused(ROWS, None, VARIANCE), refused(real(5, 4), MEAN, VARIANCE),
        refused(ROWS, real(6), VARIANCE), refused(ROWS, MEAN, positive(6)), bench=LARGE),
    Row("nn.functional.batch_norm", kink(real(0, 6), MEAN, VARIANCE), call=in_training, same_node=False),
    Row("nn.functional.layer_norm", *(case(x, x.shape[-1:]) for x in SHAPES), case(SIGNALS, [6, 5]), case(SIGNALS, (4, 6, 5)),
        *(case(ROWS, (6,), **each) for each in LEARNED), case(SIGNALS, (6, 5), positive(6, 5), real(6, 5), 0.1),
        kink(ROWS, (6,), bias=BIAS), case(real(6), (6,), WEIGHT), kink(real(0, 6), (6,), WEIGHT, BIAS), kink(real(5, 1), (1,)),
        kink(fixed([[2.0, 2.0, 2.0]]), (3,)), refused(ROWS, (5,)), refused(ROWS, ()), refused(ROWS, 6), refused(ROWS, (1, 5, 6)),
        refused(ROWS, (6,), real(5)), refused(ROWS, (6,), WEIGHT, real(5, 6)), refused(whole(5, 6), (6,)),
        refused(ROWS, (6,), real(6, dtype="float64")), bench=case(real(256, 256), (256,), positive(256), real(256))),
    Row("nn.functional.group_norm", *(case(x, 2, WEIGHT, BIAS) for x in SHAPES), *(case(SIGNALS, 3, **each) for each in LEARNED),
        case(SIGNALS, 1, WEIGHT, BIAS), case(SIGNALS, 6, WEIGHT, BIAS, 0.1), case(real(1, 6, 5), 1, WEIGHT),
        kink(real(0, 6, 5), 2, WEIGHT, BIAS), kink(fixed([[[2.0, 2.0]]]), 1), refused(SIGNALS, 4), refused(real(6), 1),
        refused(real(1, 6), 6), refused(SIGNALS, 2, real(5)), refused(whole(4, 6), 2),
        bench=case(real(64, 16, 14, 14), 4, positive(16), real(16))),
    Row("nn.functional.rms_norm", case(ROWS, (6,)), case(ROWS, (6,), WEIGHT), case(SIGNALS, [6, 5], positive(6, 5), 0.1),
        kink(fixed([[1e-5, -1e-5], [0.0, 0.0]]), (2,)), refused(ROWS, (5,)), refused(ROWS, (6,), real(5)),
        bench=case(real(256, 256), (256,), positive(256))),
]

# Rows of a table ------------------------------------------------------------------------------------------------------

TABLE = real(7, 12)
WORDS = index([0, 2, 2, 6], [2, 5, 0, 2])
LOOKUP = [
    Row("nn.functional.embedding", case(WORDS, TABLE), case(index(3, 3, 3, 3, 3, 3, 3), TABLE), case(fixed(4, "int64"), TABLE),
        case(WORDS, real(7, 2)), case(index(), TABLE), case(fixed([[1, 4]], "int32"), TABLE), kink(WORDS, TABLE, 2),
        kink(WORDS, TABLE, padding_idx=-1), kink(WORDS, TABLE, scale_grad_by_freq=True), case(WORDS, real(7, 12).transposed()),
        kink(WORDS, TABLE, padding_idx=0, scale_grad_by_freq=True), case(WORDS, whole(7, 12)), refused(index(7), TABLE),
        refused(index(-1), TABLE), refused(real(2), TABLE), refused(WORDS, real(7)), refused(WORDS, TABLE, 7),
        refused(WORDS, TABLE, -8), bench=case(whole(64, 64, low=0, high=1000), real(1000, 64))),
]

# Padding --------------------------------------------------------------------------------------------------------------


def padded(*modes: str) -> list[Case]:
    """Padding of signals and images, before and behind, cutting and filling."""
    shapes = [(real(2, 3, 4), (1, 2)), (real(3, 4), [3, 0]), (real(2, 3, 4), (1, 0, 2, 1)), (real(1, 2, 3, 4), (2, 1, 0, 1)),
              (real(1, 2, 3, 2, 4), (1, 1, 0, 1, 2, 0)), (real(2, 3, 4), (-1, 2)), (real(2, 3, 4), (2, -1)),
              (real(2, 3, 4), (0, 0))]
    return [case(*each, mode=mode) for mode in modes for each in shapes]


PADDING = [
    Row("nn.functional.pad", *padded("reflect", "replicate", "circular"), case(real(2, 3, 4), (6, 5), "replicate"),
        case(real(2, 3, 4), (4, 4), "circular"), kink(real(0, 3, 4), (1, 1), "reflect"),
        case(real(2, 16, 5), (1, 2, 2, 1), "reflect"),
        *(refused(real(2, 3, 4), *each) for each in (((4, 0), "reflect"), ((5, 0), "circular"), ((-2, -2), "replicate"),
            ((1,), "reflect"), ((1, 1), "mirror"), ((1, 1), "reflect", 1.0), ((1, 1, 1, 1, 1, 1), "reflect"))),
        refused(real(4), (1, 1), "reflect"), refused(real(2, 3, 4, 5), (1, 1), "circular"),
        bench=case(real(16, 16, 28, 28), (1, 1, 1, 1), "reflect"), same_node=False),
]

# Activations ----------------------------------------------------------------------------------------------------------


def seeded(name: str) -> Callable[..., Any]:
    """A dropout draws its mask; from one seed both draw the same."""

    def call(m: Any, *arguments: Any, **options: Any) -> Any:
        m.manual_seed(7)
        return getattr(m.nn.functional, name)(*arguments, **options)

    return call


EDGES = fixed([-4.0, -3.0, -2.5, -0.5, 0.0, 0.5, 2.5, 3.0, 4.0])
MORE = [
    Row("nn.functional.hardswish", case(real(3, 4)), case(real(3, 4, low=-5, high=5)), case(real()), case(real(0, 3)), kink(EDGES),
        case(real(3, 4).strided()), refused(whole(3)), bench=case(real(256, 256))),
    Row("nn.functional.hardsigmoid", *(kink(x) for x in (real(3, 4, low=-5, high=5), real(), real(0, 3), EDGES)), refused(whole(3)),
        bench=case(real(256, 256))),  # torch has no second derivative
    Row("nn.functional.prelu", case(real(3, 4), positive(1)), case(real(3, 4), positive(4)), case(real(2, 3, 4), real(3)),
        case(real(2, 3, 2, 2), real(3)), case(real(4), positive(1)), case(real(), positive(1)), case(real(2, 3), positive()),
        kink(EDGES, fixed([0.25])), refused(real(3, 4), real(3)), refused(real(3), real(3)), refused(real(3, 4), real(4, 1)),
        refused(real(3, 4), real(4, dtype="float64")), bench=case(real(256, 256), positive(1))),
    Row("nn.functional.glu", case(real(3, 4)), case(real(4, 3), 0), case(real(2, 6, 3), dim=1), case(real(0, 4)), refused(real(3)),
        refused(real(3, 4), 2), refused(real()), refused(whole(3, 4)), bench=case(real(256, 256))),
    Row("nn.functional.softmin", case(real(3, 4), 1), case(real(3, 4), dim=0), refused(whole(3), 0)),
    Row("nn.functional.dropout1d", case(real(4, 6, 3)), case(real(6, 3), 0.2), case(real(4, 6, 3), training=False),
        case(real(2, 3, 4), 1.0), case(real(2, 3, 4), 0.0), refused(real(3)), refused(real(2, 3, 4, 5)),
        refused(real(2, 3, 4), 1.5), call=seeded("dropout1d"), same_node=False),
    Row("nn.functional.dropout2d", case(real(4, 6, 3, 2)), case(real(4, 6, 3, 2), 0.2), case(real(2, 3, 2, 2), training=False),
        case(last(3, 6, 2, 4)), case(real(2, 3, 2, 2), 1.0), refused(real(2, 3, 2, 2), -0.5), refused(whole(2, 3, 2, 2)),
        call=seeded("dropout2d"), bench=case(real(64, 16, 14, 14))),
    Row("nn.functional.pairwise_distance", case(real(3, 4), real(3, 4)), case(real(3, 4), real(4), 1.0),
        case(real(3, 4), real(3, 4), keepdim=True), case(real(4), real(4), 3.0, 1e-3), same_node=False),
]

NORMS = [*NORMALIZATION, *LOOKUP, *PADDING, *MORE]
