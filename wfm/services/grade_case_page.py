"""One agent in one cycle, as a lead sees the case and as the agent sees the own result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session, col, select

from grading.policy import GradePolicy
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, NotFoundError
from wfm.services import (
    facts,
    grade_appeals,
    grade_corrections,
    grade_events,
    grade_files,
    grading,
)
from wfm.services.grade_cases import (
    MOST_CYCLES,
    NEEDS_A_PERSON,
    Case,
    CriterionView,
    Rules,
    TrendPoint,
    cases_of,
    criteria_of,
    rules_of_cycle,
    trend_of,
)
from wfm.services.grade_files import Attached
from wfm.services.grade_pages import cycle_of, cycles_of
from wfm.tables import (
    Agent,
    AgentGrade,
    Assessment,
    AssessmentCycle,
    GradeAppeal,
    GradeDecision,
    RecordCorrection,
    SeriousEvent,
    Team,
)
from wfm.words import CycleStatus, DecisionAction, Grade


@dataclass(frozen=True)
class Earlier:
    """What the case said before a correction."""

    proposed: str
    decision: str
    probabilities: dict[str, float]
    criteria: tuple[CriterionView, ...]


@dataclass(frozen=True)
class CaseView:
    """The page of one agent in one cycle."""

    cycle: AssessmentCycle
    policy: GradePolicy
    case: Case
    team: Team | None
    line: str
    text: str
    lifts: tuple[str, ...]
    drops: tuple[str, ...]
    plain_average: str | None
    target: str
    beside: dict[str, float | None]
    criteria: tuple[CriterionView, ...]
    trend: tuple[TrendPoint, ...]
    decisions: Sequence[GradeDecision]
    appeals: Sequence[GradeAppeal]
    files: dict[tuple[str, int], list[Attached]]
    corrections: Sequence[RecordCorrection]
    events: Sequence[SeriousEvent]
    earlier: Earlier | None
    may_decide: bool
    may_confirm: bool
    may_withdraw: bool
    may_correct: bool
    may_judge: bool
    closed: bool
    next_case: str | None


@dataclass(frozen=True)
class OwnPage:
    """What an agent sees of the own grade: published results, and what the records say.

    `told` says whether the newest result is published; until then it is nobody's to know.
    """

    name: str
    grade: Grade
    since: date | None
    newest: CaseView | None
    told: bool
    may_appeal: bool
    results: tuple[TrendPoint, ...]


@dataclass(frozen=True)
class OwnResult:
    """What of `OwnPage` may be told: of the newest cycle the evidence, and once published all."""

    name: str
    grade: Grade
    since: date | None
    cycle: AssessmentCycle | None
    criteria: tuple[CriterionView, ...]
    beside: dict[str, float | None]
    signed: GradeDecision | None
    line: str
    text: str
    lifts: tuple[str, ...]
    appeals: Sequence[GradeAppeal]
    may_appeal: bool
    results: tuple[TrendPoint, ...]


def case_view(
    session: Session, actor: Actor, cycle_code: str, agent_code: str, language: str
) -> CaseView:
    """One agent's page.

    Raises
    ------
    NotFoundError
        The cycle has no such agent.
    AccessDeniedError
        The agent is in a team this actor may not look at.
    """
    cycle, agent = _place(session, actor, cycle_code, agent_code)
    view = _view(session, actor, cycle, agent, language)
    if view is None:
        raise NotFoundError(f"agent {agent_code} was not assessed in {cycle.code}")
    return view


def assessment_id(session: Session, actor: Actor, cycle_code: str, agent_code: str) -> int:
    """The number of an agent's assessment; raises as `case_view` does."""
    cycle, agent = _place(session, actor, cycle_code, agent_code)
    found = session.exec(
        select(Assessment.id).where(
            Assessment.cycle_id == cycle.id, Assessment.agent_id == agent.id
        )
    ).first()
    if found is None:
        raise NotFoundError(f"agent {agent_code} was not assessed in {cycle.code}")
    return found


def _place(
    session: Session, actor: Actor, cycle_code: str, agent_code: str
) -> tuple[AssessmentCycle, Agent]:
    cycle = cycle_of(session, actor, cycle_code)
    agent = session.exec(select(Agent).where(Agent.code == agent_code)).first()
    if agent is None or agent.id is None:
        raise NotFoundError(f"there is no agent {agent_code}")
    grading.require_for_agent(session, actor, "grades.view", agent.id, cycle.as_of)
    return cycle, agent


def case_of_assessment(
    session: Session, actor: Actor, assessment_id: int, language: str
) -> CaseView:
    """The same page by the number of the assessment."""
    found = session.exec(
        select(AssessmentCycle.code, Agent.code)
        .join(Assessment, col(Assessment.cycle_id) == AssessmentCycle.id)
        .join(Agent, col(Agent.id) == Assessment.agent_id)
        .where(Assessment.id == assessment_id)
    ).first()
    if found is None:
        raise NotFoundError(f"there is no assessment {assessment_id}")
    return case_view(session, actor, *found, language)


