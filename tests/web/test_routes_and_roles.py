"""Every route is tried as every role; what is let through is what the table of routes says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session
from starlette.testclient import TestClient

from web.app import create_app
from wfm import instants, tables
from wfm.access import RIGHTS
from wfm.db import transaction
from wfm.services import accounts, grade_policies
from wfm.settings import Settings
from wfm.words import Role

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "routes.md"
TRIED = ("a", "zh", "week", "replay", "none", "A" * 32, "1|2026-10-01|", "on-2", "team", "2026-10")
PASSWORD = "Right-answer-42"
OPEN = {
    "/health", "/sign-in", "/sign-out", "/language", "/feeds/{token}.ics", "/live/{topic}",
    "/dispatch/live", "/sign-in/provider", "/sign-in/provider/back",
}  # fmt: skip

# what these take is judged before the row is looked for; then the days are seen to be others
ANOTHER_DAY = {"agent": "1", "version": "1", "from": "2027-01-01", "until": "2027-01-01"}
# which of its two rights is asked for depends on the act: this one asks for the first
OF_THE_ACT = {"POST /grades/assessments/{assessment_id}": {"grades.decide"}}
GIVEN: dict[str, dict[str, str]] = {
    "GET /grades/records/{assessment_id}": {"criterion": "satisfaction"},
    "POST /grades/assessments/{assessment_id}": {"action": "accept"},
    "POST /grades/corrections": {"what": "survey:", "record": "none", "reason": "not hers"},
    "GET /rosters/{roster_id}/repair": ANOTHER_DAY,
    "POST /rosters/{roster_id}/repair": ANOTHER_DAY,
    "POST /rosters/{roster_id}/edit": {"change": "1|2027-01-01|"},
    "POST /rosters/{roster_id}/locks": {"change": "1|2027-01-01|"},
}


def routes() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """`METHOD path`, what the operation takes, and the schemas it refers to."""
    described = create_app(Settings(), sa.create_engine("postgresql://")).openapi()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            if path not in OPEN:
                yield f"{method.upper()} {path}", operation, described["components"]["schemas"]


def table() -> dict[str, str]:
    """`METHOD path` → rights, "its row" where a row must be there first, or "signed in"."""
    rows = re.findall(r"^\| `(\w+ /[^`]*)` \| (.+?) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return dict(rows)


def rights(told: str) -> set[str]:
    """The rights a line of the table names; any of them will do."""
    return set(re.findall(r"`([a-z_.]+)`", told))


def value(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A value a route takes where the schema asks for one."""
    if "$ref" in schema:
        return value(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        return value(schema["anyOf"][0], schemas)
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "date":
        return "2026-10-01"
    if schema.get("type") in ("integer", "number"):
        return str(schema.get("minimum", 1) or 1)
    if schema.get("type") == "boolean":
        return "true"
    if schema.get("type") == "array":
        return [value(schema["items"], schemas)]
    pattern = schema.get("pattern", "")
    return next((one for one in TRIED if re.search(pattern, one)), "a")


def request(client: TestClient, name: str, operation: Any, schemas: dict[str, Any]) -> Any:
    method, path = name.split(" ")
    query = {}
    for one in operation.get("parameters", []):
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", str(value(one["schema"], schemas)))
        elif one["in"] == "query" and one.get("required"):
            query[one["name"]] = value(one["schema"], schemas)
    data, files = {}, {}
    for content in operation.get("requestBody", {}).get("content", {}).values():
        body = content["schema"]
        if "$ref" in body:
            body = schemas[body["$ref"].rpartition("/")[2]]
        for field in body.get("required", []):
            kind = body["properties"][field]
            if kind.get("format") == "binary" or "contentMediaType" in kind:
                files[field] = ("a.csv", b"a")
            else:
                data[field] = value(kind, schemas)
    (query if method == "GET" else data).update(GIVEN.get(name, {}))
    return client.request(method, path, params=query, data=data or None, files=files or None)


@pytest.fixture
def as_role(fresh_engine: sa.Engine, tmp_path: Path) -> Any:
    app = create_app(Settings(data_dir=tmp_path, second_factor=False), fresh_engine)
    with transaction(fresh_engine) as session:
        # number 1, which the requests name, is not the one who asks: nobody manages his own account
        accounts.create(session, "first", "first", PASSWORD, [], instants.now(), language="en")

    def sign_in(role: Role | None) -> TestClient:
        name = role.value if role else "nobody"
        with transaction(fresh_engine) as session:
            held = [(role, None)] if role else []
            accounts.create(session, name, name, PASSWORD, held, instants.now(), language="en")
        client = TestClient(app, base_url="http://desk.test", follow_redirects=False,
                            raise_server_exceptions=False)  # fmt: skip
        client.get("/sign-in")
        client.headers["x-csrf-token"] = client.cookies["tierdesk_csrf"]
        client.post("/sign-in", data={"name": name, "password": PASSWORD})
        return client

    return sign_in


def test_the_table_names_every_route() -> None:
    assert set(table()) == {name for name, _, _ in routes()}


def test_the_table_names_rights_that_are_there() -> None:
    for name, told in table().items():
        assert rights(told) <= set(RIGHTS), name
        assert rights(told) or told in ("its row", "signed in"), name


def test_nobody_unknown_gets_in(fresh_engine: sa.Engine, tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path), fresh_engine)
    client = TestClient(app, base_url="http://desk.test", follow_redirects=False)
    client.get("/sign-in")
    client.headers["x-csrf-token"] = client.cookies["tierdesk_csrf"]
    for name, operation, schemas in routes():
        answer = request(client, name, operation, schemas)
        told = f"{name}: {answer.status_code}"
        assert answer.headers.get("location", "").startswith("/sign-in"), told


