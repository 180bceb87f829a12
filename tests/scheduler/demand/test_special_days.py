"""Special days return under their name or lunar date, and what they do is learnt from the past."""

import datetime as dt
import math

import numpy as np
import pytest

from scheduler.demand.candidates import CANDIDATES, predict
from scheduler.demand.factors import Seen, learn
from scheduler.demand.forecast import forecast_skill
from scheduler.demand.history import Calendar, Day, History
from scheduler.demand.special import Place, festival, places
from scheduler.labour import DayType
from wfm.calendars import load_year

HOLIDAY, REST, MAKE_UP = (
    DayType.STATUTORY_HOLIDAY,
    DayType.REST_DAY,
    DayType.MAKE_UP_WORKDAY,
)
PROFILE = CANDIDATES[2]
MONDAY = dt.date(2024, 1, 1)


def china(*years: int) -> Calendar:
    return {
        day.date: Day(DayType(day.day_type.value), day.name_zh)
        for year in years
        for day in load_year("CN", year).days()
    }


def test_spring_festival_is_found_by_lunar_date_in_every_year() -> None:
    calendar = china(2024, 2025, 2026)
    found = places(dt.date(2024, 1, 1), dt.date(2026, 12, 31), calendar)
    # lunar 1/1 was 10 February 2024, 29 January 2025 and 17 February 2026
    for day in (dt.date(2024, 2, 10), dt.date(2025, 1, 29), dt.date(2026, 2, 17)):
        assert found[day] == Place("day", "初一")
        assert found[day + dt.timedelta(days=4)] == Place("off", "春节", 4)
    # the first workday after it: 18 February (a make-up Sunday), 5 and 24 February
    for day in (dt.date(2024, 2, 18), dt.date(2025, 2, 5), dt.date(2026, 2, 24)):
        assert found[day] == Place("after", "春节", 1)
    # a lunar day nobody is off on
    for day in (dt.date(2024, 2, 24), dt.date(2025, 2, 12), dt.date(2026, 3, 3)):
        assert found[day] == Place("lunar", "元宵节")


def test_mid_autumn_moves_and_belongs_to_national_day_when_it_falls_into_it() -> None:
    found = places(dt.date(2025, 9, 1), dt.date(2026, 10, 31), china(2025, 2026))
    assert found[dt.date(2025, 10, 6)] == found[dt.date(2026, 9, 25)] == Place("day", "中秋节")
    assert found[dt.date(2025, 10, 8)] == Place("off", "国庆节", 7)
    assert found[dt.date(2026, 9, 26)] == Place("off", "中秋节", 1)
    # Wednesday 30 September 2026 is nearer to National Day than to Mid-Autumn
    assert found[dt.date(2026, 9, 30)] == Place("before", "国庆节", 1)
    assert found[dt.date(2026, 9, 28)] == Place("after", "中秋节", 1)


def test_plain_weekends_and_calendars_without_the_moon_have_no_special_days() -> None:
    assert places(MONDAY, dt.date(2024, 12, 31), {}) == {}
    friday = dt.date(2016, 3, 25)
    found = places(dt.date(2016, 3, 1), dt.date(2016, 4, 30), {friday: Day(HOLIDAY, "Good Friday")})
    assert found[friday] == Place("day", "Good Friday")
    # Saturday and Sunday after it stay a weekend; Monday is the first workday after it
    assert friday + dt.timedelta(days=1) not in found
    assert found[dt.date(2016, 3, 28)] == Place("after", "Good Friday", 1)
    assert {place.kind for place in found.values()} == {"day", "before", "after"}


@pytest.mark.parametrize(
    ("name", "whole"),
    [("初三", "春节"), ("除夕", "春节"), ("10月4日", "国庆节"),
     ("Lunar New Year day 2", "Spring Festival"), ("Founders' day", "Founders' day")],
)  # fmt: skip
def test_days_belong_to_their_festival(name: str, whole: str) -> None:
    assert festival(name) == whole


def seen(kind: str, name: str, ratio: float, offset: int = 0, year: int = 2024) -> Seen:
    return Seen(dt.date(year, 5, 1), Place(kind, name, offset), ratio)  # type: ignore[arg-type]


def test_a_factor_far_beyond_chance_is_believed_and_one_within_it_is_not() -> None:
    # chance 0.0225 (15 %); one workday after a holiday at 1.5: ln 1.5 = 0.4055,
    # trust 1 - 0.0225 / 0.1644 = 0.8631, exp(0.35) = 1.419 for its kind; its own lies
    # 0.0555 from that, within chance (0.0225 > 0.0031), so it stays with its kind
    place = Place("after", "x", 1)
    found = learn([seen("after", "x", 1.5, 1)], 0.0225)
    assert found.of(place).factor == pytest.approx(math.exp(0.8631 * 0.4055), rel=1e-3)  # type: ignore[union-attr]
    assert found.of(Place("after", "never seen", 1)).factor == pytest.approx(1.419, rel=1e-3)  # type: ignore[union-attr]
    # 1.1 is within chance: ln 1.1 = 0.0953, 0.0225 / 0.0091 > 1
    assert learn([seen("after", "x", 1.1, 1)], 0.0225).of(place).factor == 1.0  # type: ignore[union-attr]
    assert found.of(Place("after", "x", 2)) is None


