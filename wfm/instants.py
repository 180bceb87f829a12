"""The clock of the edge: the one place that asks what time it is."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

# The sample desk lives on fixed dates, so that a seed gives the same figures on any day: its
# clock runs as fast as ours, this many seconds away from it.
OFFSET_VARIABLE = "WFM_CLOCK_OFFSET_S"


def now() -> datetime:
    """The present instant in UTC. Services take instants as arguments; edges call this."""
    return datetime.now(UTC) + timedelta(seconds=float(os.environ.get(OFFSET_VARIABLE, "0")))


def local_date(instant: datetime, timezone: str) -> date:
    """The calendar date of an instant in the desk's zone."""
    return instant.astimezone(ZoneInfo(timezone)).date()
