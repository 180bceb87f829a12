"""Sorting into ordered classes by comparison with profiles.

`majority_sort` (MR-Sort with veto) and `electre_tri_b` take exact values. `assess` runs the same
rules over what is uncertain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Classes = NDArray[np.int64]


def majority_sort(
    values: ArrayLike,
    profiles: ArrayLike,
    weights: ArrayLike,
    majority: float,
    vetoes: ArrayLike | None = None,
) -> Classes:
    """MR-Sort: the highest class whose lower profile is reached by a majority and not vetoed.

    Parameters
    ----------
    values : array of shape (alternatives, criteria)
        Greater is better; negate what is to be small.
    profiles : array of shape (classes − 1, criteria)
        Lower profiles of the classes above the lowest, from low to high.
    weights, majority
        A coalition whose weights sum to `majority` or more is enough.
    vetoes : array of shape (classes − 1, criteria), NaN where there is none
        A value at or below the veto keeps the alternative out of the class.

    Returns
    -------
    array of shape (alternatives,)
        0 is the lowest class.

    Source: Leroy, Mousseau & Pirlot 2011, Algorithmic Decision Theory, LNCS 6992:219.
    """
    x = np.asarray(values, dtype=float)[:, None, :]
    reached = x >= np.asarray(profiles, dtype=float)
    enough = reached @ np.asarray(weights, dtype=float) >= majority - 1e-12
    if vetoes is not None:
        enough &= ~np.any(x <= np.asarray(vetoes, dtype=float), axis=2)
    best = enough.shape[1] - np.argmax(enough[:, ::-1], axis=1)
    return np.where(enough.any(axis=1), best, 0).astype(np.int64)


@dataclass(frozen=True, slots=True)
class PseudoCriteria:
    """Thresholds per criterion: indifference q ≤ preference p ≤ veto v (infinite: no veto)."""

    q: Array
    p: Array
    v: Array


def concordance(one: Array, other: Array, thresholds: PseudoCriteria) -> Array:
    """How far each criterion agrees that `one` is at least as good as `other` (0 … 1)."""
    behind = other - one
    width = np.where(thresholds.p > thresholds.q, thresholds.p - thresholds.q, 1.0)
    partly = np.clip((thresholds.p - behind) / width, 0.0, 1.0)
    return np.asarray(
        np.where(behind <= thresholds.q, 1.0, np.where(behind >= thresholds.p, 0.0, partly))
    )


def credibility(one: Array, other: Array, thresholds: PseudoCriteria, weights: Array) -> Array:
    """How credible it is that `one` outranks `other`; criteria on the last axis of all arrays.

    Source: Mousseau, Słowiński & Zielniewicz 1999, ELECTRE TRI 2.0, LAMSADE document 111.
    """
    agree = concordance(one, other, thresholds)
    total = np.sum(agree * weights, axis=-1) / np.maximum(np.sum(weights, axis=-1), 1e-300)
    behind = other - one
    width = np.where(thresholds.v > thresholds.p, thresholds.v - thresholds.p, 1.0)
    finite = np.isfinite(thresholds.v)
    against = np.where(finite, (behind - thresholds.p) / np.where(finite, width, 1.0), 0.0)
    against = np.where(finite & (thresholds.v <= thresholds.p), behind > thresholds.p, against)
    against = np.clip(against, 0.0, 1.0)
    top = total[..., None]
    factor = np.where(against > top, (1 - against) / np.maximum(1 - top, 1e-300), 1.0)
    return np.asarray(total * np.prod(factor, axis=-1))


def electre_tri_b(
    values: ArrayLike,
    profiles: ArrayLike,
    thresholds: PseudoCriteria,
    weights: ArrayLike,
    cut: float,
    rule: Literal["pessimistic", "optimistic"] = "pessimistic",
) -> Classes:
    """ELECTRE TRI-B with boundary profiles from low to high; 0 is the lowest class.

    The pessimistic rule gives the highest class whose lower profile the alternative *outranks*,
    that is, credibility ≥ `cut`; being indifferent to the profile is enough. (Some programs ask
    for strict preference and so put ties one class lower.) The optimistic rule gives the lowest
    class whose upper profile is strictly preferred to the alternative.
    """
    x = np.asarray(values, dtype=float)[:, None, :]
    b = np.asarray(profiles, dtype=float)[None, :, :]
    w = np.asarray(weights, dtype=float)
    outranks = credibility(x, b, thresholds, w) >= cut - 1e-12
    if rule == "pessimistic":
        best = outranks.shape[1] - np.argmax(outranks[:, ::-1], axis=1)
        return np.where(outranks.any(axis=1), best, 0).astype(np.int64)
    preferred = (credibility(b, x, thresholds, w) >= cut - 1e-12) & ~outranks
    first = np.argmax(preferred, axis=1)
    return np.asarray(np.where(preferred.any(axis=1), first, b.shape[1]), dtype=np.int64)
