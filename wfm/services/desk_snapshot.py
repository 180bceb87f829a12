"""The desk at one instant as the dispatch policy sees it, with the rows behind it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Session, col

from wfm import kept
from wfm.dispatch.model import Agent, DeskState, Kind, Seat, micro
from wfm.dispatch.model import Ticket as Waiting
from wfm.dispatch.policy import Policy
from wfm.instants import local_date
from wfm.services import desk_rules, opening
from wfm.services.facts import AgentFacts, agents_on
from wfm.services.replaying import TIERS, presence
from wfm.sla.business_time import BusinessTime
from wfm.tables import Agent as AgentRow
from wfm.tables import Assignment, DispatchDecision, Skill, Ticket
from wfm.tables.base import among
from wfm.words import Mode, TicketState

DEFAULT_RESPOND_S = 3600
LONGEST_DUTY = timedelta(days=1)
NOBODY: frozenset[str] = frozenset()
# the columns of a ticket that a decision about it needs
DECIDING = (
    "id", "code", "kind", "opened_at", "due_at", "respond_within_s", "min_grade", "priority",
)  # fmt: skip
ON_DUTY = ("agent_id", "starts_at", "ends_at", "breaks", "mode")
WORK_SEEN = timedelta(days=7)  # kinds of work that came within this time may come again


@dataclass(frozen=True)
class SeatRow:
    """One agent on duty until `until`."""

    agent: AgentFacts
    mode: Mode
    in_hand: int
    until: datetime
    on_break: bool

    @property
    def state(self) -> str:
        """What the desk sees of her: "free", "full" or "on_break"."""
        if self.on_break:
            return "on_break"
        return "free" if self.in_hand < self.agent.capacity else "full"


@dataclass(frozen=True)
class Snapshot:
    """`state` is what the policy is asked about; `due` holds each waiting ticket's due instant.

    `tickets` are rows of only what a decision needs (`DECIDING`): thousands may wait.
    """

    state: DeskState
    tickets: dict[str, Any]
    due: dict[str, datetime]
    seats: tuple[SeatRow, ...]
    policy: Policy
    time: BusinessTime


def take(session: Session, at: datetime, timezone: str, about: Ticket | None = None) -> Snapshot:
    """Everybody on duty and everything that waits, as of one instant.

    For a decision about one ticket, `about`, it is enough to see that and, of all others, one of
    each sort: the policy asks whether another one waits that somebody may take, not how many.
    """
    time = opening.desk_time(session, timezone)
    seats, rows = _seats(session, at, timezone)
    tickets = _waiting(session, at) if about is None else _one_of_each(session, at, about)
    due = {ticket.code: due_at(ticket, time) for ticket in tickets}
    waiting = [_as_waiting(ticket, due[ticket.code]) for ticket in tickets]
    kinds = _kinds(session, at) | {(ticket.skill, ticket.tier) for ticket in waiting}
    return Snapshot(
        state=DeskState(seats, waiting, frozenset(kinds)),
        tickets={ticket.code: ticket for ticket in tickets},
        due=due,
        seats=rows,
        policy=desk_rules.load().policy(),
        time=time,
    )


def glance(session: Session, at: datetime, timezone: str) -> Snapshot:
    """The same for a page: one snapshot is shared by all who look while nothing changes."""
    return kept.shared(session, ("desk", timezone), lambda: take(session, at, timezone), at)


def due_at(ticket: Any, time: BusinessTime) -> datetime:
    """When the ticket must be answered: as stored, or reckoned where that is not done yet."""
    return ticket.due_at or time.add(ticket.opened_at, ticket.respond_within_s or DEFAULT_RESPOND_S)


def in_hand(session: Session) -> dict[int, int]:
    """The weight of the open tickets each agent has."""
    rows = session.execute(
        sa.select(col(Ticket.owner_id), col(Ticket.kind), sa.func.count())
        .where(col(Ticket.state) == TicketState.OPEN, col(Ticket.owner_id).is_not(None))
        .group_by(col(Ticket.owner_id), col(Ticket.kind))
    )
    held: dict[int, int] = defaultdict(int)
    for owner, kind, count in rows:
        held[owner] += desk_rules.load().weight(kind) * int(count)
    return dict(held)


def _seats(session: Session, at: datetime, timezone: str) -> tuple[list[Seat], tuple[SeatRow, ...]]:
    """Who can be given work now; and all on duty, those on a break too."""
    duties = session.execute(
        sa.select(*(col(getattr(Assignment, name)) for name in ON_DUTY))
        .where(
            col(Assignment.live), col(Assignment.starts_at) <= at, col(Assignment.ends_at) > at,
            col(Assignment.mode) != Mode.STANDBY,
        )
        .order_by(col(Assignment.agent_id))
    ).all()  # fmt: skip
    on_duty = {duty.agent_id for duty in duties}
    facts = {one.id: one for one in agents_on(session, local_date(at, timezone), ids=on_duty)}
    held = in_hand(session)
    since = _since(session, on_duty, at)
    now = micro(at)
    seats, rows = [], []
    for duty in duties:
        agent = facts.get(duty.agent_id)
        if agent is None:
            continue
        leaves_at = next((end for begin, end in presence(duty) if begin <= now < end), None)
        on_break = leaves_at is None
        rows.append(SeatRow(agent, duty.mode, held.get(agent.id, 0), duty.ends_at, on_break))
        if leaves_at is not None:
            person = Agent(agent.code, TIERS[agent.grade], agent.skills, agent.capacity)
            begun = max(since.get(agent.id, duty.starts_at), duty.starts_at)
            seats.append(Seat(person, rows[-1].in_hand, micro(begun), leaves_at))
    return seats, tuple(sorted(rows, key=lambda row: row.agent.code))


def _since(session: Session, agent_ids: Collection[int], at: datetime) -> dict[int, datetime]:
    """When something last changed in each agent's hands: a ticket given or done."""
    recent = at - LONGEST_DUTY
    changes = (
        (DispatchDecision.agent_id, DispatchDecision.at),
        (Ticket.owner_id, Ticket.resolved_at),
    )
    latest: dict[int, datetime] = {}
    for agent, when in changes:
        rows = session.execute(
            sa.select(col(agent), sa.func.max(col(when)))
            .where(among(agent, agent_ids), col(when) > recent, col(when) <= at)
            .group_by(col(agent))
        )
        for agent_id, last in rows:
            latest[agent_id] = max(last, latest.get(agent_id, last))
    return latest


