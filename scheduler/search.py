"""Search: a line for each person in turn, then neighbourhoods, beside a solve of the whole."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from scheduler.model import Limit, Part, RosterModel, Solvers, grid_of, roster_of
from scheduler.neighbourhoods import Neighbourhoods
from scheduler.problem import RosterProblem
from scheduler.result import Params, Progress, ProgressCallback
from scheduler.variables import Grid
from scheduler.verify import Verdict, verify

WHOLE_MODEL = 40_000  # literals a whole model may have
SMALL_MODEL = 4_000  # literals up to which the whole model goes first, with all workers
FIRST_SHARE = 0.4  # of the limit, for that
LINE_SHARE = 0.35  # of the limit, at most, for the first roster
LONG_LINE = 1_500  # literals of one person from which only a first line is sought
SHORTEST = 0.02
LONGEST_RESERVE = 2.5  # seconds
ROUNDING = 1e-6
SECONDS_PER_LITERAL = 1e-4  # to build a model, at worst
TRIES = 60  # neighbourhoods there is time for, at least
# effort reckoned for building a model, so that tries that need no solving come to an end as well
BUILDING, BUILDING_CELL = 5e-3, 5e-5
POLL = 0.1


class Budget:
    """What is left of a solve's limits.

    Effort is the solver's deterministic time; alone it makes a solve repeatable.
    """

    def __init__(self, params: Params, started: float) -> None:
        self.params, self.started = params, started
        self._allowed = params.seconds
        if params.seconds is not None:
            # the last solve ends a little late, and the roster is judged once more
            self._allowed = max(0.8 * params.seconds, params.seconds - LONGEST_RESERVE)
            self._allowed = min(self._allowed, 0.97 * params.seconds)
        self._spent = 0.0
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """Seconds since the solve began."""
        return time.monotonic() - self.started

    @property
    def repeatable(self) -> bool:
        return self.params.seconds is None

    def spend(self, effort: float) -> None:
        with self._lock:
            self._spent += effort

    def limit(self, share: float = 1.0) -> Limit:
        """What is left, but no more than a share of the whole."""
        seconds = effort = None
        if self._allowed is not None:
            seconds = min(self._allowed - self.seconds, share * self._allowed)
        if self.params.effort is not None:
            effort = min(self.params.effort - self._spent, share * self.params.effort)
        return Limit(seconds, effort)

    def of_first(self, share: float, parts: int) -> Limit | None:
        """A part, three times the fair one, of what is left of the first share of the limits.

        None when that share is used up.
        """
        seconds = effort = None
        if self._allowed is not None:
            seconds = 3 * (share * self._allowed - self.seconds) / parts
        if self.params.effort is not None:
            effort = 3 * (share * self.params.effort - self._spent) / parts
        short = any(x is not None and x < SHORTEST for x in (seconds, effort))
        return None if short else Limit(seconds, effort)

    @property
    def out_of_time(self) -> bool:
        return self._allowed is not None and self.seconds >= self._allowed

    @property
    def over(self) -> bool:
        left = self.limit()
        return any(x is not None and x < SHORTEST for x in (left.seconds, left.effort))


@dataclass
class Best:
    """The best roster so far and the best bound, shared by all who search."""

    problem: RosterProblem
    budget: Budget
    progress: ProgressCallback | None
    grid: Grid
    verdict: Verdict
    bound: int = 0  # no cost is below zero
    phase: str = "start"
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def key(self, verdict: Verdict) -> tuple[int, int]:
        """What is better: fewer hard violations, then lower cost."""
        return sum(breach.amount for breach in verdict.violations), verdict.cost

    @property
    def proven(self) -> bool:
        return self.verdict.valid and self.verdict.cost <= self.bound

    def offer(self, grid: Grid, parent: Grid | None = None) -> bool:
        """Take a grid that is no worse; True when it is better.

        A grid made from an older parent is merged: its changes are put onto the best.
        """
        verdict = verify(self.problem, roster_of(self.problem, grid))
        with self._lock:
            if parent is not None and parent is not self.grid:
                merged = _merged(self.grid, parent, grid)
                merged_verdict = verify(self.problem, roster_of(self.problem, merged))
                if self.key(merged_verdict) < self.key(verdict):
                    grid, verdict = merged, merged_verdict
            if self.key(verdict) > self.key(self.verdict):
                return False
            better = self.key(verdict) < self.key(self.verdict)
            self.grid, self.verdict = grid, verdict
        if better:
            self.tell()
        return better

    def raise_bound(self, bound: float) -> None:
        """Take a proven bound on the cost; costs are whole numbers."""
        if not math.isfinite(bound):
            return
        whole = math.ceil(bound - ROUNDING)
        with self._lock:
            if whole <= self.bound:
                return
            self.bound = whole
        self.tell()

    def tell(self) -> None:
        if self.progress is not None:
            self.progress(Progress(self.budget.seconds, self.verdict.cost, self.bound, self.phase))


def _merged(best: Grid, parent: Grid, child: Grid) -> Grid:
    merged = best.copy()
    for a, line in enumerate(child.cells):
        for d, s in enumerate(line):
            if s != parent.cells[a][d]:
                merged.cells[a][d] = s
    for place in child.held.keys() | parent.held.keys():
        if child.held.get(place) != parent.held.get(place):
            merged.held[place] = child.held.get(place, ())
    return merged


class Search:
    """One solve of a problem."""

    def __init__(
        self,
        problem: RosterProblem,
        params: Params,
        started: float,
        progress: ProgressCallback | None,
        stop: Callable[[], bool] | None,
    ) -> None:
        self.problem, self.params = problem, params
        self.look = problem.lookup
        self.budget = Budget(params, started)
        self.solvers = Solvers()
        self.stop = stop
        self.failed: BaseException | None = None
        self.stopped = False  # by the caller
        self.finished = False  # nothing better can be found
        self.lined = 0  # people who have been given a line
        empty = Grid.empty(problem)
        verdict = verify(problem, roster_of(problem, empty))
        self.best = Best(problem, self.budget, progress, empty, verdict)
        self.literals = (
            sum(len(shifts) for line in self.look.allowed for shifts in line)
            + sum(len(post.days) for post in problem.posts) * self.look.n_agents
            + len(problem.interval_cover)
        )

    @property
    def over(self) -> bool:
        ended = self.solvers.stopped or self.finished
        return ended or self.budget.over or self.best.proven

    @property
    def complete(self) -> bool:
        """Whether everybody has a line, lawful or not."""
        return self.lined == self.look.n_agents

    # -- the recipe ------------------------------------------------------------------------------

    def run(self) -> None:
        """First a roster, then a better one and a bound, until proven or out of time."""
        with self._watched():
            if not self._take_start():
                self.best.phase = "lines"
                self._lines()
            if self.literals <= SMALL_MODEL and not self.over:
                self.best.phase = "whole"
                self._whole(FIRST_SHARE, self.params.workers)
            self.best.phase = "neighbourhoods"
            if self.over:
                return
            if self.budget.repeatable or self.params.workers < 2:
                if self.literals > SMALL_MODEL:
                    self._whole(FIRST_SHARE, 1)
                self._neighbourhoods(self.params.seed)
            else:
                self._side_by_side()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """While inside, the caller's wish to stop is asked for and passed on."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(POLL):
                if self.stop is not None and self.stop():
                    self.stopped = True
                if self.stopped or self.solvers.stopped or self.budget.out_of_time:
                    self.solvers.stop()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()

    def _take_start(self) -> bool:
        start = self.params.start
        if start is None or not verify(self.problem, start).valid:
            return False
        self.best.offer(grid_of(self.problem, start))
        self.lined = self.look.n_agents
        return True

    def _side_by_side(self) -> None:
        jobs: list[Callable[[], None]] = [
            partial(self._neighbourhoods, self.params.seed + n) for n in range(self.params.workers)
        ]
        if self._affordable >= self.literals:
            jobs[0] = partial(self._whole, 1.0, 1)
        threads = [threading.Thread(target=self._guarded, args=[job]) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.failed is not None:
            raise self.failed

    def _guarded(self, job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:
            self.failed = error
            self.solvers.stop()

    # -- the parts -------------------------------------------------------------------------------

    def _relax(self) -> int | None:
        """The price of a hard rule while the best roster breaks some."""
        return None if self.best.verdict.valid else self.best.verdict.cost + 1

    def _lines(self) -> None:
        """A line for one person after another, each the best beside those before.

        The hard rules are per person but for a few, so this finds a roster quickly.
        """
        grid = self.best.grid
        waiting = sorted(range(self.look.n_agents), key=self._room)
        while waiting and not self.over:
            line = self._line(waiting[0], grid, len(waiting))
            if line is not None:
                grid, self.lined = line, self.lined + 1
                waiting.pop(0)
        self.best.offer(grid)

    def _room(self, a: int) -> int:
        return sum(len(shifts) for shifts in self.look.allowed[a])

    def _line(self, a: int, base: Grid, waiting: int) -> Grid | None:
        """The best line within a fair part of the time for lines, or else any line at all."""
        free = {(a, d) for d in range(self.look.n_days)}
        model = RosterModel(self.problem, base, free, hint=False)
        part = Part.nothing()
        limit = self.budget.of_first(LINE_SHARE, waiting)
        if self._room(a) <= LONG_LINE and limit is not None:
            part = self._spent(model.solve(limit, self.params.seed, solvers=self.solvers))
        if part.grid is None and not part.proven:
            limit = self.budget.limit()
            part = self._spent(model.solve(limit, self.params.seed, 1, True, solvers=self.solvers))
        if part.grid is None and part.proven:
            price = self.best.verdict.cost + 1
            model = RosterModel(self.problem, base, free, relax=price, hint=False)
            limit = self.budget.limit(LINE_SHARE)
            part = self._spent(model.solve(limit, self.params.seed, solvers=self.solvers))
        return part.grid

    def _spent(self, part: Part) -> Part:
        self.budget.spend(part.effort)
        return part

    @property
    def _affordable(self) -> float:
        """Literals of the largest model worth building in the time left."""
        left = self.budget.limit().seconds
        return WHOLE_MODEL if left is None else min(WHOLE_MODEL, left / 3 / SECONDS_PER_LITERAL)

    def _whole(self, share: float, workers: int) -> None:
        """All cells at once: the only part that can prove."""
        if self.literals > self._affordable:
            return
        relax = self._relax()
        model = RosterModel(self.problem, self.best.grid, relax=relax)
        limit = self.budget.limit(share)
        part = model.solve(
            limit,
            self.params.seed,
            workers=1 if self.budget.repeatable else workers,
            on_better=lambda grid, _: self._heard(grid),
            on_bound=self.best.raise_bound if relax is None else None,
            solvers=self.solvers,
        )
        self.budget.spend(part.effort)
        if part.grid is not None:
            self.best.offer(part.grid)
        if relax is None:
            self.best.raise_bound(part.bound)
        elif part.proven:
            # nothing breaks fewer hard rules, and with that many broken nothing costs less
            self.finished = True
            if self.best.verdict.valid:
                self.best.raise_bound(self.best.verdict.cost)
        if self.over:
            self.solvers.stop()

    def _heard(self, grid: Grid) -> None:
        self.best.offer(grid)
        if self.over:
            self.solvers.stop()

    def _neighbourhoods(self, seed: int) -> None:
        rng = random.Random(seed)
        neighbourhoods = Neighbourhoods(self.problem, rng)
        while self.literals and not self.over:
            base, verdict = self.best.grid, self.best.verdict
            kind = neighbourhoods.pick_kind()
            free = neighbourhoods.draw(kind, verdict, self._affordable / 4)
            begun = self.budget.seconds
            model = RosterModel(self.problem, base, free, relax=self._relax())
            if self.over:
                break
            limit = self._short_limit()
            part = model.solve(limit, rng.randrange(1 << 30), solvers=self.solvers)
            self.budget.spend(part.effort + BUILDING + BUILDING_CELL * len(free))
            took = part.effort if self.budget.repeatable else self.budget.seconds - begun
            better = part.grid is not None and self.best.offer(part.grid, base)
            gain = (verdict.cost - self.best.verdict.cost) / max(verdict.cost, 1) if better else 0
            whole = limit.effort if self.budget.repeatable else limit.seconds
            kind.learn(max(gain, 0) / max(took, 0.01), part.proven, took < 0.4 * (whole or 1))

    def _short_limit(self) -> Limit:
        left = self.budget.limit()
        longest = max(0.5, (self.params.seconds or self.params.effort or 0) / TRIES)
        return Limit(_least(left.seconds, longest), _least(left.effort, longest))


def _least(left: float | None, longest: float | None) -> float | None:
    if left is None or longest is None:
        return left
    return min(left, longest)
