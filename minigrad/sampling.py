"""Random tensors, under torch's names: `rand`, `randn`, `randperm` …

The numbers themselves are drawn in `minigrad.random`, from torch's own streams: the same seed gives the same tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import random
from minigrad.autograd import TensorBase, raw, wrap
from minigrad.ops.shape import sizes_of
from minigrad.types import as_dtype, check_device, get_default_dtype

if TYPE_CHECKING:
    from minigrad.tensor import Tensor


def _finished(array: Any, requires_grad: bool) -> Tensor:
    result = wrap(array)
    if requires_grad:
        result.requires_grad = True
    return result


def _kind(dtype: Any, default: Any = None) -> np.dtype[Any]:
    return as_dtype(dtype).numpy if dtype is not None else default or get_default_dtype().numpy


def rand(*size: Any, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Uniform numbers in [0, 1), in a tensor of the given sizes."""
    check_device(device)
    return _finished(random.uniform(sizes_of(size), _kind(dtype), generator=generator), requires_grad)


def randn(*size: Any, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Normal numbers of mean 0 and standard deviation 1, in a tensor of the given sizes.

    Examples
    --------
    >>> import minigrad as torch
    >>> _ = torch.manual_seed(1)
    >>> torch.randn(3)
    tensor([0.6614, 0.2669, 0.0617])
    """
    check_device(device)
    return _finished(random.normal(sizes_of(size), _kind(dtype), generator=generator), requires_grad)


def randint(low: int, high: Any = None, size: Any = None, *, generator: Any = None, dtype: Any = None, device: Any = None,
            requires_grad: bool = False) -> Tensor:
    """Integers from `low` (0 if left out) up to, not with, `high`: ``randint(10, (3,))`` or ``randint(5, 10, (3,))``."""
    check_device(device)
    if size is None:
        low, high, size = 0, low, high
    return _finished(random.randint(low, high, sizes_of((size,)), _kind(dtype, np.dtype(np.int64)), generator), requires_grad)


def randperm(n: int, *, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The integers from 0 to n - 1 in random order."""
    check_device(device)
    return _finished(random.randperm(n, generator).astype(_kind(dtype, np.dtype(np.int64)), copy=False), requires_grad)


def normal(mean: Any, std: Any = 1.0, size: Any = None, *, generator: Any = None, dtype: Any = None) -> Tensor:
    """Normal numbers; `mean` and `std` are tensors, which are broadcast, or numbers with a `size`."""
    if size is not None:
        return wrap(random.normal(sizes_of((size,)), _kind(dtype), mean, std, generator))
    shape = np.broadcast_shapes(np.shape(raw(mean)), np.shape(raw(std)))
    kind = next((raw(v).dtype for v in (mean, std) if isinstance(v, TensorBase)), None)
    if kind is None:
        raise TypeError("normal(): mean and std are both numbers; give a size, too, as in normal(0.0, 1.0, (3, 4))")
    if np.min(raw(std), initial=0) < 0:
        raise RuntimeError(f"normal expects all elements of std >= 0.0, got {np.min(raw(std))}")
    drawn = random.normal(shape, kind, generator=generator)
    return wrap((drawn * raw(std) + raw(mean)).astype(kind))


def bernoulli(input: Tensor, p: float | None = None, *, generator: Any = None) -> Tensor:
    """Ones with the probabilities in `input`, or all with probability `p`, else zeros; of the shape and dtype of `input`."""
    if p is not None:
        return wrap(random.bernoulli(p, input.array.shape, input.array.dtype, generator))
    return wrap(random.bernoulli(input.array, dtype=input.array.dtype, generator=generator))


def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Tensor:
    """Indices drawn with probabilities proportional to the rows of `input`."""
    return wrap(random.multinomial(input.array, num_samples, replacement, generator))


def _like(function: Callable[..., Tensor], input: Tensor, dtype: Any, options: Any, *before: Any) -> Tensor:
    return function(*before, input.array.shape, dtype=input.array.dtype if dtype is None else dtype, **options)


def rand_like(input: Tensor, *, dtype: Any = None, **options: Any) -> Tensor:
    """`rand` in the shape and dtype of `input`."""
    return _like(rand, input, dtype, options)


def randn_like(input: Tensor, *, dtype: Any = None, **options: Any) -> Tensor:
    """`randn` in the shape and dtype of `input`."""
    return _like(randn, input, dtype, options)


def randint_like(input: Tensor, low: int, high: Any = None, *, dtype: Any = None, **options: Any) -> Tensor:
    """`randint` in the shape and dtype of `input`."""
    low, high = (0, low) if high is None else (low, high)
    return _like(randint, input, dtype, options, low, high)


def get_rng_state() -> Tensor:
    """The state of the default generator, as torch's 5056 bytes."""
    return wrap(random.get_rng_state())
