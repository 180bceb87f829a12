"""Solve a roster problem: the entry point."""

from __future__ import annotations

import time
from collections.abc import Callable

from scheduler.apart import ApartSearch
from scheduler.breaks import has_movable_breaks, place_breaks
from scheduler.budget import Budget
from scheduler.components import components
from scheduler.lanes import LanesSearch, worth_processes
from scheduler.problem import RosterProblem
from scheduler.result import Params, ProgressCallback, Result, Status
from scheduler.search import Search
from scheduler.solution import Roster
from scheduler.verify import verify

__all__ = ["solve"]


def solve(
    problem: RosterProblem,
    params: Params | None = None,
    progress: ProgressCallback | None = None,
    stop: Callable[[], bool] | None = None,
    started: float | None = None,
) -> Result:
    """Find a roster of low cost that keeps the hard rules, and a bound on how low it can be.

    Parameters
    ----------
    problem : RosterProblem
    params : Params, optional
        Limits, threads, seed, a roster to start from.
    progress : callable, optional
        Told of every better roster and bound, from any thread.
    stop : callable, optional
        Asked now and then; when it says True the best so far is returned.
    started : float, optional
        `time.monotonic` of when the limit began to run; by default now.

    Returns
    -------
    Result
        Cost, violations and gaps are the judge's, computed from the roster alone.
    """
    params = params or Params()
    begun = time.monotonic() if started is None else started
    parts = components(problem)
    search: Search | ApartSearch | LanesSearch
    if worth_processes(parts, params):
        search = LanesSearch(parts, params, begun, progress, stop)
    elif len(parts) > 1:
        search = ApartSearch(parts, params, begun, progress, stop)
    else:
        search = Search(problem, params, begun, progress, stop)
    search.run()
    if search.status == "nothing_found":
        return Result("nothing_found", None, None, search.bound, search.budget.seconds)
    return _judged(problem, search.roster, search.status, search.bound, search.budget)


def _judged(
    problem: RosterProblem, roster: Roster, status: Status, bound: int, budget: Budget
) -> Result:
    """The judge's word on a roster, with its breaks where they are best."""
    proven: int | None = bound
    if has_movable_breaks(problem):
        # the search left the breaks where the shifts say; where they go, no bound was proven
        roster, proven = place_breaks(problem, roster), None
        status = "feasible" if status == "optimal" else status
    verdict = verify(problem, roster)
    return Result(
        status=status,
        roster=roster,
        cost=verdict.cost,
        bound=proven if verdict.valid else None,
        seconds=budget.seconds,
        violations=verdict.violations,
        gaps=verdict.gaps,
        costs=verdict.costs,
    )
