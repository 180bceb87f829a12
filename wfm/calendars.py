"""Calendars of four day types: workday, rest day, statutory holiday, make-up workday.

A year is a file of the days that differ from Monday–Friday work and weekend rest, in the form of
`wfm import calendar` (`date,day_type,name,name_zh`); beside it stands where it comes from. No year
is ever guessed: a year that is not loaded is an error that says what to do.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scheduler.labour import DayType
from wfm.errors import Fault, InputError, NotFoundError
from wfm.files import read_text

SHIPPED = Path(__file__).parent / "data" / "calendars"
COLUMNS = ("date", "day_type", "name", "name_zh")
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One date with its day type; a day without a name is an ordinary one."""

    date: dt.date
    day_type: DayType
    name: str = ""
    name_zh: str = ""

    @property
    def is_off(self) -> bool:
        return self.day_type in (DayType.REST_DAY, DayType.STATUTORY_HOLIDAY)


@dataclass(frozen=True)
class CalendarYear:
    """One country's official year.

    `listed` holds the days that differ from the plain week or carry a name. `provisional` says
    that the official notice is still to come: a planner is told before relying on it.
    """

    country: str
    year: int
    listed: Mapping[dt.date, CalendarDay]
    source: str = ""
    issued: dt.date | None = None
    provisional: bool = False

    def day(self, date: dt.date) -> CalendarDay:
        if date.year != self.year:
            raise not_loaded(self.country, date.year)
        weekend = date.weekday() >= SATURDAY
        plain = CalendarDay(date, DayType.REST_DAY if weekend else DayType.WORKDAY)
        return self.listed.get(date, plain)

    def days(self) -> tuple[CalendarDay, ...]:
        """Every day of the year, in order."""
        first = dt.date(self.year, 1, 1)
        length = (dt.date(self.year + 1, 1, 1) - first).days
        return tuple(self.day(first + dt.timedelta(days=n)) for n in range(length))

    def dates_of(self, day_type: DayType) -> tuple[dt.date, ...]:
        return tuple(day.date for day in self.days() if day.day_type is day_type)


@dataclass(frozen=True)
class HolidayCalendar:
    """Several loaded years of one country, asked as one."""

    country: str
    years: Mapping[int, CalendarYear]

    def day(self, date: dt.date) -> CalendarDay:
        """The day type and name of a date.

        Raises
        ------
        NotFoundError
            The date's year is not loaded.
        """
        if date.year not in self.years:
            raise not_loaded(self.country, date.year)
        return self.years[date.year].day(date)

    def day_type(self, date: dt.date) -> DayType:
        return self.day(date).day_type

    def between(self, start: dt.date, end: dt.date) -> tuple[CalendarDay, ...]:
        """Every day from `start` to `end`, both included."""
        length = (end - start).days + 1
        return tuple(self.day(start + dt.timedelta(days=n)) for n in range(length))

    def named_days(self, start: dt.date, end: dt.date) -> tuple[CalendarDay, ...]:
        """The days people mind by name (除夕, 初一, 10月1日 …); make-up workdays are none."""
        return tuple(
            day
            for day in self.between(start, end)
            if day.name and day.day_type is not DayType.MAKE_UP_WORKDAY
        )

    def provisional_years(self) -> tuple[int, ...]:
        return tuple(year for year, loaded in sorted(self.years.items()) if loaded.provisional)


def not_loaded(country: str, year: int) -> NotFoundError:
    return NotFoundError(
        f"the official calendar of {year} for {country} is not loaded and no year may be guessed; "
        f"load it with: wfm import calendar FILE"
    )


def load_year(country: str, year: int) -> CalendarYear:
    """A year shipped with the product, e.g. ``load_year("CN", 2026)``.

    Raises
    ------
    NotFoundError
        No calendar of that country and year is shipped.
    """
    code = country.lower()
    about, path = SHIPPED / f"{code}.toml", SHIPPED / f"{code}-{year}.csv"
    if not (code.isalpha() and about.is_file() and path.is_file()):
        raise not_loaded(country, year)
    facts = tomllib.loads(about.read_text(encoding="utf-8"))["years"][str(year)]
    return read_year(path, country, year, **facts)


def load_calendar(country: str, years: Iterable[int]) -> HolidayCalendar:
    """Several shipped years at once."""
    return HolidayCalendar(country, {year: load_year(country, year) for year in years})


def read_year(
    path: Path,
    country: str,
    year: int,
    source: str = "",
    issued: dt.date | None = None,
    provisional: bool = False,
) -> CalendarYear:
    """A year from a file in the form of the shipped ones.

    Raises
    ------
    InputError
        One fault per row that is not a day of that year with a known day type.
    """
    rows = csv.DictReader(io.StringIO(read_text(path)))
    missing = [name for name in COLUMNS[:2] if name not in (rows.fieldnames or ())]
    if missing:
        raise InputError.of(Fault("this column is missing", path.name, 1, c) for c in missing)
    listed: dict[dt.date, CalendarDay] = {}
    faults: list[Fault] = []
    for number, row in enumerate(rows, start=2):
        day = _day(row, year)
        if isinstance(day, tuple):
            message, column = day
            faults.append(Fault(message, path.name, number, column, row[column]))
        elif day.date in listed:
            faults.append(Fault("this date occurs twice", path.name, number, "date", row["date"]))
        else:
            listed[day.date] = day
    if faults:
        raise InputError.of(faults)
    return CalendarYear(country.upper(), year, listed, source, issued, provisional)


def _day(row: Mapping[str, str], year: int) -> CalendarDay | tuple[str, str]:
    """A row as a day, or what is wrong and in which column."""
    try:
        date = dt.date.fromisoformat((row["date"] or "").strip())
    except ValueError:
        return "not a date; expected YYYY-MM-DD", "date"
    if date.year != year:
        return f"not a day of {year}", "date"
    try:
        day_type = DayType((row["day_type"] or "").strip())
    except ValueError:
        return f"expected one of {', '.join(DayType)}", "day_type"
    return CalendarDay(
        date, day_type, (row.get("name") or "").strip(), (row.get("name_zh") or "").strip()
    )
