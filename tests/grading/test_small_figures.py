"""Published formulas on tables small enough to work out on paper, and where each begins to bite."""

from __future__ import annotations

import math

import numpy as np
import pytest

from grading.belief import probability_at_least, quantile
from grading.casemix import Counts, _agent_spread, _cross
from grading.estimate import (
    SharePrior,
    StrengthGuess,
    doubted,
    fit_score_prior,
    fit_share_prior,
    james_stein,
)
from grading.fairness import impact_of_counts
from grading.intervals import clopper_pearson, funnel, jeffreys, wilson
from grading.raters import cohen_kappa, fleiss_kappa, intraclass_correlations, krippendorff_alpha
from grading.sorting import (
    PseudoCriteria,
    concordance,
    credibility,
    electre_tri_b,
    majority_sort,
)
from grading.weights import PairwiseWeights, weights_from_pairs

# -- agreement of reviewers ------------------------------------------------------------------------


def test_intraclass_correlations_of_four_targets_and_three_raters() -> None:
    # means of the rows 2 4 6 4, of the columns 3 6 3, of all 4
    # between targets: 3 · (4 + 0 + 4 + 0) / 3 = 8; raters: 4 · (1 + 4 + 1) / 2 = 12
    # within targets: (2 + 2 + 26 + 6) / (4 · 2) = 4.5; rest: (36 − 24) / (3 · 2) = 2
    found = intraclass_correlations([[1, 3, 2], [3, 5, 4], [5, 10, 3], [3, 6, 3]])
    assert found.icc11 == pytest.approx((8 - 4.5) / (8 + 2 * 4.5))
    assert found.icc21 == pytest.approx(6 / (8 + 2 * 2 + 3 * (12 - 2) / 4))
    assert found.icc31 == pytest.approx(6 / (8 + 2 * 2))
    assert found.icc1k == pytest.approx(3.5 / 8)
    assert found.icc2k == pytest.approx(6 / (8 + (12 - 2) / 4))
    assert found.icc3k == pytest.approx(6 / 8)


def test_the_smallest_table_of_scores() -> None:
    # rows 1.5 and 4, columns 2 and 3.5, all 2.75: between 2 · 2 · 1.25² = 6.25, raters
    # 2 · 2 · 0.75² = 2.25, of 8.75 in all the rest is 0.25
    found = intraclass_correlations([[1, 2], [3, 5]])
    assert found.icc31 == pytest.approx(6 / 6.5)
    assert found.icc21 == pytest.approx(6 / (6.5 + 2 * (2.25 - 0.25) / 2))
    assert math.isnan(intraclass_correlations([[7, 7], [7, 7]]).icc11)  # nothing differs
    for short in ([[1, 2]], [[1], [2]]):
        with pytest.raises(ValueError, match="two targets and two raters"):
            intraclass_correlations(short)


def test_alpha_of_two_units() -> None:
    # 1 2 | 3 3: squared differences within units, both ways, 2 · 1 = 2, each / (2 − 1);
    # of all pairs of 1 2 3 3: 2 · (1 + 4 + 4 + 1 + 1 + 0) = 22: 1 − 3 · 2 / 22
    assert krippendorff_alpha([[1, 3], [2, 3]]) == pytest.approx(1 - 6 / 22)
    # nominal: 2 of 2 differ within, and 10 of the 12 ordered pairs: 1 − 3 · 2 / 10
    assert krippendorff_alpha([[1, 3], [2, 3]], "nominal") == pytest.approx(1 - 6 / 10)
    # ratio: (1/3)² both ways; of all pairs 2 · (1/9 + 2 · 1/4 + 2 · 1/25)
    everything = 2 * (1 / 9 + 2 / 4 + 2 / 25)
    assert krippendorff_alpha([[1, 3], [2, 3]], "ratio") == pytest.approx(
        1 - 3 * (2 / 9) / everything
    )
    # ordinal: ranks 0.5, 1.5, 3 of the values 1, 2, 3 (the last twice): 1 both ways within;
    # of all pairs 2 · (1 + 2 · 2.5² + 2 · 1.5²) = 36
    assert krippendorff_alpha([[1, 3], [2, 3]], "ordinal") == pytest.approx(1 - 3 * 2 / 36)


