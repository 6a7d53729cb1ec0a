"""Random tensors, under torch's names: `rand`, `randn`, `randperm` …

The numbers themselves are drawn in `minigrad.random`, from torch's own streams: the same seed gives the same tensors.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import random
from minigrad.arrays.dtypes import check_device
from minigrad.arrays.layout import memory_options
from minigrad.arrays.memory import allocating
from minigrad.autograd import TensorBase, unwrapped, wrap
from minigrad.autograd.views import as_it_lies, empty_in_order_of
from minigrad.tensors.creation import numpy_dtype, sized
from minigrad.tensors.inplace import constant

if TYPE_CHECKING:
    from minigrad.tensors.tensor import Tensor


@memory_options
@allocating
def rand(*sizes: Any, size: Any = None, generator: Any = None, dtype: Any = None, device: Any = None,
         requires_grad: bool = False) -> Tensor:
    """Uniform numbers in [0, 1), in a tensor of the given sizes: ``rand(2, 3)`` or ``rand((2, 3))``."""
    kind = _kind(dtype, device, requires_grad)
    return wrap(random.uniform(sized("rand", sizes, size), kind, generator=generator), requires_grad)


@memory_options
@allocating
def randn(*sizes: Any, size: Any = None, generator: Any = None, dtype: Any = None, device: Any = None,
          requires_grad: bool = False) -> Tensor:
    """Normal numbers of mean 0 and standard deviation 1, in a tensor of the given sizes.

    Examples
    --------
    >>> import minigrad as torch
    >>> _ = torch.manual_seed(1)
    >>> torch.randn(3)
    tensor([0.6614, 0.2669, 0.0617])
    """
    kind = _kind(dtype, device, requires_grad)
    return wrap(random.normal(sized("randn", sizes, size), kind, generator=generator), requires_grad)


@memory_options
@allocating
def randint(low: int = 0, high: Any = None, size: Any = None, *, generator: Any = None, dtype: Any = None, device: Any = None,
            requires_grad: bool = False) -> Tensor:
    """Integers from `low` (0 if left out) up to, not with, `high`: ``randint(10, (3,))`` or ``randint(5, 10, (3,))``."""
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"randint() expects a tuple of sizes, as in randint(10, (3,)), but got {type(size).__name__}")
    kind = _kind(dtype, device, requires_grad, np.dtype(np.int64))
    return wrap(random.randint(low, high, sized("randint", (size,)), kind, generator), requires_grad)


@memory_options
@allocating
def randperm(n: int, *, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """The integers from 0 to n - 1 in random order.

    Raises
    ------
    RuntimeError
        If `n` is negative, or `dtype` does not hold all of the integers.
    """
    kind = _kind(dtype, device, requires_grad, np.dtype(np.int64))
    if kind.kind == "b":
        raise NotImplementedError("randperm is not implemented for bool")
    if operator.index(n) - 1 > random.integers_of(kind)[1]:
        raise RuntimeError(f"randperm: the integers from 0 to {n - 1} do not all fit {kind}")
    sized("randperm", (n,))
    return wrap(random.randperm(operator.index(n), generator).astype(kind, copy=False), requires_grad)


@memory_options
@allocating
def normal(mean: Any, std: Any = 1.0, size: Any = None, *, generator: Any = None, dtype: Any = None, device: Any = None,
           requires_grad: bool = False) -> Tensor:
    """Normal numbers; `mean` and `std` are tensors, which are broadcast, or both are numbers, and there is a `size`.

    Raises
    ------
    RuntimeError
        If a standard deviation is negative, or `mean` and `std` do not broadcast.
    """
    given = [t for t in (mean, std) if isinstance(t, TensorBase)]
    if bool(given) == (size is not None):
        raise TypeError("normal() expects tensors, or two numbers and a size, as in normal(0.0, 1.0, (3, 4))")
    if not given:
        kind = _kind(dtype, device, requires_grad)
        return wrap(random.normal(sized("normal", (size,)), kind, mean, std, generator), requires_grad)
    if not np.all(unwrapped(std) >= 0):
        raise RuntimeError(f"normal expects all elements of std >= 0, but got {unwrapped(std)}")
    try:
        shape = np.broadcast_shapes(*(t.array.shape for t in given))
    except ValueError:
        raise RuntimeError(f"normal: mean of shape {mean.array.shape} and std of shape {std.array.shape} "
                           "do not broadcast") from None
    kind = given[0].array.dtype
    if isinstance(std, TensorBase):
        drawn = random.normal(shape, kind, generator=generator) * std.array
    else:
        drawn = random.normal(shape, kind, 0, std, generator)
    name = f"NormalBackward{isinstance(mean, TensorBase) + 2 * isinstance(std, TensorBase)}"  # torch's; the node passes zeros on
    return constant(*given, array=(drawn + unwrapped(mean)).astype(kind), name=name)


@allocating
def bernoulli(input: Tensor, p: float | None = None, *, generator: Any = None) -> Tensor:
    """Ones with the probabilities in `input`, or all with probability `p`, else zeros; of the shape and dtype of `input`."""
    array = input.array
    drawn = random.bernoulli(array if p is None else p, array.shape, array.dtype, generator)
    return constant(input, array=drawn, name="BernoulliBackward0")


@allocating
def poisson(input: Tensor, generator: Any = None) -> Tensor:
    """A number of each Poisson distribution of the rates in `input`, in its dtype."""
    if input.array.dtype.kind != "f":
        raise NotImplementedError(f"poisson(): not implemented for {input.dtype}; convert the rates, as in x.float()")
    return constant(input, array=random.poisson(input.array, generator), name="PoissonBackward0")


@allocating
def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Tensor:
    """Indices drawn with probabilities proportional to the rows of `input`."""
    return wrap(random.multinomial(input.array, operator.index(num_samples), replacement, generator))


# ---- in the shape of another tensor --------------------------------------------------------------------------------------


@memory_options
@allocating
def rand_like(input: Tensor, *, generator: Any = None, dtype: Any = None, device: Any = None,
              requires_grad: bool = False) -> Tensor:
    """`rand` in the shape, dtype and order in memory of `input`."""
    return as_it_lies(wrap(random.uniform_(_empty_like(input, dtype, device, requires_grad), generator=generator), requires_grad))


@memory_options
@allocating
def randn_like(input: Tensor, *, generator: Any = None, dtype: Any = None, device: Any = None,
               requires_grad: bool = False) -> Tensor:
    """`randn` in the shape, dtype and order in memory of `input`."""
    return as_it_lies(wrap(random.normal_(_empty_like(input, dtype, device, requires_grad), generator=generator), requires_grad))


@memory_options
@allocating
def randint_like(input: Tensor, low: int, high: Any = None, *, generator: Any = None, dtype: Any = None, device: Any = None,
                 requires_grad: bool = False) -> Tensor:
    """`randint` in the shape, dtype and order in memory of `input`."""
    low, high = (0, low) if high is None else (low, high)
    return as_it_lies(wrap(random.randint_(_empty_like(input, dtype, device, requires_grad), low, high, generator), requires_grad))


def _empty_like(input: Tensor, dtype: Any, device: Any, requires_grad: bool) -> np.ndarray[Any, Any]:
    return empty_in_order_of(input, _kind(dtype, device, requires_grad, input.array.dtype))


# ---- arguments -----------------------------------------------------------------------------------------------------------


def _kind(dtype: Any, device: Any, requires_grad: bool, default: Any = None) -> np.dtype[Any]:
    """The NumPy dtype to draw; refuses what cannot be, before anything is drawn."""
    check_device(device)
    kind = numpy_dtype(dtype, default)
    if requires_grad and kind.kind != "f":
        raise RuntimeError(f"only tensors of floating-point dtype can require gradients, not {kind}")
    return kind
