"""Figures for a monitor, in the text form Prometheus reads; nothing personal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func

from wfm.tables import (
    AuditEntry,
    Job,
    SignInSession,
    Ticket,
    TicketClock,
    Webhook,
    WebhookDelivery,
)
from wfm.words import ClockState, JobStatus, TicketState


@dataclass(frozen=True)
class Figure:
    name: str
    kind: str  # gauge: goes up and down; counter: only up
    help: str
    value: float


def figures(session: Session) -> list[Figure]:
    """How the desk stands now."""

    def count(table: Any, *where: Any) -> float:
        query = sa.select(func.count()).select_from(table).where(*where)
        return float(session.scalar(query) or 0)

    open_ = col(Ticket.state) == TicketState.OPEN
    owned = col(Ticket.owner_id).is_not(None)
    delivered = col(WebhookDelivery.delivered_at).is_not(None)
    found = [
        ("tickets_waiting", "Open tickets nobody owns.", count(Ticket, open_, ~owned)),
        ("tickets_in_hand", "Open tickets somebody owns.", count(Ticket, open_, owned)),
        ("promises_running", "Clocks of promises that run now.",
         count(TicketClock, col(TicketClock.state) == ClockState.RUNNING)),
        ("sessions_open", "Browsers that are signed in.", count(SignInSession)),
        ("webhooks_off", "Webhooks that are switched off.", count(Webhook, ~col(Webhook.active))),
        ("webhook_deliveries_waiting", "Deliveries that are still to be made.",
         count(WebhookDelivery, col(WebhookDelivery.next_at).is_not(None))),
        ("webhook_deliveries_made", "Deliveries of the last 30 days that were taken.",
         count(WebhookDelivery, delivered)),
    ]  # fmt: skip
    found += [
        (f"jobs_{status.value}", f"Jobs that are {status.value}.",
         count(Job, col(Job.status) == status))
        for status in (JobStatus.WAITING, JobStatus.RUNNING, JobStatus.FAILED)
    ]  # fmt: skip
    entries = float(session.scalar(sa.select(func.max(AuditEntry.id))) or 0)
    return [
        *(Figure(f"tierdesk_{name}", "gauge", told, value) for name, told, value in found),
        Figure("tierdesk_audit_entries_total", "counter", "Entries of the audit chain.", entries),
    ]


def exposition(found: list[Figure]) -> str:
    """The text a monitor reads (exposition format 0.0.4)."""
    return "".join(
        f"# HELP {one.name} {one.help}\n# TYPE {one.name} {one.kind}\n{one.name} {one.value:.17g}\n"
        for one in found
    )
