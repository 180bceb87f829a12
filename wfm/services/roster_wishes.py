"""What agents wish of their rosters: days on or off, and shifts they like; weighed when solved."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler import problem as p
from wfm import access, audit
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, Fault, InputError, NotFoundError
from wfm.services.facts import in_force
from wfm.tables import Agent, AgentTeam, RosterPreference, RosterWish, ShiftTemplate
from wfm.words import Mode

WEIGHTS = {1: 5, 2: 20, 3: 60}  # strength → cost; a half-hour without cover costs 10
WEEK = (1, 2, 3, 4, 5, 6, 7)
MOST_WISHES = 8  # of one agent in a month
MOST_PREFERENCES = 4
LONGEST_NOTE = 300


@dataclass(frozen=True)
class Wished:
    """A wish for one day: on duty or off, on one shift where it is named."""

    day: date
    wants: bool
    shift: str | None = None
    strength: int = 2
    note: str = ""


@dataclass(frozen=True)
class Liked:
    """Shifts liked (or rather not) at all times; none named: any duty."""

    wants: bool
    shifts: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = WEEK
    strength: int = 1


@dataclass(frozen=True)
class Wishes:
    """What one agent wished, from today on."""

    days: tuple[RosterWish, ...]
    likes: tuple[RosterPreference, ...]


def of_agent(session: Session, actor: Actor, agent_id: int, today: date) -> Wishes:
    """What an agent wished, for herself and for planners of her team."""
    _require(session, actor, agent_id, today)
    days = session.exec(
        select(RosterWish)
        .where(RosterWish.agent_id == agent_id, RosterWish.day >= today)
        .order_by(col(RosterWish.day))
    )
    likes = session.exec(
        select(RosterPreference)
        .where(RosterPreference.agent_id == agent_id)
        .order_by(col(RosterPreference.id))
    )
    return Wishes(tuple(days), tuple(likes))


def wish(
    session: Session, actor: Actor, agent_id: int, wished: Wished, today: date, at: datetime
) -> RosterWish:
    """Say what one wishes for a day; it takes the place of an earlier wish for it.

    Raises
    ------
    InputError
        The day is over, the strength or the shift cannot be.
    ConflictError
        There are too many wishes in that month already.
    """
    _require(session, actor, agent_id, wished.day)
    faults = [
        ("day", wished.day <= today, "a wish is for a day to come"),
        ("strength", wished.strength not in WEIGHTS, "a strength of 1, 2 or 3 is expected"),
        ("shift", not _known(session, [wished.shift] if wished.shift else []),
         "there is no such shift"),
    ]  # fmt: skip
    if any(wrong for _, wrong, _ in faults):
        raise InputError.of(Fault(told, column=name) for name, wrong, told in faults if wrong)
    month = wished.day.replace(day=1)
    session.execute(
        sa.delete(RosterWish).where(
            col(RosterWish.agent_id) == agent_id, col(RosterWish.day) == wished.day
        )
    )
    there = session.exec(select(RosterWish).where(RosterWish.agent_id == agent_id)).all()
    if sum(one.day.replace(day=1) == month for one in there) >= MOST_WISHES:
        raise ConflictError("There are 8 wishes for this month already. Take one back first.")
    row = RosterWish(
        agent_id=agent_id, day=wished.day, wants=wished.wants, shift_code=wished.shift,
        strength=wished.strength, note=wished.note.strip()[:LONGEST_NOTE], made_by=actor.name,
        made_at=at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    audit.record(session, at, actor.name, "wish.day", f"agent {agent_id}", day=str(wished.day),
                 wants=wished.wants, shift=wished.shift, strength=wished.strength)  # fmt: skip
    return row


def like(
    session: Session, actor: Actor, agent_id: int, liked: Liked, today: date, at: datetime
) -> RosterPreference:
    """Say what one likes at all times."""
    _require(session, actor, agent_id, today)
    faults = [
        ("shift", not _known(session, liked.shifts), "there is no such shift"),
        ("shift", liked.wants and not liked.shifts, "name the shifts that are liked"),
        ("weekdays", not liked.weekdays or not set(liked.weekdays) <= set(WEEK),
         "at least one weekday is expected"),
        ("strength", liked.strength not in WEIGHTS, "a strength of 1, 2 or 3 is expected"),
    ]  # fmt: skip
    if any(wrong for _, wrong, _ in faults):
        raise InputError.of(Fault(told, column=name) for name, wrong, told in faults if wrong)
    there = session.exec(
        select(RosterPreference.id).where(RosterPreference.agent_id == agent_id)
    ).all()
    if len(there) >= MOST_PREFERENCES:
        raise ConflictError("There are 4 preferences already. Take one back first.")
    row = RosterPreference(
        agent_id=agent_id, shift_codes=list(liked.shifts), wants=liked.wants,
        weekdays=sorted(set(liked.weekdays)), strength=liked.strength, made_by=actor.name,
        made_at=at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    audit.record(session, at, actor.name, "wish.like", f"agent {agent_id}",
                 shifts=list(liked.shifts), wants=liked.wants, weekdays=row.weekdays)  # fmt: skip
    return row


def take_back(
    session: Session, actor: Actor, kind: type[RosterWish] | type[RosterPreference], number: int,
    today: date, at: datetime,
) -> None:  # fmt: skip
    """Take a wish or a preference back."""
    row: Any = session.get(kind, number)
    if row is None:
        raise NotFoundError("this wish is not there any more")
    _require(session, actor, row.agent_id, today)
    audit.record(session, at, actor.name, "wish.take_back", f"agent {row.agent_id}",
                 wish=number)  # fmt: skip
    session.delete(row)
    session.flush()


def _require(session: Session, actor: Actor, agent_id: int, day: date) -> None:
    """Agents wish for themselves; planners for people of their teams."""
    if actor.agent_id == agent_id and actor.may("work.own"):
        return
    team = session.exec(
        select(AgentTeam.team_id).where(AgentTeam.agent_id == agent_id, in_force(AgentTeam, day))
    ).first()
    if team is None and session.get(Agent, agent_id) is None:
        raise NotFoundError(f"there is no agent {agent_id}")
    if not actor.may("rosters.plan"):
        raise AccessDeniedError("wishes are for whoever they concern, and for planners")
    access.require(actor, "rosters.plan", team)


def _known(session: Session, shifts: Sequence[str]) -> bool:
    known = session.exec(select(ShiftTemplate.code).where(ShiftTemplate.mode != Mode.STANDBY))
    return set(shifts) <= set(known)


# -- for the roster problem -----------------------------------------------------------------------


def requests(
    session: Session, codes: Mapping[int, str], first: date, last: date, shifts: Collection[str]
) -> tuple[p.Request, ...]:
    """Wishes for days of a period."""
    rows = session.exec(
        select(RosterWish)
        .where(col(RosterWish.agent_id).in_(codes), RosterWish.day >= first, RosterWish.day <= last)
        .order_by(col(RosterWish.day), col(RosterWish.agent_id))
    )
    return tuple(
        p.Request(codes[row.agent_id], row.day, row.wants, WEIGHTS[row.strength], row.shift_code)
        for row in rows
        if row.shift_code is None or row.shift_code in shifts
    )


def preferences(
    session: Session, codes: Mapping[int, str], shifts: Collection[str]
) -> tuple[p.Preference, ...]:
    """What the people of a roster like at all times."""
    rows = session.exec(
        select(RosterPreference)
        .where(col(RosterPreference.agent_id).in_(codes))
        .order_by(col(RosterPreference.agent_id), col(RosterPreference.id))
    )
    found = []
    for row in rows:
        named = tuple(code for code in row.shift_codes if code in shifts)
        if row.shift_codes and not named:
            continue
        found.append(
            p.Preference(codes[row.agent_id], WEIGHTS[row.strength], named, row.wants,
                         tuple(row.weekdays))
        )  # fmt: skip
    return tuple(found)
