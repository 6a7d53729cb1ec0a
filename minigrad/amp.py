"""`torch.amp`, mixed precision, where there is none: on a machine without a GPU torch disables it, and so it is here.

``autocast("cpu")`` is another matter: torch computes in bfloat16 then, which NumPy does not have. It is refused.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from minigrad.arrays.dtypes import device as device_of


def _device_type(name: str, given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError(f"{name}(): expected a device type as text, 'cuda' for example, got {type(given).__name__}")
    return device_of(given).type


class autocast:  # torch's name
    """Context manager and decorator that changes nothing: there is no GPU on which to compute with less precision.

    Parameters
    ----------
    device_type : str
        ``"cuda"``, ``"mps"`` or another kind of GPU, for which a warning says that autocast is disabled. ``"cpu"`` only with
        ``enabled=False``.
    dtype, cache_enabled
        Taken for torch's sake.
    enabled : bool
        False to get no warning.

    Raises
    ------
    NotImplementedError
        For ``"cpu"``: torch would compute in bfloat16.

    Examples
    --------
    >>> with autocast("cuda", enabled=False):
    ...     pass
    """

    def __init__(self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None) -> None:
        self.device, self.fast_dtype = _device_type("autocast", device_type), dtype
        if enabled and self.device == "cpu":
            raise NotImplementedError("autocast on a CPU computes in bfloat16, which NumPy does not have: pass enabled=False")
        if enabled:
            warnings.warn("CUDA is not available or torch_xla is imported. Disabling autocast.", stacklevel=3)

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate `function`."""

        @functools.wraps(function)
        def same(*args: Any, **options: Any) -> Any:
            return function(*args, **options)

        return same


class GradScaler:
    """The scaling of losses for float16 on a GPU, disabled: losses and steps are what they are without it.

    Parameters
    ----------
    device : str
        The kind of GPU. ``"cpu"`` only with ``enabled=False``.
    init_scale, growth_factor, backoff_factor, growth_interval
        Taken for torch's sake.
    enabled : bool
        False to get no warning.

    Raises
    ------
    NotImplementedError
        For ``"cpu"``, where torch's scaler works.
    """

    def __init__(
        self, device: str = "cuda", init_scale: float = 2.0**16, growth_factor: float = 2.0, backoff_factor: float = 0.5,
        growth_interval: int = 2000, enabled: bool = True,
    ) -> None:
        if enabled and _device_type("GradScaler", device) == "cpu":
            raise NotImplementedError("a GradScaler for the CPU is not supported, since nothing is computed in float16 by itself: "
                                      "pass enabled=False")
        if enabled:
            warnings.warn("torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.", stacklevel=3)

    def is_enabled(self) -> bool:
        """False."""
        return False

    def scale(self, outputs: Any) -> Any:
        """The outputs as they are."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Do nothing."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """``optimizer.step()``."""
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """Do nothing."""

    def get_scale(self) -> float:
        """1."""
        return 1.0

    def state_dict(self) -> dict[str, Any]:
        """Nothing: there is no scale."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Do nothing."""


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """False: autocast is always disabled here."""
    return False
