"""The dispatch desk: the live queue, assigning, what is in hand, and the log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from markupsafe import Markup, escape
from pydantic import BaseModel, Field

from web import htmx
from web.boards import Event, Making, event_of
from web.deps import AtDesk, Desk, recognise
from web.fields import AskedId
from wfm import access, instants, kept
from wfm.db import transaction
from wfm.errors import SignInError
from wfm.services import dispatch_log, dispatching, ticket_moves, ticket_work
from wfm.services.desk_snapshot import SeatRow
from wfm.services.dispatching import Board, Filters, QueueRow
from wfm.services.queue_parts import QueuePart
from wfm.services.ticket_work import Refusal
from wfm.tables import Skill
from wfm.words import Grade

router = APIRouter(prefix="/dispatch")
SHOWN, SHOWN_ON_WALL = 50, 12
LONGEST_CODE = 120
LONGEST_NOTE = 500
NO_TOKEN = 'name="csrf" value=""'  # what people write holds no such quotes: they are escaped


class Wanted(BaseModel):
    """What part of the queue a page shows."""

    skill: str = Field(default="", max_length=LONGEST_CODE)
    tier: Literal["", "ordinary", "senior", "expert"] = ""
    risk: Literal["", "late", "at_risk", "fine"] = ""
    by: Literal["", "urgency"] = ""  # skill and tier, or one list
    show: int = Field(default=SHOWN, ge=1, le=dispatching.LONGEST_BOARD)

    @property
    def filters(self) -> Filters:
        return Filters(self.skill, Grade(self.tier) if self.tier else None, self.risk)


class Act(Wanted):
    """Something done to a ticket, from a page that shows a part of the queue."""

    ticket: str = Field(max_length=LONGEST_CODE)
    agent: str = Field(default="", max_length=LONGEST_CODE)
    note: str = Field(default="", max_length=LONGEST_NOTE)
    in_panel: bool = False


@dataclass(frozen=True)
class View:
    """What a board depends on: whoever looks at the same sees the same bytes."""

    wall: bool
    language: str
    filters: Filters
    by: str
    show: int
    may_assign: bool


@dataclass(frozen=True)
class Drawn:
    """A board as a page shows it, but for the token of whoever looks."""

    at: datetime
    skills: tuple[Skill, ...]
    text: str


@router.get("")
def queue(desk: AtDesk, wanted: Annotated[Wanted, Query()]) -> Response:
    """The board, drawn once for all who look at the same of it while nothing is written."""
    access.require(desk.actor, "dispatch.view")
    may_assign = desk.actor.may("dispatch.assign")
    view = View(False, desk.language, wanted.filters, wanted.by, wanted.show, may_assign)
    drawn = kept.shared(desk.session, view, lambda: _drawn(desk, view), desk.at)
    text = drawn.text.replace(NO_TOKEN, f'name="csrf" value="{escape(desk.request.state.csrf)}"')
    if htmx.wants_fragment(desk.request):
        return HTMLResponse(text)
    return desk.page(
        "dispatch.html", board=drawn, drawn=Markup(text), wanted=wanted.model_dump(),
        shifted=desk.settings.clock_offset_s != 0, refused=None, done=None,
    )  # fmt: skip


def _drawn(desk: Desk, view: View) -> Drawn:
    seen = dispatching.look(desk.session, desk.at, desk.settings.timezone)
    board = dispatching.board_of(desk.session, seen, view.filters, view.show)
    left_over = ticket_moves.count_left_over(desk.session, desk.at)
    text = desk.request.app.state.views.text(view.language, *_shown(view, board, left_over))
    return Drawn(board.at, board.skills, text)


@router.get("/live")
async def live(
    request: Request, wanted: Annotated[Wanted, Query()], wall: bool = False
) -> StreamingResponse:
    """The board, or the wall, again and again as server-sent events."""

    def may_go_on() -> bool:
        recognise(request)
        actor = request.state.actor
        return actor is not None and actor.may("dispatch.view")

    if request.state.actor is None:
        raise SignInError("please sign in")
    access.require(request.state.actor, "dispatch.view")
    view = View(
        wall, request.state.language, wanted.filters, wanted.by,
        SHOWN_ON_WALL if wall else wanted.show, request.state.actor.may("dispatch.assign"),
    )  # fmt: skip
    packed = "gzip" in request.headers.get("accept-encoding", "")
    return StreamingResponse(
        request.app.state.boards.events(view, request, may_go_on, packed=packed),
        media_type="text/event-stream",
        headers={"Content-Encoding": "gzip"} if packed else None,
    )


def boards_of(app: FastAPI) -> Making[View]:
    """How the boards that are open are made: all of one look at the desk."""
    settings, views = app.state.settings, app.state.views

    def make(wanted: Iterable[View]) -> Iterator[tuple[View, Event]]:
        at = instants.now()
        boards: dict[tuple[Filters, int], Board] = {}
        with transaction(app.state.engine) as session:
            seen = dispatching.look(session, at, settings.timezone)
            left_over = ticket_moves.count_left_over(session, at)
            for view in wanted:
                part = (view.filters, view.show)
                if part not in boards:
                    boards[part] = dispatching.board_of(session, seen, *part)
                text = views.text(view.language, *_shown(view, boards[part], left_over))
                yield view, event_of(text)

    return make


@router.get("/ticket")
def ticket(desk: AtDesk, code: Annotated[str, Query(max_length=LONGEST_CODE)]) -> Response:
    """Everybody who may take a ticket, and why the policy chose as it did."""
    return _panel(desk, code)


@router.post("/assign")
def assign(desk: AtDesk, act: Annotated[Act, Form()]) -> Response:
    zone = desk.settings.timezone
    try:
        dispatching.assign(desk.session, desk.actor, act.ticket, act.agent, desk.at, zone, act.note)
    except Refusal as refusal:
        if act.in_panel and refusal.code not in ("gone", "taken"):
            return _panel(desk, act.ticket, refusal, act)
        return _board(desk, act, refusal=refusal, retarget=act.in_panel)
    return _done(desk, act, "assigned")


@router.post("/answer")
def answer(desk: AtDesk, act: Annotated[Act, Form()]) -> Response:
    try:
        ticket_work.answer(desk.session, desk.actor, act.ticket, desk.at)
    except Refusal as refusal:
        return _board(desk, act, refusal=refusal)
    return _done(desk, act, "answered")


@router.post("/resolve")
def resolve(desk: AtDesk, act: Annotated[Act, Form()]) -> Response:
    try:
        ticket_work.resolve(desk.session, desk.actor, act.ticket, desk.at, act.note)
    except Refusal as refusal:
        return _board(desk, act, refusal=refusal)
    return _done(desk, act, "resolved")


@router.get("/log")
def log(
    desk: AtDesk,
    words: Annotated[str, Query(max_length=200)] = "",
    differing: bool = False,
    before: AskedId = None,
) -> Response:
    rows = dispatch_log.search(desk.session, desk.actor, words, differing=differing, before=before)
    more = rows[-1].id if len(rows) == dispatch_log.PAGE else None
    return desk.page(
        "dispatch_log.html", block="list", rows=rows, words=words, differing=differing,
        before=before, more=more,
    )  # fmt: skip


def _board(
    desk: Desk,
    wanted: Wanted,
    *,
    refusal: Refusal | None = None,
    done: tuple[str, str] | None = None,
    retarget: bool = False,
) -> Response:
    board = dispatching.board(
        desk.session, desk.actor, desk.at, desk.settings.timezone, wanted.filters, wanted.show
    )
    return desk.page(
        "dispatch.html",
        block="board",
        status=refusal.http_status if refusal else 200,
        # an act in the panel ends there; what it leads to is seen on the board
        headers={"HX-Retarget": "#board"} if retarget else None,
        refused=refusal.texts[desk.language] if refusal else None,
        done=done,
        shifted=desk.settings.clock_offset_s != 0,
        drawn=None,
        **_content(
            board, wanted.filters, wanted.by, wanted.show, desk.actor.may("dispatch.assign"),
            ticket_moves.count_left_over(desk.session, desk.at),
        ),
    )  # fmt: skip


def _content(
    board: Board, filters: Filters, by: str, show: int, may_assign: bool, left_over: int
) -> dict[str, Any]:
    """What the board's part of the page shows."""
    wanted = {"skill": filters.skill, "tier": filters.tier or "", "risk": filters.risk, "by": by}
    return {
        "queue": [(None, board.waiting)] if by else _grouped(board),
        "board": board, "wanted": wanted, "show": show, "may_assign": may_assign,
        "skills": {skill.code: skill for skill in board.skills}, "left_over": left_over,
        "tiers": _by_grade(board),
    }  # fmt: skip


