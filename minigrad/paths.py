"""Module paths that torch has and minigrad lays out otherwise: each leads to the file that holds the same names here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from minigrad import nn
from minigrad.arrays.dtypes import Size, device, dtype
from minigrad.tensors.tensor import Tensor

# torch's path, and the files that hold what it holds.
PATHS: dict[str, tuple[str, ...]] = {
    "nn.modules.activation": ("nn.activation", "nn.attention"),
    "nn.modules.batchnorm": ("nn.normalization", "nn.lazy_layers"),
    "nn.modules.channelshuffle": ("nn.layers",),
    "nn.modules.container": ("nn.container",),
    "nn.modules.conv": ("nn.conv", "nn.lazy_layers"),
    "nn.modules.distance": ("nn.layers",),
    "nn.modules.dropout": ("nn.layers",),
    "nn.modules.flatten": ("nn.layers",),
    "nn.modules.fold": ("nn.pooling",),
    "nn.modules.instancenorm": ("nn.normalization", "nn.lazy_layers"),
    "nn.modules.linear": ("nn.layers", "nn.lazy_layers"),
    "nn.modules.loss": ("nn.loss",),
    "nn.modules.module": ("nn.module", "nn.state"),
    "nn.modules.normalization": ("nn.normalization",),
    "nn.modules.padding": ("nn.padding",),
    "nn.modules.pixelshuffle": ("nn.layers",),
    "nn.modules.pooling": ("nn.pooling",),
    "nn.modules.rnn": ("nn.rnn",),
    "nn.modules.sparse": ("nn.layers",),
    "nn.modules.transformer": ("nn.transformer",),
    "nn.modules.upsampling": ("nn.upsampling",),
    "optim.adamw": ("optim.adam",),
    "autograd.variable": ("tensors.legacy",),
    "storage": ("tensors.storage",),
    "utils.data._utils.collate": ("utils.data.collate",),
    "utils.hooks": ("autograd.inspection",),
}


# The types that `nn.common_types` has for sizes, of which one or several may be given.
SIZES: dict[str, Any] = {f"size_{n}": int for n in ("any", *range(1, 7))} | {f"size_{n}_opt": int | None for n in ("any", 2, 3)} | {
    f"ratio_{n}": float for n in ("any", 2, 3)}  # fmt: skip


def each(count: int) -> Callable[[Any], tuple[Any, ...]]:
    """A function that makes several of one number, and leaves several as they are: `_pair` and its like."""
    return lambda x: tuple(x) if hasattr(x, "__iter__") else (x,) * count


def install() -> None:
    """Let imports find all of them."""
    _add("nn.modules", _merged("nn.modules", vars(nn)))
    _add("nn.modules.utils", _merged(
        "nn.modules.utils", {"_ntuple": each, "_single": each(1), "_pair": each(2), "_triple": each(3), "_quadruple": each(4)}))
    _add("nn.common_types", _merged("nn.common_types", {f"_{what}_t": of | tuple for what, of in SIZES.items()}))
    _add("types", _merged("types", {
        "Number": int | float | bool, "Device": str | int | device | None, "_size": Size | list[int] | tuple[int, ...], "_int": int,
        "_dtype": dtype, "Tensor": Tensor, "Size": Size}))  # fmt: skip
    _add("utils.data._utils", _merged("utils.data._utils"))
    for path, places in PATHS.items():
        files = [import_module(f"minigrad.{place}") for place in places]
        _add(path, files[0] if len(files) == 1 else _merged(path, *map(vars, files)))


def _merged(path: str, *names: dict[str, Any]) -> ModuleType:
    """A module with the names of several, without what Python knows of them."""
    module = ModuleType(f"minigrad.{path}")
    module.__path__ = []
    for some in names:
        vars(module).update({name: value for name, value in some.items() if not name.startswith("__")})
    return module


def _add(path: str, module: ModuleType) -> None:
    """Give a module a path."""
    parent, _, last = f"minigrad.{path}".rpartition(".")
    sys.modules[f"minigrad.{path}"] = module
    setattr(sys.modules[parent], last, module)
