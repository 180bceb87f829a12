"""Forecasts, special days and deadlines just where a rule begins to bite, by hand."""

import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scheduler.demand.backtest import Accuracy, Spread, Trial, next_days, starts
from scheduler.demand.deferred import DeferredWork, level, smallest_peak, work_due
from scheduler.demand.factors import Seen, learn
from scheduler.demand.forecast import Note, forecast_skill
from scheduler.demand.handle import forecast_handle
from scheduler.demand.history import Day, History, histories, together
from scheduler.demand.profile import Profile, _weighted_median
from scheduler.demand.queues import agents_needed, erlang_a, erlang_b, erlang_c
from scheduler.demand.special import Place, places
from scheduler.errors import SchedulingError
from scheduler.labour import DayType

MONDAY = dt.date(2026, 3, 2)
HOLIDAY = DayType.STATUTORY_HOLIDAY


def days_from(first: dt.date, count: int) -> list[dt.date]:
    return [first + dt.timedelta(days=n) for n in range(count)]


def past(volume: Any, seconds: float = math.nan) -> History:
    """One skill's days; where `seconds` is given, every contact took so long."""
    counts = np.array(volume, dtype=float)
    measured = counts if math.isfinite(seconds) else np.zeros(counts.shape)
    return History(
        "mail", MONDAY, 1440 // counts.shape[1], counts, np.full(counts.shape, seconds), measured,
        np.ones(len(counts), dtype=bool),
    )  # fmt: skip


def notes(history: History) -> list[str]:
    """What the forecast of the day after says."""
    ahead = [MONDAY + dt.timedelta(days=len(history.volume))]
    return [note.code for note in forecast_skill(history, ahead, {}).notes]


# -- what a forecast says of itself ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "said"),
    [(13, ["short_history"]), (14, ["no_year"]), (364, ["no_year"]), (365, [])],
)
def test_how_long_a_history_must_be(days: int, said: list[str]) -> None:
    assert notes(past(np.full((days, 1), 5.0), 60)) == said


def test_a_contact_a_slot_is_not_sparse() -> None:
    # two slots a day with 1 and 1, and one that is never used: 1 per busy slot; with 0.9: below
    plain = np.tile([1.0, 1, 0], (28, 1))
    assert notes(past(plain, 60)) == ["no_year"]
    assert notes(past(plain * [1, 0.9, 1], 60)) == ["no_year", "sparse"]


def test_ten_missing_days_are_listed_and_of_more_how_many() -> None:
    for gone, more in ((10, ""), (12, " … (+2)")):
        history = past(np.full((40, 1), 5.0), 60)
        history.recorded[:gone] = False
        [note] = [n for n in forecast_skill(history, [], {}).notes if n.code == "missing_days"]
        listed = ", ".join(date.isoformat() for date in days_from(MONDAY, 10))
        assert note.values["dates"] == listed + more
        assert listed in note.text("zh")
    assert Note("short_history", {"days": 3}).text().startswith("3 days")


def test_a_special_day_never_seen_is_said() -> None:
    ahead = days_from(MONDAY + dt.timedelta(days=28), 2)
    calendar = {ahead[0]: Day(HOLIDAY, "new"), MONDAY: Day(HOLIDAY, "old")}
    history = past(np.full((28, 1), 5.0), 60)
    found = forecast_skill(history, ahead, calendar)
    assert [n.values for n in found.notes if n.code == "special_unseen"] == [
        {"dates": ahead[0].isoformat()}
    ]
    seen = {ahead[0]: Day(HOLIDAY, "old"), MONDAY: Day(HOLIDAY, "old")}
    assert "special_unseen" not in [n.code for n in forecast_skill(history, ahead, seen).notes]


# -- what came in ----------------------------------------------------------------------------------


def test_all_skills_together() -> None:
    one, other = past([[1, 2], [3, 4]], 60), past([[10, 0], [0, 5]], 60)
    whole = together([one, other])
    assert whole.volume.tolist() == [[11, 2], [3, 9]]
    assert whole.measured.sum() == 0
    assert np.isnan(whole.handle_s).all()


