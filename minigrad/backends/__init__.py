"""What scripts ask and set under `torch.backends` before they choose a device: neither Apple's GPUs nor cuDNN are here."""

from minigrad.backends import cudnn, mps

__all__ = ["cudnn", "mps"]
