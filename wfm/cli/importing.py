"""`wfm import`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wfm.cli.output import print_json, print_table

if TYPE_CHECKING:
    import sqlalchemy as sa

    from wfm.importing.report import ImportReport

KINDS = (
    "agents", "tickets", "ticket-events", "surveys", "reviews", "contributions",
    "serious-events", "leave", "calendar",
)  # fmt: skip
LISTED = 50


@click.command("import")
@click.argument("kind", type=click.Choice(KINDS), metavar="KIND")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--map", "mapping", default="", metavar="MAP.toml",
              help="A mapping file, or the name of an adapter.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what would change and change nothing.")
@click.option("--rejects", type=click.Path(path_type=Path), metavar="FILE.csv",
              help="Write every rejected row with its reason to this file.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON document.")
def import_(
    kind: str, file: Path, mapping: str, dry_run: bool, rejects: Path | None, as_json: bool
) -> int:
    """Import records from CSV, CSV.gz or XLSX.

    \b
    KIND is one of: agents tickets ticket-events surveys
                    reviews contributions serious-events
                    leave calendar

    Accepted rows land all or none; rejected ones are listed, and the exit status is then 1.

    Example: wfm import agents agents.csv --dry-run
    """
    from wfm import instants
    from wfm.access import SYSTEM
    from wfm.db import open_engine, transaction
    from wfm.files import check_place, write_whole
    from wfm.importing.report import rejects_gz
    from wfm.services.importing import run_import
    from wfm.settings import Settings

    if rejects is not None:
        check_place(rejects)
    settings = Settings.from_environment()
    engine = open_engine(settings)
    try:
        _migrate_if_empty(engine)
        with transaction(engine) as session:
            report = run_import(
                session, SYSTEM, file, kind, at=instants.now(), timezone=settings.timezone,
                mapping=mapping, dry_run=dry_run, tell=_tell,
            )  # fmt: skip
    finally:
        engine.dispose()
    if rejects is not None:
        import gzip

        write_whole(rejects, gzip.decompress(report.rejects_gz or rejects_gz([])))
    if as_json:
        print_json(report.document())
    else:
        _print(report)
    return _judge(report)


def _migrate_if_empty(engine: sa.Engine) -> None:
    """An empty database is set up; an older one is left to whoever looks after it."""
    import sqlalchemy as sa

    from wfm.db import current_revision, newest_revision, upgrade
    from wfm.errors import SetupError

    revision = current_revision(engine)
    if revision is None and not sa.inspect(engine).get_table_names():
        upgrade(engine)
    elif revision != newest_revision():
        raise SetupError("the database is not at this version; run: wfm db upgrade")


def _tell(share: float, message: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{share:4.0%} {message:<40}", err=True, nl=share >= 0.97)


def _print(report: ImportReport) -> None:
    print_table(
        ["", "rows", "added", "changed", "unchanged", "rejected"],
        [[kind, *counts.document().values()] for kind, counts in report.kinds.items()],
    )
    for name, number in report.made.items():
        click.echo(f"{name} made by code: {number}")
    if report.ignored_columns:
        click.echo(f"columns not used: {', '.join(report.ignored_columns)}")
    for note in report.notes:
        click.echo(f"note: {note}")
    if report.dry_run:
        click.echo("dry run: nothing was changed")


def _judge(report: ImportReport) -> int:
    """Exit status: 0 when every row was taken."""
    rejected = sum(counts.rejected for counts in report.kinds.values())
    if not rejected:
        return 0
    for _, fault in report.rejects[:LISTED]:
        click.echo(str(fault), err=True)
    if len(report.rejects) > LISTED:
        click.echo("… and more; --rejects FILE.csv writes all of them", err=True)
    fate = "would land" if report.dry_run else "landed"
    rest = f"all other rows {fate}" if report.landed else "no row was accepted"
    click.echo(f"{rejected} rows rejected; {rest}", err=True)
    return 1
