"""Sweeps: window after window over all days, each made anew by column generation.

For problems with too many rows for one linear program. Windows of one sweep are solved side by
side in lanes, every second one first, so that no two at a time are neighbours; the next sweep cuts
the days elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from scheduler.columns.cover import Cover
from scheduler.columns.generation import Course
from scheduler.columns.kernel import Array
from scheduler.columns.people import People
from scheduler.columns.piece import Piece

ROWS = 250  # of cover in a window: about four seconds
WEEK = 7
LEAST_GAIN = 0.002  # of the cost, from a sweep worth another by all


@dataclass(frozen=True, slots=True)
class Shared:
    """The best roster, as sweeps share it with the search around them.

    `offer` takes a grid and the one it came from.
    """

    grid: Callable[[], Array]
    cost: Callable[[], int]
    offer: Callable[[Array, Array], Any]


class Sweeps:
    """Sweeps over one problem's days, as many as are asked for."""

    def __init__(
        self, people: People, cover: Cover, course: Course, shared: Shared, seed: int
    ) -> None:
        self.people, self.cover, self.course, self.shared = people, cover, course, shared
        self.rng = np.random.default_rng(seed)
        self.days = people.size[0]
        weeks = round(ROWS * self.days / len(cover.day) / WEEK)
        self.length = min(self.days, WEEK * max(1, weeks))

    def run(self, workers: int) -> bool:
        """One sweep; False when it gained little."""
        cost = self.shared.cost()
        windows = self.windows()
        for start in (0, 1):
            self._side_by_side(windows[start::2], workers)
        return cost - self.shared.cost() >= LEAST_GAIN * cost

    def windows(self) -> list[range]:
        """The days cut into windows, the first cut drawn; short ends join their neighbours."""
        first = int(self.rng.integers(self.length))
        cuts = range(first, self.days, self.length)
        inner = [cut for cut in cuts if self.length // 2 <= cut <= self.days - self.length // 2]
        edges = [0, *inner, self.days]
        return [range(start, end) for start, end in pairwise(edges)]

    def _side_by_side(self, windows: list[range], workers: int) -> None:
        lanes = max(1, min(workers, len(windows)))
        with ThreadPoolExecutor(lanes) as pool:
            list(pool.map(lambda window: self._make(window, lanes, workers // lanes), windows))

    def _make(self, window: range, lanes: int, threads: int) -> None:
        """One window, with the part of everybody's limits that falls to this lane."""
        if self.course.over():
            return
        base = self.shared.grid()
        everybody = np.arange(len(self.people.persons))
        piece = Piece(self.people, self.cover, base, window, everybody, lanes)
        piece.improve(self.course, threads, seed=window.start)
        self.shared.offer(piece.put_into(base), base)
