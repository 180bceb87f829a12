"""Grades: run an assessment cycle and decide its cases.

`grade_effect` lets the signed grades take effect.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

import numpy as np
from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from grading import wording
from grading.assess import assess
from grading.errors import GradingError
from grading.evidence import Evidence, gather
from grading.explain import Explanation, explain_many
from grading.policy import CRITERIA, GradePolicy, load_policy
from wfm import access, audit, instants, jobs
from wfm.access import SYSTEM, Actor
from wfm.db import Engine, transaction
from wfm.errors import (
    AccessDeniedError,
    ConflictError,
    Fault,
    InputError,
    NotFoundError,
    faults_of,
)
from wfm.services import grade_records
from wfm.services.facts import in_force
from wfm.settings import Settings
from wfm.tables import (
    Agent,
    AgentGrade,
    AgentTeam,
    Assessment,
    AssessmentCycle,
    GradeDecision,
    Job,
)
from wfm.tables import GradePolicy as PolicyRow
from wfm.words import CycleStatus, DecisionAction, Grade

SHORTEST_REASON = 4
CODE = re.compile(r"\w[\w.\- ]{0,39}")  # it is part of addresses
CLEAR = "keep"  # decisions of the kernel that need no second look


def keep_policy(session: Session, text: str, at: datetime) -> PolicyRow:
    """Store a policy version; the same text is stored once."""
    with faults_of(GradingError):
        policy = load_policy(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    code = f"{policy.name} {policy.version}"
    found = session.exec(select(PolicyRow).where(PolicyRow.code == code)).first()
    if found is None:
        found = PolicyRow(code=code, text=text, sha256=digest, added_at=at)
        session.add(found)
        session.flush()
    elif found.sha256 != digest:
        raise ConflictError(f"policy {code} exists with another text; give it a new version")
    return found


def default_policy_text() -> str:
    """The policy shipped with the product."""
    from importlib.resources import files

    return (files("grading") / "policies" / "default.toml").read_text(encoding="utf-8")


def ask_cycle(
    session: Session,
    actor: Actor,
    code: str,
    period_from: date,
    as_of: date,
    timezone: str,
    at: datetime,
) -> Job:
    """Put a new cycle on the queue.

    Raises
    ------
    InputError, ConflictError
        As `run_cycle`, as far as it can be known before the records are read.
    """
    access.require(actor, "grades.assess")
    _check_cycle(session, code, period_from, as_of, instants.local_date(at, timezone))
    arguments = {
        "code": code, "period_from": str(period_from), "as_of": str(as_of), "asked_by": actor.name,
    }  # fmt: skip
    return jobs.ask(session, "assess", arguments, actor.name, at)


def run_cycle(
    session: Session,
    actor: Actor,
    code: str,
    period_from: date,
    as_of: date,
    timezone: str,
    at: datetime,
    policy_text: str | None = None,
) -> AssessmentCycle:
    """Assess every agent over a period; the proposals wait for their leads.

    Raises
    ------
    InputError
        The code or the days cannot be used, there are no agents, or the policy is wrong.
    ConflictError
        A cycle of this name exists already.
    """
    access.require(actor, "grades.assess")
    _check_cycle(session, code, period_from, as_of, instants.local_date(at, timezone))
    row = keep_policy(session, policy_text or default_policy_text(), at)
    policy = load_policy(row.text)
    assert row.id is not None
    cycle = AssessmentCycle(
        code=code, policy_id=row.id, period_from=period_from, as_of=as_of,
        status=CycleStatus.REVIEW, made_at=at,
    )  # fmt: skip
    session.add(cycle)
    session.flush()
    _assess(session, cycle, policy, timezone)
    audit.record(session, at, actor.name, "grade.assess", f"cycle {code}",
                 policy=row.code, as_of=str(as_of))  # fmt: skip
    return cycle


def _check_cycle(session: Session, code: str, period_from: date, as_of: date, today: date) -> None:
    faults = []
    if not CODE.fullmatch(code):
        expected = "expected up to 40 letters, digits, spaces, points, hyphens"
        faults.append(Fault(expected, column="code", value=code))
    if period_from > as_of:
        faults.append(Fault("the period begins after its end", column="period_from"))
    if as_of > today:
        faults.append(Fault("the period ends after today", column="as_of", value=str(as_of)))
    if faults:
        raise InputError.of(faults)
    if session.exec(select(AssessmentCycle).where(AssessmentCycle.code == code)).first():
        raise ConflictError(f"there is a cycle {code} already; choose another name")


def run_job(engine: Engine, progress: jobs.Progress, arguments: dict[str, Any]) -> dict[str, Any]:
    """A cycle as a job."""
    progress.report(0.05, arguments["code"])
    asker = replace(SYSTEM, name=arguments.get("asked_by", SYSTEM.name))
    with transaction(engine) as session:
        zone = Settings.from_environment().timezone
        first, as_of = (date.fromisoformat(arguments[n]) for n in ("period_from", "as_of"))
        cycle = run_cycle(
            session, asker, arguments["code"], first, as_of, zone, instants.now(),
            arguments.get("policy_text"),
        )  # fmt: skip
        return {"cycle_id": cycle.id, "page": f"/grades?cycle={quote(cycle.code)}"}


def _assess(session: Session, cycle: AssessmentCycle, policy: GradePolicy, timezone: str) -> None:
    found = grade_records.records(session, cycle.period_from, cycle.as_of, timezone)
    if found.agents.empty:
        raise InputError.of([Fault("there are no agents to assess; import agents first")])
    history = grade_records.held_grades(session, cycle.as_of)
    with faults_of(GradingError):
        evidence = gather(found, policy, cycle.as_of)
        proposed = assess(evidence, policy, history)
    ids = {agent.code: agent.id for agent in session.exec(select(Agent))}
    verdicts: dict[str, dict[str, str]] = proposed.verdicts.to_dict("index")  # type: ignore[assignment]
    lines = {language: wording.short_reasons(proposed, language) for language in ("en", "zh")}
    assert cycle.id is not None
    codes = [str(code) for code in proposed.table.index]
    told = explain_many(codes, evidence, policy, proposed, history)
    for code, one in zip(codes, told, strict=True):
        agent_id = ids[code]
        assert agent_id is not None
        said = {language: str(lines[language][code]) for language in lines}
        session.add(
            Assessment(
                cycle_id=cycle.id,
                agent_id=agent_id,
                previous_grade=Grade(one.previous_grade) if one.previous_grade else None,
                proposed_grade=Grade(one.grade),
                decision=one.decision,
                probabilities={grade.value: one.probabilities[grade.value] for grade in Grade},
                evidence=_evidence(evidence, code, verdicts[code]),
                explanation=_explanation(one, policy, said),
            )
        )
    session.flush()


def _explanation(
    told: Explanation, policy: GradePolicy, lines: Mapping[str, str]
) -> dict[str, Any]:
    """What the pages say of a proposal, in both languages."""
    said: dict[str, Any] = {
        language: {
            "line": lines[language],
            "text": wording.explanation_text(told, policy, language),
            "lifts": [wording.change_text(c, language) for c in told.lifts],
            "drops": [wording.change_text(c, language) for c in told.drops],
        }
        for language in ("en", "zh")
    }  # fmt: skip
    return said | {"plain_average": told.plain_average, "target": told.target}


def _evidence(evidence: Evidence, code: str, verdicts: Mapping[str, str]) -> dict[str, Any]:
    """Per criterion what is known: estimate, interval, n, reliability, raw value, verdict."""
    shown: dict[str, Any] = {}
    for criterion in CRITERIA:
        row: Mapping[Any, Any] = evidence.criteria[criterion].loc[code].to_dict()
        figures = {
            name: None if not np.isfinite(row[name]) else float(row[name])
            for name in ("value", "low", "high", "reliability", "raw")
        }
        shown[criterion] = figures | {"n": int(row["n"]), "verdict": str(verdicts[criterion])}
    return shown


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
    """Sign a proposal, override it with a reason, or send it back.

    Raises
    ------
    InputError
        An override without another grade or without a reason.
    ConflictError
        The cycle is closed: its grades, or those of a newer one, are in force.
    """
    assessment = session.get(Assessment, assessment_id)
    if assessment is None:
        raise NotFoundError(f"there is no assessment {assessment_id}")
    cycle = session.get_one(AssessmentCycle, assessment.cycle_id)
    require_for_agent(session, actor, "grades.decide", assessment.agent_id, cycle.as_of)
    if assessment.agent_id == actor.agent_id:
        raise AccessDeniedError("nobody signs their own grade; ask another lead")
    check_open(session, cycle)
    chosen = assessment.proposed_grade
    faults = []
    if action == DecisionAction.OVERRIDE:
        if grade is None or grade == assessment.proposed_grade:
            faults.append(Fault("an override names another grade", column="grade"))
        chosen = grade or chosen
    if action != DecisionAction.ACCEPT and len(reason.strip()) < SHORTEST_REASON:
        faults.append(Fault("say why, in a few words at least", column="reason"))
    if faults:
        raise InputError.of(faults)
    return _sign(session, actor, assessment, action, chosen, reason.strip(), at)


def _sign(
    session: Session,
    actor: Actor,
    assessment: Assessment,
    action: DecisionAction,
    grade: Grade,
    reason: str,
    at: datetime,
) -> GradeDecision:
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
    check_open(session, cycle)
    clear = session.exec(clear_cases(actor, cycle, team_id)).all()
    if len(clear) != expected:
        raise ConflictError(f"there are {len(clear)} such cases by now, not {expected}; look again")
    for assessment in clear:
        _sign(session, actor, assessment, DecisionAction.ACCEPT, assessment.proposed_grade, "", at)
    return len(clear)


def clear_cases(
    actor: Actor, cycle: AssessmentCycle, team_id: int | None
) -> SelectOfScalar[Assessment]:
    """Unsigned cases nobody need look at twice, which this actor may sign."""
    decided = select(GradeDecision.assessment_id).where(
        GradeDecision.assessment_id == Assessment.id
    )
    query = (
        select(Assessment)
        .join(AgentTeam, team_of_assessed(cycle.as_of), isouter=True)
        .where(
            Assessment.cycle_id == cycle.id,
            Assessment.decision == CLEAR,
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


def check_open(session: Session, cycle: AssessmentCycle) -> None:
    """Refuse to touch a cycle that is over."""
    if cycle.status == CycleStatus.EFFECTIVE:
        raise ConflictError(f"the grades of {cycle.code} are in force; decide in the next cycle")
    newer = newer_in_force(session, cycle)
    if newer is not None:
        raise ConflictError(f"grades of the newer cycle {newer} are in force; decide there")


def newer_in_force(session: Session, cycle: AssessmentCycle) -> str | None:
    """A later cycle of which grades are in force already."""
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
