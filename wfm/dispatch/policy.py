"""Who gets which ticket: the order of tickets, the choice of agents, and the expert kept back.

A policy is two orders. Tickets stand in bands, and inside a band in an order that does not
change with time, so that a queue can be kept sorted; a ticket changes bands only at instants the
policy names beforehand. The first of a band may be urgent, which puts it before every band; when,
depends on its cover: how many agents on duty may take it. Agents stand in an order of preference;
among equals the one with least in hand comes first, then whoever has been idle longest, then the
smaller agent id.

Live dispatch, replay and the test of a roster all run these classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from wfm.dispatch.model import EXPERT, ORDINARY, SECOND, Agent, Kind, Ticket, does

Key = tuple[int, ...]
URGENT = -1
"""The band before all bands."""
LAST = SECOND
"""The moment of a duty in which nobody is kept from calls any more."""


@dataclass(frozen=True, slots=True)
class Ring:
    """A step by which a ticket comes within reach of more agents as its deadline nears.

    Parameters
    ----------
    left_share : float
        The step is taken when no more than this share of the promised time is left.
    proficiency : int
        From then on this proficiency (1–5) is enough.
    tiers_below : int
        From then on so many tiers below the ticket's own are enough.
    """

    left_share: float
    proficiency: int = 5
    tiers_below: int = 0


class Policy(Protocol):
    """The order of tickets and of agents; `rings` in the order in which they open."""

    name: str
    rings: tuple[Ring, ...]

    def band(self, ticket: Ticket, now: int) -> int:
        """Band of the ticket at `now`; 0 goes first."""

    def changes_at(self, ticket: Ticket, band: int) -> int | None:
        """First instant at which the ticket is no longer in `band`, or None."""

    def order(self, ticket: Ticket, band: int) -> Key:
        """Order inside a band, the same as long as it is in it; smaller first."""

    def urgent(self, ticket: Ticket, now: int, cover: int) -> bool:
        """Whether the ticket goes before all bands when `cover` agents on duty may take it.

        In a band and at equal cover a ticket is never urgent before those that precede it, and in
        band 0 none is.
        """

    def turn(self, band: int) -> str:
        """Reason code of a ticket taken out of `band`, or out of `URGENT`."""

    def preference(self, agent: Agent) -> Key:
        """Order of the agents who may take a ticket; smaller first."""

    def kept_until(self, ticket: Ticket) -> int | None:
        """Instant until which the ticket's slack allows keeping the last expert from it."""

    def held_until(self, ticket: Ticket, now: int, cover: int) -> int | None:
        """Instant until which the last free agents are kept from it for callers still in time."""

    def held_back(self, cover: int) -> int:
        """How many of the agents who may take such a ticket are these last ones."""

    def spared_until(self, ticket: Ticket, now: int, cover: int) -> int | None:
        """Instant until which whoever alone does some kind of work is kept from it."""


class Fifo:
    """Oldest first, to the longest idle who can."""

    name = "fifo"
    rings: tuple[Ring, ...] = ()

    def band(self, ticket: Ticket, now: int) -> int:
        return 0

    def changes_at(self, ticket: Ticket, band: int) -> int | None:
        return None

    def order(self, ticket: Ticket, band: int) -> Key:
        return (ticket.opened_at,)

    def urgent(self, ticket: Ticket, now: int, cover: int) -> bool:
        return False

    def turn(self, band: int) -> str:
        return "oldest"

    def preference(self, agent: Agent) -> Key:
        return ()

    def kept_until(self, ticket: Ticket) -> int | None:
        return None

    def held_until(self, ticket: Ticket, now: int, cover: int) -> int | None:
        return None

    def held_back(self, cover: int) -> int:
        return 0

    def spared_until(self, ticket: Ticket, now: int, cover: int) -> int | None:
        return None


class Priority(Fifo):
    """Highest priority first, in it the oldest, to the longest idle who can.

    Nothing keeps a low priority from starving here; `Deadline` does.
    """

    name = "priority"

    def order(self, ticket: Ticket, band: int) -> Key:
        return (ticket.priority, ticket.opened_at)

    def turn(self, band: int) -> str:
        return "highest_priority"


