"""Workers: order, random streams and errors are torch's; and whatever dies, nothing hangs and nothing is left behind."""

import faulthandler
import gc
import itertools
import multiprocessing
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from typing import Any

import numpy as np
import pytest
import torch
import torch.utils.data

import minigrad as mg
import minigrad.utils.data
from minigrad.utils.data import worker as worker_module

pytestmark = [
    pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning"),  # torch, if there are few cores
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),  # from Python 3.12 on: torch has threads
]
LIBRARIES = pytest.mark.parametrize("lib", [torch, mg], ids=["torch", "minigrad"])


class Samples:
    """A dataset for both libraries: sample i is ``get(i)``."""

    def __init__(self, get: Callable[[int], Any], n: int) -> None:
        self.get, self.n = get, n

    def __getitem__(self, index: int) -> Any:
        return self.get(index)

    def __len__(self) -> int:
        return self.n


def identity(x: Any) -> Any:
    return x


def slow_at(number: int, seconds: float) -> Callable[[int], int]:
    def get(i: int) -> int:
        if i == number:
            time.sleep(seconds)
        return i

    return get


def load(lib: Any, dataset: Any, *, workers: int = 2, **options: Any) -> Any:
    """A loader with workers that are forks, whatever this Python starts by default."""
    if workers:
        options.setdefault("multiprocessing_context", "fork")
    return lib.utils.data.DataLoader(dataset, num_workers=workers, **options)


