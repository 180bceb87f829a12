"""Versions of a roster: judged when stored, and read back as the kernel knows them."""

from __future__ import annotations

import json
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler.problem import RosterProblem
from scheduler.solution import Roster as Cells
from scheduler.verify import Verdict, verify
from wfm import audit, jobs
from wfm.errors import NotFoundError
from wfm.services import roster_people, roster_problems
from wfm.tables import Agent, Assignment, Post, Roster, RosterVersion, ShiftTemplate
from wfm.words import DutyKind, Mode


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
    session.get_one(Roster, roster_id, with_for_update=True)  # versions are numbered in turn
    newest = newest_version(session, roster_id)
    version = RosterVersion(
        roster_id=roster_id,
        number=newest.number + 1 if newest else 1,
        made_at=at,
        made_by=made_by,
        note=note,
        problem=problem_document(problem),
        result=result | covered(problem, verdict),
        verdict=verdict_document(verdict),
    )
    session.add(version)
    session.flush()
    assert version.id is not None
    if rows := _assignments(session, version.id, cells, timezone):
        session.execute(sa.insert(Assignment), rows)
    audit.record(session, at, made_by, "roster.draft", f"roster {roster_id}",
                 version=version.number, cost=verdict.cost)  # fmt: skip
    jobs.announce(session, f"roster:{roster_id}")
    session.flush()
    return version.id


def covered(problem: RosterProblem, verdict: Verdict) -> dict[str, int]:
    """People wanted by the requirement, and missing, both in slots (half-hours) of one person."""
    wanted = sum(
        one.desired * (one.end - one.start) // problem.slot_minutes
        for one in problem.interval_cover
        if one.exclusive
    )
    missing = sum(
        gap.amount
        for gap in verdict.gaps
        if gap.kind == "interval_cover_under" and gap.facts["skill"] is not None
    )
    return {"wanted": wanted, "missing": missing}


def _assignments(
    session: Session, version_id: int, cells: Cells, timezone: str
) -> list[dict[str, Any]]:
    """Duties and standby posts of a roster as rows."""
    templates = {t.code: t for t in session.exec(select(ShiftTemplate))}
    posts = {post.code: post for post in session.exec(select(Post))}
    people = roster_people.agent_ids(
        session, sorted({agent for agent, _ in cells.cells} | _holders(cells))
    )
    held = {(agent, day): code for (code, day), names in cells.posts.items() for agent in names}

    @cache
    def when(code: str, day: date) -> dict[str, Any]:
        starts, ends = roster_problems.span_on(templates[code], day, timezone)
        return {"starts_at": starts, "ends_at": ends}

    def pauses(agent: str, day: date, code: str) -> list[dict[str, Any]]:
        moved = cells.breaks.get((agent, day))
        return roster_problems.breaks_on(templates[code], day, timezone, moved)

    rows = []
    for (agent, day), code in sorted(cells.cells.items()):
        post = posts.get(held.get((agent, day), ""))
        rows.append({
            "version_id": version_id, "agent_id": people[agent], "day": day, "shift_code": code,
            "mode": templates[code].mode, "kind": DutyKind.ORDINARY, "live": False,
            "post_id": post.id if post else None, "breaks": pauses(agent, day, code),
            **when(code, day),
        })  # fmt: skip
    standby = next((t for t in templates.values() if t.mode == Mode.STANDBY), None)
    for (agent, day), code in sorted(held.items()):
        if (agent, day) not in cells.cells and standby is not None:
            rows.append({
                "version_id": version_id, "agent_id": people[agent], "day": day,
                "shift_code": standby.code, "mode": Mode.STANDBY, "kind": DutyKind.STANDBY,
                "live": False, "post_id": posts[code].id,
                "breaks": [], **when(standby.code, day),
            })  # fmt: skip
    return rows


def _holders(cells: Cells) -> set[str]:
    return {agent for names in cells.posts.values() for agent in names}


def problem_document(problem: RosterProblem) -> dict[str, Any]:
    return dict(json.loads(problem.to_json()))


def problem_of(version: RosterVersion) -> RosterProblem:
    """The very problem a version answers."""
    return parsed(json.dumps(version.problem))


@lru_cache(maxsize=4)
def parsed(text: str) -> RosterProblem:
    """A problem from its document; the last few are kept, with the tables derived from them."""
    return RosterProblem.from_json(text)


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    return {
        "valid": verdict.valid,
        "cost": verdict.cost,
        "violations": [breach.plain() for breach in verdict.violations],
        "costs": [breach.plain() for breach in verdict.costs],
    }


def cells_of(session: Session, version: RosterVersion) -> Cells:
    """A stored version as the kernel knows it."""
    moves = _movable(session)
    # thousands of cells: breaks are read where they may have been moved only
    placed = sa.case((col(Assignment.shift_code).in_(moves), col(Assignment.breaks)))
    rows = session.execute(
        sa.select(
            col(Agent.code), col(Assignment.day), col(Assignment.shift_code),
            col(Assignment.kind), col(Post.code), placed,
        )
        .join(Agent, col(Agent.id) == col(Assignment.agent_id))
        .join(Post, col(Post.id) == col(Assignment.post_id), isouter=True)
        .where(col(Assignment.version_id) == version.id)
    ).all()  # fmt: skip
    cells = {
        (agent, day): shift for agent, day, shift, kind, *_ in rows if kind == DutyKind.ORDINARY
    }
    breaks = {
        (agent, day): roster_problems.break_starts(pauses, day)
        for agent, day, shift, kind, _, pauses in rows
        if kind == DutyKind.ORDINARY and shift in moves and len(pauses) == moves[shift]
    }
    posts: dict[tuple[str, date], tuple[str, ...]] = {}
    for agent, day, _, _, post, _ in rows:
        if post is not None:
            posts[post, day] = tuple(sorted((*posts.get((post, day), ()), agent)))
    return Cells(cells=cells, posts=posts, breaks=breaks)


def _movable(session: Session) -> dict[str, int]:
    """How many breaks a shift has, of those with a break that may be moved."""
    return {
        template.code: len(template.breaks)
        for template in session.exec(select(ShiftTemplate))
        if any("earliest" in pause for pause in template.breaks)
    }


def newest_version(session: Session, roster_id: int) -> RosterVersion | None:
    return session.exec(
        select(RosterVersion)
        .where(RosterVersion.roster_id == roster_id)
        .order_by(col(RosterVersion.number).desc())
        .limit(1)
    ).first()


def get_version(session: Session, version_id: int) -> RosterVersion:
    version = session.get(RosterVersion, version_id)
    if version is None:
        raise NotFoundError(f"there is no roster version {version_id}")
    return version
