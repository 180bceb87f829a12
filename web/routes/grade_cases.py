"""One agent's case: decide, confirm, appeal, put records right; and the agent's own page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Query, Response, UploadFile

from web import charts, htmx
from web.deps import AtDesk, Desk
from web.fields import FormId, PathId
from wfm.errors import InputError
from wfm.services import (
    grade_appeals,
    grade_case_page,
    grade_corrections,
    grade_evidence,
    grade_files,
    grading,
    record_fixes,
)
from wfm.services.grade_corrections import Wrong
from wfm.services.grade_files import Handed
from wfm.words import DecisionAction, Grade, RecordKind

router = APIRouter()

Text = Annotated[str, Form(max_length=4000)]
Name = Annotated[str, Query(max_length=40)]
Short = Annotated[str, Form(max_length=120)]
Files = Annotated[list[UploadFile] | None, File()]


def _handed(files: Sequence[UploadFile] | None) -> list[Handed]:
    return [Handed(file.filename or "", file.file) for file in files or []]


@router.get("/grades/me")
def own(desk: AtDesk) -> Response:
    return _own(desk, {}, {})


def _own(desk: Desk, faults: dict[Any, str], given: dict[str, str]) -> Response:
    page = grade_case_page.own_page(desk.session, desk.actor, desk.today, desk.language)
    answer = desk.page(
        "grades_own.html", block="main", page=page, charts=charts, faults=faults, given=given
    )
    answer.status_code = InputError.http_status if faults else 200
    return answer


@router.post("/grades/appeals")
def appeal(
    desk: AtDesk,
    assessment: FormId,
    text: Text = "",
    files: Files = None,
) -> Response:
    try:
        grade_appeals.file(
            desk.session, desk.actor, assessment, text, desk.at, desk.settings.timezone,
            _handed(files),
        )  # fmt: skip
    except InputError as error:
        return _own(desk, _told(error), {"text": text})
    return htmx.go_to(desk.request, "/grades/me")


def _told(error: InputError) -> dict[Any, str]:
    return {fault.column: fault.message for fault in error.faults}


@router.post("/grades/appeals/{appeal_id}")
def judge(
    desk: AtDesk,
    appeal_id: PathId,
    assessment: FormId,
    grade: Annotated[Grade | None, Form()] = None,
    reason: Text = "",
    files: Files = None,
) -> Response:
    """Decide an appeal; without another grade the result is upheld."""
    faults: dict[Any, str] = {}
    try:
        grade_appeals.decide(
            desk.session, desk.actor, appeal_id, desk.at, grade=grade, reason=reason,
            files=_handed(files),
        )  # fmt: skip
    except InputError as error:
        faults = _told(error)
    given = {"action": "judge", "grade": grade, "reason": reason}
    return _decided(desk, assessment, faults, given)


@router.post("/grades/assessments/{assessment_id}")
def decide(
    desk: AtDesk,
    assessment_id: PathId,
    action: Annotated[DecisionAction, Form()],
    grade: Annotated[Grade | None, Form()] = None,
    reason: Text = "",
    files: Files = None,
) -> Response:
    faults: dict[Any, str] = {}
    try:
        checked = grade_files.read(_handed(files))
        decision = grading.decide(
            desk.session, desk.actor, assessment_id, action, desk.at, grade=grade, reason=reason
        )
        grade_files.attach(desk.session, checked, decision=decision)
    except InputError as error:
        faults = _told(error)
    given = {"action": action, "grade": grade, "reason": reason}
    return _decided(desk, assessment_id, faults, given)


def _decided(
    desk: Desk, assessment_id: int, faults: dict[Any, str], given: dict[str, Any]
) -> Response:
    """The decision part of the page again, or the whole page for a browser without script."""
    view = grade_case_page.case_of_assessment(
        desk.session, desk.actor, assessment_id, desk.language
    )
    if not faults and not htmx.wants_fragment(desk.request):
        return htmx.go_to(
            desk.request, f"/grades/{quote(view.cycle.code)}/{quote(view.case.code, safe='')}"
        )
    return _case(desk, view, faults, given if faults else {}, "decision")


def _case(
    desk: Desk,
    view: grade_case_page.CaseView,
    faults: dict[Any, str],
    given: dict[str, Any],
    block: str,
) -> Response:
    answer = desk.page(
        "grades_case.html", block=block, view=view, charts=charts, faults=faults, given=given,
        fields=record_fixes.FIELDS,
    )  # fmt: skip
    answer.status_code = InputError.http_status if faults else 200
    return answer


@router.post("/grades/corrections")
def correct(
    desk: AtDesk,
    assessment: FormId,
    what: Short,
    record: Short = "",
    value: Short = "",
    reason: Text = "",
) -> Response:
    """`what` is the kind of record and its field (`survey:score`; `survey:` leaves it out)."""
    kind, _, field = what.partition(":")
    if kind not in list(RecordKind):
        raise InputError("choose what is wrong")
    wrong = Wrong(RecordKind(kind), record, field, value, reason)
    try:
        job = grade_corrections.correct(desk.session, desk.actor, assessment, wrong, desk.at)
    except InputError as error:
        view = grade_case_page.case_of_assessment(
            desk.session, desk.actor, assessment, desk.language
        )
        given = {"action": "correct", "what": what, "record": record, "value": value,
                 "reason": reason}  # fmt: skip
        return _case(desk, view, _told(error), given, "corrections")
    return htmx.go_to(desk.request, f"/jobs/{job.id}")


@router.get("/grades/files/{attachment_id}")
def download(desk: AtDesk, attachment_id: PathId) -> Response:
    file = grade_files.download(desk.session, desk.actor, attachment_id)
    return desk.file(file.content, file.media_type, file.file_name)


@router.get("/grades/records/{assessment_id}")
def records(
    desk: AtDesk,
    assessment_id: PathId,
    criterion: Name,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """The records behind one criterion, page by page."""
    found = grade_evidence.records(
        desk.session, desk.actor, assessment_id, criterion, desk.settings.timezone, page
    )
    return desk.page("grades_records.html", block="records", found=found)


@router.get("/grades/{cycle}/{agent:path}")
def case(desk: AtDesk, cycle: str, agent: str) -> Response:
    view = grade_case_page.case_view(desk.session, desk.actor, cycle, agent, desk.language)
    return _case(desk, view, {}, {}, "main")
