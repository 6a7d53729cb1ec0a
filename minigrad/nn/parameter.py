"""`Parameter`: a tensor that a module trains; and those of lazy modules, whose shape is not known yet."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from minigrad.autograd import TensorBase, wrap
from minigrad.autograd.views import as_it_lies, settle
from minigrad.tensors.creation import empty
from minigrad.tensors.tensor import Tensor


class Parameter(Tensor):
    """A tensor that becomes part of a module's parameters when it is assigned to one of its attributes.

    Parameters
    ----------
    data : Tensor
        The values; the parameter shares their memory.
    requires_grad : bool
        Record operations on it, also when it is made under `no_grad`.

    Raises
    ------
    TypeError
        If `data` is no tensor.
    RuntimeError
        If it has to require a gradient but holds no floating-point numbers.

    Examples
    --------
    >>> import minigrad as torch
    >>> Parameter(torch.tensor([1.0, 2.0]))
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    __slots__ = ()
    _printed_as = "tensor"

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Any:
        """Make a parameter in the memory of `data`."""
        if data is None:
            data = wrap(np.empty(0, np.float32))
        if not isinstance(data, Tensor):
            raise TypeError(f"Parameter(): data must be a Tensor, not {type(data).__name__}; make one with "
                            "torch.tensor(...)")
        settle(data)
        parameter = as_it_lies(wrap(data.array, cls=cls))
        parameter._version_cell = data._version_cell
        return parameter.requires_grad_(requires_grad)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        memo[id(self)] = copied = as_it_lies(wrap(self.array.copy("K"), self._requires_grad, type(self)))
        return copied


ARRAY = vars(TensorBase)["array"]  # the place in the object, which the property below hides


class UninitializedTensor:
    """What `UninitializedParameter` and `UninitializedBuffer` share: all but a dtype is unknown, and any use of values is refused.

    Raises
    ------
    RuntimeError
        If somebody asks for the shape.
    ValueError
        If somebody uses the values.
    """

    __slots__ = ()
    cls_to_become: ClassVar[type[Tensor]]

    def __new__(cls, requires_grad: bool = False, device: Any = None, dtype: Any = None) -> Any:
        """Make one of this dtype; by default, of the default dtype."""
        return wrap(empty(0, device=device, dtype=dtype).array, requires_grad, cls)

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become an ordinary parameter or tensor of this shape, still to be filled. The object stays the same."""
        values = empty(shape, device=device, dtype=self.dtype if dtype is None else dtype).array
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        self.array = values

    @property
    def data(self) -> Any:
        """An empty tensor, as in torch: what is written into it is not kept."""
        return wrap(ARRAY.__get__(self))

    @data.setter
    def data(self, data: Tensor) -> None:
        self.materialize(data.shape, dtype=data.dtype)
        self.data = data

    @property
    def dtype(self) -> Any:
        """The dtype, all that is known."""
        return self.data.dtype

    @property
    def array(self) -> Any:
        """Refused: there are no values yet."""
        raise ValueError(f"Attempted to use an uninitialized parameter or buffer ({type(self).__name__}): call the lazy module "
                         "with a batch first, which tells it the shape")

    @array.setter
    def array(self, array: Any) -> None:
        ARRAY.__set__(self, array)

    @property
    def shape(self) -> Any:
        """Refused: it is not known yet."""
        raise RuntimeError("Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
                           "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call "
                           "`forward` to initialize the parameters before accessing their attributes.")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        memo[id(self)] = copied = type(self)(self.requires_grad, dtype=self.dtype)  # type: ignore[attr-defined]
        return copied


class UninitializedParameter(UninitializedTensor, Parameter):
    """The parameter of a lazy module before its first batch; see `UninitializedTensor`."""

    __slots__ = ()
    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        """Make one that requires a gradient."""
        return super().__new__(cls, requires_grad, device, dtype)


class UninitializedBuffer(UninitializedTensor, Tensor):
    """The buffer of a lazy module before its first batch; see `UninitializedTensor`."""

    __slots__ = ()
    cls_to_become = Tensor
