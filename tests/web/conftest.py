"""A web application over the test database, and browsers signed in as each role."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import uvicorn
from sqlmodel import Session, select
from starlette.testclient import TestClient

from web.app import create_app
from wfm import instants, tables
from wfm.db import transaction
from wfm.services import accounts, roster_problems, roster_versions
from wfm.settings import Settings
from wfm.words import Role

PASSWORD = "Right-answer-42"
STARTING_S = 60  # of a machine with much else to do


class Served:
    """The desk in this process, on a port of its own, to be stopped and started again."""

    def __init__(self, engine: sa.Engine, folder: Path, port: int) -> None:
        self.engine, self.folder, self.port = engine, folder, port
        self.address = f"http://127.0.0.1:{port}"

    def start(self) -> None:
        app = create_app(Settings(data_dir=self.folder), self.engine)
        config = uvicorn.Config(
            app, port=self.port, log_level="critical", timeout_graceful_shutdown=1
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        until = time.monotonic() + STARTING_S
        while not self.server.started:
            assert self.thread.is_alive(), "the server ended"
            assert time.monotonic() < until, "the server never started"
            time.sleep(0.02)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(20)


@pytest.fixture
def served(tmp_path: Path, free_port: int) -> Iterator[Callable[[sa.Engine], Served]]:
    """A function that serves the desk of a database until the test ends."""
    started: list[Served] = []

    def serve(engine: sa.Engine) -> Served:
        started.append(Served(engine, tmp_path, free_port))
        started[0].start()
        return started[0]

    yield serve
    for one in started:
        one.stop()


@pytest.fixture
def client(fresh_engine: sa.Engine, tmp_path: Path) -> Iterator[TestClient]:
    """A browser nobody has signed in with yet."""
    app = create_app(Settings(data_dir=tmp_path, second_factor=False), fresh_engine)
    with TestClient(app, base_url="http://desk.test", follow_redirects=False) as opened:
        opened.get("/sign-in")
        opened.headers["x-csrf-token"] = opened.cookies["tierdesk_csrf"]
        yield opened


@pytest.fixture
def signed_in(client: TestClient, fresh_engine: sa.Engine) -> Callable[..., TestClient]:
    """Sign the browser in as somebody with the given roles."""

    def sign_in(*roles: Role, language: str = "en", name: str = "somebody") -> TestClient:
        with transaction(fresh_engine) as session:
            accounts.create(
                session, name, name.title(), PASSWORD, [(role, None) for role in roles],
                instants.now(), language=language,
            )  # fmt: skip
        answer = client.post("/sign-in", data={"name": name, "password": PASSWORD})
        assert answer.status_code == 303
        return client

    return sign_in


@dataclass
class Planned:
    """A week's roster with one draft: B late on Monday, D early."""

    week: Any
    engine: sa.Engine
    roster: int
    version: int

    @property
    def page(self) -> str:
        return f"/rosters/{self.roster}"

    def change(self, agent: str, day: date, shift: str = "") -> str:
        return f"{self.week.agents[agent]}|{day}|{shift}"

    def cells(self, number: int) -> dict[tuple[str, date], str]:
        with transaction(self.engine) as session:
            query = select(tables.RosterVersion).where(
                tables.RosterVersion.roster_id == self.roster,
                tables.RosterVersion.number == number,
            )
            return dict(roster_versions.cells_of(session, session.exec(query).one()).cells)

    def build(self) -> Any:
        with transaction(self.engine) as session:
            roster = session.get_one(tables.Roster, self.roster)
            return roster_problems.build(session, roster, "Asia/Shanghai")

    def all(self, table: Any) -> Any:
        with transaction(self.engine) as session:
            return session.exec(select(table)).all()


@pytest.fixture
def planned(fresh_engine: sa.Engine, roster_week: Callable[[Session], Any]) -> Planned:
    with transaction(fresh_engine) as session:
        week = roster_week(session)
        draft = {("B", week.first): "late", ("D", week.first): "early"}
        roster, [version] = week.drafts(session, draft)
    return Planned(week, fresh_engine, roster, version)