def plain(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return type(x), [plain(value) for value in x]
    return (str(x.dtype), x.tolist()) if isinstance(x, (torch.Tensor, mg.Tensor)) else x


def state(lib: Any, g: Any) -> bytes:
    """Where the default generator and an own one stand."""
    return np.asarray(lib.get_rng_state()).tobytes() + np.asarray(g.get_state()).tobytes()


def digits(lib: Any, n: int = 23) -> Any:
    images = np.arange(6 * n, dtype=np.float32).reshape(n, 2, 3)
    return lib.utils.data.TensorDataset(lib.tensor(images), lib.tensor(np.arange(n) % 10))


def runs(pid: int) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def open_files() -> Counter[str]:
    """What this process has open, and the shared memory there is."""
    found = [os.readlink(entry) for entry in pathlib.Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    kept = [name for name in found if "socket" in name or "pipe" in name or "memfd" in name]
    return Counter(kept + os.listdir("/dev/shm"))


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """No process, no descriptor and no shared memory survives a test."""
    resource_tracker.ensure_running()  # Python's own process, which spawning starts and which stays
    before = open_files()
    yield
    gc.collect()
    assert not multiprocessing.active_children()
    assert eventually(lambda: open_files() <= before), open_files() - before  # torch closes some a little later


# ---- the same order ---------------------------------------------------------------------------------------------------


def epochs(lib: Any, workers: int, own: bool, early: bool, **options: Any) -> Any:
    """Three epochs, the second perhaps left early, with the state of the generators after each."""
    lib.manual_seed(0)
    g = lib.Generator().manual_seed(1)
    loader = load(lib, digits(lib), workers=workers, batch_size=4, generator=g if own else None, **options)
    batches, states = [], []
    for epoch in range(3):
        batches.append([plain(batch) for batch in itertools.islice(loader, 2 if early and epoch == 1 else None)])
        states.append(state(lib, g))
    return batches, states


@pytest.mark.parametrize(
    ("own", "early", "options"),
    [
        (False, False, {"shuffle": True}),
        (True, False, {"shuffle": True, "drop_last": True}),
        (True, True, {"shuffle": True}),
        (False, True, {"shuffle": True, "persistent_workers": True}),
        (True, True, {"shuffle": True, "persistent_workers": True, "drop_last": True}),
        (False, True, {"prefetch_factor": 1}),
    ],
)
def test_order_and_draws_are_torchs(own: bool, early: bool, options: dict[str, Any]) -> None:
    ours, theirs = (epochs(lib, 2, own, early, **options) for lib in (mg, torch))
    assert ours == theirs
    options.pop("prefetch_factor", None)
    if "persistent_workers" not in options and not (own and early):  # else something else was drawn, in torch too
        assert ours[0] == epochs(mg, 0, own, early, **options)[0]


def test_order_does_not_depend_on_who_is_fast() -> None:
    loader = load(mg, Samples(slow_at(0, 0.3), 12), batch_size=2, prefetch_factor=3)
    assert [batch.tolist() for batch in loader] == [[i, i + 1] for i in range(0, 12, 2)]


def test_samplers_that_draw_at_once_draw_as_often_as_in_torch() -> None:
    def numbers(lib: Any) -> Any:
        class Eager:
            def __iter__(self) -> Iterator[int]:
                return iter(lib.randperm(5).tolist())

        lib.manual_seed(0)
        loader = load(lib, Samples(identity, 5), sampler=Eager(), batch_size=None)
        return list(loader), list(loader), np.asarray(lib.get_rng_state()).tobytes()

    assert numbers(mg) == numbers(torch)


# ---- the workers' own numbers, and what they know of themselves --------------------------------------------------------


@pytest.mark.parametrize("persistent", [False, True])
def test_workers_draw_what_torchs_draw(persistent: bool) -> None:
    def found(lib: Any) -> Any:
        def draw(i: int) -> Any:
            info = lib.utils.data.get_worker_info()
            return i, info.id, info.num_workers, info.seed, random.random(), np.random.rand(), lib.rand(3), lib.randn(2)

        lib.manual_seed(5)
        loader = load(lib, Samples(draw, 8), batch_size=None, persistent_workers=persistent)
        return [[plain(sample) for sample in itertools.islice(loader, n)] for n in (8, 3, 8)]

    ours = found(mg)
    assert ours == found(torch)
    draws = [sample[1][4:] for sample in ours[0]]
    assert all(a != b for a, b in itertools.combinations(draws, 2))


@LIBRARIES
def test_worker_init_fn_may_change_the_workers_copy(lib: Any) -> None:
    def shift(worker_id: int) -> None:
        info = lib.utils.data.get_worker_info()
        assert info.id == worker_id
        assert info.dataset is not None
        info.dataset.get = lambda i: (worker_id, 10 * i)

    dataset = Samples(identity, 4)
    loader = load(lib, dataset, batch_size=2, worker_init_fn=shift, collate_fn=identity)
    assert list(loader) == [[(0, 0), (0, 10)], [(1, 20), (1, 30)]]
    assert dataset[3] == 3
    assert lib.utils.data.get_worker_info() is None


def test_persistent_workers_stay_and_others_do_not() -> None:
    def pids(**options: Any) -> list[set[int]]:
        loader = load(mg, Samples(lambda i: os.getpid(), 4), batch_size=None, **options)
        return [set(loader) for _ in range(3)]

    first, second, third = pids(persistent_workers=True)
    assert first == second == third
    assert len(first) == 2
    first, second, third = pids()
    assert not first & second
    assert not any(map(runs, first | second | third))


# ---- streams ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("workers", "sharded", "options"),
    [
        (2, False, {"batch_size": 3}),
        (3, True, {"batch_size": 2}),
        (3, True, {"batch_size": 2, "drop_last": True, "persistent_workers": True}),
        (2, True, {"batch_size": None, "prefetch_factor": 3}),
    ],
)
def test_streams_are_torchs(workers: int, sharded: bool, options: dict[str, Any]) -> None:
    def found(lib: Any) -> Any:
        class Stream(lib.utils.data.IterableDataset):  # type: ignore[misc]
            def __iter__(self) -> Iterator[Any]:
                info = lib.utils.data.get_worker_info()
                for i in range([11, 2, 0][info.id] if sharded else 5):
                    yield info.id, i, lib.rand(1).item()

        lib.manual_seed(0)
        loader = load(lib, Stream(), workers=workers, collate_fn=identity, **options)
        return [list(itertools.islice(loader, n)) for n in (None, 4, None)], np.asarray(lib.get_rng_state()).tobytes()

    assert found(mg) == found(torch)


# ---- what is sent -----------------------------------------------------------------------------------------------------


def test_batches_arrive_as_they_were() -> None:
    array = np.arange(24).reshape(2, 3, 4)
    sent = [
        {"b": mg.tensor([True, False]), "n": 1},
        (mg.zeros(0, 3), mg.tensor(2.5), array.T, array[:, ::2], np.zeros((0, 2))),
        ["text", b"bytes", None, 3, array.astype(np.float16)],
        [mg.tensor([i]) for i in range(3000)],
        mg.zeros(300, 1000, requires_grad=True),
    ]
    got: list[Any] = list(load(mg, Samples(lambda i: sent[i], len(sent)), batch_size=None, collate_fn=identity))
    assert repr(got) == repr(sent)
    assert got[1][0].shape == (0, 3)
    assert got[1][2].tolist() == array.T.tolist()
    got[1][2][0] = 7  # and can be written to
    assert got[4].requires_grad


def test_batches_are_kept_when_their_place_is_used_again() -> None:
    kept = list(load(mg, Samples(lambda i: mg.full((1000,), i), 40), batch_size=None, prefetch_factor=1))
    assert [(batch == i).all().item() for i, batch in enumerate(kept)] == [True] * 40


def test_more_tasks_and_batches_than_a_pipe_holds() -> None:
    loader = load(mg, Samples(identity, 6000), workers=1, batch_size=1, prefetch_factor=3000)
    batches = iter(loader)
    first = next(batches)
    time.sleep(0.5)  # the worker fills its side
    assert [first.item(), *(batch.item() for batch in batches)] == list(range(6000))
    wide = load(mg, Samples(identity, 300_000), batch_size=100_000, collate_fn=sum)
    assert sum(wide) == 299_999 * 150_000


def test_without_files_in_memory_there_are_temporary_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    assert [batch[1].tolist() for batch in load(mg, digits(mg, 6), batch_size=4)] == [[0, 1, 2, 3], [4, 5]]


def test_spawned_workers_load_the_same() -> None:
    options = {"batch_size": 4, "collate_fn": mg.utils.data.default_collate}
    spawned = load(mg, digits(mg, 10), workers=1, multiprocessing_context="spawn", persistent_workers=True, **options)
    expected = [plain(batch) for batch in load(mg, digits(mg, 10), workers=0, **options)]
    assert [[plain(batch) for batch in spawned] for _ in range(2)] == [expected] * 2


def test_the_default_way_to_start_is_pythons() -> None:
    loader = mg.utils.data.DataLoader(digits(mg), 4, num_workers=1)
    assert loader.multiprocessing_context is None
    assert loader.prefetch_factor == 2
    assert len(list(loader)) == 6
    assert load(mg, digits(mg)).multiprocessing_context is multiprocessing.get_context("fork")


# ---- errors -----------------------------------------------------------------------------------------------------------


class TwoPartError(Exception):
    def __init__(self, a: int, b: int) -> None:
        super().__init__(a, b)


def fail_at(number: int, error: Callable[[], BaseException]) -> Callable[[int], int]:
    def get(i: int) -> int:
        if i == number:
            raise error()
        return i

    return get


@LIBRARIES
@pytest.mark.parametrize(
    ("error", "kind", "name"),
    [
        (lambda: ValueError("no such digit"), ValueError, "ValueError"),
        (lambda: KeyError("k"), KeyError, "KeyError"),
        (lambda: TwoPartError(1, 2), RuntimeError, "TwoPartError"),
    ],
)
def test_what_a_worker_raises_is_raised_here_with_its_traceback(lib: Any, error: Any, kind: Any, name: str) -> None:
    batches = iter(load(lib, Samples(fail_at(2, error), 8), batch_size=2, workers=1, prefetch_factor=1))
    assert next(batches).tolist() == [0, 1]
    with pytest.raises(kind) as caught:
        next(batches)
    message = str(caught.value)
    assert type(caught.value) is kind
    assert message.startswith(f"Caught {name} in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n")
    assert message.rstrip().rpartition("\n")[2] == f"{'' if name != 'TwoPartError' else __name__ + '.'}" + {
        "ValueError": "ValueError: no such digit", "KeyError": "KeyError: 'k'", "TwoPartError": "TwoPartError: (1, 2)"
    }[name]
    assert "in get\n    raise error()" in message
    assert [batch.tolist() for batch in batches] == [[4, 5], [6, 7]]  # and the epoch can be continued


def test_an_initialisation_that_fails_is_raised_here() -> None:
    def init(worker_id: int) -> None:
        raise ValueError(f"not {worker_id}")

    batches = iter(load(mg, digits(mg), worker_init_fn=init))
    for worker_id in (0, 1, 0):
        message = rf"(?s)^Caught ValueError in DataLoader worker process {worker_id}\..*ValueError: not {worker_id}"
        with pytest.raises(ValueError, match=message):
            next(batches)


def test_a_map_that_stops_ends_the_loop() -> None:
    """As in torch, which takes ten seconds longer to end its workers then."""
    assert list(load(mg, Samples(fail_at(2, StopIteration), 8), batch_size=None)) == [0, 1]


def test_what_cannot_be_sent_is_an_error() -> None:
    class Local(Exception):
        pass

    with pytest.raises(RuntimeError, match=r"(?s)^Caught Local in DataLoader worker process 0\..*Local: here"):
        next(iter(load(mg, Samples(fail_at(0, lambda: Local("here")), 1))))
    with pytest.raises((AttributeError, TypeError), match=r"(?s)in DataLoader worker process 0\..*pickle.*lambda"):
        next(iter(load(mg, Samples(lambda i: lambda: i, 1), batch_size=None)))
    x = mg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="cannot pickle a tensor that is not a leaf of the graph"):
        next(iter(load(mg, Samples(lambda i: x * i, 1))))
    with pytest.raises((AttributeError, TypeError), match="pickle"):
        next(iter(load(mg, Samples(lambda i: i, 1), multiprocessing_context="spawn")))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"in_order": False}, NotImplementedError, "DataLoader: in_order=False is not supported"),
        ({"prefetch_factor": 0}, ValueError, "prefetch_factor option should be non-negative, and not 0, but got 0"),
    ],
)
def test_options_that_minigrad_refuses(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        load(mg, digits(mg), **options)


def test_a_system_without_what_workers_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pwrite")
    with pytest.raises(NotImplementedError, match="DataLoader: num_workers=2 is not supported on linux, use 0"):
        load(mg, digits(mg))


@LIBRARIES
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"prefetch_factor": -1}, ValueError, "prefetch_factor option should be non-negative"),
        ({"timeout": -1}, ValueError, "timeout option should be non-negative"),
        ({"multiprocessing_context": "thread"}, ValueError, "multiprocessing_context option should specify a valid start"),
        ({"multiprocessing_context": 3}, TypeError, "multiprocessing_context option should be a valid context object or a"),
    ],
)
def test_options_that_torch_refuses_too(lib: Any, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        load(lib, digits(lib), **options)


@LIBRARIES
def test_a_batch_that_takes_too_long_is_an_error(lib: Any) -> None:
    batches = iter(load(lib, Samples(slow_at(1, 1.0), 2), timeout=0.25))
    assert next(batches).item() == 0
    with pytest.raises(RuntimeError, match=r"^DataLoader timed out after 0.25 seconds$"):
        next(batches)


# ---- what dies, and what is left ----------------------------------------------------------------------------------------


def die(way: str) -> None:
    if way == "exit":
        os._exit(3)
    if way == "sys.exit":
        sys.exit(4)
    faulthandler.disable()  # pytest's, which would print where
    os.kill(os.getpid(), getattr(signal, way))
    time.sleep(60)


DEATHS = {
    "exit": "exited with code 3",
    "sys.exit": "exited with code 4",
    "SIGKILL": r"was killed by signal 9 \(Killed\)",
    "SIGSEGV": r"was killed by signal 11 \(Segmentation fault\)",
}


@pytest.mark.parametrize("way", DEATHS)
def test_a_worker_that_dies_is_named(way: str) -> None:
    def get(i: int) -> int:
        if i == 2:
            time.sleep(0.3)  # so that what is wanted is another batch than the one that will be missing
        if i == 9:
            die(way)
        return i

    started = time.monotonic()
    batches = iter(load(mg, Samples(get, 20), batch_size=2))
    pids = [w.process.pid for w in batches.workers]
    with pytest.raises(RuntimeError, match=DEATHS[way]) as caught:
        list(batches)
    assert str(caught.value).startswith(f"DataLoader worker 0 (pid {pids[0]}) ")
    assert "before it had made batch 4 from [8, 9]; " in str(caught.value)
    assert time.monotonic() - started < 5
    assert not any(map(runs, pids))
    assert list(batches) == []


@pytest.mark.parametrize("seed", range(8))
def test_random_deaths_are_reported_and_leave_nothing(seed: int) -> None:
    crash(seed)


def crash(seed: int) -> None:
    """Kill a worker at a random moment: from inside or outside, at work or idle, in the first epoch or a later one."""
    draw = random.Random(seed)
    n, victim, outside = 40, draw.randrange(40), draw.random() < 0.5
    way, persistent, size = draw.choice(list(DEATHS)), draw.random() < 0.5, draw.choice([1, 10**5])
    workers, pause, moment = draw.choice([1, 2, 3]), draw.choice([0, 0.002]), draw.random() * 0.1

    def get(i: int) -> Any:
        time.sleep(pause)
        if i == victim and not outside:
            die(way)
        return np.full(size, i)

    loader = load(mg, Samples(get, n), workers=workers, batch_size=2, persistent_workers=persistent, shuffle=True)
    killed, pids = False, set()
    started = time.monotonic()
    try:
        while time.monotonic() - started < 30:
            batches = iter(loader)
            pids |= {w.process.pid for w in batches.workers}
            for _ in batches:
                if outside and not killed and time.monotonic() - started > moment:
                    os.kill(draw.choice(batches.workers).process.pid, signal.SIGKILL)
                    killed, started = True, time.monotonic()
        raise AssertionError("no error")
    except RuntimeError as error:
        text = str(error)
    assert any(text.startswith(f"DataLoader worker {w} (pid {pid}) ") for w in range(workers) for pid in pids), text
    assert ("signal 9" if outside else DEATHS[way].replace("\\", "")) in text
    assert time.monotonic() - started < 10
    assert not any(map(runs, pids))


def test_a_worker_killed_while_it_has_nothing_to_do() -> None:
    loader = load(mg, digits(mg, 4), persistent_workers=True)
    batches = iter(loader)
    assert len(list(batches)) == 4
    os.kill(batches.workers[1].process.pid, signal.SIGKILL)
    with pytest.raises(RuntimeError, match=r"^DataLoader worker 1 \(pid \d+\) was killed by signal 9 \(Killed\)"):
        list(loader)
    assert len(list(loader)) == 4  # new workers


def test_a_worker_killed_before_it_is_given_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    batches = iter(load(mg, Samples(slow_at(4, 60), 20), batch_size=1))
    assert [next(batches).item(), next(batches).item()] == [0, 1]
    victim = batches.workers[0]
    os.kill(victim.process.pid, signal.SIGKILL)
    assert eventually(lambda: not runs(victim.process.pid))
    monkeypatch.setattr(victim.channel.pipe, "poll", lambda: False)  # as if it had died a moment later
    batches.answers[2] = None
    with pytest.raises(RuntimeError, match=r"^DataLoader worker 0 .* was killed by signal 9"):
        next(batches)


def test_a_death_is_reported_while_others_are_busy() -> None:
    def get(i: int) -> int:
        time.sleep(60 if i else 0.2)
        os._exit(3)

    started = time.monotonic()
    with pytest.raises(RuntimeError, match="exited with code 3"):
        list(load(mg, Samples(get, 2)))
    assert time.monotonic() - started < 4


def test_a_death_is_seen_when_another_process_keeps_the_pipe_open() -> None:
    def get(i: int) -> int:
        if os.fork() == 0:
            time.sleep(10)
            os._exit(0)
        os._exit(7)

    started = time.monotonic()
    with pytest.raises(RuntimeError, match="exited with code 7"):
        list(load(mg, Samples(get, 1), workers=1))
    assert time.monotonic() - started < 5


def test_leaving_a_loop_early_ends_the_workers() -> None:
    started = time.monotonic()
    for batch in load(mg, Samples(lambda i: os.getpid(), 1000)):
        pid = batch.item()
        assert runs(pid)
        break
    del batch
    assert not runs(pid)
    assert time.monotonic() - started < 4  # they left by themselves


def test_the_end_of_an_epoch_ends_the_workers() -> None:
    before = open_files()
    batches = iter(load(mg, digits(mg)))
    assert len(list(batches)) == 23
    assert not multiprocessing.active_children()
    gc.collect()  # Python keeps the pipes of a process that has ended until its object goes
    assert eventually(lambda: open_files() <= before), open_files() - before
    assert list(batches) == []


def test_workers_may_finish_the_batch_they_are_making(tmp_path: pathlib.Path) -> None:
    def get(i: int) -> int:
        if i > 0:
            (tmp_path / f"begun {i}").touch()
            time.sleep(0.3)
            (tmp_path / f"ended {i}").touch()
        return i

    batches = iter(load(mg, Samples(get, 10)))
    next(batches)
    assert eventually(lambda: any(tmp_path.iterdir()))
    del batches
    begun, ended = ({path.name.split()[1] for path in tmp_path.glob(f"{word} *")} for word in ("begun", "ended"))
    assert begun == ended


def test_a_worker_has_no_workers() -> None:
    loader = load(mg, Samples(lambda i: list(load(mg, digits(mg))), 2))
    with pytest.raises(AssertionError, match="daemonic processes are not allowed to have children"):
        next(iter(loader))


def test_a_worker_that_does_not_listen_is_ended_by_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_GRACE", 0.1)

    def get(i: int) -> int:
        if i % 2:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if i > 1:
            time.sleep(60)
        return os.getpid()

    batches = iter(load(mg, Samples(get, 10)))
    pids = [next(batches).item(), next(batches).item()]
    time.sleep(0.1)
    del batches
    assert not any(map(runs, pids))


def test_loaders_side_by_side_do_not_touch_each_other() -> None:
    """The workers of one have copies of all that belongs to the others: of their pipes, and of their loops."""
    loops = {"first": iter(load(mg, Samples(identity, 40), prefetch_factor=1))}
    second = load(mg, Samples(identity, 4), persistent_workers=True, worker_init_fn=lambda worker_id: loops.clear())
    assert [batch.item() for batch in second] == [0, 1, 2, 3]
    assert [batch.item() for batch in loops["first"]] == list(range(40))
    third = iter(load(mg, Samples(identity, 40)))
    fourth = iter(load(mg, Samples(identity, 40)))
    started = time.monotonic()
    del third
    assert time.monotonic() - started < 4
    assert [batch.item() for batch in fourth] == list(range(40))
    assert len(list(second)) == 4


def test_an_interrupted_loop_can_be_started_again() -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    loader = load(mg, Samples(slow_at(3, 0.5), 6), batch_size=None, persistent_workers=True)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for epoch in range(2):  # interrupted between two batches, and where the epoch before is cleared away
            if epoch == 1:
                next(iter(loader))
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(KeyboardInterrupt):
                list(loader)
            assert not multiprocessing.active_children()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert list(loader) == list(range(6))


PARENT = """
import os, signal, sys, time
import minigrad.utils.data as data
class Pids(data.Dataset):
    def __getitem__(self, index):
        return os.getpid()
    def __len__(self):
        return 10**6
prefetch, fork = int(sys.argv[1]), int(sys.argv[2])
batches = iter(data.DataLoader(Pids(), num_workers=2, multiprocessing_context="fork", prefetch_factor=prefetch))
pids = next(batches).item(), next(batches).item()
another = os.fork() if fork else 0
if fork and another == 0:
    signal.pause()
print(*pids, another, flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize(
    ("how", "prefetch", "fork"),
    [
        ("killed", 2, False),
        ("killed", 2, True),  # and a process that lives on has copies of the pipes
        ("killed", 1000, False),  # the workers cannot get rid of all the batches they have made
        ("terminated", 2, False),
        ("interrupted", 2, False),
        ("finished", 2, False),
    ],
)
def test_no_worker_survives_its_parent(how: str, prefetch: int, fork: bool) -> None:
    command = [sys.executable, "-c", PARENT, str(prefetch), str(int(fork))]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes, start_new_session=True) as parent:
        assert parent.stdout is not None
        assert parent.stderr is not None
        *pids, another = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(set(pids)) == 2
        assert all(map(runs, pids))
        if prefetch > 2:
            time.sleep(0.5)  # now they wait
        if how == "finished":
            parent.communicate("\n")
        elif how == "interrupted":
            os.killpg(parent.pid, signal.SIGINT)  # as Ctrl-C does
        else:
            parent.send_signal(signal.SIGKILL if how == "killed" else signal.SIGTERM)
        gone = eventually(lambda: not any(map(runs, pids)), 10)
        if another:
            os.kill(another, signal.SIGKILL)
        assert gone
        assert parent.wait(10) == {"killed": -9, "terminated": -15, "interrupted": -2, "finished": 0}[how]
        if how == "interrupted":
            assert parent.stderr.read().count("Traceback") == 1  # the workers say nothing
