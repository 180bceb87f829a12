"""Rules around the grades: what becomes of a case, the cycle, fairness between groups."""

from __future__ import annotations

from dataclasses import dataclass

from grading.toml import Table


@dataclass(frozen=True, slots=True)
class CycleRules:
    """How long the steps of a cycle take, and which grade needs two signatures.

    Parameters
    ----------
    review_days, publish_days : int
        Working days leads have to sign, and working days a result stands published, open to
        appeal, before it takes effect.
    second_signature : str
        The grade that takes two different persons to give.
    """

    review_days: int
    publish_days: int
    second_signature: str
    source: str


@dataclass(frozen=True, slots=True)
class EventRules:
    """What serious events of the period do.

    Parameters
    ----------
    bars_rise_from : int
        From this many on nobody rises, whatever the criteria say.
    """

    bars_rise_from: int
    source: str


@dataclass(frozen=True, slots=True)
class FairnessRules:
    """Between which groups outcomes are compared, and when a difference wants an answer.

    Parameters
    ----------
    columns : tuple of str
    least_ratio : float
        Below this share of the best group's share (0–1) …
    level : float
        … and with an exact p-value below this, a group is flagged.
    least_group : int
        Groups of fewer people are shown and never flagged.
    """

    columns: tuple[str, ...]
    least_ratio: float
    level: float
    least_group: int
    source: str


@dataclass(frozen=True, slots=True)
class ResolutionRules:
    """When a reopening counts against, and which cases are hard.

    Parameters
    ----------
    reopened_within_days : int
        A case reopened later than this after it was resolved is a new request, no fault.
    hard_from : float
        A case of this difficulty or more is hard …
    hard_tiers : tuple of str
        … and so is one of these tiers.
    """

    reopened_within_days: int
    hard_from: float
    hard_tiers: tuple[str, ...]
    source: str


def read_cycle(table: Table) -> CycleRules:
    return CycleRules(
        review_days=table.whole("review_days", 1, 366),
        publish_days=table.whole("publish_days", 1, 366),
        second_signature=table.choice("second_signature", ("senior", "expert")),
        source=table.text("source"),
    )


def read_events(root: Table) -> EventRules:
    """The rule may be left out; then a single event bars a rise."""
    if not root.has("serious_events"):
        return EventRules(1, "")
    table = root.table("serious_events")
    return EventRules(table.whole("bars_rise_from", 1, 1000), table.text("source"))


def read_fairness(table: Table) -> FairnessRules:
    return FairnessRules(
        columns=table.texts("columns"),
        least_ratio=table.number("least_ratio", 0, 1),
        level=table.number("level", 0, 1),
        least_group=table.whole("least_group", 1, 1_000_000),
        source=table.text("source"),
    )


def read_resolution(table: Table) -> ResolutionRules:
    return ResolutionRules(
        reopened_within_days=table.whole("reopened_within_days", 0, 3660),
        hard_from=table.number("hard_from"),
        hard_tiers=table.words("hard_tiers", ("ordinary", "senior", "expert")),
        source=table.text("source"),
    )