def test_kappa_of_a_hundred_pairs() -> None:
    # agreed 0.7, by chance 0.5 · 0.6 + 0.5 · 0.4 = 0.5: (0.7 − 0.5) / 0.5 = 0.4
    found = cohen_kappa([[40, 10], [20, 30]])
    assert found.value == pytest.approx(0.4)
    # Fleiss et al.: agreeing cells 0.4 · (1 − 1.1 · 0.6)² + 0.3 · (1 − 0.9 · 0.6)² = 0.10972;
    # others 0.6² · (0.1 · (0.6 + 0.5)² + 0.2 · (0.4 + 0.5)²) = 0.10188, the columns being 0.6, 0.4;
    # less (0.4 − 0.5 · 0.6)² = 0.01: √(0.2016 / 100) / 0.5
    assert found.error == pytest.approx(math.sqrt(0.2016 / 100) / 0.5)
    assert found.high - found.value == pytest.approx(1.959964 * found.error)


def test_kappa_of_grades_and_of_several_raters() -> None:
    # ten pairs, seven alike and two of them next to each other. Linear: 0.7 + ½ · 0.2 against
    # 0.34 + ½ · 0.42 by chance; squares: ¾ instead of ½
    table = [[2, 1, 0], [0, 2, 1], [1, 0, 3]]
    assert cohen_kappa(table, "linear").value == pytest.approx((0.8 - 0.55) / 0.45)
    assert cohen_kappa(table, "quadratic").value == pytest.approx((0.85 - 0.655) / 0.345)
    # three raters: alike 1, 1 and (4 + 1 − 3) / 6 of their pairs; by chance (5² + 4²) / 9²
    kappa = fleiss_kappa([[3, 0], [0, 3], [2, 1]])
    assert kappa == pytest.approx((7 / 9 - 41 / 81) / (1 - 41 / 81))


# -- do groups fare alike? -------------------------------------------------------------------------


def test_the_best_group_has_the_best_share_not_the_most_people() -> None:
    few, many = impact_of_counts({"few": (1, 1), "many": (3, 10), "none": (0, 0)})
    assert (few.ratio, few.p_value, many.ratio) == (1, 1, pytest.approx(0.3))


def test_a_policy_may_ask_for_another_least_ratio() -> None:
    counts = {"a": (100, 200), "b": (85, 200)}
    for least, adverse in ((0.84, False), (0.85, False), (0.86, True)):
        assert impact_of_counts(counts, least_ratio=least)[1].adverse is adverse


def test_where_nobody_was_selected_there_is_no_ratio() -> None:
    assert all(math.isnan(one.ratio) for one in impact_of_counts({"a": (0, 3), "b": (0, 2)}))


def test_significant_is_below_the_level() -> None:
    # 3 of 4 against 1 of 4: p = (16 + 16 + 1 + 1) / 70
    counts = {"a": (3, 4), "b": (1, 4)}
    p_value = impact_of_counts(counts)[1].p_value
    assert p_value == pytest.approx(34 / 70)
    assert not impact_of_counts(counts, level=p_value)[1].significant
    assert impact_of_counts(counts, level=0.49)[1].significant


# -- weights from pairs ----------------------------------------------------------------------------


def test_the_consistency_of_three_comparisons() -> None:
    # a : b = 2, b : c = 2, but a : c = 32, eight times too much; of three things the weights are
    # the cube roots of the rows' products 64, 1, 1/64, and the eigenvalue is 1 + t + 1/t with
    # t = ³√8: 3.5; index (3.5 − 3) / 2 = 0.25, against 0.52 by chance
    found = weights_from_pairs("abc", {("a", "b"): 2, ("b", "c"): 2, ("a", "c"): 32})
    assert found.weights == pytest.approx({"a": 16 / 21, "b": 4 / 21, "c": 1 / 21})
    assert found.eigenvalue == pytest.approx(3.5)
    assert found.consistency_ratio == pytest.approx(0.25 / 0.52)
    assert not found.consistent


