"""Slow answers are kept for a while, quick ones never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import sqlalchemy as sa
from sqlalchemy.orm.exc import DetachedInstanceError
from sqlmodel import Session, SQLModel, col, select

from wfm.kept import copies, kept, of_rows, shared
from wfm.tables import Site, Team

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


def test_what_all_look_at_is_made_once_until_something_is_written(fresh_engine: sa.Engine) -> None:
    made = count()

    def asked(what: str = "a", after_s: float = 0, *, writes: bool = False) -> int:
        with Session(fresh_engine) as session, session.begin():
            if writes:
                session.execute(sa.text("insert into site (code, name_zh, name_en) "
                                        "values (random()::text, 'a', 'a')"))  # fmt: skip
            return shared(session, what, lambda: next(made), AT + timedelta(seconds=after_s))

    assert [asked(), asked(), asked(after_s=3)] == [0, 0, 0]
    assert asked("b") == 1  # another question
    assert [asked(after_s=4), asked(after_s=3)] == [2, 3]  # too late, and before it was made
    assert asked(after_s=3) == 3
    assert asked(after_s=3, writes=True) == 4  # one's own write is seen by nobody else yet
    assert asked(after_s=3) == 5  # and then by all
    assert asked(after_s=3) == 5


def test_an_answer_made_while_somebody_wrote_is_not_shared(fresh_engine: sa.Engine) -> None:
    made = count()

    def meanwhile() -> int:
        with fresh_engine.begin() as other:
            other.execute(sa.text("update account set failures = 0"))
            other.execute(sa.text("select pg_current_xact_id()"))
        return next(made)

    with Session(fresh_engine) as session:
        assert [shared(session, "a", meanwhile, AT) for _ in range(2)] == [0, 1]


def test_copies_outlive_the_transaction_their_rows_were_read_in(fresh_engine: sa.Engine) -> None:
    with Session(fresh_engine) as session, session.begin():
        session.add(Site(code="sh", name_zh="上海", name_en="Shanghai"))
    with Session(fresh_engine) as session, session.begin():
        rows = session.exec(select(Site)).all()
        found = copies(rows)
    assert [(one.code, one.name_en) for one in found] == [("sh", "Shanghai")]
    with pytest.raises(DetachedInstanceError):
        assert rows[0].code


def test_an_answer_of_rows_is_kept_until_one_of_them_is_another(fresh_engine: sa.Engine) -> None:
    made = count()

    def asked(*acts: str, code: str = "", undo: bool = False) -> int:
        read: list[tuple[type[SQLModel], sa.ColumnElement[bool] | None]] = [
            (Site, col(Site.code) == code if code else None), (Team, None)
        ]  # fmt: skip
        with Session(fresh_engine) as session:
            for act in acts:
                session.execute(sa.text(act))
            told = of_rows(session, code, read, lambda: next(made))
            session.rollback() if undo else session.commit()
            return told

    add = "insert into site (code, name_zh, name_en) values ('{}', 'a', 'a')"
    assert [asked(add.format("N")), asked(), asked(code="N")] == [0, 0, 1]
    # another site is none of those named "N"; something else altogether is of neither
    assert [asked(add.format("S")), asked(code="N")] == [2, 1]
    assert [asked("update account set failures = 0"), asked(code="N")] == [2, 1]
    # the same content written once more is a new version of the row
    assert asked("update site set name_en = name_en where code = 'N'", code="N") == 3
    assert [asked(), asked(code="N")] == [4, 3]
    # one's own change is seen by oneself, twice in one transaction too, and gone when undone
    change = "update site set name_en = 'b' where code = 'N'"
    assert [asked(change, undo=True), asked(change, change, undo=True), asked()] == [5, 6, 7]
    assert [asked("delete from site where code = 'S'"), asked(code="N")] == [8, 3]


def test_of_many_answers_of_rows_the_latest_are_kept(
    fresh_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wfm.kept.MOST_OF_ROWS", 2)
    made = count()
    with Session(fresh_engine) as session:
        told = [of_rows(session, what, [(Site, None)], lambda: next(made)) for what in "abbcab"]
    # a 0, b 1, b again, c 2 instead of a, a 3 instead of b, b 4 instead of c
    assert told == [0, 1, 1, 2, 3, 4]
