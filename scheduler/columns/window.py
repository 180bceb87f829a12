"""A person's line within a window of days, the rest of it as it is.

The slice of days the kernel sees is the window and, on either side, at least the run of duties or
days off it touches and one day more, all fixed: so the limits of runs hold across the edges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scheduler.columns.kernel import Array
from scheduler.columns.people import Cap, People, Person, most_days


@dataclass(frozen=True, slots=True)
class Slice:
    """Days from `first` up to `end` of a person's line, of which a window is free."""

    first: int
    end: int
    person: Person
    opens: Array


def slice_of(
    people: People, a: int, line: Array, window: range, span: range | None = None, share: int = 1
) -> Slice:
    """What person `a` may do on the window's days, given the rest of her line.

    Parameters
    ----------
    span : range, optional
        The days of the slice; by default as few as her line allows.
    share : int
        Of what her limits leave, a part of one in so many may be used up, so that as many windows
        can be filled side by side.
    """
    first, end = _start(line, window.start), _end(line, window.stop)
    if span is not None:
        first, end = span.start, span.stop
    person = people.persons[a]
    allowed, may_rest = person.allowed[first:end].copy(), person.may_rest[first:end].copy()
    for d in (*range(first, window.start), *range(window.stop, end)):
        allowed[d - first] = False
        may_rest[d - first] = line[d] < 0
        if line[d] >= 0:
            allowed[d - first, line[d]] = True
    opens = people.opens[first:end].copy()
    if opens[0] == 2:
        opens[0] = 0  # its Saturday lies outside: nothing here changes whether it counts
    low, high = _minutes(people, person, line, window, range(first, end), share)
    caps = tuple(
        _left(cap, line, line[first:end], people.opens, opens, share) for cap in person.caps
    )
    narrowed = replace(
        person, costs=person.costs[first:end], allowed=allowed, may_rest=may_rest, low=low,
        high=high, caps=tuple(cap for cap in caps if cap is not None),
        steps=int(person.steps * (end - first) * (high[-1] + 1))
        // (len(line) * int(person.high[-1] + 1)),
    )  # fmt: skip
    return Slice(first, end, narrowed, opens)


def span_around(people: People, window: range) -> range:
    """Days around a window that serve anybody's slice, whatever her line."""
    longest = max(max(person.longest, person.least_off) for person in people.persons) + 1
    return range(max(0, window.start - longest), min(people.size[0], window.stop + longest))


def _start(line: Array, d: int) -> int:
    """Where the run before day `d` began, and one day before that."""
    if d == 0:
        return 0
    on = line[d - 1] >= 0
    while d > 0 and (line[d - 1] >= 0) == on:
        d -= 1
    return max(0, d - 1)


def _end(line: Array, d: int) -> int:
    """Where the run from day `d` ends, and one day after that."""
    if d >= len(line):
        return len(line)
    on = line[d] >= 0
    while d < len(line) and (line[d] >= 0) == on:
        d += 1
    return min(len(line), d + 1)


def _minutes(
    people: People, person: Person, line: Array, window: range, span: range, share: int
) -> tuple[Array, Array]:
    """Units of minutes after each day of the slice from which the limits can be met."""
    units = np.where(line >= 0, people.units[line], 0)
    total = int(units.sum())
    before = np.cumsum([0, *units[span.start : window.start]])
    after = np.cumsum([0, *units[window.stop : span.stop]])
    here = int(units[window.start : window.stop].sum())
    least = here - (total - int(person.low[-1])) // share
    most = here + (int(person.high[-1]) - total) // share
    largest = int(
        people.units[person.allowed[window.start : window.stop].any(axis=0)].max(initial=0)
    )
    possible = most_days(len(window), person.longest, person.least_off) * largest
    most = min(most, int(possible[-1]))
    low, high = np.maximum(0, least - possible[::-1]), np.minimum(possible, most)
    ends = before[-1] + np.array([max(0, least), most])[:, None] + after[1:]
    return (
        np.concatenate([before[:-1], before[-1] + low, ends[0]]),
        np.concatenate([before[:-1], before[-1] + high, ends[1]]),
    )


def _left(
    cap: Cap, line: Array, inside: Array, all_opens: Array, opens: Array, share: int
) -> Cap | None:
    """What is left of a cap for the slice; None when the slice cannot use it up."""
    left = cap.used(inside, opens) + (cap.most - cap.used(line, all_opens)) // share
    possible = int((opens == 1).sum()) if cap.shifts is None else len(inside)
    return Cap(cap.shifts, left) if left < possible else None
