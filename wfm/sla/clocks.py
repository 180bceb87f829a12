"""Clocks: what a ticket's events say of each promise made for it.

Nothing is stored: replaying the events gives the state of every clock at any instant. A clock
runs while it *waits* and nothing *holds* it; what does which is data of its target, and by default
stands in `wfm.sla.tickets`. A ticket may have clocks of several agreements, each in its slot.

A change of targets keeps the waiting and the holds as they were: time already spent is counted
again in the new target's calendar, less the pauses already taken. A clock that is new on the
ticket is read as if it had been there from the opening. A verdict once given stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from wfm.sla.business_time import SECOND_US, Boundary, second_of
from wfm.sla.tickets import CHANGES, KINDS, RULES, ClockTarget, Metric, TicketEvent, by_key
from wfm.sla.waits import Clock, Exchange, Key, Reopening, begun, mark_of

__all__ = [
    "THRESHOLDS",
    "Exchange",
    "Key",
    "Reading",
    "Reopening",
    "Replay",
    "State",
    "TimelineEntry",
    "replay",
]


class State(StrEnum):
    """What a clock does at an instant."""

    IDLE = "idle"  # nothing is promised, or nobody waits
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    CANCELLED = "cancelled"


THRESHOLDS = (50, 75, 90, 100)
"""Percentages of a target at which somebody looks at the clock."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one clock shows at the instant asked for.

    Parameters
    ----------
    metric, state
        Which clock, and what it does.
    running : bool
        Time is being counted now, before the limit or past it.
    started_at, ended_at : datetime or None
        Of the wait now running, or else of the last one.
    due_at : datetime or None
        The last instant at which the promise is kept, by the pauses known so far; None while a
        pause lasts (nobody can know) unless it has passed already.
    limit_s, used_s, paused_s : int
        Business seconds allowed, used (a second begun is used) and held, in the target's calendar.
    used_us, paused_us : int
        The same in microseconds, exact.
    worst : Exchange or None
        The finished wait with the least margin.
    next_look_at : datetime or None
        The next instant at which the clock changes without an event: it reaches a threshold, or
        is breached.
    reached : tuple of (percent, instant)
        Thresholds that the wait shown has reached, in order.
    slot : str
        Of the agreement.
    """

    metric: Metric
    state: State
    running: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None
    due_at: datetime | None = None
    limit_s: int | None = None
    used_us: int = 0
    paused_us: int = 0
    worst: Exchange | None = None
    next_look_at: datetime | None = None
    reached: tuple[tuple[int, datetime], ...] = ()
    slot: str = ""

    @property
    def used_s(self) -> int:
        return begun(self.used_us)

    @property
    def paused_s(self) -> int:
        return self.paused_us // SECOND_US

    @property
    def percent(self) -> float | None:
        """Share of the limit used, in percent; above 100 when breached."""
        return None if self.limit_s is None else 100 * self.used_us / (self.limit_s * SECOND_US)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of a ticket's history: a code of `wfm.sla.words`, and what fills its gaps."""

    at: datetime
    code: str
    metric: Metric | None = None
    parameters: dict[str, int | str] = field(default_factory=dict)
    slot: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """All clocks of a ticket at one instant, and how they came to it."""

    clocks: dict[Key, Reading]
    timeline: tuple[TimelineEntry, ...]

    @property
    def readings(self) -> dict[Metric, Reading]:
        """The clocks of a ticket that is under one agreement, without a name."""
        return {metric: reading for (slot, metric), reading in self.clocks.items() if not slot}

    @property
    def next_look_at(self) -> datetime | None:
        looks = [r.next_look_at for r in self.clocks.values() if r.next_look_at is not None]
        return min(looks, default=None)


def replay(
    opened_at: datetime,
    targets: Iterable[ClockTarget],
    events: Iterable[TicketEvent],
    at: datetime,
    *,
    reopening: Reopening = Reopening.CONTINUE,
    boundary: Boundary = Boundary.CLOSE,
    thresholds: Sequence[int] = THRESHOLDS,
) -> Replay:
    """Read every clock of a ticket at the instant `at`.

    Parameters
    ----------
    opened_at : datetime
        When the ticket was opened; aware, as all instants.
    targets : iterable of ClockTarget
        What the ticket was promised when it was opened, at most one per slot and metric.
    events : iterable of TicketEvent
        In any order; of equal instants the first listed comes first. Later ones than `at` are
        not yet known. An unknown kind moves nothing and is noted in the timeline.
    at : datetime
        The instant to read the clocks at.
    reopening : Reopening
        Whether a reopened ticket goes on with its old resolution clock.
    boundary : Boundary
        Closing instant or next opening, for due times at the end of opening hours.
    thresholds : sequence of int
        Percentages of a target at which somebody looks at the clock.
    """
    second_of(at)  # refuses an instant without an offset
    at = at.astimezone(UTC)
    ticket = _Ticket(reopening, by_key(targets))
    first = TicketEvent(opened_at, "opened")
    for event in sorted([first, *events], key=lambda event: event.at):
        if event.at <= at:
            ticket.apply(event)
    clocks = {
        key: ticket.reading(clock, at, boundary, thresholds) for key, clock in ticket.clocks.items()
    }
    timeline = sorted([*ticket.timeline, *_breaches(clocks)], key=lambda entry: entry.at)
    return Replay(clocks, tuple(timeline))


