"""A roster by position: one line of shifts per agent, history in front."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property

from scheduler.problem import Break, RosterProblem
from scheduler.problem.pauses import fault_of_breaks, moved
from scheduler.solution import Roster

OFF = -1


class Lines:
    """What each agent works on each known day, and which posts each holds.

    `shift(a, d)` is the shift's position or `OFF`; `d` is negative before the first day.
    """

    def __init__(self, problem: RosterProblem, roster: Roster) -> None:
        look = problem.lookup
        self.problem, self.look, self.extra = problem, look, roster.extra
        self._before = problem.history_days
        width = self._before + look.n_days
        self._lines = [[OFF] * width for _ in range(look.n_agents)]
        for (a, d), s in look.history.items():
            self._lines[a][d + self._before] = s
        for (agent, day), shift in roster.cells.items():
            self._lines[look.agent[agent]][look.day[day] + self._before] = look.shift[shift]
        self.held = [
            (post, look.day[day], [look.agent[name] for name in holders])
            for post in problem.posts
            for day in post.days
            if (holders := roster.posts.get((post.id, day), ()))
        ]
        self.shares: dict[int, dict[str, int]] = defaultdict(dict)  # counted once, by measure
        self.breaks = {
            (look.agent[agent], look.day[day]): starts
            for (agent, day), starts in roster.breaks.items()
        }

    def shift(self, agent: int, day: int) -> int:
        return self._lines[agent][day + self._before]

    def line(self, agent: int) -> list[int]:
        """The shifts of all known days, the first of them in front."""
        return self._lines[agent]

    def works(self, agent: int, day: int) -> bool:
        return self._lines[agent][day + self._before] != OFF

    def minutes(self, agent: int, days: range) -> int:
        """Minutes worked on the given days."""
        return sum(self.look.minutes[s] for _, s in self.duties(agent, days))

    def duties(self, agent: int, days: range) -> Iterator[tuple[int, int]]:
        """(day, shift) of each duty on the given days."""
        line, before = self._lines[agent], self._before
        for d in days:
            if line[d + before] != OFF:
                yield d, line[d + before]

    @cached_property
    def on_shift(self) -> dict[tuple[int, int], list[int]]:
        """Who has a shift on a day, history included, but for those in `rearranged`."""
        found: dict[tuple[int, int], list[int]] = defaultdict(list)
        for a in range(self.look.n_agents):
            for d, s in self.duties(a, self.look.known):
                if (a, d) not in self.rearranged:
                    found[d, s].append(a)
        return found

    @cached_property
    def rearranged(self) -> dict[tuple[int, int], tuple[int, tuple[Break, ...]]]:
        """Shift and breaks of the duties whose breaks the roster places, rightly."""
        shifts = self.problem.shifts
        return {
            (a, d): (s, moved(shifts[s], starts))
            for (a, d), starts in self.breaks.items()
            if fault_of_breaks(shifts[s := self.shift(a, d)], starts) is None
        }

    def runs(self, agent: int, shifts: frozenset[int]) -> Iterator[tuple[int, int]]:
        """First and last day of each longest run of known days on `shifts`."""
        start = None
        for d, shift in enumerate(self._lines[agent], -self._before):
            if shift in shifts:
                start = d if start is None else start
            elif start is not None:
                yield start, d - 1
                start = None
        if start is not None:
            yield start, self.look.n_days - 1
