"""The queue of a cycle: which cases wait for whom, until when, and what is to be done next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access
from wfm.access import Actor
from wfm.errors import ConflictError, NotFoundError
from wfm.services import facts, grade_cycles, grade_fairness, grading
from wfm.services.grade_cases import Case, CriterionView, cases_of, criteria_of, rules_of_cycle
from wfm.services.grade_filters import STATES, Filters
from wfm.tables import Assessment, AssessmentCycle, Team
from wfm.words import CycleStatus

PAGE = 120
QUEUES = ("moves", "blocked", "undecided", "keep")


@dataclass(frozen=True)
class Row:
    """A case as the list shows it."""

    case: Case
    line: str
    criteria: tuple[CriterionView, ...]


@dataclass(frozen=True)
class Step:
    """Where a cycle stands, and what keeps it from the next step (for who answers for it)."""

    deadline: grade_cycles.Deadline | None
    notices: tuple[str, ...]
    unsigned: int
    flags_open: int
    may_lead: bool
    due: bool  # the window for appeals has ended


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
    start: tuple[Team | None, ...] = ()  # of whom a cycle may be started; None: the whole desk
    closed: bool = False
    step: Step | None = None

    @property
    def pages(self) -> int:
        return max(1, -(-self.found // PAGE))


def queue(
    session: Session, actor: Actor, cycle_code: str, filters: Filters, language: str, today: date
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
    covered = actor.teams("grades.view")
    cycles = [
        one for one in cycles_of(session)
        if covered is None or one.team_id is None or one.team_id in covered
    ]  # fmt: skip
    cycle = _chosen(cycles, cycle_code)
    teams = {team.id or 0: team for team in facts.teams(session, covered)}
    start = _may_start(actor, teams)
    if cycle is None:
        return Queue(None, teams=teams, filters=filters, may_assess=may_assess, start=start)
    assert cycle.id is not None
    team_id = _team_id(teams, filters.team)
    cases = cases_of(session, cycle, covered)
    within = [case for case in cases if team_id is None or case.team_id == team_id]
    found = filters.of(within)
    closed = is_closed(session, cycle)
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
        start=start,
        closed=closed,
        step=_step(session, actor, cycle, today, language),
    )


def _may_start(actor: Actor, teams: dict[int, Team]) -> tuple[Team | None, ...]:
    covered = actor.teams("grades.assess")
    if covered is None:
        return (None, *teams.values())
    return tuple(team for number, team in teams.items() if number in covered)


def _step(
    session: Session, actor: Actor, cycle: AssessmentCycle, today: date, language: str
) -> Step:
    try:
        deadline = grade_cycles.deadline(session, cycle, today)
    except NotFoundError:  # a year without an official calendar: the day alone is shown
        ends = cycle.objections_until or cycle.review_until
        deadline = grade_cycles.Deadline(ends, 0) if ends else None
    leads = grading.covers(actor, "grades.assess", cycle)
    review = cycle.status == CycleStatus.REVIEW
    notices: list[dict[str, Any]] = cycle.findings.get("notices", [])
    until = cycle.objections_until
    return Step(
        deadline=deadline,
        notices=tuple(str(notice[language]) for notice in notices),
        unsigned=grade_cycles.unsigned(session, cycle) if leads and review else 0,
        flags_open=len(grade_fairness.unanswered(session, cycle)) if leads and review else 0,
        may_lead=leads,
        due=cycle.status == CycleStatus.PUBLISHED and until is not None and today > until,
    )


def cycles_of(session: Session) -> Sequence[AssessmentCycle]:
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
    found = _chosen(cycles_of(session), code)
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
    veto = sum(case.veto and case.state == "open" for case in cases)
    counts = {kind: waiting[kind] for kind in QUEUES} | {"veto": veto}
    return counts | {state: states[state] for state in STATES}


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


def is_closed(session: Session, cycle: AssessmentCycle) -> bool:
    """Whether nothing can be signed in a cycle: a draft, published, in force, or overtaken."""
    try:
        grading.check_signing(session, cycle, "decided")
    except ConflictError:
        return True
    return False
