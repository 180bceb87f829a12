"""The rest of what a dispatcher does to a ticket, and the wallboard of the desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Response

from web import htmx
from web.deps import AtDesk, Desk
from web.fields import PathId
from web.routes.dispatch import LONGEST_CODE, LONGEST_NOTE, SHOWN_ON_WALL
from wfm.services import desk_rules, dispatching, hand_out, ticket_moves, work_page
from wfm.services.ticket_work import Refusal
from wfm.words import Grade

router = APIRouter(prefix="/dispatch")
What = Literal["put_back", "reassign", "escalate", "pause", "resume", "merge", "hand_over"]


@router.get("/work")
def work(desk: AtDesk, code: Annotated[str, Query(max_length=LONGEST_CODE)]) -> Response:
    """Everything that can be done with one ticket in work."""
    return _panel(desk, code)


@router.post("/act")
def act(
    desk: AtDesk,
    what: Annotated[What, Form()],
    ticket: Annotated[str, Form(max_length=LONGEST_CODE)],
    agent: Annotated[str, Form(max_length=LONGEST_CODE)] = "",
    tier: Annotated[Literal["ordinary", "senior", "expert"], Form()] = "expert",
    reason: Annotated[str, Form(max_length=LONGEST_CODE)] = "",
    into: Annotated[str, Form(max_length=LONGEST_CODE)] = "",
    note: Annotated[str, Form(max_length=LONGEST_NOTE)] = "",
) -> Response:
    session, actor, at, zone = desk.session, desk.actor, desk.at, desk.settings.timezone
    acts: dict[str, Callable[[], object]] = {
        "put_back": lambda: ticket_moves.put_back(session, actor, ticket, at, note),
        "reassign": lambda: ticket_moves.reassign(session, actor, ticket, agent, at, zone, note),
        "escalate": lambda: ticket_moves.escalate(session, actor, ticket, Grade(tier), at, note),
        "pause": lambda: ticket_moves.pause(session, actor, ticket, reason, at, note),
        "resume": lambda: ticket_moves.resume(session, actor, ticket, at),
        "merge": lambda: ticket_moves.merge(session, actor, ticket, into.strip(), at, note),
        "hand_over": lambda: ticket_moves.hand_over(session, actor, ticket, agent, at, zone, note),
    }
    try:
        with session.begin_nested():  # an act that is refused half way leaves nothing behind
            acts[what]()
    except Refusal as refusal:
        return _panel(desk, ticket, refusal)
    return htmx.go_to(desk.request, _home(desk))


@router.post("/handovers/{handover_id}/sign")
def sign(desk: AtDesk, handover_id: PathId) -> Response:
    handover = ticket_moves.sign(desk.session, desk.actor, handover_id, desk.at)
    code = work_page.code_of(desk.session, handover.ticket_id)
    if htmx.wants_fragment(desk.request):
        return _panel(desk, code)
    return htmx.go_to(desk.request, _home(desk))


@router.post("/settle")
def settle(desk: AtDesk) -> Response:
    """Apply the rule for the end of a duty to what is left in the hands of those who went."""
    ticket_moves.settle(desk.session, desk.actor, desk.at)
    return htmx.go_to(desk.request, "/dispatch")


@router.post("/hand-out")
def hand_out_all(desk: AtDesk) -> Response:
    """Give what waits to those the policy proposes."""
    hand_out.hand_out(desk.session, desk.actor, desk.at, desk.settings.timezone)
    return htmx.go_to(desk.request, "/dispatch")


@router.get("/wall")
def wall(desk: AtDesk) -> Response:
    """The desk on a big screen: few figures, read from afar."""
    board = dispatching.board(
        desk.session, desk.actor, desk.at, desk.settings.timezone, limit=SHOWN_ON_WALL
    )
    return desk.page(
        "dispatch_wall.html", block="wall", board=board, shifted=desk.settings.clock_offset_s != 0
    )


def _panel(desk: Desk, code: str, refusal: Refusal | None = None) -> Response:
    page = work_page.of(desk.session, desk.actor, code, desk.at, desk.settings.timezone)
    return desk.page(
        "dispatch_work.html",
        block="panel",
        status=refusal.http_status if refusal else 200,
        work=page,
        pauses=desk_rules.load().pauses,
        refused=refusal.texts[desk.language] if refusal else None,
        may_assign=desk.actor.may("dispatch.assign"),
        is_owner=page.ticket.owner_id is not None and page.ticket.owner_id == desk.actor.agent_id,
        home=_home(desk),
    )


def _home(desk: Desk) -> str:
    """Where whoever acts on a ticket came from: the queue, or the agent's own desk."""
    return "/dispatch" if desk.actor.may("dispatch.view") else "/me"
