"""Losses that are 0 once something is right by a margin, and the distance that some of them measure.

`functional` has them under torch's names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from minigrad.autograd import wrap
from minigrad.nn.reduction import checked, reduced
from minigrad.ops.activation import logsigmoid
from minigrad.ops.dims import numpy_names
from minigrad.ops.elementwise import minimum
from minigrad.ops.loss import soft_margin
from minigrad.ops.shape import broadcast_tensors

if TYPE_CHECKING:
    from minigrad.tensors.tensor import Tensor


@numpy_names
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last dimension."""
    return (x1 - x2 + eps).norm(p, -1, keepdim)


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The distances in `input` where `target` is 1, and max(0, margin - input) where it is -1."""
    reduction = checked("hinge_embedding_loss", reduction, size_average, reduce, input, target)
    far = (margin - input).clamp_min(0).masked_fill(target == 1, 0)
    return reduced(far + input.masked_fill(target == -1, 0), reduction)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:
    """max(0, margin - target · (input1 - input2)): a target of 1 wants the first input to be larger, -1 the second.

    Raises
    ------
    RuntimeError
        If the numbers of dimensions differ.
    """
    reduction = checked("margin_ranking_loss", reduction, size_average, reduce, input1, input2, target)
    _same_dimensions("margin_ranking_loss", input1=input1, input2=input2, target=target)
    return reduced((-target * (input1 - input2) + margin).clamp_min(0), reduction)


def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Tensor:
    """log(1 + exp(-target · input)), for targets of 1 and -1."""
    reduction = checked("soft_margin_loss", reduction, size_average, reduce, input, target)
    x, t = broadcast_tensors(input, target)
    return soft_margin(x, t, reduction)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:
    """1 - cos of the angle between two vectors where `target` is 1, max(0, cos - margin) where it is -1.

    Parameters
    ----------
    input1, input2 : Tensor of shape (n, features) or (features)
    target : Tensor of shape (n) or ()

    Raises
    ------
    RuntimeError
        If the numbers of dimensions do not fit.
    """
    reduction = checked("cosine_embedding_loss", reduction, size_average, reduce, input1, input2, target)
    dim = target.dim()
    if dim > 1 or {input1.dim(), input2.dim()} != {dim + 1}:
        raise RuntimeError("cosine_embedding_loss(): expected inputs of shape (n, features) and a target of shape (n), or "
                           f"(features) and (), but got {list(input1.shape)}, {list(input2.shape)} and {list(target.shape)}")
    squares = ((input1 * input1).sum(dim) + 1e-12) * ((input2 * input2).sum(dim) + 1e-12)
    cos = (input1 * input2).sum(dim) / squares.sqrt()
    return reduced((1 - cos).masked_fill(target != 1, 0) + (cos - margin).clamp_min(0).masked_fill(target != -1, 0), reduction)


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2, eps: float = 1e-6, swap: bool = False,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:
    """max(0, margin + d(anchor, positive) - d(anchor, negative)), d being `pairwise_distance` with `p` and `eps`.

    Parameters
    ----------
    swap : bool
        Where the positive is nearer to the negative than the anchor is, count that distance instead (Balntas et al., 2016).

    Raises
    ------
    ValueError
        If `margin` is not positive.
    RuntimeError
        If the numbers of dimensions differ.
    """
    reduction = checked("triplet_margin_loss", reduction, size_average, reduce, anchor, positive, negative)

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return pairwise_distance(a, b, p, eps)

    return triplet_margin_with_distance_loss(
        anchor, positive, negative, distance_function=distance, margin=margin, swap=swap, reduction=reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *, distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0, swap: bool = False, reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with a distance of one's own."""
    checked("triplet_margin_with_distance_loss", reduction, None, None, anchor, positive, negative)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    _same_dimensions("triplet_margin_loss", anchor=anchor, positive=positive, negative=negative)
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    far = minimum(far, distance(positive, negative)) if swap else far
    return reduced((margin + near - far).clamp_min(0), reduction)


