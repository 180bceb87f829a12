"""The fairness report of a cycle: do groups fare alike, and what is said where they do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from grading.fairness import GroupImpact, impact_of_counts
from grading.procedure import FairnessRules
from wfm import access, audit
from wfm.access import Actor
from wfm.errors import ConflictError, InputError, NotFoundError
from wfm.kept import of_rows
from wfm.services.grade_filters import GRADE_RANK
from wfm.services.grade_policies import policy_of
from wfm.services.grading import check_reason, covers, newest_decisions, require_all
from wfm.tables import (
    Assessment,
    AssessmentCycle,
    FairnessAnswer,
    GradeDecision,
    ShiftTemplate,
    Site,
    Team,
)
from wfm.words import CycleStatus, DecisionAction, Grade

OUTCOMES = ("holds_senior", "rises", "spared_a_fall")


@dataclass(frozen=True)
class Line:
    """One group of a column with regard to one outcome. `flag` names it; empty: no flag."""

    impact: GroupImpact
    flag: str
    answer: FairnessAnswer | None


@dataclass(frozen=True)
class Comparison:
    """All groups of one column with regard to one outcome, the favourable one for the agent."""

    column: str
    outcome: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Report:
    """Everything the page of a cycle shows; comparisons with a flag come first.

    `named` are the teams, sites and shifts by column and code.
    """

    cycle: AssessmentCycle
    rules: FairnessRules
    comparisons: tuple[Comparison, ...]
    columns: tuple[str, ...]
    named: dict[tuple[str, str], Team | Site | ShiftTemplate]
    may_answer: bool

    @property
    def flags(self) -> int:
        return sum(bool(line.flag) for one in self.comparisons for line in one.lines)

    @property
    def open(self) -> int:
        return sum(
            bool(line.flag and line.answer is None) for one in self.comparisons
            for line in one.lines
        )  # fmt: skip


def report(session: Session, actor: Actor, cycle_code: str, column: str = "") -> Report:
    """Compare outcomes between the groups of the policy's columns, and of one more if asked for.

    Raises
    ------
    NotFoundError
        There is no such cycle, or nobody has a group of that column.
    """
    access.require(actor, "grades.view")
    cycle = session.exec(select(AssessmentCycle).where(AssessmentCycle.code == cycle_code)).first()
    if cycle is None:
        raise NotFoundError(f"there is no cycle {cycle_code}")
    require_all(actor, "grades.view", cycle)
    rules = _rules(session, cycle)
    people = _outcomes(session, cycle)
    known = sorted({name for groups, _ in people for name in groups})
    if column and column not in known:
        raise NotFoundError("nobody in this cycle has a group of that column")
    shown = [*rules.columns, *([column] if column not in ("", *rules.columns) else [])]
    open_ = cycle.status == CycleStatus.REVIEW
    found = _comparisons(people, shown, rules, _answers(session, cycle))
    return Report(
        cycle,
        rules,
        tuple(sorted(found, key=lambda one: not any(line.flag for line in one.lines))),
        tuple(known),
        {("team", one.code): one for one in session.exec(select(Team))}
        | {("site", one.code): one for one in session.exec(select(Site))}
        | {("shift", one.code): one for one in session.exec(select(ShiftTemplate))},
        open_ and covers(actor, "grades.assess", cycle),
    )


def unanswered(session: Session, cycle: AssessmentCycle) -> list[str]:
    """Flags of the policy's columns that nobody has answered."""
    answers = _answers(session, cycle)
    of_cycle = sa.select(col(Assessment.id)).where(col(Assessment.cycle_id) == cycle.id)
    flags = of_rows(
        session, ("flags", cycle.id, cycle.policy_id),
        [(Assessment, col(Assessment.cycle_id) == cycle.id),
         (GradeDecision, col(GradeDecision.assessment_id).in_(of_cycle))],
        lambda: _flags(session, cycle),
    )  # fmt: skip
    return [flag for flag in flags if flag not in answers]


def _flags(session: Session, cycle: AssessmentCycle) -> tuple[str, ...]:
    rules = _rules(session, cycle)
    found = _comparisons(_outcomes(session, cycle), rules.columns, rules, {})
    return tuple(line.flag for one in found for line in one.lines if line.flag)


