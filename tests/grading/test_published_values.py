"""Every published figure that belongs to grading, reproduced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import betaln, gammaln

from grading.estimate import SharePrior, fit_share_prior, james_stein, reliability
from grading.fairness import impact_of_counts
from grading.intervals import clopper_pearson, jeffreys, wilson
from grading.raters import (
    cohen_kappa,
    fleiss_kappa,
    intraclass_correlations,
    krippendorff_alpha,
)
from grading.sorting import PseudoCriteria, concordance, credibility, electre_tri_b, majority_sort
from grading.weights import RANDOM_INDEX, weights_from_pairs

FILE = Path(__file__).parents[2] / "../shared/reference/grading_values.json"
if not FILE.exists():
    pytest.skip("the reference values are not here", allow_module_level=True)
ELSEWHERE = ("scheduler/test_labour.py", "wfm/test_calendars.py", "wfm/sla/test_agreements.py")
VALUES: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", VALUES["wilson_interval"]["published"])
def test_wilson_as_published(case: dict[str, Any]) -> None:
    limits = wilson(case["successes"], case["n"], case["conf"])
    assert limits == pytest.approx(case["computed"], abs=1e-12)
    assert limits == pytest.approx(case["expected"], abs=6e-5)


@pytest.mark.parametrize("case", VALUES["wilson_interval"]["computed_extra"])
def test_other_intervals_as_computed(case: dict[str, Any]) -> None:
    k, n, confidence = case["successes"], case["n"], case["conf"]
    assert wilson(k, n, confidence) == pytest.approx(case["wilson"], abs=1e-9)
    assert clopper_pearson(k, n, confidence) == pytest.approx(case["clopper_pearson"], abs=1e-9)
    assert jeffreys(k, n, confidence) == pytest.approx(case["jeffreys"], abs=1e-9)


def baseball() -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    data = VALUES["efron_morris_baseball"]
    hits = np.array([player["hits"] for player in data["players"]], dtype=float)
    rest = np.array([player["rest_of_season"] for player in data["players"]])
    return hits, rest, data


def test_james_stein_on_the_baseball_players() -> None:
    hits, rest, data = baseball()
    early = hits / 45
    mean = early.mean()
    shrunk = james_stein(early, mean * (1 - mean) / 45)
    printed = [player["james_stein_raw_scale"] for player in data["players"]]
    assert shrunk == pytest.approx(printed, abs=1e-4)
    again = data["recomputed"]
    assert mean == pytest.approx(again["grand_mean"], abs=1e-12)
    assert (shrunk[0] - mean) / (early[0] - mean) == pytest.approx(again["c"], abs=1e-12)
    assert np.sum((early - rest) ** 2) == pytest.approx(again["tse_mle"], abs=1e-12)
    assert np.sum((shrunk - rest) ** 2) == pytest.approx(again["tse_js"], abs=2e-6)


def test_james_stein_on_the_arcsine_scale() -> None:
    hits, rest, data = baseball()
    expected = data["recomputed"]["arcsine"]
    x = np.sqrt(45) * np.arcsin(2 * hits / 45 - 1)
    truth = np.sqrt(45) * np.arcsin(2 * rest - 1)
    shrunk = james_stein(x, 1.0)
    assert x.mean() == pytest.approx(expected["xbar"], abs=1e-6)
    assert np.sum((x - x.mean()) ** 2) == pytest.approx(expected["V"], abs=1e-6)
    factor = (shrunk[0] - x.mean()) / (x[0] - x.mean())
    assert factor == pytest.approx(expected["one_minus_B"], abs=1e-6)
    assert np.sum((x - truth) ** 2) == pytest.approx(expected["sse_mle"], abs=1e-6)
    assert np.sum((shrunk - truth) ** 2) == pytest.approx(expected["sse_js"], abs=1e-6)


def test_beta_binomial_on_the_baseball_players() -> None:
    hits, _, data = baseball()
    expected = data["recomputed"]["beta_binomial_mle"]
    prior = fit_share_prior(hits, np.full(18, 45))
    # the published optimum stopped a little early: its gradient is 1e-7, ours 1e-12
    assert prior.alpha == pytest.approx(expected["alpha"], rel=5e-5)
    assert prior.beta == pytest.approx(expected["beta"], rel=5e-5)
    choose = gammaln(46) - gammaln(hits + 1) - gammaln(46 - hits)
    fit = betaln(hits + prior.alpha, 45 - hits + prior.beta) - betaln(prior.alpha, prior.beta)
    assert np.sum(choose + fit) == pytest.approx(expected["loglik"], abs=1e-6)


def test_intraclass_correlations_of_shrout_and_fleiss() -> None:
    data = VALUES["icc_shrout_fleiss_1979"]
    found = intraclass_correlations(data["matrix_targets_by_judges"])
    for name, value in data["computed"].items():
        assert getattr(found, name.lower()) == pytest.approx(value, abs=1e-9), name
        assert getattr(found, name.lower()) == pytest.approx(
            data["expected_published"][name], abs=6e-3
        )


@pytest.mark.parametrize("name", ["wikipedia_3_coders", "krippendorff_2011_4_coders"])
def test_krippendorff_alpha(name: str) -> None:
    data = VALUES["krippendorff_alpha"][name]
    ratings = np.array(data["data_coder_rows"], dtype=float)
    for level, value in data["expected"].items():
        assert krippendorff_alpha(ratings, level) == pytest.approx(value, abs=5.1e-4), level


def test_kappas() -> None:
    cohen = VALUES["kappa"]["cohen"]
    plain = cohen_kappa(cohen["table"])
    assert plain.value == pytest.approx(cohen["expected_kappa"], abs=5e-5)
    assert plain.error == pytest.approx(cohen["ase"], abs=5e-4)
    assert (plain.low, plain.high) == pytest.approx(cohen["ci95"], abs=5.1e-5)
    weighted = cohen_kappa(cohen["table"], "linear")
    assert weighted.value == pytest.approx(cohen["linear_weighted"], abs=5e-5)
    assert (weighted.low, weighted.high) == pytest.approx(cohen["weighted_ci95"], abs=5.1e-5)
    fleiss = VALUES["kappa"]["fleiss_wikipedia"]
    assert fleiss_kappa(fleiss["counts"]) == pytest.approx(fleiss["expected"], abs=5e-3)


def pairs_of(rows: list[list[Any]]) -> dict[tuple[str, str], float]:
    return {(one, other): float(ratio) for one, other, ratio in rows}


def test_pairwise_weights_of_saaty() -> None:
    data = VALUES["ahp"]["saaty_drinks"]
    found = weights_from_pairs(list(data["expected_weights"]), pairs_of(data["pairs"]))
    assert found.weights == pytest.approx(data["computed"]["weights"], abs=1e-9)
    assert found.weights == pytest.approx(data["expected_weights"], abs=6e-4)
    assert found.eigenvalue == pytest.approx(data["computed"]["lambda_max"], abs=1e-9)
    assert found.consistency_ratio == pytest.approx(data["computed"]["CR"], abs=1e-9)
    assert found.consistent
    assert {str(k): v for k, v in RANDOM_INDEX.items()} == VALUES["ahp"]["saaty_RI"]


def test_choosing_a_leader_by_pairs() -> None:
    data = VALUES["ahp"]["leader"]
    top = weights_from_pairs(list(data["computed_criteria_weights"]), pairs_of(data["criteria"]))
    assert top.weights == pytest.approx(data["computed_criteria_weights"], abs=1e-9)
    assert top.consistency_ratio == pytest.approx(data["computed_criteria_CR"], abs=1e-9)
    people = ["Moll", "Nell", "Sue"]
    totals = dict.fromkeys(people, 0.0)
    for criterion, rows in data["alternatives"].items():
        for person, weight in weights_from_pairs(people, pairs_of(rows)).weights.items():
            totals[person] += weight * top.weights[criterion]
    assert totals == pytest.approx(data["expected"], abs=1e-3)


def test_electre_tri_b_of_mousseau() -> None:
    data = VALUES["electre_tri_b"]["mousseau_1999_two_profiles"]
    x = np.array(list(data["alternatives"].values()), dtype=float)
    b = np.array(list(data["profiles_low_to_high"].values()), dtype=float)
    limits = PseudoCriteria(*(np.array(data[name], dtype=float) for name in "qpv"))
    w = np.array(data["weights"], dtype=float)
    ab = concordance(x[None], b[:, None], limits) @ w / w.sum()
    ba = concordance(b[:, None], x[None], limits) @ w / w.sum()
    expected = data["expected"]
    assert ab == pytest.approx(np.array(expected["C_ab"]), abs=1e-9)
    assert ba == pytest.approx(np.array(expected["C_ba"]), abs=1e-9)
    assert credibility(x[None], b[:, None], limits, w) == pytest.approx(
        np.array(expected["sigma_ab"]), abs=1e-6
    )
    assert credibility(b[:, None], x[None], limits, w) == pytest.approx(
        np.array(expected["sigma_ba"]), abs=1e-6
    )
    for rule in ("pessimistic", "optimistic"):
        found = electre_tri_b(x, b, limits, w, data["lambda_cut"], rule)
        assert found.tolist() == list(expected[f"{rule}_class_index"].values())


def test_electre_tri_b_with_one_profile() -> None:
    two = VALUES["electre_tri_b"]["mousseau_1999_two_profiles"]
    data = VALUES["electre_tri_b"]["mousseau_1999_one_profile"]
    x = np.array(list(two["alternatives"].values()), dtype=float)
    limits = PseudoCriteria(*(np.array(two[name], dtype=float) for name in "qpv"))
    for rule in ("pessimistic", "optimistic"):
        found = electre_tri_b(x, [data["profile"]], limits, two["weights"], 0.7, rule)
        assert found.tolist() == data["expected_computed"][rule]


def test_electre_tri_b_on_the_isfaki_table() -> None:
    data = VALUES["electre_tri_b"]["isfaki_table_10"]
    limits = PseudoCriteria(*(np.array(data[name], dtype=float) for name in "qpv"))
    for rule in ("pessimistic", "optimistic"):
        found = electre_tri_b(
            data["alternatives"], data["profiles"], limits, data["weights"], 0.7, rule
        )
        # "outranks", not "is strictly preferred", which would give expected_notebook
        assert found.tolist() == data["computed"][rule]


def mr_sort_case() -> tuple[np.ndarray, ...]:
    data = VALUES["mr_sort"]
    sign = np.array([-1 if way == "min" else 1 for way in data["direction"]])
    values = np.array(list(data["alternatives"].values()), dtype=float) * sign
    order = ["Medium", "Good"]
    profiles = np.array([data["lower_profiles"][name] for name in order], dtype=float) * sign
    vetoes = np.array([data["vetos"][name] for name in order], dtype=float) * sign
    return values, profiles, vetoes


def test_mr_sort_with_and_without_veto() -> None:
    data = VALUES["mr_sort"]
    values, profiles, vetoes = mr_sort_case()
    names = np.array(["Bad", "Medium", "Good"])
    weights, majority = data["weights"], data["majority_threshold"]
    found = names[majority_sort(values, profiles, weights, majority, vetoes)]
    assert found.tolist() == data["expected"]
    plain = names[majority_sort(values, profiles, weights, majority)]
    assert plain.tolist() == data["without_veto_computed"]


def topsis(matrix: list[list[float]], weights: list[float], sign: list[int]) -> np.ndarray:
    """Closeness to the best of those compared: here to show why grades do not rest on it."""
    x = np.array(matrix)
    scaled = x / np.sqrt(np.sum(x**2, axis=0)) * np.array(weights) * sign
    best, worst = (
        np.sqrt(np.sum((scaled - edge) ** 2, axis=1))
        for edge in (scaled.max(axis=0), scaled.min(axis=0))
    )
    return np.asarray(worst / (best + worst))


def test_closeness_to_the_best_depends_on_who_is_compared() -> None:
    data = VALUES["topsis_hodgett"]
    matrix, weights = data["matrix"], data["weights"]
    sign = [-1 if way == "min" else 1 for way in data["direction"]]
    assert topsis(matrix, weights, sign) == pytest.approx(data["expected"], abs=1e-4)
    # without the third and the last column the other two score differently: no ground for a grade
    fewer = topsis([row[:3] for row in matrix[:2]], weights[:3], sign[:3])
    assert fewer == pytest.approx(data["rank_reversal_demo"]["expected"], abs=1e-4)


def test_the_figures_of_the_whole_satisfaction_export() -> None:
    data = VALUES["csat_public_data"]
    fit, trust = data["beta_binomial_mle"], data["reliability"]
    prior = SharePrior(fit["alpha"] / fit["M"], fit["M"], 0.0)
    assert prior.beta == pytest.approx(fit["beta"], abs=1e-6)
    for share in (0.7, 0.8):
        n = trust[f"n_for_{share}".replace(".", "_")]
        assert reliability([n], prior.strength) == pytest.approx([share], abs=1e-9)
    for one in data["examples"]:
        own = (one["k"] + prior.alpha) / (one["n"] + prior.strength)
        assert own == pytest.approx(one["eb"], abs=1e-6), one["agent"]


def test_mean_squares_of_the_intraclass_correlation() -> None:
    # one-way: (MSB − MSW) / (MSB + 3·MSW); two-way, consistency: (MSB − MSE) / (MSB + 3·MSE)
    data = VALUES["icc_shrout_fleiss_1979"]
    squares, found = data["anova"], intraclass_correlations(data["matrix_targets_by_judges"])
    for part, value in (("MSW", found.icc11), ("MSE", found.icc31)):
        between, rest = squares["MSB"], squares[part]
        assert value == pytest.approx((between - rest) / (between + 3 * rest), abs=1e-9)


def test_every_kind_of_value_is_reproduced_somewhere() -> None:
    rooms = (Path(__file__), *(Path(__file__).parents[1] / name for name in ELSEWHERE))
    text = "".join(room.read_text(encoding="utf-8") for room in rooms)
    missing = [name for name in VALUES if name != "_meta" and f'["{name}"]' not in text]
    assert not missing


def test_four_fifths_rule() -> None:
    data = VALUES["four_fifths"]
    counts = {group: (round(rate * 100), 100) for group, rate in data["selection_rates"].items()}
    found = impact_of_counts(counts)
    assert {g.group: g.ratio for g in found} == pytest.approx(data["expected_impact_ratio"])
    assert [g.group for g in found if g.adverse] == data["adverse"]
