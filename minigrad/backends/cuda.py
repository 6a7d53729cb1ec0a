"""`torch.backends.cuda`: a switch of matrix products on GPUs may be set; nothing reads it here."""

from types import SimpleNamespace

matmul = SimpleNamespace(allow_tf32=False)


def is_built() -> bool:
    """False."""
    return False
