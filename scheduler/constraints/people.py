"""Rules between people, and those that look back, as constraints."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypeAlias

from scheduler.objective import Term
from scheduler.problem import rules as r
from scheduler.rows import Rows, ones, weighted

Group: TypeAlias = list[Term]  # of which at most one that is open comes true

FINE_SQUARES = 64
MARKS = {"nights": "night", "unpopular": "unpopular"}


def apart(rows: Rows, rule: r.Apart) -> None:
    """Never two of them on the same shift, or the same day."""
    members = rows.look.members(rule)
    for d in range(rows.look.n_days):
        for kind in rows.look.same_duty(rule.on_same):
            there = ones(on for a in members for on in rows.x.on_any(a, d, kind))
            rows.keep(rule.weight, [(there, 1)])


def together(rows: Rows, rule: r.Together) -> None:
    """One only where enough of the others are."""
    for one, others in rows.look.companions(rule):
        groups = [[other] for other in others] if rule.enough is None else [others]
        least = 1 if rule.enough is None else rule.enough
        for d in range(rows.look.n_days):
            for kind in rows.look.same_duty(rule.on_same):
                there: list[Term] = [(least, on) for on in rows.x.on_any(one, d, kind)]
                for group in groups if there else ():
                    with_them = [on for m in group for on in rows.x.on_any(m, d, kind)]
                    rows.keep(rule.weight, [([*there, *((-1, on) for on in with_them)], 0)])


def fair_share(rows: Rows, rule: r.FairShare) -> None:
    """Shares, past and planned, are alike."""
    if not rows.x.whole and not rows.members(rule):
        return
    shares, unit = shares_of(rows, rule)
    if rule.how == "spread":
        _charge_spread(rows, rule.weight or 0, unit, shares)
    else:
        for share in shares:
            _charge_square(rows, rule.weight or 0, unit, share)


def shares_of(rows: Rows, rule: r.FairShare) -> tuple[list[list[Group]], int]:
    """Everybody's share, past and planned, in proportion; and what one unit of it is."""
    past, (times, unit) = rows.look.carried(rule.past), rows.look.proportions(rule)
    shares = [
        [
            [(k * c, t) for c, t in group]
            for group in ([(past.get(a, 0), 1)], *_share(rows, rule, a))
        ]
        for a, k in times.items()
    ]
    return shares, unit


def _share(rows: Rows, rule: r.FairShare, a: int) -> list[Group]:
    x, shifts, horizon = rows.x, rows.problem.shifts, range(rows.look.n_days)
    match rule.measure:
        case "duties":
            return [ones([x.works(a, d)]) for d in horizon]
        case "minutes":
            contract: Group = [(-1, rows.look.contract_minutes(a))]
            return [contract, *(rows.minutes(a, [d]) for d in horizon)]
        case "holidays":
            days = [d for d in horizon if rows.problem.days[d].type == "statutory_holiday"]
            return [ones([x.works(a, d)]) for d in days]
        case "weekends":
            return [ones([x.weekend(a, n)]) for n in range(len(rows.look.weekends))]
        case "burden":
            return _burdens(rows, a)
    marked = [s for s, work in enumerate(shifts) if getattr(work, MARKS[rule.measure])]
    return [ones(x.on_any(a, d, marked)) for d in horizon]


def _burdens(rows: Rows, a: int) -> list[Group]:
    groups: list[Group] = []
    for d, day in enumerate(rows.problem.days):
        if day.burden:
            groups.append(
                [
                    (day.burden * work.burden_percent // 100, rows.x.on(a, d, s))
                    for s, work in enumerate(rows.problem.shifts)
                ]
            )
            for p, post in enumerate(rows.problem.posts):
                if day.date in post.days:
                    held = rows.x.holder(p, d, a)
                    groups.append([(day.burden * post.burden_percent // 100, held)])
    return groups


def _charge_spread(rows: Rows, weight: int, unit: int, shares: list[list[Group]]) -> None:
    if len(shares) < 2:
        return
    ranges = [_range(share) for share in shares]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    largest = rows.model.new_int_var(low, high, "")
    smallest = rows.model.new_int_var(low, high, "")
    for share in shares:
        total = _total(share)
        rows.model.add(total <= largest)
        rows.model.add(total >= smallest)
    units = rows.model.new_int_var(0, -(-(high - low) // unit), "")
    rows.model.add(unit * units >= largest - smallest)
    rows.objective.charge(weight, units)


def _charge_square(rows: Rows, weight: int, unit: int, share: list[Group]) -> None:
    low, high = (-(-abs(end) // unit) for end in _range(share))
    most = max(low, high)
    least = 0 if _range(share)[0] <= 0 <= _range(share)[1] else min(low, high)
    units = rows.model.new_int_var(least, most, "")
    total = _total(share)
    rows.model.add(unit * units >= total)
    rows.model.add(unit * units >= -total)
    square = rows.model.new_int_var(least * least, most * most, "")
    rows.objective.charge(weight, square)
    if most - least > FINE_SQUARES:
        rows.model.add_multiplication_equality(square, [units, units])
        return
    for k, after in pairwise(range(least, most + 1)):
        # the chord between k and k + 1 touches the square at both and lies below it elsewhere
        rows.model.add(square >= (k + after) * units - k * after)


def _total(share: list[Group]) -> Any:
    return weighted([term for group in share for term in group])


def _range(share: list[Group]) -> tuple[int, int]:
    """The least and the most a share can be."""
    low = high = 0
    for group in share:
        settled = sum(c * t for c, t in group if isinstance(t, int))
        weights = [c for c, t in group if not isinstance(t, int)]
        low += settled + min([0, *weights])
        high += settled + max([0, *weights])
    return low, high


def named_day_repeat(rows: Rows, rule: r.NamedDayRepeat) -> None:
    """Not the same named day two years running."""
    members = set(rows.look.members(rule))
    for held in rule.held:
        a = rows.look.agent[held.agent]
        for d, day in enumerate(rows.problem.days):
            if a in members and day.name == held.day_name:
                rows.objective.charge(rule.weight or 0, rows.x.works(a, d))
                for p, post in enumerate(rows.problem.posts):
                    if day.date in post.days:
                        rows.objective.charge(rule.weight or 0, rows.x.holder(p, d, a))


def stability(rows: Rows, rule: r.Stability) -> None:
    """Cells as they were."""
    members, weight = set(rows.look.members(rule)), rule.weight or 0
    for cell in rule.earlier:
        a, d = rows.look.agent[cell.agent], rows.look.day[cell.date]
        if a not in members:
            continue
        if cell.shift is None:
            rows.objective.charge(weight, rows.x.works(a, d))
        else:
            rows.objective.charge(weight, 1)
            rows.objective.charge(-weight, rows.x.on(a, d, rows.look.shift[cell.shift]))
