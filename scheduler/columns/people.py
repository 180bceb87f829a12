"""A problem as column generation sees it: what each person may do, and what the cells cost."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from scheduler.columns.kernel import Array
from scheduler.problem import RosterProblem
from scheduler.problem import rules as r


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many of some shifts in a person's line; without shifts, so many weekends."""

    shifts: Array | None  # (shifts,) bool
    most: int

    def used(self, line: Array, opens: Array) -> int:
        """How much of it a line takes."""
        if self.shifts is None:
            return weekends_worked(line, opens)
        return int(self.shifts[line[line >= 0]].sum())

    def takes(self, shift: int, opening: bool) -> int:
        """How much one more shift takes."""
        return int(opening if self.shifts is None else self.shifts[shift])


@dataclass(frozen=True, slots=True)
class Person:
    """The rules of one person's line, as arrays for the kernel.

    `costs` are those of wishes only, per day and shift; `steps` tells how long the kernel takes
    while it counts nothing.
    """

    costs: Array
    allowed: Array
    may_rest: Array
    group_of: Array
    before: Array
    longest: int
    shortest: int
    least_off: int
    low: Array
    high: Array
    caps: tuple[Cap, ...]
    steps: int

    def over(self, line: Array, opens: Array) -> Array:
        """By how much a line is beyond each cap."""
        return np.array([cap.used(line, opens) - cap.most for cap in self.caps], np.int64)


def evenly(person: Person, room: int) -> Person | None:
    """The same person with her work spread about evenly; None where that leaves no lawful line.

    For long periods: a narrower choice is searched sooner, and leaves work for every season.

    Parameters
    ----------
    room : int
        Days of average work by which a line may run ahead or behind.
    """
    days = np.arange(len(person.low))
    slope = (person.low[-1] + person.high[-1]) / 2 / days[-1]
    ahead = room * person.high[-1] / days[-1]
    low = np.maximum(person.low, np.floor(slope * days - ahead).astype(np.int64))
    high = np.minimum(person.high, np.ceil(slope * days + ahead).astype(np.int64))
    low[-1], high[-1] = person.low[-1], person.high[-1]
    return replace(person, low=low, high=high) if (low <= high).all() else None


def weekends_worked(line: Array, opens: Array) -> int:
    """Weekends with a duty."""
    on = line >= 0
    alone = on.copy()
    alone[1:] &= ~on[:-1]
    return int((on & (opens == 1)).sum() + (alone & (opens == 2)).sum())


@dataclass(frozen=True, slots=True)
class People:
    """Everybody's rules, and the tables they share."""

    persons: tuple[Person, ...]
    units: Array
    opens: Array
    constant: int  # cost of wishes that cells take off again

    @property
    def size(self) -> tuple[int, int]:
        """Days and shifts."""
        return self.opens.shape[0], self.units.shape[0]

    def wishes(self, a: int, line: Array, first: int = 0) -> int:
        """Cost of the wishes of person `a`'s line, or of a piece of it from day `first` on."""
        on = np.flatnonzero(line >= 0)
        return int(self.persons[a].costs[first + on, line[on]].sum())


class _Unfit(Exception):
    """The problem says something that a line alone cannot."""


def compiled(problem: RosterProblem) -> People | None:
    """The problem for column generation; None when its rules are not all of the kind it serves."""
    try:
        return _Compiler(problem).people()
    except _Unfit:
        return None


# what of a problem and of its rules is understood; anything else must be at its default
_PARTS = {"agents", "days", "shifts", "shift_cover", "rules", "requests", "preferences", "leave",
          "locks", "forbidden", "published", "pins", "slot_minutes", "name"}  # fmt: skip
_OF_ANY_RULE = {"name", "agents", "teams", "source"}
_RULES: dict[type, set[str]] = {
    r.ForbiddenSuccession: {"first", "then"},
    r.MinRest: {"minutes"},
    r.MaxConsecutive: {"days"},
    r.MinConsecutive: {"days"},
    r.MinDaysOff: {"days"},
    r.MaxWeekends: {"weekends"},
    r.ShiftLimit: {"shifts", "maximum"},
    r.MinutesLimit: {"period", "minimum", "maximum"},
}


def _beyond(item: Any, served: set[str]) -> bool:
    """Whether an item says anything in other fields than those served."""
    return any(
        field.name not in served and getattr(item, field.name) != field.default
        for field in fields(item)
    )


