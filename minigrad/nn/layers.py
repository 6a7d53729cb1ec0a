"""Layers: `Linear`, `Bilinear`, `Embedding`, those that change the shape, dropout, and distances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.module import FunctionModule, Module
from minigrad.nn.parameter import Parameter
from minigrad.ops.shape import flatten
from minigrad.tensors.creation import empty
from minigrad.tensors.tensor import Tensor


class Identity(Module):
    """Passes its input on; any arguments are taken and not used."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """The input."""
        return input


class Linear(Module):
    """``x @ weight.T + bias``, for x of shape (..., in_features).

    From the same seed, the first values are torch's: uniform numbers of ±1/√in_features.

    Parameters
    ----------
    in_features, out_features : int
        Sizes of the last dimension of input and result.
    bias : bool
        Add a bias.
    dtype : dtype, optional
        Of weight and bias. Default: the default dtype.

    Attributes
    ----------
    weight : Parameter of shape (out_features, in_features)
    bias : Parameter of shape (out_features), or None

    Raises
    ------
    TypeError, RuntimeError
        If a size is no integer, or negative.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self._register_empty(device, dtype, weight=(out_features, in_features), bias=(out_features,) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values for weight and bias."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))  # that is: uniform numbers of ±1/√in_features
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """``input @ weight.T + bias``."""
        return F.linear(input, self._part("weight"), self._part("bias"))

    def extra_repr(self) -> str:
        """Sizes, and whether there is a bias."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """``x1ᵀ A x2 + bias``, with a matrix A for each element of the result; see `functional.bilinear`.

    From the same seed, the first values are torch's: uniform numbers of ±1/√in1_features.

    Parameters
    ----------
    in1_features, in2_features, out_features : int
        Sizes of the last dimension of both inputs and of the result.
    bias : bool
        Add a bias.
    dtype : dtype, optional
        Of weight and bias. Default: the default dtype.

    Attributes
    ----------
    weight : Parameter of shape (out_features, in1_features, in2_features)
    bias : Parameter of shape (out_features), or None

    Raises
    ------
    ValueError
        If `in1_features` is not positive.
    """

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got (in1_features={in1_features})")
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        shape = (out_features, in1_features, in2_features)
        self._register_empty(device, dtype, weight=shape, bias=(out_features,) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values for weight and bias."""
        bound = 1 / math.sqrt(self.in1_features)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """The bilinear form of both inputs."""
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Sizes, and whether there is a bias."""
        return (f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
                f"bias={self.bias is not None}")


class Flatten(FunctionModule):
    """Dimensions `start_dim` to `end_dim` made one; the first, the batch, is left as it is unless told otherwise."""

    function = flatten

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__(start_dim, end_dim)


class Unflatten(Module):
    """Dimension `dim` cut into several, of the sizes in `unflattened_size`."""

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if isinstance(dim, str):
            raise NotImplementedError(f"Unflatten(): dim={dim!r}: named dimensions are not supported, give a number")
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError(f"unflattened_size must be a tuple of ints, but found type {type(unflattened_size).__name__}")
        for position, size in enumerate(unflattened_size):
            if not isinstance(size, int):
                raise TypeError(f"unflattened_size must be tuple of ints, but found element of type {type(size).__name__} "
                                f"at pos {position}")
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """The same elements in more dimensions."""
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        """Dimension and sizes."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class ChannelShuffle(FunctionModule):
    """Channels in another order, the first of each group in front; see `functional.channel_shuffle`."""

    function = F.channel_shuffle


class PixelShuffle(FunctionModule):
    """Channels moved into the image, which becomes `upscale_factor` times as high and wide; see `functional.pixel_shuffle`."""

    function = F.pixel_shuffle


class PixelUnshuffle(FunctionModule):
    """The inverse of `PixelShuffle`: an image smaller by `downscale_factor`, with more channels."""

    function = F.pixel_unshuffle


class _DropoutNd(Module):
    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p, self.inplace = p, inplace

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """In training, sets each element to 0 with probability `p` and divides the others by 1 - p."""

    def forward(self, input: Tensor) -> Tensor:
        """The input, with some elements dropped in training."""
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """`Dropout` of whole channels of an input of shape (n, channels, length), or (channels, length)."""

    def forward(self, input: Tensor) -> Tensor:
        """The input, with some channels dropped in training."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """`Dropout` of whole channels of images, of shape (n, channels, height, width)."""

    def forward(self, input: Tensor) -> Tensor:
        """The input, with some channels dropped in training."""
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """`Dropout` of whole channels of volumes, of shape (n, channels, depth, height, width)."""

    def forward(self, input: Tensor) -> Tensor:
        """The input, with some channels dropped in training."""
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """`Dropout` for networks with `SELU`, which keeps mean and variance; see `functional.alpha_dropout`.

    As in torch, `inplace` is only printed: the input stays as it is.
    """

    def forward(self, input: Tensor) -> Tensor:
        """The input, with some elements replaced in training."""
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """`AlphaDropout` of whole channels; again, `inplace` is only printed."""

    def forward(self, input: Tensor) -> Tensor:
        """The input, with some channels replaced in training."""
        return F.feature_alpha_dropout(input, self.p, self.training)


class Embedding(Module):
    """A table of vectors, to be looked up by integers.

    From the same seed, the first values are torch's: normal numbers.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Number of rows, and their length.
    padding_idx : int, optional
        A row that is made zero in the beginning and gets no gradient; negative numbers count from the end.
    max_norm, norm_type : float, optional
        Rows that are looked up are first scaled down, in place, until their `norm_type`-norm is at most `max_norm`.
    scale_grad_by_freq : bool
        Divide the gradient of each row by the number of times that it was looked up.
    _weight : Tensor, optional
        The table, where it exists already.
    _freeze : bool
        The table needs no gradient.

    Attributes
    ----------
    weight : Parameter of shape (num_embeddings, embedding_dim)

    Raises
    ------
    AssertionError
        If there is no row `padding_idx`, or the table has another shape.
    NotImplementedError
        For ``sparse=True``.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False, _weight: Tensor | None = None,
        _freeze: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:
        super().__init__()
        if sparse:
            raise NotImplementedError("Embedding(): sparse=True is not supported, gradients are dense")
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise AssertionError(f"Padding_idx must be within num_embeddings, got {padding_idx} for {num_embeddings}")
        if _weight is not None and _weight.shape != (num_embeddings, embedding_dim):
            raise AssertionError("Shape of weight does not match num_embeddings and embedding_dim, got "
                                 f"{list(_weight.shape)} for {num_embeddings} and {embedding_dim}")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.max_norm, self.norm_type, self.scale_grad_by_freq = max_norm, norm_type, scale_grad_by_freq
        table = empty(num_embeddings, embedding_dim, dtype=dtype, device=device) if _weight is None else _weight
        self.weight = Parameter(table, requires_grad=not _freeze)
        if _weight is None:
            self.reset_parameters()

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
    ) -> Embedding:
        """A module around a table that exists already."""
        if embeddings.ndim != 2:
            raise AssertionError(f"Embeddings parameter is expected to be 2-dimensional, got shape {list(embeddings.shape)}")
        return cls(*embeddings.shape, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, embeddings, freeze)  # type: ignore[call-arg]

    def reset_parameters(self) -> None:
        """Draw a new table."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.array[self.padding_idx] = 0

    def forward(self, input: Tensor) -> Tensor:
        """The rows that the integers name, of shape (*input.shape, embedding_dim)."""
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq)

    def extra_repr(self) -> str:
        """Sizes, and the options that are not the usual ones."""
        usual = {"padding_idx": None, "max_norm": None, "norm_type": 2, "scale_grad_by_freq": False}
        options = [f", {name}={getattr(self, name)}" for name, value in usual.items() if getattr(self, name) != value]
        return f"{self.num_embeddings}, {self.embedding_dim}" + "".join(options)


class CosineSimilarity(FunctionModule):
    """The cosine of the angle between two tensors along `dim`; see `functional.cosine_similarity`."""

    function = F.cosine_similarity
    inputs = 2
    hidden = ("dim", "eps")


class PairwiseDistance(Module):
    """The p-norm of the difference of two tensors along the last dimension; see `functional.pairwise_distance`."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """The distance of each pair of rows."""
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
