"""Rows of the table of operations: activations with a threshold, special functions, and the small layers."""

from __future__ import annotations

from math import inf, nan

from .cases import (
    BIG,
    CORNERS,
    SCALAR,
    SPECIAL,
    A,
    Input,
    Row,
    case,
    fixed,
    kink,
    natural,
    over,
    positive,
    real,
    refused,
    truth,
    unit,
    whole,
)

# fmt: off  (a row reads better as a paragraph than with one argument a line)

GAMMA = {"float32": 2e-5, "float64": 1e-9}  # torch's trigamma(1) differs from π²/6 by 8e-10

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

INSIDE = real(3, 4, low=-0.95, high=0.95)
ABOVE = real(3, 4, low=1.05, high=3.0)
FAR = fixed([-30.5, -3.7, -1.25, -0.5, 0.1, 0.9, 1.0, 2.0, 7.5, 14.9, 15.1, 200.0])
ELEMENTWISE = [
    Row("exp2", *over(real), case(whole(3)), kink(SPECIAL), bench=case(BIG)),
    Row("frac", *over(real), kink(CORNERS), refused(whole(3)), bench=case(BIG)),
    Row("fmod", case(A, positive(3, 4)), case(A, real(4)), case(A, 1.5), case(SCALAR, positive(2, 3)),
        case(whole(3, 4), natural(4)),
        case(whole(3, 4), -2), case(whole(3), 1.5), case(natural(3), positive(3)), kink(SPECIAL, 1.0), refused(whole(3), 0),
        refused(truth(3), truth(3)), bench=case(BIG, positive(256, 256))),
    Row("float_power", case(positive(3, 4), real(4)), case(positive(3), 2), case(2, A), case(natural(3), natural(3)),
        case(natural(3), 0.5), case(whole(3), 3)),
    Row("hypot", case(A, real(4)), case(A, A), case(SCALAR, real(2, 3)), case(real(0, 3), real(3)), kink(SPECIAL, fixed([0.0])),
        refused(whole(3), whole(3)), bench=case(BIG, BIG)),
    *(Row(name, *over(real), case(whole(3)), kink(SPECIAL), bench=case(BIG)) for name in ("asinh", "arcsinh")),
    *(Row(name, case(ABOVE), case(real(2, low=1.5, high=2.0)), case(natural(3)), kink(CORNERS), bench=case(ABOVE))
      for name in ("acosh", "arccosh")),
    *(Row(name, case(INSIDE), case(truth(3)), kink(CORNERS), kink(SPECIAL), bench=case(INSIDE)) for name in ("atanh", "arctanh")),
    Row("sgn", *over(real), case(whole(3)), case(truth(3)), kink(CORNERS), bench=case(BIG)),
    Row("nan_to_num", *over(real), kink(SPECIAL), kink(SPECIAL, 1.0, 2.0, -3.0), kink(SPECIAL, posinf=5.0), case(whole(3)),
        case(truth(3)), bench=case(BIG)),
    Row("fill", case(A, 2.5), case(A, SCALAR), case(real(0, 3), 1), case(whole(3), 7), refused(A, real(2))),
    Row("bitwise_left_shift", case(whole(3, 4), natural(4)), case(whole(3, 4), 2), case(natural(3), fixed([70, -1, 2], "int64")),
        case(2, natural(3)), case(whole(3, dtype="int8"), 7), refused(A, 1), refused(truth(3), truth(3)), refused(whole(3), 1.5)),
    Row("bitwise_right_shift", case(whole(3, 4, low=-99, high=99), natural(4)), case(whole(3, 4), 1),
        case(whole(3), fixed([70, -1, 2], "int64")), refused(A, 1), refused(truth(3), truth(3))),
    Row("Tensor.__lshift__", case(whole(3), natural(3)), case(whole(3), 2), case(truth(3), 2)),
    Row("Tensor.__rshift__", case(whole(3), natural(3)), case(whole(3), 2)),
    Row("Tensor.__rlshift__", case(natural(3), 2)),
    Row("Tensor.__rrshift__", case(natural(3), 20)),
    Row("Tensor.__rdiv__", case(A, 2.0), case(natural(3), 2)),
]

