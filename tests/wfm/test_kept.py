"""Slow answers are kept for a while, quick ones never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import sqlalchemy as sa
from sqlmodel import Session

from wfm.kept import kept

AT = datetime(2026, 10, 8, 2, tzinfo=UTC)


def answers(engine: sa.Engine, *asked: tuple[str, float], slow_s: float) -> list[int]:
    """What is answered to (what, minutes from `AT`), one after another; each making counts on."""
    made = count()
    with Session(engine) as session:
        return [
            kept(session, what, AT + timedelta(minutes=after), lambda: next(made), slow_s=slow_s)
            for what, after in asked
        ]


def test_a_slow_answer_is_kept_for_five_minutes() -> None:
    engine = sa.create_engine("postgresql://")
    # made at 0, kept until 5, made again at 6, kept from then on
    asked = (("a", 0), ("a", 5), ("a", 6), ("a", 7))
    assert answers(engine, *asked, slow_s=-1) == [0, 0, 1, 1]


def test_other_questions_other_desks_and_earlier_times_have_their_own() -> None:
    engine, other = sa.create_engine("postgresql://"), sa.create_engine("postgresql://")
    assert answers(engine, ("a", 0), ("b", 0), ("a", 0), ("a", -1), slow_s=-1) == [0, 1, 0, 2]
    assert answers(other, ("a", 0), slow_s=-1) == [0]


def test_a_quick_answer_is_always_made_anew() -> None:
    engine = sa.create_engine("postgresql://")
    assert answers(engine, ("a", 0), ("a", 0), slow_s=60) == [0, 1]
