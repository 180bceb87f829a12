"""Tickets, their append-only events, and the decisions of dispatch."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from wfm.tables.base import code, document, instant, key, ref, word
from wfm.words import EventKind, Grade, TicketKind, TicketState


class Ticket(SQLModel, table=True):
    """One customer request. What follows from its events is stored as a cache."""

    __table_args__ = (
        sa.CheckConstraint("priority between 1 and 9", name="priority_1_to_9"),
        sa.CheckConstraint("resolved_at >= opened_at", name="resolved_after_opened"),
        sa.CheckConstraint("closed_at >= opened_at", name="closed_after_opened"),
        sa.CheckConstraint("handle_s >= 0", name="handle_not_negative"),
        sa.Index("ix_ticket_open", "next_look_at", postgresql_where=sa.text("state = 'open'")),
    )

    id: int | None = key()
    code: str = code()
    opened_at: datetime = instant(index=True)
    kind: TicketKind = word(TicketKind, default=TicketKind.REQUEST)
    title: str = ""
    skill_id: int | None = ref("skill.id", nullable=True)
    min_grade: Grade = word(Grade, default=Grade.ORDINARY)
    priority: int = 3
    category: str = ""
    channel: str = ""
    difficulty: float | None = None
    service_id: int | None = ref("service.id", nullable=True, index=False)
    customer_id: int | None = ref("customer.id", nullable=True, index=False)
    respond_within_s: int | None = None
    resolve_within_s: int | None = None
    handle_s: int | None = None

    state: TicketState = word(TicketState, default=TicketState.OPEN)
    owner_id: int | None = ref("agent.id", nullable=True)
    first_response_at: datetime | None = instant(nullable=True)
    resolved_at: datetime | None = instant(nullable=True, index=True)
    closed_at: datetime | None = instant(nullable=True)
    resolved: bool | None = None
    independent: bool | None = None
    reopened: bool | None = None
    due_at: datetime | None = instant(nullable=True)
    next_look_at: datetime | None = instant(nullable=True)


class TicketEvent(SQLModel, table=True):
    """What happened to a ticket; never changed or removed (a trigger holds this)."""

    __tablename__ = "ticket_event"
    __table_args__ = (sa.Index("ix_ticket_event_ticket_at", "ticket_id", "at"),)

    id: int | None = key()
    code: str = code()
    ticket_id: int = ref("ticket.id", index=False)
    at: datetime = instant()
    kind: EventKind = word(EventKind)
    agent_id: int | None = ref("agent.id", nullable=True, index=False)
    team: str = ""
    note: str = ""


class DispatchDecision(SQLModel, table=True):
    """Who was given a ticket, by whom, and why (append-only)."""

    __tablename__ = "dispatch_decision"

    id: int | None = key()
    ticket_id: int = ref("ticket.id")
    agent_id: int = ref("agent.id")
    at: datetime = instant()
    decided_by: str
    policy: str
    proposed_agent_id: int | None = ref("agent.id", nullable=True, index=False)
    reasons: list[dict[str, Any]] = document(list)
    note: str = Field(default="")
