"""Why a cell is as it is, what each alternative would cost, and which hard rules conflict.

Every claim is checked: an alternative is judged anew from the roster it would give, a conflict
is found by solving with and without each rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from scheduler.problem import RosterProblem
from scheduler.solution import Roster
from scheduler.verify import Breach, Verdict, verify


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
        Cost of the alternative less the cost now; both from the judge.
    terms : tuple of (rule name, change)
        Where the difference comes from, largest first.
    broken : tuple of Breach
        Hard rules the alternative breaks that hold now: why not.
    """

    agent: str
    shift: str | None
    change: int
    terms: tuple[tuple[str, int], ...]
    broken: tuple[Breach, ...]

    @property
    def possible(self) -> bool:
        return not self.broken


@dataclass(frozen=True, slots=True)
class Explanation:
    """One cell: what it is, what else it could be, and who else could have its shift."""

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


def explain(problem: RosterProblem, roster: Roster, agent: str, day: date) -> Explanation:
    """Explain one cell of a roster.

    Parameters
    ----------
    problem, roster
    agent, day
        The cell; both must be of the problem.

    Returns
    -------
    Explanation
        `alternatives`: every other shift, and being off, for this agent, all else unchanged.
        `others`: the shift given to each other agent who is off that day, this one being off.
        Both from the cheapest possible one to those that break a hard rule.
    """
    now = verify(problem, roster)
    shift = roster.shift(agent, day)
    options: list[str | None] = [None, *(s.id for s in problem.shifts)]
    alternatives = [
        _judged(problem, roster, now, {(agent, day): option}, agent, option)
        for option in options
        if option != shift
    ]
    others = [
        _judged(problem, roster, now, {(agent, day): None, (other.id, day): shift}, other.id, shift)
        for other in problem.agents
        if shift is not None and other.id != agent and roster.shift(other.id, day) is None
    ]
    place = problem.lookup.agent[agent], problem.lookup.day[day]
    return Explanation(
        agent=agent,
        day=day,
        shift=shift,
        locked=place in problem.lookup.locked,
        cost=now.cost,
        alternatives=_ordered(alternatives),
        others=_ordered(others),
    )


def _ordered(alternatives: Iterable[Alternative]) -> tuple[Alternative, ...]:
    return tuple(sorted(alternatives, key=lambda a: (not a.possible, a.change, a.agent)))


def _judged(
    problem: RosterProblem,
    roster: Roster,
    now: Verdict,
    changes: dict[tuple[str, date], str | None],
    agent: str,
    shift: str | None,
) -> Alternative:
    cells = {**roster.cells, **changes}
    kept = {place: held for place, held in cells.items() if held is not None}
    then = verify(problem, replace(roster, cells=kept))
    terms = Counter(then.terms())
    terms.subtract(now.terms())
    return Alternative(
        agent=agent,
        shift=shift,
        change=then.cost - now.cost,
        terms=tuple(
            sorted(
                ((name, change) for name, change in terms.items() if change),
                key=lambda term: (-abs(term[1]), term[0]),
            )
        ),
        broken=_new(now.violations, then.violations),
    )


def _new(before: Iterable[Breach], after: Iterable[Breach]) -> tuple[Breach, ...]:
    """Violations that were not there, or are worse than they were."""
    known = Counter[tuple[str, str | None]]()
    for breach in before:
        known[breach.rule, breach.agent] += breach.amount
    fresh = []
    for breach in after:
        key = breach.rule, breach.agent
        known[key] -= breach.amount
        if known[key] < 0:
            fresh.append(breach)
    return tuple(fresh)