def test_a_tenth_is_just_consistent() -> None:
    assert PairwiseWeights({}, 3.0, 0.10).consistent
    assert not PairwiseWeights({}, 3.0, 0.1001).consistent


@pytest.mark.parametrize("ratio", [0.0, -2.0, math.inf, math.nan])
def test_a_ratio_is_above_zero(ratio: float) -> None:
    with pytest.raises(ValueError, match=r"^a / b: the ratio must be above 0\na / b: not compared"):
        weights_from_pairs("ab", {("a", "b"): ratio})


def test_ten_things_can_be_compared_and_eleven_cannot() -> None:
    names = "abcdefghijk"
    even = {(a, b): 1.0 for i, a in enumerate(names) for b in names[i + 1 :]}
    ten = {pair: 1.0 for pair in even if "k" not in pair}
    assert weights_from_pairs(names[:10], ten).weights["j"] == pytest.approx(0.1)
    with pytest.raises(ValueError, match="2 to 10 different names"):
        weights_from_pairs(names, even)
    with pytest.raises(ValueError, match="different names"):
        weights_from_pairs("aa", {})


# -- sorting ---------------------------------------------------------------------------------------

SLOPED = PseudoCriteria(q=np.array([1.0, 0.0]), p=np.array([3.0, 0.0]), v=np.array([7.0, np.inf]))
SAME = np.array([5.0, 5.0])


def behind(amount: float) -> np.ndarray:
    """Equal on the second criterion, so far behind on the first."""
    return SAME - [amount, 0]


@pytest.mark.parametrize(
    ("amount", "agrees"), [(-1, 1), (0, 1), (1, 1), (1.5, 0.75), (2, 0.5), (3, 0), (4, 0)]
)
def test_concordance_falls_between_indifference_and_preference(
    amount: float, agrees: float
) -> None:
    assert concordance(behind(amount), SAME, SLOPED) == pytest.approx([agrees, 1])


@pytest.mark.parametrize(
    ("amount", "believed"),
    [
        (2, 0.75),  # (0.5 + 1) / 2, and no discordance yet
        (5, 0.5),  # discordance (5 − 3) / (7 − 3) = 0.5 is not above the concordance 0.5
        (6, 0.25),  # discordance 0.75: 0.5 · (1 − 0.75) / (1 − 0.5)
        (7, 0),  # the veto
        (9, 0),
    ],
)
def test_discordance_lowers_credibility(amount: float, believed: float) -> None:
    found = credibility(behind(amount), SAME, SLOPED, np.array([2.0, 2.0]))
    assert found == pytest.approx(believed)


def test_a_veto_at_the_preference_is_all_or_nothing() -> None:
    sharp = PseudoCriteria(SLOPED.q, SLOPED.p, np.add(SLOPED.p, [0, np.inf]))
    found = [credibility(behind(x), SAME, sharp, np.ones(2)) for x in (3, 3.5)]
    assert found == pytest.approx([0.5, 0])


def test_outranking_two_profiles_on_three_criteria() -> None:
    exact = PseudoCriteria(np.zeros(3), np.zeros(3), np.full(3, np.inf))
    values = [[1, 1, 1], [4, 4, 1], [9, 9, 9], [9, 1, 4]]
    profiles = [[3, 3, 3], [6, 6, 6]]
    # a majority of 0.6 is two of three: the last has it for 3 3 3 (9 and 4), not for 6 6 6
    for rule in ("pessimistic", "optimistic"):
        found = electre_tri_b(values, profiles, exact, [1, 1, 1], 0.6, rule)
        assert found.tolist() == [0, 1, 2, 1], rule
    assert majority_sort(values, profiles, [1, 1, 1], 2).tolist() == [0, 1, 2, 1]
    # with two equal criteria 9 and 1 neither outranks 5 5 nor is outranked: the rules differ
    sharp = PseudoCriteria(np.zeros(2), np.zeros(2), np.full(2, np.inf))
    for rule, place in (("pessimistic", 0), ("optimistic", 1)):
        assert electre_tri_b([[9, 1]], [[5, 5]], sharp, [1, 1], 0.6, rule).tolist() == [place]
    # 4 8 has two thirds of the weight against it: the profile outranks it with just that
    for cut, place in ((2 / 3, 0), (0.67, 1)):
        assert electre_tri_b([[4, 8]], [[5, 5]], sharp, [2, 1], cut, "optimistic").tolist() == [
            place
        ]


