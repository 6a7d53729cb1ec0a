"""Checkpoints: memory saved by computing again in backward what forward does not keep.

`checkpoint` calls a function and lets go of all that its operations would keep for backward. When backward arrives, the function is
called a second time. There are two ways to do so, as in torch:

- ``use_reentrant=False``: the graph is recorded as always, but its nodes hold no rules. When the turn of one of them comes, the
  function is called again, and each node takes over the rules of the one that is recorded in its place.
- ``use_reentrant=True``: the whole function is one node. Its derivative calls the function again, and starts a backward pass of
  its own.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

from minigrad.autograd import Function, Node, backward, enable_grad
from minigrad.autograd.graph import watching
from minigrad.autograd.passes import innermost_pass
from minigrad.nn import Sequential
from minigrad.random import fork_rng, get_rng_state, set_rng_state
from minigrad.tensors.tensor import Tensor


class CheckpointError(RuntimeError):
    """What is raised where the second call does not do what the first one did."""


def noop_context_fn() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """The default of `context_fn`: two contexts that do nothing."""
    return nullcontext(), nullcontext()


def checkpoint(
    function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn, determinism_check: str = "default", debug: bool = False,
    early_stop: bool = True, preserve_rng_state: bool = True, **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``, of which nothing is kept for backward but the arguments: it is called again then.

    Parameters
    ----------
    function : callable
        Part of a model. It has to do the same when it is called a second time.
    args, kwargs
        Its arguments; keywords with ``use_reentrant=False`` only.
    use_reentrant : bool
        Which of the two ways, see above; False is recommended. With True, one of the `args` must require a gradient, and only
        `backward` without `inputs` reaches it.
    context_fn : callable, optional
        Returns two context managers, for the first and the second call; with ``use_reentrant=False`` only.
    determinism_check : str
        ``"default"`` to compare the shapes of what the two calls compute, or ``"none"``.
    debug : bool
        Not supported.
    early_stop : bool
        Without effect: the second call is always complete.
    preserve_rng_state : bool
        Let the second call draw the same random numbers as the first one.

    Raises
    ------
    CheckpointError
        In backward, if the second call differs from the first.

    Examples
    --------
    >>> import minigrad as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> checkpoint(lambda t: t.exp().sin(), x, use_reentrant=False).sum().backward()
    >>> x.grad
    tensor([-2.4784,  3.3129])
    """
    use_reentrant = _said("torch.utils.checkpoint", use_reentrant)
    if debug:
        raise NotImplementedError("checkpoint(): debug=True is not supported")
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check should be one of ('default', 'none'), but got {determinism_check!r}")
    rng_state = get_rng_state() if preserve_rng_state else None
    if not use_reentrant:
        first, second = context_fn()
        kept = _Kept(lambda: function(*args, **kwargs), second, rng_state, determinism_check)
        with first, kept.forgetting():
            return function(*args, **kwargs)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if context_fn is not noop_context_fn:
        raise ValueError("Passing `context_fn` is only supported when use_reentrant=False.")
    if not any(isinstance(x, Tensor) and x.requires_grad for x in args):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)
    return CheckpointFunction.apply(function, rng_state, *args)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, preserve_rng_state: bool = True
) -> Any:
    """`checkpoint` of each of several segments of a sequence, but the last.

    Parameters
    ----------
    functions : Sequential or sequence of callable
        Each gets what the one before returned.
    segments : int
        How many parts to make.
    input : Tensor
        What the first one gets.
    use_reentrant, preserve_rng_state
        As in `checkpoint`.
    """
    use_reentrant = _said("torch.utils.checkpoint.checkpoint_sequential", use_reentrant)
    functions = list(functions.children() if isinstance(functions, Sequential) else functions)
    size = len(functions) // segments
    bounds = [size * i for i in range(segments)]
    for start, end in itertools.pairwise(bounds):
        part = _in_turn(functions[start:end])
        input = checkpoint(part, input, use_reentrant=use_reentrant, preserve_rng_state=preserve_rng_state)
    return _in_turn(functions[bounds[-1] :])(input)


def _said(name: str, use_reentrant: bool | None) -> bool:
    """`use_reentrant`; True if it is not given, with torch's warning."""
    if use_reentrant is None:
        warnings.warn(f"{name}: the use_reentrant parameter should be passed explicitly. use_reentrant=False is recommended; "
                      "without it, as in torch, use_reentrant=True is taken.", stacklevel=3)
    return True if use_reentrant is None else use_reentrant


