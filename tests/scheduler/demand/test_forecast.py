"""Counting, forecasting and saying how wrong it may be."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.demand.backtest import backtest
from scheduler.demand.candidates import CANDIDATES, NAIVE, Model, predict
from scheduler.demand.forecast import forecast, forecast_skill
from scheduler.demand.history import Day, History, histories
from scheduler.errors import SchedulingError
from scheduler.labour import DayType

MONDAY = dt.date(2026, 3, 2)
PROFILE, LEVEL, TREND = CANDIDATES[2:5]
HOLIDAY = DayType.STATUTORY_HOLIDAY


def days_from(first: dt.date, count: int) -> list[dt.date]:
    return [first + dt.timedelta(days=n) for n in range(count)]


def history(volume: np.ndarray, first: dt.date = MONDAY, slot_min: int = 720) -> History:
    nothing = np.full(volume.shape, np.nan)
    return History(
        "mail", first, slot_min, volume.astype(float), nothing, np.zeros(volume.shape),
        np.ones(len(volume), dtype=bool),
    )  # fmt: skip


# a slot is drawn a little to its neighbours
ABOUT = 0.01


def steady(weeks: int, workday: float = 100, rest: float = 20) -> np.ndarray:
    """Two half-days a day: three quarters before noon on workdays, half on rest days."""
    week = [[workday * 0.75, workday * 0.25]] * 5 + [[rest / 2, rest / 2]] * 2
    return np.array(week * weeks)


def tickets(*rows: tuple[str, str, float | None]) -> pd.DataFrame:
    opened, skill, handle = zip(*rows, strict=True)
    return pd.DataFrame({"opened_at": pd.to_datetime(opened), "skill": skill, "handle_s": handle})


def test_tickets_are_counted_by_skill_day_and_slot() -> None:
    mail, phone = histories(
        tickets(
            ("2026-03-02 09:29:59", "phone", 60.0),
            ("2026-03-02 09:00:00", "phone", 120.0),
            ("2026-03-02 09:30:00", "phone", None),
            ("2026-03-03 00:00:00", "mail", 0.0),
        )
    )
    assert (phone.skill, phone.first, phone.volume.shape) == ("phone", MONDAY, (2, 48))
    assert phone.volume[0, 18:20].tolist() == [2, 1]
    assert phone.volume.sum() == 3
    # (60 + 120) / 2 = 90 s from the two that were measured
    assert phone.handle_s[0, 18] == 90
    assert np.isnan(phone.handle_s[0, 19])
    assert mail.volume[1, 0] == 1
    assert mail.measured.sum() == 0  # 0 s is no measurement


def test_times_with_a_zone_are_counted_in_local_time() -> None:
    frame = pd.DataFrame(
        {"opened_at": pd.to_datetime(["2026-03-01T17:00:00Z"]), "skill": ["phone"]}
    )
    (local,) = histories(frame, timezone="Asia/Shanghai")
    assert local.first == MONDAY  # 17:00 UTC is 01:00 of the next day
    assert local.volume[0, 2] == 1
    with pytest.raises(SchedulingError, match="zone of the desk"):
        histories(frame)


def test_the_bounds_cut_and_extend() -> None:
    frame = tickets(("2026-03-02 09:00", "phone", None), ("2026-03-09 09:00", "phone", None))
    (part,) = histories(frame, since=dt.date(2026, 3, 1), until=dt.date(2026, 3, 5))
    assert (part.first, len(part.volume), part.volume.sum()) == (dt.date(2026, 3, 1), 4, 1)


def test_a_day_empty_on_all_skills_is_missing_unless_its_weekday_is_always_empty() -> None:
    rows = [
        (f"{date} 09:00", "phone", None)
        for date in days_from(MONDAY, 21)
        if date.weekday() < 5 and date != dt.date(2026, 3, 11)
    ]
    (phone,) = histories(tickets(*rows), until=dt.date(2026, 3, 23))
    gaps = [day for day, known in zip(phone.dates, phone.recorded, strict=True) if not known]
    assert gaps == [dt.date(2026, 3, 11)]
    (phone,) = histories(tickets(*rows), missing=[MONDAY])
    assert not phone.recorded[0]


def test_a_day_with_hardly_any_records_is_missing_too() -> None:
    # 40 a day, but 1 on the second Tuesday: below a twentieth of its weekday's median
    rows = [
        (f"{date} 09:00", "phone", None)
        for n, date in enumerate(days_from(MONDAY, 21))
        for _ in range(1 if n == 8 else 40)
    ]
    (phone,) = histories(tickets(*rows))
    assert np.flatnonzero(~phone.recorded).tolist() == [8]
    # 3 of 40 is little, but a day
    (phone,) = histories(tickets(*rows, *rows[8 * 40 : 8 * 40 + 1] * 2))
    assert phone.recorded.all()


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"skill": ["a"]}), "column opened_at"),
        (pd.DataFrame({"opened_at": ["yesterday"], "skill": ["a"]}), "must hold times"),
        (pd.DataFrame({"opened_at": [pd.NaT], "skill": ["a"]}), "not be empty"),
    ],
)
def test_tickets_that_cannot_be_counted(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(SchedulingError, match=message):
        histories(frame)


def test_a_slot_must_divide_the_day() -> None:
    with pytest.raises(SchedulingError, match="does not divide"):
        histories(tickets(("2026-03-02 09:00", "a", None)), slot_min=7)


def test_no_tickets_no_forecast() -> None:
    empty = pd.DataFrame({"opened_at": pd.to_datetime([]), "skill": pd.Series([], dtype=str)})
    assert forecast(empty, [MONDAY], {}) == ()


def test_last_week_again() -> None:
    volume = np.arange(28.0).reshape(14, 2)
    # the Monday after two weeks is the second Monday: row 7 = (14, 15)
    assert predict(NAIVE, history(volume), [dt.date(2026, 3, 16)], {}).tolist() == [[14, 15]]
    # without a record of it, the Monday before
    past = history(volume)
    past.recorded[7] = False
    assert predict(NAIVE, past, [dt.date(2026, 3, 16)], {}).tolist() == [[0, 1]]


@pytest.mark.parametrize("model", CANDIDATES)
def test_a_steady_pattern_is_repeated(model: Model) -> None:
    guess = predict(model, history(steady(5)), days_from(dt.date(2026, 4, 6), 7), {})
    assert guess == pytest.approx(steady(1), rel=ABOUT)


def test_a_make_up_workday_is_a_workday() -> None:
    saturday = dt.date(2026, 4, 11)
    calendar = {saturday: Day(DayType.MAKE_UP_WORKDAY)}
    past = history(steady(5))
    assert predict(PROFILE, past, [saturday], calendar)[0] == pytest.approx([75, 25], rel=ABOUT)
    assert predict(PROFILE, past, [saturday], {})[0] == pytest.approx([10, 10], rel=ABOUT)


def test_a_rest_day_in_the_week_is_a_rest_day() -> None:
    monday = dt.date(2026, 4, 6)
    calendar = {monday: Day(DayType.REST_DAY)}
    assert predict(PROFILE, history(steady(5)), [monday], calendar)[0] == pytest.approx(
        [10, 10], rel=ABOUT
    )


def test_a_week_of_another_country() -> None:
    # Friday and Saturday are free, Sunday is a workday: learnt from the calendar as given
    first = MONDAY
    calendar = {
        day: Day(DayType.REST_DAY if day.weekday() in (4, 5) else DayType.WORKDAY)
        for day in days_from(first, 42)
    }
    volume = np.array([
        {4: [50, 10], 5: [0, 20]}.get(day.weekday(), [60, 40]) for day in days_from(first, 35)
    ])  # fmt: skip
    guess = predict(PROFILE, history(volume), days_from(dt.date(2026, 4, 6), 7), calendar)
    assert guess == pytest.approx(volume[:7], rel=ABOUT, abs=0.5)


def test_a_special_day_returns_under_its_name() -> None:
    # a holiday on Wednesday of the third week had 50 contacts where workdays have 100
    volume = steady(5)
    volume[16] = [10, 40]
    then, now = dt.date(2026, 3, 18), dt.date(2026, 4, 8)
    calendar = {then: Day(HOLIDAY, "festival"), now: Day(HOLIDAY, "festival")}
    past = history(volume)
    assert predict(PROFILE, past, [now], calendar)[0].sum() == pytest.approx(50)
    assert predict(PROFILE, past, [now], calendar)[0, 1] > 35  # with its own shape
    # a holiday of another name is taken as the holidays seen
    other = calendar | {now: Day(HOLIDAY, "another")}
    assert predict(PROFILE, past, [now], other)[0].sum() == pytest.approx(50)
    # the Wednesday after it is not touched by it
    assert predict(PROFILE, past, [dt.date(2026, 4, 15)], calendar)[0] == pytest.approx(
        [75, 25], rel=ABOUT
    )


def test_a_holiday_never_seen_is_a_rest_day() -> None:
    now = dt.date(2026, 4, 8)
    result = forecast_skill(history(steady(5)), [now], {now: Day(HOLIDAY, "festival")})
    guess = predict(PROFILE, history(steady(5)), [now], {now: Day(HOLIDAY, "festival")})
    assert guess[0] == pytest.approx([10, 10], rel=ABOUT)
    (note,) = [note for note in result.notes if note.code == "special_unseen"]
    assert "2026-04-08" in note.text("en")
    assert "2026-04-08" in note.text("zh")


def test_a_spike_is_not_expected_again() -> None:
    volume = steady(4)
    volume[8, 0] = 2000  # an outage on a Tuesday morning
    guess = predict(PROFILE, history(volume), [dt.date(2026, 3, 31)], {})
    assert guess[0, 0] == pytest.approx(75, rel=0.1)
    # a slot of a weekday that is always high is no spike
    volume = steady(4)
    volume[1::7, 0] = 2000
    guess = predict(PROFILE, history(volume), [dt.date(2026, 3, 31)], {})
    assert guess[0, 0] > 1500


def test_the_level_follows_and_the_trend_goes_on() -> None:
    # 10 % more every week
    volume = steady(8) * (1.1 ** np.repeat(np.arange(8), 7))[:, None]
    after = days_from(dt.date(2026, 4, 27), 7)
    actual = steady(1).sum() * 1.1**8
    flat, level, trend = (
        predict(model, history(volume), after, {}).sum() for model in (PROFILE, LEVEL, TREND)
    )
    assert flat < level < trend
    assert abs(trend / actual - 1) < abs(flat / actual - 1)


def test_what_is_recent_counts_more() -> None:
    # ten weeks of 100 mostly before noon, then ten of 60 mostly after: with a half-life of 8
    # weeks the last ten weigh 1 - 2^(-70/56) = 0.58 of 1 - 2^(-140/56) = 0.82, or 0.70
    volume = np.vstack([steady(10), steady(10, workday=60)[:, ::-1]])
    guess = predict(PROFILE, history(volume), [dt.date(2026, 7, 20)], {})[0]
    assert guess.sum() == pytest.approx(60)  # the weighted median
    # before noon: 75 of 100 then, 15 of 60 now
    early = (0.3 * 75 + 0.7 * 15) / (0.3 * 100 + 0.7 * 60)
    assert guess[0] / guess.sum() == pytest.approx(early, abs=0.02)


def test_closed_hours_stay_closed() -> None:
    rng = np.random.default_rng(5)
    volume = np.zeros((28, 48))
    volume[:, 18:36] = rng.poisson(3, (28, 18))
    guess = predict(PROFILE, history(volume, slot_min=30), days_from(dt.date(2026, 3, 30), 7), {})
    assert guess[:, :18].sum() == guess[:, 36:].sum() == 0
    assert guess[:, 18:36].min() > 0


def test_the_back_test_by_hand() -> None:
    # two weeks; the second has one contact more per half-day. Last week again, started after 7
    # to 13 days, is always 1 too low: over 7+6+…+1 = 28 days, 56 half-days
    volume = steady(2)
    volume[7:] += 1
    (naive,) = backtest(history(volume), {}, [NAIVE])
    actual = sum(volume[start:].sum() for start in range(7, 14))
    assert (naive.folds, naive.days) == (7, 28)
    assert naive.wape == pytest.approx(56 / actual)
    assert naive.bias == pytest.approx(-56 / actual)
    assert naive.wape_day == pytest.approx(56 / actual)


def test_the_back_test_does_not_look_ahead() -> None:
    volume = np.random.default_rng(3).poisson(20, (14, 2))
    (result,) = backtest(history(volume), {}, [PROFILE])
    error = actual = 0.0
    for start in range(7, 14):
        dates = days_from(MONDAY + dt.timedelta(days=start), 14 - start)
        error += np.abs(predict(PROFILE, history(volume[:start]), dates, {}) - volume[start:]).sum()
        actual += volume[start:].sum()
    assert result.wape == pytest.approx(error / actual)


def test_the_better_candidate_is_used() -> None:
    rng = np.random.default_rng(7)
    noisy = rng.poisson(np.tile(np.r_[np.full(5, 20), np.full(2, 5)], 10)[:, None] * np.ones(48))
    result = forecast_skill(history(noisy, slot_min=30), days_from(dt.date(2026, 5, 11), 7), {})
    assert result.accuracy is not None
    assert result.naive is not None
    assert result.accuracy.wape == min(one.wape for one in result.candidates)
    assert result.model != "seasonal_naive"
    # independent Poisson weeks: averaging removes nearly half of the error's variance
    assert result.accuracy.wape < 0.8 * result.naive.wape
    assert abs(result.accuracy.bias) < 0.05


def test_little_history_is_said() -> None:
    result = forecast_skill(history(steady(1)), [dt.date(2026, 3, 9)], {})
    assert (result.model, result.accuracy, result.candidates) == ("profile", None, ())
    assert result.volume[0] == pytest.approx([75, 25], rel=ABOUT)
    assert {note.code for note in result.notes} == {"short_history", "handle_unknown"}


def test_nothing_but_zeros() -> None:
    result = forecast_skill(history(np.zeros((21, 2))), [dt.date(2026, 3, 23)], {})
    assert result.volume.tolist() == [[0, 0]]
    assert [note.code for note in result.notes] == ["no_history"]
    assert result.accuracy is None


def test_handle_time_is_drawn_to_the_mean_where_little_was_measured() -> None:
    # 80 calls of 100 s at 9:00, 20 of 200 s at 10:00; mean 120 s
    # 9:00: (8000 + 20·120) / 100 = 104; 10:00: (4000 + 20·120) / 40 = 160; elsewhere 120
    rows = [("2026-03-02 09:00", "phone", 100.0)] * 80 + [("2026-03-02 10:00", "phone", 200.0)] * 20
    (result,) = forecast(tickets(*rows), [dt.date(2026, 3, 3)], {}, slot_min=60)
    assert result.handle_s[0, [8, 9, 10]] == pytest.approx([120, 104, 160])
    # on a rest day nothing was measured: the mean
    (result,) = forecast(tickets(*rows), [dt.date(2026, 3, 7)], {}, slot_min=60)
    assert result.handle_s[0, 9] == pytest.approx(120)


def test_the_frame_has_a_row_per_slot() -> None:
    rows = [("2026-03-02 09:00", "phone", 100.0)]
    (result,) = forecast(tickets(*rows), [dt.date(2026, 3, 9)], {})
    frame = result.frame()
    assert list(frame.columns) == ["skill", "start", "volume", "handle_s"]
    assert len(frame) == 48
    assert frame["start"].iloc[19] == pd.Timestamp("2026-03-09 09:30")


def test_missing_days_are_said_and_left_out() -> None:
    past = history(steady(3))
    past.volume[8] = 0
    past.recorded[8] = False
    result = forecast_skill(past, [dt.date(2026, 3, 24)], {})
    assert result.volume[0] == pytest.approx([75, 25], rel=ABOUT)
    (note,) = [note for note in result.notes if note.code == "missing_days"]
    assert "2026-03-10" in note.text()


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    days=st.integers(1, 40),
    mean=st.sampled_from([0.0, 0.05, 1.0, 50.0]),
    gaps=st.sets(st.integers(0, 39), max_size=40),
    kinds=st.lists(st.sampled_from(list(DayType)), min_size=54, max_size=54),
)
def test_whatever_the_past_the_forecast_is_a_number(
    seed: int, days: int, mean: float, gaps: set[int], kinds: list[DayType]
) -> None:
    past = history(np.random.default_rng(seed).poisson(mean, (days, 8)), slot_min=180)
    past.recorded[[n for n in gaps if n < days]] = False
    calendar = {
        date: Day(kind, "day" if n % 3 == 0 else "")
        for n, (date, kind) in enumerate(zip(days_from(MONDAY, 54), kinds, strict=True))
    }
    ahead = days_from(MONDAY + dt.timedelta(days=days), 14)
    for model in CANDIDATES:
        guess = predict(model, past, ahead, calendar)
        assert guess.shape == (14, 8)
        assert np.isfinite(guess).all()
        assert (guess >= 0).all()
    assert forecast_skill(past, ahead, calendar).volume.shape == (14, 8)


@pytest.mark.records
def test_incident_arrivals_beat_last_week_again(shared: Path) -> None:
    log = pd.read_csv(
        shared / "data" / "servicenow_incident_events_2016-02_04.csv.gz",
        dtype=str, usecols=["number", "opened_at"],
    ).drop_duplicates("number")  # fmt: skip
    opened = pd.to_datetime(log["opened_at"], format="%d/%m/%Y %H:%M")
    (past,) = histories(pd.DataFrame({"opened_at": opened, "skill": "all"}))
    result = forecast_skill(past, [dt.date(2016, 5, 2)], {})
    assert result.accuracy is not None
    assert result.naive is not None
    assert result.accuracy.wape < 0.8 * result.naive.wape


@pytest.mark.records
def test_bank_calls_beat_last_week_again(shared: Path) -> None:
    calls = pd.read_csv(shared / "data" / "bank_calls_1999-02-01_14.csv.gz", dtype={"date": str})
    opened = pd.to_datetime(calls["date"] + calls["vru_entry"], format="%y%m%d%H:%M:%S")
    (past,) = histories(pd.DataFrame({"opened_at": opened, "skill": "all"}))
    result = forecast_skill(past, [dt.date(1999, 2, 15)], {})
    assert result.accuracy is not None
    assert result.naive is not None
    assert result.accuracy.wape < 0.95 * result.naive.wape
