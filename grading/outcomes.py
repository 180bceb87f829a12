"""What became of the cases: which count, which were solved well, and what is shown beside that."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from grading.policy import GradePolicy
from grading.records import known_as_numbers

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
DAYS_PER_MONTH = 365.25 / 12
BESIDE = (
    "handled", "response_rate", "hard_of", "hard_share", "reopened_share", "handed_up",
)  # fmt: skip


def recent(frame: pd.DataFrame, months: int, end: pd.Timestamp) -> pd.DataFrame:
    """Rows of the last `months` months before `end`; all of them for 0, or without dates."""
    if not months or "on" not in frame:
        return frame
    age = (end - frame["on"].dt.normalize()).dt.days / DAYS_PER_MONTH
    kept: pd.DataFrame = frame[~(age >= months).to_numpy()]
    return kept


def solved(cases: pd.DataFrame, policy: GradePolicy) -> tuple[Flags, Flags]:
    """Which cases count towards resolution, and which of all were solved as the policy defines.

    A part that is not known of a case is not held against anyone.
    """
    definition = policy.criteria["resolution"].definition
    resolved, independent, reopened = (
        _known(cases, name) for name in ("resolved", "independent", "reopened")
    )
    counted = ~np.isnan(resolved if "resolved" in cases else independent)
    if "handed_up_by_rule" in definition.exclusions:
        counted &= ~_handed_up(cases)
    failed = np.zeros(len(cases), dtype=bool)
    for part, against in (
        ("resolved", resolved == 0),
        ("independent", independent == 0),
        ("not_reopened", (reopened == 1) & ~_came_back_late(cases, policy)),
    ):
        if part in definition.numerator:
            failed |= against
    return counted, ~failed


def beside(cases: pd.DataFrame | None, size: int, policy: GradePolicy) -> dict[str, Array]:
    """Figures per agent that are shown beside the criteria and decide nothing; NaN: unknown.

    ``handled`` closed cases; ``response_rate`` share of them whose customer answered a survey;
    ``hard_share`` share of the ``hard_of`` cases of known difficulty that were hard;
    ``reopened_share`` share of closed cases reopened in time to count; ``handed_up`` cases passed
    up as the rules ask.
    """
    found = {name: np.full(size, np.nan) for name in BESIDE}
    if cases is None or not len(cases):
        return found
    agent = cases["agent"].to_numpy()

    def count(rows: Flags) -> Array:
        return np.asarray(np.bincount(agent[rows], minlength=size), dtype=float)

    def share(rows: Flags, among: Flags) -> Array:
        whole = count(among)
        return np.where(whole > 0, count(rows & among) / np.maximum(whole, 1), np.nan)

    closed = ~np.isnan(_known(cases, "resolved"))
    if closed.any():
        found["handled"] = count(closed)
        reopened = _known(cases, "reopened")
        back = (reopened == 1) & ~_came_back_late(cases, policy)
        found["reopened_share"] = share(back, closed & ~np.isnan(reopened))
        if "satisfaction" in cases:
            found["response_rate"] = share(cases["satisfaction"].notna().to_numpy(), closed)
    hard, graded = _hard(cases, policy)
    if graded.any():
        found["hard_of"], found["hard_share"] = count(graded), share(hard, graded)
    if "handed_up" in cases:
        found["handed_up"] = count(_handed_up(cases))
    return found


def _known(cases: pd.DataFrame, name: str) -> Array:
    return known_as_numbers(cases[name]) if name in cases else np.full(len(cases), np.nan)


def _handed_up(cases: pd.DataFrame) -> Flags:
    return np.asarray(_known(cases, "handed_up") == 1)


def _came_back_late(cases: pd.DataFrame, policy: GradePolicy) -> Flags:
    if "reopened_after_days" not in cases:
        return np.zeros(len(cases), dtype=bool)
    days = cases["reopened_after_days"].to_numpy(dtype=float)
    return np.asarray(days > policy.resolution.reopened_within_days)


def _hard(cases: pd.DataFrame, policy: GradePolicy) -> tuple[Flags, Flags]:
    """Which cases are hard, and of which it can be said at all."""
    rules, size = policy.resolution, len(cases)
    hard, known = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    if "difficulty" in cases:
        difficulty = pd.to_numeric(cases["difficulty"], errors="coerce").to_numpy(dtype=float)
        hard |= difficulty >= rules.hard_from
        known |= ~np.isnan(difficulty)
    if "tier" in cases:
        tier = cases["tier"].astype(object)
        hard |= tier.isin(rules.hard_tiers).to_numpy()
        known |= (tier.notna() & (tier != "")).to_numpy()
    return hard, known
