"""Plain lists for machines: pages of rows after a number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access
from wfm.access import Actor
from wfm.errors import NotFoundError
from wfm.services import roster_pages, roster_versions, rostering
from wfm.services.facts import in_force
from wfm.services.roster_pages import VersionFigures
from wfm.tables import (
    Agent,
    AgentGrade,
    AgentTeam,
    Assignment,
    Demand,
    Post,
    Requirement,
    Roster,
    RosterVersion,
    ShiftTemplate,
    Site,
    Skill,
    Team,
    Ticket,
)
from wfm.words import DutyKind, Grade, Mode, TicketKind, TicketState

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Rows, and the number to ask for more after; None at the end."""

    items: tuple[T, ...]
    after: int | None


@dataclass(frozen=True)
class TicketRow:
    """A ticket as a list shows it."""

    code: str
    title: str
    kind: TicketKind
    state: TicketState
    skill: str | None
    owner: str | None
    min_grade: Grade
    priority: int
    opened_at: datetime
    first_response_at: datetime | None
    due_at: datetime | None
    resolved_at: datetime | None


def _ticket(row: Any) -> TicketRow:
    one, skill, owner = row
    return TicketRow(
        one.code, one.title, one.kind, one.state, skill, owner, one.min_grade, one.priority,
        one.opened_at, one.first_response_at, one.due_at, one.resolved_at,
    )  # fmt: skip


def _tickets() -> Any:
    return (
        select(Ticket, Skill.code, Agent.code)
        .join(Skill, col(Skill.id) == Ticket.skill_id, isouter=True)
        .join(Agent, col(Agent.id) == Ticket.owner_id, isouter=True)
    )


def tickets(
    session: Session, actor: Actor, after: int, limit: int, state: TicketState | None = None
) -> Page[TicketRow]:
    """Tickets by row number."""
    access.require(actor, "dispatch.view")
    query = _tickets()
    if state is not None:
        query = query.where(Ticket.state == state)
    return _page(session, query, col(Ticket.id), after, limit, _ticket)


def ticket(session: Session, actor: Actor, code: str) -> TicketRow:
    access.require(actor, "dispatch.view")
    found = session.exec(_tickets().where(Ticket.code == code)).first()
    if found is None:
        raise NotFoundError(f"there is no ticket {code}")
    return _ticket(found)


@dataclass(frozen=True)
class AgentRow:
    """An agent with team and grade of a day."""

    id: int
    code: str
    name: str
    team: str | None
    grade: Grade
    capacity: int


def _agents(actor: Actor, on: date) -> Any:
    """Agents of the teams the actor may see."""
    query = (
        select(Agent, Team.code, AgentGrade.grade)
        .join(AgentTeam, sa.and_(col(AgentTeam.agent_id) == col(Agent.id),
                                 in_force(AgentTeam, on)), isouter=True)
        .join(Team, col(Team.id) == AgentTeam.team_id, isouter=True)
        .join(AgentGrade, sa.and_(col(AgentGrade.agent_id) == col(Agent.id),
                                  in_force(AgentGrade, on)), isouter=True)
    )  # fmt: skip
    teams = actor.teams("rosters.view")
    return query if teams is None else query.where(col(AgentTeam.team_id).in_(teams))


def _agent(row: Any) -> AgentRow:
    one, team, grade = row
    return AgentRow(one.id, one.code, one.name, team, grade or Grade.ORDINARY, one.capacity)


def agents(session: Session, actor: Actor, after: int, limit: int, on: date) -> Page[AgentRow]:
    access.require(actor, "rosters.view")
    return _page(session, _agents(actor, on), col(Agent.id), after, limit, _agent)


def agent(session: Session, actor: Actor, code: str, on: date) -> AgentRow:
    access.require(actor, "rosters.view")
    found = session.exec(_agents(actor, on).where(Agent.code == code)).first()
    if found is None:
        raise NotFoundError(f"there is no agent {code}")
    return _agent(found)


@dataclass(frozen=True)
class GradeHeld:
    """A grade an agent holds or held, with its days."""

    agent: str
    grade: Grade
    valid_from: date
    valid_until: date | None


def grades(session: Session, actor: Actor, after: int, limit: int) -> Page[GradeHeld]:
    """Grades held, with the days they are in force."""
    access.require(actor, "grades.view")
    query = select(AgentGrade, Agent.code).join(Agent, col(Agent.id) == AgentGrade.agent_id)
    teams = actor.teams("grades.view")
    if teams is not None:
        members = select(AgentTeam.agent_id).where(col(AgentTeam.team_id).in_(teams))
        query = query.where(col(AgentGrade.agent_id).in_(members))
    return _page(
        session, query, col(AgentGrade.id), after, limit,
        lambda row: GradeHeld(row[1], row[0].grade, row[0].valid_from, row[0].valid_until),
    )  # fmt: skip


@dataclass(frozen=True)
class RosterRow:
    id: int
    team: str
    period_from: date
    period_until: date


def _roster(row: Any) -> RosterRow:
    one, team = row
    return RosterRow(one.id, team, one.period_from, one.period_until)


