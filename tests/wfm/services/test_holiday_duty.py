"""Holiday duty tables on the real database: proposed, explained, shown, exported."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import openpyxl
import pytest
from sqlmodel import Session, select

from wfm import tables
from wfm.access import Actor
from wfm.errors import AccessDeniedError, InputError
from wfm.services import duty_export, duty_pages, holiday_duty
from wfm.words import Role

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 3)


@pytest.fixture
def week(session: Session, roster_week: Callable[[Session], Any]) -> Any:
    return roster_week(session)


def page_of(session: Session, week: Any, actor: Actor | None = None, last: date = LAST) -> Any:
    at = week.local(date(2026, 9, 20), 9)
    return duty_pages.duty_page(session, actor or week.planner, FIRST, last, at, "Asia/Shanghai")


def propose(session: Session, week: Any, last: date = LAST) -> holiday_duty.Proposed:
    return holiday_duty.propose(session, week.planner, FIRST, last, week.local(FIRST, 0))


def test_places_go_to_those_who_may_hold_them_and_gaps_say_why(session: Session, week: Any) -> None:
    found = propose(session, week)
    # two posts on three days; the leader must be an expert, A is the only one and has two days
    # at most: one leader place stays empty. The lead falls to B and C (senior).
    assert (found.places, found.filled, found.proven) == (6, 5, True)
    [gap] = found.gaps
    assert "grade too low 4" in gap["en"]
    assert "级别不足 4" in gap["zh"]
    held = holiday_duty.table(session, week.planner, FIRST, LAST)
    assert sum(one.post.code == "leader" for one in held) == 2
    assert {one.agent.code for one in held if one.post.code == "lead"} <= {"B", "C"}
    assert all(set(reason) == {"en", "zh"} for one in held for reason in one.reasons)
    assert [one.day for one in held] == sorted(one.day for one in held)


def test_who_has_borne_least_comes_first(session: Session, week: Any) -> None:
    session.add(
        tables.HolidayDuty(agent_id=week.agents["B"], day=date(2025, 10, 1), burden=60,
                           day_type="statutory_holiday", name_en="1 October", name_zh="10月1日")
    )  # fmt: skip
    propose(session, week, FIRST)
    [lead] = [
        one for one in holiday_duty.table(session, week.planner, FIRST, FIRST)
        if one.post.code == "lead"
    ]  # fmt: skip
    assert lead.agent.code == "C"


def test_nobody_on_leave_or_protected_holds_a_place(session: Session, week: Any) -> None:
    session.add(tables.Leave(agent_id=week.agents["B"], start_on=FIRST, end_on=LAST, kind="sick"))
    session.add(
        tables.AgentRestriction(agent_id=week.agents["C"], kind="no_overtime", valid_from=FIRST)
    )
    session.flush()
    propose(session, week)
    held = holiday_duty.table(session, week.planner, FIRST, LAST)
    assert {one.agent.code for one in held} == {"A"}


def test_proposing_again_replaces_the_table_of_these_days_only(session: Session, week: Any) -> None:
    before = date(2026, 9, 25)
    session.add(
        tables.PostHolding(post_id=week.posts["lead"], agent_id=week.agents["C"], day=before,
                           made_by="plan", made_at=week.local(before, 0))
    )  # fmt: skip
    propose(session, week)
    propose(session, week)
    assert len(session.exec(select(tables.PostHolding)).all()) == 5 + 1
    actions = session.exec(select(tables.AuditEntry.action)).all()
    assert actions.count("duty.propose") == 2


def test_a_period_without_named_days_or_posts_is_refused_with_words(
    session: Session, week: Any
) -> None:
    with pytest.raises(InputError, match="no named day off"):
        holiday_duty.propose(
            session, week.planner, date(2026, 11, 2), date(2026, 11, 8), week.local(FIRST, 0)
        )
    for post in session.exec(select(tables.Post)):
        session.delete(post)
    session.flush()
    with pytest.raises(InputError, match="no posts"):
        propose(session, week)


def test_the_table_is_the_whole_desks(session: Session, week: Any) -> None:
    at = week.local(FIRST, 0)
    for actor in (
        Actor("lead", roles={Role.LEAD: None}),
        Actor("narrow", roles={Role.PLANNER: frozenset({week.team})}),
    ):
        with pytest.raises(AccessDeniedError):
            holiday_duty.propose(session, actor, FIRST, LAST, at)
    reviewer = Actor("r", roles={Role.REVIEWER: None})
    with pytest.raises(AccessDeniedError):
        page_of(session, week, reviewer)


def test_the_page_shows_places_gaps_and_the_ledger_before_and_after(
    session: Session, week: Any
) -> None:
    session.add(
        tables.HolidayDuty(agent_id=week.agents["A"], day=date(2025, 10, 2), burden=5,
                           day_type="statutory_holiday", name_en="2 October", name_zh="10月2日")
    )  # fmt: skip
    empty = page_of(session, week)
    assert (empty.filled, empty.missing, empty.spread) == (0, 6, (5, 5))
    propose(session, week)
    page = page_of(session, week)
    assert (page.filled, page.missing) == (5, 1)
    [gap] = [place.missing for place in page.places.values() if place.missing]
    assert dict(gap.causes) == {"grade": 4, "full": 1}
    ledger = {row.agent.code: row for row in page.ledger}
    # A leads two days other than last year's 2 October: the 1st (6) and the 3rd (5), standing by
    # from home, which is half the burden each: 3 + 2
    assert (ledger["A"].before, ledger["A"].added) == (5, 5)
    assert [day.date.day for day in ledger["A"].new] == [1, 3]
    assert [entry.name_en for entry in ledger["A"].past] == ["2 October"]
    assert (ledger["D"].before, ledger["D"].after) == (0, 0)
    assert page.heaviest == 10


def test_a_duty_table_spans_a_quarter_at_most(session: Session, week: Any) -> None:
    for last in (date(2026, 9, 30), date(2027, 1, 2)):
        with pytest.raises(InputError, match="1 to 93 days"):
            page_of(session, week, last=last)


def test_the_workbook_has_names_telephones_and_the_ledger(session: Session, week: Any) -> None:
    session.get_one(tables.Agent, week.agents["A"]).name = "=cmd()"
    propose(session, week)
    page = page_of(session, week)
    book = openpyxl.load_workbook(
        io.BytesIO(duty_export.duty_xlsx(page, (), "en", week.local(FIRST, 0), "Asia/Shanghai"))
    )
    table = book["Duty table"]
    assert [cell.value for cell in table[1]] == [
        "Day",
        "Duty leader\nstandby, to be reached within 60 min",
        "Lead · Site\non site",
    ]
    texts = [str(cell.value) for row in table.iter_rows(min_row=2) for cell in row]
    assert "=cmd() Expert 1A" in texts
    card = [[cell.value for cell in row] for row in book["Contact card"].iter_rows(min_row=2)]
    assert card[0][:3] == ["=cmd()", "1A", "10-01 Duty leader; 10-03 Duty leader"]
    assert "1 missing" in texts
    cells = [cell for row in table.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [cell.value for cell in book["Ledger"][1]] == [
        "Agent",
        "Name",
        "Before",
        "Added",
        "After",
    ]
