"""A program as text that is pleasant to read: one call a line, under the names of parameters, arguments and operations."""

from __future__ import annotations

import builtins
import keyword
import linecache
import os
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.arrays.storage import deep_copied
from minigrad.compiler.record import COPIES, Label, Line, Symbol, Value, leaves
from minigrad.random.draws import _fill

if TYPE_CHECKING:
    from minigrad.compiler.program import Program

ndarray = np.ndarray

HEADER = '''\
"""{title}

{shapes}
"""

import numpy as np
'''

PLACE = '''
memory = np.zeros({size}, np.uint8)
start = -memory.ctypes.data % 64


def place(offset, shape, dtype, strides=None):
    return np.ndarray(shape, dtype, memory, start + offset, strides)

'''

_WORDS = {
    "multiply": "product", "add": "sum", "subtract": "difference", "divide": "quotient", "matmul": "product", "dot": "product",
    "maximum.reduce": "largest", "minimum.reduce": "smallest", "add.reduce": "total", "multiply.reduce": "product", "**": "power",
    "absolute": "size", "new": "room", "copy": "copied", "astype": "cast", "reshape": "ordered", "[]": "chosen", "()": "called",
    "logical_and.reduce": "all_true", "logical_or.reduce": "any_true", "where": "either", "concatenate": "joined", "take": "taken",
}  # fmt: skip
_RESERVED = {*keyword.kwlist, *dir(builtins), "np", "memory", "start", "place", "arrays"}
_SYMBOLS = {"neg": "-", "pos": "+"}


