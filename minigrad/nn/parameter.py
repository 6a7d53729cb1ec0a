"""`Parameter`: a tensor that a module trains."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.autograd import wrap
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

    __slots__ = ("__dict__",)  # for the user's own attributes, as in ``p.no_decay = True``
    _printed_as = "tensor"

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Any:
        """Make a parameter in the memory of `data`."""
        if data is None:
            data = wrap(np.empty(0, np.float32))
        if not isinstance(data, Tensor):
            raise TypeError(f"Parameter(): data must be a Tensor, not {type(data).__name__}; make one with "
                            "torch.tensor(...)")
        parameter = wrap(data.array, cls=cls)
        parameter._version_cell = data._version_cell
        return parameter.requires_grad_(requires_grad)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        memo[id(self)] = copied = wrap(self.array.copy("K"), self._requires_grad, type(self))
        return copied
