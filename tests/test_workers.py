"""Workers: order, random streams and errors are torch's; and whatever dies, nothing hangs and nothing is left behind.

`test_random_deaths_are_reported_and_leave_nothing` kills 8 workers, each in another way; with ``-m attack -s``, 200, and says how
long it took until each was reported (about 4 minutes on two cores).

Nothing here depends on a machine being fast: where time matters, the alternative to what is expected takes a minute.
"""

import copy
import faulthandler
import gc
import itertools
import mmap
import multiprocessing
import os
import pathlib
import random
import re
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection, resource_tracker
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import minigrad.utils.data
from minigrad.utils.data import worker as worker_module

from .twins import LIBRARIES, torch

pytestmark = [
    pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning"),  # torch, if there are few cores
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),  # from Python 3.12 on: torch has threads
]
MINUTE = 60.0


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
        loaded_by.add(lib)
    return lib.utils.data.DataLoader(dataset, num_workers=workers, **options)


loaded_by: set[Any] = set()  # the libraries whose workers took part in a test


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


def eventually(condition: Callable[[], bool], seconds: float = MINUTE / 2) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def open_files() -> Counter[str]:
    """What this process has open of the kinds that loaders use."""
    found = [os.readlink(entry) for entry in pathlib.Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return Counter(name for name in found if re.search("socket|pipe|memfd|/tmp", name))


@pytest.fixture(autouse=True, scope="module")
def _only_new_garbage() -> Iterator[None]:
    """What there is already need not be looked at: two collections in each test took half of its time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """No process and no descriptor survives a test."""
    resource_tracker.ensure_running()  # Python's own process, which spawning starts and which stays
    gc.collect()
    loaded_by.clear()
    before = open_files()
    yield
    gc.collect()
    assert not multiprocessing.active_children()
    if torch not in loaded_by:  # it closes some of its pipes whenever its threads come to it, perhaps in a later test
        assert open_files() <= before


@pytest.fixture
def by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is to end may take its time, but nobody is ended by force."""

    def refuse(process: BaseProcess) -> None:
        raise AssertionError(f"{process} did not end by itself")

    monkeypatch.setattr(worker_module, "_GRACE", 2 * MINUTE)
    monkeypatch.setattr(BaseProcess, "terminate", refuse)
    monkeypatch.setattr(BaseProcess, "kill", refuse)


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


def stream(lib: Any, sizes: list[int], sample: Callable[[int, int], Any]) -> Any:
    """A stream of which each worker has a part of another size."""

    class Stream(lib.utils.data.IterableDataset):  # type: ignore[misc]
        def __iter__(self) -> Iterator[Any]:
            worker_id = lib.utils.data.get_worker_info().id
            return (sample(worker_id, i) for i in range(sizes[worker_id]))

    return Stream()


STREAMS = [
    ([5, 5], {"batch_size": 3}),
    ([11, 2, 0], {"batch_size": 2}),
    ([40, 2, 0], {"batch_size": 2, "drop_last": True}),
    ([0, 2, 40], {"batch_size": None, "prefetch_factor": 3}),
    ([1, 0, 20], {"batch_size": 3, "prefetch_factor": 1}),
    ([0, 0], {"batch_size": None}),
]


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize(("sizes", "options"), STREAMS)
def test_streams_are_torchs_wherever_they_end(sizes: list[int], options: dict[str, Any], persistent: bool) -> None:
    def found(lib: Any) -> Any:
        lib.manual_seed(0)
        samples = stream(lib, sizes, lambda worker_id, i: (worker_id, i))
        loader = load(lib, samples, workers=len(sizes), collate_fn=identity, persistent_workers=persistent, **options)
        return [list(itertools.islice(loader, n)) for n in (None, 4, None)], np.asarray(lib.get_rng_state()).tobytes()

    assert found(mg) == found(torch)


def test_streams_draw_what_torchs_draw() -> None:
    """Unless an epoch was left early: how far torch's workers have come then depends on who was fast."""

    def found(lib: Any) -> Any:
        lib.manual_seed(0)
        samples = stream(lib, [8, 3], lambda worker_id, i: (worker_id, i, lib.rand(1).item()))
        return [list(loader) for loader in [load(lib, samples, collate_fn=identity, persistent_workers=True)] * 2]

    assert found(mg) == found(torch)


@LIBRARIES
def test_a_stream_that_is_longer_than_it_says_is_a_warning(lib: Any) -> None:
    samples = stream(lib, [2, 2], lambda worker_id, i: i)
    type(samples).__len__ = lambda self: 3
    loader = load(lib, samples)
    assert len(list(loader)) == 4
    assert len(loader) == 3
    with pytest.warns(UserWarning, match=r"Length of IterableDataset .* was reported to be 3.*but 4 samples have been fetched"):
        list(loader)


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
    loader = load(mg, Samples(identity, 2000), workers=1, batch_size=1, prefetch_factor=1000)
    batches = iter(loader)
    first = next(batches)
    time.sleep(0.5)  # the worker fills its side
    assert [first.item(), *(batch.item() for batch in batches)] == list(range(2000))
    wide = load(mg, Samples(identity, 300_000), batch_size=100_000, collate_fn=sum)
    assert sum(wide) == 299_999 * 150_000


def test_batches_of_more_than_100_megabytes() -> None:
    size = 14_000_000
    loader = load(mg, Samples(lambda i: {"x": [np.arange(size) + i, str(i)]}, 3), workers=1, batch_size=None, prefetch_factor=1)
    for i, batch in enumerate(loader):
        x, text = batch["x"]
        assert isinstance(x, mg.Tensor)
        assert (x.shape, x.dtype, text) == ((size,), mg.int64, str(i))
        assert np.array_equal(x.numpy(), np.arange(size) + i)


def test_nothing_that_is_sent_has_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    def names(i: int) -> list[str]:
        fds = [os.readlink(entry) for entry in pathlib.Path("/proc/self/fd").iterdir() if entry.is_symlink()]
        return [fd for fd in fds if "memfd:minigrad" in fd or fd.startswith(str(tmp_path))]

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for without in (False, True):
        if without:
            monkeypatch.delattr(os, "memfd_create")
        for found in load(mg, Samples(names, 2), batch_size=None, collate_fn=identity):
            assert found
            assert all(name.endswith(" (deleted)") for name in found)
            assert not list(tmp_path.iterdir())


def test_a_batch_that_cannot_be_loaded_is_an_error_when_it_is_its_turn() -> None:
    batches = iter(load(mg, Samples(lambda i: Unloadable() if i == 1 else i, 6), batch_size=None, collate_fn=identity))
    assert next(batches) == 0
    with pytest.raises(ZeroDivisionError):
        next(batches)
    assert list(batches) == [2, 3, 4, 5]


class Unloadable:
    def __reduce__(self) -> Any:
        return divmod, (1, 0)


def test_datasets_may_have_threads() -> None:
    class Threaded:
        """With a pool of its own in each process."""

        pool: Any = None

        def __getitem__(self, index: int) -> Any:
            if self.pool is None or self.pool[0] != os.getpid():
                self.pool = os.getpid(), ThreadPoolExecutor(2)
            return sum(self.pool[1].map(lambda x: x * x, range(index)))

        def __len__(self) -> int:
            return 20

    dataset = Threaded()
    assert dataset[3] == 5
    expected = [sum(x * x for x in range(i)) for i in range(20)]
    assert [batch.item() for batch in load(mg, dataset)] == expected
    with ThreadPoolExecutor(1) as pool:  # and so may who loads
        assert [batch.item() for batch in pool.submit(list, load(mg, dataset)).result()] == expected


def test_without_files_in_memory_there_are_temporary_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    assert [batch[1].tolist() for batch in load(mg, digits(mg, 6), batch_size=4)] == [[0, 1, 2, 3], [4, 5]]


STARTED = """
import os, sys, time
import minigrad as mg
from minigrad.utils import data
class Squares(data.Dataset):
    def __getitem__(self, index):
        return {"x": mg.full((2,), index), "pid": os.getpid()}
    def __len__(self):
        return 10
def begin(worker_id):
    data.get_worker_info().dataset.begun = worker_id
if __name__ == "__main__":
    options = {"persistent_workers": True, "worker_init_fn": begin, "multiprocessing_context": sys.argv[1]}
    loader = data.DataLoader(Squares(), 4, num_workers=2, **options)
    for epoch in range(2):
        for batch in loader:
            print(batch["x"][:, 0].tolist(), len(set(batch["pid"].tolist())), os.getpid() in batch["pid"])
    print(*(worker.process.pid for worker in iter(loader).workers), flush=True)
    sys.stdin.readline()
"""


@pytest.mark.parametrize("how", ["finished", "killed"])
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_workers_that_are_no_forks_load_the_same_and_end_with_their_parent(
    method: str, how: str, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "main.py").write_text(STARTED)
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, tmp_path / "main.py", method], text=True, **pipes) as parent:
        assert parent.stdout is not None
        lines = [parent.stdout.readline() for _ in range(7)]
        pids = [int(pid) for pid in lines.pop().split()]
        assert len(pids) == 2
        assert all(map(runs, pids))
        if how == "killed":
            parent.kill()
        _, errors = parent.communicate("\n" if how == "finished" else None, timeout=MINUTE)
    assert lines == [f"{numbers} 1 False\n" for numbers in ([0, 1, 2, 3], [4, 5, 6, 7], [8, 9])] * 2
    assert eventually(lambda: not any(map(runs, pids)))
    assert parent.returncode == (0 if how == "finished" else -9)
    assert errors == ""


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


