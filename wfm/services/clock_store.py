"""Clocks and notices as rows, many at a time."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import jobs
from wfm.services import webhooks
from wfm.services.clock_targets import SLA_SLOT
from wfm.sla.clocks import Key
from wfm.sla.notices import Due
from wfm.tables import ClockNotice, Ticket, TicketClock, TicketEvent
from wfm.words import EventKind, Grade, Metric

ORDER = list(Grade)


@dataclass(frozen=True)
class ClockValues:
    """One row of `ticket_clock`."""

    ticket_id: int
    slot: str
    metric: str
    agreement_id: int | None
    state: str
    limit_s: int
    started_at: datetime | None
    ended_at: datetime | None
    due_at: datetime | None
    next_look_at: datetime | None
    used_s: int | None
    paused_s: int | None
    worst_used_s: int | None
    worst_limit_s: int | None


@dataclass(frozen=True)
class TicketValues:
    """What of its clocks is kept with a ticket."""

    ticket_id: int
    due_at: datetime | None
    next_look_at: datetime | None


@dataclass(frozen=True)
class NoticeValues:
    """A threshold to raise for one wait of a clock."""

    ticket_id: int
    key: Key
    started_at: datetime
    due: Due


@dataclass(frozen=True)
class _NoticeRow:
    """One row of `clock_notice`."""

    ticket_id: int
    slot: str
    metric: str
    started_at: datetime
    percent: int
    reached_at: datetime
    raised_at: datetime
    tell: str
    raised_to: str | None


@dataclass(frozen=True)
class Stored:
    """What is kept of some tickets."""

    clocks: dict[tuple[int, str, str], ClockValues]
    tickets: dict[int, TicketValues]


CLOCK_COLUMNS = tuple(f.name for f in fields(ClockValues))[3:]
TYPES = {
    "int": "integer", "int | None": "integer", "str": "text", "str | None": "text",
    "datetime": "timestamptz", "datetime | None": "timestamptz",
}  # fmt: skip


def keep(
    session: Session,
    clocks: Sequence[ClockValues],
    tickets: Sequence[TicketValues],
) -> None:
    """Make the rows say what the values say; only tickets that could be read are touched."""
    readable = [values.ticket_id for values in tickets]
    listed = {"rows": _json(clocks)}
    session.execute(
        sa.text(
            "delete from ticket_clock c where ticket_id = any(:ids) and not exists (select from"
            f" {_records(ClockValues)} n"
            " where (c.ticket_id, c.slot, c.metric) = (n.ticket_id, n.slot, n.metric))"
        ),
        listed | {"ids": readable},
    )
    names = [f.name for f in fields(ClockValues)]
    new = ", ".join(f"excluded.{name}" for name in CLOCK_COLUMNS)
    old = ", ".join(f"ticket_clock.{name}" for name in CLOCK_COLUMNS)
    session.execute(
        sa.text(
            f"insert into ticket_clock ({', '.join(names)}) select n.* from"
            f" {_records(ClockValues)} n on conflict (ticket_id, slot, metric) do update"
            f" set ({', '.join(CLOCK_COLUMNS)}) = row({new}) where ({old}) is distinct from ({new})"
        ),
        listed,
    )
    session.execute(
        sa.text(
            "update ticket t set due_at = n.due_at, next_look_at = n.next_look_at from"
            f" {_records(TicketValues)} n where t.id = n.ticket_id"
            " and (t.due_at, t.next_look_at) is distinct from (n.due_at, n.next_look_at)"
        ),
        {"rows": _json(tickets)},
    )
    session.execute(
        sa.text("delete from clock_failure where ticket_id = any(:ids)"), {"ids": readable}
    )


def _records(kind: type) -> str:
    """The rows of `_json` as a table (SQL): one text is sent several times as fast as arrays."""
    columns = ", ".join(f'"{f.name}" {TYPES[str(f.type)]}' for f in fields(kind))
    return f"(select * from json_to_recordset(cast(:rows as json)) as listed({columns}))"


def _json(rows: Sequence[Any]) -> str:
    names = [f.name for f in fields(rows[0])] if rows else []
    return json.dumps(
        [{name: getattr(row, name) for name in names} for row in rows], default=datetime.isoformat
    )


def promised_response() -> Any:
    """Seconds in which a ticket is to be answered: as it came, or by its agreement (SQL)."""
    by_agreement = (
        sa.select(col(TicketClock.limit_s))
        .where(
            col(TicketClock.ticket_id) == col(Ticket.id), col(TicketClock.slot) == SLA_SLOT,
            col(TicketClock.metric) == Metric.FIRST_RESPONSE,
        )
        .correlate(Ticket)
        .scalar_subquery()
    )  # fmt: skip
    return sa.func.coalesce(col(Ticket.respond_within_s), by_agreement)


def raised(
    session: Session, ids: Sequence[int]
) -> dict[int, dict[tuple[str, str, datetime], set[int]]]:
    """Percentages raised so far, by ticket and wait."""
    found: dict[int, dict[tuple[str, str, datetime], set[int]]] = defaultdict(
        lambda: defaultdict(set)
    )
    for row in session.exec(select(ClockNotice).where(col(ClockNotice.ticket_id).in_(ids))):
        found[row.ticket_id][row.slot, row.metric, row.started_at].add(row.percent)
    return found


def raise_notices(session: Session, notices: Sequence[NoticeValues], at: datetime) -> int:
    """Keep what is raised, once each, and escalate where the step says so."""
    if not notices:
        return 0
    rows = [
        _NoticeRow(
            n.ticket_id, n.key[0], n.key[1], n.started_at, n.due.step.percent, n.due.reached_at,
            at, n.due.step.tell, n.due.step.raise_to,
        )
        for n in notices
    ]  # fmt: skip
    new = session.execute(
        sa.text(
            f"insert into clock_notice ({', '.join(f.name for f in fields(_NoticeRow))})"
            f" select n.* from {_records(_NoticeRow)} n on conflict do nothing"
            " returning ticket_id, percent, raised_to, slot, metric"
        ),
        {"rows": _json(rows)},
    ).all()
    _tell(session, [row for row in new if row.slot == SLA_SLOT], at)
    for ticket_id, percent, tier, *_ in new:
        if tier is not None:
            _escalate(session, ticket_id, percent, Grade(tier), at)
    jobs.announce(session, "notices")
    return len(new)


def _tell(session: Session, rows: Sequence[sa.Row[Any]], at: datetime) -> None:
    """Other programs hear of promises to customers at risk, and of those broken."""
    codes: dict[int, str] = {}
    if rows and webhooks.anybody(session):
        ids = {row.ticket_id for row in rows}
        found = session.exec(select(Ticket.id, Ticket.code).where(col(Ticket.id).in_(ids)))
        codes = {key: code for key, code in found if key is not None}
    for row in rows if codes else ():
        event = "ticket.breached" if row.percent >= 100 else "ticket.at_risk"
        fact = {"ticket": codes[row.ticket_id], "promise": row.metric, "percent": row.percent}
        webhooks.notify(session, event, at, fact)


def _escalate(session: Session, ticket_id: int, percent: int, tier: Grade, at: datetime) -> None:
    """The ticket needs a higher tier from now on, and its events say why."""
    ticket = session.get_one(Ticket, ticket_id)
    if ORDER.index(ticket.min_grade) >= ORDER.index(tier):
        return
    ticket.min_grade = tier
    session.add(
        TicketEvent(
            code=f"clock-{ticket_id}-{percent}-{tier}-{int(at.timestamp() * 1_000_000)}",
            ticket_id=ticket_id, at=at, kind=EventKind.ESCALATED,
            note=f"{percent} % of a target reached: {tier}",
        )
    )  # fmt: skip
    session.flush()


def keep_failure(session: Session, ticket_id: int, error: str, at: datetime) -> int:
    """How many times in a row this ticket could not be read, this time included."""
    times = session.scalar(
        sa.text(
            "insert into clock_failure (ticket_id, failures, error, at)"
            " values (:id, 1, :error, :at) on conflict (ticket_id)"
            " do update set failures = clock_failure.failures + 1,"
            " error = excluded.error, at = excluded.at returning failures"
        ).bindparams(id=ticket_id, error=error, at=at)
    )
    return int(times or 1)


def stored(session: Session, ids: Sequence[int]) -> Stored:
    """What is kept of these tickets."""
    names = [f.name for f in fields(ClockValues)]
    clocks = {}
    for row in session.execute(
        sa.select(*(col(getattr(TicketClock, name)) for name in names)).where(
            col(TicketClock.ticket_id).in_(ids)
        )
    ):
        clocks[row.ticket_id, row.slot, row.metric] = ClockValues(*row)
    tickets = {
        row.id: TicketValues(*row)
        for row in session.execute(
            sa.select(col(Ticket.id), col(Ticket.due_at), col(Ticket.next_look_at)).where(
                col(Ticket.id).in_(ids)
            )
        )
    }
    return Stored(clocks, tickets)
