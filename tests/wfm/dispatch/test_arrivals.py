"""Arrivals drawn from recorded ones."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from wfm.dispatch.arrivals import DRAWS, poisson, resampled
from wfm.dispatch.model import SECOND, Ticket, micro
from wfm.dispatch.replay import Trace

ZONE = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 6, 1)


def trace(*opened: tuple[int, int, int]) -> Trace:
    """Tickets by day (0: a Monday), hour and minute; each has its own promise and length."""
    tickets = []
    for n, (day, hour, minute) in enumerate(opened):
        at = datetime(2026, 6, 1, hour, minute, tzinfo=ZONE) + timedelta(days=day)
        tickets.append(Ticket(f"t{n}", micro(at), micro(at) + (60 + n) * SECOND, "x"))
    return Trace(tickets, [n * SECOND for n in range(len(tickets))], [None] * len(tickets))


def local(ticket: Ticket) -> datetime:
    return datetime.fromtimestamp(ticket.opened_at / SECOND, ZONE)


def source(ticket: Ticket) -> str:
    return ticket.ticket_id.split("@")[0]


def test_a_day_is_a_recorded_day_of_the_same_weekday_at_its_hours() -> None:
    # two Mondays and a Tuesday: each Monday is one of the two, whole; the Tuesday any workday
    given = trace((0, 9, 5), (0, 10, 0), (7, 11, 30), (1, 8, 0))
    seen = set()
    for seed in range(40):
        drawn = resampled(given, ZONE, np.random.default_rng(seed))
        first = [t for t in drawn.tickets if local(t).date() == MONDAY]
        seen.add(tuple((source(t), local(t).hour, local(t).minute) for t in first))
    assert seen == {(("t0", 9, 5), ("t1", 10, 0)), (("t2", 11, 30),)}


def test_what_is_drawn_keeps_promise_and_work_and_has_names_of_its_own() -> None:
    given = trace(*((day, 9, day) for day in range(14)))
    for draw in DRAWS.values():
        drawn = draw(given, ZONE, np.random.default_rng(1))
        assert len({t.ticket_id for t in drawn.tickets}) == len(drawn.tickets) > 0
        for ticket, handle in zip(drawn.tickets, drawn.handle, strict=True):
            n = int(source(ticket)[1:])
            assert (ticket.due_at - ticket.opened_at, handle) == ((60 + n) * SECOND, n * SECOND)
            assert MONDAY <= local(ticket).date() <= MONDAY + timedelta(days=13)


def test_hours_stay_the_same_by_the_clock_through_a_clock_change() -> None:
    # Sundays in Berlin: 22 March at +01:00, 29 March at +02:00
    at = datetime(2026, 3, 22, 15, 0, tzinfo=ZONE)
    last = datetime(2026, 3, 29, 16, 0, tzinfo=ZONE)
    given = Trace(
        [Ticket("a", micro(at), micro(at)), Ticket("b", micro(last), micro(last))], [0, 0],
        [None, None],
    )  # fmt: skip
    hours = Counter()
    for seed in range(30):
        for t in resampled(given, ZONE, np.random.default_rng(seed)).tickets:
            if local(t).date() == last.date():
                hours[source(t), local(t).hour] += 1
    assert set(hours) == {("a", 15), ("b", 16)}


def test_a_half_hour_has_on_average_what_days_alike_had() -> None:
    # Mondays of four weeks: 6, 2, 4 and 0 tickets at 09:00 to 09:30, so 3 on average; else nothing
    given = trace(*[(0, 9, n) for n in range(6)], *[(7, 9, n) for n in range(2)],
                  *[(14, 9, n) for n in range(4)], (27, 23, 0))  # fmt: skip
    counts = []
    for seed in range(200):
        drawn = poisson(given, ZONE, np.random.default_rng(seed))
        for day in range(0, 22, 7):
            mine = [t for t in drawn.tickets if local(t).date() == MONDAY + timedelta(days=day)]
            assert all(local(t).hour == 9 and local(t).minute < 30 for t in mine)
            counts.append(len(mine))
    # 800 draws of a Poisson of mean 3: the mean within four standard errors, 4·√(3/800) = 0.24
    assert np.mean(counts) == pytest.approx(3, abs=0.25)
    assert np.var(counts) == pytest.approx(3, abs=0.7)


@pytest.mark.parametrize("draw", DRAWS.values())
def test_the_same_seed_draws_the_same_whatever_the_order_of_the_rows(draw) -> None:
    given = trace(*((day, 9 + day % 3, day) for day in range(14)))
    order = list(range(14))[::-1]
    shuffled = Trace([given.tickets[i] for i in order], [given.handle[i] for i in order],
                     [given.patience[i] for i in order])  # fmt: skip
    one, other = (draw(g, ZONE, np.random.default_rng(5)) for g in (given, shuffled))
    assert (one.tickets, one.handle) == (other.tickets, other.handle)
    assert one.tickets != draw(given, ZONE, np.random.default_rng(6)).tickets
    with pytest.raises(ValueError, match="no tickets"):
        draw(Trace([], [], []), ZONE, np.random.default_rng(0))
