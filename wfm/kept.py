"""Answers that take long and change slowly, kept for a while in this process.

What is quick is always reckoned anew, so a small desk never sees an old figure. On a desk with
millions of records, statistics over months would be reckoned at every look; these may be some
minutes old.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

SLOW_S = 0.5
MOST_KEPT = 200
MOST_SHARED = 20
MOST_OF_ROWS = 20
SHARED_FOR = timedelta(seconds=3)  # clocks run though nothing is written
EVER = datetime.min  # of what no clock changes

T = TypeVar("T")
M = TypeVar("M", bound=SQLModel)

_kept: WeakKeyDictionary[sa.Engine, dict[Hashable, tuple[datetime, Any]]] = WeakKeyDictionary()
_shared: WeakKeyDictionary[sa.Engine, dict[Hashable, tuple[str, datetime, Any]]] = (
    WeakKeyDictionary()
)
_of_rows: WeakKeyDictionary[sa.Engine, dict[Hashable, tuple[Hashable, Any]]] = WeakKeyDictionary()
_lock = threading.Lock()


def kept(
    session: Session,
    what: Hashable,
    at: datetime,
    make: Callable[[], T],
    age: timedelta = timedelta(minutes=5),
    slow_s: float = SLOW_S,
) -> T:
    """What `make` says as of `at`; up to `age` old where it takes longer than `slow_s`.

    `what` names all the answer depends on but the records; it must not hold an instant.
    """
    bind = session.get_bind()
    answers = None
    if isinstance(bind, sa.Engine):
        with _lock:
            answers = _kept.setdefault(bind, {})
        made_at, answer = answers.get(what, (None, None))
        if made_at is not None and timedelta() <= at - made_at <= age:
            return cast("T", answer)
    started = time.perf_counter()
    answer = make()
    if answers is not None and time.perf_counter() - started > slow_s:
        with _lock:
            if len(answers) >= MOST_KEPT:
                del answers[min(answers, key=lambda one: answers[one][0])]
            answers[what] = (at, answer)
    return answer


def shared(session: Session, what: Hashable, make: Callable[[], T], at: datetime = EVER) -> T:
    """What `make` says, as of `at` or up to three seconds earlier, while the database is the same.

    Many look at one desk in the same moment: what is the same for all of them is made once, for as
    long as nothing at all is written. Whoever wrote something in this transaction sees that.
    """
    bind = session.get_bind()
    before = _seen_of_database(session) if isinstance(bind, sa.Engine) else None
    if before is None:
        return make()
    with _lock:
        answers = _shared.setdefault(cast("sa.Engine", bind), {})
        snapshot, made_at, answer = answers.get(what, ("", at, None))
    if snapshot == before and timedelta() <= at - made_at <= SHARED_FOR:
        return cast("T", answer)
    answer = make()
    if _seen_of_database(session) == before:
        with _lock:
            if len(answers) >= MOST_SHARED:
                answers.clear()
            answers[what] = (before, at, answer)
    return answer


def of_rows(
    session: Session,
    what: Hashable,
    read: Sequence[tuple[type[SQLModel], sa.ColumnElement[bool] | None]],
    make: Callable[[], T],
) -> T:
    """What `make` says of the rows that pass the filters, kept until one of them is another.

    Nothing older than the rows is ever told: PostgreSQL writes every change of a row as a new
    version of it, by another transaction or in another place, and those are compared. So `make`
    may read these rows alone, and must not hand out what its caller might change.
    """
    bind = session.get_bind()
    if not isinstance(bind, sa.Engine):
        return make()
    seen = tuple(_versions(session, *one) for one in read)
    with _lock:
        answers = _of_rows.setdefault(bind, {})
        before, answer = answers.get(what, (None, None))
    if before == seen:
        return cast("T", answer)
    answer = make()
    with _lock:
        answers.pop(what, None)
        if len(answers) >= MOST_OF_ROWS:
            del answers[next(iter(answers))]
        answers[what] = (seen, answer)
    return answer


def _versions(
    session: Session, table: type[SQLModel], which: sa.ColumnElement[bool] | None
) -> tuple[int, int]:
    """How many rows there are, and a figure of which versions of them."""
    name = sa.inspect(table).local_table.name
    version = sa.func.hashtextextended(
        sa.literal_column(f"{name}.xmin::text || {name}.ctid::text"), sa.literal(0, sa.BigInteger)
    )
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.bit_xor(version), 0))
    found = session.execute(
        query.select_from(table) if which is None else query.select_from(table).where(which)
    ).one()
    return int(found[0]), int(found[1])


def copies(rows: Iterable[M]) -> tuple[M, ...]:
    """Rows to be kept: copies, which no session reads anew or lets go of when its work ends."""
    return tuple(type(row)(**row.model_dump()) for row in rows)


def _seen_of_database(session: Session) -> str | None:
    """A text that is the same only while the same commits are seen; none for one's own writes."""
    seen: str | None = session.execute(
        sa.select(
            sa.case(
                (
                    sa.func.pg_current_xact_id_if_assigned().is_(None),
                    sa.cast(sa.func.pg_current_snapshot(), sa.Text),
                )
            )
        )
    ).scalar_one()
    return seen
