"""What agents ask for: who may ask, agree and decide, and what a decision does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, SQLModel, select

from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, InputError, NotFoundError
from wfm.services import (
    agent_desk,
    agent_requests,
    calendar_feed,
    own_records,
    sample_requests,
)
from wfm.tables import Account, AgentTeam, Leave
from wfm.words import LeaveKind, RequestKind, RequestStatus, Role

AT = datetime(2026, 9, 20, 8, tzinfo=UTC)
TODAY = date(2026, 9, 20)
ZONE = "Asia/Shanghai"


def actor_of(agent_id: int | None, *roles: Role) -> Actor:
    return Actor("someone", roles=dict.fromkeys(roles), agent_id=agent_id)


def asked(session: Session, week: Any, code: str = "A") -> Any:
    agent = actor_of(week.agents[code], Role.AGENT)
    days = (week.first, week.first + timedelta(days=2))
    return agent_requests.ask_leave(session, agent, *days, LeaveKind.ANNUAL, "x", TODAY, AT)


def test_granted_leave_is_on_record(session: Session, roster_week: Callable[..., Any]) -> None:
    week = roster_week(session)
    request = asked(session, week)
    planner = actor_of(None, Role.PLANNER)
    assert [one.request.id for one in agent_requests.to_decide(session, planner)] == [request.id]
    agent_requests.decide(session, planner, request.id, True, "", AT, ZONE)
    leave = session.exec(select(Leave)).one()
    assert (leave.start_on, leave.end_on, leave.kind) == (
        date(2026, 9, 28), date(2026, 9, 30), LeaveKind.ANNUAL,
    )  # fmt: skip
    assert agent_requests.to_decide(session, planner) == []
    with pytest.raises(ConflictError, match="decided already"):
        agent_requests.decide(session, planner, request.id, True, "", AT, ZONE)


def test_a_refusal_says_why_and_records_no_leave(
    session: Session, roster_week: Callable[..., Any]
) -> None:
    request = asked(session, roster_week(session))
    planner = actor_of(None, Role.PLANNER)
    with pytest.raises(InputError, match="say why"):
        agent_requests.decide(session, planner, request.id, False, " ", AT, ZONE)
    agent_requests.decide(session, planner, request.id, False, "too few people", AT, ZONE)
    assert request.status == RequestStatus.REFUSED
    assert session.exec(select(Leave)).first() is None


def test_nobody_decides_their_own_request(
    session: Session, roster_week: Callable[..., Any]
) -> None:
    week = roster_week(session)
    request = asked(session, week)
    both = actor_of(week.agents["A"], Role.AGENT, Role.PLANNER)
    with pytest.raises(AccessDeniedError, match="their own request"):
        agent_requests.decide(session, both, request.id, True, "", AT, ZONE)


def test_a_planner_of_another_team_sees_and_decides_nothing(
    session: Session, roster_week: Callable[..., Any]
) -> None:
    week = roster_week(session)
    request = asked(session, week)
    other = Actor("other", roles={Role.PLANNER: frozenset({week.other_team})})
    assert agent_requests.to_decide(session, other) == []
    with pytest.raises(AccessDeniedError):
        agent_requests.decide(session, other, request.id, True, "", AT, ZONE)


def test_leave_over_leave_is_refused(session: Session, roster_week: Callable[..., Any]) -> None:
    week = roster_week(session)
    planner = actor_of(None, Role.PLANNER)
    agent_requests.decide(session, planner, asked(session, week).id, True, "", AT, ZONE)
    with pytest.raises(ConflictError, match="leave on some"):
        agent_requests.decide(session, planner, asked(session, week).id, True, "", AT, ZONE)


@pytest.mark.parametrize(("first", "last"), [(0, -1), (0, 180), (-9, -9)])
def test_days_that_make_no_sense_are_refused(
    session: Session, roster_week: Callable[..., Any], first: int, last: int
) -> None:
    agent = actor_of(roster_week(session).agents["A"], Role.AGENT)
    days = [TODAY + timedelta(days=n) for n in (first, last)]
    with pytest.raises(InputError):
        agent_requests.ask_leave(session, agent, *days, LeaveKind.ANNUAL, "", TODAY, AT)


def test_a_swap_wants_the_colleague_first(
    session: Session, roster_week: Callable[..., Any]
) -> None:
    week = roster_week(session)
    request = agent_requests.AgentRequest(
        agent_id=week.agents["A"], kind=RequestKind.SWAP, first_day=week.first,
        last_day=week.first, colleague_id=week.agents["B"], made_at=AT,
    )  # fmt: skip
    session.add(request)
    session.flush()
    with pytest.raises(ConflictError, match="not agreed"):
        agent_requests.decide(session, actor_of(None, Role.PLANNER), request.id, True, "", AT, ZONE)
    with pytest.raises(AccessDeniedError):
        agent_requests.agree(session, actor_of(week.agents["C"], Role.AGENT), request.id, AT)
    agent_requests.agree(session, actor_of(week.agents["B"], Role.AGENT), request.id, AT)
    assert request.agreed_at == AT


def test_only_those_concerned_withdraw(session: Session, roster_week: Callable[..., Any]) -> None:
    week = roster_week(session)
    request = asked(session, week)
    with pytest.raises(AccessDeniedError):
        agent_requests.withdraw(session, actor_of(week.agents["B"], Role.AGENT), request.id, AT)
    agent_requests.withdraw(session, actor_of(week.agents["A"], Role.AGENT), request.id, AT)
    assert request.status == RequestStatus.WITHDRAWN


def test_an_account_without_an_agent_has_no_desk(session: Session) -> None:
    with pytest.raises(NotFoundError, match="belongs to no agent"):
        agent_desk.own_agent(session, actor_of(None, Role.AGENT))


def test_the_feed_ends_when_it_is_revoked(
    session: Session, roster_week: Callable[..., Any]
) -> None:
    agent = actor_of(roster_week(session).agents["A"], Role.AGENT)
    old = calendar_feed.open_feed(session, agent, AT)
    new = calendar_feed.open_feed(session, agent, AT)
    assert b"BEGIN:VCALENDAR" in calendar_feed.read(session, new, TODAY, AT, "zh", ZONE)
    for token in (old, new[:-1], ""):
        with pytest.raises(NotFoundError):
            calendar_feed.read(session, token, TODAY, AT, "zh", ZONE)
    calendar_feed.close_feed(session, agent, AT)
    with pytest.raises(NotFoundError):
        calendar_feed.read(session, new, TODAY, AT, "zh", ZONE)


def test_the_export_holds_ones_own_records_and_no_secret(
    session: Session, roster_week: Callable[..., Any]
) -> None:
    week = roster_week(session)
    agent = actor_of(week.agents["D"], Role.AGENT)
    session.add(
        Account(name="dee", display_name="D Li", password_hash="argon-of-D", totp_secret="OTP-OF-D",
                totp_step=77, agent_id=week.agents["D"])
    )  # fmt: skip
    session.flush()
    held = own_records.export(session, agent, AT)
    assert '"agent_code": "D"' in held
    assert '"name": "dee"' in held  # the account is told, and none of its secrets
    for secret in ("password", "argon-of-D", "totp", "OTP-OF-D", "failures", "locked_until"):
        assert secret not in held
    assert "A Li" not in held
    # D is in one team, holds one grade and two skills
    counted = own_records.counts(session, agent)
    assert (counted["teams"], counted["grades"], counted["skills"]) == (1, 1, 2)
    assert session.exec(select(AgentTeam)).first() is not None


def test_whatever_is_kept_about_a_person_is_in_the_export() -> None:
    # a feed's address is a secret; locks, events, handovers and watches are told with what they
    # belong to: duties and tickets
    apart = {"calendar_feed", "roster_lock", "ticket_event", "duty_handover", "ticket_handover",
             "watch_decision"}  # fmt: skip
    about = {
        name
        for name, table in SQLModel.metadata.tables.items()
        if any(key.column.table.name == "agent" for key in table.foreign_keys)
    }
    told = {str(table.__tablename__) for table, _ in own_records.HELD.values()}
    assert about <= told | apart


def test_the_sample_desk_has_requests_to_decide(
    session: Session, roster_week: Callable[..., Any]
) -> None:
    roster_week(session)
    sample_requests.ask(session, AT, ZONE)
    waiting = agent_requests.to_decide(session, actor_of(None, Role.PLANNER, Role.LEAD))
    assert sorted(one.request.kind for one in waiting) == ["correction", "leave", "leave"]
