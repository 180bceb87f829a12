"""What policy would have given the grades that leads signed? Its numbers, fitted.

Weights, the majority, entry and exit profiles, floors and vetoes are tried. Some cannot be told
from signed grades (`untold`): an exit profile where nobody held the grade, a floor or veto where
nobody stood at or below it, and what a criterion without evidence asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
import pandas as pd

from grading.assess import propose
from grading.evidence import Evidence
from grading.policy import (
    CRITERIA,
    GRADES,
    LIMITS,
    UPPER,
    Criterion,
    Grade,
    GradePolicy,
    Limit,
    Limits,
    out_of_order,
)

Rule = Literal["weight", "majority"] | Limit
What = tuple[Rule, Criterion | None, Grade | None]
WEIGHTS = (0.5, 0.75, 1.5, 2.0)  # factors tried
QUANTILES = np.linspace(0.1, 0.9, 7)
SMALLEST = 1e-6  # no signed grade is taken to be impossible
GAIN = 3.0  # log-likelihood a change must bring: Akaike 1974 asks 1 per number; many are tried
ROUNDS = 4
MAJORITIES = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)


@dataclass(frozen=True, slots=True)
class Learnt:
    """One rule in which practice and policy differ.

    `rule` is "weight", "majority", "entry", "exit", "floor" or "veto"; `criterion` is None for the
    majority, `grade` for it and for a weight. `gain` is how much likelier the signed grades
    become, in natural logarithms.
    """

    rule: Rule
    criterion: Criterion | None
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
    untold : tuple of (rule, criterion, grade)
        Numbers of the policy on which these cases cannot say anything.
    """

    policy: GradePolicy
    differences: tuple[Learnt, ...]
    agree_before: float
    agree_after: float
    cases: int
    untold: tuple[What, ...] = ()


def learn(
    evidence: Evidence,
    policy: GradePolicy,
    signed: Sequence[Grade],
    history: pd.DataFrame | None = None,
) -> Practice:
    """Fit the numbers of a policy to signed grades, starting from it.

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
    touched: set[What] = set()
    open_ = _told(evidence, policy, history)
    for _ in range(ROUNDS if len(signed) else 0):
        tried = [
            (_likelihood(evidence, other, place, history), what, other)
            for what, other in _variants(evidence, now, open_)
            if what not in touched
        ]
        best, what, other = max(tried, key=lambda one: one[0], default=(score, None, now))
        if what is None or best - score < GAIN:
            break
        found.append(Learnt(*what, _number(now, what), _number(other, what), best - score))
        touched.add(what)
        now, score = other, best
    return Practice(
        now,
        tuple(found),
        _agreement(evidence, policy, place, history),
        _agreement(evidence, now, place, history),
        len(signed),
        tuple(what for what in _rules(policy) if what not in open_),
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


def _rules(policy: GradePolicy) -> list[What]:
    """Every number of a policy that could be learnt: those it has."""
    found: list[What] = [("majority", None, None)]
    for name in CRITERIA:
        rule = policy.criteria[name]
        if rule.weight <= 0:
            continue
        if not rule.companion:
            found.append(("weight", name, None))
        found += [
            (kind, name, grade)
            for kind in LIMITS
            for grade in UPPER
            if rule.limits(kind).of(grade) is not None
        ]
    return found


def _told(evidence: Evidence, policy: GradePolicy, history: pd.DataFrame | None) -> set[What]:
    """The numbers on which these cases can say something at all."""
    held = pd.Series("", index=evidence.agents)
    if history is not None and len(history):
        known = history.set_index("agent_id")["grade"].reindex(evidence.agents)
        held = known.where(known.notna(), "")
    rank = held.map(lambda grade: GRADES.index(grade) if grade in GRADES else 0).to_numpy()
    found: set[What] = set()
    for what in _rules(policy):
        kind, name, grade = what
        if name is None:
            found.add(what)
            continue
        frame = evidence.criteria[name]
        enough = frame["enough"].to_numpy(dtype=bool)
        if grade is not None:
            holds = rank >= GRADES.index(grade)
            enough = enough & (holds if kind == "exit" else ~holds if kind != "veto" else True)
        limit = None if grade is None or kind in ("entry", "exit") else _number(policy, what)
        if limit is not None:
            enough = enough & (frame["low"].to_numpy(dtype=float) <= limit)
        if enough.any():
            found.add(what)
    return found


def _variants(
    evidence: Evidence, policy: GradePolicy, told: set[What]
) -> Iterator[tuple[What, GradePolicy]]:
    """Every policy that differs in one number on which the cases can say something."""
    for what in _rules(policy):
        kind, name, grade = what
        if what not in told:
            continue
        if name is None:
            for majority in MAJORITIES:
                decision = replace(policy.decision, majority=majority)
                yield what, replace(policy, decision=decision)
        elif grade is None:
            for factor in WEIGHTS:
                weight = round(policy.criteria[name].weight * factor, 6)
                yield what, _with(policy, name, weight=weight)
        else:
            values = evidence.criteria[name]["value"].dropna().to_numpy(dtype=float)
            spots = np.quantile(values, QUANTILES) if len(values) else np.zeros(0)
            for limit in np.unique(np.round(spots, 3)):
                other = _with(policy, name, **{kind: _limit(policy, what, float(limit))})
                if not any(out_of_order(other.criteria[name])):
                    yield what, other


def _limits(policy: GradePolicy, what: What) -> Limits:
    """What a limit stands among."""
    kind, name, _ = what
    assert name is not None
    return policy.criteria[name].limits(cast("Limit", kind))  # a weight stands alone


def _limit(policy: GradePolicy, what: What, limit: float) -> Limits:
    old, grade = _limits(policy, what), what[2]
    return Limits(
        senior=limit if grade == "senior" else old.senior,
        expert=limit if grade == "expert" else old.expert,
    )


def _with(policy: GradePolicy, name: Criterion, **changes: Any) -> GradePolicy:
    rule = replace(policy.criteria[name], **changes)
    return replace(policy, criteria=policy.criteria | {name: rule})


def _number(policy: GradePolicy, what: What) -> float:
    _, name, grade = what
    if name is None:
        return policy.decision.majority
    if grade is None:
        return policy.criteria[name].weight
    limit = _limits(policy, what).of(grade)
    assert limit is not None
    return limit
