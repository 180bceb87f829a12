"""The part of a search that works from the linear relaxation: a bound, then rosters near it."""

from __future__ import annotations

import math
from collections.abc import Callable

from scheduler.best import Best
from scheduler.model import Limit, RosterModel, Solvers
from scheduler.relaxation import Relaxation, needed_of
from scheduler.variables import Grid, Narrow

PROGRAMS_SHARE = 0.5  # of the limit, at most, for the first two programs
FAR = 1.1  # times the bound: a roster costing more shows no good cells
FINDING_SHARE = 0.5  # of the limit, by which a roster near the bound must be there
ROUND_SHARE, FAR_SHARE = 0.15, 0.6  # of the limit for one narrowed model, near the bound and far
ROUND_LEAST = 4.0  # times what its linear program takes, at least, for the same
STALE = 2.0  # times the same: a round near the bound that long without a better roster is ended


class RelaxedSearch:
    """Rosters from the cells of relaxed answers, for a problem to which columns do not apply."""

    def __init__(
        self,
        best: Best,
        solvers: Solvers,
        over: Callable[[], bool],
        heard: Callable[[Grid], None],
    ) -> None:
        self.best, self.budget, self.solvers, self.over = best, best.budget, solvers, over
        self.heard = heard  # of a better roster
        self.relaxation: Relaxation | None = None
        self._seconds, self._effort = needed_of(best.problem)
        self.good_cells: Narrow | None = None
        self._rounds = 0
        self._better_at = 0.0  # seconds, when a round last found something better
        self._patience = 1.0  # grows while nothing near the bound is found

    def run(self, rounds: bool) -> None:
        """The bound and good cells; with `rounds` these until a roster near it is found."""
        if self.over() or not self.bound():
            return
        if not rounds:
            if self.good_cells is None:
                self.cells()
            return
        late = self.budget.share(FINDING_SHARE)
        while not self.over() and self.round() and self.far and not late():
            pass

    def bound(self) -> bool:
        """Solve the relaxation and tell its bound; False when there is no time for that."""
        if self.relaxation is None:
            left = self.budget.limit(PROGRAMS_SHARE)
            if _short(left.seconds, 2 * self._seconds) or _short(left.effort, 2 * self._effort):
                return False
            model = RosterModel(self.best.problem, self.best.grid, hint=False)
            self.relaxation = Relaxation(model, self.budget.params.seed)
        if self.relaxation.bound == -math.inf:
            self.budget.spend(self._effort)
            if not self.relaxation.solve(self.budget.limit().seconds):
                return False
        self.best.raise_bound(self.relaxation.bound)
        return True

    @property
    def far(self) -> bool:
        """Whether the best roster is so far from the bound that its cells say little."""
        return self.best.verdict.cost > FAR * self.best.bound

    def cells(self) -> Narrow | None:
        """The cells of relaxed answers, some of them new; None when they were not to be had."""
        assert self.relaxation is not None
        self.budget.spend(self._effort)
        narrow = self.relaxation.near(self.budget.limit().seconds)
        if narrow is not None:
            self.good_cells = narrow
        return narrow

    def round(self) -> float:
        """The best roster of the cells of relaxed answers and of the best so far.

        Returns the effort; 0 when a relaxed answer was not to be had.
        """
        narrow = self.cells()
        if narrow is None:
            return 0.0
        base = self.best.grid
        close = not self.far
        if close:
            narrow = narrow.with_cells_of(base)
        model = RosterModel(self.best.problem, base, narrow=narrow, hint=close)
        self._rounds += 1
        self._better_at = self.budget.seconds
        part = model.solve(
            self._limit(),
            self.budget.params.seed + self._rounds,
            manner="soon",
            on_better=self._better,
            solvers=self.solvers,
            enough=None if self.budget.repeatable else self._stale,
        )
        self._patience = 2 * self._patience if self.far else 1.0
        self.budget.spend(part.effort)
        return part.effort + self._effort

    def _better(self, grid: Grid, _: float) -> None:
        self._better_at = self.budget.seconds
        self.heard(grid)

    def _stale(self) -> bool:
        waited = self.budget.seconds - self._better_at
        return not self.far and waited > STALE * self._seconds

    def _limit(self) -> Limit:
        """Of a round: a fair share, but no less than what finds a roster as a rule."""
        share = FAR_SHARE if self.far else ROUND_SHARE
        fair, left = self.budget.limit(share), self.budget.limit()

        def within(left: float | None, fair: float | None, program: float) -> float | None:
            if left is None or fair is None:
                return None
            return min(left, self._patience * max(fair, ROUND_LEAST * program))

        return Limit(
            within(left.seconds, fair.seconds, self._seconds),
            within(left.effort, fair.effort, self._effort),
        )


def _short(left: float | None, wanted: float) -> bool:
    return left is not None and left < wanted
