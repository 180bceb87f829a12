"""Changes of grade for whoever pays allowances: one row per agent and change, as a workbook."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, date, datetime

import sqlalchemy as sa
import xlsxwriter
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from wfm import access, audit
from wfm.access import Actor
from wfm.errors import Fault, InputError
from wfm.services.facts import in_force
from wfm.tables import (
    Agent,
    AgentGrade,
    AgentTeam,
    Assessment,
    AssessmentCycle,
    GradeDecision,
    Team,
)
from wfm.words import Grade

WORDS = {
    "en": {
        "sheet": "Grade changes", "agent": "Agent", "name": "Name", "team": "Team",
        "before": "Grade before", "after": "Grade after", "on": "In force from",
        "cycle": "Cycle", "by": "Signed by", "at": "Signed on", "how": "Decision",
        "reason": "Reason", "none": "none", "recorded": "on record without a cycle",
        "ordinary": "Ordinary", "senior": "Senior", "expert": "Expert",
        "accept": "accepted", "override": "overridden", "confirm": "confirmed",
        "uphold": "upheld on appeal", "grant": "granted on appeal",
    },
    "zh": {
        "sheet": "等级变动", "agent": "工号", "name": "姓名", "team": "团队",
        "before": "原等级", "after": "现等级", "on": "生效日期",
        "cycle": "评定周期", "by": "签署人", "at": "签署日期", "how": "决定",
        "reason": "理由", "none": "无", "recorded": "无评定周期记录",
        "ordinary": "普通客服", "senior": "高级客服", "expert": "专家客服",
        "accept": "同意", "override": "人工调整", "confirm": "复签",
        "uphold": "申诉维持", "grant": "申诉调整",
    },
}  # fmt: skip
COLUMNS = ("agent", "name", "team", "before", "after", "on", "cycle", "by", "at", "how", "reason")


@dataclass(frozen=True)
class Change:
    """A grade that came into force on a day."""

    agent: str
    name: str
    team: Team | None
    before: Grade | None
    after: Grade
    on: date
    cycle: str
    decision: GradeDecision | None


def changes(session: Session, actor: Actor, first: date, last: date) -> list[Change]:
    """Changes that came into force from a day to another, both included, by day and agent.

    Raises
    ------
    InputError
        The period ends before it begins.
    """
    access.require_whole_desk(actor, "grades.assess")
    if first > last:
        raise InputError.of([Fault("the period begins after its end", column="first")])
    before = aliased(AgentGrade)
    rows = session.execute(
        sa.select(AgentGrade, Agent, col(before.grade), Team, col(AssessmentCycle.code),
                  GradeDecision)
        .join(Agent, col(Agent.id) == col(AgentGrade.agent_id))
        .join(
            before,
            sa.and_(
                col(before.agent_id) == col(AgentGrade.agent_id),
                col(before.valid_until) == col(AgentGrade.valid_from),
            ),
            isouter=True,
        )
        .join(
            AgentTeam,
            sa.and_(
                col(AgentTeam.agent_id) == col(Agent.id),
                in_force(AgentTeam, col(AgentGrade.valid_from)),  # type: ignore[arg-type]
            ),
            isouter=True,
        )
        .join(Team, col(Team.id) == col(AgentTeam.team_id), isouter=True)
        .join(GradeDecision, col(GradeDecision.id) == col(AgentGrade.decision_id), isouter=True)
        .join(Assessment, col(Assessment.id) == col(GradeDecision.assessment_id), isouter=True)
        .join(AssessmentCycle, col(AssessmentCycle.id) == col(Assessment.cycle_id), isouter=True)
        .where(col(AgentGrade.valid_from).between(first, last))
        .order_by(col(AgentGrade.valid_from), col(Agent.code))
    )  # fmt: skip
    return [
        Change(agent.code, agent.name, team, held, fact.grade, fact.valid_from, cycle or "", signed)
        for fact, agent, held, team, cycle, signed in rows
        if held != fact.grade
    ]


def workbook(
    session: Session, actor: Actor, first: date, last: date, language: str, at: datetime
) -> bytes:
    """The changes as XLSX; every text is written as text, so none is ever a formula."""
    found = changes(session, actor, first, last)
    words = WORDS[language]
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties({"created": at.astimezone(UTC).replace(tzinfo=None)})
    sheet = book.add_worksheet(words["sheet"])
    head = book.add_format({"bold": True, "border": 1})
    for place, name in enumerate(COLUMNS):
        sheet.write_string(0, place, words[name], head)
    for row, change in enumerate(found, start=1):
        for place, text in enumerate(_cells(change, language)):
            sheet.write_string(row, place, text)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(COLUMNS) - 1, 16)
    book.close()
    audit.record(session, at, actor.name, "grade.export", "allowances",
                 first=str(first), last=str(last), rows=len(found))  # fmt: skip
    return target.getvalue()


def _cells(change: Change, language: str) -> list[str]:
    words, signed = WORDS[language], change.decision
    team = getattr(change.team, f"name_{language}") if change.team else ""
    return [
        change.agent, change.name, team,
        words[change.before.value] if change.before else words["none"], words[change.after.value],
        change.on.isoformat(), change.cycle or words["recorded"],
        signed.decided_by if signed else "", signed.at.date().isoformat() if signed else "",
        words[signed.action.value] if signed else "", signed.reason if signed else "",
    ]  # fmt: skip