@pytest.mark.parametrize("role", [None, *Role], ids=str)
def test_every_route_as_every_role(as_role: Any, role: Role | None) -> None:
    client, known = as_role(role), table()
    wrong = []
    for name, operation, schemas in routes():
        if name == "POST /account/password":
            continue  # everybody's own, and it ends the session
        told = known.get(name, "")
        answer = request(client, name, operation, schemas)
        refused = answer.status_code == 403
        allowed = told == "signed in" or any(role in RIGHTS[one] for one in rights(told))
        if answer.status_code >= 500 or ("its row" not in told and refused == allowed):
            wrong.append((name, told, answer.status_code))
    assert wrong == []


@pytest.fixture
def desk_with_rows(fresh_engine: sa.Engine, roster_week: Callable[[Session], Any]) -> int:
    """One row of everything a right depends on, all of one team; the number of another team."""
    with transaction(fresh_engine) as session:
        week = roster_week(session)
        at = week.local(week.first, 0)
        week.drafts(session, {("B", week.first): "late"})
        agent = week.agents["A"]
        session.add(tables.Job(task="solve", asked_by="another", asked_at=at))
        session.add(tables.AgentRequest(agent_id=agent, kind="leave", first_day=week.first,
                                        last_day=week.first, made_at=at))  # fmt: skip
        policy = tables.GradePolicy(
            code="p", text=grade_policies.default_policy_text(), sha256="", added_at=at
        )
        session.add(policy)
        session.flush()
        cycle = tables.AssessmentCycle(
            code="c", policy_id=policy.id, period_from=week.first, as_of=week.last,
            made_at=at, status="effective",  # over: what is allowed is a conflict
        )  # fmt: skip
        session.add(cycle)
        session.flush()
        case = tables.Assessment(
            cycle_id=cycle.id, agent_id=agent, proposed_grade="senior", decision="keep",
        )  # fmt: skip
        session.add(case)
        session.flush()
        appeal = tables.GradeAppeal(assessment_id=case.id, filed_at=at, filed_by="a", text="why")
        session.add(appeal)
        session.flush()
        session.add(
            tables.GradeAttachment(
                appeal_id=appeal.id,
                file_name="a.txt",
                media_type="text/plain",
                sha256="0",
                content=b"a",
            )
        )
        return int(week.other_team)


def test_every_route_of_a_row_as_every_role_and_as_its_role_of_another_team(
    fresh_engine: sa.Engine, tmp_path: Path, desk_with_rows: int
) -> None:
    """Whoever the table does not name is told the row is not there, or that it is not theirs."""
    app = create_app(Settings(data_dir=tmp_path, second_factor=False), fresh_engine)
    clients: dict[tuple[Role | None, int | None], TestClient] = {}
    for role in (None, *Role):
        for team in (None, desk_with_rows):
            with transaction(fresh_engine) as session:
                made = accounts.create(
                    session, f"{role}-{team}", "x", PASSWORD, [(role, team)] if role else [],
                    instants.now(), language="en",
                )  # fmt: skip
                token = accounts.open_session(session, made, instants.now(), second_factor=True)
            client = TestClient(app, base_url="http://desk.test", follow_redirects=False,
                                raise_server_exceptions=False)  # fmt: skip
            client.cookies.update({"tierdesk_session": token, "tierdesk_csrf": "same"})
            client.headers["x-csrf-token"] = "same"
            clients[role, team] = client
    wrong, known = [], table()
    for name, operation, schemas in routes():
        told = known[name]
        asked = OF_THE_ACT.get(name) or rights(told)
        if "its row" not in told or not asked:
            continue
        holders = {role for one in asked for role in RIGHTS[one]}
        tried = [(role, None, role in holders) for role in (None, *Role)]
        tried += [(min(holders), desk_with_rows, False)] if "{job_id}" not in name else []
        for role, team, allowed in sorted(tried, key=lambda one: one[2]):  # the refused ones first
            status = request(clients[role, team], name, operation, schemas).status_code
            if status >= 500 or (status in (403, 404)) == allowed:
                wrong.append((name, role, "another team" if team else "", status))
    assert wrong == [], "\n".join(map(str, wrong))
