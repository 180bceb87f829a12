"""Grades against need: does a team have the grades its tickets ask for?"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlmodel import Session, col

from wfm import access
from wfm.access import Actor
from wfm.services import facts
from wfm.services.grade_filters import GRADE_RANK
from wfm.tables import Requirement, StaffingPlan, Team
from wfm.words import Grade


@dataclass(frozen=True)
class TierNeed:
    """Work that takes at least a grade, and the people who hold it.

    `needed` and `held` are shares: of all person-hours asked for, and of all agents of the team.
    `most` is the most people asked for at once at this tier or above.
    """

    grade: Grade
    agents: int
    held: float
    needed: float
    most: float

    @property
    def short(self) -> bool:
        """Whether too few hold the grade: for the busiest moment, or for their share of work."""
        return self.agents < self.most or self.held < self.needed - 1e-9


@dataclass(frozen=True)
class TeamMix:
    """One team; without a plan only the grades are known."""

    team: Team
    agents: int
    counts: dict[str, int]
    needs: tuple[TierNeed, ...]


@dataclass(frozen=True)
class Mix:
    """All teams an actor may see, and the plan they are held against."""

    period: tuple[date, date] | None
    teams: tuple[TeamMix, ...]


def page(session: Session, actor: Actor, today: date) -> Mix:
    """The grade mix of each team beside what the newest staffing plan needs of each tier."""
    access.require(actor, "grades.view")
    plan = session.execute(
        sa.select(StaffingPlan).order_by(col(StaffingPlan.id).desc()).limit(1)
    ).scalar_one_or_none()
    needs = _needs(session, plan.id) if plan is not None else {}
    grades: dict[int | None, Counter[Grade]] = defaultdict(Counter)
    for one in facts.agents_on(session, today):
        grades[one.team_id][one.grade] += 1
    found = []
    for team in facts.teams(session, actor.teams("grades.view")):
        assert team.id is not None
        counts = grades[team.id]
        found.append(
            TeamMix(
                team, counts.total(), {grade.value: counts[grade] for grade in Grade},
                _tiers(needs.get(team.id, {}), counts, counts.total()),
            )
        )  # fmt: skip
    period = (plan.period_from, plan.period_until) if plan is not None else None
    return Mix(period, tuple(found))


def _needs(session: Session, plan_id: int | None) -> dict[int, dict[Grade, tuple[float, float]]]:
    """Per team and tier, what this tier and those above ask for.

    Person-intervals in all, and the most people at once.
    """
    found: dict[int, dict[Grade, tuple[float, float]]] = defaultdict(dict)
    for grade in Grade:
        at_once = (
            sa.select(
                col(Requirement.team_id), sa.func.sum(col(Requirement.people)).label("people")
            )
            .where(
                col(Requirement.plan_id) == plan_id,
                col(Requirement.team_id).is_not(None),
                col(Requirement.tier).in_(
                    [one for one in Grade if GRADE_RANK[one] >= GRADE_RANK[grade]]
                ),
            )
            .group_by(col(Requirement.team_id), col(Requirement.starts_at))
            .subquery()
        )
        people = at_once.c.people
        rows = sa.select(at_once.c.team_id, sa.func.sum(people), sa.func.max(people))
        for team_id, total, most in session.execute(rows.group_by(at_once.c.team_id)):
            found[team_id][grade] = (float(total), float(most))
    return found


def _tiers(
    needs: dict[Grade, tuple[float, float]], counts: Counter[Grade], agents: int
) -> tuple[TierNeed, ...]:
    whole, _ = needs.get(Grade.ORDINARY, (0.0, 0.0))
    if not whole or not agents:
        return ()
    found = []
    for grade in Grade:
        held = sum(counts[other] for other in Grade if GRADE_RANK[other] >= GRADE_RANK[grade])
        total, most = needs.get(grade, (0.0, 0.0))
        found.append(TierNeed(grade, held, held / agents, total / whole, most))
    return tuple(found)
