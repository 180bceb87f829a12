"""Column generation on small problems: bounds below and rosters above what is proven otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.columns.cover import Cover
from scheduler.columns.dive import Dive
from scheduler.columns.generation import Course, Generation
from scheduler.columns.kernel import Array
from scheduler.columns.narrow import Margins
from scheduler.columns.people import compiled
from scheduler.columns.recreate import Recreate
from scheduler.model import Limit, RosterModel, roster_of
from scheduler.problem import (
    Agent,
    Day,
    ForbiddenSuccession,
    MaxConsecutive,
    MaxWeekends,
    MinConsecutive,
    MinDaysOff,
    Request,
    RosterProblem,
    Shift,
    ShiftCover,
    ShiftLimit,
)
from scheduler.variables import Grid
from scheduler.verify import verify

MONDAY = date(2026, 3, 2)
SHIFTS = (Shift("D", 480, 960), Shift("N", 1320, 1740, night=True))
LAW = (
    MaxConsecutive(name="five", days=5),
    MinConsecutive(name="two", days=2),
    MinDaysOff(name="two off", days=2),
    MaxWeekends(name="one weekend", weekends=1),
    ForbiddenSuccession(name="no day after a night", first=("N",), then=("D",)),
    ShiftLimit(name="nights", shifts=("N",), maximum=3),
)


def desk(people: int, days: int, seed: int, **cover: Any) -> RosterProblem:
    rng = np.random.default_rng(seed)
    dates = [MONDAY + timedelta(days=i) for i in range(days)]
    wants = {"under_weight": 20, "over_weight": 1, **cover}
    return RosterProblem(
        agents=tuple(Agent(f"p{i}", max_minutes=480 * 8) for i in range(people)),
        days=tuple(Day(d) for d in dates),
        shifts=SHIFTS,
        shift_cover=tuple(
            ShiftCover(d, s, int(rng.integers(0, 3)), **wants) for d in dates for s in ("D", "N")
        ),
        rules=LAW,
        requests=tuple(
            Request(f"p{i}", dates[rng.integers(days)], bool(rng.integers(2)),
                    int(rng.integers(1, 5)), "DN"[rng.integers(2)])
            for i in range(people)
        ),
    )  # fmt: skip


class Heard:
    """What column generation offers."""

    def __init__(self) -> None:
        self.cost, self.grid, self.bound = 10**9, np.empty(0), -np.inf

    def offer(self, grid: Array, cost: int) -> None:
        if cost < self.cost:
            self.cost, self.grid = cost, grid.copy()

    def raise_bound(self, bound: float) -> None:
        self.bound = max(self.bound, bound)


def generation_of(problem: RosterProblem) -> tuple[Generation, Heard]:
    people, heard = compiled(problem), Heard()
    assert people is not None
    course = Course(
        lambda: False, lambda: None, heard.offer, heard.raise_bound, lambda effort: None
    )
    return Generation(people, Cover.of(problem), course, 1, 1), heard


def best_cost(problem: RosterProblem, **options: Any) -> int:
    model = RosterModel(problem, Grid.empty(problem), hint=False, **options)
    part = model.solve(Limit(None, 60.0), 1)
    assert part.proven
    assert part.grid is not None
    return verify(problem, roster_of(problem, part.grid)).cost


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 4))
def test_the_bound_is_below_and_every_roster_above_the_best(seed: int, people: int) -> None:
    problem = desk(people, 9, seed)
    generation, heard = generation_of(problem)
    assert generation.first_roster() is not None
    assert generation.generate()
    Dive(generation).run()
    verdict = verify(problem, roster_of(problem, Grid(heard.grid.tolist(), {})))
    assert verdict.valid
    assert verdict.cost == heard.cost
    best = best_cost(problem)
    assert heard.bound <= best + 1e-6
    assert heard.cost >= best
    prices = generation.master.solve(None)
    assert prices is not None
    # nothing is left to gain from pricing: the Lagrangian bound meets the linear program
    assert heard.bound == pytest.approx(prices.cost + generation.people.constant, abs=0.2)
    # people short in all are a whole number: a bound from either side of the mix's
    generation.branch()
    assert heard.bound <= best + 1e-6


def test_half_a_person_cannot_be_short() -> None:
    problem = desk(2, 9, 34)
    generation, heard = generation_of(problem)
    generation.first_roster()
    generation.generate()
    # the mix leaves five and a half people short, at 20 each; nobody finds a roster with five
    assert generation.master.short == pytest.approx(5.5)
    assert heard.bound == pytest.approx(112.5, abs=0.1)
    generation.branch()
    assert heard.bound == pytest.approx(120, abs=0.1)
    assert best_cost(problem) == 120


def test_whole_people_short_leave_the_bound_as_it_is() -> None:
    problem = desk(2, 2, 1)
    generation, heard = generation_of(problem)
    generation.first_roster()
    generation.generate()
    assert generation.master.short == pytest.approx(round(generation.master.short))
    before = heard.bound
    generation.branch()
    assert heard.bound == before
    assert generation.master.short_asked == (-np.inf, np.inf)


def test_a_toll_on_people_short_is_counted_by_hand() -> None:
    cover = Cover.of(replace(desk(3, 1, 1), shift_cover=(ShiftCover(MONDAY, "D", 3, 0, 3, 10),)))
    # 10 a head short, 4 taken off each, 5 a head there: 3 short 18, 2 short 17, 1 short 16, none 15
    assert cover.least(np.array([5]), 1, 4) == 15
    # 7 a head there: 18, 19, 20, 21
    assert cover.least(np.array([7]), 1, 4) == 18


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10**6))
def test_cells_left_out_near_the_bound_are_in_no_roster_that_cheap(seed: int) -> None:
    problem = desk(3, 9, seed)
    generation, _ = generation_of(problem)
    generation.first_roster()
    generation.generate()
    margins = Margins(generation)
    assert margins.measure()
    best = best_cost(problem)
    assert margins.bound <= best + 1e-6
    narrow = margins.within(best - margins.bound + 0.1)
    assert best_cost(problem, narrow=narrow) == best
    assert narrow.allowed.sum() <= generation.allowed.sum()


def test_people_taken_out_and_put_back_keep_to_the_rules_and_the_count() -> None:
    problem = desk(5, 14, 3)
    generation, _ = generation_of(problem)
    grid = generation.first_roster()
    assert grid is not None
    recreate = Recreate(generation.people, generation.cover, 7)
    recreate.start(grid)
    before = recreate.cost
    recreate.run(lambda: False, 60)
    verdict = verify(problem, roster_of(problem, Grid(recreate.grid.tolist(), {})))
    assert verdict.valid
    assert verdict.cost == recreate.cost <= before


def test_what_one_more_person_is_worth_is_counted_by_hand() -> None:
    problem = desk(3, 2, 1)
    problem = RosterProblem(
        problem.agents, problem.days, SHIFTS,
        shift_cover=(ShiftCover(MONDAY, "D", 3, 1, 4, 10, 5, 2),),
    )  # fmt: skip
    cover = Cover.of(problem)
    # 3 wanted, 1 at least, 4 at most; 10 a head short, 5 more below one, 2 a head beyond four
    costs = [int(cover.cost(np.array([n]))[0]) for n in range(6)]
    assert costs == [35, 20, 10, 0, 0, 2]
    # the least of cost + 12 n over 0 … 3 people: 35, 32, 34, 36
    assert cover.least(np.array([12]), 1) == 32
    assert cover.dearest == 17
    part, rows = cover.within(range(1, 2))
    assert (part.day.size, rows) == (0, slice(1, 1))
