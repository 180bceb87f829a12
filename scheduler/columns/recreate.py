"""Local search: take some people out of a window of days and put each back where best.

Each comes back with her best line within the window beside all others, found exactly by dynamic
programming; a change that costs no more is kept. (Ruin and recreate, Schrimpf et al. 2000.)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scheduler.columns.cover import Cover
from scheduler.columns.generation import EFFORT_PER_STEP
from scheduler.columns.kernel import Array
from scheduler.columns.people import People
from scheduler.columns.pricing import Habit, Pricer
from scheduler.columns.window import slice_of

LENGTHS = (7, 10, 14, 21, 28, 42)
MOST_PEOPLE = 10
BY_COST = 0.7
EFFORT_PER_TRY = 2e-3


class Recreate:
    """The search from one roster onwards."""

    def __init__(self, people: People, cover: Cover, seed: int) -> None:
        self.people, self.cover = people, cover
        self.rng = np.random.default_rng(seed)
        self.pricer = Pricer(people.units)
        self.n, self.days = len(people.persons), people.size[0]

    def start(self, grid: Array) -> None:
        """Search on from this roster."""
        self.grid = grid.copy()
        self.counts = self.cover.counts(grid)
        self.cost = self.cover.total(self.people, grid)

    def run(self, over: Callable[[], bool], tries: int) -> float:
        """So many tries; the effort they took."""
        for _ in range(tries):
            if over():
                break
            self.step()
        steps, self.pricer.effort = self.pricer.effort, 0
        return EFFORT_PER_STEP * steps + EFFORT_PER_TRY * tries

    def step(self) -> None:
        """One window, some people; kept when it costs no more."""
        window = self._window()
        part, rows = self.cover.within(window)
        days = slice(window.start, window.stop)
        counts, chosen = self.counts[rows].copy(), self._chosen(window)
        change = -int(part.cost(counts).sum())
        for a in chosen:
            counts -= part.hits(a, self.grid[a, days])
            change -= self.people.wishes(a, self.grid[a, days], window.start)
        lines = []
        for a in chosen:
            line = self._back(a, window, part, counts)
            if line is None:
                return
            counts += part.hits(a, line)
            change += self.people.wishes(a, line, window.start)
            lines.append(line)
        change += int(part.cost(counts).sum())
        if change <= 0:
            self.counts[rows] = counts
            self.cost += change
            for a, line in zip(chosen, lines, strict=True):
                self.grid[a, days] = line

    def _back(self, a: int, window: range, part: Cover, counts: Array) -> Array | None:
        """A person's best line within the window beside all who are there."""
        piece = slice_of(self.people, a, self.grid[a], window)
        costs = piece.person.costs.copy()
        inside = slice(window.start - piece.first, window.stop - piece.first)
        costs[inside] += part.cells(part.one_more(counts), a)
        found = self.pricer.price(piece.person, Habit.of(piece.person), costs, piece.opens)
        return None if found.line is None else found.line[inside]

    def _window(self) -> range:
        length = min(int(self.rng.choice(LENGTHS)), self.days)
        centre = int(self.rng.integers(self.days))
        if self.rng.random() < BY_COST:
            costs = self.cover.cost(self.counts)
            if costs.sum() > 0:
                row = self.rng.choice(len(costs), p=costs / costs.sum())
                centre = int(self.cover.day[row])
        start = int(np.clip(centre - self.rng.integers(length), 0, self.days - length))
        return range(start, start + length)

    def _chosen(self, window: range) -> list[int]:
        count = min(self.n, int(self.rng.integers(1, MOST_PEOPLE + 1)))
        return [int(a) for a in self.rng.choice(self.n, count, replace=False)]
