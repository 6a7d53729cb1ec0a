"""Processes and switches: what scripts ask of torch besides tensors. `cuda`, `amp`, `multiprocessing`, `testing`, precision."""

from __future__ import annotations

import multiprocessing as python_multiprocessing
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import minigrad as mg
import minigrad.multiprocessing as mp
from minigrad.cuda import amp as cuda_amp

from .twins import LIBRARIES, raised, same_as_torch

# ---- GPUs that are not there ---------------------------------------------------------------------------------------------------


@same_as_torch
def test_what_cuda_answers(m: Any) -> Any:
    c = m.cuda
    c.manual_seed(1)
    c.manual_seed_all(1)
    return [c.is_available(), c.device_count(), c.is_initialized(), c.is_bf16_supported(), c.empty_cache(), c.memory_allocated(),
            c.max_memory_allocated(), c.memory_reserved(), c.max_memory_reserved(), m.backends.cuda.is_built()]  # fmt: skip


@pytest.mark.parametrize("name", ["synchronize", "current_device", "get_device_name", "get_device_properties", "mem_get_info"])
@pytest.mark.parametrize("m", [mg, torch], ids=["minigrad", "torch"])
def test_what_needs_a_gpu_says_that_there_is_none(m: Any, name: str) -> None:
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
        getattr(m.cuda, name)(*[0] if "device_" in name else [])


@pytest.mark.parametrize("name", ["cuda", "xpu", "mps"])
def test_what_other_gpus_answer(name: str) -> None:
    """As torch without them, whose AttributeErrors are for what nobody asks there."""
    found = []
    for m in (mg, torch):
        gpu = getattr(m, name)
        state = m.get_rng_state()
        calls: dict[str, Any] = {
            "is_available": (), "device_count": (), "manual_seed": (1,), "synchronize": (), "empty_cache": (), "seed": (),
            "get_rng_state": (), "is_initialized": (), "manual_seed_all": (1,), "seed_all": (), "get_rng_state_all": (),
            "set_rng_state_all": ([],), "set_rng_state": (state,), "current_device": (), "get_device_name": (0,),
            "current_allocated_memory": (), "driver_allocated_memory": (), "initial_seed": (),
        }  # fmt: skip
        answers: dict[str, Any] = {}
        for each, args in calls.items():
            try:
                answers[each] = getattr(gpu, each)(*args)
            except (AttributeError, AssertionError, RuntimeError) as error:
                answers[each] = type(error).__name__
        found.append(answers)
    ours, theirs = found
    assert {each: answer for each, answer in theirs.items() if answer != "AttributeError"} == {
        each: ours[each] for each in ours if theirs[each] != "AttributeError"}  # fmt: skip


@same_as_torch
def test_precision(m: Any) -> Any:
    before = m.get_float32_matmul_precision()
    m.set_float32_matmul_precision("high")
    after = m.get_float32_matmul_precision()
    m.set_float32_matmul_precision(before)
    m.backends.cuda.matmul.allow_tf32 = False
    return before, after, raised(lambda: m.set_float32_matmul_precision("low"))


def train(m: Any, autocast: Any, scaler: Any) -> Any:
    """A step in the manner of scripts for mixed precision."""
    m.manual_seed(0)
    net = m.nn.Linear(3, 2)
    optimizer = m.optim.SGD(net.parameters(), lr=0.1)
    with autocast:
        loss = net(m.ones(4, 3)).square().mean()
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    return loss, list(net.parameters()), scaler.get_scale(), scaler.is_enabled(), scaler.state_dict()


@same_as_torch
def test_mixed_precision_is_disabled(m: Any) -> Any:
    disabled = train(m, m.autocast("cuda", dtype=m.float16, enabled=False), m.amp.GradScaler("cuda", enabled=False))
    with pytest.warns() as warned:
        enabled = train(m, m.autocast("cuda"), m.amp.GradScaler())
    with pytest.warns() as warned_too:
        older = train(m, m.cuda.amp.autocast(), m.cuda.amp.GradScaler())
    return disabled, enabled, older, [(w.category.__name__, str(w.message)) for w in [*warned, *warned_too]]


def test_autocast_as_a_decorator() -> None:
    @mg.autocast("cuda", enabled=False)
    def double(x: Any, *, by: int) -> Any:
        """Twice."""
        return x * by

    assert double(mg.ones(1), by=2).item() == 2
    assert double.__doc__ == "Twice."


def test_mixed_precision_on_a_cpu_is_refused() -> None:
    for call in (lambda: mg.autocast("cpu"), lambda: mg.amp.GradScaler("cpu")):
        with pytest.raises(NotImplementedError, match="enabled=False"):
            call()
    with mg.autocast("cpu", enabled=False):
        mg.amp.GradScaler("cpu", enabled=False)
    with pytest.raises(ValueError, match="expected a device type as text"):
        mg.autocast(torch)
    assert issubclass(cuda_amp.autocast, mg.autocast)


