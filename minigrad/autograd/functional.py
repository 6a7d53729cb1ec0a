"""Derivatives of functions: the Jacobian, the Hessian, and products with them, under torch's names.

The functions to differentiate take one tensor or several, and return one or several. Everything is done with `grad`: it gives a
product of a vector with a Jacobian, vᵀJ. Three ideas lead from there to the rest:

- The rows of J are the products with the unit vectors.
- vᵀJ is linear in v, with the matrix Jᵀ. So its derivative along a vector w is Jw: a product from the other side.
- The Hessian is the Jacobian of the gradient.

As in a rule, what has to be recorded is written in NumPy's functions, which tensors send to the operations of those names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.autograd.engine import grad
from minigrad.autograd.grad_mode import enable_grad
from minigrad.autograd.tensor_base import TensorBase, wrap

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The product vᵀJ of a vector with the Jacobian of `func` at `inputs`.

    Parameters
    ----------
    func : callable
        Tensors to a tensor or a tuple of tensors.
    inputs : Tensor or tuple of Tensor
        Where the derivative is taken.
    v : Tensor or tuple of Tensor, optional
        The vector, of the shapes of the outputs; may be left out if the output is a single number.
    create_graph : bool
        Record the computation, so that the results can be differentiated in turn.
    strict : bool
        Refuse an output that does not depend on the inputs, instead of giving zeros.

    Returns
    -------
    tuple
        The outputs of `func`, and the product, which has the shapes of the inputs.

    Raises
    ------
    TypeError
        If inputs or outputs are not tensors.
    RuntimeError
        If `v` does not fit, or by `strict`.

    Examples
    --------
    >>> import minigrad as torch
    >>> vjp(lambda x: x**2, torch.tensor([1.0, 2.0]), torch.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    at = _Point("vjp", func, inputs, create_graph, strict)
    v = at.vector(v, at.outputs, at.many_outputs)
    product = at.filled(gradients(at.outputs, at.inputs, v, create_graph), at.inputs, 0)
    return at.returned(at.outputs, at.many_outputs), at.returned(product, at.many_inputs)


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The product Jv of the Jacobian of `func` at `inputs` with a vector.

    The arguments are those of `vjp`; `v` has the shapes of the inputs, and the product those of the outputs.

    Examples
    --------
    >>> import minigrad as torch
    >>> jvp(lambda x: x.sum() * x, torch.tensor([1.0, 2.0]), torch.tensor([1.0, 0.0]))
    (tensor([3., 6.]), tensor([4., 2.]))
    """
    at = _Point("jvp", func, inputs, create_graph, strict)
    v = at.vector(v, at.inputs, at.many_inputs)
    product = at.filled(products_from_the_right(at.outputs, at.inputs, v, create_graph), at.outputs, 0)
    return at.returned(at.outputs, at.many_outputs), at.returned(product, at.many_outputs)


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The product vᵀH of a vector with the Hessian, at `inputs`, of a function whose value is a single number.

    The arguments are those of `vjp`; `v` and the product have the shapes of the inputs.

    Examples
    --------
    >>> import minigrad as torch
    >>> vhp(lambda x: x.prod(), torch.tensor([1.0, 2.0]), torch.tensor([1.0, 10.0]))
    (tensor(2.), tensor([10.,  1.]))
    """
    return _hessian_product("vhp", func, inputs, v, create_graph, strict)


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The product Hv of the Hessian with a vector: `vhp`, since a Hessian is symmetric."""
    return _hessian_product("hvp", func, inputs, v, create_graph, strict)


def _hessian_product(
    name: str, func: Callable[..., Any], inputs: Any, v: Any, create_graph: bool, strict: bool
) -> tuple[Any, Any]:
    at = _Point(name, func, inputs, create_graph, strict)
    v = at.vector(v, at.inputs, at.many_inputs)
    _check_scalar(name, at.many_outputs, at.outputs)
    first = gradients(at.outputs, at.inputs, (None,), True)
    at.check_dependent(first, "jacobian")
    product = at.filled(gradients(first, at.inputs, v, create_graph), at.inputs, 1)
    return at.returned(at.outputs, False), at.returned(product, at.many_inputs)


