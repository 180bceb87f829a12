"""Why this grade, from the numbers that decided, and what would change it.

`explain` looks at one agent; `grading.wording` says it in English or Chinese.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from grading.assess import Assessments, assess, verdict
from grading.deserve import Side, probability_of, profile
from grading.errors import GradingError
from grading.evidence import FAMILIES, Evidence
from grading.policy import CRITERIA, GRADES, UPPER, Criterion, Grade, GradePolicy

Direction = Literal["lift", "drop"]
GRID = 48
ROUNDS = 3
MOST_RECORDS = 5000
MOST_MONTHS = 600.0


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
class Change:
    """A single change that alone would lift or drop the proposed grade.

    Either the criterion's value becomes `needed` (`records` is None), or `records` more records
    come in at the agent's present level. `effort` is how many of the value's own standard errors
    the change is wide; the nearest change has the smallest.
    """

    direction: Direction
    criterion: Criterion
    now: float
    needed: float
    records: int | None
    effort: float


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
    if agent_id not in evidence.agents:
        raise GradingError(f"no agent {agent_id!r} among the {len(evidence.agents)} assessed")
    one = only(evidence, [agent_id])
    place = evidence.agents.get_indexer(pd.Index([agent_id]))[0]
    row = assessments.table.iloc[int(place)]
    present = GRADES.index(row["present_grade"])
    changes = _changes(agent_id, evidence, policy, assessments, history)
    return Explanation(
        agent_id=agent_id,
        grade=row["grade"],
        previous_grade=row["previous_grade"] or None,
        present_grade=row["present_grade"],
        decision=str(row["decision"]),
        block=str(row["block"]),
        target=row["target"],
        probabilities={g: float(row[f"probability_{g}"]) for g in GRADES},
        cases=tuple(
            _case(one, policy, grade, "exit" if present >= rank else "entry")
            for rank, grade in enumerate(UPPER, start=1)
        ),
        lifts=tuple(c for c in changes if c.direction == "lift"),
        drops=tuple(c for c in changes if c.direction == "drop"),
        plain_average=plain_average(one, policy),
    )


def only(evidence: Evidence, agents: Sequence[str]) -> Evidence:
    """Evidence of some agents (an agent may be named several times)."""
    places = evidence.agents.get_indexer(pd.Index(agents))
    frames = {
        name: frame.iloc[places].reset_index(drop=True) for name, frame in evidence.criteria.items()
    }
    return Evidence(pd.RangeIndex(len(places)), frames, evidence.notices, evidence.effects)


def _case(one: Evidence, policy: GradePolicy, grade: Grade, side: Side) -> GradeCase:
    reasons = []
    for name in CRITERIA:
        row = one.criteria[name].iloc[0]
        limit = profile(policy, name, side).of(grade)
        floor = policy.criteria[name].floor.of(grade) if side == "entry" else None
        word = str(verdict(one, policy, name, grade, side)[0])
        if word == "below_floor":
            limit = floor
        if word == "vetoed":
            limit = policy.criteria[name].veto.of(grade)
        chance = float(one.at_least(name, limit)[0]) if limit is not None else None
        reasons.append(
            Reason(
                criterion=name,
                verdict=word,
                value=_number(row["value"]),
                low=_number(row["low"]),
                high=_number(row["high"]),
                raw=_number(row["raw"]),
                n=int(row["n"]),
                needed=policy.criteria[name].minimum_evidence,
                limit=limit,
                probability=None if chance is None else _number(chance),
            )
        )
    chance = float(probability_of(one, policy, grade, side)[0])
    return GradeCase(grade, side, min(max(chance, 0.0), 1.0), tuple(reasons))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def plain_average(one: Evidence, policy: GradePolicy) -> Grade | None:
    """The grade a weighted average of raw values would give: no intervals, floors or vetoes.

    A raw value counts 1 at the entry profile of senior and 2 at that of expert, in proportion
    between; the mean is rounded down.
    """
    total, weight = 0.0, 0.0
    for name, rule in policy.criteria.items():
        raw = float(one.criteria[name]["raw"].iloc[0])
        senior, expert = rule.entry.senior, rule.entry.expert
        if np.isnan(raw) or senior is None or expert is None or rule.weight <= 0:
            continue
        if raw < senior:
            points = raw / senior if senior > 0 else 0.0
        else:
            points = 1 + (raw - senior) / (expert - senior) if expert > senior else 2.0
        total += rule.weight * min(max(points, 0.0), 2.0)
        weight += rule.weight
    return GRADES[int(total / weight + 1e-9)] if weight else None


@dataclass(frozen=True, slots=True)
class _Trial:
    """One what-if: this criterion with this value, precision and number of records."""

    criterion: Criterion
    value: float
    precision: float
    n: int
    enough: bool


def _changes(
    agent_id: str,
    evidence: Evidence,
    policy: GradePolicy,
    assessments: Assessments,
    history: pd.DataFrame | None,
) -> list[Change]:
    """The single changes that move the proposal, nearest first."""
    held = None
    if history is not None:
        held = history[history["agent_id"] == agent_id].drop(columns="agent_id")
    tester = _Tester(agent_id, evidence, policy, held)
    place = int(evidence.agents.get_indexer(pd.Index([agent_id]))[0])
    proposed = assessments.table.iloc[place]
    now, present = (GRADES.index(proposed[column]) for column in ("grade", "present_grade"))
    found: list[Change] = []
    for name in CRITERIA:
        row = evidence.criteria[name].iloc[place]
        if not row["n"] or policy.criteria[name].weight <= 0:
            continue
        if now < min(present + 1, len(GRADES) - 1):
            found += tester.value(name, row, "lift", now)
            found += tester.records(name, row, "lift", now)
        if now > max(present - 1, 0):
            found += tester.value(name, row, "drop", now)
    return sorted(found, key=lambda change: (change.effort, change.criterion))


class _Tester:
    """Assesses many what-ifs of one agent at once."""

    def __init__(
        self, agent_id: str, evidence: Evidence, policy: GradePolicy, held: pd.DataFrame | None
    ) -> None:
        self.agent_id = agent_id
        self.evidence = evidence
        self.policy = policy
        self.held = held

    def grades(self, trials: Sequence[_Trial]) -> list[int]:
        copies = only(self.evidence, [self.agent_id] * len(trials))
        name = trials[0].criterion
        frame = copies.criteria[name].copy()
        for column in ("value", "precision", "n", "enough"):
            frame[column] = [getattr(trial, column) for trial in trials]
        whole = Evidence(copies.agents, copies.criteria | {name: frame}, (), copies.effects)
        history = None
        if self.held is not None and len(self.held):
            history = pd.concat([self.held] * len(trials), ignore_index=True)
            history["agent_id"] = range(len(trials))
        table = assess(whole, self.policy, history).table
        return [GRADES.index(grade) for grade in table["grade"]]

    def value(self, name: Criterion, row: pd.Series, way: Direction, now: int) -> list[Change]:
        """The smallest change of the value that is enough, by narrowing a grid."""
        if not row["enough"]:
            return []
        start, end = float(row["value"]), self._bound(name, way)
        if (end - start) * (1 if way == "lift" else -1) <= 0:
            return []
        needed = None
        for _ in range(ROUNDS):
            points = np.linspace(start, end, GRID + 1)[1:]
            trials = [
                _Trial(name, float(p), float(row["precision"]), int(row["n"]), True) for p in points
            ]
            moved = [g > now if way == "lift" else g < now for g in self.grades(trials)]
            if not any(moved):
                break
            first = moved.index(True)
            needed, start = float(points[first]), float(points[first - 1]) if first else start
            end = needed
        if needed is None:
            return []
        value = float(row["value"])
        return [Change(way, name, value, needed, None, self._effort(name, row, needed))]

    def records(self, name: Criterion, row: pd.Series, way: Direction, now: int) -> list[Change]:
        """The fewest further records at the agent's present level that are enough."""
        if name in ("tenure", "initiative") or not np.isfinite(row["strength"]):
            return []
        n, strength, usual = float(row["n"]), float(row["strength"]), float(row["usual"])
        value = float(row["value"])
        low, high = self._range(name)
        level = float(np.clip(value + (value - usual) * strength / n, low, high))
        more = sorted({*range(1, 101), *np.geomspace(100, MOST_RECORDS, 60).astype(int).tolist()})
        trials = [
            _Trial(
                name,
                (value * (n + strength) + level * m) / (n + strength + m),
                float(row["precision"]) * (n + strength + m) / (n + strength),
                int(n) + m,
                n + m >= self.policy.criteria[name].minimum_evidence,
            )
            for m in more
        ]
        moved = [grade > now for grade in self.grades(trials)]
        if not any(moved):
            return []
        first = moved.index(True)
        trial = trials[first]
        effort = float(np.sqrt(more[first] / (n + strength)))
        return [Change(way, name, value, trial.value, more[first], effort)]

    def _range(self, name: Criterion) -> tuple[float, float]:
        if FAMILIES[name] == "share":
            return 0.0, 1.0
        return {
            "quality": (self.policy.reviews.lowest, self.policy.reviews.highest),
            "initiative": (0.0, self.policy.contributions.cap_per_month),
        }.get(name, (0.0, MOST_MONTHS))

    def _bound(self, name: Criterion, way: Direction) -> float:
        low, high = self._range(name)
        return high if way == "lift" else low

    def _effort(self, name: Criterion, row: pd.Series, needed: float) -> float:
        value = float(row["value"])
        if FAMILIES[name] == "exact":
            return abs(needed - value)  # one month of service counts like one standard error
        spread = 1 / np.sqrt(float(row["precision"]))
        if FAMILIES[name] == "share":
            spread *= np.sqrt(value * (1 - value))
        return float(abs(needed - value) / max(spread, 1e-9))
