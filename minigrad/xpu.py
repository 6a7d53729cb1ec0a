"""What `torch.xpu` is asked, answered as torch does on a machine without Intel's GPU: minigrad computes on the CPU only."""

from __future__ import annotations

from typing import Any, NoReturn

from minigrad.cuda import (
    device_count,
    empty_cache,
    get_rng_state_all,
    is_available,
    is_initialized,
    manual_seed,
    manual_seed_all,
    seed,
    seed_all,
    set_rng_state,
    set_rng_state_all,
)

__all__ = [
    "current_device", "device_count", "empty_cache", "get_device_capability", "get_device_name", "get_device_properties",
    "get_rng_state", "get_rng_state_all", "initial_seed", "is_available", "is_initialized", "manual_seed", "manual_seed_all",
    "seed", "seed_all", "set_device", "set_rng_state", "set_rng_state_all", "synchronize",
]  # fmt: skip


def synchronize(device: Any = None) -> NoReturn:
    """Raise an error: there is no GPU to wait for, or to ask about.

    Raises
    ------
    AssertionError
        Always, as in torch without XPU. Ask `is_available` first.
    """
    raise AssertionError("Torch not compiled with XPU enabled: minigrad computes on the CPU only; ask torch.xpu.is_available()")


current_device = get_device_name = get_device_properties = get_device_capability = set_device = synchronize
get_rng_state = initial_seed = synchronize
