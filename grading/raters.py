"""Do reviewers agree, and how severe is each of them?

Agreement: Krippendorff's alpha (any number of reviewers, gaps allowed), intraclass correlation,
Cohen's and Fleiss' kappa. Severity: additive effects of reviewers, shrunk like everything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from grading.estimate import NoiseGuess, ScorePrior, StrengthGuess, fit_score_prior, reliability

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
Level = Literal["nominal", "ordinal", "interval", "ratio"]


def krippendorff_alpha(ratings: ArrayLike, level: Level = "interval") -> float:
    """Krippendorff's alpha: 1 is perfect agreement, 0 what chance gives.

    Parameters
    ----------
    ratings : array of shape (raters, units)
        NaN where a rater did not rate. Units with fewer than two ratings are left out.
    level : {"nominal", "ordinal", "interval", "ratio"}
        How far apart two values are.

    Returns
    -------
    float
        NaN when there is nothing to compare or all values are equal.

    Source: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability".
    """
    table = np.asarray(ratings, dtype=float)
    table = table[:, (~np.isnan(table)).sum(axis=0) >= 2]
    raters, units = np.nonzero(~np.isnan(table))
    return alpha_of(units, table[raters, units], level)


def alpha_of(unit: ArrayLike, value: ArrayLike, level: Level = "interval") -> float:
    """Krippendorff's alpha of a long list: one entry per rating, naming its unit.

    Interval data are summed without a table of coincidences, so that a million distinct scores
    are no burden.
    """
    codes = np.unique(np.asarray(unit), return_inverse=True)[1]
    values = np.asarray(value, dtype=float)
    size = np.bincount(codes)[codes].astype(float) if len(codes) else np.zeros(0)
    codes, values, size = codes[size >= 2], values[size >= 2], size[size >= 2]
    total = len(values)
    if total < 2:
        return float("nan")
    if level == "interval":
        observed, expected = _interval_disagreement(codes, values, size)
    else:
        observed, expected = _coincidence_disagreement(codes, values, level)
    if expected <= 0:
        return float("nan")
    return float(1 - (total - 1) * observed / expected)


def _interval_disagreement(codes: Codes, values: Array, size: Array) -> tuple[float, float]:
    """Σ over pairs within units / (m − 1), and Σ over all pairs, of squared differences."""
    centred = values - values.mean()
    mean = np.bincount(codes, centred) / np.maximum(np.bincount(codes), 1)
    inside = (centred - mean[codes]) ** 2
    # Σ over ordered pairs of (x − y)² = 2·m·Σ(x − mean)²
    return float(np.sum(2 * size * inside / (size - 1))), float(
        2 * len(values) * np.sum(centred**2)
    )


def _coincidence_disagreement(codes: Codes, values: Array, level: Level) -> tuple[float, float]:
    levels, index = np.unique(values, return_inverse=True)
    counts = np.zeros((int(codes.max()) + 1, len(levels)))
    np.add.at(counts, (codes, index), 1)
    counts = counts[counts.sum(axis=1) > 0]
    weight = 1 / (counts.sum(axis=1) - 1)
    together = (counts.T * weight) @ counts - np.diag(weight @ counts)
    often = together.sum(axis=1)
    distance = _distance(levels, often, level)
    return float(np.sum(together * distance)), float(often @ distance @ often)


def _distance(levels: Array, often: Array, level: Level) -> Array:
    if level == "nominal":
        return 1.0 - np.eye(len(levels))
    if level == "ordinal":
        upto = np.cumsum(often) - often / 2  # ranks between c and k, the ends counted half
        return np.asarray((upto[:, None] - upto[None, :]) ** 2)
    one, other = levels[:, None], levels[None, :]
    if level == "ratio":
        both = np.where(one + other == 0, 1.0, one + other)
        return np.asarray(((one - other) / both) ** 2)
    return np.asarray((one - other) ** 2)


@dataclass(frozen=True, slots=True)
class IntraclassCorrelations:
    """Shrout & Fleiss's six forms; ``icc2k`` is the mean of k random raters, absolute agreement."""

    icc11: float
    icc21: float
    icc31: float
    icc1k: float
    icc2k: float
    icc3k: float


def intraclass_correlations(scores: ArrayLike) -> IntraclassCorrelations:
    """Intraclass correlations of a complete table of shape (targets, raters).

    Source: Shrout & Fleiss 1979, Psychol. Bull. 86:420.
    """
    x = np.asarray(scores, dtype=float)
    n, k = x.shape
    if n < 2 or k < 2 or np.isnan(x).any():
        raise ValueError("at least two targets and two raters, without gaps, are needed")
    rows, columns, grand = x.mean(axis=1), x.mean(axis=0), x.mean()
    between = k * np.sum((rows - grand) ** 2) / (n - 1)
    raters = n * np.sum((columns - grand) ** 2) / (k - 1)
    within = np.sum((x - rows[:, None]) ** 2) / (n * (k - 1))
    rest = np.sum((x - rows[:, None] - columns + grand) ** 2) / ((n - 1) * (k - 1))

    def ratio(top: float, bottom: float) -> float:
        return float(top / bottom) if bottom else float("nan")

    return IntraclassCorrelations(
        icc11=ratio(between - within, between + (k - 1) * within),
        icc21=ratio(between - rest, between + (k - 1) * rest + k * (raters - rest) / n),
        icc31=ratio(between - rest, between + (k - 1) * rest),
        icc1k=ratio(between - within, between),
        icc2k=ratio(between - rest, between + (raters - rest) / n),
        icc3k=ratio(between - rest, between),
    )


@dataclass(frozen=True, slots=True)
class Kappa:
    """Agreement of two raters beyond chance, its standard error and interval."""

    value: float
    error: float
    low: float
    high: float