class Text:
    """The writer of a program's text."""

    def __init__(self, program: Program, name: str, title: str) -> None:
        self.program = program
        self.taken = {*_RESERVED, name}
        self.loads: list[str] = []  # arrays from outside
        self.numbers: list[str] = []
        self.places: list[str] = []
        self.views: list[str] = []  # made once
        self.body: list[str] = []
        self.known: dict[Any, str] = {}
        self.uses: dict[Any, int] = {}
        self.maker: dict[Symbol, Line] = {line.result: line for line in program.lines if type(line.result) is Symbol}
        for line in program.lines:
            for x in line.reads():
                self.uses[x] = self.uses.get(x, 0) + 1
        for x in program.outputs:
            self.uses[x] = self.uses.get(x, 0) + 1
        self.changed = {line.target.memory for line in program.lines if line.target is not None}
        shapes = []
        for x in program.inputs:
            x.name = self.fresh(x.name)
            if type(x) is Value:
                self.known[x.memory] = x.name
                shapes.append(f"    {x.name:<12} {x.dtype.name} {x.shape}")
            else:
                shapes.append(f"    {x.name:<12} number")
        self.write_body()
        returned = ", ".join(map(self.text, program.outputs)) or "()"
        title = HEADER.format(title=title, shapes="\n".join(shapes))
        parts = [title]
        if self.loads:
            parts += ["\n# Arrays that outlive a step, and constants.\n", *self.loads]
        if self.numbers:
            parts += ["\n# Numbers, as arrays: NumPy takes them faster.\n", *self.numbers]
        if self.places:
            parts += [
                "\n# Intermediate results. Each has its place in one block of memory, for as long as it is needed.\n",
                PLACE.format(size=program.size),
                *self.places,
            ]
        if self.views:
            parts += ["\n# Views of them.\n", *self.views]
        parameters = ", ".join(x.name for x in program.inputs)
        parts += [f"\n\ndef {name}({parameters}):\n", *self.body, f"    return {returned}\n"]
        self.source = "".join(parts)

    # -- names

    def fresh(self, stem: str | None) -> str:
        """A name that nothing has yet."""
        stem = re.sub(r"\W", "_", stem or "tensor")
        stem = f"_{stem}" if stem[0].isdigit() else stem
        name, count = stem, 1
        while name in self.taken:
            count += 1
            name = f"{stem}_{count}"
        self.taken.add(name)
        return name

    def stem(self, line: Line, last: bool) -> str:
        """What to call the result of a line; the last line of an operation gives the operation's result."""
        hint = self.program.hints.get(line.result.memory)
        if hint is not None:
            return hint
        if line.function == "number" and line.args[0].name is not None:
            return f"{line.args[0].name}_array"
        target = line.label.target
        if last and line.label.derivative and target is not None:
            name = self.known.get(target.memory) if type(target) is Value else self.program.names.get(target)
            return f"d_{name or line.label.name}"
        if last and line.label.name and not line.label.derivative and target is None:
            return line.label.name
        word = line.function.removeprefix("np.").removeprefix(".")
        return _WORDS.get(word, word.partition(".")[0])

    # -- values

    def text(self, x: Any) -> str:
        """What stands for `x` in the program."""
        if type(x) is Value:
            return self.value(x)
        if type(x) is Symbol:
            return self.symbol(x)
        if isinstance(x, tuple):
            return "(" + ", ".join(map(self.text, x)) + ("," if len(x) == 1 else "") + ")"
        if isinstance(x, list):
            return "[" + ", ".join(map(self.text, x)) + "]"
        if isinstance(x, slice):
            parts = [x.start, x.stop] if x.step is None else [x.start, x.stop, x.step]
            return ":".join("" if p is None else self.text(p) for p in parts)
        if x is Ellipsis:
            return "..."
        if isinstance(x, np.dtype) or (isinstance(x, type) and issubclass(x, np.generic)):
            name = np.dtype(x).name
            return f"np.{name}_" if name == "bool" else f"np.{name}"
        if isinstance(x, type) and x in (bool, int, float):
            return x.__name__
        if isinstance(x, np.generic):
            return f"np.{x.dtype.name}{'_' if x.dtype.name == 'bool' else ''}({_literal(x.item())})"
        if isinstance(x, (bool, int, float)):
            return _literal(x)
        if x is None or isinstance(x, str):
            return repr(x)
        for name, thing in self.program.objects.items():
            if thing is x:
                return name
        name = self.fresh(getattr(x, "__name__", type(x).__name__).strip("<>").lower())
        self.program.objects[name] = x
        return name

    def index(self, parts: Any) -> str:
        """The inside of the brackets."""
        parts = parts if isinstance(parts, tuple) else (parts,)
        if len(parts) > 1 and parts[-1] is Ellipsis and not all(isinstance(p, int) for p in parts[:-1]):
            parts = parts[:-1]  # asked for by the capture, for elements only
        return ", ".join(map(self.text, parts))

    def symbol(self, x: Symbol) -> str:
        """A number: its name, or how it is computed if only one line asks for it."""
        if x.name is not None:
            return x.name
        line = self.maker[x]
        parts = [self.text(a) for a in line.args]
        if len(parts) == 1:
            return f"abs({parts[0]})" if line.function == "abs" else f"({_SYMBOLS[line.function]}{parts[0]})"
        return f"({parts[0]} {line.function} {parts[1]})"

    def still(self, value: Value) -> bool:
        """Whether the memory is the same in each run."""
        memory = value.memory
        return memory.kind in ("state", "constant") or memory in self.program.offsets

    def value(self, value: Value) -> str:
        """An array: its name, or that of the view it is, which is made where it is first used."""
        if value.memory.fixed or (value.memory.kind == "constant" and value.view is None):
            return self.loaded(value, "constant")
        if value.view is not None:
            return self.view(value)
        memory = value.memory
        if memory not in self.known:
            tensor = self.program.state[memory]
            value = tensor.value
            value.array = tensor.array
            self.known[memory] = self.loaded(value, self.program.names.get(id(tensor.tensor)) or "tensor")
        return self.known[memory]

    def loaded(self, value: Value, stem: str) -> str:
        """An array from outside."""
        if value.name is None:
            array: Any = value.array
            if array.size == 1 and value.memory.kind == "constant":
                return self.number(array.item(), array.dtype, array.shape)
            if value.memory.fixed:  # whoever got it from the capture may change it
                array = deep_copied(array, {})
            name = value.name = self.fresh(_kind(array) if stem == "constant" else stem)
            self.program.arrays[name] = array
            self.loads.append(f'{name} = arrays["{name}"]  # {array.dtype.name} {array.shape}\n')
        return value.name

    def number(self, x: Any, dtype: np.dtype[Any], shape: tuple[int, ...] = ()) -> str:
        """A number as an array."""
        key = (type(x), repr(x), dtype, shape)
        if key not in self.known:
            name = f"{x:.6g}" if isinstance(x, float) else str(x)
            self.known[key] = self.fresh("_" + re.sub(r"\W", "_", name.replace("-", "minus_", 1)))
            array = f"np.full({shape}, {_literal(x)}" if shape else f"np.array({_literal(x)}"
            self.numbers.append(f"{self.known[key]} = {array}, {self.text(dtype)})\n")
        return self.known[key]

    def view(self, value: Value) -> str:
        """A view."""
        line: Any = value.view
        source = next(a for a in line.args if type(a) is Value)
        base = self.value(source)
        options = self.options(line)
        rest = [a for a in line.args if a is not source]
        if line.function == "[]":
            text = f"{base}[{self.index(rest[0])}]"
        elif line.function == ".T":
            text = f"{base}.T"
        elif line.function == "np.ndarray":
            shape, dtype, offset, strides = map(self.text, rest)
            text = f"np.ndarray({shape}, {dtype}, {base}, {offset}, {strides})"
        elif line.function.startswith("."):
            text = f"{base}{line.function}({', '.join(map(self.text, rest))}{options})"
        else:
            text = f"{line.function}({', '.join(map(self.text, line.args))}{options})"
        text = text.replace("(, ", "(")
        if text not in self.known:
            turned = line.function == ".T" or (line.function == ".transpose" and len(value.shape) == 2)
            root = self.known.get(value.memory) or base
            form = "T" if turned else "x".join(map(str, value.shape)) or "element"
            form = value.dtype.name if line.function == ".view" else form
            name = self.fresh(f"{root}_{form}")
            self.known[text] = name
            if self.still(value):
                self.views.append(f"{name} = {text}\n")
            else:
                self.body.append(f"    {name} = {text}\n")
        return self.known[text]

    # -- lines

    def write_body(self) -> None:
        """All lines, with a comment where an operation begins."""
        lines, label = self.program.lines, None
        for i, line in enumerate(lines):
            following = next((other for other in lines[i + 1 :] if other.kind not in ("number", "guard")), None)
            before = len(self.body)
            text = self.line(line, following is None or following.label != line.label)
            if text is None:
                continue
            comment = describe(line.label, self.program.names)
            if comment != label and line.kind not in ("number", "guard"):
                label = comment
                self.body.insert(before, f"    # {comment}\n")
            self.body.append(f"    {text}\n")

    def line(self, line: Line, last: bool) -> str | None:
        """The text of a line."""
        if line.kind == "number":
            return self._number_line(line)
        if line.kind == "guard":
            condition = self.text(line.args[0])
            condition = condition.removeprefix("(").removesuffix(")") if line.function else f"not {condition}"
            return f"if {condition}:\n        return None  # not a step of this kind: it is run without the program"
        if line.kind == "random":
            source, draw = line.args
            self.program.objects.setdefault("fill", _fill)
            return f"fill({self.text(line.target)}, {self.text(source)}, {self.text(_named(draw, line.function))})"
        if line.kind == "write":
            return self._write_line(line)
        return self._call_line(line, last)

    def _number_line(self, line: Line) -> str | None:
        if line.function == ".item":
            base = self.text(line.args[0])
            line.result.name = self.fresh(f"{base}_item")
            return f"{line.result.name} = {base}.item()"
        if self.uses.get(line.result, 0) < 2 or line.function in ("<", "<=", ">", ">=", "==", "!="):
            return None
        text = self.symbol(line.result)
        line.result.name = self.fresh("number")
        return f"{line.result.name} = {text[1:-1] if text[0] == '(' else text}"

    def operands(self, line: Line) -> list[str]:
        """The arguments; a number beside floating-point arrays as an array, which a ufunc takes 0.4 µs faster."""
        kinds = {v.dtype for v in leaves([line.args]) if type(v) is Value}
        (kind,) = kinds if len(kinds) == 1 else (None,)
        name = line.function.removeprefix("np.")
        if kind is None or kind.kind != "f" or not isinstance(getattr(np, name, None), np.ufunc):
            return [self.text(a) for a in line.args]
        return [self.number(a.item(), kind) if isinstance(a, np.generic) and a.dtype == kind
                else self.number(a, kind) if type(a) in (int, float) else self.text(a) for a in line.args]  # fmt: skip

    def _write_line(self, line: Line) -> str:
        target = self.text(line.target)
        if line.function == "[]=":
            index, value = line.args
            return f"{target}[{self.index(index)}] = {self.text(value)}"
        if line.function.endswith(".at"):
            return f"{line.function}({target}, {', '.join(map(self.text, line.args))})"
        return self.into(line, self.options(line), target)

    def options(self, line: Line) -> str:
        """The arguments by name, as far as they say something."""
        said = {k: v for k, v in line.options.items() if (v is not None or k == "axis") and (k, v) != ("keepdims", False)}
        return "".join(f", {k}={self.text(v)}" for k, v in said.items())

    def into(self, line: Line, options: str, target: str) -> str:
        """A call that writes its result to memory which is there: NumPy takes that as the last argument, or as `out`."""
        operands = self.operands(line)
        ufunc = getattr(np, line.function.removeprefix("np."), None)
        last = (isinstance(ufunc, np.ufunc) and ufunc not in (np.maximum, np.minimum)) or ufunc is np.dot
        return f"{line.function}({', '.join(operands)}, {'' if last else 'out='}{target}{options})"

    def _call_line(self, line: Line, last: bool) -> str | None:
        value = line.result
        name = self.known[value.memory] = value.name = self.fresh(self.stem(line, last))
        offset = self.program.offsets.get(value.memory)
        if offset is None:
            text = self.made(line)
            return f"{name} = {f'np.asarray({text})' if value.memory in self.changed and not value.shape else text}"
        strides = "" if value.contiguous else f", {value.strides}"
        self.places.append(f"{name} = place({offset}, {value.shape}, {self.text(value.dtype)}{strides})\n")
        if line.function == "new":
            fill = line.args[0]
            if value.memory in self.program.once:
                if fill != 0:
                    self.views.append(f"{name}[...] = {self.text(fill)}\n")
                return None
            return None if fill is None else f"{name}[...] = {self.text(fill)}"
        if line.function == "number":
            return f"{name}[...] = {self.text(line.args[0])}"
        if line.function in COPIES:
            source = line.args[0]
            text = self.text(source)
            if source.shape != value.shape:  # the copy in the shape of what is copied
                shown = self.fresh(f"{name}_{'x'.join(map(str, source.shape))}")
                self.views.append(f"{shown} = {name}.reshape({source.shape})\n")
                name = shown
            return f"{name}[...] = {text}"
        return self.into(line, self.options(line), name)

    def made(self, line: Line) -> str:
        """A call that makes its own memory."""
        value, name = line.result, line.function
        options = self.options(line)
        if name == "new":
            fill, shape, dtype = line.args[0], self.text(value.shape), self.text(value.dtype)
            if not value.contiguous:  # in the order of another array
                size = value.memory.nbytes // value.dtype.itemsize
                return f"np.ndarray({shape}, {dtype}, np.full({size}, {fill or 0}, {dtype}), 0, {value.strides})"
            if fill is None or fill == 0:
                return f"np.{'empty' if fill is None else 'zeros'}({shape}, {dtype})"
            return f"np.full({shape}, {self.text(fill)}, {dtype})"
        if name == "number":
            return f"np.array({self.text(line.args[0])}, {self.text(value.dtype)})"
        if name == "()":
            return f"{self.text(line.args[0])}({', '.join(map(self.text, line.args[1:]))})"
        if name == "**":
            return " ** ".join(f"{self.text(x)}[()]" if type(x) is Value else self.text(x) for x in line.args)
        if name == "[]":
            return f"{self.text(line.args[0])}[{self.index(line.args[1])}]"
        if name.startswith("."):
            rest = ", ".join(self.text(a) for a in line.args[1:])
            return f"{self.text(line.args[0])}{name}({rest}{options})".replace("(, ", "(")
        return f"{name}({', '.join(self.operands(line))}{options})"


def describe(label: Label, names: dict[int, str]) -> str:
    """The comment above the lines of an operation."""
    text = f"derivative of {label.name}" if label.derivative else label.name
    if label.target is not None and type(label.target) is not Value and not label.derivative:
        text += f", {names.get(label.target, 'a tensor')}"
    if not label.file:
        return text
    code = linecache.getline(label.file, label.line).partition("  #")[0].strip()
    return f"{text:<28} {os.path.basename(label.file)}:{label.line}  {code}".rstrip()


def _kind(array: ndarray) -> str:
    """A word for a constant."""
    if array.size and (array == array.flat[0]).all():
        return {0: "zeros", 1: "ones"}.get(array.flat[0].item(), "constant")
    return "count_up" if array.ndim == 1 and np.array_equal(array, np.arange(len(array))) else "constant"


def _literal(x: Any) -> str:
    text = repr(x)
    return f'float("{text}")' if text in ("inf", "-inf", "nan") else text


def _named(draw: Any, name: str) -> Any:
    draw.__name__ = name
    return draw