# -- estimates -------------------------------------------------------------------------------------


def test_the_counts_behind_a_prior() -> None:
    prior = SharePrior(mean=0.75, strength=8, mean_variance=0.0)
    assert (prior.alpha, prior.beta) == (6, 2)


def test_the_factor_of_james_and_stein() -> None:
    # squares 4 + 1 + 0 + 1 + 4 = 10 of five values: 1 − 2 · 3 / 10 = 0.4
    assert james_stein([8, 9, 10, 11, 12], 3) == pytest.approx([9.2, 9.6, 10, 10.4, 10.8])
    # 1 − 2 · 6 / 10 is below zero: nothing is left of the differences, and they are not turned
    assert james_stein([8, 9, 10, 11, 12], 6) == pytest.approx([10] * 5)


def test_doubt_makes_a_prior_stronger() -> None:
    # 20 + ½ · (20 + 30), and with no doubt what it was
    assert doubted(20, [30, 0], 0.5).tolist() == [45, 30]
    assert doubted(20, [30], 0).tolist() == [20]


def test_distance_from_what_was_guessed() -> None:
    # two spreads off: 2² / 2 and, per unit of the logarithm, 2 / 2
    guess = StrengthGuess(10, 2)
    assert guess.penalty(math.log(10) + 4) == pytest.approx((2, 1))
    assert guess.penalty(math.log(10)) == pytest.approx((0, 0))


def test_scores_of_equally_many_records_are_an_analysis_of_variance() -> None:
    # means 1 3 5 of four records each: between 4 · 8 / 2 = 16, within 36 / 9 = 4;
    # variance between agents (16 − 4) / 4 = 3, strength 4 / 3, of the mean 16 / 12
    prior = fit_score_prior([4, 4, 4], [1, 3, 5], 36)
    assert (prior.mean, prior.noise, prior.strength, prior.mean_variance) == pytest.approx(
        (3, 4, 4 / 3, 16 / 12), rel=1e-6
    )


def test_shares_that_mirror_each_other_have_a_mean_of_one_half() -> None:
    # information about the logit of the mean: ¼ · 10 · (s + 1) / (10 + s) for each of the two
    plain = fit_share_prior([9, 1], [10, 10])
    s = plain.strength
    assert plain.mean == pytest.approx(0.5)
    assert plain.mean_variance == pytest.approx(1 / (2 * 2.5 * (s + 1) / (10 + s)))
    # with a guess also half a record either way: ¼ more
    guessed = fit_share_prior([9, 1], [10, 10], guess=StrengthGuess(20, 1.5))
    s = guessed.strength
    assert guessed.mean_variance == pytest.approx(1 / (2 * 2.5 * (s + 1) / (10 + s) + 0.25))


def test_what_is_believed_of_a_value() -> None:
    # a score of 80 with a standard error of 4: at least 76 with Φ(1)
    score, precise = np.array([80.0]), np.array([1 / 16])
    assert probability_at_least("score", score, precise, 76)[0] == pytest.approx(0.8413447)
    assert quantile("score", score, precise, 0.1586553)[0] == pytest.approx(76)
    # a share known as Beta(2, 1) has the distribution x²
    share, weight = np.array([2 / 3]), np.array([3.0])
    assert probability_at_least("share", share, weight, 0.5)[0] == pytest.approx(0.75)
    assert quantile("share", share, weight, 0.25)[0] == pytest.approx(0.5)