class _Compiler:
    def __init__(self, problem: RosterProblem) -> None:
        self.problem, self.look = problem, problem.lookup
        if _beyond(problem, _PARTS) or any(
            restriction.kind == "no_overtime"
            for agent in problem.agents
            for restriction in agent.restrictions
        ):
            raise _Unfit
        if any("overtime" in agent.declines for agent in problem.agents) or _shared(problem):
            raise _Unfit
        n, shape = self.look.n_agents, (self.look.n_days, self.look.n_shifts)
        self.excluded = np.zeros((n, self.look.n_shifts, self.look.n_shifts), bool)
        self.longest = np.full(n, self.look.n_days)
        self.shortest = np.ones(n, int)
        self.least_off = np.ones(n, int)
        self.weekends = np.full(n, len(self.look.weekends))
        self.caps: list[list[Cap]] = [[] for _ in range(n)]
        self.least: list[int] = [a.min_minutes or 0 for a in problem.agents]
        self.most: list[float] = [
            math.inf if a.max_minutes is None else a.max_minutes for a in problem.agents
        ]
        self.costs = np.zeros((n, *shape), np.int64)
        self.constant = 0
        self._exclude(0, list(range(n)))  # one duty at a time
        for rule in problem.rules:
            if type(rule) not in _RULES or _beyond(rule, _OF_ANY_RULE | _RULES[type(rule)]):
                raise _Unfit
            self._take(rule, self.look.members(rule))

    def _take(self, rule: r.Rule, members: list[int]) -> None:
        """One hard rule."""
        match rule:
            case r.ForbiddenSuccession():
                first = [self.look.shift[s] for s in rule.first]
                then = [self.look.shift[s] for s in rule.then]
                self.excluded[np.ix_(members, first, then)] = True
            case r.MinRest():
                self._exclude(rule.minutes, members)
            case r.MaxConsecutive():
                self.longest[members] = np.minimum(self.longest[members], rule.days)
                if rule.days < 1:
                    raise _Unfit
            case r.MinConsecutive():
                self.shortest[members] = np.maximum(self.shortest[members], self._days(rule.days))
            case r.MinDaysOff():
                self.least_off[members] = np.maximum(self.least_off[members], self._days(rule.days))
            case r.MaxWeekends():
                self.weekends[members] = np.minimum(self.weekends[members], rule.weekends)
            case r.ShiftLimit() if rule.maximum is not None:
                shifts = np.zeros(self.look.n_shifts, bool)
                shifts[[self.look.shift[s] for s in rule.shifts]] = True
                for a in members:
                    self.caps[a].append(Cap(shifts, rule.maximum))
            case r.MinutesLimit(period="horizon"):
                for a in members:
                    self.least[a] = max(self.least[a], rule.minimum or 0)
                    if rule.maximum is not None:
                        self.most[a] = min(self.most[a], rule.maximum)
            case _:
                raise _Unfit

    def _days(self, days: int) -> int:
        """A length of a run; beyond the problem's days they are all alike."""
        return min(days, self.look.n_days + 1)

    def _exclude(self, rest: int, members: list[int]) -> None:
        """Shifts too soon after another."""
        for gap, later in self.look.too_soon(rest):
            if gap > 1:
                raise _Unfit
            for s, excluded in later.items():
                self.excluded[np.ix_(members, [s], sorted(excluded))] = True

    def people(self) -> People:
        minutes = np.array(self.look.minutes)
        unit = math.gcd(*self.look.minutes) or 1
        self._wishes()
        units = minutes // unit
        opens = self._opens()
        persons = tuple(self._person(a, units, opens, unit) for a in range(self.look.n_agents))
        return People(persons, units, opens, self.constant)

    def _wishes(self) -> None:
        for wish in self.look.wishes:
            shifts = slice(None) if wish.shifts is None else sorted(wish.shifts)
            self.costs[wish.agent, wish.day, shifts] += -wish.weight if wish.on else wish.weight
            self.constant += wish.weight if wish.on else 0

    def _opens(self) -> Array:
        opens = np.zeros(self.look.n_days, np.int64)
        for days in self.look.weekends:
            opens[days[0]] = 1
            opens[days[1:]] = 2
        return opens

    def _person(self, a: int, units: Array, opens: Array, unit: int) -> Person:
        look = self.look
        allowed = np.zeros((look.n_days, look.n_shifts), bool)
        may_rest = np.ones(look.n_days, bool)
        for d, shifts in enumerate(look.allowed[a]):
            allowed[d, list(shifts)] = True
            may_rest[d] = look.locked.get((a, d)) is None
        follows = ~self.excluded[a]  # (first, then)
        before, group_of = np.unique(follows.T, axis=0, return_inverse=True)
        pattern = most_days(look.n_days, int(self.longest[a]), int(self.least_off[a]))
        largest = int(units[allowed.any(axis=0)].max(initial=0))
        most = int(min(self.most[a], look.n_days * largest * unit)) // unit
        high = np.minimum(pattern * largest, most)
        low = np.maximum(0, -(-self.least[a] // unit) - (pattern * largest)[::-1])
        steps = look.n_days * int(self.longest[a] * (high[-1] + 1)) * before.sum()
        return Person(
            costs=self.costs[a], allowed=allowed, may_rest=may_rest,
            group_of=group_of.reshape(-1).astype(np.int64), before=before,
            longest=int(self.longest[a]), shortest=int(self.shortest[a]),
            least_off=int(self.least_off[a]), low=low, high=high, caps=tuple(self._binding(a)),
            steps=int(steps),
        )  # fmt: skip

    def _binding(self, a: int) -> list[Cap]:
        """Weekends first, when their number is limited."""
        caps = [cap for cap in self.caps[a] if cap.most < self.look.n_days]
        if self.weekends[a] < len(self.look.weekends):
            caps.insert(0, Cap(None, int(self.weekends[a])))
        return caps


def most_days(n_days: int, longest: int, least_off: int) -> Array:
    """The most days that can be worked in any 0 … n days in a row."""
    days = np.arange(n_days + 1)
    cycle = longest + least_off
    return days // cycle * longest + np.minimum(days % cycle, longest)


def _shared(problem: RosterProblem) -> bool:
    """Whether people have to be shared out among covers of the same shift."""
    places = Counter((cover.date, cover.shift) for cover in problem.shift_cover)
    return any(c.exclusive and places[c.date, c.shift] > 1 for c in problem.shift_cover)
