"""What ``import minigrad`` loads, and what it leaves for first use."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import minigrad

ROOT = Path(minigrad.__file__).parent
PACKAGES = ["__init__.py", "nn/__init__.py", "optim/__init__.py", "utils/data/__init__.py"]
LATER = ["minigrad.compiler", "minigrad.distributed", "minigrad.distributions", "minigrad.func", "minigrad.serialization",
         "minigrad.testing", "minigrad.nn.parallel", "minigrad.utils.data.worker"]  # fmt: skip
SLOW = ["multiprocessing", "socket", "subprocess", "tempfile", "pathlib", "zipfile", "statistics", "numpy.polynomial"]


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent,
                          env={**os.environ, "PYTHONWARNINGS": "error"})  # fmt: skip
    return done.stdout


def test_import_loads_no_more_than_most_programs_need() -> None:
    code = f"import sys, minigrad\nprint([name for name in {LATER + SLOW} if name in sys.modules])"
    assert python(code) == "[]\n"


@pytest.mark.parametrize("way", [
    "from minigrad import distributions as found", "import minigrad.distributions as found",
    "import minigrad\nfound = minigrad.distributions", "from minigrad import *\nfound = distributions",
])  # fmt: skip
def test_each_way_to_name_a_module_loads_it(way: str) -> None:
    assert python(f"{way}\nimport sys\nprint(found is sys.modules['minigrad.distributions'])") == "True\n"


def test_what_is_listed_can_be_seen_before_it_is_loaded() -> None:
    code = "import minigrad as m\nprint({'compile', 'distributed', 'save', 'add'} <= set(dir(m)), 'DataParallel' in dir(m.nn))"
    assert python(code) == "True True\n"


@pytest.mark.parametrize("path", PACKAGES)
def test_type_checkers_see_the_names_that_are_loaded_on_first_use(path: str) -> None:
    module = ast.parse((ROOT / path).read_text())
    block = next(each for each in module.body if isinstance(each, ast.If))
    imported = {alias.name: statement.module for statement in block.body if isinstance(statement, ast.ImportFrom)
                for alias in statement.names}  # fmt: skip
    call = block.orelse[0].value  # type: ignore[attr-defined]
    listed = {word.arg: word.value.value for word in call.keywords}
    assert listed == {name: f"{module}.{name}" if f"{module}.{name}" == listed.get(name) else module
                      for name, module in imported.items()}  # fmt: skip


def test_other_names_are_missing_as_from_any_module() -> None:
    with pytest.raises(AttributeError, match=r"module 'minigrad\.nn' has no attribute 'Linaer'") as caught:
        minigrad.nn.Linaer  # noqa: B018
    assert caught.value.obj is minigrad.nn
    with pytest.raises(ImportError, match="cannot import name 'dsitributed' from 'minigrad'"):
        from minigrad import dsitributed  # noqa: F401
