"""One cell of a roster: what it is, why, and what each alternative would cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from scheduler.explain import Alternative, WhyNot, explain
from scheduler.explain import why_not as why_not_there
from wfm import access
from wfm.access import Actor
from wfm.errors import Fault, InputError, NotFoundError
from wfm.services import roster_desk, roster_people, rostering
from wfm.services.day_types import NamedDay, days_between
from wfm.services.facts import AgentFacts
from wfm.services.roster_month import ShownShift, all_shifts
from wfm.services.roster_pages import skills
from wfm.services.roster_versions import get_version, problem_of
from wfm.tables import Assignment, Leave, Post, Roster, RosterLock, RosterVersion, Skill
from wfm.words import Mode

SHOWN_OTHERS = 5
SECONDS = 2.0  # for solving again around a cell


@dataclass(frozen=True)
class CellPanel:
    """A cell with everything that is given about it."""

    roster: Roster
    version_id: int | None
    solved: bool  # else there are no rules to judge changes by
    agent: AgentFacts
    day: NamedDay
    shift: ShownShift | None
    starts_at: datetime | None
    ends_at: datetime | None
    post: Post | None
    leave: str | None
    lock: RosterLock | None
    choices: tuple[ShownShift, ...]
    skills: dict[str, Skill]
    may_plan: bool


def panel(
    session: Session,
    actor: Actor,
    roster_id: int,
    agent_id: int,
    day: date,
    version_id: int | None = None,
) -> CellPanel:
    """What the panel of a cell shows."""
    roster = rostering.get_roster(session, actor, roster_id)
    agent = next((a for a in roster_people.members(session, roster) if a.id == agent_id), None)
    if agent is None or not roster.period_from <= day <= roster.period_until:
        raise NotFoundError("this roster has no such cell")
    version = _version(session, roster_id, version_id)
    shifts = all_shifts(session)
    held = session.exec(
        select(Assignment, Post)
        .join(Post, col(Post.id) == Assignment.post_id, isouter=True)
        .where(
            Assignment.version_id == version_id,
            Assignment.agent_id == agent_id,
            Assignment.day == day,
        )
        .order_by(col(Assignment.kind))  # an ordinary duty before standby
    ).first()
    duty, post = held if held else (None, None)
    away = session.exec(
        select(Leave).where(Leave.agent_id == agent_id, Leave.start_on <= day, Leave.end_on >= day)
    ).first()
    return CellPanel(
        roster=roster,
        version_id=version_id,
        solved=version is not None and bool(version.problem),
        agent=agent,
        day=days_between(session, day, day)[0],
        shift=shifts.get(duty.shift_code) if duty else None,
        starts_at=duty.starts_at if duty else None,
        ends_at=duty.ends_at if duty else None,
        post=post,
        leave=away.kind.value if away else None,
        lock=session.exec(
            select(RosterLock).where(
                RosterLock.roster_id == roster_id,
                RosterLock.agent_id == agent_id,
                RosterLock.day == day,
            )
        ).first(),
        choices=tuple(one for one in shifts.values() if one.template.mode != Mode.STANDBY),
        skills=skills(session),
        may_plan=actor.may("rosters.plan", roster.team_id),
    )


def _version(session: Session, roster_id: int, version_id: int | None) -> RosterVersion | None:
    if version_id is None:
        return None
    version = get_version(session, version_id)
    if version.roster_id != roster_id:
        raise NotFoundError(f"version {version_id} is not one of roster {roster_id}")
    return version


@dataclass(frozen=True)
class ShownAlternative:
    """What would happen if the cell were different, with names people know."""

    name: str
    shift: ShownShift | None
    change: int
    terms: tuple[tuple[str, int], ...]
    broken: tuple[dict[str, Any], ...]
    settled: int | None = None
    proven: bool = False
    changes: tuple[str, ...] = ()  # what taking it would change: agent, day and shift

    @property
    def possible(self) -> bool:
        return not self.broken


@dataclass(frozen=True)
class Why:
    """The alternatives of a cell: this agent otherwise, or somebody else on the shift."""

    shift: ShownShift | None
    locked: bool
    own: tuple[ShownAlternative, ...]
    others: tuple[ShownAlternative, ...]
    more: int

    @property
    def best(self) -> ShownAlternative | None:
        """The cheapest of what breaks no hard rule."""
        possible = [one for one in (*self.own, *self.others) if one.possible]
        return min(possible, key=lambda one: one.change, default=None)


def why(
    session: Session,
    actor: Actor,
    roster_id: int,
    agent_id: int,
    day: date,
    version_id: int,
    seconds: float = SECONDS,
) -> Why:
    """Explain a cell of a version by judging each alternative anew.

    With no `seconds` nothing is solved around the cell.

    Raises
    ------
    InputError
        The version was not made by a solve, so there is nothing to judge it by.
    """
    roster = rostering.get_roster(session, actor, roster_id)
    access.require(actor, "rosters.plan", roster.team_id)
    _version(session, roster_id, version_id)
    version = get_version(session, version_id)
    if not version.problem:
        raise InputError.of([Fault("this version was not made by a solve")])
    people = roster_people.members(session, roster)
    names = {agent.id: (agent.code, agent.name) for agent in people}
    numbers = {agent.code: agent.id for agent in people}
    desk = roster_desk.open_desk(session, actor, roster_id, version_id)
    problem = problem_of(version)
    if agent_id not in names or names[agent_id][0] not in problem.lookup.agent:
        raise NotFoundError("this version has no such cell")
    code = names[agent_id][0]
    found = explain(problem, desk.cells, code, day, seconds)
    shifts = all_shifts(session)
    by_code = dict(names.values())

    def shown(one: Alternative) -> ShownAlternative:
        return ShownAlternative(
            name=by_code.get(one.agent, one.agent),
            shift=shifts.get(one.shift or ""),
            change=one.change,
            terms=one.terms,
            broken=tuple(breach.plain() for breach in one.broken),
            settled=one.settled,
            proven=one.proven,
            changes=(
                *([] if one.agent == code else [f"{agent_id}|{day}|"]),
                f"{numbers.get(one.agent, 0)}|{day}|{one.shift or ''}",
            ),
        )

    return Why(
        shift=shifts.get(found.shift or ""),
        locked=found.locked,
        own=tuple(shown(one) for one in found.alternatives),
        others=tuple(shown(one) for one in found.others[:SHOWN_OTHERS]),
        more=max(0, len(found.others) - SHOWN_OTHERS),
    )


@dataclass(frozen=True)
class WhyNotPanel:
    """Why an agent does not have a shift, with names people know."""

    answer: WhyNot
    names: dict[str, str]
    shift: ShownShift | None


def why_not(
    session: Session,
    actor: Actor,
    roster_id: int,
    agent_id: int,
    day: date,
    version_id: int,
    shift: str,
) -> WhyNotPanel:
    """Explain why an agent does not have a shift (or the day off) instead; each step is solved for.

    Raises
    ------
    InputError
        There is no such shift.
    """
    desk = roster_desk.open_desk(session, actor, roster_id, version_id)
    people = roster_people.members(session, rostering.get_roster(session, actor, roster_id))
    code = next((agent.code for agent in people if agent.id == agent_id), "")
    look = desk.problem.lookup
    if code not in look.agent or day not in look.day:
        raise NotFoundError("this version has no such cell")
    if shift and shift not in look.shift:
        raise InputError.of([Fault("there is no such shift", column="shift", value=shift[:60])])
    answer = why_not_there(desk.problem, desk.cells, code, day, shift or None, SECONDS)
    names = {agent.code: agent.name for agent in people}
    return WhyNotPanel(answer, names, all_shifts(session).get(shift))
