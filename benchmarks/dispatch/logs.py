"""Promises kept on two real ticket logs with modelled effort: the policies side by side.

What is modelled and assumed stands in `records.py`.

Usage: python benchmarks/dispatch/logs.py FOLDER_OF_LOGS [SEEDS]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import records
from run import share

from wfm.dispatch.model import SECOND
from wfm.dispatch.policy import POLICIES
from wfm.dispatch.replay import Decision, run
from wfm.dispatch.report import report


def figures(desk: records.Desk, decisions: Sequence[Decision], duties: Sequence) -> dict:
    """Shares in percent, lateness in hours of business time; who is never served is counted."""
    served = [d for d in decisions if d.start is not None]
    late = desk.time.elapsed_many(
        [d.ticket.due_at // SECOND for d in served],
        [max(d.start, d.ticket.due_at) // SECOND for d in served],
    )
    told = report(decisions, desk.agents, duties)
    by_priority = {
        f"P{number} %": share(decisions, lambda d, number=number: d.ticket.priority == number)
        for number in sorted({d.ticket.priority for d in decisions})
    }
    return {
        "all %": share(decisions, lambda _: True),
        **by_priority,
        "late p95 h": float(np.percentile(late, 95)) / 3600,
        "late worst h": float(late.max()) / 3600,
        "expert lower %": 100 * (told.expert_lower_share or 0.0),
        "busy %": 100 * (told.utilisation or 0.0),
        "unserved": told.unserved,
    }


def main() -> None:
    seeds = range(1, 1 + int(sys.argv[2] if len(sys.argv) > 2 else 4))
    for path in sorted(Path(sys.argv[1]).glob("*.csv.gz")):
        reader = next((found for name, found in records.READERS.items() if name in path.name), None)
        if reader is None:
            continue
        read, first, last, factors = reader
        desk = records.Desk(read(path), first, last)
        tiers = {grade: sum(a.grade == grade for a in desk.agents) for grade in (1, 2, 3)}
        print(f"{desk.name}: {len(desk.trace().tickets)} tickets, people by line {tiers}")
        for factor in factors:
            trace = desk.trace(factor)
            for name in ("fifo", "priority", "deadline"):
                rows = []
                for seed in seeds:
                    duties = desk.duties(seed)
                    decisions = run(trace, desk.agents, duties, POLICIES[name]())
                    rows.append(figures(desk, decisions, duties))
                means = {label: np.mean([row[label] for row in rows]) for label in rows[0]}
                cells = "  ".join(f"{label} {value:6.1f}" for label, value in means.items())
                print(f"effort x {factor:.2f}  {name:8}  {cells}")


if __name__ == "__main__":
    main()
