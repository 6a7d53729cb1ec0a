"""Makes one batch of a list of samples: stacks numbers, arrays and tensors, and keeps the structure around them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from minigrad.arrays.dtypes import float64
from minigrad.autograd import TensorBase
from minigrad.ops.shape import stack
from minigrad.tensors.creation import as_tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """Make one batch of samples, with a new first dimension.

    Parameters
    ----------
    batch : sequence
        The samples: tensors, NumPy arrays (both are stacked), numbers (a tensor of them; float64 for floats),
        strings and bytes (left as they are), or mappings, named tuples, tuples (a list comes out), other sequences of
        these.

    Raises
    ------
    TypeError
        If the samples are something else.
    RuntimeError
        If sequences differ in length, or tensors in shape.

    Examples
    --------
    >>> default_collate([(1, "one"), (2, "two")])
    [tensor([1, 2]), ('one', 'two')]
    >>> default_collate([{"x": 0.5}, {"x": 1.5}])
    {'x': tensor([0.5000, 1.5000], dtype=torch.float64)}
    """
    sample = batch[0]
    if isinstance(sample, TensorBase):
        return stack(list(batch))
    if isinstance(sample, np.ndarray):
        if sample.dtype.kind in "SUO":
            raise _refused(f"an array of {sample.dtype}")
        return stack([as_tensor(array) for array in batch])
    if isinstance(sample, (int, float, np.bool_, np.number)):
        return as_tensor(batch, dtype=float64 if type(sample) is float else None)
    if isinstance(sample, (str, bytes)):
        return batch
    if isinstance(sample, Mapping):
        return _like(sample, {key: default_collate([d[key] for d in batch]) for key in sample})
    if isinstance(sample, Sequence):
        if any(len(other) != len(sample) for other in batch):
            sizes = sorted({len(other) for other in batch})
            raise RuntimeError(f"each element in list of batch should be of equal size, got sizes {sizes}")
        return _like(sample, [default_collate(column) for column in zip(*batch, strict=True)])
    raise _refused(type(sample))


def default_convert(data: Any) -> Any:
    """What the loader does to samples that come one by one: NumPy arrays and numbers become tensors, the rest stays."""
    if isinstance(data, TensorBase):
        return data
    if isinstance(data, (np.ndarray, np.bool_, np.number)):
        return data if data.dtype.kind in "SUO" else as_tensor(data)
    if isinstance(data, Mapping):
        return _like(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _like(data, [default_convert(value) for value in data])
    return data


def _refused(what: Any) -> TypeError:
    return TypeError(f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {what}; "
                     "pass a collate_fn of your own")


def _like(sample: Any, values: Any) -> Any:
    """A container of the type of `sample`, with its attributes but other values; a dict or list if it does not allow that."""
    if isinstance(sample, tuple):
        make: Any = type(sample)
        return make(*values) if hasattr(sample, "_fields") else values  # a plain tuple becomes a list, as in torch
    try:
        if not isinstance(sample, (MutableMapping, MutableSequence)):
            return type(sample)(values)
        clone: Any = copy.copy(sample)
        for key, value in values.items() if isinstance(values, dict) else enumerate(values):
            clone[key] = value
        return clone
    except TypeError:
        return values
