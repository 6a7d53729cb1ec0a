"""`torch.backends.mps`, Apple's GPUs: minigrad computes on the CPU only."""


def is_available() -> bool:
    """False."""
    return False


def is_built() -> bool:
    """False."""
    return False
