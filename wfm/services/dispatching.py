"""The live desk: what waits, who is on duty, whom the policy proposes, and assigning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access, audit, kept
from wfm.access import Actor
from wfm.dispatch.live import Proposal, has_room, in_order, next_for, recommend, recommend_all
from wfm.dispatch.model import Ticket as Waiting
from wfm.dispatch.model import may_take, micro
from wfm.errors import NotFoundError
from wfm.services import desk_snapshot, ticket_work
from wfm.services.desk_snapshot import SeatRow, Snapshot, due_at
from wfm.services.facts import AgentFacts
from wfm.services.outlook import Outlook, outlook
from wfm.services.queue_parts import QueuePart, parts_of
from wfm.services.replaying import TIERS
from wfm.services.ticket_work import Refusal, reason_document
from wfm.tables import Agent as AgentRow
from wfm.tables import Customer, DispatchDecision, Skill, Ticket, TicketEvent
from wfm.tables.base import among
from wfm.words import EventKind, Grade, TicketState

AT_RISK_SHARE = 0.25  # a ticket is at risk when less than this share of its time is left
LONGEST_BOARD = 200
LONGEST_HAND = 60
LONGEST_HISTORY = 50
IN_WORK = (TicketState.OPEN, TicketState.PAUSED)
SEAT_STATES = ("free", "full", "on_break")
LATE, AT_RISK, FINE = RISKS = ("late", "at_risk", "fine")


@dataclass(frozen=True)
class Filters:
    """What part of the queue to show; empty: all of it."""

    skill: str = ""
    tier: Grade | None = None
    risk: str = ""


@dataclass(frozen=True)
class QueueRow:
    """One waiting ticket as the dispatcher sees it.

    `waited_s` and `left_s` count business seconds, the latter to the due instant and below zero
    when late; `risk` is one of `RISKS`.
    """

    ticket: Ticket  # or a row of its columns
    skill: Skill | None
    customer: str
    due_at: datetime
    waited_s: int
    left_s: int
    risk: str
    proposal: Proposal
    proposed: AgentFacts | None
    runners_up: tuple[AgentFacts, ...]
    outlook: Outlook | None


@dataclass(frozen=True)
class HandRow:
    """One ticket somebody has in hand; `left_s` counts to its due instant until it is answered."""

    ticket: Ticket
    skill: Skill | None
    owner: AgentRow
    on_duty: bool
    left_s: int
    risk: str


@dataclass(frozen=True)
class Board:
    """The desk at one instant. `clock_runs` says whether business time is passing now.

    `counts` holds the whole queue's tickets by risk, `matching` how many the filters let through
    (`parts`: by skill and tier); `waiting` are the first of these, `hands` the first in hand.
    """

    at: datetime
    policy: str
    clock_runs: bool
    counts: dict[str, int]
    total_waiting: int
    matching: int
    waiting: tuple[QueueRow, ...]
    seats: tuple[SeatRow, ...]
    hands: tuple[HandRow, ...]
    total_in_hand: int
    skills: tuple[Skill, ...]
    expected_late: int
    parts: tuple[QueuePart, ...]

    @property
    def free(self) -> int:
        return sum(seat.state == "free" for seat in self.seats)


@dataclass(frozen=True)
class Look:
    """One look at the whole desk, of which any number of boards show their part."""

    at: datetime
    desk: Snapshot
    ordered: tuple[Waiting, ...]
    risks: dict[str, str]
    ahead: dict[str, Outlook]
    skills: tuple[Skill, ...]


@dataclass(frozen=True)
class Choice:
    """One ticket with everybody on duty who may take it, the policy's choice first."""

    row: QueueRow
    choices: tuple[SeatRow, ...]
    history: tuple[tuple[TicketEvent, str], ...]


