"""Rosters: open one, solve it as a job, edit and lock cells, judge it, publish it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler.problem import RosterProblem
from scheduler.solution import Roster as Cells
from scheduler.verify import Verdict, verify
from wfm import access, audit, instants, jobs
from wfm.access import Actor
from wfm.db import Engine, transaction
from wfm.errors import ConflictError, Fault, InputError, NotFoundError, TimeLimitError
from wfm.services import roster_problems
from wfm.settings import Settings
from wfm.tables import (
    Assignment,
    Job,
    Post,
    Roster,
    RosterLock,
    RosterVersion,
    ShiftTemplate,
    Team,
)
from wfm.words import DutyKind, LockKind, Mode, RosterStatus


@dataclass(frozen=True)
class Limits:
    """How long a solve may take: seconds for people, the solver's own units for the demo."""

    seconds: float | None = 60.0
    effort: float | None = None
    workers: int = 2
    seed: int = 0


def open_roster(
    session: Session, actor: Actor, team_id: int, first: date, last: date, at: datetime
) -> Roster:
    """The roster of a team's period, made when it is not there yet."""
    access.require(actor, "rosters.plan", team_id)
    if last < first or (last - first).days > 92:
        raise InputError.of([Fault("a period of 1 to 93 days is expected", column="period")])
    if session.get(Team, team_id) is None:
        raise NotFoundError(f"there is no team {team_id}")
    found = session.exec(
        select(Roster).where(
            Roster.team_id == team_id, Roster.period_from == first, Roster.period_until == last
        )
    ).first()
    if found is None:
        found = Roster(team_id=team_id, period_from=first, period_until=last)
        session.add(found)
        session.flush()
        subject = f"roster {found.id}"
        audit.record(session, at, actor.name, "roster.open", subject, team=team_id,
                     period_from=str(first), period_until=str(last))  # fmt: skip
    return found


def get_roster(session: Session, actor: Actor, roster_id: int) -> Roster:
    roster = session.get(Roster, roster_id)
    if roster is None:
        raise NotFoundError(f"there is no roster {roster_id}")
    access.require(actor, "rosters.view", roster.team_id)
    return roster


def ask_to_solve(
    session: Session, actor: Actor, roster_id: int, limits: Limits, at: datetime
) -> Job:
    """Put a solve on the queue."""
    roster = get_roster(session, actor, roster_id)
    access.require(actor, "rosters.plan", roster.team_id)
    arguments = {"roster_id": roster_id, "limits": asdict(limits)}
    audit.record(session, at, actor.name, "roster.solve", f"roster {roster_id}", **asdict(limits))
    return jobs.ask(session, "solve", arguments, actor.name, at)


def run_job(engine: Engine, progress: jobs.Progress, arguments: dict[str, Any]) -> dict[str, Any]:
    """The solve itself: read, solve outside any transaction, judge, store a new draft."""
    limits = Limits(**arguments["limits"])
    with transaction(engine) as session:
        asked_by = session.get_one(Job, progress.job_id).asked_by
    version_id = solve(
        engine, arguments["roster_id"], limits, asked_by, Settings.from_environment(), progress
    )
    return {"version_id": version_id, "page": f"/rosters/{arguments['roster_id']}"}


def solve(
    engine: Engine,
    roster_id: int,
    limits: Limits,
    made_by: str,
    settings: Settings,
    progress: jobs.Progress | None = None,
) -> int:
    """Solve a roster and store the answer as a new draft version; returns its number."""
    from scheduler.solve import Params
    from scheduler.solve import solve as find

    with transaction(engine) as session:
        roster = session.get_one(Roster, roster_id)
        problem = roster_problems.build(session, roster, settings.timezone)
        current = newest_version(session, roster_id)
        start = cells_of(session, current) if current else None
    params = Params(
        seconds=limits.seconds,
        effort=limits.effort,
        workers=limits.workers,
        seed=limits.seed,
        start=start,
    )

    def told(news: Any) -> None:
        if progress is not None:
            share = min(news.seconds / limits.seconds, 1.0) if limits.seconds else 0.5
            progress.report(share, f"cost {news.cost}, bound {news.bound}", cost=news.cost,
                            bound=news.bound, seconds=news.seconds)  # fmt: skip

    result = find(problem, params, told, progress.cancel_asked if progress else None)
    if result.roster is None:
        raise TimeLimitError("the time ended before any roster was found; allow more seconds")
    with transaction(engine) as session:
        return store_version(
            session, roster_id, problem, result.roster, made_by, instants.now(), settings.timezone,
            result={
                "status": result.status, "cost": result.cost, "bound": result.bound,
                "gap": result.gap, "seconds": result.seconds, "seed": limits.seed,
                "gaps": [gap.plain() for gap in result.gaps],
            },
        )  # fmt: skip


