"""What must hold for every calendar, start and target."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wfm.sla.business_time import Boundary, BusinessTime, instant_of, second_of
from wfm.sla.reading import calendar_from_dict

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# both signs of offset, half hours, gaps and folds at night, at midnight, of half an hour
ZONES = (
    "UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "America/Sao_Paulo",
    "America/Havana", "Asia/Tehran", "Australia/Lord_Howe", "Pacific/Apia",
)  # fmt: skip
FIRST = second_of(datetime(2010, 1, 1, tzinfo=UTC))
LAST = second_of(datetime(2018, 12, 31, tzinfo=UTC))

readings = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from((0, 15, 30, 45, 59)))
spans = st.lists(st.tuples(readings, readings).map(list), max_size=2)
dates = st.dates(date(2010, 1, 1), date(2018, 12, 31)).map(str)
calendars = st.fixed_dictionaries(
    {
        "timezone": st.sampled_from(ZONES),
        "mon": st.lists(st.tuples(readings, readings).map(list), min_size=1, max_size=3),
        "holidays": st.lists(dates | st.sampled_from(("01-01", "05-01", "12-25")), max_size=5),
        "date_overrides": st.dictionaries(dates, spans, max_size=3),
        "breaks": st.dictionaries(st.sampled_from(WEEKDAYS) | dates, spans, max_size=2),
        "makeup_workdays": st.lists(dates, max_size=3),
    },
    optional=dict.fromkeys(WEEKDAYS[1:], spans),
)
instants = st.integers(FIRST, LAST)
# near the clock changes of the zones above
changes = st.sampled_from(
    [
        second_of(datetime(*day, tzinfo=UTC))
        for day in (
            (2015, 3, 29), (2015, 10, 25), (2015, 3, 8), (2015, 11, 1), (2015, 10, 18),
            (2015, 2, 22), (2015, 3, 22), (2015, 9, 21), (2015, 4, 4), (2011, 12, 30),
        )
    ]
)  # fmt: skip
starts = instants | st.builds(int.__add__, changes, st.integers(-86_400, 2 * 86_400))
targets = st.integers(1, 400 * 3600)
some = settings(max_examples=40, deadline=None)


def opened(data: dict[str, Any]) -> BusinessTime:
    """The calendar, if it has open time on ordinary Mondays (breaks may eat all)."""
    times = BusinessTime(calendar_from_dict(data))
    monday = datetime(2014, 6, 2, tzinfo=UTC)
    assume(times.elapsed(monday, monday + timedelta(weeks=8)) > 0)
    return times


@some
@given(calendars, starts, targets, st.sampled_from(Boundary))
def test_adding_then_measuring_gives_it_back(
    data: dict[str, Any], start: int, target: int, boundary: Boundary
) -> None:
    times, begin = opened(data), instant_of(start)
    due = times.add(begin, target, boundary)
    assert times.elapsed(begin, due) == target
    assert times.elapsed(begin, times.add(begin, -target)) == -target


@some
@given(calendars, starts, st.integers(0, 86_400), targets, st.integers(0, 3600),
       st.sampled_from(Boundary))  # fmt: skip
def test_due_times_are_monotone_in_start_and_target(
    data: dict[str, Any], start: int, later: int, target: int, more: int, boundary: Boundary
) -> None:
    times = opened(data)
    due = times.add(instant_of(start), target, boundary)
    assert times.add(instant_of(start + later), target, boundary) >= due
    assert times.add(instant_of(start), target + more, boundary) >= due
    assert times.add(instant_of(start), 0) <= due or boundary is Boundary.CLOSE


@some
@given(calendars, starts, targets)
def test_no_result_lies_in_closed_time(data: dict[str, Any], start: int, target: int) -> None:
    times, begin = opened(data), instant_of(start)
    assert times.is_open(times.add(begin, target, Boundary.NEXT_OPEN))
    assert times.is_open(times.add(begin, 0))
    assert times.is_open(times.add(begin, -target))
    # the closing instant is the first closed one: the second before it was open
    assert times.is_open(times.add(begin, target) - timedelta(seconds=1))


@some
@given(calendars, starts, targets)
def test_the_two_conventions_are_one_business_instant(
    data: dict[str, Any], start: int, target: int
) -> None:
    times, begin = opened(data), instant_of(start)
    closing = times.add(begin, target)
    opening = times.add(begin, target, Boundary.NEXT_OPEN)
    assert closing <= opening
    assert times.elapsed(closing, opening) == 0


@some
@given(calendars, starts, starts, starts)
def test_time_cut_in_two_and_joined(data: dict[str, Any], a: int, b: int, c: int) -> None:
    times = opened(data)
    one, two, three = map(instant_of, (a, b, c))
    whole = times.elapsed(one, three)
    assert times.elapsed(one, two) + times.elapsed(two, three) == whole
    # a table compiled in another order of years
    assert BusinessTime(times.calendar).elapsed(one, three) == whole


@some
@given(calendars, starts, targets, st.integers(1, 23))
def test_a_calendar_cut_in_two_and_joined(
    data: dict[str, Any], start: int, target: int, hour: int
) -> None:
    """Every span cut at an hour opens the same time, and so does an overnight span at midnight."""
    cut = f"{hour:02}:00"

    def halves(pair: list[str]) -> list[list[str]]:
        # within the day only: the wall clock decides where a span over midnight would be cut
        return [[pair[0], cut], [cut, pair[1]]] if pair[0] < cut < pair[1] else [pair]

    parts = {
        key: [half for pair in value for half in halves(pair)] if key in WEEKDAYS else value
        for key, value in data.items()
    }
    whole, joined = opened(data), BusinessTime(calendar_from_dict(parts))
    begin = instant_of(start)
    assert whole.add(begin, target) == joined.add(begin, target)
    end = instant_of(start + target)
    assert whole.elapsed(begin, end) == joined.elapsed(begin, end)


@some
@given(calendars, starts, st.integers(1, 40))
def test_open_intervals_are_the_open_time(data: dict[str, Any], start: int, count: int) -> None:
    times, begin = opened(data), instant_of(start)
    found = times.open_intervals(begin, count)
    assert len(found) == count
    assert all(a < b for a, b in found)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(found))
    total = sum(int((b - a).total_seconds()) for a, b in found)
    assert times.elapsed(begin, found[-1][1]) == total


@some
@given(calendars, st.lists(st.tuples(starts, st.integers(-3600, 3 * 86_400)), min_size=1),
       st.sampled_from(Boundary))  # fmt: skip
def test_the_vectorised_form_says_the_same(
    data: dict[str, Any], rows: list[tuple[int, int]], boundary: Boundary
) -> None:
    times = opened(data)
    begin, more = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    one_by_one = [second_of(times.add(instant_of(a), n, boundary)) for a, n in rows]
    many = BusinessTime(times.calendar)
    assert many.add_many(begin, more, boundary).tolist() == one_by_one
    measured = [times.elapsed(instant_of(a), instant_of(a + n)) for a, n in rows]
    assert many.elapsed_many(begin, begin + more).tolist() == measured


@some
@given(calendars, starts, st.integers(0, 20))
def test_business_days_land_on_open_instants_in_order(
    data: dict[str, Any], start: int, days: int
) -> None:
    times, begin = opened(data), instant_of(start)
    due = times.add_days(begin, days)
    assert times.is_open(due)
    assert begin <= due <= times.add_days(begin, days + 1)


def open_by_the_book(data: dict[str, Any], at: datetime) -> bool:
    """Whether a UTC calendar is open, from its text alone: today's spans and yesterday's nights."""

    def minute(text: str) -> int:
        return int(text[:2]) * 60 + int(text[3:])

    def within(spans: list[list[str]], now: int, yesterday: bool) -> bool:
        for start, end in (map(minute, pair) for pair in spans):
            last = end if end > start else end + 1440
            if start <= now + 1440 * yesterday < last:
                return True
        return False

    def hours(day: date) -> list[list[str]]:
        if str(day) in data["date_overrides"]:
            return list(data["date_overrides"][str(day)])
        if str(day) in data["makeup_workdays"]:
            return list(data["mon"])
        if str(day) in data["holidays"] or f"{day:%m-%d}" in data["holidays"]:
            return []
        return list(data.get(WEEKDAYS[day.weekday()], []))

    def off(day: date) -> list[list[str]]:
        breaks = data["breaks"]
        return [*breaks.get(WEEKDAYS[day.weekday()], []), *breaks.get(str(day), [])]

    now, today = at.hour * 60 + at.minute, at.date()
    before = today - timedelta(days=1)
    opened = within(hours(today), now, False) or within(hours(before), now, True)
    broken = within(off(today), now, False) or within(off(before), now, True)
    return opened and not broken


@some
@given(calendars, st.datetimes(datetime(2010, 1, 2), datetime(2018, 12, 1)))
def test_open_minutes_are_those_of_the_text(data: dict[str, Any], near: datetime) -> None:
    data = {**data, "timezone": "UTC"}
    times = BusinessTime(calendar_from_dict(data))
    begin = near.replace(second=0, microsecond=0, tzinfo=UTC)
    minutes = [begin + timedelta(minutes=n) for n in range(0, 2 * 1440, 7)]
    assert [times.is_open(at) for at in minutes] == [open_by_the_book(data, at) for at in minutes]
