"""Speed: a million drawn calls through a replay, and decisions on a crowded live desk."""

from __future__ import annotations

import random
import time

from wfm.dispatch.live import next_for, recommend
from wfm.dispatch.model import EXPERT, SECOND, Agent, DeskState, Seat, Ticket
from wfm.dispatch.policy import POLICIES, Deadline
from wfm.dispatch.replay import Duty, Trace, run

SKILLS = [f"skill-{i}" for i in range(8)]
HANDLE_S = 300


def people(draw: random.Random, count: int) -> list[Agent]:
    """Six in ten ordinary, three senior, one expert, with three of the eight skills each."""
    return [
        Agent(f"a{i:04}", (1, 1, 1, 1, 1, 1, 2, 2, 2, 3)[i % 10], dict.fromkeys(names, 3))
        for i in range(count)
        for names in [draw.sample(SKILLS, 3)]
    ]


def ticket(draw: random.Random, name: str, opened: int) -> Ticket:
    within = draw.choice([20, 60, 300, 900]) * SECOND
    tier = draw.choice([1] * 6 + [2] * 3 + [3])
    return Ticket(name, opened, opened + within, draw.choice(SKILLS), tier, draw.randint(1, 3))


def replay_seconds(calls: int, load: float, policy: str) -> tuple[float, float]:
    """Seconds for a replay, and the share of calls within target; half of the callers hang up."""
    draw = random.Random(1)
    agents = people(draw, 200)
    tickets, handle, at = [], [], 0.0
    for i in range(calls):
        at += draw.expovariate(load * len(agents) / HANDLE_S)
        tickets.append(ticket(draw, f"t{i:07}", int(at * SECOND)))
        handle.append(int(draw.expovariate(1 / HANDLE_S) * SECOND))
    # four hours on, a quarter of an hour off, round the clock
    duties = [
        Duty(agent.agent_id, start * SECOND, (start + 14_400) * SECOND)
        for agent in agents
        for start in range(0, int(at), 15_300)
    ]
    patience = [600 * SECOND if i % 2 else None for i in range(calls)]
    began = time.process_time()
    decisions = run(Trace(tickets, handle, patience), agents, duties, POLICIES[policy]())
    return time.process_time() - began, sum(d.met for d in decisions) / calls


def live_milliseconds(waiting: int, on_duty: int, decisions: int = 200) -> dict[str, list[float]]:
    """Milliseconds of single decisions, ascending."""
    draw = random.Random(2)
    seats = [
        Seat(agent, draw.randint(0, 1), draw.randrange(3600) * SECOND)
        for agent in people(draw, on_duty)
    ]
    tickets = [
        ticket(draw, f"t{i:05}", draw.randrange(3000, 3600) * SECOND) for i in range(waiting)
    ]
    desk = DeskState(seats, tickets, frozenset((skill, EXPERT) for skill in SKILLS))
    policy, now = Deadline(), 3600 * SECOND
    taken: dict[str, list[float]] = {"recommend": [], "next_for": []}
    for _ in range(decisions):
        one, seat = draw.choice(tickets), draw.choice(seats)
        began = time.process_time()
        recommend(policy, one, desk, now)
        middle = time.process_time()
        next_for(policy, seat.agent.agent_id, desk, now)
        taken["recommend"].append(1000 * (middle - began))
        taken["next_for"].append(1000 * (time.process_time() - middle))
    return {name: sorted(times) for name, times in taken.items()}


def main() -> None:
    for policy in ("fifo", "deadline"):
        for load in (0.7, 0.9, 1.1):
            seconds, met = replay_seconds(1_000_000, load, policy)
            print(f"{policy:9} load {load}: {seconds:5.1f} s, {100 * met:.1f} % within target")
    for name, times in live_milliseconds(5_000, 1_000).items():
        middle, high = times[len(times) // 2], times[len(times) * 99 // 100]
        print(f"{name}: 5,000 waiting, 1,000 on duty: p50 {middle:.1f} ms, p99 {high:.1f} ms")


if __name__ == "__main__":
    main()
