"""What happens to a ticket, and what that does to its clocks, as data.

========================  ======================================================================
event                     what it does, unless a target says otherwise
========================  ======================================================================
``opened``                the ticket begins; first response and resolution wait from here
``customer_message``      next response waits, if it does not wait already
``agent_message``         answers: ends first response and next response
``pause``, ``resume``     hold and release every clock
``stop``                  the ticket is resolved: ends resolution, holds the others; callback waits
``reopen``                takes the stop back: the old clock goes on, or a new one begins
``callback``              the customer was asked how it went: ends callback
``cancel``                ends everything without a verdict
``sla_removed``           the ticket is promised nothing from here on
any, with ``targets``     the ticket is promised this from here on
========================  ======================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from wfm.errors import Fault, InputError
from wfm.sla.business_time import BusinessTime, second_of

Kinds = frozenset[str]


class Metric(StrEnum):
    """What a target measures."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"
    CALLBACK = "callback"


@dataclass(frozen=True, slots=True)
class Hold:
    """A reason for a clock to stand still, from any of `begins` to any of `ends`.

    While a `final` hold lasts nobody is expected to do anything: the clock counts as cancelled.
    """

    begins: Kinds
    ends: Kinds
    final: bool = False


PAUSED = Hold(frozenset({"pause"}), frozenset({"resume", "stop"}))
"""A ticket resolved in a pause is not paused when it is reopened."""
STOPPED = Hold(frozenset({"stop"}), frozenset({"reopen"}), final=True)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Kinds of events that move one clock.

    Parameters
    ----------
    starts, ends : frozenset of str
        Make the clock wait; end the waiting with a verdict.
    holds : tuple of Hold
        Time is not counted while any of them lasts.
    cancels : frozenset of str
        End the waiting without a verdict.
    resets : frozenset of str
        Count a wait from nothing again.
    reverts : frozenset of str
        Take the end back: the wait goes on (or begins anew, by the reopening policy).
    repeats : bool
        Whether the clock may start again once it has ended.
    """

    starts: Kinds
    ends: Kinds
    holds: tuple[Hold, ...] = (PAUSED, STOPPED)
    cancels: Kinds = frozenset()
    resets: Kinds = frozenset()
    reverts: Kinds = frozenset()
    repeats: bool = False
    kinds: Kinds = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = (self.starts, self.ends, self.cancels, self.resets, self.reverts)
        of_holds = (hold.begins | hold.ends for hold in self.holds)
        object.__setattr__(self, "kinds", frozenset().union(*parts, *of_holds))


RULES: dict[Metric, Conditions] = {
    Metric.FIRST_RESPONSE: Conditions(frozenset({"opened"}), frozenset({"agent_message"})),
    Metric.NEXT_RESPONSE: Conditions(
        frozenset({"customer_message"}), frozenset({"agent_message"}), repeats=True
    ),
    Metric.RESOLUTION: Conditions(
        frozenset({"opened"}), frozenset({"stop"}), reverts=frozenset({"reopen"})
    ),
    Metric.CALLBACK: Conditions(
        frozenset({"stop"}), frozenset({"callback"}), holds=(PAUSED,),
        cancels=frozenset({"reopen"}), repeats=True,
    ),
}  # fmt: skip
"""What moves a clock whose target does not say. Source: the way the public helpdesks count whose
cases the reference file gathers; callback: from the resolution, and not after a reopening."""

KINDS = frozenset({"opened", "cancel", "sla_removed"}).union(*(r.kinds for r in RULES.values()))

CHANGES = frozenset(
    {"priority_changed", "service_changed", "agreement_changed", "calendar_changed"}
)
"""What the timeline tells beside the targets that it changed."""

SAME = {
    "paused": "pause", "resumed": "resume", "resolved": "stop", "closed": "stop",
    "reopened": "reopen", "cancelled": "cancel", "called_back": "callback",
}  # fmt: skip
"""Words of a ticket's records for the same events."""

_SETS = ("starts", "ends", "cancels", "resets", "reverts")
_PARTS = (*_SETS, "holds", "repeats")


