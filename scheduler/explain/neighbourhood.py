"""The roster around a cell, solved again with something settled differently."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from scheduler.few_changes import Clock
from scheduler.model import RosterModel, grid_of, roster_of
from scheduler.problem import RosterProblem
from scheduler.solution import Roster
from scheduler.variables import OFF, Cell, Literal
from scheduler.verify import Verdict, verify

MOST_LITERALS = 2_500
NEAR = 14  # days each way that a person's line is free


@dataclass(frozen=True, slots=True)
class Answer:
    """The neighbourhood's best: `roster` None means nothing was found that breaks no more rules.

    `change` is its cost less the cost now. `proven` says that nothing better, or nothing at all,
    exists within the neighbourhood.
    """

    roster: Roster | None
    change: int | None
    proven: bool


class Around:
    """The cells of some people near a day, and of everybody on that day, free to change."""

    def __init__(
        self, problem: RosterProblem, roster: Roster, people: Iterable[int], day: int
    ) -> None:
        self.problem, self.look = problem, problem.lookup
        self.cells = self._cells(list(dict.fromkeys(people)), day)
        self.now = verify(problem, roster)
        # a roster that breaks rules already must break no more; it need not be mended
        relax = None if self.now.valid else self.now.cost + 1
        self.model = RosterModel(problem, grid_of(problem, roster), self.cells, relax)

    def _cells(self, people: list[int], day: int) -> set[Cell]:
        allowed = self.look.allowed
        near = range(max(0, day - NEAR), min(self.look.n_days, day + NEAR + 1))
        cells = {(a, d) for a in people for d in near}
        room = MOST_LITERALS - sum(len(allowed[a][d]) + 1 for a, d in cells)
        everybody = sorted(range(self.look.n_agents), key=lambda a: (not allowed[a][day], a))
        for a in everybody:
            if (a, day) not in cells and room > 0:
                cells.add((a, day))
                room -= len(allowed[a][day]) + 1
        return cells

    def on(self, a: int, d: int, s: int) -> Literal | int:
        """Whether a cell has a shift, or is off."""
        x = self.model.x
        return x.rests(a, d) if s == OFF else x.on(a, d, s)

    def solve(
        self,
        least: Iterable[tuple[list[Literal | int], int]],
        clock: Clock,
        share: float = 1.0,
        seed: int = 1,
    ) -> Answer:
        """The best when each of the sums is at least so much."""
        whole = self.model.model
        trial = whole.clone()
        try:
            for items, bound in least:
                settled = sum(item for item in items if isinstance(item, int))
                literals = [item for item in items if not isinstance(item, int)]
                if not literals and settled < bound:
                    return Answer(None, None, True)
                trial.add(sum(literals) + settled >= bound)
            self.model.model = trial
            part = self.model.solve(clock.limit(share), seed, 1)
        finally:
            self.model.model = whole
        if part.grid is None:
            return Answer(None, None, part.proven)
        found = roster_of(self.problem, part.grid)
        verdict = verify(self.problem, found)
        if _broken(verdict) > _broken(self.now):
            return Answer(None, None, part.proven)
        return Answer(found, verdict.cost - self.now.cost, part.proven)


def _broken(verdict: Verdict) -> int:
    return sum(breach.amount for breach in verdict.violations)
