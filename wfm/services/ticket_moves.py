"""What else a desk does with a ticket: put back, reassign, escalate, pause, merge, hand over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from wfm import access, audit
from wfm.access import Actor
from wfm.dispatch.model import Agent as Person
from wfm.dispatch.model import does
from wfm.errors import NotFoundError
from wfm.instants import local_date
from wfm.services import desk_rules, dispatching
from wfm.services.desk_rules import CONTINUE, PERSON, QUEUE
from wfm.services.dispatching import IN_WORK
from wfm.services.facts import agents_on
from wfm.services.replaying import TIERS
from wfm.services.ticket_work import Refusal, append, find
from wfm.tables import (
    Agent,
    AgentGrade,
    Assignment,
    DispatchDecision,
    Skill,
    Ticket,
    TicketHandover,
)
from wfm.words import EventKind, Grade, Mode, TicketState

SEEN_BACK = timedelta(days=1)


def put_back(session: Session, actor: Actor, ticket_code: str, at: datetime, note: str) -> Ticket:
    """Take a ticket out of its owner's hands; it waits again."""
    ticket = _in_work(session, actor, ticket_code)
    if ticket.owner_id is None:
        raise Refusal("unowned", ticket=ticket_code)
    _say(session, actor, ticket, "put_back", at, note, agent_id=ticket.owner_id)
    append(session, ticket, EventKind.ASSIGNED, None, at, note.strip())
    return ticket


def reassign(
    session: Session, actor: Actor, ticket_code: str, agent_code: str, at: datetime, timezone: str,
    note: str,
) -> DispatchDecision:  # fmt: skip
    """Out of one pair of hands into another, as one act."""
    put_back(session, actor, ticket_code, at, note)
    # events of one instant keep their order by id, so the new owner comes last
    return dispatching.assign(session, actor, ticket_code, agent_code, at, timezone, note)


def escalate(
    session: Session, actor: Actor, ticket_code: str, tier: Grade, at: datetime, note: str
) -> Ticket:
    """From now on it needs a higher grade; an owner below that gives it back to the queue."""
    ticket = _in_work(session, actor, ticket_code)
    if TIERS[tier] <= TIERS[ticket.min_grade]:
        raise Refusal("no_higher", ticket=ticket_code)
    _say(session, actor, ticket, "escalate", at, note, tier=tier)
    ticket.min_grade = tier
    append(session, ticket, EventKind.ESCALATED, None, at, note.strip())
    if ticket.owner_id is not None and TIERS[_grade(session, ticket.owner_id)] < TIERS[tier]:
        append(session, ticket, EventKind.ASSIGNED, None, at)
    return ticket


def pause(
    session: Session, actor: Actor, ticket_code: str, reason: str, at: datetime, note: str = ""
) -> Ticket:
    """The clocks stand still for one of the desk's reasons; the hand of its owner is free."""
    ticket = _in_work(session, actor, ticket_code)
    if ticket.state != TicketState.OPEN:
        raise Refusal("done", ticket=ticket_code)
    known = {one.code: one for one in desk_rules.load().pauses}
    if reason not in known:
        raise Refusal("no_reason")
    words = f"{known[reason].en} / {known[reason].zh}"
    audit.record(session, at, actor.name, "ticket.pause", f"ticket {ticket_code}",
                 reason=reason, note=note.strip())  # fmt: skip
    append(session, ticket, EventKind.PAUSED, None, at, f"{words}  {note.strip()}".strip())
    return ticket


def resume(session: Session, actor: Actor, ticket_code: str, at: datetime) -> Ticket:
    """The clocks run again."""
    ticket = _in_work(session, actor, ticket_code)
    if ticket.state != TicketState.PAUSED:
        raise Refusal("not_paused", ticket=ticket_code)
    audit.record(session, at, actor.name, "ticket.resume", f"ticket {ticket_code}")
    append(session, ticket, EventKind.RESUMED, None, at)
    return ticket


