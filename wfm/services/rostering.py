"""Rosters: open one, solve it as a job, judge and keep its versions, publish one."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from scheduler.result import Params, Progress
from wfm import access, audit, instants, jobs
from wfm.access import Actor
from wfm.db import Engine, transaction
from wfm.errors import ConflictError, Fault, InputError, NotFoundError, TimeLimitError
from wfm.services import roster_problems, roster_versions, webhooks
from wfm.settings import Settings
from wfm.tables import (
    Agent,
    Assignment,
    Job,
    Roster,
    RosterVersion,
    Team,
)
from wfm.words import RosterStatus

MOST_DAYS = 93
PARTS_NAMED = 6  # of those a replay misses the agreed share for
GRADES_ZH = {"ordinary": "普通客服", "senior": "高级客服", "expert": "专家客服"}
TELL_EVERY_S = 0.5
TRAIL_POINTS = 80


@dataclass(frozen=True)
class Limits:
    """How long a solve may take: seconds for people, the solver's own units for the demo.

    `keep_until` is the last day, as an ISO date, on which what is published stays as it is; `keep`
    the cost of each cell that differs from the newest version.
    """

    seconds: float | None = 60.0
    effort: float | None = None
    workers: int = 2
    seed: int = 0
    keep_until: str | None = None
    keep: int = 0


def open_roster(
    session: Session, actor: Actor, team_id: int, first: date, last: date, at: datetime
) -> Roster:
    """The roster of a team's period, made when it is not there yet."""
    access.require(actor, "rosters.plan", team_id)
    check_period(first, last)
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


def check_period(first: date, last: date) -> None:
    """Refuse a period that no roster is made for."""
    if not 1 <= (last - first).days + 1 <= MOST_DAYS:
        raise InputError.of(
            [Fault(f"a period of 1 to {MOST_DAYS} days is expected", column="until")]
        )


def get_roster(session: Session, actor: Actor, roster_id: int) -> Roster:
    roster = session.get(Roster, roster_id)
    if roster is None:
        raise NotFoundError(f"there is no roster {roster_id}")
    access.require(actor, "rosters.view", roster.team_id)
    return roster


def ask_to_solve(
    session: Session, actor: Actor, roster_id: int, limits: Limits, at: datetime
) -> Job:
    """Put a solve on the queue; one at a time for a roster."""
    roster = get_roster(session, actor, roster_id)
    access.require(actor, "rosters.plan", roster.team_id)
    running = jobs.newest(session, "solve", roster_id=roster_id)
    if running is not None and running.status in jobs.MOVING:
        raise ConflictError(f"job {running.id} solves this roster already; stop it first")
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
    """Solve a roster and store the answer as a new draft version; returns its row number."""
    from scheduler.solve import solve as find  # slow to import: the solver comes with it

    with transaction(engine) as session:
        roster = session.get_one(Roster, roster_id)
        until = date.fromisoformat(limits.keep_until) if limits.keep_until else None
        problem = roster_problems.build(session, roster, settings.timezone, until)
        current = roster_versions.newest_version(session, roster_id)
        start = roster_versions.cells_of(session, current) if current else None
    if limits.keep and start is not None:
        problem = roster_problems.keeping(problem, start, limits.keep)
    params = Params(
        seconds=limits.seconds,
        effort=limits.effort,
        workers=limits.workers,
        seed=limits.seed,
        start=start,
    )

    told = Trail(progress, limits.seconds) if progress else None
    result = find(problem, params, told, progress.cancel_asked if progress else None)
    if result.roster is None:
        raise TimeLimitError("the time ended before any roster was found; allow more seconds")
    with transaction(engine) as session:
        return roster_versions.store_version(
            session, roster_id, problem, result.roster, made_by, instants.now(), settings.timezone,
            result={
                "status": result.status, "cost": result.cost, "bound": result.bound,
                "gap": result.gap, "seconds": result.seconds, "seed": limits.seed,
            },
        )  # fmt: skip


