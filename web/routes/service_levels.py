"""The service-level desk: catalogue, agreements, checks, clocks, notices and monthly reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from web import htmx
from web.deps import XLSX, AtDesk, Desk
from web.fields import PathId
from wfm.errors import Fault, InputError
from wfm.services import (
    agreement_check,
    agreement_clocks,
    agreement_drafts,
    agreement_facts,
    agreement_versions,
    clock_pages,
    service_catalogue,
    service_reports,
)
from wfm.services.agreement_drafts import TargetInput
from wfm.services.agreement_versions import AgreementRefusal
from wfm.sla import health
from wfm.sla.documents import PARTS, text_of_supports
from wfm.sla.notices import ROLES, TIERS, steps_from_list
from wfm.sla.words import METRICS
from wfm.tables import Service
from wfm.words import AgreementKind, Metric, ServiceStatus

router = APIRouter(prefix="/service-levels")
MOST_STEPS = 8


class NewService(BaseModel):
    code: str = Field(max_length=200)
    name_en: str = Field(max_length=200)
    name_zh: str = Field(max_length=200)
    status: str = "pipeline"
    owner: str = Field(default="", max_length=200)
    review_on: str = ""
    anyway: bool = False


@router.get("")
def catalogue(
    desk: AtDesk, service: Annotated[str, Query(max_length=200)] = ""
) -> Response:  # fmt: skip
    """The catalogue; the form holds `service` as it is now, to be changed."""
    return _catalogue(desk, chosen=service)


@router.post("/services")
def save_service(desk: AtDesk, new: Annotated[NewService, Form()]) -> Response:
    saved, alike = service_catalogue.save_service(
        desk.session, desk.actor, desk.at, code=new.code, name_en=new.name_en,
        name_zh=new.name_zh, status=new.status, owner=new.owner, review_on=_day(new.review_on),
        anyway=new.anyway,
    )  # fmt: skip
    if saved is None:
        return _catalogue(desk, new=new, alike=alike)
    return htmx.go_to(desk.request, "/service-levels")


def _catalogue(
    desk: Desk, new: NewService | None = None, alike: tuple[str, ...] = (), chosen: str = ""
) -> Response:
    rows = service_catalogue.catalogue(desk.session, desk.actor, desk.today)
    if new is None:
        new = next((_as_it_is(row.service) for row in rows if row.service.code == chosen), None)
    return desk.page(
        "service_levels.html",
        status=409 if alike else 200,
        rows=rows,
        general=service_catalogue.general_agreements(desk.session, desk.actor),
        clocks=clock_pages.running(desk.session, desk.actor),
        statuses=list(ServiceStatus),
        kinds=list(AgreementKind),
        new=new,
        alike=alike,
        may_write=desk.actor.may("agreements.write"),
    )


def _as_it_is(service: Service) -> NewService:
    return NewService(
        code=service.code, name_en=service.name_en, name_zh=service.name_zh,
        status=str(service.status), owner=service.owner,
        review_on=service.review_on.isoformat() if service.review_on else "",
    )  # fmt: skip


@router.post("/agreements")
def draft(
    desk: AtDesk,
    code: Annotated[str, Form(max_length=120)],
    kind: Annotated[AgreementKind, Form()] = AgreementKind.SLA,
    service: Annotated[str, Form(max_length=120)] = "",
) -> Response:
    made = None
    try:
        made = agreement_drafts.draft(desk.session, desk.actor, code, kind, desk.at, service)
    except AgreementRefusal as refusal:
        return desk.page("error.html", block="error", status=409,
                         headline=refusal.texts[desk.language], faults=[])  # fmt: skip
    return htmx.go_to(desk.request, f"/service-levels/agreements/{made.id}")


@router.get("/agreements/{agreement_id}")
def agreement(desk: AtDesk, agreement_id: PathId) -> Response:
    return _agreement(desk, agreement_id)


def _agreement(desk: Desk, agreement_id: int, refused: str | None = None) -> Response:
    shown = agreement_facts.page(
        desk.session, desk.actor, agreement_id, desk.at, desk.settings.timezone
    )
    warnings = [health.text_of(one, desk.language) for one in shown.warnings]
    return desk.page(
        "agreement.html",
        status=409 if refused else 200,
        shown=shown,
        parts=PARTS,
        place=("en", "zh").index(desk.language),
        metrics=METRICS,
        warnings=warnings,
        beneath=text_of_supports(shown.agreement.supports),
        hours=agreement_check.hours,
        units=agreement_drafts.UNITS,
        steps=(steps := steps_from_list(shown.agreement.thresholds)),
        more_steps=range(max(1, MOST_STEPS - len(steps))),
        roles=ROLES,
        tiers=TIERS,
        moves=agreement_clocks.in_words,
        all_metrics=list(Metric),
        refused=refused,
        may={right: desk.actor.may(f"agreements.{right}") for right in
             ("write", "review", "sign")},
    )  # fmt: skip


def _act(desk: Desk, agreement_id: int, act: Callable[[], Any]) -> Response:
    """Do something to a version and show it again; a refusal stands on the page."""
    try:
        with desk.session.begin_nested():  # a refusal takes back what was begun
            act()
    except AgreementRefusal as refusal:
        return _agreement(desk, agreement_id, refusal.texts[desk.language])
    return htmx.go_to(desk.request, f"/service-levels/agreements/{agreement_id}")


@router.post("/agreements/{agreement_id}/text")
async def edit(desk: AtDesk, request: Request, agreement_id: PathId) -> Response:
    async with request.form(max_fields=80) as form:
        given = {key: str(value) for key, value in form.items()}
        steps = {name: [str(value) for value in form.getlist(name)]
                 for name in ("percent", "tell", "raise_to")}  # fmt: skip
    values: dict[str, Any] = {
        name: given[name]
        for name in ("name_en", "name_zh", "provider", "receiver", "supports", "reopening")
        if name in given
    }
    values["notices_at_night"] = bool(given.get("notices_at_night"))
    values["thresholds"] = _steps(steps)
    parts = {key[5:]: text for key, text in given.items() if key.startswith("part_")}
    return await run_in_threadpool(_act, desk, agreement_id, lambda: agreement_drafts.edit(
        desk.session, desk.actor, agreement_id, desk.at, language=given.get("language", "zh"),
        values=values, parts=parts))  # fmt: skip


def _steps(columns: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Who is told at which percentage; a row without a percentage is left out."""
    rows = zip(*columns.values(), strict=False)
    return [
        {"percent": int(percent) if percent.strip().isdecimal() and len(percent) < 6 else percent,
         "tell": tell, "raise_to": tier or None}
        for percent, tell, tier in rows
        if percent.strip()
    ]  # fmt: skip


