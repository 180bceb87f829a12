"""Run an assessment cycle: records → evidence → proposals, kept with all that led to them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from sqlmodel import Session, col, select

from grading import wording
from grading.assess import Assessments, assess
from grading.errors import GradingError
from grading.evidence import Evidence, gather
from grading.explain import Explanation, explain_many
from grading.policy import CRITERIA, GradePolicy, load_policy
from wfm import access, audit, instants, jobs
from wfm.access import SYSTEM, Actor
from wfm.db import Engine, transaction
from wfm.errors import ConflictError, Fault, InputError, faults_of
from wfm.services import grade_groups, grade_records
from wfm.services.facts import in_force
from wfm.services.grade_policies import keep_policy, policy_in_force
from wfm.settings import Settings
from wfm.tables import Agent, AgentTeam, Assessment, AssessmentCycle, Job, Team
from wfm.words import CycleStatus, Grade

CODE = re.compile(r"\w[\w.\- ]{0,39}")  # it is part of addresses
KEPT = ("value", "low", "high", "reliability", "raw", "adjusted", "usual", "strength", "precision")


@dataclass(frozen=True)
class Reckoning:
    """What a policy says of the records of a period."""

    policy: GradePolicy
    evidence: Evidence
    assessments: Assessments
    history: pd.DataFrame
    groups: pd.DataFrame


def ask_cycle(
    session: Session,
    actor: Actor,
    code: str,
    period_from: date,
    as_of: date,
    timezone: str,
    at: datetime,
    team: str = "",
) -> Job:
    """Put a new cycle, of one team or the whole desk, on the queue.

    Raises
    ------
    InputError, ConflictError
        As `run_cycle`, as far as it can be known before the records are read.
    """
    team_id = _team(session, actor, team)
    _check_cycle(session, code, period_from, as_of, instants.local_date(at, timezone))
    arguments = {
        "code": code, "period_from": str(period_from), "as_of": str(as_of), "asked_by": actor.name,
        "team": team if team_id else "",
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
    team: str = "",
) -> AssessmentCycle:
    """Assess every agent, or those of one team, over a period; a draft until it is opened.

    What is usual is learnt from the whole desk either way.

    Raises
    ------
    InputError
        The code or the days cannot be used, there are no agents, or the policy is wrong.
    ConflictError
        A cycle of this name exists already.
    """
    team_id = _team(session, actor, team)
    _check_cycle(session, code, period_from, as_of, instants.local_date(at, timezone))
    row = keep_policy(session, policy_text or policy_in_force(session), at)
    assert row.id is not None
    cycle = AssessmentCycle(
        code=code, policy_id=row.id, team_id=team_id, period_from=period_from, as_of=as_of,
        status=CycleStatus.DRAFT, made_at=at,
    )  # fmt: skip
    session.add(cycle)
    session.flush()
    found = reckon(session, load_policy(row.text), period_from, as_of, timezone)
    cycle.findings = findings(found)
    keep(session, cycle, found, _assessed(session, cycle, found))
    audit.record(session, at, actor.name, "grade.assess", f"cycle {code}",
                 policy=row.code, as_of=str(as_of))  # fmt: skip
    return cycle


def _team(session: Session, actor: Actor, code: str) -> int | None:
    """The team a cycle is for; None: the whole desk. Refuses who does not answer for it."""
    access.require(actor, "grades.assess")
    if not code:
        access.require_whole_desk(actor, "grades.assess")
        return None
    team = session.exec(select(Team.id).where(Team.code == code)).first()
    if team is None:
        raise InputError.of([Fault("there is no such team", column="team", value=code[:80])])
    access.require(actor, "grades.assess", team)
    return team


def _assessed(session: Session, cycle: AssessmentCycle, found: Reckoning) -> list[str]:
    """The agents whose cases the cycle holds.

    Raises
    ------
    InputError
        The team has nobody to assess.
    """
    codes = [str(code) for code in found.assessments.table.index]
    if cycle.team_id is None:
        return codes
    members = select(Agent.code).join(AgentTeam, col(AgentTeam.agent_id) == Agent.id).where(
        AgentTeam.team_id == cycle.team_id, in_force(AgentTeam, cycle.as_of)
    )  # fmt: skip
    own = set(session.exec(members))
    if not own & set(codes):
        raise InputError.of([Fault("this team has no agents to assess", column="team")])
    return [code for code in codes if code in own]


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
    progress.report(0.05, f"assessing {arguments['code']}")
    asker = replace(SYSTEM, name=arguments.get("asked_by", SYSTEM.name))
    with transaction(engine) as session:
        zone = Settings.from_environment().timezone
        first, as_of = (date.fromisoformat(arguments[n]) for n in ("period_from", "as_of"))
        cycle = run_cycle(
            session, asker, arguments["code"], first, as_of, zone, instants.now(),
            arguments.get("policy_text"), arguments.get("team", ""),
        )  # fmt: skip
        return {"cycle_id": cycle.id, "page": f"/grades?cycle={quote(cycle.code)}"}


def reckon(
    session: Session, policy: GradePolicy, period_from: date, as_of: date, timezone: str
) -> Reckoning:
    """Records of a period → proposals, without keeping anything.

    Raises
    ------
    InputError
        There are no agents, or a record does not fit the policy's scales.
    """
    found = grade_records.records(session, period_from, as_of, timezone)
    if found.agents.empty:
        raise InputError.of([Fault("there are no agents to assess; import agents first")])
    history = grade_records.held_grades(session, as_of, period_from)
    with faults_of(GradingError):
        evidence = gather(found, policy, as_of)
        proposed = assess(evidence, policy, history)
    groups = grade_groups.groups(session, found, history, period_from, as_of)
    return Reckoning(policy, evidence, proposed, history, groups)


def findings(found: Reckoning) -> dict[str, Any]:
    """What a lead should know of the cycle as a whole, with the severity of every reviewer."""
    return {
        "notices": [
            {
                "code": notice.code,
                "en": wording.notice_text(notice, "en"),
                "zh": wording.notice_text(notice, "zh"),
            }
            for notice in found.assessments.notices
        ],
        "effects": found.evidence.effects,
    }


def keep(
    session: Session, cycle: AssessmentCycle, found: Reckoning, codes: Sequence[str]
) -> list[Assessment]:
    """Store the proposals of these agents."""
    ids = {agent.code: agent.id or 0 for agent in session.exec(select(Agent))}
    assert cycle.id is not None
    rows = [
        Assessment(cycle_id=cycle.id, agent_id=ids[code], **fields)
        for code, fields in documents(found, codes).items()
    ]
    session.add_all(rows)
    session.flush()
    return rows


def documents(found: Reckoning, codes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What is stored of each of these agents: proposal, evidence, explanation, groups."""
    proposed, policy = found.assessments, found.policy
    verdicts: dict[str, dict[str, str]] = proposed.verdicts.to_dict("index")  # type: ignore[assignment]
    lines = {language: wording.short_reasons(proposed, language) for language in ("en", "zh")}
    told = explain_many(codes, found.evidence, policy, proposed, found.history)
    groups = found.groups.to_dict("index")
    held = found.history.set_index("agent_id").to_dict("index") if len(found.history) else {}
    kept = {}
    for code, one in zip(codes, told, strict=True):
        said = {language: str(lines[language][code]) for language in lines}
        facts = {str(k): _number(v) for k, v in held.get(code, {}).items() if k != "grade"}
        beside = {str(k): _number(v) for k, v in found.evidence.beside.loc[code].items()}
        kept[code] = {
            "previous_grade": Grade(one.previous_grade) if one.previous_grade else None,
            "proposed_grade": Grade(one.grade),
            "decision": one.decision,
            "probabilities": {grade.value: one.probabilities[grade.value] for grade in Grade},
            "evidence": _evidence(found.evidence, code, verdicts[code]),
            "explanation": _explanation(one, policy, said) | {"beside": beside, "held": facts},
            "groups": {str(k): str(v) for k, v in groups.get(code, {}).items() if v},
        }
    return kept


def _number(value: Any) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


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
    return said | {"plain_average": told.plain_average, "target": told.target, "block": told.block}


def _evidence(evidence: Evidence, code: str, verdicts: Mapping[str, str]) -> dict[str, Any]:
    """Per criterion what is known; `grade_evidence` makes the kernel's evidence of it again."""
    shown: dict[str, Any] = {}
    for criterion in CRITERIA:
        row: Mapping[Any, Any] = evidence.criteria[criterion].loc[code].to_dict()
        figures = {name: _number(row[name]) for name in KEPT}
        shown[criterion] = figures | {
            "n": int(row["n"]), "verdict": str(verdicts[criterion]), "enough": bool(row["enough"]),
        }  # fmt: skip
    return shown
