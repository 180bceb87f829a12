"""Who may have which shift or post on which day: positions, absences, protections, skills.

Days before the first have negative positions: the day before it is -1.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from scheduler.problem.parts import (
    DAY_MINUTES,
    FULL_LEVEL,
    Agent,
    Declined,
    Grade,
    Post,
    Restriction,
    RestrictionKind,
    Shift,
    grade_rank,
)

if TYPE_CHECKING:
    from scheduler.problem.problem import RosterProblem

DECLINED: dict[Declined, RestrictionKind] = {
    "nights": "no_nights",
    "overtime": "no_overtime",
    "standby": "no_standby",
}


class Eligibility:
    """Positions of agents, days and shifts, and what is allowed where."""

    def __init__(self, problem: RosterProblem) -> None:
        self.problem = problem
        self.agent = {a.id: i for i, a in enumerate(problem.agents)}
        self.shift = {s.id: i for i, s in enumerate(problem.shifts)}
        self.day = {d.date: i for i, d in enumerate(problem.days)}
        self.minutes = [s.work_minutes for s in problem.shifts]
        self.n_agents, self.n_days = len(problem.agents), len(problem.days)
        self.n_shifts = len(problem.shifts)
        self.known = range(-problem.history_days, self.n_days)
        self._able: dict[tuple[object, ...], tuple[int, ...]] = {}

    def date_of(self, day: int) -> date:
        """The date of a day's position; also before the first day and after the last."""
        if 0 <= day < self.n_days:
            return self.problem.days[day].date
        return self.problem.days[0].date + timedelta(days=day)

    def weekday(self, day: int) -> int:
        """0 is Monday."""
        return self.date_of(day).weekday()

    def clip(self, first: date | None, last: date | None) -> range:
        """Positions of the problem's days from `first` to `last`, both included; None is open."""
        origin = self.problem.days[0].date
        start = 0 if first is None else max(0, (first - origin).days)
        stop = self.n_days if last is None else min(self.n_days, (last - origin).days + 1)
        return range(start, stop)

    @cached_property
    def on_leave(self) -> frozenset[tuple[int, int]]:
        """(agent, day) on leave the whole day."""
        return frozenset(
            (self.agent[absence.agent], day)
            for absence in self.problem.leave
            if absence.whole
            for day in self.clip(absence.first, absence.last)
        )

    @cached_property
    def _hours_away(self) -> dict[int, list[tuple[int, int]]]:
        """Per agent, absences of some hours, in minutes from midnight of the first day."""
        found: dict[int, list[tuple[int, int]]] = defaultdict(list)
        origin = self.problem.days[0].date
        for absence in self.problem.leave:
            if absence.start is not None and absence.end is not None:
                first, last = (absence.first - origin).days, (absence.last - origin).days
                for d in range(max(first, 0), min(last, self.n_days + 1) + 1):
                    span = d * DAY_MINUTES + absence.start, d * DAY_MINUTES + absence.end
                    found[self.agent[absence.agent]].append(span)
        return found

    @cached_property
    def locked(self) -> dict[tuple[int, int], int | None]:
        """Shift, or None for off, of each (agent, day) that is locked or pinned as published."""
        published = {
            (self.agent[cell.agent], self.day[cell.date]): cell.shift
            for cell in self.problem.published
        }
        fixed: dict[tuple[int, int], str | None] = {}
        for pin in self.problem.pins:
            names = self.agent if pin.agents is None else pin.agents
            for a in (self.agent[name] for name in names):
                for d in self.clip(pin.first, pin.last):
                    fixed[a, d] = published.get((a, d))
        for lock in self.problem.locks:
            fixed[self.agent[lock.agent], self.day[lock.date]] = lock.shift
        return {cell: None if shift is None else self.shift[shift] for cell, shift in fixed.items()}

    @cached_property
    def restrictions(self) -> list[tuple[Restriction, ...]]:
        """Protections of each agent, and what each has not consented to, for all days."""
        first, last = self.date_of(0), self.date_of(self.n_days - 1)
        return [
            (
                *person.restrictions,
                *(
                    Restriction(DECLINED[item], first, last, "no consent")
                    for item in person.declines
                ),
            )
            for person in self.problem.agents
        ]

    # -- skills ----------------------------------------------------------------------------------

    @cached_property
    def _turns(self) -> list[date]:
        """Dates on which somebody's qualification begins or has ended."""
        held = [q for person in self.problem.agents for q in person.qualifications]
        begun = {q.first for q in held if q.first is not None}
        ends = {q.last for q in held if q.last is not None and q.last < date.max}
        return sorted(begun | {last + timedelta(days=1) for last in ends})

    def turn(self, on: date) -> int:
        """How many of these have come: between two, nobody's qualifications change."""
        return bisect_right(self._turns, on) if self._turns else 0

    def level(self, agent: int, skill: str, on: date) -> int:
        """Level of the agent's skill on a date, 0 when it is not held."""
        person = self.problem.agents[agent]
        if skill in person.skills:
            return FULL_LEVEL
        return max(
            (
                q.level
                for q in person.qualifications
                if q.skill == skill
                and (q.first is None or q.first <= on)
                and (q.last is None or on <= q.last)
            ),
            default=0,
        )

    @cached_property
    def _skilled(self) -> dict[str, list[int]]:
        skilled = defaultdict(list)
        for a, person in enumerate(self.problem.agents):
            for skill in {*person.skills, *(q.skill for q in person.qualifications)}:
                skilled[skill].append(a)
        return skilled

    def skilled(self, skill: str | None) -> Sequence[int]:
        """Agents who have the skill (None: any) at some time, in order."""
        return range(self.n_agents) if skill is None else self._skilled.get(skill, ())

    def qualified(
        self, skill: str | None, grade: Grade, on: date | None = None, level: int = 1
    ) -> tuple[int, ...]:
        """Agents with the skill (None: any) on a date, by default the first, and the grade."""
        on = on or self.date_of(0)
        key = (skill, grade, level, self.turn(on))
        if key not in self._able:
            self._able[key] = tuple(
                a
                for a in self.skilled(skill)
                if grade_rank(self.problem.agents[a].grade) >= grade_rank(grade)
                and (skill is None or self.level(a, skill, on) >= level)
            )
        return self._able[key]

    # -- shifts ----------------------------------------------------------------------------------

    def barred(self, agent: int, day: int, shift: int) -> str | None:
        """Why the agent cannot have the shift that day at all, as a code; None when possible.

        Locks are looked at elsewhere: a lock does not make a duty lawful.
        """
        person, work = self.problem.agents[agent], self.problem.shifts[shift]
        if (agent, day) in self.on_leave or self._touches_absence(agent, day, work):
            return "leave"
        static = self._barred_from[agent].get(shift)
        if static is not None:
            return static
        on = self.date_of(day)
        if work.skills and any(not self.level(agent, skill, on) for skill in work.skills):
            return "skill"
        if person.availability and not _available(person, work, on):
            return "availability"
        if (agent, day, shift) in self._forbidden or (agent, day, None) in self._forbidden:
            return "forbidden"
        for restriction in self.restrictions[agent]:
            if restriction.first <= on <= restriction.last and self._protects(
                restriction, person, work, day
            ):
                return restriction.kind
        return None

    def _touches_absence(self, agent: int, day: int, work: Shift) -> bool:
        away = self._hours_away.get(agent)
        if away is None:
            return False
        start, end = day * DAY_MINUTES + work.start, day * DAY_MINUTES + work.end
        return any(start < until and since < end for since, until in away)

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
        kind = restriction.kind
        if kind == "no_nights":
            return work.night
        if kind == "no_standby":
            return work.mode == "standby"
        if kind == "remote_only":
            return work.mode == "on_site"
        if kind == "short_days":
            return work.attended_minutes > (restriction.minutes or 0)
        holiday = self.problem.days[day].type == "statutory_holiday"
        return holiday or (kind == "no_overtime" and work.work_minutes > person.day_minutes)

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

    # -- posts -----------------------------------------------------------------------------------

    def may_hold(self, agent: int, post: Post, day: int) -> str | None:
        """Why the agent cannot hold the post that day, as a code; None when possible."""
        person, on = self.problem.agents[agent], self.date_of(day)
        if (agent, day) in self.on_leave:
            return "leave"
        if grade_rank(person.grade) < grade_rank(post.min_grade):
            return "grade"
        if post.skill is not None and not self.level(agent, post.skill, on):
            return "skill"
        if post.reach_minutes is not None and person.reach_minutes > post.reach_minutes:
            return "reach"
        if (agent, day, None) in self._forbidden:
            return "forbidden"
        for restriction in self.restrictions[agent]:
            if restriction.first <= on <= restriction.last and self._keeps_from_post(
                restriction, post, day
            ):
                return restriction.kind
        if post.shifts and not any(self.shift[s] in self.allowed[agent][day] for s in post.shifts):
            return "shift"
        return None

    def _keeps_from_post(self, restriction: Restriction, post: Post, day: int) -> bool:
        if restriction.kind == "no_standby":
            return post.exclusive
        holiday = self.problem.days[day].type == "statutory_holiday"
        return holiday and restriction.kind in ("no_overtime", "no_duty_on_holidays")


def _unfit(person: Agent, work: Shift) -> str | None:
    if person.shifts is not None and work.id not in person.shifts:
        return "shift"
    if work.site is not None and person.sites and work.site not in person.sites:
        return "site"
    if grade_rank(person.grade) < grade_rank(work.min_grade):
        return "grade"
    if work.reach_minutes is not None and person.reach_minutes > work.reach_minutes:
        return "reach"
    return None


def _available(person: Agent, work: Shift, on: date) -> bool:
    return any(
        on.isoweekday() in window.weekdays
        and window.start <= work.start
        and work.end <= window.end
        and (window.first is None or window.first <= on)
        and (window.last is None or on <= window.last)
        for window in person.availability
    )
