"""The number of threads: set, asked for and refused as in torch, and left alone until then."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import threadpoolctl
import torch

import minigrad as mg
from minigrad.arrays import threads

from .twins import LIBRARIES, same_outcomes


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    ours, theirs = mg.get_num_threads(), torch.get_num_threads()
    monkeypatch.setattr(threads, "_interop", [])
    yield
    mg.set_num_threads(ours)
    torch.set_num_threads(theirs)


@LIBRARIES
def test_what_is_set_is_given_back(lib: Any) -> None:
    for number in (1, 2, np.int64(1)):
        assert lib.set_num_threads(number) is None
        assert lib.get_num_threads() == number
        assert type(lib.get_num_threads()) is int


def test_numpys_products_run_on_them() -> None:
    for number in (2, 1):
        mg.set_num_threads(number)
        blas = [library for library in threadpoolctl.threadpool_info() if "numpy" in library["filepath"]]
        assert [library["num_threads"] for library in blas if library["user_api"] == "blas"] == [number]


test_what_is_no_number_of_threads = same_outcomes({
    f"{name}({number!r})": lambda m, name=name, number=number: getattr(m, name)(number)
    for name in ("set_num_threads", "set_num_interop_threads") for number in (0, -1, 1.5, "2", True, None)
} | {"a tensor": lambda m: m.set_num_threads(m.tensor(2)), "nothing": lambda m: m.set_num_threads()})  # fmt: skip


def test_the_sentence() -> None:
    with pytest.raises(RuntimeError, match="set_num_threads expects a positive integer, got 0"):
        mg.set_num_threads(0)
    with pytest.raises(RuntimeError, match="set_num_interop_threads expects an int, but got float"):
        mg.set_num_interop_threads(1.5)  # type: ignore[arg-type]


def test_interop_threads_are_set_once() -> None:
    """torch's own number may have been set or used by now, so only minigrad is asked."""
    assert mg.get_num_interop_threads() == 1
    mg.set_num_interop_threads(3)
    assert mg.get_num_interop_threads() == 3
    with pytest.raises(RuntimeError, match="only once"):
        mg.set_num_interop_threads(3)


def test_a_blas_that_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(threadpoolctl.ThreadpoolController, "select", lambda self, **kinds: self._from_controllers([]))
        with pytest.warns(RuntimeWarning, match="stays as it is"):
            mg.set_num_threads(2)
        assert mg.get_num_threads() == 1


def test_without_threadpoolctl(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "threadpoolctl", None)
        with pytest.warns(RuntimeWarning, match=r"pip install threadpoolctl"):
            mg.set_num_threads(2)
        assert mg.get_num_threads() == 1
