"""A trace of tickets run over a duty table through the dispatch policy.

An event-driven simulation: nobody starts a ticket outside a duty, one in hand at its end is
finished first, a customer whose patience ends leaves. Nothing here decides who gets what; that
is the policy's, as on the live desk.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from wfm.dispatch.desk import Desk
from wfm.dispatch.model import Agent, Kind, LaneKey, Ticket, lane_key, may_take
from wfm.dispatch.policy import Policy

# At one instant work ends and duties end and begin, tickets come, all that can be handed out is
# handed out, and only then do customers out of patience leave.
FINISH, GO, COME = range(3)
NEVER = 1 << 63
Event = tuple[int, int, str, int]


@dataclass(frozen=True, slots=True)
class Duty:
    """Presence of an agent from `start` (inclusive) to `end` (exclusive), in microseconds.

    A break is the gap between two duties.
    """

    agent_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Trace:
    """Tickets with what only a record or a model can know about them.

    Parameters
    ----------
    tickets : sequence of Ticket
        In any order; ids are unique.
    handle : sequence of int
        Time in an agent's hand, microseconds, ≥ 0; the policy never sees it.
    patience : sequence of (int or None)
        Wait after which the customer leaves, microseconds; None waits for ever.
    """

    tickets: Sequence[Ticket]
    handle: Sequence[int]
    patience: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one ticket.

    `agent_id`, `start` and `end` are None when nobody started it. `turn` says why it was its
    turn, or why nobody served it; `choice` why this agent (codes of `wfm.dispatch.reasons`).
    """

    ticket: Ticket
    agent_id: str | None
    start: int | None
    end: int | None
    turn: str
    choice: str | None = None

    @property
    def wait(self) -> int | None:
        """Microseconds from opening to start."""
        return None if self.start is None else self.start - self.ticket.opened_at

    @property
    def met(self) -> bool:
        """Whether somebody started by the due instant."""
        return self.start is not None and self.start <= self.ticket.due_at


def joined(duties: Iterable[Duty]) -> dict[str, list[tuple[int, int]]]:
    """Spans of presence per agent, ascending, with touching ones joined.

    Raises
    ------
    ValueError
        A duty ends before or when it starts, or two of one agent overlap.
    """
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for duty in sorted(duties, key=lambda duty: (duty.agent_id, duty.start, duty.end)):
        if duty.end <= duty.start:
            raise ValueError(f"a duty of {duty.agent_id} ends before or when it starts")
        mine = spans[duty.agent_id]
        if mine and duty.start < mine[-1][1]:
            raise ValueError(f"two duties of {duty.agent_id} overlap")
        if mine and duty.start == mine[-1][1]:
            mine[-1] = (mine[-1][0], duty.end)
        else:
            mine.append((duty.start, duty.end))
    return dict(spans)


def run(
    trace: Trace,
    agents: Sequence[Agent],
    duties: Iterable[Duty],
    policy: Policy,
    kinds: Iterable[Kind] | None = None,
) -> list[Decision]:
    """Run the trace and say what became of every ticket.

    Parameters
    ----------
    trace : Trace
    agents : sequence of Agent
    duties : iterable of Duty
        Of these agents.
    policy : Policy
    kinds : iterable of (str, int), optional
        Kinds of work the desk offers (skill, tier); by default those in the trace.

    Returns
    -------
    list of Decision
        In the order of the trace's tickets. The same trace, in whatever order, gives the same
        decisions.
    """
    if kinds is None:
        kinds = {(ticket.skill, ticket.tier) for ticket in trace.tickets}
    spans = joined(duties)
    desk = Desk(policy, agents, kinds)
    number = {ticket.ticket_id: i for i, ticket in enumerate(trace.tickets)}
    decisions: list[Decision | None] = [None] * len(number)

    tickets, handle, patience = trace.tickets, trace.handle, trace.patience
    # the next to come is the last of the list
    arrivals = sorted(
        ((ticket.opened_at, ticket.ticket_id, i) for i, ticket in enumerate(tickets)), reverse=True
    )
    events: list[Event] = [
        (at, kind, agent_id, 0)
        for agent_id, mine in spans.items()
        for start, end in mine
        for at, kind in ((start, COME), (end, GO))
    ]
    heapify(events)
    losses: list[tuple[int, str, int]] = []
    ends = {(agent_id, start): end for agent_id, mine in spans.items() for start, end in mine}

    while True:
        now = events[0][0] if events else NEVER
        if arrivals and arrivals[-1][0] < now:
            now = arrivals[-1][0]
        if losses and losses[0][0] < now:
            now = losses[0][0]
        if desk.kept or desk.widening:
            now = min(now, desk.next_look())
        if now == NEVER:
            break
        while events and events[0][0] == now:
            _, kind, agent_id, weight = heappop(events)
            if kind == FINISH:
                desk.finish(agent_id, now, weight)
            elif kind == GO:
                desk.go(agent_id, now)
            else:
                desk.come(agent_id, now, ends[agent_id, now])
        while arrivals and arrivals[-1][0] == now:
            _, ticket_id, i = arrivals.pop()
            desk.arrive(tickets[i], now)
            stays = patience[i]
            if stays is not None:
                heappush(losses, (now + stays, ticket_id, i))
        for ticket, agent, turn, choice in desk.match(now):
            i = number[ticket.ticket_id]
            end = now + handle[i]
            decisions[i] = Decision(tickets[i], agent.agent_id, now, end, turn, choice)
            heappush(events, (end, FINISH, agent.agent_id, ticket.weight))
        if events and events[0][0] == now:
            continue  # a ticket of no length is done already, and its agent free at this instant
        while losses and losses[0][0] == now:
            i = heappop(losses)[2]
            if decisions[i] is None:
                desk.leave(tickets[i], now)
                decisions[i] = Decision(tickets[i], None, None, None, "customer_left")

    left_over = _LeftOver(agents, spans)
    return [
        Decision(tickets[i], None, None, None, left_over.why(tickets[i]))
        if decision is None
        else decision
        for i, decision in enumerate(decisions)
    ]


class _LeftOver:
    """Says why nobody served a ticket that was still waiting at the end."""

    def __init__(self, agents: Sequence[Agent], spans: dict[str, list[tuple[int, int]]]) -> None:
        self.agents = agents
        self.last_end = {agent_id: mine[-1][1] for agent_id, mine in spans.items()}
        self.known: dict[LaneKey, tuple[bool, int | None]] = {}

    def why(self, ticket: Ticket) -> str:
        key = lane_key(ticket)
        if key not in self.known:
            able = [agent.agent_id for agent in self.agents if may_take(agent, ticket)]
            ends = [self.last_end[name] for name in able if name in self.last_end]
            self.known[key] = bool(able), max(ends, default=None)
        anybody, last_end = self.known[key]
        if not anybody:
            return "nobody_may"
        if last_end is None or last_end <= ticket.opened_at:
            return "nobody_on_duty"
        return "duties_ended"
