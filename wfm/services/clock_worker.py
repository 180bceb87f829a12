"""The clock worker: looks at every ticket whose time to be looked at has come.

One step is one transaction:

1. claim the tickets longest due (`for update skip locked`: several workers share the work, and a
   ticket somebody is acting on is left for the next step);
2. read their clocks by replay, keep what they show, raise the thresholds reached;
3. commit. A worker that is killed before that has changed nothing; after that, `next_look_at` has
   moved on. A threshold is a unique row, so it cannot be raised twice.

A step that fails is tried again ticket by ticket, and a ticket that fails alone is pushed forward.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import instants
from wfm.access import SYSTEM
from wfm.db import transaction
from wfm.errors import TierdeskError
from wfm.services import agreement_versions, clock_book, ticket_moves
from wfm.settings import Settings
from wfm.tables import Ticket

CLAIMED = 500
IDLE_S = 1.0
logger = logging.getLogger(__name__)


def step(engine: sa.Engine, at: datetime, timezone: str, claimed: int = CLAIMED) -> int:
    """Look at some of the tickets that are due; how many those were."""
    ids: list[int] = []
    try:
        with transaction(engine) as session:
            ids = _claim(session, at, claimed)
            if ids:
                clock_book.refresh(session, ids, at, timezone)
    except sa.exc.SQLAlchemyError as error:
        if not ids:
            raise
        logger.warning("clocks of %d tickets could not be kept: %s", len(ids), error)
        for ticket_id in ids:
            _alone(engine, ticket_id, at, timezone)
    return len(ids)


def _claim(session: Session, at: datetime, most: int, only: int | None = None) -> list[int]:
    query = (
        select(Ticket.id)
        .where(col(Ticket.next_look_at) <= at)
        .order_by(col(Ticket.next_look_at))
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    if only is not None:
        query = query.where(Ticket.id == only)
    return [key for key in session.exec(query) if key is not None]


def _alone(engine: sa.Engine, ticket_id: int, at: datetime, timezone: str) -> None:
    try:
        with transaction(engine) as session:
            if _claim(session, at, 1, only=ticket_id):
                clock_book.refresh(session, [ticket_id], at, timezone)
    except sa.exc.SQLAlchemyError as error:
        with transaction(engine) as session:
            clock_book.push_forward(session, {ticket_id: str(error)[:500]}, at)


def catch_up(engine: sa.Engine, at: datetime, timezone: str, claimed: int = CLAIMED) -> int:
    """Look at tickets until none is due at `at`; how many there were."""
    total = 0
    while looked := step(engine, at, timezone, claimed):
        total += looked
    return total


def _begin_day(engine: sa.Engine, at: datetime, timezone: str) -> date:
    """Agreements whose first day this is are in force, and those they follow are superseded."""
    day = instants.local_date(at, timezone)
    with transaction(engine) as session:
        agreement_versions.advance(session, day, at)
    return day


def end_duties(engine: sa.Engine, at: datetime) -> dict[str, int]:
    """Open work of people whose duty has ended goes where the desk's rule says, unasked.

    Each ticket is locked and looked at again before it moves, so several workers, and a dispatcher
    who presses the button meanwhile, move it once.
    """
    with transaction(engine) as session:
        return ticket_moves.settle(session, SYSTEM, at)


def run(
    engine: sa.Engine, ended: threading.Event, now: Callable[[], datetime] = instants.now
) -> None:
    """Look until `ended`; what goes wrong is logged and tried again."""
    timezone = Settings.from_environment().timezone
    day: date | None = None
    minute: datetime | None = None
    while not ended.is_set():
        looked = 0
        try:
            at = now()
            if instants.local_date(at, timezone) != day:
                day = _begin_day(engine, at, timezone)
            if (this := at.replace(second=0, microsecond=0)) != minute:
                minute = this
                end_duties(engine, at)
            looked = step(engine, at, timezone)
        except sa.exc.OperationalError as error:
            # a database that is stopped or started anew is no fault of the code
            if not ended.is_set():
                reason = str(error.orig).strip().splitlines()[0]
                logger.warning("the clock worker waits for the database: %s", reason)
        except (sa.exc.SQLAlchemyError, TierdeskError):
            logger.exception("the clock worker could not reach its work")
        if not looked:
            ended.wait(IDLE_S)
