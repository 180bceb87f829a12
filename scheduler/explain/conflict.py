"""Hard rules that cannot hold together: irreducible sets, and the least that lets go of each.

A set is found by deletion: an element is left out for good when what remains still has no roster.
Each answer is a solve of its own, without assumptions, so that nothing is read from a core.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from scheduler.explain.elements import STEPS, Element, bare, elements_of, only
from scheduler.few_changes import Clock
from scheduler.model import RosterModel
from scheduler.problem import RosterProblem
from scheduler.problem import rules as r
from scheduler.restrict import PERSONAL
from scheduler.variables import Grid

MOST_A_GROUP = 3
MOST_STEPS = 4096


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One way out of a conflict, confirmed by a solve.

    Parameters
    ----------
    element : Element
    parameter : str
        What changes: a field of the rule, or ``drop`` when only leaving the whole out helps.
    before, after : int, optional
        Its value, and the nearest one that helps.
    enough : bool
        Nothing else stands in the way of these people.
    """

    element: Element
    parameter: str
    before: int | None
    after: int | None
    enough: bool


@dataclass(frozen=True, slots=True)
class Conflict:
    """Elements that no roster keeps together; without any one of them there is one.

    `irreducible` is False only when the time ended before every element had been tried.
    """

    agents: tuple[str, ...]
    elements: tuple[Element, ...]
    relaxations: tuple[Relaxation, ...]
    irreducible: bool = True


def conflicts(problem: RosterProblem, seconds: float = 10.0) -> tuple[Conflict, ...]:
    """The smallest sets of hard rules and given facts in conflict, person by person.

    People whom a hard rule joins are looked at together. Cover is never hard, so it takes part
    in no conflict.

    Parameters
    ----------
    problem : RosterProblem
    seconds : float
        Wall-clock limit; what is found until then is returned.
    """
    clock = Clock(time.monotonic() + seconds)
    found: list[Conflict] = []
    for agents, joint in _groups(problem):
        if clock.left <= 0:
            break
        found += group_conflicts(bare(problem, agents, joint), clock)
    return tuple(sorted(found, key=lambda one: (len(one.elements), one.agents)))


def group_conflicts(
    part: RosterProblem, clock: Clock, always: Iterable[Element] = ()
) -> Iterator[Conflict]:
    """Conflicts of a problem without costs; elements of `always` are never left out.

    Further sets are looked for without one element after another of those already found.
    """
    known = elements_of(part)
    fixed = [element for element in known if element in set(always)]
    room = [element for element in known if element not in set(fixed)]
    test = _Test(part, known, clock)
    if test.holds([*fixed, *room]):
        return
    seen: list[frozenset[Element]] = []
    without: list[tuple[Element, ...]] = [()]
    while without and len(seen) < MOST_A_GROUP and clock.left > 0:
        left_out = without.pop(0)
        elements = [element for element in room if element not in left_out]
        if left_out and test.holds([*fixed, *elements]):
            continue
        smallest = _deleted(elements, fixed, test)
        key = frozenset(smallest)
        if any(other <= key for other in seen):
            continue
        seen.append(key)
        whole = clock.left > 0
        ways = tuple(_ways_out(part, [*fixed, *smallest], [*fixed, *room], known, test))
        agents = tuple(person.id for person in part.agents)
        named = {element.agent for element in (*fixed, *smallest)} - {None}
        yield Conflict(
            tuple(a for a in agents if a in named) or agents, (*fixed, *smallest), ways, whole
        )
        without += [(*left_out, element) for element in smallest]


class _Test:
    """Whether some elements leave a roster, each time by a solve; answers are kept."""

    def __init__(
        self, part: RosterProblem, known: dict[Element, tuple[str, Any]], clock: Clock
    ) -> None:
        self.part, self.known, self.clock = part, known, clock
        self._told: dict[frozenset[Element], bool] = {}

    def holds(self, elements: Iterable[Element]) -> bool:
        """True also when the time ended: what is not shown is not claimed."""
        key = frozenset(elements)
        if key not in self._told:
            if self.clock.left <= 0:
                return True
            self._told[key] = self.possible(only(self.part, elements, self.known))
        return self._told[key]

    def possible(self, problem: RosterProblem) -> bool:
        """Whether there is a roster that keeps the hard rules of a problem."""
        look = problem.lookup
        for (a, d), s in look.locked.items():
            if s is not None and look.barred(a, d, s) is not None:
                return False
        model = RosterModel(problem, Grid.empty(problem), hint=False)
        part = model.solve(self.clock.limit(), 1)
        return part.grid is not None or not part.proven


