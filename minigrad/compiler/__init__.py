"""A training step as a NumPy program: `compile`.

A training step calls the same functions of NumPy each time. `compile` writes the calls down once, and from then on runs them as a
straight-line program, without a tensor, a node or a check in between. The numbers are the same, bit for bit.

    step = torch.compile(step)     a function of tensors: forward, backward, the optimiser's step
    step(x, y)                     first call: eager; the optimiser makes its buffers
    step(x, y)                     second call: eager, and captured; the list of calls becomes a program
    step(x, y)                     third call: both, and every bit is compared
    step(x, y)                     from then on: the program
    print(step.source)             which you can read, and export to a file that needs NumPy alone

Reading order: `traced` (arrays and numbers that write down what is done with them), `trace` (the list; `record` has its parts, and
`meanwhile` what else is different during a capture), `program` (the list becomes shorter and gets memory), `text` (and is written
out), then `reach`, `frame` and `captured` (what a program relies on, and what its results mean), `step` (which program runs when),
`export` and `optimized_module`.

**Never a wrong number.** A program runs only where it would do what the step does. Compared before each run: the arguments' shapes,
dtypes, memory layouts and `requires_grad`; the Python numbers among them; the memory of every other tensor that the step reaches,
its `requires_grad` and hooks; which gradients there are; every attribute of the modules (`training`, say), the settings of the
optimisers, and the variables and attributes that the function itself names. The learning rate and the other numbers of an
optimiser's groups are read anew in each run, so a scheduler may change them between steps. Where something differs, the step is
captured again, up to eight times; after that it runs eagerly. `Step.reason` says why.

**What cannot be a program** runs eagerly, too: shapes that depend on values (a mask as an index), a branch on a value after
something was changed, values that leave for Python or NumPy (`tolist()`, `float()`, `numpy()`, a print), something computed that a
list or an attribute keeps, a result that can still be differentiated.

**What nobody watches**: what other functions, called by the step, read from globals or from attributes of objects that are not
modules; and what a step does beside computing. A ``counter.add()`` in it happens in the first three calls and not again. With
jax.jit it happens once; torch.compile watches more, and stops to run what it does not understand.

Random numbers are drawn in each run, from the same stream. The program owns its memory, so it runs in one thread at a time; a
second thread meanwhile runs the step eagerly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.compiler.optimized_module import OptimizedModule
from minigrad.compiler.step import Step
from minigrad.nn.module import Module


def allow_in_graph(fn: Any) -> Any:
    """Mark a function that `compile` should take as it is: it takes every function so."""
    return fn


def compile(
    model: Callable[..., Any] | None = None, *, fullgraph: bool = False, dynamic: bool | None = None, backend: str = "inductor",
    mode: str | None = None, options: dict[str, Any] | None = None, disable: bool = False,
) -> Any:
    """Run a function, or a module, as a NumPy program where that gives the same numbers; also a decorator.

    Parameters
    ----------
    model : callable or Module
        A function of tensors and other things, which may read and change tensors from outside: a training step. Of a module, the
        calls under `no_grad` become programs.
    fullgraph : bool
        Raise a RuntimeError where the step would have to be taken eagerly for good.
    dynamic, backend, mode, options
        torch's choices among its ways to compile. There is one way here, so they change nothing.
    disable : bool
        Return `model` as it is.

    Returns
    -------
    Step or OptimizedModule
        A `Step` has `source`, `reason`, `export(path)` and `reset()`. A compiled module has one as ``module.compiled``.

    Raises
    ------
    TypeError
        If `model` cannot be called.

    Examples
    --------
    >>> import minigrad as torch
    >>> w = torch.ones(3, requires_grad=True)
    >>> opt = torch.optim.SGD([w], lr=0.1)
    >>> @torch.compile
    ... def step(x):
    ...     loss = (w * x).sum()
    ...     loss.backward()
    ...     opt.step()
    ...     opt.zero_grad()
    ...     return loss.item()
    >>> [round(step(torch.full((3,), float(i))), 4) for i in range(5)]
    [0.0, 3.0, 5.4, 6.3, 4.8]
    """
    if model is None:
        return lambda function: compile(function, fullgraph=fullgraph, disable=disable)
    if not callable(model):
        raise TypeError(f"compile() expected a function or a module, got {type(model).__name__}")
    if disable:
        return model
    return OptimizedModule(model, fullgraph) if isinstance(model, Module) else Step(model, fullgraph)