def jacobian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of `func` at `inputs`, row by row.

    Parameters
    ----------
    func, inputs, create_graph, strict
        As in `vjp`.
    vectorize : bool
        torch computes the same result in another way; so it has no effect here.
    strategy : str
        ``"reverse-mode"``, or with `vectorize` and without `create_graph` and `strict` ``"forward-mode"``, which has no effect
        here either.

    Returns
    -------
    Tensor or nested tuple of Tensor
        The derivative of output i with respect to input j has the shapes of both, one after the other. It is ``result[i][j]``
        if there are tuples of outputs and of inputs; where there is only one without a tuple, its index is left out.

    Examples
    --------
    >>> import minigrad as torch
    >>> jacobian(lambda x: x * x.sum(), torch.tensor([1.0, 2.0]))
    tensor([[4., 1.],
            [2., 5.]])
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(f'Expected strategy to be either "forward-mode" or "reverse-mode", got {strategy!r}.')
    if strict and (vectorize or strategy == "forward-mode"):
        raise RuntimeError('jacobian: `strict=True` is not supported together with `vectorize=True` or `strategy="forward-mode"`')
    if strategy == "forward-mode" and (create_graph or not vectorize):
        raise NotImplementedError('jacobian: `strategy="forward-mode"` needs `vectorize=True` and `create_graph=False`; use '
                                  '`strategy="reverse-mode"`')
    at = _Point("jacobian", func, inputs, create_graph, strict)
    blocks = [at.filled(rows(out, at.inputs, create_graph), at.inputs, 0, out.shape) for out in at.outputs]
    result = tuple(block if at.many_inputs else block[0] for block in blocks)
    return result if at.many_outputs else result[0]


