"""Operations that only move elements: they reshape, reorder, join and cut. All of them are linear.

Where torch returns a view, so do we: the result shares memory with its input, and a change of one is seen in the other.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import Array, as_dtype, common_dtype
from minigrad.arrays.dtypes import dtype as DType
from minigrad.arrays.layout import check_format, contiguous_format
from minigrad.autograd import TensorBase, cast, op, raw, wrap
from minigrad.autograd.views import as_it_lies, settle
from minigrad.ops.dims import axes_of, axis_of, numpy_names

# ---- shape ---------------------------------------------------------------------------------------------------------------


def sizes_of(sizes: Any, keyword: Any = None) -> tuple[int, ...]:
    """Sizes given one by one, as one sequence, or by keyword: ``f(2, 3)``, ``f((2, 3))`` and ``f(size=(2, 3))``."""
    if keyword is not None:
        sizes = (*sizes, keyword)
    if not sizes:
        raise TypeError("sizes are missing, as in f(2, 3), or f(()) for none")
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = sizes[0]
    return tuple(sizes) if _INT.issuperset(map(type, sizes)) else tuple(map(operator.index, sizes))


_INT = {int}


@functools.lru_cache(maxsize=1024)
def _resolved(name: str, sizes: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """`sizes` with a -1 replaced by what is left over."""
    count, known = math.prod(shape), math.prod(sizes)
    if known == count and min(sizes, default=0) >= 0:
        return sizes
    known = math.prod(n for n in sizes if n != -1)
    if sizes.count(-1) > 1 or any(n < -1 for n in sizes):
        raise RuntimeError(f"{name}(): only one dimension can be inferred (-1) and none negative, got {list(sizes)}")
    if -1 in sizes and known == 0:
        raise RuntimeError(f"cannot reshape tensor of 0 elements into shape {list(sizes)} because the unspecified dimension "
                           "size -1 can be any value and is ambiguous")
    if (count % known if -1 in sizes else count - known) != 0:
        raise RuntimeError(f"shape '{list(sizes)}' is invalid for input of size {count} (a tensor of shape {list(shape)})")
    return tuple(count // known if n == -1 else n for n in sizes)


def reshape(input: Array, *sizes: Any, shape: Any = None) -> Any:
    """The same elements in another shape: a view where the memory allows it, else a copy. One size may be -1."""
    shape = _resolved("reshape", sizes_of(sizes, shape), raw(input).shape)
    settle(input)
    shows = _can_show(raw(input), shape)
    if raw(input).flags.c_contiguous:
        return _view(input, shape)
    return _view(input, shape, "ReshapeAliasBackward0" if shows else "UnsafeViewBackward0")


def view(input: Array, *sizes: Any, size: Any = None, dtype: Any = None) -> Any:
    """The same memory in another shape; or, given a dtype instead of sizes, its bytes read as numbers of that dtype.

    Raises
    ------
    RuntimeError
        If the elements do not lie in memory so that the shape, or the dtype, can be had without a copy.
    """
    if dtype is not None or (sizes and isinstance(sizes[0], DType)):
        return _read_as(input, as_dtype(dtype or sizes[0]))
    shape = _resolved("view", sizes_of(sizes, size), raw(input).shape)
    settle(input)
    if not _can_show(raw(input), shape):
        raise RuntimeError("view size is not compatible with input tensor's size and stride (at least one dimension spans "
                           "across two contiguous subspaces). Use .reshape(...) instead.")
    return _view(input, shape)


def _read_as(x: Any, wanted: DType) -> Any:
    """The memory of x in another dtype, which cannot be differentiated."""
    array, before = raw(x), as_dtype(raw(x).dtype)
    what = f"to view {before} as {wanted} (different element sizes)"
    width, new = array.itemsize, wanted.itemsize
    if width != new and not array.ndim:
        raise RuntimeError(f"self.dim() cannot be 0 {what}")
    if width != new and array.size and array.strides[-1] != width:
        raise RuntimeError(f"self.stride(-1) must be 1 {what}, but got {array.strides[-1] // width}")
    if width < new:
        facts = {"self.size(-1)": array.shape[-1], "self.storage_offset()": x.storage_offset()}
        facts |= {f"self.stride({i})": step // width for i, step in enumerate(array.strides[:-1])}
        for fact, value in facts.items():
            if value % (new // width):
                raise RuntimeError(f"{fact} must be divisible by {new // width} {what}, but got {value}")
    shape = (*array.shape[:-1], array.shape[-1] * width // new) if width != new else array.shape
    result = as_it_lies(wrap(array.view(wanted.numpy) if array.size else np.empty(shape, wanted.numpy)))
    result._version_cell = x._version_cell
    return result


def _can_show(array: Array, sizes: tuple[int, ...]) -> bool:
    """Whether the memory of an array allows it to be seen in another shape."""
    if array.flags.c_contiguous:
        return True
    try:
        np.reshape(array, sizes, copy=False)
    except ValueError:
        return False
    return True


@op(linear=True, view=True, name=lambda shape, name="ViewBackward0": name)
def _view(x: Array, /, shape: tuple[int, ...], name: str = "ViewBackward0") -> Any:
    before = x.shape
    return x.reshape(shape), lambda g: g.reshape(before)


def flatten(input: Array, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Dimensions `start_dim` to `end_dim` made one."""
    shape = raw(input).shape
    first, last = axis_of(start_dim, len(shape)), axis_of(end_dim, len(shape))
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    new = (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])
    return input if new == shape else reshape(input, new)


