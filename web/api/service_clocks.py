"""Business calendars, and what moves the clock of an agreement's target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from web.api.calls import Call, Called
from web.api.fields import Code, Name, Number, Wanted
from web.api.operations import Operations
from web.api.service_levels import agreement
from wfm.errors import NotFoundError
from wfm.services import agreement_clocks, business_calendars, opening
from wfm.services.agreement_clocks import ClockPage
from wfm.services.business_calendars import CalendarText

api = Operations("service levels")
Hours = Annotated[str, Field(max_length=business_calendars.LONGEST, pattern=r"^[^\x00]*$")]
Part = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holidays", "date_overrides",
               "makeup_workdays", "breaks"]  # fmt: skip
Act = Literal["starts", "ends", "pauses", "resumes", "cancels", "resets", "reverts"]


class Calendar(Wanted):
    """A calendar as people write it; parts that are left out are empty."""

    name_en: Name = Field(min_length=1, examples=["Office hours"])
    name_zh: Name = Field(min_length=1, examples=["办公时间"])
    timezone: Name = Field(min_length=1, examples=["Asia/Shanghai"])
    texts: dict[Part, Hours] = Field(
        description="hours of each weekday, days without any, and exceptions",
        examples=[{"mon": "09:00-12:00 13:30-18:00", "holidays": "2026-10-01 2026-10-02"}],
    )


class Moves(Wanted):
    """What moves a clock: kinds of events of a ticket, by what they do to it."""

    chosen: dict[Act, list[Name]] = Field(
        max_length=len(agreement_clocks.ACTS),
        examples=[{"starts": ["opened"], "ends": ["agent_message"]}],
    )
    repeats: bool = Field(False, description="a next one starts after each end")
    rests_when_resolved: bool = False


@api.read("/calendars")
def calendars(call: Called) -> Sequence[CalendarText]:
    """Business calendars with their hours as text, and how many agreements count in each."""
    return business_calendars.listed(call.session, call.actor)


@api.read("/calendars/{calendar}")
def calendar(call: Called, calendar: Code) -> CalendarText:
    """One business calendar."""
    return _calendar(call, calendar)


@api.write("/calendars/{calendar}", method="PUT", guard=calendar)
def save_calendar(call: Called, calendar: Code, wanted: Calendar) -> CalendarText:
    """Add or change a calendar; open tickets that count in it are counted anew."""
    parts = (*opening.WEEK, "holidays", *business_calendars.DATED)
    texts = dict.fromkeys(parts, "") | {str(part): text for part, text in wanted.texts.items()}
    row = business_calendars.save(
        call.session, call.actor, call.at, code=calendar, name_en=wanted.name_en,
        name_zh=wanted.name_zh, timezone=wanted.timezone, texts=texts,
    )  # fmt: skip
    return _calendar(call, row.code)


def _calendar(call: Call, code: str) -> CalendarText:
    rows = business_calendars.listed(call.session, call.actor)
    found = next((one for one in rows if one.row.code == code.strip()), None)
    if found is None:
        raise NotFoundError(f"there is no calendar {code}")
    return found


@api.read("/agreements/{agreement}/targets/{target}/clock")
def clock(call: Called, agreement: Number, target: Number) -> ClockPage:
    """What moves the clock of a target."""
    return agreement_clocks.page(call.session, call.actor, agreement, target)


@api.write("/agreements/{agreement}/targets/{target}/clock", method="PUT", guard=agreement)
def save_clock(call: Called, agreement: Number, target: Number, wanted: Moves) -> ClockPage:
    """From now on this moves the clock of a draft's target."""
    agreement_clocks.save(
        call.session, call.actor, agreement, target, call.at,
        chosen={str(act): kinds for act, kinds in wanted.chosen.items()}, repeats=wanted.repeats,
        rests_when_resolved=wanted.rests_when_resolved,
    )  # fmt: skip
    return agreement_clocks.page(call.session, call.actor, agreement, target)
