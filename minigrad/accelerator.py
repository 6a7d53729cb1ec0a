"""`torch.accelerator` on a machine without one: minigrad computes on the CPU only."""


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """None, in place of the device."""
