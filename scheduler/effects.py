"""What a few changes would do to a roster, judged anew only where they touch it.

Judging a whole roster takes a good part of a second; a move takes a millisecond or two here. All
figures are the judge's own: what concerns one person is asked of it with a problem of that person
alone, cover with a problem of the days touched, and rules that join people as a whole.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import TypeAlias

from scheduler.moves import Effect, Move, effect_between
from scheduler.problem import IntervalCover, RosterProblem
from scheduler.problem import rules as r
from scheduler.problem.parts import DAY_MINUTES
from scheduler.restrict import PERSONAL, part_of
from scheduler.solution import Roster
from scheduler.verify import Breach, Verdict, verify
from scheduler.verify.cover import interval_cover, shift_cover
from scheduler.verify.lines import OFF, Lines
from scheduler.verify.people import planned_share
from scheduler.verify.rules import JUDGES

Place: TypeAlias = tuple[int, int]


class Effects:
    """Weighs moves on one roster.

    Parameters
    ----------
    problem, roster
        The roster may break rules; an effect tells the difference only.
    """

    def __init__(self, problem: RosterProblem, roster: Roster) -> None:
        self.problem, self.roster, self.look = problem, roster, problem.lookup
        self._draft = _Draft(problem, replace(roster, extra=()))
        self._parts: dict[int, RosterProblem] = {}
        self._parts_of_day: dict[int, _Draft] = {}
        self._verdicts: dict[tuple[object, ...], Verdict] = {}
        self._covered: dict[int, list[Breach]] = {}
        self._cover_changes: dict[tuple[object, ...], int] = {}
        self._joint_now: dict[int, tuple[Breach, ...]] = {}
        self._joint = [rule for rule in problem.rules if not isinstance(rule, PERSONAL)]

    def of(self, move: Move) -> Effect:
        """What the move would do; the roster stays as it is."""
        cells = self._changed(move)
        before: list[Breach] = []
        after: list[Breach] = []
        touched = {a for a, _ in cells} | self._holders_touched(move)
        for a in sorted(touched):
            before += self._personal(a, Move({}, {}))
            after += self._personal(a, move)
        days = self._days_touched(cells)
        before += self._cover_now(days)
        before += self._posts(move.posts, self.roster.posts)
        after += self._posts(move.posts, move.posts)
        joint = [n for n, rule in enumerate(self._joint) if self._concerns(rule, touched)]
        shares = [self._shares(self._joint[n], touched) for n in joint]
        self._apply(cells, move)
        try:
            after += self._cover(days)
            for n, share in zip(joint, shares, strict=True):
                if share is None or share != self._shares(self._joint[n], touched):
                    after += self._judged(self._joint[n])
                    before += self._joint_now.get(n, ())
                    if n not in self._joint_now:
                        self._undo()
                        self._joint_now[n] = self._judged(self._joint[n])
                        before += self._joint_now[n]
                        self._apply(cells, move)
        finally:
            self._undo()
        return effect_between(before, after)

    def cover_change(self, a: int, d: int, s: int) -> int:
        """What cover costs more when one cell changes; people alike to all covers count once."""
        was = self._draft.shift(a, d)
        if was == s:
            return 0
        key = (d, was, s, self._serves(a, d, was), self._serves(a, d, s))
        if key not in self._cover_changes:
            cells = {(a, d): s}
            days = self._days_touched(cells)
            before = self._cover_now(days)
            self._apply(cells, Move({}, {}))
            after = self._cover(days)
            self._undo()
            self._cover_changes[key] = effect_between(before, after).change
        return self._cover_changes[key]

    def _serves(self, a: int, d: int, s: int) -> tuple[object, ...]:
        """Which covers of the days touched the person counts for."""
        told: list[object] = []
        for day in self._days_touched({(a, d): s}):
            part = self._day(day)
            covers = part.problem.interval_cover
            told.append(part.look.masks(covers)[a][s] if covers and s != OFF else 0)
            told += [a in part.look.able(cover) for cover in part.problem.shift_cover]
        return tuple(told)

    # -- one person ------------------------------------------------------------------------------

    def _personal(self, a: int, move: Move) -> tuple[Breach, ...]:
        """What the judge finds in a line of this person alone."""
        person = self.problem.agents[a].id
        mine = {place: s for place, s in move.cells.items() if place[0] == person}
        posts = move.posts
        key = (a, frozenset(mine.items()), frozenset(posts.items()))
        if key not in self._verdicts:
            held = {**self.roster.posts, **posts}
            own = {(person, day): s for day, s in self._lines[person].items()}
            part = Move(mine, {}).on(
                Roster(
                    own,
                    {place: (person,) for place, names in held.items() if person in names},
                    breaks={cell: at for cell, at in self.roster.breaks.items() if cell in own},
                )
            )
            self._verdicts[key] = verify(self._part(a), part)
        verdict = self._verdicts[key]
        return (*verdict.violations, *verdict.costs)

    @cached_property
    def _lines(self) -> dict[str, dict[date, str]]:
        lines: dict[str, dict[date, str]] = defaultdict(dict)
        for (agent, day), shift in self.roster.cells.items():
            lines[agent][day] = shift
        return lines

    def _part(self, a: int) -> RosterProblem:
        """The problem of one person: her rules, wishes and what is given of her."""
        if a not in self._parts:
            self._parts[a] = part_of(self.problem, [self.problem.agents[a].id])
        return self._parts[a]

    # -- cover and posts -------------------------------------------------------------------------

    def _changed(self, move: Move) -> dict[Place, int]:
        look = self.look
        cells = {
            (look.agent[agent], look.day[day]): OFF if shift is None else look.shift[shift]
            for (agent, day), shift in move.cells.items()
        }
        return {(a, d): s for (a, d), s in cells.items() if s != self._draft.shift(a, d)}

    def _apply(self, cells: Mapping[Place, int], move: Move) -> None:
        self._held = self._draft.held
        self._before = {(a, d): self._draft.shift(a, d) for a, d in cells}
        self._put(cells)
        if move.posts:
            self._draft.hold({**self.roster.posts, **move.posts})

    def _undo(self) -> None:
        self._put(self._before)
        if self._draft.held is not self._held:
            self._draft.held = self._held
            self._draft.shares.clear()

    def _put(self, cells: Mapping[Place, int]) -> None:
        for (a, d), s in cells.items():
            self._draft.put(a, d, s)

    def _days_touched(self, cells: Mapping[Place, int]) -> list[int]:
        """Days whose cover the changed cells can touch: their own, and those they reach into."""
        shifts, days = self.problem.shifts, set()
        for (a, d), s in cells.items():
            ends = [shifts[one].end for one in (s, self._draft.shift(a, d)) if one != OFF]
            reach = max(ends, default=0)
            days |= {d, *range(d, d + -(-reach // DAY_MINUTES))}
        return sorted(day for day in days if day < self.look.n_days)

    def _cover_now(self, days: list[int]) -> list[Breach]:
        """Cover as it is, counted once a day."""
        for d in days:
            if d not in self._covered:
                self._covered[d] = self._cover([d])
        return [breach for d in days for breach in self._covered[d]]

    def _cover(self, days: list[int]) -> list[Breach]:
        found: list[Breach] = []
        for d in days:
            part = self._day(d)
            if part.problem.shift_cover:
                found += shift_cover(part)
            found += interval_cover(part)
        return found

    def _day(self, d: int) -> _Draft:
        """The same lines under a problem that has the cover of one day only."""
        if d not in self._parts_of_day:
            on = self.look.date_of(d)
            part = replace(
                self._without_cover,
                interval_cover=tuple(self._covers.get(on, ())),
                shift_cover=tuple(c for c in self.problem.shift_cover if c.date == on),
            )
            self._parts_of_day[d] = self._draft.under(part)
        return self._parts_of_day[d]

    @cached_property
    def _covers(self) -> dict[date, list[IntervalCover]]:
        found: dict[date, list[IntervalCover]] = defaultdict(list)
        for cover in self.problem.interval_cover:
            found[cover.date].append(cover)
        return found

    @cached_property
    def _without_cover(self) -> RosterProblem:
        return replace(
            self.problem, shift_cover=(), interval_cover=(), posts=(), post_locks=(), rules=(),
            requests=(), preferences=(),
        )  # fmt: skip

    def _posts(
        self,
        places: Iterable[tuple[str, date]],
        held: Mapping[tuple[str, date], tuple[str, ...]],
    ) -> list[Breach]:
        posts = {post.id: post for post in self.problem.posts}
        return [
            _cost(
                "post_gap", max(0, posts[p].count - len(held.get((p, day), ()))) * posts[p].weight
            )
            for p, day in places
        ]

    def _holders_touched(self, move: Move) -> set[int]:
        names = {
            name
            for place, holders in move.posts.items()
            for name in (*holders, *self.roster.posts.get(place, ()))
        }
        return {self.look.agent[name] for name in names}

    # -- rules that join people ------------------------------------------------------------------

    def _concerns(self, rule: r.Rule, touched: set[int]) -> bool:
        return not touched.isdisjoint(self.look.members(rule))

    def _shares(self, rule: r.Rule, touched: set[int]) -> list[int] | None:
        """What a fair share counts of the people touched; None where only judging tells."""
        if not isinstance(rule, r.FairShare):
            return None
        members = touched.intersection(self.look.members(rule))
        return [planned_share(rule.measure, a, self._draft) for a in sorted(members)]

    def _judged(self, rule: r.Rule) -> tuple[Breach, ...]:
        names = self.problem.agents
        return tuple(
            Breach(
                rule.name,
                rule.kind,
                found.amount,
                None if rule.weight is None else rule.weight * found.amount,
                None if found.agent is None else names[found.agent].id,
                tuple(self.look.date_of(d) for d in found.days),
                found.facts,
            )
            for found in JUDGES[type(rule)](rule, self._draft)
        )


def _cost(kind: str, cost: int) -> Breach:
    return Breach(kind, kind, cost, cost)


class _Draft(Lines):
    """Lines that can be changed and changed back."""

    def __init__(self, problem: RosterProblem, roster: Roster) -> None:
        super().__init__(problem, roster)
        self._placed = dict(self.rearranged)  # duties whose breaks the roster places
        self.on_shift  # noqa: B018 - counted once, then kept up to date

    def under(self, problem: RosterProblem) -> _Draft:
        """The same lines, changing with these, under another problem of the same people."""
        other = copy.copy(self)
        other.problem, other.look = problem, problem.lookup
        return other

    def put(self, agent: int, day: int, shift: int) -> None:
        was, place = self.shift(agent, day), (agent, day)
        self.shares.pop(agent, None)
        if place in self.rearranged:
            del self.rearranged[place]
        elif was != OFF:
            self.on_shift[day, was].remove(agent)
        self._lines[agent][day + self._before] = shift
        if shift != OFF and place in self._placed and self._placed[place][0] == shift:
            self.rearranged[place] = self._placed[place]
        elif shift != OFF:
            self.on_shift[day, shift].append(agent)

    def hold(self, held: Mapping[tuple[str, date], tuple[str, ...]]) -> None:
        self.shares.clear()
        self.held = [
            (post, self.look.day[day], [self.look.agent[name] for name in holders])
            for post in self.problem.posts
            for day in post.days
            if (holders := held.get((post.id, day), ()))
        ]
