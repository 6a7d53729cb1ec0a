"""What `torch.cuda` is asked most often, answered: there is no GPU here. minigrad computes on the CPU only."""


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Does nothing, as in torch on a machine without a GPU."""


def manual_seed_all(seed: int) -> None:
    """Does nothing, as in torch on a machine without a GPU."""


def empty_cache() -> None:
    """Does nothing, as in torch on a machine without a GPU."""
