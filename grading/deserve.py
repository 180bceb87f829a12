"""The probability of deserving a grade, from what is known of each criterion."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from grading.belief import quantile
from grading.evidence import FAMILIES, Evidence
from grading.policy import CRITERIA, Criterion, Grade, GradePolicy, Limits
from grading.sorting import PseudoCriteria, credibility

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Side = Literal["entry", "exit"]
UNKNOWN = {"senior": 2 / 3, "expert": 1 / 3}  # all grades alike when nothing is known
DRAWS = 256
CHUNK = 512  # agents drawn for at once


def profile(policy: GradePolicy, criterion: Criterion, side: Side) -> Limits:
    rule = policy.criteria[criterion]
    return rule.entry if side == "entry" else rule.exit


def probability_of(evidence: Evidence, policy: GradePolicy, grade: Grade, side: Side) -> Array:
    """Probability per agent of deserving `grade` or a higher one under a profile."""
    if policy.decision.method == "electre-tri-b":
        return _by_credibility(evidence, policy, grade, side)
    return _by_majority(evidence, policy, grade, side)


def _by_majority(evidence: Evidence, policy: GradePolicy, grade: Grade, side: Side) -> Array:
    """Exact: every combination of criteria for and against, with its probability.

    The criteria are independent given the records, so a combination's probability is a product.
    A criterion at or below its veto, or below its floor, is in no combination that deserves.
    """
    counted = [_outcomes(evidence, policy, name, grade, side) for name in CRITERIA]
    total = np.zeros(len(evidence.agents))
    for reached in product((True, False), repeat=len(CRITERIA)):
        chance = np.ones(len(total))
        for outcome, yes in zip(counted, reached, strict=True):
            chance = chance * (outcome.reached if yes else outcome.short)
        if chance.any():
            total += chance * _deserved(counted, reached, policy, grade)
    return total


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """Probabilities of a criterion reaching its profile or falling short of it unvetoed."""

    weight: float
    companion: bool
    only_for: bool
    counts: Flags
    reached: Array
    short: Array


def _outcomes(
    evidence: Evidence, policy: GradePolicy, name: Criterion, grade: Grade, side: Side
) -> _Outcomes:
    rule, frame = policy.criteria[name], evidence.criteria[name]
    enough = frame["enough"].to_numpy(dtype=bool) & (rule.weight > 0)
    limit = profile(policy, name, side).of(grade)
    allowed = np.where(enough, _allowed(evidence, policy, name, grade, side), 1.0)
    reached = np.zeros(len(enough))
    if limit is not None:
        sure = np.where(enough, evidence.at_least(name, limit), 0.0)
        reached = np.minimum(sure, allowed)
    counts = enough & (limit is not None)
    return _Outcomes(rule.weight, rule.companion, rule.only_for, counts, reached, allowed - reached)


def _allowed(
    evidence: Evidence, policy: GradePolicy, name: Criterion, grade: Grade, side: Side
) -> Array:
    """Probability that neither veto nor floor stands against the grade."""
    rule = policy.criteria[name]
    veto, floor = rule.veto.of(grade), rule.floor.of(grade) if side == "entry" else None
    allowed = np.ones(len(evidence.agents))
    if veto is not None:
        allowed = evidence.above(name, veto)
    if floor is not None:
        allowed = np.minimum(allowed, evidence.at_least(name, floor))
    return allowed


def _deserved(
    outcomes: list[_Outcomes], reached: tuple[bool, ...], policy: GradePolicy, grade: Grade
) -> Array:
    """1 where this combination carries the majority, among all and without the companions."""
    size = len(outcomes[0].counts)
    voted = {"all": [np.zeros(size), np.zeros(size)], "work": [np.zeros(size), np.zeros(size)]}
    for outcome, yes in zip(outcomes, reached, strict=True):
        weight = outcome.weight * outcome.counts
        groups = ("all",) if outcome.companion else ("all", "work")
        for group in groups:
            if yes:
                voted[group][0] += weight
            if yes or not outcome.only_for:
                voted[group][1] += weight
    (all_for, all_in), (work_for, work_in) = voted["all"], voted["work"]
    majority = policy.decision.majority
    enough = (all_for >= majority * all_in - 1e-9) & (work_for >= majority * work_in - 1e-9)
    return np.where(work_in > 0, enough.astype(float), UNKNOWN[grade])


def _by_credibility(evidence: Evidence, policy: GradePolicy, grade: Grade, side: Side) -> Array:
    """ELECTRE TRI-B, pessimistic ("outranks"): share of evenly spread draws that deserve.

    The same draws serve all agents, so that a better value never loses. Companions and criteria
    that speak only for are handled as by majority: the cut must be reached with and without them.
    """
    names = [
        name
        for name in CRITERIA
        if policy.criteria[name].weight > 0 and profile(policy, name, side).of(grade) is not None
    ]
    allowed = np.ones(len(evidence.agents))
    for name in CRITERIA:
        chance = _unbarred(evidence, policy, name, grade, side)
        allowed = allowed * np.where(evidence.criteria[name]["enough"], chance, 1.0)
    if not names:
        return np.asarray(UNKNOWN[grade] * allowed, dtype=float)
    from scipy.stats import qmc  # takes a second to load, and this method alone needs it

    points = qmc.Sobol(len(CRITERIA), scramble=False).random(DRAWS) + 0.5 / DRAWS
    rules = [policy.criteria[name] for name in names]
    limits = np.array([profile(policy, name, side).of(grade) for name in names], dtype=float)
    veto = np.array([np.nan if (v := r.veto.of(grade)) is None else v for r in rules])
    thresholds = PseudoCriteria(
        q=np.array([r.indifference for r in rules]),
        p=np.array([r.preference for r in rules]),
        v=np.where(np.isnan(veto), np.inf, limits - veto),
    )
    weights = np.array([r.weight for r in rules])
    counts = np.column_stack([evidence.criteria[n]["enough"].to_numpy(bool) for n in names])
    work = np.array([not r.companion for r in rules])
    only_for = np.array([r.only_for for r in rules])
    deserved = np.zeros(len(counts))
    for start in range(0, len(counts), CHUNK):
        rows = slice(start, start + CHUNK)
        drawn = np.stack(
            [_drawn(evidence, n, rows, points[:, CRITERIA.index(n)]) for n in names], axis=-1
        )
        used = counts[rows, None, :] & ~(only_for & ~(drawn >= limits))
        drawn = np.where(used, drawn, limits)
        enough = np.ones(drawn.shape[:2], dtype=bool)
        for group in (np.ones(len(names), dtype=bool), work):
            votes = weights * group * used
            belief = credibility(drawn, limits, thresholds, votes)
            enough &= belief >= policy.decision.majority - 1e-9
        told = (used & work).any(axis=-1)  # else no work speaks either way in this draw
        deserved[rows] = np.where(told, enough, UNKNOWN[grade]).mean(axis=1)
    return np.asarray(deserved * allowed, dtype=float)


def _unbarred(
    evidence: Evidence, policy: GradePolicy, name: Criterion, grade: Grade, side: Side
) -> Array:
    """Probability that no floor stands against the grade, nor a veto that credibility leaves out.

    Credibility takes a veto as a distance from the profile; without a profile there is none.
    """
    rule = policy.criteria[name]
    if rule.weight <= 0:
        return np.ones(len(evidence.agents))
    if profile(policy, name, side).of(grade) is None:
        return _allowed(evidence, policy, name, grade, side)
    floor = rule.floor.of(grade) if side == "entry" else None
    return np.ones(len(evidence.agents)) if floor is None else evidence.at_least(name, floor)


def _drawn(evidence: Evidence, name: Criterion, rows: slice, points: Array) -> Array:
    """Values of a criterion at every point, of shape (agents, points); NaN without evidence."""
    frame = evidence.criteria[name].iloc[rows]
    value = frame["value"].to_numpy(dtype=float)[:, None]
    precision = frame["precision"].to_numpy(dtype=float)[:, None]
    if FAMILIES[name] == "exact":
        return np.repeat(value, len(points), axis=1)
    return quantile(FAMILIES[name], value, precision, points[None, :])