@router.post("/agreements/{agreement_id}/points/{code}")
async def points(desk: AtDesk, request: Request, agreement_id: PathId, code: str) -> Response:
    """What one part lacks as it is being written; nothing is kept."""
    async with request.form(max_fields=80) as form:
        text = str(form.get(f"part_{code}", ""))[: agreement_drafts.LONGEST_TEXT]
    return await run_in_threadpool(_points, desk, agreement_id, code, text)


def _points(desk: Desk, agreement_id: int, code: str, text: str) -> Response:
    part, found = agreement_drafts.points_of(
        desk.session, desk.actor, agreement_id, code, desk.language, text
    )
    place = ("en", "zh").index(desk.language)
    return desk.fragment("agreement_points.html", "points", part=part, points=found, place=place)


@router.post("/agreements/{agreement_id}/targets")
async def targets(desk: AtDesk, request: Request, agreement_id: PathId) -> Response:
    """The whole list of targets; a row without a limit is left out."""
    async with request.form(max_fields=2000) as form:
        columns = {
            name: [str(value) for value in form.getlist(name)]
            for name in ("metric", "priority", "limit", "unit", "calendar", "share", "source")
        }
    rows = [
        _target(dict(zip(columns, values, strict=True)))
        for values in zip(*columns.values(), strict=False)
        if values[2].strip()
    ]
    return await run_in_threadpool(_act, desk, agreement_id, lambda: agreement_drafts.set_targets(
        desk.session, desk.actor, agreement_id, rows, desk.at))  # fmt: skip


def _target(row: dict[str, str]) -> TargetInput:
    try:
        return TargetInput(
            metric=row["metric"], limit=float(row["limit"]), unit=row["unit"],
            calendar=row["calendar"], source=row["source"],
            priority=int(row["priority"]) if row["priority"].strip() else None,
            share=float(row["share"]) / 100,
        )  # fmt: skip
    except ValueError as error:
        raise InputError.of([Fault("expected a number", column="limit", value=str(row)[:80])]) \
            from error  # fmt: skip


