"""Hold a row until the transaction ends, so that what was read is still so when it is changed."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, col, select

from wfm.errors import NotFoundError
from wfm.tables import (
    Account,
    Agreement,
    AssessmentCycle,
    BusinessCalendar,
    Post,
    Roster,
    Ticket,
)

# by what a page or an operation names them
HELD: dict[str, tuple[Any, Any]] = {
    "ticket": (Ticket, Ticket.code),
    "roster": (Roster, Roster.id),
    "cycle": (AssessmentCycle, AssessmentCycle.code),
    "account": (Account, Account.id),
    "agreement": (Agreement, Agreement.id),
    "post": (Post, Post.id),
    "calendar": (BusinessCalendar, BusinessCalendar.code),
}


def hold(session: Session, **named: Any) -> None:
    """Hold those rows of what is named that can be held.

    Raises
    ------
    NotFoundError
        One of them is not there.
    """
    for name, value in named.items():
        if name not in HELD:
            continue
        table, column = HELD[name]
        query = select(table).where(col(column) == value).with_for_update()
        if session.exec(query.execution_options(populate_existing=True)).first() is None:
            raise NotFoundError(f"there is no {name} {value}")
