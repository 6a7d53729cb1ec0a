"""Rows of the table of operations: attention."""

from __future__ import annotations

from contextlib import nullcontext
from math import inf
from typing import Any

import torch

from .cases import Row, case, fixed, kink, mask, real, refused, truth, whole

# fmt: off  (a row reads better as a paragraph than with one argument a line)


def attend(m: Any, *arguments: Any, **options: Any) -> Any:
    """With masks of dropout from one seed; and in torch by the kernel that has second derivatives and any argument."""
    m.manual_seed(7)
    math_only = torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH) if m is torch else nullcontext()
    with math_only:
        return m.nn.functional.scaled_dot_product_attention(*arguments, **options)


Q, K, V = real(2, 3, 4, 5), real(2, 3, 6, 5), real(2, 3, 6, 2)
PARTLY = mask([True] * 6, [True, False] * 3, [False] * 6, [False] * 5 + [True])  # its third row bars everything
HEADS, BENCH = (real(2, 6, 4, 5), real(2, 3, 6, 5), real(2, 2, 6, 3)), real(16, 4, 64, 32)

ATTENTION = [
    Row("nn.functional.scaled_dot_product_attention", case(Q, K, V), case(real(4, 5), real(6, 5), real(6, 2)),
        case(real(3, 4, 5), real(3, 6, 5), real(3, 6, 2)), case(Q, real(1, 3, 6, 5), real(6, 2)),
        case(Q, K, V, truth(4, 6)), case(Q, K, V, truth(2, 1, 4, 6)), case(Q, K, V, PARTLY), case(Q, K, V, real(4, 6)),
        case(Q, K, V, real(2, 3, 4, 6).constant()),
        kink(Q, K, V, fixed([[0.0] * 6, [-inf] * 6, [1.0] * 6, [-inf] * 5 + [2.0]])),
        case(Q, K, V, is_causal=True), case(K, Q, real(2, 3, 4, 2), is_causal=True), case(Q, K, V, scale=0.3),
        case(Q, K, V, truth(4, 6), scale=-1.0), case(Q, K, V, dropout_p=0.4), case(Q, K, V, truth(4, 6), 0.5),
        case(Q, K, V, dropout_p=1.0), case(*HEADS, enable_gqa=True), case(*HEADS, is_causal=True, enable_gqa=True),
        case(real(2, 0, 5), real(2, 6, 5), real(2, 6, 2)), case(real(2, 4, 5), real(2, 0, 5), real(2, 0, 2)),
        case(real(2, 4, 5, dtype="float64"), real(2, 6, 5, dtype="float64"), real(2, 6, 2, dtype="float64"),
             real(4, 6, dtype="float32").constant()),
        case(real(2, 4, 5).transposed(), real(2, 6, 5).strided(), real(2, 6, 5)),
        refused(real(5), real(6, 5), real(6, 5)), refused(Q, real(2, 3, 6, 4), V), refused(Q, real(5, 3, 6, 5), V),
        refused(whole(2, 4, 5), whole(2, 4, 5), whole(2, 4, 5)), refused(Q, real(2, 3, 6, 5, dtype="float64"), V),
        refused(Q, K, real(2, 3, 6, 2, dtype="float64")), refused(Q, K, V, whole(4, 6)), refused(Q, K, V, truth(4, 5)),
        refused(Q, K, V, real(4, 6, dtype="float64")), refused(Q, K, V, dropout_p=1.5), refused(HEADS[0], Q, Q, enable_gqa=False),
        refused(real(2, 4, 4, 5), Q, Q, enable_gqa=True), refused([1.0], K, V),
        call=attend, same_node=False),
    Row("nn.functional.scaled_dot_product_attention", case(real(3, 4, 5), real(3, 6, 5), real(3, 6, 2)),
        bench=case(BENCH, BENCH, BENCH), same_node=False),  # called as it is, so that torch takes its fastest kernel
]
