"""People are required when the desk is open, also for work that came while it was not."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, select

from wfm.access import SYSTEM
from wfm.services import demand, opening
from wfm.tables import BusinessCalendar, Requirement, Skill, Ticket

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = date(2026, 5, 18)  # a Monday


@pytest.fixture
def night_calls(session: Session) -> Session:
    """Three weeks in which six calls of ten minutes come at 03:10 every night, due in ten."""
    skill = Skill(code="k", name_en="k", name_zh="k")
    session.add(skill)
    session.flush()
    for day in range(1, 22):
        night = datetime(2026, 5, 18, 3, 10, tzinfo=ZONE) - timedelta(days=day)
        for number in range(6):
            session.add(
                Ticket(
                    code=f"{day}-{number}", opened_at=night, skill_id=skill.id, handle_s=600,
                    respond_within_s=600,
                )
            )  # fmt: skip
    session.flush()
    return session


def hours_required(session: Session, last: date = FIRST) -> dict[str, float]:
    """People wanted by local time of day, of the plan from `FIRST` to `last`."""
    at = datetime(2026, 5, 18, 6, tzinfo=ZONE)
    plan = demand.make_plan(session, SYSTEM, FIRST, last, "Asia/Shanghai", at)
    rows = session.exec(select(Requirement).where(Requirement.plan_id == plan.id)).all()
    return {row.starts_at.astimezone(ZONE).strftime("%d %H:%M"): row.people for row in rows}


def put_hours(session: Session, days: dict[str, list[list[str]]]) -> None:
    session.add(
        BusinessCalendar(
            code=opening.DESK_CALENDAR, name_en="", name_zh="", timezone="Asia/Shanghai",
            definition=days,
        )
    )  # fmt: skip


def test_an_open_night_is_staffed_at_night(night_calls: Session) -> None:
    assert set(hours_required(night_calls)) == {"18 03:00"}


def test_calls_of_a_closed_night_are_staffed_at_the_next_opening(night_calls: Session) -> None:
    always = hours_required(night_calls)["18 03:00"]
    put_hours(night_calls, {day: [["08:00", "18:00"]] for day in opening.WEEK})
    assert hours_required(night_calls) == {"18 08:00": always}


def test_calls_of_a_weekend_wait_for_monday(night_calls: Session) -> None:
    put_hours(night_calls, {"mon": [["08:00", "18:00"]]})
    required = hours_required(night_calls, FIRST + timedelta(days=7))
    # nobody from Tuesday to Sunday; the second Monday has seven nights in its first half-hour,
    # 42 calls of 10 minutes are 14 erlangs, the first Monday one night, 2 erlangs
    assert set(required) == {"18 08:00", "25 08:00"}
    assert required["25 08:00"] > 14 > 6 > required["18 08:00"] > 2


def test_a_desk_that_never_opens_again_needs_nobody(night_calls: Session) -> None:
    put_hours(night_calls, {"sun": [["08:00", "18:00"]]})
    assert hours_required(night_calls) == {}