def answer(
    session: Session, actor: Actor, cycle_id: int, flag: str, text: str, at: datetime
) -> FairnessAnswer:
    """Say in writing why a flagged difference is (or is not) all right.

    Raises
    ------
    InputError
        Nothing is said.
    ConflictError
        The cycle is not in review.
    """
    access.require(actor, "grades.assess")
    cycle = session.get_one(AssessmentCycle, cycle_id)
    require_all(actor, "grades.assess", cycle)
    if cycle.status != CycleStatus.REVIEW:
        raise ConflictError("flags are answered while a cycle is in review")
    if faults := check_reason(text):
        raise InputError.of(faults)
    row = FairnessAnswer(
        cycle_id=cycle_id, at=at, answered_by=actor.name, flag=flag, text=text.strip()
    )
    session.add(row)
    session.flush()
    audit.record(session, at, actor.name, "grade.fairness", f"cycle {cycle.code}",
                 flag=flag, answer=row.text)  # fmt: skip
    return row


def _rules(session: Session, cycle: AssessmentCycle) -> FairnessRules:
    return policy_of(session, cycle).fairness


def _answers(session: Session, cycle: AssessmentCycle) -> dict[str, FairnessAnswer]:
    rows = session.exec(
        select(FairnessAnswer)
        .where(FairnessAnswer.cycle_id == cycle.id)
        .order_by(col(FairnessAnswer.id))
    )
    return {row.flag: row for row in rows}


def _outcomes(
    session: Session, cycle: AssessmentCycle
) -> list[tuple[dict[str, str], dict[str, bool | None]]]:
    """Per agent the groups, and each outcome (None: it could not happen to this agent)."""
    signed = newest_decisions(session, col(Assessment.cycle_id) == cycle.id)
    rows = session.execute(
        sa.select(
            col(Assessment.id), col(Assessment.groups), col(Assessment.previous_grade),
            col(Assessment.proposed_grade),
        ).where(col(Assessment.cycle_id) == cycle.id)
    )  # fmt: skip
    return [
        (groups, _outcome(before or Grade.ORDINARY, proposed, signed.get(number)))
        for number, groups, before, proposed in rows
    ]


def _outcome(before: Grade, after: Grade, signed: GradeDecision | None) -> dict[str, bool | None]:
    if signed and signed.action not in (DecisionAction.SEND_BACK, DecisionAction.WITHDRAW):
        after = signed.grade
    top, bottom = GRADE_RANK[before] == len(GRADE_RANK) - 1, GRADE_RANK[before] == 0
    return {
        "holds_senior": GRADE_RANK[after] >= 1,
        "rises": None if top else GRADE_RANK[after] > GRADE_RANK[before],
        "spared_a_fall": None if bottom else GRADE_RANK[after] >= GRADE_RANK[before],
    }


def _comparisons(
    people: Sequence[tuple[Mapping[str, str], Mapping[str, bool | None]]],
    columns: Sequence[str],
    rules: FairnessRules,
    answers: Mapping[str, FairnessAnswer],
) -> tuple[Comparison, ...]:
    found = []
    for column in columns:
        alike = Counter(
            (groups.get(column), tuple(outcomes[name] for name in OUTCOMES))
            for groups, outcomes in people
        )
        for place, outcome in enumerate(OUTCOMES):
            counts: dict[str, tuple[int, int]] = {}
            for (group, outcomes), people_alike in alike.items():
                happened = outcomes[place]
                if group and happened is not None:
                    chosen, total = counts.get(group, (0, 0))
                    counts[group] = (chosen + people_alike * happened, total + people_alike)
            judged = {group: pair for group, pair in counts.items()
                      if pair[1] >= rules.least_group}  # fmt: skip
            if len(judged) < 2:
                continue
            lines = []
            for impact in impact_of_counts(judged, rules.level, rules.least_ratio):
                wrong = impact.adverse and impact.significant
                flag = f"{column}:{outcome}:{impact.group}" if wrong else ""
                lines.append(Line(impact, flag, answers.get(flag)))
            found.append(Comparison(column, outcome, tuple(lines)))
    return tuple(found)
