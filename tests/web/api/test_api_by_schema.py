"""Every operation, tried by its own description: no 500, and only answers it describes.

Each is called with requests that fit the description and with ones that do not; names of things
that are there take the place of most invented ones, so that services are reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.python import asgi
from schemathesis.specs.openapi import checks

from web.app import create_app
from wfm.settings import Settings

BASE = "http://testserver/api/v1"
PATIENCE_S = 300  # of a busy machine
EXAMPLES = {GenerationMode.POSITIVE: 2, GenerationMode.NEGATIVE: 1}
HELD = (
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
)


@cache
def described() -> dict[str, Any]:
    app = create_app(Settings(), sa.create_engine("postgresql://"))
    api = next(one.app for one in app.routes if getattr(one, "path", "") == "/api/v1")
    found: dict[str, Any] = api.openapi()
    return found


def operations() -> list[tuple[str, str]]:
    return [(path, method) for path, them in described()["paths"].items() for method in them]


@pytest.fixture(scope="module")
def schema() -> Any:
    return schemathesis.openapi.from_dict(described())


@pytest.fixture(scope="module")
def client(machine: Any) -> Iterator[Any]:
    with asgi.get_client(machine.app) as opened:
        yield opened


@pytest.mark.parametrize(("path", "method"), operations())
def test_an_operation_keeps_to_its_description(
    machine: Any, schema: Any, client: Any, path: str, method: str
) -> None:
    operation = schema[path][method.upper()]
    token = machine.make_token("read", "write")
    for mode, most in EXAMPLES.items():

        @settings(
            max_examples=most, derandomize=True, database=None, deadline=None,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
        def try_it(case: Any, data: st.DataObject) -> None:
            for name in case.path_parameters or {}:
                if name in machine.known and data.draw(st.integers(0, 3)):
                    found = data.draw(st.sampled_from(machine.known[name]))
                    case.path_parameters[name] = found
            case.headers["Authorization"] = f"Bearer {token}"
            case.call_and_validate(
                session=client, base_url=BASE, timeout=PATIENCE_S, checks=list(HELD)
            )

        try_it()
