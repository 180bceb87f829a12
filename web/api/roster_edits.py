"""Changing a roster: cells checked at once, undo, redo, locks, gaps filled, absences repaired."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from web.api.calls import Call, Called
from web.api.fields import ADay, Asked, Code, Day, Name, Number, Text, Wanted
from web.api.operations import Operations
from web.api.rosters import Tier, agent_of, id_of, roster, version
from wfm.errors import Fault, InputError
from wfm.services import (
    roster_desk,
    roster_edits,
    roster_gaps,
    roster_locks,
    roster_people,
    roster_repairs,
    rostering,
)
from wfm.services.roster_desk import Desk
from wfm.services.roster_edits import Edited, Wish
from wfm.services.roster_gaps import GapPanel
from wfm.services.roster_pages import VersionFigures
from wfm.services.roster_repairs import Absent, AsNow, Cause, MoreDemand, RepairPanel
from wfm.words import Grade, LeaveKind, LockKind

api = Operations("rosters")
Seen = Annotated[
    int, Field(ge=0, le=2**31 - 1, description="the last act that was read (`seen` of the desk)")
]


class CellWanted(Wanted):
    """A cell as it should be; no shift is a day off."""

    agent: Name = Field(examples=["A007"])
    day: Day
    shift: Name | None = Field(examples=["early"])


class Acted(Wanted):
    """Something done to what lies on the desk."""

    seen: Seen
    reason: Text = Field("", examples=["she asked for it by telephone"])


class Edit(Acted):
    """Cells to change at once; where a hard rule breaks, with a reason."""

    cells: list[CellWanted] = Field(min_length=1, max_length=200)


class Lock(Wanted):
    """Fix a cell to a shift, or forbid one (or any)."""

    kind: LockKind
    shift: Name = Field("", examples=["early"])
    reason: Text = ""


class Moved(Wanted):
    """One change of a way to repair, as it was told."""

    agent: Name = Field(examples=["A007"])
    day: Day
    before: Name | None = None
    after: Name | None = None
    post: Name | None = None


class Happened(Wanted):
    """What is to be mended: an absence, more people wanted, or whatever changed meanwhile."""

    cause: Literal["absence", "demand", "now"] = "absence"
    agent: Name | None = Field(None, description="of an absence", examples=["A007"])
    first: Day | None = Field(None, alias="from", examples=["2026-10-01"])
    last: Day | None = Field(None, alias="until", examples=["2026-10-02"])
    kind: LeaveKind = LeaveKind.SICK
    day: Day | None = Field(None, description="of demand", examples=["2026-10-01"])
    start: int = Field(0, ge=0, lt=1440, description="of demand: minute of the day")
    end: int = Field(1440, gt=0, le=1440, description="of demand: minute of the day")
    people: int = Field(1, ge=1, le=99)
    skill: Name = ""
    tier: Grade = Grade.ORDINARY

    def named(self, call: Call) -> Cause:
        """As the service knows it."""
        if self.cause == "now":
            return AsNow()
        if self.cause == "demand" and self.day is not None:
            return MoreDemand(self.day, self.start, self.end, self.people, self.skill, self.tier)
        if self.cause == "absence" and self.agent and self.first and self.last:
            return Absent(agent_of(call, self.agent), self.first, self.last, self.kind)
        if self.cause == "demand":
            raise InputError.of([Fault("expected a day", column="day")])
        raise InputError.of([Fault("expected who, and from when to when", column="agent")])


class Repair(Acted, Happened):
    """What happened, and the changes that mend it."""

    changes: list[Moved] = Field(default_factory=list, max_length=200)


DESK = "/rosters/{roster}/versions/{version}/desk"


@api.read(DESK)
def desk(call: Called, roster: Number, version: Number) -> Desk:
    """What was changed by hand on a version, and what that comes to."""
    found = id_of(call, roster, version)
    return roster_desk.open_desk(call.session, call.actor, roster, found)


@api.write(f"{DESK}/edit", guard=desk)
def edit(call: Called, roster: Number, version: Number, wanted: Edit) -> Edited:
    """Change cells: checked at once; `taken` is false where a broken rule wants a reason."""
    found = id_of(call, roster, version)
    numbers = _numbers(call, roster)
    wishes = [Wish(numbers.get(one.agent, 0), one.day, one.shift) for one in wanted.cells]
    return roster_edits.edit(call.session, call.actor, roster, found, wanted.seen, wishes, call.at,
                             wanted.reason)  # fmt: skip


def _numbers(call: Call, roster: int) -> dict[str, int]:
    """The numbers of a roster's members by their codes."""
    held = rostering.get_roster(call.session, call.actor, roster)
    return {one.code: one.id for one in roster_people.members(call.session, held)}


