"""`wfm roster breaks` and `wfm roster hours`: where breaks lie best, what every hour is worth."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wfm.cli.output import print_json, print_table
from wfm.cli.roster_files import AS_JSON, FILE, problem_from, roster_from
from wfm.errors import faults_of
from wfm.files import check_place, write_whole

if TYPE_CHECKING:
    from scheduler.pay import DayTypes, PricedSpan
    from scheduler.problem import RosterProblem


def _money(_c: click.Context, _o: click.Parameter, value: str | None) -> Decimal | None:
    if value is None:
        return None
    try:
        amount = Decimal(value)
    except InvalidOperation as error:
        raise click.BadParameter(f"{value!r} is no amount") from error
    if not amount.is_finite() or amount < 0:
        raise click.BadParameter(f"{value!r}: an amount from 0 expected")
    return amount


@click.command()
@click.argument("problem", type=FILE)
@click.argument("roster_file", metavar="ROSTER", type=FILE)
@click.option("--out", type=FILE, required=True, help="Where to write the roster.")
@AS_JSON
def breaks(problem: Path, roster_file: Path, out: Path, as_json: bool) -> int:
    """Move the breaks of a roster within their windows so that cover suffers least.

    \b
    Example:
      wfm roster breaks problem.json roster.json --out placed.json
    """
    from scheduler.breaks import place_breaks
    from scheduler.verify import verify

    check_place(out)
    parsed = problem_from(problem, "json")
    before = roster_from(roster_file, parsed, "json")
    after = place_breaks(parsed, before)
    write_whole(out, after.to_json() + "\n")
    costs = verify(parsed, before).cost, verify(parsed, after).cost
    moved = len(after.breaks)
    if as_json:
        print_json({"cost_before": costs[0], "cost": costs[1], "duties_with_moved_breaks": moved})
    else:
        click.echo(f"cost {costs[0]} → {costs[1]}, {moved} duties with breaks of their own")
    return 0


@click.command()
@click.argument("problem", type=FILE)
@click.argument("roster_file", metavar="ROSTER", type=FILE)
@click.option("--wage", callback=_money, help="Monthly wage, for everybody; without it, no pay.")
@click.option("--rotating", is_flag=True, help="The days off in the roster are the rest days.")
@click.option("--country", default="CN", show_default=True, help="Calendar after the last day.")
@AS_JSON
def hours(
    problem: Path,
    roster_file: Path,
    wage: Decimal | None,
    rotating: bool,
    country: str,
    as_json: bool,
) -> int:
    """Class every hour of a roster and price it: overtime, rest days, statutory holidays.

    A duty over midnight is split; each part has the day type of its own date.

    \b
    Example:
      wfm roster hours problem.json roster.json --wage 8700
    """
    from scheduler.errors import SchedulingError
    from scheduler.hours import price_roster

    parsed = problem_from(problem, "json")
    planned = roster_from(roster_file, parsed, "json")
    wages = {agent.id: wage or Decimal(0) for agent in parsed.agents}
    with faults_of(SchedulingError, roster_file.name):
        priced = price_roster(
            parsed, planned, _day_types(parsed, country), wages, rotating=rotating
        )
    rows = [row for agent, spans in sorted(priced.items()) for row in _summed(agent, spans)]
    if wage is None:
        rows = [{**row, "pay": None} for row in rows]
    if as_json:
        total = None if wage is None else sum(row["pay"] for row in rows)
        print_json({"hours": rows, "pay": total})
    else:
        print_table(
            ("agent", "class", "hours", "percent", "pay"),
            [[str(cell) if cell is not None else "" for cell in row.values()] for row in rows],
        )
    return 0


def _day_types(problem: RosterProblem, country: str) -> DayTypes:
    """The problem's own days; those after it, into which a night reaches, from the calendar."""
    from datetime import date

    from scheduler.labour import DayType
    from wfm.calendars import load_year

    known = {day.date: DayType(day.type) for day in problem.days}

    def day_type(on: date) -> DayType:
        return known[on] if on in known else load_year(country, on.year).day(on).day_type

    return day_type


def _summed(agent: str, spans: tuple[PricedSpan, ...]) -> list[dict[str, Any]]:
    sums: dict[tuple[str, Decimal], tuple[Decimal, Decimal]] = {}
    for span in spans:
        key = span.pay_class.value, span.percent
        minutes, amount = sums.get(key, (Decimal(0), Decimal(0)))
        sums[key] = minutes + span.minutes, amount + span.amount
    return [
        {
            "agent": agent,
            "class": name,
            "hours": float(minutes / 60),
            "percent": float(percent),
            "pay": float(amount),
        }
        for (name, percent), (minutes, amount) in sorted(sums.items())
    ]
