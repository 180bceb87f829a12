"""Working-time law: dates of force, the class of every hour, pay, and the rules of a roster."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.errors import SchedulingError
from scheduler.labour import MAINLAND_CHINA, Clause, DayType, LabourLaw, night_minutes
from scheduler.labour_rules import Emergency, protection, roster_rules
from scheduler.pay import (
    ComprehensiveHours,
    DutyKind,
    PayClass,
    WorkedDuty,
    hour_wage,
    overtime_meter,
    price,
    rotating_rest,
    split_at_midnight,
    total,
)
from scheduler.problem.rules import (
    MaxConsecutive,
    MinutesLimit,
    OvertimeLimit,
    PastShare,
    RestDays,
)

WAGE = Decimal(8700)  # 8,700 / 21.75 days / 8 h = 50 an hour
REFERENCE = Path(__file__).parents[2] / "../shared/reference/grading_values.json"

THURSDAY = date(2026, 9, 24)
HOLIDAY = date(2026, 9, 25)  # Friday, Mid-Autumn
SATURDAY = date(2026, 9, 26)
MONDAY = date(2026, 9, 28)
MAKE_UP_SUNDAY = date(2026, 9, 20)


def day_type(on: date) -> DayType:
    if on in (HOLIDAY, date(2026, 10, 1)):
        return DayType.STATUTORY_HOLIDAY
    if on == MAKE_UP_SUNDAY:
        return DayType.MAKE_UP_WORKDAY
    return DayType.REST_DAY if on.weekday() >= 5 else DayType.WORKDAY


def duty(on: date, start: float, end: float, **more) -> WorkedDuty:
    """A duty from `start` to `end` hours after midnight of `on`."""
    midnight = datetime(on.year, on.month, on.day)
    return WorkedDuty(midnight + timedelta(hours=start), midnight + timedelta(hours=end), **more)


def hours_by_class(spans) -> dict[PayClass, Decimal]:
    hours: dict[PayClass, Decimal] = {}
    for span in spans:
        hours[span.pay_class] = hours.get(span.pay_class, Decimal(0)) + span.minutes / 60
    return hours


# the law as data


def test_constants_follow_their_dates_of_force():
    law = MAINLAND_CHINA
    assert law.value("work_days_a_year", date(2024, 12, 31)) == 250
    assert law.value("work_days_a_year", date(2025, 1, 1)) == 248
    assert law.value("work_days_a_month", date(2026, 1, 1)) == Decimal("20.67")
    assert law.value("paid_days_a_month", date(2026, 1, 1)) == Decimal("21.75")
    assert law.clause("overtime_month", date(2026, 1, 1)).source == "劳动法 art. 41"


def test_a_date_before_the_law_has_no_clause():
    with pytest.raises(SchedulingError, match="'overtime_month' of CN is in force on 1990-01-01"):
        MAINLAND_CHINA.value("overtime_month", date(1990, 1, 1))


def test_two_clauses_of_a_code_may_not_be_in_force_at_once():
    first = Clause("x", Decimal(1), "h", "a", date(2020, 1, 1), date(2020, 12, 31))
    after = Clause("x", Decimal(2), "h", "b", date(2021, 1, 1))
    assert LabourLaw("CN", (after, first)).value("x", date(2021, 1, 1)) == 2
    with pytest.raises(SchedulingError, match="two clauses 'x'"):
        LabourLaw("CN", (after, Clause("x", Decimal(1), "h", "a", date(2020, 1, 1))))


def test_every_clause_has_a_source_and_weak_ones_say_so():
    assert all(clause.source for clause in MAINLAND_CHINA.clauses)
    weak = {clause.code for clause in MAINLAND_CHINA.clauses if not clause.certain}
    assert weak == {"watch_percent", "days_in_a_row", "night_from", "night_until"}


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        (8 * 60, 16 * 60 + 30, 0),
        (13 * 60 + 30, 22 * 60, 0),  # ends as the night begins
        (14 * 60, 22 * 60 + 30, 30),
        (22 * 60, 32 * 60, 480),  # 22:00–08:00: night until 06:00
        (5 * 60, 13 * 60, 60),  # 05:00–06:00
        (0, 24 * 60, 480),  # 00–06 and 22–24
    ],
)
def test_night_minutes(start, end, minutes):
    assert night_minutes(start, end, MAINLAND_CHINA, MONDAY) == minutes


# the class of every hour


def test_a_shift_over_midnight_is_split():
    # Thursday 22:00 to Friday (Mid-Autumn) 06:00: 2 h of a workday, 6 h of a statutory holiday
    spans = split_at_midnight(datetime(2026, 9, 24, 22), datetime(2026, 9, 25, 6), day_type)
    assert [(span.day_type, span.minutes) for span in spans] == [
        (DayType.WORKDAY, 120), (DayType.STATUTORY_HOLIDAY, 360),
    ]  # fmt: skip
    priced = price([duty(THURSDAY, 22, 30)], day_type, WAGE)
    assert hours_by_class(priced) == {PayClass.ORDINARY: 2, PayClass.STATUTORY_HOLIDAY: 6}
    assert total(priced) == 900  # 6 h × 50 × 300 %


def test_a_shift_within_a_day_is_not_split():
    (span,) = split_at_midnight(datetime(2026, 9, 24, 14), datetime(2026, 9, 25), day_type)
    assert (span.day_type, span.minutes) == (DayType.WORKDAY, 600)


def test_overtime_of_a_duty_counts_for_the_day_it_began_on():
    # Monday 20:00 to Tuesday 06:00: neither date has eight hours, the duty has ten: 2 h overtime
    priced = price([duty(MONDAY, 20, 30)], day_type, WAGE)
    assert hours_by_class(priced) == {PayClass.ORDINARY: 8, PayClass.OVERTIME: 2}
    assert total(priced) == 150


def test_two_duties_of_a_day_share_its_eight_hours():
    # 6 h and 4 h on Monday: 10 h in all, 2 h of overtime; on two days there is none
    assert total(price([duty(MONDAY, 8, 14), duty(MONDAY, 16, 20)], day_type, WAGE)) == 150
    tuesday = MONDAY + timedelta(days=1)
    assert total(price([duty(MONDAY, 8, 14), duty(tuesday, 16, 20)], day_type, WAGE)) == 0


def test_unpaid_breaks_are_no_work():
    # 08:00–18:00 with an hour's break is nine hours: one of overtime
    midnight = datetime(2026, 9, 28)
    lunch = (midnight + timedelta(hours=12), midnight + timedelta(hours=13))
    priced = price([duty(MONDAY, 8, 18, breaks=(lunch,))], day_type, WAGE)
    assert hours_by_class(priced) == {PayClass.ORDINARY: 8, PayClass.OVERTIME: 1}
    assert total(priced) == 75


def test_elapsed_time_is_true_across_a_clock_change():
    # Berlin, 2026-10-25: the hour from 02:00 occurs twice, so 22:00–06:00 lasts nine hours
    berlin = ZoneInfo("Europe/Berlin")
    night = WorkedDuty(
        datetime(2026, 10, 24, 22, tzinfo=berlin), datetime(2026, 10, 25, 6, tzinfo=berlin)
    )
    priced = price([night], lambda on: DayType.WORKDAY, WAGE)
    assert sum(span.minutes for span in priced) == 540
    assert priced[-1].end.astimezone(UTC) == night.end.astimezone(UTC)


def test_rotating_rest_follows_the_person_and_keeps_statutory_days():
    # her days off are Tuesday and Wednesday: Saturday is a workday for her, Mid-Autumn stays one
    personal = rotating_rest(day_type, {date(2026, 9, 29), date(2026, 9, 30), date(2026, 10, 1)})
    assert personal(SATURDAY) == DayType.WORKDAY
    assert personal(date(2026, 9, 29)) == DayType.REST_DAY
    assert personal(HOLIDAY) == personal(date(2026, 10, 1)) == DayType.STATUTORY_HOLIDAY
    assert total(price([duty(SATURDAY, 8, 16)], personal, WAGE)) == 0
    assert total(price([duty(SATURDAY, 8, 16)], day_type, WAGE)) == 800


# pay


def test_hour_wage():
    assert hour_wage(WAGE, MONDAY) == 50


def test_all_cases_of_the_reference():
    period = ComprehensiveHours("沪人社工时〔2026〕1号", date(2026, 7, 1), date(2026, 9, 30), 64)
    ours = {
        "workday overtime 2h": price(
            [duty(MONDAY, 18, 20, kind=DutyKind.OVERTIME)], day_type, WAGE
        ),
        "rest day 8h, no compensatory leave": price([duty(SATURDAY, 8, 16)], day_type, WAGE),
        "rest day 8h, compensatory leave granted": price(
            [duty(SATURDAY, 8, 16, in_lieu=True)], day_type, WAGE
        ),
        "statutory holiday 8h (compensatory leave cannot replace pay)": price(
            [duty(HOLIDAY, 8, 16, in_lieu=True)], day_type, WAGE
        ),
        "调休 make-up Sunday 8h (an ordinary workday)": price(
            [duty(MAKE_UP_SUNDAY, 8, 16)], day_type, WAGE
        ),
        "comprehensive hours: rest-day shift inside period total": price(
            [duty(SATURDAY, 8, 16)], day_type, WAGE, comprehensive=period
        ),
    }
    # 2 × 50 × 1.5; 8 × 50 × 2; in lieu; 8 × 50 × 3; an ordinary day; inside the total
    assert [total(spans) for spans in ours.values()] == [150, 800, 0, 1200, 0, 0]
    if not REFERENCE.is_file():
        pytest.skip("the reference values are not here")
    reference = json.loads(REFERENCE.read_text(encoding="utf-8"))["labour_pay"]
    assert {case["kind"]: Decimal(str(case["pay"])) for case in reference["cases"]} == {
        kind: total(spans) for kind, spans in ours.items()
    }
    assert hour_wage(Decimal(reference["month_wage"]), MONDAY) == reference["hour"]


def test_ordinary_eight_hours_on_a_workday_cost_nothing_more():
    priced = price([duty(MONDAY, 8, 16)], day_type, WAGE)
    assert [(span.pay_class, span.amount) for span in priced] == [(PayClass.ORDINARY, 0)]


def test_each_span_names_its_article():
    (span,) = price([duty(HOLIDAY, 8, 16)], day_type, WAGE)
    assert (span.percent, span.source) == (300, "劳动法 art. 44 (3)")


def test_watch_and_standby_are_no_work():
    for kind in (DutyKind.WATCH, DutyKind.STANDBY):
        priced = price([duty(HOLIDAY, 0, 24, kind=kind)], day_type, WAGE)
        assert hours_by_class(priced) == {PayClass.WATCH: 24}
        assert total(priced) == 0


def test_tickets_worked_in_a_watch_turn_into_pay():
    # standby all through the holiday, called from 10:00 to 12:00: 2 × 50 × 300 % = 300
    midnight = datetime(2026, 9, 25)
    called = (midnight + timedelta(hours=10), midnight + timedelta(hours=12))
    standby = duty(HOLIDAY, 0, 24, kind=DutyKind.STANDBY, breaks=(called,))
    assert total(price([standby, duty(HOLIDAY, 10, 12)], day_type, WAGE)) == 300


def test_a_house_rule_for_watches_is_data():
    clauses = tuple(
        Clause("watch_percent", Decimal(30), "%", "house rule 7", date(2020, 1, 1))
        if clause.code == "watch_percent" else clause
        for clause in MAINLAND_CHINA.clauses
    )  # fmt: skip
    watch = duty(SATURDAY, 0, 10, kind=DutyKind.WATCH)
    assert total(price([watch], day_type, WAGE, LabourLaw("CN", clauses))) == 150  # 10 × 50 × 30 %


def test_cents_are_rounded_half_up():
    # 10,000 / 21.75 / 8 = 57.4712…; one hour of overtime × 1.5 = 86.2068… → 86.21
    priced = price([duty(MONDAY, 8, 17)], day_type, Decimal(10_000))
    assert total(priced) == Decimal("86.21")


# comprehensive hours

TWO_DAYS = ComprehensiveHours("no. 1", date(2026, 9, 21), date(2026, 9, 30), work_days=2)


def test_comprehensive_hours_count_beyond_the_period_only():
    # 2 workdays × 8 h = 16 h ordinary. Thursday 12 h and Saturday 6 h make 18 h: 2 h × 50 × 1.5
    spans = price(
        [duty(THURSDAY, 8, 20), duty(SATURDAY, 8, 14)], day_type, WAGE, comprehensive=TWO_DAYS
    )
    assert hours_by_class(spans) == {PayClass.ORDINARY: 16, PayClass.OVERTIME: 2}
    assert total(spans) == 150


def test_statutory_days_stay_at_300_with_comprehensive_hours():
    spans = price([duty(HOLIDAY, 8, 16)], day_type, WAGE, comprehensive=TWO_DAYS)
    assert total(spans) == 1200


def test_an_approval_covers_its_days_only():
    with pytest.raises(SchedulingError, match=r"'no. 1' .* does not cover 2026-10-08"):
        price([duty(date(2026, 10, 8), 8, 16)], day_type, WAGE, comprehensive=TWO_DAYS)
    with pytest.raises(SchedulingError, match="number of their approval"):
        ComprehensiveHours(" ", date(2026, 1, 1), date(2026, 3, 31), 60)


# the meter, and faults


def test_the_meter_adds_up_a_month_without_time_off_in_lieu():
    # overtime 2 h, rest day 8 h, statutory 8 h; the rest day in lieu and ordinary hours not
    spans = price(
        [
            duty(MONDAY, 8, 18),
            duty(SATURDAY, 8, 16),
            duty(HOLIDAY, 8, 16),
            duty(date(2026, 9, 27), 8, 16, in_lieu=True),
            duty(date(2026, 10, 1), 8, 11),
        ],
        day_type,
        WAGE,
    )
    assert overtime_meter(spans) == {(2026, 9): 18 * 60, (2026, 10): 3 * 60}


def test_overlapping_duties_are_refused():
    with pytest.raises(SchedulingError, match="two duties overlap at 2026-09-28 15:00"):
        price([duty(MONDAY, 15, 20), duty(MONDAY, 8, 16)], day_type, WAGE)
    assert price([duty(MONDAY, 16, 20), duty(MONDAY, 8, 16)], day_type, WAGE)


def test_impossible_duties_are_refused():
    midnight = datetime(2026, 9, 28)
    with pytest.raises(SchedulingError, match="does not end after"):
        WorkedDuty(midnight, midnight)
    late = (midnight + timedelta(hours=7), midnight + timedelta(hours=9))
    with pytest.raises(SchedulingError, match="does not lie within"):
        duty(MONDAY, 0, 8, breaks=(late,))


@st.composite
def weeks(draw):
    """A few duties on different days of two weeks."""
    days = draw(st.lists(st.integers(0, 6), unique=True, min_size=1, max_size=6))
    return [
        duty(
            date(2026, 9, 18) + timedelta(days=2 * day),
            (start := draw(st.integers(0, 92))) / 4,
            (start + draw(st.integers(1, 55))) / 4,
            in_lieu=draw(st.booleans()),
        )
        for day in days
    ]


@given(weeks())
@settings(max_examples=60, deadline=None)
def test_every_minute_is_classed_once_and_nothing_costs_less_than_nothing(duties):
    spans = price(duties, day_type, WAGE)
    worked = sum((one.end - one.start for one in duties), timedelta())
    assert sum(span.minutes for span in spans) == worked / timedelta(minutes=1)
    assert all(span.amount >= 0 and span.start < span.end for span in spans)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert spans == price(list(reversed(duties)), day_type, WAGE)
    paid_all = price([duty_without_lieu(one) for one in duties], day_type, WAGE)
    assert total(spans) <= total(paid_all)


def duty_without_lieu(one: WorkedDuty) -> WorkedDuty:
    return WorkedDuty(one.start, one.end)


# rules of a roster

OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))


def test_default_rules_of_a_roster():
    by_kind = {type(rule): rule for rule in roster_rules(*OCTOBER)}
    assert by_kind[RestDays].days == 1
    assert by_kind[MaxConsecutive].days == 6
    assert by_kind[MinutesLimit].maximum == 11 * 60  # 8 h and 3 h of overtime
    assert by_kind[OvertimeLimit].maximum == 36 * 60
    assert all(rule.hard and rule.source for rule in by_kind.values())


def test_a_roster_before_2025_knows_no_limit_of_days_in_a_row() -> None:
    # the limit came with the holiday regulation in force since 1 January 2025; the rest day did not
    kinds = [type(rule) for rule in roster_rules(date(2024, 12, 31), date(2025, 1, 31))]
    assert MaxConsecutive not in kinds
    assert RestDays in kinds
    assert MaxConsecutive in [type(r) for r in roster_rules(date(2025, 1, 1), date(2025, 1, 31))]
    with pytest.raises(SchedulingError, match="no clause 'weekly_rest'"):
        roster_rules(date(1994, 12, 31), date(1995, 1, 31))


def test_an_emergency_bends_overtime_but_no_rest_day():
    rules = roster_rules(*OCTOBER, emergency=Emergency("台风抢修", weight=500))
    assert {type(rule): rule.weight for rule in rules} == {
        RestDays: None, MaxConsecutive: None, MinutesLimit: 500, OvertimeLimit: 500,
    }  # fmt: skip
    assert all("art. 42: 台风抢修" in rule.source for rule in rules if not rule.hard)
    with pytest.raises(SchedulingError, match="needs a reason"):
        Emergency("", 500)
    with pytest.raises(SchedulingError, match="less than 0"):
        Emergency("台风抢修", -1)


def test_comprehensive_hours_count_the_approved_period_only():
    quarter = ComprehensiveHours("no. 1", date(2026, 10, 1), date(2026, 12, 31), work_days=61)
    past = (PastShare("a", 60),)
    rules = roster_rules(*OCTOBER, comprehensive=quarter, past_minutes=past)
    assert [type(rule) for rule in rules] == [RestDays, MaxConsecutive, MinutesLimit]
    total = rules[-1]
    # 61 days of 8 h are 488 h, and 3 months of 36 h are 108: 596 h
    assert (total.period, total.maximum, total.past) == ("horizon", 596 * 60, past)
    assert "no. 1" in total.source
    with pytest.raises(SchedulingError, match="the roster from 2026-12-01 to 2027-01-01"):
        roster_rules(date(2026, 12, 1), date(2027, 1, 1), comprehensive=quarter)
    bent = roster_rules(*OCTOBER, comprehensive=quarter, emergency=Emergency("台风抢修", weight=9))
    assert bent[-1].weight == 9


def test_long_duties_are_on_the_meter_at_once():
    # 劳动法 art. 41: what exceeds the standard day is overtime whatever the month comes to
    by_kind = {type(rule): rule for rule in roster_rules(*OCTOBER)}
    assert by_kind[OvertimeLimit].standard_day == 480


def test_protections_name_their_source_and_no_reason():
    kinds = [(p.kind, p.first, p.last) for p in protection("mother", *OCTOBER)]
    assert kinds == [("no_nights", *OCTOBER), ("no_overtime", *OCTOBER)]
    assert all("58" in p.source for p in protection("minor", *OCTOBER))


def test_nursing_brings_an_hour_a_day_within_working_time():
    kept = protection("nursing", *OCTOBER)
    assert [p.kind for p in kept] == ["no_nights", "no_overtime", "short_days"]
    assert kept[-1].minutes == 420
    # part time: 6 hours a day leave 5
    assert protection("nursing", *OCTOBER, day_minutes=360)[-1].minutes == 300
    assert [p.kind for p in protection("pregnant", *OCTOBER)] == ["no_nights", "no_overtime"]
