"""Try another policy before it is saved: who would move, would it have held, what is practised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlmodel import Session, col, select

from grading.assess import Assessments, assess
from grading.backtest import Step, back_test
from grading.errors import GradingError
from grading.evidence import COLUMNS, FAMILIES, Evidence
from grading.learn import learn
from grading.policy import CRITERIA, GRADES, Grade, GradePolicy, load_policy
from grading.wording import short_reasons
from wfm import access, jobs
from wfm.access import SYSTEM, Actor
from wfm.db import Engine, transaction
from wfm.errors import NotFoundError, faults_of
from wfm.services import grade_runs
from wfm.services.grade_filters import GRADE_RANK
from wfm.services.grading import newest_decisions, second_signature, state_of
from wfm.settings import Settings
from wfm.tables import Agent, Assessment, AssessmentCycle, Job
from wfm.tables import GradePolicy as PolicyRow

MOST_MOVES = 200
Stored = tuple[Evidence, pd.DataFrame]
Signed = tuple[Evidence, pd.DataFrame, dict[str, Grade], str]


def ask(session: Session, actor: Actor, cycle_code: str, text: str, at: datetime) -> Job:
    """Put a trial of a policy over the evidence of all cycles on the queue.

    Raises
    ------
    InputError
        The policy is wrong; every fault with its line.
    NotFoundError
        There is no such cycle.
    """
    access.require_whole_desk(actor, "grades.policy")
    with faults_of(GradingError):
        load_policy(text)
    _cycle(session, cycle_code)
    arguments = {"cycle": cycle_code, "text": text, "asked_by": actor.name}
    return jobs.ask(session, "try_policy", arguments, actor.name, at)


def run_job(engine: Engine, progress: jobs.Progress, arguments: dict[str, Any]) -> dict[str, Any]:
    """The worker's part of `ask`."""
    progress.report(0.1, f"trying the policy on {arguments['cycle']}")
    with transaction(engine) as session:
        zone = Settings.from_environment().timezone
        found = trial(session, SYSTEM, arguments["cycle"], arguments["text"], zone)
    return {"page": f"/grades/policy?trial={progress.job_id}", "trial": found}


def trial(
    session: Session, actor: Actor, cycle_code: str, text: str, timezone: str
) -> dict[str, Any]:
    """One policy beside the one a cycle was assessed by, over the same evidence.

    Returns
    -------
    dict
        ``moves`` (agents whose proposal differs, with the reasons under either policy),
        ``counts`` (proposals per grade, written and tried), ``past`` (per step between cycles the
        share of grades that change and how well grades foretold the next period, for either), and
        ``practice`` (what the grades signed so far say of the policy).
    """
    access.require_whole_desk(actor, "grades.policy")
    cycle = _cycle(session, cycle_code)
    with faults_of(GradingError):
        other = load_policy(text)
    written = load_policy(session.get_one(PolicyRow, cycle.policy_id).text)
    evidence, history = stored(session, cycle)
    before = assess(_enough(evidence, written), written, history)
    if same_evidence(written, other):
        after = assess(_enough(evidence, other), other, history)
    else:
        after = grade_runs.reckon(
            session, other, cycle.period_from, cycle.as_of, timezone
        ).assessments
    cycles = session.exec(
        select(AssessmentCycle)
        .where(col(AssessmentCycle.team_id).is_not_distinct_from(cycle.team_id))
        .order_by(col(AssessmentCycle.as_of), col(AssessmentCycle.id))
    ).all()
    past = [stored(session, one) for one in cycles]
    return {
        "cycle": cycle.code,
        "policy": f"{other.name} {other.version}",
        "same_evidence": same_evidence(written, other),
        "counts": {"written": _counts(before), "tried": _counts(after)},
        **_moves(session, before, after),
        "past": _past(cycles, past, written, other),
        "practice": practice(session, written),
    }


def _cycle(session: Session, code: str) -> AssessmentCycle:
    found = session.exec(select(AssessmentCycle).where(AssessmentCycle.code == code)).first()
    if found is None:
        raise NotFoundError(f"there is no cycle {code}")
    return found


def same_evidence(one: GradePolicy, other: GradePolicy) -> bool:
    """Whether two policies make the same evidence of the same records."""
    parts = ("case_mix", "small_samples", "surveys", "reviews", "contributions", "resolution")
    return all(getattr(one, part) == getattr(other, part) for part in parts) and all(
        one.criteria[name].definition == other.criteria[name].definition for name in CRITERIA
    )


def stored(session: Session, cycle: AssessmentCycle) -> Stored:
    """The evidence of a cycle as the kernel had it, and the grades held then."""
    rows: Sequence[Any] = session.execute(
        sa.select(
            col(Agent.code), col(Assessment.evidence), col(Assessment.previous_grade),
            col(Assessment.explanation)["held"],
        )
        .join(Agent, col(Agent.id) == col(Assessment.agent_id))
        .where(col(Assessment.cycle_id) == cycle.id)
        .order_by(col(Agent.code))
    ).all()  # fmt: skip
    agents = pd.Index([row[0] for row in rows], name="agent_id")
    frames = {}
    for name in CRITERIA:
        figures = [row[1][name] for row in rows]
        columns = {c: [one.get(c) for one in figures] for c in COLUMNS if c != "enough"}
        frame = pd.DataFrame(columns, index=agents, columns=list(COLUMNS)).astype(float)
        if FAMILIES[name] == "exact":  # what is known exactly has no finite precision to store
            frame["precision"] = np.where(frame["value"].notna(), np.inf, np.nan)
        frame["n"] = frame["n"].astype(np.int64)
        frame["enough"] = np.array([bool(one.get("enough")) for one in figures], dtype=bool)
        frames[name] = frame
    held = pd.DataFrame(
        {
            "agent_id": agents,
            "grade": [row[2].value if row[2] else None for row in rows],
            "cycles": [(row[3] or {}).get("cycles") for row in rows],
            "serious_events": [(row[3] or {}).get("serious_events") for row in rows],
        }
    ).astype({"cycles": float, "serious_events": float})
    return Evidence(agents, frames, (), {}), held


