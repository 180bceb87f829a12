"""The desk in memory: who is free, what waits, and who gets what – kept sorted as it changes.

The orders come from a policy; this file only keeps them at hand, so that a million tickets can
be run through. `wfm.dispatch.live` decides the same from a plain list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import heappop, heappush

from wfm.dispatch.lanes import Lane, Post, Shelf
from wfm.dispatch.model import EXPERT, Agent, Kind, LaneKey, Ticket, does, fits, lane_key, may_take
from wfm.dispatch.policy import Key, Policy, contrast, expert_work, keeps, opens_at, widened

Assignment = tuple[Ticket, Agent, str, str]
"""Ticket, agent, why this ticket's turn, why this agent."""


class Room:
    """What the rules that keep an agent back ask, answered from the desk as it stands."""

    __slots__ = ("desk", "lane", "post", "weight")

    def __init__(self, desk: Desk, lane: Lane, post: Post, weight: int) -> None:
        self.desk, self.lane, self.post, self.weight = desk, lane, post, weight

    def scarce(self) -> Iterable[str]:
        return self.post.scarce

    def experts_free(self) -> Iterable[Agent]:
        return (other.agent for other in self.desk.experts if self._free(other))

    def alone(self) -> bool:
        return bool(self.desk.alone & self.post.bit)

    def others_free(self, number: int) -> bool:
        others = self.desk.free & self.lane.mask & ~self.post.bit
        if self.weight == 1 or not others:  # whoever is free has room for one more
            return others.bit_count() >= number
        return sum(self._free(other) for other in self.lane.posts) >= number

    def others_wait(self) -> bool:
        return sum(len(reach.standing) for reach in self.post.lanes) > 1

    def expert_work_waits(self) -> bool:
        return any(reach.standing and reach.tier >= EXPERT for reach in self.post.lanes)

    def on_duty(self) -> Iterable[Agent]:
        return (other.agent for other in self.lane.posts if other.on_duty)

    def cover(self) -> int:
        return self.lane.cover

    def _free(self, other: Post) -> bool:
        there = other.shelf is not None and other is not self.post
        return there and fits(other.agent, other.in_hand, self.weight)


