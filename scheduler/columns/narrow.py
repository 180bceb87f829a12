"""Which cells a roster close to the bound can use: fixing by reduced cost.

At any prices, a roster costs at least the Lagrangian bound plus, for one cell it uses, what the
person's cheapest line through that cell costs beyond her cheapest line. Cells for which that
exceeds a margin cannot be part of a roster that costs no more than bound + margin.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from scheduler.columns.generation import Generation
from scheduler.columns.kernel import Array
from scheduler.columns.pricing import Pricer
from scheduler.variables import Narrow

CLOSE = 1.0  # margins up to this need not be told apart


class Margins:
    """What each cell costs, at the prices of the best bound, beyond the person's cheapest line."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        centre = generation.centre
        assert centre is not None
        self._parts = np.rint(centre.rows * generation.scale).astype(np.int64)
        shape = generation.allowed.shape
        self.duty = np.full(shape, np.inf)
        self.rest = np.full(shape[:2], np.inf)
        self._cheapest = np.zeros(shape[0], np.int64)

    @property
    def bound(self) -> float:
        """The Lagrangian bound that the margins are beyond."""
        generation = self.generation
        lines = int(self._cheapest.sum()) + generation.cover.least(self._parts, generation.scale)
        return generation.people.constant + lines / generation.scale

    def measure(self) -> bool:
        """Price a line through every cell; False when time ran out."""
        pricers = self.generation.pricers
        with ThreadPoolExecutor(len(pricers)) as pool:
            done = pool.map(self._measure_some, range(len(pricers)))
            return all(list(done))

    def _measure_some(self, number: int) -> bool:
        generation = self.generation
        pricer = generation.pricers[number]
        for a in range(number, generation.n, len(generation.pricers)):
            if generation.over:
                return False
            self._measure_person(a, pricer)
        return True

    def _measure_person(self, a: int, pricer: Pricer) -> None:
        generation = self.generation
        person = generation.people.persons[a]
        costs = person.costs * generation.scale - generation.cover.cells(self._parts, a)
        habit, opens = generation.habits[a], generation.people.opens
        cheapest = pricer.cheapest(person, habit, costs, opens)
        self._cheapest[a] = cheapest.bound
        if cheapest.line is not None:
            self._cover(a, cheapest.line, 0.0)
        for d in range(person.may_rest.shape[0]):
            for s in (-1, *np.flatnonzero(person.allowed[d])):
                if self._known(a, d, int(s)) or (s < 0 and not person.may_rest[d]):
                    continue
                allowed, may_rest = person.allowed.copy(), person.may_rest.copy()
                allowed[d], may_rest[d] = False, s < 0
                if s >= 0:
                    allowed[d, s] = True
                forced = replace(person, allowed=allowed, may_rest=may_rest)
                found = pricer.price(forced, habit, costs, opens)
                beyond = max(0, found.bound - cheapest.bound) / generation.scale
                self._note(a, d, int(s), beyond)
                if beyond <= CLOSE and found.line is not None:
                    self._cover(a, found.line, beyond)

    def _known(self, a: int, d: int, s: int) -> bool:
        return bool(np.isfinite(self.rest[a, d] if s < 0 else self.duty[a, d, s]))

    def _note(self, a: int, d: int, s: int, beyond: float) -> None:
        if s < 0:
            self.rest[a, d] = min(self.rest[a, d], beyond)
        else:
            self.duty[a, d, s] = min(self.duty[a, d, s], beyond)

    def _cover(self, a: int, line: Array, beyond: float) -> None:
        """Note a line's cells: none of them needs pricing, as all stay within the least margin."""
        for d, s in enumerate(line):
            self._note(a, d, int(s), beyond)

    def within(self, margin: float) -> Narrow:
        """The cells whose margin is at most so much, or too small to have been measured."""
        margin = max(margin, CLOSE)
        return Narrow(self.duty <= margin, self.rest <= margin)
