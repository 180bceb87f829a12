"""Confidence limits for shares, and the funnel they make."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri
from scipy.stats import binom

Array = NDArray[np.float64]
Limits = tuple[Array, Array]


def _counts(successes: ArrayLike, trials: ArrayLike) -> tuple[Array, Array]:
    k, n = np.asarray(successes, dtype=float), np.asarray(trials, dtype=float)
    if np.any(k < 0) or np.any(k > n):
        raise ValueError("successes must lie between 0 and trials")
    return k, n


def wilson(successes: ArrayLike, trials: ArrayLike, confidence: float = 0.95) -> Limits:
    """Score interval of a share; (0, 1) where there is no trial.

    Source: Wilson 1927, J. Am. Stat. Assoc. 22:209; recommended by Newcombe 1998, Stat. Med. 17:857
    (method 3).
    """
    k, n = _counts(successes, trials)
    z = float(ndtri(0.5 + confidence / 2))
    size = np.where(n > 0, n, 1.0)
    share = k / size
    centre = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z * np.sqrt(share * (1 - share) / size + z**2 / (4 * size**2)) / (1 + z**2 / size)
    # the formula leaves rounding dust at the ends, where the limits are exact
    low = np.where(k == 0, 0.0, np.maximum(centre - half, 0.0))
    high = np.where(k == n, 1.0, np.minimum(centre + half, 1.0))
    return low, high


def clopper_pearson(successes: ArrayLike, trials: ArrayLike, confidence: float = 0.95) -> Limits:
    """Exact interval of a share. Source: Clopper & Pearson 1934, Biometrika 26:404."""
    k, n = _counts(successes, trials)
    tail = (1 - confidence) / 2
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), n - k + 1, tail), 0.0)
    high = np.where(k < n, betaincinv(k + 1, np.maximum(n - k, 1), 1 - tail), 1.0)
    return low, high


def jeffreys(successes: ArrayLike, trials: ArrayLike, confidence: float = 0.95) -> Limits:
    """Equal-tailed interval under the Beta(½, ½) prior.

    Source: Brown, Cai & DasGupta 2001, Stat. Sci. 16:101 (without their change at the ends).
    """
    k, n = _counts(successes, trials)
    tail = (1 - confidence) / 2
    low = betaincinv(k + 0.5, n - k + 0.5, tail)
    high = betaincinv(k + 0.5, n - k + 0.5, 1 - tail)
    return np.asarray(low, dtype=float), np.asarray(high, dtype=float)


def funnel(trials: ArrayLike, share: float, coverage: float = 0.998) -> Limits:
    """Counts outside which an agent with this many trials differs from `share`, exactly.

    Returns
    -------
    low, high : array of counts
        A count below `low` or above `high` has a probability of at most (1 − coverage)/2 on its
        side when the agent's true share is `share`. Source: Spiegelhalter 2005, Stat. Med. 24:1185
        (funnel plots), with binomial instead of approximate limits.
    """
    n = np.asarray(trials)
    tail = (1 - coverage) / 2
    low = binom.ppf(tail, n, share)  # smallest count whose lower tail exceeds the limit
    high = binom.isf(tail, n, share)
    return np.asarray(low, dtype=float), np.asarray(high, dtype=float)
