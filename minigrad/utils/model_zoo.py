"""`torch.utils.model_zoo`, which copies of torchvision's models import for pretrained weights: there are none for minigrad."""

from typing import Any, NoReturn


def load_url(url: str, *args: Any, **kwargs: Any) -> NoReturn:
    """Not supported: download the file, and load it with `torch.load`."""
    raise NotImplementedError(f"torch.utils.model_zoo.load_url is not supported; download {url} and load it with torch.load")
