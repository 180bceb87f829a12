"""Work of a whole period that runs as jobs: staffing plan, rosters of every team, replay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access, audit, instants, jobs
from wfm.access import SYSTEM, Actor
from wfm.db import Engine
from wfm.errors import ConflictError, Fault, InputError
from wfm.services import roster_versions, rostering
from wfm.services.facts import teams
from wfm.services.rostering import Limits
from wfm.settings import Settings
from wfm.tables import Job, Roster, RosterVersion
from wfm.words import RosterStatus

REPLICATIONS = 5


def ask_to_plan(session: Session, actor: Actor, first: date, last: date, at: datetime) -> Job:
    """Put the forecast and requirement of a period on the queue."""
    access.require_whole_desk(actor, "rosters.plan")
    rostering.check_period(first, last)
    audit.record(session, at, actor.name, "demand.ask", f"{first} to {last}")
    return jobs.ask(session, "plan", {"first": str(first), "last": str(last)}, actor.name, at)


def solve_every_team(
    session: Session, actor: Actor, first: date, last: date, limits: Limits, at: datetime
) -> list[Job]:
    """Open the roster of each team one may plan for, and put its solve on the queue.

    Teams whose roster is being solved already are left alone.
    """
    access.require(actor, "rosters.plan")
    asked = []
    for team in teams(session, actor.teams("rosters.plan")):
        assert team.id is not None
        roster = rostering.open_roster(session, actor, team.id, first, last, at)
        assert roster.id is not None
        running = jobs.newest(session, "solve", roster_id=roster.id)
        if running is None or running.status not in jobs.MOVING:
            asked.append(rostering.ask_to_solve(session, actor, roster.id, limits, at))
    return asked


def ask_to_replay(session: Session, actor: Actor, version_id: int, at: datetime) -> Job:
    """Put the replay of a draft on the queue.

    A ticket may go to whoever on duty has the skill, so the other teams take part: with what is
    published, else with their newest draft of the same period.

    Raises
    ------
    InputError
        The period of this roster has no staffing plan to draw arrivals from.
    """
    version = roster_versions.get_version(session, version_id)
    roster = session.get_one(Roster, version.roster_id)
    access.require(actor, "rosters.plan", roster.team_id)
    if not version.problem:
        raise InputError.of([Fault("this version was not made by a solve, so has no requirement")])
    covered = actor.teams("rosters.plan")
    others = [
        number
        for number, team in _drafts_beside(session, roster)
        if covered is None or team in covered
    ]
    arguments = {"roster_id": roster.id, "version_ids": [version_id, *others]}
    return jobs.ask(session, "replay", arguments, actor.name, at, parts=REPLICATIONS)


def _drafts_beside(session: Session, roster: Roster) -> list[tuple[int, int]]:
    """Newest drafts of the other rosters of the period that have nothing published."""
    published = (
        select(RosterVersion.roster_id)
        .where(RosterVersion.status == RosterStatus.PUBLISHED)
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(sa.func.max(col(RosterVersion.id)), col(Roster.team_id))
        .join(Roster, col(Roster.id) == RosterVersion.roster_id)
        .where(
            col(Roster.period_from) == roster.period_from,
            col(Roster.period_until) == roster.period_until,
            col(Roster.id) != roster.id,
            col(Roster.id).not_in(published),
        )
        .group_by(col(Roster.id), col(Roster.team_id))
        .order_by(col(Roster.team_id))
    ).all()
    return [(int(number), int(team)) for number, team in rows]


def run_replay(
    engine: Engine,  # noqa: ARG001 (jobs are given it)
    progress: jobs.Progress,
    arguments: dict[str, Any],
) -> dict[str, Any] | None:
    """The replay itself, a replication at a time; whoever asked was checked when asking."""
    from wfm.services import replaying

    zone = Settings.from_environment().timezone
    versions, seed = arguments["version_ids"], 0

    def prepare(session: Session) -> Callable[[int], dict[str, Any]]:
        bench = replaying.bench_of(session, versions, zone)
        source = replaying.source_of(session, bench)

        def do(number: int) -> dict[str, Any]:
            (decisions,) = replace(bench, traces=(source.trace(seed, number),)).play()
            return {"bench": bench.print_of(), "figures": bench.figures(decisions)}

        return do

    def combine(session: Session, parts: list[dict[str, Any]]) -> dict[str, Any]:
        bench = replaying.bench_of(session, versions, zone)
        if {part["bench"] for part in parts} != {bench.print_of()}:
            raise ConflictError("people or duties changed during the replay; replay again")
        outcome = replaying.outcome_of(bench, [part["figures"] for part in parts], seed=seed)
        replaying.keep_outcome(session, SYSTEM, versions, outcome, instants.now())
        jobs.announce(session, f"roster:{arguments['roster_id']}")
        return {"share_met": outcome["share_met"], "page": f"/rosters/{arguments['roster_id']}"}

    return jobs.in_parts(progress, prepare, combine, "{0} of {1} replays")