def cohen_kappa(
    table: ArrayLike,
    weights: Literal["none", "linear", "quadratic"] = "none",
    confidence: float = 0.95,
) -> Kappa:
    """Cohen's kappa of a square table of counts (first rater × second rater).

    With weights, two grades apart is worse than one. Source: Cohen 1968, Psychol. Bull. 70:213;
    error: Fleiss, Cohen & Everitt 1969, Psychol. Bull. 72:323.
    """
    counts = np.asarray(table, dtype=float)
    total = counts.sum()
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or total <= 0:
        raise ValueError("a square table of counts that are not all zero is needed")
    share = counts / total
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    apart = np.abs(np.subtract.outer(np.arange(len(rows)), np.arange(len(rows)))).astype(float)
    far = max(len(rows) - 1, 1)
    weight = {
        "none": np.eye(len(rows)),
        "linear": 1 - apart / far,
        "quadratic": 1 - (apart / far) ** 2,
    }[weights]
    observed, chance = float(np.sum(weight * share)), float(rows @ weight @ columns)
    if chance >= 1:
        return Kappa(float("nan"), float("nan"), float("nan"), float("nan"))
    value = (observed - chance) / (1 - chance)
    mean_weight = (weight @ columns)[:, None] + (rows @ weight)[None, :]
    spread = np.sum(share * (weight - mean_weight * (1 - value)) ** 2)
    spread -= (value - chance * (1 - value)) ** 2
    error = float(np.sqrt(max(spread, 0.0) / total) / (1 - chance))
    half = float(ndtri(0.5 + confidence / 2)) * error
    return Kappa(value, error, value - half, value + half)


def fleiss_kappa(counts: ArrayLike) -> float:
    """Fleiss' kappa of counts of shape (units, categories), equally many ratings per unit.

    Source: Fleiss 1971, Psychol. Bull. 76:378.
    """
    table = np.asarray(counts, dtype=float)
    ratings = table.sum(axis=1)
    if len(table) == 0 or ratings[0] < 2 or np.any(ratings != ratings[0]):
        raise ValueError("every unit needs the same number of ratings, at least two")
    m = ratings[0]
    observed = float(np.mean((np.sum(table**2, axis=1) - m) / (m * (m - 1))))
    share = table.sum(axis=0) / table.sum()
    chance = float(np.sum(share**2))
    return (observed - chance) / (1 - chance) if chance < 1 else float("nan")


@dataclass(frozen=True, slots=True)
class Severity:
    """Scores with the effects of reviewers and forms taken out.

    Parameters
    ----------
    corrected : array of shape (reviews,)
        Score minus the effects of its reviewer and form.
    effects : mapping of factor to mapping of level to points
        Positive: gives more than colleagues do for the same work.
    prior : ScorePrior
        Of the agents' true scores.
    """

    corrected: Array
    effects: dict[str, dict[str, float]]
    prior: ScorePrior


def correct_severity(
    scores: Array,
    agent: Codes,
    factors: pd.DataFrame,
    guess: StrengthGuess,
    noise: NoiseGuess,
) -> Severity:
    """Split scores into agent, reviewer, form and chance, each shrunk.

    Parameters
    ----------
    scores : array of shape (reviews,), points
    agent : array of shape (reviews,), whole numbers
    factors : frame of shape (reviews, factors); a missing level counts as one more level

    Backfitting of a model with crossed random effects (Henderson 1953, Biometrics 9:226). Where
    each team has a reviewer of its own, team and reviewer cannot be told apart, and most of the
    difference is put down to the reviewer.
    """
    parts = {}
    for name in factors.columns:
        levels = factors[name].astype("string").fillna("")
        codes, names = pd.factorize(levels, sort=True)
        if len(names) > 1:
            parts[str(name)] = (codes.astype(np.int64), [str(level) for level in names])
    effects = {name: np.zeros(len(names)) for name, (_, names) in parts.items()}
    corrected = scores.astype(float)
    prior = _group_prior(corrected, agent, guess, noise)
    for _ in range(60 if parts else 0):
        before = np.concatenate(list(effects.values()))
        own = _shrunk(corrected, agent, prior)[agent]
        for name, (codes, _) in parts.items():
            others = sum((effects[o][parts[o][0]] for o in parts if o != name), np.zeros(1))
            rest = scores - own - others
            found = _group_prior(rest, codes, guess, noise)
            effect = _shrunk(rest, codes, found) - found.mean
            effects[name] = effect - np.average(effect, weights=np.bincount(codes))
        corrected = scores - sum((effects[name][parts[name][0]] for name in parts), np.zeros(1))
        prior = _group_prior(corrected, agent, guess, noise)
        if np.max(np.abs(np.concatenate(list(effects.values())) - before)) < 1e-7:
            break
    named = {
        name: {level: round(float(e), 9) for level, e in zip(names, effects[name], strict=True)}
        for name, (_, names) in parts.items()
    }
    return Severity(np.round(corrected, 9), named, prior)


def _group_prior(
    values: Array, group: Codes, guess: StrengthGuess, noise: NoiseGuess
) -> ScorePrior:
    n = np.bincount(group)
    mean = np.bincount(group, values) / np.maximum(n, 1)
    within = float(np.sum((values - mean[group]) ** 2))
    return fit_score_prior(n, mean, within, guess, noise)


def _shrunk(values: Array, group: Codes, prior: ScorePrior) -> Array:
    n = np.bincount(group)
    mean = np.bincount(group, values) / np.maximum(n, 1)
    return np.asarray(prior.mean + reliability(n, prior.strength) * (mean - prior.mean))