def _enough(evidence: Evidence, policy: GradePolicy) -> Evidence:
    """The same evidence with another minimum of records; what was left out stays left out."""
    frames = {}
    for name, frame in evidence.criteria.items():
        least = policy.criteria[name].minimum_evidence
        left_out = name == "quality" and not frame["enough"].any()
        frames[name] = frame.assign(enough=(frame["n"] >= least) & (not left_out))
    return replace(evidence, criteria=frames)


def _counts(found: Assessments) -> dict[str, dict[str, int]]:
    grades, decisions = Counter(found.table["grade"]), Counter(found.table["decision"])
    return {
        "grades": {grade: grades[grade] for grade in GRADES},
        "decisions": {str(word): count for word, count in sorted(decisions.items())},
    }


def _moves(session: Session, before: Assessments, after: Assessments) -> dict[str, Any]:
    both = before.table.index.intersection(after.table.index)
    differ = both[
        (before.table.loc[both, "grade"] != after.table.loc[both, "grade"])
        | (before.table.loc[both, "decision"] != after.table.loc[both, "decision"])
    ]
    names = dict(session.execute(sa.select(col(Agent.code), col(Agent.name))).all())
    lines = {
        (kind, language): short_reasons(found, language)
        for kind, found in (("written", before), ("tried", after))
        for language in ("en", "zh")
    }  # fmt: skip
    moves = [
        {
            "agent": code,
            "name": names.get(code, ""),
            "present": before.table.loc[code, "present_grade"],
            "written": before.table.loc[code, "grade"],
            "tried": after.table.loc[code, "grade"],
            "en": [lines["written", "en"][code], lines["tried", "en"][code]],
            "zh": [lines["written", "zh"][code], lines["tried", "zh"][code]],
        }
        for code in differ[:MOST_MOVES]
    ]
    return {"moves": moves, "differ": len(differ), "agents": len(both)}


def _past(
    cycles: Sequence[AssessmentCycle],
    past: Sequence[Stored],
    written: GradePolicy,
    other: GradePolicy,
) -> list[dict[str, Any]]:
    if len(past) < 2:
        return []
    steps = {
        kind: back_test([_enough(one, policy) for one, _ in past], policy, past[0][1])[1]
        for kind, policy in (("written", written), ("tried", other))
    }
    return [
        {
            "from": cycles[place].code,
            "to": cycles[place + 1].code,
            "written": _told(steps["written"][place]),
            "tried": _told(steps["tried"][place]),
        }
        for place in range(len(past) - 1)
    ]


def _told(step: Step) -> dict[str, Any]:
    shown = asdict(step)
    shown["foretold"] = {k: _known(v) for k, v in step.foretold.items()}
    return shown | {"changed": _known(step.changed), "jumped": _known(step.jumped)}


def _known(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)


def practice(session: Session, policy: GradePolicy) -> dict[str, Any]:
    """What the grades that leads have signed say of a policy."""
    parts: list[Signed] = []
    signed: list[Grade] = []
    for cycle in session.exec(select(AssessmentCycle).order_by(col(AssessmentCycle.id))):
        second = second_signature(session, cycle)
        decisions = newest_decisions(session, col(Assessment.cycle_id) == cycle.id)
        rows = session.execute(
            sa.select(col(Agent.code), col(Assessment.id), col(Assessment.previous_grade))
            .join(Agent, col(Agent.id) == col(Assessment.agent_id))
            .where(col(Assessment.cycle_id) == cycle.id)
        )
        given = {
            code: GRADES[GRADE_RANK[decisions[number].grade]]
            for code, number, previous in rows
            if state_of(decisions.get(number), previous, second) == "decided"
        }
        if given:
            parts.append((*stored(session, cycle), given, cycle.code))
    if not parts:
        return {"cases": 0}
    frames, history = _joined(parts)
    for _, _, given, _ in parts:
        signed += [given[code] for code in sorted(given)]
    found = learn(_enough(frames, policy), policy, signed, history)
    return {
        "cases": found.cases,
        "agree_before": _known(found.agree_before),
        "agree_after": _known(found.agree_after),
        "differences": [asdict(one) for one in found.differences],
        "untold": [list(one) for one in found.untold],
    }


def _joined(parts: Sequence[Signed]) -> Stored:
    """The signed cases of several cycles as one, every case under a name of its own."""
    frames = {}
    for name in CRITERIA:
        pieces = []
        for evidence, _, given, code in parts:
            piece = evidence.criteria[name].loc[sorted(given)]
            pieces.append(piece.set_axis([f"{code}/{agent}" for agent in piece.index]))
        frames[name] = pd.concat(pieces)
    held = []
    for _, history, given, code in parts:
        some = history[history["agent_id"].isin(list(given))].sort_values("agent_id")
        held.append(some.assign(agent_id=[f"{code}/{agent}" for agent in some["agent_id"]]))
    whole: pd.DataFrame = pd.concat(held, ignore_index=True)
    return Evidence(pd.Index(frames["tenure"].index), frames, (), {}), whole
