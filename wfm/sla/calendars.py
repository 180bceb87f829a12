"""Business calendars: when a service is open, as data.

A calendar says which spans of local time open on a date. A date is decided by the first of

1. a date override: it replaces the date wholly (no spans: closed all day),
2. a make-up workday (调休上班日): the hours of an ordinary weekday,
3. a holiday, dated or yearly: nothing opens,
4. the hours of its weekday,

and breaks are then taken out. A span belongs to the date on which it *opens*: a night span of
Friday runs into Saturday whatever Saturday is. A break takes its own hours away, whoever opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from wfm.errors import Fault, InputError

DAY_S = 86_400

Span = tuple[int, int]
"""Seconds after local midnight; the second exceeds 86,400 when the span runs over midnight."""

Spans = tuple[Span, ...]

DayKey = int | date | tuple[int, int]
"""A weekday (0 = Monday), a date, or a (month, day) of every year."""


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """Opening hours of a service in its own time zone.

    Parameters
    ----------
    zone : str
        IANA time zone, for example ``Asia/Shanghai``.
    week : tuple of seven Spans
        Hours of Monday … Sunday, in order and without overlap (`merged`).
    holidays : frozenset of date
        Dates on which nothing opens.
    yearly_holidays : frozenset of (month, day)
        The same, every year.
    makeup_workdays : mapping of date to weekday (0 = Monday)
        Dates worked with the hours of that weekday.
    overrides : mapping of date to Spans
        Dates with hours of their own.
    breaks : mapping of weekday, date or (month, day) to Spans
        Time taken out of whatever is open then.
    """

    zone: str
    week: tuple[Spans, ...]
    holidays: frozenset[date] = frozenset()
    yearly_holidays: frozenset[tuple[int, int]] = frozenset()
    makeup_workdays: Mapping[date, int] = field(default_factory=dict)
    overrides: Mapping[date, Spans] = field(default_factory=dict)
    breaks: Mapping[DayKey, Spans] = field(default_factory=dict)

    def spans_on(self, day: date) -> Spans:
        """Spans that open on `day`, breaks not yet taken out."""
        if day in self.overrides:
            return self.overrides[day]
        if day in self.makeup_workdays:
            return self.week[self.makeup_workdays[day]]
        if day in self.holidays or (day.month, day.day) in self.yearly_holidays:
            return ()
        return self.week[day.weekday()]

    def breaks_on(self, day: date) -> Spans:
        """Breaks that begin on `day`."""
        keys: tuple[DayKey, ...] = (day.weekday(), day, (day.month, day.day))
        return tuple(span for key in keys for span in self.breaks.get(key, ()))

    def open_on(self, day: date) -> list[Span]:
        """Open spans of `day` in UTC seconds, breaks taken out, in order."""
        zone = zone_of(self.zone)
        spans = _in_utc(self.spans_on(day), day, zone)
        if not spans or not self.breaks:
            return spans
        # a break may begin the evening before; a span opened today ends the day after at most
        reach = 2 if _beside(day) & _left_out(zone) else 1
        around = (day + timedelta(days=shift) for shift in range(-reach, reach + 1))
        taken = [span for near in around for span in _in_utc(self.breaks_on(near), near, zone)]
        return _without(spans, sorted(taken))


def utc_second(day: date, second: int, zone: ZoneInfo) -> int:
    """UTC second of a local clock reading on `day`, `second` seconds after midnight.

    A reading that occurs twice means the first; one that the clock skips is read with the
    offset before the gap, so it lies as far behind the gap as it was into it.
    Source: RFC 5545, section 3.3.5.
    """
    reading = datetime.combine(day, time.min) + timedelta(seconds=second)
    return int(reading.replace(tzinfo=zone).timestamp())


def _in_utc(spans: Spans, day: date, zone: ZoneInfo) -> list[Span]:
    """Spans of a date in UTC seconds; one that a clock change leaves empty is dropped."""
    if day in _left_out(zone):
        return []
    ends = ((utc_second(day, start, zone), utc_second(day, end, zone)) for start, end in spans)
    return [(start, end) for start, end in ends if start < end]


@lru_cache(maxsize=1024)
def _left_out(zone: ZoneInfo) -> frozenset[date]:
    """Dates that a zone never had: Samoa went from 29 to 31 December 2011. Nothing opens on them.

    Only where the offset of the new year is ahead of that of the last by most of a day can one be.
    """
    found: set[date] = set()
    before = timedelta(days=1)
    for year in range(1900, 3000):
        offset = datetime(year, 1, 1, 12, tzinfo=zone).utcoffset() or timedelta()
        if offset > before + timedelta(hours=20):
            days = (date(year - 1, 1, 1) + timedelta(days=n) for n in range(366))
            found |= {
                day for day in days if utc_second(day, 0, zone) == utc_second(day, DAY_S, zone)
            }
        before = offset
    return frozenset(found)


def _beside(day: date) -> set[date]:
    return {day - timedelta(days=1), day + timedelta(days=1)}


def _without(spans: list[Span], taken: list[Span]) -> list[Span]:
    """`spans` less `taken`, both in order of their start."""
    left: list[Span] = []
    for start, end in spans:
        for gone_from, gone_to in taken:
            if gone_to <= start:
                continue
            if gone_from >= end:
                break
            if gone_from > start:
                left.append((start, gone_from))
            start = gone_to
            if start >= end:
                break
        if start < end:
            left.append((start, end))
    return left


def merged(spans: Sequence[Span]) -> Spans:
    """Spans of one day in order, those that meet or overlap made one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """The IANA time zone of that name, or an `InputError`."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        expected = "expected an IANA time zone such as Asia/Shanghai"
        raise InputError.of([Fault(expected, column="timezone", value=name)]) from error
