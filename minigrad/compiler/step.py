"""`Step`: captures, verifies and runs programs, and runs the step itself where there is none."""

from __future__ import annotations

import functools
import gc
import inspect
import threading
from collections.abc import Callable
from typing import Any

from minigrad.arrays.dtypes import get_default_dtype
from minigrad.autograd.grad_mode import current
from minigrad.autograd.hooks import awaited
from minigrad.autograd.node import watchers
from minigrad.compiler.captured import MISS, Captured, differences, same
from minigrad.compiler.export import export
from minigrad.compiler.frame import Frame, Unsupported, alike
from minigrad.compiler.reach import Reach, look
from minigrad.compiler.trace import Trace
from minigrad.compiler.traced import captured_here, plain

LIMIT = 8  # programs of one step, as in torch


class Kind:
    """A kind of arguments: their shapes, dtypes, numbers, and so on.

    Attributes
    ----------
    tensors : callable
        The tensors among the arguments, each of them once; None if the arguments are of another kind.
    programs : list of Captured
    tries : int
        How many captures may still fail.
    """

    def __init__(self, args: Any, kwargs: Any) -> None:
        frame = Frame([])
        frame.objects |= {"current": current, "default_dtype": get_default_dtype}
        frame.same("current.recording", current.recording)
        frame.same("default_dtype()", get_default_dtype())
        frame.argument("args", args)
        frame.argument("kwargs", kwargs)
        frame.no_tensor_twice()
        self.tensors = frame.guard(["args", "kwargs"], [f"t{i}" for i in range(len(frame.tensors))])
        self.programs: list[Captured] = []
        self.tries = 2


