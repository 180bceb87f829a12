"""What it would take in people to keep a target: the work of half a year, and queues of it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa
from sqlmodel import Session, col

from scheduler.demand.queues import agents_needed, erlang_c
from wfm.sla.business_time import BusinessTime
from wfm.tables import AgreementTarget, Ticket, TicketEvent
from wfm.words import EventKind, Metric

USUAL_HANDLE_S = 1200
OPEN_SHARE = 0.05  # hours with less than this share of the week's peak say nothing of the peak
WAITS = {
    Metric.NEXT_RESPONSE: (
        EventKind.CUSTOMER_MESSAGE, EventKind.AGENT_MESSAGE,
        {EventKind.RESOLVED, EventKind.CLOSED, EventKind.CANCELLED},
    ),
    Metric.CALLBACK: (
        EventKind.RESOLVED, EventKind.CALLED_BACK, {EventKind.REOPENED, EventKind.CANCELLED},
    ),
}  # fmt: skip
"""What a customer waits from, until, and what makes an end of it without an answer."""


@dataclass(frozen=True)
class Work:
    """What comes to be done: each with its ticket, priority, instant and, where over, its end.

    `handle_s` is how long one takes on average; instants are seconds since the epoch, −1 for none.
    """

    ticket: np.ndarray
    priority: np.ndarray
    start: np.ndarray
    end: np.ndarray
    handle_s: dict[int, tuple[float, int]]
    """By priority: seconds handled, and how many took them."""
    _weeks: dict[tuple[int | None, str], Counter[tuple[int, int]]] = field(default_factory=dict)

    def of(self, priority: int | None) -> np.ndarray:
        """Which of it has the priority; None: any."""
        if priority is None:
            return np.ones(len(self.start), dtype=bool)
        return np.asarray(self.priority == priority)

    def by_hour(self, priority: int | None, timezone: str) -> Counter[tuple[int, int]]:
        """How much came in each hour of the week; counted once, since targets share priorities."""
        key = priority, timezone
        if key not in self._weeks:
            zone, hours = ZoneInfo(timezone), Counter[tuple[int, int]]()
            starts = self.start[self.of(priority)]
            # by the quarter-hour, since zones change by no less
            for quarter, count in zip(*np.unique(starts // 900, return_counts=True), strict=True):
                local = datetime.fromtimestamp(int(quarter) * 900, zone)
                hours[local.weekday(), local.hour] += int(count)
            self._weeks[key] = hours
        return self._weeks[key]

    def mean_handle_s(self, priority: int | None) -> float:
        """Of the priority's own work where any was timed."""
        timed = [
            one for name, one in self.handle_s.items() if priority in (None, name) and one[0] > 0
        ]
        seconds, count = (sum(column) for column in zip(*timed, strict=True)) if timed else (0, 0)
        return seconds / count if count else USUAL_HANDLE_S

    def kept_within(self, target: AgreementTarget, calendar: BusinessTime) -> tuple[int, int]:
        """Tickets with a wait that is over, and those whose longest was within the limit."""
        over = self.of(target.priority) & (self.end >= 0)
        used = calendar.elapsed_many(self.start[over], self.end[over])
        worst: dict[int, int] = defaultdict(int)
        for ticket, wait in zip(self.ticket[over].tolist(), used.tolist(), strict=True):
            worst[ticket] = max(worst[ticket], wait)
        return len(worst), sum(wait <= target.limit_s for wait in worst.values())


def tickets(session: Session, which: Sequence[Any], since: datetime, at: datetime) -> Work:
    """Tickets that came in a period, each with its whole handle time."""
    rows = session.execute(
        sa.select(
            col(Ticket.id), col(Ticket.priority), _second(Ticket.opened_at), col(Ticket.handle_s)
        )
        .where(col(Ticket.opened_at).between(since, at), *which)
        .order_by(col(Ticket.id))
    ).all()
    handled: dict[int, tuple[float, int]] = {}
    for _, priority, _, seconds in rows:
        if seconds is not None:
            total, count = handled.get(priority, (0.0, 0))
            handled[priority] = total + seconds, count + 1
    return _work([(number, priority, start, -1) for number, priority, start, _ in rows], handled)


