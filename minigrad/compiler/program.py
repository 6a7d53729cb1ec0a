"""The program: a list of calls, made shorter, given memory, and written as text.

Five passes: what is the same in each run is computed now; lines whose result nobody needs are dropped; a call makes the memory that
it fills; branches are asked before anything is changed; and each intermediate result gets a place in one block of memory, by when
it is needed first and last. Then most lines need no new memory, and views of what stays where it is can be made once, before the
first run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from minigrad.compiler.frame import Unsupported
from minigrad.compiler.record import COPIES, Line, Memory, Symbol, Value
from minigrad.compiler.text import Text
from minigrad.compiler.trace import Trace

ndarray = np.ndarray


class Program:
    """A captured step.

    Attributes
    ----------
    source : str
        The program: what is made once, and the function that is one step.
    function : callable
        That function, of the input arrays and numbers in the order of `inputs`. It returns None where a branch goes another way
        than in the capture, before anything was changed, and else the values of `outputs`.
    arrays : dict
        Name -> array: of tensors that outlive the step, and constants.
    inputs : list of Value and Symbol
    outputs : list of Value and Symbol
    """

    def __init__(
        self, trace: Trace, name: str, title: str, inputs: list[Any], outputs: list[Any], names: dict[int, str],
        hints: dict[Any, str],
    ) -> None:  # fmt: skip
        self.inputs, self.outputs, self.names, self.hints = inputs, outputs, names, hints
        self.state = {o.value.memory: o for o in trace.outside.values()}
        self.escaping = {v.memory for v in outputs if type(v) is Value}
        self.lines = early_branches(filled_by_calls(needed(folded(trace.lines), outputs), self.escaping))
        self.size, self.offsets, self.once = plan(self.lines, self.escaping)
        self.arrays: dict[str, ndarray] = {}
        self.objects: dict[str, Any] = {}
        self.source = Text(self, name, title).source
        space: dict[str, Any] = {"arrays": self.arrays, **self.objects}
        exec(compile(self.source, f"<step {name}>", "exec"), space)
        self.function: Callable[..., Any] = space[name]

    def changes(self, name: str) -> bool:
        """Whether `name` is an array of a tensor that the program writes to."""
        return any(line.target is not None and line.target.memory in self.state and line.target.name == name for line in self.lines)


# ---- passes ----------------------------------------------------------------------------------------------------------


def folded(lines: list[Line]) -> list[Line]:
    """Without the calls whose result is the same in each run; what reads it finds a constant."""
    kept = []
    for line in lines:
        memory = line.result.memory if line.kind == "call" else None
        if memory is not None and memory.fixed:
            memory.fixed = all(v.memory.fixed for v in line.reads())
        if memory is not None and memory.fixed:
            memory.kind = "constant"
        else:
            kept.append(line)
    return kept


def needed(lines: list[Line], outputs: list[Any]) -> list[Line]:
    """Without the lines whose result nobody reads."""
    live = {v.memory if type(v) is Value else v for v in outputs}
    kept = []
    for line in reversed(lines):
        written = line.target or line.result
        memory = written.memory if type(written) is Value else written
        stays = isinstance(memory, Memory) and memory.kind in ("state", "input")
        if line.kind in ("guard", "random") or stays or memory in live:
            kept.append(line)
            live |= {v.memory if type(v) is Value else v for v in line.reads()}
    return kept[::-1]


def filled_by_calls(lines: list[Line], escaping: set[Memory]) -> list[Line]:
    """Without room that is asked for, and then filled by one call: the call makes it."""
    rooms: dict[Any, Line] = {}  # asked for, and not yet used
    needless = set()
    for line in lines:
        if line.function == "new" and line.args[0] is None and line.result.memory not in escaping:
            rooms[line.result.memory] = line
        for part in _parts(line.operands()):
            rooms.pop(part, None)
        room = rooms.pop(line.target.memory, None) if line.target is not None else None
        if room is not None and room.result is line.target and line.kind == "write" and goes_into_memory(line):
            line.kind, line.result, line.target = "call", line.target, None
            needless.add(room)
    return [line for line in lines if line not in needless]


def early_branches(lines: list[Line]) -> list[Line]:
    """Guards, and the lines that they depend on, before the first line that changes something for good.

    A run that takes another branch is to have changed nothing: the step is then taken eagerly, from its beginning.
    """
    made = {line.result for line in lines if line.kind == "number"}
    given: set[Any] = set()
    front: list[Line] = []
    rest: list[Line] = []
    for line in lines:  # what depends on given numbers alone can be asked at once
        early = line.kind in ("number", "guard") and all(type(x) is Symbol and (x in given or x not in made) for x in line.reads())
        given |= {line.result} if early else set()
        (front if early else rest).append(line)
    lines = front + rest
    changing = [i for i, line in enumerate(lines) if _changes(line)]
    late = [i for i, line in enumerate(lines) if line.kind == "guard" and changing and i > changing[0]]
    if not late:
        return lines
    moved: set[int] = set()
    for i in late:
        wanted = set(_parts(lines[i].reads()))
        for j in range(i, changing[0] - 1, -1):
            line = lines[j]
            makes = set(_parts(x for x in (line.result, line.target) if x is not None))
            if j != i and not makes & wanted:
                continue
            if _changes(line) or (line.target is not None and line.kind == "write"):
                raise Unsupported("a branch depends on what the step has changed before")
            moved.add(j)
            wanted |= set(_parts(line.reads()))
    behind = [line for j, line in enumerate(lines) if j >= changing[0] and j not in moved]
    return lines[: changing[0]] + [lines[j] for j in sorted(moved)] + behind


def _parts(values: Iterable[Any]) -> Iterator[Any]:
    return (v.memory if type(v) is Value else v for v in values)


def _changes(line: Line) -> bool:
    return line.kind == "random" or (line.target is not None and line.target.memory.kind in ("state", "input"))


def plan(lines: list[Line], escaping: set[Memory]) -> tuple[int, dict[Memory, int], set[Memory]]:
    """Where each intermediate result lies in one block: its size, offsets, and the memory that is filled only once.

    Memory around a padded image, for instance, always holds the same: only the middle is written, at the same place each time.
    """
    first: dict[Memory, int] = {}
    last: dict[Memory, int] = {}
    writes: dict[Memory, list[Line]] = {}
    filled = {}
    for i, line in enumerate(lines):
        for value in line.reads():
            if type(value) is Value:
                last[value.memory] = i
        if line.target is not None:
            writes.setdefault(line.target.memory, []).append(line)
        if line.kind == "call" and goes_into_memory(line) and line.result.memory not in escaping:
            first[line.result.memory] = last[line.result.memory] = i
            if line.function == "new" and type(line.args[0]) in (int, float):
                filled[line.result.memory] = line
    once = {m for m in filled if m in writes and all(w.function == "[]=" and w.args[0] is Ellipsis for w in writes[m])}
    for memory in once:
        first[memory], last[memory] = -1, len(lines)
    heirs = inherited(lines, first, last)
    offsets: dict[Memory, int] = {}
    placed: list[tuple[int, int, int, int]] = []
    for memory in sorted(first, key=lambda m: -m.nbytes):
        offset, size = 0, max(memory.nbytes, 1)
        for start, end, born, dead in sorted(placed):
            if dead < first[memory] or born > last[memory]:
                continue
            if start - offset >= size:
                break
            offset = max(offset, end)
        placed.append((offset, offset + -(-size // 64) * 64, first[memory], last[memory]))
        offsets[memory] = offset
    offsets |= {memory: offsets[place] for memory, place in heirs.items()}
    return max((end for _, end, _, _ in placed), default=0) + 64, offsets, once


def inherited(lines: list[Line], first: dict[Memory, int], last: dict[Memory, int]) -> dict[Memory, Memory]:
    """Which intermediate results take over the place of another, which is then needed for as long as both.

    An operation on each element by itself may write over an operand that nobody reads later. A gradient of 1.6 MB is scaled in
    place, then (a step of the network 784-512-512-10 for one digit: 970 to 704 µs).
    """
    places: dict[Memory, Memory] = {}
    for i, line in enumerate(lines):
        result = line.result
        if line.kind != "call" or result.memory not in first or not each_by_itself(line):
            continue
        for value in line.args:
            place = places.get(value.memory, value.memory) if type(value) is Value else None
            if place in first and last[place] == i and value.lies_as(result):
                places[result.memory], last[place] = place, last[result.memory]
                del first[result.memory]
                break
    return places


def each_by_itself(line: Line) -> bool:
    """Whether element i of the result depends on element i of the operands alone."""
    ufunc = getattr(np, line.function.removeprefix("np."), None)
    return isinstance(ufunc, np.ufunc) and ufunc.signature is None


def goes_into_memory(line: Line) -> bool:
    """Whether NumPy can write the result of this call to memory that is there."""
    if line.function in COPIES or line.function in ("new", "number", "np.concatenate"):
        return True
    if line.function == "np.dot":
        return all(len(v.shape) == 2 for v in line.args)
    name, _, method = line.function.removeprefix("np.").partition(".")
    return isinstance(getattr(np, name, None), np.ufunc) and method in ("", "reduce")
