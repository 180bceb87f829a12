"""Run the roster benchmark: the public instances beside the peers, and desk problems of our own.

    python -m benchmarks.rosters.run --instances 1,2,3 --seeds 1,2,3 --peers cpsat,highs
    python -m benchmarks.rosters.run --instances "" --desk 30,100 --days 28,42 --out FOLDER

Each solve runs in a process of its own, one at a time. Every roster is judged twice: by the
product's judge and by `judge.py`, which shares no code with it. With ``--out`` each run is written
to runs.csv as it ends, and runs that are there already are not run again, but for failed ones.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rosters.table import Row, completed, lawful, read_rows, tables, write_row

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "../shared/rosters"
SECONDS = {
    **dict.fromkeys(range(1, 8), 60),
    **dict.fromkeys((8, 9, 10, 11, 12, 14), 120),
    **dict.fromkeys((13, *range(15, 22)), 300),
    **dict.fromkeys((22, 23, 24), 600),
}
PEERS = ("cpsat", "highs", "monolith")
FAILED = ("crashed", "given_up")
GRACE = 300  # seconds a run may take beyond twice its limit before it is given up


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def names(text: str) -> list[str]:
    found = [part for part in text.split(",") if part]
    unknown = set(found) - set(PEERS)
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(PEERS)} expected, not {', '.join(unknown)}")
    return found


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--instances", type=numbers, help="public instances; by default all")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the instances are")
    parser.add_argument("--seconds", type=float, help="for all; by default by instance, 120 a desk")
    parser.add_argument("--seeds", type=numbers, default=[1])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peers", type=names, default=[], help=f"of {','.join(PEERS)}")
    parser.add_argument("--peer-seeds", type=numbers, help="by default the first of the seeds")
    parser.add_argument("--peers-only", action="store_true", help="the peers without our solver")
    parser.add_argument("--monolith", type=Path, help="path of shift_scheduling_colgen")
    parser.add_argument("--desk", type=numbers, default=[], help="sizes of desk problems")
    parser.add_argument("--days", type=numbers, default=[28], help="lengths of desk problems")
    parser.add_argument("--shared", type=int, default=0, help="percent of people in two teams")
    parser.add_argument("--out", type=Path, help="folder for runs.csv and tables.md")
    options = parser.parse_args()
    if options.instances is None:
        found = (re.fullmatch(r"Instance(\d+)\.txt", p.name) for p in options.folder.glob("*.txt"))
        options.instances = sorted(int(match[1]) for match in found if match)
    if "monolith" in options.peers and options.monolith is None:
        print("monolith is left out: its path is not given", file=sys.stderr)
        options.peers.remove("monolith")
    if options.peer_seeds is None:
        options.peer_seeds = options.seeds[:1]
    return options


def planned(options: argparse.Namespace) -> Iterator[tuple[Row, dict]]:
    """What is known of each run beforehand, and what is asked of it."""
    published = options.folder / "published.csv"
    known = {}
    if published.exists():
        with published.open(encoding="utf-8") as stream:
            known = {int(row["instance"]): row for row in csv.DictReader(stream)}
    methods = [] if options.peers_only else [("ours", options.seeds)]
    methods += [(peer, options.peer_seeds) for peer in options.peers]
    for number in options.instances:
        figures = {
            "problem": str(number),
            "limit": float(options.seconds or SECONDS.get(number, 300)),
            "best_known": int(known[number]["best_known"]) if number in known else None,
            "known_bound": int(known[number]["lower_bound"]) if number in known else None,
        }
        path = options.folder.resolve() / f"Instance{number}.txt"
        monolith = str(options.monolith and options.monolith.resolve())
        for method, seeds in methods:
            for seed in seeds:
                yield (
                    figures | {"method": method, "seed": seed},
                    {"instance": str(path), "monolith": monolith},
                )
    shared = f", {options.shared} % in two teams" if options.shared else ""
    for people in options.desk:
        for days in options.days:
            for seed in options.seeds:
                size = {"people": people, "days": days}
                limit = float(options.seconds or 120)
                name = f"desk {people} × {days}{shared}"
                row = {"problem": name, "method": "ours", "seed": seed, "limit": limit}
                yield row | size, size | {"shared": options.shared}


def run(row: Row, asked: dict, threads: int) -> Row:
    """One solve in a process of its own."""
    request = asked | {k: row[k] for k in ("method", "seed")}
    request |= {"seconds": row["limit"], "threads": threads}
    command = [sys.executable, "-m", "benchmarks.rosters.one", json.dumps(request)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, timeout=2 * row["limit"] + GRACE, capture_output=True, text=True
        )
    except subprocess.TimeoutExpired:
        return completed(row | {"status": "given_up"})
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        return completed(row | {"status": "crashed"})
    return completed(row | json.loads(done.stdout.splitlines()[-1]))


def identity(row: Row) -> tuple:
    return tuple(row[name] for name in ("problem", "method", "seed", "limit"))


def main() -> None:
    options = read_options()
    kept = read_rows(options.out / "runs.csv") if options.out else []
    rows = [row for row in kept if row["status"] not in FAILED]
    done = {identity(row) for row in rows}
    for row, asked in planned(options):
        if identity(row) in done:
            continue
        row = run(row, asked, options.threads)
        rows.append(row)
        print(told(row), file=sys.stderr, flush=True)
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            write_row(options.out / "runs.csv", row)
            (options.out / "tables.md").write_text(tables(rows), encoding="utf-8")
    print(tables(rows))
    ours = [row for row in rows if row["method"] == "ours"]
    if any(row["cost"] is not None and not lawful(row) for row in ours):
        raise SystemExit("a roster of ours breaks a hard rule, or the judges disagree")


def told(row: Row) -> str:
    """A run in one line."""
    parts = [f"{row['problem']:>4} {row['method']:>8} seed {row['seed']} {row['status']}"]
    for name, text in (
        ("cost", "cost {:,}"), ("over", "{:.2f} % over"), ("bound", "bound {:,}"),
        ("gap", "gap {:.2f} %"), ("first", "first {:.1f} s"), ("took", "{:.1f} s"),
        ("memory", "{:.0f} MB"),
    ):  # fmt: skip
        if row[name] is not None:
            parts.append(text.format(row[name]))
    return ", ".join(parts) + ("" if row["cost"] is None or lawful(row) else " NOT LAWFUL")


if __name__ == "__main__":
    main()