def store_version(
    session: Session,
    roster_id: int,
    problem: RosterProblem,
    cells: Cells,
    made_by: str,
    at: datetime,
    timezone: str,
    *,
    result: dict[str, Any],
    note: str = "",
) -> int:
    """Judge cells without a solver and keep them as the newest draft; returns its row number."""
    verdict = verify(problem, cells)
    newest = newest_version(session, roster_id)
    version = RosterVersion(
        roster_id=roster_id,
        number=newest.number + 1 if newest else 1,
        made_at=at,
        made_by=made_by,
        note=note,
        problem=problem_document(problem),
        result=result,
        verdict=verdict_document(verdict),
    )
    session.add(version)
    session.flush()
    assert version.id is not None
    session.add_all(_assignments(session, version.id, cells, timezone))
    audit.record(session, at, made_by, "roster.draft", f"roster {roster_id}",
                 version=version.number, cost=verdict.cost)  # fmt: skip
    jobs.announce(session, f"roster:{roster_id}")
    session.flush()
    return version.id


def _assignments(
    session: Session, version_id: int, cells: Cells, timezone: str
) -> list[Assignment]:
    """Duties and standby posts of a roster as rows."""
    templates = {t.code: t for t in session.exec(select(ShiftTemplate))}
    posts = {post.code: post for post in session.exec(select(Post))}
    people = roster_problems.agent_ids(
        session, sorted({agent for agent, _ in cells.cells} | _holders(cells))
    )
    held = {(agent, day): code for (code, day), names in cells.posts.items() for agent in names}
    rows = []
    for (agent, day), code in sorted(cells.cells.items()):
        template = templates[code]
        starts, ends = roster_problems.span_on(template, day, timezone)
        post = posts.get(held.get((agent, day), ""))
        rows.append(
            Assignment(
                version_id=version_id, agent_id=people[agent], day=day, shift_code=code,
                starts_at=starts, ends_at=ends, mode=template.mode,
                breaks=roster_problems.breaks_on(template, day, timezone),
                post_id=post.id if post else None,
            )
        )  # fmt: skip
    standby = next((t for t in templates.values() if t.mode == Mode.STANDBY), None)
    for (agent, day), code in sorted(held.items()):
        if (agent, day) not in cells.cells and standby is not None:
            starts, ends = roster_problems.span_on(standby, day, timezone)
            rows.append(
                Assignment(
                    version_id=version_id, agent_id=people[agent], day=day,
                    shift_code=standby.code, starts_at=starts, ends_at=ends,
                    mode=Mode.STANDBY, kind=DutyKind.STANDBY, post_id=posts[code].id,
                )
            )  # fmt: skip
    return rows


def _holders(cells: Cells) -> set[str]:
    return {agent for names in cells.posts.values() for agent in names}


def problem_document(problem: RosterProblem) -> dict[str, Any]:
    import json

    return dict(json.loads(problem.to_json()))


def problem_of(version: RosterVersion) -> RosterProblem:
    """The very problem a version answers."""
    import json

    return RosterProblem.from_json(json.dumps(version.problem))


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    return {
        "valid": verdict.valid,
        "cost": verdict.cost,
        "violations": [breach.plain() for breach in verdict.violations],
        "costs": [breach.plain() for breach in verdict.costs],
    }


def cells_of(session: Session, version: RosterVersion) -> Cells:
    """A stored version as the kernel knows it."""
    from wfm.tables import Agent

    rows = session.exec(
        select(Assignment, Agent.code, Post.code)
        .join(Agent, col(Agent.id) == Assignment.agent_id)
        .join(Post, col(Post.id) == Assignment.post_id, isouter=True)
        .where(Assignment.version_id == version.id)
    ).all()
    cells = {(agent, row.day): row.shift_code for row, agent, _ in rows if row.kind == "ordinary"}
    posts: dict[tuple[str, date], tuple[str, ...]] = {}
    for row, agent, post in rows:
        if post is not None:
            posts[post, row.day] = tuple(sorted((*posts.get((post, row.day), ()), agent)))
    return Cells(cells=cells, posts=posts)


