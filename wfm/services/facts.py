"""What holds of agents on a day: the effective-dated facts, read in one go."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import kept
from wfm.tables import Agent, AgentContract, AgentGrade, AgentSkill, AgentTeam, Skill, Team
from wfm.tables.base import among
from wfm.words import Grade

PERSON = ("id", "code", "name", "phone", "hired_on", "capacity")
# what a contract says of an agent, under the names of `AgentFacts`
AGREED = (
    "minutes_per_day", "minutes_per_week", "night_consent", "overtime_consent", "standby_consent",
    "reach_minutes", "shift_codes",
)  # fmt: skip


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
    minutes_per_week: int = 2400
    night_consent: bool = True
    overtime_consent: bool = True
    standby_consent: bool = True
    reach_minutes: int = 0
    shift_codes: tuple[str, ...] = ()


def in_force(table: Any, day: date) -> sa.ColumnElement[bool]:
    """Whether a dated fact holds on `day`."""
    return sa.and_(
        col(table.valid_from) <= day,
        sa.or_(col(table.valid_until).is_(None), col(table.valid_until) > day),
    )


def agents_on(
    session: Session, day: date, team_id: int | None = None, ids: Collection[int] | None = None
) -> list[AgentFacts]:
    """All agents employed on `day` (of one team, or of these numbers, where named), by code."""
    if ids is not None:
        return _agents(session, day, team_id, ids)
    made = kept.shared(
        session, ("agents", day, team_id), lambda: _agents(session, day, team_id, None)
    )
    return list(made)


def _agents(
    session: Session, day: date, team_id: int | None, ids: Collection[int] | None
) -> list[AgentFacts]:
    query = (
        sa.select(*(col(getattr(Agent, name)) for name in PERSON), col(AgentTeam.team_id))
        .join(
            AgentTeam, sa.and_(col(AgentTeam.agent_id) == Agent.id, in_force(AgentTeam, day)),
            isouter=True,
        )
        .where(sa.or_(col(Agent.left_on).is_(None), col(Agent.left_on) > day))
    )  # fmt: skip
    if team_id is not None:
        query = query.where(col(AgentTeam.team_id) == team_id)
    if ids is not None:
        query = query.where(among(Agent.id, ids))
    people = session.execute(query.order_by(col(Agent.code))).all()
    found = [person.id for person in people]

    def holding(*columns: Any) -> sa.Select[Any]:
        table = columns[0].class_
        chosen = sa.select(*columns).where(in_force(table, day))
        if team_id is None and ids is None:
            return chosen
        return chosen.where(among(table.agent_id, found))

    grades = dict(session.execute(holding(AgentGrade.agent_id, AgentGrade.grade)).all())
    contracts = {
        agent_id: agreed
        for agent_id, *agreed in session.execute(
            holding(AgentContract.agent_id, *(_agreed_column(name) for name in AGREED))
        )
    }
    codes = dict(session.exec(select(Skill.id, Skill.code)).all())
    skills: dict[int, dict[str, int]] = defaultdict(dict)
    for agent_id, skill_id, level in session.execute(
        holding(AgentSkill.agent_id, AgentSkill.skill_id, AgentSkill.proficiency)
    ):
        skills[agent_id][codes[skill_id]] = level
    return [
        AgentFacts(
            id=person.id,
            code=person.code,
            name=person.name,
            phone=person.phone or "",
            hired_on=person.hired_on,
            capacity=person.capacity,
            team_id=person.team_id,
            grade=grades.get(person.id, Grade.ORDINARY),
            skills=dict(sorted(skills[person.id].items())),
            **_agreed(contracts.get(person.id)),
        )
        for person in people
    ]


def _agreed_column(name: str) -> Any:
    column = getattr(AgentContract, name)
    return sa.cast(column, sa.Text) if name == "shift_codes" else column


def _agreed(contract: list[Any] | None) -> dict[str, Any]:
    """What a contract says; without one, what is usual."""
    if contract is None:
        return {}
    agreed = dict(zip(AGREED, contract, strict=True))
    return agreed | {"shift_codes": _codes_in(agreed["shift_codes"])}


@lru_cache(maxsize=1000)
def _codes_in(text: str) -> tuple[str, ...]:
    """Most contracts agree on no shifts, or on the same ones."""
    return tuple(json.loads(text))


def teams(session: Session, only: frozenset[int] | None = None) -> list[Team]:
    """Teams by code; `only` those an actor may see (None: all)."""
    query = select(Team).order_by(Team.code)
    if only is not None:
        query = query.where(col(Team.id).in_(only))
    return list(session.exec(query))
