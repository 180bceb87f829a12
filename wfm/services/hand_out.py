"""Hand out what waits, as the policy would, in one go: many tickets in one transaction.

What the policy says is read without a lock. Then each ticket it would give is locked, passing
over those in somebody else's hands, and each agent, waiting for whoever else gives to her; what
the hands hold is looked at again once locked. So however many do this at once, and whatever else
is done to the tickets, each has exactly one owner and no hands overfill.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from wfm import access, audit, jobs
from wfm.access import Actor
from wfm.dispatch.live import Proposer, in_order
from wfm.dispatch.model import DeskState, micro
from wfm.dispatch.model import Ticket as Waiting
from wfm.services import clock_book, desk_snapshot
from wfm.services.desk_snapshot import Snapshot
from wfm.services.ticket_states import derive
from wfm.services.ticket_work import reason_document
from wfm.tables import Agent, DispatchDecision, Ticket, TicketEvent
from wfm.words import EventKind, TicketState

MOST_AT_ONCE = 200


@dataclass(frozen=True)
class Given:
    """A ticket given away, and the log of why to this agent."""

    ticket_id: int
    agent_id: int
    reasons: list[dict[str, Any]]


def hand_out(
    session: Session, actor: Actor, at: datetime, timezone: str, most: int = MOST_AT_ONCE
) -> list[Given]:
    """Give the first `most` waiting tickets to those the policy proposes."""
    access.require(actor, "dispatch.assign")
    desk = desk_snapshot.take(session, at, timezone)
    ordered = in_order(desk.policy, desk.state, micro(at))
    mine, held = _lock(session, desk, ordered, most)
    given = _choose(desk, mine, held, micro(at))
    _keep(session, actor, desk.policy.name, given, at)
    return given


def _lock(
    session: Session, desk: Snapshot, ordered: list[Waiting], most: int
) -> tuple[list[Waiting], dict[int, int]]:
    """The first `most` tickets nobody else is busy with, and the weight each agent now holds."""
    first = [desk.tickets[one.ticket_id].id for one in ordered]
    place = {ticket_id: number for number, ticket_id in enumerate(first)}
    locked: set[int] = set()
    while place and len(locked) < most:
        tried = list(place)[: most - len(locked)]
        locked |= set(
            session.execute(
                sa.select(col(Ticket.id))
                .where(
                    col(Ticket.id).in_(tried),
                    col(Ticket.state) == TicketState.OPEN,
                    col(Ticket.owner_id).is_(None),
                )
                .order_by(col(Ticket.id))
                .with_for_update(skip_locked=True)
            ).scalars()
        )
        for ticket_id in tried:
            del place[ticket_id]
    on_duty = [row.agent.id for row in desk.seats]
    # in order of id, so that two who hand out cannot wait for one another
    session.execute(
        sa.select(col(Agent.id))
        .where(col(Agent.id).in_(on_duty))
        .order_by(col(Agent.id))
        .with_for_update(key_share=True)
    ).all()
    mine = [one for one, ticket_id in zip(ordered, first, strict=True) if ticket_id in locked]
    return mine, desk_snapshot.in_hand(session)


def _choose(desk: Snapshot, mine: list[Waiting], held: dict[int, int], now: int) -> list[Given]:
    """Who gets which of these, one after another."""
    ids = {row.agent.code: row.agent.id for row in desk.seats}
    seats = [
        replace(seat, in_hand=held.get(ids[seat.agent.agent_id], 0)) for seat in desk.state.seats
    ]
    proposer = Proposer(desk.policy, DeskState(seats, desk.state.waiting, desk.state.kinds), now)
    given = []
    for waiting in mine:
        proposal = proposer.propose(waiting)
        if proposal.agent_id is None:
            continue
        proposer.give(waiting, proposal.agent_id)
        given.append(
            Given(
                desk.tickets[waiting.ticket_id].id,
                ids[proposal.agent_id],
                [reason_document(reason) for reason in proposal.why],
            )
        )
    return given


def _keep(session: Session, actor: Actor, policy: str, given: list[Given], at: datetime) -> None:
    """Decisions, events and what follows from them."""
    if not given:
        return
    ids = [one.ticket_id for one in given]
    rows = [
        (one.ticket_id, one.agent_id, at, actor.name, policy, one.agent_id, one.reasons, "")
        for one in given
    ]
    _insert(
        session, DispatchDecision,
        ("ticket_id", "agent_id", "at", "decided_by", "policy", "proposed_agent_id", "reasons",
         "note"), rows,
    )  # fmt: skip
    events = [
        (f"desk-{one.ticket_id}-assigned-{one.agent_id}-{micro(at)}", one.ticket_id, at,
         EventKind.ASSIGNED, one.agent_id, "", "")
        for one in given
    ]  # fmt: skip
    _insert(
        session, TicketEvent, ("code", "ticket_id", "at", "kind", "agent_id", "team", "note"),
        events,
    )  # fmt: skip
    derive(session, ids)
    clock_book.mark(session, at, col(Ticket.id).in_(ids))
    audit.record(session, at, actor.name, "dispatch.hand_out", "queue", tickets=len(ids))
    jobs.announce(session, "dispatch")


def _insert(session: Session, table: Any, columns: Sequence[str], rows: Sequence[Any]) -> None:
    """All rows with one statement: what the database does once for each is done once."""
    listed = ", ".join(columns)
    session.execute(
        sa.text(
            f"insert into {table.__tablename__} ({listed}) select {listed} from"
            f" json_populate_recordset(null::{table.__tablename__}, cast(:rows as json))"
        ),
        {
            "rows": json.dumps(
                [dict(zip(columns, row, strict=True)) for row in rows], default=datetime.isoformat
            )
        },
    )