def newest_version(session: Session, roster_id: int) -> RosterVersion | None:
    return session.exec(
        select(RosterVersion)
        .where(RosterVersion.roster_id == roster_id)
        .order_by(col(RosterVersion.number).desc())
        .limit(1)
    ).first()


def versions(session: Session, roster_id: int) -> Sequence[RosterVersion]:
    """All versions, newest first."""
    return session.exec(
        select(RosterVersion)
        .where(RosterVersion.roster_id == roster_id)
        .order_by(col(RosterVersion.number).desc())
    ).all()


def publish(
    session: Session, actor: Actor, version_id: int, at: datetime, reason: str = ""
) -> RosterVersion:
    """Make a draft the roster people work by.

    Raises
    ------
    InputError
        The draft breaks a hard rule, or misses the agreed share of promises, and no reason is
        given.
    """
    version = session.get(RosterVersion, version_id)
    if version is None:
        raise NotFoundError(f"there is no roster version {version_id}")
    roster = session.get_one(Roster, version.roster_id)
    access.require(actor, "rosters.publish", roster.team_id)
    if version.status != RosterStatus.DRAFT:
        raise ConflictError(f"version {version.number} is {version.status} already")
    misgivings = _misgivings(version)
    if misgivings and not reason.strip():
        raise InputError.of(
            Fault(f"{what}; publish with a reason or mend it first", column="reason")
            for what in misgivings
        )
    session.execute(
        sa.update(Assignment)
        .where(
            col(Assignment.version_id).in_(
                select(RosterVersion.id).where(RosterVersion.roster_id == roster.id)
            )
        )
        .values(live=False)
    )
    for other in versions(session, version.roster_id):
        if other.status == RosterStatus.PUBLISHED:
            other.status = RosterStatus.REVISED
    session.flush()
    version.status, version.published_at = RosterStatus.PUBLISHED, at
    version.published_by = actor.name
    session.execute(
        sa.update(Assignment).where(col(Assignment.version_id) == version_id).values(live=True)
    )
    audit.record(session, at, actor.name, "roster.publish", f"roster {roster.id}",
                 version=version.number, reason=reason.strip(), misgivings=misgivings)  # fmt: skip
    jobs.announce(session, f"roster:{roster.id}")
    return version


def _misgivings(version: RosterVersion) -> list[str]:
    """What speaks against publishing this draft."""
    found = []
    broken = len(version.verdict.get("violations", []))
    if broken:
        found.append(f"{broken} hard rules are broken")
    replay = version.replay
    if not replay:
        found.append("the draft has not been replayed")
    elif replay["share_met"] < replay["agreed_share"]:
        found.append(
            f"the replay keeps {100 * replay['share_met']:.1f} % of promises, "
            f"{100 * replay['agreed_share']:.0f} % are agreed"
        )
    return found


def lock_cell(
    session: Session,
    actor: Actor,
    roster_id: int,
    agent_id: int,
    day: date,
    kind: LockKind,
    at: datetime,
    *,
    shift_code: str | None = None,
    reason: str = "",
) -> None:
    """Fix or forbid a cell for the next solve."""
    roster = get_roster(session, actor, roster_id)
    access.require(actor, "rosters.plan", roster.team_id)
    if not roster.period_from <= day <= roster.period_until:
        raise InputError.of([Fault("not a day of this roster", column="day", value=str(day))])
    unlock_cell(session, actor, roster_id, agent_id, day)
    session.add(
        RosterLock(roster_id=roster_id, agent_id=agent_id, day=day, shift_code=shift_code,
                   kind=kind, made_by=actor.name, reason=reason)
    )  # fmt: skip
    audit.record(session, at, actor.name, f"roster.{kind}", f"roster {roster_id}",
                 agent=agent_id, day=str(day), shift=shift_code, reason=reason)  # fmt: skip
    session.flush()


def unlock_cell(session: Session, actor: Actor, roster_id: int, agent_id: int, day: date) -> None:
    """Take a lock off a cell."""
    roster = get_roster(session, actor, roster_id)
    access.require(actor, "rosters.plan", roster.team_id)
    session.execute(
        sa.delete(RosterLock).where(
            col(RosterLock.roster_id) == roster_id,
            col(RosterLock.agent_id) == agent_id,
            col(RosterLock.day) == day,
        )
    )
