"""``python -m minigrad run script.py``: a script in which the names ``torch`` and ``torchvision`` mean minigrad.

The script runs in this process as it would with ``python script.py``: its arguments, ``__main__``, tracebacks and exit status are
the same. Only its imports find something else: ``torch.nn`` is `minigrad.nn` itself, and so on for each module (`Twin`). The same
holds in processes that it starts through `multiprocessing`.
"""

from __future__ import annotations

import argparse
import builtins
import io
import multiprocessing
import os
import runpy
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, SourceFileLoader
from multiprocessing import spawn
from types import ModuleType
from typing import Any, NoReturn

from minigrad.arrays.threads import set_num_threads

MEANING = {"torch": "minigrad", "torchvision": "minigrad.vision"}
NOTE = "Here torch means minigrad (python -m minigrad run); if the name is torch's, minigrad does not have it."


class Twin(Loader):
    """Finds the modules of torch, and loads for each the very object that minigrad has under the same name.

    It stands first in `sys.meta_path`, so that an installed torch is never looked for.
    """

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """How to load the module; None if the name is not torch's, or minigrad has no such module."""
        top, dot, rest = name.partition(".")
        if top not in MEANING:
            return None
        ours = MEANING[top] + dot + rest
        try:
            module = import_module(ours)
        except ModuleNotFoundError as error:
            if error.name != ours:  # something that our module needs
                raise
            return None
        return ModuleSpec(name, self, loader_state=(module, module.__spec__))

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Give the module that there is."""
        return spec.loader_state[0]

    def exec_module(self, module: ModuleType) -> None:
        """Put back what Python has just replaced, the module's knowledge of its origin.

        Where a package has something else under a module's name, as `autograd` has the function `gradcheck`, the module is known
        as torch's from now on: when it is loaded, Python would put it in the place of the function.
        """
        spec = module.__spec__
        assert spec is not None
        module.__spec__ = spec.loader_state[1]
        for name, loaded in list(sys.modules.items()):
            package, _, last = name.rpartition(".")
            if package == module.__name__ and getattr(module, last, loaded) is not loaded:
                sys.modules[f"{spec.name}.{last}"] = loaded


class Meaning:
    """An object that is `install` when it is unpickled: sent ahead to a new process, it acts before the script is imported."""

    def __reduce__(self) -> Any:
        return install, ()


def install() -> None:
    """From now on ``torch`` means minigrad, here and in the processes that `multiprocessing` starts from here."""
    sys.meta_path.insert(0, Twin())
    # A forked process is a copy. A spawned one begins with a pickle of how to prepare itself, then imports the script.
    prepare = spawn.get_preparation_data
    spawn.get_preparation_data = lambda name: {"torch": Meaning(), **prepare(name)}
    multiprocessing.set_forkserver_preload([])  # by default it would import the script without any of this


def run_options(parser: argparse.ArgumentParser) -> None:
    """Add what stands behind ``run``: a script, or ``-m`` and a module, and what is for them."""
    parser.usage = (f"{parser.prog} [-h] [--threads N] script.py [argument ...]\n"
                    f"       {parser.prog} [--threads N] -m module [argument ...]")
    parser.add_argument("-m", dest="module", action="store_true", help="run a module, found as imports find it")
    parser.add_argument("argv", nargs=argparse.REMAINDER, metavar="script.py", help="the script, followed by its arguments")


def run(options: argparse.Namespace) -> None:
    """Run the script or the module.

    Raises
    ------
    BaseException
        What the script raises, once it has been reported; `sys.excepthook` is then silent.
    """
    sys.argv = options.argv
    if not sys.argv:
        refuse("name a script, or a module behind -m (see --help)")
    if not options.module:
        path = os.path.abspath(sys.argv[0])
        try:
            with io.open_code(path) as file:
                source = file.read()
        except OSError as error:
            refuse(f"can't open file {path!r}: {error.strerror}")
        if not sys.flags.safe_path:
            sys.path[0] = os.path.dirname(os.path.realpath(path))
        main = sys.modules["__main__"] = ModuleType("__main__")
        vars(main).update(__file__=path, __loader__=SourceFileLoader("__main__", path), __builtins__=builtins)
    if options.threads is not None:
        set_num_threads(options.threads)
    install()
    try:
        if options.module:
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        else:
            exec(compile(source, path, "exec", dont_inherit=True), vars(main))
    except SystemExit:
        raise
    except BaseException as error:
        report(error)
        raise


def refuse(reason: str) -> NoReturn:
    """Leave with one line and the status that Python has for a script that cannot be opened."""
    print(f"python -m minigrad run: {reason}", file=sys.stderr)
    sys.exit(2)


def report(error: BaseException) -> None:
    """Show the script's error as Python would have: without what lies between Python and the script."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in (__file__, runpy.__spec__.origin, "<frozen runpy>"):
        trace = trace.tb_next
    if isinstance(error, ImportError):
        where = error.name
    elif isinstance(error, AttributeError):
        where = error.obj.__name__ if isinstance(error.obj, ModuleType) else getattr(error.obj, "__module__", None)
    else:
        where = None
    if str(where).partition(".")[0] in ("minigrad", *MEANING):
        error.add_note(NOTE)
    sys.excepthook(type(error), error.with_traceback(trace), trace)
    sys.excepthook = lambda *error: None
