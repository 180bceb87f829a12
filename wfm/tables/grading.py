"""Grade policies, assessment cycles, assessments and the leads' decisions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

from wfm.tables.base import code, document, instant, key, ref, word
from wfm.words import CycleStatus, DecisionAction, Grade


class GradePolicy(SQLModel, table=True):
    """One version of the grade policy, as the TOML text that was loaded."""

    __tablename__ = "grade_policy"

    id: int | None = key()
    code: str = code()
    text: str
    sha256: str
    added_at: datetime = instant()


class AssessmentCycle(SQLModel, table=True):
    __tablename__ = "assessment_cycle"

    id: int | None = key()
    code: str = code()
    policy_id: int = ref("grade_policy.id")
    period_from: date
    as_of: date
    status: CycleStatus = word(CycleStatus, default=CycleStatus.DRAFT)
    made_at: datetime = instant()


class Assessment(SQLModel, table=True):
    """One agent in one cycle: the proposal and all that led to it."""

    __table_args__ = (sa.UniqueConstraint("cycle_id", "agent_id"),)

    id: int | None = key()
    cycle_id: int = ref("assessment_cycle.id")
    agent_id: int = ref("agent.id")
    previous_grade: Grade | None = word(Grade, nullable=True)
    proposed_grade: Grade = word(Grade)
    decision: str
    probabilities: dict[str, float] = document()
    evidence: dict[str, Any] = document()
    explanation: dict[str, Any] = document()


class GradeDecision(SQLModel, table=True):
    """What a named person decided on an assessment (append-only; the newest one holds)."""

    __tablename__ = "grade_decision"

    id: int | None = key()
    assessment_id: int = ref("assessment.id")
    at: datetime = instant()
    decided_by: str
    action: DecisionAction = word(DecisionAction)
    grade: Grade = word(Grade)
    reason: str = ""
