"""`torch.jit` as far as a script meets it in passing: marks that ask for nothing here, and whether code is being scripted.

There is no second language to translate to. A function that should be translated stays in Python, where it gives the same numbers;
`trace`, `load`, `save`, and `script` of a module or a class raise NotImplementedError when they are called.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any, NoReturn, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def is_scripting() -> bool:
    """Whether this runs as TorchScript: never."""
    return False


def is_tracing() -> bool:
    """Whether `trace` records this: never."""
    return False


def export(fn: F) -> F:
    """Mark a method that TorchScript should translate; it stays as it is.

    Examples
    --------
    >>> @export
    ... def double(x):
    ...     return 2 * x
    >>> double(4)
    8
    """
    return fn


def ignore(drop: Any = False) -> Any:
    """Mark a function that TorchScript should leave in Python; it stays as it is. Usable with and without arguments."""
    return drop if callable(drop) else unused


def unused(fn: F) -> F:
    """Mark a function that TorchScript should not translate; it stays as it is."""
    return fn


def _refused(name: str) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"torch.jit.{name} is not supported, since there is no TorchScript here; call the function or "
                                  "module as it is, or make a program of a training step with torch.compile")

    refuse.__name__, refuse.__doc__ = name, "Not supported."
    return refuse


def script(obj: Any) -> Any:
    """Translate a function: it stays as it is, as in torch with ``PYTORCH_JIT=0``. Modules and classes are not supported."""
    return obj if isinstance(obj, FunctionType) else _refused("script")()


def script_if_tracing(fn: F) -> F:
    """Translate a function once `trace` meets it, which never happens; it stays as it is."""
    return fn


trace, load, save = _refused("trace"), _refused("load"), _refused("save")
