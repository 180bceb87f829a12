"""Proposals for the live desk: whom to give this ticket, what to give this agent.

The same policy as in a replay, asked about one plain snapshot of the desk.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from wfm.dispatch.model import (
    EXPERT,
    ORDINARY,
    Agent,
    DeskState,
    LaneKey,
    Seat,
    Ticket,
    does,
    fits,
    lane_key,
    may_take,
)
from wfm.dispatch.policy import Keeping, Key, Policy, contrast, expert_work, keeps, rank, widened
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
    return recommend_all(policy, [ticket], desk, now, runners_up)[0]


def recommend_all(
    policy: Policy, tickets: Iterable[Ticket], desk: DeskState, now: int, runners_up: int = 3
) -> list[Proposal]:
    """What `recommend` says of each ticket by itself; whom it may go to is asked once a lane."""
    proposer = Proposer(policy, desk, now)
    return [proposer.propose(ticket, runners_up) for ticket in tickets]


Place = tuple[Key, int, int, str]


@dataclass(frozen=True, slots=True)
class _Reach:
    """How many can do the work of a lane, which seats of them may, and who is free, best first.

    `first` is a ticket of the lane; `free` holds numbers of seats, each with its place.
    """

    first: Ticket
    able: int
    clear: frozenset[int]
    free: list[tuple[Place, int]]


class Proposer:
    """Proposals for one ticket after another, each knowing what was given before it.

    Parameters
    ----------
    policy : Policy
    desk : DeskState
        As it stands before the first.
    now : int
        Instant, microseconds.
    """

    def __init__(self, policy: Policy, desk: DeskState, now: int) -> None:
        self.policy, self.now = policy, now
        self.seats = list(desk.seats)
        self.places = [_place(policy, seat) for seat in self.seats]
        self.number = {seat.agent.agent_id: n for n, seat in enumerate(self.seats)}
        self.waiting = {ticket.ticket_id: ticket for ticket in desk.waiting}
        self.desk = DeskState(self.seats, self.waiting.values(), desk.kinds)
        self.lanes: dict[LaneKey, _Reach] = {}

    def give(self, ticket: Ticket, agent_id: str) -> None:
        """The ticket is in the agent's hands from now on."""
        n = self.number[agent_id]
        before = self.seats[n]
        after = replace(before, in_hand=before.in_hand + ticket.weight, since=self.now)
        self.seats[n] = after
        self.waiting.pop(ticket.ticket_id, None)
        old, new = (self.places[n], n), (_place(self.policy, after), n)
        self.places[n] = new[0]
        for reach in self.lanes.values():
            if n not in reach.clear:
                continue
            if has_room(before, reach.first):
                del reach.free[bisect_left(reach.free, old)]
            if has_room(after, reach.first):
                insort(reach.free, new)

    def propose(self, ticket: Ticket, runners_up: int = 3) -> Proposal:
        """As `recommend`."""
        ticket = widened(self.policy, ticket, self.now)
        reach = self._reach(ticket)
        why = [
            Reason("on_duty", {"n": len(self.seats)}),
            Reason("able", {"n": reach.able}),
            Reason("no_conflict", {"n": len(reach.clear)}),
            Reason("free", {"n": len(reach.free)}),
        ]
        if not reach.free:
            why.append(Reason("nobody_free" if reach.clear else "nobody_on_duty"))
            return Proposal(ticket.ticket_id, None, tuple(why))
        takers: list[tuple[Place, int]] = []
        kept: list[Keeping] = []
        for one in reach.free:
            seat = self.seats[one[1]]
            keeping = kept_from(
                self.policy, ticket, seat, self.desk, self.now, covered=len(reach.clear)
            )
            if keeping is None:
                takers.append(one)
            else:
                kept.append(keeping)
            if len(takers) > max(runners_up, 1):
                break
        if not takers:
            first_out = min(kept, key=lambda keeping: keeping.until)
            why.append(Reason(first_out.code))
            return Proposal(ticket.ticket_id, None, tuple(why), kept_until=first_out.until)
        places = [place[:2] for place, _ in takers[:2]]
        why.append(Reason(contrast(*places) if len(places) == 2 else "only_one_free"))
        first_choice, *others = (place[3] for place, _ in takers)
        return Proposal(ticket.ticket_id, first_choice, tuple(why), tuple(others[:runners_up]))

    def _reach(self, ticket: Ticket) -> _Reach:
        key = lane_key(ticket)
        if key in self.lanes:
            return self.lanes[key]
        able = [
            (n, seat)
            for n, seat in enumerate(self.seats)
            if does(seat.agent, ticket.skill, ticket.tier, ticket.proficiency)
        ]
        clear = [(n, seat) for n, seat in able if seat.agent.agent_id not in ticket.not_by]
        free = sorted((self.places[n], n) for n, seat in clear if has_room(seat, ticket))
        reach = _Reach(ticket, len(able), frozenset(n for n, _ in clear), free)
        self.lanes[key] = reach
        return reach


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
    lanes = _lanes(policy, desk, now)
    reach = _sorted(
        policy, desk, [lane for lane in lanes.values() if may_take(seat.agent, lane[0])], now
    )
    why = [
        Reason("waiting", {"n": len(desk.waiting)}),
        Reason("within_reach", {"n": len(reach)}),
    ]
    full = seat.in_hand >= seat.agent.capacity
    if full or (reach and not any(has_room(seat, ticket) for ticket in reach)):
        return Proposal(None, agent_id, (*why, Reason("no_room")))
    if not reach:
        return Proposal(None, agent_id, (*why, Reason("nothing_waits")))
    kept: Keeping | None = None
    for place, first in enumerate(reach):
        if not has_room(seat, first):
            continue
        keeping = kept_from(policy, first, seat, desk, now)
        if keeping is None:
            band = rank(policy, first, now, cover(desk, first))[0]
            why.append(Reason(policy.turn(band)))
            names = tuple(ticket.ticket_id for ticket in reach[place + 1 :][:runners_up])
            return Proposal(first.ticket_id, agent_id, tuple(why), names)
        if kept is None or keeping.until < kept.until:
            kept = keeping
    assert kept is not None
    return Proposal(None, agent_id, (*why, Reason(kept.code)), kept_until=kept.until)