class Step:
    """A function that runs as a program where it can; what `compile` returns.

    Attributes
    ----------
    source : str
        The program that ran last, or was captured last.
    reason : str or None
        Why the last call that ran eagerly did so. None if it was only too early, or no call did.
    """

    def __init__(self, function: Callable[..., Any], fullgraph: bool = False) -> None:
        self.function, self.fullgraph = function, fullgraph
        functools.update_wrapper(self, function)
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all programs: the next call is the first one."""
        self.reason: str | None = None
        self._kinds: list[Kind] = []
        self._latest: Captured | None = None
        self._count = self._calls = 0

    def __repr__(self) -> str:
        name = getattr(self.function, "__qualname__", repr(self.function))
        return f"<compiled {name}: {self._count} program{'s' * (self._count != 1)}{f', {self.reason}' * bool(self.reason)}>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        return Step, (self.function, self.fullgraph)  # a copy captures its own programs

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    @property
    def source(self) -> str:
        """The program that ran last, or was captured last; a RuntimeError says why there is none."""
        if self._latest is None:
            raise RuntimeError(f"no program yet: {self.reason or 'the first call is eager, and the second one is captured'}")
        return self._latest.program.source

    def export(self, path: Any) -> None:
        """Write the program and its arrays, to run with NumPy alone: ``step.py``, and ``step.npz`` beside it.

        Raises
        ------
        RuntimeError
            If there is no program yet, or it does not fit any more.
        NotImplementedError
            If it calls something that is not NumPy's, such as a random stream.
        """
        self.source  # noqa: B018  (raises where there is none)
        if self._inputs is None:
            raise RuntimeError("export(): gradients, or something else, changed in the step that was captured; call it once more")
        export(self._latest.program, self._inputs, path)  # type: ignore[union-attr]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """One step."""
        if captured_here() or not self._lock.acquire(False):  # part of another step; or at work elsewhere
            return self.function(*args, **kwargs)
        try:
            if watchers or awaited:
                return self._eagerly(args, kwargs, "somebody watches the graph: anomaly mode, or a hook for complete gradients")
            for kind in self._kinds:
                tensors = kind.tensors(args, kwargs)
                if tensors is None:
                    continue
                for captured in kind.programs:
                    inputs = captured.inputs(*tensors)
                    if inputs is None:
                        continue
                    if captured.proven(tensors):
                        result = captured.run(inputs, tensors)
                    else:
                        result = self._verify(kind, captured, args, kwargs, inputs, tensors)
                    if result is not MISS:
                        self._latest, self._inputs = captured, inputs
                        return result
                return self._without_program(kind, args, kwargs, tensors)
            return self._of_new_kind(args, kwargs)
        finally:
            self._lock.release()

    def _of_new_kind(self, args: Any, kwargs: Any) -> Any:
        if len(self._kinds) >= 8 * LIMIT:
            return self._eagerly(args, kwargs, f"there are {8 * LIMIT} kinds of arguments")
        try:
            kind = Kind(args, kwargs)
        except Unsupported as error:
            return self._eagerly(args, kwargs, str(error))
        self._kinds.append(kind)
        return self._without_program(kind, args, kwargs, kind.tensors(args, kwargs))

    def _without_program(self, kind: Kind, args: Any, kwargs: Any, tensors: Any) -> Any:
        self._calls += 1
        if self._calls == 1:  # the optimiser makes its buffers
            return self.function(*args, **kwargs)
        if kind.tries == 0:
            return self._eagerly(args, kwargs, None)
        if self._count >= LIMIT:
            return self._eagerly(args, kwargs, f"none of {LIMIT} programs fits: something changes from call to call")
        return self._capture(kind, args, kwargs, tensors)

    def _eagerly(self, args: Any, kwargs: Any, reason: str | None) -> Any:
        self._give_up(reason or self.reason)
        return self.function(*args, **kwargs)

    def _give_up(self, reason: str | None) -> None:
        """Note why this call is no program."""
        self.reason = reason
        if self.fullgraph:
            raise RuntimeError(f"compile(fullgraph=True): the step is not one program: {reason}")

    def _capture(self, kind: Kind, args: Any, kwargs: Any, tensors: list[Any]) -> Any:
        reach = Reach(self.function, self._bound(args, kwargs))
        before = [look(home, key) for home, key in reach.variables]
        names = [reach.names.get(id(t), "tensor") for t in tensors]
        trace = Trace(set(map(id, tensors)))
        with _CAPTURING, trace:
            result = self.function(*args, **kwargs)
        try:
            if trace.reason is not None:
                kind.tries = 0
                raise Unsupported(trace.reason)
            for (home, key), value in zip(reach.variables, before, strict=True):
                if not alike(look(home, key), value):
                    kind.tries = 0
                    raise Unsupported(f"the step changes the variable {key!r}")
            function: Any = inspect.unwrap(self.function)
            name = getattr(function, "__name__", type(function).__name__)
            name = name if name.isidentifier() else "step"
            code = getattr(function, "__code__", None)
            where = f", captured from {code.co_filename.rpartition('/')[2]}:{code.co_firstlineno}" if code else ""
            captured = Captured(trace, reach, name, f"One call of {name}() as a NumPy program{where}.", tensors, names, result)
            result = plain(result)
            _nobody_keeps(trace, captured.made)
        except Unsupported as error:
            kind.tries = max(kind.tries - 1, 0)
            self._give_up(str(error))
            return plain(result)
        kind.programs.append(captured)
        self._latest, self._inputs = captured, captured.inputs(*tensors)
        self._count += 1
        return result

    def _bound(self, args: Any, kwargs: Any) -> dict[str, Any]:
        """The arguments by name."""
        try:
            bound = inspect.signature(self.function).bind(*args, **kwargs)
        except (TypeError, ValueError):
            return {f"argument_{i}": x for i, x in enumerate((*args, *kwargs.values()))}
        named: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            kind = bound.signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_POSITIONAL:
                named |= {f"{name}_{i}": x for i, x in enumerate(value)}
            else:
                named |= value if kind is inspect.Parameter.VAR_KEYWORD else {name: value}
        return named

    def _verify(self, kind: Kind, captured: Captured, args: Any, kwargs: Any, inputs: Any, tensors: Any) -> Any:
        """Run the program and take it back, run the step eagerly, and compare every bit.

        An array that the capture did not see, in a list or behind NumPy's back, would be a constant in the program. So this needs
        other values than those of the capture; see `Captured.proven`.
        """
        reads, everything = captured.reads(*tensors), captured.everything(*tensors)
        before, varied = captured.snapshot(everything), captured.varied(reads)
        problem = mine = None
        try:
            mine = captured.run(inputs, tensors)
        except Exception as error:  # whatever it is, the program is not the step
            problem = f"it raises {type(error).__name__}: {error}"
        if mine is MISS:
            return MISS
        after = captured.snapshot(everything)
        captured.restore(before)
        result = self.function(*args, **kwargs)
        if problem is None:
            different = differences(after, captured.snapshot(everything)) if same(result, mine) else "a result"
            problem = different and f"{different} differs"
        if problem is None:
            captured.prove(reads, varied)
        else:
            kind.programs.remove(captured)
            kind.tries = 0
            self._give_up(f"the program does not give what the step gives: {problem}")
        return result


def _nobody_keeps(trace: Trace, made: set[int]) -> None:
    """Raise if something that was computed outlives the step: an attribute or a list would then be given old values."""
    trace.inside.clear()
    trace.shown.clear()
    trace.numbers.clear()
    trace._known.clear()
    if any((x := ref()) is not None and id(x) not in made for ref in trace.alive):
        gc.collect()
        if any((x := ref()) is not None and id(x) not in made for ref in trace.alive):
            raise Unsupported("the step keeps something that it computes, in a list or an attribute; return it instead")


_CAPTURING = threading.Lock()  # one at a time
