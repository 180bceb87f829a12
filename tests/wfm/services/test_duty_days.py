"""Which days want a duty table: named days, days given for them, events; and their names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlmodel import Session, select

from wfm import tables
from wfm.access import Actor
from wfm.errors import AccessDeniedError, InputError, NotFoundError
from wfm.services import duty_days, duty_load, roster_problems
from wfm.words import DayType, Role

AT = datetime(2026, 10, 1, tzinfo=UTC)
PLANNER = Actor("plan", roles={Role.PLANNER: None})


def names(session: Session, first: date, last: date) -> list[str]:
    return [day.name_zh for day in duty_days.duty_days(session, first, last)]


def test_the_named_days_of_national_day_without_the_make_up_workday(session: Session) -> None:
    found = duty_days.duty_days(session, date(2026, 9, 28), date(2026, 10, 12))
    assert [day.date.day for day in found] == [1, 2, 3, 4, 5, 6, 7]  # 10 October is worked
    assert [day.burden for day in found] == [6, 5, 5, 3, 3, 3, 3]
    [one] = duty_days.occasions(session, date(2026, 9, 28), date(2026, 10, 12))
    assert (one.name_en, one.name_zh) == ("National Day", "国庆节")
    assert (one.first, one.last, one.provisional) == (date(2026, 10, 1), date(2026, 10, 7), False)


@pytest.mark.parametrize(
    ("first", "last", "called"),
    [
        (date(2026, 2, 1), date(2026, 2, 28), ["春节"]),
        (date(2025, 10, 1), date(2025, 10, 31), ["国庆节、中秋节"]),  # together in 2025
        (date(2026, 9, 1), date(2026, 10, 31), ["中秋节", "国庆节"]),
        (date(2026, 1, 1), date(2026, 1, 10), ["元旦"]),
        (date(2026, 4, 1), date(2026, 5, 10), ["清明节", "劳动节"]),
        (date(2027, 10, 1), date(2027, 10, 31), ["国庆节"]),
        (date(2026, 3, 1), date(2026, 3, 31), []),
    ],
)
def test_days_in_a_row_are_one_occasion_and_called_by_their_holiday(
    session: Session, first: date, last: date, called: list[str]
) -> None:
    assert [one.name_zh for one in duty_days.occasions(session, first, last)] == called


def test_a_provisional_year_is_told_and_an_unknown_one_is_no_guess(session: Session) -> None:
    [one] = duty_days.occasions(session, date(2027, 9, 1), date(2027, 9, 30))
    assert one.provisional
    with pytest.raises(NotFoundError, match="no year may be guessed"):
        duty_days.duty_days(session, date(2028, 1, 1), date(2028, 1, 2))
    # holidays ahead are shown as far as calendars reach
    ahead = duty_days.upcoming(session, date(2027, 8, 1))
    assert [one.name_zh for one in ahead][-2:] == ["中秋节", "国庆节"]


def test_an_imported_holiday_without_a_name_is_called_by_its_date(session: Session) -> None:
    # a year of which only these days were imported; the rest is the plain week
    for day, kind in ((date(2031, 5, 1), "statutory_holiday"), (date(2031, 5, 2), "rest_day"),
                      (date(2031, 5, 4), "make_up_workday")):  # fmt: skip
        session.add(tables.CalendarDay(calendar="cn", day=day, day_type=kind))
    session.flush()
    found = duty_days.duty_days(session, date(2031, 4, 28), date(2031, 5, 6))
    # a Thursday that is a holiday and a Friday given for it; not the weekend, not the worked Sunday
    assert [(day.name_zh, day.name_en) for day in found] == [
        ("5月1日", "1 May"), ("5月2日", "2 May"),
    ]  # fmt: skip


def test_a_named_workday_wants_a_table_as_well(session: Session) -> None:
    # New Year's Eve of 2024 was a workday that people minded
    assert names(session, date(2024, 2, 9), date(2024, 2, 9)) == ["除夕"]


def add(session: Session, first: date, last: date, burden: int = 4, name: str = "双十一") -> Any:
    return duty_days.add_event(session, PLANNER, "", name, first, last, burden, AT)


def test_the_days_of_an_event_want_a_table_and_have_names_over_the_years(
    session: Session,
) -> None:
    add(session, date(2026, 11, 10), date(2026, 11, 12))
    [one] = duty_days.occasions(session, date(2026, 11, 1), date(2026, 11, 30))
    assert one.name_zh == one.name_en == "双十一"  # a name in one language serves both
    assert [day.name_zh for day in one.days] == ["双十一第1天", "双十一第2天", "双十一第3天"]
    assert {day.burden for day in one.days} == {4}
    assert {day.type for day in one.days} == {DayType.WORKDAY}
    # an event of one day has no number
    add(session, date(2026, 12, 12), date(2026, 12, 12), name="双十二")
    assert names(session, date(2026, 12, 1), date(2026, 12, 31)) == ["双十二"]


def test_a_holiday_keeps_its_name_under_an_event_and_the_heavier_burden(session: Session) -> None:
    add(session, date(2026, 9, 30), date(2026, 10, 2), burden=9, name="系统切换")
    [one] = duty_days.occasions(session, date(2026, 9, 28), date(2026, 10, 7))
    assert [(day.name_zh, day.burden) for day in one.days[:4]] == [
        ("系统切换第1天", 9), ("10月1日", 9), ("10月2日", 9), ("10月3日", 5),
    ]  # fmt: skip
    assert one.name_zh == "系统切换、国庆节"


@pytest.mark.parametrize(
    ("last", "burden", "name", "wrong"),
    [
        (date(2026, 11, 9), 4, "双十一", "1 to 31 days"),
        (date(2027, 11, 9), 4, "双十一", "1 to 31 days"),
        (date(2026, 11, 11), 21, "双十一", "0 to 20"),
        (date(2026, 11, 11), 4, "  ", "needs a name"),
    ],
)
def test_a_wrong_event_is_refused(
    session: Session, last: date, burden: int, name: str, wrong: str
) -> None:
    with pytest.raises(InputError, match=wrong):
        add(session, date(2026, 11, 10), last, burden, name)


def test_who_may_enter_and_remove_an_event(session: Session) -> None:
    event = add(session, date(2026, 11, 10), date(2026, 11, 12))
    with pytest.raises(AccessDeniedError):
        duty_days.remove_event(session, Actor("l", roles={Role.LEAD: None}), event.id, AT)
    duty_days.remove_event(session, PLANNER, event.id, AT)
    assert names(session, date(2026, 11, 1), date(2026, 11, 30)) == []
    with pytest.raises(NotFoundError):
        duty_days.remove_event(session, PLANNER, 999, AT)
    actions = session.exec(select(tables.AuditEntry.action)).all()
    assert actions[-2:] == ["duty.event", "duty.event.remove"]


def test_the_load_of_a_named_day_is_told_against_the_plans_workdays(
    session: Session, roster_week: Callable[[Session], Any]
) -> None:
    week = roster_week(session)
    days = duty_days.duty_days(session, date(2026, 10, 1), date(2026, 10, 2))
    assert duty_load.loads(session, days, "Asia/Shanghai") == {}  # the plan expects nothing yet
    # Monday 40 and Tuesday 60 contacts: a mean of 50; 1 October 20: 0.4
    for day, contacts in ((28, 40), (29, 60)):
        session.add(
            tables.Demand(plan_id=week.plan, skill_id=week.skills["net"], contacts=contacts,
                          starts_at=week.local(date(2026, 9, day), 9), handle_s=60)
        )  # fmt: skip
    session.add(
        tables.Demand(plan_id=week.plan, skill_id=week.skills["net"], contacts=20, handle_s=60,
                      starts_at=week.local(date(2026, 10, 1), 0.5))
    )  # fmt: skip
    session.flush()
    assert duty_load.loads(session, days, "Asia/Shanghai") == {date(2026, 10, 1): 0.4}


def test_a_roster_knows_named_days_and_events_by_the_same_burden(
    session: Session, roster_week: Callable[[Session], Any]
) -> None:
    week = roster_week(session)
    add(session, date(2026, 9, 29), date(2026, 9, 29), burden=7, name="系统切换")
    roster = tables.Roster(team_id=week.team, period_from=week.first, period_until=week.last)
    session.add(roster)
    session.flush()
    built = roster_problems.build(session, roster, "Asia/Shanghai")
    assert [(day.name, day.burden) for day in built.days] == [
        ("", 0), ("系统切换", 7), ("", 0), ("10月1日", 6), ("10月2日", 5), ("10月3日", 5),
        ("10月4日", 3),
    ]  # fmt: skip
