"""The sample's present: a morning played through the policy, the last half-hour left to you."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from wfm.dispatch.model import SECOND, Agent, micro
from wfm.dispatch.reasons import Reason
from wfm.dispatch.replay import Decision, Duty, Trace, run
from wfm.sample.catalogue import SERVICES
from wfm.services import desk_rules, replaying
from wfm.services.facts import agents_on
from wfm.services.ticket_states import derive
from wfm.services.ticket_work import reason_document
from wfm.tables import (
    Assignment,
    DispatchDecision,
    Service,
    Skill,
    StaffingPlan,
    Ticket,
    TicketEvent,
)
from wfm.words import EventKind, Mode

LEFT_TO_YOU = timedelta(minutes=30)


def open_desk(
    session: Session, plan: StaffingPlan, present: datetime, timezone: str, seed: int
) -> int:
    """Put the morning's tickets on the desk; returns how many wait.

    What came until half an hour ago has been handed out, answered and partly finished, as the
    policy would have it; what came since then waits.
    """
    source = replaying.TraceSource(session, plan, present.date(), present.date(), timezone)
    drawn = source.trace(seed, 8)
    now, cut = micro(present), micro(present - LEFT_TO_YOU)
    handled = [n for n, ticket in enumerate(drawn.tickets) if ticket.opened_at <= cut]
    trace = Trace(
        [drawn.tickets[n] for n in handled],
        [drawn.handle[n] for n in handled],
        [None] * len(handled),
    )
    facts = agents_on(session, present.date())
    people = [Agent(a.code, replaying.TIERS[a.grade], a.skills, a.capacity) for a in facts]
    duties = _duties(session, {a.id: a.code for a in facts}, present)
    policy = desk_rules.load().policy()
    decisions = {d.ticket.ticket_id: d for d in run(trace, people, duties, policy)}
    ids = {a.code: a.id for a in facts}
    skills = {skill.code: skill.id for skill in session.exec(select(Skill))}
    codes = {row.code: row.id for row in session.exec(select(Service))}
    services = {row[3]: codes.get(row[0]) for row in SERVICES}
    tiers = {number: grade for grade, number in replaying.TIERS.items()}
    zone = ZoneInfo(timezone)
    rows = []
    for one in drawn.tickets:
        if one.opened_at > now:
            continue
        ticket = Ticket(
            code=f"L-{one.ticket_id}", opened_at=_instant(one.opened_at, zone),
            skill_id=skills[one.skill], min_grade=tiers[one.tier], priority=one.priority,
            respond_within_s=max((one.due_at - one.opened_at) // SECOND, 60),
            due_at=_instant(one.due_at, zone), next_look_at=present,
            service_id=services.get(one.skill),
        )  # fmt: skip
        rows.append((ticket, decisions.get(one.ticket_id)))
    session.add_all([ticket for ticket, _ in rows])
    session.flush()
    rows.sort(key=lambda row: (row[1].start if row[1] else None) or 0)  # as the log tells them
    for ticket, decision in rows:
        _tell(session, ticket, decision, ids, now, zone)
    derive(session, [ticket.id for ticket, _ in rows if ticket.id is not None])
    return sum(ticket.owner_id is None for ticket, _ in rows)


def _duties(session: Session, codes: dict[int, str], present: datetime) -> list[Duty]:
    rows = session.exec(
        select(Assignment).where(
            Assignment.live,
            Assignment.day == present.date(),
            Assignment.mode != Mode.STANDBY,
            col(Assignment.agent_id).in_(codes),
        )
    )
    return [Duty(codes[row.agent_id], *span) for row in rows for span in replaying.presence(row)]


def _tell(
    session: Session,
    ticket: Ticket,
    decision: Decision | None,
    ids: dict[str, int],
    now: int,
    zone: ZoneInfo,
) -> None:
    """The ticket's events until now, and the decision that gave it to somebody."""
    assert ticket.id is not None
    events: list[tuple[datetime, EventKind, int | None]] = [
        (ticket.opened_at, EventKind.OPENED, None)
    ]
    if decision is not None and decision.agent_id is not None and decision.start is not None:
        agent_id = ids[decision.agent_id]
        if decision.start <= now:
            start = _instant(decision.start, zone)
            events.append((start, EventKind.ASSIGNED, agent_id))
            events.append((start, EventKind.AGENT_MESSAGE, agent_id))
            codes = [code for code in (decision.turn, decision.choice) if code]
            session.add(
                DispatchDecision(
                    ticket_id=ticket.id, agent_id=agent_id, at=start, decided_by="sample",
                    policy=desk_rules.load().policy_name, proposed_agent_id=agent_id,
                    reasons=[reason_document(Reason(code)) for code in codes],
                )
            )  # fmt: skip
        if decision.end is not None and decision.end <= now:
            events.append((_instant(decision.end, zone), EventKind.RESOLVED, agent_id))
    for number, (at, kind, agent) in enumerate(events):
        session.add(
            TicketEvent(code=f"{ticket.code}-{number}", ticket_id=ticket.id, at=at, kind=kind,
                        agent_id=agent)
        )  # fmt: skip


def _instant(at: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at / SECOND, zone)
