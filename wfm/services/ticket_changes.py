"""What changes about a ticket while its clocks run: priority, service, agreement, the callback.

The clocks keep the time already spent and the pauses already taken; the timeline says so. Each
change tells whether it was one: what the ticket has already is neither an event nor an audit entry.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access, audit
from wfm.access import Actor
from wfm.errors import Fault, InputError, NotFoundError
from wfm.services.ticket_work import append, find
from wfm.tables import Agreement, Service, Ticket, TicketEvent
from wfm.words import AgreementKind, AgreementStatus, EventKind, TicketState


def change_priority(
    session: Session, actor: Actor, ticket_code: str, priority: int, at: datetime, note: str = ""
) -> bool:
    """From now on another priority's targets hold."""
    access.require(actor, "dispatch.assign")
    ticket = find(session, ticket_code, lock=True)
    if not 1 <= priority <= 9:
        raise InputError.of([Fault("expected 1 to 9", column="priority", value=str(priority))])
    old, ticket.priority = ticket.priority, priority
    if old != priority:
        append(session, ticket, EventKind.PRIORITY_CHANGED, None, at, note.strip(),
               priority=priority, old_priority=old)  # fmt: skip
        audit.record(session, at, actor.name, "ticket.priority", f"ticket {ticket_code}",
                     old=old, new=priority)  # fmt: skip
    return old != priority


def change_service(
    session: Session, actor: Actor, ticket_code: str, service_code: str, at: datetime,
    note: str = "",
) -> bool:  # fmt: skip
    """From now on another service's agreements hold."""
    access.require(actor, "dispatch.assign")
    ticket = find(session, ticket_code, lock=True)
    service = session.exec(select(Service).where(Service.code == service_code)).first()
    if service is None:
        raise NotFoundError(f"there is no service {service_code}")
    old, ticket.service_id = ticket.service_id, service.id
    if old != service.id:
        append(session, ticket, EventKind.SERVICE_CHANGED, None, at, note.strip(),
               service_id=service.id, old_service_id=old)  # fmt: skip
        audit.record(session, at, actor.name, "ticket.service", f"ticket {ticket_code}",
                     new=service_code)  # fmt: skip
    return old != service.id


def change_agreement(
    session: Session, actor: Actor, ticket_code: str, agreement_id: int | None, at: datetime,
    note: str = "",
) -> bool:  # fmt: skip
    """From now on this agreement with the customer holds; None: the one of the ticket's service."""
    access.require(actor, "dispatch.assign")
    ticket = find(session, ticket_code, lock=True)
    chosen = session.get(Agreement, agreement_id) if agreement_id is not None else None
    if agreement_id is not None and (
        chosen is None
        or chosen.kind != AgreementKind.SLA
        or chosen.status != AgreementStatus.IN_FORCE
    ):
        raise NotFoundError(f"there is no agreement {agreement_id} in force with a customer")
    if agreement_id == chosen_by_hand(session, ticket):
        return False
    append(session, ticket, EventKind.AGREEMENT_CHANGED, None, at, note.strip(),
           agreement_id=agreement_id)  # fmt: skip
    audit.record(session, at, actor.name, "ticket.agreement", f"ticket {ticket_code}",
                 new=f"{chosen.code} v{chosen.version}" if chosen else "")  # fmt: skip
    return True


def chosen_by_hand(session: Session, ticket: Ticket) -> int | None:
    """The agreement that was chosen for the ticket since it came to its service, if any."""
    return session.exec(
        select(TicketEvent.agreement_id)
        .where(
            TicketEvent.ticket_id == ticket.id,
            sa.or_(
                col(TicketEvent.kind) == EventKind.AGREEMENT_CHANGED,
                col(TicketEvent.service_id).is_not(None),
            ),
        )
        .order_by(col(TicketEvent.at).desc(), col(TicketEvent.id).desc())
        .limit(1)
    ).first()


def call_back(
    session: Session, actor: Actor, ticket_code: str, at: datetime, note: str = ""
) -> Ticket:
    """The customer of a handled ticket was asked how it went."""
    access.require(actor, "dispatch.assign")
    ticket = find(session, ticket_code, lock=True)
    if ticket.state not in (TicketState.RESOLVED, TicketState.CLOSED):
        raise InputError.of([Fault("this ticket is not resolved yet", value=ticket_code)])
    append(session, ticket, EventKind.CALLED_BACK, None, at, note.strip())
    audit.record(session, at, actor.name, "ticket.callback", f"ticket {ticket_code}")
    return ticket
