"""What the cells are wanted for: cover of shifts, as convex costs of counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scheduler.columns.kernel import Array
from scheduler.columns.people import People
from scheduler.problem import RosterProblem


@dataclass(frozen=True, slots=True)
class Cover:
    """One row per cover of a problem, in order of days, all arrays by row.

    A count `n` costs ``under·max(0, desired − n) + dear·max(0, minimum − n) + over·max(0, n −
    most)``.
    """

    day: Array
    shift: Array
    desired: Array
    minimum: Array
    most: Array
    under: Array
    dear: Array
    over: Array
    members: Array  # (rows, agents) bool: who counts
    size: tuple[int, int]  # days, shifts

    @classmethod
    def of(cls, problem: RosterProblem) -> Cover:
        """The covers of a problem."""
        look = problem.lookup
        covers = sorted(problem.shift_cover, key=lambda cover: cover.date)
        members = np.zeros((len(covers), look.n_agents), bool)
        for n, cover in enumerate(covers):
            members[n, sorted(look.able(cover))] = True

        def numbers(name: str) -> Array:
            return np.array([getattr(cover, name) for cover in covers], np.int64)

        return cls(
            day=np.array([look.day[c.date] for c in covers], np.int64),
            shift=np.array([look.shift[c.shift] for c in covers], np.int64),
            desired=numbers("desired"), minimum=numbers("minimum"),
            most=numbers("most"), under=numbers("under_weight"),
            dear=numbers("minimum_weight"), over=numbers("over_weight"),
            members=members, size=(look.n_days, look.n_shifts),
        )  # fmt: skip

    def within(self, days: range, span: range | None = None) -> tuple[Cover, slice]:
        """The rows of some days, and where they stand here.

        Days are counted from the first of the span, which by default is these days.
        """
        span = span or days
        first, end = np.searchsorted(self.day, (days.start, days.stop))
        rows = slice(int(first), int(end))
        part = Cover(
            self.day[rows] - span.start, self.shift[rows], self.desired[rows], self.minimum[rows],
            self.most[rows], self.under[rows], self.dear[rows], self.over[rows],
            self.members[rows], (len(span), self.size[1]),
        )  # fmt: skip
        return part, rows

    def beside(self, others: Array, who: Array) -> Cover:
        """What some people are wanted for beside others who are there already (a count by row).

        Costs differ from those of all together by a constant.
        """
        return replace(
            self, desired=np.maximum(0, self.desired - others),
            minimum=np.maximum(0, self.minimum - others), most=np.maximum(0, self.most - others),
            members=self.members[:, who],
        )  # fmt: skip

    def cost(self, counts: Array) -> Array:
        """Cost of each row with so many people."""
        costs: Array = (
            self.under * np.maximum(0, self.desired - counts)
            + self.dear * np.maximum(0, self.minimum - counts)
            + self.over * np.maximum(0, counts - self.most)
        )
        return costs

    def one_more(self, counts: Array) -> Array:
        """What one more person in each row would add to the cost."""
        return self.cost(counts + 1) - self.cost(counts)

    def total(self, people: People, grid: Array) -> int:
        """Cost of a grid of lawful lines, wishes included."""
        wishes = sum(people.wishes(a, line) for a, line in enumerate(grid))
        return people.constant + wishes + int(self.cost(self.counts(grid)).sum())

    def counts(self, grid: Array) -> Array:
        """People found by each row in a grid (agents × days of shifts, -1 off)."""
        there = self.shift[:, None] == grid[:, self.day].T
        found: Array = (there & self.members).sum(axis=1)
        return found

    def hits(self, a: int, line: Array) -> Array:
        """Which rows a person's line counts for."""
        found: Array = (line[self.day] == self.shift) & self.members[:, a]
        return found

    def cells(self, prices: Array, a: int) -> Array:
        """Prices of the rows added up per (day, shift), for person `a`."""
        flat = np.bincount(
            self.day * self.size[1] + self.shift,
            weights=np.where(self.members[:, a], prices, 0),
            minlength=self.size[0] * self.size[1],
        )
        return np.rint(flat).astype(np.int64).reshape(self.size)

    def least(self, prices: Array, scale: int, short: int = 0) -> int:
        """The least of scale · cost + price · count over all counts, summed over the rows.

        `short` is taken off for each person short.
        """
        everybody = self.members.sum(axis=1)
        ends = (np.zeros_like(everybody), self.minimum, self.desired, self.most, everybody)
        counts = [np.minimum(end, everybody) for end in ends]
        costs = [
            scale * self.cost(n) + prices * n - short * np.maximum(0, self.desired - n)
            for n in counts
        ]
        return int(np.min(costs, axis=0).sum())

    @property
    def dearest(self) -> int:
        """The most that one more or one fewer person in a cell can cost."""
        worst = self.under + self.dear + self.over
        flat = np.bincount(self.day * self.size[1] + self.shift, weights=worst)
        return int(flat.max(initial=0))
