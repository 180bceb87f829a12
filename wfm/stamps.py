"""Row stamps: what another program wrote into the database is found, table and row.

Every row carries a keyed digest of itself. Triggers (migration 0002) make it with a key that each
of our connections hands over for its session; the key lies in the data folder and never in the
database, so that whoever writes there without it, triggers or not, leaves rows that do not fit. The
roll (`row_roll`) keeps the numbers of the rows that were added and taken away, under stamps of its
own: a row that is missing, or that nobody put there, is found as well.

What this cannot see: a row put back to exactly what it was at an earlier time, stamp included, and
the key itself taken from this machine.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from psycopg.types.range import Range
from sqlmodel import Session, SQLModel

from wfm import audit
from wfm.errors import Fault, InputError, SetupError
from wfm.settings import Settings

KEY_FILE = "stamp.key"
KEY_BYTES = 32
BLOCK_BYTES = 64  # of SHA-256, for its HMAC (RFC 2104)
COLUMN, ROLL = "row_stamp", "row_roll"
UNSTAMPED = frozenset({"clock_failure"})  # what the worker notes of clocks it could not read
MOST_NAMED = 1000


@dataclass(frozen=True)
class Finding:
    """A row that is not what the application wrote. `row` is None where a whole table is meant."""

    table: str
    row: int | None
    what: str

    def __str__(self) -> str:
        place = self.table if self.row is None else f"{self.table} row {self.row}"
        return f"{place} {self.what}"


def key_of(settings: Settings) -> bytes:
    """The key of this installation; made once where there is none."""
    if settings.stamp_key:
        try:
            given = bytes.fromhex(settings.stamp_key)
        except ValueError:
            given = b""
        if len(given) != KEY_BYTES:
            raise InputError.of(
                [Fault(f"expected {2 * KEY_BYTES} hexadecimal digits", column="WFM_STAMP_KEY")]
            )
        return given
    path = settings.data_dir / KEY_FILE
    try:
        return path.read_bytes() if path.exists() else _made(path)
    except OSError as error:
        raise SetupError(
            f"the key of row stamps {path} cannot be kept ({error.strerror}); "
            "set WFM_DATA_DIR elsewhere, or WFM_STAMP_KEY"
        ) from error


def _made(path: Path) -> bytes:
    """A new key, whole or not at all: another process may be making one at this moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{KEY_FILE}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(secrets.token_bytes(KEY_BYTES))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # the other one was first
    finally:
        draft.unlink()
    return path.read_bytes()


def give_key(engine: sa.Engine, key: bytes) -> sa.Engine:
    """Let every connection of `engine` know the key, as the two pads of its HMAC."""
    block = key.ljust(BLOCK_BYTES, b"\0")
    pads = [bytes(byte ^ pad for byte in block).hex() for pad in (0x36, 0x5C)]

    @sa.event.listens_for(engine, "connect")
    def hand_over(connection: Any, _record: object) -> None:
        connection.execute(
            "select set_config('tierdesk.inner', %s, false),"
            " set_config('tierdesk.outer', %s, false)",
            pads,
        )
        connection.commit()  # a setting made in a transaction would end with its rollback

    return engine


def stamped_tables() -> list[str]:
    """The tables whose every row carries a stamp."""
    return sorted(set(SQLModel.metadata.tables) - UNSTAMPED)


def is_known(session: Session) -> bool:
    """Whether the key at hand is the one the rows were stamped with."""
    return bool(
        session.scalar(
            sa.text(f"select not exists (select from {ROLL}) or exists (select {_fitting_roll()})")
        )
    )


def _fitting_roll() -> str:
    columns = "r.id, r.place, r.gone, r.ids, null::bytea"
    return f"from {ROLL} r where r.{COLUMN} = stamp_of('{ROLL}', record_send(row({columns})))"


def verify(session: Session) -> Iterator[Finding]:
    """Every row that is not as the application left it; ask in one snapshot.

    Raises
    ------
    SetupError
        The key at hand is not the one of these rows, so nothing can be said.
    """
    if not is_known(session):
        raise SetupError(
            f"the rows carry stamps of another key: put its {KEY_FILE} into the data folder (or "
            "set WFM_STAMP_KEY), or accept the rows as they are with: wfm db stamp --reason …"
        )
    yield from _misfits(session, ROLL)
    for table in stamped_tables():
        if session.scalar(sa.text("select stamped_columns(:t) like '%null::bytea%'"), {"t": table}):
            yield from _of_table(session, table)
        else:
            yield Finding(table, None, "carries no stamps any more")


def _misfits(session: Session, table: str) -> Iterator[Finding]:
    columns = session.scalar(sa.text("select stamped_columns(:t)"), {"t": table})
    query = (
        f"select id from {table} where {COLUMN} is distinct from"
        f" stamp_of('{table}', record_send(row({columns}))) order by id limit {MOST_NAMED}"
    )
    for (row,) in session.execute(sa.text(query.replace(":", r"\:"))):
        yield Finding(table, row, "was changed behind the application's back")


def _of_table(session: Session, table: str) -> Iterator[Finding]:
    missing, unknown = session.execute(
        sa.text(
            "select enrolled - present, present - enrolled from"
            " (select coalesce(range_agg(int8range(id, id, '[]')), '{}') present"
            f"  from {table}) t,"
            " (select coalesce(range_agg(ids) filter (where not gone), '{}')"
            "  - coalesce(range_agg(ids) filter (where gone), '{}') enrolled"
            f" {_fitting_roll()} and r.place = '{table}') l"
        )
    ).one()
    added = set(_numbers(unknown))
    for row in sorted(added):
        yield Finding(table, row, "was added behind the application's back")
    for row in _numbers(missing):
        yield Finding(table, row, "was removed behind the application's back")
    yield from (found for found in _misfits(session, table) if found.row not in added)


def _numbers(ranges: list[Range[int]]) -> list[int]:
    """The numbers within ranges, as many as are named."""
    found: list[int] = []
    for one in ranges:
        assert one.lower is not None
        assert one.upper is not None
        found += range(one.lower, min(one.upper, one.lower + MOST_NAMED - len(found)))
    return found


def fold(session: Session) -> None:
    """Make the roll short again: one line for each table."""
    session.execute(sa.text("select fold_roll()"))


def accept(session: Session, at: datetime, actor: str, reason: str) -> int:
    """Take all rows as they are and stamp them anew; the audit chain says so. How many they were.

    For the owner of the database: after a repair by hand, or with a new key.
    """
    session.execute(sa.text(f"delete from {ROLL}"))
    rows = sum(
        session.scalar(sa.text("select accept_rows(:t)"), {"t": table}) or 0
        for table in stamped_tables()
    )
    audit.record(session, at, actor, "rows.accept", "all tables", rows=rows, reason=reason)
    return rows
