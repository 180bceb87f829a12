"""Impact ratios between groups."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from grading.fairness import impact_of_counts, impact_ratios


def test_ratios_from_people() -> None:
    # early 3 of 4 = 0.75, late 1 of 4 = 0.25; 0.25 / 0.75 = 1/3; nobody knows the ninth's group
    selected = pd.Series([1, 1, 1, 0, 1, 0, 0, 0, 1], dtype=bool)
    group = pd.Series(["early"] * 4 + ["late"] * 4 + [None])
    early, late = impact_ratios(selected, group)
    assert (early.group, early.share, early.ratio, early.adverse) == ("early", 0.75, 1, False)
    assert late.ratio == pytest.approx(1 / 3)
    assert late.adverse
    # hypergeometric: two-sided p of 3/4 against 1/4 is 34/70
    assert late.p_value == pytest.approx(34 / 70)
    assert not late.significant


def test_exactly_four_fifths_is_not_adverse() -> None:
    found = {g.group: g.adverse for g in impact_of_counts({"a": (60, 100), "b": (48, 100)})}
    assert found == {"a": False, "b": False}
    found = {g.group: g.adverse for g in impact_of_counts({"a": (600, 1000), "b": (479, 1000)})}
    assert found == {"a": False, "b": True}


def test_large_differences_are_significant() -> None:
    found = impact_of_counts({"a": (80, 100), "b": (40, 100)})
    assert [g.significant for g in found] == [False, True]


def test_nobody_selected_and_nobody_there() -> None:
    found = impact_of_counts({"a": (0, 5), "b": (0, 7), "c": (0, 0)})
    assert [g.group for g in found] == ["a", "b"]
    assert all(math.isnan(g.ratio) and not g.adverse for g in found)
    assert impact_of_counts({}) == []
