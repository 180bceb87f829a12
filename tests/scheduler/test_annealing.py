"""Annealing: what its tables say a roster costs against the judge, and what its runs may do."""

from __future__ import annotations

import itertools
import random
import time
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest

from benchmarks.rosters.desk import desk_problem
from scheduler.annealed_search import LEAST_SECONDS, AnnealedSearch, time_for
from scheduler.annealing import kernel
from scheduler.annealing.anneal import TRIES, Annealing, get_ready, ready
from scheduler.annealing.record import EXCESS, SPREAD, TABLE, Group, Record
from scheduler.annealing.tables import MOST_KINDS, tables_of
from scheduler.model import roster_of
from scheduler.problem import (
    Agent,
    Apart,
    Day,
    FairShare,
    Lock,
    MaxConsecutive,
    MaxWeekends,
    MinutesLimit,
    PastShare,
    Post,
    Request,
    RosterProblem,
    Rule,
    Shift,
    ShiftCover,
    Stability,
)
from scheduler.result import Params
from scheduler.search import WHOLE_FIRST, Search
from scheduler.variables import OFF, Grid, Narrow
from scheduler.verify import Verdict, verify
from tests.scheduler.test_model_against_all_rosters import CASES, PROBLEMS, Desk, grids, named

MONDAY = date(2026, 3, 2)
ONE = (Shift("D", 480, 960),)


def desk(agents: str, days: int, *rules: Rule, **parts: Any) -> RosterProblem:
    """People with one shift a day, from a Monday on."""
    given: dict[str, Any] = {
        "agents": tuple(Agent(name) for name in agents),
        "days": tuple(Day(MONDAY + timedelta(days=n)) for n in range(days)),
        "shifts": ONE,
        "rules": rules,
    }
    return RosterProblem(**{**given, **parts})


def annealing(problem: RosterProblem, seed: int = 1) -> Annealing:
    found = Annealing.of(problem, seed)
    assert found is not None
    return found


def judged(problem: RosterProblem, grid: Grid) -> Verdict:
    return verify(problem, roster_of(problem, grid))


def told(under_way: Annealing, grid: Grid) -> tuple[int, int]:
    under_way.start(grid)
    return under_way.cost


@cache
def team() -> RosterProblem:
    return desk_problem(20, 14, 1)


# -- what is written down --------------------------------------------------------------------------


def test_a_rule_becomes_rows_and_what_always_holds_none() -> None:
    # items are agent · days + day, with one shift; of two days in a row one may be worked
    record = Record(desk("AB", 3, MaxConsecutive(name="x", days=1)))
    assert [(g.kind, g.weight, g.rows) for g in record.groups] == [
        (EXCESS, None, [({n: 1, n + 1: 1}, -1)]) for n in (0, 1, 3, 4)
    ]
    assert Record(desk("AB", 3, MaxConsecutive(name="x", days=3))).groups == []


def test_a_weekend_is_worked_when_any_of_its_days_is() -> None:
    # Saturday and Sunday are days 5 and 6; two people, so items 5, 6 and 12, 13; 14 and 15 stand
    # for the weekends
    record = Record(desk("AB", 7, MaxWeekends(name="x", weekends=0, weight=4)))
    assert record.any_of == [[5, 6], [12, 13]]
    assert record.groups == [Group(EXCESS, 4, 1, [({n: 1}, 0)]) for n in (14, 15)]


def test_shares_become_a_spread_and_one_person_has_nothing_to_share() -> None:
    rule = FairShare(name="x", weight=5, measure="duties")
    (group,) = Record(desk("AB", 2, rule)).groups
    assert (group.kind, group.weight, len(group.rows)) == (SPREAD, 5, 2)
    assert Record(desk("A", 2, rule)).groups == []


def test_a_cover_becomes_a_price_list() -> None:
    # two wanted, 20 for one too few, 3 for one too many: 40, 20, 0, 3
    cover = ShiftCover(MONDAY, "D", 2, under_weight=20, over_weight=3)
    tables = tables_of(desk("ABC", 1, shift_cover=(cover,)))
    assert tables is not None
    assert tables.sums.kind.tolist() == [TABLE]
    assert tables.sums.table.tolist() == [40, 20, 0, 3]


