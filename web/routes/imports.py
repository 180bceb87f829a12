"""Imports: the list of runs, handing in a file, and the report of one run."""

from __future__ import annotations

import csv
import io
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from web import htmx
from web.deps import AtDesk, Desk
from web.fields import PathId
from wfm.errors import Fault, InputError, NotFoundError
from wfm.services import importing, uploads
from wfm.services.uploads import Upload

router = APIRouter(prefix="/imports")
MARK = "\ufeff"  # tells spreadsheets that this is UTF-8
SHOWN = 200


@router.get("")
def runs(desk: AtDesk) -> Response:
    return desk.page("imports.html", block="runs", **_listed(desk))


@router.post("")
async def hand_in(desk: AtDesk, request: Request) -> Response:
    """Take a file. The form is read here, so that size and right are known before it is."""
    uploads.check_size(desk.actor, desk.settings, request.headers.get("content-length"))
    async with request.form(max_files=2, max_fields=8) as form:
        job = await run_in_threadpool(_ask, desk, form)
    if not htmx.wants_fragment(request):
        return htmx.go_to(request, f"/jobs/{job.id}")
    return desk.fragment("job.html", "card", job=job)


def _ask(desk: Desk, form: FormData) -> Any:
    file = _upload(form, "file")
    if file is None:
        raise InputError.of([Fault("a value is required", column="file")])
    return uploads.ask(
        desk.session,
        desk.actor,
        desk.settings,
        file,
        _text(form, "kind"),
        at=desk.at,
        adapter=_text(form, "adapter"),
        mapping=_upload(form, "mapping"),
        dry_run=bool(_text(form, "dry_run")),
    )


def _upload(form: FormData, field: str) -> Upload | None:
    """The file of a field; browsers send an empty one without a name where none was chosen."""
    given = form.get(field)
    if not isinstance(given, UploadFile) or not given.filename:
        return None
    return Upload(given.filename, given.file)


def _text(form: FormData, field: str) -> str:
    given = form.get(field, "")
    return given[:200] if isinstance(given, str) else ""


@router.get("/template/{kind}.csv")
def template(_desk: AtDesk, kind: str) -> Response:
    """An empty file of a kind: its columns and nothing else."""
    form = next((one for one in importing.kinds() if one.kind == kind), None)
    if form is None:
        raise NotFoundError(f"there is no kind of records named {kind}")
    text = io.StringIO()
    csv.writer(text).writerow(form.names)
    return _csv((MARK + text.getvalue()).encode(), f"{kind}.csv")


@router.get("/{run_id}")
def report(desk: AtDesk, run_id: PathId) -> Response:
    run = importing.get_run(desk.session, desk.actor, run_id)
    kinds = {form.kind: form for form in importing.kinds()}
    reason = partial(importing.reason_in, desk.language)
    return desk.page("import_report.html", run=run, shown=SHOWN, kinds=kinds, reason=reason)


@router.get("/{run_id}/rejects.csv")
def rejects(desk: AtDesk, run_id: PathId) -> Response:
    text = importing.rejects_csv(desk.session, desk.actor, run_id, desk.language)
    return _csv(text, f"import-{run_id}-rejects.csv")


def _listed(desk: Desk) -> dict[str, Any]:
    return {
        "runs": importing.list_runs(desk.session, desk.actor),
        "kinds": importing.kinds(),
        "adapters": importing.adapters(),
        "may_run": desk.actor.may("imports.run"),
        "limit_mb": desk.settings.upload_limit_mb,
    }


def _csv(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)
