"""Do the reviewers of quality agree? From the cases that two of them scored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from grading.policy import GradePolicy
from grading.raters import (
    Kappa,
    alpha_of,
    cohen_kappa,
    correct_severity,
    intraclass_correlations,
)

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far reviewers agree, on scores corrected for their severity.

    Parameters
    ----------
    twice : int
        Cases that several reviewers scored.
    alpha : float
        Krippendorff's alpha over them (interval); NaN where there is nothing to compare.
    icc : float
        Of the first two scores of a case, one-way (the pair of reviewers differs from case to
        case): how far one score stands for another's.
    kappa : Kappa or None
        Quadratically weighted, on the bands that the quality profiles cut (below senior, senior,
        expert); None where there is nothing to compare.
    severity : mapping of reviewer to points
        Positive: gives more than colleagues do for like work.
    """

    twice: int
    alpha: float
    icc: float
    kappa: Kappa | None
    severity: dict[str, float]


def calibrate(reviews: pd.DataFrame, policy: GradePolicy) -> Calibration:
    """Agreement and severity of reviewers.

    Parameters
    ----------
    reviews : frame
        ``agent_id``, ``score``, ``reviewer``; ``case_id`` and ``form`` where known.
    """
    if not len(reviews):
        return Calibration(0, float("nan"), float("nan"), None, {})
    rules, samples = policy.reviews, policy.small_samples
    factors = [name for name in ("reviewer", "form") if name in reviews]
    found = correct_severity(
        reviews["score"].to_numpy(dtype=float),
        np.unique(reviews["agent_id"].astype(str), return_inverse=True)[1],
        reviews[factors],
        samples.scores,
        samples.noise(rules.highest - rules.lowest),
    )
    unit, scores = scored_together(reviews.assign(agent=reviews["agent_id"]), found.corrected)
    pairs = _pairs(unit, scores)
    return Calibration(
        twice=_twice(unit),
        alpha=alpha_of(unit, scores, "interval"),
        icc=intraclass_correlations(pairs).icc11 if len(pairs) > 1 else float("nan"),
        kappa=_banded(pairs, policy) if len(pairs) else None,
        severity=found.effects.get("reviewer", {}),
    )


def scored_together(reviews: pd.DataFrame, corrected: Array) -> tuple[Codes, Array]:
    """Corrected scores of named cases, one per reviewer, and which case each is of.

    `reviews` has ``agent``, ``case_id`` and ``reviewer``; without the latter two nothing is known.
    """
    if not {"case_id", "reviewer"} <= set(reviews.columns):
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    named = reviews["case_id"].notna() & (reviews["case_id"].astype(str) != "")
    rows = reviews[named].assign(corrected=corrected[named.to_numpy()])
    rows = rows.drop_duplicates(["agent", "case_id", "reviewer"])
    unit = rows.groupby(["agent", "case_id"], sort=True).ngroup()
    return np.asarray(unit, dtype=np.int64), np.asarray(rows["corrected"], dtype=float)


def agreement(reviews: pd.DataFrame, corrected: Array) -> tuple[int, float]:
    """How many cases were scored by several, and alpha over them."""
    unit, scores = scored_together(reviews, corrected)
    return _twice(unit), alpha_of(unit, scores, "interval")


def _twice(unit: Codes) -> int:
    return int(np.sum(np.bincount(unit) >= 2)) if len(unit) else 0


def _pairs(unit: Codes, scores: Array) -> Array:
    """The first two scores of every case that has two, of shape (cases, 2)."""
    order = np.argsort(unit, kind="stable")
    unit, scores = unit[order], scores[order]
    first = np.flatnonzero(np.r_[True, unit[1:] != unit[:-1]]) if len(unit) else np.zeros(0, int)
    size = np.diff(np.r_[first, len(unit)])
    start = first[size >= 2]
    return np.column_stack([scores[start], scores[start + 1]])


def _banded(pairs: Array, policy: GradePolicy) -> Kappa | None:
    entry = policy.criteria["quality"].entry
    if entry.senior is None or entry.expert is None:
        return None
    band = np.searchsorted([entry.senior, entry.expert], pairs, side="right")
    table = np.zeros((3, 3))
    np.add.at(table, (band[:, 0], band[:, 1]), 1)
    return cohen_kappa(table, "quadratic")
