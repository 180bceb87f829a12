"""The rules of a roster as constraints: one method per rule.

A hard rule is a constraint; a soft one has a slack that costs its weight per unit, the same
units the judge counts. With `relax` hard rules get a slack as well, at that price, so that a
problem whose hard rules contradict each other still has an answer that breaks few of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from scheduler.objective import Objective, Term
from scheduler.problem import rules as r
from scheduler.problem.parts import DAY_MINUTES
from scheduler.rows import Row, Rows, ones, weighted
from scheduler.variables import Literal, Variables

HOUR = 60
FINE_SQUARES = 64


class Constraints(Rows):
    """Adds the rules of a problem to a model."""

    def __init__(self, x: Variables, objective: Objective, relax: int | None = None) -> None:
        super().__init__(x, objective, relax)
        self.by_kind: dict[type, Callable[[Any], None]] = {
            r.MinRest: self.min_rest,
            r.ForbiddenSuccession: self.forbidden_succession,
            r.MaxConsecutive: self.max_consecutive,
            r.MinConsecutive: self.min_consecutive,
            r.MinDaysOff: self.min_days_off,
            r.RestDays: self.rest_days,
            r.RestAfter: self.rest_after,
            r.MinutesLimit: self.minutes_limit,
            r.OvertimeLimit: self.overtime_limit,
            r.ContractMinutes: self.contract_minutes,
            r.MaxWeekends: self.max_weekends,
            r.ShiftLimit: self.shift_limit,
            r.Apart: self.apart,
            r.Together: self.together,
            r.FairShare: self.fair_share,
            r.NamedDayRepeat: self.named_day_repeat,
            r.Stability: self.stability,
        }

    def add_constraints(self) -> None:
        """What is given first, then the problem's own rules by kind."""
        self.agent_minutes()
        self.protected_minutes()
        self.post_holders()
        for rule in self.problem.rules:
            self.by_kind[type(rule)](rule)

    # -- what is given ---------------------------------------------------------------------------

    def agent_minutes(self) -> None:
        """An agent's own limits of minutes over the problem's days."""
        for a in self.x.free_days:
            person = self.problem.agents[a]
            worked = self.minutes(a, range(self.look.n_days))
            self._between(None, worked, person.min_minutes, person.max_minutes, HOUR)

    def protected_minutes(self) -> None:
        """No overtime within the dates of that restriction."""
        for a in self.x.free_days:
            for restriction in self.problem.agents[a].restrictions:
                span = self.look.clip(restriction.first, restriction.last)
                if restriction.kind == "no_overtime" and span:
                    limit = self.look.contract_minutes(a, span)
                    self.keep(None, [(self.minutes(a, span), limit)], HOUR)

    def post_holders(self) -> None:
        """One post a day each; holders work a shift the post asks for, or none if exclusive."""
        x = self.x
        by_cell: dict[tuple[int, int], list[Literal]] = {}
        for (p, d, a), holds in x.holds.items():
            post = self.problem.posts[p]
            by_cell.setdefault((a, d), []).append(holds)
            if post.shifts:
                fitting = x.on_any(a, d, [self.look.shift[s] for s in post.shifts])
                self.keep(None, [([(1, holds), *((-1, on) for on in fitting)], 0)])
            if post.exclusive:
                self.keep(None, [(ones([holds, x.works(a, d)]), 1)])
        for holds_that_day in by_cell.values():
            self.keep(None, [(ones(holds_that_day), 1)])

    def _between(
        self, weight: int | None, terms: list[Term], low: int | None, high: int | None, unit: int
    ) -> None:
        rows: list[Row] = []
        if high is not None:
            rows.append((terms, high))
        if low is not None:
            rows.append(([(-c, t) for c, t in terms], -low))
        for row in rows:
            self.keep(weight, [row], unit)

    # -- the rules -------------------------------------------------------------------------------

    def min_rest(self, rule: r.MinRest) -> None:
        """Two duties too close to each other exclude one another."""
        shifts = self.problem.shifts
        latest = max((s.end for s in shifts), default=0) + rule.minutes
        for gap in range(1, -(-latest // DAY_MINUTES) + 1):
            too_soon = {
                s: frozenset(
                    t
                    for t, later in enumerate(shifts)
                    if later.start + gap * DAY_MINUTES < work.end + rule.minutes
                )
                for s, work in enumerate(shifts)
            }
            self._exclude(rule, too_soon, gap)

    def forbidden_succession(self, rule: r.ForbiddenSuccession) -> None:
        """A shift excludes others on the next day."""
        then = frozenset(self.look.shift[s] for s in rule.then)
        self._exclude(rule, {self.look.shift[s]: then for s in rule.first}, 1)

    def _exclude(self, rule: r.Rule, later: dict[int, frozenset[int]], gap: int) -> None:
        """Having shift s excludes the shifts later[s] `gap` days on.

        Hard: all shifts that exclude at least the same set stand in one clique.
        """
        sets = {excluded for excluded in later.values() if excluded}
        if self.exact(rule.weight):
            rows = [([s for s in later if later[s] >= excluded], excluded) for excluded in sets]
        else:
            rows = [([s], excluded) for s, excluded in later.items() if excluded]
        rows.sort(key=lambda row: (row[0], sorted(row[1])))
        for a in self.members(rule):
            for d in self.windows(a, gap + 1, self.look.known.start, self.look.n_days - 1):
                for first, excluded in rows:
                    before = self.x.on_any(a, d, first)
                    after = self.x.on_any(a, d + gap, excluded)
                    if before and after:
                        self.keep(rule.weight, [(ones([*before, *after]), 1)])

    def max_consecutive(self, rule: r.MaxConsecutive) -> None:
        """In every window one day longer than the limit, a day without."""
        shifts, known = self.look.shift_set(rule.shifts), self.look.known
        for a in self.members(rule):
            for start in self.windows(a, rule.days + 1, known.start, known.stop - 1):
                window = range(start, start + rule.days + 1)
                days = ones(self.x.in_set(a, d, shifts) for d in window)
                self.keep(rule.weight, [(days, rule.days)])

    def min_consecutive(self, rule: r.MinConsecutive) -> None:
        """No run of worked days shorter than the limit, away from the edges."""
        shifts = self.look.shift_set(rule.shifts)
        for a in self.members(rule):
            self._no_short_runs(rule, a, rule.days, partial(self.x.in_set, a, shifts=shifts))

    def min_days_off(self, rule: r.MinDaysOff) -> None:
        """No run of days off shorter than the limit, away from the edges."""
        for a in self.members(rule):
            self._no_short_runs(rule, a, rule.days, partial(self.x.rests, a))

    def _no_short_runs(
        self, rule: r.Rule, a: int, least: int, inside: Callable[[int], Literal | int]
    ) -> None:
        """Forbid outside, then k < least days inside, then outside again.

        Hard: a run that begins goes on for `least` days, which has a stronger relaxation.
        """
        first, last = self.look.known.start, self.look.n_days - 1
        for k in range(1, least):
            for start in self.windows(a, k + 2, first, last):
                if start + k + 1 < 0:
                    continue
                before, after = inside(start), inside(start + k + 1)
                if self.exact(rule.weight):
                    if any(inside(d) == 0 for d in range(start + 2, 0)):
                        continue  # the run ended before the first day
                    begins = inside(start + 1)
                    self.keep(None, [([(1, begins), (-1, before), (-1, after)], 0)])
                    continue
                run = ones(inside(start + 1 + i) for i in range(k))
                edges: list[Term] = [(-1, before), (-1, after)]
                weight = None if rule.weight is None else rule.weight * (least - k)
                self.keep(weight, [([*run, *edges], k - 1)])

    def rest_days(self, rule: r.RestDays) -> None:
        """Enough days off in every window or week."""
        period: r.Period = "rolling" if rule.rolling else "week"
        for span, whole in self.look.periods(period, rule.window):
            for a in self.members(rule) if whole else ():
                if self.touches(a, span):
                    worked = ones(self.x.works(a, d) for d in span)
                    self.keep(rule.weight, [(worked, len(span) - rule.days)])

    def rest_after(self, rule: r.RestAfter) -> None:
        """Days off follow a run on certain shifts."""
        shifts = self.look.shift_set(rule.shifts) if rule.shifts else frozenset()
        known = self.look.known
        for a in self.members(rule) if shifts else ():
            for end in range(known.start + rule.run - 1, known.stop - 1):
                run = [self.x.in_set(a, end - i, shifts) for i in range(rule.run)]
                goes_on = self.x.in_set(a, end + 1, shifts)
                for d in range(max(end + 1, 0), min(end + rule.days_off, known.stop - 1) + 1):
                    terms = [*ones(run), (-1, goes_on), (1, self.x.works(a, d))]
                    self.keep(rule.weight, [(terms, rule.run)])

    def minutes_limit(self, rule: r.MinutesLimit) -> None:
        """Minutes worked in each period."""
        for span, whole in self.look.periods(rule.period, rule.window):
            low = rule.minimum if whole else None
            for a in self.members(rule):
                if self.touches(a, span):
                    worked = self.minutes(a, span)
                    self._between(rule.weight, worked, low, rule.maximum, HOUR)

    def overtime_limit(self, rule: r.OvertimeLimit) -> None:
        """Minutes on statutory holidays, and all minutes beyond the contract, stay in the meter."""
        days = self.problem.days
        past = {self.look.agent[share.agent]: share.amount for share in rule.past}
        for number, (span, _) in enumerate(self.look.periods("month", 0)):
            inside = range(max(span.start, 0), span.stop)
            holidays = [d for d in inside if days[d].type == "statutory_holiday"]
            for a in self.members(rule):
                if self.touches(a, inside):
                    limit = rule.maximum - (past.get(a, 0) if number == 0 else 0)
                    contract = self.look.contract_minutes(a, inside)
                    rows = [
                        (self.minutes(a, holidays), limit),
                        (self.minutes(a, inside), limit + contract),
                    ]
                    self.keep(rule.weight, rows, HOUR)

    def contract_minutes(self, rule: r.ContractMinutes) -> None:
        """Minutes worked are near the contract."""
        for a in self.members(rule):
            contract = self.look.contract_minutes(a)
            low, high = contract - rule.tolerance, contract + rule.tolerance
            worked = self.minutes(a, range(self.look.n_days))
            self._between(rule.weight, worked, low, high, HOUR)

    def max_weekends(self, rule: r.MaxWeekends) -> None:
        """Few weekends with a duty."""
        for a in self.members(rule):
            worked = [self.x.weekend(a, n) for n in range(len(self.look.weekends))]
            self.keep(rule.weight, [(ones(worked), rule.weekends)])

    def shift_limit(self, rule: r.ShiftLimit) -> None:
        """How many of some shifts in each period."""
        shifts = self.look.shift_set(rule.shifts) if rule.shifts else frozenset()
        for span, whole in self.look.periods(rule.period, rule.window):
            low = rule.minimum if whole else None
            for a in self.members(rule):
                if self.touches(a, span):
                    found = ones(on for d in span for on in self.x.on_any(a, d, shifts))
                    self._between(rule.weight, found, low, rule.maximum, 1)

    def apart(self, rule: r.Apart) -> None:
        """Never two of them on the same shift."""
        for d in range(self.look.n_days):
            for s in range(self.look.n_shifts):
                there = ones(self.x.on(a, d, s) for a in self.look.members(rule))
                self.keep(rule.weight, [(there, 1)])

    def together(self, rule: r.Together) -> None:
        """The first only where the others are."""
        newcomer, *mentors = self.look.members(rule)
        for d in range(self.look.n_days):
            for s in range(self.look.n_shifts):
                for mentor in mentors:
                    pair: list[Term] = [
                        (1, self.x.on(newcomer, d, s)),
                        (-1, self.x.on(mentor, d, s)),
                    ]
                    self.keep(rule.weight, [(pair, 0)])

    def fair_share(self, rule: r.FairShare) -> None:
        """Shares, past and planned, are alike."""
        if not self.x.whole and not self.members(rule):
            return
        past = {self.look.agent[share.agent]: share.amount for share in rule.past}
        shares = [
            [(1, past.get(a, 0)), *self._share(rule.measure, a)] for a in self.look.members(rule)
        ]
        if rule.how == "spread":
            self._charge_spread(rule, shares)
        else:
            for share in shares:
                self._charge_square(rule, share)

    def _share(self, measure: r.Measure, a: int) -> list[Term]:
        x, shifts, horizon = self.x, self.problem.shifts, range(self.look.n_days)
        if measure == "duties":
            return ones(x.works(a, d) for d in horizon)
        if measure == "minutes":
            return [*self.minutes(a, horizon), (-1, self.look.contract_minutes(a))]
        if measure == "weekends":
            return ones(x.weekend(a, n) for n in range(len(self.look.weekends)))
        if measure != "burden":
            marked = [s for s, work in enumerate(shifts) if getattr(work, _MARKS[measure])]
            return ones(on for d in horizon for on in x.on_any(a, d, marked))
        terms: list[Term] = []
        for d, day in enumerate(self.problem.days):
            if day.burden:
                for s, work in enumerate(shifts):
                    terms.append((day.burden * work.burden_percent // 100, x.on(a, d, s)))
                for p, post in enumerate(self.problem.posts):
                    if day.date in post.days:
                        held = x.holder(p, d, a)
                        terms.append((day.burden * post.burden_percent // 100, held))
        return terms

    def _charge_spread(self, rule: r.FairShare, shares: list[list[Term]]) -> None:
        if len(shares) < 2:
            return
        ranges = [_range(share) for share in shares]
        low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
        largest = self.model.new_int_var(low, high, "")
        smallest = self.model.new_int_var(low, high, "")
        for share in shares:
            total = weighted(share)
            self.model.add(total <= largest)
            self.model.add(total >= smallest)
        units = self.model.new_int_var(0, -(-(high - low) // rule.unit), "")
        self.model.add(rule.unit * units >= largest - smallest)
        self.objective.charge(rule.weight or 0, units)

    def _charge_square(self, rule: r.FairShare, share: list[Term]) -> None:
        low, high = (-(-abs(end) // rule.unit) for end in _range(share))
        most = max(low, high)
        least = 0 if _range(share)[0] <= 0 <= _range(share)[1] else min(low, high)
        units = self.model.new_int_var(least, most, "")
        total = weighted(share)
        self.model.add(rule.unit * units >= total)
        self.model.add(rule.unit * units >= -total)
        square = self.model.new_int_var(least * least, most * most, "")
        self.objective.charge(rule.weight or 0, square)
        if most - least > FINE_SQUARES:
            self.model.add_multiplication_equality(square, [units, units])
            return
        for k, after in pairwise(range(least, most + 1)):
            # the chord between k and k + 1 touches the square at both and lies below it elsewhere
            self.model.add(square >= (k + after) * units - k * after)

    def named_day_repeat(self, rule: r.NamedDayRepeat) -> None:
        """Not the same named day two years running."""
        members = set(self.look.members(rule))
        for held in rule.held:
            a = self.look.agent[held.agent]
            for d, day in enumerate(self.problem.days):
                if a in members and day.name == held.day_name:
                    self.objective.charge(rule.weight or 0, self.x.works(a, d))
                    for p, post in enumerate(self.problem.posts):
                        if day.date in post.days:
                            self.objective.charge(rule.weight or 0, self.x.holder(p, d, a))

    def stability(self, rule: r.Stability) -> None:
        """Cells as they were."""
        members, weight = set(self.look.members(rule)), rule.weight or 0
        for cell in rule.earlier:
            a, d = self.look.agent[cell.agent], self.look.day[cell.date]
            if a not in members:
                continue
            if cell.shift is None:
                self.objective.charge(weight, self.x.works(a, d))
            else:
                self.objective.charge(weight, 1)
                self.objective.charge(-weight, self.x.on(a, d, self.look.shift[cell.shift]))


_MARKS = {"nights": "night", "unpopular": "unpopular"}


def _range(terms: Sequence[Term]) -> tuple[int, int]:
    settled = sum(c * t for c, t in terms if isinstance(t, int))
    weights = [c for c, t in terms if not isinstance(t, int)]
    low = settled + sum(c for c in weights if c < 0)
    return low, settled + sum(c for c in weights if c > 0)
