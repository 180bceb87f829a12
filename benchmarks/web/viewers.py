"""A hundred people on the dispatch desk: who hears of a change, and how long after it was made."""

from __future__ import annotations

import asyncio
import re
import threading
import time
import zlib
from collections.abc import Awaitable
from dataclasses import dataclass, field

import h11
import httpx2

PASSWORD = "Tierdesk-demo-1"
SKILLS = ("network", "account", "app", "billing")
WAITING = re.compile(r'<dd class="v">(\d+)</dd>')
PAUSE_S = 1.5
LONGEST_FIRST_S = 60.0


@dataclass
class Viewer:
    """One open desk: how many tickets wait by its newest content, and since when it knows."""

    cookie: str
    skill: str
    waiting: int = -1
    known: dict[int, float] = field(default_factory=dict)
    bytes: int = 0

    async def watch(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        wire = h11.Connection(h11.CLIENT)
        writer.write(
            wire.send(
                h11.Request(
                    method="GET",
                    target=f"/dispatch/live?skill={self.skill}",
                    headers=[
                        ("Host", "desk"),
                        ("Cookie", self.cookie),
                        ("Accept-Encoding", "gzip"),
                    ],
                )
            )
            + wire.send(h11.EndOfMessage())
        )
        unpack, text = zlib.decompressobj(zlib.MAX_WBITS | 16), ""
        try:
            while received := await reader.read(1 << 16):
                self.bytes += len(received)
                wire.receive_data(received)
                while isinstance(event := wire.next_event(), h11.Response | h11.Data):
                    if isinstance(event, h11.Data):
                        text += unpack.decompress(bytes(event.data)).decode()
                *whole, text = text.split("\n\n")
                for one in whole:
                    if found := WAITING.search(one):
                        self.waiting = int(found[1])
                        self.known.setdefault(self.waiting, time.perf_counter())
        finally:
            writer.close()


async def sign_in(client: httpx2.AsyncClient, account: str) -> str:
    """The cookies of a signed-in browser."""
    page = await client.get("/sign-in")
    token = page.cookies["tierdesk_csrf"]
    answer = await client.post(
        "/sign-in",
        data={"name": account, "password": PASSWORD, "csrf": token, "next": "/health"},
        headers={"Cookie": f"tierdesk_csrf={token}"},
    )
    client.cookies.clear()
    return f"tierdesk_csrf={token}; tierdesk_session={answer.cookies['tierdesk_session']}"


@dataclass
class Desk:
    """The viewers, and somebody who gives a ticket away and puts it back, again and again."""

    port: int
    viewers: list[Viewer]
    lags: list[float] = field(default_factory=list)
    missed: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    async def run(self) -> None:
        """Once everybody sees the queue, until `ended` is set."""
        watching = [asyncio.create_task(viewer.watch(self.port)) for viewer in self.viewers]
        try:
            async with asyncio.timeout(LONGEST_FIRST_S):
                while any(viewer.waiting < 0 for viewer in self.viewers):
                    await asyncio.sleep(0.1)
            await self._move()
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)

    async def _move(self) -> None:
        cookie = self.viewers[0].cookie
        token = cookie.split(";")[0].partition("=")[2]
        headers = {"Cookie": cookie, "X-CSRF-Token": token, "HX-Request": "true"}
        async with httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=60
        ) as client:
            while not self.ended.is_set():
                page = (await client.get("/dispatch")).text
                act = re.search(r'hx-post="/dispatch/assign" hx-vals=\'([^\']*)\'', page)
                assert act, "no ticket has a proposal"
                given = dict(re.findall(r'"(\w+)": "([^"]*)"', act[1].replace("&#34;", '"')))
                if not await self._seen(-1, client.post("/dispatch/assign", data=given)):
                    continue  # another was proposed meanwhile
                back = {"what": "put_back", "ticket": given["ticket"], "note": "benchmark"}
                assert await self._seen(+1, client.post("/dispatch/act", data=back))

    async def _seen(self, change: int, act: Awaitable[httpx2.Response]) -> bool:
        """Do it, and note how long after the answer each viewer knows; whether it was taken."""
        expected = self.viewers[0].waiting + change
        for viewer in self.viewers:
            viewer.known.clear()
        answer = await act
        if answer.status_code >= 400 or 'role="alert"' in answer.text:
            return False
        done = time.perf_counter()
        await asyncio.sleep(PAUSE_S)
        for viewer in self.viewers:
            if expected in viewer.known:
                self.lags.append(max(viewer.known[expected] - done, 0.0))
            else:
                self.missed += 1
        return True


async def _signed_in(port: int, accounts: list[str]) -> list[Viewer]:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        cookies = [await sign_in(client, account) for account in accounts]
    return [
        # seven in ten look at the whole queue, three at one skill
        Viewer(cookie, "" if place % 10 < 7 else SKILLS[place % len(SKILLS)])
        for place, cookie in enumerate(cookies)
    ]


def open_desk(port: int, accounts: list[str]) -> Desk:
    """Sign everybody in."""
    return Desk(port, asyncio.run(_signed_in(port, accounts)))
