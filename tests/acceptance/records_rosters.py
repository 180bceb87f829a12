"""Demand, rosters and replays on real records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from records_desk import SEED, Desk
from sqlmodel import Session, col, select

from scheduler.result import Params
from scheduler.solve import solve
from wfm import db
from wfm.access import Actor
from wfm.dispatch.model import SECOND, Agent, Ticket, micro
from wfm.dispatch.policy import POLICIES
from wfm.dispatch.replay import Decision, Duty, Trace, run
from wfm.dispatch.report import Report, report
from wfm.services import demand, facts, opening, replaying, roster_versions, rostering
from wfm.settings import Settings
from wfm.tables import Assignment, RosterVersion, Skill, StaffingPlan, Team
from wfm.tables import Ticket as TicketRow
from wfm.words import Role

PLANNER = Actor("planner", roles={Role.PLANNER: None})
EFFORT = 4.0  # the solver's own units, so that the roster is the same on any machine
REPLICATIONS = 3


def plan(desk: Desk, first: date, last: date, at: datetime) -> StaffingPlan:
    with db.transaction(desk.engine) as session:
        plan: StaffingPlan = desk.timed(
            "demand",
            lambda: demand.make_plan(session, PLANNER, first, last, desk.timezone, at),
        )
    desk.figures["plan"] = plan.facts
    return plan


def rosters(desk: Desk, teams: Sequence[str], first: date, last: date, at: datetime) -> list[int]:
    """A month's roster of each team; returns the drafts."""
    settings = Settings(data_dir=desk.folder, timezone=desk.timezone)
    limits = rostering.Limits(seconds=None, effort=EFFORT, workers=1, seed=SEED)
    versions = []
    for code in teams:
        with db.transaction(desk.engine) as session:
            team = session.exec(select(Team).where(Team.code == code)).one()
            roster = rostering.open_roster(session, PLANNER, team.id, first, last, at)
        versions.append(
            desk.timed(
                f"roster {code}",
                lambda roster_id=roster.id: rostering.solve(
                    desk.engine, roster_id, limits, PLANNER.name, settings
                ),
            )
        )
    _tell_rosters(desk, teams, versions)
    return versions


def _tell_rosters(desk: Desk, teams: Sequence[str], versions: Sequence[int]) -> None:
    told = desk.figures["rosters"] = {}
    with db.transaction(desk.engine) as session:
        for code, version_id in zip(teams, versions, strict=True):
            version = session.get_one(RosterVersion, version_id)
            costs: Counter[str] = Counter()
            for breach in version.verdict["costs"]:
                costs[breach["rule"]] += breach["cost"]
            told[code] = {
                "agents": len(version.problem["agents"]),
                "duties": session.scalar(
                    sa.select(sa.func.count())
                    .select_from(Assignment)
                    .where(col(Assignment.version_id) == version_id)
                ),
                "violations": len(version.verdict["violations"]),
                "cost": version.verdict["cost"],
                "bound": version.result["bound"],
                "status": version.result["status"],
                "terms": dict(costs.most_common()),
                "gaps": dict(
                    Counter(b["kind"] for b in version.verdict["costs"] if "under" in b["kind"])
                ),
                "cover": cover_of(version),
            }


def replay_plan(
    desk: Desk, versions: Sequence[int], skills: Sequence[str], at: datetime
) -> dict[str, Any]:
    """The product's own gate: arrivals drawn from the forecast."""
    with db.transaction(desk.engine) as session:
        outcome: dict[str, Any] = desk.timed(
            "replay of drawn arrivals",
            lambda: replaying.gate(
                session, PLANNER, versions, desk.timezone, at,
                replications=REPLICATIONS, seed=SEED,
            ),
        )  # fmt: skip
    names = ("tickets", "share_met", "share_low", "share_high", "agreed_share", "utilisation",
             "wait_p50_s", "wait_p95_s", "per_tier")  # fmt: skip
    desk.figures["drawn"] = {name: outcome[name] for name in names} | {
        "per_skill": {name: outcome["per_skill"][name] for name in skills}
    }
    return outcome


def replay_own(
    desk: Desk, versions: Sequence[int], skills: Sequence[str], first: date, last: date
) -> tuple[list[Decision], Report]:
    """The tickets that really came in the period, run through dispatch over the rosters."""
    with db.transaction(desk.engine) as session:
        trace = own_trace(desk, session, skills, first, last)
        people = facts.agents_on(session, first)
        codes = {person.id: person.code for person in people}
        rows = session.exec(
            select(Assignment).where(col(Assignment.version_id).in_(versions))
        ).all()
    duties = [Duty(codes[row.agent_id], *span) for row in rows for span in replaying.presence(row)]
    on_duty = {duty.agent_id for duty in duties}
    agents = [
        Agent(p.code, replaying.TIERS[p.grade], p.skills, p.capacity)
        for p in people
        if p.code in on_duty
    ]
    decisions = desk.timed(
        "replay of own arrivals",
        lambda: run(trace, agents, duties, POLICIES["deadline"]()),
    )
    assert decisions == run(trace, agents, duties, POLICIES["deadline"]())
    told = report(decisions, agents, duties)
    desk.figures["own"] = told_replay(told)
    return decisions, told


