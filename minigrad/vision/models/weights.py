"""Where the networks' weights come from: they are drawn at random, as the authors did; trained ones there are not."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from minigrad import nn
from minigrad.nn import init
from minigrad.tensors.tensor import Tensor

Network = TypeVar("Network")


def draw_weights(network: nn.Module, conv: Callable[[Tensor], Any], linear: Callable[[Tensor], Any] | None = None) -> None:
    """Draw the weights of convolutions by `conv`, and of linear layers by `linear` unless that is None.

    Their biases become 0, and normalisations begin with weight 1 and bias 0.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            conv(module.weight)
        elif isinstance(module, nn.Linear) and linear is not None:
            linear(module.weight)
        elif isinstance(module, nn.BatchNorm2d | nn.GroupNorm) and module.weight is not None:
            init.ones_(module.weight)
        else:
            continue
        if isinstance(module.bias, Tensor):
            init.zeros_(module.bias)


def untrained(build: Callable[..., Network]) -> Callable[..., Network]:
    """Give a function that builds a network torchvision's parameters `weights` and, from before its version 0.13, `pretrained`.

    Raises
    ------
    NotImplementedError
        If they ask for trained weights.
    """

    @wraps(build)
    def builder(weights: Any = None, *args: Any, **kwargs: Any) -> Network:
        if "pretrained" in kwargs or isinstance(weights, bool):
            warnings.warn("The parameter 'pretrained' is deprecated since 0.13 and may be removed in the future, "
                          "please use 'weights' instead.", stacklevel=2)
        if weights or kwargs.pop("pretrained", False):
            raise NotImplementedError(
                f"{build.__name__}: there are no trained weights for minigrad; build the network without, and load a state_dict "
                "that torchvision has saved: network.load_state_dict(torch.load(path))")
        return build(*args, **kwargs)

    return builder
