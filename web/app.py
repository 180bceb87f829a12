"""The web process: one application object, put together in one place."""

from __future__ import annotations

import gc
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import js_lib_htmx
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Match
from starlette.staticfiles import StaticFiles

from web import htmx, security
from web.api import problems
from web.api.app import create_api
from web.beside import PAGE_WAITS_S, Answers, Beside, Work, answering
from web.boards import Boards
from web.deps import Csrf, recognise
from web.i18n import LANGUAGES
from web.limits import Limiter
from web.live import Listener
from web.routes import (
    access,
    account,
    account_admin,
    closing,
    dispatch,
    dispatch_moves,
    duty,
    duty_posts,
    forecast,
    grade_cases,
    grade_reports,
    grades,
    imports,
    jobs,
    me,
    planning,
    roster_edits,
    rosters,
    service_clocks,
    service_levels,
    sign_in_provider,
    webhooks,
    what_if,
)
from web.views import Views
from wfm import instants
from wfm.db import Engine, open_engine
from wfm.errors import ConflictError, Fault, InputError, NotFoundError, SignInError, TierdeskError
from wfm.services.provider import Provider
from wfm.settings import Settings

STATIC = Path(__file__).parent / "static"
HTMX = Path(js_lib_htmx.__file__).parent / "static" / "htmx"
ROUTERS = (
    account, grades, grade_reports, grade_cases, rosters, roster_edits, duty, duty_posts, closing,
    forecast, dispatch, dispatch_moves, what_if, service_levels, service_clocks, imports, jobs, me,
    access, account_admin, webhooks, sign_in_provider, planning,
)  # fmt: skip
OPEN_PATHS = ("/static/", "/sign-in", "/health")
COLLECT_AFTER = (20_000, 10, 10)  # a page of a large desk is a hundred thousand short-lived objects
TURN_S = 0.001  # a quick page that waits for a slow one's threads gets its turn so soon
# what takes seconds for a roster of 500
LONG = re.compile(
    r"(/api/v1)?/rosters/\d+(/versions/\d+)?"
    r"/(gap|repair|conflicts|why-not|cells/[^/]+/[\d-]+/why(-not)?)|/me/swap|/api/v1/me/swaps"
)


def served() -> FastAPI:
    """The application of a process that does nothing else: garbage is looked for more rarely,
    and never among what was loaded at the start; long work is done beside it."""
    app = create_app(beside=True)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    sys.setswitchinterval(TURN_S)
    return app


def _boards_beside(settings: Settings) -> Work:
    return dispatch.boards_of(create_app(settings))


def _pages_beside(settings: Settings) -> Work:
    return answering(create_app(settings))


def create_app(
    settings: Settings | None = None, engine: Engine | None = None, *, beside: bool = False
) -> FastAPI:
    """Put the application together; what takes long is done in processes `beside` it, or here."""
    settings = settings or Settings.from_environment()
    engine = engine or open_engine(settings)
    listener = Listener(engine)
    same = replace(settings, database_url=engine.url.render_as_string(hide_password=False))
    boards_beside, pages_beside = Beside(same, _boards_beside), Beside(same, _pages_beside)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await listener.start()
        await boards.start()
        yield
        await boards.stop()
        boards_beside.stop()
        await listener.stop()
        if app.state.answers is not None:
            await app.state.answers.stop()

    app = FastAPI(
        title="Tierdesk", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan
    )
    app.state.settings = settings
    app.state.engine = engine
    app.state.listener = listener
    app.state.provider = Provider(settings) if settings.oidc_issuer else None
    app.state.sign_in_limit = Limiter(per_minute=12, burst=20)
    app.state.api_limit = Limiter(per_minute=600, burst=200)
    app.state.views = Views(settings.timezone)
    make_boards = boards_beside.pieces if beside else dispatch.boards_of(app)
    app.state.boards = boards = Boards(listener, "dispatch", make_boards)
    app.state.answers = Answers(pages_beside) if beside else None
    app.mount("/static/htmx", StaticFiles(directory=HTMX), name="htmx")
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for module in ROUTERS:
        app.include_router(module.router, dependencies=[Csrf])
    app.mount("/api/v1", create_api(app), name="api")
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    app.middleware("http")(_at_the_door)
    app.exception_handler(TierdeskError)(_show_error)
    app.exception_handler(RequestValidationError)(_show_wrong_request)
    app.exception_handler(HTTPException)(_show_http_error)
    app.exception_handler(Exception)(_show_unexpected)
    return app


