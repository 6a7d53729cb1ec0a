"""`assert_close`, as `torch.testing` has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from minigrad.arrays.dtypes import DTYPES, promoted
from minigrad.autograd import unwrapped
from minigrad.tensors.tensor import Tensor

TOLERANCES = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}  # relative and absolute, by dtype


def assert_close(
    actual: Any, expected: Any, *, allow_subclasses: bool = True, rtol: float | None = None, atol: float | None = None,
    equal_nan: bool = False, check_device: bool = True, check_dtype: bool = True, check_layout: bool = True,
    check_stride: bool = False, msg: str | Callable[[str], str] | None = None,
) -> None:
    """Assert that tensors, numbers, or sequences and mappings of them are close.

    That is, each element of `actual` differs from that of `expected` by at most ``atol + rtol * abs(expected)``.

    Parameters
    ----------
    rtol, atol : float, optional
        How close, relative and absolute; both or none. Default: by the less exact dtype, and equal for integers.
    equal_nan : bool
        Whether nan equals nan.
    check_dtype, check_stride : bool
        Whether dtypes and strides must be the same as well.
    allow_subclasses, check_device, check_layout
        Taken for torch's sake: there is one device and one layout.
    msg : str or callable, optional
        What to say instead, or what to make of what is said.

    Raises
    ------
    AssertionError
        If they are not close; the message says how many elements, and by how much.
    TypeError
        If they cannot be compared.

    Examples
    --------
    >>> import minigrad as torch
    >>> assert_close(torch.ones(2), torch.ones(2) + 1e-7)
    """
    if (rtol is None) != (atol is None):
        raise ValueError(f"rtol and atol must both be specified or both be unspecified, got rtol={rtol} and atol={atol}")
    try:
        _Comparison(rtol, atol, equal_nan, check_dtype, check_stride).compare(actual, expected, "")
    except AssertionError as error:
        if msg is None:
            raise
        raise AssertionError(msg(str(error)) if callable(msg) else msg) from None


@dataclass
class _Comparison:
    """How things are compared; `place` says which part of them, ``['a'][0]`` for example."""

    rtol: float | None
    atol: float | None
    equal_nan: bool
    check_dtype: bool
    check_stride: bool

    def compare(self, a: Any, b: Any, place: str) -> None:
        """Compare two of any kind."""
        if isinstance(a, (Tensor, np.ndarray)) and isinstance(b, (Tensor, np.ndarray)):
            self.arrays(unwrapped(a), unwrapped(b), place)
        elif isinstance(a, (bool, int, float)) and isinstance(b, (bool, int, float)):
            self.numbers(a, b, place, *self.limits(*("float64" if isinstance(x, float) else "int64" for x in (a, b))))
        elif isinstance(a, Mapping) and isinstance(b, Mapping):
            if a.keys() != b.keys():
                _fail(place, "The keys of the mappings do not match:",
                      f"Missing keys in the actual mapping: {sorted(b.keys() - a.keys())}",
                      f"Additional keys in the actual mapping: {sorted(a.keys() - b.keys())}")
            for key in a:
                self.compare(a[key], b[key], f"{place}[{key!r}]")
        elif _is_sequence(a) and _is_sequence(b):
            if len(a) != len(b):
                _fail(place, f"The length of the sequences mismatch: {len(a)} != {len(b)}")
            for i, pair in enumerate(zip(a, b, strict=True)):
                self.compare(*pair, f"{place}[{i}]")
        elif a is not None or b is not None:
            raise TypeError(f"No comparison pair was able to handle inputs of type {type(a)} and {type(b)}.")

    def limits(self, *dtypes: Any) -> tuple[float, float]:
        """The tolerances, relative and absolute."""
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        by_dtype = [TOLERANCES.get(str(dtype), (0.0, 0.0)) for dtype in dtypes]
        return max(relative for relative, _ in by_dtype), max(absolute for _, absolute in by_dtype)

    def close(self, a: Any, b: Any, rtol: float, atol: float) -> tuple[Any, Any, Any]:
        """Whether elements are close; how far they are apart, and as a share of what is expected."""
        with np.errstate(all="ignore"):
            off = np.abs(a - b)
            close = (a == b) | (np.isfinite(off) & np.isfinite(b) & (off <= atol + rtol * np.abs(b)))
            share = np.divide(off, np.abs(b), dtype=np.float32 if off.ndim and off.dtype.kind == "i" else None)
        if self.equal_nan:
            close = close | ((a != a) & (b != b))
        return close, off, share

    def numbers(self, a: Any, b: Any, place: str, rtol: float, atol: float) -> None:
        """Compare two numbers."""
        close, off, share = self.close(np.asarray(a), np.asarray(b), rtol, atol)
        if not close:
            word, relative, absolute = _words(rtol, atol)
            _fail(place, f"Scalars are not {word}!", "", f"Expected {b} but got {a}.",
                  f"Absolute difference: {off.item()}{absolute}", f"Relative difference: {share.item()}{relative}")

    def arrays(self, a: Any, b: Any, place: str) -> None:
        """Compare the arrays of two tensors."""
        strides = [tuple(s // x.itemsize for s in x.strides) for x in (a, b)]
        for checked, what, ours, theirs in (
            (True, "shape", f"torch.Size({list(a.shape)})", f"torch.Size({list(b.shape)})"),
            (self.check_dtype, "dtype", DTYPES[a.dtype], DTYPES[b.dtype]), (self.check_stride, "stride()", *strides),
        ):
            if checked and str(ours) != str(theirs):
                _fail(place, f"The values for attribute {what!r} do not match: {ours} != {theirs}.")
        rtol, atol = self.limits(a.dtype, b.dtype)
        if not a.ndim:
            self.numbers(a.item(), b.item(), place, rtol, atol)
            return
        wide = np.int64 if a.dtype.kind in "iub" and b.dtype.kind in "iub" else promoted(a.dtype, b.dtype)
        close, off, share = self.close(a.astype(wide), b.astype(wide), rtol, atol)
        if close.all():
            return
        word, *allowed = _words(rtol, atol)
        lines = [f"Tensor-likes are not {word}!", "",
                 f"Mismatched elements: {(~close).sum()} / {close.size} ({100 * (~close).mean():.1f}%)"]  # fmt: skip
        for name, values, limit in (("absolute", off, allowed[1]), ("relative", share, allowed[0])):
            values = np.where(close, 0, values)
            worst = tuple(map(int, np.unravel_index(values.argmax(), values.shape)))
            lines.append(f"Greatest {name} difference: {values[worst].item()} at index {worst}{limit}")
        _fail(place, *lines)


def _is_sequence(x: Any) -> bool:
    return isinstance(x, Sequence) and not isinstance(x, str)


def _words(rtol: float, atol: float) -> tuple[str, str, str]:
    """What is not the case, and which differences are allowed."""
    return ("close", f" (up to {rtol} allowed)", f" (up to {atol} allowed)") if rtol or atol else ("equal", "", "")


def _fail(place: str, *lines: str) -> NoReturn:
    raise AssertionError("\n".join([*lines, *(["", f"The failure occurred for item {place}"] if place else [])]))
