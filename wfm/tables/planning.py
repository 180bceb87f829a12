"""What planners know beyond the contract: hours people can work, sites, wishes, house rules."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from wfm.tables.base import document, instant, key, ref, word
from wfm.words import Grade


class AgentAvailability(SQLModel, table=True):
    """Hours of some weekdays (1 is Monday) in which an agent can work; without a row: always.

    Minutes count from midnight of the day a shift starts on, past 1440 the day after.
    """

    __tablename__ = "agent_availability"
    __table_args__ = (
        sa.CheckConstraint("0 <= starts and starts < ends and ends <= 4320", name="minutes_rise"),
    )

    id: int | None = key()
    agent_id: int = ref("agent.id")
    weekdays: list[int] = document(list)
    starts: int = 0
    ends: int = 2880
    valid_from: date
    valid_until: date | None = None


class AgentSite(SQLModel, table=True):
    """Another site an agent would go to; `reluctance` 0 (gladly) to 3 (only when it must be)."""

    __tablename__ = "agent_site"
    __table_args__ = (
        sa.UniqueConstraint("agent_id", "site_id"),
        sa.CheckConstraint("reluctance between 0 and 3", name="reluctance_0_to_3"),
    )

    id: int | None = key()
    agent_id: int = ref("agent.id", index=False)
    site_id: int = ref("site.id", index=False)
    reluctance: int = 1


class RosterWish(SQLModel, table=True):
    """An agent would like a day on duty or off, on one shift where it is named."""

    __tablename__ = "roster_wish"
    __table_args__ = (
        sa.UniqueConstraint("agent_id", "day"),
        sa.CheckConstraint("strength between 1 and 3", name="strength_1_to_3"),
    )

    id: int | None = key()
    agent_id: int = ref("agent.id", index=False)
    day: date = Field(index=True)
    wants: bool
    shift_code: str | None = None
    strength: int = 2
    note: str = ""
    made_by: str
    made_at: datetime = instant()


class RosterPreference(SQLModel, table=True):
    """What an agent likes at all times: these shifts rather (or rather not), on these weekdays."""

    __tablename__ = "roster_preference"
    __table_args__ = (sa.CheckConstraint("strength between 1 and 3", name="strength_1_to_3"),)

    id: int | None = key()
    agent_id: int = ref("agent.id")
    shift_codes: list[str] = document(list)
    wants: bool
    weekdays: list[int] = document(list)
    strength: int = 1
    made_by: str
    made_at: datetime = instant()


class HouseRule(SQLModel, table=True):
    """A rule of the desk beside the law: hard without a weight, for all teams or for one.

    `kind` and `parameters` are as the kernel's rules know them.
    """

    __tablename__ = "house_rule"
    __table_args__ = (
        sa.UniqueConstraint("team_id", "name", postgresql_nulls_not_distinct=True),
        sa.CheckConstraint("weight >= 0", name="weight_not_negative"),
    )

    id: int | None = key()
    name: str = Field(max_length=120)
    kind: str = Field(max_length=40)
    parameters: dict[str, Any] = document()
    weight: int | None = None
    team_id: int | None = ref("team.id", nullable=True, index=False)
    source: str = ""
    made_by: str
    made_at: datetime = instant()


class ShiftNeed(SQLModel, table=True):
    """People wanted on a shift on some weekdays, beside what the forecast asks for."""

    __tablename__ = "shift_need"
    __table_args__ = (
        sa.CheckConstraint("people between 1 and 999", name="people_1_to_999"),
        sa.CheckConstraint("min_level between 1 and 5", name="level_1_to_5"),
    )

    id: int | None = key()
    team_id: int = ref("team.id")
    shift_code: str
    weekdays: list[int] = document(list)
    skill_id: int | None = ref("skill.id", nullable=True, index=False)
    min_grade: Grade = word(Grade, default=Grade.ORDINARY)
    min_level: int = 1
    people: int = 1
    made_by: str
    made_at: datetime = instant()
