"""Timing that stays fair on a noisy machine: contenders take turns, so that a slow moment hits all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import get_clock_info, perf_counter, process_time

Contender = Callable[[], object]
Clock = Callable[[], float]

PROCESSOR_TIME: Clock = process_time if get_clock_info("process_time").resolution < 1e-5 else perf_counter
"""What computes in one thread and waits for nothing takes just this long on an idle machine, and the same on a busy one,
where the time on the wall also counts what others do. (Where the system counts it too coarsely: the time on the wall.)
"""

SHORTEST_ROUND = 1e-3
"""Seconds of the fastest contender's round: long against the timer and against refilling caches that the others have
used, short against the few milliseconds for which a system takes a processor away."""

WARM_UP = 0.05
"""Seconds for which each contender runs unmeasured first, at least once."""

FEWEST_ROUNDS = 5


@dataclass
class Rounds:
    """The seconds that one call took, round by round, for each contender; round i of all happened side by side."""

    calls: int
    seconds: dict[str, list[float]]

    def median(self, name: str) -> float:
        """Seconds per call in the middle one of the rounds."""
        return median(self.seconds[name])

    def ratio(self, name: str, other: str) -> float:
        """How long `name` takes for each second of `other`: the middle one of the ratios within a round.

        A ratio within a round compares neighbours in time, so what slows the machine for longer than a round cancels.
        """
        return median(a / b for a, b in zip(self.seconds[name], self.seconds[other], strict=True))


def take_turns(contenders: Mapping[str, Contender], budget: float, clock: Clock = PROCESSOR_TIME) -> Rounds:
    """Measure contenders that have run before, for `budget` seconds together, at least five rounds each.

    In a round each contender runs equally often; who ends a round begins the next, so that nobody always follows the
    same one.
    """
    fastest = min([_warm_up(contender, clock) for contender in contenders.values()])
    calls = math.ceil(SHORTEST_ROUND / fastest)
    rounds = Rounds(calls, {name: [] for name in contenders})
    turns = list(contenders.items())
    start = perf_counter()
    while perf_counter() - start < budget or len(rounds.seconds[turns[0][0]]) < FEWEST_ROUNDS:
        for name, contender in turns:
            rounds.seconds[name].append(_time(contender, calls, clock))
        turns.reverse()
    return rounds


def _time(contender: Contender, calls: int, clock: Clock) -> float:
    """Seconds per call."""
    each = range(calls)
    start = clock()
    for _ in each:
        contender()
    return (clock() - start) / calls


def _warm_up(contender: Contender, clock: Clock) -> float:
    """Fill the caches and raise the frequency; return the seconds of the last call."""
    start = perf_counter()
    while True:
        seconds = _time(contender, 1, clock)
        if perf_counter() - start > WARM_UP:
            return seconds
