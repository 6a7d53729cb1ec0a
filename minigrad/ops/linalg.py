"""Products of matrices and vectors.

Matrices are multiplied by `np.dot`. For a column times a row, (512, 1) by (1, 784), `np.matmul` takes nine times as long.
"""

from __future__ import annotations

import math
import string
import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from minigrad.arrays.dtypes import Array
from minigrad.arrays.sums import sum_rows
from minigrad.autograd import TensorBase, cast, op, raw
from minigrad.ops.dims import axes_of, axis_of, numpy_names
from minigrad.ops.elementwise import add, mul
from minigrad.ops.old_order import numbers_first
from minigrad.ops.shape import _squeeze, diagonal, permute, reshape, unsqueeze


def _check(name: str, a: Array, b: Array, fits: bool, transposed: bool = False) -> None:
    """One sentence for operands that do not go together; `transposed`: b is a weight, to be turned first."""
    a, b = raw(a), raw(b)
    if fits and a.dtype == b.dtype and a.dtype.kind != "b":
        return
    b = b.T if transposed else b
    if not fits:
        raise RuntimeError(f"{name}: mat1 and mat2 shapes cannot be multiplied ({'x'.join(map(str, a.shape)) or 'scalar'} and "
                           f"{'x'.join(map(str, b.shape)) or 'scalar'}): the last size of the first must equal the "
                           f"{'only' if b.ndim < 2 else 'second-to-last'} size of the second")
    if a.dtype == b.dtype:
        raise NotImplementedError(f"{name}: not implemented for bool tensors; convert them, as in x.int()")
    raise RuntimeError(f"{name}: expected m1 and m2 to have the same dtype, but got: {a.dtype} != {b.dtype}; convert one "
                       "of them, as in x.float()")


@op
def mm(a: Array, mat2: Array, /) -> Any:
    """The product of two matrices, of shapes (n, k) and (k, m)."""
    if raw(a).ndim != 2 or raw(mat2).ndim != 2:
        raise RuntimeError(f"mm: expected two matrices, got shapes {list(raw(a).shape)} and {list(raw(mat2).shape)}; use matmul")
    _check("mm", a, mat2, a.shape[1] == mat2.shape[0])
    return np.dot(a, mat2), lambda g: np.dot(g, mat2.T), lambda g: np.dot(a.T, g)


@op
def bmm(a: Array, mat2: Array, /) -> Any:
    """The products of two batches of matrices, of shapes (p, n, k) and (p, k, m)."""
    if raw(a).ndim != 3 or raw(mat2).ndim != 3 or raw(a).shape[0] != raw(mat2).shape[0]:
        raise RuntimeError(f"bmm: expected two batches of equally many matrices, got shapes {list(raw(a).shape)} and "
                           f"{list(raw(mat2).shape)}; use matmul")
    _check("bmm", a, mat2, a.shape[2] == mat2.shape[1])
    return a @ mat2, lambda g: g @ mat2.swapaxes(-1, -2), lambda g: a.swapaxes(-1, -2) @ g


@op
def mv(a: Array, vec: Array, /) -> Any:
    """The product of a matrix (n, k) and a vector (k)."""
    if raw(a).ndim != 2 or raw(vec).ndim != 1:
        raise RuntimeError(f"mv: expected a matrix and a vector, got shapes {list(raw(a).shape)} and {list(raw(vec).shape)}")
    _check("mv", a, vec, a.shape[1] == vec.shape[0])
    return a @ vec, lambda g: g.reshape(-1, 1) * vec, lambda g: a.T @ g


@op
def dot(x: Array, tensor: Array, /) -> Any:
    """The inner product of two vectors."""
    if raw(x).ndim != 1 or raw(tensor).ndim != 1:
        raise RuntimeError(f"dot: 1D tensors expected, but got {raw(x).ndim}D and {raw(tensor).ndim}D tensors")
    if x.shape != tensor.shape:
        raise RuntimeError(f"dot: inconsistent tensor size, expected equally many elements, got {x.shape[0]} and {tensor.shape[0]}")
    _check("dot", x, tensor, True)
    return x @ tensor, lambda g: g * tensor, lambda g: g * x


def vdot(input: Array, other: Array) -> Any:
    """`dot`, under the name for complex numbers: of real ones, the conjugate is the number itself."""
    return dot(input, other)


