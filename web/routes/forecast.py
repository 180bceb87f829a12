"""The planner's forecast page: what will come, how sure that is, and what planners changed."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Response

from web import htmx
from web.deps import AtDesk, Desk
from web.fields import PathId
from web.forecast_charts import DayPoint, SlotPoint, days, slots
from wfm.services import adjustments, forecast_pages, roster_cover, roster_pages, roster_work
from wfm.services.forecast_pages import ForecastPage

router = APIRouter()
SKILL_LENGTH = 120
SATURDAY = 5
WORDS = {
    "en": ("came", "expected", "before adjustment", "80 % interval", "people required", "contacts"),
    "zh": ("实际", "预测", "调整前", "80 % 区间", "所需人数", "件"),
}

First = Annotated[date | None, Query(alias="from")]
Last = Annotated[date | None, Query(alias="until")]
FormFirst = Annotated[date, Form(alias="from")]
FormLast = Annotated[date, Form(alias="until")]
SkillCode = Annotated[str, Query(max_length=SKILL_LENGTH)]
FormSkill = Annotated[str, Form(max_length=SKILL_LENGTH)]


@router.get("/forecast")
def forecast(
    desk: AtDesk, first: First = None, last: Last = None, skill: SkillCode = "",
    day: date | None = None,
) -> Response:  # fmt: skip
    if first is None or last is None:
        found = roster_pages.periods(desk.session, desk.actor)
        first, last = found[0] if found else _this_month(desk.today)
    page = forecast_pages.page(
        desk.session, desk.actor, first, last, desk.settings.timezone, skill, day
    )
    return desk.page(
        "forecast.html", block="page", page=page, promise=roster_cover.promise,
        day_chart=_day_chart(page, desk.language), slot_chart=_slot_chart(page, desk.language),
    )  # fmt: skip


def _this_month(day: date) -> tuple[date, date]:
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


@router.post("/forecast/plan")
def plan(desk: AtDesk, first: FormFirst, last: FormLast, skill: FormSkill = "") -> Response:
    roster_work.ask_to_plan(desk.session, desk.actor, first, last, desk.at)
    return _back(desk, first, last, skill)


@router.post("/forecast/adjust")
def adjust(
    desk: AtDesk,
    first: FormFirst,
    last: FormLast,
    day_from: Annotated[date, Form()],
    day_until: Annotated[date, Form()],
    percent: Annotated[float, Form(ge=-100, le=1900)],
    reason: Annotated[str, Form(max_length=1000)],
    only: FormSkill = "",
    hour_from: Annotated[time, Form()] = time(0),
    hour_until: Annotated[time, Form()] = time(0),
    skill: FormSkill = "",
) -> Response:
    change = adjustments.Change(
        first=day_from,
        last=day_until,
        factor=round(1 + percent / 100, 4),
        reason=reason,
        skill=only or None,
        minute_from=hour_from.hour * 60 + hour_from.minute,
        # midnight as an end is the end of the day
        minute_until=hour_until.hour * 60 + hour_until.minute or adjustments.DAY_MINUTES,
    )
    adjustments.adjust(desk.session, desk.actor, change, desk.at)
    return _back(desk, first, last, skill)


@router.post("/forecast/adjustments/{number}/withdraw")
def withdraw(
    desk: AtDesk,
    number: PathId,
    first: FormFirst,
    last: FormLast,
    skill: FormSkill = "",
) -> Response:
    adjustments.withdraw(desk.session, desk.actor, number, desk.at)
    return _back(desk, first, last, skill)


def _back(desk: Desk, first: date, last: date, skill: str) -> Response:
    chosen = f"&skill={quote(skill)}" if skill else ""
    return htmx.go_to(desk.request, f"/forecast?from={first}&until={last}{chosen}")


def _day_chart(page: ForecastPage, language: str) -> object:
    came, expected, before, interval, _, _ = WORDS[language]
    points = []
    for day, count in page.facts.get("past", []):
        points.append(_day_point(page, day, language, f"{came} {count}", actual=float(count)))
    for one in page.facts.get("days", []):
        told = f"{expected} {one['contacts']:g}, {interval} {one['low']:g}–{one['high']:g}"
        changed = abs(one["base"] - one["contacts"]) > 0.05
        if changed:
            told += f", {before} {one['base']:g}"
        points.append(
            _day_point(
                page, one["date"], language, told, expected=one["contacts"], low=one["low"],
                high=one["high"], base=one["base"],
                adjusted=changed,
            )
        )  # fmt: skip
    return days(points, expected) if points else ""


def _day_point(
    page: ForecastPage, day: str, language: str, told: str, adjusted: bool = False, **values: float
) -> DayPoint:
    date_ = date.fromisoformat(day)
    named = page.named.get(date_)
    name = f" {getattr(named, f'name_{language}')}" if named else ""
    mark = "adjusted" if adjusted else "special" if named else ""
    return DayPoint(
        label=day[5:], title=f"{day}{name}: {told}", mark=mark,
        rest=date_.weekday() >= SATURDAY, **values,
    )  # fmt: skip


def _slot_chart(page: ForecastPage, language: str) -> object:
    _, _, _, interval, people, contacts = WORDS[language]
    points = [
        SlotPoint(
            label=f"{one.minute // 60:02d}:{one.minute % 60:02d}",
            title=(
                f"{one.minute // 60:02d}:{one.minute % 60:02d}: {one.contacts:.1f} {contacts}, "
                f"{interval} {one.low:g}–{one.high:g}; {people} {one.wanted}"
            ),
            contacts=one.contacts, low=one.low, high=one.high, people=one.wanted,
        )
        for one in page.half_hours
    ]  # fmt: skip
    return slots(points, str(page.day)) if points else ""