def rosters(session: Session, actor: Actor, after: int, limit: int) -> Page[RosterRow]:
    access.require(actor, "rosters.view")
    query = select(Roster, Team.code).join(Team, col(Team.id) == Roster.team_id)
    teams = actor.teams("rosters.view")
    if teams is not None:
        query = query.where(col(Roster.team_id).in_(teams))
    return _page(session, query, col(Roster.id), after, limit, _roster)


@dataclass(frozen=True)
class RosterHead:
    """A roster with its newest version."""

    id: int
    team_id: int
    period_from: date
    period_until: date
    newest_version: VersionFigures | None


def roster(session: Session, actor: Actor, roster_id: int) -> RosterHead:
    row = rostering.get_roster(session, actor, roster_id)
    access.require(actor, "rosters.view", row.team_id)
    listed = roster_pages.versions(session, roster_id)
    newest = listed[0] if listed else None
    return RosterHead(roster_id, row.team_id, row.period_from, row.period_until, newest)


@dataclass(frozen=True)
class DutyRow:
    """One duty of an agent."""

    agent: str
    day: date
    shift: str
    starts_at: datetime
    ends_at: datetime
    mode: Mode
    kind: DutyKind
    post: str | None


def _duty(row: Any) -> DutyRow:
    one, agent, post = row
    return DutyRow(agent, one.day, one.shift_code, one.starts_at, one.ends_at, one.mode, one.kind,
                   post)  # fmt: skip


def _duties() -> Any:
    return (
        select(Assignment, Agent.code, Post.code)
        .join(Agent, col(Agent.id) == Assignment.agent_id)
        .join(Post, col(Post.id) == Assignment.post_id, isouter=True)
    )


def duties(
    session: Session, actor: Actor, after: int, limit: int, first: date, last: date
) -> Page[DutyRow]:
    """Published duties of days."""
    access.require(actor, "rosters.view")
    query = (
        _duties()
        .join(RosterVersion, col(RosterVersion.id) == Assignment.version_id)
        .join(Roster, col(Roster.id) == RosterVersion.roster_id)
        .where(Assignment.live, Assignment.day >= first, Assignment.day <= last)
    )
    teams = actor.teams("rosters.view")
    if teams is not None:
        query = query.where(col(Roster.team_id).in_(teams))
    return _page(session, query, col(Assignment.id), after, limit, _duty)


def duties_of_version(
    session: Session, actor: Actor, version_id: int, after: int, limit: int
) -> Page[DutyRow]:
    """The duties of one version of a roster."""
    version = roster_versions.get_version(session, version_id)
    access.require(
        actor, "rosters.view", rostering.get_roster(session, actor, version.roster_id).team_id
    )
    query = _duties().where(Assignment.version_id == version_id)
    return _page(session, query, col(Assignment.id), after, limit, _duty)


@dataclass(frozen=True)
class Need:
    """People a half-hour wants."""

    team: str | None
    skill: str
    tier: Grade
    starts_at: datetime
    people: float
    source: str


def requirement(session: Session, actor: Actor, plan_id: int, after: int, limit: int) -> Page[Need]:
    """The staffing requirement of a plan, promise by promise."""
    access.require(actor, "rosters.view")
    query = (
        select(Requirement, Team.code, Skill.code)
        .join(Skill, col(Skill.id) == Requirement.skill_id)
        .join(Team, col(Team.id) == Requirement.team_id, isouter=True)
        .where(Requirement.plan_id == plan_id)
    )
    teams = actor.teams("rosters.view")
    if teams is not None:
        query = query.where(col(Requirement.team_id).in_(teams))
    return _page(
        session, query, col(Requirement.id), after, limit,
        lambda row: Need(row[1], row[2], row[0].tier, row[0].starts_at, row[0].people,
                         row[0].source),
    )  # fmt: skip


@dataclass(frozen=True)
class Contacts:
    """Contacts expected in a half-hour, and the work each brings."""

    skill: str
    starts_at: datetime
    contacts: float
    handle_s: float


def demand(session: Session, actor: Actor, plan_id: int, after: int, limit: int) -> Page[Contacts]:
    """The contacts a plan expects."""
    access.require(actor, "rosters.view")
    query = select(Demand, Skill.code).join(Skill, col(Skill.id) == Demand.skill_id)
    return _page(
        session, query.where(Demand.plan_id == plan_id), col(Demand.id), after, limit,
        lambda row: Contacts(row[1], row[0].starts_at, row[0].contacts, row[0].handle_s),
    )  # fmt: skip


def skills(session: Session) -> Sequence[Skill]:
    return session.exec(select(Skill).order_by(Skill.code)).all()


def sites(session: Session) -> Sequence[Site]:
    return session.exec(select(Site).order_by(Site.code)).all()


def shifts(session: Session) -> Sequence[ShiftTemplate]:
    return session.exec(select(ShiftTemplate).order_by(col(ShiftTemplate.id))).all()


def _page(
    session: Session, query: Any, number: Any, after: int, limit: int, told: Callable[[Any], T]
) -> Page[T]:
    """The rows of a query after a row number, and one more to know whether there are more."""
    found = session.exec(query.add_columns(number).where(number > after).order_by(number)
                         .limit(limit + 1)).all()  # fmt: skip
    rows = tuple(told(row[:-1]) for row in found[:limit])
    return Page(rows, found[limit - 1][-1] if len(found) > limit else None)
