"""From tables to the data frames the grading kernel reads."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pandas as pd
import sqlalchemy as sa
from sqlmodel import Session, col, select

from grading.records import Records
from wfm.services.facts import in_force
from wfm.services.grade_stints import attributed, reopened_after
from wfm.services.record_fixes import fixes_of, put_right
from wfm.services.roster_problems import instant_of
from wfm.tables import (
    Agent,
    AgentGrade,
    Assessment,
    AssessmentCycle,
    Contribution,
    GradeDecision,
    QualityReview,
    SeriousEvent,
    Survey,
    Ticket,
)
from wfm.words import RecordKind

CASE_COLUMNS = (
    "case_id", "agent_id", "opened_at", "resolved_at", "category", "channel", "priority",
    "difficulty", "tier", "resolved", "independent", "reopened",
)  # fmt: skip


def records(session: Session, period_from: date, as_of: date, timezone: str) -> Records:
    """Everything on record of the period, both days included."""
    begin = instant_of(period_from, 0, timezone)
    end = instant_of(as_of + timedelta(days=1), 0, timezone)
    return Records(
        agents=_agents(session, as_of),
        cases=_cases(session, begin, end, period_from, as_of, timezone),
        reviews=_reviews(session, period_from, as_of),
        contributions=_contributions(session, as_of),
    )


def _agents(session: Session, as_of: date) -> pd.DataFrame:
    rows = session.execute(
        sa.select(col(Agent.code), col(Agent.hired_on))
        .where(sa.or_(col(Agent.left_on).is_(None), col(Agent.left_on) > as_of))
        .order_by(col(Agent.code))
    ).all()
    frame = pd.DataFrame(rows, columns=["agent_id", "hired_on"])
    frame["hired_on"] = pd.to_datetime(frame["hired_on"])
    return frame


def _cases(
    session: Session, begin: datetime, end: datetime, first: date, last: date, timezone: str
) -> pd.DataFrame:
    """Handled tickets with their survey; surveys without a ticket are cases of their own."""
    done = sa.func.coalesce(col(Ticket.resolved_at), col(Ticket.opened_at))
    rows = session.execute(
        sa.select(
            col(Ticket.code), col(Agent.code), col(Ticket.opened_at), col(Ticket.resolved_at),
            col(Ticket.category), col(Ticket.channel), col(Ticket.priority),
            col(Ticket.difficulty), col(Ticket.min_grade), col(Ticket.resolved),
            col(Ticket.independent), col(Ticket.reopened),
        )
        .join(Agent, col(Agent.id) == col(Ticket.owner_id))
        .where(done >= begin, done < end, col(Ticket.resolved).is_not(None))
        .order_by(col(Ticket.id))
    ).all()  # fmt: skip
    cases = put_right(
        pd.DataFrame(rows, columns=list(CASE_COLUMNS)), "case_id",
        fixes_of(session, RecordKind.TICKET),
    )  # fmt: skip
    surveyed = session.execute(
        sa.select(
            col(Agent.code), col(Ticket.code), col(Survey.score), col(Survey.answered_on),
            col(Survey.category), col(Survey.channel), col(Survey.shift), col(Survey.code),
        )
        .join(Agent, col(Agent.id) == col(Survey.agent_id))
        .join(Ticket, col(Ticket.id) == col(Survey.ticket_id), isouter=True)
        .where(col(Survey.answered_on) >= first, col(Survey.answered_on) <= last)
        .order_by(col(Survey.id))
    ).all()  # fmt: skip
    columns = ["agent_id", "case_id", "satisfaction", "answered_on", "category", "channel", "shift"]
    surveys = pd.DataFrame(surveyed, columns=[*columns, "survey"])
    surveys = put_right(
        surveys.rename(columns={"satisfaction": "score"}), "survey",
        fixes_of(session, RecordKind.SURVEY),
    ).rename(columns={"score": "satisfaction"}).drop(columns="survey")  # fmt: skip
    tied = surveys[surveys["case_id"].isin(cases["case_id"])]
    scores = tied.drop_duplicates("case_id", keep="last").set_index("case_id")["satisfaction"]
    cases["satisfaction"] = cases["case_id"].map(scores)
    cases["reopened_after_days"] = cases["case_id"].map(reopened_after(session, begin, end))
    cases = attributed(session, cases, begin, end, last)
    loose = surveys[~surveys["case_id"].isin(cases["case_id"])].drop(columns="case_id")
    zone_free = [
        pd.to_datetime(cases["resolved_at"].fillna(cases["opened_at"]), utc=True)
        .dt.tz_convert(timezone)
        .dt.tz_localize(None),
        pd.to_datetime(loose["answered_on"]),
    ]
    cases["on"], loose = zone_free[0], loose.assign(on=zone_free[1])
    parts = [part for part in (cases, loose.drop(columns="answered_on")) if len(part)]
    whole = pd.concat(parts, ignore_index=True) if parts else cases
    for name in ("resolved", "independent", "reopened", "handed_up"):
        whole[name] = whole[name].astype("boolean") if name in whole else pd.NA
    for name in ("category", "channel", "shift", "tier"):
        if name in whole:
            whole[name] = whole[name].fillna("").astype(str)
    for name in ("priority", "difficulty", "satisfaction", "reopened_after_days"):
        if name in whole:
            whole[name] = pd.to_numeric(whole[name])
    return whole


def _reviews(session: Session, first: date, last: date) -> pd.DataFrame:
    rows = session.execute(
        sa.select(
            col(Agent.code), col(QualityReview.score), col(QualityReview.reviewed_on),
            col(QualityReview.reviewer), col(QualityReview.form), col(QualityReview.case_code),
            col(QualityReview.code),
        )
        .join(Agent, col(Agent.id) == col(QualityReview.agent_id))
        .where(col(QualityReview.reviewed_on) >= first, col(QualityReview.reviewed_on) <= last)
        .order_by(col(QualityReview.id))
    ).all()  # fmt: skip
    columns = ["agent_id", "score", "on", "reviewer", "form", "case_id", "review"]
    frame = put_right(
        pd.DataFrame(rows, columns=columns), "review", fixes_of(session, RecordKind.REVIEW)
    )
    frame["on"] = pd.to_datetime(frame["on"])
    return frame


def _contributions(session: Session, as_of: date) -> pd.DataFrame:
    rows = session.execute(
        sa.select(
            col(Agent.code), col(Contribution.done_on), col(Contribution.kind),
            col(Contribution.points), sa.cast(col(Contribution.id), sa.String),
        )
        .join(Agent, col(Agent.id) == col(Contribution.agent_id))
        .where(col(Contribution.done_on) <= as_of)
        .order_by(col(Contribution.id))
    ).all()  # fmt: skip
    frame = put_right(
        pd.DataFrame(rows, columns=["agent_id", "on", "kind", "points", "contribution"]),
        "contribution", fixes_of(session, RecordKind.CONTRIBUTION),
    )  # fmt: skip
    frame["on"] = pd.to_datetime(frame["on"])
    frame["kind"] = frame["kind"].astype(str)
    return frame


def held_grades(session: Session, as_of: date, period_from: date | None = None) -> pd.DataFrame:
    """The grade each agent holds, how many assessments ago it last moved, and serious events.

    Serious events are those of the period.
    """
    rows = session.exec(
        select(Agent.code, AgentGrade)
        .join(AgentGrade, col(AgentGrade.agent_id) == Agent.id)
        .where(in_force(AgentGrade, as_of))
        .order_by(Agent.code)
    ).all()
    since = _assessments_since(session, as_of)
    events = _serious_events(session, period_from, as_of)
    return pd.DataFrame(
        {
            "agent_id": [code for code, _ in rows],
            "grade": [row.grade.value for _, row in rows],
            "cycles": [
                since.get(row.agent_id, 0) if row.decision_id is not None else None
                for _, row in rows
            ],
            "serious_events": [events.get(row.agent_id, 0) for _, row in rows],
        }
    )


def _serious_events(session: Session, first: date | None, last: date) -> dict[int, int]:
    """How many serious events every agent had from a day to another."""
    rows = session.execute(
        sa.select(col(SeriousEvent.agent_id), sa.func.count())
        .where(
            col(SeriousEvent.on) <= last,
            col(SeriousEvent.on) >= (first or last),
            col(SeriousEvent.withdrawn_at).is_(None),
        )
        .group_by(col(SeriousEvent.agent_id))
    )
    return {agent_id: int(count) for agent_id, count in rows}


def _assessments_since(session: Session, as_of: date) -> dict[int, int]:
    """Per agent the days of assessment since a signed decision began the grade held now.

    The assessment that moved the grade is not among them, and two cycles over the same day count
    once.
    """
    counted = session.execute(
        sa.select(col(AgentGrade.agent_id), sa.func.count(sa.distinct(col(AssessmentCycle.as_of))))
        .join(GradeDecision, col(GradeDecision.id) == col(AgentGrade.decision_id))
        .join(Assessment, col(Assessment.agent_id) == col(AgentGrade.agent_id))
        .join(AssessmentCycle, col(AssessmentCycle.id) == col(Assessment.cycle_id))
        .where(
            in_force(AgentGrade, as_of),
            col(AssessmentCycle.as_of) >= col(AgentGrade.valid_from),
            col(AssessmentCycle.as_of) < as_of,
            col(Assessment.id) != col(GradeDecision.assessment_id),
        )
        .group_by(col(AgentGrade.agent_id))
    )
    return {agent_id: int(count) for agent_id, count in counted}
