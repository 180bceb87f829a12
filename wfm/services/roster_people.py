"""The people of a roster: who is in the team when, what each may do, who is away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from sqlmodel import Session, col, select

from scheduler import problem as p
from wfm.services.facts import AgentFacts, agents_on
from wfm.tables import Agent, AgentRestriction, AgentTeam, Leave, Roster, ShiftTemplate
from wfm.words import Mode, RestrictionKind

ELSEWHERE = "elsewhere"  # kind of absence of those not in the team on a day


def members(session: Session, roster: Roster) -> list[AgentFacts]:
    """Everybody who is in the team on any day of the roster, by code, as of their first day."""
    first = roster.period_from
    found = {agent.id: agent for agent in agents_on(session, first, roster.team_id)}
    joined = session.exec(
        select(AgentTeam).where(
            AgentTeam.team_id == roster.team_id,
            AgentTeam.valid_from > first,
            AgentTeam.valid_from <= roster.period_until,
        )
    )
    for day in sorted({row.valid_from for row in joined}):
        for agent in agents_on(session, day, roster.team_id):
            found.setdefault(agent.id, agent)
    return sorted(found.values(), key=lambda agent: agent.code)


def elsewhere(session: Session, roster: Roster, codes: dict[int, str]) -> list[p.Leave]:
    """Days on which a member is not in the team: not yet, no longer, or has left."""
    rows = session.exec(
        select(AgentTeam, Agent)
        .join(Agent, col(Agent.id) == AgentTeam.agent_id)
        .where(AgentTeam.team_id == roster.team_id, col(AgentTeam.agent_id).in_(codes))
    ).all()
    there: dict[int, set[date]] = defaultdict(set)
    days = [
        roster.period_from + timedelta(days=n)
        for n in range((roster.period_until - roster.period_from).days + 1)
    ]
    for row, agent in rows:
        ends = min(row.valid_until or date.max, agent.left_on or date.max)
        there[row.agent_id] |= {day for day in days if row.valid_from <= day < ends}
    return [
        p.Leave(code, day, day, ELSEWHERE)
        for agent_id, code in codes.items()
        for day in days
        if day not in there[agent_id]
    ]


def roster_agent(
    agent: AgentFacts, restricted: Sequence[AgentRestriction], site: str | None = None
) -> p.Agent:
    """An agent as roster and duty problems know her."""
    return p.Agent(
        id=agent.code,
        name=agent.name,
        grade=agent.grade.value,
        skills=tuple(agent.skills),
        sites=(site,) if site else (),
        day_minutes=agent.minutes_per_day,
        restrictions=_protections(agent, restricted),
        declines=() if agent.overtime_consent else ("overtime",),
    )


def restrictions(session: Session) -> defaultdict[int, list[AgentRestriction]]:
    """What agents must be spared, by agent."""
    found: defaultdict[int, list[AgentRestriction]] = defaultdict(list)
    for row in session.exec(select(AgentRestriction).order_by(col(AgentRestriction.id))):
        found[row.agent_id].append(row)
    return found


def _protections(
    agent: AgentFacts, restricted: Sequence[AgentRestriction]
) -> tuple[p.Restriction, ...]:
    kinds: dict[RestrictionKind, tuple[str, ...]] = {
        RestrictionKind.NO_NIGHT: ("no_nights",),
        RestrictionKind.NO_OVERTIME: ("no_overtime",),
        RestrictionKind.MINOR: ("no_nights", "no_overtime"),
    }
    found = [
        p.Restriction(kind, row.valid_from, _last_day(row.valid_until))  # type: ignore[arg-type]
        for row in restricted
        for kind in kinds.get(row.kind, ())
    ]
    if not agent.night_consent:
        found.append(p.Restriction("no_nights", date(1995, 1, 1), _last_day(None), "contract"))
    return tuple(found)


def _last_day(until: date | None) -> date:
    return (until or date(2200, 1, 1)) - timedelta(days=1)


def from_home(
    restricted: dict[int, list[AgentRestriction]],
    codes: dict[int, str],
    days: Sequence[date],
    shifts: Sequence[ShiftTemplate],
) -> list[p.Forbidden]:
    """Shifts on site are closed to whoever may only work from home."""
    return [
        p.Forbidden(code, day, shift.code, RestrictionKind.NO_ON_SITE.value)
        for agent_id, code in codes.items()
        for row in restricted.get(agent_id, ())
        if row.kind == RestrictionKind.NO_ON_SITE
        for day in days
        if row.valid_from <= day <= _last_day(row.valid_until)
        for shift in shifts
        if shift.mode == Mode.ON_SITE
    ]


def leave(session: Session, codes: dict[int, str], first: date, last: date) -> list[p.Leave]:
    rows = session.exec(
        select(Leave)
        .where(col(Leave.agent_id).in_(codes), Leave.start_on <= last, Leave.end_on >= first)
        .order_by(col(Leave.start_on))
    )
    return [p.Leave(codes[row.agent_id], row.start_on, row.end_on, row.kind.value) for row in rows]


def agent_ids(session: Session, codes: list[str]) -> dict[str, int]:
    """Row numbers of agents by code."""
    rows = session.exec(select(Agent).where(col(Agent.code).in_(codes)))
    return {row.code: row.id for row in rows if row.id is not None}
