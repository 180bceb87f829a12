"""How much of each rule is broken: one function per kind, from the lines alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from scheduler.problem import rules as r
from scheduler.problem.parts import DAY_MINUTES
from scheduler.verify.lines import OFF, Lines

HOUR = 60


class Found(NamedTuple):
    """A breach before it has a rule's name and price; days by position."""

    agent: int | None
    days: tuple[int, ...]
    amount: int
    facts: dict[str, Any]


def begun(amount: int, unit: int) -> int:
    """Units begun: 61 minutes are two hours begun."""
    return -(-amount // unit)


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
        for d, e in pairwise(lines.look.known):
            s, t = lines.shift(a, d), lines.shift(a, e)
            if e >= 0 and s in first and t in then:
                yield Found(a, (d, e), 1, {"shift": ids[s].id, "then": ids[t].id})


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


def minutes_limit(rule: r.MinutesLimit, lines: Lines) -> Iterator[Found]:
    for span, whole in lines.look.periods(rule.period, rule.window):
        for a in lines.look.members(rule):
            worked = lines.minutes(a, span)
            yield from _outside(
                a, span, worked, rule.minimum if whole else None, rule.maximum, HOUR
            )


def _outside(
    agent: int, span: range, found: int, minimum: int | None, maximum: int | None, unit: int
) -> Iterator[Found]:
    if maximum is not None and found > maximum:
        facts = {"found": found, "limit": maximum}
        yield Found(agent, tuple(span), begun(found - maximum, unit), facts)
    if minimum is not None and found < minimum:
        facts = {"found": found, "limit": minimum}
        yield Found(agent, tuple(span), begun(minimum - found, unit), facts)


def overtime_limit(rule: r.OvertimeLimit, lines: Lines) -> Iterator[Found]:
    look, days = lines.look, lines.problem.days
    past = {look.agent[share.agent]: share.amount for share in rule.past}
    for number, (span, _) in enumerate(look.periods("month", 0)):
        inside = range(max(span.start, 0), span.stop)
        for a in look.members(rule):
            holiday = other = 0
            for d, s in lines.duties(a, inside):
                if days[d].type == "statutory_holiday":
                    holiday += look.minutes[s]
                else:
                    other += look.minutes[s]
            beyond = max(0, other - look.contract_minutes(a, inside))
            meter = holiday + beyond + (past.get(a, 0) if number == 0 else 0)
            yield from _outside(a, inside, meter, None, rule.maximum, HOUR)


def contract_minutes(rule: r.ContractMinutes, lines: Lines) -> Iterator[Found]:
    days = range(lines.look.n_days)
    for a in lines.look.members(rule):
        contract = lines.look.contract_minutes(a)
        low, high = contract - rule.tolerance, contract + rule.tolerance
        yield from _outside(a, days, lines.minutes(a, days), low, high, HOUR)


def max_weekends(rule: r.MaxWeekends, lines: Lines) -> Iterator[Found]:
    for a in lines.look.members(rule):
        worked = [w for w in lines.look.weekends if any(lines.works(a, d) for d in w)]
        if len(worked) > rule.weekends:
            days = tuple(d for weekend in worked for d in weekend)
            facts = {"weekends": len(worked), "limit": rule.weekends}
            yield Found(a, days, len(worked) - rule.weekends, facts)


def shift_limit(rule: r.ShiftLimit, lines: Lines) -> Iterator[Found]:
    shifts = lines.look.shift_set(rule.shifts) if rule.shifts else frozenset()
    for span, whole in lines.look.periods(rule.period, rule.window):
        for a in lines.look.members(rule):
            found = sum(s in shifts for _, s in lines.duties(a, span))
            yield from _outside(a, span, found, rule.minimum if whole else None, rule.maximum, 1)


def apart(rule: r.Apart, lines: Lines) -> Iterator[Found]:
    members = lines.look.members(rule)
    for d in range(lines.look.n_days):
        for s in range(lines.look.n_shifts):
            there = [a for a in members if lines.shift(a, d) == s]
            if len(there) > 1:
                names = [lines.problem.agents[a].id for a in there]
                facts = {"shift": lines.problem.shifts[s].id, "agents": names}
                yield Found(None, (d,), len(there) - 1, facts)


def together(rule: r.Together, lines: Lines) -> Iterator[Found]:
    newcomer, *mentors = lines.look.members(rule)
    for d, s in lines.duties(newcomer, range(lines.look.n_days)):
        missing = [lines.problem.agents[m].id for m in mentors if lines.shift(m, d) != s]
        if missing:
            facts = {"shift": lines.problem.shifts[s].id, "missing": missing}
            yield Found(newcomer, (d,), len(missing), facts)


def fair_share(rule: r.FairShare, lines: Lines) -> Iterator[Found]:
    look = lines.look
    members = look.members(rule)
    past = {look.agent[share.agent]: share.amount for share in rule.past}
    shares = {a: past.get(a, 0) + planned_share(rule.measure, a, lines) for a in members}
    if not shares:
        return
    named = {lines.problem.agents[a].id: share for a, share in shares.items()}
    if rule.how == "spread":
        amount = begun(max(shares.values()) - min(shares.values()), rule.unit)
    else:
        amount = sum(begun(abs(share), rule.unit) ** 2 for share in shares.values())
    if amount:
        yield Found(None, (), amount, {"shares": named})


def planned_share(measure: r.Measure, agent: int, lines: Lines) -> int:
    """What the roster gives an agent of a measure, history aside."""
    look, shifts, days = lines.look, lines.problem.shifts, lines.problem.days
    duties = list(lines.duties(agent, range(look.n_days)))
    if measure == "duties":
        return len(duties)
    if measure == "minutes":
        return sum(look.minutes[s] for _, s in duties) - look.contract_minutes(agent)
    if measure == "nights":
        return sum(shifts[s].night for _, s in duties)
    if measure == "unpopular":
        return sum(shifts[s].unpopular for _, s in duties)
    if measure == "weekends":
        return sum(any(lines.works(agent, d) for d in weekend) for weekend in look.weekends)
    on_shift = sum(days[d].burden * shifts[s].burden_percent // 100 for d, s in duties)
    on_post = sum(
        days[d].burden * post.burden_percent // 100
        for post, d, holders in lines.held
        if agent in holders
    )
    return on_shift + on_post


def named_day_repeat(rule: r.NamedDayRepeat, lines: Lines) -> Iterator[Found]:
    look = lines.look
    members = set(look.members(rule))
    for held in rule.held:
        a = look.agent[held.agent]
        for d, day in enumerate(lines.problem.days):
            if a in members and day.name == held.day_name:
                posts = sum(a in holders for _, e, holders in lines.held if e == d)
                if amount := lines.works(a, d) + posts:
                    yield Found(a, (d,), amount, {"day_name": day.name})


def stability(rule: r.Stability, lines: Lines) -> Iterator[Found]:
    look = lines.look
    members = set(look.members(rule))
    for cell in rule.earlier:
        a, d = look.agent[cell.agent], look.day[cell.date]
        before = OFF if cell.shift is None else look.shift[cell.shift]
        if a in members and lines.shift(a, d) != before:
            yield Found(a, (d,), 1, {"earlier": cell.shift})


JUDGES: dict[type, Callable[[Any, Lines], Iterator[Found]]] = {
    r.MinRest: min_rest,
    r.ForbiddenSuccession: forbidden_succession,
    r.MaxConsecutive: max_consecutive,
    r.MinConsecutive: min_consecutive,
    r.MinDaysOff: min_days_off,
    r.RestDays: rest_days,
    r.RestAfter: rest_after,
    r.MinutesLimit: minutes_limit,
    r.OvertimeLimit: overtime_limit,
    r.ContractMinutes: contract_minutes,
    r.MaxWeekends: max_weekends,
    r.ShiftLimit: shift_limit,
    r.Apart: apart,
    r.Together: together,
    r.FairShare: fair_share,
    r.NamedDayRepeat: named_day_repeat,
    r.Stability: stability,
}
