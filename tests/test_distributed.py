"""Several processes: what MPI's ranks do on minigrad, next to torch's with gloo; how they are started, and how faults end them."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import select
import socket
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import minigrad.multiprocessing
from minigrad.utils.data import DistributedSampler

from .twins import same_as_torch

ROOT = Path(__file__).parents[1]
RANKS = ROOT / "tests" / "ranks.py"
PYTHON = [sys.executable, "-W", "error"]
TORCHRUN = [*PYTHON, "-m", "minigrad", "torchrun"]
CALLS = ["collectives", "messages", "objects", "groups", "mistakes", "wrapper"]
NO_RANK = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "PMI_RANK", "PMI_SIZE")


def environment(**more: object) -> dict[str, str]:
    """That of this process, with minigrad found as if it were installed, and one thread for each rank.

    Without PYTHONUNBUFFERED: a line that Python writes in pieces may be torn by another rank's, and these tests compare lines.
    """
    mine = {name: value for name, value in os.environ.items() if name not in (*NO_RANK, "PYTHONUNBUFFERED")}
    mine |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    return mine | {name: str(value) for name, value in more.items()}


def run(*command: object, cwd: Path | None = None, limit: float = 300, **variables: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], cwd=cwd, env=environment(**variables), capture_output=True, text=True,
                          timeout=limit, check=False)  # fmt: skip


def mpiexec(count: int, *command: object, **options: Any) -> subprocess.CompletedProcess[str]:
    return run(Path(sys.executable).with_name("mpiexec"), "-n", count, *command, **options)


def on_minigrad(count: int, folder: Path, *scenarios: str, **options: Any) -> None:
    folder.mkdir()
    done = mpiexec(count, *PYTHON, "-m", "minigrad", "run", RANKS, folder, *scenarios, **options)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders "ours" and "theirs", with what two ranks say of each scenario, and "one", with what one says of `curves`."""
    folder = tmp_path_factory.mktemp("ranks")
    (folder / "theirs").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, str(RANKS), str(folder / "theirs"), "curves", *CALLS]
    ranks = {"WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "PYTHONWARNINGS": "ignore"}
    with contextlib.ExitStack() as stack:
        processes = []
        for rank in (0, 1):
            process = subprocess.Popen(command, env=environment(RANK=rank, **ranks), stderr=subprocess.PIPE, text=True)
            processes.append(stack.enter_context(process))
            stack.callback(process.kill)
        for process in processes:
            _, errors = process.communicate(timeout=300)
            assert process.returncode == 0, errors
    on_minigrad(2, folder / "ours", "curves", *CALLS)
    on_minigrad(1, folder / "one", "curves")
    return folder


@pytest.mark.parametrize(("scenario", "rank"), list(product(CALLS, (0, 1))))
def test_the_same_text(scenario: str, rank: int, runs: Path) -> None:
    ours, theirs = ((runs / side / f"{scenario}.{rank}").read_text() for side in ("ours", "theirs"))
    assert ours == theirs
    assert ours


def test_two_halves_of_a_batch_train_as_the_whole_does_and_as_on_torch(runs: Path) -> None:
    """A network and a CNN, momentum and Adam: the losses of 100 steps; between ranks the weights are the same bits."""
    texts = [(runs / name).read_text().splitlines()[::2] for name in ("ours/curves.0", "theirs/curves.0", "one/curves.0")]
    ours, theirs, one = (np.array([ast.literal_eval(line) for line in text]) for text in texts)
    assert ours.shape == (4, 100)
    assert (ours[[0, 2], -1] < 0.3).all()  # they learn
    for curve, other, whole, tolerance in zip(ours, theirs, one, (1e-6, 1e-6, 1e-13, 1e-13), strict=True):
        np.testing.assert_allclose(curve, other, 0, tolerance)
        np.testing.assert_allclose(curve, whole, 0, tolerance)


def test_four_ranks_come_to_the_same_bits_each_time(tmp_path: Path) -> None:
    for i in range(5):
        on_minigrad(4, tmp_path / str(i), "bits")
    assert len({(tmp_path / str(i) / "bits.0").read_text() for i in range(5)}) == 1


# ---- the sampler -----------------------------------------------------------------------------------------------------------


@same_as_torch
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("drop_last", [True, False])
def test_sampler(m: Any, shuffle: bool, drop_last: bool) -> Any:
    seen = []
    for n, ranks in product((1, 2, 3, 7, 8, 33, 100), (1, 2, 3, 8)):
        for rank in range(ranks):
            sampler = m.utils.data.DistributedSampler(range(n), ranks, rank, shuffle, seed=3, drop_last=drop_last)
            for epoch in (0, 5):
                sampler.set_epoch(epoch)
                seen.append((list(sampler), len(sampler), sampler.total_size))
    return seen


def test_sampler_of_a_rank_that_there_is_not() -> None:
    for rank in (-1, 2):
        with pytest.raises(ValueError, match=rf"Invalid rank {rank}"):
            DistributedSampler(range(4), 2, rank)
    with pytest.raises(ValueError, match="init_process_group"):
        DistributedSampler(range(4))


# ---- faults ----------------------------------------------------------------------------------------------------------------

# What happens to rank 1, the timeout, and what is said: by rank 1 or by one that waits for it. What a rank says ends with the call.
CALL = r"call \d, all_reduce\(SUM\) of float32\[1000\]"
FAULTS = {
    "raises": (100, rf"rank 1 failed with ValueError after its {CALL}"),
    "exits": (100, rf"rank [02] is in its {CALL}; .*rank 1 has left the program after its {CALL}"),
    "ends": (100, rf"rank [02] is in its {CALL}; .*rank 1 has left the program after its {CALL}"),
    "vanishes": (100, rf"rank 1 was killed or called os._exit after its {CALL}"),
    "is killed": (100, rf"rank 1 was killed or called os._exit after its {CALL}"),
    "hangs": (1, rf"rank [02] is in its {CALL}; it has waited for 1 s; .*rank 1 does not answer"),
    "stops": (1, rf"rank [02] is in its {CALL}; it has waited for 1 s; .*rank 1 does not answer"),
    "receives": (1, r"rank 1 is in its call 4, recv of float32\[1000\] from rank 0"),
    "broadcasts": (100, r"rank 1 is in its call 4, broadcast of float32\[1000\] from rank 0"),
    "waits": (100, r"rank 1 is in its call 4, barrier"),
    "size": (100, r"rank 1 is in its call 4, all_reduce\(SUM\) of float32\[999\]"),
    "dtype": (100, r"rank 1 is in its call 4, all_reduce\(SUM\) of float64\[1000\]"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_ends_the_job_and_is_named(what: str, tmp_path: Path) -> None:
    timeout, said = FAULTS[what]
    done = mpiexec(3, *PYTHON, "-m", "minigrad", "run", RANKS, tmp_path, f"fault:{what}", TIMEOUT=timeout)
    took, limit = time.time() - float((tmp_path / "moment").read_text()), 3 if timeout == 1 else 5
    assert took < limit or took < limit * slowness()
    assert done.returncode != 0
    assert "went on" not in done.stdout
    assert re.search(said, done.stderr), done.stderr
    blamed = re.findall(r"rank (\d) was killed", done.stderr)
    assert set(blamed) <= ({"1"} if what in ("vanishes", "is killed") else set())
    assert left_over(str(tmp_path)) == []


def slowness() -> float:
    """How many times as long as on an idle computer everything takes: time by the clock over the processor's, of a short job."""
    start, used = time.monotonic(), time.process_time()
    while time.process_time() - used < 0.2:
        pass
    return (time.monotonic() - start) / 0.2


def left_over(mark: str) -> list[str]:
    """Processes that run with `mark` among their arguments, and do not end within seconds."""
    for _ in range(100):
        time.sleep(0.05)
        shown = subprocess.run(["ps", "-eo", "pid,stat,args"], capture_output=True, text=True, check=True).stdout
        lines = [line for line in shown.splitlines() if mark in line and " Z" not in line]
        if not lines:
            break
    return lines


def test_what_is_said_before_an_abort_is_read_before_it() -> None:
    """mpiexec may forget what is still in the pipe: of 6 jobs whose mpiexec was held up for a moment, one ended in silence."""
    code = "from minigrad.distributed import watcher\nwatcher.say('last words')\nprint('abort')"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*PYTHON, "-u", "-c", code], env=environment(), **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout is not None
        assert process.stderr is not None
        assert select.select([process.stderr], [], [], 100)[0]
        assert not select.select([process.stdout], [], [], 0.3)[0]
        assert process.stderr.readline() == b"last words\n"
        assert process.stdout.read() == b"abort\n"


def test_no_shared_memory_stays_behind(tmp_path: Path) -> None:
    """Not even while the ranks run: its names are deleted once all have it open."""
    (tmp_path / "script.py").write_text(
        "import torch.distributed as dist\ndist.init_process_group('mpi')\n"
        "x = __import__('torch').ones(10**6)\ndist.all_reduce(x)\n"
        "with open('/proc/self/maps') as file:\n    maps = [line for line in file if 'mpich_shm' in line]\n"
        "assert maps and all('(deleted)' in line for line in maps), maps\nprint(x[0].item())\n")
    done = mpiexec(2, *PYTHON, "-m", "minigrad", "run", "script.py", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2.0\n2.0\n", "")


def test_a_rank_that_has_done_its_part_may_leave(tmp_path: Path) -> None:
    on_minigrad(3, tmp_path / "late", "late")
    assert {(tmp_path / "late" / f"late.{rank}").read_text() for rank in range(3)} == {"tensor([0., 0.])"}


# ---- starting --------------------------------------------------------------------------------------------------------------

SHOW = """
import os, sys
import torch, torch.distributed as dist
names = [os.environ[name] for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")]
dist.init_process_group("cpu:gloo,cuda:nccl")
everything = [None] * dist.get_world_size()
dist.all_gather_object(everything, (names[0], names[2]))
if dist.get_rank() == 0:
    print(sys.argv[1:], torch.__name__, names[1], names[3:], everything, dist.is_torchelastic_launched(), dist.get_backend())
"""


@pytest.mark.parametrize(
    "options", [["--nproc-per-node", "2", "script.py"], ["--nproc_per_node=2", "--standalone", "--rdzv-id", "a", "-m", "script"]]
)
def test_torchrun(options: list[str], tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SHOW)
    done = run(*TORCHRUN, *options, "--epochs", "3", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "['--epochs', '3'] minigrad 2 ['2', '127.0.0.1', '29500'] [('0', '0'), ('1', '1')] True gloo\n"


def test_torchrun_on_two_hosts(tmp_path: Path) -> None:
    """Two names of this computer, on which mpiexec starts the ranks without ssh; to MPI they are two hosts."""
    (tmp_path / "script.py").write_text(SHOW + "if sys.argv[1:] and dist.get_rank() == 3:\n    os._exit(0)\ndist.barrier()\n")
    (tmp_path / "hosts").write_text("127.0.0.1\n127.0.0.2\n")
    options = ["--nnodes", 2, "--nproc-per-node", 2, "script.py"]
    hosts = {"cwd": tmp_path, "HYDRA_HOST_FILE": "hosts", "HYDRA_LAUNCHER": "fork"}
    done = run(*TORCHRUN, *options, **hosts)
    assert (done.returncode, done.stderr) == (0, "")
    places = [("0", "0"), ("1", "1"), ("2", "0"), ("3", "1")]  # RANK and LOCAL_RANK
    assert done.stdout == f"[] minigrad 4 ['2', '127.0.0.1', '29500'] {places} True gloo\n"
    done = run(*TORCHRUN, *options, "die", **hosts)
    assert done.returncode != 0
    assert "rank 3 was killed or called os._exit" in done.stderr


def test_torchrun_starts_anew(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import os, sys\nsys.exit(3 if os.environ['TORCHELASTIC_RESTART_COUNT'] == '0' else 0)")
    done = run(*TORCHRUN, "--nproc-per-node", 2, "--max-restarts", 3, "script.py", cwd=tmp_path)
    assert done.returncode == 0
    assert re.findall(r"restart \d of 3", done.stderr) == ["restart 1 of 3"]
    assert run(*TORCHRUN, "script.py", cwd=tmp_path).returncode == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a script"),
        (["--nproc-per-node", "gpu", "x.py"], "give a number"),
        (["--nnodes", "2", "x.py"], "HYDRA_HOST_FILE"),
        (["--node-rank", "1", "x.py"], "on one host only"),
        (["--tee", "3", "x.py"], "--tee"),
    ],
)
def test_torchrun_refuses_in_one_sentence(arguments: list[str], words: str) -> None:
    done = run(*TORCHRUN, *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr


def test_no_mpiexec(tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    code = "import sys; sys.executable = sys.argv.pop(1)\nfrom minigrad.distributed import launch\nlaunch.mpiexec(2, ['true'])"
    done = run(*PYTHON, "-c", code, tmp_path / "python", PATH=tmp_path)
    assert "pip install 'minigrad-twin[mpi]'" in done.stderr


SPAWN = """
import os, sys
import torch, torch.distributed as dist, torch.multiprocessing as mp

def main(rank, size, word):
    os.environ["MASTER_ADDR"] = "localhost"
    os.environ["MASTER_PORT"] = "12355"
    dist.init_process_group("gloo", rank=rank, world_size=size)
    x = torch.ones(1) * rank
    dist.all_reduce(x)
    if word == "fail" and rank == 1:
        raise ValueError(word)
    if rank == 0:
        print(word, x, __name__, flush=True)
    dist.destroy_process_group()

if __name__ == "__main__":
    mp.spawn(main, args=(3, sys.argv[1]), nprocs=3, join=True)
    print("after")
"""


def test_spawn(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SPAWN)
    done = run(*PYTHON, "-m", "minigrad", "run", "script.py", "word", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "word tensor([3.]) __mp_main__\nafter\n", "")
    done = run(*PYTHON, "-m", "minigrad", "run", "script.py", "fail", cwd=tmp_path)
    assert done.returncode == 1
    assert "rank 1 failed with ValueError" in done.stderr
    assert "ProcessExitedException: spawn(): a process has failed, exit status 1" in done.stderr
    done = mpiexec(2, *PYTHON, "-m", "minigrad", "run", "script.py", "word", cwd=tmp_path)
    assert "NotImplementedError: spawn(): mpiexec has started this process" in done.stderr


@pytest.mark.parametrize("options", [{"join": False}, {"daemon": True}, {"start_method": "fork"}])
def test_spawn_in_another_way(options: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError, match=f"{next(iter(options))}="):
        mg.multiprocessing.spawn(print, nprocs=2, **options)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("('nccl')", "RuntimeError: Distributed package doesn't have NCCL built in: .*write init_process_group(\"mpi\")"),
        ("('gloo')", "ValueError: .*environment variable RANK expected, but not set; .*mpiexec -n 2"),
        ("('gloo', rank=1, world_size=3)", "RuntimeError: .*not started by mpiexec; start all of them with: mpiexec -n 3"),
        ("('gloo', store=1)", "NotImplementedError: .*store="),
        ("(pg_options=1)", "NotImplementedError: .*pg_options="),
    ],
)
def test_no_process_group_can_be_made(call: str, says: str) -> None:
    done = run(*PYTHON, "-c", f"import minigrad.distributed as dist\ndist.init_process_group{call}")
    assert done.returncode == 1
    assert re.search(says.replace("(\"", r"\(\"").replace("\")", r"\"\)"), done.stderr), done.stderr


@pytest.mark.parametrize("missing", ["mpi4py", "mpi4py.MPI"])
def test_without_mpi(missing: str) -> None:
    code = f"import sys\nsys.modules[{missing!r}] = None\nimport minigrad.distributed as dist\n"
    done = run(*PYTHON, "-c", code + "dist.init_process_group('mpi', rank=0, world_size=1)")
    assert done.stderr.splitlines()[-1].endswith("install it with: pip install 'minigrad-twin[mpi]' (that is mpi4py and mpich)")


def test_one_process_needs_no_mpiexec(tmp_path: Path) -> None:
    code = ("import minigrad.distributed as dist\ndist.init_process_group(rank=0, world_size=1)\n"
            "print(dist.get_world_size(), dist.get_backend())")
    done = run(*PYTHON, "-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 mpi\n", "")


def test_outside_of_a_process_group() -> None:
    for name in ("get_rank", "get_world_size", "get_backend", "barrier", "new_group", "destroy_process_group"):
        with pytest.raises(ValueError, match="Default process group has not been initialized"):
            getattr(mg.distributed, name)()
    with pytest.raises(ValueError, match="Default process group has not been initialized"):
        mg.nn.parallel.DistributedDataParallel(mg.nn.Linear(1, 1))
    with pytest.raises(NotImplementedError, match="static_graph"):
        mg.nn.parallel.DistributedDataParallel(mg.nn.Linear(1, 1), static_graph=True)
    assert not mg.distributed.is_initialized()
    assert mg.distributed.is_available()
    assert not mg.distributed.is_nccl_available()


# ---- the twins and the ladder ----------------------------------------------------------------------------------------------


def test_the_training_job_on_two_ranks() -> None:
    options = ["train", "--distributed", "--model", "mlp", "--epochs", "1", "--quiet"]
    ours = run(*TORCHRUN, "--nproc-per-node", 2, "-m", "minigrad", *options)
    theirs = run(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", 2, "-m", "reference", *options, cwd=ROOT,
                 PYTHONWARNINGS="ignore")
    assert (ours.returncode, theirs.returncode, ours.stderr) == (0, 0, "")
    assert ours.stdout.split(" after ")[0] == theirs.stdout.split(" after ")[0]
    assert ours.stdout.count("epoch") == 1


@pytest.mark.parametrize(("options", "words"), [([], "several processes must be started"), (["--model", "manual"], "no module")])
def test_a_distributed_job_that_cannot_be(options: list[str], words: str) -> None:
    rank = {"RANK": 0} if options else {}
    done = run(*PYTHON, "-m", "minigrad", "train", "--distributed", *options, **rank)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr


def test_rung_21_says_the_same_on_torch_and_when_it_is_killed_and_goes_on(tmp_path: Path) -> None:
    rung = [ROOT / "reference" / "ladder" / "21_distributed.py", "--data", "few"]
    start = [*TORCHRUN, "--nproc-per-node", 2]
    straight = run(*start, *rung)
    killed = run(*start, "--max-restarts", 1, *rung, CHECKPOINT=tmp_path / "saved.pt", KILL="1:13")
    for _ in range(3):  # on a busy machine one of torch's ranks aborts now and then
        theirs = run(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", 2, *rung, PYTHONWARNINGS="ignore")
        if theirs.returncode == 0:
            break
    assert straight.returncode == killed.returncode == theirs.returncode == 0, (straight.stderr, killed.stderr, theirs.stderr)
    assert "restart 1 of 1" in killed.stderr
    assert len(mg.load(tmp_path / "saved.pt")["losses"]) >= 20
    assert straight.stdout == killed.stdout == theirs.stdout
    assert straight.stdout.endswith("the same bits on all ranks: True\n")


def test_minigrad_alone_loads_no_mpi() -> None:
    done = run(*PYTHON, "-c", "import sys, minigrad\nprint(sorted(name for name in sys.modules if name.startswith('mpi4py')))")
    assert done.stdout == "[]\n"
