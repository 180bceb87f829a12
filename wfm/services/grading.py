"""Grades: run an assessment cycle, decide its cases, and let signed grades take effect."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlmodel import Session, col, select

from grading import wording
from grading.assess import assess
from grading.errors import GradingError
from grading.evidence import Evidence, gather
from grading.explain import explain
from grading.policy import CRITERIA, GradePolicy, load_policy
from wfm import access, audit, instants, jobs
from wfm.access import SYSTEM, Actor
from wfm.db import Engine, transaction
from wfm.errors import ConflictError, Fault, InputError, NotFoundError, faults_of
from wfm.services import grade_records
from wfm.services.facts import agents_on, in_force
from wfm.settings import Settings
from wfm.tables import Agent, AgentGrade, Assessment, AssessmentCycle, GradeDecision
from wfm.tables import GradePolicy as PolicyRow
from wfm.words import CycleStatus, DecisionAction, Grade

SHORTEST_REASON = 4


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
        There are no agents, or the policy cannot be used.
    ConflictError
        A cycle of this name exists already.
    """
    access.require(actor, "grades.assess")
    if session.exec(select(AssessmentCycle).where(AssessmentCycle.code == code)).first():
        raise ConflictError(f"there is a cycle {code} already; choose another name")
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


def run_job(engine: Engine, progress: jobs.Progress, arguments: dict[str, Any]) -> dict[str, Any]:
    """A cycle as a job."""
    progress.report(0.05, arguments["code"])
    with transaction(engine) as session:
        zone = Settings.from_environment().timezone
        first, as_of = (date.fromisoformat(arguments[n]) for n in ("period_from", "as_of"))
        cycle = run_cycle(
            session, SYSTEM, arguments["code"], first, as_of, zone, instants.now(),
            arguments.get("policy_text"),
        )  # fmt: skip
        return {"cycle_id": cycle.id, "page": "/grades"}


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
    for code, row in zip(
        proposed.table.index.astype(str), proposed.table.to_dict("records"), strict=True
    ):
        told = explain(code, evidence, policy, proposed, history)
        agent_id = ids[code]
        assert agent_id is not None
        session.add(
            Assessment(
                cycle_id=cycle.id,
                agent_id=agent_id,
                previous_grade=Grade(row["previous_grade"]) if row["previous_grade"] else None,
                proposed_grade=Grade(row["grade"]),
                decision=str(row["decision"]),
                probabilities={grade.value: told.probabilities[grade.value] for grade in Grade},
                evidence=_evidence(evidence, code, verdicts[code]),
                explanation={
                    language: {
                        "line": str(lines[language][code]),
                        "text": wording.explanation_text(told, policy, language),
                        "lifts": [wording.change_text(c, language) for c in told.lifts],
                        "drops": [wording.change_text(c, language) for c in told.drops],
                    }
                    for language in ("en", "zh")
                }
                | {"plain_average": told.plain_average, "target": told.target},
            )
        )
    session.flush()


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
        The cycle's grades are in force already.
    """
    assessment = session.get(Assessment, assessment_id)
    if assessment is None:
        raise NotFoundError(f"there is no assessment {assessment_id}")
    cycle = session.get_one(AssessmentCycle, assessment.cycle_id)
    access.require(actor, "grades.decide", _team_of(session, assessment.agent_id, cycle.as_of))
    if cycle.status == CycleStatus.EFFECTIVE:
        raise ConflictError(f"the grades of {cycle.code} are in force; decide in the next cycle")
    chosen = assessment.proposed_grade
    if action == DecisionAction.OVERRIDE:
        if grade is None or grade == assessment.proposed_grade:
            raise InputError.of([Fault("an override names another grade", column="grade")])
        chosen = grade
    if action != DecisionAction.ACCEPT and len(reason.strip()) < SHORTEST_REASON:
        raise InputError.of([Fault("say why, in a few words at least", column="reason")])
    decision = GradeDecision(
        assessment_id=assessment_id, at=at, decided_by=actor.name, action=action, grade=chosen,
        reason=reason.strip(),
    )  # fmt: skip
    session.add(decision)
    session.flush()
    audit.record(session, at, actor.name, f"grade.{action}", f"assessment {assessment_id}",
                 agent=assessment.agent_id, grade=chosen.value, reason=reason.strip())  # fmt: skip
    return decision


def _team_of(session: Session, agent_id: int, day: date) -> int | None:
    return next((a.team_id for a in agents_on(session, day) if a.id == agent_id), None)


def newest_decisions(session: Session, cycle_id: int) -> dict[int, GradeDecision]:
    """The decision that holds for each assessment of a cycle."""
    rows = session.exec(
        select(GradeDecision)
        .join(Assessment, col(Assessment.id) == GradeDecision.assessment_id)
        .where(Assessment.cycle_id == cycle_id)
        .order_by(col(GradeDecision.id))
    )
    return {row.assessment_id: row for row in rows}


def take_effect(
    session: Session, actor: Actor, cycle_id: int, on: date, at: datetime
) -> dict[str, int]:
    """Let all signed grades of a cycle take effect on a day; unsigned ones change nothing.

    Returns how many grades were kept, changed, and left as they are for want of a signature.
    """
    access.require(actor, "grades.assess")
    cycle = session.get_one(AssessmentCycle, cycle_id)
    if cycle.status == CycleStatus.EFFECTIVE:
        raise ConflictError(f"the grades of {cycle.code} are in force already")
    decisions = newest_decisions(session, cycle_id)
    counts = {"kept": 0, "changed": 0, "unsigned": 0}
    for assessment in session.exec(select(Assessment).where(Assessment.cycle_id == cycle_id)):
        decision = decisions.get(assessment.id or 0)
        if decision is None or decision.action == DecisionAction.SEND_BACK:
            counts["unsigned"] += 1
            continue
        counts[_put_in_force(session, assessment.agent_id, decision, on)] += 1
    cycle.status = CycleStatus.EFFECTIVE
    audit.record(session, at, actor.name, "grade.effective", f"cycle {cycle.code}",
                 on=str(on), **counts)  # fmt: skip
    session.flush()
    return counts


def _put_in_force(session: Session, agent_id: int, decision: GradeDecision, on: date) -> str:
    """End the present grade and begin the new one; nothing is overwritten."""
    present = session.exec(
        select(AgentGrade).where(AgentGrade.agent_id == agent_id, in_force(AgentGrade, on))
    ).first()
    if present is not None and present.grade == decision.grade:
        return "kept"
    until = None
    if present is not None:
        until, present.valid_until = present.valid_until, on
        if present.valid_from >= on:
            session.execute(sa.delete(AgentGrade).where(col(AgentGrade.id) == present.id))
        session.flush()
    session.add(
        AgentGrade(agent_id=agent_id, grade=decision.grade, decision_id=decision.id,
                   valid_from=on, valid_until=until)
    )  # fmt: skip
    session.flush()
    return "changed"
