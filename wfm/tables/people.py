"""Teams, sites, agents, skills, and the effective-dated facts about an agent."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from wfm.tables.base import code, document, key, never_two_at_once, ref, word
from wfm.words import Grade, LeaveKind, RestrictionKind


class Site(SQLModel, table=True):
    id: int | None = key()
    code: str = code()
    name_en: str
    name_zh: str


class Team(SQLModel, table=True):
    id: int | None = key()
    code: str = code()
    name_en: str
    name_zh: str
    site_id: int | None = ref("site.id", nullable=True)


class Skill(SQLModel, table=True):
    id: int | None = key()
    code: str = code()
    name_en: str
    name_zh: str


class Agent(SQLModel, table=True):
    """A person who answers customers (not an account: an account may belong to an agent)."""

    __table_args__ = (sa.CheckConstraint("capacity > 0", name="capacity_positive"),)

    id: int | None = key()
    code: str = code()
    name: str
    hired_on: date | None = None
    left_on: date | None = None
    capacity: int = 1
    phone: str | None = None


class AgentTeam(SQLModel, table=True):
    __tablename__ = "agent_team"
    __table_args__ = (never_two_at_once("agent_team", "agent_id"),)

    id: int | None = key()
    agent_id: int = ref("agent.id")
    team_id: int = ref("team.id")
    valid_from: date
    valid_until: date | None = None


class AgentGrade(SQLModel, table=True):
    __tablename__ = "agent_grade"
    __table_args__ = (never_two_at_once("agent_grade", "agent_id"),)

    id: int | None = key()
    agent_id: int = ref("agent.id")
    grade: Grade = word(Grade)
    decision_id: int | None = ref("grade_decision.id", nullable=True)
    valid_from: date
    valid_until: date | None = None


class AgentSkill(SQLModel, table=True):
    __tablename__ = "agent_skill"
    __table_args__ = (
        never_two_at_once("agent_skill", "agent_id", "skill_id"),
        sa.CheckConstraint("proficiency between 1 and 5", name="proficiency_1_to_5"),
    )

    id: int | None = key()
    agent_id: int = ref("agent.id")
    skill_id: int = ref("skill.id")
    proficiency: int = 3
    valid_from: date
    valid_until: date | None = None


class AgentContract(SQLModel, table=True):
    """Hours, consents, minutes to be at work when called, and the shifts agreed on (none: all)."""

    __tablename__ = "agent_contract"
    __table_args__ = (
        never_two_at_once("agent_contract", "agent_id"),
        sa.CheckConstraint("minutes_per_week between 0 and 10080", name="week_has_10080_minutes"),
    )

    id: int | None = key()
    agent_id: int = ref("agent.id")
    minutes_per_day: int = 480
    minutes_per_week: int = 2400
    night_consent: bool = True
    overtime_consent: bool = True
    standby_consent: bool = True
    reach_minutes: int = 0
    shift_codes: list[str] = document(list)
    valid_from: date
    valid_until: date | None = None


class AgentRestriction(SQLModel, table=True):
    """What an agent must be spared, until when; the medical reason is not stored.

    `minutes` are the most between start and end of a duty, breaks aside, of ``short_days`` alone.
    """

    __tablename__ = "agent_restriction"
    __table_args__ = (
        never_two_at_once("agent_restriction", "agent_id", "kind"),
        sa.CheckConstraint(
            "(kind = 'short_days') = (minutes is not null)", name="short_days_have_minutes"
        ),
    )

    id: int | None = key()
    agent_id: int = ref("agent.id")
    kind: RestrictionKind = word(RestrictionKind)
    minutes: int | None = None
    valid_from: date
    valid_until: date | None = None


class Leave(SQLModel, table=True):
    """Days off, both ends included."""

    __table_args__ = (
        sa.CheckConstraint("end_on >= start_on", name="ends_after_start"),
        sa.dialects.postgresql.ExcludeConstraint(
            (sa.column("agent_id"), "="),
            (sa.text("daterange(start_on, end_on, '[]')"), "&&"),
            name="ex_leave_never_two_at_once",
            using="gist",
        ),
    )

    id: int | None = key()
    agent_id: int = ref("agent.id")
    start_on: date = Field(index=True)
    end_on: date
    kind: LeaveKind = word(LeaveKind)
