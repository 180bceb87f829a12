"""Answers that take long and change slowly, kept for a while in this process.

What is quick is always reckoned anew, so a small desk never sees an old figure. On a desk with
millions of records, statistics over months would be reckoned at every look; these may be some
minutes old.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

SLOW_S = 0.5
MOST_KEPT = 200
MOST_SHARED = 20
SHARED_FOR = timedelta(seconds=3)  # clocks run though nothing is written
EVER = datetime.min  # of what no clock changes

T = TypeVar("T")
M = TypeVar("M", bound=SQLModel)

_kept: WeakKeyDictionary[sa.Engine, dict[Hashable, tuple[datetime, Any]]] = WeakKeyDictionary()
_shared: WeakKeyDictionary[sa.Engine, dict[Hashable, tuple[str, datetime, Any]]] = (
    WeakKeyDictionary()
)
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
