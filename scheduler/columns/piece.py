"""A piece of a roster, some people on some days, made anew by column generation.

Small pieces are solved to within a fraction of a percent of their bounds in seconds, where the
linear program of a whole year has no end.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scheduler.columns.cover import Cover
from scheduler.columns.dive import Dive
from scheduler.columns.generation import Course, Generation, ignore, scale_for
from scheduler.columns.kernel import Array
from scheduler.columns.people import People
from scheduler.columns.window import slice_of, span_around

NEAR_ENOUGH = 1e-3  # between mix and bound: a piece is solved more than once


class Piece:
    """Some people on a window of days; the rest of the roster stays as it is."""

    def __init__(
        self, people: People, cover: Cover, grid: Array, window: range, who: Array, share: int = 1
    ) -> None:
        span = span_around(people, window)
        self.who, self.days = who, slice(span.start, span.stop)
        slices = [slice_of(people, a, grid[a], window, span, share) for a in who.tolist()]
        persons = tuple(each.person for each in slices)
        self.people = People(persons, people.units, slices[0].opens, 0)
        part, rows = cover.within(window, span)
        self.lines: Array = grid[who, self.days]  # the best so far
        others = cover.counts(grid)[rows] - part.beside(np.zeros(1, int), who).counts(self.lines)
        self.cover = part.beside(others, who)
        self.cost = self.cover.total(self.people, self.lines)

    def improve(self, course: Course, threads: int, seed: int) -> None:
        """Generate columns, then dive once unless the bound says that nothing is to be gained.

        Of the course around only the limits count: what is found here is offered to this piece.
        """
        if not scale_for(self.people, self.cover):
            return
        course = replace(course, offer=self._offer, raise_bound=ignore)
        generation = Generation(self.people, self.cover, course, threads, seed)
        generation.near_enough = NEAR_ENOUGH
        generation.start_from(self.lines)
        generation.generate()
        if generation.bound <= self.cost - 1:
            Dive(generation).run()

    def _offer(self, lines: Array, cost: int) -> None:
        if cost <= self.cost:
            self.lines, self.cost = lines.copy(), cost

    def put_into(self, grid: Array) -> Array:
        """The roster with this piece in it."""
        changed = grid.copy()
        changed[self.who, self.days] = self.lines
        return changed
