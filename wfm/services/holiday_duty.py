"""Holiday duty tables: who holds which post on the days people mind, fair over the years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler import problem as p
from scheduler.duty import assign
from scheduler.duty_table import DutyProblem
from scheduler.errors import SchedulingError
from scheduler.ledger import burden_of
from wfm import access, audit, jobs
from wfm.access import Actor
from wfm.errors import Fault, InputError, faults_of
from wfm.services.day_types import NamedDay, days_between
from wfm.services.facts import agents_on
from wfm.services.ledger import ledger
from wfm.services.roster_people import restrictions, roster_agent
from wfm.services.roster_problems import POST_WEIGHT
from wfm.tables import Agent, Leave, Post, PostHolding, Site, Team
from wfm.words import DayType, Mode

OFF = (DayType.STATUTORY_HOLIDAY, DayType.REST_DAY)
MOST_DAYS = 2  # posts one person may hold in one table


@dataclass(frozen=True)
class Proposed:
    """What came of proposing a table: places, those filled, and each gap in both languages."""

    places: int
    filled: int
    gaps: tuple[dict[str, str], ...]
    proven: bool
    spread_before: int
    spread_after: int


def holiday_days(session: Session, first: date, last: date) -> list[NamedDay]:
    """The named days off of a period: those that need a duty table."""
    return [day for day in days_between(session, first, last) if day.type in OFF and day.name_zh]


def propose(session: Session, actor: Actor, first: date, last: date, at: datetime) -> Proposed:
    """Fill every post of every named day off; an earlier proposal of these days is replaced.

    Raises
    ------
    InputError
        The period has no named day off, or there are no posts or agents yet.
    """
    access.require_whole_desk(actor, "rosters.plan")
    days = holiday_days(session, first, last)
    posts = session.exec(select(Post).order_by(Post.code)).all()
    if not days or not posts:
        missing = "no named day off" if not days else "no posts; add some first"
        raise InputError.of([Fault(f"between {first} and {last} there is {missing}")])
    with faults_of(SchedulingError):
        table = assign(problem(session, days, posts))
    _replace(session, table.fills, actor, at)
    audit.record(session, at, actor.name, "duty.propose", f"{days[0].date} to {days[-1].date}",
                 filled=len(table.fills), gaps=len(table.gaps))  # fmt: skip
    jobs.announce(session, "duty")
    before = [one.before for one in table.ledger]
    after = [one.after for one in table.ledger]
    missing_places = sum(gap.missing for gap in table.gaps)
    return Proposed(
        places=len(table.fills) + missing_places,
        filled=len(table.fills),
        gaps=tuple({"en": gap.text("en"), "zh": gap.text("zh")} for gap in table.gaps),
        proven=table.proven,
        spread_before=max(before, default=0) - min(before, default=0),
        spread_after=max(after, default=0) - min(after, default=0),
    )


def problem(session: Session, days: list[NamedDay], posts: Sequence[Post]) -> DutyProblem:
    """Who can hold which post on these days, and what each has borne before."""
    first, last = days[0].date, days[-1].date
    facts = agents_on(session, first)
    codes = {agent.id: agent.code for agent in facts}
    sites = {team.id: team.site_id for team in session.exec(select(Team))}
    site_codes = {site.id: site.code for site in session.exec(select(Site))}
    restricted = restrictions(session)
    leave = session.exec(
        select(Leave).where(Leave.start_on <= last, Leave.end_on >= first).order_by(col(Leave.id))
    )
    return DutyProblem(
        agents=tuple(
            roster_agent(
                agent, restricted[agent.id], site_codes.get(sites.get(agent.team_id))
            )
            for agent in facts
        ),
        days=tuple(
            p.Day(day.date, day.type.value, day.name_zh, burden_of(day.name_zh)) for day in days
        ),
        posts=tuple(
            p.Post(
                id=post.code, days=tuple(day.date for day in days), name=post.name_en,
                count=post.people, min_grade=post.min_grade.value, weight=POST_WEIGHT,
                burden_percent=50 if post.mode == Mode.STANDBY else 100,
            )
            for post in posts
        ),
        ledger=ledger(session, before=first),
        sites={
            post.code: site_codes[post.site_id] for post in posts if post.site_id is not None
        },
        leave=tuple(
            p.Leave(codes[row.agent_id], row.start_on, row.end_on, row.kind.value)
            for row in leave
            if row.agent_id in codes
        ),
        most_days=MOST_DAYS,
    )  # fmt: skip


def _replace(session: Session, fills: Sequence[Any], actor: Actor, at: datetime) -> None:
    posts = {post.code: post.id for post in session.exec(select(Post))}
    people = {agent.code: agent.id for agent in session.exec(select(Agent))}
    days = sorted({fill.place.date for fill in fills})
    session.execute(sa.delete(PostHolding).where(col(PostHolding.day).in_(days)))
    for fill in fills:
        post_id, agent_id = posts[fill.place.post], people[fill.agent]
        assert post_id is not None
        assert agent_id is not None
        session.add(
            PostHolding(
                post_id=post_id, agent_id=agent_id, day=fill.place.date, made_by=actor.name,
                made_at=at, reasons=[{"en": fill.text("en"), "zh": fill.text("zh")}],
            )
        )  # fmt: skip
    session.flush()


@dataclass(frozen=True)
class Holding:
    """One place of a duty table as people read it."""

    day: date
    post: Post
    agent: Agent
    reasons: list[dict[str, str]]


def table(session: Session, actor: Actor, first: date, last: date) -> list[Holding]:
    """The duty table of a period, by day and post."""
    access.require(actor, "rosters.view")
    rows = session.exec(
        select(PostHolding, Post, Agent)
        .join(Post, col(Post.id) == PostHolding.post_id)
        .join(Agent, col(Agent.id) == PostHolding.agent_id)
        .where(PostHolding.day >= first, PostHolding.day <= last)
        .order_by(col(PostHolding.day), Post.code)
    )
    return [Holding(held.day, post, agent, held.reasons) for held, post, agent in rows]
