"""What customers, reviewers and colleagues say of an agent's work."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from wfm.tables.base import code, key, ref


class Survey(SQLModel, table=True):
    """One answered satisfaction survey; context columns serve case mix and fairness."""

    id: int | None = key()
    code: str = code()
    agent_id: int = ref("agent.id")
    ticket_id: int | None = ref("ticket.id", nullable=True)
    answered_on: date = Field(index=True)
    score: float
    category: str = ""
    channel: str = ""
    shift: str = ""
    tenure_band: str = ""


class QualityReview(SQLModel, table=True):
    __tablename__ = "quality_review"
    __table_args__ = (sa.CheckConstraint("score between 0 and 100", name="score_0_to_100"),)

    id: int | None = key()
    code: str = code()
    agent_id: int = ref("agent.id")
    reviewer: str
    case_code: str = ""
    reviewed_on: date = Field(index=True)
    form: str = ""
    score: float


class Contribution(SQLModel, table=True):
    __table_args__ = (sa.UniqueConstraint("agent_id", "done_on", "kind", "note"),)

    id: int | None = key()
    agent_id: int = ref("agent.id")
    done_on: date
    kind: str = Field(max_length=60)  # the desk's own words; the glossary has the usual ones
    points: float = 1
    note: str = ""
