"""The cases of assessment cycles as read models: who, what is proposed, on what evidence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from grading.evidence import FAMILIES
from grading.policy import CRITERIA, Criterion, GradePolicy
from wfm.kept import of_rows
from wfm.services import grade_appeals
from wfm.services.grade_policies import read
from wfm.services.grading import newest_decisions, state_of, team_of_assessed, vetoed
from wfm.tables import Agent, AgentTeam, Assessment, AssessmentCycle, GradeDecision
from wfm.tables import GradePolicy as PolicyRow
from wfm.words import Grade

MOST_CYCLES = 24
MOVES = ("rise", "fall")
NEEDS_A_PERSON = (*MOVES, "blocked", "undecided")
UNITS = {"tenure": "months", "quality": "score", "initiative": "points"}
LONGEST_SERVICE = 600.0  # months
STORED = ("verdict", "n", "value", "low", "high", "raw", "adjusted", "reliability")


@dataclass(frozen=True)
class Case:
    """One agent in one cycle. `signed` is the newest decision; None while nobody decided.

    `second` is the grade that takes two persons, `appealed` whether an appeal waits, `veto`
    whether a serious event is on record or a criterion is at its veto.
    """

    id: int
    agent_id: int
    code: str
    name: str
    team_id: int | None
    present: Grade | None
    proposed: Grade
    decision: str
    probabilities: dict[str, float]
    veto: bool
    signed: GradeDecision | None
    second: Grade = Grade.EXPERT
    appealed: bool = False

    @property
    def state(self) -> str:
        state = state_of(self.signed, self.present, self.second)
        return "appealed" if self.appealed and state == "decided" else state

    @property
    def kind(self) -> str:
        """The queue the case belongs to."""
        return "moves" if self.decision in MOVES else self.decision

    @property
    def needs_a_person(self) -> bool:
        waits = self.state == "open" and (self.veto or self.decision in NEEDS_A_PERSON)
        return waits or self.state in ("sent_back", "half", "appealed")


@dataclass(frozen=True)
class Scale:
    """The ends of a criterion's axis, and the limits drawn on it."""

    low: float
    high: float
    limits: dict[str, float]  # "entry senior", "exit expert", "floor senior", "veto expert" …


@dataclass(frozen=True)
class CriterionView:
    """One criterion of one agent; every figure is None where there are no records."""

    name: str
    unit: str
    verdict: str
    n: int
    needed: int
    weight: float
    value: float | None
    low: float | None
    high: float | None
    raw: float | None
    adjusted: float | None
    reliability: float | None
    scale: Scale


@dataclass(frozen=True)
class TrendPoint:
    """What one cycle said of the agent."""

    cycle: AssessmentCycle
    case: Case
    criteria: tuple[CriterionView, ...]


@dataclass(frozen=True)
class Rules:
    """A policy with the axes its criteria are drawn on."""

    policy: GradePolicy
    scales: dict[Criterion, Scale]


@lru_cache(maxsize=16)
def rules_of(policy_text: str) -> Rules:
    """Read a stored policy; its text never changes, so it is read once."""
    policy = read(policy_text)
    return Rules(policy, _scales(policy))


def rules_of_cycle(session: Session, cycle: AssessmentCycle) -> Rules:
    """The rules a cycle was assessed by."""
    return rules_of(session.get_one(PolicyRow, cycle.policy_id).text)


def criteria_of(evidence: dict[str, Any], rules: Rules) -> tuple[CriterionView, ...]:
    """What is stored of an agent's evidence, with the axes to draw it on."""
    return tuple(
        CriterionView(
            name=name,
            unit=UNITS.get(name, "share"),
            needed=rules.policy.criteria[name].minimum_evidence,
            weight=rules.policy.criteria[name].weight,
            scale=rules.scales[name],
            **{figure: evidence[name].get(figure) for figure in STORED},
        )
        for name in CRITERIA
    )


def _scales(policy: GradePolicy) -> dict[Criterion, Scale]:
    """Axes that show the limits of the policy with as much room on either side."""
    found: dict[Criterion, Scale] = {}
    for name, rule in policy.criteria.items():
        limits = {
            f"{kind} {grade}": limit
            for kind in ("entry", "exit", "floor", "veto")
            for grade in ("senior", "expert")
            if (limit := getattr(getattr(rule, kind), grade)) is not None
        }
        least, most = _natural(name, policy)
        drawn = [v for key, v in limits.items() if not key.startswith("veto")] or [least, most]
        room = max(drawn) - min(drawn) or (most - least) / 4
        found[name] = Scale(max(least, min(drawn) - room), min(most, max(drawn) + room), limits)
    return found


