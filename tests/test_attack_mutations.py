"""Files with bytes changed, removed and inserted. They load as what was saved, or are refused; never as something else.

Of one framework, how often, and ``mmap`` for mapped files: ``python tests/test_attack_mutations.py torch 20000 mmap``
"""

from __future__ import annotations

import importlib
import io
import pickle
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

Changes = list[tuple[int, str, int]]
WAYS = ["flip", "replace", "remove", "insert", "cut"]
REFUSALS = (pickle.UnpicklingError, RuntimeError, ValueError)


def saved(torch: Any) -> bytes:
    """A checkpoint: numbers, text, and tensors of several dtypes."""
    file = io.BytesIO()
    state = {"epoch": 7, "name": "a net", "rate": 0.125, "x": torch.arange(40.0), "n": torch.arange(9), "b": torch.ones(3) > 0}
    torch.save(state, file)
    return file.getvalue()


def plain(state: Any) -> Any:
    """What can be compared: names, values, dtypes and shapes."""
    if not isinstance(state, dict):
        return type(state)
    return {name: (str(x.dtype), tuple(x.shape), x.tolist()) if hasattr(x, "dtype") else x for name, x in state.items()}


def mutated(data: bytes, changes: Changes) -> bytes:
    content = bytearray(data)
    for place, way, number in changes:
        place %= max(1, len(content))
        if way == "flip":
            content[place : place + 1] = bytes(x ^ (1 << number % 8) for x in content[place : place + 1])
        elif way == "replace":
            content[place : place + 1] = bytes([number])
        elif way == "remove":
            del content[place : place + 1 + number % 4]
        elif way == "insert":
            content[place:place] = bytes([number]) * (1 + number % 4)
        elif number % 8 == 0:
            del content[place:]
    return bytes(content)


def outcome(torch: Any, data: bytes, path: Path, mapped: bool) -> str:
    """Whether the file is right, refused, or wrong."""
    path.write_bytes(data)
    try:
        state = torch.load(path, mmap=mapped)
    except REFUSALS:
        return "refused"
    except Exception as error:
        return type(error).__name__
    return "right" if plain(state) == plain(torch.load(io.BytesIO(saved(torch)))) else "wrong"


def attack(tries: int, mapped: bool) -> Counter[str]:
    """Run hypothesis on minigrad; it stops where a file is neither right nor refused."""
    torch, found = importlib.import_module("minigrad"), Counter[str]()
    data = saved(torch)
    change = st.tuples(st.integers(0, len(data) - 1), st.sampled_from(WAYS), st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder:

        @settings(max_examples=tries, derandomize=True, database=None, deadline=None)
        @given(st.lists(change, min_size=1, max_size=6))
        def run(changes: Changes) -> None:
            result = outcome(torch, mutated(data, changes), Path(folder) / "x.pt", mapped)
            found[result] += 1
            assert result in ("right", "refused")

        run()
    return found


@pytest.mark.parametrize("mapped", [False, True], ids=["read", "mapped"])
@pytest.mark.parametrize("tries", [300, pytest.param(10_000, marks=pytest.mark.attack)])
def test_mutated_checkpoints(tries: int, mapped: bool) -> None:
    found = attack(tries, mapped)
    assert set(found) == {"right", "refused"}  # a change in the padding harms nothing


if __name__ == "__main__":
    module, chance, results = importlib.import_module(sys.argv[1]), random.Random(0), Counter[str]()
    original = saved(module)
    with tempfile.TemporaryDirectory() as name:
        for _ in range(int(sys.argv[2])):
            count = chance.randint(1, 6)
            edits = [(chance.randrange(len(original)), chance.choice(WAYS), chance.randrange(256)) for _ in range(count)]
            results[outcome(module, mutated(original, edits), Path(name) / "x.pt", sys.argv[3:] == ["mmap"])] += 1
    print(results)