class Desk:
    """Agents on duty and waiting tickets under one policy.

    Every agent that becomes free and every ticket that comes is told with `come`, `go`, `finish`,
    `arrive` and `leave`; `match` then hands out what can be handed out at this instant.

    Parameters
    ----------
    policy : Policy
    agents : iterable of Agent
    kinds : iterable of (str, int)
        Kinds of work the desk offers (skill, tier); decides for what an expert is kept.
    """

    def __init__(self, policy: Policy, agents: Iterable[Agent], kinds: Iterable[Kind]) -> None:
        self.policy = policy
        listed = list(kinds)
        self.posts = {
            agent.agent_id: Post(
                agent, number, policy.preference(agent), expert_work(agent, listed)
            )
            for number, agent in enumerate(sorted(agents, key=lambda agent: agent.agent_id))
        }
        self.experts = [post for post in self.posts.values() if post.agent.grade >= EXPERT]
        posts = self.posts.values()
        self.doing = [sum(p.bit for p in posts if does(p.agent, *kind)) for kind in listed]
        self.present = 0
        self.alone = 0
        """The bits of the posts that nobody else on duty could stand in for with some kind."""
        self.free = 0
        """The bits of the posts with room for something."""
        self.lanes: dict[LaneKey, Lane] = {}
        places = {
            (post.rank, load) for post in self.posts.values() for load in range(post.agent.capacity)
        }
        self.shelves = {place: Shelf() for place in sorted(places)}
        self.changed_posts: list[Post] = []
        self.changed_tickets: list[tuple[Ticket, Lane]] = []
        self.widening: list[tuple[int, str, Ticket]] = []
        self.wider: dict[str, Ticket] = {}
        """Waiting tickets as they stand in a wider ring than at first."""
        self.kept: dict[str, int] = {}
        """Tickets an agent is kept from, and until when."""
        self.stirred = False
        """Whether what is kept may hang on more than the lanes of what changed."""

    # what happens

    def come(self, agent_id: str, now: int, leaves_at: int | None = None) -> None:
        """The agent's duty begins; `leaves_at` is its end where that is known."""
        post = self.posts[agent_id]
        post.leaves_at = leaves_at
        self._turn(post, True)
        self._shelve(post, now)
        self.changed_posts.append(post)

    def go(self, agent_id: str, now: int) -> None:
        """The agent's duty ends; what is in hand is finished."""
        post = self.posts[agent_id]
        self._turn(post, False)
        self._take_down(post)

    def finish(self, agent_id: str, now: int, weight: int = 1) -> None:
        """One ticket in the agent's hand is done."""
        post = self.posts[agent_id]
        post.in_hand -= weight
        if post.on_duty:
            self._take_down(post)
            self._shelve(post, now)
            self.changed_posts.append(post)

    def arrive(self, ticket: Ticket, now: int) -> None:
        """A ticket comes."""
        stands = ticket
        if self.policy.rings:
            stands = widened(self.policy, ticket, now)
            if stands is not ticket:
                self.wider[ticket.ticket_id] = stands
            for ring in self.policy.rings:
                if opens_at(ring, ticket) > now:
                    heappush(self.widening, (opens_at(ring, ticket), ticket.ticket_id, ticket))
        lane = self.lane_of(stands)
        lane.push(stands, self.policy, now)
        self.changed_tickets.append((stands, lane))

    def leave(self, ticket: Ticket, now: int) -> None:
        """The customer of a waiting ticket gives up."""
        if ticket.ticket_id in self.kept:
            self.kept[ticket.ticket_id] = now  # look at once at what stood behind it
        stands = self.wider.pop(ticket.ticket_id, ticket)
        del self.lane_of(stands).standing[ticket.ticket_id]

    def widen(self, now: int) -> None:
        """Let tickets whose rings open by now stand where more agents reach them."""
        while self.widening and self.widening[0][0] <= now:
            _, ticket_id, ticket = heappop(self.widening)
            stood = self.wider.get(ticket_id, ticket)
            old = self.lane_of(stood)
            stands = widened(self.policy, ticket, now)
            if ticket_id in old.standing and lane_key(stands) != lane_key(stood):
                del old.standing[ticket_id]
                self.stirred = True  # what stood behind it is now the first of its lane
                self.wider[ticket_id] = stands
                lane = self.lane_of(stands)
                lane.push(stands, self.policy, now)
                self.changed_tickets.append((stands, lane))

    def match(self, now: int) -> list[Assignment]:
        """Hand out what can be handed out now, the first in rank first."""
        if self.widening:
            self.widen(now)
        posts, tickets = self.changed_posts, self.changed_tickets
        if not posts and not tickets:
            return self._match_all(now) if self.kept else []
        one = len(posts) + len(tickets) == 1
        if not self.kept and one:
            # one change since nothing more could be handed out: only it can matter
            done = self._match_one(now)
        elif one and not self.stirred and now < min(self.kept.values()):
            done = self._match_beside(now)
        else:
            done = self._match_all(now)
        posts.clear()
        tickets.clear()
        return done

    def next_look(self) -> int:
        """Next instant at which time alone may let somebody take what is kept, or widens."""
        return min((*self.kept.values(), *(at for at, _, _ in self.widening[:1])))

    # how it is kept

    def lane_of(self, ticket: Ticket) -> Lane:
        key = lane_key(ticket)
        lane = self.lanes.get(key)
        if lane is None:
            posts = [post for post in self.posts.values() if may_take(post.agent, ticket)]
            lane = self.lanes[key] = Lane(posts, ticket.tier)
            for post in posts:
                post.lanes.append(lane)
        return lane

    def _turn(self, post: Post, on_duty: bool) -> None:
        """The duty of the post begins or ends."""
        post.on_duty = on_duty
        self.stirred = True  # how many may take a ticket, and who is alone, is another matter now
        for lane in post.lanes:
            lane.cover += 1 if on_duty else -1
        self.present ^= post.bit
        self.alone = 0
        for mask in self.doing:
            there = mask & self.present
            self.alone |= 0 if there & (there - 1) else there  # one bit, or none

    def _shelve(self, post: Post, now: int) -> None:
        post.since = now
        if post.in_hand < post.agent.capacity:
            post.shelf = self.shelves[post.rank, post.in_hand]
            post.shelf[post.agent.agent_id] = post
            post.shelf.mask |= post.bit
            self.free |= post.bit

    def _take_down(self, post: Post) -> None:
        if post.shelf is not None:
            del post.shelf[post.agent.agent_id]
            post.shelf.mask ^= post.bit
            post.shelf = None
            self.free ^= post.bit

    def _match_one(self, now: int) -> list[Assignment]:
        if self.changed_tickets:
            ticket, lane = self.changed_tickets[0]
            given = self._give(lane, ticket, "on_arrival", now)
            return [given] if given else []
        # whoever became free is the only one for whatever waits within reach
        post = self.changed_posts[0]
        done: list[Assignment] = []
        lanes = post.lanes
        while post.shelf is not None:
            first = self._first([lane for lane in lanes if lane.standing], now)
            if first is None:
                break
            band, _, _, ticket, lane = first
            if not fits(post.agent, post.in_hand, ticket.weight) or self._keeps(
                lane, ticket, post, now
            ):
                lanes = [other for other in lanes if other is not lane]
                continue
            self._hand(lane, ticket, post, now)
            done.append((ticket, post.agent, self.policy.turn(band), "just_free"))
        return done

    def _match_beside(self, now: int) -> list[Assignment]:
        """One change beside what is kept, none of it by the rule for experts or longer than now.

        A ticket that comes releases nobody, and an agent who becomes free only what she may take.
        """
        if self.changed_tickets:
            ticket, lane = self.changed_tickets[0]
            if lane.first(self.policy, now)[3].ticket_id != ticket.ticket_id:
                return []  # what stands before it is kept, or nobody is free
            return self._match_lanes([lane], dict(self.kept), now)
        post = self.changed_posts[0]
        if post.agent.grade >= EXPERT:
            return self._match_all(now)
        return self._match_lanes(post.lanes, dict(self.kept), now)

    def _match_all(self, now: int) -> list[Assignment]:
        held, self.kept, self.stirred = self.kept, {}, False
        return self._match_lanes(self.lanes.values(), held, now)

    def _match_lanes(
        self, among: Iterable[Lane], held: Mapping[str, int], now: int
    ) -> list[Assignment]:
        """Hand out what can be handed out in these lanes; `held` was kept until now."""
        done: list[Assignment] = []
        came = {ticket.ticket_id for ticket, _ in self.changed_tickets}
        lanes = [lane for lane in among if lane.standing and self.free & lane.mask]
        while (first := self._first(lanes, now)) is not None:
            band, _, ticket_id, ticket, lane = first
            turn = "on_arrival" if ticket_id in came else self.policy.turn(band)
            given = self._give(lane, ticket, turn, now)
            if given is None or not lane.standing:
                lanes.remove(lane)
            if given is None:
                continue
            if ticket_id in held and given[1].grade == EXPERT:
                given = (*given[:2], "expert_released", given[3])
            done.append(given)
        return done

    def _first(self, lanes: list[Lane], now: int) -> tuple[int, Key, str, Ticket, Lane] | None:
        """Whose turn it is in these lanes, none of them empty."""
        best: tuple[int, Key, str, Ticket, Lane] | None = None
        for lane in lanes:
            candidate = (*lane.first(self.policy, now), lane)
            # ids differ, so the comparison never reaches the ticket
            if best is None or candidate[:3] < best[:3]:
                best = candidate
        return best

    def _give(self, lane: Lane, ticket: Ticket, turn: str, now: int) -> Assignment | None:
        """Hand the ticket to the best free agent, unless there is none or she is kept."""
        post, why = self._choose(lane, ticket, now)
        if post is None:
            return None
        self._hand(lane, ticket, post, now)
        return ticket, post.agent, turn, why

    def _hand(self, lane: Lane, ticket: Ticket, post: Post, now: int) -> None:
        del lane.standing[ticket.ticket_id]
        self.kept.pop(ticket.ticket_id, None)
        self.wider.pop(ticket.ticket_id, None)
        self._take_down(post)
        post.in_hand += ticket.weight
        self._shelve(post, now)

    def _choose(self, lane: Lane, ticket: Ticket, now: int) -> tuple[Post | None, str]:
        best: Post | None = None
        best_place: tuple[Key, int] = ((), 0)
        why = "only_one_free"
        able = self.free & lane.mask
        if not able:
            return None, why
        for place, shelf in self.shelves.items():
            if not shelf.mask & able:
                continue
            for name, post in shelf.items():
                if not post.bit & able or not fits(post.agent, post.in_hand, ticket.weight):
                    continue
                if best is not None:
                    why = contrast(best_place, place)
                    if place != best_place or post.since != best.since:
                        return best, why
                    if name > best.agent.agent_id:
                        continue
                if self._keeps(lane, ticket, post, now):
                    continue
                best, best_place = post, place
        return best, why

    def _keeps(self, lane: Lane, ticket: Ticket, post: Post, now: int) -> bool:
        if not post.scarce and now <= ticket.due_at and not self.alone & post.bit:
            return False  # no rule can hold
        room = Room(self, lane, post, ticket.weight)
        kept = keeps(self.policy, ticket, post.agent, now, room, post.leaves_at)
        if kept is not None:  # several may be kept from it, each until an instant of her own
            until = self.kept.get(ticket.ticket_id, kept.until)
            self.kept[ticket.ticket_id] = min(until, kept.until)
            self.stirred |= kept.code == "expert_kept"
        return kept is not None
