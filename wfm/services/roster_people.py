"""The people of a roster: who is in the team when, what each may do, who is away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, or_, select

from scheduler import problem as p
from scheduler.problem.parts import FULL_LEVEL, Declined
from wfm.services.facts import AgentFacts, agents_on
from wfm.tables import (
    Agent,
    AgentAvailability,
    AgentRestriction,
    AgentSite,
    AgentSkill,
    AgentTeam,
    Leave,
    Roster,
    Site,
    Skill,
    Team,
)
from wfm.tables.base import among
from wfm.words import RestrictionKind

ELSEWHERE = "elsewhere"  # kind of absence of those not in the team on a day
AWAY_WEIGHTS = {0: 0, 1: 5, 2: 15, 3: 40}  # reluctance → cost of a duty at another site
PROTECTIONS: dict[RestrictionKind, tuple[str, ...]] = {
    RestrictionKind.NO_NIGHT: ("no_nights",),
    RestrictionKind.NO_OVERTIME: ("no_overtime",),
    RestrictionKind.NO_ON_SITE: ("remote_only",),
    RestrictionKind.MINOR: ("no_nights", "no_overtime"),
    RestrictionKind.NO_STANDBY: ("no_standby",),
    RestrictionKind.NO_HOLIDAYS: ("no_duty_on_holidays",),
    RestrictionKind.SHORT_DAYS: ("short_days",),
}


def members(session: Session, roster: Roster) -> list[AgentFacts]:
    """Everybody who is in the team on any day of the roster, by code, as of their first day."""
    first = roster.period_from
    found = {agent.id: agent for agent in agents_on(session, first, roster.team_id)}
    joined = session.exec(
        select(AgentTeam).where(
            AgentTeam.team_id == roster.team_id,
            AgentTeam.valid_from > first,
            AgentTeam.valid_from <= roster.period_until,
        )
    )
    for day in sorted({row.valid_from for row in joined}):
        for agent in agents_on(session, day, roster.team_id):
            found.setdefault(agent.id, agent)
    return sorted(found.values(), key=lambda agent: agent.code)


def elsewhere(session: Session, roster: Roster, codes: dict[int, str]) -> list[p.Leave]:
    """Days on which a member is not in the team: not yet, no longer, or has left."""
    rows = session.execute(
        sa.select(
            col(AgentTeam.agent_id), col(AgentTeam.valid_from), col(AgentTeam.valid_until),
            col(Agent.left_on),
        )
        .join(Agent, col(Agent.id) == AgentTeam.agent_id)
        .where(col(AgentTeam.team_id) == roster.team_id, among(AgentTeam.agent_id, codes))
    )  # fmt: skip
    there: dict[int, set[date]] = defaultdict(set)
    days = [
        roster.period_from + timedelta(days=n)
        for n in range((roster.period_until - roster.period_from).days + 1)
    ]
    for agent_id, begins, until, left_on in rows:
        ends = min(until or date.max, left_on or date.max)
        there[agent_id] |= {day for day in days if begins <= day < ends}
    return [
        p.Leave(code, day, day, ELSEWHERE)
        for agent_id, code in codes.items()
        if len(there[agent_id]) < len(days)
        for day in days
        if day not in there[agent_id]
    ]


def roster_agents(
    session: Session, roster: Roster, facts: Sequence[AgentFacts], shifts: Collection[str]
) -> tuple[p.Agent, ...]:
    """The members with all the desk knows of them in the period.

    `shifts` are those of the problem: of the shifts agreed on in contracts these alone matter.
    """
    first, last = roster.period_from, roster.period_until
    numbers = [agent.id for agent in facts]
    restricted = restrictions(session)
    held = _held(session, numbers, first, last)
    hours = _availability(session, numbers, first, last)
    places = _places(session, roster, numbers)
    return tuple(
        replace(
            roster_agent(agent, restricted[agent.id]),
            skills=held[agent.id].skills,
            qualifications=held[agent.id].qualifications,
            shifts=tuple(c for c in agent.shift_codes if c in shifts)
            if agent.shift_codes
            else None,
            availability=hours[agent.id],
            sites=places[agent.id].sites,
            home=places[agent.id].home,
            away_weight=places[agent.id].away_weight,
        )
        for agent in facts
    )


@dataclass(frozen=True)
class _Held:
    """Skills at the full level all the time, and those with a level or dates."""

    skills: tuple[str, ...] = ()
    qualifications: tuple[p.Qualification, ...] = ()


def _held(session: Session, agents: Sequence[int], first: date, last: date) -> Mapping[int, _Held]:
    rows = session.exec(
        select(AgentSkill, Skill.code)
        .join(Skill, col(Skill.id) == AgentSkill.skill_id)
        .where(
            col(AgentSkill.agent_id).in_(agents),
            AgentSkill.valid_from <= last,
            or_(col(AgentSkill.valid_until).is_(None), col(AgentSkill.valid_until) > first),
        )
        .order_by(col(AgentSkill.agent_id), Skill.code, col(AgentSkill.valid_from))
    ).all()
    found: defaultdict[int, _Held] = defaultdict(_Held)
    for row, code in rows:
        begins = row.valid_from if row.valid_from > first else None
        ends = last_day(row.valid_until) if (row.valid_until or date.max) <= last else None
        mine = found[row.agent_id]
        if row.proficiency == FULL_LEVEL and begins is None and ends is None:
            found[row.agent_id] = replace(mine, skills=(*mine.skills, code))
        else:
            one = p.Qualification(code, row.proficiency, begins, ends)
            found[row.agent_id] = replace(mine, qualifications=(*mine.qualifications, one))
    return found


def _availability(
    session: Session, agents: Sequence[int], first: date, last: date
) -> Mapping[int, tuple[p.Availability, ...]]:
    rows = session.exec(
        select(AgentAvailability)
        .where(col(AgentAvailability.agent_id).in_(agents))
        .order_by(col(AgentAvailability.id))
    )
    found: defaultdict[int, tuple[p.Availability, ...]] = defaultdict(tuple)
    for row in rows:
        if row.valid_from <= last and (row.valid_until or date.max) > first:
            until = last_day(row.valid_until) if row.valid_until else None
            window = p.Availability(
                tuple(row.weekdays), row.starts, row.ends, row.valid_from, until
            )
            found[row.agent_id] = (*found[row.agent_id], window)
    return found


@dataclass(frozen=True)
class _Places:
    """Where an agent may work, and what a duty away from home costs."""

    sites: tuple[str, ...] = ()
    home: str | None = None
    away_weight: int = 0


def _places(session: Session, roster: Roster, agents: Sequence[int]) -> Mapping[int, _Places]:
    """Home is the team's site; others are those an agent said to be willing to go to."""
    home = session.exec(
        select(Site.code).join(Team, col(Team.site_id) == Site.id).where(Team.id == roster.team_id)
    ).first()
    usual = _Places((home,), home) if home else _Places()
    found: defaultdict[int, _Places] = defaultdict(lambda: usual)
    if home is None:
        return found
    rows = session.exec(
        select(AgentSite, Site.code)
        .join(Site, col(Site.id) == AgentSite.site_id)
        .where(col(AgentSite.agent_id).in_(agents), Site.code != home)
        .order_by(col(AgentSite.agent_id), Site.code)
    )
    for row, code in rows:
        mine = found[row.agent_id]
        weight = max(mine.away_weight, AWAY_WEIGHTS[row.reluctance])
        found[row.agent_id] = _Places((*mine.sites, code), home, weight)
    return found


