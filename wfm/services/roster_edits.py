"""Changing cells by hand: checked at once, with a reason where a rule breaks, undone and redone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from scheduler.effects import Effects
from scheduler.moves import Cell, Effect, Move
from scheduler.verify import Breach
from wfm import access, audit, jobs
from wfm.access import Actor
from wfm.errors import ConflictError, Fault, InputError
from wfm.services import roster_desk, roster_versions, rostering
from wfm.services.roster_desk import Desk
from wfm.tables import Agent, Roster, RosterEdit, RosterVersion
from wfm.words import EditKind

NOTHING_TO_KEEP = "Nothing was changed, so there is nothing to keep."
NOTHING_TO_UNDO = "There is nothing to undo."
NOTHING_TO_REDO = "There is nothing to redo."
MOST_CELLS = 200


@dataclass(frozen=True)
class Wish:
    """One cell as a page asks for it: agents by row number; no shift is a day off."""

    agent_id: int
    day: date
    shift: str | None


@dataclass(frozen=True)
class Edited:
    """What came of an edit: taken, or refused until a reason is given. `cells` are those that
    changed; none where all were so already, and then there is nothing to undo.
    """

    taken: bool
    effect: Effect
    cells: dict[Cell, str | None]
    reason_wanted: tuple[Breach, ...] = ()


def edit(
    session: Session,
    actor: Actor,
    roster_id: int,
    version_id: int,
    seen: int,
    wishes: Sequence[Wish],
    at: datetime,
    reason: str = "",
) -> Edited:
    """Change cells on the desk.

    Raises
    ------
    ConflictError
        Somebody else changed the roster since `seen`.
    InputError
        An agent, day or shift is not of this roster.
    """
    desk = roster_desk.open_desk(session, actor, roster_id, version_id, seen)
    wanted = _cells(session, desk, wishes)
    cells = {cell: shift for cell, shift in wanted.items() if desk.cells.shift(*cell) != shift}
    effect = Effects(desk.problem, desk.cells).of(Move.of(cells))
    if effect.broken and not reason.strip():
        return Edited(False, effect, cells, effect.broken)
    if not cells:
        return Edited(True, effect, cells)
    broken = [breach.plain() for breach in effect.broken]
    _log(session, actor, desk, EditKind.EDIT, at, cells, broken, reason.strip())
    return Edited(True, effect, cells)


def undo(
    session: Session, actor: Actor, roster_id: int, version_id: int, seen: int, at: datetime
) -> dict[Cell, str | None]:
    """Take the last edit back; returns the cells it touched as they are then."""
    desk = roster_desk.open_desk(session, actor, roster_id, version_id, seen)
    if not desk.done:
        raise ConflictError(NOTHING_TO_UNDO)
    _log(session, actor, desk, EditKind.UNDO, at)
    return _now(session, actor, roster_id, version_id, desk.done[-1].cells)


def redo(
    session: Session, actor: Actor, roster_id: int, version_id: int, seen: int, at: datetime
) -> dict[Cell, str | None]:
    """Do what was taken back last once more."""
    desk = roster_desk.open_desk(session, actor, roster_id, version_id, seen)
    if not desk.undone:
        raise ConflictError(NOTHING_TO_REDO)
    _log(session, actor, desk, EditKind.REDO, at)
    return _now(session, actor, roster_id, version_id, desk.undone[-1].cells)


def keep(
    session: Session,
    actor: Actor,
    roster_id: int,
    version_id: int,
    seen: int,
    at: datetime,
    timezone: str,
    note: str = "",
) -> int:
    """Keep what is on the desk as a new version, judged whole; returns its row number."""
    desk = roster_desk.open_desk(session, actor, roster_id, version_id, seen)
    if not desk.changed:
        raise InputError.of([Fault(NOTHING_TO_KEEP)])
    reasons = [act.reason for act in desk.done if act.reason]
    told = "; ".join(part for part in (note.strip(), *dict.fromkeys(reasons)) if part)
    audit.record(session, at, actor.name, "roster.keep", f"roster {roster_id}",
                 version=desk.version.number, changes=roster_desk.cells_document(desk.changed),
                 reasons=reasons)  # fmt: skip
    return roster_versions.store_version(
        session, roster_id, desk.problem, desk.cells, actor.name, at, timezone,
        result=by_hand(), note=told,
    )  # fmt: skip


def by_hand(status: str = "edited") -> dict[str, Any]:
    """The result of a version no solve made: no bound, no gap."""
    return {"status": status, "bound": None, "gap": None, "seed": None, "seconds": None}


def restore(
    session: Session, actor: Actor, roster_id: int, version_id: int, at: datetime, timezone: str
) -> int:
    """Bring an earlier version back as the newest draft; nothing between is lost."""
    roster = rostering.get_roster(session, actor, roster_id)
    access.require(actor, "rosters.plan", roster.team_id)
    session.get_one(Roster, roster_id, with_for_update=True)
    version = roster_versions.get_version(session, version_id)
    newest = roster_versions.newest_version(session, roster_id)
    if version.roster_id != roster_id or newest is None or newest.id == version_id:
        raise ConflictError("This version is the newest already.")
    if not version.problem:
        raise InputError.of([Fault(roster_desk.NOT_SOLVED)])
    audit.record(session, at, actor.name, "roster.restore", f"roster {roster_id}",
                 version=version.number, instead_of=newest.number)  # fmt: skip
    return roster_versions.store_version(
        session, roster_id, roster_desk.current_problem(session, roster, version),
        roster_versions.cells_of(session, version), actor.name, at, timezone,
        result=by_hand("restored"), note=f"← {version.number}",
    )  # fmt: skip


def _cells(session: Session, desk: Desk, wishes: Sequence[Wish]) -> dict[Cell, str | None]:
    if not 1 <= len(wishes) <= MOST_CELLS:
        raise InputError.of([Fault(f"1 to {MOST_CELLS} cells are expected")])
    rows = session.exec(select(Agent).where(col(Agent.id).in_({w.agent_id for w in wishes})))
    codes = {row.id: row.code for row in rows}
    look = desk.problem.lookup
    faults = []
    cells: dict[Cell, str | None] = {}
    for wish in wishes:
        code = codes.get(wish.agent_id, "")
        if code not in look.agent:
            faults.append(Fault("nobody of this team", column="agent", value=str(wish.agent_id)))
        if wish.day not in look.day:
            faults.append(Fault("not a day of this roster", column="day", value=str(wish.day)))
        if wish.shift is not None and wish.shift not in look.shift:
            faults.append(Fault("there is no such shift", column="shift", value=wish.shift))
        cells[code, wish.day] = wish.shift
    if faults:
        raise InputError.of(faults)
    return cells


def _now(
    session: Session,
    actor: Actor,
    roster_id: int,
    version_id: int,
    touched: dict[Cell, str | None],
) -> dict[Cell, str | None]:
    desk = roster_desk.open_desk(session, actor, roster_id, version_id)
    return {cell: desk.cells.shift(*cell) for cell in touched}


def _log(
    session: Session,
    actor: Actor,
    desk: Desk,
    kind: EditKind,
    at: datetime,
    cells: dict[Cell, str | None] | None = None,
    broken: list[dict[str, Any]] | None = None,
    reason: str = "",
) -> None:
    version: RosterVersion = desk.version
    assert version.id is not None
    changes = roster_desk.cells_document(cells or {})
    session.add(
        RosterEdit(version_id=version.id, kind=kind, changes=changes, broken=broken or [],
                   reason=reason, made_by=actor.name, made_at=at)
    )  # fmt: skip
    session.flush()
    if broken:
        audit.record(session, at, actor.name, "roster.override", f"roster {version.roster_id}",
                     version=version.number, changes=changes, reason=reason,
                     rules=sorted({one["rule"] for one in broken}))  # fmt: skip
    jobs.announce(session, f"roster:{version.roster_id}")
