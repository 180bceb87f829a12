"""What all roster commands read and write: problems, rosters and days."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wfm.errors import Fault, InputError, faults_of
from wfm.files import read_text

if TYPE_CHECKING:
    from scheduler.problem import RosterProblem
    from scheduler.solution import Roster
    from scheduler.verify.verdict import DayName

FILE = click.Path(path_type=Path)
FORM = click.option(
    "--format",
    "form",
    type=click.Choice(["json", "nrp"]),
    help="json, or nrp: the public shift-scheduling text; by default .txt files are nrp.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def told_by(problem: Path) -> str:
    return "nrp" if problem.suffix.lower() == ".txt" else "json"


def problem_from(path: Path, form: str) -> RosterProblem:
    from scheduler.errors import SchedulingError
    from scheduler.formats.nrp import read_problem
    from scheduler.problem import RosterProblem

    text = read_text(path)
    with faults_of(SchedulingError, path.name):
        return read_problem(text) if form == "nrp" else RosterProblem.from_json(text)


def roster_from(path: Path, problem: RosterProblem, form: str) -> Roster:
    from scheduler.errors import SchedulingError
    from scheduler.formats.nrp import read_roster
    from scheduler.solution import roster_from_json

    text = read_text(path)
    with faults_of(SchedulingError, path.name):
        return read_roster(text, problem) if form == "nrp" else roster_from_json(text, problem)


def written(problem: RosterProblem, result: Roster, form: str) -> str:
    from scheduler.formats.nrp import write_roster

    return write_roster(problem, result) if form == "nrp" else result.to_json() + "\n"


def day_name(problem: RosterProblem, form: str) -> DayName:
    """Days as the form counts them: dates, or numbers from 0."""
    return problem.lookup.day.__getitem__ if form == "nrp" else date.isoformat


def day_from(text: str, problem: RosterProblem) -> date:
    expected = f"a date from {problem.days[0].date} to {problem.days[-1].date}, or its number"
    try:
        if text.isascii() and text.isdigit():
            return problem.days[int(text)].date
        found = date.fromisoformat(text)
    except (ValueError, IndexError) as error:
        raise InputError.of([Fault(f"{expected} expected", value=text)]) from error
    if found not in problem.lookup.day:
        raise InputError.of([Fault(f"{expected} expected", value=text)])
    return found
