"""Pages of what planners keep for all rosters: rules in force, shifts and their needs, people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session, col, select

from scheduler import problem as p
from scheduler.labour_rules import roster_rules
from wfm import access
from wfm.access import Actor
from wfm.services import house_rules, person_plan, roster_wishes, shift_plan
from wfm.services.facts import AgentFacts, teams
from wfm.services.roster_wishes import Wishes
from wfm.tables import Agent, HouseRule, ShiftNeed, ShiftTemplate, Site, Skill, Team
from wfm.words import Mode


@dataclass(frozen=True)
class RulesPage:
    """The law's rules, the house's as shipped, and those planners keep."""

    law: tuple[p.Rule, ...]
    house: tuple[p.Rule, ...]
    kept: tuple[HouseRule, ...]
    teams: tuple[Team, ...]
    shifts: tuple[ShiftTemplate, ...]


def rules_page(
    session: Session, actor: Actor, today: date, team_id: int | None = None
) -> RulesPage:
    """Rules a solve keeps from today on."""
    access.require(actor, "rosters.plan")
    mine = teams(session, actor.teams("rosters.plan"))
    numbers = {team.id for team in mine}
    query = select(HouseRule).order_by(col(HouseRule.team_id).nulls_first(), HouseRule.name)
    kept = [
        row
        for row in session.exec(query)
        if row.team_id is None or (row.team_id in numbers and team_id in (None, row.team_id))
    ]
    replaced = {row.name for row in kept if row.team_id is None}
    return RulesPage(
        roster_rules(today, today + timedelta(days=27)),
        tuple(rule for rule in house_rules.DEFAULTS if rule.name not in replaced),
        tuple(kept),
        tuple(mine),
        _worked(session),
    )


def _worked(session: Session) -> tuple[ShiftTemplate, ...]:
    query = select(ShiftTemplate).where(ShiftTemplate.mode != Mode.STANDBY)
    return tuple(session.exec(query.order_by(col(ShiftTemplate.id))))


@dataclass(frozen=True)
class ShiftsPage:
    """Shifts as they are set, and people each needs."""

    shifts: tuple[ShiftTemplate, ...]
    needs: tuple[ShiftNeed, ...]
    teams: dict[int, Team]
    sites: dict[int, Site]
    skills: dict[int, Skill]


def shifts_page(session: Session, actor: Actor) -> ShiftsPage:
    access.require(actor, "rosters.plan")
    mine = {team.id or 0: team for team in teams(session, actor.teams("rosters.plan"))}
    return ShiftsPage(
        tuple(session.exec(select(ShiftTemplate).order_by(col(ShiftTemplate.id)))),
        tuple(one for one in shift_plan.kept_needs(session) if one.team_id in mine),
        mine,
        {site.id or 0: site for site in session.exec(select(Site).order_by(Site.code))},
        {skill.id or 0: skill for skill in session.exec(select(Skill).order_by(Skill.code))},
    )


@dataclass(frozen=True)
class PeoplePage:
    """People one plans for, of one team or all."""

    people: tuple[AgentFacts, ...]
    teams: dict[int, Team]


def people_page(
    session: Session, actor: Actor, today: date, team_id: int | None, who: str
) -> PeoplePage:
    found = person_plan.people(session, actor, today, team_id)
    asked = who.strip().casefold()
    return PeoplePage(
        tuple(one for one in found if asked in one.name.casefold() or asked in one.code.casefold()),
        {team.id or 0: team for team in teams(session, actor.teams("rosters.plan"))},
    )


@dataclass(frozen=True)
class WishesPage:
    """One agent's wishes and the shifts they may name."""

    agent: Agent
    wishes: Wishes
    shifts: tuple[ShiftTemplate, ...]
    today: date


def wishes_page(session: Session, actor: Actor, agent: Agent, today: date) -> WishesPage:
    assert agent.id is not None
    wishes = roster_wishes.of_agent(session, actor, agent.id, today)
    return WishesPage(agent, wishes, _worked(session), today)
