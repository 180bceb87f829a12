"""What holds of agents on a day: the effective-dated facts, read in one go."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm.tables import Agent, AgentContract, AgentGrade, AgentSkill, AgentTeam, Skill, Team
from wfm.words import Grade


@dataclass(frozen=True)
class AgentFacts:
    """One agent as of a day; an agent without a recorded grade is ordinary."""

    id: int
    code: str
    name: str
    phone: str
    hired_on: date | None
    capacity: int
    team_id: int | None
    grade: Grade = Grade.ORDINARY
    skills: dict[str, int] = field(default_factory=dict)
    minutes_per_day: int = 480
    night_consent: bool = True
    overtime_consent: bool = True


def in_force(table: Any, day: date) -> sa.ColumnElement[bool]:
    """Whether a dated fact holds on `day`."""
    return sa.and_(
        col(table.valid_from) <= day,
        sa.or_(col(table.valid_until).is_(None), col(table.valid_until) > day),
    )


def agents_on(session: Session, day: date, team_id: int | None = None) -> list[AgentFacts]:
    """All agents employed on `day` (of one team, where named), by code."""
    query = select(Agent, AgentTeam.team_id).join(
        AgentTeam, sa.and_(col(AgentTeam.agent_id) == Agent.id, in_force(AgentTeam, day)),
        isouter=True,
    ).where(sa.or_(col(Agent.left_on).is_(None), col(Agent.left_on) > day))  # fmt: skip
    if team_id is not None:
        query = query.where(AgentTeam.team_id == team_id)
    members = select(AgentTeam.agent_id).where(
        in_force(AgentTeam, day), AgentTeam.team_id == team_id
    )

    def holds(table: Any) -> sa.ColumnElement[bool]:
        fact = in_force(table, day)
        return fact if team_id is None else sa.and_(fact, col(table.agent_id).in_(members))

    grades = {
        row.agent_id: row.grade for row in session.exec(select(AgentGrade).where(holds(AgentGrade)))
    }
    contracts = {
        row.agent_id: row for row in session.exec(select(AgentContract).where(holds(AgentContract)))
    }
    skills: dict[int, dict[str, int]] = defaultdict(dict)
    for agent_id, code, proficiency in session.exec(
        select(AgentSkill.agent_id, Skill.code, AgentSkill.proficiency)
        .join(Skill, col(Skill.id) == AgentSkill.skill_id)
        .where(holds(AgentSkill))
        .order_by(Skill.code)
    ):
        skills[agent_id][code] = proficiency
    found = []
    for agent, team in session.exec(query.order_by(Agent.code)):
        assert agent.id is not None
        contract = contracts.get(agent.id)
        found.append(
            AgentFacts(
                id=agent.id,
                code=agent.code,
                name=agent.name,
                phone=agent.phone or "",
                hired_on=agent.hired_on,
                capacity=agent.capacity,
                team_id=team,
                grade=grades.get(agent.id, Grade.ORDINARY),
                skills=skills[agent.id],
                minutes_per_day=contract.minutes_per_day if contract else 480,
                night_consent=contract.night_consent if contract else True,
                overtime_consent=contract.overtime_consent if contract else True,
            )
        )
    return found


def teams(session: Session, only: frozenset[int] | None = None) -> list[Team]:
    """Teams by code; `only` those an actor may see (None: all)."""
    query = select(Team).order_by(Team.code)
    if only is not None:
        query = query.where(col(Team.id).in_(only))
    return list(session.exec(query))
