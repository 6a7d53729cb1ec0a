"""`num_workers > 0`: other processes make the batches. They come in the same order as without workers.

The parent draws the indices of the samples of a batch; they are a *task*. It hands the tasks to the workers in turn,
`prefetch_factor` to each at first, then one for each batch that is taken. A batch that is ready early waits for its turn, so the
order does not depend on which worker is fast.

Each worker has a pipe for short messages, and a file in memory for the data that they announce. The file has no name, so nothing
can be left behind: it exists as long as a process has it open. While a worker computes, its next tasks wait in the pipe, and the
parent does other things.

Nobody waits for a process that is no longer there. When a worker dies, the parent finds the pipe closed. Since a process
that was forked in the meantime may have a copy of it, both sides also look once a second whether the other lives. And nobody
waits for a worker that never begins: one that is forked while another thread holds a lock finds it locked for ever. The
generators' locks are undone (see `random.generator`); for all others there is a limit of time.
"""

from __future__ import annotations

import contextlib
import errno
import io
import multiprocessing
import os
import pickle
import random as python_random
import signal
import socket
import threading
import time
import traceback
import warnings
import weakref
from collections.abc import Callable
from itertools import cycle, islice
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minigrad import random
from minigrad.arrays.sharing import anonymous_file
from minigrad.arrays.threads import blas_libraries
from minigrad.utils.data.dataset import IterableDataset
from minigrad.utils.data.fetch import Epoch, Fetch

if TYPE_CHECKING:
    from minigrad.utils.data.dataloader import DataLoader

_NEW_EPOCH = 0  # the slot that is no task's
_GRACE = 5.0  # seconds for a worker to finish what it is doing once nobody wants it any more
_START = 60.0  # seconds for a forked worker to begin, which takes some milliseconds
_BLAS = blas_libraries()  # found once for all workers, since to look for them takes 10 ms


