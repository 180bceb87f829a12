"""A regression of the day's contacts: weekday, trend, place in the month and season of the year.

The logarithm of the contacts of plain days is explained by ridge regression, recent days counting
more; what the last weeks show beyond it moves the level. Special days take the factors of the
profile. A season of the year is only sought when the history has seen one whole.
"""

from __future__ import annotations

import calendar as months
import datetime as dt
import math
from collections.abc import Sequence

import numpy as np

from scheduler.demand.history import Floats
from scheduler.demand.profile import Profile

WEEK = 7
YEAR = 365.25
WHOLE_YEAR = 400  # days of history before a season of the year is sought
MEMORY = 140.0  # days: half-life of a day's weight
LEVEL_MEMORY = 10.0  # days: the same for what the last weeks show beyond the regression
SHRINK_TREND = 400.0  # in plain days, a week after the last
SHRINK_MONTH, SHRINK_SEASON = 8.0, 5.0  # in plain days
DAMPED_WEEKS = 4.0  # a trend goes on for as many weeks, all in all
FURTHEST = 0.4  # of the logarithm; days further from the usual are outbreaks
MONTH_EDGE = 3  # first and last days of a month
LEVEL_DAYS = 5.0  # days that speak against a new level
HARMONICS = 2


def day_totals(profile: Profile, dates: Sequence[dt.date]) -> Floats:
    """Contacts expected on each date."""
    sizes = profile.day_sizes(dates)
    rows = np.flatnonzero(profile.plain & (profile.totals > 0))
    if len(rows) <= WEEK:
        return profile.level(LEVEL_MEMORY) * sizes
    seen = [profile.dates[n] for n in rows]
    season = (profile.last - profile.dates[0]).days >= WHOLE_YEAR
    usual = np.array([profile.usual(date) for date in seen])
    if not usual.any():  # contacts only on days on which none are usual
        return profile.level(LEVEL_MEMORY) * sizes
    beyond = np.clip(np.log(profile.totals[rows] / np.maximum(usual, 1e-9)), -FURTHEST, FURTHEST)
    design, penalty = _design(seen, profile.last, season)
    weight = 0.5 ** (profile.age[rows] / MEMORY) * usual / max(usual.mean(), 1e-9)
    heavy = design * weight[:, None]
    weights = np.linalg.solve(heavy.T @ design + np.diag(penalty), heavy.T @ beyond)
    left = beyond - design @ weights
    fresh = 0.5 ** (profile.age[rows] / LEVEL_MEMORY)
    level = float(fresh @ left / (fresh.sum() + LEVEL_DAYS))
    ahead, _ = _design(dates, profile.last, season)
    # exp of a mean logarithm lies below the mean
    smear = float(weight @ profile.totals[rows] / (weight @ (usual * np.exp(design @ weights))))
    return np.asarray(sizes * np.exp(ahead @ weights + level) * smear)


def _design(dates: Sequence[dt.date], last: dt.date, season: bool) -> tuple[Floats, Floats]:
    """One row per date, and the penalty of each column."""
    weeks = np.array([(date - last).days / WEEK for date in dates])
    columns = [np.ones(len(dates)), np.where(weeks > 0, _damped(weeks), weeks)]
    penalty = [1e-6, SHRINK_TREND]
    ends = [months.monthrange(date.year, date.month)[1] - date.day for date in dates]
    columns.append(np.array([date.day <= MONTH_EDGE for date in dates], dtype=float))
    columns.append(np.array([end < MONTH_EDGE for end in ends], dtype=float))
    penalty += [SHRINK_MONTH] * 2
    if season:
        turn = np.array([2 * math.pi * date.timetuple().tm_yday / YEAR for date in dates])
        for number in range(1, HARMONICS + 1):
            columns += [np.sin(number * turn), np.cos(number * turn)]
            penalty += [SHRINK_SEASON] * 2
    return np.stack(columns, axis=1), np.array(penalty)


def _damped(weeks: Floats) -> Floats:
    return np.asarray(DAMPED_WEEKS * (1 - np.exp(-np.maximum(weeks, 0) / DAMPED_WEEKS)))