# ---- processes -----------------------------------------------------------------------------------------------------------------


def add_one(tensors: list[Any], queue: Any) -> None:
    for tensor in tensors:
        tensor.add_(1) if tensor.dtype == mg.int64 else tensor.mul_(2)
    queue.put([tensor.tolist() for tensor in tensors])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_see_what_others_write_into_shared_tensors(method: str) -> None:
    x, y, alone = mg.arange(6).reshape(2, 3).t().clone(), mg.ones(3, dtype=mg.float64), mg.zeros(2, dtype=mg.int64)
    assert not x.is_shared()
    x.share_memory_().share_memory_()
    assert x.is_shared()
    assert y.share_memory_() is y
    before = x.tolist()
    context = mp.get_context(method)
    queue = context.Queue()
    process = context.Process(target=add_one, args=([x, y, alone, x[1:]], queue))
    process.start()
    seen = queue.get(timeout=60)
    process.join()
    assert process.exitcode == 0
    assert y.tolist() == [2, 2, 2]
    assert x.tolist() == seen[0]
    assert x[0].tolist() == [n + 1 for n in before[0]]
    assert x[1].tolist() == [n + 2 for n in before[1]]  # a view of it was sent as well
    assert alone.tolist() == [0, 0]


def hogwild(net: Any) -> None:
    with mg.no_grad():
        net.weight.fill_(7)


def test_a_module_shares_its_parameters() -> None:
    net = mg.nn.Linear(2, 2)
    weight = net.weight
    assert net.share_memory() is net
    assert weight is net.weight
    assert weight.is_shared()
    process = mp.get_context("spawn").Process(target=hogwild, args=(net,))
    process.start()
    process.join()
    assert net.weight.tolist() == [[7, 7], [7, 7]]
    (net(mg.ones(1, 2)).sum()).backward()
    assert weight.grad.tolist() == [[1, 1], [1, 1]]


def test_views_cannot_be_moved_away_from_their_base() -> None:
    x = mg.ones(3)
    with pytest.raises(NotImplementedError, match="share the base instead"):
        x[1:].share_memory_()
    x.share_memory_()
    assert x[1:].is_shared()


def test_the_names_are_pythons() -> None:
    assert mp.Process is python_multiprocessing.Process
    assert mp.get_sharing_strategy() in mp.get_all_sharing_strategies()
    mp.set_sharing_strategy("file_descriptor")
    with pytest.raises(NotImplementedError, match="file_system"):
        mp.set_sharing_strategy("file_system")


def test_shared_memory_leaves_nothing_behind() -> None:
    code = """
import os
import minigrad as mg
before = len(os.listdir("/proc/self/fd"))
for _ in range(2000):
    mg.ones(10).share_memory_()
print(len(os.listdir("/proc/self/fd")) - before)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "0\n"


# ---- assert_close ----------------------------------------------------------------------------------------------------------------


def pairs(m: Any) -> dict[str, tuple[Any, Any, dict[str, Any]]]:
    t, nan, inf = m.tensor, float("nan"), float("inf")
    return {
        "close": (t([1.0, 2]), t([1.0, 2.000001]), {}), "not close": (t([1.0, 2]), t([1.0, 2.1]), {}),
        "double": (t([1.0], dtype=m.float64), t([1.0 + 1e-6], dtype=m.float64), {}),
        "half": (t([1.0]).half(), t([1.001]).half(), {}), "integers": (t([[1, 2], [3, 4]]), t([[1, 2], [3, 6]]), {}),
        "nested": ({"a": [t([1, 2])]}, {"a": [t([1, 3])]}, {}), "keys": ({"a": 1}, {"b": 1}, {}),
        "lengths": ([1.0], [1.0, 2.0], {}), "shapes": (t([1.0, 2]), t([[1.0, 2]]), {}), "dtypes": (t([1.0]), t([1]), {}),
        "other dtypes": (t([1.0]), t([1]), {"check_dtype": False}), "numbers": (1.0, 1.1, {}), "whole numbers": (1, 2, {}),
        "same numbers": (1.0, 1.0, {}), "kinds": (t(1.0), 1.1, {}), "text": ("a", "a", {}), "none": (None, None, {}),
        "nan": (t([nan]), t([nan]), {}), "equal nan": (t([nan]), t([nan]), {"equal_nan": True}), "inf": (t([inf]), t([inf]), {}),
        "inf and not": (t([inf, 1.0]), t([-inf, 1.0]), {}), "0-d": (t(1.0), t(2.0), {}), "empty": (t([]), t([]), {}),
        "tolerances": (t([1.0]), t([1.4]), {"rtol": 0, "atol": 0.5}), "one tolerance": (t([1.0]), t([1.0]), {"rtol": 0}),
        "strides": (m.ones(2, 3), m.ones(3, 2).t(), {"check_stride": True}), "bools": (t([True]), t([False]), {}),
        "message": (t([1.0]), t([2.0]), {"msg": "no"}), "made message": (t([1.0]), t([2.0]), {"msg": lambda text: text[:12]}),
    }  # fmt: skip


@pytest.mark.parametrize("name", pairs(mg))
def test_what_is_close_and_what_is_said(name: str) -> None:
    said = []
    for m in (mg, torch):
        actual, expected, options = pairs(m)[name]
        try:
            said.append((None, m.testing.assert_close(actual, expected, **options)))
        except (AssertionError, TypeError, ValueError) as error:
            said.append((type(error), str(error).replace("torch.Tensor", "minigrad.tensors.tensor.Tensor")))
    (kind, text), (their_kind, their_text) = said
    assert kind is their_kind
    if kind is AssertionError and name != "keys":
        assert text == their_text


@LIBRARIES
def test_arrays_are_compared_as_well(lib: Any) -> None:
    lib.testing.assert_close(np.ones(3), np.ones(3))
    with pytest.raises(AssertionError, match="not close"):
        lib.testing.assert_close(np.ones(3), np.zeros(3))


def test_the_hogwild_example_runs_unchanged(tmp_path: Path) -> None:
    script = tmp_path / "hogwild.py"
    script.write_text("""
