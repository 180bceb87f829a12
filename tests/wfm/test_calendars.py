"""Official calendars: day for day against two independent sources, and what is not known."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import holidays
import pytest

from scheduler.labour import DayType
from wfm.calendars import SHIPPED, load_calendar, load_year, read_year
from wfm.errors import InputError, NotFoundError

REFERENCE = Path(__file__).parents[2] / "../shared/reference/grading_values.json"
YEARS = (2024, 2025, 2026, 2027)


def day_type_elsewhere(calendar: holidays.HolidayBase, date: dt.date) -> DayType:
    """The day type as the holidays library tells it: by list, and by the wording of the name."""
    if date in calendar.weekend_workdays:
        return DayType.MAKE_UP_WORKDAY
    name = calendar.get(date)
    if name:
        given = "(observed)" in name or name.startswith("Day off")
        return DayType.REST_DAY if given else DayType.STATUTORY_HOLIDAY
    return DayType.REST_DAY if date.weekday() >= 5 else DayType.WORKDAY


@pytest.mark.parametrize("year", YEARS)
def test_every_day_agrees_with_the_holidays_library(year):
    elsewhere = holidays.country_holidays("CN", years=year, language="en_US")
    days = load_year("CN", year).days()
    assert len(days) == 366 if year == 2024 else 365
    different = {
        str(day.date): (day.day_type, day_type_elsewhere(elsewhere, day.date))
        for day in days
        if day.day_type != day_type_elsewhere(elsewhere, day.date)
    }
    assert different == {}


@pytest.mark.parametrize(
    ("year", "off", "make_up"), [(2024, 115, 8), (2025, 117, 5), (2026, 117, 6)]
)
def test_counts_of_days_off_and_make_up_workdays(year, off, make_up):
    loaded = load_year("CN", year)
    assert sum(day.is_off for day in loaded.days()) == off
    assert len(loaded.dates_of(DayType.MAKE_UP_WORKDAY)) == make_up


@pytest.mark.skipif(not REFERENCE.is_file(), reason="the reference values are not here")
@pytest.mark.parametrize("year", ["2025", "2026"])
def test_statutory_and_make_up_days_of_the_reference(year):
    reference = json.loads(REFERENCE.read_text(encoding="utf-8"))["labour_pay"]
    loaded = load_year("CN", int(year))
    for listed, day_type in (
        ("statutory_days", DayType.STATUTORY_HOLIDAY),
        ("makeup_workdays", DayType.MAKE_UP_WORKDAY),
    ):
        dates = [f"{date:%m-%d}" for date in loaded.dates_of(day_type)]
        assert dates == reference[listed][year]


def test_thirteen_statutory_days_since_2025_eleven_before():
    counts = [len(load_year("CN", year).dates_of(DayType.STATUTORY_HOLIDAY)) for year in YEARS]
    assert counts == [11, 13, 13, 13]


def test_one_long_holiday_mixes_statutory_and_rest_days():
    # National Day 2026: the 1st to 3rd are statutory, the 4th to 7th rest days, the 10th (a
    # Saturday) is worked
    loaded = load_year("CN", 2026)
    types = [loaded.day(dt.date(2026, 10, n)).day_type for n in range(1, 12)]
    assert types == (
        [DayType.STATUTORY_HOLIDAY] * 3 + [DayType.REST_DAY] * 4
        + [DayType.WORKDAY] * 2 + [DayType.MAKE_UP_WORKDAY, DayType.REST_DAY]
    )  # fmt: skip


def test_named_days_in_both_languages():
    calendar = load_calendar("CN", (2025, 2026))
    named = {
        day.date: (day.name, day.name_zh)
        for day in calendar.named_days(dt.date(2025, 9, 1), dt.date(2026, 10, 10))
    }
    assert named[dt.date(2026, 2, 16)] == ("Lunar New Year's Eve", "除夕")
    assert named[dt.date(2026, 2, 17)] == ("Lunar New Year day 1", "初一")
    assert named[dt.date(2026, 10, 1)] == ("1 October", "10月1日")
    # in 2025 Mid-Autumn falls into the National Day holiday and keeps its own name
    assert named[dt.date(2025, 10, 6)][1] == "中秋节"
    assert named[dt.date(2026, 9, 25)][1] == "中秋节"
    assert dt.date(2026, 10, 10) not in named  # a make-up workday is no day people mind
    assert dt.date(2026, 3, 2) not in named


def test_new_years_eve_of_2024_is_named_though_a_workday():
    day = load_year("CN", 2024).day(dt.date(2024, 2, 9))
    assert (day.name_zh, day.day_type) == ("除夕", DayType.WORKDAY)


def test_only_2027_is_provisional_and_every_year_names_its_source():
    assert load_calendar("CN", YEARS).provisional_years() == (2027,)
    assert all(load_year("CN", year).source and load_year("CN", year).issued for year in YEARS)


def test_the_names_of_a_festival_come_every_year():
    names = [{day.name_zh for day in load_year("CN", year).listed.values()} for year in YEARS]
    for festival in ("元旦", "除夕", "初一", "清明节", "5月1日", "端午节", "中秋节", "10月1日"):
        assert all(festival in of_year for of_year in names), festival


@pytest.mark.parametrize("year", [2023, 2028])
def test_no_year_is_guessed(year):
    with pytest.raises(NotFoundError, match="no year may be guessed"):
        load_year("CN", year)
    with pytest.raises(NotFoundError, match=f"calendar of {year} .* is not loaded"):
        load_calendar("CN", (2026,)).day_type(dt.date(year, 5, 1))


@pytest.mark.parametrize("country", ["XX", "../cn", ""])
def test_an_unknown_country_is_said_plainly(country):
    with pytest.raises(NotFoundError, match="is not loaded"):
        load_year(country, 2026)


def test_a_year_asked_about_another_year_refuses():
    with pytest.raises(NotFoundError):
        load_year("CN", 2026).day(dt.date(2025, 12, 31))


def test_faults_of_a_file_are_listed_with_row_and_column(tmp_path):
    path = tmp_path / "cn-2026.csv"
    path.write_text(
        "date,day_type,name,name_zh\n"
        "2026-13-01,rest_day,,\n"  # no such month
        "2025-01-01,rest_day,,\n"  # another year
        "2026-01-02,holiday,,\n"  # no such type
        "2026-01-03,rest_day,,\n"
        "2026-01-03,rest_day,,\n"  # twice
    )
    with pytest.raises(InputError) as caught:
        read_year(path, "CN", 2026)
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [
        (2, "date"), (3, "date"), (4, "day_type"), (6, "date"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "day,type\n2026-01-01,rest_day\n"])
def test_a_file_of_another_form_is_refused(tmp_path, text):
    path = tmp_path / "cn-2026.csv"
    path.write_text(text)
    with pytest.raises(InputError, match="column is missing"):
        read_year(path, "CN", 2026)


def test_a_short_row_is_a_fault_and_a_missing_name_is_none(tmp_path):
    path = tmp_path / "cn-2026.csv"
    path.write_text("date,day_type\n2026-01-01,rest_day\n2026-01-02\n")
    with pytest.raises(InputError, match="row 3, column day_type"):
        read_year(path, "CN", 2026)
    path.write_text("date,day_type\n2026-01-01,rest_day\n")
    assert read_year(path, "CN", 2026).day(dt.date(2026, 1, 1)).name == ""


def test_shipped_files_are_what_the_metadata_lists():
    assert sorted(path.stem for path in SHIPPED.glob("*.csv")) == [f"cn-{y}" for y in YEARS]
