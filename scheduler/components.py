"""Parts of a problem that share nobody: each can be solved on its own.

People belong together when they can count for the same cover or hold the same post, or when a
rule is about several of them at once. The cost of the whole is the sum of the parts' costs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from typing import Any

from scheduler.problem import Apart, FairShare, RosterProblem, Together
from scheduler.problem.rules import Rule
from scheduler.solution import Roster

_WANTED = ("shift_cover", "interval_cover", "posts")
_GIVEN = ("requests", "preferences", "leave", "locks", "post_locks", "forbidden", "history",
          "published")  # fmt: skip


def components(problem: RosterProblem) -> list[RosterProblem]:
    """The parts of the problem, in the order of their first agents; the problem itself if one."""
    links = _Links(len(problem.agents))
    wanted = [(kind, item, links.join(people)) for kind, item, people in _wanted(problem)]
    for people in _bound_together(problem):
        links.join(people)
    groups = links.groups()
    if len(groups) < 2:
        return [problem]
    of = {a: number for number, group in enumerate(groups) for a in group}
    numbers = {problem.agents[a].id: number for a, number in of.items()}
    parts: list[dict[str, list[Any]]] = [defaultdict(list) for _ in groups]
    for kind, item, someone in wanted:
        # what nobody can do still costs: it goes to the first part
        parts[0 if someone is None else of[someone]][kind].append(item)
    for kind in _GIVEN:
        for item in getattr(problem, kind):
            parts[numbers[item.agent]][kind].append(item)
    return [_part(problem, number, group, parts[number]) for number, group in enumerate(groups)]


class _Links:
    """Who belongs together, by union of sets."""

    def __init__(self, n: int) -> None:
        self._above = list(range(n))

    def _top(self, a: int) -> int:
        while self._above[a] != a:
            self._above[a] = self._above[self._above[a]]
            a = self._above[a]
        return a

    def join(self, people: Iterable[int]) -> int | None:
        """Put people together; one of them, or None when there is nobody."""
        tops = [self._top(a) for a in people]
        for top in tops[1:]:
            self._above[self._top(top)] = self._top(tops[0])
        return tops[0] if tops else None

    def groups(self) -> list[set[int]]:
        found: dict[int, set[int]] = {}
        for a in range(len(self._above)):
            found.setdefault(self._top(a), set()).add(a)
        return list(found.values())


def _wanted(problem: RosterProblem) -> Iterator[tuple[str, Any, list[int]]]:
    """Every cover and post, with who can count for it."""
    look = problem.lookup
    can_work = [set().union(*line) for line in look.allowed]
    for shift_cover in problem.shift_cover:
        s = look.shift[shift_cover.shift]
        yield "shift_cover", shift_cover, [a for a in look.able(shift_cover) if s in can_work[a]]
    able: dict[int, list[int]] = {}  # covers that ask for the same share one table
    for cover in problem.interval_cover:
        table = look.serving(cover)
        if id(table) not in able:
            people = look.skilled(cover.skill)
            able[id(table)] = [a for a in people if any(table[a][s] for s in can_work[a])]
        yield "interval_cover", cover, able[id(table)]
    for post in problem.posts:
        days = [look.day[date] for date in post.days]
        people = look.skilled(post.skill)
        held = [a for a in people if any(look.may_hold(a, post, d) is None for d in days)]
        yield "posts", post, held


def _bound_together(problem: RosterProblem) -> Iterator[list[int]]:
    look = problem.lookup
    for rule in problem.rules:
        if isinstance(rule, (Apart, Together, FairShare)):
            yield look.members(rule)
    # of people to spare in a slot each costs the least weight of all the slot's covers
    spare = {cover.over_weight for cover in problem.interval_cover if cover.exclusive}
    shared = {cover.over_weight for cover in problem.shift_cover if cover.exclusive}
    if len(spare) > 1 or len(shared) > 1:
        yield list(range(look.n_agents))


def _part(
    problem: RosterProblem, number: int, group: set[int], items: dict[str, list[Any]]
) -> RosterProblem:
    agents = tuple(problem.agents[a] for a in sorted(group))
    names = {person.id for person in agents}
    teams = {person.team for person in agents}
    parts: dict[str, Any] = {kind: tuple(items[kind]) for kind in (*_WANTED, *_GIVEN)}
    held = {post.id for post in parts["posts"]}
    parts["post_locks"] = tuple(lock for lock in parts["post_locks"] if lock.post in held)
    rules = (_restricted(rule, names, teams) for rule in problem.rules)
    pins = (_restricted(pin, names, teams) for pin in problem.pins)
    return replace(
        problem, agents=agents, rules=tuple(rule for rule in rules if rule is not None),
        pins=tuple(pin for pin in pins if pin is not None), name=f"{problem.name} {number + 1}",
        **parts,
    )  # fmt: skip


def _about(item: Any, names: set[str]) -> bool:
    return item.agent in names


def _restricted(rule: Rule | Any, names: set[str], teams: set[str]) -> Any:
    """A rule or pin as far as it is about these agents; None when it is about none of them."""
    changes: dict[str, Any] = {}
    for field in fields(rule):
        value = getattr(rule, field.name)
        if field.name == "agents" and value is not None:
            changes["agents"] = tuple(name for name in value if name in names)
        elif field.name == "teams" and value is not None:
            changes["teams"] = tuple(name for name in value if name in teams)
        elif field.name in ("past", "held", "earlier"):
            changes[field.name] = tuple(item for item in value if _about(item, names))
    scope = [changes[name] for name in ("agents", "teams") if name in changes]
    if scope and not any(scope):
        return None
    return replace(rule, **changes) if changes else rule


def roster_within(roster: Roster, part: RosterProblem) -> Roster:
    """What a roster of the whole says about a part."""
    names = {person.id for person in part.agents}
    held = {post.id for post in part.posts}
    return Roster(
        cells={cell: shift for cell, shift in roster.cells.items() if cell[0] in names},
        posts={place: who for place, who in roster.posts.items() if place[0] in held},
    )
