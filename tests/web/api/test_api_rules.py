"""What holds for every operation: tokens, scopes, pages, keys, tags, problems, what is told."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import jsonschema_rs
import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel, select
from starlette.testclient import TestClient

from web.api.documents import TOLD
from web.limits import Limiter
from wfm import instants
from wfm.db import transaction
from wfm.services import accounts, api_tokens, elevated
from wfm.services.elevated import Application
from wfm.tables import Account, KeptAnswer, TicketEvent
from wfm.words import EventKind, Role

PROBLEM = "application/problem+json"
NOTE = {"note": "knows the customer"}


@pytest.fixture(scope="module")
def client(machine: Any) -> TestClient:
    made: TestClient = machine.client()
    return made


@pytest.fixture(scope="module")
def described(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/v1/openapi.json").json()
    return found


def key(name: str, **more: str) -> dict[str, str]:
    return {"Idempotency-Key": name} | more


# -- tokens ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "Bearer td_wrong", "Basic dTpw"])
def test_without_a_token_nothing_is_told(client: TestClient, header: str) -> None:
    answer = client.get("/api/v1/tickets", headers={"Authorization": header})
    assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_is_narrower_than_its_account(machine: Any) -> None:
    reader = machine.client(machine.make_token("read"))
    answer = reader.post("/api/v1/tickets/T-9/answer", headers=key("r1"))
    assert (answer.status_code, answer.json()["status"]) == (403, 403)
    assert reader.get("/api/v1/me").json()["scopes"] == ["read"]
    writer = machine.client(machine.make_token("write"))
    assert writer.get("/api/v1/tickets").status_code == 403


def test_a_token_ends_on_its_day_and_when_revoked(machine: Any) -> None:
    now, token = instants.now(), machine.make_token("read", "write")
    with transaction(machine.engine) as session:
        assert api_tokens.caller(session, token, now + timedelta(hours=23)) is not None
        assert api_tokens.caller(session, token, now + timedelta(days=1, minutes=1)) is None
    client = machine.client(token)
    number = client.get("/api/v1/tokens").json()["items"][0]["id"]
    assert client.delete(f"/api/v1/tokens/{number}", headers=key("t1")).status_code == 204
    assert client.get("/api/v1/tokens").status_code == 401


def test_a_token_has_no_more_rights_than_its_account(machine: Any) -> None:
    with transaction(machine.engine) as session:
        accounts.create(session, "clerk", "Clerk", "Right-answer-42", [(Role.AGENT, None)],
                        instants.now(), language="en")  # fmt: skip
    clerk = machine.client(machine.make_token("read", "write", account="clerk"))
    for path in ("accounts", "audit", "grades/cycles", "dispatch/queue", "access", "jobs"):
        assert clerk.get(f"/api/v1/{path}").status_code == 403, path
    assert clerk.get("/api/v1/rosters").status_code == 200


def test_an_account_without_roles_is_told_next_to_nothing(
    machine: Any, described: dict[str, Any]
) -> None:
    """Every operation by its own example: words of the desk and one's own account, no more."""
    with transaction(machine.engine) as session:
        accounts.create(session, "nobody", "Nobody", "Right-answer-42", [], instants.now(),
                        language="en")  # fmt: skip
    client, through = machine.client(machine.make_token("read", "write", account="nobody")), set()
    for path, operations in described["paths"].items():
        for method, one in operations.items():
            where, query = path, {}
            for given in one.get("parameters", []):
                known = machine.known.get(given["name"], [given["example"]])
                if given["in"] == "path":
                    where = where.replace(f"{{{given['name']}}}", str(known[0]))
                elif given["in"] == "query" and given["required"]:
                    query[given["name"]] = given["example"]
            body = one.get("requestBody", {}).get("content", {}).get("application/json", {})
            answer = client.request(method, f"/api/v1{where}", params=query, headers=key(path),
                                    json=body.get("example"))  # fmt: skip
            if answer.status_code < 300:
                through.add(f"{method.upper()} {path}")
            assert answer.status_code < 500, f"{method} {path}"
    assert through == {
        "GET /me", "GET /teams", "GET /sites", "GET /skills", "GET /shifts", "GET /metrics",
        "GET /dispatch/pauses", "GET /duty/occasions", "GET /imports/kinds", "GET /tokens",
        "POST /access",
    }  # fmt: skip


