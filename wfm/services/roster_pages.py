"""What the planner's pages show of periods, teams and rosters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access, jobs
from wfm.access import Actor
from wfm.errors import NotFoundError
from wfm.services import roster_desk, rostering
from wfm.services.day_types import days_between
from wfm.services.facts import teams
from wfm.services.roster_month import Month, month
from wfm.services.roster_problems import newest_plan
from wfm.tables import (
    AgentTeam,
    Job,
    PostHolding,
    Roster,
    RosterVersion,
    Skill,
    StaffingPlan,
    Team,
)

ROSTER_WORK = ("solve", "replay", "close")


@dataclass(frozen=True)
class VersionFigures:
    """One version without its problem and duties: what a list shows."""

    id: int
    roster_id: int
    number: int
    status: str
    made_at: datetime
    made_by: str
    published_at: datetime | None
    published_by: str | None
    note: str
    cost: int | None
    bound: int | None
    gap: float | None
    seed: int | None
    seconds: float | None
    wanted: int | None
    missing: int | None
    violations: int
    share_met: float | None
    share_low: float | None
    share_high: float | None
    agreed_share: float | None

    @property
    def covered(self) -> float | None:
        """Share of the required person-half-hours that is covered."""
        if not self.wanted:
            return None
        return 1 - (self.missing or 0) / self.wanted


def _figures(session: Session, query: sa.Select[Any]) -> list[VersionFigures]:
    """Read versions by a query over `RosterVersion`; documents stay in the database."""
    version = RosterVersion
    result, replay = col(version.result), col(version.replay)
    violations = sa.func.coalesce(
        sa.func.jsonb_array_length(col(version.verdict)["violations"]), sa.literal(0)
    )
    rows = session.execute(
        query.with_only_columns(
            col(version.id), col(version.roster_id), col(version.number), col(version.status),
            col(version.made_at), col(version.made_by), col(version.published_at),
            col(version.published_by), col(version.note),
            col(version.verdict)["cost"].as_integer(),
            result["bound"].as_integer(), result["gap"].as_float(), result["seed"].as_integer(),
            result["seconds"].as_float(), result["wanted"].as_integer(),
            result["missing"].as_integer(), violations,
            *(replay[name].as_float()
              for name in ("share_met", "share_low", "share_high", "agreed_share")),
        )
    ).all()  # fmt: skip
    return [VersionFigures(*row) for row in rows]


def versions(session: Session, roster_id: int) -> list[VersionFigures]:
    """All versions of a roster, newest first."""
    query = sa.select(RosterVersion).where(col(RosterVersion.roster_id) == roster_id)
    return _figures(session, query.order_by(col(RosterVersion.number).desc()))


@dataclass(frozen=True)
class TeamLine:
    """A team in a period: its roster's newest version, where there is one."""

    team: Team
    roster_id: int | None
    newest: VersionFigures | None
    published: int | None
    job: Job | None


@dataclass(frozen=True)
class PlannedPeriod:
    """A period with the lines of all teams, its staffing plan and its holiday posts."""

    first: date
    last: date
    lines: tuple[TeamLine, ...]
    plan: StaffingPlan | None
    plan_job: Job | None
    named_days: int
    posts_held: int
    skills: dict[str, Skill]


def periods(session: Session, actor: Actor) -> list[tuple[date, date]]:
    """Periods that have a roster or a staffing plan, newest first."""
    access.require(actor, "rosters.view")
    found: set[tuple[date, date]] = set()
    for table in (Roster, StaffingPlan):
        found |= {
            (first, last)
            for first, last in session.execute(
                sa.select(col(table.period_from), col(table.period_until)).distinct()
            )
        }
    return sorted(found, reverse=True)


def period(session: Session, actor: Actor, first: date, last: date) -> PlannedPeriod:
    """Everything the overview shows of one period."""
    access.require(actor, "rosters.view")
    rostering.check_period(first, last)
    rosters = {
        roster.team_id: roster
        for roster in session.exec(
            select(Roster).where(Roster.period_from == first, Roster.period_until == last)
        )
    }
    ids = [roster.id for roster in rosters.values() if roster.id is not None]
    query = sa.select(RosterVersion).where(col(RosterVersion.roster_id).in_(ids))
    newest: dict[int, VersionFigures] = {}
    published: dict[int, int] = {}
    for one in _figures(session, query.order_by(col(RosterVersion.number))):
        newest[one.roster_id] = one
        if one.status == "published":
            published[one.roster_id] = one.number
    running = _moving_jobs(session)
    lines = []
    for team in teams(session, actor.teams("rosters.view")):
        roster = rosters.get(team.id) if team.id is not None else None
        number = roster.id if roster else None
        lines.append(
            TeamLine(
                team=team,
                roster_id=number,
                newest=newest.get(number) if number is not None else None,
                published=published.get(number) if number is not None else None,
                job=running.get(number) if number is not None else None,
            )
        )
    named = [day for day in days_between(session, first, last) if day.name_zh]
    held = session.scalar(
        sa.select(sa.func.count())
        .select_from(PostHolding)
        .where(col(PostHolding.day) >= first, col(PostHolding.day) <= last)
    )
    return PlannedPeriod(
        first=first,
        last=last,
        lines=tuple(lines),
        plan=newest_plan(session, first, last),
        plan_job=plan_job(session, first, last),
        named_days=len(named),
        posts_held=int(held or 0),
        skills=skills(session),
    )


