"""Pieces and sweeps: parts of a roster made anew, lawful, never dearer, as good as proven."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.columns.cover import Cover
from scheduler.columns.generation import Course, ignore
from scheduler.columns.kernel import Array
from scheduler.columns.people import People, compiled
from scheduler.columns.piece import Piece
from scheduler.columns.sweep import Shared, Sweeps
from scheduler.model import Limit, RosterModel, roster_of
from scheduler.problem import (
    Agent,
    Day,
    MaxConsecutive,
    MaxWeekends,
    MinConsecutive,
    MinDaysOff,
    RosterProblem,
    Shift,
    ShiftCover,
)
from scheduler.variables import Grid
from scheduler.verify import verify

MONDAY = date(2026, 3, 2)
SHIFTS = (Shift("D", 480, 960), Shift("N", 1320, 1740, night=True))


def desk(people: int, days: int, seed: int, minutes: tuple[int, int]) -> RosterProblem:
    rng = np.random.default_rng(seed)
    dates = [MONDAY + timedelta(days=i) for i in range(days)]
    return RosterProblem(
        agents=tuple(
            Agent(f"p{i}", min_minutes=minutes[0], max_minutes=minutes[1]) for i in range(people)
        ),
        days=tuple(Day(d) for d in dates),
        shifts=SHIFTS,
        shift_cover=tuple(
            ShiftCover(d, s, int(rng.integers(0, 3)), under_weight=20, over_weight=1)
            for d in dates
            for s in ("D", "N")
        ),
        rules=(
            MaxConsecutive(name="five", days=5),
            MinConsecutive(name="two", days=2),
            MinDaysOff(name="two off", days=2),
            MaxWeekends(name="weekends", weekends=2),
        ),
    )


def lawful_grid(problem: RosterProblem) -> Array:
    """Any lawful roster."""
    model = RosterModel(problem, Grid.empty(problem), hint=False)
    part = model.solve(Limit(None, 60.0), 1, manner="any")
    assert part.grid is not None
    return np.array(part.grid.cells)


def judged(problem: RosterProblem, grid: Array) -> Any:
    return verify(problem, roster_of(problem, Grid(grid.tolist(), {})))


UNLIMITED = Course(
    lambda: False, lambda: None, lambda grid, cost: None, ignore, lambda effort: None
)


def made(people: People, cover: Cover, grid: Array, window: range, who: Array, share: int) -> Array:
    piece = Piece(people, cover, grid, window, who, share)
    piece.improve(UNLIMITED, 1, 1)
    return piece.put_into(grid)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 9), st.integers(3, 8))
def test_a_piece_made_anew_is_as_good_as_what_is_proven(seed: int, first: int, days: int) -> None:
    problem = desk(4, 16, seed, (5 * 420, 9 * 480))
    people, cover, grid = compiled(problem), Cover.of(problem), lawful_grid(problem)
    assert people is not None
    window, who = range(first, min(16, first + days)), np.array([0, 2, 3])
    new = made(people, cover, grid, window, who, 1)
    kept = np.ones(grid.shape, bool)
    kept[np.ix_(who, window)] = False
    assert (new[kept] == grid[kept]).all()
    verdict = judged(problem, new)
    assert verdict.valid
    free = {(int(a), d) for a in who for d in window}
    proven = RosterModel(problem, Grid(grid.tolist(), {}), free).solve(Limit(None, 60.0), 1)
    assert proven.proven
    assert proven.grid is not None
    best = verify(problem, roster_of(problem, proven.grid)).cost
    # within a person short of the best, and no dearer than before
    assert best <= verdict.cost <= min(judged(problem, grid).cost, best + 20)


def test_pieces_made_side_by_side_fit_together() -> None:
    problem = desk(4, 28, 5, (8 * 420, 12 * 480))
    people, cover, grid = compiled(problem), Cover.of(problem), lawful_grid(problem)
    assert people is not None
    who = np.arange(4)
    first = made(people, cover, grid, range(10), who, 2)
    last = made(people, cover, grid, range(18, 28), who, 2)
    both = np.where(first != grid, first, last)
    verdict = judged(problem, both)
    assert verdict.valid
    gains = [judged(problem, grid).cost - judged(problem, each).cost for each in (first, last)]
    assert min(gains) >= 0
    assert verdict.cost == judged(problem, grid).cost - sum(gains)


class Kept:
    """The best roster of a search, judged."""

    def __init__(self, problem: RosterProblem, grid: Array) -> None:
        self.problem, self.grid, self.cost = problem, grid, judged(problem, grid).cost

    def offer(self, grid: Array, base: Array) -> None:
        merged = np.where(grid != base, grid, self.grid)
        verdict = judged(self.problem, merged)
        assert verdict.valid
        if verdict.cost <= self.cost:
            self.grid, self.cost = merged, verdict.cost


def test_sweeps_cover_all_days_and_end_when_they_gain_little() -> None:
    problem = desk(5, 35, 3, (8 * 420, 14 * 480))
    people, cover = compiled(problem), Cover.of(problem)
    assert people is not None
    kept = Kept(problem, lawful_grid(problem))
    before = kept.cost
    shared = Shared(lambda: kept.grid, lambda: kept.cost, kept.offer)
    sweeps = Sweeps(people, cover, UNLIMITED, shared, 1)
    assert sweeps.length == 35  # two rows a day: all days are few enough
    sweeps.length = 7
    for _ in range(20):
        windows = sweeps.windows()
        assert [d for window in windows for d in window] == list(range(35))
        # ends shorter than half a window join their neighbours
        assert min(map(len, windows)) >= 3
    assert sweeps.run(2)
    assert kept.cost < before
    for _ in range(20):
        if not sweeps.run(2):
            break
    else:
        raise AssertionError("sweeps that gain nothing have no end")
