"""The desk under load: demo data × 10 on loopback, a hundred dispatchers, every page.

    make bench-web                        the first time it makes the demo and multiplies it
    python benchmarks/web/run.py --only grid --seconds 1

Wants Debian's wrk. The data lie in .tierdesk/bench-web and are used again. Each page is opened once
before it is measured, so that neither the first look at a table nor an import counts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parent))
from multiply import multiply
from pages import GRID, PAGES, PREPARED
from viewers import Desk, open_desk, sign_in

from wfm import embedded
from wfm.db import database_url, open_engine
from wfm.services import clock_worker
from wfm.services.demo import PRESENT
from wfm.settings import Settings

HERE = Path(__file__).parent
WFM = (sys.executable, "-c", "from wfm.cli.main import main; main()")
DISPATCHERS = 100
LIMIT_MS, GRID_LIMIT_MS, LAG_LIMIT_S, MEMORY_LIMIT_MB = 150, 400, 1.0, 600
PREPARED_LIMIT_S = 5.0
ASKED_AGAIN_S = 0.4  # as pages do
TIMES = 3
LEAST_MB = 50  # what watches over processes is smaller


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=Path(".tierdesk/bench-web"))
    options.add_argument("--only", default="", help="pages whose name contains this")
    options.add_argument("--seconds", type=float, default=2, help="for each page")
    options.add_argument(
        "--readers",
        type=int,
        nargs="+",
        default=[1, 2],
        help="of a page at the same time, one measurement after the other",
    )
    given = options.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed (Debian: apt-get install wrk)")
    folder = given.folder.resolve()
    if not (folder / "made.json").exists():
        make(folder)
    print(json.loads((folder / "made.json").read_text()))
    pages, prepared = ([page for page in some if given.only in page[0]]
                       for some in (PAGES, PREPARED))  # fmt: skip
    with_server(
        folder,
        lambda port, pid: measure(port, pid, pages, prepared, given.seconds, given.readers),
    )


def make(folder: Path) -> None:
    """The sample desk, once more with all of its clocks read, and ten times as large."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    environment = os.environ | {"WFM_DATA_DIR": str(folder)}
    subprocess.run([*WFM, "demo", "--once", "--json"], env=environment, check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    engine = open_engine(Settings(data_dir=folder / "demo"))
    clock_worker.catch_up(engine, PRESENT + timedelta(minutes=1), "Asia/Shanghai", 1000)
    started = time.perf_counter()
    made = multiply(engine, DISPATCHERS)
    engine.dispose()
    made["seconds"] = round(time.perf_counter() - started)
    (folder / "made.json").write_text(json.dumps(made))


def with_server(folder: Path, work: Callable[[int, int], None]) -> None:
    """`wfm serve` in a process of its own, at the sample's present."""
    settings = replace(Settings(), data_dir=folder / "demo")
    engine = open_engine(settings)
    with engine.connect() as connection:  # no earlier than what an earlier run did
        newest = connection.scalar(sa.text("select max(at) from ticket_event"))
    engine.dispose()
    present = max(PRESENT, newest + timedelta(seconds=1))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "WFM_DATABASE_URL": database_url(settings),
        "WFM_DATA_DIR": str(settings.data_dir),
        "WFM_CLOCK_OFFSET_S": str(present.timestamp() - time.time()),
    }
    serve = [*WFM, "serve", "--workers", "0", "--port", str(port)]
    log = (folder / "server.log").open("w")
    server = subprocess.Popen(serve, env=environment, stdout=log, stderr=log)
    try:
        while True:
            assert server.poll() is None, f"the server ended; see {log.name}"
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.2)
        work(port, server.pid)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
        embedded.stop(folder / "demo")


