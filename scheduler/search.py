"""Search: first a roster, then column generation, the whole model and neighbourhoods in turn.

Where each person's rules concern only her own line, lines come from dynamic programming and
column generation gives the bound and rosters near it; for other problems the linear relaxation of
the whole model does that, and CP-SAT the rest. All who search share the best roster and the best
bound.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from functools import partial

from scheduler.annealed_search import AnnealedSearch
from scheduler.best import Best
from scheduler.budget import Budget
from scheduler.column_search import ColumnSearch
from scheduler.columns.narrow import Margins
from scheduler.model import Limit, Part, RosterModel, Solvers, grid_of, roster_of
from scheduler.neighbourhoods import ANNEALED, LINES, RELAXED, Kind, Neighbourhoods
from scheduler.problem import RosterProblem
from scheduler.relaxed_search import RelaxedSearch
from scheduler.result import Params, ProgressCallback, Status
from scheduler.solution import Roster
from scheduler.variables import Grid, Narrow
from scheduler.verify import verify
from scheduler.watching import looking

WHOLE_MODEL = 40_000  # literals a whole model may have
WHOLE_FIRST = 800  # literals up to which the whole model is solved as soon as its relaxation
PROVABLE = 0.003  # of the bound: a gap the whole model may close
SMALL_MODEL = 4_000  # literals up to which the whole model goes first, with all workers
FIRST_SHARE = 0.6  # of the limit, for that
NEAR_SHARE = 0.3  # of the limit, for each try near the bound
NEAR = 0.002  # of the bound: how near it rosters are sought first
LINE_SHARE = 0.35  # of the limit, at most, for the first roster
LONG_LINE = 1_500  # literals of one person from which only a first line is sought
SECONDS_PER_LITERAL = 1e-4  # to build a model, at worst
TRIES = 60  # neighbourhoods there is time for, at least; but no less for each than
LEAST_TRY = Limit(1.0, 0.5)
# effort reckoned for building a model, so that tries that need no solving come to an end as well
BUILDING, BUILDING_CELL = 5e-3, 5e-5


class Search:
    """One solve of a problem."""

    def __init__(
        self,
        problem: RosterProblem,
        params: Params,
        started: float,
        progress: ProgressCallback | None,
        stop: Callable[[], bool] | None,
        closing: bool = True,
    ) -> None:
        self.problem, self.params = problem, params
        self.look = problem.lookup
        self.budget = Budget(params, started, closing)
        self.solvers = Solvers()
        self.stop = stop
        self.failed: BaseException | None = None
        self.stopped = False  # by the caller
        self.finished = False  # nothing better can be found
        self.lined = 0  # people who have been given a line
        empty = Grid.empty(problem)
        verdict = verify(problem, roster_of(problem, empty))
        self.best = Best(problem, self.budget, progress, empty, verdict)
        self.by_columns = ColumnSearch.of(self.best, lambda: self.over)
        self.relaxed = RelaxedSearch(self.best, self.solvers, lambda: self.over, self._heard)
        self.annealed = None  # where annealing is of use
        self._drawn: dict[tuple[int | str, ...], Neighbourhoods] = {}  # by seed and kinds
        self.literals = (
            sum(len(shifts) for line in self.look.allowed for shifts in line)
            + sum(len(post.days) for post in problem.posts) * self.look.n_agents
            + len(problem.interval_cover)
        )
        if self.by_columns is None and self.literals > WHOLE_FIRST:
            self.annealed = AnnealedSearch.of(self.best, lambda: self.over)

    @property
    def over(self) -> bool:
        ended = self.solvers.stopped or self.finished
        return ended or self.budget.over or self.best.proven

    @property
    def complete(self) -> bool:
        """Whether everybody has a line, lawful or not."""
        return self.lined == self.look.n_agents

    @property
    def status(self) -> Status:
        if not self.best.verdict.valid:
            return "conflict" if self.complete else "nothing_found"
        if self.best.proven:
            return "optimal"
        return "stopped" if self.stopped else "feasible"

    @property
    def roster(self) -> Roster:
        """The best so far."""
        return roster_of(self.problem, self.best.grid)

    @property
    def bound(self) -> int:
        """The best bound so far."""
        return self.best.bound

    # -- the recipe ------------------------------------------------------------------------------

    def renew(self, params: Params, started: float) -> None:
        """Other limits: what is done next goes on from what was found, learnt and built."""
        self.params = params
        self.budget.renew(params, started)
        self.solvers.stopped = False

    def begin(self) -> None:
        """A first roster, and no more."""
        with looking(self._look):
            self._first(1.0)

    def _first(self, share: float = LINE_SHARE) -> None:
        if self.complete or self._take_start():
            return
        if self.annealed is not None:
            self.best.phase = "annealing"
            if self.annealed.first():
                self.lined = self.look.n_agents
                return
        self.best.phase = "lines"
        self._lines(share)

    def run(self) -> None:
        """First a roster, then a better one and a bound, until proven or out of time."""
        with looking(self._look):
            self._first()
            if self.by_columns is not None and not self.over:
                self.best.phase = "windows"
                self.by_columns.settle()
                self.best.phase = "columns"
                self.by_columns.columns()
            elif self.best.verdict.valid and self.literals > WHOLE_FIRST:
                if self.annealed is not None and not self.annealed.able:
                    self.annealed = None
                self.best.phase = "relaxation"
                if self.literals <= self._affordable:
                    self.relaxed.run(rounds=self.annealed is None)
                if self.annealed is not None:
                    self.best.phase = "annealing"
                    self.annealed.settle(self.relaxed.good_cells)
            if self.literals <= SMALL_MODEL and not self.over and not self._beyond_proof:
                self.best.phase = "whole"
                self._small()
            self.best.phase = "neighbourhoods"
            if self.over:
                return
            if self.budget.repeatable or self.params.workers < 2:
                large = self.by_columns is None and self.literals > SMALL_MODEL
                if large and not self._beyond_proof:
                    self._whole(FIRST_SHARE, 1)
                self._neighbourhoods(self.params.seed)
            else:
                self._side_by_side()

    def _look(self) -> None:
        """Ask whether the caller wishes to stop, and pass it on."""
        if self.stop is not None and self.stop():
            self.stopped = True
        if self.stopped or self.solvers.stopped or self.budget.out_of_time:
            self.solvers.stop()

    def _take_start(self) -> bool:
        start = self.params.start
        if start is None or not verify(self.problem, start).valid:
            return False
        self.best.offer(grid_of(self.problem, start))
        self.lined = self.look.n_agents
        return True

    def _side_by_side(self) -> None:
        jobs: list[Callable[[], None]] = [
            partial(self._neighbourhoods, self.params.seed + n) for n in range(self.params.workers)
        ]
        if self.by_columns is not None:
            jobs[0] = self._dives
        elif self._affordable >= self.literals and not self._beyond_proof:
            jobs[0] = partial(self._whole, 1.0, 1)
        threads = [threading.Thread(target=self._guarded, args=[job]) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.failed is not None:
            raise self.failed

    def _guarded(self, job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:
            self.failed = error
            self.solvers.stop()

    # -- the parts -------------------------------------------------------------------------------

    def _dives(self) -> None:
        """Dive after dive, or sweep after sweep; neighbourhoods where there are no columns."""
        assert self.by_columns is not None
        while not self.over and self.by_columns.improve():
            pass
        self._neighbourhoods(self.params.seed)

    def _small(self) -> None:
        """The whole model with all workers; only near the bound where columns gave one."""
        margins = None if self.by_columns is None else self.by_columns.margins()
        if margins is not None:
            self._near_bound(margins)
        elif not self.over:
            self._whole(FIRST_SHARE, self.params.workers)

    def _near_bound(self, margins: Margins) -> None:
        """Look for rosters close to the bound, then less close: what is found there is proven."""
        margin = max(2.0, NEAR * self.best.bound)
        while not self.over and margins.bound < self.best.verdict.cost - 1:
            narrow = margins.within(margin)
            part = self._solve_whole(NEAR_SHARE, self.params.workers, narrow)
            reached = min(part.bound, margins.bound + margin)
            self.best.raise_bound(reached)
            if not part.proven:
                break
            margin *= 3

    @property
    def _beyond_proof(self) -> bool:
        """Whether the relaxation serves, and its bound is too far from the best to be met."""
        gap = self.best.verdict.cost - self.best.bound
        return self.relaxed.good_cells is not None and gap > PROVABLE * self.best.bound

    def _relax(self) -> int | None:
        """The price of a hard rule while the best roster breaks some."""
        return None if self.best.verdict.valid else self.best.verdict.cost + 1

    def _lines(self, share: float) -> None:
        """A line for one person after another, each the best beside those before.

        The hard rules are per person but for a few, so this finds a roster quickly.
        """
        if self.by_columns is not None and self.by_columns.lines():
            self.lined = self.look.n_agents
            return
        grid, self.lined = self.best.grid, 0
        waiting = sorted(range(self.look.n_agents), key=self._room)
        while waiting and not self.over:
            line = self._line(waiting[0], grid, len(waiting), share)
            if line is not None:
                grid, self.lined = line, self.lined + 1
                waiting.pop(0)
        self.best.offer(grid)

    def _room(self, a: int) -> int:
        return sum(len(shifts) for shifts in self.look.allowed[a])

    def _line(self, a: int, base: Grid, waiting: int, share: float) -> Grid | None:
        """The best line within a fair part of the time for lines, or else any line at all."""
        free = {(a, d) for d in range(self.look.n_days)}
        model = RosterModel(self.problem, base, free, hint=False)
        part = Part.nothing()
        limit = self.budget.of_first(share, waiting)
        if self._room(a) <= LONG_LINE and limit is not None:
            part = self._spent(model.solve(limit, self.params.seed, solvers=self.solvers))
        if part.grid is None and not part.proven:
            limit = self.budget.limit()
            part = self._spent(model.solve(limit, self.params.seed, 1, "any", solvers=self.solvers))
        if part.grid is None and part.proven:
            price = self.best.verdict.cost + 1
            model = RosterModel(self.problem, base, free, relax=price, hint=False)
            limit = self.budget.limit(LINE_SHARE)
            part = self._spent(model.solve(limit, self.params.seed, solvers=self.solvers))
        return part.grid

    def _spent(self, part: Part) -> Part:
        self.budget.spend(part.effort)
        return part

    @property
    def _affordable(self) -> float:
        """Literals of the largest model worth building in the time left."""
        left = self.budget.limit().seconds
        return WHOLE_MODEL if left is None else min(WHOLE_MODEL, left / 3 / SECONDS_PER_LITERAL)

    def _whole(self, share: float, workers: int) -> None:
        """All cells at once: the only part that can prove, where columns cannot."""
        if self.literals > self._affordable:
            return
        relax = self._relax()
        part = self._solve_whole(share, workers, None, relax)
        if relax is None:
            self.best.raise_bound(part.bound)
        elif part.proven:
            # nothing breaks fewer hard rules, and with that many broken nothing costs less
            self.finished = True
            if self.best.verdict.valid:
                self.best.raise_bound(self.best.verdict.cost)
        if self.over:
            self.solvers.stop()

    def _solve_whole(
        self, share: float, workers: int, narrow: Narrow | None, relax: int | None = None
    ) -> Part:
        """Solve for all cells, or for the narrowed ones; a bound is told only of all."""
        model = RosterModel(self.problem, self.best.grid, relax=relax, narrow=narrow)
        part = model.solve(
            self.budget.limit(share),
            self.params.seed,
            workers=1 if self.budget.repeatable else workers,
            on_better=lambda grid, _: self._heard(grid),
            on_bound=self.best.raise_bound if relax is None and narrow is None else None,
            solvers=self.solvers,
        )
        self.budget.spend(part.effort)
        if part.grid is not None:
            self.best.offer(part.grid)
        return part

    def _heard(self, grid: Grid) -> None:
        self.best.offer(grid)
        if self.over:
            self.solvers.stop()

    def _neighbourhoods(self, seed: int) -> None:
        also, narrow = self._without_model(seed), self._good_cells is not None
        if (seed, narrow, *also) not in self._drawn:
            fresh = Neighbourhoods(self.problem, random.Random(seed), also, narrow)
            self._drawn[seed, narrow, *also] = fresh
        neighbourhoods = self._drawn[seed, narrow, *also]
        recreate = None if self.by_columns is None else self.by_columns.recreate(seed)
        while self.literals and not self.over:
            kind = neighbourhoods.pick_kind()
            cost, begun = self.best.verdict.cost, self.budget.seconds
            if kind.name == LINES and self.by_columns is not None and recreate is not None:
                effort, hard = self.by_columns.recreated(recreate), None
            elif kind.name == RELAXED:
                effort, hard = self.relaxed.round(), None
            elif kind.name == ANNEALED and self.annealed is not None:
                effort, hard = self.annealed.again(self.relaxed.good_cells), None
            else:
                effort, hard = self._neighbourhood(kind, neighbourhoods)
            took = effort if self.budget.repeatable else self.budget.seconds - begun
            gain = (cost - self.best.verdict.cost) / max(cost, 1)
            kind.learn(max(gain, 0), max(took, 0.01), hard)

    def _without_model(self, seed: int) -> list[str]:
        """The kinds of neighbourhoods here that are not drawn as cells."""
        if self.by_columns is not None:
            return [LINES]
        if seed != self.params.seed:  # one works with these at a time
            return []
        relaxed = [RELAXED] if self.relaxed.good_cells is not None else []
        return [*relaxed, *([] if self.annealed is None else [ANNEALED])]

    def _neighbourhood(
        self, kind: Kind, neighbourhoods: Neighbourhoods
    ) -> tuple[float, bool | None]:
        """One neighbourhood solved: the effort, and whether it was too hard or too easy."""
        base, verdict, rng = self.best.grid, self.best.verdict, neighbourhoods.rng
        free = neighbourhoods.draw(kind, verdict, self._affordable / 4)
        begun = self.budget.seconds
        good = self._good_cells if kind.narrow else None
        narrow = None if good is None else good.with_cells_of(base)
        model = RosterModel(self.problem, base, free, relax=self._relax(), narrow=narrow)
        if self.over:
            return 0.0, None
        limit = self.budget.at_most(LEAST_TRY, 1 / TRIES)
        part = model.solve(limit, rng.randrange(1 << 30), manner="soon", solvers=self.solvers)
        effort = part.effort + BUILDING + BUILDING_CELL * len(free)
        self.budget.spend(effort)
        if part.grid is not None:
            self.best.offer(part.grid, base)
        took = effort if self.budget.repeatable else self.budget.seconds - begun
        whole = limit.effort if self.budget.repeatable else limit.seconds
        if not part.proven:
            return effort, True
        return effort, False if took < 0.4 * (whole or 1) else None

    @property
    def _good_cells(self) -> Narrow | None:
        """The cells of good columns, or of relaxed answers."""
        near = self.relaxed if self.by_columns is None else self.by_columns
        return near.good_cells
