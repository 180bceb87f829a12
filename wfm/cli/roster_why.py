"""`wfm roster`: explain a cell or a gap, name rules in conflict, and repair, from files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wfm.cli.output import print_json
from wfm.cli.roster_files import (
    AS_JSON,
    FILE,
    FORM,
    day_from,
    day_name,
    problem_from,
    roster_from,
    told_by,
    written,
)
from wfm.cli.roster_words import (
    alternative_line,
    change_line,
    conflict_lines,
    conflict_plain,
    explanation_plain,
    filler_line,
    gap_plain,
    repair_lines,
    repairs_plain,
    why_not_line,
    why_not_plain,
)
from wfm.errors import Fault, InputError
from wfm.files import check_place, write_whole

if TYPE_CHECKING:
    from scheduler.explain import Gap
    from scheduler.problem import Forbidden, Leave, RosterProblem
    from scheduler.solution import Roster
    from scheduler.verify.verdict import DayName

Command = TypeVar("Command", bound=Callable[..., Any])
SHOWN_FILLERS = 15
OFF = "off"


def seconds_option(default: float) -> Callable[[Command], Command]:
    """How long the solver may take."""
    return click.option("--seconds", type=click.FloatRange(min=0, max=3600), default=default,
                        show_default=True, help="Time for solving again around it.")  # fmt: skip


def _read(
    problem: Path, roster_file: Path, form: str | None
) -> tuple[str, RosterProblem, Roster, DayName]:
    form = form or told_by(problem)
    parsed = problem_from(problem, form)
    return form, parsed, roster_from(roster_file, parsed, form), day_name(parsed, form)


def _agent(problem: RosterProblem, agent: str) -> str:
    if agent not in problem.lookup.agent:
        raise InputError.of([Fault("there is no such agent in the problem", value=agent)])
    return agent


def _shift(problem: RosterProblem, shift: str) -> str:
    if shift not in problem.lookup.shift:
        raise InputError.of([Fault("there is no such shift in the problem", value=shift)])
    return shift


@click.command()
@click.argument("problem", type=FILE)
@click.argument("roster_file", metavar="ROSTER", type=FILE)
@click.option("--agent", required=True, help="Whose cell.")
@click.option("--day", required=True, help="A date, or the number of a day (0 is the first).")
@click.option("--instead", help="Why not this shift (or off) there: what stops it, or its price.")
@seconds_option(5.0)
@FORM
@AS_JSON
def explain(
    problem: Path,
    roster_file: Path,
    agent: str,
    day: str,
    instead: str | None,
    seconds: float,
    form: str | None,
    as_json: bool,
) -> None:
    """Why a cell is as it is, what each alternative would cost, and why not somebody else.

    \b
    Examples:
      wfm roster explain problem.json roster.json --agent a17 --day 2026-02-16
      wfm roster explain problem.json roster.json --agent a17 --day 2026-02-16 --instead night
    """
    from scheduler.explain import explain as explain_cell
    from scheduler.explain import why_not

    form, parsed, given, days = _read(problem, roster_file, form)
    cell = _agent(parsed, agent), day_from(day, parsed)
    if instead is not None:
        shift = None if instead == OFF else _shift(parsed, instead)
        answer = why_not(parsed, given, *cell, shift, seconds)
        if as_json:
            print_json(why_not_plain(answer, days))
        else:
            for line in why_not_line(answer, days):
                click.echo(line)
        return
    told = explain_cell(parsed, given, *cell, seconds)
    if as_json:
        print_json(explanation_plain(told, days))
        return
    lock = " (locked)" if told.locked else ""
    reasons = {
        "locked": "the cell is locked",
        "only": "every other choice breaks a hard rule",
        "cheapest": "every other choice costs more or breaks a hard rule",
        "equal": "another choice would cost the same",
        "improvable": "another choice would cost less",
    }
    click.echo(
        f"{told.agent} on {days(told.day)}: {told.shift or OFF}{lock}; {reasons[told.reason]};"
        f" the roster costs {told.cost}"
    )
    click.echo("Instead:")
    for one in told.alternatives:
        click.echo(f"  {one.shift or OFF}: {alternative_line(one, days)}")
    if told.others:
        click.echo(f"{told.shift} by somebody else who is off:")
    for one in told.others:
        click.echo(f"  {one.agent}: {alternative_line(one, days)}")


@click.command()
@click.argument("problem", type=FILE)
@click.argument("roster_file", metavar="ROSTER", type=FILE)
@click.option("--day", required=True, help="A date, or the number of a day (0 is the first).")
@click.option("--shift", help="The shift somebody is missing from.")
@click.option("--at", metavar="HH:MM", help="Instead of a shift: when somebody is missing.")
@click.option("--skill", help="Only who has the skill counts.")
@click.option("--grade", type=click.Choice(["ordinary", "senior", "expert"]), default="ordinary",
              show_default=True, help="Only who has the grade or a higher one counts.")  # fmt: skip
@seconds_option(3.0)
@FORM
@AS_JSON
def gap(
    problem: Path,
    roster_file: Path,
    day: str,
    shift: str | None,
    at: str | None,
    skill: str | None,
    grade: Any,
    seconds: float,
    form: str | None,
    as_json: bool,
) -> None:
    """Who could fill a gap and at what cost, and what stops everybody else.

    \b
    Examples:
      wfm roster gap problem.json roster.json --day 2026-02-16 --shift night
      wfm roster gap problem.json roster.json --day 2026-02-16 --at 18:30 --skill network
    """
    from scheduler.explain import Gap, explain_gap

    if (shift is None) == (at is None):
        raise click.UsageError("either --shift or --at is needed")
    form, parsed, given, days = _read(problem, roster_file, form)
    asked: Gap = Gap(
        day_from(day, parsed),
        shift=None if shift is None else _shift(parsed, shift),
        start=None if at is None else _minute(at, parsed.slot_minutes),
        skill=skill,
        min_grade=grade,
    )
    found = explain_gap(parsed, given, asked, seconds)
    if as_json:
        print_json(gap_plain(found, days))
        return
    if found.settled is not None:
        click.echo(f"one more there changes the cost by {found.settled:+}, all near arranged anew")
    elif found.proven:
        click.echo("nothing near allows one more there")
    for one in found.fillers[:SHOWN_FILLERS]:
        click.echo(f"  {one.agent}: {filler_line(one, days)}")
    if len(found.fillers) > SHOWN_FILLERS:
        click.echo(f"  … and {len(found.fillers) - SHOWN_FILLERS} more")
    for reason, people in found.stopped:
        click.echo(f"  {people} cannot: {reason}")


def _minute(text: str, slot: int) -> int:
    hour, _, minute = text.partition(":")
    if not (hour.isascii() and hour.isdigit() and minute.isascii() and minute.isdigit()):
        raise InputError.of([Fault("--at: a time as HH:MM expected", value=text)])
    found = int(hour) * 60 + int(minute)
    if int(minute) > 59 or found >= 24 * 60:
        raise InputError.of([Fault("--at: a time from 00:00 to 23:59 expected", value=text)])
    return found - found % slot


@click.command()
@click.argument("problem", type=FILE)
@seconds_option(10.0)
@FORM
@AS_JSON
def conflicts(problem: Path, seconds: float, form: str | None, as_json: bool) -> int:
    """The smallest sets of hard rules that cannot hold together, and the least that helps.

    The exit status is 1 when there is a conflict.

    \b
    Example:
      wfm roster conflicts problem.json
    """
    from scheduler.explain import conflicts as find

    form = form or told_by(problem)
    parsed = problem_from(problem, form)
    days = day_name(parsed, form)
    found = find(parsed, seconds)
    if as_json:
        print_json([conflict_plain(one, days) for one in found])
    for one in () if as_json else found:
        for line in conflict_lines(one, days):
            click.echo(line)
    if not found and not as_json:
        click.echo("no conflict found: each person can keep all hard rules")
    return 1 if found else 0


@click.command()
@click.argument("problem", type=FILE)
@click.argument("roster_file", metavar="ROSTER", type=FILE)
@click.option("--out-of", multiple=True, metavar="AGENT:FIRST..LAST",
              help="Somebody falls out; a single day is enough. May be given again.")  # fmt: skip
@click.option("--forbid", multiple=True, metavar="AGENT:DAY[:SHIFT]",
              help="A cell that must change. May be given again.")  # fmt: skip
@click.option("--most", type=click.IntRange(1, 50), help="Changes an alternative may make.")
@click.option("--keep", type=click.IntRange(1, 50), default=6, show_default=True,
              help="Alternatives to give back.")  # fmt: skip
@click.option("--take", type=click.IntRange(1, 50), help="Write this alternative to --out.")
@click.option("--out", type=FILE, help="Where the repaired roster goes.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True)
@seconds_option(5.0)
@FORM
@AS_JSON
def repair(
    problem: Path,
    roster_file: Path,
    out_of: tuple[str, ...],
    forbid: tuple[str, ...],
    most: int | None,
    keep: int,
    take: int | None,
    out: Path | None,
    workers: int,
    seconds: float,
    form: str | None,
    as_json: bool,
) -> int:
    """Mend a published roster with few changes: ranked alternatives, and a proof of the fewest.

    PROBLEM is as things are now, with new demand or new rules; --out-of and --forbid add to it.
    The exit status is 1 when a hard rule stays broken whatever alternative is taken.

    \b
    Examples:
      wfm roster repair problem.json roster.json --out-of a17:2026-02-16..2026-02-18
      wfm roster repair problem.json roster.json --out-of a17:2026-02-16 --take 1 --out new.json
    """
    from scheduler.repair import Wanted
    from scheduler.repair import repair as mend

    if (take is None) != (out is None):
        raise click.UsageError("--take and --out go together")
    if out is not None:
        check_place(out)
    form, parsed, given, days = _read(problem, roster_file, form)
    away = tuple(_absence(text, parsed) for text in out_of)
    barred = tuple(_barred(text, parsed) for text in forbid)
    now = replace(
        parsed, leave=(*parsed.leave, *away), forbidden=(*parsed.forbidden, *barred)
    )  # fmt: skip
    wanted = Wanted(seconds=max(seconds, 0.05), most=most, keep=keep, workers=workers)
    found = mend(now, given, wanted)
    if take is not None and out is not None:
        if take > len(found.alternatives):
            raise InputError.of(
                [Fault(f"--take: 1 to {len(found.alternatives)} expected", value=str(take))]
            )
        write_whole(out, written(now, found.taken(take - 1), form))
    if as_json:
        print_json(repairs_plain(found, days))
    else:
        for change in found.forced:
            click.echo(f"falls out – {change_line(change, days)}")
        for line in repair_lines(found, days):
            click.echo(line)
    mended = [one for one in found.alternatives if not one.effect.broken]
    left = len(found.violations) - max((len(one.effect.mended) for one in mended), default=0)
    return 1 if left > 0 else 0


def _absence(text: str, problem: RosterProblem) -> Leave:
    from scheduler.problem import Leave

    agent, days = _split(text, problem, "AGENT:FIRST..LAST")
    first, dots, last = days.partition("..")
    begins = day_from(first, problem)
    ends = day_from(last, problem) if dots else begins
    if ends < begins:
        raise InputError.of([Fault("--out-of: the first day is after the last", value=text)])
    return Leave(agent, begins, ends, "absence")


def _barred(text: str, problem: RosterProblem) -> Forbidden:
    from scheduler.problem import Forbidden

    agent, rest = _split(text, problem, "AGENT:DAY or AGENT:DAY:SHIFT")
    day, colon, shift = rest.partition(":")
    return Forbidden(
        agent, day_from(day, problem), _shift(problem, shift) if colon else None, "must change"
    )


def _split(text: str, problem: RosterProblem, expected: str) -> tuple[str, str]:
    """The agent and the rest; an agent's name may have colons itself."""
    for place in _colons(text):
        if text[:place] in problem.lookup.agent:
            return text[:place], text[place + 1 :]
    agent, colon, rest = text.partition(":")
    if not colon:
        raise InputError.of([Fault(f"{expected} expected", value=text)])
    return _agent(problem, agent), rest


def _colons(text: str) -> Iterator[int]:
    return (place for place, letter in enumerate(text) if letter == ":")
