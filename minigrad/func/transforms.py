"""`grad`, `vjp`, `jvp`, `jacrev` and `hessian`: functions that take a function and return its derivative.

They can be nested, as in ``grad(grad(f))``. Arguments may be nests of dictionaries, lists and tuples, and the derivatives are
nests of the same form; so ``grad(loss)(parameters)`` takes the dictionary of a module's parameters.

A function is called on tensors of its own, for which gradients are asked. What it returns is given out without a history,
unless it depends on something else that requires a gradient: a tensor that the caller wants to differentiate, or the argument
of an outer transform.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, NoReturn

from minigrad.autograd import enable_grad, functional, is_grad_enabled, nodes_behind
from minigrad.func.trees import flatten, mapped
from minigrad.tensors.tensor import Tensor


def grad(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that computes the gradient of `func`, whose value is a tensor without dimensions.

    Parameters
    ----------
    func : callable
        What is differentiated.
    argnums : int or tuple of int
        With respect to which positional arguments; for a tuple, the gradients are a tuple.
    has_aux : bool
        `func` returns a pair, the value and something else, which the new function returns after the gradient.

    Returns
    -------
    callable
        Takes the arguments of `func`.

    Raises
    ------
    RuntimeError
        When the new function is called, if the value of `func` is no tensor without dimensions, or there is no such argument.

    Examples
    --------
    >>> import minigrad as torch
    >>> grad(torch.sin)(torch.tensor(0.0)), grad(grad(torch.exp))(torch.tensor(0.0))
    (tensor(1.), tensor(1.))
    """

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, value = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def grad_and_value(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """Like `grad`; the new function returns the gradient and the value: ``(gradient, value)`` or ``(gradient, (value, aux))``."""

    @functools.wraps(func)
    def gradient_and_value(*args: Any, **kwargs: Any) -> Any:
        at = _Point("grad_and_value", func, args, kwargs, argnums, has_aux)
        value = at.result
        if not isinstance(value, Tensor) or value.ndim:
            got = f"got tensor with {value.ndim} dims" if isinstance(value, Tensor) else f"got {type(value)}"
            raise RuntimeError(f"grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, {got}. Maybe you wanted to "
                               "use the vjp or jacrev APIs instead?")
        found = at.zero_for_none(functional.gradients((value,), at.inputs, (None,), at.recorded, retain_graph=True))
        value = at.given_out(value)
        return at.build(found), (value, at.given_out(at.aux)) if has_aux else value

    return gradient_and_value


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """`func` at `primals`, and the function that multiplies a vector with its Jacobian there: v to vᵀJ.

    Returns
    -------
    tuple
        The value, the function, and what `func` returned after the value if `has_aux`. The function takes a nest of the form
        of the value, and returns one of the form of the argument, or a tuple of these if there are several arguments.

    Examples
    --------
    >>> import minigrad as torch
    >>> value, product = vjp(torch.square, torch.tensor([1.0, 2.0]))
    >>> value, *product(torch.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    at = _Point("vjp", func, primals, {}, tuple(range(len(primals))), has_aux)
    outputs = at.outputs()

    def product(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        vectors = _matching("vjp", cotangents, outputs, at.result)
        create_graph = at.recorded or _require_grad(vectors) if create_graph is None else create_graph
        found = functional.gradients(outputs, at.inputs, vectors, create_graph, retain_graph or create_graph)
        return at.build(at.zero_for_none(found))

    value = at.given_out(at.result)
    return (value, product, at.given_out(at.aux)) if has_aux else (value, product)


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> tuple[Any, ...]:
    """`func` at `primals`, and the product of its Jacobian there with the vector `tangents`.

    Parameters
    ----------
    primals, tangents : tuple
        The arguments of `func`, and for each a nest of the same form.
    strict : bool
        Refuse an output that does not depend on the primals, instead of giving zeros.

    Returns
    -------
    tuple
        The value and the product, and what `func` returned after the value if `has_aux`.

    Examples
    --------
    >>> import minigrad as torch
    >>> jvp(torch.square, (torch.tensor([1.0, 2.0]),), (torch.tensor([1.0, 10.0]),))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    if not isinstance(primals, tuple) or not primals:
        raise RuntimeError("jvp(f, primals, tangents): Expected primals to be a tuple that is not empty, got "
                           f"{type(primals).__name__}")
    at = _Point("jvp", func, primals, {}, tuple(range(len(primals))), has_aux)
    vectors = _matching("jvp", tangents, at.inputs, primals)
    outputs = at.outputs()
    if strict and not all(t.requires_grad for t in outputs):
        raise RuntimeError("jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs.")
    products = functional.products_from_the_right(outputs, at.inputs, vectors, at.recorded or _require_grad(vectors))
    _, build = flatten(at.result)
    pairs = zip(products, outputs, strict=True)
    value, product = at.given_out(at.result), build(functional.zeros((), out) if p is None else p for p, out in pairs)
    return (value, product, at.given_out(at.aux)) if has_aux else (value, product)


def jacrev(
    func: Callable[..., Any], argnums: Any = 0, *, has_aux: bool = False, chunk_size: int | None = None
) -> Callable[..., Any]:
    """The function that computes the Jacobian of `func`, row by row.

    Parameters
    ----------
    func, argnums, has_aux
        As in `grad`; `func` may return any nest of tensors.
    chunk_size : int, optional
        For torch how many rows to compute at a time; here it is always one.

    Returns
    -------
    callable
        Takes the arguments of `func`, and returns a nest of the form of the value, in which each tensor is replaced by the
        nest of its derivatives with respect to the argument. Their shapes are those of both, one after the other.

    Examples
    --------
    >>> import minigrad as torch
    >>> jacrev(lambda x: x * x.sum())(torch.tensor([1.0, 2.0]))
    tensor([[4., 1.],
            [2., 5.]])
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"jacrev: `chunk_size` should be greater than 0, got {chunk_size}.")

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        at = _Point("jacrev", func, args, kwargs, argnums, has_aux)
        _, build = flatten(at.result)
        blocks = [at.zero_for_none(functional.rows(out, at.inputs, at.recorded), out.shape) for out in at.outputs()]
        result = build(map(at.build, blocks))
        return (result, at.given_out(at.aux)) if has_aux else result

    return jacobian


def jacfwd(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False, *, randomness: str = "error") -> Callable[..., Any]:
    """`jacrev`, under the name of what torch computes column by column: there is no forward mode here.

    `randomness`, which torch hands to `vmap`, is not needed: the function is called once.
    """
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """The function that computes the Hessian of `func`: the Jacobian of the Jacobian."""
    return jacfwd(jacrev(func, argnums), argnums)


def vmap(func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *,
         chunk_size: int | None = None) -> NoReturn:
    """Not supported: write the function for a whole batch, or call it for each sample."""
    raise NotImplementedError("vmap is not supported; write the function for a whole batch, or call it for each sample and "
                              "stack the results: torch.stack([f(x) for x in batch])")


# ---- what they share -----------------------------------------------------------------------------------------------------


class _Point:
    """A function evaluated where its derivative is to be taken.

    Attributes
    ----------
    inputs : list of Tensor
        The tensors in the arguments with respect to which it is differentiated.
    build : callable
        Makes a nest of the form of these arguments of as many other things.
    result, aux
        What the function returned.
    recorded : bool
        Whether the result depends on more than `inputs`, so that the derivative has to be recorded.
    """

    def __init__(self, name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], argnums: Any,
                 has_aux: bool) -> None:
        self.name = name
        outside = is_grad_enabled()
        with enable_grad():
            chosen, self.build = flatten(_chosen(args, argnums))
            for x in chosen:
                if not isinstance(x, Tensor):
                    raise ValueError(f"Thing passed to transform API must be Tensor, got {type(x)}")
            self.inputs: list[Any] = [x.view_as(x) if x.requires_grad else x.detach().requires_grad_() for x in chosen]
            result = func(*_replaced(args, argnums, self.build(self.inputs)), **kwargs)
        if has_aux and not (isinstance(result, tuple) and len(result) == 2):
            raise RuntimeError(f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True")
        self.result: Any
        self.aux: Any
        self.result, self.aux = result if has_aux else (result, None)
        self.recorded = outside and any(self.depends_on_more(t) for t in flatten(self.result)[0])

    def outputs(self) -> list[Any]:
        """The tensors in the result, which must be nothing else."""
        outputs, _ = flatten(self.result)
        for t in outputs:
            if not isinstance(t, Tensor):
                raise RuntimeError(f"{self.name}(f, *primals): expected f(*primals) to return only tensors, got unsupported type "
                                   f"{type(t)}")
        if not outputs:
            raise RuntimeError(f"{self.name}(f, *primals): expected f(*primals) to return at least one tensor, got {self.result!r}")
        return outputs

    def depends_on_more(self, x: Any) -> bool:
        """Whether `x` is a tensor that depends on a leaf that requires a gradient and is not one of the inputs."""
        if not isinstance(x, Tensor) or not x.requires_grad:
            return False
        own = set(map(id, self.inputs))
        if x.grad_fn is None:
            return id(x) not in own
        edges = chain.from_iterable(node.edges for node in nodes_behind([x.grad_fn]))
        return any(isinstance(edge, Tensor) and id(edge) not in own for edge in edges)

    def given_out(self, tree: Any) -> Any:
        """A nest with its tensors without a history, unless they depend on more than the inputs."""
        recording = is_grad_enabled()

        def freed(x: Any) -> Any:
            return x if not isinstance(x, Tensor) or (recording and self.depends_on_more(x)) else x.detach()

        return mapped(freed, tree)

    def zero_for_none(self, derivatives: Sequence[Any], lead: tuple[int, ...] = ()) -> list[Any]:
        """Derivatives with respect to the inputs, with zeros where there are none."""
        return [functional.zeros(lead, x) if d is None else d for d, x in zip(derivatives, self.inputs, strict=True)]


def _chosen(args: tuple[Any, ...], argnums: Any) -> Any:
    """The arguments with respect to which is differentiated: one, or for a tuple of numbers a tuple."""
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)
    if not numbers or not all(isinstance(n, int) for n in numbers) or len(set(numbers)) < len(numbers):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], not empty and unique, got {argnums!r}")
    for n in numbers:
        if not -len(args) <= n < len(args):
            raise RuntimeError(f"Got argnum={n}, but only {len(args)} positional inputs")
    return tuple(args[n] for n in argnums) if isinstance(argnums, tuple) else args[argnums]


def _replaced(args: tuple[Any, ...], argnums: Any, new: Any) -> list[Any]:
    """The arguments with others in the places of those that `_chosen` gave."""
    result = list(args)
    for n, value in zip(argnums, new, strict=True) if isinstance(argnums, tuple) else [(argnums, new)]:
        result[n] = value
    return result


def _matching(name: str, tree: Any, tensors: Sequence[Any], like: Any) -> list[Any]:
    """The tensors of a nest that must have the form and the shapes of another one."""
    found, _ = flatten(tree)
    _, build = flatten(like)
    if len(found) != len(tensors) or mapped(lambda x: None, tree) != build([None] * len(tensors)):
        raise RuntimeError(f"{name}: Expected a vector of the same structure as {build(range(len(tensors)))}, got "
                           f"{mapped(lambda x: type(x).__name__, tree)}")
    for v, t in zip(found, tensors, strict=True):
        if v.shape != t.shape:
            raise RuntimeError(f"{name}: Expected a vector of the shape {list(t.shape)}, got {list(v.shape)}")
    return found


def _require_grad(tensors: Sequence[Any]) -> bool:
    return is_grad_enabled() and any(t.requires_grad for t in tensors)
