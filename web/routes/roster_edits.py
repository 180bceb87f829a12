"""Working on a roster: cells changed by hand, gaps filled, absences repaired, versions compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Response
from pydantic import BaseModel, Field

from web import htmx
from web.deps import AtDesk, Desk
from web.fields import LARGEST, AskedId, PathId, QueryId
from wfm.errors import Fault, InputError
from wfm.services import (
    roster_cells,
    roster_compare,
    roster_day,
    roster_desk,
    roster_edits,
    roster_gaps,
    roster_locks,
    roster_month,
    roster_pay,
    roster_people,
    roster_repairs,
    rostering,
)
from wfm.services.roster_edits import Edited, Wish
from wfm.services.roster_repairs import Absent, AsNow, Cause, MoreDemand
from wfm.words import Grade, LeaveKind

router = APIRouter()
TIER = "^(ordinary|senior|expert)?$"
DAY_MINUTES = 1440

OfVersion = Annotated[int, Query(alias="version", ge=1, le=LARGEST)]
Version = Annotated[int, Form(alias="version", ge=1, le=LARGEST)]
Seen = Annotated[int, Form(ge=0, le=LARGEST)]
Changes = Annotated[list[str], Form(alias="change", max_length=500)]
Reason = Annotated[str, Form(max_length=500)]


# -- changing cells by hand -----------------------------------------------------------------------


@router.get("/rosters/{roster_id}/desk")
def bar(desk: AtDesk, roster_id: PathId, version: OfVersion) -> Response:
    """What was changed by hand on a version, and what that comes to."""
    return _bar(desk, roster_id, version)


@router.post("/rosters/{roster_id}/edit")
def edit(
    desk: AtDesk,
    roster_id: PathId,
    version: Version,
    seen: Seen,
    change: Changes,
    reason: Reason = "",
) -> Response:
    wishes = [_wish(text) for text in change]
    done = roster_edits.edit(
        desk.session, desk.actor, roster_id, version, seen, wishes, desk.at, reason
    )
    return _bar(desk, roster_id, version, done.cells if done.taken else {}, done, change)


def _wish(text: str) -> Wish:
    """A change as a page sends it: agent, day and shift."""
    try:
        agent, day, shift = text.split("|")
        return Wish(int(agent), date.fromisoformat(day), shift or None)
    except ValueError as error:
        raise InputError.of([Fault("a change expected", value=text[:60])]) from error


@router.post("/rosters/{roster_id}/locks")
def locks(
    desk: AtDesk, roster_id: PathId, act: Annotated[Literal["lock", "unlock"], Form()],
    change: Changes,
) -> Response:  # fmt: skip
    """Lock cells as they are, or unlock them: a line, a day, or what was chosen."""
    cells = {(wish.agent_id, wish.day): wish.shift for wish in map(_wish, change)}
    if act == "lock":
        roster_locks.lock_cells(desk.session, desk.actor, roster_id, cells, desk.at)
    else:
        roster_locks.unlock_cells(desk.session, desk.actor, roster_id, cells, desk.at)
    return Response(status_code=204, headers={"HX-Trigger": "locks-changed"})


@router.post("/rosters/{roster_id}/undo")
def undo(desk: AtDesk, roster_id: PathId, version: Version, seen: Seen) -> Response:
    cells = roster_edits.undo(desk.session, desk.actor, roster_id, version, seen, desk.at)
    return _bar(desk, roster_id, version, cells)


@router.post("/rosters/{roster_id}/redo")
def redo(desk: AtDesk, roster_id: PathId, version: Version, seen: Seen) -> Response:
    cells = roster_edits.redo(desk.session, desk.actor, roster_id, version, seen, desk.at)
    return _bar(desk, roster_id, version, cells)


def _bar(
    desk: Desk,
    roster_id: int,
    version: int,
    cells: Mapping[tuple[str, date], str | None] = MappingProxyType({}),
    done: Edited | None = None,
    change: list[str] | None = None,
) -> Response:
    """The bar as it is now; the grid hears which cells to show differently."""
    found = roster_desk.open_desk(desk.session, desk.actor, roster_id, version)
    roster = rostering.get_roster(desk.session, desk.actor, roster_id)
    members = roster_people.members(desk.session, roster)
    answer = desk.fragment(
        "roster_bar.html", "bar", desk=found, roster_id=roster_id, done=done, change=change or [],
        names={a.code: a.name for a in members},
    )  # fmt: skip
    if cells:
        shifts = roster_month.all_shifts(desk.session)
        numbers = {a.code: a.id for a in members}
        told = [
            {"agent": numbers[agent], "day": str(day), "edited": (agent, day) in found.changed,
             **_shown(shifts.get(code or ""), desk.language)}
            for (agent, day), code in cells.items()
        ]  # fmt: skip
        answer.headers["HX-Trigger"] = json.dumps({"cells-changed": {"cells": told}})
    return answer


def _shown(shift: roster_month.ShownShift | None, language: str) -> dict[str, str]:
    if shift is None:
        return {"text": "·", "colour": ""}
    return {"text": shift.short(language), "colour": f"s-{shift.colour}"}


@router.post("/rosters/{roster_id}/keep")
def keep(
    desk: AtDesk, roster_id: PathId, version: Version, seen: Seen, reason: Reason = ""
) -> Response:
    zone = desk.settings.timezone
    roster_edits.keep(
        desk.session, desk.actor, roster_id, version, seen, desk.at, zone, reason
    )  # fmt: skip
    return htmx.go_to(desk.request, f"/rosters/{roster_id}")


@router.post("/rosters/{roster_id}/restore")
def restore(desk: AtDesk, roster_id: PathId, version: Version) -> Response:
    zone = desk.settings.timezone
    roster_edits.restore(desk.session, desk.actor, roster_id, version, desk.at, zone)
    return htmx.go_to(desk.request, f"/rosters/{roster_id}")


# -- gaps and repairs -----------------------------------------------------------------------------


@router.get("/rosters/{roster_id}/gap")
def gap(
    desk: AtDesk,
    roster_id: PathId,
    version: OfVersion,
    day: date,
    start: Annotated[int | None, Query(ge=0, lt=1440)] = None,
    at: Annotated[str, Query(pattern=r"^(\d\d:\d\d)?$")] = "",
    shift: Annotated[str, Query(max_length=120)] = "",
    skill: Annotated[str, Query(max_length=120)] = "",
    tier: Annotated[str, Query(pattern=TIER)] = "",
    near: bool = False,
    only: Annotated[str, Query(pattern=r"^(\d{1,9}(,\d{1,9}){0,5})?$")] = "",
) -> Response:
    """Who could be there: in a half-hour (`start` in minutes, or `at` as HH:MM), or on a shift.

    Solving around the gap takes a second, so it is asked for on its own, with `near`; `only` names
    those found first, so that nobody else is judged again.
    """
    if start is None and at and not shift:
        start = int(at[:2]) * 60 + int(at[3:])
    panel = roster_gaps.gap(
        desk.session, desk.actor, roster_id, version, day, start, skill, tier, shift,
        roster_gaps.SECONDS if near else 0.0, {int(number) for number in only.split(",") if number},
    )  # fmt: skip
    asked = {"version": version, "day": day, "skill": skill, "tier": tier, "near": "true"}
    asked |= {"shift": shift} if shift else {"start": start}
    then = None if near else f"/rosters/{roster_id}/gap?{urlencode(asked)}"
    return desk.page("roster_gap.html", block="panel", panel=panel, then=then)


@router.get("/rosters/{roster_id}/conflicts")
def conflicts(desk: AtDesk, roster_id: PathId) -> Response:
    """The smallest sets of hard rules that cannot hold together."""
    zone = desk.settings.timezone
    panel = roster_gaps.conflicts(desk.session, desk.actor, roster_id, zone)
    return desk.page("roster_conflicts.html", block="panel", panel=panel)


@router.get("/rosters/{roster_id}/why-not")
def why_not(
    desk: AtDesk,
    roster_id: PathId,
    version: OfVersion,
    agent: QueryId,
    day: date,
    shift: Annotated[str, Query(max_length=120)] = "",
) -> Response:
    """Why somebody does not have a shift (none: the day off)."""
    panel = roster_cells.why_not(
        desk.session, desk.actor, roster_id, agent, day, version, shift
    )  # fmt: skip
    return desk.page("roster_why_not.html", block="panel", panel=panel, roster_id=roster_id)


class Happened(BaseModel):
    """What a repair is for: somebody falls out, more people are wanted, or rules changed."""

    model_config = {"extra": "ignore"}
    version: int = Field(ge=1, le=LARGEST)
    cause_kind: Literal["absence", "demand", "now"] = Field(default="absence", alias="cause")
    agent: int | None = Field(default=None, ge=1, le=LARGEST)
    first: date | None = Field(default=None, alias="from")
    last: date | None = Field(default=None, alias="until")
    kind: LeaveKind = LeaveKind.SICK
    day: date | None = None
    starts: time | None = None
    ends: time | None = None
    people: int = Field(default=1, ge=1, le=99)
    skill: str = Field(default="", max_length=120)
    tier: Grade = Grade.ORDINARY

    def cause(self) -> Cause:
        """As the service knows it."""
        if self.cause_kind == "now":
            return AsNow()
        if self.cause_kind == "demand":
            if self.day is None or self.starts is None or self.ends is None:
                raise InputError.of([Fault("a day and two times are needed", column="day")])
            start, end = (at.hour * 60 + at.minute for at in (self.starts, self.ends))
            return MoreDemand(
                self.day, start, end or DAY_MINUTES, self.people, self.skill, self.tier
            )
        if self.agent is None or self.first is None or self.last is None:
            raise InputError.of([Fault("who, and from when to when?", column="agent")])
        return Absent(self.agent, self.first, self.last, self.kind)


class Taken(Happened):
    """A way to repair that is taken."""

    seen: int = Field(ge=0, le=LARGEST)
    change: list[Annotated[str, Field(max_length=500)]] = []
    reason: str = Field(default="", max_length=500)


@router.get("/rosters/{roster_id}/repair")
def look(
    desk: AtDesk,
    roster_id: PathId,
    what: Annotated[Happened, Query()],
) -> Response:
    """Ways to mend what happened; nothing is changed yet."""
    panel = roster_repairs.look(
        desk.session, desk.actor, roster_id, what.version, what.cause(), desk.settings.timezone
    )
    shifts = roster_month.all_shifts(desk.session)
    return desk.page(
        "roster_repair.html", block="panel", panel=panel, shifts=shifts, roster_id=roster_id,
        packed=roster_repairs.packed, what=what,
    )  # fmt: skip


@router.post("/rosters/{roster_id}/repair")
def take(
    desk: AtDesk,
    roster_id: PathId,
    taken: Annotated[Taken, Form()],
) -> Response:
    roster = rostering.get_roster(desk.session, desk.actor, roster_id)
    codes = {a.id: a.code for a in roster_people.members(desk.session, roster)}
    roster_repairs.take(
        desk.session, desk.actor, roster_id, taken.version, taken.seen, taken.cause(),
        roster_repairs.unpacked(taken.change, codes), desk.at, desk.settings.timezone,
        taken.reason,
    )  # fmt: skip
    return htmx.go_to(desk.request, f"/rosters/{roster_id}")


# -- looking --------------------------------------------------------------------------------------


@router.get("/rosters/{roster_id}/compare")
def compare(
    desk: AtDesk,
    roster_id: PathId,
    left: QueryId,
    right: QueryId,
) -> Response:
    found = roster_compare.compare(desk.session, desk.actor, roster_id, left, right)
    return desk.page("roster_compare.html", found=found)


@router.get("/rosters/{roster_id}/pay")
def pay(
    desk: AtDesk,
    roster_id: PathId,
    version: OfVersion,
    wage: Annotated[str, Query(pattern=r"^(\d{1,7}(\.\d{1,2})?)?$")] = "",
    rotating: bool = False,
) -> Response:
    """Every hour of a version classed and priced."""
    page = roster_pay.pay_page(
        desk.session, desk.actor, roster_id, version, Decimal(wage) if wage else None, rotating
    )
    return desk.page("roster_pay.html", page=page)


@router.get("/rosters/{roster_id}/days/{day}")
def day(
    desk: AtDesk,
    roster_id: PathId,
    day: date,
    version: AskedId = None,
) -> Response:
    page = roster_day.day_page(
        desk.session, desk.actor, roster_id, day, version, desk.settings.timezone
    )
    return desk.page("roster_day.html", page=page)
