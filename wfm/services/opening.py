"""The desk's opening hours."""

from __future__ import annotations

import json
from functools import lru_cache

from sqlmodel import Session, select

from wfm.sla.business_time import BusinessTime
from wfm.sla.reading import calendar_from_dict
from wfm.tables import BusinessCalendar

DESK_CALENDAR = "desk"
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS_OPEN = {day: [["00:00", "24:00"]] for day in WEEK}


def desk_time(session: Session, timezone: str) -> BusinessTime:
    """Business time of the calendar named ``desk``; without one the desk is always open."""
    found = session.exec(
        select(BusinessCalendar).where(BusinessCalendar.code == DESK_CALENDAR)
    ).first()
    zone, definition = (found.timezone, found.definition) if found else (timezone, ALWAYS_OPEN)
    return _compiled(zone, json.dumps(definition, sort_keys=True))


def calendar_times(session: Session) -> dict[int, BusinessTime]:
    """Business time of every calendar, by the calendar's id."""
    return {
        row.id: _compiled(row.timezone, json.dumps(row.definition, sort_keys=True))
        for row in session.exec(select(BusinessCalendar))
        if row.id is not None
    }


@lru_cache(maxsize=64)
def _compiled(zone: str, definition: str) -> BusinessTime:
    return BusinessTime(calendar_from_dict(json.loads(definition) | {"timezone": zone}))
