"""Shrinkage by hand, and data too small or too plain to say anything."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from grading.belief import probability_at_least, quantile
from grading.estimate import (
    NoiseGuess,
    StrengthGuess,
    fit_score_prior,
    fit_share_prior,
    james_stein,
    reliability,
)
from grading.intervals import funnel, wilson

GUESS = StrengthGuess(20, 1.5)


def test_reliability_is_n_over_n_plus_strength() -> None:
    # 20 / (20 + 20) = 0.5; 0 / 20 = 0; 180 / 200 = 0.9
    assert reliability([20, 0, 180], 20).tolist() == [0.5, 0.0, 0.9]


def test_agents_who_differ_are_shrunk_less_than_agents_who_do_not() -> None:
    n = np.full(40, 50)
    alike = fit_share_prior(np.full(40, 40), n, guess=GUESS)
    apart = fit_share_prior(np.repeat([25, 50], 20), n, guess=GUESS)
    assert alike.strength > 100 > 10 > apart.strength
    assert alike.mean == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(
    ("k", "n"),
    [([5], [5]), ([0], [1]), ([1000], [1000]), ([0, 0], [7, 9]), ([3, 3, 3], [3, 3, 3])],
)
def test_degenerate_shares_stay_inside_the_unit_interval(k: list[int], n: list[int]) -> None:
    prior = fit_share_prior(k, n, guess=GUESS)
    assert 0 < prior.mean < 1
    assert np.isfinite(prior.strength)
    assert np.isfinite(prior.mean_variance)


def test_no_trials_and_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="no trials"):
        fit_share_prior([0], [0])
    with pytest.raises(ValueError, match="between 0 and trials"):
        fit_share_prior([3], [2])
    with pytest.raises(ValueError, match="between 0 and trials"):
        wilson(3, 2)
    with pytest.raises(ValueError, match="no scores"):
        fit_score_prior([0], [0.0], 0.0)


def test_the_order_of_agents_changes_no_bit() -> None:
    rng = np.random.default_rng(2)
    n = rng.integers(1, 60, 200)
    k = rng.binomial(n, rng.beta(8, 2, 200))
    order = rng.permutation(200)
    assert fit_share_prior(k, n, guess=GUESS) == fit_share_prior(k[order], n[order], guess=GUESS)


def test_score_prior_recovers_known_spreads() -> None:
    # between agents sd 4, within sd 8: strength = 64 / 16 = 4 records
    rng = np.random.default_rng(3)
    truth = rng.normal(80, 4, 2000)
    scores = truth[:, None] + rng.normal(0, 8, (2000, 10))
    within = float(np.sum((scores - scores.mean(axis=1, keepdims=True)) ** 2))
    prior = fit_score_prior(np.full(2000, 10), scores.mean(axis=1), within)
    assert prior.mean == pytest.approx(80, abs=0.3)
    assert prior.noise == pytest.approx(64, rel=0.03)
    assert prior.strength == pytest.approx(4, rel=0.15)


def test_equal_scores_do_not_prove_certainty() -> None:
    prior = fit_score_prior([3, 4], [85, 85], 0.0, StrengthGuess(5, 1), NoiseGuess(16.0, 5))
    # 5 · 16 / (7 − 1 + 5)
    assert prior.noise == pytest.approx(80 / 11)
    assert prior.mean == pytest.approx(85)


def test_james_stein_of_equal_values_is_their_mean() -> None:
    assert james_stein([2, 2, 2, 2], 1.0).tolist() == [2, 2, 2, 2]


def test_funnel_limits_are_exact() -> None:
    low, high = funnel(50, 0.8, 0.998)
    assert binom.cdf(low - 1, 50, 0.8) <= 0.001 < binom.cdf(low, 50, 0.8)
    assert binom.sf(high, 50, 0.8) <= 0.001 < binom.sf(high - 1, 50, 0.8)


@pytest.mark.parametrize("family", ["share", "score"])
def test_quantile_undoes_probability(family: str) -> None:
    value, precision = np.array([0.7]), np.array([30.0])
    limit = float(quantile(family, value, precision, 0.2)[0])
    assert probability_at_least(family, value, precision, limit)[0] == pytest.approx(0.8)


def test_known_values_reach_or_do_not() -> None:
    value = np.array([12.0, 11.9, np.nan])
    found = probability_at_least("exact", value, value, 12)
    assert found[:2].tolist() == [1.0, 0.0]
    assert np.isnan(found[2])
    # a share is never above 1 and always at least 0
    share = np.array([0.5])
    assert probability_at_least("share", share, share * 20, 0.0).tolist() == [1.0]
    assert probability_at_least("share", share, share * 20, 1.0).tolist() == [0.0]


def test_one_perfect_agent_is_not_known_to_be_perfect() -> None:
    # 50 of 50 by the only agent: a plain Beta(½, ½) prior says 50.5 / 51 = 0.990
    prior = fit_share_prior([50], [50], guess=GUESS)
    value = (50 + prior.alpha) / (50 + prior.strength)
    assert 0.9 < value < 0.992


def test_the_odds_that_all_are_equal() -> None:
    # Two agents with one record each, one good and one bad, a guess as good as certain of the
    # strength 1, mean one half. Equal: 0.5 · 0.5 = 1/4. Beta(½, ½) each: 0.5 · 0.5 as well. With
    # two records each, 2 of 2 and 0 of 2: equal (1/4)² = 1/16; Beta(½, ½): (0.5 · 1.5)/2 = 3/8
    # each, 9/64. Odds 1/16 : 9/64 = 4/9. One of two each: equal 1/16 (times 4 ways in either
    # case), Beta(½, ½): (0.5 · 0.5)/2 = 1/8 each, 1/64. Odds 4.
    sure = StrengthGuess(1, 0.01)
    # the grid of strengths hits 1 only nearly, hence the width of 3 %
    assert fit_share_prior([1, 0], [1, 1], guess=sure).alike_odds == pytest.approx(1, rel=0.03)
    assert fit_share_prior([2, 0], [2, 2], guess=sure).alike_odds == pytest.approx(4 / 9, rel=0.03)
    assert fit_share_prior([1, 1], [2, 2], guess=sure).alike_odds == pytest.approx(4, rel=0.03)


def test_scores_that_differ_no_more_than_chance_speak_for_equality() -> None:
    rng = np.random.default_rng(4)
    n, noise = np.full(60, 12), 8.0
    means = 80 + rng.normal(0, noise / np.sqrt(12), 60)
    within = noise**2 * (60 * 11)
    guess = StrengthGuess(5, 1.0)
    equal = fit_score_prior(n, means, within, guess, NoiseGuess(64, 5))
    apart = fit_score_prior(n, means + np.repeat([-5, 5], 30), within, guess, NoiseGuess(64, 5))
    assert equal.alike_odds > 3 > 0.01 > apart.alike_odds
    assert fit_score_prior(n, means, within).alike_odds == 0  # nothing was believed beforehand
