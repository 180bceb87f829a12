"""The clocks of tickets: read from their events, kept as a cache, and compared with it.

`compute` reads the clocks of some tickets at an instant by replay and changes nothing; `refresh`
keeps what it says and raises what is due. Whoever calls `refresh` holds the tickets' rows, so no
two do so for one ticket at a time. `mark` says that tickets need a look, and costs next to nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from wfm.errors import TierdeskError
from wfm.services import clock_store
from wfm.services.clock_store import ClockValues, NoticeValues, Stored, TicketValues
from wfm.services.clock_targets import SLA_SLOT, Asked, Promises, TermsBook, load
from wfm.sla.clocks import Key, Reading, Reopening, Replay, State, replay
from wfm.sla.notices import due_now
from wfm.sla.tickets import CHANGES, SAME, TicketEvent
from wfm.tables import Ticket
from wfm.tables import TicketEvent as EventRow
from wfm.words import EventKind

FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=1), timedelta(days=1)
TOGETHER = 1000
LASTING = {"clock", *clock_store.CLOCK_COLUMNS} - {"state", "next_look_at"}
"""What of a clock does not change by the mere passing of time."""


@dataclass
class Computed:
    """What replay says of some tickets at an instant."""

    clocks: list[ClockValues] = field(default_factory=list)
    notices: list[NoticeValues] = field(default_factory=list)
    tickets: list[TicketValues] = field(default_factory=list)
    failures: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """A ticket with its events and the notices raised for it."""

    ticket: Any
    events: Sequence[Any]
    raised: dict[tuple[str, str, datetime], set[int]]


def mark(session: Session, at: datetime, condition: Any = None) -> int:
    """The clocks of these tickets (or of all) are to be looked at from `at` on."""
    query = sa.update(Ticket).values(
        next_look_at=sa.func.least(sa.func.coalesce(col(Ticket.next_look_at), at), at)
    )
    result: Any = session.execute(query if condition is None else query.where(condition))
    return int(result.rowcount)


def refresh(
    session: Session, ids: Sequence[int], at: datetime, timezone: str, book: TermsBook | None = None
) -> Computed:
    """Bring the stored clocks of these tickets in line with their events, and raise what is due."""
    session.flush()
    book = book or load(session, timezone)
    computed = compute(session, ids, at, book)
    clock_store.keep(session, computed.clocks, computed.tickets)
    clock_store.raise_notices(session, computed.notices, at)
    push_forward(session, computed.failures, at)
    session.expire_all()
    return computed


def compute(session: Session, ids: Sequence[int], at: datetime, book: TermsBook) -> Computed:
    """Read the clocks of these tickets at `at`."""
    computed = Computed()
    for facts in facts_of(session, ids, at):
        try:
            _read(facts, at, book, computed)
        except (TierdeskError, ArithmeticError, LookupError, ValueError) as error:
            computed.failures[facts.ticket.id] = str(error)[:500]
    return computed


def facts_of(session: Session, ids: Sequence[int], at: datetime) -> Iterable[Facts]:
    """These tickets, each with its events until `at`, in order."""
    listed = list(ids)
    events: dict[int, list[Any]] = defaultdict(list)
    for event in session.execute(
        sa.select(
            col(EventRow.ticket_id), col(EventRow.at), col(EventRow.kind), col(EventRow.priority),
            col(EventRow.old_priority), col(EventRow.service_id), col(EventRow.old_service_id),
            col(EventRow.agreement_id),
        )
        .where(col(EventRow.ticket_id).in_(listed), col(EventRow.at) <= at)
        .order_by(col(EventRow.at), col(EventRow.id))
    ):  # fmt: skip
        events[event.ticket_id].append(event)
    raised = clock_store.raised(session, listed)
    for ticket in session.execute(
        sa.select(
            col(Ticket.id), col(Ticket.opened_at), col(Ticket.service_id), col(Ticket.customer_id),
            col(Ticket.priority), col(Ticket.respond_within_s), col(Ticket.resolve_within_s),
            col(Ticket.first_response_at), col(Ticket.resolved_at), col(Ticket.state),
        )
        .where(col(Ticket.id).in_(listed))
        .order_by(col(Ticket.id))
    ):  # fmt: skip
        yield Facts(ticket, events[ticket.id], raised.get(ticket.id, {}))


def read(facts: Facts, at: datetime, book: TermsBook) -> tuple[Replay, Promises]:
    """Replay one ticket; with the promises that hold for it at `at`."""
    ticket = facts.ticket
    asked = _at_opening(ticket, facts.events, book)
    promises = book.promises(asked)
    first = promises
    events: list[TicketEvent] = []
    stopped = False
    seen = set()
    for event in facts.events:
        kind = SAME.get(event.kind, event.kind)
        seen.add(kind)
        targets = None
        if (
            event.priority is not None
            or event.service_id is not None
            or kind == EventKind.AGREEMENT_CHANGED
        ):
            asked = _changed(asked, event)
            promises = book.promises(asked)
            targets = tuple(terms.target for terms in promises.values())
        if kind == "stop":
            kind, stopped = ("noted", True) if stopped else ("stop", True)
        elif kind == "reopen":
            stopped = False
        if targets is not None or kind in book.kinds or kind in CHANGES:
            events.append(TicketEvent(event.at, kind, targets))
    events += _silent(ticket, seen, at)
    reopening = next((terms.reopening for terms in promises.values()), Reopening.CONTINUE)
    percents = sorted({step.percent for terms in promises.values() for step in terms.steps})
    replayed = replay(
        ticket.opened_at, [terms.target for terms in first.values()], events, at,
        reopening=reopening, thresholds=percents,
    )  # fmt: skip
    return replayed, first | promises


def _at_opening(ticket: Any, events: Sequence[Any], book: TermsBook) -> Asked:
    """What decided the promises before anything of it changed."""
    priority = next((e.old_priority for e in events if e.old_priority is not None), ticket.priority)
    service = next(
        (e.old_service_id for e in events if e.old_service_id is not None), ticket.service_id
    )
    return Asked(
        service, ticket.customer_id, priority, book.day(ticket.opened_at),
        ticket.respond_within_s, ticket.resolve_within_s,
    )  # fmt: skip


def _changed(asked: Asked, event: Any) -> Asked:
    """After a change the agreements decide: what came with the ticket was for what it was then.

    An agreement chosen by hand holds until another is chosen, or the service changes.
    """
    by_hand = event.kind == EventKind.AGREEMENT_CHANGED or event.service_id is not None
    return Asked(
        asked.service_id if event.service_id is None else event.service_id,
        asked.customer_id,
        asked.priority if event.priority is None else event.priority,
        asked.on,
        agreement_id=event.agreement_id if by_hand else asked.agreement_id,
    )


def _silent(ticket: Any, seen: set[str], at: datetime) -> list[TicketEvent]:
    """What is recorded of a ticket but not among its events: it came from a file without them."""
    told = (
        ("agent_message", ticket.first_response_at),
        ("stop", ticket.resolved_at),
    )
    return [
        TicketEvent(when, kind)
        for kind, when in told
        if kind not in seen and when is not None and when <= at
    ]


def _read(facts: Facts, at: datetime, book: TermsBook, computed: Computed) -> None:
    replayed, promises = read(facts, at, book)
    looks: list[datetime] = []
    dues: list[datetime] = []
    for key, reading in replayed.clocks.items():
        if reading.limit_s is None or (reading.state is State.IDLE and reading.worst is None):
            continue
        terms = promises[key]
        look = reading.next_look_at
        if reading.started_at is not None:
            known = facts.raised.get((reading.slot, reading.metric, reading.started_at), set())
            due, later = due_now(
                reading, terms.target.calendar, terms.steps, known, at, at_night=terms.at_night
            )
            computed.notices += [
                NoticeValues(facts.ticket.id, key, reading.started_at, one) for one in due
            ]
            look = min((one for one in (look, later) if one is not None), default=None)
        if look is not None:
            looks.append(look)
        if key[0] == SLA_SLOT and reading.running and reading.due_at is not None:
            dues.append(reading.due_at)
        computed.clocks.append(_values(facts.ticket.id, key, reading, terms.agreement_id, look))
    computed.tickets.append(
        TicketValues(facts.ticket.id, min(dues, default=None), min(looks, default=None))
    )


def _values(
    ticket_id: int, key: Key, reading: Reading, agreement_id: int | None, look: datetime | None
) -> ClockValues:
    ended = reading.ended_at is not None
    assert reading.limit_s is not None
    return ClockValues(
        ticket_id=ticket_id, slot=key[0], metric=key[1], agreement_id=agreement_id,
        state=reading.state, limit_s=reading.limit_s, started_at=reading.started_at,
        ended_at=reading.ended_at, due_at=reading.due_at, next_look_at=look,
        used_s=reading.used_s if ended else None, paused_s=reading.paused_s if ended else None,
        worst_used_s=reading.worst.used_s if reading.worst else None,
        worst_limit_s=reading.worst.limit_s if reading.worst else None,
    )  # fmt: skip


def push_forward(session: Session, failures: dict[int, str], at: datetime) -> None:
    """Tickets that could not be read are looked at again, later each time."""
    for ticket_id, error in failures.items():
        times = clock_store.keep_failure(session, ticket_id, error, at)
        wait = min(FIRST_RETRY * 2 ** min(times - 1, 20), LONGEST_RETRY)
        session.execute(
            sa.update(Ticket).where(col(Ticket.id) == ticket_id).values(next_look_at=at + wait)
        )


@dataclass(frozen=True)
class Difference:
    """A stored value that replay does not confirm."""

    ticket: str
    clock: str
    column: str
    stored: Any
    replayed: Any


@dataclass(frozen=True)
class Checked:
    """What a check found: how many tickets it read, and how many more await a look anyway.

    `overtaken` is what is kept of those and no longer holds; the next look at them mends it.
    """

    tickets: int
    pending: int
    differences: tuple[Difference, ...]
    failures: tuple[tuple[str, str], ...]
    overtaken: tuple[Difference, ...] = ()


def check(session: Session, at: datetime, timezone: str) -> Checked:
    """Replay every ticket and compare with what is kept; nothing is changed.

    Of tickets that await a look only what is kept is compared, and of that only what the mere
    passing of time does not change.
    """
    book = load(session, timezone)
    names = {row.id: row.code for row in session.execute(sa.select(Ticket.id, Ticket.code))}  # type: ignore[call-overload]
    awaits = sa.select(col(Ticket.id)).where(col(Ticket.next_look_at) <= at)
    pending = {key for (key,) in session.execute(awaits)}
    failures: list[tuple[str, str]] = []

    def compare(ids: Sequence[int]) -> Iterator[Difference]:
        for first in range(0, len(ids), TOGETHER):
            part = ids[first : first + TOGETHER]
            computed = compute(session, part, at, book)
            yield from _differences(clock_store.stored(session, part), computed, names)
            failures.extend((names[key], error) for key, error in computed.failures.items())

    found = tuple(compare(sorted(names.keys() - pending)))
    overtaken = tuple(
        one for one in compare(sorted(pending))
        if one.column in LASTING and not (one.column == "clock" and one.stored is None)
    )  # fmt: skip
    return Checked(len(names) - len(pending), len(pending), found, tuple(failures), overtaken)


def _differences(stored: Stored, computed: Computed, names: dict[int, str]) -> list[Difference]:
    found = []
    clocks = {(clock.ticket_id, clock.slot, clock.metric): clock for clock in computed.clocks}
    for key in sorted(stored.clocks.keys() | clocks.keys()):
        ticket, clock = names[key[0]], f"{key[1]} {key[2]}"
        was, now = stored.clocks.get(key), clocks.get(key)
        if was is None or now is None:
            found.append(Difference(ticket, clock, "clock", was and "kept", now and "there"))
            continue
        found += [
            Difference(ticket, clock, column, getattr(was, column), getattr(now, column))
            for column in clock_store.CLOCK_COLUMNS
            if getattr(was, column) != getattr(now, column)
        ]
    for values in computed.tickets:
        kept = stored.tickets[values.ticket_id]
        found += [
            Difference(names[values.ticket_id], "", column, getattr(kept, column),
                       getattr(values, column))
            for column in ("due_at", "next_look_at")
            if getattr(kept, column) != getattr(values, column)
        ]  # fmt: skip
    found += [
        Difference(names[notice.ticket_id], f"{notice.key[0]} {notice.key[1]}", "notice", None,
                   f"{notice.due.step.percent} %")
        for notice in computed.notices
    ]  # fmt: skip
    return found
