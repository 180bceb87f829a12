"""Proposals for the live desk: whom to give this ticket, what to give this agent.

The same policy as in a replay, asked about one plain snapshot of the desk.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from wfm.dispatch.desk import contrast
from wfm.dispatch.model import Agent, DeskState, Seat, Ticket, does, may_take
from wfm.dispatch.policy import Key, Policy, expert_work, keeps_expert, rank
from wfm.dispatch.reasons import Reason


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who should take which ticket, and why.

    `agent_id` or `ticket_id` is None when nobody should take it, or the agent nothing, now.
    `next_best` names the runners-up: agents for a ticket, tickets for an agent. `kept_until` is
    the instant at which to ask again when the last expert is being kept.
    """

    ticket_id: str | None
    agent_id: str | None
    why: tuple[Reason, ...]
    next_best: tuple[str, ...] = ()
    kept_until: int | None = None


def recommend(
    policy: Policy, ticket: Ticket, desk: DeskState, now: int, runners_up: int = 3
) -> Proposal:
    """Propose an agent for a ticket.

    Parameters
    ----------
    policy : Policy
    ticket : Ticket
        Whether or not it is among `desk.waiting`.
    desk : DeskState
    now : int
        Instant, microseconds.
    runners_up : int
        How many of the next best to name.
    """
    able = [
        seat
        for seat in desk.seats
        if does(seat.agent, ticket.skill, ticket.tier, ticket.proficiency)
    ]
    clear = [seat for seat in able if seat.agent.agent_id not in ticket.not_by]
    free = sorted((seat for seat in clear if has_room(seat)), key=partial(_place, policy))
    why = [
        Reason("on_duty", {"n": len(desk.seats)}),
        Reason("able", {"n": len(able)}),
        Reason("no_conflict", {"n": len(clear)}),
        Reason("free", {"n": len(free)}),
    ]
    if not free:
        why.append(Reason("nobody_free" if clear else "nobody_on_duty"))
        return Proposal(ticket.ticket_id, None, tuple(why))
    takers: list[Seat] = []
    kept_until: list[int] = []
    for seat in free:
        until = kept_from(policy, ticket, seat.agent, desk, now)
        if until is None:
            takers.append(seat)
        else:
            kept_until.append(until)
        if len(takers) > max(runners_up, 1):
            break
    if not takers:
        why.append(Reason("expert_kept"))
        return Proposal(ticket.ticket_id, None, tuple(why), kept_until=min(kept_until))
    places = [_place(policy, seat)[:2] for seat in takers[:2]]
    why.append(Reason(contrast(*places) if len(places) == 2 else "only_one_free"))
    first_choice, *others = (seat.agent.agent_id for seat in takers)
    return Proposal(ticket.ticket_id, first_choice, tuple(why), tuple(others[:runners_up]))


def next_for(
    policy: Policy, agent_id: str, desk: DeskState, now: int, runners_up: int = 3
) -> Proposal:
    """Propose a ticket for an agent on duty who asks for one.

    Raises
    ------
    ValueError
        The agent is not on duty.
    """
    seat = next((seat for seat in desk.seats if seat.agent.agent_id == agent_id), None)
    if seat is None:
        raise ValueError(f"{agent_id} is not on duty")
    reach = sorted(
        (ticket for ticket in desk.waiting if may_take(seat.agent, ticket)),
        key=lambda ticket: rank(policy, ticket, now),
    )
    why = [
        Reason("waiting", {"n": len(desk.waiting)}),
        Reason("within_reach", {"n": len(reach)}),
    ]
    if not has_room(seat):
        return Proposal(None, agent_id, (*why, Reason("no_room")))
    if not reach:
        return Proposal(None, agent_id, (*why, Reason("nothing_waits")))
    first, *others = reach
    until = kept_from(policy, first, seat.agent, desk, now)
    if until is not None:
        return Proposal(None, agent_id, (*why, Reason("expert_kept")), kept_until=until)
    why.append(Reason(policy.turn(policy.band(first, now))))
    names = tuple(ticket.ticket_id for ticket in others[:runners_up])
    return Proposal(first.ticket_id, agent_id, tuple(why), names)


def has_room(seat: Seat) -> bool:
    """Whether the agent can hold one more ticket."""
    return seat.in_hand < seat.agent.capacity


def kept_from(
    policy: Policy, ticket: Ticket, agent: Agent, desk: DeskState, now: int
) -> int | None:
    """Instant until which the agent is kept from the ticket as the last expert, or None."""
    return keeps_expert(
        policy,
        ticket,
        agent,
        now,
        scarce=lambda: expert_work(agent, desk.kinds),
        others_free=lambda: (
            seat.agent for seat in desk.seats if has_room(seat) and seat.agent is not agent
        ),
        others_wait=lambda: any(
            other.ticket_id != ticket.ticket_id and may_take(agent, other) for other in desk.waiting
        ),
        on_duty=lambda: (seat.agent for seat in desk.seats if may_take(seat.agent, ticket)),
    )


def _place(policy: Policy, seat: Seat) -> tuple[Key, int, int, str]:
    return policy.preference(seat.agent), seat.in_hand, seat.since, seat.agent.agent_id
