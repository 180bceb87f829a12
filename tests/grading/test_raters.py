"""Agreement at its ends, and severity recovered from made reviews."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from krippendorff import alpha as peer_alpha

from grading.estimate import NoiseGuess, StrengthGuess
from grading.raters import (
    alpha_of,
    cohen_kappa,
    correct_severity,
    fleiss_kappa,
    intraclass_correlations,
    krippendorff_alpha,
)

GUESS, NOISE = StrengthGuess(5, 1), NoiseGuess(64, 5)


def test_perfect_agreement_and_nothing_to_compare() -> None:
    assert krippendorff_alpha([[1, 2, 3], [1, 2, 3]]) == 1
    assert math.isnan(krippendorff_alpha([[1, 2, np.nan], [np.nan, np.nan, 3]]))
    assert math.isnan(krippendorff_alpha([[5, 5], [5, 5]]))
    assert math.isnan(alpha_of([], []))


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha_agrees_with_a_peer(level: str) -> None:
    rng = np.random.default_rng(1)
    table = rng.integers(1, 6, (4, 60)).astype(float)
    table[1] = np.clip(table[0] + rng.integers(-1, 2, 60), 1, 5)
    table[rng.random(table.shape) < 0.3] = np.nan
    expected = peer_alpha(reliability_data=table, level_of_measurement=level)
    assert krippendorff_alpha(table, level) == pytest.approx(expected, abs=1e-9)


def test_kappas_at_their_ends() -> None:
    assert cohen_kappa([[5, 0], [0, 5]]).value == 1
    assert cohen_kappa([[5, 5], [5, 5]]).value == 0
    assert math.isnan(cohen_kappa([[9, 0], [0, 0]]).value)
    # one grade apart is forgiven more than two
    near, far = [[5, 3, 0], [0, 5, 0], [0, 0, 5]], [[5, 0, 3], [0, 5, 0], [0, 0, 5]]
    assert cohen_kappa(near, "quadratic").value > cohen_kappa(far, "quadratic").value
    assert fleiss_kappa([[2, 0], [0, 2]]) == 1
    assert math.isnan(fleiss_kappa([[2, 0], [2, 0]]))


@pytest.mark.parametrize("table", [[[1, 2, 3]], [[0, 0], [0, 0]], [1, 2]])
def test_tables_that_are_no_tables_are_refused(table: list) -> None:
    with pytest.raises(ValueError, match="square table"):
        cohen_kappa(table)


def test_uneven_or_incomplete_ratings_are_refused() -> None:
    with pytest.raises(ValueError, match="same number of ratings"):
        fleiss_kappa([[2, 0], [1, 0]])
    with pytest.raises(ValueError, match="without gaps"):
        intraclass_correlations([[1, np.nan], [2, 3]])
    with pytest.raises(ValueError, match="two raters"):
        intraclass_correlations([[1], [2]])


def test_severity_is_recovered() -> None:
    rng = np.random.default_rng(2)
    worth, harsh = rng.normal(80, 4, 50), {"P": -5.0, "Q": 0.0, "R": 5.0}
    agent = rng.integers(0, 50, 1500)
    reviewer = rng.choice(list(harsh), 1500)
    score = worth[agent] + np.array([harsh[r] for r in reviewer]) + rng.normal(0, 3, 1500)
    factors = pd.DataFrame({"reviewer": reviewer, "form": "one"})
    found = correct_severity(score, agent, factors, GUESS, NOISE)
    effects = found.effects["reviewer"]
    middle = np.mean([harsh[r] for r in reviewer])
    assert effects == pytest.approx({r: h - middle for r, h in harsh.items()}, abs=0.5)
    assert "form" not in found.effects  # one level explains nothing
    assert found.prior.noise == pytest.approx(9, rel=0.1)


def test_a_single_reviewer_is_neither_mild_nor_severe() -> None:
    score = np.array([70.0, 90, 80, 85])
    agent = np.array([0, 0, 1, 1])
    found = correct_severity(score, agent, pd.DataFrame({"reviewer": ["P"] * 4}), GUESS, NOISE)
    assert found.corrected.tolist() == score.tolist()
    assert found.effects == {}


def test_few_reviews_show_little_severity() -> None:
    # one review by Q, ten points lower: most of that is chance
    score = np.array([80.0, 82, 79, 81, 80, 78, 82, 80, 70])
    agent = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
    factors = pd.DataFrame({"reviewer": ["P"] * 8 + ["Q"]})
    effect = correct_severity(score, agent, factors, GUESS, NOISE).effects["reviewer"]["Q"]
    assert -10 < effect < 0