def ravel(input: Array) -> Any:
    """All elements in one dimension."""
    raw(input)  # or an error
    return view(input.contiguous(), -1)


@numpy_names
def unflatten(input: Array, dim: int, sizes: Sequence[int]) -> Any:
    """Dimension `dim` cut into several of the given sizes."""
    shape = raw(input).shape
    axis = axis_of(dim, len(shape))
    return view(input, (*shape[:axis], *_resolved("unflatten", tuple(sizes), (shape[axis],)), *shape[axis + 1 :]))


@op(linear=True, view=True)
def unsqueeze(x: Array, /, dim: int) -> Any:
    """A dimension of size 1 put in at `dim`."""
    axis = axis_of(dim, x.ndim + 1)
    return np.expand_dims(x, axis), lambda g: g.squeeze(axis)


@numpy_names
def squeeze(input: Array, *dims: Any, dim: Any = None) -> Any:
    """All dimensions of size 1 taken out, or those in `dim`, one or several, that have size 1."""
    shape = raw(input).shape
    dim = dim if not dims else dims[0] if len(dims) == 1 else dims
    axes = range(len(shape)) if dim is None else () if dim in ((), []) else axes_of(dim, len(shape))
    out = tuple(a for a in axes if shape[a] == 1) if shape else ()
    return _squeeze(input, out, kind=0 if dim is None else 1 if isinstance(dim, int) else 2)


@op(linear=True, view=True, name=lambda axes, kind: f"SqueezeBackward{kind}")
def _squeeze(x: Array, /, axes: tuple[int, ...], kind: int) -> Any:
    shape = x.shape
    return np.squeeze(x, axes), lambda g: g.reshape(shape)


