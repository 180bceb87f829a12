"""A real PostgreSQL for every test that asks for it, migrated once, rolled back after each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from wfm import db
from wfm.settings import Settings


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real records; tests that use it are skipped where it is not given."""
    folder = Path(__file__).resolve().parents[1].parent / "shared"
    if not folder.is_dir():
        pytest.skip("the real records are not on this machine")
    return folder


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """A migrated database of this test process's own."""
    folder = tmp_path_factory.mktemp("database")
    opened = db.open_engine(Settings(data_dir=folder))
    db.upgrade(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[Session]:
    """A session whose work is rolled back when the test ends."""
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as opened:
            yield opened
        outer.rollback()


@pytest.fixture
def fresh_engine(engine: sa.Engine) -> Iterator[sa.Engine]:
    """An empty, migrated database for tests that must commit."""
    name = "scratch"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f"drop database if exists {name} with (force)"))
        connection.execute(sa.text(f"create database {name}"))
    opened = sa.create_engine(engine.url.set(database=name))
    db.upgrade(opened)
    yield opened
    opened.dispose()
