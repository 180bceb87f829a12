"""The queue of a cycle and its steps: draft, review, published, effective."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Response

from web import charts, htmx
from web.deps import AtDesk, Desk
from wfm.errors import ConflictError, InputError
from wfm.services import grade_cycles, grade_effect, grade_pages, grade_runs
from wfm.services.grade_filters import Filters

router = APIRouter()
CYCLE_MONTHS = 6

Code = Annotated[str, Query(max_length=120)]
Word = Annotated[str, Query(max_length=40)]
FormCode = Annotated[str, Form(max_length=120)]


@router.get("/grades")
def listed(
    desk: AtDesk,
    cycle: Code = "",
    team: Code = "",
    decision: Word = "",
    grade: Word = "",
    state: Word = "",
    text: Code = "",
    order: Word = "need",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    filters = Filters(team, decision, grade, state, text, order, page)
    return _list(desk, cycle, filters)


def _list(desk: Desk, cycle: str, filters: Filters, **said: Any) -> Response:
    queue = grade_pages.queue(desk.session, desk.actor, cycle, filters, desk.language, desk.today)
    start = {"code": "", "period_from": None, "as_of": None} | _next_cycle(desk.today)
    context = {"queue": queue, "charts": charts, "start": start, "faults": {}} | said
    return desk.page("grades.html", block="list", **context)


def _next_cycle(today: date) -> dict[str, Any]:
    """The period a new cycle most likely covers: half a year up to the end of last month."""
    as_of = today.replace(day=1) - timedelta(days=1)
    months = as_of.year * 12 + as_of.month - CYCLE_MONTHS
    period_from = date(months // 12, months % 12 + 1, 1)
    return {"code": f"{as_of:%Y-%m}", "period_from": period_from, "as_of": as_of}


@router.post("/grades/cycles")
def start_cycle(
    desk: AtDesk,
    code: FormCode,
    period_from: Annotated[date, Form()],
    as_of: Annotated[date, Form()],
    team: FormCode = "",
) -> Response:
    given = {"code": code.strip(), "period_from": period_from, "as_of": as_of, "team": team}
    try:
        job = grade_runs.ask_cycle(
            desk.session,
            desk.actor,
            code.strip(),
            period_from,
            as_of,
            desk.settings.timezone,
            desk.at,
            team,
        )
    except (InputError, ConflictError) as error:
        faults = {fault.column: True for fault in error.faults} or {"taken": True}
        return _form(desk, given, faults, error.http_status)
    return htmx.go_to(desk.request, f"/jobs/{job.id}")


def _form(desk: Desk, given: dict[str, Any], faults: dict[Any, bool], status: int) -> Response:
    queue = grade_pages.queue(desk.session, desk.actor, "", Filters(), desk.language, desk.today)
    context = {"queue": queue, "charts": charts, "start": given, "faults": faults}
    answer = desk.page("grades.html", block="start", **context)
    answer.status_code = status
    return answer


@router.post("/grades/step")
def step(
    desk: AtDesk,
    cycle: FormCode,
    to: Annotated[Literal["review", "published", "back", "discard"], Form()],
) -> Response:
    """Take a cycle to its next step, or a step back."""
    chosen = grade_pages.cycle_of(desk.session, desk.actor, cycle)
    assert chosen.id is not None
    zone = desk.settings.timezone
    if to == "review":
        grade_cycles.open_review(desk.session, desk.actor, chosen.id, desk.at, zone)
    elif to == "published":
        grade_cycles.publish(desk.session, desk.actor, chosen.id, desk.at, zone)
    elif to == "back":
        grade_cycles.take_back(desk.session, desk.actor, chosen.id, desk.at)
    else:
        grade_cycles.discard(desk.session, desk.actor, chosen.id, desk.at)
        return htmx.go_to(desk.request, "/grades")
    return htmx.go_to(desk.request, f"/grades?cycle={quote(cycle)}")


@router.get("/grades/effect")
def before_effect(desk: AtDesk, cycle: Code, on: date | None = None) -> Response:
    """What would happen, before anything does."""
    chosen = grade_pages.cycle_of(desk.session, desk.actor, cycle)
    ends = chosen.objections_until or chosen.as_of
    day = on or max(desk.today, ends + timedelta(days=1))
    return _effect(desk, chosen.code, day)


def _effect(desk: Desk, code: str, day: date) -> Response:
    chosen = grade_pages.cycle_of(desk.session, desk.actor, code)
    assert chosen.id is not None
    effect, early = None, False
    try:
        effect = grade_effect.preview(desk.session, desk.actor, chosen.id, day, desk.today)
    except InputError:
        early = True
    context = {"cycle": chosen, "day": day, "effect": effect, "early": early}
    answer = desk.page("grades_effect.html", block="preview", **context)
    answer.status_code = InputError.http_status if early else 200
    return answer


@router.post("/grades/effect")
def take_effect(
    desk: AtDesk,
    cycle: FormCode,
    on: Annotated[date, Form()],
    changed: Annotated[int, Form(ge=0)],
) -> Response:
    chosen = grade_pages.cycle_of(desk.session, desk.actor, cycle)
    assert chosen.id is not None
    zone = desk.settings.timezone
    grade_effect.take_effect(
        desk.session, desk.actor, chosen.id, on, desk.at, zone, expected=changed
    )
    return htmx.go_to(desk.request, f"/grades?cycle={quote(chosen.code)}")


@router.post("/grades/clear")
def accept_clear(
    desk: AtDesk, cycle: FormCode, expected: Annotated[int, Form(ge=0)], team: FormCode = ""
) -> Response:
    """Sign the cases that clearly keep their grade, as many as the page has named."""
    signed = grade_pages.accept_clear(desk.session, desk.actor, cycle, team, expected, desk.at)
    if not htmx.wants_fragment(desk.request):
        return htmx.go_to(desk.request, f"/grades?cycle={quote(cycle)}&team={quote(team)}")
    return _list(desk, cycle, Filters(team=team), signed=signed)
