"""A person's line within a window of days, the rest of it as it is.

The slice of days the kernel sees is the window and, on either side, the run of duties or days off
it touches and one day more, all fixed: so the limits of runs hold across the edges.
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


def slice_of(people: People, a: int, line: Array, window: range) -> Slice:
    """What person `a` may do on the window's days, given the rest of her line."""
    first, end = _start(line, window.start), _end(line, window.stop)
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
    inside, outside = line[first:end], np.concatenate([line[:first], line[end:]])
    low, high = _minutes(people, person, allowed, outside)
    caps = tuple(_left(cap, line, inside, people.opens, opens) for cap in person.caps)
    narrowed = replace(
        person, costs=person.costs[first:end], allowed=allowed, may_rest=may_rest, low=low,
        high=high, caps=tuple(cap for cap in caps if cap is not None),
        steps=int(person.steps * (end - first) * (high[-1] + 1))
        // (len(line) * int(person.high[-1] + 1)),
    )  # fmt: skip
    return Slice(first, end, narrowed, opens)


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


def _minutes(people: People, person: Person, allowed: Array, outside: Array) -> tuple[Array, Array]:
    """Units of minutes after each day of the slice from which the limits can be met."""
    spent = int(people.units[outside[outside >= 0]].sum())
    largest = int(people.units[allowed.any(axis=0)].max(initial=0))
    possible = most_days(len(allowed), person.longest, person.least_off) * largest
    most = min(int(person.high[-1]) - spent, int(possible[-1]))
    low = np.maximum(0, int(person.low[-1]) - spent - possible[::-1])
    return low, np.minimum(possible, most)


def _left(cap: Cap, line: Array, inside: Array, all_opens: Array, opens: Array) -> Cap | None:
    """What is left of a cap for the slice; None when the slice cannot use it up."""
    used = cap.used(inside, opens)
    left = cap.most - (cap.used(line, all_opens) - used)
    possible = int((opens == 1).sum()) if cap.shifts is None else len(inside)
    return Cap(cap.shifts, left) if left < possible else None