def test_the_first_days_of_a_history() -> None:
    history = past(np.arange(6.0).reshape(3, 2), 60).until(2)
    assert history.volume.tolist() == [[0, 1], [2, 3]]
    assert [len(part) for part in (history.handle_s, history.measured, history.recorded)] == [2] * 3


@pytest.mark.parametrize(
    ("counts", "gaps"),
    [
        # per day of two or three weeks; the second Tuesday is day 8
        ({8: 0}, [8]),  # the median of 40 and none is 20
        ({8: 2}, []),  # a twentieth of 40 …
        ({8: 1}, [8]),  # … and less
        ({1: 0, 8: 0}, []),  # Tuesdays are always empty
    ],
)
def test_which_days_were_not_recorded(counts: dict[int, int], gaps: list[int]) -> None:
    weeks = 3 if counts.get(8) else 2
    days = days_from(MONDAY, 7 * weeks)
    opened = [day for n, day in enumerate(days) for _ in range(counts.get(n, 40))]
    frame = pd.DataFrame({"opened_at": pd.to_datetime(opened), "skill": "mail"})
    [found] = histories(frame)
    assert np.flatnonzero(~found.recorded).tolist() == gaps


def test_a_single_day_without_records_cannot_be_told_from_a_quiet_one() -> None:
    frame = pd.DataFrame({"opened_at": pd.to_datetime(["2026-03-02", "2026-03-04"])})
    [found] = histories(frame.assign(skill="mail"))
    assert found.recorded.all()


@pytest.mark.parametrize("slot_min", [0, 7, 1441])
def test_a_slot_divides_the_day(slot_min: int) -> None:
    frame = pd.DataFrame({"opened_at": pd.to_datetime(["2026-03-02 09:00"]), "skill": ["mail"]})
    with pytest.raises(SchedulingError, match="does not divide a day"):
        histories(frame, slot_min=slot_min)
    assert histories(frame, slot_min=1)[0].volume.shape == (1, 1440)
    assert histories(frame, slot_min=1440)[0].volume.tolist() == [[1]]


# -- handle time -----------------------------------------------------------------------------------


def test_handle_time_of_two_slots_and_its_error() -> None:
    # 60 days of 10 contacts at 100 s: whatever the candidate, no error at all
    found = forecast_handle(past(np.full((60, 1), 10.0), 100), [MONDAY], {})
    assert found.seconds.tolist() == [[pytest.approx(100)]]
    assert found.wape == pytest.approx(0)
    # the last four weeks, at 10 a day, took twice as long: 280 contacts at 200 s; in all 600, at
    # (320 · 100 + 280 · 200) / 600 = 146.67 s, which workdays are drawn to by 20 contacts
    history = past(np.full((60, 1), 10.0), 100)
    history.handle_s[-28:] = 200
    recent = forecast_handle(history, [MONDAY], {})
    assert recent.model == "slot_recent"
    mean = (320 * 100 + 280 * 200) / 600
    work = [n for n, date in enumerate(history.dates) if date.weekday() < 5]
    late = sum(n >= 32 for n in work)
    own = (10 * ((len(work) - late) * 100 + late * 200) + 20 * mean) / (10 * len(work) + 20)
    # moved by 200 / 146.67 as far as 280 of 280 + 200 go
    trust = 280 / (280 + 200)
    assert recent.seconds[0, 0] == pytest.approx(own * (1 + trust * (200 / mean - 1)))
    assert np.isnan(forecast_handle(past(np.full((60, 1), 10.0)), [MONDAY], {}).seconds).all()


def test_the_error_of_handle_times_is_counted_by_contacts() -> None:
    # 20 days; on day n every one of n contacts took 100 + n seconds. The plain mean of the days
    # before each start is off by so much for each contact of the days that follow
    history = past(np.arange(20.0)[:, None], 100)
    history.handle_s[:, 0] = 100 + np.arange(20)
    error = actual = 0.0
    for start in starts(history):
        before = np.arange(start)
        mean = (before * (100 + before)).sum() / before.sum()
        for n in next_days(history, start):
            error += n * abs(100 + n - mean)
            actual += n * (100 + n)
    assert actual > 0
    assert forecast_handle(history, [MONDAY], {}).wapes["mean"] == pytest.approx(error / actual)


