"""Where the breaks of a roster lie best: moved within their windows so that cover suffers least.

The duties that begin on one day are placed together, exactly: people alike (the same shift, able
to serve the same covers throughout) are counted, not named, so the model stays small whatever the
size of the team (implicit break placement after Aykin 1996). Days are placed one after the other,
each beside the breaks already placed; only a duty over midnight makes that an approximation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeAlias

from ortools.sat.python import cp_model

from scheduler import flow
from scheduler.problem import RosterProblem, Shift
from scheduler.problem.lookup import Slot
from scheduler.problem.parts import DAY_MINUTES
from scheduler.problem.pauses import placements
from scheduler.solution import Roster
from scheduler.verify import verify

MOST_WAYS = 200  # ways to place the breaks of one shift that are tried
EFFORT = 0.5  # deterministic units a day
_Duty: TypeAlias = tuple[int, int, tuple[int, ...] | None]  # day, shift, where its breaks begin


@dataclass(frozen=True)
class _Group:
    """People alike on a day: their shift, the ways to place its breaks, and who they are."""

    shift: Shift
    ways: list[tuple[int, ...]]
    agents: list[int]


def has_movable_breaks(problem: RosterProblem) -> bool:
    """Whether where breaks lie is open, and matters."""
    movable = (pause.movable for work in problem.shifts for pause in work.breaks)
    return bool(problem.interval_cover) and any(movable)


def without_movable_breaks(problem: RosterProblem) -> RosterProblem:
    """A problem in which no roster costs more than in this, wherever its breaks are placed.

    Nobody takes the breaks that can be moved, and nobody is too many: a bound for it is a bound
    for this.
    """
    shifts = tuple(
        replace(
            work,
            minutes=work.work_minutes,
            breaks=tuple(pause for pause in work.breaks if not pause.movable),
            min_stretch=0,
            max_stretch=None,
        )
        for work in problem.shifts
    )
    covers = tuple(replace(cover, over_weight=0) for cover in problem.interval_cover)
    return replace(problem, shifts=shifts, interval_cover=covers)


def place_breaks(problem: RosterProblem, roster: Roster, effort: float = EFFORT) -> Roster:
    """The roster with its breaks placed; never dearer, and the same where nothing can be gained.

    Parameters
    ----------
    effort : float
        Limit for each day, in the solver's deterministic units: the same input, the same breaks.
    """
    if not has_movable_breaks(problem):
        return roster
    start = replace(roster, breaks={})
    placed = start
    for day in problem.days:
        placed = _placed(problem, placed, day.date, effort)
    return min((roster, start, placed), key=lambda one: _merit(problem, one))


def _merit(problem: RosterProblem, roster: Roster) -> tuple[int, int]:
    verdict = verify(problem, roster)
    return len(verdict.violations), verdict.cost


def _placed(problem: RosterProblem, roster: Roster, day: date, effort: float) -> Roster:
    look = problem.lookup
    groups = _groups(problem, roster, day)
    first, last = look.day[day], look.day[day] + 2
    slots = [slot for slot in look.slots if first <= slot.day <= last]
    if not groups or not slots:
        return roster
    chosen = _Model(problem, roster, day, groups, slots).solve(effort)
    breaks = dict(roster.breaks)
    for group, counts in zip(groups, chosen, strict=True):
        people = iter(group.agents)
        for way, number in zip(group.ways, counts, strict=True):
            for a in (next(people) for _ in range(number)):
                if way != group.ways[0]:
                    breaks[problem.agents[a].id, day] = way
    return replace(roster, breaks=breaks)


def _groups(problem: RosterProblem, roster: Roster, day: date) -> list[_Group]:
    """Who works a shift with movable breaks on the day, by what they can do."""
    look = problem.lookup
    d = look.day[day]
    asks = {
        slot.like: [problem.interval_cover[n] for n in slot.covers]
        for slot in look.slots
        if d <= slot.day <= d + 2
    }
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for a, person in enumerate(problem.agents):
        shift = roster.shift(person.id, day)
        if shift is not None:
            s = look.shift[shift]
            alike[s, *(look.masks(covers)[a][s] for covers in asks.values())].append(a)
    ways = [placements(work, problem.slot_minutes, MOST_WAYS) for work in problem.shifts]
    return [
        _Group(problem.shifts[s], ways[s], agents)
        for (s, *_), agents in sorted(alike.items(), key=lambda item: item[1])
        if isinstance(s, int) and len(ways[s]) > 1
    ]


class _Model:
    """How many of each group take their breaks in which way."""

    def __init__(
        self,
        problem: RosterProblem,
        roster: Roster,
        day: date,
        groups: Sequence[_Group],
        slots: Sequence[Slot],
    ) -> None:
        self.problem, self.look, self.groups = problem, problem.lookup, groups
        self.day = self.look.day[day]
        self.model = cp_model.CpModel()
        self._working: dict[tuple[str, int, int], list[int]] = {}
        self._terms: list[Any] = []
        self._weights: list[int] = []
        self.counts = [
            [self.model.new_int_var(0, len(group.agents), "") for _ in group.ways]
            for group in groups
        ]
        for group, counts in zip(groups, self.counts, strict=True):
            self.model.add(cp_model.LinearExpr.sum(counts) == len(group.agents))
            for n, number in enumerate(counts):
                self.model.add_hint(number, len(group.agents) if n == 0 else 0)
        self.others = self._settled(roster)
        for slot in slots:
            self._slot(slot)

    def _settled(self, roster: Roster) -> dict[_Duty, list[int]]:
        """Who else works about the day, by day, shift and breaks."""
        look = self.look
        open_agents = {a for group in self.groups for a in group.agents}
        found: dict[_Duty, list[int]] = defaultdict(list)
        for (name, on), shift in roster.cells.items():
            a, d = look.agent[name], look.day[on]
            if abs(d - self.day) <= 2 and not (d == self.day and a in open_agents):
                found[d, look.shift[shift], roster.breaks.get((name, on))].append(a)
        for (a, d), s in look.history.items():
            if d >= self.day - 2:
                found[d, s, None].append(a)
        return found

    def charge(self, weight: int, item: Any) -> None:
        """Add a term to the cost."""
        if weight:
            self._terms.append(item)
            self._weights.append(weight)

    def _slot(self, slot: Slot) -> None:
        present = [self._present(slot, group) for group in self.groups]
        if all(len(ways) in (0, len(g.ways)) for ways, g in zip(present, self.groups, strict=True)):
            return  # nothing here depends on where breaks lie
        covers = [self.problem.interval_cover[n] for n in slot.covers]
        masks = self.look.masks(covers)
        settled: dict[int, int] = defaultdict(int)
        for (d, s, starts), agents in self.others.items():
            if self._works(self.problem.shifts[s], starts, slot, d):
                for a in agents:
                    settled[masks[a][s]] += 1
        open_terms: dict[int, list[Any]] = defaultdict(list)
        most: dict[int, int] = defaultdict(int, settled)
        for group, ways, counts in zip(self.groups, present, self.counts, strict=True):
            mask = masks[group.agents[0]][self.look.shift[group.shift.id]]
            open_terms[mask] += [counts[n] for n in ways]
            most[mask] += len(group.agents) if ways else 0
        people = {
            mask: (cp_model.LinearExpr.sum(open_terms[mask]) + settled[mask], most[mask])
            for mask in sorted({*open_terms, *settled})
            if most[mask]
        }
        for n, cover in enumerate(covers):
            if not cover.exclusive:
                able = [people[mask] for mask in people if mask >> n & 1]
                here = cp_model.LinearExpr.sum([expression for expression, _ in able])
                present_now = (here, sum(number for _, number in able))
                flow.count(self.model, self.charge, cover, present_now)
        self._together(slot, people)

    def _together(self, slot: Slot, people: dict[int, flow.People]) -> None:
        """The covers that have each person to themselves."""
        covers = [self.problem.interval_cover[n] for n in slot.covers]
        places = [n for n, cover in enumerate(covers) if cover.exclusive]
        if not places:
            return
        kinds: dict[int, tuple[list[Any], int]] = {}
        for mask, (expression, most) in people.items():
            own = sum((mask >> n & 1) << i for i, n in enumerate(places))
            expressions, before = kinds.get(own, ([], 0))
            kinds[own] = [*expressions, expression], before + most
        kinds.pop(0, None)
        summed = {own: (cp_model.LinearExpr.sum(e), most) for own, (e, most) in kinds.items()}
        flow.serve(self.model, self.charge, [covers[n] for n in places], summed)

    def _present(self, slot: Slot, group: _Group) -> list[int]:
        """Ways of the group in which its people work through the slot."""
        key = group.shift.id, slot.day, slot.start
        if key not in self._working:
            self._working[key] = [
                n
                for n, way in enumerate(group.ways)
                if self._works(group.shift, way, slot, self.day)
            ]
        return self._working[key]

    def _works(self, shift: Shift, starts: tuple[int, ...] | None, slot: Slot, day: int) -> bool:
        start = slot.start + (slot.day - day) * DAY_MINUTES
        end = start + self.problem.slot_minutes
        if starts is None or not (shift.start <= start and end <= shift.end):
            return shift.present(start, end)
        lengths = (pause.end - pause.start for pause in shift.breaks)
        return all(
            begin + length <= start or end <= begin
            for begin, length in zip(starts, lengths, strict=True)
        )

    def solve(self, effort: float) -> list[list[int]]:
        """Least cost first, then as few breaks moved as can be; as they lie where none is found."""
        price = sum(len(group.agents) for group in self.groups) + 1
        moved_ones = [number for counts in self.counts for number in counts[1:]]
        self.model.minimize(
            cp_model.LinearExpr.weighted_sum(
                [*self._terms, *moved_ones],
                [*(price * weight for weight in self._weights), *([1] * len(moved_ones))],
            )
        )
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.max_deterministic_time = effort
        status = solver.solve(self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return [[len(g.agents), *([0] * (len(g.ways) - 1))] for g in self.groups]
        return [[solver.value(number) for number in counts] for counts in self.counts]
