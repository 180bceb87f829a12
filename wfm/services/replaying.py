"""Prove rosters before publishing: arrivals drawn from the forecast, run through dispatch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from math import sqrt
from statistics import fmean, stdev
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import sqlalchemy as sa
from scipy.stats import t as student
from sqlmodel import Session, col, select

from wfm import access, audit
from wfm.access import Actor
from wfm.dispatch.model import GRADES, SECOND, Agent, Ticket, micro
from wfm.dispatch.replay import Decision, Duty, Trace, run
from wfm.dispatch.report import Share, report
from wfm.errors import ConflictError, NotFoundError
from wfm.services import clock_store, desk_rules, opening
from wfm.services.facts import agents_on
from wfm.services.roster_problems import instant_of, newest_plan
from wfm.tables import (
    AgreementTarget,
    Assignment,
    Demand,
    Roster,
    RosterVersion,
    Skill,
    StaffingPlan,
)
from wfm.tables import Ticket as TicketRow
from wfm.words import Grade, Mode

TIERS = {Grade.ORDINARY: 1, Grade.SENIOR: 2, Grade.EXPERT: 3}
SLOT_S = 1800
LOOK_BACK_DAYS = 56  # of what kind the tickets are: the last eight weeks
DEFAULT_SHARE = 0.9
LISTED = 10  # half-hours named


@dataclass(frozen=True)
class Shares:
    """Promises kept: the mean over replications with its 95 % interval (Student's t)."""

    mean: float
    low: float
    high: float
    tickets: float


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
    told: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Replay the desk with these drafts, and keep the outcome beside each of them.

    Teams without a named draft take part with their published roster, since a ticket may go to
    whoever on duty has the skill. `told` hears how many replications are done, before each.
    """
    for version_id in version_ids:
        roster = session.get_one(Roster, _version(session, version_id).roster_id)
        access.require(actor, "rosters.plan", roster.team_id)
    bench = set_up(session, version_ids, timezone, replications=replications, seed=seed)
    outcome = outcome_of(bench, bench.play(policy=policy, told=told), policy, seed)
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
    traces: tuple[Trace, ...]
    first: date
    last: date
    agreed: float
    timezone: str

    def play(
        self,
        more: Sequence[tuple[Agent, Sequence[Duty]]] = (),
        *,
        policy: str = "deadline",
        replications: int | None = None,
        told: Callable[[int], None] = lambda _: None,
    ) -> list[list[Decision]]:
        """What became of every ticket, per replication; `more` people take part with duties."""
        people = [*self.people, *(agent for agent, _ in more)]
        duties = [*self.duties, *(duty for _, mine in more for duty in mine)]
        rules = desk_rules.load()
        played = []
        for number, trace in enumerate(self.traces[:replications]):
            told(number)
            played.append(run(trace, people, duties, rules.policy(policy)))
        return played


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
    versions = [_version(session, version_id) for version_id in version_ids]
    rosters = [session.get_one(Roster, version.roster_id) for version in versions]
    first = min(roster.period_from for roster in rosters)
    last = max(roster.period_until for roster in rosters)
    plan = newest_plan(session, first, last)
    if plan is None:
        raise ConflictError(f"there is no staffing plan from {first} to {last}; make one first")
    agents = agents_on(session, first)
    if traces is None:
        source = TraceSource(session, plan, first, last, timezone)
        traces = [
            source.draw(np.random.default_rng([seed, number])) for number in range(replications)
        ]
    return Bench(
        people=tuple(Agent(a.code, TIERS[a.grade], a.skills, a.capacity) for a in agents),
        duties=tuple(
            _duties(session, {a.id: a.code for a in agents}, versions, rosters, first, last)
        ),
        traces=tuple(traces),
        first=first,
        last=last,
        agreed=agreed_share(session),
        timezone=timezone,
    )


def _version(session: Session, version_id: int) -> RosterVersion:
    version = session.get(RosterVersion, version_id)
    if version is None:
        raise NotFoundError(f"there is no roster version {version_id}")
    return version


def agreed_share(session: Session) -> float:
    """The share of tickets for which the agreements promise a first response in time."""
    shares = session.exec(select(AgreementTarget.share)).all()
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
                promised.label("respond_s"), col(TicketRow.handle_s),
            )
            .join(Skill, col(Skill.id) == TicketRow.skill_id)
            .where(
                col(TicketRow.opened_at) > newest - timedelta(days=LOOK_BACK_DAYS),
                col(TicketRow.handle_s).is_not(None),
                promised.is_not(None),
            )
            .order_by(col(TicketRow.id))
        ).all()  # fmt: skip
        frame = pd.DataFrame(rows, columns=["skill", "tier", "priority", "respond_s", "handle_s"])
        frame["tier"] = frame["tier"].map(TIERS)
        return {str(skill): part.reset_index(drop=True) for skill, part in frame.groupby("skill")}

    def draw(self, rng: np.random.Generator) -> Trace:
        """One possible course of the period."""
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
            for number, (begin, until, tier, priority, work) in enumerate(
                zip(opened, due, like["tier"], like["priority"], like["handle_s"], strict=True)
            ):
                tickets.append(
                    Ticket(
                        f"{skill}-{number:06d}", int(begin) * SECOND, int(until) * SECOND,
                        str(skill), int(tier), int(priority), rules.wanted(int(priority)),
                    )
                )  # fmt: skip
                handle.append(int(work) * SECOND)
        return Trace(tickets, handle, [None] * len(tickets))


def outcome_of(
    bench: Bench, played: Sequence[list[Decision]], policy: str, seed: int
) -> dict[str, Any]:
    """Replays summed up as they are stored and shown."""
    runs = [(decisions, report(decisions, bench.people, bench.duties)) for decisions in played]
    overall = shares([run.overall for _, run in runs])
    return {
        "policy": policy,
        "seed": seed,
        "replications": len(runs),
        "agreed_share": bench.agreed,
        "share_met": overall.mean,
        "share_low": overall.low,
        "share_high": overall.high,
        "tickets": overall.tickets,
        "per_skill": _by([run.per_skill for _, run in runs]),
        "per_tier": _by([run.per_tier for _, run in runs]),
        "per_priority": _by([run.per_priority for _, run in runs]),
        "per_day": _by([_per_day(decisions, bench.timezone) for decisions, _ in runs]),
        "failing": failing(played, bench.agreed, bench.timezone),
        "wait_p50_s": fmean(run.waits["p50"] or 0 for _, run in runs),
        "wait_p95_s": fmean(run.waits["p95"] or 0 for _, run in runs),
        "utilisation": fmean(run.utilisation or 0 for _, run in runs),
        "expert_lower_share": fmean(run.expert_lower_share or 0 for _, run in runs),
    }


def failing(
    played: Sequence[Sequence[Decision]], agreed: float, timezone: str
) -> list[dict[str, Any]]:
    """Half-hours that miss the agreed share beyond chance, those missing most tickets first."""
    zone = ZoneInfo(timezone)
    counts: dict[tuple[int, str, int], list[int]] = defaultdict(lambda: [0, 0])
    for decision in (decision for decisions in played for decision in decisions):
        ticket = decision.ticket
        count = counts[ticket.opened_at // SECOND // SLOT_S, ticket.skill, ticket.tier]
        count[0] += 1
        count[1] += decision.met
    short = []
    for (slot, skill, tier), (tickets, met) in counts.items():
        low, high = Share(tickets, tickets, met).interval or (0.0, 1.0)
        if high < agreed:
            short.append((met - agreed * tickets, slot, skill, tier, met / tickets, low, high))
    found = []
    for _, slot, skill, tier, share, low, high in sorted(short)[:LISTED]:
        begins = datetime.fromtimestamp(slot * SLOT_S, zone)
        found.append(
            {
                "skill": skill, "tier": GRADES[tier - 1], "day": begins.date().isoformat(),
                "minute": begins.hour * 60 + begins.minute, "share": share, "low": low,
                "high": high,
            }
        )  # fmt: skip
    return found


def shares(seen: Sequence[Share]) -> Shares:
    """Mean share over replications and its 95 % interval; one replication has Wilson's."""
    values = [share.value for share in seen if share.value is not None]
    tickets = fmean(share.tickets for share in seen) if seen else 0.0
    if not values:
        return Shares(0.0, 0.0, 0.0, tickets)
    mean = fmean(values)
    if len(values) == 1:
        low, high = seen[0].interval or (0.0, 1.0)
        return Shares(mean, low, high, tickets)
    half = float(student.ppf(0.975, len(values) - 1)) * stdev(values) / sqrt(len(values))
    return Shares(mean, max(0.0, mean - half), min(1.0, mean + half), tickets)


def _by(parts: Sequence[Mapping[Any, Share]]) -> dict[str, dict[str, float]]:
    names = sorted({name for part in parts for name in part}, key=str)
    none = Share(0, 0, 0)
    return {str(name): asdict(shares([part.get(name, none) for part in parts])) for name in names}


def _per_day(decisions: list[Decision], timezone: str) -> dict[str, Share]:
    zone = ZoneInfo(timezone)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for decision in decisions:
        opened = datetime.fromtimestamp(decision.ticket.opened_at / SECOND, zone)
        count = counts[opened.date().isoformat()]
        count[0] += 1
        count[1] += decision.start is not None
        count[2] += decision.met
    return {day: Share(*count) for day, count in counts.items()}
