"""The part of a search that anneals: a first roster, and better ones from the best so far."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cached_property

from scheduler.annealing.anneal import EFFORT, Annealing, ready
from scheduler.best import Best
from scheduler.variables import Narrow

LEAST_SECONDS = 6.0  # of a limit within which the kernel may be compiled
FIRST_MOVES, AGAIN_MOVES = 1_000, 3_500  # for each cell, for a first roster and each time after
FIRST_SHARE, AGAIN_SHARE = 0.3, 0.2  # of the limit, at most, for the same
# temperatures, of what an empty roster costs for a cell: at first and in the end, and between which
# to begin from the best so far, among all cells and among good ones; and no less than
HOT, COLD = 0.07, 0.0035
AGAIN_FROM, AGAIN_TO, NARROW_FROM, NARROW_TO = 0.007, 0.03, 0.03, 0.07
LEAST_HOT, LEAST_COLD = 2.0, 0.2
NARROWED = 0.8  # of the times among good cells


def time_for(seconds: float | None) -> bool:
    """Whether a limit leaves time to compile the kernel, should it have to be."""
    return seconds is None or seconds >= LEAST_SECONDS


class AnnealedSearch:
    """Annealing for one problem, sharing the best roster with the rest of the search."""

    def __init__(self, best: Best, over: Callable[[], bool]) -> None:
        self.best, self.budget, self.over = best, best.budget, over
        self._random = random.Random(self.budget.params.seed)
        self._settled = False
        look = best.problem.lookup
        self._cells = look.n_agents * look.n_days
        self._scale = best.verdict.cost / self._cells

    @classmethod
    def of(cls, best: Best, over: Callable[[], bool]) -> AnnealedSearch | None:
        """None when there might not even be time to compile."""
        return cls(best, over) if ready() or time_for(best.budget.params.seconds) else None

    @cached_property
    def _annealing(self) -> Annealing | None:
        return Annealing.of(self.best.problem, self.budget.params.seed)

    @property
    def able(self) -> bool:
        """Whether the problem can be written down for it."""
        return self._annealing is not None

    def first(self) -> bool:
        """A first roster; False when none was found that is lawful."""
        self._run(HOT, FIRST_MOVES, FIRST_SHARE)
        return self.best.verdict.valid

    def settle(self, good: Narrow | None) -> None:
        """Once: from the best roster on."""
        if not self._settled and not self.over():
            self._settled = True
            self.again(good)

    def again(self, good: Narrow | None) -> float:
        """From the best roster on, a little, as a rule among good cells and its own; the effort."""
        hot = self._random.uniform(AGAIN_FROM, AGAIN_TO)
        narrow = None
        if good is not None and self._random.random() < NARROWED:
            hot = self._random.uniform(NARROW_FROM, NARROW_TO)
            narrow = good.with_cells_of(self.best.grid)
        return self._run(hot, AGAIN_MOVES, AGAIN_SHARE, narrow)

    def _run(self, hot: float, moves: int, share: float, narrow: Narrow | None = None) -> float:
        """Anneal for so many moves a cell, or that share of the limit; the effort."""
        if self._annealing is None:
            return 0.0
        self._annealing.narrow(narrow)
        self._annealing.start(self.best.grid)
        self._annealing.step(0, 1.0, 1.0)  # compiled before the time runs
        begun, whole = self.budget.seconds, moves * self._cells
        most = self.budget.limit(share)

        def done(tried: int) -> float:
            if self.over():
                return 1.0
            parts = [tried / whole]
            if most.effort is not None:
                parts.append(EFFORT * tried / max(most.effort, EFFORT))
            if most.seconds is not None:
                parts.append((self.budget.seconds - begun) / max(most.seconds, 1e-3))
            return max(parts)

        heat = max(hot * self._scale, LEAST_HOT), max(COLD * self._scale, LEAST_COLD)
        grid, effort = self._annealing.run(heat, done)
        self.budget.spend(effort)
        self.best.offer(grid)
        return effort
