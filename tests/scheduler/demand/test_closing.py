"""Closing the loop, by hand: where promises fail, who helps most, when to stop, who is missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.demand.closing import (
    Kind,
    Missing,
    Option,
    Part,
    Tally,
    choose,
    ended,
    failing,
    missing,
    part_of,
    parts,
    spare,
    text,
)

NET, APP = Kind("net", "senior"), Kind("app", "ordinary")


def open_slots(*spans: tuple[int, int], slots: int = 96) -> np.ndarray:
    result = np.zeros(slots, dtype=bool)
    for start, end in spans:
        result[start:end] = True
    return result


def test_a_day_is_cut_into_equal_parts() -> None:
    # 08:00–22:00 are 28 half-hours: four parts of seven, none longer than eight
    found = parts(open_slots((16, 44)), 48)
    assert found == [Part(16, 22), Part(23, 29), Part(30, 36), Part(37, 43)]
    # 4 half-hours need no cut; closed days have no part
    assert parts(open_slots((50, 54)), 48) == [Part(50, 53)]
    assert parts(open_slots(), 48) == []


def test_a_desk_always_open_is_cut_at_midnight() -> None:
    found = parts(open_slots((0, 96)), 48)
    assert len(found) == 12
    assert all(part.first // 48 == part.last // 48 for part in found)


def test_tickets_of_closed_hours_are_served_in_the_next_part() -> None:
    day = [Part(16, 22), Part(23, 29)]
    # 07:30 (slot 15) waits for the first part, 15:00 (slot 30) for none of this day
    assert part_of(day, 48)[[15, 16, 22, 23, 29, 30]].tolist() == [0, 0, 0, 1, 1, 2]


def test_where_promises_fail() -> None:
    day = [Part(16, 22), Part(23, 29)]
    tallies = [
        Tally(NET, 17, 10, 6),  # 90 % of 10 less 6: 3 missing
        Tally(NET, 20, 10, 10),  # 9 less 10: one to spare in the same part
        Tally(NET, 25, 10, 9),  # just kept
        Tally(APP, 24, 5, 0),
    ]
    found = failing(tallies, day, 48, 0.9)
    assert found == {NET: {day[0]: pytest.approx(2.0)}, APP: {day[1]: pytest.approx(4.5)}}
    assert failing(tallies, [], 48, 0.9) == {}


def test_the_cheapest_people_who_satisfy_the_cut_are_chosen() -> None:
    short, long = Part(16, 17), Part(16, 22)
    a, b, c = Option(NET, short, 2.0), Option(APP, long, 5.0), Option(NET, long, 0.7)
    # gain per slot: a 1.0, b 0.71, c 0.1; 6 tickets short: a and b bring 7
    assert choose([c, b, a], 6.0) == (a, b)
    assert choose([c, b, a], 1.5) == (a,)
    # all that help when they do not reach it, never what brings nothing
    assert choose([c, b, a, Option(APP, short, 0.0)], 100.0) == (a, b, c)
    assert choose([c, b, a], 100.0, most=1) == (a,)
    assert choose([a], 0.0) == ()


@settings(max_examples=50, deadline=None)
@given(
    gains=st.lists(st.floats(-2, 9), max_size=12), shortfall=st.floats(0, 30),
)  # fmt: skip
def test_what_is_chosen_reaches_the_shortfall_whenever_anything_does(
    gains: list[float], shortfall: float
) -> None:
    options = [Option(NET, Part(n * 10, n * 10 + n), gain) for n, gain in enumerate(gains)]
    taken = choose(options, shortfall)
    reach = sum(one.gain for one in taken)
    assert all(one.gain > 0 for one in taken)
    if reach < shortfall:
        assert len(taken) == sum(gain > 0 for gain in gains)
    else:
        assert sum(one.gain for one in taken[:-1]) <= shortfall  # not one person too many


def test_people_to_spare_are_those_no_demand_needs() -> None:
    both, net, app = {NET, APP}, {NET}, {APP}
    # three who know net, one wanted: two to spare
    assert spare([net, net, both], {NET: 1}, NET) == 2
    # the one who knows both is wanted for app
    assert spare([net, net, both], {NET: 1, APP: 1}, NET) == 1
    # who is placed on net first makes room: [both] takes app, net stays covered
    assert spare([both, net], {NET: 1}, APP) == 1
    assert spare([both], {NET: 1}, APP) == 0
    # what is wanted and not covered leaves nothing
    assert spare([net], {NET: 3}, NET) == 0
    assert spare([], {}, NET) == 0
    assert spare([app], {}, NET) == 0


@pytest.mark.parametrize(
    ("shares", "rounds", "chosen", "why"),
    [
        ([0.91], 3, 5, "kept"),
        ([0.90], 3, 5, "kept"),  # just what was agreed
        ([0.80], 3, 5, None),
        ([0.80], 3, 0, "people_out"),
        ([0.80, 0.85], 1, 5, "rounds_out"),
        ([0.80, 0.85], 2, 5, None),  # the first look and one round: another may follow
        ([0.80, 0.85, 0.851], 5, 5, None),  # 0.851 beside 0.85: the round before brought much
        ([0.80, 0.85, 0.851, 0.850], 5, 5, "people_out"),  # two rounds brought nothing
        ([0.80, 0.85, 0.84, 0.87], 5, 5, None),
    ],
)  # fmt: skip
def test_when_to_stop(shares: list[float], rounds: int, chosen: int, why: str | None) -> None:
    assert ended(shares, 0.9, rounds, chosen) == why


@pytest.mark.parametrize(
    ("shares", "covered", "why"),
    [
        ([0.80, 0.80], 0.4, "people_out"),  # nothing gained, most of what was asked not covered
        ([0.80, 0.80], 0.6, None),  # covered, so another round may ask elsewhere
        ([0.80, 0.85], 0.1, None),  # little covered, but it helped
        ([0.80], None, None),
    ],
)
def test_the_people_are_used_up_when_what_is_asked_is_not_covered(
    shares: list[float], covered: float | None, why: str | None
) -> None:
    assert ended(shares, 0.9, 5, 3, covered) == why


def test_people_missing_are_summed_up_by_time_of_day() -> None:
    evening, morning = Part(37, 43), Part(16, 22)
    people = [
        (NET, evening), (NET, evening),  # two on day 0
        (NET, Part(37 + 48, 43 + 48)), (NET, Part(37 + 48, 43 + 48)),  # and on day 1
        (NET, Part(37 + 96, 43 + 96)),  # one on day 2
        (APP, morning),
    ]  # fmt: skip
    found = missing(people, 48, 30)
    assert found[0] == Missing(NET, 37 * 30, 44 * 30, 2, (0, 1))
    assert set(found[1:]) == {Missing(NET, 1110, 1320, 1, (2,)), Missing(APP, 480, 690, 1, (0,))}


def test_a_shortage_is_told_in_both_languages() -> None:
    dates = {0: "10-01", 1: "10-02"}
    one = Missing(NET, 1110, 1320, 2, (0, 1))
    assert text(one, "en", dates, "Network") == (
        "2 more seniors with skill Network, 18:30–22:00, on 2 days: 10-01, 10-02"
    )
    assert text(one, "zh", dates, "网络") == (
        "18:30–22:00 还缺 2 名掌握“网络”的高级及以上客服，共 2 天：10-01、10-02"
    )
    single = Missing(Kind("net", "expert"), 480, 690, 1, (0,))
    assert text(single, "en", dates, "Network").startswith("1 more expert with skill Network")
    many = Missing(NET, 0, 60, 1, tuple(range(15)))
    assert text(many, "en", {n: str(n) for n in range(15)}, "x").endswith("and 3 more")
