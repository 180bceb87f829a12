"""What came in so far: tickets counted per skill, day and slot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scheduler.errors import SchedulingError
from scheduler.labour import DayType

MINUTES_A_DAY = 1440
SECONDS_A_DAY = 86_400
SATURDAY = 5
QUIET = 0.05  # a day below this share of its weekday's median, on all skills, was not recorded

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Day:
    """Day type of a date and, for a special day, the name it returns under."""

    day_type: DayType
    name: str = ""


Calendar = Mapping[dt.date, Day]


@dataclass(frozen=True)
class History:
    """One skill's past in whole days.

    Attributes
    ----------
    skill : str
    first : date
        The first day.
    slot_min : int
        Minutes per slot; slots count from local midnight.
    volume : array (days, slots)
        Contacts.
    handle_s : array (days, slots)
        Mean handle time, seconds; NaN where nothing was measured.
    measured : array (days, slots)
        Contacts with a handle time.
    recorded : array (days,) of bool
        False for days whose records are missing.
    """

    skill: str
    first: dt.date
    slot_min: int
    volume: Floats
    handle_s: Floats
    measured: Floats
    recorded: NDArray[np.bool_]

    @property
    def dates(self) -> list[dt.date]:
        return [self.first + dt.timedelta(days=n) for n in range(len(self.volume))]

    def until(self, days: int) -> History:
        """The first `days` days."""
        return replace(
            self,
            volume=self.volume[:days],
            handle_s=self.handle_s[:days],
            measured=self.measured[:days],
            recorded=self.recorded[:days],
        )


def day_of(date: dt.date, calendar: Calendar) -> Day:
    """The day type of a date; Monday to Friday are workdays where the calendar says nothing."""
    weekend = date.weekday() >= SATURDAY
    return calendar.get(date) or Day(DayType.REST_DAY if weekend else DayType.WORKDAY)


def histories(
    tickets: pd.DataFrame,
    *,
    slot_min: int = 30,
    timezone: str | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
    missing: Collection[dt.date] = (),
) -> tuple[History, ...]:
    """Count tickets per skill, day and slot.

    Parameters
    ----------
    tickets : DataFrame
        ``opened_at`` (datetime64; with a zone it is converted to `timezone`, without one it is
        local already), ``skill`` (str) and, optionally, ``handle_s`` (seconds; missing or not
        positive = not measured). Other columns are ignored.
    slot_min : int
        Minutes per slot, a divisor of a day.
    timezone : str, optional
        IANA name; needed when the times carry a zone.
    since, until : date, optional
        First day, and the day after the last one; by default the days of the first and of the
        last ticket, which may be partial.
    missing : collection of date
        Days known to be without records. Days almost empty on all skills while their weekday
        usually is not are treated as missing too.

    Raises
    ------
    SchedulingError
        A column is missing or of the wrong kind, a time is empty, or the slot divides no day.
    """
    local, skill, handle = _columns(tickets, slot_min, timezone)
    if since is None and len(local):
        since = local.min().date()
    if until is None and len(local):
        until = local.max().date() + dt.timedelta(days=1)
    if since is None or until is None or until <= since:
        return ()
    days, slots = (until - since).days, MINUTES_A_DAY // slot_min
    midnight = local.dt.normalize()
    day = (midnight - pd.Timestamp(since)).dt.days.to_numpy()
    slot = ((local - midnight).dt.total_seconds() // (slot_min * 60)).to_numpy(dtype=int)
    inside = (day >= 0) & (day < days)
    names = sorted(skill[inside].unique())
    at = pd.Categorical(skill, categories=names).codes
    shape = (len(names), days, slots)
    cell = np.ravel_multi_index((at[inside], day[inside], slot[inside]), shape)
    known = np.isfinite(handle[inside]) & (handle[inside] > 0)
    size = int(np.prod(shape))
    volume = np.bincount(cell, minlength=size).reshape(shape).astype(float)
    measured = np.bincount(cell[known], minlength=size).reshape(shape).astype(float)
    seconds = np.bincount(cell[known], handle[inside][known], minlength=size).reshape(shape)
    mean = np.divide(seconds, measured, out=np.full(shape, np.nan), where=measured > 0)
    recorded = _recorded(volume.sum(axis=(0, 2)), since, missing)
    return tuple(
        History(name, since, slot_min, volume[n], mean[n], measured[n], recorded)
        for n, name in enumerate(names)
    )


def _columns(
    tickets: pd.DataFrame, slot_min: int, timezone: str | None
) -> tuple[pd.Series, pd.Series, Floats]:
    absent = [name for name in ("opened_at", "skill") if name not in tickets]
    if absent:
        raise SchedulingError("\n".join(f"tickets need a column {name}" for name in absent))
    if slot_min < 1 or MINUTES_A_DAY % slot_min:
        raise SchedulingError(f"a slot of {slot_min} minutes does not divide a day")
    opened = tickets["opened_at"]
    if not (len(opened) == 0 or pd.api.types.is_datetime64_any_dtype(opened)):
        raise SchedulingError("opened_at must hold times")
    if opened.isna().any() or tickets["skill"].isna().any():
        raise SchedulingError("opened_at and skill must not be empty")
    opened = pd.to_datetime(opened)
    if opened.dt.tz is not None:
        if timezone is None:
            raise SchedulingError("times with a zone need the zone of the desk")
        opened = opened.dt.tz_convert(timezone).dt.tz_localize(None)
    if "handle_s" in tickets:
        handle = pd.to_numeric(tickets["handle_s"]).to_numpy(dtype=float, na_value=np.nan)
    else:
        handle = np.full(len(tickets), np.nan)
    return opened, tickets["skill"].astype(str), handle


def together(past: Sequence[History]) -> History:
    """Several skills of the same days and slots as one, without handle times."""
    volume = np.sum([history.volume for history in past], axis=0)
    return replace(
        past[0],
        skill="",
        volume=volume,
        handle_s=np.full(volume.shape, np.nan),
        measured=np.zeros(volume.shape),
    )


def _recorded(totals: Floats, since: dt.date, missing: Collection[dt.date]) -> NDArray[np.bool_]:
    recorded = np.ones(len(totals), dtype=bool)
    weekday = (np.arange(len(totals)) + since.weekday()) % 7
    for n, total in enumerate(totals):
        peers = totals[weekday == weekday[n]]
        empty = total == 0 or total < QUIET * np.median(peers)
        listed = since + dt.timedelta(days=n) in missing
        recorded[n] = not (listed or (empty and len(peers) > 1 and np.median(peers) > 0))
    return recorded