class Deadline:
    """Earliest due among those still winnable; then the late; nobody late beyond a cap waits.

    Every ticket has a fixed due instant, so waiting alone brings it forward, and the cap bounds
    how long those already late may be passed over: no class starves. The fewer on duty may take a
    ticket, the longer it takes until one of them is free, so the lower its cap.

    Parameters
    ----------
    cap_s : float
        Seconds past due after which a ticket goes before everything …
    cap_per_agent_s : float
        … or this many seconds for each agent on duty who may take it, whichever is less. This
        holds for short promises, which one call in hand may break …
    cap_promises : float
        … and with longer ones a ticket is late beyond its cap after so many times the time it was
        promised, but not before `cap_s`: a quarter of an hour is much to somebody who was promised
        a minute, and little to somebody who was promised a day.
    keep_share : float
        The last expert is kept from lesser work while more than this share of the promised time
        is left …
    keep_least_s : float
        … and more than these seconds.
    hold_s : float
        A late caller is not given the last free agents until late by these seconds: the next
        callers are still winnable.
    hold_two_from : int
        These last ones are two where so many on duty may take the call, else one.
    hold_from : int
        This holds where at least so many agents on duty may take the ticket …
    hold_promise_s : float
        … and for short promises, those of no more than these seconds: with longer ones nobody
        need be free at the very moment the next ticket comes.
    spare_from : int
        Whoever is alone on duty for some kind of work is kept from a ticket that so many on duty
        may take, with a promise as short as that, until it is due, and once late for `hold_s`: a
        long call would leave the next caller of that kind with nobody until it ends.
    rings : sequence of Ring
        Whom a ticket may go to besides, step by step; by default nobody.
    """

    name = "deadline"
    WINNABLE, LATE, LATE_LONG = range(3)

    def __init__(
        self,
        cap_s: float = 1100.0,
        cap_per_agent_s: float = 250.0,
        cap_promises: float = 1.0,
        keep_share: float = 0.5,
        keep_least_s: float = 300.0,
        hold_s: float = 600.0,
        hold_two_from: int = 6,
        hold_from: int = 4,
        hold_promise_s: float = 120.0,
        spare_from: int = 4,
        rings: Sequence[Ring] = (),
    ) -> None:
        self.cap = round(cap_s * SECOND)
        self.cap_per_agent = round(cap_per_agent_s * SECOND)
        self.cap_promises = cap_promises
        self.keep_share = keep_share
        self.keep_least = round(keep_least_s * SECOND)
        self.hold = round(hold_s * SECOND)
        self.hold_two_from = hold_two_from
        self.hold_from = hold_from
        self.rings = tuple(rings)
        self.hold_promise = round(hold_promise_s * SECOND)
        self.spare_from = spare_from

    def band(self, ticket: Ticket, now: int) -> int:
        if now <= ticket.due_at:
            return self.WINNABLE
        return self.LATE if self._short(ticket) else self.LATE_LONG

    def changes_at(self, ticket: Ticket, band: int) -> int | None:
        return ticket.due_at + 1 if band == self.WINNABLE else None

    def order(self, ticket: Ticket, band: int) -> Key:
        by = ticket.due_at + (self._long_cap(ticket) if band == self.LATE_LONG else 0)
        return (by, ticket.priority, ticket.opened_at)

    def urgent(self, ticket: Ticket, now: int, cover: int) -> bool:
        late = now - ticket.due_at
        return late > 0 and late > self._cap(ticket, cover)

    def turn(self, band: int) -> str:
        return {URGENT: "over_cap", self.WINNABLE: "earliest_due"}.get(band, "late")

    def preference(self, agent: Agent) -> Key:
        return (agent.grade, 10**6 if agent.skills is None else len(agent.skills))

    def kept_until(self, ticket: Ticket) -> int | None:
        promised = ticket.due_at - ticket.opened_at
        return ticket.due_at - max(self.keep_least, int(promised * self.keep_share))

    def held_until(self, ticket: Ticket, now: int, cover: int) -> int | None:
        if now <= ticket.due_at or not self._short(ticket) or cover < self.hold_from:
            return None
        until = ticket.due_at + min(self.hold, self._cap(ticket, cover) + 1)
        return until if now < until else None

    def held_back(self, cover: int) -> int:
        return 2 if cover >= self.hold_two_from else 1

    def spared_until(self, ticket: Ticket, now: int, cover: int) -> int | None:
        if now == ticket.due_at or not self._short(ticket) or cover < self.spare_from:
            return None  # started at the very instant it is due it is in time
        if now < ticket.due_at:
            return ticket.due_at
        until = ticket.due_at + min(self.hold, self._cap(ticket, cover) + 1)
        return until if now < until else None

    def _cap(self, ticket: Ticket, cover: int) -> int:
        if ticket.due_at - ticket.opened_at <= self.hold_promise:
            return min(self.cap, cover * self.cap_per_agent)
        return self._long_cap(ticket)

    def _long_cap(self, ticket: Ticket) -> int:
        promised = ticket.due_at - ticket.opened_at
        return max(self.cap, int(promised * self.cap_promises))

    def _short(self, ticket: Ticket) -> bool:
        return ticket.due_at - ticket.opened_at <= self.hold_promise


POLICIES: dict[str, Callable[[], Policy]] = {
    "deadline": Deadline,
    "fifo": Fifo,
    "priority": Priority,
}


def opens_at(ring: Ring, ticket: Ticket) -> int:
    """Instant from which the ring is open for the ticket."""
    return ticket.due_at - int((ticket.due_at - ticket.opened_at) * ring.left_share)


