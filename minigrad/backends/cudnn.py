"""`torch.backends.cudnn`: its switches may be set, as scripts that want repeatable results do; nothing reads them here."""

enabled = True
benchmark = False
deterministic = False


def is_available() -> bool:
    """False."""
    return False
