"""What pages show of clocks: one ticket's with its timeline, and the notices raised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access
from wfm.access import Actor
from wfm.services import clock_book, clock_targets, ticket_work
from wfm.sla.clocks import Reading, State
from wfm.sla.words import text_of
from wfm.tables import Agreement, ClockNotice, Service, Ticket, TicketClock
from wfm.words import AgreementKind, AgreementStatus, EventKind, ServiceStatus

SHOWN = 200


@dataclass(frozen=True)
class ClockRow:
    """One clock of a ticket, and the agreement it is measured against."""

    reading: Reading
    agreement: Agreement | None


@dataclass(frozen=True)
class TicketClocks:
    """A ticket's clocks now, its timeline in both languages, and the notices raised for it."""

    ticket: Ticket
    service: Service | None
    clocks: tuple[ClockRow, ...]
    timeline: tuple[tuple[datetime, str, str, str], ...]
    notices: Sequence[ClockNotice]
    held: int | None  # the agreement with the customer that was chosen for it by hand


def of_ticket(
    session: Session, actor: Actor, code: str, at: datetime, timezone: str
) -> TicketClocks:
    """Read the clocks of one ticket at `at`, by replay."""
    access.require(actor, "agreements.view")
    ticket = ticket_work.find(session, code)
    assert ticket.id is not None
    book = clock_targets.load(session, timezone)
    (facts,) = clock_book.facts_of(session, [ticket.id], at)
    replayed, promises = clock_book.read(facts, at, book)
    agreements = {agreement.id: agreement for agreement in book.agreements}
    clocks = tuple(
        ClockRow(reading, agreements.get(promises[key].agreement_id))
        for key, reading in replayed.clocks.items()
        if key in promises and (reading.state is not State.IDLE or reading.worst)
    )
    notices = session.exec(
        select(ClockNotice)
        .where(ClockNotice.ticket_id == ticket.id)
        .order_by(col(ClockNotice.raised_at), col(ClockNotice.percent))
    ).all()
    timeline = tuple(
        (entry.at, entry.slot, text_of(entry, "en"), text_of(entry, "zh"))
        for entry in replayed.timeline
        if entry.code != "ignored"
    )
    service = session.get(Service, ticket.service_id) if ticket.service_id else None
    held = None
    for event in facts.events:
        if event.kind == EventKind.AGREEMENT_CHANGED or event.service_id is not None:
            held = event.agreement_id
    return TicketClocks(ticket, service, clocks, timeline, notices, held)


@dataclass(frozen=True)
class NoticeRow:
    notice: ClockNotice
    ticket: str
    service: Service | None


def notices(session: Session, actor: Actor, tell: str = "") -> list[NoticeRow]:
    """The newest notices, or those for one role."""
    access.require(actor, "agreements.view")
    query = (
        select(ClockNotice, Ticket.code, Service)
        .join(Ticket, col(Ticket.id) == ClockNotice.ticket_id)
        .join(Service, col(Service.id) == Ticket.service_id, isouter=True)
        .order_by(col(ClockNotice.raised_at).desc(), col(ClockNotice.id).desc())
        .limit(SHOWN)
    )
    if tell:
        query = query.where(ClockNotice.tell == tell)
    return [NoticeRow(*row) for row in session.exec(query)]


@dataclass(frozen=True)
class Choices:
    """What a ticket may be put under: live services, and agreements with customers in force."""

    services: Sequence[Service]
    agreements: Sequence[Agreement]


def choices(session: Session, actor: Actor) -> Choices:
    """The services and agreements that a dispatcher may choose for a ticket."""
    access.require(actor, "agreements.view")
    live = select(Service).where(Service.status == ServiceStatus.LIVE).order_by(Service.code)
    binding = (
        select(Agreement)
        .where(Agreement.kind == AgreementKind.SLA, Agreement.status == AgreementStatus.IN_FORCE)
        .order_by(Agreement.code)
    )
    return Choices(session.exec(live).all(), session.exec(binding).all())


def running(session: Session, actor: Actor) -> dict[str, int]:
    """How many clocks are in each state now."""
    access.require(actor, "agreements.view")
    rows: Any = session.execute(
        sa.select(col(TicketClock.state), sa.func.count())
        .where(col(TicketClock.ended_at).is_(None))
        .group_by(col(TicketClock.state))
    )
    return {str(state): int(count) for state, count in rows}