def _natural(name: Criterion, policy: GradePolicy) -> tuple[float, float]:
    if FAMILIES[name] == "share":
        return 0.0, 1.0
    return {
        "quality": (policy.reviews.lowest, policy.reviews.highest),
        "initiative": (0.0, policy.contributions.cap_per_month),
    }.get(name, (0.0, LONGEST_SERVICE))


def cases_of(
    session: Session, cycle: AssessmentCycle, covered: frozenset[int] | None
) -> list[Case]:
    """All cases of a cycle within these teams, by agent, without their long documents."""
    proposed = of_rows(
        session, ("cases", cycle.id, cycle.as_of),
        [(Assessment, col(Assessment.cycle_id) == cycle.id), (Agent, None), (AgentTeam, None)],
        lambda: _proposed(session, cycle),
    )  # fmt: skip
    signed = newest_decisions(session, col(Assessment.cycle_id) == cycle.id)
    second = Grade(rules_of_cycle(session, cycle).policy.cycle.second_signature)
    appeals = grade_appeals.waiting(session, cycle)
    return [
        Case(*(*row, signed.get(row.id), second, row.id in appeals))
        for row in proposed
        if covered is None or row.team_id in covered
    ]


def _proposed(session: Session, cycle: AssessmentCycle) -> tuple[Any, ...]:
    """Of each case of a cycle what was proposed: the first columns of `Case`."""
    query = (
        sa.select(
            col(Assessment.id), col(Agent.id), col(Agent.code), col(Agent.name),
            col(AgentTeam.team_id), col(Assessment.previous_grade),
            col(Assessment.proposed_grade), col(Assessment.decision),
            col(Assessment.probabilities), vetoed(),
        )
        .join(Agent, col(Agent.id) == col(Assessment.agent_id))
        .join(AgentTeam, team_of_assessed(cycle.as_of), isouter=True)
        .where(col(Assessment.cycle_id) == cycle.id)
        .order_by(col(Agent.code))
    )  # fmt: skip
    return tuple(session.execute(query))


def names_of(
    session: Session, cycle: AssessmentCycle, covered: frozenset[int] | None
) -> dict[str, str]:
    """Who was assessed within these teams, by code."""
    query = (
        sa.select(col(Agent.code), col(Agent.name))
        .join(Assessment, col(Assessment.agent_id) == col(Agent.id))
        .join(AgentTeam, team_of_assessed(cycle.as_of), isouter=True)
        .where(col(Assessment.cycle_id) == cycle.id)
    )
    if covered is not None:
        query = query.where(col(AgentTeam.team_id).in_(covered))
    return dict(session.execute(query).all())


def trend_of(session: Session, agent: Agent, until: AssessmentCycle) -> tuple[TrendPoint, ...]:
    """The agent's cases up to a cycle, oldest first."""
    rows: Any = session.execute(
        sa.select(
            AssessmentCycle, col(PolicyRow.text), col(Assessment.evidence), col(Assessment.id),
            col(AgentTeam.team_id), col(Assessment.previous_grade),
            col(Assessment.proposed_grade), col(Assessment.decision),
            col(Assessment.probabilities), vetoed(),
        )
        .join(Assessment, col(Assessment.cycle_id) == col(AssessmentCycle.id))
        .join(PolicyRow, col(PolicyRow.id) == col(AssessmentCycle.policy_id))
        .join(AgentTeam, team_of_assessed(col(AssessmentCycle.as_of)), isouter=True)
        .where(
            col(Assessment.agent_id) == agent.id,
            sa.or_(col(AssessmentCycle.as_of) < until.as_of, col(AssessmentCycle.id) == until.id),
        )
        .order_by(col(AssessmentCycle.as_of).desc(), col(AssessmentCycle.id).desc())
        .limit(MOST_CYCLES)
    ).all()  # fmt: skip
    signed = newest_decisions(session, col(Assessment.agent_id) == agent.id)
    points = []
    for cycle, text, evidence, number, *rest in reversed(rows):
        who = (number, agent.id, agent.code, agent.name)
        rules = rules_of(text)
        second = Grade(rules.policy.cycle.second_signature)
        appealed = number in grade_appeals.waiting(session, cycle)
        case = Case(*(*who, *rest, signed.get(number), second, appealed))
        points.append(TrendPoint(cycle, case, criteria_of(evidence, rules)))
    return tuple(points)
