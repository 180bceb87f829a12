"""A web application over the test database, and browsers signed in as each role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from web.app import create_app
from wfm import instants
from wfm.db import transaction
from wfm.services import accounts
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
