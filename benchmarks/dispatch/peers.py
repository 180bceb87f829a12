"""The replay beside ciw and simpy on cases whose exact answers are known.

Two cases with five agents and handle times of 180 s on average: one skill, first come first
served (Erlang C); and two skills that everybody has, of which one goes first (Cobham, Operations
Research 2 (1954) 70–76, for equal service). For each: the share that waits and the mean waits,
whether the exact value lies in the 99 % interval over replications, and processor seconds.

ciw and simpy are asked for only here: `pip install --target FOLDER ciw simpy`, then
`PYTHONPATH=FOLDER python benchmarks/dispatch/peers.py [REPLICATIONS]`.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Sequence
from math import factorial
from statistics import fmean, stdev
from typing import Any

from scipy.stats import t as student

from wfm.dispatch.model import SECOND, Agent, Ticket
from wfm.dispatch.policy import Fifo, Priority
from wfm.dispatch.replay import Duty, Trace, run

SERVERS, HANDLE_S, LOAD = 5, 180.0, 4.0
CALLS, WARM_UP = 4000, 500
FIRST_SHARE = 0.3  # of the calls, where one skill goes first

Waits = list[tuple[int, float]]  # class, seconds


def exact(classes: int) -> list[float]:
    """Share that waits, and the mean wait of each class."""
    busy = LOAD**SERVERS / factorial(SERVERS) * SERVERS / (SERVERS - LOAD)
    waits = busy / (sum(LOAD**k / factorial(k) for k in range(SERVERS)) + busy)
    each = waits * HANDLE_S / SERVERS
    use, first = LOAD / SERVERS, FIRST_SHARE * LOAD / SERVERS
    if classes == 1:
        return [waits, each / (1 - use)]
    return [waits, each / (1 - first), each / ((1 - first) * (1 - use))]


def ours(classes: int, seed: int) -> Waits:
    draw = random.Random(seed)
    at, tickets, handle = 0.0, [], []
    for i in range(CALLS):
        at += draw.expovariate(LOAD / HANDLE_S)
        kind = int(classes > 1 and draw.random() >= FIRST_SHARE)
        opened = round(at * SECOND)
        tickets.append(Ticket(f"t{i:05}", opened, opened, f"skill-{kind}", priority=1 + kind))
        handle.append(round(draw.expovariate(1 / HANDLE_S) * SECOND))
    agents = [Agent(f"a{i}") for i in range(SERVERS)]
    duties = [Duty(agent.agent_id, 0, 10**15) for agent in agents]
    policy = Fifo() if classes == 1 else Priority()
    decisions = run(Trace(tickets, handle, [None] * CALLS), agents, duties, policy)
    return [(one.ticket.priority - 1, (one.wait or 0) / SECOND) for one in decisions]


def simpys(classes: int, seed: int) -> Waits:
    import simpy

    draw, world, waits = random.Random(seed), simpy.Environment(), []
    desk = simpy.PriorityResource(world, SERVERS)

    def call(number: int, kind: int) -> Any:
        opened = world.now
        with desk.request(priority=kind) as turn:
            yield turn
            waits.append((number, kind, world.now - opened))
            yield world.timeout(draw.expovariate(1 / HANDLE_S))

    def source() -> Any:
        for number in range(CALLS):
            yield world.timeout(draw.expovariate(LOAD / HANDLE_S))
            world.process(call(number, int(classes > 1 and draw.random() >= FIRST_SHARE)))

    world.process(source())
    world.run()
    return [(kind, wait) for _, kind, wait in sorted(waits)]


def ciws(classes: int, seed: int) -> Waits:
    import ciw

    ciw.seed(seed)
    rate, shares = LOAD / HANDLE_S, [1.0] if classes == 1 else [FIRST_SHARE, 1 - FIRST_SHARE]
    names = [f"Class {number}" for number in range(classes)]
    network = ciw.create_network(
        arrival_distributions={
            name: [ciw.dists.Exponential(rate * share)]
            for name, share in zip(names, shares, strict=True)
        },
        service_distributions={name: [ciw.dists.Exponential(1 / HANDLE_S)] for name in names},
        number_of_servers=[SERVERS],
        priority_classes={name: number for number, name in enumerate(names)},
    )
    world = ciw.Simulation(network)
    world.simulate_until_max_customers(CALLS)
    records = sorted(world.get_all_records(), key=lambda record: record.arrival_date)
    return [(names.index(record.customer_class), record.waiting_time) for record in records]


def figures(waits: Waits, classes: int) -> list[float]:
    settled = waits[WARM_UP:]
    return [
        fmean(wait > 1e-6 for _, wait in settled),
        *(fmean(w for kind, w in settled if kind == one) for one in range(classes)),
    ]


def verdict(seen: Sequence[float], true: float) -> str:
    """Mean, half of the 99 % interval, and whether it holds the exact value."""
    half = float(student.ppf(0.995, len(seen) - 1)) * stdev(seen) / len(seen) ** 0.5
    middle = fmean(seen)
    return f"{middle:8.3f} ± {half:6.3f} {'holds' if abs(middle - true) <= half else 'MISSES'}"


def main() -> None:
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    simulators: dict[str, Callable[[int, int], Waits]] = {
        "ours": ours, "simpy": simpys, "ciw": ciws,
    }  # fmt: skip
    for classes in (1, 2):
        truth = exact(classes)
        print(f"{classes} skill(s), exact: " + "  ".join(f"{value:.3f}" for value in truth))
        for name, simulate in simulators.items():
            began = time.process_time()
            rows = [figures(simulate(classes, seed), classes) for seed in range(replications)]
            taken = time.process_time() - began
            cells = "  ".join(
                verdict(seen, true)
                for seen, true in zip(zip(*rows, strict=True), truth, strict=True)
            )
            print(f"  {name:6} {cells}  {taken:6.1f} s")


if __name__ == "__main__":
    main()
