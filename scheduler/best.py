"""The best roster and the best bound of a solve."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field

from scheduler.budget import Budget
from scheduler.model import roster_of
from scheduler.problem import RosterProblem
from scheduler.result import Progress, ProgressCallback
from scheduler.variables import Grid
from scheduler.verify import Verdict, verify

ROUNDING = 1e-6


@dataclass
class Best:
    """The best roster so far and the best bound, shared by all who search."""

    problem: RosterProblem
    budget: Budget
    progress: ProgressCallback | None
    grid: Grid
    verdict: Verdict
    bound: int = 0  # no cost is below zero
    phase: str = "start"
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def key(self, verdict: Verdict) -> tuple[int, int]:
        """What is better: fewer hard violations, then lower cost."""
        return sum(breach.amount for breach in verdict.violations), verdict.cost

    @property
    def proven(self) -> bool:
        return self.verdict.valid and self.verdict.cost <= self.bound

    def offer(self, grid: Grid, parent: Grid | None = None) -> bool:
        """Take a grid that is no worse; True when it is better.

        A grid made from an older parent is merged: its changes are put onto the best.
        """
        verdict = verify(self.problem, roster_of(self.problem, grid))
        with self._lock:
            if parent is not None and not parent.same_as(self.grid):
                merged = _merged(self.grid, parent, grid)
                merged_verdict = verify(self.problem, roster_of(self.problem, merged))
                if self.key(merged_verdict) < self.key(verdict):
                    grid, verdict = merged, merged_verdict
            if self.key(verdict) > self.key(self.verdict):
                return False
            better = self.key(verdict) < self.key(self.verdict)
            self.grid, self.verdict = grid, verdict
        if better:
            self.tell()
        return better

    def raise_bound(self, bound: float) -> None:
        """Take a proven bound on the cost; costs are whole numbers."""
        if not math.isfinite(bound):
            return
        whole = math.ceil(bound - ROUNDING)
        with self._lock:
            if whole <= self.bound:
                return
            self.bound = whole
        self.tell()

    def tell(self) -> None:
        if self.progress is not None:
            self.progress(Progress(self.budget.seconds, self.verdict.cost, self.bound, self.phase))


def _merged(best: Grid, parent: Grid, child: Grid) -> Grid:
    merged = best.copy()
    for a, line in enumerate(child.cells):
        for d, s in enumerate(line):
            if s != parent.cells[a][d]:
                merged.cells[a][d] = s
    for place in child.held.keys() | parent.held.keys():
        if child.held.get(place) != parent.held.get(place):
            merged.held[place] = child.held.get(place, ())
    return merged
