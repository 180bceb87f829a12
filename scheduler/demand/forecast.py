"""Contacts and handle time expected per skill and slot, with the error to expect.

Candidates compete in a rolling back-test: each is fitted on the first days only and predicts the
days that follow, again and again along the history (`backtest.py`). The best by WAPE is used; its
error and bias are reported beside the forecast, next to those of plain "last week again", and how
far it was off says how wide the intervals are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from scheduler.demand.backtest import SHORTEST, Accuracy, Spread, trials
from scheduler.demand.candidates import CANDIDATES, NAIVE, PROFILE, Fitted
from scheduler.demand.factors import Factor
from scheduler.demand.handle import forecast_handle
from scheduler.demand.history import Calendar, Floats, History, day_of, histories, together
from scheduler.demand.special import Place, places
from scheduler.labour import DayType

UNTESTED = Spread(0.04, None)  # nothing is known: a fifth either way, beside chance
SPARSE = 1.0  # contacts per open slot

TEXTS = {
    "no_history": {
        "en": "no records: nothing can be forecast",
        "zh": "没有历史记录，无法预测",
    },
    "short_history": {
        "en": "{days} days of history: too few to test the forecast; two weeks are needed",
        "zh": "历史仅 {days} 天，不足以检验预测误差；至少需要两周",
    },
    "no_year": {
        "en": "less than a year of history: yearly seasons are not known",
        "zh": "历史不足一年，无法识别年度季节性",
    },
    "missing_days": {
        "en": "days without records were left out: {dates}",
        "zh": "以下日期没有记录，已排除：{dates}",
    },
    "sparse": {
        "en": "{contacts:.2g} contacts per busy slot: single slots are mostly chance",
        "zh": "有业务的时段平均仅 {contacts:.2g} 件：单个时段以随机波动为主",
    },
    "special_unseen": {
        "en": "special days never seen under their name, taken as others of their kind: {dates}",
        "zh": "以下特殊日期无同名历史，按同类日期估计：{dates}",
    },
    "handle_unknown": {
        "en": "no handle time was measured",
        "zh": "没有处理时长记录",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Note:
    """Something a planner should know, as a code with its parameters."""

    code: str
    values: dict[str, object] = field(default_factory=dict)

    def text(self, language: str = "en") -> str:
        """The note in words; ``language`` is "en" or "zh"."""
        return TEXTS[self.code][language].format(**self.values)


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A special day the forecast met, in the past or ahead, with what was learnt of it.

    ``factor`` is None when nothing like it was ever seen; ``ahead`` are the dates forecast.
    """

    place: Place
    factor: float | None
    own: float | None
    seen: tuple[dt.date, ...]
    ahead: tuple[dt.date, ...]


@dataclass(frozen=True)
class SkillForecast:
    """One skill's forecast.

    Attributes
    ----------
    skill, slot_min : str, int
    dates : tuple of date
    volume : array (dates, slots)
        Contacts expected.
    handle_s : array (dates, slots)
        Mean handle time, seconds; NaN when none was ever measured.
    model : str
        The candidate used.
    accuracy, naive : Accuracy or None
        Its back-test, and that of last week again; None when the history is too short.
    handle_wape : float or None
        Σ n|forecast - actual| / Σ n·actual of handle times in the same back-test.
    handle_model : str
        The candidate used for handle times.
    candidates : tuple of Accuracy
        All that competed.
    spread, spread_day : Spread
        How single slots and day totals scatter around the forecast.
    special : tuple of SpecialDay
        Named days and days near them, with their factors.
    notes : tuple of Note
    """

    skill: str
    slot_min: int
    dates: tuple[dt.date, ...]
    volume: Floats
    handle_s: Floats
    model: str
    accuracy: Accuracy | None
    naive: Accuracy | None
    handle_wape: float | None
    handle_model: str
    candidates: tuple[Accuracy, ...]
    spread: Spread
    spread_day: Spread
    special: tuple[SpecialDay, ...]
    notes: tuple[Note, ...]

    def frame(self) -> pd.DataFrame:
        """Columns skill, start (local time), volume, handle_s; one row per slot."""
        slots = self.volume.shape[1]
        day = pd.DatetimeIndex(self.dates).repeat(slots)
        minute = np.tile(np.arange(slots) * self.slot_min, len(self.dates))
        return pd.DataFrame({
            "skill": self.skill,
            "start": day + pd.to_timedelta(minute, unit="min"),
            "volume": self.volume.ravel(),
            "handle_s": self.handle_s.ravel(),
        })  # fmt: skip


