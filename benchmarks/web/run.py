"""The desk under load: demo data × 10 on loopback, a hundred dispatchers, every page.

    make bench-web                        the first time it makes the demo and multiplies it
    python benchmarks/web/run.py --only grid --seconds 1

Wants Debian's wrk. The data lie in .tierdesk/bench-web and are used again.
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
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from multiply import multiply
from pages import GRID, PAGES
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


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=Path(".tierdesk/bench-web"))
    options.add_argument("--only", default="", help="pages whose name contains this")
    options.add_argument("--seconds", type=float, default=2, help="for each page")
    options.add_argument("--readers", type=int, default=2, help="of a page at the same time")
    given = options.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed (Debian: apt-get install wrk)")
    folder = given.folder.resolve()
    if not (folder / "made.json").exists():
        make(folder)
    print(json.loads((folder / "made.json").read_text()))
    pages = [page for page in PAGES if given.only in page[0]]
    with_server(folder, lambda port, pid: measure(port, pid, pages, given.seconds, given.readers))


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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "WFM_DATABASE_URL": database_url(settings),
        "WFM_DATA_DIR": str(settings.data_dir),
        "WFM_CLOCK_OFFSET_S": str(PRESENT.timestamp() - time.time()),
    }
    serve = [*WFM, "serve", "--workers", "0", "--port", str(port)]
    server = subprocess.Popen(serve, env=environment)
    try:
        while True:
            assert server.poll() is None, "the server ended"
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
    port: int, pid: int, pages: list[tuple[str, str, str]], seconds: float, readers: int
) -> None:
    desk = open_desk(port, [f"dispatcher{n}" for n in range(1, DISPATCHERS + 1)])
    whole = len(pages) * (seconds + 1) + 8
    watching = threading.Thread(target=lambda: asyncio.run(desk.run(whole)))
    watching.start()
    time.sleep(5)
    cookies = asyncio.run(_cookies(port, {account for _, account, _ in pages}))
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.machine()}, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    print("| page | requests | median ms | p95 ms | |\n|---|---|---|---|---|")
    slow = []
    for name, account, path in pages:
        requests, median, p95, wrong = _page(port, cookies[account], path, seconds, readers)
        limit = GRID_LIMIT_MS if name == GRID else LIMIT_MS
        said = f"{wrong} refused" if wrong else ("" if p95 < limit else f"over {limit}")
        slow += [name] if said else []
        print(f"| {name} | {requests} | {median:.0f} | {p95:.0f} | {said} |", flush=True)
    watching.join()
    _report(desk, pid, slow)


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


def _report(desk: Desk, pid: int, slow: list[str]) -> None:
    status = Path(f"/proc/{pid}/status").read_text()
    memory = {line.split()[0]: int(line.split()[1]) // 1024
              for line in status.splitlines() if line.startswith(("VmRSS", "VmHWM"))}  # fmt: skip
    lags = np.array(desk.lags or [np.inf])
    print(f"\n{len(desk.viewers)} dispatchers with live updates: {lags.size} sights of a change, "
          f"median {np.median(lags):.2f} s, p95 {np.quantile(lags, 0.95):.2f} s, "
          f"worst {lags.max():.2f} s behind; {desk.missed} not seen within 1.5 s; "
          f"{sum(one.bytes for one in desk.viewers) / 1e6:.0f} MB sent")  # fmt: skip
    print(f"web process: {memory['VmRSS:']} MB, at most {memory['VmHWM:']} MB")
    kept = not slow and np.quantile(lags, 0.95) < LAG_LIMIT_S
    print("all within their limits" if kept and memory["VmHWM:"] < MEMORY_LIMIT_MB
          else f"over the limit or refused: {', '.join(slow) or 'see above'}")  # fmt: skip


if __name__ == "__main__":
    main()