def multi_margin_loss(
    input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:
    """Σ max(0, margin - input[target] + input[j])ᵖ / classes, over all classes j but the target.

    Parameters
    ----------
    input : Tensor of shape (n, classes) or (classes)
    target : int64 Tensor of shape (n) or ()
    p : int
        1 or 2.
    weight : Tensor of shape (classes), optional
        What each class counts for, where it is the target.

    Raises
    ------
    ValueError
        If `p` is another number, or `weight` has another number of dimensions.
    RuntimeError
        If the sizes do not fit, or a target is no class.
    """
    reduction = checked("multi_margin_loss", reduction, size_average, reduce, input, target)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    classes = input.shape[-1] if input.dim() in (1, 2) else 0
    n = input.numel() // classes if classes else 0
    if not classes or target.dim() > 1 or target.numel() != n or (weight is not None and len(weight) != classes):
        raise RuntimeError("multi_margin_loss(): expected an input of shape (n, classes) or (classes), a target for each row and a "
                           f"weight for each class, but got {list(input.shape)}, {list(target.shape)} and "
                           f"{None if weight is None else list(weight.shape)}")
    places = target.reshape(n, 1)
    if not ((places.array >= 0) & (places.array < classes)).all():
        raise RuntimeError("multi_margin_loss(): target out of range: a class is a number from 0 to one less than the classes")
    rows = input.reshape(n, classes)
    others = wrap(np.arange(classes) != places.array)
    losses = (margin - rows.gather(1, places) + rows).clamp_min(0) ** p
    if weight is not None:
        losses = losses * weight[places]
    losses = losses.masked_fill(~others, 0).sum(1) / classes
    return reduced(losses if input.dim() == 2 else losses.squeeze(0), reduction)


def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Tensor:
    """Σ max(0, 1 - (input[i] - input[j])) / classes, over the classes i of a row and all classes j that are none of them.

    Parameters
    ----------
    input : Tensor of shape (n, classes) or (classes)
    target : int64 Tensor of the same shape
        The classes of each row, in front; -1 marks their end.

    Raises
    ------
    RuntimeError
        If the shapes differ, or a target is no class.
    """
    reduction = checked("multilabel_margin_loss", reduction, size_average, reduce, input, target)
    if input.dim() not in (0, 1, 2) or target.shape != input.shape:
        raise RuntimeError(f"multilabel_margin_loss(): inconsistent target size: expected {list(input.shape)}, of one or two "
                           f"dimensions, but got {list(target.shape)}")
    classes = input.shape[-1] if input.dim() else 1
    rows, places = input.reshape(-1, classes), target.array.reshape(-1, classes)
    if ((places < -1) | (places >= classes)).any():
        raise RuntimeError("multilabel_margin_loss(): target out of range: a class is a number from 0 to one less than the "
                           "classes, or -1")
    listed = np.logical_and.accumulate(places >= 0, 1)
    is_target = (listed[:, :, None] & (places[:, :, None] == np.arange(classes))).any(1)
    of_targets = rows.gather(1, wrap(np.where(listed, places, 0)))
    losses = (1 - of_targets.unsqueeze(2) + rows.unsqueeze(1)).clamp_min(0)
    losses = losses.masked_fill(wrap(~(listed[:, :, None] & ~is_target[:, None])), 0).sum((1, 2)) / classes
    return reduced(losses if input.dim() == 2 else losses.squeeze(0), reduction)


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """`binary_cross_entropy_with_logits`, averaged over the last dimension, the classes."""
    reduction = checked("multilabel_soft_margin_loss", reduction, size_average, reduce, input, target)
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    losses = losses if weight is None else losses * weight
    return reduced(losses.sum(-1) / input.shape[-1], reduction)


def _same_dimensions(name: str, **tensors: Tensor) -> None:
    if len({x.dim() for x in tensors.values()}) > 1:
        sizes = ", ".join(f"{key}: {list(x.shape)}" for key, x in tensors.items())
        raise RuntimeError(f"{name}(): the inputs are expected to have the same number of dimensions, but got {sizes}")
