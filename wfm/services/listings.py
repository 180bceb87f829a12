"""Plain lists for machines: pages of rows after a number, each as a document."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access
from wfm.access import Actor
from wfm.errors import NotFoundError
from wfm.services import rostering
from wfm.services.facts import in_force
from wfm.services.roster_versions import newest_version
from wfm.tables import (
    Agent,
    AgentGrade,
    AgentTeam,
    Assignment,
    Job,
    Roster,
    RosterVersion,
    Skill,
    Team,
    Ticket,
)
from wfm.words import TicketState


@dataclass(frozen=True)
class Page:
    """Rows, and the number to ask for more after; None at the end."""

    rows: list[dict[str, Any]]
    after: int | None


def tickets(
    session: Session, actor: Actor, after: int, limit: int, state: TicketState | None
) -> Page:
    """Tickets by row number."""
    access.require(actor, "dispatch.view")
    query = (
        select(Ticket, Skill.code, Agent.code)
        .join(Skill, col(Skill.id) == Ticket.skill_id, isouter=True)
        .join(Agent, col(Agent.id) == Ticket.owner_id, isouter=True)
        .where(col(Ticket.id) > after)
    )
    if state is not None:
        query = query.where(Ticket.state == state)
    found = session.exec(query.order_by(col(Ticket.id)).limit(limit + 1)).all()
    return _page([_ticket(*row) for row in found], [row[0].id for row in found], limit)


def ticket(session: Session, actor: Actor, code: str) -> dict[str, Any]:
    access.require(actor, "dispatch.view")
    found = session.exec(
        select(Ticket, Skill.code, Agent.code)
        .join(Skill, col(Skill.id) == Ticket.skill_id, isouter=True)
        .join(Agent, col(Agent.id) == Ticket.owner_id, isouter=True)
        .where(Ticket.code == code)
    ).first()
    if found is None:
        raise NotFoundError(f"there is no ticket {code}")
    return _ticket(*found)


def agents(session: Session, actor: Actor, after: int, limit: int, on: date) -> Page:
    """Agents with team and grade of a day; only of the teams the actor may see."""
    access.require(actor, "rosters.view")
    teams = actor.teams("rosters.view")
    query = (
        select(Agent, Team.code, AgentGrade.grade)
        .join(AgentTeam, sa.and_(col(AgentTeam.agent_id) == col(Agent.id),
                                 in_force(AgentTeam, on)), isouter=True)
        .join(Team, col(Team.id) == AgentTeam.team_id, isouter=True)
        .join(AgentGrade, sa.and_(col(AgentGrade.agent_id) == col(Agent.id),
                                  in_force(AgentGrade, on)), isouter=True)
        .where(col(Agent.id) > after)
    )  # fmt: skip
    if teams is not None:
        query = query.where(col(AgentTeam.team_id).in_(teams))
    found = session.exec(query.order_by(col(Agent.id)).limit(limit + 1)).all()
    rows = [{"code": one.code, "name": one.name, "team": team, "grade": grade or "ordinary",
             "capacity": one.capacity} for one, team, grade in found]  # fmt: skip
    return _page(rows, [one.id for one, _, _ in found], limit)


def grades(session: Session, actor: Actor, after: int, limit: int) -> Page:
    """Grades held, with the days they are in force."""
    access.require(actor, "grades.view")
    teams = actor.teams("grades.view")
    query = (
        select(AgentGrade, Agent.code)
        .join(Agent, col(Agent.id) == AgentGrade.agent_id)
        .where(col(AgentGrade.id) > after)
    )
    if teams is not None:
        members = select(AgentTeam.agent_id).where(col(AgentTeam.team_id).in_(teams))
        query = query.where(col(AgentGrade.agent_id).in_(members))
    found = session.exec(query.order_by(col(AgentGrade.id)).limit(limit + 1)).all()
    rows = [{"agent": code, "grade": one.grade, "valid_from": one.valid_from,
             "valid_until": one.valid_until} for one, code in found]  # fmt: skip
    return _page(rows, [one.id for one, _ in found], limit)


def rosters(session: Session, actor: Actor, after: int, limit: int) -> Page:
    access.require(actor, "rosters.view")
    teams = actor.teams("rosters.view")
    query = select(Roster, Team.code).join(Team, col(Team.id) == Roster.team_id)
    query = query.where(col(Roster.id) > after)
    if teams is not None:
        query = query.where(col(Roster.team_id).in_(teams))
    found = session.exec(query.order_by(col(Roster.id)).limit(limit + 1)).all()
    rows = [{"id": one.id, "team": code, "period_from": one.period_from,
             "period_until": one.period_until} for one, code in found]  # fmt: skip
    return _page(rows, [one.id for one, _ in found], limit)


def roster(session: Session, actor: Actor, roster_id: int) -> dict[str, Any]:
    """A roster with its newest version."""
    row = rostering.get_roster(session, actor, roster_id)
    access.require(actor, "rosters.view", row.team_id)
    newest = newest_version(session, roster_id)
    return {
        "id": row.id, "team_id": row.team_id, "period_from": row.period_from,
        "period_until": row.period_until,
        "newest_version": newest and {
            "id": newest.id, "number": newest.number, "status": newest.status,
            "made_at": newest.made_at, "cost": newest.verdict.get("cost"),
        },
    }  # fmt: skip


def duties(session: Session, actor: Actor, after: int, limit: int, first: date, last: date) -> Page:
    """Published duties of days."""
    access.require(actor, "rosters.view")
    teams = actor.teams("rosters.view")
    query = (
        select(Assignment, Agent.code)
        .join(Agent, col(Agent.id) == Assignment.agent_id)
        .join(RosterVersion, col(RosterVersion.id) == Assignment.version_id)
        .join(Roster, col(Roster.id) == RosterVersion.roster_id)
        .where(col(Assignment.id) > after, Assignment.live, Assignment.day >= first,
               Assignment.day <= last)
    )  # fmt: skip
    if teams is not None:
        query = query.where(col(Roster.team_id).in_(teams))
    found = session.exec(query.order_by(col(Assignment.id)).limit(limit + 1)).all()
    rows = [{"agent": code, "day": one.day, "shift": one.shift_code, "starts_at": one.starts_at,
             "ends_at": one.ends_at, "mode": one.mode, "kind": one.kind}
            for one, code in found]  # fmt: skip
    return _page(rows, [one.id for one, _ in found], limit)


def job_document(job: Job) -> dict[str, Any]:
    return {
        "id": job.id, "task": job.task, "status": job.status, "progress": job.progress,
        "message": job.message, "error": job.error, "result": job.result, "asked_by": job.asked_by,
        "asked_at": job.asked_at, "ended_at": job.ended_at,
    }  # fmt: skip


def figures(session: Session) -> dict[str, float]:
    """Counts for a monitor; nothing personal."""

    def count(query: Any) -> float:
        return float(session.scalar(query) or 0)

    number = sa.func.count()
    return {
        "tierdesk_tickets_waiting": count(
            sa.select(number).select_from(Ticket).where(
                col(Ticket.state) == TicketState.OPEN, col(Ticket.owner_id).is_(None))),
        "tierdesk_tickets_in_hand": count(
            sa.select(number).select_from(Ticket).where(
                col(Ticket.state) == TicketState.OPEN, col(Ticket.owner_id).is_not(None))),
        "tierdesk_jobs_waiting": count(
            sa.select(number).select_from(Job).where(col(Job.status) == "waiting")),
        "tierdesk_jobs_failed": count(
            sa.select(number).select_from(Job).where(col(Job.status) == "failed")),
    }  # fmt: skip


def _ticket(row: Ticket, skill: str | None, owner: str | None) -> dict[str, Any]:
    return {
        "code": row.code, "title": row.title, "kind": row.kind, "state": row.state, "skill": skill,
        "owner": owner, "min_grade": row.min_grade, "priority": row.priority,
        "opened_at": row.opened_at, "due_at": row.due_at, "resolved_at": row.resolved_at,
    }  # fmt: skip


def _page(rows: list[dict[str, Any]], numbers: list[int | None], limit: int) -> Page:
    more = len(rows) > limit
    return Page(rows[:limit], numbers[limit - 1] if more else None)
