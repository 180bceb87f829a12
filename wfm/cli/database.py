"""`wfm db …`: migrations, backup, restore, integrity."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wfm.cli.output import print_json
from wfm.errors import ConflictError, Fault, InputError, SetupError, TierdeskError
from wfm.files import check_place

if TYPE_CHECKING:
    import sqlalchemy as sa


@click.group()
def db() -> None:
    """Migrate, back up, restore and verify the database.

    Example: wfm db upgrade
    """


@db.command()
def upgrade() -> None:
    """Bring the tables to this version.

    Example: wfm db upgrade
    """
    from wfm.db import current_revision, upgrade

    with _opened() as engine:
        upgrade(engine)
        click.echo(f"the database is at revision {current_revision(engine)}", err=True)


@db.command()
def check() -> None:
    """Check that migrations lead to exactly the tables in the code.

    Runs every migration up, down and up again in a database of its own.

    Example: wfm db check
    """
    import tempfile

    from wfm import db as database
    from wfm.settings import Settings

    with tempfile.TemporaryDirectory(prefix="wfm-check-", ignore_cleanup_errors=True) as folder:
        engine = database.open_engine(Settings(data_dir=Path(folder)))
        database.upgrade(engine)
        database.downgrade(engine, "base")
        database.upgrade(engine)
        found = database.differences(engine)
        engine.dispose()
    if found:
        raise ConflictError(
            "the tables in the code differ from the migrations; write a migration",
            [Fault(line) for line in found],
        )
    click.echo("migrations run up, down and up, and lead to the tables in the code", err=True)


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write an online backup to FILE.

    Example: wfm db backup desk.dump
    """
    check_place(file)
    partial = file.with_name(f".{file.name}.partial")
    try:
        _run("pg_dump", "--format=custom", f"--file={partial}", _url())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    click.echo(f"backup written to {file}", err=True)


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def restore(file: Path) -> None:
    """Restore FILE into an empty database, whole or not at all.

    Example: WFM_DATA_DIR=new-desk wfm db restore desk.dump
    """
    import sqlalchemy as sa

    if not file.is_file():
        raise InputError.of([Fault("there is no such file", str(file))])
    with _opened() as engine:
        if sa.inspect(engine).get_table_names():
            raise ConflictError("this database is not empty; restore into an empty one")
    _run("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner",
         f"--dbname={_url()}", str(file))  # fmt: skip
    click.echo(f"restored from {file}", err=True)
    _take_over(file)


def _take_over(file: Path) -> None:
    """Rows stamped with the key of another data folder are taken as the backup has them."""
    import sqlalchemy as sa

    from wfm import instants, stamps
    from wfm.db import transaction

    with _opened() as engine:
        if not sa.inspect(engine).has_table(stamps.ROLL):
            return  # of an earlier version; the upgrade stamps them
        with transaction(engine) as session:
            if stamps.is_known(session):
                return
            said = f"restored from {file.name}"
            stamps.accept(session, instants.now(), "owner of the database", said)
    click.echo(
        f"the rows are stamped anew with this data folder's key; to prove them as they were, put "
        f"the old folder's {stamps.KEY_FILE} here before restoring",
        err=True,
    )


@contextmanager
def _opened() -> Iterator[sa.Engine]:
    """The database of the settings, its connections closed at the end."""
    from wfm.db import open_engine
    from wfm.settings import Settings

    engine = open_engine(Settings.from_environment())
    try:
        yield engine
    finally:
        engine.dispose()


def _url() -> str:
    from wfm.db import database_url
    from wfm.settings import Settings

    return database_url(Settings.from_environment())


def _run(name: str, *arguments: str) -> None:
    from wfm.embedded import program

    done = subprocess.run([program(name), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise SetupError(f"{name} failed: {lines[-1] if lines else done.returncode}")


@db.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def verify(as_json: bool) -> None:
    """Prove the audit chain, the seals of agreements and every row.

    Example: wfm db verify --json
    """
    import sqlalchemy as sa

    from wfm import stamps
    from wfm.audit import verify as breaks_of
    from wfm.db import transaction
    from wfm.services import agreement_seals
    from wfm.tables import AuditEntry

    # one snapshot: the desk goes on meanwhile
    with current_database() as engine, transaction(
        engine.execution_options(isolation_level="REPEATABLE READ")
    ) as session:  # fmt: skip
        breaks = list(breaks_of(session))
        entries = session.scalar(sa.select(sa.func.count()).select_from(AuditEntry))
        broken = agreement_seals.broken(session)
        rows = list(stamps.verify(session))
    if as_json:
        print_json(
            {
                "entries": entries,
                "intact": not breaks and not broken and not rows,
                "breaks": [{"entry": b.entry_id, "what": b.what} for b in breaks],
                "broken_seals": list(broken),
                "rows": [vars(one) for one in rows],
                "tables": stamps.stamped_tables(),
            }
        )
    faults = [Fault(f"audit entry {b.entry_id} {b.what}") for b in breaks]
    faults += [
        Fault(f"agreement {name} is not what was sealed: {one.what[0]}")
        for name, found in broken.items()
        for one in found
    ]
    faults += [Fault(str(one)) for one in rows]
    if faults:
        raise TierdeskError("the records are not what the application wrote", faults)
    click.echo(
        f"the audit chain of {entries} entries, all seals and all rows of "
        f"{len(stamps.stamped_tables())} tables are intact",
        err=True,
    )


@db.command()
@click.option("--reason", required=True, help="Why the rows are taken as they are.")
def stamp(reason: str) -> None:
    """Take all rows as they are: stamp them anew, and say so in the audit chain.

    For the owner of the database, after a repair by hand or with a new key.

    Example: wfm db stamp --reason "mended two phone numbers by SQL, ticket 4711"
    """
    from wfm import instants, stamps
    from wfm.db import transaction

    if not reason.strip():
        raise InputError.of([Fault("say why", column="reason")])
    with current_database() as engine, transaction(engine) as session:
        rows = stamps.accept(session, instants.now(), "owner of the database", reason.strip())
    click.echo(f"{rows} rows are taken as they are", err=True)


@contextmanager
def current_database() -> Iterator[sa.Engine]:
    """The database, at this version's tables."""
    from wfm.db import current_revision, newest_revision

    with _opened() as engine:
        if current_revision(engine) != newest_revision():
            raise SetupError("the database is not at this version; run: wfm db upgrade")
        yield engine
