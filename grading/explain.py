"""Why this grade, from the numbers that decided, and what would change it.

`explain` looks at one agent, `explain_many` at many at once; `grading.wording` says it in English
or Chinese.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from grading.assess import Assessments, verdict
from grading.changes import Change, nearest_changes, taken
from grading.deserve import Side, probability_of, profile
from grading.errors import GradingError
from grading.evidence import Evidence
from grading.policy import CRITERIA, GRADES, UPPER, Criterion, Grade, GradePolicy

CHUNK = 2048  # agents whose what-ifs are tried together
NOTHING_ASKED: tuple[float | None, NDArray[np.float64]] = (None, np.empty(0))


@dataclass(frozen=True, slots=True)
class Reason:
    """What one criterion says about one grade: the numbers and the verdict they lead to."""

    criterion: Criterion
    verdict: str
    value: float | None
    low: float | None
    high: float | None
    raw: float | None
    n: int
    needed: int
    limit: float | None
    probability: float | None


@dataclass(frozen=True, slots=True)
class GradeCase:
    """All that speaks for and against one grade, and the probability of deserving it or more."""

    grade: Grade
    side: Side
    probability: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything an agent's page says about the proposal."""

    agent_id: str
    grade: Grade
    previous_grade: Grade | None
    present_grade: Grade
    decision: str
    block: str
    target: Grade
    probabilities: dict[Grade, float]
    cases: tuple[GradeCase, ...]
    lifts: tuple[Change, ...]
    drops: tuple[Change, ...]
    plain_average: Grade | None


def explain(
    agent_id: str,
    evidence: Evidence,
    policy: GradePolicy,
    assessments: Assessments,
    history: pd.DataFrame | None = None,
) -> Explanation:
    """Explain one agent's proposal.

    Raises
    ------
    GradingError
        There is no such agent.
    """
    return explain_many([agent_id], evidence, policy, assessments, history)[0]


def explain_many(
    agent_ids: Sequence[str],
    evidence: Evidence,
    policy: GradePolicy,
    assessments: Assessments,
    history: pd.DataFrame | None = None,
) -> list[Explanation]:
    """Explain several agents' proposals, in the order asked for; what-ifs are tried together.

    Raises
    ------
    GradingError
        One of them is not among the agents assessed.
    """
    known = set(evidence.agents)
    strange = next((agent_id for agent_id in agent_ids if agent_id not in known), None)
    if strange is not None:
        raise GradingError(f"no agent {strange!r} among the {len(known)} assessed")
    found: list[Explanation] = []
    for start in range(0, len(agent_ids), CHUNK):
        some = list(agent_ids[start : start + CHUNK])
        found += _explained(some, evidence, policy, assessments, history)
    return found


def _explained(
    agent_ids: Sequence[str],
    evidence: Evidence,
    policy: GradePolicy,
    assessments: Assessments,
    history: pd.DataFrame | None,
) -> list[Explanation]:
    some = only(evidence, agent_ids)
    rows = assessments.table.loc[list(agent_ids)].to_dict("records")
    cases = {
        (grade, side): _cases(some, policy, grade, side)
        for grade in UPPER
        for side in ("entry", "exit")
    }
    changes = nearest_changes(some, policy, rows, _held(agent_ids, history))
    averages = plain_averages(some, policy)
    told = []
    for place, (agent_id, row) in enumerate(zip(agent_ids, rows, strict=True)):
        present = GRADES.index(row["present_grade"])
        told.append(
            Explanation(
                agent_id=agent_id,
                grade=row["grade"],
                previous_grade=row["previous_grade"] or None,
                present_grade=row["present_grade"],
                decision=str(row["decision"]),
                block=str(row["block"]),
                target=row["target"],
                probabilities={g: float(row[f"probability_{g}"]) for g in GRADES},
                cases=tuple(
                    cases[grade, "exit" if present >= rank else "entry"][place]
                    for rank, grade in enumerate(UPPER, start=1)
                ),
                lifts=tuple(c for c in changes[place] if c.direction == "lift"),
                drops=tuple(c for c in changes[place] if c.direction == "drop"),
                plain_average=averages[place],
            )
        )
    return told


def only(evidence: Evidence, agents: Sequence[str]) -> Evidence:
    """Evidence of some agents (an agent may be named several times)."""
    return taken(evidence, evidence.agents.get_indexer(pd.Index(agents)))


def _held(agent_ids: Sequence[str], history: pd.DataFrame | None) -> pd.DataFrame | None:
    """What the history says of these agents, one row each."""
    if history is None:
        return None
    return history.set_index("agent_id").reindex(list(agent_ids)).reset_index(drop=True)


def _cases(some: Evidence, policy: GradePolicy, grade: Grade, side: Side) -> list[GradeCase]:
    """The case for and against one grade, of every agent."""
    chance = np.clip(probability_of(some, policy, grade, side), 0.0, 1.0)
    reasons = [_reasons(some, policy, name, grade, side) for name in CRITERIA]
    return [
        GradeCase(grade, side, float(chance[place]), tuple(column[place] for column in reasons))
        for place in range(len(chance))
    ]


def _reasons(
    some: Evidence, policy: GradePolicy, name: Criterion, grade: Grade, side: Side
) -> list[Reason]:
    """What one criterion says about one grade, of every agent."""
    rule = policy.criteria[name]
    usual = profile(policy, name, side).of(grade)
    asked = {
        "": (usual, some.at_least),
        "below_floor": (rule.floor.of(grade) if side == "entry" else None, some.at_least),
        "vetoed": (rule.veto.of(grade), some.above),
    }
    chances = {
        word: (limit, of(name, limit)) for word, (limit, of) in asked.items() if limit is not None
    }
    words = verdict(some, policy, name, grade, side)
    told = []
    for place, row in enumerate(some.criteria[name].to_dict("records")):
        word = str(words[place])
        limit, chance = chances.get(word, chances.get("", NOTHING_ASKED))
        told.append(
            Reason(
                criterion=name,
                verdict=word,
                value=_number(row["value"]),
                low=_number(row["low"]),
                high=_number(row["high"]),
                raw=_number(row["raw"]),
                n=int(row["n"]),
                needed=rule.minimum_evidence,
                limit=limit,
                probability=None if limit is None else _number(chance[place]),
            )
        )
    return told


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def plain_averages(some: Evidence, policy: GradePolicy) -> list[Grade | None]:
    """The grades a weighted average of raw values would give: no intervals, floors or vetoes.

    A raw value counts 1 at the entry profile of senior and 2 at that of expert, in proportion
    between; the mean is rounded down. None where there is no raw value at all.
    """
    total, weight = np.zeros(len(some.agents)), np.zeros(len(some.agents))
    for name, rule in policy.criteria.items():
        raw = some.criteria[name]["raw"].to_numpy(dtype=float)
        senior, expert = rule.entry.senior, rule.entry.expert
        if senior is None or expert is None or rule.weight <= 0:
            continue
        below = raw / senior if senior > 0 else np.zeros(len(raw))
        above = 1 + (raw - senior) / (expert - senior) if expert > senior else np.full(len(raw), 2)
        points = np.clip(np.where(raw < senior, below, above), 0.0, 2.0)
        seen = ~np.isnan(raw)
        total[seen] += rule.weight * points[seen]
        weight[seen] += rule.weight
    return [GRADES[int(t / w + 1e-9)] if w else None for t, w in zip(total, weight, strict=True)]