async def _at_the_door(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Who asks, in which language, from where; and the headers of every answer."""
    started = time.perf_counter()
    request.state.at = instants.now()
    request.state.csrf = security.csrf_token(request)
    settings: Settings = request.app.state.settings
    request.state.actor = request.state.account_id = None
    if security.SESSION_COOKIE in request.cookies and not request.url.path.startswith("/static/"):
        await run_in_threadpool(recognise, request)
    request.state.language = _language(request, settings)
    try:
        security.check_origin(request)
        security.check_size(request)
        response = await _made_beside(request) or await call_next(request)
    except TierdeskError as error:
        response = await _show_error(request, error)
    response.headers.update(security.HEADERS)
    if request.url.path.startswith("/static/"):
        response.headers["Cache-Control"] = "public, max-age=3600"
    else:
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Server-Timing"] = (
            f"total;dur={1000 * (time.perf_counter() - started):.1f}"
        )
    if security.CSRF_COOKIE not in request.cookies and not request.url.path.startswith("/static/"):
        security.set_cookie(
            response, security.CSRF_COOKIE, request.state.csrf, secure=settings.secure_cookies
        )
    return response


async def _made_beside(request: Request) -> Response | None:
    """The answer to what takes long, or that it is being prepared; None: it is made here."""
    answers: Answers | None = request.app.state.answers
    path = request.url.path
    if answers is None or request.method != "GET" or not LONG.fullmatch(path):
        return None
    if path.startswith("/api/"):
        try:
            found = await answers.of(request, wait_s=None)
        except TierdeskError as error:
            return await problems.refused(request, error)
    elif request.state.actor is None or security.CSRF_COOKIE not in request.cookies:
        return None
    else:
        found = await answers.of(request, wait_s=PAGE_WAITS_S)
    if isinstance(found, Response):
        return found
    # the second part of a gap's panel is taken out of a whole one
    part = ".near" if path.endswith("/gap") and "near" in request.query_params else ""
    panel = htmx.wants_fragment(request)
    return request.app.state.views.render(  # type: ignore[no-any-return]
        request,
        "preparing.html",
        block="waiting" if panel else None,
        headers=None if panel else {"Refresh": "1"},  # a page is asked for anew as a whole
        panel=panel,
        again=f"{path}?{request.url.query}",
        seconds=round(found),
        part=part,
    )


def _language(request: Request, settings: Settings) -> str:
    """The asked-for language, else the account's, else the cookie's, else the desk's."""
    wishes = (
        request.query_params.get("lang"),
        request.state.actor.language if request.state.actor else None,
        request.cookies.get("tierdesk_language"),
        settings.language,
    )
    return next((wish for wish in wishes if wish in LANGUAGES), "zh")


async def _show_error(request: Request, error: Exception) -> Response:
    """The one point where an error becomes an answer."""
    assert isinstance(error, TierdeskError)
    if isinstance(error, SignInError) and request.url.path != "/sign-in":
        wanted = f"?next={quote(request.url.path)}" if request.method == "GET" else ""
        return htmx.go_to(request, f"/sign-in{wanted}")
    part = "error" if htmx.wants_fragment(request) else None
    headers = {"HX-Retarget": "#notices", "HX-Reswap": "innerHTML"} if part else None
    views: Views = request.app.state.views
    return views.render(
        request,
        "error.html",
        block=part,
        status=error.http_status,
        headers=headers,
        headline=error.texts.get(request.state.language, error.message),
        faults=[str(fault) for fault in error.faults[:50]],
        overtaken=part is not None and isinstance(error, ConflictError),  # the page is behind
    )


async def _show_wrong_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if above := _page_to_choose_on(request, error):
        return htmx.go_to(request, above)
    faults = [
        Fault(str(problem["msg"]), column=str(problem["loc"][-1])) for problem in error.errors()
    ]
    return await _show_error(request, InputError.of(faults))


def _page_to_choose_on(request: Request, error: RequestValidationError) -> str | None:
    """The page above one that was opened without saying of what: there it is chosen."""
    untold = all(told["type"] == "missing" and told["loc"][0] == "query" for told in error.errors())
    if request.method != "GET" or not untold or htmx.wants_fragment(request):
        return None
    above = request.url.path
    while above := above.rpartition("/")[0]:
        asked = {**request.scope, "path": above, "root_path": ""}
        if any(route.matches(asked)[0] is Match.FULL for route in request.app.router.routes):
            return above
    return None


async def _show_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if request.url.path.startswith("/api/v1/"):  # with a line end in it, which no mount takes
        return await problems.http_problem(request, error)
    if error.status_code == 404:
        return await _show_error(request, NotFoundError("there is no such page"))
    shown = TierdeskError(str(error.detail))
    shown.http_status = error.status_code
    return await _show_error(request, shown)


async def _show_unexpected(request: Request, error: Exception) -> Response:  # noqa: ARG001 (the server logs it)
    shown = TierdeskError("something unexpected went wrong; nothing was changed")
    response = await _show_error(request, shown)
    response.headers.update(security.HEADERS)
    return response
