"""Solve a roster problem: the entry point."""

from __future__ import annotations

import time
from collections.abc import Callable

from scheduler.model import roster_of
from scheduler.problem import RosterProblem
from scheduler.result import Params, ProgressCallback, Result, Status
from scheduler.search import Search

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
    search = Search(problem, params, begun, progress, stop)
    search.run()
    verdict = search.best.verdict
    status = _status(search)
    if status == "nothing_found":
        return Result(status, None, None, search.best.bound, search.budget.seconds)
    return Result(
        status=status,
        roster=roster_of(problem, search.best.grid),
        cost=verdict.cost,
        bound=search.best.bound if verdict.valid else None,
        seconds=search.budget.seconds,
        violations=verdict.violations,
        gaps=verdict.gaps,
        costs=verdict.costs,
    )


def _status(search: Search) -> Status:
    if not search.best.verdict.valid:
        return "conflict" if search.complete else "nothing_found"
    if search.best.proven:
        return "optimal"
    return "stopped" if search.stopped else "feasible"
