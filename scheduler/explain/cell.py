"""One cell: what else it could be, who else could have its shift, and what that would cost."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, TypeAlias

from scheduler.effects import Effects
from scheduler.explain.neighbourhood import Around
from scheduler.few_changes import Clock
from scheduler.moves import Cell, Move
from scheduler.problem import RosterProblem
from scheduler.solution import Roster
from scheduler.variables import OFF
from scheduler.verify import Breach, verify

Reason: TypeAlias = Literal["locked", "only", "cheapest", "equal", "improvable"]
RESETTLED = 6  # alternatives whose surroundings are solved again
MOST_OTHERS = 400


@dataclass(frozen=True, slots=True)
class Alternative:
    """What would happen if a cell were different.

    Parameters
    ----------
    agent : str
        Who has the shift in the alternative.
    shift : str, optional
        The shift instead; None is a day off.
    change : int
        Cost of the alternative less the cost now, all else unchanged.
    terms : tuple of (rule name, change)
        Where the difference comes from, largest first.
    broken : tuple of Breach
        Hard rules the alternative breaks that hold now: why not.
    settled : int, optional
        Cost less the cost now when everything near is solved again around the alternative; None
        when that was not tried or nothing was found.
    proven : bool
        `settled` is the least there is near; without `settled`, nothing near allows it.
    """

    agent: str
    shift: str | None
    change: int
    terms: tuple[tuple[str, int], ...]
    broken: tuple[Breach, ...]
    settled: int | None = None
    proven: bool = False

    @property
    def possible(self) -> bool:
        return not self.broken


@dataclass(frozen=True, slots=True)
class Explanation:
    """One cell: what it is, what else it could be, and who else could have its shift.

    `reason`: ``locked``; ``only``, every other choice breaks a hard rule; ``cheapest``, every
    other costs more; ``equal``, another costs the same; ``improvable``, another costs less.
    """

    agent: str
    day: date
    shift: str | None
    locked: bool
    cost: int
    alternatives: tuple[Alternative, ...]
    others: tuple[Alternative, ...]

    @property
    def best(self) -> Alternative | None:
        """The cheapest alternative that breaks no further hard rule."""
        possible = [a for a in (*self.alternatives, *self.others) if a.possible]
        return min(possible, key=lambda a: a.change, default=None)

    @property
    def reason(self) -> Reason:
        best = self.best
        if self.locked:
            return "locked"
        if best is None:
            return "only"
        if best.change > 0:
            return "cheapest"
        return "equal" if best.change == 0 else "improvable"


def explain(
    problem: RosterProblem, roster: Roster, agent: str, day: date, seconds: float = 0.0
) -> Explanation:
    """Explain one cell of a roster.

    Parameters
    ----------
    problem, roster
    agent, day
        The cell; both must be of the problem.
    seconds : float
        Time for solving the surroundings again with the most telling alternatives in place.

    Returns
    -------
    Explanation
        `alternatives`: every other shift, and being off, for this agent, all else unchanged.
        `others`: the shift given to each other agent who is off that day, this one being off.
        Both from the cheapest possible one to those that break a hard rule.
    """
    clock = Clock(time.monotonic() + seconds)
    effects = Effects(problem, roster)
    shift = roster.shift(agent, day)
    options: list[str | None] = [None, *(s.id for s in problem.shifts)]

    def judged(cells: dict[Cell, str | None], who: str, what: str | None) -> Alternative:
        effect = effects.of(Move.of(cells))
        return Alternative(who, what, effect.change, effect.terms, effect.broken)

    alternatives = [
        judged({(agent, day): option}, agent, option) for option in options if option != shift
    ]
    others = [
        judged({(agent, day): None, (other.id, day): shift}, other.id, shift)
        for other in problem.agents[:MOST_OTHERS]
        if shift is not None and other.id != agent and roster.shift(other.id, day) is None
    ]
    if seconds:
        alternatives, others = _resettled(problem, roster, agent, day, alternatives, others, clock)
    place = problem.lookup.agent[agent], problem.lookup.day[day]
    return Explanation(
        agent=agent,
        day=day,
        shift=shift,
        locked=place in problem.lookup.locked,
        cost=verify(problem, roster).cost,
        alternatives=_ordered(alternatives),
        others=_ordered(others),
    )


def _ordered(alternatives: Iterable[Alternative]) -> tuple[Alternative, ...]:
    return tuple(sorted(alternatives, key=lambda a: (not a.possible, a.change, a.agent)))


def _resettled(
    problem: RosterProblem,
    roster: Roster,
    agent: str,
    day: date,
    alternatives: list[Alternative],
    others: list[Alternative],
    clock: Clock,
) -> tuple[list[Alternative], list[Alternative]]:
    """The most telling alternatives with their surroundings solved again."""
    look = problem.lookup
    place = look.agent[agent], look.day[day]
    if place in look.locked or problem.lookup.n_agents == 0:
        return alternatives, others
    ranked = [*_ordered(alternatives), *_ordered(others)[: RESETTLED // 2]][:RESETTLED]
    people = [place[0], *(look.agent[one.agent] for one in ranked)]
    around = Around(problem, roster, people, place[1])
    told: dict[tuple[str, str | None], Alternative] = {}
    for left, one in enumerate(ranked):
        if clock.left <= 0.05:
            break
        a = look.agent[one.agent]
        s = OFF if one.shift is None else look.shift[one.shift]
        wanted = [([around.on(a, place[1], s)], 1)]
        if one.agent != agent:
            wanted.append(([around.on(*place, OFF)], 1))
        answer = around.solve(wanted, clock, 1 / (len(ranked) - left))
        told[one.agent, one.shift] = replace(one, settled=answer.change, proven=answer.proven)
    return (
        [told.get((one.agent, one.shift), one) for one in alternatives],
        [told.get((one.agent, one.shift), one) for one in others],
    )
