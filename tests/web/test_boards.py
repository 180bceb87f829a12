"""Boards and the listener end when they are told to, whatever happens in that very moment."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from web.boards import Boards
from web.live import Listener

ENDS_WITHIN_S = 20


@pytest.mark.parametrize("turns", range(6))
def test_boards_end_though_something_changed_just_before(engine: sa.Engine, turns: int) -> None:
    async def work() -> None:
        boards: Boards[str] = Boards(Listener(engine), "dispatch", lambda _: [])
        await boards.start()
        await asyncio.sleep(0.01)
        boards._stale.set()
        for _ in range(turns):  # a wake-up goes through several turns of the loop
            await asyncio.sleep(0)
        await asyncio.wait_for(boards.stop(), ENDS_WITHIN_S)

    asyncio.run(work())


@pytest.mark.parametrize("turns", range(0, 60, 4))
def test_a_listener_ends_while_it_connects(engine: sa.Engine, turns: int) -> None:
    async def work() -> None:
        listener = Listener(engine)
        await listener.start()
        for _ in range(turns):
            await asyncio.sleep(0.0005)
        await asyncio.wait_for(listener.stop(), ENDS_WITHIN_S)

    asyncio.run(work())
