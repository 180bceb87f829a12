"""The support-line log of three lines: from 43,768 events to a month's roster and its replay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from records_desk import HOUR, Desk, Promise, check_evidence, check_import
from records_rosters import (
    check_replay,
    check_rosters,
    codes_between,
    plan,
    replay_own,
    replay_plan,
    rosters,
)
from sqlmodel import col, select

from wfm import db
from wfm.dispatch.replay import Decision
from wfm.dispatch.report import Report
from wfm.importing.report import ImportReport
from wfm.sla.clocks import State
from wfm.tables import Agent, AgentGrade, Assessment, Skill, Ticket, TicketEvent
from wfm.words import Grade

pytestmark = [pytest.mark.records, pytest.mark.xdist_group("support-line-log")]

FILE = "volvo_incident_events_sample"
TIMEZONE = "Europe/Stockholm"
# Assumed: the log names impacts (major, high, medium, low) and promises nothing.
PROMISES = {
    1: Promise(HOUR // 4, 4 * HOUR),
    2: Promise(HOUR // 2, 8 * HOUR),
    3: Promise(4 * HOUR, 30 * HOUR),
    4: Promise(8 * HOUR, 50 * HOUR),
}
SHARE = 0.9
# Assumed: the log holds elapsed times and no effort. Median minutes of work by priority.
EFFORT_MEDIAN_MIN = {1: 60, 2: 45, 3: 20, 4: 15}
# Assumed: three quarters of the tickets of the rostered organisation are opened in these hours.
HOURS = {day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
# Two thirds of the tickets end in this organisation. 670 people worked in it, none of them much;
# the roster takes the busiest of each line.
ORGANISATION = "Org line C"
TEAM = {Grade.ORDINARY: 24, Grade.SENIOR: 12, Grade.EXPERT: 4}
MONTH = (date(2012, 5, 1), date(2012, 5, 31))
CYCLE = (date(2012, 4, 1), date(2012, 5, 31))
AT = datetime(2012, 5, 1, 4, tzinfo=UTC)
LOGGED_UNTIL = datetime(2012, 6, 1, tzinfo=UTC)


@dataclass
class Circle:
    desk: Desk
    imported: ImportReport
    clocks: dict[str, dict[str, State]]
    assessments: list[Assessment]
    facts: dict[str, Any]
    versions: list[int]
    drawn: dict[str, Any]
    decisions: list[Decision]
    own: Report


@pytest.fixture(scope="module")
def circle(open_desk_of: Callable[[str, str], Desk]) -> Circle:
    desk = open_desk_of("support_lines", TIMEZONE)
    imported = desk.log(FILE, "ticket-events", "support-line-log", LOGGED_UNTIL)
    desk.plain_calendar([2010, 2011, 2012], (5, 6), AT)
    desk.set_up(HOURS, PROMISES, SHARE)
    desk.assume(PROMISES, LOGGED_UNTIL, EFFORT_MEDIAN_MIN)
    clocks = desk.timed("clocks", lambda: desk.clocks(PROMISES, LOGGED_UNTIL))
    # the lines are the grades here, so the proposals are looked at and not signed
    assessments = desk.grades("2012-05", *CYCLE, LOGGED_UNTIL)
    desk.keep_to(_busiest(desk), MONTH[0])
    made = plan(desk, *MONTH, AT)
    versions = rosters(desk, [ORGANISATION], *MONTH, AT)
    drawn = replay_plan(desk, versions, [ORGANISATION], AT)
    decisions, own = replay_own(desk, versions, [ORGANISATION], *MONTH)
    return Circle(desk, imported, clocks, assessments, made.facts, versions, drawn, decisions, own)


def _busiest(desk: Desk) -> dict[str, tuple[str, str]]:
    """Those named in most events of the organisation's tickets, so many of each grade."""
    events = sa.func.count(col(TicketEvent.id))
    with db.transaction(desk.engine) as session:
        rows = session.exec(
            select(Agent.code, AgentGrade.grade)
            .join(TicketEvent, col(TicketEvent.agent_id) == Agent.id)
            .join(Ticket, col(Ticket.id) == TicketEvent.ticket_id)
            .join(Skill, col(Skill.id) == Ticket.skill_id)
            .join(AgentGrade, col(AgentGrade.agent_id) == Agent.id)
            .where(Skill.code == ORGANISATION)
            .group_by(Agent.code, AgentGrade.grade)
            .order_by(events.desc(), Agent.code)
        ).all()
    chosen = [
        agent
        for grade, people in TEAM.items()
        for agent in [agent for agent, held in rows if held == grade][:people]
    ]
    return dict.fromkeys(chosen, (ORGANISATION, ORGANISATION))


def test_every_event_lands(circle: Circle) -> None:
    check_import(circle.imported)
    kinds = circle.imported.kinds
    assert (kinds["ticket-events"].rows, kinds["tickets"].rows) == (43_768, 4_996)
    assert sum(counts.rejected for counts in kinds.values()) == 0


def test_the_three_lines_are_the_tiers(circle: Circle) -> None:
    with db.transaction(circle.desk.engine) as session:
        tickets = dict(
            session.execute(
                sa.select(col(Ticket.min_grade), sa.func.count()).group_by(col(Ticket.min_grade))
            ).all()
        )
        people = dict(
            session.execute(
                sa.select(col(AgentGrade.grade), sa.func.count()).group_by(col(AgentGrade.grade))
            ).all()
        )
    circle.desk.figures["tiers"] = {
        grade.value: {"tickets": tickets[grade], "people": people[grade]} for grade in Grade
    }
    assert sum(tickets.values()) == 4_996
    assert sum(people.values()) == 1_273
    assert all(tickets[grade] and people[grade] for grade in Grade)


def test_every_ticket_has_both_clocks_read(circle: Circle) -> None:
    assert len(circle.clocks) == 4_996
    for by_priority in circle.desk.figures["clocks"].values():
        assert sum(sum(states.values()) for states in by_priority.values()) == 4_996
        assert "idle" not in {state for states in by_priority.values() for state in states}


def test_support_people_are_assessed_on_what_the_log_knows(circle: Circle) -> None:
    assert len(circle.assessments) == 1_273
    check_evidence(circle.assessments, {"resolution"})
    order = [grade.value for grade in Grade]
    for one in circle.assessments:
        before, after = order.index(one.previous_grade.value), order.index(one.proposed_grade.value)
        assert abs(after - before) <= 1
        if one.evidence["resolution"]["n"] == 0:
            assert after == before


def test_demand_is_told_with_its_error(circle: Circle) -> None:
    told = circle.facts["skills"][ORGANISATION]
    assert told["contacts"] > 0
    assert told["accuracy"]["wape"] <= told["naive"]["wape"]


def test_the_roster_keeps_the_law_and_names_its_gaps(circle: Circle) -> None:
    check_rosters(circle.desk, circle.versions)


def test_the_replay_accounts_for_every_ticket_of_the_month(circle: Circle) -> None:
    codes = codes_between(circle.desk, [ORGANISATION], *MONTH)
    check_replay(circle.decisions, circle.own, codes)
    grades = {"ordinary": 1, "senior": 2, "expert": 3}
    with db.transaction(circle.desk.engine) as session:
        held = dict(session.exec(select(Agent.code, AgentGrade.grade).join(AgentGrade)).all())
    for decision in circle.decisions:
        if decision.agent_id is not None:
            assert grades[held[decision.agent_id].value] >= decision.ticket.tier
    assert replay_plan(circle.desk, circle.versions, [ORGANISATION], AT) == circle.drawn
