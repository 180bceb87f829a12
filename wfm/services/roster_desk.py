"""What a planner has on the desk: a version with the changes made to it by hand, not yet kept.

The changes are acts in a log (edits, undo, redo); replaying them in order gives the state.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

from sqlmodel import Session, col, select

from scheduler.effects import Effects
from scheduler.errors import SchedulingError
from scheduler.moves import Cell, Effect, Move
from scheduler.problem import Forbidden, Leave, Lock, RosterProblem
from scheduler.solution import Roster as Cells
from wfm import access
from wfm.access import Actor
from wfm.errors import ConflictError, Fault, InputError, NotFoundError, faults_of
from wfm.services import roster_given, roster_people, roster_versions, rostering
from wfm.tables import Roster, RosterEdit, RosterVersion
from wfm.words import EditKind

CHANGED_MEANWHILE = "Somebody changed this roster meanwhile. Look at it as it is now, then repeat."
NOT_NEWEST = "This is not the newest version any more. Open the newest one, then repeat."
NOT_SOLVED = "This version was not made by a solve, so there are no rules to check it by."


@dataclass(frozen=True)
class Act:
    """Cells changed at once, as agents' codes, days and shifts (None: off)."""

    number: int
    cells: dict[Cell, str | None]
    reason: str
    broken: tuple[dict[str, Any], ...]
    made_by: str


@dataclass(frozen=True)
class Desk:
    """A version with what was changed on it since.

    `seen` is the number of the last act: whoever changes something says which one they saw.
    """

    version: RosterVersion
    kept: Cells
    done: tuple[Act, ...]
    undone: tuple[Act, ...]
    seen: int
    problem: RosterProblem

    @property
    def changed(self) -> dict[Cell, str | None]:
        """Cells that differ from the version."""
        latest = _latest(self.done)
        return {cell: s for cell, s in latest.items() if s != self.kept.shift(*cell)}

    @cached_property
    def cells(self) -> Cells:
        """The roster as it stands on the desk."""
        return Move.of(self.changed).on(self.kept)

    @cached_property
    def effect(self) -> Effect:
        """All changes together against the version."""
        if not self.changed:
            return Effect(0, (), (), (), ())
        return Effects(self.problem, self.kept).of(Move.of(self.changed))

    @property
    def cost(self) -> int:
        return int(self.version.verdict.get("cost", 0)) + self.effect.change


def open_desk(
    session: Session, actor: Actor, roster_id: int, version_id: int, seen: int | None = None
) -> Desk:
    """A version as it stands, for somebody who may plan.

    With `seen`, for changing it: the roster is held until the transaction ends.

    Raises
    ------
    ConflictError
        Somebody else changed it since, or a newer version was made.
    InputError
        There is nothing to check the version by.
    """
    roster = rostering.get_roster(session, actor, roster_id)
    access.require(actor, "rosters.plan", roster.team_id)
    if seen is not None:
        session.get_one(Roster, roster_id, with_for_update=True)
    version = roster_versions.get_version(session, version_id)
    if version.roster_id != roster_id:
        raise NotFoundError(f"version {version_id} is not one of roster {roster_id}")
    newest = roster_versions.newest_version(session, roster_id)
    if seen is not None and (newest is None or newest.id != version_id):
        raise ConflictError(NOT_NEWEST)
    if not version.problem:
        raise InputError.of([Fault(NOT_SOLVED)])
    found = _replayed(session, version)
    if seen is not None and seen != found[2]:
        raise ConflictError(CHANGED_MEANWHILE)
    return Desk(
        version,
        roster_versions.cells_of(session, version),
        *found,
        problem=current_problem(session, roster, version),
    )


def edited(session: Session, version: RosterVersion) -> dict[Cell, str | None]:
    """What was changed on a version by hand."""
    done, _, _ = _replayed(session, version)
    return _latest(done)


def _latest(done: Iterable[Act]) -> dict[Cell, str | None]:
    latest: dict[Cell, str | None] = {}
    for act in done:
        latest |= act.cells
    return latest


def _replayed(
    session: Session, version: RosterVersion
) -> tuple[tuple[Act, ...], tuple[Act, ...], int]:
    rows = session.exec(
        select(RosterEdit).where(RosterEdit.version_id == version.id).order_by(col(RosterEdit.id))
    ).all()
    done: list[Act] = []
    undone: list[Act] = []
    for row in rows:
        assert row.id is not None
        if row.kind == EditKind.EDIT:
            done.append(_act(row))
            undone.clear()
        elif row.kind == EditKind.UNDO and done:
            undone.append(done.pop())
        elif row.kind == EditKind.REDO and undone:
            done.append(undone.pop())
    return tuple(done), tuple(undone), rows[-1].id or 0 if rows else 0


def _act(row: RosterEdit) -> Act:
    cells = {
        (one["agent"], date.fromisoformat(one["day"])): one["shift"] for one in row.changes
    }  # fmt: skip
    return Act(row.id or 0, cells, row.reason, tuple(row.broken), row.made_by)


def cells_document(cells: dict[Cell, str | None]) -> list[dict[str, Any]]:
    """Changed cells as an act keeps them."""
    return [
        {"agent": agent, "day": day.isoformat(), "shift": shift}
        for (agent, day), shift in sorted(cells.items())
    ]


def current_problem(
    session: Session, roster: Roster, version: RosterVersion, extra: Sequence[Leave] = ()
) -> RosterProblem:
    """The problem a version answers, with absences and locks as they are now.

    A person away holds no post, so that a place of hers is free for others.
    """
    codes = {agent.id: agent.code for agent in roster_people.members(session, roster)}
    leave = (
        *roster_people.leave(session, codes, roster.period_from, roster.period_until),
        *roster_people.elsewhere(session, roster, codes),
        *extra,
    )
    locks, forbidden = roster_given.given_cells(session, roster, codes)
    away = tuple((one.agent, one.first, one.last) for one in leave)
    with faults_of(SchedulingError):
        return _current(json.dumps(version.problem), leave, locks, forbidden, away)


@lru_cache(maxsize=6)
def _current(
    text: str,
    leave: tuple[Leave, ...],
    locks: tuple[Lock, ...],
    forbidden: tuple[Forbidden, ...],
    away: tuple[tuple[str, date, date], ...],
) -> RosterProblem:
    problem = roster_versions.parsed(text)
    known = {agent.id for agent in problem.agents}

    def here(items: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(item for item in items if item.agent in known)

    def free(agent: str, day: date) -> bool:
        return any(who == agent and first <= day <= last for who, first, last in away)

    return replace(
        problem,
        leave=here(leave),
        locks=here(locks),
        forbidden=here(forbidden),
        post_locks=tuple(one for one in problem.post_locks if not free(one.agent, one.date)),
    )