def test_a_slot_nobody_measured_has_no_error_and_one_contact_has() -> None:
    # evenings without a contact have no time either; mornings of one contact take 100 s, the last
    # 130: the mean before it is 100, so 30 s are wrong each time that day is tried
    counts = np.array([[1.0, 0.0]] * 20)
    history = past(counts, 100.0)
    history.handle_s[:, 1] = np.nan
    history.handle_s[19, 0] = 130
    tried = [n for start in starts(history) for n in next_days(history, start)]
    error = 30 * tried.count(19)
    expected = error / (100 * len(tried) + error)
    assert 0 < expected < 0.1
    assert forecast_handle(history, [MONDAY], {}).wapes["mean"] == pytest.approx(expected)


# -- special days ----------------------------------------------------------------------------------


def test_only_the_days_asked_for_are_placed() -> None:
    # Wednesday a holiday: Monday, Tuesday and Thursday, Friday, Monday are near it
    middle = MONDAY + dt.timedelta(days=2)
    calendar = {middle: Day(HOLIDAY, "x")}
    assert places(middle, middle, calendar) == {middle: Place("day", "x")}
    found = places(MONDAY - dt.timedelta(days=9), MONDAY + dt.timedelta(days=20), calendar)
    assert {(date - MONDAY).days: (p.kind, p.offset) for date, p in found.items()} == {
        -3: ("before", 3), 0: ("before", 2), 1: ("before", 1), 2: ("day", 0),
        3: ("after", 1), 4: ("after", 2), 7: ("after", 3),
    }  # fmt: skip


def test_between_two_holidays_the_nearer_counts_and_of_equals_the_one_that_was() -> None:
    # Monday and Friday are holidays: Tuesday is 1 after, Thursday 1 before, Wednesday 2 from both
    friday = MONDAY + dt.timedelta(days=4)
    found = places(MONDAY, friday, {MONDAY: Day(HOLIDAY, "a"), friday: Day(HOLIDAY, "b")})
    assert [found[date] for date in days_from(MONDAY, 5)] == [
        Place("day", "a"), Place("after", "a", 1), Place("after", "a", 2), Place("before", "b", 1),
        Place("day", "b"),
    ]  # fmt: skip


def test_workdays_are_near_a_holiday_for_a_week_at_most() -> None:
    # Friday a holiday, Tuesday and Wednesday after it days off: Monday, Thursday and Friday follow
    friday = MONDAY + dt.timedelta(days=4)
    off = {friday + dt.timedelta(days=n): Day(DayType.REST_DAY) for n in (4, 5)}
    found = places(friday, friday + dt.timedelta(days=20), {friday: Day(HOLIDAY, "x"), **off})
    assert {(date - friday).days: place.offset for date, place in found.items()} == {
        0: 0, 3: 1, 6: 2, 7: 3,
    }  # fmt: skip
    # with Thursday off too, Friday is the second and the last within seven days
    off[friday + dt.timedelta(days=6)] = Day(DayType.REST_DAY)
    found = places(friday, friday + dt.timedelta(days=20), {friday: Day(HOLIDAY, "x"), **off})
    assert {(date - friday).days: place.offset for date, place in found.items()} == {
        0: 0, 3: 1, 7: 2,
    }  # fmt: skip


def test_a_slot_far_above_the_usual_is_cut() -> None:
    # usual 16: two and a half times and four times its chance, 40 + 16, and 3 are believed: 59
    volume = np.full((28, 1), 16.0)
    volume[9], volume[17] = 200, 59
    totals = Profile(past(volume), {}).totals
    assert [totals[n] for n in (8, 9, 17)] == [16, 59, 59]
    # of two days each is judged by the other and by the usual workday of 16
    two = np.full((14, 1), 16.0)
    two[8] = 36  # the Tuesdays: 16 and 36, of which the latter makes 90 + 24 + 3 believable
    two[1] = 200
    assert Profile(past(two), {}).totals[[1, 8]].tolist() == [117, 36]


