"""How busy the named days are expected to be, against an ordinary workday."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlmodel import Session, col

from wfm.services.day_types import NamedDay, days_between
from wfm.services.roster_problems import newest_plan
from wfm.tables import Demand
from wfm.words import DayType

WORKING = (DayType.WORKDAY, DayType.MAKE_UP_WORKDAY)


def loads(session: Session, days: Sequence[NamedDay], timezone: str) -> dict[date, float]:
    """Contacts expected on each day as a factor of a mean workday of the same staffing plan.

    A day that no plan covers, or a plan without a workday, has no factor.
    """
    found: dict[date, float] = {}
    factors: dict[int, dict[date, float]] = {}
    for day in days:
        plan = newest_plan(session, day.date, day.date)
        if plan is None or plan.id is None:
            continue
        if plan.id not in factors:
            factors[plan.id] = _factors(session, plan.id, timezone)
        if day.date in factors[plan.id]:
            found[day.date] = factors[plan.id][day.date]
    return found


def _factors(session: Session, plan_id: int, timezone: str) -> dict[date, float]:
    local_day = sa.cast(sa.func.timezone(timezone, col(Demand.starts_at)), sa.Date)
    contacts: dict[date, float] = {
        day: float(total)
        for day, total in session.execute(
            sa.select(local_day, sa.func.sum(col(Demand.contacts)))
            .where(col(Demand.plan_id) == plan_id)
            .group_by(local_day)
        )
    }
    if not contacts:
        return {}
    ordinary = [
        contacts[day.date]
        for day in days_between(session, min(contacts), max(contacts))
        if day.type in WORKING and day.date in contacts
    ]
    mean = sum(ordinary) / len(ordinary) if ordinary else 0.0
    return {day: total / mean for day, total in contacts.items()} if mean else {}
