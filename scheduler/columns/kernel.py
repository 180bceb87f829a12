"""The cheapest lawful line of one person, by dynamic programming over days (compiled).

A state of a day is: on shift `s` as the `r`-th day of a run (from 0), or off as the `f`-th day
(from 0, counted up to the least run of days off); with a tally `k` of what is counted (weekends,
capped shifts) and the units of minutes so far. Costs are whole numbers, so that bounds made from
them are exact. Runs that touch the first or the last day may be short.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = np.ndarray[Any, Any]
Shaped: TypeAlias = tuple[Array, Array, Array, Array, Array, Array]

OFF = -1
LONGER = -1  # the run of days off was one day shorter
STAY = -2  # it was long enough already
INFINITE = 1 << 30

machine_code = njit(cache=True, nogil=True)


@machine_code
def cheapest_line(
    costs: Array,
    allowed: Array,
    may_rest: Array,
    group_of: Array,
    before: Array,
    units: Array,
    opens: Array,
    runs: Array,
    tally: Array,
    low: Array,
    high: Array,
    room: Shaped,
    line: Array,
) -> int:
    """Find the cheapest line and write it into `line`.

    Parameters
    ----------
    costs : (days, shifts) int32
        Cost of each shift on each day; a day off costs nothing.
    allowed : (days, shifts) bool
    may_rest : (days,) bool
    group_of : (shifts,) int
        Shifts that may follow the same shifts share a group.
    before : (groups, shifts) bool
        Which shifts may stand on the day before one of the group.
    units : (shifts,) int
        Minutes of each shift, in units of their greatest common divisor.
    opens : (days,) int
        1 where any duty opens a weekend (Saturday), 2 where a duty after a day off does (Sunday).
    runs : (4,) int
        Longest and shortest run of duties, least run of days off, in days; cost of every weekend.
    tally : (2, shifts, tallies) int
        The tally after one more shift, without and with opening a weekend; -1 beyond a limit.
    low, high : (days + 1,) int
        Units of minutes, after so many days, from which the limits can still be met.
    room : six arrays
        Values of states on duty and off, today and tomorrow, and the ways back (`Room`).
    line : (days,) int
        Receives the shift of each day, or -1.

    Returns
    -------
    int
        Cost of the line; `INFINITE` when no line is lawful.
    """
    work, off, next_work, next_off, back_work, back_off = room
    n_days = costs.shape[0]
    reached = np.zeros(tally.shape[2], np.bool_)
    reached[0] = True
    for d in range(n_days):
        next_work[: min(d + 1, runs[0]), :, :, low[d + 1] : high[d + 1] + 1] = INFINITE
        next_off[:, :, low[d + 1] : high[d + 1] + 1] = INFINITE
        if d == 0:
            _first_day(
                costs, allowed, may_rest, units, opens, runs, tally, low, high,
                next_work, next_off,
            )  # fmt: skip
        else:
            _begin_runs(
                d, costs, allowed, units, opens, runs, tally, low, high, reached, off, next_work
            )
            _go_on(
                d, costs, allowed, group_of, before, units, opens, runs, tally, low, high, reached,
                work, next_work, back_work,
            )  # fmt: skip
            if may_rest[d]:
                _rest(d, allowed, runs, low, high, reached, work, off, next_off, back_off)
        _reach(d, allowed, opens, tally, reached)
        work, next_work = next_work, work
        off, next_off = next_off, off
    value, r, s, k, m = _best_end(work, off, low[n_days], high[n_days], min(n_days, runs[0]))
    if value < INFINITE // 2:
        _way_back(r, s, k, m, units, opens, runs, tally, back_work, back_off, line)
        return value
    return INFINITE


@machine_code
def _reach(d: int, allowed: Array, opens: Array, tally: Array, reached: Array) -> None:
    """Mark the tallies that can stand after the day."""
    for k in range(reached.shape[0] - 1, -1, -1):  # a tally never falls
        if reached[k]:
            for t in range(allowed.shape[1]):
                if allowed[d, t]:
                    for opening in range(2 if opens[d] else 1):
                        if tally[opening, t, k] >= 0:
                            reached[tally[opening, t, k]] = True


@machine_code
def _first_day(
    costs: Array, allowed: Array, may_rest: Array, units: Array, opens: Array, runs: Array,
    tally: Array, low: Array, high: Array, work: Array, off: Array,
) -> None:  # fmt: skip
    opening = 1 if opens[0] == 1 else 0
    for t in range(costs.shape[1]):
        then = tally[opening, t, 0]
        if allowed[0, t] and then >= 0 and low[1] <= units[t] <= high[1]:
            work[0, t, then, units[t]] = costs[0, t] + opening * runs[3]
    if may_rest[0] and low[1] <= 0:
        off[runs[2] - 1, 0, 0] = 0  # a run of days off that touches the first day is long enough


@machine_code
def _begin_runs(
    d: int, costs: Array, allowed: Array, units: Array, opens: Array, runs: Array, tally: Array,
    low: Array, high: Array, reached: Array, off: Array, next_work: Array,
) -> None:  # fmt: skip
    opening = 1 if opens[d] > 0 else 0
    for t in range(costs.shape[1]):
        if not allowed[d, t]:
            continue
        grow, cost = units[t], np.int32(costs[d, t] + opening * runs[3])
        first, last = max(low[d], low[d + 1] - grow), min(high[d], high[d + 1] - grow)
        for k in range(reached.shape[0]):
            then = tally[opening, t, k]
            if reached[k] and then >= 0:
                here, there = off[runs[2] - 1, k], next_work[0, t, then]
                for m in range(first, last + 1):
                    there[m + grow] = here[m] + cost


@machine_code
def _go_on(
    d: int, costs: Array, allowed: Array, group_of: Array, before: Array, units: Array,
    opens: Array, runs: Array, tally: Array, low: Array, high: Array, reached: Array,
    work: Array, next_work: Array, back_work: Array,
) -> None:  # fmt: skip
    opening = 1 if opens[d] == 1 else 0
    n_shifts = costs.shape[1]
    best = np.empty(high[d] + 1, np.int32)
    who = np.empty(high[d] + 1, np.int8)
    for g in range(before.shape[0]):
        wanted = False
        for t in range(n_shifts):
            wanted = wanted or (group_of[t] == g and allowed[d, t])
        if not wanted:
            continue
        for r in range(1, min(d + 1, runs[0])):
            for k in range(reached.shape[0]):
                if not reached[k]:
                    continue
                best[:] = INFINITE
                for s in range(n_shifts):
                    if before[g, s] and allowed[d - 1, s]:
                        _take_lower(work[r - 1, s, k], best, who, s, low[d], high[d])
                for t in range(n_shifts):
                    then = tally[opening, t, k]
                    if group_of[t] != g or not allowed[d, t] or then < 0:
                        continue
                    grow, cost = units[t], np.int32(costs[d, t] + opening * runs[3])
                    there, back = next_work[r, t, then], back_work[d, r, t, then]
                    first = max(low[d], low[d + 1] - grow)
                    for m in range(first, min(high[d], high[d + 1] - grow) + 1):
                        there[m + grow] = best[m] + cost
                        back[m + grow] = who[m]


@machine_code
def _take_lower(here: Array, best: Array, who: Array, s: int, first: int, last: int) -> None:
    for m in range(first, last + 1):
        lower = here[m] < best[m]
        best[m] = here[m] if lower else best[m]
        who[m] = s if lower else who[m]


@machine_code
def _rest(
    d: int, allowed: Array, runs: Array, low: Array, high: Array, reached: Array,
    work: Array, off: Array, next_off: Array, back_off: Array,
) -> None:  # fmt: skip
    n_shifts = allowed.shape[1]
    last = runs[2] - 1
    first, end = max(low[d], low[d + 1]), min(high[d], high[d + 1]) + 1
    for k in range(reached.shape[0]):
        if not reached[k]:
            continue
        for f in range(1, last + 1):
            for m in range(first, end):
                next_off[f, k, m] = off[f - 1, k, m]
                back_off[d, f, k, m] = LONGER
        for m in range(first, end):
            if off[last, k, m] < next_off[last, k, m]:
                next_off[last, k, m] = off[last, k, m]
                back_off[d, last, k, m] = STAY
        for r in range(min(runs[0], d)):
            if r + 1 < runs[1] and r + 1 != d:
                continue  # too short, and it does not touch the first day
            for s in range(n_shifts):
                if allowed[d - 1, s]:
                    for m in range(first, end):
                        if work[r, s, k, m] < next_off[0, k, m]:
                            next_off[0, k, m] = work[r, s, k, m]
                            back_off[d, 0, k, m] = r * n_shifts + s


@machine_code
def _best_end(
    work: Array, off: Array, low: int, high: int, longest: int
) -> tuple[int, int, int, int, int]:
    value, r_end, s_end, k_end, m_end = INFINITE, -1, -1, -1, -1
    for k in range(off.shape[1]):
        for m in range(low, high + 1):
            for f in range(off.shape[0]):
                if off[f, k, m] < value:
                    value, r_end, s_end, k_end, m_end = off[f, k, m], -1, f, k, m
            for r in range(longest):
                for s in range(work.shape[1]):
                    if work[r, s, k, m] < value:
                        value, r_end, s_end, k_end, m_end = work[r, s, k, m], r, s, k, m
    return value, r_end, s_end, k_end, m_end


@machine_code
def _way_back(
    r: int, s: int, k: int, m: int, units: Array, opens: Array, runs: Array, tally: Array,
    back_work: Array, back_off: Array, line: Array,
) -> None:  # fmt: skip
    """Follow the states from the end; while off, `r` is -1 and `s` the day of the run."""
    n_shifts = units.shape[0]
    for d in range(line.shape[0] - 1, -1, -1):
        if r < 0:
            line[d] = OFF
            code = back_off[d, s, k, m] if d else STAY
            if code == LONGER:
                s -= 1
            elif code >= 0:
                r, s = code // n_shifts, code % n_shifts
            continue
        line[d] = s
        then = back_work[d, r, s, k, m] if r else 0
        opening = 1 if opens[d] == 1 or (opens[d] == 2 and r == 0) else 0
        k -= tally[opening, s, 0]  # tallies add up: the first step is as long as any
        m -= units[s]
        r, s = (r - 1, then) if r else (-1, runs[2] - 1)


class Room:
    """Memory the kernel works in, shaped anew for each size of state and made only once."""

    def __init__(self) -> None:
        self._kept: dict[int, Array] = {}

    def shaped(self, days: int, shifts: int, runs: Array, tallies: int, most: int) -> Shaped:
        """Arrays for a person's states; what they held before does not matter."""
        on = (int(runs[0]), shifts, tallies, most + 1)
        free = (int(runs[2]), tallies, most + 1)
        return (
            self._array(0, on, np.int32), self._array(1, free, np.int32),
            self._array(2, on, np.int32), self._array(3, free, np.int32),
            self._array(4, (days, *on), np.int8), self._array(5, (days, *free), np.int16),
        )  # fmt: skip

    def _array(self, number: int, shape: tuple[int, ...], kind: Any) -> Array:
        size = math.prod(shape)
        kept = self._kept.get(number)
        if kept is None or kept.size < size:
            kept = self._kept[number] = np.empty(size, kind)
        return kept[:size].reshape(shape)
