"""The limits of the dispatch benchmark, against days small enough to think through."""

from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks.dispatch import bound, hindsight
from wfm.dispatch.model import SECOND, Agent, Ticket
from wfm.dispatch.policy import Fifo
from wfm.dispatch.replay import Duty, Trace, run

JITTED = ("put", "pull", "_gaps", "_around", "_order", "_pick", "_refill", "_search")
Call = tuple[int, int, int]


@pytest.fixture(autouse=True)
def interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same code uncompiled: translating it takes longer than running it on so few calls."""
    for module, names in ((bound, ("_cheapest",)), (hindsight, JITTED)):
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name).py_func)


def trace(*calls: Call) -> Trace:
    """Calls as (comes at, promised within, takes), in seconds."""
    tickets = [
        Ticket(f"c{i}", at * SECOND, (at + promise) * SECOND, "phone")
        for i, (at, promise, _) in enumerate(calls)
    ]
    return Trace(tickets, [takes * SECOND for _, _, takes in calls], [None] * len(calls))


def duty(agent: str, start: int, end: int) -> Duty:
    return Duty(agent, start * SECOND, end * SECOND)


def day(calls: list[Call], duties: list[Duty], longest: int = 600) -> bound.Day:
    return bound.one_day(trace(*calls), duties, 0, longest)


ONE = [duty("a", 0, 5000)]


@pytest.mark.parametrize(("takes", "late"), [(30, 0), (31, 1)])
def test_three_calls_at_once_for_one_agent(takes: int, late: int) -> None:
    # promised 60 s: starts at 0, 30 and 60 are in time; at 0, 31 and 62 the third is not
    assert bound.bound(day([(0, 60, takes)] * 3, ONE)) == late


def priced(day: bound.Day, price: float, *seconds: int) -> bound.Prices:
    second = np.zeros(day.staff.size)
    second[list(seconds)] = price
    return bound.Prices(second, np.zeros(0))


def test_prices_by_hand() -> None:
    # started in time the three lie within the seconds 0 to 90, at 0.01 each: 31 seconds cost 0.31,
    # and three of them less what the 91 seconds are worth leave 0.93 - 0.91 = 0.02
    given = day([(0, 60, 31)] * 3, ONE)
    least = bound.least_late(given, priced(given, 0.01, *range(91)))
    assert least == pytest.approx(0.02)
    # who starts until 30 is in hand at 30, who starts from 31 to 60 at 60: at 1 for each of these
    # two seconds a call costs 1 in time or late, which leaves 3 - 2 = 1
    assert bound.least_late(given, priced(given, 1.0, 30, 60)) == pytest.approx(1.0)


def test_what_is_started_when_due_is_in_time() -> None:
    # the seconds before 60 are worth 1 each; from 60 on one second of work is free, and in time
    given = day([(0, 60, 1)], ONE)
    assert bound.least_late(given, priced(given, 1.0, *range(60))) == pytest.approx(0 - 60)


def test_an_overrun_costs_its_own_price() -> None:
    # in hand from 90 to 140 the call takes 40 seconds worth 1, or it is the one overrun of who
    # leaves at 100, at 0.25; both are paid for, so what is left is 0.25 - 40 - 0.25
    given = day([(90, 20, 50)], [duty("a", 0, 100), duty("b", 0, 5000)])
    prices = bound.Prices(priced(given, 1.0, *range(100, 140)).second, np.array([0.25]))
    assert bound.least_late(given, prices) == pytest.approx(-40)


def test_stretches_apart_are_rounded_each() -> None:
    # twice 0.02 of a call late, as above, is one late call each time, not one in all
    given = day([(at, 60, 31) for at in (0, 0, 0, 1000, 1000, 1000)], ONE)
    prices = priced(given, 0.01, *range(91), *range(1000, 1091))
    assert bound.least_late(given, prices) == pytest.approx(0.04)
    assert bound.cut_up(given, prices) == 2
    # the second three 60 s after the first come too soon to be cut off: 6 x 0.31 - 1.51 = 0.35
    given = day([(at, 60, 31) for at in (0, 0, 0, 60, 60, 60)], ONE)
    assert bound.cut_up(given, priced(given, 0.01, *range(151))) == 1


def test_only_who_leaves_can_overrun() -> None:
    # both on duty take a call until 250 or later; at 100 a leaves, with hers in hand, and b does
    # not, so nobody has room for the third, which is due at 140
    calls = [(50, 20, 200), (60, 20, 200), (120, 20, 10)]
    assert bound.bound(day(calls, [duty("a", 0, 100), duty("b", 0, 5000)])) == 1
    # where both leave, both finish beyond their duty, and c takes the third
    both = [duty("a", 0, 100), duty("b", 0, 100), duty("c", 110, 5000)]
    assert bound.bound(day(calls, both)) == 0


def test_late_is_the_price_of_serving_everybody_soon() -> None:
    # of two calls of 300 s at once the second starts 300 s after it came; told that nobody can
    # start it within 200 s the programme has no answer, and the bound claims nothing
    calls = [(0, 60, 300)] * 2
    assert bound.bound(day(calls, ONE, longest=300)) == 1
    assert bound.bound(day(calls, ONE, longest=200)) == 0


def planned(
    calls: list[Call], duties: Sequence[Duty] = tuple(ONE)
) -> tuple[hindsight.Plan, hindsight.Work]:
    given = trace(*calls)
    agents = [Agent("a", skills={"phone": 3})]
    work = hindsight.work(given, agents, duties, longest=600)
    return hindsight.plan(run(given, agents, duties, Fifo()), agents, work), work


def test_the_search_finds_what_only_foresight_can() -> None:
    # at 0 a call of 100 s, promised 60 s, at 10 one of 10 s, promised 20 s: first come first served
    # has the second late; the second at 10 and then the first at 20 are both in time
    made, work = planned([(0, 60, 100), (10, 20, 10)])
    assert hindsight.late(made, work).tolist() == [False, True]
    hindsight.improve(made, work, 800, seed=1)
    assert not hindsight.late(made, work).any()
    assert hindsight.faults(made, work) == []
    # where the first is promised no more than 15 s, or nobody starts anything from 15 to 200, one
    # of them is late, whatever is done
    for first, duties in ((15, ONE), (60, [duty("a", 0, 15), duty("a", 200, 5000)])):
        made, work = planned([(0, first, 100), (10, 20, 10)], duties)
        hindsight.improve(made, work, 800, seed=1)
        assert hindsight.late(made, work).sum() == 1
        assert hindsight.faults(made, work) == []


@pytest.mark.parametrize(
    ("start", "fault"),
    [
        (90, "agent 0 has two calls in hand at 90"),
        (5000, "agent 0 starts call 1 outside her duties"),
        (700, "call 1 starts too early or too late"),
    ],
)
def test_a_schedule_that_cannot_be_is_seen(start: int, fault: str) -> None:
    made, work = planned([(0, 60, 100), (10, 20, 10)])
    made.start[1] = start
    assert fault in hindsight.faults(made, work)