def merge(
    session: Session, actor: Actor, ticket_code: str, into_code: str, at: datetime, note: str = ""
) -> Ticket:
    """Answer one ticket together with another: this one ends, the other says so."""
    if ticket_code == into_code:
        raise Refusal("merge_self")
    # in order of code, so that two merges into each other cannot wait for one another
    for code in sorted((ticket_code, into_code)):
        find(session, code, lock=True)
    ticket = _in_work(session, actor, ticket_code)
    into = find(session, into_code)
    if into.state not in IN_WORK:
        raise Refusal("merge_closed", ticket=into_code)
    audit.record(session, at, actor.name, "ticket.merge", f"ticket {ticket_code}",
                 into=into_code, note=note.strip())  # fmt: skip
    ticket.merged_into_id = into.id
    append(session, ticket, EventKind.CANCELLED, None, at, f"→ {into_code} {note.strip()}".strip())
    append(session, into, EventKind.NOTED, None, at, f"← {ticket_code} {note.strip()}".strip())
    return into


def hand_over(
    session: Session, actor: Actor, ticket_code: str, agent_code: str, at: datetime, timezone: str,
    note: str,
) -> TicketHandover:  # fmt: skip
    """Pass open work on with a signed note: to a named person, or (no code) back to the queue.

    Raises
    ------
    Refusal
        No note, nobody has the ticket, or the person named may not have it.
    """
    ticket = _in_work(session, actor, ticket_code)
    if ticket.owner_id is None or ticket.id is None:
        raise Refusal("unowned", ticket=ticket_code)
    if not agent_code and desk_rules.load().endings[ticket.kind] == PERSON:
        raise Refusal("name_person", ticket=ticket_code)
    taker = _able(session, ticket, agent_code, at, timezone) if agent_code else None
    _say(session, actor, ticket, "hand_over", at, note, to=agent_code)
    handover = TicketHandover(
        ticket_id=ticket.id, given_by_id=ticket.owner_id, given_to_id=taker, note=note.strip(),
        given_at=at, given_signature=actor.name,
    )  # fmt: skip
    session.add(handover)
    kind = EventKind.TRANSFERRED if taker else EventKind.ASSIGNED
    append(session, ticket, kind, taker, at, note.strip())
    return handover


def sign(session: Session, actor: Actor, handover_id: int, at: datetime) -> TicketHandover:
    """Whoever takes the work over has read the note."""
    handover = session.get(TicketHandover, handover_id)
    if handover is None:
        raise NotFoundError(f"there is no handover {handover_id}")
    ticket = session.get_one(Ticket, handover.ticket_id)
    taker = handover.given_to_id or ticket.owner_id
    if actor.agent_id is None or actor.agent_id != taker:
        if actor.agent_id is None:
            access.require(actor, "dispatch.assign")
        else:
            name = session.get_one(Agent, taker).name if taker else "–"
            raise Refusal("not_yours", agent=name)
    if handover.taken_at is not None:
        raise Refusal("signed")
    handover.taken_at, handover.taken_signature = at, actor.name
    audit.record(session, at, actor.name, "ticket.handover.take", f"ticket {ticket.code}")
    return handover


def handovers(session: Session, ticket_id: int) -> Sequence[TicketHandover]:
    """Notes of a ticket, the newest first."""
    query = select(TicketHandover).where(TicketHandover.ticket_id == ticket_id)
    return session.exec(query.order_by(col(TicketHandover.id).desc())).all()


@dataclass(frozen=True)
class LeftOver:
    """Open work of somebody whose duty has ended, and what the rule says of it."""

    ticket: Ticket
    owner: Agent
    rule: str


def left_over(session: Session, at: datetime) -> list[LeftOver]:
    """Open tickets whose owner's duty ended within the last day and who is not on duty now."""
    rows = session.exec(
        select(Ticket, Agent)
        .join(Agent, col(Agent.id) == Ticket.owner_id)
        .where(*_left_over(at))
        .order_by(col(Ticket.id))
    )
    endings = desk_rules.load().endings
    return [LeftOver(ticket, owner, endings[ticket.kind]) for ticket, owner in rows]


