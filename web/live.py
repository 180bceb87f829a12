"""From `NOTIFY` in the database to server-sent events in the browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import psycopg
from fastapi import Request

from wfm.db import Engine
from wfm.jobs import CHANGED_CHANNEL

RECONNECTED = "reconnected"
RECONNECT_AFTER_S = 2.0
KEEP_ALIVE_S = 15.0
CANCEL_AGAIN_S = 0.2


class Listener:
    """One database connection listens for this whole process and tells every open page."""

    def __init__(self, engine: Engine) -> None:
        self._url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._waiting: set[asyncio.Queue[str]] = set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        if self._task is not None:
            await end(self._task)

    async def _listen(self) -> None:
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
                async with connection:
                    await connection.execute(f"listen {CHANGED_CHANNEL}")
                    self._tell(RECONNECTED)
                    async for notice in connection.notifies():
                        self._tell(notice.payload)
            except psycopg.OperationalError:
                await asyncio.sleep(RECONNECT_AFTER_S)

    def _tell(self, what: str) -> None:
        for queue in self._waiting:
            queue.put_nowait(what)

    @contextmanager
    def _hearing(self) -> Iterator[asyncio.Queue[str]]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._waiting.add(queue)
        try:
            yield queue
        finally:
            self._waiting.discard(queue)

    async def changes(self, topic: str) -> AsyncIterator[str]:
        """What changed, as it happens."""
        with self._hearing() as queue:
            while True:
                what = await queue.get()
                if _is_of(what, topic):
                    yield what

    async def events(self, request: Request, topic: str) -> AsyncIterator[str]:
        """Server-sent events named after `topic` whenever something of that topic changes.

        The event carries no content: the page asks for what it shows, so a page that lost its
        connection is right again after its next request.
        """
        with self._hearing() as queue:
            yield "retry: 2000\n\n"
            while not await request.is_disconnected():
                try:
                    async with asyncio.timeout(KEEP_ALIVE_S):
                        what = await queue.get()
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if _is_of(what, topic):
                    while not queue.empty():  # many changes, one event
                        queue.get_nowait()
                    yield f"event: changed\ndata: {what}\n\n"


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks until they are done.

    Once is not always enough: before Python 3.12 `asyncio.wait_for`, which the database driver
    uses, forgets a cancellation that comes in the moment its own waiting ends.
    """
    while waiting := [task for task in tasks if not task.done()]:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting, timeout=CANCEL_AGAIN_S)


def _is_of(what: str, topic: str) -> bool:
    return what == RECONNECTED or what.startswith(topic)
