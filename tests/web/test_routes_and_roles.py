"""Every route is tried as every role; what is let through is what the table of routes says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from web.app import create_app
from wfm import instants
from wfm.access import RIGHTS
from wfm.db import transaction
from wfm.services import accounts
from wfm.settings import Settings
from wfm.words import Role

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "routes.md"
TRIED = ("a", "zh", "week", "replay", "none", "A" * 32, "1|2026-10-01|", "on-2", "team", "2026-10")
PASSWORD = "Right-answer-42"
OPEN = {
    "/health", "/sign-in", "/sign-out", "/language", "/feeds/{token}.ics", "/live/{topic}",
    "/dispatch/live",
}  # fmt: skip


def routes() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """`METHOD path`, what the operation takes, and the schemas it refers to."""
    described = create_app(Settings(), sa.create_engine("postgresql://")).openapi()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            if path not in OPEN:
                yield f"{method.upper()} {path}", operation, described["components"]["schemas"]


def table() -> dict[str, str]:
    """`METHOD path` → right, "its row" where a row must be there first, or "signed in"."""
    rows = re.findall(r"^\| `(\w+ /[^`]*)` \| (.+?) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {name: right.strip("`") for name, right in rows}


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
    return client.request(method, path, params=query, data=data or None, files=files or None)


@pytest.fixture
def as_role(fresh_engine: sa.Engine, tmp_path: Path) -> Any:
    app = create_app(Settings(data_dir=tmp_path, second_factor=False), fresh_engine)

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
    assert set(table().values()) <= {*RIGHTS, "its row", "signed in"}


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
        right = known.get(name, "")
        answer = request(client, name, operation, schemas)
        refused, allowed = answer.status_code == 403, right not in RIGHTS or role in RIGHTS[right]
        if answer.status_code >= 500 or (right != "its row" and refused == allowed):
            wrong.append((name, right, answer.status_code))
    assert wrong == []
