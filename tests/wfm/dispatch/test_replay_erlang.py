"""A replay of drawn calls against the exact answers of queueing theory."""

from __future__ import annotations

import random
from math import exp, factorial
from statistics import fmean, stdev

from wfm.dispatch.model import SECOND, Agent, Ticket
from wfm.dispatch.policy import Deadline, Fifo
from wfm.dispatch.replay import Duty, Trace, run

SERVERS, HANDLE, LOAD = 5, 180.0, 4.0
WITHIN = 60
T99 = 2.86  # two-sided 99 % point of Student's t with 19 degrees of freedom


def erlang_c(servers: int, load: float) -> float:
    """Probability of waiting, from the sum of its definition."""
    busy = load**servers / factorial(servers) * servers / (servers - load)
    return busy / (sum(load**k / factorial(k) for k in range(servers)) + busy)


def one_day(seed: int, policy) -> tuple[float, float, float]:
    """Share that waited, share within the target, mean wait; the first 500 calls warm up."""
    draw = random.Random(seed)
    at, tickets, handle = 0.0, [], []
    for i in range(3_500):
        at += draw.expovariate(LOAD / HANDLE)
        opened = round(at * SECOND)
        tickets.append(Ticket(f"t{i:05}", opened, opened + WITHIN * SECOND))
        handle.append(round(draw.expovariate(1 / HANDLE) * SECOND))
    agents = [Agent(f"a{i}") for i in range(SERVERS)]
    duties = [Duty(agent.agent_id, 0, 10**15) for agent in agents]
    waits = [
        d.wait / SECOND
        for d in run(Trace(tickets, handle, [None] * len(tickets)), agents, duties, policy)[500:]
    ]
    return (
        fmean(wait > 0 for wait in waits),
        fmean(wait <= WITHIN for wait in waits),
        fmean(waits),
    )


def contains(figures, exact: float) -> bool:
    figures = list(figures)
    half = T99 * stdev(figures) / len(figures) ** 0.5
    return abs(fmean(figures) - exact) <= half


def test_first_come_first_served_gives_erlang_c():
    # c = 5, a = 4: C = 0.5541; beyond 60 s: C · exp(−(5 − 4) · 60 / 180); mean C · 180 / (5 − 4)
    waiting = erlang_c(SERVERS, LOAD)
    assert round(waiting, 4) == 0.5541
    days = [one_day(seed, Fifo()) for seed in range(20)]
    assert contains((day[0] for day in days), waiting)
    assert contains((day[1] for day in days), 1 - waiting * exp(-WITHIN / HANDLE))
    assert contains((day[2] for day in days), waiting * HANDLE)


def test_the_order_does_not_change_who_waits_but_how_many_wait_too_long():
    # work that is never refused takes as long in any order, so the mean wait stays
    fifo, deadline = one_day(1, Fifo()), one_day(1, Deadline())
    assert deadline[1] > fifo[1]
    assert abs(deadline[2] / fifo[2] - 1) < 0.25
