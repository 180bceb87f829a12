"""Changes of a duty table by hand: fill, swap, trade, take off, lock; and undo.

Every change is checked by the rules that made the table, kept with who asked for it and why, and
can be undone while nothing else has touched its places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler.duty_swap import Choice, changed, choices, new_faults
from scheduler.duty_table import DutyProblem, Place
from wfm import access, audit, jobs
from wfm.access import Actor
from wfm.errors import ConflictError, Fault, InputError, NotFoundError
from wfm.instants import local_date
from wfm.services import holiday_duty
from wfm.services.duty_days import DutyDay, duty_days
from wfm.tables import Agent, DutySwap, Post, PostHolding

LONGEST_REASON = 500
Holders = dict[Place, tuple[str, ...]]


@dataclass(frozen=True)
class Candidate:
    """Somebody the rules allow, as a page shows her."""

    agent: Agent
    trade_day: date | None
    trade_post: Post | None
    carried: int
    cost: int
    repeats: bool


@dataclass(frozen=True)
class PlacePanel:
    """One place: who holds it, and who else could."""

    day: DutyDay
    post: Post
    holder: Agent | None
    locked: bool
    began: bool
    published: bool
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class _Table:
    """One table in the kernel's terms."""

    problem: DutyProblem
    holders: Holders
    days: dict[date, DutyDay]
    posts: dict[str, Post]
    published: bool


def panel(
    session: Session,
    actor: Actor,
    day: date,
    post_id: int,
    agent_id: int | None,
    at: datetime,
    timezone: str,
) -> PlacePanel:
    """A place and the changes the rules allow, the best first."""
    access.require_whole_desk(actor, "rosters.plan")
    table, place, holder = _place(session, day, post_id, agent_id)
    people = {agent.code: agent for agent in session.exec(select(Agent))}
    began = day <= local_date(at, timezone)
    found: Sequence[Choice] = ()
    if not began:
        found = [
            one
            for one in choices(table.problem, table.holders, place, holder)
            if one.trade is None or one.trade.date > local_date(at, timezone)
        ]
    held = _holding(session, day, post_id, people[holder].id) if holder else None
    return PlacePanel(
        day=table.days[day],
        post=table.posts[place.post],
        holder=people[holder] if holder else None,
        locked=held is not None and held.locked,
        began=began,
        published=table.published,
        candidates=tuple(
            Candidate(
                people[one.agent],
                one.trade.date if one.trade else None,
                table.posts[one.trade.post] if one.trade else None,
                one.carried, one.cost, one.repeats,
            )
            for one in found
        ),
    )  # fmt: skip


def change(
    session: Session,
    actor: Actor,
    day: date,
    post_id: int,
    agent_id: int | None,
    new_id: int | None,
    reason: str,
    at: datetime,
    timezone: str,
    trade: tuple[date, int] | None = None,
) -> DutySwap:
    """Give a place to somebody else, or (without `new_id`) to nobody.

    Parameters
    ----------
    agent_id : int, optional
        Who gives it up; None fills an empty place.
    trade : (day, post), optional
        The place of `new_id` that `agent_id` takes in return.

    Raises
    ------
    InputError
        A rule forbids it, the duty has begun, or a published table is changed without a reason.
    """
    access.require_whole_desk(actor, "rosters.plan")
    table, place, holder = _place(session, day, post_id, agent_id)
    reason = reason.strip()[:LONGEST_REASON]
    if table.published and not reason:
        fault = Fault("a change of a published table needs a reason", column="reason")
        raise InputError.of([fault])
    new = _code(session, new_id) if new_id else None
    other = Place(trade[0], _post(session, trade[1]).code) if trade and new else None
    if other is not None and new not in table.holders.get(other, ()):
        raise ConflictError("somebody else holds that place by now; look again")
    after = changed(table.holders, place, holder, new, other)
    today = local_date(at, timezone)
    _check(table, after, today)
    swap = _store(session, table, after, actor, reason, at)
    audit.record(session, at, actor.name, "duty.swap", str(day), post=place.post, gives=holder,
                 takes=new, trade=str(other.date) if other else "", reason=reason)  # fmt: skip
    jobs.announce(session, "duty")
    return swap


def undo(session: Session, actor: Actor, swap_id: int, at: datetime, timezone: str) -> DutySwap:
    """Put the places of a change back as they were.

    Raises
    ------
    ConflictError
        It was undone before, or its places have changed since.
    """
    access.require_whole_desk(actor, "rosters.plan")
    swap = session.get(DutySwap, swap_id)
    if swap is None:
        raise NotFoundError(f"there is no swap {swap_id}")
    if swap.undone_at is not None:
        raise ConflictError("this change was undone before")
    table = _table(session, swap.day)
    if any(
        sorted(table.holders.get(place, ())) != sorted(held)
        for place, held in _read(swap.after).items()
    ):
        raise ConflictError("these places have changed since; undo the later change first")
    after = table.holders | _read(swap.before)
    _check(table, after, local_date(at, timezone))
    _write(session, table, after, actor, at)
    swap.undone_by, swap.undone_at = actor.name, at
    session.add(swap)
    session.flush()
    audit.record(session, at, actor.name, "duty.swap.undo", str(swap.day), swap=swap_id)
    jobs.announce(session, "duty")
    return swap


