"""Which cells to free next: a span of days for all, a few people throughout, or a mixed block.

Where a person's line can be found without a model, there is a kind for that as well.
Costly days and people are chosen more often. Each kind learns its size: larger while its
neighbourhoods are solved to proof without finding anything, smaller when they are too hard.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from scheduler.problem import RosterProblem
from scheduler.variables import Cell
from scheduler.verify import Breach, Verdict

SMALLEST, FIRST, LARGEST = 60.0, 2_000.0, 60_000.0  # literals
FIRST_SHARE = 0.2  # of all literals, at most, to begin with
GROW, SHRINK = 1.25, 0.7
LONG_SPAN = 56
BY_COST = 0.6
MEMORY, TRY = 0.85, 0.4  # of what was before, after a try of so many seconds
HOPED = 0.003  # gain in a second by what was not tried yet
AFTER_ANNEALING = 2.0  # times as large are the first ones: what is small it has tried
NARROWER = 1.5  # times as many literals, of which most are left out
LEAST = 0.15  # of the share of the best
LONG_TRY = 2.0  # seconds, about, of a try that is not drawn as cells
CELLS = ("days", "people", "block")
# kinds that are not drawn as cells
LINES, RELAXED, ANNEALED = "lines", "relaxed", "annealed"


@dataclass
class Kind:
    """A kind of neighbourhood: its size in literals and how well it has done lately."""

    name: str
    size: float
    narrow: bool = False  # only good cells and those of the roster
    merit: float = HOPED
    took: float = TRY  # lately

    def learn(self, gain: float, took: float, hard: bool | None) -> None:
        """Adapt after one try.

        `gain` is the relative improvement, `took` the seconds it took; `hard` tells whether the
        neighbourhood was too hard (True), easy (False) or right.
        """
        memory = MEMORY ** max(1.0, took / TRY)  # so a long try counts as several
        self.merit = memory * self.merit + (1 - memory) * gain / took
        self.took = memory * self.took + (1 - memory) * took
        if hard:
            self.size = max(SMALLEST, self.size * SHRINK)
        elif hard is False:
            self.size = min(LARGEST, self.size * GROW)

    def share(self, best: float) -> float:
        """How often it is drawn, where the best has that merit: the less, the longer it takes."""
        return (LEAST + self.merit / best) / max(1.0, self.took / TRY)


class Neighbourhoods:
    """Draws sets of free cells for a problem."""

    def __init__(
        self,
        problem: RosterProblem,
        rng: random.Random,
        also: Sequence[str] = (),
        narrow: bool = False,
    ) -> None:
        self.problem, self.look, self.rng = problem, problem.lookup, rng
        allowed = self.look.allowed
        width = (
            sum(max(len(allowed[a][d]), 1) for d in range(self.look.n_days))
            for a in range(self.look.n_agents)
        )
        self._total = sum(width)
        first = min(FIRST, FIRST_SHARE * self._total)
        if ANNEALED in also:
            first *= AFTER_ANNEALING
        self.kinds = [Kind(name, first) for name in CELLS]
        if narrow:
            self.kinds += [Kind(name, NARROWER * first, narrow=True) for name in CELLS]
        for name in also:
            kind = Kind(name, first)
            if ANNEALED in also:
                kind.merit, kind.took = 0.0, LONG_TRY  # annealing has just done what it could
            self.kinds.append(kind)

    def pick_kind(self) -> Kind:
        """A kind, the more successful the likelier, none ever left out."""
        best = max(kind.merit for kind in self.kinds) or 1.0
        return self.rng.choices(self.kinds, weights=[kind.share(best) for kind in self.kinds])[0]

    def draw(self, kind: Kind, verdict: Verdict, most: float) -> set[Cell]:
        """Free cells of that kind and about its size, around something that costs."""
        share = min(1.0, min(kind.size, most) / max(self._total, 1))
        agents, days = self.look.n_agents, self.look.n_days
        if kind.name == "days":
            people: Sequence[int] = range(agents)
            span = self._span(max(2, round(share * days)), verdict)
        elif kind.name == "people":
            length = days
            if days > LONG_SPAN:
                length = self.rng.choice([days, LONG_SPAN, LONG_SPAN])
            count = max(2, round(share * agents * days / length))
            span = self._span(length, verdict)
            people = self._people(count, verdict, span)
        else:
            length = min(days, max(3, round((share**0.5) * days)))
            count = max(2, round(share * agents * days / length))
            span = self._span(length, verdict)
            people = self._people(count, verdict, span)
        return {(a, d) for a in people for d in span}

    def _span(self, length: int, verdict: Verdict) -> range:
        days = self.look.n_days
        length = min(length, days)
        centre = self.rng.randrange(days)
        if self.rng.random() < BY_COST:
            costs: dict[int, float] = defaultdict(float)
            for breach in verdict.costs:
                day = self._day(breach)
                if day is not None:
                    costs[day] += breach.cost or 0
            if any(costs.values()):
                centre = self.rng.choices(list(costs), weights=list(costs.values()))[0]
        start = min(max(0, centre - self.rng.randrange(length)), days - length)
        return range(start, start + length)

    def _day(self, breach: Breach) -> int | None:
        """The one day a breach is about, where it is one of the roster's and not of before."""
        return self.look.day.get(breach.days[0]) if len(breach.days) == 1 else None

    def _people(self, count: int, verdict: Verdict, span: range) -> list[int]:
        """Who is costly within the span, could fill a gap or leave a crowd, then any others."""
        agents = list(range(self.look.n_agents))
        self.rng.shuffle(agents)
        if self.rng.random() < BY_COST:
            broken = {b.agent for b in verdict.violations}
            costs = [breach for breach in verdict.costs if self._day(breach) in span]
            weights = [(b.cost or 0) + 1 for b in costs]
            chosen = self.rng.choices(costs, weights)[0] if costs else None
            agents.sort(key=lambda a: self._fits(a, chosen, broken), reverse=True)
        return agents[:count]

    def _fits(self, a: int, breach: Breach | None, broken: set[str | None]) -> float:
        score = self.rng.random()
        if self.problem.agents[a].id in broken:
            score += 2
        if breach is not None and breach.agent is not None:
            return score + (breach.agent == self.problem.agents[a].id)
        if breach is not None and "shift" in breach.facts:
            day = self.look.day[breach.days[0]]
            score += self.look.shift[breach.facts["shift"]] in self.look.allowed[a][day]
        return score
