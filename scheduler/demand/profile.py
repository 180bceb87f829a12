"""A profile of weekday × slot: contacts = level × size of the day × share of the slot.

* The *size* of an ordinary day is the recency-weighted median of its weekday. A make-up workday
  has the size and shape of an average workday, a rest day on a weekday those of an average rest
  day. Special days have learnt factors (`factors.py`): a day off by the workdays around it, a
  workday near a holiday by what it would be elsewhere. A day off like none seen is a rest day.
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
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from scheduler.demand.factors import Factor, Factors, Seen, learn
from scheduler.demand.history import Calendar, Day, Floats, History, day_of
from scheduler.demand.special import WORKING, Place, places
from scheduler.labour import DayType

SIZE_HALF_LIFE = 56.0  # days
AROUND = 21  # days to either side that a special day is compared with
STEEPEST = 0.1  # per week
WEEK = 7
SHARP_MIN = 30  # minutes; longer slots differ from their neighbours more than chance does
WORK, REST = "work", "rest"
SATURDAY = 5
FEW = 3  # days or weekdays it takes to speak of a usual one
DAY_NOISE = 0.15  # spread of day totals assumed as strongly as one day per weekday would show it


class Profile:
    """Sizes, shares and special days learnt from one history."""

    def __init__(self, history: History, calendar: Calendar, desk: Factors | None = None) -> None:
        self.calendar = calendar
        keep = history.recorded
        side = 0.25 * min(1.0, SHARP_MIN / history.slot_min) ** 2
        self.blur = np.array([side, 1 - 2 * side, side])
        self.last = history.first + dt.timedelta(days=len(keep) - 1)
        self.dates = [date for date, known in zip(history.dates, keep, strict=True) if known]
        days = [day_of(date, calendar) for date in self.dates]
        self.working = np.array([day.day_type in WORKING for day in days], dtype=bool)
        self.weekly = self._week(self.dates, days)
        self.places = places(history.first, self.last, calendar)
        self.keys = np.array(
            [self._key(*pair, self.places) for pair in zip(self.dates, days, strict=True)],
            dtype=str,
        )
        self.age = np.array([(self.last - date).days for date in self.dates], dtype=float)
        self.plain = self._plain()
        self.volume = self._without_spikes(history.volume[keep])
        self.totals = self.volume.sum(axis=1)
        self.chance = DAY_NOISE**2
        self.sizes = self._sizes()
        self.factors = learn(self._seen(), self.chance, desk)
        self.shares = self._shares()

    def day_sizes(self, dates: Sequence[dt.date]) -> Floats:
        """Contacts of each day at the level of the whole history, special days by their factor."""
        if not dates:
            return np.zeros(0)
        near = places(min(dates), max(dates), self.calendar)
        return np.array([self._size(date, near) for date in dates])

    def day_shares(self, dates: Sequence[dt.date]) -> Floats:
        """Share of each slot in the day's contacts, array (dates, slots)."""
        near = places(min(dates), max(dates), self.calendar) if dates else {}
        rows = []
        for date in dates:
            day = day_of(date, self.calendar)
            rows.append(self.shares[self._known(self._key(date, day, near), day, self.shares)])
        return np.array(rows).reshape(len(dates), self.volume.shape[1])

    def usual(self, date: dt.date) -> float:
        """Size of a date were it no special day: its weekday's, or an average work or rest day."""
        day = day_of(date, self.calendar)
        return self.sizes[self._known(self._key(date, day, {}), day, self.sizes)]

    def factor(self, place: Place | None) -> Factor | None:
        return self.factors.of(place) if place else None

    def _size(self, date: dt.date, near: dict[dt.date, Place]) -> float:
        place = near.get(date)
        learnt = self.factor(place)
        if place is None or learnt is None:
            return self.usual(date)
        return learnt.factor * (self.sizes[WORK] if place.is_off else self.usual(date))

    def _plain(self) -> NDArray[np.bool_]:
        """Ordinary days that no holiday touches; all ordinary ones where there are no others."""
        ordinary = np.array([key.isdigit() for key in self.keys], dtype=bool)
        away = np.array([date not in self.places for date in self.dates], dtype=bool)
        return ordinary & away if (ordinary & away & self.working).any() else ordinary

    def _seen(self) -> list[Seen]:
        """Special days of the past with what they were of the usual."""
        level = self._local_level()
        seen = []
        for n, date in enumerate(self.dates):
            place = self.places.get(date)
            if place is None or self.plain[n]:
                continue
            base = self.sizes[WORK] if place.is_off else self.usual(date)
            if base * level[n] > 0:
                seen.append(Seen(date, place, float(self.totals[n] / (base * level[n]))))
        return seen

    def _local_level(self) -> Floats:
        """How busy the weeks around each day were, against the sizes."""
        size = np.array([self.sizes.get(key, 0.0) for key in self.keys])
        level = np.ones(len(self.keys))
        for n, age in enumerate(self.age):
            near = self.plain & (np.abs(self.age - age) <= AROUND) & (size > 0)
            if near.any():
                level[n] = self.totals[near].sum() / size[near].sum()
        return level

    def _week(self, dates: Sequence[dt.date], days: Sequence[Day]) -> list[str]:
        """Whether each weekday is usually one of work or of rest."""
        votes = np.zeros(WEEK)
        for date, day in zip(dates, days, strict=True):
            if day.day_type in (DayType.WORKDAY, DayType.REST_DAY) and not day.name:
                votes[date.weekday()] += 1 if day.day_type == DayType.WORKDAY else -1
        plain = np.where(np.arange(WEEK) < SATURDAY, 0.5, -0.5)
        return [WORK if vote > 0 else REST for vote in votes + plain]

    def _key(self, date: dt.date, day: Day, near: dict[dt.date, Place]) -> str:
        """Days of one key share their shape: the weekday's number on an ordinary day."""
        place = near.get(date)
        if place and place.is_off:
            return f"special:{place.name}:{place.offset}"
        kind = WORK if day.day_type in WORKING else REST
        ordinary = day.day_type != DayType.MAKE_UP_WORKDAY and kind == self.weekly[date.weekday()]
        return str(date.weekday()) if ordinary else kind

    def _known(self, key: str, day: Day, known: Mapping[str, object]) -> str:
        """The nearest key there is something known of."""
        if key.startswith("special:") and key not in known and "special" in known:
            key = "special"
        if key in known:
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
            sizes |= self._ordinary_sizes(self.plain & members, weight)
        classes = {
            name: [sizes[key] for key in np.unique(self.keys[self.plain & members])]
            for name, members in ((WORK, self.working), (REST, ~self.working))
        }
        everything = float(np.average(self.totals, weights=weight)) if len(self.totals) else 0.0
        for name, other in ((WORK, REST), (REST, WORK)):
            known = classes[name] or classes[other] or [everything]
            sizes[name] = float(np.mean(known))
        return sizes

    def _ordinary_sizes(self, members: NDArray[np.bool_], weight: Floats) -> dict[str, float]:
        """Weighted median per weekday, drawn to the middle of its class as far as chance goes."""
        own = {
            str(key): _weighted_median(
                self.totals[members & (self.keys == key)], weight[members & (self.keys == key)]
            )
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
        if members[self.working].any():
            self.chance = chance
        drawn = {}
        for key, size in own.items():
            apart = math.log(size / middle)
            days = (self.keys[members] == key).sum()
            trust = max(0.0, 1 - chance / days / apart**2) if apart else 0.0
            drawn[key] = middle * math.exp(trust * apart)
        return drawn

    def _shares(self) -> dict[str, Floats]:
        weight = 0.5 ** (self.age / SIZE_HALF_LIFE)
        slots = self.volume.shape[1]
        everyone = _normalised(weight @ self.volume, np.full(slots, 1 / slots))
        shares: dict[str, Floats] = {}
        for name, members in ((WORK, self.working), (REST, ~self.working)):
            shares[name] = self._own_share(members, weight, everyone)
        own_keys = [str(key) for key in np.unique(self.keys) if key not in (WORK, REST)]
        groups = {key: self.keys == key for key in own_keys}
        special = np.char.startswith(self.keys, "special:")
        if special.any():
            groups["special"] = special
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

    def level(self, half_life: float) -> float:
        """Ratio of recent plain days to their size; `half_life` in days."""
        ratio, age, size = self._ratios()
        if not len(ratio):
            return 1.0
        return float(np.average(ratio, weights=size * 0.5 ** (age / half_life)))

    def growth(self) -> float:
        """Growth of the level per week, from the last two weeks against the two before."""
        ratio, age, size = self._ratios()
        fresh, before = age < 2 * WEEK, (age >= 2 * WEEK) & (age < 4 * WEEK)
        if not (fresh.any() and before.any()):
            return 1.0
        now, then = (np.average(ratio[part], weights=size[part]) for part in (fresh, before))
        growth = float((now / then) ** 0.5) if then > 0 and now > 0 else 1.0
        return min(max(growth, 1 - STEEPEST), 1 + STEEPEST)

    def _ratios(self) -> tuple[Floats, Floats, Floats]:
        """Of plain days: contacts over their size, age, size; what is far from usual is cut."""
        size = np.array([self.sizes.get(key, 0.0) for key in self.keys])
        usable = self.plain & (size > 0)
        if not usable.any():
            return np.zeros(0), np.zeros(0), np.zeros(0)
        ratio = self.totals[usable] / size[usable]
        middle = float(np.median(ratio))
        return np.clip(ratio, middle / 1.5, middle * 1.5), self.age[usable], size[usable]


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