def widened(policy: Policy, ticket: Ticket, now: int) -> Ticket:
    """The ticket with what it needs at `now`: all open rings taken together."""
    proficiency, tier = ticket.proficiency, ticket.tier
    for ring in policy.rings:
        if now >= opens_at(ring, ticket):
            proficiency = min(proficiency, ring.proficiency)
            tier = min(tier, max(ORDINARY, ticket.tier - ring.tiers_below))
    if (proficiency, tier) == (ticket.proficiency, ticket.tier):
        return ticket
    return replace(ticket, proficiency=proficiency, tier=tier)


def rank(policy: Policy, ticket: Ticket, now: int, cover: int) -> tuple[int, Key, str]:
    """Place of a waiting ticket at `now` when `cover` on duty may take it; smaller first."""
    band = URGENT if policy.urgent(ticket, now, cover) else policy.band(ticket, now)
    return band, policy.order(ticket, policy.band(ticket, now)), ticket.ticket_id


def expert_work(agent: Agent, kinds: Iterable[Kind]) -> list[str]:
    """Skills in which the desk has work that needs an expert and this expert does it."""
    return sorted(skill for skill, tier in kinds if tier == EXPERT and does(agent, skill, tier))


class Room(Protocol):
    """What the rules that keep an agent back ask about the desk, and only when it matters."""

    def scarce(self) -> Iterable[str]:
        """`expert_work` of the agent."""

    def experts_free(self) -> Iterable[Agent]:
        """The other experts with room for this ticket, whether or not they may take it."""

    def alone(self) -> bool:
        """Whether no other agent on duty does some kind of the desk's work that this one does."""

    def others_free(self, number: int) -> bool:
        """Whether so many other agents who may take the ticket have room for it."""

    def others_wait(self) -> bool:
        """Whether another ticket waits that the agent may take."""

    def expert_work_waits(self) -> bool:
        """Whether another ticket waits that needs an expert, and that the agent may take."""

    def on_duty(self) -> Iterable[Agent]:
        """Agents on duty who may take the ticket."""

    def cover(self) -> int:
        """How many these are."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """A free agent is kept from a ticket until an instant at the latest, by the rule `code`."""

    until: int
    code: str


def keeps(
    policy: Policy, ticket: Ticket, agent: Agent, now: int, room: Room, leaves_at: int | None
) -> Keeping | None:
    """Why a free agent is kept from a ticket, or None to give it.

    Nobody is kept beyond the end of the duty, `leaves_at`: the ticket might find nobody after it.
    What keeps agents from calls ends a moment before: the last call of a duty is finished after it.
    """
    kept = _for_work_of_her_own(policy, ticket, now, room)
    kept = kept or _for_callers_in_time(policy, ticket, now, room)
    if kept and leaves_at is not None and kept.until >= leaves_at:
        kept = Keeping(leaves_at - LAST, kept.code) if now < leaves_at - LAST else None
    if kept is None:
        kept = _for_expert_work(policy, ticket, agent, now, room)
        if kept and leaves_at is not None and kept.until >= leaves_at:
            kept = None
    return kept


def _for_work_of_her_own(policy: Policy, ticket: Ticket, now: int, room: Room) -> Keeping | None:
    """Whoever is alone for some kind of work is kept from what several others may take."""
    until = policy.spared_until(ticket, now, room.cover()) if room.alone() else None
    return None if until is None else Keeping(until, "alone_kept")


def _for_expert_work(
    policy: Policy, ticket: Ticket, agent: Agent, now: int, room: Room
) -> Keeping | None:
    """The last expert is kept from lesser work while its slack allows.

    That is: the desk has expert work that nobody else now free can do, such work waits or nothing
    else does that the expert may take, and somebody of a lower grade on duty may take the ticket
    once free.
    """
    if agent.grade < EXPERT or ticket.tier >= EXPERT:
        return None
    until = policy.kept_until(ticket)
    if until is None or now >= until:
        return None
    if room.others_wait() and not room.expert_work_waits():
        return None
    free = list(room.experts_free())
    if all(any(does(other, skill, EXPERT) for other in free) for skill in room.scarce()):
        return None
    lower = any(other.grade < EXPERT for other in room.on_duty())
    return Keeping(until, "expert_kept") if lower else None


def _for_callers_in_time(policy: Policy, ticket: Ticket, now: int, room: Room) -> Keeping | None:
    """The last agents free for it are kept from a late caller for a while."""
    if now <= ticket.due_at:
        return None
    cover = room.cover()
    until = policy.held_until(ticket, now, cover)
    if until is None or room.others_free(policy.held_back(cover)):
        return None
    return Keeping(until, "agent_kept")


def contrast(best: tuple[Key, int], other: tuple[Key, int]) -> str:
    """Reason code for preferring the first of two places (preference, tickets in hand)."""
    if best[0] != other[0]:
        return "lowest_tier" if best[0][0] != other[0][0] else "fewest_skills"
    return "least_in_hand" if best[1] != other[1] else "longest_idle"
