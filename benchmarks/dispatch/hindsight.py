"""What a desk could have done that knew the future: a real schedule found by search.

Who does each call and when, with the agents, skills, hours and durations of the replay: an agent
starts within a duty, one call at a time, and finishes what is in hand; everybody is served within
`longest` seconds. The search begins with what a policy did. Again and again it takes one late call,
clears some of the agents around it, puts the calls back in another order, and keeps the outcome if
no more are late than before (or, now and then in its first part, one more). What it finds can be
done; nothing says that no better can.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numba
import numpy as np

from wfm.dispatch.model import SECOND, Agent
from wfm.dispatch.replay import Decision, Duty, Trace, joined

MOST_MOVED = 60
MOST_GAPS = 600
AROUND_S = 300
"""Up to so long before a late call came and after it was due the agents around it are cleared."""
WORSE = 0.002
"""How often, at first, one more late call is put up with."""
ROUNDS = 16
COOLED = 12
"""Rounds of the search, and after how many of them none worse is accepted."""


class Work(NamedTuple):
    """Calls, in seconds, and who may take them; duties of each agent, ascending."""

    opened: np.ndarray
    due: np.ndarray
    handle: np.ndarray
    able: np.ndarray
    ables: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    duties: np.ndarray
    longest: int


class Plan(NamedTuple):
    """Each agent's calls in the order of their start, and each call's agent and start."""

    begin: np.ndarray
    end: np.ndarray
    call: np.ndarray
    size: np.ndarray
    agent: np.ndarray
    start: np.ndarray


def work(trace: Trace, agents: Sequence[Agent], duties: Sequence[Duty], longest: int) -> Work:
    """The trace as arrays."""
    spans = joined(duties)
    mine = [spans.get(agent.agent_id, []) for agent in agents]
    able = [
        [a for a, agent in enumerate(agents) if agent.skills is None or t.skill in agent.skills]
        for t in trace.tickets
    ]
    return Work(
        np.array([t.opened_at // SECOND for t in trace.tickets]),
        np.array([t.due_at // SECOND for t in trace.tickets]),
        np.array([handle // SECOND for handle in trace.handle]),
        _padded(able),
        np.array([len(row) for row in able]),
        _padded([[start // SECOND for start, _ in each] for each in mine]),
        _padded([[end // SECOND for _, end in each] for each in mine]),
        np.array([len(each) for each in mine]),
        longest,
    )


def _padded(rows: Sequence[Sequence[int]]) -> np.ndarray:
    table = np.zeros((len(rows), max(1, *(len(row) for row in rows))), np.int64)
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return table


def plan(decisions: Sequence[Decision], agents: Sequence[Agent], given: Work) -> Plan:
    """What a policy did, everybody served."""
    number = {agent.agent_id: a for a, agent in enumerate(agents)}
    shape = len(agents), len(decisions) + MOST_MOVED
    made = Plan(
        *(np.zeros(shape, np.int64) for _ in range(3)),
        np.zeros(len(agents), np.int64),
        np.zeros(len(decisions), np.int64),
        np.zeros(len(decisions), np.int64),
    )
    for j, decision in enumerate(decisions):
        if decision.agent_id is None or decision.start is None:
            raise ValueError(f"{decision.ticket.ticket_id} was never served")
        put(made, given, j, number[decision.agent_id], decision.start // SECOND)
    return made


def faults(made: Plan, given: Work) -> list[str]:
    """What is wrong with a plan: nothing, if it can be done."""
    found = []
    for a in range(made.size.size):
        mine = np.flatnonzero(made.agent == a)
        in_order = mine[np.lexsort((made.start[mine] + given.handle[mine], made.start[mine]))]
        free_at = -1
        for j in in_order:
            start = made.start[j]
            spans = zip(given.begins[a, : given.duties[a]], given.ends[a], strict=False)
            if start < free_at:
                found.append(f"agent {a} has two calls in hand at {start}")
            if not any(low <= start < high for low, high in spans):
                found.append(f"agent {a} starts call {j} outside her duties")
            if a not in given.able[j, : given.ables[j]]:
                found.append(f"agent {a} has not the skill of call {j}")
            if not 0 <= start - given.opened[j] <= given.longest:
                found.append(f"call {j} starts too early or too late")
            free_at = start + given.handle[j]
    return found


def late(made: Plan, given: Work) -> np.ndarray:
    """Which calls are late."""
    return made.start > given.due


def improve(made: Plan, given: Work, steps: int, seed: int) -> None:
    """Search from the plan on; it is changed in place."""
    for turn in range(ROUNDS):
        worse = WORSE * max(0.0, 1 - turn / COOLED)
        _search(made, given, steps // ROUNDS, seed * ROUNDS + turn, worse)


@numba.njit(cache=True)
def put(made, given, j, a, start):  # type: ignore[no-untyped-def]
    """Give call j to agent a at `start`."""
    end = start + given.handle[j]
    k = made.size[a]
    while k > 0 and (
        made.begin[a, k - 1] > start or (made.begin[a, k - 1] == start and made.end[a, k - 1] > end)
    ):
        made.begin[a, k] = made.begin[a, k - 1]
        made.end[a, k] = made.end[a, k - 1]
        made.call[a, k] = made.call[a, k - 1]
        k -= 1
    made.begin[a, k], made.end[a, k], made.call[a, k] = start, end, j
    made.size[a] += 1
    made.agent[j], made.start[j] = a, start


@numba.njit(cache=True)
def pull(made, j):  # type: ignore[no-untyped-def]
    """Take call j from its agent."""
    a = made.agent[j]
    last = made.size[a] - 1
    k = np.searchsorted(made.begin[a, : last + 1], made.start[j])
    while made.call[a, k] != j:
        k += 1
    for i in range(k, last):
        made.begin[a, i] = made.begin[a, i + 1]
        made.end[a, i] = made.end[a, i + 1]
        made.call[a, i] = made.call[a, i + 1]
    made.size[a] = last


@numba.njit(cache=True)
def _gaps(made, given, j, first, last, found):  # type: ignore[no-untyped-def]
    """Where call j fits with a start from `first` to `last`: agent, earliest and latest start."""
    n = 0
    for q in range(given.ables[j]):
        a = given.able[j, q]
        size = made.size[a]
        k = np.searchsorted(made.end[a, :size], first)
        free_at = first if k == 0 else max(first, made.end[a, k - 1])
        while free_at <= last and n + 4 < MOST_GAPS:
            until = last if k >= size else min(last, made.begin[a, k] - given.handle[j])
            ends = given.ends[a, : given.duties[a]]
            for d in range(np.searchsorted(ends, free_at, side="right"), ends.size):
                low, high = max(free_at, given.begins[a, d]), min(until, ends[d] - 1)
                if given.begins[a, d] > until or n >= MOST_GAPS:
                    break
                if low <= high:
                    found[n, 0], found[n, 1], found[n, 2] = a, low, high
                    n += 1
            if k >= size:
                break
            free_at = max(free_at, made.end[a, k])
            k += 1
    return n


@numba.njit(cache=True)
def _around(made, given, j, moved):  # type: ignore[no-untyped-def]
    """Call j, what some agents who could take it do around its time, and who is late there."""
    low = given.opened[j] - np.random.randint(AROUND_S)
    high = given.due[j] + np.random.randint(AROUND_S)
    cleared = np.zeros(made.size.size, np.bool_)
    for _ in range(np.random.randint(1, 5)):
        cleared[given.able[j, np.random.randint(given.ables[j])]] = True
    moved[0] = j
    n = 1
    for a in range(made.size.size):
        k = np.searchsorted(made.end[a, : made.size[a]], low, side="right")
        while k < made.size[a] and made.begin[a, k] < high and n < MOST_MOVED:
            i = made.call[a, k]
            if i != j and (cleared[a] or made.start[i] > given.due[i]):
                moved[n] = i
                n += 1
            k += 1
    return n


@numba.njit(cache=True)
def _order(given, moved, n):  # type: ignore[no-untyped-def]
    """In which order to put the calls back: by when they are due, short ones first, or any."""
    how = np.random.randint(4)
    key = np.random.random(n)
    for i in range(n):
        if how == 0:
            key[i] = given.handle[moved[i]] * (0.5 + key[i])
        elif how < 3:
            key[i] = given.due[moved[i]] + 60 * key[i]
    if how == 1:
        key[0] = -1.0  # the late one before all others
    return np.argsort(key)


@numba.njit(cache=True)
def _pick(found, n, how):  # type: ignore[no-untyped-def]
    """A gap and a start in it: 0 the earliest, 1 the gap with least room, 2 any."""
    best, least = 0, np.inf
    for g in range(n):
        value = np.random.random()
        if how == 0:
            value += found[g, 1]
        elif how == 1:
            value = found[g, 2] - found[g, 1] + 10 * value
        if value < least:
            best, least = g, value
    at_end = how == 2 and np.random.random() < 0.3
    return found[best, 0], found[best, 2] if at_end else found[best, 1]


@numba.njit(cache=True)
def _refill(made, given, moved, n, most, found):  # type: ignore[no-untyped-def]
    """Put the calls back with at most so many late; how many, or -1 if that failed."""
    order = _order(given, moved, n)
    how = np.random.randint(3)
    over = 0
    made.agent[moved[:n]] = -1
    for i in order:
        j = moved[i]
        count = _gaps(made, given, j, given.opened[j], given.due[j], found)
        if count:
            a, start = _pick(found, count, how)
            put(made, given, j, a, start)
        else:
            over += 1
            if over > most:
                break
    if over > most:
        return -1
    for i in order:
        j = moved[i]
        if made.agent[j] >= 0:
            continue
        count = _gaps(made, given, j, given.due[j] + 1, given.opened[j] + given.longest, found)
        if not count:
            return -1
        a, start = _pick(found, count, 0 if np.random.random() < 0.3 else 2)
        put(made, given, j, a, start)
    return over


@numba.njit(cache=True)
def _search(made, given, steps, seed, worse):  # type: ignore[no-untyped-def]
    np.random.seed(seed)
    found = np.zeros((MOST_GAPS, 3), np.int64)
    moved = np.zeros(MOST_MOVED, np.int64)
    agents, starts = moved.copy(), moved.copy()
    is_late = made.start > given.due
    listed = np.flatnonzero(is_late)
    for step in range(steps):
        if step % 1000 == 0:
            listed = np.flatnonzero(is_late)
        if not listed.size:
            break
        j = listed[np.random.randint(listed.size)]
        if not is_late[j]:
            continue
        n = _around(made, given, j, moved)
        if n >= MOST_MOVED:
            continue
        before = 0
        for i in range(n):
            agents[i], starts[i] = made.agent[moved[i]], made.start[moved[i]]
            before += is_late[moved[i]]
            pull(made, moved[i])
        most = before + 1 if np.random.random() < worse else before
        after = _refill(made, given, moved, n, most, found)
        if after < 0:
            for i in range(n):
                if made.agent[moved[i]] >= 0:
                    pull(made, moved[i])
            for i in range(n):
                put(made, given, moved[i], agents[i], starts[i])
        else:
            for i in range(n):
                is_late[moved[i]] = made.start[moved[i]] > given.due[moved[i]]
