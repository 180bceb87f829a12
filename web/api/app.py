"""The application for machines, put together; its parts are the modules beside it."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from web.api import (
    accounts,
    desk,
    dispatch,
    duty,
    duty_posts,
    forecast,
    grade_reports,
    grades,
    imports,
    me,
    planning,
    problems,
    roster_edits,
    roster_reasons,
    rosters,
    service_clocks,
    service_levels,
    webhooks,
)
from web.api.calls import Replayed
from web.api.examples import plain, with_examples
from web.api.problems import Problem
from wfm.errors import TierdeskError

MODULES = (
    desk, grades, grade_reports, rosters, roster_edits, roster_reasons, planning, duty, duty_posts,
    forecast, dispatch, me, service_levels, service_clocks, imports, accounts, webhooks,
)  # fmt: skip
VERSION = "1.0"
LARGEST_BODY = 1 << 20
ABOUT = """\
Everything the pages do, for programs. A token of the account page (`Authorization: Bearer td_…`)
has its account's rights, narrowed to the scopes `read` and `write`, until a day.

Writes need an `Idempotency-Key`; reads bring an `ETag`, which `If-Match` holds a write to; lists
come in pages (`limit`, `after`, and a `Link` to the next); errors are problem documents.
`Accept-Language: zh` gives sentences in Chinese.
"""


def create_api(outer: FastAPI) -> FastAPI:
    """The application, reading engine and settings of the one that serves the pages."""
    api = FastAPI(
        title="Tierdesk", version=VERSION, description=ABOUT, docs_url=None, redoc_url=None,
        redirect_slashes=False, max_body_size=LARGEST_BODY,
    )  # fmt: skip
    api.state.outer = outer
    api.exception_handler(TierdeskError)(problems.refused)
    api.exception_handler(RequestValidationError)(problems.wrong_request)
    api.exception_handler(HTTPException)(problems.http_problem)
    api.exception_handler(Replayed)(_replayed)
    api.exception_handler(Exception)(problems.unexpected)
    for module in MODULES:
        api.include_router(module.api)
    api.openapi = lambda: _described(api)  # type: ignore[method-assign] # FastAPI's own way in
    return api


async def _replayed(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Replayed)
    return JSONResponse(error.body, error.status, {"Idempotency-Replayed": "true"})


def _described(api: FastAPI) -> dict[str, Any]:
    """The description of all operations, with an example of everything."""
    if api.openapi_schema is None:
        found = get_openapi(
            title=api.title, version=api.version, description=ABOUT, routes=api.routes,
            servers=[{"url": "/api/v1"}],
        )  # fmt: skip
        shapes = found["components"]["schemas"]
        shapes["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        shapes |= shapes["Problem"].pop("$defs")
        api.openapi_schema = with_examples(plain(found))
    return api.openapi_schema
