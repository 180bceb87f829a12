"""What dispatch speaks of: tickets, agents, seats.

Instants are whole microseconds since the Unix epoch, spans whole microseconds: exact, so that a
start at the very instant it was due counts as in time. Multiply seconds by `SECOND`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

SECOND = 1_000_000
GRADES = ("ordinary", "senior", "expert")
ORDINARY, SENIOR, EXPERT = 1, 2, 3

Kind = tuple[str, int]
"""A kind of work: skill and tier."""

LaneKey = tuple[str, int, int, int, frozenset[str]]
"""What decides who may take a ticket: skill, tier, proficiency, weight, who must not."""


def micro(instant: datetime) -> int:
    """An aware instant on the policy's own clock."""
    return round(instant.timestamp() * SECOND)


@dataclass(frozen=True, slots=True)
class Ticket:
    """One customer request that waits for an agent.

    Parameters
    ----------
    ticket_id : str
    opened_at : int
        Instant, microseconds.
    due_at : int
        Instant by which somebody must have started; starting at it is in time.
    skill : str
        The skill it needs; empty when any agent will do.
    tier : int
        Lowest grade that may handle it: 1 ordinary, 2 senior, 3 expert.
    priority : int
        1 is the highest.
    proficiency : int
        Lowest proficiency (1–5) in `skill`.
    weight : int
        How much of an agent's capacity it takes, ≥ 1.
    not_by : frozenset of str
        Agents who must not have it, such as the one a complaint is about.
    """

    ticket_id: str
    opened_at: int
    due_at: int
    skill: str = ""
    tier: int = ORDINARY
    priority: int = 1
    proficiency: int = 1
    weight: int = 1
    not_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who answers customers.

    Parameters
    ----------
    agent_id : str
    grade : int
        1 ordinary, 2 senior, 3 expert.
    skills : mapping of str to int, optional
        Skill → proficiency (1–5). None: every skill.
    capacity : int
        Weight of the tickets held at the same time.
    """

    agent_id: str
    grade: int = ORDINARY
    skills: Mapping[str, int] | None = field(default=None, hash=False)
    capacity: int = 1


@dataclass(frozen=True, slots=True)
class Seat:
    """An agent on duty now: the weight in hand, since when nothing changed, when the duty ends."""

    agent: Agent
    in_hand: int
    since: int
    leaves_at: int | None = None


@dataclass(frozen=True, slots=True)
class DeskState:
    """The desk at one instant, for live use.

    Parameters
    ----------
    seats : sequence of Seat
        Everybody on duty now, free or not.
    waiting : collection of Ticket
        Tickets nobody has taken.
    kinds : frozenset of (str, int)
        Kinds of work the desk offers (skill, tier), whether or not one waits now.
    """

    seats: Sequence[Seat]
    waiting: Collection[Ticket]
    kinds: frozenset[Kind] = frozenset()


def does(agent: Agent, skill: str, tier: int, proficiency: int = 1) -> bool:
    """Whether the agent's grade and skill reach this kind of work."""
    if agent.grade < tier:
        return False
    return not skill or agent.skills is None or agent.skills.get(skill, 0) >= proficiency


def fits(agent: Agent, in_hand: int, weight: int) -> bool:
    """Whether the agent has room for it; with empty hands there is room for anything."""
    return in_hand == 0 or in_hand + weight <= agent.capacity


def may_take(agent: Agent, ticket: Ticket) -> bool:
    """Whether the agent may handle the ticket, free or not."""
    return agent.agent_id not in ticket.not_by and does(
        agent, ticket.skill, ticket.tier, ticket.proficiency
    )


def lane_key(ticket: Ticket) -> LaneKey:
    """Tickets with the same key may be taken by the same agents."""
    return ticket.skill, ticket.tier, ticket.proficiency, ticket.weight, ticket.not_by
