"""Work found in a watch, and what days cost by pay class; all by hand."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from scheduler.duty_watch import Act, WatchWork, cost_by_day, price_work, unit_wage, work_in_watch
from scheduler.labour import DayType
from scheduler.pay import DutyKind, PayClass, WorkedDuty

WAGE = Decimal(8700)  # 8,700 ÷ 21.75 ÷ 8 = 50 an hour


def at(hour: int, minute: int = 0, day: int = 1) -> datetime:
    return datetime(2026, 10, day, hour, minute)


def kind_of(day: date) -> DayType:
    """National Day 2026: 1 to 3 October statutory, 4 to 7 rest days."""
    return (
        DayType.STATUTORY_HOLIDAY if day.day <= 3
        else DayType.REST_DAY if day.day <= 7 else DayType.WORKDAY
    )  # fmt: skip


def found(*acts: Act, elsewhere=()) -> list[tuple[datetime, datetime, tuple[str, ...]]]:
    pieces = work_in_watch(acts, at(8), at(8, day=2), elsewhere)
    return [(piece.start, piece.end, piece.tickets) for piece in pieces]


def test_an_entry_proves_the_quarter_of_an_hour_before_it():
    assert found(Act(at(22), "T1")) == [(at(21, 45), at(22), ("T1",))]
    assert found() == []


def test_work_close_together_is_one_piece():
    # 22:00 and 22:40: the second proves from 22:25, 25 minutes after the first: one piece
    near = found(Act(at(22), "T1"), Act(at(22, 40), "T2"), Act(at(22, 41), "T1"))
    assert near == [(at(21, 45), at(22, 41), ("T1", "T2"))]
    # 22:00 and 22:46: from 22:31, 31 minutes after: two
    assert len(found(Act(at(22), "T1"), Act(at(22, 46), "T2"))) == 2


def test_only_what_is_within_the_watch_counts():
    assert found(Act(at(8), "T1"), Act(at(8, 1, day=2), "T2")) == []
    # five minutes after the beginning proves five minutes
    assert found(Act(at(8, 5), "T1")) == [(at(8), at(8, 5), ("T1",))]


def test_rostered_duties_are_no_part_of_the_watch():
    shift = ((at(13), at(21)),)
    assert found(Act(at(20), "T1"), elsewhere=shift) == []
    # five minutes after the shift proves five minutes, and does not join what was before it
    acts = (Act(at(12, 55), "T1"), Act(at(21, 5), "T2"))
    assert found(*acts, elsewhere=shift) == [
        (at(12, 40), at(12, 55), ("T1",)),
        (at(21), at(21, 5), ("T2",)),
    ]
    # an entry on the stroke of its end is the shift's, one at its beginning the watch's
    assert found(Act(at(21), "T1"), elsewhere=shift) == []
    assert found(Act(at(13), "T1"), elsewhere=shift) == [(at(12, 45), at(13), ("T1",))]
    short = ((at(13), at(13, 20)),)
    acts = (Act(at(12, 55), "T1"), Act(at(13, 25), "T2"))
    assert len(found(*acts, elsewhere=short)) == 2


def test_work_in_a_watch_is_overtime_of_its_own_date():
    # 2 h on 1 October, statutory: 2 × 50 × 300 % = 300, which is 6 hour wages
    [cost] = price_work(WatchWork(at(20), at(22), ("T1",)), kind_of, WAGE)
    assert (cost.pay_class, cost.percent, cost.minutes) == (PayClass.STATUTORY_HOLIDAY, 300, 120)
    assert (cost.hour_wages, cost.amount) == (Decimal("6.00"), Decimal("300.00"))
    # over midnight from the 3rd (statutory) to the 4th (a rest day): 150 and 100
    costs = price_work(WatchWork(at(23, day=3), at(1, day=4), ("T1",)), kind_of, WAGE)
    assert [(c.date.day, c.percent, c.amount) for c in costs] == [(3, 300, 150), (4, 200, 100)]
    # an hour on a workday is overtime at 150 % though nothing else was worked that day: 75
    [cost] = price_work(WatchWork(at(20, day=8), at(21, day=8), ()), kind_of, WAGE)
    assert (cost.pay_class, cost.amount) == (PayClass.OVERTIME, 75)


def test_what_a_day_costs_by_class():
    # 1 October: A and B work 8 h each: 16 × 50 × 300 % = 2,400; C has a watch of 24 h over
    # midnight, 16 h on the 1st and 8 h on the 2nd, which costs nothing by the house rule
    duties = {
        "A": [WorkedDuty(at(8), at(16))],
        "B": [WorkedDuty(at(8), at(16, 30), breaks=((at(11, 30), at(12)),))],
        "C": [WorkedDuty(at(8), at(8, day=2), kind=DutyKind.WATCH)],
        "D": [],
    }
    costs = cost_by_day(duties, kind_of, WAGE)
    shown = [(c.date.day, c.pay_class, c.minutes, c.hour_wages, c.amount) for c in costs]
    assert shown == [
        (1, PayClass.STATUTORY_HOLIDAY, 960, Decimal("48.00"), 2400),
        (1, PayClass.WATCH, 960, 0, 0),
        (2, PayClass.WATCH, 480, 0, 0),
    ]
    assert "劳动法 art. 44" in costs[0].source


def test_without_a_wage_pay_is_told_in_hour_wages():
    duties = {"A": [WorkedDuty(at(8, day=5), at(16, day=5))]}
    [cost] = cost_by_day(duties, kind_of, None)
    # 8 h on a rest day: 16 hour wages, no money
    assert (cost.hour_wages, cost.amount) == (16, None)
    assert unit_wage(date(2026, 10, 5)) == 174  # 21.75 × 8


def test_ordinary_work_on_a_workday_costs_nothing_more():
    duties = {"A": [WorkedDuty(at(8, day=8), at(18, day=8))]}
    costs = cost_by_day(duties, kind_of, WAGE)
    # 8 h ordinary, 2 h overtime: 2 × 50 × 150 % = 150
    assert sorted((c.pay_class.value, c.amount) for c in costs) == [
        ("ordinary", 0), ("overtime", 150),
    ]  # fmt: skip


def test_people_with_the_same_duties_are_priced_together_whatever_holds_their_breaks():
    # 8 October: nine hours less one of break for each of the two
    hour = (at(12, day=8), at(13, day=8))
    duties = {
        "A": [WorkedDuty(at(8, day=8), at(17, day=8), [hour])],
        "B": (WorkedDuty(at(8, day=8), at(17, day=8), (hour,)),),
    }
    [cost] = cost_by_day(duties, kind_of, WAGE)
    assert cost.minutes == 2 * 8 * 60
