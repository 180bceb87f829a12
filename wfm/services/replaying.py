"""Prove rosters before publishing: arrivals drawn from the forecast, run through dispatch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm import access, audit
from wfm.access import Actor
from wfm.dispatch.model import SECOND, Agent, Ticket, micro
from wfm.dispatch.replay import Decision, Duty, Trace, run
from wfm.dispatch.report import report
from wfm.errors import ConflictError, NotFoundError
from wfm.services import clock_store, desk_rules, opening, replay_figures
from wfm.services.facts import agents_on
from wfm.services.replay_figures import SLOT_S
from wfm.services.roster_problems import instant_of, newest_plan
from wfm.tables import (
    Agreement,
    AgreementTarget,
    Assignment,
    Demand,
    Roster,
    RosterVersion,
    Skill,
    StaffingPlan,
)
from wfm.tables import Ticket as TicketRow
from wfm.words import AgreementKind, Grade, Metric, Mode

TIERS = {Grade.ORDINARY: 1, Grade.SENIOR: 2, Grade.EXPERT: 3}
LOOK_BACK_DAYS = 56  # of what kind the tickets are: the last eight weeks
DEFAULT_SHARE = 0.9


def gate(
    session: Session,
    actor: Actor,
    version_ids: Sequence[int],
    timezone: str,
    at: datetime,
    *,
    policy: str = "deadline",
    replications: int = 5,
    seed: int = 0,
) -> dict[str, Any]:
    """Replay the desk with these drafts, and keep the outcome beside each of them.

    Teams without a named draft take part with their published roster, since a ticket may go to
    whoever on duty has the skill.
    """
    for version_id in version_ids:
        roster = session.get_one(Roster, _version(session, version_id).roster_id)
        access.require(actor, "rosters.plan", roster.team_id)
    bench = set_up(session, version_ids, timezone, replications=replications, seed=seed)
    runs = [bench.figures(decisions) for decisions in bench.play(policy=policy)]
    outcome = outcome_of(bench, runs, policy, seed)
    keep_outcome(session, actor, version_ids, outcome, at)
    return outcome


def keep_outcome(
    session: Session,
    actor: Actor,
    version_ids: Sequence[int],
    outcome: dict[str, Any],
    at: datetime,
) -> None:
    """Store a replay beside the drafts that took part."""
    for version_id in version_ids:
        _version(session, version_id).replay = outcome
    audit.record(session, at, actor.name, "roster.replay", f"versions {list(version_ids)}",
                 share_met=outcome["share_met"], policy=outcome["policy"],
                 seed=outcome["seed"])  # fmt: skip


@dataclass(frozen=True)
class Bench:
    """The desk with some drafts, to be replayed on the same arrivals again and again."""

    people: tuple[Agent, ...]
    duties: tuple[Duty, ...]
    first: date
    last: date
    agreed: float
    timezone: str
    traces: tuple[Trace, ...] = ()

    def play(
        self,
        more: Sequence[tuple[Agent, Sequence[Duty]]] = (),
        *,
        policy: str = "deadline",
        replications: int | None = None,
    ) -> list[list[Decision]]:
        """What became of every ticket, per replication; `more` people take part with duties."""
        people = [*self.people, *(agent for agent, _ in more)]
        duties = [*self.duties, *(duty for _, mine in more for duty in mine)]
        rules = desk_rules.load()
        return [
            run(trace, people, duties, rules.policy(policy)) for trace in self.traces[:replications]
        ]

    def figures(self, decisions: Sequence[Decision]) -> dict[str, Any]:
        """One replication summed up."""
        said = report(decisions, self.people, self.duties)
        return replay_figures.figures(decisions, said, self.timezone)

    def print_of(self) -> str:
        """The same for the same people with the same duties."""
        people = sorted(
            (one.agent_id, one.grade, one.capacity, sorted((one.skills or {}).items()))
            for one in self.people
        )
        duties = sorted((duty.agent_id, duty.start, duty.end) for duty in self.duties)
        return hashlib.sha256(repr((people, duties)).encode()).hexdigest()


def outcome_of(
    bench: Bench, runs: Sequence[dict[str, Any]], policy: str = "deadline", seed: int = 0
) -> dict[str, Any]:
    """The figures of replications summed up as they are stored and shown."""
    return replay_figures.outcome(runs, bench.agreed, policy, seed, bench.timezone)


def set_up(
    session: Session,
    version_ids: Sequence[int],
    timezone: str,
    *,
    replications: int,
    seed: int,
    traces: Sequence[Trace] | None = None,
) -> Bench:
    """People, their duties and the arrivals of a replay; `traces` are drawn where not given."""
    bench = bench_of(session, version_ids, timezone)
    if traces is None:
        source = source_of(session, bench)
        traces = [source.trace(seed, number) for number in range(replications)]
    return replace(bench, traces=tuple(traces))


def bench_of(session: Session, version_ids: Sequence[int], timezone: str) -> Bench:
    """People and their duties, no arrivals yet."""
    versions = [_version(session, version_id) for version_id in version_ids]
    rosters = [session.get_one(Roster, version.roster_id) for version in versions]
    first = min(roster.period_from for roster in rosters)
    last = max(roster.period_until for roster in rosters)
    agents = agents_on(session, first)
    codes = {a.id: a.code for a in agents}
    return Bench(
        people=tuple(Agent(a.code, TIERS[a.grade], a.skills, a.capacity) for a in agents),
        duties=tuple(_duties(session, codes, versions, rosters, first, last)),
        first=first,
        last=last,
        agreed=agreed_share(session, first, last),
        timezone=timezone,
    )


def source_of(session: Session, bench: Bench) -> TraceSource:
    """Where arrivals of the bench's period are drawn from: the newest staffing plan."""
    plan = newest_plan(session, bench.first, bench.last)
    if plan is None:
        raise ConflictError(
            f"there is no staffing plan from {bench.first} to {bench.last}; make one first"
        )
    return TraceSource(session, plan, bench.first, bench.last, bench.timezone)


