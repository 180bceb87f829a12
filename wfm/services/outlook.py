"""What the look ahead says of the live queue, reckoned with the handle times of recent work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col

from wfm.dispatch.ahead import Expected, look_ahead
from wfm.dispatch.model import SECOND, micro
from wfm.services.desk_snapshot import Snapshot
from wfm.services.facts import AgentFacts
from wfm.tables import Skill, Ticket

HANDLED_WITHIN = timedelta(days=28)
MOST_HANDLED = 10_000
USUAL_HANDLE_S = 900


@dataclass(frozen=True)
class Outlook:
    """When a waiting ticket may expect to be started; `overflow` could, if the desk allowed it."""

    starts_at: datetime | None
    at_risk: bool
    overflow: AgentFacts | None


def outlook(session: Session, desk: Snapshot, at: datetime) -> dict[str, Outlook]:
    """By ticket code."""
    people = {seat.agent.code: seat.agent for seat in desk.seats}

    def said(one: Expected) -> Outlook:
        starts = None if one.start is None else datetime.fromtimestamp(one.start / SECOND, UTC)
        return Outlook(starts, one.at_risk, people.get(one.overflow or ""))

    found = look_ahead(
        desk.policy, desk.state, micro(at), mean_handle(session, at), USUAL_HANDLE_S * SECOND
    )
    return {one.ticket_id: said(one) for one in found}


def mean_handle(session: Session, at: datetime) -> dict[str, int]:
    """Mean time in hand by skill, microseconds: the newest tickets of the last four weeks."""
    recent = (
        sa.select(col(Ticket.skill_id), col(Ticket.handle_s))
        .where(
            col(Ticket.handle_s).is_not(None),
            col(Ticket.opened_at) > at - HANDLED_WITHIN,
            col(Ticket.opened_at) <= at,
        )
        .order_by(col(Ticket.opened_at).desc())
        .limit(MOST_HANDLED)
        .subquery()
    )
    rows = session.execute(
        sa.select(col(Skill.code), sa.func.avg(recent.c.handle_s))
        .join(Skill, col(Skill.id) == recent.c.skill_id)
        .group_by(col(Skill.code))
    )
    return {skill: int(mean * SECOND) for skill, mean in rows}
