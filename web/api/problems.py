"""Problem documents (RFC 9457): what went wrong, where, and in the language asked for."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from web.api.calls import language_of
from web.limits import TooOftenError
from web.refusals import in_chinese
from wfm.errors import Fault, TierdeskError

MEDIA = "application/problem+json"
TOLD = {
    400: "the body cannot be read", 401: "no valid token",
    403: "the account or the token may not do this", 404: "it is not there",
    409: "somebody or something was there first", 412: "it was changed since it was read",
    413: "too large", 422: "the request is wrong", 428: "say what was read (`If-Match`)",
    429: "too often; `Retry-After` says how long to wait", 503: "the installation is not ready",
}  # fmt: skip
MOST_FAULTS = 50


class WrongPlace(BaseModel):
    """One thing that is wrong, and where."""

    where: str | None = Field(description="the field or column", examples=["agent"])
    what: str = Field(examples=["a value is required"])
    row: int | None = Field(None, description="of a file, as a spreadsheet counts")


class Problem(BaseModel):
    """What went wrong."""

    type: str = Field(examples=["urn:tierdesk:problem:not-found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["there is no ticket T-1"])
    faults: list[WrongPlace]


def _described(*codes: int) -> dict[int | str, dict[str, Any]]:
    shape = {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {code: {"description": TOLD[code], "content": shape} for code in codes}


def of_read() -> dict[int | str, dict[str, Any]]:
    return _described(401, 403, 404, 409, 422, 429, 503) | {304: {"description": "as it was read"}}


def of_write(guard: bool, guarded: bool) -> dict[int | str, dict[str, Any]]:
    codes = (400, 401, 403, 404, 409, 413, 422, 429, 503)
    return _described(*codes, *((412,) if guard else ()), *((428,) if guarded else ()))


def _answer(
    title: str, status: int, detail: str, faults: list[WrongPlace], headers: Any = None,
    code: str = "",
) -> JSONResponse:  # fmt: skip
    name = code.replace("_", "-") or re.sub(r"(?<!^)(?=[A-Z])", "-", title).lower()
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", title).capitalize()
    body = Problem(type=f"urn:tierdesk:problem:{name}", title=words, status=status, detail=detail,
                   faults=faults)  # fmt: skip
    return JSONResponse(body.model_dump(), status, headers, MEDIA)


async def refused(request: Request, error: Exception) -> JSONResponse:
    """What a service or a check refuses."""
    assert isinstance(error, TierdeskError)
    headers = {}
    if error.http_status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooOftenError):
        headers["Retry-After"] = str(error.wait_s)
    language = language_of(request)
    title = type(error).__name__.removesuffix("Error")
    first = error.faults[0].message if error.faults else error.message
    told = error.texts.get(language) or _told(first, language)
    faults = [_place(fault, language) for fault in error.faults[:MOST_FAULTS]]
    code = str(getattr(error, "code", ""))
    return _answer(title, error.http_status, told, faults, headers, code)


def _told(message: str, language: str) -> str:
    return in_chinese(message) if language == "zh" else message


def _place(fault: Fault, language: str) -> WrongPlace:
    return WrongPlace(where=fault.column, what=_told(fault.message, language), row=fault.row)


async def wrong_request(_request: Request, error: Exception) -> JSONResponse:
    """What does not fit the description of the operation."""
    assert isinstance(error, RequestValidationError)
    faults = [_misfit(one) for one in error.errors()[:MOST_FAULTS]]
    return _answer("Input", 422, f"{faults[0].where}: {faults[0].what}", faults)


def _misfit(one: dict[str, Any]) -> WrongPlace:
    place = [str(part) for part in one["loc"]]
    if one["type"] == "json_invalid":  # the place is a character, no field
        what = f"this is no JSON: {one['ctx']['error']} at character {place[-1]}"
        return WrongPlace(where="body", what=what, row=None)
    return WrongPlace(where=".".join(place[1:]) or place[0], what=one["msg"], row=None)


async def http_problem(_request: Request, error: Exception) -> JSONResponse:
    """No such path, not by this method, too large."""
    assert isinstance(error, HTTPException)
    title = HTTPStatus(error.status_code).phrase.title().replace(" ", "")
    return _answer(title, error.status_code, str(error.detail), [], error.headers)


async def unexpected(_request: Request, _error: Exception) -> JSONResponse:
    """What should not happen; the server logs it."""
    return _answer("Unexpected", 500, "something unexpected went wrong; nothing was changed", [])