@LIBRARIES
def test_a_worker_computes_on_one_thread(lib: Any) -> None:
    before = lib.get_num_threads()
    lib.set_num_threads(2)
    try:
        loader = load(lib, Samples(lambda i: lib.get_num_threads(), 4), batch_size=2)
        assert [batch.tolist() for batch in loader] == [[1, 1], [1, 1]]
        assert lib.get_num_threads() == 2
    finally:
        lib.set_num_threads(before)


@LIBRARIES
def test_what_cannot_be_sent_to_a_worker_is_a_warning_and_an_error(lib: Any) -> None:
    with (
        pytest.warns(UserWarning, match="^Got pickle error when attempting to start a worker Process"),
        pytest.raises((AttributeError, TypeError), match="local object"),
    ):
        iter(load(lib, Samples(lambda i: i, 1), multiprocessing_context="spawn"))


@LIBRARIES
@pytest.mark.filterwarnings("ignore:Exception ignored:pytest.PytestUnraisableExceptionWarning")  # torch's __del__
def test_a_prefetch_factor_of_0_is_refused_when_the_loop_begins(lib: Any) -> None:
    loader = load(lib, digits(lib), prefetch_factor=0)
    with pytest.raises(AssertionError, match="prefetch_factor must be greater than 0"):
        iter(loader)


