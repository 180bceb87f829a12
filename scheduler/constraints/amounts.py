"""Rules about amounts, as constraints: minutes, overtime, contract, shifts of a kind."""

from __future__ import annotations

from scheduler.problem import rules as r
from scheduler.rows import HOUR, Rows, ones, plus


def minutes_limit(rows: Rows, rule: r.MinutesLimit) -> None:
    """Minutes worked in each period."""
    past = rows.look.carried(rule.past)
    for number, (span, whole) in enumerate(rows.look.periods(rule.period, rule.window)):
        low = rule.minimum if whole else None
        for a in rows.members(rule):
            if rows.touches(a, span):
                worked = plus(rows.minutes(a, span), past.get(a, 0) if number == 0 else 0)
                rows.between(rule.weight, worked, low, rule.maximum, HOUR)


def overtime_limit(rows: Rows, rule: r.OvertimeLimit) -> None:
    """Holidays, the long part of duties, and all minutes beyond the contract, stay in the meter."""
    look, days = rows.look, rows.problem.days
    past = look.carried(rule.past)
    for number, (span, _) in enumerate(look.periods("month", 0)):
        inside = range(max(span.start, 0), span.stop)
        holidays = [d for d in inside if days[d].type == "statutory_holiday"]
        others = [d for d in inside if days[d].type != "statutory_holiday"]
        extra = [look.beyond(s, rule.standard_day) for s in range(look.n_shifts)]
        for a in rows.members(rule):
            if rows.touches(a, inside):
                limit = rule.maximum - (past.get(a, 0) if number == 0 else 0)
                at_once = rows.minutes(a, holidays) + rows.amounts(a, others, extra)
                whole = rows.minutes(a, inside)
                contract = look.contract_minutes(a, inside)
                rows.keep(rule.weight, [(at_once, limit), (whole, limit + contract)], HOUR)


def contract_minutes(rows: Rows, rule: r.ContractMinutes) -> None:
    """Minutes worked are near the contract."""
    for span, whole in rows.look.periods(rule.period, rule.window):
        for a in rows.members(rule) if whole and span.start >= 0 else ():
            if rows.touches(a, span):
                contract = rows.look.contract_minutes(a, span)
                low, high = contract - rule.tolerance, contract + rule.tolerance
                rows.between(rule.weight, rows.minutes(a, span), low, high, HOUR)


def shift_limit(rows: Rows, rule: r.ShiftLimit) -> None:
    """How many of some shifts in each period."""
    shifts = rows.look.shift_set(rule.shifts) if rule.shifts else frozenset()
    past = rows.look.carried(rule.past)
    for number, (span, whole) in enumerate(rows.look.periods(rule.period, rule.window)):
        low = rule.minimum if whole else None
        for a in rows.members(rule):
            if rows.touches(a, span):
                found = ones(on for d in span for on in rows.x.on_any(a, d, shifts))
                found = plus(found, past.get(a, 0) if number == 0 else 0)
                rows.between(rule.weight, found, low, rule.maximum, 1)
