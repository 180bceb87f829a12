"""What is given, as constraints: one duty at a time, contracts, protections, who holds posts."""

from __future__ import annotations

from scheduler.constraints.sequences import exclude
from scheduler.rows import HOUR, Rows, ones
from scheduler.variables import Literal


def one_duty_at_a_time(rows: Rows) -> None:
    """A duty that has not ended excludes those that would begin before."""
    for gap, later in rows.look.overlapping:
        exclude(rows, None, sorted(rows.x.free_days), later, gap)


def agent_minutes(rows: Rows) -> None:
    """An agent's own limits of minutes over the problem's days."""
    for a in rows.x.free_days:
        person = rows.problem.agents[a]
        worked = rows.minutes(a, range(rows.look.n_days))
        rows.between(None, worked, person.min_minutes, person.max_minutes, HOUR)


def protected_minutes(rows: Rows) -> None:
    """No overtime within the dates of that restriction."""
    for a in rows.x.free_days:
        for restriction in rows.look.restrictions[a]:
            span = rows.look.clip(restriction.first, restriction.last)
            if restriction.kind == "no_overtime" and span:
                limit = rows.look.contract_minutes(a, span)
                rows.keep(None, [(rows.minutes(a, span), limit)], HOUR)


def post_holders(rows: Rows) -> None:
    """One post a day each; holders work a shift the post asks for, or none if exclusive."""
    x = rows.x
    by_cell: dict[tuple[int, int], list[Literal]] = {}
    for (p, d, a), holds in x.holds.items():
        post = rows.problem.posts[p]
        by_cell.setdefault((a, d), []).append(holds)
        if post.shifts:
            fitting = x.on_any(a, d, [rows.look.shift[s] for s in post.shifts])
            rows.keep(None, [([(1, holds), *((-1, on) for on in fitting)], 0)])
        if post.exclusive:
            rows.keep(None, [(ones([holds, x.works(a, d)]), 1)])
    for holds_that_day in by_cell.values():
        rows.keep(None, [(ones(holds_that_day), 1)])