@api.write(f"{DESK}/undo", guard=desk)
def undo(call: Called, roster: Number, version: Number, wanted: Acted) -> Desk:
    """Take the last edit back."""
    found = id_of(call, roster, version)
    roster_edits.undo(call.session, call.actor, roster, found, wanted.seen, call.at)
    return desk(call, roster, version)


@api.write(f"{DESK}/redo", guard=desk)
def redo(call: Called, roster: Number, version: Number, wanted: Acted) -> Desk:
    """Do what was taken back once more."""
    found = id_of(call, roster, version)
    roster_edits.redo(call.session, call.actor, roster, found, wanted.seen, call.at)
    return desk(call, roster, version)


@api.write(f"{DESK}/keep", guard=desk, status=201)
def keep(call: Called, roster: Number, version: Number, wanted: Acted) -> VersionFigures:
    """Keep what lies on the desk as a new version."""
    found = id_of(call, roster, version)
    roster_edits.keep(call.session, call.actor, roster, found, wanted.seen, call.at, call.timezone,
                      wanted.reason)  # fmt: skip
    return _newest(call, roster)


def _newest(call: Call, number: int) -> VersionFigures:
    newest = roster(call, number).newest_version
    assert newest is not None
    return newest


@api.write("/rosters/{roster}/versions/{version}/restore", guard=version, status=201)
def restore(call: Called, roster: Number, version: Number) -> VersionFigures:
    """Bring an earlier version back as the newest draft."""
    found = id_of(call, roster, version)
    roster_edits.restore(call.session, call.actor, roster, found, call.at, call.timezone)
    return _newest(call, roster)


@api.write("/rosters/{roster}/cells/{agent}/{day}/lock", method="PUT")
def lock(call: Called, roster: Number, agent: Code, day: ADay, wanted: Lock) -> None:
    """Fix or forbid a cell; the next solve keeps to it."""
    roster_locks.lock_cell(
        call.session, call.actor, roster, agent_of(call, agent), day, wanted.kind, call.at,
        shift_code=wanted.shift or None, reason=wanted.reason,
    )  # fmt: skip


@api.write("/rosters/{roster}/cells/{agent}/{day}/lock", method="DELETE")
def unlock(call: Called, roster: Number, agent: Code, day: ADay) -> None:
    """Free a cell."""
    roster_locks.unlock_cell(call.session, call.actor, roster, agent_of(call, agent), day, call.at)


@api.read("/rosters/{roster}/versions/{version}/gap")
def gap(
    call: Called, roster: Number, version: Number,
    day: Annotated[date, Query(ge=date(2000, 1, 1), le=date(2100, 1, 1), examples=["2026-10-01"])],
    start: Annotated[
        int | None, Query(ge=0, lt=1440, description="minute of the day", examples=[600])
    ] = None,
    skill: Asked = "", tier: Tier = "", shift: Asked = "",
) -> GapPanel:  # fmt: skip
    """Who could fill a half-hour, or a shift, at what cost to whom, and what stops the others."""
    found = id_of(call, roster, version)
    return roster_gaps.gap(call.session, call.actor, roster, found, day, start, skill, tier, shift)


@api.read("/rosters/{roster}/versions/{version}/repair")
def look(
    call: Called, roster: Number, version: Number, what: Annotated[Happened, Query()]
) -> RepairPanel:
    """Ways to mend what happened with the fewest changes; nothing is changed yet."""
    found = id_of(call, roster, version)
    cause = what.named(call)
    return roster_repairs.look(call.session, call.actor, roster, found, cause, call.timezone)


@api.write("/rosters/{roster}/versions/{version}/repair", status=201)
def take(call: Called, roster: Number, version: Number, wanted: Repair) -> VersionFigures:
    """Record what happened and keep the mended roster as a new version."""
    changes = [
        roster_repairs.change(one.agent, one.day, one.before, one.after, one.post)
        for one in wanted.changes
    ]
    roster_repairs.take(
        call.session, call.actor, roster, id_of(call, roster, version), wanted.seen,
        wanted.named(call), changes, call.at, call.timezone, wanted.reason,
    )  # fmt: skip
    return _newest(call, roster)
