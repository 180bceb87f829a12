"""Deciding the cases of a cycle: sign, override, send back, confirm, withdraw.

`grade_runs` makes the proposals, `grade_cycles` opens and publishes a cycle, `grade_effect` lets
signed grades take effect. Decisions are appended; the newest one of a case says where it stands.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, and_, func, literal, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from grading.policy import CRITERIA, GRADES
from wfm import access, audit
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, Fault, InputError, NotFoundError
from wfm.services.facts import in_force
from wfm.services.grade_policies import policy_of
from wfm.tables import (
    AgentGrade,
    AgentTeam,
    Assessment,
    AssessmentCycle,
    GradeDecision,
)
from wfm.words import CycleStatus, DecisionAction, Grade

SHORTEST_REASON = 4
CLEAR = "keep"  # decisions of the kernel that need no second look
SIGNING = (DecisionAction.ACCEPT, DecisionAction.OVERRIDE, DecisionAction.GRANT)


def state_of(signed: GradeDecision | None, previous: Grade | None, second: Grade) -> str:
    """Where a case stands by its newest decision.

    ``open`` unsigned; ``sent_back``; ``half`` signed by one of the two persons it takes to give
    the grade `second` (or a higher one) to whoever does not hold it; ``decided``.
    """
    if signed is None or signed.action == DecisionAction.WITHDRAW:
        return "open"
    if signed.action == DecisionAction.SEND_BACK:
        return "sent_back"
    given = GRADES.index(signed.grade.value)
    before = GRADES.index(previous.value) if previous else 0
    two = given >= GRADES.index(second.value) and given > before
    return "half" if two and signed.action in SIGNING else "decided"


def second_signature(session: Session, cycle: AssessmentCycle) -> Grade:
    """The grade that takes two persons under the policy of a cycle."""
    return Grade(policy_of(session, cycle).cycle.second_signature)


def decide(
    session: Session,
    actor: Actor,
    assessment_id: int,
    action: DecisionAction,
    at: datetime,
    *,
    grade: Grade | None = None,
    reason: str = "",
) -> GradeDecision:
    """Sign a proposal, override it with a reason, send it back, confirm or withdraw a signature.

    Raises
    ------
    InputError
        An override without another grade or without a reason.
    ConflictError
        The cycle is not (or no longer) open for this, or there is nothing to confirm or withdraw.
    AccessDeniedError
        One's own grade, or one's own signature a second time.
    """
    assessment, cycle = assessment_of(session, assessment_id)
    right = "grades.second" if action == DecisionAction.CONFIRM else "grades.decide"
    require_for_agent(session, actor, right, assessment.agent_id, cycle.as_of)
    if assessment.agent_id == actor.agent_id:
        raise AccessDeniedError("nobody signs their own grade; ask another lead")
    newest = newest_decision(session, assessment_id)
    state = state_of(newest, assessment.previous_grade, second_signature(session, cycle))
    check_signing(session, cycle, state)
    chosen = _chosen(assessment, action, grade, reason)
    if action in (DecisionAction.CONFIRM, DecisionAction.WITHDRAW):
        if newest is None or (state != "half" and action == DecisionAction.CONFIRM):
            raise ConflictError("there is no signature here that waits for a second one")
        if action == DecisionAction.CONFIRM and newest.decided_by == actor.name:
            raise AccessDeniedError("the second signature takes another person than the first")
        if action == DecisionAction.WITHDRAW and newest.decided_by != actor.name:
            raise AccessDeniedError("only who signed may withdraw the signature")
        chosen = newest.grade
    return sign(session, actor, assessment, action, chosen, reason.strip(), at)


def _chosen(
    assessment: Assessment, action: DecisionAction, grade: Grade | None, reason: str
) -> Grade:
    """The grade a decision gives, once it says all that it has to say."""
    faults = []
    chosen = assessment.proposed_grade
    if action in (DecisionAction.UPHOLD, DecisionAction.GRANT):
        faults.append(Fault("appeals are decided on their own", column="action"))
    if action == DecisionAction.OVERRIDE:
        if grade is None or grade == assessment.proposed_grade:
            faults.append(Fault("an override names another grade", column="grade"))
        chosen = grade or chosen
    if action in (DecisionAction.OVERRIDE, DecisionAction.SEND_BACK):
        faults += check_reason(reason)
    if faults:
        raise InputError.of(faults)
    return chosen


def check_reason(reason: str) -> list[Fault]:
    """A fault where nothing is said."""
    said = len(reason.strip()) >= SHORTEST_REASON
    return [] if said else [Fault("say why, in a few words at least", column="reason")]


def sign(
    session: Session,
    actor: Actor,
    assessment: Assessment,
    action: DecisionAction,
    grade: Grade,
    reason: str,
    at: datetime,
) -> GradeDecision:
    """Append a decision, and tell the audit chain."""
    assert assessment.id is not None
    decision = GradeDecision(
        assessment_id=assessment.id, at=at, decided_by=actor.name, action=action, grade=grade,
        reason=reason,
    )  # fmt: skip
    session.add(decision)
    session.flush()
    audit.record(session, at, actor.name, f"grade.{action}", f"assessment {assessment.id}",
                 agent=assessment.agent_id, grade=grade.value, reason=reason)  # fmt: skip
    return decision


def assessment_of(session: Session, assessment_id: int) -> tuple[Assessment, AssessmentCycle]:
    """An assessment with its cycle."""
    assessment = session.get(Assessment, assessment_id)
    if assessment is None:
        raise NotFoundError(f"there is no assessment {assessment_id}")
    return assessment, session.get_one(AssessmentCycle, assessment.cycle_id)


def accept_clear(
    session: Session,
    actor: Actor,
    cycle_id: int,
    expected: int,
    at: datetime,
    team_id: int | None = None,
) -> int:
    """Sign all open cases that clearly keep their grade, of one team or of all one may sign for.

    Raises
    ------
    ConflictError
        There are not `expected` of them (any more), so nobody knows what would be signed.
    """
    access.require(actor, "grades.decide", team_id)
    cycle = session.get_one(AssessmentCycle, cycle_id)
    check_signing(session, cycle, "open")
    clear = session.exec(clear_cases(actor, cycle, team_id)).all()
    if len(clear) != expected:
        raise ConflictError(f"there are {len(clear)} such cases by now, not {expected}; look again")
    for assessment in clear:
        sign(session, actor, assessment, DecisionAction.ACCEPT, assessment.proposed_grade, "", at)
    return len(clear)


def clear_cases(
    actor: Actor, cycle: AssessmentCycle, team_id: int | None
) -> SelectOfScalar[Assessment]:
    """Unsigned cases nobody need look at twice, which this actor may sign."""
    newest = (
        select(func.max(GradeDecision.id))
        .where(GradeDecision.assessment_id == Assessment.id)
        .correlate(Assessment)
        .scalar_subquery()
    )
    holds = aliased(GradeDecision)
    decided = select(holds.id).where(holds.id == newest, holds.action != DecisionAction.WITHDRAW)
    query = (
        select(Assessment)
        .join(AgentTeam, team_of_assessed(cycle.as_of), isouter=True)
        .where(
            Assessment.cycle_id == cycle.id,
            Assessment.decision == CLEAR,
            ~vetoed(),
            ~decided.exists(),
        )
        .order_by(col(Assessment.id))
    )
    if actor.agent_id is not None:
        query = query.where(Assessment.agent_id != actor.agent_id)
    if team_id is not None:
        query = query.where(AgentTeam.team_id == team_id)
    covered = actor.teams("grades.decide")
    return query if covered is None else query.where(col(AgentTeam.team_id).in_(covered))


def vetoed() -> ColumnElement[bool]:
    """Whether a serious event is on record in a case, or a criterion stands at its veto."""
    held: Any = col(Assessment.explanation)["held"]["serious_events"]
    evidence: Any = col(Assessment.evidence)
    events = func.coalesce(held.astext.cast(Float), 0) > 0
    verdicts = (func.coalesce(evidence[name]["verdict"].astext, "") for name in CRITERIA)
    return or_(events, *(verdict == "vetoed" for verdict in verdicts))


def team_of_assessed(day: Any) -> ColumnElement[bool]:
    """Joins the team an assessed agent was in on a day (a date, or a column of dates)."""
    return and_(col(AgentTeam.agent_id) == Assessment.agent_id, in_force(AgentTeam, day))


def require_for_agent(session: Session, actor: Actor, right: str, agent_id: int, day: date) -> None:
    """Refuse unless `right` covers the agent's team of a day; who has none is the whole desk's."""
    team = session.exec(
        select(AgentTeam.team_id).where(AgentTeam.agent_id == agent_id, in_force(AgentTeam, day))
    ).first()
    access.require(actor, right, team)
    if team is None and actor.teams(right) is not None:
        raise AccessDeniedError(f"agents without a team need {right} for the whole desk")


def check_signing(session: Session, cycle: AssessmentCycle, state: str) -> None:
    """Refuse to decide what is not open for it.

    Of a published cycle only cases are open that a correction or an appeal opened again.

    Raises
    ------
    ConflictError
    """
    if cycle.status == CycleStatus.DRAFT:
        raise ConflictError("this cycle is a draft; open it for review first")
    if cycle.status == CycleStatus.EFFECTIVE:
        raise ConflictError("the grades of this cycle are in force; decide in the next cycle")
    if cycle.status == CycleStatus.PUBLISHED and state == "decided":
        raise ConflictError("this result is published; only an appeal or a correction changes it")
    if newer_in_force(session, cycle) is not None:
        raise ConflictError("grades of a newer cycle are in force; decide there")


def covers(actor: Actor, right: str, cycle: AssessmentCycle) -> bool:
    """Whether a right of an actor holds for all that is in a cycle: its team or the whole desk."""
    teams = actor.teams(right)
    return actor.may(right) and (teams is None or cycle.team_id in teams)


def require_all(actor: Actor, right: str, cycle: AssessmentCycle) -> None:
    """Refuse whose right does not cover all that is in a cycle."""
    access.require(actor, right, cycle.team_id)
    if not covers(actor, right, cycle):
        access.require_whole_desk(actor, right)


def newer_in_force(session: Session, cycle: AssessmentCycle) -> str | None:
    """A later cycle over the same agents of which grades are in force already."""
    put = (
        select(AgentGrade.id)
        .join(GradeDecision, col(GradeDecision.id) == AgentGrade.decision_id)
        .join(Assessment, col(Assessment.id) == GradeDecision.assessment_id)
        .where(Assessment.cycle_id == AssessmentCycle.id)
    )
    return session.exec(
        select(AssessmentCycle.code)
        .where(
            AssessmentCycle.as_of > cycle.as_of,
            or_(
                col(AssessmentCycle.team_id).is_(None),
                literal(cycle.team_id, Integer).is_(None),
                col(AssessmentCycle.team_id) == cycle.team_id,
            ),
            or_(col(AssessmentCycle.status) == CycleStatus.EFFECTIVE, put.exists()),
        )
        .order_by(col(AssessmentCycle.as_of).desc())
    ).first()


def newest_decisions(session: Session, which: ColumnElement[bool]) -> dict[int, GradeDecision]:
    """The decision that holds, of each of these assessments."""
    rows = session.exec(
        select(GradeDecision)
        .join(Assessment, col(Assessment.id) == GradeDecision.assessment_id)
        .where(which)
        .order_by(col(GradeDecision.id))
    )
    return {row.assessment_id: row for row in rows}


def newest_decision(session: Session, assessment_id: int) -> GradeDecision | None:
    """The decision that holds, of one assessment."""
    return newest_decisions(session, col(Assessment.id) == assessment_id).get(assessment_id)
