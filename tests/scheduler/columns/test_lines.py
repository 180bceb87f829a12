"""Lines by dynamic programming: against every line there is, and by hand."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler import warm
from scheduler.columns.kernel import cheapest_line
from scheduler.columns.people import Cap, Person, compiled, evenly, most_days, weekends_worked
from scheduler.columns.pricing import Habit, Priced, Pricer, tally_of
from scheduler.columns.window import slice_of
from scheduler.problem import (
    Agent,
    Day,
    ForbiddenSuccession,
    IntervalCover,
    Lock,
    MaxConsecutive,
    MaxWeekends,
    MinConsecutive,
    MinDaysOff,
    MinutesLimit,
    Post,
    RosterProblem,
    Shift,
    ShiftCover,
    ShiftLimit,
)
from scheduler.solution import Roster
from scheduler.verify import verify

THURSDAY = date(2026, 3, 5)
SHIFTS = (Shift("D", 480, 960), Shift("N", 1320, 1680, night=True))  # 8 and 6 hours
DAYS = 6  # Thursday to Tuesday: one weekend, days 2 and 3


def problem_of(*rules: Any, days: int = DAYS, **parts: Any) -> RosterProblem:
    calendar = tuple(Day(THURSDAY + timedelta(days=i)) for i in range(days))
    return RosterProblem(parts.pop("agents", (Agent("A"),)), calendar, SHIFTS, rules=rules, **parts)


def price(problem: RosterProblem, costs: np.ndarray, a: int = 0) -> Priced:
    people = compiled(problem)
    assert people is not None
    person = people.persons[a]
    return Pricer(people.units).cheapest(person, Habit.of(person), costs, people.opens)


def lawful(problem: RosterProblem, line: tuple[int, ...]) -> bool:
    cells = {
        ("A", THURSDAY + timedelta(days=d)): SHIFTS[s].id for d, s in enumerate(line) if s >= 0
    }
    return verify(problem, Roster(cells)).valid


@st.composite
def rules(draw: st.DrawFn) -> list[Any]:
    small = st.integers(1, 3)
    kinds = [
        lambda: MaxConsecutive(name="r1", days=draw(small)),
        lambda: MinConsecutive(name="r2", days=draw(small)),
        lambda: MinDaysOff(name="r3", days=draw(small)),
        lambda: MaxWeekends(name="r4", weekends=draw(st.integers(0, 1))),
        lambda: ShiftLimit(name="r5", shifts=("N",), maximum=draw(st.integers(0, 2))),
        lambda: ShiftLimit(name="r6", shifts=("D", "N"), maximum=draw(st.integers(1, 4))),
        lambda: ForbiddenSuccession(name="r7", first=("N",), then=("D",)),
        lambda: MinutesLimit(
            name="r8",
            period="horizon",
            minimum=draw(st.sampled_from((None, 360, 840))),
            maximum=draw(st.sampled_from((1300, 1920))),
        ),
    ]
    chosen = draw(st.lists(st.sampled_from(range(len(kinds))), max_size=5, unique=True))
    return [kinds[n]() for n in chosen]


@settings(max_examples=60, deadline=None)
@given(rules(), st.data())
def test_the_line_is_the_cheapest_of_all_lawful_lines(
    rules: list[Any], data: st.DataObject
) -> None:
    locks = data.draw(st.sampled_from(((), (Lock("A", THURSDAY + timedelta(days=1), "N"),))))
    problem = problem_of(*rules, locks=locks)
    flat = data.draw(st.lists(st.integers(-9, 9), min_size=2 * DAYS, max_size=2 * DAYS))
    costs = 16 * np.array(flat).reshape(DAYS, 2)
    found = price(problem, costs)
    every = itertools.product((-1, 0, 1), repeat=DAYS)
    sums = [
        sum(int(costs[d, s]) for d, s in enumerate(line) if s >= 0)
        for line in every
        if lawful(problem, line)
    ]
    if not sums:
        assert found.line is None
        return
    assert found.bound <= min(sums)
    assert found.cost >= min(sums)
    if found.bound == found.cost:
        assert found.cost == min(sums)
    if found.line is not None:
        line = tuple(int(s) for s in found.line)
        assert lawful(problem, line)
        assert sum(int(costs[d, s]) for d, s in enumerate(line) if s >= 0) == found.cost


def test_a_run_may_be_short_at_either_end_of_the_days_only() -> None:
    problem = problem_of(MinConsecutive(name="r", days=2))
    costs = np.full((DAYS, 2), 50)
    costs[0, 0] = costs[3, 0] = costs[5, 0] = -10
    # alone: day 0 and day 5 earn 10 each; day 3 would need a neighbour, -10 + 50 > 0
    found = price(problem, costs)
    assert found.cost == found.bound == -20
    assert found.line is not None
    assert found.line.tolist() == [0, -1, -1, -1, -1, 0]


def test_a_cap_is_kept_exactly_although_it_is_first_left_to_a_toll() -> None:
    problem = problem_of(ShiftLimit(name="r", shifts=("N",), maximum=2))
    costs = np.zeros((DAYS, 2), int)
    costs[:, 1] = [-8, -5, -9, -1, -7, -2]
    found = price(problem, costs)
    assert found.cost == found.bound == -17  # the two best nights, 9 and 8; days cost nothing


def test_tallies_count_in_mixed_radix() -> None:
    weekends, nights = Cap(None, 1), Cap(np.array([False, True]), 2)
    tally = tally_of([weekends, nights], 2)
    assert tally.shape == (2, 2, 6)  # 2 × 3 tallies; a night counts 2, a weekend 1
    assert tally[0, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert tally[0, 1].tolist() == [2, 3, 4, 5, -1, -1]
    assert tally[1, 0].tolist() == [1, -1, 3, -1, 5, -1]
    assert tally[1, 1].tolist() == [3, -1, 5, -1, -1, -1]


def test_a_weekend_counts_once_however_many_of_its_days_are_worked() -> None:
    opens = np.array([0, 0, 1, 2, 0, 0])
    for line, weekends in (([0, 0, 0, 0, 0, 0], 1), ([-1, -1, -1, 0, -1, -1], 1),
                           ([0, 0, -1, -1, 0, 0], 0)):  # fmt: skip
        assert weekends_worked(np.array(line), opens) == weekends


def test_no_more_days_than_the_runs_allow_can_be_worked() -> None:
    # five on, two off: 0 1 2 3 4 5 5 5 6 7
    assert most_days(9, 5, 2).tolist() == [0, 1, 2, 3, 4, 5, 5, 5, 6, 7]


@pytest.mark.parametrize(
    "parts",
    [
        {"rules": (MaxConsecutive(name="soft", days=5, weight=3),)},
        {"rules": (MaxConsecutive(name="nights", days=2, shifts=("N",)),)},
        {"rules": (MinutesLimit(name="week", period="week", maximum=2400),)},
        {"rules": (ShiftLimit(name="some", shifts=("D",), minimum=1),)},
        {"posts": (Post("lead", (THURSDAY,)),)},
        {"interval_cover": (IntervalCover(THURSDAY, 540, 600, 1),)},
        {"history_days": 3},
        {
            "shift_cover": tuple(
                ShiftCover(THURSDAY, "D", 1, exclusive=True, skill=skill) for skill in (None, "x")
            )
        },
    ],
)
def test_what_a_line_alone_cannot_say_is_left_to_the_model(parts: dict[str, Any]) -> None:
    assert compiled(problem_of()) is not None
    assert compiled(problem_of(*parts.pop("rules", ()), **parts)) is None


def whole_line(person: Person, days: int) -> np.ndarray:
    return np.array([0, 0, -1, -1, 0, 0, 0, -1, -1, 0])[:days]


def test_a_window_keeps_the_runs_it_touches() -> None:
    problem = problem_of(
        MaxConsecutive(name="m", days=3), MinDaysOff(name="o", days=2), days=10,
    )  # fmt: skip
    people = compiled(problem)
    assert people is not None
    line = whole_line(people.persons[0], 10)
    piece = slice_of(people, 0, line, range(7, 9))
    # the run of days 4 to 6 before it and one day more; after it the run from day 9 to the end
    assert (piece.first, piece.end) == (3, 10)
    assert piece.person.allowed[:4, 0].tolist() == [False, True, True, True]
    assert piece.person.may_rest[:4].tolist() == [True, False, False, False]
    costs = np.full((7, 2), -5)
    pricer = Pricer(people.units)
    found = pricer.cheapest(piece.person, Habit.of(piece.person), costs, piece.opens)
    assert found.line is not None
    # days 7 and 8 stay free: a fourth duty in a row is one too many, one day off too few
    assert found.line.tolist() == [-1, 0, 0, 0, -1, -1, 0]


def test_the_kernel_is_compiled_once_for_all_problems() -> None:
    warm.up()
    known = len(cheapest_line.signatures)
    price(problem_of(MaxWeekends(name="w", weekends=1)), np.zeros((DAYS, 2), int))
    assert len(cheapest_line.signatures) == known == 1


def test_work_spread_evenly_is_a_narrower_choice_of_lawful_lines() -> None:
    problem = problem_of(
        MinutesLimit(name="m", period="horizon", minimum=1440, maximum=1440), days=9,
    )  # fmt: skip
    people = compiled(problem)
    assert people is not None
    person = people.persons[0]
    even = evenly(person, room=3)
    assert even is not None
    # units of 2 h: 12 in 9 days, 4/3 a day; 3 days' worth, 4 units, ahead or behind
    assert even.high[:4].tolist() == [
        min(int(person.high[d]), h) for d, h in enumerate((4, 6, 7, 8))
    ]
    assert even.low[-4:].tolist() == [
        max(int(person.low[d]), low) for d, low in zip(range(6, 10), (4, 5, 6, 12), strict=True)
    ]
    costs = np.zeros((9, 2), int)
    costs[:3] = -10  # all work at once would be cheapest
    found = Pricer(people.units).cheapest(even, Habit.of(even), costs, people.opens)
    assert found.line is not None
    assert found.cost == -20  # two days of 4 units by day 3: a third would be 12, beyond 8
    cells = {("A", THURSDAY + timedelta(days=d)): SHIFTS[s].id
             for d, s in enumerate(found.line.tolist()) if s >= 0}  # fmt: skip
    assert verify(problem, Roster(cells)).valid
    # five units by the first day, as she must, would be ahead of 4/3 and nothing more
    hurried = replace(person, low=np.array([0, 5, *person.low[2:]]))
    assert evenly(hurried, room=0) is None


def test_windows_side_by_side_share_what_the_limits_leave() -> None:
    problem = problem_of(
        MinutesLimit(name="m", period="horizon", minimum=1440, maximum=3840),
        MaxWeekends(name="w", weekends=3), days=28,
    )  # fmt: skip
    people = compiled(problem)
    assert people is not None
    line = np.full(28, -1)
    line[[0, 1, 14, 15]] = 0  # 1,920 minutes, 480 above the least and 1,920 below the most
    window, span = range(9), range(12)
    alone = slice_of(people, 0, line, window, span).person
    half = slice_of(people, 0, line, window, span, share=2).person
    # units of 120 minutes: 8 in the window now; alone 8 − 4 … 8 + 16, of a half 8 − 2 … 8 + 8
    assert (alone.low[-1], alone.high[-1]) == (4, 24)
    assert (half.low[-1], half.high[-1]) == (6, 16)
