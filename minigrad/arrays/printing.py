"""The text of a tensor: digits, columns, line breaks and suffixes as torch prints them.

Nothing here knows tensors: `format_tensor` takes a NumPy array and the few names that surround it, so that the tensor
class only has to pass what it holds. It works in three steps. `_corner` keeps the elements that will be shown,
`_texts` writes each of them, all equally wide, and `_nest` sets them in brackets and lines.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

__all__ = ["format_tensor", "get_printoptions", "printoptions", "set_printoptions"]


_DEFAULT: dict[str, Any] = {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": None}  # torch's
_PROFILES = {"default": _DEFAULT, "short": _DEFAULT | {"precision": 2, "edgeitems": 2}, "full": _DEFAULT | {"threshold": math.inf}}

_options = SimpleNamespace(**_DEFAULT)


def set_printoptions(precision: int | None = None, threshold: float | None = None, edgeitems: int | None = None,
                     linewidth: int | None = None, profile: str | None = None, sci_mode: bool | None = None) -> None:  # fmt: skip
    """Set how tensors are printed, for the whole process; what is left out stays as it is, except `sci_mode`.

    Parameters
    ----------
    precision
        Digits after the point (4).
    threshold
        Tensors with more elements than this are summarised (1000).
    edgeitems
        Items shown at each end of a summarised dimension (3).
    linewidth
        Characters in a line before it is broken (80).
    profile
        "default", "short" (2 digits, 2 edge items) or "full" (never summarised); the other arguments override it.
    sci_mode
        True: always 1.0000e+00, False: never. None lets the values decide; as in torch, every call that leaves it out
        goes back to None.

    Raises
    ------
    ValueError
        If the profile has another name. (torch ignores it in silence.)

    Examples
    --------
    >>> with printoptions():  # puts everything back at the end
    ...     set_printoptions(precision=2)
    ...     print(format_tensor(np.array([1.12345, 2.0])))
    tensor([1.12, 2.00], dtype=torch.float64)
    """
    if profile is not None and profile not in _PROFILES:
        raise ValueError(f"set_printoptions: profile must be one of {', '.join(_PROFILES)}, got {profile!r}")
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    vars(_options).update({} if profile is None else _PROFILES[profile])
    vars(_options).update({name: value for name, value in given.items() if value is not None}, sci_mode=sci_mode)


def get_printoptions() -> dict[str, Any]:
    """Return the present settings, ready to be passed to `set_printoptions` again."""
    return vars(_options).copy()


@contextlib.contextmanager
def printoptions(**settings: Any) -> Iterator[None]:
    """Print with other settings inside a `with` block; takes what `set_printoptions` takes."""
    before = get_printoptions()
    try:
        set_printoptions(**settings)
        yield
    finally:
        set_printoptions(**before)


def format_tensor(array: Array, *, dtype_name: str | None = None, requires_grad: bool = False, grad_fn_name: str | None = None,
                  class_name: str = "tensor", default_dtype_name: str = "torch.float32") -> str:  # fmt: skip
    """Return the text that torch prints for a tensor with these values.

    Parameters
    ----------
    array
        The values: bool, integers or floats, any shape.
    dtype_name
        What `repr(tensor.dtype)` gives; "torch." and NumPy's name of the array's dtype if left out.
    requires_grad
        Adds `requires_grad=True`, unless there is a `grad_fn_name`.
    grad_fn_name
        Name of the node that made the tensor, such as "AddBackward0".
    class_name
        The word before the bracket: "tensor" for tensors and parameters, the class's name for subclasses. A parameter's
        text is "Parameter containing:", a line break, and this text.
    default_dtype_name
        The dtype that goes without saying for floats.

    Raises
    ------
    NotImplementedError
        If the array holds complex numbers or anything else than bools, integers and floats.

    Examples
    --------
    >>> format_tensor(np.float32([1, 2.5]), grad_fn_name="AddBackward0")
    'tensor([1.0000, 2.5000], grad_fn=<AddBackward0>)'
    >>> format_tensor(np.zeros((0, 3)))
    'tensor([], size=(0, 3), dtype=torch.float64)'
    >>> print(format_tensor(np.arange(2000).reshape(2, 1000)))
    tensor([[   0,    1,    2,  ...,  997,  998,  999],
            [1000, 1001, 1002,  ..., 1997, 1998, 1999]])
    """
    if array.dtype.kind not in "biuf":
        raise NotImplementedError(f"format_tensor: bools, integers and floats can be printed, got dtype {array.dtype}")
    start = class_name + "("
    corner, elided = _corner(array)
    text = start + ("[]" if array.size == 0 else _nest(*_texts(corner), elided, len(start)))

    dtype_name = dtype_name or f"torch.{array.dtype.name}"
    # Elements show whether they are integers or bools; where there are none, only the default dtype can be guessed.
    evident = {default_dtype_name} if array.size == 0 else {default_dtype_name, "torch.int64", "torch.bool"}
    suffixes = []
    if (array.size == 0 and array.ndim > 1) or (array.size > 0 and _options.edgeitems == 0):
        suffixes.append(f"size={array.shape}")
    if dtype_name not in evident:
        suffixes.append(f"dtype={dtype_name}")
    if grad_fn_name is not None:
        suffixes.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    return _append(text, suffixes, len(start)) + ")"


def _corner(array: Array) -> tuple[Array, list[bool]]:
    """Return the elements that are shown, and for each dimension whether its middle was left out."""
    edge = _options.edgeitems
    elided = [array.size > _options.threshold and length > 2 * edge for length in array.shape]
    for axis, length in enumerate(array.shape):
        if elided[axis]:
            array = np.delete(array, slice(edge, length - edge), axis)
    return array, elided


def _texts(array: Array) -> tuple[Array, int]:
    """Return the elements as strings, shaped as `array` and padded on the left, and the width of their column."""
    values = array.ravel()
    counted = np.ones(values.shape, dtype=bool)
    write: Callable[[Any], str] = str
    if values.dtype.kind == "f":
        # Zeros, infinities and nans neither choose the format nor set the width: one that is longer sticks out.
        counted = np.isfinite(values) & (values != 0)
        write = _float_writer(values[counted])
    texts = [write(value) for value in values.tolist()]
    width = max((len(text) for text, counts in zip(texts, counted, strict=True) if counts), default=1)
    return np.array([text.rjust(width) for text in texts], dtype=object).reshape(array.shape), width


def _float_writer(values: Array) -> Callable[[float], str]:
    """Choose how floats are written: with an exponent, as whole numbers ("2.") or with all digits ("2.0000").

    Exponents are for numbers that differ by more than a factor of 1000, exceed 1e8 or fall below 1e-4.
    """
    if values.size == 0:
        return _write_whole
    magnitudes = np.abs(values.astype(np.float64))
    low, high = float(magnitudes.min()), float(magnitudes.max())
    large_range = high / low > 1000 or high > 1e8 or low < 1e-4
    if _options.sci_mode or (_options.sci_mode is None and large_range):
        return f"{{:.{_options.precision}e}}".format
    if np.all(values == np.ceil(values)):
        return _write_whole
    return f"{{:.{_options.precision}f}}".format


def _write_whole(value: float) -> str:
    return f"{value:.0f}." if math.isfinite(value) else str(value)


def _nest(texts: Array, width: int, elided: list[bool], indent: int) -> str:
    """Set the elements in brackets; vectors are broken at `linewidth`, outer dimensions put blank lines between."""
    if texts.ndim == 0:
        return str(texts.item())
    edge = _options.edgeitems
    if texts.ndim == 1:
        items = texts.tolist()
        if elided[0]:
            items.insert(edge, " ..." if edge else "...")
        per_line = max(1, (_options.linewidth - indent) // (width + len(", ")))
        lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    blocks = [_nest(block, width, elided[1:], indent + 1) for block in texts]
    if elided[0]:
        blocks.insert(edge, "...")
    return "[" + ("," + "\n" * (texts.ndim - 1) + " " * (indent + 1)).join(blocks) + "]"


def _append(text: str, suffixes: list[str], indent: int) -> str:
    """Add ", suffix" for each suffix, on a line of its own where the last line would grow longer than `linewidth`."""
    # The first count is two more than the characters of the last line: torch's own, and the line breaks depend on it.
    length = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        fits = length + len(suffix) + 2 <= _options.linewidth
        text += (", " if fits else ",\n" + " " * indent) + suffix
        length = (length + 2 if fits else indent) + len(suffix)
    return text
