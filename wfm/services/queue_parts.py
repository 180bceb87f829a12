"""The waiting queue by skill and tier, with counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wfm.dispatch.model import Ticket
from wfm.services.replaying import TIERS
from wfm.words import Grade

GRADES = {tier: grade for grade, tier in TIERS.items()}


@dataclass(frozen=True)
class QueuePart:
    """All waiting tickets of a skill and a tier: how many, and how many of them at which risk."""

    skill: str
    tier: Grade
    waiting: int
    risks: dict[str, int]


def parts_of(waiting: Sequence[Ticket], risks: Mapping[str, str]) -> tuple[QueuePart, ...]:
    """The parts of a queue in its order: the one with the most urgent ticket comes first."""
    found: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    for one in waiting:
        found[one.skill, one.tier][risks[one.ticket_id]] += 1
    return tuple(
        QueuePart(skill, GRADES[tier], counts.total(), dict(counts))
        for (skill, tier), counts in found.items()
    )
