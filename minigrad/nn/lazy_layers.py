"""Lazy layers: their first input tells them how many features or channels they get.

`LazyLinear(10)` waits with its parameters, and draws them when it is called for the first time. From then on it is a `Linear`.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import Signature, signature
from itertools import chain
from typing import Any, ClassVar, Self

from minigrad.nn.conv import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, _ConvNd
from minigrad.nn.layers import Linear
from minigrad.nn.module import Module
from minigrad.nn.normalization import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
    _NormBase,
)
from minigrad.nn.parameter import UninitializedBuffer, UninitializedParameter, UninitializedTensor
from minigrad.tensors.tensor import Tensor


class LazyModuleMixin(Module):
    """What lazy layers share: they take the arguments of the ordinary layer without the first, which they infer.

    Attributes
    ----------
    cls_to_become : type
        The class of the ordinary layer.

    Examples
    --------
    >>> import minigrad as torch
    >>> net = torch.nn.Sequential(torch.nn.LazyLinear(3), torch.nn.ReLU())
    >>> net[0]
    LazyLinear(in_features=0, out_features=3, bias=True)
    >>> net[0].weight
    <UninitializedParameter>
    >>> net(torch.ones(2, 5)).shape
    torch.Size([2, 3])
    >>> net[0]
    Linear(in_features=5, out_features=3, bias=True)
    """

    cls_to_become: ClassVar[type[Module]]
    _inferred: ClassVar[str]  # the attribute that the first input tells

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__init__ is LazyModuleMixin.__init__ and "cls_to_become" in vars(cls):
            cls.__signature__ = Signature(list(signature(cls.cls_to_become).parameters.values())[1:])  # type: ignore[attr-defined]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(0, *args, **kwargs)
        for name, parameter in self._parameters.items():
            if parameter is not None:
                self._parameters[name] = UninitializedParameter(dtype=parameter.dtype)
        for name, buffer in self._buffers.items():
            if buffer is not None and not buffer.numel():
                self._buffers[name] = UninitializedBuffer(dtype=buffer.dtype)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Draw the parameters for this input, become the ordinary layer, and compute."""
        self.initialize_parameters(*args, **kwargs)
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        return self.forward(*args, **kwargs)

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Infer the size from an input, and draw the parameters unless they were loaded."""
        if not getattr(self, self._inferred):
            setattr(self, self._inferred, self._size_in(input))
        if self.has_uninitialized_params():
            for name, tensor in self._waiting().items():
                tensor.materialize(self._shape_of(name))
            self.reset_parameters()

    def has_uninitialized_params(self) -> bool:
        """Whether parameters or buffers wait for their shapes."""
        return bool(self._waiting())

    def reset_parameters(self) -> None:
        """Draw new values for the parameters, if there are any yet."""
        if getattr(self, self._inferred) and not self.has_uninitialized_params():
            super().reset_parameters()  # type: ignore[misc]

    def _size_in(self, input: Tensor) -> int:
        """The size that the input tells."""
        raise NotImplementedError(f"_size_in is not implemented for {type(self).__name__}")

    def _shape_of(self, name: str) -> tuple[int, ...]:
        """The shape of a parameter or buffer, once the size is known."""
        raise NotImplementedError(f"_shape_of is not implemented for {type(self).__name__}")

    # ---- what modules do with their state ----------------------------------------------------------------------------

    def _waiting(self) -> dict[str, UninitializedTensor]:
        tensors: Iterator[tuple[str, Any]] = chain(self._parameters.items(), self._buffers.items())
        return {name: tensor for name, tensor in tensors if isinstance(tensor, UninitializedTensor)}

    def _state(self) -> dict[str, Tensor]:
        waiting = self._waiting()
        return {name: tensor for name, tensor in super()._state().items() if name not in waiting}

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Save all in its order, and what waits as it is."""
        destination.update({prefix + name: tensor for name, tensor in super()._state().items()})
        super()._save_to_state_dict(destination, prefix, keep_vars)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool, missing_keys: list[str],
                              *lists: Any) -> None:  # fmt: skip
        """Take the shapes from the state; where it has none either, go on waiting."""
        for name, tensor in self._waiting().items():
            given = state_dict.get(prefix + name)
            if isinstance(given, UninitializedTensor):
                del state_dict[prefix + name]
            elif isinstance(given, Tensor):
                tensor.materialize(given.shape)
            elif strict:
                missing_keys.append(prefix + name)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, strict, missing_keys, *lists)

    def _apply(self, convert: Any, recurse: bool = True) -> Self:
        """Convert what waits as empty tensors, for their dtype."""
        waiting = {name: type(tensor) for name, tensor in self._waiting().items()}
        for name, cls in waiting.items():
            self._part(name).__class__ = cls.cls_to_become
        super()._apply(convert, recurse)
        for name, cls in waiting.items():
            self._part(name).__class__ = cls
        return self


