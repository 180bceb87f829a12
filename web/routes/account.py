"""Signing in and out, the start page, the reader's language."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from web import security
from web.deps import AtDesk
from web.views import Views
from wfm.db import transaction
from wfm.services import accounts

router = APIRouter()
START_PAGES = (
    ("dispatch.assign", "/dispatch"),
    ("rosters.plan", "/rosters"),
    ("grades.view", "/grades"),
    ("dispatch.view", "/dispatch"),
    ("work.own", "/me"),
    ("rosters.view", "/rosters"),
    ("imports.view", "/imports"),
)


@router.get("/health")
def health() -> PlainTextResponse:
    return PlainTextResponse("ok")


@router.get("/")
def start(desk: AtDesk) -> Response:
    """The first desk this person may sit at."""
    for right, path in START_PAGES:
        nobodys = path == "/me" and desk.actor.agent_id is None  # the account is no agent's
        if desk.actor.may(right) and not nobodys:
            return RedirectResponse(path, status_code=303)
    return RedirectResponse("/account", status_code=303)


@router.get("/sign-in")
def sign_in_page(request: Request, next: str = "/") -> Response:
    return sign_in_form(request, next)


@router.post("/sign-in")
def sign_in(
    request: Request,
    name: Annotated[str, Form(max_length=120)],
    password: Annotated[str, Form(max_length=200)],
    next: Annotated[str, Form(max_length=500)] = "/",
    code: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    app = request.app
    limit, address = app.state.sign_in_limit, security.address_of(request)
    limit.require(address, take=False)
    token = None
    try:
        with transaction(app.state.engine) as session:
            token = accounts.sign_in(session, name.strip(), password, request.state.at, code)
    finally:
        if token is None:  # only failures count: many people may sit behind one address
            limit.wait_s(address)
    if token is None:
        return sign_in_form(request, next, status=401, name=name)
    return start_of_session(request, token, next)


def start_of_session(request: Request, token: str, target: str) -> Response:
    """Hand the browser its session and lead it on."""
    response = RedirectResponse(_local(target), status_code=303)
    secure = request.app.state.settings.secure_cookies
    security.set_cookie(response, security.SESSION_COOKIE, token, secure=secure)
    return response


@router.post("/sign-out")
def sign_out(request: Request, everywhere: Annotated[bool, Form()] = False) -> Response:
    token = request.cookies.get(security.SESSION_COOKIE)
    if token:
        with transaction(request.app.state.engine) as session:
            accounts.sign_out(session, token, request.state.at, everywhere=everywhere)
    response = RedirectResponse("/sign-in", status_code=303)
    response.delete_cookie(security.SESSION_COOKIE, path="/")
    return response


@router.post("/language")
def choose_language(
    request: Request,
    language: Annotated[str, Form(pattern="^(zh|en)$")],
    back: Annotated[str, Form(max_length=500)] = "/",
) -> Response:
    response = RedirectResponse(_local(back), status_code=303)
    settings = request.app.state.settings
    security.set_cookie(response, "tierdesk_language", language, secure=settings.secure_cookies)
    if request.state.account_id is not None:
        with transaction(request.app.state.engine) as session:
            accounts.set_language(session, request.state.account_id, language)
    return response


def sign_in_form(
    request: Request, target: str, *, status: int = 200, name: str = "", said: str = ""
) -> Response:
    """The form; `said` is why a provider of sign-in was not believed."""
    settings = request.app.state.settings
    views: Views = request.app.state.views
    return views.render(
        request, "sign_in.html", status=status, next=_local(target), refused=status == 401,
        name=name, said=said, provider=settings.oidc_name if settings.oidc_issuer else "",
    )  # fmt: skip


def _local(target: str) -> str:
    """Only a path on this very site."""
    parts = urlsplit(target)
    plain = not parts.scheme and not parts.netloc and target.startswith("/")
    return target if plain and not target.startswith("//") and "\\" not in target else "/"
