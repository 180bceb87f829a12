"""The dispatch desk: the live queue with its clocks, who is on duty, and all acts on tickets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from web.api.calls import Call, Called
from web.api.fields import Asked, AskedNumber, Code, Id, Name, Number, Text, Wanted
from web.api.operations import After, Limit, Operations
from wfm.services import (
    clock_pages,
    desk_rules,
    dispatch_log,
    dispatching,
    hand_out,
    listings,
    ticket_changes,
    ticket_moves,
    ticket_work,
    work_page,
)
from wfm.services.clock_pages import TicketClocks
from wfm.services.desk_rules import Pause
from wfm.services.desk_snapshot import SeatRow
from wfm.services.dispatch_log import LogRow
from wfm.services.dispatching import Board, Choice, Filters
from wfm.services.listings import Page, TicketRow
from wfm.services.work_page import WorkPage
from wfm.tables import TicketHandover
from wfm.words import Grade, TicketState

api = Operations("dispatch")


class Note(Wanted):
    note: Text = Field("", examples=["speaks Cantonese"])


class ToAgent(Note):
    """To somebody on duty."""

    agent: Name = Field(examples=["A007"])


class ToTier(Note):
    """To a higher tier."""

    tier: Grade = Grade.EXPERT


class Waits(Note):
    """Why a ticket pauses: one of the desk's reasons."""

    reason: Name = Field(examples=["customer"])


class Into(Note):
    """The ticket that answers this one too."""

    into: Name = Field(examples=["T-1041"])


class Urgency(Note):
    priority: int = Field(ge=1, le=9)


class OfService(Note):
    service: Name = Field(examples=["broadband"])


class OfAgreement(Note):
    agreement: Id | None = Field(description="none: the one of the ticket's service")


class Settled(Wanted):
    """Tickets by what was done to them at the end of their owners' duty."""

    done: dict[str, int]


class Given(Wanted):
    """How many tickets were handed out."""

    given: int


@api.read("/tickets")
def tickets(
    call: Called, after: After = 0, limit: Limit = 100, state: TicketState | None = None
) -> Page[TicketRow]:
    """Tickets, oldest row first."""
    return listings.tickets(call.session, call.actor, after, limit, state)


@api.read("/tickets/{ticket}")
def ticket(call: Called, ticket: Code) -> TicketRow:
    """One ticket; its ETag guards every act on it."""
    return listings.ticket(call.session, call.actor, ticket)


@api.read("/dispatch/queue")
def queue(
    call: Called, skill: Asked = "", tier: Grade | None = None,
    risk: Literal["", "late", "at_risk", "fine"] = "",
    limit: Annotated[int, Query(ge=1, le=dispatching.LONGEST_BOARD)] = 50,
) -> Board:  # fmt: skip
    """What waits with its clocks and proposals, what is in hand, and who is on duty."""
    return dispatching.board(
        call.session, call.actor, call.at, call.timezone, Filters(skill, tier, risk), limit
    )


@api.read("/dispatch/on-duty")
def on_duty(call: Called) -> Sequence[SeatRow]:
    """Who is on duty now: free, full or on a break, until when."""
    return dispatching.board(call.session, call.actor, call.at, call.timezone, limit=1).seats


@api.read("/dispatch/pauses")
def pauses(_call: Called) -> Sequence[Pause]:
    """The reasons for which a ticket may pause."""
    return desk_rules.load().pauses


@api.read("/dispatch/decisions")
def decisions(
    call: Called, words: Asked = "", differing: bool = False,
    after: AskedNumber = None, limit: Limit = 100,
) -> Page[LogRow]:  # fmt: skip
    """Who gave what to whom and why, newest first."""
    rows = dispatch_log.search(call.session, call.actor, words, differing=differing, before=after,
                               limit=limit)  # fmt: skip
    return Page(tuple(rows), rows[-1].id if len(rows) == limit else None)


@api.write("/dispatch/hand-out")
def give_out(call: Called) -> Given:
    """Give what waits to those the policy proposes."""
    return Given(given=len(hand_out.hand_out(call.session, call.actor, call.at, call.timezone)))


@api.write("/dispatch/settle")
def settle(call: Called) -> Settled:
    """Apply the rule for the end of a duty to what is left in the hands of those who went."""
    return Settled(done=ticket_moves.settle(call.session, call.actor, call.at))


@api.read("/tickets/{ticket}/proposal")
def proposal(call: Called, ticket: Code) -> Choice:
    """Whom the policy proposes and why, the next best, and everybody who may take it."""
    return dispatching.choice(call.session, call.actor, ticket, call.at, call.timezone)


@api.read("/tickets/{ticket}/work")
def work(call: Called, ticket: Code) -> WorkPage:
    """One ticket in work: its owner, its handovers, who else could have it."""
    return work_page.of(call.session, call.actor, ticket, call.at, call.timezone)


@api.read("/tickets/{ticket}/clocks")
def clocks(call: Called, ticket: Code) -> TicketClocks:
    """Its clocks in business time, their timeline, and the notices raised."""
    return clock_pages.of_ticket(call.session, call.actor, ticket, call.at, call.timezone)


