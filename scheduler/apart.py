"""Solve the parts of a problem that share nobody, and put them together."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date

from scheduler.annealed_search import time_for
from scheduler.annealing.anneal import get_ready
from scheduler.budget import Budget
from scheduler.components import roster_within
from scheduler.model import Limit
from scheduler.problem import RosterProblem
from scheduler.relaxation import needed_of
from scheduler.result import Params, Progress, ProgressCallback, Status
from scheduler.search import Search
from scheduler.solution import Roster
from scheduler.verify import verify

BEGIN_SHARE = 0.8  # of the limit, at most, until every part has a roster: without, there is none
ENOUGH = 4.5  # times what a part's linear program takes: with less there is not even a bound
KEPT = 30  # searches kept from one turn of a part to the next, for they are large
# of what is left goes to everybody alike, then by the distance to the bound, in two rounds
ALIKE_SHARE, WIDE_SHARE = 0.85, 0.5


@dataclass(slots=True)
class Part:
    """One part: what is known of it so far."""

    problem: RosterProblem
    roster: Roster
    cost: int
    bound: int
    status: Status = "nothing_found"
    heard: bool = False  # of a first roster
    search: Search | None = None  # goes on at the next turn

    @property
    def gap(self) -> int:
        return max(0, self.cost - self.bound)


class InParts:
    """The parts of a problem, and what is known of the whole."""

    def __init__(
        self,
        parts: list[RosterProblem],
        params: Params,
        started: float,
        progress: ProgressCallback | None,
        stop: Callable[[], bool] | None,
        closing: bool = True,
    ) -> None:
        self.params, self.progress, self.stop = params, progress, stop
        self.budget = Budget(params, started, closing)
        self.stopped = False
        self.parts = []
        for part in parts:
            start = Roster() if params.start is None else roster_within(params.start, part)
            self.parts.append(Part(part, start, 0, 0))

    def _asked(self) -> bool:
        if self.stop is not None and self.stop():
            self.stopped = True
        return self.stopped or self.budget.out_of_time

    def _tell(self, phase: str) -> None:
        if self.progress is not None and all(part.heard for part in self.parts):
            cost, bound = (sum(getattr(p, x) for p in self.parts) for x in ("cost", "bound"))
            self.progress(Progress(self.budget.seconds, cost, bound, phase))

    @property
    def roster(self) -> Roster:
        """The parts put together."""
        cells: dict[tuple[str, date], str] = {}
        posts: dict[tuple[str, date], tuple[str, ...]] = {}
        for part in self.parts:
            cells |= part.roster.cells
            posts |= part.roster.posts
        return Roster(cells, posts)

    @property
    def bound(self) -> int:
        return sum(part.bound for part in self.parts)

    @property
    def status(self) -> Status:
        """The worst of the parts'; stopped only when the caller asked."""
        found = {part.status for part in self.parts}
        if "nothing_found" in found:
            return "nothing_found"
        if "conflict" in found:
            return "conflict"
        if found == {"optimal"}:
            return "optimal"
        return "stopped" if self.stopped else "feasible"


class ApartSearch(InParts):
    """One solve of a problem in parts, within this process.

    Parameters
    ----------
    heard : callable, optional
        Told of a part whenever something better is known of it, and of the phase.
    """

    def __init__(
        self,
        parts: list[RosterProblem],
        params: Params,
        started: float,
        progress: ProgressCallback | None = None,
        stop: Callable[[], bool] | None = None,
        closing: bool = True,
        heard: Callable[[Part, str], None] | None = None,
    ) -> None:
        super().__init__(parts, params, started, progress, stop, closing)
        self._heard = heard
        for part in self.parts:
            part.cost = verify(part.problem, part.roster).cost

    def run(self) -> None:
        """A roster for each, a round for all alike, then most for those furthest from a bound."""
        if time_for(self.params.seconds):
            get_ready()  # a part alone may have too little time for that
        self._round(BEGIN_SHARE, [(part, 1) for part in self.parts], Search.begin)
        self._round(ALIKE_SHARE, [(part, 1) for part in self.parts], least=ENOUGH)
        for share in (WIDE_SHARE, 1.0):
            self._round(share, [(p, p.gap) for p in self.parts if p.status != "optimal"])

    def _round(
        self,
        share: float,
        due: list[tuple[Part, int]],
        work: Callable[[Search], None] = Search.run,
        least: float = 0.0,
    ) -> None:
        """Share out that much of what is left of the limit.

        No part gets less than `least` times what its linear program takes; the last may get none.
        """
        whole = sum(weight for _, weight in due)
        if not whole or self.budget.over or self.stopped:
            return
        left = self.budget.limit()
        with ThreadPoolExecutor(self._lanes) as lanes:
            jobs = [
                lanes.submit(
                    self._solve, part, self._params(part, share * weight / whole, left, least), work
                )
                for part, weight in due
            ]
        for job in jobs:
            job.result()

    @property
    def _lanes(self) -> int:
        return 1 if self.budget.repeatable else self.params.workers

    def _params(self, part: Part, share: float, left: Limit, least: float) -> Params:
        programs = [least * each for each in needed_of(part.problem)]
        known = part.status != "nothing_found" or self.params.start is not None
        return replace(
            self.params,
            seconds=_shared(left.seconds, share * self._lanes, programs[0]),
            effort=_shared(left.effort, share, programs[1]),
            workers=1,
            start=part.roster if known else None,
        )

    def _solve(self, part: Part, params: Params, work: Callable[[Search], None]) -> None:
        if self.stopped or self.budget.over:
            return
        left = self.budget.limit()  # those before may have had more than their shares
        params = replace(
            params,
            seconds=_shared(left.seconds, 0.0, params.seconds or 0.0),
            effort=_shared(left.effort, 0.0, params.effort or 0.0),
        )

        search = self._search(part, params)
        work(search)
        if sum(p.search is not None for p in self.parts) < KEPT:
            part.search = search
        self.budget.spend(search.budget.spent)
        part.status = search.status
        part.roster = search.roster
        part.cost = search.best.verdict.cost
        part.bound = max(part.bound, search.best.bound)
        self._told(part, search.best.phase)

    def _search(self, part: Part, params: Params) -> Search:
        """The search of the part, going on within these limits."""
        begun = time.monotonic()
        if part.search is not None:
            part.search.renew(params, begun)
            return part.search

        def told(progress: Progress) -> None:
            part.cost, part.heard = progress.cost, True
            part.bound = max(part.bound, progress.bound or 0)
            part.status, part.roster = search.status, search.roster
            self._told(part, progress.phase)

        search = Search(part.problem, params, begun, told, self._asked, closing=False)
        return search

    def _told(self, part: Part, phase: str) -> None:
        if self._heard is not None:
            self._heard(part, phase)
        self._tell(phase)


def _shared(left: float | None, share: float, least: float) -> float | None:
    """A share of what is left, no less than what is some use."""
    return None if left is None else min(left, max(share * left, least))
