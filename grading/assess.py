"""Evidence + policy + present grades → proposed grades. The entry point is `assess`.

For every agent and each grade above ordinary the probability of deserving *at least* that grade
is computed from what is known of each criterion. The grade moves one step when that probability
leaves no reasonable doubt, and otherwise stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from grading.deserve import Side, probability_of, profile
from grading.errors import GradingError
from grading.evidence import Evidence, Notice
from grading.policy import CRITERIA, GRADES, UPPER, Criterion, Grade, GradePolicy

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
DECISIONS = ("rise", "keep", "fall", "undecided", "blocked")
VERDICTS = (
    "for", "against", "unsure", "below_floor", "vetoed", "thin", "left_out", "missing",
    "not_counted",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Assessments:
    """What is proposed, for a person to sign.

    Parameters
    ----------
    table : frame indexed by agent_id
        ``grade`` proposed; ``previous_grade`` (empty for a new agent); ``present_grade`` (start
        grade for a new agent); ``probability_ordinary/senior/expert`` of deserving exactly that
        grade; ``decision`` (one of `DECISIONS`); ``block`` (why a move that the evidence supports
        is not made: "coverage", "dwell", "serious_event", or empty); ``target`` (the grade the
        verdicts are about: next above, or the present one when that is in doubt).
    verdicts : frame of shape (agents, criteria)
        One of `VERDICTS` each, with regard to ``target``.
    notices : tuple of Notice
    """

    table: pd.DataFrame
    verdicts: pd.DataFrame
    notices: tuple[Notice, ...]


def assess(
    evidence: Evidence, policy: GradePolicy, history: pd.DataFrame | None = None
) -> Assessments:
    """Propose a grade for every agent.

    Parameters
    ----------
    history : frame, optional
        ``agent_id`` (unique), ``grade`` now held (missing for a new agent), and if known
        ``cycles`` (assessments since the last move) and ``serious_events`` (count in the
        cycle; as many as the policy says block a rise). Agents without a row are new and begin at
        the policy's start grade.

    Raises
    ------
    GradingError
        The history names an agent twice or a grade that does not exist.
    """
    table = propose(evidence, policy, history)
    verdicts = _verdicts(evidence, policy, table["target"], table["side"])
    return Assessments(table, verdicts, evidence.notices + _quota(table, policy))


def propose(
    evidence: Evidence, policy: GradePolicy, history: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The table of `assess` alone, without what each criterion says of the grade in question."""
    held = _history(evidence.agents, history)
    new = held["grade"].isna().to_numpy()
    present = held["grade"].fillna(policy.decision.start).map(GRADES.index).to_numpy(dtype=int)
    chance = _chances(evidence, policy, present)
    step, undecided = _steps(chance, present, policy)
    block = _blocks(step, present, new, held, evidence, policy)
    moved = np.where(block == "", step, 0)
    decision = np.select(
        [block != "", moved > 0, moved < 0, undecided],
        ["blocked", "rise", "fall", "undecided"],
        default="keep",
    )
    target, side = _targets(chance, present, step, policy)
    return pd.DataFrame(
        {
            "grade": np.array(GRADES, dtype=object)[present + moved],
            "previous_grade": held["grade"].fillna("").to_numpy(dtype=object),
            "present_grade": np.array(GRADES, dtype=object)[present],
            "probability_ordinary": 1 - chance[:, 0],
            "probability_senior": chance[:, 0] - chance[:, 1],
            "probability_expert": chance[:, 1],
            "decision": decision,
            "block": block,
            "target": np.array(GRADES, dtype=object)[target],
            "side": side,
        },
        index=evidence.agents,
    )


def _history(agents: pd.Index, history: pd.DataFrame | None) -> pd.DataFrame:
    if history is None:
        history = pd.DataFrame({"agent_id": [], "grade": []})
    if history["agent_id"].duplicated().any():
        raise GradingError("history: an agent_id occurs twice")
    held = history.set_index("agent_id").reindex(agents)
    held["grade"] = held["grade"].astype(object)
    held.loc[held["grade"].isna() | (held["grade"] == ""), "grade"] = None
    strange = sorted({str(g) for g in held["grade"].dropna().unique()} - set(GRADES))
    if strange:
        raise GradingError(f"history: no such grade: {', '.join(strange)}")
    return held


def _chances(evidence: Evidence, policy: GradePolicy, present: NDArray[np.int64]) -> Array:
    """Probability of deserving at least senior and at least expert, per agent.

    A grade that is held is judged by its exit profile, a higher one by its entry profile.
    """
    columns = []
    for rank, grade in enumerate(UPPER, start=1):
        held = present >= rank
        columns.append(
            np.where(
                held,
                probability_of(evidence, policy, grade, "exit"),
                probability_of(evidence, policy, grade, "entry"),
            )
        )
    senior = np.clip(columns[0], 0.0, 1.0)
    return np.column_stack([senior, np.minimum(np.clip(columns[1], 0.0, 1.0), senior)])


