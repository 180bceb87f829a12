"""The circle on the sample desk: import → grade → demand → duty table → rosters → replay."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm.access import SYSTEM, Actor
from wfm.db import Engine, open_engine, transaction
from wfm.sample import desk as sample
from wfm.sample.catalogue import TIMEZONE
from wfm.services import (
    clock_worker,
    demand,
    importing,
    replaying,
    roster_problems,
    rostering,
    sample_desk,
    sample_grades,
    sample_holiday,
    sample_planning,
    sample_requests,
    sample_webhooks,
)
from wfm.services.sample_morning import open_desk
from wfm.settings import Settings
from wfm.tables import (
    AgentGrade,
    Requirement,
    RosterVersion,
    Team,
    Ticket,
    TicketEvent,
)
from wfm.words import Grade, Role

ZONE = ZoneInfo(TIMEZONE)
CLOCKS_FROM = datetime(2026, 8, 1, tzinfo=ZONE)
RECORDS_END = datetime(2026, 9, 30, 22, tzinfo=ZONE)
MONTH = (date(2026, 10, 1), date(2026, 10, 31))
PRESENT = datetime(2026, 10, 8, 10, tzinfo=ZONE)  # a Thursday, the first workday after the holiday
EFFORT = 5.0  # per team, in the solver's own units: the same roster on any machine
REPLICATIONS = 5
SOLVERS = 2  # teams solved at a time
IMPORTED = (
    "calendar", "agents", "leave", "tickets", "ticket-events", "surveys", "reviews",
    "contributions",
)  # fmt: skip
PLANNER = Actor("planner", "排班员 Planner", roles={Role.PLANNER: None})

Tell = Callable[[str], None]


@dataclass
class Figures:
    """What the demo prints."""

    seed: int
    tickets: int = 0
    events: int = 0
    rejected: int = 0
    grades_before: dict[str, int] = field(default_factory=dict)
    grades_after: dict[str, int] = field(default_factory=dict)
    moves: dict[str, int] = field(default_factory=dict)
    undecided: int = 0
    contacts_expected: float = 0
    forecast_wape: float = 0
    naive_wape: float = 0
    required_person_hours: float = 0
    covered_share: float = 0
    roster_cost: int = 0
    roster_bound: int | None = None
    hard_violations: int = 0
    posts: int = 0
    posts_filled: int = 0
    burden_spread: tuple[int, int] = (0, 0)
    promises_kept: float = 0
    promises_low: float = 0
    promises_high: float = 0
    agreed_share: float = 0
    waiting: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    sign_ins: list[tuple[str, str, str]] = field(default_factory=list)


def run(engine: Engine, settings: Settings, seed: int, tell: Tell) -> Figures:
    """Build the sample desk in an empty database and run the circle.

    Every figure but the seconds is the same for the same seed, on any machine.
    """
    figures = Figures(seed)

    @contextmanager
    def step(name: str, says: str) -> Iterator[None]:
        tell(says)
        started = time.perf_counter()
        yield
        figures.seconds[name] = round(time.perf_counter() - started, 1)

    with step("sample", "making the sample desk"):
        desk = sample.generate(seed)
    with step("import", "importing its records"):
        _import(engine, desk, figures, tell)
    with step("grade", "assessing 120 agents"):
        _grade(engine, figures)
    with step("demand", "forecasting October and staffing it"), transaction(engine) as session:
        sample_planning.adjust_forecast(session, PLANNER, RECORDS_END)
        sample_planning.wish(session, PLANNER, RECORDS_END)
        plan = demand.make_plan(session, PLANNER, *MONTH, TIMEZONE, RECORDS_END)
        _tell_plan(plan.facts, figures)
    with step("duty", "filling the holiday posts"), transaction(engine) as session:
        proposed = sample_holiday.prepare(session, PLANNER, TIMEZONE)
        figures.posts, figures.posts_filled = proposed.places, proposed.filled
        figures.burden_spread = (proposed.spread_before, proposed.spread_after)
    with step("roster", "solving six teams' rosters of October"):
        versions = _solve(engine, settings, seed, figures, tell)
    with step("loop", "closing the loop for one team"):
        sample_planning.close_loop(engine, versions[0], PLANNER, settings, seed, RECORDS_END)
    with step("replay", "replaying October against the rosters"):
        _replay(engine, versions, seed, figures)
    with step("clocks", "reading the clocks of the last two months"):
        _read_clocks(engine)
    with step("live", "opening the desk on 8 October, 10:00"), transaction(engine) as session:
        newest = roster_problems.newest_plan(session, *MONTH)
        assert newest is not None
        sample_holiday.live_through(session, PLANNER, TIMEZONE)
        sample_requests.ask(session, PRESENT, TIMEZONE)
        sample_webhooks.answer(session)
        figures.waiting = open_desk(session, newest, PRESENT, TIMEZONE, seed)
    clock_worker.catch_up(engine, PRESENT, TIMEZONE)
    return figures


def _import(engine: Engine, desk: sample.SampleDesk, figures: Figures, tell: Tell) -> None:
    with transaction(engine) as session:
        sample_desk.set_up(session, desk)
    with tempfile.TemporaryDirectory(prefix="tierdesk-sample-") as name:
        folder = Path(name)
        sample.write(desk, folder)
        for kind in IMPORTED:
            tell(f"importing {kind}")
            with transaction(engine) as session:
                report = importing.run_import(
                    session, SYSTEM, folder / f"{kind}.csv", kind, at=RECORDS_END,
                    timezone=TIMEZONE,
                )  # fmt: skip
                figures.rejected += report.total.rejected
    with transaction(engine) as session:
        sample_desk.add_past(session, desk, RECORDS_END)
        figures.sign_ins = sample_desk.add_accounts(session, RECORDS_END)
        figures.tickets = _count(session, Ticket)
        figures.events = _count(session, TicketEvent)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("analyze"))


def _read_clocks(engine: Engine) -> None:
    """Clocks of what came lately; the worker reads the older ones once the desk is open."""
    with transaction(engine) as session:
        session.execute(
            sa.update(Ticket)
            .where(col(Ticket.opened_at) < CLOCKS_FROM)
            .values(next_look_at=PRESENT + timedelta(seconds=1))
        )
    clock_worker.catch_up(engine, RECORDS_END, TIMEZONE, 1000)


def _count(session: Session, table: Any) -> int:
    return int(session.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def _grade(engine: Engine, figures: Figures) -> None:
    """A past cycle from draft to effect, and the present one in review, left to you."""
    with transaction(engine) as session:
        sample_webhooks.subscribe(session, sample_grades.ASSESSED)
        figures.grades_before = _grades(session, MONTH[0])
        found = sample_grades.past_cycle(session, TIMEZONE)
        figures.moves = dict(sorted(Counter(one.decision for one in found).items()))
        figures.undecided = sum(one.decision in ("undecided", "blocked") for one in found)
        figures.grades_after = _grades(session, MONTH[0])
        sample_grades.present_cycle(session, TIMEZONE)


def _grades(session: Session, day: date) -> dict[str, int]:
    from wfm.services.facts import in_force

    counted = Counter(
        row.grade.value for row in session.exec(select(AgentGrade).where(in_force(AgentGrade, day)))
    )
    return {grade.value: counted[grade.value] for grade in Grade}


def _tell_plan(facts: dict[str, Any], figures: Figures) -> None:
    skills = [one for one in facts["skills"].values() if one["accuracy"]]
    contacts = sum(one["contacts"] for one in skills) or 1.0
    figures.contacts_expected = round(facts["contacts"], 1)
    figures.required_person_hours = facts["person_hours"]
    for name, which in (("forecast_wape", "accuracy"), ("naive_wape", "naive")):
        weighted = sum(one["contacts"] * one[which]["wape"] for one in skills)
        setattr(figures, name, round(weighted / contacts, 4))


def _solve(
    engine: Engine, settings: Settings, seed: int, figures: Figures, tell: Tell
) -> list[int]:
    """Each team by itself, with limits that do not depend on the machine."""
    with transaction(engine) as session:
        teams = [team.id for team in session.exec(select(Team).order_by(Team.code))]
        rosters = [
            rostering.open_roster(session, PLANNER, team, *MONTH, RECORDS_END).id
            for team in teams
            if team is not None
        ]
    url = engine.url.render_as_string(hide_password=False)
    work = [(url, settings, roster_id, seed) for roster_id in rosters]
    # processes of their own, since building a model keeps one busy; spawned, since the parent
    # has threads and open connections
    with ProcessPoolExecutor(SOLVERS, mp_context=get_context("spawn")) as pool:
        versions = []
        for version_id in pool.map(_solve_one, work):
            versions.append(version_id)
            tell(f"solved team {len(versions)} of {len(rosters)}")
    bounds: list[int] = []
    with transaction(engine) as session:
        for version_id in versions:
            version = session.get_one(RosterVersion, version_id)
            version.made_at = RECORDS_END  # of the story, as all else of that evening
            figures.roster_cost += version.verdict["cost"]
            figures.hard_violations += len(version.verdict["violations"])
            if version.result["bound"] is not None:
                bounds.append(version.result["bound"])
        figures.roster_bound = sum(bounds) if len(bounds) == len(versions) else None
        figures.covered_share = round(_covered(session, versions), 4)
    return versions


def _solve_one(work: tuple[str, Settings, int | None, int]) -> int:
    """One team, in a process of its own."""
    url, settings, roster_id, seed = work
    assert roster_id is not None
    engine = open_engine(replace(settings, database_url=url))
    try:
        limits = rostering.Limits(seconds=None, effort=EFFORT, workers=1, seed=seed)
        return rostering.solve(engine, roster_id, limits, PLANNER.name, settings)
    finally:
        engine.dispose()


def _covered(session: Session, versions: list[int]) -> float:
    """Share of the required person-half-hours that the rosters cover."""
    wanted = float(session.scalar(sa.select(sa.func.sum(col(Requirement.people)))) or 0)
    short = sum(
        breach["amount"]
        for version_id in versions
        for breach in session.get_one(RosterVersion, version_id).verdict["costs"]
        if breach["kind"] == "interval_cover_under" and breach["facts"].get("skill")
    )
    return 1 - short / wanted if wanted else 1.0


def _replay(engine: Engine, versions: list[int], seed: int, figures: Figures) -> None:
    with transaction(engine) as session:
        outcome = replaying.gate(
            session, PLANNER, versions, TIMEZONE, RECORDS_END, replications=REPLICATIONS, seed=seed
        )
        figures.promises_kept = round(outcome["share_met"], 4)
        figures.promises_low = round(outcome["share_low"], 4)
        figures.promises_high = round(outcome["share_high"], 4)
        figures.agreed_share = outcome["agreed_share"]
        for version_id in versions:
            rostering.publish(
                session, PLANNER, version_id, RECORDS_END,
                reason="sample desk: published as solved, see the replay beside it",
            )  # fmt: skip