def _in_turn(functions: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def run(x: Any) -> Any:
        for function in functions:
            x = function(x)
        return x

    return run


@contextmanager
def _drawing_from(rng_state: Tensor | None) -> Iterator[None]:
    """Let the block draw the numbers that follow a state; afterwards the generator is where it was."""
    with fork_rng(enabled=rng_state is not None):
        if rng_state is not None:
            set_rng_state(rng_state)
        yield


# ---- the graph is recorded, without rules -----------------------------------------------------------------------------------


class _Kept:
    """What a checkpoint keeps instead of what its nodes would have kept: the function, to call it again.

    Attributes
    ----------
    shapes : list of tuple
        Of the results of the nodes that need something computed again, in the order in which they were recorded.
    again : list of Node, or empty
        The nodes that the second call has recorded in their places; None where the rules have been fetched.
    """

    def __init__(self, run: Callable[[], Any], context: Any, rng_state: Tensor | None, determinism_check: str) -> None:
        self.run, self.context, self.rng_state, self.checking = run, context, rng_state, determinism_check == "default"
        self.shapes: list[Any] = []
        self.again: list[Node | None] = []

    @contextmanager
    def forgetting(self) -> Iterator[None]:
        """The first call: each node is told to ask here for its rules."""

        def forget(node: Node) -> None:
            if node.op.linear or isinstance(node.rules, _Again):  # needs nothing; or belongs to an outer checkpoint
                return
            place = len(self.shapes)
            self.shapes.append(node.shape)
            node.rules, node.cells, node.versions = _Again(self, place, "rules"), [], []
            if node.inputs is not None:
                node.inputs = _Again(self, place, "inputs")  # type: ignore[assignment]

        with watching(forget):
            yield

    def fetch(self, place: int) -> Node:
        """The node that the second call recorded in a place."""
        if not self.again or self.again[place] is None:
            self.again = []
            with ExitStack() as stack:
                for context in (watching(self._note), _drawing_from(self.rng_state), enable_grad(), self.context):
                    stack.enter_context(context)
                self.run()
            if len(self.again) != len(self.shapes):
                raise CheckpointError("torch.utils.checkpoint: A different number of tensors was saved during the original forward "
                                      f"and recomputation: {len(self.shapes)} operations were recorded first, then "
                                      f"{len(self.again)}")
        node, self.again[place] = self.again[place], None
        assert node is not None
        if self.checking and node.shape != self.shapes[place]:
            raise CheckpointError("torch.utils.checkpoint: Recomputed values for the following tensors have different metadata "
                                  f"than during the forward pass: shape {self.shapes[place]} first, then {node.shape}")
        return node

    def _note(self, node: Node) -> None:
        if not node.op.linear:
            self.again.append(node)


class _Again:
    """Stands for the rules of a node, or for its inputs, and computes them when backward asks for them."""

    def __init__(self, kept: _Kept, place: int, what: str) -> None:
        self.kept, self.place, self.what = kept, place, what

    def __iter__(self) -> Iterator[Any]:
        return iter(getattr(self.kept.fetch(self.place), self.what))


# ---- one node for all ----------------------------------------------------------------------------------------------------


class CheckpointFunction(Function):
    """A function as one node, which calls it again and starts a pass of its own."""

    @staticmethod
    def forward(ctx: Any, function: Callable[..., Any], rng_state: Tensor | None, *args: Any) -> Any:
        """Call the function; keep its arguments."""
        ctx.function, ctx.rng_state = function, rng_state
        ctx.others = [None if isinstance(x, Tensor) else x for x in args]
        ctx.save_for_backward(*(x if isinstance(x, Tensor) else None for x in args))
        return function(*args)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """Call it again, differentiate what it returns, and give the gradients of the arguments."""
        if innermost_pass().restricted:
            raise RuntimeError("When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or passing an "
                               "`inputs` parameter to .backward(). To resolve this error, you can set use_reentrant=False.")
        tensors = [t if t is None else t.detach().requires_grad_(t.requires_grad) for t in ctx.saved_tensors]
        with _drawing_from(ctx.rng_state), enable_grad():
            outputs = ctx.function(*(x if t is None else t for t, x in zip(tensors, ctx.others, strict=True)))
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        pairs = [(out, g) for out, g in zip(outputs, gradients, strict=True) if isinstance(out, Tensor) and out.requires_grad]
        if not pairs:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        backward([out for out, _ in pairs], [g for _, g in pairs])
        return None, None, *(None if t is None else t.grad for t in tensors)
