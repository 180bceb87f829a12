"""What a rule's judge gives back, and how amounts are counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

HOUR = 60


class Found(NamedTuple):
    """A breach before it has a rule's name and price; days by position."""

    agent: int | None
    days: tuple[int, ...]
    amount: int
    facts: dict[str, Any]


def begun(amount: int, unit: int) -> int:
    """Units begun: 61 minutes are two hours begun."""
    return -(-amount // unit)


def outside(
    agent: int, span: range, found: int, minimum: int | None, maximum: int | None, unit: int
) -> Iterator[Found]:
    """By how many units begun a figure is outside its limits."""
    if maximum is not None and found > maximum:
        facts = {"found": found, "limit": maximum}
        yield Found(agent, tuple(span), begun(found - maximum, unit), facts)
    if minimum is not None and found < minimum:
        facts = {"found": found, "limit": minimum}
        yield Found(agent, tuple(span), begun(minimum - found, unit), facts)