def hessian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian, at `inputs`, of a function whose value is a single number: the Jacobian of its gradient.

    Parameters
    ----------
    func, inputs, create_graph, strict, vectorize, outer_jacobian_strategy
        As in `jacobian`.

    Returns
    -------
    Tensor or tuple of tuple of Tensor
        Its shape is the input's, twice, one after the other. If there is a tuple of inputs, ``result[i][j]`` has the shapes of
        inputs i and j.

    Examples
    --------
    >>> import minigrad as torch
    >>> hessian(lambda x: (x**3).sum(), torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    many, inputs = _as_tuple("hessian", "inputs", inputs)

    def scalar(*xs: Any) -> Any:
        many_outputs, outputs = _as_tuple("hessian", "outputs of the user-provided function", func(*xs))
        _check_scalar("hessian", many_outputs, outputs)
        if strict:
            _check_requires_grad(outputs, "output")
        return outputs[0].squeeze()

    def gradient(*xs: Any) -> Any:
        found = jacobian(scalar, xs, create_graph=True)
        if strict:
            _check_requires_grad(found, "jacobian")
        return found

    result = jacobian(gradient, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)
    return result if many else result[0][0]


# ---- what they are made of -----------------------------------------------------------------------------------------------


def gradients(
    outputs: Sequence[Any], inputs: Sequence[Any], vectors: Sequence[Any], create_graph: bool, retain_graph: bool | None = None
) -> tuple[Any, ...]:
    """`grad`, with None for inputs that no output depends on; outputs that are None or constants count for nothing."""
    pairs = [(out, v) for out, v in zip(outputs, vectors, strict=True) if out is not None and out.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    outputs, vectors = zip(*pairs, strict=True)
    return grad(outputs, inputs, vectors, retain_graph, create_graph, allow_unused=True)


def products_from_the_right(
    outputs: Sequence[Any], inputs: Sequence[Any], vectors: Sequence[Any], create_graph: bool
) -> tuple[Any, ...]:
    """Jv, one product per output: the derivative along v of uᵀJ with respect to u, which does not depend on u."""
    u = [wrap(np.zeros_like(out.array), requires_grad=True) for out in outputs]
    return gradients(gradients(outputs, inputs, u, True), u, vectors, create_graph, retain_graph=True)


def rows(output: Any, inputs: Sequence[Any], create_graph: bool) -> tuple[Any, ...]:
    """The derivatives of one output with respect to each input, in a tensor of their shapes; None for what it does not read."""
    unit = np.zeros(output.shape, output.array.dtype)
    products = []
    for place in np.ndindex(unit.shape):
        v = unit.copy()
        v[place] = 1
        products.append(gradients((output,), inputs, (wrap(v),), create_graph, retain_graph=True))
    if not products:
        return tuple(zeros(output.shape, x) for x in inputs)
    return tuple(
        None if all(row is None for row in each) else np.stack(each).view(output.shape + x.shape)
        for x, each in zip(inputs, zip(*products, strict=True), strict=True))


def zeros(lead: tuple[int, ...], like: Any) -> Any:
    """Zeros of the shape `lead`, followed by that of `like`."""
    return wrap(np.zeros(lead + like.array.shape, like.array.dtype))


class _Point:
    """A function evaluated where its derivative is to be taken.

    Attributes
    ----------
    inputs, outputs : tuple of Tensor
        What the function got, and returned.
    many_inputs, many_outputs : bool
        Whether they were given as tuples, and are to be returned as such.
    """

    def __init__(self, name: str, func: Callable[..., Any], inputs: Any, create_graph: bool, strict: bool) -> None:
        self.name, self.create_graph, self.strict = name, create_graph, strict
        with enable_grad():
            self.many_inputs, given = _as_tuple(name, "inputs", inputs)
            self.inputs = tuple(t.view_as(t) if create_graph and t.requires_grad else t.detach().requires_grad_() for t in given)
            result = func(*self.inputs)
        self.many_outputs, self.outputs = _as_tuple(name, "outputs of the user-provided function", result)
        self.check_dependent(self.outputs, "output")

    def check_dependent(self, tensors: Sequence[Any], what: str) -> None:
        """If strict, refuse tensors that do not depend on the inputs."""
        if self.strict:
            _check_requires_grad(tensors, what)

    def vector(self, v: Any, like: Sequence[Any], many: bool) -> tuple[Any, ...]:
        """The vector of a product as a tuple, its shapes checked."""
        if v is None:
            if len(like) == 1 and like[0].array.size == 1:
                return (wrap(np.ones_like(like[0].array)),)
            raise RuntimeError(f"{self.name}: the vector v can only be None where it has a single element, and here it should have "
                               f"the shapes {[list(t.shape) for t in like]}")
        v = _as_tuple(self.name, "v", v)[1]
        if len(v) != len(like):
            raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(v)}." if many else
                               "The given v should contain a single Tensor.")
        for i, (each, t) in enumerate(zip(v, like, strict=True)):
            if each.shape != t.shape:
                entry = f"Entry {i} in " if many else ""
                raise RuntimeError(f"{entry}v has invalid size: should be {t.shape} but got {each.shape}.")
        return tuple(each if self.create_graph else each.detach() for each in v)

    def filled(self, derivatives: Sequence[Any], like: Sequence[Any], order: int, lead: tuple[int, ...] = ()) -> tuple[Any, ...]:
        """Derivatives with zeros where there are none, in the shape `lead` and then that of `like`; if strict, an error.

        `order` is that of what was differentiated.
        """
        names = ("output", "jacobian", "hessian")
        for i, d in enumerate(derivatives):
            if self.strict and d is None:
                raise RuntimeError(f"The {names[order]} of the user-provided function is independent of input {i}. This is not "
                                   "allowed in strict mode.")
            if self.strict and self.create_graph and not d.requires_grad:
                raise RuntimeError(f"The {names[order + 1]} of the user-provided function is independent of input {i}. This is not "
                                   "allowed in strict mode when create_graph=True.")
        return tuple(zeros(lead, t) if d is None else d for d, t in zip(derivatives, like, strict=True))

    def returned(self, tensors: Sequence[Any], many: bool) -> Any:
        """A tuple, or its only element, of tensors that have a history only if the computation was to be recorded."""
        result = tuple(t if self.create_graph else t.detach() for t in tensors)
        return result if many else result[0]


def _as_tuple(name: str, what: str, x: Any) -> tuple[bool, tuple[Any, ...]]:
    """Whether `x` is a tuple, and the tensors in it, or that it is."""
    tensors = x if isinstance(x, tuple) else (x,)
    for i, t in enumerate(tensors):
        if not isinstance(t, TensorBase):
            which = f"the value at index {i}" if isinstance(x, tuple) else f"the given {what}"
            raise TypeError(f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but {which} has type "
                            f"{type(t)}.")
    return isinstance(x, tuple), tensors


def _check_scalar(name: str, many: bool, outputs: Sequence[Any]) -> None:
    if many or outputs[0].array.size != 1:
        raise RuntimeError(f"The function given to {name} should return a single Tensor that contains a single element, got "
                           f"{[list(t.shape) for t in outputs]}")


def _check_requires_grad(tensors: Sequence[Any], what: str) -> None:
    for i, t in enumerate(tensors):
        if t is None or not t.requires_grad:
            raise RuntimeError(f"Entry {i} of the {what} of the user-provided function is independent of the inputs. This is not "
                               "allowed in strict mode.")
