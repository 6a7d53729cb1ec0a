"""What the benchmarks share: the race between minigrad and others, and the table of ratios at the end of a run.

``pytest --benchmark-only`` measures; plain ``pytest`` runs each benchmark once, on less data, to see that it works.
"""

from __future__ import annotations

import gc
import os
import platform
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from time import perf_counter, process_time
from typing import Any

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from threadpoolctl import threadpool_info, threadpool_limits

from benchmarks import report
from benchmarks.report import OURS, Result
from benchmarks.rounds import PROCESSOR_TIME, Clock, Contender, take_turns
from minigrad.vision import datasets

RESULTS = pytest.StashKey[list[Result]]()
THREADS = 1

# How to run ----------------------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """Measure only where that is asked for: a run of the tests has no minutes to spare.

    The plugin's own tables, 1,500 lines, are shown with -v only. Ours says what they say.
    """
    config.stash[RESULTS] = []
    config.option.benchmark_quiet = True
    if hasattr(config, "_benchmarksession"):
        config._benchmarksession.quiet = not config._benchmarksession.verbose
    if not (config.option.benchmark_only or config.option.benchmark_enable):
        config.option.benchmark_disable = True  # the plugin configures itself last, and reads this
        if hasattr(config, "_benchmarksession"):  # unless this file was found only now, while collecting
            config._benchmarksession.disabled = True


@contextmanager
def measuring_threads() -> Iterator[None]:
    """Give NumPy and torch one thread each: what is compared is what they make of it."""
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    with threadpool_limits(THREADS):
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session", autouse=True)
def one_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """Measure on one thread, and see that it is one."""
    with measuring_threads():
        assert torch.get_num_threads() == THREADS
        assert {pool["num_threads"] for pool in threadpool_info()} <= {THREADS}
        if request.config.option.benchmark_only:
            a = np.ones((1000, 1000), np.float32)
            b = torch.ones(1000, 1000)
            for name, multiply in (("NumPy", lambda: a @ a), ("torch", lambda: b @ b)):
                assert _busy_cores(multiply) < 1.2, f"{name} computes on more than one core"
        yield


def _busy_cores(work: Contender) -> float:
    """On how many cores `work` computes: processor time for each second that passes."""
    work()
    start, used = perf_counter(), process_time()
    for _ in range(5):
        work()
    return (process_time() - used) / (perf_counter() - start)


@pytest.fixture(scope="session", autouse=True)
def own_garbage_only() -> Iterator[None]:
    """Hide what pytest has collected from the garbage collector.

    Looking through hundreds of thousands of pytest's objects would be added to the time of whoever allocates most.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def memory_of_a_running_program() -> None:
    """Free one large block first, as every program does that has loaded data.

    Until then glibc's malloc hands freed memory back to the system and takes it anew at the next call, or does not: that
    depends on what happens to lie behind it, and so changes from run to run.
    """
    np.empty(31 * 2**20, np.uint8)  # the largest block, to the MiB, from whose release it learns to keep memory


# The race ------------------------------------------------------------------------------------------------------------