@router.post("/agreements/{agreement_id}/discard")
def discard(desk: AtDesk, agreement_id: PathId) -> Response:
    try:
        agreement_drafts.discard(desk.session, desk.actor, agreement_id, desk.at)
    except AgreementRefusal as refusal:
        return _agreement(desk, agreement_id, refusal.texts[desk.language])
    return htmx.go_to(desk.request, "/service-levels")


@router.post("/agreements/{agreement_id}/submit")
def submit(desk: AtDesk, agreement_id: PathId) -> Response:
    return _act(desk, agreement_id, lambda: agreement_versions.submit(
        desk.session, desk.actor, agreement_id, desk.at, desk.today))  # fmt: skip


@router.post("/agreements/{agreement_id}/review")
def review(
    desk: AtDesk, agreement_id: PathId, verdict: Annotated[str, Form()] = "",
    note: Annotated[str, Form(max_length=1000)] = "",
) -> Response:  # fmt: skip
    return _act(desk, agreement_id, lambda: agreement_versions.review(
        desk.session, desk.actor, agreement_id, desk.at, passes=verdict == "passes",
        note=note))  # fmt: skip


@router.post("/agreements/{agreement_id}/sign")
def sign(
    desk: AtDesk, agreement_id: PathId, party: Annotated[str, Form()],
    name: Annotated[str, Form(max_length=200)], in_force_from: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    return _act(desk, agreement_id, lambda: agreement_versions.sign(
        desk.session, desk.actor, agreement_id, party, name, desk.at, desk.today,
        _day(in_force_from)))  # fmt: skip


@router.get("/agreements/{agreement_id}/sealed.json")
def sealed(desk: AtDesk, agreement_id: PathId) -> Response:
    export = agreement_versions.export(desk.session, desk.actor, agreement_id)
    version = agreement_versions.find(desk.session, agreement_id).version
    name = f"agreement-{agreement_id}-v{version}.json"
    return Response(
        json.dumps(export, ensure_ascii=False, indent=1),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get("/report")
def report(
    desk: AtDesk, month: str = "", service: Annotated[str, Query(max_length=120)] = "",
    customer: Annotated[str, Query(max_length=120)] = "",
) -> Response:  # fmt: skip
    found = _report(desk, month, service, customer)
    return desk.page(
        "service_report.html", block="report", report=found,
        reasons=service_reports.REASONS, place=("en", "zh").index(desk.language), metrics=METRICS,
        choices=[service_reports.add_months(desk.today, -n) for n in range(12)],
    )  # fmt: skip


@router.get("/report.xlsx")
def report_xlsx(
    desk: AtDesk, month: str = "", service: Annotated[str, Query(max_length=120)] = "",
    customer: Annotated[str, Query(max_length=120)] = "",
) -> Response:  # fmt: skip
    found = _report(desk, month, service, customer)
    name = f"service-levels-{found.scope.month:%Y-%m}.xlsx"
    return desk.file(service_reports.workbook(found, desk.language), XLSX, name)


def _report(desk: Desk, month: str, service: str, customer: str) -> service_reports.Report:
    """The asked-for month, or the last whole one."""
    first = _day(f"{month}-01") if month else service_reports.add_months(desk.today, -1)
    assert first is not None
    scope = service_reports.Scope(first.replace(day=1), service, customer)
    return service_reports.monthly(desk.session, desk.actor, scope, desk.settings.timezone, desk.at)


@router.get("/notices")
def notices(desk: AtDesk, tell: Annotated[str, Query(max_length=40)] = "") -> Response:
    rows = clock_pages.notices(desk.session, desk.actor, tell)
    place = ("en", "zh").index(desk.language)
    return desk.page("clock_notices.html", block="notices", rows=rows, tell=tell, metrics=METRICS,
                     place=place)  # fmt: skip


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError.of([Fault("not a date; expected YYYY-MM-DD", value=text[:20])]) from error
    if not 1902 <= day.year <= 2900:
        raise InputError.of([Fault("not a date; expected YYYY-MM-DD", value=text[:20])])
    return day
