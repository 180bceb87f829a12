"""Tables derived from a problem, by position: what judge, model and explanations all read.

Days before the first have negative positions: the day before it is -1.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from scheduler.problem.parts import (
    DAY_MINUTES,
    WORKING_DAY_TYPES,
    Agent,
    Grade,
    IntervalCover,
    Post,
    Restriction,
    Shift,
    grade_rank,
)
from scheduler.problem.rules import Period, Rule

if TYPE_CHECKING:
    from scheduler.problem.problem import RosterProblem

SATURDAY = 5
Present: TypeAlias = tuple[tuple[int, int], ...]  # (day, shift) pairs
SlotGroup: TypeAlias = tuple[Present, tuple[int, ...], int]  # who, which covers, how many slots


class Lookup:
    """Positions of agents, days and shifts, what is allowed where, and calendar periods."""

    def __init__(self, problem: RosterProblem) -> None:
        self.problem = problem
        self.agent = {a.id: i for i, a in enumerate(problem.agents)}
        self.shift = {s.id: i for i, s in enumerate(problem.shifts)}
        self.day = {d.date: i for i, d in enumerate(problem.days)}
        self.minutes = [s.work_minutes for s in problem.shifts]
        self.n_agents, self.n_days = len(problem.agents), len(problem.days)
        self.n_shifts = len(problem.shifts)
        self._qualified: dict[tuple[str | None, Grade], tuple[int, ...]] = {}
        self._serving: dict[tuple[object, ...], list[list[bool]]] = {}
        self.known = range(-problem.history_days, self.n_days)

    def date_of(self, day: int) -> date:
        """The date of a day's position; also before the first day and after the last."""
        return self.problem.days[0].date + timedelta(days=day)

    def weekday(self, day: int) -> int:
        """0 is Monday."""
        return self.date_of(day).weekday()

    def clip(self, first: date, last: date) -> range:
        """Positions of the problem's days from `first` to `last`, both included."""
        origin = self.problem.days[0].date
        return range(max(0, (first - origin).days), min(self.n_days, (last - origin).days + 1))

    @cached_property
    def history(self) -> dict[tuple[int, int], int]:
        """Shift worked by (agent, day) before the first day."""
        first = self.problem.days[0].date
        return {
            (self.agent[past.agent], (past.date - first).days): self.shift[past.shift]
            for past in self.problem.history
        }

    @cached_property
    def on_leave(self) -> frozenset[tuple[int, int]]:
        """(agent, day) on leave."""
        return frozenset(
            (self.agent[absence.agent], day)
            for absence in self.problem.leave
            for day in self.clip(absence.first, absence.last)
        )

    @cached_property
    def locked(self) -> dict[tuple[int, int], int | None]:
        """Shift, or None for off, of each locked (agent, day)."""
        return {
            (self.agent[lock.agent], self.day[lock.date]): (
                None if lock.shift is None else self.shift[lock.shift]
            )
            for lock in self.problem.locks
        }

    @cached_property
    def working_days(self) -> list[int]:
        """Positions of workdays and make-up workdays."""
        return [i for i, d in enumerate(self.problem.days) if d.type in WORKING_DAY_TYPES]

    def contract_minutes(self, agent: int, days: range | None = None) -> int:
        """Contract minutes of the agent over the problem's days, or those of `days`."""
        inside = range(self.n_days) if days is None else days
        working = sum((agent, d) not in self.on_leave for d in self.working_days if d in inside)
        return working * self.problem.agents[agent].day_minutes

    def members(self, rule: Rule) -> list[int]:
        """Positions of the agents a rule is about, in the order it names them."""
        if rule.agents is None:
            return list(range(self.n_agents))
        return [self.agent[name] for name in rule.agents]

    def shift_set(self, names: tuple[str, ...]) -> frozenset[int]:
        """Positions of the named shifts; all shifts when none is named."""
        return frozenset(self.shift[n] for n in names) if names else frozenset(range(self.n_shifts))

    def periods(self, period: Period, window: int) -> list[tuple[range, bool]]:
        """The spans of known days a rule counts in, and whether each is wholly known."""
        known, n = self.known, self.n_days
        if period == "horizon":
            return [(range(n), True)]
        if period == "day":
            return [(range(d, d + 1), True) for d in range(n)]
        if period == "rolling":
            starts = range(known.start, n - window + 1)
            return [(range(s, s + window), True) for s in starts if s + window > 0]
        spans: dict[object, list[int]] = defaultdict(list)
        for d in known:
            day = self.date_of(d)
            spans[day.isocalendar()[:2] if period == "week" else (day.year, day.month)].append(d)
        return [
            (range(days[0], days[-1] + 1), self._whole(days, period))
            for days in spans.values()
            if days[-1] >= 0
        ]

    def _whole(self, days: list[int], period: Period) -> bool:
        if period == "week":
            return len(days) == 7
        before, after = self.date_of(days[0] - 1), self.date_of(days[-1] + 1)
        inside = self.date_of(days[0])
        return before.month != inside.month and after.month != inside.month

    def serving(self, cover: IntervalCover) -> list[list[bool]]:
        """Whether an agent (row) on a shift (column) counts for the cover.

        Kept by what the cover asks for: judge and model look here millions of times.
        """
        asks = (cover.skill, cover.min_grade, cover.site, cover.mode)
        found = self._serving.get(asks)
        if found is None:
            found = self._serving[asks] = [
                [_serves(person, work, cover) for work in self.problem.shifts]
                for person in self.problem.agents
            ]
        return found

    @cached_property
    def slot_groups(self) -> list[SlotGroup]:
        """Slots with interval cover, those with the same people and wants taken together."""
        covers = self.problem.interval_cover
        slots: dict[tuple[int, int], list[int]] = defaultdict(list)
        for n, cover in enumerate(covers):
            for start in range(cover.start, cover.end, self.problem.slot_minutes):
                slots[self.day[cover.date], start].append(n)
        first: dict[tuple[object, ...], tuple[int, ...]] = {}
        groups: dict[tuple[Present, tuple[int, ...]], int] = defaultdict(int)
        for (d, start), numbers in sorted(slots.items()):
            present = self._present(d, start)
            like = (present, tuple(_wants(covers[n]) for n in numbers))
            groups[present, first.setdefault(like, tuple(numbers))] += 1
        return [(present, numbers, times) for (present, numbers), times in groups.items()]

    def _present(self, day: int, start: int) -> Present:
        """The shifts, each with the day it starts on, whose people work through a slot."""
        end = start + self.problem.slot_minutes
        return tuple(
            (day - back, s)
            for back in range(3)
            if day - back in self.known
            for s, work in enumerate(self.problem.shifts)
            if work.present(start + back * DAY_MINUTES, end + back * DAY_MINUTES)
        )

    @cached_property
    def weekends(self) -> list[list[int]]:
        """Days of each weekend that touches the problem's days."""
        found: dict[int, list[int]] = defaultdict(list)
        for d in range(self.n_days):
            if self.weekday(d) >= SATURDAY:
                found[d - self.weekday(d)].append(d)
        return list(found.values())

    def qualified(self, skill: str | None, grade: Grade) -> tuple[int, ...]:
        """Agents with the skill (None: any) and at least the grade."""
        key = (skill, grade)
        if key not in self._qualified:
            self._qualified[key] = tuple(
                a
                for a, person in enumerate(self.problem.agents)
                if (skill is None or skill in person.skills)
                and grade_rank(person.grade) >= grade_rank(grade)
            )
        return self._qualified[key]

    def barred(self, agent: int, day: int, shift: int) -> str | None:
        """Why the agent cannot have the shift that day at all, as a code; None when possible.

        Locks are looked at elsewhere: a lock does not make a duty lawful.
        """
        person, work = self.problem.agents[agent], self.problem.shifts[shift]
        if (agent, day) in self.on_leave:
            return "leave"
        static = self._barred_from[agent].get(shift)
        if static is not None:
            return static
        if (agent, day, shift) in self._forbidden or (agent, day, None) in self._forbidden:
            return "forbidden"
        for restriction in person.restrictions:
            if restriction.first <= self.date_of(day) <= restriction.last and self._protects(
                restriction, person, work, day
            ):
                return restriction.kind
        return None

    @cached_property
    def _barred_from(self) -> list[dict[int, str]]:
        return [
            {
                s: reason
                for s, work in enumerate(self.problem.shifts)
                if (reason := _unfit(person, work)) is not None
            }
            for person in self.problem.agents
        ]

    @cached_property
    def _forbidden(self) -> frozenset[tuple[int, int, int | None]]:
        return frozenset(
            (
                self.agent[item.agent],
                self.day[item.date],
                None if item.shift is None else self.shift[item.shift],
            )
            for item in self.problem.forbidden
        )

    def _protects(self, restriction: Restriction, person: Agent, work: Shift, day: int) -> bool:
        holiday = self.problem.days[day].type == "statutory_holiday"
        if restriction.kind == "no_nights":
            return work.night
        if restriction.kind == "no_overtime":
            return holiday or work.work_minutes > person.day_minutes
        return holiday

    @cached_property
    def allowed(self) -> list[list[tuple[int, ...]]]:
        """Shifts the agent could have, by agent and day; a lock leaves only the locked one."""
        return [[self._allowed(a, d) for d in range(self.n_days)] for a in range(self.n_agents)]

    def _allowed(self, agent: int, day: int) -> tuple[int, ...]:
        if (agent, day) in self.locked:
            shift = self.locked[agent, day]
            return () if shift is None else (shift,)
        if (agent, day) in self.on_leave:
            return ()
        return tuple(s for s in range(self.n_shifts) if self.barred(agent, day, s) is None)

    def may_hold(self, agent: int, post: Post, day: int) -> str | None:
        """Why the agent cannot hold the post that day, as a code; None when possible."""
        person = self.problem.agents[agent]
        if (agent, day) in self.on_leave:
            return "leave"
        if grade_rank(person.grade) < grade_rank(post.min_grade):
            return "grade"
        if post.skill is not None and post.skill not in person.skills:
            return "skill"
        if post.shifts and not any(self.shift[s] in self.allowed[agent][day] for s in post.shifts):
            return "shift"
        return None


def _serves(person: Agent, work: Shift, cover: IntervalCover) -> bool:
    if work.mode == "standby" or cover.mode not in (None, work.mode):
        return False
    if cover.site is not None:
        here = cover.site == work.site if work.site is not None else cover.site in person.sites
        if not here:
            return False
    skilled = cover.skill is None or cover.skill in person.skills
    return skilled and grade_rank(person.grade) >= grade_rank(cover.min_grade)


def _unfit(person: Agent, work: Shift) -> str | None:
    if person.shifts is not None and work.id not in person.shifts:
        return "shift"
    if work.site is not None and person.sites and work.site not in person.sites:
        return "site"
    if any(skill not in person.skills for skill in work.skills):
        return "skill"
    if grade_rank(person.grade) < grade_rank(work.min_grade):
        return "grade"
    return None


def _wants(cover: IntervalCover) -> tuple[object, ...]:
    """What makes two covers of different slots alike."""
    return (
        cover.desired, cover.minimum, cover.under_weight, cover.minimum_weight, cover.over_weight,
        cover.skill, cover.min_grade, cover.site, cover.mode, cover.exclusive,
    )  # fmt: skip
