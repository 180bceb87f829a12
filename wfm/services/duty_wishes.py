"""Wishes for a duty table, asked for before it is made: who would like which day, or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, select

from wfm import access, audit, jobs
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, Fault, InputError, NotFoundError
from wfm.services import holiday_duty
from wfm.services.duty_days import DutyDay, Occasion, duty_days, upcoming
from wfm.tables import Agent, DutyWish

LONGEST_NOTE = 500
STRENGTHS = (1, 2, 3)


@dataclass(frozen=True)
class AskedDay:
    """A day one may wish about, and the wish there is."""

    day: DutyDay
    wish: DutyWish | None
    held: bool


@dataclass(frozen=True)
class WishPage:
    """What one agent is asked: each day of the coming holidays whose table is not published."""

    agent: Agent | None
    own: bool
    agents: tuple[Agent, ...]
    occasions: tuple[tuple[Occasion, tuple[AskedDay, ...]], ...]


def wish_page(session: Session, actor: Actor, agent_id: int | None, today: date) -> WishPage:
    """The wishes of an agent; a planner may see and enter everybody's."""
    access.require(actor, "rosters.view")
    plans = actor.may("rosters.plan")
    agents = tuple(_agents(session)) if plans else ()
    chosen = agent_id or actor.agent_id or (agents[0].id if agents else None)
    if chosen is None:
        return WishPage(None, False, agents, ())
    _require_wish(actor, chosen)
    agent = session.get(Agent, chosen)
    if agent is None:
        raise NotFoundError(f"there is no agent {chosen}")
    wishes = {
        wish.day: wish for wish in session.exec(select(DutyWish).where(DutyWish.agent_id == chosen))
    }
    shown = []
    for occasion in upcoming(session, today, back=timedelta(0)):
        if _closed(session, occasion.first, occasion.last):
            continue
        held = {
            one.day
            for one in holiday_duty.table(session, actor, occasion.first, occasion.last)
            if one.agent.id == chosen
        }
        asked = [
            AskedDay(day, wishes.get(day.date), day.date in held)
            for day in occasion.days
            if day.date > today
        ]
        if asked:
            shown.append((occasion, tuple(asked)))
    return WishPage(agent, chosen == actor.agent_id, agents, tuple(shown))


def put(
    session: Session,
    actor: Actor,
    agent_id: int,
    day: date,
    wants: bool,
    strength: int,
    note: str,
    at: datetime,
) -> DutyWish:
    """Enter a wish, one a day and agent; a new one takes the place of the old.

    Raises
    ------
    InputError
        The day wants no duty table.
    ConflictError
        The table of that day is published.
    """
    _require_wish(actor, agent_id)
    if session.get(Agent, agent_id) is None:
        raise NotFoundError(f"there is no agent {agent_id}")
    if strength not in STRENGTHS:
        raise InputError.of([Fault("a strength of 1, 2 or 3 is expected", column="strength")])
    if not duty_days(session, day, day):
        raise InputError.of([Fault("this day has no duty table", column="day", value=str(day))])
    _require_open(session, day)
    wish = _find(session, agent_id, day) or DutyWish(
        agent_id=agent_id, day=day, wants=wants, made_by=actor.name, made_at=at
    )
    wish.wants, wish.strength, wish.note = wants, strength, note.strip()[:LONGEST_NOTE]
    wish.made_by, wish.made_at = actor.name, at
    session.add(wish)
    session.flush()
    audit.record(session, at, actor.name, "duty.wish", str(day), agent=agent_id, wants=wants,
                 strength=strength)  # fmt: skip
    jobs.announce(session, "duty")
    return wish


def withdraw(session: Session, actor: Actor, agent_id: int, day: date, at: datetime) -> None:
    """Take a wish back, if there is one."""
    _require_wish(actor, agent_id)
    _require_open(session, day)
    wish = _find(session, agent_id, day)
    if wish is not None:
        session.delete(wish)
        session.flush()
        audit.record(session, at, actor.name, "duty.wish.withdraw", str(day), agent=agent_id)
        jobs.announce(session, "duty")


def _require_wish(actor: Actor, agent_id: int) -> None:
    """One's own wishes, or anybody's for a planner of the whole desk."""
    if actor.agent_id == agent_id:
        access.require(actor, "rosters.view")
        return
    if not actor.may("rosters.plan"):
        access.require(actor, "rosters.view")
        raise AccessDeniedError("only a planner enters the wishes of others (rosters.plan)")
    access.require_whole_desk(actor, "rosters.plan")


def _require_open(session: Session, day: date) -> None:
    if _closed(session, day, day):
        raise ConflictError("this duty table is published; ask for a swap instead")


def _closed(session: Session, first: date, last: date) -> bool:
    return any(one.published_at for one in holiday_duty.tables_between(session, first, last))


def _find(session: Session, agent_id: int, day: date) -> DutyWish | None:
    query = select(DutyWish).where(DutyWish.agent_id == agent_id, DutyWish.day == day)
    return session.exec(query).one_or_none()


def _agents(session: Session) -> list[Agent]:
    query = select(Agent).where(col(Agent.left_on).is_(None)).order_by(Agent.code)
    return list(session.exec(query))