def cover(desk: DeskState, ticket: Ticket) -> int:
    """How many agents on duty may take the ticket."""
    return sum(may_take(seat.agent, ticket) for seat in desk.seats)


def in_order(policy: Policy, desk: DeskState, now: int) -> list[Ticket]:
    """The waiting tickets as they stand now, whose turn it is first."""
    return _sorted(policy, desk, _lanes(policy, desk, now).values(), now)


def _lanes(policy: Policy, desk: DeskState, now: int) -> dict[LaneKey, list[Ticket]]:
    """The waiting tickets as they stand now, those together that the same agents may take."""
    lanes: dict[LaneKey, list[Ticket]] = defaultdict(list)
    for ticket in desk.waiting:
        stands = widened(policy, ticket, now) if policy.rings else ticket
        lanes[lane_key(stands)].append(stands)
    return lanes


def _sorted(
    policy: Policy, desk: DeskState, lanes: Iterable[Sequence[Ticket]], now: int
) -> list[Ticket]:
    ranked = []
    for lane in lanes:
        covered = cover(desk, lane[0])
        ranked += [(rank(policy, ticket, now, covered), ticket) for ticket in lane]
    ranked.sort(key=lambda pair: pair[0])
    return [ticket for _, ticket in ranked]


def has_room(seat: Seat, ticket: Ticket) -> bool:
    """Whether the agent can hold this ticket too."""
    return fits(seat.agent, seat.in_hand, ticket.weight)


@dataclass(frozen=True, slots=True)
class Room:
    """What the rules that keep an agent back ask, answered from a snapshot."""

    policy: Policy
    desk: DeskState
    agent: Agent
    ticket: Ticket
    now: int
    covered: int | None = None  # as `cover` says, where it is known

    def scarce(self) -> Iterable[str]:
        return expert_work(self.agent, self.desk.kinds)

    def experts_free(self) -> Iterable[Agent]:
        return (agent for agent in self._others_free() if agent.grade >= EXPERT)

    def alone(self) -> bool:
        return any(
            does(self.agent, *kind)
            and not any(
                does(seat.agent, *kind) for seat in self.desk.seats if seat.agent is not self.agent
            )
            for kind in self.desk.kinds
        )

    def others_free(self, number: int) -> bool:
        able = (agent for agent in self._others_free() if may_take(agent, self.ticket))
        return sum(1 for _ in islice(able, number)) >= number

    def others_wait(self) -> bool:
        return any(self._within_reach(other) for other in self.desk.waiting)

    def expert_work_waits(self) -> bool:
        return any(
            other.tier >= EXPERT and self._within_reach(other, EXPERT)
            for other in self.desk.waiting
        )

    def _within_reach(self, other: Ticket, tier: int = ORDINARY) -> bool:
        """Whether it is another ticket, needs that tier as it stands now, and the agent may."""
        stands = widened(self.policy, other, self.now) if self.policy.rings else other
        return (
            other.ticket_id != self.ticket.ticket_id
            and stands.tier >= tier
            and may_take(self.agent, stands)
        )

    def on_duty(self) -> Iterable[Agent]:
        return (seat.agent for seat in self.desk.seats if may_take(seat.agent, self.ticket))

    def cover(self) -> int:
        return cover(self.desk, self.ticket) if self.covered is None else self.covered

    def _others_free(self) -> Iterable[Agent]:
        return (
            seat.agent
            for seat in self.desk.seats
            if seat.agent is not self.agent and has_room(seat, self.ticket)
        )


def kept_from(
    policy: Policy,
    ticket: Ticket,
    seat: Seat,
    desk: DeskState,
    now: int,
    covered: int | None = None,
) -> Keeping | None:
    """Why the agent is kept from the ticket though there is room for it, or None.

    `covered` is how many agents on duty may take it, where somebody has counted them.
    """
    room = Room(policy, desk, seat.agent, ticket, now, covered)
    return keeps(policy, ticket, seat.agent, now, room, seat.leaves_at)


def _place(policy: Policy, seat: Seat) -> Place:
    return policy.preference(seat.agent), seat.in_hand, seat.since, seat.agent.agent_id
