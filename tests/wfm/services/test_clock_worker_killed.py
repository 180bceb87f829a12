"""The clock worker killed at any moment: no notice is lost and none is raised twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from wfm import instants
from wfm.db import transaction
from wfm.services import clock_worker
from wfm.tables import Agreement, ClockNotice, Ticket, TicketEvent
from wfm.words import EventKind

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
TICKETS, KILLS = 300, 12
LONGEST_S = 120  # for a machine with much else to do
# every promise is an hour and all but the last threshold are reached: 50, 75 and 90 %
NOW = AT + timedelta(minutes=58)
IMPORTS = """
from datetime import datetime
import sqlalchemy as sa
from wfm.services import clock_worker
"""
WORK = """clock_worker.catch_up(
            sa.create_engine(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), "UTC", 20
        )"""


def test_a_worker_killed_again_and_again(
    fresh_engine: sa.Engine, forks: Any, alive: Callable[[int], bool]
) -> None:
    with transaction(fresh_engine) as session:
        tickets = [
            Ticket(code=f"T{n}", opened_at=AT, respond_within_s=3600, next_look_at=AT)
            for n in range(TICKETS)
        ]
        session.add_all(tickets)
        session.flush()
        session.add_all(
            TicketEvent(code=f"E{n}", ticket_id=ticket.id, at=AT, kind=EventKind.OPENED)
            for n, ticket in enumerate(tickets)
        )
    url = fresh_engine.url.render_as_string(hide_password=False)
    seen = set()
    wait = random.Random(4)
    workers = forks(IMPORTS, WORK, url, NOW.isoformat())
    for _ in range(KILLS):
        before = _raised(fresh_engine)
        number = workers.start()
        deadline = time.monotonic() + LONGEST_S
        # let it do some of its work, then kill it at a moment nobody chose
        while alive(number) and _raised(fresh_engine) == before:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(wait.uniform(0, 0.05))
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
        while alive(number):
            assert time.monotonic() < deadline
            time.sleep(0.005)
        seen.add(_raised(fresh_engine))
        if _raised(fresh_engine) == 3 * TICKETS:
            break
    clock_worker.catch_up(fresh_engine, NOW, "UTC")
    assert len(seen) > 1 or _raised(fresh_engine) == 3 * TICKETS
    with fresh_engine.connect() as connection:
        rows = connection.execute(sa.select(ClockNotice.ticket_id, ClockNotice.percent)).all()  # type: ignore[call-overload]
        waiting = connection.scalar(
            sa.select(sa.func.count()).select_from(Ticket).where(Ticket.next_look_at <= NOW)  # type: ignore[operator]
        )
    assert len(rows) == len(set(rows)) == 3 * TICKETS
    assert {percent for _, percent in rows} == {50, 75, 90}
    assert waiting == 0
    # and a look a little later raises the rest, once
    clock_worker.catch_up(fresh_engine, AT + timedelta(minutes=61), "UTC")
    assert clock_worker.catch_up(fresh_engine, AT + timedelta(minutes=61), "UTC") == 0
    assert _raised(fresh_engine) == 4 * TICKETS


def _raised(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(ClockNotice)) or 0)


def test_the_worker_command_looks_at_clocks_and_brings_agreements_into_force(
    fresh_engine: sa.Engine, fresh_url: str
) -> None:
    """Killed at once after its first notice; the next worker goes on from there."""
    now = instants.now()
    today = instants.local_date(now, "Asia/Shanghai")
    with transaction(fresh_engine) as session:
        old = Agreement(code="S", version=1, kind="sla", status="in_force",
                        in_force_until=today, in_force_from=today - timedelta(days=9))  # fmt: skip
        new = Agreement(code="S", version=2, kind="sla", status="signed", in_force_from=today)
        session.add_all([old, new])
        first = Ticket(code="T", opened_at=now - timedelta(seconds=1810), respond_within_s=3600,
                       next_look_at=now)  # fmt: skip
        session.add(first)
    command = [sys.executable, "-c", "from wfm.cli.main import main; main()", "worker"]
    for reached in (1, 2):
        with subprocess.Popen(command, env=os.environ | {"WFM_DATABASE_URL": fresh_url}) as process:
            try:
                deadline = time.monotonic() + LONGEST_S
                while _raised(fresh_engine) < reached:
                    assert time.monotonic() < deadline
                    assert process.poll() is None
                    time.sleep(0.05)
            finally:
                process.kill()
        with transaction(fresh_engine) as session:
            session.merge(Ticket(id=first.id + reached, code=f"T{reached}", respond_within_s=3600,
                                 opened_at=now - timedelta(seconds=1810),
                                 next_look_at=now))  # fmt: skip
    with transaction(fresh_engine) as session:
        assert [session.get_one(Agreement, row.id).status for row in (old, new)] == [
            "superseded", "in_force"
        ]  # fmt: skip
