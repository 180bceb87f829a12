"""The application for machines: bearer tokens, problem documents, pages, keys and tags."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from web.fields import LARGEST, PathId
from wfm.db import Session, transaction
from wfm.errors import ConflictError, SignInError, TierdeskError, TooManyError
from wfm.instants import local_date
from wfm.services import api_tokens, dispatching, listings, queue, ticket_work
from wfm.services.api_tokens import Caller
from wfm.services.listings import Page
from wfm.words import TicketState

PROBLEM = "application/problem+json"
bearer = HTTPBearer(auto_error=False, description="a token of the account page")


@dataclass(frozen=True)
class Call:
    """One request of a machine."""

    session: Session
    who: Caller
    at: datetime
    timezone: str

    @property
    def today(self) -> date:
        return local_date(self.at, self.timezone)

    def write(
        self, key: str, request: dict[str, Any], do: Callable[[], dict[str, Any]]
    ) -> JSONResponse:
        """Do a write once for its key."""
        api_tokens.require_scope(self.who, "write")
        status, body = api_tokens.once(
            self.session, self.who, key, request, self.at, lambda: (200, jsonable_encoder(do()))
        )
        return JSONResponse(body, status)


def _call(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Iterator[Call]:
    outer = request.app.state.outer
    with transaction(outer.state.engine) as session:
        who = api_tokens.caller(
            session, given.credentials if given else "", request.state.at,
            second_factor=outer.state.settings.second_factor,
        )  # fmt: skip
        if who is None:
            raise SignInError("a valid token is needed")
        if wait := outer.state.api_limit.wait_s(str(who.token_id)):
            raise TooManyError(f"too many attempts; try again in {wait} seconds")
        if request.method == "GET":
            api_tokens.require_scope(who, "read")
        yield Call(session, who, request.state.at, outer.state.settings.timezone)


Asked = Annotated[Call, Depends(_call, scope="function")]
After = Annotated[int, Query(ge=0, le=LARGEST, description="rows after this one")]
Limit = Annotated[int, Query(ge=1, le=500)]
NO_ZERO = r"^[^\x00]*$"  # the database keeps no zero bytes
Code = Annotated[str, Path(max_length=120, pattern=NO_ZERO)]
Key = Annotated[str, Header(alias="Idempotency-Key", min_length=1, max_length=200)]
IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=200)]
A_DAY = {"ge": date(2000, 1, 1), "le": date(2100, 1, 1)}


class Assign(BaseModel):
    """Give a waiting ticket to an agent."""

    agent: str = Field(max_length=120, pattern=NO_ZERO, examples=["A007"])
    note: str = Field("", max_length=1000, pattern=NO_ZERO, examples=["speaks Cantonese"])


def create_api(outer: FastAPI) -> FastAPI:
    """The application, reading engine and settings of the one that serves the pages."""
    api = FastAPI(
        title="Tierdesk", version="1", docs_url=None, redoc_url=None,
        responses={code: {"content": {PROBLEM: {}}, "description": told}
                   for code, told in ((401, "no valid token"), (403, "not allowed"),
                                      (422, "wrong request"), (429, "too often"))},
    )  # fmt: skip
    api.state.outer = outer
    api.exception_handler(TierdeskError)(_problem)
    api.exception_handler(RequestValidationError)(_wrong_request)
    api.exception_handler(HTTPException)(_http_problem)
    for path, read in READS.items():
        api.get(path, name=read.__name__)(read)
    for path, write in WRITES.items():
        api.post(path, name=write.__name__)(write)
    return api


def tickets(
    call: Asked, after: After = 0, limit: Limit = 100, state: TicketState | None = None
) -> dict[str, Any]:
    """Tickets, oldest row first."""
    return _shown(listings.tickets(call.session, call.who.actor, after, limit, state))


def ticket(call: Asked, code: Code, response: Response) -> dict[str, Any]:
    """One ticket; its ETag guards changes."""
    return _tagged(response, listings.ticket(call.session, call.who.actor, code))


def agents(call: Asked, after: After = 0, limit: Limit = 100) -> dict[str, Any]:
    """Agents with today's team and grade."""
    return _shown(listings.agents(call.session, call.who.actor, after, limit, call.today))


def grades(call: Asked, after: After = 0, limit: Limit = 100) -> dict[str, Any]:
    """Grades held, from when until when."""
    return _shown(listings.grades(call.session, call.who.actor, after, limit))


def rosters(call: Asked, after: After = 0, limit: Limit = 100) -> dict[str, Any]:
    """Rosters: a team and a period each."""
    return _shown(listings.rosters(call.session, call.who.actor, after, limit))


