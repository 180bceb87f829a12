"""Holiday duty: the table and its life, places, wishes, handover, costs, the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field

from web.api.calls import Call, Called
from web.api.fields import (
    FIRST,
    LAST,
    ADay,
    Code,
    Day,
    From,
    Id,
    Name,
    Number,
    Period,
    Text,
    Until,
    Wanted,
    WithReason,
)
from web.api.operations import Operations
from web.api.rosters import agent_of
from web.deps import XLSX, attachment
from wfm.services import (
    duty_changes,
    duty_days,
    duty_export,
    duty_handover,
    duty_life,
    duty_pages,
    duty_pay,
    duty_wishes,
    duty_work,
)
from wfm.services.duty_changes import PlacePanel
from wfm.services.duty_days import Occasion
from wfm.services.duty_handover import Slot
from wfm.services.duty_pages import DutyPage, LedgerRow
from wfm.services.duty_pay import Proposal
from wfm.services.duty_wishes import WishPage
from wfm.tables import DutyContact, DutyHandover, DutySwap, DutyTable, DutyWish, Job, WatchDecision

api = Operations("holiday duty")
PostId = Annotated[int, Query(ge=1, le=2**31 - 1, examples=[1])]


class CheckNote(Wanted):
    """A line of the list that is checked before a holiday."""

    note: Text = Field("", examples=["generator tested"])


class Wage(Wanted):
    """The monthly wage costs are reckoned with; none: hours only."""

    month_wage: Decimal | None = Field(ge=0, max_digits=12, decimal_places=2, examples=["6000.00"])


class Trade(Wanted):
    """The place that is given in return."""

    day: Day
    post: Id


class PlaceChange(Wanted):
    """Who holds the place from now on (none: nobody), with what is given in return."""

    day: Day
    post: Id
    agent: Name | None = Field(None, description="who holds it now", examples=["A007"])
    to: Name | None = Field(None, examples=["A012"])
    trade: Trade | None = None
    reason: Text = ""


class PlaceLock(Wanted):
    day: Day
    post: Id
    agent: Name = Field(examples=["A007"])
    locked: bool


class Wish(Wanted):
    """Whether a duty on the day is wished, and how strongly."""

    wants: bool
    strength: int = Field(2, ge=1, le=3)
    note: str = Field("", max_length=duty_wishes.LONGEST_NOTE, pattern=r"^[^\x00]*$")


class Handover(Wanted):
    """What the next on duty has to know, signed by who gives it."""

    post: Id
    day: Day
    agent: Name = Field(examples=["A007"])
    note: Text = Field(examples=["line 3 is watched until noon"])


class Taker(Wanted):
    agent: Name | None = Field(None, description="who takes over; none: oneself")


class Watch(Period):
    """Work found in a watch: overtime, or not."""

    key: Name = Field(examples=["7|2026-10-01T22:00:00+00:00"])
    accepted: bool
    reason: Text = ""


class Reached(BaseModel):
    """One step of a call tree."""

    model_config = ConfigDict(from_attributes=True)

    post: str
    agent: str
    name: str
    phone: str | None


class Closed(BaseModel):
    """Named days that went into the ledger."""

    added: int


@api.read("/duty/occasions")
def occasions(call: Called) -> Sequence[Occasion]:
    """Holidays and events that want a duty table."""
    return duty_days.upcoming(call.session, call.today)


@api.read("/duty/table")
def table(call: Called, first: From, last: Until) -> DutyPage:
    """Posts by days: who holds each and why, what is missing and why, the ledger, the checks."""
    return duty_pages.duty_page(call.session, call.actor, first, last, call.at, call.timezone)


@api.read("/duty/ledger")
def ledger(call: Called, first: From, last: Until) -> Sequence[LedgerRow]:
    """Who has borne which named days over the years, before and after this period."""
    return table(call, first, last).ledger


@api.read("/duty/calls")
def calls(
    call: Called, first: From, last: Until,
    day: Annotated[date, Query(ge=FIRST, le=LAST, examples=["2026-10-01"])],
    site: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Sequence[Reached]:  # fmt: skip
    """Who is called first, next … on a day; numbers are told to those who may call."""
    page = table(call, first, last)
    steps = page.calls(day, site) if day in {one.date for one in page.days} else []
    return [Reached(post=one.post.code, agent=one.agent.code, name=one.agent.name,
                    phone=one.agent.phone if page.phones else None) for one in steps]  # fmt: skip


@api.read("/duty/numbers")
def numbers(call: Called, first: From, last: Until) -> Sequence[DutyContact]:
    """Suppliers, building, power: for those who may call people of this table."""
    page = table(call, first, last)
    return page.contacts if page.phones else ()


@api.read("/duty/table.ics", media="text/calendar")
def table_ics(call: Called, first: From, last: Until, mine: bool = False) -> Response:
    """The table (or one's own part of it) for a calendar program."""
    only = (call.actor.agent_id or 0) if mine else None
    text = duty_export.duty_ics(table(call, first, last), call.language, call.at, call.timezone,
                                only)  # fmt: skip
    return attachment(text, "text/calendar; charset=utf-8", f"duty-{first}-{last}.ics")


@api.read("/duty/table.xlsx", media=XLSX)
def table_xlsx(call: Called, first: From, last: Until) -> Response:
    """The table with contact card and costs as a workbook."""
    page, reckoned = table(call, first, last), _costs(call, first, last)
    content = duty_export.duty_xlsx(page, reckoned, call.language, call.at, call.timezone)
    return attachment(content, XLSX, f"duty-{first}-{last}.xlsx")


def _costs(call: Call, first: date, last: date) -> duty_pay.Costs:
    return duty_pages.period_costs(call.session, call.actor, first, last, call.timezone)


@api.read("/duty/costs")
def costs(call: Called, first: From, last: Until) -> duty_pay.Costs:
    """Hours and pay by day and pay class, each with its source in law."""
    return _costs(call, first, last)


@api.read("/duty/watches")
def watches(call: Called, first: From, last: Until) -> Sequence[Proposal]:
    """Work found in watches, to be counted as overtime or not."""
    wage = duty_pages.month_wage(call.session, first, last)
    return duty_pay.proposals(call.session, call.actor, first, last, call.at, wage, call.timezone)


@api.write("/duty/watches")
def watch(call: Called, wanted: Watch) -> WatchDecision:
    """Decide on work found in a watch."""
    wage = duty_pages.month_wage(call.session, wanted.first, wanted.last)
    return duty_pay.decide(
        call.session, call.actor, wanted.first, wanted.last, wanted.key, wanted.accepted,
        wanted.reason, call.at, wage, call.timezone,
    )  # fmt: skip


@api.write("/duty/propose", status=202)
def propose(call: Called, wanted: Period) -> Job:
    """Propose who holds which post as a job: fair over the years, wishes met, rules kept."""
    return duty_work.ask_to_propose(call.session, call.actor, wanted.first, wanted.last, call.at)


@api.write("/duty/tables/{table}/publish")
def publish(call: Called, table: Number, wanted: WithReason) -> DutyTable:
    """Publish a table; empty places or open checks want a reason."""
    return duty_life.publish(call.session, call.actor, table, wanted.reason, call.at, call.timezone)


@api.write("/duty/tables/{table}/close")
def close(call: Called, table: Number) -> Closed:
    """Enter a worked table into the ledger."""
    return Closed(added=duty_life.close(
        call.session, call.actor, table, call.at, call.timezone))  # fmt: skip


@api.write("/duty/tables/{table}/checks/{item}", method="PUT")
def check(call: Called, table: Number, item: Code, wanted: CheckNote) -> None:
    """Sign one line of the list before the holiday."""
    duty_life.sign_check(call.session, call.actor, table, item, wanted.note, call.at)


@api.write("/duty/tables/{table}/wage", method="PUT")
def wage(call: Called, table: Number, wanted: Wage) -> None:
    """Set the monthly wage costs are reckoned with."""
    duty_life.reckon_with(call.session, call.actor, table, wanted.month_wage, call.at)


@api.read("/duty/place")
def place(
    call: Called, post: PostId,
    day: Annotated[date, Query(ge=FIRST, le=LAST, examples=["2026-10-01"])],
    agent: Annotated[str, Query(max_length=120, pattern=r"^[^\x00]*$")] = "",
) -> PlacePanel:  # fmt: skip
    """One place: its holder, and who could take or trade it, at what cost to fairness."""
    who = agent_of(call, agent) if agent else None
    return duty_changes.panel(call.session, call.actor, day, post, who, call.at, call.timezone)


@api.write("/duty/changes", status=201)
def change(call: Called, wanted: PlaceChange) -> DutySwap:
    """Fill, swap, trade or take off a place."""
    old, new = (agent_of(call, code) if code else None for code in (wanted.agent, wanted.to))
    trade = (wanted.trade.day, wanted.trade.post) if wanted.trade else None
    return duty_changes.change(
        call.session, call.actor, wanted.day, wanted.post, old, new, wanted.reason, call.at,
        call.timezone, trade,
    )  # fmt: skip


@api.write("/duty/changes/{change}/undo")
def undo(call: Called, change: Number) -> DutySwap:
    """Undo a change."""
    return duty_changes.undo(call.session, call.actor, change, call.at, call.timezone)


@api.write("/duty/locks", method="PUT")
def lock(call: Called, wanted: PlaceLock) -> None:
    """Hold a place for its holder, or free it; the next proposal keeps to it."""
    duty_changes.lock(call.session, call.actor, wanted.day, wanted.post,
                      agent_of(call, wanted.agent), wanted.locked, call.at)  # fmt: skip


@api.read("/duty/wishes/{agent}")
def wishes(call: Called, agent: Code) -> WishPage:
    """What an agent is asked and has wished for the coming holidays."""
    return duty_wishes.wish_page(call.session, call.actor, agent_of(call, agent), call.today)


@api.write("/duty/wishes/{agent}/{day}", method="PUT")
def wish(call: Called, agent: Code, day: ADay, wanted: Wish) -> DutyWish:
    """Wish for a duty on a day, or for none."""
    return duty_wishes.put(
        call.session, call.actor, agent_of(call, agent), day, wanted.wants, wanted.strength,
        wanted.note, call.at,
    )  # fmt: skip


@api.write("/duty/wishes/{agent}/{day}", method="DELETE")
def unwish(call: Called, agent: Code, day: ADay) -> None:
    """Take a wish back."""
    duty_wishes.withdraw(call.session, call.actor, agent_of(call, agent), day, call.at)


@api.read("/duty/handovers")
def handovers(call: Called, first: From, last: Until) -> Sequence[Slot]:
    """The handovers between duties of a table: due, written down, signed."""
    held = duty_pages.require_period(call.session, call.actor, first, last)
    return duty_handover.slots(call.session, held, first, last, call.timezone)


@api.write("/duty/handovers", status=201)
def give(call: Called, wanted: Handover) -> DutyHandover:
    """Hand a duty over, with a note."""
    return duty_handover.give(call.session, call.actor, wanted.post, wanted.day,
                              agent_of(call, wanted.agent), wanted.note, call.at)  # fmt: skip


@api.write("/duty/handovers/{handover}/take")
def take(call: Called, handover: Number, wanted: Taker) -> DutyHandover:
    """Take a duty over: sign for it."""
    who = agent_of(call, wanted.agent) if wanted.agent else call.actor.agent_id or 0
    return duty_handover.take(call.session, call.actor, handover, who, call.at)
