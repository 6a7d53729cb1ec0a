"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from minigrad.ops.shape import cat
from minigrad.tensors.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of all parameters, one after the other, shape (n,), as torch.nn.utils.parameters_to_vector."""
    return cat([p.view(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Let parameters show the parts of a vector, whose memory they then share, as torch.nn.utils.vector_to_parameters.

    Parameters
    ----------
    vec : Tensor
        Of shape (n,), with all the elements, as `parameters_to_vector` gives it; what is left over is not used.
    parameters : iterable of Tensor
        Whose `data` to replace.

    Raises
    ------
    TypeError
        If `vec` is no tensor.
    RuntimeError
        If it has too few elements.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    start = 0
    for p in parameters:
        p.data = vec[start : start + p.numel()].view_as(p).data
        start += p.numel()
