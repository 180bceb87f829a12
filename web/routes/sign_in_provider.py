"""Signing in by a provider of the settings: there and back."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from web import security
from web.routes.account import sign_in_form, start_of_session
from wfm.db import transaction
from wfm.errors import NotFoundError, SignInError
from wfm.services import accounts
from wfm.services.provider import Attempt, Provider

router = APIRouter()
COOKIE = "tierdesk_provider"
COOKIE_S = 600
BACK = "/sign-in/provider/back"


@router.get("/sign-in/provider")
def there(request: Request, next: Annotated[str, Query(max_length=500)] = "/") -> Response:
    address, attempt = _provider(request).begin(_back(request))
    response = RedirectResponse(address, status_code=303)
    kept = json.dumps(attempt.as_dict() | {"next": next})
    response.set_cookie(
        COOKIE, kept, max_age=COOKIE_S, httponly=True, samesite="lax", path="/sign-in",
        secure=request.app.state.settings.secure_cookies,
    )  # fmt: skip
    return response


@router.get(BACK)
def back(request: Request) -> Response:
    """Nothing but what the browser kept and what the provider vouches for is believed."""
    limit, address = request.app.state.sign_in_limit, security.address_of(request)
    limit.require(address, take=False)
    attempt, target = _kept(request)
    try:
        who = _provider(request).finish(attempt, request.query_params, _back(request))
        with transaction(request.app.state.engine) as session:
            token = accounts.sign_in_by_provider(
                session, who.subject, who.email, request.state.at,
                second_factor=who.second_factor,
            )  # fmt: skip
        response = start_of_session(request, token, target)
    except SignInError as error:
        limit.wait_s(address)
        response = sign_in_form(request, target, status=401, said=error.message)
    response.delete_cookie(COOKIE, path="/sign-in")
    return response


def _provider(request: Request) -> Provider:
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise NotFoundError("there is no provider of sign-in")
    return provider


def _back(request: Request) -> str:
    base = request.app.state.settings.public_url.rstrip("/") or str(request.base_url).rstrip("/")
    return f"{base}{BACK}"


def _kept(request: Request) -> tuple[Attempt | None, str]:
    try:
        kept = json.loads(request.cookies.get(COOKIE, ""))
        return Attempt(*(str(kept[name]) for name in ("state", "nonce", "verifier"))), kept["next"]
    except (ValueError, KeyError, TypeError):
        return None, "/"
