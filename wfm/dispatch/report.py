"""What a replay says: promises kept with intervals, waits, use of people."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TypeVar

import numpy as np

from wfm.dispatch.model import EXPERT, GRADES, SECOND, Agent
from wfm.dispatch.replay import Decision, Duty, joined

Label = TypeVar("Label", int, str)
SLOT = 1800 * SECOND
Z95 = 1.959963984540054  # two-sided 95 % point of the normal distribution


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the tickets met their target; with nobody to count the share is None."""

    tickets: int
    served: int
    met: int

    @property
    def value(self) -> float | None:
        """Met of all tickets; those nobody served count as missed."""
        return self.met / self.tickets if self.tickets else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the share: Wilson, J. Am. Stat. Assoc. 22 (1927) 209–212."""
        if not self.tickets:
            return None
        n, p, zz = self.tickets, self.met / self.tickets, Z95 * Z95
        middle = (p + zz / (2 * n)) / (1 + zz / n)
        half = Z95 / (1 + zz / n) * sqrt(p * (1 - p) / n + zz / (4 * n * n))
        # rounding must not push the ends past what was seen
        return max(0.0, min(p, middle - half)), min(1.0, max(p, middle + half))


@dataclass(frozen=True, slots=True)
class Report:
    """Figures of one replay; times in seconds.

    `per_interval` is by the half-hour in which tickets were opened: its begin, microseconds.
    `utilisation` is work within duties over capacity within duties; `overrun_s` the work after
    the end of a duty; `expert_lower_share` the share of the experts' work that a lower grade
    might have done. What cannot be told (nobody served, no duty, no expert) is None.
    """

    overall: Share
    per_priority: dict[int, Share]
    per_skill: dict[str, Share]
    per_tier: dict[str, Share]
    per_interval: dict[int, Share]
    waits: dict[str, float | None]
    abandoned: int
    unserved: int
    utilisation: float | None
    overrun_s: float
    expert_lower_s: float
    expert_lower_share: float | None
    reasons: dict[str, int]


def report(
    decisions: Sequence[Decision], agents: Iterable[Agent], duties: Iterable[Duty]
) -> Report:
    """Sum a replay up.

    Parameters
    ----------
    decisions : sequence of Decision
    agents, duties
        As given to the replay.
    """
    people = {agent.agent_id: agent for agent in agents}
    spans = joined(duties)
    reasons = Counter(decision.turn for decision in decisions)
    worked = within = lower = expert = 0
    for decision in decisions:
        if decision.agent_id is None or decision.start is None or decision.end is None:
            continue
        busy = decision.end - decision.start
        worked += busy
        within += _overlap(spans[decision.agent_id], decision.start, decision.end)
        if people[decision.agent_id].grade == EXPERT:
            expert += busy
            lower += busy if decision.ticket.tier < EXPERT else 0
    room = sum(
        (end - start) * people[agent_id].capacity
        for agent_id, mine in spans.items()
        for start, end in mine
    )
    return Report(
        overall=_shares(decisions, lambda _: 0).get(0, Share(0, 0, 0)),
        per_priority=_shares(decisions, lambda d: d.ticket.priority),
        per_skill=_shares(decisions, lambda d: d.ticket.skill),
        per_tier={
            GRADES[tier - 1]: share
            for tier, share in _shares(decisions, lambda d: d.ticket.tier).items()
        },
        per_interval=_shares(decisions, lambda d: d.ticket.opened_at // SLOT * SLOT),
        waits=_waits(decisions),
        abandoned=reasons["customer_left"],
        unserved=sum(decision.agent_id is None for decision in decisions),
        utilisation=within / room if room else None,
        overrun_s=(worked - within) / SECOND,
        expert_lower_s=lower / SECOND,
        expert_lower_share=lower / expert if expert else None,
        reasons=dict(sorted(reasons.items())),
    )


def _shares(
    decisions: Iterable[Decision], label: Callable[[Decision], Label]
) -> dict[Label, Share]:
    counts: dict[Label, list[int]] = defaultdict(lambda: [0, 0, 0])
    for decision in decisions:
        count = counts[label(decision)]
        count[0] += 1
        count[1] += decision.start is not None
        count[2] += decision.met
    return {name: Share(*counts[name]) for name in sorted(counts)}


def _overlap(spans: Sequence[tuple[int, int]], start: int, end: int) -> int:
    """Time of start … end inside ascending spans; the start lies in one of them."""
    first = bisect_right(spans, start, key=lambda span: span[0]) - 1
    total = 0
    for low, high in spans[first:]:
        if low >= end:
            break
        total += min(end, high) - max(start, low)
    return total


def _waits(decisions: Iterable[Decision]) -> dict[str, float | None]:
    waits = [decision.wait / SECOND for decision in decisions if decision.wait is not None]
    if not waits:
        return {"mean": None, "p50": None, "p95": None, "max": None}
    half, most = np.percentile(waits, [50, 95])
    return {
        "mean": float(np.mean(waits)), "p50": float(half), "p95": float(most), "max": max(waits),
    }  # fmt: skip
