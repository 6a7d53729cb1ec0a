"""`torch.backends`, for scripts that ask it before they choose a device: there are no Apple GPUs here, and no cuDNN."""

import warnings

from minigrad.backends import cuda, cudnn, mps

__all__ = ["cuda", "cudnn", "get_float32_matmul_precision", "mps", "set_float32_matmul_precision"]

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
