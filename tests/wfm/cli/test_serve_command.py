"""`wfm serve` ends as it began: workers and database with it, and nothing but quiet."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from wfm import embedded

PATIENCE_S = 120


def until(holds: Callable[[], bool]) -> None:
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < PATIENCE_S
        time.sleep(0.1)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_stopped_server_leaves_no_worker_no_database_and_no_trace(
    free_port: int, alive: Callable[[int], bool]
) -> None:
    # a path short enough for a socket
    with TemporaryDirectory(prefix="wfm-serve-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        environment = {**os.environ, "WFM_DATA_DIR": name, "WFM_HOST": "127.0.0.1"}
        environment.pop("WFM_DATABASE_URL", None)
        with (folder / "said").open("wb") as said:
            server = subprocess.Popen(
                [sys.executable, "-c", "from wfm.cli.main import main; main()",
                 "serve", "--port", str(free_port)],
                env=environment, stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip
        handles = folder / "postgres" / ".handle_pids.json"

        def users_of_the_database() -> list[int]:
            return json.loads(handles.read_text() or "[]") if handles.exists() else []

        try:
            until(lambda: server.poll() is not None or answers(free_port))
            until(lambda: server.poll() is not None or len(users_of_the_database()) == 2)
            users = users_of_the_database()
            time.sleep(1)  # so that the worker is at its work
            server.send_signal(signal.SIGTERM)
            code = server.wait(PATIENCE_S)
            words = (folder / "said").read_text("utf-8")
            assert (code, "Traceback" in words) == (0, False), words
            assert not [process for process in users if alive(process)]
            assert not (folder / "postgres" / "postmaster.pid").exists()
        finally:
            server.kill()
            server.wait(30)
            embedded.stop(folder)
