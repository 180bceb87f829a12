"""Working-time law as rules of a roster problem."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from scheduler.errors import SchedulingError
from scheduler.labour import MAINLAND_CHINA, LabourLaw
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

Protection: TypeAlias = Literal["mother", "minor"]
PROTECTIONS = {
    "mother": "女职工劳动保护特别规定 arts. 6, 9",
    "minor": "劳动法 arts. 58, 64, 65",
}


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
    comprehensive: ComprehensiveHours | None = None,
    emergency: Emergency | None = None,
) -> tuple[Rule, ...]:
    """The default rules of the law for a roster from `first` to `last`, all hard.

    A rest day in every week, at most six days in a row (since 2025), at most the standard day and
    three hours of overtime a day, and the overtime meter of 36 hours a month.

    Parameters
    ----------
    past_overtime : tuple of PastShare
        Minutes already on the meter of the first month.
    comprehensive : ComprehensiveHours, optional
        The approval that lifts the daily limit; the meter stays, since it counts a whole period.
    emergency : Emergency, optional
        Makes the limits of overtime soft.

    Raises
    ------
    SchedulingError
        The approval does not cover the roster, or a clause is not in force on its first day.
    """
    weekly, in_a_row = law.clause("weekly_rest", first), law.find("days_in_a_row", first)
    daily, monthly = law.clause("overtime_day", first), law.clause("overtime_month", first)
    weight = emergency.weight if emergency else None
    because = f"; 劳动法 art. 42: {emergency.reason}" if emergency else ""
    rules: list[Rule] = [
        RestDays(name="weekly rest day", days=int(weekly.value), window=7, source=weekly.source),
    ]
    if in_a_row is not None:
        rules.append(
            MaxConsecutive(name="days in a row", days=int(in_a_row.value), source=in_a_row.source)
        )
    if comprehensive is None:
        hours = law.value("standard_day", first) + daily.value
        rules.append(
            MinutesLimit(
                name="hours a day",
                period="day",
                maximum=int(hours * 60),
                weight=weight,
                source=daily.source + because,
            )
        )
    elif not comprehensive.first <= first <= last <= comprehensive.last:
        raise SchedulingError(
            f"the approval {comprehensive.approval!r} of comprehensive hours runs from "
            f"{comprehensive.first} to {comprehensive.last}; the roster from {first} to {last}"
        )
    rules.append(
        OvertimeLimit(
            name="overtime a month",
            maximum=int(monthly.value * 60),
            past=past_overtime,
            weight=weight,
            source=monthly.source + because,
        )
    )
    return tuple(rules)


def protection(kind: Protection, first: date, last: date) -> tuple[Restriction, ...]:
    """No nights and no overtime between two dates; the medical reason is not stored.

    ``mother`` stands for pregnancy from the seventh month and for nursing a child under one.
    """
    source = PROTECTIONS[kind]
    return (
        Restriction("no_nights", first, last, source),
        Restriction("no_overtime", first, last, source),
    )
