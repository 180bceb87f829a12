"""What opens on a date, and what a calendar in plain data may look like."""

from __future__ import annotations

from datetime import date

import pytest

from wfm.errors import InputError
from wfm.sla.calendars import BusinessCalendar
from wfm.sla.reading import calendar_from_dict

H = 3600
OFFICE = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


def calendar(**parts: object) -> BusinessCalendar:
    return calendar_from_dict({"timezone": "UTC", **OFFICE, **parts})


def test_a_date_that_the_zone_left_out_has_no_hours() -> None:
    # Samoa had no 30 December 2011, a Friday; its hours do not fall on the Saturday after it
    samoa = calendar(timezone="Pacific/Apia", breaks={"fri": [["12:00", "13:00"]]})
    assert samoa.open_on(date(2011, 12, 30)) == []
    assert samoa.open_on(date(2011, 12, 31)) == []
    [(opening, closing)] = samoa.open_on(date(2011, 12, 29))
    assert closing - opening == 8 * H
    # an hour that is skipped is not a date that is: New York, 8 March 2026
    assert calendar(timezone="America/New_York", sun=[["01:00", "04:00"]]).open_on(date(2026, 3, 8))


def test_a_break_holds_beyond_a_date_that_the_zone_left_out() -> None:
    # Kwajalein had no 21 August 1993, a Saturday: at its midnight, 12:00Z of the 21st, the offset
    # went from -12:00 to +12:00. What Friday opens at 20:00 until 06:00 ends at the 21st's 06:00
    # with the old offset, 18:00Z, which is Sunday 06:00; Sunday's break from 02:00 to 03:00 is
    # 14:00Z to 15:00Z. 08:00Z to 18:00Z less an hour: 9 h
    friday, sunday = date(1993, 8, 20), date(1993, 8, 22)
    night = calendar(
        timezone="Pacific/Kwajalein", fri=[["20:00", "06:00"]], breaks={"sun": [["02:00", "03:00"]]}
    )
    assert [end - start for start, end in night.open_on(friday)] == [6 * H, 3 * H]
    # and Friday's break from 20:00 to 06:00 takes the first hours of the Sunday: 05:00 to 06:00
    early = calendar(
        timezone="Pacific/Kwajalein", sun=[["05:00", "08:00"]], breaks={"fri": [["20:00", "06:00"]]}
    )
    assert [end - start for start, end in early.open_on(sunday)] == [2 * H]
    # a week later nothing was left out: Saturday lies between
    assert [end - start for start, end in early.open_on(date(1993, 8, 29))] == [3 * H]


def test_weekday_hours() -> None:
    # 2026-01-05 is a Monday
    assert calendar().spans_on(date(2026, 1, 5)) == ((9 * H, 17 * H),)
    assert calendar().spans_on(date(2026, 1, 4)) == ()


def test_full_weekday_names_and_labels_are_known() -> None:
    read = calendar_from_dict({"timezone": "UTC", "name": "desk", "Monday": [["08:00", "09:00"]]})
    assert read.week[0] == ((8 * H, 9 * H),)


def test_a_dated_holiday_closes_its_date_only() -> None:
    read = calendar(holidays=["2026-01-05"])
    assert read.spans_on(date(2026, 1, 5)) == ()
    assert read.spans_on(date(2027, 1, 5)) != ()  # a Tuesday


def test_a_yearly_holiday_closes_its_day_every_year() -> None:
    read = calendar(holidays=["01-05", {"date": "02-29", "name": "leap day"}])
    assert read.spans_on(date(2026, 1, 5)) == ()
    assert read.spans_on(date(2027, 1, 5)) == ()
    assert read.spans_on(date(2028, 2, 29)) == ()
    assert read.spans_on(date(2027, 3, 1)) != ()


def test_a_makeup_workday_has_a_weekday_s_hours_even_on_a_holiday() -> None:
    read = calendar(
        fri=[["10:00", "15:00"]],
        holidays=["2026-02-15"],
        makeup_workdays={"2026-02-14": "fri", "2026-02-15": None},
    )
    assert read.spans_on(date(2026, 2, 14)) == ((10 * H, 15 * H),)  # a Saturday
    assert read.spans_on(date(2026, 2, 15)) == ((9 * H, 17 * H),)  # a Sunday, like Monday
    assert read.spans_on(date(2026, 2, 21)) == ()


def test_an_override_replaces_the_date_whatever_it_is() -> None:
    read = calendar(
        holidays=["2026-01-05"],
        makeup_workdays=["2026-01-10"],
        date_overrides={"2026-01-05": [["10:00", "11:00"]], "2026-01-10": [], "2026-01-06": None},
    )
    assert read.spans_on(date(2026, 1, 5)) == ((10 * H, 11 * H),)
    assert read.spans_on(date(2026, 1, 10)) == ()
    assert read.spans_on(date(2026, 1, 6)) == ()
    assert read.spans_on(date(2026, 1, 7)) == ((9 * H, 17 * H),)


def test_close_not_after_open_runs_over_midnight() -> None:
    read = calendar(mon=[["22:00", "06:00"]], tue=[["09:00", "09:00"]], wed=[["18:00", "00:00"]])
    assert read.week[0] == ((22 * H, 30 * H),)
    assert read.week[1] == ((9 * H, 33 * H),)
    assert read.week[2] == ((18 * H, 24 * H),)


