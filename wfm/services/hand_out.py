"""Hand out what waits, as the policy would, in one go: many tickets in one transaction.

Each ticket that waits is taken under a lock that others pass over, each agent under one that
others wait for, and both are looked at again once locked; so however many do this at once, and
whatever else is done to the tickets, each has exactly one owner and no hands overfill.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session, col, select

from wfm import access, audit, jobs
from wfm.access import Actor
from wfm.dispatch.live import recommend
from wfm.dispatch.model import Seat, micro
from wfm.services import clock_book, desk_snapshot
from wfm.services.dispatching import reason_document
from wfm.services.ticket_states import derive
from wfm.tables import Agent, DispatchDecision, Ticket, TicketEvent
from wfm.words import EventKind, TicketState

MOST_AT_ONCE = 200


def hand_out(
    session: Session, actor: Actor, at: datetime, timezone: str, most: int = MOST_AT_ONCE
) -> list[DispatchDecision]:
    """Give the first `most` waiting tickets to those the policy proposes; returns the decisions."""
    access.require(actor, "dispatch.assign")
    locked = session.exec(
        select(Ticket)
        .where(
            Ticket.state == TicketState.OPEN, col(Ticket.owner_id).is_(None), Ticket.opened_at <= at
        )
        .order_by(col(Ticket.due_at), col(Ticket.id))
        .limit(most)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()  # fmt: skip
    mine = {ticket.code: ticket for ticket in locked}
    # in order of id, so that two who hand out cannot wait for one another
    session.exec(select(Agent.id).order_by(col(Agent.id)).with_for_update(key_share=True)).all()
    desk = desk_snapshot.take(session, at, timezone)
    ids = {row.agent.code: row.agent.id for row in desk.seats}
    seats = {seat.agent.agent_id: seat for seat in desk.state.seats}
    given: list[DispatchDecision] = []
    now = micro(at)
    for waiting in (one for one in desk.state.waiting if one.ticket_id in mine):
        state = replace(desk.state, seats=list(seats.values()))
        proposal = recommend(desk.policy, waiting, state, now)
        if proposal.agent_id is None:
            continue
        seat = seats[proposal.agent_id]
        seats[proposal.agent_id] = Seat(
            seat.agent, seat.in_hand + waiting.weight, now, seat.leaves_at
        )
        ticket = mine[waiting.ticket_id]
        assert ticket.id is not None
        agent_id = ids[proposal.agent_id]
        given.append(
            DispatchDecision(
                ticket_id=ticket.id, agent_id=agent_id, at=at, decided_by=actor.name,
                policy=desk.policy.name, proposed_agent_id=agent_id,
                reasons=[reason_document(reason) for reason in proposal.why],
            )
        )  # fmt: skip
    _keep(session, actor, given, at)
    return given


def _keep(session: Session, actor: Actor, given: list[DispatchDecision], at: datetime) -> None:
    """Decisions, events and what follows from them."""
    if not given:
        return
    ids = [decision.ticket_id for decision in given]
    session.add_all(given)
    session.add_all(
        TicketEvent(
            code=f"desk-{one.ticket_id}-assigned-{one.agent_id}-{micro(at)}", at=at,
            ticket_id=one.ticket_id, kind=EventKind.ASSIGNED, agent_id=one.agent_id,
        )
        for one in given
    )  # fmt: skip
    derive(session, ids)
    clock_book.mark(session, at, col(Ticket.id).in_(ids))
    audit.record(session, at, actor.name, "dispatch.hand_out", "queue", tickets=len(ids))
    jobs.announce(session, "dispatch")
