"""What the desk in memory is made of: agents at their posts, and lanes of tickets that wait."""

from __future__ import annotations

from heapq import heappop, heappush

from wfm.dispatch.model import Agent, Ticket
from wfm.dispatch.policy import URGENT, Key, Policy


class Post:
    """An agent at the desk: what is in hand, and which lanes are within reach."""

    __slots__ = (
        "agent", "bit", "in_hand", "lanes", "leaves_at", "on_duty", "rank", "scarce", "shelf",
        "since",
    )  # fmt: skip

    def __init__(self, agent: Agent, number: int, preference: Key, scarce: list[str]) -> None:
        self.agent = agent
        self.bit = 1 << number
        self.rank = preference
        self.scarce = scarce
        self.lanes: list[Lane] = []
        self.in_hand = 0
        self.since = 0
        self.on_duty = False
        self.leaves_at: int | None = None
        self.shelf: Shelf | None = None


class Shelf(dict[str, Post]):
    """Free agents of equal preference and load by name, in the order in which they became so."""

    __slots__ = ("mask",)

    def __init__(self) -> None:
        super().__init__()
        self.mask = 0


class Lane:
    """Waiting tickets that the same agents may take, sorted by band and order."""

    __slots__ = ("bands", "clock", "cover", "mask", "posts", "standing", "tier")

    def __init__(self, posts: list[Post], tier: int) -> None:
        self.posts = posts
        self.tier = tier
        self.mask = sum(post.bit for post in posts)
        self.cover = sum(post.on_duty for post in posts)
        self.bands: list[list[tuple[Key, str, Ticket]]] = []
        self.clock: list[tuple[int, str, Ticket]] = []
        self.standing: dict[str, int] = {}

    def push(self, ticket: Ticket, policy: Policy, now: int) -> None:
        band = policy.band(ticket, now)
        self.standing[ticket.ticket_id] = band
        while len(self.bands) <= band:
            self.bands.append([])
        heappush(self.bands[band], (policy.order(ticket, band), ticket.ticket_id, ticket))
        changes_at = policy.changes_at(ticket, band)
        if changes_at is not None:
            heappush(self.clock, (changes_at, ticket.ticket_id, ticket))

    def first(self, policy: Policy, now: int) -> tuple[int, Key, str, Ticket]:
        """Band, order, id and ticket of whose turn it is; the lane is not empty.

        Only the first of a band can be urgent, and none of the first band.
        """
        standing, clock = self.standing, self.clock
        while clock and clock[0][0] <= now:
            _, ticket_id, ticket = heappop(clock)
            if ticket_id in standing:
                self.push(ticket, policy, now)
        # a ticket that has left, or moved on, still lies in its old heap; drop it when it shows
        found: tuple[int, Key, str, Ticket] | None = None
        for place, heap in enumerate(self.bands):
            while heap:
                order, ticket_id, ticket = heap[0]
                if standing.get(ticket_id) != place:
                    heappop(heap)
                    continue
                band = URGENT if place and policy.urgent(ticket, now, self.cover) else place
                if found is None or (band, order, ticket_id) < found[:3]:
                    found = band, order, ticket_id, ticket
                break
        if found is None:
            raise LookupError("an empty lane was asked whose turn it is")
        return found
