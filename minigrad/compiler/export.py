"""A program as a file that runs with NumPy alone: the proof that it hides nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from minigrad.arrays.storage import storage_of
from minigrad.compiler.program import Program

LOADING = '''
with np.load(__file__.removesuffix(".py") + ".npz") as file:
    arrays = dict(file)
'''

RUNNING = '''

if __name__ == "__main__":
    results = {name}({arguments})
    print(*(results if isinstance(results, tuple) else [results]), sep="\\n")
'''


def export(program: Program, example: list[Any], path: Any) -> None:
    """Write `program` to `path`, and its arrays, as they are now, beside it; see `Step.export`."""
    path = Path(path)
    if path.suffix != ".py":
        raise ValueError(f"export(): the program is a Python file, so the path must end in .py, got {str(path)!r}")
    if program.objects:
        raise NotImplementedError(f"export(): the step uses {', '.join(program.objects)}, which NumPy does not have")
    name = program.function.__name__
    arrays: dict[str, Any] = dict(program.arrays)
    arguments = []
    for x, value in zip(program.inputs, example, strict=True):
        if isinstance(value, np.ndarray):
            arrays[f"example_{x.name}"] = value
            arguments.append(f'{x.name}=arrays["example_{x.name}"]')
        else:
            arguments.append(f"{x.name}={value!r}")
    state = [array for key, array in program.arrays.items() if program.changes(key)]
    if any(np.may_share_memory(a, b) for i, a in enumerate(state) for b in state[:i]):
        raise NotImplementedError("export(): two of the tensors that the step changes share their memory")
    shown = []
    for key, array in arrays.items():
        if not array.flags.c_contiguous:  # the memory as it lies, and how it is seen
            memory = storage_of(array)
            arrays[key] = memory.flat
            form = f"{array.shape}, np.{array.dtype.name}, arrays[{key!r}], {memory.offset * array.itemsize}"
            shown.append(f"arrays[{key!r}] = np.ndarray({form}, {array.strides})\n")
    before, after = program.source.split("import numpy as np\n", 1)
    text = f"{before}import numpy as np\n{LOADING}{''.join(shown)}{after}"
    path.write_text(text + RUNNING.format(name=name, arguments=", ".join(arguments)), encoding="utf-8")
    np.savez(path.with_suffix(".npz"), **arrays)
