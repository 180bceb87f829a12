"""The agent's own: duties, work, take next, requests, grade and appeal, calendar, what is held."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from web.api.calls import Called
from web.api.fields import FIRST, LAST, Day, Files, From, Name, Number, Text, Until, Wanted, handed
from web.api.grades import LARGEST_WITH_FILES
from web.api.operations import Operations
from web.api.rosters import agent_of
from wfm.errors import Fault, InputError, NotFoundError
from wfm.services import (
    agent_desk,
    agent_requests,
    calendar_feed,
    grade_appeals,
    grade_case_page,
    own_records,
    roster_wishes,
    swaps,
)
from wfm.services.agent_desk import AgentDesk
from wfm.services.agent_desk import Day as DutyDay
from wfm.services.agent_requests import Asked
from wfm.services.grade_case_page import OwnResult
from wfm.services.roster_wishes import Liked, Wished, Wishes
from wfm.services.swaps import SwapPanel
from wfm.tables import AgentRequest, GradeAppeal, RosterPreference, RosterWish
from wfm.words import LeaveKind

api = Operations("one's own")
LONGEST_DAYS = 400
LONGEST_TEXT = agent_requests.LONGEST_TEXT
Words = Annotated[str, Field(max_length=LONGEST_TEXT, pattern=r"^[^\x00]*$")]


class LeaveWanted(Wanted):
    """Days off, both ends included."""

    first: Day = Field(alias="from")
    last: Day = Field(alias="until")
    kind: LeaveKind
    text: Words = ""


class Swap(Wanted):
    """A day to change shifts with a colleague."""

    day: Day
    colleague: Name = Field(examples=["A012"])
    text: Words = ""


class Mistake(Wanted):
    text: Words = Field(examples=["my telephone number is an old one"])


class Answer(Wanted):
    """What is decided of a request."""

    grant: bool
    text: Words = Field("", examples=["enough people are there"])


class Appeal(Wanted):
    text: Text = Field(examples=["the survey of May was another agent's"])
    files: Files = Field(default_factory=list, max_length=5)


class WishedDay(Wanted):
    """A day one would like to work, or not, and in which shift."""

    day: Day
    wants: bool
    shift: Name | None = Field(None, examples=["early"])
    strength: int = Field(2, ge=1, le=3)
    note: str = Field("", max_length=300, pattern=r"^[^\x00]*$")


class LikedShifts(Wanted):
    """Shifts one likes (or rather not) on weekdays; 1 is Monday."""

    wants: bool
    shifts: list[Name] = Field(default_factory=list, max_length=60, examples=[["early"]])
    weekdays: list[Annotated[int, Field(ge=1, le=7)]] = Field(
        default_factory=lambda: list(roster_wishes.WEEK), max_length=7
    )
    strength: int = Field(1, ge=1, le=3)


class Taken(BaseModel):
    """The ticket that was taken."""

    ticket: str


class Feed(BaseModel):
    """The secret address of one's calendar; told this once."""

    path: str | None = Field(examples=["/feeds/6b1f….ics"])


@api.read("/me/desk")
def desk(call: Called, first: From, last: Until) -> AgentDesk:
    """One's duties day by day, work in hand, what to take next, handovers."""
    _bounded(first, last)
    return agent_desk.page(call.session, call.actor, first, last, call.at, call.timezone)


def _bounded(first: date, last: date) -> None:
    if not 0 <= (last - first).days < LONGEST_DAYS:
        expected = f"a period of 1 to {LONGEST_DAYS} days is expected"
        raise InputError.of([Fault(expected, column="until")])


@api.read("/me/duties")
def duties(call: Called, first: From, last: Until) -> Sequence[DutyDay]:
    """One's published duties, posts and leave, day by day."""
    _bounded(first, last)
    agent = agent_desk.own_agent(call.session, call.actor)
    return agent_desk.days(call.session, agent.id or 0, first, last)


@api.write("/me/next")
def take_next(call: Called) -> Taken:
    """Take what the policy proposes to oneself."""
    return Taken(ticket=agent_desk.take_next(
        call.session, call.actor, call.at, call.timezone))  # fmt: skip


@api.write("/me/calendar", secret=("path",))
def open_feed(call: Called) -> Feed:
    """A secret address under which a calendar program reads one's duties; an earlier one ends."""
    token = calendar_feed.open_feed(call.session, call.actor, call.at)
    return Feed(path=f"/feeds/{token}.ics")


@api.write("/me/calendar", method="DELETE")
def close_feed(call: Called) -> None:
    """End that address."""
    calendar_feed.close_feed(call.session, call.actor, call.at)


@api.read("/me/requests")
def requests(call: Called) -> Sequence[Asked]:
    """What one has asked for, or was asked as a colleague."""
    agent = agent_desk.own_agent(call.session, call.actor)
    return agent_requests.of_agent(call.session, agent.id or 0)


