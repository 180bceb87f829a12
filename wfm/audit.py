"""The audit chain: every entry carries the hash of the one before it.

The database refuses to change or remove entries (migration 0001); whoever gets round that breaks
the chain, which `verify` finds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm.tables import AuditEntry

GENESIS = "0" * 64
CHAIN_LOCK = 8_203_117  # any constant: entries are appended one at a time


def record(
    session: Session, at: datetime, actor: str, action: str, subject: str, **detail: Any
) -> AuditEntry:
    """Append one entry; it takes effect with the caller's transaction."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(CHAIN_LOCK)))
    last = session.exec(select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(1)).first()
    previous = last.sha256 if last else GENESIS
    entry = AuditEntry(
        at=at,
        actor=actor,
        action=action,
        subject=subject,
        detail=detail,
        previous_sha256=previous,
        sha256=_hash(previous, at, actor, action, subject, detail),
    )
    session.add(entry)
    session.flush()
    return entry


def _hash(
    previous: str, at: datetime, actor: str, action: str, subject: str, detail: dict[str, Any]
) -> str:
    content = json.dumps(
        [previous, int(at.timestamp() * 1_000_000), actor, action, subject, detail],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(content.encode("utf-8")).hexdigest()


@dataclass(frozen=True)
class Break:
    """A place where the chain does not hold."""

    entry_id: int
    what: str


def verify(session: Session) -> Iterator[Break]:
    """Walk the chain from its beginning and yield every break."""
    previous, expected_id = GENESIS, None
    for entry in session.exec(
        select(AuditEntry).order_by(col(AuditEntry.id)).execution_options(yield_per=2000)
    ):
        assert entry.id is not None
        if entry.previous_sha256 != previous:
            missing = f" (after entry {expected_id})" if expected_id else ""
            yield Break(entry.id, f"does not follow the entry before it{missing}")
        computed = _hash(
            entry.previous_sha256, entry.at, entry.actor, entry.action, entry.subject, entry.detail
        )
        if computed != entry.sha256:
            yield Break(entry.id, "was changed after it was written")
        previous, expected_id = entry.sha256, entry.id
