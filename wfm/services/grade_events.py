"""Serious events: recorded, withdrawn when they were none, looked at in every cycle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access, audit, instants, jobs
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, Fault, InputError, NotFoundError
from wfm.services.facts import in_force
from wfm.services.grading import check_reason, newer_in_force, require_for_agent
from wfm.tables import Agent, AgentTeam, Assessment, AssessmentCycle, SeriousEvent
from wfm.words import CycleStatus

LONGEST = 600
MOST = 200
REOPENED = (CycleStatus.DRAFT, CycleStatus.REVIEW, CycleStatus.PUBLISHED)


@dataclass(frozen=True)
class EventRow:
    """One event as a list shows it."""

    event: SeriousEvent
    code: str
    name: str
    may_withdraw: bool


@dataclass(frozen=True)
class EventsPage:
    """Events of the agents an actor may see, newest first."""

    rows: tuple[EventRow, ...]
    may_record: bool


def page(session: Session, actor: Actor, today: date) -> EventsPage:
    """The events of the teams an actor may look at."""
    access.require(actor, "grades.view")
    query = (
        sa.select(SeriousEvent, col(Agent.code), col(Agent.name), col(AgentTeam.team_id))
        .join(Agent, col(Agent.id) == col(SeriousEvent.agent_id))
        .join(
            AgentTeam,
            sa.and_(col(AgentTeam.agent_id) == col(Agent.id), in_force(AgentTeam, today)),
            isouter=True,
        )
        .order_by(col(SeriousEvent.on).desc(), col(SeriousEvent.id).desc())
        .limit(MOST)
    )
    covered = actor.teams("grades.view")
    if covered is not None:
        query = query.where(col(AgentTeam.team_id).in_(covered))
    rows = [
        EventRow(
            event, code, name,
            event.withdrawn_at is None and event.agent_id != actor.agent_id
            and actor.may("grades.decide", team),
        )
        for event, code, name, team in session.execute(query)
    ]  # fmt: skip
    return EventsPage(tuple(rows), actor.may("grades.decide"))


def record(
    session: Session, actor: Actor, agent_code: str, on: date, note: str, at: datetime, zone: str
) -> SeriousEvent:
    """Put an event on record; open cases whose period holds its day are reckoned again.

    Raises
    ------
    InputError
        No such agent, nothing is said, or the day is yet to come.
    ConflictError
        The same event is on record already.
    """
    access.require(actor, "grades.decide")
    agent = session.exec(select(Agent).where(Agent.code == agent_code.strip())).first()
    today = instants.local_date(at, zone)
    faults = check_reason(note)
    if agent is None or agent.id is None:
        fault = Fault("there is no such agent", column="agent", value=agent_code[:80])
        raise InputError.of([fault, *faults])
    if on > today:
        faults.append(Fault("this day is yet to come", column="on", value=str(on)))
    if len(note.strip()) > LONGEST:
        faults.append(Fault("say it in 600 letters at most", column="reason"))
    if faults:
        raise InputError.of(faults)
    _require(session, actor, agent.id, today)
    same = select(SeriousEvent.id).where(
        SeriousEvent.agent_id == agent.id, SeriousEvent.on == on, SeriousEvent.note == note.strip()
    )
    if session.exec(same).first() is not None:
        raise ConflictError("this event is on record already")
    event = SeriousEvent(
        agent_id=agent.id, on=on, note=note.strip(), recorded_at=at, recorded_by=actor.name
    )
    session.add(event)
    session.flush()
    audit.record(session, at, actor.name, "grade.event", f"agent {agent.code}",
                 on=str(on), note=event.note)  # fmt: skip
    _reckon_again(session, actor, event, at)
    return event


def withdraw(
    session: Session, actor: Actor, event_id: int, reason: str, at: datetime, zone: str
) -> SeriousEvent:
    """Take an event back with a reason; it stays on file and counts no more.

    Raises
    ------
    InputError, ConflictError, NotFoundError
        No reason is given; it is withdrawn already; there is no such event.
    """
    event = session.get(SeriousEvent, event_id)
    if event is None:
        raise NotFoundError("there is no such event")
    _require(session, actor, event.agent_id, instants.local_date(at, zone))
    if event.withdrawn_at is not None:
        raise ConflictError("this event is withdrawn already")
    if faults := check_reason(reason):
        raise InputError.of(faults)
    event.withdrawn_at, event.withdrawn_by = at, actor.name
    event.withdrawn_reason = reason.strip()
    session.flush()
    agent = session.get_one(Agent, event.agent_id)
    audit.record(session, at, actor.name, "grade.event_withdrawn", f"agent {agent.code}",
                 on=str(event.on), reason=event.withdrawn_reason)  # fmt: skip
    _reckon_again(session, actor, event, at)
    return event


def _require(session: Session, actor: Actor, agent_id: int, day: date) -> None:
    require_for_agent(session, actor, "grades.decide", agent_id, day)
    if agent_id == actor.agent_id:
        raise AccessDeniedError("nobody records or withdraws events of their own")


def _reckon_again(session: Session, actor: Actor, event: SeriousEvent, at: datetime) -> None:
    """Ask for the agent's case anew in every cycle that is not over and whose period it is in."""
    open_cases = session.execute(
        sa.select(col(Assessment.id), AssessmentCycle)
        .join(AssessmentCycle, col(AssessmentCycle.id) == col(Assessment.cycle_id))
        .where(
            col(Assessment.agent_id) == event.agent_id,
            col(AssessmentCycle.period_from) <= event.on,
            col(AssessmentCycle.as_of) >= event.on,
            col(AssessmentCycle.status).in_(REOPENED),
        )
    ).all()
    for number, cycle in open_cases:
        if newer_in_force(session, cycle) is None:
            arguments = {"assessment_id": number, "asked_by": actor.name}
            jobs.ask(session, "reassess", arguments, actor.name, at)


def of_period(session: Session, agent_id: int, first: date, last: date) -> Sequence[SeriousEvent]:
    """An agent's events from a day to another, withdrawn ones among them."""
    return session.exec(
        select(SeriousEvent)
        .where(SeriousEvent.agent_id == agent_id, col(SeriousEvent.on).between(first, last))
        .order_by(col(SeriousEvent.on), col(SeriousEvent.id))
    ).all()
