"""A roster's hours by class and price: wage 8,700 a month, 50.00 an hour (21.75 days of 8 h)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from scheduler.hours import duties_of, price_roster
from scheduler.labour import DayType
from scheduler.pay import PayClass, total
from scheduler.problem import Agent, Break, Day, RosterProblem, Shift
from scheduler.solution import Roster

EVE = date(2026, 9, 30)  # a Wednesday, before the statutory holidays of 1 to 3 October
SATURDAY = date(2026, 9, 26)
SHIFTS = (
    Shift("D", 480, 990, breaks=(Break(720, 750, paid=False, earliest=660, latest=810),)),
    Shift("N", 1320, 1800, night=True),
    Shift("S", 480, 960, mode="standby"),
)
PROBLEM = RosterProblem(
    agents=(Agent("a"), Agent("b")),
    days=tuple(Day(SATURDAY + timedelta(days=i)) for i in range(5)),
    shifts=SHIFTS,
)
WAGE = {"a": Decimal(8700), "b": Decimal(8700)}


def day_type(on: date) -> DayType:
    if on > EVE:
        return DayType.STATUTORY_HOLIDAY
    return DayType.REST_DAY if on.weekday() >= 5 else DayType.WORKDAY


def hours(roster: Roster, **options: bool) -> dict[str, list[tuple[PayClass, Decimal]]]:
    priced = price_roster(PROBLEM, roster, day_type, WAGE, **options)  # type: ignore[arg-type]
    return {a: [(s.pay_class, s.minutes / 60) for s in spans] for a, spans in priced.items()}


def test_a_night_into_a_holiday_is_split_at_midnight() -> None:
    roster = Roster({("a", EVE): "N"})
    assert hours(roster) == {
        "a": [(PayClass.ORDINARY, 2), (PayClass.STATUTORY_HOLIDAY, 6)],
    }
    # 6 h × 50 × 300 %
    assert total(price_roster(PROBLEM, roster, day_type, WAGE)["a"]) == 900


def test_rest_days_are_the_weekend_or_the_roster_s_days_off() -> None:
    roster = Roster({("a", SATURDAY): "D", ("b", EVE): "D"})
    # D is 8 h: unpaid breaks are no work; 8 × 50 × 200 % = 800
    assert hours(roster)["a"] == [(PayClass.REST_DAY, 4), (PayClass.REST_DAY, 4)]
    assert total(price_roster(PROBLEM, roster, day_type, WAGE)["a"]) == 800
    # her rest rotates: the Saturday worked is a workday for her
    assert total(price_roster(PROBLEM, roster, day_type, WAGE, rotating=True)["a"]) == 0


def test_standby_is_no_work_and_placed_breaks_count() -> None:
    assert hours(Roster({("a", EVE): "S"})) == {"a": [(PayClass.WATCH, 8)]}
    roster = replace(Roster({("a", EVE): "D"}), breaks={("a", EVE): (660,)})
    ((start, end),) = duties_of(PROBLEM, roster)["a"][0].breaks
    assert (start.hour, start.minute, end.hour, end.minute) == (11, 0, 11, 30)
    # a paid break is work
    paid = replace(PROBLEM, shifts=(Shift("D", 480, 990, breaks=(Break(720, 750),)),))
    assert list(duties_of(paid, Roster({("a", EVE): "D"}))["a"][0].breaks) == []
