"""What the desk holds about an agent, for that agent: to read, to correct, to take away."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col

from wfm import audit
from wfm.access import Actor
from wfm.services.agent_desk import own_agent
from wfm.tables import (
    Account,
    Agent,
    AgentAvailability,
    AgentContract,
    AgentGrade,
    AgentRequest,
    AgentRestriction,
    AgentSite,
    AgentSkill,
    AgentTeam,
    Assessment,
    Assignment,
    Contribution,
    DispatchDecision,
    DutyWish,
    HolidayDuty,
    Leave,
    PostHolding,
    QualityReview,
    RosterPreference,
    RosterWish,
    SeriousEvent,
    Survey,
    Ticket,
)

HELD: dict[str, tuple[type[SQLModel], str]] = {
    "account": (Account, "agent_id"),
    "agent": (Agent, "id"),
    "teams": (AgentTeam, "agent_id"),
    "grades": (AgentGrade, "agent_id"),
    "skills": (AgentSkill, "agent_id"),
    "contracts": (AgentContract, "agent_id"),
    "restrictions": (AgentRestriction, "agent_id"),
    "availability": (AgentAvailability, "agent_id"),
    "sites": (AgentSite, "agent_id"),
    "leave": (Leave, "agent_id"),
    "duties": (Assignment, "agent_id"),
    "holiday_duty": (HolidayDuty, "agent_id"),
    "posts": (PostHolding, "agent_id"),
    "wishes": (DutyWish, "agent_id"),
    "roster_wishes": (RosterWish, "agent_id"),
    "preferences": (RosterPreference, "agent_id"),
    "requests": (AgentRequest, "agent_id"),
    "tickets": (Ticket, "owner_id"),
    "decisions": (DispatchDecision, "agent_id"),
    "surveys": (Survey, "agent_id"),
    "reviews": (QualityReview, "agent_id"),
    "contributions": (Contribution, "agent_id"),
    "serious_events": (SeriousEvent, "agent_id"),
    "assessments": (Assessment, "agent_id"),
}
SECRET = {"password_hash", "totp_secret", "totp_step", "failures", "locked_until"}


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """How many records of each kind there are."""
    agent = own_agent(session, actor)
    return {
        name: int(
            session.scalar(
                sa.select(sa.func.count())
                .select_from(table)
                .where(col(getattr(table, column)) == agent.id)
            )
            or 0
        )
        for name, (table, column) in HELD.items()
    }


def export(session: Session, actor: Actor, at: datetime) -> str:
    """Everything as one JSON document; no secrets, and nobody else's names."""
    agent = own_agent(session, actor)
    document: dict[str, Any] = {"made_at": at.isoformat(), "agent_code": agent.code}
    for name, (table, column) in HELD.items():
        rows = session.execute(
            sa.select(*(c for c in table.__table__.columns if c.name not in SECRET))  # type: ignore[attr-defined]
            .where(col(getattr(table, column)) == agent.id)
            .order_by(sa.text("id"))
        )
        document[name] = [dict(row._mapping) for row in rows]
    audit.record(session, at, actor.name, "records.export", f"agent {agent.code}")
    return json.dumps(document, ensure_ascii=False, indent=1, default=str)
