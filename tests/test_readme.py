"""What README.md shows is true: its session, its operation, its commands, the files it names."""

from __future__ import annotations

import dataclasses
import doctest
import re
from pathlib import Path

from minigrad.autograd import Op

from .operations import INPLACE, TABLE

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_session_prints_what_is_shown() -> None:
    failures, tried = doctest.testfile(str(ROOT / "README.md"), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert tried > 0
    assert failures == 0


def test_the_operation_shown_is_the_one_in_the_source() -> None:
    (shown,) = re.findall(r"```python\n(@op.*?)```", README, re.DOTALL)
    assert shown in (ROOT / "minigrad/ops/elementwise.py").read_text(encoding="utf-8")


def test_the_flags_are_those_of_op() -> None:
    table = README[README.index("| flag |") :].partition("\n\n")[0]
    shown = set(re.findall(r"`(\w+)=", table))
    assert shown == {field.name for field in dataclasses.fields(Op) if field.init} - {"body", "node_name"} | {"name"}


def test_there_are_as_many_rows_as_it_says() -> None:
    (rows, calls), = re.findall(r"more than (\d+) rows, ([\d,]+) calls", README)
    assert len(TABLE + INPLACE) >= int(rows)
    assert sum(len(row.cases) for row in TABLE + INPLACE) >= int(calls.replace(",", ""))


def test_the_files_named_exist() -> None:
    names = re.findall(r"`((?:minigrad|reference|tests|benchmarks)/[\w/.]+)`", README)
    assert len(names) > 10
    assert [name for name in names if not (ROOT / name).exists()] == []