def waits(
    session: Session, which: Sequence[Any], metric: Metric, since: datetime, at: datetime
) -> Work:
    """Waits for a next response or a callback that began in a period, by what was said.

    From the first unanswered message to the answer, or from the resolution to the call. Each is
    taken to need the time of one answer: the handle time of tickets shared among their answers.
    """
    begins, ends, drops = WAITS[metric]
    events = session.execute(
        sa.select(
            col(TicketEvent.ticket_id), col(Ticket.priority), col(TicketEvent.kind),
            _second(TicketEvent.at),
        )
        .join(Ticket, col(Ticket.id) == TicketEvent.ticket_id)
        .where(
            col(TicketEvent.kind).in_({begins, ends, *drops}),
            col(TicketEvent.at).between(since, at), *which,
        )
        .order_by(col(TicketEvent.ticket_id), col(TicketEvent.at), col(TicketEvent.id))
    )  # fmt: skip
    found: list[tuple[int, int, int, int]] = []
    waiting: tuple[int, int, int] | None = None
    for number, priority, kind, second in events:
        if waiting and waiting[0] != number:
            found.append((*waiting, -1))
            waiting = None
        if kind == begins:
            waiting = waiting or (number, priority, second)
        elif waiting:
            if kind == ends:
                found.append((*waiting, second))
            waiting = None
    if waiting:
        found.append((*waiting, -1))
    return _work(found, _answers(session, which, since, at))


def _answers(
    session: Session, which: Sequence[Any], since: datetime, at: datetime
) -> dict[int, tuple[float, int]]:
    """By priority: the handle time of tickets that were answered, and how many answers they had."""
    of_ticket = (
        sa.select(col(TicketEvent.ticket_id).label("number"), sa.func.count().label("answers"))
        .where(col(TicketEvent.kind) == EventKind.AGENT_MESSAGE)
        .group_by(col(TicketEvent.ticket_id))
        .subquery()
    )
    rows = session.execute(
        sa.select(
            col(Ticket.priority), sa.cast(sa.func.sum(col(Ticket.handle_s)), sa.Float),
            sa.func.sum(of_ticket.c.answers),
        )
        .join(of_ticket, of_ticket.c.number == col(Ticket.id))
        .where(
            col(Ticket.handle_s).is_not(None), col(Ticket.opened_at).between(since, at), *which
        )
        .group_by(col(Ticket.priority))
    )  # fmt: skip
    return {priority: (seconds, int(answers)) for priority, seconds, answers in rows}


def _work(
    rows: Sequence[tuple[int, int, int, int]], handle_s: dict[int, tuple[float, int]]
) -> Work:
    ticket, priority, start, end = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return Work(ticket, priority, start, end, handle_s)


def _second(column: Any) -> Any:
    return sa.cast(sa.func.floor(sa.extract("epoch", column)), sa.BigInteger)


def people(
    work: Work, target: AgreementTarget, period: timedelta, timezone: str
) -> tuple[int | None, int | None]:
    """Agents at work so that the promise is kept: in the busiest hour of the week, and in a mean
    one. Resolution: wait and work; all others: the wait (Erlang C)."""
    hours = work.by_hour(target.priority, timezone)
    if not hours:
        return None, None
    handle_s = work.mean_handle_s(target.priority)
    per_hour = np.array(list(hours.values()), dtype=float) / (period / timedelta(weeks=1))
    open_hours = per_hour[per_hour >= OPEN_SHARE * per_hour.max()]

    def needed(arrivals: float) -> int | None:
        load = arrivals * handle_s / 3600
        if target.metric == Metric.RESOLUTION:
            return people_resolving(load, target.share, target.limit_s / handle_s)
        return agents_needed(
            "c", load, target_service_level=min(target.share, 0.999),
            within_min=target.limit_s / 60, handle_min=handle_s / 60,
        )  # fmt: skip

    return needed(float(per_hour.max())), needed(float(open_hours.mean()))


def people_resolving(load: float, share: float, limit: float) -> int | None:
    """Fewest agents with whom this share is waited for and worked off in time (M/M/n).

    Parameters
    ----------
    load : float
        Offered load, erlangs.
    share : float
        Of the tickets, to be done in time.
    limit : float
        Time allowed, in mean handle times.

    Returns
    -------
    int or None
        None when the work itself takes too long too often: nobody more would help.
        Source: time in system of M/M/n, L. Kleinrock, Queueing Systems, volume 1, section 3.5.
    """
    if -math.expm1(-limit) <= share:
        return None
    agents = math.floor(load) + 1
    while late_share(load, agents, limit) > 1 - share:
        agents += 1
    return agents


def late_share(load: float, agents: int, limit: float) -> float:
    """Share of tickets not done within `limit` mean handle times; `agents` above `load`."""
    waits = erlang_c(load, agents).waiting_probability
    spare = agents - load - 1
    longer = limit if abs(spare) < 1e-9 else -math.expm1(-spare * limit) / spare
    return math.exp(-limit) * (1 + waits * longer)
