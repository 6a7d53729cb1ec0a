"""`torch.distributed.nn`, collectives through which gradients pass: they can be imported, and refuse to be called."""

from __future__ import annotations

from typing import Any, NoReturn


def _missing(name: str) -> Any:
    def collective(*args: Any, **options: Any) -> NoReturn:
        raise NotImplementedError(f"torch.distributed.nn.{name} is not supported: no gradient passes through a collective; use "
                                  f"torch.distributed.{name}, and DistributedDataParallel for the gradients of parameters")

    collective.__name__ = collective.__qualname__ = name
    collective.__doc__ = f"Not supported: `torch.distributed.{name}` with a gradient."
    return collective


all_gather, all_reduce, broadcast, gather, reduce, reduce_scatter, scatter, all_to_all, all_to_all_single = (
    _missing(name) for name in ("all_gather", "all_reduce", "broadcast", "gather", "reduce", "reduce_scatter", "scatter",
                                "all_to_all", "all_to_all_single"))