def test_what_is_believed_at_the_ends() -> None:
    # none, all and an unknown share, thirty records behind each; no share is beyond its ends
    shares, weight = np.array([0.0, 1.0, np.nan]), np.full(3, 30.0)
    for limit, expected in ((0.5, [0, 1]), (-0.5, [1, 1]), (0, [1, 1]), (1, [0, 0]), (1.5, [0, 0])):
        found = probability_at_least("share", shares, weight, limit)
        assert found[:2] == pytest.approx(expected, abs=1e-6)
        assert np.isnan(found[2])
    assert quantile("share", shares, weight, 0.5)[:2] == pytest.approx([0, 1], abs=1e-6)


def test_score_intervals_by_hand() -> None:
    # z² = 3.8415. 8 of 10: middle (0.8 + 0.19207) / 1.38415, half 1.95996 / 1.38415 ·
    # √(0.016 + 0.0096036); 1 of 1: middle (1 + 1.92073) / 4.84146, half 1.95996 · 0.97998 / 4.84146
    low, high = wilson([8, 1, 0, 0], [10, 1, 1, 0])
    assert low == pytest.approx([0.49016, 0.20655, 0, 0], abs=1e-5)
    assert high == pytest.approx([0.94332, 1, 0.79345, 1], abs=1e-5)


def test_exact_intervals_by_hand() -> None:
    # a quarter beyond either end. 1 of 2: 1 − (1 − p)² = ¼ and 1 − p² = ¼; none: (1 − p)² = ¼
    low, high = clopper_pearson([1, 0, 2], [2, 2, 2], 0.5)
    assert low == pytest.approx([1 - math.sqrt(0.75), 0, 0.5])
    assert high == pytest.approx([math.sqrt(0.75), 0.5, 1])


def test_intervals_of_jeffreys_by_hand() -> None:
    # of nothing the arcsine law: sin²(π/8) and its mirror at a quarter; of 1 of 1 the distribution
    # is (asin √x − √(x (1 − x))) · 2/π
    low, high = jeffreys([0, 1], [0, 1], 0.5)
    assert (low[0], high[0]) == pytest.approx(
        (math.sin(math.pi / 8) ** 2, math.cos(math.pi / 8) ** 2)
    )
    for end, below in ((low[1], 0.25), (high[1], 0.75)):
        reach = math.asin(math.sqrt(end)) - math.sqrt(end * (1 - end))
        assert reach * 2 / math.pi == pytest.approx(below)


def test_impossible_counts_are_refused() -> None:
    for k, n in ((-1, 2), (3, 2)):
        for limits in (wilson, clopper_pearson, jeffreys):
            with pytest.raises(ValueError, match="between 0 and trials"):
                limits(k, n)


def test_a_funnel_of_three_trials() -> None:
    # 0 … 3 of 3 at one half: 1/8 3/8 3/8 1/8. A tail of 0.15 leaves out the ends, one of 0.1 not
    assert funnel(3, 0.5, 0.7) == (1, 2)
    assert funnel(3, 0.5, 0.8) == (0, 3)


# -- the work of each agent ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("solved", "spread"),
    [
        # of 20 each, half in all: 10 expected, variance 5 each. 15 and 5: (25 + 25 − 10) / (2 · 25)
        ((15, 5), 0.8),
        ((10, 10), 0.05),  # (0 − 10) / 50: the least
        ((20, 0), 2.0),  # (200 − 10) / 50 = 3.8: the most
    ],
)
def test_the_spread_between_agents_by_moments(solved: tuple[int, int], spread: float) -> None:
    place = np.arange(2)
    counts = Counts(place, place * 0, np.array([20.0, 20.0]), np.array(solved, dtype=float))
    assert _agent_spread(counts, 2) == pytest.approx(spread)


def test_a_product_in_blocks_is_the_product() -> None:
    # 300 rows are two blocks of 128 and 44 rows more; Σ 1 = 300, Σ i = 44 850
    left, right = (
        np.ones((300, 2)),
        np.column_stack([np.arange(300.0), np.ones(300), -np.ones(300)]),
    )
    left[:, 1] = 2
    assert _cross(left, right).tolist() == [[44850, 300, -300], [89700, 600, -600]]
