"""The holiday duty table as people read it: places by day, reasons, gaps, and the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from scheduler.duty import describe
from scheduler.duty_table import Place
from scheduler.ledger import Carried
from wfm import access
from wfm.access import Actor
from wfm.errors import Fault, InputError
from wfm.instants import local_date
from wfm.services import duty_changes, duty_life, duty_pay, duty_posts, holiday_duty, ledger
from wfm.services.duty_days import DutyDay, Occasion, duty_days, occasions, upcoming
from wfm.services.duty_life import Standing
from wfm.services.duty_load import loads
from wfm.services.facts import agents_on
from wfm.services.holiday_duty import Holding
from wfm.tables import (
    Agent,
    Assignment,
    DutyContact,
    DutySwap,
    DutyWish,
    HolidayDuty,
    Post,
    Site,
    Skill,
    Team,
)
from wfm.tables.base import among
from wfm.words import Grade, PostRole

LONGEST = 93  # days a duty table may span
MOST_IN_LEDGER = 150  # people shown: those on the table, and the first of the others
CALL_ORDER = (PostRole.LEAD, PostRole.DEPUTY, PostRole.STAFF, PostRole.STANDBY,
              PostRole.DUTY_LEADER)  # fmt: skip
CALL_NEXT_MIN = 10  # house rule: who does not answer within these minutes, the next is called


@dataclass(frozen=True)
class Held:
    """Somebody who holds a place."""

    agent: Agent
    grade: Grade
    team: Team | None
    reasons: tuple[dict[str, str], ...]
    locked: bool
    wish: DutyWish | None


@dataclass(frozen=True)
class Missing:
    """People a place lacks, and how many of the desk cannot take it, by cause."""

    people: int
    causes: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class DutyPlace:
    """A post on a day: who holds it, what is missing, and how many it wants (0: not held)."""

    held: tuple[Held, ...] = ()
    missing: Missing | None = None
    wanted: int = 0


@dataclass(frozen=True)
class PastDay:
    """A named day somebody worked before."""

    day: date
    name_en: str
    name_zh: str


@dataclass(frozen=True)
class LedgerRow:
    """What somebody has borne over the years, in burden units, and which days that were."""

    agent: Agent
    before: int
    after: int
    past: tuple[PastDay, ...]
    new: tuple[DutyDay, ...]

    @property
    def added(self) -> int:
        return self.after - self.before


@dataclass(frozen=True)
class Call:
    """One step of a call tree."""

    post: Post
    agent: Agent


@dataclass(frozen=True)
class DutyPage:
    first: date
    last: date
    days: tuple[DutyDay, ...]
    posts: tuple[Post, ...]
    sites: dict[int, Site]
    skills: dict[int, Skill]
    places: dict[tuple[date, str], DutyPlace]
    ledger: tuple[LedgerRow, ...]
    in_ledger: int  # people; `ledger` may show the first of them only
    repeats: int
    occasions: tuple[Occasion, ...]
    upcoming: tuple[Occasion, ...]
    standings: tuple[Standing, ...]
    load: dict[date, float]
    wishes: tuple[int, int]
    swaps: tuple[DutySwap, ...]
    contacts: tuple[DutyContact, ...]
    strayed: tuple[Holding, ...]
    phones: bool
    today: date

    @property
    def filled(self) -> int:
        return sum(len(place.held) for place in self.places.values())

    @property
    def missing(self) -> int:
        return sum(place.missing.people for place in self.places.values() if place.missing)

    @property
    def published(self) -> bool:
        return bool(self.standings) and all(one.table.published_at for one in self.standings)

    @property
    def spread(self) -> tuple[int, int]:
        """Largest less smallest burden, before and after this table."""
        if not self.ledger:
            return (0, 0)
        before = [row.before for row in self.ledger]
        after = [row.after for row in self.ledger]
        return (max(before) - min(before), max(after) - min(after))

    @property
    def heaviest(self) -> int:
        return max((row.after for row in self.ledger), default=0)

    @property
    def people(self) -> list[tuple[Agent, list[tuple[DutyDay, Post]]]]:
        """Everybody on the table with her places, by name: the contact card."""
        found: dict[str, tuple[Agent, list[tuple[DutyDay, Post]]]] = {}
        for day in self.days:
            for post in self.posts:
                for held in self.places[day.date, post.code].held:
                    _, places = found.setdefault(held.agent.code, (held.agent, []))
                    places.append((day, post))
        return [found[code] for code in sorted(found)]

    def calls(self, day: date, site_id: int | None) -> list[Call]:
        """Who is called first, next … on a day at a site; posts of the whole desk come last."""
        steps = [
            (CALL_ORDER.index(post.role), post.site_id is None, number, post, held.agent)
            for number, post in enumerate(self.posts)
            if post.site_id in (site_id, None)
            for held in self.places[day, post.code].held
        ]
        return [Call(post, agent) for *_, post, agent in sorted(steps, key=lambda s: s[:3])]

    @property
    def call_sites(self) -> list[int | None]:
        """Sites with posts of their own; just the desk where there are none."""
        own = dict.fromkeys(post.site_id for post in self.posts if post.site_id in self.sites)
        return list(own) or [None]


def duty_page(
    session: Session, actor: Actor, first: date, last: date, at: datetime, timezone: str
) -> DutyPage:
    """The duty table of a period; without a proposal every place is missing."""
    if not 0 <= (last - first).days < LONGEST:
        raise InputError.of([Fault(f"a period of 1 to {LONGEST} days is expected", column="until")])
    holdings = holiday_duty.table(session, actor, first, last)
    days = duty_days(session, first, last)
    posts = _posts(session, holdings)
    desk_sites = sites(session)
    skills = {skill.id: skill for skill in session.exec(select(Skill)) if skill.id is not None}
    today = local_date(at, timezone)
    ahead = tuple(upcoming(session, today))
    if not days or not posts:
        return DutyPage(
            first, last, tuple(days), tuple(posts), desk_sites, skills, {}, (), 0, 0, (), ahead,
            (), {}, (0, 0), (), (), (), phones=False, today=today,
        )  # fmt: skip
    employed = agents_on(session, days[0].date)
    problem = holiday_duty.problem(session, days, posts, with_locks=False, facts=employed)
    wishes = {
        (wish.agent_id, wish.day): wish
        for wish in session.exec(
            select(DutyWish).where(DutyWish.day >= first, DutyWish.day <= last)
        )
    }
    holders: dict[Place, list[str]] = defaultdict(list)
    shown: dict[tuple[date, str], list[Held]] = defaultdict(list)
    facts = {agent.code: agent for agent in employed}
    teams = {team.id: team for team in session.exec(select(Team))}
    for one in holdings:
        fact, place = facts.get(one.agent.code), Place(one.day, one.post.code)
        if fact is None or place not in problem.places:
            continue
        holders[place].append(one.agent.code)
        shown[one.day, one.post.code].append(
            Held(one.agent, fact.grade, teams.get(fact.team_id), tuple(one.reasons), one.locked,
                 wishes.get((fact.id, one.day)))
        )  # fmt: skip
    table = describe(problem, holders, why=False)
    missing = {(gap.place.date, gap.place.post): Missing(gap.missing, _causes(gap.barred,
               gap.elsewhere, gap.full)) for gap in table.gaps}  # fmt: skip
    places = {(day.date, post.code): DutyPlace() for day in days for post in posts}
    for place in problem.places:
        key = place.date, place.post
        places[key] = DutyPlace(tuple(shown[key]), missing.get(key), problem.need(place))
    return DutyPage(
        first=first,
        last=last,
        days=tuple(days),
        posts=tuple(posts),
        sites=desk_sites,
        skills=skills,
        places=places,
        ledger=_ledger(session, days, table.ledger, holders),
        in_ledger=len(table.ledger),
        repeats=table.repeats,
        occasions=tuple(occasions(session, first, last)),
        upcoming=ahead,
        standings=tuple(
            duty_life.standing(session, one, at, timezone)
            for one in holiday_duty.tables_between(session, first, last)
        ),
        load=loads(session, days, timezone),
        wishes=_wishes_met(wishes, holdings) if holdings else (0, len(wishes)),
        swaps=tuple(duty_changes.swaps(session, first, last)),
        contacts=tuple(duty_posts.contacts(session)),
        strayed=tuple(_strayed(session, holdings, first, last)),
        phones=sees_phones(actor, holdings),
        today=today,
    )


def sites(session: Session) -> dict[int, Site]:
    return {site.id: site for site in session.exec(select(Site)) if site.id is not None}


def sees_phones(actor: Actor, holdings: Sequence[Holding]) -> bool:
    """Telephone numbers are for those who call people in, and for those on the table."""
    on_table = actor.agent_id is not None and any(
        one.agent.id == actor.agent_id for one in holdings
    )
    return on_table or actor.may("contacts.view")


def require_period(session: Session, actor: Actor, first: date, last: date) -> list[Holding]:
    """The holdings of a period, for pages beside the table."""
    access.require(actor, "rosters.view")
    if not 0 <= (last - first).days < LONGEST:
        raise InputError.of([Fault(f"a period of 1 to {LONGEST} days is expected", column="until")])
    return holiday_duty.table(session, actor, first, last)


def month_wage(session: Session, first: date, last: date) -> Decimal | None:
    """The monthly wage a period's costs are reckoned with; None where nobody has said one."""
    tables = holiday_duty.tables_between(session, first, last)
    return next((one.month_wage for one in tables if one.month_wage), None)