SPECIAL_FUNCTIONS = [
    Row("erfc", *over(real), case(whole(3)), case(real(20, low=-6, high=6)), kink(SPECIAL)),
    Row("erfinv", case(INSIDE), case(real(low=-0.5, high=0.5)), case(real(9, low=-1e-9, high=1e-9)), case(real(0, 3)),
        kink(fixed([-1.0, 1.0, 1.5, 0.0, nan])), case(fixed([0.9999, -0.99999])), case(truth(3))),
    Row("lgamma", case(positive(3, 4)), case(FAR), case(natural(3)), kink(SPECIAL), kink(fixed([-1.0, -2.0])), rtol=GAMMA),
    Row("digamma", case(positive(3, 4)), case(FAR), case(natural(3)),
        kink(fixed([0.0, -0.0, -1.0, inf, nan]).constant()), rtol=GAMMA),
    *(Row("polygamma", case(n, positive(3, 4)), case(n, natural(3)), case(n, fixed([0.1, 1.0, 7.5, 20.0])), rtol=GAMMA)
      for n in (0, 1, 2, 4)),
    Row("polygamma", case(1, FAR), kink(1, fixed([0.0])), refused(-1, A), rtol=GAMMA),
    Row("logit", case(unit(3, 4)), case(unit(3, 4), 0.2), case(unit()), case(A, eps=0.1), case(truth(3)),
        kink(fixed([0.0, 1.0, 2.0, -1.0, nan])), kink(fixed([0.0, 1.0, 2.0, 0.2]), 0.2), bench=case(unit(256, 256))),
    Row("xlogy", case(A, positive(3, 4)), case(A, positive(4)), case(A, 2.0), case(whole(3), natural(3)), case(natural(3), 1.5),
        case(real(2, 3), positive()), case(2, positive(3).constant()), case(0.0, positive(3).constant()),
        kink(fixed([0.0, 0.0, 1.0, nan, 0.0]), fixed([0.0, nan, 0.0, 1.0, -1.0])),
        bench=case(BIG, positive(256, 256))),
    Row("special.xlog1py", case(A, positive(3, 4)), case(A, positive(4)), case(A, 2.0), case(whole(3), natural(3)),
        case(2, positive(3).constant()), kink(fixed([0.0, 0.0, 1.0, nan, 0.0]), fixed([-1.0, nan, -1.0, 1.0, -2.0])),
        bench=case(BIG, positive(256, 256))),
    Row("special.entr", *over(positive), case(natural(3)), kink(fixed([0.0, -0.0, -1.0, nan, inf, 1.0])),
        bench=case(positive(256, 256))),
    Row("special.ndtr", *over(real), case(whole(3)), kink(SPECIAL), bench=case(BIG), same_node=False),
    Row("special.erfcx", *over(real), case(whole(3)), case(fixed([-5.0, 4.0, 9.5, 19.9, 20.1, 1000.0])), kink(SPECIAL),
        kink(fixed([-30.0, 1e30]))),
    Row("special.log_ndtr", *over(real), case(whole(3)), case(fixed([-5.0, -1.01, -0.99, 3.0])),
        kink(fixed([-1e4, -100.0, -20.0, 7.0]).constant()), kink(SPECIAL.constant())),
    Row("logaddexp", case(A, real(4)), case(A, A), case(SCALAR, real(2, 3)), case(real(0, 3), real(3)),
        kink(fixed([1e4, -1e4, inf, -inf, -inf]), fixed([-1e4, -1e4, 0.0, 0.0, -inf])), refused(whole(3), whole(3)),
        refused(A, 2),
        bench=case(BIG, BIG)),
]

SIGNED = fixed([0.0, -0.0, 1.0, -1.0, inf, -inf, nan, -nan])
HOLES, OTHERS = fixed([1.0, nan, 2.0, nan, 3.0]), fixed([1.0, 1.0, nan, nan, 2.0])


def steady(*shape: int) -> Input:
    """A constant: torch has no derivative of a step."""
    return real(*shape).constant()


