"""The web process killed at moments nobody chose: no event is lost, none is there twice."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import sqlalchemy as sa
from sqlmodel import select

from wfm import instants
from wfm.db import transaction
from wfm.services import accounts, api_tokens, clock_book, clock_worker
from wfm.tables import Agent, ClockNotice, Ticket, TicketClock, TicketEvent
from wfm.words import Role

TICKETS, KILLS = 40, 3
IMPORTS = "import uvicorn, web.app"
WORK = """uvicorn.run(
            "web.app:create_app", factory=True, port=int(sys.argv[1]), log_level="critical"
        )"""
LONGEST_S = 240  # for a machine with much else to do


def until_it_answers(port: int) -> None:
    deadline = time.monotonic() + LONGEST_S
    while True:
        assert time.monotonic() < deadline
        with suppress(httpx.TransportError):
            if httpx.get(f"http://127.0.0.1:{port}/health").is_success:
                return
        time.sleep(0.05)


class Program(threading.Thread):
    """Answers every ticket, each under a key of its own; asks again until it is told yes."""

    def __init__(self, port: int, token: str) -> None:
        super().__init__(daemon=True)
        self.told: list[int] = []
        self.asked_again = 0
        self.wrong: list[str] = []
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}/api/v1",
            headers={"Authorization": f"Bearer {token}", "If-Match": "*"},
        )

    def run(self) -> None:
        for n in range(TICKETS):
            while not self._answer(n):
                self.asked_again += 1
                time.sleep(0.05)
            self.told.append(n)

    def _answer(self, n: int) -> bool:
        try:
            answer = self.client.post(
                f"/tickets/T{n}/answer", headers={"Idempotency-Key": f"answer-{n}"}
            )
        except httpx.TransportError:
            return False
        if not answer.is_success:
            self.wrong.append(answer.text)
        return True


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # sockets of a process that was killed
def test_a_web_process_killed_again_and_again(
    fresh_engine: sa.Engine, fresh_url: str, free_port: int, tmp_path: Path, forks: Any
) -> None:
    opened = instants.now() - timedelta(minutes=31)
    with transaction(fresh_engine) as session:
        ann = Agent(code="Ann", name="Ann")
        session.add(ann)
        session.flush()
        session.add_all(
            Ticket(code=f"T{n}", opened_at=opened, owner_id=ann.id, respond_within_s=3600)
            for n in range(TICKETS)
        )
        account = accounts.create(
            session, "dana", "Dana", "Right-answer-42", [(Role.DISPATCHER, None)], instants.now()
        )
        token = api_tokens.make(session, account.id, "answers", ["read", "write"], 1, opened)
        clock_book.mark(session, opened)
    program = Program(free_port, token)
    moment = random.Random(7)
    surroundings = {"WFM_DATABASE_URL": fresh_url, "WFM_DATA_DIR": str(tmp_path)}
    servers = forks(IMPORTS, WORK, str(free_port), env=surroundings)
    for kill in range(KILLS + 1):
        number = servers.start()
        until_it_answers(free_port)
        if kill == 0:
            program.start()
        goal = min(len(program.told) + moment.randint(3, 12), TICKETS)
        until = time.monotonic() + LONGEST_S
        while program.is_alive() and (kill == KILLS or len(program.told) < goal):
            assert time.monotonic() < until
            program.join(0.01)
        time.sleep(moment.uniform(0, 0.02))
        os.kill(number, signal.SIGKILL)  # in the middle of whatever it is doing
        clock_worker.catch_up(fresh_engine, instants.now(), "UTC", 7)
    assert not program.is_alive()
    assert program.wrong == []
    assert program.asked_again > 0
    assert len(program.told) == TICKETS
    later = opened + timedelta(hours=2)
    clock_worker.catch_up(fresh_engine, later, "UTC")
    with transaction(fresh_engine) as session:
        answered = session.exec(select(TicketEvent.ticket_id, TicketEvent.kind)).all()
        assert sorted(answered) == [(n + 1, "agent_message") for n in range(TICKETS)]
        states = session.exec(select(TicketClock.state)).all()
        assert states == ["met"] * TICKETS
        notices = session.exec(select(ClockNotice.ticket_id, ClockNotice.percent)).all()
        assert len(notices) == len(set(notices))
        assert {percent for _, percent in notices} == {50}
    assert clock_worker.catch_up(fresh_engine, later, "UTC") == 0