def test_growth_compares_the_last_fortnight_with_the_one_before() -> None:
    # 80, 100, 100, 110, 110 a day, week by week: 1.1 times in two weeks; the first week is too old
    weeks = np.repeat([80.0, 100, 100, 110, 110], 7)[:, None]
    assert Profile(past(weeks), {}).growth() == pytest.approx(math.sqrt(1.1))
    # a fortnight alone has nothing before it
    assert Profile(past(weeks[-14:]), {}).growth() == 1.0
    # twice as much in a fortnight would be 1.41 a week: no more than a tenth is believed
    assert Profile(past(np.repeat([100.0, 145], 14)[:, None]), {}).growth() == 1.1


@pytest.mark.parametrize(
    ("values", "weights", "middle"),
    [
        ([3, 1, 2], [1, 1, 1], 2),
        ([4, 1, 3, 2], [1, 1, 1, 1], 2.5),  # between the middle two
        ([1, 2, 3], [3, 1, 1], 1),  # the first alone is three of five
        ([1, 2, 3], [2, 1, 1], 1.5),  # just half: between it and the next
        ([7], [0.5], 7),
    ],
)
def test_a_median_by_weight(values: list[float], weights: list[float], middle: float) -> None:
    assert _weighted_median(np.array(values, float), np.array(weights, float)) == middle


def test_an_interval_of_a_rate_that_is_itself_uncertain() -> None:
    # as much extra scatter as the mean's square makes a geometric number: with a mean of 4 at most
    # k with 1 − 0.8^(k+1): 0.2 for none, 0.893 for 9, 0.914 for 10
    low, high = Spread(1.0, None).interval(np.array([4.0]), 0.8)
    assert (low.tolist(), high.tolist()) == ([0], [10])


def test_what_a_trial_says_of_its_errors() -> None:
    # 3 + 5 for 4 + 4, then 6 for 4: slots off by 1 + 1 + 2 of 12, days by 0 + 2, in sum 2 too many
    trial = Trial(
        "m",
        (np.array([[3.0, 5.0]]), np.array([[6.0, 0.0]])),
        (np.array([[4.0, 4.0]]), np.array([[4.0, 0.0]])),
    )
    assert trial.accuracy == Accuracy("m", 4 / 12, 2 / 12, 2 / 12, 2, 2)
    assert Trial("m", trial.guesses, tuple(t * 0 for t in trial.truths)).accuracy is None


@pytest.mark.parametrize(
    ("days", "found"),
    [
        (13, []),  # two weeks are needed
        (14, list(range(7, 14))[-8:]),  # each day from the eighth on
        (16, list(range(8, 16))),  # the last eight of them
        (28, [7, 14, 21]),  # from four weeks on week by week
        (90, list(range(34, 90, 7))),  # the last eight weeks
    ],
)
def test_from_which_days_a_forecast_is_tried(days: int, found: list[int]) -> None:
    history = past(np.ones((days, 1)))
    assert starts(history) == found
    assert next_days(history, days - 2) == [days - 2, days - 1]
    assert next_days(history, 0) == list(range(7))
    history.recorded[1] = False
    assert next_days(history, 0) == [0, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("slots", "side"), [(96, 0.25), (48, 0.25), (24, 0.0625)])
def test_how_much_a_slot_takes_from_its_neighbours(slots: int, side: float) -> None:
    # a quarter from either side up to half an hour, of an hour a quarter of that
    blur = Profile(past(np.ones((14, slots))), {}).blur
    assert blur.tolist() == [side, 1 - 2 * side, side]


def test_a_day_has_its_share_whatever_is_asked_for_beside_it() -> None:
    # holidays are all in the second half of the day, other days in the first
    holidays = [MONDAY + dt.timedelta(days=n) for n in (7, 21, 35)]
    volume = np.tile([90.0, 10], (28, 1))
    volume[[7, 21]] = [0, 50]
    profile = Profile(past(volume), {day: Day(HOLIDAY, "x") for day in holidays})
    later = holidays[2] + dt.timedelta(days=2)
    [alone] = profile.day_shares([holidays[2]])
    assert alone[1] > 0.9
    for dates in ([holidays[2], later], [later, holidays[2]]):
        shares = profile.day_shares(dates)
        assert shares[dates.index(holidays[2])].tolist() == alone.tolist()
        sizes = profile.day_sizes(dates)
        assert sizes[dates.index(holidays[2])] == profile.day_sizes([holidays[2]])[0]


