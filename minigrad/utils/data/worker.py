"""`num_workers > 0`: other processes make the batches, which come in the same order as without them.

The parent draws the numbers of the samples that make a batch, a *task*, and hands the tasks to the workers in turn,
`prefetch_factor` for each at first, then one for each batch that is taken. What workers return early waits until it is
its turn: the order does not depend on who is fast.

Each worker has a pipe for short messages and a file in memory for what they announce. The file has no name, so nothing
can be left behind; it belongs to the processes that have it open. While a worker computes, its next tasks wait in the
pipe, and the parent does something else.

Nobody waits for a process that is no longer there. The end of a process closes its end of the pipe, unless a process
that was forked in the meantime has a copy of it; therefore both sides also look once a second whether the other lives.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import multiprocessing
import os
import pickle
import random as python_random
import reprlib
import signal
import socket
import tempfile
import time
import traceback
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import random
from minigrad.utils.data.dataset import IterableDataset

if TYPE_CHECKING:
    from minigrad.utils.data.dataloader import DataLoader

MakeBatch = Callable[[Any], Any]  # from the numbers of samples

_NEW_EPOCH = -1  # the number of a message that is no task
_GRACE = 5.0  # seconds for a worker to finish what it is doing once nobody wants it any more


@dataclass(frozen=True)
class WorkerInfo:
    """What a worker knows of itself.

    Attributes
    ----------
    id, num_workers : int
        Its number, and how many there are.
    seed : int
        What its generators were seeded with.
    dataset : Dataset
        Its own copy.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """Which worker this process is; None if it is none.

    A stream needs it: each worker has a copy of the dataset, and without a look at its ``id`` gives all of the samples.
    """
    return _info


# ---- both sides ------------------------------------------------------------------------------------------------------


class _Text(str):
    """A message that KeyError, which shows the `repr` of its argument, shows line by line too."""

    __repr__ = str.__str__


class _Failure:
    """What an exception leaves of itself on its way to the parent: its type and its traceback as text."""

    def __init__(self, error: Exception, worker: int) -> None:
        self.kind: type[Exception] = type(error)
        trace = "".join(traceback.format_exception(error))
        self.text = f"Caught {self.kind.__name__} in DataLoader worker process {worker}.\nOriginal {trace}"
        try:
            pickle.dumps(self.kind)
        except Exception:  # a class inside a function, which the parent could not find
            self.kind = RuntimeError

    def exception(self) -> Exception:
        try:
            return self.kind(_Text(self.text))
        except Exception:  # a class that wants other arguments
            return RuntimeError(self.text)


def _pack(value: Any) -> list[memoryview]:
    """A pickle, and beside it, not in it, the memory of the arrays."""
    buffers: list[memoryview] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=lambda buffer: buffers.append(buffer.raw()))
    return [memoryview(head), *buffers]


class _Channel:
    """One end of what connects the parent and a worker.

    Task `number`, and then its batch, have the *slot* ``number % slots`` of the file, a terabyte each: of such a file
    only what was written exists. No two tasks that are under way share one, since there are never more than `slots`.

    The pipe has only short messages, one for each task and one for its batch, because both sides would wait for ever if
    each had filled it and was waiting to put in more.
    """

    def __init__(self, pipe: connection.Connection, file: connection.Connection, slots: int) -> None:
        self.pipe, self.file, self.slots = pipe, file, slots

    def send(self, number: int, parts: list[memoryview]) -> None:
        sizes = np.array([len(part) for part in parts], np.int64)
        offset = number % self.slots << 40
        for part in (sizes.view(np.uint8).data, *parts):
            while part:
                written = os.pwrite(self.file.fileno(), part, offset)
                part, offset = part[written:], offset + written
        self.pipe.send((number, len(parts)))

    def read(self, number: int, count: int) -> Any:
        """What the message ``(number, count)`` announces; the arrays have memory of their own."""
        offset = number % self.slots << 40
        sizes = np.frombuffer(self._read(offset, 8 * count), np.int64)
        starts = offset + sizes.nbytes + np.cumsum(sizes) - sizes
        head, *buffers = [self._read(int(start), int(size)) for start, size in zip(starts, sizes, strict=True)]
        return pickle.loads(head, buffers=buffers)

    def _read(self, offset: int, size: int) -> memoryview:
        data = rest = np.empty(size, np.uint8).data
        while rest:
            count = os.preadv(self.file.fileno(), [rest], offset)
            rest, offset = rest[count:], offset + count
        return data


