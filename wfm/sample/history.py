"""Who worked when in the past: the rosters behind the tickets, the carry-in, the ledger."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scheduler.labour import DayType
from wfm.calendars import CalendarDay, HolidayCalendar
from wfm.sample import catalogue
from wfm.sample.people import Crew

DAY_S = 86_400
# weekday (Monday 0) on which two days off begin, week after week; no run of work exceeds six days
FIRST_DAY_OFF = np.array([5, 5, 5, 5, 2, 3, 4])
ROTATION = ("early", "day", "mid", "late")
HOLIDAY_STAFF = 0.55  # share of those due who work on an off day of a holiday
MAKE_UP_STAFF = 0.7  # share of those with a free weekend who come in on a make-up workday
CARRY_IN_DAYS = 7
LEDGER_FROM = dt.date(2024, 1, 1)
ORDINARY_ON_NAMED_DAY = 10


@dataclass(frozen=True, eq=False)
class History:
    """Past shifts: `shift` is agents × days (index into `catalogue.SHIFTS`, −1 = off).

    `start` and `end` hold the same in seconds from local midnight of the first day, also
    agents × days; they are −1 on days off.
    """

    days: tuple[CalendarDay, ...]
    shift: np.ndarray
    start: np.ndarray
    end: np.ndarray


def make_history(
    rng: np.random.Generator, crew: Crew, leave: pd.DataFrame, calendar: HolidayCalendar
) -> History:
    first = dt.date.fromisoformat(catalogue.FIRST_DAY)
    days = calendar.between(first, dt.date.fromisoformat(catalogue.LAST_DAY))
    shift = _rotation(len(crew.agents), days)
    chance = rng.random(shift.shape)
    codes = [row[0] for row in catalogue.SHIFTS]
    for number, day in enumerate(days):
        holiday = day.day_type == DayType.STATUTORY_HOLIDAY or (day.name and day.is_off)
        if holiday:
            shift[chance[:, number] > HOLIDAY_STAFF, number] = -1
        elif day.day_type == DayType.MAKE_UP_WORKDAY:
            called = (shift[:, number] < 0) & (chance[:, number] < MAKE_UP_STAFF)
            shift[called, number] = codes.index("day")
    _clear_absences(shift, crew, leave, first)
    starts = np.array([_seconds(row[3]) for row in catalogue.SHIFTS])
    ends = np.array([_seconds(row[4]) for row in catalogue.SHIFTS])
    offset = np.arange(len(days)) * DAY_S
    off = shift < 0
    return History(
        days=days,
        shift=shift,
        start=np.where(off, -1, starts[shift] + offset),
        end=np.where(off, -1, ends[shift] + offset),
    )


def _seconds(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def _rotation(people: int, days: tuple[CalendarDay, ...]) -> np.ndarray:
    """Five days on, two off; the shift moves forward after each pair of days off."""
    agent = np.arange(people)[:, None]
    monday = days[0].date - dt.timedelta(days=days[0].date.weekday())
    since = np.array([(day.date - monday).days for day in days])[None, :]
    week, weekday = since // 7, since % 7
    free = FIRST_DAY_OFF[(week + agent) % len(FIRST_DAY_OFF)]
    block = np.where(weekday > free, week, week - 1) + agent // len(FIRST_DAY_OFF)
    codes = [row[0] for row in catalogue.SHIFTS]
    shift = np.array([codes.index(code) for code in ROTATION])[block % len(ROTATION)]
    return np.where((weekday == free) | (weekday == free + 1), -1, shift)


def _clear_absences(shift: np.ndarray, crew: Crew, leave: pd.DataFrame, first: dt.date) -> None:
    place = {agent_id: number for number, (agent_id, _) in enumerate(crew.starts())}
    columns = (leave[name].tolist() for name in ("agent_id", "start", "end"))
    for agent_id, start, end in zip(*columns, strict=True):
        shift[place[agent_id], max(0, (start - first).days) : (end - first).days + 1] = -1
    for number, (_, hired) in enumerate(crew.starts()):
        shift[number, : max(0, (hired - first).days)] = -1


def carry_in(crew: Crew, history: History) -> pd.DataFrame:
    """The duties of the last week before the month to be planned, in local time."""
    midnight = pd.Timestamp(catalogue.FIRST_DAY)
    rows = []
    for number in range(len(history.days) - CARRY_IN_DAYS, len(history.days)):
        for agent in np.flatnonzero(history.shift[:, number] >= 0):
            template = catalogue.SHIFTS[history.shift[agent, number]]
            start = midnight + pd.Timedelta(seconds=int(history.start[agent, number]))
            end = midnight + pd.Timedelta(seconds=int(history.end[agent, number]))
            agent_id = crew.agents["agent_id"][agent]
            rows.append((agent_id, start, end, template[0], template[7]))
    frame = pd.DataFrame(rows, columns=["agent_id", "start", "end", "shift", "mode"])
    for column in ("start", "end"):
        frame[column] = frame[column].dt.tz_localize(catalogue.TIMEZONE)
    return frame


def holiday_ledger(
    rng: np.random.Generator, crew: Crew, history: History, calendar: HolidayCalendar
) -> pd.DataFrame:
    """Who worked which named day since 2024, with the post held (empty: an ordinary shift).

    Some people were asked far more often than others; that is what a fair planner evens out.
    """
    agents, first = crew.agents, history.days[0].date
    hired = np.array(agents["hired_on"])
    asked = rng.gamma(1.2, 1.0, len(agents)) + 0.05
    rows = []
    for day in calendar.named_days(LEDGER_FROM, history.days[-1].date):
        number = (day.date - first).days
        there = history.shift[:, number] >= 0 if number >= 0 else hired <= day.date
        free = np.flatnonzero(there)
        weight = asked[free] / asked[free].sum()
        queue = free[rng.choice(len(free), size=len(free), replace=False, p=weight)].tolist()
        for post, agent in _fill(crew, queue):
            who = agents["agent_id"][agent]
            rows.append((who, day.date, day.day_type.value, day.name, day.name_zh, post))
    columns = ["agent_id", "on", "day_type", "name", "name_zh", "post"]
    return pd.DataFrame(rows, columns=columns)


def _fill(crew: Crew, queue: list[int]) -> list[tuple[str, int]]:
    """Posts in order of rank, each to the first in the queue who may hold it."""
    filled = []
    for post in catalogue.posts().itertuples():
        rank = catalogue.GRADES.index(str(post.min_grade))
        for agent in queue:
            if crew.grade[agent] >= rank and post.site in ("", crew.agents["site"][agent]):
                filled.append((str(post.code), agent))
                queue.remove(agent)
                break
    return filled + [("", agent) for agent in queue[:ORDINARY_ON_NAMED_DAY]]