def outer(input: Array, vec2: Array) -> Any:
    """The matrix of all products of the elements of two vectors."""
    if raw(input).ndim != 1 or raw(vec2).ndim != 1:
        raise RuntimeError(f"outer: expected two 1-D tensors, got {raw(input).ndim}D and {raw(vec2).ndim}D")
    return mul(reshape(input, -1, 1), vec2)


def matmul(input: Array, other: Array) -> Any:
    """``input @ other``: matrices, vectors, and batches of matrices, whose leading dimensions are broadcast.

    Raises
    ------
    RuntimeError
        If the inner sizes or the dtypes differ, or an operand has no dimension.
    """
    for operand in (input, other):
        if not isinstance(operand, (TensorBase, np.ndarray)):
            raise TypeError(f"matmul(): both operands must be Tensors, not {type(operand).__name__}; multiply numbers by *")
    m, n = raw(input).ndim, raw(other).ndim
    if m == 2 and n == 2:
        return mm(input, other)
    if m == 0 or n == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {m}D and {n}D")
    if m == 1 and n == 1:
        return dot(input, other)
    if m == 2 and n == 1:
        return mv(input, other)
    if m == 1:
        product = matmul(unsqueeze(input, 0), other)
        if n == 2:
            return _squeeze(product, (0,), kind=4)
        return _unsafe_view(product, (*raw(product).shape[:-2], raw(product).shape[-1]))
    if n == 1:
        product = matmul(input, unsqueeze(other, -1))
        return _unsafe_view(product, raw(product).shape[:-1])
    shape = raw(input).shape
    if n == 2:  # one matrix for all: a single product of tall matrices
        rows = reshape(input, math.prod(shape[:-1]), shape[-1])
        return _unsafe_view(mm(rows, other), (*shape[:-1], raw(other).shape[-1]))
    return _batched(input, other)


@op(linear=True, name="UnsafeViewBackward0")
def _unsafe_view(x: Array, /, shape: tuple[int, ...]) -> Any:
    before = x.shape
    return x.reshape(shape), lambda g: g.reshape(before)


@op(name="UnsafeViewBackward0", order="C")
def _batched(a: Array, b: Array, /) -> Any:
    _check("matmul", a, b, a.shape[-1] == b.shape[-2])
    try:
        product = a @ b
    except ValueError:
        raise RuntimeError(f"matmul: the batches of shapes {list(a.shape)} and {list(b.shape)} do not match: before the last two "
                           "dimensions, aligned from the right, sizes must be equal or 1") from None
    return product, lambda g: g @ b.swapaxes(-1, -2), lambda g: a.swapaxes(-1, -2) @ g


@op(name=lambda beta, alpha, name: name)
def _plus_product(c: Array, a: Array, b: Array, /, beta: float, alpha: float, name: str) -> Any:
    product = a @ b if alpha == 1 else (a @ b) * alpha
    np.broadcast_to(raw(c), product.shape)  # or an error
    return (
        product + (c if beta == 1 else c * beta) if beta else product,
        lambda g: g if beta == 1 else g * beta,
        lambda g: (g if alpha == 1 else g * alpha) @ b.swapaxes(-1, -2),
        lambda g: a.swapaxes(-1, -2) @ (g if alpha == 1 else g * alpha),
    )


def _added(name: str, c: Array, a: Array, b: Array, beta: float, alpha: float) -> Any:
    """beta · c + alpha · (a @ b), once a and b are known to go together."""
    if raw(c).dtype != raw(a).dtype:
        raise RuntimeError(f"{name}: self and mat2 must have the same dtype, but got {raw(c).dtype} and {raw(a).dtype}")
    if raw(c).dtype.kind != "f":
        beta, alpha = int(beta), int(alpha)
    return _plus_product(c, a, b, beta, alpha, f"{name.title()}Backward0")


