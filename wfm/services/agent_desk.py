"""The desk of an agent: her duties, her open work, what to take next, and her handovers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, or_, select

from wfm import access
from wfm.access import SYSTEM, Actor
from wfm.dispatch.live import Proposal
from wfm.errors import ConflictError, NotFoundError
from wfm.services import dispatching, holiday_duty, ticket_work
from wfm.services.holiday_duty import Holding
from wfm.services.ticket_work import Refusal
from wfm.tables import (
    Agent,
    Assignment,
    DutyHandover,
    Leave,
    Post,
    ShiftTemplate,
    Skill,
    Ticket,
    TicketHandover,
)
from wfm.words import TicketState

OPEN = (TicketState.OPEN, TicketState.PAUSED)
GIVEN_MEANWHILE = ("gone", "taken")
MOST_HANDOVERS = 10
NO_AGENT = "this account belongs to no agent; an administrator can connect it with one"


@dataclass(frozen=True)
class Duty:
    """One published duty with the names of its shift."""

    assignment: Assignment
    shift: ShiftTemplate | None


@dataclass(frozen=True)
class Day:
    date: date
    duties: tuple[Duty, ...]
    posts: tuple[Holding, ...]
    leave: Leave | None


@dataclass(frozen=True)
class Work:
    ticket: Ticket
    skill: Skill | None


@dataclass(frozen=True)
class AgentDesk:
    """Everything an agent starts the day with; `next` is None off duty.

    `notes` are those of tickets handed over to her, `handovers` those of holiday duties.
    """

    agent: Agent
    days: tuple[Day, ...]
    work: tuple[Work, ...]
    next: Proposal | None
    notes: tuple[tuple[TicketHandover, Ticket], ...]
    handovers: tuple[tuple[DutyHandover, Post], ...]


def own_agent(session: Session, actor: Actor) -> Agent:
    """The agent whose desk this is.

    Raises
    ------
    NotFoundError
        The account belongs to no agent.
    """
    access.require(actor, "work.own")
    agent = session.get(Agent, actor.agent_id) if actor.agent_id is not None else None
    if agent is None:
        raise NotFoundError(NO_AGENT)
    return agent


def page(
    session: Session, actor: Actor, first: date, last: date, at: datetime, timezone: str
) -> AgentDesk:
    """The desk, with the duties from `first` to `last`."""
    agent = own_agent(session, actor)
    assert agent.id is not None
    try:
        proposal = next(dispatching.proposals(session, actor, agent.code, at, timezone))
    except Refusal:
        proposal = None
    return AgentDesk(
        agent,
        days(session, agent.id, first, last),
        _work(session, agent.id),
        proposal,
        _notes(session, agent.id),
        _handovers(session, agent.id),
    )


def days(session: Session, agent_id: int, first: date, last: date) -> tuple[Day, ...]:
    """Day by day: published duties, posts held, and leave."""
    shifts = {row.code: row for row in session.exec(select(ShiftTemplate))}
    duties: dict[date, list[Duty]] = {}
    for row in session.exec(
        select(Assignment)
        .where(Assignment.agent_id == agent_id, Assignment.live,
               Assignment.day >= first, Assignment.day <= last)
        .order_by(col(Assignment.starts_at))
    ):  # fmt: skip
        duties.setdefault(row.day, []).append(Duty(row, shifts.get(row.shift_code)))
    posts: dict[date, list[Holding]] = {}
    for held in holiday_duty.held_between(session, first, last):
        if held.agent.id == agent_id:
            posts.setdefault(held.day, []).append(held)
    leave = session.exec(
        select(Leave).where(
            Leave.agent_id == agent_id, Leave.start_on <= last, Leave.end_on >= first
        )
    ).all()
    return tuple(
        Day(
            day, tuple(duties.get(day, ())), tuple(posts.get(day, ())),
            next((one for one in leave if one.start_on <= day <= one.end_on), None),
        )
        for day in (first + timedelta(n) for n in range((last - first).days + 1))
    )  # fmt: skip


def take_next(session: Session, actor: Actor, at: datetime, timezone: str) -> str:
    """Take what the policy proposes to oneself; returns the ticket's code.

    Raises
    ------
    ConflictError
        Off duty, hands full, or nothing waits that this agent should take.
    """
    agent = own_agent(session, actor)
    while True:
        code = _first_to_take(session, actor, agent.code, at, timezone)
        try:
            dispatching.assign(
                session, replace(SYSTEM, name=actor.name), code, agent.code, at, timezone,
                "taken by the agent as next",
            )  # fmt: skip
            return code
        except Refusal as refusal:
            if refusal.code not in GIVEN_MEANWHILE:
                raise


def _first_to_take(
    session: Session, actor: Actor, agent_code: str, at: datetime, timezone: str
) -> str:
    """The first ticket for her that nobody is busy with, so that many can take at once.

    When somebody is giving away each of them just now, the first: it may come back.
    """
    first: str | None = None
    for proposal in dispatching.proposals(session, actor, agent_code, at, timezone):
        if proposal.ticket_id is None:
            break
        if ticket_work.lock_waiting(session, proposal.ticket_id):
            return proposal.ticket_id
        first = first or proposal.ticket_id
    if first is None:
        raise ConflictError("there is nothing for you to take now")
    return first


def _work(session: Session, agent_id: int) -> tuple[Work, ...]:
    rows = session.exec(
        select(Ticket, Skill)
        .join(Skill, col(Skill.id) == Ticket.skill_id, isouter=True)
        .where(Ticket.owner_id == agent_id, col(Ticket.state).in_(OPEN))
        .order_by(
            col(Ticket.first_response_at).is_not(None), col(Ticket.due_at), col(Ticket.opened_at)
        )
    )
    return tuple(Work(ticket, skill) for ticket, skill in rows)


def _notes(session: Session, agent_id: int) -> tuple[tuple[TicketHandover, Ticket], ...]:
    """Handover notes of the tickets in her hands that she has not signed for yet."""
    rows = session.exec(
        select(TicketHandover, Ticket)
        .join(Ticket, col(Ticket.id) == TicketHandover.ticket_id)
        .where(
            Ticket.owner_id == agent_id, col(Ticket.state).in_(OPEN),
            col(TicketHandover.taken_at).is_(None), TicketHandover.given_by_id != agent_id,
        )
        .order_by(col(TicketHandover.given_at).desc())
    )  # fmt: skip
    return tuple((note, ticket) for note, ticket in rows)


def _handovers(session: Session, agent_id: int) -> tuple[tuple[DutyHandover, Post], ...]:
    rows = session.exec(
        select(DutyHandover, Post)
        .join(Post, col(Post.id) == DutyHandover.post_id)
        .where(or_(DutyHandover.given_by_id == agent_id, DutyHandover.taken_by_id == agent_id))
        .order_by(col(DutyHandover.given_at).desc())
        .limit(MOST_HANDOVERS)
    )
    return tuple((note, post) for note, post in rows)
