"""Handover between duties of a table: said, written down, and signed by both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, select

from wfm import access, audit, jobs
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, Fault, InputError, NotFoundError
from wfm.services import holiday_duty
from wfm.services.holiday_duty import Holding
from wfm.services.roster_problems import instant_of
from wfm.tables import Agent, DutyHandover, Post, Ticket
from wfm.words import Mode, TicketState

LONGEST_NOTE = 4000
MOST_TICKETS = 50


@dataclass(frozen=True)
class Slot:
    """When one duty ends and who hands over to whom; the last day hands over to the desk."""

    post: Post
    day: date
    at: datetime
    giver: Agent
    taker: Agent | None
    note: DutyHandover | None


def hours_of(post: Post, day: date, timezone: str) -> tuple[datetime, datetime]:
    """From when to when a post is held; an end not after the start is on the next day."""
    start = post.starts.hour * 60 + post.starts.minute
    end = post.ends.hour * 60 + post.ends.minute
    if end <= start:
        end += 24 * 60
    return instant_of(day, start, timezone), instant_of(day, end, timezone)


def slots(
    session: Session, holdings: Sequence[Holding], first: date, last: date, timezone: str
) -> list[Slot]:
    """The handovers of a table: each holder of a post to the next day's, in order of time."""
    notes = {
        (note.post_id, note.day, note.given_by_id): note
        for note in session.exec(
            select(DutyHandover).where(DutyHandover.day >= first, DutyHandover.day <= last)
        )
    }
    held: dict[tuple[int, date], list[Agent]] = {}
    for one in holdings:
        held.setdefault((one.post.id or 0, one.day), []).append(one.agent)
    found = []
    for one in holdings:
        key = one.post.id or 0
        givers = held[key, one.day]
        takers = held.get((key, one.day + timedelta(days=1)), [])
        place = givers.index(one.agent)
        taker = takers[place] if place < len(takers) else (takers[0] if takers else None)
        if taker is not None and taker.id == one.agent.id:
            continue  # she goes on herself
        found.append(
            Slot(
                one.post, one.day, hours_of(one.post, one.day, timezone)[1], one.agent, taker,
                notes.get((key, one.day, one.agent.id or 0)),
            )
        )  # fmt: skip
    on_site_first = {Mode.ON_SITE: 0, Mode.REMOTE: 1, Mode.STANDBY: 2}
    return sorted(found, key=lambda s: (s.day, s.at, on_site_first[s.post.mode], s.post.id or 0))


def give(
    session: Session, actor: Actor, post_id: int, day: date, agent_id: int, note: str, at: datetime
) -> DutyHandover:
    """Write the handover note and sign it; the open tickets of the giver are listed with it.

    Raises
    ------
    InputError
        The note is empty: what is open, and what to watch, has to be written down.
    ConflictError
        It was signed by the taker already.
    """
    _require_signature(actor, agent_id)
    if not note.strip():
        fault = Fault("write down what is open and what to watch", column="note")
        raise InputError.of([fault])
    held = holiday_duty.held_between(session, day, day)
    if not any((one.post.id, one.agent.id) == (post_id, agent_id) for one in held):
        raise NotFoundError("she does not hold this place")
    query = select(DutyHandover).where(
        DutyHandover.post_id == post_id, DutyHandover.day == day,
        DutyHandover.given_by_id == agent_id,
    )  # fmt: skip
    handover = session.exec(query).one_or_none()
    if handover is not None and handover.taken_at is not None:
        raise ConflictError("this handover was signed by both already")
    handover = handover or DutyHandover(
        post_id=post_id, day=day, given_by_id=agent_id, note="", given_at=at
    )
    handover.note, handover.given_at = note.strip()[:LONGEST_NOTE], at
    handover.open_tickets = _open_tickets(session, agent_id)
    session.add(handover)
    session.flush()
    audit.record(session, at, actor.name, "duty.handover.give", str(day), post=post_id,
                 agent=agent_id, open=len(handover.open_tickets))  # fmt: skip
    jobs.announce(session, "duty")
    return handover


def take(
    session: Session, actor: Actor, handover_id: int, agent_id: int, at: datetime
) -> DutyHandover:
    """The second signature: whoever takes over has read the note."""
    _require_signature(actor, agent_id)
    handover = session.get(DutyHandover, handover_id)
    if handover is None:
        raise NotFoundError(f"there is no handover {handover_id}")
    if handover.taken_at is not None:
        raise ConflictError("this handover was signed by both already")
    if handover.given_by_id == agent_id:
        fault = Fault("another person than the giver signs for taking over", column="agent")
        raise InputError.of([fault])
    if session.get(Agent, agent_id) is None:
        raise NotFoundError(f"there is no agent {agent_id}")
    handover.taken_by_id, handover.taken_at = agent_id, at
    session.add(handover)
    session.flush()
    audit.record(session, at, actor.name, "duty.handover.take", str(handover.day),
                 handover=handover_id, agent=agent_id)  # fmt: skip
    jobs.announce(session, "duty")
    return handover


def _require_signature(actor: Actor, agent_id: int) -> None:
    """One signs for oneself; a planner enters what was signed on paper."""
    access.require(actor, "rosters.view")
    if actor.agent_id != agent_id and not actor.may("rosters.plan"):
        raise AccessDeniedError("one signs a handover for oneself only")


def _open_tickets(session: Session, agent_id: int) -> list[str]:
    query = (
        select(Ticket.code)
        .where(
            Ticket.owner_id == agent_id,
            col(Ticket.state).in_((TicketState.OPEN, TicketState.PAUSED)),
        )
        .order_by(col(Ticket.opened_at))
        .limit(MOST_TICKETS)
    )
    return list(session.exec(query))