def count_left_over(session: Session, at: datetime) -> int:
    """How many `left_over` would find."""
    return session.exec(select(func.count()).select_from(Ticket).where(*_left_over(at))).one()


def _left_over(at: datetime) -> tuple[ColumnElement[bool], ...]:
    duty = select(Assignment.agent_id).where(
        Assignment.live, Assignment.mode != Mode.STANDBY, Assignment.starts_at <= at
    )
    present = duty.where(Assignment.ends_at > at)
    gone = duty.where(Assignment.ends_at <= at, Assignment.ends_at > at - SEEN_BACK)
    return (
        col(Ticket.state) == TicketState.OPEN,
        col(Ticket.owner_id).in_(gone),
        col(Ticket.owner_id).not_in(present),
    )


def settle(session: Session, actor: Actor, at: datetime) -> dict[str, int]:
    """Apply the rule for the end of a duty; returns how many continue, wait again, need a name."""
    access.require(actor, "dispatch.assign")
    counts = dict.fromkeys((CONTINUE, QUEUE, PERSON), 0)
    for one in left_over(session, at):
        counts[one.rule] += 1
        if one.rule != QUEUE or one.ticket.id is None or one.owner.id is None:
            continue
        note = "duty ended; back to the queue by rule / 值班结束，按规则退回队列"
        ticket = find(session, one.ticket.code, lock=True)
        if ticket.owner_id != one.owner.id or ticket.state != TicketState.OPEN:
            continue
        session.add(
            TicketHandover(
                ticket_id=one.ticket.id, given_by_id=one.owner.id, note=note, given_at=at,
                given_signature=actor.name,
            )
        )  # fmt: skip
        append(session, ticket, EventKind.ASSIGNED, None, at, note)
    if counts[QUEUE] or not actor.system:  # the worker asks every minute and mostly finds nothing
        audit.record(session, at, actor.name, "dispatch.settle", "ended duties", **counts)
    return counts


def _in_work(session: Session, actor: Actor, ticket_code: str) -> Ticket:
    """A ticket in work that the actor may act on: as a dispatcher, or as its owner."""
    ticket = find(session, ticket_code, lock=True)
    if actor.agent_id is None or ticket.owner_id != actor.agent_id:
        access.require(actor, "dispatch.assign")
    if ticket.state not in IN_WORK:
        raise Refusal("done", ticket=ticket_code)
    return ticket


def _say(
    session: Session, actor: Actor, ticket: Ticket, what: str, at: datetime, note: str,
    **values: object,
) -> None:  # fmt: skip
    """Record an act that has to be accounted for in words."""
    if not note.strip():
        raise Refusal("say_note")
    audit.record(session, at, actor.name, f"ticket.{what}", f"ticket {ticket.code}",
                 note=note.strip(), **values)  # fmt: skip


def _grade(session: Session, agent_id: int) -> Grade:
    row = session.exec(
        select(AgentGrade)
        .where(AgentGrade.agent_id == agent_id, col(AgentGrade.valid_until).is_(None))
        .order_by(col(AgentGrade.valid_from).desc())
    ).first()
    return row.grade if row else Grade.ORDINARY


def _able(session: Session, ticket: Ticket, agent_code: str, at: datetime, timezone: str) -> int:
    """The id of an agent who may have the ticket, on duty or not."""
    facts = next(
        (one for one in agents_on(session, local_date(at, timezone)) if one.code == agent_code),
        None,
    )
    if facts is None:
        raise NotFoundError(f"there is no agent {agent_code}")
    skill = session.get_one(Skill, ticket.skill_id).code if ticket.skill_id else ""
    person = Person(facts.code, TIERS[facts.grade], facts.skills, facts.capacity)
    if facts.id == ticket.about_id:
        raise Refusal("about_her", agent=facts.name)
    if not does(person, skill, TIERS[ticket.min_grade]):
        raise Refusal("unable", agent=facts.name)
    return facts.id
