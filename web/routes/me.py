"""The agent's desk: duties, work, requests, what is on record; and deciding the requests."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request, Response

from web import htmx
from web.deps import AtDesk, Desk
from web.fields import FormId, PathId
from wfm.db import transaction
from wfm.errors import NotFoundError
from wfm.instants import local_date
from wfm.services import (
    agent_desk,
    agent_requests,
    calendar_feed,
    day_types,
    own_records,
    swaps,
    ticket_work,
)
from wfm.words import LeaveKind

router = APIRouter()
Text = Annotated[str, Form(max_length=2000)]
Code = Annotated[str, Path(max_length=120)]
FIRST_YEAR, LAST_YEAR = date(2000, 1, 1), date(2100, 1, 1)
Day = Annotated[date, Form(ge=FIRST_YEAR, le=LAST_YEAR)]
AskedDay = Annotated[date, Query(ge=FIRST_YEAR, le=LAST_YEAR)]
AllOfThem = Annotated[bool, Query(alias="all")]
ENOUGH_COLLEAGUES = 40


@router.get("/me")
def own(
    desk: AtDesk,
    day: Annotated[date | None, Query(ge=FIRST_YEAR, le=LAST_YEAR)] = None,
    span: Annotated[str, Query(pattern="^(week|month)$")] = "month",
) -> Response:
    return _own(desk, day or desk.today, span)


@router.post("/me/next")
def take_next(desk: AtDesk) -> Response:
    agent_desk.take_next(desk.session, desk.actor, desk.at, desk.settings.timezone)
    return htmx.go_to(desk.request, "/me")


@router.post("/me/tickets/{code}/answer")
def answer(desk: AtDesk, code: Code) -> Response:
    ticket_work.answer(desk.session, desk.actor, code, desk.at)
    return htmx.go_to(desk.request, "/me")


@router.post("/me/tickets/{code}/resolve")
def resolve(desk: AtDesk, code: Code, note: Text = "") -> Response:
    ticket_work.resolve(desk.session, desk.actor, code, desk.at, note)
    return htmx.go_to(desk.request, "/me")


@router.get("/me/swap")
def swap_panel(desk: AtDesk, day: AskedDay, all_of_them: AllOfThem = False) -> Response:
    """The page at once; whom the rules allow takes a while, and is asked for by it."""
    agent = agent_desk.own_agent(desk.session, desk.actor)
    if not htmx.wants_fragment(desk.request):
        swaps.published_duty(desk.session, agent, day)
        return desk.page("me_swap.html", day=day)
    most = None if all_of_them else ENOUGH_COLLEAGUES
    panel = swaps.candidates(desk.session, agent, day, most=most)
    return desk.page("me_swap.html", block="panel", day=day, panel=panel)


@router.post("/me/requests/swap")
def ask_swap(desk: AtDesk, day: Day, colleague: FormId, text: Text = "") -> Response:
    agent_requests.ask_swap(
        desk.session, desk.actor, day, colleague, text, desk.today, desk.at
    )  # fmt: skip
    return htmx.go_to(desk.request, "/me#requests")


@router.post("/me/requests/leave")
def ask_leave(
    desk: AtDesk, first: Day, last: Day, kind: Annotated[LeaveKind, Form()], text: Text = ""
) -> Response:
    agent_requests.ask_leave(
        desk.session, desk.actor, first, last, kind, text, desk.today, desk.at
    )  # fmt: skip
    return htmx.go_to(desk.request, "/me#requests")


@router.post("/me/requests/correction")
def ask_correction(desk: AtDesk, text: Text = "") -> Response:
    agent_requests.ask_correction(desk.session, desk.actor, text, desk.today, desk.at)
    return htmx.go_to(desk.request, "/me#requests")


@router.post("/me/requests/{number}/agree")
def agree(desk: AtDesk, number: PathId) -> Response:
    agent_requests.agree(desk.session, desk.actor, number, desk.at)
    return htmx.go_to(desk.request, "/me#requests")


@router.post("/me/requests/{number}/withdraw")
def withdraw(desk: AtDesk, number: PathId) -> Response:
    agent_requests.withdraw(desk.session, desk.actor, number, desk.at)
    return htmx.go_to(desk.request, "/me#requests")


@router.get("/me/records")
def records(desk: AtDesk) -> Response:
    agent = agent_desk.own_agent(desk.session, desk.actor)
    return desk.page(
        "me_records.html", agent=agent, counts=own_records.counts(desk.session, desk.actor)
    )


@router.get("/me/records.json")
def export(desk: AtDesk) -> Response:
    document = own_records.export(desk.session, desk.actor, desk.at)
    return desk.file(document, "application/json", "my-records.json")


@router.post("/me/feed")
def open_feed(desk: AtDesk) -> Response:
    token = calendar_feed.open_feed(desk.session, desk.actor, desk.at)
    address = f"{desk.request.base_url}feeds/{token}.ics?lang={desk.language}"
    return _own(desk, desk.today, "month", address)


@router.post("/me/feed/close")
def close_feed(desk: AtDesk) -> Response:
    calendar_feed.close_feed(desk.session, desk.actor, desk.at)
    return htmx.go_to(desk.request, "/me")


@router.get("/feeds/{token}.ics")
def feed(request: Request, token: Annotated[str, Path(max_length=80)]) -> Response:
    """Calendar programs cannot sign in: the address itself is the secret."""
    at, settings = request.state.at, request.app.state.settings
    with transaction(request.app.state.engine) as session:
        content = calendar_feed.read(
            session, token, local_date(at, settings.timezone), at, request.state.language,
            settings.timezone,
        )  # fmt: skip
    return Response(content, media_type="text/calendar; charset=utf-8")


@router.get("/requests")
def to_decide(desk: AtDesk) -> Response:
    return desk.page("requests.html", asked=agent_requests.to_decide(desk.session, desk.actor))


@router.post("/requests/{number}")
def decide(
    desk: AtDesk,
    number: PathId,
    grant: Annotated[bool, Form()],
    text: Text = "",
) -> Response:
    agent_requests.decide(
        desk.session, desk.actor, number, grant, text, desk.at, desk.settings.timezone
    )
    return htmx.go_to(desk.request, "/requests")


def _own(desk: Desk, day: date, span: str, feed_address: str = "") -> Response:
    first, last = _span(day, span)
    page = agent_desk.page(
        desk.session, desk.actor, first, last, desk.at, desk.settings.timezone
    )  # fmt: skip
    assert page.agent.id is not None
    named = {}
    with suppress(NotFoundError):  # a year whose calendar is not loaded yet has no names
        named = {one.date: one for one in day_types.days_between(desk.session, first, last)}
    return desk.page(
        "me.html", page=page, named=named, span=span, today=desk.today, day=day, first=first,
        last=last, before=first - timedelta(days=1), after=last + timedelta(days=1),
        requests=agent_requests.of_agent(desk.session, page.agent.id),
        has_feed=calendar_feed.has_feed(desk.session, page.agent.id), feed_address=feed_address,
    )  # fmt: skip


def _span(day: date, span: str) -> tuple[date, date]:
    """Whole weeks, from Monday on: the week of the day, or all weeks its month touches."""
    if span == "week":
        first = day - timedelta(days=day.weekday())
        return first, first + timedelta(days=6)
    start = day.replace(day=1)
    end = (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return start - timedelta(days=start.weekday()), end + timedelta(days=6 - end.weekday())
