"""Reading and writing at indices: `[]`, gather and scatter, masks. The derivative of reading is writing, and vice versa."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array, as_element
from minigrad.arrays.memory import allocating
from minigrad.autograd import TensorBase, cast, count_change, op, raw, unwrapped, wrap
from minigrad.ops.add_at import add_at
from minigrad.ops.dims import axis_of, numpy_names
from minigrad.ops.elementwise import attached, where
from minigrad.ops.shape import _constant_pad_nd, _embed, broadcast_tensors, reshape

# ---- x[index] ------------------------------------------------------------------------------------------------------------


def parse_index(x: Array, index: Any) -> tuple[tuple[Any, ...], list[Any]]:
    """An index in parts: a template in which ``_HOLE`` stands for an array, and the arrays.

    Lists, ranges, tensors and arrays are index arrays; integers, slices, None and ... stay in the template. As in torch, a list
    that does not hold numbers only is taken for a tuple.
    """
    template: list[Any] = []
    arrays: list[Any] = []
    if isinstance(index, list) and not all(isinstance(part, (int, float, np.generic)) for part in index):
        index = tuple(index)
        warnings.warn("a list of more than numbers is taken for a tuple of indices; write x[tuple(index)], or "
                      "x[torch.tensor(index)] for an index array", stacklevel=4)
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, (TensorBase, np.ndarray)) and raw(part).ndim == 0 and raw(part).dtype.kind == "i":
            template.append(int(raw(part)))
        elif isinstance(part, range):
            template.append(_HOLE)
            arrays.append(np.arange(part.start, part.stop, part.step))  # 0.6 µs for 64 numbers; as a list they take 3
        elif isinstance(part, (TensorBase, np.ndarray, list, tuple, bool)):
            array = part if isinstance(part, TensorBase) else np.asarray(part)
            if isinstance(part, (list, tuple)) and raw(array).size == 0:
                array = np.zeros(raw(array).shape, np.int64)
            if isinstance(array, np.ndarray) and array.dtype.kind in "iu" and array.dtype != np.uint8:
                array = array.astype(np.int64)  # short integers are refused in tensors alone
            kind = raw(array).dtype
            if kind not in (np.int64, np.int32, np.uint8, np.bool_):
                raise IndexError(f"tensors used as indices must be long, int, byte or bool tensors, got {kind}")
            if kind == np.uint8:
                warnings.warn("indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead",
                              stacklevel=4)
                array = cast(array, np.dtype(bool))
            template.append(_HOLE)
            arrays.append(array)
        elif part is None or part is Ellipsis or isinstance(part, slice):
            if isinstance(part, slice):
                if raw(x).ndim == 0:
                    raise IndexError("slice() cannot be applied to a 0-dim tensor; write x[...] or x[()]")
                if part.step is not None and part.step < 1:
                    raise ValueError("step must be greater than zero: use flip() to reverse a tensor")
            template.append(part)
        elif hasattr(part, "__index__"):
            template.append(part.__index__())
        else:
            raise (TypeError if isinstance(part, str) else IndexError)(
                "only integers, slices (`:`), ellipsis (`...`), None and long or bool tensors are valid indices, "
                f"got {type(part).__name__}")
    return tuple(template), arrays


_HOLE = type("_Hole", (), {"__repr__": lambda self: "<index array>"})()


def filled(template: tuple[Any, ...], arrays: Any) -> tuple[Any, ...]:
    """The index that NumPy understands."""
    following = iter(arrays)
    return tuple(next(following) if part is _HOLE else part for part in template)


def getitem(x: Array, index: Any, /) -> Any:
    """``x[index]``: a view for integers, slices, None and ..., a copy where index arrays or masks take part."""
    template, arrays = ((index,), []) if type(index) is int else parse_index(x, index)
    try:
        if not arrays:
            return _basic(x, template)
        plain, template = plain_part(template, arrays)
        return _index(x if plain is None else _basic(x, plain), *arrays, template=template)
    except IndexError as error:
        raise explained(error, x) from None


def explained(error: IndexError, x: Array) -> IndexError:
    """NumPy's words as torch has them, and what was indexed."""
    words = re.sub(r"array: array is (\d+)-dimensional", r"tensor of dimension \1", str(error)).replace("axis", "dimension")
    hint = "" if raw(x).ndim else ", whose number is x.item()"
    return IndexError(f"{words.replace('array', 'tensor')} (indexing a tensor of shape {list(raw(x).shape)}{hint})")


