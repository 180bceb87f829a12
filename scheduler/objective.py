"""Costs of the model: wishes, cover and posts, and the price of broken soft rules.

The minimum of the model over everything but the cells equals the judge's cost of the roster, so
a bound on the model is a bound on the true cost.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from ortools.sat.python import cp_model

from scheduler import flow
from scheduler.problem import IntervalCover, ShiftCover
from scheduler.variables import Literal, Variables
from scheduler.verify.cover import allot

Term = tuple[int, Literal | int]
Person = tuple[int, int, Literal | int]  # agent, shift, and whether that is so


class Objective:
    """Collects cost terms and gives them to the model at the end."""

    def __init__(self, x: Variables) -> None:
        self.x, self.model = x, x.model
        self.problem, self.look = x.problem, x.look
        self._literals: list[Literal] = []
        self._weights: list[int] = []
        self._constant = 0
        self._open_days = set(range(x.look.n_days)) if x.whole else {d for _, d in x.free}

    def charge(self, weight: int, item: Literal | int) -> None:
        """Add a term to the cost."""
        if isinstance(item, int):
            self._constant += weight * item
        elif weight:
            self._literals.append(item)
            self._weights.append(weight)

    def add_costs(self) -> None:
        self.wishes()
        self.shift_cover()
        self.interval_cover()
        self.post_gaps()

    def minimise(self) -> None:
        total = cp_model.LinearExpr.weighted_sum(self._literals, self._weights)
        self.model.minimize(total + self._constant)

    def wishes(self) -> None:
        charge_wishes(self.x, self.charge)

    def shift_cover(self) -> None:
        """People short of, and beyond, what a shift wants."""
        look = self.look
        together: dict[tuple[int, int], list[ShiftCover]] = defaultdict(list)
        for cover in self.problem.shift_cover:
            d, s = look.day[cover.date], look.shift[cover.shift]
            if d not in self._open_days:
                continue
            if cover.exclusive:
                together[d, s].append(cover)
                continue
            people = look.qualified(cover.skill, cover.min_grade, cover.date, cover.min_level)
            there, settled = self.x.on_shift(people, d, s)
            if len(there) <= 1 or self.x.alone:
                self._add_linear(cover, settled, there)
                continue
            here = cp_model.LinearExpr.sum(there) + settled
            flow.count(self.model, self.charge, cover, (here, len(there) + settled))
        for (d, s), covers in together.items():
            ables = [look.able(cover) for cover in covers]
            kinds: dict[int, list[Literal | int]] = defaultdict(list)
            for a, item in self.x.candidates(d, s):
                kinds[sum((a in able) << n for n, able in enumerate(ables))].append(item)
            self._demands(covers, kinds, 1)

    def _add_linear(
        self,
        cover: ShiftCover | IntervalCover,
        settled: int,
        there: list[Literal],
        times: int = 1,
    ) -> None:
        """One more at most, in one way or another: the cost is linear in the ways."""
        now = cover_cost(cover, settled)
        self._constant += times * now
        for literal in there:
            self.charge(times * (cover_cost(cover, settled + 1) - now), literal)

    def interval_cover(self) -> None:
        """People short and spare in every slot; like slots of a day are priced together."""
        for present, numbers, times in self.look.slot_groups:
            if self._open_days.isdisjoint(d for d, _ in present) and not self.x.whole:
                continue
            people = [(a, s, item) for d, s in present for a, item in self.x.candidates(d, s)]
            covers = [self.problem.interval_cover[n] for n in numbers]
            for cover in covers:
                if not cover.exclusive:
                    self._mix(cover, people, times)
            exclusive = [cover for cover in covers if cover.exclusive]
            if exclusive:
                masks = self.look.masks(exclusive)
                kinds: dict[int, list[Literal | int]] = defaultdict(list)
                for a, s, item in people:
                    kinds[masks[a][s]].append(item)
                self._demands(exclusive, kinds, times)

    def _mix(self, cover: IntervalCover, people: Sequence[Person], times: int) -> None:
        able = self.look.serving(cover)
        there, settled = _split([item for a, s, item in people if able[a][s]])
        if self.x.alone:
            self._add_linear(cover, settled, there, times)
        elif there or self.x.whole:
            here = cp_model.LinearExpr.sum(there) + settled
            flow.count(self.model, self.charge, cover, (here, len(there) + settled), times)

    def _demands(
        self,
        covers: Sequence[ShiftCover | IntervalCover],
        kinds: dict[int, list[Literal | int]],
        times: int,
    ) -> None:
        """Covers each person counts for one of; kinds of people by what they can serve."""
        kinds.pop(0, None)
        if not self.x.whole and all(isinstance(i, int) for items in kinds.values() for i in items):
            return
        if self.x.alone:
            self._add_for_one(covers, kinds, times)
            return
        people = {}
        for mask, items in kinds.items():
            there, settled = _split(items)
            people[mask] = cp_model.LinearExpr.sum(there) + settled, len(items)
        flow.serve(self.model, self.charge, covers, people, times)

    def _add_for_one(
        self,
        covers: Sequence[ShiftCover | IntervalCover],
        kinds: dict[int, list[Literal | int]],
        times: int,
    ) -> None:
        """One person's line: she is there once at most, so the cost is linear in her cells."""
        parts = {mask: _split(items) for mask, items in kinds.items()}
        settled = Counter({mask: count for mask, (_, count) in parts.items()})
        now = _demands_cost(covers, settled)
        self._constant += times * now
        for mask, (there, _) in parts.items():
            more = times * (_demands_cost(covers, settled + Counter({mask: 1})) - now)
            for literal in there:
                self.charge(more, literal)

    def post_gaps(self) -> None:
        """Places of the duty table left empty."""
        for p, post in enumerate(self.problem.posts):
            for date in post.days:
                d = self.look.day[date]
                holders = [self.x.holder(p, d, a) for a in range(self.look.n_agents)]
                there, settled = _split(holders)
                if d not in self._open_days:
                    continue
                gap = self.model.new_int_var(0, post.count, "")
                self.charge(post.weight, gap)
                self.model.add(cp_model.LinearExpr.sum([*there, gap]) == post.count - settled)


def charge_wishes(x: Variables, charge: flow.Charge) -> None:
    """A wish not met costs its weight."""
    for wish in x.look.wishes:
        a, d = wish.agent, wish.day
        met = [x.works(a, d)] if wish.shifts is None else x.on_any(a, d, wish.shifts)
        if wish.on:
            charge(wish.weight, 1)
        for literal in met:
            charge(-wish.weight if wish.on else wish.weight, literal)


def cover_cost(cover: ShiftCover | IntervalCover, found: int) -> int:
    return (
        max(0, cover.desired - found) * cover.under_weight
        + max(0, cover.minimum - found) * cover.minimum_weight
        + max(0, found - cover.most) * cover.over_weight
    )


def _demands_cost(covers: Sequence[ShiftCover | IntervalCover], kinds: Counter[int]) -> int:
    """The judge's cost of covers each person counts for one of."""
    there = tuple(sorted((mask, count) for mask, count in kinds.items() if count))
    missing, spare = allot(there, tuple(cover.wants for cover in covers))
    return spare * min(cover.over_weight for cover in covers) + sum(
        cover_cost(cover, cover.desired - short)
        for cover, short in zip(covers, missing, strict=True)
        if short  # who has all she wants costs nothing
    )


def _split(items: Sequence[Literal | int]) -> tuple[list[Literal], int]:
    """What is open, and how many of the settled are there."""
    literals = [item for item in items if not isinstance(item, int)]
    return literals, sum(item for item in items if isinstance(item, int))
