"""Who could fill a gap and at what cost to whom; which hard rules cannot hold together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from scheduler.explain import Conflict, Gap, GapReport, explain_gap
from scheduler.explain import conflicts as find_conflicts
from scheduler.explain.gap import NEAR
from scheduler.problem.parts import GRADES
from wfm import access
from wfm.access import Actor
from wfm.errors import Fault, InputError, NotFoundError
from wfm.services import roster_desk, roster_people, roster_problems, rostering
from wfm.services.roster_month import ShownShift, all_shifts
from wfm.services.roster_pages import skills
from wfm.tables import Skill

SECONDS = 2.0
CONFLICT_SECONDS = 5.0
DAY_MINUTES = 1440


@dataclass(frozen=True)
class GapPanel:
    """A gap with names people know."""

    roster_id: int
    version_id: int
    seen: int
    report: GapReport
    names: dict[str, str]
    numbers: dict[str, int]
    shifts: dict[str, ShownShift]
    skills: dict[str, Skill]

    @property
    def first(self) -> list[int]:
        """Those around whom the gap is solved."""
        return [self.numbers[one.agent] for one in self.report.fillers[:NEAR]]


def gap(
    session: Session,
    actor: Actor,
    roster_id: int,
    version_id: int,
    day: date,
    start: int | None,
    skill: str = "",
    tier: str = "",
    shift: str = "",
    seconds: float = SECONDS,
    only: Collection[int] = (),
) -> GapPanel:
    """Explain a half-hour in which somebody is missing, or a shift of a day that has too few.

    With no `seconds` everybody is judged, but nothing is solved around the gap; solving it later
    judges `only` those agents (all where none is named) whom the report had first.
    """
    desk = roster_desk.open_desk(session, actor, roster_id, version_id)
    if day not in desk.problem.lookup.day or not 0 <= (start or 0) < DAY_MINUTES:
        raise NotFoundError("not a day of this roster")
    if (start is None) != bool(shift) or (shift and shift not in desk.problem.lookup.shift):
        raise InputError.of([Fault("either a shift or a time of day is expected", column="shift")])
    roster = rostering.get_roster(session, actor, roster_id)
    people = roster_people.members(session, roster)
    asked = Gap(
        day,
        shift=shift or None,
        start=None if start is None else start - start % desk.problem.slot_minutes,
        skill=skill or None,
        min_grade=next((grade for grade in GRADES if grade == tier), GRADES[0]),
    )
    return GapPanel(
        roster_id,
        version_id,
        desk.seen,
        explain_gap(
            desk.problem, desk.cells, asked, seconds, {one.code for one in people if one.id in only}
        ),
        {agent.code: agent.name for agent in people},
        {agent.code: agent.id for agent in people},
        all_shifts(session),
        skills(session),
    )


@dataclass(frozen=True)
class ConflictPanel:
    """Sets of hard rules and given facts that cannot hold together; empty when none was found."""

    roster_id: int
    found: tuple[Conflict, ...]
    names: dict[str, str]
    shifts: dict[str, ShownShift]


def conflicts(session: Session, actor: Actor, roster_id: int, timezone: str) -> ConflictPanel:
    """What in the next solve's problem cannot hold together, and the least that helps."""
    roster = rostering.get_roster(session, actor, roster_id)
    access.require(actor, "rosters.plan", roster.team_id)
    problem = roster_problems.build(session, roster, timezone)
    names = {agent.id: agent.name for agent in problem.agents}
    found = find_conflicts(problem, CONFLICT_SECONDS)
    return ConflictPanel(roster_id, found, names, all_shifts(session))
