"""Rosters by simulated annealing (Kirkpatrick, Gelatt and Vecchi 1983).

Hard rules have a price here, which rises while some are broken and falls while none is, so that the
way from one lawful roster to another may lead through unlawful ones.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np

from scheduler.annealing import kernel, moves
from scheduler.annealing.kernel import AllotmentsNow, SumsNow
from scheduler.annealing.moves import Roster
from scheduler.annealing.tables import MOST_KINDS, Array, Tables, tables_of
from scheduler.problem import Agent, Day, RosterProblem, Shift
from scheduler.variables import OFF, Grid, Held, Narrow

TRIES = 4_000  # moves at one temperature and price
EFFORT = 3e-7  # deterministic units for a move, about
PRICE, DEAREST, CHEAPEST = 100.0, 1e6, 5.0  # of a unit of a hard rule
RISE, FALL = 1.1, 0.97
FIRST_DRAW = 88172645463325252


class Annealing:
    """A roster under way, of one problem."""

    def __init__(self, tables: Tables, seed: int) -> None:
        self.tables = tables
        self._choices = tables.choices
        self._roster, self._sums, self._allotments = _empty(tables)
        self._roster.at[moves.CHANCE] = FIRST_DRAW + seed

    @classmethod
    def of(cls, problem: RosterProblem, seed: int) -> Annealing | None:
        """For a problem, unless there is nothing to choose or too much to count."""
        tables = tables_of(problem)
        return None if tables is None or not len(tables.choices.free) else cls(tables, seed)

    def run(self, heat: tuple[float, float], done: Callable[[int], float]) -> tuple[Grid, float]:
        """Anneal from the roster as it is.

        Parameters
        ----------
        heat : (float, float)
            Temperature at first and in the end, in units of cost.
        done : callable
            Told of moves tried, says which share of the time is over; from 1 on it ends.

        Returns
        -------
        (the roster that breaks fewest hard rules, at the least cost then; effort)
        """
        hot, cold = heat
        price, tried = PRICE, 0
        while (share := done(tried)) < 1.0:
            self.step(TRIES, hot * (cold / hot) ** share, price)
            tried += TRIES
            broken, _ = self.cost
            price = min(price * RISE, DEAREST) if broken else max(price * FALL, CHEAPEST)
        return self.best(), EFFORT * tried

    def narrow(self, cells: Narrow | None) -> None:
        """Choose among these cells only, from now on; None: among all."""
        every = self.tables.choices
        if cells is None:
            self._choices = every
            return
        agents, days, _ = every.shape.tolist()
        count = np.diff(every.option_at)
        cell = np.repeat(np.arange(agents * days), count)
        a, d, shift = cell // days, cell % days, every.options
        keep = np.where(shift < 0, cells.may_rest[a, d], cells.allowed[a, d, shift])
        left = np.bincount(cell[keep], minlength=agents * days)
        free = np.flatnonzero(left > 1)
        self._choices = every._replace(
            option_at=np.concatenate([[0], left.cumsum()]).astype(np.int32),
            options=shift[keep],
            free=np.stack([free // days, free % days], 1).astype(np.int32),
        )

    def start(self, grid: Grid) -> None:
        """Take a roster as it is."""
        choices, sums, allotments, constant, holders = self.tables
        r, s, v = self._roster, self._sums, self._allotments
        _, days, shifts = choices.shape.tolist()
        r.line[:] = np.array(grid.cells)
        r.on[:] = 0
        agents, on_days = np.nonzero(r.line >= 0)
        r.on[(agents * days + on_days) * shifts + r.line[agents, on_days]] = 1
        first = len(r.on) - len(holders)
        for n, (p, d, a) in enumerate(holders):
            r.on[first + n] = a in grid.held.get((p, d), ())
        r.at[moves.LINEAR] = constant
        s.any_count[:], s.act[:], v.counts[:], v.mark[:] = 0, sums.start, allotments.settled, 0
        np.add.at(v.mark, allotments.node_of, allotments.settled * allotments.mark_of)
        for item in np.flatnonzero(r.on):
            r.at[moves.TURNED], r.turned[0] = 1, (item, 1)
            kernel.add_to_sums(sums, r, s, 1)
            kernel.add_to_allotments(allotments, r, v, 1)
        kernel.end_sums(s, False)
        kernel.end_allotments(v, False)
        kernel.settle(sums, s, allotments, v, r)
        r.at[moves.BEST_HARD], r.at[moves.BEST_SOFT] = r.at[moves.HARD], r.at[moves.SOFT]
        r.best[:] = r.on

    def step(self, tries: int, heat: float, price: float) -> int:
        """Try moves at one temperature and price of hard rules; how many were taken."""
        _, sums, allotments, _, _ = self.tables
        if not len(self._choices.free):
            return 0
        taken: int = kernel.anneal(
            self._choices, sums, self._sums, allotments, self._allotments, self._roster,
            tries, heat, price,
        )  # fmt: skip
        return taken

    @property
    def cost(self) -> tuple[int, int]:
        """Hard units broken and cost of the roster as it is."""
        return int(self._roster.at[moves.HARD]), int(self._roster.at[moves.SOFT])

    @property
    def best_cost(self) -> tuple[int, int]:
        """The same of the best met since the start."""
        return int(self._roster.at[moves.BEST_HARD]), int(self._roster.at[moves.BEST_SOFT])

    def best(self) -> Grid:
        """The best roster met since the start."""
        return self._grid(self._roster.best)

    def now(self) -> Grid:
        """The roster as it is."""
        return self._grid(self._roster.on)

    def _grid(self, items: Array) -> Grid:
        agents, days, shifts = self.tables.choices.shape.tolist()
        cells = agents * days * shifts
        on = items[:cells].reshape(agents, days, shifts)
        lines = np.where(on.any(2), on.argmax(2), OFF)
        held: Held = {}
        for n in np.flatnonzero(items[cells:]).tolist():
            p, d, a = self.tables.holders[n]
            held[p, d] = (*held.get((p, d), ()), a)
        return Grid(lines.tolist(), held)


def ready() -> bool:
    """Whether the kernel is compiled, or read from where it was kept."""
    return bool(getattr(kernel.anneal, "signatures", ()))


def get_ready() -> None:
    """Compile it, with a desk where one person may work one day."""
    problem = RosterProblem((Agent("a"),), (Day(date(2026, 1, 1)),), (Shift("D", 480, 960),))
    annealing = Annealing.of(problem, 1)
    assert annealing is not None
    annealing.start(Grid.empty(problem))
    annealing.step(1, 1.0, 1.0)


def _empty(t: Tables) -> tuple[Roster, SumsNow, AllotmentsNow]:
    agents, days, _ = t.choices.shape.tolist()
    items, every = len(t.sums.any_at) - 1, len(t.sums.row_at) - 1
    groups, nodes, most = len(t.sums.kind), len(t.allotments.asked_of), MOST_KINDS
    roster = Roster(
        at=_amounts(moves.SINGLES), line=_zeros(agents, days), on=_zeros(items),
        turned=_zeros(moves.MOST_TURNED, 2), best=_zeros(items),
    )  # fmt: skip
    sums = SumsNow(
        act=_zeros(len(t.sums.start)), any_count=_zeros(every - items), amount=_amounts(groups),
        after=_amounts(groups + 1), seen=np.zeros(groups, bool), touched=_zeros(groups + 1),
    )  # fmt: skip
    allotments = AllotmentsNow(
        counts=_zeros(len(t.allotments.settled)), mark=_amounts(nodes), cost=_amounts(nodes),
        cost_mark=_amounts(nodes), after=_amounts(nodes + 1), seen=np.zeros(nodes, bool),
        touched=_zeros(nodes + 1), known_mark=_amounts(kernel.CACHE) - 1,
        known_cost=_amounts(kernel.CACHE), given=_zeros(most, most), spare=_zeros(most),
        path=_zeros(3, most),
    )  # fmt: skip
    return roster, sums, allotments


def _zeros(*shape: int) -> Array:
    return np.zeros(shape, np.int32)


def _amounts(count: int) -> Array:
    return np.zeros(count, np.int64)
