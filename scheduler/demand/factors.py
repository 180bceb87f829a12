"""What special days do to the day's contacts, learnt from how they went before.

A factor is drawn from what the place itself showed towards what its kind showed, and that of a
workday near a holiday towards what the whole desk showed and that towards 1, each as far as chance
explains the difference (the positive-part rule of James & Stein, 1961): a single odd day moves
little, a holiday that is the same every year much.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from scheduler.demand.special import Kind, Place

LEAST = 0.01  # a factor below it is none at all: the desk is closed


@dataclass(frozen=True, slots=True)
class Seen:
    """A special date of the past and its contacts over those usual (`Factors` says of what)."""

    date: dt.date
    place: Place
    ratio: float


@dataclass(frozen=True, slots=True)
class Factor:
    """A learnt factor: `own` is the mean ratio of the dates `seen`, None when there were none."""

    place: Place
    factor: float
    own: float | None
    seen: tuple[dt.date, ...]


@dataclass(frozen=True)
class Factors:
    """Factors by place.

    Of a day off the factor multiplies an average workday, of others the size the day would have
    elsewhere in the year. `of_kind` serves places never seen, by kind and number of the day.
    """

    own: Mapping[Place, Factor]
    of_kind: Mapping[tuple[Kind, int], float]

    def of(self, place: Place) -> Factor | None:
        """The factor of a place; None when nothing like it was ever seen."""
        if place in self.own:
            return self.own[place]
        factor = self.of_kind.get(_group(place))
        return None if factor is None else Factor(place, factor, None, ())


def learn(seen: Iterable[Seen], chance: float, desk: Factors | None = None) -> Factors:
    """Learn factors from special days of the past.

    Parameters
    ----------
    seen : iterable of Seen
    chance : float
        Variance of the logarithm of an ordinary day's contacts.
    desk : Factors, optional
        Of all skills together: a skill of few contacts shows little by itself.
    """
    by_place: dict[Place, list[Seen]] = defaultdict(list)
    for one in seen:
        by_place[one.place].append(one)
    by_group: dict[tuple[Kind, int], list[float]] = defaultdict(list)
    for place, days in by_place.items():
        by_group[_group(place)] += [_log(day.ratio) for day in days]
    middle = {}
    for group, logs in by_group.items():
        mean = float(np.mean(logs))
        is_off = group[0] in ("day", "off")
        usual = _log(desk.of_kind.get(group, 1.0)) if desk else 0.0
        middle[group] = mean if is_off else _drawn(mean, usual, len(logs), chance)
    own = {}
    for place, days in sorted(by_place.items()):
        mean = float(np.mean([_log(day.ratio) for day in days]))
        # one lunar day says nothing of another
        target = 0.0 if place.kind == "lunar" else middle[_group(place)]
        own[place] = Factor(
            place=place,
            factor=_factor(_drawn(mean, target, len(days), chance)),
            own=float(np.mean([day.ratio for day in days])),
            seen=tuple(sorted(day.date for day in days)),
        )
    kinds = {group: _factor(log) for group, log in middle.items() if group[0] != "lunar"}
    return Factors(own, kinds)


def _group(place: Place) -> tuple[Kind, int]:
    """Places that stand in for one another."""
    return place.kind, 0 if place.is_off or place.kind == "lunar" else place.offset


def _log(ratio: float) -> float:
    return math.log(max(ratio, LEAST))


def _factor(log: float) -> float:
    factor = math.exp(log)
    return factor if factor > LEAST * 1.001 else 0.0


def _drawn(value: float, target: float, count: int, chance: float) -> float:
    """The value as far as it lies further from the target than chance takes the mean of some."""
    apart = value - target
    trust = max(0.0, 1 - chance / count / apart**2) if apart else 0.0
    return target + trust * apart
