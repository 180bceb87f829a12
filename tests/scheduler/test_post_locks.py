"""A place of the duty table that is locked for one person is never given to another."""

from __future__ import annotations

from datetime import date

from scheduler.problem import Agent, Day, Post, PostLock, RosterProblem, Shift
from scheduler.result import Params
from scheduler.solve import solve

FIRST, SECOND = date(2026, 10, 1), date(2026, 10, 2)


def test_the_first_line_leaves_the_places_locked_for_those_after_it() -> None:
    # ann's line is sought first; an empty post costs 1000, so she would take both places
    problem = RosterProblem(
        agents=(Agent("ann"), Agent("bo")),
        days=(Day(FIRST), Day(SECOND)),
        shifts=(Shift("day", 540, 1020),),
        posts=(Post("leader", days=(FIRST, SECOND), exclusive=True),),
        post_locks=(PostLock("leader", SECOND, "bo"),),
    )
    result = solve(problem, Params(seconds=None, effort=1.0))
    assert (result.status, result.violations) == ("optimal", ())
    assert result.roster is not None
    assert result.roster.posts["leader", SECOND] == ("bo",)
    assert result.roster.posts["leader", FIRST]