class Trail:
    """Tells a job how its solve goes: best cost and bound so far, and how they came down to it."""

    def __init__(self, progress: jobs.Progress, seconds: float | None) -> None:
        self._progress, self._seconds = progress, seconds
        self._points: list[tuple[float, int, int | None]] = []
        self._lock = threading.Lock()

    def __call__(self, news: Progress) -> None:
        with self._lock:
            if self._points and news.seconds - self._points[-1][0] < TELL_EVERY_S:
                return
            self._points.append((round(news.seconds, 1), news.cost, news.bound))
            if len(self._points) > TRAIL_POINTS:
                del self._points[1::2]
            points = list(self._points)
        share = min(news.seconds / self._seconds, 1.0) if self._seconds else 0.5
        # a stop is asked for otherwise: the best so far is to be kept, not thrown away
        with suppress(jobs.CancelledError):
            self._progress.report(
                share, f"cost {news.cost}, bound {news.bound}", cost=news.cost, bound=news.bound,
                gap=news.gap, seconds=news.seconds, limit=self._seconds, trail=points,
            )  # fmt: skip


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
    version = roster_versions.get_version(session, version_id)
    roster = session.get_one(Roster, version.roster_id, with_for_update=True)
    access.require(actor, "rosters.publish", roster.team_id)
    session.refresh(version)  # somebody may have published while this waited for the roster
    if version.status != RosterStatus.DRAFT:
        raise ConflictError(f"version {version.number} is {version.status} already")
    doubts = misgivings(version)
    if doubts and not reason.strip():
        raise InputError.of(
            Fault(f"{doubt.text('en')}; publish with a reason or mend it first", column="reason")
            for doubt in doubts
        )
    _refuse_double_duties(session, roster, version)
    mine = select(RosterVersion.id).where(RosterVersion.roster_id == roster.id)
    session.execute(
        sa.update(Assignment).where(col(Assignment.version_id).in_(mine)).values(live=False)
    )
    session.execute(
        sa.update(RosterVersion)
        .where(
            col(RosterVersion.roster_id) == roster.id,
            col(RosterVersion.status) == RosterStatus.PUBLISHED,
        )
        .values(status=RosterStatus.REVISED)
    )
    version.status, version.published_at = RosterStatus.PUBLISHED, at
    version.published_by = actor.name
    session.execute(
        sa.update(Assignment).where(col(Assignment.version_id) == version_id).values(live=True)
    )
    audit.record(session, at, actor.name, "roster.publish", f"roster {roster.id}",
                 version=version.number, reason=reason.strip(),
                 misgivings=[doubt.text("en") for doubt in doubts])  # fmt: skip
    webhooks.notify(session, "roster.published", at, {
        "roster": roster.id, "team": roster.team_id, "version": version.number,
        "from": str(roster.period_from), "until": str(roster.period_until),
    })  # fmt: skip
    jobs.announce(session, f"roster:{roster.id}")
    return version


def _refuse_double_duties(session: Session, roster: Roster, version: RosterVersion) -> None:
    """Say who would have two duties at once; the database would refuse it without a word."""
    other, mine = aliased(Assignment), aliased(Assignment)
    at_once = sa.and_(
        col(other.agent_id) == mine.agent_id,
        col(other.live),
        col(other.starts_at) < mine.ends_at,
        col(other.ends_at) > mine.starts_at,
    )
    rows = session.execute(
        sa.select(col(Agent.code), col(Agent.name), col(mine.day), col(other.shift_code))
        .select_from(mine)
        .join(other, at_once)
        .join(RosterVersion, col(RosterVersion.id) == other.version_id)
        .join(Agent, col(Agent.id) == mine.agent_id)
        .where(col(mine.version_id) == version.id, col(RosterVersion.roster_id) != roster.id)
        .order_by(col(mine.day), col(Agent.code))
    ).all()
    if rows:
        shown = "; ".join(f"{code} {name} {day} ({shift})" for code, name, day, shift in rows[:5])
        raise ConflictError(
            f"{len(rows)} duties overlap with another published roster: {shown}"
            + ("; …" if len(rows) > 5 else "")
        )


@dataclass(frozen=True)
class Misgiving:
    """Something that speaks against publishing a draft."""

    code: Literal["broken", "not_replayed", "share", "parts"]
    found: float = 0
    agreed: float = 0
    parts: tuple[tuple[str, float], ...] = ()

    def text(self, language: Literal["en", "zh"]) -> str:
        share, agreed = f"{100 * self.found:.1f} %", f"{100 * self.agreed:.0f} %"
        parts = ", ".join(
            f"{name if language == 'en' else GRADES_ZH.get(name, name)} {100 * kept:.1f} %"
            for name, kept in self.parts[:PARTS_NAMED]
        ) + (" …" if len(self.parts) > PARTS_NAMED else "")
        return {
            "broken": {
                "en": f"{self.found:.0f} hard rules are broken",
                "zh": f"违反了 {self.found:.0f} 条硬性规则",
            },
            "not_replayed": {
                "en": "the draft has not been replayed",
                "zh": "草案尚未经过重放检验",
            },
            "share": {
                "en": f"the replay keeps {share} of promises, {agreed} are agreed",
                "zh": f"重放中 {share} 的承诺得以兑现，约定为 {agreed}",
            },
            "parts": {
                "en": f"the replay misses {agreed} beyond chance for {parts}",
                "zh": f"重放中以下部分未达到 {agreed}，且非偶然波动所致：{parts}",
            },
        }[self.code][language]


def misgivings(version: RosterVersion) -> list[Misgiving]:
    """What speaks against publishing this draft."""
    found = []
    broken = len(version.verdict.get("violations", []))
    if broken:
        found.append(Misgiving("broken", broken))
    replay = version.replay
    if not replay:
        found.append(Misgiving("not_replayed"))
    elif replay["share_met"] < replay["agreed_share"]:
        found.append(Misgiving("share", replay["share_met"], replay["agreed_share"]))
    short = _parts_short(replay) if replay else ()
    if short:
        found.append(Misgiving("parts", agreed=replay["agreed_share"], parts=short))
    return found


def _parts_short(replay: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    """Skills, tiers and days whose whole interval lies below the agreed share, the worst first."""
    kept = [
        (name, share)
        for part in ("per_skill", "per_tier", "per_day")
        for name, share in replay.get(part, {}).items()
    ]
    short = [(n, s["mean"]) for n, s in kept if s["tickets"] and s["high"] < replay["agreed_share"]]
    return tuple(sorted(short, key=lambda one: (one[1], one[0])))