@api.write("/tickets/{ticket}/assign", guard=ticket)
def assign(call: Called, ticket: Code, wanted: ToAgent) -> TicketRow:
    """Assign a waiting ticket."""
    dispatching.assign(call.session, call.actor, ticket, wanted.agent, call.at, call.timezone,
                       wanted.note)  # fmt: skip
    return _now(call, ticket)


def _now(call: Call, code: str) -> TicketRow:
    return listings.ticket(call.session, call.actor, code)


@api.write("/tickets/{ticket}/answer", guard=ticket)
def answer(call: Called, ticket: Code) -> TicketRow:
    """The customer has heard from its owner: the response clock is met."""
    ticket_work.answer(call.session, call.actor, ticket, call.at)
    return _now(call, ticket)


@api.write("/tickets/{ticket}/resolve", guard=ticket)
def resolve(call: Called, ticket: Code, wanted: Note | None = None) -> TicketRow:
    """The ticket is done."""
    note = wanted.note if wanted else ""
    ticket_work.resolve(call.session, call.actor, ticket, call.at, note)
    return _now(call, ticket)


@api.write("/tickets/{ticket}/pull", guard=ticket)
def pull(call: Called, ticket: Code, wanted: Note) -> TicketRow:
    """Take it back from its owner into the queue."""
    ticket_moves.put_back(call.session, call.actor, ticket, call.at, wanted.note)
    return _now(call, ticket)


@api.write("/tickets/{ticket}/reassign", guard=ticket)
def reassign(call: Called, ticket: Code, wanted: ToAgent) -> TicketRow:
    """Give it to somebody else."""
    ticket_moves.reassign(call.session, call.actor, ticket, wanted.agent, call.at, call.timezone,
                          wanted.note)  # fmt: skip
    return _now(call, ticket)


@api.write("/tickets/{ticket}/escalate", guard=ticket)
def escalate(call: Called, ticket: Code, wanted: ToTier) -> TicketRow:
    """It needs a higher tier."""
    ticket_moves.escalate(call.session, call.actor, ticket, wanted.tier, call.at, wanted.note)
    return _now(call, ticket)


@api.write("/tickets/{ticket}/pause", guard=ticket)
def pause(call: Called, ticket: Code, wanted: Waits) -> TicketRow:
    """Its clocks pause, for a reason."""
    ticket_moves.pause(call.session, call.actor, ticket, wanted.reason, call.at, wanted.note)
    return _now(call, ticket)


@api.write("/tickets/{ticket}/resume", guard=ticket)
def resume(call: Called, ticket: Code) -> TicketRow:
    """Its clocks run again."""
    ticket_moves.resume(call.session, call.actor, ticket, call.at)
    return _now(call, ticket)


@api.write("/tickets/{ticket}/merge", guard=ticket)
def merge(call: Called, ticket: Code, wanted: Into) -> TicketRow:
    """Another ticket answers this one too."""
    ticket_moves.merge(call.session, call.actor, ticket, wanted.into, call.at, wanted.note)
    return _now(call, ticket)


@api.write("/tickets/{ticket}/hand-over", guard=ticket)
def hand_over(call: Called, ticket: Code, wanted: ToAgent) -> TicketHandover:
    """Hand it over at the end of a duty, with a note; whoever takes it signs."""
    return ticket_moves.hand_over(
        call.session, call.actor, ticket, wanted.agent, call.at, call.timezone, wanted.note
    )


@api.write("/tickets/{ticket}/priority", method="PUT", guard=ticket)
def priority(call: Called, ticket: Code, wanted: Urgency) -> TicketRow:
    """Change its priority; its clocks follow."""
    ticket_changes.change_priority(call.session, call.actor, ticket, wanted.priority, call.at,
                                   wanted.note)  # fmt: skip
    return _now(call, ticket)


@api.write("/tickets/{ticket}/service", method="PUT", guard=ticket)
def service(call: Called, ticket: Code, wanted: OfService) -> TicketRow:
    """Change its service; its promises follow."""
    ticket_changes.change_service(call.session, call.actor, ticket, wanted.service, call.at,
                                  wanted.note)  # fmt: skip
    return _now(call, ticket)


@api.write("/tickets/{ticket}/agreement", method="PUT", guard=ticket)
def agreement(call: Called, ticket: Code, wanted: OfAgreement) -> TicketRow:
    """Let another agreement with its customer hold for it."""
    ticket_changes.change_agreement(call.session, call.actor, ticket, wanted.agreement, call.at,
                                    wanted.note)  # fmt: skip
    return _now(call, ticket)


@api.write("/tickets/{ticket}/callback", guard=ticket)
def call_back(call: Called, ticket: Code, wanted: Note) -> TicketRow:
    """The customer was asked after it was handled."""
    ticket_changes.call_back(call.session, call.actor, ticket, call.at, wanted.note)
    return _now(call, ticket)


@api.write("/handovers/{handover}/sign")
def sign(call: Called, handover: Number) -> TicketHandover:
    """Take over what was handed over."""
    return ticket_moves.sign(call.session, call.actor, handover, call.at)