import torch
import torch.multiprocessing as mp


def train(rank, model):
    torch.manual_seed(rank)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(20):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(torch.ones(4, 1)), torch.full((4, 1), 3.0)).backward()
        optimizer.step()


if __name__ == "__main__":
    mp.set_start_method("spawn", force=True)
    model = torch.nn.Linear(1, 1)
    model.share_memory()
    processes = [mp.Process(target=train, args=(rank, model)) for rank in range(2)]
    for p in processes:
        p.start()
    for p in processes:
        p.join()
    print(abs(model(torch.ones(1, 1)).item() - 3) < 0.01)
""")
    command = [sys.executable, "-m", "minigrad", "run", str(script)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "True\n"


@same_as_torch
def test_deterministic_algorithms(m: Any) -> Any:
    before = m.are_deterministic_algorithms_enabled()
    m.use_deterministic_algorithms(True, warn_only=True)
    after = m.are_deterministic_algorithms_enabled()
    m.use_deterministic_algorithms(False)
    return before, after, m.are_deterministic_algorithms_enabled(), m.is_autocast_enabled()


# --- modules that scripts import in passing ---------------------------------------------------------------------------


def test_torchscript_is_asked_for_in_passing() -> None:
    for lib in (torch, mg):
        assert lib.jit.is_scripting() is lib.jit.is_tracing() is False

    def double(x: Any) -> Any:
        return 2 * x

    jit = mg.jit
    for mark in (jit.export, jit.ignore, jit.ignore(drop=True), jit.ignore(), jit.unused, jit.script, jit.script_if_tracing,
                 mg.compiler.allow_in_graph):  # fmt: skip
        assert mark(double) is double
    for name, thing in (("script", mg.nn.ReLU()), ("script", mg.nn.ReLU), ("trace", double), ("load", "f"), ("save", "f")):
        with pytest.raises(NotImplementedError, match=rf"^torch\.jit\.{name} is not supported"):
            getattr(jit, name)(thing)


def test_onnx_can_be_imported_but_exports_nothing() -> None:
    with pytest.raises(NotImplementedError, match=r"^torch\.onnx\.export is not supported; save the state_dict"):
        mg.onnx.export(mg.nn.Linear(2, 1), mg.ones(1, 2), "model.onnx")


def test_model_zoo_can_be_imported_but_loads_nothing() -> None:
    from minigrad.utils import model_zoo

    with pytest.raises(NotImplementedError, match=r"^torch\.utils\.model_zoo\.load_url is not supported; download http://a/b\.pth"):
        model_zoo.load_url("http://a/b.pth")


def test_operations_under_the_name_of_their_module() -> None:
    absent = {"istft", "stft", "lu", "pca_lowrank", "svd_lowrank", "chain_matmul"}
    assert set(mg.functional.__all__) == set(torch.functional.__all__) - absent
    for name in mg.functional.__all__:
        assert getattr(mg.functional, name) is getattr(mg, name)


def test_collectives_with_gradients_refuse_to_be_called() -> None:
    from minigrad.distributed import nn

    with pytest.raises(NotImplementedError, match=r"torch\.distributed\.nn\.all_reduce is not supported"):
        nn.all_reduce(mg.ones(1))