@api.write("/me/requests/leave", status=201)
def ask_leave(call: Called, wanted: LeaveWanted) -> AgentRequest:
    """Ask for days off."""
    return agent_requests.ask_leave(call.session, call.actor, wanted.first, wanted.last,
                                    wanted.kind, wanted.text, call.today, call.at)  # fmt: skip


@api.read("/me/swaps")
def swap_candidates(
    call: Called, day: Annotated[date, Query(ge=FIRST, le=LAST, examples=["2026-10-01"])]
) -> SwapPanel:
    """With whom the rules allow to change shifts of a day."""
    agent = agent_desk.own_agent(call.session, call.actor)
    return swaps.candidates(call.session, agent, day)


@api.write("/me/requests/swap", status=201)
def ask_swap(call: Called, wanted: Swap) -> AgentRequest:
    """Ask a colleague to change shifts."""
    colleague = agent_of(call, wanted.colleague)
    return agent_requests.ask_swap(call.session, call.actor, wanted.day, colleague, wanted.text,
                                   call.today, call.at)  # fmt: skip


@api.write("/me/requests/correction", status=201)
def ask_correction(call: Called, wanted: Mistake) -> AgentRequest:
    """Say what is wrong in what the desk holds."""
    return agent_requests.ask_correction(call.session, call.actor, wanted.text, call.today, call.at)


@api.write("/me/requests/{request}/agree")
def agree(call: Called, request: Number) -> AgentRequest:
    """Agree to a swap one was asked for."""
    return agent_requests.agree(call.session, call.actor, request, call.at)


@api.write("/me/requests/{request}/withdraw")
def withdraw(call: Called, request: Number) -> AgentRequest:
    """Take a request back, or refuse one."""
    return agent_requests.withdraw(call.session, call.actor, request, call.at)


@api.read("/me/wishes")
def wishes(call: Called) -> Wishes:
    """What one wishes of rosters to come: days on or off, and shifts one likes."""
    agent = agent_desk.own_agent(call.session, call.actor)
    return roster_wishes.of_agent(call.session, call.actor, agent.id or 0, call.today)


@api.write("/me/wishes/days", status=201)
def wish(call: Called, wanted: WishedDay) -> RosterWish:
    """Wish for a duty (or none) on a day."""
    agent = agent_desk.own_agent(call.session, call.actor)
    wished = Wished(wanted.day, wanted.wants, wanted.shift, wanted.strength, wanted.note)
    return roster_wishes.wish(call.session, call.actor, agent.id or 0, wished, call.today, call.at)


@api.write("/me/wishes/days/{wish}", method="DELETE")
def unwish(call: Called, wish: Number) -> None:
    """Take it back."""
    roster_wishes.take_back(call.session, call.actor, RosterWish, wish, call.today, call.at)


@api.write("/me/wishes/likes", status=201)
def like(call: Called, wanted: LikedShifts) -> RosterPreference:
    """Say which shifts one likes, or rather not, on which weekdays."""
    agent = agent_desk.own_agent(call.session, call.actor)
    liked = Liked(wanted.wants, tuple(wanted.shifts), tuple(wanted.weekdays), wanted.strength)
    return roster_wishes.like(call.session, call.actor, agent.id or 0, liked, call.today, call.at)


@api.write("/me/wishes/likes/{like}", method="DELETE")
def unlike(call: Called, like: Number) -> None:
    """Take it back."""
    roster_wishes.take_back(call.session, call.actor, RosterPreference, like, call.today, call.at)


@api.read("/me/grade")
def grade(call: Called) -> OwnResult:
    """One's grade and evidence; one's newest result, explained, once it is published."""
    return grade_case_page.own_result(call.session, call.actor, call.today, call.language)


@api.write("/me/appeals", status=201, max_body_size=LARGEST_WITH_FILES)
def appeal(call: Called, wanted: Appeal) -> GradeAppeal:
    """Appeal against one's newest published result."""
    page = grade_case_page.own_page(call.session, call.actor, call.today, call.language)
    if page.newest is None or not page.told:
        raise NotFoundError("there is no result to appeal against")
    return grade_appeals.file(call.session, call.actor, page.newest.case.id, wanted.text, call.at,
                              call.timezone, handed(wanted.files))  # fmt: skip


@api.read("/me/records")
def records(call: Called) -> dict[str, int]:
    """What the desk holds about one: how many rows of each kind."""
    return own_records.counts(call.session, call.actor)


@api.write("/me/export")
def export(call: Called) -> dict[str, Any]:
    """All of it; taking it away is put on record."""
    document: dict[str, Any] = json.loads(own_records.export(call.session, call.actor, call.at))
    return document


@api.read("/requests")
def to_decide(call: Called) -> Sequence[Asked]:
    """What agents ask for, to be decided by who asks here."""
    return agent_requests.to_decide(call.session, call.actor)


@api.write("/requests/{request}")
def decide(call: Called, request: Number, wanted: Answer) -> AgentRequest:
    """Grant or refuse what an agent asks for."""
    return agent_requests.decide(
        call.session, call.actor, request, wanted.grant, wanted.text, call.at, call.timezone
    )
