"""The linear relaxation: its rows and bound by hand, and the cells near it."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model

from benchmarks.rosters.desk import desk_problem
from scheduler.linear import LinearProgram
from scheduler.model import Limit, RosterModel, Solvers, grid_of
from scheduler.problem import (
    Agent,
    Day,
    FairShare,
    MaxConsecutive,
    Request,
    RosterProblem,
    Shift,
    ShiftCover,
)
from scheduler.relaxation import Relaxation
from scheduler.relaxed_search import RelaxedSearch
from scheduler.result import Params, Progress
from scheduler.search import WHOLE_FIRST, Search
from scheduler.solve import solve
from scheduler.variables import Grid, Narrow

MONDAY = date(2026, 3, 2)


def rows_of(program: LinearProgram) -> list[tuple[dict[int, float], float, float]]:
    found: list[tuple[dict[int, float], float, float]] = []
    for n, (least, most) in enumerate(zip(program.least, program.most, strict=True)):
        here = program.rows == n
        terms = dict(
            zip(program.columns[here].tolist(), program.values[here].tolist(), strict=True)
        )
        found.append((terms, least, most))
    return found


def test_constraints_become_rows() -> None:
    model = cp_model.CpModel()
    x, y, z = (model.new_bool_var("") for _ in range(3))
    model.add_exactly_one([x, y])
    model.add_at_most_one([x, ~z])
    model.add_bool_or([x, y, ~z])
    model.add_implication(x, z)
    model.add(2 * x - 3 * y >= -2)
    assert rows_of(LinearProgram.within(model.proto)) == [
        ({0: 1, 1: 1}, 1, 1),
        ({0: 1, 2: -1}, -math.inf, 0),  # x + (1 - z) <= 1
        ({0: 1, 1: 1, 2: -1}, 0, math.inf),  # x + y + (1 - z) >= 1
        ({0: -1, 2: 1}, 0, math.inf),  # z + (1 - x) >= 1
        ({0: 2, 1: -3}, -2, math.inf),
    ]


def test_rows_of_whole_numbers_are_tightened() -> None:
    model = cp_model.CpModel()
    x, y = (model.new_int_var(0, 9, "") for _ in range(2))
    model.add(480 * x + 240 * y <= 2200)  # 2 x + y <= 9.17, so 9
    model.add(480 * x - 240 * y >= 100)  # 2 x - y >= 0.42, so 1
    model.add(3 * x + 2 * y <= 7)  # nothing divides both
    assert rows_of(LinearProgram.within(model.proto)) == [
        ({0: 2, 1: 1}, -math.inf, 9),
        ({0: 2, 1: -1}, 1, math.inf),
        ({0: 3, 1: 2}, -math.inf, 7),
    ]


def test_what_is_not_linear_is_left_out() -> None:
    model = cp_model.CpModel()
    x, y, z = (model.new_int_var(0, 3, "") for _ in range(3))
    on = model.new_bool_var("")
    model.add_multiplication_equality(z, [x, y])
    model.add(x + y >= 2).only_enforce_if(on)
    assert rows_of(LinearProgram.within(model.proto)) == []


def two_variables() -> LinearProgram:
    """3 x + 2 y + 1 at its least, of x + y >= 1, both from 0 to 1: y alone, 3."""
    model = cp_model.CpModel()
    x, y = (model.new_bool_var("") for _ in range(2))
    model.add_at_least_one([x, y])
    model.minimize(3 * x + 2 * y + 1)
    return LinearProgram.within(model.proto)


@pytest.mark.parametrize(
    ("price", "bound"),
    [
        (2.0, 3.0),  # 1 + 2 x 1, and nothing is cheaper than its price: 3 - 2, 2 - 2
        (0.0, 1.0),  # the constant alone
        (1.0, 2.0),
        (5.0, 1.0),  # 1 + 5 - (5 - 3) - (5 - 2)
        (-4.0, 1.0),  # at most is endless, so a price below zero counts as none
    ],
)
def test_the_bound_at_any_prices(price: float, bound: float) -> None:
    assert two_variables().bound(np.array([price])) == pytest.approx(bound)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-5, 9), min_size=4, max_size=4),
    st.lists(st.lists(st.integers(-3, 3), min_size=4, max_size=4), min_size=1, max_size=3),
    st.lists(st.floats(-20, 20), min_size=3, max_size=3),
)
def test_no_answer_costs_less_than_the_bound(
    costs: list[int], sides: list[list[int]], prices: list[float]
) -> None:
    model = cp_model.CpModel()
    x = [model.new_bool_var("") for _ in range(4)]
    sides = [side for side in sides if any(side)] or [[1, 0, 0, 0]]
    for side in sides:
        model.add(sum(c * v for c, v in zip(side, x, strict=True)) >= 1)
    model.minimize(sum(c * v for c, v in zip(costs, x, strict=True)))
    bound = LinearProgram.within(model.proto).bound(np.array(prices[: len(sides)]))
    for answer in product((0, 1), repeat=4):
        if all(sum(c * v for c, v in zip(side, answer, strict=True)) >= 1 for side in sides):
            assert sum(c * v for c, v in zip(costs, answer, strict=True)) >= bound


def desk(people: int, days: int) -> RosterProblem:
    """Half of the people are wanted early and half late; four days in a row at most."""
    dates = [MONDAY + timedelta(days=i) for i in range(days)]
    return RosterProblem(
        agents=tuple(Agent(f"p{i}") for i in range(people)),
        days=tuple(Day(day) for day in dates),
        shifts=(Shift("E", 480, 960), Shift("L", 840, 1320)),
        shift_cover=tuple(
            ShiftCover(day, shift, people // 2, under_weight=10) for day in dates for shift in "EL"
        ),
        rules=(MaxConsecutive(name="four days", days=4),),
    )


def test_the_bound_of_a_desk_by_hand() -> None:
    # two people for five days, four of which each may work: two duties of ten are missing
    relaxation = Relaxation(RosterModel(desk(2, 5), Grid.empty(desk(2, 5)), hint=False), 1)
    assert relaxation.solve(None)
    assert relaxation.bound == pytest.approx(20)
    assert solve(desk(2, 5), Params(effort=5.0, seconds=None)).cost == 20


def test_without_time_there_is_no_bound() -> None:
    problem = desk(12, 28)
    relaxation = Relaxation(RosterModel(problem, Grid.empty(problem), hint=False), 1)
    assert not relaxation.solve(1e-9)
    assert relaxation.bound == -math.inf
    assert relaxation.near(None) is None


def test_near_cells_are_fewer_and_repeat_with_the_seed() -> None:
    problem = desk(6, 10)

    def near(seed: int) -> np.ndarray:
        relaxation = Relaxation(RosterModel(problem, Grid.empty(problem), hint=False), seed)
        relaxation.solve(None)
        found = relaxation.near(None)
        assert found is not None
        return np.append(found.allowed, found.may_rest)

    assert 0 < near(1).sum() < near(1).size
    assert (near(1) == near(1)).all()


def test_near_cells_are_those_of_the_only_best_roster() -> None:
    # one early and one late duty; each person's wish, of five, makes one way cheapest. Costs are
    # changed by less than 0.2 x 1 / 2 duties, so it stays the only one
    problem = replace(
        desk(2, 1),
        requests=(
            Request("p0", MONDAY, True, 5, "E"),
            Request("p1", MONDAY, True, 5, "L"),
        ),
    )
    relaxation = Relaxation(RosterModel(problem, Grid.empty(problem), hint=False), 1)
    assert relaxation.solve(None)
    assert relaxation.bound == pytest.approx(0, abs=1e-6)
    found = relaxation.near(None)
    assert found is not None
    assert np.argwhere(found.allowed).tolist() == [[0, 0, 0], [1, 0, 1]]
    assert not found.may_rest.any()


def test_a_round_keeps_to_the_cells_and_finds_the_best() -> None:
    problem = desk(4, 10)  # each may work eight of ten days: 4 x 2 duties of 40 are missing
    search = Search(problem, Params(seconds=20.0), time.monotonic(), None, None)
    search.begin()
    relaxed = RelaxedSearch(search.best, Solvers(), lambda: search.over, search._heard)
    assert relaxed.bound()
    assert search.bound == 80
    while not search.best.proven:
        assert relaxed.round() > 0
    assert search.best.verdict.cost == 80


def test_a_search_goes_on_where_it_was_under_other_limits() -> None:
    heard: list[Progress] = []
    problem = desk_problem(10, 14, 1)
    search = Search(problem, Params(seconds=None, effort=0.3), 0.0, heard.append, None)
    search.run()
    relaxation, (cost, bound) = search.relaxed.relaxation, (search.best.verdict.cost, search.bound)
    assert relaxation is not None
    assert search.over
    assert not search.best.proven
    drawn = [id(kinds) for kinds in search._drawn.values()]
    heard.clear()
    search.renew(Params(seconds=None, effort=0.2), 0.0)
    assert not search.over
    search.run()
    assert "lines" not in {progress.phase for progress in heard}
    assert search.relaxed.relaxation is relaxation
    assert drawn
    assert [id(kinds) for kinds in search._drawn.values()] == drawn
    assert search.best.verdict.cost <= cost
    assert search.bound >= bound


def test_a_model_is_solved_until_that_is_enough() -> None:
    problem = desk(30, 28)
    found: list[float] = []
    model = RosterModel(problem, Grid.empty(problem), hint=False)
    part = model.solve(
        Limit(60.0, None),
        1,
        on_better=lambda _, cost: found.append(cost),
        enough=lambda: bool(found),
    )
    assert part.grid is not None
    assert not part.proven  # as it is when nobody interferes


class OneCell(Relaxation):
    """Relaxed answers that use one cell only."""

    cell = (0, 0, 0)

    def near(self, seconds: float | None) -> Narrow | None:
        agents, days, shifts = self._shape
        used = Narrow(np.zeros((agents, days, shifts), bool), np.zeros((agents, days), bool))
        used.allowed[self.cell] = True
        return used


def test_a_round_near_the_bound_may_keep_every_cell_of_the_best_roster() -> None:
    problem = desk(10, 10)  # each may work eight of ten days: 10 x 2 duties of ten are missing
    search = Search(problem, Params(seconds=60.0), time.monotonic(), None, None)
    best = solve(problem, Params(seconds=None, effort=20.0))
    assert (best.cost, best.bound, best.roster is not None) == (200, 200, True)
    whole = grid_of(problem, best.roster)
    a, d = next((a, d) for a, line in enumerate(whole.cells) for d, s in enumerate(line) if s >= 0)
    less = whole.copy()
    less.cells[a][d] = -1
    search.best.offer(less)
    relaxation = OneCell(RosterModel(problem, less, hint=False), 1)
    relaxation.cell = (a, d, whole.cells[a][d])
    relaxed = RelaxedSearch(search.best, Solvers(), lambda: search.over, search._heard)
    relaxed.relaxation = relaxation
    assert relaxed.bound()
    assert search.best.verdict.cost == 210
    relaxed.round()  # one more duty, all others as they are
    assert search.best.verdict.cost == 200


def test_a_desk_beyond_the_smallest_is_relaxed_first() -> None:
    problem = desk(16, 28)
    assert sum(len(on) for line in problem.lookup.allowed for on in line) > WHOLE_FIRST
    fair = FairShare(name="fair", weight=3, measure="duties")  # ties the lines of all together
    problem = replace(problem, rules=(*problem.rules, fair))
    heard: list[Progress] = []
    result = solve(problem, Params(seconds=None, effort=20.0), heard.append)
    # of 28 days 23 may be worked: 16 x 5 duties of ten are missing, and all can have as many
    assert (result.cost, result.bound) == (800, 800)
    assert "relaxation" in {progress.phase for progress in heard}
