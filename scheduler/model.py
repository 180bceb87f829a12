"""A model of all or part of a roster, and solving it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ortools.sat.python import cp_model

from scheduler.constraints import Constraints
from scheduler.objective import Objective
from scheduler.problem import RosterProblem
from scheduler.solution import Roster
from scheduler.variables import OFF, Cell, Grid, Narrow, Variables
from scheduler.variables import Literal as Decision
from scheduler.watching import looking

COMPLETING = 5.0  # deterministic seconds to complete a hint
FOUND = (cp_model.OPTIMAL, cp_model.FEASIBLE)
# how a model is solved: for a proof; for good rosters soon, with less work before the search and at
# its root; or for any answer, without relaxation, which finds a line of a year fifty times sooner
Manner: TypeAlias = Literal["proof", "soon", "any"]


@dataclass(frozen=True, slots=True)
class Limit:
    """How long one solve may take, in wall seconds and in deterministic units."""

    seconds: float | None
    effort: float | None

    def less(self, used: Limit) -> Limit:
        """What is left of it."""
        return Limit(
            None if self.seconds is None else self.seconds - (used.seconds or 0.0),
            None if self.effort is None else self.effort - (used.effort or 0.0),
        )


@dataclass(frozen=True, slots=True)
class Part:
    """The answer to one model: `proven` means nothing better exists for it.

    `grid` is None when nothing was found; then `proven` means that nothing exists.
    """

    grid: Grid | None
    proven: bool
    objective: float
    bound: float
    effort: float

    @classmethod
    def nothing(cls) -> Part:
        """Before any solve."""
        return cls(None, False, math.inf, -math.inf, 0.0)


class RosterModel:
    """CP-SAT model of the free cells of a roster."""

    def __init__(
        self,
        problem: RosterProblem,
        base: Grid,
        free: set[Cell] | None = None,
        relax: int | None = None,
        hint: bool = True,
        narrow: Narrow | None = None,
    ) -> None:
        self.problem, self.base = problem, base
        self.model = cp_model.CpModel()
        self.x = Variables(self.model, problem, base, free, narrow)
        self.objective = Objective(self.x)
        Constraints(self.x, self.objective, relax).add_constraints()
        self.objective.add_costs()
        self.objective.minimise()
        if hint:
            self._hint()

    def _hint(self) -> None:
        for (a, d), literals in self.x.cell.items():
            if (a, d) not in self.x.look.locked:
                now = self.base.cells[a][d]
                for s, literal in literals.items():
                    self.model.add_hint(literal, s == now)
                if self.x.narrow is None or self.x.narrow.may_rest[a, d]:
                    self.model.add_hint(self.x.off[a, d], now == OFF)

    def complete_hint(self, limit: Limit, seed: int, solvers: Solvers | None = None) -> Limit:
        """Hint everything else the base implies too; what that took of the limit.

        Who counts for which cover does not follow from the cells alone. Without it the solver
        starts from a roster far dearer than the base, and its bound crawls.
        """
        proto = self.model.proto
        hinted = set(proto.solution_hint.vars)
        if not hinted:
            return Limit(0.0, 0.0)
        effort = COMPLETING if limit.effort is None else min(COMPLETING, limit.effort)
        solver = _solver(Limit(limit.seconds, effort), seed)
        solver.parameters.fix_variables_to_their_hinted_value = True
        with (solvers or Solvers()).running(solver):
            status = solver.solve(self.model)
        if status in FOUND:
            for index in sorted(set(range(len(proto.variables))) - hinted):
                variable = self.model.get_int_var_from_proto_index(index)
                self.model.add_hint(variable, solver.value(variable))
        return Limit(solver.wall_time, solver.response_proto.deterministic_time)

    def read(self, value: Callable[[Decision], int]) -> Grid:
        """The grid a solution stands for."""
        grid = self.base.copy()
        for (a, d), literals in self.x.cell.items():
            chosen = [s for s, literal in literals.items() if value(literal)]
            grid.cells[a][d] = chosen[0] if chosen else OFF
        kept = {
            place: tuple(a for a in holders if (a, place[1]) not in self.x.free)
            for place, holders in grid.held.items()
        }
        for (p, d, a), literal in self.x.holds.items():
            if value(literal):
                kept[p, d] = (*kept.get((p, d), ()), a)
        grid.held = {place: holders for place, holders in kept.items() if holders}
        return grid

    def solve(
        self,
        limit: Limit,
        seed: int,
        workers: int = 1,
        manner: Manner = "proof",
        on_better: Callable[[Grid, float], None] | None = None,
        on_bound: Callable[[float], None] | None = None,
        solvers: Solvers | None = None,
        enough: Callable[[], bool] | None = None,
    ) -> Part:
        """Solve within the limit; the callbacks hear of better grids and bounds.

        `enough` is asked now and then whether the best so far will do.
        """
        hinting = Limit(0.0, 0.0)
        if manner != "any":
            hinting = self.complete_hint(limit, seed, solvers)
        solver = _solver(limit.less(hinting), seed, manner)
        parameters = solver.parameters
        parameters.num_workers = workers
        if workers > 1:
            parameters.subsolvers.extend(["max_lp", "reduced_costs"])
        listener = _Listener(self, on_better) if on_better else None
        if on_bound:
            solver.best_bound_callback = on_bound
        with (solvers or Solvers()).running(solver), _ended_when(enough, solver):
            status = solver.solve(self.model, listener)
        found = status in FOUND
        if status == cp_model.MODEL_INVALID:
            raise AssertionError(self.model.validate())
        return Part(
            grid=self.read(solver.value) if found else None,
            proven=status in (cp_model.OPTIMAL, cp_model.INFEASIBLE),
            objective=solver.objective_value if found else math.inf,
            bound=solver.best_objective_bound,
            effort=(hinting.effort or 0.0) + solver.response_proto.deterministic_time,
        )


def _solver(limit: Limit, seed: int, manner: Manner = "proof") -> cp_model.CpSolver:
    """A solver on one thread; the linear relaxation is what makes rosters easy."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.linearization_level = 0 if manner == "any" else 2
    if manner == "any":
        solver.parameters.cp_model_presolve = False
        solver.parameters.stop_after_first_solution = True
    if manner == "soon":
        solver.parameters.symmetry_level = 0
        solver.parameters.cp_model_probing_level = 0
        solver.parameters.cut_level = 0
    if limit.seconds is not None:
        solver.parameters.max_time_in_seconds = max(limit.seconds, 0.01)
    if limit.effort is not None:
        solver.parameters.max_deterministic_time = max(limit.effort, 0.001)
    return solver


