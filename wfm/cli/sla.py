"""`wfm sla …`: service-level clocks, and sealed agreements."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wfm.cli.output import print_json, print_table

if TYPE_CHECKING:
    from wfm.db import Engine


@click.group()
def sla() -> None:
    """Service-level clocks and sealed agreements.

    Example: wfm sla evaluate cases.json --json
    """


@sla.command()
@click.argument("cases", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--boundary",
    type=click.Choice(["close", "next_open"]),
    default="close",
    show_default=True,
    help="A due time where the calendar closes: the closing instant or the next opening. "
    "For cases that name no boundary_convention.",
)
def evaluate(cases: Path, as_json: bool, boundary: str) -> None:
    """Compute due times, elapsed time and clocks for the cases in CASES (JSON).

    One wrong case and nothing is printed but the faults of all of them.

    Example: wfm sla evaluate cases.json --json
    """
    from wfm.sla.business_time import Boundary
    from wfm.sla.cases import evaluate_all

    results, notes = evaluate_all(_read_json(cases), Boundary(boundary), cases.name)
    for note in notes:
        click.echo(note, err=True)
    if as_json:
        print_json(results)
    else:
        rows = [
            (entry["id"], field, _cell(value))
            for entry in results
            for field, value in entry["result"].items()
        ]
        print_table(["case", "field", "value"], rows)


@sla.command()
@click.option("--check", "check_only", is_flag=True, help="Only show what replay does not confirm.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def rebuild(check_only: bool, as_json: bool) -> None:
    """Read the clocks of all tickets anew from their events.

    With --check nothing is changed: each stored value that replay does not confirm is shown, and
    the exit status is 1 if there is one. What is kept of tickets that await a look anyway is shown
    apart and is no fault: the clock worker is about to read them.

    Example: wfm sla rebuild --check
    """
    from wfm.cli.database import current_database
    from wfm.settings import Settings

    timezone = Settings.from_environment().timezone
    with current_database() as engine:
        if check_only:
            _check_clocks(engine, timezone, as_json)
        else:
            _rebuild_clocks(engine, timezone, as_json)


def _rebuild_clocks(engine: Engine, timezone: str, as_json: bool) -> None:
    from wfm import instants
    from wfm.db import transaction
    from wfm.services import clock_book, clock_worker

    at = instants.now()
    with transaction(engine) as session:
        clock_book.mark(session, at)
    count = clock_worker.catch_up(engine, at, timezone)
    if as_json:
        print_json({"tickets": count})
    else:
        click.echo(f"read the clocks of {count} tickets anew")


def _check_clocks(engine: Engine, timezone: str, as_json: bool) -> None:
    from wfm import instants
    from wfm.db import transaction
    from wfm.services import clock_book

    # one view of the data, however long it takes and whatever happens meanwhile
    with transaction(engine.execution_options(isolation_level="REPEATABLE READ")) as session:
        found = clock_book.check(session, instants.now(), timezone)
    rows, overtaken = (
        [(one.ticket, one.clock, one.column, _cell(one.stored), _cell(one.replayed))
         for one in some]
        for some in (found.differences, found.overtaken)
    )  # fmt: skip
    rows += [(ticket, "", "error", "", error) for ticket, error in found.failures]
    names = ["ticket", "clock", "column", "stored", "replayed"]
    if as_json:
        print_json({
            "tickets": found.tickets, "pending": found.pending,
            "differences": [dict(zip(names, row, strict=True)) for row in rows],
            "overtaken": [dict(zip(names, row, strict=True)) for row in overtaken],
        })  # fmt: skip
    else:
        if rows:
            print_table(names, rows)
        click.echo(f"{found.tickets} tickets read, {found.pending} await a look, "
                   f"{len(rows)} values differ", err=True)  # fmt: skip
        if overtaken:
            click.echo("kept of tickets that await a look, until it comes:", err=True)
            print_table(names, overtaken)
    if rows:
        raise click.exceptions.Exit(1)


@sla.command("verify-seal")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--seal", help="The seal as it is known from elsewhere: on paper, in the audit chain."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def verify_seal(file: Path, seal: str | None, as_json: bool) -> None:
    """Verify an exported agreement against its seal; no database is needed.

    Example: wfm sla verify-seal agreement-1-v1.json
    """
    from dataclasses import asdict

    from wfm.errors import Fault, InputError
    from wfm.sla.documents import faults_told, verify

    export = _read_json(file)
    verdict = verify(export, seal)
    for fault in faults_told(export):
        click.echo(f"the desk that wrote this file said: {fault}", err=True)
    if as_json:
        print_json(asdict(verdict))
    elif verdict.ok:
        click.echo(f"{verdict.code} v{verdict.version}: as it was sealed ({verdict.computed})")
    if not verdict.ok and not as_json:
        expected = f"the text is not what was sealed; its own seal is {verdict.computed}"
        if not verdict.computed:
            expected = "this text cannot have been sealed: it holds NaN or half a character"
        raise InputError.of([Fault(expected, file.name, None, "seal", seal or verdict.seal)])
    if not verdict.ok:
        raise click.exceptions.Exit(1)


def _read_json(path: Path) -> object:
    import json

    from wfm.errors import Fault, InputError
    from wfm.files import read_text

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in pairs]
        again = next((name for n, name in enumerate(names) if name in names[:n]), None)
        if again is not None:  # the first of the two would be passed over in silence
            twice = Fault("this name occurs twice in one object", path.name, None, None, again[:80])
            raise InputError.of([twice])
        return dict(pairs)

    text = read_text(path)
    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        fault = Fault(f"not JSON: {error.msg}", path.name, error.lineno, str(error.colno))
    except (ValueError, RecursionError) as error:
        fault = Fault(f"not JSON that can be read: {error}", path.name)
    raise InputError.of([fault])


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(" – ".join(span) for span in value)
    return "–" if value is None else str(value)