def measure(
    port: int,
    pid: int,
    pages: list[tuple[str, str, str]],
    prepared: list[tuple[str, str, str]],
    seconds: float,
    readers: list[int],
) -> None:
    desk = open_desk(port, [f"dispatcher{n}" for n in range(1, DISPATCHERS + 1)])
    cookies = asyncio.run(_cookies(port, {account for _, account, _ in (*pages, *prepared)}))
    watching = threading.Thread(target=lambda: asyncio.run(desk.run()))
    watching.start()
    time.sleep(5)
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.machine()}, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f} before; beside "
          f"{DISPATCHERS} dispatchers")  # fmt: skip
    print("\n| page | first look ms | readers | requests | median ms | p95 ms | asked ms | |")
    print("|---|---|---|---|---|---|---|---|")
    failed = []
    try:
        for name, account, path in pages:
            limit = GRID_LIMIT_MS if name == GRID else LIMIT_MS
            started = time.perf_counter()
            _get(port, cookies[account], path)
            first = 1000 * (time.perf_counter() - started)
            for many in readers:
                requests, median, p95, wrong = _page(port, cookies[account], path, seconds, many)
                kept = requests > 0 and not wrong and p95 < limit
                failed += [] if kept else [f"{name} ({many})"]
                said = f"{wrong} refused" if wrong else _passed(kept)
                print(f"| {name} | {first:.0f} | {many} | {requests} | {median:.0f} | {p95:.0f} | "
                      f"{limit} | {said} |", flush=True)  # fmt: skip
        print("\n| answer made beside | best s | worst s | asked s | |\n|---|---|---|---|---|")
        for name, account, path in prepared:
            _prepared(port, cookies[account], path)
            took = [_prepared(port, cookies[account], path) for _ in range(TIMES)]
            kept = max(took) < PREPARED_LIMIT_S
            failed += [] if kept else [name]
            print(f"| {name} | {min(took):.1f} | {max(took):.1f} | {PREPARED_LIMIT_S:.0f} | "
                  f"{_passed(kept)} |", flush=True)  # fmt: skip
        failed += _report(desk, pid)
    finally:
        desk.ended.set()
        watching.join()
    print("\nall within their limits" if not failed else f"\nNOT within: {', '.join(failed)}")


def _passed(kept: bool) -> str:
    return "pass" if kept else "FAIL"


def _get(port: int, cookie: str, path: str) -> str:
    headers = {"Cookie": cookie, "HX-Request": "true"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError:  # counted where it is measured
        return ""


def _prepared(port: int, cookie: str, path: str) -> float:
    """Seconds until an answer is there, asked for again and again as its page does."""
    started = time.perf_counter()
    while 'aria-busy="true"' in _get(port, cookie, path):
        time.sleep(ASKED_AGAIN_S)
    return time.perf_counter() - started


async def _cookies(port: int, accounts: set[str]) -> dict[str, str]:
    import httpx2

    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        return {account: await sign_in(client, account) for account in accounts}


def _page(
    port: int, cookie: str, path: str, seconds: float, readers: int
) -> tuple[int, float, float, int]:
    """Requests, median and 95th percentile in milliseconds, and how many were no success."""
    command = [
        "wrk", "-t1", f"-c{readers}", f"-d{max(round(seconds), 1)}s", "--timeout", "30s",
        "-s", str(HERE / "p95.lua"), "-H", f"Cookie: {cookie}", "-H", "Accept-Encoding: gzip",
        f"http://127.0.0.1:{port}{path}",
    ]  # fmt: skip
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    requests, median, p95, wrong = told.split("FOUND ")[1].split()[:4]
    return int(requests), float(median), float(p95), int(wrong)


def _report(desk: Desk, pid: int) -> list[str]:
    """Print how far behind viewers were and what memory was taken; what is not within limits."""
    lags = np.array([*desk.lags, *[np.inf] * desk.missed] or [np.inf])
    behind = float(np.quantile(lags, 0.95))
    print("\n| live updates and memory | | asked | |\n|---|---|---|---|")
    print(f"| {len(desk.viewers)} dispatchers: p95 behind a change, of {lags.size} sights (median "
          f"{np.median(lags):.2f} s, worst {max(desk.lags, default=np.inf):.2f} s; "
          f"{desk.missed} not within 1.5 s) | "
          f"{behind:.2f} s | {LAG_LIMIT_S:.0f} s | {_passed(behind < LAG_LIMIT_S)} |")  # fmt: skip
    most = _memory(pid, "VmHWM:")
    print(f"| web process, most memory | {most} MB | {MEMORY_LIMIT_MB} MB | "
          f"{_passed(most < MEMORY_LIMIT_MB)} |")  # fmt: skip
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    beside = [one for child in children if (one := _memory(int(child), "VmHWM:")) > LEAST_MB]
    print(f"| processes beside it, most memory each | {' and '.join(map(str, beside))} MB | | |")
    found = {"live updates": behind < LAG_LIMIT_S, "memory": most < MEMORY_LIMIT_MB}
    return [name for name, kept in found.items() if not kept]


def _memory(pid: int, what: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) // 1024 for line in status.splitlines()
                if line.startswith(what))  # fmt: skip


if __name__ == "__main__":
    main()
