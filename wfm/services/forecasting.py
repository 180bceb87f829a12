"""From tickets to contacts: what every skill is expected to bring, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler.demand import special
from scheduler.demand.forecast import SkillForecast, SpecialDay, forecast
from scheduler.demand.history import Calendar, Day
from scheduler.labour import DayType
from wfm.errors import Fault, InputError, NotFoundError
from wfm.services import adjustments, clock_store, promises
from wfm.services.day_types import NamedDay, days_between
from wfm.services.replay_figures import SLOT_S
from wfm.services.roster_problems import instant_of
from wfm.tables import Skill, Ticket
from wfm.words import Grade

SLOT_MIN = SLOT_S // 60
PAST_DAYS = 56  # days of history shown beside a forecast


@dataclass(frozen=True)
class Expected:
    """One skill's forecast, with what planners changed in it (contacts per date and slot)."""

    forecast: SkillForecast
    contacts: np.ndarray


@dataclass(frozen=True)
class Forecasts:
    """All skills' forecasts of a period, and the records they rest on."""

    tickets: pd.DataFrame
    since: date
    skills: tuple[Expected, ...]
    english: dict[str, str]
    timezone: str


def expect(session: Session, first: date, last: date, timezone: str) -> Forecasts:
    """Forecast a period from the tickets before it.

    Raises
    ------
    InputError
        There are no tickets with a skill before the period.
    """
    tickets = read_tickets(session, first, timezone)
    if tickets.empty:
        raise InputError.of([Fault(f"no tickets with a skill before {first}; import some first")])
    since = tickets["opened_at"].dt.tz_convert(timezone).min().date()
    days = days_between(session, since, last)
    calendar = _calendar([*_around(session, since, last), *days])
    dates = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    made = forecast(
        tickets, dates, calendar, slot_min=SLOT_MIN, timezone=timezone, since=since, until=first
    )
    changed = adjustments.in_force(session, first, last)
    ids = {skill.code: skill.id for skill in session.exec(select(Skill))}
    return Forecasts(
        tickets=tickets,
        since=since,
        skills=tuple(
            Expected(one, one.volume * adjustments.factors(one, ids[one.skill], changed))
            for one in made
        ),
        english={day.name_zh: day.name_en for day in days if day.name_zh},
        timezone=timezone,
    )


def read_tickets(session: Session, before: date, timezone: str) -> pd.DataFrame:
    """Tickets with a skill that came before a day, with the clause behind each promise."""
    rows = session.execute(
        sa.select(
            col(Ticket.opened_at), col(Skill.code), col(Ticket.min_grade), col(Ticket.priority),
            clock_store.promised_response(), col(Ticket.handle_s), col(Ticket.service_id),
        )
        .join(Skill, col(Skill.id) == col(Ticket.skill_id))
        .where(col(Ticket.opened_at) < instant_of(before, 0, timezone))
        .order_by(col(Ticket.opened_at))
    ).all()  # fmt: skip
    columns = ["opened_at", "skill", "tier", "priority", "within_s", "handle_s", "service"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["opened_at"] = pd.to_datetime(frame["opened_at"], utc=True)
    for name in ("handle_s", "within_s"):
        frame[name] = pd.to_numeric(frame[name])
    frame["tier"] = [Grade(tier).value for tier in frame["tier"]]
    clauses = promises.clauses(session)
    frame["clause"] = [
        promises.behind(clauses, service, priority)
        for service, priority in zip(rows_of(frame, "service"), frame["priority"], strict=True)
    ]
    return frame.drop(columns="service")


def rows_of(frame: pd.DataFrame, name: str) -> list[int | None]:
    """A column of row numbers, with None where there is none."""
    return [None if pd.isna(value) else int(value) for value in frame[name]]


def _around(session: Session, since: date, last: date) -> list[NamedDay]:
    """Days beyond the edges, where their year is known: a holiday there is felt inside."""
    reach = timedelta(days=special.LOOK_AROUND)
    found: list[NamedDay] = []
    one = timedelta(days=1)
    for begin, end in ((since - reach, since - one), (last + one, last + reach)):
        try:
            found += days_between(session, begin, end)
        except NotFoundError:
            continue  # a year not loaded yet; the plain week serves there
    return found


def _calendar(days: Sequence[NamedDay]) -> Calendar:
    return {day.date: Day(DayType(day.type.value), day.name_zh) for day in days}


def facts(found: Forecasts) -> dict[str, Any]:
    """What a reader should know of each skill's forecast, as it is stored with the plan."""
    return {one.forecast.skill: _facts(one, found) for one in found.skills}


def _facts(one: Expected, found: Forecasts) -> dict[str, Any]:
    made = one.forecast
    return {
        "model": made.model,
        "contacts": float(one.contacts.sum()),
        "accuracy": asdict(made.accuracy) if made.accuracy else None,
        "naive": asdict(made.naive) if made.naive else None,
        "candidates": [asdict(tried) for tried in made.candidates],
        "handle_wape": made.handle_wape,
        "handle_model": made.handle_model,
        "handle_s": _mean_handle(one),
        "spread": asdict(made.spread),
        "spread_day": asdict(made.spread_day),
        "days": _days(one),
        "past": _past(made.skill, found),
        "special": [_special(day, found.english) for day in made.special],
        "notes": [{lang: note.text(lang) for lang in ("en", "zh")} for note in made.notes],
    }


def _mean_handle(one: Expected) -> float | None:
    seconds, weight = one.forecast.handle_s, one.contacts
    if not (weight.sum() > 0 and np.isfinite(seconds).all()):
        return None
    return float((seconds * weight).sum() / weight.sum())


def _days(one: Expected) -> list[dict[str, Any]]:
    """Day totals as forecast, as adjusted, and the interval of what will come."""
    base, total = one.forecast.volume.sum(axis=1), one.contacts.sum(axis=1)
    low, high = one.forecast.spread_day.interval(total)
    return [
        {"date": str(day), "base": round(float(base[n]), 1), "contacts": round(float(total[n]), 1),
         "low": float(low[n]), "high": float(high[n])}
        for n, day in enumerate(one.forecast.dates)
    ]  # fmt: skip


def _past(skill: str, found: Forecasts) -> list[list[Any]]:
    """Contacts of the last days before the period: [day, contacts]."""
    mine = found.tickets[found.tickets["skill"] == skill]
    if mine.empty or not found.skills:
        return []
    days = mine["opened_at"].dt.tz_convert(found.timezone).dt.date
    counts = days.value_counts()
    first = found.skills[0].forecast.dates[0]
    shown = [first - timedelta(days=n) for n in range(PAST_DAYS, 0, -1)]
    return [[str(day), int(counts.get(day, 0))] for day in shown if day >= found.since]


def _special(day: SpecialDay, english: dict[str, str]) -> dict[str, Any]:
    return {
        "kind": day.place.kind,
        "offset": day.place.offset,
        "en": special.text(day.place, "en", english),
        "zh": special.text(day.place, "zh", english),
        "factor": day.factor,
        "own": day.own,
        "seen": [str(date) for date in day.seen],
        "ahead": [str(date) for date in day.ahead],
    }
