"""How busy the named days are expected to be, against an ordinary workday."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlmodel import Session, col

from wfm.services.day_types import NamedDay, days_between
from wfm.tables import Demand, StaffingPlan
from wfm.words import DayType

WORKING = (DayType.WORKDAY, DayType.MAKE_UP_WORKDAY)


def loads(session: Session, days: Sequence[NamedDay], timezone: str) -> dict[date, float]:
    """Contacts expected on each day as a factor of a mean workday of the same staffing plan.

    A day that no plan covers, or a plan without a workday, has no factor.
    """
    found: dict[date, float] = {}
    factors: dict[int, dict[date, float]] = {}
    plans = session.execute(
        sa.select(
            col(StaffingPlan.id), col(StaffingPlan.period_from), col(StaffingPlan.period_until)
        ).order_by(col(StaffingPlan.id).desc())
    ).all()
    for day in days:
        plan = next((key for key, first, last in plans if first <= day.date <= last), None)
        if plan is None:
            continue
        if plan not in factors:
            factors[plan] = _factors(session, plan, timezone)
        if day.date in factors[plan]:
            found[day.date] = factors[plan][day.date]
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
