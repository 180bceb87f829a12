"""Import 1,000,000 ticket events into an empty desk; measure seconds and the largest memory.

    python benchmarks/importing/run.py [--rows 1000000] [--seed 1]

Makes the files, imports agents and tickets, then times `wfm import ticket-events` as a process of
its own: reading, checking, landing and deriving the tickets' states. The second import of the
same file, which must change nothing, is timed as well.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EVENTS_PER_TICKET = 10
AGENTS = 500
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
STEPS = ("opened", "assigned", "agent_message", "customer_message", "paused", "resumed",
         "noted", "agent_message", "resolved", "closed")  # fmt: skip


def write_files(folder: Path, rows: int, seed: int) -> None:
    rng = random.Random(seed)
    agents = [f"A{number:04d}" for number in range(AGENTS)]
    with (folder / "agents.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["agent_id"], *([agent] for agent in agents)])
    tickets = rows // EVENTS_PER_TICKET
    with (
        (folder / "tickets.csv").open("w", newline="") as ticket_stream,
        (folder / "events.csv").open("w", newline="") as event_stream,
    ):
        ticket_file, event_file = csv.writer(ticket_stream), csv.writer(event_stream)
        ticket_file.writerow(["ticket_id", "opened_at", "skill", "priority"])
        event_file.writerow(["event_id", "ticket_id", "at", "kind", "agent_id", "team", "note"])
        for number in range(tickets):
            at = START + dt.timedelta(seconds=rng.randrange(180 * 86_400))
            ticket, agent = f"T{number:07d}", rng.choice(agents)
            ticket_file.writerow([ticket, at.isoformat(), f"S{number % 8}", 1 + number % 4])
            for step, kind in enumerate(STEPS):
                by = "" if kind in ("opened", "customer_message") else agent
                event_file.writerow(
                    [f"{ticket}-{step}", ticket, at.isoformat(), kind, by, "T1", ""]
                )
                at += dt.timedelta(seconds=rng.randrange(10, 7200))


def wfm(*arguments: str) -> tuple[dict[str, int], float, float]:
    """The command's report, seconds and largest resident memory in MB."""
    started = time.perf_counter()
    program = "from wfm.cli.main import main; main()"
    run = subprocess.Popen(
        [sys.executable, "-c", program, "import", *arguments, "--json"], stdout=subprocess.PIPE
    )
    assert run.stdout is not None
    output = run.stdout.read()
    _, status, usage = os.wait4(run.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"the import failed: {output.decode()[:500]}")
    return json.loads(output), time.perf_counter() - started, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-import-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        os.environ["WFM_DATA_DIR"] = str(folder / "database")
        os.environ.pop("WFM_DATABASE_URL", None)
        write_files(folder, options.rows, options.seed)
        size = (folder / "events.csv").stat().st_size / 1e6
        print(f"{dt.date.today()}, {platform.machine()}, {os.cpu_count()} cores, "
              f"Python {platform.python_version()}; load {os.getloadavg()[0]:.1f}")  # fmt: skip
        for kind, file in (
            ("agents", "agents.csv"), ("tickets", "tickets.csv"),
            ("ticket-events", "events.csv"), ("ticket-events", "events.csv"),
        ):  # fmt: skip
            report, seconds, memory = wfm(kind, str(folder / file))
            print(f"{kind:14} {report['rows']:>9} rows: {report['added']:>8} added, "
                  f"{report['unchanged']:>8} unchanged in {seconds:6.1f} s, "
                  f"{memory:5.0f} MB")  # fmt: skip
        print(f"events.csv: {size:.0f} MB; this process: "
              f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")  # fmt: skip


if __name__ == "__main__":
    main()
