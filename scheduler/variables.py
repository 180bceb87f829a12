"""Decision variables of a roster, or of the part of one that is free.

What is not free is a constant taken from a base roster, so that the same constraint methods
serve the full model, a neighbourhood and a single person's line.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from ortools.sat.python import cp_model

from scheduler.problem import Post, RosterProblem

OFF = -1
Literal: TypeAlias = Any  # a BoolVar or its negation, whose classes OR-Tools does not type
Cell: TypeAlias = tuple[int, int]


Held: TypeAlias = dict[tuple[int, int], tuple[int, ...]]  # (post, day) to holders


class Grid:
    """A roster by position: shift (or `OFF`) per agent and day, and the holders of posts."""

    def __init__(
        self, cells: list[list[int]], held: dict[tuple[int, int], tuple[int, ...]]
    ) -> None:
        self.cells = cells
        self.held = held

    def same_as(self, other: Grid) -> bool:
        """Whether both say the same."""
        return self.cells == other.cells and self.held == other.held

    @classmethod
    def empty(cls, problem: RosterProblem) -> Grid:
        """Everybody off, every post empty, but for what is locked."""
        look = problem.lookup
        cells = [[OFF] * look.n_days for _ in range(look.n_agents)]
        for (a, d), s in look.locked.items():
            cells[a][d] = OFF if s is None else s
        held: Held = {}
        numbers = {post.id: p for p, post in enumerate(problem.posts)}
        for lock in problem.post_locks:
            place = numbers[lock.post], look.day[lock.date]
            held[place] = (*held.get(place, ()), look.agent[lock.agent])
        return cls(cells, held)

    def copy(self) -> Grid:
        return Grid([line[:] for line in self.cells], dict(self.held))


@dataclass(frozen=True, slots=True)
class Narrow:
    """Cells worth a look: (agents, days, shifts) and days off, (agents, days); both bool."""

    allowed: np.ndarray[Any, Any]
    may_rest: np.ndarray[Any, Any]

    def with_cells_of(self, grid: Grid) -> Narrow:
        """These and the cells of a grid."""
        cells, allowed = np.array(grid.cells), self.allowed.copy()
        agents, days = np.nonzero(cells >= 0)
        allowed[agents, days, cells[agents, days]] = True
        return Narrow(allowed, self.may_rest | (cells < 0))


class Variables:
    """One literal per free cell and allowed shift, one for being off; literals for posts.

    Parameters
    ----------
    free : set of (agent, day), optional
        Cells to decide; by default all of them. Costs that no free cell touches are left out.
    narrow : Narrow, optional
        Shifts and days off to consider, where fewer than those allowed.
    """

    def __init__(
        self,
        model: cp_model.CpModel,
        problem: RosterProblem,
        base: Grid,
        free: set[Cell] | None,
        narrow: Narrow | None = None,
    ) -> None:
        look = problem.lookup
        self.model, self.problem, self.look, self.base = model, problem, look, base
        everything = ((a, d) for a in range(look.n_agents) for d in range(look.n_days))
        self.narrow = narrow
        self.free: set[Cell] = set(everything if free is None else free)
        self.whole = free is None
        self.free_days: dict[int, list[int]] = {}
        self.free_agents: dict[int, list[int]] = {}
        for a, d in sorted(self.free):
            self.free_days.setdefault(a, []).append(d)
            self.free_agents.setdefault(d, []).append(a)
        self.alone = not self.whole and len(self.free_days) == 1  # one person's cells
        self.cell: dict[Cell, dict[int, Literal]] = {}
        self.off: dict[Cell, Literal] = {}
        for a, days in self.free_days.items():
            for d in days:
                self._add_cell(a, d)
        self._works_any: dict[tuple[int, tuple[int, ...]], Literal | int] = {}
        self._sets: dict[tuple[int, int, frozenset[int]], Literal] = {}
        # literals that stand for others, by index: whether their sum, else whether any is true
        self.derived: dict[int, tuple[bool, list[Literal]]] = {}
        self._settled: dict[tuple[int, ...], Counter[tuple[int, int]]] = {}
        self.holds: dict[tuple[int, int, int], Literal] = {}
        for p, post in enumerate(problem.posts):
            self._add_post(p, post)

    def _add_cell(self, a: int, d: int) -> None:
        shifts = self.look.allowed[a][d]
        if (a, d) in self.look.locked:
            self.cell[a, d] = {s: self.model.new_constant(1) for s in shifts}
            self.off[a, d] = self.model.new_constant(0 if shifts else 1)
            return
        rests = True
        if self.narrow is not None:
            shifts = tuple(s for s in shifts if self.narrow.allowed[a, d, s])
            rests = bool(self.narrow.may_rest[a, d])
        self.cell[a, d] = {s: self.model.new_bool_var("") for s in shifts}
        self.off[a, d] = self.model.new_bool_var("") if rests else self.model.new_constant(0)
        self.model.add_exactly_one([self.off[a, d], *self.cell[a, d].values()])

    def _add_post(self, p: int, post: Post) -> None:
        locked = {
            (self.look.agent[lock.agent], self.look.day[lock.date])
            for lock in self.problem.post_locks
            if lock.post == post.id
        }
        for date in post.days:
            d = self.look.day[date]
            for a in range(self.look.n_agents):
                if (a, d) not in self.free:
                    continue
                if (a, d) in locked:
                    self.holds[p, d, a] = self.model.new_constant(1)
                elif self.look.may_hold(a, post, d) is None:
                    self.holds[p, d, a] = self.model.new_bool_var("")

    def on(self, a: int, d: int, s: int) -> Literal | int:
        """Whether the agent has that shift: a literal, or 0 or 1 where it is settled."""
        if (a, d) in self.free:
            return self.cell[a, d].get(s, 0)
        return int(self.settled(a, d) == s)

    def settled(self, a: int, d: int) -> int:
        """The shift of a cell that is not free; history for days before the first."""
        if d < 0:
            return self.look.history.get((a, d), OFF)
        return self.base.cells[a][d]

    def on_shift(self, agents: tuple[int, ...], d: int, s: int) -> tuple[list[Literal], int]:
        """Who of the agents may have the shift that day, and how many settledly do."""
        if agents not in self._settled:
            self._settled[agents] = Counter(
                (day, shift)
                for a in agents
                for day, shift in enumerate(self.base.cells[a])
                if (a, day) not in self.free
            )
        there = [
            self.cell[a, d][s]
            for a in self.free_agents.get(d, ())
            if s in self.cell[a, d] and a in agents
        ]
        return there, self._settled[agents][d, s]

    def candidates(self, d: int, s: int) -> Iterator[tuple[int, Literal | int]]:
        """Everybody who has, or may have, the shift that day, with whether that is so."""
        for a in self.free_agents.get(d, ()):
            if s in self.cell[a, d]:
                yield a, self.cell[a, d][s]
        for a in self._settled_on.get((d, s), ()):
            yield a, 1

    @cached_property
    def _settled_on(self) -> dict[tuple[int, int], list[int]]:
        """Who settledly has a shift on a day, history included."""
        found: dict[tuple[int, int], list[int]] = defaultdict(list)
        for (a, d), s in self.look.history.items():
            found[d, s].append(a)
        for a, line in enumerate(self.base.cells):
            for d, s in enumerate(line):
                if s != OFF and (a, d) not in self.free:
                    found[d, s].append(a)
        return found

    def on_any(self, a: int, d: int, shifts: Iterable[int]) -> list[Literal | int]:
        """Terms whose sum tells whether the agent has one of the shifts."""
        if (a, d) in self.free:
            cell = self.cell[a, d]
            return [cell[s] for s in shifts if s in cell]
        return [1] if self.settled(a, d) in shifts else []

    def works(self, a: int, d: int) -> Literal | int:
        """Whether the agent has any shift that day."""
        if (a, d) in self.free:
            return self.off[a, d].negated()
        return int(self.settled(a, d) != OFF)

    def rests(self, a: int, d: int) -> Literal | int:
        """Whether the agent is off that day."""
        if (a, d) in self.free:
            return self.off[a, d]
        return int(self.settled(a, d) == OFF)

    def in_set(self, a: int, d: int, shifts: frozenset[int]) -> Literal | int:
        """Whether the agent has one of the shifts, as a single literal."""
        if (a, d) not in self.free:
            return int(self.settled(a, d) in shifts)
        cell = self.cell[a, d]
        inside = [literal for s, literal in cell.items() if s in shifts]
        if len(inside) == len(cell):
            return self.works(a, d)
        if len(inside) <= 1:
            return inside[0] if inside else 0
        key = (a, d, shifts)
        if key not in self._sets:
            literal = self.model.new_bool_var("")
            self.model.add(sum(inside) == literal)
            self._sets[key] = literal
            self.derived[literal.index] = True, inside
        return self._sets[key]

    def weekend(self, a: int, number: int) -> Literal | int:
        """Whether the agent works on the weekend of that number."""
        return self.works_any(a, tuple(self.look.weekends[number]))

    def works_any(self, a: int, days: tuple[int, ...]) -> Literal | int:
        """Whether the agent works on any of the days."""
        if (a, days) not in self._works_any:
            self._works_any[a, days] = self._either([self.works(a, d) for d in days])
        return self._works_any[a, days]

    def _either(self, literals: list[Literal | int]) -> Literal | int:
        open_ones = [x for x in literals if not isinstance(x, int)]
        if any(x == 1 for x in literals if isinstance(x, int)):
            return 1
        if len(open_ones) <= 1:
            return open_ones[0] if open_ones else 0
        either = self.model.new_bool_var("")
        for literal in open_ones:
            self.model.add_implication(literal, either)
        self.model.add_bool_or([*open_ones, either.negated()])
        self.derived[either.index] = False, open_ones
        return either

    def holder(self, p: int, d: int, a: int) -> Literal | int:
        """Whether the agent holds post number `p` that day."""
        if (a, d) in self.free:
            return self.holds.get((p, d, a), 0)
        return int(a in self.base.held.get((p, d), ()))