def _view(
    session: Session, actor: Actor, cycle: AssessmentCycle, agent: Agent, language: str
) -> CaseView | None:
    assert agent.id is not None
    trend = trend_of(session, agent, cycle)
    if not trend or trend[-1].cycle.id != cycle.id:
        return None
    point = trend[-1]
    row = session.get_one(Assessment, point.case.id)
    said = row.explanation[language]
    decisions = session.exec(
        select(GradeDecision)
        .where(GradeDecision.assessment_id == point.case.id)
        .order_by(col(GradeDecision.id).desc())
    ).all()
    appeals = grade_appeals.of_assessment(session, point.case.id)
    rules = rules_of_cycle(session, cycle)
    team_id = point.case.team_id
    may = _may(session, actor, cycle, point.case, decisions, appeals)
    return CaseView(
        cycle=cycle,
        policy=rules.policy,
        case=point.case,
        team=session.get(Team, team_id) if team_id is not None else None,
        line=said["line"],
        text=said["text"],
        lifts=tuple(said["lifts"]),
        drops=tuple(said["drops"]),
        plain_average=row.explanation["plain_average"],
        target=row.explanation["target"],
        beside=row.explanation.get("beside", {}),
        criteria=point.criteria,
        trend=trend,
        decisions=decisions,
        appeals=appeals,
        files=grade_files.attached(
            session, [one.id or 0 for one in decisions], [one.id or 0 for one in appeals]
        ),
        corrections=grade_corrections.of_assessment(session, point.case.id),
        events=grade_events.of_period(session, agent.id, cycle.period_from, cycle.as_of),
        earlier=_earlier(row.earlier, rules),
        next_case=_next_case(session, actor, cycle, point.case) if may["may_decide"] else None,
        **may,
    )


def _earlier(earlier: Sequence[dict[str, Any]], rules: Rules) -> Earlier | None:
    """The version before the last correction."""
    if not earlier:
        return None
    last = earlier[-1]
    return Earlier(
        last["proposed_grade"], last["decision"], last["probabilities"],
        criteria_of(last["evidence"], rules),
    )  # fmt: skip


def _may(
    session: Session,
    actor: Actor,
    cycle: AssessmentCycle,
    case: Case,
    decisions: Sequence[GradeDecision],
    appeals: Sequence[GradeAppeal],
) -> dict[str, bool]:
    """What this actor may do with the case as it stands."""
    try:
        grading.check_signing(session, cycle, case.state)
        closed = False
    except ConflictError:
        closed = True
    own = case.agent_id == actor.agent_id

    def covers(right: str) -> bool:
        desk_wide = actor.teams(right) is None
        return not own and actor.may(right, case.team_id) and (case.team_id is not None
                                                              or desk_wide)  # fmt: skip

    newest = decisions[0] if decisions else None
    mine = newest is not None and newest.decided_by == actor.name
    waits = any(appeal.decision_id is None for appeal in appeals)
    signed_before = actor.name in {one.decided_by for one in decisions}
    published = cycle.status == CycleStatus.PUBLISHED
    undo = mine and newest is not None and newest.action != DecisionAction.WITHDRAW
    return {
        "closed": closed,
        "may_decide": covers("grades.decide") and not closed,
        "may_confirm": covers("grades.second") and not closed and case.state == "half"
        and not mine,
        "may_withdraw": covers("grades.decide") and not closed and undo,
        "may_correct": covers("grades.decide") and grade_corrections.may_correct(cycle),
        "may_judge": covers("grades.second") and published and waits and not signed_before,
    }  # fmt: skip


def _next_case(session: Session, actor: Actor, cycle: AssessmentCycle, case: Case) -> str | None:
    """The agent whose case waits next for a person, going round through the queues."""

    def place(one: Case) -> tuple[int, str]:
        return (*NEEDS_A_PERSON, "keep").index(one.decision), one.code

    cases = cases_of(session, cycle, actor.teams("grades.decide"))
    waiting = sorted((one for one in cases if one.needs_a_person and one.id != case.id), key=place)
    later = [one for one in waiting if place(one) > place(case)]
    return next((one.code for one in later or waiting), None)


def own_page(session: Session, actor: Actor, today: date, language: str) -> OwnPage:
    """The actor's own grade and published results; what is not published is not told.

    Raises
    ------
    AccessDeniedError
        The account belongs to no agent.
    """
    agent = session.get(Agent, actor.agent_id) if actor.agent_id is not None else None
    if agent is None:
        raise AccessDeniedError("this account belongs to no agent, so it has no grade of its own")
    held = session.exec(
        select(AgentGrade).where(AgentGrade.agent_id == agent.id, facts.in_force(AgentGrade, today))
    ).first()
    started = [one for one in cycles_of(session) if one.status != CycleStatus.DRAFT]
    newest = next(
        (view for cycle in started[:MOST_CYCLES]
         if (view := _view(session, actor, cycle, agent, language)) is not None),
        None,
    )  # fmt: skip
    trend = newest.trend if newest else ()
    told = newest is not None and _is_told(newest.cycle)
    window = newest is not None and grade_appeals.window_open(newest.cycle, today)
    waits = newest is not None and any(one.decision_id is None for one in newest.appeals)
    return OwnPage(
        name=agent.name,
        grade=held.grade if held else Grade.ORDINARY,
        since=held.valid_from if held else None,
        newest=newest,
        told=told,
        may_appeal=window and not waits,
        results=tuple(
            point for point in reversed(trend)
            if _is_told(point.cycle) and point.case.signed is not None
        ),
    )  # fmt: skip


def own_result(session: Session, actor: Actor, today: date, language: str) -> OwnResult:
    """The actor's own grade with nothing of an unpublished result in it."""
    page = own_page(session, actor, today, language)
    view = page.newest
    shown = view if page.told and view is not None and view.case.signed else None
    return OwnResult(
        page.name, page.grade, page.since, view.cycle if view else None,
        view.criteria if view else (), view.beside if view else {},
        shown.case.signed if shown else None, shown.line if shown else "",
        shown.text if shown else "", shown.lifts if shown else (),
        shown.appeals if shown else (), page.may_appeal, page.results,
    )  # fmt: skip


def _is_told(cycle: AssessmentCycle) -> bool:
    return cycle.status in (CycleStatus.PUBLISHED, CycleStatus.EFFECTIVE)