def forecast(
    tickets: pd.DataFrame,
    dates: Sequence[dt.date],
    calendar: Calendar,
    *,
    slot_min: int = 30,
    timezone: str | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
    missing: Collection[dt.date] = (),
) -> tuple[SkillForecast, ...]:
    """Forecast every skill that occurs in the tickets.

    Parameters
    ----------
    tickets : DataFrame
        ``opened_at``, ``skill`` and, optionally, ``handle_s``: see `histories`, which also
        explains the options.
    dates : sequence of date
        Days to forecast.
    calendar : mapping date → Day
        Day types of past and future days that differ from the plain week; named special days
        are recognised by their name.

    Raises
    ------
    SchedulingError
        The tickets cannot be used.
    """
    past = histories(
        tickets, slot_min=slot_min, timezone=timezone, since=since, until=until, missing=missing
    )
    desk = together(past) if len(past) > 1 else None
    return tuple(forecast_skill(history, dates, calendar, desk) for history in past)


def forecast_skill(
    history: History, dates: Sequence[dt.date], calendar: Calendar, desk: History | None = None
) -> SkillForecast:
    """Forecast one skill by the candidate that did best on its own past.

    `desk` is the history of all skills together, where there are several.
    """
    tried = {one.model: one for one in trials(history, calendar, desk=desk)}
    results = tuple(one.accuracy for one in tried.values() if one.accuracy is not None)
    best = min(results, key=lambda result: result.wape, default=None)
    # untested, the plainest profile: it averages what little there is
    model = next(m for m in CANDIDATES if m.name == (best.model if best else PROFILE.name))
    fitted = Fitted(history, calendar, desk)
    handle = forecast_handle(history, dates, calendar)
    trial = tried[model.name]
    return SkillForecast(
        skill=history.skill,
        slot_min=history.slot_min,
        dates=tuple(dates),
        volume=model.forecast(fitted, dates),
        handle_s=handle.seconds,
        model=model.name,
        accuracy=best,
        naive=next((one for one in results if one.model == NAIVE.name), None),
        handle_wape=handle.wape,
        handle_model=handle.model,
        candidates=results,
        spread=trial.spread() if best else UNTESTED,
        spread_day=trial.spread_day() if best else UNTESTED,
        special=_special(fitted, dates),
        notes=_notes(history, dates, calendar),
    )


def _special(fitted: Fitted, dates: Sequence[dt.date]) -> tuple[SpecialDay, ...]:
    """Special days of the past and of the days forecast, in order of place."""
    profile = fitted.profile
    ahead: dict[Place, list[dt.date]] = {}
    if dates:
        near = places(min(dates), max(dates), profile.calendar)
        for date in dates:
            if date in near:
                ahead.setdefault(near[date], []).append(date)
    found = []
    for place in sorted({*profile.factors.own, *ahead}):
        learnt = profile.factors.of(place) or Factor(place, 1.0, None, ())
        known = profile.factors.of(place) is not None
        found.append(
            SpecialDay(
                place=place,
                factor=learnt.factor if known else None,
                own=learnt.own,
                seen=learnt.seen,
                ahead=tuple(ahead.get(place, ())),
            )
        )
    return tuple(found)


def _is_off(date: dt.date, calendar: Calendar) -> bool:
    return day_of(date, calendar).day_type in (DayType.REST_DAY, DayType.STATUTORY_HOLIDAY)


def _notes(history: History, dates: Sequence[dt.date], calendar: Calendar) -> tuple[Note, ...]:
    recorded = history.volume[history.recorded]
    notes = []
    if not recorded.sum() > 0:
        return (Note("no_history"),)
    days = len(history.volume)
    if days < SHORTEST:
        notes.append(Note("short_history", {"days": days}))
    elif days < 365:
        notes.append(Note("no_year"))
    gaps = [date for date, known in zip(history.dates, history.recorded, strict=True) if not known]
    if gaps:
        notes.append(Note("missing_days", {"dates": _listed(gaps)}))
    busy = recorded[:, recorded.sum(axis=0) > 0].mean()
    if busy < SPARSE:
        notes.append(Note("sparse", {"contacts": float(busy)}))
    names = {day_of(date, calendar).name for date in history.dates}
    unseen = [
        date
        for date in dates
        if day_of(date, calendar).name not in names and _is_off(date, calendar)
    ]
    if unseen:
        notes.append(Note("special_unseen", {"dates": _listed(unseen)}))
    if not history.measured.sum() > 0:
        notes.append(Note("handle_unknown"))
    return tuple(notes)


def _listed(dates: Sequence[dt.date], most: int = 10) -> str:
    shown = ", ".join(date.isoformat() for date in dates[:most])
    return shown if len(dates) <= most else f"{shown} … (+{len(dates) - most})"
