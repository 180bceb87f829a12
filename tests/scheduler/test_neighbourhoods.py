"""How kinds of neighbourhoods learn, and what they are drawn around."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

from scheduler.neighbourhoods import Kind, Neighbourhoods
from scheduler.problem import Agent, Day, Request, RosterProblem, Shift
from scheduler.solution import Roster
from scheduler.verify import verify

FIRST = date(2026, 10, 5)
TEN = RosterProblem(
    agents=tuple(Agent(name) for name in "abcdefghij"),
    days=tuple(Day(FIRST + timedelta(days=n)) for n in range(7)),
    shifts=(Shift("D", 480, 960),),
    requests=(Request("c", FIRST, True, 5),),
)


def test_a_long_try_in_vain_counts_as_the_short_ones_there_was_time_for() -> None:
    short, long = Kind("days", 100.0, merit=1.0), Kind("relaxed", 100.0, merit=1.0)
    for _ in range(10):
        short.learn(0.0, 0.4, None)
    long.learn(0.0, 4.0, None)
    assert short.merit == pytest.approx(long.merit)
    assert long.merit == pytest.approx(0.1969, abs=1e-4)  # 0.85 to the power of 4.0 / 0.4


def test_a_try_shorter_than_most_still_counts_as_one() -> None:
    kind = Kind("days", 100.0, merit=1.0)
    kind.learn(0.02, 0.01, False)  # two per second
    assert kind.merit == pytest.approx(0.85 * 1.0 + 0.15 * 2.0)
    assert kind.size == 125.0  # easy: a quarter larger


def test_kinds_of_good_cells_are_drawn_where_there_are_some() -> None:
    assert [k.name for k in Neighbourhoods(TEN, random.Random(1)).kinds if k.narrow] == []
    kinds = Neighbourhoods(TEN, random.Random(1), narrow=True).kinds
    assert [k.name for k in kinds if k.narrow] == ["days", "people", "block"]
    assert [k.name for k in kinds if not k.narrow] == ["days", "people", "block"]


def test_who_costs_something_is_drawn_more_often() -> None:
    def drawn(problem: RosterProblem) -> int:
        """In how many of 200 draws of two of ten people for all days the third one is."""
        neighbourhoods = Neighbourhoods(problem, random.Random(1))
        verdict = verify(problem, Roster())
        kind = Kind("people", 14.0)  # two people times seven days
        return sum(
            any(a == 2 for a, _ in neighbourhoods.draw(kind, verdict, 1e9)) for _ in range(200)
        )

    # her wish to work is not met: 60 % of draws begin with her, and a fifth of the others
    # has her among its two: 0.6 + 0.4 * 0.2 = 68 %; of 200 that is 136
    assert 110 < drawn(TEN) < 160
    assert drawn(replace(TEN, requests=())) < 60  # a fifth is 40


def test_what_costs_on_a_day_of_before_leads_nowhere() -> None:
    verdict = verify(TEN, Roster())
    (wish,) = verdict.costs
    before = replace(wish, days=(FIRST - timedelta(days=1),))
    neighbourhoods = Neighbourhoods(TEN, random.Random(1))
    for _ in range(20):
        for kind in neighbourhoods.kinds:
            assert neighbourhoods.draw(kind, replace(verdict, costs=[before]), 1e9)
