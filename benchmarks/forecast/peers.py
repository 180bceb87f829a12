"""Peers of the forecast, run where their packages are installed: none of them is a dependency.

Each is given what our candidates are given: the history, the dates to forecast and the calendar.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

from scheduler.demand.candidates import Fitted, Model
from scheduler.demand.history import Calendar, Floats, History, day_of
from scheduler.demand.special import WORKING
from scheduler.labour import DayType

WEEK = 7
AHEAD = (1, 4, 7)  # how far before a day of the past its features are taken


def peers() -> tuple[Model, ...]:
    """Those whose packages are here."""
    found: list[Model] = []
    if find_spec("sklearn"):
        found.append(Model("boosting", _boosting))
    if find_spec("statsmodels"):
        found.append(Model("exp_smoothing", _smoothing))
    return tuple(found)


def _boosting(fitted: Fitted, dates: Sequence[dt.date]) -> Floats:
    """Gradient boosting of slots on weekday, slot, day type, lags and recent levels (Poisson)."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    history, calendar = fitted.history, fitted.profile.calendar
    days = len(history.volume)
    rows, seen = [], []
    for day in range(WEEK, days):
        if not history.recorded[day]:
            continue
        for ahead in AHEAD:
            if day - ahead + 1 >= WEEK:
                rows.append(_features(history, calendar, day, day - ahead + 1))
                seen.append(history.volume[day])
    if not rows:
        return fitted.same_weekdays(dates, 1)
    model = HistGradientBoostingRegressor(
        loss="poisson", max_iter=120, learning_rate=0.06, max_leaf_nodes=15, min_samples_leaf=30,
        categorical_features=[0], random_state=0,
    )  # fmt: skip
    model.fit(np.concatenate(rows), np.concatenate(seen))
    wanted = [_features(history, calendar, (date - history.first).days, days) for date in dates]
    return np.asarray(model.predict(np.concatenate(wanted)).reshape(len(dates), -1))


def _features(history: History, calendar: Calendar, day: int, known: int) -> Floats:
    """Features of a day's slots from the `known` first days."""
    volume = history.volume
    slots = volume.shape[1]
    date = history.first + dt.timedelta(days=day)
    kind = day_of(date, calendar).day_type
    past = np.flatnonzero(history.recorded[:known])[-8 * WEEK :]
    same = [n for n in past if (day - n) % WEEK == 0][-4:]
    like = [n for n in past if _works(history, calendar, n) == (kind in WORKING)][-10:]
    unknown = np.full(slots, np.nan)
    columns = [
        np.full(slots, date.weekday()),
        np.arange(slots),
        np.full(slots, kind in WORKING),
        np.full(slots, kind == DayType.STATUTORY_HOLIDAY),
        volume[same].mean(axis=0) if same else unknown,
        volume[same[-1]] if same else unknown,
        volume[like].mean(axis=0) if like else unknown,
        np.full(slots, volume[past[-7:]].mean() if len(past) else np.nan),
        np.full(slots, volume[past[-14:]].mean() if len(past) else np.nan),
    ]
    return np.stack(columns, axis=1).astype(float)


def _works(history: History, calendar: Calendar, day: int) -> bool:
    return day_of(history.first + dt.timedelta(days=int(day)), calendar).day_type in WORKING


def _smoothing(fitted: Fitted, dates: Sequence[dt.date]) -> Floats:
    """Holt-Winters of day totals with a week's season, spread by the mean share of each slot."""
    import warnings

    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    history = fitted.history
    totals = history.volume.sum(axis=1) + 0.5
    if len(totals) < 2 * WEEK:
        return fitted.same_weekdays(dates, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of every fit that stopped early
        model = ExponentialSmoothing(totals, seasonal="add", seasonal_periods=WEEK).fit()
        ahead = model.forecast((max(dates) - history.first).days - len(totals) + 1)
    at = [(date - history.first).days - len(totals) for date in dates]
    shares = history.volume.sum(axis=0) / max(history.volume.sum(), 1.0)
    return np.asarray(np.maximum(ahead[at], 0.0)[:, None] * shares)
