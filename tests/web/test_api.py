"""The interface for machines: tokens, scopes, pages, keys, tags, problems; and odd requests."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select
from starlette.testclient import TestClient

from wfm import instants
from wfm.db import transaction
from wfm.services import api_tokens
from wfm.tables import Account, Skill, Ticket, TicketEvent
from wfm.words import EventKind, Role

SignIn = Callable[..., TestClient]
ODD = [
    "", " ", "0", "-1", "2147483648", "9" * 30, "1e9", "NaN", "../x", "%00", "\x00", "值班", "'",
    "2026-10-01", "0001-01-01", "9999-12-31", "open", "null", "\ud83d\ude00", "x" * 500,
]  # fmt: skip


@pytest.fixture
def machine(
    signed_in: SignIn, fresh_engine: sa.Engine, open_desk: Callable[..., Any]
) -> TestClient:
    """A program with a token that reads and writes; three tickets wait."""
    now = instants.now()
    client = signed_in(Role.DISPATCHER, Role.PLANNER, Role.LEAD, name="robot")
    with transaction(fresh_engine) as session:
        open_desk(session, now, B1=("senior", {"net": 3}, 2), B2=("ordinary", {"net": 3}, 2))
        skill = session.exec(select(Skill)).one()
        for number in (1, 2, 3):
            ticket = Ticket(code=f"T-{number}", opened_at=now - timedelta(minutes=5),
                            skill_id=skill.id)  # fmt: skip
            session.add(ticket)
            session.flush()
            session.add(
                TicketEvent(code=f"e{number}", ticket_id=ticket.id, at=ticket.opened_at,
                            kind=EventKind.OPENED)
            )  # fmt: skip
    return with_token(client, fresh_engine, "read", "write")


def with_token(client: TestClient, engine: sa.Engine, *scopes: str, days: int = 1) -> TestClient:
    with transaction(engine) as session:
        account = session.exec(select(Account)).first()
        assert account is not None
        token = api_tokens.make(session, account.id or 0, "robot", scopes, days, instants.now())
    return TestClient(
        client.app, base_url="http://desk.test", headers={"Authorization": f"Bearer {token}"},
        raise_server_exceptions=False,
    )  # fmt: skip


def test_without_a_token_nothing_is_told(machine: TestClient) -> None:
    for header in ({"Authorization": ""}, {"Authorization": "Bearer td_wrong"}):
        answer = machine.get("/api/v1/tickets", headers=header)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"


def test_pages_follow_one_another(machine: TestClient) -> None:
    first = machine.get("/api/v1/tickets?limit=2").json()
    assert [one["code"] for one in first["items"]] == ["T-1", "T-2"]
    rest = machine.get(f"/api/v1/tickets?limit=2&after={first['after']}").json()
    assert ([one["code"] for one in rest["items"]], rest["after"]) == (["T-3"], None)


@pytest.mark.parametrize(
    "path",
    ["tickets", "agents", "grades", "rosters", "jobs", "duties?from=2026-10-01&until=2026-10-31"],
)
def test_every_list_answers(machine: TestClient, path: str) -> None:
    answer = machine.get(f"/api/v1/{path}")
    assert answer.status_code == 200
    assert set(answer.json()) == {"items", "after"}


def test_a_write_is_done_once_for_its_key(machine: TestClient, fresh_engine: sa.Engine) -> None:
    wish = {"agent": "B1", "note": "knows the customer"}
    headers = {"Idempotency-Key": "a1"}
    answers = [
        machine.post("/api/v1/tickets/T-1/assign", json=wish, headers=headers) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["owner"] == "B1"
    with transaction(fresh_engine) as session:
        assigned = session.exec(
            select(TicketEvent).where(TicketEvent.kind == EventKind.ASSIGNED)
        ).all()
    assert len(assigned) == 1
    other = machine.post("/api/v1/tickets/T-2/assign", json=wish, headers=headers)
    assert (other.status_code, other.json()["title"]) == (409, "Conflict")
    assert machine.post("/api/v1/tickets/T-2/assign", json=wish).status_code == 422


def test_what_changed_meanwhile_is_not_overwritten(machine: TestClient) -> None:
    seen = machine.get("/api/v1/tickets/T-1").headers["etag"]
    wish = {"agent": "B1", "note": "knows the customer"}

    def assign(key: str, tag: str) -> int:
        headers = {"Idempotency-Key": key, "If-Match": tag}
        return machine.post(
            "/api/v1/tickets/T-1/assign", json=wish, headers=headers
        ).status_code  # fmt: skip

    assert assign("k1", '"another"') == 412
    assert assign("k2", seen) == 200
    assert assign("k3", seen) == 412


def test_a_token_is_narrower_than_its_account(machine: TestClient, fresh_engine: sa.Engine) -> None:
    reader = with_token(machine, fresh_engine, "read")
    headers = {"Idempotency-Key": "r1"}
    answer = reader.post("/api/v1/tickets/T-1/resolve", headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (403, 403)
    writer = with_token(machine, fresh_engine, "write")
    assert writer.get("/api/v1/tickets").status_code == 403


def test_a_token_ends_on_its_day_and_when_revoked(fresh_engine: sa.Engine, client: TestClient,
                                                  signed_in: SignIn) -> None:  # fmt: skip
    signed_in(Role.PLANNER)
    now = instants.now()
    with transaction(fresh_engine) as session:
        account = session.exec(select(Account)).one()
        token = api_tokens.make(session, account.id or 0, "x", ["read"], 1, now)
        assert api_tokens.caller(session, token, now + timedelta(hours=23)) is not None
        assert api_tokens.caller(session, token, now + timedelta(days=1)) is None
        row = api_tokens.own(session, account.id or 0)[0]
        api_tokens.revoke(session, account.id or 0, row.id or 0, now)
        assert api_tokens.caller(session, token, now) is None


def test_the_account_page_makes_and_revokes_tokens(signed_in: SignIn) -> None:
    client = signed_in(Role.PLANNER)
    data = {"name": "billing", "days": "30", "scopes": ["read"]}
    shown = re.search(r"<code>(td_[\w-]+)</code>", client.post("/account/tokens", data=data).text)
    assert shown is not None
    asked = {"Authorization": f"Bearer {shown[1]}"}
    assert client.get("/api/v1/rosters", headers=asked).status_code == 200
    number = re.search(r"/account/tokens/(\d+)/revoke", client.get("/account").text)
    assert number is not None
    client.post(f"/account/tokens/{number[1]}/revoke")
    assert client.get("/api/v1/rosters", headers=asked).status_code == 401


def test_figures_for_a_monitor(machine: TestClient) -> None:
    assert "tierdesk_tickets_waiting 3" in machine.get("/api/v1/metrics").text


def test_every_operation_is_described(machine: TestClient) -> None:
    described = machine.get("/api/v1/openapi.json").json()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], f"{method} {path}"
    assert "A007" in str(described["components"]["schemas"]["ToAgent"])


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_request_however_odd_fails_inside(machine: TestClient, data: st.DataObject) -> None:
    """Every operation of the description, with odd values in every place."""
    described = machine.get("/api/v1/openapi.json").json()
    path = data.draw(st.sampled_from(sorted(described["paths"])))
    method = data.draw(st.sampled_from(sorted(described["paths"][path])))
    odd = st.sampled_from(ODD) | st.text(max_size=8)
    query, headers = {}, {}
    for one in described["paths"][path][method].get("parameters", []):
        value = data.draw(odd)
        if one["in"] == "path":
            quoted = "".join(f"%{byte:02X}" for byte in value.encode("utf-8", "replace"))
            path = path.replace(f"{{{one['name']}}}", quoted or "1")
        elif one["in"] == "query" and data.draw(st.booleans()):
            query[one["name"]] = value.encode("utf-8", "replace").decode()
        elif one["in"] == "header":
            headers[one["name"]] = re.sub(r"[^!-~]", "k", value) or "k"
    body = data.draw(st.none() | st.dictionaries(st.sampled_from(["agent", "note", "x"]), odd))
    text = {k: v.encode("utf-8", "replace").decode() for k, v in body.items()} if body else body
    answer = machine.request(
        method, f"/api/v1{path}", params=query, headers=headers, json=text
    )  # fmt: skip
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["tickets/%00", "tickets/a%00b", "tickets?state=%00"])
def test_a_zero_byte_is_a_wrong_request(machine: TestClient, path: str) -> None:
    assert machine.get(f"/api/v1/{path}").status_code == 422


def test_a_zero_byte_in_a_body_is_a_wrong_request(machine: TestClient) -> None:
    headers = {"Idempotency-Key": "z"}
    wish = {"agent": "\x00", "note": "\x00"}
    answer = machine.post("/api/v1/tickets/T-1/assign", json=wish, headers=headers)
    assert answer.status_code == 422
