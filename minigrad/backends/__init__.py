"""`torch.backends`, for scripts that ask it before they choose a device: there are no Apple GPUs here, and no cuDNN."""

import warnings

from minigrad.backends import cuda, cudnn, mps

__all__ = [
    "are_deterministic_algorithms_enabled", "cuda", "cudnn", "get_float32_matmul_precision", "mps", "set_float32_matmul_precision",
    "use_deterministic_algorithms",
]

_precision = "highest"


def get_float32_matmul_precision() -> str:
    """How exactly matrix products of float32 are wanted; they are always computed in float32 here."""
    return _precision


def set_float32_matmul_precision(precision: str) -> None:
    """Say how exactly matrix products of float32 are wanted: ``"highest"``, ``"high"`` or ``"medium"``.

    The last two allow fewer digits, but do not ask for them. Products are always computed in float32 here, as torch computes them
    on most CPUs.

    As in torch, any other word gets a warning and changes nothing.
    """
    global _precision
    if precision in ("highest", "high", "medium"):
        _precision = precision
    else:
        warnings.warn(f"{precision} is not one of 'highest', 'high', or 'medium'; the current setting stays", stacklevel=2)


_deterministic = False


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Say that equal calls have to give equal bits. They always do here, so nothing but the answer of
    `are_deterministic_algorithms_enabled` changes."""
    global _deterministic
    _deterministic = mode


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` was told; False at first."""
    return _deterministic
