"""How much is broken of the rules about amounts: minutes, overtime, contract, shifts of a kind."""

from __future__ import annotations

from collections.abc import Iterator

from scheduler.problem import rules as r
from scheduler.verify.found import HOUR, Found, outside
from scheduler.verify.lines import Lines


def minutes_limit(rule: r.MinutesLimit, lines: Lines) -> Iterator[Found]:
    past = lines.look.carried(rule.past)
    for number, (span, whole) in enumerate(lines.look.periods(rule.period, rule.window)):
        low = rule.minimum if whole else None
        for a in lines.look.members(rule):
            before = past.get(a, 0) if number == 0 else 0
            yield from outside(a, span, before + lines.minutes(a, span), low, rule.maximum, HOUR)


def overtime_limit(rule: r.OvertimeLimit, lines: Lines) -> Iterator[Found]:
    look, days = lines.look, lines.problem.days
    past = look.carried(rule.past)
    for number, (span, _) in enumerate(look.periods("month", 0)):
        inside = range(max(span.start, 0), span.stop)
        for a in look.members(rule):
            at_once = ordinary = 0
            for d, s in lines.duties(a, inside):
                whole = days[d].type == "statutory_holiday"
                extra = look.minutes[s] if whole else look.beyond(s, rule.standard_day)
                at_once += extra
                ordinary += look.minutes[s] - extra
            beyond = max(0, ordinary - look.contract_minutes(a, inside))
            meter = at_once + beyond + (past.get(a, 0) if number == 0 else 0)
            yield from outside(a, inside, meter, None, rule.maximum, HOUR)


def contract_minutes(rule: r.ContractMinutes, lines: Lines) -> Iterator[Found]:
    look = lines.look
    for span, whole in look.periods(rule.period, rule.window):
        if whole and span.start >= 0:
            for a in look.members(rule):
                contract = look.contract_minutes(a, span)
                low, high = contract - rule.tolerance, contract + rule.tolerance
                yield from outside(a, span, lines.minutes(a, span), low, high, HOUR)


def shift_limit(rule: r.ShiftLimit, lines: Lines) -> Iterator[Found]:
    look = lines.look
    shifts = look.shift_set(rule.shifts) if rule.shifts else frozenset()
    past = look.carried(rule.past)
    for number, (span, whole) in enumerate(look.periods(rule.period, rule.window)):
        low = rule.minimum if whole else None
        for a in look.members(rule):
            found = past.get(a, 0) if number == 0 else 0
            found += sum(s in shifts for _, s in lines.duties(a, span))
            yield from outside(a, span, found, low, rule.maximum, 1)
