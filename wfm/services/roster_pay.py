"""What a version of a roster costs: every hour classed and priced, by day and pay class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sqlmodel import Session

from scheduler import pay
from scheduler.duty_watch import ClassCost, cost_by_day
from scheduler.hours import duties_of
from scheduler.labour import DayType
from wfm import access
from wfm.access import Actor
from wfm.errors import Fault, InputError, NotFoundError
from wfm.services import duty_pay, roster_desk, roster_versions, rostering
from wfm.services.roster_versions import problem_of
from wfm.tables import RosterVersion


@dataclass(frozen=True)
class PayPage:
    """Hours and pay beyond the monthly wage, by day and class, and the sum of each class."""

    version: RosterVersion
    days: tuple[date, ...]
    classes: tuple[str, ...]
    cells: dict[tuple[date, str], ClassCost]
    totals: dict[str, tuple[Decimal, Decimal, Decimal | None]]
    sources: tuple[str, ...]
    wage: Decimal | None
    rotating: bool


def pay_page(
    session: Session,
    actor: Actor,
    roster_id: int,
    version_id: int,
    wage: Decimal | None = None,
    rotating: bool = False,
) -> PayPage:
    """Class and price every hour of a version as planned.

    With `rotating` the weekly rest rotates: each person's days off are her rest days.

    Raises
    ------
    InputError
        The version was not made by a solve.
    """
    roster = rostering.get_roster(session, actor, roster_id)
    access.require(actor, "rosters.plan", roster.team_id)
    version = roster_versions.get_version(session, version_id)
    if version.roster_id != roster_id:
        raise NotFoundError(f"version {version_id} is not one of roster {roster_id}")
    if not version.problem:
        raise InputError.of([Fault(roster_desk.NOT_SOLVED)])
    problem = problem_of(version)
    cells = roster_versions.cells_of(session, version)
    types = duty_pay.day_types(session, roster.period_from, roster.period_until)
    found: dict[tuple[date, str], ClassCost] = {}
    for agent, duties in duties_of(problem, cells).items():
        own: Callable[[date], DayType] = types
        if rotating:
            worked = {day for who, day in cells.cells if who == agent}
            own = pay.rotating_rest(types, {day.date for day in problem.days} - worked)
        for cost in cost_by_day({agent: duties}, own, wage):
            key = (cost.date, cost.pay_class.value)
            found[key] = _sum(found.get(key), cost)
    return PayPage(
        version,
        tuple(sorted({day for day, _ in found})),
        tuple(one.value for one in pay.PayClass if any(of == one.value for _, of in found)),
        found,
        _totals(found),
        tuple(sorted({cost.source for cost in found.values() if cost.source})),
        wage,
        rotating,
    )


def _sum(one: ClassCost | None, other: ClassCost) -> ClassCost:
    if one is None:
        return other
    amount = None
    if one.amount is not None and other.amount is not None:
        amount = one.amount + other.amount
    return replace(
        one, minutes=one.minutes + other.minutes, hour_wages=one.hour_wages + other.hour_wages,
        amount=amount,
    )  # fmt: skip


def _totals(
    found: dict[tuple[date, str], ClassCost],
) -> dict[str, tuple[Decimal, Decimal, Decimal | None]]:
    """Minutes, hour wages and money of each class."""
    by_class: dict[str, list[ClassCost]] = defaultdict(list)
    for (_, name), cost in found.items():
        by_class[name].append(cost)
    return {
        name: (
            sum((one.minutes for one in costs), Decimal(0)),
            sum((one.hour_wages for one in costs), Decimal(0)),
            sum((one.amount or Decimal(0) for one in costs), Decimal(0))
            if costs[0].amount is not None
            else None,
        )
        for name, costs in by_class.items()
    }