def test_covers_of_more_kinds_than_fit_a_word_are_left_to_the_solver() -> None:
    def wanting(skills: int) -> RosterProblem:
        names = [f"s{n}" for n in range(skills)]
        covers = tuple(
            ShiftCover(MONDAY, "D", 1, under_weight=5, skill=name, exclusive=True) for name in names
        )
        everywhere = Agent("A", skills=tuple(names))
        return replace(desk("A", 1), agents=(everywhere,), shift_cover=covers)

    assert Annealing.of(wanting(MOST_KINDS), 1) is not None
    assert Annealing.of(wanting(MOST_KINDS + 1), 1) is None


def test_weights_may_be_large_and_sums_too_large_are_left_to_the_solver() -> None:
    # nobody there on two days: two times four thousand million
    covers = tuple(
        ShiftCover(MONDAY + timedelta(days=n), "D", 1, under_weight=4 * 10**9) for n in range(2)
    )
    dear = desk("A", 2, shift_cover=covers)
    assert told(annealing(dear), Grid.empty(dear)) == (0, 8 * 10**9)
    past = (PastShare("A", 3 * 10**9),)
    beyond = MinutesLimit(name="x", period="horizon", maximum=480, past=past, weight=1)
    assert Annealing.of(desk("A", 2, beyond), 1) is None


def test_where_nothing_may_be_chosen_there_is_nothing_to_anneal() -> None:
    locked = (Lock("A", MONDAY, "D"),)
    assert Annealing.of(desk("A", 1, locks=locked), 1) is None


# -- what rosters cost -----------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_rule_costs_what_the_judge_says(case: tuple[Desk, Rule]) -> None:
    where, rule = case
    soft = where.problem(replace(rule, weight=3))
    always_soft = isinstance(rule, (FairShare, Stability))
    priced, strict = annealing(soft), annealing(soft if always_soft else where.problem(rule))
    every = where.rosters()
    for lines in random.Random(2).sample(every, min(25, len(every))):
        grid = Grid([list(line) for line in lines], {})
        cost = judged(soft, grid).cost
        assert told(priced, grid) == (0, cost)
        if not always_soft:  # as a hard rule it may count in other units
            broken, left = told(strict, grid)
            assert (broken > 0, left) == (cost > 0, 0)


@pytest.mark.parametrize("name", PROBLEMS)
def test_covers_and_posts_cost_what_the_judge_says(name: str) -> None:
    problem = PROBLEMS[name]
    under_way = annealing(problem)
    every = list(grids(problem))
    for grid in random.Random(2).sample(every, min(150, len(every))):
        verdict = judged(problem, grid)
        if verdict.valid:
            assert told(under_way, grid) == (0, verdict.cost)


def test_wishes_cost_whether_met_or_not() -> None:
    # a wish for Monday's shift of weight 5, and one for Tuesday off of weight 2
    asked = (Request("A", MONDAY, True, 5, "D"), Request("A", MONDAY + timedelta(days=1), False, 2))
    under_way = annealing(desk("A", 2, requests=asked))
    costs = [
        told(under_way, Grid([list(line)], {}))[1] for line in itertools.product((OFF, 0), repeat=2)
    ]
    assert costs == [5, 5 + 2, 0, 2]


def test_after_many_moves_the_cost_is_still_what_the_judge_says() -> None:
    problem = team()
    under_way = annealing(problem)
    under_way.start(Grid.empty(problem))
    for heat in (200.0, 20.0, 2.0):
        assert under_way.step(TRIES, heat, 50.0) > 0
    hard, soft = under_way.best_cost
    verdict = judged(problem, under_way.best())
    assert verdict.cost == soft
    assert verdict.valid == (hard == 0)
    # and the roster as it is, priced move by move, costs what it costs when priced anew
    before = under_way.cost
    assert told(under_way, under_way.now()) == before


# -- what a run may do -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_run_finds_the_best_of_a_tiny_desk(name: str) -> None:
    problem = PROBLEMS[name]
    best = min(v.cost for v in (judged(problem, grid) for grid in grids(problem)) if v.valid)
    under_way = annealing(problem)
    under_way.start(Grid.empty(problem))
    grid, _ = under_way.run((20.0, 0.5), lambda tried: tried / 40_000)
    verdict = judged(problem, grid)
    assert (verdict.valid, verdict.cost) == (True, best)


