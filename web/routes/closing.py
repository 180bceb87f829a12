"""Closing the loop for one roster: solve, replay, raise the requirement, solve again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response

from web import htmx
from web.deps import AtDesk
from web.fields import LARGEST, PathId
from wfm.services import closing, rostering

router = APIRouter()


@router.post("/rosters/{roster_id}/close")
def close(
    desk: AtDesk,
    roster_id: PathId,
    rounds: Annotated[int, Form(ge=0, le=10)] = 3,
    seconds: Annotated[float, Form(ge=1, le=3600)] = 30,
    seed: Annotated[int, Form(ge=0, le=LARGEST)] = 1,
) -> Response:
    limits = rostering.Limits(seconds=seconds, seed=seed)
    closing.ask(desk.session, desk.actor, roster_id, limits, rounds, desk.at)
    return htmx.go_to(desk.request, f"/rosters/{roster_id}")
