"""Clocks: what a ticket's events say of each promise made for it.

Nothing is stored: replaying the events gives the state of every clock at any instant. A clock
runs while it *waits* and nothing *holds* it; what does which stands in `wfm.sla.tickets`.

A change of targets keeps the waiting and the holds as they were: time already spent is counted
again in the new target's calendar, less the pauses already taken. A verdict once given stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from wfm.sla.business_time import Boundary, BusinessTime, instant_of, second_of
from wfm.sla.tickets import HOLDS, KINDS, RELEASES, RULES, ClockTarget, Metric, TicketEvent


class State(StrEnum):
    """What a clock does at an instant."""

    IDLE = "idle"  # nothing is promised, or nobody waits
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    CANCELLED = "cancelled"


class Reopening(StrEnum):
    """What reopening a ticket does to its resolution clock."""

    CONTINUE = "continue"
    RESTART = "restart"


THRESHOLDS = (50, 75, 90, 100)
"""Percentages of a target at which somebody looks at the clock."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One finished wait: business seconds used, and those allowed."""

    used_s: int
    limit_s: int

    @property
    def margin_s(self) -> int:
        return self.limit_s - self.used_s


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
        Business seconds allowed, used and held, in the target's calendar.
    worst : Exchange or None
        The finished wait with the least margin.
    next_look_at : datetime or None
        The next instant at which the clock changes without an event: it reaches a threshold, or
        is breached.
    """

    metric: Metric
    state: State
    running: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None
    due_at: datetime | None = None
    limit_s: int | None = None
    used_s: int = 0
    paused_s: int = 0
    worst: Exchange | None = None
    next_look_at: datetime | None = None

    @property
    def percent(self) -> float | None:
        """Share of the limit used, in percent; above 100 when breached."""
        return None if self.limit_s is None else 100 * self.used_s / self.limit_s


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of a ticket's history: a code of `wfm.sla.words`, and what fills its gaps."""

    at: datetime
    code: str
    metric: Metric | None = None
    parameters: dict[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Replay:
    """All clocks of a ticket at one instant, and how they came to it."""

    readings: dict[Metric, Reading]
    timeline: tuple[TimelineEntry, ...]

    @property
    def next_look_at(self) -> datetime | None:
        looks = [r.next_look_at for r in self.readings.values() if r.next_look_at is not None]
        return min(looks, default=None)


def replay(
    opened_at: datetime,
    targets: Iterable[ClockTarget],
    events: Iterable[TicketEvent],
    at: datetime,
    *,
    reopening: Reopening = Reopening.CONTINUE,
    boundary: Boundary = Boundary.CLOSE,
) -> Replay:
    """Read every clock of a ticket at the instant `at`.

    Parameters
    ----------
    opened_at : datetime
        When the ticket was opened; aware, as all instants.
    targets : iterable of ClockTarget
        What the ticket was promised when it was opened, at most one per metric.
    events : iterable of TicketEvent
        In any order; of equal instants the first listed comes first. Later ones than `at` are
        not yet known. An unknown kind moves nothing and is noted in the timeline.
    at : datetime
        The instant to read the clocks at.
    reopening : Reopening
        Whether a reopened ticket goes on with its old resolution clock.
    boundary : Boundary
        Closing instant or next opening, for due times at the end of opening hours.
    """
    at = instant_of(second_of(at))
    ticket = _Ticket(reopening, _by_metric(targets))
    first = TicketEvent(opened_at, "opened")
    for event in sorted([first, *events], key=lambda event: event.at):
        if event.at <= at:
            ticket.apply(event)
    readings = {
        metric: ticket.reading(clock, at, boundary) for metric, clock in ticket.clocks.items()
    }
    timeline = sorted([*ticket.timeline, *_breaches(readings)], key=lambda entry: entry.at)
    return Replay(readings, tuple(timeline))


def _breaches(readings: dict[Metric, Reading]) -> Iterator[TimelineEntry]:
    """The instants at which the waits now shown ran out."""
    for metric, reading in readings.items():
        if reading.due_at is not None and reading.used_s > (reading.limit_s or 0):
            yield TimelineEntry(reading.due_at, "breached", metric)


def _by_metric(targets: Iterable[ClockTarget]) -> dict[Metric, ClockTarget]:
    return {target.metric: target for target in targets}


@dataclass(slots=True)
class _Piece:
    """A stretch of a wait in which time was counted, or was not."""

    start: datetime
    running: bool
    end: datetime | None = None


class _Clock:
    """One clock while the events are replayed: a wait is a row of pieces."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.rule = RULES[metric]
        self.waiting = False
        self.ended_at: datetime | None = None
        self.pieces: list[_Piece] = []
        self.exchanges: list[Exchange] = []
        self.judged: ClockTarget | None = None  # what the last wait was judged by, once ended

    def begin(self, at: datetime, running: bool) -> None:
        self.waiting, self.ended_at, self.judged = True, None, None
        self.pieces = [_Piece(at, running)]

    def switch(self, at: datetime, running: bool) -> None:
        """Count from here on, or count no longer."""
        if self.pieces and self.pieces[-1].running != running:
            self.pieces[-1].end = at
            self.pieces.append(_Piece(at, running))

    def end(self, at: datetime, target: ClockTarget | None) -> Exchange | None:
        self.waiting, self.ended_at, self.judged = False, at, target
        if target is None:
            return None
        exchange = Exchange(self.seconds(target.calendar, at, running=True), target.limit_s)
        self.exchanges.append(exchange)
        return exchange

    def take_back(self) -> None:
        """The end was not the end: the wait goes on, and its verdict is void."""
        self.waiting, self.ended_at = True, None
        if self.judged is not None:
            self.exchanges.pop()
            self.judged = None

    def seconds(self, calendar: BusinessTime, at: datetime, *, running: bool) -> int:
        """Business seconds of this wait counted (or held) until `at` or its end."""
        until = self.ended_at or at
        return sum(
            calendar.elapsed(piece.start, min(piece.end or until, until))
            for piece in self.pieces
            if piece.running is running and piece.start < until
        )

    def due(self, target: ClockTarget, seconds: int, boundary: Boundary) -> datetime | None:
        """When `seconds` of this wait are counted, if the last piece lasted for ever."""
        for piece in self.pieces:
            if not piece.running:
                continue
            end = piece.end
            if self.ended_at is not None and end is not None and end >= self.ended_at:
                end = None  # it was running when it ended
            due = target.calendar.add(piece.start, seconds, boundary)
            if end is None or due < end or (due == end and boundary is Boundary.CLOSE):
                return due
            seconds -= target.calendar.elapsed(piece.start, end)
        return None


class _Ticket:
    """All clocks of a ticket while its events are replayed."""

    def __init__(self, reopening: Reopening, targets: dict[Metric, ClockTarget]) -> None:
        self.reopening = reopening
        self.targets = targets
        self.clocks = {metric: _Clock(metric) for metric in Metric}
        self.holds: set[str] = set()
        self.cancelled = False
        self.timeline: list[TimelineEntry] = []

    def apply(self, event: TicketEvent) -> None:
        """One event, in the order: what it ends, what it holds or frees, what it begins."""
        if self.cancelled:
            return
        if event.kind in KINDS:
            self.note(event.at, event.kind)
        elif event.targets is None:
            self.note(event.at, "ignored", kind=event.kind)
        if event.targets is not None:
            self.promise(event.at, event.targets)
        self.end(event)
        self.hold(event)
        self.begin(event)
        if event.kind == "cancel":
            self.cancel(event.at)

    def cancel(self, at: datetime) -> None:
        self.cancelled = True
        for clock in self.clocks.values():
            if clock.waiting:
                clock.ended_at = at

    def promise(self, at: datetime, targets: Iterable[ClockTarget]) -> None:
        """Other targets: what was spent is counted again in the new calendar."""
        self.targets = _by_metric(targets)
        for metric, target in self.targets.items():
            spent = self.clocks[metric].seconds(target.calendar, at, running=True)
            self.note(at, "target_changed", metric, limit_s=target.limit_s, spent_s=spent)

    def end(self, event: TicketEvent) -> None:
        if event.kind == "sla_removed":
            self.targets = {}
        for clock in self.clocks.values():
            if clock.waiting and event.kind in clock.rule.ends:
                exchange = clock.end(event.at, self.targets.get(clock.metric))
                if exchange is not None:
                    code = "met" if exchange.margin_s >= 0 else "late"
                    self.note(
                        event.at, code, clock.metric,
                        used_s=exchange.used_s, limit_s=exchange.limit_s,
                    )  # fmt: skip

    def hold(self, event: TicketEvent) -> None:
        if event.kind == "reopen" and "stopped" in self.holds:
            self.reopen(event.at)
        if event.kind == "stop":
            self.holds.clear()  # a ticket resolved in a pause is not paused when it is reopened
        if event.kind in HOLDS:
            self.holds.add(HOLDS[event.kind])
        if event.kind in RELEASES:
            self.holds.discard(RELEASES[event.kind])
        for clock in self.clocks.values():
            clock.switch(event.at, running=not self.holds)

    def reopen(self, at: datetime) -> None:
        clock = self.clocks[Metric.RESOLUTION]
        if self.reopening is Reopening.RESTART:
            clock.begin(at, running=False)
        else:
            clock.take_back()

    def begin(self, event: TicketEvent) -> None:
        for clock in self.clocks.values():
            began = bool(clock.pieces) and not clock.rule.repeats
            if event.kind in clock.rule.starts and not clock.waiting and not began:
                clock.begin(event.at, running=not self.holds)

    def note(
        self, at: datetime, code: str, metric: Metric | None = None, **parameters: int | str
    ) -> None:
        self.timeline.append(TimelineEntry(at, code, metric, parameters))

    def reading(self, clock: _Clock, at: datetime, boundary: Boundary) -> Reading:
        target = clock.judged or self.targets.get(clock.metric)
        worst = min(clock.exchanges, key=lambda exchange: exchange.margin_s, default=None)
        if target is None or not clock.pieces:
            limit_s = None if target is None else target.limit_s
            return Reading(clock.metric, State.IDLE, limit_s=limit_s, worst=worst)
        used_s = clock.seconds(target.calendar, at, running=True)
        running = clock.waiting and not self.holds and not self.cancelled
        due_at = clock.due(target, target.limit_s, boundary)
        return Reading(
            metric=clock.metric,
            state=self.state(clock, used_s, target.limit_s, worst),
            running=running,
            started_at=clock.pieces[0].start,
            ended_at=clock.ended_at,
            due_at=due_at,
            limit_s=target.limit_s,
            used_s=used_s,
            paused_s=clock.seconds(target.calendar, at, running=False),
            worst=worst,
            next_look_at=_next_look(clock, target, at) if running else None,
        )

    def state(self, clock: _Clock, used_s: int, limit_s: int, worst: Exchange | None) -> State:
        if not clock.waiting:
            margin_s = worst.margin_s if worst else limit_s - used_s
            return State.MET if margin_s >= 0 else State.BREACHED
        if self.cancelled:
            return State.CANCELLED
        if used_s > limit_s:
            return State.BREACHED
        if "stopped" in self.holds:
            return State.CANCELLED  # the ticket is resolved: nobody waits for an answer
        return State.PAUSED if self.holds else State.RUNNING


def _next_look(clock: _Clock, target: ClockTarget, at: datetime) -> datetime | None:
    """The first threshold ahead, or the first second past the limit."""
    marks = [-(-target.limit_s * percent // 100) for percent in THRESHOLDS]
    looks = (clock.due(target, mark, Boundary.CLOSE) for mark in [*marks, target.limit_s + 1])
    return next((look for look in looks if look is not None and look > at), None)
