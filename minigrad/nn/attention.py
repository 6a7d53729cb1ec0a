"""`MultiheadAttention`: each element of a sequence collects from another sequence what fits it, with several heads at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

import numpy as np

from minigrad.autograd import wrap
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.layers import Linear
from minigrad.nn.module import Module
from minigrad.ops.shape import cat
from minigrad.tensors.tensor import Tensor

SEPARATE = ("q_proj_weight", "k_proj_weight", "v_proj_weight")


class NonDynamicallyQuantizableLinear(Linear):
    """A `Linear` under the name that torch prints."""


class MultiheadAttention(Module):
    """Attention of several heads: `scaled_dot_product_attention` of projections, and a projection of what they find.

    Parameters
    ----------
    embed_dim : int
        Features of queries and results; each head has ``embed_dim // num_heads`` of them.
    num_heads : int
        Number of heads.
    dropout : float
        Probability for `dropout` of the weights, in training.
    bias : bool
        Add biases in the projections.
    add_bias_kv : bool
        Add a key and a value that are learned.
    add_zero_attn : bool
        Add a key and a value of zeros.
    kdim, vdim : int, optional
        Features of keys and values. Default: `embed_dim`.
    batch_first : bool
        Inputs and result are (batch, length, features), instead of (length, batch, features).

    Attributes
    ----------
    in_proj_weight : Parameter of shape (3 · embed_dim, embed_dim), or None
        The projections of queries, keys and values. Where `kdim` or `vdim` differs, `q_proj_weight`, `k_proj_weight` and
        `v_proj_weight` take its place. From the same seed the first values are torch's.
    in_proj_bias : Parameter of shape (3 · embed_dim), or None
    out_proj : Linear
    bias_k, bias_v : Parameter of shape (1, 1, embed_dim), or None

    Raises
    ------
    ValueError
        If a size is not positive.
    AssertionError
        If the heads do not divide the features, as in torch.

    Examples
    --------
    >>> import minigrad as torch
    >>> attention, x = torch.nn.MultiheadAttention(8, 2), torch.zeros(5, 3, 8)
    >>> output, weights = attention(x, x, x)
    >>> output.shape, weights.shape
    (torch.Size([5, 3, 8]), torch.Size([3, 5, 5]))
    """

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
        device: Any = None, dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and "
                             f"num_heads={num_heads} instead")
        _expect(embed_dim % num_heads == 0, f"embed_dim must be divisible by num_heads, got {embed_dim} and {num_heads}")
        super().__init__()
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim, self.vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn
        one = self._qkv_same_embed_dim = self.kdim == self.vdim == embed_dim
        extra = (1, 1, embed_dim) if add_bias_kv else None
        shapes = {"in_proj_weight": (3 * embed_dim, embed_dim) if one else None}
        for name, size in zip(SEPARATE, (embed_dim, self.kdim, self.vdim), strict=True):
            shapes[name] = None if one else (embed_dim, size)
        shapes |= {"in_proj_bias": (3 * embed_dim,) if bias else None, "bias_k": extra, "bias_v": extra}  # type: ignore[dict-item]
        self._register_empty(device, dtype, **shapes)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, dtype=dtype)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for name, parameter in self._parameters.items():
            if parameter is not None:
                fill = init.xavier_uniform_ if "weight" in name else init.zeros_ if "in_proj" in name else init.xavier_normal_
                fill(parameter)
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None, need_weights: bool = True,
        attn_mask: Tensor | None = None, average_attn_weights: bool = True, is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Look up `query` in `key`, and give what stands under `value`.

        Parameters
        ----------
        query : Tensor of shape (queries, batch, embed_dim); see `batch_first`; or without `batch`, as the others then
        key, value : Tensor of shape (keys, batch, kdim), Tensor of shape (keys, batch, vdim)
        key_padding_mask : Tensor of shape (batch, keys), optional
            True for a key that nobody may look at; or a number that is added before the softmax.
        need_weights : bool
            Give the weights as well.
        attn_mask : Tensor of shape (queries, keys) or (batch · num_heads, queries, keys), optional
            True where a query must not look; or a number that is added before the softmax.
        average_attn_weights : bool
            Give the mean over the heads of the weights.
        is_causal : bool
            A hint that `attn_mask` is the one under which query i looks at keys 0 to i.

        Returns
        -------
        output : Tensor of shape (queries, batch, embed_dim), or as `query` is
        weights : Tensor of shape (batch, queries, keys), or (batch, num_heads, queries, keys), or None

        Raises
        ------
        AssertionError, RuntimeError
            If sizes or dtypes do not fit.
        """
        ndim = query.dim()
        for name, x in (("query", query), ("key", key), ("value", value)):
            _expect(x.dim() == ndim in (2, 3), f"query, key and value should be all 2-D or all 3-D, but {name} is {x.dim()}-D")
        if ndim == 2:
            query, key, value = (x.unsqueeze(1) for x in (query, key, value))
        elif self.batch_first:
            query, key, value = (x.transpose(0, 1) for x in (query, key, value))
        length, batch, features = query.shape
        _expect(features == self.embed_dim, f"was expecting embedding dimension of {self.embed_dim}, but got {features}")
        alike = 3 if self._qkv_same_embed_dim else 2
        _expect(key.shape[:alike] == value.shape[:alike], f"key shape {key.shape} does not match value shape {value.shape}")
        if is_causal and attn_mask is None:
            raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
        is_causal = is_causal and key_padding_mask is None and not need_weights
        mask = None if is_causal else self._merged(attn_mask, key_padding_mask, query, len(key), ndim == 3)

        q, k, v = self._projected(query, key, value)
        dropout = self.dropout if self.training else 0.0
        if need_weights:
            scores = q * self.head_dim**-0.5 @ k.transpose(-2, -1)
            weights = F.dropout(F.softmax(scores if mask is None else scores + mask, -1), dropout)
            found = weights @ v
            weights = weights.mean(1) if average_attn_weights else weights
        else:
            found, weights = F.scaled_dot_product_attention(q, k, v, mask, dropout, is_causal), None
        output = self.out_proj(found.permute(2, 0, 1, 3).reshape(length, batch, features))
        if ndim == 2:
            return output.squeeze(1), None if weights is None else weights.squeeze(0)
        return output.transpose(0, 1) if self.batch_first else output, weights

    def _projected(self, *inputs: Tensor) -> list[Tensor]:
        """Queries, keys and values of all heads, (batch, heads, length, features of a head)."""
        weights = self.in_proj_weight.chunk(3) if self._qkv_same_embed_dim else [self._part(name) for name in SEPARATE]
        biases = [None] * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        batch, found = inputs[0].shape[1], []
        for x, weight, bias, extra in zip(inputs, weights, biases, (None, self.bias_k, self.bias_v), strict=True):
            fits = self._qkv_same_embed_dim or x.shape[2] == weight.shape[1]
            _expect(fits, f"expecting {weight.shape[1]} features of a key or value, but got {x.shape[2]}")
            x = F.linear(x, weight, bias)
            x = x if extra is None else cat([x, extra.expand(1, batch, -1)])
            found.append(x.reshape(len(x), batch, self.num_heads, self.head_dim).permute(1, 2, 0, 3))
        return [found[0], *(F.pad(x, (0, 0, 0, 1)) if self.add_zero_attn else x for x in found[1:])]

    def _merged(
        self, attn_mask: Tensor | None, key_padding_mask: Tensor | None, query: Tensor, keys: int, batched: bool
    ) -> Tensor | None:
        """The sum of both masks as numbers, broadcast to (batch, heads, queries, keys); more keys may be looked at."""
        length, batch, _ = query.shape
        masks = []
        if attn_mask is not None:
            _expect(attn_mask.dim() in (2, 3), f"expected attn_mask to be 2-D or 3-D but found {attn_mask.dim()}-D")
            if attn_mask.shape not in ((length, keys), (batch * self.num_heads, length, keys)):
                raise RuntimeError(f"The shape of attn_mask is {attn_mask.shape}, but should be {(length, keys)} or "
                                   f"{(batch * self.num_heads, length, keys)}.")
            masks.append(attn_mask if attn_mask.dim() == 2 else attn_mask.reshape(batch, -1, length, keys))
        if key_padding_mask is not None:
            shape = (batch, keys) if batched else (keys,)
            _expect(key_padding_mask.shape == shape, f"expected key_padding_mask of shape {shape}, got {key_padding_mask.shape}")
            masks.append(key_padding_mask.reshape(batch, 1, 1, keys))
        merged = None
        for mask in masks:
            _expect(mask.is_floating_point() or mask.array.dtype == np.bool_, "only bool and floating types of masks are supported")
            if mask.array.dtype == np.bool_:
                mask = wrap(np.where(mask.array, -np.inf, 0).astype(query.array.dtype))
            merged = mask if merged is None else merged + mask
        added = (self.bias_k is not None) + self.add_zero_attn
        return merged if merged is None or not added else F.pad(merged, (0, added))


def _expect(condition: bool, sentence: str) -> None:
    if not condition:
        raise AssertionError(sentence)  # what torch raises here


class SDPBackend(Enum):
    """The ways in which torch computes `scaled_dot_product_attention`. Here there is one, which gives the same numbers."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextmanager
def sdpa_kernel(backends: SDPBackend | list[SDPBackend], set_priority: bool = False) -> Iterator[None]:
    """Allow some ways to compute `scaled_dot_product_attention`; torch has two of them on a CPU.

    Where neither `SDPBackend.MATH` nor `SDPBackend.FLASH_ATTENTION` is among them, calling the function is a RuntimeError.
    """
    if not isinstance(backends, SDPBackend | list):
        raise AssertionError(f"sdpa_kernel() expected an SDPBackend or a list of them, got {backends!r}")
    allowed = backends if isinstance(backends, list) else [backends]
    F.allowed_kernels.append({name for name in F.allowed_kernels[0] if SDPBackend[name] in allowed})
    try:
        yield
    finally:
        F.allowed_kernels.pop()
