"""One program of a step, with all that belongs to it: when it fits, what it is given, and what its results mean."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from minigrad.arrays.quiet import SILENT
from minigrad.autograd import Node, TensorBase, count_change, nodes_behind, share, wrap
from minigrad.autograd.grad_mode import current
from minigrad.compiler.frame import MISSING, Frame, Unsupported, alike
from minigrad.compiler.program import Program
from minigrad.compiler.reach import Reach, attributes_of, look
from minigrad.compiler.record import Memory, Value
from minigrad.compiler.trace import Trace, bits_of
from minigrad.compiler.traced import Number
from minigrad.nn.module import CHANGES

MISS: Any = object()  # the result of a program that takes another branch


class Captured:
    """A program, when it fits, and what its results mean.

    Attributes
    ----------
    inputs : callable
        What the program is given: arrays of arguments and of gradients that are there, and numbers of optimisers; None if something
        is not as it was in the capture. This function, and the next two, are given the tensors among the arguments.
    reads : callable
        The tensors from outside whose arrays the step reads or changes.
    everything : callable
        These, and the tensors whose gradients it reads or changes.
    made : set of int
        The ids of the tensors that are results, or gradients.
    """

    def __init__(
        self, trace: Trace, reach: Reach, name: str, title: str, tensors: list[Any], names: list[str], result: Any
    ) -> None:
        self._frame = Frame(tensors)
        self._frame.objects |= {"count_change": count_change, "wrap": wrap, "new": _new, "look": look, "MISSING": MISSING}
        self.outputs: list[Any] = []
        self.made: set[int] = set()
        owners = self._watch_gradients(trace)
        self._watch_python(trace, reach)
        reads, counting = self._watch_tensors(trace)
        made = self._described(trace, result)
        hints, setting = self._gradients(trace, reach)
        inputs, given = self._inputs(trace, reach, names)
        self.program = Program(trace, name, title, inputs, self.outputs, reach.names, trace.results() | hints)

        parameters = [f"t{i}" for i in range(len(tensors))]
        function, self.inputs = self._frame.function, self._frame.guard(parameters, given)
        self.reads = function(parameters, f"return [{', '.join(reads)}]")
        self.everything = function(parameters, f"return [{', '.join(dict.fromkeys([*reads, *owners]))}]")
        self._count = function(parameters, *counting, "return")
        names = [f"output_{i}" for i in range(len(self.outputs))]
        unpack = [f"{', '.join(names)} = outputs"] if names else []
        copying = [  # they belong to the caller
            f"{each} = {each}.copy('K')" for each, value in zip(names, self.outputs, strict=True)
            if type(value) is Value and value.memory.kind == "constant"
        ]  # fmt: skip
        self._finish = function(["outputs", *parameters], *unpack, *copying, *counting, *setting, f"return {made}")
        del self._frame
        self.verified = False
        self._unvaried: dict[int, Any] = {}  # number in `reads` -> (tensor, version) that had the values of the capture

    # -- what must stay as it is

    def _watch_python(self, trace: Trace, reach: Reach) -> None:
        """What must stay as it is among modules, optimisers and variables."""
        name, same = self._frame.name, self._frame.same
        modules = list(({id(m): m for top in reach.modules for m in top.modules()} | trace.modules).values())
        if any(m._hooked for m in modules):
            raise Unsupported("a module has, or had, hooks, and those run eagerly")
        attributes, seen = [attributes_of(m) for m in modules], list(CHANGES)

        def unchanged() -> bool:
            """Whether the modules are as they were; asked only if some module was changed since."""
            now = map(attributes_of, modules)
            if not all(len(a) == len(b) and all(map(alike, a, b)) for a, b in zip(now, attributes, strict=True)):
                return False
            seen[:] = CHANGES
            return True

        self._frame.conditions.append(f"({name(CHANGES)} == {name(seen)} or {name(unchanged)}())")
        homes = (home for m in modules for home in (vars(m), *vars(m).values()) if isinstance(home, dict))
        held = [(home, key) for home in homes for key, x in home.items() if any(x is t for t in self._frame.tensors)]
        variables, lists = [*reach.variables, *held], list(reach.lists)
        for opt in trace.optimizers.values():
            if opt._hooked:
                raise Unsupported("an optimiser has, or had, hooks, and those run eagerly")
            groups, state = opt.__dict__["param_groups"], opt.__dict__["state"]
            lists += groups, *(group["params"] for group in groups)
            variables += ((opt.__dict__, key) for key in ("param_groups", "state", "_hooked"))
            for p, entry in state.items():
                variables += (state, p), *((entry, key) for key in entry)
        for home, key in variables:
            place = f"{name(home)}.get({name(key)}, MISSING)" if isinstance(home, dict) else f"look({name(home)}, None)"
            same(place, look(home, key))
        for group, key, value in trace.settings:
            same(f"{name(group)}.get({name(key)}, MISSING)", value)
        for each in lists:
            same(f"len({name(each)})", len(each))
            for i, part in enumerate(each):
                same(f"{name(each)}[{i}]", part)
        self._generators = trace.generators

    def _watch_gradients(self, trace: Trace) -> list[str]:
        """Which gradients must be there, and in which form; the tensors that have or get one."""
        frame = self._frame
        owners = [frame.name(t) for t, _, _ in trace.grads.values()]
        for owner, (_, g, read) in zip(owners, trace.grads.values(), strict=True):
            if id(g) in frame.names:  # an argument, too
                frame.same(f"{owner}._grad", g)
                continue
            if g is not None:  # another one in each run: it is known by whose it is
                frame.names[id(g)] = f"{owner}._grad"
            if read:
                frame.conditions.append(f"{owner}._grad is {'None' if g is None else 'not None'}")
                if g is not None:
                    frame.form(f"{owner}._grad.array", g.array)
        return owners

    def _watch_tensors(self, trace: Trace) -> tuple[list[str], list[str]]:
        """What must stay as it is of tensors from outside; those tensors, and what counts the changes that are made to them."""
        reads, counting = [], []
        self._bits: list[Any] = []
        for o in trace.outside.values():
            if o.tensor._requires_grad is not o.requires_grad or o.tensor._node is not o.node:
                raise Unsupported("the step changes whether, or how, a tensor from outside requires a gradient")
            name = self._frame.name(o.tensor)
            if o.value.memory.kind == "state":
                self._frame.same(f"{name}.array", o.array)
                self._frame.same(f"{name}._requires_grad", o.requires_grad)
                self._frame.conditions += f"not {name}._hooks", f"{name}._node is None"
            reads.append(name)
            self._bits.append(o.bits)
            changes = o.tensor._version_cell[0] - o.version
            counting += [f"count_change({name})"] * bool(changes)
            counting += [f"{name}._version_cell[0] += {changes - 1}"] * (changes > 1)
        return reads, counting

    def _gradients(self, trace: Trace, reach: Reach) -> tuple[dict[Memory, str], list[str]]:
        """Names for the gradients that the step leaves behind, and what puts them where they belong."""
        names, setting = {}, []
        for t, before, _ in trace.grads.values():
            after = t._grad
            if after is None and before is not None:
                setting.append(f"{self._frame.name(t)}._grad = None")
            elif after is not before:
                self.made.add(id(after))
                value = trace.value_in(after)
                if value is None or after._node is not None or value.memory.kind in ("state", "input"):
                    raise Unsupported("the step leaves a gradient that it did not compute, or that has a history")
                if value.memory.kind == "constant" and not value.memory.fixed:
                    raise Unsupported("the step leaves a gradient that depends on nothing")
                names[value.memory] = f"d_{reach.names.get(id(t), 'tensor')}"
                setting.append(f"{self._frame.name(t)}._grad = wrap({self._output(value)})")
        return names, setting

    def _inputs(self, trace: Trace, reach: Reach, names: list[str]) -> tuple[list[Any], list[str]]:
        """The program's parameters, and what is given for them: arrays of arguments and gradients, and numbers of optimisers."""
        inputs: list[Any] = []
        given = []
        for i, (t, name) in enumerate(zip(self._frame.tensors, names, strict=True)):
            known = trace.outside.get(id(t))
            inputs.append(Value(Memory("input", 0), t.array) if known is None else known.value)
            inputs[-1].name = name
            given.append(f"t{i}.array")
        for o in trace.outside.values():
            if id(o.tensor) in trace.owner_of and o.value not in inputs:
                o.value.name = f"{reach.names.get(id(trace.owner_of[id(o.tensor)]), 'tensor')}_grad"
                inputs.append(o.value)
                given.append(f"{self._frame.name(o.tensor)}.array")
        for number, group, key in trace.numbers.values():
            place = self._frame.name(group) + (f"[{key!r}]" if type(key) is str else f"[{key[0]!r}][{key[1]}]")
            self._frame.conditions.append(f"{place}.__class__ is float")
            inputs.append(number.symbol)
            given.append(place)
        return inputs, given

    # -- results, as text

    def _output(self, value: Any) -> str:
        self.outputs.append(value)
        return f"output_{len(self.outputs) - 1}"

    def _described(self, trace: Trace, x: Any) -> str:
        """How to make a result from what the program returns."""
        name = self._frame.name
        if type(x) is Number:
            return self._output(x.symbol)
        if isinstance(x, TensorBase):
            return self._tensor(trace, x)
        if isinstance(x, dict):
            return f"{{{', '.join(f'{name(key)}: {self._described(trace, part)}' for key, part in x.items())}}}"
        if isinstance(x, (list, tuple)):
            parts = "".join(f"{self._described(trace, part)}, " for part in x)
            return f"{name(type(x))}({parts})" if hasattr(x, "_fields") else f"{name(type(x))}([{parts}])"
        return name(x)

    def _tensor(self, trace: Trace, x: Any) -> str:
        name = self._frame.name
        if id(x) in trace.outside or any(x is t for t in self._frame.tensors):
            return name(x)
        self.made |= {id(x)} if x._view is None else {id(x), id(x._view[0])}
        value = trace.value_in(x)
        if value is None:
            raise Unsupported("a result is not computed by the step")
        if x._grad is not None:
            raise Unsupported("a result has a gradient of its own")
        if x._node is not None and _alive(x._node):
            raise Unsupported("a result can still be differentiated; let the step call backward(), or use no_grad()")
        if value.memory.kind == "constant" and not value.memory.fixed:
            raise Unsupported("a result shows a NumPy array from outside of the step")
        base = None
        if value.memory.kind in ("state", "input"):
            base = next(o.tensor for o in trace.outside.values() if o.value.memory is value.memory)
        return f"new({self._output(value)}, {x._requires_grad}, {name(_spent(x._node))}, {name(base)}, {name(type(x))})"

    # -- running it

    def proven(self, tensors: list[Any]) -> bool:
        """Whether it was verified with other values than those of the capture, for each tensor that it reads.

        Something that had the same values then might stand in the program as a constant. So it must have the same still, or all is
        verified again.
        """
        if not self.verified or not self._unvaried:
            return self.verified
        reads = self.reads(*tensors)
        for i, (seen, version) in self._unvaried.items():
            t = reads[i]
            if t is not seen or t._version_cell[0] != version:
                if bits_of(t.array) != self._bits[i]:
                    return False
                self._unvaried[i] = t, t._version_cell[0]
        return True

    def run(self, inputs: Any, tensors: list[Any]) -> Any:
        """One step; MISS if it takes another branch, and then nothing has changed."""
        try:
            outputs = SILENT.copy().run(self.program.function, *inputs)
        except BaseException as error:
            self._count(*tensors)
            error.add_note("This happened inside of a compiled step. Of the tensors that it changes, some may have new values "
                           "and others old ones. Gradients are those from before the step.")
            raise
        return MISS if outputs is None else self._finish(outputs, *tensors)

    # -- the proof

    def varied(self, reads: list[Any]) -> set[int]:
        """Which of the tensors that are read have other values than in the capture."""
        return {i for i, t in enumerate(reads) if bits_of(t.array) != self._bits[i]}

    def prove(self, reads: list[Any], varied: set[int]) -> None:
        """Note that the program gave what the step gives, and with which tensors as they were in the capture."""
        known = self._unvaried if self.verified else range(len(reads))
        self._unvaried = {i: (reads[i], reads[i]._version_cell[0]) for i in known if i not in varied}
        self.verified = True

    def snapshot(self, tensors: list[Any]) -> list[Any]:
        """All that the step may change of these tensors, for `restore`, and to be compared."""
        kept = []
        for t in {id(t): t for t in tensors}.values():
            grad = t._grad
            kept.append((t, t.array.copy(), t._version_cell[0], grad, None if grad is None else grad.array.copy()))
        return [kept, [(g, g.get_state()) for g in self._generators]]

    @staticmethod
    def restore(snapshot: list[Any]) -> None:
        """Bring everything back to a snapshot."""
        for t, array, version, grad, values in snapshot[0]:
            if t.array.flags.writeable:
                t.array[...] = array
            t._version_cell[0] = version
            t._grad = grad
            if grad is not None:
                grad.array[...] = values
        for generator, state in snapshot[1]:
            generator.set_state(state)


