"""Figures of replays: those of each replication, and what all of them together say.

A replication's figures are plain numbers, so that workers can play replications side by side and
whoever comes last sums them up: the outcome is the same, to the last digit, as from one worker.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from math import sqrt
from statistics import fmean, stdev
from typing import Any
from zoneinfo import ZoneInfo

from scipy.stats import t as student

from wfm.dispatch.model import GRADES, SECOND
from wfm.dispatch.replay import Decision
from wfm.dispatch.report import Report, Share

SLOT_S = 1800
LISTED = 10  # half-hours named
SHARES = ("per_skill", "per_tier", "per_priority", "per_day")


@dataclass(frozen=True)
class Shares:
    """Promises kept: the mean over replications with its 95 % interval (Student's t)."""

    mean: float
    low: float
    high: float
    tickets: float


def figures(decisions: Sequence[Decision], said: Report, timezone: str) -> dict[str, Any]:
    """One replication in numbers that a job can keep."""
    by_name: dict[str, Mapping[Any, Share]] = {
        "per_skill": said.per_skill, "per_tier": said.per_tier,
        "per_priority": said.per_priority, "per_day": _per_day(decisions, timezone),
    }  # fmt: skip
    return {
        "overall": asdict(said.overall),
        **{
            part: {str(name): asdict(share) for name, share in shares.items()}
            for part, shares in by_name.items()
        },
        "slots": _per_slot(decisions),
        "wait_p50_s": said.waits["p50"] or 0,
        "wait_p95_s": said.waits["p95"] or 0,
        "utilisation": said.utilisation or 0,
        "expert_lower_share": said.expert_lower_share or 0,
    }


def outcome(
    runs: Sequence[Mapping[str, Any]], agreed: float, policy: str, seed: int, timezone: str
) -> dict[str, Any]:
    """Replications summed up as they are stored beside a draft and shown."""
    overall = shares([Share(**run["overall"]) for run in runs])
    return {
        "policy": policy,
        "seed": seed,
        "replications": len(runs),
        "agreed_share": agreed,
        "share_met": overall.mean,
        "share_low": overall.low,
        "share_high": overall.high,
        "tickets": overall.tickets,
        **{part: _by([run[part] for run in runs]) for part in SHARES},
        "failing": failing([run["slots"] for run in runs], agreed, timezone),
        **{
            name: fmean(run[name] for run in runs)
            for name in ("wait_p50_s", "wait_p95_s", "utilisation", "expert_lower_share")
        },
    }


def _per_slot(decisions: Sequence[Decision]) -> list[list[Any]]:
    """Half-hour, skill and tier with the tickets that came and those served in time."""
    counts: dict[tuple[int, str, int], list[int]] = defaultdict(lambda: [0, 0])
    for decision in decisions:
        ticket = decision.ticket
        count = counts[ticket.opened_at // SECOND // SLOT_S, ticket.skill, ticket.tier]
        count[0] += 1
        count[1] += decision.met
    return [[*key, *count] for key, count in sorted(counts.items())]


def failing(
    runs: Sequence[Sequence[Sequence[Any]]], agreed: float, timezone: str
) -> list[dict[str, Any]]:
    """Half-hours that miss the agreed share beyond chance, those missing most tickets first."""
    zone = ZoneInfo(timezone)
    counts: dict[tuple[int, str, int], list[int]] = defaultdict(lambda: [0, 0])
    for slot, skill, tier, tickets, met in (line for slots in runs for line in slots):
        count = counts[slot, skill, tier]
        count[0] += tickets
        count[1] += met
    short = []
    for (slot, skill, tier), (tickets, met) in counts.items():
        low, high = Share(tickets, tickets, met).interval or (0.0, 1.0)
        if high < agreed:
            short.append((met - agreed * tickets, slot, skill, tier, met / tickets, low, high))
    found = []
    for _, slot, skill, tier, share, low, high in sorted(short)[:LISTED]:
        begins = datetime.fromtimestamp(slot * SLOT_S, zone)
        found.append(
            {
                "skill": skill, "tier": GRADES[tier - 1], "day": begins.date().isoformat(),
                "minute": begins.hour * 60 + begins.minute, "share": share, "low": low,
                "high": high,
            }
        )  # fmt: skip
    return found


def shares(seen: Sequence[Share]) -> Shares:
    """Mean share over replications and its 95 % interval; one replication has Wilson's."""
    values = [share.value for share in seen if share.value is not None]
    tickets = fmean(share.tickets for share in seen) if seen else 0.0
    if not values:
        return Shares(0.0, 0.0, 0.0, tickets)
    mean = fmean(values)
    half = _half(values)
    if half is None:
        low, high = next(share.interval for share in seen if share.tickets) or (0.0, 1.0)
        return Shares(mean, low, high, tickets)
    return Shares(mean, max(0.0, mean - half), min(1.0, mean + half), tickets)


def over_replications(runs: Sequence[Report]) -> dict[str, Any]:
    """Means over replications with 95 % intervals (Student's t), of all that a replay tells."""

    def told(values: Sequence[float | None]) -> dict[str, float | None]:
        known = [value for value in values if value is not None]
        if not known:
            return {"mean": None, "low": None, "high": None}
        mean, half = fmean(known), _half(known)
        low, high = (None, None) if half is None else (mean - half, mean + half)
        return {"mean": mean, "low": low, "high": high}

    parts = {}
    for part in ("per_priority", "per_skill", "per_tier"):
        named = [{str(name): share for name, share in getattr(r, part).items()} for r in runs]
        names = sorted({name for shares_ in named for name in shares_})
        none = Share(0, 0, 0)
        parts[part] = {
            name: asdict(shares([one.get(name, none) for one in named])) for name in names
        }
    tickets = [run.overall.tickets for run in runs]
    return {
        "replications": len(runs),
        "share_within_target": asdict(shares([run.overall for run in runs])),
        **parts,
        "waits": {name: told([run.waits[name] for run in runs]) for name in runs[0].waits},
        "utilisation": told([run.utilisation for run in runs]),
        "expert_on_lower_tier_share": told([run.expert_lower_share for run in runs]),
        "abandoned_share": told(
            [run.abandoned / n if n else None for run, n in zip(runs, tickets, strict=True)]
        ),
    }


def _half(values: Sequence[float]) -> float | None:
    """Half of the 95 % interval of a mean; a single value has none."""
    if len(values) < 2:
        return None
    return float(student.ppf(0.975, len(values) - 1)) * stdev(values) / sqrt(len(values))


def _by(parts: Sequence[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, float]]:
    names = sorted({name for part in parts for name in part})
    none = {"tickets": 0, "served": 0, "met": 0}
    return {
        name: asdict(shares([Share(**part.get(name, none)) for part in parts])) for name in names
    }


def _per_day(decisions: Sequence[Decision], timezone: str) -> dict[str, Share]:
    zone = ZoneInfo(timezone)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for decision in decisions:
        opened = datetime.fromtimestamp(decision.ticket.opened_at / SECOND, zone)
        count = counts[opened.date().isoformat()]
        count[0] += 1
        count[1] += decision.start is not None
        count[2] += decision.met
    return {day: Share(*count) for day, count in counts.items()}
