"""Sequences of different lengths as one tensor: padded to the same length, or packed, without the padding.

A packed batch holds, moment by moment, the elements of all sequences that last so long, longest sequence first. So the
sequences ``abc`` and ``x`` are packed as ``axbc``, with the batch sizes 2, 1, 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from minigrad.autograd import raw, unwrapped, wrap
from minigrad.ops.indexing import pad
from minigrad.ops.shape import stack
from minigrad.tensors.tensor import Tensor


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """A packed batch; made by `pack_padded_sequence` and `pack_sequence`, taken and given by recurrent layers.

    Attributes
    ----------
    data : Tensor
        The elements of all sequences, without padding.
    batch_sizes : int64 Tensor
        How many sequences there are at each moment.
    sorted_indices, unsorted_indices : int64 Tensor or None
        Which sequence of the batch comes first, second ... when sorted by length, and the way back.
    """

    __slots__ = ()

    def __new__(
        cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None, unsorted_indices: Any = None
    ) -> PackedSequence:
        """Make one; `data` may be a pair of data and batch sizes."""
        if batch_sizes is None:
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with `data` converted, as `Tensor.to` does."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    def cpu(self) -> PackedSequence:
        """The packed batch itself: it is on the CPU."""
        return self

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Not possible: minigrad computes on the CPU only."""
        return self.to(device="cuda")

    def double(self) -> PackedSequence:
        """The same with `data` in float64."""
        return self.to(self.data.double().dtype)

    def float(self) -> PackedSequence:
        """The same with `data` in float32."""
        return self.to(self.data.float().dtype)

    def half(self) -> PackedSequence:
        """The same with `data` in float16."""
        return self.to(self.data.half().dtype)

    def long(self) -> PackedSequence:
        """The same with `data` in int64."""
        return self.to(self.data.long().dtype)

    @property
    def is_cuda(self) -> bool:
        """False."""
        return False


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another."""
    return None if permutation is None else wrap(np.argsort(permutation.array))


def pack_padded_sequence(input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True) -> PackedSequence:
    """Pack a padded batch.

    Parameters
    ----------
    input : Tensor of shape (length, batch, ...), or (batch, length, ...) if `batch_first`
        The sequences, padded at the end.
    lengths : Tensor or sequence of int
        How many elements of each sequence count.
    enforce_sorted : bool
        Refuse sequences that are not sorted by length, the longest first. Otherwise they are sorted here.

    Raises
    ------
    RuntimeError
        If lengths are not positive, not sorted, longer than `input`, or of another number.

    Examples
    --------
    >>> import minigrad as torch
    >>> pack_padded_sequence(torch.tensor([[1, 2, 3], [4, 0, 0]]), [3, 1], batch_first=True).data
    tensor([1, 4, 2, 3])
    """
    sizes = np.asarray(unwrapped(lengths), np.int64)
    order = None if enforce_sorted else np.argsort(-sizes, kind="stable")
    x = input.transpose(0, 1) if batch_first else input
    if sizes.shape != x.shape[1:2] or not x.numel():
        raise RuntimeError("Expected `lengths` to hold one number for each of the sequences in an input that is not empty, but got "
                           f"{sizes.tolist()} for an input of shape {list(input.shape)}, batch_first={batch_first}")
    if order is not None:
        sizes = sizes[order]
    if (np.diff(sizes) > 0).any():
        raise RuntimeError("`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
                           "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement.")
    if not 0 < sizes[-1] <= sizes[0] <= len(x):
        raise RuntimeError("Length of all samples has to be greater than 0, and at most that of the input, but got "
                           f"{sizes.tolist()} for a length of {len(x)}")
    counts = (np.arange(sizes[0])[:, None] < sizes).sum(1)
    columns = np.arange(len(sizes)) if order is None else order
    places = np.concatenate([moment * len(sizes) + columns[:count] for moment, count in enumerate(counts)])
    data = x.flatten(0, 1).index_select(0, wrap(places))
    return PackedSequence(data, wrap(counts), None if order is None else wrap(order))


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """Undo `pack_padded_sequence`.

    Parameters
    ----------
    sequence : PackedSequence
    batch_first : bool
        The result is (batch, length, ...), instead of (length, batch, ...).
    padding_value : float
        What is put after the shorter sequences.
    total_length : int, optional
        The length of the result. Default: that of the longest sequence.

    Returns
    -------
    padded, lengths : Tensor, int64 Tensor

    Raises
    ------
    ValueError
        If a sequence is longer than `total_length`.
    """
    data, counts, _, back = sequence
    length = len(counts) if total_length is None else total_length
    if length < len(counts):
        raise ValueError("Expected total_length to be at least the length of the longest sequence in input, but got "
                         f"total_length={total_length} and max sequence length being {len(counts)}")
    sizes = np.zeros(length, np.int64)
    sizes[: len(counts)] = counts.array
    columns = np.arange(sizes[0]) if back is None else back.array
    outside = columns >= sizes[:, None]  # (length, batch)
    places = np.where(outside, 0, (np.cumsum(sizes) - sizes)[:, None] + columns)
    padded = data.index_select(0, wrap(places.reshape(-1))).unflatten(0, places.shape)
    padded = padded.masked_fill(wrap(outside.reshape(*outside.shape, *[1] * (data.ndim - 1))), padding_value)
    return padded.transpose(0, 1) if batch_first else padded, wrap((~outside).sum(0))


def pad_sequence(
    sequences: Iterable[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Stack sequences of different lengths, the shorter ones padded.

    Parameters
    ----------
    sequences : iterable of Tensor of shape (length, ...)
        They differ in length only.
    batch_first : bool
        The result is (batch, length, ...), instead of (length, batch, ...).
    padding_value : float
        What the shorter sequences are padded with.
    padding_side : str
        "right" or "left".

    Raises
    ------
    RuntimeError
        If there is no sequence, they differ otherwise, or `padding_side` is neither.

    Examples
    --------
    >>> import minigrad as torch
    >>> pad_sequence([torch.tensor([1, 2, 3]), torch.tensor([4])], batch_first=True)
    tensor([[1, 2, 3],
            [4, 0, 0]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}")
    listed = list(sequences)
    if not listed:
        raise RuntimeError("pad_sequence(): received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    shapes = [raw(sequence).shape for sequence in listed]
    if any(not shape or shape[1:] != shapes[0][1:] for shape in shapes):
        raise RuntimeError("pad_sequence(): the sequences must have one shape, apart from their length, got "
                           f"{[list(shape) for shape in shapes]}")
    length = max(shape[0] for shape in shapes)
    padded = []
    for sequence in listed:
        around = (length - len(sequence), 0) if padding_side == "left" else (0, length - len(sequence))
        padded.append(pad(sequence.to(listed[0].dtype), (*[0] * (2 * sequence.ndim - 2), *around), value=padding_value))
    return stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """Undo `pad_sequence`: the first elements of each sequence, as many as `lengths` says."""
    padded = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [sequence[:length] for sequence, length in zip(padded, lengths.tolist(), strict=True)]


def pack_sequence(sequences: list[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences of different lengths: `pad_sequence`, then `pack_padded_sequence`."""
    return pack_padded_sequence(pad_sequence(sequences), [len(each) for each in sequences], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Undo `pack_sequence`."""
    return unpad_sequence(*pad_packed_sequence(packed_sequences, batch_first=True), batch_first=True)
