"""Names that are loaded on first use, so that ``import minigrad`` stays quick.

Most programs never touch `distributed`, `distributions` or the compiler. A package lists such names with the modules that have
them, and gives itself the two functions that Python asks about names that are not there yet (PEP 562)::

    if TYPE_CHECKING:               # for type checkers and editors
        from minigrad import func
        from minigrad.func import vmap
    else:
        __getattr__, __dir__ = on_first_use(__name__, func="minigrad.func", vmap="minigrad.func")
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def on_first_use(package: str, **places: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package, some of whose names are loaded when somebody first asks for them.

    Parameters
    ----------
    package : str
        The package's name.
    **places : str
        For each name, the module that has it, or the module that it stands for.
    """
    namespace = vars(sys.modules[package])

    def names() -> list[str]:
        return sorted({*namespace, *places})

    def load(name: str) -> Any:
        if name == "__all__":  # ``from minigrad import *``
            return [each for each in names() if not each.startswith("_")]
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package])
        module = import_module(places[name])
        namespace[name] = value = module if places[name] == f"{package}.{name}" else getattr(module, name)
        return value

    return load, names