def test_a_skill_of_few_contacts_follows_the_whole_desk() -> None:
    # the desk: first workdays after a holiday at 1.2 four times: ln 1.2 = 0.1823,
    # trust 1 - 0.01 / 4 / 0.0332 = 0.925, exp(0.1686) = 1.184
    desk = learn([seen("after", "x", 1.2, 1, year) for year in range(2020, 2024)], 0.01)
    place = Place("after", "y", 1)
    assert desk.of(place).factor == pytest.approx(1.184, rel=1e-3)  # type: ignore[union-attr]
    # a skill that scatters much and once had 0.9: ln 0.9 - 0.1686 = -0.274, within 0.2
    own = learn([seen("after", "x", 0.9, 1)], 0.2, desk)
    assert own.of(place).factor == pytest.approx(1.184, rel=1e-3)  # type: ignore[union-attr]
    assert learn([seen("after", "x", 0.9, 1)], 0.2).of(place).factor == 1.0  # type: ignore[union-attr]
    # days off are each skill's own: some desks close, some do not
    shut = learn([seen("day", "a", 0.1)], 0.2, learn([seen("day", "a", 0.9)], 0.01))
    assert shut.of(Place("day", "b")).factor == pytest.approx(0.1)  # type: ignore[union-attr]


def test_a_day_off_is_drawn_to_other_days_off_only_as_far_as_chance_goes() -> None:
    # ln 0.2 = -1.609 and ln 0.8 = -0.223, middle -0.916: each is 0.693 from it;
    # trust 1 - 0.0225 / 0.4805 = 0.953
    found = learn([seen("day", "a", 0.2), seen("day", "b", 0.8)], 0.0225)
    assert found.of(Place("day", "a")).factor == pytest.approx(  # type: ignore[union-attr]
        math.exp(-0.916 - 0.953 * 0.693), rel=1e-3
    )
    assert found.of(Place("day", "c")).factor == pytest.approx(0.4)  # type: ignore[union-attr]  # √(0.2 · 0.8)


def test_a_desk_closed_on_holidays_stays_closed() -> None:
    found = learn([seen("day", "a", 0.0)], 0.0225)
    assert found.of(Place("day", "a")).factor == 0.0  # type: ignore[union-attr]


def test_one_lunar_day_says_nothing_of_another() -> None:
    found = learn([seen("lunar", "元宵节", 2.0)], 0.01)
    assert found.of(Place("lunar", "元宵节")).factor > 1.9  # type: ignore[union-attr]
    assert found.of(Place("lunar", "七夕")) is None


def years(calendar: Calendar, factor: dict[dt.date, float]) -> History:
    """Three years of 400 contacts a workday and 100 a rest day, times the factor of a date."""
    dates = [MONDAY + dt.timedelta(days=n) for n in range(365 + 366 + 20)]
    totals = [
        (100.0 if day_off(calendar[date]) else 400.0) * factor.get(date, 1.0) for date in dates
    ]
    volume = np.array(totals)[:, None] * [0.75, 0.25]
    nothing = np.full(volume.shape, np.nan)
    return History(
        "s", MONDAY, 720, volume, nothing, np.zeros(volume.shape),
        np.ones(len(dates), dtype=bool),
    )  # fmt: skip


def day_off(day: Day) -> bool:
    return day.day_type in (HOLIDAY, REST)


def test_spring_festival_is_learnt_where_it_was_and_expected_where_it_will_be() -> None:
    calendar = china(2024, 2025, 2026)
    before = {}
    for eve in (dt.date(2024, 2, 9), dt.date(2025, 1, 28)):  # 除夕 by the moon
        before[eve] = 0.5
        # the three workdays before the days off are twice as busy
    near = places(MONDAY, dt.date(2025, 12, 31), calendar)
    for date, place in near.items():
        if place.kind == "before" and place.name == "春节":
            before[date] = 2.0
        if place == Place("lunar", "元宵节"):
            before[date] = 1.8
    past = years(calendar, before)
    ahead = [dt.date(2026, 2, 1) + dt.timedelta(days=n) for n in range(40)]
    forecasts = dict(
        zip(ahead, predict(PROFILE, past, ahead, calendar).sum(axis=1), strict=True)
    )  # fmt: skip
    usual = forecasts[dt.date(2026, 2, 4)]
    assert usual == pytest.approx(400, rel=0.05)
    # 2026: 12, 13 and 14 February (a make-up Saturday) come before the days off
    for day in (12, 13, 14):
        assert forecasts[dt.date(2026, 2, day)] == pytest.approx(800, rel=0.1)
    assert forecasts[dt.date(2026, 3, 3)] == pytest.approx(720, rel=0.1)  # 元宵节
    eve, first = (forecasts[dt.date(2026, 2, day)] for day in (16, 17))
    assert eve == pytest.approx(first / 2, rel=0.2)
    # the dates of the years before mean nothing: 28 January and 9 February are plain days
    assert forecasts[dt.date(2026, 2, 9)] == pytest.approx(400, rel=0.1)


def test_the_forecast_says_what_it_learnt_of_special_days() -> None:
    calendar = china(2024, 2025, 2026)
    ahead = [dt.date(2026, 2, 16), dt.date(2026, 2, 24)]
    result = forecast_skill(years(calendar, {}), ahead, calendar)
    found = {one.place: one for one in result.special}
    eve = found[Place("day", "除夕")]
    # 2024-02-09 was no statutory day yet, so only 2025 is seen: 100 of 400
    assert eve.seen == (dt.date(2025, 1, 28),)
    assert eve.own == pytest.approx(0.25, rel=0.02)
    assert eve.factor == pytest.approx(0.25, rel=0.05)
    assert eve.ahead == (dt.date(2026, 2, 16),)
    after = found[Place("after", "春节", 1)]
    assert after.factor == pytest.approx(1.0, abs=0.02)
    assert len(after.seen) == 2


def test_a_make_up_workday_is_as_busy_as_an_average_workday() -> None:
    calendar = china(2024, 2025, 2026)
    guess = predict(PROFILE, years(calendar, {}), [dt.date(2026, 10, 10)], calendar)
    assert guess.sum() == pytest.approx(400, rel=0.02)  # a Saturday
