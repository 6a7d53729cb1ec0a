"""Layouts, memory formats and pinned memory, which torch's functions take: there is one of each, and to ask for it is allowed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class layout:
    """How a tensor's elements are stored; `strided` is the only one."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class memory_format(layout):
    """In which order a tensor's elements lie in memory."""


Layout = layout  # below, `layout` is an argument
strided = layout("strided")
contiguous_format, preserve_format = memory_format("contiguous_format"), memory_format("preserve_format")
channels_last = memory_format("channels_last")


def check_format(name: str, wanted: Any) -> None:
    """Refuse a memory format that would be a promise about strides.

    Raises
    ------
    NotImplementedError
        For `channels_last`.
    """
    if wanted not in (None, contiguous_format, preserve_format):
        raise NotImplementedError(f"{name}(): memory_format={wanted!r} is not supported, the order of elements in memory is the "
                                  "library's choice; leave it out")


def memory_options(function: Callable[P, R]) -> Callable[..., R]:
    """Let a function that makes a tensor take `layout` and `pin_memory`, and `memory_format` where torch takes it.

    Values that ask for what is the case anyway are accepted.

    Raises
    ------
    NotImplementedError
        For another layout or memory format.
    RuntimeError
        For pinned memory, as torch without an accelerator.
    """
    name = function.__name__
    formatted = name.endswith("_like") or name == "empty"

    @functools.wraps(function)
    def make(*args: Any, layout: Any = strided, pin_memory: Any = False, **options: Any) -> R:
        if not isinstance(layout, (Layout, type(None))):
            raise TypeError(f"{name}(): argument 'layout' must be torch.layout, not {type(layout).__name__}")
        if layout not in (None, strided):
            raise NotImplementedError(f"{name}(): layout={layout!r} is not supported; tensors are strided")
        if pin_memory:
            raise RuntimeError(f"{name}(): pin_memory=True requires a CUDA or other accelerator backend, and there is none")
        if formatted:
            check_format(name, options.pop("memory_format", None))
        return function(*args, **options)

    return make
