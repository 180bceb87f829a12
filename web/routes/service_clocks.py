"""Clocks of a ticket and what changes them, what moves a target's clock, business calendars."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from web import htmx
from web.deps import AtDesk, Desk
from web.fields import LARGEST, PathId
from wfm.services import (
    agreement_clocks,
    business_calendars,
    clock_pages,
    opening,
    ticket_changes,
)
from wfm.services.agreement_versions import AgreementRefusal
from wfm.sla.words import METRICS

router = APIRouter(prefix="/service-levels")


@router.get("/clocks")
def clocks(desk: AtDesk, code: Annotated[str, Query(max_length=120)]) -> Response:
    return _clocks(desk, code)


def _clocks(desk: Desk, code: str, *, unchanged: bool = False) -> Response:
    shown = clock_pages.of_ticket(desk.session, desk.actor, code, desk.at, desk.settings.timezone)
    return desk.page("ticket_clocks.html", shown=shown, metrics=METRICS,
                     place=("en", "zh").index(desk.language),
                     choices=clock_pages.choices(desk.session, desk.actor),
                     may_change=desk.actor.may("dispatch.assign"), unchanged=unchanged)  # fmt: skip


def _after(desk: Desk, code: str, changed: bool) -> Response:
    """The page as it is after a change; where there was none, that is said."""
    if not changed:
        return _clocks(desk, code, unchanged=True)
    return htmx.go_to(desk.request, f"/service-levels/clocks?code={quote(code)}")


@router.post("/clocks/priority")
def change_priority(
    desk: AtDesk, code: Annotated[str, Form(max_length=120)], priority: Annotated[int, Form()],
    note: Annotated[str, Form(max_length=500)] = "",
) -> Response:  # fmt: skip
    changed = ticket_changes.change_priority(
        desk.session, desk.actor, code, priority, desk.at, note
    )
    return _after(desk, code, changed)


@router.post("/clocks/callback")
def call_back(
    desk: AtDesk, code: Annotated[str, Form(max_length=120)],
    note: Annotated[str, Form(max_length=500)] = "",
) -> Response:  # fmt: skip
    ticket_changes.call_back(desk.session, desk.actor, code, desk.at, note)
    return htmx.go_to(desk.request, f"/service-levels/clocks?code={quote(code)}")


@router.post("/clocks/service")
def change_service(
    desk: AtDesk, code: Annotated[str, Form(max_length=120)],
    service: Annotated[str, Form(max_length=120)],
    note: Annotated[str, Form(max_length=500)] = "",
) -> Response:  # fmt: skip
    changed = ticket_changes.change_service(desk.session, desk.actor, code, service, desk.at, note)
    return _after(desk, code, changed)


@router.post("/clocks/agreement")
def change_agreement(
    desk: AtDesk, code: Annotated[str, Form(max_length=120)],
    agreement: Annotated[int, Form(ge=0, le=LARGEST)] = 0,
    note: Annotated[str, Form(max_length=500)] = "",
) -> Response:  # fmt: skip
    changed = ticket_changes.change_agreement(
        desk.session, desk.actor, code, agreement or None, desk.at, note
    )
    return _after(desk, code, changed)


@router.get("/agreements/{agreement_id}/targets/{target_id}")
def target_clock(desk: AtDesk, agreement_id: PathId, target_id: PathId) -> Response:
    shown = agreement_clocks.page(desk.session, desk.actor, agreement_id, target_id)
    return desk.page(
        "agreement_clock.html", shown=shown, events=agreement_clocks.EVENTS,
        acts=agreement_clocks.ACTS, metrics=METRICS, place=("en", "zh").index(desk.language),
        editable=shown.agreement.status == "draft" and desk.actor.may("agreements.write"),
    )  # fmt: skip


@router.post("/agreements/{agreement_id}/targets/{target_id}")
async def save_target_clock(
    desk: AtDesk, request: Request, agreement_id: PathId, target_id: PathId
) -> Response:
    async with request.form(max_fields=200) as form:
        chosen = {act: [str(kind) for kind in form.getlist(act)] for act in agreement_clocks.ACTS}
        switches = {name: bool(form.get(name)) for name in ("repeats", "rests_when_resolved")}
    return await run_in_threadpool(
        _save_target_clock, desk, agreement_id, target_id, chosen, switches
    )


def _save_target_clock(
    desk: Desk, agreement_id: int, target_id: int, chosen: dict[str, list[str]],
    switches: dict[str, bool],
) -> Response:  # fmt: skip
    try:
        agreement_clocks.save(
            desk.session, desk.actor, agreement_id, target_id, desk.at, chosen=chosen, **switches
        )
    except AgreementRefusal as refusal:
        return desk.page("error.html", block="error", status=409,
                         headline=refusal.texts[desk.language], faults=[])  # fmt: skip
    return htmx.go_to(desk.request, f"/service-levels/agreements/{agreement_id}")


@router.get("/calendars")
def calendars(desk: AtDesk, code: Annotated[str, Query(max_length=60)] = "") -> Response:
    rows = business_calendars.listed(desk.session, desk.actor)
    return desk.page(
        "business_calendars.html", rows=rows,
        chosen=next((row for row in rows if row.row.code == code), None), week=opening.WEEK,
        timezone=desk.settings.timezone, may_write=desk.actor.may("agreements.write"),
    )  # fmt: skip


@router.post("/calendars")
async def save_calendar(desk: AtDesk, request: Request) -> Response:
    async with request.form(max_fields=40) as form:
        given = {key: str(value) for key, value in form.items()}
    return await run_in_threadpool(_save_calendar, desk, given)


def _save_calendar(desk: Desk, given: dict[str, str]) -> Response:
    names = {name: given.get(name, "") for name in ("code", "name_en", "name_zh", "timezone")}
    parts = (*opening.WEEK, "holidays", *business_calendars.DATED)
    business_calendars.save(
        desk.session,
        desk.actor,
        desk.at,
        texts={part: given.get(part, "") for part in parts},
        **names,
    )
    return htmx.go_to(desk.request, "/service-levels/calendars")
