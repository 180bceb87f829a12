"""Tickets, their append-only events, and the decisions of dispatch."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from wfm.tables.base import code, document, instant, key, ref, word
from wfm.words import ClockState, EventKind, Grade, Metric, TicketKind, TicketState


class Ticket(SQLModel, table=True):
    """One customer request. What follows from its events is stored as a cache.

    `respond_within_s` and `resolve_within_s` are promises that came with the ticket; they go
    before those of the agreements. `about_id` is the agent a complaint is about, who must not have
    it; `merged_into_id` the ticket that answers this one too. `due_at` is when the customer must
    next have something of it, `next_look_at` when somebody must look at its clocks (see
    `TicketClock`).
    """

    __table_args__ = (
        sa.CheckConstraint("priority between 1 and 9", name="priority_1_to_9"),
        sa.CheckConstraint("resolved_at >= opened_at", name="resolved_after_opened"),
        sa.CheckConstraint("closed_at >= opened_at", name="closed_after_opened"),
        sa.CheckConstraint("handle_s >= 0", name="handle_not_negative"),
        sa.Index(
            "ix_ticket_next_look_at",
            "next_look_at",
            postgresql_where=sa.text("next_look_at is not null"),
        ),
        sa.Index(  # what waits and what is in hand: few of very many
            "ix_ticket_in_work", "owner_id", postgresql_where=sa.text("state in ('open', 'paused')")
        ),
        sa.Index(  # what recent work says, without reading the tickets themselves
            "ix_ticket_opened_at",
            "opened_at",
            postgresql_include=["skill_id", "min_grade", "handle_s"],
        ),
    )

    id: int | None = key()
    code: str = code()
    opened_at: datetime = instant()
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
    about_id: int | None = ref("agent.id", nullable=True, index=False)
    merged_into_id: int | None = ref("ticket.id", nullable=True, index=False)
    first_response_at: datetime | None = instant(nullable=True)
    resolved_at: datetime | None = instant(nullable=True, index=True)
    closed_at: datetime | None = instant(nullable=True)
    resolved: bool | None = None
    independent: bool | None = None
    reopened: bool | None = None
    due_at: datetime | None = instant(nullable=True)
    next_look_at: datetime | None = instant(nullable=True)


class TicketEvent(SQLModel, table=True):
    """What happened to a ticket; never changed or removed (a trigger holds this).

    `priority` and `service_id` are the new ones where the event changed them, `old_…` those before;
    `agreement_id` is the agreement chosen for the ticket by hand, none when its service decides.
    """

    __tablename__ = "ticket_event"
    __table_args__ = (
        sa.Index("ix_ticket_event_ticket_at", "ticket_id", "at"),
        # events come nearly in the order of time: ranges of it do, and cost an import nothing
        sa.Index("ix_ticket_event_at", "at", postgresql_using="brin"),
    )

    id: int | None = key()
    code: str = code()
    ticket_id: int = ref("ticket.id", index=False)
    at: datetime = instant()
    kind: EventKind = word(EventKind)
    agent_id: int | None = ref("agent.id", nullable=True, index=False)
    team: str = ""
    note: str = ""
    priority: int | None = None
    old_priority: int | None = None
    service_id: int | None = ref("service.id", nullable=True, index=False)
    old_service_id: int | None = ref("service.id", nullable=True, index=False)
    agreement_id: int | None = ref("agreement.id", nullable=True, index=False)


class TicketHandover(SQLModel, table=True):
    """An open ticket handed over at the end of a duty: the note, and who signed it when.

    Without `given_to_id` it went back to the queue; who takes it then signs.
    """

    __tablename__ = "ticket_handover"

    id: int | None = key()
    ticket_id: int = ref("ticket.id")
    given_by_id: int = ref("agent.id", index=False)
    given_to_id: int | None = ref("agent.id", nullable=True, index=False)
    note: str
    given_at: datetime = instant()
    given_signature: str
    taken_at: datetime | None = instant(nullable=True)
    taken_signature: str = ""


class DispatchDecision(SQLModel, table=True):
    """Who was given a ticket, by whom, and why (append-only)."""

    __tablename__ = "dispatch_decision"
    __table_args__ = (
        sa.Index("ix_dispatch_decision_at", "at", "id"),
        sa.Index("ix_dispatch_decision_agent_id_at", "agent_id", "at"),
    )

    id: int | None = key()
    ticket_id: int = ref("ticket.id")
    agent_id: int = ref("agent.id", index=False)
    at: datetime = instant()
    decided_by: str
    policy: str
    proposed_agent_id: int | None = ref("agent.id", nullable=True, index=False)
    reasons: list[dict[str, Any]] = document(list)
    note: str = Field(default="")


class TicketClock(SQLModel, table=True):
    """What replaying a ticket's events says of one promise: a cache that can be rebuilt.

    `slot` tells the agreements of a ticket apart: "sla", or the code of an OLA or UC. `used_s` and
    `paused_s` are filled once a wait has ended.
    """

    __tablename__ = "ticket_clock"
    __table_args__ = (
        sa.UniqueConstraint("ticket_id", "slot", "metric"),
        sa.Index("ix_ticket_clock_ended_at", "ended_at"),
    )

    id: int | None = key()
    ticket_id: int = ref("ticket.id", index=False)
    slot: str
    metric: Metric = word(Metric)
    agreement_id: int | None = ref("agreement.id", nullable=True)
    state: ClockState = word(ClockState)
    limit_s: int
    started_at: datetime | None = instant(nullable=True)
    ended_at: datetime | None = instant(nullable=True)
    due_at: datetime | None = instant(nullable=True)
    next_look_at: datetime | None = instant(nullable=True)
    used_s: int | None = None
    paused_s: int | None = None
    worst_used_s: int | None = None
    worst_limit_s: int | None = None


class ClockNotice(SQLModel, table=True):
    """Somebody was told that a clock reached a threshold: once for each wait (append-only)."""

    __tablename__ = "clock_notice"
    __table_args__ = (sa.UniqueConstraint("ticket_id", "slot", "metric", "started_at", "percent"),)

    id: int | None = key()
    ticket_id: int = ref("ticket.id", index=False)
    slot: str
    metric: Metric = word(Metric)
    started_at: datetime = instant()
    percent: int
    reached_at: datetime = instant()
    raised_at: datetime = instant(index=True)
    tell: str
    raised_to: Grade | None = word(Grade, nullable=True)


class ClockFailure(SQLModel, table=True):
    """A ticket whose clocks could not be read; it is looked at again, less and less often."""

    __tablename__ = "clock_failure"

    ticket_id: int = Field(primary_key=True, foreign_key="ticket.id")
    failures: int
    error: str
    at: datetime = instant()
