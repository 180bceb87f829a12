"""Forecast models: last week again, and a profile of weekday × slot with a level.

The profile says: contacts = level × size of the day × share of the slot.

* The *size* of an ordinary day is the recency-weighted median of its weekday. A make-up workday
  has the size and shape of an average workday, a rest day on a weekday those of an average rest
  day. A special day takes the ratio to the workdays around it that it had when it was last seen,
  by name or, failing that, as any statutory holiday; never seen, it is a rest day.
* The *share* of a slot is that of the weekday, drawn towards its neighbouring slots and towards
  the average of its class (work or rest), each as far as chance explains the difference (the
  positive-part rule of James & Stein, 1961, on Pearson's chi-square). Sizes of weekdays are
  drawn towards each other in the same way.
* The *level* is the recent ratio of days to their size, with an optional damped trend (Gardner
  & McKenzie, "Forecasting trends in time series", 1985).

Single slots far above what is usual at their place (an outage, a mailing) are cut before the
sizes and shares are taken.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scheduler.demand.history import Calendar, Day, Floats, History, day_of
from scheduler.labour import DayType

SIZE_HALF_LIFE = 56.0  # days
AROUND = 21  # days to either side that a special day is compared with
DAMPING = 0.8  # per week
STEEPEST = 0.1  # per week
WEEK = 7
SHARP_MIN = 30  # minutes; longer slots differ from their neighbours more than chance does
WORK, REST = "work", "rest"
WORKING = (DayType.WORKDAY, DayType.MAKE_UP_WORKDAY)
SATURDAY = 5
FEW = 3  # days or weekdays it takes to speak of a usual one
DAY_NOISE = 0.15  # spread of day totals assumed as strongly as one day per weekday would show it


@dataclass(frozen=True, slots=True)
class Model:
    """A candidate.

    ``half_life`` is the memory of the level in days (``None``: no level of its own);
    ``trend`` lets the level go on moving.
    """

    name: str
    half_life: float | None = None
    trend: bool = False


NAIVE = Model("seasonal_naive")
CANDIDATES = (
    NAIVE,
    Model("profile"),
    Model("profile_level", half_life=10.0),
    Model("profile_trend", half_life=10.0, trend=True),
)


def predict(model: Model, history: History, dates: Sequence[dt.date], calendar: Calendar) -> Floats:
    """Contacts expected per date and slot, array (dates, slots)."""
    if model == NAIVE:
        return _last_week_again(history, dates)
    return _Profile(model, history, calendar).predict(dates)


def _last_week_again(history: History, dates: Sequence[dt.date]) -> Floats:
    """The same slot of the latest recorded day of the same weekday; the mean day without one."""
    result = np.zeros((len(dates), history.volume.shape[1]))
    seen = np.flatnonzero(history.recorded)
    for row, date in enumerate(dates):
        offset = (date - history.first).days
        same = seen[(seen < offset) & ((offset - seen) % WEEK == 0)]
        if same.size:
            result[row] = history.volume[same[-1]]
        elif seen.size:
            result[row] = history.volume[seen].mean(axis=0)
    return result


class _Profile:
    """Sizes, shares and level learnt from one history."""

    def __init__(self, model: Model, history: History, calendar: Calendar) -> None:
        self.model = model
        self.calendar = calendar
        keep = history.recorded
        side = 0.25 * min(1.0, SHARP_MIN / history.slot_min) ** 2
        self.blur = np.array([side, 1 - 2 * side, side])
        self.last = history.first + dt.timedelta(days=len(keep) - 1)
        dates = [date for date, known in zip(history.dates, keep, strict=True) if known]
        days = [day_of(date, calendar) for date in dates]
        self.working = np.array([day.day_type in WORKING for day in days], dtype=bool)
        self.weekly = self._week(dates, days)
        self.keys = np.array(
            [self._key(*pair) for pair in zip(dates, days, strict=True)], dtype=str
        )
        self.age = np.array([(self.last - date).days for date in dates], dtype=float)
        self.ordinary = np.array([key.isdigit() for key in self.keys], dtype=bool)
        self.volume = self._without_spikes(history.volume[keep])
        self.totals = self.volume.sum(axis=1)
        self.sizes = self._sizes()
        self.shares = self._shares()
        self.level, self.growth = self._level()

    def predict(self, dates: Sequence[dt.date]) -> Floats:
        rows = []
        for date in dates:
            day = day_of(date, self.calendar)
            key = self._known(self._key(date, day), day)
            weeks = max(0, (date - self.last).days) / WEEK
            drift = self.growth ** (DAMPING * (1 - DAMPING**weeks) / (1 - DAMPING))
            rows.append(self.level * drift * self.sizes[key] * self.shares[key])
        return np.array(rows).reshape(len(dates), self.volume.shape[1])

    def _week(self, dates: Sequence[dt.date], days: Sequence[Day]) -> list[str]:
        """Whether each weekday is usually one of work or of rest."""
        votes = np.zeros(WEEK)
        for date, day in zip(dates, days, strict=True):
            if day.day_type in (DayType.WORKDAY, DayType.REST_DAY) and not day.name:
                votes[date.weekday()] += 1 if day.day_type == DayType.WORKDAY else -1
        plain = np.where(np.arange(WEEK) < SATURDAY, 0.5, -0.5)
        return [WORK if vote > 0 else REST for vote in votes + plain]

    def _key(self, date: dt.date, day: Day) -> str:
        """Days of one key share size and shape: the weekday's number on an ordinary day."""
        if day.day_type == DayType.STATUTORY_HOLIDAY or (day.name and day.day_type not in WORKING):
            return f"special:{day.name}"
        kind = WORK if day.day_type in WORKING else REST
        ordinary = day.day_type != DayType.MAKE_UP_WORKDAY and kind == self.weekly[date.weekday()]
        return str(date.weekday()) if ordinary else kind

    def _known(self, key: str, day: Day) -> str:
        """The nearest key there is something known of."""
        if key.startswith("special:") and key not in self.sizes:
            key = "special" if day.day_type == DayType.STATUTORY_HOLIDAY else REST
        if key in self.sizes:
            return key
        return WORK if day.day_type in WORKING else REST

    def _without_spikes(self, volume: Floats) -> Floats:
        """Cut slots far above the other days of their key and above the usual day of the class."""
        result = volume.copy()
        usual = {
            flag: np.median(volume[self.working == flag], axis=0)
            for flag in np.unique(self.working)
        }
        for key in np.unique(self.keys):
            rows = np.flatnonzero(self.keys == key)
            flag = self.working[rows[0]]
            if len(rows) == 1 and (not key.isdigit() or (self.working == flag).sum() < FEW):
                continue
            # of two days each is judged by the other
            peers = volume[rows][::-1] if len(rows) == 2 else np.median(volume[rows], axis=0)
            expected = usual[flag] if len(rows) == 1 else np.maximum(peers, usual[flag])
            most = 2.5 * expected + 4 * np.sqrt(expected) + 3
            result[rows] = np.minimum(volume[rows], most)
        return result

    def _sizes(self) -> dict[str, float]:
        weight = 0.5 ** (self.age / SIZE_HALF_LIFE)
        sizes: dict[str, float] = {}
        for members in (self.working, ~self.working):
            sizes |= self._ordinary_sizes(self.ordinary & members, weight)
        classes = {
            name: [sizes[key] for key in np.unique(self.keys[self.ordinary & members])]
            for name, members in ((WORK, self.working), (REST, ~self.working))
        }
        everything = float(np.average(self.totals, weights=weight)) if len(self.totals) else 0.0
        for name, other in ((WORK, REST), (REST, WORK)):
            known = classes[name] or classes[other] or [everything]
            sizes[name] = float(np.mean(known))
        special = [n for n, key in enumerate(self.keys) if key.startswith("special:")]
        ratios = {n: self._ratio(n, everything) for n in special}
        for key in {self.keys[n] for n in special}:
            seen = [ratios[n] for n in special if self.keys[n] == key]
            sizes[str(key)] = float(np.mean(seen)) * sizes[WORK]
        if special:
            sizes["special"] = float(np.mean(list(ratios.values()))) * sizes[WORK]
        return sizes

    def _ordinary_sizes(self, members: NDArray[np.bool_], weight: Floats) -> dict[str, float]:
        """Weighted median per weekday, drawn to the middle of its class as far as chance goes."""
        own = {
            str(key): _weighted_median(self.totals[self.keys == key], weight[self.keys == key])
            for key in np.unique(self.keys[members])
        }
        middle = float(np.median(list(own.values()))) if own else 0.0
        if len(own) < FEW or min(own.values()) <= 0:
            return own
        off = [
            math.log(self.totals[n] / own[self.keys[n]])
            for n in np.flatnonzero(members)
            if self.totals[n] > 0
        ]
        spare = len(off) - len(own)
        chance = (DAY_NOISE**2 * len(own) + float(np.square(off).sum())) / (len(own) + spare)
        drawn = {}
        for key, size in own.items():
            apart = math.log(size / middle)
            days = (self.keys[members] == key).sum()
            trust = max(0.0, 1 - chance / days / apart**2) if apart else 0.0
            drawn[key] = middle * math.exp(trust * apart)
        return drawn

    def _ratio(self, n: int, everything: float) -> float:
        """A special day over the ordinary workdays around it."""
        near = self.ordinary & self.working & (np.abs(self.age - self.age[n]) <= AROUND)
        base = float(self.totals[near].mean()) if near.any() else everything
        return float(self.totals[n] / base) if base > 0 else 1.0

    def _shares(self) -> dict[str, Floats]:
        weight = 0.5 ** (self.age / SIZE_HALF_LIFE)
        slots = self.volume.shape[1]
        everyone = _normalised(weight @ self.volume, np.full(slots, 1 / slots))
        shares: dict[str, Floats] = {}
        for name, members in ((WORK, self.working), (REST, ~self.working)):
            shares[name] = self._own_share(members, weight, everyone)
        own_keys = [str(key) for key in np.unique(self.keys) if key not in (WORK, REST)]
        groups = {key: self.keys == key for key in own_keys}
        groups["special"] = np.char.startswith(self.keys, "special:")
        for key, same in groups.items():
            pooled = shares[WORK if self.working[same].any() else REST]
            own = self._own_share(same, weight, pooled)
            shares[key] = _drawn(own, pooled, self.volume[same].sum(axis=0))
        return shares

    def _own_share(self, same: NDArray[np.bool_], weight: Floats, fallback: Floats) -> Floats:
        """Shares of some days, drawn towards their neighbouring slots as far as chance goes."""
        counts = self.volume[same].sum(axis=0)
        own = _normalised(weight[same] @ self.volume[same], fallback)
        blurred = np.convolve(np.pad(own, 1, mode="wrap"), self.blur, "valid")
        # closed hours stay closed
        return _drawn(own, _normalised(blurred * self.volume.any(axis=0), own), counts)

    def _level(self) -> tuple[float, float]:
        """Ratio of recent ordinary days to their size, and its growth per week."""
        if self.model.half_life is None:
            return 1.0, 1.0
        size = np.array([self.sizes[key] for key in self.keys])
        usable = self.ordinary & (size > 0)
        if not usable.any():
            return 1.0, 1.0
        ratio, age, size = self.totals[usable] / size[usable], self.age[usable], size[usable]
        middle = float(np.median(ratio))
        ratio = np.clip(ratio, middle / 1.5, middle * 1.5)
        level = float(np.average(ratio, weights=size * 0.5 ** (age / self.model.half_life)))
        fresh, before = age < 2 * WEEK, (age >= 2 * WEEK) & (age < 4 * WEEK)
        if not (self.model.trend and fresh.any() and before.any()):
            return level, 1.0
        now, then = (np.average(ratio[part], weights=size[part]) for part in (fresh, before))
        growth = float((now / then) ** 0.5) if then > 0 and now > 0 else 1.0
        return level, min(max(growth, 1 - STEEPEST), 1 + STEEPEST)


def _weighted_median(values: Floats, weights: Floats) -> float:
    """The median when each value counts by its weight; between two middle ones their mean."""
    order = np.argsort(values, kind="stable")
    reach = np.cumsum(weights[order])
    half = reach[-1] / 2
    low = int(np.searchsorted(reach, half * (1 - 1e-12)))
    high = int(np.searchsorted(reach, half * (1 + 1e-12)))
    return float(values[order][[low, min(high, len(values) - 1)]].mean())


def _normalised(counts: Floats, fallback: Floats) -> Floats:
    total = counts.sum()
    return counts / total if total > 0 else fallback


def _drawn(own: Floats, target: Floats, counts: Floats) -> Floats:
    """Own shares as far as the counts differ from the target by more than chance."""
    expected = target * counts.sum()
    used = expected > 0
    squares = float(((counts[used] - expected[used]) ** 2 / expected[used]).sum())
    chance = max(0, int(used.sum()) - 1)
    trust = max(0.0, 1 - chance / squares) if squares > 0 else 0.0
    return trust * own + (1 - trust) * target