def _ended_when(
    enough: Callable[[], bool] | None, solver: cp_model.CpSolver
) -> AbstractContextManager[None]:
    """While inside, the solver is stopped once that is so."""
    if enough is None:
        return nullcontext()

    def look() -> None:
        if enough():
            solver.stop_search()

    return looking(look)


class _Listener(cp_model.CpSolverSolutionCallback):
    def __init__(self, model: RosterModel, on_better: Callable[[Grid, float], None]) -> None:
        super().__init__()
        self._model, self._on_better = model, on_better

    def on_solution_callback(self) -> None:
        self._on_better(self._model.read(self.value), self.objective_value)


class Solvers:
    """The solvers running now, so that all can be stopped at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[cp_model.CpSolver] = set()
        self.stopped = False

    @contextmanager
    def running(self, solver: cp_model.CpSolver) -> Iterator[None]:
        with self._lock:
            self._running.add(solver)
            if self.stopped:
                solver.parameters.max_time_in_seconds = 0.0
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(solver)

    def stop(self) -> None:
        """End every running solve, and those that begin later, at once."""
        with self._lock:
            self.stopped = True
            for solver in self._running:
                solver.stop_search()


def roster_of(problem: RosterProblem, grid: Grid) -> Roster:
    """A grid as a roster."""
    look = problem.lookup
    cells = {
        (problem.agents[a].id, problem.days[d].date): problem.shifts[s].id
        for a, line in enumerate(grid.cells)
        for d, s in enumerate(line)
        if s != OFF
    }
    posts = {
        (problem.posts[p].id, look.date_of(d)): tuple(problem.agents[a].id for a in holders)
        for (p, d), holders in grid.held.items()
    }
    return Roster(cells, posts)


def grid_of(problem: RosterProblem, roster: Roster) -> Grid:
    """A roster as a grid."""
    look = problem.lookup
    grid = Grid([[OFF] * look.n_days for _ in range(look.n_agents)], {})
    for (agent, day), shift in roster.cells.items():
        grid.cells[look.agent[agent]][look.day[day]] = look.shift[shift]
    numbers = {post.id: p for p, post in enumerate(problem.posts)}
    for (post, day), holders in roster.posts.items():
        grid.held[numbers[post], look.day[day]] = tuple(look.agent[a] for a in holders)
    return grid
