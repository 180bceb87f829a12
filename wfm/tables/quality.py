"""What customers, reviewers and colleagues say of an agent's work."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from wfm.tables.base import code, instant, key, ref


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


class CalibrationSample(SQLModel, table=True):
    """A reviewed case drawn to be scored again by another reviewer, who does not see the score."""

    __tablename__ = "calibration_sample"

    id: int | None = key()
    review_id: int = ref("quality_review.id")
    reviewer: str
    drawn_at: datetime = instant()
    drawn_by: str
    second_review_id: int | None = ref("quality_review.id", nullable=True)


class SeriousEvent(SQLModel, table=True):
    """Something so grave that it stands against a rise in the cycle it falls in.

    A withdrawn one counts no more and stays on file with the reason.
    """

    __tablename__ = "serious_event"
    __table_args__ = (sa.UniqueConstraint("agent_id", "on", "note"),)

    id: int | None = key()
    agent_id: int = ref("agent.id")
    on: date = Field(index=True)
    note: str
    recorded_at: datetime = instant()
    recorded_by: str
    withdrawn_at: datetime | None = instant(nullable=True)
    withdrawn_by: str = ""
    withdrawn_reason: str = ""
