"""Who is told that a clock reached a threshold, and when: once for each wait, and not at night.

A threshold is raised when the calendar of the promise is open, or at once where the policy says
so; one that is reached at closing time itself is raised in that minute. What is held back waits
for the next opening. A wait that goes on raises every threshold it has passed; one that has ended
only those of the last day, since nothing can be done for it any more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from wfm.errors import Fault, InputError
from wfm.sla.business_time import BusinessTime
from wfm.sla.clocks import Reading, State

GRACE = timedelta(minutes=1)
RECENT = timedelta(days=1)
ROLES = ("owner", "dispatcher", "lead", "service_manager")
TIERS = ("senior", "expert")


@dataclass(frozen=True, slots=True)
class Step:
    """At `percent` of a target `tell` somebody; `raise_to` is the tier the ticket then needs."""

    percent: int
    tell: str
    raise_to: str | None = None


USUAL = (
    Step(50, "owner"), Step(75, "dispatcher"), Step(90, "lead"), Step(100, "service_manager"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Due:
    """A threshold to raise now."""

    step: Step
    reached_at: datetime


def steps_from_list(data: Sequence[Mapping[str, object]]) -> tuple[Step, ...]:
    """Steps from plain data; `USUAL` when there are none.

    Raises
    ------
    InputError
        A percentage outside 1–1000 or given twice, or somebody or a tier that is not known.
    """
    if not data:
        return USUAL
    steps: list[Step] = []
    faults: list[Fault] = []
    for item in data:
        percent, tell, tier = item.get("percent"), item.get("tell"), item.get("raise_to")
        if not isinstance(percent, int) or isinstance(percent, bool) or not 1 <= percent <= 1000:
            faults.append(Fault("expected 1 to 1000", column="percent", value=str(percent)))
        elif tell not in ROLES:
            expected = f"expected one of {', '.join(ROLES)}"
            faults.append(Fault(expected, column="tell", value=str(tell)))
        elif tier is not None and tier not in TIERS:
            expected = f"expected one of {', '.join(TIERS)}"
            faults.append(Fault(expected, column="raise_to", value=str(tier)))
        elif percent in [step.percent for step in steps]:
            faults.append(Fault("this percentage occurs twice", column="percent",
                                value=str(percent)))  # fmt: skip
        else:
            steps.append(Step(percent, str(tell), str(tier) if tier else None))
    if faults:
        raise InputError.of(faults)
    return tuple(sorted(steps, key=lambda step: step.percent))


def due_now(
    reading: Reading,
    calendar: BusinessTime,
    steps: Sequence[Step],
    raised: Collection[int],
    at: datetime,
    *,
    at_night: bool = False,
) -> tuple[list[Due], datetime | None]:
    """What to raise at `at`, and when to look again for what is held back until then.

    Parameters
    ----------
    reading : Reading
        The clock, read at `at` with the percentages of `steps` as its thresholds.
    calendar : BusinessTime
        Opening hours of the promise.
    steps : sequence of Step
    raised : collection of int
        Percentages raised before in the same wait.
    at_night : bool
        Whether closed hours count for nothing.
    """
    goes_on = reading.running or reading.state is State.PAUSED
    by_percent = {step.percent: step for step in steps}
    due, held = [], False
    for percent, reached_at in reading.reached:
        if percent in raised or percent not in by_percent:
            continue
        if not goes_on and at - reached_at > RECENT:
            continue
        if at_night or at - reached_at <= GRACE or calendar.is_open(at):
            due.append(Due(by_percent[percent], reached_at))
        else:
            held = True
    return due, calendar.next_opening(at) if held else None
