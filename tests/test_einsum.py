"""einsum: which sizes go together under one letter, gradients where an operand is stretched, and the layout of the result."""

from __future__ import annotations

import string
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from .twins import outcome, same_as_torch

MISFITS = [
    ("ii->i", (2, 3)), ("ii", (1, 3)), ("...ii->...", (2, 3, 4)), ("ij,jj->i", (2, 3), (3, 2)), ("ij,jj->i", (2, 3), (1, 3)),
    ("i,i", (2,), (3,)), ("ij,jk", (2, 3), (4, 2)), ("...j,...j", (2, 3, 2), (4, 2)), ("ij,ij->j", (2, 3), (3, 3)),
]  # fmt: skip


@same_as_torch
@pytest.mark.parametrize(("equation", "shapes"), [(each[0], each[1:]) for each in MISFITS], ids=str)
def test_sizes_under_one_letter(m: Any, equation: str, shapes: Any) -> Any:
    return [outcome(lambda m: m.einsum(equation, *[m.ones(shape) for shape in shapes]), m)]


@same_as_torch
@pytest.mark.parametrize("equation", [
    "ij,jk->ik", "ij,jk->", "ij,ij->i", "ij,ij->", "bij,bjk->bik", "i,i->", "ij,kj->ik", "ijk,ilk->jl", "ij,jk,kl->il",
    "ij,ij,ij->j",
    "iij->j", "ij,i->j",
])  # fmt: skip
def test_letters_of_size_1(m: Any, equation: str) -> Any:
    """In one operand or several, whatever becomes of the letter: values, and gradients of first and second order."""
    terms, sizes = equation.partition("->")[0].split(","), dict(zip("ijklb", (2, 3, 4, 5, 2), strict=True))
    places = [(t, letter) for t, term in enumerate(terms) for letter in dict.fromkeys(term)]
    results = []
    for ones in [chosen for count in (1, 2) for chosen in combinations(places, count)]:
        random = np.random.RandomState(0)
        shapes = [[1 if (t, letter) in ones else sizes[letter] for letter in term] for t, term in enumerate(terms)]
        operands = [m.from_numpy(random.standard_normal(shape)).requires_grad_() for shape in shapes]
        value = m.einsum(equation, *operands)
        first = m.autograd.grad((value * value).sum(), operands, create_graph=True)
        second = m.autograd.grad(sum((g * g).sum() for g in first), operands)
        results.append([value.detach(), *[g.detach() for g in first], *second])
    return results


@same_as_torch
@pytest.mark.parametrize("equation", [
    "ij,jk->ik", "ij,jk->ki", "bij,bkj->bik", "bhqk,bkhd->bqhd", "bchw,oc->bohw", "axc,xd->dac", "lbhd,mbhd->lmbh", "ij,jk,kl->il",
    "axc,cxd->ad", "...ij,...jk->...ik", "ij,jk->", "ij->ji", "bnd,de",
])  # fmt: skip
def test_layout_of_the_result(m: Any, equation: str) -> Any:
    """Strides decide what view() accepts and in which order dropout draws; those along sizes of 1 count for nothing."""
    results = []
    for seed in range(4):
        random = np.random.RandomState(seed)
        sizes = {c: random.randint(1 + (seed % 2 or c not in "bni"), 6) for c in string.ascii_lowercase}
        operands = []
        for term in equation.partition("->")[0].replace("...", "z").split(","):
            order = random.permutation(len(term)) if seed > 1 else np.arange(len(term))
            array = random.standard_normal([sizes[term[i]] for i in order])
            operands.append(m.from_numpy(array).permute(*np.argsort(order).tolist()))
        value = m.einsum(equation, *operands)
        m.manual_seed(0)
        strides = [step for step, n in zip(value.stride(), value.shape, strict=True) if n > 1]
        results.append([m.nn.functional.dropout(value, 0.5), strides])
    return results
