"""A real PostgreSQL for every test that asks for it, migrated once, rolled back after each test."""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, sync_playwright
from sqlmodel import Session

from scheduler.solution import Roster as Cells
from wfm import db, embedded, stamps, tables, worker
from wfm.access import Actor
from wfm.services import opening, roster_problems, roster_versions, rostering
from wfm.settings import Settings
from wfm.words import Role

STAMP_KEY = "5a" * stamps.KEY_BYTES
ZONE = "Asia/Shanghai"
FORKING_S = 120  # for a machine with much else to do
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def no_loop_is_left() -> Iterator[None]:
    """Which file runs before which is chance, so none may leave an event loop running."""
    yield
    assert asyncio._get_running_loop() is None, "a fixture of this file left its event loop running"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium that ends with the file: with it ends the event loop that drives it."""
    if CHROMIUM is None:
        # `make test` says so, and with CI set refuses to go on without one
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def new_port() -> Callable[[], int]:
    """A function that tells a port nobody uses."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


@pytest.fixture
def free_port(new_port: Callable[[], int]) -> int:
    return new_port()


@pytest.fixture(scope="session")
def alive() -> Callable[[int], bool]:
    """A function that tells whether a process of a number is there."""

    def look(process: int) -> bool:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        return True

    return look


class Forks:
    """Processes that all do the same, one after the other, each a fork of one that is ready.

    Importing takes seconds, so it is done once. A fork nobody waits for leaves nothing behind.
    """

    PROGRAM = """
import os, signal, sys
{imports}
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("ready", flush=True)
for _ in sys.stdin:
    child = os.fork()
    if not child:
        {work}
        os._exit(0)
    print(child, flush=True)
"""

    def __init__(
        self, imports: str, work: str, *arguments: str, env: dict[str, str] | None = None
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", self.PROGRAM.format(imports=imports, work=work), *arguments],
            env=os.environ | (env or {}), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._said() == "ready"

    def start(self) -> int:
        """The number of a new process."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self._said())

    def _said(self) -> str:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], FORKING_S)
        assert ready, "the process that forks says nothing"
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=FORKING_S)


@pytest.fixture
def forks() -> Iterator[Callable[..., Forks]]:
    """A function that makes `Forks`: what to import, what each does, its arguments."""
    made: list[Forks] = []

    def make(imports: str, work: str, *arguments: str, env: dict[str, str] | None = None) -> Forks:
        made.append(Forks(imports, work, *arguments, env=env))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real records; tests that use it are skipped where it is not given."""
    folder = Path(__file__).resolve().parents[1].parent / "shared"
    if not folder.is_dir():
        pytest.skip("the real records are not on this machine")
    return folder


@pytest.fixture(scope="session")
def engine() -> Iterator[sa.Engine]:
    """A migrated database of this test process's own.

    Not under pytest's own folder: that keeps the last three runs only, and another run beside
    this one would take the database away.
    """
    with TemporaryDirectory(prefix="wfm-test-", ignore_cleanup_errors=True) as folder:
        opened = db.open_engine(Settings(data_dir=Path(folder), stamp_key=STAMP_KEY))
        db.upgrade(opened)
        yield opened
        opened.dispose()
        embedded.stop(Path(folder))


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[Session]:
    """A session whose work is rolled back when the test ends."""
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as opened:
            yield opened
        outer.rollback()


@pytest.fixture(scope="session")
def pattern(engine: sa.Engine) -> str:
    """A migrated database that is only ever copied, which is much quicker than migrating."""
    _create(engine, "pattern")
    opened = _opened(engine, "pattern")
    db.upgrade(opened)
    opened.dispose()
    return "pattern"


@pytest.fixture(scope="session")
def new_database(engine: sa.Engine) -> Callable[..., sa.Engine]:
    """A function that makes a database of a name: an empty one, or a copy of another."""

    def make(name: str, template: str = "template1") -> sa.Engine:
        _create(engine, name, template)
        return _opened(engine, name)

    return make


@pytest.fixture(scope="session")
def copied(new_database: Callable[..., sa.Engine], pattern: str) -> Callable[[str], sa.Engine]:
    """A function that makes an empty, migrated database of a name."""
    return lambda name: new_database(name, pattern)


@pytest.fixture
def fresh_engine(engine: sa.Engine, pattern: str) -> Iterator[sa.Engine]:
    """An empty, migrated database for tests that must commit."""
    _create(engine, "scratch", pattern)
    opened = _opened(engine, "scratch")
    yield opened
    opened.dispose()


@pytest.fixture
def fresh_url(fresh_engine: sa.Engine) -> str:
    """The address of `fresh_engine`'s database, as a setting gives it."""
    url = fresh_engine.url.set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


@pytest.fixture
def work_off() -> Callable[[sa.Engine], None]:
    """Run a real worker until the queue is empty.

    In a thread: the test may drive a browser, whose event loop runs in this one.
    """

    def run(engine: sa.Engine) -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(worker.work, engine, wait=False, install_signal_handlers=False).result()

    return run


def _opened(engine: sa.Engine, name: str) -> sa.Engine:
    opened = sa.create_engine(engine.url.set(database=name))
    return stamps.give_key(opened, bytes.fromhex(STAMP_KEY))


def _create(engine: sa.Engine, name: str, template: str = "template1") -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f"drop database if exists {name} with (force)"))
        connection.execute(sa.text(f"create database {name} template {template}"))