def period_costs(
    session: Session, actor: Actor, first: date, last: date, timezone: str
) -> duty_pay.Costs:
    """What a period costs by day and pay class."""
    held = require_period(session, actor, first, last)
    wage = month_wage(session, first, last)
    return duty_pay.costs(session, held, first, last, wage, timezone)


def _posts(session: Session, holdings: Sequence[Holding]) -> list[Post]:
    """Posts in use, and those given up that are still held in the period."""
    held = {one.post.id for one in holdings}
    return [post for post in holiday_duty.all_posts(session) if post.active or post.id in held]


def _wishes_met(
    wishes: dict[tuple[int, date], DutyWish], holdings: Sequence[Holding]
) -> tuple[int, int]:
    """Wishes met, and all of them."""
    busy = {(one.agent.id, one.day) for one in holdings}
    met = sum(wish.wants == (key in busy) for key, wish in wishes.items())
    return met, len(wishes)


def _strayed(
    session: Session, holdings: Sequence[Holding], first: date, last: date
) -> list[Holding]:
    """Places whose holder a published roster does not have on the post (any more)."""
    rows = session.execute(
        sa.select(col(Assignment.post_id), col(Assignment.day), col(Assignment.agent_id)).where(
            col(Assignment.live), col(Assignment.day).between(first, last),
            col(Assignment.post_id).is_not(None),
        )
    ).all()  # fmt: skip
    kept = {(row.post_id, row.day): set[int]() for row in rows}
    for row in rows:
        kept[row.post_id, row.day].add(row.agent_id)
    return [
        one
        for one in holdings
        if (one.post.id, one.day) in kept and one.agent.id not in kept[one.post.id, one.day]
    ]


