"""How far no desk could get, even knowing the future: an upper bound on the share within target.

A linear programme over one day in slots of one second, the unit of the log, with every duration
known. Agents are pooled: at any second no more calls are in hand than agents on duty, besides those
with which agents overrun the end of their duty, one call for each who leaves. Everybody must start
within `longest` seconds. Nothing else is asked, so no desk that serves everybody so soon, one call
at a time and each to its end, can do better.

The programme is solved only for its prices: what a second of an agent is worth, in late calls, and
what an overrun is. With *any* prices the cheapest start of each call, added up, less what all
seconds and overruns are worth, is a lower bound on late calls, and that sum is taken here over
every start: nothing rests on the solver. A group of calls with the prices of its own stretch of the
day alone gives a bound on the group, and since calls are late or not, the next whole number holds;
the day is cut where that gives most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numba
import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix, vstack

from wfm.dispatch.model import SECOND
from wfm.dispatch.replay import Duty, Trace, joined

DAY_S = 86_400
LATE_STEP_S = 60
"""Late starts are told apart so finely in the programme; the sum after it knows every second."""
QUIET_S = 20
"""The day may be cut where a second is worth nothing for so long."""
MOST_JOINED = 12
"""So many stretches between cuts are tried together at most."""
EPSILON = 1e-6


@dataclass(frozen=True)
class Day:
    """Calls of one day and agents on duty, in seconds from its beginning."""

    opened: np.ndarray
    due: np.ndarray
    handle: np.ndarray
    longest: int
    staff: np.ndarray
    """Agents on duty, second by second."""
    leave_at: np.ndarray
    leavers: np.ndarray
    """When duties end, and how many."""


@dataclass(frozen=True)
class Prices:
    """What each second of an agent is worth, and each overrun of the ends of duties."""

    second: np.ndarray
    overrun: np.ndarray


def days(trace: Trace) -> list[int]:
    return sorted({ticket.opened_at // SECOND // DAY_S for ticket in trace.tickets})


def one_day(trace: Trace, duties: Sequence[Duty], day: int, longest: int) -> Day:
    """The calls that come on a day, with whoever is on duty until the last of them must be done."""
    begin = day * DAY_S
    calls = np.array(
        [
            (ticket.opened_at // SECOND, ticket.due_at // SECOND, handle // SECOND)
            for ticket, handle in zip(trace.tickets, trace.handle, strict=True)
            if ticket.opened_at // SECOND // DAY_S == day
        ]
    )
    opened, due, handle = calls[:, 0] - begin, calls[:, 1] - begin, calls[:, 2]
    until = int(opened.max() + longest + handle.max()) + 1
    staff, leaving = np.zeros(until), np.zeros(until + 1)
    for spans in joined(duties).values():
        for start, end in spans:
            low, high = (min(max(at // SECOND - begin, 0), until) for at in (start, end))
            staff[low:high] += 1
            leaving[high] += low < high < until
    leave_at = np.flatnonzero(leaving)
    return Day(opened, due, handle, longest, staff, leave_at, leaving[leave_at])


def prices(day: Day, counted: np.ndarray | None = None) -> Prices:
    """Prices out of the linear programme, for the seconds `counted`, ascending; by default all.

    A column is a start of a call, in hand until its end or until an end of duty that it overruns;
    in hand at a second is who was in hand before, and who starts, less who ends.
    """
    counted = np.arange(day.staff.size) if counted is None else counted
    columns = np.array(
        [
            (call, start, end, over, is_late)
            for call in range(day.opened.size)
            for first, start, is_late in _starts(day, call)
            for end, over in _ends(day, start, first + int(day.handle[call]))
        ]
    )
    # between two counted seconds all starts are alike
    columns[:, 1:3] = np.searchsorted(counted, columns[:, 1:3])
    call, start, end, over, is_late = np.unique(columns, axis=0).T
    n, until = call.size, counted.size
    start, end = np.minimum(start, until - 1), np.minimum(end, until - 1)
    each, seconds = np.arange(n), np.arange(until)

    def rows(values: float, row: np.ndarray, column: np.ndarray, height: int) -> coo_matrix:
        return coo_matrix((np.full(row.size, values), (row, column)), (height, n + until))

    once = rows(1.0, call, each, day.opened.size)
    flow = (
        rows(1.0, seconds, n + seconds, until) - rows(1.0, seconds[1:], n + seconds[:-1], until)
        - rows(1.0, start, each, until) + rows(1.0, end, each, until)
    )  # fmt: skip
    overruns = over >= 0
    leaving = rows(1.0, over[overruns], each[overruns], day.leave_at.size)
    solved = linprog(
        np.append(is_late, np.zeros(until)),
        A_eq=vstack([once, flow]).tocsr(),
        b_eq=np.append(np.ones(day.opened.size), np.zeros(until)),
        A_ub=leaving.tocsr() if day.leave_at.size else None,
        b_ub=day.leavers if day.leave_at.size else None,
        bounds=np.column_stack(
            [np.zeros(n + until), np.append(np.full(n, np.inf), day.staff[counted])]
        ),
        method="highs-ipm",
    )
    if (
        solved.x is None
    ):  # nobody can serve all of them; without prices the bound is that none is late
        return Prices(np.zeros(day.staff.size), np.zeros(day.leave_at.size))
    second = np.zeros(day.staff.size)
    second[counted] = np.maximum(0.0, -solved.upper.marginals[n:])
    return Prices(
        np.where(second > EPSILON, second, 0.0),
        np.maximum(0.0, -solved.ineqlin.marginals) if day.leave_at.size else np.zeros(0),
    )


def _starts(day: Day, call: int) -> list[tuple[int, int, bool]]:
    """Starts of a call: first and last second of each span of them, and whether it is late."""
    opened, due = int(day.opened[call]), int(day.due[call])
    last = opened + day.longest
    in_time = [(at, at, False) for at in range(opened, due + 1)]
    late = range(due + 1, last + 1, LATE_STEP_S)
    return in_time + [(at, min(at + LATE_STEP_S - 1, last), True) for at in late]


def _ends(day: Day, start: int, end: int) -> list[tuple[int, int]]:
    """Until when a call is in hand that does so from `start`, and which end of duty it overruns.

    A span of starts is in hand from its last second to the end of the first; that may be never.
    """
    end = max(start, end)
    low, high = np.searchsorted(day.leave_at, [start + 1, end])
    return [(end, -1)] + [(int(day.leave_at[over]), over) for over in range(low, high)]


def least_late(day: Day, given: Prices, begin: int = 0, end: int | None = None) -> float:
    """How many at least of the calls that come from `begin` to before `end` are late.

    Only what prices say between the two counts. A call's start costs the worth of the seconds it
    is in hand and 1 if it is late.
    """
    until = day.staff.size
    begin, end = max(begin, 0), until if end is None else min(end, until)
    second = np.zeros(until)
    second[begin:end] = given.second[begin:end]
    worth = np.append(0.0, np.cumsum(second))
    inside = (day.leave_at > begin) & (day.leave_at < end)
    leave_at, overrun = day.leave_at[inside], given.overrun[inside]
    among = np.flatnonzero((day.opened >= begin) & (day.opened < end))
    calls = np.column_stack([day.opened, day.due, day.handle])[among]
    paid = float(second @ day.staff) + float(overrun @ day.leavers[inside])
    return _cheapest(calls, day.longest, worth, leave_at, overrun) - paid


@numba.njit(cache=True)
def _cheapest(calls, longest, worth, leave_at, overrun):  # type: ignore[no-untyped-def]
    """What the cheapest start of each call costs, added up."""
    total = 0.0
    for opened, due, handle in calls:
        best = np.inf
        after = np.searchsorted(leave_at, opened + 1)
        for start in range(opened, opened + longest + 1):
            while after < leave_at.size and leave_at[after] <= start:
                after += 1
            until = worth[start + handle]
            over = after
            while over < leave_at.size and leave_at[over] < start + handle:
                until = min(until, worth[leave_at[over]] + overrun[over])
                over += 1
            best = min(best, until - worth[start] + (start > due))
            if best <= (start > due):
                break  # nothing is cheaper than free, or than late and else free
        total += best
    return total


def whole(value: float) -> int:
    """Calls are late or not: the next whole number, but for what rounding may have added."""
    return max(0, ceil(value - EPSILON))


def bound(day: Day, counted: np.ndarray | None = None) -> int:
    """Late calls that no desk could avoid; `counted` as for `prices`."""
    return cut_up(day, prices(day, counted))


def tight(day: Day, start: np.ndarray) -> np.ndarray:
    """The seconds at which nobody is free when the calls start so.

    Others are worth next to nothing, and to look at these alone takes a quarter of the time.
    """
    change = np.zeros(day.staff.size + 1)
    np.add.at(change, start, 1)
    np.add.at(change, start + day.handle, -1)
    return np.flatnonzero((np.cumsum(change)[:-1] >= day.staff) & (day.staff > 0))


def cut_up(day: Day, given: Prices) -> int:
    """The bound at these prices with the day cut where that gives most."""
    cuts = _cuts(given, day.staff.size)
    best = [0]
    for last in range(1, len(cuts)):
        firsts = range(max(0, last - MOST_JOINED), last)
        best.append(
            max(best[at] + whole(least_late(day, given, cuts[at], cuts[last])) for at in firsts)
        )
    return max(best[-1], whole(least_late(day, given)))


def _cuts(given: Prices, until: int) -> list[int]:
    """Beginning and end, and the middle of each stretch in which a second is worth nothing."""
    dear = np.flatnonzero(given.second)
    quiet = [(a + b) // 2 for a, b in pairwise(dear.tolist()) if b - a > QUIET_S]
    return [0, *quiet, until]
