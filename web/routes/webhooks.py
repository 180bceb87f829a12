"""Webhooks, for administrators: who is told of which events, and how that went."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response

from web import htmx
from web.deps import AtDesk, Desk
from web.fields import PathId
from wfm.services import webhooks

router = APIRouter()


@router.get("/webhooks")
def listing(desk: AtDesk) -> Response:
    lines = webhooks.listing(desk.session, desk.actor)
    return desk.page("webhooks.html", lines=lines, events=webhooks.EVENTS)


@router.post("/webhooks")
def make(
    desk: AtDesk,
    url: Annotated[str, Form(max_length=webhooks.LONGEST_URL)],
    events: Annotated[list[str] | None, Form()] = None,
) -> Response:
    made, secret = webhooks.make(desk.session, desk.actor, url, events or [], desk.at)
    assert made.id is not None
    return _one(desk, made.id, secret)


@router.get("/webhooks/{number}")
def one(desk: AtDesk, number: PathId) -> Response:
    return _one(desk, number)


@router.post("/webhooks/{number}/secret")
def renew_secret(desk: AtDesk, number: PathId) -> Response:
    return _one(desk, number, webhooks.renew_secret(desk.session, desk.actor, number, desk.at))


@router.post("/webhooks/{number}/switch")
def switch(desk: AtDesk, number: PathId, on: Annotated[bool, Form()]) -> Response:
    webhooks.switch(desk.session, desk.actor, number, on, desk.at)
    return htmx.go_to(desk.request, f"/webhooks/{number}")


@router.post("/webhooks/{number}/test")
def try_out(desk: AtDesk, number: PathId) -> Response:
    webhooks.try_out(desk.session, desk.actor, number, desk.at)
    return htmx.go_to(desk.request, f"/webhooks/{number}")


@router.post("/webhooks/{number}/remove")
def remove(desk: AtDesk, number: PathId) -> Response:
    webhooks.remove(desk.session, desk.actor, number, desk.at)
    return htmx.go_to(desk.request, "/webhooks")


@router.post("/webhooks/deliveries/{delivery_id}/again")
def send_again(desk: AtDesk, delivery_id: PathId) -> Response:
    number = webhooks.send_again(desk.session, desk.actor, delivery_id, desk.at)
    return htmx.go_to(desk.request, f"/webhooks/{number}")


def _one(desk: Desk, number: int, secret: str = "") -> Response:
    line, log = webhooks.one(desk.session, desk.actor, number)
    return desk.page("webhook.html", line=line, log=log, secret=secret)
