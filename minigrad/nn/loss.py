"""The losses of `functional` as modules. See there for what they compute and raise."""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.nn import functional as F
from minigrad.nn.module import FunctionModule
from minigrad.nn.reduction import older_reduction


def _of_ones_own(input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean") -> Any:
    raise NotImplementedError("a loss of one's own defines forward")


class _Loss(FunctionModule):
    """A function of input and target. Weights are buffers; nothing is printed. A loss of one's own defines `forward`."""

    function: ClassVar[Any] = _of_ones_own
    inputs = 2
    tensors = ("weight", "pos_weight")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        size_average, reduce = (self.__dict__.pop(name, None) for name in ("size_average", "reduce"))
        if size_average is not None or reduce is not None:
            caller = 3 if type(self).__init__ is _Loss.__init__ else 4  # of the class, for the warning
            self.reduction = older_reduction(size_average, reduce, stacklevel=caller)
        self._names = tuple(name for name in self._names if name not in ("size_average", "reduce"))

    def extra_repr(self) -> str:
        """Nothing."""
        return ""


def _weighted(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Any:
    return _of_ones_own(input, target)


class _WeightedLoss(_Loss):
    """A loss whose classes count differently."""

    function: ClassVar[Any] = _weighted


class NLLLoss(_WeightedLoss):
    """Negative log likelihood of classes; see `functional.nll_loss`."""

    function = F.nll_loss


class CrossEntropyLoss(_WeightedLoss):
    """Cross entropy of scores before the softmax; see `functional.cross_entropy`."""

    function = F.cross_entropy


class PoissonNLLLoss(_Loss):
    """Negative log likelihood of counts; see `functional.poisson_nll_loss`."""

    function = F.poisson_nll_loss


class GaussianNLLLoss(_Loss):
    """Negative log likelihood of a normal distribution; see `functional.gaussian_nll_loss`."""

    function = F.gaussian_nll_loss
    inputs = 3

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(full, eps, reduction)


class _Difference(_Loss):
    """A loss whose function takes weights, and whose class does not."""

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__(size_average, reduce, reduction)


class MSELoss(_Difference):
    """Mean squared error; see `functional.mse_loss`."""

    function = F.mse_loss


class L1Loss(_Difference):
    """Mean absolute error; see `functional.l1_loss`."""

    function = F.l1_loss


class SmoothL1Loss(_Loss):
    """Squared near 0 and absolute beyond; see `functional.smooth_l1_loss`."""

    function = F.smooth_l1_loss


class HuberLoss(_Loss):
    """Squared near 0 and absolute beyond; see `functional.huber_loss`."""

    function = F.huber_loss

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        if not isinstance(delta, (float, int)):
            raise TypeError(f"delta must be a float or int, got: {type(delta)}")
        super().__init__(reduction, delta)


class BCELoss(_WeightedLoss):
    """Cross entropy of probabilities of yes and no; see `functional.binary_cross_entropy`."""

    function = F.binary_cross_entropy


class BCEWithLogitsLoss(_Loss):
    """Cross entropy of scores before the sigmoid; see `functional.binary_cross_entropy_with_logits`."""

    function = F.binary_cross_entropy_with_logits


class KLDivLoss(_Loss):
    """Kullback-Leibler divergence; see `functional.kl_div`."""

    function = F.kl_div


class HingeEmbeddingLoss(_Loss):
    """Distances, and by how much others fall short of a margin; see `functional.hinge_embedding_loss`."""

    function = F.hinge_embedding_loss


class MarginRankingLoss(_Loss):
    """By how much one input fails to exceed the other; see `functional.margin_ranking_loss`."""

    function = F.margin_ranking_loss
    inputs = 3


class SoftMarginLoss(_Loss):
    """Logistic loss of targets of 1 and -1; see `functional.soft_margin_loss`."""

    function = F.soft_margin_loss


class CosineEmbeddingLoss(_Loss):
    """How far an angle is from what it should be; see `functional.cosine_embedding_loss`."""

    function = F.cosine_embedding_loss
    inputs = 3


class TripletMarginLoss(_Loss):
    """By how much the wrong neighbour is nearer; see `functional.triplet_margin_loss`."""

    function = F.triplet_margin_loss
    inputs = 3


class TripletMarginWithDistanceLoss(_Loss):
    """`TripletMarginLoss` with a distance of one's own; see `functional.triplet_margin_with_distance_loss`."""

    function = F.triplet_margin_with_distance_loss
    inputs = 3


class MultiMarginLoss(_WeightedLoss):
    """By how much other classes come near the right one; see `functional.multi_margin_loss`."""

    function = F.multi_margin_loss


class MultiLabelMarginLoss(_Loss):
    """Margins between the classes of a row and all others; see `functional.multilabel_margin_loss`."""

    function = F.multilabel_margin_loss


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """Logistic loss of several labels; see `functional.multilabel_soft_margin_loss`."""

    function = F.multilabel_soft_margin_loss