def test_who_asks_by_token_is_the_account_itself(machine: Any, client: TestClient) -> None:
    """One's own application for access stays one's own, whichever way it is decided."""
    with transaction(machine.engine) as session:
        account = session.exec(select(Account.id).where(Account.name == "robot")).one()
        actor = accounts.actor_of(session, accounts.get(session, account))
        wish = Application(Role.PLANNER, None, "to stand in for somebody", "127.0.0.1", 1)
        number = elevated.ask(session, actor, account, wish, instants.now()).id
    path = f"/api/v1/access/{number}/decide"
    answer = client.post(path, json={"approve": True}, headers=key("own"))
    assert answer.status_code == 403
    assert "another person" in answer.json()["detail"]


def test_the_audit_chain_names_the_token(client: TestClient) -> None:
    client.post("/api/v1/tickets/T-9/answer", headers=key("chain-1"))
    [entry] = client.get("/api/v1/audit?action=token.write&subject=T-9/answer").json()["items"]
    assert (entry["actor"], entry["detail"]) == ("robot", {"token": "robot", "key": "chain-1"})


# -- pages -----------------------------------------------------------------------------------------


def test_pages_follow_one_another(client: TestClient) -> None:
    """Five people are listed by row number, and the shifts by position, two at a time."""
    for path, all_of_them in (("agents", "ABCDE"), ("shifts", None)):
        found, address = [], f"/api/v1/{path}?limit=2"
        while address:
            answer = client.get(address)
            found += [one["code"] for one in answer.json()["items"]]
            link = re.fullmatch(r'<(.+)>; rel="next"', answer.headers.get("link", ""))
            assert (link is None) == (answer.json()["after"] is None)
            address = link[1] if link else ""
        assert found == list(all_of_them or ["early", "home", "late", "night", "standby"])


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "after=-1", "after=2147483648"])
def test_odd_pages_are_refused(client: TestClient, query: str) -> None:
    for path in ("tickets", "skills", "audit"):
        assert client.get(f"/api/v1/{path}?{query}").status_code == 422


# -- writes ----------------------------------------------------------------------------------------