def expand(input: Array, *sizes: Any, size: Any = None) -> Any:
    """Dimensions of size 1 repeated to the given sizes, without using memory; -1 keeps a size."""
    wanted, shape = sizes_of(sizes, size), raw(input).shape
    lead = len(wanted) - len(shape)
    full = tuple(shape[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(wanted))
    if lead < 0 or any(n < 0 for n in full) or any(n not in (1, m) for n, m in zip(shape, full[lead:], strict=True)):
        raise RuntimeError(f"expand(): a tensor of shape {list(shape)} cannot be expanded to {list(wanted)}: only dimensions "
                           "of size 1 can grow, and new ones come in front")
    return _expand(input, full)


@op(linear=True, view=True)
def _expand(x: Array, /, shape: tuple[int, ...]) -> Any:
    return np.broadcast_to(x, shape), lambda g: g  # the engine sums it back to the shape of x


def broadcast_tensors(*tensors: Array) -> tuple[Any, ...]:
    """The tensors expanded to their common shape."""
    try:
        shape = np.broadcast_shapes(*(raw(t).shape for t in tensors))
    except ValueError:
        raise RuntimeError("broadcast_tensors(): shapes do not match: aligned from the right, sizes must be equal or 1, got "
                           f"{' and '.join(str(list(raw(t).shape)) for t in tensors)}") from None
    return tuple(t if raw(t).shape == shape else expand(t, shape) for t in tensors)


# ---- order ---------------------------------------------------------------------------------------------------------------


@op(linear=True, view=True)
def _permute(x: Array, /, dims: tuple[int, ...]) -> Any:
    back = tuple(int(i) for i in np.argsort(dims))
    return np.transpose(x, dims), lambda g: _permute(g, back)


def permute(input: Array, *order: Any, dims: Any = None) -> Any:
    """Dimensions in another order: dimension i of the result is dimension dims[i] of `input`."""
    wanted, ndim = sizes_of(order, dims), raw(input).ndim
    axes = tuple(axis_of(d, ndim) for d in wanted)
    if sorted(axes) != list(range(ndim)):
        raise RuntimeError(f"permute(dims): {list(wanted)} does not name each of the {ndim} dimensions once")
    return _permute(input, axes)


@op(linear=True, view=True)
def transpose(x: Array, /, dim0: int, dim1: int) -> Any:
    """Dimensions `dim0` and `dim1` exchanged."""
    a, b = axis_of(dim0, x.ndim), axis_of(dim1, x.ndim)
    return (x.swapaxes(a, b), lambda g: g.swapaxes(a, b)) if x.ndim else (x.view(), lambda g: g)


@op(linear=True, view=True, name="TBackward0")
def t(x: Array, /) -> Any:
    """The transpose of a matrix; vectors and 0-d tensors as they are."""
    if x.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {x.ndim}D")
    return x.T, lambda g: g.T


def roll(input: Array, shifts: Any, dims: Any = None) -> Any:
    """The elements moved along `dims`, those pushed out coming in at the other end; flattened without `dims`."""
    shifts = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    axes = None if dims is None else tuple(axis_of(d, raw(input).ndim) for d in ((dims,) if isinstance(dims, int) else dims))
    if len(shifts) != (1 if axes is None else len(axes)):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(axes or ())}")
    if axes and not raw(input).ndim:
        raise IndexError(f"roll(): Dimension specified as {axes[0]} but tensor has no dimensions")
    return _roll(input, shifts, axes)


@op(linear=True, order="L")
def _roll(x: Array, /, shifts: tuple[int, ...], axes: tuple[int, ...] | None) -> Any:
    return np.roll(x, shifts, axes), lambda g: _roll(g, tuple(-n for n in shifts), axes)


