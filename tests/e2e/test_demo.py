"""The demo's figures: the circle closed, and nothing in them that cannot be."""

from __future__ import annotations

import pytest

from wfm.words import Role

pytestmark = pytest.mark.xdist_group("demo")


def test_all_records_land(demo) -> None:
    assert demo.figures["tickets"] > 70_000
    assert demo.figures["events"] > 5 * demo.figures["tickets"]
    assert demo.figures["rejected"] == 0


def test_nobody_is_lost_between_grades_before_and_after(demo) -> None:
    before, after = demo.figures["grades_before"], demo.figures["grades_after"]
    assert sum(before.values()) == sum(after.values()) == 120
    assert sum(demo.figures["moves"].values()) == 120
    # what needs a person is left to one: nothing takes effect unsigned
    moves = demo.figures["moves"]
    assert demo.figures["undecided"] == moves.get("undecided", 0) + moves.get("blocked", 0)


def test_the_forecast_beats_last_week_again(demo) -> None:
    assert demo.figures["forecast_wape"] < demo.figures["naive_wape"]


def test_rosters_are_lawful_and_near_their_bound(demo) -> None:
    figures = demo.figures
    assert figures["hard_violations"] == 0
    assert figures["roster_bound"] <= figures["roster_cost"]
    assert 0.8 < figures["covered_share"] <= 1


def test_every_holiday_post_is_filled(demo) -> None:
    # National Day 2026: seven days × seven posts (a leader; lead, deputy, standby at two sites)
    assert demo.figures["posts"] == demo.figures["posts_filled"] == 49


def test_promises_come_with_an_interval(demo) -> None:
    figures = demo.figures
    assert 0 < figures["promises_low"] <= figures["promises_kept"] <= figures["promises_high"] <= 1


def test_there_is_a_sign_in_for_each_role(demo) -> None:
    assert {role for role, _, _ in demo.figures["sign_ins"]} == {role.value for role in Role}
