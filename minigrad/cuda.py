"""What `torch.cuda` is asked most often, answered: there is no GPU here. minigrad computes on the CPU only."""


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0