def movedim(input: Array, source: Any, destination: Any) -> Any:
    """Dimensions moved to other places, the rest in their order."""
    ndim = raw(input).ndim
    sources, places = axes_of(source, ndim), axes_of(destination, ndim)
    if len(sources) != len(places):
        raise RuntimeError(f"movedim: source {source} should contain the same number of dims as destination {destination}")
    order = [a for a in range(ndim) if a not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return _permute(input, tuple(order))


def flip(input: Array, *order: Any, dims: Any = None) -> Any:
    """The elements in reverse order along `dims`: ``x.flip(0, 1)``, ``x.flip((0, 1))`` or ``x.flip(dims=(0, 1))``."""
    return _flip(input, tuple(axis_of(d, raw(input).ndim) for d in sizes_of(order, dims)))


@op(linear=True, order="K")
def _flip(x: Array, /, dims: tuple[int, ...]) -> Any:
    return np.flip(x, dims if x.ndim else ()).copy("K"), lambda g: _flip(g, dims)


# ---- joining and cutting -------------------------------------------------------------------------------------------------


def _together(name: str, tensors: Any) -> tuple[Any, ...]:
    """The tensors of a sequence, brought to one dtype."""
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(f"{name}(): argument 'tensors' must be a tuple or list of tensors, not {type(tensors).__name__}")
    for i, t in enumerate(tensors):
        if not isinstance(t, (TensorBase, np.ndarray)):
            raise TypeError(f"{name}(): expected Tensor as element {i} of the list, but got {type(t).__name__}")
    if not tensors:
        raise (ValueError if name == "cat" else RuntimeError)(f"{name}(): expected a non-empty list of tensors")
    target = common_dtype([raw(t) for t in tensors])
    return tuple(tensors) if target is None else tuple(cast(t, target) for t in tensors)


@numpy_names
def cat(tensors: Any, dim: int = 0) -> Any:
    """The tensors one after the other along `dim`; all other sizes must be equal.

    Raises
    ------
    RuntimeError
        If the shapes differ elsewhere.
    """
    tensors = _together("cat", tensors)
    shapes = [raw(t).shape for t in tensors]
    shape = next((s for s in shapes if s != (0,)), (0,))  # as in torch, an empty 1-d tensor goes with anything
    if any(s == () for s in shapes):
        raise RuntimeError("zero-dimensional tensor cannot be concatenated; use stack")
    axis = axis_of(dim, len(shape))
    before, behind = shape[:axis], shape[axis + 1 :]
    for s in shapes:
        if s != (0,) and (len(s) != len(shape) or s[:axis] != before or s[axis + 1 :] != behind):
            raise RuntimeError(f"cat(): sizes of tensors must match except in dimension {axis}, got shapes "
                               f"{' and '.join(str(list(s)) for s in shapes)}")
    return _cat(*tensors, dim=axis)


@op(linear=True, order="L")
def _cat(*xs: Array, dim: int) -> Any:
    ndim = max(x.ndim for x in xs)
    joined = [x for x in xs if x.ndim == ndim]
    ends = itertools.accumulate(x.shape[dim] if x.ndim == ndim else 0 for x in xs)
    return np.concatenate(joined, dim), *(functools.partial(_cut_out, dim, end, x.shape) for x, end in zip(xs, ends, strict=True))


def _cut_out(dim: int, end: int, shape: tuple[int, ...], g: Array) -> Array:
    """What a tensor of this shape, which ends at `end` among those that were joined, gets of the gradient."""
    if g.ndim != len(shape):
        return g[:0].reshape(shape)
    return g[(slice(None),) * dim + (slice(end - shape[dim], end),)]


@numpy_names
def stack(tensors: Any, dim: int = 0) -> Any:
    """The tensors, all of one shape, side by side along a new dimension `dim`."""
    tensors = _together("stack", tensors)
    shapes = [raw(t).shape for t in tensors]
    for s in shapes:
        if s != shapes[0]:
            raise RuntimeError(f"stack expects each tensor to be equal size, but got {list(shapes[0])} at entry 0 and "
                               f"{list(s)} at entry {shapes.index(s)}")
    return _stack(*tensors, dim=axis_of(dim, len(shapes[0]) + 1))


@op(linear=True, order="C")
def _stack(*xs: Array, dim: int) -> Any:
    before = (slice(None),) * dim
    return np.stack(xs, dim), *[lambda g, i=i: g[(*before, i)] for i in range(len(xs))]


def vstack(tensors: Any) -> Any:
    """The tensors below each other: vectors as rows, others along their first dimension."""
    return cat([reshape(x, 1, -1) if raw(x).ndim < 2 else x for x in _some("vstack", tensors)])


def hstack(tensors: Any) -> Any:
    """The tensors beside each other: vectors end to end, others along their second dimension."""
    dim = 1 if raw(_some("hstack", tensors)[0]).ndim > 1 else 0
    return cat([reshape(x, -1) if raw(x).ndim == 0 else x for x in tensors], dim)


def _some(name: str, tensors: Any) -> Any:
    if not len(tensors):
        raise RuntimeError(f"{name} expects a non-empty TensorList: there is nothing to join")
    return tensors


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Any, ...]:
    """For each vector, its elements at each point of the grid that the vectors span; ``indexing="xy"`` exchanges the first two."""
    if indexing is None:
        warnings.warn("torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument: 'ij' gives what "
                      "you get now, 'xy' is NumPy's default", stacklevel=2)
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f"meshgrid(): indexing must be one of 'xy' or 'ij', but received: {indexing}")
    vectors = tensors[0] if isinstance(tensors[0], (tuple, list)) else tensors
    if any(raw(x).ndim > 1 for x in vectors):
        raise RuntimeError(f"meshgrid(): expected vectors, got shapes {' and '.join(str(list(raw(x).shape)) for x in vectors)}")
    if len({raw(x).dtype for x in vectors}) > 1:
        raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    n = len(vectors)
    place = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else range(n)
    return broadcast_tensors(*(reshape(x, [-1 if i == place[k] else 1 for i in range(n)]) for k, x in enumerate(vectors)))


