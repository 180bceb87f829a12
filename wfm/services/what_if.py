"""What if: days of the past, or days drawn from the plan, under another policy or other people.

Both worlds see the same tickets with the same handle times (common random numbers), so their
difference is far surer than either figure: its interval comes from the pairs, by Student's t.
Pairs are days for recorded arrivals and draws for drawn ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from math import sqrt
from statistics import fmean, stdev
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa
from scipy.stats import t as student
from sqlmodel import Session, col, select

from wfm import access, audit, jobs
from wfm.access import Actor
from wfm.db import Engine
from wfm.dispatch.model import GRADES, SECOND, Agent, Ticket, micro
from wfm.dispatch.policy import POLICIES
from wfm.dispatch.replay import Duty, Trace, run
from wfm.dispatch.report import Report, Share, report
from wfm.errors import ConflictError, Fault, InputError
from wfm.instants import local_date
from wfm.services import clock_store, desk_rules, opening
from wfm.services.facts import agents_on
from wfm.services.replaying import TIERS, TraceSource, presence
from wfm.services.roster_problems import instant_of, newest_plan
from wfm.settings import Settings
from wfm.tables import Assignment, Job, Skill
from wfm.tables import Ticket as TicketRow
from wfm.words import Grade, Mode

LONGEST_DAYS = 31
DRAWS = 10
NEWCOMER = "what-if"
FIGURES = ("share", "share_priority", "share_tier", "share_skill", "wait_p50_s", "wait_p95_s",
           "utilisation", "expert_lower_share")  # fmt: skip
RECORDED, DRAWN = SOURCES = ("recorded", "drawn")


@dataclass(frozen=True)
class Change:
    """What is different in the other world; nothing set: nothing is.

    `grade` asks for one more agent of that grade, with `skill` (or all of them), from `starts` to
    `ends` (minutes after midnight) every day; `break_at` leaves out the breaks that begin then.
    """

    policy: str = "deadline"
    grade: str = ""
    skill: str = ""
    starts: int = 540
    ends: int = 1080
    break_at: int | None = None


@dataclass(frozen=True)
class Question:
    """Which days, where their tickets come from, and what changes."""

    first: date
    last: date
    source: str
    change: Change
    seed: int = 0


@dataclass(frozen=True)
class Row:
    """One figure in both worlds; `low` … `high` is the 95 % interval of the difference."""

    figure: str
    of: str
    now: float | None
    then: float | None
    difference: float | None
    low: float | None
    high: float | None


def ask(session: Session, actor: Actor, question: Question, at: datetime) -> Job:
    """Put the question on the queue.

    Raises
    ------
    InputError
        The period is upside down or longer than a month, or the policy, grade or source unknown.
    """
    access.require(actor, "rosters.plan")
    change = question.change
    faults = []
    if not question.first <= question.last < question.first + timedelta(days=LONGEST_DAYS):
        faults.append(Fault("choose one day to 31 days", column="last"))
    if change.policy not in POLICIES:
        faults.append(Fault("choose one of the policies", column="policy", value=change.policy))
    if change.grade and change.grade not in list(Grade):
        faults.append(Fault("choose one of the grades", column="grade", value=change.grade))
    if change.grade and not 0 <= change.starts < change.ends <= 24 * 60:
        faults.append(Fault("the duty must end after it starts, on the same day", column="ends"))
    if question.source not in SOURCES:
        faults.append(Fault("choose recorded or drawn arrivals", column="source"))
    if faults:
        raise InputError.of(faults)
    audit.record(session, at, actor.name, "replay.what_if", f"{question.first} to {question.last}",
                 **asdict(change))  # fmt: skip
    arguments = asdict(question) | {"first": str(question.first), "last": str(question.last)}
    days = (question.last - question.first).days + 1
    parts = days if question.source == RECORDED else DRAWS
    return jobs.ask(session, "what_if", arguments, actor.name, at, parts=parts)


def skills(session: Session, actor: Actor) -> Sequence[Skill]:
    """Skills somebody who plans may give a newcomer."""
    access.require(actor, "rosters.plan")
    return session.exec(select(Skill).order_by(Skill.code)).all()


def run_job(
    engine: Engine,  # noqa: ARG001 (jobs are given it)
    progress: jobs.Progress,
    arguments: dict[str, Any],
) -> dict[str, Any] | None:
    """Replay both worlds pair by pair, and compare."""
    question = Question(
        date.fromisoformat(arguments["first"]), date.fromisoformat(arguments["last"]),
        arguments["source"], Change(**arguments["change"]), arguments["seed"],
    )  # fmt: skip
    timezone = Settings.from_environment().timezone

    def prepare(session: Session) -> Callable[[int], dict[str, Any]]:
        trace = traces_of(session, question, timezone)
        now, then = (World.of(session, question, timezone, changed) for changed in (False, True))
        return lambda number: {"pair": pair(trace(number), now, then)}

    def combine(_: Session, parts: list[dict[str, Any]]) -> dict[str, Any]:
        pairs = [part["pair"] for part in parts if part["pair"]]
        if not pairs:
            raise ConflictError("no ticket with a handle time was opened in this period")
        return {
            "rows": [asdict(row) for row in compare(pairs)], "pairs": len(pairs),
            "question": arguments, "page": f"/what-if?job={progress.job_id}",
        }  # fmt: skip

    return jobs.in_parts(progress, prepare, combine, "{0} of {1} replays")


def traces_of(session: Session, question: Question, timezone: str) -> Callable[[int], Trace | None]:
    """Arrivals by number: of a recorded day, None where none came, or of a draw of the period."""
    if question.source == RECORDED:
        found = recorded(session, question.first, question.last, timezone)
        if not found:
            raise ConflictError("no ticket with a handle time was opened in this period")
        return lambda number: found.get(question.first + timedelta(days=number))
    plan = newest_plan(session, question.first, question.last)
    if plan is None:
        raise ConflictError("there is no staffing plan for this period; make one first")
    source = TraceSource(session, plan, question.first, question.last, timezone)
    return lambda number: source.trace(question.seed, number)


def recorded(session: Session, first: date, last: date, timezone: str) -> dict[date, Trace]:
    """The tickets of each day as they came, with the promises and handle times they had."""
    begin = instant_of(first, 0, timezone)
    end = instant_of(last + timedelta(days=1), 0, timezone)
    promised = clock_store.promised_response()
    rows = session.execute(
        sa.select(
            col(TicketRow.code), col(TicketRow.opened_at), col(Skill.code),
            col(TicketRow.min_grade), col(TicketRow.priority), col(TicketRow.handle_s),
            promised.label("respond_s"), col(TicketRow.kind),
        )
        .join(Skill, col(Skill.id) == TicketRow.skill_id)
        .where(
            col(TicketRow.opened_at) >= begin, col(TicketRow.opened_at) < end,
            col(TicketRow.handle_s).is_not(None), promised.is_not(None),
        )
        .order_by(col(TicketRow.opened_at), col(TicketRow.id))
    ).all()  # fmt: skip
    if not rows:
        return {}
    time, rules = opening.desk_time(session, timezone), desk_rules.load()
    opened = np.array([int(row[1].timestamp()) for row in rows])
    due = time.add_many(opened, np.array([int(row[6]) for row in rows]))
    days: dict[date, tuple[list[Ticket], list[int]]] = {}
    for (code, at, skill, tier, priority, handle, _, kind), until in zip(rows, due, strict=True):
        tickets, work = days.setdefault(local_date(at, timezone), ([], []))
        tickets.append(
            Ticket(code, micro(at), max(int(until) * SECOND, micro(at)), skill, TIERS[tier],
                   priority, rules.wanted(priority), rules.weight(kind))
        )  # fmt: skip
        work.append(int(handle) * SECOND)
    return {day: Trace(tickets, work, [None] * len(work)) for day, (tickets, work) in days.items()}


@dataclass(frozen=True)
class World:
    """Who is there when, and by which policy tickets are given out."""

    people: tuple[Agent, ...]
    duties: tuple[Duty, ...]
    policy: str

    @classmethod
    def of(cls, session: Session, question: Question, timezone: str, changed: bool) -> World:
        """The published duties of the days; with the change, or as they are."""
        first, last, change = question.first, question.last, question.change
        facts = agents_on(session, first)
        codes = {one.id: one.code for one in facts}
        people = [Agent(one.code, TIERS[one.grade], one.skills, one.capacity) for one in facts]
        left_out = change.break_at if changed else None
        duties = []
        for row in session.exec(
            select(Assignment).where(
                Assignment.live, Assignment.mode != Mode.STANDBY,
                Assignment.day >= first - timedelta(days=1), Assignment.day <= last,
            )
        ):  # fmt: skip
            if row.agent_id in codes:
                spans = _presence(row, left_out, timezone)
                duties += [Duty(codes[row.agent_id], *span) for span in spans]
        if not duties:
            raise ConflictError("no published roster covers this period")
        if changed and change.grade:
            skills = {change.skill: 3} if change.skill else None
            people.append(Agent(NEWCOMER, TIERS[Grade(change.grade)], skills))
            duties += [
                Duty(NEWCOMER, *(micro(instant_of(day, minute, timezone))
                                 for minute in (change.starts, change.ends)))
                for day in _days(first, last)
            ]  # fmt: skip
        policy = change.policy if changed else desk_rules.load().policy_name
        return cls(tuple(people), tuple(duties), policy)

    def play(self, trace: Trace) -> Report:
        """One replay summed up; for a part of the period only the duties of that part count."""
        begin = min(ticket.opened_at for ticket in trace.tickets)
        end = max(ticket.opened_at for ticket in trace.tickets) + 24 * 3600 * SECOND
        duties = [duty for duty in self.duties if duty.end > begin and duty.start < end]
        decisions = run(trace, self.people, duties, desk_rules.load().policy(self.policy))
        return report(decisions, self.people, duties)


def pair(trace: Trace | None, now: World, then: World) -> dict[str, Any]:
    """Figures of both worlds over the same tickets, by what and of whom: [now, then]."""
    if trace is None:
        return {}
    before, after = figures(now.play(trace)), figures(then.play(trace))
    return {
        name: {of: [value, after[name].get(of)] for of, value in values.items()}
        for name, values in before.items()
    }


def figures(said: Report) -> dict[str, dict[str, float | None]]:
    """What is compared; shares by priority, tier and skill."""
    parts: dict[str, Mapping[Any, Share]] = {
        "share_priority": said.per_priority, "share_tier": said.per_tier,
        "share_skill": said.per_skill,
    }  # fmt: skip
    return {
        "share": {"": said.overall.value},
        **{name: {str(of): share.value for of, share in part.items()}
           for name, part in parts.items()},
        "wait_p50_s": {"": said.waits["p50"]},
        "wait_p95_s": {"": said.waits["p95"]},
        "utilisation": {"": said.utilisation},
        "expert_lower_share": {"": said.expert_lower_share},
    }  # fmt: skip


def compare(pairs: Sequence[dict[str, Any]]) -> list[Row]:
    """Figures of both worlds side by side, over all pairs."""
    rows = []
    for name in FIGURES:
        found = {of for seen in pairs for of in seen[name]}
        for of in sorted(found, key=GRADES.index if name == "share_tier" else None):
            rows.append(_row(name, of, [seen[name].get(of, (None, None)) for seen in pairs]))
    return rows


def _row(figure: str, of: str, seen: Sequence[tuple[float | None, float | None]]) -> Row:
    both = [(a, b) for a, b in seen if a is not None and b is not None]
    if not both:
        return Row(figure, of, None, None, None, None, None)
    gaps = [b - a for a, b in both]
    middle = fmean(gaps)
    low = high = None
    if len(gaps) > 1:
        half = float(student.ppf(0.975, len(gaps) - 1)) * stdev(gaps) / sqrt(len(gaps))
        low, high = middle - half, middle + half
    return Row(figure, of, fmean(a for a, _ in both), fmean(b for _, b in both), middle, low, high)


def _presence(row: Assignment, left_out: int | None, timezone: str) -> list[tuple[int, int]]:
    if left_out is None:
        return presence(row)
    zone, clock = ZoneInfo(timezone), time(*divmod(left_out, 60))
    # by what the clock on the wall shows: so too after midnight, and in an hour that comes twice
    kept = [
        one for one in row.breaks
        if datetime.fromisoformat(one["from"]).astimezone(zone).time() != clock
    ]  # fmt: skip
    return presence(
        Assignment(
            version_id=row.version_id, agent_id=row.agent_id, day=row.day,
            shift_code=row.shift_code, starts_at=row.starts_at, ends_at=row.ends_at, breaks=kept,
        )
    )  # fmt: skip


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
