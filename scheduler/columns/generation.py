"""Column generation over all people: a first roster, a bound, and dives to good rosters.

The dual prices are smoothed (Wentges 1997); every pricing of everybody gives a Lagrangian bound,
exact because prices are rounded to whole parts before use.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from scheduler.columns.cover import Cover
from scheduler.columns.kernel import INFINITE, Array
from scheduler.columns.master import BEYOND, Master, Prices
from scheduler.columns.people import People, Person, evenly
from scheduler.columns.pricing import MOST_TOLL, Habit, Priced, Pricer
from scheduler.variables import Narrow

FINEST = 1024  # parts of a cost unit, at most, that prices are rounded to
SMOOTH = 0.5
NEAR_ENOUGH = 5e-5  # between mix and bound
CLOSE = 0.5  # of the mix's cost: bounds below that are no centre to stay near
TOLERANCE = 1e-6
WHOLE = 1e-4
SWEEPS = 12
LONG = 56  # days: beyond, first lines are spread evenly
EVEN_ROOMS = (3, 10)  # days of work ahead or behind, tried in turn
EFFORT_PER_STEP, EFFORT_PER_ITERATION = 1e-9, 1e-4


@dataclass(frozen=True, slots=True)
class Course:
    """What the search around gives: its limits, and ears for what is found."""

    over: Callable[[], bool]
    seconds_left: Callable[[], float | None]
    offer: Callable[[Array, int], None]
    raise_bound: Callable[[float], None]
    spend: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Centre:
    """Prices of the rows, and of people short in all rows together."""

    rows: Array
    short: float

    def near(self, prices: Prices) -> Centre:
        """Between here and the prices."""
        return Centre(
            SMOOTH * self.rows + (1 - SMOOTH) * prices.rows,
            SMOOTH * self.short + (1 - SMOOTH) * prices.short,
        )


class Generation:
    """The people of a problem, their columns and the prices so far."""

    def __init__(
        self, people: People, cover: Cover, course: Course, threads: int, seed: int
    ) -> None:
        self.people, self.cover, self.course = people, cover, course
        self.n = len(people.persons)
        self.rng = np.random.default_rng(seed)
        self.scale = scale_for(people, cover)
        self.master = Master(cover, self.n)
        self.pricers = [Pricer(people.units) for _ in range(threads)]
        self.habits = [Habit.of(person) for person in people.persons]
        self.allowed = np.array([p.allowed for p in people.persons])
        self.may_rest = np.array([p.may_rest for p in people.persons])
        self.centre: Centre | None = None  # the prices of the best bound
        self.bound = -np.inf
        self.enough = np.inf  # a bound that need not be raised further
        self.prices: Prices | None = None  # the latest of the whole problem
        self.seconds_a_round = 0.0  # solving the master and pricing everybody took so long
        self.near_enough = NEAR_ENOUGH
        self._late = _never

    @property
    def over(self) -> bool:
        return self._late() or self.course.over()

    @contextmanager
    def within(self, late: Callable[[], bool]) -> Iterator[None]:
        """Inside, also stop when `late` says so."""
        self._late = late
        try:
            yield
        finally:
            self._late = _never

    def _offer(self, grid: Array) -> None:
        self.course.offer(grid, self.cover.total(self.people, grid))

    # -- one line after another ------------------------------------------------------------------

    def first_roster(self) -> Array | None:
        """A line for everybody beside the lines so far; short ones are then made better.

        Long ones are left to what works window by window, which takes a fraction of the time.
        """
        grid = np.full((self.n, self.people.size[0]), -1)
        counts = self.cover.counts(grid)
        long = self.people.size[0] > LONG
        for a in self.rng.permutation(self.n):
            line = None
            for room in (*(EVEN_ROOMS if long else ()), None):
                if line is None and not self.over:
                    line = self._beside(int(a), grid, counts, room)
            if line is None:
                return None
            self._put(int(a), line, grid, counts)
        self._offer(grid)
        return grid if long else self.polish(grid, SWEEPS)

    def polish(self, grid: Array, sweeps: int) -> Array:
        """Everybody's best line beside the others', in turn, until none is better."""
        grid = grid.copy()
        counts = self.cover.counts(grid)
        self._offer(grid)
        for _ in range(sweeps):
            begun, before = time.monotonic(), grid.copy()
            for a in self.rng.permutation(self.n):
                if self.over:
                    break
                line = self._beside(int(a), grid, counts)
                if line is not None:
                    self._put(int(a), line, grid, counts)
            self._offer(grid)
            self._time_round(begun)
            if (grid == before).all():
                break
        return grid

    def _put(self, a: int, line: Array, grid: Array, counts: Array) -> None:
        counts -= self.cover.hits(a, grid[a])
        counts += self.cover.hits(a, line)
        grid[a] = line
        self._add(a, line)

    def _add(self, a: int, line: Array) -> bool:
        return self.master.add(a, line, self.people.wishes(a, line))

    def _beside(self, a: int, grid: Array, counts: Array, room: int | None = None) -> Array | None:
        """The best line beside the others' lines: as spread as `room` says, or any."""
        others = counts - self.cover.hits(a, grid[a])
        person: Person | None = self.people.persons[a]
        if room is not None:
            person = evenly(self.people.persons[a], room)
        if person is None:
            return None
        costs = self.cover.cells(self.cover.one_more(others), a) + person.costs
        found = self.pricers[0].price(person, self.habits[a], costs, self.people.opens)
        on = np.flatnonzero(grid[a] >= 0)
        if len(on) and int(costs[on, grid[a, on]].sum()) <= found.cost:
            line: Array = grid[a]
            return line
        return found.line

    def start_from(self, grid: Array) -> None:
        """Take the lines of a lawful roster as columns."""
        for a in range(self.n):
            self._add(a, grid[a])

    # -- generating ------------------------------------------------------------------------------

    def generate(self, rounds: int | None = None) -> bool:
        """Add columns until none improves the mix; True when that was reached.

        With narrowed cells, or for a few rounds only, it gives no bound.
        """
        whole = rounds is None
        while not self.over and (rounds is None or rounds > 0):
            begun = time.monotonic()
            prices = self.master.solve(self.course.seconds_left())
            if prices is None:
                return False
            cost = self.people.constant + prices.cost
            if whole:
                self.prices = prices
            added = 0
            if whole and self.centre is not None and self.bound > CLOSE * cost:
                added = self._price_all(self.centre.near(prices), prices, whole)
            if not added and not self.over:
                added = self._price_all(Centre(prices.rows, prices.short), prices, whole)
                if not added:
                    return not self.over
            self.master.drop_idle()
            if whole:
                self._time_round(begun)
            self._spend()
            near = self.bound + self.near_enough * abs(cost)
            if whole and (cost < near or self.bound >= self.enough):
                return True
            rounds = None if rounds is None else rounds - 1
        return False

    def _price_all(self, at: Centre, prices: Prices, whole: bool) -> int:
        """Price everybody at these prices; the number of columns added that improve the mix."""
        parts = np.rint(at.rows * self.scale).astype(np.int64)
        answers = self._answers(parts, prices, whole)
        added = 0
        for a, answer in answers.items():
            if answer.line is not None:
                wishes = self.people.wishes(a, answer.line)
                worth = prices.rows[self.cover.hits(a, answer.line)].sum() + prices.persons[a]
                if wishes - worth < -TOLERANCE:
                    added += self.master.add(a, answer.line, wishes)
        if whole and len(answers) == self.n:
            bound = self._lagrangian(answers, parts, at.short)
            if bound > self.bound:
                self.bound, self.centre = bound, at
                self.course.raise_bound(bound)
        return added

    def _lagrangian(self, answers: dict[int, Priced], parts: Array, short: float) -> float:
        """What every roster costs at least that keeps to the number of people short."""
        least, most = self.master.short_asked
        price = round(short * self.scale)
        limit = least if price > 0 else most
        if not price or np.isinf(limit):
            price, limit = 0, 0.0
        lines = sum(answer.bound for answer in answers.values())
        lines += self.cover.least(parts, self.scale, price)
        return float(self.people.constant + (lines + price * limit) / self.scale)

    def branch(self) -> None:
        """Raise the bound: people short in all are a whole number, whatever the mix says.

        Columns are generated for the numbers above and below; the bound is the lower one. The
        master is left at the side with the lower bound, to dive from.
        """
        short, course, root = self.master.short, self.course, self.bound
        if self.centre is None or abs(short - round(short)) < WHOLE:
            return
        centre, sides = self.centre, []
        self.course = replace(course, raise_bound=ignore)
        for side in ((math.ceil(short), np.inf), (-np.inf, math.floor(short))):
            self.master.short_within(*side)
            self.bound, self.centre = -np.inf, None
            self.generate()
            sides.append((self.bound, side))
            self.enough = self.bound
        self.course, self.enough, self.centre = course, np.inf, centre
        lower, side = min(sides)
        self.master.short_within(*side)
        self.bound = max(root, lower)
        course.raise_bound(self.bound)

    def promising(self, lines: int) -> Narrow:
        """The cells of everybody's cheapest columns at the latest prices."""
        allowed, may_rest = np.zeros_like(self.allowed), np.zeros_like(self.may_rest)
        columns: dict[int, list[tuple[float, int, Array]]] = defaultdict(list)
        rows = self.prices.rows if self.prices is not None else np.zeros(len(self.cover.day))
        for n, column in enumerate(self.master.columns):
            worth = rows[self.cover.hits(column.agent, column.line)].sum()
            columns[column.agent].append((column.cost - worth, n, column.line))
        days = np.arange(self.people.size[0])
        for a, found in columns.items():
            for _, _, line in sorted(found, key=lambda item: item[:2])[:lines]:
                on = line >= 0
                allowed[a, days[on], line[on]] = True
                may_rest[a, ~on] = True
        return Narrow(allowed, may_rest)

    def _time_round(self, begun: float) -> None:
        """How long a round takes; reckoned, where the same must come out on any machine."""
        if self.course.seconds_left() is None:
            self.seconds_a_round = EFFORT_PER_STEP * sum(p.effort for p in self.pricers)
        else:
            self.seconds_a_round = time.monotonic() - begun

    def _spend(self) -> None:
        steps = sum(pricer.effort for pricer in self.pricers)
        self.course.spend(EFFORT_PER_STEP * steps + EFFORT_PER_ITERATION * self.master.iterations)
        self.master.iterations = 0
        for pricer in self.pricers:
            pricer.effort = 0

    def _answers(self, parts: Array, prices: Prices, whole: bool) -> dict[int, Priced]:
        """Everybody priced, in as many threads as there are pricers."""

        def run(number: int) -> dict[int, Priced]:
            found = {}
            pricer = self.pricers[number]
            for a in range(number, self.n, len(self.pricers)):
                if self.over:
                    break
                person = self.people.persons[a]
                if not whole:
                    person = replace(person, allowed=self.allowed[a], may_rest=self.may_rest[a])
                costs = person.costs * self.scale - self.cover.cells(parts, a)
                # less what rounding can add up to, so that what is found improves the mix for sure
                enough = int(prices.persons[a] * self.scale) - costs.shape[0] // 2 - 2
                found[a] = pricer.price(person, self.habits[a], costs, self.people.opens, enough)
            return found

        if len(self.pricers) == 1:
            return run(0)
        with ThreadPoolExecutor(len(self.pricers)) as pool:
            halves = list(pool.map(run, range(len(self.pricers))))
        return {a: answer for half in halves for a, answer in sorted(half.items())}


def _never() -> bool:
    return False


def ignore(bound: float) -> None:
    """A bound of a part says nothing of the whole."""


def scale_for(people: People, cover: Cover) -> int:
    """The finest power of two with which the kernel's sums stay within 32 bits; 0 when none."""
    dearest = (1 + BEYOND) * cover.dearest + max(
        int(np.abs(p.costs).max(initial=0)) for p in people.persons
    )
    scale = FINEST
    while scale and (1 + MOST_TOLL) * scale * max(dearest, 1) * people.size[0] > INFINITE // 4:
        scale //= 2
    return scale