class Race:
    """Runs a job's contenders side by side and enters them into pytest-benchmark's results, as one group.

    What the contenders return, the loss for example, must be the same number for all, or they would not be doing the
    same job; None where there is no such number.
    """

    def __init__(self, benchmark: BenchmarkFixture, results: list[Result]) -> None:
        self.benchmark, self.results = benchmark, results
        benchmark._mode = "race"  # pytest-benchmark warns of fixtures that were not used

    @property
    def timed(self) -> bool:
        """Whether this run measures; otherwise each contender runs once, and less data is enough."""
        return not self.benchmark.disabled

    def __call__(
        self,
        section: str,
        job: str,
        contenders: dict[str, Contender],
        budget: float = 1.0,
        clock: Clock = PROCESSOR_TIME,
    ) -> None:
        """Measure `contenders`, of which one is "minigrad", for about `budget` seconds together."""
        numbers = {name: contender() for name, contender in contenders.items()}
        for name, number in numbers.items():
            same = number is None if numbers[OURS] is None else number == pytest.approx(numbers[OURS], rel=1e-4)
            assert same, f"{name} gives {number}, but minigrad {numbers[OURS]}: that is not the same job"
        if not self.timed:
            return
        rounds = take_turns(contenders, budget, clock)
        result = Result(section, job, getattr(clock, "unit", "s"))
        for name, seconds in rounds.seconds.items():
            result.seconds[name] = rounds.median(name)
            if name != OURS:
                result.ratio[name] = rounds.ratio(OURS, name)
            info = {"section": section, "job": job, "unit": result.unit, "contender": name, "ratio": result.ratio.get(name)}
            self._enter(name, info, rounds.calls, seconds)
        self.results.append(result)

    def _enter(self, name: str, info: dict[str, Any], calls: int, seconds: list[float]) -> None:
        """Add a row to pytest-benchmark's table and JSON; its own way of measuring knows one contender only."""
        row = copy(self.benchmark)
        row.group, row.name, row.fullname = info["job"], name, f"{row.fullname}[{name}]"
        row.param, row.params, row.extra_info = None, None, info
        stats = row._make_stats(calls)
        for each in seconds:
            stats.update(each * calls)


@pytest.fixture
def race(benchmark: BenchmarkFixture, request: pytest.FixtureRequest) -> Race:
    return Race(benchmark, request.config.stash[RESULTS])


@pytest.fixture(scope="session")
def digits() -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """As many digits as wanted, flat images and labels: the embedded ones, again and again."""
    images, labels = datasets.load_digits()[0]

    def take(count: int) -> tuple[np.ndarray, np.ndarray]:
        index = np.arange(count) % len(labels)
        return images[index], labels[index]

    return take


# What is reported ----------------------------------------------------------------------------------------------------


def versions() -> dict[str, str]:
    return {"numpy": np.__version__, "torch": torch.__version__}


def blas() -> dict[str, str]:
    """Which library multiplies matrices on either side, with which kernel, on how many threads."""
    ours = [
        f"{pool['internal_api']} {pool['version']}, kernel {pool.get('architecture', 'unknown')}, {threads(pool['num_threads'])}"
        for pool in threadpool_info()
        if pool["user_api"] == "blas" and "numpy" in pool["filepath"]
    ]
    forced = " (forced by OPENBLAS_CORETYPE)" if "OPENBLAS_CORETYPE" in os.environ else ""
    built = torch.__config__.show()
    theirs = {
        "library": re.search(r"Math Kernel Library Version ([\d.]+)", built),
        "kernel": re.search(r"CPU capability usage: (\S+)", built),
    }
    library = f"MKL {theirs['library'][1]}" if theirs["library"] else re.search(r"BLAS_INFO=(\w+)|$", built)[1] or "unknown"
    kernel = theirs["kernel"][1] if theirs["kernel"] else "unknown"
    return {
        "NumPy's": (ours[0] if ours else "a library that does not tell") + forced,
        "torch's": f"{library}, kernel {kernel}, {threads(torch.get_num_threads())}",
    }


def threads(number: int) -> str:
    return f"{number} thread" + "s" * (number != 1)


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Add to the JSON what a ratio depends on."""
    with measuring_threads():
        machine_info.update(versions=versions(), blas=blas())


@pytest.hookimpl(trylast=True)  # below pytest-benchmark's own tables
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    results = config.stash[RESULTS]
    if results:
        terminalreporter.section("minigrad / torch, time for time")
        terminalreporter.write_line(report.table(results))
        about = {"machine": platform.machine(), "system": platform.system(), "python_version": platform.python_version()}
        with measuring_threads():
            about |= {"versions": versions(), "blas": blas()}
        terminalreporter.write_line("\n" + report.machine(about))
