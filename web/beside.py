"""Work that would hold up every page is done in a process beside the web process.

What takes a whole processor for long (boards of a large desk, ways to repair a roster) shares one
interpreter with nobody there: pages stay quick, and what it needs of memory is not theirs.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import Message

from wfm.errors import SetupError, TooManyError
from wfm.settings import Settings

Work = Callable[[Any], Iterable[Any]]
"""From what is asked to pieces of the answer, each handed over as soon as it is made."""

ENDS_WITHIN_S = 5
ENDED = "the process beside this one ended; try again"
PAGE_WAITS_S = 0.05  # then it says that the answer is being prepared, and asks again
UNWANTED_AFTER_S = 5.0  # nobody asked again: the panel was closed
MOST_WAITING = 50


class Beside:
    """A process that is started when first asked, answers one question after another, and is
    started anew when it ended."""

    def __init__(self, settings: Settings, prepare: Callable[[Settings], Work]) -> None:
        self._settings, self._prepare = settings, prepare
        self._lock = threading.Lock()
        self._process: BaseProcess | None = None
        self._wire: Connection | None = None

    def pieces(self, asked: Any) -> Iterator[Any]:
        """The answer, piece by piece.

        Raises
        ------
        SetupError
            The process ended; the next question starts another.
        """
        with self._lock:
            wire = self._started()
            try:
                wire.send(asked)
                while (piece := wire.recv()) is not None:
                    yield piece
            except (EOFError, OSError) as error:
                self._forget()
                raise SetupError(ENDED) from error
            except GeneratorExit:
                self._forget()  # nobody wants the rest, which would be taken for the next answer
                raise

    def stop(self) -> None:
        """End it; whoever still waits for an answer hears that."""
        self._forget()

    def _started(self) -> Connection:
        if self._wire is None or self._process is None or not self._process.is_alive():
            self._forget()
            start = multiprocessing.get_context("spawn")
            self._wire, theirs = start.Pipe()
            self._process = start.Process(
                target=_answer_all, args=(theirs, self._settings, self._prepare), daemon=True
            )
            self._process.start()
            theirs.close()  # so that it hears when this process ends
        return self._wire

    def _forget(self) -> None:
        process, wire = self._process, self._wire
        self._process = self._wire = None
        if process is not None:
            process.terminate()  # which also ends a wait for what it would have said
            process.join(ENDS_WITHIN_S)
        if wire is not None:
            wire.close()


def _answer_all(wire: Connection, settings: Settings, prepare: Callable[[Settings], Work]) -> None:
    """Until whoever asks is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal; the web process says when
    work = prepare(settings)
    try:
        while True:
            for piece in work(wire.recv()):
                wire.send(piece)
            wire.send(None)
    except (EOFError, OSError):
        return


# -- whole requests -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A request that changes nothing, as the other process needs it."""

    path: str
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    client: tuple[str, int] | None
    host: tuple[str, int | None] | None
    scheme: str


Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


def answering(app: FastAPI) -> Work:
    """What answers whole requests by an application of that process."""

    def work(asked: Asked) -> Iterator[Answer]:
        yield asyncio.run(_answered(app, asked))

    return work


async def _answered(app: FastAPI, asked: Asked) -> Answer:
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": asked.scheme, "path": asked.path, "raw_path": asked.path.encode(),
        "root_path": "", "query_string": asked.query, "headers": list(asked.headers),
        "client": asked.client, "server": asked.host, "state": {},
    }  # fmt: skip
    said: list[Message] = []
    whole = asyncio.Event()
    told = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if told:
            return told.pop()
        await whole.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        said.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            whole.set()

    with suppress(Exception):  # what went wrong was logged, and is in the answer
        await app(scope, receive, send)
    start = next(one for one in said if one["type"] == "http.response.start")
    body = b"".join(one.get("body", b"") for one in said if one["type"] == "http.response.body")
    return start["status"], list(start["headers"]), body


@dataclass
class _Asking:
    """Somebody's question: its answer to be, and when it was last asked for."""

    asked_at: float
    since: float
    answer: asyncio.Task[Answer | None] = field(init=False)


class Answers:
    """Answers to requests, made beside one after another; pages ask again until theirs is there."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._asking: dict[tuple[Any, ...], _Asking] = {}
        self._turn = asyncio.Lock()

    async def of(self, request: Request, *, wait_s: float | None) -> Response | float:
        """The answer; or for how many seconds it has been looked for, where that is longer
        than `wait_s` (none: it is waited for)."""
        self._forget_unwanted()
        headers = request.headers
        who = headers.get("cookie"), headers.get("authorization")
        key = (*who, str(request.url), headers.get("hx-request"), headers.get("accept-language"))
        asking = self._asking.get(key)
        now = time.monotonic()
        if asking is None:
            if len(self._asking) >= MOST_WAITING:
                raise TooManyError("many others wait for such an answer; try again in a while")
            asking = self._asking[key] = _Asking(now, now)
            asking.answer = asyncio.create_task(self._made(asking, _asked(request), wait_s is None))
        asking.asked_at = now
        await asyncio.wait({asking.answer}, timeout=wait_s)
        if not asking.answer.done():
            return time.monotonic() - asking.since
        if self._asking.get(key) is asking:
            del self._asking[key]
        answer = asking.answer.result()
        if answer is None:  # nobody had asked for long; now it is begun anew
            return time.monotonic() - asking.since
        status, found, body = answer
        response = Response(body, status)
        response.raw_headers = found
        return response

    async def _made(self, asking: _Asking, asked: Asked, waited_for: bool) -> Answer | None:
        async with self._turn:
            if not waited_for and time.monotonic() - asking.asked_at > UNWANTED_AFTER_S:
                return None
            answer: Answer = (await run_in_threadpool(lambda: list(self._beside.pieces(asked))))[0]
            return answer

    async def stop(self) -> None:
        await run_in_threadpool(self._beside.stop)
        for one in self._asking.values():
            one.answer.cancel()

    def _forget_unwanted(self) -> None:
        for key, one in list(self._asking.items()):
            gone = time.monotonic() - one.asked_at > UNWANTED_AFTER_S
            if gone and one.answer.done():
                if not one.answer.cancelled():
                    one.answer.exception()
                del self._asking[key]


def _asked(request: Request) -> Asked:
    scope = request.scope
    return Asked(
        scope["path"], scope["query_string"], tuple(scope["headers"]),
        scope.get("client"), scope.get("server"), scope["scheme"],
    )  # fmt: skip
