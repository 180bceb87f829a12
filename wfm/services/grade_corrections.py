"""Put a wrong record right, reckon the agent's case again, and keep what it said before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlmodel import Session, col, select

from grading.policy import load_policy
from wfm import audit, instants, jobs
from wfm.access import SYSTEM, Actor
from wfm.db import Engine, transaction
from wfm.errors import AccessDeniedError, Fault, InputError, NotFoundError
from wfm.services import grade_runs
from wfm.services.grading import (
    assessment_of,
    check_reason,
    check_signing,
    newest_decision,
    require_for_agent,
    sign,
)
from wfm.services.record_fixes import FIELDS, LEFT_OUT, TRUTH, YES_OR_NO
from wfm.settings import Settings
from wfm.tables import (
    Agent,
    Assessment,
    AssessmentCycle,
    Contribution,
    GradePolicy,
    Job,
    QualityReview,
    RecordCorrection,
    Survey,
    Ticket,
)
from wfm.words import CycleStatus, DecisionAction, RecordKind

OWNERS: Mapping[RecordKind, tuple[Any, Any]] = {
    RecordKind.TICKET: (Ticket.code, Ticket.owner_id),
    RecordKind.SURVEY: (Survey.code, Survey.agent_id),
    RecordKind.REVIEW: (QualityReview.code, QualityReview.agent_id),
    RecordKind.CONTRIBUTION: (sa.cast(col(Contribution.id), sa.String), Contribution.agent_id),
}


@dataclass(frozen=True)
class Wrong:
    """What is wrong with which record. No field: the whole record is to be left out."""

    kind: RecordKind
    record: str
    field: str
    value: str
    reason: str


def correct(session: Session, actor: Actor, assessment_id: int, wrong: Wrong, at: datetime) -> Job:
    """Keep a correction and put the agent's case on the queue to be reckoned again.

    Raises
    ------
    InputError
        There is no such record of this agent, or the field cannot have that value.
    AccessDeniedError
        It is the actor's own case.
    ConflictError
        The cycle is over.
    """
    assessment, cycle = assessment_of(session, assessment_id)
    require_for_agent(session, actor, "grades.decide", assessment.agent_id, cycle.as_of)
    if assessment.agent_id == actor.agent_id:
        raise AccessDeniedError("nobody corrects the records of their own grade")
    check_signing(session, cycle, "open")
    faults = [*_check(session, assessment, wrong), *check_reason(wrong.reason)]
    if faults:
        raise InputError.of(faults)
    row = RecordCorrection(
        assessment_id=assessment_id, at=at, corrected_by=actor.name, kind=wrong.kind,
        record=wrong.record.strip(), field=wrong.field, reason=wrong.reason.strip(),
        value=wrong.value.strip() if wrong.field else None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    audit.record(session, at, actor.name, "grade.correct", f"{wrong.kind} {row.record}",
                 assessment=assessment_id, field=row.field, value=row.value,
                 reason=row.reason)  # fmt: skip
    arguments = {"assessment_id": assessment_id, "asked_by": actor.name}
    return jobs.ask(session, "reassess", arguments, actor.name, at)


def _check(session: Session, assessment: Assessment, wrong: Wrong) -> list[Fault]:
    code, owner = OWNERS[wrong.kind]
    found = session.execute(
        sa.select(owner).where(code == wrong.record.strip())
    ).scalar_one_or_none()
    if found != assessment.agent_id:
        return [Fault("this agent has no such record", column="record", value=wrong.record[:80])]
    if wrong.field == LEFT_OUT:
        return []
    if wrong.field not in FIELDS[wrong.kind]:
        return [Fault("this field cannot be corrected here", column="field", value=wrong.field)]
    value = wrong.value.strip()
    if wrong.field in YES_OR_NO:
        good = value in TRUTH
    else:
        good = value.replace(".", "", 1).isdigit() and float(value) <= 100
    return [] if good else [Fault("this value does not fit the field", column="value", value=value)]


def run_job(engine: Engine, progress: jobs.Progress, arguments: dict[str, Any]) -> dict[str, Any]:
    """The worker's part of `correct`."""
    progress.report(0.1, "assessing again")
    asker = replace(SYSTEM, name=arguments["asked_by"])
    with transaction(engine) as session:
        zone = Settings.from_environment().timezone
        assessment = run_again(session, asker, arguments["assessment_id"], zone, instants.now())
        cycle = session.get_one(AssessmentCycle, assessment.cycle_id)
        agent = session.get_one(Agent, assessment.agent_id)
        return {"page": f"/grades/{quote(cycle.code)}/{quote(agent.code, safe='')}"}


def run_again(
    session: Session, actor: Actor, assessment_id: int, timezone: str, at: datetime
) -> Assessment:
    """Reckon one case again from the records as they are now; a signature on it is void.

    The others' proposals stay as they are: a single record moves the desk's common level too
    little to re-open their cases.

    Raises
    ------
    NotFoundError
        The agent is not among those assessed any more.
    """
    assessment, cycle = assessment_of(session, assessment_id)
    agent = session.get_one(Agent, assessment.agent_id)
    policy = load_policy(session.get_one(GradePolicy, cycle.policy_id).text)
    found = grade_runs.reckon(session, policy, cycle.period_from, cycle.as_of, timezone)
    if agent.code not in found.assessments.table.index:
        raise NotFoundError("this agent is not among those assessed any more")
    before = {
        "at": at.isoformat(), "by": actor.name, "proposed_grade": assessment.proposed_grade.value,
        "decision": assessment.decision, "probabilities": assessment.probabilities,
        "evidence": assessment.evidence,
    }  # fmt: skip
    for name, value in grade_runs.documents(found, [agent.code])[agent.code].items():
        if name not in ("groups", "previous_grade"):
            setattr(assessment, name, value)
    assessment.earlier = [*assessment.earlier, before]
    session.flush()
    newest = newest_decision(session, assessment_id)
    if newest is not None and newest.action != DecisionAction.WITHDRAW:
        note = "the case was reckoned again after a correction"
        sign(session, actor, assessment, DecisionAction.WITHDRAW, newest.grade, note, at)
    audit.record(session, at, actor.name, "grade.reassess", f"assessment {assessment_id}",
                 before=str(before["proposed_grade"]),
                 after=assessment.proposed_grade.value)  # fmt: skip
    return assessment


def of_assessment(session: Session, assessment_id: int) -> list[RecordCorrection]:
    """The corrections made on a case, oldest first."""
    return list(
        session.exec(
            select(RecordCorrection)
            .where(RecordCorrection.assessment_id == assessment_id)
            .order_by(col(RecordCorrection.id))
        )
    )


def may_correct(cycle: AssessmentCycle) -> bool:
    """Whether records behind this cycle may still be put right."""
    return cycle.status in (CycleStatus.REVIEW, CycleStatus.PUBLISHED)
