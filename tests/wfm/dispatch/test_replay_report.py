"""The figures of a replay, against sums done by hand."""

from __future__ import annotations

import pytest

from wfm.dispatch.model import EXPERT, ORDINARY, SECOND, Agent, Ticket
from wfm.dispatch.policy import Fifo
from wfm.dispatch.replay import Duty, Trace, run
from wfm.dispatch.report import Share, report

AGENTS = [Agent("e", EXPERT, {"x": 3, "y": 3}), Agent("o", ORDINARY, {"x": 3}, capacity=2)]
DUTIES = [
    Duty("e", 0, 100 * SECOND),
    Duty("e", 150 * SECOND, 200 * SECOND),
    Duty("o", 0, 200 * SECOND),
]


def ticket(name, opened, within, skill="x", tier=ORDINARY, priority=1):
    return Ticket(name, opened * SECOND, (opened + within) * SECOND, skill, tier, priority)


@pytest.fixture
def figures():
    # t1 → e 0…60; t2 → o 10…20; t3 (expert work) waits for e: 60…170, of which 40 s in her first
    # duty and 20 s in her second, 50 s of the break worked through; t4 waits for e until 170 and is
    # 20 s late; t5 nobody may do; t6 leaves at 175
    tickets = [
        ticket("t1", 0, 20),
        ticket("t2", 10, 20),
        ticket("t3", 50, 20, "y", EXPERT),
        ticket("t4", 130, 20, "y", ORDINARY, priority=2),
        ticket("t5", 131, 20, "z", priority=2),
        ticket("t6", 171, 20, "y", priority=2),
    ]
    handle = [second * SECOND for second in (60, 10, 110, 50, 10, 10)]
    trace = Trace(tickets, handle, [None, None, None, None, None, 4 * SECOND])
    return report(run(trace, AGENTS, DUTIES, Fifo()), AGENTS, DUTIES)


def test_shares_in_all_and_by_group(figures):
    assert figures.overall == Share(tickets=6, served=4, met=3)
    assert figures.per_priority == {1: Share(3, 3, 3), 2: Share(3, 1, 0)}
    assert figures.per_skill == {"x": Share(2, 2, 2), "y": Share(3, 2, 1), "z": Share(1, 0, 0)}
    assert figures.per_tier == {"ordinary": Share(5, 3, 2), "expert": Share(1, 1, 1)}


def test_who_was_not_served_and_why(figures):
    assert (figures.abandoned, figures.unserved) == (1, 2)
    assert figures.reasons == {"customer_left": 1, "nobody_may": 1, "oldest": 2, "on_arrival": 2}


def test_waits_are_those_of_the_served(figures):
    # 0, 0, 10, 40: the middle lies between 0 and 10; 95 % at 0.95 · 3 = 2.85 → 10 + 0.85 · 30
    assert figures.waits == pytest.approx({"mean": 12.5, "p50": 5, "p95": 35.5, "max": 40})


def test_use_of_people(figures):
    # in duties: e 60 + 40 + 20 + 30 of 150, o 10 of 200 · 2; overrun: e 50 + 20
    assert figures.utilisation == pytest.approx(160 / 550)
    assert figures.overrun_s == 70
    # e worked 60 + 110 + 50, of which 60 and 50 on ordinary work
    assert figures.expert_lower_s == 110
    assert figures.expert_lower_share == pytest.approx(0.5)


def test_without_tickets_or_people_nothing_is_made_up():
    empty = report([], [], [])
    assert empty.overall.value is None
    assert empty.overall.interval is None
    assert (empty.utilisation, empty.expert_lower_share) == (None, None)
    assert set(empty.waits.values()) == {None}


def test_the_interval_is_wilsons():
    # n = 10, p = 0.8, z² = 3.8415: middle (0.8 + 0.19207)/1.38415 = 0.71674,
    # half 1.95996/1.38415 · √(0.016 + 0.0096036) = 0.22658
    low, high = Share(10, 10, 8).interval
    assert low == pytest.approx(0.49016, abs=1e-5)
    assert high == pytest.approx(0.94332, abs=1e-5)


@pytest.mark.parametrize(("met", "end"), [(0, 0), (7, 1)])
def test_the_interval_of_none_and_all_holds_the_share(met, end):
    assert Share(7, 7, met).interval[end] == end
