"""One program of a step, with all that belongs to it: when it fits, what it is given, and what its results mean."""

from __future__ import annotations

import operator
from copy import copy
from typing import Any

import numpy as np

from minigrad.arrays.quiet import SILENT
from minigrad.autograd import Node, TensorBase, count_change, nodes_behind, share, wrap
from minigrad.autograd.grad_mode import current
from minigrad.compiler.program import Program
from minigrad.compiler.reach import Reach, Unsupported, alike, attributes_of, look
from minigrad.compiler.record import Memory, Value
from minigrad.compiler.trace import Trace, bits_of
from minigrad.compiler.traced import Number
from minigrad.nn.module import CHANGES

MISS: Any = object()  # the result of a program that does not fit


class Captured:
    """A program, when it fits, and what its results mean.

    Tensors stand here as the number of an argument, or as themselves.
    """

    def __init__(
        self, trace: Trace, reach: Reach, name: str, title: str, tensors: list[Any], names: list[str], result: Any
    ) -> None:
        self._numbers = {id(t): i for i, t in reversed(list(enumerate(tensors)))}
        self._grads_of = {id(g): self._key(t) for t, g, read in trace.grads.values() if read and g is not None}
        self._watch_python(trace, reach)
        self._watch_tensors(trace)
        self.outputs: list[Any] = []
        self.made: set[int] = set()  # ids of the tensors that are results, or gradients
        self.result = self._described(trace, result)
        hints = trace.results() | self._gradients(trace, reach)
        inputs = self._inputs(trace, reach, tensors, names)
        self.program = Program(trace, name, title, inputs, self.outputs, reach.names, hints)
        self.verified = False
        self.unvaried: dict[int, Any] = {}  # number in `touched` -> (tensor, version) that had the values of the capture

    def _watch_python(self, trace: Trace, reach: Reach) -> None:
        """What must stay as it is among modules, optimisers and variables."""
        self.recording = current.recording
        self.modules = list(({id(m): m for top in reach.modules for m in top.modules()} | trace.modules).values())
        if any(m._hooked for m in self.modules):
            raise Unsupported("a module has, or had, hooks, and those run eagerly")
        self.attributes, self.changes = [attributes_of(m) for m in self.modules], CHANGES[0]
        self.variables = [(home, key, look(home, key)) for home, key in reach.variables]
        self.lists = [(x, list(x)) for x in reach.lists]
        for opt in trace.optimizers.values():
            if opt._hooked:
                raise Unsupported("an optimiser has, or had, hooks, and those run eagerly")
            groups, state = opt.__dict__["param_groups"], opt.__dict__["state"]
            self.lists += [(x, list(x)) for x in (groups, *(group["params"] for group in groups))]
            self.variables += [(opt.__dict__, key, look(opt.__dict__, key)) for key in ("param_groups", "state", "_hooked")]
            for p, entry in state.items():
                self.variables += [(state, p, entry), *((entry, key, value) for key, value in entry.items())]
        self.settings, self.generators = trace.settings, trace.generators

    def _watch_tensors(self, trace: Trace) -> None:
        """What must stay as it is of tensors from outside, and what the step does to them."""
        self.state, self.touched = [], []
        for o in trace.outside.values():
            if o.tensor._requires_grad is not o.requires_grad or o.tensor._node is not o.node:
                raise Unsupported("the step changes whether, or how, a tensor from outside requires a gradient")
            if o.value.memory.kind == "state":
                self.state.append((o.tensor, o.array, o.requires_grad))
            key = ("grad", self._grads_of[id(o.tensor)]) if id(o.tensor) in self._grads_of else self._key(o.tensor)
            self.touched.append((key, o.tensor._version_cell[0] - o.version, o.bits))
        self.changed = [(key, changes) for key, changes, _ in self.touched if changes]
        self.grads_before = [
            (self._key(t), None if g is None else (g.array.shape, g.array.dtype, g.array.strides))
            for t, g, read in trace.grads.values() if read
        ]  # fmt: skip

    def _gradients(self, trace: Trace, reach: Reach) -> dict[Memory, str]:
        """Which gradients the step leaves behind, and names for them."""
        self.grads: list[tuple[Any, int | None]] = []
        names = {}
        for t, before, _ in trace.grads.values():
            after = t._grad
            if after is None and before is not None:
                self.grads.append((self._key(t), None))
            elif after is not before:
                self.made.add(id(after))
                value = trace.value_in(after)
                if value is None or after._node is not None or value.memory.kind in ("state", "input"):
                    raise Unsupported("the step leaves a gradient that it did not compute, or that has a history")
                if value.memory.kind == "constant" and not value.memory.fixed:
                    raise Unsupported("the step leaves a gradient that depends on nothing")
                names[value.memory] = f"d_{reach.names.get(id(t), 'tensor')}"
                self.grads.append((self._key(t), self._output(value)))
        return names

    def _inputs(self, trace: Trace, reach: Reach, tensors: list[Any], names: list[str]) -> list[Any]:
        """What the program is given: the arguments' arrays, gradients that are there, and numbers of the optimisers."""
        inputs: list[Any] = []
        self.places = [i for i, t in enumerate(tensors) if self._numbers[id(t)] == i]
        for i in self.places:
            known = trace.outside.get(id(tensors[i]))
            inputs.append(Value(Memory("input", 0), tensors[i].array) if known is None else known.value)
            inputs[-1].name = names[i]
        self.grad_inputs = []
        for o in trace.outside.values():
            if id(o.tensor) in self._grads_of:
                o.value.name = f"{reach.names.get(id(trace.owner_of[id(o.tensor)]), 'tensor')}_grad"
                self.grad_inputs.append(self._grads_of[id(o.tensor)])
                inputs.append(o.value)
        self.numbers = [(group, key) for _, group, key in trace.numbers.values()]
        return inputs + [number.symbol for number, _, _ in trace.numbers.values()]

    def _key(self, tensor: Any) -> Any:
        return self._numbers.get(id(tensor), tensor)

    # -- results

    def _output(self, value: Any) -> int:
        self.outputs.append(value)
        return len(self.outputs) - 1

    def _described(self, trace: Trace, x: Any) -> Any:
        """How to make a result from what the program returns."""
        if type(x) is Number:
            return "number", self._output(x.symbol)
        if isinstance(x, TensorBase):
            if id(x) in self._numbers or id(x) in trace.outside:
                return "tensor", self._key(x)
            self.made |= {id(x)} if x._view is None else {id(x), id(x._view[0])}
            value = trace.value_in(x)
            if value is None:
                raise Unsupported("a result is not computed by the step")
            if x._grad is not None:
                raise Unsupported("a result has a gradient of its own")
            node = x._node
            if node is not None and _alive(node):
                raise Unsupported("a result can still be differentiated; let the step call backward(), or use no_grad()")
            if value.memory.kind == "constant" and not value.memory.fixed:
                raise Unsupported("a result shows a NumPy array from outside of the step")
            base = None
            if value.memory.kind in ("state", "input"):
                base = next(self._key(o.tensor) for o in trace.outside.values() if o.value.memory is value.memory)
            return "new", self._output(value), x._requires_grad, _spent(node), base, type(x)
        if isinstance(x, (list, tuple)):
            return "parts", type(x), [self._described(trace, part) for part in x]
        if isinstance(x, dict):
            return "dict", list(x), [self._described(trace, part) for part in x.values()]
        return "constant", x

    def _made(self, described: Any, outputs: Any, tensors: list[Any]) -> Any:
        kind, *rest = described
        if kind == "new":
            output, requires_grad, node, base, cls = rest
            result = wrap(self._array(outputs, output), requires_grad, cls)
            result._node = node
            if base is not None:
                share(result, self._tensor(base, tensors), current.recording)
            return result
        if kind == "number":
            return outputs[rest[0]]
        if kind == "parts":
            cls, parts = rest
            made = [self._made(part, outputs, tensors) for part in parts]
            return cls(*made) if hasattr(cls, "_fields") else cls(made)
        if kind == "dict":
            return dict(zip(rest[0], (self._made(part, outputs, tensors) for part in rest[1]), strict=True))
        return self._tensor(rest[0], tensors) if kind == "tensor" else rest[0]

    def _array(self, outputs: Any, number: int) -> Any:
        """An output, as an array that belongs to the caller."""
        array = np.asarray(outputs[number])
        return array.copy("K") if self.outputs[number].memory.kind == "constant" else array

    @staticmethod
    def _tensor(key: Any, tensors: list[Any]) -> Any:
        if type(key) is int:
            return tensors[key]
        return Captured._tensor(key[1], tensors)._grad if type(key) is tuple else key

    # -- whether it fits

    def fits(self, tensors: list[Any]) -> bool:
        """Whether all is as it was in the capture, as far as it is not part of the arguments' signature."""
        for t, array, requires_grad in self.state:
            if t.array is not array or t._requires_grad is not requires_grad or t._hooks or t._node is not None:
                return False
        for home, key, value in self.variables:
            now = look(home, key)
            if now is not value and not alike(now, value):
                return False
        for x, before in self.lists:
            if len(x) != len(before) or not all(map(operator.is_, x, before)):
                return False
        for group, key, value in self.settings:
            if not alike(group.get(key, MISS), value):
                return False
        for key, form in self.grads_before:
            grad = self._tensor(key, tensors)._grad
            if (grad is None) is not (form is None):
                return False
            if grad is not None and (grad.array.shape, grad.array.dtype, grad.array.strides) != form:
                return False
        if self.changes != CHANGES[0]:
            for module, before in zip(self.modules, self.attributes, strict=True):
                now = attributes_of(module)
                if len(now) != len(before) or not all(map(alike, now, before)):
                    return False
            self.changes = CHANGES[0]
        return all(not tensors[i]._hooks for i in self.places)

    def proven(self, tensors: list[Any]) -> bool:
        """Whether it was verified with other values than those of the capture, for each tensor that it reads.

        Something that had the same values then might stand in the program as a constant. So it must have the same still, or all is
        verified again.
        """
        if not self.verified:
            return False
        for i, (seen, version) in self.unvaried.items():
            key, _, bits = self.touched[i]
            t = self._tensor(key, tensors)
            if t is seen and t._version_cell[0] == version:
                continue
            if bits_of(t.array) != bits:
                return False
            self.unvaried[i] = t, t._version_cell[0]
        return True

    # -- running it

    def given(self, tensors: list[Any]) -> Any:
        """The arrays and numbers that the program is called with; None if one is no number any more."""
        inputs = [tensors[i].array for i in self.places]
        for key in self.grad_inputs:
            inputs.append(self._tensor(key, tensors)._grad.array)
        for group, name in self.numbers:
            number = group[name] if type(name) is str else group[name[0]][name[1]]
            if type(number) is not float:
                return None
            inputs.append(number)
        return inputs

    def run(self, tensors: list[Any]) -> Any:
        """One step; MISS if it takes another branch, and then nothing has changed."""
        inputs = self.given(tensors)
        if inputs is None:
            return MISS
        try:
            outputs = SILENT.copy().run(self.program.function, *inputs)
        except BaseException as error:
            self._count_changes(tensors)
            error.add_note("This happened inside of a compiled step. Of the tensors that it changes, some may have new values "
                           "and others old ones. Gradients are those from before the step.")
            raise
        if outputs is None:
            return MISS
        if len(self.outputs) == 1:
            outputs = (outputs,)
        self._count_changes(tensors)
        for key, output in self.grads:
            t = self._tensor(key, tensors)
            t._grad = None if output is None else wrap(self._array(outputs, output))
        return self._made(self.result, outputs, tensors)

    def _count_changes(self, tensors: list[Any]) -> None:
        for key, changes in self.changed:
            t = self._tensor(key, tensors)
            count_change(t)
            t._version_cell[0] += changes - 1

    # -- the proof

    def snapshot(self, tensors: list[Any]) -> list[Any]:
        """All that the step may change, for `restore`, and to be compared."""
        kept = []
        everything = {id(t): t for t in (self._tensor(key, tensors) for key, _, _ in self.touched)}
        for key in (*(key for key, _ in self.grads), *(key for key, _ in self.grads_before)):
            t = self._tensor(key, tensors)
            everything[id(t)] = t
        for t in everything.values():
            grad = t._grad
            kept.append((t, t.array.copy(), t._version_cell[0], grad, None if grad is None else grad.array.copy()))
        return [kept, [(g, g.get_state()) for g in self.generators]]

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