@numbers_first(3, "beta", "alpha")
def addmm(input: Array, mat1: Array, mat2: Array, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta · input + alpha · (mat1 @ mat2), `input` being broadcast; where beta is 0, infinite and nan ones do not count."""
    if raw(mat1).ndim != 2 or raw(mat2).ndim != 2:
        raise RuntimeError(f"addmm: expected two matrices, got shapes {list(raw(mat1).shape)} and {list(raw(mat2).shape)}")
    _check("addmm", mat1, mat2, raw(mat1).shape[1] == raw(mat2).shape[0])
    return _added("addmm", input, mat1, mat2, beta, alpha)


@numbers_first(3, "beta", "alpha")
def baddbmm(input: Array, batch1: Array, batch2: Array, *, beta: float = 1, alpha: float = 1) -> Any:
    """`addmm` of batches of matrices, of shapes (p, n, k) and (p, k, m)."""
    a, b = raw(batch1).shape, raw(batch2).shape
    if len(a) != 3 or len(b) != 3 or a[0] != b[0] or a[2] != b[1]:
        raise RuntimeError(f"baddbmm: expected two batches of shapes (p, n, k) and (p, k, m), got {list(a)} and {list(b)}")
    _check("baddbmm", batch1, batch2, True)
    return _added("baddbmm", input, batch1, batch2, beta, alpha)


@numbers_first(3, "beta", "alpha")
def addmv(input: Array, mat: Array, vec: Array, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta · input + alpha · (mat @ vec), `input` being broadcast."""
    a, b, c = raw(mat).shape, raw(vec).shape, raw(input).shape
    if len(a) != 2 or len(b) != 1 or a[1] != b[0] or c not in ((), (1,), a[:1]):
        raise RuntimeError(f"addmv: size mismatch, got input {list(c)}, mat {list(a)}, vec {list(b)}")
    _check("addmv", mat, vec, True)
    if raw(input).dtype != raw(mat).dtype:
        raise RuntimeError(f"addmv: expected tensors of one dtype, got {raw(input).dtype} and {raw(mat).dtype}")
    if raw(input).dtype.kind != "f":
        beta, alpha = int(beta), int(alpha)
    return _addmv(input, mat, vec, beta, alpha)


@op
def _addmv(c: Array, a: Array, v: Array, /, beta: float, alpha: float) -> Any:
    product = (a @ v) * alpha
    return (
        product + c * beta if beta else product,
        lambda g: g * beta,
        lambda g: (g * alpha).reshape((-1, 1)) * v,
        lambda g: a.swapaxes(0, 1) @ (g * alpha),
    )


def linear(input: Array, weight: Array, bias: Array | None = None) -> Any:
    """``input @ weight.T + bias`` for an input of shape (..., in), weight (out, in), bias (out)."""
    x, b = raw(input), None if bias is None else raw(bias)
    if x.ndim != 2 or raw(weight).ndim != 2:
        return _linear_of_any_shape(input, weight, bias)
    if b is None:
        return _linear(input, weight)
    if b.dtype != x.dtype:
        _check("linear", x, weight, x.shape[1] == raw(weight).shape[1], transposed=True)  # the weight's is the better story
        raise RuntimeError(f"linear: expected the bias to have the dtype of the input, {x.dtype}, got {b.dtype}")
    if b.ndim == 1:
        return _linear_with_bias(bias, input, weight)
    return add(_linear(input, weight), bias)


@op(name="MmBackward0")
def _linear(x: Array, weight: Array, /) -> Any:
    _check("linear", x, weight, x.shape[1] == weight.shape[1], transposed=True)
    return np.dot(x, weight.T), lambda g: np.dot(g, weight), lambda g: np.dot(g.T, x)


@op(name="AddmmBackward0")
def _linear_with_bias(bias: Array, x: Array, weight: Array, /) -> Any:
    """Product and sum in one operation: one node, and no second array of the size of the result."""
    if x.shape[1] != weight.shape[1] or x.dtype != weight.dtype:
        _check("linear", x, weight, x.shape[1] == weight.shape[1], transposed=True)
    value = np.dot(x, weight.T)
    value += bias
    return value, sum_rows, lambda g: np.dot(g, weight), lambda g: np.dot(g.T, x)


def _linear_of_any_shape(x: Array, weight: Array, bias: Array | None) -> Any:
    if raw(weight).ndim == 1:
        product = matmul(x, weight)
    else:
        shape = raw(x).shape
        _check("linear", x, weight, bool(shape) and shape[-1] == raw(weight).shape[1], transposed=True)
        if bias is not None:
            return linear(reshape(x, math.prod(shape[:-1]), shape[-1]), weight, bias).reshape(*shape[:-1], raw(weight).shape[0])
        product = matmul(x, weight.T)
    return product if bias is None else add(product, bias)


def bilinear(input1: Array, input2: Array, weight: Array, bias: Array | None = None) -> Any:
    """``input1 @ weight[o] @ input2 + bias[o]`` for each output o.

    Parameters
    ----------
    input1, input2 : Tensor of shape (..., in1) and (..., in2)
        Equal but for the last dimension.
    weight : Tensor of shape (out, in1, in2)
    bias : Tensor of shape (out), optional

    Returns
    -------
    Tensor of shape (..., out)

    Raises
    ------
    RuntimeError
        If shapes or dtypes do not fit.
    """
    a, b, w = raw(input1).shape, raw(input2).shape, raw(weight).shape
    if len(w) != 3 or a[:-1] != b[:-1] or a[-1:] != w[1:2] or b[-1:] != w[2:]:
        raise RuntimeError("bilinear(): expected inputs of shapes (..., in1) and (..., in2) and a weight of shape (out, in1, in2), "
                           f"got {list(a)}, {list(b)} and {list(w)}")
    kinds = [raw(x).dtype for x in (input1, input2, weight, bias) if x is not None]
    if len(set(kinds)) > 1:
        raise RuntimeError(f"bilinear(): all tensors must have the same dtype, got {', '.join(map(str, kinds))}")
    product = einsum("...i,oij,...j->...o", input1, weight, input2)
    return product if bias is None else add(product, bias)


# ---- more products -------------------------------------------------------------------------------------------------------


def tensordot(a: Array, b: Array, dims: Any = 2) -> Any:
    """Products summed over several dimensions: the last `dims` of a with the first of b, or those that a pair of lists names.

    Examples
    --------
    >>> import minigrad as torch
    >>> tensordot(torch.ones(2, 3, 4), torch.ones(4, 3, 5), dims=([1, 2], [1, 0])).shape
    torch.Size([2, 5])
    """
    m, n = raw(a).ndim, raw(b).ndim
    if isinstance(dims, TensorBase):
        dims = raw(dims).tolist()
    if isinstance(dims, int):
        if dims < 0 or dims > min(m, n):
            raise RuntimeError(f"tensordot expects dims >= 0 and no more than there are, got dims={dims} for {m}D and {n}D tensors")
        dims = (range(m - dims, m), range(dims))
    named = [[d] if isinstance(d, int) else list(d) for d in dims]
    ours, theirs = (axes_of(some, size) if some else () for some, size in zip(named, (m, n), strict=True))
    sizes = [raw(a).shape[i] for i in ours], [raw(b).shape[i] for i in theirs]
    if len(ours) == len(theirs):  # where one size is 1, the other operand is summed
        pairs = list(zip(ours, theirs, *sizes, strict=True))
        wide = [i for i, _, n, m in pairs if n != m == 1], [j for _, j, n, m in pairs if m != n == 1]
        if wide[0] or wide[1]:
            a, b = (x.sum(axes, True) if axes else x for x, axes in zip((a, b), wide, strict=True))
            return tensordot(a, b, dims)
    if sizes[0] != sizes[1]:
        raise RuntimeError(f"tensordot: contracted dimensions need to match, got sizes {sizes[0]} and {sizes[1]}")
    if raw(a).dtype != raw(b).dtype:
        raise RuntimeError(f"tensordot: both inputs should have same dtype, got {raw(a).dtype} and {raw(b).dtype}")
    left, right = ([i for i in range(size) if i not in used] for size, used in ((m, ours), (n, theirs)))
    rows, columns = [raw(a).shape[i] for i in left], [raw(b).shape[i] for i in right]
    count = math.prod(sizes[0])
    product = mm(reshape(permute(a, (*left, *ours)), math.prod(rows), count),
                 reshape(permute(b, (*theirs, *right)), count, math.prod(columns)))
    return reshape(product, (*rows, *columns))


def inner(input: Array, other: Array) -> Any:
    """The sum of the products along the last dimension of both; with a number, the product."""
    if not raw(input).ndim or not raw(other).ndim:
        return mul(input, other)
    if raw(input).shape[-1] != raw(other).shape[-1]:
        raise RuntimeError(f"inner() the last dimension must match on both input tensors but got shapes "
                           f"{list(raw(input).shape)} and {list(raw(other).shape)}")
    return tensordot(input, other, ([-1], [-1]))


def kron(input: Array, other: Array) -> Any:
    """The Kronecker product: each element of `input` times the whole of `other`, in its place."""
    n = max(raw(input).ndim, raw(other).ndim)
    a, b = ((1,) * (n - raw(x).ndim) + raw(x).shape for x in (input, other))
    blocks = mul(reshape(input, [size for pair in zip(a, (1,) * n, strict=True) for size in pair]),
                 reshape(other, [size for pair in zip((1,) * n, b, strict=True) for size in pair]))
    return _unsafe_view(blocks, tuple(i * j for i, j in zip(a, b, strict=True)))


@numpy_names
def cross(input: Array, other: Array, dim: int | None = None) -> Any:
    """`linalg_cross`; without `dim`, along the first dimension of size 3."""
    if dim is None:
        dim = next((i for i, n in enumerate(raw(input).shape) if n == 3), None)
        if dim is None:
            raise RuntimeError(f"cross: no dimension of size 3 in input, got shape {list(raw(input).shape)}")
        warnings.warn("Using torch.cross without specifying the dim arg is deprecated. Pass dim, or use torch.linalg.cross, whose "
                      "default is the last one.", stacklevel=2)
    return linalg_cross(input, other, dim=dim)


@numpy_names
def linalg_cross(input: Array, other: Array, *, dim: int = -1) -> Any:
    """The vector product along `dim`, of size 3."""
    a, b = raw(input), raw(other)
    if a.ndim != b.ndim:
        raise RuntimeError(f"linalg.cross: inputs must have the same number of dimensions, got {a.ndim} and {b.ndim}")
    axis = axis_of(dim, a.ndim)
    if a.ndim == 0 or a.shape[axis] != 3 or b.shape[axis] != 3:
        raise RuntimeError(f"linalg.cross: inputs dimension {dim} must have length 3, got {list(a.shape)} and {list(b.shape)}")
    return _cross(input, other, axis)


@op(name="LinalgCrossBackward0", promote=True)
def _cross(a: Array, b: Array, /, axis: int) -> Any:
    value = np.cross(np.moveaxis(raw(a), axis, -1), np.moveaxis(raw(b), axis, -1))
    return np.moveaxis(value, -1, axis), lambda g: _cross(b, g, axis), lambda g: _cross(g, a, axis)


# ---- einsum --------------------------------------------------------------------------------------------------------------


def einsum(equation: Any, *operands: Any) -> Any:
    """Products and sums by Einstein's convention: ``einsum("ij,jk->ik", a, b)`` is the matrix product.

    Lists of numbers may stand for the letters: ``einsum(a, [0, 1], b, [1, 2], [0, 2])``.

    Raises
    ------
    RuntimeError
        If the equation does not fit the operands.
    """
    if not isinstance(equation, str):
        if not operands:
            raise ValueError("einsum(): must specify the equation string and at least one operand")
        given, count = (equation, *operands), (1 + len(operands)) // 2
        terms = ["".join("..." if i is Ellipsis else string.ascii_letters[i] for i in term) for term in (*operands[::2], given[-1])]
        equation = ",".join(terms[:count]) + ("->" + terms[-1] if len(given) % 2 else "")
        operands = given[: 2 * count : 2]
    elif len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    inputs, output = _letters(equation.replace(" ", ""), [raw(x).ndim for x in operands])
    for k, letters in enumerate(inputs):
        for letter in dict.fromkeys(letters):
            while inputs[k].count(letter) > 1:  # a repeated letter means the diagonal
                i = inputs[k].index(letter)
                j = inputs[k].index(letter, i + 1)
                sizes = raw(operands[k]).shape
                if sizes[i] != sizes[j]:
                    raise RuntimeError(f"einsum(): subscript {letter!r} is repeated for operand {k}, of shape {list(sizes)}, but "
                                       f"the sizes don't match, {sizes[j]} != {sizes[i]}")
                operands = (*operands[:k], diagonal(operands[k], 0, i, j), *operands[k + 1 :])
                inputs[k] = inputs[k][:i] + inputs[k][i + 1 : j] + inputs[k][j + 1 :] + letter
    operands, inputs = _without_stretched(operands, inputs)
    everywhere = "".join(inputs)
    lost = set(everywhere) - set(output)
    alone = {letter for letter in lost if everywhere.count(letter) == 1}  # summed first, integers in int64, as in sums
    if lost - alone:  # as in matrix products
        for operand in operands:
            _check("einsum", operands[0], operand, True)
    operands = tuple(cast(x, np.dtype(np.int64)) if raw(x).dtype.kind != "f" and alone & set(letters) else x
                     for x, letters in zip(operands, inputs, strict=True))
    stored, order = _memory_order(inputs, output, operands)
    result = _einsum(*operands, inputs=tuple(inputs), output=stored, order=order)
    return result if stored == output else permute(result, [stored.index(c) for c in output])


def _without_stretched(operands: Any, inputs: list[str]) -> tuple[tuple[Any, ...], list[str]]:
    """The operands without the dimensions of size 1 that stand beside larger ones of the same letter, and their letters."""
    sizes = [dict(zip(letters, raw(x).shape, strict=True)) for letters, x in zip(inputs, operands, strict=True)]
    wide = {letter for each in sizes for letter, n in each.items() if n != 1}
    kept = ["".join(c for c, n in each.items() if n != 1 or c not in wide) for each in sizes]
    reshaped = (x if len(letters) == len(each) else reshape(x, [each[c] for c in letters])
                for x, letters, each in zip(operands, kept, sizes, strict=True))
    return tuple(reshaped), kept


def _letters(equation: str, ndims: list[int]) -> tuple[list[str], str]:
    """The equation with every ... written out and the output made explicit."""
    left, arrow, output = equation.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(ndims):
        raise RuntimeError(f"einsum(): the equation {equation!r} has {len(inputs)} operands, {len(ndims)} were given")
    free = [c for c in string.ascii_letters if c not in equation]
    widest = max((n - len(s) + 3 for s, n in zip(inputs, ndims, strict=True) if "..." in s), default=0)
    dots = "".join(free[:widest])
    full = []
    for s, n in zip(inputs, ndims, strict=True):
        spare = n - len(s.replace("...", ""))
        if spare < 0 or (spare and "..." not in s):
            raise RuntimeError(f"einsum(): the subscripts {s!r} do not name the {n} dimensions of their operand")
        full.append(s.replace("...", dots[widest - spare :]))
    if not arrow:
        once = sorted(c for c in set("".join(full)) if "".join(full).count(c) == 1 and c not in dots)
        return full, dots + "".join(once)
    return full, output.replace("...", dots)


@op(name="EinsumBackward0", promote=True)
def _einsum(*xs: Array, inputs: tuple[str, ...], output: str, order: Literal["C", "K"] = "K") -> Any:
    equation = ",".join(inputs) + "->" + output
    try:
        value = np.einsum(equation, *map(raw, xs), optimize=len(xs) > 1, order=order)
    except ValueError as error:
        shapes = " and ".join(str(list(x.shape)) for x in xs)
        raise RuntimeError(f"einsum(): {equation!r} does not fit operands of shapes {shapes}: {error}") from None

    def rule(k: int, g: Array) -> Array:
        """Exchange operand k with the result; letters that only operand k has were summed, so g is spread along them."""
        others = [i for i in range(len(xs)) if i != k]
        lost = "".join(c for c in inputs[k] if c not in output and not any(c in inputs[i] for i in others))
        ones = np.ones([xs[k].shape[inputs[k].index(c)] for c in lost], raw(g).dtype)
        terms = (output, *(inputs[i] for i in others), lost)
        return _einsum(g, *(xs[i] for i in others), ones, inputs=terms, output=inputs[k])

    return value, *[lambda g, k=k: rule(k, g) for k in range(len(xs))]


def _memory_order(inputs: Sequence[str], output: str, xs: Sequence[Array]) -> tuple[str, Literal["C", "K"]]:
    """The letters of the result in the order in which torch lays it out in memory; NumPy's name for the layout to ask for.

    torch takes the operands from left to right. If the last pair has letters to be summed, it is a batched matrix product: first
    come the letters that both have, then those of one operand, then those of the other. Dropout draws in this order.
    """
    size = {c: n for letters, x in zip(inputs, xs, strict=True) for c, n in zip(letters, raw(x).shape, strict=False)}
    left, right = ({c for c in letters if size.get(c) != 1} for letters in ("".join(inputs[:-1]), inputs[-1]))
    if not left & right - set(output):
        return output, "K"
    rows, columns = [c for c in output if c in left - right], [c for c in output if c in right - left]
    if rows and columns and output.index(columns[0]) < output.index(rows[0]):
        rows, columns = columns, rows
    both = [c for c in output if c not in (*rows, *columns)]
    return "".join(both + rows + columns), "C"
