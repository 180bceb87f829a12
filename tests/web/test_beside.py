"""Long work in a process beside: the same answers, pages that wait politely, and an end to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from web.app import create_app
from web.beside import Beside
from wfm import instants
from wfm.db import transaction
from wfm.errors import SetupError
from wfm.services import accounts, api_tokens
from wfm.settings import Settings
from wfm.words import Role

PASSWORD = "Right-answer-42"
LONGEST_S = 120  # for a machine with much else to do


def test_it_answers_in_pieces_and_is_started_anew_when_it_ended() -> None:
    # a process that splits a text, without the application, so that it starts quickly
    text: Any = "a-b-c"
    beside = Beside(text, attrgetter("split"))
    try:
        assert list(beside.pieces("-")) == ["a", "b", "c"]
        assert list(beside.pieces("b")) == ["a-", "-c"]
        with pytest.raises(SetupError):
            list(beside.pieces(5))  # split refuses numbers
        assert next(beside.pieces("-")) == "a"  # and nobody wants the rest
        assert list(beside.pieces("b")) == ["a-", "-c"]
    finally:
        beside.stop()


@pytest.fixture
def large(fresh_engine: sa.Engine, tmp_path: Path) -> Iterator[Callable[[Role], TestClient]]:
    """A browser of a desk that does long work beside."""
    app = create_app(Settings(data_dir=tmp_path, second_factor=False), fresh_engine, beside=True)
    with TestClient(app, base_url="http://desk.test", follow_redirects=False) as opened:

        def sign_in(role: Role) -> TestClient:
            with transaction(fresh_engine) as session:
                accounts.create(
                    session, role.value, "Somebody", PASSWORD, [(role, None)], instants.now(),
                    language="en",
                )  # fmt: skip
            opened.cookies.clear()
            opened.get("/sign-in")
            opened.headers["x-csrf-token"] = opened.cookies["tierdesk_csrf"]
            opened.post("/sign-in", data={"name": role.value, "password": PASSWORD})
            return opened

        yield sign_in


def until_prepared(client: TestClient, path: str, headers: dict[str, str]) -> tuple[Any, int]:
    """The answer, and how often it was said to be on its way."""
    deadline, waited = time.monotonic() + LONGEST_S, 0
    while 'aria-busy="true"' in (answer := client.get(path, headers=headers)).text:
        assert time.monotonic() < deadline
        assert "so far" in answer.text
        waited += 1
        time.sleep(0.3)
    return answer, waited


def test_a_panel_is_prepared_beside_and_asked_for_again(
    large: Callable[[Role], TestClient], planned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # quick machines have this answer within the usual wait, and nothing would be asked again
    monkeypatch.setattr("web.app.PAGE_WAITS_S", 0.0)
    client = large(Role.PLANNER)
    gap = f"{planned.page}/gap?version={planned.version}&day={planned.week.first}&start=600"
    answer, waited = until_prepared(client, gap, {"hx-request": "true"})
    assert waited >= 1
    assert answer.status_code == 200
    assert "Who could fill it" in answer.text
    assert "<html" not in answer.text
    # a whole page is asked for anew as a whole, by browsers without any script too
    other = client.get(gap + "&skill=net")
    assert other.headers["refresh"] == "1"
    assert 'hx-trigger="load' not in other.text
    whole, _ = until_prepared(client, gap, {})
    assert "refresh" not in whole.headers
    assert "<html" in whole.text
    assert whole.headers["content-security-policy"]

    with transaction(planned.engine) as session:
        account = accounts.named(session, "planner")
        assert account is not None
        token = api_tokens.make(session, account.id or 0, "test", ["read"], 1, instants.now())
    path = f"/api/v1/rosters/{planned.roster}/versions/{planned.version}/gap"
    day = {"day": str(planned.week.first), "start": "600"}
    told = client.get(path, params=day, headers={"Authorization": f"Bearer {token}"})
    assert told.status_code == 200
    assert told.json()["report"]["fillers"]
    assert client.get(path, params=day).status_code == 401

    refused, _ = until_prepared(large(Role.AGENT), gap, {"hx-request": "true"})
    assert refused.status_code == 403
    client.cookies.clear()
    assert client.get(gap).headers["location"].startswith("/sign-in")
