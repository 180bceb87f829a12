"""One clock of a ticket: a wait is a row of pieces in which time was counted, or was not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wfm.sla.business_time import SECOND_US, Boundary, BusinessTime
from wfm.sla.tickets import ClockTarget, Conditions, Hold, Metric, TicketEvent

Key = tuple[str, Metric]
"""Which clock of a ticket: the slot of its agreement, and what it measures."""


class Reopening(StrEnum):
    """What reopening a ticket does to a clock whose end is taken back."""

    CONTINUE = "continue"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One finished wait: business seconds used (a second begun is used), and those allowed."""

    used_s: int
    limit_s: int

    @property
    def margin_s(self) -> int:
        return self.limit_s - self.used_s


@dataclass(slots=True)
class Piece:
    """A stretch of a wait in which time was counted, or was not."""

    start: datetime
    running: bool
    end: datetime | None = None


class Clock:
    """One clock while the events are replayed: a wait is a row of pieces."""

    def __init__(self, key: Key, rule: Conditions) -> None:
        self.key = key
        self.rule = rule
        self.waiting = False
        self.cancelled = False
        self.holds: set[Hold] = set()
        self.ended_at: datetime | None = None
        self.pieces: list[Piece] = []
        self.exchanges: list[Exchange] = []
        self.judged: ClockTarget | None = None  # what the last wait was judged by, once ended

    @property
    def finished(self) -> bool:
        """Held for good: nobody is expected to do anything."""
        return any(hold.final for hold in self.holds)

    def apply(
        self, event: TicketEvent, target: ClockTarget | None, reopening: Reopening
    ) -> Exchange | None:
        """One event, in the order: what it ends, what it holds or frees, what it begins.

        Gives back the exchange that the event finished, if it did and something was promised.
        """
        rule, kind, exchange = self.rule, event.kind, None
        if kind not in rule.kinds and kind != "cancel":
            return None
        if self.waiting and kind in rule.ends:
            exchange = self.end(event.at, target)
        elif self.waiting and (kind in rule.cancels or kind == "cancel"):
            self.waiting, self.cancelled, self.ended_at, self.judged = False, True, event.at, None
        if kind in rule.reverts and self.ended_at is not None and self.finished:
            if reopening is Reopening.RESTART:
                self.begin(event.at, running=False)
            elif not self.cancelled:
                self.take_back()
        if rule.holds:
            for hold in rule.holds:
                if kind in hold.ends:
                    self.holds.discard(hold)
                if kind in hold.begins:
                    self.holds.add(hold)
            self.switch(event.at, running=not self.holds)
        if self.waiting and kind in rule.resets:
            self.begin(event.at, running=not self.holds)
        began = bool(self.pieces) and not rule.repeats
        if kind in rule.starts and not self.waiting and not began:
            self.begin(event.at, running=not self.holds)
        return exchange

    def begin(self, at: datetime, running: bool) -> None:
        self.waiting, self.cancelled, self.ended_at, self.judged = True, False, None, None
        self.pieces = [Piece(at, running)]

    def switch(self, at: datetime, running: bool) -> None:
        """Count from here on, or count no longer."""
        if self.pieces and self.pieces[-1].running != running:
            self.pieces[-1].end = at
            self.pieces.append(Piece(at, running))

    def end(self, at: datetime, target: ClockTarget | None) -> Exchange | None:
        self.waiting, self.ended_at, self.judged = False, at, target
        if target is None:
            return None
        used_us = self.counted_us(target.calendar, at, running=True)
        exchange = Exchange(begun(used_us), target.limit_s)
        self.exchanges.append(exchange)
        return exchange

    def take_back(self) -> None:
        """The end was not the end: the wait goes on, and its verdict is void."""
        self.waiting, self.ended_at = True, None
        if self.judged is not None:
            self.exchanges.pop()
            self.judged = None

    def counted_us(self, calendar: BusinessTime, at: datetime, *, running: bool) -> int:
        """Business microseconds of this wait counted (or held) until `at` or its end."""
        until = self.ended_at or at
        return sum(
            calendar.elapsed_us(piece.start, min(piece.end or until, until))
            for piece in self.pieces
            if piece.running is running and piece.start < until
        )

    def due(self, target: ClockTarget, seconds: int, boundary: Boundary) -> datetime | None:
        """When `seconds` of this wait are counted, if the last piece lasted for ever.

        Those that are used up as the calendar closes are so, whatever is held after it.
        """
        us = seconds * SECOND_US
        used_up: datetime | None = None
        for piece in self.pieces:
            if not piece.running:
                continue
            end = piece.end
            if self.ended_at is not None and end is not None and end >= self.ended_at:
                end = None  # it was running when it ended
            due = target.calendar.add_us(piece.start, us, boundary)
            if end is None or due < end or (due == end and boundary is Boundary.CLOSE):
                return due
            us -= target.calendar.elapsed_us(piece.start, end)
            if us == 0:
                used_up = due
        return used_up

    def reached(
        self, target: ClockTarget, used_us: int, thresholds: Sequence[int]
    ) -> Iterator[tuple[int, datetime]]:
        """The thresholds that this wait has reached, and when."""
        for percent in sorted(thresholds):
            mark = mark_of(target, percent)
            if mark * SECOND_US > used_us:
                return
            at = self.due(target, mark, Boundary.CLOSE)
            if at is not None:
                yield percent, at


def begun(us: int) -> int:
    """Seconds of which at least a part has passed."""
    return -(-us // SECOND_US)


def mark_of(target: ClockTarget, percent: int) -> int:
    """Seconds at which `percent` of the limit are used."""
    return -(-target.limit_s * percent // 100)
