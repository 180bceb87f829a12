"""Rules about what follows what, as constraints: rest, runs, weekends, rotations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from scheduler.objective import Term
from scheduler.problem import rules as r
from scheduler.rows import Rows, ones
from scheduler.variables import OFF, Literal


def min_rest(rows: Rows, rule: r.MinRest) -> None:
    """Two duties too close to each other exclude one another."""
    for gap, later in rows.look.too_soon(rule.minutes):
        exclude(rows, rule.weight, rows.members(rule), later, gap)


def forbidden_succession(rows: Rows, rule: r.ForbiddenSuccession) -> None:
    """A shift excludes others on the next day."""
    then = frozenset(rows.look.shift[s] for s in rule.then)
    later = {rows.look.shift[s]: then for s in rule.first}
    exclude(rows, rule.weight, rows.members(rule), later, 1)


def start_change(rows: Rows, rule: r.StartChange) -> None:
    """A shift excludes those that begin too much earlier or later, unless there is one between."""
    starts = [work.start for work in rows.problem.shifts]
    later = {
        s: frozenset(
            t
            for t, then in enumerate(starts)
            if (rule.earlier_by is not None and start - then > rule.earlier_by)
            or (rule.later_by is not None and then - start > rule.later_by)
        )
        for s, start in enumerate(starts)
    }
    for gap in range(1, min(rule.days_off + 2, len(rows.look.known))):
        exclude(rows, rule.weight, rows.members(rule), later, gap, next_only=True)


def exclude(
    rows: Rows,
    weight: int | None,
    members: Sequence[int],
    later: dict[int, frozenset[int]],
    gap: int,
    next_only: bool = False,
) -> None:
    """Having shift s excludes the shifts later[s] `gap` days on.

    Hard: all shifts that exclude at least the same set stand in one clique. With `next_only` a
    duty on a day between them lifts it.
    """
    sets = {excluded for excluded in later.values() if excluded}
    if rows.exact(weight):
        pairs = [([s for s in later if later[s] >= excluded], excluded) for excluded in sets]
    else:
        pairs = [([s], excluded) for s, excluded in later.items() if excluded]
    pairs.sort(key=lambda pair: (pair[0], sorted(pair[1])))
    for a in members:
        for d in rows.windows(a, gap + 1, rows.look.known.start, rows.look.n_days - 1):
            between: list[Term] = []
            if next_only:
                between = [(-1, rows.x.works(a, e)) for e in range(d + 1, d + gap)]
            for first, excluded in pairs:
                before = rows.x.on_any(a, d, first)
                after = rows.x.on_any(a, d + gap, excluded)
                if before and after:
                    rows.keep(weight, [([*ones([*before, *after]), *between], 1)])


def max_consecutive(rows: Rows, rule: r.MaxConsecutive) -> None:
    """In every window one day longer than the limit, a day without."""
    shifts, known = rows.look.shift_set(rule.shifts), rows.look.known
    for a in rows.members(rule):
        for start in rows.windows(a, rule.days + 1, known.start, known.stop - 1):
            window = range(start, start + rule.days + 1)
            days = ones(rows.x.in_set(a, d, shifts) for d in window)
            rows.keep(rule.weight, [(days, rule.days)])


def min_consecutive(rows: Rows, rule: r.MinConsecutive) -> None:
    """No run of worked days shorter than the limit, away from the edges."""
    shifts = rows.look.shift_set(rule.shifts)
    for a in rows.members(rule):
        _no_short_runs(rows, rule, a, rule.days, partial(rows.x.in_set, a, shifts=shifts))


def min_days_off(rows: Rows, rule: r.MinDaysOff) -> None:
    """No run of days off shorter than the limit, away from the edges."""
    for a in rows.members(rule):
        _no_short_runs(rows, rule, a, rule.days, partial(rows.x.rests, a))


def _no_short_runs(
    rows: Rows, rule: r.Rule, a: int, least: int, inside: Callable[[int], Literal | int]
) -> None:
    """Forbid outside, then k < least days inside, then outside again.

    Hard: a run that begins goes on for `least` days, which has a stronger relaxation.
    """
    first, last = rows.look.known.start, rows.look.n_days - 1
    for k in range(1, min(least, last - first)):
        for start in rows.windows(a, k + 2, first, last):
            before, after = inside(start), inside(start + k + 1)
            if rows.exact(rule.weight):
                if any(inside(d) == 0 for d in range(start + 2, 0)):
                    continue  # the run ended before the first day
                begins = inside(start + 1)
                rows.keep(None, [([(1, begins), (-1, before), (-1, after)], 0)])
                continue
            run = ones(inside(start + 1 + i) for i in range(k))
            edges: list[Term] = [(-1, before), (-1, after)]
            weight = None if rule.weight is None else rule.weight * (least - k)
            rows.keep(weight, [([*run, *edges], k - 1)])


def rest_days(rows: Rows, rule: r.RestDays) -> None:
    """Enough days off in every window or week."""
    period: r.Period = "rolling" if rule.rolling else "week"
    for span, whole in rows.look.periods(period, rule.window):
        for a in rows.members(rule) if whole else ():
            if rows.touches(a, span):
                worked = ones(rows.x.works(a, d) for d in span)
                rows.keep(rule.weight, [(worked, len(span) - rule.days)])


def rest_after(rows: Rows, rule: r.RestAfter) -> None:
    """Days off follow a run on certain shifts."""
    shifts = rows.look.shift_set(rule.shifts) if rule.shifts else frozenset()
    known = rows.look.known
    for a in rows.members(rule) if shifts else ():
        for end in range(known.start + rule.run - 1, known.stop - 1):
            run = [rows.x.in_set(a, end - i, shifts) for i in range(rule.run)]
            goes_on = rows.x.in_set(a, end + 1, shifts)
            for d in range(max(end + 1, 0), min(end + rule.days_off, known.stop - 1) + 1):
                terms = [*ones(run), (-1, goes_on), (1, rows.x.works(a, d))]
                rows.keep(rule.weight, [(terms, rule.run)])


def max_weekends(rows: Rows, rule: r.MaxWeekends) -> None:
    """Few weekends with a duty, in all or in every window of weekends."""
    look, past = rows.look, rows.look.carried(rule.past)
    weekends = look.weekends if rule.window is None else look.known_weekends
    length = len(weekends) if rule.window is None else rule.window
    for a in rows.members(rule):
        worked = [rows.x.works_any(a, tuple(days)) for days in weekends]
        most = rule.weekends - (past.get(a, 0) if rule.window is None else 0)
        for start in range(len(weekends) - length + 1):
            if rule.window is None or weekends[start + length - 1][-1] >= 0:
                rows.keep(rule.weight, [(ones(worked[start : start + length]), most)])


def whole_weekends(rows: Rows, rule: r.WholeWeekends) -> None:
    """Both days of a weekend, or neither."""
    for a in rows.members(rule):
        for days in rows.look.known_weekends:
            if len(days) == 2 and days[-1] >= 0:
                first, second = (rows.x.works(a, d) for d in days)
                one_way: list[Term] = [(1, first), (-1, second)]
                other_way: list[Term] = [(-1, first), (1, second)]
                rows.keep(rule.weight, [(one_way, 0), (other_way, 0)])


def rotation(rows: Rows, rule: r.Rotation) -> None:
    """Cells as the cycle wants them."""
    for a in rows.members(rule):
        for d, wanted in rows.look.cycle(rule):
            if (a, d) in rows.look.on_leave:
                continue
            shifts = wanted - {OFF}
            follows = rows.x.in_set(a, d, shifts) if shifts else rows.x.rests(a, d)
            rows.keep(rule.weight, [([(-1, follows)], -1)])