def _by_grade(board: Board) -> list[tuple[Grade, list[SeatRow], int]]:
    """Who is on duty, the highest grade first, and how many of each grade are free."""
    seats: dict[Grade, list[SeatRow]] = {grade: [] for grade in reversed(Grade)}
    for seat in board.seats:
        seats[seat.agent.grade].append(seat)
    return [
        (grade, theirs, sum(seat.state == "free" for seat in theirs))
        for grade, theirs in seats.items()
        if theirs
    ]


def _grouped(board: Board) -> list[tuple[QueuePart, list[QueueRow]]]:
    """The rows shown, by skill and tier; a part none of whose rows is shown keeps its counts."""
    rows: defaultdict[tuple[str, Grade], list[QueueRow]] = defaultdict(list)
    for row in board.waiting:
        rows[row.skill.code if row.skill else "", row.ticket.min_grade].append(row)
    return [(part, rows[part.skill, part.tier]) for part in board.parts]


def _shown(view: View, board: Board, left_over: int) -> tuple[str, str, dict[str, Any]]:
    """Template, block and content of a live board; whoever acts on it adds the token herself."""
    if view.wall:
        return "dispatch_wall.html", "wall", {"board": board}
    content = _content(board, view.filters, view.by, view.show, view.may_assign, left_over)
    said = {"refused": None, "done": None, "csrf": ""}
    return "dispatch.html", "board", content | said


def _panel(
    desk: Desk, code: str, refusal: Refusal | None = None, act: Act | None = None
) -> Response:
    choice = None
    try:
        choice = dispatching.choice(desk.session, desk.actor, code, desk.at, desk.settings.timezone)
    except Refusal as gone:
        refusal = gone
    return desk.page(
        "dispatch_ticket.html",
        block="panel",
        status=refusal.http_status if refusal else 200,
        code=code,
        choice=choice,
        act=act,
        refused=refusal.texts[desk.language] if refusal else None,
        may_assign=desk.actor.may("dispatch.assign"),
    )


def _done(desk: Desk, act: Act, what: str) -> Response:
    if htmx.wants_fragment(desk.request):
        return _board(desk, act, done=(what, act.ticket), retarget=act.in_panel)
    return htmx.go_to(desk.request, "/dispatch")
