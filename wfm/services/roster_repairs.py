"""Repair on the desk: somebody falls out, demand grows, a rule is new; ways to mend the roster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler.changes import Change, applied, forced_changes
from scheduler.errors import SchedulingError
from scheduler.problem import IntervalCover, RosterProblem
from scheduler.problem import Leave as Absence
from scheduler.repair import Repairs, Wanted, repair
from scheduler.solution import Roster as Cells
from scheduler.verify import verify
from wfm import audit, jobs
from wfm.access import Actor
from wfm.errors import ConflictError, Fault, InputError, NotFoundError, faults_of
from wfm.services import (
    roster_desk,
    roster_edits,
    roster_people,
    roster_problems,
    roster_versions,
    rostering,
)
from wfm.services.roster_desk import Desk
from wfm.services.roster_pages import skills
from wfm.services.roster_problems import PLANNER_SOURCE, SLOT_MINUTES, UNDER_WEIGHT
from wfm.tables import Leave, Post, PostHolding, Requirement, Roster, Skill
from wfm.words import Grade, LeaveKind

SECONDS = 4.0
MOST_WAYS = 12
GONE = "This way to repair does not fit the roster any more. Look for ways again."


@dataclass(frozen=True)
class Absent:
    """Who falls out, from when to when, and by what kind of leave."""

    agent_id: int
    first: date
    last: date
    kind: LeaveKind = LeaveKind.SICK


@dataclass(frozen=True)
class MoreDemand:
    """People wanted beside what was planned, on a day between two times (minutes)."""

    day: date
    start: int
    end: int
    people: int
    skill: str
    tier: Grade = Grade.ORDINARY


@dataclass(frozen=True)
class AsNow:
    """Whatever changed since the version was made: rules, demand, people, wishes."""


Cause: TypeAlias = Absent | MoreDemand | AsNow


@dataclass(frozen=True)
class RepairPanel:
    """Ways to mend a roster, with names people know."""

    cause: Cause
    name: str
    repairs: Repairs
    names: dict[str, str]
    numbers: dict[str, int]
    posts: dict[str, Post]
    skills: dict[str, Skill]
    version_id: int
    seen: int

    @property
    def absent(self) -> Absent | None:
        return self.cause if isinstance(self.cause, Absent) else None

    @property
    def demand(self) -> MoreDemand | None:
        return self.cause if isinstance(self.cause, MoreDemand) else None


def look(
    session: Session,
    actor: Actor,
    roster_id: int,
    version_id: int,
    cause: Cause,
    timezone: str,
    seconds: float = SECONDS,
) -> RepairPanel:
    """Ways to mend a roster; nothing is changed yet."""
    desk = roster_desk.open_desk(session, actor, roster_id, version_id)
    roster = rostering.get_roster(session, actor, roster_id)
    people = roster_people.members(session, roster)
    names = {agent.code: agent.name for agent in people}
    codes = {agent.id: agent.code for agent in people}
    code = _code(desk, codes, cause)
    problem = _problem(session, roster, desk, cause, code, timezone)
    accepted = frozenset(
        (breach.rule, breach.agent) for breach in verify(desk.problem, desk.cells).violations
    )
    if isinstance(cause, AsNow):
        accepted = frozenset()  # what was let pass before may be mended now
    wanted = Wanted(seconds=seconds, accepted=accepted)
    if isinstance(cause, MoreDemand):
        wanted = replace(wanted, days=(cause.day,), keep=MOST_WAYS)
    found = repair(problem, desk.cells, wanted)
    if isinstance(cause, MoreDemand):
        found = _covering(found, problem, cause)
    return RepairPanel(
        cause,
        names.get(code, ""),
        found,
        names,
        {agent.code: agent.id for agent in people},
        {post.code: post for post in session.exec(select(Post))},
        skills(session),
        version_id,
        desk.seen,
    )


def _covering(found: Repairs, problem: RosterProblem, more: MoreDemand) -> Repairs:
    """Only the ways that bring somebody who is there when more people are wanted."""
    shifts = {shift.id: shift for shift in problem.shifts}

    def helps(one: Change) -> bool:
        shift = shifts.get(one.after or "")
        return (
            one.day == more.day
            and shift is not None
            and shift.start < more.end
            and more.start < shift.end
        )

    ways = tuple(one for one in found.alternatives if any(map(helps, one.changes)))
    return replace(found, alternatives=ways)


def _code(desk: Desk, codes: dict[int, str], cause: Cause) -> str:
    """The agent who falls out, if anybody does."""
    if not isinstance(cause, Absent):
        return ""
    code = codes.get(cause.agent_id, "")
    if code not in desk.problem.lookup.agent:
        raise NotFoundError("nobody of this team")
    return code


def _problem(
    session: Session, roster: Roster, desk: Desk, cause: Cause, code: str, timezone: str
) -> RosterProblem:
    """The problem as things are now, with what happened."""
    if isinstance(cause, Absent):
        absence = _absence(cause, code)
        return roster_desk.current_problem(session, roster, desk.version, [absence])
    if isinstance(cause, AsNow):
        return roster_problems.build(session, roster, timezone)
    _check(session, desk, cause)
    with faults_of(SchedulingError):
        more = IntervalCover(
            cause.day, cause.start, cause.end, cause.people, under_weight=UNDER_WEIGHT,
            skill=cause.skill, min_grade=cause.tier.value, cause=PLANNER_SOURCE.strip(),
        )  # fmt: skip
        return replace(desk.problem, interval_cover=(*desk.problem.interval_cover, more))


def _check(session: Session, desk: Desk, more: MoreDemand) -> None:
    skills = session.exec(select(Skill.code)).all()
    ordered = 0 <= more.start < more.end <= 24 * 60
    faults = [
        ("day", more.day not in desk.problem.lookup.day, "not a day of this roster"),
        ("until", not ordered or bool(more.start % SLOT_MINUTES or more.end % SLOT_MINUTES),
         "half-hours are expected, the first before the last"),
        ("people", not 1 <= more.people <= 99, "1 to 99 people are expected"),
        ("skill", more.skill not in skills, "there is no such skill"),
    ]  # fmt: skip
    if any(wrong for _, wrong, _ in faults):
        raise InputError.of(Fault(told, column=name) for name, wrong, told in faults if wrong)


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
    cause: Cause,
    changes: Sequence[Change],
    at: datetime,
    timezone: str,
    reason: str,
) -> int:
    """Record what happened and keep the repaired roster as a new version; returns its row number.

    Raises
    ------
    ConflictError
        Somebody changed the roster since it was looked at, or the way breaks a hard rule now.
    InputError
        An agent, day, shift or post of a change is not of this roster.
    """
    desk = roster_desk.open_desk(session, actor, roster_id, version_id, seen)
    roster = rostering.get_roster(session, actor, roster_id)
    codes = {agent.id: agent.code for agent in roster_people.members(session, roster)}
    code = _code(desk, codes, cause)
    reason = reason.strip()
    problem = _problem(session, roster, desk, cause, code, timezone)
    _check_changes(problem, changes)
    if isinstance(cause, Absent):
        _record(session, cause)
    elif isinstance(cause, MoreDemand):
        _want(session, roster, cause, reason or actor.name, timezone)
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
        note=f"{_told(cause, code)}: {reason}".rstrip(": "),
    )  # fmt: skip
    verdict = roster_versions.get_version(session, number).verdict
    fresh = [b for b in verdict["violations"] if (b["rule"], b["agent"]) not in before]
    if fresh and not reason:
        raise ConflictError(GONE)
    _hold(session, actor, at, (*forced, *changes), {c: n for n, c in codes.items()})
    audit.record(session, at, actor.name, "roster.repair", f"roster {roster_id}",
                 because=_told(cause, code), changes=told, reason=reason)  # fmt: skip
    jobs.announce(session, f"roster:{roster_id}")
    return number


def _check_changes(problem: RosterProblem, changes: Sequence[Change]) -> None:
    look, posts = problem.lookup, {post.id for post in problem.posts}
    faults = []
    for one in changes:
        if one.agent not in look.agent:
            faults.append(Fault("nobody of this team", column="agent", value=one.agent))
        if one.day not in look.day:
            faults.append(Fault("not a day of this roster", column="day", value=str(one.day)))
        if one.post is None and one.after is not None and one.after not in look.shift:
            faults.append(Fault("there is no such shift", column="shift", value=one.after))
        if one.post is not None and one.post not in posts:
            faults.append(Fault("there is no such post", column="post", value=one.post))
    if faults:
        raise InputError.of(faults)


def _told(cause: Cause, code: str) -> str:
    """What happened, as the note of the version says it."""
    if isinstance(cause, Absent):
        return f"{code} {cause.first} – {cause.last}"
    if isinstance(cause, MoreDemand):
        return f"+{cause.people} {cause.skill} {cause.day}"
    return "↻"


def _want(session: Session, roster: Roster, more: MoreDemand, reason: str, timezone: str) -> None:
    """Keep what is wanted beside the forecast with the staffing plan, so that solves see it."""
    plan = roster_problems.newest_plan(session, roster.period_from, roster.period_until)
    skill = session.exec(select(Skill.id).where(Skill.code == more.skill)).one()
    if plan is None or plan.id is None or skill is None:
        raise InputError.of([Fault("there is no staffing plan for this period")])
    source = f"{PLANNER_SOURCE}{reason}"
    for minute in range(more.start, more.end, SLOT_MINUTES):
        starts_at = roster_problems.instant_of(more.day, minute, timezone)
        place: dict[str, Any] = {
            "plan_id": plan.id, "team_id": roster.team_id, "skill_id": skill, "tier": more.tier,
            "starts_at": starts_at, "source": source,
        }  # fmt: skip
        known = session.exec(select(Requirement).filter_by(**place)).first()
        if known is not None:
            known.people += more.people
        else:
            session.add(Requirement(people=more.people, **place))
    session.flush()


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


def change(
    agent: str, day: date, before: str | None, after: str | None, post: str | None
) -> Change:
    """One change as it was told; what is empty is none."""
    return Change(agent, day, before or None, after or None, post or None)


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
            found.append(change(codes[int(agent)], date.fromisoformat(day), before, after, post))
        except (ValueError, KeyError) as error:
            raise InputError.of([Fault("a change expected", value=text[:60])]) from error
    return found
