"""What the forecast page shows: history, forecast, errors, special days, adjustments, sources."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlmodel import Session, col

from scheduler.demand.backtest import Spread
from wfm import access
from wfm.access import Actor
from wfm.errors import NotFoundError
from wfm.services import adjustments, roster_pages, rostering
from wfm.services.day_types import NamedDay, days_between
from wfm.services.forecasting import SLOT_MIN
from wfm.services.roster_cover import promise
from wfm.services.roster_problems import REPLAY_SOURCE, instant_of, newest_plan
from wfm.tables import Demand, ForecastAdjustment, Job, Requirement, Skill, StaffingPlan
from wfm.words import Grade

SLOTS_A_DAY = 24 * 60 // SLOT_MIN


@dataclass(frozen=True)
class HalfHour:
    """One slot of a day: contacts with their interval, handle time, people per tier and cause."""

    minute: int
    contacts: float
    low: float
    high: float
    handle_s: float
    people: dict[str, int]
    causes: tuple[str, ...]

    @property
    def wanted(self) -> int:
        return sum(self.people.values())


@dataclass(frozen=True)
class Source:
    """What one promise (or a replay) asks for: person-hours per tier, and the clauses behind it."""

    cause: str
    hours: dict[str, float]
    clauses: tuple[tuple[str, float], ...]

    @property
    def total(self) -> float:
        return sum(self.hours.values())

    @property
    def from_replay(self) -> bool:
        return self.cause.startswith(REPLAY_SOURCE)

    def text(self, language: str) -> str:
        return promise(self.cause, language)


@dataclass(frozen=True)
class ForecastPage:
    first: date
    last: date
    periods: tuple[tuple[date, date], ...]
    plan: StaffingPlan | None
    plan_job: Job | None
    skills: dict[str, Skill]
    skill: str
    day: date
    facts: dict[str, Any]
    named: dict[date, NamedDay]
    half_hours: tuple[HalfHour, ...]
    sources: tuple[Source, ...]
    changes: tuple[ForecastAdjustment, ...]
    outdated: int

    @property
    def skill_ids(self) -> dict[int | None, Skill]:
        return {skill.id: skill for skill in self.skills.values()}


def page(
    session: Session,
    actor: Actor,
    first: date,
    last: date,
    timezone: str,
    skill: str = "",
    day: date | None = None,
) -> ForecastPage:
    """The newest plan of a period as one skill sees it (the busiest, when none is named).

    Raises
    ------
    NotFoundError
        The plan knows no such skill, or the day lies outside the period.
    """
    access.require(actor, "rosters.view")
    rostering.check_period(first, last)
    plan = newest_plan(session, first, last)
    known = plan.facts.get("skills", {}) if plan else {}
    if skill and plan and skill not in known:
        raise NotFoundError("the plan of this period knows no such skill")
    if day is not None and not first <= day <= last:
        raise NotFoundError("this day lies outside the period")
    chosen = skill or max(known, key=lambda code: known[code]["contacts"], default="")
    shown = day or first
    facts = known.get(chosen, {})
    return ForecastPage(
        first=first,
        last=last,
        periods=tuple(roster_pages.periods(session, actor)),
        plan=plan,
        plan_job=roster_pages.plan_job(session, first, last),
        skills=roster_pages.skills(session),
        skill=chosen,
        day=shown,
        facts=facts,
        named=_named(session, facts, last),
        half_hours=_half_hours(session, plan, chosen, shown, timezone, facts) if plan else (),
        sources=_sources(session, plan, chosen) if plan else (),
        changes=tuple(adjustments.between(session, first, last)),
        outdated=adjustments.newer_than(session, first, last, plan.made_at) if plan else 0,
    )


def _named(session: Session, facts: dict[str, Any], last: date) -> dict[date, NamedDay]:
    """Named days from the first one the chart shows on."""
    shown = [date.fromisoformat(day) for day, _ in facts.get("past", [])]
    if not shown:
        return {}
    try:
        return {day.date: day for day in days_between(session, shown[0], last) if day.name_zh}
    except NotFoundError:
        return {}


def _half_hours(
    session: Session,
    plan: StaffingPlan,
    skill: str,
    day: date,
    timezone: str,
    facts: dict[str, Any],
) -> tuple[HalfHour, ...]:
    begin, end = instant_of(day, 0, timezone), instant_of(day + timedelta(days=1), 0, timezone)
    expected = session.execute(
        sa.select(col(Demand.starts_at), col(Demand.contacts), col(Demand.handle_s))
        .join(Skill, col(Skill.id) == col(Demand.skill_id))
        .where(
            col(Demand.plan_id) == plan.id, col(Skill.code) == skill,
            col(Demand.starts_at) >= begin, col(Demand.starts_at) < end,
        )
    ).all()  # fmt: skip
    contacts, handle = np.zeros(SLOTS_A_DAY), np.zeros(SLOTS_A_DAY)
    for at, count, seconds in expected:
        slot = _slot(at, begin)
        contacts[slot], handle[slot] = count, seconds
    spread = facts.get("spread", {})
    low, high = Spread(spread.get("extra", 0.0), None).interval(contacts)
    people: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    causes: dict[int, list[str]] = defaultdict(list)
    wanted = session.execute(
        sa.select(
            col(Requirement.starts_at), col(Requirement.tier), col(Requirement.source),
            sa.func.sum(col(Requirement.people)),
        )
        .join(Skill, col(Skill.id) == col(Requirement.skill_id))
        .where(
            col(Requirement.plan_id) == plan.id, col(Skill.code) == skill,
            col(Requirement.starts_at) >= begin, col(Requirement.starts_at) < end,
        )
        .group_by(col(Requirement.starts_at), col(Requirement.tier), col(Requirement.source))
        .order_by(col(Requirement.starts_at), col(Requirement.source))
    ).all()  # fmt: skip
    for at, tier, source, count in wanted:
        slot = _slot(at, begin)
        people[slot][Grade(tier).value] += round(count)
        if source not in causes[slot]:
            causes[slot].append(source)
    return tuple(
        HalfHour(
            minute=slot * SLOT_MIN,
            contacts=float(contacts[slot]),
            low=float(low[slot]),
            high=float(high[slot]),
            handle_s=float(handle[slot]),
            people=dict(people[slot]),
            causes=tuple(causes[slot]),
        )
        for slot in range(SLOTS_A_DAY)
    )


def _slot(at: datetime, begin: datetime) -> int:
    return min(int((at - begin).total_seconds() // 60 // SLOT_MIN), SLOTS_A_DAY - 1)


def _sources(session: Session, plan: StaffingPlan, skill: str) -> tuple[Source, ...]:
    """Person-hours by promise and tier of one skill, the largest first."""
    rows = session.execute(
        sa.select(
            col(Requirement.source), col(Requirement.tier), sa.func.sum(col(Requirement.people))
        )
        .join(Skill, col(Skill.id) == col(Requirement.skill_id))
        .where(col(Requirement.plan_id) == plan.id, col(Skill.code) == skill)
        .group_by(col(Requirement.source), col(Requirement.tier))
    ).all()
    hours: dict[str, dict[str, float]] = defaultdict(dict)
    for source, tier, people in rows:
        hours[source][Grade(tier).value] = people * SLOT_MIN / 60
    behind = plan.facts.get("promises", {})
    found = [
        Source(cause, by_tier, tuple((str(c), float(part)) for c, part in behind.get(cause, [])))
        for cause, by_tier in hours.items()
    ]
    return tuple(sorted(found, key=lambda source: (-source.total, source.cause)))
