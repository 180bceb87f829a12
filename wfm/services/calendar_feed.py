"""An agent's duties for her calendar program, under a secret address she can revoke."""

from __future__ import annotations

import hashlib
import secrets
from datetime import date, datetime, timedelta

from sqlmodel import Session, select

from wfm import audit
from wfm.access import Actor
from wfm.errors import NotFoundError
from wfm.services import agent_desk
from wfm.services.calendar_text import escaped, utc, whole
from wfm.services.duty_handover import hours_of
from wfm.tables import Agent, CalendarFeed

BACK, AHEAD = timedelta(days=31), timedelta(days=100)
NAMES = {"en": "My duties", "zh": "我的班次"}


def open_feed(session: Session, actor: Actor, at: datetime) -> str:
    """Make a new secret address (the old one ends); its token is told this once."""
    agent = agent_desk.own_agent(session, actor)
    assert agent.id is not None
    close_feed(session, actor, at)
    token = secrets.token_urlsafe(32)
    session.add(CalendarFeed(agent_id=agent.id, token_sha256=_digest(token), made_at=at))
    session.flush()
    audit.record(session, at, actor.name, "feed.open", f"agent {agent.code}")
    return token


def close_feed(session: Session, actor: Actor, at: datetime) -> None:
    """The secret address leads nowhere any more."""
    agent = agent_desk.own_agent(session, actor)
    feed = session.exec(select(CalendarFeed).where(CalendarFeed.agent_id == agent.id)).first()
    if feed is not None:
        session.delete(feed)
        session.flush()
        audit.record(session, at, actor.name, "feed.close", f"agent {agent.code}")


def has_feed(session: Session, agent_id: int) -> bool:
    return (
        session.exec(select(CalendarFeed).where(CalendarFeed.agent_id == agent_id)).first()
        is not None
    )


def read(
    session: Session, token: str, today: date, at: datetime, language: str, timezone: str
) -> bytes:
    """The calendar behind a token; whoever holds it needs no account.

    Raises
    ------
    NotFoundError
        No such token, or it was revoked.
    """
    feed = session.exec(
        select(CalendarFeed).where(CalendarFeed.token_sha256 == _digest(token))
    ).first()
    if feed is None:
        raise NotFoundError("there is no such calendar")
    agent = session.get_one(Agent, feed.agent_id)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Tierdesk//Duties//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(NAMES[language])}",
    ]
    for day in agent_desk.days(session, feed.agent_id, today - BACK, today + AHEAD):
        for duty in day.duties:
            one = duty.assignment
            title = getattr(duty.shift, f"name_{language}", one.shift_code)
            lines += _event(f"duty-{one.id}", one.starts_at, one.ends_at, title, at)
        for held in day.posts:
            starts, ends = hours_of(held.post, day.date, timezone)
            title = getattr(held.post, f"name_{language}")
            key = f"post-{day.date:%Y%m%d}-{held.post.id}-{agent.code}"
            lines += _event(key, starts, ends, title, at)
    return whole([*lines, "END:VCALENDAR"])


def _event(key: str, starts: datetime, ends: datetime, title: str, at: datetime) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{escaped(key)}@tierdesk",
        f"DTSTAMP:{utc(at)}",
        f"DTSTART:{utc(starts)}",
        f"DTEND:{utc(ends)}",
        f"SUMMARY:{escaped(title)}",
        "END:VEVENT",
    ]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
