"""Every hour of a roster classed and priced: workday, rest day, statutory holiday, overtime."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from decimal import Decimal

from scheduler.labour import MAINLAND_CHINA, LabourLaw
from scheduler.pay import (
    ComprehensiveHours,
    DayTypes,
    DutyKind,
    PricedSpan,
    WorkedDuty,
    price,
    rotating_rest,
)
from scheduler.problem import RosterProblem
from scheduler.problem.pauses import moved
from scheduler.solution import Roster


def duties_of(problem: RosterProblem, roster: Roster) -> dict[str, list[WorkedDuty]]:
    """The duties of each agent as if worked as planned; unpaid breaks are no work."""
    found: dict[str, list[WorkedDuty]] = defaultdict(list)
    for duty in roster.duties():
        shift = problem.shifts[problem.lookup.shift[duty.shift]]
        breaks = shift.breaks if duty.breaks is None else moved(shift, duty.breaks)
        midnight = datetime.combine(duty.day, time(0))
        found[duty.agent].append(
            WorkedDuty(
                midnight + timedelta(minutes=shift.start),
                midnight + timedelta(minutes=shift.end),
                [
                    (midnight + timedelta(minutes=b.start), midnight + timedelta(minutes=b.end))
                    for b in breaks
                    if not b.paid
                ],
                DutyKind.STANDBY if shift.mode == "standby" else DutyKind.ORDINARY,
            )
        )
    return found


def price_roster(
    problem: RosterProblem,
    roster: Roster,
    day_type: DayTypes,
    month_wage: Mapping[str, Decimal],
    law: LabourLaw = MAINLAND_CHINA,
    *,
    rotating: bool = False,
    comprehensive: ComprehensiveHours | None = None,
) -> dict[str, tuple[PricedSpan, ...]]:
    """Every hour of every agent with its class and its pay beyond the monthly wage.

    Parameters
    ----------
    day_type : callable
        Date → day type, also for the day after the last, into which a night shift may reach.
    month_wage : mapping of agent id to Decimal
        The monthly wage, for everybody on duty.
    rotating : bool
        The weekly rest rotates (轮休): each agent's days off in the roster are the rest days.

    Raises
    ------
    SchedulingError
        Duties overlap, a duty lies outside the approval, or no clause is in force.
    """
    days = {day.date for day in problem.days}
    priced = {}
    for agent, duties in duties_of(problem, roster).items():
        own = day_type
        if rotating:
            own = rotating_rest(day_type, days - {duty.start.date() for duty in duties})
        priced[agent] = price(duties, own, month_wage[agent], law, comprehensive)
    return priced
