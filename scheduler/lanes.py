"""Solve the parts of a large problem in processes, some parts in each.

Building models and judging rosters is Python, of which one process runs one line at a time; in
processes of their own the parts have a core each. What a process finds it tells at once, so that
one that will not end is ended, and nothing is lost but what it would have found.
"""

from __future__ import annotations

import pickle
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from scheduler.apart import InParts
from scheduler.problem import RosterProblem
from scheduler.result import Params, ProgressCallback, Status
from scheduler.solution import Roster

LARGE = 1_000  # cells to fill from which processes are worth starting,
LONG = 8.0  # and seconds: each takes about one until it begins
POLL = 0.1
ENDS_WITHIN = 1.0  # seconds a process may take to end once it should
# the same modules from the same places, whatever this process is called or was started from
CODE = "import sys; sys.path[:] = {path!r}; from scheduler.lane import main; main()"


@dataclass(frozen=True, slots=True)
class News:
    """What a lane found out about one of its parts; `roster` when it is another than before."""

    part: int
    cost: int
    bound: int
    status: Status
    phase: str
    roster: Roster | None


@dataclass(frozen=True, slots=True)
class Ended:
    """A lane has done what it could, or failed: then the reason."""

    failure: str | None = None


def worth_processes(parts: list[RosterProblem], params: Params) -> bool:
    """Whether parts are better solved in processes of their own.

    A limit of effort alone promises the same roster everywhere: one part after another.
    """
    cells = sum(len(part.agents) * len(part.days) for part in parts)
    several = len(parts) > 1 and params.workers > 1 and bool(sys.executable)
    return several and cells >= LARGE and params.seconds is not None and params.seconds >= LONG


class LanesSearch(InParts):
    """One solve of a problem in parts, by several processes."""

    def __init__(
        self,
        parts: list[RosterProblem],
        params: Params,
        started: float,
        progress: ProgressCallback | None,
        stop: Callable[[], bool] | None,
    ) -> None:
        super().__init__(parts, params, started, progress, stop)
        self._news: queue.Queue[News | Ended] = queue.Queue()

    def run(self) -> None:
        """Start the processes, listen until they end, and see that they do."""
        lanes = []
        try:
            for numbers in shared_out([part.problem for part in self.parts], self.params.workers):
                lanes.append(_Lane(numbers, self._asked_of(numbers), self._news))
            self._listen(len(lanes))
        finally:
            for lane in lanes:
                lane.end()
            for lane in lanes:
                lane.ended()
            self._hear_the_rest()

    def _asked_of(self, numbers: list[int]) -> bytes:
        """What a lane is to do: its parts, parameters, and when the limit began to run."""
        parts = [self.parts[n].problem for n in numbers]
        left, effort = self.budget.limit().seconds, self.params.effort
        each = None if effort is None else effort / self.params.workers
        params = replace(self.params, seconds=left, effort=each, workers=1)
        # the clock of the machine, the same in every process
        return pickle.dumps((parts, params, time.monotonic()))

    def _listen(self, running: int) -> None:
        while running and not self._asked():
            with suppress(queue.Empty):
                running -= self._hear(self._news.get(timeout=POLL))

    def _hear_the_rest(self) -> None:
        """What was told while the processes were ended."""
        while not self._news.empty():
            news = self._news.get()
            if isinstance(news, News):
                self._hear(news)

    def _hear(self, news: News | Ended) -> bool:
        """Take news in; True when a lane has ended."""
        if isinstance(news, Ended):
            if news.failure is not None and not self._asked():
                raise RuntimeError(f"a process of the search ended: {news.failure}")
            return True
        part = self.parts[news.part]
        part.cost, part.status, part.heard = news.cost, news.status, True
        part.bound = max(part.bound, news.bound)
        if news.roster is not None:
            part.roster = news.roster
        self._tell(news.phase)
        return False


def shared_out(parts: list[RosterProblem], lanes: int) -> list[list[int]]:
    """The numbers of the parts for each lane: the largest first, each to who has least to do."""
    sizes = [len(part.agents) * len(part.days) for part in parts]
    found: list[list[int]] = [[] for _ in range(min(lanes, len(parts)))]
    for n in sorted(range(len(parts)), key=lambda n: -sizes[n]):
        min(found, key=lambda lane: sum(sizes[m] for m in lane)).append(n)
    return found


class _Lane:
    """A process that solves some of the parts, and the thread that hears of it."""

    def __init__(self, numbers: list[int], asked: bytes, news: queue.Queue[News | Ended]) -> None:
        self._numbers, self._news = numbers, news
        self._process = subprocess.Popen(
            [sys.executable, "-c", CODE.format(path=sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._thread = threading.Thread(target=self._hear, args=[asked], daemon=True)
        self._thread.start()

    def _hear(self, asked: bytes) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        ended = Ended("it said nothing more")
        with suppress(OSError, EOFError, pickle.UnpicklingError):
            self._process.stdin.write(asked)
            self._process.stdin.flush()
            while True:
                news = pickle.load(self._process.stdout)
                if isinstance(news, Ended):
                    ended = news
                    break
                self._news.put(replace(news, part=self._numbers[news.part]))
        self._news.put(ended)

    def end(self) -> None:
        """Let it end: it does so when nobody can tell it anything any more."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()

    def ended(self) -> None:
        """Wait for that, not for long."""
        assert self._process.stdout is not None
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDS_WITHIN)
        self._process.kill()
        self._process.wait()
        self._thread.join()
        self._process.stdout.close()
