"""The published column-generation program of Strandmark, Qu and Curtois (2020).

Not part of this project: build the target ``shift_scheduling_colgen`` of ``PetterS/monolith`` and
give its path. It restarts until it is ended and keeps its rosters in an SQLite file beside the
instance: one line per employee, one field per day.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.rosters.judge import sections
from benchmarks.rosters.peers.answer import Answer, Lines

DIVE_DONE = re.compile(r"Elapsed time : ([0-9.e+-]+)s")
LOOK = 0.05  # seconds


def solve(instance: Path, seconds: float, threads: int, program: Path) -> Answer:
    """Run it for so long. It takes no seed: each run begins alike."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy = folder / instance.name
        shutil.copy(instance, copy)
        log = folder / "log.txt"
        memory = _run(
            [str(program), copy.name, "--use_first_order_solver", "--num_solutions=1000000"],
            folder, log, seconds, threads,
        )  # fmt: skip
        lines = best_kept(folder / f"{copy.name}.db", copy)
        dive = DIVE_DONE.search(log.read_text(encoding="utf-8", errors="replace"))
    return Answer(
        "nothing_found" if lines is None else "feasible",
        lines,
        first=float(dive[1]) if dive else None,
        memory=memory,
    )


def _run(command: list[str], folder: Path, log: Path, seconds: float, threads: int) -> float:
    """Run for so long and end it; most memory held, in MB."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    held = 0.0
    with log.open("wb") as stream:
        begun = time.monotonic()
        run = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=stream, stderr=subprocess.STDOUT
        )
        try:
            while run.poll() is None and time.monotonic() - begun < seconds:
                held = max(held, peak_memory(run.pid))
                time.sleep(LOOK)
        finally:
            run.kill()
            run.wait()
    return held


def peak_memory(process: int | str = "self") -> float:
    """Most memory a process has held since it began its program, in MB; 0 once it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def best_kept(kept: Path, instance: Path) -> Lines | None:
    """The cheapest roster it kept."""
    if not kept.exists():
        return None
    with sqlite3.connect(kept) as database:
        row = database.execute(
            "SELECT solution FROM (SELECT * FROM solution UNION"
            " SELECT objective, solution, NULL, NULL, NULL FROM temp) ORDER BY objective LIMIT 1"
        ).fetchone()
    database.close()
    if row is None:
        return None
    data = sections(instance)
    days = int(data["SECTION_HORIZON"][0][0])
    staff = [employee[0] for employee in data["SECTION_STAFF"]]
    rows = [line.split("\t")[:days] for line in row[0].splitlines()]
    return dict(zip(staff, rows, strict=True))
