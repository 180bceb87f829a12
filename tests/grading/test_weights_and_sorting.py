"""Pairwise weights and sorting rules at their edges."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from grading.sorting import PseudoCriteria, electre_tri_b, majority_sort
from grading.weights import weights_from_pairs


def test_consistent_comparisons_give_their_ratios_back() -> None:
    # a : b : c = 4 : 2 : 1
    found = weights_from_pairs("abc", {("a", "b"): 2, ("b", "c"): 2, ("c", "a"): 0.25})
    assert found.weights == pytest.approx({"a": 4 / 7, "b": 2 / 7, "c": 1 / 7})
    assert found.consistency_ratio == pytest.approx(0, abs=1e-9)
    two = weights_from_pairs("ab", {("a", "b"): 3})
    assert two.weights == pytest.approx({"a": 0.75, "b": 0.25})


def test_circular_comparisons_are_inconsistent() -> None:
    assert not weights_from_pairs("abc", {("a", "b"): 5, ("b", "c"): 5, ("c", "a"): 5}).consistent


def test_the_comparison_that_fits_worst_is_named() -> None:
    # 8 : 4 : 2 : 1, but that d is said to be four times as important as a
    pairs = {(a, b): 2.0 ** ("abcd".index(b) - "abcd".index(a)) for a, b in combinations("abcd", 2)}
    found = weights_from_pairs("abcd", pairs | {("a", "d"): 0.25})
    assert found.worst == ("a", "d")
    assert not found.consistent
    assert found.ratio("a", "d") == pytest.approx(found.weights["a"] / found.weights["d"])


def test_all_faults_of_the_comparisons_are_named() -> None:
    with pytest.raises(ValueError, match="two of the names") as caught:
        weights_from_pairs("abc", {("a", "b"): 2, ("b", "a"): 2, ("a", "x"): 1, ("b", "c"): -1})
    text = str(caught.value)
    for part in ("compared twice", "above 0", "a / c: not compared"):
        assert part in text
    with pytest.raises(ValueError, match="different names"):
        weights_from_pairs(["a"], {})


def test_a_value_on_the_profile_reaches_it_and_on_the_veto_is_vetoed() -> None:
    assert majority_sort([[5.0, 0.0]], [[5, 9]], [1, 1], 1).tolist() == [1]
    assert majority_sort([[4.9, 0.0]], [[5, 9]], [1, 1], 1).tolist() == [0]
    veto = [[np.nan, 0.0]]
    assert majority_sort([[5.0, 0.0]], [[5, 9]], [1, 1], 1, veto).tolist() == [0]
    assert majority_sort([[5.0, 0.1]], [[5, 9]], [1, 1], 1, veto).tolist() == [1]


def test_equal_thresholds_make_electre_a_plain_comparison() -> None:
    sharp = PseudoCriteria(np.zeros(2), np.zeros(2), np.array([3.0, np.inf]))
    values = [[5.0, 5.0], [4.9, 9.0], [1.0, 9.0]]
    # third: a majority of one half, but 4 short on the first where 3 is a veto
    assert electre_tri_b(values, [[5, 5]], sharp, [1, 1], 0.5).tolist() == [1, 1, 0]
    assert electre_tri_b(values, [[5, 5]], sharp, [1, 1], 0.6).tolist() == [1, 0, 0]
