"""What few records say: estimates shrunk towards what is usual among the agents.

An agent with seven perfect surveys is not known to be perfect. The spread between agents is
estimated from all of them (empirical Bayes), and every agent's own figure is drawn towards the
common one as far as its few records leave room: ``reliability = n / (n + strength)``.

A desk of three agents says little about the spread between agents. A `StrengthGuess` (policy data)
then stands in for it, and fades as agents are added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, minimize, root
from scipy.special import betaln, digamma, expit, logit, logsumexp, xlog1py, xlogy

Array = NDArray[np.float64]
STRENGTH_BOUNDS = (0.05, 1e6)
EQUAL = 30.0  # logarithm of a strength at which agents do not differ at all
LEAST_VARIANCE = 1e-12
SIGNIFICANT_DECIMALS = 9  # of fitted numbers: hides the last bits, which depend on row order


@dataclass(frozen=True, slots=True)
class StrengthGuess:
    """What is believed of the prior strength before the agents are seen.

    Parameters
    ----------
    strength : float
        In records: an agent with this many records has a reliability of one half.
    spread : float
        Standard deviation of its natural logarithm; the larger, the sooner data take over.
    """

    strength: float
    spread: float

    def penalty(self, log_strength: float) -> tuple[float, float]:
        """Half the squared distance from the guess, and its slope."""
        distance = (log_strength - np.log(self.strength)) / self.spread
        return float(distance**2 / 2), float(distance / self.spread)

    def alike_odds(self, likelihood: Callable[[float], float], alike: float) -> float:
        """Bayes factor of "all agents are equal" against "they differ as guessed".

        Parameters
        ----------
        likelihood : logarithm of it at a logarithm of the strength
        alike : the same with no difference between agents at all

        Source: Kass & Raftery 1995, J. Am. Stat. Assoc. 90:773.
        """
        low, high = STRENGTH_BOUNDS
        points = np.linspace(np.log(low), np.log(high), 40)
        believed = -np.array([self.penalty(float(point))[0] for point in points])
        seen = np.array([likelihood(float(point)) for point in points])
        differ = logsumexp(believed + seen) - logsumexp(believed)
        return float(np.exp(np.clip(alike - differ, -700, 700)))


@dataclass(frozen=True, slots=True)
class NoiseGuess:
    """What is believed of the variance of one record, as if seen in `weight` earlier records.

    Equal scores do not prove certainty, and a single score proves nothing of its own variance.
    """

    variance: float
    weight: float


@dataclass(frozen=True, slots=True)
class SharePrior:
    """Beta distribution of the agents' true shares: mean, strength = α + β in records.

    `mean_variance` is the uncertainty of the mean itself, on the logit scale; `alike_odds` how much
    likelier the records are when all agents are equal than when they differ as was guessed.
    """

    mean: float
    strength: float
    mean_variance: float
    alike_odds: float = 0.0

    @property
    def alpha(self) -> float:
        return self.mean * self.strength

    @property
    def beta(self) -> float:
        return (1 - self.mean) * self.strength


@dataclass(frozen=True, slots=True)
class ScorePrior:
    """Normal distribution of the agents' true scores.

    `noise` is the variance of one record about its agent's true score, `strength` the ratio of
    that to the variance between agents (in records), `mean_variance` the uncertainty of the mean,
    `alike_odds` as for shares.
    """

    mean: float
    strength: float
    noise: float
    mean_variance: float
    alike_odds: float = 0.0


def fit_share_prior(
    successes: ArrayLike,
    trials: ArrayLike,
    shift: ArrayLike = 0.0,
    guess: StrengthGuess | None = None,
) -> SharePrior:
    """Fit the spread of true shares between agents by the beta-binomial likelihood.

    Parameters
    ----------
    successes, trials : array of shape (agents,)
        Counts; agents without trials are left out.
    shift : array of shape (agents,), logits
        How much easier (+) or harder (−) each agent's work is than the standard work; the mean of
        the prior is moved by it.
    guess : StrengthGuess, optional
        Without it the plain maximum of the likelihood is returned (it may lie at a bound).

    Source: Skellam 1948, J. R. Stat. Soc. B 10:257 (beta-binomial); Efron & Morris 1975, J. Am.
    Stat. Assoc. 70:311 (empirical Bayes); Chung et al. 2013, Psychometrika 78:685 (a weak prior
    keeps the estimated spread off its bounds).
    """
    k, n, moved = _canonical(successes, trials, shift)
    if not len(n):
        raise ValueError("no trials at all")
    weak = 0.5 if guess else 0.0

    def loss(point: Array) -> tuple[float, Array]:
        centre, log_strength = float(point[0]), float(point[1])
        strength = np.exp(log_strength)
        mean = expit(centre + moved)
        a, b = strength * mean, strength * (1 - mean)
        value = _beta_binomial(k, n, mean, float(strength))
        total = digamma(n + strength) - digamma(strength)
        by_a = digamma(k + a) - digamma(a) - total
        by_b = digamma(n - k + b) - digamma(b) - total
        slope = np.array(
            [
                np.sum((by_a - by_b) * strength * mean * (1 - mean)),
                np.sum(by_a * a + by_b * b),
            ]
        )
        if guess:
            share = float(expit(centre))
            value += weak * np.log(share * (1 - share))
            far, far_slope = guess.penalty(log_strength)
            value -= far
            slope += [weak * (1 - 2 * share), -far_slope]
        return -float(value), -slope

    def slope_at(point: Array) -> Array:
        return loss(point)[1]

    share = (k.sum() + 0.5) / (n.sum() + 1)
    start = np.array([logit(share) - moved.mean(), np.log(guess.strength if guess else 20.0)])
    low, high = np.log(STRENGTH_BOUNDS)
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[(-20, 20), (low, high)],
        options={"ftol": 1e-14, "gtol": 1e-8, "maxiter": 200},
    )  # fmt: skip
    point = found.x
    if low + 0.1 < point[1] < high - 0.1:
        exact = root(slope_at, point, tol=1e-12)
        point = exact.x if np.all(np.abs(exact.x - point) < 0.05) else point
    centre, log_strength = np.round(point, SIGNIFICANT_DECIMALS)
    strength = float(np.exp(log_strength))
    mean = expit(centre + moved)
    information = float(np.sum(mean * (1 - mean) * n * (strength + 1) / (n + strength)))
    middle = float(expit(centre))
    unsure = 1 / (information + 2 * weak * middle * (1 - middle))
    odds = 0.0
    if guess:
        equal = float(np.sum(xlogy(k, mean) + xlog1py(n - k, -mean)))
        odds = guess.alike_odds(lambda at: _beta_binomial(k, n, mean, np.exp(at)), equal)
        # of few agents the likeliest mean may be extreme; this is the mean over what it may be
        middle = float(expit(centre / np.sqrt(1 + np.pi * unsure / 8)))
    return SharePrior(middle, strength, unsure, odds)


def _beta_binomial(k: Array, n: Array, mean: Array, strength: float) -> float:
    """Logarithm of the likelihood of these counts, up to a constant."""
    a, b = strength * mean, strength * (1 - mean)
    return float(np.sum(betaln(k + a, n - k + b) - betaln(a, b)))


def _canonical(successes: ArrayLike, trials: ArrayLike, shift: ArrayLike) -> tuple[Array, ...]:
    """Agents with trials, ordered by their figures, so that sums do not depend on names."""
    n = np.asarray(trials, dtype=float)
    k = np.asarray(successes, dtype=float)
    moved = np.broadcast_to(np.asarray(shift, dtype=float), n.shape)
    if np.any(k < 0) or np.any(k > n):
        raise ValueError("successes must lie between 0 and trials")
    order = np.lexsort((moved, k, n))
    order = order[n[order] > 0]
    return k[order], n[order], moved[order]


def fit_score_prior(
    counts: ArrayLike,
    means: ArrayLike,
    within: float,
    guess: StrengthGuess | None = None,
    noise_guess: NoiseGuess | None = None,
) -> ScorePrior:
    """Fit the spread of true scores between agents by restricted maximum likelihood.

    Parameters
    ----------
    counts, means : array of shape (agents,)
        Records per agent and their plain mean, in score points.
    within : float
        Sum over all records of the squared distance to the mean of the own agent.
    guess, noise_guess
        Without them the plain restricted likelihood decides.

    Source: Patterson & Thompson 1971, Biometrika 58:545 (REML), one-way layout; Lindley & Smith
    1972, J. R. Stat. Soc. B 34:1 (normal–normal shrinkage). `noise_guess` enters as
    an inverse gamma distribution.
    """
    n = np.asarray(counts, dtype=float)
    y = np.asarray(means, dtype=float)
    order = np.lexsort((y, n))
    order = order[n[order] > 0]
    n, y = n[order], y[order]
    if not len(n):
        raise ValueError("no scores at all")
    total = float(n.sum())
    believed = noise_guess or NoiseGuess(0.0, 0.0)
    degrees = max(total - 1 + believed.weight, 1.0)
    known = within + believed.weight * believed.variance

    def pooled(log_strength: float) -> tuple[float, float, float]:
        weight = n / (1 + n / np.exp(log_strength))
        mean = float(np.sum(weight * y) / np.sum(weight))
        squares = known + float(np.sum(weight * (y - mean) ** 2))
        return mean, max(squares / degrees, LEAST_VARIANCE), float(np.sum(weight))

    def loss(log_strength: float) -> float:
        _, noise, weight = pooled(log_strength)
        spread = float(np.sum(np.log1p(n / np.exp(log_strength))))
        return float(0.5 * (degrees * np.log(noise) + spread + np.log(weight)))

    def guessed(log_strength: float) -> float:
        return loss(log_strength) + (guess.penalty(log_strength)[0] if guess else 0.0)

    def slope(log_strength: float) -> float:
        ratio = n / np.exp(log_strength)
        weight = n / (1 + ratio)
        change = weight * ratio / (1 + ratio)
        mean, noise, total_weight = pooled(log_strength)
        squares = float(np.sum(change * (y - mean) ** 2)) if noise > LEAST_VARIANCE else 0.0
        spread = float(np.sum(ratio / (1 + ratio)))
        far = guess.penalty(log_strength)[1] if guess else 0.0
        return float(0.5 * (squares / noise - spread + change.sum() / total_weight) + far)

    grid = np.linspace(np.log(STRENGTH_BOUNDS[0]), np.log(STRENGTH_BOUNDS[1]), 34)
    best = int(np.argmin([guessed(float(point)) for point in grid]))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, 33)])
    inside = slope(low) < 0 < slope(high)
    found = brentq(slope, low, high, xtol=1e-13) if inside else float(grid[best])
    log_strength = round(float(found), SIGNIFICANT_DECIMALS)
    mean, noise, weight = pooled(log_strength)
    odds = guess.alike_odds(lambda at: -loss(at), -loss(EQUAL)) if guess else 0.0
    return ScorePrior(mean, float(np.exp(log_strength)), noise, noise / weight, odds)


def doubted(strength: float, counts: ArrayLike, doubt: float) -> Array:
    """Strength per agent once it is allowed for that all agents may be equal, in records.

    With the probability p = doubt / (1 + doubt) the common figure holds for everybody, otherwise
    the agent's own, shrunk one. The mean of the two is the estimate of ``strength +
    doubt·(strength + n)``; its variance is that of this strength and, for not knowing which of the
    two holds, ``doubt·(estimate − common)²``.

    Source: Hoeting et al. 1999, Statistical Science 14:382 (averaging over models).
    """
    n = np.asarray(counts, dtype=float)
    return np.asarray(strength + doubt * (strength + n), dtype=float)


def reliability(counts: ArrayLike, strength: ArrayLike) -> Array:
    """Share of an estimate that comes from the agent's own records, n / (n + strength)."""
    n = np.asarray(counts, dtype=float)
    return np.asarray(n / (n + strength), dtype=float)


def james_stein(values: ArrayLike, variance: float) -> Array:
    """Draw equally certain values towards their mean.

    The factor is ``max(0, 1 − (k − 3)·variance / Σ(value − mean)²)`` for k values.
    Source: Efron & Morris 1975, J. Am. Stat. Assoc. 70:311 (the eighteen baseball players).
    """
    y = np.asarray(values, dtype=float)
    distance = y - y.mean()
    squares = float(np.sum(distance**2))
    factor = max(0.0, 1 - (len(y) - 3) * variance / squares) if squares > 0 else 0.0
    return np.asarray(y.mean() + factor * distance, dtype=float)
