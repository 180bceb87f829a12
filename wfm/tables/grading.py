"""Grade policies, assessment cycles, assessments and the leads' decisions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

from wfm.tables.base import code, document, instant, key, ref, word
from wfm.words import CycleStatus, DecisionAction, Grade, RecordKind


class GradePolicy(SQLModel, table=True):
    """One version of the grade policy, as the TOML text that was loaded."""

    __tablename__ = "grade_policy"

    id: int | None = key()
    code: str = code()
    text: str
    sha256: str
    added_at: datetime = instant()


class AssessmentCycle(SQLModel, table=True):
    """One run of a policy: draft → review → published → effective, each with its day.

    Of one team's agents, or without a team of the whole desk's.
    """

    __tablename__ = "assessment_cycle"

    id: int | None = key()
    code: str = code()
    policy_id: int = ref("grade_policy.id")
    team_id: int | None = ref("team.id", nullable=True)
    period_from: date
    as_of: date
    status: CycleStatus = word(CycleStatus, default=CycleStatus.DRAFT)
    made_at: datetime = instant()
    review_until: date | None = None
    published_on: date | None = None
    objections_until: date | None = None
    effective_on: date | None = None
    findings: dict[str, Any] = document()


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
    groups: dict[str, str] = document()
    earlier: list[dict[str, Any]] = document(list)


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


class GradeAppeal(SQLModel, table=True):
    """An agent's request for a second reviewer; `decision_id` is what came of it."""

    __tablename__ = "grade_appeal"

    id: int | None = key()
    assessment_id: int = ref("assessment.id")
    filed_at: datetime = instant()
    filed_by: str
    text: str
    decision_id: int | None = ref("grade_decision.id", nullable=True)


class GradeAttachment(SQLModel, table=True):
    """A file that goes with a decision or an appeal."""

    __tablename__ = "grade_attachment"
    __table_args__ = (
        sa.CheckConstraint("num_nonnulls(decision_id, appeal_id) = 1", name="of_one_thing"),
    )

    id: int | None = key()
    decision_id: int | None = ref("grade_decision.id", nullable=True)
    appeal_id: int | None = ref("grade_appeal.id", nullable=True)
    file_name: str
    media_type: str
    sha256: str
    content: bytes


class FairnessAnswer(SQLModel, table=True):
    """What a person says to a flag of the fairness report (append-only; the newest one holds)."""

    __tablename__ = "fairness_answer"

    id: int | None = key()
    cycle_id: int = ref("assessment_cycle.id")
    at: datetime = instant()
    answered_by: str
    flag: str
    text: str


class RecordCorrection(SQLModel, table=True):
    """A wrong record put right: another value for one of its fields, or none: left out."""

    __tablename__ = "record_correction"
    __table_args__ = (sa.Index("ix_record_correction_record", "kind", "record"),)

    id: int | None = key()
    assessment_id: int = ref("assessment.id")
    at: datetime = instant()
    corrected_by: str
    kind: RecordKind = word(RecordKind)
    record: str
    field: str = ""
    value: str | None = None
    reason: str
