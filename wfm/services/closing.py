"""Closing the loop: solve, replay, raise the requirement where promises fail, and solve again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from statistics import fmean
from typing import Any

from sqlmodel import Session

from scheduler.demand import closing as loop
from scheduler.demand.closing import Kind, Part
from wfm import access, audit, instants, jobs
from wfm.access import SYSTEM, Actor
from wfm.db import Engine, transaction
from wfm.dispatch.replay import Decision, Trace
from wfm.dispatch.report import Share
from wfm.errors import ConflictError
from wfm.services import replaying, roster_versions, rostering
from wfm.services.closing_desk import SLOT_MIN, ClosingDesk, Row
from wfm.services.replay_figures import shares
from wfm.services.replaying import Bench
from wfm.services.roster_problems import newest_plan
from wfm.services.rostering import Limits
from wfm.settings import Settings
from wfm.tables import Job, RosterVersion

KEEP = 1  # cost of a cell that differs from the roster before; a half-hour short costs ten
REPLICATIONS = 5
MOST_PEOPLE = 60  # people asked for in a round
MISSING_STEPS = 5  # looks at how many people would do, once nobody is left
FRESH = 7_919  # seeds of the last look are apart from those the rounds saw


@dataclass(frozen=True)
class Asked:
    """What closing the loop is asked for."""

    roster_ids: tuple[int, ...]
    rounds: int = 3
    limits: Limits = field(default_factory=lambda: Limits(seconds=30.0))
    replications: int = REPLICATIONS
    seed: int = 0


def ask(
    session: Session,
    actor: Actor,
    roster_id: int,
    limits: Limits,
    rounds: int,
    at: datetime,
) -> Job:
    """Put closing the loop for a roster on the queue.

    Raises
    ------
    ConflictError
        A solve, a replay or a closing of this roster is on its way, or there is no staffing plan.
    """
    roster = rostering.get_roster(session, actor, roster_id)
    access.require(actor, "rosters.plan", roster.team_id)
    for task in ("solve", "close"):
        running = jobs.newest(session, task, roster_id=roster_id)
        if running is not None and running.status in jobs.MOVING:
            raise ConflictError("this roster is being solved already; stop that first")
    require_plan(session, roster.period_from, roster.period_until)
    audit.record(session, at, actor.name, "roster.close_loop", f"roster {roster_id}",
                 rounds=rounds, **asdict(limits))  # fmt: skip
    arguments = {
        "roster_id": roster_id, "rounds": rounds, "limits": asdict(limits), "by": actor.name,
    }  # fmt: skip
    return jobs.ask(session, "close", arguments, actor.name, at)


def require_plan(session: Session, first: date, last: date) -> None:
    """Refuse a period without a staffing plan."""
    if newest_plan(session, first, last) is None:
        raise ConflictError("there is no staffing plan for this period; make one first")


def run_job(engine: Engine, progress: jobs.Progress, arguments: dict[str, Any]) -> dict[str, Any]:
    """Closing the loop as a job; a stop keeps what the rounds so far brought."""
    asked = Asked(
        roster_ids=(arguments["roster_id"],),
        rounds=arguments["rounds"],
        limits=Limits(**arguments["limits"]),
    )
    outcome = close(engine, asked, arguments["by"], Settings.from_environment(), progress)
    return outcome | {"page": f"/rosters/{arguments['roster_id']}#loop"}


def close(
    engine: Engine,
    asked: Asked,
    made_by: str,
    settings: Settings,
    progress: jobs.Progress | None = None,
) -> dict[str, Any]:
    """Solve and replay in rounds until the agreed share is kept or nobody is left who could help.

    Rosters without a version are solved first. The requirement of the newest staffing plan grows
    by rows whose source names the version replayed; making the plan anew drops them.

    Returns
    -------
    dict
        ``ended`` (kept, people_out, rounds_out, stopped), the ``rounds``, the people ``missing``
        in words, the share with them, and the share on arrivals no round has seen.
    """
    return _Loop(engine, asked, made_by, settings, progress).run()


class _Loop:
    def __init__(
        self,
        engine: Engine,
        asked: Asked,
        made_by: str,
        settings: Settings,
        progress: jobs.Progress | None,
    ) -> None:
        self.engine, self.asked, self.made_by = engine, asked, made_by
        self.settings, self.progress = settings, progress
        self.traces: tuple[Trace, ...] | None = None
        self.rounds: list[dict[str, Any]] = []
        self.shares: list[float] = []
        self.numbers: dict[int, int] = {}

    def run(self) -> dict[str, Any]:
        with transaction(self.engine) as session:
            self.desk = ClosingDesk(session, self.asked.roster_ids, self.settings.timezone)
            unsolved = [
                number
                for number in self.asked.roster_ids
                if roster_versions.newest_version(session, number) is None
            ]
        ended = "stopped"
        lacking: dict[str, Any] = {}
        bench: Bench | None = None
        try:
            self._solve(unsolved, keep=0)
            while True:
                self._tell("replay")
                bench, played = self._replay()
                rows = self._rows(bench, played)
                found = loop.ended(
                    self.shares, bench.agreed, self.asked.rounds, len(rows), self._covered()
                )
                if found is not None:
                    ended = found
                    break
                self._raise(rows)
                self._solve(self.asked.roster_ids, keep=KEEP)
            if ended != "kept":
                lacking = self._lacking(bench, played)
        except jobs.CancelledError:
            pass  # what the rounds so far brought is kept
        return self._outcome(bench, ended) | lacking

    def _tell(self, what: str) -> None:
        if self.progress:
            done = len(self.rounds)
            share = min(0.95, done / (self.asked.rounds + 1))
            self.progress.report(
                share, f"round {done}: {what}", rounds=self.rounds, round=done, stage=what
            )

    def _solve(self, roster_ids: Sequence[int], keep: int) -> None:
        for roster_id in roster_ids:
            self._tell("solve")
            rostering.solve(
                self.engine, roster_id, replace(self.asked.limits, keep=keep), self.made_by,
                self.settings, self._quiet(),
            )  # fmt: skip

    def _quiet(self) -> jobs.Progress | None:
        return _Quiet(self.engine, self.progress.job_id) if self.progress else None

    def _versions(self, session: Session) -> list[RosterVersion]:
        """The newest version of every roster that takes part."""
        found = [
            roster_versions.newest_version(session, number)
            for number in self.desk.rosters_beside(session)
        ]
        return [version for version in found if version is not None]

    def _replay(self) -> tuple[Bench, list[list[Decision]]]:
        """Replay the newest versions on the same arrivals as every round, and keep the outcome."""
        with transaction(self.engine) as session:
            versions = self._versions(session)
            ids = [version.id for version in versions if version.id is not None]
            bench = replaying.set_up(
                session, ids, self.settings.timezone, replications=self.asked.replications,
                seed=self.asked.seed, traces=self.traces,
            )  # fmt: skip
            self.traces = bench.traces
            played = bench.play()
            runs = [bench.figures(decisions) for decisions in played]
            outcome = replaying.outcome_of(bench, runs, seed=self.asked.seed)
            mine = [v for v in versions if v.roster_id in self.asked.roster_ids]
            replaying.keep_outcome(
                session, SYSTEM, [v.id for v in mine if v.id], outcome, instants.now()
            )
            self.numbers = {v.roster_id: v.number for v in mine}
            self.shares.append(outcome["share_met"])
            self.rounds.append({
                "round": len(self.rounds),
                "versions": {str(v.roster_id): v.number for v in mine},
                "cost": sum(v.verdict["cost"] for v in mine),
                "broken": sum(len(v.verdict["violations"]) for v in mine),
                "short": sum(v.result.get("missing", 0) for v in mine),
                "share": outcome["share_met"],
                "low": outcome["share_low"],
                "high": outcome["share_high"],
                "failing": outcome["failing"],
                "added_hours": 0.0,
                "added": [],
            })  # fmt: skip
        return bench, played

    def _covered(self) -> float | None:
        """Share of what the round before asked for that is covered now."""
        if len(self.rounds) < 2 or not self.rounds[-2]["added_hours"]:
            return None
        before, now = self.rounds[-2:]
        asked = float(before["added_hours"]) * 60 / SLOT_MIN
        return 1 - max(0.0, float(now["short"] - before["short"]) / asked)

    def _rows(self, bench: Bench, played: list[list[Decision]]) -> list[Row]:
        """People whose presence would keep enough more tickets in time, as the replay shows."""
        if self.shares[-1] >= bench.agreed:
            return []
        options = self.desk.gains(bench, played, only=self.desk.able)
        chosen = loop.choose(options, _shortfall(bench, played), most=MOST_PEOPLE)
        with transaction(self.engine) as session:
            return self.desk.rows(session, bench, chosen)

    def _raise(self, rows: Sequence[Row]) -> None:
        with transaction(self.engine) as session:
            self.desk.add_rows(session, rows, self.numbers)
        last = self.rounds[-1]
        last["added_hours"] = sum(row.people for row in rows) * SLOT_MIN / 60
        asked = {(row.option.kind, row.option.part) for row in rows}
        last["added"] = self.desk.words(sorted(asked))

    def _lacking(self, bench: Bench, played: list[list[Decision]]) -> dict[str, Any]:
        """How many people more it would take, of anybody's skills, tried in the replay."""
        people: list[tuple[Kind, Part]] = []
        for _ in range(MISSING_STEPS):
            self._tell("missing")
            short = _shortfall(bench, played)
            if short <= 0:
                break
            options = self.desk.gains(bench, played, beside=people)
            chosen = loop.choose(options, short, most=MOST_PEOPLE)
            if not chosen:
                break
            people += [(one.kind, one.part) for one in chosen]
            played = bench.play(self.desk.guests(people))
        found = shares([_share(decisions) for decisions in played])
        return {
            "missing": self.desk.words(people),
            "missing_hours": sum(part.slots for _, part in people) * SLOT_MIN / 60,
            "share_with_them": found.mean,
        }

    def _outcome(self, bench: Bench | None, ended: str) -> dict[str, Any]:
        outcome: dict[str, Any] = {
            "ended": ended,
            "rounds": self.rounds,
            "best": max(range(len(self.shares)), key=lambda n: self.shares[n], default=0),
            "replications": self.asked.replications,
            "agreed": bench.agreed if bench else None,
            "missing": [],
        }
        if bench is not None and ended != "stopped":
            outcome["fresh"] = self._fresh()
        return outcome

    def _fresh(self) -> dict[str, float]:
        """The share kept on arrivals that no round has seen."""
        with transaction(self.engine) as session:
            ids = [version.id for version in self._versions(session) if version.id is not None]
            bench = replaying.set_up(
                session, ids, self.settings.timezone, replications=self.asked.replications,
                seed=self.asked.seed + FRESH,
            )  # fmt: skip
        found = shares([_share(decisions) for decisions in bench.play()])
        return {"share": found.mean, "low": found.low, "high": found.high}


class _Quiet(jobs.Progress):
    """Lets a solve hear of a stop without writing its progress over that of the rounds."""

    def report(self, share: float, message: str, **details: Any) -> None:
        """The rounds tell what there is to tell."""


def _share(decisions: Sequence[Decision]) -> Share:
    return Share(
        len(decisions),
        sum(decision.start is not None for decision in decisions),
        sum(decision.met for decision in decisions),
    )


def _shortfall(bench: Bench, played: Sequence[Sequence[Decision]]) -> float:
    """Tickets per replication missing to the agreed share."""
    return fmean(
        bench.agreed * len(decisions) - sum(decision.met for decision in decisions)
        for decisions in played
    )
