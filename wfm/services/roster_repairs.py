"""Repair on the desk: somebody falls out; ways to mend it, one of which is taken as a version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler.changes import Change as Change  # those who ask for a repair name it too
from scheduler.changes import applied, forced_changes
from scheduler.problem import Leave as Absence
from scheduler.repair import Repairs, Wanted, repair
from scheduler.solution import Roster as Cells
from scheduler.verify import verify
from wfm import audit, jobs
from wfm.access import Actor
from wfm.errors import ConflictError, Fault, InputError, NotFoundError
from wfm.services import roster_desk, roster_edits, roster_people, roster_versions, rostering
from wfm.tables import Leave, Post, PostHolding
from wfm.words import LeaveKind

SECONDS = 4.0
GONE = "This way to repair does not fit the roster any more. Look for ways again."


@dataclass(frozen=True)
class Absent:
    """Who falls out, from when to when, and by what kind of leave."""

    agent_id: int
    first: date
    last: date
    kind: LeaveKind = LeaveKind.SICK


@dataclass(frozen=True)
class RepairPanel:
    """Ways to mend an absence, with names people know."""

    absent: Absent
    name: str
    repairs: Repairs
    names: dict[str, str]
    numbers: dict[str, int]
    posts: dict[str, Post]
    version_id: int
    seen: int


def look(
    session: Session,
    actor: Actor,
    roster_id: int,
    version_id: int,
    absent: Absent,
    seconds: float = SECONDS,
) -> RepairPanel:
    """Ways to mend an absence; nothing is changed yet."""
    desk = roster_desk.open_desk(session, actor, roster_id, version_id)
    roster = rostering.get_roster(session, actor, roster_id)
    people = roster_people.members(session, roster)
    names = {agent.code: agent.name for agent in people}
    code = next((agent.code for agent in people if agent.id == absent.agent_id), None)
    if code is None or code not in desk.problem.lookup.agent:
        raise NotFoundError("nobody of this team")
    problem = roster_desk.current_problem(session, roster, desk.version, [_absence(absent, code)])
    accepted = frozenset(
        (breach.rule, breach.agent) for breach in verify(desk.problem, desk.cells).violations
    )
    found = repair(problem, desk.cells, Wanted(seconds=seconds, accepted=accepted))
    return RepairPanel(
        absent,
        names[code],
        found,
        names,
        {agent.code: agent.id for agent in people},
        {post.code: post for post in session.exec(select(Post))},
        version_id,
        desk.seen,
    )


def _absence(absent: Absent, code: str) -> Absence:
    if absent.last < absent.first:
        raise InputError.of([Fault("the first day is after the last", column="until")])
    return Absence(code, absent.first, absent.last, absent.kind.value)


def take(
    session: Session,
    actor: Actor,
    roster_id: int,
    version_id: int,
    seen: int,
    absent: Absent,
    changes: Sequence[Change],
    at: datetime,
    timezone: str,
    reason: str,
) -> int:
    """Record the absence and keep the repaired roster as a new version; returns its row number.

    Raises
    ------
    ConflictError
        Somebody changed the roster since it was looked at, or the way breaks a hard rule now.
    """
    desk = roster_desk.open_desk(session, actor, roster_id, version_id, seen)
    roster = rostering.get_roster(session, actor, roster_id)
    codes = {agent.id: agent.code for agent in roster_people.members(session, roster)}
    if absent.agent_id not in codes:
        raise NotFoundError("nobody of this team")
    code = codes[absent.agent_id]
    absence = _absence(absent, code)
    _record(session, absent)
    problem = roster_desk.current_problem(session, roster, desk.version)
    forced = tuple(forced_changes(problem, desk.cells))
    left = applied(desk.cells, forced)
    for one in changes:
        if one.before != _before(left, one):
            raise ConflictError(GONE)
    cells = applied(left, changes)
    before = {(b.rule, b.agent) for b in verify(problem, left).violations}
    told = [_line(one) for one in (*forced, *changes)]
    number = roster_versions.store_version(
        session, roster_id, problem, cells, actor.name, at, timezone,
        result=roster_edits.by_hand("repaired"),
        note=f"{code} {absence.first} – {absence.last}: {reason.strip()}".rstrip(": "),
    )  # fmt: skip
    verdict = roster_versions.get_version(session, number).verdict
    fresh = [b for b in verdict["violations"] if (b["rule"], b["agent"]) not in before]
    if fresh and not reason.strip():
        raise ConflictError(GONE)
    _hold(session, actor, at, (*forced, *changes), {c: n for n, c in codes.items()})
    audit.record(session, at, actor.name, "roster.repair", f"roster {roster_id}", agent=code,
                 first=str(absent.first), last=str(absent.last), kind=absent.kind.value,
                 changes=told, reason=reason.strip())  # fmt: skip
    jobs.announce(session, f"roster:{roster_id}")
    return number


def _before(roster: Cells, one: Change) -> str | None:
    if one.post is None:
        return roster.shift(one.agent, one.day)
    return one.post if one.agent in roster.posts.get((one.post, one.day), ()) else None


def _line(one: Change) -> str:
    return f"{one.agent} {one.day} {one.before or '–'} → {one.after or '–'}"


def _record(session: Session, absent: Absent) -> None:
    """The days of the absence that are not recorded as leave yet."""
    known = session.exec(
        select(Leave).where(
            Leave.agent_id == absent.agent_id,
            Leave.start_on <= absent.last,
            Leave.end_on >= absent.first,
        )
    ).all()
    if not known:
        session.add(Leave(agent_id=absent.agent_id, start_on=absent.first, end_on=absent.last,
                          kind=absent.kind))  # fmt: skip
        session.flush()
    elif not any(one.start_on <= absent.first and absent.last <= one.end_on for one in known):
        raise ConflictError("There is leave on some of these days already. Choose the others.")


def _hold(
    session: Session,
    actor: Actor,
    at: datetime,
    changes: Sequence[Change],
    numbers: dict[str, int],
) -> None:
    """The duty table follows: a place goes from whoever falls out to who takes it."""
    posts = {post.code: post.id for post in session.exec(select(Post))}
    for one in changes:
        if one.post is None:
            continue
        place = (
            col(PostHolding.post_id) == posts[one.post],
            col(PostHolding.day) == one.day,
            col(PostHolding.agent_id) == numbers[one.agent],
        )
        session.execute(sa.delete(PostHolding).where(*place))
    for one in changes:
        post_id = posts.get(one.post or "")
        if one.after is not None and post_id is not None:
            session.add(PostHolding(post_id=post_id, agent_id=numbers[one.agent], day=one.day,
                                    made_by=actor.name, made_at=at))  # fmt: skip
    session.flush()


def packed(changes: Sequence[Change], numbers: dict[str, int]) -> list[str]:
    """Changes as a form sends them: agent, day, before, after and post."""
    return [
        f"{numbers[one.agent]}|{one.day}|{one.before or ''}|{one.after or ''}|{one.post or ''}"
        for one in changes
    ]


def unpacked(texts: Sequence[str], codes: dict[int, str]) -> list[Change]:
    """Changes from a form.

    Raises
    ------
    InputError
        Not of that form.
    """
    found = []
    for text in texts:
        try:
            agent, day, before, after, post = text.split("|")
            found.append(
                Change(codes[int(agent)], date.fromisoformat(day), before or None, after or None,
                       post or None)
            )  # fmt: skip
        except (ValueError, KeyError) as error:
            raise InputError.of([Fault("a change expected", value=text[:60])]) from error
    return found