@op(linear=True, view=True, name=lambda *_, kind, **__: f"{kind}Backward0")
def _part(x: Array, /, index: Any, *, kind: str) -> Any:
    shape = x.shape
    return x[(*index, ...)], lambda g: _embed(g, index, shape)  # the ... makes a single element a view, too


@op(linear=True)
def _embed(g: Array, /, index: Any, shape: tuple[int, ...]) -> Any:
    """Zeros with `g` at a place that `index` (integers, slices, None, ...) names."""
    whole = np.zeros(shape, g.dtype)
    whole[index] = g
    return whole, lambda h: h[index]


def _cut(x: Array, axis: int, ends: list[int], kind: str) -> tuple[Any, ...]:
    before = (slice(None),) * axis
    return tuple(_part(x, (*before, slice(a, b)), kind=kind) for a, b in zip([0, *ends[:-1]], ends, strict=True))


def axis_of_some(name: str, x: Array, dim: int) -> int:
    """`axis_of` for what needs a dimension to work along."""
    if not raw(x).ndim:
        raise RuntimeError(f"{name}() needs a tensor of at least one dimension, got one of none")
    return axis_of(dim, raw(x).ndim)


def split(tensor: Array, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Cut along `dim` into pieces of one size (the last may be smaller), or of the sizes in a list."""
    axis = axis_of_some("split", tensor, dim)
    total, size = raw(tensor).shape[axis], split_size_or_sections
    if isinstance(size, int):
        if size <= 0 and not (size == 0 == total):
            raise RuntimeError(f"split expects split_size be positive, but got split_size={size}")
        return _cut(tensor, axis, [min(a + size, total) for a in range(0, max(total, 1), max(size, 1))], "Split")
    if sum(size) != total or any(n < 0 for n in size):
        raise RuntimeError(f"split_with_sizes expects split_sizes to sum exactly to {total} (input tensor's size at dimension "
                           f"{axis}), but got split_sizes={list(size)}")
    return _cut(tensor, axis, [int(n) for n in np.cumsum(size)], "SplitWithSizes")


@numpy_names
def chunk(input: Array, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """Cut along `dim` into at most `chunks` pieces of equal size."""
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    total = raw(input).shape[axis_of_some("chunk", input, dim)]
    return split(input, -(-total // chunks), dim) if total else split(input, [0] * chunks, dim)


@numpy_names
def unbind(input: Array, dim: int = 0) -> tuple[Any, ...]:
    """The slices along `dim`, as a tuple."""
    before = (slice(None),) * axis_of(dim, raw(input).ndim)
    return tuple(_part(input, (*before, i), kind="Unbind") for i in range(raw(input).shape[dim]))


@numpy_names
def narrow(input: Array, dim: int, start: int, length: int) -> Any:
    """`length` slices of dimension `dim`, from `start` on."""
    axis = axis_of_some("narrow", input, dim)
    size = raw(input).shape[axis]
    if isinstance(start, TensorBase):
        if start.array.ndim or start.array.dtype.kind not in "iu":
            raise RuntimeError(f"narrow(): start must be an 0-dim integral Tensor, got {start.array.dtype} of {start.array.ndim}D")
        start = start.array.item()
    if not -size <= start <= size:
        raise IndexError(f"narrow(): start out of range (expected to be in range of [{-size}, {size}], but got {start})")
    first = start + size if start < 0 else start
    if not first <= first + length <= size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return _part(input, (*(slice(None),) * axis, slice(first, first + length)), kind="Slice")


@numpy_names
def select(input: Array, dim: int, index: int) -> Any:
    """The slice of number `index` along `dim`, which the result does not have any more."""
    axis = axis_of(dim, raw(input).ndim)
    size = raw(input).shape[axis] if raw(input).ndim else 0
    if not -size <= index < size:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(raw(input).shape)} at dimension {dim}")
    return _part(input, (*(slice(None),) * axis, index), kind="Select")


def repeat(input: Array, *counts: Any, repeats: Any = None) -> Any:
    """Copies side by side: `repeats[i]` of them along dimension i; new dimensions come in front."""
    counts = sizes_of(counts, repeats)
    if len(counts) < raw(input).ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: got "
                           f"{list(counts)} for shape {list(raw(input).shape)}")
    if any(n < 0 for n in counts):
        raise RuntimeError(f"repeat(): counts must not be negative, got {list(counts)}")
    return _repeat(input, counts)


def tile(input: Array, *counts: Any, dims: Any = None) -> Any:
    """Like `repeat`, with missing counts in front taken as 1."""
    counts = sizes_of(counts, dims)
    return repeat(input, (1,) * (raw(input).ndim - len(counts)) + counts)


@op(linear=True, order="C")
def _repeat(x: Array, /, counts: tuple[int, ...]) -> Any:
    shape = (1,) * (len(counts) - x.ndim) + x.shape
    blocks = tuple(n for pair in zip(counts, shape, strict=True) for n in pair)
    return np.tile(x, counts), lambda g: g.reshape(blocks).sum(axis=tuple(range(0, len(blocks), 2)))


@op(linear=True)
def channel_shuffle(x: Array, /, groups: int) -> Any:
    """Channels, the second dimension, in another order: the first of each group, then the second of each, and so on."""
    if x.ndim < 3 or groups < 1 or x.shape[1] % groups:
        raise RuntimeError(f"channel_shuffle expects an input of more than 2 dimensions whose channels can be divided into groups, "
                           f"got shape {list(x.shape)} and groups={groups}")
    n, channels, *size = x.shape
    each = channels // groups
    moved = np.array(raw(x).reshape((n, groups, each, *size)).swapaxes(1, 2), order="C")
    return moved.reshape(x.shape), lambda g: channel_shuffle(g, each)


@op(linear=True)
def pixel_shuffle(x: Array, /, upscale_factor: int) -> Any:
    """(..., c·r², h, w) to (..., c, h·r, w·r): each group of r² channels becomes the r × r places of one pixel.

    Examples
    --------
    >>> import minigrad as torch
    >>> pixel_shuffle(torch.arange(4).reshape(4, 1, 1), 2)
    tensor([[[0, 1],
             [2, 3]]])
    """
    lead, (c, h, w) = _image("pixel_shuffle", x, "upscale_factor", upscale_factor)
    r = upscale_factor
    if c % (r * r):
        raise RuntimeError("pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
                           f"but input.size(-3)={c} is not divisible by {r * r}")
    parts = x.reshape((*lead, c // (r * r), r, r, h, w))
    moved = np.array(np.moveaxis(raw(parts), (-4, -3), (-3, -1)), order="C")
    return moved.reshape((*lead, c // (r * r), h * r, w * r)), lambda g: pixel_unshuffle(g, r)


@op(linear=True)
def pixel_unshuffle(x: Array, /, downscale_factor: int) -> Any:
    """(..., c, h·r, w·r) to (..., c·r², h, w): the inverse of `pixel_shuffle`."""
    lead, (c, h, w) = _image("pixel_unshuffle", x, "downscale_factor", downscale_factor)
    r = downscale_factor
    if h % r or w % r:
        raise RuntimeError("pixel_unshuffle expects height and width to be divisible by downscale_factor, but got "
                           f"{h} x {w} and {r}")
    parts = x.reshape((*lead, c, h // r, r, w // r, r))
    moved = np.array(np.moveaxis(raw(parts), (-3, -1), (-4, -3)), order="C")
    return moved.reshape((*lead, c * r * r, h // r, w // r)), lambda g: pixel_shuffle(g, r)


def _image(name: str, x: Array, what: str, factor: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shape of x, cut before channels, height and width."""
    if x.ndim < 3:
        raise RuntimeError(f"{name} expects input to have at least 3 dimensions, but got input with {x.ndim} dimension(s)")
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {what}, but got {factor}")
    return x.shape[:-3], x.shape[-3:]


@op(linear=True, order="L")
def _constant_pad_nd(x: Array, /, pairs: tuple[tuple[int, int], ...], value: float) -> Any:
    kept = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape, pairs, strict=True))
    widths = [(max(a, 0), max(b, 0)) for a, b in pairs]
    back = tuple((-a, -b) for a, b in pairs)
    return np.pad(x[kept], widths, constant_values=value), lambda g: _constant_pad_nd(g, back, 0)


