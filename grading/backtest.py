"""Do grades hold, and do they tell what comes after? Over past cycles, for any policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from grading.assess import Assessments, assess
from grading.evidence import Evidence
from grading.policy import GRADES, Criterion, GradePolicy

OUTCOMES: tuple[Criterion, ...] = ("resolution", "quality", "satisfaction")
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """One cycle against the one before it.

    Parameters
    ----------
    agents : int
        Assessed in both.
    changed, jumped : float
        Shares of them in another grade, and two grades apart.
    foretold : mapping of criterion to share
        Of all pairs of agents whose grades differed before, in how many the higher grade had the
        better raw value afterwards (ties count half): 0.5 is chance, 1 perfect; NaN: no pairs.
    """

    agents: int
    changed: float
    jumped: float
    foretold: dict[Criterion, float]


def back_test(
    evidence: Sequence[Evidence], policy: GradePolicy, start: pd.DataFrame | None = None
) -> tuple[list[Assessments], list[Step]]:
    """Run a policy over the evidence of several cycles, each starting from the grades before.

    Parameters
    ----------
    evidence : oldest first
    start : frame, optional
        ``agent_id`` and ``grade`` held before the first cycle.
    """
    history = start
    found: list[Assessments] = []
    for one in evidence:
        result = assess(one, policy, _known(history, one))
        found.append(result)
        grades = result.table["grade"].rename_axis("agent_id").reset_index()
        if history is None:
            history = grades
        else:
            absent = ~history["agent_id"].isin(grades["agent_id"])
            history = pd.concat([history.loc[absent, ["agent_id", "grade"]], grades])
    steps = [
        _step(before, after, later)
        for before, after, later in zip(found, found[1:], evidence[1:], strict=False)
    ]
    return found, steps


def _known(history: pd.DataFrame | None, evidence: Evidence) -> pd.DataFrame | None:
    """The grades held, of those assessed now."""
    return None if history is None else history[history["agent_id"].isin(evidence.agents)]


def _step(before: Assessments, after: Assessments, later: Evidence) -> Step:
    both = before.table.index.intersection(after.table.index)
    ranks = [
        one.table.loc[both, "grade"].map(GRADES.index).to_numpy(dtype=int)
        for one in (before, after)
    ]
    moved = np.abs(ranks[1] - ranks[0])
    return Step(
        agents=len(both),
        changed=float((moved > 0).mean()) if len(both) else float("nan"),
        jumped=float((moved > 1).mean()) if len(both) else float("nan"),
        foretold={
            name: concordance(ranks[0], later.criteria[name].loc[both, "raw"].to_numpy(float))
            for name in OUTCOMES
        },
    )


def concordance(rank: NDArray[np.int64], outcome: Array) -> float:
    """Share of pairs of different rank in which the higher one has the better outcome.

    Source: Harrell's C without censoring; for two ranks the area under the ROC curve (Hanley &
    McNeil 1982, Radiology 143:29).
    """
    known = ~np.isnan(outcome)
    rank, outcome = rank[known], outcome[known]
    won, pairs = 0.0, 0
    for low in np.unique(rank):
        below = np.sort(outcome[rank == low])
        above = outcome[rank > low]
        fewer = np.searchsorted(below, above, side="left")
        upto = np.searchsorted(below, above, side="right")
        won += float((fewer + (upto - fewer) / 2).sum())
        pairs += len(below) * len(above)
    return won / pairs if pairs else float("nan")
