"""Who gets which ticket: the order of tickets, the choice of agents, and the expert kept back.

A policy is two orders. Tickets stand in bands, and inside a band in an order that does not
change with time, so that a queue can be kept sorted; a ticket changes bands only at instants the
policy names beforehand. Agents stand in an order of preference; among equals the one with fewest
tickets in hand comes first, then whoever has been idle longest, then the smaller agent id.

Live dispatch, replay and the test of a roster all run these classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from wfm.dispatch.model import EXPERT, SECOND, Agent, Kind, Ticket, does

Key = tuple[int, ...]


class Policy(Protocol):
    """The order of tickets and of agents."""

    name: str

    def band(self, ticket: Ticket, now: int) -> int:
        """Band of the ticket at `now`; 0 goes first."""

    def changes_at(self, ticket: Ticket, band: int) -> int | None:
        """First instant at which the ticket is no longer in `band`, or None."""

    def order(self, ticket: Ticket) -> Key:
        """Order inside a band, the same at all times; smaller first."""

    def turn(self, band: int) -> str:
        """Reason code of a ticket taken out of `band`."""

    def preference(self, agent: Agent) -> Key:
        """Order of the agents who may take a ticket; smaller first."""

    def kept_until(self, ticket: Ticket) -> int | None:
        """Instant until which the ticket's slack allows keeping the last expert from it."""


class Fifo:
    """Oldest first, to the longest idle who can."""

    name = "fifo"

    def band(self, ticket: Ticket, now: int) -> int:
        return 0

    def changes_at(self, ticket: Ticket, band: int) -> int | None:
        return None

    def order(self, ticket: Ticket) -> Key:
        return (ticket.opened_at,)

    def turn(self, band: int) -> str:
        return "oldest"

    def preference(self, agent: Agent) -> Key:
        return ()

    def kept_until(self, ticket: Ticket) -> int | None:
        return None


class Priority(Fifo):
    """Highest priority first, in it the oldest, to the longest idle who can.

    Nothing keeps a low priority from starving here; `Deadline` does.
    """

    name = "priority"

    def order(self, ticket: Ticket) -> Key:
        return (ticket.priority, ticket.opened_at)

    def turn(self, band: int) -> str:
        return "highest_priority"


class Deadline:
    """Earliest due among those still winnable; then the late; nobody late beyond a cap waits.

    Every ticket has a fixed due instant, so waiting alone brings it forward, and the cap bounds
    how long those already late may be passed over: no class starves.

    Parameters
    ----------
    cap_s : float
        Seconds past due after which a ticket goes before everything.
    keep_share : float
        The last expert is kept from lesser work while more than this share of the promised time
        is left …
    keep_least_s : float
        … and more than these seconds.
    """

    name = "deadline"
    OVER_CAP, WINNABLE, LATE = 0, 1, 2

    def __init__(
        self, cap_s: float = 600.0, keep_share: float = 0.5, keep_least_s: float = 300.0
    ) -> None:
        self.cap = round(cap_s * SECOND)
        self.keep_share = keep_share
        self.keep_least = round(keep_least_s * SECOND)

    def band(self, ticket: Ticket, now: int) -> int:
        if now <= ticket.due_at:
            return self.WINNABLE
        return self.LATE if now <= ticket.due_at + self.cap else self.OVER_CAP

    def changes_at(self, ticket: Ticket, band: int) -> int | None:
        if band == self.WINNABLE:
            return ticket.due_at + 1
        return ticket.due_at + self.cap + 1 if band == self.LATE else None

    def order(self, ticket: Ticket) -> Key:
        return (ticket.due_at, ticket.priority, ticket.opened_at)

    def turn(self, band: int) -> str:
        return ("over_cap", "earliest_due", "late")[band]

    def preference(self, agent: Agent) -> Key:
        return (agent.grade, 10**6 if agent.skills is None else len(agent.skills))

    def kept_until(self, ticket: Ticket) -> int | None:
        promised = ticket.due_at - ticket.opened_at
        return ticket.due_at - max(self.keep_least, int(promised * self.keep_share))


POLICIES: dict[str, Callable[[], Policy]] = {
    "deadline": Deadline,
    "fifo": Fifo,
    "priority": Priority,
}


def rank(policy: Policy, ticket: Ticket, now: int) -> tuple[int, Key, str]:
    """Place of a waiting ticket at `now`; smaller first."""
    return policy.band(ticket, now), policy.order(ticket), ticket.ticket_id


def expert_work(agent: Agent, kinds: Iterable[Kind]) -> list[str]:
    """Skills in which the desk has work that needs an expert and this expert does it."""
    return sorted(skill for skill, tier in kinds if tier == EXPERT and does(agent, skill, tier))


def keeps_expert(
    policy: Policy,
    ticket: Ticket,
    agent: Agent,
    now: int,
    *,
    scarce: Callable[[], Iterable[str]],
    others_free: Callable[[], Iterable[Agent]],
    others_wait: Callable[[], bool],
    on_duty: Callable[[], Iterable[Agent]],
) -> int | None:
    """Instant until which a free expert is kept from lesser work, or None to give it.

    An expert is kept when the ticket needs none and its slack allows it, the desk has expert work
    that nobody else now free can do, nothing else waits that the expert may take, and somebody of
    a lower grade on duty may take the ticket once free. What only matters now and then is asked
    for only then.

    Parameters
    ----------
    scarce : callable
        `expert_work` of the agent.
    others_free : callable
        The other agents with room for one more.
    others_wait : callable
        Whether another ticket waits that the agent may take.
    on_duty : callable
        Agents on duty who may take the ticket.
    """
    if agent.grade < EXPERT or ticket.tier >= EXPERT:
        return None
    until = policy.kept_until(ticket)
    if until is None or now >= until:
        return None
    free = list(others_free())
    last = any(not any(does(other, skill, EXPERT) for other in free) for skill in scarce())
    if not last or others_wait():
        return None
    return until if any(other.grade < EXPERT for other in on_duty()) else None
