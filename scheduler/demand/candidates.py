"""The forecasts that compete: from last week again to a regression, and a mean of two.

* ``seasonal_naive``: the same slot of the latest day of the same weekday.
* ``seasonal_mean``: the mean of the last four of them.
* ``profile``: weekday × slot (`profile.py`) at the level of the whole history; ``profile_level``
  at that of the last weeks; ``profile_trend`` lets the level go on moving, damped (Gardner &
  McKenzie, "Forecasting trends in time series", 1985).
* ``regression``: the day's contacts from a regression (`regression.py`), spread over the slots
  by the profile.
* ``blend``: the mean of ``profile_level``, ``seasonal_mean`` and ``regression``, since errors
  that differ cancel (Bates & Granger, "The combination of forecasts", 1969).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from scheduler.demand.history import Calendar, Floats, History
from scheduler.demand.profile import Profile
from scheduler.demand.regression import day_totals

WEEK = 7
HALF_LIFE = 10.0  # days, of the level
DAMPING = 0.8  # of the trend, per week
WEEKS_AVERAGED = 4

Forecast = Callable[["Fitted", Sequence[dt.date]], Floats]


@dataclass(frozen=True, slots=True)
class Model:
    """A candidate: its name and how it forecasts."""

    name: str
    forecast: Forecast


class Fitted:
    """One history with what the candidates learn from it, learnt once for all of them.

    `desk` is the history of all skills together: what holidays do to the days near them is
    learnt from it as well.
    """

    def __init__(self, history: History, calendar: Calendar, desk: History | None = None) -> None:
        self.history = history
        everything = Profile(desk, calendar).factors if desk else None
        self.profile = Profile(history, calendar, everything)

    def same_weekdays(self, dates: Sequence[dt.date], weeks: int) -> Floats:
        """Mean of the latest recorded days of the same weekday; of all days without one."""
        history = self.history
        result = np.zeros((len(dates), history.volume.shape[1]))
        seen = np.flatnonzero(history.recorded)
        for row, date in enumerate(dates):
            offset = (date - history.first).days
            same = seen[(seen < offset) & ((offset - seen) % WEEK == 0)]
            if same.size:
                result[row] = history.volume[same[-weeks:]].mean(axis=0)
            elif seen.size:
                result[row] = history.volume[seen].mean(axis=0)
        return result

    def spread(self, sizes: Floats, dates: Sequence[dt.date]) -> Floats:
        """Contacts of days over their slots."""
        return sizes[:, None] * self.profile.day_shares(dates)


def _naive(fitted: Fitted, dates: Sequence[dt.date]) -> Floats:
    return fitted.same_weekdays(dates, 1)


def _mean(fitted: Fitted, dates: Sequence[dt.date]) -> Floats:
    return fitted.same_weekdays(dates, WEEKS_AVERAGED)


def _profile(fitted: Fitted, dates: Sequence[dt.date]) -> Floats:
    return fitted.spread(fitted.profile.day_sizes(dates), dates)


def _level(fitted: Fitted, dates: Sequence[dt.date]) -> Floats:
    return fitted.profile.level(HALF_LIFE) * _profile(fitted, dates)


def _trend(fitted: Fitted, dates: Sequence[dt.date]) -> Floats:
    last, growth = fitted.profile.last, fitted.profile.growth()
    weeks = np.array([max(0, (date - last).days) / WEEK for date in dates])
    drift = growth ** (DAMPING * (1 - DAMPING**weeks) / (1 - DAMPING))
    return np.asarray(drift[:, None] * _level(fitted, dates))


def _regression(fitted: Fitted, dates: Sequence[dt.date]) -> Floats:
    return fitted.spread(day_totals(fitted.profile, dates), dates)


def _blend(fitted: Fitted, dates: Sequence[dt.date]) -> Floats:
    parts = (_level, _mean, _regression)
    return np.asarray(sum(part(fitted, dates) for part in parts) / len(parts))


NAIVE = Model("seasonal_naive", _naive)
PROFILE = Model("profile", _profile)
CANDIDATES = (
    NAIVE,
    Model("seasonal_mean", _mean),
    PROFILE,
    Model("profile_level", _level),
    Model("profile_trend", _trend),
    Model("regression", _regression),
    Model("blend", _blend),
)


def predict(model: Model, history: History, dates: Sequence[dt.date], calendar: Calendar) -> Floats:
    """Contacts expected per date and slot, array (dates, slots)."""
    return model.forecast(Fitted(history, calendar), dates)
