"""Cells the planner fixes or forbids; the next solve keeps to them."""

from __future__ import annotations

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
    _check(session, roster, agent_id, day, shift_code)
    _clear(session, roster_id, agent_id, day)
    session.add(
        RosterLock(roster_id=roster_id, agent_id=agent_id, day=day, shift_code=shift_code,
                   kind=kind, made_by=actor.name, reason=reason.strip())
    )  # fmt: skip
    audit.record(session, at, actor.name, f"roster.{kind}", f"roster {roster_id}",
                 agent=agent_id, day=str(day), shift=shift_code, reason=reason.strip())  # fmt: skip
    session.flush()


def unlock_cell(
    session: Session, actor: Actor, roster_id: int, agent_id: int, day: date, at: datetime
) -> None:
    """Take the lock off a cell, if there is one."""
    roster = rostering.get_roster(session, actor, roster_id)
    access.require(actor, "rosters.plan", roster.team_id)
    if _clear(session, roster_id, agent_id, day):
        audit.record(session, at, actor.name, "roster.unlock", f"roster {roster_id}",
                     agent=agent_id, day=str(day))  # fmt: skip


def _check(
    session: Session, roster: Roster, agent_id: int, day: date, shift_code: str | None
) -> None:
    faults = []
    if not roster.period_from <= day <= roster.period_until:
        faults.append(Fault("not a day of this roster", column="day", value=str(day)))
    if agent_id not in {agent.id for agent in roster_people.members(session, roster)}:
        faults.append(Fault("nobody of this team", column="agent", value=str(agent_id)))
    known = select(ShiftTemplate.code).where(ShiftTemplate.mode != Mode.STANDBY)
    if shift_code is not None and shift_code not in session.exec(known).all():
        faults.append(Fault("there is no such shift", column="shift", value=shift_code))
    if faults:
        raise InputError.of(faults)


def _clear(session: Session, roster_id: int, agent_id: int, day: date) -> bool:
    removed = session.execute(
        sa.delete(RosterLock)
        .where(
            col(RosterLock.roster_id) == roster_id,
            col(RosterLock.agent_id) == agent_id,
            col(RosterLock.day) == day,
        )
        .returning(col(RosterLock.id))
    )
    return bool(removed.all())
