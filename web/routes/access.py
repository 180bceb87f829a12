"""One's own account, elevated access on application, and the register of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response

from web import htmx, security
from web.deps import AtDesk, Desk
from web.fields import LARGEST, PathId, Scope, scope_of
from wfm import totp
from wfm.services import accounts, api_tokens, elevated, facts, listings
from wfm.services.elevated import Application
from wfm.words import Role

router = APIRouter()
Secret = Annotated[str, Form(max_length=200)]


@router.get("/account")
def own(desk: AtDesk) -> Response:
    return _own(desk)


@router.post("/account/tokens")
def make_token(
    desk: AtDesk,
    name: Annotated[str, Form(max_length=80)],
    days: Annotated[int, Form(ge=-1000, le=1000)],
    scopes: Annotated[list[str] | None, Form()] = None,
) -> Response:
    made = api_tokens.make(
        desk.session, desk.request.state.account_id, name, scopes or [], days, desk.at
    )
    return _own(desk, made)


@router.post("/account/tokens/{number}/revoke")
def revoke_token(desk: AtDesk, number: PathId) -> Response:
    api_tokens.revoke(desk.session, desk.request.state.account_id, number, desk.at)
    return htmx.go_to(desk.request, "/account")


def _own(desk: Desk, token: str = "") -> Response:
    account_id = desk.request.state.account_id
    return desk.page(
        "account.html",
        account=accounts.get(desk.session, account_id),
        grants=elevated.own(desk.session, account_id, desk.at),
        teams=facts.teams(desk.session),
        sites=listings.sites(desk.session),
        secret=totp.new_secret(),
        tokens=api_tokens.own(desk.session, account_id),
        scopes=api_tokens.SCOPES,
        now=desk.at,
        token=token,
    )


@router.post("/account/password")
def change_password(desk: AtDesk, old: Secret, new: Secret) -> Response:
    accounts.change_password(desk.session, desk.request.state.account_id, old, new, desk.at)
    return htmx.go_to(desk.request, "/sign-in")


@router.post("/account/second-factor")
def second_factor(
    desk: AtDesk,
    secret: Annotated[str, Form(pattern="^[A-Z2-7]{32}$")],
    code: Annotated[str, Form(max_length=10)],
) -> Response:
    accounts.set_second_factor(
        desk.session, desk.request.state.account_id, secret, code, desk.at,
        token=desk.request.cookies.get(security.SESSION_COOKIE, ""),
    )  # fmt: skip
    return htmx.go_to(desk.request, "/account")


@router.post("/account/access")
def apply(
    desk: AtDesk,
    role: Annotated[Role, Form()],
    purpose: Annotated[str, Form(max_length=2000)],
    addresses: Annotated[str, Form(max_length=1000)],
    days: Annotated[int, Form(ge=-1000, le=1000)],
    scope: Scope = "desk",
    renews: Annotated[int, Form(ge=0, le=LARGEST)] = 0,
) -> Response:
    team, site = scope_of(scope)
    application = Application(role, team, purpose, addresses, days, site, renews or None)
    elevated.ask(desk.session, desk.actor, desk.request.state.account_id, application, desk.at)
    return htmx.go_to(desk.request, "/account")


@router.get("/access")
def register(desk: AtDesk) -> Response:
    return desk.page(
        "access.html",
        entries=elevated.register(desk.session, desk.actor, desk.at),
        may_decide=desk.actor.may("access.decide"),
        checklist=elevated.CHECKLIST,
    )


@router.post("/access/{number}")
def decide(desk: AtDesk, number: PathId, approve: Annotated[bool, Form()]) -> Response:
    elevated.decide(desk.session, desk.actor, number, approve, desk.at)
    return htmx.go_to(desk.request, "/access")


@router.post("/access/{number}/withdraw")
def withdraw(
    desk: AtDesk, number: PathId, done: Annotated[list[str] | None, Form()] = None
) -> Response:
    elevated.withdraw(desk.session, desk.actor, number, done or [], desk.at)
    return htmx.go_to(desk.request, "/access")
