"""What many look at is made once, when something changed, and sent to all of them.

A board is the live part of a page in one language, with one set of filters and rights. However many
people have it open, it is rendered once a change, compressed once, and the same bytes go to each.
"""

from __future__ import annotations

import asyncio
import logging
import time
import zlib
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from web.live import Listener, end

TICK_S = 20.0  # clocks run and risks grow though nothing is written
PAUSE_S = 0.15  # between two rounds at least, and half as long as the round before took
LOG = logging.getLogger(__name__)
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

RECHECK_S = 60.0  # how long somebody signed out elsewhere may go on looking


class Event(NamedTuple):
    """The content of a board as bytes of an event stream, plain and compressed."""

    plain: bytes
    packed: bytes


NOTHING = Event(b"", b"")
V = TypeVar("V", bound=Hashable)
Making = Callable[[list[V]], Iterable[tuple[V, Event]]]
"""From the boards asked for to their contents, all of one look at the desk."""


@dataclass
class _Board:
    """The newest content, and who waits for a newer one."""

    event: Event = NOTHING
    number: int = 0
    newer: asyncio.Event = field(default_factory=asyncio.Event)
    viewers: int = 0


class Boards(Generic[V]):
    """All boards that are open in this process, of one topic."""

    def __init__(self, listener: Listener, topic: str, make: Making[V]) -> None:
        self._listener, self._topic, self._make = listener, topic, make
        self._open: dict[V, _Board] = {}
        self._stale = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._work())]

    async def stop(self) -> None:
        await end(*self._tasks)

    async def events(
        self, board: V, request: Request, may_go_on: Callable[[], bool], *, packed: bool
    ) -> AsyncIterator[bytes]:
        """The board now and whenever it changes, until the viewer leaves or may look no longer.

        The whole content comes each time, so a page that lost its connection is right again with
        the first event of the next one. `may_go_on` is asked once a minute.
        """
        shown = self._open.setdefault(board, _Board())
        shown.viewers += 1
        if not shown.number:
            self._stale.set()
        seen, asked = 0, time.monotonic()
        try:
            yield GZIP_HEADER + _packed(b"retry: 2000\n\n") if packed else b"retry: 2000\n\n"
            while not await request.is_disconnected():
                if shown.number == seen:
                    await shown.newer.wait()
                if time.monotonic() - asked > RECHECK_S:
                    asked = time.monotonic()
                    if not await run_in_threadpool(may_go_on):
                        return
                seen = shown.number
                yield shown.event.packed if packed else shown.event.plain
        finally:
            shown.viewers -= 1
            if not shown.viewers and self._open.get(board) is shown:
                del self._open[board]

    async def _listen(self) -> None:
        async for _ in self._listener.changes(self._topic):
            self._stale.set()

    async def _work(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._stale.wait()
            self._stale.clear()
            started = time.monotonic()
            if self._open:
                await self._round(list(self._open))
            await asyncio.sleep(max(PAUSE_S, (time.monotonic() - started) / 2))

    async def _round(self, wanted: list[V]) -> None:
        """Make each board in a thread, and hand it over as soon as it is made."""
        loop = asyncio.get_running_loop()

        def make() -> None:
            for board, event in self._make(wanted):
                loop.call_soon_threadsafe(self._publish, board, event)

        try:
            await run_in_threadpool(make)
        except Exception:  # the database may be away; the next round tries again
            LOG.exception("the boards of %s could not be made", self._topic)

    def _publish(self, board: V, event: Event) -> None:
        shown = self._open.get(board)
        if shown is None:
            return
        shown.event, shown.number = event, shown.number + 1
        newer, shown.newer = shown.newer, asyncio.Event()
        newer.set()


def event_of(text: str) -> Event:
    """A content as it is sent."""
    lines = "".join(f"data: {line}\n" for line in text.splitlines())
    plain = f"event: content\n{lines}\n".encode()
    return Event(plain, _packed(plain))


def _packed(event: bytes) -> bytes:
    """A piece of a gzip stream that refers to nothing before it, so that it fits any stream."""
    pack = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return pack.compress(event) + pack.flush(zlib.Z_FULL_FLUSH)
