"""What a planner keeps of a person: contract, skills, protections, hours offered, sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from sqlmodel import Session, SQLModel, col, select

from wfm import access, audit
from wfm.access import Actor
from wfm.errors import Fault, InputError, NotFoundError
from wfm.services import roster_wishes
from wfm.services.facts import AgentFacts, agents_on
from wfm.services.roster_wishes import Wishes
from wfm.tables import (
    AgentAvailability,
    AgentContract,
    AgentRestriction,
    AgentSite,
    AgentSkill,
    ShiftTemplate,
    Site,
    Skill,
)
from wfm.words import Mode, RestrictionKind

Kept: TypeAlias = Literal["skill", "restriction", "availability", "site"]
TABLES: dict[Kept, type[Any]] = {
    "skill": AgentSkill, "restriction": AgentRestriction, "availability": AgentAvailability,
    "site": AgentSite,
}  # fmt: skip
WEEK = (1, 2, 3, 4, 5, 6, 7)


@dataclass(frozen=True)
class PersonPage:
    """One person with all that rosters take from the desk."""

    agent: AgentFacts
    skills: tuple[tuple[AgentSkill, Skill], ...]
    restrictions: tuple[AgentRestriction, ...]
    availability: tuple[AgentAvailability, ...]
    sites: tuple[tuple[AgentSite, Site], ...]
    wishes: Wishes
    all_sites: tuple[Site, ...]
    all_skills: tuple[Skill, ...]
    shifts: tuple[ShiftTemplate, ...]


def people(
    session: Session, actor: Actor, today: date, team_id: int | None = None
) -> list[AgentFacts]:
    """People of the teams one plans for."""
    access.require(actor, "rosters.plan")
    covered = actor.teams("rosters.plan")
    return [
        agent
        for agent in agents_on(session, today, team_id)
        if covered is None or agent.team_id in covered
    ]


def person(session: Session, actor: Actor, agent_id: int, today: date) -> PersonPage:
    """What is kept of one person, as of today."""
    agent = _agent(session, actor, agent_id, today)

    def mine(table: type[Any]) -> Sequence[Any]:
        return session.exec(
            select(table).where(col(table.agent_id) == agent_id).order_by(col(table.id))
        ).all()

    all_sites = session.exec(select(Site).order_by(Site.code)).all()
    all_skills = session.exec(select(Skill).order_by(Skill.code)).all()
    sites, skills = {one.id: one for one in all_sites}, {one.id: one for one in all_skills}
    shifts = session.exec(
        select(ShiftTemplate)
        .where(ShiftTemplate.mode != Mode.STANDBY)
        .order_by(col(ShiftTemplate.id))
    )
    return PersonPage(
        agent,
        tuple((row, skills[row.skill_id]) for row in mine(AgentSkill)),
        tuple(mine(AgentRestriction)),
        tuple(mine(AgentAvailability)),
        tuple((row, sites[row.site_id]) for row in mine(AgentSite)),
        roster_wishes.of_agent(session, actor, agent_id, today),
        tuple(all_sites),
        tuple(all_skills),
        tuple(shifts),
    )


def _agent(session: Session, actor: Actor, agent_id: int, today: date) -> AgentFacts:
    access.require(actor, "rosters.plan")
    found = agents_on(session, today, ids=[agent_id])
    if not found:
        raise NotFoundError(f"there is no agent {agent_id}")
    access.require(actor, "rosters.plan", found[0].team_id)
    return found[0]


@dataclass(frozen=True)
class Contract:
    """Hours and consents from a day on."""

    since: date
    minutes_per_day: int
    minutes_per_week: int
    night_consent: bool
    overtime_consent: bool
    standby_consent: bool
    reach_minutes: int = 0
    shifts: tuple[str, ...] = ()


def set_contract(
    session: Session, actor: Actor, agent_id: int, wanted: Contract, today: date, at: datetime
) -> None:
    """A contract from a day on; what held before ends then, later ones give way."""
    agent = _agent(session, actor, agent_id, today)
    known = set(session.exec(select(ShiftTemplate.code)))
    faults = [
        ("day", not 0 < wanted.minutes_per_day <= 1440, "1 to 24 hours a day are expected"),
        ("week", not 0 < wanted.minutes_per_week <= 10080, "1 to 168 hours a week are expected"),
        ("reach", not 0 <= wanted.reach_minutes <= 1440, "0 to 1440 minutes are expected"),
        ("shifts", not set(wanted.shifts) <= known, "there is no such shift"),
    ]
    if any(wrong for _, wrong, _ in faults):
        raise InputError.of(Fault(told, column=name) for name, wrong, told in faults if wrong)
    for row in session.exec(select(AgentContract).where(AgentContract.agent_id == agent_id)):
        if row.valid_from >= wanted.since:
            session.delete(row)
        elif row.valid_until is None or row.valid_until > wanted.since:
            row.valid_until = wanted.since
    session.flush()
    session.add(
        AgentContract(
            agent_id=agent_id, minutes_per_day=wanted.minutes_per_day,
            minutes_per_week=wanted.minutes_per_week, night_consent=wanted.night_consent,
            overtime_consent=wanted.overtime_consent, standby_consent=wanted.standby_consent,
            reach_minutes=wanted.reach_minutes, shift_codes=list(wanted.shifts),
            valid_from=wanted.since,
        )
    )  # fmt: skip
    session.flush()
    audit.record(session, at, actor.name, "person.contract", f"agent {agent.code}",
                 since=str(wanted.since), day=wanted.minutes_per_day,
                 week=wanted.minutes_per_week)  # fmt: skip


def protect(
    session: Session, actor: Actor, agent_id: int, kind: RestrictionKind, first: date,
    last: date | None, minutes: int | None, today: date, at: datetime,
) -> None:  # fmt: skip
    """Spare a person something between two days, both included; the reason is not stored."""
    agent = _agent(session, actor, agent_id, today)
    short = kind == RestrictionKind.SHORT_DAYS
    faults = [
        ("until", last is not None and last < first, "must not lie before the first"),
        ("minutes", short and not 0 < (minutes or 0) <= 1440, "1 to 1440 minutes are expected"),
    ]
    if any(wrong for _, wrong, _ in faults):
        raise InputError.of(Fault(told, column=name) for name, wrong, told in faults if wrong)
    until = None if last is None else date.fromordinal(last.toordinal() + 1)
    there = session.exec(
        select(AgentRestriction).where(
            AgentRestriction.agent_id == agent_id, AgentRestriction.kind == kind
        )
    )
    if any(row.valid_from < (until or date.max) and first < (row.valid_until or date.max)
           for row in there):  # fmt: skip
        raise InputError.of([Fault("this protection is kept for some of these days already")])
    session.add(
        AgentRestriction(agent_id=agent_id, kind=kind, minutes=minutes if short else None,
                         valid_from=first, valid_until=until)
    )  # fmt: skip
    session.flush()
    audit.record(session, at, actor.name, "person.protect", f"agent {agent.code}",
                 kind=kind.value, first=str(first), last=str(last))  # fmt: skip


def offer_hours(
    session: Session, actor: Actor, agent_id: int, weekdays: tuple[int, ...], start: int,
    end: int, first: date, today: date, at: datetime,
) -> None:  # fmt: skip
    """Hours in which a person can work; with none kept she can work at all times."""
    agent = _agent(session, actor, agent_id, today)
    faults = [
        ("weekdays", not weekdays or not set(weekdays) <= set(WEEK),
         "at least one weekday is expected"),
        ("hours", not 0 <= start < end <= 4320, "the hours must end after they begin"),
    ]  # fmt: skip
    if any(wrong for _, wrong, _ in faults):
        raise InputError.of(Fault(told, column=name) for name, wrong, told in faults if wrong)
    session.add(
        AgentAvailability(agent_id=agent_id, weekdays=sorted(set(weekdays)), starts=start,
                          ends=end, valid_from=first)
    )  # fmt: skip
    session.flush()
    audit.record(session, at, actor.name, "person.hours", f"agent {agent.code}",
                 weekdays=sorted(set(weekdays)), start=start, end=end)  # fmt: skip


def add_site(
    session: Session, actor: Actor, agent_id: int, site_id: int, reluctance: int, today: date,
    at: datetime,
) -> None:  # fmt: skip
    """Another site a person would go to, and how unwillingly."""
    agent = _agent(session, actor, agent_id, today)
    if session.get(Site, site_id) is None or not 0 <= reluctance <= 3:
        raise InputError.of([Fault("there is no such site", column="site")])
    row = session.exec(
        select(AgentSite).where(AgentSite.agent_id == agent_id, AgentSite.site_id == site_id)
    ).first() or AgentSite(agent_id=agent_id, site_id=site_id)
    row.reluctance = reluctance
    session.add(row)
    session.flush()
    audit.record(session, at, actor.name, "person.site", f"agent {agent.code}",
                 site=site_id, reluctance=reluctance)  # fmt: skip


def set_skill(
    session: Session, actor: Actor, agent_id: int, skill_id: int, level: int, first: date,
    last: date | None, today: date, at: datetime,
) -> None:  # fmt: skip
    """A skill at a level from a day on, until its certificate ends."""
    agent = _agent(session, actor, agent_id, today)
    faults = [
        ("skill", session.get(Skill, skill_id) is None, "there is no such skill"),
        ("level", not 1 <= level <= 5, "a level from 1 to 5 is expected"),
        ("until", last is not None and last < first, "must not lie before the first"),
    ]
    if any(wrong for _, wrong, _ in faults):
        raise InputError.of(Fault(told, column=name) for name, wrong, told in faults if wrong)
    for row in session.exec(
        select(AgentSkill).where(AgentSkill.agent_id == agent_id, AgentSkill.skill_id == skill_id)
    ):
        if row.valid_from >= first:
            session.delete(row)
        elif row.valid_until is None or row.valid_until > first:
            row.valid_until = first
    session.flush()
    until = None if last is None else date.fromordinal(last.toordinal() + 1)
    session.add(
        AgentSkill(agent_id=agent_id, skill_id=skill_id, proficiency=level, valid_from=first,
                   valid_until=until)
    )  # fmt: skip
    session.flush()
    audit.record(session, at, actor.name, "person.skill", f"agent {agent.code}",
                 skill=skill_id, level=level, first=str(first), last=str(last))  # fmt: skip


def remove(
    session: Session, actor: Actor, agent_id: int, kind: Kept, number: int, today: date,
    at: datetime,
) -> None:  # fmt: skip
    """Take something away that is kept of a person."""
    agent = _agent(session, actor, agent_id, today)
    row: SQLModel | None = session.get(TABLES[kind], number)
    if row is None or row.agent_id != agent_id:  # type: ignore[attr-defined]
        raise NotFoundError("this is not kept any more")
    audit.record(session, at, actor.name, "person.remove", f"agent {agent.code}", kind=kind,
                 row=number)  # fmt: skip
    session.delete(row)
    session.flush()
