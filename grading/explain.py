"""Why this grade, from the numbers that decided, and what would change it.

`explain` looks at one agent, `explain_many` at many at once; `grading.wording` says it in English
or Chinese.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from grading.assess import Assessments, propose, verdict
from grading.deserve import Side, probability_of, profile
from grading.errors import GradingError
from grading.evidence import FAMILIES, Evidence
from grading.policy import CRITERIA, GRADES, UPPER, Criterion, Grade, GradePolicy

Direction = Literal["lift", "drop"]
GRID = 48
ROUNDS = 3
MOST_RECORDS = 5000
MOST_MONTHS = 600.0
MORE = np.unique([*range(1, 101), *np.geomspace(100, MOST_RECORDS, 60).astype(int)])
CHUNK = 256  # agents whose what-ifs are tried together

Flags = NDArray[np.bool_]


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
    changes = _changes(some, policy, rows, _held(agent_ids, history))
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
    return _taken(evidence, evidence.agents.get_indexer(pd.Index(agents)))


def _taken(evidence: Evidence, places: NDArray[np.int64]) -> Evidence:
    frames = {
        name: frame.iloc[places].reset_index(drop=True) for name, frame in evidence.criteria.items()
    }
    return Evidence(pd.RangeIndex(len(places)), frames, evidence.notices, evidence.effects)


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
    limits = {
        "below_floor": rule.floor.of(grade) if side == "entry" else None,
        "vetoed": rule.veto.of(grade),
    }
    chances = {
        limit: some.at_least(name, limit)
        for limit in {usual, *limits.values()}
        if limit is not None
    }
    words = verdict(some, policy, name, grade, side)
    told = []
    for place, row in enumerate(some.criteria[name].to_dict("records")):
        word = str(words[place])
        limit = limits.get(word, usual)
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
                probability=None if limit is None else _number(chances[limit][place]),
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


def _changes(
    some: Evidence,
    policy: GradePolicy,
    rows: Sequence[Mapping[Hashable, Any]],
    held: pd.DataFrame | None,
) -> list[list[Change]]:
    """Per agent the single changes that move the proposal, nearest first."""
    now = np.array([GRADES.index(row["grade"]) for row in rows], dtype=np.int64)
    present = np.array([GRADES.index(row["present_grade"]) for row in rows], dtype=np.int64)
    tester = _Tester(some, policy, held, now)
    found: list[list[Change]] = [[] for _ in rows]
    for name in CRITERIA:
        seen = some.criteria[name]["n"].to_numpy() > 0
        if policy.criteria[name].weight <= 0:
            continue
        may_rise = np.flatnonzero(seen & (now < np.minimum(present + 1, len(GRADES) - 1)))
        may_fall = np.flatnonzero(seen & (now > np.maximum(present - 1, 0)))
        for changes in (
            tester.values(name, may_rise, "lift"),
            tester.records(name, may_rise),
            tester.values(name, may_fall, "drop"),
        ):
            for place, change in changes.items():
                found[place].append(change)
    return [sorted(each, key=lambda change: (change.effort, change.criterion)) for each in found]


@dataclass(frozen=True, slots=True)
class _Tester:
    """Assesses many what-ifs of many agents at once.

    Parameters
    ----------
    some : Evidence of the agents asked about
    held : what they hold now, row by row like the evidence
    now : array of shape (agents,)
        Rank of the proposed grade.
    """

    some: Evidence
    policy: GradePolicy
    held: pd.DataFrame | None
    now: NDArray[np.int64]

    def _moved(
        self, name: Criterion, places: NDArray[np.int64], way: Direction, **given: NDArray[Any]
    ) -> Flags:
        """Whether the grade moves this way, of shape (places, trials) like the columns given."""
        shape = np.broadcast_shapes(*(column.shape for column in given.values()))
        owner = np.repeat(places, shape[1])
        copies = _taken(self.some, owner)
        frame = copies.criteria[name].assign(
            **{column: np.broadcast_to(cells, shape).ravel() for column, cells in given.items()}
        )
        whole = Evidence(copies.agents, copies.criteria | {name: frame}, (), {})
        history = None
        if self.held is not None:
            history = self.held.iloc[owner].assign(agent_id=np.arange(len(owner)))
        proposed = propose(whole, self.policy, history)["grade"]
        rank = proposed.map(GRADES.index).to_numpy(dtype=np.int64).reshape(shape)
        now = self.now[places][:, None]
        return np.asarray(rank > now if way == "lift" else rank < now)

    def values(
        self, name: Criterion, places: NDArray[np.int64], way: Direction
    ) -> dict[int, Change]:
        """Per agent the smallest change of the value that is enough, by narrowing a grid."""
        frame = self.some.criteria[name]
        bound = self._range(name)[1 if way == "lift" else 0]
        value = frame["value"].to_numpy(dtype=float)
        ahead = (bound - value) * (1 if way == "lift" else -1) > 0
        places = places[frame["enough"].to_numpy(dtype=bool)[places] & ahead[places]]
        start, end = value[places], np.full(len(places), bound)
        for _ in range(ROUNDS):
            if not len(places):
                return {}
            points = np.linspace(start, end, GRID + 1, axis=1)
            moved = self._moved(name, places, way, value=points[:, 1:])
            able = moved.any(axis=1)  # in later rounds everybody: the last point moved before
            places, points = places[able], points[able]
            first = np.argmax(moved[able], axis=1)
            rows = np.arange(len(places))
            start, end = points[rows, first], points[rows, first + 1]
        return {
            place: Change(
                way, name, float(value[place]), float(needed), None,
                self._effort(name, place, float(needed)),
            )
            for place, needed in zip(places.tolist(), end, strict=True)
        }  # fmt: skip

    def records(self, name: Criterion, places: NDArray[np.int64]) -> dict[int, Change]:
        """Per agent the fewest further records at the present level that lift the grade."""
        frame = self.some.criteria[name].iloc[places]
        needed = self.policy.criteria[name].minimum_evidence
        counted = frame["enough"].to_numpy(dtype=bool) | (frame["n"].to_numpy() < needed)
        known = np.isfinite(frame["strength"].to_numpy(dtype=float)) & counted
        if not known.any() or name in ("tenure", "initiative"):
            return {}
        places, frame = places[known], frame[known]
        n, strength, usual, value, precision = (
            frame[column].to_numpy(dtype=float)[:, None]
            for column in ("n", "strength", "usual", "value", "precision")
        )
        level = np.clip(value + (value - usual) * strength / n, *self._range(name))
        values = (value * (n + strength) + level * MORE) / (n + strength + MORE)
        moved = self._moved(
            name, places, "lift",
            value=values,
            precision=precision * (n + strength + MORE) / (n + strength),
            n=n.astype(np.int64) + MORE,
            enough=n + MORE >= needed,
        )  # fmt: skip
        found = {}
        for row in np.flatnonzero(moved.any(axis=1)):
            first = int(np.argmax(moved[row]))
            more = int(MORE[first])
            effort = float(np.sqrt(more / (n[row, 0] + strength[row, 0])))
            now, then = float(value[row, 0]), float(values[row, first])
            found[int(places[row])] = Change("lift", name, now, then, more, effort)
        return found

    def _range(self, name: Criterion) -> tuple[float, float]:
        if FAMILIES[name] == "share":
            return 0.0, 1.0
        return {
            "quality": (self.policy.reviews.lowest, self.policy.reviews.highest),
            "initiative": (0.0, self.policy.contributions.cap_per_month),
        }.get(name, (0.0, MOST_MONTHS))

    def _effort(self, name: Criterion, place: int, needed: float) -> float:
        row = self.some.criteria[name].iloc[place]
        value = float(row["value"])
        if FAMILIES[name] == "exact":
            return abs(needed - value)  # one month of service counts like one standard error
        spread = 1 / np.sqrt(float(row["precision"]))
        if FAMILIES[name] == "share":
            spread *= np.sqrt(value * (1 - value))
        return float(abs(needed - value) / max(spread, 1e-9))
