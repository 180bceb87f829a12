"""`wfm loop`: close the loop between a team's roster and what its replay keeps."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import click

from wfm.cli.output import percent, print_json, print_table

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command()
@click.option("--team", required=True, help="Code of the team.")
@click.option("--from", "first", type=DAY, required=True, help="First day of the roster.")
@click.option("--until", "last", type=DAY, required=True, help="Last day of the roster.")
@click.option(
    "--rounds", type=click.IntRange(0, 20), default=3, show_default=True, help="Solves at most."
)
@click.option("--seconds", type=click.FloatRange(min=1), help="Limit of each solve.")
@click.option(
    "--effort", type=click.FloatRange(min=0.01), help="Limit in the solver's own units: repeatable."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def loop(
    team: str,
    first: datetime,
    last: datetime,
    rounds: int,
    seconds: float | None,
    effort: float | None,
    seed: int,
    as_json: bool,
) -> None:
    """Solve, replay, raise the requirement where promises fail, and solve again.

    Works on the desk's database: the period needs a staffing plan, the roster is opened when it
    is not there yet. Every round stores a draft; nothing is published.

    \b
    Example:
      wfm loop --team sh-network --from 2026-10-01 --until 2026-10-31 --seconds 60
    """
    from wfm.cli.database import current_database
    from wfm.services import closing
    from wfm.services.closing import Asked
    from wfm.services.rostering import Limits
    from wfm.settings import Settings

    settings = Settings.from_environment()
    with current_database() as engine:
        roster_id = _roster(engine, team, first.date(), last.date())
        if seconds is None and effort is None:
            seconds = 60.0
        limits = Limits(seconds=seconds, effort=effort, workers=2, seed=seed)
        outcome = closing.close(
            engine, Asked((roster_id,), rounds=rounds, limits=limits, seed=seed), "system", settings
        )
    if as_json:
        print_json(outcome | {"roster": roster_id})
    else:
        _print(outcome, roster_id)


def _roster(engine: Any, team: str, first: date, last: date) -> int:
    """The team's roster of the period."""
    from wfm import instants
    from wfm.access import SYSTEM
    from wfm.db import transaction
    from wfm.errors import NotFoundError
    from wfm.services import closing, rostering
    from wfm.services.facts import teams

    with transaction(engine) as session:
        found = next((one for one in teams(session) if one.code == team), None)
        if found is None or found.id is None:
            raise NotFoundError(f"there is no team {team}")
        roster = rostering.open_roster(session, SYSTEM, found.id, first, last, instants.now())
        closing.require_plan(session, first, last)
        assert roster.id is not None
        return roster.id


def _print(outcome: dict[str, Any], roster_id: int) -> None:
    print_table(
        ("round", "version", "kept", "low", "high", "cost", "short", "added h"),
        [
            (
                one["round"], one["versions"][str(roster_id)], percent(one['share']),
                percent(one['low']), percent(one['high']), one["cost"], one["short"],
                f"{one['added_hours']:.1f}",
            )
            for one in outcome["rounds"]
        ],
    )  # fmt: skip
    click.echo(f"{outcome['ended']}; agreed are {percent(outcome['agreed'], 0)}")
    for one in outcome["missing"]:
        click.echo(one["en"])
