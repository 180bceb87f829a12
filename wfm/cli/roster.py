"""`wfm roster`: solve, verify and explain rosters, from files."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wfm.cli.output import print_json
from wfm.errors import Fault, InputError, TimeLimitError, faults_of
from wfm.files import check_place, read_text, write_whole

if TYPE_CHECKING:
    from scheduler.explain import Alternative, Explanation
    from scheduler.problem import RosterProblem
    from scheduler.result import Progress, Result
    from scheduler.solution import Roster
    from scheduler.verify import Breach, Verdict
    from scheduler.verify.verdict import DayName

FILE = click.Path(path_type=Path)
FORM = click.option(
    "--format",
    "form",
    type=click.Choice(["json", "nrp"]),
    help="json, or nrp: the public shift-scheduling text; by default .txt files are nrp.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
SHOWN = 20


def _finite(_c: click.Context, _o: click.Parameter, value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no limit")
    return value


@click.group()
def roster() -> None:
    """Solve, verify and explain rosters.

    Example: wfm roster solve problem.json --out roster.json --seconds 30
    """


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
    form = form or _told_by(problem)
    parsed = _problem(problem, form)
    days = _day_name(parsed, form)
    begin = None if start is None else _roster(start, parsed, form)
    params = Params(
        seconds=None if effort else seconds,
        effort=effort,
        workers=workers,
        seed=seed,
        start=begin,
    )
    result = solve_problem(parsed, params, _show)
    if result.roster is not None:
        write_whole(out, _written(parsed, result.roster, form))
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

    form = form or _told_by(problem)
    parsed = _problem(problem, form)
    days = _day_name(parsed, form)
    verdict = judge(parsed, _roster(roster_file, parsed, form))
    if as_json:
        print_json(_judged(verdict, days))
    else:
        _print_verdict(verdict)
    _tell(verdict.violations, days)
    return 0 if verdict.valid else 1


@roster.command()
@click.argument("problem", type=FILE)
@click.argument("roster_file", metavar="ROSTER", type=FILE)
@click.option("--agent", required=True, help="Whose cell.")
@click.option("--day", required=True, help="A date, or the number of a day (0 is the first).")
@FORM
@AS_JSON
def explain(
    problem: Path, roster_file: Path, agent: str, day: str, form: str | None, as_json: bool
) -> None:
    """Why a cell is as it is, what each alternative would cost, and why not somebody else.

    \b
    Example:
      wfm roster explain problem.json roster.json --agent a17 --day 2026-02-16
    """
    from scheduler.explain import explain as explain_cell

    form = form or _told_by(problem)
    parsed = _problem(problem, form)
    given = _roster(roster_file, parsed, form)
    if agent not in parsed.lookup.agent:
        raise InputError.of([Fault("there is no such agent in the problem", value=agent)])
    days = _day_name(parsed, form)
    explanation = explain_cell(parsed, given, agent, _day(day, parsed))
    if as_json:
        print_json(_explained(explanation, days))
    else:
        _print_explanation(explanation, days)


# -- reading and writing ---------------------------------------------------------------------------


def _told_by(problem: Path) -> str:
    return "nrp" if problem.suffix.lower() == ".txt" else "json"


def _problem(path: Path, form: str) -> RosterProblem:
    from scheduler.errors import SchedulingError
    from scheduler.formats.nrp import read_problem
    from scheduler.problem import RosterProblem

    text = read_text(path)
    with faults_of(SchedulingError, path.name):
        return read_problem(text) if form == "nrp" else RosterProblem.from_json(text)


def _roster(path: Path, problem: RosterProblem, form: str) -> Roster:
    from scheduler.errors import SchedulingError
    from scheduler.formats.nrp import read_roster
    from scheduler.solution import roster_from_json

    text = read_text(path)
    with faults_of(SchedulingError, path.name):
        return read_roster(text, problem) if form == "nrp" else roster_from_json(text, problem)


def _written(problem: RosterProblem, result: Roster, form: str) -> str:
    from scheduler.formats.nrp import write_roster

    return write_roster(problem, result) if form == "nrp" else result.to_json() + "\n"


def _day_name(problem: RosterProblem, form: str) -> DayName:
    """Days as the form counts them: dates, or numbers from 0."""
    return problem.lookup.day.__getitem__ if form == "nrp" else date.isoformat


def _day(text: str, problem: RosterProblem) -> date:
    expected = f"a date from {problem.days[0].date} to {problem.days[-1].date}, or its number"
    try:
        if text.isascii() and text.isdigit():
            return problem.days[int(text)].date
        found = date.fromisoformat(text)
    except (ValueError, IndexError) as error:
        raise InputError.of([Fault(f"--day: {expected} expected", value=text)]) from error
    if found not in problem.lookup.day:
        raise InputError.of([Fault(f"--day: {expected} expected", value=text)])
    return found


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


def _explained(explanation: Explanation, days: DayName) -> dict[str, Any]:
    return {
        "agent": explanation.agent,
        "day": days(explanation.day),
        "shift": explanation.shift,
        "locked": explanation.locked,
        "cost": explanation.cost,
        "alternatives": [_plain(a, days) for a in explanation.alternatives],
        "others": [_plain(a, days) for a in explanation.others],
    }


def _plain(alternative: Alternative, days: DayName) -> dict[str, Any]:
    return {
        "agent": alternative.agent,
        "shift": alternative.shift,
        "change": alternative.change,
        "terms": dict(alternative.terms),
        "broken": [breach.plain(days) for breach in alternative.broken],
    }


def _print_explanation(explanation: Explanation, days: DayName) -> None:
    lock = " (locked)" if explanation.locked else ""
    click.echo(
        f"{explanation.agent} on {days(explanation.day)}: {explanation.shift or 'off'}{lock};"
        f" the roster costs {explanation.cost}"
    )
    click.echo("Instead:")
    for alternative in explanation.alternatives:
        click.echo(f"  {alternative.shift or 'off'}: {_outcome(alternative, days)}")
    if explanation.others:
        click.echo(f"{explanation.shift} by somebody else who is off:")
    for alternative in explanation.others:
        click.echo(f"  {alternative.agent}: {_outcome(alternative, days)}")


def _outcome(alternative: Alternative, days: DayName) -> str:
    if alternative.broken:
        return "not possible – " + "; ".join(breach.text(days) for breach in alternative.broken[:3])
    terms = ", ".join(f"{name} {change:+}" for name, change in alternative.terms[:4])
    return f"{alternative.change:+}" + (f" ({terms})" if terms else "")
