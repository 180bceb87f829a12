"""Working-time law as rules of a roster problem."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, TypeAlias

from scheduler.errors import SchedulingError
from scheduler.labour import MAINLAND_CHINA, Clause, LabourLaw
from scheduler.pay import ComprehensiveHours
from scheduler.problem.parts import Restriction
from scheduler.problem.rules import (
    MaxConsecutive,
    MinutesLimit,
    OvertimeLimit,
    PastShare,
    RestDays,
    Rule,
)

Protection: TypeAlias = Literal["mother", "pregnant", "nursing", "minor"]
PROTECTIONS = {
    "mother": "女职工劳动保护特别规定 arts. 6, 9",
    "pregnant": "女职工劳动保护特别规定 art. 6",
    "nursing": "女职工劳动保护特别规定 art. 9",
    "minor": "劳动法 arts. 58, 64, 65",
}
NURSING_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Emergency:
    """Disaster relief or urgent repair: the limits of overtime bend (劳动法 art. 42).

    Parameters
    ----------
    reason : str
        Why; it is written into the rules' source and so into every explanation and log.
    weight : int
        Cost per hour begun beyond a limit, so that limits bend no further than needed.
    """

    reason: str
    weight: int

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise SchedulingError("an emergency needs a reason")
        if self.weight < 0:
            raise SchedulingError(f"the weight of an emergency is {self.weight}, less than 0")


def roster_rules(
    first: date,
    last: date,
    law: LabourLaw = MAINLAND_CHINA,
    *,
    past_overtime: tuple[PastShare, ...] = (),
    past_minutes: tuple[PastShare, ...] = (),
    comprehensive: ComprehensiveHours | None = None,
    emergency: Emergency | None = None,
) -> tuple[Rule, ...]:
    """The default rules of the law for a roster from `first` to `last`, all hard.

    A rest day in every week, at most six days in a row (since 2025), at most the standard day and
    three hours of overtime a day, and the overtime meter of 36 hours a month. With comprehensive
    hours the last two give way to the total of the approved period: its standard hours and 36 for
    each of its months.

    Parameters
    ----------
    past_overtime : tuple of PastShare
        Minutes already on the meter of the first month.
    past_minutes : tuple of PastShare
        Minutes worked in the approved period before the roster; for comprehensive hours.
    comprehensive : ComprehensiveHours, optional
        The approval to count hours over a whole period (⚠ details differ by region).
    emergency : Emergency, optional
        Makes the limits of overtime soft.

    Raises
    ------
    SchedulingError
        The approval does not cover the roster, or a clause is not in force on its first day.
    """
    weekly, in_a_row = law.clause("weekly_rest", first), law.find("days_in_a_row", first)
    daily, monthly = law.clause("overtime_day", first), law.clause("overtime_month", first)
    rules: list[Rule] = [
        RestDays(name="weekly rest day", days=int(weekly.value), window=7, source=weekly.source),
    ]
    if in_a_row is not None:
        rules.append(
            MaxConsecutive(name="days in a row", days=int(in_a_row.value), source=in_a_row.source)
        )
    standard = int(law.value("standard_day", first) * 60)
    if comprehensive is not None:
        rules.append(_period_total(comprehensive, first, last, standard, monthly, past_minutes))
    else:
        rules += [
            MinutesLimit(
                name="hours a day",
                period="day",
                maximum=standard + int(daily.value * 60),
                source=daily.source,
            ),
            OvertimeLimit(
                name="overtime a month",
                maximum=int(monthly.value * 60),
                standard_day=standard,
                past=past_overtime,
                source=monthly.source,
            ),
        ]
    if emergency is None:
        return tuple(rules)
    because = f"; 劳动法 art. 42: {emergency.reason}"
    return tuple(
        replace(rule, weight=emergency.weight, source=rule.source + because)
        if isinstance(rule, MinutesLimit | OvertimeLimit)
        else rule
        for rule in rules
    )


def _period_total(
    approved: ComprehensiveHours,
    first: date,
    last: date,
    standard: int,
    monthly: Clause,
    past: tuple[PastShare, ...],
) -> MinutesLimit:
    """What may be worked in the approved period: its standard hours, and overtime by the month."""
    if not approved.first <= first <= last <= approved.last:
        raise SchedulingError(
            f"the approval {approved.approval!r} of comprehensive hours runs from "
            f"{approved.first} to {approved.last}; the roster from {first} to {last}"
        )
    years, months = approved.last.year - approved.first.year, approved.last.month
    months += 12 * years - approved.first.month + 1
    return MinutesLimit(
        name="hours of the approved period",
        period="horizon",
        maximum=approved.work_days * standard + months * int(monthly.value * 60),
        past=past,
        source=f"劳部发〔1994〕503, {approved.approval}; {monthly.source}",
    )


def protection(
    kind: Protection, first: date, last: date, day_minutes: int = 480
) -> tuple[Restriction, ...]:
    """No nights and no overtime between two dates; the medical reason is not stored.

    ``pregnant`` is from the seventh month; ``nursing`` a child under one brings an hour a day
    within working time as well, so that no shift has more than `day_minutes` less that hour between
    start and end, breaks aside; ``mother`` stands for either without that hour.
    """
    source = PROTECTIONS[kind]
    kept: tuple[Restriction, ...] = (
        Restriction("no_nights", first, last, source),
        Restriction("no_overtime", first, last, source),
    )
    if kind == "nursing":
        most = day_minutes - NURSING_MINUTES
        kept += (Restriction("short_days", first, last, source, minutes=most),)
    return kept