def board(
    session: Session,
    actor: Actor,
    at: datetime,
    timezone: str,
    filters: Filters | None = None,
    limit: int = LONGEST_BOARD,
) -> Board:
    """The live queue in the policy's order, each ticket with the proposed agent and why."""
    access.require(actor, "dispatch.view")
    return board_of(session, look(session, at, timezone), filters or Filters(), limit)


def look(session: Session, at: datetime, timezone: str) -> Look:
    """The desk at one instant, for all who look while nothing changes; they check permissions."""
    return kept.shared(session, ("look", timezone), lambda: _look(session, at, timezone), at)


def _look(session: Session, at: datetime, timezone: str) -> Look:
    desk = desk_snapshot.glance(session, at, timezone)
    ordered = tuple(in_order(desk.policy, desk.state, micro(at)))
    return Look(
        at=at,
        desk=desk,
        ordered=ordered,
        risks={one.ticket_id: _risk(desk, desk.tickets[one.ticket_id], at) for one in ordered},
        ahead=outlook(session, desk, at),
        skills=kept.copies(session.exec(select(Skill).order_by(Skill.code))),
    )


def board_of(session: Session, seen: Look, wanted: Filters, limit: int) -> Board:
    """The part of a look that passes the filters."""
    desk, at = seen.desk, seen.at
    matching = [one for one in seen.ordered if _matches(one, seen.risks[one.ticket_id], wanted)]
    hands, total_in_hand = _hands(session, desk, at, wanted)
    return Board(
        at=at,
        policy=desk.policy.name,
        clock_runs=desk.time.is_open(at),
        counts=Counter(seen.risks.values()),
        total_waiting=len(seen.ordered),
        matching=len(matching),
        waiting=tuple(_rows(session, seen, matching[:limit])),
        seats=tuple(sorted((s for s in desk.seats if _does(s, wanted.skill)), key=_freest)),
        hands=hands,
        total_in_hand=total_in_hand,
        skills=seen.skills,
        expected_late=sum(o.at_risk for one in matching if (o := seen.ahead.get(one.ticket_id))),
        parts=parts_of(matching, seen.risks),
    )


def choice(session: Session, actor: Actor, ticket_code: str, at: datetime, timezone: str) -> Choice:
    """A waiting ticket, who may take it, and what happened to it so far."""
    access.require(actor, "dispatch.view")
    seen = look(session, at, timezone)
    desk = seen.desk
    ticket = next((t for t in desk.state.waiting if t.ticket_id == ticket_code), None)
    if ticket is None:
        raise _why_gone(session, ticket_work.find(session, ticket_code))
    [row] = _rows(session, seen, [ticket])
    best = [agent.code for agent in (row.proposed, *row.runners_up) if agent]
    able = [
        seat
        for seat in desk.seats
        if TIERS[seat.agent.grade] >= ticket.tier and _does(seat, ticket.skill)
    ]
    able.sort(
        key=lambda seat: (
            best.index(seat.agent.code) if seat.agent.code in best else len(best),
            SEAT_STATES.index(seat.state),
            TIERS[seat.agent.grade],
            seat.agent.code,
        )
    )
    history = session.exec(
        select(TicketEvent, AgentRow.name)
        .join(AgentRow, col(AgentRow.id) == TicketEvent.agent_id, isouter=True)
        .where(TicketEvent.ticket_id == row.ticket.id)
        .order_by(col(TicketEvent.at).desc(), col(TicketEvent.id).desc())
        .limit(LONGEST_HISTORY)
    )
    return Choice(row, tuple(able), tuple((event, name or "") for event, name in history))


def _freest(seat: SeatRow) -> tuple[int, str]:
    return SEAT_STATES.index(seat.state), seat.agent.code


def _does(seat: SeatRow, skill: str) -> bool:
    """Whether she has the skill; who has none on record may do anything, as for the policy."""
    return not skill or not seat.agent.skills or skill in seat.agent.skills


