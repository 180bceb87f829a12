"""Days that differ from their weekday, and what they return under in another year.

A named day off returns under its name whatever its date, a day without a name of its own under
its distance from the heart of the holiday (lunar festivals: from their lunar date), a workday
near a holiday by how many workdays lie between, and a few days kept without a day off by their
lunar date. A make-up workday is a workday like any other, near a holiday or not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from lunardate import LunarDate

from scheduler.demand.history import Calendar, Day, day_of
from scheduler.labour import DayType

ONE_DAY = dt.timedelta(days=1)
WORKING = (DayType.WORKDAY, DayType.MAKE_UP_WORKDAY)
NEAR = 3  # workdays before and after a holiday that may feel it
LOOK_AROUND = 21  # days beyond the edges in which holidays are looked for
FURTHEST = 7  # days: nothing further off is near

# lunar month and day of festivals, by both names a calendar may use
LUNAR_HOLIDAYS = {
    "春节": (1, 1), "Spring Festival": (1, 1),
    "端午节": (5, 5), "Dragon Boat Festival": (5, 5),
    "中秋节": (8, 15), "Mid-Autumn Festival": (8, 15),
}  # fmt: skip
LUNAR_DAYS = {
    (1, 15): "元宵节", (7, 7): "七夕", (9, 9): "重阳节", (12, 8): "腊八节", (12, 23): "小年",
}  # fmt: skip
FESTIVALS = (
    ("春节", ("除夕", "初", "春节")),
    ("Spring Festival", ("Lunar New Year", "Spring Festival")),
    ("国庆节", ("10月", "国庆")),
    ("National Day", ("1 October", "2 October", "3 October", "National Day")),
    ("劳动节", ("5月", "劳动节")),
    ("Labour Day", ("1 May", "2 May", "3 May", "Labour Day")),
    ("中秋节", ("中秋",)),
    ("Mid-Autumn Festival", ("Mid-Autumn",)),
    ("端午节", ("端午",)),
    ("Dragon Boat Festival", ("Dragon Boat",)),
    ("清明节", ("清明",)),
    ("元旦", ("元旦",)),
)  # fmt: skip

Kind = Literal["day", "off", "before", "after", "lunar"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """What a date is near or on, the same in every year.

    ``day``: a statutory holiday called `name`. ``off``: a day off of the holiday `name`, `offset`
    days from its heart. ``before`` and ``after``: the `offset`-th workday before or after the
    days off of `name`. ``lunar``: a lunar date without a day off, called `name`.
    """

    kind: Kind
    name: str
    offset: int = 0

    @property
    def is_off(self) -> bool:
        return self.kind in ("day", "off")


def places(first: dt.date, last: dt.date, calendar: Calendar) -> dict[dt.date, Place]:
    """The special dates from `first` to `last`, both included.

    The calendar should reach three weeks beyond both; where it does not, the plain week is taken.
    """
    found: dict[dt.date, Place] = {}
    if _knows_the_moon(calendar):
        for date in _span(first, last):
            if name := _lunar_day(date):
                found[date] = Place("lunar", name)
    near: dict[dt.date, Place] = {}
    for run in _holidays(first, last, calendar):
        name, heart = _heart(run, calendar)
        sides: tuple[tuple[Kind, dt.date, int], ...]
        sides = ("before", run[0], -1), ("after", run[-1], 1)
        for side, edge, step in sides:
            for number, date in enumerate(_workdays(edge, step, calendar), 1):
                before = near.get(date)
                # between two holidays the nearer one counts, and of equals the one that was
                if before is None or number < before.offset:
                    near[date] = Place(side, name, number)
        for date in run:
            day = day_of(date, calendar)
            if day.day_type == DayType.STATUTORY_HOLIDAY:
                found[date] = Place("day", day.name)
            elif day.name:
                found[date] = Place("off", name, (date - heart).days)
    found |= near
    return {date: place for date, place in sorted(found.items()) if first <= date <= last}


def _knows_the_moon(calendar: Calendar) -> bool:
    """Whether the calendar is one of those that keep lunar festivals."""
    names = {festival(day.name) for day in set(calendar.values()) if day.name}
    return not names.isdisjoint(LUNAR_HOLIDAYS)


def _span(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    for offset in range((last - first).days + 1):
        yield first + offset * ONE_DAY


@lru_cache(maxsize=10_000)
def _lunar_day(date: dt.date) -> str:
    try:
        moon = LunarDate.from_solar_date(date.year, date.month, date.day)
    except ValueError:  # beyond the years its tables know
        return ""
    return "" if moon.is_leap_month else LUNAR_DAYS.get((moon.month, moon.day), "")


def festival(name: str) -> str:
    """The holiday a day's name belongs to: 初三 and 春节假期 to 春节."""
    for whole, beginnings in FESTIVALS:
        if name.startswith(beginnings):
            return whole
    return name


