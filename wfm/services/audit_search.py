"""Reading the audit chain: who did what to what, when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from wfm import access
from wfm.access import Actor
from wfm.services.listings import Page
from wfm.tables import AuditEntry


@dataclass(frozen=True)
class Wanted:
    """Parts of what an entry says; empty means any."""

    who: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


def search(
    session: Session, actor: Actor, wanted: Wanted, before: int | None, limit: int
) -> Page[AuditEntry]:
    """Entries, newest first; `after` of the page is the next `before`."""
    access.require_whole_desk(actor, "audit.view")
    query = select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(limit + 1)
    parts = (
        (AuditEntry.actor, wanted.who), (AuditEntry.action, wanted.action),
        (AuditEntry.subject, wanted.subject),
    )  # fmt: skip
    for column, part in parts:
        if part:
            query = query.where(col(column).icontains(part, autoescape=True))
    if before is not None:
        query = query.where(col(AuditEntry.id) < before)
    if wanted.since is not None:
        query = query.where(AuditEntry.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEntry.at < wanted.until)
    found = session.exec(query).all()
    more = found[limit - 1].id if len(found) > limit else None
    return Page(tuple(found[:limit]), more)
