"""A real PostgreSQL for every test that asks for it, migrated once, rolled back after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from wfm import db, tables
from wfm.settings import Settings


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real records; tests that use it are skipped where it is not given."""
    folder = Path(__file__).resolve().parents[1].parent / "shared"
    if not folder.is_dir():
        pytest.skip("the real records are not on this machine")
    return folder


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """A migrated database of this test process's own."""
    folder = tmp_path_factory.mktemp("database")
    opened = db.open_engine(Settings(data_dir=folder))
    db.upgrade(opened)
    yield opened
    opened.dispose()


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
    opened = sa.create_engine(engine.url.set(database="pattern"))
    db.upgrade(opened)
    opened.dispose()
    return "pattern"


@pytest.fixture
def fresh_engine(engine: sa.Engine, pattern: str) -> Iterator[sa.Engine]:
    """An empty, migrated database for tests that must commit."""
    _create(engine, "scratch", pattern)
    opened = sa.create_engine(engine.url.set(database="scratch"))
    yield opened
    opened.dispose()


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