class LazyLinear(LazyModuleMixin, Linear):
    """`Linear`, whose `in_features` is the last size of the first input; see `LazyModuleMixin`."""

    cls_to_become = Linear
    _inferred = "in_features"

    def _size_in(self, input: Tensor) -> int:
        return input.shape[-1]

    def _shape_of(self, name: str) -> tuple[int, ...]:
        return (self.out_features, self.in_features) if name == "weight" else (self.out_features,)


class _LazyConvNd(LazyModuleMixin, _ConvNd):
    """What lazy convolutions share.

    Raises
    ------
    RuntimeError
        If the input is neither one sample nor a batch.
    ValueError
        If its channels cannot be cut into the groups.
    """

    _inferred = "in_channels"

    def _size_in(self, input: Tensor) -> int:
        if input.ndim not in (self.ndim + 1, self.ndim + 2):
            raise RuntimeError(f"Expected {self.ndim + 1}D (unbatched) or {self.ndim + 2}D (batched) input to "
                               f"{type(self).__name__}, but got input of size: {input.shape}")
        channels = input.shape[-self.ndim - 1]
        if channels % self.groups:
            raise ValueError("in_channels must be divisible by groups")
        return channels

    def _shape_of(self, name: str) -> tuple[int, ...]:
        return self._weight_shape() if name == "weight" else (self.out_channels,)


class LazyConv1d(_LazyConvNd, Conv1d):
    """`Conv1d`, whose `in_channels` are those of the first input; see `LazyModuleMixin`."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyConvNd, Conv2d):
    """`Conv2d`, whose `in_channels` are those of the first input; see `LazyModuleMixin`."""

    cls_to_become = Conv2d


class LazyConvTranspose1d(_LazyConvNd, ConvTranspose1d):
    """`ConvTranspose1d`, whose `in_channels` are those of the first input; see `LazyModuleMixin`."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvNd, ConvTranspose2d):
    """`ConvTranspose2d`, whose `in_channels` are those of the first input; see `LazyModuleMixin`."""

    cls_to_become = ConvTranspose2d


class _LazyNormBase(LazyModuleMixin, _NormBase):
    """What lazy normalisations share: the defaults of batch normalisation, also for instance normalisation."""

    _inferred = "num_features"

    def __init__(
        self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True, track_running_stats: bool = True,
        device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:
        super().__init__(eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _size_in(self, input: Tensor) -> int:
        return input.shape[1]

    def _shape_of(self, name: str) -> tuple[int, ...]:
        return (self.num_features,)


class LazyBatchNorm1d(_LazyNormBase, BatchNorm1d):
    """`BatchNorm1d`, whose `num_features` are the channels of the first input; see `LazyModuleMixin`."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNormBase, BatchNorm2d):
    """`BatchNorm2d`, whose `num_features` are the channels of the first input; see `LazyModuleMixin`."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNormBase, BatchNorm3d):
    """`BatchNorm3d`, whose `num_features` are the channels of the first input; see `LazyModuleMixin`."""

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNormBase, InstanceNorm1d):
    """`InstanceNorm1d`, whose `num_features` are the channels of the first input; see `LazyModuleMixin`."""

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNormBase, InstanceNorm2d):
    """`InstanceNorm2d`, whose `num_features` are the channels of the first input; see `LazyModuleMixin`."""

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNormBase, InstanceNorm3d):
    """`InstanceNorm3d`, whose `num_features` are the channels of the first input; see `LazyModuleMixin`."""

    cls_to_become = InstanceNorm3d
