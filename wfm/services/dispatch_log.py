"""The log of dispatch: who gave what to whom, what was proposed, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from wfm import access
from wfm.access import Actor
from wfm.tables import Agent, DispatchDecision, Ticket

PAGE = 50


@dataclass(frozen=True)
class LogRow:
    """One decision; `proposed` is None where the policy proposed nobody."""

    id: int
    at: datetime
    ticket: Ticket
    agent: Agent
    proposed: Agent | None
    decided_by: str
    reasons: list[dict[str, Any]]
    note: str

    @property
    def differs(self) -> bool:
        """Whether a person chose otherwise than the policy."""
        return self.proposed is None or self.proposed.id != self.agent.id


def search(
    session: Session,
    actor: Actor,
    words: str = "",
    *,
    differing: bool = False,
    before: int | None = None,
    limit: int = PAGE,
) -> Sequence[LogRow]:
    """Decisions, newest first, each of whose `words` is in its ticket, people or note.

    `before` is the id of a decision; only older ones are listed then.
    """
    access.require(actor, "dispatch.view")
    proposed, edge = aliased(Agent), aliased(DispatchDecision)
    # a decision may be written down after a later one: what counts is when it was made
    when = col(DispatchDecision.at), col(DispatchDecision.id)
    query = (
        select(DispatchDecision, Ticket, Agent, proposed)
        .join(Ticket, col(Ticket.id) == DispatchDecision.ticket_id)
        .join(Agent, col(Agent.id) == DispatchDecision.agent_id)
        .join(proposed, col(proposed.id) == DispatchDecision.proposed_agent_id, isouter=True)
    )
    places = (
        Ticket.code, Ticket.title, Agent.code, Agent.name, proposed.code, proposed.name,
        DispatchDecision.decided_by, DispatchDecision.note,
    )  # fmt: skip
    for word in words.split()[:8]:
        query = query.where(
            sa.or_(*(col(place).icontains(word, autoescape=True) for place in places))
        )
    if differing:
        query = query.where(
            col(DispatchDecision.proposed_agent_id).is_distinct_from(col(DispatchDecision.agent_id))
        )
    if before is not None:
        last = sa.select(col(edge.at), col(edge.id)).where(col(edge.id) == before)
        query = query.where(sa.tuple_(*when) < last.scalar_subquery())
    found = session.exec(query.order_by(*(one.desc() for one in when)).limit(limit))
    return [
        LogRow(one.id or 0, one.at, ticket, agent, other, one.decided_by, one.reasons, one.note)
        for one, ticket, agent, other in found
    ]
