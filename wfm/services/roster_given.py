"""What a roster is given: posts held, cells fixed or forbidden, and what people know already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler import problem as p
from wfm.services.ledger import burden_percent
from wfm.tables import (
    Assignment,
    Post,
    PostHolding,
    Roster,
    RosterLock,
    RosterVersion,
    ShiftTemplate,
    Skill,
)
from wfm.words import DutyKind, LockKind, Mode, RosterStatus

POST_WEIGHT = 2000


def published(
    session: Session,
    roster: Roster,
    codes: dict[int, str],
    shifts: Collection[str],
    absences: Sequence[p.Leave],
) -> tuple[p.Lock, ...]:
    """The duties people know of; those who are away by now are off instead."""
    rows = session.execute(
        sa.select(col(Assignment.agent_id), col(Assignment.day), col(Assignment.shift_code))
        .join(RosterVersion, col(RosterVersion.id) == Assignment.version_id)
        .where(
            col(RosterVersion.roster_id) == roster.id,
            col(RosterVersion.status) == RosterStatus.PUBLISHED,
            col(Assignment.kind) == DutyKind.ORDINARY,
        )
        .order_by(col(Assignment.agent_id), col(Assignment.day))
    )
    away = {
        (one.agent, one.first + timedelta(days=n))
        for one in absences
        for n in range((one.last - one.first).days + 1)
    }
    return tuple(
        p.Lock(codes[agent], day, shift)
        for agent, day, shift in rows
        if agent in codes and shift in shifts and (codes[agent], day) not in away
    )


def posts(
    session: Session, held_by: list[tuple[PostHolding, Post]], shifts: list[ShiftTemplate]
) -> list[p.Post]:
    """The holiday posts that the duty table gives to people of this team."""
    skills = {skill.id: skill.code for skill in session.exec(select(Skill))}
    on_site = tuple(t.code for t in shifts if t.mode == Mode.ON_SITE)
    days: dict[str, list[date]] = defaultdict(list)
    known = {post.code: post for _, post in held_by}
    for holding, post in held_by:
        days[post.code].append(holding.day)
    return [
        p.Post(
            id=code,
            days=tuple(sorted(set(held))),
            name=known[code].name_en,
            count=max(held.count(day) for day in held),
            min_grade=known[code].min_grade.value,
            skill=skills.get(known[code].skill_id),
            reach_minutes=known[code].reach_minutes,
            burden_percent=burden_percent(known[code].mode),
            shifts=() if known[code].mode == Mode.STANDBY else on_site,
            exclusive=known[code].mode == Mode.STANDBY,
            weight=POST_WEIGHT,
        )
        for code, held in sorted(days.items())
    ]


def holdings(
    session: Session, codes: dict[int, str], first: date, last: date
) -> list[tuple[PostHolding, Post]]:
    return list(
        session.exec(
            select(PostHolding, Post)
            .join(Post, col(Post.id) == PostHolding.post_id)
            .where(
                col(PostHolding.agent_id).in_(codes),
                PostHolding.day >= first,
                PostHolding.day <= last,
            )
            .order_by(col(PostHolding.day), Post.code)
        )
    )


def _locks(session: Session, roster: Roster, codes: dict[int, str]) -> list[p.Lock]:
    return [
        p.Lock(codes[row.agent_id], row.day, row.shift_code)
        for row in _rows(session, roster, LockKind.FIX)
        if row.agent_id in codes
    ]


def _forbidden(session: Session, roster: Roster, codes: dict[int, str]) -> list[p.Forbidden]:
    return [
        p.Forbidden(codes[row.agent_id], row.day, row.shift_code, row.reason)
        for row in _rows(session, roster, LockKind.FORBID)
        if row.agent_id in codes
    ]


def given_cells(
    session: Session, roster: Roster, codes: dict[int, str]
) -> tuple[tuple[p.Lock, ...], tuple[p.Forbidden, ...]]:
    """Cells the planner fixed, and those that may not be given."""
    return (
        tuple(_locks(session, roster, codes)),
        tuple(_forbidden(session, roster, codes)),
    )


def _rows(session: Session, roster: Roster, kind: LockKind) -> list[RosterLock]:
    query = select(RosterLock).where(RosterLock.roster_id == roster.id, RosterLock.kind == kind)
    return list(session.exec(query.order_by(col(RosterLock.id))))
