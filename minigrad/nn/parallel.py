"""`DataParallel`, on the only device there is."""

from __future__ import annotations

from typing import Any

from minigrad.nn.module import Module


class DataParallel(Module):
    """Wraps a module; on one device, which is all there is here, it computes what the module computes.

    So does torch's without an accelerator. What a program that uses it relies on is there: the wrapped `module`, and
    names in `state_dict` that begin with ``"module."``.

    Parameters
    ----------
    module : Module
        What is wrapped.
    device_ids : sequence, optional
        At most one device. torch, too, takes no notice of it on a machine that has only a CPU.
    output_device : optional
        Not used.
    dim : int
        Not used.

    Raises
    ------
    NotImplementedError
        For several devices.
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        if device_ids is not None and len(device_ids) > 1:
            raise NotImplementedError(f"DataParallel(): device_ids={device_ids!r}: there is one device, the CPU; "
                                      "leave device_ids out")
        self.module = module
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the module computes."""
        return self.module(*inputs, **kwargs)
