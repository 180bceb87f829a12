"""What somebody else wrote into the database is found: the table and the row, in every table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session, SQLModel

from wfm import instants, stamps
from wfm.db import transaction
from wfm.errors import SetupError
from wfm.stamps import Finding
from wfm.tables import AuditEntry, Site
from wfm.tables.base import Instant

ROWS = 4  # in each table: one is changed, one removed, one stays; the last is added by a stranger
CHANGED, REMOVED, ADDED = 1, 2, 4


def value(column: sa.Column[Any], number: int) -> Any:
    """Something a column takes; a different one for each number."""
    kind = column.type
    if column.name == "seal":
        return ""  # a sealed agreement takes no targets
    if isinstance(kind, sa.Enum):
        return kind.enums[0]
    if isinstance(kind, JSONB):
        return {"n": number}
    if isinstance(kind, Instant):
        return datetime(2026, 10, 1, number, tzinfo=UTC)
    samples: dict[type, Any] = {
        sa.Boolean: False, sa.Date: date(2026, 10, number), sa.Time: time(number),
        sa.LargeBinary: b"%d" % number, sa.Integer: number, sa.Float: float(number),
        sa.Numeric: number,
    }  # fmt: skip
    return next((one for cls, one in samples.items() if isinstance(kind, cls)), f"v{number}")


def put(connection: sa.Connection, table: sa.Table, number: int) -> None:
    row = {column.name: value(column, number) for column in table.columns}
    connection.execute(table.insert().values(row))


@pytest.fixture
def stranger(fresh_engine: sa.Engine) -> Iterator[sa.Engine]:
    """An owner of the database without the key, who switches triggers off."""
    opened = sa.create_engine(fresh_engine.url)

    @sa.event.listens_for(opened, "connect")
    def without_triggers(connection: Any, _record: object) -> None:
        connection.execute("set session_replication_role = replica")
        connection.commit()

    yield opened
    opened.dispose()


@pytest.fixture
def full(fresh_engine: sa.Engine) -> sa.Engine:
    """A row or more in every table; what rows must be like does not matter here."""
    with fresh_engine.begin() as connection:
        for table, name in connection.execute(
            sa.text(
                "select conrelid::regclass::text, conname from pg_constraint"
                " where contype in ('c', 'f', 'x') and conrelid::regclass::text = any(:tables)"
                " order by contype desc"
            ),
            {"tables": list(SQLModel.metadata.tables)},
        ).all():
            connection.execute(sa.text(f'alter table {table} drop constraint "{name}" cascade'))
        for name in stamps.stamped_tables():
            for number in range(1, ROWS):
                put(connection, SQLModel.metadata.tables[name], number)
    return fresh_engine


def found(engine: sa.Engine) -> list[Finding]:
    with transaction(engine) as session:
        return list(stamps.verify(session))


def columns_to_change(table: sa.Table) -> Iterator[sa.Column[Any]]:
    for column in table.columns:
        if not column.primary_key and not isinstance(column.type, sa.Enum | sa.Boolean):
            yield column


def test_every_table_is_stamped_but_what_is_named() -> None:
    assert set(SQLModel.metadata.tables) - set(stamps.stamped_tables()) == {"clock_failure"}


def test_what_the_application_wrote_fits(full: sa.Engine) -> None:
    assert found(full) == []


def test_a_row_tampered_with_is_named_in_every_table(full: sa.Engine, stranger: sa.Engine) -> None:
    expected = set()
    with stranger.begin() as connection:
        for name in stamps.stamped_tables():
            table = SQLModel.metadata.tables[name]
            column = next(columns_to_change(table))
            connection.execute(
                table.update().where(table.c.id == CHANGED).values({column: value(column, 9)})
            )
            connection.execute(table.delete().where(table.c.id == REMOVED))
            put(connection, table, ADDED)
            expected |= {(name, CHANGED, "changed"), (name, REMOVED, "removed"),
                         (name, ADDED, "added")}  # fmt: skip
    assert {(one.table, one.row, one.what.split()[1]) for one in found(full)} == expected


def test_every_column_counts(full: sa.Engine, stranger: sa.Engine) -> None:
    expected = []
    for name in ("account", "agent_grade", "assignment", "audit_entry", "ticket_event"):
        table = SQLModel.metadata.tables[name]
        for number, column in enumerate(columns_to_change(table), 10):
            with full.begin() as ours, stranger.begin() as theirs:
                put(ours, table, number)
                ours.commit()
                query = table.update().where(table.c.id == number)
                theirs.execute(query.values({column: value(column, 9)}))
            expected.append((name, number))
    assert [(one.table, one.row) for one in found(full)] == expected


def test_a_later_change_of_ours_does_not_cover_it_up(
    fresh_engine: sa.Engine, stranger: sa.Engine
) -> None:
    with transaction(fresh_engine) as session:
        session.add(Site(code="s", name_en="Site", name_zh="地点"))
    with stranger.begin() as connection:
        connection.execute(sa.text("update site set name_en = 'Elsewhere'"))
    with transaction(fresh_engine) as session:
        session.execute(sa.update(Site).values(name_zh="别处"))
        stamps.fold(session)
    assert [str(one) for one in found(fresh_engine)] == [
        "site row 1 was changed behind the application's back"
    ]


@pytest.mark.parametrize(
    ("change", "table", "what"),
    [
        ("delete from row_roll where place = 'site'", "site", "added"),
        ("update row_roll set ids = '{[2,3)}' where place = 'site'", "row_roll", "changed"),
        ("alter table site drop column row_stamp cascade", "site", "no stamps"),
    ],
)
def test_getting_round_the_roll_is_found(
    fresh_engine: sa.Engine, stranger: sa.Engine, change: str, table: str, what: str
) -> None:
    with transaction(fresh_engine) as session:
        session.add(Site(code="s", name_en="Site", name_zh="地点"))
    with transaction(fresh_engine) as session:
        stamps.fold(session)
    with stranger.begin() as connection:
        connection.execute(sa.text(change))
    said = [one for one in found(fresh_engine) if one.table == table]
    assert len(said) == 1
    assert what in said[0].what


def test_rows_that_come_and_go_are_no_finding(fresh_engine: sa.Engine) -> None:
    tables = len(stamps.stamped_tables())
    with transaction(fresh_engine) as session:
        session.add_all(Site(code=f"s{n}", name_en="Site", name_zh="地点") for n in range(5))
    with transaction(fresh_engine) as session:
        session.execute(sa.delete(Site).where(Site.code == "s3"))
        stamps.fold(session)
        session.execute(sa.delete(Site).where(Site.code == "s1"))
    assert found(fresh_engine) == []
    with transaction(fresh_engine) as session:
        stamps.fold(session)
        assert session.scalar(sa.text("select count(*) from row_roll")) == tables
    assert found(fresh_engine) == []


def test_another_key_proves_nothing_and_accepting_is_on_record(fresh_engine: sa.Engine) -> None:
    with transaction(fresh_engine) as session:
        session.add(Site(code="s", name_en="Site", name_zh="地点"))
    other = stamps.give_key(sa.create_engine(fresh_engine.url), b"o" * stamps.KEY_BYTES)
    with pytest.raises(SetupError, match="stamps of another key"):
        found(other)
    with transaction(other) as session:
        assert stamps.accept(session, instants.now(), "owner", "moved to a new machine") == 1
    assert found(other) == []
    with Session(other) as session:
        entry = session.exec(sa.select(AuditEntry)).scalars().one()
        assert (entry.action, entry.detail["reason"]) == ("rows.accept", "moved to a new machine")
    other.dispose()