# ---- parts of matrices ---------------------------------------------------------------------------------------------------


def tril(input: Array, diagonal: int = 0) -> Any:
    """The lower triangle of a matrix, up to and with the given diagonal; zeros above."""
    _matrix("tril", input)
    return _tril(input, diagonal)


def triu(input: Array, diagonal: int = 0) -> Any:
    """The upper triangle of a matrix, from the given diagonal on; zeros below."""
    _matrix("triu", input)
    return _triu(input, diagonal)


def _matrix(name: str, x: Array) -> None:
    if raw(x).ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions, got shape {list(raw(x).shape)}")


@op(linear=True, order="C")
def _tril(x: Array, /, diagonal: int) -> Any:
    return np.tril(x, diagonal), lambda g: _tril(g, diagonal)


@op(linear=True, order="C")
def _triu(x: Array, /, diagonal: int) -> Any:
    return np.triu(x, diagonal), lambda g: _triu(g, diagonal)


@op(linear=True, view=True)
def diagonal(x: Array, /, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of the matrices in dimensions `dim1` and `dim2`, as the last dimension."""
    a, b, shape = axis_of(dim1, x.ndim), axis_of(dim2, x.ndim), x.shape
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    value = np.diagonal(x, offset, a, b)
    value.flags.writeable = x.flags.writeable  # NumPy's is read-only
    return value, lambda g: _on_diagonal(g, offset, a, b, shape)


def diag(input: Array, diagonal: int = 0) -> Any:
    """The matrix with a vector on its diagonal, or the diagonal of a matrix."""
    if raw(input).ndim not in (1, 2):
        raise RuntimeError(f"diag(): supports 1D or 2D tensors, got {raw(input).ndim}D")
    if raw(input).ndim == 2:
        return clone(input.diagonal(diagonal))
    size = raw(input).shape[0] + abs(diagonal)
    return _on_diagonal(input, diagonal, 0, 1, (size, size))


def diag_embed(input: Array, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices, in dimensions `dim1` and `dim2`, with the last dimension of `input` on their diagonals and zeros elsewhere."""
    shape = raw(input).shape
    a, b = axis_of(dim1, len(shape) + 1), axis_of(dim2, len(shape) + 1)
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    size = shape[-1] + abs(offset)
    whole = list(shape[:-1])
    for axis in sorted((a, b)):
        whole.insert(axis, size)
    return _on_diagonal(input, offset, a, b, tuple(whole))


def trace(input: Array) -> Any:
    """The sum of the elements on the diagonal of a matrix."""
    if raw(input).ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {raw(input).ndim}")
    return diagonal(input).sum()


@op(linear=True, name="DiagEmbedBackward0")
def _on_diagonal(g: Array, /, offset: int, a: int, b: int, shape: tuple[int, ...]) -> Any:
    whole = np.zeros(shape, g.dtype)
    moved = np.moveaxis(whole, (a, b), (-2, -1))
    n = np.arange(g.shape[-1])
    moved[..., n + max(-offset, 0), n + max(offset, 0)] = g
    return whole, lambda h: diagonal(h, offset, a, b)


def clone(input: Array, *, memory_format: Any = None) -> Any:
    """A copy with memory of its own, through which gradients pass."""
    check_format("clone", memory_format)
    return _in_order(input) if memory_format is contiguous_format else _clone(input)


@op(linear=True, order="K", name="CloneBackward0")
def _clone(x: Array, /) -> Any:
    return x.copy("K"), lambda g: g


@op(linear=True, order="C", name="CloneBackward0")
def _in_order(x: Array, /) -> Any:
    return x.copy(), lambda g: g


# ---- other names -------------------------------------------------------------------------------------------------------

moveaxis, swapaxes, swapdims, broadcast_to = movedim, transpose, transpose, expand
concat, concatenate, row_stack = cat, cat, vstack