@LIBRARIES
@pytest.mark.filterwarnings("default:This DataLoader will create")
def test_more_workers_than_processors_are_a_warning(lib: Any) -> None:
    with pytest.warns(UserWarning, match="This DataLoader will create 9999 worker processes in total. Our suggested max number"):
        loader = load(lib, digits(lib), workers=9999)
    loader.num_workers = 1
    assert len(list(loader)) == 23


def test_out_of_order_nobody_waits_for_the_slow(tmp_path: pathlib.Path) -> None:
    def get(i: int) -> int:
        if i == 0:
            assert eventually((tmp_path / "go on").exists)
        return i

    batches = iter(load(mg, Samples(get, 40), batch_size=None, in_order=False))
    others = [next(batches) for _ in range(38)]  # all but the first, and the one that waits for the same worker
    assert len(set(others)) == 38
    assert others[0] == 1
    (tmp_path / "go on").touch()
    assert sorted([*others, *batches]) == list(range(40))


@pytest.mark.parametrize("persistent", [False, True])
def test_out_of_order_every_stream_is_given_whole(persistent: bool) -> None:
    samples = stream(mg, [20, 3, 0], lambda worker_id, i: (worker_id, i))
    loader = load(mg, samples, workers=3, batch_size=None, in_order=False, collate_fn=identity, persistent_workers=persistent)
    for _ in range(2):
        found = list(loader)
        assert sorted(found) == [(0, i) for i in range(20)] + [(1, i) for i in range(3)]
        assert [i for worker_id, i in found if worker_id == 0] == list(range(20))


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
        ({"multiprocessing_context": 3}, TypeError, "multiprocessing_context option should "),
    ],
)
def test_options_that_torch_refuses_too(lib: Any, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        load(lib, digits(lib), **options)


@LIBRARIES
def test_the_way_to_start_can_be_changed_later(lib: Any) -> None:
    loader = load(lib, digits(lib))
    with pytest.raises(ValueError, match="multiprocessing_context option should specify a valid start method"):
        loader.multiprocessing_context = "thread"
    loader.multiprocessing_context = "spawn"
    assert loader.multiprocessing_context.get_start_method() == "spawn"


@LIBRARIES
def test_a_batch_that_takes_too_long_is_an_error(lib: Any, tmp_path: pathlib.Path) -> None:
    def get(i: int) -> int:
        if i == 1:
            assert eventually((tmp_path / "go on").exists)
        return i

    batches = iter(load(lib, Samples(get, 2), timeout=2))
    assert next(batches).item() == 0
    with pytest.raises(RuntimeError, match=r"^DataLoader timed out after 2 seconds$"):
        next(batches)
    (tmp_path / "go on").touch()
    assert next(batches).item() == 1  # and the epoch can be continued


# ---- what dies, and what is left ----------------------------------------------------------------------------------------


def die(way: str) -> None:
    if way == "exit":
        os._exit(3)
    if way == "sys.exit":
        sys.exit(4)
    faulthandler.disable()  # pytest's, which would print where
    os.kill(os.getpid(), getattr(signal, way))
    time.sleep(MINUTE)


DEATHS = {
    "exit": "exited with code 3",
    "sys.exit": "exited with code 4",
    "SIGKILL": "was killed by signal 9 (Killed)",
    "SIGSEGV": "was killed by signal 11 (Segmentation fault)",
}


@pytest.mark.parametrize("way", DEATHS)
def test_a_worker_that_dies_is_named(way: str) -> None:
    def get(i: int) -> int:
        if i == 2:
            time.sleep(0.3)  # so that what is wanted is another batch than the one that will be missing
        if i == 9:
            die(way)
        return i

    batches = iter(load(mg, Samples(get, 20), batch_size=2))
    pids = [w.process.pid for w in batches.workers]
    with pytest.raises(RuntimeError) as caught:
        list(batches)
    assert str(caught.value).startswith(
        f"DataLoader worker 0 (pid {pids[0]}) {DEATHS[way]} before it had made batch 4 from [8, 9]; "
    )
    assert not any(map(runs, pids))
    assert list(batches) == []


@pytest.mark.parametrize("tries", [8, pytest.param(200, marks=pytest.mark.attack)])
def test_random_deaths_are_reported_and_leave_nothing(tries: int) -> None:
    delays = []
    for seed in range(tries):
        files = open_files()
        delays.append(crash(seed))
        gc.collect()
        assert open_files() <= files, seed
        assert not multiprocessing.active_children(), seed
    delays.sort()
    print(f"{len(delays)} deaths reported after {delays[len(delays) // 2]:.3f} s (median), at most {delays[-1]:.3f} s")
    assert delays[len(delays) // 2] < 2
    assert delays[-1] < MINUTE / 2


def crash(seed: int) -> float:
    """Let a worker die at a random place and moment; return how many seconds later the parent knows, and has cleaned up."""
    draw = random.Random(seed)
    way, place = draw.choice(list(DEATHS)), draw.choice(["sample", "collate", "init", "outside", "outside"])
    workers, persistent, fork = draw.choice([1, 2, 3]), draw.random() < 0.5, draw.random() < 0.2
    n, size, pause = 40, draw.choice([1, 10**5, 10**6]), draw.choice([0, 0.002])
    victim, epoch, moment = draw.randrange(workers), draw.choice([0, 0, 1]), draw.randrange(20)
    shared = mmap.mmap(-1, 32)  # when it died, how many batches the victim has begun, and a process it has left

    def note(place_in_shared: int, value: float) -> None:
        struct.pack_into("d", shared, 8 * place_in_shared, value)

    def noted(place_in_shared: int) -> float:
        return float(struct.unpack_from("d", shared, 8 * place_in_shared)[0])

    def at(where: str) -> None:
        if where != place or mg.utils.data.get_worker_info().id != victim:
            return
        note(1, noted(1) + 1)
        if noted(1) >= {"sample": moment, "collate": moment // 2, "init": 1 + (epoch and not persistent)}[where]:
            if fork:  # somebody keeps the pipe open
                child = os.fork()
                if child == 0:
                    time.sleep(MINUTE)
                    os._exit(0)
                note(2, child)
            note(0, time.monotonic())
            die(way)

    def get(i: int) -> Any:
        time.sleep(pause)
        at("sample")
        return np.full(size, i)

    def collate(samples: Any) -> Any:
        at("collate")
        return mg.utils.data.default_collate(samples)

    options = {"batch_size": 2, "shuffle": True, "persistent_workers": persistent, "prefetch_factor": draw.choice([1, 2, 5])}
    loader = load(mg, Samples(get, n), workers=workers, collate_fn=collate, worker_init_fn=lambda _: at("init"), **options)
    killed, begun = 0, time.monotonic()
    try:
        while time.monotonic() - begun < MINUTE:
            pids: list[int] = []
            moment = draw.randrange(20)
            batches = iter(loader)
            pids = [w.process.pid for w in batches.workers]
            for i, _ in enumerate(batches):
                # Once in each epoch, since one that has already done all its work dies unnoticed.
                if place == "outside" and i == moment % (n // 2) and killed not in pids:
                    time.sleep(draw.random() * 0.01)
                    killed = pids[victim]
                    note(0, time.monotonic())
                    os.kill(killed, signal.SIGKILL)
        raise AssertionError(f"seed {seed}: nobody noticed")
    except RuntimeError as error:
        delay, text = time.monotonic() - noted(0), str(error)
    finally:
        if noted(2):
            os.kill(int(noted(2)), signal.SIGKILL)
    if pids:  # empty if it died before the epoch began
        assert text.startswith(f"DataLoader worker {victim} (pid {pids[victim]}) "), (seed, text)
    how = "was killed by signal 9 (Killed)" if place == "outside" else DEATHS[way]
    assert re.match(rf"DataLoader worker {victim} \(pid \d+\) {re.escape(how)}", text), (seed, text)
    assert not any(map(runs, pids)), seed
    return delay


def test_a_worker_killed_while_it_has_nothing_to_do() -> None:
    loader = load(mg, digits(mg, 4), persistent_workers=True)
    batches = iter(loader)
    assert len(list(batches)) == 4
    os.kill(batches.workers[1].process.pid, signal.SIGKILL)
    with pytest.raises(RuntimeError, match=r"^DataLoader worker 1 \(pid \d+\) was killed by signal 9 \(Killed\)"):
        list(loader)
    assert len(list(loader)) == 4  # new workers


def test_an_epoch_left_early_does_not_reach_into_the_next() -> None:
    mg.manual_seed(0)
    loader = load(mg, Samples(slow_at(4, 0.1), 8), batch_size=None, shuffle=True, persistent_workers=True)
    for _ in range(5):
        next(iter(loader))
        assert sorted(loader) == list(range(8))


def test_a_worker_killed_before_it_is_given_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    batches = iter(load(mg, Samples(identity, 20)))
    assert next(batches).item() == 0
    victim = batches.workers[1]
    while len(batches.made) < 4:
        batches._collect()
    os.kill(victim.process.pid, signal.SIGKILL)
    victim.process.join()
    monkeypatch.setattr(victim.channel.pipe, "poll", lambda: False)  # as if it had died a moment later
    with pytest.raises(RuntimeError, match=r"^DataLoader worker 1 .* was killed by signal 9"):
        next(batches)


def test_a_death_is_reported_while_others_are_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_GRACE", 2 * MINUTE)  # which they do not get

    def get(i: int) -> int:
        time.sleep(MINUTE if i else 0.2)
        os._exit(3)

    started = time.monotonic()
    with pytest.raises(RuntimeError, match="exited with code 3"):
        list(load(mg, Samples(get, 2)))
    assert time.monotonic() - started < MINUTE / 2


def test_a_death_is_seen_when_another_process_keeps_the_pipe_open(tmp_path: pathlib.Path) -> None:
    def get(i: int) -> int:
        child = os.fork()
        if child == 0:
            time.sleep(MINUTE)
            os._exit(0)
        (tmp_path / str(child)).touch()
        os._exit(7)

    started = time.monotonic()
    with pytest.raises(RuntimeError, match="exited with code 7"):
        list(load(mg, Samples(get, 1), workers=1))
    assert time.monotonic() - started < MINUTE / 2
    (child,) = tmp_path.iterdir()
    os.kill(int(child.name), signal.SIGKILL)


@pytest.mark.usefixtures("by_themselves")
def test_leaving_a_loop_early_ends_the_workers() -> None:
    for batch in load(mg, Samples(lambda i: os.getpid(), 1000)):
        pid = batch.item()
        assert runs(pid)
        break
    del batch
    assert not runs(pid)


@pytest.mark.usefixtures("by_themselves")
def test_the_end_of_an_epoch_ends_the_workers() -> None:
    before = open_files()
    batches = iter(load(mg, digits(mg)))
    assert len(list(batches)) == 23
    assert not multiprocessing.active_children()
    assert open_files() <= before
    assert list(batches) == []


@pytest.mark.usefixtures("by_themselves")
def test_workers_may_finish_the_batch_they_are_making(tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
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
    assert capfd.readouterr().err == ""  # and say nothing about it


@pytest.fixture
def locked() -> Iterator[Any]:
    """Generators, the one given is a copy, which another thread has locked as if it were drawing."""
    copied = copy.deepcopy(mg.Generator())
    engines = mg.default_generator._engine, copied._engine, np.random.get_bit_generator()
    begun, over = threading.Event(), threading.Event()

    def hold() -> None:
        with engines[0].lock, engines[1].lock, engines[2].lock:
            begun.set()
            over.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait()
    yield copied
    over.set()
    thread.join()


def test_workers_draw_though_another_thread_was_drawing_when_they_were_forked(locked: Any) -> None:
    def get(i: int) -> float:
        return i + 0 * (mg.rand(1).item() + mg.rand(1, generator=locked).item() + np.random.rand())

    own = mg.Generator().manual_seed(0)  # the parent's, or it would wait for that thread
    batches = load(mg, Samples(get, 4), generator=own, timeout=20)
    assert [batch.item() for batch in batches] == [0, 1, 2, 3]


def test_a_worker_that_never_begins_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_START", 0.5)
    monkeypatch.setattr(worker_module, "_seed", lambda info: time.sleep(MINUTE if info.id == 1 else 0))
    with pytest.raises(RuntimeError, match=r"^DataLoader worker 1 \(pid \d+\) has not begun after 0.5 seconds: .* use .*'spawn'"):
        iter(load(mg, digits(mg)))
    assert not multiprocessing.active_children()


@pytest.fixture
def unreaped() -> Iterator[None]:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGCHLD, before)


@pytest.mark.usefixtures("unreaped")
@pytest.mark.parametrize("persistent", [False, True])
def test_where_others_reap_the_children(persistent: bool) -> None:
    files = open_files()
    started = time.monotonic()
    loader = load(mg, digits(mg), persistent_workers=persistent)
    for _ in range(3):
        assert len(list(loader)) == 23
    with pytest.raises(RuntimeError, match=r"^DataLoader worker 0 \(pid \d+\) has ended before it had made batch 2 from \[2\]"):
        list(load(mg, Samples(lambda i: i if i != 2 else os._exit(3), 6)))
    del loader
    gc.collect()
    assert time.monotonic() - started < 5 * worker_module._GRACE  # none of which was waited for
    assert open_files() <= files
    assert not multiprocessing.active_children()


@contextmanager
def limit(which: int, soft: int) -> Iterator[None]:
    before = resource.getrlimit(which)
    resource.setrlimit(which, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(which, before)


def test_ending_takes_no_files() -> None:
    batches = iter(load(mg, digits(mg)))
    pids = [worker.process.pid for worker in batches.workers]
    next(batches)
    os.close(free := os.dup(0))
    with limit(resource.RLIMIT_NOFILE, free):
        with pytest.raises(OSError, match="Too many open files"):
            os.dup(0)
        batches.stop()
    assert not any(map(runs, pids))


def test_a_limit_to_the_size_of_files() -> None:
    samples = Samples(lambda i: np.full(250_000, i), 8)  # 2 MB
    with limit(resource.RLIMIT_FSIZE, 100 * 10**6):
        assert [int(batch[0, -1]) for batch in load(mg, samples, batch_size=2)] == [0, 2, 4, 6]
    with limit(resource.RLIMIT_FSIZE, 10**6), pytest.raises(OSError, match=r"a batch of 4\d+ bytes is too large: .*ulimit -f"):
        list(load(mg, samples, batch_size=2))


def test_a_worker_has_no_workers() -> None:
    loader = load(mg, Samples(lambda i: list(load(mg, digits(mg))), 2))
    with pytest.raises(AssertionError, match="daemonic processes are not allowed to have children"):
        next(iter(loader))


def test_a_worker_that_does_not_listen_is_ended_by_force(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(worker_module, "_GRACE", 0.1)

    def get(i: int) -> int:
        if i % 2:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if i > 1:
            (tmp_path / str(i)).touch()
            time.sleep(MINUTE)
        return os.getpid()

    batches = iter(load(mg, Samples(get, 10)))
    pids = [next(batches).item(), next(batches).item()]
    assert eventually(lambda: len(list(tmp_path.iterdir())) == 2)
    started = time.monotonic()
    del batches
    assert not any(map(runs, pids))
    assert time.monotonic() - started < MINUTE / 2


@pytest.mark.usefixtures("by_themselves")
def test_loaders_side_by_side_do_not_touch_each_other(capfd: pytest.CaptureFixture[str]) -> None:
    """The workers of one have copies of all that belongs to the others: of their pipes, and of their loops."""
    loops = {"first": iter(load(mg, Samples(identity, 40), prefetch_factor=1))}

    def forget(worker_id: int) -> None:
        sys.unraisablehook = sys.__unraisablehook__  # not pytest's
        loops.clear()

    second = load(mg, Samples(identity, 4), persistent_workers=True, worker_init_fn=forget)
    assert [batch.item() for batch in second] == [0, 1, 2, 3]
    assert [batch.item() for batch in loops["first"]] == list(range(40))
    third = iter(load(mg, Samples(identity, 40)))
    fourth = iter(load(mg, Samples(identity, 40)))
    del third
    assert [batch.item() for batch in fourth] == list(range(40))
    assert len(list(second)) == 4
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("moment", ["between batches", "where the epoch before is cleared away"])
def test_an_interrupted_loop_can_be_started_again(moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = load(mg, Samples(identity, 100), batch_size=None, persistent_workers=True)
    batches = iter(loader)
    assert next(batches) == 0
    wait = connection.wait

    def interrupted(*args: Any) -> Any:
        monkeypatch.setattr(connection, "wait", wait)
        signal.raise_signal(signal.SIGINT)  # Ctrl-C

    monkeypatch.setattr(connection, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(batches if moment == "between batches" else loader)
    assert not multiprocessing.active_children()
    assert list(loader) == list(range(100))


PARENT = """
import os, signal, sys, time
import minigrad.utils.data as data
class Pids(data.Dataset):
    def __getitem__(self, index):
        if busy and index > 1:
            time.sleep(60)
        return os.getpid()
    def __len__(self):
        return 10**6
prefetch, fork, busy = map(int, sys.argv[1:])
batches = iter(data.DataLoader(Pids(), num_workers=2, multiprocessing_context="fork", prefetch_factor=prefetch))
pids = next(batches).item(), next(batches).item()
another = os.fork() if fork else 0
if fork and another == 0:
    signal.pause()
print(*pids, another, flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize(
    ("how", "prefetch", "fork", "busy"),
    [
        ("killed", 2, False, False),
        ("killed", 2, True, False),  # and a process that lives on has copies of the pipes
        ("killed", 2, True, True),  # in the middle of a sample that takes a minute
        ("killed", 1000, True, False),  # the workers cannot get rid of all the batches they have made
        ("terminated", 2, False, False),
        ("interrupted", 2, False, False),
        ("finished", 2, False, False),
    ],
)
def test_no_worker_survives_its_parent(how: str, prefetch: int, fork: bool, busy: bool) -> None:
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-c", PARENT, *(str(int(x)) for x in (prefetch, fork, busy))]
    with subprocess.Popen(command, text=True, **pipes, start_new_session=True) as parent:
        assert parent.stdout is not None
        *pids, another = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(set(pids)) == 2
        assert all(map(runs, pids))
        if prefetch > 2:
            time.sleep(0.5)  # now they wait
        if how == "interrupted":
            os.killpg(parent.pid, signal.SIGINT)  # as Ctrl-C does
        elif how != "finished":
            parent.send_signal(signal.SIGKILL if how == "killed" else signal.SIGTERM)
        gone = how == "finished" or eventually(lambda: not any(map(runs, pids)))
        if another:
            os.kill(another, signal.SIGKILL)
        _, errors = parent.communicate("\n" if how == "finished" else None, timeout=MINUTE)
    assert gone
    assert not any(map(runs, pids))
    assert parent.returncode == {"killed": -9, "terminated": -15, "interrupted": -2, "finished": 0}[how]
    assert errors.count("Traceback") == (how == "interrupted"), errors  # the workers say nothing
