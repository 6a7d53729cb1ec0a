"""The losses of `functional` as modules; what they compute, and what they raise, is said there."""

from __future__ import annotations

from minigrad.nn import functional as F
from minigrad.nn.module import FunctionModule
from minigrad.tensor import Tensor


class _Loss(FunctionModule):
    """A function of input and target. Weights are buffers; nothing is printed."""

    tensors = ("weight", "pos_weight")

    def extra_repr(self) -> str:
        """Nothing."""
        return ""


class NLLLoss(_Loss):
    """Negative log likelihood of classes; see `functional.nll_loss`."""

    function = F.nll_loss

    def __init__(self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(weight=weight, ignore_index=ignore_index, reduction=reduction)


class CrossEntropyLoss(_Loss):
    """Cross entropy of scores before the softmax; see `functional.cross_entropy`."""

    function = F.cross_entropy

    def __init__(self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean",
                 label_smoothing: float = 0.0) -> None:  # fmt: skip
        super().__init__(weight=weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing)


class MSELoss(_Loss):
    """Mean squared error; see `functional.mse_loss`."""

    function = F.mse_loss

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class L1Loss(_Loss):
    """Mean absolute error; see `functional.l1_loss`."""

    function = F.l1_loss

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class SmoothL1Loss(_Loss):
    """Squared near 0 and absolute beyond; see `functional.smooth_l1_loss`."""

    function = F.smooth_l1_loss

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction, beta=beta)


class HuberLoss(_Loss):
    """Squared near 0 and absolute beyond; see `functional.huber_loss`."""

    function = F.huber_loss

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction, delta=delta)


class BCELoss(_Loss):
    """Cross entropy of probabilities of yes and no; see `functional.binary_cross_entropy`."""

    function = F.binary_cross_entropy

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(weight=weight, reduction=reduction)


class BCEWithLogitsLoss(_Loss):
    """Cross entropy of scores before the sigmoid; see `functional.binary_cross_entropy_with_logits`."""

    function = F.binary_cross_entropy_with_logits

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean", pos_weight: Tensor | None = None) -> None:
        super().__init__(weight=weight, reduction=reduction, pos_weight=pos_weight)


class KLDivLoss(_Loss):
    """Kullback-Leibler divergence; see `functional.kl_div`."""

    function = F.kl_div

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction, log_target=log_target)