LESS_OFTEN = [
    *(Row(name, case(A, real(4)), case(real(3, 1), real(4)), case(whole(3), whole(3)), kink(HOLES, OTHERS), kink(A, A),
          refused(A, 1.0)) for name in ("fmax", "fmin")),
    Row("copysign", case(A, real(4)), case(A, -1.0), case(A, 2), case(whole(3), real(3)), kink(SIGNED, fixed([-1.0])),
        kink(fixed([1.0, -2.0, 3.0, 0.0]), fixed([0.0, -0.0, -inf, -1.0]))),
    *(Row(name, *over(real), case(whole(3))) for name in ("deg2rad", "rad2deg")),
    Row("sinc", *over(real), case(whole(3)), kink(fixed([0.0, 1.0, -2.0, 0.5]))),
    *(Row(name, case(whole(3, 4), whole(4)), case(natural(3), natural(2, 3)), case(whole(3, dtype="int32"), whole(3)),
          refused(A, A), refused(truth(3), truth(3)), refused(whole(3), 2)) for name in ("gcd", "lcm")),
    *(Row(name, case(SIGNED), case(whole(3)), case(truth(3)), case(whole(3, low=0, dtype="uint8"))) for name in
      ("isposinf", "isneginf", "signbit")),
    Row("fix", case(A)),
    Row("heaviside", case(steady(3, 4), steady(4)), case(SIGNED.constant(), fixed([0.5]).constant()), case(whole(3, 4), whole(4)),
        case(truth(3), truth(2, 3)), refused(steady(3), whole(3)), refused(steady(3), 0.5)),
    Row("Tensor.polygamma", case(positive(3), 0), case(positive(3), 1), rtol=GAMMA),
]

COMPARED = [case(A, real(4)), case(A, 0.5), case(whole(3), 1), case(whole(3), natural(3))]
IN_PLACE = [
    *(Row(f"Tensor.{name}_", *over(real)[:4]) for name in ("exp2", "frac", "sgn", "nan_to_num", "absolute",
        "negative", "arctan", "erfc")),
    *(Row(f"Tensor.{name}_", case(INSIDE)) for name in ("arcsin", "arccos", "erfinv")),
    *(Row(f"Tensor.{name}_", case(INSIDE.constant())) for name in ("asinh", "arcsinh", "atanh", "arctanh")),  # torch has no
    *(Row(f"Tensor.{name}_", case(ABOVE.constant())) for name in ("acosh", "arccosh")),  # derivative for these
    *(Row(f"Tensor.{name}_", case(ABOVE)) for name in ("log2", "log10")),
    *(Row(f"Tensor.{name}_", case(A, positive(4)), case(A, real(3, 4))) for name in ("fmod", "hypot", "atan2", "arctan2")),
    *(Row(f"Tensor.{name}_", case(positive(3)), rtol=GAMMA) for name in ("lgamma", "digamma")),
    Row("Tensor.xlogy_", case(A, positive(3, 4)), case(A, 2.0)),
    Row("Tensor.logit_", case(unit(3, 4)), case(unit(3), 0.3)),
    Row("Tensor.float_power_", case(real(3, dtype="float64"), 2), same_node=False),
    *(Row(f"Tensor.{name}", case(whole(3), 2), case(whole(3), natural(3))) for name in
      ("bitwise_left_shift_", "bitwise_right_shift_", "__ilshift__", "__irshift__")),
    *(Row(f"Tensor.{name}_", *COMPARED) for name in ("eq", "ne", "lt", "le", "gt", "ge", "less", "less_equal", "greater",
        "greater_equal", "not_equal")),
    *(Row(f"Tensor.{name}_", case(truth(3, 4), truth(4)), case(whole(3), whole(3)), case(A.constant(), truth(4))) for name in
      ("logical_and", "logical_or", "logical_xor")),
    *(Row(f"Tensor.{name}_", case(A)) for name in ("fix", "deg2rad", "rad2deg", "sinc")),
    Row("Tensor.heaviside_", case(steady(3, 4), steady(4)), case(whole(3), whole(3))),
    Row("Tensor.copysign_", case(A, real(4)), case(A, -1.0)),
    *(Row(f"Tensor.{name}_", case(whole(3), whole(3))) for name in ("gcd", "lcm")),
    Row("Tensor.bitwise_not_", case(truth(3)), case(whole(3))),
]
RESHAPED = [
    Row("Tensor.t_", case(A), case(real(3)), case(whole(2, 3))),
    *(Row(f"Tensor.{name}_", case(A, 0, 1), case(real(2, 3, 4), -1, 0)) for name in ("transpose", "swapaxes", "swapdims")),
    Row("Tensor.squeeze_", case(real(1, 3, 1)), case(real(1, 3, 1), 0), case(A), same_node=False),
    Row("Tensor.unsqueeze_", case(A, 1), case(SCALAR, 0), case(whole(3), -1)),
    Row("Tensor.as_strided_", case(real(6), (2, 2), (3, 1))),
]

FUNCTIONS = [*ELEMENTWISE, *LESS_OFTEN, *SPECIAL_FUNCTIONS, *VIEWS, *ACTIVATIONS, *LAYERS]
