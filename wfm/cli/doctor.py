"""`wfm doctor`: is this installation fit, and what to do where it is not."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from wfm.cli.output import print_json, print_table
from wfm.errors import Fault, SetupError, TierdeskError
from wfm.settings import Settings

LEAST_FREE_GB = 2
CLOCK_TOLERANCE_S = 5.0


@dataclass(frozen=True)
class Finding:
    part: str
    state: str
    remedy: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def doctor(as_json: bool) -> None:
    """Check this installation and name a remedy for each fault.

    Example: wfm doctor
    """
    findings = list(_findings(Settings.from_environment()))
    if as_json:
        print_json([vars(finding) for finding in findings])
    else:
        print_table(
            ("", "part", "state", "remedy"),
            [("ok" if not f.remedy else "!!", f.part, f.state, f.remedy) for f in findings],
        )
    faults = [Fault(f"{f.part}: {f.state}; {f.remedy}") for f in findings if f.remedy]
    if faults:
        raise SetupError("this installation has faults", faults)


def _findings(settings: Settings) -> Iterator[Finding]:
    from importlib.metadata import version

    yield Finding("tierdesk", version("tierdesk"))
    yield Finding("python", sys.version.split()[0])
    yield _disk(settings.data_dir)
    yield _permissions(settings.data_dir)
    yield from _database(settings)
    yield from _calendars()


def _disk(folder: Path) -> Finding:
    place = next(p for p in (folder.resolve(), *folder.resolve().parents) if p.exists())
    free_gb = shutil.disk_usage(place).free / 1e9
    remedy = "free some space or set WFM_DATA_DIR elsewhere" if free_gb < LEAST_FREE_GB else ""
    return Finding("disk", f"{free_gb:.1f} GB free at {place}", remedy)


def _permissions(folder: Path) -> Finding:
    import os

    place = next(p for p in (folder.resolve(), *folder.resolve().parents) if p.exists())
    fit = os.access(place, os.W_OK)
    remedy = "" if fit else "make it writable or set WFM_DATA_DIR elsewhere"
    return Finding("permissions", f"{place} is {'' if fit else 'not '}writable", remedy)


def _database(settings: Settings) -> Iterator[Finding]:
    import sqlalchemy as sa

    from wfm.db import current_revision, newest_revision, open_engine

    try:
        engine = open_engine(settings)
    except TierdeskError as error:
        yield Finding("database", error.message, "check WFM_DATABASE_URL or the data folder's log")
        return
    with engine.connect() as connection:
        version = connection.scalar(sa.text("show server_version"))
        database_now = connection.scalar(sa.text("select now()"))
    where = "WFM_DATABASE_URL" if settings.database_url else f"embedded in {settings.data_dir}"
    yield Finding("database", f"PostgreSQL {version} ({where})")
    current, newest = current_revision(engine), newest_revision()
    remedy = "" if current == newest else "run: wfm db upgrade"
    yield Finding("migrations", f"at {current or 'none'}, newest {newest}", remedy)
    drift = abs((datetime.now(UTC) - database_now).total_seconds())
    remedy = "set the clocks of both machines by NTP" if drift > CLOCK_TOLERANCE_S else ""
    yield Finding("clock", f"{drift:.1f} s apart from the database's", remedy)
    engine.dispose()


def _calendars() -> Iterator[Finding]:
    from wfm import calendars

    shipped = sorted(int(path.stem[3:]) for path in calendars.SHIPPED.glob("cn-*.csv"))
    for year in shipped:
        provisional = calendars.load_year("cn", year).provisional
        state = "provisional: the official notice is still to come" if provisional else "official"
        yield Finding(f"calendar cn {year}", state)
    this_year = datetime.now(UTC).year
    if this_year not in shipped:
        remedy = "import it: wfm import calendar FILE"
        yield Finding(f"calendar cn {this_year}", "not loaded", remedy)
