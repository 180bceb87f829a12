"""The part of a search that works with whole lines: a first roster, columns, dives, windows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scheduler.best import Best
from scheduler.columns.cover import Cover
from scheduler.columns.dive import Dive
from scheduler.columns.generation import Course, Generation, scale_for
from scheduler.columns.kernel import Array
from scheduler.columns.narrow import Margins
from scheduler.columns.people import People, compiled
from scheduler.columns.recreate import Recreate
from scheduler.columns.sweep import Shared, Sweeps
from scheduler.variables import Grid, Narrow

GENERATION_SHARE = 0.5  # of the limit, by which columns must be there
ROUNDS_NEEDED = 50  # of pricing everybody, at least, for columns to be of use
LEAST_SECONDS = 6.0  # the kernel may have to be compiled first
MOST_ROWS = 1_000  # of cover: beyond, the linear program takes too long
DIVES = 4
GOOD_LINES = 25  # of each person, whose cells neighbourhoods look at
TRIES_AT_ONCE = 150  # of taking people out and putting them back
MANY_ROWS = 300  # of cover, from which the days are swept in windows first
SWEEP_SHARE = 0.3  # of the limit, for that, where columns of the whole are to come
SETTLING_SHARE = 0.15  # of the limit, at most, for putting people back before the first sweep
SETTLED = 0.004  # of the cost: less gain than that from many tries means settled


class ColumnSearch:
    """Column generation for one problem, sharing the best roster with the rest of the search."""

    def __init__(self, people: People, cover: Cover, best: Best, over: Callable[[], bool]) -> None:
        self.best, self.budget, self.over = best, best.budget, over
        params = self.budget.params
        self.threads = 1 if self.budget.repeatable else params.workers
        course = Course(
            over, lambda: self.budget.limit().seconds, self._offer, best.raise_bound,
            self.budget.spend,
        )  # fmt: skip
        self.generation = Generation(people, cover, course, self.threads, params.seed)
        self.sweeps: Sweeps | None = None
        if len(cover.day) > MANY_ROWS:
            shared = Shared(
                lambda: np.array(best.grid.cells), lambda: best.verdict.cost, self._offer_changed
            )
            self.sweeps = Sweeps(people, cover, course, shared, params.seed)
        self.good_cells: Narrow | None = None
        self.complete = False  # columns were generated

    @classmethod
    def of(cls, best: Best, over: Callable[[], bool]) -> ColumnSearch | None:
        """For the problem of `best`, if its rules allow it."""
        seconds = best.budget.limit().seconds
        if seconds is not None and seconds < LEAST_SECONDS:
            return None
        people = compiled(best.problem)
        if people is None or not people.persons or not best.problem.shift_cover:
            return None
        cover = Cover.of(best.problem)
        return cls(people, cover, best, over) if scale_for(people, cover) else None

    def _offer(self, lines: Array, cost: int) -> None:
        if cost < self.best.verdict.cost or not self.best.verdict.valid:
            self.best.offer(Grid(lines.tolist(), {}))

    def _offer_changed(self, lines: Array, base: Array) -> None:
        self.best.offer(Grid(lines.tolist(), {}), Grid(base.tolist(), {}))

    def lines(self) -> bool:
        """A first roster; False when somebody was left without a line."""
        return self.generation.first_roster() is not None

    def settle(self) -> None:
        """Make a first roster of many days better: people in and out, then a few sweeps."""
        if self.sweeps is None or not self.best.verdict.valid:
            return
        late = self.budget.share(SETTLING_SHARE)
        recreate = self.recreate(self.budget.params.seed)
        while not late() and not self.over():
            cost = self.best.verdict.cost
            self.recreated(recreate)
            if cost - self.best.verdict.cost < SETTLED * cost:
                break
        late = self.budget.share(SWEEP_SHARE)
        while not self.over() and not (self._affordable() and late()):
            if not self.sweeps.run(self.threads):
                break

    def columns(self) -> None:
        """Generate columns for a part of the limit, then dive as often as that helps."""
        generation = self.generation
        if self.complete or not self._affordable():
            return
        with generation.within(self.budget.share(GENERATION_SHARE)):
            generation.start_from(np.array(self.best.grid.cells))
            if generation.generate() and not self.best.proven:
                generation.branch()
        self.complete = True
        if generation.prices is not None:
            self.good_cells = generation.promising(GOOD_LINES)
        for _ in range(DIVES):
            cost = self.best.verdict.cost
            if not self.over():
                self.dive()
            if self.best.verdict.cost == cost:
                break

    def _affordable(self) -> bool:
        left = self.budget.limit().seconds
        rounds = ROUNDS_NEEDED * self.generation.seconds_a_round
        if len(self.generation.cover.day) > MOST_ROWS:
            return False
        return left is None or rounds < GENERATION_SHARE * left

    def dive(self) -> None:
        """One way down from the linear program to a roster."""
        Dive(self.generation).run()

    def improve(self) -> bool:
        """A dive or a sweep, what serves this problem; False when neither does."""
        if self.complete:
            self.dive()
        elif self.sweeps is not None:
            self.sweeps.run(1)
        return self.complete or self.sweeps is not None

    def margins(self) -> Margins | None:
        """How far each cell is from the bound; None when that is not known."""
        if self.generation.centre is None or self.over():
            return None
        margins = Margins(self.generation)
        return margins if margins.measure() else None

    def recreate(self, seed: int) -> Recreate:
        """Local search over windows of days."""
        return Recreate(self.generation.people, self.generation.cover, seed)

    def recreated(self, recreate: Recreate) -> float:
        """Some people out of a window and back, many times; the effort of it."""
        base = self.best.grid
        recreate.start(np.array(base.cells))
        effort = recreate.run(self.over, TRIES_AT_ONCE)
        self.budget.spend(effort)
        if recreate.cost <= self.best.verdict.cost:
            self.best.offer(Grid(recreate.grid.tolist(), {}), base)
        return effort