@pytest.fixture
def open_desk() -> Callable[..., None]:
    """A function that puts agents on duty all day around `at`, and skills, in a session.

    Agents are given as `code=(grade, {skill: proficiency}, capacity)`.
    """

    def put(session: Session, at: datetime, **agents: tuple[str, dict[str, int], int]) -> None:
        day = (at - timedelta(days=1)).date()
        site = tables.Site(code="s", name_en="Site", name_zh="地点")
        session.add(site)
        session.flush()
        team = tables.Team(code="t", name_en="Team", name_zh="团队", site_id=site.id)
        names = {name for _, held, _ in agents.values() for name in held}
        skills = {n: tables.Skill(code=n, name_en=n.title(), name_zh=f"技能{n}") for n in names}
        session.add_all([team, *skills.values()])
        session.flush()
        roster = tables.Roster(team_id=team.id, period_from=day, period_until=day)
        session.add(roster)
        session.flush()
        version = tables.RosterVersion(
            roster_id=roster.id, number=1, made_at=at, made_by="test", status="published"
        )
        session.add(version)
        for code, (grade, held, capacity) in agents.items():
            agent = tables.Agent(code=code, name=f"{code} Li", capacity=capacity)
            session.add(agent)
            session.flush()
            session.add(tables.AgentGrade(agent_id=agent.id, grade=grade, valid_from=day))
            for name, level in held.items():
                session.add(
                    tables.AgentSkill(
                        agent_id=agent.id, skill_id=skills[name].id, proficiency=level,
                        valid_from=day,
                    )
                )  # fmt: skip
            session.add(
                tables.Assignment(
                    version_id=version.id, agent_id=agent.id, day=at.date(), shift_code="D",
                    starts_at=at - timedelta(hours=3), ends_at=at + timedelta(hours=6), live=True,
                )
            )  # fmt: skip
        session.flush()

    return put