def _new(array: Any, requires_grad: bool, node: Any, base: Any, cls: Any) -> Any:
    """A result."""
    result = wrap(array, requires_grad, cls)
    result._node = node
    if base is not None:
        share(result, base, current.recording)
    return result


def _alive(node: Node) -> bool:
    """Whether backward could pass this node: nothing that it leads to was freed."""
    return all(each.rules is not None for each in nodes_behind([node]))


def _spent(node: Any) -> Any:
    """A node of the same name, through which backward has passed."""
    if node is not None:
        node = copy(node)
        node.rules = node.inputs = None
        node.edges = []
    return node


def same(a: Any, b: Any) -> bool:
    """Whether two results agree in every bit."""
    if isinstance(a, TensorBase):
        return isinstance(b, TensorBase) and (a is b or (_form(a) == _form(b) and a.array.tobytes() == b.array.tobytes()))
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return type(a) is type(b) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, float):
        return type(a) is type(b) and np.float64(a).tobytes() == np.float64(b).tobytes()
    return a is b or (type(a) is type(b) and bool(a == b))


def _form(t: Any) -> Any:
    return t.array.shape, t.array.dtype, t.array.strides, t._requires_grad, t._node is None


def differences(a: Any, b: Any) -> str | None:
    """What is not the same in two snapshots."""
    for (t, x, version, grad, values), (_, y, version_2, grad_2, values_2) in zip(a[0], b[0], strict=True):
        what = f"a tensor of shape {list(t.array.shape)}"
        if x.tobytes() != y.tobytes():
            return what
        if version != version_2:
            return f"the version of {what}"
        if (grad is None) is not (grad_2 is None):
            return f"the presence of the gradient of {what}"
        if grad is not None and (_form(grad) != _form(grad_2) or values.tobytes() != values_2.tobytes()):
            return f"the gradient of {what}"
    if any(x.array.tobytes() != y.array.tobytes() for (_, x), (_, y) in zip(a[1], b[1], strict=True)):
        return "the state of a random generator"
    return None
