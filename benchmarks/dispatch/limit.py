"""How far one could get knowing the future, and how much of the way there `deadline` goes.

The truth lies between a schedule that was found (`hindsight.py`) and a bound nothing can pass
(`bound.py`), both of which serve everybody within 1.1 times the longest wait of first come first
served in the same run. Takes about seven minutes a run.

Usage: python benchmarks/dispatch/limit.py CALL_LOG.csv.gz [STAFF] [SEEDS] [STEPS]
"""

from __future__ import annotations

import sys
from pathlib import Path

import bound
import calls as log
import hindsight
import numpy as np

from wfm.dispatch.policy import POLICIES
from wfm.dispatch.replay import run

STAFF = (0.8, 0.7)
SEEDS = (1, 2, 3, 4)
STEPS = 4_000_000
"""Attempts of the search in one run."""


def shares(path: Path, staff: float, seed: int, steps: int) -> dict[str, float]:
    """Percent within target: both policies, what was found, and the bound."""
    calls = log.read(path)
    trace, agents = log.trace(calls), log.agents(calls)
    duties = log.duties(calls, staff, seed)
    done = {name: run(trace, agents, duties, POLICIES[name]()) for name in ("fifo", "deadline")}
    longest = int(1.1 * max(d.wait for d in done["fifo"] if d.wait is not None)) // log.SECOND
    given = hindsight.work(trace, agents, duties, longest)
    made = hindsight.plan(done["deadline"], agents, given)
    first = made.start.copy()
    hindsight.improve(made, given, steps, seed)
    wrong = hindsight.faults(made, given)
    if wrong:
        raise AssertionError(wrong[0])
    least = 0
    came = given.opened // bound.DAY_S
    for number in bound.days(trace):
        day = bound.one_day(trace, duties, number, longest)
        start = first[came == number] - number * bound.DAY_S
        least += bound.bound(day, bound.tight(day, start))
    total = len(trace.tickets)
    late = {name: sum(not d.met for d in each) for name, each in done.items()}
    late |= {"found": int(hindsight.late(made, given).sum()), "bound": least}
    return {name: 100 - 100 * number / total for name, number in late.items()}


def told(row: dict[str, float]) -> str:
    gain = row["deadline"] - row["fifo"]
    way = {name: 100 * gain / (row[name] - row["fifo"]) for name in ("found", "bound")}
    cells = "  ".join(f"{name} {value:6.2f}" for name, value in row.items())
    return f"{cells}  way to found {way['found']:5.1f} %  to bound {way['bound']:5.1f} %"


def main() -> None:
    path, rest = Path(sys.argv[1]), sys.argv[2:]
    staffs = (float(rest[0]),) if rest else STAFF
    seeds = range(1, int(rest[1]) + 1) if len(rest) > 1 else SEEDS
    steps = int(rest[2]) if len(rest) > 2 else STEPS
    for staff in staffs:
        rows = []
        for seed in seeds:
            rows.append(shares(path, staff, seed, steps))
            print(f"staff {100 * staff:.0f} % seed {seed}  {told(rows[-1])}", flush=True)
        mean = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        print(f"staff {100 * staff:.0f} % mean    {told(mean)}", flush=True)


if __name__ == "__main__":
    main()