def roster(call: Asked, number: PathId, response: Response) -> dict[str, Any]:
    """One roster with its newest version; its ETag guards changes."""
    return _tagged(response, listings.roster(call.session, call.who.actor, number))


def duties(
    call: Asked,
    first: Annotated[date, Query(alias="from", **A_DAY, examples=["2026-10-01"])],
    last: Annotated[date, Query(alias="until", **A_DAY, examples=["2026-10-07"])],
    after: After = 0,
    limit: Limit = 100,
) -> dict[str, Any]:
    """Published duties of days, both ends included."""
    return _shown(listings.duties(call.session, call.who.actor, after, limit, first, last))


def jobs(call: Asked) -> dict[str, Any]:
    """The newest jobs."""
    found = queue.newest(call.session, call.who.actor)
    return {"items": [listings.job_document(one) for one in found], "after": None}


def job(call: Asked, number: PathId) -> dict[str, Any]:
    """One job with its progress and result."""
    return listings.job_document(queue.one(call.session, call.who.actor, number))


def metrics(call: Asked) -> PlainTextResponse:
    """Figures for Prometheus."""
    found = listings.figures(call.session)
    lines = [f"# TYPE {name} gauge\n{name} {value:g}" for name, value in found.items()]
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


def assign(
    call: Asked, code: Code, wish: Assign, key: Key, if_match: IfMatch = None
) -> JSONResponse:
    """Assign a waiting ticket."""

    def do() -> dict[str, Any]:
        _unchanged(if_match, listings.ticket(call.session, call.who.actor, code))
        dispatching.assign(
            call.session, call.who.actor, code, wish.agent, call.at, call.timezone, wish.note
        )
        return listings.ticket(call.session, call.who.actor, code)

    return call.write(key, {"assign": code, **wish.model_dump()}, do)


def resolve(call: Asked, code: Code, key: Key, if_match: IfMatch = None) -> JSONResponse:
    """Resolve a ticket."""

    def do() -> dict[str, Any]:
        _unchanged(if_match, listings.ticket(call.session, call.who.actor, code))
        ticket_work.resolve(call.session, call.who.actor, code, call.at)
        return listings.ticket(call.session, call.who.actor, code)

    return call.write(key, {"resolve": code}, do)


def cancel(call: Asked, number: PathId, key: Key) -> JSONResponse:
    """Ask a job to stop."""

    def do() -> dict[str, Any]:
        return listings.job_document(queue.cancel(call.session, call.who.actor, number, call.at))

    return call.write(key, {"cancel": number}, do)


READS: dict[str, Callable[..., Any]] = {
    "/tickets": tickets, "/tickets/{code}": ticket, "/agents": agents, "/grades": grades,
    "/rosters": rosters, "/rosters/{number}": roster, "/duties": duties, "/jobs": jobs,
    "/jobs/{number}": job, "/metrics": metrics,
}  # fmt: skip
WRITES: dict[str, Callable[..., Any]] = {
    "/tickets/{code}/assign": assign, "/tickets/{code}/resolve": resolve,
    "/jobs/{number}/cancel": cancel,
}  # fmt: skip


def _shown(page: Page) -> dict[str, Any]:
    return {"items": page.rows, "after": page.after}


def _tag(document: dict[str, Any]) -> str:
    text = json.dumps(jsonable_encoder(document), sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _tagged(response: Response, document: dict[str, Any]) -> dict[str, Any]:
    response.headers["ETag"] = _tag(document)
    return document


class _ChangedError(ConflictError):
    http_status = 412


def _unchanged(if_match: str | None, document: dict[str, Any]) -> None:
    if if_match is not None and if_match not in ("*", _tag(document)):
        raise _ChangedError("this was changed since you read it; read it again")


async def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TierdeskError)
    faults = [{"where": one.column, "what": one.message} for one in error.faults[:50]]
    headers = {"WWW-Authenticate": "Bearer"} if error.http_status == 401 else None
    return JSONResponse(
        {"type": "about:blank", "title": type(error).__name__.removesuffix("Error"),
         "status": error.http_status, "detail": error.message, "faults": faults},
        error.http_status, headers, PROBLEM,
    )  # fmt: skip


async def _wrong_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = [{"where": str(one["loc"][-1]), "what": one["msg"]} for one in error.errors()]
    body = {"type": "about:blank", "title": "Input", "status": 422, "detail": faults[0]["what"],
            "faults": faults}  # fmt: skip
    return JSONResponse(body, 422, None, PROBLEM)


async def _http_problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    body = {"type": "about:blank", "title": str(error.detail), "status": error.status_code,
            "detail": str(error.detail), "faults": []}  # fmt: skip
    return JSONResponse(body, error.status_code, error.headers, PROBLEM)
