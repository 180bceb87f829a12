"""Many hand out at once, from processes' own connections: none lost, none doubled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from wfm.access import Actor
from wfm.db import transaction
from wfm.errors import AccessDeniedError
from wfm.services import dispatching, hand_out, ticket_work
from wfm.services.ticket_work import Refusal
from wfm.tables import Agent, DispatchDecision, Skill, Ticket
from wfm.words import Role

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
ZONE = "Asia/Shanghai"
DANA = Actor("dana", roles={Role.DISPATCHER: None})
HANDS, TICKETS, DISPATCHERS = 150, 200, 50


def fill(session: Session, number: int) -> None:
    net = session.exec(select(Skill).where(Skill.code == "net")).one()
    session.add_all(
        Ticket(code=f"T{n:04}", opened_at=AT - timedelta(minutes=5), skill_id=net.id,
               respond_within_s=3600 + n)
        for n in range(number)
    )  # fmt: skip


def test_it_gives_what_single_proposals_would_give(
    session: Session, open_desk: Callable[..., None]
) -> None:
    open_desk(session, AT, A=("ordinary", {"net": 3}, 2), B=("senior", {"net": 3}, 1))
    fill(session, 4)
    given = hand_out.hand_out(session, DANA, AT, ZONE)
    # the lowest grade first while there is room, then the senior; one ticket stays
    codes = {agent.id: agent.code for agent in session.exec(select(Agent))}
    assert [codes[one.agent_id] for one in given] == ["A", "A", "B"]
    assert given[0].reasons[-1]["code"] == "lowest_tier"
    assert hand_out.hand_out(session, DANA, AT + timedelta(seconds=1), ZONE) == []
    assert ticket_work.find(session, "T0003").owner_id is None


def test_only_who_may_assign_may_hand_out(session: Session) -> None:
    with pytest.raises(AccessDeniedError):
        hand_out.hand_out(session, Actor("a", roles={Role.AGENT: None}), AT, ZONE)


def test_fifty_dispatchers_lose_none_and_double_none(
    fresh_engine: sa.Engine, open_desk: Callable[..., None]
) -> None:
    with transaction(fresh_engine) as session:
        agents = {f"A{n:02}": ("ordinary", {"net": 3}, HANDS // 30) for n in range(30)}
        open_desk(session, AT, **agents)
        fill(session, TICKETS)

    def work(number: int) -> int:
        """Half hand out in handfuls, half give single tickets away by name."""
        done = 0
        for turn in range(4):
            at = AT + timedelta(milliseconds=50 * turn + number)
            try:
                with transaction(fresh_engine) as session:
                    if number % 2:
                        done += len(hand_out.hand_out(session, DANA, at, ZONE, 7))
                    else:
                        code, agent = f"T{(turn * 37 + number) % TICKETS:04}", f"A{number % 30:02}"
                        dispatching.assign(session, DANA, code, agent, at, ZONE, "by name")
                        done += 1
            except Refusal:
                continue
        return done

    with ThreadPoolExecutor(DISPATCHERS) as pool:
        given = sum(pool.map(work, range(DISPATCHERS)))
    with transaction(fresh_engine) as session:
        decided = session.exec(select(DispatchDecision.ticket_id)).all()
        owned = session.exec(select(Ticket).where(col(Ticket.owner_id).is_not(None))).all()
        assert given == len(decided) == len(set(decided)) == len(owned)
        assert {ticket.id for ticket in owned} == set(decided)
        held = Counter(ticket.owner_id for ticket in owned)
        capacity = {agent.id: agent.capacity for agent in session.exec(select(Agent))}
        assert all(held[agent] <= room for agent, room in capacity.items())
        assert given == HANDS  # all hands are full, fifty tickets wait
