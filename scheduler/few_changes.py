"""Models that change few cells of a given roster: the fewest that will do, and the cheapest."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from ortools.sat.python import cp_model

from scheduler.model import Limit, Part, RosterModel
from scheduler.problem import IntervalCover, RosterProblem, ShiftCover
from scheduler.variables import OFF, Cell, Grid, Literal
from scheduler.verify import Verdict


@dataclass(frozen=True, slots=True)
class Clock:
    """When the time given runs out, by `time.monotonic`; effort alone is repeatable."""

    until: float
    effort: float | None = None

    @property
    def left(self) -> float:
        return self.until - time.monotonic()

    def limit(self, share: float = 1.0) -> Limit:
        """A share of what is left for one solve."""
        return Limit(max(self.left, 0.0) * share, self.effort)


class FewChanges:
    """A roster model that counts what it changes of its base.

    Parameters
    ----------
    problem : RosterProblem
    base : Grid
        What there is; its cells in `free` may change, each at the price of one change. A new
        holder of a post is a change too.
    relax : int, optional
        Price of a hard rule, where the base breaks some that the free cells cannot mend.
    """

    def __init__(
        self, problem: RosterProblem, base: Grid, free: set[Cell], relax: int | None = None
    ) -> None:
        self.model = RosterModel(problem, base, free, relax)
        self.base = base
        self.cp = self.model.model
        self._cost = self._objective()
        self._changed = self._changes()
        self._most: int | None = None

    def _objective(self) -> cp_model.LinearExprT:
        proto = self.cp.proto.objective
        items = [self.cp.get_int_var_from_proto_index(i) for i in proto.vars]
        return cp_model.LinearExpr.weighted_sum(items, list(proto.coeffs)) + int(proto.offset)

    def _changes(self) -> cp_model.LinearExprT:
        x, literals, settled = self.model.x, [], 0
        for (a, d), cell in x.cell.items():
            now = self.base.cells[a][d]
            stays = x.off[a, d] if now == OFF else cell.get(now)
            if stays is None:
                settled += 1
            else:
                literals.append(stays.negated())
        for (p, d, a), holds in x.holds.items():
            if a not in self.base.held.get((p, d), ()):
                literals.append(holds)
        return cp_model.LinearExpr.sum(literals) + settled

    def at_most(self, changes: int) -> None:
        """No more changes than that from now on."""
        if self._most is None or changes < self._most:
            self.cp.add(self._changed <= changes)
            self._most = changes

    def keep_cost(self, most: int) -> None:
        """Solutions cost no more than that from now on."""
        self.cp.add(self._cost <= most)

    def cheapest(self, clock: Clock, seed: int, workers: int, share: float = 1.0) -> Part:
        """The grid of least cost."""
        self.cp.minimize(self._cost)
        return self.model.solve(clock.limit(share), seed, workers)

    def fewest(self, clock: Clock, seed: int, workers: int, share: float = 1.0) -> Part:
        """The grid with the fewest changes."""
        self.cp.minimize(self._changed)
        return self.model.solve(clock.limit(share), seed, workers)

    def forbid(self, cells: Iterable[tuple[int, int, int]]) -> None:
        """Not these (agent, day, shift) all together again."""
        x = self.model.x
        taken: list[Literal] = []
        for a, d, s in cells:
            literal = x.off[a, d] if s == OFF else x.cell[a, d].get(s)
            if literal is not None:
                taken.append(literal.negated())
        if taken:
            self.cp.add_bool_or(taken)


def as_reached(problem: RosterProblem, reached: Verdict) -> RosterProblem:
    """The hard rules, and of what is wanted no more than a roster had: its cost is what is lost.

    Wishes and soft rules are left out. A demand that was short is lowered to what was there.
    """
    short: dict[tuple[Any, ...], dict[int, int]] = {}
    for gap in reached.gaps:
        facts, day = gap.facts, gap.days[0]
        if gap.kind == "interval_cover_under":
            key = (day, facts["skill"], facts["min_grade"], facts["desired"], facts["cause"])
            short.setdefault(key, {}).update(dict(facts["slots"]))
        elif gap.kind == "shift_cover_under":
            key = (
                day,
                facts["shift"],
                facts.get("skill"),
                facts.get("min_grade"),
                facts["desired"],
            )
            short[key] = {0: gap.amount}
    unheld = {(gap.facts["post"], gap.days[0]) for gap in reached.gaps if gap.kind == "post_gap"}
    return replace(
        problem,
        rules=tuple(rule for rule in problem.rules if rule.hard),
        requests=(),
        preferences=(),
        agents=tuple(replace(agent, away_weight=0) for agent in problem.agents),
        shift_cover=tuple(_lowered(cover, short) for cover in problem.shift_cover),
        interval_cover=tuple(
            part
            for cover in problem.interval_cover
            for part in _split(cover, short, problem.slot_minutes)
        ),
        posts=tuple(
            replace(post, days=tuple(d for d in post.days if (post.id, d) not in unheld))
            for post in problem.posts
        ),
    )


def _lowered(cover: ShiftCover, short: dict[tuple[Any, ...], dict[int, int]]) -> ShiftCover:
    grade = None if cover.min_grade == "ordinary" else cover.min_grade
    missing = short.get((cover.date, cover.shift, cover.skill, grade, cover.desired), {}).get(0, 0)
    wanted = max(cover.desired - missing, 0)
    return replace(
        cover, desired=wanted, minimum=min(cover.minimum, wanted), over_weight=0, maximum=None,
        under_weight=max(cover.under_weight, 1),
    )  # fmt: skip


def _split(
    cover: IntervalCover, short: dict[tuple[Any, ...], dict[int, int]], slot: int
) -> Iterator[IntervalCover]:
    """The cover in runs of slots in which equally many were missing."""
    key = (cover.date, cover.skill, cover.min_grade, cover.desired, cover.cause)
    missing = short.get(key, {})
    for lost, run in groupby(
        range(cover.start, cover.end, slot), key=lambda start: missing.get(start, 0)
    ):
        starts = list(run)
        wanted = max(cover.desired - lost, 0)
        yield replace(
            cover,
            start=starts[0],
            end=starts[-1] + slot,
            desired=wanted,
            minimum=min(cover.minimum, wanted),
            maximum=None,
            over_weight=0,
            under_weight=max(cover.under_weight, 1),
        )


def connected(problem: RosterProblem, seeds: Iterable[int]) -> list[int]:
    """Everybody whose cells can matter to the seeds' rules and cover, however far around.

    Two people are connected when a cover counts both, or a hard rule joins them: between others
    no work can be handed on.
    """
    look = problem.lookup
    groups: set[frozenset[int]] = set()
    seen: set[int] = set()
    for cover in problem.interval_cover:
        table = look.serving(cover)
        if id(table) not in seen:
            seen.add(id(table))
            groups.add(frozenset(a for a, able in enumerate(table) if any(able)))
    for wanted in problem.shift_cover:
        groups.add(frozenset(look.able(wanted)))
    for post in problem.posts:
        groups.add(frozenset(look.qualified(post.skill, post.min_grade)))
    for rule in problem.rules:
        if rule.hard and rule.kind in ("apart", "together"):
            groups.add(frozenset(look.members(rule)))
    found = set(seeds)
    waiting = True
    while waiting:
        touching = [group for group in groups if not group.isdisjoint(found)]
        waiting = any(not group <= found for group in touching)
        for group in touching:
            found |= group
    return sorted(found)
