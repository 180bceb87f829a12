"""The nearest single changes that would lift or drop a grade, found by trying them.

All what-ifs of many agents are assessed at once, by the very code that proposes grades.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from grading.assess import propose
from grading.evidence import FAMILIES, Evidence
from grading.policy import CRITERIA, GRADES, Criterion, GradePolicy

Direction = Literal["lift", "drop"]
HALVINGS = 17
MOST_RECORDS = 5000
MOST_MONTHS = 600.0
MORE = np.unique([*range(1, 101), *np.geomspace(100, MOST_RECORDS, 60).astype(int)])
STRIDE = 8
STEPS = np.append(MORE[STRIDE - 1 :: STRIDE], MORE[-1])  # tried first, then those before it

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


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


def nearest_changes(
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
        if FAMILIES[name] == "exact":
            may_fall = may_fall[:0]  # months of service only grow
        for changes in (
            tester.values(name, may_rise, "lift"),
            tester.records(name, may_rise),
            tester.values(name, may_fall, "drop"),
        ):
            for place, change in changes.items():
                found[place].append(change)
    return [sorted(each, key=lambda change: (change.effort, change.criterion)) for each in found]


@dataclass(frozen=True, slots=True)
class _Copies:
    """Some agents, each as often as there are trials; `now` of shape (agents, 1)."""

    evidence: Evidence
    history: pd.DataFrame | None
    now: NDArray[np.int64]


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

    def _copies(self, places: NDArray[np.int64], trials: int) -> _Copies:
        owner = np.repeat(places, trials)
        history = None
        if self.held is not None:
            history = self.held.iloc[owner].assign(agent_id=np.arange(len(owner)))
        return _Copies(taken(self.some, owner), history, self.now[places][:, None])

    def _moved(
        self, copies: _Copies, name: Criterion, way: Direction, **given: NDArray[Any]
    ) -> Flags:
        """Whether the grade moves this way, of shape (places, trials) like the columns given."""
        shape = np.broadcast_shapes(*(column.shape for column in given.values()))
        frame = copies.evidence.criteria[name].assign(
            **{column: np.broadcast_to(cells, shape).ravel() for column, cells in given.items()}
        )
        whole = copies.evidence.with_other(name, frame)
        proposed = propose(whole, self.policy, copies.history)["grade"]
        rank = proposed.map(GRADES.index).to_numpy(dtype=np.int64).reshape(shape)
        return np.asarray(rank > copies.now if way == "lift" else rank < copies.now)

    def values(
        self, name: Criterion, places: NDArray[np.int64], way: Direction
    ) -> dict[int, Change]:
        """Per agent the smallest change of the value that is enough, by halving.

        A better value never lowers a grade, so that all changes beyond it are enough too.
        """
        frame = self.some.criteria[name]
        bound = self._range(name)[1 if way == "lift" else 0]
        value = frame["value"].to_numpy(dtype=float)
        ahead = (bound - value) * (1 if way == "lift" else -1) > 0
        places = places[frame["enough"].to_numpy(dtype=bool)[places] & ahead[places]]
        end = np.full((len(places), 1), bound)
        if len(places):
            able = self._moved(self._copies(places, 1), name, way, value=end)[:, 0]
            places, end = places[able], end[able]
        if not len(places):
            return {}
        start, copies = value[places][:, None], self._copies(places, 1)
        for _ in range(HALVINGS):
            middle = (start + end) / 2
            moved = self._moved(copies, name, way, value=middle)
            start, end = np.where(moved, start, middle), np.where(moved, middle, end)
        needed = end[:, 0]
        effort = self._effort(name, places, needed)
        columns = (places.tolist(), value[places].tolist(), needed.tolist(), effort.tolist())
        return {
            place: Change(way, name, now, then, None, wide)
            for place, now, then, wide in zip(*columns, strict=True)
        }

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

        def tried(rows: NDArray[np.int64], more: NDArray[np.int64]) -> tuple[Flags, Array]:
            had = n[rows] + strength[rows]
            values = (value[rows] * had + level[rows] * more) / (had + more)
            moved = self._moved(
                self._copies(places[rows], more.shape[1]), name, "lift",
                value=values,
                precision=precision[rows] * (had + more) / had,
                n=n[rows].astype(np.int64) + more,
                enough=n[rows] + more >= needed,
            )  # fmt: skip
            return moved, values

        coarse, _ = tried(np.arange(len(places)), STEPS[None, :])
        rows = np.flatnonzero(coarse.any(axis=1))
        found: dict[int, Change] = {}
        if not len(rows):
            return found
        close = np.argmax(coarse[rows], axis=1)[:, None] * STRIDE + np.arange(STRIDE)
        more = MORE[np.minimum(close, len(MORE) - 1)]
        moved, values = tried(rows, more)
        for at, row in enumerate(rows.tolist()):
            first = int(np.argmax(moved[at]))
            count = int(more[at, first])
            effort = float(np.sqrt(count / (n[row, 0] + strength[row, 0])))
            now, then = float(value[row, 0]), float(values[at, first])
            found[int(places[row])] = Change("lift", name, now, then, count, effort)
        return found

    def _range(self, name: Criterion) -> tuple[float, float]:
        if FAMILIES[name] == "share":
            return 0.0, 1.0
        return {
            "quality": (self.policy.reviews.lowest, self.policy.reviews.highest),
            "initiative": (0.0, self.policy.contributions.cap_per_month),
        }.get(name, (0.0, MOST_MONTHS))

    def _effort(self, name: Criterion, places: NDArray[np.int64], needed: Array) -> Array:
        frame = self.some.criteria[name].iloc[places]
        value = frame["value"].to_numpy(dtype=float)
        wide: Array = np.abs(needed - value)
        if FAMILIES[name] == "exact":
            return wide  # one month of service counts like one standard error
        spread = 1 / np.sqrt(frame["precision"].to_numpy(dtype=float))
        if FAMILIES[name] == "share":
            spread = spread * np.sqrt(value * (1 - value))
        return np.asarray(wide / np.maximum(spread, 1e-9))


def taken(evidence: Evidence, places: NDArray[np.int64]) -> Evidence:
    """Evidence of the agents at these places (a place may be named several times)."""
    frames = {
        name: frame.iloc[places].reset_index(drop=True) for name, frame in evidence.criteria.items()
    }
    return Evidence(pd.RangeIndex(len(places)), frames, evidence.notices, evidence.effects)