@dataclass
class RosterWeek:
    """A team of five in the week of National Day 2026, with a plan, shifts and posts."""

    team: int
    other_team: int
    agents: dict[str, int]
    skills: dict[str, int]
    posts: dict[str, int]
    plan: int
    first: date = date(2026, 9, 28)  # a Monday; 1 to 3 October are holidays, 4 October is off
    last: date = date(2026, 10, 4)
    planner: Actor = field(default_factory=lambda: Actor("plan", roles={Role.PLANNER: None}))

    def local(self, day: date, hour: float) -> datetime:
        """The instant of an hour of a day at the desk."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(ZONE))
        return midnight + timedelta(hours=hour)

    def drafts(self, session: Session, *each: dict[tuple[str, date], str]) -> tuple[int, list[int]]:
        """The team's roster of the week, made at its beginning, and a draft with each of the cells.

        Returns the row numbers of the roster and of its versions.
        """
        at = self.local(self.first, 0)
        roster = rostering.open_roster(session, self.planner, self.team, self.first, self.last, at)
        assert roster.id is not None
        problem = roster_problems.build(session, roster, ZONE)
        versions = [
            roster_versions.store_version(
                session, roster.id, problem, Cells(cells), "plan", at, ZONE,
                result={"status": "feasible", "bound": 100, "gap": 0.5, "seed": 7, "seconds": 12.0},
            )
            for cells in each
        ]  # fmt: skip
        return roster.id, versions


@pytest.fixture(scope="session")
def roster_week() -> Callable[[Session], RosterWeek]:
    """A function that puts the desk of `RosterWeek` in a session."""

    def put(session: Session) -> RosterWeek:
        def add(*rows: Any) -> list[int]:
            session.add_all(rows)
            session.flush()
            return [row.id for row in rows]

        since = date(2026, 1, 1)
        [site] = add(tables.Site(code="s", name_en="Site", name_zh="地点"))
        team, other = add(
            *(
                tables.Team(code=c, name_en=f"Team {c}", name_zh=f"{c}组", site_id=site)
                for c in "tu"
            )
        )
        net, app = add(
            tables.Skill(code="net", name_en="Network", name_zh="网络"),
            tables.Skill(code="app", name_en="Applications", name_zh="应用"),
        )
        grades = {"A": "expert", "B": "senior", "C": "senior", "D": "ordinary", "E": "ordinary"}
        codes = list(grades)
        ids = add(*(tables.Agent(code=code, name=f"{code} Li", phone=f"1{code}") for code in codes))
        agents = dict(zip(codes, ids, strict=True))
        for code, agent in agents.items():
            add(
                tables.AgentTeam(agent_id=agent, team_id=team, valid_from=since),
                tables.AgentGrade(agent_id=agent, grade=grades[code], valid_from=since),
                tables.AgentSkill(agent_id=agent, skill_id=net, valid_from=since),
            )
        add(tables.AgentSkill(agent_id=agents["D"], skill_id=app, valid_from=since))
        shifts = (
            ("early", "Early", "早班", 8, 0, 16, 30, "on_site", 480, [(720, 750)]),
            ("home", "From home", "居家班", 9, 0, 17, 0, "remote", 480, []),
            ("late", "Late", "晚班", 13, 30, 22, 0, "on_site", 480, [(1050, 1080)]),
            ("night", "Night", "夜班", 22, 0, 6, 0, "on_site", 480, []),
            ("standby", "Standby", "待命", 22, 0, 8, 0, "standby", 0, []),
        )
        for code, en, zh, h, m, to_h, to_m, mode, paid, pauses in shifts:
            add(
                tables.ShiftTemplate(
                    code=code, name_en=en, name_zh=zh, starts=time(h, m), ends=time(to_h, to_m),
                    paid_minutes=paid, mode=mode, unpopular=code == "late",
                    breaks=[{"start": a, "end": b} for a, b in pauses],
                )
            )  # fmt: skip
        leader, lead = add(
            tables.Post(code="leader", name_en="Duty leader", name_zh="带班领导",
                        role="duty_leader", min_grade="expert", mode="standby", reach_minutes=60),
            tables.Post(code="lead", name_en="Lead", name_zh="主班", role="lead",
                        min_grade="senior", site_id=site),
        )  # fmt: skip
        every_day = {day: [["08:00", "22:00"]] for day in opening.WEEK}
        add(
            tables.BusinessCalendar(code="desk", name_en="Desk", name_zh="服务台",
                                    timezone=ZONE, definition=every_day)
        )  # fmt: skip
        week = RosterWeek(
            team, other, agents, {"net": net, "app": app}, {"leader": leader, "lead": lead}, 0
        )
        [week.plan] = add(
            tables.StaffingPlan(period_from=week.first, period_until=week.last,
                                made_at=week.local(week.first, 0),
                                facts={"contacts": 12.0, "person_hours": 2.5, "skills": {}})
        )  # fmt: skip
        needs = ((9, "net", 2), (9.5, "net", 2), (10, "net", 3), (9, "app", 1))
        for hour, skill, people in needs:
            add(
                tables.Requirement(
                    plan_id=week.plan, team_id=team, skill_id=week.skills[skill], tier="ordinary",
                    starts_at=week.local(week.first, hour), people=people,
                    source="90 % first response within 30 min",
                )
            )  # fmt: skip
        return week

    return put
