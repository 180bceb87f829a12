"""The live desk: what waits, who is on duty, whom the policy proposes, and assigning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access, audit, jobs
from wfm.access import Actor
from wfm.dispatch.live import Proposal, next_for, recommend
from wfm.dispatch.model import SECOND, Agent, DeskState, Seat, may_take
from wfm.dispatch.model import Ticket as Waiting
from wfm.dispatch.policy import POLICIES, Policy, rank
from wfm.errors import ConflictError, Fault, InputError, NotFoundError
from wfm.instants import local_date
from wfm.services import opening
from wfm.services.facts import AgentFacts, agents_on
from wfm.services.replaying import TIERS, presence
from wfm.services.ticket_states import derive
from wfm.tables import (
    Agent as AgentRow,
)
from wfm.tables import (
    Assignment,
    Customer,
    DispatchDecision,
    Skill,
    Ticket,
    TicketEvent,
)
from wfm.words import EventKind, Mode, TicketState

POLICY = "deadline"
AT_RISK_SHARE = 0.25  # a ticket is at risk when less than this share of its time is left
LONGEST_BOARD = 500
DEFAULT_RESPOND_S = 3600


@dataclass(frozen=True)
class QueueRow:
    """One waiting ticket as the dispatcher sees it.

    `left_s` counts business seconds to the due instant, below zero when late; `risk` is
    "late", "at_risk" or "fine".
    """

    ticket: Ticket
    skill: Skill | None
    customer: str
    due_at: datetime
    left_s: int
    risk: str
    proposal: Proposal
    proposed: AgentRow | None
    runners_up: tuple[AgentRow, ...]


@dataclass(frozen=True)
class SeatRow:
    """One agent on duty."""

    agent: AgentFacts
    mode: Mode
    in_hand: int
    until: datetime
    on_break: bool


@dataclass(frozen=True)
class Board:
    """The desk at one instant. `clock_runs` says whether business time is passing now."""

    at: datetime
    policy: str
    clock_runs: bool
    waiting: tuple[QueueRow, ...]
    seats: tuple[SeatRow, ...]
    total_waiting: int


@dataclass(frozen=True)
class _Snapshot:
    """The desk as the policy sees it, with the rows behind it."""

    state: DeskState
    tickets: dict[str, Ticket]
    seats: tuple[SeatRow, ...]
    policy: Policy


def board(
    session: Session, actor: Actor, at: datetime, timezone: str, skill: str | None = None
) -> Board:
    """The live queue in the policy's order, each ticket with the proposed agent and why."""
    access.require(actor, "dispatch.view")
    desk = _snapshot(session, at, timezone)
    time = opening.desk_time(session, timezone)
    now = _micro(at)
    ordered = sorted(desk.state.waiting, key=lambda ticket: rank(desk.policy, ticket, now))
    wanted = [t for t in ordered if skill is None or t.skill == skill][:LONGEST_BOARD]
    people = {row.code: row for row in session.exec(select(AgentRow))}
    skills = {row.code: row for row in session.exec(select(Skill))}
    customers = {row.id: row.name for row in session.exec(select(Customer))}
    rows = []
    for ticket in wanted:
        kept = desk.tickets[ticket.ticket_id]
        assert kept.due_at is not None
        left = time.elapsed(at, kept.due_at) if kept.due_at > at else -time.elapsed(kept.due_at, at)
        promised = kept.respond_within_s or DEFAULT_RESPOND_S
        proposal = recommend(desk.policy, ticket, desk.state, now)
        rows.append(
            QueueRow(
                ticket=kept,
                skill=skills.get(ticket.skill),
                customer=customers.get(kept.customer_id, ""),
                due_at=kept.due_at,
                left_s=left,
                risk=_risk(left, promised),
                proposal=proposal,
                proposed=people.get(proposal.agent_id or ""),
                runners_up=tuple(people[code] for code in proposal.next_best),
            )
        )
    return Board(
        at=at, policy=desk.policy.name, clock_runs=time.is_open(at), waiting=tuple(rows),
        seats=desk.seats, total_waiting=len(ordered),
    )  # fmt: skip


