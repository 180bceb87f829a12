"""A desk on records nobody here made: import, what is assumed, clocks, grades.

What the logs do not hold is assumed by the tests, as named constants, and comes in as files in the
product's own forms: a calendar, and tickets with promises and modelled effort.
"""

from __future__ import annotations

import csv
import time as clock
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlmodel import col, select

from wfm import db
from wfm.access import SYSTEM, Actor
from wfm.importing.report import ImportReport
from wfm.services import facts, grade_effect, grade_runs, grading, importing, opening
from wfm.sla.clocks import State
from wfm.sla.clocks import replay as read_clocks
from wfm.sla.tickets import ClockTarget, Metric, TicketEvent
from wfm.tables import (
    AgentGrade,
    Agreement,
    AgreementTarget,
    Assessment,
    AssessmentCycle,
    BusinessCalendar,
    ShiftTemplate,
)
from wfm.tables import Ticket as TicketRow
from wfm.tables import TicketEvent as EventRow
from wfm.words import (
    AgreementKind,
    AgreementStatus,
    CycleStatus,
    DecisionAction,
    Grade,
    Role,
)

LEAD = Actor("lead", roles={Role.LEAD: None})
SECOND = Actor("second", roles={Role.SERVICE_MANAGER: None})
SEED = 20160229
HOUR = 3600
EFFORT_SIGMA = 0.8  # of the logarithm: the mean is 1.38 times the median
EFFORT_MOST_MIN = 240
CLOCK_KINDS = {
    "paused": "pause", "resumed": "resume", "resolved": "stop", "reopened": "reopen",
    "cancelled": "cancel",
}  # fmt: skip
# two shifts of eight paid hours: start, end, break
SHIFTS = {"E": ("08:00", "16:30", "12:00", "12:30"), "L": ("09:30", "18:00", "13:00", "13:30")}


@dataclass(frozen=True)
class Promise:
    """What is assumed to be promised for a priority: seconds of business time."""

    respond_s: int
    resolve_s: int


