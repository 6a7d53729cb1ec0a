"""What `torch.cuda` is asked most often, answered as torch does on a machine without a GPU: minigrad computes on the CPU only."""

from __future__ import annotations

from typing import Any, NoReturn

from minigrad.cuda import amp


def is_available() -> bool:
    """False."""
    return False


def is_initialized() -> bool:
    """False."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Do nothing: there is no generator on a GPU."""


def manual_seed_all(seed: int) -> None:
    """Do nothing: there is no generator on a GPU."""


def seed() -> None:
    """Do nothing: there is no generator on a GPU."""


seed_all = seed


def get_rng_state_all() -> list[Any]:
    """No states."""
    return []


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Do nothing: there is no generator on a GPU."""


def set_rng_state_all(new_states: Any) -> None:
    """Do nothing: there is no generator on a GPU."""


def empty_cache() -> None:
    """Do nothing: there is no memory of a GPU."""


def memory_allocated(device: Any = None) -> int:
    """0 bytes."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def synchronize(device: Any = None) -> NoReturn:
    """Raise an error: there is no GPU to wait for, or to ask about.

    Raises
    ------
    AssertionError
        Always, as in torch without CUDA. Ask `is_available` first.
    """
    raise AssertionError("Torch not compiled with CUDA enabled: minigrad computes on the CPU only; ask torch.cuda.is_available()")


current_device = get_device_name = get_device_properties = get_device_capability = set_device = synchronize
current_stream = ipc_collect = mem_get_info = reset_peak_memory_stats = get_rng_state = initial_seed = synchronize


class TensorType:
    """`torch.cuda.FloatTensor` or another type of tensors on a GPU, of which there are none.

    Examples
    --------
    >>> isinstance(1, FloatTensor)
    False
    """

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __call__(self, *data: Any) -> NoReturn:
        """Raise an error.

        Raises
        ------
        TypeError
            Always, as in torch without CUDA.
        """
        raise TypeError(f"type torch.cuda.{self.__name__} not available. Torch not compiled with CUDA enabled: minigrad computes "
                        "on the CPU only")

    def __instancecheck__(self, x: object) -> bool:
        return False

    def __repr__(self) -> str:
        return f"<class 'torch.cuda.{self.__name__}'>"


(HalfTensor, FloatTensor, DoubleTensor, ByteTensor, CharTensor, ShortTensor, IntTensor, LongTensor, BoolTensor) = (
    TensorType(f"{kind}Tensor") for kind in ("Half", "Float", "Double", "Byte", "Char", "Short", "Int", "Long", "Bool"))
