"""How much is broken of the rules about what follows what: rest, runs, weekends, rotations."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from scheduler.problem import rules as r
from scheduler.problem.parts import DAY_MINUTES
from scheduler.verify.found import Found
from scheduler.verify.lines import OFF, Lines


def min_rest(rule: r.MinRest, lines: Lines) -> Iterator[Found]:
    shifts = lines.problem.shifts
    for a in lines.look.members(rule):
        duties = list(lines.duties(a, lines.look.known))
        for i, (d, s) in enumerate(duties):
            free_from = d * DAY_MINUTES + shifts[s].end + rule.minutes
            for e, t in duties[i + 1 :]:
                start = e * DAY_MINUTES + shifts[t].start
                if start >= free_from:
                    break
                rest = start - free_from + rule.minutes
                if e >= 0:
                    yield Found(a, (d, e), 1, {"rest_minutes": rest, "limit": rule.minutes})


def forbidden_succession(rule: r.ForbiddenSuccession, lines: Lines) -> Iterator[Found]:
    ids = lines.problem.shifts
    first, then = lines.look.shift_set(rule.first), lines.look.shift_set(rule.then)
    if not rule.first or not rule.then:
        return
    for a in lines.look.members(rule):
        for d, (s, t) in enumerate(pairwise(lines.line(a)), lines.look.known.start):
            if t in then and s in first and d >= -1:
                yield Found(a, (d, d + 1), 1, {"shift": ids[s].id, "then": ids[t].id})


def start_change(rule: r.StartChange, lines: Lines) -> Iterator[Found]:
    shifts = lines.problem.shifts
    for a in lines.look.members(rule):
        for (d, s), (e, t) in pairwise(lines.duties(a, lines.look.known)):
            change = shifts[t].start - shifts[s].start
            early = rule.earlier_by is not None and -change > rule.earlier_by
            late = rule.later_by is not None and change > rule.later_by
            if e >= 0 and e - d - 1 <= rule.days_off and (early or late):
                limit = rule.earlier_by if early else rule.later_by
                yield Found(a, (d, e), 1, {"change_minutes": change, "limit": limit})


def max_consecutive(rule: r.MaxConsecutive, lines: Lines) -> Iterator[Found]:
    shifts = lines.look.shift_set(rule.shifts)
    for a in lines.look.members(rule):
        for start, end in lines.runs(a, shifts):
            # only days of this roster count: what lies in history cannot be mended
            beyond = end - max(start + rule.days, 0) + 1
            if beyond > 0:
                days = tuple(range(start, end + 1))
                yield Found(a, days, beyond, {"days": len(days), "limit": rule.days})


def min_consecutive(rule: r.MinConsecutive, lines: Lines) -> Iterator[Found]:
    yield from _short_runs(lines, rule, rule.days, lines.look.shift_set(rule.shifts))


def min_days_off(rule: r.MinDaysOff, lines: Lines) -> Iterator[Found]:
    yield from _short_runs(lines, rule, rule.days, frozenset([OFF]))


def _short_runs(lines: Lines, rule: r.Rule, days: int, kinds: frozenset[int]) -> Iterator[Found]:
    known = lines.look.known
    for a in lines.look.members(rule):
        for start, end in lines.runs(a, kinds):
            length = end - start + 1
            at_edge = start == known.start or end == known.stop - 1
            if length < days and not at_edge and end >= -1:
                run = tuple(range(start, end + 1))
                yield Found(a, run, days - length, {"days": length, "limit": days})


def rest_days(rule: r.RestDays, lines: Lines) -> Iterator[Found]:
    period: r.Period = "rolling" if rule.rolling else "week"
    for span, whole in lines.look.periods(period, rule.window):
        if not whole:
            continue
        for a in lines.look.members(rule):
            off = sum(not lines.works(a, d) for d in span)
            if off < rule.days:
                facts = {"days_off": off, "limit": rule.days}
                yield Found(a, tuple(span), rule.days - off, facts)


def rest_after(rule: r.RestAfter, lines: Lines) -> Iterator[Found]:
    last = lines.look.n_days - 1
    for a in lines.look.members(rule):
        for start, end in lines.runs(a, lines.look.shift_set(rule.shifts)):
            if end - start + 1 < rule.run or not rule.shifts:
                continue
            after = range(max(end + 1, 0), min(end + rule.days_off, last) + 1)
            worked = tuple(d for d in after if lines.works(a, d))
            if worked:
                yield Found(a, worked, len(worked), {"limit": rule.days_off})


def max_weekends(rule: r.MaxWeekends, lines: Lines) -> Iterator[Found]:
    look = lines.look
    past = look.carried(rule.past)
    weekends = look.weekends if rule.window is None else look.known_weekends
    length = len(weekends) if rule.window is None else rule.window
    for a in look.members(rule):
        worked = [any(lines.works(a, d) for d in days) for days in weekends]
        for start in range(len(weekends) - length + 1):
            window = range(start, start + length)
            found = sum(worked[i] for i in window)
            found += past.get(a, 0) if rule.window is None else 0
            days = tuple(d for i in window if worked[i] for d in weekends[i])
            if found > rule.weekends and (rule.window is None or weekends[window[-1]][-1] >= 0):
                facts = {"weekends": found, "limit": rule.weekends}
                yield Found(a, days, found - rule.weekends, facts)


def whole_weekends(rule: r.WholeWeekends, lines: Lines) -> Iterator[Found]:
    for a in lines.look.members(rule):
        for days in lines.look.known_weekends:
            worked = sum(lines.works(a, d) for d in days)
            if len(days) == 2 and days[-1] >= 0 and worked == 1:
                yield Found(a, tuple(days), 1, {})


def rotation(rule: r.Rotation, lines: Lines) -> Iterator[Found]:
    look = lines.look
    for a in look.members(rule):
        for d, wanted in look.cycle(rule):
            s = lines.shift(a, d)
            if s not in wanted and (a, d) not in look.on_leave:
                found = None if s == OFF else lines.problem.shifts[s].id
                yield Found(a, (d,), 1, {"shift": found, "wanted": look.cycle_entry(rule, d)})
