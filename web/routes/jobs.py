"""Jobs: the list, one job with live progress, and its cancel."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse

from web.deps import AtDesk
from web.fields import PathId
from wfm.errors import SignInError
from wfm.services import queue

router = APIRouter()


@router.get("/jobs")
def newest(desk: AtDesk) -> Response:
    return desk.page("jobs.html", block="list", jobs=queue.newest(desk.session, desk.actor))


@router.get("/jobs/{job_id}")
def one(desk: AtDesk, job_id: PathId) -> Response:
    """A page of its own, or the self-refreshing card other pages embed."""
    return desk.page("job.html", block="card", job=queue.one(desk.session, desk.actor, job_id))


@router.post("/jobs/{job_id}/cancel")
def cancel(desk: AtDesk, job_id: PathId) -> Response:
    job = queue.cancel(desk.session, desk.actor, job_id, desk.at)
    return desk.fragment("job.html", "card", job=job)


@router.get("/live/{topic}")
async def live(
    request: Request, topic: Annotated[str, Path(pattern=r"^[a-z]+(:\d{1,10})?$")]
) -> Response:
    """Server-sent events: something of this topic changed."""
    if request.state.actor is None:
        raise SignInError("please sign in")
    events = request.app.state.listener.events(request, topic)
    return StreamingResponse(events, media_type="text/event-stream")
