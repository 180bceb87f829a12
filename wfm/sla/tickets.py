"""What happens to a ticket, and what that does to its clocks, as data.

========================  ======================================================================
event                     what it does
========================  ======================================================================
``opened``                the ticket begins; first response and resolution wait from here
``customer_message``      next response waits, if it does not wait already
``agent_message``         answers: ends first response and next response
``pause``, ``resume``     hold and release every clock
``stop``                  the ticket is resolved: ends resolution, holds the others
``reopen``                takes the stop back: the old clock goes on, or a new one begins
``cancel``                ends everything without a verdict
``sla_removed``           the ticket is promised nothing from here on
any, with ``targets``     the ticket is promised this from here on
========================  ======================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wfm.errors import Fault, InputError
from wfm.sla.business_time import BusinessTime, instant_of, second_of


class Metric(StrEnum):
    """What a target measures."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"


@dataclass(frozen=True, slots=True)
class ClockRule:
    """Kinds of events that make a clock wait and that end the waiting."""

    starts: frozenset[str]
    ends: frozenset[str]
    repeats: bool = False


RULES: dict[Metric, ClockRule] = {
    Metric.FIRST_RESPONSE: ClockRule(frozenset({"opened"}), frozenset({"agent_message"})),
    Metric.NEXT_RESPONSE: ClockRule(
        frozenset({"customer_message"}), frozenset({"agent_message"}), repeats=True
    ),
    Metric.RESOLUTION: ClockRule(frozenset({"opened"}), frozenset({"stop"})),
}
"""Source: the way the public helpdesks count whose cases the reference file gathers."""

HOLDS = {"pause": "paused", "stop": "stopped"}
RELEASES = {"resume": "paused", "reopen": "stopped"}
KINDS = frozenset(
    {"opened", "customer_message", "agent_message", "cancel", "sla_removed", *HOLDS, *RELEASES}
)


@dataclass(frozen=True, slots=True)
class ClockTarget:
    """A promise as a clock needs it: at most `limit_s` business seconds (> 0) of a calendar."""

    metric: Metric
    limit_s: int
    calendar: BusinessTime

    def __post_init__(self) -> None:
        if self.limit_s <= 0:
            fault = Fault(
                "expected a limit above 0 seconds", None, None, self.metric.value, str(self.limit_s)
            )
            raise InputError.of([fault])


@dataclass(frozen=True, slots=True)
class TicketEvent:
    """Something that happened to a ticket; `targets` when it changed what is promised."""

    at: datetime
    kind: str
    targets: tuple[ClockTarget, ...] | None = None

    def __post_init__(self) -> None:
        # in UTC, since two instants of one zone compare by their clock readings, and a reading
        # may occur twice
        object.__setattr__(self, "at", instant_of(second_of(self.at)))