# ---- the worker ------------------------------------------------------------------------------------------------------


def _work(
    channel: _Channel,
    parents_end: connection.Connection,
    info: WorkerInfo,
    worker_init_fn: Callable[[int], None] | None,
    make_fetch: Callable[[], MakeBatch],
) -> None:
    """What a worker does from its beginning to its end."""
    global _info
    parent = os.getppid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C interrupts the parent, which stops its workers
    parents_end.close()  # a fork has a copy of it, which would keep the pipe open when the parent is gone
    _info = info
    _seed(info)

    def begin() -> MakeBatch:
        if worker_init_fn is not None:
            worker_init_fn(info.id)
        return make_fetch()

    fetch = _attempt(begin)
    while os.getppid() == parent:
        try:
            if not channel.pipe.poll(1):
                continue
            number, count = channel.pipe.recv()
            if number == _NEW_EPOCH:
                fetch = _attempt(make_fetch)
            else:
                channel.send(number, _answer(fetch, channel.read(number, count)))
        except (EOFError, ConnectionError):  # not wanted any more
            return


def _attempt(function: Callable[..., Any], *args: Any) -> Any:
    """The result, or the failure."""
    try:
        return function(*args)
    except Exception as error:
        assert _info is not None
        return _Failure(error, _info.id)


def _answer(fetch: MakeBatch | _Failure, index: Any) -> list[memoryview]:
    batch = fetch if isinstance(fetch, _Failure) else _attempt(fetch, index)
    parts = _attempt(_pack, batch)
    return _pack(parts) if isinstance(parts, _Failure) else parts


def _seed(info: WorkerInfo) -> None:
    """Seed all generators as torch does; NumPy's so that it does not draw the same numbers as Python's."""
    base = info.seed - info.id
    python_random.seed(info.seed)
    random.manual_seed(info.seed)
    np.random.seed(np.random.SeedSequence([info.id, base & 0xFFFFFFFF, base >> 32, 0]).generate_state(4))


# ---- the parent ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Worker:
    process: BaseProcess
    channel: _Channel
    info: WorkerInfo


