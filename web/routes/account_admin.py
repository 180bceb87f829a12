"""Accounts, for administrators: make, close, roles with their scope, ways back in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Response

from web import htmx
from web.deps import AtDesk, Desk
from web.fields import PathId, Scope, scope_of
from wfm.services import account_admin, facts, listings
from wfm.services.account_admin import Person
from wfm.words import Role

router = APIRouter()
Text = Annotated[str, Form(max_length=200)]


@router.get("/accounts")
def listing(
    desk: AtDesk,
    search: Annotated[str, Query(max_length=100)] = "",
    role: Annotated[str, Query(pattern=f"^({'|'.join(Role)})?$")] = "",
) -> Response:
    lines = account_admin.listing(desk.session, desk.actor, search, role)
    return desk.page("accounts.html", lines=lines,
                     search=search, role=role, roles=list(Role))  # fmt: skip


@router.post("/accounts")
def make(
    desk: AtDesk,
    name: Annotated[str, Form(max_length=60)],
    display_name: Text,
    email: Text = "",
    agent: Text = "",
    language: Annotated[str, Form(pattern="^(zh|en)$")] = "zh",
) -> Response:
    person = Person(display_name, email, agent)
    made, password = account_admin.make(desk.session, desk.actor, name, person, desk.at, language)
    assert made.id is not None
    return _card(desk, made.id, password)


@router.get("/accounts/{number}")
def card(desk: AtDesk, number: PathId) -> Response:
    return _card(desk, number)


@router.post("/accounts/{number}/person")
def describe(
    desk: AtDesk, number: PathId, display_name: Text, email: Text = "", agent: Text = ""
) -> Response:
    person = Person(display_name, email, agent)
    account_admin.describe(desk.session, desk.actor, number, person, desk.at)
    return _back(desk, number)


@router.post("/accounts/{number}/roles")
def give_role(
    desk: AtDesk,
    number: PathId,
    role: Annotated[Role, Form()],
    scope: Scope = "desk",
) -> Response:
    team, site = scope_of(scope)
    account_admin.give_role(desk.session, desk.actor, number, role, team, site, desk.at)
    return _back(desk, number)


@router.post("/accounts/{number}/roles/{role_id}/take")
def take_role(desk: AtDesk, number: PathId, role_id: PathId) -> Response:
    account_admin.take_role(desk.session, desk.actor, number, role_id, desk.at)
    return _back(desk, number)


@router.post("/accounts/{number}/password")
def reset_password(desk: AtDesk, number: PathId) -> Response:
    password = account_admin.reset_password(desk.session, desk.actor, number, desk.at)
    return _card(desk, number, password)


@router.post("/accounts/{number}/second-factor")
def drop_second_factor(desk: AtDesk, number: PathId) -> Response:
    account_admin.drop_second_factor(desk.session, desk.actor, number, desk.at)
    return _back(desk, number)


@router.post("/accounts/{number}/sign-out")
def sign_out_everywhere(desk: AtDesk, number: PathId) -> Response:
    account_admin.sign_out_everywhere(desk.session, desk.actor, number, desk.at)
    return _back(desk, number)


@router.post("/accounts/{number}/active")
def set_active(desk: AtDesk, number: PathId, active: Annotated[bool, Form()]) -> Response:
    account_admin.set_active(desk.session, desk.actor, number, active, desk.at)
    return _back(desk, number)


def _card(desk: Desk, number: int, password: str = "") -> Response:
    found = account_admin.card(desk.session, desk.actor, number)
    return desk.page(
        "account_card.html", card=found, password=password, roles=list(Role), now=desk.at,
        teams=facts.teams(desk.session), sites=listings.sites(desk.session),
    )  # fmt: skip


def _back(desk: Desk, number: int) -> Response:
    return htmx.go_to(desk.request, f"/accounts/{number}")
