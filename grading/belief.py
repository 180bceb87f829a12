"""What is believed of one true value, given its estimate and precision."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv, ndtr, ndtri

Array = NDArray[np.float64]
Family = Literal["exact", "share", "score"]


def probability_at_least(family: Family, value: Array, precision: Array, limit: float) -> Array:
    """Probability that a quantity known as (value, precision) is at least `limit`.

    Shares follow a Beta(value·precision, (1 − value)·precision) distribution, which rises with
    value in the strongest sense, so that a better value never makes a limit less likely.
    """
    if family == "exact":
        return np.where(np.isnan(value), np.nan, (value >= limit).astype(float))
    if family == "score":
        return np.asarray(ndtr((value - limit) * np.sqrt(precision)), dtype=float)
    if limit <= 0 or limit >= 1:
        return np.where(np.isnan(value), np.nan, 1.0 if limit <= 0 else 0.0)
    middle = np.clip(value, 1e-9, 1 - 1e-9)
    return np.asarray(1 - betainc(middle * precision, (1 - middle) * precision, limit))


def quantile(family: Family, value: Array, precision: Array, probability: float | Array) -> Array:
    """Value below which the true value lies with this probability."""
    if family == "exact":
        return value
    if family == "score":
        return np.asarray(value + ndtri(probability) / np.sqrt(precision), dtype=float)
    middle = np.clip(value, 1e-9, 1 - 1e-9)
    return np.asarray(betaincinv(middle * precision, (1 - middle) * precision, probability))