def plain_part(template: tuple[Any, ...], arrays: list[Any]) -> tuple[Any, tuple[Any, ...]]:
    """An index with arrays as torch takes it: integers, slices and None first (None if there are none), then the arrays."""
    if all(p is _HOLE or p is Ellipsis or p == slice(None) for p in template):
        return None, template
    following, plain, rest = iter(arrays), [], []
    for p in template:
        if p is _HOLE:
            array = raw(next(following))
            plain += [slice(None)] * (array.ndim if array.dtype == bool else 1)
        else:
            plain.append(p)
        if not isinstance(p, int):
            rest.append(p if p is _HOLE or p is Ellipsis else slice(None))
    return tuple(plain), tuple(rest)


def _basic_name(template: tuple[Any, ...]) -> str:
    """torch takes an index apart into one operation per dimension; the last one gives the node its name."""
    names = [
        "Select" if isinstance(p, int) else "Unsqueeze" if p is None else "Slice"
        for p in template
        if p is not Ellipsis and p != slice(None)
    ]
    return f"{names[-1] if names else 'Alias'}Backward0"


@op(linear=True, view=True, name=_basic_name)
def _basic(x: Array, /, template: tuple[Any, ...]) -> Any:
    shape = x.shape
    value = x[(*template, ...) if Ellipsis not in template else template]
    if None in template and isinstance(value, np.ndarray):  # a step of 0, which NumPy takes there, would differ from torch's
        value = x[tuple(p for p in template if p is not None) + (() if Ellipsis in template else (...,))].reshape(value.shape)
    return value, lambda g: _embed(g, template, shape)


@op(name="IndexBackward0")
def _index(*tensors: Array, template: tuple[Any, ...]) -> Any:
    x, *arrays = tensors
    shape = x.shape
    value = np.asarray(raw(x)[filled(template, arrays)], order="C")  # NumPy may leave another order, and then view() would fail
    return value, lambda g: put_zeros(g, arrays, template, shape)


