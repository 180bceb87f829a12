"""The holiday ledger as the scheduling kernel reads it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler.ledger import LedgerEntry
from wfm.kept import of_rows
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
    closed, known = of_rows(
        session, ("ledger", before, years),
        [(HolidayDuty, _within(HolidayDuty, before, years)), (Agent, None)],
        lambda: _closed(session, before, years),
    )  # fmt: skip
    return (*closed, *_not_yet_closed(session, before, years, known))


def _closed(
    session: Session, before: date, years: int
) -> tuple[tuple[LedgerEntry, ...], frozenset[date]]:
    """What is in the ledger, and on which days."""
    rows = session.execute(
        sa.select(
            col(Agent.code), col(HolidayDuty.day), col(HolidayDuty.name_zh),
            col(HolidayDuty.burden), col(HolidayDuty.post_code),
        )
        .join(Agent, col(Agent.id) == HolidayDuty.agent_id)
        .where(_within(HolidayDuty, before, years))
        .order_by(col(HolidayDuty.day), Agent.code)
    )  # fmt: skip
    entries = tuple(LedgerEntry(code, day, name, round(burden), post)
                    for code, day, name, burden, post in rows)  # fmt: skip
    return entries, frozenset(entry.date for entry in entries)


def _within(table: Any, before: date, years: int) -> sa.ColumnElement[bool]:
    return sa.and_(col(table.day) < before, col(table.day) >= since(before, years))


def _not_yet_closed(
    session: Session, before: date, years: int, known: Collection[date]
) -> list[LedgerEntry]:
    rows = session.exec(
        select(PostHolding, Post, Agent.code)
        .join(Post, col(Post.id) == PostHolding.post_id)
        .join(Agent, col(Agent.id) == PostHolding.agent_id)
        .where(_within(PostHolding, before, years))
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
