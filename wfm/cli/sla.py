"""`wfm sla …`: service-level clocks on files."""

from __future__ import annotations

from pathlib import Path

import click

from wfm.cli.output import print_json, print_table


@click.group()
def sla() -> None:
    """Service-level clocks.

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


def _read_json(path: Path) -> object:
    import json

    from wfm.errors import Fault, InputError
    from wfm.files import read_text

    text = read_text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        fault = Fault(f"not JSON: {error.msg}", path.name, error.lineno, str(error.colno))
    except (ValueError, RecursionError) as error:
        fault = Fault(f"not JSON that can be read: {error}", path.name)
    raise InputError.of([fault])


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(" – ".join(span) for span in value)
    return "–" if value is None else str(value)
