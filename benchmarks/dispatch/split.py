"""The numbers of `deadline` chosen on some days and seeds, its gain reported on others.

The whole log is replayed and the callers counted by the day they came: every other day, from the
first on, for choosing, with seeds 1 to 4; the days between for reporting, with seeds 1001 to 1008.
The longest wait is told for the days counted and, where it is reported, for the whole log as well.

Usage: python benchmarks/dispatch/split.py CALL_LOG.csv.gz [choose]
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from itertools import product
from pathlib import Path

import calls as log
import numpy as np
from run import share

from wfm.dispatch.policy import Deadline, Fifo, Policy
from wfm.dispatch.replay import Decision, run

DAY = 86_400 * log.SECOND
STAFF = (0.8, 0.7)
CHOOSING_SEEDS = range(1, 5)
REPORTING_SEEDS = range(1001, 1009)
CAPS_S = (150, 250, 400)
HOLDS_S = (300, 450, 600)


def halves(days: Collection[int]) -> tuple[set[int], set[int]]:
    """The days for choosing and those for reporting, turn by turn."""
    ordered = sorted(days)
    return set(ordered[::2]), set(ordered[1::2])


def on(decisions: Sequence[Decision], days: Collection[int]) -> list[Decision]:
    """What became of those who came on these days."""
    return [d for d in decisions if d.ticket.opened_at // DAY in days]


def longest(decisions: Sequence[Decision]) -> int:
    return max(d.wait for d in decisions if d.wait is not None)


class Bench:
    """The log with first come first served beside each policy, run by run."""

    def __init__(self, path: Path) -> None:
        self.calls = log.read(path)
        self.trace, self.agents = log.trace(self.calls), log.agents(self.calls)
        days = {ticket.opened_at // DAY for ticket in self.trace.tickets}
        self.choosing, self.reporting = halves(days)
        self.fifo: dict[tuple[float, int], list[Decision]] = {}

    def pairs(
        self, policy: Policy, staff: float, seeds: Collection[int]
    ) -> list[tuple[list[Decision], list[Decision]]]:
        """First come first served, and the policy, for each seed."""
        found = []
        for seed in seeds:
            duties = log.duties(self.calls, staff, seed)
            if (staff, seed) not in self.fifo:
                self.fifo[staff, seed] = run(self.trace, self.agents, duties, Fifo())
            found.append((self.fifo[staff, seed], run(self.trace, self.agents, duties, policy)))
        return found

    def tell(
        self, policy: Policy, staff: float, days: Collection[int], seeds: Collection[int]
    ) -> str:
        """Share within target beside that of first come first served, and the longest wait."""
        rows, log_wide = [], []
        for whole in self.pairs(policy, staff, seeds):
            fifo, ours = (on(decisions, days) for decisions in whole)
            rows.append(
                [share(d, lambda _: True) for d in (fifo, ours)]
                + [share(d, lambda each: each.ticket.priority == 1) for d in (fifo, ours)]
                + [longest(ours) / longest(fifo)]
            )
            log_wide.append(longest(whole[1]) / longest(whole[0]))
        table = np.array(rows)
        mean = table.mean(axis=0)
        least = (table[:, 1] - table[:, 0]).min(), (table[:, 3] - table[:, 2]).min()
        return (
            f"all {mean[0]:5.2f} -> {mean[1]:5.2f} (least gain {least[0]:4.1f})  "
            f"priority {mean[2]:4.1f} -> {mean[3]:4.1f} (least gain {least[1]:4.1f})  "
            f"longest wait x {table[:, 4].max():4.2f}, whole log x {max(log_wide):4.2f}"
        )


def main() -> None:
    bench = Bench(Path(sys.argv[1]))
    if "choose" in sys.argv[2:]:
        for staff, cap, hold in product(STAFF, CAPS_S, HOLDS_S):
            policy = Deadline(cap_per_agent_s=cap, hold_s=hold)
            told = bench.tell(policy, staff, bench.choosing, CHOOSING_SEEDS)
            print(f"choosing, staff {100 * staff:.0f} %, cap {cap} s, hold {hold} s: {told}")
    for staff in STAFF:
        told = bench.tell(Deadline(), staff, bench.reporting, REPORTING_SEEDS)
        print(f"reporting, staff {100 * staff:.0f} %: {told}")


if __name__ == "__main__":
    main()