def _matches(ticket: Waiting, risk: str, wanted: Filters) -> bool:
    return (
        (not wanted.skill or ticket.skill == wanted.skill)
        and (wanted.tier is None or ticket.tier == TIERS[wanted.tier])
        and (not wanted.risk or risk == wanted.risk)
    )


def _risk(desk: Snapshot, ticket: Any, at: datetime) -> str:
    due = desk.due.get(ticket.code) or due_at(ticket, desk.time)
    if at > due:
        return LATE
    promised = ticket.respond_within_s or desk_snapshot.DEFAULT_RESPOND_S
    return AT_RISK if desk.time.elapsed(at, due) < AT_RISK_SHARE * promised else FINE


def _rows(session: Session, seen: Look, shown: Sequence[Waiting]) -> Iterator[QueueRow]:
    desk, at = seen.desk, seen.at
    people = {seat.agent.code: seat.agent for seat in desk.seats}
    skills = {skill.code: skill for skill in seen.skills}
    rows = session.execute(
        sa.select(*sa.inspect(Ticket).columns, col(Customer.name).label("customer"))
        .join(Customer, col(Customer.id) == Ticket.customer_id, isouter=True)
        .where(among(Ticket.id, [desk.tickets[one.ticket_id].id for one in shown]))
    )
    tickets: dict[str, Any] = {row.code: row for row in rows}
    proposals = recommend_all(desk.policy, shown, desk.state, micro(at))
    for one, proposal in zip(shown, proposals, strict=True):
        ticket, due = tickets[one.ticket_id], desk.due[one.ticket_id]
        yield QueueRow(
            ticket=ticket,
            skill=skills.get(one.skill),
            customer=ticket.customer or "",
            due_at=due,
            waited_s=desk.time.elapsed(ticket.opened_at, at),
            left_s=desk.time.elapsed(at, due),
            risk=_risk(desk, ticket, at),
            proposal=proposal,
            proposed=people.get(proposal.agent_id or ""),
            runners_up=tuple(people[code] for code in proposal.next_best),
            outlook=seen.ahead.get(one.ticket_id),
        )


def _hands(
    session: Session, desk: Snapshot, at: datetime, wanted: Filters
) -> tuple[tuple[HandRow, ...], int]:
    """Tickets in hand: what is not answered first, the earliest due first."""
    on_duty = {seat.agent.id for seat in desk.seats}
    held: list[sa.ColumnElement[bool]] = [
        col(Ticket.state).in_(IN_WORK), col(Ticket.owner_id).is_not(None),
        col(Ticket.opened_at) <= at,
    ]  # fmt: skip
    if wanted.skill:
        held.append(col(Skill.code) == wanted.skill)
    if wanted.tier is not None:
        held.append(col(Ticket.min_grade) == wanted.tier)
    found = session.exec(
        select(Ticket, Skill, AgentRow, sa.func.count().over())
        .join(AgentRow, col(AgentRow.id) == Ticket.owner_id)
        .join(Skill, col(Skill.id) == Ticket.skill_id, isouter=True)
        .where(*held)
        .order_by(col(Ticket.first_response_at).is_not(None), col(Ticket.due_at), col(Ticket.id))
        .limit(LONGEST_HAND)
    ).all()
    rows = tuple(
        HandRow(
            ticket=ticket,
            skill=skill,
            owner=owner,
            on_duty=owner.id in on_duty,
            left_s=desk.time.elapsed(at, due_at(ticket, desk.time)),
            risk=_risk(desk, ticket, at),
        )
        for ticket, skill, owner, _ in found
    )
    return rows, found[0][3] if found else 0


