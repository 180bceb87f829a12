"""Moves weighed, and taken or undone, compiled.

Rows and counts follow item by item; only groups and allotments that were touched are priced anew.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scheduler.annealing.moves import (
    BEST_HARD,
    BEST_SOFT,
    HARD,
    LINEAR,
    SOFT,
    TURNED,
    Roster,
    draw,
    inlined,
    machine_code,
    propose,
)
from scheduler.annealing.record import EXCESS, SPREAD, SQUARE
from scheduler.annealing.tables import Allotments, Array, Choices, Sums

CACHE = 1 << 16  # prices of allotments that are remembered


class SumsNow(NamedTuple):
    """What rows and groups come to; `touched[0]` tells how many groups are touched."""

    act: Array
    any_count: Array
    amount: Array  # of each group
    after: Array  # of each touched group, in order
    seen: Array
    touched: Array


class AllotmentsNow(NamedTuple):
    """Who is there, and what that costs; `touched` as above."""

    counts: Array  # of each position
    mark: Array  # of each allotment: tells counts apart
    cost: Array
    cost_mark: Array  # the mark it is the cost of
    after: Array
    seen: Array
    touched: Array
    known_mark: Array  # prices remembered
    known_cost: Array
    given: Array  # (kinds, covers) for pricing
    spare: Array
    path: Array


# -- sums ----------------------------------------------------------------------------------------


@machine_code
def add_to_sums(t: Sums, r: Roster, s: SumsNow, sign: int) -> None:
    """Let rows follow the move (1), or its undoing (-1)."""
    first_any = len(t.any_at) - 1
    for n in range(r.at[TURNED]):
        item, way = r.turned[n, 0], sign * r.turned[n, 1]
        r.at[LINEAR] += way * t.item_cost[item]
        _add_to_rows(t, s, item, way)
        for k in range(t.any_at[item], t.any_at[item + 1]):
            which = t.anys[k]
            before = s.any_count[which]
            s.any_count[which] = before + way
            if (before == 0) != (before + way == 0):
                r.at[LINEAR] += way * t.item_cost[first_any + which]
                _add_to_rows(t, s, first_any + which, way)


@inlined
def _add_to_rows(t: Sums, s: SumsNow, item: int, way: int) -> None:
    for k in range(t.row_at[item], t.row_at[item + 1]):
        row = t.rows[k]
        s.act[row] += way * t.counts[k]
        group = t.group_of[row]
        if not s.seen[group]:
            s.seen[group] = True
            s.touched[0] += 1
            s.touched[s.touched[0]] = group


@inlined
def group_amount(t: Sums, s: SumsNow, g: int) -> int:
    """What the rows of a group come to, before its weight."""
    kind, unit = t.kind[g], t.unit[g]
    begin, end = t.group_rows_at[g], t.group_rows_at[g + 1]
    first = s.act[t.group_rows[begin]]
    if kind == EXCESS:
        most = first
        for k in range(begin + 1, end):
            most = max(most, s.act[t.group_rows[k]])
        if most <= 0:
            return 0
        return int(most if unit == 1 else -(-most // unit))
    if kind == SPREAD:
        low = high = first
        for k in range(begin + 1, end):
            act = s.act[t.group_rows[k]]
            low, high = min(low, act), max(high, act)
        return int(-((low - high) // unit))
    if kind == SQUARE:
        units = -(-abs(first) // unit)
        return int(units * units)
    return int(t.table[t.table_at[g] + first])


@machine_code
def weigh_sums(t: Sums, s: SumsNow) -> tuple[int, int]:
    """What the groups touched change: hard units, and cost."""
    hard = soft = 0
    for k in range(1, s.touched[0] + 1):
        g = s.touched[k]
        amount = group_amount(t, s, g)
        s.after[k] = amount
        if amount != s.amount[g]:
            if t.weight[g] < 0:
                hard += amount - s.amount[g]
            else:
                soft += (amount - s.amount[g]) * t.weight[g]
    return hard, soft


@machine_code
def end_sums(s: SumsNow, kept: bool) -> None:
    """The move is over, and kept or undone."""
    for k in range(1, s.touched[0] + 1):
        g = s.touched[k]
        s.seen[g] = False
        if kept:
            s.amount[g] = s.after[k]
    s.touched[0] = 0


# -- allotments ----------------------------------------------------------------------------------


@machine_code
def add_to_allotments(t: Allotments, r: Roster, s: AllotmentsNow, sign: int) -> None:
    """Let the counts of people follow the move (1), or its undoing (-1)."""
    for n in range(r.at[TURNED]):
        item, way = r.turned[n, 0], sign * r.turned[n, 1]
        for k in range(t.place_at[item], t.place_at[item + 1]):
            place = t.places[k]
            node = t.node_of[place]
            s.counts[place] += way
            s.mark[node] += way * t.mark_of[place]
            if not s.seen[node]:
                s.seen[node] = True
                s.touched[0] += 1
                s.touched[s.touched[0]] = node


@machine_code
def weigh_allotments(t: Allotments, s: AllotmentsNow) -> int:
    """What the allotments touched cost more."""
    soft = 0
    for k in range(1, s.touched[0] + 1):
        node = s.touched[k]
        if s.mark[node] == s.cost_mark[node]:
            s.after[k] = s.cost[node]
            continue
        s.after[k] = node_cost(t, s, node)
        soft += s.after[k] - s.cost[node]
    return soft


@machine_code
def end_allotments(s: AllotmentsNow, kept: bool) -> None:
    """The move is over, and kept or undone."""
    for k in range(1, s.touched[0] + 1):
        node = s.touched[k]
        s.seen[node] = False
        if kept:
            s.cost[node] = s.after[k]
            s.cost_mark[node] = s.mark[node]
    s.touched[0] = 0


@inlined
def node_cost(t: Allotments, s: AllotmentsNow, node: int) -> int:
    """The cost of an allotment, remembered by its mark."""
    mark = s.mark[node] + 7919 * (t.asked_of[node] + 1)
    at = (mark ^ (mark >> 17) ^ (mark >> 34)) & (CACHE - 1)
    if s.known_mark[at] != mark:
        s.known_cost[at] = allotted(t, s, node)
        s.known_mark[at] = mark
    return int(s.known_cost[at] * t.times[node])


@machine_code
def allotted(t: Allotments, s: AllotmentsNow, node: int) -> int:
    """The cost, once, of giving each person to at most one cover in the cheapest way.

    Places are filled from the dearest, moving people on by shortest paths, as the judge does.
    """
    asked = t.asked_of[node]
    first, kinds = t.kinds_at[node], t.kinds_at[node + 1] - t.kinds_at[node]
    masks = t.mask_at[asked]
    left = 0
    for k in range(kinds):
        s.spare[k] = s.counts[first + k]
        left += s.spare[k]
    for k in range(kinds):
        for cover in range(len(s.path[0])):
            s.given[k, cover] = 0
    full = saved = 0
    for w in range(t.wanted_at[asked], t.wanted_at[asked + 1]):
        cover = t.wanted[w, 0]
        if left and not full >> cover & 1:
            if _fill(t, s, masks, kinds, cover):
                left -= 1
                saved += t.wanted[w, 1]
            else:
                full |= 1 << cover
    return int(t.full[asked] - saved + left * t.spare[asked])


@machine_code
def _fill(t: Allotments, s: AllotmentsNow, masks: int, kinds: int, cover: int) -> bool:
    """One more person for the cover, others moved on where that is needed."""
    s.path[0, 0] = cover
    waiting, seen, at = 1, 1 << cover, 0
    while at < waiting:
        here = s.path[0, at]
        at += 1
        for k in range(kinds):
            mask = t.masks[masks + k]
            if not mask >> here & 1:
                continue
            if s.spare[k]:
                s.spare[k] -= 1
                s.given[k, here] += 1
                while here != cover:
                    kind, to = s.path[1, here], s.path[2, here]
                    s.given[kind, here] -= 1
                    s.given[kind, to] += 1
                    here = to
                return True
            others, other = mask & ~seen, 0
            while others >> other:
                if others >> other & 1 and s.given[k, other]:
                    seen |= 1 << other
                    s.path[1, other], s.path[2, other] = k, here
                    s.path[0, waiting] = other
                    waiting += 1
                other += 1
    return False


# -- annealing -----------------------------------------------------------------------------------


@machine_code
def settle(t: Sums, s: SumsNow, u: Allotments, v: AllotmentsNow, r: Roster) -> None:
    """Price everything anew for the items that are on."""
    r.at[HARD], r.at[SOFT] = 0, r.at[LINEAR]
    for g in range(len(t.kind)):
        amount = group_amount(t, s, g)
        s.amount[g] = amount
        if t.weight[g] < 0:
            r.at[HARD] += amount
        else:
            r.at[SOFT] += amount * t.weight[g]
    for node in range(len(u.asked_of)):
        v.cost[node] = node_cost(u, v, node)
        v.cost_mark[node] = v.mark[node]
        r.at[SOFT] += v.cost[node]


@machine_code
def anneal(
    c: Choices, t: Sums, s: SumsNow, u: Allotments, v: AllotmentsNow, r: Roster,
    tries: int, heat: float, price: float,
) -> int:  # fmt: skip
    """Try moves at one temperature; the best roster met is kept in `r.best`.

    Parameters
    ----------
    tries : int
        Moves to try.
    heat : float
        Temperature, in units of cost: a move that costs so much more is taken once in 2.7 times.
    price : float
        Cost of one unit of a hard rule broken.

    Returns
    -------
    int
        Moves taken.
    """
    taken = 0
    for _ in range(tries):
        propose(c, r)
        if r.at[TURNED] == 0:
            continue
        before = r.at[LINEAR]
        add_to_sums(t, r, s, 1)
        hard, soft = weigh_sums(t, s)
        soft += r.at[LINEAR] - before
        add_to_allotments(u, r, v, 1)
        soft += weigh_allotments(u, v)
        more = hard * price + soft
        kept = more <= 0 or np.log((draw(r, 1 << 30) + 1) / (1 << 30)) * heat < -more
        if kept:
            _take(c, r, hard, soft)
            taken += 1
        else:
            add_to_sums(t, r, s, -1)
            add_to_allotments(u, r, v, -1)
        end_sums(s, kept)
        end_allotments(v, kept)
    return taken


@machine_code
def _take(c: Choices, r: Roster, hard: int, soft: int) -> None:
    """Let the roster be what the move makes it, and remember it if it is the best."""
    shifts, days = c.shape[2], c.shape[1]
    cells = c.shape[0] * days * shifts
    for n in range(r.at[TURNED]):
        item, sign = r.turned[n, 0], r.turned[n, 1]
        r.on[item] += sign
        if item < cells:
            cell = item // shifts
            if sign > 0:
                r.line[cell // days, cell % days] = item % shifts
            elif r.line[cell // days, cell % days] == item % shifts:
                r.line[cell // days, cell % days] = -1
    r.at[HARD] += hard
    r.at[SOFT] += soft
    best = r.at[BEST_HARD]
    if r.at[HARD] < best or (r.at[HARD] == best and r.at[SOFT] < r.at[BEST_SOFT]):
        r.at[BEST_HARD], r.at[BEST_SOFT] = r.at[HARD], r.at[SOFT]
        for item in range(len(r.on)):
            r.best[item] = r.on[item]
