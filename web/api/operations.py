"""How operations are declared: what they tell comes from their return types.

A read is tagged and may be asked for again; a list is told in pages; a write is done once for its
key. Everything else of an operation is the service it calls.
"""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool

from web.api.calls import guarded_by, once, sent, tag
from web.api.documents import document
from web.api.problems import of_read, of_write
from web.fields import LARGEST
from wfm.services.listings import Page

T = TypeVar("T")
Handler = TypeVar("Handler", bound=Callable[..., Any])
After = Annotated[int, Query(ge=0, le=LARGEST, description="what the page before told as `after`")]
Limit = Annotated[int, Query(ge=1, le=500, description="how many at most")]


class Listed(BaseModel, Generic[T]):
    """A page of a list; `after` is what to ask for next, null at the end."""

    model_config = ConfigDict(from_attributes=True)

    items: list[T]
    after: int | None


class Operation(APIRoute):
    """A route that tags what is read, and keeps the answer to what is written."""

    def get_route_handler(self) -> Callable[[Request], typing.Coroutine[Any, Any, Response]]:
        plain = super().get_route_handler()

        async def handle(request: Request) -> Response:
            response = await plain(request)
            if request.method == "GET":
                return _tagged(request, response)
            body = json.loads(bytes(response.body)) if response.body else {}
            await run_in_threadpool(request.state.keep, response.status_code, body)
            return response

        return handle


def _tagged(request: Request, response: Response) -> Response:
    found = tag(bytes(response.body))
    response.headers["ETag"] = found
    if request.headers.get("if-none-match") == found:
        return Response(status_code=304, headers={"ETag": found})
    return response


class Operations(APIRouter):
    """The operations of one desk."""

    def __init__(self, desk: str) -> None:
        super().__init__(route_class=Operation, tags=[desk], redirect_slashes=False)

    def read(self, path: str, *, media: str = "") -> Callable[[Handler], Handler]:
        """What can be asked for without changing anything; a file where a media type is named."""
        responses = of_read()
        if media:
            content = {"schema": {"type": "string", "format": "binary"}}
            responses[200] = {"content": {media: content}, "description": "a file"}

        def put(handler: Handler) -> Handler:
            told, endpoint = _told(handler)
            self.add_api_route(path, endpoint, methods=["GET"], response_model=told,
                               response_class=Response if media else JSONResponse,
                               responses=responses)  # fmt: skip
            return handler

        return put

    def write(
        self, path: str, *, method: str = "POST", status: int = 200,
        guard: Callable[..., Any] | None = None, guarded: bool = False,
        digest: Callable[..., Any] = sent, secret: Sequence[str] = (), **more: Any,
    ) -> Callable[[Handler], Handler]:  # fmt: skip
        """What changes something: once for its key, and not over what `guard` told before.

        `guarded` refuses a write that does not say what it has read; what is `secret` of an answer
        is told this once and not kept.
        """

        def put(handler: Handler) -> Handler:
            told, endpoint = _told(handler)
            checks = [once(digest, frozenset(secret))]
            if guard is not None:
                checks.append(guarded_by(guard, required=guarded))
            self.add_api_route(
                path, endpoint, methods=[method], response_model=told, dependencies=checks,
                status_code=204 if told is None else status,
                responses=of_write(guard is not None, guarded), **more,
            )  # fmt: skip
            return handler

        return put


def _told(handler: Callable[..., Any]) -> tuple[Any, Callable[..., Any]]:
    """The model of an answer, and the handler with what makes pages of a list around it."""
    hints = typing.get_type_hints(handler, include_extras=True)
    kind = hints.pop("return")
    origin = get_origin(kind)
    if kind is type(None):
        return None, handler
    if isinstance(kind, type) and issubclass(kind, Response):
        return None, handler
    if origin is Page:
        return Listed[document(get_args(kind)[0])], _linked(handler, hints)  # type: ignore[misc]
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return Listed[document(get_args(kind)[0])], _paged(handler, hints)  # type: ignore[misc]
    return document(kind), handler


def _paged(handler: Callable[..., Any], hints: dict[str, Any]) -> Callable[..., Any]:
    """A handler that returns a whole list, told in pages."""

    @wraps(handler)
    def pages(after: int, limit: int, **given: Any) -> Page[Any]:
        found = handler(**given)
        more = after + limit if len(found) > after + limit else None
        return Page(tuple(found[after : after + limit]), more)

    _sign(pages, handler, hints | {"after": After, "limit": Limit}, {"after": 0, "limit": 100})
    return _linked(pages, typing.get_type_hints(pages, include_extras=True))


def _linked(handler: Callable[..., Any], hints: dict[str, Any]) -> Callable[..., Any]:
    """A page that names the next one in its `Link` header too."""

    @wraps(handler)
    def link(request: Request, response: Response, **given: Any) -> Page[Any]:
        page: Page[Any] = handler(**given)
        if page.after is not None:
            following = request.url.include_query_params(after=page.after)
            response.headers["Link"] = f'<{following}>; rel="next"'
        return page

    _sign(link, handler, hints | {"request": Request, "response": Response}, {})
    return link


def _sign(
    wrapped: Any, handler: Callable[..., Any], hints: dict[str, Any], defaults: dict[str, Any]
) -> None:
    """Give a wrapper the parameters of its handler and its own, for FastAPI to read."""
    own = inspect.signature(handler).parameters
    empty = inspect.Parameter.empty
    wrapped.__signature__ = inspect.Signature([
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, annotation=kind,
            default=own[name].default if name in own else defaults.get(name, empty),
        )
        for name, kind in hints.items() if name != "return"
    ])  # fmt: skip
    wrapped.__annotations__ = {name: kind for name, kind in hints.items() if name != "return"}
