"""Handle time per slot: candidates that compete like those of the contacts.

* ``mean``: one mean for the skill.
* ``slot``: each slot's own mean on work or rest days, drawn to the skill's: a slot with n
  measured contacts is trusted n / (n + 20) (Bühlmann's credibility).
* ``slot_recent``: the same, moved to the level of the last weeks, which is trusted likewise.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from scheduler.demand.backtest import next_days, starts
from scheduler.demand.history import Calendar, Floats, History, day_of
from scheduler.demand.special import WORKING

PRIOR_CONTACTS = 20.0  # what the skill's mean weighs against a slot's own
PRIOR_LEVEL = 200.0  # what it weighs against the last weeks
RECENT_DAYS = 28

Forecast = Callable[[History, Sequence[dt.date], Calendar], Floats]


@dataclass(frozen=True)
class HandleForecast:
    """Seconds per date and slot (NaN when none was measured), and the error in the back-test.

    ``wapes``: Σ n|forecast - actual| / Σ n·actual of each candidate, empty when untested.
    """

    seconds: Floats
    model: str
    wapes: dict[str, float]

    @property
    def wape(self) -> float | None:
        return self.wapes.get(self.model)


def forecast_handle(
    history: History, dates: Sequence[dt.date], calendar: Calendar
) -> HandleForecast:
    """Handle time by the candidate with the smallest error; untested, by slots."""
    wapes = {}
    for name, candidate in CANDIDATES.items():
        error = _error(history, calendar, candidate)
        if error is not None:
            wapes[name] = error
    best = min(wapes, key=lambda name: wapes[name], default="slot")
    return HandleForecast(CANDIDATES[best](history, dates, calendar), best, wapes)


def _error(history: History, calendar: Calendar, candidate: Forecast) -> float | None:
    error = actual = 0.0
    for start in starts(history):
        rows = next_days(history, start)
        guess = candidate(history.until(start), [history.dates[n] for n in rows], calendar)
        truth, count = history.handle_s[rows], history.measured[rows]
        known = (count > 0) & np.isfinite(guess)
        error += float((count * np.abs(guess - truth))[known].sum())
        actual += float((count * truth)[known].sum())
    return error / actual if actual > 0 else None


def _mean(history: History, dates: Sequence[dt.date], _calendar: Calendar) -> Floats:
    total = history.measured.sum()
    shape = (len(dates), history.volume.shape[1])
    if total == 0:
        return np.full(shape, np.nan)
    return np.full(shape, _seconds(history).sum() / total)


def _slot(history: History, dates: Sequence[dt.date], calendar: Calendar) -> Floats:
    total = history.measured.sum()
    if total == 0:
        return _mean(history, dates, calendar)
    seconds = _seconds(history)
    mean = seconds.sum() / total
    off = np.array([_is_off(date, calendar) for date in history.dates], dtype=bool)
    by_class = {
        kind: (seconds[off == kind].sum(axis=0) + PRIOR_CONTACTS * mean)
        / (history.measured[off == kind].sum(axis=0) + PRIOR_CONTACTS)
        for kind in (False, True)
    }
    rows = [by_class[_is_off(date, calendar)] for date in dates]
    return np.array(rows).reshape(len(dates), history.volume.shape[1])


def _slot_recent(history: History, dates: Sequence[dt.date], calendar: Calendar) -> Floats:
    own = _slot(history, dates, calendar)
    seconds = _seconds(history)
    total, fresh = history.measured.sum(), history.measured[-RECENT_DAYS:].sum()
    if total == 0 or fresh == 0 or seconds.sum() == 0:
        return own
    ratio = (seconds[-RECENT_DAYS:].sum() / fresh) / (seconds.sum() / total)
    trust = fresh / (fresh + PRIOR_LEVEL)
    return np.asarray(own * (1 + trust * (ratio - 1)))


def _seconds(history: History) -> Floats:
    return np.asarray(np.nan_to_num(history.handle_s) * history.measured)


def _is_off(date: dt.date, calendar: Calendar) -> bool:
    return day_of(date, calendar).day_type not in WORKING


CANDIDATES: dict[str, Forecast] = {"mean": _mean, "slot": _slot, "slot_recent": _slot_recent}