def _version(session: Session, version_id: int) -> RosterVersion:
    version = session.get(RosterVersion, version_id)
    if version is None:
        raise NotFoundError(f"there is no roster version {version_id}")
    return version


def agreed_share(session: Session, first: date, last: date) -> float:
    """The least share of first responses in time that binds on a day of the period.

    What is not signed binds nobody, and neither does what own teams or suppliers promise.
    """
    shares = session.exec(
        select(AgreementTarget.share)
        .join(Agreement, col(Agreement.id) == AgreementTarget.agreement_id)
        .where(
            AgreementTarget.metric == Metric.FIRST_RESPONSE,
            Agreement.kind == AgreementKind.SLA,
            Agreement.seal != "",
            col(Agreement.in_force_from) <= last,
            sa.func.coalesce(Agreement.in_force_until, date.max) > first,
        )
    ).all()
    return min(shares, default=DEFAULT_SHARE)


def _duties(
    session: Session,
    codes: dict[int, str],
    versions: list[RosterVersion],
    rosters: list[Roster],
    first: date,
    last: date,
) -> list[Duty]:
    """Presence of everybody: the drafts' teams by the drafts, others by what is published."""
    drafted = [version.id for version in versions]
    replaced = select(RosterVersion.id).where(
        col(RosterVersion.roster_id).in_([roster.id for roster in rosters])
    )
    rows = session.exec(
        select(Assignment).where(
            Assignment.day >= first - timedelta(days=1),
            Assignment.day <= last,
            Assignment.mode != Mode.STANDBY,
            col(Assignment.version_id).in_(drafted)
            | (col(Assignment.live) & col(Assignment.version_id).not_in(replaced)),
        )
    )
    duties = []
    for row in rows:
        if row.agent_id in codes:
            duties += [Duty(codes[row.agent_id], *span) for span in presence(row)]
    return duties


def presence(assignment: Any) -> list[tuple[int, int]]:
    """Spans of an assignment (or a row of it) less its breaks, microseconds since the epoch."""
    spans, at = [], micro(assignment.starts_at)
    for pause in sorted(assignment.breaks, key=lambda pause: str(pause["from"])):
        begin = micro(datetime.fromisoformat(pause["from"]))
        if begin > at:
            spans.append((at, begin))
        at = max(at, micro(datetime.fromisoformat(pause["until"])))
    end = micro(assignment.ends_at)
    if at < end:
        spans.append((at, end))
    return spans


