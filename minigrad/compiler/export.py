"""A program as a file that runs with NumPy alone: the proof that it hides nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from minigrad.compiler.program import Program

LOADING = '''
with np.load(__file__.removesuffix(".py") + ".npz") as file:
    arrays = dict(file)
'''

RUNNING = '''

if __name__ == "__main__":
    for result in {name}({arguments}):
        print(result)
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
    ordered, turned = {}, []
    for key, array in arrays.items():
        slowest_first = sorted(range(array.ndim), key=lambda axis: (-array.strides[axis], axis))
        ordered[key] = array.transpose(slowest_first)
        if not ordered[key].flags.c_contiguous:
            raise NotImplementedError(f"export(): {key} of shape {list(array.shape)} has gaps in memory; make it contiguous()")
        if slowest_first != list(range(array.ndim)):
            back = tuple(int(i) for i in np.argsort(slowest_first))
            turned.append(f'arrays["{key}"] = arrays["{key}"].transpose({back})\n')
    before, after = program.source.split("import numpy as np\n", 1)
    text = f"{before}import numpy as np\n{LOADING}{''.join(turned)}{after}"
    path.write_text(text + RUNNING.format(name=name, arguments=", ".join(arguments)), encoding="utf-8")
    np.savez(path.with_suffix(".npz"), **ordered)
