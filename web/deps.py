"""What every route is given: a transaction, who asks, what time it is, and the templates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse

from web import htmx, security
from wfm import instants
from wfm.access import Actor
from wfm.db import Session, transaction
from wfm.errors import SignInError
from wfm.instants import local_date
from wfm.services import accounts
from wfm.settings import Settings

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Desk:
    """One request at the desk. The transaction commits once, when the route has returned."""

    request: Request
    session: Session
    actor: Actor
    at: datetime
    settings: Settings

    @property
    def today(self) -> date:
        return local_date(self.at, self.settings.timezone)

    @property
    def language(self) -> str:
        return str(self.request.state.language)

    def page(self, template: str, *, block: str | None = None, **context: Any) -> HTMLResponse:
        """Render a page; a fragment request gets `block` only, where one is named."""
        part = block if htmx.wants_fragment(self.request) else None
        views = self.request.app.state.views
        return views.render(self.request, template, block=part, **context)  # type: ignore[no-any-return]

    def fragment(self, template: str, block: str, **context: Any) -> HTMLResponse:
        """Render one block of a template."""
        views = self.request.app.state.views
        return views.render(self.request, template, block=block, **context)  # type: ignore[no-any-return]

    def file(self, content: bytes | str, media_type: str, name: str) -> Response:
        """A download."""
        return attachment(content, media_type, name)


def attachment(content: bytes | str, media_type: str, name: str) -> Response:
    """A file to keep, under its name."""
    plain = re.fullmatch(r"[\w.-]+", name, re.ASCII)
    told = f'filename="{name}"' if plain else f"filename*=UTF-8''{quote(name)}"
    headers = {"Content-Disposition": f"attachment; {told}"}
    return Response(content, media_type=media_type, headers=headers)


def _desk(request: Request) -> Iterator[Desk]:
    if request.state.actor is None:
        raise SignInError("please sign in")
    app = request.app
    with transaction(app.state.engine) as session:
        yield Desk(request, session, request.state.actor, request.state.at, app.state.settings)


def recognise(request: Request) -> None:
    """Note who asks, by the session's cookie; nobody where it has ended."""
    request.state.actor = request.state.account_id = None
    token = request.cookies.get(security.SESSION_COOKIE)
    if not token:
        return
    settings: Settings = request.app.state.settings
    with transaction(request.app.state.engine) as session:
        found = accounts.signed_in(
            session, token, instants.now(), timedelta(minutes=settings.session_idle_min),
            address=security.address_of(request), second_factor=settings.second_factor,
        )  # fmt: skip
    if found is not None:
        request.state.actor = found.actor
        request.state.account_id = found.account_id


# "function": the transaction ends before the answer is sent, so that what a page says is true
AtDesk = Annotated[Desk, Depends(_desk, scope="function")]
Csrf = Depends(security.check_csrf)