def test_spans_that_meet_or_overlap_on_a_day_are_one() -> None:
    read = calendar(mon=[["12:00", "15:00"], ["09:00", "12:00"], ["14:00", "16:00:30"]])
    assert read.week[0] == ((9 * H, 16 * H + 30),)


MONDAY = 1_767_571_200  # 2026-01-05T00:00Z = 20,458 days × 86,400 s


def test_breaks_by_weekday_date_year_and_every_day() -> None:
    monday = date(2026, 1, 5)
    nine, noon, one, five = (MONDAY + h * H for h in (9, 12, 13, 17))
    for breaks in (
        {"mon": [["12:00", "13:00"]]},
        {"2026-01-05": [["12:00", "13:00"]]},
        {"01-05": [["12:00", "13:00"]]},
        [["12:00", "13:00"]],
    ):
        assert calendar(breaks=breaks).open_on(monday) == [(nine, noon), (one, five)]
    assert calendar(breaks={"tue": [["12:00", "13:00"]]}).open_on(monday) == [(nine, five)]


@pytest.mark.parametrize(
    ("cut", "left"),
    [
        (["08:00", "10:00"], [(10, 17)]),
        (["16:00", "18:00"], [(9, 16)]),
        (["09:00", "17:00"], []),
        (["08:00", "18:00"], []),
        (["17:00", "18:00"], [(9, 17)]),
        (["08:00", "09:00"], [(9, 17)]),
    ],
)
def test_a_break_at_the_edge(cut: list[str], left: list[tuple[int, int]]) -> None:
    opened = calendar(breaks=[cut]).open_on(date(2026, 1, 5))
    assert opened == [(MONDAY + a * H, MONDAY + b * H) for a, b in left]


def test_a_night_span_loses_the_breaks_of_both_dates() -> None:
    # Monday 22:00–06:00, breaks at 23:30 for an hour over midnight and Tuesday 02:00–02:30
    read = calendar_from_dict(
        {
            "timezone": "UTC",
            "mon": [["22:00", "06:00"]],
            "breaks": {"mon": [["23:30", "00:30"]], "tue": [["02:00", "02:30"]]},
        }
    )
    ends = [(22, 23.5), (24.5, 26), (26.5, 30)]
    assert read.open_on(date(2026, 1, 5)) == [(MONDAY + a * H, MONDAY + b * H) for a, b in ends]


def test_a_break_of_the_evening_reaches_into_the_next_date() -> None:
    # Tuesday opens at midnight, but Monday's break lasts until 00:30
    read = calendar_from_dict(
        {
            "timezone": "UTC",
            "tue": [["00:00", "24:00"]],
            "breaks": {"mon": [["23:30", "00:30"]]},
        }
    )
    assert read.open_on(date(2026, 1, 6)) == [(MONDAY + int(24.5 * H), MONDAY + 48 * H)]


@pytest.mark.parametrize(
    ("parts", "column"),
    [
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"timezone": None}, "timezone"),
        ({"timezone": "../UTC"}, "timezone"),
        ({"timezone": "America"}, "timezone"),
        ({"mno": []}, "calendar"),
        ({"mon": [["09:00", "25:00"]]}, "calendar.mon[0]"),
        ({"mon": [["24:00", "25:00"]]}, "calendar.mon[0]"),
        ({"mon": [["24:00", "02:00"]]}, "calendar.mon[0]"),
        ({"mon": [["09:60", "10:00"]]}, "calendar.mon[0]"),
        ({"mon": [["09:00"]]}, "calendar.mon[0]"),
        ({"mon": [[9, 17]]}, "calendar.mon[0]"),
        ({"mon": "09:00-17:00"}, "calendar.mon"),
        ({"holidays": ["2026-02-30"]}, "holidays[0]"),
        ({"holidays": ["01-01", "02-30"]}, "holidays[1]"),
        ({"holidays": "2026-01-01"}, "holidays"),
        ({"date_overrides": {"01-05": []}}, "date_overrides"),
        ({"date_overrides": []}, "date_overrides"),
        ({"date_overrides": {"2026-01-05": [["x", "y"]]}}, "date_overrides.2026-01-05[0]"),
        ({"breaks": {"noon": []}}, "breaks"),
        ({"breaks": "12:00"}, "breaks"),
        ({"makeup_workdays": ["soon"]}, "makeup_workdays"),
        ({"makeup_workdays": {"2026-01-05": "holiday"}}, "makeup_workdays"),
        ({"makeup_workdays": 3}, "makeup_workdays"),
    ],
)
def test_what_cannot_be_read_is_named(parts: dict[str, object], column: str) -> None:
    with pytest.raises(InputError) as caught:
        calendar(**parts)
    assert [fault.column for fault in caught.value.faults] == [column]


def test_all_faults_are_shown_at_once() -> None:
    with pytest.raises(InputError) as caught:
        calendar(timezone="x", mon=[["1", "2"]], holidays=["y", "z"])
    assert len(caught.value.faults) == 4


def test_a_calendar_is_an_object() -> None:
    with pytest.raises(InputError):
        calendar_from_dict([])  # type: ignore[arg-type]