def skills(session: Session) -> dict[str, Skill]:
    """Skills by code."""
    return {skill.code: skill for skill in session.exec(select(Skill).order_by(Skill.code))}


def _moving_jobs(session: Session) -> dict[int, Job]:
    """Solves and replays on their way, by roster."""
    rows = session.exec(
        select(Job).where(col(Job.task).in_(ROSTER_WORK), col(Job.status).in_(jobs.MOVING))
    )
    return {int(job.arguments["roster_id"]): job for job in rows}


def plan_job(session: Session, first: date, last: date) -> Job | None:
    """The newest plan of the period that is on its way or failed."""
    job = jobs.newest(session, "plan", first=str(first), last=str(last))
    return job if job is not None and job.status != "done" else None


@dataclass(frozen=True)
class RosterPage:
    roster: Roster
    team: Team
    versions: tuple[VersionFigures, ...]
    version: RosterVersion | None
    job: Job | None
    plan: StaffingPlan | None
    month: Month
    skills: dict[str, Skill]
    without: tuple[Team, ...] = ()
    misgivings: tuple[rostering.Misgiving, ...] = ()
    compared: int | None = None
    names: dict[str, str] = field(default_factory=dict)
    loop: Job | None = None


def roster_page(
    session: Session,
    actor: Actor,
    roster_id: int,
    number: int | None = None,
    against: int | None = None,
) -> RosterPage:
    """One roster: a version of it (the newest, when none is named) beside another one."""
    roster = rostering.get_roster(session, actor, roster_id)
    listed = versions(session, roster_id)
    version = numbered(session, roster_id, number or (listed[0].number if listed else None))
    if against is None and version is not None:
        against = _last_seen(listed, version.number)
    other = numbered(session, roster_id, against)
    edited = roster_desk.edited(session, version) if version else {}
    grid = month(session, roster, version, other, edited)
    return RosterPage(
        roster=roster,
        team=session.get_one(Team, roster.team_id),
        versions=tuple(listed),
        version=version,
        job=newest_work(session, actor, roster_id),
        plan=newest_plan(session, roster.period_from, roster.period_until),
        month=grid,
        skills=skills(session),
        without=_teams_without_roster(session, roster),
        misgivings=tuple(rostering.misgivings(version)) if version else (),
        compared=other.number if other else None,
        names={row.agent.code: row.agent.name for row in grid.rows},
        loop=_loop(session, roster_id),
    )


def _loop(session: Session, roster_id: int) -> Job | None:
    """The newest closing of the loop that has something to show."""
    job = jobs.newest(session, "close", roster_id=roster_id)
    return job if job is not None and job.result.get("ended") else None


def _last_seen(listed: Sequence[VersionFigures], number: int) -> int | None:
    """What people knew before a version: the published one, else the version before it."""
    earlier = [one for one in listed if one.number < number]
    published = [one.number for one in earlier if one.status == "published"]
    return max(published or (one.number for one in earlier), default=None)


def _teams_without_roster(session: Session, roster: Roster) -> tuple[Team, ...]:
    """Teams nobody of which is on duty in the period, so that a replay counts their work late."""
    busy = (
        select(Roster.team_id)
        .join(RosterVersion, col(RosterVersion.roster_id) == Roster.id)
        .where(Roster.period_from <= roster.period_until, Roster.period_until >= roster.period_from)
    )
    query = select(Team).where(
        col(Team.id).not_in(busy), col(Team.id).in_(select(AgentTeam.team_id))
    )
    return tuple(session.exec(query.order_by(Team.code)))


def numbered(session: Session, roster_id: int, number: int | None) -> RosterVersion | None:
    """A version by its number; None for none."""
    if number is None:
        return None
    version = session.exec(
        select(RosterVersion).where(
            RosterVersion.roster_id == roster_id, RosterVersion.number == number
        )
    ).first()
    if version is None:
        raise NotFoundError(f"roster {roster_id} has no version {number}")
    return version


def newest_work(session: Session, actor: Actor, roster_id: int) -> Job | None:
    """The newest solve, replay or closing of a roster."""
    rostering.get_roster(session, actor, roster_id)
    return session.exec(
        select(Job)
        .where(
            col(Job.task).in_(ROSTER_WORK),
            col(Job.arguments)["roster_id"].as_integer() == roster_id,
        )
        .order_by(col(Job.id).desc())
        .limit(1)
    ).first()