def test_factors_drawn_by_hand() -> None:
    # two holidays named alike at 0.5 and 0.5: ln = −0.693 is their own and their kind's
    seen = [Seen(dt.date(year, 5, 1), Place("day", "x"), 0.5) for year in (2024, 2025)]
    found = learn(seen, 0.01).of(Place("day", "x"))
    assert found is not None
    assert (found.factor, found.own) == (pytest.approx(0.5), 0.5)
    assert found.seen == (dt.date(2024, 5, 1), dt.date(2025, 5, 1))
    # a lunar day at 1.2, twice: ln 1.2 = 0.1823, trust 1 − 0.01 / 2 / 0.0332 = 0.8496, from 1 on
    lunar = [Seen(dt.date(year, 3, 1), Place("lunar", "m"), 1.2) for year in (2024, 2025)]
    moon = learn(lunar, 0.01).of(Place("lunar", "m"))
    assert moon is not None
    trust = 1 - 0.01 / 2 / math.log(1.2) ** 2
    assert moon.factor == pytest.approx(1.2**trust)


# -- work that may wait ----------------------------------------------------------------------------


def always(slots: int) -> np.ndarray:
    return np.ones(slots, dtype=bool)


@pytest.mark.parametrize(
    ("free", "peak"),
    [
        # 3 person-slots due within slots 1–2, 1 more within 0–3
        ((0, 0, 0, 0), 2),  # [1, 2]: 3 / 2
        ((0, 0.5, 0.5, 0), 1),  # [1, 2]: 2 / 2; [0, 3]: 3 / 4
        ((0, 1.5, 1.5, 0), 1),  # [1, 2]: none; [0, 3]: 1 / 4
        ((0, 2, 2, 0), 0),
        ((4, 0, 0, 4), 2),  # what is free elsewhere does not help [1, 2]
    ],
)
def test_the_densest_window_beside_what_is_free(free: tuple[float, ...], peak: int) -> None:
    found = smallest_peak(
        np.array([1, 0]), np.array([2, 3]), np.array([3.0, 1.0]), np.array(free, dtype=float)
    )
    assert found == peak


def test_a_minute_of_work_is_work() -> None:
    due = work_due("s", "ordinary", "P", np.array([0.5, 0, 1.0]), 60, 30, always(3))
    assert (due.release.tolist(), due.minutes.tolist()) == ([1, 2], [0.5, 1.0])


def test_what_comes_before_the_last_opening_waits_for_it_and_after_it_for_nothing() -> None:
    # open in 0 and 2 only, one hour promised: what comes in 1 is due in 2, what comes in 3 is late
    is_open = np.array([True, False, True, False])
    due = work_due("s", "ordinary", "P", np.array([0.0, 5, 0, 7]), 60, 30, is_open)
    assert (due.release.tolist(), due.due.tolist()) == ([2, 3], [2, 3])
    [late] = level([due], is_open, 30).late
    assert (late.release, late.due, late.done_by, late.minutes) == (3, 3, None, 7)


def test_people_come_for_what_is_left_beyond_those_who_are_free() -> None:
    # 45 min are 1.5 person-slots, due within three; 0.6 are free in each: 0.9 is no full slot, and
    # by the third slot 1.8 are free in all: nobody need come
    work = DeferredWork("s", "ordinary", "P", np.array([0]), np.array([2]), np.array([45.0]))
    answer = level([work], always(3), 30, np.full(3, 0.6))
    assert answer.people.tolist() == [0, 0, 0]
    assert answer.spare == pytest.approx([0, 0, 0.3])
    # with 0.4 free in each 1.1 are left at first: somebody comes for the full slot at once
    answer = level([work], always(3), 30, np.full(3, 0.4))
    assert answer.people.tolist() == [1, 0, 0]
    assert answer.done[0] == pytest.approx([1.4, 0.1, 0])