def _causes(
    barred: Sequence[tuple[str, int]], elsewhere: int, full: int
) -> tuple[tuple[str, int], ...]:
    counted = (*barred, ("elsewhere", elsewhere), ("full", full))
    return tuple((cause, people) for cause, people in counted if people)


def _ledger(
    session: Session,
    days: Sequence[DutyDay],
    carried: Sequence[Carried],
    holders: dict[Place, list[str]],
) -> tuple[LedgerRow, ...]:
    named = {day.date: day for day in days}
    new: dict[str, list[DutyDay]] = defaultdict(list)
    for place, held in sorted(holders.items()):
        for code in held:
            new[code].append(named[place.date])
    first = sorted(carried, key=lambda one: one.agent not in new)[:MOST_IN_LEDGER]
    shown = {one.agent for one in first}
    people = {
        agent.code: agent for agent in session.exec(select(Agent).where(col(Agent.code).in_(shown)))
    }
    past: dict[int, list[PastDay]] = defaultdict(list)
    for agent_id, *named_day in session.execute(
        sa.select(
            col(HolidayDuty.agent_id), col(HolidayDuty.day), col(HolidayDuty.name_en),
            col(HolidayDuty.name_zh),
        )
        .where(
            col(HolidayDuty.day) >= ledger.since(days[0].date),
            col(HolidayDuty.day) < days[0].date,
            among(HolidayDuty.agent_id, (agent.id or 0 for agent in people.values())),
        )
        .order_by(col(HolidayDuty.day).desc())
    ):  # fmt: skip
        past[agent_id].append(PastDay(*named_day))
    rows = []
    for one in (one for one in carried if one.agent in shown):
        agent = people[one.agent]
        assert agent.id is not None
        rows.append(
            LedgerRow(
                agent, one.before, one.after,
                tuple(past[agent.id]), tuple(new[agent.code]),
            )
        )  # fmt: skip
    return tuple(rows)
