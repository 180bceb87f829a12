"""A web application over the test database, and browsers signed in as each role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select
from starlette.testclient import TestClient

from web.app import create_app
from wfm import instants, tables
from wfm.db import transaction
from wfm.services import accounts, roster_problems, roster_versions
from wfm.settings import Settings
from wfm.words import Role

PASSWORD = "Right-answer-42"


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
