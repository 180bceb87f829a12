"""Changing shifts with a colleague: whom the rules allow, and what granting it makes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler.solution import Roster as Cells
from wfm.access import Actor
from wfm.errors import ConflictError, InputError
from wfm.services import agent_requests, roster_problems, roster_versions, rostering, swaps
from wfm.tables import Agent, Assignment, Leave, RosterVersion
from wfm.words import LeaveKind, RequestStatus, Role, RosterStatus

ZONE = "Asia/Shanghai"


@pytest.fixture
def week(session: Session, roster_week: Callable[[Session], Any]) -> Any:
    """B works late and D early on Monday, published; A, C and E are off."""
    desk = roster_week(session)
    at = desk.local(desk.first, 0)
    roster = rostering.open_roster(session, desk.planner, desk.team, desk.first, desk.last, at)
    problem = roster_problems.build(session, roster, ZONE)
    cells = Cells({("B", desk.first): "late", ("D", desk.first): "early"})
    number = roster_versions.store_version(
        session, roster.id or 0, problem, cells, "plan", at, ZONE, result={"status": "feasible"}
    )
    session.execute(
        sa.update(Assignment).where(col(Assignment.version_id) == number).values(live=True)
    )
    session.expire_all()
    return desk


def agent_of(session: Session, code: str) -> Agent:
    return session.exec(select(Agent).where(Agent.code == code)).one()


def test_colleagues_with_another_shift_are_proposed(session: Session, week: Any) -> None:
    panel = swaps.candidates(session, agent_of(session, "B"), week.first)
    assert panel.shift is not None
    assert panel.shift.code == "late"
    # everybody else of the team of five may: A, C and E are off, D works early
    assert {one.code: one.shift and one.shift.code for one in panel.candidates} == {
        "A": None, "C": None, "D": "early", "E": None,
    }  # fmt: skip
    changes = [one.change for one in panel.candidates]
    assert changes == sorted(changes)


def test_who_is_away_is_not_proposed(session: Session, week: Any) -> None:
    session.add(
        Leave(agent_id=week.agents["C"], start_on=week.first, end_on=week.first,
              kind=LeaveKind.ANNUAL)
    )  # fmt: skip
    session.flush()
    found = swaps.candidates(session, agent_of(session, "B"), week.first).candidates
    assert "C" not in {one.code for one in found}


def test_a_day_without_a_duty_has_nothing_to_swap(session: Session, week: Any) -> None:
    with pytest.raises(InputError, match="no duty to change"):
        swaps.candidates(session, agent_of(session, "A"), week.first)


def granted(session: Session, week: Any) -> None:
    """B and D exchange their duties of Monday, as both and the planner want."""
    at, today = week.local(week.first, 0), week.first - timedelta(days=1)
    me, colleague = (
        Actor(code, roles={Role.AGENT: None}, agent_id=week.agents[code]) for code in "BD"
    )
    request = agent_requests.ask_swap(
        session, me, week.first, week.agents["D"], "", today, at
    )  # fmt: skip
    agent_requests.agree(session, colleague, request.id or 0, at)
    agent_requests.decide(session, week.planner, request.id or 0, True, "", at, ZONE)
    assert request.status == RequestStatus.GRANTED
    session.expire_all()


def live(session: Session) -> set[tuple[str, str]]:
    return set(
        session.exec(
            select(Agent.code, Assignment.shift_code)
            .join(Assignment, col(Agent.id) == Assignment.agent_id)
            .where(col(Assignment.live))
        ).all()
    )


def test_a_granted_swap_moves_the_duties_people_work_by(session: Session, week: Any) -> None:
    assert live(session) == {("B", "late"), ("D", "early")}
    granted(session, week)
    assert live(session) == {("B", "early"), ("D", "late")}
    newest = session.exec(select(RosterVersion).order_by(col(RosterVersion.number))).all()[-1]
    assert (newest.number, newest.status, newest.note) == (
        2, RosterStatus.PUBLISHED, f"B ⇄ D {week.first}",
    )  # fmt: skip


def test_a_draft_in_hand_gets_the_swap_too(session: Session, week: Any) -> None:
    roster_id = session.exec(select(RosterVersion.roster_id)).one()
    problem = roster_versions.problem_of(session.exec(select(RosterVersion)).one())
    cells = Cells({("B", week.first): "late", ("D", week.first): "early",
                   ("E", week.first): "early"})  # fmt: skip
    roster_versions.store_version(
        session, roster_id, problem, cells, "plan", week.local(week.first, 0), ZONE, result={}
    )
    granted(session, week)
    versions = session.exec(select(RosterVersion).order_by(col(RosterVersion.number))).all()
    assert [one.status for one in versions[2:]] == [RosterStatus.PUBLISHED, RosterStatus.DRAFT]
    assert dict(roster_versions.cells_of(session, versions[3]).cells) == {
        ("B", week.first): "early", ("D", week.first): "late", ("E", week.first): "early",
    }  # fmt: skip


def test_a_swap_is_asked_for_in_time_and_with_somebody_allowed(session: Session, week: Any) -> None:
    at = week.local(week.first, 0)
    me = Actor("B", roles={Role.AGENT: None}, agent_id=week.agents["B"])
    with pytest.raises(InputError, match="before the day begins"):
        agent_requests.ask_swap(session, me, week.first, week.agents["D"], "", week.first, at)
    with pytest.raises(ConflictError, match="do not allow"):
        agent_requests.ask_swap(
            session, me, week.first, week.agents["B"], "", week.first - timedelta(days=1), at
        )
