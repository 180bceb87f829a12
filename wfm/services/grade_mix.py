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
from wfm.tables import Requirement, StaffingPlan, Team
from wfm.words import Grade

RANK = {grade: place for place, grade in enumerate(Grade)}


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
    found = []
    for team in facts.teams(session, actor.teams("grades.view")):
        assert team.id is not None
        people = facts.agents_on(session, today, team.id)
        counts = Counter(one.grade for one in people)
        found.append(
            TeamMix(
                team, len(people), {grade.value: counts[grade] for grade in Grade},
                _tiers(needs.get(team.id, {}), counts, len(people)),
            )
        )  # fmt: skip
    period = (plan.period_from, plan.period_until) if plan is not None else None
    return Mix(period, tuple(found))


def _needs(session: Session, plan_id: int | None) -> dict[int, dict[Grade, tuple[float, float]]]:
    """Per team and tier: person-intervals in all, and the most people at once."""
    at_once = (
        sa.select(
            col(Requirement.team_id), col(Requirement.tier), col(Requirement.starts_at),
            sa.func.sum(col(Requirement.people)).label("people"),
        )
        .where(col(Requirement.plan_id) == plan_id)
        .group_by(col(Requirement.team_id), col(Requirement.tier), col(Requirement.starts_at))
        .subquery()
    )  # fmt: skip
    rows = session.execute(
        sa.select(
            at_once.c.team_id, at_once.c.tier, sa.func.sum(at_once.c.people),
            sa.func.max(at_once.c.people),
        ).group_by(at_once.c.team_id, at_once.c.tier)
    )  # fmt: skip
    found: dict[int, dict[Grade, tuple[float, float]]] = defaultdict(dict)
    for team_id, tier, total, most in rows:
        if team_id is not None:
            found[team_id][Grade(tier)] = (float(total), float(most))
    return found


def _tiers(
    needs: dict[Grade, tuple[float, float]], counts: Counter[Grade], agents: int
) -> tuple[TierNeed, ...]:
    whole = sum(total for total, _ in needs.values())
    if not whole or not agents:
        return ()
    found = []
    for grade in Grade:
        above = [other for other in Grade if RANK[other] >= RANK[grade]]
        held = sum(counts[other] for other in above)
        total = sum(needs.get(other, (0.0, 0.0))[0] for other in above)
        most = max(needs.get(other, (0.0, 0.0))[1] for other in above)
        found.append(TierNeed(grade, held, held / agents, total / whole, most))
    return tuple(found)
