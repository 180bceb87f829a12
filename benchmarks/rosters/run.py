"""Run the roster benchmark: the public instances, and desk problems of our own.

python -m benchmarks.rosters.run [--instances 1,2,3] [--seconds 60] [--seeds 1,2,3] [--desk 20,120]

Every public roster is written as CSV and judged twice: by the product's judge and by
`benchmarks/rosters/judge.py`, which shares no code with it.
"""

from __future__ import annotations

import argparse
import csv
import resource
import tempfile
from pathlib import Path

from benchmarks.rosters.desk import desk_problem
from benchmarks.rosters.judge import judge
from scheduler.formats.nrp import read_problem, write_roster
from scheduler.result import Params
from scheduler.solve import solve
from scheduler.verify import verify

FOLDER = Path(__file__).parents[2] / "../shared/rosters"
SECONDS = {**dict.fromkeys((1, 2, 3, 4, 5, 7), 60), 9: 120, 11: 120, 13: 300, 15: 300, 17: 300,
           19: 300, 21: 300, 23: 600}  # fmt: skip


def run_public(number: int, seconds: float, seed: int, best_known: int) -> None:
    """One instance once; a line of figures."""
    instance = FOLDER / f"Instance{number}.txt"
    problem = read_problem(instance.read_text(encoding="utf-8"))
    result = solve(problem, Params(seconds=seconds, seed=seed))
    if result.roster is None:
        print(f"{number:>4} {seed:>4} {result.status}", flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "roster.csv"
        path.write_text(write_roster(problem, result.roster), encoding="utf-8")
        broken, cost = judge(instance, path)
    verdict = verify(problem, result.roster)
    if broken or cost != result.cost or not verdict.valid or verdict.cost != cost:
        raise SystemExit(f"instance {number}: judges disagree or a hard rule is broken: {broken}")
    over = 100 * (cost / best_known - 1)
    print(
        f"{number:>4} {seed:>4} {result.status:>9} {cost:>8} {over:>8.2f} % {result.bound:>7}"
        f" {result.seconds:>6.1f} s",
        flush=True,
    )


def run_desk(people: int, seconds: float, seed: int) -> None:
    """One desk problem of 28 days; a line of figures."""
    problem = desk_problem(people, 28, seed)
    firsts: list[float] = []
    result = solve(
        problem,
        Params(seconds=seconds, seed=seed),
        lambda progress: firsts.append(progress.seconds),
    )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"desk {people:>4} {seed:>4} {result.status:>9} cost {result.cost} bound {result.bound}"
        f" first {firsts[0] if firsts else 0:.1f} s, {result.seconds:.1f} s in all, {memory} MB",
        flush=True,
    )


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", type=numbers, default=list(SECONDS))
    parser.add_argument("--seconds", type=float, help="for all; by default by instance")
    parser.add_argument("--seeds", type=numbers, default=[1])
    parser.add_argument("--desk", type=numbers, default=[], help="sizes of desk problems")
    options = parser.parse_args()
    with (FOLDER / "published.csv").open(encoding="utf-8") as stream:
        best = {int(row["instance"]): int(row["best_known"]) for row in csv.DictReader(stream)}
    print("   # seed    status     cost  over best   bound   time")
    for number in options.instances:
        for seed in options.seeds:
            run_public(number, options.seconds or SECONDS[number], seed, best[number])
    for people in options.desk:
        for seed in options.seeds:
            run_desk(people, options.seconds or 60, seed)


if __name__ == "__main__":
    main()
