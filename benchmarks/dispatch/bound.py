"""How far a desk could get that knows the future: bounds on the share within target, for one day.

A linear programme over windows of time in which calls start. All agents are pooled (skills do not
bind); a call occupies only the slots it covers wherever in its window it starts; and it costs
nothing past the end of its hour, where an agent who leaves would finish it. Each of these only
makes the desk better than it can be, so the value is an upper bound. `serve` starts everybody
within `LATEST_S`; `drop` need not serve whoever is late.

Usage: python benchmarks/dispatch/bound.py CALL_LOG.csv.gz STAFF SEED [DAY]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import calls as log
import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from wfm.dispatch.replay import Duty, Trace

SLOT_S = 5
LATE_WINDOW_S = 120
HOUR_S = 3600
DAY_S = 86_400
LATEST_S = 2400  # starts considered after a call has come


def pooled(duties: Sequence[Duty], day: int) -> np.ndarray:
    """Agents on duty per slot of a day."""
    counts = np.zeros(DAY_S // SLOT_S)
    for duty in duties:
        low, high = (at // log.SECOND - day * DAY_S for at in (duty.start, duty.end))
        counts[max(low, 0) // SLOT_S : max(min(high, DAY_S), 0) // SLOT_S] += 1
    return counts


def windows(opened: int, due: int, *, drop: bool) -> list[tuple[int, int, bool]]:
    """Spans in which a call may start, and whether that is in time."""
    fine = [(at, min(at + SLOT_S, due + 1), True) for at in range(opened, due + 1, SLOT_S)]
    late = range(due + 1, opened + LATEST_S, LATE_WINDOW_S)
    return fine if drop else fine + [(at, at + LATE_WINDOW_S, False) for at in late]


def bound(trace: Trace, duties: Sequence[Duty], day: int, *, drop: bool) -> tuple[int, float]:
    """Calls of the day, and the most of them that can be started within target."""
    capacity = pooled(duties, day)
    rows, columns, values = [], [], []
    picks, gains, number = [], [], 0
    calls = [
        (ticket.opened_at // log.SECOND - day * DAY_S, ticket.due_at // log.SECOND - day * DAY_S,
         handle // log.SECOND)
        for ticket, handle in zip(trace.tickets, trace.handle, strict=True)
        if ticket.opened_at // log.SECOND // DAY_S == day
    ]  # fmt: skip
    for call, (opened, due, handle) in enumerate(calls):
        for begin, end, in_time in windows(opened, due, drop=drop):
            gains.append(float(in_time))
            picks.append((call, number))
            # surely busy from the end of the window until its begin plus the duration; until the
            # end of the hour only, which an agent who leaves would work past
            until = min(begin + handle, (begin // HOUR_S + 1) * HOUR_S, DAY_S)
            for covered in range(-(-end // SLOT_S), until // SLOT_S):
                rows.append(covered)
                columns.append(number)
                values.append(1.0)
            number += 1
    once = coo_matrix((np.ones(len(picks)), tuple(zip(*picks, strict=True))))
    room = coo_matrix((values, (rows, columns)), shape=(len(capacity), number))
    ones = np.ones(once.shape[0])
    limits = (
        {"A_ub": _stack(room, once), "b_ub": np.append(capacity, ones)}
        if drop
        else {"A_ub": room, "b_ub": capacity, "A_eq": once, "b_eq": ones}
    )
    solved = linprog(-np.array(gains), bounds=(0, 1), method="highs", **limits)
    return len(calls), float("nan") if solved.x is None else -solved.fun


def _stack(*parts: coo_matrix) -> coo_matrix:
    from scipy.sparse import vstack

    return vstack(parts)


def main() -> None:
    calls = log.read(Path(sys.argv[1]))
    staff, seed = float(sys.argv[2]), int(sys.argv[3])
    trace, duties = log.trace(calls), log.duties(calls, staff, seed)
    days = sorted({ticket.opened_at // log.SECOND // DAY_S for ticket in trace.tickets})
    day = days[int(sys.argv[4]) if len(sys.argv) > 4 else 1]
    for name, drop in (("serve", False), ("drop", True)):
        total, met = bound(trace, duties, day, drop=drop)
        print(
            f"staff {100 * staff:.0f} % seed {seed} {name:5}: {100 * met / total:5.1f} % of {total}"
        )


if __name__ == "__main__":
    main()