def _steps(
    chance: Array, present: NDArray[np.int64], policy: GradePolicy
) -> tuple[NDArray[np.int64], Flags]:
    """One step up or down where the probability is clear, and where it is not clear at all."""
    rows = np.arange(len(present))
    above = np.column_stack([chance, np.zeros(len(present))])[rows, present]
    here = np.column_stack([np.ones(len(present)), chance])[rows, present]
    top = present == len(GRADES) - 1
    up = ~top & (above >= policy.decision.rise - 1e-12)
    down = (present > 0) & (here <= policy.decision.fall + 1e-12) & ~up
    clear = (here >= policy.decision.rise) & (top | (above <= policy.decision.fall))
    return up.astype(np.int64) - down.astype(np.int64), ~clear & ~up & ~down


def _blocks(
    step: NDArray[np.int64],
    present: NDArray[np.int64],
    new: Flags,
    held: pd.DataFrame,
    evidence: Evidence,
    policy: GradePolicy,
) -> NDArray[np.object_]:
    """Why a move that the evidence supports is not made; the first reason that applies."""
    covered = _coverage(evidence, policy)
    need = policy.coverage
    wanted = np.where(step < 0, need.fall, np.where(present == 0, need.senior, need.expert))
    short = (step != 0) & (covered < wanted - 1e-9)
    waiting = np.zeros(len(step), dtype=bool)
    if "cycles" in held:
        waiting = (held["cycles"] < policy.decision.dwell).to_numpy() & (step != 0) & ~new
    grave = np.zeros(len(step), dtype=bool)
    if "serious_events" in held:
        barred = held["serious_events"] >= policy.serious_events.bars_rise_from
        grave = barred.to_numpy() & (step > 0)
    result = np.select([grave, short, waiting], ["serious_event", "coverage", "dwell"], default="")
    return result.astype(object)


def _coverage(evidence: Evidence, policy: GradePolicy) -> Array:
    """Share of the weight (companions aside) with enough evidence, 0–1."""
    total, covered = 0.0, np.zeros(len(evidence.agents))
    for name, rule in policy.criteria.items():
        if not rule.companion:
            total += rule.weight
            covered += rule.weight * evidence.criteria[name]["enough"].to_numpy(dtype=float)
    return covered / total


def _targets(
    chance: Array, present: NDArray[np.int64], step: NDArray[np.int64], policy: GradePolicy
) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """The grade in question: the present one while it is in doubt, else the next above."""
    rows = np.arange(len(present))
    here = np.column_stack([np.ones(len(present)), chance])[rows, present]
    doubt = (present > 0) & (step <= 0) & (here < policy.decision.rise)
    stay = doubt | (present == len(GRADES) - 1)
    target = np.where(stay, present, np.minimum(present + 1, len(GRADES) - 1))
    return target, np.where(stay, "exit", "entry").astype(object)


def _verdicts(
    evidence: Evidence, policy: GradePolicy, target: pd.Series, side: pd.Series
) -> pd.DataFrame:
    result = pd.DataFrame("", index=evidence.agents, columns=list(CRITERIA), dtype=object)
    for name in CRITERIA:
        column = np.full(len(target), "not_counted", dtype=object)
        for grade in UPPER:
            sides: tuple[Side, ...] = ("entry", "exit")
            for which in sides:
                rows = ((target == grade) & (side == which)).to_numpy()
                if rows.any():
                    column[rows] = verdict(evidence, policy, name, grade, which)[rows]
        result[name] = column
    return result


def verdict(
    evidence: Evidence, policy: GradePolicy, name: Criterion, grade: Grade, side: Side
) -> NDArray[np.object_]:
    """What one criterion says about one grade, per agent (one of `VERDICTS`)."""
    frame, rule = evidence.criteria[name], policy.criteria[name]
    limit = profile(policy, name, side).of(grade)
    enough = frame["enough"].to_numpy(dtype=bool)
    n = frame["n"].to_numpy()
    sure, doubt = policy.decision.rise, policy.decision.fall
    floor = rule.floor.of(grade) if side == "entry" else None
    veto = rule.veto.of(grade)

    nobody = np.zeros(len(frame), dtype=bool)
    vetoed = nobody if veto is None else evidence.above(name, veto) <= doubt
    low = nobody if floor is None else evidence.at_least(name, floor) <= doubt

    reach = evidence.at_least(name, limit) if limit is not None else np.full(len(frame), np.nan)
    unused, idle = rule.weight <= 0, limit is None and veto is None
    return np.select(
        [
            np.full(len(n), unused), n == 0, np.full(len(n), idle),
            n < rule.minimum_evidence, ~enough,
            vetoed, low, reach >= sure, reach <= doubt,
        ],
        [
            "not_counted", "missing", "not_counted", "thin", "left_out",
            "vetoed", "below_floor", "for", "against",
        ],
        default="unsure" if limit is not None else "not_counted",
    ).astype(object)  # fmt: skip


def _quota(table: pd.DataFrame, policy: GradePolicy) -> tuple[Notice, ...]:
    """Warn, and only warn, when a grade is given more often than it is meant to be."""
    found = []
    for grade in UPPER:
        limit = policy.quota.of(grade)
        share = float((table["grade"] == grade).mean()) if len(table) else 0.0
        if limit is not None and share > limit + 1e-12:
            values: dict[str, object] = {"grade": grade, "share": round(share, 6), "limit": limit}
            found.append(Notice("quota", values))
    return tuple(found)
