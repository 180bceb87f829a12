"""The clock of the edge: the one place that asks what time it is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The present instant in UTC. Services take instants as arguments; edges call this."""
    return datetime.now(UTC)


def local_date(instant: datetime, timezone: str) -> date:
    """The calendar date of an instant in the desk's zone."""
    return instant.astimezone(ZoneInfo(timezone)).date()
