"""What the grade pages show: the queue of a cycle, one case, and what an agent sees of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from grading.policy import GradePolicy
from wfm import access
from wfm.access import Actor
from wfm.errors import AccessDeniedError, ConflictError, NotFoundError
from wfm.services import facts, grading
from wfm.services.grade_cases import (
    MOST_CYCLES,
    NEEDS_A_PERSON,
    Case,
    CriterionView,
    TrendPoint,
    cases_of,
    criteria_of,
    rules_of_cycle,
    trend_of,
)
from wfm.services.grade_filters import STATES, Filters
from wfm.tables import Agent, AgentGrade, Assessment, AssessmentCycle, GradeDecision, Team
from wfm.words import Grade

PAGE = 120
QUEUES = ("moves", "blocked", "undecided", "keep")


@dataclass(frozen=True)
class Row:
    """A case as the list shows it."""

    case: Case
    line: str
    criteria: tuple[CriterionView, ...]


@dataclass(frozen=True)
class Queue:
    """The list page. Without any cycle, `cycle` is None and everything is empty."""

    cycle: AssessmentCycle | None
    cycles: Sequence[AssessmentCycle] = ()
    teams: dict[int, Team] = field(default_factory=dict)
    filters: Filters = field(default_factory=Filters)
    rows: tuple[Row, ...] = ()
    found: int = 0
    total: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    clear: int = 0
    may_decide: bool = False
    may_assess: bool = False
    closed: bool = False

    @property
    def pages(self) -> int:
        return max(1, -(-self.found // PAGE))


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
    criteria: tuple[CriterionView, ...]
    trend: tuple[TrendPoint, ...]
    decisions: Sequence[GradeDecision]
    may_decide: bool
    closed: bool
    next_case: str | None


@dataclass(frozen=True)
class OwnPage:
    """What an agent sees of the own grade: what a person has signed, and what the records say."""

    name: str
    grade: Grade
    since: date | None
    newest: CaseView | None
    results: tuple[TrendPoint, ...]


def queue(
    session: Session, actor: Actor, cycle_code: str, filters: Filters, language: str
) -> Queue:
    """The cases of a cycle (the newest where none is named) that an actor may see.

    Raises
    ------
    NotFoundError
        There is no such cycle or team.
    InputError
        A filter is not one of the words it may be.
    """
    access.require(actor, "grades.view")
    filters.check()
    may_assess = actor.may("grades.assess")
    cycles = _cycles(session)
    cycle = _chosen(cycles, cycle_code)
    if cycle is None:
        return Queue(None, filters=filters, may_assess=may_assess)
    assert cycle.id is not None
    covered = actor.teams("grades.view")
    teams = {team.id or 0: team for team in facts.teams(session, covered)}
    team_id = _team_id(teams, filters.team)
    cases = cases_of(session, cycle, covered)
    within = [case for case in cases if team_id is None or case.team_id == team_id]
    found = filters.of(within)
    closed = _is_closed(session, cycle)
    may_decide = actor.may("grades.decide", team_id)
    clear = 0
    if may_decide and not closed:
        clearly = grading.clear_cases(actor, cycle, team_id).with_only_columns(sa.func.count())
        clear = session.execute(clearly.order_by(None)).scalar_one()
    first = PAGE * (min(max(filters.page, 1), max(1, -(-len(found) // PAGE))) - 1)
    return Queue(
        cycle,
        cycles,
        teams,
        filters,
        _rows(session, cycle, found[first : first + PAGE], language),
        found=len(found),
        total=len(within),
        counts=_counts(within),
        clear=clear,
        may_decide=may_decide,
        may_assess=may_assess,
        closed=closed,
    )


def _cycles(session: Session) -> Sequence[AssessmentCycle]:
    return session.exec(
        select(AssessmentCycle).order_by(
            col(AssessmentCycle.as_of).desc(), col(AssessmentCycle.id).desc()
        )
    ).all()


def _chosen(cycles: Sequence[AssessmentCycle], code: str) -> AssessmentCycle | None:
    if not code:
        return cycles[0] if cycles else None
    found = next((cycle for cycle in cycles if cycle.code == code), None)
    if found is None:
        raise NotFoundError(f"there is no cycle {code}")
    return found


def cycle_of(session: Session, actor: Actor, code: str) -> AssessmentCycle:
    """A cycle by its code."""
    access.require(actor, "grades.view")
    found = _chosen(_cycles(session), code)
    if found is None:
        raise NotFoundError("there is no cycle yet")
    return found


def accept_clear(
    session: Session, actor: Actor, cycle_code: str, team: str, expected: int, at: datetime
) -> int:
    """`grading.accept_clear` as a page names cycle and team: by their codes."""
    cycle = cycle_of(session, actor, cycle_code)
    assert cycle.id is not None
    teams = {t.id or 0: t for t in facts.teams(session, actor.teams("grades.decide"))}
    return grading.accept_clear(session, actor, cycle.id, expected, at, _team_id(teams, team))


def _team_id(teams: dict[int, Team], code: str) -> int | None:
    if not code:
        return None
    found = next((team_id for team_id, team in teams.items() if team.code == code), None)
    if found is None:
        raise NotFoundError(f"there is no team {code} among those you may see")
    return found


def _counts(cases: list[Case]) -> dict[str, int]:
    """How many wait in each queue, and how many cases are in each state."""
    waiting = Counter(case.kind for case in cases if case.state == "open")
    states = Counter(case.state for case in cases)
    return {kind: waiting[kind] for kind in QUEUES} | {state: states[state] for state in STATES}


def _rows(
    session: Session, cycle: AssessmentCycle, cases: list[Case], language: str
) -> tuple[Row, ...]:
    """The cases of one page of the list with their evidence and line of reasons."""
    rules = rules_of_cycle(session, cycle)
    found = session.execute(
        sa.select(
            col(Assessment.id),
            col(Assessment.evidence),
            col(Assessment.explanation)[(language, "line")].astext,
        ).where(col(Assessment.id).in_([case.id for case in cases]))
    )
    documents = {row[0]: (row[1], row[2]) for row in found}
    return tuple(
        Row(case, documents[case.id][1] or "", criteria_of(documents[case.id][0], rules))
        for case in cases
    )


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
    cycle = cycle_of(session, actor, cycle_code)
    agent = session.exec(select(Agent).where(Agent.code == agent_code)).first()
    if agent is None or agent.id is None:
        raise NotFoundError(f"there is no agent {agent_code}")
    grading.require_for_agent(session, actor, "grades.view", agent.id, cycle.as_of)
    view = _view(session, actor, cycle, agent, language)
    if view is None:
        raise NotFoundError(f"agent {agent_code} was not assessed in {cycle.code}")
    return view


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
    explanation = session.exec(
        select(Assessment.explanation).where(Assessment.id == point.case.id)
    ).one()
    said = explanation[language]
    decisions = session.exec(
        select(GradeDecision)
        .where(GradeDecision.assessment_id == point.case.id)
        .order_by(col(GradeDecision.id).desc())
    ).all()
    own = agent.id == actor.agent_id
    closed = _is_closed(session, cycle)
    team_id = point.case.team_id
    desk_wide = actor.teams("grades.decide") is None
    covered = actor.may("grades.decide", team_id) and (team_id is not None or desk_wide)
    may_decide = covered and not closed and not own
    return CaseView(
        cycle=cycle,
        policy=rules_of_cycle(session, cycle).policy,
        case=point.case,
        team=session.get(Team, team_id) if team_id is not None else None,
        line=said["line"],
        text=said["text"],
        lifts=tuple(said["lifts"]),
        drops=tuple(said["drops"]),
        plain_average=explanation["plain_average"],
        target=explanation["target"],
        criteria=point.criteria,
        trend=trend,
        decisions=decisions,
        may_decide=may_decide,
        closed=closed,
        next_case=_next_case(session, actor, cycle, point.case) if may_decide else None,
    )


def _next_case(session: Session, actor: Actor, cycle: AssessmentCycle, case: Case) -> str | None:
    """The agent whose case waits next for a person, going round through the queues."""

    def place(one: Case) -> tuple[int, str]:
        return (*NEEDS_A_PERSON, "keep").index(one.decision), one.code

    cases = cases_of(session, cycle, actor.teams("grades.decide"))
    waiting = sorted((one for one in cases if one.needs_a_person and one.id != case.id), key=place)
    later = [one for one in waiting if place(one) > place(case)]
    return next((one.code for one in later or waiting), None)


def own_page(session: Session, actor: Actor, today: date, language: str) -> OwnPage:
    """The actor's own grade and signed results; proposals nobody signed are not told.

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
    cycles = _cycles(session)
    newest = next(
        (view for cycle in cycles[:MOST_CYCLES]
         if (view := _view(session, actor, cycle, agent, language)) is not None),
        None,
    )  # fmt: skip
    trend = newest.trend if newest else ()
    return OwnPage(
        name=agent.name,
        grade=held.grade if held else Grade.ORDINARY,
        since=held.valid_from if held else None,
        newest=newest,
        results=tuple(point for point in reversed(trend) if point.case.state == "decided"),
    )


def _is_closed(session: Session, cycle: AssessmentCycle) -> bool:
    try:
        grading.check_open(session, cycle)
    except ConflictError:
        return True
    return False
