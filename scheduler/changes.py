"""Changes of a roster one by one: what people read, and what cannot stay as it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from scheduler.moves import Cell, Move
from scheduler.problem import RosterProblem
from scheduler.solution import Roster


@dataclass(frozen=True, slots=True)
class Change:
    """A cell before and after; for a place of the duty table the post and whom it was taken from.

    `before` and `after` are shifts (None: off), or with a post whether the agent holds it.
    """

    agent: str
    day: date
    before: str | None
    after: str | None
    post: str | None = None


def applied(roster: Roster, changes: Iterable[Change]) -> Roster:
    """A roster with some changes."""
    return move_of(roster, changes).on(roster)


def move_of(roster: Roster, changes: Iterable[Change]) -> Move:
    cells: dict[Cell, str | None] = {}
    posts: dict[tuple[str, date], tuple[str, ...]] = {}
    for one in changes:
        if one.post is None:
            cells[one.agent, one.day] = one.after
            continue
        place = one.post, one.day
        held = posts.get(place, roster.posts.get(place, ()))
        others = tuple(name for name in held if name != one.agent)
        posts[place] = (*others, one.agent) if one.after else others
    return Move(cells, posts)


def forced_changes(problem: RosterProblem, roster: Roster) -> Iterator[Change]:
    """Cells and places that cannot stay as they are, whatever else changes."""
    look = problem.lookup
    for (a, d), locked in sorted(look.locked.items()):
        agent, day = problem.agents[a].id, look.date_of(d)
        wanted = None if locked is None else problem.shifts[locked].id
        if roster.shift(agent, day) != wanted:
            yield Change(agent, day, roster.shift(agent, day), wanted)
    for (agent, day), shift in sorted(roster.cells.items()):
        a, d, s = look.agent[agent], look.day[day], look.shift[shift]
        if (a, d) not in look.locked and look.barred(a, d, s) is not None:
            yield Change(agent, day, shift, None)
    posts = {post.id: post for post in problem.posts}
    locks = {(lock.post, lock.date, lock.agent) for lock in problem.post_locks}
    for (name, day), holders in sorted(roster.posts.items()):
        for agent in holders:
            reason = look.may_hold(look.agent[agent], posts[name], look.day[day])
            if reason is not None and (name, day, agent) not in locks:
                yield Change(agent, day, name, None, name)


def place_of(one: Change) -> tuple[date, str, str]:
    """For an order that reads well: by day, then by person."""
    return one.day, one.agent, one.post or ""
