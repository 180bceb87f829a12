"""Candidates on days they have not seen: error, bias, and how wide the intervals must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from scheduler.demand.candidates import CANDIDATES, Fitted, Model
from scheduler.demand.history import Calendar, Floats, History

WEEK = 7
SHORTEST = 2 * WEEK  # days of history for a back-test over a week
FOLDS = 8
INSIDE = 0.8  # share of outcomes meant to lie within an interval


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


@dataclass(frozen=True, slots=True)
class Spread:
    """How outcomes scatter around a forecast: variance = mean + `extra` · mean².

    That of a Poisson number whose rate is itself uncertain (a negative binomial number). `inside`
    is the share of outcomes of the back-test within the interval, each judged by the `extra` of
    the other starting points; None when nothing could be tested.
    """

    extra: float
    inside: float | None

    def interval(self, mean: Floats, inside: float = INSIDE) -> tuple[Floats, Floats]:
        """Low and high ends that hold `inside` of the outcomes, as many beyond either end."""
        return _interval(mean, self.extra, inside)


@dataclass(frozen=True)
class Trial:
    """One candidate's forecasts of the back-test beside what came, one array per start."""

    model: str
    guesses: tuple[Floats, ...]
    truths: tuple[Floats, ...]

    @property
    def accuracy(self) -> Accuracy | None:
        """None when nothing came at all."""
        actual = sum(float(truth.sum()) for truth in self.truths)
        if not actual > 0:
            return None
        pairs = list(zip(self.guesses, self.truths, strict=True))
        slot = sum(float(np.abs(g - t).sum()) for g, t in pairs)
        day = sum(float(np.abs((g - t).sum(axis=1)).sum()) for g, t in pairs)
        signed = sum(float((g - t).sum()) for g, t in pairs)
        days = sum(len(truth) for truth in self.truths)
        return Accuracy(
            self.model, slot / actual, day / actual, signed / actual, len(pairs), days
        )  # fmt: skip

    def spread(self) -> Spread:
        """Scatter of single slots."""
        return _spread([g.ravel() for g in self.guesses], [t.ravel() for t in self.truths])

    def spread_day(self) -> Spread:
        """Scatter of day totals."""
        return _spread([g.sum(axis=1) for g in self.guesses], [t.sum(axis=1) for t in self.truths])


def trials(
    history: History,
    calendar: Calendar,
    candidates: Sequence[Model] = CANDIDATES,
    desk: History | None = None,
) -> tuple[Trial, ...]:
    """Let the candidates forecast days of the past they have not seen.

    Up to eight starting points, each predicting up to seven days: a week apart when there are
    four weeks of history, a day apart in a shorter one. Days without records count neither way.
    """
    guesses: dict[str, list[Floats]] = {model.name: [] for model in candidates}
    truths: list[Floats] = []
    for start in starts(history):
        rows = next_days(history, start)
        dates = [history.dates[n] for n in rows]
        fitted = Fitted(history.until(start), calendar, desk.until(start) if desk else None)
        truths.append(history.volume[rows])
        for model in candidates:
            guesses[model.name].append(model.forecast(fitted, dates))
    return tuple(Trial(name, tuple(made), tuple(truths)) for name, made in guesses.items())


def backtest(
    history: History, calendar: Calendar, candidates: Sequence[Model] = CANDIDATES
) -> tuple[Accuracy, ...]:
    """One result per candidate; empty when the history is shorter than two weeks or empty."""
    tried = trials(history, calendar, candidates)
    return tuple(one.accuracy for one in tried if one.accuracy is not None)


def starts(history: History) -> list[int]:
    """Numbers of days to learn from."""
    days = len(history.volume)
    if days < SHORTEST:
        return []
    step = WEEK if days >= 4 * WEEK else 1
    last = days - (WEEK if step == WEEK else 1)
    found = [start for start in range(last, WEEK - 1, -step) if history.recorded[:start].any()]
    return found[:FOLDS][::-1]


def next_days(history: History, start: int) -> list[int]:
    """Numbers of the recorded days among the seven from `start` on."""
    end = min(start + WEEK, len(history.volume))
    return [n for n in range(start, end) if history.recorded[n]]


def _spread(guesses: Sequence[Floats], truths: Sequence[Floats]) -> Spread:
    inside = tried = 0
    for left_out, (guess, truth) in enumerate(zip(guesses, truths, strict=True)):
        others = [n for n in range(len(guesses)) if n != left_out]
        if not others:
            break
        extra = _extra([guesses[n] for n in others], [truths[n] for n in others])
        low, high = _interval(guess, extra, INSIDE)
        inside += int(((truth >= low) & (truth <= high)).sum())
        tried += truth.size
    return Spread(_extra(guesses, truths), inside / tried if tried else None)


def _extra(guesses: Sequence[Floats], truths: Sequence[Floats]) -> float:
    """Moments: Σ((actual - forecast)² - forecast) / Σ forecast², and no less than 0."""
    squares = sum(float((guess**2).sum()) for guess in guesses)
    beyond = sum(
        float(((truth - guess) ** 2 - guess).sum())
        for guess, truth in zip(guesses, truths, strict=True)
    )
    return max(0.0, beyond / squares) if squares > 0 else 0.0


def _interval(mean: Floats, extra: float, inside: float) -> tuple[Floats, Floats]:
    ends = []
    for chance in ((1 - inside) / 2, (1 + inside) / 2):
        found = np.zeros_like(mean)
        some = mean > 0
        if extra * float(mean.max(initial=0.0)) < 1e-6:
            found[some] = stats.poisson.ppf(chance, mean[some])
        else:
            size = 1 / extra
            found[some] = stats.nbinom.ppf(chance, size, size / (size + mean[some]))
        ends.append(found)
    return ends[0], ends[1]
