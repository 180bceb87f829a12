"""What policy would have given the grades that leads signed? Weights and profiles, fitted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from grading.assess import propose
from grading.evidence import Evidence
from grading.policy import CRITERIA, GRADES, UPPER, Criterion, Grade, GradePolicy, Limits

WEIGHTS = (0.5, 0.75, 1.5, 2.0)  # factors tried
QUANTILES = np.linspace(0.1, 0.9, 9)
SMALLEST = 1e-6  # no signed grade is taken to be impossible
GAIN = 2.0  # a rule is changed only for this much log-likelihood (Akaike 1974: 1 per number)
ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Learnt:
    """One rule in which practice and policy differ.

    `grade` is None for a weight. `gain` is how much likelier the signed grades become, in
    natural logarithms.
    """

    criterion: Criterion
    grade: Grade | None
    written: float
    practised: float
    gain: float


@dataclass(frozen=True, slots=True)
class Practice:
    """What was learnt from signed grades.

    Parameters
    ----------
    policy : GradePolicy
        The policy as practised.
    differences : tuple of Learnt
        In the order in which they explain most.
    agree_before, agree_after : float
        Share of the signed grades that the policy as written, and as practised, holds likeliest.
    cases : int
    """

    policy: GradePolicy
    differences: tuple[Learnt, ...]
    agree_before: float
    agree_after: float
    cases: int


def learn(
    evidence: Evidence,
    policy: GradePolicy,
    signed: Sequence[Grade],
    history: pd.DataFrame | None = None,
) -> Practice:
    """Fit weights and entry profiles to signed grades, starting from the policy.

    One rule at a time is changed, the one that makes the signed grades likeliest, as long as the
    gain is worth a rule of its own; so few cases change nothing, and what is changed can be read.

    Parameters
    ----------
    evidence, signed
        One signed grade per agent, in the order of the evidence.

    Raises
    ------
    ValueError
        Not one grade per agent.
    """
    if len(signed) != len(evidence.agents):
        raise ValueError("one signed grade per agent is needed")
    place = np.array([GRADES.index(grade) for grade in signed], dtype=int)
    now, found = policy, []
    score = _likelihood(evidence, now, place, history)
    touched: set[tuple[Criterion, Grade | None]] = set()
    for _ in range(ROUNDS if len(signed) else 0):
        tried = [
            (_likelihood(evidence, other, place, history), what, other)
            for what, other in _variants(evidence, now)
            if what not in touched
        ]
        best, what, other = max(tried, key=lambda one: one[0], default=(score, None, now))
        if what is None or best - score < GAIN:
            break
        criterion, grade = what
        found.append(
            Learnt(criterion, grade, _number(now, *what), _number(other, *what), best - score)
        )
        touched.add(what)
        now, score = other, best
    return Practice(
        now,
        tuple(found),
        _agreement(evidence, policy, place, history),
        _agreement(evidence, now, place, history),
        len(signed),
    )


def _chances(evidence: Evidence, policy: GradePolicy, history: pd.DataFrame | None) -> np.ndarray:
    table = propose(evidence, policy, history)
    return np.asarray(table[[f"probability_{grade}" for grade in GRADES]], dtype=float)


def _likelihood(
    evidence: Evidence, policy: GradePolicy, place: np.ndarray, history: pd.DataFrame | None
) -> float:
    chance = _chances(evidence, policy, history)[np.arange(len(place)), place]
    return float(np.log(np.maximum(chance, SMALLEST)).sum())


def _agreement(
    evidence: Evidence, policy: GradePolicy, place: np.ndarray, history: pd.DataFrame | None
) -> float:
    if not len(place):
        return float("nan")
    return float((_chances(evidence, policy, history).argmax(axis=1) == place).mean())


def _variants(
    evidence: Evidence, policy: GradePolicy
) -> Iterator[tuple[tuple[Criterion, Grade | None], GradePolicy]]:
    """Every policy that differs in one weight or one entry limit."""
    for name in CRITERIA:
        rule = policy.criteria[name]
        if rule.weight <= 0:
            continue
        if not rule.companion:
            for factor in WEIGHTS:
                yield (name, None), _with(policy, name, weight=round(rule.weight * factor, 6))
        values = evidence.criteria[name]["value"].dropna().to_numpy(dtype=float)
        if not len(values):
            continue
        for grade in UPPER:
            for limit in np.unique(np.round(np.quantile(values, QUANTILES), 3)):
                limits = Limits(
                    senior=float(limit) if grade == "senior" else rule.entry.senior,
                    expert=float(limit) if grade == "expert" else rule.entry.expert,
                )
                if _ordered(limits, rule.exit):
                    yield (name, grade), _with(policy, name, entry=limits)


def _ordered(entry: Limits, leave: Limits) -> bool:
    """Whether an entry profile may stand beside the exit profile."""
    if entry.senior is None or entry.expert is None or entry.senior > entry.expert:
        return False
    pairs = [(leave.of(grade), entry.of(grade)) for grade in UPPER]
    return all(out is None or into is None or out <= into for out, into in pairs)


def _with(policy: GradePolicy, name: Criterion, **changes: Any) -> GradePolicy:
    rule = replace(policy.criteria[name], **changes)
    return replace(policy, criteria=policy.criteria | {name: rule})


def _number(policy: GradePolicy, name: Criterion, grade: Grade | None) -> float:
    rule = policy.criteria[name]
    limit = rule.weight if grade is None else rule.entry.of(grade)
    assert limit is not None
    return limit
