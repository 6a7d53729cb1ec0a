"""Rows of the table of operations: activations with a threshold, special functions, and the small layers."""

from __future__ import annotations

from .cases import BIG, CORNERS, SCALAR, SPECIAL, A, Row, case, kink, over, positive, real, refused, whole

# fmt: off  (a row reads better as a paragraph than with one argument a line)

ACTIVATIONS = [
    *(Row(name, *over(real), case(A, 0.5), kink(CORNERS), kink(SPECIAL), kink(A, alpha=-2.0), refused(A, 0.0), refused(whole(3)),
          bench=case(BIG)) for name in ("celu", "nn.functional.celu")),
    Row("selu", case(A), kink(CORNERS)),
    *(Row(name, case(A, 0.1, 5.0), case(A, -0.1, -3), case(SCALAR, 0, 1), case(real(0, 3), 0, 1), case(whole(3, 4), 1, 5),
          kink(CORNERS, 0.5, 0.0), kink(SPECIAL, 0.0, 2.0), case(real(4, 3).transposed(), threshold=0.5, value=0),
          bench=case(BIG, 0.0, 1.0)) for name in ("threshold", "nn.functional.threshold")),
    *(Row(name, *over(real), case(A, 0.1), kink(CORNERS), kink(SPECIAL), case(A, lambd=-1.0), refused(whole(3)), bench=case(BIG))
      for name in ("hardshrink", "nn.functional.hardshrink")),
    Row("nn.functional.softshrink", *over(real), case(A, 0.1), kink(CORNERS), kink(SPECIAL), kink(CORNERS, 0.0), refused(A, -0.5),
        refused(whole(3)), bench=case(BIG)),
    Row("nn.functional.tanhshrink", *over(real), case(whole(3)), bench=case(BIG)),
    Row("prelu", case(A, positive(1)), case(A, positive(4))),
]

LAYERS = [
    *(Row(name, case(real(2, 8, 2, 3), 2), case(real(9, 1, 2), 3), case(real(2, 2, 4, 1, 1), upscale_factor=2),
          case(real(4, 0, 3).constant(), 2), case(whole(4, 2, 2), 2), case(real(3, 2, 2), 1), refused(real(4, 4), 2),
          refused(real(6, 2, 2), 2), refused(real(4, 2, 2), 0)) for name in ("pixel_shuffle", "nn.functional.pixel_shuffle")),
    *(Row(name, case(real(2, 2, 4, 6), 2), case(real(1, 3, 9), downscale_factor=3), case(whole(1, 2, 2), 2),
          refused(real(2, 3), 1),
          refused(real(1, 4, 3), 2), refused(real(1, 4, 4), -1)) for name in ("pixel_unshuffle",
          "nn.functional.pixel_unshuffle")),
    *(Row(name, case(A, real(3, 5), real(2, 4, 5), real(2)), case(A, real(3, 5), real(2, 4, 5)),
          case(real(2, 3, 4), real(2, 3, 2), real(3, 4, 2), real(3)), case(real(4), real(5), real(1, 4, 5)),
          case(real(0, 4), real(0, 5), real(2, 4, 5), real(2)), refused(A, A, real(2, 4, 5)),
          refused(A, real(2, 5), real(2, 4, 5)),
          refused(A, real(3, 5), real(2, 4, 5, dtype="float64")),
          bench=case(real(64, 32), real(64, 32), real(16, 32, 32), real(16)),
          same_node=False) for name in ("bilinear", "nn.functional.bilinear")),
    Row("nn.functional.instance_norm", case(real(2, 3, 4)), case(real(2, 3, 4), None, None, real(3), real(3)),
        case(real(2, 3, 2, 3), weight=real(3), bias=real(3), eps=0.1), case(real(2, 3, 4), eps=1e-2),
        case(real(2, 3, 4).transposed()), case(real(2, 3, 4), real(3).constant(), positive(3).constant(), use_input_stats=False),
        case(real(2, 3, 2, 2), real(3).constant(), positive(3).constant(), real(3), real(3), False),
        refused(real(2, 3, 1)), refused(real(2, 3, 4), use_input_stats=False), refused(real(2, 3, 4), weight=real(4)),
        refused(whole(2, 3, 4)), bench=case(real(64, 16, 14, 14)), same_node=False),
]

VIEWS = [
    Row("Tensor.unfold", case(real(7), 0, 3, 2), case(A, 1, 2, 1), case(A, -1, 3, 3), case(real(2, 5, 3), 1, 2, 2),
        case(A, 0, 1, 2), case(real(4, 3).transposed(), 0, 2, 1), case(SCALAR, 0, 1, 1), case(whole(5), 0, 2, 1),
        case(real(0, 3), 1, 2, 1),
        refused(A, 0, 4, 1), refused(A, 0, 2, 0), refused(A, 0, -1, 1), refused(A, 2, 1, 1), bench=case(BIG, 1, 5, 2)),
    *(Row(name, case(real(6), (2, 3), (3, 1)), case(A, (3, 3), (4, 1), 1), case(real(4, 3).transposed(), (6,), (2,)),
          case(A, (3,), (5,)), case(SCALAR, (), ()), case(whole(6), (2, 2), (1, 1)), case(A, (0,), (1,)),
          case(A, (4, 3, 2), (1, 1, 0)), case(real(6), size=(2,), stride=(2,), storage_offset=3),
          refused(A, (2,), (1, 1)), refused(A, (2,), (-1,)),
          refused(real(3), (4,), (1,))) for name in ("as_strided", "Tensor.as_strided")),
]

FUNCTIONS = [*VIEWS, *ACTIVATIONS, *LAYERS]