def _breaches(clocks: dict[Key, Reading]) -> Iterator[TimelineEntry]:
    """The instants at which the waits now shown ran out."""
    for (slot, metric), reading in clocks.items():
        if reading.due_at is not None and reading.used_s > (reading.limit_s or 0):
            yield TimelineEntry(reading.due_at, "breached", metric, slot=slot)


class _Ticket:
    """All clocks of a ticket while its events are replayed."""

    def __init__(self, reopening: Reopening, targets: dict[Key, ClockTarget]) -> None:
        self.reopening = reopening
        self.targets = targets
        self.cancelled = False
        self.past: list[TicketEvent] = []
        self.timeline: list[TimelineEntry] = []
        nameless = not targets or any(not slot for slot, _ in targets)
        self.clocks = {
            ("", metric): Clock(("", metric), RULES[metric]) for metric in Metric if nameless
        }
        self.wind(targets)

    def wind(self, targets: dict[Key, ClockTarget]) -> None:
        """Clocks for these targets; a new one has seen all that happened before it came."""
        for key, target in targets.items():
            if key in self.clocks:
                self.clocks[key].rule = target.rule
                continue
            clock = self.clocks[key] = Clock(key, target.rule)
            for event in self.past:
                clock.apply(event, None, self.reopening)

    def apply(self, event: TicketEvent) -> None:
        if self.cancelled:
            return
        if event.kind == "sla_removed":
            self.targets = {}
        known = event.kind in KINDS or any(
            event.kind in clock.rule.kinds for clock in self.clocks.values()
        )
        entry = TimelineEntry(event.at, event.kind)
        if event.kind == "opened" and entry in self.timeline:
            pass  # it stands among the events of the ticket as well, and is told once
        elif known or event.kind in CHANGES:
            self.timeline.append(entry)
        elif event.targets is None:
            self.note(event.at, "ignored", kind=event.kind)
        if event.targets is not None:
            self.promise(event)
        if known:
            self.past.append(event)
            for key, clock in self.clocks.items():
                exchange = clock.apply(event, self.targets.get(key), self.reopening)
                if exchange is not None:
                    code = "met" if exchange.margin_s >= 0 else "late"
                    self.note(event.at, code, key, used_s=exchange.used_s, limit_s=exchange.limit_s)
        self.cancelled = event.kind == "cancel"

    def promise(self, event: TicketEvent) -> None:
        """Other targets: what was spent is counted again in the new calendar."""
        before, self.targets = self.targets, by_key(event.targets or ())
        self.wind(self.targets)
        for key, target in self.targets.items():
            if before.get(key) == target:
                continue
            us = self.clocks[key].counted_us(target.calendar, event.at, running=True)
            self.note(
                event.at, "target_changed", key, limit_s=target.limit_s, spent_s=us // SECOND_US
            )
        for key in before.keys() - self.targets.keys():
            self.note(event.at, "target_gone", key)

    def note(
        self, at: datetime, code: str, key: Key | None = None, **parameters: int | str
    ) -> None:
        slot, metric = key or ("", None)
        self.timeline.append(TimelineEntry(at, code, metric, parameters, slot))

    def reading(
        self, clock: Clock, at: datetime, boundary: Boundary, thresholds: Sequence[int]
    ) -> Reading:
        slot, metric = clock.key
        target = clock.judged or self.targets.get(clock.key)
        worst = min(clock.exchanges, key=lambda exchange: exchange.margin_s, default=None)
        if target is None or not clock.pieces:
            limit_s = None if target is None else target.limit_s
            return Reading(metric, State.IDLE, limit_s=limit_s, worst=worst, slot=slot)
        used_us = clock.counted_us(target.calendar, at, running=True)
        running = clock.waiting and not clock.holds
        return Reading(
            metric=metric,
            state=_state(clock, begun(used_us), target.limit_s, worst),
            running=running,
            started_at=clock.pieces[0].start,
            ended_at=clock.ended_at,
            due_at=clock.due(target, target.limit_s, boundary),
            limit_s=target.limit_s,
            used_us=used_us,
            paused_us=clock.counted_us(target.calendar, at, running=False),
            worst=worst,
            next_look_at=_next_look(clock, target, used_us, thresholds) if running else None,
            reached=tuple(clock.reached(target, used_us, thresholds)),
            slot=slot,
        )


def _state(clock: Clock, used_s: int, limit_s: int, worst: Exchange | None) -> State:
    if clock.cancelled:
        return State.CANCELLED
    if not clock.waiting:
        margin_s = worst.margin_s if worst else limit_s - used_s
        return State.MET if margin_s >= 0 else State.BREACHED
    if used_s > limit_s:
        return State.BREACHED
    if clock.finished:
        return State.CANCELLED  # the ticket is resolved: nobody waits for an answer
    return State.PAUSED if clock.holds else State.RUNNING


def _next_look(
    clock: Clock, target: ClockTarget, used_us: int, thresholds: Sequence[int]
) -> datetime | None:
    """The first threshold ahead, or the first second past the limit."""
    marks = [*(mark_of(target, percent) for percent in thresholds), target.limit_s + 1]
    ahead = min((mark for mark in marks if mark * SECOND_US > used_us), default=None)
    return None if ahead is None else clock.due(target, ahead, Boundary.CLOSE)
