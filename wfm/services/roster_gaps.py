"""Who could fill a gap of the cover map, at what cost to whom, and what stops the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from scheduler.explain import Gap, GapReport, explain_gap
from scheduler.problem.parts import GRADES
from wfm.access import Actor
from wfm.errors import NotFoundError
from wfm.services import roster_desk, roster_people, rostering
from wfm.services.roster_month import ShownShift, all_shifts

SECONDS = 2.0
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


def gap(
    session: Session,
    actor: Actor,
    roster_id: int,
    version_id: int,
    day: date,
    start: int,
    skill: str = "",
    tier: str = "",
) -> GapPanel:
    """Explain a half-hour in which somebody is missing."""
    desk = roster_desk.open_desk(session, actor, roster_id, version_id)
    if day not in desk.problem.lookup.day or not 0 <= start < DAY_MINUTES:
        raise NotFoundError("not a day of this roster")
    roster = rostering.get_roster(session, actor, roster_id)
    people = roster_people.members(session, roster)
    asked = Gap(
        day,
        start=start - start % desk.problem.slot_minutes,
        skill=skill or None,
        min_grade=next((grade for grade in GRADES if grade == tier), GRADES[0]),
    )
    return GapPanel(
        roster_id,
        version_id,
        desk.seen,
        explain_gap(desk.problem, desk.cells, asked, SECONDS),
        {agent.code: agent.name for agent in people},
        {agent.code: agent.id for agent in people},
        all_shifts(session),
    )
