"""`torch.backends.cudnn`. Scripts that want repeatable results set its switches. They have no effect here."""

enabled = True
benchmark = False
deterministic = False


def is_available() -> bool:
    """False."""
    return False
