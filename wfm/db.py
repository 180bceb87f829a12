"""Engine, sessions and migrations. Services never commit; whoever opens a `transaction` does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlmodel import Session, SQLModel

import wfm.tables  # noqa: F401  (fills the metadata)
from wfm import embedded, stamps
from wfm.errors import SetupError
from wfm.settings import Settings

# pages name these types but may not import the database themselves
__all__ = ["Engine", "Session", "current_revision", "database_url", "differences", "downgrade",
           "is_ours", "newest_revision", "open_engine", "transaction", "upgrade"]  # fmt: skip

MIGRATIONS = Path(__file__).parent / "tables" / "migrations"
DATABASE = "tierdesk"
OLDEST_POSTGRESQL = 150000


def database_url(settings: Settings) -> str:
    """The URL psycopg connects to; starts the embedded server when no other is named."""
    if settings.database_url:
        return settings.database_url
    cluster = sa.make_url(embedded.start(settings.data_dir))
    server = sa.create_engine(_driver(cluster), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        found = connection.scalar(
            sa.text("select 1 from pg_database where datname = :name"), {"name": DATABASE}
        )
        if not found:
            connection.execute(sa.text(f"create database {DATABASE}"))
    return cluster.set(database=DATABASE).render_as_string(hide_password=False)


def _driver(url: sa.URL | str) -> sa.URL:
    try:
        return sa.make_url(url).set(drivername="postgresql+psycopg")
    except (sa.exc.ArgumentError, ValueError) as error:
        raise SetupError(
            "WFM_DATABASE_URL cannot be read; expected postgresql://user:password@host:5432/name"
        ) from error


def open_engine(settings: Settings) -> Engine:
    """Connect, or say why that is not possible."""
    # without parameters in its errors: logs of them would hold hashes and names
    engine = sa.create_engine(
        _driver(database_url(settings)), pool_pre_ping=True, hide_parameters=True
    )
    stamps.give_key(engine, stamps.key_of(settings))
    try:
        with engine.connect() as connection:
            version = int(connection.scalar(sa.text("show server_version_num")))
            if version < OLDEST_POSTGRESQL:
                raise SetupError(f"PostgreSQL {version // 10000} is too old; 15 or newer is needed")
    except sa.exc.OperationalError as error:
        detail = str(error.orig).strip().splitlines()[0]
        raise SetupError(f"the database cannot be reached: {detail}") from error
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """One request or job step: committed whole at the end, or not at all."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Whether Alembic should look at this; the queue and the row stamps keep their own."""
    if kind == "table":
        return name != stamps.ROLL and not (name or "").startswith("procrastinate_")
    return not (kind == "column" and name == stamps.COLUMN)


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the tables, and the queue's, to `revision`."""
    from wfm.queue_schema import ensure_queue_tables

    with engine.begin() as connection:
        command.upgrade(_config(connection), revision)
        ensure_queue_tables(connection)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the tables back to `revision`."""
    with engine.begin() as connection:
        command.downgrade(_config(connection), revision)


def current_revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config).get_current_head()


def differences(engine: Engine) -> list[str]:
    """Where the migrated database and the tables in code are not the same."""

    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": is_ours, "compare_type": True}
        )
        return [str(item) for item in compare_metadata(context, SQLModel.metadata)]