def _deleted(elements: list[Element], fixed: list[Element], test: _Test) -> list[Element]:
    """Leave out one element after another for as long as there is still no roster.

    Dates and locks go first, so that what remains names rules rather than all their occasions.
    """
    order = sorted(elements, key=lambda e: (e.kind in _KINDS, e.kind, e.rule))
    kept = list(order)
    for element in order:
        rest = [other for other in kept if other is not element]
        if not test.holds([*fixed, *rest]):
            kept = rest
    return kept


_KINDS = {str(vars(kind)["kind"]) for kind in STEPS}


def _ways_out(
    part: RosterProblem,
    elements: list[Element],
    everything: list[Element],
    known: dict[Element, tuple[str, Any]],
    test: _Test,
) -> Iterator[Relaxation]:
    """For each element the nearest value that lets the others hold."""
    for element in elements:
        rest = [other for other in everything if other is not element]
        enough = test.holds(rest)
        kept = rest if enough else [other for other in elements if other is not element]
        base = only(part, kept, known)
        where, item = known[element]
        told = False
        for parameter, value, after in _nearest(base, where, item, test):
            told = True
            yield Relaxation(element, parameter, value, after, enough)
        if not told:
            yield Relaxation(element, "drop", None, None, enough)


def _nearest(
    base: RosterProblem, where: str, item: Any, test: _Test
) -> Iterator[tuple[str, int, int]]:
    """(parameter, value, nearest value that helps) of a rule or an agent's hours."""
    if where in ("min_minutes", "max_minutes"):
        person = next(agent for agent in base.agents if agent.id == item)
        value = _limit_of(test.part, item, where)

        def hours(number: int) -> RosterProblem:
            limit: dict[str, Any] = {where: number}
            agents = tuple(replace(a, **limit) if a.id == person.id else a for a in base.agents)
            return replace(base, agents=agents)

        step = -60 if where == "min_minutes" else 60
        after = _search(hours, value, step, test)
        if after is not None:
            yield where, value, after
    if where != "rules":
        return
    for parameter, step in STEPS.get(type(item), ()):
        value = getattr(item, parameter)
        if value is None:
            continue

        def ruled(number: int, parameter: str = parameter) -> RosterProblem:
            return replace(base, rules=(*base.rules, replace(item, **{parameter: number})))

        after = _search(ruled, value, step, test)
        if after is not None:
            yield parameter, value, after


def _limit_of(part: RosterProblem, agent: str, field: str) -> int:
    person = next(one for one in part.agents if one.id == agent)
    return int(getattr(person, field))


def _search(made: Callable[[int], RosterProblem], value: int, step: int, test: _Test) -> int | None:
    """The value nearest to `value` in steps that helps: gallop, then halve."""

    def helps(steps: int) -> bool:
        number = value + steps * step
        return number >= 0 and test.clock.left > 0 and test.possible(made(number))

    most = value // -step if step < 0 else MOST_STEPS
    low, high = 0, 1
    while high <= most and not helps(high):
        low, high = high, min(2 * high, most) if high < most else most + 1
    if high > most:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if helps(middle):
            high = middle
        else:
            low = middle
    return value + high * step


def _groups(problem: RosterProblem) -> Iterator[tuple[list[str], list[r.Rule]]]:
    """People whom hard rules join, with these rules; everybody else alone."""
    joint: list[r.Rule] = [
        rule for rule in problem.rules if rule.hard and not isinstance(rule, PERSONAL)
    ]
    together: dict[str, set[str]] = {agent.id: {agent.id} for agent in problem.agents}
    for rule in joint:
        members = rule.agents if rule.agents is not None else tuple(together)
        union = set().union(*(together[name] for name in members))
        for name in union:
            together[name] = union
    seen: set[str] = set()
    for agent in problem.agents:
        if agent.id not in seen:
            group = together[agent.id]
            seen |= group
            names = [one.id for one in problem.agents if one.id in group]
            rules = [
                rule for rule in joint if rule.agents is None or not group.isdisjoint(rule.agents)
            ]
            yield names, rules
