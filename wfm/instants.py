"""The clock of the edge: the one place that asks what time it is."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from wfm.errors import Fault, InputError

# The sample desk lives on fixed dates, so that a seed gives the same figures on any day: its
# clock runs as fast as ours, this many seconds away from it.
OFFSET_VARIABLE = "WFM_CLOCK_OFFSET_S"


def now() -> datetime:
    """The present instant in UTC. Services take instants as arguments; edges call this.

    Raises
    ------
    InputError
        `WFM_CLOCK_OFFSET_S` is not a number of seconds, or leads out of the calendar.
    """
    offset = os.environ.get(OFFSET_VARIABLE, "").strip() or "0"
    try:
        return datetime.now(UTC) + timedelta(seconds=float(offset))
    except (ValueError, OverflowError) as error:
        expected = "expected a number of seconds, such as 86400 for a day ahead; unset it to use"
        raise InputError.of(
            [Fault(f"{expected} the real time", column=OFFSET_VARIABLE, value=offset)]
        ) from error


def local_date(instant: datetime, timezone: str) -> date:
    """The calendar date of an instant in the desk's zone."""
    return instant.astimezone(ZoneInfo(timezone)).date()
