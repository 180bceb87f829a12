"""One request of a machine: whose token it has, what it lets through, and what guards a write."""

from __future__ import annotations

import hashlib
import inspect
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import TypeAdapter

from web.api.documents import document
from wfm.access import Actor
from wfm.db import Session, transaction
from wfm.errors import ConflictError, SignInError
from wfm.instants import local_date
from wfm.services import api_tokens, holding
from wfm.services.api_tokens import Caller
from wfm.settings import Settings

bearer = HTTPBearer(
    auto_error=False, scheme_name="token",
    description="A token of the account page (`td_…`): its account's rights, narrowed to scopes.",
)  # fmt: skip
Key = Annotated[
    str,
    Header(alias="Idempotency-Key", min_length=1, max_length=200, examples=["2026-10-01-0001"],
           description="any name for this write; the same write under it is done once"),
]  # fmt: skip
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=200, examples=["*"],
           description="the ETag that was read; the write is refused where it is another now"),
]  # fmt: skip


class Replayed(Exception):
    """This write was done before: its answer is given again."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__("replayed")
        self.status, self.body = status, body


class ChangedError(ConflictError):
    http_status = 412


class UnguardedError(ConflictError):
    http_status = 428


@dataclass(frozen=True)
class Call:
    """One request of a machine. The transaction commits once, before the answer is sent."""

    request: Request
    session: Session
    who: Caller
    at: datetime
    settings: Settings
    language: str

    @property
    def actor(self) -> Actor:
        return self.who.actor

    @property
    def timezone(self) -> str:
        return self.settings.timezone

    @property
    def today(self) -> date:
        return local_date(self.at, self.timezone)


def language_of(request: Request) -> str:
    """The language of sentences in answers: Chinese where it is asked for first."""
    return "zh" if request.headers.get("accept-language", "").startswith("zh") else "en"


def _call(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Iterator[Call]:
    outer = request.app.state.outer
    settings: Settings = outer.state.settings
    with transaction(outer.state.engine) as session:
        who = api_tokens.caller(
            session, given.credentials if given else "", request.state.at,
            second_factor=settings.second_factor,
        )  # fmt: skip
        if who is None:
            raise SignInError("a valid token is needed")
        outer.state.api_limit.require(str(who.token_id))
        api_tokens.require_scope(who, "read" if request.method == "GET" else "write")
        yield Call(session=session, who=who, request=request, at=request.state.at,
                   settings=settings, language=language_of(request))  # fmt: skip


# "function": the transaction ends before the answer is sent, so that what it says is true
Called = Annotated[Call, Depends(_call, scope="function")]


async def sent(request: Request) -> str:
    """What a write asks for, as a digest: the same key may ask for the same only."""
    path = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(path.encode() + await request.body()).hexdigest()


def once(digest: Callable[..., Any], secret: frozenset[str]) -> Any:
    """A write is done once for its key; a repeated one gets the same answer, less its secrets."""

    def check(call: Called, key: Key, asked: Annotated[str, Depends(digest)]) -> None:
        kept = api_tokens.kept_answer(call.session, call.who, key, asked)
        if kept is not None:
            raise Replayed(kept.status, kept.body)

        def keep(status: int, body: dict[str, Any]) -> None:
            operation = f"{call.request.method} {call.request.url.path}"
            kept = {name: None if name in secret else value for name, value in body.items()}
            api_tokens.keep_answer(
                call.session, call.who, key, asked, operation, status, kept, call.at
            )

        call.request.state.keep = keep

    # eager annotations: FastAPI cannot look up what is local to a function
    check.__annotations__ = {"call": Called, "key": Key, "asked": Annotated[str, Depends(digest)]}
    return Depends(check)


def tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def guarded_by(read: Callable[..., Any], *, required: bool = False) -> Any:
    """A write is refused where what `read` tells is not what the `If-Match` names any more.

    The row behind it is held first, so that nobody changes it between the look and the write.
    """
    hints = typing.get_type_hints(read, include_extras=True)
    adapter: TypeAdapter[Any] = TypeAdapter(document(hints["return"]))
    places = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=hints[name])
        for name, one in inspect.signature(read).parameters.items()
        if name != "call" and one.default is inspect.Parameter.empty
    ]

    def check(call: Call, if_match: str | None, **place: Any) -> None:
        if if_match is None and required:
            raise UnguardedError("read it first, and send its ETag as If-Match")
        if if_match is None:
            return
        holding.hold(call.session, **place)
        found = adapter.validate_python(read(call, **place), from_attributes=True)
        if if_match not in ("*", tag(adapter.dump_json(found))):
            raise ChangedError("this was changed since you read it; read it again")

    wanted = {"call": Called, "if_match": IfMatch}
    check.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            *(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind,
                                default=None if name == "if_match" else inspect.Parameter.empty)
              for name, kind in wanted.items()),
            *places,
        ]
    )  # fmt: skip
    return Depends(check)
