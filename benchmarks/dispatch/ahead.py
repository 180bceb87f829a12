"""Is the list of tickets at risk right? The look ahead against what became of them in a replay.

A drawn desk (of `million.py`, smaller) runs under `deadline`. At many instants everything known
then is laid before the look ahead – who is on duty until when, what is in hand, what waits – and
what it says of each ticket still winnable is compared with how the replay ended for it.

Precision: of those said to be late, how many were. Recall: of those that were, how many were said.

Usage: python benchmarks/dispatch/ahead.py [CALLS SEED]
"""

from __future__ import annotations

import random
import sys
from bisect import bisect_right
from collections.abc import Sequence

from million import HANDLE_S, SKILLS, people, ticket

from wfm.dispatch.ahead import look_ahead
from wfm.dispatch.model import EXPERT, SECOND, Agent, DeskState, Seat
from wfm.dispatch.policy import Deadline
from wfm.dispatch.replay import Decision, Duty, Trace, run

AGENTS = 40
LOOKS = 60


def drawn(calls: int, load: float, seed: int) -> tuple[Trace, list[Agent], list[Duty]]:
    """Calls for forty agents, four hours on and a quarter of an hour off."""
    draw = random.Random(seed)
    agents = people(draw, AGENTS)
    tickets, handle, at = [], [], 0.0
    for i in range(calls):
        at += draw.expovariate(load * AGENTS / HANDLE_S)
        tickets.append(ticket(draw, f"t{i:06}", int(at * SECOND)))
        handle.append(int(draw.expovariate(1 / HANDLE_S) * SECOND))
    duties = [
        Duty(agent.agent_id, start * SECOND, (start + 14_400) * SECOND)
        for number, agent in enumerate(agents)
        for start in range(-360 * (number % 40), int(at), 15_300)
    ]
    return Trace(tickets, handle, [None] * calls), agents, duties


def desk_at(
    now: int, decisions: Sequence[Decision], agents: Sequence[Agent], duties: Sequence[Duty]
) -> DeskState:
    """The desk as anybody could see it at an instant of the replay."""
    ends = {duty.agent_id: duty.end for duty in duties if duty.start <= now < duty.end}
    held = dict.fromkeys(ends, 0)
    since = dict.fromkeys(ends, 0)
    waiting = []
    for one in decisions:
        if one.ticket.opened_at > now:
            continue
        if one.start is None or one.start > now:
            waiting.append(one.ticket)
        elif one.agent_id in held and one.end is not None:
            held[one.agent_id] += one.end > now
            since[one.agent_id] = max(since[one.agent_id], min(one.end, now))
    seats = [
        Seat(agent, held[agent.agent_id], since[agent.agent_id], ends[agent.agent_id])
        for agent in agents
        if agent.agent_id in ends
    ]
    return DeskState(seats, waiting, frozenset((skill, EXPERT) for skill in SKILLS))


def measure(calls: int, load: float, seed: int) -> tuple[int, int, int, int]:
    """Tickets looked at, said to be late, late indeed, and both."""
    trace, agents, duties = drawn(calls, load, seed)
    policy = Deadline()
    decisions = run(trace, agents, duties, policy)
    late = {one.ticket.ticket_id: not one.met for one in decisions}
    opened = [one.opened_at for one in trace.tickets]
    looked = said = were = both = 0
    for turn in range(1, LOOKS + 1):
        now = opened[-1] * turn // (LOOKS + 1)
        # nobody waits longer than two hours here, and nothing is in hand for longer
        first, last = (bisect_right(opened, at) for at in (now - 7200 * SECOND, now))
        desk = desk_at(now, decisions[first:last], agents, duties)
        due = {one.ticket_id: one.due_at for one in desk.waiting}
        for one in look_ahead(policy, desk, now, {}, HANDLE_S * SECOND):
            if due[one.ticket_id] < now:
                continue  # late already; no foresight is needed
            looked += 1
            said += one.at_risk
            were += late[one.ticket_id]
            both += one.at_risk and late[one.ticket_id]
    return looked, said, were, both


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for load in (0.8, 0.9, 1.0, 1.1):
        looked, said, were, both = measure(calls, load, seed)
        precision, recall = 100 * both / max(said, 1), 100 * both / max(were, 1)
        print(
            f"load {load}: {looked} looked at, {said} said late, {were} late;"
            f" precision {precision:.0f} %, recall {recall:.0f} %"
        )


if __name__ == "__main__":
    main()
