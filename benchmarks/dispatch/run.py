"""Promises kept on a real call log with thinned staff: the policies side by side.

Usage: python benchmarks/dispatch/run.py CALL_LOG.csv.gz [SEEDS]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import calls as log
import numpy as np

from wfm.dispatch.policy import POLICIES
from wfm.dispatch.replay import Decision, run

STAFF = (1.0, 0.8, 0.7)


def share(decisions: Sequence[Decision], which: Callable[[Decision], bool]) -> float:
    """Percent of the tickets that met their target."""
    chosen = [d.met for d in decisions if which(d)]
    return 100 * sum(chosen) / len(chosen)


def figures(decisions: Sequence[Decision]) -> dict[str, float]:
    waits = np.array([d.wait for d in decisions if d.wait is not None]) / log.SECOND
    return {
        "all %": share(decisions, lambda _: True),
        "priority %": share(decisions, lambda d: d.ticket.priority == 1),
        "others %": share(decisions, lambda d: d.ticket.priority != 1),
        "p95 s": float(np.percentile(waits, 95)),
        "mean s": float(waits.mean()),
        "longest s": float(waits.max()),
    }


def main() -> None:
    calls = log.read(Path(sys.argv[1]))
    seeds = range(1, 1 + int(sys.argv[2] if len(sys.argv) > 2 else 5))
    trace, agents = log.trace(calls), log.agents(calls)
    print(f"{len(calls)} calls, {len(agents)} agents")
    for staff in STAFF:
        for seed in seeds if staff < 1 else [1]:
            duties = log.duties(calls, staff, seed)
            for name in ("fifo", "priority", "deadline"):
                row = figures(run(trace, agents, duties, POLICIES[name]()))
                cells = "  ".join(f"{label} {value:7.1f}" for label, value in row.items())
                print(f"staff {100 * staff:3.0f} % seed {seed}  {name:8}  {cells}")


if __name__ == "__main__":
    main()