def _is_off(day: Day) -> bool:
    return day.day_type not in WORKING


def _holidays(first: dt.date, last: dt.date, calendar: Calendar) -> list[list[dt.date]]:
    """Days off in a row with a holiday among them."""
    runs: list[list[dt.date]] = []
    run: list[dt.date] = []
    for date in _span(first - LOOK_AROUND * ONE_DAY, last + (LOOK_AROUND + 1) * ONE_DAY):
        if _is_off(day_of(date, calendar)):
            run.append(date)
            continue
        runs.append(run)
        run = []
    return [run for run in (*runs, run) if any(_names(date, calendar) for date in run)]


def _names(date: dt.date, calendar: Calendar) -> bool:
    """Whether a date off makes its run a holiday."""
    day = day_of(date, calendar)
    return day.day_type == DayType.STATUTORY_HOLIDAY or bool(day.name)


def _heart(run: list[dt.date], calendar: Calendar) -> tuple[str, dt.date]:
    """Name of a holiday and the day that the others are counted from."""
    named = [date for date in run if _names(date, calendar)]
    kept = [d for d in named if day_of(d, calendar).day_type == DayType.STATUTORY_HOLIDAY]
    first = (kept or named)[0]
    name = festival(day_of(first, calendar).name)
    moon = LUNAR_HOLIDAYS.get(name)
    if moon is None:
        return name, first
    lunar = LunarDate(first.year, *moon).to_solar_date()
    return name, lunar if lunar in run else first


def _workdays(edge: dt.date, step: int, calendar: Calendar) -> Iterator[dt.date]:
    """The workdays next to a holiday, nearest first, up to the next holiday."""
    seen = 0
    for offset in range(1, FURTHEST + 1):
        date = edge + step * offset * ONE_DAY
        day = day_of(date, calendar)
        if day.day_type == DayType.STATUTORY_HOLIDAY:
            return
        if not _is_off(day):
            seen += 1
            yield date
        if seen == NEAR:
            return


ENGLISH = {
    "春节": "Spring Festival", "国庆节": "National Day", "劳动节": "Labour Day",
    "中秋节": "Mid-Autumn Festival", "端午节": "Dragon Boat Festival",
    "清明节": "Qingming Festival", "元旦": "New Year's Day", "元宵节": "Lantern Festival",
    "七夕": "Qixi", "重阳节": "Double Ninth Festival", "腊八节": "Laba Festival",
    "小年": "Little New Year",
}  # fmt: skip


def text(place: Place, language: Literal["en", "zh"], english: Mapping[str, str]) -> str:
    """A place in words; `english` gives the English names of days a calendar names in Chinese."""
    name = place.name
    if language == "en":
        name = english.get(name) or ENGLISH.get(name, name)
    name = name or {"en": "holiday", "zh": "节假日"}[language]
    words = {
        "off": ("{name}, {n:+d} days", "{name}{n:+d}天"),
        "before": ("workday {n} before {name}", "{name}前第{n}个工作日"),
        "after": ("workday {n} after {name}", "{name}后第{n}个工作日"),
    }
    if place.kind not in words:
        return name
    return words[place.kind][language == "zh"].format(name=name, n=place.offset)
