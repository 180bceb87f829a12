"""Contacts and handle time expected per skill and slot, with the error to expect.

Candidates compete in a rolling back-test: each is fitted on the first days only and predicts the
days that follow, again and again along the history. The best by WAPE is used; its error and
bias are reported beside the forecast, next to those of plain "last week again".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from scheduler.demand.history import Calendar, Floats, History, day_of, histories
from scheduler.demand.profile import CANDIDATES, NAIVE, Model, predict
from scheduler.labour import DayType

WEEK = 7
SHORTEST = 2 * WEEK  # days of history for a back-test over a week
FOLDS = 8
PRIOR_CONTACTS = 20.0  # what the skill's mean handle time weighs against a slot's own
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
class Accuracy:
    """How a model did in the back-test.

    ``wape`` is Σ|forecast - actual| / Σ actual over slots, ``wape_day`` the same over day totals,
    ``bias`` is Σ(forecast - actual) / Σ actual: above 0 it forecasts too much. ``days`` counts
    the days predicted, over ``folds`` starting points.
    """

    model: str
    wape: float
    wape_day: float
    bias: float
    folds: int
    days: int


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
    candidates : tuple of Accuracy
        All that competed.
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
    candidates: tuple[Accuracy, ...]
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
    return tuple(forecast_skill(history, dates, calendar) for history in past)


def forecast_skill(history: History, dates: Sequence[dt.date], calendar: Calendar) -> SkillForecast:
    """Forecast one skill by the candidate that did best on its own past."""
    results = backtest(history, calendar)
    tested = {result.model: result for result in results}
    best = min(results, key=lambda result: result.wape, default=None)
    # untested, the plainest profile: it averages what little there is
    model = next(m for m in CANDIDATES if m.name == (best.model if best else "profile"))
    return SkillForecast(
        skill=history.skill,
        slot_min=history.slot_min,
        dates=tuple(dates),
        volume=predict(model, history, dates, calendar),
        handle_s=_handle(history, dates, calendar),
        model=model.name,
        accuracy=best,
        naive=tested.get(NAIVE.name),
        handle_wape=_handle_error(history, calendar),
        candidates=results,
        notes=_notes(history, dates, calendar),
    )


def backtest(
    history: History, calendar: Calendar, candidates: Sequence[Model] = CANDIDATES
) -> tuple[Accuracy, ...]:
    """Rolling back-test, one result per candidate on the same days.

    Up to eight starting points, each predicting up to seven days it has not seen: a week apart
    when there are four weeks of history, a day apart in a shorter one. Days without records
    count neither way. Empty when the history is shorter than two weeks or without contacts.
    """
    results = []
    for model in candidates:
        slot_error = day_error = signed = actual = 0.0
        days, folds = 0, _folds(history)
        for start in folds:
            rows = _next_days(history, start)
            truth = history.volume[rows]
            guess = predict(model, history.until(start), [history.dates[n] for n in rows], calendar)
            slot_error += float(np.abs(guess - truth).sum())
            day_error += float(np.abs((guess - truth).sum(axis=1)).sum())
            signed += float((guess - truth).sum())
            actual += float(truth.sum())
            days += len(rows)
        if actual > 0:
            results.append(
                Accuracy(
                    model.name, slot_error / actual, day_error / actual, signed / actual,
                    len(folds), days,
                )
            )  # fmt: skip
    return tuple(results)


def _folds(history: History) -> list[int]:
    """Numbers of days to learn from."""
    days = len(history.volume)
    if days < SHORTEST:
        return []
    step = WEEK if days >= 4 * WEEK else 1
    last = days - (WEEK if step == WEEK else 1)
    starts = [start for start in range(last, WEEK - 1, -step) if history.recorded[:start].any()]
    return starts[:FOLDS][::-1]


def _next_days(history: History, start: int) -> list[int]:
    end = min(start + WEEK, len(history.volume))
    return [n for n in range(start, end) if history.recorded[n]]


def _handle(history: History, dates: Sequence[dt.date], calendar: Calendar) -> Floats:
    """Handle time per date and slot: its own mean on work or rest days, drawn to the skill's.

    A slot with n measured contacts is trusted n / (n + 20) (Bühlmann's credibility).
    """
    seconds = np.nan_to_num(history.handle_s) * history.measured
    total = history.measured.sum()
    slots = history.volume.shape[1]
    if total == 0:
        return np.full((len(dates), slots), np.nan)
    mean = seconds.sum() / total
    off = np.array([_is_off(date, calendar) for date in history.dates], dtype=bool)
    by_class = {
        kind: (seconds[off == kind].sum(axis=0) + PRIOR_CONTACTS * mean)
        / (history.measured[off == kind].sum(axis=0) + PRIOR_CONTACTS)
        for kind in (False, True)
    }
    rows = [by_class[_is_off(date, calendar)] for date in dates]
    return np.array(rows).reshape(len(dates), slots)


def _is_off(date: dt.date, calendar: Calendar) -> bool:
    return day_of(date, calendar).day_type in (DayType.REST_DAY, DayType.STATUTORY_HOLIDAY)


def _handle_error(history: History, calendar: Calendar) -> float | None:
    error = actual = 0.0
    for start in _folds(history):
        rows = _next_days(history, start)
        guess = _handle(history.until(start), [history.dates[n] for n in rows], calendar)
        truth, count = history.handle_s[rows], history.measured[rows]
        known = (count > 0) & np.isfinite(guess)
        error += float((count * np.abs(guess - truth))[known].sum())
        actual += float((count * truth)[known].sum())
    return error / actual if actual > 0 else None


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
