"""`Tensor`, under torch's names: what it is, its place in the graph, conversion; `methods` has the operations."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import numpy as np

from minigrad import autograd
from minigrad.arrays import dtypes, printing
from minigrad.arrays.dtypes import CPU, DTYPES, Size, as_dtype, check_device
from minigrad.arrays.layout import check_format, contiguous_format, strided
from minigrad.arrays.sharing import memory_of, shared_copy
from minigrad.arrays.storage import deep_copied, storage_of
from minigrad.autograd import TensorBase, raw, unwrapped, wrap
from minigrad.autograd.tensor_base import Untracked
from minigrad.autograd.views import as_it_lies, settle
from minigrad.ops import comparison, elementwise, reduction, shape, special
from minigrad.tensors import creation, legacy
from minigrad.tensors.methods import Methods, is_operand
from minigrad.tensors.numpy_dispatch import FUNCTIONS, UFUNCS, as_arrays
from minigrad.tensors.storage import TypedStorage, UntypedStorage


def conversion(args: tuple[Any, ...], dtype: Any, device: Any) -> tuple[dtypes.dtype | None, dtypes.device | None, list[bool]]:
    """What the arguments of ``to(...)`` ask for, of tensors and modules: dtype, device, and the flags `non_blocking` and `copy`."""
    flags = [a for a in args if isinstance(a, bool)]  # they come last
    for a in args[: len(args) - len(flags)]:
        if isinstance(a, TensorBase):
            dtype = a.array.dtype
        elif isinstance(a, (str, int)) or type(a).__name__ == "device":
            device = a
        elif a is not None:
            dtype = a
    typed = dtype is not None or (len(args) > 0 and isinstance(args[0], TensorBase))
    if len(args) > len(flags) + 2 or len(flags) > 2 or (flags and not typed):  # flags come behind a dtype only
        raise TypeError("to(): expected a dtype, a device (and a dtype) or a tensor, and then the flags non_blocking and copy, got "
                        f"({', '.join(type(a).__name__ for a in args)})")
    return None if dtype is None else as_dtype(dtype), None if device is None else dtypes.device(device), flags


@autograd.result_class
class Tensor(Methods):
    """An array that remembers how it was computed.

    ``Tensor(...)`` is the constructor of old scripts (see `legacy.constructed`); `minigrad.tensor` infers the dtype, and is what
    you usually want.

    Examples
    --------
    >>> import minigrad as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ("__dict__",)  # for the user's own attributes, as in ``p.no_decay = True``
    __array_priority__ = 1000
    _printed_as = "tensor"  # the user's subclasses are printed under their own names

    def __new__(cls, *data: Any, device: Any = None) -> Tensor:
        """Make a tensor as old scripts do."""
        return legacy.constructed(data, None, device, cls)

    # ---- what it is --------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """Sizes of the dimensions."""
        return tuple.__new__(Size, self.array.shape)

    def size(self, dim: Any = None) -> Any:
        """The shape, or the size of one dimension."""
        return self.shape if dim is None else self.array.shape[reduction.axis_of(dim, self.array.ndim)]

    def stride(self, dim: Any = None) -> Any:
        """Steps in memory, in elements, from one index to the next; of all dimensions or of one."""
        settle(self)
        steps = tuple(n // self.array.itemsize for n in self.array.strides)
        return steps if dim is None else steps[dim]

    @property
    def dtype(self) -> dtypes.dtype:
        """Type of the elements."""
        return DTYPES[self.array.dtype]

    @property
    def device(self) -> dtypes.device:
        """Always the CPU."""
        return CPU

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self.array.ndim

    def dim(self) -> int:
        """Number of dimensions."""
        return self.array.ndim

    ndimension = dim

    def numel(self) -> int:
        """Number of elements."""
        return self.array.size

    nelement = numel

    def element_size(self) -> int:
        """Bytes per element."""
        return self.array.itemsize

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.array.nbytes

    def is_floating_point(self) -> bool:
        """True for float16, float32 and float64."""
        return self.array.dtype.kind == "f"

    def is_complex(self) -> bool:
        """False: there are no complex tensors."""
        return False

    def is_nonzero(self) -> bool:
        """Whether the only element is not zero."""
        return bool(self)

    is_cpu = True
    is_cuda = is_mps = is_xpu = is_meta = is_sparse = is_sparse_csr = is_quantized = is_nested = is_mkldnn = False
    layout = strided

    def get_device(self) -> int:
        """-1, for the CPU: the number of a GPU if it were on one."""
        return -1

    def is_signed(self) -> bool:
        """True for the dtypes that have negative numbers."""
        return self.array.dtype.kind in "if"

    def is_same_size(self, other: Tensor) -> bool:
        """Whether `other` has the shape of this tensor."""
        return self.array.shape == other.array.shape

    def is_pinned(self) -> bool:
        """False: nothing is copied from here to an accelerator."""
        return False

    def pin_memory(self) -> Tensor:
        """Not possible: there is no accelerator."""
        raise RuntimeError("pin_memory(): cannot pin memory for an accelerator, and there is none; leave it out")

    def is_contiguous(self, memory_format: Any = contiguous_format) -> bool:
        """True if the elements lie in memory in the order of their indices, without gaps."""
        check_format("is_contiguous", memory_format)
        settle(self)
        return self.array.flags.c_contiguous

    def data_ptr(self) -> int:
        """Address of the first element."""
        settle(self)
        return self.array.ctypes.data

    def untyped_storage(self) -> UntypedStorage:
        """The memory behind the tensor, as bytes; views of one tensor have the same.

        Examples
        --------
        >>> import minigrad as torch
        >>> points = torch.tensor([[4.0, 1.0], [5.0, 3.0]])
        >>> points.t().untyped_storage().data_ptr() == points.untyped_storage().data_ptr()
        True
        """
        settle(self)
        return UntypedStorage.of(self.array)

    def storage(self) -> TypedStorage:
        """The memory behind the tensor, as numbers of its dtype; deprecated in torch."""
        warnings.warn("TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only storage "
                      "class. This should only matter to you if you are using storages directly.  To access UntypedStorage "
                      "directly, use tensor.untyped_storage() instead of tensor.storage()", stacklevel=2)
        settle(self)
        return TypedStorage.of(self.array)

    def storage_offset(self) -> int:
        """How many elements of the memory lie before the first one of this tensor."""
        return storage_of(self.array).offset

    def __len__(self) -> int:
        if self.array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return len(self.array)

    def __iter__(self) -> Iterator[Tensor]:
        if self.array.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __reversed__(self) -> Tensor:
        return shape.flip(self, 0) if self.array.ndim else self

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise RuntimeError(f"Boolean value of Tensor with {'more than one value' if self.array.size else 'no values'} is "
                               "ambiguous: use .any() or .all()")
        return bool(self.array.item())

    def __float__(self) -> float:
        if self.requires_grad and autograd.is_grad_enabled():
            warnings.warn("Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior. Consider using "
                          "tensor.detach() first", stacklevel=2)
        return float(self._number())

    def __int__(self) -> int:
        return int(self._number())

    def _number(self) -> Any:
        if self.array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars, "
                             f"and this one has {self.array.size} elements: "
                             "use tolist()")
        return self.array.item()

    def __index__(self) -> int:
        if self.array.size != 1 or self.array.dtype.kind == "f":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.array.item())

    def __contains__(self, element: Any) -> bool:
        if not is_operand(element):
            raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")
        return bool((self.array == unwrapped(element)).any())

    __hash__ = TensorBase.__hash__  # by identity, although == compares elements

    def __repr__(self) -> str:
        try:
            node = self.grad_fn
            name = None if node is None else node.name().rpartition(":")[2]
        except RuntimeError:  # it was changed so that it has no history that could be used
            name = "Invalid"
        leaf = self.requires_grad and name is None
        cls, default = type(self), repr(dtypes.get_default_dtype())
        word = vars(cls).get("_printed_as", cls.__name__)
        return printing.format_tensor(
            self.array, requires_grad=leaf, grad_fn_name=name, class_name=word, default_dtype_name=default)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self.array.ndim == 0 else object.__format__(self, spec)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self._node is not None:
            raise RuntimeError("Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                               "moment; use x.detach().clone()")
        memo[id(self)] = copied = wrap(deep_copied(self.array, memo), self._requires_grad, type(self))
        if self._view is not None or hasattr(self, "_as_it_lies"):
            as_it_lies(copied)
        copied.grad = None if self.grad is None else deepcopy(self.grad, memo)
        vars(copied).update(deepcopy(vars(self), memo))
        return copied

    def __reduce__(self) -> Any:
        if self._node is not None:
            raise RuntimeError("cannot pickle a tensor that is not a leaf of the graph; use x.detach()")
        return wrap, (self.array, self._requires_grad, type(self)), vars(self) or None

    def share_memory_(self) -> Tensor:
        """Move the numbers to memory that other processes see, when they get the tensor; returns the tensor.

        Raises
        ------
        NotImplementedError
            For a view: share the tensor whose memory it shows.
        """
        if not self.is_shared():
            if self.array.base is not None and self._view is not None:
                raise NotImplementedError("share_memory_(): this tensor is a view, and would lose its base; share the base instead")
            self.array, self._version_cell = shared_copy(self.array), [self._version_cell[0]]
        return self

    def is_shared(self) -> bool:
        """Whether the numbers lie in memory that other processes see."""
        return memory_of(self.array) is not None

    # ---- out of and into NumPy ---------------------------------------------------------------------------------------

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self.array.size != 1:
            raise RuntimeError(f"a Tensor with {self.array.size} elements cannot be converted to Scalar; use tolist()")
        return self.array.item()

    def tolist(self) -> Any:
        """The elements as (nested) Python lists of numbers."""
        return self.array.tolist()

    def numpy(self, *, force: bool = False) -> np.ndarray[Any, Any]:
        """The NumPy array that holds the values, not a copy.

        Raises
        ------
        RuntimeError
            If the tensor requires a gradient, which NumPy would lose, and gradients are recorded; with
            `force`, it is given all the same.
        """
        if self.requires_grad and not force and autograd.is_grad_enabled():
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        settle(self)
        return self.array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.array(self.numpy(), dtype, copy=copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Send NumPy's functions, called on tensors, back to our operations; `autograd.Node.replay` depends on it."""
        operation = UFUNCS.get((ufunc, method))
        if kwargs.get("out") is not None:
            return NotImplemented
        if operation is None:
            raise TypeError(f"np.{ufunc.__name__} is no operation on tensors; where it should be one, name the operation in "
                            "minigrad/tensors/numpy_dispatch.py")
        return operation(*inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in FUNCTIONS:
            return FUNCTIONS[function](*args, **kwargs)
        return function(*as_arrays(args), **as_arrays(kwargs))  # as with torch's tensors: NumPy's own, if no gradient is lost

    # ---- autograd ----------------------------------------------------------------------------------------------------

    @property
    def grad_fn(self) -> autograd.Node | None:
        """The node of the operation that made this tensor; None for a leaf."""
        if self._view is not None:
            autograd.refresh(self)
        return self._node and self._node.shown()

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` has added up so far; on leaves, and where `retain_grad()` asked for it."""
        if self._grad is None and self._node is not None and not self.retains_grad:
            warnings.warn("The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't "
                          "be populated during autograd.backward(): call .retain_grad() on it first, or look at the leaf it was "
                          "computed from", stacklevel=2)
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, TensorBase):
                raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
            if value is self:
                raise RuntimeError("can't assign a tensor as its own grad")
            ours, theirs = self.array, value.array
            if (ours.shape, ours.dtype) != (theirs.shape, theirs.dtype):
                raise RuntimeError(f"attempting to assign a gradient of size {list(theirs.shape)} and dtype {theirs.dtype} to a "
                                   f"tensor of size {list(ours.shape)} and dtype {ours.dtype}: they must be the same")
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded."""
        return autograd.needs_grad(self)

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise RuntimeError(f"requires_grad must be a bool, not {type(value).__name__}")
        if value and self.array.dtype.kind != "f":
            raise RuntimeError(f"only Tensors of floating point dtype can require gradients, got {self.dtype}; convert it first, "
                               "as in x.float()")
        if self._node is not None and not value:
            raise RuntimeError("you can only change requires_grad flags of leaf variables. If you want to use a computed variable "
                               "in a subgraph that doesn't require differentiation use var_no_grad = var.detach().")
        if value and self.is_inference() and not autograd.is_inference_mode_enabled():
            raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed; use a clone()")
        self._requires_grad = value

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad`; returns the tensor."""
        if not isinstance(requires_grad, bool):
            raise TypeError(f"requires_grad_(): argument 'requires_grad' must be bool, not {type(requires_grad).__name__}")
        self.requires_grad = requires_grad
        return self

    def is_inference(self) -> bool:
        """True for tensors that were made in inference mode."""
        return type(self._version_cell) is Untracked

    @property
    def is_leaf(self) -> bool:
        """True for tensors that no recorded operation made."""
        return self.grad_fn is None

    @property
    def _version(self) -> int:
        return self._version_cell[0]

    @property
    def _base(self) -> Tensor | None:
        return None if self._view is None else self._view[0]  # type: ignore[return-value]

    def backward(self, gradient: Any = None, retain_graph: Any = None, create_graph: Any = False, inputs: Any = None) -> None:
        """Add the gradient of this tensor to the `.grad` of the leaves it was computed from; see `autograd.backward`."""
        autograd.backward(self, gradient, retain_graph, create_graph, inputs)

    def detach(self) -> Tensor:
        """The same memory, without the history."""
        settle(self)
        result = as_it_lies(wrap(self.array))
        result._version_cell = self._version_cell
        return result

    def detach_(self) -> Tensor:
        """Forget the history; returns the tensor."""
        if self._view is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead")
        self._node, self._requires_grad = None, False
        return self

    @property
    def data(self) -> Tensor:
        """The same memory, without the history and unseen by the version counter."""
        settle(self)
        return as_it_lies(wrap(self.array))

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, TensorBase):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if self._requires_grad and value.array.dtype.kind != "f":
            raise RuntimeError("data set to a tensor that requires gradients must be floating point, got "
                               f"{DTYPES[value.array.dtype]}")
        settle(value)
        self.array, self._version_cell = value.array, [self._version_cell[0]]  # other memory; the count goes on
        as_it_lies(self)

    def retain_grad(self) -> None:
        """Keep the gradient in `.grad` although this tensor is not a leaf."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self.grad_fn is not None:
            self.grad_fn.grad_keeper = weakref.ref(self)

    @property
    def retains_grad(self) -> bool:
        """True where `retain_grad()` was called on a tensor that is not a leaf."""
        return self._node is not None and self._node.grad_keeper is not None

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> autograd.RemovableHandle:
        """Call `hook` with the gradient of this tensor as soon as it is known; what it returns, if not None, replaces it."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        owner: Any = self.grad_fn or self
        if owner._hooks is None:
            owner._hooks = {}
        return autograd.RemovableHandle(owner._hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> autograd.RemovableHandle:
        """Call `hook` with this leaf in each backward pass, as soon as all of its gradient has been added to its `.grad`."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self.grad_fn is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        return autograd.when_complete(self, hook)

    # ---- other dtypes ------------------------------------------------------------------------------------------------

    def to(self, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False, non_blocking: bool = False,
           memory_format: Any = None) -> Tensor:
        """The tensor in another dtype: ``x.to(torch.float64)``, ``x.to(other)``, ``x.to("cpu")``; itself if it has it already."""
        check_format("to", memory_format)
        kind, where, flags = conversion(args, dtype, device)
        check_device(where)
        if kind is None or kind.numpy == self.array.dtype:
            return self.clone() if copy or flags[1:] == [True] else self
        return autograd.cast(self, kind.numpy)

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """The tensor in another dtype, or without argument the name of its type, as torch gives it."""
        if dtype is None:
            return f"torch.{dtypes.OLD_NAMES[self.dtype]}Tensor"
        return self.to(dtype=legacy.dtype_of_type(dtype))

    def new(self, *data: Any, device: Any = None) -> Tensor:
        """What the constructor of old scripts gives for this tensor's dtype; see `legacy.constructed`."""
        return legacy.constructed(data, self.dtype, device)

    def type_as(self, other: Tensor) -> Tensor:
        """The tensor in the dtype of `other`."""
        return self.to(DTYPES[raw(other).dtype])

    def cpu(self) -> Tensor:
        """The tensor itself: it is on the CPU."""
        return self

    def cuda(self, *args: Any, **kwargs: Any) -> Tensor:
        """Not possible: minigrad computes on the CPU only."""
        return self.to(device="cuda")

    def bfloat16(self) -> Tensor:
        """Not possible: NumPy has no bfloat16."""
        raise NotImplementedError("bfloat16 is not supported, since NumPy does not have it; use float16 or float32")

    def contiguous(self, memory_format: Any = contiguous_format) -> Tensor:
        """The tensor with its elements in memory in the order of their indices; itself if they are so already."""
        check_format("contiguous", memory_format)
        return self if self.is_contiguous() else self.clone(memory_format=contiguous_format)

    # ---- operators and methods that do more than pass their arguments on --------------------------------------------------

    def __invert__(self) -> Tensor:
        if self.array.dtype.kind == "f":
            raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors; "
                            "compare first, as in ~(x > 0)")
        return comparison.bitwise_not(self)

    def __eq__(self, other: object) -> Any:
        return comparison.eq(self, other) if is_operand(other) else NotImplemented

    def __ne__(self, other: object) -> Any:
        return comparison.ne(self, other) if is_operand(other) else NotImplemented

    @property
    def T(self) -> Tensor:
        """Dimensions in reverse order."""
        return shape.permute(self, tuple(range(self.array.ndim))[::-1])

    @property
    def mT(self) -> Tensor:
        """The last two dimensions exchanged."""
        if self.array.ndim < 2:
            raise RuntimeError(f"tensor.mT is only supported on matrices or batches of matrices. Got {self.array.ndim}-D tensor.")
        return shape.transpose(self, -2, -1)

    def where(self, condition: Any, other: Any) -> Tensor:
        """This tensor where the condition holds, `other` elsewhere."""
        return elementwise.where(condition, self, other)

    def split(self, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]:
        """Cut along `dim` into pieces of one size (the last may be smaller), or of the sizes in a list."""
        return shape.split(self, split_size, dim)

    def polygamma(self, n: int) -> Any:
        """The derivative of order `n` of `digamma`."""
        return special.polygamma(n, self)

    ger = legacy.ger

    def reshape_as(self, other: Tensor) -> Tensor:
        """`reshape` to the shape of `other`."""
        return self.reshape(raw(other).shape)

    def view_as(self, other: Tensor) -> Tensor:
        """`view` in the shape of `other`."""
        return self.view(raw(other).shape)

    def expand_as(self, other: Tensor) -> Tensor:
        """`expand` to the shape of `other`."""
        return self.expand(raw(other).shape)

    def fill_diagonal_(self, fill_value: float, wrap: bool = False) -> Tensor:
        """Write one number on the diagonal, with `wrap` also on those below it in a tall matrix, a row apart; returns the tensor.

        Raises
        ------
        RuntimeError
            If the tensor has fewer than two dimensions, or more, of different sizes.
        """
        sizes = self.array.shape
        if len(sizes) < 2 or (len(sizes) > 2 and len(set(sizes)) > 1):
            raise RuntimeError("fill_diagonal_(): expected a matrix, or more dimensions, all of equal length, got shape "
                               f"{list(sizes)}")
        self.as_strided((min(sizes),), (sum(self.stride()),)).fill_(fill_value)
        if wrap and len(sizes) == 2 and sizes[0] > sizes[1] + 1:
            self[sizes[1] + 1 :].fill_diagonal_(fill_value, wrap)
        return self

    # ---- tensors like this one ----------------------------------------------------------------------------------------

    def _own_dtype(self, options: dict[str, Any]) -> dict[str, Any]:
        return {**options, "dtype": options.get("dtype") or self.dtype}

    def new_zeros(self, *sizes: Any, **options: Any) -> Tensor:
        """Zeros of this tensor's dtype; the options are those of `zeros`."""
        return creation.zeros(*sizes, **self._own_dtype(options))

    def new_empty(self, *sizes: Any, **options: Any) -> Tensor:
        """A tensor of this tensor's dtype, of no particular values."""
        return creation.empty(*sizes, **self._own_dtype(options))

    def new_empty_strided(self, size: Any, stride: Any, **options: Any) -> Tensor:
        """A tensor of this tensor's dtype, of no particular values, with these steps in memory; see `empty_strided`."""
        return creation.empty_strided(size, stride, **self._own_dtype(options))

    def new_ones(self, *sizes: Any, **options: Any) -> Tensor:
        """Ones of this tensor's dtype."""
        return creation.ones(*sizes, **self._own_dtype(options))

    def new_full(self, size: Any, fill_value: Any, **options: Any) -> Tensor:
        """A tensor filled with one value, of this tensor's dtype."""
        return creation.full(size, fill_value, **self._own_dtype(options))

    def new_tensor(self, data: Any, **options: Any) -> Tensor:
        """A tensor made of `data`, of this tensor's dtype."""
        return creation.tensor(data, **self._own_dtype(options))


def zero_for_good(grad: Tensor) -> None:
    """Fill a gradient with zeros, in place, that do not depend on what it was computed from."""
    if grad.grad_fn is not None:
        grad.detach_()
    grad.requires_grad_(False).zero_()
