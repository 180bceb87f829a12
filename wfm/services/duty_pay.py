"""What a duty table costs by pay class, and watches during which tickets were worked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler import pay
from scheduler.duty_watch import (
    SOURCE,
    Act,
    ClassCost,
    WatchWork,
    cost_by_day,
    price_work,
    work_in_watch,
)
from scheduler.labour import DayType
from wfm import access, audit
from wfm.access import Actor
from wfm.errors import ConflictError, NotFoundError
from wfm.services import holiday_duty
from wfm.services.day_types import days_between
from wfm.services.duty_handover import hours_of
from wfm.services.holiday_duty import Holding
from wfm.tables import Agent, Assignment, Ticket, TicketEvent, WatchDecision
from wfm.words import DutyKind, EventKind, Mode

WORK = (
    EventKind.AGENT_MESSAGE, EventKind.NOTED, EventKind.RESOLVED, EventKind.TRANSFERRED,
    EventKind.ESCALATED, EventKind.PAUSED, EventKind.RESUMED, EventKind.PRIORITY_CHANGED,
    EventKind.CLOSED,
)  # fmt: skip
WATCHES = (DutyKind.WATCH, DutyKind.STANDBY)
WORKED = (
    Assignment.agent_id, Assignment.day, Assignment.starts_at, Assignment.ends_at,
    Assignment.kind, Assignment.breaks,
)  # fmt: skip
LONGEST_REASON = 500

Span = tuple[datetime, datetime]
Costs = tuple[ClassCost, ...]


@dataclass(frozen=True)
class Proposal:
    """A piece of work in a watch that could be overtime, priced, with what was decided."""

    agent: Agent
    post_name_en: str
    post_name_zh: str
    post_code: str
    day: date
    starts_at: datetime
    ends_at: datetime
    tickets: tuple[str, ...]
    costs: tuple[ClassCost, ...]
    decision: WatchDecision | None

    @property
    def minutes(self) -> int:
        return int((self.ends_at - self.starts_at) // timedelta(minutes=1))

    @property
    def key(self) -> str:
        """Names it in a form: who, and from when."""
        return f"{self.agent.id}@{self.starts_at.isoformat()}"


def day_types(session: Session, first: date, last: date) -> Callable[[date], DayType]:
    """Day types of a period and the days beside it, which duties over midnight reach into."""
    around = days_between(session, first - timedelta(days=1), last + timedelta(days=2))
    kinds = {day.date: DayType(day.type.value) for day in around}
    return kinds.__getitem__


def costs(
    session: Session, holdings: Sequence[Holding], first: date, last: date,
    month_wage: Decimal | None, timezone: str,
) -> tuple[ClassCost, ...]:  # fmt: skip
    """What a period costs by day and pay class: its posts, and the published shifts beside them.

    A post on site is worked in the holder's published shift of that day, where there is one.
    """
    zone = ZoneInfo(timezone)
    duties: dict[str, list[pay.WorkedDuty]] = defaultdict(list)
    shifts: dict[tuple[int, date], Any] = {}
    for duty in session.execute(_live(WORKED, first, last)):
        shifts[duty.agent_id, duty.day] = duty
    for held in holdings:
        post, key = held.post, (held.agent.id or 0, held.day)
        if post.kind in WATCHES or key not in shifts:
            start, end = (at.astimezone(zone) for at in hours_of(post, held.day, timezone))
            kind = pay.DutyKind(post.kind.value)
            duties[held.agent.code].append(pay.WorkedDuty(start, end, kind=kind))
            if post.kind in WATCHES:
                shifts.pop(key, None)
    codes = dict(session.exec(select(Agent.id, Agent.code)).all())
    for (agent_id, _), duty in sorted(shifts.items()):
        duties[codes[agent_id]].append(_worked(duty, zone))
    return cost_by_day(
        {code: _apart(theirs) for code, theirs in duties.items()},
        day_types(session, first, last), month_wage,
    )  # fmt: skip


def _live(columns: Sequence[Any], first: date, last: date) -> sa.Select[Any]:
    """Published duties of a period; standby is paid as the post says, not as a shift.

    Columns only: a month of a hundred people is thousands of rows.
    """
    return (
        sa.select(*columns)
        .where(
            col(Assignment.live), col(Assignment.mode) != Mode.STANDBY,
            col(Assignment.day).between(first, last),
        )
        .order_by(col(Assignment.id))
    )  # fmt: skip


def _worked(duty: Any, zone: ZoneInfo) -> pay.WorkedDuty:
    breaks = tuple(
        (datetime.fromisoformat(pause["from"]).astimezone(zone),
         datetime.fromisoformat(pause["until"]).astimezone(zone))
        for pause in duty.breaks
        if not pause.get("paid")
    )  # fmt: skip
    return pay.WorkedDuty(
        duty.starts_at.astimezone(zone), duty.ends_at.astimezone(zone), breaks,
        pay.DutyKind(duty.kind.value),
    )  # fmt: skip


def _apart(duties: Sequence[pay.WorkedDuty]) -> list[pay.WorkedDuty]:
    """Duties of one person without overlaps: where a shift meets a watch, the shift counts."""
    work = [duty for duty in duties if duty.kind.value not in WATCHES]
    kept = list(work)
    for watch in (duty for duty in duties if duty.kind.value in WATCHES):
        parts = [(watch.start, watch.end)]
        for taken in kept:
            parts = [
                cut
                for start, end in parts
                for cut in ((start, min(end, taken.start)), (max(start, taken.end), end))
                if cut[0] < cut[1]
            ]
        kept += [pay.WorkedDuty(*part, kind=watch.kind) for part in dict.fromkeys(parts)]
    return sorted(kept, key=lambda duty: duty.start)


def proposals(
    session: Session, actor: Actor, first: date, last: date, at: datetime,
    month_wage: Decimal | None, timezone: str,
) -> list[Proposal]:  # fmt: skip
    """Work found in the watches and standbys of a period that are over, by time and person.

    Whoever plans or leads sees everybody's, others their own.
    """
    access.require(actor, "rosters.view")
    sees_all = actor.may("contacts.view")
    held = [
        one
        for one in holiday_duty.held_between(session, first, last)
        if one.post.kind in WATCHES and (sees_all or one.agent.id == actor.agent_id)
    ]
    people = {one.agent.id: one.agent for one in held}
    if not people:
        return []
    acts = _acts(session, [key for key in people if key], first, last, timezone)
    rostered: dict[int, list[Span]] = defaultdict(list)
    day = timedelta(days=1)
    spans = _live((Assignment.agent_id, Assignment.starts_at, Assignment.ends_at), first - day,
                  last + day).where(col(Assignment.agent_id).in_(people))  # fmt: skip
    for agent_id, start, end in session.execute(spans):
        rostered[agent_id].append((start, end))
    decided = {
        (row.agent_id, row.starts_at): row
        for row in session.exec(
            select(WatchDecision).where(WatchDecision.day >= first, WatchDecision.day <= last)
        )
    }
    kind_of, zone = day_types(session, first, last), ZoneInfo(timezone)
    found = []
    for one in held:
        agent_id = one.agent.id or 0
        start, end = hours_of(one.post, one.day, timezone)
        if end > at:
            continue  # not over yet, so more may come
        pieces = work_in_watch(acts[agent_id], start, end, rostered[agent_id])
        for piece in pieces:
            local = WatchWork(piece.start.astimezone(zone), piece.end.astimezone(zone),
                              piece.tickets)  # fmt: skip
            found.append(
                Proposal(
                    one.agent, one.post.name_en, one.post.name_zh, one.post.code, one.day,
                    local.start, local.end, piece.tickets, price_work(local, kind_of, month_wage),
                    decided.get((agent_id, piece.start)),
                )
            )  # fmt: skip
    return sorted(found, key=lambda one: (one.starts_at, one.agent.code))


def _acts(
    session: Session, agents: list[int], first: date, last: date, timezone: str
) -> dict[int, list[Act]]:
    zone = ZoneInfo(timezone)
    since = datetime(first.year, first.month, first.day, tzinfo=zone)
    until = datetime(last.year, last.month, last.day, tzinfo=zone) + timedelta(days=2)
    found: dict[int, list[Act]] = defaultdict(list)
    for agent_id, done_at, code in session.execute(
        sa.select(col(TicketEvent.agent_id), col(TicketEvent.at), col(Ticket.code))
        .join(Ticket, col(Ticket.id) == TicketEvent.ticket_id)
        .where(
            col(TicketEvent.agent_id).in_(agents), col(TicketEvent.kind).in_(WORK),
            col(TicketEvent.at) >= since, col(TicketEvent.at) < until,
        )
        .order_by(col(TicketEvent.at))
    ):  # fmt: skip
        found[agent_id].append(Act(done_at, code))
    return found


def decide(
    session: Session, actor: Actor, first: date, last: date, key: str, accepted: bool,
    reason: str, at: datetime, month_wage: Decimal | None, timezone: str,
) -> WatchDecision:  # fmt: skip
    """A named person turns work in a watch into overtime, or says why it stays a watch.

    Raises
    ------
    NotFoundError
        The records show no such work (any more).
    ConflictError
        It was decided before.
    """
    access.require_whole_desk(actor, "rosters.publish")
    found = {
        one.key: one for one in proposals(session, actor, first, last, at, month_wage, timezone)
    }
    if key not in found:
        raise NotFoundError("the records show no such work in a watch")
    one = found[key]
    if one.decision is not None:
        raise ConflictError("this was decided before")
    assert one.agent.id is not None
    facts = {"tickets": list(one.tickets), "costs": [_document(cost) for cost in one.costs],
             "source": SOURCE, "month_wage": str(month_wage or "")}  # fmt: skip
    decision = WatchDecision(
        agent_id=one.agent.id, post_code=one.post_code, day=one.day, starts_at=one.starts_at,
        ends_at=one.ends_at, accepted=accepted, facts=facts,
        reason=reason.strip()[:LONGEST_REASON], decided_by=actor.name, decided_at=at,
    )  # fmt: skip
    session.add(decision)
    session.flush()
    audit.record(session, at, actor.name, "duty.watch", one.agent.code, day=str(one.day),
                 minutes=one.minutes, accepted=accepted, **facts)  # fmt: skip
    return decision


def _document(cost: ClassCost) -> dict[str, Any]:
    return {
        "date": cost.date.isoformat(), "pay_class": cost.pay_class.value,
        "percent": str(cost.percent), "minutes": str(cost.minutes),
        "hour_wages": str(cost.hour_wages), "source": cost.source,
        "amount": None if cost.amount is None else str(cost.amount),
    }  # fmt: skip