def _waiting(session: Session, at: datetime) -> list[Any]:
    """What waits, with the code of its skill and of the agent it is about."""
    return list(session.execute(_queue(at).order_by(col(Ticket.id))))


def _one_of_each(session: Session, at: datetime, about: Ticket) -> list[Any]:
    sort = [col(Ticket.skill_id), col(Ticket.min_grade), col(Ticket.priority), col(Ticket.about_id)]
    others = _queue(at).where(col(Ticket.id) != about.id).ext(distinct_on(*sort)).order_by(*sort)
    mine = _queue(at).where(col(Ticket.id) == about.id)
    return [*session.execute(mine), *session.execute(others)]


def _queue(at: datetime) -> sa.Select[Any]:
    return (
        sa.select(
            *(col(getattr(Ticket, name)) for name in DECIDING),
            col(Skill.code).label("skill_code"),
            col(AgentRow.code).label("about_code"),
        )
        .join(Skill, col(Skill.id) == Ticket.skill_id, isouter=True)
        .join(AgentRow, col(AgentRow.id) == Ticket.about_id, isouter=True)
        .where(
            col(Ticket.state) == TicketState.OPEN,
            col(Ticket.owner_id).is_(None),
            col(Ticket.opened_at) <= at,
        )
    )


def _kinds(session: Session, at: datetime) -> set[Kind]:
    rows = session.execute(
        sa.select(col(Skill.code), col(Ticket.min_grade))
        .join(Skill, col(Skill.id) == Ticket.skill_id)
        .where(col(Ticket.opened_at) > at - WORK_SEEN, col(Ticket.opened_at) <= at)
        .distinct()
    )
    return {(skill, TIERS[grade]) for skill, grade in rows}


def _as_waiting(ticket: Any, due: datetime) -> Waiting:
    rules = desk_rules.load()
    skill, about = ticket.skill_code or "", ticket.about_code
    return Waiting(
        ticket.code, micro(ticket.opened_at), micro(due), skill, TIERS[ticket.min_grade],
        ticket.priority, rules.wanted(ticket.priority) if skill else 1,
        rules.weight(ticket.kind), frozenset({about}) if about else NOBODY,
    )  # fmt: skip