class WorkerBatches(Iterator[Any]):
    """One epoch in order, made by workers; with ``persistent_workers`` one epoch after the other.

    Parameters
    ----------
    loader : DataLoader
        Whose batches.
    sampler : iterable
        Gives the tasks.
    make_fetch : callable
        Called in the worker at the beginning of an epoch, gives the function that carries out a task.
    """

    def __init__(self, loader: DataLoader, sampler: Iterable[Any], make_fetch: Callable[[], MakeBatch]) -> None:
        self.sampler, self.timeout, self.persistent = sampler, loader.timeout, loader.persistent_workers
        self.iterable = isinstance(loader.dataset, IterableDataset)
        self.slots = (loader.prefetch_factor or 2) * loader.num_workers
        iter(sampler)  # torch asks twice, which shows in samplers that draw at once
        base_seed = int(random.random_full((), generator=loader.generator))
        context = loader.multiprocessing_context or multiprocessing.get_context()
        self.workers: list[_Worker] = []
        self.stop = weakref.finalize(self, _stop, os.getpid(), self.workers)  # when a loop is left, or the program
        for i in range(loader.num_workers):
            ours, theirs = connection.Pipe()
            file = connection.Connection(_anonymous_file())  # no pipe, but what a spawned process can be given
            info = WorkerInfo(i, loader.num_workers, base_seed + i, loader.dataset)
            arguments = (_Channel(theirs, file, self.slots), ours, info, loader.worker_init_fn, make_fetch)
            process = context.Process(target=_work, args=arguments, daemon=True)
            process.start()
            theirs.close()
            self.workers.append(_Worker(process, _Channel(ours, file, self.slots), info))
        self._begin()

    def new_epoch(self) -> None:
        """Start anew with the same workers."""
        try:
            while len(self.answers) < len(self.tasks):  # of an epoch that was left early
                self._collect()
            for worker in self.workers:
                self._send(worker, _NEW_EPOCH, [])
            self._begin()
        except KeyboardInterrupt:
            self.stop()
            raise

    def __next__(self) -> Any:
        try:
            return self._next()
        except KeyboardInterrupt:  # perhaps with a message half read
            self.stop()
            raise

    def _begin(self) -> None:
        self.indices, self.cycle = iter(self.sampler), itertools.cycle(range(len(self.workers)))
        self.tasks: dict[int, tuple[int, Any]] = {}  # whose they are, and what; those whose turn has not come
        self.answers: dict[int, Any] = {}  # what is there of their batches
        self.finished: set[int] = set()  # workers whose stream has ended
        self.sent = self.turn = 0
        for _ in range(self.slots):
            self._dispatch()

    def _next(self) -> Any:
        while self.turn in self.tasks and self.stop.alive:
            while self.turn not in self.answers:
                self._collect()
            (worker, _), answer = self.tasks.pop(self.turn), self.answers.pop(self.turn)
            self.turn += 1
            if worker in self.finished:
                continue
            failed = isinstance(answer, _Failure)
            if failed and self.iterable and answer.kind is StopIteration:
                self.finished.add(worker)
                self._dispatch()
                continue
            self._dispatch()
            if failed:
                raise answer.exception()
            return answer
        if not self.persistent:
            self.stop()
        raise StopIteration

    def _dispatch(self) -> None:
        """Give the next task, if there is one, to the next worker that has not finished, if there is one."""
        try:
            index = next(self.indices)
        except StopIteration:
            return
        if len(self.finished) < len(self.workers):
            worker = next(worker for worker in self.cycle if worker not in self.finished)
            self._send(self.workers[worker], self.sent, _pack(index))
            self.tasks[self.sent] = worker, index
            self.sent += 1

    def _send(self, worker: _Worker, number: int, parts: list[memoryview]) -> None:
        while worker.channel.pipe.poll():  # the pipe to us is now empty: the worker can go on and empty the one from us
            self._receive(worker)
        try:
            worker.channel.send(number, parts)
        except ConnectionError:
            raise self._death(worker) from None

    def _collect(self) -> None:
        """Wait until there are answers, and take them."""
        deadline = time.monotonic() + (self.timeout or math.inf)
        pipes = [worker.channel.pipe for worker in self.workers]
        ready: list[Any] = []
        while not ready:
            ready = connection.wait(pipes, max(0, min(1, deadline - time.monotonic())))
            for worker in self.workers:
                if worker.channel.pipe in ready:
                    self._receive(worker)
                elif not worker.process.is_alive():
                    raise self._death(worker)
            if not ready and time.monotonic() >= deadline:
                raise RuntimeError(f"DataLoader timed out after {self.timeout} seconds")

    def _receive(self, worker: _Worker) -> None:
        try:
            number, count = worker.channel.pipe.recv()
        except (EOFError, OSError):  # the end of the pipe, perhaps within a message
            raise self._death(worker) from None
        self.answers[number] = worker.channel.read(number, count)

    def _death(self, dead: _Worker) -> RuntimeError:
        """Stop everything; the error to raise."""
        dead.process.join(_GRACE)
        code = dead.process.exitcode or 0
        how = f"was killed by signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"exited with code {code}"
        at = [
            f" before it had made batch {number} from {reprlib.repr(index)}"
            for number, (worker, index) in self.tasks.items()
            if worker == dead.info.id and number not in self.answers
        ]
        for worker in self.workers:
            worker.process.terminate()  # no time to finish: the error is more important
        self.stop()
        return RuntimeError(
            f"DataLoader worker {dead.info.id} (pid {dead.process.pid}) {how}{at[0] if at else ''}; "
            "with num_workers=0 the same happens in this process, where a debugger sees it"
        )


def _anonymous_file() -> int:
    """A descriptor of a file in memory, which `/dev/shm` and its limits have nothing to do with; a temporary file elsewhere."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("minigrad-batches")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _stop(owner: int, workers: list[_Worker]) -> None:
    """End the workers: those that wait at once, the others after the batch they are making, or by force."""
    if os.getpid() != owner:  # a worker of another loader has copies of everything
        return
    for worker in workers:
        # Closing our end would not do: processes forked in the meantime have a copy of it.
        with socket.socket(fileno=os.dup(worker.channel.pipe.fileno())) as pipe, contextlib.suppress(OSError):
            pipe.shutdown(socket.SHUT_RDWR)
    deadline = time.monotonic() + _GRACE
    for worker in workers:
        worker.process.join(max(0, deadline - time.monotonic()))
    for end in (BaseProcess.terminate, BaseProcess.kill):
        for worker in workers:
            if worker.process.is_alive():
                end(worker.process)
                worker.process.join(1)
    workers.clear()  # closes pipes and files
