"""`torch.version`: which torch's names and numbers these are, and whose.

Libraries ask the version when they are imported, and turn away what they take for a torch too old to work with. So the version
is that of the torch with which minigrad is compared. Its own stands behind the plus sign, where torch says how it was built.
"""

from __future__ import annotations

import re
from typing import Any


class TorchVersion(str):
    """A version that is compared with others number by number, be they texts, tuples or `packaging`'s.

    Examples
    --------
    >>> TorchVersion("2.13.0+cpu") >= "2.6", TorchVersion("2.13.0+cpu") < (2, 2)
    (True, False)
    """

    __slots__ = ()

    def __lt__(self, other: Any) -> bool:
        return _numbers(self) < _numbers(other)

    def __le__(self, other: Any) -> bool:
        return _numbers(self) <= _numbers(other)

    def __gt__(self, other: Any) -> bool:
        return _numbers(self) > _numbers(other)

    def __ge__(self, other: Any) -> bool:
        return _numbers(self) >= _numbers(other)


def _numbers(version: Any) -> list[int]:
    """The numbers before the first letter or plus sign; zeros at the end say nothing."""
    text = ".".join(map(str, version)) if isinstance(version, (tuple, list)) else str(version)
    found = re.match(r"\d+(\.\d+)*", text)
    if found is None:
        raise TypeError(f"cannot compare a version with {version!r}: expected text such as '2.0', or a tuple of numbers")
    return [int(part) for part in re.sub(r"(\.0+)+$", "", found[0]).split(".")]


__version__ = TorchVersion("2.13.0+minigrad.0.1.0")
debug = False
cuda: str | None = None
hip: str | None = None
xpu: str | None = None
