"""Reading a business calendar from plain data, with a fault for every part that is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TypeVar

from wfm.errors import Fault, InputError
from wfm.sla.calendars import DAY_S, BusinessCalendar, DayKey, Span, Spans, merged, zone_of

Key = TypeVar("Key")

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKDAYS = {name: n for n, day in enumerate(_DAYS) for name in (day[:3], day)}
PARTS = ("timezone", "holidays", "date_overrides", "breaks", "makeup_workdays")
LABELS = ("name", "note", "source")

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MONTH_DAY = re.compile(r"\d{2}-\d{2}", re.ASCII)


def calendar_from_dict(data: Mapping[str, object]) -> BusinessCalendar:
    """Read a calendar from plain data, as the cases file and a stored calendar have it.

    Parameters
    ----------
    data : mapping
        ``timezone``, an IANA name; weekdays ``mon`` … ``sun`` (or full English names), each a
        list of ``[open, close]`` in ``HH:MM`` or ``HH:MM:SS``, where close ≤ open runs over
        midnight and ``24:00`` ends the day; ``holidays``, a list of ``YYYY-MM-DD`` or yearly
        ``MM-DD``, or of objects with such a ``date``; ``date_overrides``, date → spans;
        ``breaks``, weekday, date or ``MM-DD`` → spans, or one list of spans for every day;
        ``makeup_workdays``, a list of dates (they get the hours of the first weekday that has
        any) or date → weekday. ``name``, ``note`` and ``source`` are labels.

    Raises
    ------
    InputError
        With one fault for each part that cannot be read.
    """
    return _Reader().calendar(data)


def iso_date(text: object) -> date | None:
    """The date written ``YYYY-MM-DD``, or None."""
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _month_day(text: object) -> tuple[int, int] | None:
    if not isinstance(text, str) or not _MONTH_DAY.fullmatch(text):
        return None
    day = iso_date(f"2000-{text}")  # a leap year: every MM-DD that can exist exists in it
    return (day.month, day.day) if day else None


def _clock_second(text: object) -> int | None:
    """Seconds after midnight of ``HH:MM[:SS]``, 24:00 included, or None."""
    match = _CLOCK.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    hour, minute, second = (int(part or 0) for part in match.groups())
    at = hour * 3600 + minute * 60 + second
    return at if minute < 60 and second < 60 and at <= DAY_S else None


def _day_key(text: object) -> DayKey | None:
    weekday = WEEKDAYS.get(str(text).lower())
    return weekday if weekday is not None else iso_date(text) or _month_day(text)


class _Reader:
    """Reads every part before it complains, so that all faults are shown at once."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def calendar(self, data: object) -> BusinessCalendar:
        if not isinstance(data, Mapping):
            raise InputError.of([_fault("calendar", "expected an object", data)])
        week = self.week(data)
        holidays, yearly = self.holidays(data.get("holidays"))
        calendar = BusinessCalendar(
            zone=self.zone(data.get("timezone")),
            week=week,
            holidays=holidays,
            yearly_holidays=yearly,
            makeup_workdays=self.makeup_workdays(data.get("makeup_workdays"), week),
            overrides=self.spans_by(
                iso_date, data.get("date_overrides"), "date_overrides", "expected YYYY-MM-DD"
            ),
            breaks=self.breaks(data.get("breaks")),
        )
        if self.faults:
            raise InputError.of(self.faults)
        return calendar

    def wrong(self, column: str, expected: str, value: object) -> None:
        self.faults.append(_fault(column, expected, value))

    def week(self, data: Mapping[str, object]) -> tuple[Spans, ...]:
        week: list[Spans] = [()] * 7
        for key, value in data.items():
            weekday = WEEKDAYS.get(str(key).lower())
            if weekday is not None:
                week[weekday] += self.spans(value, f"calendar.{key}")
            elif key not in PARTS and key not in LABELS:
                self.wrong("calendar", f"expected mon … sun, {', '.join(PARTS)}", key)
        return tuple(merged(spans) for spans in week)

    def zone(self, name: object) -> str:
        if not isinstance(name, str):
            self.wrong("timezone", "expected an IANA time zone such as Asia/Shanghai", name)
            return "UTC"
        try:
            zone_of(name)
        except InputError as error:
            self.faults.extend(error.faults)
        return name

    def spans(self, value: object, column: str) -> Spans:
        if not isinstance(value, list | tuple | None):
            self.wrong(column, "expected a list of [open, close]", value)
            return ()
        found = (self.span(pair, f"{column}[{n}]") for n, pair in enumerate(value or ()))
        return merged([span for span in found if span is not None])

    def span(self, pair: object, column: str) -> Span | None:
        ends = pair if isinstance(pair, list | tuple) and len(pair) == 2 else (None, None)
        start, end = (_clock_second(text) for text in ends)
        if start is None or end is None or start == DAY_S:
            self.wrong(column, "expected [open, close] as HH:MM from 00:00 to 24:00", pair)
            return None
        return start, end if end > start else end + DAY_S

    def spans_by(
        self, key_of: Callable[[object], Key | None], value: object, part: str, expected: str
    ) -> dict[Key, Spans]:
        if not isinstance(value, Mapping | None):
            self.wrong(part, "expected an object", value)
            return {}
        found: dict[Key, Spans] = {}
        for text, spans in (value or {}).items():
            key = key_of(text)
            if key is None:
                self.wrong(part, expected, text)
            else:
                found[key] = self.spans(spans, f"{part}.{text}")
        return found

    def breaks(self, value: object) -> dict[DayKey, Spans]:
        if isinstance(value, list | tuple):
            daily = self.spans(value, "breaks")
            return dict.fromkeys(range(7), daily)
        expected = "expected a weekday, YYYY-MM-DD or MM-DD"
        return self.spans_by(_day_key, value, "breaks", expected)

    def holidays(self, value: object) -> tuple[frozenset[date], frozenset[tuple[int, int]]]:
        dated: set[date] = set()
        yearly: set[tuple[int, int]] = set()
        expected = "expected dates as YYYY-MM-DD or MM-DD"
        if not isinstance(value, list | tuple | None):
            self.wrong("holidays", expected, value)
            value = None
        for n, item in enumerate(value or ()):
            text = item.get("date") if isinstance(item, Mapping) else item
            if (day := iso_date(text)) is not None:
                dated.add(day)
            elif (month_day := _month_day(text)) is not None:
                yearly.add(month_day)
            else:
                self.wrong(f"holidays[{n}]", expected, text)
        return frozenset(dated), frozenset(yearly)

    def makeup_workdays(self, value: object, week: Sequence[Spans]) -> dict[date, int]:
        expected = "expected dates as YYYY-MM-DD, or date → weekday"
        if not isinstance(value, list | tuple | Mapping | None):
            self.wrong("makeup_workdays", expected, value)
            return {}
        usual = next((n for n, spans in enumerate(week) if spans), 0)
        listed = value.items() if isinstance(value, Mapping) else ((d, None) for d in value or ())
        found: dict[date, int] = {}
        for text, like in listed:
            day = iso_date(text)
            weekday = usual if like is None else WEEKDAYS.get(str(like).lower())
            if day is None or weekday is None:
                self.wrong("makeup_workdays", expected, text if like is None else (text, like))
            else:
                found[day] = weekday
        return found


def _fault(column: str, expected: str, value: object) -> Fault:
    return Fault(expected, column=column, value=str(value)[:80])