def assign(
    session: Session,
    actor: Actor,
    ticket_code: str,
    agent_code: str,
    at: datetime,
    timezone: str,
    note: str = "",
) -> DispatchDecision:
    """Give a waiting ticket to an agent on duty; exactly one owner at a time.

    Raises
    ------
    Refusal
        Somebody has the ticket already or it no longer waits; the agent is not on duty, may not
        take it, or has full hands; the choice differs from the proposal and no note says why.
    """
    access.require(actor, "dispatch.assign")
    note = note.strip()
    ticket = ticket_work.find(session, ticket_code, lock=True)
    if ticket.owner_id is not None or ticket.state != TicketState.OPEN or ticket.opened_at > at:
        raise _why_gone(session, ticket)
    agent = session.exec(
        # whoever assigns to one agent waits for whoever else does, so hands never overfill
        select(AgentRow).where(AgentRow.code == agent_code).with_for_update(key_share=True)
    ).first()
    if agent is None:
        raise NotFoundError(f"there is no agent {agent_code}")
    assert ticket.id is not None
    assert agent.id is not None
    desk = desk_snapshot.take(session, at, timezone, about=ticket)
    waiting = next(one for one in desk.state.waiting if one.ticket_id == ticket_code)
    _check(desk, waiting, agent)
    proposal = recommend(desk.policy, waiting, desk.state, micro(at))
    people = {seat.agent.code: seat.agent for seat in desk.seats}
    proposed = people.get(proposal.agent_id or "")
    if not note and agent_code != proposal.agent_id:
        code, name = ("say_why", proposed.name) if proposed else ("kept", None)
        raise Refusal(code, agent=agent.name, proposed=name)
    decision = DispatchDecision(
        ticket_id=ticket.id, agent_id=agent.id, at=at, decided_by=actor.name,
        policy=desk.policy.name, proposed_agent_id=proposed.id if proposed else None, note=note,
        reasons=[reason_document(reason) for reason in proposal.why],
    )  # fmt: skip
    session.add(decision)
    ticket_work.append(session, ticket, EventKind.ASSIGNED, agent.id, at, note)
    audit.record(session, at, actor.name, "dispatch.assign", f"ticket {ticket_code}",
                 agent=agent_code, proposed=proposal.agent_id, note=note)  # fmt: skip
    return decision


def _why_gone(session: Session, ticket: Ticket) -> Refusal:
    if ticket.owner_id is None or ticket.state != TicketState.OPEN:
        return Refusal("gone", ticket=ticket.code)
    return Refusal(
        "taken", ticket=ticket.code, agent=session.get_one(AgentRow, ticket.owner_id).name
    )


def _check(desk: Snapshot, ticket: Waiting, agent: AgentRow) -> None:
    row = next((row for row in desk.seats if row.agent.code == agent.code), None)
    seat = next((one for one in desk.state.seats if one.agent.agent_id == agent.code), None)
    if row is None:
        raise Refusal("off_duty", agent=agent.name)
    if seat is None:
        raise Refusal("on_break", agent=agent.name)
    if agent.code in ticket.not_by:
        raise Refusal("about_her", agent=agent.name)
    if not may_take(seat.agent, replace(ticket, proficiency=1)):
        raise Refusal("unable", agent=agent.name)
    if not has_room(seat, ticket):
        raise Refusal("full", agent=agent.name)


def proposals(
    session: Session, actor: Actor, agent_code: str, at: datetime, timezone: str
) -> Iterator[Proposal]:
    """What an agent on duty should take next, and if not that, what then; all from one look.

    The last one proposes nothing.
    """
    own = session.get(AgentRow, actor.agent_id) if actor.agent_id is not None else None
    if own is None or own.code != agent_code:
        access.require(actor, "dispatch.view")
    desk = desk_snapshot.glance(session, at, timezone)
    state = desk.state
    while True:
        try:
            proposal = next_for(desk.policy, agent_code, state, micro(at))
        except ValueError as error:
            raise Refusal("off_duty", agent=agent_code) from error
        yield proposal
        if proposal.ticket_id is None:
            return
        left = [one for one in state.waiting if one.ticket_id != proposal.ticket_id]
        state = replace(state, waiting=left)
