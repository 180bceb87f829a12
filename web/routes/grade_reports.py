"""Around a cycle: fairness, funnels, calibration, grade mix, allowances, and the policy."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Response

from web import charts, htmx
from web import funnel as funnels
from web.deps import XLSX, AtDesk, Desk
from web.fields import AskedId, PathId
from wfm.errors import ConflictError, InputError
from wfm.services import (
    grade_allowances,
    grade_calibration,
    grade_events,
    grade_fairness,
    grade_funnel,
    grade_mix,
    grade_policy_page,
    grade_trials,
    grade_weights,
)

router = APIRouter()

Code = Annotated[str, Query(max_length=120)]
FormCode = Annotated[str, Form(max_length=120)]
Text = Annotated[str, Form(max_length=4000)]
PolicyText = Annotated[str, Form(max_length=60_000)]


@router.get("/grades/fairness")
def fairness(desk: AtDesk, cycle: Code, column: Code = "") -> Response:
    report = grade_fairness.report(desk.session, desk.actor, cycle, column)
    return desk.page("grades_fairness.html", block="report", report=report, column=column)


@router.post("/grades/fairness")
def answer(
    desk: AtDesk, cycle: FormCode, flag: FormCode, text: Text = "", column: FormCode = ""
) -> Response:
    """Answer one flag in writing."""
    report = grade_fairness.report(desk.session, desk.actor, cycle, column)
    assert report.cycle.id is not None
    grade_fairness.answer(desk.session, desk.actor, report.cycle.id, flag, text, desk.at)
    return htmx.go_to(desk.request, f"/grades/fairness?cycle={quote(cycle)}")


@router.get("/grades/funnel")
def funnel(desk: AtDesk, cycle: Code, criterion: Code = "resolution") -> Response:
    page = grade_funnel.page(desk.session, desk.actor, cycle, criterion)
    return desk.page("grades_funnel.html", block="funnel", page=page, funnel=funnels.funnel)


@router.get("/grades/calibration")
def calibration(desk: AtDesk) -> Response:
    page = grade_calibration.page(desk.session, desk.actor, desk.today)
    return desk.page("grades_calibration.html", page=page)


@router.post("/grades/calibration")
def draw(desk: AtDesk) -> Response:
    """Draw cases for a second score."""
    grade_calibration.draw(desk.session, desk.actor, desk.today, desk.at)
    return htmx.go_to(desk.request, "/grades/calibration")


@router.post("/grades/calibration/{sample_id}")
def score(
    desk: AtDesk, sample_id: int, points: Annotated[float, Form(allow_inf_nan=False)]
) -> Response:
    """Give one drawn case its second score."""
    grade_calibration.score(
        desk.session, desk.actor, sample_id, points, desk.at, desk.settings.timezone
    )
    return htmx.go_to(desk.request, "/grades/calibration")


@router.get("/grades/events")
def events(desk: AtDesk, agent: Code = "") -> Response:
    """Serious events, with a form to record one."""
    return _events(desk, {}, {"agent": agent, "on": desk.today})


def _events(desk: Desk, faults: dict[str, str], given: dict[str, Any]) -> Response:
    page = grade_events.page(desk.session, desk.actor, desk.today)
    answer = desk.page("grades_events.html", block="main", page=page, faults=faults, given=given)
    answer.status_code = InputError.http_status if faults else 200
    return answer


@router.post("/grades/events")
def record_event(
    desk: AtDesk, agent: FormCode, on: Annotated[date, Form()], note: Text = ""
) -> Response:
    zone = desk.settings.timezone
    try:
        grade_events.record(desk.session, desk.actor, agent, on, note, desk.at, zone)
    except InputError as error:
        faults = {fault.column or "": fault.message for fault in error.faults}
        return _events(desk, faults, {"agent": agent, "on": on, "note": note})
    return htmx.go_to(desk.request, "/grades/events")


@router.post("/grades/events/{event_id}/withdraw")
def withdraw_event(desk: AtDesk, event_id: PathId, reason: Text = "") -> Response:
    zone = desk.settings.timezone
    try:
        grade_events.withdraw(desk.session, desk.actor, event_id, reason, desk.at, zone)
    except InputError:
        return _events(desk, {"withdraw": str(event_id)}, {"on": desk.today})
    return htmx.go_to(desk.request, "/grades/events")


@router.get("/grades/mix")
def mix(desk: AtDesk) -> Response:
    page = grade_mix.page(desk.session, desk.actor, desk.today)
    year = desk.today.replace(month=1, day=1)
    return desk.page("grades_mix.html", page=page, first=year, last=desk.today)


@router.get("/grades/allowances.xlsx")
def allowances(desk: AtDesk, first: date, last: date) -> Response:
    content = grade_allowances.workbook(
        desk.session, desk.actor, first, last, desk.language, desk.at
    )
    return desk.file(content, XLSX, f"grades-{first}-{last}.xlsx")


@router.get("/grades/policy")
def policy(desk: AtDesk, trial: AskedId = None) -> (
    Response
):  # fmt: skip
    page = grade_policy_page.page(desk.session, desk.actor, trial)
    return _policy(desk, page, {})


def _policy(
    desk: Desk, page: grade_policy_page.PolicyPage, said: dict[str, Any], status: int = 200
) -> Response:
    response = desk.page("grades_policy.html", block="main", page=page, charts=charts,
                         **({"faults": [], "taken": False} | said))  # fmt: skip
    response.status_code = status
    return response


@router.post("/grades/policy")
def change_policy(
    desk: AtDesk,
    text: PolicyText,
    cycle: FormCode = "",
    act: Annotated[str, Form(pattern="^(check|try|save)$")] = "check",
) -> Response:
    """Check a policy, try it over past evidence, or save it as a new version."""
    page = grade_policy_page.with_text(desk.session, desk.actor, text)
    try:
        if act == "try":
            job = grade_trials.ask(desk.session, desk.actor, cycle, text, desk.at)
            return htmx.go_to(desk.request, f"/jobs/{job.id}")
        if act == "save":
            grade_policy_page.save(desk.session, desk.actor, text, desk.at)
            return htmx.go_to(desk.request, "/grades/policy")
        grade_policy_page.check(text)
    except InputError as error:
        faults = [fault.message for fault in error.faults]
        return _policy(desk, page, {"faults": faults}, error.http_status)
    except ConflictError as error:
        return _policy(desk, page, {"taken": True}, error.http_status)
    return _policy(desk, page, {"good": True})


@router.get("/grades/weights")
def weights(
    desk: AtDesk, c: Annotated[list[Annotated[int, Query(ge=-8, le=8)]] | None, Query()] = None
) -> Response:
    """Weights from comparing the criteria two by two; nothing is kept."""
    page = grade_weights.page(desk.session, desk.actor, c or [])
    return desk.page("grades_weights.html", block="main", page=page)
