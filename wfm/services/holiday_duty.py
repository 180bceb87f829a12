"""Holiday duty tables: who holds which post on the days people mind, fair over the years."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler import problem as p
from scheduler.duty import DutyTable as Table
from scheduler.duty import assign
from scheduler.duty_table import DutyProblem, Excluded, Place
from scheduler.errors import SchedulingError
from wfm import access, audit, jobs
from wfm.access import Actor
from wfm.errors import ConflictError, Fault, InputError, faults_of
from wfm.services.duty_days import DutyDay, Occasion, occasions
from wfm.services.facts import AgentFacts, agents_on, in_force
from wfm.services.ledger import burden_percent, ledger
from wfm.services.roster_given import POST_WEIGHT
from wfm.services.roster_people import restrictions, roster_agent
from wfm.tables import (
    Agent,
    AgentContract,
    DutyTable,
    DutyWish,
    Leave,
    Post,
    PostHolding,
    PostNeed,
    Site,
    Skill,
    Team,
)
from wfm.words import DayType, DutyKind, Mode, RestrictionKind

OFF = (DayType.STATUTORY_HOLIDAY, DayType.REST_DAY)
PROPOSE_LOCK = 8_203_118  # any constant: tables are proposed one at a time
MOST_DAYS = 2  # posts one person may hold in one table
WISH_WEIGHTS = {1: 20, 2: 60, 3: 200}  # strength → units of squared burden
Tell: TypeAlias = Callable[[float, str], None]  # share done, and what comes next


@dataclass(frozen=True)
class Proposed:
    """What came of proposing tables: places, those filled, and each gap in both languages."""

    places: int
    filled: int
    gaps: tuple[dict[str, str], ...]
    proven: bool
    spread_before: int
    spread_after: int


def to_propose(session: Session, actor: Actor, first: date, last: date) -> list[Occasion]:
    """The occasions of a period that a table can be proposed for.

    Raises
    ------
    InputError
        The period has no such day, or there are no posts yet.
    ConflictError
        All tables of the period are published.
    """
    access.require_whole_desk(actor, "rosters.plan")
    found = occasions(session, first, last)
    if not found or not active_posts(session):
        missing = "no named day off and no event" if not found else "no posts; add some first"
        raise InputError.of([Fault(f"between {first} and {last} there is {missing}")])
    published = [table for table in tables_between(session, first, last) if table.published_at]
    free = [
        one
        for one in found
        if not any(t.first_day <= one.last and t.last_day >= one.first for t in published)
    ]
    if not free:
        raise ConflictError("this duty table is published; change it by swaps")
    return free


def propose(
    session: Session,
    actor: Actor,
    first: date,
    last: date,
    at: datetime,
    tell: Tell = lambda _share, _name: None,
) -> Proposed:
    """Fill every post of every named day and event, one table for days in a row.

    An earlier proposal of these days is replaced but for what was locked; published tables are
    changed by swaps only and stay as they are.

    Raises
    ------
    InputError
        The period has no such day, or there are no posts yet; a lock cannot be kept.
    ConflictError
        All tables of the period are published.
    """
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(PROPOSE_LOCK)))
    found = to_propose(session, actor, first, last)
    posts = active_posts(session)
    made: list[Table] = []
    for number, occasion in enumerate(found):
        tell(number / len(found), f"{occasion.first} … {occasion.last}")
        table = _draft(session, occasion)
        with faults_of(SchedulingError):
            made.append(assign(problem(session, occasion.days, posts)))
        table.proven = made[-1].proven
        _replace(session, occasion.days, made[-1].fills, actor, at)
        period = f"{occasion.first} to {occasion.last}"
        audit.record(session, at, actor.name, "duty.propose", period,
                     filled=len(made[-1].fills), gaps=len(made[-1].gaps))  # fmt: skip
    jobs.announce(session, "duty")
    return _proposed(made)


def _proposed(made: Sequence[Table]) -> Proposed:
    before = [one.before for one in made[0].ledger]
    after = [one.after for one in made[-1].ledger]
    gaps = [gap for table in made for gap in table.gaps]
    filled = sum(len(table.fills) for table in made)
    return Proposed(
        places=filled + sum(gap.missing for gap in gaps),
        filled=filled,
        gaps=tuple({"en": gap.text("en"), "zh": gap.text("zh")} for gap in gaps),
        proven=all(table.proven for table in made),
        spread_before=max(before, default=0) - min(before, default=0),
        spread_after=max(after, default=0) - min(after, default=0),
    )


def active_posts(session: Session) -> Sequence[Post]:
    """Posts in the order they were entered, without those given up."""
    return session.exec(select(Post).where(Post.active).order_by(col(Post.id))).all()


def all_posts(session: Session) -> Sequence[Post]:
    """Every post there ever was."""
    return session.exec(select(Post).order_by(col(Post.id))).all()


def tables_between(session: Session, first: date, last: date) -> list[DutyTable]:
    """Duty tables that touch a period, by date."""
    query = select(DutyTable).where(DutyTable.first_day <= last, DutyTable.last_day >= first)
    return list(session.exec(query.order_by(col(DutyTable.first_day))))


def _draft(session: Session, occasion: Occasion) -> DutyTable:
    """The draft the days belong to, made where there is none."""
    there = tables_between(session, occasion.first, occasion.last)
    first = min([occasion.first, *(table.first_day for table in there)])
    last = max([occasion.last, *(table.last_day for table in there)])
    for other in there[1:]:
        session.delete(other)
    session.flush()
    table = there[0] if there else DutyTable(first_day=first, last_day=last)
    table.first_day, table.last_day = first, last
    session.add(table)
    session.flush()
    return table


def problem(
    session: Session,
    days: Sequence[DutyDay],
    posts: Sequence[Post],
    *,
    with_locks: bool = True,
    facts: Sequence[AgentFacts] | None = None,
) -> DutyProblem:
    """Who can hold which post, what each wishes and has borne; `facts` where they are read.

    Raises
    ------
    InputError
        What was locked cannot be kept.
    """
    first, last = days[0].date, days[-1].date
    facts = agents_on(session, first) if facts is None else facts
    codes = {agent.id: agent.code for agent in facts}
    sites = {team.id: team.site_id for team in session.exec(select(Team))}
    site_codes = {site.id: site.code for site in session.exec(select(Site))}
    skills = {skill.id: skill.code for skill in session.exec(select(Skill))}
    restricted = restrictions(session)
    dates = tuple(day.date for day in days)
    with faults_of(SchedulingError):
        return DutyProblem(
            agents=tuple(
                roster_agent(agent, restricted[agent.id], site_codes.get(sites.get(agent.team_id)))
                for agent in facts
            ),
            days=tuple(p.Day(day.date, day.type.value, day.name_zh, day.burden) for day in days),
            posts=tuple(
                p.Post(
                    id=post.code, days=dates, name=post.name_en, count=post.people,
                    min_grade=post.min_grade.value, skill=skills.get(post.skill_id),
                    weight=POST_WEIGHT, burden_percent=burden_percent(post.mode),
                )
                for post in posts
            ),
            ledger=ledger(session, before=first),
            sites={post.code: site_codes[post.site_id] for post in posts if post.site_id},
            requests=tuple(_wishes(session, codes, first, last)),
            leave=tuple(_leave(session, codes, first, last)),
            forbidden=tuple(_not_there(session, facts, dates)),
            excluded=tuple(_excluded(session, facts, restricted, posts, days)),
            locks=tuple(_locks(session, codes, posts, first, last)) if with_locks else (),
            wanted=_wanted(session, posts, dates),
            most_days=MOST_DAYS,
        )  # fmt: skip


def _wishes(session: Session, codes: dict[int, str], first: date, last: date) -> list[p.Request]:
    rows = session.exec(
        select(DutyWish)
        .where(DutyWish.day >= first, DutyWish.day <= last)
        .order_by(col(DutyWish.day), col(DutyWish.agent_id))
    )
    return [
        p.Request(codes[row.agent_id], row.day, row.wants, WISH_WEIGHTS[row.strength])
        for row in rows
        if row.agent_id in codes
    ]


def _leave(session: Session, codes: dict[int, str], first: date, last: date) -> list[p.Leave]:
    rows = session.exec(
        select(Leave).where(Leave.start_on <= last, Leave.end_on >= first).order_by(col(Leave.id))
    )
    return [
        p.Leave(codes[row.agent_id], row.start_on, row.end_on, row.kind.value)
        for row in rows
        if row.agent_id in codes
    ]


def _not_there(
    session: Session, facts: Sequence[AgentFacts], dates: Sequence[date]
) -> list[p.Forbidden]:
    """Days on which somebody is not at the desk: not hired yet, or gone."""
    leaving = sa.select(col(Agent.id), col(Agent.left_on)).where(col(Agent.left_on).is_not(None))
    left: dict[int, date] = dict(session.execute(leaving).all())
    return [
        p.Forbidden(agent.code, day, None, "not at the desk")
        for agent in facts
        for day in dates
        if day >= left.get(agent.id, date.max) or day < (agent.hired_on or date.min)
    ]


def _excluded(
    session: Session,
    facts: Sequence[AgentFacts],
    restricted: Any,
    posts: Sequence[Post],
    days: Sequence[DutyDay],
) -> list[Excluded]:
    """Posts on site for whoever works from home; work on days off without consent to overtime."""
    first, last = days[0].date, days[-1].date
    unwilling = set(
        session.exec(
            select(AgentContract.agent_id).where(
                in_force(AgentContract, first), col(AgentContract.overtime_consent).is_(False)
            )
        )
    )
    worked = [post for post in posts if post.kind in (DutyKind.ORDINARY, DutyKind.OVERTIME)]
    found = [
        Excluded(agent.code, post.code, day.date, day.date, "consent")
        for agent in facts
        if agent.id in unwilling
        for post in worked
        for day in days
        if day.type in OFF
    ]
    standby = [post for post in posts if post.mode == Mode.STANDBY]
    found += [
        Excluded(agent.code, post.code, first, last, reason)
        for agent in facts
        for post in standby
        for reason in _unfit_for_standby(agent, restricted[agent.id], post, first)
    ]
    for agent in facts:
        for row in restricted[agent.id]:
            if row.kind == RestrictionKind.NO_ON_SITE:
                until = row.valid_until - timedelta(days=1) if row.valid_until else last
                found += [
                    Excluded(agent.code, post.code, row.valid_from, until, "home")
                    for post in posts
                    if post.mode == Mode.ON_SITE
                ]
    return found


def _unfit_for_standby(agent: AgentFacts, restricted: Any, post: Post, on: date) -> Iterator[str]:
    """Why somebody cannot stand by: no consent, a protection, or too far away."""
    spared = any(
        row.kind == RestrictionKind.NO_STANDBY
        and row.valid_from <= on
        and (row.valid_until or date.max) > on
        for row in restricted
    )
    if spared or not agent.standby_consent:
        yield "standby"
    elif post.reach_minutes and agent.reach_minutes > post.reach_minutes:
        yield "reach"


def _locks(
    session: Session, codes: dict[int, str], posts: Sequence[Post], first: date, last: date
) -> list[p.PostLock]:
    post_codes = {post.id: post.code for post in posts}
    rows = session.exec(
        select(PostHolding)
        .where(PostHolding.locked, PostHolding.day >= first, PostHolding.day <= last)
        .order_by(col(PostHolding.id))
    )
    return [
        p.PostLock(post_codes[row.post_id], row.day, codes[row.agent_id])
        for row in rows
        if row.post_id in post_codes and row.agent_id in codes
    ]


def _wanted(session: Session, posts: Sequence[Post], dates: Sequence[date]) -> dict[Place, int]:
    """People where a day wants other than its post says; a post given up wants who holds it."""
    codes = {post.id: post.code for post in posts}
    rows = session.exec(select(PostNeed).where(col(PostNeed.day).in_(dates)))
    wanted = {
        Place(row.day, codes[row.post_id]): row.people for row in rows if row.post_id in codes
    }
    given_up = {post.id: post.code for post in posts if not post.active}
    if given_up:
        wanted |= {Place(day, code): 0 for code in given_up.values() for day in dates}
        for held in held_between(session, dates[0], dates[-1]):
            if held.post.id in given_up and held.day in set(dates):
                wanted[Place(held.day, held.post.code)] += 1
    return wanted


def _replace(
    session: Session, days: Sequence[DutyDay], fills: Sequence[Any], actor: Actor, at: datetime
) -> None:
    posts = {post.code: post.id for post in session.exec(select(Post))}
    people = {agent.code: agent.id for agent in session.exec(select(Agent))}
    dates = [day.date for day in days]
    session.execute(sa.delete(PostHolding).where(col(PostHolding.day).in_(dates)))
    for fill in fills:
        post_id, agent_id = posts[fill.place.post], people[fill.agent]
        assert post_id is not None
        assert agent_id is not None
        session.add(
            PostHolding(
                post_id=post_id, agent_id=agent_id, day=fill.place.date, made_by=actor.name,
                made_at=at, reasons=[{"en": fill.text("en"), "zh": fill.text("zh")}],
                locked=fill.locked,
            )
        )  # fmt: skip
    session.flush()


@dataclass(frozen=True)
class Holding:
    """One place of a duty table as people read it."""

    id: int
    day: date
    post: Post
    agent: Agent
    reasons: list[dict[str, str]]
    locked: bool


def table(session: Session, actor: Actor, first: date, last: date) -> list[Holding]:
    """The duty table of a period, by day and post."""
    access.require(actor, "rosters.view")
    return held_between(session, first, last)


def held_between(session: Session, first: date, last: date) -> list[Holding]:
    """Who holds which post in a period."""
    rows = session.exec(
        select(PostHolding, Post, Agent)
        .join(Post, col(Post.id) == PostHolding.post_id)
        .join(Agent, col(Agent.id) == PostHolding.agent_id)
        .where(PostHolding.day >= first, PostHolding.day <= last)
        .order_by(col(PostHolding.day), col(Post.id), Agent.code)
    )
    return [
        Holding(held.id or 0, held.day, post, agent, held.reasons, held.locked)
        for held, post, agent in rows
    ]