@dataclass
class Desk:
    """A desk in an empty database, and what the steps of the circle said of it."""

    engine: sa.Engine
    timezone: str
    data: Path
    folder: Path
    figures: dict[str, Any] = field(default_factory=dict)

    def timed(self, step: str, work: Callable[[], Any]) -> Any:
        started = clock.perf_counter()
        answer = work()
        self.figures.setdefault("seconds", {})[step] = round(clock.perf_counter() - started, 1)
        return answer

    def bring(self, path: Path, kind: str, at: datetime, adapter: str = "") -> ImportReport:
        with db.transaction(self.engine) as session:
            return importing.run_import(
                session, SYSTEM, path, kind, at=at, timezone=self.timezone, mapping=adapter
            )

    def log(self, name: str, kind: str, adapter: str, at: datetime) -> ImportReport:
        """The log itself, through its adapter."""
        path = self.data / f"{name}.csv.gz"
        found: ImportReport = self.timed("import", lambda: self.bring(path, kind, at, adapter))
        self.figures["import"] = {
            "kinds": {kind: counts.document() for kind, counts in found.kinds.items()},
            "made": dict(found.made),
            "reasons": [[r.kind, r.reason, r.count] for r in found.reasons],
        }
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("analyze"))
        return found

    def plain_calendar(self, years: Sequence[int], rest: Sequence[int], at: datetime) -> None:
        """Weeks without any holiday: the logs name no country, so no holiday may be guessed."""
        path = self.folder / "calendar.csv"
        days = [
            date(year, 1, 1) + timedelta(days=n)
            for year in years
            for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)
        ]
        with path.open("w", newline="", encoding="utf-8") as stream:
            rows = csv.writer(stream)
            rows.writerow(("date", "day_type"))
            rows.writerows((d, "rest_day" if d.weekday() in rest else "workday") for d in days)
        assert self.bring(path, "calendar", at).total.rejected == 0

    def set_up(
        self, hours: Mapping[str, Any], promises: Mapping[int, Promise], share: float
    ) -> None:
        """Opening hours, promises per priority, shifts: what a desk has and a log does not."""
        with db.transaction(self.engine) as session:
            session.add(
                BusinessCalendar(
                    code=opening.DESK_CALENDAR, name_en="Opening hours", name_zh="服务时间",
                    timezone=self.timezone, definition=dict(hours),
                )
            )  # fmt: skip
            agreement = Agreement(
                code="assumed", kind=AgreementKind.SLA, status=AgreementStatus.IN_FORCE
            )
            session.add(agreement)
            session.flush()
            for priority, promise in promises.items():
                for metric, limit_s in (
                    (Metric.FIRST_RESPONSE, promise.respond_s),
                    (Metric.RESOLUTION, promise.resolve_s),
                ):
                    session.add(
                        AgreementTarget(
                            agreement_id=agreement.id, metric=metric.value, priority=priority,
                            limit_s=limit_s, share=share, source="assumed",
                        )
                    )  # fmt: skip
            for code, (starts, ends, out, back) in SHIFTS.items():
                session.add(
                    ShiftTemplate(
                        code=code, name_en=code, name_zh=code, starts=time.fromisoformat(starts),
                        ends=time.fromisoformat(ends), paid_minutes=480,
                        breaks=[{"start": _minute(out), "end": _minute(back)}],
                    )
                )  # fmt: skip

    def assume(
        self,
        promises: Mapping[int, Promise],
        at: datetime,
        median_min: Mapping[int, float] | None = None,
    ) -> None:
        """Promises, and effort where it is to be modelled, for every ticket: a file of tickets."""
        with db.transaction(self.engine) as session:
            tickets = session.exec(
                select(TicketRow.code, TicketRow.opened_at, TicketRow.priority).order_by(
                    TicketRow.code
                )
            ).all()
        effort: Iterable[object] = [""] * len(tickets)
        if median_min is not None:
            seconds = modelled_effort([priority for _, _, priority in tickets], median_min, SEED)
            self.figures["effort_hours"] = round(float(seconds.sum()) / HOUR)
            effort = seconds.astype(int)
        path = self.folder / "assumed.csv"
        with path.open("w", newline="", encoding="utf-8") as stream:
            rows = csv.writer(stream)
            rows.writerow(("ticket_id", "opened_at", "respond_within_s", "handle_s"))
            for (code, opened_at, priority), work in zip(tickets, effort, strict=True):
                rows.writerow((code, opened_at.isoformat(), promises[priority].respond_s, work))
        report = self.timed("assumptions", lambda: self.bring(path, "tickets", at))
        assert (report.total.changed, report.total.rejected) == (len(tickets), 0)

    def clocks(self, promises: Mapping[int, Promise], at: datetime) -> dict[str, dict[str, State]]:
        """The state of both clocks of every ticket at an instant, from its events."""
        with db.transaction(self.engine) as session:
            business = opening.desk_time(session, self.timezone)
            tickets = session.exec(select(TicketRow).order_by(TicketRow.code)).all()
            events: dict[int, list[TicketEvent]] = {}
            for ticket_id, kind, when in session.exec(
                select(EventRow.ticket_id, EventRow.kind, EventRow.at).order_by(
                    col(EventRow.at), col(EventRow.id)
                )
            ):
                if kind in CLOCK_KINDS:
                    happened = TicketEvent(when, CLOCK_KINDS[kind])
                    events.setdefault(ticket_id, []).append(happened)
        targets = {
            priority: (
                ClockTarget(Metric.FIRST_RESPONSE, promise.respond_s, business),
                ClockTarget(Metric.RESOLUTION, promise.resolve_s, business),
            )
            for priority, promise in promises.items()
        }
        states: dict[str, dict[str, State]] = {}
        for ticket in tickets:
            happened = list(events.get(ticket.id, ()))
            if ticket.first_response_at is not None:
                # an answer comes before what else its update says
                happened.insert(0, TicketEvent(ticket.first_response_at, "agent_message"))
            readings = read_clocks(
                ticket.opened_at, targets[ticket.priority], happened, at
            ).readings
            states[ticket.code] = {
                metric.value: readings[metric].state
                for metric in (Metric.FIRST_RESPONSE, Metric.RESOLUTION)
            }
        self._tell_clocks({ticket.code: ticket.priority for ticket in tickets}, states)
        return states

    def _tell_clocks(
        self, priority: Mapping[str, int], states: Mapping[str, Mapping[str, State]]
    ) -> None:
        counted: dict[str, dict[str, Counter[str]]] = {}
        for code, mine in states.items():
            for metric, state in mine.items():
                place = counted.setdefault(metric, {})
                place.setdefault(str(priority[code]), Counter())[state.value] += 1
        self.figures["clocks"] = {
            metric: {name: dict(sorted(c.items())) for name, c in sorted(by.items())}
            for metric, by in counted.items()
        }

    def grades(self, code: str, first: date, as_of: date, at: datetime) -> list[Assessment]:
        """A cycle over a period; its proposals stay proposals until `sign`."""
        with db.transaction(self.engine) as session:
            cycle = self.timed(
                "grades",
                lambda: grade_runs.run_cycle(session, LEAD, code, first, as_of, self.timezone, at),
            )
            found = list(
                session.exec(
                    select(Assessment)
                    .where(Assessment.cycle_id == cycle.id)
                    .order_by(col(Assessment.id))
                )
            )
        self.figures["grades"] = {
            "agents": len(found),
            "proposed": _counts(one.proposed_grade.value for one in found),
            "decisions": _counts(one.decision for one in found),
            "evidence": {
                name: sum(one.evidence[name]["n"] > 0 for one in found)
                for name in found[0].evidence
            },
        }
        return found

    def sign(self, found: Sequence[Assessment], at: datetime) -> dict[str, int]:
        """A lead signs what the policy can tell; the grades take effect on the day of `at`."""
        with db.transaction(self.engine) as session:
            cycle = session.get_one(AssessmentCycle, found[0].cycle_id)
            cycle.status = CycleStatus.REVIEW
            for one in found:
                if one.decision in ("keep", "rise", "fall"):
                    signed = grading.decide(session, LEAD, one.id, DecisionAction.ACCEPT, at)
                    if grading.state_of(signed, one.previous_grade, Grade.EXPERT) == "half":
                        grading.decide(session, SECOND, one.id, DecisionAction.CONFIRM, at)
            # as if published before: these records end on the eve of the month they are used in
            cycle.status = CycleStatus.PUBLISHED
            cycle.objections_until = at.date() - timedelta(days=1)
            counts = grade_effect.take_effect(
                session, LEAD, found[0].cycle_id, at.date(), at, self.timezone
            )
            held = session.exec(
                select(AgentGrade.grade).where(facts.in_force(AgentGrade, at.date()))
            ).all()
        self.figures["grades"]["in_force"] = _counts(grade.value for grade in held)
        return counts

    def keep_to(self, people: Mapping[str, tuple[str, str]], day: date) -> None:
        """From `day` on only these agents are rostered: agent → (team, skill)."""
        with db.transaction(self.engine) as session:
            for table in ("agent_skill", "agent_team"):
                session.execute(
                    sa.text(f"update {table} set valid_until = :day where valid_until is null"),
                    {"day": day},
                )
            for team in sorted({team for team, _ in people.values()}):
                session.execute(
                    sa.text(
                        "insert into team (code, name_en, name_zh) values (:team, :team, :team)"
                        " on conflict (code) do nothing"
                    ),
                    {"team": team},
                )
            for agent, (team, skill) in people.items():
                names = {"agent": agent, "team": team, "skill": skill, "day": day}
                session.execute(
                    sa.text(
                        "insert into agent_team (agent_id, team_id, valid_from) select a.id, t.id,"
                        " :day from agent a, team t where a.code = :agent and t.code = :team"
                    ),
                    names,
                )
                session.execute(
                    sa.text(
                        "insert into agent_skill (agent_id, skill_id, proficiency, valid_from)"
                        " select a.id, k.id, 3, :day from agent a, skill k"
                        " where a.code = :agent and k.code = :skill"
                    ),
                    names,
                )


