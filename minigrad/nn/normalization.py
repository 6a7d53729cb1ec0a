"""The normalisations of `functional` as modules, which hold the parameters and the running values. See there for formulas."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from minigrad.arrays.dtypes import int64
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensors.creation import ones, tensor, zeros
from minigrad.tensors.tensor import Tensor


class _Norm(Module):
    """What they share: a weight and a bias, which begin as ones and zeros."""

    weight: Parameter | None
    bias: Parameter | None

    def _make_parameters(self, shape: Any, weight: bool, bias: bool, **kind: Any) -> None:
        self.register_parameter("weight", Parameter(ones(shape, **kind)) if weight else None)
        self.register_parameter("bias", Parameter(zeros(shape, **kind)) if bias else None)

    def reset_parameters(self) -> None:
        """Fill the weight with ones and the bias with zeros."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class _NormBase(_Norm):
    """What batch and instance normalisation share, for inputs of shape (n, num_features, ...).

    Parameters
    ----------
    num_features : int
        Number of channels.
    eps : float
        Added to the variance before its square root is taken.
    momentum : float or None
        How much a batch counts for in the running values; None for their plain average over all batches.
    affine : bool
        Learn a weight and, unless `bias` is False, a bias for each channel.
    track_running_stats : bool
        Keep running values in training, to be used in evaluation; otherwise, batches are always normalised by their own.

    Attributes
    ----------
    weight, bias : Parameter of shape (num_features), or None
    running_mean, running_var : Tensor of shape (num_features), or None
    num_batches_tracked : int64 Tensor, or None

    Raises
    ------
    ValueError
        If the input has another number of dimensions, or in training one value per channel.
    """

    _version = 2  # since 2 the batches are counted
    _ndims: tuple[int, ...]
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self._make_parameters(num_features, affine, affine and bias, device=device, dtype=dtype)
        values = zeros(num_features, dtype=dtype), ones(num_features, dtype=dtype), tensor(0, dtype=int64)
        for name, value in zip(("running_mean", "running_var", "num_batches_tracked"), values, strict=True):
            self.register_buffer(name, value if track_running_stats else None)

    def reset_running_stats(self) -> None:
        """Forget all batches."""
        for buffer, value in ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)):
            if buffer is not None:
                init.constant_(buffer, value)

    def reset_parameters(self) -> None:
        """Forget what was learned, and all batches."""
        self.reset_running_stats()
        super().reset_parameters()

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *lists: Any) -> None:
        """Load the module; a state from before batches were counted leaves their number as it is."""
        if local_metadata.get("version", 1) < 2 and self.num_batches_tracked is not None:
            state_dict.setdefault(f"{prefix}num_batches_tracked", self.num_batches_tracked)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *lists)

    def extra_repr(self) -> str:
        """The options."""
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
                f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}")


class _BatchNorm(_NormBase):
    """Batch normalisation (Ioffe and Szegedy, 2015); parameters and attributes as in `_NormBase`."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise each channel."""
        if input.ndim not in self._ndims:
            raise ValueError(f"expected {' or '.join(f'{n}D' for n in self._ndims)} input (got {input.ndim}D input)")
        momentum, running, count = self.momentum, (self.running_mean, self.running_var), self.num_batches_tracked
        own = self.training or running == (None, None)  # values of the batch itself
        if self.training and not self.track_running_stats:
            running = (None, None)
        elif self.training and count is not None:
            count.add_(1)
            momentum = 1 / float(count) if momentum is None else momentum
        return F.batch_norm(input, *running, self.weight, self.bias, own, momentum or 0.0, self.eps)


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of inputs of shape (n, num_features) or (n, num_features, length); see `_BatchNorm`."""

    _ndims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images, of shape (n, num_features, height, width); see `_BatchNorm`."""

    _ndims = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of volumes, of shape (n, num_features, depth, height, width); see `_BatchNorm`."""

    _ndims = (5,)


class _InstanceNorm(_NormBase):
    """Instance normalisation (Ulyanov et al., 2016): each channel of each sample by itself.

    Parameters and attributes are those of `_NormBase`; there is no weight and no bias unless `affine`, and batches are not
    tracked unless `track_running_stats`. An input of one dimension less is one sample.

    Raises
    ------
    ValueError
        If the input has another number of dimensions, or, with `affine`, of channels.
    """

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = False,
        track_running_stats: bool = False, device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise each channel of each sample."""
        alone, whole = self._ndims
        if input.ndim not in self._ndims:
            raise ValueError(f"expected {alone}D or {whole}D input (got {input.ndim}D input)")
        dim = input.ndim - alone
        if input.shape[dim] != self.num_features:
            problem = f"input's size at dim={dim} does not match num_features ({self.num_features}): {input.shape[dim]}"
            if self.affine:
                raise ValueError(problem)
            warnings.warn(f"{problem}. You can silence this warning by not passing in num_features, which is not used because "
                          "affine=False", stacklevel=2)
        own = self.training or not self.track_running_stats
        x = input if dim else input.unsqueeze(0)
        x = F.instance_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, own, self.momentum or 0.0, self.eps)
        return x if dim else x.squeeze(0)


class InstanceNorm1d(_InstanceNorm):
    """Instance normalisation of signals, of shape (n, num_features, length); see `_InstanceNorm`."""

    _ndims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Instance normalisation of images, of shape (n, num_features, height, width); see `_InstanceNorm`."""

    _ndims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Instance normalisation of volumes, of shape (n, num_features, depth, height, width); see `_InstanceNorm`."""

    _ndims = (4, 5)


class LayerNorm(_Norm):
    """Layer normalisation (Ba, Kiros and Hinton, 2016), over the last dimensions.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The last dimensions of the input.
    eps : float
        Added to the variance before its square root is taken.
    elementwise_affine : bool
        Learn a weight and, unless `bias` is False, a bias of this shape.
    """

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._make_parameters(self.normalized_shape, elementwise_affine, elementwise_affine and bias, device=device, dtype=dtype)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise over the last dimensions."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The options."""
        return (f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
                f"bias={self.bias is not None}")


class RMSNorm(LayerNorm):
    """Root mean square normalisation (Zhang and Sennrich, 2019): `LayerNorm` without mean and bias.

    With ``eps=None`` it is what separates 1 from the next number.
    """

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float | None = None, elementwise_affine: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:
        super().__init__(normalized_shape, eps, elementwise_affine, False, device, dtype)  # type: ignore[arg-type]

    def forward(self, input: Tensor) -> Tensor:
        """Divide by the root of the mean square over the last dimensions."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The options."""
        return super().extra_repr().rpartition(", ")[0]


class GroupNorm(_Norm):
    """Group normalisation (Wu and He, 2018) of inputs of shape (n, num_channels, ...), sample by sample.

    Parameters
    ----------
    num_groups, num_channels : int
        Each group of num_channels / num_groups neighbouring channels is normalised by itself.
    eps : float
        Added to the variance before its square root is taken.
    affine : bool
        Learn a weight and, unless `bias` is False, a bias for each channel.

    Raises
    ------
    ValueError
        If the channels cannot be divided into so many groups.
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, device: Any = None,
        dtype: Any = None, *, bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self._make_parameters(num_channels, affine, affine and bias, device=device, dtype=dtype)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise each group of channels."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The options."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, bias={self.bias is not None}"


class LocalResponseNorm(Module):
    """Normalisation over neighbouring channels; see `functional.local_response_norm`."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        """Normalise each place over its channels."""
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """The options."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
