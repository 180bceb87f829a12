"""The holiday ledger as the scheduling kernel reads it."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler.ledger import LedgerEntry
from wfm.services.duty_days import duty_days
from wfm.tables import Agent, HolidayDuty, Post, PostHolding
from wfm.words import Mode

YEARS = 3


def since(before: date, years: int = YEARS) -> date:
    """The first day the ledger looks back on."""
    return date(before.year - years, 1, 1)


def burden_percent(mode: Mode) -> int:
    """Share of a day's burden that a post brings: half for standing by away from the desk."""
    return 50 if mode == Mode.STANDBY else 100


def ledger(session: Session, before: date, years: int = YEARS) -> tuple[LedgerEntry, ...]:
    """Named days worked in the years before a day.

    Places of tables that are not yet closed count as well, so that the next table starts where
    the last one stopped.
    """
    rows = session.execute(
        sa.select(
            col(Agent.code), col(HolidayDuty.day), col(HolidayDuty.name_zh),
            col(HolidayDuty.burden), col(HolidayDuty.post_code),
        )
        .join(Agent, col(Agent.id) == HolidayDuty.agent_id)
        .where(col(HolidayDuty.day) < before, col(HolidayDuty.day) >= since(before, years))
        .order_by(col(HolidayDuty.day), Agent.code)
    )  # fmt: skip
    closed = [LedgerEntry(code, day, name, round(burden), post)
              for code, day, name, burden, post in rows]  # fmt: skip
    return (*closed, *_not_yet_closed(session, before, years, {entry.date for entry in closed}))


def _not_yet_closed(
    session: Session, before: date, years: int, known: set[date]
) -> list[LedgerEntry]:
    rows = session.exec(
        select(PostHolding, Post, Agent.code)
        .join(Post, col(Post.id) == PostHolding.post_id)
        .join(Agent, col(Agent.id) == PostHolding.agent_id)
        .where(PostHolding.day < before, PostHolding.day >= since(before, years))
        .order_by(col(PostHolding.day), Agent.code)
    ).all()
    if not rows:
        return []
    days = {day.date: day for day in duty_days(session, rows[0][0].day, rows[-1][0].day)}
    return [
        LedgerEntry(
            code, held.day, days[held.day].name_zh,
            days[held.day].burden * burden_percent(post.mode) // 100, post.code,
        )
        for held, post, code in rows
        if held.day in days and held.day not in known
    ]  # fmt: skip
