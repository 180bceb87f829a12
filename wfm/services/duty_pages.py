"""The holiday duty table as people read it: places by day, reasons, gaps, and the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from scheduler.duty import describe
from scheduler.duty_table import Place
from scheduler.ledger import Carried
from wfm.access import Actor
from wfm.errors import Fault, InputError
from wfm.services import holiday_duty
from wfm.services.day_types import NamedDay
from wfm.services.facts import agents_on
from wfm.tables import Agent, HolidayDuty, Post, Site, Team
from wfm.words import Grade

LONGEST = 93  # days a duty table may span


@dataclass(frozen=True)
class Held:
    """Somebody who holds a place."""

    agent: Agent
    grade: Grade
    team: Team | None
    reasons: tuple[dict[str, str], ...]


@dataclass(frozen=True)
class Missing:
    """People a place lacks, and how many of the desk cannot take it, by cause."""

    people: int
    causes: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class DutyPlace:
    """A post on a day: who holds it, and what is missing."""

    held: tuple[Held, ...]
    missing: Missing | None


@dataclass(frozen=True)
class LedgerRow:
    """What somebody has borne over the years, in burden units, and which days that were."""

    agent: Agent
    before: int
    after: int
    past: tuple[HolidayDuty, ...]
    new: tuple[NamedDay, ...]

    @property
    def added(self) -> int:
        return self.after - self.before


@dataclass(frozen=True)
class DutyPage:
    first: date
    last: date
    days: tuple[NamedDay, ...]
    posts: tuple[Post, ...]
    sites: dict[int, Site]
    places: dict[tuple[date, str], DutyPlace]
    ledger: tuple[LedgerRow, ...]
    repeats: int

    @property
    def filled(self) -> int:
        return sum(len(place.held) for place in self.places.values())

    @property
    def missing(self) -> int:
        return sum(place.missing.people for place in self.places.values() if place.missing)

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


def duty_page(session: Session, actor: Actor, first: date, last: date) -> DutyPage:
    """The duty table of a period; without a proposal every place is missing."""
    if not 0 <= (last - first).days < LONGEST:
        raise InputError.of([Fault(f"a period of 1 to {LONGEST} days is expected", column="until")])
    holdings = holiday_duty.table(session, actor, first, last)
    days = holiday_duty.holiday_days(session, first, last)
    posts = session.exec(select(Post).order_by(col(Post.id))).all()
    sites = {site.id: site for site in session.exec(select(Site)) if site.id is not None}
    if not days or not posts:
        return DutyPage(first, last, tuple(days), tuple(posts), sites, {}, (), 0)
    problem = holiday_duty.problem(session, days, posts)
    holders: dict[Place, list[str]] = defaultdict(list)
    shown: dict[tuple[date, str], list[Held]] = defaultdict(list)
    facts = {agent.code: agent for agent in agents_on(session, days[0].date)}
    teams = {team.id: team for team in session.exec(select(Team))}
    for one in holdings:
        fact = facts.get(one.agent.code)
        if fact is None or one.day not in problem.day:
            continue
        holders[Place(one.day, one.post.code)].append(one.agent.code)
        shown[one.day, one.post.code].append(
            Held(one.agent, fact.grade, teams.get(fact.team_id), tuple(one.reasons))
        )
    table = describe(problem, holders)
    missing = {(gap.place.date, gap.place.post): Missing(gap.missing, _causes(gap.barred,
               gap.elsewhere, gap.full)) for gap in table.gaps}  # fmt: skip
    return DutyPage(
        first=first,
        last=last,
        days=tuple(days),
        posts=tuple(posts),
        sites=sites,
        places={
            (place.date, place.post): DutyPlace(
                tuple(shown[place.date, place.post]), missing.get((place.date, place.post))
            )
            for place in problem.places
        },
        ledger=_ledger(session, days, table.ledger, holders),
        repeats=table.repeats,
    )


def _causes(
    barred: Sequence[tuple[str, int]], elsewhere: int, full: int
) -> tuple[tuple[str, int], ...]:
    counted = (*barred, ("elsewhere", elsewhere), ("full", full))
    return tuple((cause, people) for cause, people in counted if people)


def _ledger(
    session: Session,
    days: Sequence[NamedDay],
    carried: Sequence[Carried],
    holders: dict[Place, list[str]],
) -> tuple[LedgerRow, ...]:
    people = {agent.code: agent for agent in session.exec(select(Agent))}
    past: dict[int, list[HolidayDuty]] = defaultdict(list)
    since = date(days[0].date.year - 3, 1, 1)
    for entry in session.exec(
        select(HolidayDuty)
        .where(HolidayDuty.day >= since, HolidayDuty.day < days[0].date)
        .order_by(col(HolidayDuty.day).desc())
    ):
        past[entry.agent_id].append(entry)
    named = {day.date: day for day in days}
    new: dict[str, list[NamedDay]] = defaultdict(list)
    for place, held in sorted(holders.items()):
        for code in held:
            new[code].append(named[place.date])
    rows = []
    for one in carried:
        agent = people[one.agent]
        assert agent.id is not None
        rows.append(
            LedgerRow(
                agent, one.before, one.after,
                tuple(past[agent.id]), tuple(new[agent.code]),
            )
        )  # fmt: skip
    return tuple(rows)
