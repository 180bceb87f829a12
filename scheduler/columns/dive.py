"""A dive: fix the cells the linear program is surest of, price again, until lines are whole.

Fixing cells rather than lines leaves pricing room to repair (Ryan and Foster 1981).
"""

from __future__ import annotations

import numpy as np

from scheduler.columns.generation import Generation
from scheduler.columns.kernel import Array
from scheduler.columns.master import Column

SURE = 0.99  # share from which a cell counts as decided
PACE = 0.04  # of the cells with a duty, fixed in each step beside those
ROUNDS = 3  # of pricing after each step; one where a round is slow
SLOW = 0.4  # seconds
POLISH = 4  # sweeps over all people at the end


class Dive:
    """One way down from the linear program to a roster."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self.rng = generation.rng
        self.fixed = np.zeros(generation.may_rest.shape, bool)

    def run(self) -> None:
        """Dive, offer the roster at the bottom, and leave all columns open."""
        generation = self.generation
        wide = generation.allowed, generation.may_rest
        generation.allowed, generation.may_rest = wide[0].copy(), wide[1].copy()
        try:
            whole = self._down()
        finally:
            generation.allowed, generation.may_rest = wide
            generation.master.open_only(*wide)
        if whole is not None:
            generation.polish(whole, POLISH)

    def _down(self) -> Array | None:
        generation, master = self.generation, self.generation.master
        slow = generation.seconds_a_round > SLOW
        while not generation.over:
            if master.solve(generation.course.seconds_left()) is None:
                return None
            shares = master.shares()
            if not self._fix(shares):
                return self._roster()
            master.open_only(generation.allowed, generation.may_rest)
            generation.generate(1 if slow else ROUNDS)
        return self._roster()

    def _fix(self, shares: Array) -> bool:
        """Fix what is sure and a few cells more; False when every duty is fixed."""
        cells = np.argwhere(shares > 1e-6)
        open_cells = cells[~self.fixed[cells[:, 0], cells[:, 1]]]
        if not len(open_cells):
            return False
        values = shares[tuple(open_cells.T)] + 1e-3 * self.rng.random(len(open_cells))
        order = np.argsort(-values, kind="stable")
        quota = max(3, int(PACE * shares.sum()))
        columns = self._open_columns()
        for index in order:
            a, d, s = (int(x) for x in open_cells[index])
            if values[index] < SURE:
                if quota <= 0:
                    break
                quota -= 1
            left = [column for column in columns[a] if column.line[d] == s]
            if left and not self.fixed[a, d]:
                columns[a] = left
                self._set(a, d, s)
        return True

    def _set(self, a: int, d: int, s: int) -> None:
        self.fixed[a, d] = True
        self.generation.allowed[a, d] = False
        self.generation.allowed[a, d, s] = True
        self.generation.may_rest[a, d] = False

    def _open_columns(self) -> list[list[Column]]:
        found: list[list[Column]] = [[] for _ in range(self.generation.n)]
        for column in self.generation.master.columns:
            if column.open:
                found[column.agent].append(column)
        return found

    def _roster(self) -> Array | None:
        """Everybody's open column with the largest share."""
        best: dict[int, Column] = {}
        for column in self.generation.master.columns:
            now = best.get(column.agent)
            if column.open and (now is None or column.share > now.share):
                best[column.agent] = column
        if len(best) < self.generation.n:
            return None
        return np.array([best[a].line for a in range(self.generation.n)])
