"""Moves on a roster, drawn by chance, compiled: items that are turned on and off together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from numba import njit

from scheduler.annealing.tables import Array, Choices

# places of single numbers in `Roster.at`
HARD, SOFT, LINEAR, TURNED, CHANCE, BEST_HARD, BEST_SOFT, SINGLES = range(8)
LONGEST = 7  # days exchanged at once
# percent of moves, up to each kind; the rest are exchanges of spans
HOLDS, CHANGES, MOVES, TRADES, EXCHANGES = 6, 20, 50, 65, 82
LARGEST = 4 * LONGEST  # items of a move without posts; beyond so many posts stay as they are
MOST_TURNED = LARGEST + 2 + LARGEST
UNCOUNTED: dict[str, Any] = {"_nrt": False}

Function = TypeVar("Function", bound=Callable[..., object])


def machine_code(function: Function) -> Function:
    """Compile a function.

    Nothing may be allocated in it, so no references need be counted: that alone is five times as
    fast. What is compiled is kept by the time of the function's own file; touch `kernel.py`, which
    holds what is called from outside, when this file changes.
    """
    compiled: Function = njit(cache=True, nogil=True, error_model="numpy", **UNCOUNTED)(function)
    return compiled


def inlined(function: Function) -> Function:
    """Compile a function into those that call it: for the innermost ones twice as fast."""
    compiled: Function = njit(inline="always", nogil=True, error_model="numpy", **UNCOUNTED)(
        function
    )
    return compiled


class Roster(NamedTuple):
    """A roster, a move on it, and the best so far."""

    at: Array  # single numbers
    line: Array  # (agents, days) shift or -1
    on: Array  # of each item
    turned: Array  # (most, 2): items and signs of the move
    best: Array  # of each item


@machine_code
def draw(r: Roster, n: int) -> int:
    """A whole number below n (xorshift, Marsaglia 2003)."""
    x = r.at[CHANCE]
    x ^= x << 13
    x ^= (x >> 7) & 0x1FFFFFFFFFFFFFF
    x ^= x << 17
    r.at[CHANCE] = x
    return int(((x >> 1) & 0x7FFFFFFF) % n)


@machine_code
def put(c: Choices, r: Roster, a: int, d: int, shift: int) -> None:
    """Another shift for a cell (-1 off), as part of a move."""
    cell = (a * c.shape[1] + d) * c.shape[2]
    if r.line[a, d] >= 0:
        turn(r, cell + r.line[a, d], -1)
    if shift >= 0:
        turn(r, cell + shift, 1)


@machine_code
def turn(r: Roster, item: int, sign: int) -> None:
    """An item on (1) or off (-1), as part of a move."""
    n = r.at[TURNED]
    r.turned[n, 0], r.turned[n, 1] = item, sign
    r.at[TURNED] = n + 1


@machine_code
def may(c: Choices, a: int, d: int, shift: int) -> bool:
    """Whether the agent may have the shift that day."""
    cell = a * c.shape[1] + d
    k, end = c.option_at[cell], c.option_at[cell + 1]
    while k < end and c.options[k] != shift:
        k += 1
    return bool(k < end)


@machine_code
def change(c: Choices, r: Roster, a: int, d: int) -> None:
    """Another shift for one cell, at times for some days in a row."""
    cell = a * c.shape[1] + d
    first, count = c.option_at[cell], c.option_at[cell + 1] - c.option_at[cell]
    shift = c.options[first + draw(r, count)]
    last = d + 1
    if draw(r, 4) == 0:
        last = min(c.shape[1], d + 1 + draw(r, LONGEST))
    for e in range(d, last):
        if r.line[a, e] != shift and may(c, a, e, shift):
            put(c, r, a, e, shift)


@machine_code
def move(c: Choices, r: Roster, a: int, d: int) -> None:
    """Another day for what somebody has on one."""
    e = draw(r, c.shape[1])
    one, two = r.line[a, d], r.line[a, e]
    if one != two and may(c, a, d, two) and may(c, a, e, one):
        put(c, r, a, d, two)
        put(c, r, a, e, one)
        if two < 0:
            leave(c, r, a, d)
        elif one < 0:
            leave(c, r, a, e)


@machine_code
def trade(c: Choices, r: Roster, a: int, d: int) -> None:
    """What two people have on two days, of which each works one: all keep their counts."""
    count = c.beside_at[a + 1] - c.beside_at[a]
    if count == 0:
        return
    b = c.beside[c.beside_at[a] + draw(r, count)]
    works = r.line[a, d] >= 0
    if works == (r.line[b, d] >= 0):
        return
    begin = draw(r, c.shape[1])
    for k in range(c.shape[1]):
        e = (begin + k) % c.shape[1]
        if (r.line[a, e] >= 0) != works and (r.line[b, e] >= 0) == works:
            if _swappable(c, r, a, b, d) and _swappable(c, r, a, b, e):
                _swap(c, r, a, b, d)
                _swap(c, r, a, b, e)
            return


@machine_code
def _swappable(c: Choices, r: Roster, a: int, b: int, d: int) -> bool:
    return may(c, a, d, r.line[b, d]) and may(c, b, d, r.line[a, d])


@machine_code
def _swap(c: Choices, r: Roster, a: int, b: int, d: int) -> None:
    one, two = r.line[a, d], r.line[b, d]
    put(c, r, a, d, two)
    put(c, r, b, d, one)
    pass_on(c, r, a, b, d)


@machine_code
def pass_on(c: Choices, r: Roster, a: int, b: int, d: int) -> None:
    """Posts one of two people holds on duty for the other, where she may hold them."""
    for place in range(c.place_at[d], c.place_at[d + 1]):
        if not c.tied[place]:
            continue
        one = two = -1
        for k in range(c.holder_at[place], c.holder_at[place + 1]):
            if c.holders[k, 0] == a:
                one = c.holders[k, 1]
            elif c.holders[k, 0] == b:
                two = c.holders[k, 1]
        if one >= 0 and two >= 0 and r.on[one] != r.on[two] and r.at[TURNED] <= LARGEST:
            turn(r, one, 1 - 2 * r.on[one])
            turn(r, two, 1 - 2 * r.on[two])


@machine_code
def leave(c: Choices, r: Roster, a: int, d: int) -> None:
    """Let somebody who works that day hold on duty what one holds who will not."""
    for place in range(c.place_at[d], c.place_at[d + 1]):
        if not c.tied[place]:
            continue
        first, count = c.holder_at[place], c.holder_at[place + 1] - c.holder_at[place]
        for k in range(first, first + count):
            if c.holders[k, 0] == a and r.on[c.holders[k, 1]] and r.at[TURNED] <= LARGEST:
                turn(r, c.holders[k, 1], -1)
                _take_over(c, r, first, count, d)
                break


@machine_code
def _take_over(c: Choices, r: Roster, first: int, count: int, d: int) -> None:
    begin = draw(r, count)
    for k in range(count):
        other, item = c.holders[first + (begin + k) % count]
        if r.line[other, d] >= 0 and not r.on[item]:
            turn(r, item, 1)
            return


@machine_code
def exchange(c: Choices, r: Roster, a: int, d: int, length: int) -> None:
    """What two people have on some days in a row."""
    count = c.beside_at[a + 1] - c.beside_at[a]
    if count == 0:
        return
    b = c.beside[c.beside_at[a] + draw(r, count)]
    for e in range(d, min(c.shape[1], d + length)):
        if r.line[a, e] != r.line[b, e] and _swappable(c, r, a, b, e):
            _swap(c, r, a, b, e)


@machine_code
def hold(c: Choices, r: Roster) -> None:
    """Another holder of a post, one more, or one less."""
    place = draw(r, len(c.holder_at) - 1)
    first, count = c.holder_at[place], c.holder_at[place + 1] - c.holder_at[place]
    item = c.holders[first + draw(r, count), 1]
    if r.on[item]:
        turn(r, item, -1)
        return
    if draw(r, 4):
        begin = draw(r, count)
        for k in range(count):
            other = c.holders[first + (begin + k) % count, 1]
            if r.on[other]:
                turn(r, other, -1)
                break
    turn(r, item, 1)


@machine_code
def propose(c: Choices, r: Roster) -> None:
    """A move drawn by chance."""
    r.at[TURNED] = 0
    which = draw(r, 100)
    if which < HOLDS and len(c.holder_at) > 1:
        hold(c, r)
        return
    n = draw(r, len(c.free))
    a, d = c.free[n, 0], c.free[n, 1]
    if which < CHANGES:
        change(c, r, a, d)
    elif which < MOVES:
        move(c, r, a, d)
    elif which < TRADES:
        trade(c, r, a, d)
    else:
        exchange(c, r, a, d, 1 if which < EXCHANGES else 2 + draw(r, LONGEST - 1))
