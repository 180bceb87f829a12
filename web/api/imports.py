"""Imports: hand in a file (or only try it), the report of a run, and its rejected rows."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import Annotated

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel

from web.api.calls import Called
from web.api.fields import NO_ZERO, Number
from web.api.operations import Operations
from web.deps import attachment
from wfm.services import importing, uploads
from wfm.services.importing import RunDetail, RunSummary
from wfm.services.uploads import Upload
from wfm.tables import Job

api = Operations("imports")
IN_MEMORY = 1 << 20
Word = Annotated[str, Query(max_length=120, pattern=NO_ZERO)]


class Form(BaseModel):
    """A kind of records and its columns."""

    kind: str
    columns: list[str]


async def _body(call: Called, request: Request) -> AsyncIterator[tuple[Upload, str]]:
    """The file that is sent, with its digest; its size and the right are checked before."""
    uploads.check_size(call.actor, call.settings, request.headers.get("content-length"))
    found = hashlib.sha256(f"{request.url.path}?{request.url.query}".encode())
    with SpooledTemporaryFile(max_size=IN_MEMORY) as kept:
        async for piece in request.stream():
            found.update(piece)
            kept.write(piece)
        kept.seek(0)
        yield Upload(request.query_params.get("name", ""), kept), found.hexdigest()


Sent = Annotated[tuple[Upload, str], Depends(_body, scope="function")]


def _digest(sent: Sent) -> str:
    return sent[1]


@api.read("/imports/kinds")
def kinds(_call: Called) -> Sequence[Form]:
    """What can be imported, in the order in which to do it, with the columns of each."""
    return [Form(kind=form.kind, columns=list(form.names)) for form in importing.kinds()]


@api.read("/imports")
def runs(call: Called) -> Sequence[RunSummary]:
    """The newest imports."""
    return importing.list_runs(call.session, call.actor)


FILE = {"requestBody": {"required": True, "content": {"application/octet-stream": {
    "schema": {"type": "string", "format": "binary"}}}}}  # fmt: skip


@api.write("/imports", status=202, digest=_digest, max_body_size=1 << 40, openapi_extra=FILE)
def hand_in(
    call: Called, sent: Sent,
    name: Annotated[str, Query(min_length=1, max_length=200, pattern=NO_ZERO,
                               examples=["tickets.csv"])],
    kind: Annotated[str, Query(max_length=120, pattern=NO_ZERO, examples=["tickets"])],
    adapter: Word = "", dry_run: bool = False,
) -> Job:  # fmt: skip
    """Import a file (the body), or with `dry_run` only try it, as a job."""
    file = Upload(name, sent[0].stream)
    return uploads.ask(call.session, call.actor, call.settings, file, kind, at=call.at,
                       adapter=adapter, dry_run=dry_run)  # fmt: skip


@api.read("/imports/{run}")
def report(call: Called, run: Number) -> RunDetail:
    """One import with its whole report."""
    return importing.get_run(call.session, call.actor, run)


@api.read("/imports/{run}/rejects.csv", media="text/csv")
def rejects(call: Called, run: Number) -> Response:
    """The rows that were refused, each with its reason."""
    text = importing.rejects_csv(call.session, call.actor, run, call.language)
    return attachment(text, "text/csv; charset=utf-8", f"import-{run}-rejects.csv")
