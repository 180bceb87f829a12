"""The holiday ledger as the scheduling kernel reads it."""

from __future__ import annotations

from datetime import date

from sqlmodel import Session, col, select

from scheduler.ledger import LedgerEntry
from wfm.tables import Agent, HolidayDuty


def ledger(session: Session, before: date, years: int = 3) -> tuple[LedgerEntry, ...]:
    """Named days worked in the years before a day."""
    rows = session.exec(
        select(HolidayDuty, Agent.code)
        .join(Agent, col(Agent.id) == HolidayDuty.agent_id)
        .where(HolidayDuty.day < before, HolidayDuty.day >= date(before.year - years, 1, 1))
        .order_by(col(HolidayDuty.day), Agent.code)
    )
    return tuple(
        LedgerEntry(code, row.day, row.name_zh, round(row.burden), row.post_code)
        for row, code in rows
    )