def test_a_write_is_done_once_for_its_key(machine: Any, client: TestClient) -> None:
    wish = {"agent": "B", **NOTE}
    path = "/api/v1/tickets/T-1/assign"
    answers = [client.post(path, json=wish, headers=key("a1")) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["owner"] == "B"
    assert [one.headers.get("idempotency-replayed") for one in answers] == [None, "true"]
    with transaction(machine.engine) as session:
        event = select(TicketEvent).where(TicketEvent.kind == EventKind.ASSIGNED,
                                          TicketEvent.code.startswith("desk"))  # fmt: skip
        assert len(session.exec(event).all()) == 1
    for other in ({"json": wish | {"note": "another"}}, {"json": wish, "params": {"x": 1}}):
        assert client.post(path, headers=key("a1"), **other).status_code == 409
    missing = client.post(path, json=wish)
    assert (missing.status_code, missing.json()["faults"][0]["where"]) == (422, "Idempotency-Key")


def test_what_is_refused_may_be_tried_again_under_its_key(client: TestClient) -> None:
    path, wish = "/api/v1/tickets/T-2/assign", {"agent": "B"}
    first = client.post(path, json=wish, headers=key("again"))
    assert first.status_code in (404, 409)
    assert client.post(path, json=wish, headers=key("again")).json() == first.json()


def test_answers_are_kept_a_week(machine: Any, client: TestClient) -> None:
    client.put("/api/v1/tickets/T-3/priority", json={"priority": 2, "note": "x"}, headers=key("w"))
    with transaction(machine.engine) as session:
        row = session.exec(select(KeptAnswer).where(KeptAnswer.key == "w")).one()
        row.made_at -= timedelta(days=8)
    client.put("/api/v1/tickets/T-3/priority", json={"priority": 3, "note": "x"}, headers=key("v"))
    with transaction(machine.engine) as session:
        assert session.exec(select(KeptAnswer).where(KeptAnswer.key == "w")).first() is None


def test_a_password_is_told_once_and_not_kept(machine: Any, client: TestClient) -> None:
    wish = {"name": "lin", "display_name": "Lin Xiao"}
    answers = [client.post("/api/v1/accounts", json=wish, headers=key("acc")) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 201]
    assert len(answers[0].json()["password"]) == 16
    assert answers[1].json() == answers[0].json() | {"password": None}


# -- tags ------------------------------------------------------------------------------------------


def test_what_did_not_change_is_not_sent_again(client: TestClient) -> None:
    seen = client.get("/api/v1/rosters/1").headers["etag"]
    answer = client.get("/api/v1/rosters/1", headers={"If-None-Match": seen})
    assert (answer.status_code, answer.content) == (304, b"")
    assert client.get("/api/v1/rosters/1", headers={"If-None-Match": '"x"'}).status_code == 200


def test_what_changed_meanwhile_is_not_overwritten(client: TestClient) -> None:
    path = "/api/v1/tickets/T-4"
    seen = client.get(path).headers["etag"]

    def change(name: str, tag: str) -> int:
        headers = key(name, **{"If-Match": tag})
        wish = {"priority": 2, "note": "the whole street"}
        return client.put(f"{path}/priority", json=wish, headers=headers).status_code

    assert change("k1", '"another"') == 412
    assert change("k2", seen) == 200
    assert change("k3", seen) == 412
    assert change("k2", seen) == 200  # the kept answer: it was done then


def test_what_is_edited_must_have_been_read(client: TestClient, machine: Any) -> None:
    number = machine.known["agreement"][0]
    path = f"/api/v1/agreements/{number}"
    change = {"name_en": "Keys of orders"}
    assert client.patch(path, json=change, headers=key("g1")).status_code == 428
    seen = client.get(path).headers["etag"]
    done = client.patch(path, json=change, headers=key("g2", **{"If-Match": seen}))
    assert (done.status_code, done.json()["name_en"]) == (200, "Keys of orders")
    assert (
        client.patch(path, json=change, headers=key("g3", **{"If-Match": seen})).status_code == 412
    )


# -- problems --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "nowhere", 404), ("GET", "tickets/none", 404), ("GET", "rosters/x", 422),
     ("DELETE", "tickets", 405), ("POST", "tickets/T-1/pause", 422), ("GET", "tickets/", 404),
     ("GET", "tickets/%00", 422), ("GET", "duties?from=x&until=2026-10-01", 422)],
)  # fmt: skip
def test_every_refusal_is_a_problem_document(
    client: TestClient, method: str, path: str, status: int
) -> None:
    answer = client.request(method, f"/api/v1/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert set(answer.json()) == {"type", "title", "status", "detail", "faults"}
    assert answer.json()["status"] == status
    if status == 405:
        assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    "told",
    [[{"agent": "X1"}], [{"agent": "X1"}, {"agent": "X2"}],
     [{"agent": "A", "after": "none"}],
     [{"agent": "C", "after": "early", "post": "none"}]],
    ids=["nobody", "two of nobody", "no such shift", "no such post"],
)  # fmt: skip
def test_a_repair_of_what_is_not_there_is_refused(
    client: TestClient, told: list[dict[str, str]]
) -> None:
    path = "/api/v1/rosters/1/versions/2"
    wish = {
        "agent": "B", "from": "2026-09-29", "until": "2026-09-29", "reason": "she is ill",
        "seen": client.get(f"{path}/desk").json()["seen"],
        "changes": [{"day": "2026-10-03"} | one for one in told],
    }  # fmt: skip
    answer = client.post(f"{path}/repair", json=wish, headers=key(f"mend {told}"))
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)


def test_bodies_that_are_none_are_refused(client: TestClient) -> None:
    headers = key("b", **{"Content-Type": "application/json"})
    path = "/api/v1/tickets/T-5/assign"
    bodies = (
        (b"{", 422), (b"\xff\xfe", 422), (b" " * (1 << 20) + b"{}", 413),
        (b'{"agent": "\\u0000"}', 422), (b'{"agent": "B", "x": 1}', 422),
    )  # fmt: skip
    for body, status in bodies:
        answer = client.post(path, content=body, headers=headers)
        assert answer.status_code == status, body[:20]
        # what is too large is refused before the application reads it, in plain text
        assert (answer.headers["content-type"] == PROBLEM) == (status != 413), body[:20]
    unread = client.post(path, content=b"{", headers=headers).json()
    assert (unread["title"], unread["faults"][0]["where"]) == ("Input", "body")
    assert "no JSON" in unread["detail"]
    assert "at character 1" in unread["detail"]
    assert client.get("/api/v1/nowhere").json()["title"] == "Not found"


