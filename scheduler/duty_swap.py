"""Swaps in a duty table: who may take a place over, and who may trade places; no solver.

Only changes that the same rules allow are offered, cheapest first; what stands against one
without forbidding it (the same named day last year) is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from scheduler.duty import change_of_cost
from scheduler.duty_table import DutyProblem, Place, faults_of_table


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody who may have a place instead of its holder (or, with none, fill it).

    `trade` is the place given in return, None for a plain take-over; `cost` what it adds to
    squared burdens, heavy places and wishes of both.
    """

    agent: str
    trade: Place | None
    carried: int
    cost: int
    repeats: bool


def choices(
    problem: DutyProblem,
    holders: Mapping[Place, Sequence[str]],
    place: Place,
    holder: str | None,
) -> tuple[Choice, ...]:
    """Every change of one place that leaves the table without a fault, the best first.

    Parameters
    ----------
    holder : str, optional
        Who gives the place up; None fills an empty place.
    """
    held = places_of(holders)
    busy = {(agent, one.date) for agent, theirs in held.items() for one in theirs}
    found = []
    for agent in problem.agent:
        if agent == holder or problem.barred(agent, place) or (agent, place.date) in busy:
            continue
        theirs = held.get(agent, ())
        if len(theirs) < problem.most_days:
            found.append(_choice(problem, held, place, holder, agent, None))
        if holder is not None:
            found += [
                _choice(problem, held, place, holder, agent, other)
                for other in theirs
                if not problem.barred(holder, other) and (holder, other.date) not in busy
            ]
    return tuple(sorted(found, key=lambda c: (c.repeats, c.cost, c.agent, c.trade or place)))


def _choice(
    problem: DutyProblem,
    held: Mapping[str, Sequence[Place]],
    place: Place,
    holder: str | None,
    agent: str,
    trade: Place | None,
) -> Choice:
    mine = [one for one in held.get(agent, ()) if one != trade]
    then = {agent: [*mine, place]}
    repeats = problem.repeats(agent, place)
    if holder is not None:
        then[holder] = [one for one in held[holder] if one != place]
        if trade is not None:
            then[holder].append(trade)
            repeats = repeats or problem.repeats(holder, trade)
    cost = change_of_cost(problem, held, then)
    return Choice(agent, trade, problem.before[agent], cost, repeats)


def places_of(holders: Mapping[Place, Sequence[str]]) -> dict[str, tuple[Place, ...]]:
    """The places of each agent of a table."""
    held: dict[str, tuple[Place, ...]] = {}
    for place, agents in holders.items():
        for agent in agents:
            held[agent] = (*held.get(agent, ()), place)
    return held


def changed(
    holders: Mapping[Place, Sequence[str]],
    place: Place,
    holder: str | None,
    agent: str | None,
    trade: Place | None = None,
) -> dict[Place, tuple[str, ...]]:
    """The table after a change; without an `agent` the place is left empty."""
    table = {where: list(agents) for where, agents in holders.items()}
    _replace(table.setdefault(place, []), holder, agent)
    if trade is not None:
        _replace(table[trade], agent, holder)
    return {where: tuple(sorted(agents)) for where, agents in table.items()}


def _replace(agents: list[str], old: str | None, new: str | None) -> None:
    if old is not None:
        agents.remove(old)
    if new is not None:
        agents.append(new)


def new_faults(
    problem: DutyProblem,
    before: Mapping[Place, Sequence[str]],
    after: Mapping[Place, Sequence[str]],
    days: Sequence[date] = (),
) -> tuple[str, ...]:
    """What a change breaks that was not broken before; `days` that have begun may not change."""
    old = set(faults_of_table(problem, before))
    faults = [fault for fault in faults_of_table(problem, after) if fault not in old]
    touched = {
        place.date
        for place in before.keys() | after.keys()
        if sorted(before.get(place, ())) != sorted(after.get(place, ()))
    }
    faults += [f"{day} has begun; report a swap before the duty starts"
               for day in sorted(touched & set(days))]  # fmt: skip
    return tuple(faults)
