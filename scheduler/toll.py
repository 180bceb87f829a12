"""What a change of the roster asks of people: hours by class, nights, days of weekends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from scheduler.errors import SchedulingError
from scheduler.labour import DayType
from scheduler.pay import WorkedDuty, price, rotating_rest
from scheduler.problem import RosterProblem, Shift
from scheduler.solution import Roster

SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Toll:
    """What one person is asked.

    Parameters
    ----------
    agent : str
    minutes : int
        Minutes more (or less) than published.
    balance : int
        Minutes beyond the contract of the period afterwards.
    nights, weekend_days : int
        Night duties and days of weekends more or less.
    classes : tuple of (pay class, minutes)
        Hours added, by the class the law gives them. A day published as off counts as her rest
        day, so that work on it is rest-day work (轮休).
    """

    agent: str
    minutes: int
    balance: int
    nights: int
    weekend_days: int
    classes: tuple[tuple[str, int], ...]


def tolls(
    problem: RosterProblem, published: Roster, then: Roster, agents: Iterable[str]
) -> tuple[Toll, ...]:
    """What the difference between two rosters asks of some people."""
    return tuple(_toll(problem, published, then, agent) for agent in sorted(set(agents)))


def _toll(problem: RosterProblem, published: Roster, then: Roster, agent: str) -> Toll:
    look = problem.lookup
    shifts = {shift.id: shift for shift in problem.shifts}
    before = _line(problem, published, agent)
    after = _line(problem, then, agent)

    def minutes(line: dict[date, str]) -> int:
        return sum(shifts[s].work_minutes for s in line.values())

    def nights(line: dict[date, str]) -> int:
        return sum(shifts[s].night for s in line.values())

    def weekend(line: dict[date, str]) -> int:
        return sum(day.weekday() >= SATURDAY for day in line)

    return Toll(
        agent=agent,
        minutes=minutes(after) - minutes(before),
        balance=minutes(after) - look.contract_minutes(look.agent[agent]),
        nights=nights(after) - nights(before),
        weekend_days=weekend(after) - weekend(before),
        classes=_classes(problem, before, after, shifts),
    )


def _line(problem: RosterProblem, roster: Roster, agent: str) -> dict[date, str]:
    days = (day.date for day in problem.days)
    return {day: shift for day in days if (shift := roster.shift(agent, day)) is not None}


def _classes(
    problem: RosterProblem,
    before: dict[date, str],
    after: dict[date, str],
    shifts: dict[str, Shift],
) -> tuple[tuple[str, int], ...]:
    """Minutes by pay class that the changed days have more than before."""
    types = {day.date: DayType(day.type) for day in problem.days}

    def calendar(day: date) -> DayType:
        return types.get(day, DayType.WORKDAY)

    off = {day for day in types if day not in before}
    sums: Counter[str] = Counter()
    for day in sorted(types):
        if before.get(day) == after.get(day):
            continue
        for line, sign in ((after, 1), (before, -1)):
            if day in line:
                duty = _duty(shifts[line[day]], day)
                try:
                    priced = price([duty], rotating_rest(calendar, off), Decimal(0))
                except SchedulingError:
                    return ()  # no law is in force on these days
                for span in priced:
                    sums[span.pay_class.value] += sign * int(span.minutes)
    return tuple(sorted((name, minutes) for name, minutes in sums.items() if minutes))


def _duty(shift: Shift, day: date) -> WorkedDuty:
    midnight = datetime.combine(day, time(0))
    unpaid = [
        (midnight + timedelta(minutes=b.start), midnight + timedelta(minutes=b.end))
        for b in sorted(shift.breaks, key=lambda b: b.start)
        if not b.paid
    ]
    start, end = (midnight + timedelta(minutes=m) for m in (shift.start, shift.end))
    return WorkedDuty(start, end, unpaid)
