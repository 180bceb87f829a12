"""What a table costs by pay class, and watches during which tickets were worked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session, select

from wfm import tables
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, NotFoundError
from wfm.services import duty_pay, holiday_duty
from wfm.words import DutyKind, EventKind, Role

FIRST, SECOND = date(2026, 10, 1), date(2026, 10, 2)
ZONE = "Asia/Shanghai"
WAGE = Decimal(8700)  # 50 an hour


@pytest.fixture
def week(session: Session, roster_week: Callable[[Session], Any]) -> Any:
    """A leads on watch from 8 to 8 on the 1st, B has the lead from 8 to 16 on the 1st."""
    week = roster_week(session)
    leader = session.get_one(tables.Post, week.posts["leader"])
    leader.kind, leader.starts, leader.ends = DutyKind.WATCH, time(8), time(8)
    lead = session.get_one(tables.Post, week.posts["lead"])
    lead.starts, lead.ends = time(8), time(16)
    for post, code in (("leader", "A"), ("lead", "B")):
        session.add(
            tables.PostHolding(post_id=week.posts[post], agent_id=week.agents[code], day=FIRST,
                               made_by="p", made_at=week.local(FIRST, 0))
        )  # fmt: skip
    session.flush()
    return week


def costs(session: Session, week: Any, wage: Decimal | None = WAGE) -> list[tuple[Any, ...]]:
    held = holiday_duty.held_between(session, FIRST, SECOND)
    return [
        (one.date.day, one.pay_class.value, one.minutes / 60, one.hour_wages, one.amount)
        for one in duty_pay.costs(session, held, FIRST, SECOND, wage, ZONE)
    ]


def shift(session: Session, week: Any, code: str, day: date, start: float, end: float) -> None:
    roster = session.exec(select(tables.Roster)).first()
    if roster is None:
        roster = tables.Roster(team_id=week.team, period_from=FIRST, period_until=SECOND)
        session.add(roster)
        session.flush()
        session.add(
            tables.RosterVersion(roster_id=roster.id, number=1, made_by="p",
                                 made_at=week.local(FIRST, 0))
        )  # fmt: skip
        session.flush()
    version = session.exec(select(tables.RosterVersion)).one()
    session.add(
        tables.Assignment(version_id=version.id, agent_id=week.agents[code], day=day, live=True,
                          shift_code="early", starts_at=week.local(day, start),
                          ends_at=week.local(day, end))
    )  # fmt: skip
    session.flush()


def test_posts_cost_by_day_and_class(session: Session, week: Any) -> None:
    # B: 8 h of a statutory holiday: 8 × 50 × 300 % = 1,200, 24 hour wages; the watch 16 h and 8 h
    assert costs(session, week) == [
        (1, "statutory_holiday", 8, 24, 1200), (1, "watch", 16, 0, 0), (2, "watch", 8, 0, 0),
    ]  # fmt: skip
    assert costs(session, week, None)[0] == (1, "statutory_holiday", 8, 24, None)


def test_the_published_shift_of_a_holder_counts_for_her_hours(session: Session, week: Any) -> None:
    shift(session, week, "B", FIRST, 8, 18)  # ten hours instead of the post's eight
    shift(session, week, "D", FIRST, 9, 13)  # and D has no post: four more
    assert costs(session, week)[0] == (1, "statutory_holiday", 14, 42, 2100)


def test_where_a_shift_meets_a_watch_the_shift_counts(session: Session, week: Any) -> None:
    # A, on watch until 8 on the 2nd, works a shift from 6 to 10 that day: two hours less of watch
    shift(session, week, "A", SECOND, 6, 10)
    assert costs(session, week) == [
        (1, "statutory_holiday", 8, 24, 1200), (1, "watch", 16, 0, 0),
        (2, "statutory_holiday", 4, 12, 600), (2, "watch", 6, 0, 0),
    ]  # fmt: skip


def worked(session: Session, week: Any, code: str, at: datetime, kind: EventKind) -> str:
    number = len(session.exec(select(tables.Ticket)).all())
    ticket = tables.Ticket(code=f"T-{number}", opened_at=at - timedelta(hours=1))
    session.add(ticket)
    session.flush()
    session.add(
        tables.TicketEvent(code=f"E-{number}", ticket_id=ticket.id, at=at, kind=kind,
                           agent_id=week.agents[code])
    )  # fmt: skip
    session.flush()
    return ticket.code


def found(session: Session, week: Any, actor: Actor | None = None, hour: float = 33) -> Any:
    at = week.local(FIRST, hour)
    return duty_pay.proposals(session, actor or week.planner, FIRST, SECOND, at, WAGE, ZONE)


def test_work_in_a_watch_is_proposed_as_overtime_with_its_cost(session: Session, week: Any) -> None:
    ticket = worked(session, week, "A", week.local(FIRST, 22), EventKind.RESOLVED)
    worked(session, week, "A", week.local(FIRST, 23), EventKind.ASSIGNED)  # done to her, not by her
    worked(session, week, "B", week.local(FIRST, 10), EventKind.RESOLVED)  # a lead is at work
    worked(session, week, "A", week.local(FIRST, 7), EventKind.NOTED)  # before the watch
    [one] = found(session, week)
    assert (one.agent.code, one.day, one.minutes, one.tickets) == ("A", FIRST, 15, (ticket,))
    assert one.starts_at == week.local(FIRST, 21.75)
    # a quarter of an hour at 300 %: 50 ÷ 4 × 3 = 37.50
    [cost] = one.costs
    assert (cost.pay_class.value, cost.hour_wages, cost.amount) == (
        "statutory_holiday", Decimal("0.75"), Decimal("37.50"),
    )  # fmt: skip
    assert found(session, week, hour=31) == []  # the watch is not over


def test_work_in_a_rostered_shift_is_no_work_of_the_watch(session: Session, week: Any) -> None:
    shift(session, week, "A", FIRST, 9, 17)
    worked(session, week, "A", week.local(FIRST, 10), EventKind.RESOLVED)
    assert found(session, week) == []


def test_a_named_person_decides_once_and_it_is_kept(session: Session, week: Any) -> None:
    worked(session, week, "A", week.local(FIRST, 22), EventKind.RESOLVED)
    worked(session, week, "A", week.local(SECOND, 3), EventKind.AGENT_MESSAGE)
    first, second = found(session, week)
    at = week.local(SECOND, 9)

    def decide(actor: Actor, key: str, accepted: bool = True) -> tables.WatchDecision:
        return duty_pay.decide(session, actor, FIRST, SECOND, key, accepted, " slept ", at, WAGE,
                               ZONE)  # fmt: skip

    with pytest.raises(AccessDeniedError):
        decide(Actor("l", roles={Role.LEAD: None}), first.key)
    with pytest.raises(NotFoundError, match="no such work"):
        decide(week.planner, "1@2026-10-01T00:00:00+08:00")
    kept = decide(week.planner, first.key)
    assert (kept.accepted, kept.decided_by, kept.facts["costs"][0]["amount"]) == (
        True, "plan", "37.50",
    )  # fmt: skip
    decide(week.planner, second.key, accepted=False)
    assert [one.decision.accepted for one in found(session, week)] == [True, False]
    assert found(session, week)[1].decision.reason == "slept"
    with pytest.raises(ConflictError, match="decided before"):
        decide(week.planner, first.key)
    entries = session.exec(
        select(tables.AuditEntry).where(tables.AuditEntry.action == "duty.watch")
    ).all()
    assert [entry.detail["accepted"] for entry in entries] == [True, False]


def test_others_see_their_own_watches_only(session: Session, week: Any) -> None:
    worked(session, week, "A", week.local(FIRST, 22), EventKind.RESOLVED)

    def agent(code: str) -> Actor:
        return Actor(code, agent_id=week.agents[code], roles={Role.AGENT: None})

    assert len(found(session, week, agent("A"))) == 1
    assert found(session, week, agent("B")) == []
    with pytest.raises(AccessDeniedError):
        found(session, week, Actor("r", roles={Role.REVIEWER: None}))
