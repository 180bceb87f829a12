"""Appeals: an agent asks for a second reviewer, who is nobody that signed before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import Session, col, select

from wfm import audit, instants
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, InputError, NotFoundError
from wfm.services import grade_files
from wfm.services.grade_files import Handed
from wfm.services.grading import (
    assessment_of,
    check_reason,
    newest_decision,
    require_for_agent,
    sign,
)
from wfm.tables import Assessment, AssessmentCycle, GradeAppeal, GradeDecision
from wfm.words import CycleStatus, DecisionAction, Grade


def file(
    session: Session,
    actor: Actor,
    assessment_id: int,
    text: str,
    at: datetime,
    timezone: str,
    files: Sequence[Handed] = (),
) -> GradeAppeal:
    """Appeal against one's own published result.

    Raises
    ------
    AccessDeniedError
        It is not one's own result.
    ConflictError
        The window is not open, or an appeal waits already.
    InputError
        Nothing is said, or a file is not taken.
    """
    assessment, cycle = assessment_of(session, assessment_id)
    if actor.agent_id is None or assessment.agent_id != actor.agent_id:
        raise AccessDeniedError("an appeal is the agent's own")
    if not window_open(cycle, instants.local_date(at, timezone)):
        raise ConflictError("appeals are taken from the publication until the window ends")
    if any(one.decision_id is None for one in of_assessment(session, assessment_id)):
        raise ConflictError("your appeal is in; wait for the second reviewer")
    if faults := check_reason(text):
        raise InputError.of(faults)
    checked = grade_files.read(files)
    appeal = GradeAppeal(
        assessment_id=assessment_id, filed_at=at, filed_by=actor.name, text=text.strip()
    )
    session.add(appeal)
    session.flush()
    grade_files.attach(session, checked, appeal=appeal)
    audit.record(session, at, actor.name, "grade.appeal", f"assessment {assessment_id}",
                 agent=assessment.agent_id, text=appeal.text)  # fmt: skip
    return appeal


def window_open(cycle: AssessmentCycle, today: date) -> bool:
    """Whether a result of this cycle may be appealed against on a day."""
    until = cycle.objections_until
    return cycle.status == CycleStatus.PUBLISHED and until is not None and today <= until


def decide(
    session: Session,
    actor: Actor,
    appeal_id: int,
    at: datetime,
    *,
    grade: Grade | None = None,
    reason: str = "",
    files: Sequence[Handed] = (),
) -> GradeDecision:
    """Uphold a result, or give another grade instead; either way with a reason.

    Raises
    ------
    AccessDeniedError
        The actor signed this case before, or it is the actor's own.
    InputError, ConflictError
        No reason is given; the appeal is decided already.
    """
    appeal = session.get(GradeAppeal, appeal_id)
    if appeal is None:
        raise NotFoundError("there is no such appeal")
    assessment, cycle = assessment_of(session, appeal.assessment_id)
    require_for_agent(session, actor, "grades.second", assessment.agent_id, cycle.as_of)
    if assessment.agent_id == actor.agent_id or actor.name in signers(session, assessment):
        raise AccessDeniedError("an appeal is decided by a person who has not signed the case")
    if appeal.decision_id is not None:
        raise ConflictError("this appeal is decided already")
    if cycle.status != CycleStatus.PUBLISHED:
        raise ConflictError("the cycle is at another step by now; look again")
    held = newest_decision(session, appeal.assessment_id)
    assert held is not None  # nothing is published unsigned
    chosen = grade or held.grade
    if faults := check_reason(reason):
        raise InputError.of(faults)
    checked = grade_files.read(files)
    action = DecisionAction.UPHOLD if chosen == held.grade else DecisionAction.GRANT
    decision = sign(session, actor, assessment, action, chosen, reason.strip(), at)
    grade_files.attach(session, checked, decision=decision)
    appeal.decision_id = decision.id
    session.flush()
    return decision


def signers(session: Session, assessment: Assessment) -> set[str]:
    """Everybody who has decided anything on this case."""
    return set(
        session.exec(
            select(GradeDecision.decided_by).where(GradeDecision.assessment_id == assessment.id)
        )
    )


def of_assessment(session: Session, assessment_id: int) -> list[GradeAppeal]:
    """The appeals of a case, oldest first."""
    return list(
        session.exec(
            select(GradeAppeal)
            .where(GradeAppeal.assessment_id == assessment_id)
            .order_by(col(GradeAppeal.id))
        )
    )


def waiting(session: Session, cycle: AssessmentCycle) -> dict[int, GradeAppeal]:
    """The undecided appeals of a cycle by assessment."""
    rows = session.exec(
        select(GradeAppeal)
        .join(Assessment, col(Assessment.id) == GradeAppeal.assessment_id)
        .where(Assessment.cycle_id == cycle.id, col(GradeAppeal.decision_id).is_(None))
    )
    return {row.assessment_id: row for row in rows}
