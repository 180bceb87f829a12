"""The steps of a cycle: draft → review → published (公示) → effective, in the desk's workdays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from grading.procedure import CycleRules
from wfm import access, audit, instants
from wfm.access import Actor
from wfm.errors import ConflictError
from wfm.services import grade_fairness, webhooks
from wfm.services.day_types import days_between
from wfm.services.grade_policies import policy_of
from wfm.services.grading import newest_decisions, require_all, second_signature, state_of
from wfm.tables import Assessment, AssessmentCycle, GradeAppeal
from wfm.words import CycleStatus, DayType

OFF = (DayType.REST_DAY, DayType.STATUTORY_HOLIDAY)


@dataclass(frozen=True)
class Deadline:
    """The day a step must be done by, and the workdays left for it (below 0: late)."""

    day: date
    workdays_left: int


def rules_of(session: Session, cycle: AssessmentCycle) -> CycleRules:
    """How long the steps take under the policy of a cycle."""
    return policy_of(session, cycle).cycle


def after_workdays(session: Session, day: date, count: int) -> date:
    """The last of `count` workdays after a day, on the desk's calendar.

    Raises
    ------
    NotFoundError
        A year's official calendar is not loaded.
    """
    span = 2 * count + 21  # longer than any run of days off
    days = days_between(session, day + timedelta(days=1), day + timedelta(days=span))
    return [one.date for one in days if one.type not in OFF][count - 1]


def deadline(session: Session, cycle: AssessmentCycle, today: date) -> Deadline | None:
    """Until when the present step of a cycle lasts; None where it has no end."""
    ends = {
        CycleStatus.REVIEW: cycle.review_until,
        CycleStatus.PUBLISHED: cycle.objections_until,
    }.get(cycle.status)
    if ends is None:
        return None
    first, last = min(today, ends), max(today, ends)
    days = days_between(session, first + timedelta(days=1), last) if first < last else []
    between = sum(one.type not in OFF for one in days)
    return Deadline(ends, between if ends >= today else -between)


def open_review(
    session: Session, actor: Actor, cycle_id: int, at: datetime, timezone: str
) -> AssessmentCycle:
    """Hand the cases of a draft to their leads."""
    cycle = _in_status(session, actor, cycle_id, CycleStatus.DRAFT)
    today = instants.local_date(at, timezone)
    cycle.review_until = after_workdays(session, today, rules_of(session, cycle).review_days)
    cycle.status = CycleStatus.REVIEW
    _record(session, actor, cycle, at, until=str(cycle.review_until))
    return cycle


def discard(session: Session, actor: Actor, cycle_id: int, at: datetime) -> None:
    """Throw a draft away; nothing of it was signed."""
    cycle = _in_status(session, actor, cycle_id, CycleStatus.DRAFT)
    session.execute(sa.delete(Assessment).where(col(Assessment.cycle_id) == cycle_id))
    audit.record(session, at, actor.name, "grade.discard", f"cycle {cycle.code}")
    session.delete(cycle)
    session.flush()


def publish(
    session: Session, actor: Actor, cycle_id: int, at: datetime, timezone: str
) -> AssessmentCycle:
    """Show the signed results to the agents; from now they may appeal until the window ends.

    Raises
    ------
    ConflictError
        A case is not signed, or a flag of the fairness report has no answer.
    """
    cycle = _in_status(session, actor, cycle_id, CycleStatus.REVIEW)
    waiting = unsigned(session, cycle)
    if waiting:
        raise ConflictError("not every case is signed yet; nothing is published unsigned")
    if grade_fairness.unanswered(session, cycle):
        raise ConflictError("a flag of the fairness report has no written answer yet")
    today = instants.local_date(at, timezone)
    cycle.published_on = today
    cycle.objections_until = after_workdays(session, today, rules_of(session, cycle).publish_days)
    cycle.status = CycleStatus.PUBLISHED
    _record(session, actor, cycle, at, until=str(cycle.objections_until))
    return cycle


def take_back(session: Session, actor: Actor, cycle_id: int, at: datetime) -> AssessmentCycle:
    """Undo a publication, as long as nobody has appealed and nothing is in force."""
    cycle = _in_status(session, actor, cycle_id, CycleStatus.PUBLISHED)
    appealed = (
        select(GradeAppeal.id)
        .join(Assessment, col(Assessment.id) == GradeAppeal.assessment_id)
        .where(Assessment.cycle_id == cycle_id)
    )
    if session.exec(appealed).first() is not None or cycle.effective_on is not None:
        raise ConflictError("somebody relies on this publication already; it stays")
    cycle.published_on = cycle.objections_until = None
    cycle.status = CycleStatus.REVIEW
    _record(session, actor, cycle, at)
    return cycle


def unsigned(session: Session, cycle: AssessmentCycle) -> int:
    """How many cases of a cycle nobody has (wholly) signed."""
    second = second_signature(session, cycle)
    signed = newest_decisions(session, col(Assessment.cycle_id) == cycle.id)
    rows = session.execute(
        sa.select(col(Assessment.id), col(Assessment.previous_grade)).where(
            col(Assessment.cycle_id) == cycle.id
        )
    )
    return sum(
        state_of(signed.get(number), previous, second) != "decided" for number, previous in rows
    )


def _in_status(
    session: Session, actor: Actor, cycle_id: int, status: CycleStatus
) -> AssessmentCycle:
    """The cycle, locked, when it is at this step and the actor answers for all it holds."""
    access.require(actor, "grades.assess")
    cycle = session.get_one(AssessmentCycle, cycle_id, with_for_update=True)
    require_all(actor, "grades.assess", cycle)
    if cycle.status != status:
        raise ConflictError("the cycle is at another step by now; look again")
    return cycle


def _record(
    session: Session, actor: Actor, cycle: AssessmentCycle, at: datetime, **detail: str
) -> None:
    session.flush()
    action = f"grade.cycle.{cycle.status.value}"
    audit.record(session, at, actor.name, action, f"cycle {cycle.code}", **detail)
    if cycle.status == CycleStatus.PUBLISHED:
        webhooks.notify(session, "grades.published", at, {"cycle": cycle.code})