def _risk(left_s: int, promised_s: int) -> str:
    if left_s < 0:
        return "late"
    return "at_risk" if left_s < AT_RISK_SHARE * promised_s else "fine"


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
    ConflictError
        Somebody has the ticket already, or it no longer waits.
    InputError
        The agent is not on duty, may not take it, or has full hands; or the choice differs from
        the proposal and no note says why.
    """
    access.require(actor, "dispatch.assign")
    ticket = session.exec(
        select(Ticket).where(Ticket.code == ticket_code).with_for_update()
    ).first()
    if ticket is None:
        raise NotFoundError(f"there is no ticket {ticket_code}")
    if ticket.owner_id is not None or ticket.state != TicketState.OPEN:
        raise ConflictError(f"{ticket_code} no longer waits; the list shows who has it")
    agent = session.exec(
        # whoever assigns to one agent waits for whoever else does, so hands never overfill
        select(AgentRow).where(AgentRow.code == agent_code).with_for_update()
    ).first()
    if agent is None or agent.id is None:
        raise NotFoundError(f"there is no agent {agent_code}")
    desk = _snapshot(session, at, timezone)
    waiting = next(t for t in desk.state.waiting if t.ticket_id == ticket_code)
    seat = next((s for s in desk.state.seats if s.agent.agent_id == agent_code), None)
    _check(waiting, agent_code, seat)
    proposal = recommend(desk.policy, waiting, desk.state, _micro(at))
    if proposal.agent_id not in (None, agent_code) and not note.strip():
        wrong = f"{proposal.agent_id} is proposed; say why it goes to {agent_code}"
        raise InputError.of([Fault(wrong, column="note")])
    assert ticket.id is not None
    proposed = session.exec(
        select(AgentRow.id).where(AgentRow.code == (proposal.agent_id or ""))
    ).first()
    decision = DispatchDecision(
        ticket_id=ticket.id, agent_id=agent.id, at=at, decided_by=actor.name,
        policy=desk.policy.name, proposed_agent_id=proposed, note=note.strip(),
        reasons=[reason_document(reason) for reason in proposal.why],
    )  # fmt: skip
    session.add(decision)
    stamp = f"{ticket_code}-assigned-{round(at.timestamp() * 1000)}"
    session.add(
        TicketEvent(code=stamp, ticket_id=ticket.id, at=at, kind=EventKind.ASSIGNED,
                    agent_id=agent.id, note=note.strip())
    )  # fmt: skip
    derive(session, [ticket.id])
    audit.record(session, at, actor.name, "dispatch.assign", f"ticket {ticket_code}",
                 agent=agent_code, proposed=proposal.agent_id, note=note.strip())  # fmt: skip
    jobs.announce(session, "dispatch")
    return decision


def reason_document(reason: Any) -> dict[str, Any]:
    """A reason with its words in both languages, as they were when it was decided."""
    return {
        "code": reason.code, "numbers": dict(reason.numbers),
        "en": reason.text("en"), "zh": reason.text("zh"),
    }  # fmt: skip


def propose_next(
    session: Session, actor: Actor, agent_code: str, at: datetime, timezone: str
) -> Proposal:
    """What an agent on duty should take next."""
    if actor.agent_id is None or not _is_self(session, actor, agent_code):
        access.require(actor, "dispatch.view")
    desk = _snapshot(session, at, timezone)
    try:
        return next_for(desk.policy, agent_code, desk.state, _micro(at))
    except ValueError as error:
        raise ConflictError(f"{agent_code} is not on duty now") from error


def _is_self(session: Session, actor: Actor, agent_code: str) -> bool:
    own = session.get(AgentRow, actor.agent_id)
    return own is not None and own.code == agent_code


def _check(ticket: Waiting, agent_code: str, seat: Seat | None) -> None:
    if seat is None:
        wrong = "is not on duty now"
    elif not may_take(seat.agent, ticket):
        wrong = "does not have the skill and grade for it"
    elif seat.in_hand >= seat.agent.capacity:
        wrong = "has full hands"
    else:
        return
    raise InputError.of([Fault(f"{agent_code} {wrong}; choose another agent", column="agent")])


def decisions(session: Session, actor: Actor, limit: int = 50) -> Sequence[Any]:
    """The newest decisions with ticket and agent, newest first."""
    access.require(actor, "dispatch.view")
    return session.exec(
        select(DispatchDecision, Ticket, AgentRow)
        .join(Ticket, col(Ticket.id) == DispatchDecision.ticket_id)
        .join(AgentRow, col(AgentRow.id) == DispatchDecision.agent_id)
        .order_by(col(DispatchDecision.id).desc())
        .limit(limit)
    ).all()


def _snapshot(session: Session, at: datetime, timezone: str) -> _Snapshot:
    """Everybody on duty and everything that waits, as of one instant."""
    facts = {a.id: a for a in agents_on(session, local_date(at, timezone))}
    in_hand = _in_hand(session)
    since = _since(session, list(facts))
    seats, seat_rows = [], []
    for duty in session.exec(
        select(Assignment)
        .where(
            Assignment.live, Assignment.starts_at <= at, Assignment.ends_at > at,
            Assignment.mode != Mode.STANDBY,
        )
        .order_by(col(Assignment.agent_id))
    ):  # fmt: skip
        agent = facts.get(duty.agent_id)
        if agent is None:
            continue
        now = _micro(at)
        present = any(begin <= now < end for begin, end in presence(duty))
        held = in_hand.get(agent.id, 0)
        seat_rows.append(SeatRow(agent, duty.mode, held, duty.ends_at, not present))
        if present:
            person = Agent(agent.code, TIERS[agent.grade], agent.skills or None, agent.capacity)
            begun = max(since.get(agent.id, duty.starts_at), duty.starts_at)
            seats.append(Seat(person, held, _micro(begun)))
    tickets = _waiting(session, at)
    waiting = [_as_waiting(ticket, skill) for ticket, skill in tickets]
    kinds = frozenset((ticket.skill, ticket.tier) for ticket in waiting)
    return _Snapshot(
        state=DeskState(seats, waiting, kinds),
        tickets={ticket.code: ticket for ticket, _ in tickets},
        seats=tuple(sorted(seat_rows, key=lambda row: row.agent.code)),
        policy=POLICIES[POLICY](),
    )


def _waiting(session: Session, at: datetime) -> list[tuple[Ticket, str]]:
    rows = session.exec(
        select(Ticket, Skill.code)
        .join(Skill, col(Skill.id) == Ticket.skill_id)
        .where(
            Ticket.state == TicketState.OPEN,
            col(Ticket.owner_id).is_(None),
            Ticket.opened_at <= at,
            col(Ticket.due_at).is_not(None),
        )
        .order_by(col(Ticket.id))
    )
    return [(ticket, skill) for ticket, skill in rows]


def _as_waiting(ticket: Ticket, skill: str) -> Waiting:
    assert ticket.due_at is not None
    return Waiting(
        ticket.code, _micro(ticket.opened_at), _micro(ticket.due_at), skill,
        TIERS[ticket.min_grade], ticket.priority,
    )  # fmt: skip


def _in_hand(session: Session) -> dict[int, int]:
    rows = session.execute(
        sa.select(col(Ticket.owner_id), sa.func.count())
        .where(col(Ticket.state) == TicketState.OPEN, col(Ticket.owner_id).is_not(None))
        .group_by(col(Ticket.owner_id))
    )
    return {owner: int(count) for owner, count in rows}


def _since(session: Session, agent_ids: list[int]) -> dict[int, datetime]:
    """When each agent's last assignment or completion was."""
    rows = session.execute(
        sa.select(col(DispatchDecision.agent_id), sa.func.max(col(DispatchDecision.at)))
        .where(col(DispatchDecision.agent_id).in_(agent_ids))
        .group_by(col(DispatchDecision.agent_id))
    )
    return dict(rows.tuples())


def set_due_times(session: Session, timezone: str) -> int:
    """Store when each open, unanswered ticket must be answered; a cache anyone may rebuild."""
    time = opening.desk_time(session, timezone)
    changed = 0
    for ticket in session.exec(
        select(Ticket).where(
            Ticket.state == TicketState.OPEN, col(Ticket.first_response_at).is_(None)
        )
    ):
        due = time.add(ticket.opened_at, ticket.respond_within_s or DEFAULT_RESPOND_S)
        if ticket.due_at != due:
            ticket.due_at = ticket.next_look_at = due
            changed += 1
    session.flush()
    return changed


def _micro(instant: datetime) -> int:
    return round(instant.timestamp() * SECOND)