class TraceSource:
    """Draws arrivals: a Poisson number per half-hour, each ticket like a real recent one."""

    def __init__(
        self, session: Session, plan: StaffingPlan, first: date, last: date, timezone: str
    ) -> None:
        self.time = opening.desk_time(session, timezone)
        self.demand = self._demand(session, plan, first, last, timezone)
        self.past = self._past(session)

    def _demand(
        self, session: Session, plan: StaffingPlan, first: date, last: date, timezone: str
    ) -> pd.DataFrame:
        begin = instant_of(first, 0, timezone)
        end = instant_of(last + timedelta(days=1), 0, timezone)
        rows = session.exec(
            select(Skill.code, Demand.starts_at, Demand.contacts)
            .join(Skill, col(Skill.id) == Demand.skill_id)
            .where(Demand.plan_id == plan.id, Demand.starts_at >= begin, Demand.starts_at < end)
            .order_by(Skill.code, col(Demand.starts_at))
        ).all()
        frame = pd.DataFrame(rows, columns=["skill", "starts_at", "contacts"])
        frame["second"] = [round(at.timestamp()) for at in frame["starts_at"]]
        return frame

    def _past(self, session: Session) -> dict[str, pd.DataFrame]:
        """Recent tickets by skill: tier, priority, promise and work belong together."""
        newest = session.exec(
            select(TicketRow.opened_at).order_by(col(TicketRow.opened_at).desc()).limit(1)
        ).first()
        if newest is None:
            raise ConflictError("there are no tickets to draw from; import tickets first")
        promised = clock_store.promised_response()
        rows = session.execute(
            sa.select(
                col(Skill.code), col(TicketRow.min_grade), col(TicketRow.priority),
                promised.label("respond_s"), col(TicketRow.handle_s), col(TicketRow.kind),
            )
            .join(Skill, col(Skill.id) == TicketRow.skill_id)
            .where(
                col(TicketRow.opened_at) > newest - timedelta(days=LOOK_BACK_DAYS),
                col(TicketRow.handle_s).is_not(None),
                promised.is_not(None),
            )
            .order_by(col(TicketRow.id))
        ).all()  # fmt: skip
        frame = pd.DataFrame(
            rows, columns=["skill", "tier", "priority", "respond_s", "handle_s", "kind"]
        )
        frame["tier"] = frame["tier"].map(TIERS)
        frame["weight"] = frame["kind"].map(desk_rules.load().weight)
        return {str(skill): part.reset_index(drop=True) for skill, part in frame.groupby("skill")}

    def trace(self, seed: int, number: int) -> Trace:
        """One possible course of the period, the same for the same seed and number."""
        rng = np.random.default_rng([seed, number])
        rules = desk_rules.load()
        tickets: list[Ticket] = []
        handle: list[int] = []
        for skill, slots in self.demand.groupby("skill", sort=True):
            past = self.past.get(str(skill))
            if past is None:
                continue
            counts = rng.poisson(slots["contacts"].to_numpy())
            opened = np.repeat(slots["second"].to_numpy(), counts)
            opened = np.sort(opened + rng.integers(0, SLOT_S, len(opened)))
            like = past.iloc[rng.integers(0, len(past), len(opened))]
            due = self.time.add_many(opened, like["respond_s"].to_numpy())
            columns = (like[name] for name in ("tier", "priority", "handle_s", "weight"))
            for number, (begin, until, tier, priority, work, weight) in enumerate(
                zip(opened, due, *columns, strict=True)
            ):
                tickets.append(
                    Ticket(
                        f"{skill}-{number:06d}", int(begin) * SECOND, int(until) * SECOND,
                        str(skill), int(tier), int(priority), rules.wanted(int(priority)),
                        int(weight),
                    )
                )  # fmt: skip
                handle.append(int(work) * SECOND)
        return Trace(tickets, handle, [None] * len(tickets))