def conditions_from_dict(data: Mapping[str, object], metric: Metric) -> Conditions:
    """Conditions from plain data; parts that are not given are those of `RULES`.

    Parameters
    ----------
    data : mapping
        ``starts``, ``ends``, ``cancels``, ``resets``, ``reverts``: lists of kinds of events;
        ``holds``: a list of ``{"begins": [...], "ends": [...], "final": false}``; ``repeats``.

    Raises
    ------
    InputError
        A part is unknown or is not of its form, or a clock could never start or end.
    """
    usual = RULES[metric]
    unknown = [part for part in data if part not in _PARTS]
    if unknown:
        raise _fault("conditions", f"expected {', '.join(_PARTS)}", unknown[0])
    sets = {
        part: _kinds(data[part], part) if part in data else getattr(usual, part) for part in _SETS
    }
    holds = data.get("holds")
    if not isinstance(holds, list | None):
        raise _fault("holds", "expected a list of objects with begins and ends", holds)
    repeats = data.get("repeats", usual.repeats)
    if not isinstance(repeats, bool):
        raise _fault("repeats", "expected true or false", repeats)
    for part in ("starts", "ends"):
        if not sets[part]:
            raise _fault(part, "expected at least one kind of event", [])
    return Conditions(
        **sets, holds=usual.holds if holds is None else tuple(map(_hold, holds)), repeats=repeats
    )


def conditions_to_dict(conditions: Conditions) -> dict[str, object]:
    """The plain data that `conditions_from_dict` reads."""
    data: dict[str, object] = {part: sorted(getattr(conditions, part)) for part in _SETS}
    holds = [
        {"begins": sorted(hold.begins), "ends": sorted(hold.ends), "final": hold.final}
        for hold in conditions.holds
    ]
    return data | {"holds": holds, "repeats": conditions.repeats}


def _hold(data: object) -> Hold:
    if not isinstance(data, Mapping) or not isinstance(data.get("final", False), bool):
        raise _fault("holds", "expected an object with begins and ends", data)
    return Hold(
        _kinds(data.get("begins"), "holds.begins"), _kinds(data.get("ends"), "holds.ends"),
        bool(data.get("final", False)),
    )  # fmt: skip


def _kinds(value: object, column: str) -> Kinds:
    if not isinstance(value, list) or not all(isinstance(kind, str) for kind in value):
        raise _fault(column, "expected a list of kinds of events", value)
    return frozenset(value)


def _fault(column: str, expected: str, value: object) -> InputError:
    return InputError.of([Fault(expected, column=column, value=str(value)[:80])])


@dataclass(frozen=True, slots=True)
class ClockTarget:
    """A promise as a clock needs it.

    Parameters
    ----------
    metric : Metric
    limit_s : int
        Business seconds allowed, above 0, in `calendar`.
    calendar : BusinessTime
    slot : str
        Which of a ticket's agreements this belongs to. The clocks of a slot go on when another
        agreement takes its place.
    conditions : Conditions, optional
        What moves the clock; by default `RULES`.
    """

    metric: Metric
    limit_s: int
    calendar: BusinessTime
    slot: str = ""
    conditions: Conditions | None = None

    def __post_init__(self) -> None:
        if self.limit_s <= 0:
            fault = Fault(
                "expected a limit above 0 seconds", None, None, self.metric.value, str(self.limit_s)
            )
            raise InputError.of([fault])

    @property
    def key(self) -> tuple[str, Metric]:
        """Which of the ticket's clocks is measured against this."""
        return self.slot, self.metric

    @property
    def rule(self) -> Conditions:
        return self.conditions or RULES[self.metric]


@dataclass(frozen=True, slots=True)
class TicketEvent:
    """Something that happened to a ticket; `targets` when it changed what is promised."""

    at: datetime
    kind: str
    targets: tuple[ClockTarget, ...] | None = None

    def __post_init__(self) -> None:
        # in UTC, since two instants of one zone compare by their clock readings, and a reading
        # may occur twice
        second_of(self.at)
        object.__setattr__(self, "at", self.at.astimezone(UTC))


def by_key(targets: Iterable[ClockTarget]) -> dict[tuple[str, Metric], ClockTarget]:
    """Targets by the clock that is measured against them."""
    return {target.key: target for target in targets}