def roster_agent(
    agent: AgentFacts, restricted: Sequence[AgentRestriction], site: str | None = None
) -> p.Agent:
    """An agent as roster and duty problems know her on the first day."""
    consents: tuple[tuple[Declined, bool], ...] = (
        ("nights", agent.night_consent),
        ("overtime", agent.overtime_consent),
        ("standby", agent.standby_consent),
    )
    return p.Agent(
        id=agent.code,
        name=agent.name,
        grade=agent.grade.value,
        skills=tuple(agent.skills),
        sites=(site,) if site else (),
        day_minutes=agent.minutes_per_day,
        restrictions=_protections(restricted),
        declines=tuple(name for name, agreed in consents if not agreed),
        reach_minutes=agent.reach_minutes,
    )


def restrictions(session: Session) -> defaultdict[int, list[AgentRestriction]]:
    """What agents must be spared, by agent."""
    found: defaultdict[int, list[AgentRestriction]] = defaultdict(list)
    for row in session.exec(select(AgentRestriction).order_by(col(AgentRestriction.id))):
        found[row.agent_id].append(row)
    return found


def _protections(restricted: Sequence[AgentRestriction]) -> tuple[p.Restriction, ...]:
    return tuple(
        p.Restriction(kind, row.valid_from, last_day(row.valid_until), minutes=row.minutes)  # type: ignore[arg-type]
        for row in restricted
        for kind in PROTECTIONS[row.kind]
    )


def last_day(until: date | None) -> date:
    """The last day something holds that ends before `until`."""
    return (until or date(2200, 1, 1)) - timedelta(days=1)


def leave(session: Session, codes: dict[int, str], first: date, last: date) -> list[p.Leave]:
    rows = session.exec(
        select(Leave)
        .where(col(Leave.agent_id).in_(codes), Leave.start_on <= last, Leave.end_on >= first)
        .order_by(col(Leave.start_on))
    )
    return [p.Leave(codes[row.agent_id], row.start_on, row.end_on, row.kind.value) for row in rows]


def agent_ids(session: Session, codes: list[str]) -> dict[str, int]:
    """Row numbers of agents by code."""
    rows = session.exec(select(Agent).where(col(Agent.code).in_(codes)))
    return {row.code: row.id for row in rows if row.id is not None}
