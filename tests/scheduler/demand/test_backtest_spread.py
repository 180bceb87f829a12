"""Intervals of a forecast, the regression of days, and handle times that compete."""

import datetime as dt

import numpy as np
import pytest

from scheduler.demand.backtest import Spread, Trial, backtest, trials
from scheduler.demand.candidates import CANDIDATES, Fitted, Model, predict
from scheduler.demand.handle import forecast_handle
from scheduler.demand.history import History
from scheduler.demand.regression import day_totals

MONDAY = dt.date(2026, 3, 2)


def days_from(first: dt.date, count: int) -> list[dt.date]:
    return [first + dt.timedelta(days=n) for n in range(count)]


def history(volume: np.ndarray, handle: np.ndarray | None = None) -> History:
    known = volume if handle is not None else np.zeros(volume.shape)
    seconds = np.full(volume.shape, np.nan) if handle is None else handle
    return History(
        "s", MONDAY, 1440 // volume.shape[1], volume.astype(float), seconds, known.astype(float),
        np.ones(len(volume), dtype=bool),
    )  # fmt: skip


def test_the_extra_scatter_is_what_chance_does_not_explain() -> None:
    # forecast 10 twice, came 4 and 16: ((36 - 10) + (36 - 10)) / (100 + 100) = 0.26
    ten, four, sixteen = (np.array([[x]]) for x in (10.0, 4.0, 16.0))
    trial = Trial("m", (ten, ten), (four, sixteen))
    assert trial.spread().extra == pytest.approx(0.26)
    # 9 and 11 are well within the Poisson spread of 10
    calm = Trial("m", (np.array([[10.0, 10.0]]),), (np.array([[9.0, 11.0]]),))
    assert calm.spread().extra == 0.0
    assert calm.spread().inside is None  # one starting point cannot judge itself


def test_a_day_scatters_by_its_total() -> None:
    # slots 10 and 10, came 16 and 4: the day is 20 of 20
    trial = Trial("m", (np.array([[10.0, 10.0]]),), (np.array([[16.0, 4.0]]),))
    assert trial.spread_day().extra == 0.0
    assert trial.spread().extra > 0.2


def test_the_interval_by_hand() -> None:
    # Poisson with mean 4: P(≤1) = 0.092, P(≤2) = 0.238, P(≤6) = 0.889, P(≤7) = 0.949
    low, high = Spread(0.0, None).interval(np.array([4.0, 0.0]))
    assert (low.tolist(), high.tolist()) == ([2, 0], [7, 0])
    # with extra scatter it is wider
    wide_low, wide_high = Spread(0.5, None).interval(np.array([4.0]))
    assert wide_low[0] < 2
    assert wide_high[0] > 7


def test_intervals_hold_about_what_they_promise() -> None:
    rng = np.random.default_rng(4)
    rates = np.tile(np.r_[np.full(5, 30.0), np.full(2, 8.0)], 16)[:, None] * np.ones(24)
    rates = rates * rng.gamma(20, 1 / 20, rates.shape)  # extra scatter of 1/20
    past = history(rng.poisson(rates))
    spread = next(one for one in trials(past, {}) if one.model == "profile").spread()
    assert spread.extra == pytest.approx(0.05, abs=0.02)
    assert spread.inside == pytest.approx(0.8, abs=0.06)


def test_the_mean_of_four_weeks() -> None:
    volume = np.arange(35.0)[:, None] * np.ones(2)
    mean = next(model for model in CANDIDATES if model.name == "seasonal_mean")
    # the Mondays 7, 14, 21 and 28 (the first is the fifth to last)
    assert predict(mean, history(volume), [dt.date(2026, 4, 6)], {})[0, 0] == 17.5


def test_the_blend_is_the_mean_of_three() -> None:
    past = history(np.random.default_rng(1).poisson(9, (42, 4)))
    ahead = days_from(dt.date(2026, 4, 13), 7)
    by_name = {model.name: predict(model, past, ahead, {}) for model in CANDIDATES}
    parts = ("profile_level", "seasonal_mean", "regression")
    assert by_name["blend"] == pytest.approx(sum(by_name[name] for name in parts) / 3)


def test_the_regression_knows_the_first_days_of_a_month() -> None:
    dates = days_from(MONDAY, 300)
    volume = np.array([[140.0 if date.day <= 3 else 100.0] for date in dates])
    totals = day_totals(
        Fitted(history(volume), {}).profile, [dt.date(2027, 1, 2), dt.date(2027, 1, 20)]
    )
    assert totals[0] > 1.15 * totals[1]
    assert totals[1] == pytest.approx(100, rel=0.1)


def test_the_regression_finds_a_season_of_the_year_where_it_saw_one() -> None:
    dates = days_from(dt.date(2024, 1, 1), 730)
    turn = np.array([2 * np.pi * date.timetuple().tm_yday / 365.25 for date in dates])
    volume = (1000 * (1 + 0.25 * np.sin(turn)))[:, None]
    recorded = np.ones(730, dtype=bool)
    past = History("s", dates[0], 1440, volume, volume * np.nan, volume * 0, recorded)
    ahead = days_from(dt.date(2025, 12, 31), 90)
    turn = np.array([2 * np.pi * date.timetuple().tm_yday / 365.25 for date in ahead])
    truth = 1000 * (1 + 0.25 * np.sin(turn))
    totals = day_totals(Fitted(past, {}).profile, ahead)
    flat = predict(CANDIDATES[2], past, ahead, {}).sum(axis=1)
    assert np.abs(totals - truth).mean() < 0.5 * np.abs(flat - truth).mean()


def test_few_days_leave_the_regression_to_the_profile() -> None:
    profile = Fitted(history(np.full((5, 2), 10.0)), {}).profile
    assert day_totals(profile, [dt.date(2026, 3, 9)])[0] == pytest.approx(20)


def test_all_candidates_are_tried_on_the_same_days() -> None:
    past = history(np.random.default_rng(2).poisson(5, (56, 4)))
    tried = backtest(past, {})
    assert [one.model for one in tried] == [model.name for model in CANDIDATES]
    assert len({(one.folds, one.days) for one in tried}) == 1


def test_a_candidate_of_ones_own_can_compete() -> None:
    past = history(np.full((28, 2), 5.0))
    five = Model("five", lambda fitted, dates: np.full((len(dates), 2), 5.0))
    (result,) = backtest(past, {}, [five])
    assert (result.wape, result.bias) == (0, 0)


def test_the_handle_time_that_did_best_is_used() -> None:
    # six weeks: 300 s, then four of 600 s. Tested on the last weeks, the recent level wins:
    # mean over all after six weeks (2·300 + 4·600) / 6 = 500
    volume = np.full((42, 4), 10.0)
    handle = np.vstack([np.full((14, 4), 300.0), np.full((28, 4), 600.0)])
    found = forecast_handle(history(volume, handle), [dt.date(2026, 4, 13)], {})
    assert found.model == "slot_recent"
    assert 500 < found.seconds[0, 0] <= 600
    assert found.wape == min(found.wapes.values())


def test_a_slot_of_its_own_beats_the_mean() -> None:
    volume = np.full((42, 2), 50.0)
    handle = np.tile([100.0, 900.0], (42, 1))
    found = forecast_handle(history(volume, handle), [dt.date(2026, 4, 13)], {})
    assert found.wapes["slot"] < found.wapes["mean"]
    assert found.seconds[0] == pytest.approx([100, 900], rel=0.1)
