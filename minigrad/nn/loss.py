"""The losses of `functional` as modules; what they compute, and what they raise, is said there."""

from __future__ import annotations

from minigrad.nn import functional as F
from minigrad.nn.module import FunctionModule


class _Loss(FunctionModule):
    """A function of input and target. Weights are buffers; nothing is printed."""

    inputs = 2
    tensors = ("weight", "pos_weight")

    def extra_repr(self) -> str:
        """Nothing."""
        return ""


class NLLLoss(_Loss):
    """Negative log likelihood of classes; see `functional.nll_loss`."""

    function = F.nll_loss


class CrossEntropyLoss(_Loss):
    """Cross entropy of scores before the softmax; see `functional.cross_entropy`."""

    function = F.cross_entropy


class MSELoss(_Loss):
    """Mean squared error; see `functional.mse_loss`."""

    function = F.mse_loss


class L1Loss(_Loss):
    """Mean absolute error; see `functional.l1_loss`."""

    function = F.l1_loss


class SmoothL1Loss(_Loss):
    """Squared near 0 and absolute beyond; see `functional.smooth_l1_loss`."""

    function = F.smooth_l1_loss


class HuberLoss(_Loss):
    """Squared near 0 and absolute beyond; see `functional.huber_loss`."""

    function = F.huber_loss


class BCELoss(_Loss):
    """Cross entropy of probabilities of yes and no; see `functional.binary_cross_entropy`."""

    function = F.binary_cross_entropy


class BCEWithLogitsLoss(_Loss):
    """Cross entropy of scores before the sigmoid; see `functional.binary_cross_entropy_with_logits`."""

    function = F.binary_cross_entropy_with_logits


class KLDivLoss(_Loss):
    """Kullback-Leibler divergence; see `functional.kl_div`."""

    function = F.kl_div