def lock(
    session: Session, actor: Actor, day: date, post_id: int, agent_id: int, locked: bool,
    at: datetime,
) -> None:  # fmt: skip
    """Keep a holder when the table is proposed anew, or let go of her."""
    access.require_whole_desk(actor, "rosters.plan")
    held = _holding(session, day, post_id, agent_id)
    if held is None:
        raise NotFoundError("she does not hold this place")
    held.locked = locked
    session.add(held)
    session.flush()
    audit.record(session, at, actor.name, "duty.lock" if locked else "duty.unlock", str(day),
                 post=post_id, agent=agent_id)  # fmt: skip


def swaps(session: Session, first: date, last: date) -> list[DutySwap]:
    """The changes by hand of a period, the newest first."""
    query = select(DutySwap).where(DutySwap.day >= first, DutySwap.day <= last)
    return list(session.exec(query.order_by(col(DutySwap.made_at).desc(), col(DutySwap.id).desc())))


def _check(table: _Table, after: Mapping[Place, Sequence[str]], today: date) -> None:
    begun = [on for on in table.days if on <= today]
    faults = new_faults(table.problem, table.holders, after, begun)
    if faults:
        raise InputError.of(Fault(fault) for fault in faults)


def _place(
    session: Session, day: date, post_id: int, agent_id: int | None
) -> tuple[_Table, Place, str | None]:
    table = _table(session, day)
    place = Place(day, _post(session, post_id).code)
    if place not in table.problem.places:
        raise NotFoundError("this post is not held on that day")
    holder = _code(session, agent_id) if agent_id else None
    if holder is not None and holder not in table.holders.get(place, ()):
        raise ConflictError("somebody else holds that place by now; look again")
    return table, place, holder


def _table(session: Session, day: date) -> _Table:
    """The table a day belongs to."""
    found = holiday_duty.tables_between(session, day, day)
    first, last = (found[0].first_day, found[0].last_day) if found else (day, day)
    days = duty_days(session, first, last)
    if day not in {one.date for one in days}:
        raise NotFoundError("this day has no duty table")
    posts = holiday_duty.active_posts(session)
    problem = holiday_duty.problem(session, days, posts, with_locks=False)
    holders: Holders = dict.fromkeys(problem.places, ())
    for held in holiday_duty.held_between(session, first, last):
        place = Place(held.day, held.post.code)
        if place in holders and held.agent.code in problem.agent:
            holders[place] = (*holders[place], held.agent.code)
    return _Table(
        problem, holders, {one.date: one for one in days}, {post.code: post for post in posts},
        bool(found and found[0].published_at),
    )  # fmt: skip


def _store(
    session: Session, table: _Table, after: Holders, actor: Actor, reason: str, at: datetime
) -> DutySwap:
    touched = [place for place in after if after[place] != table.holders.get(place, ())]
    if not touched:
        raise InputError.of([Fault("nothing would change")])
    swap = DutySwap(
        day=touched[0].date, before=_document(table.holders, touched),
        after=_document(after, touched), reason=reason, made_by=actor.name, made_at=at,
    )  # fmt: skip
    session.add(swap)
    _write(session, table, after, actor, at)
    return swap


def _write(session: Session, table: _Table, after: Holders, actor: Actor, at: datetime) -> None:
    """Make the stored holdings of the places that differ those of `after`, locked by hand."""
    people = {agent.code: agent.id for agent in session.exec(select(Agent))}
    touched = [place for place in after if after[place] != table.holders.get(place, ())]
    removed = [(p, a) for p in touched for a in table.holders.get(p, ()) if a not in after[p]]
    added = [(p, a) for p in touched for a in after[p] if a not in table.holders.get(p, ())]
    for place, agent in removed:
        session.execute(
            sa.delete(PostHolding).where(
                col(PostHolding.post_id) == table.posts[place.post].id,
                col(PostHolding.day) == place.date,
                col(PostHolding.agent_id) == people[agent],
            )
        )
    session.flush()
    for place, agent in added:
        post_id, agent_id = table.posts[place.post].id, people[agent]
        assert post_id is not None
        assert agent_id is not None
        said = {"en": f"set by {actor.name}", "zh": f"由 {actor.name} 安排"}
        session.add(
            PostHolding(post_id=post_id, agent_id=agent_id, day=place.date, made_by=actor.name,
                        made_at=at, reasons=[said], locked=True)
        )  # fmt: skip
    session.flush()


def _document(holders: Mapping[Place, Sequence[str]], places: list[Place]) -> list[dict[str, Any]]:
    return [
        {"day": place.date.isoformat(), "post": place.post, "agents": list(holders.get(place, ()))}
        for place in places
    ]


def _read(document: list[dict[str, Any]]) -> Holders:
    return {
        Place(date.fromisoformat(one["day"]), one["post"]): tuple(one["agents"]) for one in document
    }


def _holding(session: Session, day: date, post_id: int, agent_id: int | None) -> PostHolding | None:
    return session.exec(
        select(PostHolding).where(
            PostHolding.day == day, PostHolding.post_id == post_id, PostHolding.agent_id == agent_id
        )
    ).one_or_none()


def _post(session: Session, post_id: int) -> Post:
    post = session.get(Post, post_id)
    if post is None:
        raise NotFoundError(f"there is no post {post_id}")
    return post


def _code(session: Session, agent_id: int) -> str:
    agent = session.get(Agent, agent_id)
    if agent is None:
        raise NotFoundError(f"there is no agent {agent_id}")
    return agent.code
