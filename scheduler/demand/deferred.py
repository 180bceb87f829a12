"""Work that may wait: people per slot so that every deadline is met, levelled and in full hours.

Work is divisible; it may be done in any open slot from its release to its due slot. By Hall's
theorem for intervals a capacity c keeps all deadlines exactly when, for all slots r ≤ d,

    work released from r on and due by d  ≤  c(r) + … + c(d),

and serving the earliest deadline first then keeps them. The largest density of such a window
is the smallest possible peak (Yao, Demers & Shenker, "A scheduling model for reduced CPU
energy", 1995; Horn, "Some simple scheduling algorithms", 1974).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scheduler.errors import SchedulingError

ROUNDING = 1e-9  # person-slots

Floats = NDArray[np.float64]
Slots = NDArray[np.int64]


@dataclass(frozen=True)
class DeferredWork:
    """Work under one promise.

    Parameters
    ----------
    skill, tier, promise : str
        What it needs, the lowest grade that may do it, and the promise its deadlines come from.
    release, due : array of int
        First and last slot (both usable) of each piece of work.
    minutes : array of float
        Handle minutes of each piece.
    """

    skill: str
    tier: str
    promise: str
    release: Slots
    due: Slots
    minutes: Floats


@dataclass(frozen=True, slots=True)
class Late:
    """Work whose promise cannot be kept by any number of people: no open slot before its due.

    ``done_by`` is the slot it is planned for instead, ``None`` when nothing opens any more.
    """

    skill: str
    promise: str
    release: int
    due: int
    done_by: int | None
    minutes: float


@dataclass(frozen=True)
class Levelled:
    """Answer of `level`.

    ``people`` per slot (int); ``done`` person-slots of work per promise and slot; ``spare``
    person-slots left over per slot, for work of lower tiers.
    """

    people: Slots
    promises: tuple[str, ...]
    done: Floats
    spare: Floats
    late: tuple[Late, ...]


def work_due(
    skill: str,
    tier: str,
    promise: str,
    minutes: Floats,
    within_min: float,
    slot_min: float,
    is_open: NDArray[np.bool_],
) -> DeferredWork:
    """Work expected per slot, with due slots counted in open time.

    Contacts come at any moment of their slot: the earliest of them sets the due slot, the
    latest may only be worked on from the next open slot on (when the promise leaves one). Those
    of closed hours count from the next opening; those of the last hours are due by the end of
    the horizon at the latest.

    Raises
    ------
    SchedulingError
        The promise is shorter than a slot: such work cannot wait and is live.
    """
    length = int(within_min / slot_min + ROUNDING)
    if length < 1:
        raise SchedulingError(f"{promise}: within {within_min} min is shorter than a slot")
    openings = np.flatnonzero(is_open)
    arrived = np.flatnonzero(minutes > 0)
    if not openings.size:
        return DeferredWork(skill, tier, promise, arrived, arrived, minutes[arrived])
    nth = np.searchsorted(openings, arrived)
    inside = (nth < openings.size) & is_open[arrived]
    last = nth + length - 1
    first = np.where(inside & (length > 1), nth + 1, nth)
    end = openings.size - 1
    release = np.where(nth > end, arrived, openings[np.minimum(first, end)])
    due = np.where(nth > end, arrived, openings[np.minimum(last, end)])
    return DeferredWork(skill, tier, promise, release, due, minutes[arrived])


def level(
    works: Sequence[DeferredWork],
    is_open: NDArray[np.bool_],
    slot_min: float,
    spare: Floats | None = None,
) -> Levelled:
    """People per open slot for work that may wait.

    The peak is the smallest whole number of people that keeps all deadlines. Below it, people
    come when there is work for their whole slot, no more of them than levelling asks for, or
    when a deadline forces them.

    Parameters
    ----------
    works : sequence of DeferredWork
        Work sharing one pool of people.
    is_open : array of bool
        Slots in which it may be done.
    slot_min : float
        Minutes per slot.
    spare : array of float, optional
        Person-slots that are there anyway (people of higher tiers); used first.

    Raises
    ------
    SchedulingError
        A slot lies outside the horizon, is due before its release, or minutes are negative.
    """
    horizon = len(is_open)
    free = np.zeros(horizon) if spare is None else np.where(is_open, spare, 0.0)
    release, due, amount, owner = _pieces(works, horizon, slot_min)
    openings = np.flatnonzero(is_open)
    first = np.searchsorted(openings, release)
    last = np.searchsorted(openings, due, side="right") - 1
    misses = last < first
    late = _late(works, release, due, amount * slot_min, owner, misses, openings, first)
    kept = first < len(openings)
    first, last = first[kept], np.maximum(first, last)[kept]
    people, done, left = _earliest_deadline(
        first, last, amount[kept], owner[kept], len(works), free[openings]
    )
    wide = np.zeros((len(works), horizon))
    wide[:, openings] = done
    remaining = np.zeros(horizon) if spare is None else np.array(spare, dtype=float)
    remaining[openings] = left
    everyone = np.zeros(horizon, dtype=np.int64)
    everyone[openings] = people
    return Levelled(everyone, tuple(work.promise for work in works), wide, remaining, late)


def smallest_peak(first: Slots, last: Slots, amount: Floats, free: Floats) -> int:
    """Fewest people at every slot that keep all deadlines, beside the `free` person-slots."""
    slots = len(free)
    due_work = np.zeros(slots)
    order = np.argsort(-first, kind="stable")
    densest, at = 0.0, 0
    for start in range(slots - 1, -1, -1):
        while at < len(order) and first[order[at]] == start:
            due_work[last[order[at]]] += amount[order[at]]
            at += 1
        excess = np.cumsum(due_work[start:]) - np.cumsum(free[start:])
        densest = max(densest, float((excess / np.arange(1, slots - start + 1)).max()))
    return int(np.ceil(densest - ROUNDING))


def _earliest_deadline(
    first: Slots, last: Slots, amount: Floats, owner: Slots, owners: int, free: Floats
) -> tuple[Slots, Floats, Floats]:
    """Walk through the open slots; return people, work done per owner, and what is left over."""
    slots = len(free)
    peak = smallest_peak(first, last, amount, free)
    to_come = np.bincount(last, weights=amount, minlength=slots).astype(float)
    waiting = np.zeros((owners, slots))
    people = np.zeros(slots, dtype=np.int64)
    done, left = np.zeros((owners, slots)), np.zeros(slots)
    order = np.argsort(first, kind="stable")
    bounds = np.searchsorted(first[order], np.arange(slots + 1))
    for now in range(slots):
        new = order[bounds[now] : bounds[now + 1]]
        np.add.at(waiting, (owner[new], last[new]), amount[new])
        steps = np.arange(slots - now)
        excess = np.cumsum(to_come[now:]) - np.cumsum(free[now:])
        forced = np.ceil((excess - peak * steps).max() - ROUNDING)
        levelled = np.ceil((excess / (steps + 1)).max() - ROUNDING)
        full = np.floor(waiting.sum() - free[now] + ROUNDING)
        people[now] = max(0, forced, min(full, levelled))
        capacity = people[now] + free[now]
        queue = waiting.sum(axis=0)
        before = np.cumsum(queue) - queue
        served = np.clip(capacity - before, 0, queue)
        share = np.divide(served, queue, out=np.zeros(slots), where=queue > 0)
        done[:, now] = waiting @ share
        waiting *= 1 - share
        to_come -= served
        left[now] = capacity - served.sum()
    return people, done, left


def _pieces(
    works: Sequence[DeferredWork], horizon: int, slot_min: float
) -> tuple[Slots, Slots, Floats, Slots]:
    """All pieces in one table: release, due, person-slots, number of the work they belong to."""
    faults = []
    for work in works:
        if not len(work.release) == len(work.due) == len(work.minutes):
            faults.append(f"{work.promise}: release, due and minutes differ in length")
        elif len(work.release) and (work.release.min() < 0 or work.due.max() >= horizon):
            faults.append(f"{work.promise}: a slot lies outside 0 … {horizon - 1}")
        elif (work.due < work.release).any():
            faults.append(f"{work.promise}: work is due before it is released")
        elif not (np.isfinite(work.minutes) & (work.minutes >= 0)).all():
            faults.append(f"{work.promise}: minutes must be numbers from 0 up")
    if faults:
        raise SchedulingError("\n".join(faults))
    if not works:
        none = np.zeros(0, dtype=np.int64)
        return none, none, np.zeros(0), none
    return (
        np.concatenate([work.release for work in works]).astype(np.int64),
        np.concatenate([work.due for work in works]).astype(np.int64),
        np.concatenate([work.minutes for work in works]) / slot_min,
        np.repeat(np.arange(len(works)), [len(work.release) for work in works]),
    )


def _late(
    works: Sequence[DeferredWork],
    release: Slots,
    due: Slots,
    minutes: Floats,
    owner: Slots,
    misses: NDArray[np.bool_],
    openings: Slots,
    first: Slots,
) -> tuple[Late, ...]:
    return tuple(
        Late(
            skill=works[owner[i]].skill,
            promise=works[owner[i]].promise,
            release=int(release[i]),
            due=int(due[i]),
            done_by=int(openings[first[i]]) if first[i] < len(openings) else None,
            minutes=float(minutes[i]),
        )
        for i in np.flatnonzero(misses & (minutes > 0))
    )
