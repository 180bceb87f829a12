"""A problem as arrays for compiled annealing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from scheduler.annealing.demand import Asked, Demand
from scheduler.annealing.record import Record, Sum
from scheduler.objective import charge_wishes
from scheduler.problem import RosterProblem

MOST_KINDS = 62  # of people, or of covers, in one allotment
LARGEST_SUM = (1 << 31) - 1

Array: TypeAlias = np.ndarray[Any, Any]


class Choices(NamedTuple):
    """What may be chosen. `x_at` tells where the part of each begins in `x`, here and below."""

    shape: Array  # agents, days, shifts
    free: Array  # (cells, 2) agent and day that may change
    option_at: Array  # agent · days + day to shifts she may have, -1 for off
    options: Array
    place_at: Array  # day to the places of holders there: posts
    tied: Array  # whether one must work to hold it
    holder_at: Array  # place to those who may hold it: (agent, item)
    holders: Array
    beside_at: Array  # agent to agents who count where she does
    beside: Array


class Sums(NamedTuple):
    """Rows are sums over items; groups of rows cost something.

    Items are cells (agent, day, shift), then holders of posts, then what is true when any of some
    cells is (see `Record`).
    """

    item_cost: Array
    row_at: Array  # the rows of each item (`any_of` included), and how often it counts there
    rows: Array
    counts: Array
    any_at: Array  # what is true if an item is
    anys: Array
    start: Array  # of each row: what is settled, ends taken off
    group_of: Array  # row to group
    group_rows_at: Array
    group_rows: Array
    kind: Array
    weight: Array  # -1 for a hard rule
    unit: Array
    table_at: Array
    table: Array


class Allotments(NamedTuple):
    """Where people count for one cover each: positions are the kinds of people of allotments."""

    place_at: Array  # item to the positions in which it counts
    places: Array
    node_of: Array  # position to its allotment
    mark_of: Array  # position: what one more adds to the mark of the allotment
    settled: Array  # position: people there whatever is decided
    kinds_at: Array  # allotment to its positions
    asked_of: Array  # allotment to what it asks
    times: Array
    mask_at: Array  # what is asked to the covers of its kinds, a bit each
    masks: Array
    wanted_at: Array  # what is asked to its places from the dearest: (cover, worth)
    wanted: Array
    spare: Array
    full: Array  # what all places together are worth


class Tables(NamedTuple):
    """A problem; `constant` is what every roster costs."""

    choices: Choices
    sums: Sums
    allotments: Allotments
    constant: int
    holders: list[tuple[int, int, int]]  # post, day and agent of the items after the cells


def tables_of(problem: RosterProblem) -> Tables | None:
    """Write a problem down; None when covers that share people, or sums, do not fit a word."""
    record = Record(problem)
    charge_wishes(record.x, record.charge)
    demand = Demand(record)
    if any(max(len(masks), len(wants)) > MOST_KINDS for masks, wants, _ in demand.asked):
        return None
    rows = [(row, g) for g, group in enumerate(record.groups) for row in group.rows]
    if any(abs(c) + sum(map(abs, terms.values())) > LARGEST_SUM for (terms, c), _ in rows):
        return None
    sums, allotments = _summed(record, rows), _allotted(demand, record.n_items)
    return Tables(_choices(record, demand), sums, allotments, record.constant, record.holders)


def _summed(record: Record, rows: list[tuple[tuple[Sum, int], int]]) -> Sums:
    """Rows with their groups."""
    items = record.n_items
    every = items + len(record.any_of)
    costs = np.zeros(every, np.int64)
    for item, cost in record.costs.items():
        costs[item] = cost
    in_rows: list[list[tuple[int, int]]] = [[] for _ in range(every)]
    for n, ((terms, _), _) in enumerate(rows):
        for item, count in terms.items():
            in_rows[item].append((n, count))
    in_any: list[list[int]] = [[] for _ in range(items)]
    for n, parts in enumerate(record.any_of):
        for item in parts:
            in_any[item].append(n)
    group_rows: list[list[int]] = [[] for _ in record.groups]
    for n, (_, g) in enumerate(rows):
        group_rows[g].append(n)
    return Sums(
        item_cost=costs,
        **_pairs("row_at", "rows", "counts", in_rows),
        **_ragged("any_at", "anys", in_any),
        start=_whole(constant for (_, constant), _ in rows),
        group_of=_whole(g for _, g in rows),
        **_ragged("group_rows_at", "group_rows", group_rows),
        kind=_whole(group.kind for group in record.groups),
        weight=_amounts(-1 if g.weight is None else g.weight for g in record.groups),
        unit=_whole(group.unit for group in record.groups),
        table_at=_begins(group.table for group in record.groups),
        table=_amounts(cost for group in record.groups for cost in group.table),
    )


def _allotted(demand: Demand, items: int) -> Allotments:
    places: list[list[int]] = [[] for _ in range(items)]
    node_of: list[int] = []
    settled: list[int] = []
    marks: list[int] = []
    at = [0]
    draw = np.random.default_rng(1)
    mark_of = [
        draw.integers(1, 1 << 62, len(masks), np.int64).tolist() for masks, _, _ in demand.asked
    ]
    for n, allotment in enumerate(demand.allotments):
        for item, kind in allotment.kind_of.items():
            places[item].append(at[-1] + kind)
        node_of += [n] * len(allotment.settled)
        settled += allotment.settled
        marks += mark_of[allotment.asked]
        at.append(at[-1] + len(allotment.settled))
    wanted = [_places(asked, demand.record.look.n_agents) for asked in demand.asked]
    return Allotments(
        **_ragged("place_at", "places", places),
        node_of=_whole(node_of),
        mark_of=np.array(marks, np.int64),
        settled=_whole(settled),
        kinds_at=_whole(at),
        asked_of=_whole(a.asked for a in demand.allotments),
        times=_whole(a.times for a in demand.allotments),
        mask_at=_begins(masks for masks, _, _ in demand.asked),
        masks=_amounts(mask for masks, _, _ in demand.asked for mask in masks),
        wanted_at=_begins(wanted),
        wanted=np.array([p for each in wanted for p in each], np.int64).reshape(-1, 2),
        spare=_amounts(spare for _, _, spare in demand.asked),
        full=_amounts(sum(worth for _, worth in each) for each in wanted),
    )


def _places(asked: Asked, people: int) -> list[tuple[int, int]]:
    """(cover, what filling it saves), from the dearest; those beyond what is desired save none."""
    _, wants, _ = asked
    found = []
    for n, (desired, minimum, most, under, extra) in enumerate(wants):
        for k in range(most):
            worth = under + (extra if k < minimum else 0) if k < desired else -1
            if k < desired or k < people:
                found.append((n, worth))
    found.sort(key=lambda place: (-place[1], place[0]))
    return [(n, max(worth, 0)) for n, worth in found]


def _choices(record: Record, demand: Demand) -> Choices:
    """What may be chosen: shifts of cells, holders of posts."""
    look, x = record.look, record.x
    options: list[list[int]] = []
    free = []
    for a in range(look.n_agents):
        for d in range(look.n_days):
            if (a, d) in look.locked or not x.cell[a, d]:
                options.append([])
                continue
            options.append([-1, *x.cell[a, d]])
            free.append((a, d))
    first = record.n_items - len(record.holders)
    held: dict[tuple[int, int], list[tuple[int, int]]] = {}  # by day and post
    locked = {(look.agent[lock.agent], look.day[lock.date]) for lock in record.problem.post_locks}
    for n, (p, d, a) in enumerate(record.holders):
        if (a, d) not in locked:
            held.setdefault((d, p), []).append((a, first + n))
    places = sorted(held)
    return Choices(
        shape=_whole([look.n_agents, look.n_days, look.n_shifts]),
        free=np.array(free, np.int32).reshape(-1, 2),
        **_ragged("option_at", "options", options),
        place_at=np.searchsorted([d for d, _ in places], range(look.n_days + 1)).astype(np.int32),
        tied=np.array([bool(record.problem.posts[p].shifts) for _, p in places], bool),
        holder_at=_begins(held[place] for place in places),
        holders=np.array([pair for place in places for pair in held[place]], np.int32).reshape(
            -1, 2
        ),
        **_ragged("beside_at", "beside", _beside(record, demand)),
    )


def _beside(record: Record, demand: Demand) -> list[list[int]]:
    """For each person those who count in the same places: with them shifts are exchanged."""
    look = record.look
    days = look.n_days * look.n_shifts
    seen: dict[int, set[int]] = {}
    sets: list[Iterable[int]] = [a.kind_of for a in demand.allotments]
    sets += [group.rows[0][0] for group in record.groups if group.table]
    together: set[frozenset[int]] = {
        frozenset(item // days for item in items if item < look.n_agents * days) for items in sets
    }
    for people in together:
        for a in people:
            seen.setdefault(a, set()).update(people)
    return [sorted(seen.get(a, set()) - {a}) for a in range(look.n_agents)]


def _whole(numbers: Iterable[int]) -> Array:
    return np.array(list(numbers), np.int32)


def _amounts(numbers: Iterable[int]) -> Array:
    return np.array(list(numbers), np.int64)


def _begins(lists: Iterable[Sized]) -> Array:
    return _whole(accumulate((len(each) for each in lists), initial=0))


def _ragged(at: str, name: str, lists: Sequence[Sequence[int]]) -> dict[str, Array]:
    return {at: _begins(lists), name: _whole(n for each in lists for n in each)}


def _pairs(
    at: str, first: str, second: str, lists: Sequence[Sequence[tuple[int, int]]]
) -> dict[str, Array]:
    return {
        at: _begins(lists),
        first: _whole(one for each in lists for one, _ in each),
        second: _whole(two for each in lists for _, two in each),
    }
