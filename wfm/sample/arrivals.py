"""When which request arrives: a load with daily, weekly and holiday pattern."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import numpy as np
import pandas as pd

from scheduler.labour import DayType
from wfm.calendars import CalendarDay, HolidayCalendar
from wfm.sample import catalogue, names
from wfm.sample.catalogue import SKILLS, Skill

SLOT_S = 1800
SLOTS = 48
WEEKDAYS = np.array([1.14, 1.06, 1.02, 1.0, 0.98, 1.0, 0.92])
AFTER_HOLIDAY = 1.22
GROWTH = 0.08  # over the whole period
DAILY_NOISE = 0.07
NIGHT = 0.015  # of an average open half-hour, in writing only

KINDS = ("consultation", "request", "incident", "complaint", "suggestion", "problem")
KIND_SHARES = (0.34, 0.28, 0.23, 0.08, 0.03, 0.04)
CHANNELS = ("phone", "chat", "mail", "portal", "wechat")
CHANNEL_SHARES = (0.38, 0.24, 0.12, 0.16, 0.10)
NIGHT_CHANNELS = ("mail", "portal")
DIFFICULTY_SHARES = (0.26, 0.33, 0.23, 0.12, 0.06)
DIFFICULTY_TIME = np.array([0.72, 0.88, 1.06, 1.4, 1.75])
HARDER_SKILLS = ("network", "security")
# share of tickets per priority 1–4, by kind
PRIORITIES = {
    "incident": (0.08, 0.24, 0.50, 0.18),
    "complaint": (0.05, 0.30, 0.50, 0.15),
    "problem": (0.04, 0.20, 0.50, 0.26),
}
OTHER_PRIORITIES = (0.01, 0.11, 0.55, 0.33)
SPREAD = 0.55  # of the lognormal handle time
SHORTEST_S, LONGEST_S = 90, 4 * 3600


def make_arrivals(rng: np.random.Generator, calendar: HolidayCalendar) -> pd.DataFrame:
    """Tickets in order of arrival, with what the customer brings and the work in it.

    Returns
    -------
    pandas.DataFrame
        Columns of `wfm import tickets` up to `difficulty`; `opened` in seconds from local
        midnight of the first day instead of `opened_at`.
    """
    opened, skill = _times(rng, calendar)
    count = len(opened)
    codes = np.array([entry.code for entry in SKILLS])
    kind = rng.choice(KINDS, size=count, p=KIND_SHARES)
    difficulty = rng.choice(5, size=count, p=DIFFICULTY_SHARES) + 1
    harder = np.isin(codes[skill], HARDER_SKILLS) & (rng.random(count) < 0.35)
    difficulty = np.minimum(difficulty + harder, 5)
    priority = _priorities(rng, kind)
    of_day = opened % (48 * SLOT_S)
    night = (of_day < catalogue.OPENS_S) | (of_day >= catalogue.CLOSES_S)
    service = {row[3]: (row[0], row[4]) for row in catalogue.SERVICES}
    limits = np.array([
        [catalogue.PROMISES[service[code][1]][level][0] * 60 for level in (1, 2, 3, 4)]
        for code in codes
    ])  # fmt: skip
    medians = np.array([entry.median_min * 60 for entry in SKILLS])
    work = medians[skill] * DIFFICULTY_TIME[difficulty - 1] * rng.lognormal(0.0, SPREAD, count)
    return pd.DataFrame({
        "opened": opened,
        "skill": codes[skill],
        "min_grade": _tiers(rng, difficulty),
        "priority": priority,
        "respond_within_s": limits[skill, priority - 1],
        "handle_s": np.clip(work, SHORTEST_S, LONGEST_S).round().astype(int),
        "kind": kind,
        "category": _categories(rng, skill),
        "channel": np.where(
            night,
            rng.choice(NIGHT_CHANNELS, size=count),
            rng.choice(CHANNELS, size=count, p=CHANNEL_SHARES),
        ),
        "service": np.array([service[code][0] for code in codes])[skill],
        "customer": _customers(rng, count),
        "difficulty": difficulty,
    })  # fmt: skip


def _times(rng: np.random.Generator, calendar: HolidayCalendar) -> tuple[np.ndarray, np.ndarray]:
    first = dt.date.fromisoformat(catalogue.FIRST_DAY)
    last = dt.date.fromisoformat(catalogue.LAST_DAY)
    eve = calendar.between(first - dt.timedelta(days=1), last)
    noise = rng.lognormal(0.0, DAILY_NOISE, len(eve) - 1)
    rates = np.stack([_day_factors(skill, eve) * noise for skill in SKILLS])[:, :, None]
    rates = rates * np.stack([_profile(skill) for skill in SKILLS])[:, None, :]
    shares = np.array([skill.share for skill in SKILLS])[:, None, None]
    rates *= shares * catalogue.TICKETS_EXPECTED / rates.sum(axis=(1, 2), keepdims=True)
    counts = rng.poisson(rates)
    skill, day, slot = (np.repeat(axis, counts.ravel()) for axis in _axes(counts.shape))
    opened = (day * SLOTS + slot) * SLOT_S + rng.integers(0, SLOT_S, len(day))
    order = np.argsort(opened, kind="stable")
    return opened[order], skill[order]


def _axes(shape: tuple[int, ...]) -> list[np.ndarray]:
    return [axis.ravel() for axis in np.indices(shape)]


def _day_factors(skill: Skill, eve: tuple[CalendarDay, ...]) -> np.ndarray:
    """Load of each day but the first, which only tells what came before."""
    factors = []
    for before, day in pairwise(eve):
        weekday = WEEKDAYS[day.date.weekday()]
        if day.day_type == DayType.STATUTORY_HOLIDAY:
            factor = skill.holiday
        elif day.day_type == DayType.REST_DAY:
            factor = weekday * skill.weekend * (0.9 if day.name else 1.0)
        else:
            factor = 0.95 if day.day_type == DayType.MAKE_UP_WORKDAY else weekday
            factor *= AFTER_HOLIDAY if before.name and before.is_off else 1.0
        factors.append(factor)
    return np.array(factors) * np.linspace(1.0, 1.0 + GROWTH, len(factors))


def _profile(skill: Skill) -> np.ndarray:
    """Load over the 48 half-hours of a day: two peaks, an evening of its own, little at night."""
    hour = (np.arange(SLOTS) + 0.5) / 2
    peaks = (
        0.25
        + np.exp(-(((hour - 10.2) / 1.6) ** 2))
        + 0.85 * np.exp(-(((hour - 15.2) / 1.9) ** 2))
        + 0.45 * skill.evening * np.exp(-(((hour - 20.0) / 1.4) ** 2))
    )
    is_open = (hour * 3600 >= catalogue.OPENS_S) & (hour * 3600 < catalogue.CLOSES_S)
    return np.where(is_open, peaks, NIGHT * peaks[is_open].mean())


def _priorities(rng: np.random.Generator, kind: np.ndarray) -> np.ndarray:
    shares = np.array([PRIORITIES.get(word, OTHER_PRIORITIES) for word in kind])
    passed = rng.random(len(kind))[:, None] > shares.cumsum(axis=1)[:, :3]
    return np.asarray(1 + passed.sum(axis=1))


def _tiers(rng: np.random.Generator, difficulty: np.ndarray) -> np.ndarray:
    """Hard tickets mostly need a higher tier."""
    chance = rng.random(len(difficulty))
    senior = np.array([0.0, 0.02, 0.1, 0.75, 0.97])[difficulty - 1]
    expert = np.array([0.0, 0.0, 0.0, 0.06, 0.4])[difficulty - 1]
    rank = (chance < senior).astype(int) + (chance < expert)
    return np.asarray(np.array(catalogue.GRADES)[rank])


def _categories(rng: np.random.Generator, skill: np.ndarray) -> np.ndarray:
    result = np.empty(len(skill), dtype=object)
    for number, entry in enumerate(SKILLS):
        here = skill == number
        words = [category[0] for category in entry.categories]
        shares = np.arange(len(words), 0, -1, dtype=float)
        result[here] = rng.choice(words, size=here.sum(), p=shares / shares.sum())
    return result


def _customers(rng: np.random.Generator, count: int) -> np.ndarray:
    """A few customers write often, most seldom."""
    codes = [code for code, _, _ in names.customers()]
    weight = 1 / np.arange(2, len(codes) + 2)
    return rng.choice(codes, size=count, p=weight / weight.sum())
