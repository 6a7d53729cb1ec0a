"""Whether operations are recorded: `no_grad` and its relatives, for each thread by itself."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, ParamSpec

P = ParamSpec("P")


class _Mode(threading.local):
    """For each thread: whether it records, and whether it makes inference tensors."""

    recording = True
    inference = False


current = _Mode()
inferring: list[Any] = []  # the blocks open in any thread; while there are none, asking costs nothing


def is_grad_enabled() -> bool:
    """True where operations are recorded, in this thread."""
    return current.recording


class _Switch:
    """Recording on or off for the extent of a `with` block or of a decorated function."""

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)
        self.previous: list[bool] = []

    def __enter__(self) -> None:
        self.previous.append(current.recording)
        current.recording = self.mode

    def __exit__(self, *error: object) -> None:
        current.recording = self.previous.pop()

    def again(self) -> _Switch:
        """Another switch of the same kind, since one may be in use by several calls at once."""
        return _Switch(self.mode)

    def __call__(self, function: Callable[P, Any]) -> Callable[P, Any]:
        if inspect.isgeneratorfunction(function):
            return self._around_generator(function)

        @functools.wraps(function)
        def switched(*args: P.args, **kwargs: P.kwargs) -> Any:
            with self.again():
                return function(*args, **kwargs)

        return switched

    def _around_generator(self, function: Callable[P, Any]) -> Callable[P, Any]:
        """Turn the switch for each stretch between two yields; outside them the caller's setting holds."""

        @functools.wraps(function)
        def switched(*args: P.args, **kwargs: P.kwargs) -> Any:
            generator = function(*args, **kwargs)
            resume: Callable[[], Any] = functools.partial(next, generator)
            try:
                while True:
                    with self.again():
                        item = resume()
                    try:
                        sent = yield item
                    except GeneratorExit:
                        with self.again():
                            generator.close()
                        raise
                    except BaseException as error:  # whatever was thrown in goes on to the generator
                        resume = functools.partial(generator.throw, error)
                    else:
                        resume = functools.partial(generator.send, sent)
            except StopIteration as stop:
                return stop.value

        return switched


class no_grad(_Switch):
    """Context manager and decorator under which nothing is recorded: no graph, and no memory kept for one.

    Examples
    --------
    >>> with no_grad():
    ...     is_grad_enabled()
    False
    """

    def __new__(cls, function: Callable[P, Any] | None = None) -> Any:
        """Allow ``@no_grad`` beside ``@no_grad()``."""
        return super().__new__(cls) if function is None else cls()(function)

    def __init__(self) -> None:
        super().__init__(False)


class enable_grad(_Switch):
    """Context manager and decorator under which operations are recorded, inside a `no_grad` too."""

    def __new__(cls, function: Callable[P, Any] | None = None) -> Any:
        """Allow ``@enable_grad`` beside ``@enable_grad()``."""
        return super().__new__(cls) if function is None else cls()(function)

    def __init__(self) -> None:
        super().__init__(True)


class inference_mode(_Switch):  # torch's name
    """`no_grad`, and tensors made inside are never part of a graph: outside they can be read, but not changed or saved.

    Parameters
    ----------
    mode : bool
        False to make ordinary tensors, and to record.

    Examples
    --------
    >>> import minigrad as torch
    >>> with inference_mode():
    ...     x = torch.ones(2)
    >>> x.is_inference()
    True
    >>> x.add_(1)
    Traceback (most recent call last):
    ...
    RuntimeError: Inplace update to inference tensor outside InferenceMode is not allowed; change a clone()
    """

    def __new__(cls, mode: Any = True) -> Any:
        """Allow ``@inference_mode`` beside ``@inference_mode()``."""
        return super().__new__(cls) if isinstance(mode, bool) else cls()(mode)

    def __init__(self, mode: bool = True) -> None:
        super().__init__(not mode)
        self.before: list[bool] = []

    def __enter__(self) -> None:
        super().__enter__()
        self.before.append(current.inference)
        current.inference = not self.mode
        inferring.append(self)

    def __exit__(self, *error: object) -> None:
        inferring.remove(self)
        current.inference = self.before.pop()
        super().__exit__(*error)

    def again(self) -> inference_mode:
        """Another switch of the same kind."""
        return type(self)(not self.mode)


def is_inference_mode_enabled() -> bool:
    """True where tensors are made that cannot be part of a graph, in this thread."""
    return current.inference


class set_grad_enabled(_Switch):
    """Switch recording on or off: for good when called, for its extent in a `with` statement.

    Parameters
    ----------
    mode : bool
        True to record.
    """

    def __init__(self, mode: bool) -> None:
        super().__init__(mode)
        super().__enter__()

    def __enter__(self) -> None:
        current.recording = self.mode

    def __call__(self, function: Callable[P, Any]) -> Callable[P, Any]:
        """Decorate `function`; outside it nothing changes."""
        self.__exit__()
        return super().__call__(function)