def modelled_effort(
    priorities: Sequence[int], median_min: Mapping[int, float], seed: int
) -> np.ndarray:
    """Seconds of work: lognormal around a median per priority, the same for the same seed."""
    centre = np.log([median_min[priority] * 60 for priority in priorities])
    drawn = np.random.default_rng(seed).lognormal(centre, EFFORT_SIGMA)
    return np.minimum(drawn, EFFORT_MOST_MIN * 60).round()


def _counts(words: Iterable[Any]) -> dict[str, int]:
    return dict(sorted(Counter(str(word) for word in words).items()))


def _minute(text: str) -> int:
    of_day = time.fromisoformat(text)
    return of_day.hour * 60 + of_day.minute


def check_evidence(found: Sequence[Assessment], known: Iterable[str]) -> None:
    """What is known lies in its interval; what the records do not hold is missing, for nobody."""
    known = set(known)
    for one in found:
        assert abs(sum(one.probabilities.values()) - 1) < 1e-9
        for name, shown in one.evidence.items():
            if shown["n"] == 0:
                assert shown["verdict"] in ("missing", "not_counted")
                assert shown["value"] is None
            else:
                assert name in known
                assert 0 <= shown["low"] <= shown["value"] <= shown["high"] <= 1
                assert 0 <= shown["reliability"] <= 1


def check_import(report: ImportReport) -> None:
    """Every row landed or is rejected with a reason, and every rejected row is listed."""
    for counts in report.kinds.values():
        assert counts.rows == counts.added + counts.changed + counts.unchanged + counts.rejected
    rejected = sum(counts.rejected for counts in report.kinds.values())
    assert len({(kind, fault.row) for kind, fault in report.rejects}) == rejected
    assert all(fault.message and fault.column for _, fault in report.rejects)
