"""What can stand against what: the hard rules and the given facts of some people, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from scheduler.problem import RosterProblem
from scheduler.problem import rules as r
from scheduler.restrict import part_of

HALF_HOUR, HOUR = 30, 60

# what a rule of a kind may give way in, and by which step (below zero: downwards)
STEPS: dict[type, tuple[tuple[str, int], ...]] = {
    r.MinRest: (("minutes", -HALF_HOUR),),
    r.MaxConsecutive: (("days", 1),),
    r.MinConsecutive: (("days", -1),),
    r.MinDaysOff: (("days", -1),),
    r.RestDays: (("days", -1),),
    r.RestAfter: (("days_off", -1),),
    r.MinutesLimit: (("maximum", HOUR), ("minimum", -HOUR)),
    r.OvertimeLimit: (("maximum", HOUR),),
    r.ContractMinutes: (("tolerance", HOUR),),
    r.MaxWeekends: (("weekends", 1),),
    r.ShiftLimit: (("maximum", 1), ("minimum", -1)),
}
LISTS = ("locks", "leave", "forbidden", "post_locks")


@dataclass(frozen=True, slots=True)
class Element:
    """One thing that can be part of a conflict.

    Parameters
    ----------
    kind : str
        Kind of rule, or ``lock``, ``leave``, ``forbidden``, ``post_lock``, ``restriction``,
        ``min_minutes``, ``max_minutes``.
    rule : str
        Name of the rule; of a restriction its kind; else empty.
    agent : str, optional
        Whom it concerns, when one person.
    first, last : date, optional
        When, for what is given with dates.
    shift : str, optional
        Of a lock or a forbidden cell.
    source : str
        Law or document of the rule.
    """

    kind: str
    rule: str = ""
    agent: str | None = None
    first: date | None = None
    last: date | None = None
    shift: str | None = None
    source: str = ""


def bare(problem: RosterProblem, agents: Sequence[str], joint: Iterable[r.Rule]) -> RosterProblem:
    """The problem of some people with hard rules alone, joint ones included."""
    part = part_of(problem, agents)
    hard = tuple(rule for rule in part.rules if rule.hard)
    return replace(part, rules=(*hard, *joint), requests=(), preferences=())


def elements_of(problem: RosterProblem) -> dict[Element, tuple[str, Any]]:
    """Everything that could be taken away, and where it stands in the problem."""
    found: dict[Element, tuple[str, Any]] = {}
    for rule in problem.rules:
        one = rule.agents[0] if rule.agents is not None and len(rule.agents) == 1 else None
        found[Element(rule.kind, rule.name, one, source=rule.source)] = ("rules", rule)
    for lock in problem.locks:
        element = Element("lock", "", lock.agent, lock.date, lock.date, lock.shift)
        found[element] = ("locks", lock)
    for away in problem.leave:
        found[Element("leave", away.kind, away.agent, away.first, away.last)] = ("leave", away)
    for barred in problem.forbidden:
        element = Element("forbidden", "", barred.agent, barred.date, barred.date, barred.shift)
        found[element] = ("forbidden", barred)
    for held in problem.post_locks:
        element = Element("post_lock", held.post, held.agent, held.date, held.date)
        found[element] = ("post_locks", held)
    for person in problem.agents:
        for one_of in person.restrictions:
            element = Element(
                "restriction", one_of.kind, person.id, one_of.first, one_of.last,
                source=one_of.source,
            )  # fmt: skip
            found[element] = ("restrictions", (person.id, one_of))
        for field in ("min_minutes", "max_minutes"):
            if getattr(person, field) is not None:
                found[Element(field, "", person.id)] = (field, person.id)
    return found


def only(
    problem: RosterProblem, kept: Iterable[Element], known: dict[Element, tuple[str, Any]]
) -> RosterProblem:
    """The problem with these elements and no others."""
    places = [known[element] for element in kept]
    lists: dict[str, Any] = {
        field: tuple(item for where, item in places if where == field)
        for field in (*LISTS, "rules")
    }
    spared = {item for where, item in places if where == "restrictions"}
    limits = {(where, item) for where, item in places if where in ("min_minutes", "max_minutes")}
    agents = tuple(
        replace(
            person,
            restrictions=tuple(x for x in person.restrictions if (person.id, x) in spared),
            min_minutes=person.min_minutes if ("min_minutes", person.id) in limits else None,
            max_minutes=person.max_minutes if ("max_minutes", person.id) in limits else None,
        )
        for person in problem.agents
    )
    return replace(problem, agents=agents, **lists)
