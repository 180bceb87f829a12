"""Cells the planner fixes or forbids; the next solve keeps to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access, audit
from wfm.access import Actor
from wfm.errors import Fault, InputError
from wfm.services import roster_people, rostering
from wfm.tables import Roster, RosterLock, ShiftTemplate
from wfm.words import LockKind, Mode


def lock_cell(
    session: Session,
    actor: Actor,
    roster_id: int,
    agent_id: int,
    day: date,
    kind: LockKind,
    at: datetime,
    *,
    shift_code: str | None = None,
    reason: str = "",
) -> None:
    """Fix a cell to a shift (none: off), or forbid it one (none: any duty).

    A cell has one lock at most: a new one takes the place of the old.

    Raises
    ------
    InputError
        The day, the agent or the shift is not one of this roster.
    """
    roster = rostering.get_roster(session, actor, roster_id)
    access.require(actor, "rosters.plan", roster.team_id)
    _check_all(session, roster, {(agent_id, day): shift_code})
    _clear_all(session, roster_id, [(agent_id, day)])
    session.add(
        RosterLock(roster_id=roster_id, agent_id=agent_id, day=day, shift_code=shift_code,
                   kind=kind, made_by=actor.name, reason=reason.strip())
    )  # fmt: skip
    audit.record(session, at, actor.name, f"roster.{kind}", f"roster {roster_id}",
                 agent=agent_id, day=str(day), shift=shift_code, reason=reason.strip())  # fmt: skip
    session.flush()


def lock_cells(
    session: Session,
    actor: Actor,
    roster_id: int,
    cells: Mapping[tuple[int, date], str | None],
    at: datetime,
) -> None:
    """Fix many cells at once: (agent, day) → the shift it keeps (none: off).

    Raises
    ------
    InputError
        A day, an agent or a shift is not one of this roster.
    """
    roster = rostering.get_roster(session, actor, roster_id)
    access.require(actor, "rosters.plan", roster.team_id)
    _check_all(session, roster, cells)
    _clear_all(session, roster_id, cells)
    session.add_all(
        RosterLock(roster_id=roster_id, agent_id=agent_id, day=day, shift_code=shift,
                   kind=LockKind.FIX, made_by=actor.name)
        for (agent_id, day), shift in cells.items()
    )  # fmt: skip
    told = [[agent, str(day), shift] for (agent, day), shift in cells.items()]
    audit.record(session, at, actor.name, "roster.fix", f"roster {roster_id}", cells=told)
    session.flush()


def unlock_cells(
    session: Session,
    actor: Actor,
    roster_id: int,
    cells: Collection[tuple[int, date]],
    at: datetime,
) -> None:
    """Take the locks off many cells, where there are some."""
    roster = rostering.get_roster(session, actor, roster_id)
    access.require(actor, "rosters.plan", roster.team_id)
    if taken := _clear_all(session, roster_id, cells):
        audit.record(session, at, actor.name, "roster.unlock", f"roster {roster_id}",
                     cells=[[agent, str(day)] for agent, day in taken])  # fmt: skip


def unlock_cell(
    session: Session, actor: Actor, roster_id: int, agent_id: int, day: date, at: datetime
) -> None:
    """Take the lock off a cell, if there is one."""
    unlock_cells(session, actor, roster_id, [(agent_id, day)], at)


def _check_all(
    session: Session, roster: Roster, cells: Mapping[tuple[int, date], str | None]
) -> None:
    members = {agent.id for agent in roster_people.members(session, roster)}
    known = session.exec(select(ShiftTemplate.code).where(ShiftTemplate.mode != Mode.STANDBY)).all()
    faults = []
    for (agent_id, day), shift in cells.items():
        if not roster.period_from <= day <= roster.period_until:
            faults.append(Fault("not a day of this roster", column="day", value=str(day)))
        if agent_id not in members:
            faults.append(Fault("nobody of this team", column="agent", value=str(agent_id)))
        if shift is not None and shift not in known:
            faults.append(Fault("there is no such shift", column="shift", value=shift))
    if faults:
        raise InputError.of(faults)


def _clear_all(
    session: Session, roster_id: int, cells: Collection[tuple[int, date]]
) -> list[tuple[int, date]]:
    """Take all locks off the cells; returns those that had one."""
    place = sa.tuple_(col(RosterLock.agent_id), col(RosterLock.day))
    removed = session.execute(
        sa.delete(RosterLock)
        .where(col(RosterLock.roster_id) == roster_id, place.in_(list(cells)))
        .returning(col(RosterLock.agent_id), col(RosterLock.day))
    )
    return [(agent_id, day) for agent_id, day in removed]
