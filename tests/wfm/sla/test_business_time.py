"""Business time by hand: every expected value is worked out beside it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from wfm.errors import InputError
from wfm.sla.business_time import Boundary, BusinessTime, due_times, second_of
from wfm.sla.reading import calendar_from_dict

H = 3600
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
EVERY_DAY = (*WORKDAYS, "sat", "sun")


def times(zone: str = "UTC", **parts: object) -> BusinessTime:
    return BusinessTime(calendar_from_dict({"timezone": zone, **parts}))


def office(zone: str = "UTC", **parts: object) -> BusinessTime:
    return times(zone, **{day: [["09:00", "17:00"]] for day in WORKDAYS}, **parts)


def always(zone: str = "UTC") -> BusinessTime:
    return times(zone, **{day: [["00:00", "24:00"]] for day in EVERY_DAY})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- adding ---------------------------------------------------------------------------------------


def test_over_a_weekend() -> None:
    # Friday 16:00 + 2 h = 1 h on Friday, 1 h on Monday
    assert office().add(at("2024-01-19T16:00"), 2 * H) == at("2024-01-22T10:00")


def test_a_target_that_ends_at_closing_time() -> None:
    # Monday 16:00 + 1 h ends as the desk closes: one business instant, two names
    start = at("2024-01-15T16:00")
    assert office().add(start, H) == at("2024-01-15T17:00")
    assert office().add(start, H, Boundary.NEXT_OPEN) == at("2024-01-16T09:00")
    # inside the day the convention changes nothing
    assert office().add(start, H - 1, Boundary.NEXT_OPEN) == at("2024-01-15T16:59:59")


def test_adding_nothing() -> None:
    assert office().add(at("2024-01-15T10:00"), 0) == at("2024-01-15T10:00")
    assert office().add(at("2024-01-13T10:00"), 0) == at("2024-01-15T09:00")  # a Saturday
    assert office().add(at("2024-01-15T17:00"), 0) == at("2024-01-16T09:00")  # closed by then
    assert office().next_opening(at("2024-01-15T08:59:59")) == at("2024-01-15T09:00")


def test_counting_back() -> None:
    # from Tuesday 10:00, 2 h back = 1 h on Tuesday, 1 h on Monday
    assert office().add(at("2024-01-16T10:00"), -2 * H) == at("2024-01-15T16:00")
    # 1 h back ends at the opening of Tuesday, the latest such instant
    assert office().add(at("2024-01-16T10:00"), -H) == at("2024-01-16T09:00")


def test_a_holiday_a_break_and_a_makeup_workday() -> None:
    desk = office(
        holidays=["2026-02-16"],
        breaks=[["12:00", "13:00"]],
        makeup_workdays=["2026-02-14"],
    )
    # Friday 2026-02-13 15:00 + 10 h: Friday 2 h, Saturday (make-up) 7 h, Monday is a holiday,
    # Tuesday 1 h
    assert desk.add(at("2026-02-13T15:00"), 10 * H) == at("2026-02-17T10:00")


def test_a_night_desk() -> None:
    desk = times(**{day: [["22:00", "06:00"]] for day in WORKDAYS})
    # Friday 2024-01-19 23:00 + 8 h: 7 h until Saturday 06:00, the rest from Monday 22:00
    assert desk.add(at("2024-01-19T23:00"), 8 * H) == at("2024-01-22T23:00")
    assert desk.is_open(at("2024-01-20T05:59:59"))
    assert not desk.is_open(at("2024-01-20T06:00"))
    # a holiday on Saturday cancels what opens on it, not Friday's night
    closed = times(holidays=["2024-01-20"], **{day: [["22:00", "06:00"]] for day in EVERY_DAY})
    assert closed.is_open(at("2024-01-20T05:00"))
    assert not closed.is_open(at("2024-01-20T23:00"))


def test_spans_that_overlap_over_midnight_count_once() -> None:
    desk = times(mon=[["20:00", "08:00"]], tue=[["06:00", "10:00"]])
    # Monday 20:00 to Tuesday 10:00 = 14 h, though the spans have 12 + 4
    assert desk.elapsed(at("2024-01-15T00:00"), at("2024-01-17T00:00")) == 14 * H


def test_fractions_of_a_second_are_kept() -> None:
    start = at("2024-01-15T10:00").replace(microsecond=999_999)
    assert office().add(start, 1) == at("2024-01-15T10:00:01").replace(microsecond=999_999)
    # half a second is left on Monday, the other half falls on Tuesday
    late = at("2024-01-15T16:59:59").replace(microsecond=500_000)
    due = at("2024-01-16T09:00").replace(microsecond=500_000)
    assert office().add(late, 1) == due
    assert office().elapsed_us(late, due) == 1_000_000
    assert office().elapsed(late, due - timedelta(microseconds=1)) == 0  # not yet a whole second
    # closed time has no parts
    night = at("2024-01-15T18:00").replace(microsecond=500_000)
    assert office().add(night, 1) == at("2024-01-16T09:00:01")
    assert office().elapsed_us(night, due) == 500_000


# --- measuring ------------------------------------------------------------------------------------


def test_elapsed_and_its_sign() -> None:
    # Friday 16:00 to Monday 09:30 = 1 h + 0.5 h
    friday, monday = at("2024-01-19T16:00"), at("2024-01-22T09:30")
    assert office().elapsed(friday, monday) == 5400
    assert office().elapsed(monday, friday) == -5400
    assert office().elapsed(at("2024-01-20T00:00"), at("2024-01-21T00:00")) == 0


def test_a_table_that_grows_backwards_says_the_same() -> None:
    grown, fresh = office(holidays=["12-25"]), office(holidays=["12-25"])
    late, early = at("2024-06-03T09:00"), at("2019-06-03T09:00")
    grown.elapsed(late, at("2024-06-04T09:00"))
    assert grown.elapsed(early, late) == fresh.elapsed(early, late)
    assert grown.add(late, -5000 * H) == fresh.add(late, -5000 * H)


def test_the_year_of_the_desk_is_not_the_year_of_utc() -> None:
    # 2024 begins in Shanghai at 16:00Z and in New York at 05:00Z of the day after
    assert always("Asia/Shanghai").is_open(at("2023-12-31T20:00"))
    assert always("America/New_York").is_open(at("2024-01-01T02:00"))


# --- clock changes --------------------------------------------------------------------------------
# Berlin 2024: 31 March 02:00 → 03:00 (01:00Z), 27 October 03:00 → 02:00 (01:00Z)


def test_a_day_with_a_gap_has_23_hours() -> None:
    # 30 March 23:00Z is local midnight; 24 h on end at 30 March 23:00Z + 24 h = 01:00 of 1 April
    assert always("Europe/Berlin").add(at("2024-03-30T23:00"), 24 * H) == at("2024-03-31T23:00")
    night = times("Europe/Berlin", sun=[["00:00", "06:00"]])
    # 00:00–06:00 without 02:00–03:00 = 5 h
    assert night.elapsed(at("2024-03-30T12:00"), at("2024-03-31T12:00")) == 5 * H


def test_a_day_with_a_fold_has_25_hours() -> None:
    night = times("Europe/Berlin", sun=[["00:00", "06:00"]])
    # 00:00–06:00 with 02:00–03:00 twice = 7 h
    assert night.elapsed(at("2024-10-26T12:00"), at("2024-10-27T12:00")) == 7 * H
    # 02:00 for the first time is 00:00Z; an hour on it is 02:00 again
    assert night.add(at("2024-10-27T00:00"), H) == at("2024-10-27T01:00")


def test_an_opening_within_the_gap_lies_as_far_behind_it() -> None:
    # 02:30 does not occur: read as +01:00 it is 01:30Z, on the wall 03:30; open until 04:00
    desk = times("Europe/Berlin", sun=[["02:30", "04:00"]])
    assert desk.open_intervals(at("2024-03-31T00:00"), 1) == [
        (at("2024-03-31T01:30"), at("2024-03-31T02:00"))
    ]
    # 02:30–03:15 would close (01:15Z) before it opens: nothing opens that day
    short = times("Europe/Berlin", sun=[["02:30", "03:15"]])
    assert short.next_opening(at("2024-03-31T00:00")) == at("2024-04-07T00:30")
    assert not short.is_business_day(date(2024, 3, 31))
    assert short.is_business_day(date(2024, 4, 7))


def test_a_reading_that_occurs_twice_means_the_first() -> None:
    # 02:30 occurs at 00:30Z and 01:30Z: the desk closes at the first
    desk = times("Europe/Berlin", sun=[["01:00", "02:30"]])
    assert desk.open_intervals(at("2024-10-26T22:00"), 1) == [
        (at("2024-10-26T23:00"), at("2024-10-27T00:30"))
    ]


def test_a_gap_may_change_the_order_of_spans() -> None:
    # 02:30–02:45 becomes 03:30–03:45 (01:30Z), after 03:00–03:20 (01:00Z)
    desk = times("Europe/Berlin", sun=[["02:30", "02:45"], ["03:00", "03:20"]])
    assert desk.open_intervals(at("2024-03-31T00:00"), 2) == [
        (at("2024-03-31T01:00"), at("2024-03-31T01:20")),
        (at("2024-03-31T01:30"), at("2024-03-31T01:45")),
    ]


def test_a_gap_at_midnight() -> None:
    # São Paulo 2015-10-18: 00:00 → 01:00 at 03:00Z; Saturday 22:00 local is 01:00Z of the 18th
    desk = always("America/Sao_Paulo")
    assert desk.elapsed(at("2015-10-18T01:00"), at("2015-10-18T06:00")) == 5 * H
    saturday = times("America/Sao_Paulo", sat=[["20:00", "24:00"]])
    assert saturday.elapsed(at("2015-10-17T12:00"), at("2015-10-18T12:00")) == 4 * H


def test_a_fold_at_midnight_opens_once() -> None:
    # Havana 2024-11-03: 01:00 → 00:00 at 05:00Z, so 00:00–01:00 occurs twice, 25 h in all
    desk = times("America/Havana", sun=[["00:00", "24:00"]])
    assert desk.elapsed(at("2024-11-02T12:00"), at("2024-11-04T12:00")) == 25 * H
    # Saturday closes at the first midnight, 04:00Z: no gap and no overlap for 24×7
    spans = always("America/Havana").open_intervals(at("2024-11-03T00:00"), 2)
    assert spans[0][1] == spans[1][0] == at("2024-11-03T04:00")


def test_a_date_that_a_zone_skipped() -> None:
    # Samoa went from 29 to 31 December 2011 at midnight (10:00Z of the 30th); Friday the 30th
    # did not take place. Its readings, taken with the old offset −10:00, fall on the 31st's
    # hours: counted once, the two dates have 24 h together
    desk = always("Pacific/Apia")
    assert desk.elapsed(at("2011-12-30T10:00"), at("2011-12-31T10:00")) == 24 * H


# --- days -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2024-01-19T12:00", 2, "2024-01-23T12:00"),  # Friday: Monday 1, Tuesday 2
        ("2024-01-19T08:00", 1, "2024-01-22T09:00"),  # before opening: at the opening
        ("2024-01-19T18:00", 1, "2024-01-23T09:00"),  # after closing: the opening after it
        ("2024-01-20T12:00", 1, "2024-01-23T09:00"),  # Saturday: from Monday 09:00
        ("2024-01-19T12:00", 0, "2024-01-19T12:00"),
        ("2024-01-20T12:00", 0, "2024-01-22T09:00"),
        ("2024-01-23T12:00", -2, "2024-01-19T12:00"),  # Tuesday: Monday 1, Friday 2
        ("2024-01-23T18:00", -1, "2024-01-22T17:00"),  # Monday 18:00 is closed: the closing
        ("2024-01-23T08:00", -1, "2024-01-19T17:00"),  # Monday 08:00 is: Friday's closing
        ("2024-01-23T17:00", -1, "2024-01-22T17:00"),
        ("2024-01-23T09:00", -1, "2024-01-22T09:00"),  # the opening itself is open
        ("2024-01-20T12:00", -1, "2024-01-18T17:00"),  # Saturday: from Friday 17:00
    ],
)
def test_whole_business_days(start: str, days: int, due: str) -> None:
    assert office().add_days(at(start), days) == at(due)


def test_business_days_pass_over_holidays_and_days_without_time() -> None:
    desk = office(holidays=["2024-01-22"], breaks={"2024-01-23": [["09:00", "17:00"]]})
    assert not desk.is_business_day(date(2024, 1, 23))
    assert desk.add_days(at("2024-01-19T12:00"), 1) == at("2024-01-24T12:00")


def test_business_days_before_opening_keep_their_time_for_the_day_they_end_on() -> None:
    # Tuesday 08:00 (opens at 10:00) + 1 day is Wednesday 08:00, so Wednesday 09:00
    desk = times(tue=[["10:00", "16:00"]], wed=[["09:00", "17:00"]])
    assert desk.add_days(at("2024-01-16T08:00"), 1) == at("2024-01-17T09:00")


def test_business_days_keep_the_local_time_over_a_clock_change() -> None:
    # Berlin: Friday 29 March 12:00 (+1, 11:00Z) → Monday 1 April 12:00 (+2, 10:00Z)
    assert office("Europe/Berlin").add_days(at("2024-03-29T11:00"), 1) == at("2024-04-01T10:00")


def test_more_than_a_century_of_business_days_is_refused_at_once() -> None:
    with pytest.raises(InputError, match="at most 36600 business days"):
        office().add_days(at("2024-01-15T09:00"), 36_601)
    with pytest.raises(InputError, match="at most 36600 business days"):
        office().add_days(at("2024-01-15T09:00"), -36_601)


def test_before_the_first_business_day_there_is_none() -> None:
    once = times(date_overrides={"2024-01-15": [["09:00", "17:00"]]})
    with pytest.raises(InputError, match="no further business day"):
        once.add_days(at("2024-01-15T10:00"), -1)
    with pytest.raises(InputError, match="not open that long"):
        once.add_days(at("2024-01-10T10:00"), -1)


# --- open spans -----------------------------------------------------------------------------------


def test_open_intervals_begin_with_what_is_left() -> None:
    assert office().open_intervals(at("2024-01-19T16:00"), 2) == [
        (at("2024-01-19T16:00"), at("2024-01-19T17:00")),
        (at("2024-01-22T09:00"), at("2024-01-22T17:00")),
    ]
    assert office().open_intervals(at("2024-01-19T17:00"), 0) == []


def test_a_span_that_lies_wholly_in_the_night_before_is_no_interval_of_its_own() -> None:
    # Friday 20:00 to Saturday 06:00 covers Saturday 05:00 to 06:00; the next is a week later
    desk = times(fri=[["20:00", "06:00"]], sat=[["05:00", "06:00"]])
    assert desk.open_intervals(at("2024-01-19T12:00"), 2) == [
        (at("2024-01-19T20:00"), at("2024-01-20T06:00")),
        (at("2024-01-26T20:00"), at("2024-01-27T06:00")),
    ]


def test_open_intervals_run_on_over_years_and_may_come_to_an_end() -> None:
    yearly = times(sun=[["09:00", "10:00"]], holidays=[])
    assert len(yearly.open_intervals(at("2024-01-01T00:00"), 300)) == 300
    once = times(date_overrides={"2024-01-15": [["09:00", "10:00"]]})
    assert once.open_intervals(at("2020-01-01T00:00"), 5) == [
        (at("2024-01-15T09:00"), at("2024-01-15T10:00"))
    ]


# --- limits ---------------------------------------------------------------------------------------


def test_a_calendar_that_never_opens_says_so() -> None:
    with pytest.raises(InputError, match="not open that long"):
        times().add(at("2024-01-15T00:00"), 1)
    once = times(date_overrides={"2024-01-15": [["09:00", "10:00"]]})
    with pytest.raises(InputError, match="no further business day"):
        once.add_days(at("2024-01-15T09:00"), 1)
    assert times().elapsed(at("2024-01-15T00:00"), at("2024-02-15T00:00")) == 0
    assert not times().is_open(at("2024-01-15T00:00"))


def test_a_calendar_of_dates_gives_all_it_has_and_no_more() -> None:
    once = times(date_overrides={"2024-01-15": [["09:00", "10:00"]]})
    start = at("2024-01-01T00:00")
    assert once.add(start, H) == at("2024-01-15T10:00")
    for seconds, boundary in ((H + 1, Boundary.CLOSE), (H, Boundary.NEXT_OPEN)):
        with pytest.raises(InputError, match="not open that long"):
            once.add(start, seconds, boundary)


def test_instants_need_an_offset_and_a_year_in_range() -> None:
    with pytest.raises(InputError, match="offset"):
        office().add(datetime(2024, 1, 15), 1)
    with pytest.raises(InputError, match="years 1901 to 2998"):
        office().is_open(datetime(1850, 1, 1, tzinfo=UTC))


def test_any_zone_may_be_given_and_utc_comes_back() -> None:
    start = datetime(2024, 1, 15, 18, tzinfo=ZoneInfo("Asia/Shanghai"))  # 10:00Z
    due = office().add(start, H)
    assert due == at("2024-01-15T11:00")
    assert due.tzinfo is UTC


# --- many -----------------------------------------------------------------------------------------


def test_many_due_times_over_mixed_calendars() -> None:
    calendars = [office(), always()]
    start = second_of(at("2024-01-15T16:00"))
    due = due_times(calendars, [0, 1, 0], start, [2 * H, 2 * H, H])
    assert due.tolist() == [
        second_of(at(text)) for text in ("2024-01-16T10:00", "2024-01-15T18:00", "2024-01-15T17:00")
    ]
    opening = due_times(calendars, [0], start, [H], Boundary.NEXT_OPEN)
    assert opening.tolist() == [second_of(at("2024-01-16T09:00"))]


def test_many_and_adding_nothing() -> None:
    # at 17:00 the desk is closed: the next opening is meant, under either convention
    closing, opening = second_of(at("2024-01-15T17:00")), second_of(at("2024-01-16T09:00"))
    for boundary in Boundary:
        assert office().add_many([closing], 0, boundary).tolist() == [opening]


def test_many_of_nothing_and_of_no_integers() -> None:
    assert office().add_many([], []).tolist() == []
    assert office().elapsed_many(np.array([], dtype=np.int64), 0).tolist() == []
    with pytest.raises(InputError, match="whole seconds"):
        office().add_many([1.5], 3)