def test_nobody_comes_early_for_less_than_a_full_slot() -> None:
    # one slot of work may wait until the third, and in the second five come that cannot wait;
    # half a person is free throughout. At first half is left beyond the one free: nobody comes.
    # Then 0.5 + 5 are there, five beyond the one free, and five finish everything
    early = DeferredWork("s", "ordinary", "P", np.array([0]), np.array([2]), np.array([30.0]))
    due = DeferredWork("s", "ordinary", "Q", np.array([1]), np.array([1]), np.array([150.0]))
    answer = level([early, due], always(3), 30, np.full(3, 0.5))
    assert answer.people.tolist() == [0, 5, 0]
    assert answer.done[0] == pytest.approx([0.5, 0.5, 0])


# -- queues ----------------------------------------------------------------------------------------


def test_two_lines_and_three_agents() -> None:
    # B(2, 2): weights 1, 2, 2: 2 / 5; carried 2 · 3 / 5 by two lines
    lossy = erlang_b(2.0, 2)
    assert (lossy.blocking_probability, lossy.occupancy) == pytest.approx((0.4, 0.6))
    assert lossy.log_blocking_probability == pytest.approx(math.log(0.4))
    # C(3, 2): B(3, 2) = (8/6) / (1 + 2 + 2 + 8/6) = 4/19; 3 · 4/19 / (3 − 2 · 15/19) = 4/9
    queue = erlang_c(2.0, 3, handle_min=6, within_min=3)
    assert queue.waiting_probability == pytest.approx(4 / 9)
    assert queue.log_waiting_probability == pytest.approx(math.log(4 / 9))
    assert queue.mean_wait_min == pytest.approx(4 / 9 * 6)
    assert queue.service_level == pytest.approx(1 - 4 / 9 * math.exp(-0.5))
    assert queue.mean_queue_length == pytest.approx(4 / 9 * 2)
    # ninety of a hundred have waited no longer than ln(4/9 / 0.1) handle times
    assert queue.wait_p90_min == pytest.approx(6 * math.log(40 / 9))
    # where fewer than a tenth wait at all, ninety of a hundred do not
    assert erlang_c(0.1, 3, handle_min=6).wait_p90_min == 0


def test_two_agents_with_customers_as_quick_to_leave_as_to_be_served() -> None:
    # n = 2, patience = handle time: an M/M/∞ queue of load 2: weights e^-2 · 2^k / k!
    # waits: 1 − 3 e^-2; busy on average 2 − (2 · e^-2 + 2 e^-2) = 2 − 4 e^-2; lost the rest of 2
    queue = erlang_a(2.0, 2, handle_min=5, patience_min=5)
    e2 = math.exp(-2)
    assert queue.waiting_probability == pytest.approx(1 - 3 * e2)
    assert queue.occupancy == pytest.approx((2 - 4 * e2) / 2)
    assert queue.abandonment_probability == pytest.approx(4 * e2 / 2)
    assert queue.mean_queue_length == pytest.approx(4 * e2)
    assert queue.mean_wait_min == pytest.approx(5 * 4 * e2 / 2)
    assert queue.mean_wait_of_waiting_min == pytest.approx(5 * 2 * e2 / (1 - 3 * e2))


def test_fewest_agents_by_hand() -> None:
    # one erlang: two agents answer 2/3 at once, three 10/11 (C(3, 1) = 1/11)
    for target, agents in ((2 / 3, 2), (0.67, 3), (10 / 11, 3), (0.92, 4)):
        assert agents_needed("c", 1.0, target_service_level=target, handle_min=5) == agents
    # busy at most half the time: two; a hair less: three
    assert agents_needed("c", 1.0, max_occupancy=0.5) == 2
    assert agents_needed("c", 1.0, max_occupancy=0.499) == 3
    # one line serves half of one erlang, two 4/5
    assert agents_needed("b", 1.0, target_service_level=0.5) == 1
    assert agents_needed("b", 1.0, target_service_level=0.8) == 2
    # with no target at all one more than the load keeps a patient queue from growing for ever
    assert agents_needed("c", 3.0, target_service_level=0.0, handle_min=5) == 4
