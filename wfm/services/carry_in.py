"""What a roster looks back on: duties of the days before it, and what they add to each meter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby

from sqlmodel import Session, col, select

from scheduler import problem as p
from scheduler.problem.parts import WORKING_DAY_TYPES
from wfm.errors import NotFoundError
from wfm.services.day_types import days_between
from wfm.tables import Assignment
from wfm.words import DayType

LEAST_DAYS = 7  # rest, days in a row and the week's rest day look back on the week before
MOST_DAYS = 62
SHARE_DAYS = 90  # fair shares look back on a quarter
SATURDAY = 6


def look_back(rules: Iterable[p.Rule]) -> int:
    """Days before the first that the longest rolling window of the rules reaches."""
    longest = LEAST_DAYS
    for rule in rules:
        days = getattr(rule, "window", None) or 0
        if isinstance(rule, p.MaxWeekends):
            days *= 7
        if isinstance(rule, p.MaxConsecutive):
            days = rule.days + 1
        longest = max(longest, days)
    return min(longest, MOST_DAYS)


def history(
    session: Session, codes: Mapping[int, str], first: date, shifts: set[str], days: int
) -> tuple[p.PastDuty, ...]:
    """Published duties of the days just before the period."""
    past = []
    rows = _worked(session, codes, first - timedelta(days=days), first)
    for _, duties in groupby(rows, key=lambda row: (row.agent_id, row.day)):
        duty = next(duties)  # one duty a day is what the rules know
        if duty.shift_code in shifts:
            past.append(p.PastDuty(codes[duty.agent_id], duty.day, duty.shift_code))
    return tuple(past)


def _worked(
    session: Session, codes: Mapping[int, str], since: date, first: date
) -> Sequence[Assignment]:
    return session.exec(
        select(Assignment)
        .where(
            Assignment.live,
            col(Assignment.agent_id).in_(codes),
            Assignment.day < first,
            Assignment.day >= since,
        )
        .order_by(col(Assignment.agent_id), col(Assignment.starts_at))
    ).all()


def with_past(
    session: Session,
    rules: Sequence[p.Rule],
    codes: Mapping[int, str],
    agents: Sequence[p.Agent],
    first: date,
    shifts: Mapping[str, p.Shift],
) -> tuple[p.Rule, ...]:
    """The rules with what was worked before the period on their meters and shares."""
    meters = [rule for rule in rules if isinstance(rule, p.OvertimeLimit) and not rule.past]
    shares = [rule for rule in rules if isinstance(rule, p.FairShare) and not rule.past]
    since = min(
        first - timedelta(days=SHARE_DAYS if shares else 0),
        first.replace(day=1) if meters else first,
    )
    duties = [
        (codes[row.agent_id], row.day, shifts[row.shift_code])
        for row in (_worked(session, codes, since, first) if since < first else ())
        if row.shift_code in shifts
    ]
    if not duties:
        return tuple(rules)
    types = _types(session, since, first)
    month = [one for one in duties if one[1] >= first.replace(day=1)]
    found: list[p.Rule] = []
    for rule in rules:
        if rule in meters and isinstance(rule, p.OvertimeLimit):
            past = _meter(month, agents, types, first, rule.standard_day)
            found.append(replace(rule, past=past))
        elif rule in shares and isinstance(rule, p.FairShare):
            found.append(replace(rule, past=_shares(duties, agents, types, rule.measure)))
        else:
            found.append(rule)
    return tuple(found)


_Duty = tuple[str, date, p.Shift]


def _types(session: Session, since: date, first: date) -> dict[date, DayType]:
    """Types of past days; where no calendar was loaded the weekday alone tells."""
    try:
        known = days_between(session, since, first - timedelta(days=1))
    except NotFoundError:
        return {}
    return {day.date: day.type for day in known}


def _meter(
    duties: Sequence[_Duty],
    agents: Sequence[p.Agent],
    types: Mapping[date, DayType],
    first: date,
    standard: int | None,
) -> tuple[p.PastShare, ...]:
    """Overtime of the month so far, counted as `OvertimeLimit` counts it."""
    days = [first.replace(day=1) + timedelta(days=n) for n in range(first.day - 1)]
    workdays = sum(_is_workday(types, day) for day in days)
    holiday: defaultdict[str, int] = defaultdict(int)
    beyond: defaultdict[str, int] = defaultdict(int)
    ordinary: defaultdict[str, int] = defaultdict(int)
    for agent, day, shift in duties:
        minutes = shift.work_minutes
        if types.get(day) == DayType.STATUTORY_HOLIDAY:
            holiday[agent] += minutes
            continue
        over = max(0, minutes - standard) if standard else 0
        beyond[agent] += over
        ordinary[agent] += minutes - over
    shares = []
    for one in agents:
        rest = max(0, ordinary[one.id] - one.day_minutes * workdays)
        amount = holiday[one.id] + beyond[one.id] + rest
        if amount:
            shares.append(p.PastShare(one.id, amount))
    return tuple(shares)


def _is_workday(types: Mapping[date, DayType], day: date) -> bool:
    if day in types:
        return types[day].value in WORKING_DAY_TYPES
    return day.isoweekday() < SATURDAY


def _shares(
    duties: Sequence[_Duty],
    agents: Sequence[p.Agent],
    types: Mapping[date, DayType],
    measure: str,
) -> tuple[p.PastShare, ...]:
    """What each has had in the quarter before, counted from whoever had least.

    Whoever had no duty at all then is new here and starts from the mean of the others, lest a
    newcomer gets all that nobody likes.
    """
    known = {agent.id for agent in agents}
    had: dict[str, int] = {}
    weekends: set[tuple[str, date]] = set()
    for agent, day, shift in duties:
        if agent not in known:
            continue
        had.setdefault(agent, 0)
        if measure == "weekends":
            if day.isoweekday() >= SATURDAY:
                weekends.add((agent, day - timedelta(days=day.isoweekday() - SATURDAY)))
        else:
            had[agent] += _amount(measure, shift, types.get(day))
    for agent, _ in weekends:
        had[agent] += 1
    if measure in ("minutes", "burden") or not had:
        return ()  # minutes count beyond the contract, burden has its ledger
    mean, least = sum(had.values()) // len(had), min(had.values())
    return tuple(
        p.PastShare(one.id, had.get(one.id, mean) - least)
        for one in agents
        if had.get(one.id, mean) > least
    )


def _amount(measure: str, shift: p.Shift, kind: DayType | None) -> int:
    return {
        "duties": 1,
        "nights": int(shift.night),
        "unpopular": int(shift.unpopular),
        "holidays": int(kind == DayType.STATUTORY_HOLIDAY),
    }.get(measure, 0)
