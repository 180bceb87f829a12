"""`wfm roster`: solve and verify rosters, from files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wfm.cli.output import print_json
from wfm.cli.roster_files import (
    AS_JSON,
    FILE,
    FORM,
    day_name,
    problem_from,
    roster_from,
    told_by,
    written,
)
from wfm.cli.roster_hours import breaks, hours
from wfm.cli.roster_why import conflicts, explain, gap, repair
from wfm.errors import TimeLimitError
from wfm.files import check_place, write_whole

if TYPE_CHECKING:
    from scheduler.result import Progress, Result
    from scheduler.verify import Breach, Verdict
    from scheduler.verify.verdict import DayName

SHOWN = 20


def _finite(_c: click.Context, _o: click.Parameter, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no limit")
    return value


@click.group()
def roster() -> None:
    """Solve, verify, repair and explain rosters.

    Example: wfm roster solve problem.json --out roster.json --seconds 30
    """


for command in (breaks, conflicts, explain, gap, hours, repair):
    roster.add_command(command)


@roster.command()
@click.argument("problem", type=FILE)
@click.option("--out", type=FILE, required=True, help="Where to write the roster.")
@FORM
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), default=60.0,
              callback=_finite,
              show_default=True, help="Wall-clock limit, reading and writing aside.")  # fmt: skip
@click.option("--effort", type=click.FloatRange(min=0, min_open=True), callback=_finite,
              help="A deterministic limit instead of seconds: same file, same roster.")  # fmt: skip
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True)
@click.option("--start", type=FILE, help="A roster to start from.")
@AS_JSON
def solve(
    problem: Path,
    out: Path,
    form: str | None,
    seconds: float,
    effort: float | None,
    workers: int,
    seed: int,
    start: Path | None,
    as_json: bool,
) -> int:
    """Find a roster of low cost that keeps the hard rules.

    What cannot be covered is left as a named gap. When hard rules contradict each other the
    roster breaks as few as possible, they are listed, and the exit status is 1.

    \b
    Examples:
      wfm roster solve problem.json --out roster.json --seconds 30
      wfm roster solve Instance1.txt --format nrp --out roster.csv --seconds 60 --json
    """
    from scheduler.result import Params
    from scheduler.solve import solve as solve_problem

    check_place(out)
    form = form or told_by(problem)
    parsed = problem_from(problem, form)
    days = day_name(parsed, form)
    begin = None if start is None else roster_from(start, parsed, form)
    params = Params(
        seconds=None if effort else seconds,
        effort=effort,
        workers=workers,
        seed=seed,
        start=begin,
    )
    result = solve_problem(parsed, params, _show)
    if result.roster is not None:
        write_whole(out, written(parsed, result.roster, form))
    if as_json:
        print_json(_solved(result, days))
    if result.roster is None:
        raise TimeLimitError(f"{seconds:g} seconds ended before any roster; give more time")
    if not as_json:
        _print_solved(result, days)
    _tell(result.violations, days)
    return 1 if result.violations else 0


@roster.command()
@click.argument("problem", type=FILE)
@click.argument("roster_file", metavar="ROSTER", type=FILE)
@FORM
@AS_JSON
def verify(problem: Path, roster_file: Path, form: str | None, as_json: bool) -> int:
    """Judge a roster without any solver: hard rules broken, and the cost, term by term.

    The exit status is 1 when a hard rule is broken.

    \b
    Example:
      wfm roster verify Instance1.txt roster.csv --format nrp
    """
    from scheduler.verify import verify as judge

    form = form or told_by(problem)
    parsed = problem_from(problem, form)
    days = day_name(parsed, form)
    verdict = judge(parsed, roster_from(roster_file, parsed, form))
    if as_json:
        print_json(_judged(verdict, days))
    else:
        _print_verdict(verdict)
    _tell(verdict.violations, days)
    return 0 if verdict.valid else 1


# -- showing ---------------------------------------------------------------------------------------


def _show(progress: Progress) -> None:
    gap = "" if progress.gap is None else f", gap {100 * progress.gap:.1f} %"
    click.echo(
        f"{progress.seconds:7.1f} s  {progress.phase}: cost {progress.cost},"
        f" bound {progress.bound}{gap}",
        err=True,
    )


def _tell(violations: tuple[Breach, ...], days: DayName) -> None:
    for breach in violations[:SHOWN]:
        click.echo(f"hard rule broken – {breach.text(days)}", err=True)
    if len(violations) > SHOWN:
        click.echo(f"… and {len(violations) - SHOWN} more", err=True)


def _solved(result: Result, days: DayName) -> dict[str, Any]:
    return {
        "status": result.status,
        "cost": result.cost,
        "bound": result.bound,
        "gap": result.gap,
        "seconds": round(result.seconds, 3),
        "violations": [breach.plain(days) for breach in result.violations],
        "gaps": [breach.plain(days) for breach in result.gaps],
    }


def _print_solved(result: Result, days: DayName) -> None:
    gap = "unknown" if result.gap is None else f"{100 * result.gap:.2f} %"
    click.echo(f"{result.status}: cost {result.cost}, bound {result.bound}, gap {gap}")
    for breach in result.gaps[:SHOWN]:
        click.echo(f"  gap – {breach.text(days)}")
    if len(result.gaps) > SHOWN:
        click.echo(f"  … and {len(result.gaps) - SHOWN} more gaps")


def _judged(verdict: Verdict, days: DayName) -> dict[str, Any]:
    return {
        "valid": verdict.valid,
        "cost": verdict.cost,
        "violations": [breach.plain(days) for breach in verdict.violations],
        "terms": verdict.terms(),
        "costs": [breach.plain(days) for breach in verdict.costs],
    }


def _print_verdict(verdict: Verdict) -> None:
    click.echo(f"{'valid' if verdict.valid else 'not valid'}: cost {verdict.cost}")
    for name, cost in verdict.terms().items():
        click.echo(f"  {cost:>10}  {name}")