def test_what_is_locked_stays_and_a_narrowed_run_leaves_other_cells_alone() -> None:
    # A is locked to Monday's shift, and B has her post that day
    lead = Post("lead", (MONDAY,), weight=50)
    covers = tuple(ShiftCover(MONDAY + timedelta(days=n), "D", 2, under_weight=9) for n in range(3))
    problem = desk("AB", 3, Apart(name="x", agents=("A", "B"), on_same="day", weight=1),
                   shift_cover=covers, posts=(lead,), locks=(Lock("A", MONDAY, "D"),))  # fmt: skip
    under_way = annealing(problem)
    none = Narrow(np.zeros((2, 3, 1), bool), np.ones((2, 3), bool))
    none.allowed[1, 2, 0] = True  # B on Wednesday, nobody else anywhere
    start = Grid([[0, OFF, OFF], [OFF, OFF, OFF]], {})
    under_way.narrow(none)
    under_way.start(start)
    grid, _ = under_way.run((20.0, 0.5), lambda tried: tried / 8_000)
    assert grid.cells == [[0, OFF, OFF], [OFF, OFF, 0]]
    # with all cells again: two on every day cost 1 each, one too few 9
    under_way.narrow(None)
    under_way.start(start)
    grid, _ = under_way.run((20.0, 0.5), lambda tried: tried / 8_000)
    assert grid.cells == [[0, 0, 0], [0, 0, 0]]
    assert len(grid.held[0, 0]) == 1


def test_a_holder_relieved_of_a_day_leaves_the_post_to_who_takes_it() -> None:
    # one is wanted on Monday, and she leads; both want the day off, A the more
    lead = Post("lead", (MONDAY,), weight=50, shifts=("D",))
    cover = ShiftCover(MONDAY, "D", 1, under_weight=20, over_weight=20)
    asked = (Request("A", MONDAY, False, 8), Request("B", MONDAY, False, 3))
    problem = desk("AB", 1, shift_cover=(cover,), posts=(lead,), requests=asked)
    under_way = annealing(problem)
    under_way.start(Grid([[0], [OFF]], {(0, 0): (0,)}))
    # so cold that nothing dearer is taken on the way: only both at once will do
    under_way.step(TRIES, 0.1, 1e6)
    best = under_way.best()
    assert (best.cells, best.held) == ([[OFF], [0]], {(0, 0): (1,)})


# -- within a search -------------------------------------------------------------------------------


def search_of(problem: RosterProblem, **limits: Any) -> Search:
    return Search(problem, Params(workers=1, **limits), time.monotonic(), None, None)


def test_large_desks_begin_with_annealing_and_small_ones_and_short_times_do_not() -> None:
    assert search_of(team(), effort=1.0, seconds=None).annealed is not None
    small = desk("AB", 3, FairShare(name="x", weight=5, measure="duties"))
    few = search_of(small, effort=1.0, seconds=None)
    assert few.literals <= WHOLE_FIRST
    assert few.annealed is None
    assert not time_for(LEAST_SECONDS - 1)
    assert time_for(LEAST_SECONDS)
    assert time_for(None)


def test_a_desk_beyond_what_can_be_written_down_is_searched_without_annealing() -> None:
    names = tuple(f"s{n}" for n in range(MOST_KINDS + 1))
    day, shift = team().days[0].date, team().shifts[0].id
    covers = tuple(
        ShiftCover(day, shift, 1, under_weight=5, skill=name, exclusive=True) for name in names
    )
    agents = tuple(replace(agent, skills=(*agent.skills, *names)) for agent in team().agents)
    wide = replace(team(), agents=agents, shift_cover=(*team().shift_cover, *covers))
    search = search_of(wide, effort=0.3, seconds=None)
    search.run()
    assert search.best.verdict.valid
    assert search.annealed is None


def test_a_part_with_little_time_is_annealed_once_the_kernel_is_there() -> None:
    get_ready()
    assert ready()
    assert search_of(team(), seconds=LEAST_SECONDS - 1).annealed is not None
    # whatever the problem, it is compiled once
    under_way = annealing(team())
    under_way.narrow(Narrow(np.ones((20, 14, 4), bool), np.ones((20, 14), bool)))
    under_way.start(Grid.empty(team()))
    assert under_way.step(TRIES, 20.0, 50.0) > 0
    assert len(getattr(kernel.anneal, "signatures", ())) == 1


def test_a_first_roster_is_lawful_and_the_same_for_the_same_effort() -> None:
    rosters = []
    for _ in range(2):
        search = search_of(team(), effort=0.2, seconds=None)
        assert isinstance(search.annealed, AnnealedSearch)
        assert search.annealed.first()
        first = search.best.verdict
        assert first.valid
        search.annealed.settle(None)
        assert search.best.verdict.cost <= first.cost
        rosters.append(search.roster)
    assert rosters[0] == rosters[1]
