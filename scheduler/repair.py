"""Repair of a published roster: somebody falls out, demand changes, a rule is added.

What was published stays but for a few cells. Single changes are all weighed; a model that may
change only so many cells finds what takes several, and proves how few will do.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from scheduler.changes import Change, applied, forced_changes, move_of, place_of
from scheduler.effects import Effects
from scheduler.few_changes import Clock, FewChanges, as_reached, connected
from scheduler.model import grid_of, roster_of
from scheduler.moves import Effect, Move
from scheduler.problem import RosterProblem
from scheduler.restrict import without
from scheduler.solution import Roster
from scheduler.toll import Toll, tolls
from scheduler.variables import OFF
from scheduler.verify import Breach, Verdict, verify

MOST_LITERALS = 6_000  # of a model that is to be built and solved within seconds
MOST_DAYS = 5  # days with gaps looked at when nothing is broken
EXTRA = 2  # changes beyond one for each cell that falls out
PLANS_A_LEVEL = 4
MODEL_SHARE = 0.6  # of the time, at most, for the fewest changes
ENDING = 0.12  # of the time: the last solve ends a little late


@dataclass(frozen=True, slots=True)
class Wanted:
    """How to repair.

    Parameters
    ----------
    seconds : float
        Wall-clock limit.
    most : int, optional
        Changes an alternative may make; by default two more than cells fall out.
    keep : int
        Alternatives to give back.
    days : tuple of date
        Where to look first; by default where something falls out, is broken, or is missing.
    accepted : set of (rule name, agent)
        Hard rules that were published broken: they need not be mended, but get no worse.
    """

    seconds: float = 5.0
    most: int | None = None
    keep: int = 6
    days: tuple[date, ...] = ()
    accepted: frozenset[tuple[str, str | None]] = frozenset()
    workers: int = 2
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to repair, beside what must change anyway.

    Parameters
    ----------
    changes : tuple of Change
    effect : Effect
        Against leaving the gap: cost, terms, rules broken, mended and bent.
    tolls : tuple of Toll
        What it asks of whom.
    restores : bool
        Breaks nothing, mends what was broken, and leaves no more missing than was published.
    """

    changes: tuple[Change, ...]
    effect: Effect
    tolls: tuple[Toll, ...]
    restores: bool

    @property
    def lawful(self) -> bool:
        return self.effect.possible


@dataclass(frozen=True, slots=True)
class Repairs:
    """What falls out, and how it can be mended.

    Parameters
    ----------
    forced : tuple of Change
        Cells that cannot stay: on leave, forbidden, locked to something else.
    opened : int
        Cost of what is missing because of them.
    violations : tuple of Breach
        Hard rules broken when nothing else changes, those accepted aside.
    alternatives : tuple of Alternative
        The best first: lawful, restoring, few changes, cheap.
    fewest : int, optional
        Changes beside the forced ones that restore what was published; None when not found.
    proven : bool
        Fewer are impossible, or with `fewest` None: at most `most` changes do not restore it.
        Shown by solving, over every cell of everybody whose cells can matter, on `days`.
    most : int
        Changes an alternative could make.
    days : tuple of (first, last)
        Days the proof is about.
    whole : bool
        Those are all days of the problem.
    roster : Roster
        The published one without what falls out; `verdict` is the judge's of it.
    """

    forced: tuple[Change, ...]
    opened: int
    violations: tuple[Breach, ...]
    alternatives: tuple[Alternative, ...]
    fewest: int | None
    proven: bool
    most: int
    days: tuple[date, date]
    whole: bool
    roster: Roster
    verdict: Verdict

    def taken(self, number: int) -> Roster:
        """The roster with an alternative, by its place in the list."""
        return applied(self.roster, self.alternatives[number].changes)


def repair(problem: RosterProblem, published: Roster, wanted: Wanted | None = None) -> Repairs:
    """Mend a roster that does not fit its problem any more.

    Parameters
    ----------
    problem : RosterProblem
        As things are now: with the new absence, demand, rule, lock or forbidden cell.
    published : Roster
        What people know.

    Returns
    -------
    Repairs
        Effects are weighed by the judge's own rules, never taken from the solver.
    """
    wanted = wanted or Wanted()
    clock = Clock(time.monotonic() + (1 - ENDING) * wanted.seconds)
    forced = tuple(forced_changes(problem, published))
    left = applied(published, forced)
    opened = Effects(problem, published).of(move_of(published, forced)).gap if forced else 0
    work = _Work(problem, left, published, forced, opened, wanted, clock)
    return work.done()