def test_problems_are_told_in_the_language_asked_for(client: TestClient) -> None:
    in_chinese = {"Accept-Language": "zh-CN,zh;q=0.9"}
    answer = client.get("/api/v1/tickets/T-x", headers=in_chinese).json()
    assert (answer["detail"], answer["type"]) == (
        "没有工单 T-x", "urn:tierdesk:problem:not-found",
    )  # fmt: skip
    refused = client.post("/api/v1/tickets/T-5/resume", headers=key("zh") | in_chinese).json()
    assert (refused["type"], refused["detail"]) == (
        "urn:tierdesk:problem:not-paused", "T-5 并未暂停",
    )  # fmt: skip


def test_too_many_requests_are_told_how_long_to_wait(machine: Any) -> None:
    usual = machine.app.state.api_limit
    machine.app.state.api_limit = Limiter(per_minute=1, burst=1)
    try:
        answers = [machine.client().get("/api/v1/me") for _ in range(2)]
    finally:
        machine.app.state.api_limit = usual
    assert [one.status_code for one in answers] == [200, 429]
    assert int(answers[1].headers["retry-after"]) > 50


def test_what_nobody_expected_is_a_problem_document_too(machine: Any, client: TestClient) -> None:
    with machine.engine.begin() as connection:
        connection.execute(sa.text("alter table duty_contact rename to gone"))
    answer = client.get("/api/v1/duty/contacts")
    with machine.engine.begin() as connection:
        connection.execute(sa.text("alter table gone rename to duty_contact"))
    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
    assert "duty_contact" not in answer.text


# -- what is told ----------------------------------------------------------------------------------


def test_columns_that_are_told_are_there() -> None:
    rows = {one.__name__: one for one in SQLModel.__subclasses__()}
    for name, columns in TOLD.items():
        assert set(columns.split()) <= set(rows[name].model_fields), name


def test_every_row_that_is_told_is_listed(described: dict[str, Any]) -> None:
    """A row that is not listed is told by its number only: nobody has thought about it."""
    rows = {one.__name__ for one in SQLModel.__subclasses__()}
    assert rows & set(described["components"]["schemas"]) <= set(TOLD)


def test_nothing_secret_is_told(described: dict[str, Any]) -> None:
    shapes = described["components"]["schemas"]
    named = {
        part: {name for name, one in shapes.items() if part in one.get("properties", {})}
        for part in ("password_hash", "totp_secret", "token_sha256", "content", "phone", "password")
    }
    assert named == {
        "password_hash": set(), "totp_secret": set(), "token_sha256": set(),
        "content": {"HandedFile"}, "phone": {"Contact", "DutyContact", "Reached"},
        "password": {"Made", "Password"},
    }  # fmt: skip


def test_figures_for_a_monitor(client: TestClient) -> None:
    assert "tierdesk_tickets_waiting" in client.get("/api/v1/metrics").text


# -- the description -------------------------------------------------------------------------------


def test_every_operation_is_described_with_examples(described: dict[str, Any]) -> None:
    assert described["info"]["version"]
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for path, operations in described["paths"].items():
        for method, one in operations.items():
            name = f"{method} {path}"
            assert one["description"], name
            assert one["security"] == [{"token": []}], name
            bodies = [one.get("requestBody", {}), one["responses"].get("200", {})]
            for body in bodies:
                assert all("example" in it for it in body.get("content", {}).values()), name


def test_examples_of_bodies_fit_what_is_asked_for(described: dict[str, Any]) -> None:
    shapes = {"components": described["components"]}
    for path, operations in described["paths"].items():
        for method, one in operations.items():
            content = one.get("requestBody", {}).get("content", {}).get("application/json")
            if content:
                schema = json.loads(json.dumps(content["schema"])) | shapes
                found = jsonschema_rs.validator_for(schema).iter_errors(content["example"])
                assert [str(fault) for fault in found] == [], f"{method} {path}"
