"""A look ahead: when each waiting ticket may expect to be started. It advises only.

Every agent on duty offers slots: the instants at which hands are expected to be free until the
duty ends. Waiting tickets are spread over the slots at least cost, where a promise kept outweighs
any saving of waiting time. New arrivals are not foreseen, so what is said is a best case for
tickets that newer ones may overtake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from wfm.dispatch.live import in_order
from wfm.dispatch.model import SECOND, DeskState, Seat, Ticket, does, may_take
from wfm.dispatch.policy import Policy

MOST_TICKETS = 300
SLOTS_PER_AGENT = 6
LATE_COST = 1e7  # seconds; a promise broken costs more than any wait
NEVER_COST = 1e9


@dataclass(frozen=True, slots=True)
class Expected:
    """What the look ahead says of one waiting ticket.

    Parameters
    ----------
    ticket_id : str
    start : int or None
        Expected instant of its start, microseconds; None when no slot was left for it.
    agent_id : str or None
        Whose slot it is.
    at_risk : bool
        Whether it is expected to start after its due instant, or not at all.
    overflow : str or None
        For one at risk: an agent one tier below, or short of its proficiency, who could start in
        time if the desk allowed it.
    """

    ticket_id: str
    start: int | None
    agent_id: str | None
    at_risk: bool
    overflow: str | None = None


def slots(seat: Seat, now: int, mean: int, most: int = SLOTS_PER_AGENT) -> list[int]:
    """Instants at which the agent's hands are expected to be free for one more.

    Parameters
    ----------
    seat : Seat
    now : int
    mean : int
        Mean time a ticket is in hand, microseconds. What is in hand is expected to take as long
        again, however long it has been there: handle times spread about as widely as that.
    most : int
        How many instants at most.
    """
    step = max(mean, SECOND)
    capacity = max(seat.agent.capacity, 1)
    busy = min(seat.in_hand, capacity)
    # n in hand end one after another, the k-th after k/n of the mean; then each hand goes on
    hands = [now] * (capacity - busy) + [now + step * (k + 1) // busy for k in range(busy)]
    found = sorted(hand + step * turn for hand in hands for turn in range(most))[:most]
    return [at for at in found if seat.leaves_at is None or at < seat.leaves_at]


def look_ahead(
    policy: Policy,
    desk: DeskState,
    now: int,
    mean_handle: Mapping[str, int],
    default_handle: int,
) -> list[Expected]:
    """Expected start of every waiting ticket, in the order of the policy.

    Parameters
    ----------
    policy : Policy
        Its order decides which tickets are looked at when very many wait.
    desk : DeskState
    now : int
    mean_handle : mapping of str to int
        Mean time in hand by skill, microseconds.
    default_handle : int
        For skills not listed.
    """
    waiting = in_order(policy, desk, now)
    looked, rest = waiting[:MOST_TICKETS], waiting[MOST_TICKETS:]
    # no more slots than can matter
    most = min(SLOTS_PER_AGENT, 1 + 2 * len(looked) // max(len(desk.seats), 1))
    offers = [
        (seat, at)
        for seat in desk.seats
        for at in slots(seat, now, _mean_of(seat, mean_handle, default_handle), most)
    ]
    chosen = _assign(looked, offers, now)
    soonest = sorted(offers, key=lambda offer: (offer[1], offer[0].agent.agent_id))
    said = []
    for number, ticket in enumerate(looked):
        if number not in chosen:
            said.append(Expected(ticket.ticket_id, None, None, True, _overflow(ticket, soonest)))
            continue
        seat, at = offers[chosen[number]]
        risk = at > ticket.due_at
        other = _overflow(ticket, soonest) if risk else None
        said.append(Expected(ticket.ticket_id, at, seat.agent.agent_id, risk, other))
    return said + [Expected(ticket.ticket_id, None, None, True) for ticket in rest]


def _mean_of(seat: Seat, mean_handle: Mapping[str, int], default: int) -> int:
    """Mean over the agent's skills: nobody knows yet which of them will be asked for."""
    known = [mean_handle.get(skill, default) for skill in seat.agent.skills or mean_handle]
    return sum(known) // len(known) if known else default


def _assign(
    tickets: Sequence[Ticket], offers: Sequence[tuple[Seat, int]], now: int
) -> dict[int, int]:
    """Ticket number → offer number at least cost."""
    if not tickets or not offers:
        return {}
    at = np.array([instant for _, instant in offers], dtype=float)
    cost = np.full((len(tickets), len(offers)), NEVER_COST)
    reach: dict[tuple[str, int, int, frozenset[str]], np.ndarray] = {}
    for number, ticket in enumerate(tickets):
        key = (ticket.skill, ticket.tier, ticket.proficiency, ticket.not_by)
        if key not in reach:
            reach[key] = np.array([may_take(seat.agent, ticket) for seat, _ in offers])
        wait = (at - now) / SECOND
        late = np.maximum(at - ticket.due_at, 0.0) / SECOND
        row = wait + np.where(late > 0, LATE_COST + late, 0.0)
        cost[number, reach[key]] = row[reach[key]]
    rows, columns = linear_sum_assignment(cost)
    return {
        int(row): int(column)
        for row, column in zip(rows, columns, strict=True)
        if cost[row, column] < NEVER_COST
    }


def _overflow(ticket: Ticket, soonest: Sequence[tuple[Seat, int]]) -> str | None:
    """Somebody who falls short of the ticket by a little, and would be free in time."""
    for seat, at in soonest:
        agent = seat.agent
        if at > ticket.due_at:
            return None
        near = does(agent, ticket.skill, max(1, ticket.tier - 1))
        if near and agent.agent_id not in ticket.not_by and not may_take(agent, ticket):
            return agent.agent_id
    return None