class _Work:
    """One repair."""

    def __init__(
        self,
        problem: RosterProblem,
        left: Roster,
        published: Roster,
        forced: tuple[Change, ...],
        opened: int,
        wanted: Wanted,
        clock: Clock,
    ) -> None:
        self.problem, self.look = problem, problem.lookup
        self.left, self.published, self.forced = left, published, forced
        self.opened, self.wanted, self.clock = opened, wanted, clock
        self.effects = Effects(problem, left)
        self.verdict = verify(problem, left)
        self.broken = [
            b for b in self.verdict.violations if (b.rule, b.agent) not in wanted.accepted
        ]
        self.modelled = without(problem, wanted.accepted) if wanted.accepted else problem
        self.reached = as_reached(self.modelled, verify(problem, published))
        self._losses = Effects(self.reached, left)
        self.most = wanted.most if wanted.most is not None else len(forced) + EXTRA
        self.focus = self._focus()
        self.people = connected(problem, self._seeds())
        self.days = self._days()
        self.free = {(a, d) for a in self.people for d in self.days}
        self.base = grid_of(problem, left)
        self.found: dict[frozenset[Change], Alternative] = {}
        # nothing to restore takes no change, whatever gaps there are
        self.fewest: int | None = 0 if self.settled else None
        self.proven = self.settled

    def done(self) -> Repairs:
        if self.focus:
            self._singles()
            self._fewest()
            self._cheapest()
        ranked = sorted(self.found.values(), key=_rank)
        first, last = (self.look.date_of(d) for d in (self.days[0], self.days[-1]))
        return Repairs(
            forced=self.forced,
            opened=self.opened,
            violations=tuple(self.broken),
            alternatives=tuple(ranked[: self.wanted.keep]),
            fewest=self.fewest,
            proven=self.proven,
            most=self.most,
            days=(first, last),
            whole=len(self.days) == self.look.n_days,
            roster=self.left,
            verdict=self.verdict,
        )

    # -- where to look ---------------------------------------------------------------------------

    @property
    def settled(self) -> bool:
        """Nothing fell out and nothing is broken: there is no more than gaps to fill."""
        return not self.opened and not self.broken

    def _focus(self) -> list[int]:
        named = {self.look.day[day] for day in self.wanted.days}
        hurt = {self.look.day[one.day] for one in self.forced}
        hurt |= {d for b in self.broken for d in map(self.look.day.get, b.days)
                 if d is not None}  # fmt: skip
        if named or hurt:
            return sorted(named | hurt)
        costs: dict[int, int] = {}
        for gap in self.verdict.gaps:
            d = self.look.day[gap.days[0]]
            costs[d] = costs.get(d, 0) + (gap.cost or 0)
        return sorted(sorted(costs, key=lambda d: (-costs[d], d))[:MOST_DAYS])

    def _seeds(self) -> set[int]:
        names = {one.agent for one in self.forced}
        names |= {b.agent for b in self.broken if b.agent is not None}
        seeds = {self.look.agent[name] for name in names}
        if seeds and not self.wanted.days:
            return seeds
        return seeds | {
            a
            for a in range(self.look.n_agents)
            for d in self.focus
            if any(self.effects.cover_change(a, d, s) < 0 for s in self.look.allowed[a][d])
        }

    def _days(self) -> range:
        """As many days around the focus as a quick model holds."""
        if not self.focus:
            return range(self.look.n_days)
        first, last = self.focus[0], self.focus[-1]
        width = 1 + max(
            (len(cell) for a in self.people for cell in self.look.allowed[a]), default=0
        )
        room = max(MOST_LITERALS // max(len(self.people) * width, 1), last - first + 1)
        spare = (room - (last - first + 1) + 1) // 2
        first, last = first - spare, last + spare
        if first < 0:
            first, last = 0, last - first
        if last > self.look.n_days - 1:
            first, last = first - (last - self.look.n_days + 1), self.look.n_days - 1
        return range(max(first, 0), last + 1)

    # -- single changes --------------------------------------------------------------------------

    def _singles(self) -> None:
        """Every change of one cell that fills something or mends something."""
        hurt = {b.agent for b in self.broken}
        for d in self.focus:
            for a in self.people:
                if (a, d) in self.look.locked:
                    continue
                agent = self.problem.agents[a].id
                for s in (OFF, *self.look.allowed[a][d]):
                    if s == self.base.cells[a][d]:
                        continue
                    if agent in hurt or self.effects.cover_change(a, d, s) < 0:
                        after = None if s == OFF else self.problem.shifts[s].id
                        day = self.look.date_of(d)
                        self._offer([Change(agent, day, self.left.shift(agent, day), after)])
                if self.clock.left < self.wanted.seconds * MODEL_SHARE / 2:
                    return

    def _offer(self, changes: Sequence[Change]) -> Alternative | None:
        """Weigh a set of changes and keep it when it helps."""
        key = frozenset(changes)
        if key in self.found:
            return self.found[key]
        if not changes:
            return None
        effect = self.effects.of(move_of(self.left, changes))
        if not effect.possible:  # a hard rule broken is never the price of what is proposed
            return None
        lost = self._lost(move_of(self.left, changes))
        fills = effect.gap < 0 if self.settled else lost < self.lost
        if not effect.mended and not fills:
            return None
        mended = {(b.rule, b.agent, b.days) for b in effect.mended}
        restores = not lost and all((b.rule, b.agent, b.days) in mended for b in self.broken)
        ordered = tuple(sorted(changes, key=place_of))
        then = applied(self.left, ordered)
        toll = tolls(self.problem, self.published, then, [one.agent for one in ordered])
        self.found[key] = Alternative(ordered, effect, toll, restores)
        return self.found[key]

    def _lost(self, move: Move) -> int:
        """What was published and is not there after a move, as its cost."""
        return self.lost + self._losses.of(move).gap

    @cached_property
    def lost(self) -> int:
        return sum(gap.cost or 0 for gap in verify(self.reached, self.left).gaps)

    # -- several changes -------------------------------------------------------------------------

    def _fewest(self) -> None:
        """The fewest changes that restore what was published, and the proof."""
        if self.settled:
            return
        model = FewChanges(self.reached, self.base, self.free)
        model.at_most(self.most)
        model.keep_cost(0)
        part = model.fewest(self.clock, self.wanted.seed, self.wanted.workers, MODEL_SHARE)
        self.proven = part.proven
        if part.grid is not None:
            changes = self._changes_to(roster_of(self.problem, part.grid))
            self._offer(changes)
            self.fewest = len(changes)

    def _cheapest(self) -> None:
        """The cheapest ways with so many changes, and others beside them."""
        if self.clock.left < 0.3:
            return
        model = FewChanges(self.modelled, self.base, self.free)
        most = self.most if self.fewest is None else min(max(self.fewest, 1) + 1, self.most)
        for level in range(most, max(self.fewest or 1, 1) - 1, -1):
            model.at_most(level)
            for _ in range(PLANS_A_LEVEL):
                if self.clock.left < 0.15 or not self._another(model):
                    break

    def _another(self, model: FewChanges) -> bool:
        """One more way, unlike those before; False when there is none."""
        part = model.cheapest(self.clock, self.wanted.seed, self.wanted.workers, 0.5)
        if part.grid is None:
            return False
        changes = self._needed(self._changes_to(roster_of(self.problem, part.grid)))
        if self._offer(changes) is None:
            return False
        model.forbid(
            (self.look.agent[one.agent], self.look.day[one.day],
             OFF if one.after is None else self.look.shift[one.after])
            for one in changes if one.post is None
        )  # fmt: skip
        return True

    def _needed(self, changes: list[Change]) -> list[Change]:
        """Only what the repair takes: without changes that better something else."""
        least = self._lost(move_of(self.left, changes))
        mended = self.effects.of(move_of(self.left, changes)).mended
        units: dict[object, list[Change]] = {}
        for one in sorted(changes, key=place_of):
            units.setdefault((one.post, one.day) if one.post else one, []).append(one)
        for unit in units.values():
            rest = [one for one in changes if one not in unit]
            move = move_of(self.left, rest)
            effect = self.effects.of(move)
            if effect.possible and effect.mended == mended and self._lost(move) <= least:
                changes = rest
        return changes

    def _changes_to(self, roster: Roster) -> list[Change]:
        """How a roster differs from what is left."""
        places = self.left.cells.keys() | roster.cells.keys()
        changes = [
            Change(agent, day, before, after)
            for agent, day in places
            if (before := self.left.shift(agent, day)) != (after := roster.shift(agent, day))
        ]
        for post, day in self.left.posts.keys() | roster.posts.keys():
            was = set(self.left.posts.get((post, day), ()))
            then = set(roster.posts.get((post, day), ()))
            changes += [Change(name, day, None, post, post) for name in then - was]
            changes += [Change(name, day, post, None, post) for name in was - then]
        return changes


def _rank(one: Alternative) -> tuple[bool, bool, int, int, int, tuple[str, ...]]:
    left = one.effect.gap if not one.restores else 0
    return (
        not one.lawful,
        not one.restores,
        left,
        len(one.changes),
        one.effect.change,
        tuple(f"{c.agent} {c.day} {c.after}" for c in one.changes),
    )
