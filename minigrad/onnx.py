"""`torch.onnx`, which many scripts import for one of their options: its `export` says that it is not supported."""

from typing import Any, NoReturn


def export(*args: Any, **kwargs: Any) -> NoReturn:
    """Not supported: save the `state_dict` and export it with PyTorch."""
    raise NotImplementedError("torch.onnx.export is not supported; save the state_dict, load it in PyTorch and export it there")
