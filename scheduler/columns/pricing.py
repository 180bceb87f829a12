"""Pricing: the cheapest lawful line of a person for given costs of cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scheduler.columns.kernel import INFINITE, Array, Room, cheapest_line
from scheduler.columns.people import Cap, Person

TRIES = 8  # times the tolls are raised until a line keeps the caps
DECAY = 0.7  # of what is left of a toll when the person is priced again
MOST_TOLL = 4  # times the dearest cell
STEP = 0.25  # of the mean cost of a cell: the first rise
CHEAP_STEPS = 5_000_000  # of the kernel for one line, while it counts weekends
MOST_STEPS = 200_000_000  # of the kernel for one line, while it counts
MOST_STATES = 60_000_000  # of one line, each of a byte or two


@dataclass(frozen=True, slots=True)
class Priced:
    """The answer for one person.

    `bound` is at most the cost of every lawful line. `line` is None when none was found; it is
    the cheapest when `cost` equals `bound`.
    """

    bound: int
    line: Array | None
    cost: int


@dataclass(slots=True)
class Habit:
    """What pricing a person has taught: a toll per cap, and the caps worth counting exactly."""

    tolls: Array
    exact: tuple[int, ...] = ()

    @classmethod
    def of(cls, person: Person) -> Habit:
        """A beginner's: weekends are counted where that is cheap."""
        cheap = [
            n
            for n, cap in enumerate(person.caps)
            if cap.shifts is None and person.steps * (cap.most + 1) <= CHEAP_STEPS
        ]
        return cls(np.zeros(len(person.caps), np.int64), tuple(cheap))


class Pricer:
    """Prices lines, one thread at a time.

    Caps of shifts and of weekends are either counted in the state of the dynamic program or
    left out of it and priced by a toll per use (Lagrangian relaxation): every solve with tolls
    gives a valid bound, and a line of it that keeps the caps is a candidate.
    """

    def __init__(self, units: Array) -> None:
        self.units = units
        self.effort = 0  # steps of the kernel
        self._room = Room()
        self._tallies: dict[tuple[tuple[int, bytes], ...], Array] = {}

    def price(
        self, person: Person, habit: Habit, costs: Array, opens: Array, enough: int | None = None
    ) -> Priced:
        """The cheapest line of a person, or one nearly so.

        Parameters
        ----------
        costs : (days, shifts) int
            Cost of each cell, wishes included.
        opens : (days,) int
            Where weekends begin.
        enough : int, optional
            Count more caps, as far as that is affordable, until a line costs less than this or
            none is known to. None: be content with any line.
        """
        best = self._with_tolls(person, habit, costs, opens)
        while enough is not None and best.bound < enough <= best.cost:
            if not self._count_more(person, habit):
                break
            again = self._with_tolls(person, habit, costs, opens)
            bound = max(best.bound, again.bound)
            best = again if again.cost < best.cost else best
            best = Priced(min(bound, best.cost), best.line, best.cost)
        if best.line is not None:
            over = person.over(best.line, opens)
            habit.exact = tuple(
                n for n in habit.exact if over[n] == 0 or person.caps[n].shifts is None
            )
        return best

    def cheapest(self, person: Person, habit: Habit, costs: Array, opens: Array) -> Priced:
        """The cheapest line, as sure as counting is affordable."""
        found = self.price(person, habit, costs, opens)
        while found.line is not None and found.bound < found.cost:
            again = self.price(person, habit, costs, opens, found.cost)
            bound = max(found.bound, again.bound)
            if again.cost >= found.cost:
                return Priced(min(bound, found.cost), found.line, found.cost)
            found = Priced(bound, again.line, again.cost)
        return found

    def _with_tolls(self, person: Person, habit: Habit, costs: Array, opens: Array) -> Priced:
        tolls = habit.tolls
        tolls[:] = (tolls * DECAY).astype(np.int64)
        tolls[list(habit.exact)] = 0
        step = max(1, int(STEP * np.abs(costs).mean()))
        best, cost, bound = None, INFINITE, -INFINITE
        limits = np.array([cap.most for cap in person.caps], np.int64)
        for _ in range(TRIES):
            value, line = self._solve(person, habit, costs, opens)
            if value >= INFINITE:
                bound = INFINITE
                break
            bound = max(bound, value - int(tolls @ limits))
            over = person.over(line, opens)
            if (over <= 0).all():
                cost = int(costs[np.flatnonzero(line >= 0), line[line >= 0]].sum())
                best = line
                break
            tolls += step * np.maximum(over, 0)
            np.minimum(tolls, MOST_TOLL * int(np.abs(costs).max()), out=tolls)
            step *= 2
        return Priced(min(bound, cost), best, cost)

    def _solve(self, person: Person, habit: Habit, costs: Array, opens: Array) -> tuple[int, Array]:
        charged, weekend = costs, 0
        for cap, toll in zip(person.caps, habit.tolls.tolist(), strict=True):
            if toll and cap.shifts is None:
                weekend = toll
            elif toll:
                charged = charged + toll * cap.shifts
        runs = np.array([person.longest, person.shortest, person.least_off, weekend])
        tally = self._tally([person.caps[n] for n in habit.exact])
        days, shifts = costs.shape
        room = self._room.shaped(days, shifts, runs, tally.shape[2], int(person.high[-1]))
        self.effort += person.steps * tally.shape[2]
        line = np.empty(days, np.int64)
        value = cheapest_line(
            np.ascontiguousarray(charged, np.int32), person.allowed, person.may_rest,
            person.group_of, person.before, self.units, opens, runs, tally, person.low,
            person.high, room, line,
        )  # fmt: skip
        return int(value), line

    def _tally(self, caps: list[Cap]) -> Array:
        key = tuple((cap.most, b"" if cap.shifts is None else cap.shifts.tobytes()) for cap in caps)
        if key not in self._tallies:
            self._tallies[key] = tally_of(caps, len(self.units))
        return self._tallies[key]

    def _count_more(self, person: Person, habit: Habit) -> bool:
        """Count the cap with a toll that takes least room; False when none is affordable."""
        tolled = [n for n in np.flatnonzero(habit.tolls) if n not in habit.exact]
        if not tolled:
            return False
        cap = min(tolled, key=lambda n: person.caps[n].most)
        exact = (*habit.exact, int(cap))
        tallies = int(np.prod([person.caps[n].most + 1 for n in exact]))
        states = person.allowed.size * person.longest * tallies * int(person.high[-1] + 1)
        if person.steps * tallies > MOST_STEPS or states > MOST_STATES:
            return False
        habit.exact = exact
        return True


def tally_of(caps: list[Cap], n_shifts: int) -> Array:
    """The tally after one more shift, for each shift, without and with opening a weekend.

    A tally is a number in mixed radix with one digit per cap. Shape (2, shifts, tallies); -1
    where a cap would be exceeded.
    """
    radix = [cap.most + 1 for cap in caps]
    size = int(np.prod(radix))
    tally = np.empty((2, n_shifts, size), np.int64)
    for opening in (0, 1):
        for shift in range(n_shifts):
            taken = [cap.takes(shift, bool(opening)) for cap in caps]
            for k in range(size):
                tally[opening, shift, k] = _after(k, taken, radix)
    return tally


def _after(k: int, taken: list[int], radix: list[int]) -> int:
    then, place = k, 1
    for more, base in zip(taken, radix, strict=True):
        if k // place % base + more >= base:
            return -1
        then += more * place
        place *= base
    return then