def own_trace(
    desk: Desk, session: Session, skills: Sequence[str], first: date, last: date
) -> Trace:
    business = opening.desk_time(session, desk.timezone)
    begin = replaying.instant_of(first, 0, desk.timezone)
    end = replaying.instant_of(last + timedelta(days=1), 0, desk.timezone)
    rows = session.exec(
        select(TicketRow, Skill.code)
        .join(Skill, col(Skill.id) == TicketRow.skill_id)
        .where(col(Skill.code).in_(skills), TicketRow.opened_at >= begin, TicketRow.opened_at < end)
        .order_by(TicketRow.code)
    ).all()
    tickets = [
        Ticket(
            row.code, micro(row.opened_at),
            micro(business.add(row.opened_at, row.respond_within_s)), skill,
            replaying.TIERS[row.min_grade], row.priority,
        )
        for row, skill in rows
    ]  # fmt: skip
    return Trace(tickets, [row.handle_s * SECOND for row, _ in rows], [None] * len(rows))


def told_replay(told: Report) -> dict[str, Any]:
    """A replay's figures as they are kept."""
    return {
        "tickets": told.overall.tickets, "served": told.overall.served, "met": told.overall.met,
        "share": told.overall.value, "interval": told.overall.interval, "waits": told.waits,
        "utilisation": told.utilisation, "abandoned": told.abandoned, "unserved": told.unserved,
        "reasons": told.reasons,
        "per_priority": {str(k): [v.tickets, v.met] for k, v in told.per_priority.items()},
        "per_tier": {k: [v.tickets, v.met] for k, v in told.per_tier.items()},
    }  # fmt: skip


def cover_of(version: RosterVersion) -> dict[str, int]:
    """Person-half-hours that skills are wanted for, and how many of them are not covered."""
    wanted = sum(
        one["desired"] * (one["end"] - one["start"]) // 30
        for one in version.problem["interval_cover"]
        if one.get("skill")
    )
    short = sum(
        breach["amount"]
        for breach in version.verdict["costs"]
        if breach["kind"] == "interval_cover_under" and breach["facts"].get("skill")
    )
    return {"wanted": wanted, "short": short}


def check_rosters(desk: Desk, versions: Sequence[int]) -> None:
    """The judge finds no hard rule broken, and names what is wanted and not there."""
    with db.transaction(desk.engine) as session:
        for version_id in versions:
            version = session.get_one(RosterVersion, version_id)
            assert version.verdict["violations"] == []
            assert version.verdict["cost"] == sum(one["cost"] for one in version.verdict["costs"])
            assert version.result["bound"] <= version.verdict["cost"]
            for one in version.verdict["costs"]:
                if one["kind"] == "interval_cover_under":
                    assert one["facts"]["cause"]
                    assert len(one["days"]) == 1
                    assert one["amount"] > 0


def check_repeatable(desk: Desk, version_id: int) -> None:
    """The same problem, seed and effort give the same roster."""
    with db.transaction(desk.engine) as session:
        version = session.get_one(RosterVersion, version_id)
        stored = roster_versions.cells_of(session, version)
    params = Params(seconds=None, effort=EFFORT, workers=1, seed=SEED)
    found = solve(roster_versions.problem_of(version), params)
    assert found.roster is not None
    assert found.roster.cells == stored.cells
    assert (found.cost, found.bound) == (version.verdict["cost"], version.result["bound"])


def check_replay(decisions: Sequence[Decision], told: Report, codes: set[str]) -> None:
    """Every ticket is accounted for once, with the reason for what became of it."""
    assert len(decisions) == len(codes) == told.overall.tickets
    assert {decision.ticket.ticket_id for decision in decisions} == codes
    assert told.overall.served + told.unserved == told.overall.tickets
    assert sum(told.reasons.values()) == told.overall.tickets
    assert all(decision.turn for decision in decisions)
    assert 0 <= told.overall.met <= told.overall.served
    assert 0 <= (told.utilisation or 0) <= 1
    low, high = told.overall.interval or (0, 1)
    assert 0 <= low <= (told.overall.value or 0) <= high <= 1


def codes_between(desk: Desk, skills: Sequence[str], first: date, last: date) -> set[str]:
    """Tickets of these skills opened in a period, from the tables."""
    begin = replaying.instant_of(first, 0, desk.timezone)
    end = replaying.instant_of(last + timedelta(days=1), 0, desk.timezone)
    with db.transaction(desk.engine) as session:
        return set(
            session.exec(
                select(TicketRow.code)
                .join(Skill, col(Skill.id) == TicketRow.skill_id)
                .where(
                    col(Skill.code).in_(skills),
                    TicketRow.opened_at >= begin,
                    TicketRow.opened_at < end,
                )
            )
        )
