"""Business time: counting and adding the seconds in which a calendar is open.

A calendar is compiled to one table of open spans in UTC seconds with running totals. *Worked
seconds* grow by one with every open second and stand still otherwise, so that

- measuring is a difference of two readings: ``worked(end) − worked(start)``;
- adding is the inverse: the instant whose reading is ``worked(start) + seconds``.

The inverse is not unique where the calendar closes: the closing instant and the next opening
have the same reading, they are one business instant. `Boundary` says which of them is meant.

The table is compiled by whole years and grows as instants are asked for.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from wfm.errors import Fault, InputError
from wfm.sla.calendars import BusinessCalendar, Span, utc_second, zone_of

FIRST_YEAR, LAST_YEAR = 1900, 2999
"""Years a calendar can be compiled for."""

MOST_DAYS = 36_600
"""Business days that may be added: a century open every day."""

SECOND_US = 1_000_000

_NEVER = -(2**62)
_MARGIN_S = 3 * 86_400  # zone offset, and a span that began the day before, on the safe side
_YEAR_S = 366 * 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Seconds: TypeAlias = npt.NDArray[np.int64]


class Boundary(StrEnum):
    """Which of two equal business instants a result is, where the calendar closes."""

    CLOSE = "close"
    NEXT_OPEN = "next_open"


@dataclass(frozen=True)
class _Table:
    """Open spans of whole years; the first is empty and lies before all time.

    ``ends[i]`` is the number of open seconds in the spans up to and including the i-th.
    """

    first_year: int
    last_year: int
    opens: list[int]
    closes: list[int]
    ends: list[int]

    @cached_property
    def arrays(self) -> tuple[Seconds, Seconds, Seconds]:
        opens, closes, ends = (
            np.array(column, dtype=np.int64) for column in (self.opens, self.closes, self.ends)
        )
        return opens, closes, ends

    def worked(self, second: int) -> int:
        i = bisect_right(self.opens, second) - 1
        return self.ends[i] - max(0, self.closes[i] - second)

    def is_open(self, second: int) -> bool:
        return second < self.closes[bisect_right(self.opens, second) - 1]

    def instant(self, worked: int, closing: bool) -> int:
        """The earliest (closing) or the latest second with that many seconds worked."""
        i = (bisect_left if closing else bisect_right)(self.ends, worked)
        return self.opens[i] + worked - self.ends[i - 1]


class BusinessTime:
    """Business time of one calendar.

    All instants are aware `datetime`; results are in UTC and exact to the microsecond.
    The vectorised forms take and give UTC seconds since 1970 as int64.

    Examples
    --------
    >>> from wfm.sla.reading import calendar_from_dict
    >>> office = BusinessTime(calendar_from_dict({"timezone": "UTC", "fri": [["09:00", "17:00"]]}))
    >>> start = datetime(2024, 1, 19, 16, tzinfo=UTC)
    >>> office.add(start, 7200).isoformat()
    '2024-01-26T10:00:00+00:00'
    """

    def __init__(self, calendar: BusinessCalendar) -> None:
        self.calendar = calendar
        self._zone = zone_of(calendar.zone)
        self._last_year = _last_opening_year(calendar)
        self._years: dict[int, list[Span]] = {}
        self._table: _Table | None = None

    # --- one instant -------------------------------------------------------------------------

    def add(self, start: datetime, seconds: int, boundary: Boundary = Boundary.CLOSE) -> datetime:
        """The instant at which `seconds` business seconds have passed since `start`.

        A result is never in closed time, but for a closing instant under `Boundary.CLOSE`. To
        add nothing gives `start` itself when open and the next opening otherwise. A negative
        number counts back: the latest instant from which so much business time leads to `start`.

        Raises
        ------
        InputError
            If the calendar is not open that long before the last year it can be compiled for.
        """
        return self.add_us(start, seconds * SECOND_US, boundary)

    def add_us(self, start: datetime, more_us: int, boundary: Boundary) -> datetime:
        """`add` for business microseconds."""
        first = second_of(start)
        fraction = start.microsecond
        if fraction and not self._open_in(first):
            fraction = 0  # closed time has no parts
        seconds, part = divmod(more_us + fraction, SECOND_US)
        if part:  # between two seconds there is one business instant only
            whole = instant_of(self._add(first, seconds, Boundary.NEXT_OPEN))
            return whole + timedelta(microseconds=part)
        ends = Boundary.NEXT_OPEN if more_us <= 0 else boundary
        return instant_of(self._add(first, seconds, ends))

    def elapsed(self, start: datetime, end: datetime) -> int:
        """Whole business seconds from `start` to `end`; negative when `end` comes first."""
        us = self.elapsed_us(start, end)
        return us // SECOND_US if us >= 0 else -(-us // SECOND_US)

    def elapsed_us(self, start: datetime, end: datetime) -> int:
        """Business microseconds from `start` to `end`; negative when `end` comes first."""
        first, last = second_of(start), second_of(end)
        table = self._covering(min(first, last), max(first, last))
        us = (table.worked(last) - table.worked(first)) * SECOND_US
        if end.microsecond and table.is_open(last):
            us += end.microsecond
        if start.microsecond and table.is_open(first):
            us -= start.microsecond
        return us

    def is_open(self, at: datetime) -> bool:
        """Whether the calendar is open in the second that begins at `at`."""
        return self._open_in(second_of(at))

    def next_opening(self, at: datetime) -> datetime:
        """`at` itself when the calendar is open then, else the next opening."""
        return self.add(at, 0)

    def open_intervals(self, start: datetime, count: int) -> list[tuple[datetime, datetime]]:
        """The next `count` open spans, the first cut off at `start`; fewer if no more come.

        Spans of two dates that meet at midnight stay two.
        """
        first = second_of(start)
        found: list[tuple[datetime, datetime]] = []
        for opening, closing in self._spans_after(first):
            if len(found) >= count:
                break
            found.append((instant_of(max(opening, first)), instant_of(closing)))
        return found

    def is_business_day(self, day: date) -> bool:
        """Whether anything opens on this local date, breaks taken out."""
        return bool(self.calendar.open_on(day))

    def add_days(self, start: datetime, days: int) -> datetime:
        """The same local time `days` business days later, or the first open instant after it.

        The date of `start` is not counted. A start in closed time on a date that never opens
        counts from the next opening. Working days are the dates on which something opens. A
        negative number counts back in the same way: to the last open instant or closing at or
        before that time, and from the closing before a date that never opens.
        """
        if abs(days) > MOST_DAYS:
            raise _fault(f"expected at most {MOST_DAYS} business days", str(days))
        step, within = (-1, self._last_open) if days < 0 else (1, self._next_open)
        begin = start.astimezone(self._zone)
        if not self.is_open(begin) and not self.is_business_day(begin.date()):
            begin = instant_of(within(second_of(begin))).astimezone(self._zone)
        day = begin.date()
        for _ in range(abs(days)):
            day = self._business_day_beside(day, step)
        second = begin.hour * 3600 + begin.minute * 60 + begin.second
        at = utc_second(day, second, self._zone) if days else second_of(begin)
        return instant_of(within(at))

    # --- many instants -----------------------------------------------------------------------

    def add_many(
        self,
        starts: npt.ArrayLike,
        seconds: npt.ArrayLike,
        boundary: Boundary = Boundary.CLOSE,
    ) -> Seconds:
        """`add` for many starts (UTC seconds) and one or as many targets (business seconds)."""
        begin, more = np.broadcast_arrays(_int64(starts), _int64(seconds))
        if begin.size == 0:
            return np.empty(begin.shape, dtype=np.int64)
        closing = (more > 0) & (boundary is Boundary.CLOSE)
        table: _Table | None = self._covering(int(begin.min()), int(begin.max()))
        while table is not None:
            goal = _worked_many(table, begin) + more
            opens, _, ends = table.arrays
            table = self._wider(table, int(goal.min()), int((goal + ~closing).max()))
        i = np.searchsorted(ends, goal, side="right")
        i -= closing & (ends[i - 1] == goal)  # back to the span that ends with the goal
        result: Seconds = opens[i] + goal - ends[i - 1]
        return result

    def elapsed_many(self, starts: npt.ArrayLike, ends: npt.ArrayLike) -> Seconds:
        """`elapsed` for many pairs of UTC seconds."""
        first, last = np.broadcast_arrays(_int64(starts), _int64(ends))
        if first.size == 0:
            return np.empty(first.shape, dtype=np.int64)
        table = self._covering(int(min(first.min(), last.min())), int(max(first.max(), last.max())))
        return _worked_many(table, last) - _worked_many(table, first)

    # --- the table ---------------------------------------------------------------------------

    def _add(self, start: int, seconds: int, boundary: Boundary) -> int:
        closing = boundary is Boundary.CLOSE
        table = self._covering(start, start)
        while True:
            goal = table.worked(start) + seconds
            wider = self._wider(table, goal, goal if closing else goal + 1)
            if wider is None:
                return table.instant(goal, closing)
            table = wider

    def _open_in(self, second: int) -> bool:
        return self._covering(second, second).is_open(second)

    def _next_open(self, second: int) -> int:
        return self._add(second, 0, Boundary.NEXT_OPEN)

    def _last_open(self, second: int) -> int:
        """The second itself when open, else the closing before it."""
        if self._open_in(second):
            return second
        # a closing instant is the earliest of those with as many seconds worked
        return self._add(self._add(second, -1, Boundary.NEXT_OPEN), 1, Boundary.CLOSE)

    def _business_day_beside(self, day: date, step: int) -> date:
        while FIRST_YEAR < day.year <= self._last_year:
            day += timedelta(days=step)
            if self.is_business_day(day):
                return day
        raise _fault("this calendar has no further business day")

    def _spans_after(self, second: int) -> Iterator[Span]:
        """Open spans that end after `second`, in order, for as long as there are any."""
        table = self._covering(second, second)
        while True:
            i = bisect_right(table.closes, second)
            yield from zip(table.opens[i:], table.closes[i:], strict=True)
            if table.last_year >= self._last_year:
                return
            second = max(second, table.closes[-1])
            table = self._compiled(table.first_year, table.last_year + 1)

    def _covering(self, first: int, last: int) -> _Table:
        """A table in which both seconds can be read."""
        if first < _FIRST_S or last > _LAST_S:
            raise _fault(f"expected instants of the years {FIRST_YEAR + 1} to {LAST_YEAR - 1}")
        return self._compiled(instant_of(first - _MARGIN_S).year, instant_of(last + _MARGIN_S).year)

    def _wider(self, table: _Table, least: int, most: int) -> _Table | None:
        """A table that reaches further, or None when this one reads `least` … `most`."""
        years = table.last_year - table.first_year + 1
        before = (table.first_year - FIRST_YEAR) * _YEAR_S  # at most, of time not yet compiled
        after = (self._last_year - table.last_year) * _YEAR_S
        if -least > before or most - table.ends[-1] > max(0, after):
            raise _fault(
                f"this calendar is not open that long between {FIRST_YEAR} and {LAST_YEAR}; "
                "give it opening hours or expect less"
            )
        if least < 0:
            return self._compiled(max(FIRST_YEAR, table.first_year - years), table.last_year)
        if most > table.ends[-1]:
            last_year = min(self._last_year, table.last_year + years)
            return self._compiled(table.first_year, last_year)
        return None

    def _compiled(self, first_year: int, last_year: int) -> _Table:
        """The table of these years and of those it held before."""
        held = self._table
        if held is not None:
            first_year = min(first_year, held.first_year)
            last_year = max(last_year, held.last_year)
            if (first_year, last_year) == (held.first_year, held.last_year):
                return held
        for year in range(first_year, last_year + 1):
            if year not in self._years:
                self._years[year] = _spans_of_year(self.calendar, year)
        spans = (span for year in range(first_year, last_year + 1) for span in self._years[year])
        # assigned whole: another thread sees the old table or the new one
        self._table = table = _tabulated(first_year, last_year, spans)
        return table


def due_times(
    times: Sequence[BusinessTime],
    which: npt.ArrayLike,
    starts: npt.ArrayLike,
    seconds: npt.ArrayLike,
    boundary: Boundary = Boundary.CLOSE,
) -> Seconds:
    """Due times over mixed calendars.

    Parameters
    ----------
    times : sequence of BusinessTime
    which : int array, shape (n,)
        Index into `times` of each row's calendar.
    starts, seconds : int arrays, shape (n,) or scalars
        UTC seconds, and business seconds to add.

    Returns
    -------
    int64 array, shape (n,), of UTC seconds
    """
    calendar, begin, more = np.broadcast_arrays(_int64(which), _int64(starts), _int64(seconds))
    result = np.empty(calendar.shape, dtype=np.int64)
    for n in np.unique(calendar):
        rows = np.flatnonzero(calendar == n)
        result[rows] = times[int(n)].add_many(begin[rows], more[rows], boundary)
    return result


def second_of(at: datetime) -> int:
    """Whole UTC seconds since 1970 of an aware instant."""
    if at.utcoffset() is None:
        raise _fault("expected an instant with an offset", at.isoformat())
    return (at - _EPOCH) // timedelta(seconds=1)


def instant_of(second: int) -> datetime:
    """The instant, in UTC, of seconds since 1970."""
    return _EPOCH + timedelta(seconds=second)


def _spans_of_year(calendar: BusinessCalendar, year: int) -> list[Span]:
    first = date(year, 1, 1).toordinal()
    days = (date.fromordinal(first + n) for n in range(date(year, 12, 31).toordinal() - first + 1))
    return [span for day in days for span in calendar.open_on(day)]


def _tabulated(first_year: int, last_year: int, spans: Iterable[Span]) -> _Table:
    """Spans in order, without overlap (night spans may reach into the next), and their totals."""
    table = _Table(first_year, last_year, [_NEVER], [_NEVER], [0])
    for opening, closing in sorted(spans):
        start = max(opening, table.closes[-1])
        if start < closing:
            table.opens.append(start)
            table.closes.append(closing)
            table.ends.append(table.ends[-1] + closing - start)
    return table


def _last_opening_year(calendar: BusinessCalendar) -> int:
    """The last year in which the calendar can open at all."""
    if any(calendar.week):
        return LAST_YEAR
    return max((day.year for day, spans in calendar.overrides.items() if spans), default=FIRST_YEAR)


def _worked_many(table: _Table, seconds: Seconds) -> Seconds:
    opens, closes, ends = table.arrays
    i = np.searchsorted(opens, seconds, side="right") - 1
    worked: Seconds = ends[i] - np.maximum(0, closes[i] - seconds)
    return worked


def _int64(values: npt.ArrayLike) -> Seconds:
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise _fault("expected whole seconds", str(array.dtype))
    return array.astype(np.int64)


def _fault(expected: str, value: str | None = None) -> InputError:
    return InputError.of([Fault(expected, value=value)])


_FIRST_S = second_of(datetime(FIRST_YEAR + 1, 1, 1, tzinfo=UTC))
_LAST_S = second_of(datetime(LAST_YEAR, 1, 1, tzinfo=UTC)) - 1
