"""Forecast and requirement: series, back-test, adjustments, what-if."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import Field

from web.api.calls import Called
from web.api.fields import FIRST, LAST, Asked, From, Name, Number, Period, Text, Until
from web.api.operations import After, Limit, Operations
from wfm.services import adjustments, forecast_pages, listings, roster_work, what_if
from wfm.services.forecast_pages import ForecastPage
from wfm.services.listings import Contacts, Need, Page
from wfm.tables import ForecastAdjustment, Job

api = Operations("forecast")
DAY_MINUTES = adjustments.DAY_MINUTES


class Adjustment(Period):
    """What a planner knows that the records do not: a factor on days and hours."""

    factor: float = Field(ge=0, le=20, allow_inf_nan=False, examples=[1.2])
    reason: Text = Field(examples=["the new tariff starts; last time calls rose by a fifth"])
    skill: Name | None = Field(None, description="none: every skill", examples=["network"])
    minute_from: int = Field(0, ge=0, lt=DAY_MINUTES)
    minute_until: int = Field(DAY_MINUTES, gt=0, le=DAY_MINUTES)


class Question(Period):
    """Days of the past (`recorded`) or drawn from a plan (`plan`) under other terms."""

    source: str = Field("recorded", max_length=20, pattern=r"^[^\x00]*$")
    policy: str = Field("deadline", max_length=40, pattern=r"^[^\x00]*$")
    grade: str = Field("", max_length=20, pattern=r"^[^\x00]*$", description="of one person more")
    skill: Name = Field("", examples=["network"])
    starts: int = Field(540, ge=0, lt=DAY_MINUTES, description="minute of the day")
    ends: int = Field(1080, gt=0, le=DAY_MINUTES)
    break_at: int | None = Field(None, ge=0, lt=DAY_MINUTES)
    seed: int = Field(0, ge=0, le=2**31 - 1)


@api.read("/forecast")
def forecast(
    call: Called, first: From, last: Until, skill: Asked = "",
    day: Annotated[date | None, Query(ge=FIRST, le=LAST)] = None,
) -> ForecastPage:  # fmt: skip
    """Past and forecast by day, half-hours of one day, the back-test's error, sources."""
    return forecast_pages.page(call.session, call.actor, first, last, call.timezone, skill, day)


@api.write("/forecast/plan", status=202)
def plan(call: Called, wanted: Period) -> Job:
    """Forecast a period and reckon its requirement, as a job."""
    return roster_work.ask_to_plan(call.session, call.actor, wanted.first, wanted.last, call.at)


@api.read("/forecast/plans/{plan}/demand")
def demand(call: Called, plan: Number, after: After = 0, limit: Limit = 100) -> Page[Contacts]:
    """The contacts a plan expects, by skill and half-hour."""
    return listings.demand(call.session, call.actor, plan, after, limit)


@api.read("/forecast/plans/{plan}/requirement")
def requirement(call: Called, plan: Number, after: After = 0, limit: Limit = 100) -> Page[Need]:
    """The people a plan asks for, by team, skill, tier and half-hour, with the promise behind."""
    return listings.requirement(call.session, call.actor, plan, after, limit)


@api.read("/forecast/adjustments")
def adjusted(call: Called, first: From, last: Until) -> Sequence[ForecastAdjustment]:
    """Adjustments of days, withdrawn ones too."""
    return forecast_pages.page(call.session, call.actor, first, last, call.timezone).changes


@api.write("/forecast/adjustments", status=201)
def adjust(call: Called, wanted: Adjustment) -> ForecastAdjustment:
    """Adjust the forecast by hand, with a reason."""
    change = adjustments.Change(
        wanted.first, wanted.last, wanted.factor, wanted.reason, wanted.skill, wanted.minute_from,
        wanted.minute_until,
    )  # fmt: skip
    return adjustments.adjust(call.session, call.actor, change, call.at)


@api.write("/forecast/adjustments/{adjustment}", method="DELETE")
def withdraw(call: Called, adjustment: Number) -> ForecastAdjustment:
    """Withdraw an adjustment; it stays on record."""
    return adjustments.withdraw(call.session, call.actor, adjustment, call.at)


@api.write("/what-if", status=202)
def ask(call: Called, wanted: Question) -> Job:
    """What if another policy, or one person more: answered side by side, as a job."""
    change = what_if.Change(wanted.policy, wanted.grade, wanted.skill, wanted.starts, wanted.ends,
                            wanted.break_at)  # fmt: skip
    question = what_if.Question(wanted.first, wanted.last, wanted.source, change, wanted.seed)
    return what_if.ask(call.session, call.actor, question, call.at)
