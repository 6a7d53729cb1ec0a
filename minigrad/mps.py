"""What `torch.mps` is asked, answered as torch does on a machine without Apple's GPU: minigrad computes on the CPU only."""

from __future__ import annotations

from typing import Any, NoReturn


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Do nothing: there is no generator on a GPU."""


def synchronize(*args: Any) -> NoReturn:
    """Raise an error: there is no GPU to wait for, or to ask about.

    Raises
    ------
    RuntimeError
        Always, as in torch without MPS. Ask `is_available` first.
    """
    raise RuntimeError("Cannot execute this without MPS backend: minigrad computes on the CPU only; ask torch.mps.is_available()")


empty_cache = seed = get_rng_state = set_rng_state = current_allocated_memory = driver_allocated_memory = synchronize
recommended_max_memory = set_per_process_memory_fraction = synchronize
