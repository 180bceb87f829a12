"""The desk's own calendar days: what was imported first, what is shipped else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session, select

from wfm import calendars
from wfm.tables import CalendarDay
from wfm.words import DayType

COUNTRY = "cn"


@dataclass(frozen=True)
class NamedDay:
    """A date with its type, and its name in both languages where it has one."""

    date: date
    type: DayType
    name_en: str = ""
    name_zh: str = ""
    provisional: bool = False


def days_between(session: Session, first: date, last: date) -> list[NamedDay]:
    """Every day from `first` to `last`, both included.

    Raises
    ------
    NotFoundError
        A year's official calendar is not loaded; none may be guessed.
    """
    imported = {
        row.day: row
        for row in session.exec(
            select(CalendarDay).where(
                CalendarDay.calendar == COUNTRY, CalendarDay.day >= first, CalendarDay.day <= last
            )
        )
    }
    years = {
        year: calendars.load_year(COUNTRY, year)
        for year in range(first.year, last.year + 1)
        if not _imported_year(session, year)
    }
    found = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if day in imported:
            row = imported[day]
            found.append(NamedDay(day, row.day_type, row.name_en, row.name_zh, row.provisional))
        elif day.year in years:
            shipped = years[day.year].day(day)
            provisional = years[day.year].provisional
            kind = DayType(shipped.day_type.value)
            found.append(NamedDay(day, kind, shipped.name, shipped.name_zh, provisional))
        else:
            weekend = day.weekday() >= calendars.SATURDAY
            found.append(NamedDay(day, DayType.REST_DAY if weekend else DayType.WORKDAY))
    return found


def _imported_year(session: Session, year: int) -> bool:
    first, last = date(year, 1, 1), date(year, 12, 31)
    found = session.exec(
        select(CalendarDay.id)
        .where(CalendarDay.calendar == COUNTRY, CalendarDay.day >= first, CalendarDay.day <= last)
        .limit(1)
    ).first()
    return found is not None
