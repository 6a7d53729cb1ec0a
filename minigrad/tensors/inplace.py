"""Changing a tensor in place: what is counted, what is refused, and how history is rewritten.

Four cases. In all of them x is not a leaf: a leaf that requires a gradient refuses to be changed while operations are recorded::

    y = x * x              x ──mul──▶ y            mul's rules keep x's values
    x.add_(1)              the version of x: 0 ▶ 1  backward through y raises now: the x that mul read is gone

    x.mul_(2)              x ──mul──▶ x            x becomes the result of the operation that changed it

    v = x[0]; v.mul_(2)    v shows x's memory. So x becomes "x with v's places overwritten", and every other view of x
                           looks its history up again when it is next used

    with no_grad(): ...    values change and versions count; history stays as it is

`autograd.versions` does the counting, and `autograd.views` keeps views up to date.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import autograd, random
from minigrad.arrays import dtypes
from minigrad.arrays.dtypes import DTYPES, KIND, as_element
from minigrad.arrays.layout import check_format
from minigrad.arrays.storage import owner_of, resized
from minigrad.autograd import TensorBase, clock, count_change, op, raw, unwrapped, wrap
from minigrad.autograd.tensor_base import Untracked
from minigrad.ops import indexing
from minigrad.ops.dims import numpy_names
from minigrad.ops.shape import sizes_of

if TYPE_CHECKING:
    from minigrad.tensors.tensor import Tensor


def in_place(operation: Callable[..., Any], constant_name: str = "", *, uniform: bool = False) -> Any:
    """The form of an operation that changes its tensor: ``x.add_(y)`` for ``add(x, y)``.

    `constant_name` is what torch calls the node of an operation without a derivative: zeros go back from it. `uniform`: the
    operation gives all elements one value.
    """

    @functools.wraps(operation)
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        for x in (*args, *kwargs.values()):
            if isinstance(x, TensorBase) and x._version_cell is self._version_cell:
                _check_overlap(self.array, x.array)
        tracked = self._is_tracked() or any(map(autograd.needs_grad, (*args, *kwargs.values())))
        if not (tracked and self.array.dtype.kind == "f" and autograd.is_grad_enabled()):
            self._overwrite(operation(self, *args, **kwargs).array, uniform)
            return self
        self._may_change()
        old = self._alias()
        old.array = self.array.copy()  # for the rules, which may read what is overwritten now
        old._version_cell, old._view = [0], None
        result = operation(old, *args, **kwargs)
        if constant_name:
            name = f"{constant_name}Backward{int(isinstance(args[0], TensorBase))}"
            operands = [x for x in args if isinstance(x, TensorBase)]
            result = constant(old, *operands, array=result.array.astype(self.array.dtype), name=name)
        self._overwrite(result.array, uniform)
        self._rewrite_history(result)
        return self

    method.__doc__ = f"`{operation.__name__}`, written into this tensor's memory; returns the tensor."
    return method


def _unlock(array: np.ndarray[Any, Any], uniform: bool = False) -> None:
    """Make an array writeable again that is not, since it is a part of an expanded one.

    Raises
    ------
    RuntimeError
        If several elements of it share one place in memory, which can hold one value only.
    """
    if not array.flags.writeable and (uniform or all(step for n, step in zip(array.shape, array.strides, strict=True) if n > 1)):
        array.flags.writeable = owner_of(array).flags.writeable  # it is not where somebody's own array is read-only
    if not array.flags.writeable:
        raise RuntimeError("unsupported operation: more than one element of the written-to tensor refers to a single memory "
                           "location. Please clone() the tensor before performing the operation.")


def _repeated(array: np.ndarray[Any, Any]) -> tuple[int, ...]:
    """The dimensions along which all elements share one place in memory."""
    return tuple(axis for axis, (n, step) in enumerate(zip(array.shape, array.strides, strict=True)) if n > 1 and not step)


def _extent(array: np.ndarray[Any, Any]) -> Any:
    """Where the elements are in memory; dimensions of size 1 make no difference to that."""
    return array.ctypes.data, [each for each in zip(array.shape, array.strides, strict=True) if each[0] != 1]


def _check_overlap(written: np.ndarray[Any, Any], read: np.ndarray[Any, Any]) -> None:
    """Refuse what torch refuses: to change one dense piece of memory by another that it partly covers."""
    if written is read or _extent(written) == _extent(read):
        return
    if all(high - low == x.nbytes for x in (written, read) for low, high in [np.lib.array_utils.byte_bounds(x)]) and (
        np.may_share_memory(written, read)
    ):
        raise RuntimeError("unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
                           "memory location. Please clone() the tensor before performing the operation.")


def reshaped(operation: Callable[..., Any], node_name: str) -> Any:
    """The form of a view operation that changes the shape of its tensor: ``x.t_()`` for ``t(x)``; the memory stays as it is."""

    @functools.wraps(operation)
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if autograd.is_grad_enabled() and self._is_tracked():
            self._may_change()
        result = operation(self._alias(), *args, **kwargs)
        self.array = result.array
        count_change(self)
        if result._node is not None:
            self._node, self._requires_grad, self._node.title = result._node, True, node_name
        return self

    method.__doc__ = f"`{operation.__name__}` of this tensor itself: its memory in another shape; returns the tensor."
    return method


@op(linear=True, name=lambda array, name: name)
def constant(*tensors: Any, array: Any, name: str) -> Any:
    """`array`, drawn on behalf of `tensors`: no change of theirs would have changed it, so zeros go back to them."""
    return array, *[np.zeros_like] * len(tensors)


def drawn(fill: Callable[..., Any], name: str | Callable[..., str]) -> Any:
    """The form of a method that fills its tensor with random numbers: ``x.normal_()``.

    `fill` does it to an array. `name` is what torch calls the node; where it depends, a function of the arguments.
    """

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        kwargs = {_BOUNDS.get(key, key): value for key, value in kwargs.items()}
        recording = autograd.is_grad_enabled() and self._is_tracked()
        if recording:
            self._may_change()
        check_inference(self)
        _unlock(self.array)
        fill(self.array, *map(unwrapped, args), **{key: unwrapped(value) for key, value in kwargs.items()})
        count_change(self)
        if recording:
            known = name if isinstance(name, str) else name(*args, **kwargs)
            self._rewrite_history(constant(self._alias(), array=self.array, name=known))
        return self

    method.__doc__ = "Fill the tensor with random numbers (see `minigrad.random`); returns the tensor."
    return method


_BOUNDS = {"from": "low", "to": "high"}  # torch calls them `from` and `to`; `from` is a keyword in Python


def _fill_with_integers(array: Any, low: Any = None, high: Any = ..., generator: Any = None) -> Any:
    """``random_()``, ``random_(high)`` or ``random_(low, high)``."""
    if high is None:
        raise NotImplementedError("random_(low, None) is not supported; give the upper bound, too")
    if low is None and high is ...:
        return random.random_(array, generator)
    low, high = (0, low) if high is ... else (low or 0, high)
    return random.randint_(array, low, high, generator)


def _random_name(low: Any = None, high: Any = ..., generator: Any = None) -> str:
    return f"RandomBackward{(low is None) + (high is ...)}"


def _bernoulli_name(p: Any = 0.5, generator: Any = None) -> str:
    return f"BernoulliBackward{1 if isinstance(p, TensorBase) else 2}"


_OF_SEVERAL = ("Unbind", "Split")  # views that come together, of which torch does not let one be changed


def check_inference(x: TensorBase) -> None:
    """Refuse to change a tensor that was made in inference mode outside of it."""
    if type(x._version_cell) is Untracked and not autograd.is_inference_mode_enabled():
        raise RuntimeError("Inplace update to inference tensor outside InferenceMode is not allowed; change a clone()")


def _hand_on(old: Any, new: Any) -> None:
    """The gradient that retain_grad() asked for is that of the tensor, whatever node it comes from."""
    if old is not None and new is not None and old.grad_keeper is not None:
        new.grad_keeper, old.grad_keeper = old.grad_keeper, None


class InPlace(TensorBase):
    """The part of `Tensor` that changes it."""

    __slots__ = ()

    def _alias(self) -> Tensor:
        """This tensor as it is now; in-place operations take it as their input while `self` becomes their result."""
        alias = wrap(self.array, self._requires_grad)
        alias._node, alias._version_cell, alias._view = self._node, self._version_cell, self._view
        return alias

    def _is_tracked(self) -> bool:
        """Whether this tensor, or one whose memory it shows, requires a gradient."""
        return autograd.needs_grad(self) or (self._view is not None and self._view[0]._requires_grad)

    def _may_change(self) -> None:
        node: Any = self._node
        while isinstance(node, autograd.Node) and node.op.view:
            if node.name().startswith(_OF_SEVERAL):
                raise RuntimeError(f"Output of {node.name()} is a view and is being modified inplace. This view is the output of a "
                                   "function that returns multiple views; they cannot be changed in place: change the whole "
                                   "tensor, x[0] += 1, or write the result into a new one")
            node = node.edges[0]
        if self._requires_grad and self._node is None:
            raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation. Do it under "
                               "torch.no_grad(), or write the result into a new tensor")
        if self._view is not None and self._view[0]._requires_grad and self._view[0]._node is None:
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation. Do it under "
                               "torch.no_grad(), or change a clone()")
        if self._view is not None and self._view[1] < 0 and self._node is not None:
            raise RuntimeError(f"Output of {self._node.name()} is a view and is being modified inplace. This view was created "
                               "inside a custom Function (or because an input was returned as-is) and the autograd logic to handle "
                               "view+inplace would override the custom backward. Let forward return x.clone(), or change a clone()")
        if self._view is not None and self._view[1] < 0:
            raise RuntimeError("a view was created in no_grad mode and is being modified inplace with grad mode enabled: its base "
                               "could not learn of it. Do both inside no_grad(), or both outside")

    def _overwrite(self, values: np.ndarray[Any, Any], uniform: bool = False) -> None:
        """Write `values`, which are all the same if `uniform`, into the memory, and count it."""
        check_inference(self)
        if KIND[values.dtype.kind] > KIND[self.array.dtype.kind]:
            ours, theirs = DTYPES[self.array.dtype].name, DTYPES[values.dtype].name
            raise RuntimeError(f"result type {theirs} can't be cast to the desired output type {ours}: "
                               "write the result into a new tensor")
        if values.shape != self.array.shape:
            raise RuntimeError(f"output with shape {list(self.array.shape)} doesn't match the broadcast shape "
                               f"{list(values.shape)}: write the result into a new tensor")
        expanded = not self.array.flags.writeable
        if expanded:
            _unlock(self.array, uniform)
        self.array[...] = values
        if expanded and uniform:
            self.array.flags.writeable = False
        count_change(self)

    def _rewrite_history(self, result: Any) -> None:
        """Make this tensor, whose memory was just overwritten, the outcome of the operation that gave `result`."""
        if result._node is None:  # nothing of it depends on anything
            return
        if result.array.dtype != self.array.dtype:
            result = autograd.cast(result, self.array.dtype, result._node.name())
        if self._view is None:
            _hand_on(self._node, result._node)
            self._node, self._requires_grad = result._node, True
        else:
            base: Any = self._view[0]
            changed = indexing.copy_places(base._alias(), result, places=self._places(base))
            _hand_on(base._node, changed._node)
            base._node, base._requires_grad = changed._node, True
            self._regenerate()
        node: Any = (self if self._view is None else self._view[0])._node
        if node.cells:  # what the node made lies in this memory now
            node.cells[-1], node.versions[-1] = self._version_cell, self._version_cell[0]

    def _regenerate(self) -> None:
        """Derive this view's history anew from its base, which was changed in place."""
        base: Any = self._view[0]  # type: ignore[index]
        if self._view[1] < 0 and self._node is not None:  # type: ignore[index]
            raise RuntimeError(f"Output of {self._node.name()} is a view and its base or another view of its base has been "
                               "modified inplace. The backward of a custom Function would be left out: return a clone()")
        if self._view[1] < 0:  # type: ignore[index]
            raise RuntimeError("a view was created in no_grad mode and its base or another view of its base has been modified "
                               "inplace with grad mode enabled: the view has no history. Do both inside no_grad(), or both outside")
        if self._node is not None and self._node.name().startswith(_OF_SEVERAL):
            raise RuntimeError(f"Output of {self._node.name()} is a view and its base or another view of its base has been "
                               "modified inplace. This view is the output of a function that returns multiple views; take it "
                               "anew, or write the result into a new tensor")
        with autograd.enable_grad():  # somebody may look at it under no_grad()
            fresh = indexing.as_places(base, self._places(base))
        _hand_on(self._node, fresh._node)
        self._node, self._requires_grad = fresh._node, fresh._requires_grad
        self._view = (base, next(clock))

    def _places(self, base: TensorBase) -> np.ndarray[Any, Any]:
        """For each element of this view, its number among the elements of `base`."""
        whole, part, size = base.array, self.array, base.array.itemsize
        low = np.lib.array_utils.byte_bounds(whole)[0]
        extent = (np.lib.array_utils.byte_bounds(whole)[1] - low) // size

        def cells(array: Any) -> Any:
            """The memory cell, counted from the lowest, of each element."""
            first = (array.ctypes.data - low) // size
            steps = [np.arange(n) * (s // size) for n, s in zip(array.shape, array.strides, strict=True)]
            return first + sum((np.ix_(*steps)), np.zeros((), np.int64)) if steps else np.asarray(first)

        number = np.zeros(extent, np.int64)
        number[cells(whole)] = np.arange(whole.size).reshape(whole.shape)
        return number[cells(part)]

    def __setitem__(self, index: Any, value: Any) -> None:
        """``x[index] = value``, value being a number or a tensor that broadcasts to the place."""
        check_inference(self)
        tracked = self.array.dtype.kind == "f" and (self._is_tracked() or autograd.needs_grad(value))
        template, arrays = indexing.parse_index(self, index)
        if not isinstance(value, TensorBase):
            value = wrap(as_element(f"can't assign a {type(value).__name__} to a tensor", value, self.array.dtype))
        while value.array.shape[:1] == (1,):  # as in torch, sizes of 1 in front count for nothing
            value = value[0]
        if arrays and value.array.dtype != self.array.dtype and (
            value.array.ndim or any(raw(a).dtype != bool or not raw(a).ndim for a in arrays)
        ):
            raise RuntimeError("Index put requires the source and destination dtypes match, got "
                               f"{self.array.dtype} for the destination and {value.array.dtype} for the source.")
        plain, rest = indexing.plain_part(template, arrays)
        one_mask = len(arrays) == 1 and value.array.size == 1 and raw(arrays[0]).dtype == bool
        if one_mask and self._fills(index, plain, rest, raw(arrays[0]), value):
            return
        if tracked and autograd.is_grad_enabled():
            place = self if plain is None else indexing.getitem(self, plain)
            if arrays:
                place._index_put_(autograd.cast(value, self.array.dtype), *arrays, template=rest)
            elif value.array.ndim:
                place.copy_(value)
            else:
                place.fill_(value)
            return
        try:
            place = self.array if plain is None else self.array[plain if Ellipsis in plain else (*plain, ...)]
            if value._version_cell is self._version_cell and not arrays:
                _check_overlap(place, value.array)
            if not place.flags.writeable:
                _unlock(place)
            place[indexing.filled(rest, map(raw, arrays)) if arrays else ...] = raw(value)
        except IndexError as error:
            raise indexing.explained(error, self) from None
        except ValueError as error:
            raise RuntimeError(f"x[index] = value: {error} (x has shape {list(self.array.shape)})") from None
        count_change(self)

    def _fills(self, index: Any, plain: Any, rest: tuple[Any, ...], mask: np.ndarray[Any, Any], value: Any) -> bool:
        """Whether ``x[mask] = value``, with one value, was done as a `masked_fill_`, where elements share a place in memory.

        torch always does it so, and refuses a mask of uint8.
        """
        before = [part for part in rest if isinstance(part, slice)]
        place: Any = self if plain is None else indexing.getitem(self, plain)
        start, end = len(before), len(before) + mask.ndim
        if not mask.ndim or rest[: len(before)] != (*before,) or place.array.shape[start:end] != mask.shape:
            return False
        if any(getattr(x, "dtype", None) in (dtypes.uint8, np.uint8) for x in (index if isinstance(index, tuple) else (index,))):
            raise RuntimeError("masked_fill_ only supports boolean masks, but got mask with dtype uint8: write x[mask.bool()] = "
                               "value")
        if not _repeated(place.array):
            return False
        place.masked_fill_(wrap(mask.reshape(mask.shape + (1,) * (place.array.ndim - end))), value.reshape(()))
        return True

    def __delitem__(self, index: Any) -> None:
        raise TypeError("Tensor does not support deleting items")

    def zero_(self) -> Tensor:
        """Set every element to 0; returns the tensor."""
        return self._zero_()

    _zero_ = in_place(indexing.zero, uniform=True)
    _index_put_ = in_place(indexing.put_at)

    def set_(self, *args: Any) -> Tensor:
        """Not supported: assign to `.data`."""
        raise NotImplementedError("set_(): tensors cannot be given other memory; assign to .data")

    _masked_fill_ = in_place(indexing.masked_fill)

    def masked_fill_(self, mask: Any, value: Any) -> Tensor:
        """`masked_fill`, written into this tensor's memory; returns the tensor.

        Elements that share a place in memory, as those of an expanded tensor do, get the value if the mask is True for one of them.
        """
        repeated = _repeated(self.array)
        if not repeated or raw(mask).dtype != bool:
            return self._masked_fill_(mask, value)
        warnings.warn("Use of masked_fill_ on expanded tensors is deprecated. Please clone() the tensor before performing this "
                      "operation. This also applies to advanced indexing e.g. tensor[mask] = scalar", stacklevel=2)
        once = tuple(slice(0, 1) if axis in repeated else slice(None) for axis in range(self.array.ndim))
        whole = np.broadcast_to(raw(mask), self.array.shape)
        indexing.getitem(self, once)._masked_fill_(wrap(whole.any(repeated, keepdims=True)), value)
        return self  # type: ignore[return-value]

    _index_fill_ = in_place(indexing.index_fill)

    def apply_(self, callable: Callable[[Any], Any]) -> Tensor:
        """Replace each element by what a Python function makes of it, one after the other; returns the tensor."""
        return self._by_elements("apply_", callable)

    def map_(self, tensor: Any, callable: Callable[[Any, Any], Any]) -> Tensor:
        """Replace each element by what a Python function makes of it and of that of another tensor; returns the tensor."""
        if tensor.array.dtype != self.array.dtype:
            raise TypeError(f"map_(): expected a tensor of {DTYPES[self.array.dtype]}, got {DTYPES[tensor.array.dtype]}")
        return self._by_elements("map_", callable, indexing.copy(self, tensor).array)

    def resize_(self, *sizes: Any, memory_format: Any = None) -> Tensor:
        """Show the same memory, in order, in another shape; returns the tensor.

        If there is not enough memory, the tensor gets new memory of its own, whose further elements may have any value. (In torch,
        other tensors that shared the old memory share the new one, too.)

        Raises
        ------
        RuntimeError
            If the tensor requires a gradient.
        """
        check_format("resize_", memory_format)
        if autograd.needs_grad(self):
            raise RuntimeError("cannot resize variables that require grad")
        check_inference(self)
        shape = sizes_of(sizes)
        if min(shape, default=0) < 0:
            raise RuntimeError(f"resize_(): sizes must not be negative, got {list(shape)}")
        before, self.array = self.array, resized(self.array, shape)
        if owner_of(self.array) is not owner_of(before):
            self._version_cell, self._view = [self._version_cell[0]], None
        count_change(self)
        return self  # type: ignore[return-value]

    def resize_as_(self, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
        """`resize_` to the shape of another tensor."""
        return self.resize_(the_template.shape, memory_format=memory_format)

    def _by_elements(self, name: str, function: Callable[..., Any], *others: Any) -> Tensor:
        if autograd.needs_grad(self):
            raise RuntimeError(f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead.")
        check_inference(self)
        _unlock(self.array)
        for place in np.ndindex(self.array.shape):
            self.array[place] = function(self.array[place].item(), *(other[place].item() for other in others))
        return self  # type: ignore[return-value]  # as in torch, no version counts it

    @numpy_names
    def index_fill_(self, dim: int, index: Any, value: Any) -> Tensor:
        """`index_fill`, written into this tensor's memory; returns the tensor."""
        if not _repeated(self.array):
            return self._index_fill_(dim, index, value)
        return self.masked_fill_(indexing.slices_mask(self, dim, index), value)

    fill_ = in_place(lambda self, value: indexing.fill_in_place(self, value), uniform=True)
    copy_ = in_place(lambda self, other, non_blocking=False: indexing.copy(self, other))
    uniform_ = drawn(random.uniform_, "UniformBackward0")
    normal_ = drawn(random.normal_, "NormalBackward0")
    exponential_ = drawn(random.exponential_, "ExponentialBackward0")
    bernoulli_ = drawn(random.bernoulli_, _bernoulli_name)
    random_ = drawn(_fill_with_integers, _random_name)
