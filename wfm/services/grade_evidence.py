"""The records behind one criterion of one agent, down to the ticket; what speaks against first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from wfm.access import Actor
from wfm.errors import NotFoundError
from wfm.instants import local_date
from wfm.services.facts import in_force
from wfm.services.grade_policies import policy_of
from wfm.services.grade_stints import above_own, holders
from wfm.services.grading import assessment_of, require_for_agent
from wfm.services.record_fixes import Fixes, fixes_of
from wfm.services.roster_problems import instant_of
from wfm.tables import (
    Agent,
    AgentGrade,
    AssessmentCycle,
    Contribution,
    QualityReview,
    Survey,
    Ticket,
)
from wfm.words import RecordKind

SHOWN = 25  # records on a page
KINDS = {
    "resolution": RecordKind.TICKET,
    "quality": RecordKind.REVIEW,
    "initiative": RecordKind.CONTRIBUTION,
    "satisfaction": RecordKind.SURVEY,
}


@dataclass(frozen=True)
class Record:
    """One record. `against` says whether it counts against; `facts` are (name, value)."""

    number: str
    on: date
    against: bool
    corrected: bool
    facts: tuple[tuple[str, Any], ...]
    counted: bool = True


@dataclass(frozen=True)
class Records:
    """One page of what was found, with how many of all speak against or are not counted."""

    assessment: int
    criterion: str
    kind: RecordKind
    rows: tuple[Record, ...]
    found: int
    against: int
    uncounted: int
    page: int
    pages: int


def records(
    session: Session,
    actor: Actor,
    assessment_id: int,
    criterion: str,
    timezone: str,
    page: int = 1,
) -> Records:
    """The records of the period behind a criterion, for a lead, or for the agent themselves.

    A page beyond the last is the last.

    Raises
    ------
    NotFoundError
        The criterion has no records to list (tenure is one day).
    AccessDeniedError
        The case is neither one's own nor of one's teams.
    """
    assessment, cycle = assessment_of(session, assessment_id)
    if actor.agent_id is None or actor.agent_id != assessment.agent_id:
        require_for_agent(session, actor, "grades.view", assessment.agent_id, cycle.as_of)
    if criterion not in KINDS:
        raise NotFoundError("this criterion has no records to list")
    kind = KINDS[criterion]
    fixes = fixes_of(session, kind)
    listed = {
        RecordKind.TICKET: _tickets,
        RecordKind.REVIEW: _reviews,
        RecordKind.CONTRIBUTION: _contributions,
        RecordKind.SURVEY: _surveys,
    }[kind]
    found = listed(session, assessment.agent_id, cycle, fixes, timezone)
    found.sort(key=lambda one: (not one.against, -one.on.toordinal(), one.number))
    pages = max(-(-len(found) // SHOWN), 1)
    page = min(page, pages)
    return Records(
        assessment=assessment_id, criterion=criterion, kind=kind,
        rows=tuple(found[(page - 1) * SHOWN : page * SHOWN]), found=len(found),
        against=sum(one.against for one in found),
        uncounted=sum(not one.counted for one in found),
        page=page, pages=pages,
    )  # fmt: skip


def _tickets(
    session: Session, agent: int, cycle: AssessmentCycle, fixes: Fixes, timezone: str
) -> list[Record]:
    """Tickets the agent ended, and those passed on: as they are counted (`grade_stints`)."""
    done = sa.func.coalesce(col(Ticket.resolved_at), col(Ticket.opened_at))
    begin = instant_of(cycle.period_from, 0, timezone)
    end = instant_of(cycle.as_of + timedelta(days=1), 0, timezone)
    held = holders(session, begin, end, agent)
    code = session.get_one(Agent, agent).code
    own = held[held["agent_id"] == code].set_index("case_id")["again"]
    rows = session.execute(
        sa.select(Ticket).where(
            sa.or_(col(Ticket.owner_id) == agent, col(Ticket.code).in_(own.index.tolist())),
            done >= begin, done < end, col(Ticket.resolved).is_not(None),
        )
    ).scalars()  # fmt: skip
    grade = session.execute(
        sa.select(col(AgentGrade.grade)).where(
            col(AgentGrade.agent_id) == agent, in_force(AgentGrade, cycle.as_of)
        )
    ).scalar_one_or_none()
    found = []
    for one in rows:
        passed = one.owner_id != agent
        alone = one.independent
        if passed or one.code in own.index:
            alone = not (passed or bool(own[one.code]))
        by_rule = passed and above_own(one.min_grade, grade)
        reopened = None if passed else one.reopened
        against = one.resolved is False or alone is False or bool(reopened)
        facts = (
            ("title", one.title or one.category), ("resolved", one.resolved),
            ("independent", alone), ("reopened", reopened), ("difficulty", one.difficulty),
            ("passed", "by_rule" if by_rule else passed),
        )  # fmt: skip
        day = local_date(one.resolved_at or one.opened_at, timezone)
        found.append(
            Record(one.code, day, against and not by_rule, one.code in fixes, facts, not by_rule)
        )
    return found


def _reviews(
    session: Session, agent: int, cycle: AssessmentCycle, fixes: Fixes, _timezone: str
) -> list[Record]:
    entry = policy_of(session, cycle).criteria["quality"].entry.senior or 0.0
    rows = session.execute(
        sa.select(QualityReview).where(
            col(QualityReview.agent_id) == agent,
            col(QualityReview.reviewed_on).between(cycle.period_from, cycle.as_of),
        )
    ).scalars()
    return [
        Record(
            one.code, one.reviewed_on, one.score < entry, one.code in fixes,
            (("case", one.case_code), ("form", one.form), ("score", one.score)),
        )
        for one in rows
    ]  # fmt: skip


def _contributions(
    session: Session, agent: int, cycle: AssessmentCycle, fixes: Fixes, _timezone: str
) -> list[Record]:
    months = policy_of(session, cycle).contributions.months
    first = cycle.as_of - timedelta(days=round(months * 365.25 / 12))
    rows = session.execute(
        sa.select(Contribution).where(
            col(Contribution.agent_id) == agent,
            col(Contribution.done_on).between(first, cycle.as_of),
        )
    ).scalars()
    return [
        Record(
            str(one.id), one.done_on, False, str(one.id) in fixes,
            (("kind", one.kind), ("note", one.note), ("points", one.points)),
        )
        for one in rows
    ]  # fmt: skip


def _surveys(
    session: Session, agent: int, cycle: AssessmentCycle, fixes: Fixes, _timezone: str
) -> list[Record]:
    satisfied = policy_of(session, cycle).surveys.satisfied_from
    rows = session.execute(
        sa.select(Survey, col(Ticket.code))
        .join(Ticket, col(Ticket.id) == col(Survey.ticket_id), isouter=True)
        .where(
            col(Survey.agent_id) == agent,
            col(Survey.answered_on).between(cycle.period_from, cycle.as_of),
        )
    )
    return [
        Record(
            one.code, one.answered_on, one.score < satisfied, one.code in fixes,
            (("case", ticket or ""), ("channel", one.channel), ("score", one.score)),
        )
        for one, ticket in rows
    ]  # fmt: skip
