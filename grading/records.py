"""What goes into the grading kernel: data frames with a fixed meaning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from grading.errors import GradingError
from grading.policy import GradePolicy


@dataclass(frozen=True, slots=True)
class Records:
    """What the desk knows, as data frames. Further columns are ignored.

    Parameters
    ----------
    agents : frame
        ``agent_id`` (unique), ``hired_on`` (datetime, may be missing), ``break_days`` (days of
        service not counted). Only the first is required.
    cases : frame, optional
        ``agent_id``; ``on`` (datetime: when it was resolved, or opened while unresolved);
        ``resolved``, ``independent``, ``reopened``, ``handed_up`` (passed to a higher tier
        because the rules ask for it; booleans or missing); ``reopened_after_days``;
        ``satisfaction`` (survey score or missing); ``tier``; and the policy's case-mix factors.
    reviews : frame, optional
        ``agent_id``, ``score``; ``on``, ``reviewer``, ``form``, ``case_id``.
    contributions : frame, optional
        ``agent_id``; ``on``, ``kind``, ``points``.
    """

    agents: pd.DataFrame
    cases: pd.DataFrame | None = None
    reviews: pd.DataFrame | None = None
    contributions: pd.DataFrame | None = None


def check_records(records: Records, policy: GradePolicy) -> None:
    """Refuse frames that lack a column or hold a score off its scale, all faults at once."""
    faults = []
    required = {
        "agents": ("agent_id",),
        "cases": ("agent_id",),
        "reviews": ("agent_id", "score"),
        "contributions": ("agent_id",),
    }
    for name, columns in required.items():
        frame: pd.DataFrame | None = getattr(records, name)
        if frame is not None:
            faults += [f"{name}: column {c} is missing" for c in columns if c not in frame]
    if not faults and records.agents["agent_id"].duplicated().any():
        faults.append("agents: an agent_id occurs twice")
    for frame, column, low, high in (
        (records.cases, "satisfaction", policy.surveys.lowest, policy.surveys.highest),
        (records.reviews, "score", policy.reviews.lowest, policy.reviews.highest),
    ):
        if (
            frame is not None
            and column in frame
            and ((frame[column] < low) | (frame[column] > high)).any()
        ):
            faults.append(f"{column}: must lie between {low:g} and {high:g}")
    if faults:
        raise GradingError("\n".join(faults))


def codes_of(ids: pd.Series, agents: pd.Index) -> NDArray[np.int64]:
    """Place of every id among the agents, −1 for strangers."""
    if isinstance(ids.dtype, pd.CategoricalDtype):
        places = np.append(agents.get_indexer(ids.cat.categories), -1)
        return np.asarray(places[ids.cat.codes.to_numpy()], dtype=np.int64)
    return np.asarray(agents.get_indexer(pd.Index(ids)), dtype=np.int64)


def known_as_numbers(column: pd.Series) -> NDArray[np.float64]:
    """Booleans as 1 and 0, missing as NaN."""
    if column.dtype == bool:
        return np.asarray(column.to_numpy(), dtype=float)
    return np.asarray(column.astype("boolean").to_numpy(dtype=float, na_value=np.nan))