def put_zeros(g: Array, arrays: Sequence[Any], template: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """Zeros with the elements of `g` added at an index, repeated places added up."""
    if isinstance(g, np.ndarray):  # not by way of the operation, whose settings by name take 8 µs
        return add_at(g, filled(template, arrays), shape)
    return _put_zeros(g, *arrays, template=template, shape=shape)


@op(name="IndexPutBackward0")
def _put_zeros(*tensors: Array, template: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    g, *arrays = tensors
    return add_at(raw(g), filled(template, arrays), shape), lambda h: _index(h, *arrays, template=template)


@op(name="IndexPutBackward0")
def put_at(*tensors: Array, template: tuple[Any, ...], accumulate: bool = False) -> Any:
    """`x` with `value` written at an index, or added to what is there."""
    x, value, *arrays = tensors
    index = filled(template, arrays)
    out = raw(x).copy()
    if accumulate:
        np.add.at(out, index, raw(value))
    else:
        out[index] = raw(value)
    shape = out[index].shape

    def rest(g: Array) -> Array:
        return g if accumulate else put_at(g, np.zeros((), raw(g).dtype), *arrays, template=template)

    return out, rest, lambda g: getitem(g, filled(template, arrays)).reshape(shape)


@op(linear=True, name="AsStridedBackward0")
def as_places(x: Array, /, places: np.ndarray[Any, Any]) -> Any:
    """The elements of x at `places`, numbers in the flattened x: how a view gets the new history of its base."""
    shape = x.shape
    return raw(x).reshape(-1)[places], lambda g: put_zeros(g, [places], (_HOLE,), (math.prod(shape),)).reshape(shape)


@op(linear=True, name="torch::autograd::CopySlices")
def copy_places(x: Array, value: Array, /, places: np.ndarray[Any, Any]) -> Any:
    """x after `value` was written, through a view, at `places` of its memory: how a base gets the history of its view."""

    def rest(g: Array) -> Array:
        return where(_marked(places, g.shape), np.zeros((), raw(g).dtype), g)

    return raw(x), rest, lambda g: as_places(g, places)


def _marked(places: np.ndarray[Any, Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    mask = np.zeros(shape, bool)
    mask.reshape(-1)[places] = True
    return mask


# ---- along a dimension ---------------------------------------------------------------------------------------------------


def _index_tensor(name: str, index: Array) -> None:
    if raw(index).dtype not in (np.int64, np.int32) and (raw(index).size or name == "index_select"):
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index, got {raw(index).dtype}")


def _check_places(name: str, index: Any, size: int) -> None:
    if index.size and (index.min() < 0 or index.max() >= size):
        worst = index.min() if index.min() < 0 else index.max()
        kind = IndexError if name == "index_select" else RuntimeError
        raise kind(f"{name}(): index {worst} is out of bounds for dimension with size {size}")


def _corner(shape: tuple[int, ...], index: Any, axis: int) -> tuple[slice, ...]:
    """The part of `shape` that an index tensor, which may be smaller in the other dimensions, covers."""
    return tuple(slice(None) if i == axis else slice(n) for i, n in enumerate(index.shape[: len(shape)]))


@numpy_names
def gather(input: Array, dim: int, index: Array, *, sparse_grad: bool = False) -> Any:
    """``out[i][j] = input[index[i][j]][j]`` for dim 0, and so on: one element of `input` along `dim` for each index.

    Raises
    ------
    RuntimeError
        If the index is not an integer tensor with as many dimensions as `input`, or is larger in one other than `dim`.
    IndexError
        If an index is out of bounds; negative ones are.
    """
    if sparse_grad:
        raise NotImplementedError("gather(): sparse_grad=True is not supported, gradients are dense")
    _index_tensor("gather", index)
    axis = axis_of(dim, raw(input).ndim)
    _fits("gather", raw(input), raw(index), axis)
    return _gather(input, index, axis)


def _fits(name: str, x: Any, index: Any, axis: int) -> None:
    if not index.size:
        return
    if max(x.ndim, 1) != max(index.ndim, 1):
        raise RuntimeError(f"Index tensor must have the same number of dimensions as input tensor: {name}() got shapes "
                           f"{list(index.shape)} and {list(x.shape)}")
    if any(m > n for i, (n, m) in enumerate(zip(x.shape, index.shape, strict=False)) if i != axis):
        raise RuntimeError(f"Size does not match: {name}() expected index {list(index.shape)} to be no larger than "
                           f"{list(x.shape)} apart from dimension {axis}")


def _flat_places(shape: tuple[int, ...], index: Any, axis: int) -> Any:
    """Which elements of a flattened tensor gather reads (with `take_along_axis` gather would take twice as long)."""
    if not index.size:  # it may be larger than the tensor
        return np.zeros(index.shape, np.int64)
    shape, inner = shape or (1,), math.prod(shape[axis + 1 :])
    first = np.arange(math.prod(shape[:axis]))[:, None] * (shape[axis] * inner) + np.arange(inner)
    first = first.reshape(*shape[:axis], 1, *shape[axis + 1 :])[_corner(shape, index, axis)]
    return (first + np.multiply(index, inner, dtype=np.int64)).reshape(index.shape)


@op(order="C")
def _gather(x: Array, index: Array, /, axis: int) -> Any:
    shape = x.shape
    _check_places("gather", index, shape[axis] if shape else 1)
    return raw(x).reshape(-1)[_flat_places(shape, index, axis)], lambda g: scatter_zeros(g, index, axis, shape)


@op(name="ScatterAddBackward0")
def scatter_zeros(g: Array, index: Array, /, axis: int, shape: tuple[int, ...]) -> Any:
    """Zeros to which the elements of `g` are added at the places that gather reads."""
    return _scattered(raw(g), index, axis, shape), lambda h: _gather(h, index, axis)


def _used(src: Any, index: Any) -> Any:
    """The corner of `src` that has the shape of the index: one element for each."""
    source = np.atleast_1d(src) if index.size else np.zeros(index.shape, src.dtype)
    return source[tuple(map(slice, index.shape))].reshape(index.shape)


def _scattered(src: Any, index: Any, axis: int, shape: tuple[int, ...]) -> Any:
    size, places = math.prod(shape), _flat_places(shape, index, axis).reshape(-1)
    values = _used(src, index).reshape(-1)
    if src.dtype.kind != "f":  # as above
        whole = np.zeros(size, src.dtype)
        np.add.at(whole, places, values)
        return whole.reshape(shape)
    return np.bincount(places, values, size).astype(src.dtype).reshape(shape)


@numpy_names
def index_select(input: Array, dim: int, index: Array) -> Any:
    """The slices of `input` along `dim` that a vector of integers names."""
    _index_tensor("index_select", index)
    if raw(index).ndim > 1:
        raise IndexError(f"index_select(): Index is supposed to be a vector, got shape {list(raw(index).shape)}")
    if raw(input).ndim == 0 and raw(index).size != 1:
        raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {raw(index).size} value(s)")
    axis = axis_of(dim, raw(input).ndim)
    return _index_select(input, index, axis)


@op(order="C")
def _index_select(x: Array, index: Array, /, axis: int) -> Any:
    _check_places("index_select", index, x.shape[axis] if x.ndim else 1)
    if x.ndim == 0:
        return raw(x).copy(), lambda g: g
    template, vector, shape = (slice(None),) * axis + (_HOLE,), index.reshape(-1), x.shape
    return np.take(raw(x), vector, axis), lambda g: put_zeros(g, [vector], template, shape)


@numpy_names
def take_along_dim(input: Array, indices: Array, dim: int | None = None) -> Any:
    """One element of `input` along `dim` for each index, both broadcast in the other dimensions; flattened without `dim`.

    As in torch, indices are taken modulo the size of `dim`: one beyond the end starts over, a negative one counts from the end.
    """
    if dim is None:
        return gather(reshape(input, -1), 0, indices.reshape(-1))
    if raw(indices).dtype != np.int64:
        raise RuntimeError(f"take_along_dim(): dtype of indices should be int64 but got {raw(indices).dtype}")
    a, b = list(raw(input).shape), list(raw(indices).shape)
    if len(a) != len(b):
        raise RuntimeError(f"take_along_dim(): input and indices should have the same number of dimensions, got shapes {a} and {b}")
    axis = axis_of(dim, len(a))
    common = [n if i == axis else max(n, m) if min(n, m) else 0 for i, (n, m) in enumerate(zip(a, b, strict=True))]
    places = wrap(raw(indices) % max(a[axis], 1)) if a else indices  # as in torch, they count on from both ends
    return gather(input.expand(common), axis, places.expand([*common[:axis], *b[axis : axis + 1], *common[axis + 1 :]]))


def masked_fill(input: Array, mask: Array, value: Any) -> Any:
    """`input` with `value` (a number or a 0-d tensor) wherever `mask` is True."""
    if raw(mask).dtype != np.bool_:
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {raw(mask).dtype}")
    if raw(value).ndim if isinstance(value, TensorBase) else isinstance(value, np.ndarray):
        raise RuntimeError("masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
                           f"{raw(value).ndim} dimension(s).")
    if not isinstance(value, TensorBase):
        return _masked_fill(input, mask, as_element("masked_fill()", value, raw(input).dtype))
    return _masked_fill(input, mask, cast(value, raw(input).dtype))


@op(name=("MaskedFillBackward1", "MaskedFillBackward0"), order="C")
def _masked_fill(x: Array, mask: Array, value: Any, /) -> Any:
    return np.where(raw(mask), raw(value), raw(x)), lambda g: np.where(mask, 0, g), None, lambda g: np.where(mask, g, 0).sum()


@numpy_names
def index_fill(input: Array, dim: int, index: Array, value: Any) -> Any:
    """`input` with `value` in the slices along `dim` that a vector of integers names."""
    return masked_fill(input, slices_mask(input, dim, index), value)


def slices_mask(input: Array, dim: int, index: Array) -> Any:
    """A mask of the slices along `dim` that `index_fill` fills."""
    axis, shape = axis_of(dim, raw(input).ndim), raw(input).shape
    if raw(index).dtype != np.int64:
        raise IndexError(f"index_fill_(): Expected dtype int64 for index, got {raw(index).dtype}")
    if raw(index).ndim > 1:
        raise RuntimeError(f"index_fill_(): Index has to be a vector/scalar, got shape {list(raw(index).shape)}")
    mask = np.zeros(shape[axis] if shape else 1, bool)
    mask[raw(index)] = True
    return wrap(mask.reshape([-1 if i == axis else 1 for i in range(len(shape))]))


def masked_select(input: Array, mask: Array) -> Any:
    """The elements of `input` where `mask` is True, as a vector."""
    if raw(mask).dtype != np.bool_:
        raise RuntimeError(f"masked_select: expected BoolTensor for mask, got {raw(mask).dtype}")
    return _masked_select(*broadcast_tensors(input, mask))


@op
def _masked_select(x: Array, mask: Array, /) -> Any:
    shape = x.shape
    return raw(x)[mask], lambda g: put_zeros(g, [mask], (_HOLE,), shape)


@numpy_names
@allocating
def repeat_interleave(
    input: Array = None, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Each slice along `dim` `repeats` times in a row (a number, or one number per slice); flattened without `dim`.

    ``repeat_interleave(repeats)`` gives each index as often as a vector of integers says. `output_size`, which torch takes to save
    time, is what comes out anyway.
    """
    if input is None or repeats is None:
        input = repeats if input is None else input
        if raw(input).ndim != 1 or raw(input).min(initial=0) < 0:
            raise RuntimeError("repeat_interleave(): repeats must be a vector of numbers that are not negative, got shape "
                               f"{list(raw(input).shape)}")
        counts = raw(input)
        if counts.dtype not in (np.int64, np.int32):
            raise NotImplementedError(f"repeat_interleave(): repeats must be int64 or int32, got {counts.dtype}")
        return wrap(np.repeat(np.arange(len(counts), dtype=counts.dtype), counts))
    input = reshape(input, -1) if dim is None else input
    axis = axis_of(0 if dim is None else dim, raw(input).ndim)
    counts = np.asarray(unwrapped(repeats))
    if counts.dtype.kind not in "iu":
        raise (NotImplementedError if isinstance(repeats, TensorBase) else TypeError)(
            f"repeat_interleave(): repeats must be integers, got {counts.dtype}")
    if counts.ndim > 1 or counts.size not in (1, raw(input).shape[axis]) or counts.min(initial=0) < 0:
        raise RuntimeError(f"repeat_interleave(): repeats must be one number, or one for each of the {raw(input).shape[axis]} "
                           "slices, and not negative")
    places = np.repeat(np.arange(raw(input).shape[axis]), counts)
    if output_size not in (None, places.size):
        raise RuntimeError(f"repeat_interleave(): output_size should be {places.size}, the size of the result, got {output_size}")
    return _index_select(input, places, axis)


def unravel_index(indices: Array, shape: Any) -> tuple[Any, ...]:
    """Indices into a flattened tensor of `shape` as one index tensor for each of its dimensions."""
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if raw(indices).dtype.kind not in "iu":
        raise TypeError(f"unravel_index(): expected integers as indices, got {raw(indices).dtype}")
    if any(n < 0 for n in sizes):
        raise ValueError(f"unravel_index(): shape cannot have negative values, got {sizes}")
    rest, found = raw(indices), []
    for n in reversed(sizes):
        rest, place = np.divmod(rest, max(n, 1))
        found.append(wrap(np.asarray(place)))
    return tuple(reversed(found))


def argwhere(input: Array) -> Any:
    """The indices of the elements that are not zero, one per row."""
    return nonzero(input)


def nonzero(input: Array, *, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not zero, one per row; with `as_tuple`, one vector for each dimension."""
    if as_tuple:
        return tuple(wrap(places) for places in np.atleast_1d(raw(input)).nonzero())
    return wrap(np.argwhere(raw(input)))


# ---- rows of a table -----------------------------------------------------------------------------------------------------


def embedding(
    input: Array, weight: Array, padding_idx: int | None = None, max_norm: float | None = None, norm_type: float = 2.0,
    scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Any:
    """The rows of `weight` that the integers in `input` name; of shape (*input.shape, width).

    Parameters
    ----------
    input : int64 or int32 Tensor of any shape
    weight : Tensor of shape (rows, width)
    padding_idx : int, optional
        A row that gets no gradient.
    max_norm, norm_type : float, optional
        The rows that are named are first scaled down, in place, until their `norm_type`-norm is at most `max_norm`.
    scale_grad_by_freq : bool
        Divide the gradient of each row by the number of times that it was named.

    Raises
    ------
    IndexError
        If there is no such row; rows are not counted from the end.
    RuntimeError
        If `input` has another dtype, or `weight` is no matrix.
    NotImplementedError
        For ``sparse=True``.
    """
    index, table = raw(input), raw(weight)
    if sparse:
        raise NotImplementedError("embedding(): sparse=True is not supported, gradients are dense")
    if table.ndim != 2 or index.dtype not in (np.int64, np.int32):
        raise RuntimeError("embedding(): expected int64 or int32 indices and a 'weight' of 2 dimensions, got indices of "
                           f"{index.dtype} and a weight of shape {list(table.shape)}")
    if padding_idx is not None and not -len(table) <= padding_idx < len(table):
        raise AssertionError(f"Padding_idx must be within num_embeddings, got {padding_idx} for {len(table)}")
    if index.size and not 0 <= index.min() <= index.max() < len(table):
        raise IndexError(f"embedding(): index out of range: found {index.min()} to {index.max()}, but there are {len(table)} rows")
    if max_norm is not None:
        rows = np.unique(index)
        norms = np.linalg.norm(table[rows], norm_type, axis=1, keepdims=True)
        table[rows] *= np.where(norms > max_norm, max_norm / (norms + 1e-7), 1)
        count_change(weight)
    return _embedding(weight, input, None if padding_idx is None else padding_idx % len(table), scale_grad_by_freq)


@op
def _embedding(weight: Array, index: Array, /, padding_idx: int | None, by_frequency: bool) -> Any:
    shape = weight.shape

    def rule(g: Array) -> Array:
        if padding_idx is not None or by_frequency:
            counts = np.bincount(index.reshape(-1), minlength=shape[0])[index] if by_frequency else 1
            g = g * np.where(index == padding_idx, 0, 1 / counts).astype(raw(g).dtype)[..., None]
        return put_zeros(g, [index], (_HOLE,), shape)

    return np.take(raw(weight), index, 0), rule


# ---- places around a tensor ----------------------------------------------------------------------------------------------

_SOURCES: dict[str, Any] = {  # for places from before 0 to beyond n: the place between 0 and n whose element stands there
    "reflect": lambda i, n: n - 1 - np.abs(n - 1 - np.abs(i)),
    "replicate": lambda i, n: np.clip(i, 0, n - 1),
    "circular": lambda i, n: i % n,
}


def pad(input: Array, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """Put something around a tensor: `pad` holds (before, after) for the last dimension, then for the one before, and so on.

    Negative numbers cut instead.

    Parameters
    ----------
    mode : str
        ``"constant"``: `value`; ``"reflect"``: what comes before the edge, backwards; ``"replicate"``: the edge;
        ``"circular"``: what is at the other end. All but ``"constant"`` pad all dimensions except the first one or two.

    Raises
    ------
    RuntimeError
        If there is not that much to be reflected, the result would have a negative size, or `value` is given but not used.
    NotImplementedError
        For another mode or number of dimensions.
    """
    shape = raw(input).shape
    pairs = [(0, 0)] * (len(shape) - len(pad) // 2) + [(pad[i], pad[i + 1]) for i in range(len(pad) // 2 * 2 - 2, -1, -2)]
    if mode not in ("constant", *_SOURCES):
        raise NotImplementedError(f"pad(): unrecognised padding mode {mode!r}; use 'constant', {str([*_SOURCES])[1:-1]}")
    if len(pad) % 2 or len(pairs) > len(shape) or (mode != "constant" and value is not None):
        raise RuntimeError(f"pad(): expected a pair of numbers for each of at most {len(shape)} dimensions, and a value in mode "
                           f"'constant' only, got {list(pad)}, value={value} and mode={mode!r}")
    for n, pair in zip(shape, pairs, strict=True):
        most = {"reflect": n - 1, "circular": n}.get(mode, max(pair))
        kept = n + sum(min(p, 0) for p in pair)  # of which circular padding takes its elements
        least = {"constant": kept, "circular": kept - (max(pair) > 0)}.get(mode, n + sum(pair) - 1)
        if any(pair) and (min(least, n + sum(pair)) < 0 or max(pair) > most):
            raise RuntimeError(f"pad(): padding {pair} does not fit a dimension of size {n} in mode {mode!r} (shape {list(shape)})")
    if mode == "constant":
        return _constant_pad_nd(input, tuple(pairs), 0 if value is None else value)
    if len(shape) - len(pad) // 2 not in (1, 2) or not 2 <= len(pad) <= 6:
        raise NotImplementedError(f"pad(): mode {mode!r} is for the last 1, 2 or 3 dimensions of as many and one or two, got "
                                  f"{len(pad)} numbers for shape {list(shape)}")
    if mode == "circular" or not any(pad):  # circular padding cuts first, the other modes cut what they have padded
        input = _constant_pad_nd(input, tuple((min(a, 0), min(b, 0)) for a, b in pairs), 0)
        pairs = [(max(a, 0), max(b, 0)) for a, b in pairs]
    names = {"reflect": f"ReflectionPad{len(pad) // 2}DBackward0", "replicate": f"ReplicationPad{len(pad) // 2}DBackward0"}
    for axis, (n, (before, after)) in enumerate(zip(raw(input).shape, pairs, strict=True)):
        if before or after:
            places = _SOURCES[mode](np.arange(-before, n + after), n)
            input = _index_select(input, places, axis) if mode == "circular" else _padded(input, axis, places, names[mode])
    return input


@op(name=lambda axis, places, name: name, order="L")
def _padded(x: Array, /, axis: int, places: Any, name: str) -> Any:
    """The slices of x along an axis at `places`."""
    template, shape = (slice(None),) * axis + (_HOLE,), x.shape
    return np.take(raw(x), places, axis), lambda g: attached(put_zeros(g, [places], template, shape), x)


# ---- writing over --------------------------------------------------------------------------------------------------------


@op(linear=True, name="ZeroBackward0")
def zero(x: Array, /) -> Any:
    """Zeros in the shape of x."""
    return np.zeros_like(x), np.zeros_like


def _filled(x: Array, value: Array, /) -> Any:
    """`value`, which has no dimensions, in the shape of x."""
    if not isinstance(value, np.ndarray):
        value = as_element("fill_()", value, x.dtype)
    if value.ndim:
        raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions.")
    return np.full_like(x, value), np.zeros_like, lambda g: cast(g.sum(), value.dtype)


fill = op(linear=True, name=("FillBackward1", "FillBackward0"))(_filled)
fill_in_place = op(linear=True, name=("FillBackward3", "FillBackward2"))(_filled)


@op(linear=True, name="torch::autograd::CopyBackwards")
def copy(x: Array, source: Array, /) -> Any:
    """`source` broadcast to the shape of x and brought to its dtype."""
    before = getattr(source, "dtype", x.dtype)
    try:
        value = np.broadcast_to(source, x.shape).astype(x.dtype)
    except ValueError:
        raise RuntimeError(f"The size of a tensor of shape {list(np.shape(source))} must match the shape {list(x.shape)} that it "
                           "is copied to; sizes must be equal or 1") from None
    return value, np.zeros_like, lambda g: cast(g, before)
