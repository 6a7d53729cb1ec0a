"""Older names in `nn`, which warn and lead to those of today: `init.xavier_uniform`, `functional.upsample` and the like."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from minigrad.nn import functional, init, utils


def older(function: Callable[..., Any], name: str, message: str, category: type[Warning], **fixed: Any) -> Callable[..., Any]:
    """The function under an older name, with some arguments fixed."""

    @functools.wraps(function)
    def warned(*args: Any, **kwargs: Any) -> Any:
        warnings.warn(message, category, stacklevel=2)
        return function(*args, **kwargs, **fixed)

    warned.__name__ = name
    return warned


def install() -> None:
    """Put the older names beside those of today."""
    for new in ("uniform_", "normal_", "constant_", "eye_", "dirac_", "xavier_uniform_", "xavier_normal_", "kaiming_uniform_",
                "kaiming_normal_", "orthogonal_", "sparse_"):  # fmt: skip
        if hasattr(init, new):
            message = f"`nn.init.{new[:-1]}` is now deprecated in favor of `nn.init.{new}`."
            setattr(init, new[:-1], older(getattr(init, new), new[:-1], message, FutureWarning))
    message = "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`."
    utils.clip_grad_norm = older(utils.clip_grad_norm_, "clip_grad_norm", message, FutureWarning)  # type: ignore[attr-defined]
    modes: dict[str, dict[str, Any]] = {
        "upsample": {}, "upsample_nearest": {"mode": "nearest"}, "upsample_bilinear": {"mode": "bilinear", "align_corners": True},
    }  # fmt: skip
    for name, fixed in modes.items():
        message = f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead."
        setattr(functional, name, older(functional.interpolate, name, message, UserWarning, **fixed))
