"""The part of a problem that concerns some people alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from scheduler.problem import RosterProblem
from scheduler.problem import rules as r

# kinds that look at one person's line alone; any other kind is judged over all its people
PERSONAL = (
    r.MinRest, r.ForbiddenSuccession, r.MaxConsecutive, r.MinConsecutive, r.MinDaysOff, r.RestDays,
    r.RestAfter, r.MinutesLimit, r.OvertimeLimit, r.ContractMinutes, r.MaxWeekends, r.ShiftLimit,
    r.NamedDayRepeat, r.Stability,
)  # fmt: skip
NAMING = ("past", "held", "earlier")  # fields of rules that name agents


def without(problem: RosterProblem, broken: Iterable[tuple[str, str | None]]) -> RosterProblem:
    """The problem without some rules for some people: (name of the rule, agent)."""
    spared: dict[str, set[str | None]] = {}
    for rule_name, agent in broken:
        spared.setdefault(rule_name, set()).add(agent)
    rules = []
    for rule in problem.rules:
        names = spared.get(rule.name, set())
        if not names or not rule.hard:
            rules.append(rule)
        elif isinstance(rule, PERSONAL):
            scope = (problem.agents[a].id for a in problem.lookup.members(rule))
            left = tuple(name for name in scope if name not in names)
            if left:
                rules.append(replace(rule, agents=left, teams=None))
    return replace(problem, rules=tuple(rules))


def part_of(problem: RosterProblem, agents: Iterable[str]) -> RosterProblem:
    """The problem of some people alone: what concerns each of them, without cover or joint rules.

    Posts stay, so that holding one is judged, but cost nothing when empty.
    """
    chosen = set(agents)

    def mine(items: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(item for item in items if item.agent in chosen)

    pins = []
    for pin in problem.pins:
        if pin.agents is None or not chosen.isdisjoint(pin.agents):
            names = None if pin.agents is None else tuple(a for a in pin.agents if a in chosen)
            pins.append(replace(pin, agents=names))
    rules = []
    for rule in problem.rules:
        if isinstance(rule, PERSONAL):
            scope = [problem.agents[a].id for a in problem.lookup.members(rule)]
            named: dict[str, Any] = {f: mine(getattr(rule, f)) for f in NAMING if hasattr(rule, f)}
            members = tuple(name for name in scope if name in chosen)
            if members:
                rules.append(replace(rule, agents=members, teams=None, **named))
    return replace(
        problem,
        agents=tuple(agent for agent in problem.agents if agent.id in chosen),
        shift_cover=(),
        interval_cover=(),
        posts=tuple(replace(post, weight=0) for post in problem.posts),
        rules=tuple(rules),
        requests=mine(problem.requests),
        leave=mine(problem.leave),
        locks=mine(problem.locks),
        post_locks=mine(problem.post_locks),
        forbidden=mine(problem.forbidden),
        history=mine(problem.history),
        preferences=mine(problem.preferences),
        published=mine(problem.published),
        pins=tuple(pins),
    )