class WorkerInfo(NamedTuple):
    """What a worker knows about itself.

    Attributes
    ----------
    id, num_workers : int
        Its number, and the number of workers.
    seed : int
        The seed of its generators.
    dataset : Dataset
        Its own copy.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """Say which worker this process is; None if it is not a worker.

    A stream needs to know: each worker has a copy of the dataset, and would give all of its samples if it ignored its ``id``.
    """
    return _info


# ---- both sides ------------------------------------------------------------------------------------------------------


class _Text(str):
    """A message that KeyError, which shows the `repr` of its argument, shows line by line too."""

    __repr__ = str.__str__


class _Failure(NamedTuple):
    """What a worker sends instead of a batch: an exception of the type that was raised, whose text is the traceback."""

    error: Exception


def _failure(error: Exception, worker: int) -> _Failure:
    trace = "".join(traceback.format_exception(error))
    text = _Text(f"Caught {type(error).__name__} in DataLoader worker process {worker}.\nOriginal {trace}")
    try:
        return _Failure(pickle.loads(pickle.dumps(type(error)(text))))
    except Exception:  # a class that wants other arguments, or one inside a function, which the parent could not find
        return _Failure(RuntimeError(text))


class _Slot(io.RawIOBase):
    """One slot of a file, as a file of its own. The slots lie far apart, but only what was written takes up memory."""

    def __init__(self, channel: _Channel, number: int) -> None:
        self.descriptor, self.offset = channel.file.fileno(), number * channel.room

    def readable(self) -> bool:
        return True

    writable = readable

    def readinto(self, buffer: Any) -> int:
        return self._moved(os.preadv(self.descriptor, [buffer], self.offset))

    def write(self, data: Any) -> int:
        return self._moved(os.pwrite(self.descriptor, data, self.offset))

    def _moved(self, count: int) -> int:
        self.offset += count
        return count


class _Channel(NamedTuple):
    """One end of the connection between the parent and a worker.

    A task, and then its batch, have a slot of the file to themselves. Only the number of the slot goes through the pipe. Otherwise
    each side could fill the pipe and wait for ever to put in more.
    """

    pipe: connection.Connection
    file: connection.Connection
    room: int  # bytes that each slot may have

    def write(self, slot: int, value: Any) -> None:
        buffers: list[memoryview] = []
        head = pickle.dumps(value, protocol=5, buffer_callback=lambda buffer: buffers.append(buffer.raw()))
        sizes = [len(buffer) for buffer in buffers]
        parts: list[Any] = [pickle.dumps((head, sizes)), *buffers]
        if (size := len(parts[0]) + sum(sizes)) > self.room:
            raise OSError(errno.EFBIG, f"a batch of {size} bytes is too large: the limit to the size of files (ulimit -f) leaves "
                                       f"{self.room} bytes for each that is under way; raise it, or make prefetch_factor smaller")
        with io.BufferedWriter(_Slot(self, slot)) as file:
            for part in parts:
                file.write(part)

    def read(self, slot: int) -> Any:
        with io.BufferedReader(_Slot(self, slot)) as file:
            head, sizes = pickle.load(file)
            arrays = [np.empty(size, np.uint8) for size in sizes]  # 100 MB in 25 ms; within the pickle it would take 90
            for array in arrays:
                file.readinto(array.data)
        return pickle.loads(head, buffers=arrays)


# ---- the worker ------------------------------------------------------------------------------------------------------


def _work(channel: _Channel, info: WorkerInfo, init: Callable[[int], None] | None, make_fetch: Callable[[], Fetch]) -> None:
    """The life of a worker, from beginning to end."""
    global _info
    _info = info
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C interrupts the parent, which stops its workers
    threading.Thread(target=_watch, daemon=True).start()
    if _BLAS:
        _BLAS.limit(limits=1)  # workers with as many threads as there are cores would be in each other's way
    _seed(info)
    with contextlib.suppress(ConnectionError):
        channel.pipe.send(None)  # "I have begun"

    def attempt(function: Callable[..., Any], *args: Any) -> Any:
        try:
            return function(*args)
        except Exception as error:
            return _failure(error, info.id)

    def answer(slot: int) -> None:
        channel.write(slot, fetch if isinstance(fetch, _Failure) else fetch(channel.read(slot)))

    fetch: Any = None
    begun = init and attempt(init, info.id)
    with contextlib.suppress(EOFError, ConnectionError):  # not wanted any more
        while True:
            slot = channel.pipe.recv()
            if slot == _NEW_EPOCH:
                fetch = begun if isinstance(begun, _Failure) else attempt(make_fetch)
            else:
                failure = attempt(answer, slot)
                if failure is not None:
                    channel.write(slot, failure)
                channel.pipe.send(slot)


def _watch() -> None:
    """End this process, whatever it is doing, when the parent is gone."""
    parent, gone = os.getppid(), multiprocessing.parent_process().sentinel  # type: ignore[union-attr]
    while os.getppid() == parent and not connection.wait([gone], 1):
        pass
    os._exit(1)


def _seed(info: WorkerInfo) -> None:
    """Seed all generators as torch does; NumPy's so that it does not draw the same numbers as Python's."""
    base = info.seed - info.id
    python_random.seed(info.seed)
    random.manual_seed(info.seed)
    np.random.seed(np.random.SeedSequence([info.id, base & 0xFFFFFFFF, base >> 32, 0]).generate_state(4))


# ---- the parent ------------------------------------------------------------------------------------------------------


class _Worker(NamedTuple):
    id: int
    process: BaseProcess
    channel: _Channel


class WorkerEpoch(Epoch):
    """Batches made by workers; with ``persistent_workers`` one epoch after the other."""

    def __init__(self, loader: DataLoader) -> None:
        super().__init__(loader)
        if not loader.prefetch_factor:
            raise AssertionError(f"prefetch_factor must be greater than 0, but is {loader.prefetch_factor}")
        self.timeout, self.persistent, self.in_order = loader.timeout, loader.persistent_workers, loader.in_order
        self.slots = loader.prefetch_factor * loader.num_workers
        self.tasks: dict[int, tuple[_Worker, int, Any]] = {}  # by slot, the oldest first: whose, which number, and what
        self.made: list[int] = []  # the slots with batches that nobody has taken
        self.workers: list[_Worker] = []
        self.stop = weakref.finalize(self, _stop, os.getpid(), self.workers)  # when a loop is left, or the program
        context = loader.multiprocessing_context or multiprocessing.get_context()
        patience = _START if context.get_start_method() == "fork" else float("inf")
        try:
            for i in range(loader.num_workers):
                self._start(context, WorkerInfo(i, loader.num_workers, self.seed + i, loader.dataset), loader.worker_init_fn)
            for worker in self.workers:
                self._await_beginning(worker, patience)
        except BaseException:
            self.stop()
            raise
        self.begin(loader)

    def _start(self, context: Any, info: WorkerInfo, init: Callable[[int], None] | None) -> None:
        ours, theirs = connection.Pipe()
        file = connection.Connection(anonymous_file("minigrad-batches"))  # no pipe, but what a spawned process can be given
        room = _room(self.slots + 1)
        process = context.Process(target=_work, args=(_Channel(theirs, file, room), info, init, self.make_fetch), daemon=True)
        try:
            process.start()
        except (TypeError, AttributeError, pickle.PicklingError):
            text = "Got pickle error when attempting to start a worker Process; multiprocessing_context='fork' pickles nothing"
            warnings.warn(text, stacklevel=4)
            raise
        theirs.close()
        self.workers.append(_Worker(info.id, process, _Channel(ours, file, room)))

    def _await_beginning(self, worker: _Worker, patience: float) -> None:
        deadline = time.monotonic() + patience
        while not worker.channel.pipe.poll(min(1, patience)):
            if not _lives(worker.process):
                raise self._death(worker)
            if time.monotonic() > deadline:
                worker.process.kill()
                raise RuntimeError(
                    f"DataLoader worker {worker.id} (pid {worker.process.pid}) has not begun after {patience:g} seconds: it was "
                    "forked while another thread held a lock, which it will never get; use multiprocessing_context='spawn'")
        try:
            worker.channel.pipe.recv()
        except (EOFError, OSError):
            raise self._death(worker) from None

    def begin(self, loader: DataLoader) -> None:
        """Begin an epoch, with the workers of the one before."""
        try:
            while len(self.made) < len(self.tasks):  # of an epoch that was left early
                self._collect()
            self.tasks.clear()
            self.made.clear()
            self.free, self.sent = [*range(1, self.slots + 1)], 0
            self.active, self.turns = [*self.workers], cycle(self.workers)  # active: whose streams have not ended
            self.reset(loader)  # torch does it twice for the first epoch, which shows in samplers that draw at once
            for worker in self.workers:
                self._send(worker, _NEW_EPOCH)
            for _ in range(self.slots):
                self._dispatch()
        except KeyboardInterrupt:
            self.stop()
            raise

    def next_batch(self) -> Any:
        """Wait for the next batch, and give its worker another task."""
        try:
            while self.tasks and self.stop.alive:
                slot = next(iter(self.tasks if self.in_order else self.made), None)
                if slot not in self.made:
                    self._collect()
                    continue
                self.made.remove(slot)
                worker, *_ = self.tasks.pop(slot)
                self.free.append(slot)
                if worker not in self.active:
                    continue
                try:
                    batch = worker.channel.read(slot)
                    if not isinstance(batch, _Failure):
                        return batch
                    if type(batch.error) is not StopIteration or not isinstance(self.dataset, IterableDataset):
                        raise batch.error
                    self.active.remove(worker)
                finally:
                    self._dispatch()
        except KeyboardInterrupt:  # perhaps with a message half read
            self.stop()
            raise
        if not self.persistent:
            self.stop()
        raise StopIteration

    def _dispatch(self) -> None:
        """Give the next task, if there is one, to the next active worker, if there is one; or to the one with the fewest."""
        tasks = list(islice(self.indices, 1))
        if tasks and self.active:
            if self.in_order:
                worker = next(worker for worker in self.turns if worker in self.active)
            else:
                worker = min(self.active, key=[owner for owner, *_ in self.tasks.values()].count)
            self._send(worker, self.free[-1], *tasks)
            self.tasks[self.free.pop()] = worker, self.sent, *tasks
            self.sent += 1

    def _send(self, worker: _Worker, slot: int, task: Any = None) -> None:
        # First empty the pipe to us, so that the worker can go on. Every task it then takes out of the pipe from us makes
        # room there, and puts only one message into the other: one of them always has room.
        while worker.channel.pipe.poll():
            self._receive(worker)
        worker.channel.write(slot, task)
        try:
            worker.channel.pipe.send(slot)
        except ConnectionError:
            raise self._death(worker) from None

    def _collect(self) -> None:
        """Wait until there is something to receive, and receive it."""
        deadline = time.monotonic() + (self.timeout or float("inf"))
        pipes: dict[Any, _Worker] = {worker.channel.pipe: worker for worker in self.workers}
        while not (ready := connection.wait(pipes, max(0, min(1, deadline - time.monotonic())))):
            for worker in self.workers:
                if not _lives(worker.process):
                    raise self._death(worker)
            if time.monotonic() >= deadline:
                raise RuntimeError(f"DataLoader timed out after {self.timeout} seconds")
        for pipe in ready:
            self._receive(pipes[pipe])

    def _receive(self, worker: _Worker) -> None:
        try:
            self.made.append(worker.channel.pipe.recv())
        except (EOFError, OSError):  # the end of the pipe, perhaps within a message
            raise self._death(worker) from None

    def _death(self, dead: _Worker) -> RuntimeError:
        """Stop everything; the error to raise."""
        dead.process.join(_GRACE)
        code, pid = dead.process.exitcode, dead.process.pid
        if code is None:  # whoever reaped it knows
            how = "has ended"
        else:
            how = f"was killed by signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"exited with code {code}"
        for slot, (worker, number, task) in self.tasks.items():
            if worker == dead and slot not in self.made:
                how += f" before it had made batch {number} from {task!r:.60}"
                break
        for worker in self.workers:
            worker.process.kill()  # no time to finish: the error is more important
        self.stop()
        return RuntimeError(f"DataLoader worker {dead.id} (pid {pid}) {how}; with num_workers=0 the same happens in this "
                            "process, where a debugger sees it")


def _room(slots: int) -> int:
    """How many bytes each of the slots of a file may have: a terabyte, or what the user's limit to the size of files allows."""
    import resource  # which Windows does not have

    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return 1 << 40 if limit == resource.RLIM_INFINITY else min(1 << 40, limit // slots)


def _lives(process: BaseProcess) -> bool:
    """Whether a worker runs. If others reap children, or SIGCHLD is ignored, only its closed pipe tells that it does not."""
    return process.is_alive() and not connection.wait([process.sentinel], 0)


def _stop(owner: int, workers: list[_Worker]) -> None:
    """End the workers: those that wait at once, the others after the batch they are making, or by force."""
    if os.getpid() != owner:  # a worker of another loader has copies of everything
        return

    def hang_up(worker: _Worker) -> None:  # closing our end would not do: processes forked in the meantime have a copy
        pipe = socket.socket(fileno=worker.channel.pipe.fileno())
        try:
            with contextlib.suppress(OSError):
                pipe.shutdown(socket.SHUT_RDWR)
        finally:
            pipe.detach()  # closing it is up to the connection

    for end, seconds in ((hang_up, _GRACE), (lambda w: w.process.terminate(), 1), (lambda w: w.process.kill(), 1)):
        running = [worker for worker in workers if _lives(worker.process)]
        for worker in running:
            end(worker)
        deadline = time.monotonic() + seconds
        for worker in running:
            worker.process.join(max(0, deadline - time.monotonic()))
    for worker in workers:
        worker.channel.pipe.close()
        worker.channel.file.close()
        if not _lives(worker.process):
            process: Any = worker.process
            if process.exitcode is None:  # others have reaped it; multiprocessing would wait for it for ever
                process._popen.returncode = 0
            process.close()
    workers.clear()
