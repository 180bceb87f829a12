"""Arrivals drawn from recorded ones: whole days again, or half-hours as a Poisson process.

A day stands in for another of the same weekday; where fewer than two of that weekday are recorded,
for any of the working week, or of the weekend. What is drawn covers the recorded days, so that
the same duties go with it. A ticket keeps its promise, handle time and patience; only its opening,
and with it the due instant, moves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta, tzinfo

import numpy as np

from wfm.dispatch.model import SECOND, micro
from wfm.dispatch.replay import Trace

SLOT_S = 1800
FEWEST_DAYS = 2
SATURDAY = 5

Days = dict[date, list[int]]
"""Numbers of the tickets in a trace by the local date on which they were opened."""


def resampled(trace: Trace, zone: tzinfo, rng: np.random.Generator) -> Trace:
    """Each day of the period with the tickets of a recorded day, at their hours.

    Parameters
    ----------
    trace : Trace
        Recorded tickets, at least one.
    zone : tzinfo
        Whose days and hours count.
    rng : numpy.random.Generator

    Returns
    -------
    Trace
        Ticket ids are the recorded ones with the day drawn for.
    """
    days = _days(trace, zone)
    found = []
    for day in days:
        alike = _alike(days, day)
        for i in days[alike[rng.integers(len(alike))]]:
            opened = _local(trace.tickets[i].opened_at, zone)
            found.append((i, micro(datetime.combine(day, opened.timetz()))))
    return _moved(trace, found, zone)


def poisson(trace: Trace, zone: tzinfo, rng: np.random.Generator) -> Trace:
    """A Poisson number of tickets in each half-hour, as many on average as days alike had.

    The rate is constant inside a half-hour (a non-homogeneous Poisson process with a step rate);
    each ticket is like a random one of that half-hour. Parameters and result as of `resampled`.
    Source: S. M. Ross, Simulation, section 5.5 (simulating a non-homogeneous Poisson process).
    """
    days = _days(trace, zone)
    by_slot: dict[date, dict[int, list[int]]] = {
        day: _by_slot(trace, mine, zone) for day, mine in days.items()
    }
    found = []
    for day in days:
        alike = _alike(days, day)
        midnight = datetime.combine(day, time(), zone)
        for slot in range(24 * 3600 // SLOT_S):
            pool = [i for other in alike for i in by_slot[other].get(slot, ())]
            if not pool:
                continue
            for _ in range(int(rng.poisson(len(pool) / len(alike)))):
                i = pool[rng.integers(len(pool))]
                after = timedelta(seconds=slot * SLOT_S + float(rng.uniform(0, SLOT_S)))
                found.append((i, micro(midnight + after)))
    return _moved(trace, found, zone)


DRAWS: dict[str, Callable[[Trace, tzinfo, np.random.Generator], Trace]] = {
    "days": resampled,
    "poisson": poisson,
}


def _local(at: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(at // SECOND, zone).replace(microsecond=at % SECOND)


def _days(trace: Trace, zone: tzinfo) -> Days:
    """Every date from the first to the last, those without tickets too."""
    if not trace.tickets:
        raise ValueError("there are no tickets to draw from")
    found: Days = defaultdict(list)
    # in an order of their own, so that the order of the rows does not matter
    order = sorted(
        range(len(trace.tickets)),
        key=lambda i: (trace.tickets[i].opened_at, trace.tickets[i].ticket_id),
    )
    for i in order:
        found[_local(trace.tickets[i].opened_at, zone).date()].append(i)
    first, last = min(found), max(found)
    return {
        day: found.get(day, [])
        for day in (first + timedelta(days=n) for n in range((last - first).days + 1))
    }


def _alike(days: Days, day: date) -> list[date]:
    same = [other for other in days if other.weekday() == day.weekday()]
    if len(same) >= FEWEST_DAYS:
        return same
    weekend = day.weekday() >= SATURDAY
    return [other for other in days if (other.weekday() >= SATURDAY) == weekend]


def _by_slot(trace: Trace, numbers: Sequence[int], zone: tzinfo) -> dict[int, list[int]]:
    slots: dict[int, list[int]] = defaultdict(list)
    for i in numbers:
        opened = _local(trace.tickets[i].opened_at, zone)
        slots[(opened.hour * 3600 + opened.minute * 60) // SLOT_S].append(i)
    return slots


def _moved(trace: Trace, found: Sequence[tuple[int, int]], zone: tzinfo) -> Trace:
    """The trace with these tickets at these instants."""
    tickets = []
    for number, (i, opened) in enumerate(found):
        ticket = trace.tickets[i]
        day = _local(opened, zone).date()
        tickets.append(
            replace(
                ticket, ticket_id=f"{ticket.ticket_id}@{day}-{number}", opened_at=opened,
                due_at=opened + ticket.due_at - ticket.opened_at,
            )
        )  # fmt: skip
    return Trace(
        tickets, [trace.handle[i] for i, _ in found], [trace.patience[i] for i, _ in found]
    )
