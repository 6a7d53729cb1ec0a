"""``python -m minigrad run script.py``: a script in which the names ``torch`` and ``torchvision`` mean minigrad.

The script runs in this process as it would with ``python script.py``: its arguments, ``__main__``, tracebacks and exit status are
the same. Only its imports find something else: ``torch.nn`` is `minigrad.nn` itself, and so on for each module (`Twin`). The same
holds in processes that it starts through `multiprocessing`.
"""

from __future__ import annotations

import argparse
import builtins
import io
import marshal
import multiprocessing
import os
import pkgutil
import re
import runpy
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import BuiltinImporter, ModuleSpec, SourceFileLoader, SourcelessFileLoader
from importlib.util import MAGIC_NUMBER
from multiprocessing import spawn
from types import CodeType, ModuleType
from typing import Any, NoReturn

from minigrad.arrays.threads import set_num_threads

MEANING = {"torch": "minigrad", "torchvision": "minigrad.vision", "safetensors.torch": "minigrad.serialization.safetensors"}
NOTE = "Here torch means minigrad (python -m minigrad run); if the name is torch's, minigrad does not have it."


class Twin(Loader):
    """Finds the modules of torch, and loads for each the very object that minigrad has under the same name.

    It stands first in `sys.meta_path`, so that an installed torch is never looked for.
    """

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """How to load the module; None if the name is not torch's, or minigrad has no such module."""
        for theirs, meaning in MEANING.items():
            if f"{name}.".startswith(f"{theirs}."):
                ours = meaning + name[len(theirs) :]
                break
        else:
            return None
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
    parser.usage = (f"{parser.prog} [-h] [--threads N] (script.py | script.pyc | folder | archive.zip | -) [argument ...]\n"
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
    if options.threads is not None:
        set_num_threads(options.threads)
    try:
        if options.module:
            install()
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        else:
            main, code = _program(sys.argv[0])
            sys.setrecursionlimit(sys.getrecursionlimit() + len(traceback.extract_stack()))  # what is below the script counts, too
            exec(code, vars(main))
        return
    except SystemExit:
        raise
    except BaseException as raised:
        error = raised
    report(error)
    raise error


def _program(name: str) -> tuple[ModuleType, CodeType]:
    """The module ``__main__`` as it is when a program begins, and the code to run in it; from here on torch means minigrad."""
    main = ModuleType("__main__")
    path = name if os.path.isabs(name) else os.path.join(os.getcwd(), name.removeprefix("./"))
    vars(main).update(__annotations__={}, __builtins__=builtins, __file__=path, __cached__=None)
    folder = os.path.dirname(os.path.realpath(path))
    if name == "-":
        source, folder = sys.stdin.buffer.read(), ""
        main.__loader__, main.__file__ = BuiltinImporter, "<stdin>"
    elif importer := pkgutil.get_importer(path):  # of a folder, or a zip archive
        spec: Any = importer.find_spec("__main__")
        if spec is None:
            refuse(f"can't find '__main__' module in {path!r}")
        vars(main).update(__spec__=spec, __package__="", __loader__=spec.loader, __cached__=spec.cached, __file__=spec.origin)
        source, folder = spec.loader, path
    else:
        kind = SourcelessFileLoader if path.endswith(".pyc") else SourceFileLoader
        main.__loader__ = kind("__main__", path)
        try:
            with io.open_code(path) as file:
                source = file.read()
        except OSError as error:
            refuse(f"can't open file {path!r}: {error.strerror}")
    if not sys.flags.safe_path:
        sys.path[0] = folder
    sys.modules["__main__"] = main
    install()
    return main, _compiled(source, str(main.__file__)) if isinstance(source, bytes) else source.get_code("__main__")


def _compiled(source: bytes, path: str) -> CodeType:
    """The code to run; of what cannot be decoded, Python's error for a file, which differs from that for a text."""
    if path.endswith(".pyc"):
        if source[:4] != MAGIC_NUMBER:
            raise RuntimeError("Bad magic number in .pyc file")
        return marshal.loads(source[16:])
    try:
        return compile(source, path, "exec", dont_inherit=True)
    except SyntaxError:
        lines = source.split(b"\n")
        declared = [re.match(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", line) for line in lines[:2]]
        encoding = next((found[1].decode() for found in declared if found), "")
        for number, line in enumerate(lines, 1):
            try:
                line.decode(encoding or "utf-8")
            except LookupError:
                raise SyntaxError(f"encoding problem: {encoding}") from None
            except UnicodeDecodeError as wrong:
                if encoding:
                    raise SyntaxError(f"encoding problem: {encoding}") from None
                raise SyntaxError(f"Non-UTF-8 code starting with '\\x{line[wrong.start]:02x}' in file {path} on line {number}, but "
                                  "no encoding declared; see https://peps.python.org/pep-0263/ for details") from None
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
    hook, sys.excepthook = sys.excepthook, lambda *error: None
    try:
        hook(type(error), error.with_traceback(trace), trace)
    except Exception as wrong:
        print("Error in sys.excepthook:", file=sys.stderr)
        traceback.print_exception(wrong.with_traceback(wrong.__traceback__ and wrong.__traceback__.tb_next))
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, trace)
