"""Adjustments of the forecast by hand: a factor on some days and hours, with a reason, undoable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler.demand.forecast import SkillForecast
from wfm import access, audit
from wfm.access import Actor
from wfm.errors import ConflictError, Fault, InputError, NotFoundError
from wfm.tables import ForecastAdjustment, Skill

LARGEST_FACTOR = 20.0
DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class Change:
    """What is to be multiplied: one skill or all, the days both included, minutes of each day."""

    first: date
    last: date
    factor: float
    reason: str
    skill: str | None = None
    minute_from: int = 0
    minute_until: int = DAY_MINUTES


def adjust(session: Session, actor: Actor, change: Change, at: datetime) -> ForecastAdjustment:
    """Keep an adjustment; staffing plans made from now on follow it.

    Raises
    ------
    InputError
        The days, hours or the factor cannot be, the skill is unknown or no reason is given.
    """
    access.require_whole_desk(actor, "rosters.plan")
    skill = session.exec(select(Skill).where(Skill.code == change.skill)).first()
    faults = [
        ("reason", not change.reason.strip(), "a reason is needed"),
        ("skill", bool(change.skill) and skill is None, "there is no such skill"),
        ("until", change.last < change.first, "must not lie before the first"),
        ("hours", not 0 <= change.minute_from < change.minute_until <= DAY_MINUTES,
         "the hours must lie within a day and end after they begin"),
        ("factor", not 0 <= change.factor <= LARGEST_FACTOR,
         "a factor from 0 to 20 is expected"),
    ]  # fmt: skip
    if any(wrong for _, wrong, _ in faults):
        raise InputError.of(Fault(told, column=name) for name, wrong, told in faults if wrong)
    row = ForecastAdjustment(
        skill_id=skill.id if skill else None,
        day_from=change.first,
        day_until=change.last,
        minute_from=change.minute_from,
        minute_until=change.minute_until,
        factor=change.factor,
        reason=change.reason.strip(),
        made_by=actor.name,
        made_at=at,
    )
    session.add(row)
    session.flush()
    audit.record(session, at, actor.name, "forecast.adjust", f"adjustment {row.id}",
                 skill=change.skill, days=f"{change.first} to {change.last}",
                 factor=change.factor, reason=row.reason)  # fmt: skip
    return row


def withdraw(session: Session, actor: Actor, number: int, at: datetime) -> ForecastAdjustment:
    """Undo an adjustment; it stays in the register.

    Raises
    ------
    ConflictError
        It is withdrawn already.
    """
    access.require_whole_desk(actor, "rosters.plan")
    row = session.get(ForecastAdjustment, number, with_for_update=True)
    if row is None:
        raise NotFoundError("there is no such adjustment")
    if row.withdrawn_at is not None:
        raise ConflictError("this adjustment is withdrawn already")
    row.withdrawn_by, row.withdrawn_at = actor.name, at
    audit.record(session, at, actor.name, "forecast.withdraw", f"adjustment {number}")
    session.flush()
    return row


def between(session: Session, first: date, last: date) -> list[ForecastAdjustment]:
    """Adjustments of a period, withdrawn ones too, the newest first."""
    return list(
        session.exec(
            select(ForecastAdjustment)
            .where(ForecastAdjustment.day_from <= last, ForecastAdjustment.day_until >= first)
            .order_by(col(ForecastAdjustment.id).desc())
        )
    )


def in_force(session: Session, first: date, last: date) -> list[ForecastAdjustment]:
    """Adjustments of a period that nobody withdrew, in the order they were made."""
    return [row for row in reversed(between(session, first, last)) if row.withdrawn_at is None]


def factors(
    one: SkillForecast, skill_id: int | None, rows: Sequence[ForecastAdjustment]
) -> np.ndarray:
    """What the adjustments multiply each date and slot of a forecast by, (dates, slots)."""
    result = np.ones(one.volume.shape)
    starts = np.arange(one.volume.shape[1]) * one.slot_min
    for row in rows:
        if row.skill_id not in (None, skill_id):
            continue
        days = np.array([row.day_from <= day <= row.day_until for day in one.dates], dtype=bool)
        hours = (starts >= row.minute_from) & (starts < row.minute_until)
        result[np.ix_(days, hours)] *= row.factor
    return result


def newer_than(session: Session, first: date, last: date, at: datetime) -> int:
    """How many adjustments of a period were made or withdrawn after an instant."""
    moved = sa.or_(col(ForecastAdjustment.made_at) > at, col(ForecastAdjustment.withdrawn_at) > at)
    found = session.scalar(
        sa.select(sa.func.count())
        .select_from(ForecastAdjustment)
        .where(
            moved,
            col(ForecastAdjustment.day_from) <= last,
            col(ForecastAdjustment.day_until) >= first,
        )
    )
    return int(found or 0)
