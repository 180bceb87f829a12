"""One ticket in work with what may be done about it, for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from wfm import access
from wfm.access import Actor
from wfm.dispatch.model import Agent as Person
from wfm.dispatch.model import does
from wfm.instants import local_date
from wfm.services import desk_rules, desk_snapshot, ticket_moves
from wfm.services.desk_snapshot import SeatRow
from wfm.services.facts import AgentFacts, agents_on
from wfm.services.replaying import TIERS
from wfm.services.ticket_work import find
from wfm.tables import Agent, Skill, Ticket, TicketHandover


@dataclass(frozen=True)
class WorkPage:
    """`seats` may take it now; `others` may have it without being on duty."""

    ticket: Ticket
    skill: Skill | None
    owner: Agent | None
    about: Agent | None
    merged_into: str
    rule: str
    seats: tuple[SeatRow, ...]
    others: tuple[AgentFacts, ...]
    handovers: tuple[tuple[TicketHandover, str, str], ...]


def of(session: Session, actor: Actor, code: str, at: datetime, timezone: str) -> WorkPage:
    """What the panel of a ticket shows."""
    if actor.agent_id is None:
        access.require(actor, "dispatch.view")
    ticket = find(session, code)
    if actor.agent_id is None or ticket.owner_id != actor.agent_id:
        access.require(actor, "dispatch.view")
    skill = session.get(Skill, ticket.skill_id) if ticket.skill_id else None
    able = [one for one in agents_on(session, local_date(at, timezone)) if _may(one, ticket, skill)]
    present = {row.agent.code: row for row in desk_snapshot.glance(session, at, timezone).seats}
    seats = [present[one.code] for one in able if one.code in present]
    seats.sort(key=lambda row: (("free", "full", "on_break").index(row.state), row.agent.code))
    merged = session.get(Ticket, ticket.merged_into_id) if ticket.merged_into_id else None
    assert ticket.id is not None
    return WorkPage(
        ticket=ticket,
        skill=skill,
        owner=session.get(Agent, ticket.owner_id) if ticket.owner_id else None,
        about=session.get(Agent, ticket.about_id) if ticket.about_id else None,
        merged_into=merged.code if merged else "",
        rule=desk_rules.load().endings[ticket.kind],
        seats=tuple(seats),
        others=tuple(one for one in able if one.code not in present),
        handovers=tuple(_named(session, ticket_moves.handovers(session, ticket.id))),
    )


def code_of(session: Session, ticket_id: int) -> str:
    """The code of a ticket known by its row."""
    return session.get_one(Ticket, ticket_id).code


def _may(one: AgentFacts, ticket: Ticket, skill: Skill | None) -> bool:
    person = Person(one.code, TIERS[one.grade], one.skills, one.capacity)
    reaches = does(person, skill.code if skill else "", TIERS[ticket.min_grade])
    return reaches and one.id not in (ticket.owner_id, ticket.about_id)


def _named(
    session: Session, notes: Sequence[TicketHandover]
) -> list[tuple[TicketHandover, str, str]]:
    named = []
    for note in notes:
        taker = session.get_one(Agent, note.given_to_id).name if note.given_to_id else ""
        named.append((note, session.get_one(Agent, note.given_by_id).name, taker))
    return named
